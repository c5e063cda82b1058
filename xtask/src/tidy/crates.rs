//! Who may use whom among our crates, so that the layers stay layers.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::Breach;

/// Each crate of ours with those that it may use, and those that its tests may use besides.
const MAY_USE: &[(&str, &[&str], &[&str])] = &[
    ("evercart-core", &[], &[]),
    ("evercart-throwaway-postgres", &[], &[]),
    ("evercart-conformance", &["evercart-core"], &[]),
    ("evercart-sqlite", &["evercart-core"], &["evercart-conformance"]),
    (
        "evercart-postgres",
        &["evercart-core"],
        &["evercart-conformance", "evercart-throwaway-postgres"],
    ),
    (
        "evercart-http",
        &["evercart-core"],
        &["evercart-sqlite", "evercart-postgres", "evercart-throwaway-postgres"],
    ),
    (
        "evercart",
        &["evercart-core", "evercart-http", "evercart-sqlite", "evercart-postgres"],
        &["evercart-conformance", "evercart-throwaway-postgres"],
    ),
    ("evercart-bench", &["evercart-core", "evercart-throwaway-postgres"], &[]),
    ("evercart-torture", &["evercart-core", "evercart-throwaway-postgres"], &[]),
    ("evercart-lossy-sqlite", &["evercart"], &[]),
    ("xtask", &["evercart-throwaway-postgres"], &[]),
];

/// Asks cargo who uses whom.
///
/// # Errors
/// If cargo cannot say.
pub fn check(root: &Path, breaches: &mut Vec<Breach>) -> Result<()> {
    let output = Command::new("cargo")
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(root)
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run cargo")?;
    ensure!(output.status.success(), "cargo metadata failed");
    let metadata = serde_json::from_slice(&output.stdout).context("cargo metadata is not JSON")?;
    check_uses(&metadata, breaches);
    Ok(())
}

fn check_uses(metadata: &Value, breaches: &mut Vec<Breach>) {
    let texts = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let ours: Vec<_> = packages.iter().map(|package| texts(package, "name")).collect();
    for package in packages {
        let name = texts(package, "name");
        let mut push = |what| {
            let subject = format!("{name}/Cargo.toml");
            breaches.push(Breach { rule: "crate-uses", subject, line: 0, what });
        };
        let Some((_, always, in_tests)) = MAY_USE.iter().find(|(crate_, ..)| *crate_ == name)
        else {
            push(format!("`{name}` is new: say in xtask/src/tidy/crates.rs whom it may use"));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let used = texts(dependency, "name");
            let is_for_tests = dependency["kind"].as_str() == Some("dev");
            let is_allowed = always.contains(&&*used) || is_for_tests && in_tests.contains(&&*used);
            if ours.contains(&used) && !is_allowed {
                push(format!("`{name}` may not use `{used}`"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, uses: &[(&str, Option<&str>)]) -> Value {
        let dependencies: Vec<_> = uses
            .iter()
            .map(|(name, kind)| serde_json::json!({ "name": name, "kind": kind }))
            .collect();
        serde_json::json!({ "name": name, "dependencies": dependencies })
    }

    fn broken(packages: &[Value]) -> Vec<String> {
        let mut breaches = Vec::new();
        check_uses(&serde_json::json!({ "packages": packages }), &mut breaches);
        breaches.into_iter().map(|breach| breach.what).collect()
    }

    #[test]
    fn layers_use_core_and_not_each_other() {
        let core = package("evercart-core", &[("serde", None)]);
        let sqlite = |uses: &[_]| package("evercart-sqlite", uses);
        let conformance = package("evercart-conformance", &[("evercart-core", None)]);
        let http = |uses: &[_]| package("evercart-http", uses);
        let good = [
            core.clone(),
            conformance.clone(),
            sqlite(&[("evercart-core", None), ("evercart-conformance", Some("dev"))]),
            http(&[("evercart-core", None), ("evercart-sqlite", Some("dev"))]),
        ];
        assert_eq!(broken(&good), [""; 0]);
        let bad = [
            core,
            conformance,
            sqlite(&[("evercart-conformance", None)]),
            http(&[("evercart-sqlite", None)]),
        ];
        assert_eq!(
            broken(&bad),
            [
                "`evercart-sqlite` may not use `evercart-conformance`",
                "`evercart-http` may not use `evercart-sqlite`"
            ]
        );
    }

    #[test]
    fn a_new_crate_needs_its_place() {
        assert!(broken(&[package("evercart-extra", &[])])[0].contains("is new"));
    }
}

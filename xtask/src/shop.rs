//! Keeps the checked-in pages of the demo shop the same as what `storefront/` and the SDK build to,
//! and tries them in a browser. What is tried is the shop's business.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::npm;

/// Where the program embeds the pages from.
const EMBEDDED: &str = "crates/evercart/storefront";

/// Where they are built to be compared.
const BUILT: &str = "target/storefront";

/// Installs and builds the SDK and, on it, the shop: to be embedded, or with `check` only to be
/// compared.
///
/// # Errors
/// If Node.js is missing or too old, a command fails, or with `check` if the pages differ.
pub fn build(root: &Path, check: bool) -> Result<()> {
    npm::run(root, "sdk", &[npm::INSTALL, &["run", "build"]], None)?;
    let out = format!("../{}", if check { BUILT } else { EMBEDDED });
    let build = ["run", "build", "--", "--outDir", &out];
    npm::run(root, "storefront", &[npm::INSTALL, &build], None)?;
    if check { compare(&root.join(EMBEDDED), &root.join(BUILT)) } else { Ok(()) }
}

/// Lints the shop and tries it in a browser against `server`, in which it is embedded.
///
/// # Errors
/// If a command fails.
pub fn check(root: &Path, server: &Path) -> Result<()> {
    npm::run(root, "storefront", &[&["run", "lint"], &["run", "check"], &["test"]], Some(server))
}

fn compare(embedded: &Path, built: &Path) -> Result<()> {
    let (before, now) = (files(embedded)?, files(built)?);
    let names: Vec<_> = before
        .keys()
        .chain(now.keys().filter(|path| !before.contains_key(*path)))
        .filter(|path| before.get(*path) != now.get(*path))
        .map(|path| path.display().to_string())
        .collect();
    ensure!(
        names.is_empty(),
        "{EMBEDDED} is not what storefront/ and sdk/ build to (differs: {}). \
         Run `cargo xtask shop` and commit that folder with the change",
        names.join(", ")
    );
    println!("{EMBEDDED} is what storefront/ and sdk/ build to");
    Ok(())
}

/// The files below `folder`, by their path in it.
fn files(folder: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        let cannot = || format!("cannot read {}", next.display());
        for entry in fs::read_dir(&next).with_context(cannot)? {
            let path = entry.with_context(cannot)?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let content = fs::read(&path).with_context(cannot)?;
                found.insert(path.strip_prefix(folder)?.to_owned(), content);
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_that_were_not_built_anew_are_named() {
        let folder = |name: &str, files: &[(&str, &str)]| {
            let path = std::env::temp_dir().join(format!("shop-{}-{name}", std::process::id()));
            fs::create_dir_all(path.join("assets")).expect("a folder can be made");
            for (file, text) in files {
                fs::write(path.join(file), text).expect("a file can be written");
            }
            path
        };
        let now = folder("now", &[("index.html", "2"), ("assets/b.js", "1"), ("icon.svg", "1")]);
        let old = folder("old", &[("index.html", "1"), ("assets/a.js", "1"), ("icon.svg", "1")]);
        let same = compare(&now, &now);
        let differs = compare(&old, &now).expect_err("three files differ").to_string();
        for path in [old, now] {
            fs::remove_dir_all(path).expect("it can be removed");
        }
        same.expect("a folder is the same as itself");
        let named = format!("(differs: {}, index.html, {})", "assets/a.js", "assets/b.js");
        assert!(differs.contains(&named.replace('/', std::path::MAIN_SEPARATOR_STR)), "{differs}");
        assert!(differs.contains("Run `cargo xtask shop`"), "{differs}");
    }
}

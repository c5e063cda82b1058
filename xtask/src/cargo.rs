//! Runs cargo, and learns from it where the programs are that it built.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// Builds the program as the tests do, so that nothing is compiled twice.
pub const PROGRAM: &[&str] = &["--workspace", "--locked", "--bin", "evercart"];

/// Runs cargo with these arguments and environment variables.
///
/// # Errors
/// If it fails.
pub fn run(root: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Result<()> {
    let status = Command::new("cargo")
        .args(arguments)
        .envs(variables.iter().copied())
        .current_dir(root)
        .status()
        .context("cannot run cargo")?;
    ensure!(status.success(), "cargo {} ended with {status}", arguments[0]);
    Ok(())
}

/// The program of that name among those that were built.
///
/// # Errors
/// If it is not among them.
pub fn program(built: &[PathBuf], name: &str) -> Result<PathBuf> {
    let found = built.iter().find(|path| path.file_stem().is_some_and(|stem| stem == name));
    found.cloned().with_context(|| format!("cargo built no {name}"))
}

/// Builds, and returns the programs that came of it.
///
/// # Errors
/// If it does not build.
pub fn build(root: &Path, arguments: &[&str]) -> Result<Vec<PathBuf>> {
    let output = Command::new("cargo")
        .args(["build", "--quiet", "--message-format", "json-render-diagnostics"])
        .args(arguments)
        .current_dir(root)
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run cargo")?;
    ensure!(output.status.success(), "cargo build {} failed", arguments.join(" "));
    Ok(executables(&output.stdout))
}

fn executables(messages: &[u8]) -> Vec<PathBuf> {
    messages
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice::<Value>(line).ok())
        .filter_map(|message| Some(message.get("executable")?.as_str()?.into()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executables_are_found_among_cargos_messages() {
        let messages = br#"{"reason":"compiler-artifact","executable":null}
{"reason":"compiler-artifact","executable":"/t/examples/openapi"}
{"reason":"build-finished","success":true}
"#;
        assert_eq!(executables(messages), [PathBuf::from("/t/examples/openapi")]);
        assert!(executables(b"not json\n").is_empty());
    }

    #[test]
    fn a_program_is_found_by_its_whole_name() {
        let built = ["/t/evercart-bench", "/t/evercart"].map(PathBuf::from);
        assert_eq!(program(&built, "evercart").expect("it is there"), built[1]);
        let error = program(&built, "evercart-torture").expect_err("it is not").to_string();
        assert_eq!(error, "cargo built no evercart-torture");
    }
}

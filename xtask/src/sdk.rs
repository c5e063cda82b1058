//! Checks the npm package in `sdk/` with its own commands. What they check is the package's
//! business.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

/// The oldest Node.js that the package and its tools support.
const NODE_AT_LEAST: u32 = 20;
const NPM: &str = if cfg!(windows) { "npm.cmd" } else { "npm" };

/// What is run, in the order in which it is cheapest to fail.
const COMMANDS: &[&[&str]] = &[
    &["ci", "--prefer-offline", "--no-audit", "--no-fund"],
    &["run", "lint"],
    &["run", "check"],
    &["run", "build"],
    &["test"],
];

/// Installs what the package is built with, lints it, builds it, and tests it against `server`.
///
/// # Errors
/// If Node.js is missing or too old, or a command fails.
pub fn check(root: &Path, server: &Path) -> Result<()> {
    let found = node()?;
    ensure!(
        found >= NODE_AT_LEAST,
        "the SDK needs Node.js {NODE_AT_LEAST} or newer, and this is {found}: install one from \
         https://nodejs.org or your system's packages"
    );
    for arguments in COMMANDS {
        let shown = arguments.join(" ");
        println!("sdk: npm {shown}");
        let status = Command::new(NPM)
            .args(*arguments)
            .current_dir(root.join("sdk"))
            .env("EVERCART_BIN", server)
            .stdin(Stdio::null())
            .status()
            .context("cannot run npm, which comes with Node.js")?;
        ensure!(status.success(), "`npm {shown}` in sdk/ ended with {status}");
    }
    Ok(())
}

/// The major version of the Node.js on PATH.
fn node() -> Result<u32> {
    let Ok(output) = Command::new("node").arg("--version").output() else {
        bail!(
            "there is no Node.js, which the SDK is built and tested with: install version \
             {NODE_AT_LEAST} or newer from https://nodejs.org or your system's packages"
        );
    };
    let text = String::from_utf8_lossy(&output.stdout);
    major(&text).with_context(|| format!("`node --version` says `{}`", text.trim()))
}

fn major(version: &str) -> Option<u32> {
    version.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_version_is_read() {
        assert_eq!(major("v20.20.2\n"), Some(20));
        assert_eq!(major("node: not found"), None);
    }
}

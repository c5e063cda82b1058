//! Runs npm in the repository's folders that are written in TypeScript.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

/// The oldest Node.js that the packages and their tools support.
const NODE_AT_LEAST: u32 = 20;
const NPM: &str = if cfg!(windows) { "npm.cmd" } else { "npm" };

/// Installs exactly what the folder's lock file names.
pub const INSTALL: &[&str] = &["ci", "--prefer-offline", "--no-audit", "--no-fund"];

/// Runs each of the `commands` in `folder`; tests find the program `server`, if it is named.
///
/// # Errors
/// If Node.js is missing or too old, or a command fails.
pub fn run(root: &Path, folder: &str, commands: &[&[&str]], server: Option<&Path>) -> Result<()> {
    let found = node()?;
    ensure!(
        found >= NODE_AT_LEAST,
        "{folder}/ needs Node.js {NODE_AT_LEAST} or newer, and this is {found}: install one from \
         https://nodejs.org or your system's packages"
    );
    for arguments in commands {
        let shown = arguments.join(" ");
        println!("{folder}: npm {shown}");
        let mut npm = Command::new(NPM);
        npm.args(*arguments).current_dir(root.join(folder)).stdin(Stdio::null());
        if let Some(server) = server {
            npm.env("EVERCART_BIN", server);
        }
        let status = npm.status().context("cannot run npm, which comes with Node.js")?;
        ensure!(status.success(), "`npm {shown}` in {folder}/ ended with {status}");
    }
    Ok(())
}

/// The major version of the Node.js on PATH.
fn node() -> Result<u32> {
    let Ok(output) = Command::new("node").arg("--version").output() else {
        bail!(
            "there is no Node.js, which the SDK and the shop are built and tested with: install \
             version {NODE_AT_LEAST} or newer from https://nodejs.org or your system's packages"
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

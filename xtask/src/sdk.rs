//! Checks the npm package in `sdk/` with its own commands. What they check is the package's
//! business.

use std::path::Path;

use anyhow::Result;

use crate::npm;

/// What is run, in the order in which it is cheapest to fail.
const COMMANDS: &[&[&str]] =
    &[npm::INSTALL, &["run", "lint"], &["run", "check"], &["run", "build"], &["test"]];

/// Installs what the package is built with, lints it, builds it, and tests it against `server`.
///
/// # Errors
/// If Node.js is missing or too old, or a command fails.
pub fn check(root: &Path, server: &Path) -> Result<()> {
    npm::run(root, "sdk", COMMANDS, Some(server))
}

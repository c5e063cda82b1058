//! Builds the demo shop in `storefront/`, so that the next build of the program embeds it, and
//! tries it in a browser. What is tried is the shop's business.

use std::path::Path;

use anyhow::Result;

use crate::npm;

/// Installs and builds the SDK and, on it, the shop.
///
/// # Errors
/// If Node.js is missing or too old, or a command fails.
pub fn build(root: &Path) -> Result<()> {
    npm::run(root, "sdk", &[npm::INSTALL, &["run", "build"]], None)?;
    npm::run(root, "storefront", &[npm::INSTALL, &["run", "build"]], None)
}

/// Lints the shop and tries it in a browser against `server`, in which it is embedded.
///
/// # Errors
/// If a command fails.
pub fn check(root: &Path, server: &Path) -> Result<()> {
    npm::run(root, "storefront", &[&["run", "lint"], &["run", "check"], &["test"]], Some(server))
}

//! Builds and runs the apps in `examples/`, each in a copy of its own with the SDK as it would be
//! published, against a demo shop. How each is tried, `examples/run.mjs` says.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::{cargo, npm, start};

/// What building leaves in an example, and what is never copied.
const LEFT_BEHIND: [&str; 5] = ["node_modules", "dist", ".next", ".expo", ".gitignore"];

/// Which examples to try.
#[derive(Args)]
pub struct Options {
    /// Only these, by the names of their folders.
    names: Vec<String>,
}

/// Packs the SDK, and installs, builds and runs each example against a demo of its own.
///
/// # Errors
/// If Node.js is missing or too old, a package cannot be had, or an example does not work.
pub fn run(root: &Path, options: &Options) -> Result<()> {
    npm::run(root, "sdk", &[npm::INSTALL, &["run", "build"]], None)?;
    // Pages are looked at with the browser that the shop is tried in.
    npm::run(root, "storefront", &[npm::INSTALL], None)?;
    let server = cargo::program(&cargo::build(root, cargo::PROGRAM)?, "evercart")?;
    let work = root.join("target/examples");
    if work.exists() {
        fs::remove_dir_all(&work).with_context(|| format!("cannot empty {}", work.display()))?;
    }
    copy(&root.join("examples"), &work)?;
    let pack = ["pack", "--ignore-scripts", "--pack-destination", "../target/examples"];
    npm::run(root, "sdk", &[&pack], None)?;
    start::demo(&server, &work.join("data"), |shop| {
        let status = Command::new("node")
            .arg("examples/run.mjs")
            .arg(&work)
            .arg(shop)
            .args(&options.names)
            .current_dir(root)
            .stdin(Stdio::null())
            .status()
            .context("cannot run node")?;
        ensure!(status.success(), "an example does not work; what it said is above");
        Ok(())
    })
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        let name = entry.file_name();
        if LEFT_BEHIND.iter().any(|left| name == *left) {
            continue;
        }
        let (path, copied) = (entry.path(), to.join(&name));
        if entry.file_type()?.is_dir() {
            copy(&path, &copied)?;
        } else {
            fs::copy(&path, &copied).with_context(|| format!("cannot copy {}", path.display()))?;
        }
    }
    Ok(())
}

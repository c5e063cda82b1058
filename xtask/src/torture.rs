//! A short torture of the program as it is shipped, and of one on a disk that loses what was not
//! synced. How it is tortured and judged is the business of `evercart-torture`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::cargo;

/// On the lossy disk: no command may look at a database whose server may lose what it has written.
const LOSSY: &[&str] = &["--store", "sqlite", "--seconds", "15", "--nemeses", "kill,pause,clients"];

/// Tortures `program` on both stores, and the same on the lossy disk.
///
/// # Errors
/// If a promise is seen broken, or it cannot be tried.
pub fn check(root: &Path, program: &Path) -> Result<()> {
    let packages = ["-p", "evercart-torture", "-p", "evercart-lossy-sqlite", "--bins"];
    let built = cargo::build(root, &[&["--locked"], &packages[..]].concat())?;
    let find = |name: &str| {
        let found = built.iter().find(|path| path.file_stem().is_some_and(|stem| stem == name));
        found.cloned().with_context(|| format!("cargo built no {name}"))
    };
    let torture = find("evercart-torture")?;
    let histories = root.join("target/torture");
    fs::create_dir_all(&histories)?;
    run(&torture, program, &["--smoke"], histories.join("history.ndjson"))?;
    let on_lossy_disk = find("evercart-on-lossy-disk")?;
    run(&torture, &on_lossy_disk, LOSSY, histories.join("lossy.ndjson"))
}

fn run(torture: &Path, program: &Path, arguments: &[&str], history: PathBuf) -> Result<()> {
    let status = Command::new(torture)
        .args(["run", "--seed", "1"])
        .args(arguments)
        .arg("--program")
        .arg(program)
        .arg("--history")
        .arg(history)
        .status()
        .context("cannot run evercart-torture")?;
    ensure!(status.success(), "evercart-torture {} ended with {status}", arguments.join(" "));
    Ok(())
}

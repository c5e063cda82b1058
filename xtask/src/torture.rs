//! A short torture of the program as it is shipped, and of one on a disk that loses what was not
//! synced. How it is tortured and judged is the business of `evercart-torture`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use anyhow::{Context, Result, ensure};

use crate::cargo;

/// As the tests build it, so that nothing is compiled twice.
const BUILD: &[&str] =
    &["--workspace", "--locked", "--bin", "evercart-torture", "--bin", "evercart-on-lossy-disk"];

/// On the lossy disk: no command may look at a database whose server may lose what it has written.
/// Its tokens end by themselves.
const LOSSY: &[&str] = &[
    "--store",
    "sqlite",
    "--seconds",
    "15",
    "--token-seconds",
    "4",
    "--nemeses",
    "kill,pause,clients",
];

/// Tortures `program` on both stores at once, and the same on the lossy disk. None of them keeps
/// two processors busy: they wait for what they have killed.
///
/// # Errors
/// If a promise is seen broken, or it cannot be tried.
pub fn check(root: &Path, program: &Path) -> Result<()> {
    let built = cargo::build(root, BUILD)?;
    let torture = cargo::program(&built, "evercart-torture")?;
    let on_lossy_disk = cargo::program(&built, "evercart-on-lossy-disk")?;
    let histories = root.join("target/torture");
    fs::create_dir_all(&histories)?;
    let history = |name: &str| histories.join(format!("{name}.ndjson"));
    let [sqlite, postgres] = ["sqlite", "postgres"].map(|store| ["--smoke", "--store", store]);
    let on_postgres = start(&torture, program, &postgres, history("postgres"))?;
    let on_sqlite = start(&torture, program, &sqlite, history("sqlite"))
        .and_then(finish)
        .and_then(|()| start(&torture, &on_lossy_disk, LOSSY, history("lossy")))
        .and_then(finish);
    // Waited for whatever came of the others: it ends its database when it ends.
    finish(on_postgres).and(on_sqlite)
}

/// A torture under way.
struct Torture {
    child: Child,
    arguments: String,
}

fn start(torture: &Path, program: &Path, arguments: &[&str], history: PathBuf) -> Result<Torture> {
    let child = Command::new(torture)
        .args(["run", "--seed", "1"])
        .args(arguments)
        .arg("--program")
        .arg(program)
        .arg("--history")
        .arg(history)
        .spawn()
        .context("cannot run evercart-torture")?;
    Ok(Torture { child, arguments: arguments.join(" ") })
}

fn finish(mut torture: Torture) -> Result<()> {
    let status = torture.child.wait().context("cannot wait for evercart-torture")?;
    ensure!(status.success(), "evercart-torture run {} ended with {status}", torture.arguments);
    Ok(())
}

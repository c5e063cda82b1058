//! Makes a Python environment of its own below target/tools, with exactly what a requirements file
//! names. Nothing of the machine's own Python is changed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

/// The oldest Python that the packages support.
const AT_LEAST: (u32, u32) = (3, 11);
const NAMES: [&str; 2] = ["python3", "python"];
const BIN: &str = if cfg!(windows) { "Scripts" } else { "bin" };

/// Makes `target/tools/NAME` with what `requirements` names, hashes and all, unless it is there.
/// Returns the folder of its programs.
///
/// # Errors
/// If there is no Python that can make one, or a package cannot be had.
pub fn environment(root: &Path, name: &str, requirements: &Path) -> Result<PathBuf> {
    let folder = root.join("target/tools").join(name);
    let wanted = fs::read_to_string(requirements)
        .with_context(|| format!("cannot read {}", requirements.display()))?;
    // Written last: an environment without it was not finished.
    let stamp = folder.join("requirements.txt");
    let programs = folder.join(BIN);
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(programs);
    }
    let python = python()?;
    println!("making a Python environment under target/tools/{name}");
    let made = Command::new(python).args(["-m", "venv", "--clear"]).arg(&folder).status();
    ensure!(
        made.is_ok_and(|status| status.success()),
        "{python} cannot make a virtual environment: install its module venv, such as with \
         `apt-get install python3-venv`"
    );
    let status = Command::new(programs.join("python"))
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .args(["--only-binary", ":all:", "--require-hashes", "--requirement"])
        .arg(requirements)
        .stdin(Stdio::null())
        .status()
        .context("cannot run pip")?;
    ensure!(status.success(), "pip cannot install {}", requirements.display());
    fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(programs)
}

/// The name of a Python on PATH that is new enough.
fn python() -> Result<&'static str> {
    let is_new = |name: &&str| version(name).is_some_and(|found| found >= AT_LEAST);
    let (major, minor) = AT_LEAST;
    match NAMES.into_iter().find(is_new) {
        Some(name) => Ok(name),
        None => bail!(
            "this needs Python {major}.{minor} or newer, with its module venv: \
             install them from https://python.org or your system's packages (on Debian python3 \
             and python3-venv)"
        ),
    }
}

fn version(name: &str) -> Option<(u32, u32)> {
    let output = Command::new(name).arg("--version").stderr(Stdio::null()).output().ok()?;
    parse_version(&String::from_utf8(output.stdout).ok()?)
}

/// Major and minor of `Python 3.11.7`.
fn parse_version(line: &str) -> Option<(u32, u32)> {
    let mut parts = line.trim().strip_prefix("Python ")?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(parse_version("Python 3.11.7\n"), Some((3, 11)));
        assert!(parse_version("Python 3.9.2").is_some_and(|old| old < AT_LEAST));
        assert_eq!(parse_version("python: not found"), None);
    }
}

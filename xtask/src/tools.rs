//! The tools that checks need beyond Rust itself: taken from PATH where they are, else installed
//! under target/tools, so that a fresh machine needs nothing first.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

/// A cargo subcommand that does not come with Rust.
pub struct Tool {
    /// The crate and its program, as in `cargo-deny`.
    pub name: &'static str,
    /// What is installed where there is none.
    pub version: &'static str,
    /// The oldest that understands our configuration.
    pub at_least: (u64, u64),
}

/// Checks licences, sources, banned crates and advisories.
pub const DENY: Tool = Tool { name: "cargo-deny", version: "0.20.2", at_least: (0, 18) };

/// Finds a usable `tool` or installs it. Returns its program.
///
/// # Errors
/// If it has to be installed and that fails.
pub fn find_or_install(root: &Path, tool: &Tool) -> Result<PathBuf> {
    let ours = root.join("target/tools");
    let installed = ours.join("bin").join(tool.name).with_extension(env::consts::EXE_EXTENSION);
    for program in [PathBuf::from(tool.name), installed.clone()] {
        if version(&program).is_some_and(|found| found >= tool.at_least) {
            return Ok(program);
        }
    }
    println!("{} is not there; installing {} under target/tools", tool.name, tool.version);
    let build = ours.join("build");
    // Unoptimised: it compiles in a third of the time and has little to do here.
    let status = Command::new("cargo")
        .args(["install", "--locked", "--debug", "--quiet", "--force", "--version", tool.version])
        .arg("--root")
        .arg(&ours)
        .arg("--target-dir")
        .arg(&build)
        .arg(tool.name)
        .status()
        .context("cannot run cargo")?;
    ensure!(
        status.success(),
        "cannot install {name}. Put {name} {major}.{minor} or newer on PATH, or let cargo reach \
         its registry",
        name = tool.name,
        major = tool.at_least.0,
        minor = tool.at_least.1,
    );
    std::fs::remove_dir_all(&build)
        .with_context(|| format!("cannot remove {}", build.display()))?;
    Ok(installed)
}

fn version(program: &Path) -> Option<(u64, u64)> {
    let output = Command::new(program).arg("--version").stderr(Stdio::null()).output().ok()?;
    parse_version(&String::from_utf8(output.stdout).ok()?)
}

/// Major and minor of `name 1.2.3`.
fn parse_version(line: &str) -> Option<(u64, u64)> {
    let mut parts = line.split_whitespace().nth(1)?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(parse_version("cargo-deny 0.20.2\n"), Some((0, 20)));
        assert!(parse_version("cargo-deny 0.9.1").is_some_and(|old| old < DENY.at_least));
        assert_eq!(parse_version("something else"), None);
    }
}

//! Keeps the checked-in API document the same as what the code generates. What is in it is
//! evercart-http's business.

use std::path::Path;
use std::process::{Command, Stdio};
use std::{fs, str};

use anyhow::{Context, Result, bail, ensure};

use crate::cargo;

const DOCUMENT: &str = "crates/evercart-http/openapi.json";

/// Writes the document, or with `check` only compares.
///
/// # Errors
/// If the code cannot be built, or with `check` if the document differs.
pub fn run(root: &Path, check: bool) -> Result<()> {
    let generated = generate(root)?;
    let path = root.join(DOCUMENT);
    let written = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).with_context(|| format!("cannot read {DOCUMENT}")),
    };
    if written == generated {
        println!("{DOCUMENT} says what the code says");
        return Ok(());
    }
    if check {
        bail!(
            "{DOCUMENT} is out of date, first at {}. Run `cargo xtask openapi` and look at the \
             change: it is the public API",
            first_difference(&written, &generated)
        );
    }
    fs::write(&path, generated).with_context(|| format!("cannot write {DOCUMENT}"))?;
    println!("wrote {DOCUMENT}");
    Ok(())
}

/// Builds evercart-http's example `openapi` and returns what it prints.
fn generate(root: &Path) -> Result<String> {
    // With the whole workspace, so that the features and with them the compiled dependencies are
    // those of `cargo test --workspace`.
    let built = cargo::build(root, &["--workspace", "--example", "openapi"])?;
    let program = built.last().context("cargo named no executable for `openapi`")?;
    let run = Command::new(program)
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot run {}", program.display()))?;
    ensure!(run.status.success(), "the example `openapi` failed with {}", run.status);
    let text = str::from_utf8(&run.stdout).context("the API document is not UTF-8")?;
    Ok(format!("{}\n", text.trim_end()))
}

fn first_difference(before: &str, after: &str) -> String {
    let same = before.lines().zip(after.lines()).take_while(|(b, a)| b == a).count();
    match after.lines().nth(same) {
        Some(line) => format!("line {}, which should be `{}`", same + 1, line.trim()),
        None => format!("line {}, where it should end", same + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_named() {
        let difference = first_difference("a\nb\nc\n", "a\nx\nc\n");
        assert_eq!(difference, "line 2, which should be `x`");
        assert_eq!(first_difference("a\nb\n", "a\n"), "line 2, where it should end");
    }
}

//! Runs `evercart-torture` on a program, and reads what it found.

use std::fmt::{self, Display};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::tree::Programs;
use crate::cargo;

/// Where a bug is looked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Setting {
    /// `sqlite` or `postgres`.
    pub store: String,
    /// Whether what was not synced is lost.
    pub is_on_lossy_disk: bool,
    /// What is to go wrong, if not what the torture chooses by itself.
    pub nemeses: Option<String>,
    /// What customers are to be up to, if not one thing after the other.
    pub scene: Option<String>,
}

impl Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let disk = if self.is_on_lossy_disk { ", lossy" } else { "" };
        f.pad(&format!("{}{disk}", self.store))
    }
}

/// What came of it.
pub enum Outcome {
    /// A promise was seen broken.
    Found {
        /// How it was told.
        sentence: String,
        /// How long it took.
        after: Duration,
    },
    /// Everything was as promised.
    Nothing,
    /// The torture could not go on, and said why.
    Unable(String),
}

/// The torture.
pub struct Torture {
    program: PathBuf,
    histories: PathBuf,
    run: Duration,
    seed: u64,
}

impl Torture {
    /// Builds it.
    ///
    /// # Errors
    /// If it does not build.
    pub fn build(root: &Path, run: Duration, seed: u64) -> Result<Self> {
        let built = cargo::build(root, &["--locked", "-p", "evercart-torture", "--bins"])?;
        let program = cargo::program(&built, "evercart-torture")?;
        let histories = root.join("target/bugs/histories");
        fs::create_dir_all(&histories)?;
        Ok(Self { program, histories, run, seed })
    }

    /// Runs it with one seed after the other until something is found, or the time is over.
    ///
    /// # Errors
    /// If it cannot be run.
    pub fn search(
        &self,
        programs: &Programs,
        setting: &Setting,
        within: Duration,
    ) -> Result<Outcome> {
        let begun = Instant::now();
        let mut seed = self.seed;
        while begun.elapsed() < within {
            match self.run(programs, setting, seed)? {
                Judged::Whole => seed += 1,
                Judged::Broken(sentence) => {
                    return Ok(Outcome::Found { sentence, after: begun.elapsed() });
                }
                Judged::Unable(why) => return Ok(Outcome::Unable(why)),
            }
        }
        Ok(Outcome::Nothing)
    }

    /// Runs it once.
    ///
    /// # Errors
    /// If it cannot be run.
    pub fn run_once(&self, programs: &Programs, setting: &Setting) -> Result<Outcome> {
        self.search(programs, setting, Duration::from_millis(1))
    }

    fn run(&self, programs: &Programs, setting: &Setting, seed: u64) -> Result<Judged> {
        let program = match setting.is_on_lossy_disk {
            true => &programs.on_lossy_disk,
            false => &programs.shipped,
        };
        let mut command = Command::new(&self.program);
        command.args(["run", "--store", &setting.store]);
        command.args(["--seconds", &self.run.as_secs().to_string(), "--seed", &seed.to_string()]);
        command.arg("--program").arg(program);
        command.arg("--history").arg(self.histories.join(format!("{}.ndjson", setting.store)));
        if let Some(nemeses) = &setting.nemeses {
            command.args(["--nemeses", nemeses]);
        }
        if let Some(scene) = &setting.scene {
            command.args(["--scene", scene]);
        }
        let output = command.output().context("cannot run evercart-torture")?;
        let said =
            [String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)];
        if output.status.success() {
            return Ok(Judged::Whole);
        }
        let broken = said.iter().flat_map(|text| text.lines()).find(|line| is_broken(line));
        if output.status.code() == Some(1)
            && let Some(sentence) = broken
        {
            return Ok(Judged::Broken(sentence.trim().to_owned()));
        }
        let last = said.iter().flat_map(|text| text.lines()).rfind(|line| !line.trim().is_empty());
        Ok(Judged::Unable(format!("{}: {}", output.status, last.unwrap_or("it said nothing"))))
    }
}

/// What one run came to.
enum Judged {
    Whole,
    Broken(String),
    Unable(String),
}

/// True of a sentence like `G1 broken: …`.
fn is_broken(line: &str) -> bool {
    line.trim().split_once(" broken: ").is_some_and(|(promise, _)| {
        let number = promise.trim_start_matches(['G', 'S', 'U', 'P']);
        promise.len() == number.len() + 1 && number.parse::<u8>().is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_is_named_by_its_letter_and_number() {
        assert!(is_broken("G1 broken: an add is gone"));
        assert!(is_broken("  S2 broken: a token went on"));
        for other in ["nothing broken: ok", "G broken: x", "1 broken: x", "GG1 broken: x", "G1"] {
            assert!(!is_broken(other), "{other}");
        }
    }
}

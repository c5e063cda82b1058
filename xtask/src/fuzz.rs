//! Fuzzes the API: Schemathesis makes requests, right and wrong ones, of what openapi.json says,
//! and holds the real server's answers against it. What is asked and looked at beyond that is said
//! in tools/fuzz/.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::{cargo, python, start};

/// As the tests build it, so that nothing is compiled twice; and an overflow is a panic in it.
const BUILD: &[&str] = &["--workspace", "--locked", "--bin", "evercart", "--example", "openapi"];

/// Budgets that no run comes to the end of: what they refuse is tested elsewhere.
const GENEROUS: [(&str, &str); 5] = [
    ("EVERCART_AUTH__LIMITS__ATTEMPTS_PER_CODE", "1000000"),
    ("EVERCART_AUTH__LIMITS__FAILURES_PER_IP_HOUR", "1000000"),
    ("EVERCART_AUTH__LIMITS__FAILURES_PER_MARKET_HOUR", "1000000"),
    ("EVERCART_SERVER__INTERNAL_LISTEN", "off"),
    ("EVERCART_LOG__LEVEL", "warn"),
];

/// How much is tried.
#[derive(Args)]
pub struct Options {
    /// Try for so long, rather than a minute.
    #[arg(long, value_name = "N", conflicts_with = "max_examples")]
    seconds: Option<u32>,
    /// Try so many requests of each operation, however long it takes.
    #[arg(long, value_name = "N")]
    max_examples: Option<u32>,
    /// Make the requests of this seed; a run prints its own.
    #[arg(long, value_name = "N")]
    seed: Option<u32>,
}

impl Options {
    /// The same requests every time, for the check of a change.
    pub const CHECK: Self = Self { seconds: Some(60), max_examples: None, seed: Some(1) };
}

/// Fuzzes a demo of its own.
///
/// # Errors
/// If an answer is not what openapi.json says, the server fails or panics, or what it has stored is
/// not sound afterwards.
pub fn run(root: &Path, options: &Options) -> Result<()> {
    let tools = root.join("tools/fuzz");
    let programs = python::environment(root, "fuzz", &tools.join("requirements.txt"))?;
    let server = server(root)?;
    let work = root.join("target/fuzz");
    if work.exists() {
        fs::remove_dir_all(&work).with_context(|| format!("cannot empty {}", work.display()))?;
    }
    fs::create_dir_all(&work).with_context(|| format!("cannot make {}", work.display()))?;
    // It keeps what it found beside its settings; from run to run that makes other requests.
    for name in ["schemathesis.toml", "hooks.py"] {
        fs::copy(tools.join(name), work.join(name))
            .with_context(|| format!("cannot copy {name} to {}", work.display()))?;
    }
    let log = work.join("server.log");
    let mut child = Command::new(&server)
        .args(["serve", "--demo", "--listen", "127.0.0.1:0", "--data", "data"])
        .envs(GENEROUS)
        .current_dir(&work)
        .stdout(Stdio::piped())
        .stderr(fs::File::create(&log).context("cannot make the server's log")?)
        .spawn()
        .context("cannot run the server")?;
    let outcome = start::announced_address(&mut child)
        .and_then(|address| schemathesis(&programs, &work, &address, options));
    let stopped = start::stop(&mut child);
    outcome.with_context(|| format!("the server's log is {}", log.display()))?;
    stopped?;
    look_at(&log)?;
    check_data(&server, &work)
}

fn server(root: &Path) -> Result<PathBuf> {
    cargo::program(&cargo::build(root, BUILD)?, "evercart")
}

fn schemathesis(programs: &Path, work: &Path, address: &str, options: &Options) -> Result<()> {
    let seed = options.seed.unwrap_or_else(std::process::id).to_string();
    let (budget, amount) = match options.max_examples {
        Some(examples) => ("--max-examples", examples),
        None => ("--max-time", options.seconds.unwrap_or(60)),
    };
    println!("fuzzing with seed {seed}, {budget} {amount}");
    let status = Command::new(programs.join("schemathesis"))
        .args(["--config-file", "schemathesis.toml", "run"])
        .arg(format!("http://{address}/openapi.json"))
        // A stream of events has no end to wait for; promises/cart_events.rs tests it.
        .args(["--exclude-path", "/cart/events", "--continue-on-failure", "--no-color"])
        .args(["--seed", &seed, budget, &amount.to_string()])
        .env("FUZZ_SEED", &seed)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("HYPOTHESIS_STORAGE_DIRECTORY", work.join("hypothesis"))
        .env("NO_PROXY", "127.0.0.1")
        .current_dir(work)
        .stdin(Stdio::null())
        .status()
        .context("cannot run schemathesis")?;
    ensure!(status.success(), "schemathesis found what is listed above (seed {seed})");
    Ok(())
}

/// Nothing of what the server said is an error or a panic.
fn look_at(log: &Path) -> Result<()> {
    let text = fs::read_to_string(log).context("cannot read the server's log")?;
    let bad = text.lines().find(|line| line.contains(" ERROR ") || line.contains("panicked at"));
    ensure!(bad.is_none(), "the server said: {}", bad.unwrap_or_default());
    Ok(())
}

/// What was stored keeps every promise that `evercart check` knows.
fn check_data(server: &Path, work: &Path) -> Result<()> {
    let status = Command::new(server)
        .args(["check", "--data", "data"])
        .current_dir(work)
        .status()
        .context("cannot run evercart check")?;
    ensure!(status.success(), "evercart check found what is listed above in target/fuzz/data");
    Ok(())
}

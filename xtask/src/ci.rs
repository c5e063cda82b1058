//! The one command that says whether a change may be taken. It names, times and runs the steps in
//! the order in which they are cheapest to fail; what a step checks is that step's business.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

use crate::{cargo, fuzz, openapi, sdk, shop, start, tidy, tools, torture};

/// How long the advisories' database may take to arrive. It is 3 MB.
const FETCH_MAX: Duration = Duration::from_secs(90);

/// Which steps to run.
#[derive(Args)]
pub struct Options {
    /// Show the steps and stop.
    #[arg(long)]
    list: bool,
    /// Begin at this step.
    #[arg(long, value_name = "STEP", conflicts_with = "only")]
    from: Option<String>,
    /// Run this step alone.
    #[arg(long, value_name = "STEP")]
    only: Option<String>,
}

/// Both at once, so that they share their dependencies' features and thereby what is compiled.
const RELEASE: &[&str] = &["--release", "--locked", "-p", "evercart", "-p", "evercart-bench"];

struct Step {
    name: &'static str,
    /// What it runs, for people.
    runs: &'static str,
    /// What to do when it fails.
    remedy: &'static str,
    action: fn(&Path) -> Result<()>,
}

const STEPS: &[Step] = &[
    Step {
        name: "fmt",
        runs: "cargo fmt --all --check",
        remedy: "run `cargo fmt --all`",
        action: |root| cargo::run(root, &["fmt", "--all", "--check"], &[]),
    },
    Step {
        name: "tidy",
        runs: "cargo xtask tidy",
        remedy: "mend what is listed; `cargo xtask tidy --rules` says how an exception is made",
        action: tidy::run,
    },
    Step {
        name: "clippy",
        runs: "cargo clippy --workspace --all-targets --locked -- -D warnings",
        remedy: "mend what is named above; an exception is `#[expect(…, reason = \"…\")]`",
        action: |root| {
            let lint = ["clippy", "--workspace", "--all-targets", "--locked"];
            cargo::run(root, &[&lint[..], &["--", "-D", "warnings"]].concat(), &[])
        },
    },
    Step {
        name: "doc",
        runs: "RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --locked",
        remedy: "mend the doc comments named above",
        action: |root| {
            let doc = ["doc", "--workspace", "--no-deps", "--locked"];
            cargo::run(root, &doc, &[("RUSTDOCFLAGS", "-D warnings")])
        },
    },
    Step {
        name: "deny",
        runs: "cargo deny check bans licenses sources, and advisories if they can be fetched",
        remedy: "take another crate, or write the exception and its reason into deny.toml",
        action: deny,
    },
    Step {
        name: "openapi",
        runs: "cargo xtask openapi --check",
        remedy: "run `cargo xtask openapi` and look at what changed in the public API",
        action: |root| openapi::run(root, true),
    },
    Step {
        name: "tests",
        runs: "cargo test --workspace --locked",
        remedy: "run the failed test alone: `cargo test -p CRATE NAME`",
        action: |root| cargo::run(root, &["test", "--workspace", "--locked"], &[]),
    },
    Step {
        name: "fuzz",
        runs: "cargo xtask fuzz --seconds 60 --seed 1",
        remedy: "mend what is listed, in the server or in what openapi.json says of it",
        action: |root| fuzz::run(root, &fuzz::Options::CHECK),
    },
    Step {
        name: "shop",
        runs: "cargo xtask shop --check",
        remedy: "run `cargo xtask shop`, try it, and commit what it builds",
        action: |root| shop::build(root, true),
    },
    Step {
        name: "release",
        runs: "cargo build --release -p evercart -p evercart-bench",
        remedy: "mend the errors above",
        action: |root| cargo::build(root, RELEASE).map(drop),
    },
    Step {
        name: "torture",
        runs: "evercart-torture run --smoke --seed 1, and the same on a disk that loses writes",
        remedy: "read which promise is broken and by what; the histories are in target/torture",
        action: |root| torture::check(root, &released(root, "evercart")?),
    },
    Step {
        name: "sdk",
        runs: "in sdk/: npm ci, lint, type check, build, and its tests against the real server",
        remedy: "run the failed command in sdk/; `npm run format` formats",
        action: |root| sdk::check(root, &released(root, "evercart")?),
    },
    Step {
        name: "browser",
        runs: "in storefront/: lint, type check, and the shop in a Chromium",
        remedy: "run the failed command in storefront/; `npx playwright test --ui` shows it",
        action: |root| shop::check(root, &released(root, "evercart")?),
    },
    Step {
        name: "start",
        runs: "cargo run --release -- serve --demo, two requests, and a graceful stop",
        remedy: "run `cargo run --release -- serve --demo` and read what it says",
        action: start::check,
    },
    Step {
        name: "bench",
        runs: "evercart-bench --smoke",
        remedy: "run `cargo run --release -p evercart-bench -- --smoke` and read what it found",
        action: bench,
    },
];

/// Runs the steps, stopping at the first that fails.
///
/// # Errors
/// If a step fails, with what to do; or if there is no step of that name.
pub fn run(root: &Path, options: &Options) -> Result<()> {
    let steps = chosen(options)?;
    if options.list {
        for step in steps {
            println!("{:<8} {}", step.name, step.runs);
        }
        return Ok(());
    }
    let begun = Instant::now();
    let mut times = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        println!("\n=== {}/{} {}: {}", index + 1, steps.len(), step.name, step.runs);
        let step_begun = Instant::now();
        if let Err(error) = (step.action)(root) {
            bail!(
                "step `{name}` failed after {took}: {error:#}\n  what to do: {remedy}\n  \
                 then go on with: cargo xtask ci --from {name}",
                name = step.name,
                took = seconds(step_begun.elapsed()),
                remedy = step.remedy,
            );
        }
        println!("=== {} passed in {}", step.name, seconds(step_begun.elapsed()));
        times.push((step.name, step_begun.elapsed()));
    }
    println!();
    for (name, took) in times {
        println!("  {name:<8} {:>8}", seconds(took));
    }
    let what = if steps.len() == STEPS.len() { "everything" } else { "this part" };
    println!("{what} passed in {}", seconds(begun.elapsed()));
    Ok(())
}

fn chosen(options: &Options) -> Result<&'static [Step]> {
    let place = |wanted: &str| {
        let names: Vec<_> = STEPS.iter().map(|step| step.name).collect();
        names
            .iter()
            .position(|name| *name == wanted)
            .with_context(|| format!("there is no step `{wanted}`; there are {}", names.join(", ")))
    };
    Ok(match (&options.only, &options.from) {
        (Some(only), _) => std::slice::from_ref(&STEPS[place(only)?]),
        (None, Some(from)) => &STEPS[place(from)?..],
        (None, None) => STEPS,
    })
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

fn succeeded(status: ExitStatus, what: &str) -> Result<()> {
    ensure!(status.success(), "{what} ended with {status}");
    Ok(())
}

fn deny(root: &Path) -> Result<()> {
    let program = tools::find_or_install(root, &tools::DENY)?;
    let check = |which: &[&str]| {
        let status = Command::new(&program)
            .args(["--log-level", "warn", "--locked", "check", "--hide-inclusion-graph"])
            .args(which)
            .current_dir(root)
            .status()
            .context("cannot run cargo-deny")?;
        succeeded(status, &format!("cargo deny check {}", which.join(" ")))
    };
    check(&["bans", "licenses", "sources"])?;
    let fetch = Command::new(&program)
        .args(["--log-level", "off", "fetch", "db"])
        .current_dir(root)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("cannot run cargo-deny")?;
    if wait_at_most(fetch, FETCH_MAX)?.is_some_and(|status| status.success()) {
        check(&["advisories"])
    } else {
        println!("advisories were NOT checked: their database is out of reach from here");
        Ok(())
    }
}

fn bench(root: &Path) -> Result<()> {
    let status = Command::new(released(root, "evercart-bench")?)
        .args(["--smoke", "--server"])
        .arg(released(root, "evercart")?)
        .status()
        .context("cannot run evercart-bench")?;
    succeeded(status, "evercart-bench --smoke")
}

/// The program of that name, as the step `release` builds it.
fn released(root: &Path, name: &str) -> Result<PathBuf> {
    cargo::program(&cargo::build(root, RELEASE)?, name)
}

/// Waits for `child`, or ends it when its time is over and returns nothing.
fn wait_at_most(mut child: Child, limit: Duration) -> Result<Option<ExitStatus>> {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if begun.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(50));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(from: Option<&str>, only: Option<&str>) -> Options {
        Options { list: false, from: from.map(Into::into), only: only.map(Into::into) }
    }

    #[test]
    fn a_run_can_go_on_where_it_stopped() {
        let names = |options| chosen(&options).map(|s| s.iter().map(|s| s.name).collect());
        let later: Vec<_> = names(options(Some("start"), None)).expect("there is such a step");
        assert_eq!(later, ["start", "bench"]);
        let one: Vec<_> = names(options(None, Some("fmt"))).expect("there is such a step");
        assert_eq!(one, ["fmt"]);
        let error = chosen(&options(Some("tets"), None)).err().expect("no such step").to_string();
        assert!(error.contains("no step `tets`") && error.contains("tests, fuzz"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_child_that_hangs_is_ended() {
        let hanging = Command::new("sleep").arg("60").spawn().expect("there is a sleep");
        let begun = Instant::now();
        let status = wait_at_most(hanging, Duration::from_millis(100)).expect("it can be ended");
        assert!(status.is_none());
        assert!(begun.elapsed() < Duration::from_secs(30));
    }
}

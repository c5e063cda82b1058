//! Proves that the torture would find what it is for: plants one known bug after the other in a
//! copy of the tree, and expects each to be found. What a run does and how a history is judged is
//! the business of `evercart-torture`.

mod planted;
mod torture;
mod tree;

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use clap::Args;

use planted::Planted;
use torture::{Outcome, Setting, Torture};
use tree::Tree;

/// Which bugs to look for, and how long.
#[derive(Args)]
pub struct Options {
    /// Only these bugs.
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Only with this store.
    #[arg(long, value_name = "STORE", value_parser = ["sqlite", "postgres"])]
    store: Option<String>,
    /// Show the bugs and stop.
    #[arg(long)]
    list: bool,
    /// How long a bug may take to be found, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    within: u64,
    /// How long one run is; each has the next seed.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    run: u64,
    /// The first run's seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Leave out the runs of the shipped code, which must find nothing.
    #[arg(long)]
    bugs_only: bool,
}

/// A line of the report.
struct Row {
    name: String,
    setting: Setting,
    /// What it breaks; of the shipped code nothing.
    promise: Option<String>,
    outcome: Outcome,
}

impl Row {
    fn is_as_expected(&self) -> bool {
        match &self.outcome {
            Outcome::Found { .. } => self.promise.is_some(),
            Outcome::Nothing => self.promise.is_none(),
            Outcome::Unable(_) => false,
        }
    }
}

/// Plants and looks for the bugs.
///
/// # Errors
/// If one was not found, if something was found in the shipped code, or if a bug cannot be planted
/// or built.
pub fn run(root: &Path, options: &Options) -> Result<()> {
    let bugs: Vec<_> = planted::read(root)?
        .into_iter()
        .filter(|bug| options.only.is_empty() || options.only.contains(&bug.name))
        .collect();
    if let Some(unknown) =
        options.only.iter().find(|name| bugs.iter().all(|bug| bug.name != **name))
    {
        bail!("there is no bug `{unknown}`; `cargo xtask bugs --list` shows those there are");
    }
    if options.list {
        for bug in bugs {
            println!("{:<24} {:<10} {:<17} {}", bug.name, bug.promise, bug.stores(), bug.what);
        }
        return Ok(());
    }
    let torture = Torture::build(root, Duration::from_secs(options.run), options.seed)?;
    let tree = Tree::copy(root)?;
    let wanted =
        |setting: &Setting| options.store.as_ref().is_none_or(|store| *store == setting.store);
    let mut rows = Vec::new();
    if !options.bugs_only {
        let mut settings: Vec<_> = bugs.iter().flat_map(Planted::settings).filter(wanted).collect();
        settings.sort();
        settings.dedup();
        let program = tree.build()?;
        for setting in settings {
            let outcome = torture.run_once(&program, &setting)?;
            note(&mut rows, "as shipped", None, setting, outcome);
        }
    }
    for bug in &bugs {
        let settings: Vec<_> = bug.settings().into_iter().filter(wanted).collect();
        if settings.is_empty() {
            continue;
        }
        tree.plant(bug)?;
        let program = tree.build()?;
        for setting in settings {
            let within = Duration::from_secs(options.within);
            let outcome = torture.search(&program, &setting, within)?;
            note(&mut rows, &bug.name, Some(&bug.promise), setting, outcome);
        }
        tree.restore(bug)?;
    }
    report(&rows)
}

fn note(
    rows: &mut Vec<Row>,
    name: &str,
    promise: Option<&str>,
    setting: Setting,
    outcome: Outcome,
) {
    let row = Row { name: name.to_owned(), setting, promise: promise.map(str::to_owned), outcome };
    println!("{}", line(&row));
    rows.push(row);
}

fn line(row: &Row) -> String {
    let (after, what) = match &row.outcome {
        Outcome::Found { sentence, after } => {
            (format!("{:.0} s", after.as_secs_f64()), sentence.as_str())
        }
        Outcome::Nothing => (String::new(), "nothing found"),
        Outcome::Unable(why) => (String::new(), why.as_str()),
    };
    format!(
        "{:<24} {:<16} {:<10} {:>6}  {}",
        row.name,
        row.setting.to_string(),
        row.promise.as_deref().unwrap_or("-"),
        after,
        what.chars().take(160).collect::<String>(),
    )
}

fn report(rows: &[Row]) -> Result<()> {
    println!("\n{:<24} {:<16} {:<10} {:>6}  found by", "bug", "on", "promise", "after");
    for row in rows {
        println!("{}", line(row));
    }
    let surprises: Vec<_> = rows.iter().filter(|row| !row.is_as_expected()).collect();
    let names: Vec<_> =
        surprises.iter().map(|row| format!("{} on {}", row.name, row.setting)).collect();
    ensure!(
        surprises.is_empty(),
        "not as expected: {}. A bug that is not found shows a promise that nobody watches; what is \
         found in the shipped code is a bug that nobody planted",
        names.join(", ")
    );
    println!("every bug was found");
    Ok(())
}

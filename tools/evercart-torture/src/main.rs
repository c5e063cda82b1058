//! A machine that tries to make Evercart lose something: simulated customers on several devices
//! drive the real server, while servers, database and networks are killed, stopped and cut; and a
//! checker that knows only the contract decides from what clients were told whether any promise
//! broke.

mod client;
mod customer;
mod disk;
mod history;
mod invariants;
mod judge;
mod linear;
mod model;
mod nemesis;
mod proxy;
mod report;
mod returns;
mod run;
mod server;
mod shrink;
mod wire;
mod world;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::{Args, Parser, Subcommand, ValueEnum};
use rand::RngExt;

use history::History;
use nemesis::Nemesis;
use report::Progress;
use run::Plan;
use world::{Broken, Store};

/// How long a smoke run plays with each store.
const SMOKE: Duration = Duration::from_secs(40);
const SMOKE_CUSTOMERS: u32 = 120;

/// A token that ends by itself while its customer shops.
const SHORT_TOKEN: Duration = Duration::from_secs(4);

/// Tries to make Evercart lose something
#[derive(Debug, Parser)]
#[command(
    name = "evercart-torture",
    max_term_width = 100,
    after_help = "Examples:\n  \
        evercart-torture run --smoke\n  \
        evercart-torture run --store sqlite --kills 500 --customers 300 --nemeses kill,pause\n  \
        evercart-torture run --store postgres --seconds 600 --history run.ndjson --seed 7\n  \
        evercart-torture check run.ndjson\n\n\
        Exit codes: 0 nothing was lost, 1 a promise is broken, 2 used wrongly or could not run."
)]
struct Cli {
    #[command(subcommand)]
    command: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Tortures a server and judges what came of it
    ///
    /// A run ends when all of --seconds, --operations and --kills that are named are reached. The
    /// seed decides what every client and every nemesis does next; what the system's scheduler
    /// makes of it is not repeatable, the saved history is.
    #[command(after_help = "Example: evercart-torture run --store both --seconds 120 --seed 42")]
    Run(Run),
    /// Judges a saved history again
    #[command(after_help = "Example: evercart-torture check run.ndjson")]
    Check {
        /// A file that `run --history` wrote
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
struct Run {
    /// Where the shop's data is; PostgreSQL is served by two servers
    #[arg(long, value_enum, default_value_t = Stores::Both)]
    store: Stores,
    /// Go on for so long
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,
    /// Go on for so many answers
    #[arg(long, value_name = "N")]
    operations: Option<u64>,
    /// Go on for so many servers killed
    #[arg(long, value_name = "N")]
    kills: Option<u64>,
    /// A short run, 50 seconds a store with all that is around it; what is not named is this
    #[arg(long)]
    smoke: bool,
    /// Decides what happens [default: a new one each time]
    #[arg(long)]
    seed: Option<u64>,
    /// How long tokens live [default: 12 hours, and 4 seconds with every third seed]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=43_200))]
    token_seconds: Option<u64>,
    /// How many customers, each with three devices
    #[arg(long, value_name = "N", default_value_t = SMOKE_CUSTOMERS,
        value_parser = clap::value_parser!(u32).range(1..=2000))]
    customers: u32,
    /// What goes wrong [default: all that can]
    #[arg(long, value_enum, value_delimiter = ',', num_args = 0..)]
    nemeses: Option<Vec<Nemesis>>,
    /// What all customers are up to [default: one thing after the other]
    #[arg(long, value_enum)]
    scene: Option<customer::Scene>,
    /// The program to torture [default: `evercart` beside this program]
    #[arg(long, value_name = "PATH")]
    program: Option<PathBuf>,
    /// Save the history to this file; with two stores, the store's name is added
    #[arg(long, value_name = "FILE")]
    history: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Stores {
    Sqlite,
    Postgres,
    Both,
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Verb::Run(arguments) => run(&arguments),
        Verb::Check { file } => check(&file),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn check(file: &Path) -> Result<bool> {
    let history = History::read(file)?;
    let progress = Progress::new("judging");
    judged(&history, &progress)
}

/// Judges, and says so. True if nothing is broken.
#[expect(clippy::print_stdout, reason = "the judgement is what this program is for")]
fn judged(history: &History, progress: &Progress) -> Result<bool> {
    let judgement = judge::judge(history, &|judged, of_all| progress.judged(judged, of_all));
    progress.end();
    print!("{}", report::verdict(history, &judgement));
    Ok(judgement.broken.is_empty())
}

fn run(arguments: &Run) -> Result<bool> {
    let program = world::find_program(arguments.program.clone())?;
    let stores: &[Store] = match arguments.store {
        Stores::Sqlite => &[Store::Sqlite],
        Stores::Postgres => &[Store::Postgres],
        Stores::Both => &[Store::Sqlite, Store::Postgres],
    };
    let seed = arguments.seed.unwrap_or_else(|| rand::rng().random_range(0..1_000_000_000));
    let mut is_well = true;
    for store in stores {
        let plan = plan(arguments, *store, program.clone(), seed);
        let history = arguments.history.as_deref().map(|file| match stores.len() {
            1 => file.to_owned(),
            _ => named_after(file, *store),
        });
        is_well &= torture(&plan, history.as_deref())?;
    }
    Ok(is_well)
}

fn plan(arguments: &Run, store: Store, program: PathBuf, seed: u64) -> Plan {
    let asked = arguments.nemeses.clone();
    let mut nemeses = asked.unwrap_or_else(|| Nemesis::ALL.to_vec());
    nemeses.sort_unstable();
    nemeses.dedup();
    nemeses.retain(|nemesis| match nemesis.obstacle(store) {
        None => true,
        Some(why) => {
            eprintln!("{}: no nemesis {nemesis:?}: {why}", store.word());
            false
        }
    });
    let is_bounded =
        [arguments.seconds, arguments.operations, arguments.kills].iter().any(Option::is_some);
    let time = match arguments.seconds {
        Some(seconds) => Duration::from_secs(seconds),
        None if is_bounded && !arguments.smoke => Duration::ZERO,
        None => SMOKE,
    };
    let token_life = match arguments.token_seconds {
        Some(seconds) => Duration::from_secs(seconds),
        None if seed.is_multiple_of(3) => SHORT_TOKEN,
        None => world::LONG_TOKEN,
    };
    Plan {
        program,
        store,
        time,
        operations: arguments.operations.unwrap_or(0),
        kills: arguments.kills.unwrap_or(0),
        seed,
        token_life,
        customers: arguments.customers,
        nemeses,
        scene: arguments.scene,
    }
}

#[expect(clippy::print_stdout, reason = "the summary is what this program is for")]
fn torture(plan: &Plan, history: Option<&Path>) -> Result<bool> {
    let (store, seed) = (plan.store.word(), plan.seed);
    println!("{store}: seed {seed}, {} customers, {:?}", plan.customers, plan.nemeses);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let progress = Progress::new(store);
    let outcome = match runtime.block_on(run::run(plan, &progress)) {
        Err(error) if error.is::<Broken>() => {
            progress.end();
            println!("{error}");
            return Ok(false);
        }
        outcome => outcome?,
    };
    if let Some(file) = history {
        outcome.history.write(file)?;
    }
    progress.beside(|| print!("{}", report::summary(plan, &outcome)));
    judged(&outcome.history, &progress)
}

/// `run.ndjson` becomes `run-sqlite.ndjson`.
fn named_after(file: &Path, store: Store) -> PathBuf {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let extension = file.extension().map(|text| format!(".{}", text.to_string_lossy()));
    file.with_file_name(format!("{stem}-{}{}", store.word(), extension.unwrap_or_default()))
}

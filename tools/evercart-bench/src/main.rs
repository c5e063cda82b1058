//! Measures the real program over HTTP and prints ratios to references measured in the same run:
//! absolute figures move with the machine, ratios much less. What they should be is in
//! docs/performance.md.
#![allow(clippy::print_stdout, reason = "a command-line tool speaks on stdout")]

mod answer;
mod cell;
mod database;
mod floods;
mod growth;
mod hello;
mod load;
mod machine;
mod measures;
mod mixed;
mod overload;
mod pgbench;
mod postgres;
mod processors;
mod random;
mod report;
mod requests;
mod rush;
mod server;
mod shop;
mod strace;
mod streams;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand};

use database::Database;
use measures::{Plan, Progress};
use mixed::Mix;
use pgbench::Length;
use shop::Shop;

const EXAMPLES: &str = "\
Examples:
  cargo run --release -p evercart-bench
  cargo run --release -p evercart-bench -- --seconds 5 --repeats 5 --markdown results.md
  cargo run --release -p evercart-bench -- --only adds --connections 64 --strace
  cargo run --release -p evercart-bench -- --only postgres --markdown postgres.md
  cargo run --release -p evercart-bench -- --only growth --growth-users 200000
  cargo run --release -p evercart-bench -- --only mixed --operations 200000
  cargo run --release -p evercart-bench -- --only streams --streams 5000
  cargo run --release -p evercart-bench -- --only overload
  cargo run --release -p evercart-bench -- --only floods --seconds 5
  cargo run --release -p evercart-bench -- --smoke     only that every answer is right

Growth, the mixed load, streams, overload and floods run only when they are asked for. What runs \
on PostgreSQL starts a server of its own; its reference is `pgbench`, which comes with the \
server's package.

Each cell runs on a copy of one filled demo shop in the system's directory for temporary files; \
what an add writes must reach that disk, so it should not be in memory. Close other programs: the \
generator shares the processor with the server.";

/// Measures Evercart against references of the same run.
#[derive(Parser)]
#[command(name = "evercart-bench", after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    /// Counted seconds of each cell.
    #[arg(long, default_value_t = 2.0, value_parser = parse_seconds)]
    seconds: f64,
    /// How often each cell is run, ours and the reference in turn.
    #[arg(long, default_value_t = 3, value_parser = parse_count)]
    repeats: usize,
    /// Connections to measure at, instead of 16,64,256 for reads, 1,16,64,256 for adds and 2048 for
    /// overload, which takes the last.
    #[arg(long, value_delimiter = ',', value_name = "N,N", value_parser = parse_count)]
    connections: Vec<usize>,
    /// Customers in the shop.
    #[arg(long, default_value_t = 10_000, value_parser = parse_count)]
    users: usize,
    /// Measure only this.
    #[arg(long, value_enum)]
    only: Option<Measure>,
    /// Customers that growth is measured up to, from --users.
    #[arg(long, default_value_t = 1_000_000, value_parser = parse_count)]
    growth_users: usize,
    /// Requests of the mixed load, at least.
    #[arg(long, default_value_t = 200_000, value_parser = parse_count)]
    operations: usize,
    /// Streams of cart events to open.
    #[arg(long, default_value_t = 5_000, value_parser = parse_count)]
    streams: usize,
    /// Decides what the mixed load does.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A tiny run that checks every answer and asserts no time.
    #[arg(long)]
    smoke: bool,
    /// Exit with 1 if a number is beyond its floor.
    #[arg(long)]
    gate: bool,
    /// Count the server's fsync calls with strace in one more cell.
    #[arg(long)]
    strace: bool,
    /// Print JSON instead of the table.
    #[arg(long)]
    json: bool,
    /// Also write the table as Markdown.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// The program to measure, instead of building it.
    #[arg(long, value_name = "PROGRAM")]
    server: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the reference: a fixed answer on the program's HTTP stack.
    #[command(after_help = "Example: evercart-bench hello --listen 127.0.0.1:9000")]
    Hello {
        /// Where to listen; port 0 picks a free one.
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: SocketAddr,
    },
}

#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
enum Measure {
    /// GET /cart against hello.
    Reads,
    /// Durable adds against one a commit.
    Adds,
    /// Time to the first answer, and memory.
    Start,
    /// Reads and adds on PostgreSQL against pgbench.
    Postgres,
    /// What requests cost with many customers.
    Growth,
    /// Two servers on one PostgreSQL database, and a checker.
    Mixed,
    /// Memory of streams of events that wait, and whether they hear of changes.
    Streams,
    /// Three times as many requests as can be answered.
    Overload,
    /// What one customer, or a crowd of nobodies, does to the others.
    Floods,
}

impl Measure {
    /// What runs when nothing is asked for.
    const USUAL: [Measure; 4] = [Measure::Reads, Measure::Adds, Measure::Start, Measure::Postgres];
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match &cli.command {
        Some(Command::Hello { listen }) => hello::serve(*listen),
        None => bench(&cli),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn bench(cli: &Cli) -> Result<()> {
    let plan = plan(cli);
    let program = match &cli.server {
        Some(program) => fs::canonicalize(program)
            .with_context(|| format!("there is no program {}", program.display()))?,
        None => server::build()?,
    };
    let rows = measure(cli, &plan, &program)?;
    let notes = notes(cli, &plan);
    if cli.smoke {
        println!("smoke: every answer was right; the times say nothing");
        return Ok(());
    }
    if cli.json {
        println!("{:#}", report::json(&rows, &notes));
    } else {
        println!("\n{}", report::table(&rows, &notes));
    }
    if let Some(path) = &cli.markdown {
        fs::write(path, report::markdown(&rows, &notes))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    let beyond = rows.iter().filter(|row| !row.keeps_floor()).count();
    if cli.gate && beyond > 0 {
        bail!("{beyond} of {} numbers are beyond their floor", rows.len());
    }
    Ok(())
}

fn measure(cli: &Cli, plan: &Plan, program: &Path) -> Result<Vec<report::Row>> {
    let mut progress = Progress::new(plan.cells());
    let mut rows = Vec::new();
    if [Measure::Reads, Measure::Adds, Measure::Start].iter().any(|one| cli.wants(*one)) {
        let shop = Shop::fill(program, plan.users, None)?;
        let mut loaded = None;
        if cli.wants(Measure::Reads) {
            let (reads, memory) = measures::reads(&shop, plan, &mut progress)?;
            rows.extend(reads);
            loaded = memory;
        }
        if cli.wants(Measure::Adds) {
            rows.extend(measures::adds(&shop, plan, &mut progress)?);
        }
        if cli.wants(Measure::Start) {
            rows.extend(measures::starts(&shop, plan, loaded)?);
        }
    }
    if cli.wants(Measure::Streams) {
        rows.extend(streams::rows(program, if cli.smoke { 40 } else { cli.streams })?);
    }
    let on_postgres = [Measure::Postgres, Measure::Growth, Measure::Mixed];
    if on_postgres.iter().any(|one| cli.wants(*one)) {
        let database = Database::start(!cli.smoke)?;
        if cli.wants(Measure::Postgres) {
            match database.pgbench() {
                // A smoke run compares nothing, and some packages of PostgreSQL come without it.
                Err(missing) if cli.smoke => println!("not compared with pgbench: {missing:#}"),
                _ => rows.extend(postgres::rows(program, &database, plan, &mut progress)?),
            }
        }
        if cli.wants(Measure::Growth) {
            rows.extend(growth::rows(program, &database, plan, &mut progress)?);
        }
        if cli.wants(Measure::Mixed) {
            rows.extend(mixed::rows(program, &database, mix(cli))?);
        }
    }
    if cli.wants(Measure::Overload) {
        rows.extend(overload::rows(program, !cli.smoke, plan, &mut progress)?);
    }
    if cli.wants(Measure::Floods) {
        rows.extend(floods::rows(program, !cli.smoke, plan.measure)?);
    }
    Ok(rows)
}

impl Cli {
    /// True if this is to be measured.
    fn wants(&self, measure: Measure) -> bool {
        match self.only {
            Some(only) => only == measure,
            None => self.smoke || Measure::USUAL.contains(&measure),
        }
    }
}

fn mix(cli: &Cli) -> Mix {
    let seed = cli.seed;
    if cli.smoke {
        return Mix { operations: 1_500, customers: 6, groups: 2, seed };
    }
    Mix { operations: cli.operations as u64, customers: 200, groups: 8, seed }
}

fn plan(cli: &Cli) -> Plan {
    let given = |default: &[usize]| {
        if cli.connections.is_empty() { default.to_vec() } else { cli.connections.clone() }
    };
    let mut plan = Plan {
        measure: Duration::from_secs_f64(cli.seconds),
        warm_up: Duration::from_millis(300),
        read_connections: given(&[16, 64, 256]),
        add_connections: given(&[1, 16, 64, 256]),
        repeats: cli.repeats,
        starts: 15,
        strace: cli.strace,
        postgres_connections: given(&[1, 16, 64, 256]),
        pgbench: Length::Seconds(cli.seconds.ceil() as u64),
        growth_users: cli.wants(Measure::Growth).then_some(cli.growth_users),
        overload_connections: cli
            .wants(Measure::Overload)
            .then_some(cli.connections.last().copied().unwrap_or(2_048)),
        users: cli.users,
    };
    if cli.smoke {
        plan.measure = Duration::from_millis(200);
        plan.warm_up = Duration::from_millis(50);
        plan.read_connections = given(&[4]);
        plan.add_connections = given(&[4, 16]);
        plan.repeats = 1;
        plan.starts = 2;
        plan.postgres_connections = given(&[4]);
        plan.pgbench = Length::Each(25);
        plan.growth_users = plan.growth_users.map(|_| 120);
        plan.overload_connections = plan.overload_connections.map(|_| 64);
        plan.users = 40;
    }
    if !cli.wants(Measure::Reads) {
        plan.read_connections.clear();
    }
    if !cli.wants(Measure::Adds) {
        plan.add_connections.clear();
    }
    if !cli.wants(Measure::Postgres) {
        plan.postgres_connections.clear();
    }
    plan
}

fn notes(cli: &Cli, plan: &Plan) -> Vec<String> {
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    vec![format!(
        "{processors} processors shared by server, database and load generator; {} customers with \
         carts of five lines; {} s a cell, {} times each, ours and the reference in turn; a ratio \
         is of two cells run one after the other; medians. After each add cell carts are compared \
         with what was acknowledged.",
        plan.users, cli.seconds, plan.repeats
    )]
}

fn parse_seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.1..=3600.0).contains(&seconds) => Ok(seconds),
        _ => Err("a number of seconds from 0.1 to 3600".to_owned()),
    }
}

fn parse_count(text: &str) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(count) if (1..=100_000_000).contains(&count) => Ok(count),
        _ => Err("a number from 1 to 100000000".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_smoke_run_is_small() {
        let plan = plan(&Cli::parse_from(["evercart-bench", "--smoke"]));
        assert!(plan.cells() <= 30 && plan.measure < Duration::from_secs(1));
    }

    #[test]
    fn nonsense_is_refused() {
        for bad in ["--seconds=0", "--seconds=NaN", "--repeats=0", "--users=0", "--connections=0"] {
            assert!(Cli::try_parse_from(["evercart-bench", bad]).is_err(), "{bad}");
        }
    }
}

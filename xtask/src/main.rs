//! The repository's own commands, run as `cargo xtask …`: what a contributor and the CI machine run
//! before a change is taken. Leaves everything a customer or operator runs to the program.
#![allow(clippy::print_stdout, reason = "a command-line tool speaks on stdout")]

mod bugs;
mod cargo;
mod ci;
mod clients;
mod examples;
mod fuzz;
mod npm;
mod openapi;
mod python;
mod sdk;
mod shop;
mod start;
mod tidy;
mod tools;
mod torture;

use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

const EXAMPLES: &str = "\
Examples:
  cargo xtask ci               all that must pass before a change is taken
  cargo xtask ci --from tests  go on at a step, after mending what stopped it
  cargo xtask tidy             only the repository's own rules
  cargo xtask fuzz             right and wrong requests of all kinds, for a minute
  cargo xtask openapi          write openapi.json anew after changing the API
  cargo xtask shop             build the demo shop anew after changing it or the SDK
  cargo xtask clients          lint openapi.json, order something with generated clients
  cargo xtask examples         install, build and run the apps in examples/
  cargo xtask bugs             prove that the torture finds what it is for";

/// The repository's own commands.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Checks everything: format, lints, rules, API document, licences, docs, tests, a start.
    #[command(after_help = "\
Examples:
  cargo xtask ci               everything, stopping at the first failure
  cargo xtask ci --list        the steps and what each of them runs
  cargo xtask ci --from tests  go on at a step, after mending what stopped it
  cargo xtask ci --only clippy a single step

Needs Rust, Node.js 20 or newer, Python 3.11 or newer and a network. What else it needs it installs
under target/tools.")]
    Ci(ci::Options),
    /// Asks a demo for everything in openapi.json, rightly and wrongly, and looks at the answers.
    #[command(after_help = "\
Examples:
  cargo xtask fuzz                     for a minute, with other requests every time
  cargo xtask fuzz --seconds 3600      for an hour
  cargo xtask fuzz --max-examples 500  so many requests of each operation
  cargo xtask fuzz --seed 7            the requests of an earlier run again

Needs Python 3.11 or newer with its module venv.")]
    Fuzz(fuzz::Options),
    /// Writes crates/evercart-http/openapi.json from the code, or compares the two.
    #[command(after_help = "\
Examples:
  cargo xtask openapi          write it anew
  cargo xtask openapi --check  fail if it is out of date")]
    Openapi {
        /// Change nothing; fail if the file differs from what the code says.
        #[arg(long)]
        check: bool,
    },
    /// Builds the demo shop's pages, which are checked in and embedded, or compares them.
    #[command(after_help = "\
Examples:
  cargo xtask shop             build them anew, after changing storefront/ or sdk/src
  cargo xtask shop --check     fail if what is checked in is not what these build to

The pages are in crates/evercart/storefront: commit that folder with the change.
Needs Node.js 20 or newer.")]
    Shop {
        /// Change nothing; fail if the pages differ.
        #[arg(long)]
        check: bool,
    },
    /// Lints openapi.json, makes clients of it with three generators, orders something with each.
    #[command(after_help = "\
Examples:
  cargo xtask clients          redocly lint, openapi-python-client, openapi-generator, hey-api

Needs Python 3.11 or newer with its module venv, Java 11 or newer, Node.js 20 or newer, and the
registries of Python and npm.")]
    Clients,
    /// Installs, builds and runs the apps in examples/ with the SDK as it would be published.
    #[command(after_help = "\
Examples:
  cargo xtask examples              all of them, some minutes
  cargo xtask examples vue svelte   only these

Needs Node.js 20.19 or newer, and an npm registry: the frameworks come from it, about a gigabyte.
Pages are tried in a Chromium, by default the one that the demo shop is tried in; CHROMIUM_BIN names
another. The Expo app is compiled and bundled, not run.")]
    Examples(examples::Options),
    /// Plants known bugs in a copy of the tree and expects the torture to find each.
    #[command(after_help = "\
Examples:
  cargo xtask bugs                         all of them, three quarters of an hour
  cargo xtask bugs --only merge-sums-again a single one
  cargo xtask bugs --list                  what there is to plant

The bugs are the patches in tools/evercart-torture/bugs.")]
    Bugs(bugs::Options),
    /// Checks the rules that compilers and linters do not know.
    #[command(after_help = "\
Examples:
  cargo xtask tidy             every breach, with its place and what to do
  cargo xtask tidy --rules     what is checked, and how an exception is made")]
    Tidy {
        /// Describe the rules instead of checking them.
        #[arg(long)]
        rules: bool,
    },
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Ci(options) => ci::run(root(), &options),
        Command::Fuzz(options) => fuzz::run(root(), &options),
        Command::Openapi { check } => openapi::run(root(), check),
        Command::Shop { check } => shop::build(root(), check),
        Command::Clients => clients::run(root()),
        Command::Examples(options) => examples::run(root(), &options),
        Command::Bugs(options) => bugs::run(root(), &options),
        Command::Tidy { rules: true } => {
            println!("{}", tidy::RULES);
            Ok(())
        }
        Command::Tidy { rules: false } => tidy::run(root()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The repository this was built from.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is one folder below the root")
}

//! The program: reads what was typed, does it, and says how it went. Rules live in `evercart-core`,
//! SQL in the adapters, HTTP in `evercart-http`.
//!
//! A library only so that a test tool can run the very same program on a faulty disk; `main.rs` is
//! nothing but a call of [`run`].

mod catalogue_file;
mod cli;
mod clock;
mod commands;
mod config;
mod demo;
mod erased;
mod failure;
mod keys;
mod last_backup;
mod left_behind;
mod mark;
mod output;
mod private_file;
mod rows_file;
mod serve;
mod sms;
mod staging;
mod storefront;
mod stores;
mod telemetry;
mod unusable;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use cli::Cli;

/// The package's version, and the commit it was built from if that is known.
pub(crate) const VERSION: &str = env!("PROGRAM_VERSION");

/// Is the program, from its arguments to its exit code.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    match commands::run(cli) {
        Ok(code) => code,
        Err(error) => {
            let (text, code) = failure::report(&error);
            // With standard error gone there is nobody left to tell; the exit code still says it.
            let _ = std::io::stderr().write_all(text.as_bytes());
            ExitCode::from(code)
        }
    }
}

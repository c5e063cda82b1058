//! From what was typed to what is done: one module a command.

pub mod backup;
mod catalog;
mod check;
mod demo_fill;
mod demo_phones;
mod keys;
mod migrate;
mod order;
mod restore;
mod restore_decided;
mod restore_files;
mod rewound;
mod transfer;
mod unpack;
mod user;
mod verify;

use std::future::Future;
use std::process::ExitCode;

use anyhow::Context;
use clap::CommandFactory;

use crate::cli::{Catalog, Cli, Command, Demo, Everywhere};
use crate::config::{self, Settings};
use crate::{output, serve, telemetry};

pub use check::broken_as_text;

/// Does what was asked; the exit code is for commands whose result is a verdict.
///
/// # Errors
/// It could not be done.
pub fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let everywhere = &cli.everywhere;
    match cli.command {
        Command::Serve(arguments) => {
            let (settings, _) = config::load(everywhere, arguments.listen.as_deref())?;
            telemetry::start(&settings.log);
            serve::run(settings, &arguments)
        }
        Command::Catalog(Catalog::Import(arguments)) => {
            wait(catalog::import(&load(everywhere)?, &arguments))
        }
        Command::Catalog(Catalog::Export(arguments)) => {
            wait(catalog::export(&load(everywhere)?, &arguments))
        }
        Command::Demo(Demo::Fill(arguments)) => {
            wait(demo_fill::run(&load(everywhere)?, &arguments))
        }
        Command::User(action) => wait(user::run(&load(everywhere)?, &action)),
        Command::Order(action) => wait(order::run(&load(everywhere)?, &action)),
        Command::Keys(action) => keys::run(&load(everywhere)?, &action),
        Command::Backup(arguments) => wait(backup::run(&load(everywhere)?, &arguments)),
        Command::Restore(arguments) => wait(restore::run(&load(everywhere)?, &arguments)),
        Command::Rewound(arguments) => wait(rewound::run(&load(everywhere)?, &arguments)),
        Command::Check(arguments) => return wait(check::run(&load(everywhere)?, &arguments)),
        Command::Transfer(arguments) => wait(transfer::run(&load(everywhere)?, &arguments)),
        Command::Migrate(arguments) => wait(migrate::run(&load(everywhere)?, &arguments)),
        Command::Config(arguments) if arguments.default => output::print(&config::defaults()),
        Command::Config(_) => {
            let (_, layers) = config::load(everywhere, None)?;
            output::print(&config::effective(&layers))
        }
        Command::Completions(arguments) => {
            let mut script = Vec::new();
            clap_complete::generate(arguments.shell, &mut Cli::command(), "evercart", &mut script);
            let script = String::from_utf8(script).context("the completion script is not text")?;
            output::print(&script)
        }
    }?;
    Ok(ExitCode::SUCCESS)
}

/// The settings of a command beside `serve`, with its warnings on standard error.
fn load(everywhere: &Everywhere) -> anyhow::Result<Settings> {
    let (settings, _) = config::load(everywhere, None)?;
    telemetry::start(&settings.log);
    Ok(settings)
}

/// Runs a command that does one thing after another.
fn wait<T>(command: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the asynchronous runtime")?
        .block_on(command)
}

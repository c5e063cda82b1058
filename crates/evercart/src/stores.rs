//! The data directory: one SQLite file a market, opened for a command or for serving.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context;
use evercart_core::error::StoreError;
use evercart_core::market::{Market, MarketName};
use evercart_sqlite::{OpenError, Options, Sqlite};

use crate::clock;
use crate::config::Settings;
use crate::failure::Failure;

/// How a market's file name ends.
const EXTENSION: &str = "sqlite3";

/// Where a market's data is.
pub fn path(data: &Path, market: &MarketName) -> PathBuf {
    data.join(format!("{market}.{EXTENSION}"))
}

/// Makes the data directory, closed to other users, if it is not there.
///
/// # Errors
/// It cannot be made or written to.
pub fn prepare_directory(data: &Path) -> anyhow::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let made = builder.create(data);
    // Whether one may write there is best asked by writing.
    let written = made.and_then(|()| tempfile::tempfile_in(data).map(drop));
    written.map_err(|error| {
        let place = data.display();
        Failure::new(format!("the data directory {place} cannot be written: {error}"))
            .hint("give the user that runs evercart write access, or choose another with --data")
            .into()
    })
}

/// The markets that have a file in the data directory, by name.
///
/// # Errors
/// The directory cannot be read.
pub fn present(data: &Path) -> anyhow::Result<Vec<MarketName>> {
    let failed = || format!("cannot read the data directory {}", data.display());
    let entries = match std::fs::read_dir(data) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(failed),
    };
    let mut markets = Vec::new();
    for entry in entries {
        let path = entry.with_context(failed)?.path();
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        let is_ours = path.extension().is_some_and(|end| end == EXTENSION);
        if let (true, Some(Ok(name))) = (is_ours, stem.map(MarketName::new)) {
            markets.push(name);
        }
    }
    markets.sort();
    Ok(markets)
}

/// As [`present`], but an empty directory is a failure.
///
/// # Errors
/// There is no data, or the directory cannot be read.
pub fn present_or_fail(data: &Path) -> anyhow::Result<Vec<MarketName>> {
    let markets = present(data)?;
    match markets.is_empty() {
        true => Err(no_data(data).into()),
        false => Ok(markets),
    }
}

/// Opens a market's store for a command, beside the server if one runs.
///
/// # Errors
/// There is no such store yet, or it cannot be opened.
pub fn open(data: &Path, market: &MarketName) -> anyhow::Result<Sqlite> {
    let path = path(data, market);
    match path.try_exists() {
        Ok(true) => open_or_create(&path, Options { readers: 1, ..options() }),
        Ok(false) => Err(no_data(&path).into()),
        Err(error) => Err(error).with_context(|| format!("cannot look at {}", path.display())),
    }
}

/// Opens a store, making it if need be.
///
/// # Errors
/// It cannot be opened or made.
pub fn open_or_create(path: &Path, options: Options) -> anyhow::Result<Sqlite> {
    Sqlite::open(path, options).map_err(explain)
}

/// The store's options with the system's clock.
pub fn options() -> Options {
    Options::new(clock::system())
}

/// A failure to open, with what to do about it.
pub fn explain(error: OpenError) -> anyhow::Error {
    let failure = Failure::new(error.to_string());
    match error {
        OpenError::Sqlite { .. } => failure
            .hint("`evercart check` says what is wrong with a database; a backup can be restored"),
        _ => failure,
    }
    .into()
}

/// The market a command is about: the one named, the configured default, or the only one.
///
/// # Errors
/// No such market, or none can be told.
pub fn market<'a>(settings: &'a Settings, named: Option<&str>) -> anyhow::Result<&'a Market> {
    let markets = &settings.markets;
    let default = settings.default_market.as_ref().map(MarketName::as_str);
    let names = markets.iter().map(|market| market.name.as_str()).collect::<Vec<_>>().join(", ");
    let Some(name) = named.or(default) else {
        return match markets.as_slice() {
            [only] => Ok(only),
            _ => Err(Failure::used_wrongly("which market is not said")
                .hint(format!("add --market with one of: {names}"))
                .into()),
        };
    };
    let found = markets.iter().find(|market| market.name.as_str() == name);
    found.ok_or_else(|| {
        Failure::used_wrongly(format!("there is no market {name:?}"))
            .hint(format!("the markets are: {names}"))
            .into()
    })
}

/// What went wrong in a store, for an operator.
pub fn failed(error: StoreError) -> anyhow::Error {
    Failure::new(error.to_string()).into()
}

fn no_data(place: &Path) -> Failure {
    Failure::new(format!("there is no shop data at {}", place.display()))
        .hint("`evercart serve` makes it at its first start; --data names another directory")
}

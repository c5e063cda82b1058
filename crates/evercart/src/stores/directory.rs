//! The data directory: the keys, and a SQLite file for each market that is not in PostgreSQL.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context;
use evercart_core::market::MarketName;
use evercart_sqlite::{DirectoryLock, LockError};

use crate::config::Settings;
use crate::failure::Failure;
use crate::private_file::directory_of;
use crate::unusable::{Use, unusable};

use super::opened::SQLITE_ENDING;

/// Where a market's data is if it is in a file.
pub fn file(data: &Path, market: &MarketName) -> PathBuf {
    data.join(format!("{market}.{SQLITE_ENDING}"))
}

/// As [`prepare_directory`], unless all there is for a server to do there is to read keys.
///
/// # Errors
/// It cannot be made or written to.
pub fn prepare_if_needed(settings: &Settings) -> anyhow::Result<()> {
    let data = &settings.storage.data;
    // A directory that holds keys and no data may be read-only. Where the mark is in it, too, its
    // opening says what to do.
    if !super::has_files(settings) && settings.storage.keys.exists() {
        return Ok(());
    }
    prepare_directory(data)
}

/// Makes the data directory, closed to other users, if it is not there.
///
/// # Errors
/// It cannot be made or written to.
pub fn prepare_directory(data: &Path) -> anyhow::Result<()> {
    let made = make_directories(data);
    // Whether one may write there is best asked by writing.
    let written = made.and_then(|()| tempfile::tempfile_in(data).map(drop));
    written.map_err(|error| {
        let failure = unusable(data, Use::Write, &error);
        match failure.has_hint() {
            true => failure,
            false => Failure::new(format!("the data directory {failure}")).hint(
                "give the user that runs evercart write access, or choose another with --data",
            ),
        }
        .into()
    })
}

/// Makes a directory and those above it, each closed to other users and its parent's owner's.
fn make_directories(path: &Path) -> std::io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = directory_of(path);
    make_directories(parent)?;
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        // Another process was quicker.
        Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(error),
        Ok(()) => evercart_sqlite::give_to_owner_of(parent, path),
    }
}

/// Takes the directory for this process; `hint` is for who finds it taken.
///
/// # Errors
/// Another process has it, or the lock file cannot be written.
pub fn lock(data: &Path, hint: &str) -> anyhow::Result<DirectoryLock> {
    DirectoryLock::acquire(data).map_err(|error| {
        match &error {
            LockError::Held { .. } => Failure::new(error.to_string()).hint(hint),
            LockError::Io { source, .. } => {
                unusable(&data.join(evercart_sqlite::LOCK_FILE), Use::Write, source)
            }
        }
        .into()
    })
}

/// The markets that have a file in the data directory, by name.
///
/// # Errors
/// The directory cannot be read.
pub fn markets_with_files(data: &Path) -> anyhow::Result<Vec<MarketName>> {
    let failed = || format!("cannot read the data directory {}", data.display());
    let entries = match std::fs::read_dir(data) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unusable(data, Use::Read, &error).into()),
    };
    let mut markets = Vec::new();
    for entry in entries {
        let path = entry.with_context(failed)?.path();
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        let is_ours = path.extension().is_some_and(|end| end == SQLITE_ENDING);
        if let (true, Some(Ok(name))) = (is_ours, stem.map(MarketName::new)) {
            markets.push(name);
        }
    }
    markets.sort();
    Ok(markets)
}

//! The part of `evercart restore` that is about SQLite files: made and checked beside the old ones,
//! then renamed.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::Context;
use evercart_core::check::SCHEMA;
use evercart_core::copy::{Copies, Reader};
use evercart_core::error::Result as StoreResult;
use evercart_core::market::MarketName;
use evercart_core::operator::Operator;

use crate::{clock, output, stores};

use super::restore::Floor;
use super::restore_decided::Since;
use super::unpack::Unpacked;

/// A database that waits to be put in place.
pub struct Staged {
    market: MarketName,
    path: PathBuf,
}

/// Opens an unpacked database as the server would, migrates it, checks every promise and starts a
/// new life in it. One that was backed up as rows, whose schema is not as evercart makes it, or
/// that something was decided about since, is made anew first.
///
/// # Errors
/// It cannot be opened or made, or breaks promises.
pub async fn stage(
    database: Unpacked,
    staging: &Path,
    (floor, there): (&Floor, StoreResult<Option<Box<dyn Reader>>>),
) -> anyhow::Result<(Staged, Since)> {
    let market = database.market.clone();
    let (backup, mut rows) = database.rows().await?;
    let mut is_as_made = true;
    if let Some(backup) = &backup {
        let report = backup.check().await.map_err(stores::failed)?;
        if report.findings.iter().any(|finding| finding.promise != SCHEMA) {
            return Err(stores::unsound(&market, "the backup", &report).into());
        }
        // An index that is missing, or one too many, is no loss: the rows go into a schema of ours.
        is_as_made = report.findings.is_empty();
    }
    let since = Since::look(&mut *rows, there, floor.erasures()).await.map_err(stores::failed)?;
    let (path, store) = match backup {
        Some(backup) if since.changes_nothing() && is_as_made => {
            // What is still being read would keep the log from its place in the main file.
            drop(rows);
            (database.path, backup)
        }
        _ => {
            let path = staging.join(format!("{market}.restored"));
            let store = stores::open_file(&path)?;
            let count = rows.count().await.map_err(stores::failed)?;
            // Each row is written, and then read back.
            let bar = output::bar("restoring", 2 * count);
            let mut rows = since.in_rows(rows);
            let filled = store.copy_in(&mut *rows, &mut |done| bar.inc(done)).await;
            bar.finish_and_clear();
            filled.map_err(|error| stores::not_copied(error, &market, "the backup"))?;
            (path, store)
        }
    };
    floor.start_over(&store).await?;
    store.close();
    drop(store);
    // A closed store has everything in its main file.
    for extra in log_files(&path) {
        match std::fs::remove_file(&extra) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot remove {}", extra.display()));
            }
            _ => {}
        }
    }
    File::open(&path)
        .and_then(|file| file.sync_all())
        .with_context(|| format!("cannot sync {}", path.display()))?;
    Ok((Staged { market, path }, since))
}

/// Moves the old databases aside and the new ones to their places. Returns where the old are.
///
/// # Errors
/// A file cannot be renamed.
pub fn put_in_place(
    data: &Path,
    old: &[MarketName],
    new: &[Staged],
) -> anyhow::Result<Option<String>> {
    let failed = || format!("cannot write to {}", data.display());
    let aside = move_aside(data, old)?;
    for Staged { market, path } in new {
        evercart_sqlite::give_to_owner_of(data, path).with_context(failed)?;
        std::fs::rename(path, stores::file(data, market)).with_context(failed)?;
    }
    File::open(data).and_then(|directory| directory.sync_all()).with_context(failed)?;
    Ok(aside.map(|aside| aside.display().to_string()))
}

/// SQLite's files beside a database.
fn log_files(database: &Path) -> [PathBuf; 2] {
    ["-wal", "-shm"].map(|end| {
        let mut name = database.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    })
}

/// Makes a directory that is named after the moment.
fn new_directory(data: &Path) -> anyhow::Result<PathBuf> {
    let seconds = clock::system().now().as_second();
    let begin = crate::left_behind::DIRECTORY;
    let mut path = data.join(format!("{begin}{seconds}"));
    for nth in 2.. {
        match std::fs::create_dir(&path) {
            // Of another restore in the same second.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                path = data.join(format!("{begin}{seconds}-{nth}"));
            }
            made => {
                made.and_then(|()| evercart_sqlite::give_to_owner_of(data, &path))
                    .with_context(|| format!("cannot make {}", path.display()))?;
                break;
            }
        }
    }
    Ok(path)
}

/// Moves the present databases, with their logs, into a directory of their own.
fn move_aside(data: &Path, old: &[MarketName]) -> anyhow::Result<Option<PathBuf>> {
    if old.is_empty() {
        return Ok(None);
    }
    let aside = new_directory(data)?;
    let failed = || format!("cannot move the old data to {}", aside.display());
    for market in old {
        let database = stores::file(data, market);
        // The logs first: a database without its log is whole, a log without its database is not.
        for path in log_files(&database).into_iter().chain([database]) {
            let name = path.file_name().context("a database has a name")?;
            match std::fs::rename(&path, aside.join(name)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error).with_context(failed);
                }
                _ => {}
            }
        }
    }
    Ok(Some(aside))
}

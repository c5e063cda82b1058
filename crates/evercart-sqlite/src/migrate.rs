//! Brings a file's schema up to this program's, forward only, each step in one transaction.
//!
//! The version is SQLite's own `user_version`; `application_id` says that the file is ours.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, TransactionBehavior};
use thiserror::Error;

use crate::check::refuse_garbage;
use crate::db;

/// "Ever" in ASCII: marks our files, see `PRAGMA application_id`.
const APPLICATION_ID: i32 = 0x4576_6572;

/// Each migration once, in order; never edited after a release.
const MIGRATIONS: [&str; 12] = [
    include_str!("../migrations/0001_shop.sql"),
    include_str!("../migrations/0002_incarnation.sql"),
    include_str!("../migrations/0003_outbox.sql"),
    include_str!("../migrations/0004_phone_history.sql"),
    include_str!("../migrations/0005_first_tries.sql"),
    include_str!("../migrations/0006_cart_order.sql"),
    include_str!("../migrations/0007_erasures.sql"),
    include_str!("../migrations/0008_audit.sql"),
    include_str!("../migrations/0009_server_keys.sql"),
    include_str!("../migrations/0010_hours.sql"),
    include_str!("../migrations/0011_erasing_requests.sql"),
    include_str!("../migrations/0012_catalogue_import.sql"),
];

/// The schema this program works with.
pub const SCHEMA_VERSION: u32 = MIGRATIONS.len() as u32;

/// What a migration did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migrated {
    /// The version found; 0 for a new file.
    pub from: u32,
    /// The version now.
    pub to: u32,
}

/// Why a file cannot be used.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Written by a newer program.
    #[error(
        "{} has schema version {found}, and this evercart knows versions up to {known}: start the \
         newer evercart that wrote it, or restore a backup made before the upgrade",
        path.display()
    )]
    TooNew {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The newest version known here.
        known: u32,
    },
    /// Of an earlier program, where it is only to be looked at.
    #[error(
        "{} has schema version {found}, and this evercart works with {known}",
        path.display()
    )]
    TooOld {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The version of this program.
        known: u32,
    },
    /// No database.
    #[error("{} is not a database: {looks_like}", path.display())]
    Garbage {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        looks_like: &'static str,
    },
    /// Some other program's database.
    #[error(
        "{} is a SQLite database, but not one of evercart's: choose another data directory",
        path.display()
    )]
    NotOurs {
        /// The file.
        path: PathBuf,
    },
    /// The shop was moved away from this file.
    #[error("the shop of {} was moved to {to}; what is here is as old as that", path.display())]
    Retired {
        /// The file.
        path: PathBuf,
        /// Where to.
        to: String,
    },
    /// There was a shop, and now there is an empty one.
    #[error("{} is empty, though there was a shop in it", path.display())]
    Emptied {
        /// The file.
        path: PathBuf,
    },
    /// How far the shop had come cannot be remembered outside of it.
    #[error("it cannot be remembered how far {} has come: {why}", path.display())]
    Mark {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// SQLite could not open or change it.
    #[error("cannot open {}: {source}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// A thread could not be started.
    #[error("cannot start a thread for {}: {source}", path.display())]
    Thread {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// Brings the file's schema up to date and closes it again.
///
/// # Errors
/// As [`Sqlite::open`](crate::Sqlite::open).
pub fn migrate(path: &Path) -> Result<Migrated, OpenError> {
    let mut connection = open(path)?;
    run(&mut connection, path)
}

pub(crate) fn open_and_migrate(path: &Path) -> Result<Connection, OpenError> {
    let mut connection = open(path)?;
    run(&mut connection, path)?;
    Ok(connection)
}

fn open(path: &Path) -> Result<Connection, OpenError> {
    refuse_garbage(path)?;
    db::open_for_writing(path).map_err(|source| sqlite(path, source))
}

fn sqlite(path: &Path, source: rusqlite::Error) -> OpenError {
    OpenError::Sqlite { path: path.to_owned(), source }
}

fn run(connection: &mut Connection, path: &Path) -> Result<Migrated, OpenError> {
    let failed = |source| sqlite(path, source);
    let from = version(connection, path)?;
    if from == SCHEMA_VERSION {
        return Ok(Migrated { from, to: from });
    }
    // IMMEDIATE: of two processes that start at once, one migrates and the other then finds it
    // done.
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    let found = version(&transaction, path)?;
    for migration in MIGRATIONS.iter().skip(found as usize) {
        transaction.execute_batch(migration).map_err(failed)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
    transaction.pragma_update(None, "user_version", SCHEMA_VERSION).map_err(failed)?;
    transaction.commit().map_err(failed)?;
    Ok(Migrated { from: found, to: SCHEMA_VERSION })
}

/// A database in memory with the schema that a file of this version should have.
pub(crate) fn reference(version: u32) -> rusqlite::Result<Connection> {
    let connection = Connection::open_in_memory()?;
    for migration in MIGRATIONS.iter().take(version as usize) {
        connection.execute_batch(migration)?;
    }
    Ok(connection)
}

pub(crate) fn version(connection: &Connection, path: &Path) -> Result<u32, OpenError> {
    let failed = |source| sqlite(path, source);
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let application = number("application_id").map_err(failed)?;
    let version = number("user_version").map_err(failed)?;
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(failed)?;
    let is_ours = application == APPLICATION_ID || (tables == 0 && version == 0);
    let found = u32::try_from(version).unwrap_or(u32::MAX);
    match (is_ours, found > SCHEMA_VERSION) {
        (false, _) => Err(OpenError::NotOurs { path: path.to_owned() }),
        (true, true) => {
            Err(OpenError::TooNew { path: path.to_owned(), found, known: SCHEMA_VERSION })
        }
        (true, false) => Ok(found),
    }
}

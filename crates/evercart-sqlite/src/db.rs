//! A connection with what every statement needs beside it: the time and the known SKUs. Also the
//! one place where SQLite's errors become the store's.

use std::cell::{Cell, RefCell};
use std::path::Path;
use std::sync::Arc;

use evercart_core::clock::Clock;
use evercart_core::error::{Failed, Refused, StoreError};
use evercart_core::ids::UserId;
use evercart_core::limits::CustomerLimits;
use evercart_core::mark::{Mark, Numbers, RESERVED_AT_ONCE};
use jiff::Timestamp;
use rusqlite::config::DbConfig;
use rusqlite::{CachedStatement, Connection, ErrorCode, OpenFlags, ffi};

use crate::owner::give_to_owner_of;
use crate::sku_cache::SkuCache;

/// Statements kept prepared on a connection; more than there are in this crate.
const STATEMENTS_MAX: usize = 160;

/// As much of the file as readers map into memory: SQLite's own upper bound. A big file is then
/// read as quickly as a small one.
const MMAP_BYTES: i64 = 0x7fff_0000;

pub(crate) type Result<T, E = DbError> = std::result::Result<T, E>;

/// What can end a piece of SQL: the store's own word, or SQLite's.
#[derive(Debug)]
pub(crate) enum DbError {
    Store(StoreError),
    Sql(rusqlite::Error),
}

impl From<rusqlite::Error> for DbError {
    fn from(error: rusqlite::Error) -> Self {
        DbError::Sql(error)
    }
}

impl From<Refused> for DbError {
    fn from(refused: Refused) -> Self {
        DbError::Store(StoreError::Refused(refused))
    }
}

impl From<Failed> for DbError {
    fn from(failed: Failed) -> Self {
        DbError::Store(StoreError::Failed(failed))
    }
}

impl DbError {
    /// As SQLite's own error, for whoever opens a file.
    pub(crate) fn into_sql(self) -> rusqlite::Error {
        match self {
            DbError::Sql(source) => source,
            DbError::Store(error) => rusqlite::Error::ToSqlConversionFailure(error.into()),
        }
    }

    pub(crate) fn into_store_error(self) -> StoreError {
        match self {
            DbError::Store(error) => error,
            DbError::Sql(error) => failed(&error).into(),
        }
    }
}

/// What a SQLite error means for the operator: away (disk full, locked, I/O) or inconsistent.
pub(crate) fn failed(error: &rusqlite::Error) -> Failed {
    match error.sqlite_error_code() {
        Some(
            ErrorCode::DatabaseCorrupt
            | ErrorCode::NotADatabase
            | ErrorCode::ConstraintViolation
            | ErrorCode::TypeMismatch
            | ErrorCode::SchemaChanged,
        )
        | None => Failed::Inconsistent(error.to_string()),
        // Only what the public asks for has a time limit.
        Some(ErrorCode::OperationInterrupted) => Failed::CatalogueBusy,
        Some(_) => Failed::Unavailable(error.to_string()),
    }
}

/// What kind of trouble an error of SQLite's is, for whoever says what to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// There is no room left on the disk.
    Full,
    /// A file may not be opened or written.
    Denied,
    /// The disk failed.
    Disk,
    /// Any other.
    Other,
}

/// Tells them apart.
pub fn trouble(error: &rusqlite::Error) -> Trouble {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => Trouble::Full,
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            Trouble::Denied
        }
        // What SQLite does to the file beside the database is not always told from a disk failure.
        Some(ErrorCode::SystemIoFailure) => Trouble::Disk,
        _ => Trouble::Other,
    }
}

/// True if SQLite could not make something durable. After that nothing this process writes can be
/// trusted to be on disk: the kernel may have dropped the pages it failed to write.
pub(crate) fn is_fsync_failure(error: &rusqlite::Error) -> bool {
    matches!(error, rusqlite::Error::SqliteFailure(error, _)
        if error.extended_code == ffi::SQLITE_IOERR_FSYNC
            || error.extended_code == ffi::SQLITE_IOERR_DIR_FSYNC)
}

pub(crate) struct Db {
    pub(crate) connection: Connection,
    pub(crate) skus: RefCell<SkuCache>,
    /// What one customer may do; only the writer asks.
    pub(crate) limits: CustomerLimits,
    clock: Arc<dyn Clock>,
    /// The time of the operation that is being run.
    time: Cell<Option<i64>>,
    reserved: Option<Reserved>,
    /// Who was erased, in a transaction that may not have been kept.
    erased: RefCell<Vec<UserId>>,
}

/// The numbers that are reserved outside of the store.
struct Reserved {
    mark: Arc<dyn Mark>,
    up_to: Cell<Numbers>,
}

impl Db {
    pub(crate) fn new(connection: Connection, clock: Arc<dyn Clock>) -> Self {
        connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        Self {
            connection,
            skus: RefCell::default(),
            limits: CustomerLimits::NONE,
            clock,
            time: Cell::default(),
            reserved: None,
            erased: RefCell::default(),
        }
    }

    /// Reserves numbers with this mark from now on, which has these already.
    pub(crate) fn reserve_with(&mut self, mark: Arc<dyn Mark>, up_to: Numbers) {
        self.reserved = Some(Reserved { mark, up_to: Cell::new(up_to) });
    }

    /// Sees to it that numbers below `next` are never given out again, whatever becomes of the
    /// file. Before the commit that gives them out.
    pub(crate) fn reserve(&self, counter: &str, next: i64) -> Result<()> {
        let Some(Reserved { mark, up_to }) = &self.reserved else { return Ok(()) };
        let mut numbers = up_to.get();
        if next > numbers.of(counter) {
            numbers.set(counter, next.saturating_add(RESERVED_AT_ONCE));
            mark.reserve(numbers).map_err(|error| Failed::Unavailable(error.to_string()))?;
            up_to.set(numbers);
        }
        Ok(())
    }

    /// Notes that a customer is erased, if the transaction is kept.
    pub(crate) fn erased(&self, id: UserId) {
        self.erased.borrow_mut().push(id);
    }

    /// Who was erased since this was asked last. Whether it was kept, the store says.
    pub(crate) fn take_erased(&self) -> Vec<UserId> {
        self.erased.take()
    }

    /// Runs one operation, for which time stands still: what it writes at one moment has to bear
    /// one time, else what is compared later is off by the millisecond between two looks.
    pub(crate) fn operation<T>(&self, work: impl FnOnce(&Db) -> T) -> T {
        self.time.set(Some(self.clock.now().as_millisecond()));
        let outcome = work(self);
        self.time.set(None);
        outcome
    }

    /// The time of this operation, in milliseconds since 1970.
    pub(crate) fn now(&self) -> i64 {
        self.time.get().unwrap_or_else(|| self.clock.now().as_millisecond())
    }

    pub(crate) fn sql(&self, sql: &'static str) -> Result<CachedStatement<'_>> {
        #[cfg(test)]
        crate::plans::record(&self.connection, sql);
        Ok(self.connection.prepare_cached(sql)?)
    }

    /// Runs a statement that must change exactly one row.
    pub(crate) fn change_one(
        &self,
        sql: &'static str,
        params: impl rusqlite::Params,
    ) -> Result<()> {
        match self.sql(sql)?.execute(params)? {
            1 => Ok(()),
            n => {
                Err(Failed::Inconsistent(format!("{n} rows changed instead of 1 by: {sql}")).into())
            }
        }
    }
}

pub(crate) fn time(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A number that the schema keeps from being negative or too large.
pub(crate) fn unsigned<T: TryFrom<i64> + Default>(value: i64) -> T {
    T::try_from(value).unwrap_or_default()
}

/// Makes a file that only its owner can read, unless it is there: it will have customers' data, and
/// the directory may be one that others can read. SQLite gives the files beside it the same mode.
pub(crate) fn make_for_owner_only(path: &Path) {
    // A file that is there is not even opened: closing it would undo SQLite's locks on it.
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // Where this fails for another reason, so will SQLite, which then says why.
    if options.open(path).is_ok() {
        // SQLite gives the files beside it the same owner.
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let _ = give_to_owner_of(directory.unwrap_or(Path::new(".")), path);
    }
}

/// Opens the file for writing, with the settings that make a commit durable.
pub(crate) fn open_for_writing(path: &Path) -> rusqlite::Result<Connection> {
    make_for_owner_only(path);
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    // Other processes (an import, an operator's command) write, too: wait for them.
    connection.pragma_update(None, "busy_timeout", 10_000)?;
    switch_to_wal(&connection)?;
    // FULL: the log is synced before a commit returns. This is the promise of durability.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // What is deleted or replaced is overwritten, not only marked as free: the file of a shop that
    // has erased a customer, and each copy of it, holds nothing of theirs.
    connection.pragma_update(None, "secure_delete", true)?;
    // The checkpointer does it, off the commit path.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "cache_size", -16_384)?;
    prepare_stably(&connection)?;
    Ok(connection)
}

/// Of several processes that open a new file at once, SQLite lets one switch and refuses the others
/// without the wait it otherwise grants: they ask again.
fn switch_to_wal(connection: &Connection) -> rusqlite::Result<()> {
    let mut tries = 0;
    loop {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && tries < 500 =>
            {
                tries += 1;
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            outcome => return outcome,
        }
    }
}

/// Opens the file for reading only.
pub(crate) fn open_for_reading(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.pragma_update(None, "busy_timeout", 5_000)?;
    connection.pragma_update(None, "cache_size", -8_192)?;
    connection.pragma_update(None, "mmap_size", MMAP_BYTES)?;
    prepare_stably(&connection)?;
    Ok(connection)
}

/// Without this SQLite prepares a statement with a LEFT JOIN and a bound key anew at every run,
/// which costs four times as much as running it.
fn prepare_stably(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

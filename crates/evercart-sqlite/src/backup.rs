//! A consistent copy of the file while it is being served: written anew row by row, so that nothing
//! is in it but the rows.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use evercart_core::error::Failed;
use rusqlite::backup::Backup;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::db;

/// How often the progress is told.
const TOLD_EVERY: Duration = Duration::from_millis(100);

/// Pages of a copy as it is that are copied at a time (4 MiB).
const PAGES_PER_STEP: i32 = 1024;

/// How long others may write between two steps of a copy that they make begin anew.
const PAUSE: Duration = Duration::from_millis(1);

/// Copies. `progress` is told bytes that are written, and about how many there will be.
pub(crate) fn copy(
    from: &Path,
    to: &Path,
    progress: &mut (dyn FnMut(u64, u64) + Send),
) -> Result<(), Failed> {
    try_copy(from, to, progress).map_err(|error| db::failed(&error))
}

fn try_copy(
    from: &Path,
    to: &Path,
    progress: &mut (dyn FnMut(u64, u64) + Send),
) -> rusqlite::Result<()> {
    let source = db::open_for_reading(from)?;
    let total = size(&source)?;
    db::make_for_owner_only(to);
    let path = to.to_str().ok_or_else(|| rusqlite::Error::InvalidPath(to.to_owned()))?;
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        let telling = scope.spawn(|| {
            while !is_done.load(Ordering::Relaxed) {
                let written = to.metadata().map_or(0, |metadata| metadata.len());
                progress(written.min(total), total);
                thread::park_timeout(TOLD_EVERY);
            }
            progress(total, total);
        });
        // All of it reads as of one moment, and the file is synced as the shop's own is.
        let copied = source.execute("VACUUM INTO ?1", [path]);
        is_done.store(true, Ordering::Relaxed);
        telling.thread().unpark();
        copied.map(drop)
    })?;
    // A file of its own, without a log beside it.
    let target = Connection::open(to)?;
    target.pragma_update(None, "journal_mode", "DELETE")?;
    target.close().map_err(|(_, error)| error)
}

/// The file's bytes.
fn size(database: &Connection) -> rusqlite::Result<u64> {
    const SIZE: &str = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
    database.query_row(SIZE, [], |row| row.get::<_, i64>(0)).map(db::unsigned)
}

/// Copies a file that need not be a sound database, page by page with what its log has, or byte for
/// byte if SQLite knows no pages in it. Returns the version of its schema, 0 if it has none.
///
/// # Errors
/// It cannot be read, or the copy not be written.
pub fn copy_as_it_is(from: &Path, to: &Path) -> Result<u32, std::io::Error> {
    let pages = || -> rusqlite::Result<u32> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let source = Connection::open_with_flags(from, flags)?;
        // An open read holds the moment, where the list of tables can be read.
        let _ = source.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema");
        db::make_for_owner_only(to);
        let mut target = Connection::open(to)?;
        Backup::new(&source, &mut target)?.run_to_completion(PAGES_PER_STEP, PAUSE, None)?;
        target.pragma_query_value(None, "user_version", |row| row.get(0))
    };
    match pages() {
        Ok(version) => Ok(version),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) => {
            std::fs::copy(from, to).map(|_| 0)
        }
        Err(error) => Err(std::io::Error::other(error)),
    }
}

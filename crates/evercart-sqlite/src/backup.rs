//! A consistent copy of the file while it is being served.

use std::path::Path;
use std::time::Duration;

use evercart_core::error::Failed;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::db;

/// Pages copied between two reports of progress (4 MiB).
const PAGES_PER_STEP: i32 = 1024;

/// How long others may write between two steps of a copy that they make begin anew.
const PAUSE: Duration = Duration::from_millis(1);

pub(crate) fn copy(
    from: &Path,
    to: &Path,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(), Failed> {
    try_copy(from, to, progress).map_err(|error| db::failed(&error))
}

fn try_copy(from: &Path, to: &Path, progress: &mut dyn FnMut(u64, u64)) -> rusqlite::Result<()> {
    let source = db::open_for_reading(from)?;
    // An open read holds the moment: without it every commit would start the copy anew.
    let moment = source.unchecked_transaction()?;
    moment.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    db::make_for_owner_only(to);
    let mut target = Connection::open(to)?;
    {
        let backup = Backup::new(&moment, &mut target)?;
        loop {
            let step = backup.step(PAGES_PER_STEP)?;
            let state = backup.progress();
            let total = u64::try_from(state.pagecount).unwrap_or(0);
            let left = u64::try_from(state.remaining).unwrap_or(0);
            progress(total.saturating_sub(left), total);
            if step == StepResult::Done {
                break;
            }
        }
    }
    moment.finish()?;
    // A file of its own, without a log beside it.
    target.pragma_update(None, "journal_mode", "DELETE")?;
    target.close().map_err(|(_, error)| error)
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

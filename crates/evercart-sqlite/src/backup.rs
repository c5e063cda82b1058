//! A consistent copy of the file while it is being served.

use std::path::Path;

use evercart_core::error::Failed;
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use crate::db;

/// Pages copied between two reports of progress (4 MiB).
const PAGES_PER_STEP: i32 = 1024;

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

//! Puts a catalogue file's rows in, a part at a time: between two parts others write. Whoever looks
//! sees all of it or nothing, also after a crash at any moment: what a crash leaves behind is taken
//! back, or moved into its place if it was shown, by the next import or start.
//!
//! It has a connection of its own. What shows it goes through the writer, as what all others do. So
//! does the whole of a file that is no longer than one part: that is one transaction.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use evercart_core::catalogue::plan::{Planned, Planner};
use evercart_core::catalogue::{
    ImportOutcome, Known, ProductFacts, ProductKey, Progress, RowChange, RowChanges,
};
use evercart_core::clock::Clock;
use evercart_core::error::{Failed, Result as StoreResult};
use evercart_core::ids::ProductId;
use rusqlite::{ErrorCode, OptionalExtension, ToSql};

use crate::Sqlite;
use crate::catalogue::catalogue_row;
use crate::catalogue_parts::{self as parts, PART};
use crate::checkpoint::Watch;
use crate::db::{self, Db, DbError, Result};
use crate::owner::give_to_owner_of;
use crate::shown::{self, State};

/// The longest pause after a part. Otherwise it is as long as the part was: SQLite's writers do not
/// queue, so whoever waits has to find the file free when it looks again.
const PAUSE_MAX: Duration = Duration::from_millis(50);

/// How often a part waits anew for others, ten seconds each time.
const WAITS_MAX: u32 = 30;

impl Sqlite {
    pub(crate) async fn import(
        &self,
        rows: Box<dyn RowChanges>,
        progress: Progress,
    ) -> StoreResult<ImportOutcome> {
        let place = self.place();
        let (import, written) = apart(move || {
            let turn = file_of_turns(&place.path).and_then(|file| file.lock().map(|()| file));
            let mut import = Import::open(place, turn.map_err(no_turn)?)?;
            import.settle(|| true)?;
            let written = import.write(rows, progress);
            Ok((import, written))
        })
        .await?;
        let outcome = match written {
            Ok(written) => self.show(written).await,
            Err(error) => Err(error.into_store_error()),
        };
        // Taken back if it is not shown.
        if let Err(error) = apart(move || { import }.settle(|| true)).await {
            tracing::warn!(%error, "the next import, or start, tidies up after this one");
        }
        outcome
    }

    /// Shows what was written, unless something contradicts the store.
    async fn show(&self, written: Written) -> StoreResult<ImportOutcome> {
        let Written { mut planner, stock, at_once } = written;
        if planner.problems().is_empty() && planner.rows() > 0 {
            let shown = self.writer.write(move |db| {
                let problems = match at_once {
                    Some(planned) => parts::write_at_once(db, &planner, &planned, stock)?,
                    None => parts::show(db, &planner, stock)?,
                };
                Ok((planner, problems))
            });
            let problems;
            (planner, problems) = shown.await?;
            for problem in problems {
                planner.contradicts(problem.row, problem.problem);
            }
        }
        let (summary, problems) = planner.finish();
        Ok(match problems.is_empty() {
            true => ImportOutcome::Imported(summary),
            false => ImportOutcome::Rejected(problems),
        })
    }

    fn place(&self) -> Place {
        let (path, clock) = (self.path.clone(), Arc::clone(&self.clock));
        Place { path, clock, watch: self.checkpointer.watch() }
    }
}

/// Runs what takes long where it keeps nobody else from running.
async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> StoreResult<T> {
    let done = tokio::task::spawn_blocking(work).await;
    let done = done.map_err(|error| Failed::Unavailable(error.to_string()))?;
    done.map_err(DbError::into_store_error)
}

/// Whoever has locked this file imports, and nobody else does. The kernel lets go of it when the
/// process ends, however it ends.
fn file_of_turns(path: &Path) -> io::Result<File> {
    let path = path.with_extension("import");
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path)?;
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    give_to_owner_of(directory.unwrap_or(Path::new(".")), &path)?;
    Ok(file)
}

fn no_turn(error: io::Error) -> DbError {
    Failed::Unavailable(format!("the file that says whose turn it is to import: {error}")).into()
}

/// Where an import writes.
struct Place {
    path: PathBuf,
    clock: Arc<dyn Clock>,
    watch: Watch,
}

/// What was written.
struct Written {
    planner: Planner,
    /// How many changes of stock are among it.
    stock: usize,
    /// The rows, if they are so few that they are written when they are shown.
    at_once: Option<Vec<Planned>>,
}

struct Import {
    db: Db,
    watch: Watch,
    _turn: File,
}

impl Import {
    fn open(place: Place, turn: File) -> Result<Self> {
        let Place { path, clock, watch } = place;
        let db = Db::new(db::open_for_writing(&path)?, clock);
        Ok(Self { db, watch, _turn: turn })
    }

    /// Writes a part in a transaction of its own, and leaves the file to others for a while.
    fn part<T>(&mut self, work: impl FnOnce(&Db) -> Result<T>) -> Result<T> {
        let mut waits = 0;
        while let Err(error) = self.db.connection.execute_batch("BEGIN IMMEDIATE") {
            waits += 1;
            if error.sqlite_error_code() != Some(ErrorCode::DatabaseBusy) || waits > WAITS_MAX {
                return Err(error.into());
            }
        }
        let begun = Instant::now();
        let done = self.db.operation(work).and_then(|done| {
            self.db.connection.execute_batch("COMMIT")?;
            Ok(done)
        });
        if done.is_err() && !self.db.connection.is_autocommit() {
            self.db.connection.execute_batch("ROLLBACK")?;
        }
        self.watch.after_commit(&self.db.connection);
        thread::sleep(begun.elapsed().min(PAUSE_MAX));
        done
    }

    /// Writes all rows, of which nobody sees anything yet, until one contradicts something.
    fn write(&mut self, mut rows: Box<dyn RowChanges>, mut progress: Progress) -> Result<Written> {
        let numbers =
            (parts::next_number(&self.db, "product")?, parts::next_number(&self.db, "sku")?);
        let mut planner =
            Planner::of(numbers.0, numbers.1, rows.as_mut()).map_err(DbError::Store)?;
        let mut stock = 0;
        loop {
            let slice = rows.next(PART).map_err(DbError::Store)?;
            if slice.is_empty() {
                break;
            }
            let is_all = slice.len() == planner.expected() && slice.len() < PART;
            let known = known(&self.db, &slice)?;
            let planned = planner.plan(slice, &known);
            if planner.problems().is_empty() {
                stock += planned.iter().filter(|row| row.stock.is_some()).count();
                if is_all {
                    progress(planner.rows());
                    return Ok(Written { planner, stock, at_once: Some(planned) });
                }
                self.part(|db| {
                    parts::begin(db)?;
                    parts::write(db, &planner, &planned)
                })?;
            }
            progress(planner.rows());
        }
        if planner.problems().is_empty() {
            for products in planner.products().chunks(PART) {
                self.part(|db| parts::write_for_sale(db, products))?;
            }
        }
        Ok(Written { planner, stock, at_once: None })
    }

    /// Ends what an import has left, as long as it `may_go_on`: what is shown is moved into its
    /// place, and what is not is taken back.
    fn settle(&mut self, may_go_on: impl Fn() -> bool) -> Result<()> {
        match shown::state(&self.db)? {
            State::Settled => {}
            State::Moving => while may_go_on() && self.part(parts::move_some)? {},
            State::Hidden => {
                // To see for each SKU that no cart or order has it would take a scan of them all.
                // None can: nobody has seen these.
                self.db.connection.pragma_update(None, "foreign_keys", false)?;
                while may_go_on() && self.part(parts::discard_some)? {}
                self.db.connection.pragma_update(None, "foreign_keys", true)?;
            }
        }
        Ok(())
    }
}

/// Ends in the background what an import has left that did not come to its end itself.
pub(crate) struct Settling {
    stop: Arc<AtomicBool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Settling {
    /// Begins if there is something to do, and nobody is at it.
    pub(crate) fn start(path: &Path, clock: Arc<dyn Clock>, watch: Watch) -> io::Result<Self> {
        let place = Place { path: path.to_owned(), clock, watch };
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let work = move || {
            if let Err(error) = settle_alone(place, || !stopped.load(Ordering::Relaxed)) {
                tracing::warn!(%error, "what an import has left is not tidied up yet");
            }
        };
        let thread = thread::Builder::new().name("evercart-settle".into()).spawn(work)?;
        Ok(Self { stop, thread: Mutex::new(Some(thread)) })
    }

    /// Stops after the part that is being written.
    pub(crate) fn close(&self) {
        self.stop.store(true, Ordering::Relaxed);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

fn settle_alone(place: Place, may_go_on: impl Fn() -> bool) -> StoreResult<()> {
    let settle = || {
        let turn = file_of_turns(&place.path).map_err(no_turn)?;
        match turn.try_lock() {
            Ok(()) => Import::open(place, turn)?.settle(may_go_on),
            // Whoever has the turn does it.
            Err(TryLockError::WouldBlock) => Ok(()),
            Err(TryLockError::Error(error)) => Err(no_turn(error)),
        }
    };
    settle().map_err(DbError::into_store_error)
}

/// What the store knows of the products and SKUs that rows name.
macro_rules! product_where {
    ($is:literal) => {
        concat!("SELECT id, handle, name, brand, category, description FROM products WHERE ", $is)
    };
}

macro_rules! sku_where {
    ($is:literal) => {
        concat!(
            "SELECT p.id, p.handle, p.name, p.brand, p.category, p.description, \
             s.image, s.id, s.sku_code, s.size, s.color, s.price, s.original_price, t.on_hand, \
             s.active FROM skus s JOIN products p ON p.id = s.product_id \
             JOIN stock t ON t.sku_id = s.id WHERE ",
            $is
        )
    };
}

fn known(db: &Db, rows: &[RowChange]) -> Result<Known> {
    const PRODUCT_BY_ID: &str = product_where!("id = ?1");
    const PRODUCT_BY_HANDLE: &str = product_where!("handle = ?1");
    const SKU_BY_ID: &str = sku_where!("s.id = ?1");
    const SKU_BY_CODE: &str = sku_where!("s.sku_code = ?1");
    let mut known = Known::default();
    for row in rows {
        match &row.product {
            Some(ProductKey::Id(id, handle)) => {
                product(db, &mut known, PRODUCT_BY_ID, id.0)?;
                if let Some(handle) = handle {
                    product(db, &mut known, PRODUCT_BY_HANDLE, handle)?;
                }
            }
            Some(ProductKey::Handle(handle)) => product(db, &mut known, PRODUCT_BY_HANDLE, handle)?,
            None => {}
        }
        if let Some(id) = row.sku_id {
            sku(db, &mut known, SKU_BY_ID, id.0)?;
        }
        if let Some(code) = &row.sku_code {
            sku(db, &mut known, SKU_BY_CODE, code)?;
        }
    }
    Ok(known)
}

fn product(db: &Db, known: &mut Known, sql: &'static str, key: impl ToSql) -> Result<()> {
    let found = db.sql(sql)?.query_row([key], product_facts).optional()?;
    found.into_iter().for_each(|facts| known.product(facts));
    Ok(())
}

fn product_facts(row: &rusqlite::Row<'_>) -> rusqlite::Result<ProductFacts> {
    Ok(ProductFacts {
        id: ProductId(row.get(0)?),
        handle: row.get(1)?,
        name: row.get(2)?,
        brand: row.get(3)?,
        category: row.get(4)?,
        description: row.get(5)?,
    })
}

fn sku(db: &Db, known: &mut Known, sql: &'static str, key: impl ToSql) -> Result<()> {
    let found = db.sql(sql)?.query_row([key], catalogue_row).optional()?;
    found.into_iter().for_each(|row| known.sku(row));
    Ok(())
}

#[cfg(test)]
mod tests;

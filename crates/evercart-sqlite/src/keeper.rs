//! What the writer does besides the operations, so that a return to older data is noticed: it
//! counts commits, tells the mark how far the store has come, and notes that the store is awake.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use evercart_core::awake::{Awake, BEAT_EVERY};
use evercart_core::copy::Erasure;
use evercart_core::mark::{Life, Mark, MarkError, Remembered};

use crate::Options;
use crate::db::{Db, DbError, Result};
use crate::erasing;
use crate::life::{self, Note, RememberError, Settled};
use crate::migrate::{self, OpenError};
use crate::shown;

/// What is done in a transaction besides its operations, to be told of when it is on disk.
#[derive(Default)]
pub(crate) struct Kept {
    position: Option<(Life, i64)>,
    note: Option<Note>,
}

pub(crate) struct Keeper {
    mark: Option<Arc<dyn Mark>>,
    life: Life,
    awake: Arc<Awake>,
    /// What stands in the store of the present time of being awake.
    note: Option<Note>,
    /// Who was erased and is not on the list outside yet.
    unlisted: Vec<Erasure>,
    /// The log has been told that the mark cannot be written.
    complained: bool,
}

impl Keeper {
    /// Opens a file to write, and settles what it is before anybody is answered.
    pub(crate) fn open(path: &Path, options: &Options) -> Result<(Db, Self), OpenError> {
        let failed =
            |error: DbError| OpenError::Sqlite { path: path.to_owned(), source: error.into_sql() };
        let unmarked =
            |error: MarkError| OpenError::Mark { path: path.to_owned(), why: error.to_string() };
        // First: what is found in the file afterwards must not be older.
        let remembered = Remembered::of(options.mark.as_deref()).map_err(unmarked)?;
        let connection = migrate::open_and_migrate(path)?;
        shown::make_views(&connection)
            .map_err(|source| OpenError::Sqlite { path: path.to_owned(), source })?;
        let mut db = Db::new(connection, Arc::clone(&options.clock));
        db.limits = options.limits;
        let listed = options.mark.as_deref().map(Mark::erasures).transpose();
        let listed = listed.map_err(unmarked)?.unwrap_or_default();
        let settled = in_transaction(&db, |db| {
            let settled = life::settle(db, &remembered, options)?;
            let again =
                if matches!(settled, Settled::Shop) { erasing::repeat(db, &listed)? } else { 0 };
            Ok((settled, again))
        });
        let (settled, again) = settled.map_err(failed)?;
        if again > 0 {
            tracing::warn!(
                "{}: {again} customers who were erased were in older data, and are erased again",
                path.display()
            );
        }
        match settled {
            Settled::Shop => {}
            Settled::Retired(to) => {
                return Err(OpenError::Retired { path: path.to_owned(), to });
            }
            Settled::Emptied => return Err(OpenError::Emptied { path: path.to_owned() }),
        }
        if let Some(mark) = &options.mark {
            life::remember(&db, &**mark).map_err(|error| match error {
                RememberError::Db(error) => failed(error),
                RememberError::Mark(error) => unmarked(error),
            })?;
            let (_, reserved) = remembered;
            let numbers = reserved.max(life::numbers(&db).map_err(failed)?);
            db.reserve_with(Arc::clone(mark), numbers);
            // What a crash kept from the list, or an older program never listed.
            mark.list(&erasing::all(&db).map_err(failed)?).map_err(unmarked)?;
        }
        let life = life::life(&db).map_err(failed)?;
        let (mark, awake) = (options.mark.clone(), Arc::new(Awake::always()));
        // All of them are listed.
        db.take_erased();
        Ok((db, Self { mark, life, awake, note: None, unlisted: Vec::new(), complained: false }))
    }

    /// Notes that the store is awake, before it gives a token. On disk when it returns: programs
    /// beside this one, which sync what they write, then never build on what is not there.
    pub(crate) fn wake(&mut self, db: &Db) -> Result<()> {
        let (earlier, first) = in_transaction(db, |db| life::wake(db, db.now()))?;
        self.awake.begin(earlier, first.stretch);
        self.note = Some(first);
        Ok(())
    }

    /// Brings to disk what stands in the mark since before this process: the one that wrote it may
    /// have been killed in between. To be done before the first commit.
    pub(crate) fn begin(&mut self) {
        if let Some(mark) = self.mark.clone() {
            self.heed(mark.sync());
        }
    }

    pub(crate) fn awake(&self) -> Arc<Awake> {
        Arc::clone(&self.awake)
    }

    /// How long there may be nothing to do before a note is due.
    pub(crate) fn idles_for(&self) -> Option<Duration> {
        self.note.map(|_| BEAT_EVERY.unsigned_abs())
    }

    /// True if it is time to note that the store is awake.
    fn is_due(&self, now: i64) -> bool {
        self.note.is_some_and(|note| note.stretch.is_due(now))
    }

    /// What goes into a transaction before its commit.
    pub(crate) fn before_commit(&self, db: &Db, has_changes: bool) -> Result<Kept> {
        let now = db.now();
        let note = match self.note {
            Some(note) if self.is_due(now) => Some(note.next(db, now)?),
            _ => None,
        };
        let position = match has_changes || note.is_some() {
            true => Some(life::advance(db)?),
            false => None,
        };
        Ok(Kept { position, note })
    }

    /// What follows when it is on disk, before anybody is answered. True if somebody was erased.
    pub(crate) fn after_commit(&mut self, db: &Db, kept: Kept) -> bool {
        if let Some(note) = kept.note {
            self.note = Some(note);
            self.awake.beat(note.stretch);
        }
        let erased = db.take_erased();
        self.unlisted.extend(erased.iter().filter_map(|id| erasing::of(db, *id).ok().flatten()));
        if let Some(mark) = self.mark.clone()
            && let Some(at) = kept.position
        {
            self.remember(db, &*mark, at, kept.note.is_some());
        }
        !erased.is_empty()
    }

    fn remember(&mut self, db: &Db, mark: &dyn Mark, at: (Life, i64), is_beat: bool) {
        let told = self.tell(db, mark, at, is_beat);
        self.heed(told);
    }

    /// Logs the first failure of the mark in a row. The shop goes on: only a return to older data
    /// would now go unnoticed.
    fn heed(&mut self, told: Result<(), MarkError>) {
        let Err(error) = told else {
            self.complained = false;
            return;
        };
        if !std::mem::replace(&mut self.complained, true) {
            tracing::error!("{error}: a return to older data would go unnoticed");
        }
    }

    fn tell(
        &mut self,
        db: &Db,
        mark: &dyn Mark,
        (life, position): (Life, i64),
        is_beat: bool,
    ) -> Result<(), MarkError> {
        if !self.unlisted.is_empty() {
            mark.list(&self.unlisted)?;
            self.unlisted.clear();
        }
        // A new life is told at once and as a whole: the old one is over.
        if life != self.life {
            self.life = life;
            return match life::remember(db, mark) {
                Err(RememberError::Mark(error)) => Err(error),
                // What cannot be read now is told with the next commit.
                Ok(()) | Err(RememberError::Db(_)) => Ok(()),
            };
        }
        mark.advance(life, position)?;
        if is_beat { mark.sync() } else { Ok(()) }
    }
}

fn in_transaction<T>(db: &Db, work: impl FnOnce(&Db) -> Result<T>) -> Result<T> {
    db.connection.execute_batch("BEGIN IMMEDIATE")?;
    let worked = db.operation(work);
    let end = if worked.is_ok() { "COMMIT" } else { "ROLLBACK" };
    db.connection.execute_batch(end)?;
    worked
}

//! The store's life: which one it is, how far it has come, when it was awake, and what happens when
//! it turns out that the file was put back to an earlier moment.

use std::path::Path;

use async_trait::async_trait;
use evercart_core::awake::{Awake, REMEMBERED_FOR, STRETCHES_MAX, Stretch};
use evercart_core::continuity::{Continuity, Standing};
use evercart_core::error::Result as StoreResult;
use evercart_core::incarnation::Incarnation;
use evercart_core::mark::{
    Life, Mark, MarkError, NUMBERS, Numbers, PASSED_OVER, Progress, Remembered, Verdict,
};

use rusqlite::{OptionalExtension, Statement};

use crate::db::{Db, Result, open_for_reading, time};
use crate::sign_in::millis;
use crate::{Options, Sqlite};

/// The next number of each kind.
const NEXT: &str = "SELECT name, next FROM counters";

#[async_trait]
impl Continuity for Sqlite {
    fn awake(&self) -> &Awake {
        &self.awake
    }

    async fn standing(&self) -> StoreResult<Standing> {
        self.readers.read_snapshot(standing).await
    }

    async fn start_over(&self, number: i64, numbers: Numbers) -> StoreResult<Standing> {
        self.writer
            .write(move |db| {
                start_over(db, number, numbers)?;
                standing(db)
            })
            .await
    }
}

/// The life that the store is in.
pub(crate) fn life(db: &Db) -> Result<Life> {
    const LIFE: &str = "SELECT number, value FROM incarnation";
    Ok(db.sql(LIFE)?.query_row([], |row| {
        Ok(Life { number: row.get(0)?, incarnation: Incarnation(row.get(1)?) })
    })?)
}

/// When the life began, in milliseconds since 1970; `None` for the first.
pub(crate) fn began_at(db: &Db) -> Result<Option<i64>> {
    const SINCE: &str = "SELECT since FROM incarnation";
    Ok(db.sql(SINCE)?.query_row([], |row| row.get(0))?)
}

fn standing(db: &Db) -> Result<Standing> {
    let since = began_at(db)?.map(time);
    Ok(Standing { life: life(db)?, since, numbers: numbers(db)? })
}

/// The next number of each kind.
pub(crate) fn numbers(db: &Db) -> Result<Numbers> {
    Ok(read_numbers(&mut *db.sql(NEXT)?)?)
}

/// Reads what [`NEXT`] finds.
fn read_numbers(statement: &mut Statement<'_>) -> rusqlite::Result<Numbers> {
    let mut numbers = Numbers::default();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        numbers.set(&row.get::<_, String>(0)?, row.get(1)?);
    }
    Ok(numbers)
}

/// How far it has come, in which life.
pub(crate) fn progress(db: &Db) -> Result<Progress> {
    const POSITION: &str = "SELECT position FROM progress";
    let position = db.sql(POSITION)?.query_row([], |row| row.get(0))?;
    Ok(Progress { life: life(db)?, position, lineage: None })
}

/// Moves the position on, in the transaction that it stands for. Says in which life. Not with
/// `RETURNING`: a statement that does more than change one row keeps a journal of its own, whose
/// memory goes back to the system at its end, which costs more than the rest of a commit.
pub(crate) fn advance(db: &Db) -> Result<(Life, i64)> {
    const ADVANCE: &str = "UPDATE progress SET position = position + 1";
    db.change_one(ADVANCE, ())?;
    let Progress { life, position, .. } = progress(db)?;
    Ok((life, position))
}

/// Starts a new life.
pub(crate) fn start_over(db: &Db, number: i64, numbers: Numbers) -> Result<()> {
    const NEW_LIFE: &str = "UPDATE incarnation SET number = max(number, ?1) + 1, \
         value = abs(random() >> 1), since = ?2";
    const PASS_OVER: &str = "UPDATE counters SET next = max(next, ?2) WHERE name = ?1";
    // Customers ask for a new code; what everybody shares is counted anew.
    const VOID: [&str; 5] = [
        "DELETE FROM outbox",
        "DELETE FROM verification_codes",
        "DELETE FROM sign_in_keys",
        "DELETE FROM send_budget WHERE scope IN ('send_market', 'send_prefix')",
        "DELETE FROM store_facts WHERE name = 'retired'",
    ];
    db.change_one(NEW_LIFE, (number, db.now()))?;
    for name in NUMBERS {
        db.change_one(PASS_OVER, (name, numbers.of(name)))?;
    }
    for void in VOID {
        db.sql(void)?.execute([])?;
    }
    Ok(())
}

/// True if nobody ever used the shop.
fn is_empty(db: &Db) -> Result<bool> {
    const IS_EMPTY: &str =
        "SELECT NOT EXISTS (SELECT 1 FROM users) AND NOT EXISTS (SELECT 1 FROM products)";
    Ok(db.sql(IS_EMPTY)?.query_row([], |row| row.get(0))?)
}

/// Where the shop went, if it was moved away from this file.
fn retired(db: &Db) -> Result<Option<String>> {
    const RETIRED: &str = "SELECT value FROM store_facts WHERE name = 'retired'";
    Ok(db.sql(RETIRED)?.query_row([], |row| row.get(0)).optional()?)
}

/// What an opened file is, compared with what was remembered of it.
pub(crate) enum Settled {
    /// The shop, in the life that is current now.
    Shop,
    /// A shop that has moved away, to where this says.
    Retired(String),
    /// An empty file where there was a shop.
    Emptied,
}

/// Compares the store with what was remembered, and starts a new life if it was put back. In one
/// transaction, so that nobody is answered in between.
pub(crate) fn settle(
    db: &Db,
    (remembered, reserved): &(Remembered, Numbers),
    options: &Options,
) -> Result<Settled> {
    if let Some(place) = retired(db)?.filter(|_| !options.goes_back) {
        return Ok(Settled::Retired(place));
    }
    let verdict = remembered.verdict(&progress(db)?);
    let Verdict::Returned(how) = verdict else { return Ok(Settled::Shop) };
    let found = numbers(db)?;
    let was_used = remembered.speaks_against_empty(*reserved, found);
    if was_used && is_empty(db)? && !options.may_be_new {
        return Ok(Settled::Emptied);
    }
    // What is reserved outside is all that can have been given out; without that, a good deal more
    // than that is passed over.
    let passed = match remembered {
        Remembered::Unreadable => found.plus(PASSED_OVER),
        Remembered::Nothing | Remembered::Was(_) => *reserved,
    };
    start_over(db, remembered.life_number(), passed)?;
    tracing::warn!(
        "{} was put back to an earlier moment: {how}. Everybody signs in again; what was changed \
         since is gone, blocks and phone moves among it. Who was erased stays so. Numbers go on at \
         {}",
        db.connection.path().unwrap_or_default(),
        shown(numbers(db)?),
    );
    Ok(Settled::Shop)
}

fn shown(numbers: Numbers) -> String {
    let [user, order, product, sku] = numbers.0;
    format!("customer {user}, order #{order}, product {product}, SKU {sku}")
}

/// Begins a time of being awake, after those that are remembered.
pub(crate) fn wake(db: &Db, now: i64) -> Result<(Vec<Stretch>, Note)> {
    const FORGET: &str = "DELETE FROM awake WHERE until < ?1 OR run IN \
         (SELECT run FROM awake ORDER BY until DESC LIMIT -1 OFFSET ?2)";
    const EARLIER: &str = "SELECT since, until FROM awake";
    db.sql(FORGET)?.execute((now - millis(REMEMBERED_FOR), STRETCHES_MAX))?;
    let mut statement = db.sql(EARLIER)?;
    let earlier = statement
        .query_map([], |row| Ok(Stretch { since: row.get(0)?, until: row.get(1)? }))?
        .collect::<rusqlite::Result<_>>()?;
    let note = Note { run: draw_run(db)?, stretch: Stretch::begin(now) };
    note.write(db)?;
    Ok((earlier, note))
}

fn draw_run(db: &Db) -> Result<i64> {
    const DRAW: &str = "SELECT abs(random() >> 1)";
    Ok(db.sql(DRAW)?.query_row([], |row| row.get(0))?)
}

/// The present time of being awake, as it stands in the store.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Note {
    run: i64,
    pub(crate) stretch: Stretch,
}

impl Note {
    /// The note that follows at `now`: of the same stretch, unless there was a silence.
    pub(crate) fn next(self, db: &Db, now: i64) -> Result<Self> {
        let stretch = self.stretch.at(now);
        let run = if stretch.is_after(self.stretch) { draw_run(db)? } else { self.run };
        let note = Self { run, stretch };
        note.write(db)?;
        Ok(note)
    }

    fn write(self, db: &Db) -> Result<()> {
        const WRITE: &str = "INSERT INTO awake (run, since, until) VALUES (?1, ?2, ?3) \
             ON CONFLICT (run) DO UPDATE SET since = excluded.since, until = excluded.until";
        db.sql(WRITE)?.execute((self.run, self.stretch.since, self.stretch.until))?;
        Ok(())
    }
}

/// What is remembered outside from now on.
pub(crate) fn remember(db: &Db, mark: &dyn Mark) -> Result<(), RememberError> {
    let (progress, numbers) = (progress(db)?, numbers(db)?);
    Ok(mark.write(&progress, numbers)?)
}

/// Why nothing is remembered outside.
pub(crate) enum RememberError {
    Db(crate::db::DbError),
    Mark(MarkError),
}

impl From<crate::db::DbError> for RememberError {
    fn from(error: crate::db::DbError) -> Self {
        Self::Db(error)
    }
}

impl From<MarkError> for RememberError {
    fn from(error: MarkError) -> Self {
        Self::Mark(error)
    }
}

/// The next number of each kind in a file, if it can be read.
pub fn numbers_in(path: &Path) -> Option<Numbers> {
    let connection = open_for_reading(path).ok()?;
    read_numbers(&mut connection.prepare(NEXT).ok()?).ok()
}

/// True if the store in this file was ever served. Looks and changes nothing; of a file that cannot
/// be read, or of an older program, it says no.
pub fn was_served(path: &Path) -> bool {
    const SERVED: &str = "SELECT EXISTS (SELECT 1 FROM awake)";
    let looked = open_for_reading(path)
        .and_then(|connection| connection.query_row(SERVED, [], |row| row.get(0)));
    looked.unwrap_or(false)
}

//! The store's life: which one it is, how far it has come and on which server's log, and what
//! happens when it turns out that the database was put back to an earlier moment. Looked at on
//! every new connection, before anything is asked over it.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use async_trait::async_trait;
use evercart_core::awake::Awake;
use evercart_core::continuity::{Continuity, Standing};
use evercart_core::copy::Value;
use evercart_core::error::{Failed, Result as StoreResult};
use evercart_core::incarnation::Incarnation;
use evercart_core::mark::{
    Life, Lineage, Mark, MarkError, Numbers, PASSED_OVER, Progress, RESERVED_AT_ONCE, Remembered,
    Return, Verdict,
};
use tokio_postgres::{Client, GenericClient, Row};

use crate::Postgres;
use crate::copy_rows;
use crate::db::{DbError, time};
use crate::heartbeat::{Noted, Wakeful};
use crate::listed::Listed;

/// What there is to compare. A server that is not on its primary's log any more cannot say where
/// the log is, and is of no use anyway.
const LOOK: &str = "SELECT n.number, n.value, n.since, p.position, p.system, p.timeline, \
     p.is_synchronous, (SELECT c.system_identifier::TEXT FROM pg_control_system() c), \
     ('x' || left(pg_walfile_name(pg_current_wal_flush_lsn()), 8))::BIT(32)::BIGINT, \
     (pg_current_wal_flush_lsn() - '0/0'::PG_LSN)::BIGINT \
     FROM incarnation n CROSS JOIN progress p";

/// What a look found.
struct Found {
    progress: Progress,
    since: Option<i64>,
    /// What the store remembers of the server it was on, which a copy of it takes along.
    was_on: Option<(String, i64)>,
    /// Every commit was on a standby, too, before it was answered.
    is_synchronous: bool,
    lineage: Lineage,
}

impl Found {
    fn of(row: &Row) -> Self {
        let life = Life { number: row.get(0), incarnation: Incarnation(row.get(1)) };
        let lineage = Lineage { system: row.get(7), timeline: row.get(8), log: row.get(9) };
        let was_on = row.get::<_, Option<String>>(4).zip(row.get(5));
        Self {
            progress: Progress { life, position: row.get(3), lineage: Some(lineage.clone()) },
            since: row.get(2),
            was_on,
            is_synchronous: row.get(6),
            lineage,
        }
    }

    fn verdict(&self, remembered: &Remembered) -> Verdict {
        match self.moved() {
            Some(how) => Verdict::Returned(how),
            None => remembered.verdict(&self.progress),
        }
    }

    /// What the store itself says of where it is: a promotion, a recovery and a move to another
    /// server show without any memory outside of it.
    fn moved(&self) -> Option<Return> {
        let (system, from) = self.was_on.as_ref()?;
        let (from, to) = (*from, self.lineage.timeline);
        if *system != self.lineage.system {
            Some(Return::OtherServer)
        } else if from != to && !self.is_synchronous {
            Some(Return::OtherTimeline { from, to })
        } else {
            None
        }
    }

    fn is_where_it_was(&self) -> bool {
        let here = (self.lineage.system.as_str(), self.lineage.timeline);
        self.was_on.as_ref().is_some_and(|(system, timeline)| (system.as_str(), *timeline) == here)
    }
}

/// Knows how far the store has come, and whether it still is there.
pub(crate) struct Keeper {
    place: String,
    mark: Option<Arc<dyn Mark>>,
    known: Mutex<Known>,
    listed: Listed,
    /// An empty store in the place of a shop is meant.
    may_be_new: bool,
    /// What a server that gives tokens notes of itself.
    wakeful: OnceLock<Wakeful>,
}

struct Known {
    /// What was seen last, or is remembered from before the start.
    remembered: Remembered,
    /// Reserved outside.
    numbers: Numbers,
}

/// Why a connection is of no use.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// PostgreSQL could not say, or do, what is needed.
    Sql(tokio_postgres::Error),
    /// The mark cannot be used.
    Mark(String),
    /// There was a shop, and now there is an empty one.
    Emptied,
}

impl From<tokio_postgres::Error> for Refusal {
    fn from(error: tokio_postgres::Error) -> Self {
        Refusal::Sql(error)
    }
}

impl From<MarkError> for Refusal {
    fn from(error: MarkError) -> Self {
        Refusal::Mark(error.to_string())
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Refusal::Sql(error) => f.write_str(&crate::connect::explain(error)),
            Refusal::Mark(why) => f.write_str(why),
            Refusal::Emptied => f.write_str("the shop is empty, though there was one"),
        }
    }
}

impl Keeper {
    /// Of a store at a place, with what is remembered of it outside.
    pub(crate) fn new(
        place: String,
        mark: Option<Arc<dyn Mark>>,
        may_be_new: bool,
    ) -> Result<Self, MarkError> {
        let (remembered, numbers) = Remembered::of(mark.as_deref())?;
        let listed = Listed::of(mark.clone())?;
        let known = Mutex::new(Known { remembered, numbers });
        Ok(Self { place, mark, known, listed, may_be_new, wakeful: OnceLock::new() })
    }

    /// From now on this server notes that it is awake.
    pub(crate) fn keep_awake(&self, wakeful: Wakeful) {
        // A store is opened once.
        let _ = self.wakeful.set(wakeful);
    }

    /// What this server notes of itself, if it does that.
    pub(crate) fn wakeful(&self) -> Option<&Wakeful> {
        self.wakeful.get()
    }

    /// Notes that this server is awake, if it does that.
    pub(crate) async fn write_awake(
        &self,
        client: &Client,
    ) -> Result<Option<Noted>, tokio_postgres::Error> {
        match self.wakeful.get() {
            Some(wakeful) => wakeful.write(client).await.map(Some),
            None => Ok(None),
        }
    }

    /// What was noted is committed.
    pub(crate) fn awake(&self, noted: Option<Noted>) {
        if let (Some(wakeful), Some(noted)) = (self.wakeful.get(), noted) {
            wakeful.keep(noted);
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at a new connection's database before it is used, and starts a new life if it was put
    /// back. Of several that find out at once, one does.
    pub(crate) async fn admit(&self, client: &Client) -> Result<(), Refusal> {
        // Taken first: what is found afterwards must not be older.
        let remembered = self.known().remembered.clone();
        let found = Found::of(&client.query_one(LOOK, &[]).await?);
        let continues = found.verdict(&remembered) == Verdict::Continues;
        if continues && found.is_where_it_was() && self.listed.is_repeated() {
            self.note(found.progress);
            return Ok(());
        }
        self.settle(client, &remembered).await
    }

    /// The same with everybody else kept out, since there is something to write.
    async fn settle(&self, client: &Client, remembered: &Remembered) -> Result<(), Refusal> {
        client.batch_execute("BEGIN").await?;
        match self.settle_alone(client, remembered).await {
            Ok((found, note)) => {
                client.batch_execute("COMMIT").await?;
                self.awake(note);
                let progress = found.progress.clone();
                self.on_disk(move |mark| mark.write(&progress, Numbers::default())).await?;
                self.known().remembered = Remembered::Was(found.progress);
                self.listed.take_over(client).await
            }
            Err(refusal) => {
                // Where this fails the connection is lost, and the transaction with it.
                let _ = client.batch_execute("ROLLBACK").await;
                Err(refusal)
            }
        }
    }

    async fn settle_alone(
        &self,
        client: &Client,
        remembered: &Remembered,
    ) -> Result<(Found, Option<Noted>), Refusal> {
        const LOCK: &str = "SELECT 1 FROM progress FOR UPDATE";
        const HERE: &str = "UPDATE progress SET system = $1, timeline = $2";
        client.query_one(LOCK, &[]).await?;
        let found = Found::of(&client.query_one(LOOK, &[]).await?);
        if let Verdict::Returned(how) = found.verdict(remembered) {
            let (there, reserved) = (numbers(client).await?, self.known().numbers);
            let was_used = remembered.speaks_against_empty(reserved, there);
            if was_used && is_empty(client).await? && !self.may_be_new {
                return Err(Refusal::Emptied);
            }
            // What this server gave out is reserved; of others it knows what it last saw.
            let passed = reserved.max(there).plus(PASSED_OVER);
            let number = remembered.life_number();
            start_over(client, number, passed, unix_millis(client).await?).await?;
            tracing::warn!(
                "{} was put back to an earlier moment: {how}. Everybody signs in again; what was \
                 changed since is gone, blocks and phone moves among it. Who was erased stays so. \
                 Numbers go on at order #{}",
                self.place,
                passed.of("order"),
            );
        }
        // Also where another server began the new life, and knew of fewer.
        self.listed.repeat(client, &self.place).await?;
        let Lineage { system, timeline, .. } = &found.lineage;
        client.execute(HERE, &[system, timeline]).await?;
        // What this server noted of itself may be lost, and other servers must know when it was
        // awake before it gives anything out here.
        let note = self.write_awake(client).await?;
        Ok((Found::of(&client.query_one(LOOK, &[]).await?), note))
    }

    /// Takes over what was seen, if it is not behind what another connection saw.
    fn note(&self, progress: Progress) {
        let mut known = self.known();
        let log = |progress: &Progress| progress.lineage.as_ref().map(|lineage| lineage.log);
        let is_news = match &known.remembered {
            Remembered::Was(known) => progress.life != known.life || log(&progress) > log(known),
            Remembered::Nothing | Remembered::Unreadable => true,
        };
        if is_news {
            known.remembered = Remembered::Was(progress);
        }
    }

    /// Sees to it that numbers below `next` are never given out again, whatever becomes of the
    /// database. Before the commit that gives them out.
    pub(crate) async fn reserve(&self, kind: &str, next: i64) -> Result<(), Failed> {
        let mut numbers = self.known().numbers;
        if next <= numbers.of(kind) {
            return Ok(());
        }
        numbers.set(kind, next.saturating_add(RESERVED_AT_ONCE));
        let reserved = self.on_disk(move |mark| mark.reserve(numbers)).await;
        reserved.map_err(|refusal| Failed::Unavailable(refusal.to_string()))?;
        // Only now: a request beside this one, or after a failure, must write it too.
        self.raise(numbers);
        Ok(())
    }

    /// Changes the mark, if there is one, on a thread that may wait for the disk.
    async fn on_disk(
        &self,
        change: impl FnOnce(&dyn Mark) -> Result<(), MarkError> + Send + 'static,
    ) -> Result<(), Refusal> {
        let Some(mark) = self.mark.clone() else { return Ok(()) };
        let changing = tokio::task::spawn_blocking(move || change(&*mark));
        Ok(changing.await.map_err(|error| Refusal::Mark(error.to_string()))??)
    }

    /// Who was erased, to be listed outside.
    pub(crate) fn listed(&self) -> &Listed {
        &self.listed
    }

    /// Takes over numbers that the mark has.
    fn raise(&self, numbers: Numbers) {
        let mut known = self.known();
        known.numbers = known.numbers.max(numbers);
    }

    /// Remembers what was seen, outside, with the numbers that the database gives next.
    pub(crate) async fn remember(&self, client: &Client) -> Result<(), Refusal> {
        let found = Found::of(&client.query_one(LOOK, &[]).await?);
        let numbers = numbers(client).await?;
        let progress = found.progress.clone();
        self.on_disk(move |mark| mark.write(&progress, numbers)).await?;
        self.raise(numbers);
        self.note(found.progress);
        Ok(())
    }
}

/// The next number of each kind.
async fn numbers(client: &Client) -> Result<Numbers, tokio_postgres::Error> {
    let mut numbers = Numbers::default();
    for row in copy_rows::counters(client).await? {
        if let [Value::Text(name), Value::Integer(next)] = row.as_slice() {
            numbers.set(name, *next);
        }
    }
    Ok(numbers)
}

async fn is_empty(client: &Client) -> Result<bool, tokio_postgres::Error> {
    const IS_EMPTY: &str =
        "SELECT NOT EXISTS (SELECT 1 FROM users) AND NOT EXISTS (SELECT 1 FROM products)";
    Ok(client.query_one(IS_EMPTY, &[]).await?.get(0))
}

/// The database's own time, where no other is at hand.
async fn unix_millis(client: &Client) -> Result<i64, tokio_postgres::Error> {
    const NOW: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::BIGINT";
    Ok(client.query_one(NOW, &[]).await?.get(0))
}

/// Draws 62 bits that tell one from another; they are no secret.
pub(crate) async fn draw(
    client: &(impl GenericClient + Sync),
) -> Result<i64, tokio_postgres::Error> {
    const DRAW: &str = "SELECT ('x' || left(replace(gen_random_uuid()::TEXT, '-', ''), 16)) \
         ::BIT(64)::BIGINT & 4611686018427387903";
    Ok(client.query_one(DRAW, &[]).await?.get(0))
}

/// Starts a new life, in the caller's transaction.
pub(crate) async fn start_over(
    client: &(impl GenericClient + Sync),
    number: i64,
    numbers: Numbers,
    now: i64,
) -> Result<(), tokio_postgres::Error> {
    const NEW_LIFE: &str =
        "UPDATE incarnation SET number = greatest(number, $1) + 1, since = $2, value = $3";
    // Forward only, and even if the rest is undone: what is passed over is never given out.
    const PASS_OVER: &str = "SELECT setval(n.sequence::REGCLASS, n.least - 1) FROM \
         (SELECT 'user_numbers' AS sequence, $1::BIGINT AS least, \
         last_value + is_called::INTEGER AS next FROM user_numbers \
         UNION ALL SELECT 'order_numbers', $2, last_value + is_called::INTEGER FROM order_numbers \
         UNION ALL SELECT 'product_numbers', $3, last_value + is_called::INTEGER \
         FROM product_numbers \
         UNION ALL SELECT 'sku_numbers', $4, last_value + is_called::INTEGER FROM sku_numbers) n \
         WHERE n.next < n.least AND n.least > 1";
    // Customers ask for a new code; what everybody shares is counted anew.
    const VOID: &str = "DELETE FROM outbox; DELETE FROM verification_codes; \
         DELETE FROM sign_in_keys; \
         DELETE FROM send_budget WHERE scope IN ('send_market', 'send_prefix')";
    client.execute(NEW_LIFE, &[&number, &now, &draw(client).await?]).await?;
    let [user, order, product, sku] = numbers.0;
    client.query(PASS_OVER, &[&user, &order, &product, &sku]).await?;
    client.batch_execute(VOID).await
}

#[async_trait]
impl Continuity for Postgres {
    fn awake(&self) -> &Awake {
        &self.awake
    }

    fn publish_keys(&self, names: Vec<String>) {
        if let Some(wakeful) = self.keeper.wakeful() {
            wakeful.publish_keys(&names);
        }
    }

    async fn standing(&self) -> StoreResult<Standing> {
        let connection = self.lend().await?;
        standing(&connection).await.map_err(store_error)
    }

    async fn start_over(&self, number: i64, numbers: Numbers) -> StoreResult<Standing> {
        let now = self.now();
        let mut connection = self.lend().await?;
        let begun = connection.transaction().await.map_err(store_error)?;
        start_over(&*begun, number, numbers, now).await.map_err(store_error)?;
        begun.commit().await.map_err(store_error)?;
        self.keeper.remember(&connection).await.map_err(|refusal| match refusal {
            Refusal::Sql(error) => store_error(error),
            other => Failed::Unavailable(other.to_string()).into(),
        })?;
        standing(&connection).await.map_err(store_error)
    }
}

async fn standing(client: &Client) -> Result<Standing, tokio_postgres::Error> {
    let found = Found::of(&client.query_one(LOOK, &[]).await?);
    let numbers = numbers(client).await?;
    Ok(Standing { life: found.progress.life, since: found.since.map(time), numbers })
}

pub(crate) fn store_error(error: tokio_postgres::Error) -> evercart_core::error::StoreError {
    DbError::from(error).into_store_error()
}

#[cfg(test)]
mod tests;

//! A transaction with what every statement needs beside it: prepared statements and the time. Also
//! the one place where PostgreSQL's errors become the store's, and where is decided what is tried
//! again.

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Object, Transaction};
use evercart_core::error::{Failed, Refused, Result as StoreResult, StoreError};
use evercart_core::limits::CustomerLimits;
use jiff::Timestamp;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{IsolationLevel, Row};

use crate::Postgres;
use crate::connect::explain;
use crate::life::Keeper;

/// How often a transaction is tried that met another one or a lost connection. Each time it met
/// somebody who got on, so a handful is plenty.
const TURNS_MAX: u32 = 6;

/// The pause before the second turn; it doubles from turn to turn.
const PAUSE: Duration = Duration::from_millis(2);

pub(crate) type Result<T, E = DbError> = std::result::Result<T, E>;

/// The parameters of a statement.
pub(crate) type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

/// What can end a piece of SQL: the store's own word, or PostgreSQL's.
#[derive(Debug)]
pub(crate) enum DbError {
    Store(StoreError),
    Sql(tokio_postgres::Error),
    /// The connection was lost, or the server went away, after COMMIT was sent and before it was
    /// answered.
    CommitUnknown(tokio_postgres::Error),
    /// There is no connection to be had; that was logged when it began.
    Away(String),
}

impl From<tokio_postgres::Error> for DbError {
    fn from(error: tokio_postgres::Error) -> Self {
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
    /// True if PostgreSQL ended it so.
    pub(crate) fn violates(&self, state: &SqlState) -> bool {
        matches!(self, DbError::Sql(error) if error.code() == Some(state))
    }

    pub(crate) fn into_store_error(self) -> StoreError {
        match self {
            DbError::Store(error) => error,
            DbError::Sql(error) => failed(&error).into(),
            DbError::Away(why) => Failed::Unavailable(why).into(),
            DbError::CommitUnknown(error) => Failed::Unavailable(format!(
                "whether a change was kept is not known, its commit was not answered: {}",
                explain(&error)
            ))
            .into(),
        }
    }

    /// True if nothing was changed and another turn may go better: two transactions met, or the
    /// connection was lost before there was anything to lose.
    fn may_go_better(&self, turn: u32) -> bool {
        match self {
            // Of a second connection that takes no writes, no third one is made.
            DbError::Sql(error) if is_read_only(error) => turn == 1,
            DbError::Sql(error) => is_meeting(error) || is_loss(error),
            DbError::Store(_) | DbError::CommitUnknown(_) | DbError::Away(_) => false,
        }
    }
}

/// Two transactions met and one had to give way.
pub(crate) fn is_meeting(error: &tokio_postgres::Error) -> bool {
    error.code().is_some_and(|state| {
        *state == SqlState::T_R_SERIALIZATION_FAILURE || *state == SqlState::T_R_DEADLOCK_DETECTED
    })
}

/// The database, or the role, was told to take no writes. A new connection may find that over, or
/// the server that takes them.
pub(crate) fn is_read_only(error: &tokio_postgres::Error) -> bool {
    error.code() == Some(&SqlState::READ_ONLY_SQL_TRANSACTION)
}

/// The connection is of no use any more: lost, the server is going down, or it has become a standby
/// that takes no writes.
pub(crate) fn is_loss(error: &tokio_postgres::Error) -> bool {
    error.is_closed()
        || is_read_only(error)
        || error
            .code()
            .is_none_or(|state| state.code().starts_with("08") || state.code().starts_with("57P"))
}

/// What PostgreSQL's error means for the operator: away (down, full, overrun) or inconsistent.
pub(crate) fn failed(error: &tokio_postgres::Error) -> Failed {
    let text = explain(error);
    let Some(state) = error.code() else { return Failed::Unavailable(text) };
    if is_read_only(error) {
        return Failed::ReadOnly(text);
    }
    // Classes: connection, serialization, resources, operator intervention, system error,
    // authorization; and a lock that was not to be had.
    let away =
        ["08", "40", "53", "57", "58", "28"].iter().any(|class| state.code().starts_with(class));
    if away || *state == SqlState::LOCK_NOT_AVAILABLE {
        Failed::Unavailable(text)
    } else {
        Failed::Inconsistent(text)
    }
}

/// A transaction of one operation.
pub(crate) struct Db<'a> {
    transaction: Transaction<'a>,
    now: i64,
    is_distributed: bool,
    limits: CustomerLimits,
    keeper: Arc<Keeper>,
}

impl<'a> Db<'a> {
    /// Begins to change something.
    pub(crate) async fn begin(connection: &'a mut Object, store: &Postgres) -> Result<Self> {
        let transaction = connection.transaction().await?;
        Ok(Self::new(transaction, store))
    }

    fn new(transaction: Transaction<'a>, store: &Postgres) -> Self {
        Self {
            transaction,
            now: store.now(),
            is_distributed: store.target.distributed,
            limits: store.limits,
            keeper: Arc::clone(&store.keeper),
        }
    }

    /// Begins to read something that must all be of one moment.
    pub(crate) async fn begin_snapshot(
        connection: &'a mut Object,
        store: &Postgres,
    ) -> Result<Self> {
        let transaction = connection
            .build_transaction()
            .isolation_level(IsolationLevel::RepeatableRead)
            .read_only(true)
            .start()
            .await?;
        Ok(Self::new(transaction, store))
    }

    /// The time of this operation, in milliseconds since 1970.
    pub(crate) fn now(&self) -> i64 {
        self.now
    }

    /// Sees to it that numbers below `next` are never given out again. Before the commit that gives
    /// them out.
    pub(crate) async fn reserve(&self, kind: &str, next: i64) -> Result<()> {
        Ok(self.keeper.reserve(kind, next).await?)
    }

    /// True if what this transaction reads and changes lies on several servers.
    pub(crate) fn is_distributed(&self) -> bool {
        self.is_distributed
    }

    /// What one customer may do.
    pub(crate) fn limits(&self) -> &CustomerLimits {
        &self.limits
    }

    /// The transaction itself, for what is not a prepared statement.
    pub(crate) fn transaction(&self) -> &Transaction<'a> {
        &self.transaction
    }

    pub(crate) async fn query(&self, sql: &'static str, params: Params<'_>) -> Result<Vec<Row>> {
        let statement = self.transaction.prepare_cached(sql).await?;
        Ok(self.transaction.query(&statement, params).await?)
    }

    pub(crate) async fn query_opt(
        &self,
        sql: &'static str,
        params: Params<'_>,
    ) -> Result<Option<Row>> {
        let statement = self.transaction.prepare_cached(sql).await?;
        Ok(self.transaction.query_opt(&statement, params).await?)
    }

    pub(crate) async fn query_one(&self, sql: &'static str, params: Params<'_>) -> Result<Row> {
        let statement = self.transaction.prepare_cached(sql).await?;
        Ok(self.transaction.query_one(&statement, params).await?)
    }

    pub(crate) async fn execute(&self, sql: &'static str, params: Params<'_>) -> Result<u64> {
        let statement = self.transaction.prepare_cached(sql).await?;
        Ok(self.transaction.execute(&statement, params).await?)
    }

    /// As [`query`](Self::query), of a statement that was made from the list of tables.
    pub(crate) async fn query_made(&self, sql: &str, params: Params<'_>) -> Result<Vec<Row>> {
        Ok(self.transaction.query(sql, params).await?)
    }

    /// As [`execute`](Self::execute), of a statement that was made from the list of tables.
    pub(crate) async fn execute_made(&self, sql: &str, params: Params<'_>) -> Result<u64> {
        let statement = self.transaction.prepare_cached(sql).await?;
        Ok(self.transaction.execute(&statement, params).await?)
    }

    /// Runs a statement that must change exactly one row.
    pub(crate) async fn change_one(&self, sql: &'static str, params: Params<'_>) -> Result<()> {
        match self.execute(sql, params).await? {
            1 => Ok(()),
            n => {
                Err(Failed::Inconsistent(format!("{n} rows changed instead of 1 by: {sql}")).into())
            }
        }
    }

    /// Commits what went well and undoes the rest.
    pub(crate) async fn finish<T>(self, worked: Result<T>) -> Result<T> {
        match worked {
            Ok(value) => match self.transaction.commit().await {
                Ok(()) => Ok(value),
                Err(error) if error.as_db_error().is_some() && !is_loss(&error) => {
                    Err(error.into())
                }
                Err(error) => Err(DbError::CommitUnknown(error)),
            },
            Err(error) => {
                // Where this fails the connection is lost, and the transaction with it.
                let _ = self.transaction.rollback().await;
                Err(error)
            }
        }
    }
}

/// Runs an operation in a transaction, again where it met another one.
///
/// `transact!(store, |db| work(&db, …))`, where `work` is an async function and returns a
/// [`Result`].
macro_rules! transact {
    ($store:expr, |$db:ident| $work:expr) => {
        $crate::db::in_turns!($store, begin, |$db| $work)
    };
}

/// Reads several things as of one moment, in the form of [`transact!`].
macro_rules! snapshot {
    ($store:expr, |$db:ident| $work:expr) => {
        $crate::db::in_turns!($store, begin_snapshot, |$db| $work)
    };
}

macro_rules! in_turns {
    ($store:expr, $begin:ident, |$db:ident| $work:expr) => {{
        let mut turns = $crate::db::Turns::default();
        loop {
            let mut connection = $store.lend().await?;
            let outcome = match $crate::db::Db::$begin(&mut connection, $store).await {
                Ok($db) => {
                    let worked = $work.await;
                    $db.finish(worked).await
                }
                Err(error) => Err(error),
            };
            $crate::db::give_back(connection, &outcome);
            match turns.over(outcome).await {
                Some(result) => break result,
                None => continue,
            }
        }
    }};
}

pub(crate) use {in_turns, snapshot, transact};

/// Gives a connection back to the pool, unless nothing can be done with it any more: one that takes
/// no writes stays so, whatever becomes of the database.
pub(crate) fn give_back<T>(connection: Object, outcome: &Result<T>) {
    if matches!(outcome, Err(DbError::Sql(error)) if is_read_only(error)) {
        drop(Object::take(connection));
    }
}

/// Counts an operation's turns.
#[derive(Default)]
pub(crate) struct Turns(u32);

impl Turns {
    /// The operation's result, or nothing if it is to have another turn, after a pause.
    pub(crate) async fn over<T>(&mut self, outcome: Result<T>) -> Option<StoreResult<T>> {
        self.0 += 1;
        match outcome {
            Ok(value) => Some(Ok(value)),
            Err(error) if self.0 < TURNS_MAX && error.may_go_better(self.0) => {
                tracing::debug!(?error, turn = self.0, "a transaction has another turn");
                tokio::time::sleep(PAUSE * 2_u32.pow(self.0 - 1)).await;
                None
            }
            Err(error) => Some(Err(error.into_store_error())),
        }
    }
}

impl Postgres {
    /// A connection for one transaction.
    pub(crate) async fn lend(&self) -> StoreResult<Object> {
        self.pool.lend().await
    }
}

pub(crate) fn time(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A number that the schema keeps from being negative or too large.
pub(crate) fn unsigned<T: TryFrom<i64> + Default>(value: i64) -> T {
    T::try_from(value).unwrap_or_default()
}

//! A market spread over a Citus cluster: how its schema is spread, where a customer lies, and what
//! is asked in another way there because it lies on several servers. Everything else is said to a
//! cluster as it is said to one server.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{PoisonError, RwLock};

use evercart_core::error::Failed;
use evercart_core::ids::UserId;
use tokio_postgres::{Client, Transaction};

use crate::OpenError;
use crate::connect::Target;
use crate::db::{DbError, Result};
use crate::pool::Pool;

/// Spreads the tables.
const TABLES: &str = include_str!("../migrations/distribute.sql");

/// Spreads the tables that later migrations made, those that are not spread yet.
const LATER_TABLES: &str = include_str!("../migrations/distribute_later.sql");

/// Puts in place what functions are on a cluster.
const FUNCTIONS: &str = include_str!("../migrations/distribute_functions.sql");

/// Customers whose server is known, some 50 bytes each.
const CUSTOMERS_MAX: usize = 200_000;

/// How long it is taken for known, in milliseconds: shards are moved now and then.
const KNOWN_FOR: i64 = 60_000;

/// How often a server looks for rows that no longer count, in milliseconds: it asks every shard.
const FORGET_EVERY: i64 = 1_000;

/// The pieces on hand of several SKUs.
pub(crate) const ON_HAND: &str = "SELECT sku_id, on_hand FROM stock WHERE sku_id = ANY ($1)";

/// True if the market's tables are spread.
///
/// # Errors
/// They are though `target` says that they are not, or cannot be though it says that they are.
pub(crate) async fn look(client: &Client, target: &Target) -> Result<bool, OpenError> {
    const IS_CLUSTER: &str = "SELECT to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL";
    const LOOK: &str = "SELECT EXISTS (SELECT 1 FROM pg_dist_partition \
         WHERE logicalrelid = to_regclass($1)), \
         EXISTS (SELECT 1 FROM pg_dist_node WHERE isactive AND shouldhaveshards)";
    let failed = |error: tokio_postgres::Error| target.sql_failed(&error);
    let no_cluster = || OpenError::NoCluster { place: target.place.clone() };
    if !client.query_one(IS_CLUSTER, &[]).await.map_err(failed)?.get::<_, bool>(0) {
        return if target.distributed { Err(no_cluster()) } else { Ok(false) };
    }
    let users = format!("{}.users", target.schema);
    let row = client.query_one(LOOK, &[&users]).await.map_err(failed)?;
    match (target.distributed, row.get(0), row.get(1)) {
        (true, _, false) => Err(no_cluster()),
        (false, true, _) => Err(OpenError::Distributed {
            place: target.place.clone(),
            schema: target.schema.clone(),
        }),
        (_, is_spread, _) => Ok(is_spread),
    }
}

/// Readies a transaction that changes tables that are spread and then makes others: Citus wants one
/// connection to each server for both.
pub(crate) async fn prepare_to_migrate(
    transaction: &Transaction<'_>,
) -> Result<(), tokio_postgres::Error> {
    const PREPARE: &str = "SET LOCAL citus.multi_shard_modify_mode = 'sequential'";
    transaction.batch_execute(PREPARE).await
}

/// Spreads a market's tables, unless they are, and brings the functions into the form that works on
/// a cluster.
pub(crate) async fn spread(
    transaction: &Transaction<'_>,
    target: &Target,
) -> Result<(), OpenError> {
    let is_spread = look(transaction.client(), target).await?;
    let failed = |error: tokio_postgres::Error| target.sql_failed(&error);
    if !is_spread {
        transaction.batch_execute(TABLES).await.map_err(failed)?;
    }
    transaction.batch_execute(LATER_TABLES).await.map_err(failed)?;
    transaction.batch_execute(FUNCTIONS).await.map_err(failed)
}

/// Readies a transaction that fills all tables: whether the coordinator does its own part by itself
/// or through a connection may not change within one, and where a table refers to the catalogue
/// each server is to be spoken to through one connection.
pub(crate) async fn prepare_to_fill(
    transaction: &Transaction<'_>,
) -> Result<(), tokio_postgres::Error> {
    const PREPARE: &str = "SET LOCAL citus.enable_local_execution = off; \
         SET LOCAL citus.multi_shard_modify_mode = 'sequential'";
    transaction.batch_execute(PREPARE).await
}

/// What is said to whoever wants to put another shop in the place of one that is spread. Tables
/// that are made and filled in one transaction would make it wait for itself.
pub(crate) fn not_in_place(target: &Target, aside: &str) -> Failed {
    let schema = &target.schema;
    Failed::Unavailable(format!(
        "a shop that is spread over a cluster is not replaced in one step: give the schema \
         {schema} the name {aside} and start again"
    ))
}

/// Servers by customer, as they were at a moment.
#[derive(Default)]
struct Known {
    since: i64,
    servers: HashMap<i64, i64>,
}

/// Where customers lie. Only for knowing who is asked for together: if it is out of date, a call
/// crosses servers and is as right as before.
pub(crate) struct Shards {
    pool: Pool,
    known: RwLock<Known>,
    /// When rows that no longer count were last looked for.
    forgot_at: AtomicI64,
}

impl Shards {
    pub(crate) fn new(pool: Pool) -> Self {
        Self { pool, known: RwLock::default(), forgot_at: AtomicI64::new(0) }
    }

    /// The number of the server that the customer's shard is on.
    pub(crate) async fn server_of(&self, user: UserId, now: i64) -> Result<i64> {
        const SERVER: &str = "SELECT groupid::BIGINT FROM pg_dist_placement \
             WHERE shardid = get_shard_id_for_distribution_column('users', $1::BIGINT) LIMIT 1";
        {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            if now < known.since.saturating_add(KNOWN_FOR)
                && let Some(server) = known.servers.get(&user.0)
            {
                return Ok(*server);
            }
        }
        let connection = self.pool.lend().await.map_err(DbError::Store)?;
        let statement = connection.prepare_cached(SERVER).await?;
        let server = connection.query_one(&statement, &[&user.0]).await?.get(0);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if now >= known.since.saturating_add(KNOWN_FOR) || known.servers.len() >= CUSTOMERS_MAX {
            // Who is asked for again is found again.
            *known = Known { since: now, servers: HashMap::new() };
        }
        known.servers.insert(user.0, server);
        Ok(server)
    }

    /// Drops a few rows that no longer count, now and then and each by itself: a statement over
    /// several shards takes no locks in an order and cannot pass by what others hold.
    pub(crate) async fn forget_what_is_over(&self, now: i64) {
        let last = self.forgot_at.load(Ordering::Relaxed);
        let is_due = now >= last.saturating_add(FORGET_EVERY)
            && self
                .forgot_at
                .compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        if !is_due {
            return;
        }
        if let Err(error) = self.forget(now).await {
            // The next one forgets them.
            let error = error.into_store_error();
            tracing::debug!(%error, "rows that no longer count were not dropped");
        }
    }

    /// Drops a few rows of each kind that no longer count. Returns true if there may be more.
    pub(crate) async fn forget(&self, now: i64) -> Result<bool> {
        /// As many as the statements below find of a kind.
        const AT_ONCE: usize = 64;
        /// Which rows no longer count, and what drops one of them.
        const OVER: [(&str, &str); 3] = [
            (
                "SELECT scope, subject FROM send_budget WHERE ends_at <= $1 LIMIT 64",
                "DELETE FROM send_budget WHERE scope = $1 AND subject = $2 AND ends_at <= $3",
            ),
            (
                "SELECT purpose, phone FROM verification_codes WHERE expires_at <= $1 LIMIT 64",
                "DELETE FROM verification_codes \
                 WHERE purpose = $1 AND phone = $2 AND expires_at <= $3",
            ),
            (
                "SELECT key, phone FROM sign_in_keys \
                 WHERE expires_at <= $1::BIGINT - 86400000 LIMIT 64",
                "DELETE FROM sign_in_keys \
                 WHERE key = $1 AND phone = $2 AND expires_at <= $3::BIGINT - 86400000",
            ),
        ];
        let connection = self.pool.lend().await.map_err(DbError::Store)?;
        let mut is_more = false;
        for (find, drop) in OVER {
            let find = connection.prepare_cached(find).await?;
            let drop = connection.prepare_cached(drop).await?;
            let rows = connection.query(&find, &[&now]).await?;
            is_more |= rows.len() == AT_ONCE;
            for row in rows {
                let (word, hash): (&str, &[u8]) = (row.get(0), row.get(1));
                connection.execute(&drop, &[&word, &hash, &now]).await?;
            }
        }
        Ok(is_more)
    }
}

/// The pieces on hand of these SKUs, on a connection that has prepared [`ON_HAND`].
pub(crate) async fn on_hand(
    client: &Client,
    prepared: &tokio_postgres::Statement,
    mut skus: Vec<i64>,
) -> Result<HashMap<i64, i64>> {
    skus.sort_unstable();
    skus.dedup();
    if skus.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = client.query(prepared, &[&skus]).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

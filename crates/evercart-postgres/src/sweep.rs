//! The sweep of rows whose term is over. Idempotency keys go by the primary key, a step at a time,
//! so that no index has to be kept for it.

use async_trait::async_trait;
use evercart_core::error::Result as StoreResult;
use evercart_core::ids::UserId;
use evercart_core::sweep::{KeyPlace, SWEPT_AT_ONCE, Sweep};
use tokio_postgres::Row;

use crate::Postgres;
use crate::actor::remembered_since;
use crate::db::{Db, DbError, Params, Result, transact};
use crate::sign_in::forget_what_is_over;

#[async_trait]
impl Sweep for Postgres {
    async fn forget_old_keys(&self, after: Option<KeyPlace>) -> StoreResult<Option<KeyPlace>> {
        transact!(self, |db| old_keys(&db, after.as_ref()))
    }

    async fn forget_what_is_over(&self) -> StoreResult<bool> {
        let is_more = match &self.shards {
            Some(shards) => shards.forget(self.now()).await.map_err(DbError::into_store_error)?,
            None => transact!(self, |db| forget_what_is_over(&db))?,
        };
        Ok(transact!(self, |db| erasing_requests(&db))? || is_more)
    }
}

/// Forgets which requests erased somebody. Returns true if there may be more.
async fn erasing_requests(db: &Db<'_>) -> Result<bool> {
    const FORGET: &str = "UPDATE erasures SET request = NULL WHERE user_id IN \
         (SELECT user_id FROM erasures WHERE request IS NOT NULL AND erased_at <= $1 \
         ORDER BY erased_at LIMIT 16)";
    let since = remembered_since(db);
    Ok(db.execute(FORGET, &[&since]).await? == 16)
}

async fn old_keys(db: &Db<'_>, after: Option<&KeyPlace>) -> Result<Option<KeyPlace>> {
    const KEYS: &str = "SELECT user_id, key, created_at FROM idempotency_keys \
         WHERE (user_id, key) > ($1, $2) ORDER BY user_id, key LIMIT $3";
    // One that was used anew meanwhile is kept; another one of these customers may be old as well.
    const FORGET: &str = "DELETE FROM idempotency_keys \
         WHERE user_id = ANY ($1) AND key = ANY ($2) AND created_at <= $3";
    let since = remembered_since(db);
    let (user, key) = after.map_or((0, ""), |place| (place.user_id.0, &*place.key));
    let limit = i64::from(SWEPT_AT_ONCE);
    let params: Params<'_> = &[&user, &key, &limit];
    let rows = db.query(KEYS, params).await?;
    let old = rows.iter().filter(|row| row.get::<_, i64>(2) <= since);
    let (users, keys): (Vec<i64>, Vec<&str>) =
        old.map(|row| (row.get::<_, i64>(0), row.get::<_, &str>(1))).unzip();
    if !users.is_empty() {
        db.execute(FORGET, &[&users, &keys, &since]).await?;
    }
    let place = |row: &Row| KeyPlace { user_id: UserId(row.get(0)), key: row.get(1) };
    Ok(rows.last().filter(|_| rows.len() == SWEPT_AT_ONCE as usize).map(place))
}

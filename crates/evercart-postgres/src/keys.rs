//! The sweep of idempotency keys that are past their day: a step at a time, by the primary key, so
//! that no index has to be kept for it.

use async_trait::async_trait;
use evercart_core::error::Result as StoreResult;
use evercart_core::guard::{KeyPlace, Keys, SWEPT_AT_ONCE};
use evercart_core::ids::UserId;
use tokio_postgres::Row;

use crate::Postgres;
use crate::actor::remembered_since;
use crate::db::{Db, Params, Result, transact};

#[async_trait]
impl Keys for Postgres {
    async fn forget_old_keys(&self, after: Option<KeyPlace>) -> StoreResult<Option<KeyPlace>> {
        transact!(self, |db| sweep(&db, after.as_ref()))
    }
}

async fn sweep(db: &Db<'_>, after: Option<&KeyPlace>) -> Result<Option<KeyPlace>> {
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

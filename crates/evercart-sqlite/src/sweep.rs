//! The sweep of rows whose term is over. Idempotency keys go by the primary key, a step at a time,
//! so that no index has to be kept for it; what is old is found by a reader.

use async_trait::async_trait;
use evercart_core::error::Result as StoreResult;
use evercart_core::ids::UserId;
use evercart_core::sweep::{KeyPlace, SWEPT_AT_ONCE, Sweep};

use crate::Sqlite;
use crate::actor::remembered_since;
use crate::db::{Db, Result};
use crate::sign_in::forget_what_is_over;

#[async_trait]
impl Sweep for Sqlite {
    async fn forget_old_keys(&self, after: Option<KeyPlace>) -> StoreResult<Option<KeyPlace>> {
        let Step { old, next } = self.readers.read(move |db| look(db, after)).await?;
        if !old.is_empty() {
            self.writer.write(move |db| forget(db, &old)).await?;
        }
        Ok(next)
    }

    async fn forget_what_is_over(&self) -> StoreResult<bool> {
        const REQUESTS: &str = "UPDATE erasures SET request = NULL WHERE user_id IN \
             (SELECT user_id FROM erasures WHERE request IS NOT NULL AND erased_at <= ?1 \
             ORDER BY erased_at LIMIT 16)";
        self.writer
            .write(|db| {
                let is_more = forget_what_is_over(db, db.now())?;
                let since = remembered_since(db);
                let requests = db.sql(REQUESTS)?.execute([since])?;
                Ok(is_more || requests == 16)
            })
            .await
    }
}

struct Step {
    old: Vec<KeyPlace>,
    next: Option<KeyPlace>,
}

fn look(db: &Db, after: Option<KeyPlace>) -> Result<Step> {
    const KEYS: &str = "SELECT user_id, key, created_at FROM idempotency_keys \
         WHERE (user_id, key) > (?1, ?2) ORDER BY user_id, key LIMIT ?3";
    let since = remembered_since(db);
    let (user, key) = after.map_or((0, String::new()), |place| (place.user_id.0, place.key));
    let mut statement = db.sql(KEYS)?;
    let mut rows = statement.query((user, key, SWEPT_AT_ONCE))?;
    let (mut looked_at, mut old, mut next) = (0, Vec::new(), None);
    while let Some(row) = rows.next()? {
        let place = KeyPlace { user_id: UserId(row.get(0)?), key: row.get(1)? };
        if row.get::<_, i64>(2)? <= since {
            old.push(place.clone());
        }
        next = Some(place);
        looked_at += 1;
    }
    Ok(Step { old, next: next.filter(|_| looked_at == SWEPT_AT_ONCE) })
}

fn forget(db: &Db, old: &[KeyPlace]) -> Result<()> {
    // One that was used anew meanwhile is kept.
    const FORGET: &str = "DELETE FROM idempotency_keys \
         WHERE user_id = ?1 AND key = ?2 AND created_at <= ?3";
    let since = remembered_since(db);
    let mut statement = db.sql(FORGET)?;
    for KeyPlace { user_id, key } in old {
        statement.execute((user_id.0, key, since))?;
    }
    Ok(())
}

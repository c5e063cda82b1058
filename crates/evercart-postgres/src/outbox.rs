//! The outbox's SQL. Servers claim a message by moving its due time on from the one they saw: of
//! two that try at once, the second finds it moved. Each claim is one statement about one customer,
//! so it works as well where customers are spread over a cluster.

use async_trait::async_trait;
use evercart_core::account::WaitingMessage;
use evercart_core::error::{Failed, Result as StoreResult};
use evercart_core::ids::UserId;
use evercart_core::outbox::{Claim, ClaimedMessage, Message, MessageKind, Outbox};
use evercart_core::phone::Phone;
use jiff::SignedDuration;
use tokio_postgres::Row;

use crate::Postgres;
use crate::db::{Db, DbError, Params, Result, time, transact, unsigned};
use crate::sign_in::millis;

#[async_trait]
impl Outbox for Postgres {
    async fn claim_messages(
        &self,
        most: u32,
        lease: SignedDuration,
    ) -> StoreResult<Vec<ClaimedMessage>> {
        self.claim(most, lease).await.map_err(DbError::into_store_error)
    }

    async fn settle_message(&self, claim: Claim) -> StoreResult<bool> {
        const SETTLE: &str = "DELETE FROM outbox WHERE user_id = $1 AND id = $2 AND due_at = $3";
        let until = claim.until.as_millisecond();
        transact!(self, |db| async {
            let params: Params<'_> = &[&claim.user_id.0, &claim.id, &until];
            Ok(db.execute(SETTLE, params).await? == 1)
        })
    }

    async fn put_off_message(&self, claim: Claim, by: SignedDuration) -> StoreResult<bool> {
        const PUT_OFF: &str =
            "UPDATE outbox SET due_at = $4 WHERE user_id = $1 AND id = $2 AND due_at = $3";
        let until = claim.until.as_millisecond();
        transact!(self, |db| async {
            let due_at = db.now() + millis(by);
            let params: Params<'_> = &[&claim.user_id.0, &claim.id, &until, &due_at];
            Ok(db.execute(PUT_OFF, params).await? == 1)
        })
    }

    async fn waiting_messages(&self) -> StoreResult<u64> {
        const WAITING: &str = "SELECT count(*) FROM outbox WHERE kind = ANY ($1)";
        let kinds = MessageKind::ALL.map(MessageKind::as_str);
        let row = self.look(WAITING, &[&kinds.as_slice()]).await?;
        Ok(row.map_or(0, |row| unsigned(row.get(0))))
    }
}

impl Postgres {
    async fn claim(&self, most: u32, lease: SignedDuration) -> Result<Vec<ClaimedMessage>> {
        const DUE: &str = "SELECT user_id, id, due_at FROM outbox \
             WHERE kind = $1 AND due_at <= $2 ORDER BY due_at LIMIT $3";
        const CLAIM: &str = "UPDATE outbox SET due_at = $4, attempts = attempts + 1 \
             WHERE user_id = $1 AND id = $2 AND due_at = $3 \
             RETURNING user_id, id, kind, recipient, body, written_at, due_at, attempts";
        let connection = self.lend().await.map_err(DbError::Store)?;
        let now = self.now();
        let due = connection.prepare_cached(DUE).await?;
        let claim = connection.prepare_cached(CLAIM).await?;
        let until = now + millis(lease);
        let mut claimed = Vec::new();
        for kind in MessageKind::ALL {
            let left = i64::from(most) - claimed.len() as i64;
            for row in connection.query(&due, &[&kind.as_str(), &now, &left]).await? {
                let (user, id, seen): (i64, i64, i64) = (row.get(0), row.get(1), row.get(2));
                match connection.query_opt(&claim, &[&user, &id, &seen, &until]).await {
                    Ok(Some(row)) => claimed.push(claimed_message(&row)?),
                    // Another server was quicker.
                    Ok(None) => {}
                    // What is claimed already is to be sent before its lease is over.
                    Err(_) if !claimed.is_empty() => return Ok(claimed),
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(claimed)
    }
}

/// A customer's messages that wait.
pub(crate) async fn waiting(db: &Db<'_>, user: UserId) -> Result<Vec<WaitingMessage>> {
    const WAITING: &str =
        "SELECT recipient, body, written_at FROM outbox WHERE user_id = $1 ORDER BY id";
    let message = |row: &tokio_postgres::Row| WaitingMessage {
        to: Phone::from_stored(row.get(0)).masked(),
        text: row.get(1),
        written_at: time(row.get(2)),
    };
    Ok(db.query(WAITING, &[&user.0]).await?.iter().map(message).collect())
}

/// Writes a message down, in the transaction of the change that it follows from, which has locked
/// the customer's row.
pub(crate) async fn write_down(db: &Db<'_>, user: UserId, message: &Message) -> Result<()> {
    const WRITE: &str = "INSERT INTO outbox \
         (user_id, id, kind, recipient, body, written_at, due_at, attempts) \
         SELECT $1::BIGINT, coalesce(max(id), 0) + 1, $2::TEXT, $3::TEXT, $4::TEXT, $5::BIGINT, \
         $5::BIGINT, 0 FROM outbox WHERE user_id = $1";
    let (kind, to) = (message.kind.as_str(), message.to.as_str());
    db.change_one(WRITE, &[&user.0, &kind, &to, &message.text, &db.now()]).await
}

fn claimed_message(row: &Row) -> Result<ClaimedMessage> {
    let word: &str = row.get(2);
    let unknown = || Failed::Inconsistent(format!("the outbox has a kind {word:?}"));
    Ok(ClaimedMessage {
        claim: Claim { user_id: UserId(row.get(0)), id: row.get(1), until: time(row.get(6)) },
        message: Message {
            kind: MessageKind::named(word).ok_or_else(unknown)?,
            to: Phone::from_stored(row.get(3)),
            text: row.get(4),
        },
        attempts: unsigned(row.get::<_, i32>(7).into()),
        written_at: time(row.get(5)),
    })
}

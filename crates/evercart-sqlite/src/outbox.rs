//! The outbox's SQL. Only the writer claims, so no message is claimed twice at a time; one server
//! has the file to itself.

use async_trait::async_trait;
use evercart_core::account::WaitingMessage;
use evercart_core::error::{Failed, Result as StoreResult};
use evercart_core::ids::UserId;
use evercart_core::outbox::{Claim, ClaimedMessage, Message, MessageKind, Outbox};
use evercart_core::phone::Phone;
use jiff::SignedDuration;
use rusqlite::Row;

use crate::Sqlite;
use crate::db::{Db, Result, time, unsigned};
use crate::sign_in::millis;

#[async_trait]
impl Outbox for Sqlite {
    async fn claim_messages(
        &self,
        most: u32,
        lease: SignedDuration,
    ) -> StoreResult<Vec<ClaimedMessage>> {
        // Nearly always there is nothing, and finding that out needs no commit.
        if !self.readers.read(is_any_due).await? {
            return Ok(Vec::new());
        }
        self.writer.write(move |db| claim(db, most, lease)).await
    }

    async fn settle_message(&self, claim: Claim) -> StoreResult<bool> {
        const SETTLE: &str = "DELETE FROM outbox WHERE user_id = ?1 AND id = ?2 AND due_at = ?3";
        let until = claim.until.as_millisecond();
        self.writer
            .write(move |db| {
                let row = (claim.user_id.0, claim.id, until);
                Ok(db.sql(SETTLE)?.execute(row)? == 1)
            })
            .await
    }

    async fn put_off_message(&self, claim: Claim, by: SignedDuration) -> StoreResult<bool> {
        const PUT_OFF: &str =
            "UPDATE outbox SET due_at = ?4 WHERE user_id = ?1 AND id = ?2 AND due_at = ?3";
        let until = claim.until.as_millisecond();
        self.writer
            .write(move |db| {
                let row = (claim.user_id.0, claim.id, until, db.now() + millis(by));
                Ok(db.sql(PUT_OFF)?.execute(row)? == 1)
            })
            .await
    }

    async fn waiting_messages(&self) -> StoreResult<u64> {
        const WAITING: &str = "SELECT count(*) FROM outbox WHERE kind = ?1";
        self.readers
            .read(|db| {
                let mut waiting = 0;
                for kind in MessageKind::ALL {
                    let count = db.sql(WAITING)?.query_row([kind.as_str()], |row| row.get(0))?;
                    waiting += unsigned::<u64>(count);
                }
                Ok(waiting)
            })
            .await
    }
}

/// Writes a message down, in the transaction of the change that it follows from.
pub(crate) fn write_down(db: &Db, user: UserId, message: &Message) -> Result<()> {
    const WRITE: &str = "INSERT INTO outbox \
         (user_id, id, kind, recipient, body, written_at, due_at, attempts) VALUES (?1, \
         (SELECT coalesce(max(id), 0) + 1 FROM outbox WHERE user_id = ?1), ?2, ?3, ?4, ?5, ?5, 0)";
    let (kind, to) = (message.kind.as_str(), message.to.as_str());
    db.sql(WRITE)?.execute((user.0, kind, to, &message.text, db.now()))?;
    Ok(())
}

/// A customer's messages that wait.
pub(crate) fn waiting(db: &Db, user: UserId) -> Result<Vec<WaitingMessage>> {
    const WAITING: &str =
        "SELECT recipient, body, written_at FROM outbox WHERE user_id = ?1 ORDER BY id";
    let mut statement = db.sql(WAITING)?;
    let messages = statement.query_map([user.0], |row| {
        let to = Phone::from_stored(row.get(0)?).masked();
        Ok(WaitingMessage { to, text: row.get(1)?, written_at: time(row.get(2)?) })
    })?;
    Ok(messages.collect::<rusqlite::Result<_>>()?)
}

fn is_any_due(db: &Db) -> Result<bool> {
    const DUE: &str = "SELECT EXISTS (SELECT 1 FROM outbox WHERE kind = ?1 AND due_at <= ?2)";
    for kind in MessageKind::ALL {
        if db.sql(DUE)?.query_row((kind.as_str(), db.now()), |row| row.get(0))? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn claim(db: &Db, most: u32, lease: SignedDuration) -> Result<Vec<ClaimedMessage>> {
    const DUE: &str = "SELECT user_id, id FROM outbox WHERE kind = ?1 AND due_at <= ?2 \
         ORDER BY due_at LIMIT ?3";
    const CLAIM: &str = "UPDATE outbox SET due_at = ?3, attempts = attempts + 1 \
         WHERE user_id = ?1 AND id = ?2 \
         RETURNING user_id, id, kind, recipient, body, written_at, due_at, attempts";
    let now = db.now();
    let mut claimed = Vec::new();
    for kind in MessageKind::ALL {
        let due: Vec<(i64, i64)> = db
            .sql(DUE)?
            .query_map((kind.as_str(), now, i64::from(most) - claimed.len() as i64), |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?
            .collect::<rusqlite::Result<_>>()?;
        for (user, id) in due {
            let row = (user, id, now + millis(lease));
            claimed.push(db.sql(CLAIM)?.query_row(row, |row| Ok(claimed_message(row)))??);
        }
    }
    Ok(claimed)
}

fn claimed_message(row: &Row<'_>) -> Result<ClaimedMessage> {
    let word: String = row.get(2)?;
    let unknown = || Failed::Inconsistent(format!("the outbox has a kind {word:?}"));
    Ok(ClaimedMessage {
        claim: Claim { user_id: UserId(row.get(0)?), id: row.get(1)?, until: time(row.get(6)?) },
        message: Message {
            kind: MessageKind::named(&word).ok_or_else(unknown)?,
            to: Phone::from_stored(row.get(3)?),
            text: row.get(4)?,
        },
        attempts: unsigned(row.get(7)?),
        written_at: time(row.get(5)?),
    })
}

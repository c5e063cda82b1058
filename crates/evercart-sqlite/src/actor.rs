//! The door: every operation of a customer passes here first, in its own transaction, and learns
//! whether the session is still one and whether the very request was carried out before.

use evercart_core::error::{Failed, Refused};
use evercart_core::guard::{Guard, IDEMPOTENCY_LIFETIME, IdempotencyKey};
use evercart_core::ids::UserId;
use evercart_core::operator::By;
use evercart_core::user::Session;
use rusqlite::OptionalExtension;

use crate::db::{Db, Result};

/// A session that was compared with its user's row, and the catalogue's version of that moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Actor {
    pub(crate) user_id: UserId,
    pub(crate) catalogue_version: i64,
}

/// What a guarded operation finds when it begins.
pub(crate) enum Begun {
    /// It is to be done.
    Fresh(Actor),
    /// It was done under this key; `resource` is the id of what it made or changed.
    Replay { resource: i64 },
}

/// The user's row, as far as it decides who is let in.
pub(crate) fn compare(
    session: Session,
    is_active: bool,
    blocked_at: Option<i64>,
    epoch: i64,
    incarnation: i64,
) -> Result<(), Refused> {
    if session.incarnation.0 != incarnation {
        Err(Refused::Returned)
    } else if blocked_at.is_some() {
        Err(Refused::UserBlocked)
    } else if !is_active || epoch != session.epoch {
        Err(Refused::SignedOut)
    } else {
        Ok(())
    }
}

const USER: &str = "SELECT is_active, blocked_at, session_epoch, \
     (SELECT value FROM incarnation), (SELECT version FROM catalogue_version) \
     FROM users WHERE id = ?1";

/// Lets a session in, or says why not.
pub(crate) fn admit(db: &Db, session: Session) -> Result<Actor> {
    let row = db
        .sql(USER)?
        .query_row([session.user_id.0], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
        })
        .optional()?;
    let (is_active, blocked_at, epoch, incarnation, catalogue_version) =
        row.ok_or(Refused::UnknownUser)?;
    compare(session, is_active, blocked_at, epoch, incarnation)?;
    Ok(Actor { user_id: session.user_id, catalogue_version })
}

/// Lets a session in for a mutation.
pub(crate) fn begin_as(db: &Db, session: Session, guard: &Guard) -> Result<Begun> {
    let actor = admit(db, session)?;
    if let Some(key) = &guard.idempotency
        && let Some(resource) = resource_of(db, actor.user_id, key)?
    {
        return Ok(Begun::Replay { resource });
    }
    Ok(Begun::Fresh(actor))
}

const REMEMBERED: &str = "SELECT fingerprint, resource, created_at FROM idempotency_keys \
     WHERE user_id = ?1 AND key = ?2";

/// What was made under this key, if it was used.
pub(crate) fn resource_of(db: &Db, user: UserId, key: &IdempotencyKey) -> Result<Option<i64>> {
    let row = db
        .sql(REMEMBERED)?
        .query_row((user.0, &key.key), |row| {
            Ok((row.get::<_, Vec<u8>>(0)?, row.get(1)?, row.get::<_, i64>(2)?))
        })
        .optional()?;
    let Some((fingerprint, resource, created_at)) = row else { return Ok(None) };
    if created_at <= remembered_since(db) {
        return Ok(None);
    }
    if fingerprint != key.fingerprint {
        return Err(Refused::IdempotencyKeyReused.into());
    }
    Ok(Some(resource))
}

const REMEMBER: &str = "INSERT INTO idempotency_keys (user_id, key, fingerprint, resource, \
     created_at) \
     VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (user_id, key) DO UPDATE SET \
     fingerprint = excluded.fingerprint, resource = excluded.resource, created_at = \
     excluded.created_at";

/// Writes down, in the operation's own transaction, that it was done.
pub(crate) fn remember(db: &Db, user: UserId, guard: &Guard, resource: i64) -> Result<()> {
    if let Some(key) = &guard.idempotency {
        let row = (user.0, &key.key, key.fingerprint.as_slice(), resource, db.now());
        db.sql(REMEMBER)?.execute(row)?;
    }
    Ok(())
}

const FORGET_OLD_KEYS: &str =
    "DELETE FROM idempotency_keys WHERE user_id = ?1 AND created_at <= ?2";

/// Drops this user's keys that are past their day. Called at sign-in, which is rare enough that
/// looking at all of a user's keys costs little.
pub(crate) fn forget_old_keys(db: &Db, user: UserId) -> Result<()> {
    db.sql(FORGET_OLD_KEYS)?.execute((user.0, remembered_since(db)))?;
    Ok(())
}

/// Keys that are not younger than this moment are past their day.
pub(crate) fn remembered_since(db: &Db) -> i64 {
    db.now() - IDEMPOTENCY_LIFETIME.as_secs() * 1000
}

const AUDIT: &str = "INSERT INTO audit_log (user_id, id, at, action, who, reason) VALUES (?1, \
     (SELECT coalesce(max(id), 0) + 1 FROM audit_log WHERE user_id = ?1), ?2, ?3, ?4, ?5)";

/// Leaves a line about what was done to a customer.
pub(crate) fn audit(db: &Db, user: UserId, action: &'static str, by: &By) -> Result<()> {
    db.sql(AUDIT)?.execute((user.0, db.now(), action, &by.who, &by.reason))?;
    Ok(())
}

/// Takes the next of a numbered thing (`user`, `order`).
pub(crate) fn take_number(db: &Db, counter: &'static str) -> Result<i64> {
    const NEXT: &str = "SELECT next FROM counters WHERE name = ?1";
    const TAKE: &str = "UPDATE counters SET next = next + 1 WHERE name = ?1";
    let number: Option<i64> = db.sql(NEXT)?.query_row([counter], |row| row.get(0)).optional()?;
    let number =
        number.ok_or_else(|| Failed::Inconsistent(format!("the counter {counter} is missing")))?;
    db.change_one(TAKE, [counter])?;
    db.reserve(counter, number + 1)?;
    Ok(number)
}

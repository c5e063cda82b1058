//! The door: every operation of a customer passes here first, in its own transaction, and learns
//! whether the session is still one and whether the very request was carried out before. For
//! changes the door is the SQL function `begin_as`, which also locks the user's row; reads compare
//! the row themselves.

use evercart_core::error::{Failed, Refused};
use evercart_core::guard::{Guard, IDEMPOTENCY_LIFETIME};
use evercart_core::ids::UserId;
use evercart_core::operator::By;
use evercart_core::user::Session;

use crate::db::{Db, Params, Result};

/// What a guarded operation finds when it begins.
pub(crate) enum Begun {
    /// It is to be done.
    Fresh,
    /// It was done under this key; `resource` is the id of what it made or changed.
    Replay { resource: i64 },
}

/// The user's row, as far as it decides who is let in.
pub(crate) fn compare(
    session: Session,
    is_active: bool,
    is_blocked: bool,
    epoch: i64,
    incarnation: i64,
) -> Result<(), Refused> {
    if session.incarnation.0 != incarnation {
        Err(Refused::Returned)
    } else if is_blocked {
        Err(Refused::UserBlocked)
    } else if !is_active || epoch != session.epoch {
        Err(Refused::SignedOut)
    } else {
        Ok(())
    }
}

/// Lets a session in to read, or says why not.
pub(crate) async fn admit(db: &Db<'_>, session: Session) -> Result<()> {
    const USER: &str = "SELECT is_active, blocked_at IS NOT NULL, session_epoch, \
         (SELECT value FROM incarnation) FROM users WHERE id = $1";
    let row = db.query_opt(USER, &[&session.user_id.0]).await?.ok_or(Refused::UnknownUser)?;
    Ok(compare(session, row.get(0), row.get(1), row.get(2), row.get(3))?)
}

/// Lets a session in for a change, and makes every other change of this customer wait until it is
/// done.
pub(crate) async fn begin_as(db: &Db<'_>, session: Session, guard: &Guard) -> Result<Begun> {
    const BEGIN: &str = "SELECT outcome, resource FROM begin_as($1, $2, $3, $4, $5, $6)";
    let key = guard.idempotency.as_ref();
    let (key, fingerprint) = (key.map(|key| &key.key), key.map(|key| key.fingerprint.as_slice()));
    let Session { user_id, epoch, incarnation } = session;
    let params: Params<'_> = &[&user_id.0, &epoch, &incarnation.0, &db.now(), &key, &fingerprint];
    let row = db.query_one(BEGIN, params).await?;
    match row.get(0) {
        "fresh" => Ok(Begun::Fresh),
        "replayed" => Ok(Begun::Replay { resource: row.get(1) }),
        word => Err(refusal_at_the_door(word)?.into()),
    }
}

/// What a word of `begin_as` stands for.
pub(crate) fn refusal_at_the_door(word: &str) -> Result<Refused, Failed> {
    Ok(match word {
        "unknown_user" => Refused::UnknownUser,
        "user_blocked" => Refused::UserBlocked,
        "signed_out" => Refused::SignedOut,
        "returned" => Refused::Returned,
        "key_reused" => Refused::IdempotencyKeyReused,
        word => return Err(Failed::Inconsistent(format!("the database answered {word:?}"))),
    })
}

/// Writes down, in the operation's own transaction, that it was done.
pub(crate) async fn remember(
    db: &Db<'_>,
    user: UserId,
    guard: &Guard,
    resource: i64,
) -> Result<()> {
    const REMEMBER: &str = "SELECT remember($1, $2, $3, $4, $5)";
    if let Some(key) = &guard.idempotency {
        let fingerprint = key.fingerprint.as_slice();
        db.query_one(REMEMBER, &[&user.0, &db.now(), &key.key, &fingerprint, &resource]).await?;
    }
    Ok(())
}

/// Drops this user's keys that are past their day. Called at sign-in, which is rare enough that
/// looking at all of a user's keys costs little.
pub(crate) async fn forget_old_keys(db: &Db<'_>, user: UserId) -> Result<()> {
    const FORGET_OLD_KEYS: &str =
        "DELETE FROM idempotency_keys WHERE user_id = $1 AND created_at <= $2";
    db.execute(FORGET_OLD_KEYS, &[&user.0, &remembered_since(db)]).await?;
    Ok(())
}

/// Keys that are not younger than this moment are past their day.
pub(crate) fn remembered_since(db: &Db<'_>) -> i64 {
    db.now() - IDEMPOTENCY_LIFETIME.as_secs() * 1000
}

/// Leaves a line about what was done to a customer, whose row is locked.
pub(crate) async fn audit(db: &Db<'_>, user: UserId, action: &'static str, by: &By) -> Result<()> {
    const AUDIT: &str = "INSERT INTO audit_log (user_id, id, at, action, who, reason) \
         SELECT $1::BIGINT, coalesce(max(id), 0) + 1, $2::BIGINT, $3::TEXT, $4::TEXT, $5::TEXT \
         FROM audit_log WHERE user_id = $1";
    db.execute(AUDIT, &[&user.0, &db.now(), &action, &by.who, &by.reason]).await?;
    Ok(())
}

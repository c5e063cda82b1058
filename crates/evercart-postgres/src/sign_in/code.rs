//! Codes: granted if there is room for them, withdrawn if they could not be sent.

use evercart_core::code::{KeyedHash, Purpose};
use evercart_core::continuity::limit_after_return;
use evercart_core::error::Refused;
use evercart_core::guard::Done;
use evercart_core::ids::UserId;
use evercart_core::phone::Phone;
use evercart_core::sign_in::{CodeRequest, Granted, UNSENT_KEY_LIFETIME, UnsentCode};
use futures_util::future::{try_join3, try_join5};

use super::before_user::{early_key, remember_early};
use super::budget::{duration, forget_what_is_over, give_back_all, millis, spend_all};
use super::{LOCK, lock, prepare};
use crate::db::{Db, Result};

pub(super) async fn grant(db: &Db<'_>, request: &CodeRequest) -> Result<Done<Granted>> {
    let (phone, now) = (request.phone, db.now());
    prepare(db, [LOCK]).await?;
    // Each statement sees what is there when its turn comes, which is when the lock is held.
    let ((), before, locked_until, outstanding, is_own_phone) = try_join5(
        lock(db, &[phone]),
        early_key(db, phone, request.idempotency.as_ref()),
        locked_until(db, phone),
        outstanding(db, phone, request.purpose),
        is_phone_of(db, &request.number, request.claimed_by),
    )
    .await?;
    if before.is_some() {
        return Ok(Done::before(Granted::default()));
    }
    refuse_until(locked_until, now)?;
    if let (Some(resend_after), Some(outstanding)) = (request.resend_after, outstanding) {
        let wait = outstanding.sent_at + millis(resend_after) - now;
        if wait > 0 {
            return Err(Refused::RateLimited { retry_after: duration(wait) }.into());
        }
    }
    let since = began_at(db).await?;
    // A refusal undoes what was written beside it.
    let ((), (), spent) = try_join3(
        write_code(db, request, is_own_phone),
        remember_early(
            db,
            phone,
            request.idempotency.as_ref(),
            None,
            now + millis(UNSENT_KEY_LIFETIME),
        ),
        spend_all(db, &request.budgets),
    )
    .await?;
    let mut granted = Granted::default();
    for (budget, spent) in request.budgets.iter().zip(spent) {
        let limit = budget.limit_for(is_own_phone);
        if spent.count > limit_after_return(budget.scope, limit, since, now) {
            return Err(Refused::RateLimited { retry_after: spent.rest }.into());
        }
        if budget.is_half_used_at(spent.count) {
            granted.half_used.push(budget.scope);
        }
    }
    // Last: it keeps rows that others count on, and must not wait for anybody meanwhile.
    if !db.is_distributed() {
        forget_what_is_over(db).await?;
    }
    Ok(Done::now(granted))
}

/// When the store's life began, if it is not the first.
async fn began_at(db: &Db<'_>) -> Result<Option<i64>> {
    Ok(db.query_one("SELECT since FROM incarnation", &[]).await?.get(0))
}

/// True if the phone is this user's. Looked up for nobody, too: how long it takes must not tell.
async fn is_phone_of(db: &Db<'_>, phone: &Phone, user: Option<UserId>) -> Result<bool> {
    const OWNS: &str =
        "SELECT EXISTS (SELECT 1 FROM phone_numbers WHERE phone = $1 AND user_id = $2)";
    // Ids begin with 1.
    let id = user.map_or(0, |user| user.0);
    Ok(db.query_one(OWNS, &[&phone.as_str(), &id]).await?.get(0))
}

async fn write_code(db: &Db<'_>, request: &CodeRequest, is_own_phone: bool) -> Result<()> {
    const GRANT: &str = "INSERT INTO verification_codes \
         (phone, purpose, code, sent_at, expires_at, key, first_try_from) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) \
         ON CONFLICT (phone, purpose) DO UPDATE SET code = excluded.code, \
         sent_at = excluded.sent_at, expires_at = excluded.expires_at, key = excluded.key, \
         first_try_from = excluded.first_try_from";
    let (phone, code) = (request.phone.0.as_slice(), request.code.0.as_slice());
    let expires_at = db.now() + millis(request.lifetime);
    let key = request.idempotency.as_ref().map(|key| &key.key);
    let purpose = request.purpose.as_str();
    let from = request.first_try_from(is_own_phone);
    let from = from.0.as_slice();
    db.change_one(GRANT, &[&phone, &purpose, &code, &db.now(), &expires_at, &key, &from]).await
}

/// Forgets the key, too: what was not sent did not happen, and its repeat is to send.
pub(super) async fn withdraw(db: &Db<'_>, unsent: &UnsentCode) -> Result<()> {
    const WITHDRAW: &str = "DELETE FROM verification_codes \
         WHERE phone = $1 AND purpose = $2 AND code = $3 AND expires_at > $4 \
         RETURNING key, sent_at";
    const FORGET: &str = "DELETE FROM sign_in_keys WHERE phone = $1 AND key = $2";
    let (hash, code) = (unsent.phone.0.as_slice(), unsent.code.0.as_slice());
    let (purpose, now) = (unsent.purpose.as_str(), db.now());
    lock(db, &[unsent.phone]).await?;
    let withdrawn = db.query_opt(WITHDRAW, &[&hash, &purpose, &code, &now]).await?;
    let Some(row) = withdrawn else { return Ok(()) };
    if let Some(key) = row.get::<_, Option<String>>(0) {
        db.execute(FORGET, &[&hash, &key]).await?;
    }
    give_back_all(db, &unsent.give_back, row.get(1)).await
}

/// A code that was sent and is still good.
pub(super) struct Outstanding {
    pub(super) code: Vec<u8>,
    sent_at: i64,
    pub(super) expires_at: i64,
    pub(super) first_try_from: Option<Vec<u8>>,
}

pub(super) async fn outstanding(
    db: &Db<'_>,
    phone: KeyedHash,
    purpose: Purpose,
) -> Result<Option<Outstanding>> {
    const OUTSTANDING: &str = "SELECT code, sent_at, expires_at, first_try_from \
         FROM verification_codes \
         WHERE phone = $1 AND purpose = $2 AND expires_at > $3";
    let (phone, purpose) = (phone.0.as_slice(), purpose.as_str());
    let row = db.query_opt(OUTSTANDING, &[&phone, &purpose, &db.now()]).await?;
    Ok(row.map(|row| Outstanding {
        code: row.get(0),
        sent_at: row.get(1),
        expires_at: row.get(2),
        first_try_from: row.get(3),
    }))
}

/// Until when this phone has to wait, if it has to.
pub(super) async fn locked_until(db: &Db<'_>, phone: KeyedHash) -> Result<Option<i64>> {
    const LOCKED: &str = "SELECT ends_at FROM send_budget \
         WHERE scope = 'lock_phone' AND subject = $1 AND ends_at > $2";
    let row = db.query_opt(LOCKED, &[&phone.0.as_slice(), &db.now()]).await?;
    Ok(row.map(|row| row.get(0)))
}

pub(super) fn refuse_until(end: Option<i64>, now: i64) -> Result<(), Refused> {
    match end {
        None => Ok(()),
        Some(end) => Err(Refused::TooManyAttempts { retry_after: duration(end - now) }),
    }
}

//! Changes of phone after the fact: which phones an account had, how long the last one can stop the
//! change, and what an operator decides then.
//!
//! The phones' locks come first, then the user's row, as in signing in and in changing a phone.
//! Rows of one customer are found by user and changed by phone: on a cluster they lie by phone.

use evercart_core::account::{FormerPhone, Proven};
use evercart_core::code::KeyedHash;
use evercart_core::error::Refused;
use evercart_core::guard::{Done, IDEMPOTENCY_LIFETIME};
use evercart_core::ids::UserId;
use evercart_core::operator::{By, FORMER_CUSTOMERS_MAX, Frozen, MoveBack, PhoneChangeState};
use evercart_core::phone::Phone;
use evercart_core::sign_in::SignInAttempt;
use jiff::{SignedDuration, Timestamp};

use crate::account::{claim, forget_early_keys};
use crate::actor::audit;
use crate::db::{Db, Result, time};
use crate::sign_in::{
    early_key, end_sessions, lock_for, lock_phones, millis, remember_early, try_code, user,
};

/// Kept for as long as it takes: an operator has to decide.
const FROZEN: i64 = i64::MAX;

const NO_CHANGE: Refused = Refused::NotFound { what: "change of phone to decide about" };

/// How far the last change of a customer's phone can still be undone.
pub(crate) async fn state_of(db: &Db<'_>, id: UserId) -> Result<PhoneChangeState> {
    const STATE: &str = "SELECT phone_held_until, frozen_at, frozen_phone FROM users WHERE id = $1";
    let row = db.query_one(STATE, &[&id.0]).await?;
    let (held_until, frozen_at): (Option<i64>, Option<i64>) = (row.get(0), row.get(1));
    let former_phone: Option<String> = row.get(2);
    Ok(PhoneChangeState {
        held_until: held_until.filter(|end| *end > db.now()).map(time),
        frozen: frozen_at
            .zip(former_phone)
            .map(|(at, phone)| Frozen { at: time(at), former_phone: Phone::from_stored(phone) }),
    })
}

/// Refuses what a customer, whose row is locked, may not do while a change of phone is on hold.
pub(crate) async fn refuse_on_hold(db: &Db<'_>, id: UserId) -> Result<()> {
    match state_of(db, id).await?.held_until {
        None => Ok(()),
        until => Err(Refused::PhoneOnHold { until }.into()),
    }
}

/// Whose account was moved away from a phone, and until when the phone is kept for them.
pub(crate) struct Kept {
    user_id: UserId,
    until: i64,
}

impl Kept {
    /// When the phone is free; `None` while an operator has to decide.
    pub(crate) fn until(&self) -> Option<Timestamp> {
        (self.until != FROZEN).then(|| time(self.until))
    }
}

/// Who a phone that is locked is still kept for, if an account was moved away from it.
pub(crate) async fn kept_for(db: &Db<'_>, phone: KeyedHash) -> Result<Option<Kept>> {
    const KEPT: &str = "SELECT user_id, kept_until FROM former_phones \
         WHERE phone = $1 AND kept_until > $2";
    let row = db.query_opt(KEPT, &[&phone.0.as_slice(), &db.now()]).await?;
    Ok(row.map(|row| Kept { user_id: UserId(row.get(0)), until: row.get(1) }))
}

/// Writes down that a customer has left a phone, and keeps the phone for them for a while.
pub(crate) async fn remember_former(
    db: &Db<'_>,
    id: UserId,
    phone: &Phone,
    hash: KeyedHash,
    hold: SignedDuration,
) -> Result<()> {
    const REMEMBER: &str = "INSERT INTO former_phones (phone, user_id, masked, left_at, \
         kept_until) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (phone, user_id) DO UPDATE SET \
         left_at = excluded.left_at, kept_until = excluded.kept_until";
    let (now, masked) = (db.now(), phone.masked());
    let kept_until = now + millis(hold);
    db.change_one(REMEMBER, &[&hash.0.as_slice(), &id.0, &masked, &now, &kept_until]).await
}

/// The phones a customer had before, oldest first.
pub(crate) async fn former_phones(db: &Db<'_>, id: UserId) -> Result<Vec<FormerPhone>> {
    const FORMER: &str = "SELECT masked, left_at FROM former_phones WHERE user_id = $1 \
         ORDER BY left_at, masked COLLATE \"C\"";
    let rows = db.query(FORMER, &[&id.0]).await?;
    let phone =
        |row: &tokio_postgres::Row| FormerPhone { masked: row.get(0), left_at: time(row.get(1)) };
    Ok(rows.iter().map(phone).collect())
}

/// Forgets the phones a customer had before.
pub(crate) async fn forget_former(db: &Db<'_>, id: UserId) -> Result<()> {
    const FIND: &str = "SELECT phone FROM former_phones WHERE user_id = $1";
    const FORGET: &str = "DELETE FROM former_phones WHERE phone = $1 AND user_id = $2";
    for row in db.query(FIND, &[&id.0]).await? {
        db.change_one(FORGET, &[&row.get::<_, &[u8]>(0), &id.0]).await?;
    }
    Ok(())
}

/// Who has left a phone, and when, the latest first.
pub(crate) async fn who_left(db: &Db<'_>, phone: KeyedHash) -> Result<Vec<(UserId, Timestamp)>> {
    const WHO: &str = "SELECT user_id, left_at FROM former_phones WHERE phone = $1 \
         ORDER BY left_at DESC, user_id DESC LIMIT $2";
    let limit = i64::from(FORMER_CUSTOMERS_MAX);
    let rows = db.query(WHO, &[&phone.0.as_slice(), &limit]).await?;
    Ok(rows.iter().map(|row| (UserId(row.get(0)), time(row.get(1)))).collect())
}

pub(crate) async fn stop(db: &Db<'_>, attempt: &SignInAttempt) -> Result<Proven<UserId>> {
    const FREEZE: &str = "UPDATE users SET frozen_at = $2, frozen_phone = $3 WHERE id = $1";
    const KEEP: &str = "UPDATE former_phones SET kept_until = $3 WHERE phone = $1 AND user_id = $2";
    let phone = attempt.phone_hash;
    lock_for(db, &[phone], attempt).await?;
    let before = early_key(db, phone, attempt.idempotency.as_ref()).await?.is_some();
    if before {
        let kept = kept_for(db, phone).await?;
        // Once an operator has decided, whose account it was is not told again.
        return Ok(
            kept.map_or(Proven::CodeInvalid, |kept| Proven::Done(Done::before(kept.user_id)))
        );
    }
    if !try_code(db, attempt).await? {
        return Ok(Proven::CodeInvalid);
    }
    // Only now: how long a wrong code takes does not tell whether there is a change to stop.
    let mut kept = kept_for(db, phone).await?;
    if let Some(whose) = &kept {
        // An operator decides with this row locked: what is kept is looked at again after that.
        lock_user(db, whose.user_id).await?;
        kept = kept_for(db, phone).await?;
    }
    let Some(kept) = kept else {
        return Err(Refused::NotFound { what: "change of phone to stop" }.into());
    };
    let id = kept.user_id;
    if kept.until != FROZEN {
        end_sessions(db, id).await?;
        db.change_one(FREEZE, &[&id.0, &db.now(), &attempt.phone.as_str()]).await?;
        db.change_one(KEEP, &[&phone.0.as_slice(), &id.0, &FROZEN]).await?;
        audit(db, id, "stop-phone-change", &By::customer()).await?;
    }
    let ends_at = db.now() + millis(IDEMPOTENCY_LIFETIME);
    remember_early(db, phone, attempt.idempotency.as_ref(), None, ends_at).await?;
    Ok(Proven::Done(Done::now(id)))
}

/// Makes everything else that changes this customer wait.
async fn lock_user(db: &Db<'_>, id: UserId) -> Result<()> {
    const LOCK: &str = "SELECT 1 FROM users WHERE id = $1 FOR NO KEY UPDATE";
    db.query_opt(LOCK, &[&id.0]).await?;
    Ok(())
}

/// Ends the hold and the freeze, and lets go of the phones that were kept.
async fn decide(db: &Db<'_>, id: UserId, present: &Phone) -> Result<()> {
    const SETTLE: &str = "UPDATE users SET phone_held_until = NULL, frozen_at = NULL, \
         frozen_phone = NULL WHERE id = $1";
    const KEPT: &str = "SELECT phone FROM former_phones WHERE user_id = $1 AND kept_until > $2";
    const LET_GO: &str =
        "UPDATE former_phones SET kept_until = $3 WHERE phone = $1 AND user_id = $2";
    lock_user(db, id).await?;
    let is_theirs = user(db, id).await?.is_some_and(|user| user.phone == *present);
    if !is_theirs || !state_of(db, id).await?.is_open() {
        return Err(NO_CHANGE.into());
    }
    db.change_one(SETTLE, &[&id.0]).await?;
    for row in db.query(KEPT, &[&id.0, &db.now()]).await? {
        db.change_one(LET_GO, &[&row.get::<_, &[u8]>(0), &id.0, &db.now()]).await?;
    }
    Ok(())
}

pub(crate) async fn confirm(db: &Db<'_>, id: UserId, present: &Phone, by: &By) -> Result<()> {
    decide(db, id, present).await?;
    audit(db, id, "confirm-move", by).await
}

pub(crate) async fn move_back(db: &Db<'_>, decision: &MoveBack, by: &By) -> Result<()> {
    const LET_GO: &str = "DELETE FROM phone_numbers WHERE phone = $1 AND user_id = $2";
    const CHANGE: &str = "UPDATE users SET phone = $2 WHERE id = $1";
    let MoveBack { user_id: id, from: (from, from_hash), to: (to, to_hash) } = decision;
    lock_phones(db, &[*from_hash, *to_hash]).await?;
    // The phone goes back only to whom it is kept for: another former phone is no way around that.
    if kept_for(db, *to_hash).await?.is_none_or(|kept| kept.user_id != *id) {
        return Err(NO_CHANGE.into());
    }
    decide(db, *id, from).await?;
    db.change_one(LET_GO, &[&from.as_str(), &id.0]).await?;
    claim(db, *id, to).await?;
    db.change_one(CHANGE, &[&id.0, &to.as_str()]).await?;
    end_sessions(db, *id).await?;
    remember_former(db, *id, from, *from_hash, SignedDuration::ZERO).await?;
    forget_early_keys(db, &[*from_hash, *to_hash]).await?;
    audit(db, *id, "move-back", by).await
}

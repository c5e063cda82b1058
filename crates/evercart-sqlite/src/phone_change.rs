//! Changes of phone after the fact: which phones an account had, how long the last one can stop the
//! change, and what an operator decides then.

use evercart_core::account::{FormerPhone, Proven};
use evercart_core::code::KeyedHash;
use evercart_core::error::Refused;
use evercart_core::guard::{Done, IDEMPOTENCY_LIFETIME};
use evercart_core::ids::UserId;
use evercart_core::operator::{By, FORMER_CUSTOMERS_MAX, Frozen, MoveBack, PhoneChangeState};
use evercart_core::phone::Phone;
use evercart_core::sign_in::SignInAttempt;
use jiff::{SignedDuration, Timestamp};
use rusqlite::OptionalExtension;

use crate::account::{claim, forget_early_keys};
use crate::actor::audit;
use crate::db::{Db, Result, time};
use crate::sign_in::{early_key, end_sessions, millis, remember_early, try_code, user};

/// Kept for as long as it takes: an operator has to decide.
const FROZEN: i64 = i64::MAX;

const NO_CHANGE: Refused = Refused::NotFound { what: "change of phone to decide about" };

/// How far the last change of a customer's phone can still be undone.
pub(crate) fn state_of(db: &Db, id: UserId) -> Result<PhoneChangeState> {
    const STATE: &str = "SELECT phone_held_until, frozen_at, frozen_phone FROM users WHERE id = ?1";
    let now = db.now();
    Ok(db.sql(STATE)?.query_row([id.0], |row| {
        let (held_until, frozen_at): (Option<i64>, Option<i64>) = (row.get(0)?, row.get(1)?);
        let former_phone: Option<String> = row.get(2)?;
        Ok(PhoneChangeState {
            held_until: held_until.filter(|end| *end > now).map(time),
            frozen: frozen_at.zip(former_phone).map(|(at, phone)| Frozen {
                at: time(at),
                former_phone: Phone::from_stored(phone),
            }),
        })
    })?)
}

/// Refuses what a customer may not do while a change of phone is on hold.
pub(crate) fn refuse_on_hold(db: &Db, id: UserId) -> Result<()> {
    match state_of(db, id)?.held_until {
        None => Ok(()),
        until => Err(Refused::PhoneOnHold { until }.into()),
    }
}

/// Refuses to let anybody in while the account is frozen, whichever phone it is.
pub(crate) fn refuse_frozen(db: &Db, id: UserId) -> Result<()> {
    match state_of(db, id)?.frozen {
        None => Ok(()),
        Some(_) => Err(Refused::PhoneOnHold { until: None }.into()),
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

/// Who a phone is still kept for, if an account was moved away from it.
pub(crate) fn kept_for(db: &Db, phone: KeyedHash) -> Result<Option<Kept>> {
    const KEPT: &str = "SELECT user_id, kept_until FROM former_phones \
         WHERE phone = ?1 AND kept_until > ?2";
    let kept =
        |row: &rusqlite::Row<'_>| Ok(Kept { user_id: UserId(row.get(0)?), until: row.get(1)? });
    Ok(db.sql(KEPT)?.query_row((phone.0, db.now()), kept).optional()?)
}

/// Writes down that a customer has left a phone, and keeps the phone for them for a while.
pub(crate) fn remember_former(
    db: &Db,
    id: UserId,
    phone: &Phone,
    hash: KeyedHash,
    hold: SignedDuration,
) -> Result<()> {
    const REMEMBER: &str = "INSERT INTO former_phones (phone, user_id, masked, left_at, \
         kept_until) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (phone, user_id) DO UPDATE SET \
         left_at = excluded.left_at, kept_until = excluded.kept_until";
    let now = db.now();
    db.change_one(REMEMBER, (hash.0, id.0, phone.masked(), now, now + millis(hold)))
}

/// The phones a customer had before, oldest first.
pub(crate) fn former_phones(db: &Db, id: UserId) -> Result<Vec<FormerPhone>> {
    const FORMER: &str = "SELECT masked, left_at FROM former_phones WHERE user_id = ?1 \
         ORDER BY left_at, masked";
    let mut statement = db.sql(FORMER)?;
    let phones = statement.query_map([id.0], |row| {
        Ok(FormerPhone { masked: row.get(0)?, left_at: time(row.get(1)?) })
    })?;
    Ok(phones.collect::<rusqlite::Result<_>>()?)
}

/// Who has left a phone, and when, the latest first.
pub(crate) fn who_left(db: &Db, phone: KeyedHash) -> Result<Vec<(UserId, Timestamp)>> {
    const WHO: &str = "SELECT user_id, left_at FROM former_phones WHERE phone = ?1 \
         ORDER BY left_at DESC, user_id DESC LIMIT ?2";
    let mut statement = db.sql(WHO)?;
    let who = statement.query_map((phone.0, FORMER_CUSTOMERS_MAX), |row| {
        Ok((UserId(row.get(0)?), time(row.get(1)?)))
    })?;
    Ok(who.collect::<rusqlite::Result<_>>()?)
}

pub(crate) fn stop(db: &Db, attempt: &SignInAttempt) -> Result<Proven<UserId>> {
    const FREEZE: &str = "UPDATE users SET frozen_at = ?2, frozen_phone = ?3 WHERE id = ?1";
    const KEEP: &str = "UPDATE former_phones SET kept_until = ?3 WHERE phone = ?1 AND user_id = ?2";
    let phone = attempt.phone_hash;
    let before = match &attempt.idempotency {
        Some(key) => early_key(db, phone, key)?.is_some(),
        None => false,
    };
    if before {
        let kept = kept_for(db, phone)?;
        // Once an operator has decided, whose account it was is not told again.
        return Ok(
            kept.map_or(Proven::CodeInvalid, |kept| Proven::Done(Done::before(kept.user_id)))
        );
    }
    if !try_code(db, attempt)? {
        return Ok(Proven::CodeInvalid);
    }
    // Only now: how long a wrong code takes does not tell whether there is a change to stop.
    let Some(kept) = kept_for(db, phone)? else {
        return Err(Refused::NotFound { what: "change of phone to stop" }.into());
    };
    let id = kept.user_id;
    if kept.until != FROZEN {
        end_sessions(db, id)?;
        db.change_one(FREEZE, (id.0, db.now(), attempt.phone.as_str()))?;
        db.change_one(KEEP, (phone.0, id.0, FROZEN))?;
        audit(db, id, "stop-phone-change", &By::customer())?;
    }
    if let Some(key) = &attempt.idempotency {
        remember_early(db, phone, key, None, db.now() + millis(IDEMPOTENCY_LIFETIME))?;
    }
    Ok(Proven::Done(Done::now(id)))
}

/// Ends the hold and the freeze, and lets go of the phones that were kept.
fn decide(db: &Db, id: UserId, present: &Phone) -> Result<()> {
    const SETTLE: &str = "UPDATE users SET phone_held_until = NULL, frozen_at = NULL, \
         frozen_phone = NULL WHERE id = ?1";
    const LET_GO: &str = "UPDATE former_phones SET kept_until = ?2 WHERE user_id = ?1 \
         AND kept_until > ?2";
    let is_theirs = user(db, id)?.is_some_and(|user| user.phone == *present);
    if !is_theirs || !state_of(db, id)?.is_open() {
        return Err(NO_CHANGE.into());
    }
    db.change_one(SETTLE, [id.0])?;
    db.sql(LET_GO)?.execute((id.0, db.now()))?;
    Ok(())
}

pub(crate) fn confirm(db: &Db, id: UserId, present: &Phone, by: &By) -> Result<()> {
    decide(db, id, present)?;
    audit(db, id, "confirm-move", by)
}

pub(crate) fn move_back(db: &Db, decision: &MoveBack, by: &By) -> Result<()> {
    const LET_GO: &str = "DELETE FROM phone_numbers WHERE phone = ?1 AND user_id = ?2";
    const CHANGE: &str = "UPDATE users SET phone = ?2 WHERE id = ?1";
    let MoveBack { user_id: id, from: (from, from_hash), to: (to, to_hash) } = decision;
    // The phone goes back only to whom it is kept for: another former phone is no way around that.
    if kept_for(db, *to_hash)?.is_none_or(|kept| kept.user_id != *id) {
        return Err(NO_CHANGE.into());
    }
    decide(db, *id, from)?;
    db.change_one(LET_GO, (from.as_str(), id.0))?;
    claim(db, *id, to)?;
    db.change_one(CHANGE, (id.0, to.as_str()))?;
    end_sessions(db, *id)?;
    remember_former(db, *id, from, *from_hash, SignedDuration::ZERO)?;
    forget_early_keys(db, &[*from_hash, *to_hash])?;
    audit(db, *id, "move-back", by)
}

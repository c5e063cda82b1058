//! Codes, budgets, users and their sessions. An attempt is counted and compared in one transaction
//! of the one writer, so parallel guesses share the attempts.

mod before_user;
mod budget;

use async_trait::async_trait;
use evercart_core::code::KeyedHash;
use evercart_core::continuity::limit_after_return;
use evercart_core::error::{Refused, Result as StoreResult, StoreError};
use evercart_core::guard::{Done, Guard, IDEMPOTENCY_LIFETIME, IdempotencyKey};
use evercart_core::ids::UserId;
use evercart_core::incarnation::Incarnation;
use evercart_core::phone::Phone;
use evercart_core::sign_in::{
    Budget, CodeRequest, Granted, Proof, SignIn, SignInAttempt, SignInOutcome, UNSENT_KEY_LIFETIME,
    UnsentCode, Used,
};
use evercart_core::user::{ProfileChange, Session, User};
use rusqlite::{OptionalExtension, Row};

use crate::actor::{self, Begun, admit, forget_old_keys, remember, resource_of, take_number};
use crate::db::{Db, DbError, Result, time};
use crate::limits::begin_change;
use crate::sign_in::budget::{duration, give_back, peek, refuse_if_used_up, spend};
use crate::{Sqlite, life, phone_change};

pub(crate) use crate::sign_in::before_user::{EarlyEntry, early_key, remember_early};
pub(crate) use crate::sign_in::budget::{forget_what_is_over, millis};

#[async_trait]
impl SignIn for Sqlite {
    async fn grant_code(&self, request: CodeRequest) -> StoreResult<Done<Granted>> {
        self.writer.write(move |db| grant(db, &request)).await
    }

    async fn used(&self, budget: Budget) -> StoreResult<Used> {
        self.readers.read(move |db| peek(db, &budget)).await
    }

    async fn confirm_code(&self, phone: KeyedHash, key: IdempotencyKey) -> StoreResult<()> {
        self.writer.write(move |db| confirm(db, phone, &key)).await
    }

    async fn withdraw_code(&self, unsent: UnsentCode) -> StoreResult<()> {
        self.writer.write(move |db| withdraw(db, &unsent)).await
    }

    async fn sign_in(&self, attempt: SignInAttempt) -> StoreResult<SignInOutcome> {
        self.writer.write(move |db| sign_in(db, &attempt)).await
    }

    async fn sign_out(&self, session: Session, guard: Guard) -> StoreResult<Done<()>> {
        let done = self.writer.write(move |db| sign_out(db, session, &guard)).await;
        self.signals.changed(session.user_id);
        done
    }

    async fn user(&self, session: Session) -> StoreResult<User> {
        self.readers
            .read(move |db| {
                let user = user(db, session.user_id)?.ok_or(Refused::UnknownUser)?;
                let blocked_at = user.blocked_at.map(|at| at.as_millisecond());
                let (epoch, incarnation) = (user.session_epoch, user.incarnation.0);
                actor::compare(session, user.is_active, blocked_at, epoch, incarnation)?;
                Ok(user)
            })
            .await
    }

    async fn change_profile(
        &self,
        session: Session,
        change: ProfileChange,
        guard: Guard,
    ) -> StoreResult<Done<User>> {
        self.writer
            .write(move |db| {
                let replayed = match begin_change(db, session, &guard)? {
                    Begun::Replay { .. } => true,
                    Begun::Fresh(actor) => {
                        change_profile(db, actor.user_id, &change)?;
                        remember(db, actor.user_id, &guard, actor.user_id.0)?;
                        false
                    }
                };
                let value = user(db, session.user_id)?.ok_or(Refused::UnknownUser)?;
                Ok(Done { value, replayed })
            })
            .await
    }
}

const OUTSTANDING: &str = "SELECT code, sent_at, expires_at, first_try_from \
     FROM verification_codes \
     WHERE phone = ?1 AND purpose = ?2 AND expires_at > ?3";
const GRANT: &str = "INSERT INTO verification_codes (phone, purpose, code, sent_at, expires_at, \
     key, first_try_from) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (phone, purpose) DO UPDATE SET \
     code = excluded.code, sent_at = excluded.sent_at, expires_at = excluded.expires_at, key = \
     excluded.key, first_try_from = excluded.first_try_from";

fn grant(db: &Db, request: &CodeRequest) -> Result<Done<Granted>> {
    let (phone, now) = (request.phone, db.now());
    if let Some(key) = &request.idempotency
        && early_key(db, phone, key)?.is_some()
    {
        return Ok(Done::before(Granted::default()));
    }
    refuse_while_locked(db, phone)?;
    let is_own_phone = is_phone_of(db, &request.number, request.claimed_by)?;
    if let Some(resend_after) = request.resend_after {
        let sent_at = db
            .sql(OUTSTANDING)?
            .query_row((phone.0, request.purpose.as_str(), now), |row| row.get::<_, i64>(1))
            .optional()?;
        let wait = sent_at.map_or(0, |sent_at| sent_at + millis(resend_after) - now);
        if wait > 0 {
            return Err(Refused::RateLimited { retry_after: duration(wait) }.into());
        }
    }
    let since = life::began_at(db)?;
    let mut granted = Granted::default();
    for budget in &request.budgets {
        let spent = spend(db, budget)?;
        let limit = budget.limit_for(is_own_phone);
        if spent.count > limit_after_return(budget.scope, limit, since, now) {
            return Err(Refused::RateLimited { retry_after: spent.rest }.into());
        }
        if budget.is_half_used_at(spent.count) {
            granted.half_used.push(budget.scope);
        }
    }
    let expires_at = now + millis(request.lifetime);
    let key = request.idempotency.as_ref().map(|key| &key.key);
    let from = request.first_try_from(is_own_phone).0;
    let row = (phone.0, request.purpose.as_str(), request.code.0, now, expires_at, key, from);
    db.sql(GRANT)?.execute(row)?;
    if let Some(key) = &request.idempotency {
        remember_early(db, phone, key, None, now + millis(UNSENT_KEY_LIFETIME))?;
    }
    forget_what_is_over(db, now)?;
    Ok(Done::now(granted))
}

/// True if the phone is this user's. Looked up for nobody, too: how long it takes must not tell.
fn is_phone_of(db: &Db, phone: &Phone, user: Option<UserId>) -> Result<bool> {
    const OWNS: &str =
        "SELECT EXISTS (SELECT 1 FROM phone_numbers WHERE phone = ?1 AND user_id = ?2)";
    // Ids begin with 1.
    let id = user.map_or(0, |user| user.0);
    Ok(db.sql(OWNS)?.query_row((phone.as_str(), id), |row| row.get(0))?)
}

fn confirm(db: &Db, phone: KeyedHash, key: &IdempotencyKey) -> Result<()> {
    const CONFIRM: &str = "UPDATE sign_in_keys SET expires_at = ?5 \
         WHERE phone = ?1 AND key = ?2 AND fingerprint = ?3 AND epoch IS NULL AND expires_at > ?4";
    let expires_at = db.now() + millis(IDEMPOTENCY_LIFETIME);
    let row = (phone.0, &key.key, key.fingerprint.as_slice(), db.now(), expires_at);
    db.sql(CONFIRM)?.execute(row)?;
    Ok(())
}

/// Forgets the key, too: what was not sent did not happen, and its repeat is to send.
fn withdraw(db: &Db, unsent: &UnsentCode) -> Result<()> {
    const WITHDRAW: &str = "DELETE FROM verification_codes \
         WHERE phone = ?1 AND purpose = ?2 AND code = ?3 AND expires_at > ?4 \
         RETURNING key, sent_at";
    const FORGET: &str = "DELETE FROM sign_in_keys WHERE phone = ?1 AND key = ?2";
    let phone = unsent.phone.0;
    let row = (phone, unsent.purpose.as_str(), unsent.code.0, db.now());
    let withdrawn: Option<(Option<String>, i64)> =
        db.sql(WITHDRAW)?.query_row(row, |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((key, granted_at)) = withdrawn else { return Ok(()) };
    if let Some(key) = key {
        db.sql(FORGET)?.execute((phone, key))?;
    }
    for budget in &unsent.give_back {
        give_back(db, budget, granted_at)?;
    }
    Ok(())
}

fn sign_in(db: &Db, attempt: &SignInAttempt) -> Result<SignInOutcome> {
    if let Some(key) = &attempt.idempotency
        && let Some(before) = early_key(db, attempt.phone_hash, key)?
    {
        return replay(db, attempt, &before);
    }
    let Some(ends_at) = compare_code(db, attempt)? else {
        return Ok(SignInOutcome::CodeInvalid);
    };
    let (outcome, epoch) = let_in(db, attempt)?;
    if let Some(key) = &attempt.idempotency {
        let is_new = matches!(outcome, SignInOutcome::SignedIn { is_new: true, .. });
        let entry = EarlyEntry { epoch, is_new, opens: true };
        remember_early(db, attempt.phone_hash, key, Some(entry), ends_at)?;
    }
    Ok(outcome)
}

/// Counts an attempt, compares its code and uses that up. True if it is right.
pub(crate) fn try_code(db: &Db, attempt: &SignInAttempt) -> Result<bool> {
    Ok(compare_code(db, attempt)?.is_some())
}

/// The same. The end of the code if it is right.
fn compare_code(db: &Db, attempt: &SignInAttempt) -> Result<Option<i64>> {
    const TRIED: &str = "UPDATE verification_codes SET first_try_from = NULL \
         WHERE phone = ?1 AND purpose = ?2";
    refuse_while_locked(db, attempt.phone_hash)?;
    let sent = db
        .sql(OUTSTANDING)?
        .query_row((attempt.phone_hash.0, attempt.purpose.as_str(), db.now()), |row| {
            Ok((
                row.get::<_, Vec<u8>>(0)?,
                row.get::<_, i64>(2)?,
                row.get::<_, Option<Vec<u8>>>(3)?,
            ))
        })
        .optional()?;
    let first_try_from = sent.as_ref().and_then(|(_, _, from)| from.as_deref());
    if !attempt.is_first_try(first_try_from) {
        refuse_if_used_up(db, &attempt.failures)?;
    }
    if first_try_from.is_some() {
        db.sql(TRIED)?.execute((attempt.phone_hash.0, attempt.purpose.as_str()))?;
    }
    if sent.is_some() || attempt.is_test_phone {
        count_attempt(db, attempt)?;
    }
    let is_right = match &attempt.proof {
        Proof::TestCode => true,
        Proof::Code(code) => sent.as_ref().is_some_and(|(sent, ..)| code.matches(sent)),
    };
    if !is_right {
        for failures in &attempt.failures {
            spend(db, failures)?;
        }
        return Ok(None);
    }
    use_up(db, attempt)?;
    Ok(Some(sent.map_or(db.now() + millis(attempt.attempts_window), |(_, end, _)| end)))
}

/// The same request again: the same customer, if they have not signed out since.
fn replay(db: &Db, attempt: &SignInAttempt, before: &Option<EarlyEntry>) -> Result<SignInOutcome> {
    let user = user_with_phone(db, &attempt.phone)?;
    if let (Some(EarlyEntry { epoch: NO_EPOCH, opens: true, .. }), None) = (before, &user)
        && let Some(kept) = phone_change::kept_for(db, attempt.phone_hash)?
    {
        return Ok(SignInOutcome::PhoneMoved { until: kept.until() });
    }
    Ok(match (before, user) {
        (Some(entry), Some(user))
            if entry.opens
                && user.is_active
                && user.blocked_at.is_none()
                && user.session_epoch == entry.epoch =>
        {
            let is_new = entry.is_new;
            SignInOutcome::SignedIn { user: Box::new(user), is_new, replayed: true }
        }
        _ => SignInOutcome::CodeInvalid,
    })
}

/// Locks the phone with the last attempt it has, so that only that one is still compared.
fn count_attempt(db: &Db, attempt: &SignInAttempt) -> Result<()> {
    let failures = Budget {
        scope: "fail_phone",
        subject: attempt.phone_hash,
        limit: attempt.attempts_max,
        reserved: 0,
        window: attempt.attempts_window,
    };
    let spent = spend(db, &failures)?;
    if spent.count >= attempt.attempts_max {
        spend(db, &Budget { scope: "lock_phone", window: spent.rest, ..failures })?;
    }
    Ok(())
}

fn refuse_while_locked(db: &Db, phone: KeyedHash) -> Result<()> {
    const LOCK: &str = "SELECT ends_at FROM send_budget \
         WHERE scope = 'lock_phone' AND subject = ?1 AND ends_at > ?2";
    let now = db.now();
    let ends_at: Option<i64> =
        db.sql(LOCK)?.query_row((phone.0, now), |row| row.get(0)).optional()?;
    match ends_at {
        None => Ok(()),
        Some(end) => Err(Refused::TooManyAttempts { retry_after: duration(end - now) }.into()),
    }
}

/// The code is spent, and the phone's wrong attempts are forgiven.
fn use_up(db: &Db, attempt: &SignInAttempt) -> Result<()> {
    const USE: &str = "DELETE FROM verification_codes WHERE phone = ?1 AND purpose = ?2";
    const FORGIVE: &str = "DELETE FROM send_budget \
         WHERE scope IN ('fail_phone', 'lock_phone') AND subject = ?1";
    db.sql(USE)?.execute((attempt.phone_hash.0, attempt.purpose.as_str()))?;
    db.sql(FORGIVE)?.execute([attempt.phone_hash.0])?;
    Ok(())
}

/// No session has this epoch: what is remembered under it opens nothing.
const NO_EPOCH: i64 = -1;

/// The customer with this phone, made if there is none, signed in, with their epoch. Where the
/// phone is kept for a customer who was moved away from it, nobody is.
fn let_in(db: &Db, attempt: &SignInAttempt) -> Result<(SignInOutcome, i64)> {
    const SIGN_IN: &str = "UPDATE users SET is_active = 1, last_login = ?2 WHERE id = ?1";
    let (id, is_new) = match user_id_of(db, &attempt.phone)? {
        Some(id) => (id, false),
        None => match phone_change::kept_for(db, attempt.phone_hash)? {
            Some(kept) => {
                return Ok((SignInOutcome::PhoneMoved { until: kept.until() }, NO_EPOCH));
            }
            None => (create_user(db, None, &attempt.phone, None)?, true),
        },
    };
    db.change_one(SIGN_IN, (id.0, db.now()))?;
    forget_old_keys(db, id)?;
    let user = user(db, id)?.ok_or(Refused::UnknownUser)?;
    if user.blocked_at.is_some() {
        // Undoes everything above: the block stays what it is.
        return Err(Refused::UserBlocked.into());
    }
    phone_change::refuse_frozen(db, id)?;
    let epoch = user.session_epoch;
    Ok((SignInOutcome::SignedIn { user: Box::new(user), is_new, replayed: false }, epoch))
}

/// Makes a user who is not signed in yet, with the next id unless one is given.
pub(crate) fn create_user(
    db: &Db,
    id: Option<UserId>,
    phone: &Phone,
    full_name: Option<&str>,
) -> Result<UserId> {
    const INSERT: &str = "INSERT INTO users (id, phone, full_name, is_active, created_at) \
         VALUES (?1, ?2, ?3, 0, ?4)";
    const CLAIM: &str = "INSERT INTO phone_numbers (phone, user_id) VALUES (?1, ?2)";
    let id = match id {
        Some(id) => id,
        None => UserId(take_number(db, "user")?),
    };
    db.sql(INSERT)?.execute((id.0, phone.as_str(), full_name, db.now()))?;
    db.sql(CLAIM)?.execute((phone.as_str(), id.0))?;
    Ok(id)
}

pub(crate) fn user_id_of(db: &Db, phone: &Phone) -> Result<Option<UserId>> {
    const FIND: &str = "SELECT user_id FROM phone_numbers WHERE phone = ?1";
    let id = db.sql(FIND)?.query_row([phone.as_str()], |row| row.get(0)).optional()?;
    Ok(id.map(UserId))
}

pub(crate) fn user_with_phone(db: &Db, phone: &Phone) -> Result<Option<User>> {
    match user_id_of(db, phone)? {
        Some(id) => user(db, id),
        None => Ok(None),
    }
}

/// Every token issued so far is dead: none carries the epoch that is current from now on.
pub(crate) fn end_sessions(db: &Db, user: UserId) -> Result<()> {
    const END: &str =
        "UPDATE users SET is_active = 0, session_epoch = session_epoch + 1 WHERE id = ?1";
    db.change_one(END, [user.0])
}

fn sign_out(db: &Db, session: Session, guard: &Guard) -> Result<Done<()>> {
    match admit(db, session) {
        Ok(actor) => {
            if let Some(key) = &guard.idempotency
                && resource_of(db, actor.user_id, key)?.is_some()
            {
                return Ok(Done::before(()));
            }
            end_sessions(db, actor.user_id)?;
            remember(db, actor.user_id, guard, session.epoch)?;
            Ok(Done::now(()))
        }
        // The very sign-out being repeated may be what ended the session.
        Err(DbError::Store(StoreError::Refused(Refused::SignedOut))) => {
            let before = match &guard.idempotency {
                Some(key) => match resource_of(db, session.user_id, key) {
                    // The session comes first: to a dead one no more is said of its keys.
                    Err(DbError::Store(StoreError::Refused(_))) => None,
                    other => other?,
                },
                None => None,
            };
            match before {
                Some(epoch) if epoch == session.epoch => Ok(Done::before(())),
                _ => Err(Refused::SignedOut.into()),
            }
        }
        Err(error) => Err(error),
    }
}

const SELECT_USER: &str = "SELECT id, phone, full_name, email, profile_image_url, language, \
     is_active, \
     blocked_at, session_epoch, last_login, created_at, (SELECT value FROM incarnation) \
     FROM users WHERE id = ?1";

pub(crate) fn user(db: &Db, id: UserId) -> Result<Option<User>> {
    Ok(db.sql(SELECT_USER)?.query_row([id.0], user_row).optional()?)
}

fn user_row(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User {
        id: UserId(row.get(0)?),
        phone: Phone::from_stored(row.get(1)?),
        full_name: row.get(2)?,
        email: row.get(3)?,
        profile_image_url: row.get(4)?,
        language: row.get(5)?,
        is_active: row.get(6)?,
        blocked_at: row.get::<_, Option<i64>>(7)?.map(time),
        session_epoch: row.get(8)?,
        last_login: row.get::<_, Option<i64>>(9)?.map(time),
        created_at: time(row.get(10)?),
        incarnation: Incarnation(row.get(11)?),
    })
}

fn change_profile(db: &Db, id: UserId, change: &ProfileChange) -> Result<()> {
    const CHANGE: &str = "UPDATE users SET \
         full_name = CASE WHEN ?2 THEN ?3 ELSE full_name END, \
         email = CASE WHEN ?4 THEN ?5 ELSE email END, \
         profile_image_url = CASE WHEN ?6 THEN ?7 ELSE profile_image_url END, \
         language = CASE WHEN ?8 THEN ?9 ELSE language END WHERE id = ?1";
    let ProfileChange { full_name, email, profile_image_url, language } = change;
    db.change_one(
        CHANGE,
        (
            id.0,
            full_name.is_some(),
            full_name.as_ref().and_then(Option::as_ref),
            email.is_some(),
            email.as_ref().and_then(Option::as_ref),
            profile_image_url.is_some(),
            profile_image_url.as_ref().and_then(Option::as_ref),
            language.is_some(),
            language.as_ref().and_then(Option::as_ref),
        ),
    )
}

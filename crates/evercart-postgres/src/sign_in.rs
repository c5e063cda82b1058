//! Codes, users and their sessions. Whatever races for one phone waits for the phone's lock, so an
//! attempt is counted and compared before the next one is looked at, and parallel guesses share the
//! attempts.

mod before_user;
mod budget;
mod code;

use async_trait::async_trait;
use evercart_core::code::KeyedHash;
use evercart_core::error::{Failed, Refused, Result as StoreResult, StoreError};
use evercart_core::guard::{Done, Guard, IDEMPOTENCY_LIFETIME, IdempotencyKey};
use evercart_core::ids::UserId;
use evercart_core::incarnation::Incarnation;
use evercart_core::phone::Phone;
use evercart_core::sign_in::{
    Budget, CodeRequest, Granted, MARKET_FAILURES, Proof, SignIn, SignInAttempt, SignInOutcome,
    UnsentCode, Used,
};
use evercart_core::user::{ProfileChange, Session, User};
use futures_util::future::{try_join, try_join5};
use tokio_postgres::Row;

use crate::Postgres;
use crate::actor::{Begun, begin_as, compare, forget_old_keys, remember};
use crate::db::{Db, DbError, Params, Result, Turns, time, transact};
use crate::limits::begin_change;
use crate::phone_change::kept_for;
use crate::sign_in::before_user::{EarlyEntry, confirm_early};
use crate::sign_in::budget::{PEEK, peek_all, refuse_if_used_up, spend, spend_all, standing_of};
use crate::sign_in::code::{Outstanding, grant, locked_until, outstanding, refuse_until, withdraw};

pub(crate) use crate::sign_in::before_user::{early_key, remember_early};
pub(crate) use crate::sign_in::budget::{forget_what_is_over, millis};

#[async_trait]
impl SignIn for Postgres {
    async fn grant_code(&self, request: CodeRequest) -> StoreResult<Done<Granted>> {
        let done = transact!(self, |db| grant(&db, &request))?;
        if let Some(shards) = &self.shards {
            shards.forget_what_is_over(self.now()).await;
        }
        Ok(done)
    }

    async fn used(&self, budget: Budget) -> StoreResult<Used> {
        let (now, subject) = (self.now(), budget.subject.0.as_slice());
        let row = self.look(PEEK, &[&budget.scope, &subject, &now]).await?;
        Ok(standing_of(row, now))
    }

    async fn confirm_code(&self, phone: KeyedHash, key: IdempotencyKey) -> StoreResult<()> {
        transact!(self, |db| confirm_early(&db, phone, &key))
    }

    async fn withdraw_code(&self, unsent: UnsentCode) -> StoreResult<()> {
        transact!(self, |db| withdraw(&db, &unsent))
    }

    async fn sign_in(&self, attempt: SignInAttempt) -> StoreResult<SignInOutcome> {
        transact!(self, |db| sign_in(&db, &attempt))
    }

    async fn sign_out(&self, session: Session, guard: Guard) -> StoreResult<Done<()>> {
        let done = transact!(self, |db| sign_out(&db, session, &guard))?;
        self.tell_of_change(session.user_id);
        Ok(done)
    }

    async fn user(&self, session: Session) -> StoreResult<User> {
        let row = self.look(SELECT_USER, &[&session.user_id.0]).await?;
        let user = user_row(&row.ok_or(Refused::UnknownUser)?);
        let is_blocked = user.blocked_at.is_some();
        let (epoch, incarnation) = (user.session_epoch, user.incarnation.0);
        compare(session, user.is_active, is_blocked, epoch, incarnation)?;
        Ok(user)
    }

    async fn change_profile(
        &self,
        session: Session,
        change: ProfileChange,
        guard: Guard,
    ) -> StoreResult<Done<User>> {
        transact!(self, |db| change_profile(&db, session, &change, &guard))
    }
}

impl Postgres {
    /// Reads with one statement that needs no transaction around it.
    pub(crate) async fn look(
        &self,
        sql: &'static str,
        params: Params<'_>,
    ) -> StoreResult<Option<Row>> {
        let mut turns = Turns::default();
        loop {
            let connection = self.lend().await?;
            let outcome = match connection.prepare_cached(sql).await {
                Ok(statement) => connection.query_opt(&statement, params).await,
                Err(error) => Err(error),
            };
            drop(connection);
            if let Some(result) = turns.over(outcome.map_err(DbError::from)).await {
                break result;
            }
        }
    }
}

const LOCK: &str = "SELECT pg_advisory_xact_lock(key) FROM unnest($1::BIGINT[]) AS keys (key)";

/// Waits until nobody else works on these, and makes others wait until the transaction is over.
///
/// The keys are the first 8 bytes of keyed hashes: two subjects that share them by chance, or one
/// phone in two markets of one database, wait for each other and are none the worse. The lock of
/// the migrations has two numbers, and PostgreSQL keeps those apart from locks with one.
async fn lock(db: &Db<'_>, subjects: &[KeyedHash]) -> Result<()> {
    let key = |subject: &KeyedHash| {
        let (half, _) = subject.0.split_first_chunk().expect("a hash has 32 bytes");
        i64::from_be_bytes(*half)
    };
    let keys: Vec<i64> = subjects.iter().map(key).collect();
    db.query(LOCK, &[&keys]).await?;
    Ok(())
}

/// Makes statements known to the connection, so that they are sent at once in the order in which
/// they are polled: one that still has to be prepared would let those after it go first.
pub(crate) async fn prepare<const N: usize>(
    db: &Db<'_>,
    statements: [&'static str; N],
) -> Result<()> {
    for sql in statements {
        db.transaction().prepare_cached(sql).await?;
    }
    Ok(())
}

async fn sign_in(db: &Db<'_>, attempt: &SignInAttempt) -> Result<SignInOutcome> {
    let phone = attempt.phone_hash;
    prepare(db, [LOCK]).await?;
    let ((), before, failures, locked_until, sent) = try_join5(
        lock_for(db, &[phone], attempt),
        early_key(db, phone, attempt.idempotency.as_ref()),
        peek_all(db, &attempt.failures),
        locked_until(db, phone),
        outstanding(db, phone, attempt.purpose),
    )
    .await?;
    if let Some(before) = before {
        return replay(db, attempt, before).await;
    }
    let standing = Standing { failures, locked_until, sent };
    let Some(ends_at) = compare_code(db, attempt, standing).await? else {
        return Ok(SignInOutcome::CodeInvalid);
    };
    let ((), (outcome, epoch)) = try_join(use_up(db, attempt), let_in(db, attempt)).await?;
    let is_new = matches!(outcome, SignInOutcome::SignedIn { is_new: true, .. });
    let entry = EarlyEntry { epoch, is_new, opens: true };
    remember_early(db, phone, attempt.idempotency.as_ref(), Some(entry), ends_at).await?;
    Ok(outcome)
}

/// Waits until nobody else works on these phones, nor on the address that the attempt comes from
/// and its wider networks. Always in this order, so that nobody waits in a circle: the phones,
/// lowest first, then the address, then its networks from the narrow to the wide. For the market
/// nobody waits.
pub(crate) async fn lock_for(
    db: &Db<'_>,
    phones: &[KeyedHash],
    attempt: &SignInAttempt,
) -> Result<()> {
    let mut subjects = phones.to_vec();
    subjects.sort_unstable_by_key(|phone| phone.0);
    let failures = attempt.failures.iter().filter(|budget| budget.scope != MARKET_FAILURES);
    subjects.extend(failures.map(|budget| budget.subject));
    lock(db, &subjects).await
}

/// Waits until nobody else works on these phones.
pub(crate) async fn lock_phones(db: &Db<'_>, phones: &[KeyedHash]) -> Result<()> {
    let mut phones = phones.to_vec();
    phones.sort_unstable_by_key(|phone| phone.0);
    lock(db, &phones).await
}

/// Counts an attempt, compares its code and uses that up. True if it is right. After [`lock_for`].
pub(crate) async fn try_code(db: &Db<'_>, attempt: &SignInAttempt) -> Result<bool> {
    let standing = Standing {
        failures: peek_all(db, &attempt.failures).await?,
        locked_until: locked_until(db, attempt.phone_hash).await?,
        sent: outstanding(db, attempt.phone_hash, attempt.purpose).await?,
    };
    let is_right = compare_code(db, attempt, standing).await?.is_some();
    if is_right {
        use_up(db, attempt).await?;
    }
    Ok(is_right)
}

/// What is known of a phone and an address before an attempt.
struct Standing {
    failures: Vec<Used>,
    locked_until: Option<i64>,
    sent: Option<Outstanding>,
}

/// Counts an attempt and compares its code. The end of the code if it is right.
async fn compare_code(
    db: &Db<'_>,
    attempt: &SignInAttempt,
    Standing { failures, locked_until, sent }: Standing,
) -> Result<Option<i64>> {
    const TRIED: &str = "UPDATE verification_codes SET first_try_from = NULL \
         WHERE phone = $1 AND purpose = $2";
    let now = db.now();
    refuse_until(locked_until, now)?;
    let first_try_from = sent.as_ref().and_then(|sent| sent.first_try_from.as_deref());
    if !attempt.is_first_try(first_try_from) {
        refuse_if_used_up(&attempt.failures, &failures)?;
    }
    if first_try_from.is_some() {
        let phone = attempt.phone_hash.0.as_slice();
        // A code that was over a moment ago may be forgotten by now.
        db.execute(TRIED, &[&phone, &attempt.purpose.as_str()]).await?;
    }
    if sent.is_some() || attempt.is_test_phone {
        count_attempt(db, attempt).await?;
    }
    let is_right = match &attempt.proof {
        Proof::TestCode => true,
        Proof::Code(code) => sent.as_ref().is_some_and(|sent| code.matches(&sent.code)),
    };
    if !is_right {
        spend_all(db, &attempt.failures).await?;
        return Ok(None);
    }
    Ok(Some(sent.map_or(now + millis(attempt.attempts_window), |sent| sent.expires_at)))
}

/// The same request again: the same customer, if they have not signed out since.
async fn replay(
    db: &Db<'_>,
    attempt: &SignInAttempt,
    before: Option<EarlyEntry>,
) -> Result<SignInOutcome> {
    let user = user_with_phone(db, &attempt.phone).await?;
    if let (Some(EarlyEntry { epoch: NO_EPOCH, opens: true, .. }), None) = (&before, &user)
        && let Some(kept) = kept_for(db, attempt.phone_hash).await?
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
async fn count_attempt(db: &Db<'_>, attempt: &SignInAttempt) -> Result<()> {
    let failures = Budget {
        scope: "fail_phone",
        subject: attempt.phone_hash,
        limit: attempt.attempts_max,
        reserved: 0,
        window: attempt.attempts_window,
    };
    let spent = spend(db, &failures).await?;
    if spent.count >= attempt.attempts_max {
        spend(db, &Budget { scope: "lock_phone", window: spent.rest, ..failures }).await?;
    }
    Ok(())
}

/// The code is spent, and the phone's wrong attempts are forgiven.
async fn use_up(db: &Db<'_>, attempt: &SignInAttempt) -> Result<()> {
    const USE: &str = "DELETE FROM verification_codes WHERE phone = $1 AND purpose = $2";
    const FORGIVE: &str = "DELETE FROM send_budget \
         WHERE scope IN ('fail_phone', 'lock_phone') AND subject = $1";
    let (phone, purpose) = (attempt.phone_hash.0.as_slice(), attempt.purpose.as_str());
    let code: Params<'_> = &[&phone, &purpose];
    try_join(db.execute(USE, code), db.execute(FORGIVE, &code[..1])).await?;
    Ok(())
}

/// No session has this epoch: what is remembered under it opens nothing.
const NO_EPOCH: i64 = -1;

/// The customer with this phone, made if there is none, signed in, with their epoch. Changes the
/// user's row, and so either sees what signing out did to it, or makes it wait. Where the phone is
/// kept for a customer who was moved away from it, nobody is signed in.
async fn let_in(db: &Db<'_>, attempt: &SignInAttempt) -> Result<(SignInOutcome, i64)> {
    const INCARNATION: &str = "SELECT value FROM incarnation";
    const SIGN_IN: &str = "UPDATE users SET is_active = true, last_login = $2 \
         WHERE id = $1 AND phone <> '' \
         RETURNING id, phone, full_name, email, profile_image_url, language, is_active, \
         blocked_at, session_epoch, last_login, created_at, $3::BIGINT, \
         frozen_at IS NOT NULL AS is_frozen";
    let phone = &attempt.phone;
    let (id, is_new) = match user_id_of(db, phone).await? {
        Some(id) => (id, false),
        None => match kept_for(db, attempt.phone_hash).await? {
            Some(kept) => {
                return Ok((SignInOutcome::PhoneMoved { until: kept.until() }, NO_EPOCH));
            }
            None => (create_user(db, None, phone, None).await?, true),
        },
    };
    let incarnation: i64 = db.query_one(INCARNATION, &[]).await?.get(0);
    let row = db.query_opt(SIGN_IN, &[&id.0, &db.now(), &incarnation]).await?;
    // Erased while this waited for the row: who asks again is a new customer.
    let row = row.ok_or_else(met_another)?;
    let user = user_row(&row);
    if user.blocked_at.is_some() {
        // Undoes everything above: the block stays what it is.
        return Err(Refused::UserBlocked.into());
    }
    if row.get("is_frozen") {
        return Err(Refused::PhoneOnHold { until: None }.into());
    }
    if !is_new {
        forget_old_keys(db, id).await?;
    }
    let epoch = user.session_epoch;
    Ok((SignInOutcome::SignedIn { user: Box::new(user), is_new, replayed: false }, epoch))
}

/// Signing in waits for its phone's lock, but whoever fills a demo does not know the hash to wait
/// for.
pub(crate) fn met_another() -> DbError {
    Failed::Unavailable("this customer was made at the same moment".into()).into()
}

/// Makes a user who is not signed in yet, with the next id unless one is given.
pub(crate) async fn create_user(
    db: &Db<'_>,
    id: Option<UserId>,
    phone: &Phone,
    full_name: Option<&str>,
) -> Result<UserId> {
    const NEXT: &str = "SELECT nextval('user_numbers')";
    const INSERT: &str = "INSERT INTO users (id, phone, full_name, is_active, created_at) \
         VALUES ($1, $2, $3, false, $4)";
    // That it is somebody's is no error of the database's, which would write it into its log.
    const CLAIM: &str = "INSERT INTO phone_numbers (phone, user_id) VALUES ($1, $2) \
         ON CONFLICT (phone) DO NOTHING";
    let id = match id {
        Some(id) => id,
        None => next_user(db, NEXT).await?,
    };
    prepare(db, [INSERT, CLAIM]).await?;
    let (now, phone) = (db.now(), phone.as_str());
    let (user, claim): (Params<'_>, Params<'_>) =
        (&[&id.0, &phone, &full_name, &now], &[&phone, &id.0]);
    let ((), claimed) = try_join(db.change_one(INSERT, user), db.execute(CLAIM, claim)).await?;
    if claimed == 0 { Err(met_another()) } else { Ok(id) }
}

async fn next_user(db: &Db<'_>, next: &'static str) -> Result<UserId> {
    let id: i64 = db.query_one(next, &[]).await?.get(0);
    db.reserve("user", id + 1).await?;
    Ok(UserId(id))
}

/// Sees to it that customers get numbers beyond this one. It moves on only, and even if the rest
/// fails: what is skipped is never given out.
pub(crate) async fn pass_over_user(db: &Db<'_>, id: UserId) -> Result<()> {
    const PASS: &str = "SELECT setval('user_numbers', greatest($1, last_value)) \
         FROM user_numbers WHERE last_value < $1 OR NOT is_called";
    db.query_opt(PASS, &[&id.0]).await?;
    db.reserve("user", id.0 + 1).await
}

pub(crate) async fn user_id_of(db: &Db<'_>, phone: &Phone) -> Result<Option<UserId>> {
    const FIND: &str = "SELECT user_id FROM phone_numbers WHERE phone = $1";
    let row = db.query_opt(FIND, &[&phone.as_str()]).await?;
    Ok(row.map(|row| UserId(row.get(0))))
}

pub(crate) async fn user_with_phone(db: &Db<'_>, phone: &Phone) -> Result<Option<User>> {
    match user_id_of(db, phone).await? {
        Some(id) => user(db, id).await,
        None => Ok(None),
    }
}

/// Every token issued so far is dead: none carries the epoch that is current from now on.
pub(crate) async fn end_sessions(db: &Db<'_>, user: UserId) -> Result<()> {
    const END: &str =
        "UPDATE users SET is_active = false, session_epoch = session_epoch + 1 WHERE id = $1";
    db.change_one(END, &[&user.0]).await
}

async fn sign_out(db: &Db<'_>, session: Session, guard: &Guard) -> Result<Done<()>> {
    match begin_as(db, session, guard).await {
        Ok(Begun::Replay { .. }) => Ok(Done::before(())),
        Ok(Begun::Fresh) => {
            end_sessions(db, session.user_id).await?;
            remember(db, session.user_id, guard, session.epoch).await?;
            Ok(Done::now(()))
        }
        // The very sign-out being repeated may be what ended the session. To a dead session no more
        // is said of its keys: that one was used for something else is no other answer than that it
        // was not used.
        Err(DbError::Store(StoreError::Refused(Refused::SignedOut))) => {
            match ended_by(db, session, guard).await? {
                true => Ok(Done::before(())),
                false => Err(Refused::SignedOut.into()),
            }
        }
        Err(error) => Err(error),
    }
}

/// True if this very request ended this session.
async fn ended_by(db: &Db<'_>, session: Session, guard: &Guard) -> Result<bool> {
    const ENDED: &str = "SELECT 1 FROM idempotency_keys WHERE user_id = $1 AND key = $2 \
         AND fingerprint = $3 AND resource = $4 AND created_at > $5";
    let Some(key) = &guard.idempotency else { return Ok(false) };
    let (fingerprint, since) =
        (key.fingerprint.as_slice(), db.now() - millis(IDEMPOTENCY_LIFETIME));
    let params: Params<'_> = &[&session.user_id.0, &key.key, &fingerprint, &session.epoch, &since];
    Ok(db.query_opt(ENDED, params).await?.is_some())
}

const SELECT_USER: &str = "SELECT id, phone, full_name, email, profile_image_url, language, \
     is_active, blocked_at, session_epoch, last_login, created_at, \
     (SELECT value FROM incarnation) FROM users WHERE id = $1";

pub(crate) async fn user(db: &Db<'_>, id: UserId) -> Result<Option<User>> {
    Ok(db.query_opt(SELECT_USER, &[&id.0]).await?.as_ref().map(user_row))
}

fn user_row(row: &Row) -> User {
    User {
        id: UserId(row.get(0)),
        phone: Phone::from_stored(row.get(1)),
        full_name: row.get(2),
        email: row.get(3),
        profile_image_url: row.get(4),
        language: row.get(5),
        is_active: row.get(6),
        blocked_at: row.get::<_, Option<i64>>(7).map(time),
        session_epoch: row.get(8),
        last_login: row.get::<_, Option<i64>>(9).map(time),
        created_at: time(row.get(10)),
        incarnation: Incarnation(row.get(11)),
    }
}

async fn change_profile(
    db: &Db<'_>,
    session: Session,
    change: &ProfileChange,
    guard: &Guard,
) -> Result<Done<User>> {
    let id = session.user_id;
    let replayed = match begin_change(db, session, guard).await? {
        Begun::Replay { .. } => true,
        Begun::Fresh => {
            try_join(write_profile(db, id, change), remember(db, id, guard, id.0)).await?;
            false
        }
    };
    let value = user(db, id).await?.ok_or(Refused::UnknownUser)?;
    Ok(Done { value, replayed })
}

async fn write_profile(db: &Db<'_>, id: UserId, change: &ProfileChange) -> Result<()> {
    const CHANGE: &str = "UPDATE users SET \
         full_name = CASE WHEN $2 THEN $3 ELSE full_name END, \
         email = CASE WHEN $4 THEN $5 ELSE email END, \
         profile_image_url = CASE WHEN $6 THEN $7 ELSE profile_image_url END, \
         language = CASE WHEN $8 THEN $9 ELSE language END WHERE id = $1";
    let ProfileChange { full_name, email, profile_image_url, language } = change;
    let is_new = [full_name, email, profile_image_url, language].map(Option::is_some);
    let params: Params<'_> = &[
        &id.0,
        &is_new[0],
        &full_name.as_ref().and_then(Option::as_ref),
        &is_new[1],
        &email.as_ref().and_then(Option::as_ref),
        &is_new[2],
        &profile_image_url.as_ref().and_then(Option::as_ref),
        &is_new[3],
        &language.as_ref().and_then(Option::as_ref),
    ];
    db.change_one(CHANGE, params).await
}

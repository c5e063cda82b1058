//! The account's SQL: another phone, a copy of everything, the end.

use async_trait::async_trait;
use evercart_core::account::{
    Accounts, AddedLine, EXPORTED_KEYS, KeyUsed, OpenOrders, OperatorAction, PhoneChange, Proven,
    UserExport,
};
use evercart_core::code::KeyedHash;
use evercart_core::error::{Refused, Result as StoreResult, StoreError};
use evercart_core::guard::{Done, Guard, IdempotencyKey};
use evercart_core::ids::{OrderId, SkuId, UserId};
use evercart_core::money::Money;
use evercart_core::operator::By;
use evercart_core::order::Order;
use evercart_core::phone::Phone;
use evercart_core::sign_in::SignInAttempt;
use evercart_core::user::{Session, User};
use rusqlite::{OptionalExtension, ffi};

use crate::actor::{Begun, admit, audit, begin_as, remember};
use crate::db::{Db, DbError, Result, time, unsigned};
use crate::sign_in::{millis, try_code, user};
use crate::{Sqlite, address, cart, erasing, order, outbox, phone_change, wishlist};

#[async_trait]
impl Accounts for Sqlite {
    async fn prove_phone(
        &self,
        session: Session,
        proof: Option<SignInAttempt>,
        guard: Guard,
    ) -> StoreResult<Proven<()>> {
        self.writer
            .write(move |db| {
                let id = match begin_as(db, session, &guard)? {
                    Begun::Replay { .. } => return Ok(Proven::Done(Done::before(()))),
                    Begun::Fresh(actor) => actor.user_id,
                };
                phone_change::refuse_on_hold(db, id)?;
                if let Some(attempt) = &proof
                    && (!has_phone(db, id, &attempt.phone)? || !try_code(db, attempt)?)
                {
                    return Ok(Proven::CodeInvalid);
                }
                remember(db, id, &guard, id.0)?;
                Ok(Proven::Done(Done::now(())))
            })
            .await
    }

    async fn change_phone(
        &self,
        session: Session,
        change: PhoneChange,
        guard: Guard,
    ) -> StoreResult<Proven<User>> {
        let done = self.writer.write(move |db| change_phone(db, session, &change, &guard)).await;
        self.signals.changed(session.user_id);
        done
    }

    async fn stop_phone_change(&self, attempt: SignInAttempt) -> StoreResult<Proven<UserId>> {
        let stopped = self.writer.write(move |db| phone_change::stop(db, &attempt)).await?;
        if let Proven::Done(done) = &stopped {
            self.signals.changed(done.value);
        }
        Ok(stopped)
    }

    async fn export(&self, session: Session) -> StoreResult<UserExport> {
        self.readers.read_snapshot(move |db| export(db, session)).await
    }

    async fn export_orders(
        &self,
        session: Session,
        before: Option<OrderId>,
    ) -> StoreResult<Vec<Order>> {
        self.readers
            .read_snapshot(move |db| order::before(db, admit(db, session)?.user_id, before))
            .await
    }

    async fn export_keys(
        &self,
        session: Session,
        after: Option<String>,
    ) -> StoreResult<Vec<KeyUsed>> {
        self.readers
            .read_snapshot(move |db| keys_after(db, admit(db, session)?.user_id, after.as_deref()))
            .await
    }

    async fn erase(
        &self,
        session: Session,
        attempt: SignInAttempt,
        open_orders: OpenOrders,
        guard: Guard,
    ) -> StoreResult<Proven<()>> {
        let erase = move |db: &Db| erase(db, session, &attempt, open_orders, &guard);
        let done = self.writer.write(erase).await;
        self.signals.changed(session.user_id);
        done
    }
}

fn has_phone(db: &Db, id: UserId, phone: &Phone) -> Result<bool> {
    Ok(user(db, id)?.is_some_and(|user| user.phone == *phone))
}

fn change_phone(
    db: &Db,
    session: Session,
    change: &PhoneChange,
    guard: &Guard,
) -> Result<Proven<User>> {
    const LET_GO: &str = "DELETE FROM phone_numbers WHERE phone = ?1 AND user_id = ?2";
    const CHANGE: &str = "UPDATE users SET phone = ?2, is_active = 1, last_login = ?3, \
         session_epoch = session_epoch + 1, phone_held_until = ?4 WHERE id = ?1";
    let (id, attempt) = (session.user_id, &change.attempt);
    match begin_ending(db, session, guard)? {
        Beginning::Fresh => {}
        Beginning::Ended { at } => return repeat_of_change(db, session, change, at),
    }
    phone_change::refuse_on_hold(db, id)?;
    if !try_code(db, attempt)? {
        return Ok(Proven::CodeInvalid);
    }
    if let Some(kept) = phone_change::kept_for(db, attempt.phone_hash)? {
        return Err(Refused::PhoneMoved { until: kept.until() }.into());
    }
    db.change_one(LET_GO, (change.old_phone.as_str(), id.0))?;
    claim(db, id, &attempt.phone)?;
    let held_until = (!change.hold.is_zero()).then(|| db.now() + millis(change.hold));
    db.change_one(CHANGE, (id.0, attempt.phone.as_str(), db.now(), held_until))?;
    let (old, hash) = (&change.old_phone, change.old_phone_hash);
    phone_change::remember_former(db, id, old, hash, change.hold)?;
    audit(db, id, "change-phone", &By::customer())?;
    forget_early_keys(db, &[change.old_phone_hash, attempt.phone_hash])?;
    outbox::write_down(db, id, &change.notice)?;
    remember(db, id, guard, session.epoch)?;
    Ok(Proven::Done(Done::now(user(db, id)?.ok_or(Refused::UnknownUser)?)))
}

/// Gives a customer a phone that is nobody's.
pub(crate) fn claim(db: &Db, id: UserId, phone: &Phone) -> Result<()> {
    const CLAIM: &str = "INSERT INTO phone_numbers (phone, user_id) VALUES (?1, ?2)";
    match db.sql(CLAIM)?.execute((phone.as_str(), id.0)).map_err(DbError::from) {
        Ok(_) => Ok(()),
        Err(error) if is_taken(&error) => Err(Refused::PhoneTaken.into()),
        Err(error) => Err(error),
    }
}

/// True if the schema says that what was claimed is somebody else's.
fn is_taken(error: &DbError) -> bool {
    matches!(error, DbError::Sql(rusqlite::Error::SqliteFailure(error, _))
        if error.extended_code == ffi::SQLITE_CONSTRAINT_PRIMARYKEY)
}

/// The same request again: the same session, if nothing has ended it since and the code would still
/// be good.
fn repeat_of_change(
    db: &Db,
    session: Session,
    change: &PhoneChange,
    at: i64,
) -> Result<Proven<User>> {
    let user = user(db, session.user_id)?.ok_or(Refused::UnknownUser)?;
    let opens = db.now() < at + millis(change.repeat_opens_for)
        && user.is_active
        && user.blocked_at.is_none()
        && user.session_epoch == session.epoch + 1
        && user.phone == change.attempt.phone;
    match opens {
        true => Ok(Proven::Done(Done::before(user))),
        false => Err(Refused::SignedOut.into()),
    }
}

/// What a change of phone finds, which ends the session it is done with.
enum Beginning {
    Fresh,
    /// This very request ended this session.
    Ended {
        at: i64,
    },
}

/// Lets a session in, or the repeat of the request that ended it.
fn begin_ending(db: &Db, session: Session, guard: &Guard) -> Result<Beginning> {
    match begin_as(db, session, guard) {
        Ok(Begun::Fresh(_)) => Ok(Beginning::Fresh),
        // Whatever was done under a key ended the session: one that has not ended means that the
        // epochs were set back by hand.
        Ok(Begun::Replay { .. }) => Err(Refused::IdempotencyKeyReused.into()),
        Err(error) if is_signed_out(&error) => {
            let ended = guard.idempotency.as_ref().map(|key| ended_at(db, session, key));
            match ended.transpose()?.flatten() {
                Some(at) => Ok(Beginning::Ended { at }),
                None => Err(error),
            }
        }
        Err(error) => Err(error),
    }
}

/// When this very request ended this session, if it did.
fn ended_at(db: &Db, session: Session, key: &IdempotencyKey) -> Result<Option<i64>> {
    const ENDED: &str = "SELECT created_at FROM idempotency_keys WHERE user_id = ?1 AND key = ?2 \
         AND fingerprint = ?3 AND resource = ?4 AND created_at > ?5";
    let since = db.now() - millis(evercart_core::guard::IDEMPOTENCY_LIFETIME);
    let row = (session.user_id.0, &key.key, key.fingerprint.as_slice(), session.epoch, since);
    Ok(db.sql(ENDED)?.query_row(row, |row| row.get(0)).optional()?)
}

/// What a sign-in with these phones came to is not told again: they are somebody else's, or
/// nobody's, from now on.
pub(crate) fn forget_early_keys(db: &Db, phones: &[KeyedHash]) -> Result<()> {
    const FORGET: &str = "DELETE FROM sign_in_keys WHERE phone = ?1";
    for phone in phones {
        db.sql(FORGET)?.execute([phone.0])?;
    }
    Ok(())
}

fn export(db: &Db, session: Session) -> Result<UserExport> {
    const ACTIONS: &str = "SELECT action, at, reason FROM audit_log WHERE user_id = ?1 ORDER BY id";
    let id = admit(db, session)?.user_id;
    let mut statement = db.sql(ACTIONS)?;
    let actions = statement.query_map([id.0], |row| {
        Ok(OperatorAction { action: row.get(0)?, at: time(row.get(1)?), reason: row.get(2)? })
    })?;
    Ok(UserExport {
        user: user(db, id)?.ok_or(Refused::UnknownUser)?,
        cart: cart::read(db, session)?,
        wishlist: wishlist::read(db, id)?,
        orders: order::before(db, id, None)?,
        addresses: address::list(db, id)?,
        added: added(db, id)?,
        messages: outbox::waiting(db, id)?,
        phone_change: phone_change::state_of(db, id)?,
        former_phones: phone_change::former_phones(db, id)?,
        operator_actions: actions.collect::<rusqlite::Result<_>>()?,
    })
}

/// When the cart's lines were added.
fn added(db: &Db, id: UserId) -> Result<Vec<AddedLine>> {
    const ADDED: &str = "SELECT sku_id, quantity, price_when_added, added_at FROM cart_items \
         WHERE user_id = ?1 ORDER BY sku_id";
    let mut statement = db.sql(ADDED)?;
    let lines = statement.query_map([id.0], |row| {
        Ok(AddedLine {
            sku_id: SkuId(row.get(0)?),
            quantity: unsigned(row.get(1)?),
            price_when_added: Money(row.get(2)?),
            added_at: time(row.get(3)?),
        })
    })?;
    Ok(lines.collect::<rusqlite::Result<_>>()?)
}

fn keys_after(db: &Db, id: UserId, after: Option<&str>) -> Result<Vec<KeyUsed>> {
    // A key is at least one character long, so all of them come after nothing.
    const KEYS: &str = "SELECT key, created_at FROM idempotency_keys \
         WHERE user_id = ?1 AND key > ?2 ORDER BY key LIMIT ?3";
    let mut statement = db.sql(KEYS)?;
    let row = (id.0, after.unwrap_or_default(), EXPORTED_KEYS);
    let keys =
        statement.query_map(row, |row| Ok(KeyUsed { key: row.get(0)?, at: time(row.get(1)?) }))?;
    Ok(keys.collect::<rusqlite::Result<_>>()?)
}

fn erase(
    db: &Db,
    session: Session,
    attempt: &SignInAttempt,
    open_orders: OpenOrders,
    guard: &Guard,
) -> Result<Proven<()>> {
    let id = session.user_id;
    match begin_as(db, session, guard) {
        Ok(Begun::Fresh(_)) => {}
        Ok(Begun::Replay { .. }) => return Err(Refused::IdempotencyKeyReused.into()),
        Err(error) => {
            let is_repeat = is_signed_out(&error) && erasing::was_erased_by(db, session, guard)?;
            return if is_repeat { Ok(Proven::Done(Done::before(()))) } else { Err(error) };
        }
    }
    phone_change::refuse_on_hold(db, id)?;
    if !has_phone(db, id, &attempt.phone)? || !try_code(db, attempt)? {
        return Ok(Proven::CodeInvalid);
    }
    let request = guard.idempotency.as_ref().map(|key| key.request_of(session));
    erasing::erase(db, id, open_orders, request)?;
    audit(db, id, "erase", &By::customer())?;
    forget_early_keys(db, &[attempt.phone_hash])?;
    Ok(Proven::Done(Done::now(())))
}

fn is_signed_out(error: &DbError) -> bool {
    matches!(error, DbError::Store(StoreError::Refused(Refused::SignedOut)))
}

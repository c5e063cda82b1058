//! The account's SQL: another phone, a copy of everything, the end. Whatever races for a phone
//! waits for the phone's lock, as signing in does; that a phone is one customer's is the schema's.

use async_trait::async_trait;
use evercart_core::account::{
    Accounts, AddedLine, EXPORTED_KEYS, KeyUsed, OpenOrders, OperatorAction, PhoneChange, Proven,
    UserExport,
};
use evercart_core::code::KeyedHash;
use evercart_core::copy::Erasure;
use evercart_core::error::{Refused, Result as StoreResult, StoreError};
use evercart_core::guard::{Done, Guard, IDEMPOTENCY_LIFETIME, IdempotencyKey};
use evercart_core::ids::{OrderId, SkuId, UserId};
use evercart_core::money::Money;
use evercart_core::operator::By;
use evercart_core::order::Order;
use evercart_core::phone::Phone;
use evercart_core::sign_in::SignInAttempt;
use evercart_core::user::{Session, User};
use futures_util::future::try_join;
use tokio_postgres::Row;

use crate::Postgres;
use crate::actor::{Begun, admit, audit, begin_as, remember};
use crate::cart::CartContent;
use crate::db::{Db, DbError, Params, Result, snapshot, time, transact, unsigned};
use crate::sign_in::{lock_for, millis, try_code, user};
use crate::{address, cart_merge, erasing, order, outbox, phone_change, wishlist};

#[async_trait]
impl Accounts for Postgres {
    async fn prove_phone(
        &self,
        session: Session,
        proof: Option<SignInAttempt>,
        guard: Guard,
    ) -> StoreResult<Proven<()>> {
        transact!(self, |db| prove_phone(&db, session, proof.as_ref(), &guard))
    }

    async fn change_phone(
        &self,
        session: Session,
        change: PhoneChange,
        guard: Guard,
    ) -> StoreResult<Proven<User>> {
        let done = transact!(self, |db| change_phone(&db, session, &change, &guard))?;
        self.tell_of_change(session.user_id);
        Ok(done)
    }

    async fn stop_phone_change(&self, attempt: SignInAttempt) -> StoreResult<Proven<UserId>> {
        let stopped = transact!(self, |db| phone_change::stop(&db, &attempt))?;
        if let Proven::Done(done) = &stopped {
            self.tell_of_change(done.value);
        }
        Ok(stopped)
    }

    async fn export(&self, session: Session) -> StoreResult<UserExport> {
        let (content, mut export) = snapshot!(self, |db| export(&db, session))?;
        // What the catalogue says of the lines is the shop's, not the customer's.
        export.cart = self.cart_of(session, content).await?;
        Ok(export)
    }

    async fn export_orders(
        &self,
        session: Session,
        before: Option<OrderId>,
    ) -> StoreResult<Vec<Order>> {
        snapshot!(self, |db| order::before(&db, session, before))
    }

    async fn export_keys(
        &self,
        session: Session,
        after: Option<String>,
    ) -> StoreResult<Vec<KeyUsed>> {
        snapshot!(self, |db| keys_after(&db, session, after.as_deref()))
    }

    async fn erase(
        &self,
        session: Session,
        attempt: SignInAttempt,
        open_orders: OpenOrders,
        guard: Guard,
    ) -> StoreResult<Proven<()>> {
        let (done, erasure) =
            transact!(self, |db| erase(&db, session, &attempt, open_orders, &guard))?;
        if let Some(erasure) = erasure {
            self.list_erased(erasure).await;
        }
        self.tell_of_change(session.user_id);
        Ok(done)
    }
}

async fn prove_phone(
    db: &Db<'_>,
    session: Session,
    proof: Option<&SignInAttempt>,
    guard: &Guard,
) -> Result<Proven<()>> {
    let id = session.user_id;
    if let Some(attempt) = proof {
        lock_for(db, &[attempt.phone_hash], attempt).await?;
    }
    if let Begun::Replay { .. } = begin_as(db, session, guard).await? {
        return Ok(Proven::Done(Done::before(())));
    }
    phone_change::refuse_on_hold(db, id).await?;
    if let Some(attempt) = proof
        && (!has_phone(db, id, &attempt.phone).await? || !try_code(db, attempt).await?)
    {
        return Ok(Proven::CodeInvalid);
    }
    remember(db, id, guard, id.0).await?;
    Ok(Proven::Done(Done::now(())))
}

/// True if this is the phone of a customer whose row is locked.
async fn has_phone(db: &Db<'_>, id: UserId, phone: &Phone) -> Result<bool> {
    Ok(user(db, id).await?.is_some_and(|user| user.phone == *phone))
}

async fn change_phone(
    db: &Db<'_>,
    session: Session,
    change: &PhoneChange,
    guard: &Guard,
) -> Result<Proven<User>> {
    const LET_GO: &str = "DELETE FROM phone_numbers WHERE phone = $1 AND user_id = $2";
    const CHANGE: &str = "UPDATE users SET phone = $2, is_active = true, last_login = $3, \
         session_epoch = session_epoch + 1, phone_held_until = $4 WHERE id = $1";
    let (id, attempt) = (session.user_id, &change.attempt);
    let phones = [change.old_phone_hash, attempt.phone_hash];
    lock_for(db, &phones, attempt).await?;
    match begin_ending(db, session, guard).await? {
        Beginning::Fresh => {}
        Beginning::Ended { at } => return repeat_of_change(db, session, change, at).await,
    }
    phone_change::refuse_on_hold(db, id).await?;
    if !try_code(db, attempt).await? {
        return Ok(Proven::CodeInvalid);
    }
    if let Some(kept) = phone_change::kept_for(db, attempt.phone_hash).await? {
        return Err(Refused::PhoneMoved { until: kept.until() }.into());
    }
    db.change_one(LET_GO, &[&change.old_phone.as_str(), &id.0]).await?;
    claim(db, id, &attempt.phone).await?;
    let held_until = (!change.hold.is_zero()).then(|| db.now() + millis(change.hold));
    db.change_one(CHANGE, &[&id.0, &attempt.phone.as_str(), &db.now(), &held_until]).await?;
    let (old, hash) = (&change.old_phone, change.old_phone_hash);
    phone_change::remember_former(db, id, old, hash, change.hold).await?;
    audit(db, id, "change-phone", &By::customer()).await?;
    forget_early_keys(db, &phones).await?;
    outbox::write_down(db, id, &change.notice).await?;
    remember(db, id, guard, session.epoch).await?;
    Ok(Proven::Done(Done::now(user(db, id).await?.ok_or(Refused::UnknownUser)?)))
}

/// Gives a customer a phone that is nobody's. One that is somebody's is no error of the database's:
/// it would write the phone into its log.
pub(crate) async fn claim(db: &Db<'_>, id: UserId, phone: &Phone) -> Result<()> {
    const CLAIM: &str = "INSERT INTO phone_numbers (phone, user_id) VALUES ($1, $2) \
         ON CONFLICT (phone) DO NOTHING";
    match db.execute(CLAIM, &[&phone.as_str(), &id.0]).await? {
        0 => Err(Refused::PhoneTaken.into()),
        _ => Ok(()),
    }
}

/// The same request again: the same session, if nothing has ended it since and the code would still
/// be good.
async fn repeat_of_change(
    db: &Db<'_>,
    session: Session,
    change: &PhoneChange,
    at: i64,
) -> Result<Proven<User>> {
    let user = user(db, session.user_id).await?.ok_or(Refused::UnknownUser)?;
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
async fn begin_ending(db: &Db<'_>, session: Session, guard: &Guard) -> Result<Beginning> {
    match begin_as(db, session, guard).await {
        Ok(Begun::Fresh) => Ok(Beginning::Fresh),
        // Whatever was done under a key ended the session: one that has not ended means that the
        // epochs were set back by hand.
        Ok(Begun::Replay { .. }) => Err(Refused::IdempotencyKeyReused.into()),
        Err(error) if is_signed_out(&error) => {
            let ended = match &guard.idempotency {
                Some(key) => ended_at(db, session, key).await?,
                None => None,
            };
            match ended {
                Some(at) => Ok(Beginning::Ended { at }),
                None => Err(error),
            }
        }
        Err(error) => Err(error),
    }
}

/// When this very request ended this session, if it did.
async fn ended_at(db: &Db<'_>, session: Session, key: &IdempotencyKey) -> Result<Option<i64>> {
    const ENDED: &str = "SELECT created_at FROM idempotency_keys WHERE user_id = $1 AND key = $2 \
         AND fingerprint = $3 AND resource = $4 AND created_at > $5";
    let (fingerprint, since) =
        (key.fingerprint.as_slice(), db.now() - millis(IDEMPOTENCY_LIFETIME));
    let params: Params<'_> = &[&session.user_id.0, &key.key, &fingerprint, &session.epoch, &since];
    Ok(db.query_opt(ENDED, params).await?.map(|row| row.get(0)))
}

/// What a sign-in with these phones came to is not told again: they are somebody else's, or
/// nobody's, from now on.
pub(crate) async fn forget_early_keys(db: &Db<'_>, phones: &[KeyedHash]) -> Result<()> {
    const FORGET: &str = "DELETE FROM sign_in_keys WHERE phone = $1";
    for phone in phones {
        db.execute(FORGET, &[&phone.0.as_slice()]).await?;
    }
    Ok(())
}

/// Everything, with the cart's content beside it: what the catalogue says is looked up elsewhere.
async fn export(db: &Db<'_>, session: Session) -> Result<(CartContent, UserExport)> {
    const ACTIONS: &str = "SELECT action, at, reason FROM audit_log WHERE user_id = $1 ORDER BY id";
    let id = session.user_id;
    admit(db, session).await?;
    let actions = db.query(ACTIONS, &[&id.0]).await?;
    let export = UserExport {
        user: user(db, id).await?.ok_or(Refused::UnknownUser)?,
        cart: evercart_core::cart::Cart {
            user_id: id,
            version: 0,
            lines: Vec::new(),
            updated_at: None,
        },
        wishlist: wishlist::admitted(db, session).await?,
        orders: order::before(db, session, None).await?,
        addresses: address::list(db, id).await?,
        added: added(db, id).await?,
        messages: outbox::waiting(db, id).await?,
        phone_change: phone_change::state_of(db, id).await?,
        former_phones: phone_change::former_phones(db, id).await?,
        operator_actions: actions
            .iter()
            .map(|row| OperatorAction {
                action: row.get(0),
                at: time(row.get(1)),
                reason: row.get(2),
            })
            .collect(),
    };
    Ok((cart_merge::content(db, session).await?, export))
}

/// When the cart's lines were added.
async fn added(db: &Db<'_>, id: UserId) -> Result<Vec<AddedLine>> {
    const ADDED: &str = "SELECT sku_id, quantity, price_when_added, added_at FROM cart_items \
         WHERE user_id = $1 ORDER BY sku_id";
    let line = |row: &Row| AddedLine {
        sku_id: SkuId(row.get(0)),
        quantity: unsigned(row.get::<_, i32>(1).into()),
        price_when_added: Money(row.get(2)),
        added_at: time(row.get(3)),
    };
    Ok(db.query(ADDED, &[&id.0]).await?.iter().map(line).collect())
}

async fn keys_after(db: &Db<'_>, session: Session, after: Option<&str>) -> Result<Vec<KeyUsed>> {
    // A key is at least one character long, so all of them come after nothing.
    const KEYS: &str = "SELECT key, created_at FROM idempotency_keys \
         WHERE user_id = $1 AND key COLLATE \"C\" > $2 ORDER BY key COLLATE \"C\" LIMIT $3";
    let (after, limit) = (after.unwrap_or_default(), i64::from(EXPORTED_KEYS));
    let params: Params<'_> = &[&session.user_id.0, &after, &limit];
    let ((), keys) = try_join(admit(db, session), db.query(KEYS, params)).await?;
    Ok(keys.iter().map(|row| KeyUsed { key: row.get(0), at: time(row.get(1)) }).collect())
}

async fn erase(
    db: &Db<'_>,
    session: Session,
    attempt: &SignInAttempt,
    open_orders: OpenOrders,
    guard: &Guard,
) -> Result<(Proven<()>, Option<Erasure>)> {
    let id = session.user_id;
    lock_for(db, &[attempt.phone_hash], attempt).await?;
    match begin_as(db, session, guard).await {
        Ok(Begun::Fresh) => {}
        Ok(Begun::Replay { .. }) => return Err(Refused::IdempotencyKeyReused.into()),
        Err(error) => {
            let is_over = is_signed_out(&error);
            let is_repeat = is_over && erasing::was_erased_by(db, session, guard).await?;
            let before = Proven::Done(Done::before(()));
            return if is_repeat { Ok((before, None)) } else { Err(error) };
        }
    }
    phone_change::refuse_on_hold(db, id).await?;
    if !has_phone(db, id, &attempt.phone).await? || !try_code(db, attempt).await? {
        return Ok((Proven::CodeInvalid, None));
    }
    let request = guard.idempotency.as_ref().map(|key| key.request_of(session));
    let erasure = erasing::erase(db, id, &attempt.phone, open_orders, request).await?;
    audit(db, id, "erase", &By::customer()).await?;
    forget_early_keys(db, &[attempt.phone_hash]).await?;
    Ok((Proven::Done(Done::now(())), Some(erasure)))
}

fn is_signed_out(error: &DbError) -> bool {
    matches!(error, DbError::Store(StoreError::Refused(Refused::SignedOut)))
}

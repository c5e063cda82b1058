//! The model's accounts as a whole.

use async_trait::async_trait;
use evercart_core::account::{
    Accounts, EXPORTED_KEYS, KeyUsed, OpenOrders, PhoneChange, Proven, UserExport,
};
use evercart_core::error::{OPEN_ORDERS_TOLD, Refused, Result};
use evercart_core::guard::{Done, Guard, IdempotencyKey};
use evercart_core::ids::{OrderId, UserId};
use evercart_core::operator::By;
use evercart_core::order::Order;
use evercart_core::phone::Phone;
use evercart_core::sign_in::SignInAttempt;
use evercart_core::user::{Session, User};
use jiff::Timestamp;

use super::{Model, Remembered, State};

#[async_trait]
impl Accounts for Model {
    async fn prove_phone(
        &self,
        session: Session,
        proof: Option<SignInAttempt>,
        guard: Guard,
    ) -> Result<Proven<()>> {
        self.transact(|state, now| {
            let customer = state.customer(session)?;
            let (key, phone) = (guard.idempotency, customer.user.phone.clone());
            if Remembered::find(&customer.keys, key.as_ref(), now)?.is_some() {
                return Ok(Proven::Done(Done::before(())));
            }
            customer.refuse_on_hold(now)?;
            if let Some(attempt) = &proof
                && (attempt.phone != phone || state.sign_ins.try_code(attempt, now)?.is_none())
            {
                return Ok(Proven::CodeInvalid);
            }
            Remembered::store(&mut state.of(session.user_id).keys, key, now, 0);
            Ok(Proven::Done(Done::now(())))
        })
    }

    async fn change_phone(
        &self,
        session: Session,
        change: PhoneChange,
        guard: Guard,
    ) -> Result<Proven<User>> {
        self.transact(|state, now| {
            let key = guard.idempotency;
            let phone = change.attempt.phone.clone();
            if let Some(at) = state.ended_by(session, key.as_ref(), now)? {
                let user = &state.users[&session.user_id].user;
                let opens = now < at + change.repeat_opens_for
                    && user.is_active
                    && user.session_epoch == session.epoch + 1
                    && user.phone == phone;
                return match opens {
                    true => Ok(Proven::Done(Done::before(user.clone()))),
                    false => Err(Refused::SignedOut),
                };
            }
            state.customer(session)?.refuse_on_hold(now)?;
            if state.sign_ins.try_code(&change.attempt, now)?.is_none() {
                return Ok(Proven::CodeInvalid);
            }
            if let Some((_, until)) = state.kept_for(change.attempt.phone_hash, now) {
                return Err(Refused::PhoneMoved { until });
            }
            if state.by_phone(&phone).is_ok_and(|other| other.user.id != session.user_id) {
                return Err(Refused::PhoneTaken);
            }
            state.sign_ins.forget_keys(change.old_phone_hash);
            state.sign_ins.forget_keys(change.attempt.phone_hash);
            let customer = state.of(session.user_id);
            Remembered::store(&mut customer.keys, key, now, session.epoch);
            customer.user.phone = phone;
            customer.user.session_epoch += 1;
            customer.user.last_login = Some(now);
            customer.write_down(change.notice, now);
            customer.held_until = (!change.hold.is_zero()).then(|| now + change.hold);
            customer.leave(&change.old_phone, change.old_phone_hash, change.hold, now);
            customer.act("change-phone", &By::customer(), now);
            Ok(Proven::Done(Done::now(customer.user.clone())))
        })
    }

    async fn stop_phone_change(&self, attempt: SignInAttempt) -> Result<Proven<UserId>> {
        self.transact(|state, now| state.stop(attempt, now))
    }

    async fn export(&self, session: Session) -> Result<UserExport> {
        self.transact(|state, now| {
            let customer = state.customer(session)?;
            Ok(UserExport {
                user: customer.user.clone(),
                cart: state.show_cart(customer),
                wishlist: state.show_wishlist(customer),
                orders: customer.orders_before(None),
                addresses: customer.shown_addresses(),
                added: customer.added(),
                messages: customer.waiting(),
                phone_change: customer.phone_change(now),
                former_phones: customer.former_phones(),
                operator_actions: customer.actions.clone(),
            })
        })
    }

    async fn export_orders(&self, session: Session, before: Option<OrderId>) -> Result<Vec<Order>> {
        self.read(session, |_, customer| Ok(customer.orders_before(before)))
    }

    async fn export_keys(&self, session: Session, after: Option<String>) -> Result<Vec<KeyUsed>> {
        self.read(session, |_, customer| {
            let key =
                |(key, used): (&String, &Remembered)| KeyUsed { key: key.clone(), at: used.at };
            let mut keys: Vec<_> = customer.keys.iter().map(key).collect();
            keys.sort_by(|a, b| a.key.cmp(&b.key));
            keys.retain(|used| after.as_ref().is_none_or(|after| used.key > *after));
            keys.truncate(EXPORTED_KEYS as usize);
            Ok(keys)
        })
    }

    async fn erase(
        &self,
        session: Session,
        attempt: SignInAttempt,
        open_orders: OpenOrders,
        guard: Guard,
    ) -> Result<Proven<()>> {
        self.transact(|state, now| {
            let key = guard.idempotency;
            if state.ended_by(session, key.as_ref(), now)?.is_some() {
                return Ok(Proven::Done(Done::before(())));
            }
            state.customer(session)?.refuse_on_hold(now)?;
            let is_own = state.customer(session)?.user.phone == attempt.phone;
            if !is_own || state.sign_ins.try_code(&attempt, now)?.is_none() {
                return Ok(Proven::CodeInvalid);
            }
            state.erase(session.user_id, open_orders, &By::customer(), now)?;
            state.sign_ins.forget_keys(attempt.phone_hash);
            Remembered::store(&mut state.of(session.user_id).keys, key, now, session.epoch);
            Ok(Proven::Done(Done::now(())))
        })
    }
}

/// Takes from an order what its delivery needed.
pub(super) fn forget_delivery(order: &mut Order) {
    order.payment_method.clear();
    order.customer_name.clear();
    order.customer_phone.clear();
    order.delivery_address.clear();
    (order.delivery_city, order.delivery_notes) = (None, None);
}

impl State {
    /// Erases a customer.
    pub(super) fn erase(
        &mut self,
        id: UserId,
        open_orders: OpenOrders,
        by: &By,
        now: Timestamp,
    ) -> Result<(), Refused> {
        let customer = self.of(id);
        let open = customer.orders.iter().filter(|order| order.status.is_open());
        let orders: Vec<_> = open.map(|order| order.id).take(OPEN_ORDERS_TOLD as usize).collect();
        if open_orders == OpenOrders::Refuse && !orders.is_empty() {
            return Err(Refused::OpenOrders { orders });
        }
        customer.act("erase", by, now);
        customer.lines.clear();
        customer.wishes.clear();
        customer.addresses.clear();
        customer.keys.clear();
        customer.outbox.clear();
        customer.former.clear();
        customer.held_until = None;
        for order in &mut customer.orders {
            order.customer_email = None;
            if order.status.is_open() {
                continue;
            }
            forget_delivery(order);
        }
        let user = &mut customer.user;
        user.phone = Phone::from_stored(String::new());
        user.is_active = false;
        user.session_epoch += 1;
        (user.full_name, user.email, user.profile_image_url) = (None, None, None);
        (user.language, user.last_login, user.blocked_at) = (None, None, None);
        Ok(())
    }

    /// When this very request ended this session, if it did. Refuses any other dead session.
    fn ended_by(
        &self,
        session: Session,
        key: Option<&IdempotencyKey>,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, Refused> {
        let refused = match self.customer(session) {
            Ok(customer) => {
                // What was done under a key ended the session, so it was another request.
                return match Remembered::find(&customer.keys, key, now)? {
                    Some(_) => Err(Refused::IdempotencyKeyReused),
                    None => Ok(None),
                };
            }
            Err(refused) => refused,
        };
        let keys = self.users.get(&session.user_id).map(|customer| &customer.keys);
        let known = keys.and_then(|keys| Remembered::find(keys, key, now).ok().flatten());
        match known {
            Some(known) if refused == Refused::SignedOut && known.made == session.epoch => {
                Ok(Some(known.at))
            }
            _ => Err(refused),
        }
    }
}

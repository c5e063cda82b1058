//! A store in plain memory, the simplest thing that keeps the contract: what random sequences are
//! compared with, and the proof that the suite can pass. Not durable beyond its clones, never
//! shipped.

mod account;
mod cart;
mod catalogue;
mod continuity;
mod operator;
mod order;
mod outbox;
mod phone_change;
mod sign_in;
mod wishlist;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use evercart_core::account::{EXPORTED_ORDERS, OperatorAction};
use evercart_core::address::Address;
use evercart_core::awake::Awake;
use evercart_core::catalogue::CatalogueRow;
use evercart_core::clock::{Clock, ManualClock};
use evercart_core::error::{Refused, Result};
use evercart_core::guard::{Done, Guard, IDEMPOTENCY_LIFETIME, IdempotencyKey};
use evercart_core::ids::{LineId, OrderId, ProductId, SkuId, UserId, WishId};
use evercart_core::incarnation::Incarnation;
use evercart_core::mark::Numbers;
use evercart_core::money::{Currency, Money};
use evercart_core::operator::Frozen;
use evercart_core::order::{FIRST_ORDER, Order};
use evercart_core::signals::{CartSignals, CartWatch, CartWatchers};
use evercart_core::store::Store;
use evercart_core::sweep::{KeyPlace, SWEPT_AT_ONCE, Sweep};
use evercart_core::user::{Session, User};
use jiff::Timestamp;

use crate::Backend;

/// The model. Its clones share one memory.
#[derive(Clone)]
pub struct Model {
    state: Arc<Mutex<State>>,
    clock: Arc<ManualClock>,
    watchers: Arc<CartWatchers>,
    awake: Arc<Awake>,
}

/// Everything there is.
#[derive(Clone)]
struct State {
    users: BTreeMap<UserId, Customer>,
    /// The catalogue as it would be exported; `stock` is what is on hand.
    skus: BTreeMap<SkuId, CatalogueRow>,
    sign_ins: sign_in::SignIns,
    last_order: i64,
    life_number: i64,
    incarnation: Incarnation,
    life_since: Option<Timestamp>,
    numbers_from: Numbers,
    is_demo: bool,
    currency: Option<Currency>,
}

impl State {
    fn new() -> Self {
        Self {
            users: BTreeMap::new(),
            skus: BTreeMap::new(),
            sign_ins: sign_in::SignIns::default(),
            last_order: FIRST_ORDER - 1,
            life_number: 1,
            incarnation: Incarnation(1),
            life_since: None,
            numbers_from: Numbers::default(),
            is_demo: false,
            currency: None,
        }
    }
}

/// Everything of one user.
#[derive(Clone)]
struct Customer {
    user: User,
    cart_version: i64,
    cart_updated_at: Option<Timestamp>,
    /// The order that last emptied the cart, and the version it left it at.
    emptied: Option<(OrderId, i64)>,
    lines: Vec<CartLine>,
    lines_ever: i64,
    wishes: Vec<(WishId, ProductId, Timestamp)>,
    wishes_ever: i64,
    orders: Vec<Order>,
    addresses: Vec<Address>,
    addresses_ever: i64,
    keys: HashMap<String, Remembered>,
    actions: Vec<OperatorAction>,
    outbox: Vec<outbox::Waiting>,
    former: Vec<phone_change::Former>,
    held_until: Option<Timestamp>,
    frozen: Option<Frozen>,
}

impl Customer {
    /// The newest orders before this one.
    fn orders_before(&self, before: Option<OrderId>) -> Vec<Order> {
        let orders = self.orders.iter().rev();
        let rest = orders.filter(|order| before.is_none_or(|before| order.id < before));
        rest.take(EXPORTED_ORDERS as usize).cloned().collect()
    }

    /// The default first.
    fn shown_addresses(&self) -> Vec<Address> {
        let mut addresses = self.addresses.clone();
        addresses.sort_by_key(|address| (!address.is_default, address.id));
        addresses
    }

    /// What those who watch the customer's cart are told the changes of.
    fn watched(&self) -> (i64, i64, bool, bool) {
        let user = &self.user;
        (self.cart_version, user.session_epoch, user.is_active, user.blocked_at.is_some())
    }
}

#[derive(Clone)]
struct CartLine {
    id: LineId,
    sku_id: SkuId,
    quantity: u32,
    price_when_added: Money,
    added_at: Timestamp,
}

/// What is kept of an intent: what it was, when, and the id of what it made.
#[derive(Clone)]
struct Remembered {
    fingerprint: [u8; 32],
    at: Timestamp,
    made: i64,
}

impl Remembered {
    /// Looks a key up: `None` if it is new or forgotten.
    fn find<'a>(
        keys: &'a HashMap<String, Remembered>,
        key: Option<&IdempotencyKey>,
        now: Timestamp,
    ) -> Result<Option<&'a Remembered>, Refused> {
        let Some((key, known)) = key.and_then(|key| Some((key, keys.get(&key.key)?))) else {
            return Ok(None);
        };
        if now.duration_since(known.at) >= IDEMPOTENCY_LIFETIME {
            return Ok(None);
        }
        if known.fingerprint != key.fingerprint {
            return Err(Refused::IdempotencyKeyReused);
        }
        Ok(Some(known))
    }

    fn store(
        keys: &mut HashMap<String, Remembered>,
        key: Option<IdempotencyKey>,
        at: Timestamp,
        made: i64,
    ) {
        if let Some(IdempotencyKey { key, fingerprint }) = key {
            keys.insert(key, Remembered { fingerprint, at, made });
        }
    }
}

impl Model {
    /// An empty store that tells the time by `clock`.
    pub fn new(clock: Arc<ManualClock>) -> Self {
        let state = Arc::new(Mutex::new(State::new()));
        Self { state, clock, watchers: Arc::default(), awake: Arc::new(Awake::always()) }
    }

    /// One transaction: on a copy, which replaces the original if it succeeds.
    fn transact<T>(
        &self,
        act: impl FnOnce(&mut State, Timestamp) -> Result<T, Refused>,
    ) -> Result<T> {
        let mut state = self.state.lock().expect("no operation panics while it holds the lock");
        let mut copy = state.clone();
        let value = act(&mut copy, self.clock.now())?;
        let before = std::mem::replace(&mut *state, copy);
        for (id, customer) in &state.users {
            if before.users.get(id).is_none_or(|before| before.watched() != customer.watched()) {
                self.watchers.tell(*id);
            }
        }
        Ok(value)
    }

    /// A read by a customer.
    fn read<T>(
        &self,
        session: Session,
        look: impl FnOnce(&State, &Customer) -> Result<T, Refused>,
    ) -> Result<T> {
        self.transact(|state, _| look(state, state.customer(session)?))
    }

    /// A guarded mutation by a customer: session, key, version, then `act`, which returns the id of
    /// what it made; `show` looks that up, for the first answer and for a replay alike.
    fn mutate<T>(
        &self,
        session: Session,
        guard: Guard,
        act: impl FnOnce(&mut State, UserId, Timestamp) -> Result<i64, Refused>,
        show: impl FnOnce(&State, &Customer, i64) -> Result<T, Refused>,
    ) -> Result<Done<T>> {
        self.transact(|state, now| {
            let customer = state.customer(session)?;
            let key = guard.idempotency;
            if let Some(known) = Remembered::find(&customer.keys, key.as_ref(), now)? {
                return Ok(Done::before(show(state, customer, known.made)?));
            }
            let actual = customer.cart_version;
            if let Some(expected) = guard.expected_version.filter(|version| *version != actual) {
                return Err(Refused::VersionConflict { expected, actual });
            }
            let made = act(state, session.user_id, now)?;
            Remembered::store(&mut state.of(session.user_id).keys, key, now, made);
            Ok(Done::now(show(state, &state.users[&session.user_id], made)?))
        })
    }
}

impl State {
    /// The customer behind a session, if it still is one.
    fn customer(&self, session: Session) -> Result<&Customer, Refused> {
        let customer = self.users.get(&session.user_id).ok_or(Refused::UnknownUser)?;
        let user = &customer.user;
        if session.incarnation != self.incarnation {
            return Err(Refused::Returned);
        }
        if user.blocked_at.is_some() {
            return Err(Refused::UserBlocked);
        }
        if !user.is_active || user.session_epoch != session.epoch {
            return Err(Refused::SignedOut);
        }
        Ok(customer)
    }

    /// A customer whose session was checked.
    fn of(&mut self, id: UserId) -> &mut Customer {
        self.users.get_mut(&id).expect("the session was checked, and users are never removed")
    }
}

impl CartSignals for Model {
    fn watch_cart(&self, user: UserId) -> CartWatch {
        self.watchers.watch(user)
    }
}

#[async_trait]
impl Sweep for Model {
    async fn forget_old_keys(&self, after: Option<KeyPlace>) -> Result<Option<KeyPlace>> {
        self.transact(|state, now| {
            let mut places: Vec<_> = state
                .users
                .iter()
                .flat_map(|(id, customer)| customer.keys.keys().map(|key| (*id, key.clone())))
                .filter(|place| {
                    after.as_ref().is_none_or(|after| *place > (after.user_id, after.key.clone()))
                })
                .collect();
            places.sort();
            let is_last = places.len() <= SWEPT_AT_ONCE as usize;
            places.truncate(SWEPT_AT_ONCE as usize);
            for (user_id, _) in &places {
                let keys = &mut state.of(*user_id).keys;
                keys.retain(|_, used| now.duration_since(used.at) < IDEMPOTENCY_LIFETIME);
            }
            let last = places.pop().filter(|_| !is_last);
            Ok(last.map(|(user_id, key)| KeyPlace { user_id, key }))
        })
    }

    /// Nobody can tell here what is past its term from what is gone.
    async fn forget_what_is_over(&self) -> Result<bool> {
        Ok(false)
    }
}

impl Backend for Model {
    fn fresh(clock: Arc<ManualClock>) -> Self {
        Self::new(clock)
    }

    fn store(&self) -> Arc<dyn Store> {
        Arc::new(self.clone())
    }

    fn reopen(self) -> Self {
        self
    }
}

//! One customer with several devices, and what the shop has acknowledged to them: a model that is
//! as exact as the acknowledgements are. Each device keeps to SKUs and products of its own, so that
//! what another does at the same moment never makes its own part uncertain.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use anyhow::{Context, Result};
use serde_json::Value;

/// Devices of one customer.
pub const SLOTS: usize = 4;

/// SKUs and products of one device.
const OWN: usize = 5;

/// A token with the number of the session it is for, counted from 1; 0 is none.
#[derive(Clone)]
pub struct Ticket {
    pub token: Arc<str>,
    pub session: u64,
}

/// One customer.
pub struct Household {
    pub phone: String,
    /// What is put into the cart and taken out passes while this is read; an order, which empties
    /// it, while it is written.
    pub cart: RwLock<()>,
    pub ledgers: [Mutex<Ledger>; SLOTS],
    pub orders: Mutex<BTreeSet<u64>>,
    ticket: RwLock<Ticket>,
    ended: Mutex<Vec<Ticket>>,
    /// One device at a time signs in.
    pub sign_in: Mutex<()>,
    /// Sessions below this may have ended: a logout was sent.
    may_be_over: AtomicU64,
    /// Sessions below this have ended: a logout was acknowledged.
    is_over: AtomicU64,
}

/// What one device was acknowledged.
pub struct Ledger {
    /// What it may buy.
    pub skus: Vec<u64>,
    /// What it may wish for.
    pub products: Vec<u64>,
    /// SKU → line and quantity.
    pub lines: BTreeMap<u64, (u64, u64)>,
    pub wishes: BTreeSet<u64>,
}

impl Household {
    /// The `n`th customer.
    pub fn new(n: usize, skus: &[u64], products: &[u64]) -> Self {
        let own = |all: &[u64], slot| -> Vec<u64> {
            all.iter().skip(slot).step_by(SLOTS).cycle().skip(n).take(OWN).copied().collect()
        };
        let ledger = |slot| {
            Mutex::new(Ledger {
                skus: own(skus, slot),
                products: own(products, slot),
                lines: BTreeMap::new(),
                wishes: BTreeSet::new(),
            })
        };
        Self {
            phone: format!("+1312805{n:04}"),
            cart: RwLock::new(()),
            ledgers: std::array::from_fn(ledger),
            orders: Mutex::default(),
            ticket: RwLock::new(Ticket { token: "".into(), session: 0 }),
            ended: Mutex::default(),
            sign_in: Mutex::default(),
            may_be_over: AtomicU64::new(1),
            is_over: AtomicU64::new(1),
        }
    }

    /// The newest token.
    pub fn ticket(&self) -> Ticket {
        self.ticket.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A new token takes the old one's place.
    pub fn admit(&self, token: &str) {
        let mut ticket = self.ticket.write().unwrap_or_else(PoisonError::into_inner);
        let session = ticket.session + 1;
        let old = std::mem::replace(&mut *ticket, Ticket { token: token.into(), session });
        if old.session > 0 {
            self.ended.lock().unwrap_or_else(PoisonError::into_inner).push(old);
        }
    }

    /// A token of an earlier session, if there is one; `choose` picks among so many.
    pub fn ended(&self, choose: impl FnOnce(usize) -> usize) -> Option<Ticket> {
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        (!ended.is_empty()).then(|| ended[choose(ended.len())].clone())
    }

    /// A logout of this session is about to be sent.
    pub fn logout_begins(&self, session: u64) {
        self.may_be_over.fetch_max(session + 1, Ordering::SeqCst);
    }

    /// A logout of this session was acknowledged.
    pub fn logout_is_done(&self, session: u64) {
        self.is_over.fetch_max(session + 1, Ordering::SeqCst);
    }

    /// True if a logout of this or a later session was acknowledged.
    pub fn is_over(&self, session: u64) -> bool {
        session < self.is_over.load(Ordering::SeqCst)
    }

    /// True if a logout of this or a later session was sent.
    pub fn may_be_over(&self, session: u64) -> bool {
        session < self.may_be_over.load(Ordering::SeqCst)
    }

    /// What the whole cart must hold: SKU → quantity. Only while nothing changes it.
    pub fn expected_cart(&self) -> BTreeMap<u64, u64> {
        let mut cart = BTreeMap::new();
        for ledger in &self.ledgers {
            let ledger = ledger.lock().unwrap_or_else(PoisonError::into_inner);
            cart.extend(ledger.lines.iter().map(|(sku, (_, quantity))| (*sku, *quantity)));
        }
        cart
    }

    /// The order took everything.
    pub fn cart_was_ordered(&self) {
        for ledger in &self.ledgers {
            ledger.lock().unwrap_or_else(PoisonError::into_inner).lines.clear();
        }
    }
}

impl Ledger {
    /// What is wrong with this device's part of a cart, if anything.
    pub fn difference(&self, cart: &Value) -> Result<Option<String>> {
        let found: BTreeMap<u64, (u64, u64)> = lines(cart)?
            .into_iter()
            .filter(|(sku, ..)| self.skus.contains(sku))
            .map(|(sku, line, quantity)| (sku, (line, quantity)))
            .collect();
        let expected = &self.lines;
        Ok((found != *expected)
            .then(|| format!("a cart has {found:?} where {expected:?} was acknowledged")))
    }

    /// What is wrong with this device's part of a wishlist, if anything.
    pub fn difference_of_wishes(&self, wishlist: &Value) -> Result<Option<String>> {
        let items = wishlist["items"].as_array().context("a wishlist has items")?;
        let products = items.iter().filter_map(|item| item["product_id"].as_u64());
        let found: BTreeSet<u64> =
            products.filter(|product| self.products.contains(product)).collect();
        let expected = &self.wishes;
        Ok((found != *expected)
            .then(|| format!("a wishlist has {found:?} where {expected:?} was acknowledged")))
    }
}

/// SKU, line and quantity of each line of a cart or an order.
pub fn lines(cart_or_order: &Value) -> Result<Vec<(u64, u64, u64)>> {
    let items = cart_or_order["items"].as_array().context("there are items")?;
    let number = |item: &Value, name: &str| {
        item[name].as_u64().with_context(|| format!("a line has a {name}"))
    };
    let line = |item| Ok((number(item, "sku_id")?, number(item, "id")?, number(item, "quantity")?));
    items.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_lost_line_is_found() {
        let household = Household::new(3, &(1..60).collect::<Vec<_>>(), &[1, 2, 3, 4, 5, 6, 7, 8]);
        let mut ledger = household.ledgers[0].lock().expect("nobody panicked");
        let sku = ledger.skus[0];
        ledger.lines.insert(sku, (1, 2));
        let cart = |quantity| json!({"items": [{"sku_id": sku, "id": 1, "quantity": quantity}]});
        assert_eq!(ledger.difference(&cart(2)).expect("a cart"), None);
        assert!(ledger.difference(&cart(1)).expect("a cart").is_some());
        assert!(ledger.difference(&json!({"items": []})).expect("a cart").is_some());
    }

    #[test]
    fn a_session_is_over_once_its_logout_was_acknowledged() {
        let household = Household::new(0, &[1, 2, 3, 4], &[1, 2, 3, 4]);
        household.admit("a");
        let first = household.ticket().session;
        assert!(!household.is_over(first) && !household.may_be_over(first));
        household.logout_begins(first);
        assert!(!household.is_over(first) && household.may_be_over(first));
        household.logout_is_done(first);
        household.admit("b");
        assert!(household.is_over(first) && !household.is_over(household.ticket().session));
    }
}

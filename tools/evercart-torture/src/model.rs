//! One customer of the shop as the contract describes them, and nothing of the server's code: what
//! a request does, and which answers it may get. The search asks this for every order of events
//! that it tries.

mod addresses;
mod shows;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use addresses::Addresses;

use crate::history::{Intent, Told, Try};

/// The most pieces of one SKU in a cart.
const QUANTITY_MAX: u32 = 999;
/// What a piece of any SKU costs, in cents; see `world`.
pub const PRICE: u64 = 100;
/// What delivery costs in this market, in cents, and from which amount on it is free.
const DELIVERY: u64 = 999;
const DELIVERY_FREE_FROM: u64 = 7_500;

/// What is compared. Comparing less makes a check weaker, never wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The cart's versions.
    pub versions: bool,
    /// The SKUs in the cart; None is all.
    pub skus: Option<BTreeSet<u64>>,
    /// The wishlist.
    pub wishes: bool,
    /// The orders.
    pub orders: bool,
    /// The addresses.
    pub addresses: bool,
    /// Tokens that have ended are refused.
    pub sessions: bool,
    /// A key has one effect.
    pub keys: bool,
    /// SKUs that run out: a refusal for want of them may come at any time.
    pub scarce: Arc<BTreeSet<u64>>,
}

impl Scope {
    /// Everything.
    pub fn whole(scarce: impl IntoIterator<Item = u64>) -> Self {
        Self {
            versions: true,
            skus: None,
            wishes: true,
            orders: true,
            addresses: true,
            sessions: true,
            keys: true,
            scarce: Arc::new(scarce.into_iter().collect()),
        }
    }

    fn has(&self, sku: u64) -> bool {
        self.skus.as_ref().is_none_or(|skus| skus.contains(&sku))
    }
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Order {
    /// Not known before it was told.
    id: Option<u64>,
    lines: Vec<(u64, u32)>,
    is_cancelled: bool,
}

/// Everything of one customer at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct State {
    user: Option<u64>,
    /// The cart's version.
    pub version: u64,
    /// SKU → line, if it was told, and quantity.
    lines: BTreeMap<u64, (Option<u64>, u32)>,
    wishes: BTreeSet<u64>,
    /// By tag.
    orders: Rc<BTreeMap<u32, Order>>,
    addresses: Addresses,
    /// Tokens that are good, by the try that brought them.
    tokens: BTreeSet<u32>,
    /// Keys whose effect has happened.
    keys: Rc<BTreeSet<u32>>,
    phone: u32,
    /// The key that changed the phone, until the next sign-out.
    changed_by: Option<u32>,
    /// Keys that ended sessions, with the tokens that were good before.
    ended: Rc<BTreeMap<u32, BTreeSet<u32>>>,
    /// What was so when the data was copied, until the copy is put back.
    copied: Option<Rc<State>>,
    /// The data was put back to an earlier moment, so that tokens may be of users who never were.
    has_returned: bool,
}

/// Why a request is refused, as a problem's `code`.
type Code = &'static str;

/// What comes of a request by the contract.
enum Outcome {
    /// It is refused with this code.
    Refused(Code),
    /// It was done before, under the same key.
    Replay,
    /// It is done, and this is so after it.
    Done(Box<State>),
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cart of version {} with ", self.version)?;
        for (sku, (line, quantity)) in &self.lines {
            let line = line.map_or("?".to_owned(), |line| line.to_string());
            write!(f, "{quantity} of {sku} (line {line}), ")?;
        }
        let (wishes, tokens) = (&self.wishes, &self.tokens);
        write!(f, "wishes {wishes:?}, {} orders, good tokens {tokens:?}", self.orders.len())
    }
}

impl State {
    /// The state after a request with this answer, or None if the answer cannot be.
    pub fn answered(&self, one: &Try, scope: &Scope) -> Option<Self> {
        let told = one.told.as_ref()?;
        let first = self.settle(one, told, self.outcome(one, scope, !scope.keys), scope);
        // Where keys are not held to their promise, a repeat may have been taken for one, too.
        if first.is_none() && !scope.keys && one.key.is_some() {
            return self.settle(one, told, Outcome::Replay, scope);
        }
        first
    }

    /// The state after a request whose answer never came, or None if it has no effect.
    pub fn unanswered(&self, one: &Try, scope: &Scope) -> Option<Self> {
        match self.outcome(one, scope, !scope.keys) {
            Outcome::Done(after) if *after != *self => Some(*after),
            _ => None,
        }
    }

    fn settle(&self, one: &Try, told: &Told, outcome: Outcome, scope: &Scope) -> Option<Self> {
        if let Told::Refused { code, .. } = told {
            let by_rule = matches!(&outcome, Outcome::Refused(rule) if rule == code);
            let by_chance = match outcome {
                // The token's own time is looked at first; the invariants know it.
                Outcome::Refused("signed_out") => {
                    code == "token_expired" || (code == "token_invalid" && self.has_returned)
                }
                _ => self.may_refuse(one, code, scope),
            };
            let unseen = match code.as_str() {
                "version_conflict" => !scope.versions && one.if_match.is_some(),
                "signed_out" | "token_invalid" => !scope.sessions,
                _ => is_out_of_scope(one, scope),
            };
            return (by_rule || by_chance || unseen).then(|| self.clone());
        }
        let mut after = match outcome {
            Outcome::Replay if one.replayed || !scope.keys => self.clone(),
            Outcome::Done(after) if !one.replayed || !scope.keys => *after,
            _ => return None,
        };
        after.shows(one, told, scope).then_some(after)
    }

    /// Refusals that hang on more than this customer.
    fn may_refuse(&self, one: &Try, code: &str, scope: &Scope) -> bool {
        let scarce = |sku: &u64| scope.scarce.contains(sku);
        match code {
            "insufficient_stock" => match &one.intent {
                Intent::Add { sku, .. } | Intent::Move { sku, .. } => scarce(sku),
                Intent::Set { sku, .. } => scarce(sku) && self.lines.contains_key(sku),
                Intent::Checkout { .. } => self.lines.keys().any(scarce),
                _ => false,
            },
            // While one export is read there is no second one.
            "rate_limited" if one.intent == Intent::Export => true,
            // The line in the cart may be another one, if it was made by a request without answer.
            "not_found" => match &one.intent {
                Intent::Set { sku, .. } | Intent::Remove { sku, .. } => {
                    self.lines.get(sku).is_some_and(|(id, _)| id.is_none())
                }
                // The order that is named was lost, and made again under the same tag.
                Intent::Cancel { tag, .. } => {
                    let order = self.orders.get(tag);
                    self.has_returned && order.is_some_and(|order| order.id.is_none())
                }
                // A repeat names what has been removed since.
                Intent::AddAddress { tag } | Intent::ChangeAddress { tag, .. } => {
                    one.key.is_some() && !self.addresses.has(*tag)
                }
                _ => false,
            },
            "token_expired" => one.token.is_some(),
            "idempotency_key_in_use" => one.key.is_some(),
            "phone_taken" => matches!(one.intent, Intent::ChangePhone { .. }),
            "code_invalid" | "rate_limited" | "too_many_attempts" => {
                matches!(one.intent, Intent::SignIn { .. } | Intent::ChangePhone { .. })
            }
            _ => false,
        }
    }

    fn outcome(&self, one: &Try, scope: &Scope, forgets_keys: bool) -> Outcome {
        let is_done = one.key.is_some_and(|key| self.keys.contains(&key)) && !forgets_keys;
        match one.intent {
            // The token is the answer's business.
            Intent::SignIn { .. } if one.replayed => return Outcome::Replay,
            Intent::SignIn { .. } => return Outcome::Done(Box::new(self.clone())),
            // These end the token they come with, so a repeat comes with one that has ended by it.
            Intent::Logout if is_done && self.has_ended_by(one) => return Outcome::Replay,
            Intent::ChangePhone { .. } if is_done => return self.phone_again(one),
            Intent::Copied => return Outcome::Done(Box::new(self.copied())),
            Intent::Returned => {
                let mut after = self.returned();
                after.narrow(scope);
                return Outcome::Done(Box::new(after));
            }
            _ => {}
        }
        let is_in = one.token.is_some_and(|token| self.tokens.contains(&token));
        if !is_in && scope.sessions {
            return Outcome::Refused("signed_out");
        }
        if is_done {
            return Outcome::Replay;
        }
        if scope.versions
            && !one.intent.is_read()
            && one.if_match.is_some_and(|version| version != self.version)
        {
            return Outcome::Refused("version_conflict");
        }
        let mut after = self.clone();
        if let Err(code) = after.act(one, scope) {
            return Outcome::Refused(code);
        }
        if let Some(key) = one.key {
            Rc::make_mut(&mut after.keys).insert(key);
        }
        after.narrow(scope);
        Outcome::Done(Box::new(after))
    }

    /// Forgets what is not looked at.
    pub fn narrow(&mut self, scope: &Scope) {
        if !scope.versions {
            self.version = 0;
        }
        self.lines.retain(|sku, _| scope.has(*sku));
        if !scope.wishes {
            self.wishes.clear();
        }
        if !scope.orders && !self.orders.is_empty() {
            self.orders = Rc::default();
        }
        if !scope.addresses {
            self.addresses = Addresses::default();
        }
    }

    fn has_ended_by(&self, one: &Try) -> bool {
        let ended = one.key.and_then(|key| self.ended.get(&key));
        ended.zip(one.token).is_some_and(|(ended, token)| ended.contains(&token))
    }

    fn phone_again(&self, one: &Try) -> Outcome {
        match (&one.told, one.key == self.changed_by && self.has_ended_by(one)) {
            // Whether a repeat still opens is a matter of time.
            (Some(Told::Refused { .. }), _) | (_, false) => Outcome::Refused("signed_out"),
            (_, true) => Outcome::Replay,
        }
    }

    /// Does it, or says the refusal's code.
    fn act(&mut self, one: &Try, scope: &Scope) -> Result<(), Code> {
        match &one.intent {
            Intent::Add { sku, quantity } => self.add(*sku, *quantity, scope)?,
            Intent::Set { line, sku, quantity } => self.set(*line, *sku, *quantity, scope)?,
            Intent::Remove { line, sku } => self.set(*line, *sku, 0, scope)?,
            Intent::Clear => self.clear(),
            Intent::Merge { items, sum } => self.merge(items, *sum, scope),
            Intent::Wish { product } => {
                self.wishes.insert(*product);
            }
            Intent::Unwish { product } => self.unwish(*product, scope)?,
            Intent::ClearWishes => self.wishes.clear(),
            Intent::Move { product, sku, quantity } => {
                self.unwish(*product, scope)?;
                self.add(*sku, *quantity, scope)?;
            }
            Intent::Checkout { tag, expected } => self.check_out(*tag, *expected, scope)?,
            Intent::Cancel { order, tag } => self.cancel(*order, *tag, scope)?,
            Intent::ChangePhone { phone } => {
                self.sign_out(one.key);
                (self.phone, self.changed_by) = (*phone, one.key);
            }
            Intent::Logout => self.sign_out(one.key),
            Intent::AddAddress { tag } if scope.addresses => self.addresses.add(*tag)?,
            Intent::ChangeAddress { address, tag, revision } if scope.addresses => {
                self.addresses.change(*address, *tag, *revision)?;
            }
            Intent::RemoveAddress { address, tag } if scope.addresses => {
                self.addresses.remove(*address, *tag)?;
            }
            Intent::ReadCart
            | Intent::ReadWishes
            | Intent::ReadOrders
            | Intent::Export
            | Intent::WhoAmI
            | Intent::AddAddress { .. }
            | Intent::ChangeAddress { .. }
            | Intent::RemoveAddress { .. }
            | Intent::ReadAddresses
            | Intent::SignIn { .. }
            | Intent::Copied
            | Intent::Returned => {}
        }
        Ok(())
    }

    /// The same with a copy of itself.
    fn copied(&self) -> Self {
        let copy = Self { copied: None, ..self.clone() };
        Self { copied: Some(Rc::new(copy)), ..self.clone() }
    }

    /// What was so when the data was copied, but that no token is good (G10).
    fn returned(&self) -> Self {
        let copy = self.copied.as_deref().unwrap_or(self).clone();
        Self {
            tokens: BTreeSet::new(),
            ended: Rc::default(),
            changed_by: None,
            copied: None,
            has_returned: true,
            ..copy
        }
    }

    fn add(&mut self, sku: u64, quantity: u32, scope: &Scope) -> Result<(), Code> {
        if !scope.has(sku) {
            return Ok(());
        }
        let (line, had) = self.lines.get(&sku).copied().unwrap_or_default();
        if had + quantity > QUANTITY_MAX {
            return Err("quantity_limit");
        }
        self.lines.insert(sku, (line, had + quantity));
        self.version += 1;
        Ok(())
    }

    fn set(&mut self, line: u64, sku: u64, quantity: u32, scope: &Scope) -> Result<(), Code> {
        if !scope.has(sku) {
            return Ok(());
        }
        match self.lines.get(&sku) {
            Some((id, _)) if id.is_none_or(|id| id == line) => {}
            _ => return Err("not_found"),
        }
        match quantity {
            0 => self.lines.remove(&sku),
            _ => self.lines.insert(sku, (Some(line), quantity)),
        };
        self.version += 1;
        Ok(())
    }

    fn clear(&mut self) {
        if !self.lines.is_empty() {
            self.lines.clear();
            self.version += 1;
        }
    }

    fn merge(&mut self, items: &[(u64, u32)], sum: bool, scope: &Scope) {
        let before = self.lines.clone();
        for (sku, offered) in items.iter().filter(|(sku, _)| scope.has(*sku)) {
            let (_, had) = self.lines.entry(*sku).or_default();
            let wanted = if sum { *had + offered } else { (*had).max(*offered) };
            *had = wanted.min(QUANTITY_MAX);
        }
        self.version += u64::from(before != self.lines);
    }

    fn unwish(&mut self, product: u64, scope: &Scope) -> Result<(), Code> {
        let was_there = self.wishes.remove(&product);
        if was_there || !scope.wishes { Ok(()) } else { Err("not_found") }
    }

    fn check_out(&mut self, tag: u32, expected: Option<u64>, scope: &Scope) -> Result<(), Code> {
        if self.lines.is_empty() {
            return if scope.skus.is_none() { Err("cart_empty") } else { Ok(()) };
        }
        let pieces: u64 = self.lines.values().map(|(_, quantity)| u64::from(*quantity)).sum();
        if scope.skus.is_none() && expected.is_some_and(|expected| expected != total(pieces)) {
            return Err("price_changed");
        }
        let lines = std::mem::take(&mut self.lines);
        let lines = lines.into_iter().map(|(sku, (_, quantity))| (sku, quantity)).collect();
        let order = Order { id: None, lines, is_cancelled: false };
        Rc::make_mut(&mut self.orders).insert(tag, order);
        self.version += 1;
        Ok(())
    }

    fn cancel(&mut self, id: u64, tag: u32, scope: &Scope) -> Result<(), Code> {
        if !scope.orders {
            return Ok(());
        }
        let orders = Rc::make_mut(&mut self.orders);
        let order = orders.get_mut(&tag).ok_or("not_found")?;
        if *order.id.get_or_insert(id) != id {
            return Err("not_found");
        }
        if order.is_cancelled {
            return Err("order_not_cancellable");
        }
        order.is_cancelled = true;
        Ok(())
    }

    fn sign_out(&mut self, key: Option<u32>) {
        let ended = std::mem::take(&mut self.tokens);
        if let Some(key) = key {
            Rc::make_mut(&mut self.ended).insert(key, ended);
        }
        self.changed_by = None;
    }
}

/// What so many pieces cost with delivery, in cents.
pub fn total(pieces: u64) -> u64 {
    let goods = pieces * PRICE;
    if goods < DELIVERY_FREE_FROM { goods + DELIVERY } else { goods }
}

/// True if what the request is about is not looked at, so that no refusal of it can be judged.
fn is_out_of_scope(one: &Try, scope: &Scope) -> bool {
    match &one.intent {
        Intent::Add { sku, .. } | Intent::Set { sku, .. } | Intent::Remove { sku, .. } => {
            !scope.has(*sku)
        }
        Intent::Move { sku, .. } => !scope.wishes || !scope.has(*sku),
        Intent::Unwish { .. } => !scope.wishes,
        Intent::Checkout { .. } => scope.skus.is_some(),
        Intent::Cancel { .. } => !scope.orders,
        Intent::AddAddress { .. } | Intent::ChangeAddress { .. } | Intent::RemoveAddress { .. } => {
            !scope.addresses
        }
        _ => false,
    }
}

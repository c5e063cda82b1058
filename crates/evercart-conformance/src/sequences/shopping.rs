//! Random shopping: what signed-in customers and the shop do to carts, orders and the catalogue.

use std::hash::{DefaultHasher, Hash, Hasher};

use evercart_core::address::AddressChange;
use evercart_core::cart::Cart;
use evercart_core::catalogue::ProductQuery;
use evercart_core::error::Result;
use evercart_core::guard::{Done, Guard, IdempotencyKey};
use evercart_core::ids::{AddressId, LineId, OrderId, ProductId, SkuId, UserId, WishId};
use evercart_core::incarnation::Incarnation;
use evercart_core::money::Money;
use evercart_core::order::Checkout;
use evercart_core::store::Store;
use evercart_core::user::{ProfileChange, Session, User};
use evercart_core::wishlist::Wishlist;
use jiff::SignedDuration;
use proptest::prelude::*;

use super::{difference, reason};
use crate::Backend;
use crate::model::Model;
use crate::shop::{
    Belongings, JACKET, JACKET_L, JACKET_M, LAMP, LAST_LAMP, MUG, MUGS, NO_PRODUCT, NO_SKU,
    OLD_MUG, PLENTY, SCARF, SCARF_RED, Shop, address, belongings, by, catalogue, checkout, items,
    page, phone, signed_in, test_attempt,
};

const CUSTOMERS: usize = 3;
const SKUS: [SkuId; 7] = [JACKET_M, JACKET_L, SCARF_RED, LAST_LAMP, MUG, OLD_MUG, NO_SKU];
const PRODUCTS: [ProductId; 5] = [JACKET, SCARF, LAMP, MUGS, NO_PRODUCT];

/// One thing that happens.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// A customer does something, perhaps under one of a few keys, perhaps if the cart is at the
    /// version it has (`true`) or an older one.
    Do {
        who: usize,
        deed: Deed,
        key: Option<u8>,
        version: Option<bool>,
    },
    /// A customer signs in, on whatever device.
    SignIn(usize),
    /// A customer uses the session of their first sign-in from now on.
    UseFirstSession(usize),
    Block(usize),
    Unblock(usize),
    SignOutByOperator(usize),
    /// The shop changes a SKU that is not its product's only one for sale.
    ChangeSku {
        sku: usize,
        price: i64,
        stock: i64,
        active: bool,
    },
    Wait(i64),
    Reopen,
}

/// What a customer does. Lines and orders are counted from the newest.
#[derive(Debug, Clone, Hash)]
pub(super) enum Deed {
    Add { sku: usize, quantity: u32 },
    Set { line: usize, quantity: u32 },
    Clear,
    Wish(usize),
    Unwish(usize),
    ClearWishes,
    Move { product: usize, sku: usize, quantity: u32 },
    Order { expected: Option<bool> },
    Buy { sku: usize, other: usize, quantity: u32 },
    Cancel(usize),
    AddAddress(bool),
    ChangeAddress { id: i64, title: Option<u8>, is_default: Option<bool> },
    RemoveAddress(i64),
    Rename(Option<u8>),
    SignOut,
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let who = 0..CUSTOMERS;
    let key = prop::option::weighted(0.3, 0..6_u8);
    let version = prop::option::weighted(0.2, prop::bool::weighted(0.7));
    let done = (who.clone(), deed(), key, version).prop_map(|(who, deed, key, version)| Step::Do {
        who,
        deed,
        key,
        version,
    });
    let changed = (0..6_usize, 1..200_i64, 0..12_i64, any::<bool>())
        .prop_map(|(sku, price, stock, active)| Step::ChangeSku { sku, price, stock, active });
    prop_oneof![
        30 => done,
        3 => who.clone().prop_map(Step::SignIn),
        1 => who.clone().prop_map(Step::UseFirstSession),
        1 => who.clone().prop_map(Step::Block),
        1 => who.clone().prop_map(Step::Unblock),
        1 => who.prop_map(Step::SignOutByOperator),
        3 => changed,
        1 => (1..600_i64).prop_map(Step::Wait),
        1 => Just(Step::Reopen),
    ]
}

fn deed() -> impl Strategy<Value = Deed> {
    let pieces = || prop_oneof![8 => 1..6_u32, 1 => 900..1_100_u32];
    let sku = || 0..SKUS.len();
    let product = || 0..PRODUCTS.len();
    let moved = (product(), sku(), pieces()).prop_map(|(product, sku, quantity)| Deed::Move {
        product,
        sku,
        quantity,
    });
    let changed = (0..4_i64, prop::option::of(any::<u8>()), any::<Option<bool>>())
        .prop_map(|(id, title, is_default)| Deed::ChangeAddress { id, title, is_default });
    prop_oneof![
        10 => (sku(), pieces()).prop_map(|(sku, quantity)| Deed::Add { sku, quantity }),
        5 => (0..5_usize, 0..8_u32).prop_map(|(line, quantity)| Deed::Set { line, quantity }),
        1 => Just(Deed::Clear),
        4 => product().prop_map(Deed::Wish),
        1 => product().prop_map(Deed::Unwish),
        1 => Just(Deed::ClearWishes),
        4 => moved,
        5 => any::<Option<bool>>().prop_map(|expected| Deed::Order { expected }),
        3 => (sku(), sku(), pieces()).prop_map(|(sku, other, quantity)| Deed::Buy {
            sku,
            other,
            quantity,
        }),
        3 => (0..3_usize).prop_map(Deed::Cancel),
        2 => any::<bool>().prop_map(Deed::AddAddress),
        2 => changed,
        2 => (0..4_i64).prop_map(Deed::RemoveAddress),
        1 => any::<Option<u8>>().prop_map(Deed::Rename),
        1 => Just(Deed::SignOut),
    ]
}

/// One of the two that are compared, and each customer's first and present session there.
struct Side {
    sessions: Vec<(Session, Session)>,
}

impl Side {
    async fn new(store: &dyn Store) -> Self {
        let mut sessions = Vec::new();
        for who in 0..CUSTOMERS {
            let session = enter(store, who).await;
            sessions.push((session, session));
        }
        Self { sessions }
    }
}

async fn enter(store: &dyn Store, who: usize) -> Session {
    signed_in(store.sign_in(test_attempt(&phone(who as u32))).await).session()
}

/// Plays the steps on a new store and on the model.
pub(super) async fn play<B: Backend>(steps: Vec<Step>) -> Result<(), String> {
    let mut shop = Shop::<B>::open().await;
    let model = Model::new(shop.clock().clone());
    model.store().import_catalogue(catalogue(), Box::new(|_| {})).await.unwrap();
    let model = model.store();
    let mut sides = [Side::new(&*shop).await, Side::new(&*model).await];
    for (place, step) in steps.into_iter().enumerate() {
        let what = format!("step {place}, {step:?}");
        match step {
            Step::Reopen => shop.reopen(),
            Step::Wait(seconds) => shop.wait(SignedDuration::from_secs(seconds)),
            Step::Do { who, deed, key, version } => {
                let sessions = [0, 1].map(|side: usize| sides[side].sessions[who].1);
                let Some(call) = Call::new(&*model, sessions[1], deed, key, version).await else {
                    continue;
                };
                let answers = [
                    call.answer(&*shop, sessions[0]).await,
                    call.answer(&*model, sessions[1]).await,
                ];
                if !call.both_refuse_an_order(&answers) {
                    difference(&what, &answers[0], &answers[1])?;
                }
            }
            world => {
                for (store, side) in [&*shop, &*model].into_iter().zip(&mut sides) {
                    happen(store, side, &world).await;
                }
            }
        }
        let seen = [portrait(&*shop, &sides[0]).await, portrait(&*model, &sides[1]).await];
        difference(&what, &seen[0], &seen[1])?;
    }
    let findings = shop.check().await.unwrap().findings;
    if findings.is_empty() { Ok(()) } else { Err(format!("the check found {findings:?}")) }
}

/// What no customer does.
async fn happen(store: &dyn Store, side: &mut Side, step: &Step) {
    let of = |who: &usize| phone(*who as u32);
    match step {
        Step::SignIn(who) => {
            let blocked = store.find_user(of(who)).await.unwrap().user.blocked_at.is_some();
            if !blocked {
                side.sessions[*who].1 = enter(store, *who).await;
            }
        }
        Step::UseFirstSession(who) => side.sessions[*who].1 = side.sessions[*who].0,
        Step::Block(who) => drop(store.block_user(of(who), by()).await.unwrap()),
        Step::Unblock(who) => drop(store.unblock_user(of(who), by()).await.unwrap()),
        Step::SignOutByOperator(who) => drop(store.sign_user_out(of(who), by()).await.unwrap()),
        Step::ChangeSku { sku, price, stock, active } => {
            let mut row = catalogue().remove(*sku);
            // Where there is plenty it stays so: a line beyond both the stock and the limit may
            // be refused for either.
            row.stock = if row.stock == PLENTY { PLENTY } else { *stock };
            row.price = Money(*price);
            // A product with nothing for sale has no price to compare.
            row.active = *active || ![Some(JACKET_L), Some(OLD_MUG)].contains(&row.sku_id);
            store.import_catalogue(vec![row], Box::new(|_| {})).await.unwrap();
        }
        Step::Do { .. } | Step::Wait(_) | Step::Reopen => unreachable!("done by the caller"),
    }
}

/// A customer's deed with the ids it means.
struct Call {
    deed: Deed,
    line: LineId,
    order: OrderId,
    expected_total: Option<Money>,
    guard: Guard,
}

impl Call {
    /// Looks the ids up in the model. `None` where the contract leaves open what happens: whether
    /// a change that changes nothing is one.
    async fn new(
        model: &dyn Store,
        session: Session,
        deed: Deed,
        key: Option<u8>,
        version: Option<bool>,
    ) -> Option<Self> {
        let seen = belongings(model, session).await.ok();
        let cart = seen.as_ref().map(|seen| &seen.cart);
        let lines = cart.map_or(&[][..], |cart| &cart.lines);
        let mut line = LineId(99);
        match &deed {
            Deed::Clear if lines.is_empty() => return None,
            Deed::Set { line: nth, quantity } => {
                if let Some(there) = lines.iter().rev().nth(*nth) {
                    if there.quantity == *quantity {
                        return None;
                    }
                    line = there.id;
                }
            }
            _ => {}
        }
        let order = match (&deed, &seen) {
            (Deed::Cancel(nth), Some(seen)) => seen.orders.get(*nth).map(|order| order.id),
            _ => None,
        };
        let expected_total = match deed {
            Deed::Order { expected: Some(right) } => cart.map(|cart| {
                let form = checkout();
                let total = cart.total().plus(form.shipping.cost(cart.total()));
                if right { total } else { total.plus(Money(1)) }
            }),
            _ => None,
        };
        let versioned = matches!(
            deed,
            Deed::Add { .. }
                | Deed::Set { .. }
                | Deed::Clear
                | Deed::Move { .. }
                | Deed::Order { .. }
                | Deed::Buy { .. }
        );
        let expected_version = version.filter(|_| versioned).map(|current| {
            let now = cart.map_or(0, |cart| cart.version);
            if current { now } else { now - 1 }
        });
        let order = order.unwrap_or(OrderId(99));
        let mut hasher = DefaultHasher::new();
        (&deed, line, order, expected_total).hash(&mut hasher);
        let fingerprint = [hasher.finish().to_le_bytes(); 4].concat().try_into().unwrap();
        let idempotency = key.map(|key| IdempotencyKey { key: format!("key {key}"), fingerprint });
        let guard = Guard { idempotency, expected_version };
        Some(Self { deed, line, order, expected_total, guard })
    }

    /// An order that is wrong in two ways may be refused for either.
    fn both_refuse_an_order(&self, answers: &[String; 2]) -> bool {
        let reasons = ["NotFound", "SkuUnavailable", "InsufficientStock", "PriceChanged"];
        matches!(self.deed, Deed::Order { .. } | Deed::Buy { .. })
            && answers.iter().all(|answer| reasons.iter().any(|reason| answer.starts_with(reason)))
    }

    async fn answer(&self, store: &dyn Store, me: Session) -> String {
        let guard = self.guard.clone();
        match self.deed.clone() {
            Deed::Add { sku, quantity } => {
                show(store.add_to_cart(me, SKUS[sku], quantity, guard).await.map(cart))
            }
            Deed::Set { quantity, .. } => {
                show(store.set_quantity(me, self.line, quantity, guard).await.map(cart))
            }
            Deed::Clear => show(store.clear_cart(me, guard).await.map(cart)),
            Deed::Wish(nth) => show(store.add_wish(me, PRODUCTS[nth], guard).await.map(wishes)),
            Deed::Unwish(nth) => {
                show(store.remove_wish(me, PRODUCTS[nth], guard).await.map(wishes))
            }
            Deed::ClearWishes => show(store.clear_wishlist(me, guard).await.map(wishes)),
            Deed::Move { product, sku, quantity } => {
                let (product, sku) = (PRODUCTS[product], SKUS[sku]);
                show(store.move_to_cart(me, product, sku, quantity, guard).await.map(cart))
            }
            Deed::Order { .. } => {
                let form = Checkout { expected_total: self.expected_total, ..checkout() };
                show(store.checkout(me, form, guard).await)
            }
            Deed::Buy { sku, other, quantity } => {
                // Beyond the limit there are no items to ask for.
                let pairs = [(SKUS[sku], quantity.min(900)), (SKUS[other], 1)];
                show(store.order_items(me, items(&pairs), checkout(), guard).await)
            }
            Deed::Cancel(_) => show(store.cancel_order(me, self.order, guard).await),
            Deed::AddAddress(is_default) => {
                show(store.add_address(me, address("New"), is_default, guard).await)
            }
            Deed::ChangeAddress { id, title, is_default } => {
                let title = title.map(|title| format!("Title {title}"));
                let change = AddressChange { title, is_default, ..AddressChange::default() };
                show(store.change_address(me, AddressId(id), change, guard).await)
            }
            Deed::RemoveAddress(id) => show(store.remove_address(me, AddressId(id), guard).await),
            Deed::Rename(name) => {
                let full_name = Some(name.map(|name| format!("Name {name}")));
                let change = ProfileChange { full_name, ..ProfileChange::default() };
                let user = |done: Done<User>| Done { value: user(done.value), ..done };
                show(store.change_profile(me, change, guard).await.map(user))
            }
            Deed::SignOut => show(store.sign_out(me, guard).await),
        }
    }
}

/// Everything that can be seen.
async fn portrait(store: &dyn Store, side: &Side) -> String {
    let mut customers = Vec::new();
    for (_, session) in &side.sessions {
        let seen = belongings(store, *session).await.map(|seen| Belongings {
            user: user(seen.user),
            cart: cart(Done::now(seen.cart)).value,
            wishlist: wishes(Done::now(seen.wishlist)).value,
            ..seen
        });
        customers.push(show(seen));
    }
    let catalogue = store.export_catalogue().await;
    let products = store.products(ProductQuery::default(), page(100, 0)).await;
    format!("{}\n{}\n{}", customers.join("\n"), show(catalogue), show(products))
}

fn show<T: std::fmt::Debug>(answer: Result<T>) -> String {
    answer.map_or_else(reason, |value| format!("{value:#?}"))
}

// User and wish ids are the store's own affair, so they are not compared.

fn cart(done: Done<Cart>) -> Done<Cart> {
    Done { value: Cart { user_id: UserId(0), ..done.value }, ..done }
}

fn wishes(mut done: Done<Wishlist>) -> Done<Wishlist> {
    done.value.user_id = UserId(0);
    for wish in &mut done.value.wishes {
        wish.id = WishId(0);
    }
    done
}

fn user(user: User) -> User {
    User { id: UserId(0), incarnation: Incarnation(0), ..user }
}

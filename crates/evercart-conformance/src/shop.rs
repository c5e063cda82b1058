//! A shop to try things in: a store with a small catalogue, customers, and the requests they make.
//! What a case asserts stands in the case.

use std::fmt::Debug;
use std::ops::Deref;
use std::sync::Arc;

use evercart_core::account::PhoneChange;
use evercart_core::address::{Address, AddressFields};
use evercart_core::cart::Cart;
use evercart_core::catalogue::{CatalogueRow, ImportOutcome, ProductKey};
use evercart_core::clock::ManualClock;
use evercart_core::code::{Code, Hasher, KeyedHash, Purpose};
use evercart_core::error::{Refused, Result, StoreError};
use evercart_core::guard::{Guard, IdempotencyKey};
use evercart_core::ids::{ProductId, SkuId, UserId};
use evercart_core::market::{MarketName, Shipping};
use evercart_core::money::Money;
use evercart_core::order::{Checkout, Items, Order, Page};
use evercart_core::phone::Phone;
use evercart_core::sign_in::{
    Budget, CodeRequest, Proof, SignInAttempt, SignInOutcome, UnsentCode,
};
use evercart_core::store::Store;
use evercart_core::user::{Session, User};
use evercart_core::wishlist::Wishlist;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use crate::Backend;
use crate::outbox::notice;

pub use crate::operator::by;

/// The jacket, the product of [`JACKET_M`] and [`JACKET_L`].
pub const JACKET: ProductId = ProductId(15);
/// Always plenty of it, at 59.99.
pub const JACKET_M: SkuId = SkuId(42);
/// Always plenty of it, at 64.99.
pub const JACKET_L: SkuId = SkuId(43);
/// The scarf, the product of [`SCARF_RED`].
pub const SCARF: ProductId = ProductId(16);
/// Ten pieces, at 20.00.
pub const SCARF_RED: SkuId = SkuId(50);
/// The lamp, the product of [`LAST_LAMP`].
pub const LAMP: ProductId = ProductId(17);
/// One piece, at 120.50.
pub const LAST_LAMP: SkuId = SkuId(60);
/// The mug, the product of [`MUG`] and [`OLD_MUG`].
pub const MUGS: ProductId = ProductId(18);
/// Always plenty of it, at 0.10.
pub const MUG: SkuId = SkuId(70);
/// Not for sale.
pub const OLD_MUG: SkuId = SkuId(71);
/// In no catalogue.
pub const NO_SKU: SkuId = SkuId(404_404);
/// In no catalogue.
pub const NO_PRODUCT: ProductId = ProductId(404_404);
/// Pieces of what there is plenty of.
pub const PLENTY: i64 = 5_000;

/// The code that customers are sent here.
pub const CODE: &str = "012345";
/// How long it is good for.
pub const CODE_LIFETIME: SignedDuration = SignedDuration::from_mins(10);
/// Wrong codes a phone has.
pub const ATTEMPTS_MAX: u32 = 5;
/// How long it waits after that.
pub const ATTEMPTS_WINDOW: SignedDuration = SignedDuration::from_mins(15);

/// A store with a catalogue, used like the store itself.
pub struct Shop<B> {
    /// `None` only while it is being reopened.
    opened: Option<(B, Arc<dyn Store>)>,
    clock: Arc<ManualClock>,
    customers: u32,
}

/// Somebody who signed in.
#[derive(Debug, Clone)]
pub struct Customer {
    /// Their phone.
    pub phone: Phone,
    /// Their first session.
    pub session: Session,
}

/// Everything a customer can see of their own.
#[derive(Debug, Clone, PartialEq)]
pub struct Belongings {
    /// The profile.
    pub user: User,
    /// The cart.
    pub cart: Cart,
    /// The wishlist.
    pub wishlist: Wishlist,
    /// All orders.
    pub orders: Vec<Order>,
    /// All addresses.
    pub addresses: Vec<Address>,
}

impl<B> Deref for Shop<B> {
    type Target = dyn Store;

    fn deref(&self) -> &Self::Target {
        &*self.opened.as_ref().expect("only reopen takes it, and puts it back").1
    }
}

impl<B: Backend> Shop<B> {
    /// A new shop with [`catalogue`] in it.
    pub async fn open() -> Self {
        let shop = Self::empty();
        shop.import(catalogue()).await;
        shop
    }

    /// A new shop with nothing in it.
    pub fn empty() -> Self {
        let start: Timestamp = "2026-11-23T20:08:24Z".parse().unwrap();
        let clock = Arc::new(ManualClock::at(start));
        let backend = B::fresh(clock.clone());
        let store = backend.store();
        Self { opened: Some((backend, store)), clock, customers: 0 }
    }

    /// Closes the store and opens it again on what it left behind.
    pub fn reopen(&mut self) {
        let (backend, store) = self.opened.take().expect("only reopen takes it, and puts it back");
        drop(store);
        let backend = backend.reopen();
        let store = backend.store();
        self.opened = Some((backend, store));
    }

    /// The store, for another task.
    pub fn store(&self) -> Arc<dyn Store> {
        self.opened.as_ref().expect("only reopen takes it, and puts it back").1.clone()
    }

    /// What hands the store out.
    pub fn backend(&self) -> &B {
        &self.opened.as_ref().expect("only reopen takes it, and puts it back").0
    }

    /// The clock the store looks at.
    pub fn clock(&self) -> &Arc<ManualClock> {
        &self.clock
    }

    /// Lets time pass.
    pub fn wait(&self, by: SignedDuration) {
        self.clock.advance(by);
    }

    /// A new customer, signed in.
    pub async fn customer(&mut self) -> Customer {
        self.customers += 1;
        let phone = phone(self.customers);
        let session = self.sign_in_with(&phone).await;
        Customer { phone, session }
    }

    /// So many new customers.
    pub async fn customers(&mut self, count: u32) -> Vec<Customer> {
        let mut customers = Vec::new();
        for _ in 0..count {
            customers.push(self.customer().await);
        }
        customers
    }

    /// Signs in with a code sent for it.
    pub async fn sign_in_with(&self, phone: &Phone) -> Session {
        let request = CodeRequest { resend_after: None, ..code_request(phone, CODE) };
        self.grant_code(request).await.unwrap();
        signed_in(self.sign_in(attempt(phone, CODE)).await).session()
    }

    /// Imports rows that must be accepted.
    pub async fn import(&self, rows: Vec<CatalogueRow>) {
        let outcome = self.import_catalogue(rows, Box::new(|_| {})).await.unwrap();
        assert!(matches!(outcome, ImportOutcome::Imported(_)), "{outcome:?}");
    }

    /// Changes one SKU of the catalogue.
    pub async fn change_sku(&self, sku_id: SkuId, change: impl FnOnce(&mut CatalogueRow)) {
        let mut row = self.sku(sku_id).await;
        change(&mut row);
        self.import(vec![row]).await;
    }

    /// A SKU as the catalogue has it.
    pub async fn sku(&self, sku_id: SkuId) -> CatalogueRow {
        let rows = self.export_catalogue().await.unwrap();
        rows.into_iter().find(|row| row.sku_id == Some(sku_id)).unwrap()
    }

    /// Pieces on hand.
    pub async fn on_hand(&self, sku_id: SkuId) -> i64 {
        self.sku(sku_id).await.stock
    }

    /// Everything of a customer.
    pub async fn belongings(&self, session: Session) -> Belongings {
        belongings(&**self, session).await.unwrap()
    }

    /// Fails if the store itself finds a promise broken, or contradicts itself about the stock.
    pub async fn assert_consistent(&self) {
        let report = self.check().await.unwrap();
        assert_eq!(report.findings, [], "operator.check found broken promises");
        assert!(!report.promises.is_empty(), "a check that looks at nothing finds nothing");
        for row in self.export_catalogue().await.unwrap() {
            assert!(row.stock >= 0, "the stock of {:?} is {}", row.sku_id, row.stock);
        }
    }
}

/// Everything of a customer, or why they may not see it.
pub async fn belongings(store: &dyn Store, session: Session) -> Result<Belongings> {
    Ok(Belongings {
        user: store.user(session).await?,
        cart: store.cart(session).await?,
        wishlist: store.wishlist(session).await?,
        orders: store.orders(session, None, page(100, 0)).await?.items,
        addresses: store.addresses(session).await?,
    })
}

/// What every shop here sells.
pub fn catalogue() -> Vec<CatalogueRow> {
    let jacket = |sku_id, size: &str, price| CatalogueRow {
        brand: Some("North".into()),
        category: Some("Outdoor".into()),
        description: Some("Keeps the wind out.".into()),
        size: Some(size.into()),
        ..row(JACKET, "Fleece jacket", sku_id, price, PLENTY)
    };
    let scarf = CatalogueRow {
        category: Some("Тёплые вещи".into()),
        description: Some("Мягкий шарф из шерсти".into()),
        color: Some("red".into()),
        original_price: Some(Money(2_500)),
        ..row(SCARF, "Шарф", SCARF_RED, 2_000, 10)
    };
    let mug = |sku_id, price| CatalogueRow {
        category: Some("Kitchen".into()),
        ..row(MUGS, "Enamel mug", sku_id, price, PLENTY)
    };
    vec![
        jacket(JACKET_M, "M", 5_999),
        jacket(JACKET_L, "L", 6_499),
        scarf,
        row(LAMP, "Desk lamp", LAST_LAMP, 12_050, 1),
        mug(MUG, 10),
        CatalogueRow { active: false, ..mug(OLD_MUG, 5) },
    ]
}

/// A plain row of a catalogue, for sale.
pub fn row(product: ProductId, name: &str, sku_id: SkuId, price: i64, stock: i64) -> CatalogueRow {
    CatalogueRow {
        product: ProductKey::Id(product, None),
        name: name.into(),
        brand: None,
        category: None,
        description: None,
        image: None,
        sku_id: Some(sku_id),
        sku_code: format!("SKU-{sku_id}"),
        size: None,
        color: None,
        price: Money(price),
        original_price: None,
        stock,
        active: true,
    }
}

/// `count` SKUs of one product each, from SKU and product 1001 on, plenty of each.
pub fn many_skus(count: i64) -> Vec<CatalogueRow> {
    let ids = 1_001..1_001 + count;
    ids.map(|id| row(ProductId(id), "One of many", SkuId(id), 100, PLENTY)).collect()
}

/// The phone of the n-th customer.
pub fn phone(n: u32) -> Phone {
    Phone::from_stored(format!("+1312805{n:04}"))
}

fn hasher() -> Hasher {
    Hasher::new(&[7; 32])
}

/// A phone as the store counts it.
pub fn phone_hash(phone: &Phone) -> KeyedHash {
    hasher().subject("phone", phone.as_str())
}

/// A code as the store keeps it.
pub fn code_hash(phone: &Phone, code: &str) -> KeyedHash {
    code_hash_for(Purpose::SignIn, phone, code)
}

/// The same, for any purpose.
pub fn code_hash_for(purpose: Purpose, phone: &Phone, code: &str) -> KeyedHash {
    let market = MarketName::new("us").unwrap();
    hasher().code(&market, phone, purpose, &Code::parse(code).unwrap())
}

/// A wish for a code to a phone that this customer wants to move to.
pub fn phone_code_request(user: UserId, phone: &Phone, code: &str) -> CodeRequest {
    let purpose = Purpose::ChangePhone(user);
    CodeRequest {
        purpose,
        code: code_hash_for(purpose, phone, code),
        resend_after: None,
        ..code_request(phone, code)
    }
}

/// A wish for a code to stop the change that moved an account away from this phone.
pub fn stop_code_request(phone: &Phone, code: &str) -> CodeRequest {
    let purpose = Purpose::StopPhoneChange;
    CodeRequest {
        purpose,
        code: code_hash_for(purpose, phone, code),
        resend_after: None,
        ..code_request(phone, code)
    }
}

/// An attempt to stop that change.
pub fn stop_attempt(phone: &Phone, code: &str) -> SignInAttempt {
    let purpose = Purpose::StopPhoneChange;
    let proof = Proof::Code(code_hash_for(purpose, phone, code));
    SignInAttempt { purpose, proof, ..attempt(phone, code) }
}

/// A wish to move from one phone to another, with the code that was sent there.
pub fn phone_change(user: UserId, old: &Phone, new: &Phone, code: &str) -> PhoneChange {
    let purpose = Purpose::ChangePhone(user);
    let proof = Proof::Code(code_hash_for(purpose, new, code));
    PhoneChange {
        old_phone: old.clone(),
        old_phone_hash: phone_hash(old),
        attempt: SignInAttempt { purpose, proof, ..attempt(new, code) },
        notice: notice(old, new),
        repeat_opens_for: CODE_LIFETIME,
        hold: SignedDuration::ZERO,
    }
}

/// A wish for a code with the usual limits and no budgets, from another address than attempts come
/// from.
pub fn code_request(phone: &Phone, code: &str) -> CodeRequest {
    CodeRequest {
        phone: phone_hash(phone),
        number: phone.clone(),
        claimed_by: None,
        asked_from: address_hash("198.51.100.1"),
        purpose: Purpose::SignIn,
        code: code_hash(phone, code),
        lifetime: CODE_LIFETIME,
        resend_after: Some(SignedDuration::from_secs(60)),
        budgets: Vec::new(),
        idempotency: None,
    }
}

/// A code that could not be sent, and takes nothing back.
pub fn unsent_code(phone: &Phone, code: &str) -> UnsentCode {
    UnsentCode {
        phone: phone_hash(phone),
        purpose: Purpose::SignIn,
        code: code_hash(phone, code),
        give_back: Vec::new(),
    }
}

/// A budget of an address that sends codes or guesses them.
pub fn budget(scope: &'static str, address: &str, limit: u32) -> Budget {
    let (subject, window) = (address_hash(address), SignedDuration::from_hours(1));
    Budget { scope, subject, limit, reserved: 0, window }
}

/// An address as the store counts it.
pub fn address_hash(address: &str) -> KeyedHash {
    hasher().subject("ip", address)
}

/// An attempt to sign in with a code.
pub fn attempt(phone: &Phone, code: &str) -> SignInAttempt {
    SignInAttempt {
        phone: phone.clone(),
        phone_hash: phone_hash(phone),
        purpose: Purpose::SignIn,
        proof: Proof::Code(code_hash(phone, code)),
        is_test_phone: false,
        attempts_max: ATTEMPTS_MAX,
        attempts_window: ATTEMPTS_WINDOW,
        failures: vec![budget("fail_ip", "192.0.2.1", 10_000)],
        from: address_hash("192.0.2.1"),
        idempotency: None,
    }
}

/// An attempt with a code of the configuration.
pub fn test_attempt(phone: &Phone) -> SignInAttempt {
    SignInAttempt { proof: Proof::TestCode, is_test_phone: true, ..attempt(phone, CODE) }
}

/// Who was let in. Fails if nobody was.
#[track_caller]
pub fn signed_in(outcome: Result<SignInOutcome>) -> User {
    match outcome {
        Ok(SignInOutcome::SignedIn { user, .. }) => *user,
        other => panic!("was not signed in: {other:?}"),
    }
}

/// Why it was refused. Fails if it was not.
#[track_caller]
pub fn refused<T: Debug>(result: Result<T>) -> Refused {
    match result {
        Err(StoreError::Refused(refused)) => refused,
        other => panic!("was not refused: {other:?}"),
    }
}

/// No conditions.
pub fn free() -> Guard {
    Guard::default()
}

/// An idempotency key; `request` stands for what the request says.
pub fn key(key: &str, request: u8) -> Option<IdempotencyKey> {
    Some(IdempotencyKey { key: key.into(), fingerprint: [request; 32] })
}

/// Under an idempotency key.
pub fn keyed(name: &str, request: u8) -> Guard {
    Guard { idempotency: key(name, request), expected_version: None }
}

/// Only at this version of the cart.
pub fn at_version(version: i64) -> Guard {
    Guard { idempotency: None, expected_version: Some(version) }
}

/// Part of a list.
pub fn page(limit: u32, offset: u64) -> Page {
    Page { limit, offset }
}

/// A customer's order form: delivery at 5.00, free from 100.00; 12 % tax.
pub fn checkout() -> Checkout {
    Checkout {
        customer_name: "A Customer".into(),
        customer_phone: None,
        customer_email: Some("customer@example.com".into()),
        delivery_address: "1 Main Street".into(),
        delivery_city: Some("Springfield".into()),
        delivery_notes: None,
        payment_method: "cash".into(),
        expected_total: None,
        shipping: Shipping { flat: Money(500), free_from: Some(Money(10_000)) },
        tax_rate: Decimal::new(12, 2),
        currency: "USD".parse().unwrap(),
    }
}

/// These items, of which there is at least one.
pub fn items(pairs: &[(SkuId, u32)]) -> Items {
    Items::new(pairs).expect("within the limits").expect("at least one")
}

/// An address of this title.
pub fn address(title: &str) -> AddressFields {
    AddressFields {
        title: title.into(),
        full_address: "1 Main Street, Springfield".into(),
        city: Some("Springfield".into()),
        ..AddressFields::default()
    }
}

/// SKUs and pieces of a cart, in its order.
pub fn pieces(cart: &Cart) -> Vec<(SkuId, u32)> {
    cart.lines.iter().map(|line| (line.sku.sku_id, line.quantity)).collect()
}

/// Products of a wishlist, in its order.
pub fn wished(wishlist: &Wishlist) -> Vec<ProductId> {
    wishlist.wishes.iter().map(|wish| wish.product.id).collect()
}

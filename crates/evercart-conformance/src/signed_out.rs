//! Every operation that takes a session is closed to every session that is not one.
//!
//! The list below is checked by the compiler: it implements each trait method by method, so that
//! an operation that is not on it, with or without a session, is a build that fails.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use evercart_core::account::{Accounts, KeyUsed, OpenOrders, PhoneChange, Proven, UserExport};
use evercart_core::address::{Address, AddressChange, AddressFields};
use evercart_core::cart::{Cart, Carts, MergeStrategy, Merged};
use evercart_core::code::KeyedHash;
use evercart_core::error::{Refused, Result};
use evercart_core::guard::{Done, Guard, IdempotencyKey};
use evercart_core::ids::{AddressId, LineId, OrderId, ProductId, SkuId, UserId};
use evercart_core::order::{Checkout, Items, Listed, Order, OrderStatus, Orders, Page};
use evercart_core::sign_in::{
    Budget, CodeRequest, Granted, SignIn, SignInAttempt, SignInOutcome, UnsentCode, Used,
};
use evercart_core::store::Store;
use evercart_core::user::{ProfileChange, Session, User};
use evercart_core::wishlist::{Wishlist, Wishlists};

use crate::Backend;
use crate::shop::{
    CODE, Customer, LAMP, MUG, MUGS, SCARF, SCARF_RED, Shop, address, by, checkout, free, items,
    keyed, page, phone, phone_change, refused, test_attempt,
};
use crate::survival::settled_customer;

type Answer = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

/// One operation, called for a customer as [`settled_customer`] makes them so that it succeeds.
pub(crate) struct Operation {
    /// The method's name.
    pub name: &'static str,
    /// Calls it.
    pub call: fn(Arc<dyn Store>, Session) -> Answer,
}

/// Implements the traits by this list, and nothing else: it has no values.
#[expect(dead_code, reason = "it is there for the compiler to compare the list with the traits")]
enum Checklist {}

macro_rules! operations {
    ($($topic:ident {
        $(open fn $open:ident($($open_type:ty),*) -> $opened:ty;)*
        $(fn $name:ident($($argument:ident: $type:ty = $value:expr),*) -> $answer:ty;)*
    })*) => {
        $(
            #[async_trait]
            impl $topic for Checklist {
                $(async fn $open(&self, $(_: $open_type),*) -> Result<$opened> { match *self {} })*
                $(async fn $name(&self, _: Session, $(_: $type),*) -> Result<$answer> {
                    match *self {}
                })*
            }
        )*

        /// Every operation that takes a session.
        pub(crate) fn operations() -> Vec<Operation> {
            vec![$($(Operation {
                name: stringify!($name),
                call: |store, session| Box::pin(async move {
                    $(let $argument: $type = $value;)*
                    store.$name(session, $($argument),*).await.map(|_| ())
                }),
            },)*)*]
        }
    };
}

operations! {
    Carts {
        fn cart() -> Cart;
        fn add_to_cart(sku_id: SkuId = MUG, quantity: u32 = 1, guard: Guard = free()) -> Done<Cart>;
        fn set_quantity(line: LineId = LineId(2), quantity: u32 = 1, guard: Guard = free())
            -> Done<Cart>;
        fn merge_into_cart(items: Vec<(SkuId, u32)> = vec![(MUG, 900)],
            strategy: MergeStrategy = MergeStrategy::Max, guard: Guard = free()) -> Done<Merged>;
        fn clear_cart(guard: Guard = free()) -> Done<Cart>;
    }
    Wishlists {
        fn wishlist() -> Wishlist;
        fn add_wish(product: ProductId = MUGS, guard: Guard = free()) -> Done<Wishlist>;
        fn remove_wish(product: ProductId = LAMP, guard: Guard = free()) -> Done<Wishlist>;
        fn move_to_cart(
            product: ProductId = SCARF, sku_id: SkuId = SCARF_RED, quantity: u32 = 1,
            guard: Guard = free()
        ) -> Done<Cart>;
        fn clear_wishlist(guard: Guard = free()) -> Done<Wishlist>;
    }
    Orders {
        fn checkout(form: Checkout = checkout(), guard: Guard = free()) -> Done<Order>;
        fn order_items(
            named: Items = items(&[(MUG, 2)]), form: Checkout = checkout(), guard: Guard = free()
        ) -> Done<Order>;
        fn orders(status: Option<OrderStatus> = None, page: Page = page(10, 0)) -> Listed<Order>;
        fn order(id: OrderId = OrderId(1_002)) -> Order;
        fn cancel_order(id: OrderId = OrderId(1_002), guard: Guard = free()) -> Done<Order>;
        fn addresses() -> Vec<Address>;
        fn add_address(
            fields: AddressFields = address("Cabin"), is_default: bool = true, guard: Guard = free()
        ) -> Done<Address>;
        fn change_address(
            id: AddressId = AddressId(1), change: AddressChange = AddressChange::default(),
            guard: Guard = free()
        ) -> Done<Address>;
        fn remove_address(id: AddressId = AddressId(1), guard: Guard = free()) -> Done<()>;
    }
    Accounts {
        open fn stop_phone_change(SignInAttempt) -> Proven<UserId>;
        fn prove_phone(
            proof: Option<SignInAttempt> = Some(test_attempt(&phone(2))), guard: Guard = free()
        )
            -> Proven<()>;
        fn change_phone(
            change: PhoneChange = PhoneChange {
                attempt: test_attempt(&phone(900)),
                ..phone_change(UserId(2), &phone(2), &phone(900), CODE)
            },
            guard: Guard = free()
        ) -> Proven<User>;
        fn export() -> UserExport;
        fn export_orders(before: Option<OrderId> = None) -> Vec<Order>;
        fn export_keys(after: Option<String> = None) -> Vec<KeyUsed>;
        fn erase(
            attempt: SignInAttempt = test_attempt(&phone(2)),
            open_orders: OpenOrders = OpenOrders::Keep, guard: Guard = free()
        ) -> Proven<()>;
    }
    SignIn {
        open fn grant_code(CodeRequest) -> Done<Granted>;
        open fn used(Budget) -> Used;
        open fn confirm_code(KeyedHash, IdempotencyKey) -> ();
        open fn withdraw_code(UnsentCode) -> ();
        open fn sign_in(SignInAttempt) -> SignInOutcome;
        fn user() -> User;
        fn change_profile(
            change: ProfileChange = ProfileChange::default(), guard: Guard = free()
        ) -> Done<User>;
        fn sign_out(guard: Guard = free()) -> Done<()>;
    }
}

/// A customer with something of everything, whose order is 1002 as the list has it.
async fn customer<B: Backend>(shop: &mut Shop<B>) -> Customer {
    let first = shop.customer().await.session;
    shop.add_to_cart(first, MUG, 1, free()).await.unwrap();
    shop.checkout(first, checkout(), free()).await.unwrap();
    settled_customer(shop).await
}

pub(crate) async fn assert_all_refused<B: Backend>(
    shop: &Shop<B>,
    session: Session,
    why: &Refused,
) {
    for operation in operations() {
        let name = operation.name;
        match (operation.call)(shop.store(), session).await {
            Err(evercart_core::error::StoreError::Refused(refusal)) => {
                assert_eq!(refusal, *why, "{name}");
            }
            other => panic!("{name} was not refused: {other:?}"),
        }
    }
}

/// The list is as it says: with a session that is one, each operation succeeds.
pub async fn every_operation_is_open_to_a_session<B: Backend>(_: &mut Shop<B>) {
    for operation in operations() {
        let mut shop = Shop::<B>::open().await;
        let me = customer(&mut shop).await.session;
        let result = (operation.call)(shop.store(), me).await;
        assert!(result.is_ok(), "{}: {result:?}", operation.name);
    }
}

/// S1: a genuine token of a user this store does not have.
pub async fn every_operation_is_closed_to_unknown_users<B: Backend>(shop: &mut Shop<B>) {
    let me = customer(shop).await.session;
    let before = shop.belongings(me).await;
    for id in [me.user_id.0 + 1_000, 0, -1, i64::MAX, i64::MIN] {
        let nobody = Session { user_id: UserId(id), epoch: 0, ..me };
        assert_all_refused(shop, nobody, &Refused::UnknownUser).await;
    }
    assert_eq!(shop.belongings(me).await, before);
}

/// S2: signed out.
pub async fn every_operation_is_closed_once_signed_out<B: Backend>(shop: &mut Shop<B>) {
    let me = customer(shop).await;
    let before = shop.belongings(me.session).await;
    shop.sign_out(me.session, free()).await.unwrap();
    assert_all_refused(shop, me.session, &Refused::SignedOut).await;
    // Nor to the epoch that the next sign-in will have.
    let next = Session { epoch: me.session.epoch + 1, ..me.session };
    assert_all_refused(shop, next, &Refused::SignedOut).await;
    let again = shop.sign_in_with(&me.phone).await;
    let after = shop.belongings(again).await;
    assert_eq!((after.cart, after.orders), (before.cart, before.orders));
    assert_eq!((after.wishlist, after.addresses), (before.wishlist, before.addresses));
}

/// S2: signed in again, and called with a session of before, or of an epoch yet to come.
pub async fn every_operation_is_closed_to_other_epochs<B: Backend>(shop: &mut Shop<B>) {
    let me = customer(shop).await;
    shop.sign_out(me.session, free()).await.unwrap();
    let again = shop.sign_in_with(&me.phone).await;
    let before = shop.belongings(again).await;
    for epoch in [me.session.epoch, again.epoch + 1, -1, i64::MAX, i64::MIN] {
        let other = Session { epoch, ..again };
        assert_all_refused(shop, other, &Refused::SignedOut).await;
    }
    assert_eq!(shop.belongings(again).await, before);
}

/// S1: blocked by an operator; after the block is lifted, still not the sessions of before.
pub async fn every_operation_is_closed_to_the_blocked<B: Backend>(shop: &mut Shop<B>) {
    let me = customer(shop).await;
    let before = shop.belongings(me.session).await;
    shop.block_user(me.phone.clone(), by()).await.unwrap();
    assert_all_refused(shop, me.session, &Refused::UserBlocked).await;
    shop.unblock_user(me.phone.clone(), by()).await.unwrap();
    assert_all_refused(shop, me.session, &Refused::SignedOut).await;
    let again = shop.sign_in_with(&me.phone).await;
    assert_eq!(shop.belongings(again).await.cart, before.cart);
}

/// S2: no idempotency key opens what the session does not: the session comes first.
pub async fn no_key_replays_for_a_dead_session<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await.session;
    shop.add_to_cart(me, MUG, 1, keyed("add", 1)).await.unwrap();
    shop.checkout(me, checkout(), keyed("buy", 2)).await.unwrap();
    shop.add_address(me, address("Home"), false, keyed("address", 3)).await.unwrap();
    shop.sign_out(me, free()).await.unwrap();
    let refusals = [
        refused(shop.add_to_cart(me, MUG, 1, keyed("add", 1)).await),
        refused(shop.checkout(me, checkout(), keyed("buy", 2)).await),
        refused(shop.add_address(me, address("Home"), false, keyed("address", 3)).await),
    ];
    for refusal in refusals {
        assert_eq!(refusal, Refused::SignedOut);
    }
    // A key of something else is no key of a sign-out.
    assert_eq!(refused(shop.sign_out(me, keyed("add", 9)).await), Refused::SignedOut);
}

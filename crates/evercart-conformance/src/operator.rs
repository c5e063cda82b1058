//! What operators do: look up, block, sign out, check, and make a demo.

use evercart_core::clock::Clock;
use evercart_core::error::Refused;
use evercart_core::ids::OrderId;
use evercart_core::operator::{By, Counts, DemoCustomer};
use evercart_core::sign_in::SignInOutcome;

use crate::Backend;
use crate::shop::{
    CODE, JACKET, JACKET_L, JACKET_M, LAMP, LAST_LAMP, MUG, NO_SKU, PLENTY, SCARF, SCARF_RED, Shop,
    attempt, catalogue, checkout, code_request, free, phone, pieces, refused, wished,
};

/// An operator, with a reason.
pub fn by() -> By {
    By::operator("Anna", Some("case 17"))
}

/// A customer is found by phone, with a count of what is theirs.
pub async fn a_customer_is_found_by_phone<B: Backend>(shop: &mut Shop<B>) {
    let (me, other) = (shop.customer().await, shop.customer().await);
    shop.add_to_cart(me.session, MUG, 1, free()).await.unwrap();
    shop.checkout(me.session, checkout(), free()).await.unwrap();
    shop.add_to_cart(me.session, MUG, 1, free()).await.unwrap();
    shop.add_to_cart(me.session, JACKET_M, 9, free()).await.unwrap();
    shop.add_wish(me.session, LAMP, free()).await.unwrap();
    let file = shop.find_user(me.phone.clone()).await.unwrap();
    assert_eq!(file.user, shop.user(me.session).await.unwrap());
    assert_eq!((file.cart_lines, file.wishes, file.orders), (2, 1, 1));
    let file = shop.find_user(other.phone.clone()).await.unwrap();
    assert_eq!((file.cart_lines, file.wishes, file.orders), (0, 0, 0));
}

/// Nobody is blocked, unblocked or signed out who is not there.
pub async fn unknown_phones_are_not_found<B: Backend>(shop: &mut Shop<B>) {
    for refusal in [
        refused(shop.find_user(phone(77)).await),
        refused(shop.block_user(phone(77), by()).await),
        refused(shop.unblock_user(phone(77), by()).await),
        refused(shop.sign_user_out(phone(77), by()).await),
    ] {
        assert!(matches!(refusal, Refused::NotFound { .. }), "{refusal:?}");
    }
}

/// A block ends every session and keeps the right code out; nothing of the customer's is lost.
pub async fn a_blocked_customer_is_kept_out<B: Backend>(shop: &mut Shop<B>) {
    let (me, other) = (shop.customer().await, shop.customer().await);
    shop.add_to_cart(me.session, MUG, 4, free()).await.unwrap();
    let user = shop.block_user(me.phone.clone(), by()).await.unwrap();
    assert_eq!((user.blocked_at, user.is_active), (Some(shop.clock().now()), false));
    assert_eq!(refused(shop.cart(me.session).await), Refused::UserBlocked);
    shop.grant_code(code_request(&me.phone, CODE)).await.unwrap();
    // A wrong code tells nothing of the block.
    let wrong = shop.sign_in(attempt(&me.phone, "999999")).await.unwrap();
    assert_eq!(wrong, SignInOutcome::CodeInvalid);
    let right = refused(shop.sign_in(attempt(&me.phone, CODE)).await);
    assert_eq!(right, Refused::UserBlocked);
    assert!(!shop.find_user(me.phone.clone()).await.unwrap().user.is_active);
    assert_eq!(refused(shop.cart(me.session).await), Refused::UserBlocked);
    assert!(shop.cart(other.session).await.is_ok());

    let user = shop.unblock_user(me.phone.clone(), by()).await.unwrap();
    assert_eq!((user.blocked_at, user.is_active), (None, false));
    assert_eq!(refused(shop.cart(me.session).await), Refused::SignedOut);
    let session = shop.sign_in_with(&me.phone).await;
    assert_eq!(session.user_id, me.session.user_id);
    assert_eq!(pieces(&shop.cart(session).await.unwrap()), [(MUG, 4)]);
    assert_eq!(refused(shop.cart(me.session).await), Refused::SignedOut);
}

/// S2: an operator's sign-out is a sign-out.
pub async fn an_operator_can_sign_a_customer_out<B: Backend>(shop: &mut Shop<B>) {
    let me = shop.customer().await;
    let user = shop.sign_user_out(me.phone.clone(), by()).await.unwrap();
    assert_eq!((user.is_active, user.session_epoch, user.blocked_at), (false, 1, None));
    assert_eq!(refused(shop.cart(me.session).await), Refused::SignedOut);
    let session = shop.sign_in_with(&me.phone).await;
    shop.cart(session).await.unwrap();
    assert_eq!(refused(shop.cart(me.session).await), Refused::SignedOut);
}

/// A check says what it looked at and how much there is.
pub async fn a_check_counts_what_is_there<B: Backend>(shop: &mut Shop<B>) {
    let (me, other) = (shop.customer().await, shop.customer().await);
    shop.add_to_cart(me.session, MUG, 1, free()).await.unwrap();
    shop.checkout(me.session, checkout(), free()).await.unwrap();
    for session in [me.session, other.session] {
        shop.add_to_cart(session, MUG, 5, free()).await.unwrap();
        shop.add_to_cart(session, JACKET_M, 1, free()).await.unwrap();
        shop.add_wish(session, JACKET, free()).await.unwrap();
    }
    let report = shop.check().await.unwrap();
    assert_eq!(report.findings, []);
    assert!(!report.promises.is_empty());
    let counts = Counts { users: 2, cart_lines: 4, wishes: 2, orders: 1, products: 4, skus: 6 };
    assert_eq!(report.counts, counts);
    shop.ready().await.unwrap();
}

/// An empty store is in order.
pub async fn an_empty_store_is_in_order<B: Backend>(_: &mut Shop<B>) {
    let empty = Shop::<B>::empty();
    empty.ready().await.unwrap();
    empty.assert_consistent().await;
    assert_eq!(empty.check().await.unwrap().counts, Counts::default());
}

/// A demo is made of an empty store, and stays one for ever.
pub async fn an_empty_store_can_become_a_demo<B: Backend>(_: &mut Shop<B>) {
    let mut demo = Shop::<B>::empty();
    assert!(!demo.is_demo().await.unwrap());
    assert!(demo.become_demo().await.unwrap());
    assert!(demo.is_demo().await.unwrap());
    demo.reopen();
    assert!(demo.is_demo().await.unwrap());
    demo.import(catalogue()).await;
    demo.customer().await;
    assert!(demo.is_demo().await.unwrap());
    demo.reopen();
    assert!(demo.is_demo().await.unwrap());
}

/// Whatever is configured later, stored prices are in the currency they were written in.
pub async fn a_store_in_use_keeps_its_currency<B: Backend>(_: &mut Shop<B>) {
    let [usd, eur] = ["USD", "EUR"].map(|code| code.parse().unwrap());
    let mut shop = Shop::<B>::empty();
    for currency in [usd, eur, usd] {
        assert_eq!(shop.currency(currency).await.unwrap(), currency, "nothing has a price yet");
    }
    shop.import(catalogue()).await;
    assert_eq!(shop.currency(eur).await.unwrap(), eur, "the first to look says");
    assert_eq!(shop.currency(usd).await.unwrap(), eur);
    shop.reopen();
    assert_eq!(shop.currency(usd).await.unwrap(), eur);
    shop.assert_consistent().await;
}

/// Orders say which currency theirs was, in a store that never noted it.
pub async fn orders_say_what_the_currency_was<B: Backend>(shop: &mut Shop<B>) {
    let session = shop.customer().await.session;
    shop.add_to_cart(session, MUG, 1, free()).await.unwrap();
    let order = shop.checkout(session, checkout(), free()).await.unwrap().value;
    let [usd, jpy] = ["USD", "JPY"].map(|code| code.parse().unwrap());
    assert_eq!(order.currency, "USD");
    assert_eq!(shop.currency(jpy).await.unwrap(), usd);
}

/// A store in use is never turned into a demo, whose codes are public.
pub async fn a_store_in_use_does_not_become_a_demo<B: Backend>(shop: &mut Shop<B>) {
    assert!(!shop.become_demo().await.unwrap());
    assert!(!shop.is_demo().await.unwrap());
    let mut customers_only = Shop::<B>::empty();
    customers_only.customer().await;
    assert!(!customers_only.become_demo().await.unwrap());
    assert!(!customers_only.is_demo().await.unwrap());
    customers_only.reopen();
    assert!(!customers_only.is_demo().await.unwrap());
}

fn demo_customer(n: u32) -> DemoCustomer {
    DemoCustomer {
        phone: phone(n),
        full_name: format!("Demo {n}"),
        cart: vec![(JACKET_L, 1), (MUG, 2)],
        wishes: vec![SCARF, LAMP],
        orders: vec![(checkout(), vec![(SCARF_RED, 2), (MUG, 1)])],
    }
}

async fn demo<B: Backend>() -> Shop<B> {
    let demo = Shop::<B>::empty();
    assert!(demo.become_demo().await.unwrap());
    demo.import(catalogue()).await;
    demo
}

/// Made-up customers have carts, wishlists and orders like others, and can be acted for.
pub async fn demo_customers_are_complete<B: Backend>(_: &mut Shop<B>) {
    let demo = demo::<B>().await;
    let sessions = demo.fill_demo((1..=3).map(demo_customer).collect()).await.unwrap();
    assert_eq!(sessions.len(), 3);
    for (n, session) in (1..).zip(sessions) {
        let theirs = demo.belongings(session).await;
        assert_eq!(theirs.user.phone, phone(n));
        assert_eq!(theirs.user.full_name, Some(format!("Demo {n}")));
        assert_eq!(pieces(&theirs.cart), [(JACKET_L, 1), (MUG, 2)]);
        let mut wishes = wished(&theirs.wishlist);
        wishes.sort();
        assert_eq!(wishes, [SCARF, LAMP]);
        assert_eq!(theirs.orders.len(), 1);
        assert_eq!(theirs.orders[0].id, OrderId(1_000 + i64::from(n)));
        demo.add_to_cart(session, MUG, 1, free()).await.unwrap();
    }
    assert_eq!(demo.on_hand(SCARF_RED).await, 4);
    assert_eq!(demo.on_hand(MUG).await, PLENTY - 3);
    assert_eq!(demo.on_hand(JACKET_L).await, PLENTY);
    demo.assert_consistent().await;
}

/// All of the made-up customers, or none.
pub async fn demo_customers_come_all_or_none<B: Backend>(_: &mut Shop<B>) {
    let demo = demo::<B>().await;
    let before = demo.export_catalogue().await.unwrap();
    let greedy =
        DemoCustomer { orders: vec![(checkout(), vec![(LAST_LAMP, 2)])], ..demo_customer(2) };
    let refusal = refused(demo.fill_demo(vec![demo_customer(1), greedy]).await);
    assert_eq!(refusal, Refused::InsufficientStock { sku_id: LAST_LAMP, available: 1 });
    let lost = DemoCustomer { cart: vec![(NO_SKU, 1)], ..demo_customer(2) };
    let refusal = refused(demo.fill_demo(vec![demo_customer(1), lost]).await);
    assert!(matches!(refusal, Refused::NotFound { .. }), "{refusal:?}");
    assert!(demo.find_user(phone(1)).await.is_err());
    assert_eq!(demo.export_catalogue().await.unwrap(), before);
    demo.assert_consistent().await;
}

/// Filling again leaves who is there alone.
pub async fn known_demo_customers_stay_as_they_are<B: Backend>(_: &mut Shop<B>) {
    let demo = demo::<B>().await;
    let first = demo.fill_demo(vec![demo_customer(1)]).await.unwrap()[0];
    demo.clear_cart(first, free()).await.unwrap();
    let before = demo.belongings(first).await;
    demo.fill_demo(vec![demo_customer(1), demo_customer(2)]).await.unwrap();
    let after = demo.belongings(first).await;
    assert_eq!((&after.cart, &after.orders), (&before.cart, &before.orders));
    assert_eq!(demo.find_user(phone(2)).await.unwrap().orders, 1);
    demo.assert_consistent().await;
}

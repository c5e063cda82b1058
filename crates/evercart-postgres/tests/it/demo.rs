//! Demo stores: customers made by hundreds are what they would have become one by one.

use std::sync::Arc;

use evercart_conformance::Backend;
use evercart_conformance::shop::{
    CODE, JACKET, JACKET_L, JACKET_M, LAMP, MUG, OLD_MUG, SCARF, SCARF_RED, attempt, catalogue,
    checkout, code_request, free, phone, refused, signed_in,
};
use evercart_core::cart::Carts;
use evercart_core::catalogue::Catalogue;
use evercart_core::clock::ManualClock;
use evercart_core::error::{Failed, Refused, StoreError};
use evercart_core::ids::UserId;
use evercart_core::operator::{DemoCustomer, Operator};
use evercart_core::order::{Checkout, Orders};
use evercart_core::sign_in::SignIn;
use evercart_core::user::{ProfileChange, Session};
use evercart_core::wishlist::Wishlists;
use evercart_postgres::Postgres;
use jiff::Timestamp;

use crate::Database;
use crate::check::connect;

/// Everything customers have, as text, with all columns.
const EVERYTHING: &str = "SELECT 'user ' || t::TEXT FROM evercart_us.users t \
     UNION ALL SELECT 'phone ' || t::TEXT FROM evercart_us.phone_numbers t \
     UNION ALL SELECT 'cart ' || t::TEXT FROM evercart_us.carts t \
     UNION ALL SELECT 'cart line ' || t::TEXT FROM evercart_us.cart_items t \
     UNION ALL SELECT 'wishlist ' || t::TEXT FROM evercart_us.wishlists t \
     UNION ALL SELECT 'wish ' || t::TEXT FROM evercart_us.wishlist_items t \
     UNION ALL SELECT 'order ' || t::TEXT FROM evercart_us.orders t \
     UNION ALL SELECT 'order line ' || t::TEXT FROM evercart_us.order_items t \
     UNION ALL SELECT 'history ' || t::TEXT FROM evercart_us.order_history t \
     UNION ALL SELECT 'stock ' || t::TEXT FROM evercart_us.stock t ORDER BY 1";

async fn everything(database: &Database) -> Vec<String> {
    let client = connect(&database.url).await;
    let rows = client.query(EVERYTHING, &[]).await.expect("reads");
    rows.iter().map(|row| row.get(0)).collect()
}

async fn demo() -> Database {
    let clock = ManualClock::at(Timestamp::from_second(1_790_000_000).expect("in range"));
    let database = Database::fresh(Arc::new(clock));
    assert!(database.store.become_demo().await.expect("looks"));
    database.store.import_catalogue(catalogue(), Box::new(|_| {})).await.expect("imports");
    database
}

fn customers() -> Vec<DemoCustomer> {
    let customer = |n: u32| DemoCustomer {
        phone: phone(n),
        full_name: format!("Demo {n}"),
        cart: vec![],
        wishes: vec![],
        orders: vec![],
    };
    let own_phone = Checkout { customer_phone: None, customer_email: None, ..checkout() };
    let other_phone = Checkout { customer_phone: Some("+13125550000".into()), ..checkout() };
    vec![
        customer(1),
        DemoCustomer { cart: vec![(JACKET_L, 1), (MUG, 999)], ..customer(2) },
        DemoCustomer {
            wishes: vec![SCARF, LAMP, SCARF, JACKET],
            orders: vec![
                (own_phone, vec![(SCARF_RED, 2), (MUG, 1)]),
                (other_phone, vec![(JACKET_M, 7), (SCARF_RED, 1), (JACKET_L, 2)]),
            ],
            cart: vec![(SCARF_RED, 7), (JACKET_M, 1)],
            ..customer(3)
        },
        DemoCustomer { orders: vec![(checkout(), vec![(MUG, 3)])], ..customer(4) },
    ]
}

/// The same by the operations that customers have.
async fn shop_for(store: &Postgres, customer: &DemoCustomer) -> Session {
    store.grant_code(code_request(&customer.phone, CODE)).await.expect("a code");
    let session = signed_in(store.sign_in(attempt(&customer.phone, CODE)).await).session();
    let name = Some(Some(customer.full_name.clone()));
    let change = ProfileChange { full_name: name, ..ProfileChange::default() };
    store.change_profile(session, change, free()).await.expect("is named");
    for (checkout, lines) in &customer.orders {
        for (sku, quantity) in lines {
            store.add_to_cart(session, *sku, *quantity, free()).await.expect("adds");
        }
        store.checkout(session, checkout.clone(), free()).await.expect("orders");
    }
    for (sku, quantity) in &customer.cart {
        store.add_to_cart(session, *sku, *quantity, free()).await.expect("adds");
    }
    for product in &customer.wishes {
        store.add_wish(session, *product, free()).await.expect("wishes");
    }
    session
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_made_at_once_are_as_if_they_had_shopped() {
    let (filled, shopped) = (demo().await, demo().await);
    let at_once = filled.store.fill_demo(customers()).await.expect("fills");
    let mut one_by_one = Vec::new();
    for customer in customers() {
        one_by_one.push(shop_for(&shopped.store, &customer).await);
    }
    let who = |sessions: &[Session]| {
        sessions.iter().map(|session| (session.user_id, session.epoch)).collect::<Vec<_>>()
    };
    assert_eq!(who(&at_once), who(&one_by_one));
    assert_eq!(everything(&filled).await, everything(&shopped).await);
    assert_eq!(filled.store.check().await.expect("checks").findings, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wish_no_customer_could_have_fulfilled_fills_nothing() {
    let demo = demo().await;
    let before = everything(&demo).await;
    let [_, plain, ..] = &customers()[..] else { panic!("there are four") };
    let cart = |cart| DemoCustomer { cart, ..plain.clone() };
    let order = |checkout, lines| DemoCustomer { orders: vec![(checkout, lines)], ..plain.clone() };
    let wrong_total =
        Checkout { expected_total: Some(evercart_core::money::Money(1)), ..checkout() };
    for wish in [
        cart(vec![(OLD_MUG, 1)]),
        cart(vec![(MUG, 1000)]),
        cart(vec![(MUG, 0)]),
        cart(vec![(SCARF_RED, 11)]),
        order(checkout(), vec![]),
        order(wrong_total, vec![(MUG, 1)]),
        order(checkout(), vec![(SCARF_RED, 11)]),
        // Each of them could, both cannot.
        DemoCustomer {
            orders: vec![(checkout(), vec![(SCARF_RED, 6)])],
            cart: vec![(SCARF_RED, 5)],
            ..plain.clone()
        },
    ] {
        let fills = demo.store.fill_demo(vec![customers()[3].clone(), wish]).await;
        refused(fills);
    }
    let twice = demo.store.fill_demo(vec![cart(vec![(MUG, 1), (MUG, 1)])]).await;
    assert!(matches!(twice, Err(StoreError::Failed(Failed::Inconsistent(_)))), "{twice:?}");
    assert_eq!(everything(&demo).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_fill_at_once_share_the_stock() {
    let demo = demo().await;
    let fills = (0..8).map(|n| {
        let store = Arc::clone(&demo.store);
        let customers: Vec<_> = (0..3)
            .map(|m| DemoCustomer {
                phone: phone(100 + 10 * n + m),
                orders: vec![(checkout(), vec![(MUG, 1), (SCARF_RED, 1)])],
                ..customers()[0].clone()
            })
            .collect();
        tokio::spawn(async move { store.fill_demo(customers).await })
    });
    let fills: Vec<_> = fills.collect();
    let mut filled = 0;
    for fill in fills {
        match fill.await.expect("joins") {
            Ok(sessions) => filled += sessions.len(),
            Err(StoreError::Refused(Refused::InsufficientStock { sku_id, .. })) => {
                assert_eq!(sku_id, SCARF_RED);
            }
            Err(error) => panic!("{error}"),
        }
    }
    // Ten scarves, three a fill.
    assert_eq!(filled, 9);
    assert_eq!(demo.store.check().await.expect("checks").findings, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_with_a_chosen_id_is_made_once() {
    let demo = demo().await;
    let store = &demo.store;
    store.create_demo_user(UserId(19), phone(1)).await.expect("is made");
    for (id, n) in [(19, 2), (20, 1), (0, 3), (-1, 3), (i64::MAX, 3)] {
        let again = store.create_demo_user(UserId(id), phone(n)).await;
        assert!(matches!(again, Err(StoreError::Failed(Failed::Inconsistent(_)))), "{again:?}");
    }
    let file = store.find_user(phone(1)).await.expect("is found");
    assert_eq!((file.user.id, file.user.is_active), (UserId(19), false));
    // Later ids are beyond all that were chosen; one that was skipped can still be.
    let next = shop_for(store, &customers()[1]).await.user_id;
    assert!(next > UserId(19), "{next}");
    store.create_demo_user(UserId(5), phone(5)).await.expect("is made");
    assert_eq!(store.fill_demo(vec![customers()[2].clone()]).await.expect("fills").len(), 1);
    assert_eq!(store.check().await.expect("checks").findings, []);
}

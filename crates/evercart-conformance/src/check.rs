//! The store's own check finds nothing to complain of, whatever was done. It is also run after
//! every other case; here it is run between the steps.

use evercart_core::check::advice;
use evercart_core::ids::OrderId;
use evercart_core::operator::CheckReport;
use evercart_core::store::Store;
use jiff::SignedDuration;

use crate::Backend;
use crate::shop::{
    CODE, JACKET_M, LAMP, MUG, SCARF, SCARF_RED, Shop, address, attempt, by, catalogue, checkout,
    code_request, free, phone, signed_in,
};
use crate::signed_out::operations;
use crate::survival::settle;

/// After every single operation there is.
pub async fn no_operation_leaves_a_finding<B: Backend>(shop: &mut Shop<B>) {
    let (first, me) = (shop.customer().await, shop.customer().await);
    for customer in [&first, &me] {
        settle(shop, customer.session).await;
        shop.assert_consistent().await;
    }
    for operation in operations() {
        let session = shop.sign_in_with(&me.phone).await;
        let result = (operation.call)(shop.store(), session).await;
        assert!(result.is_ok(), "{}: {result:?}", operation.name);
        shop.assert_consistent().await;
    }
}

/// After operators did what they do, and after restarts.
pub async fn operators_leave_no_finding<B: Backend>(shop: &mut Shop<B>) {
    let (a, b) = (shop.customer().await, shop.customer().await);
    for customer in [&a, &b] {
        settle(shop, customer.session).await;
    }
    shop.block_user(a.phone.clone(), by()).await.unwrap();
    shop.sign_user_out(b.phone.clone(), by()).await.unwrap();
    shop.assert_consistent().await;
    shop.reopen();
    shop.assert_consistent().await;
    shop.unblock_user(a.phone.clone(), by()).await.unwrap();
    // Counting the shelves anew while orders are out, and putting an order back after that.
    shop.import(catalogue()).await;
    shop.change_sku(SCARF_RED, |row| (row.stock, row.active) = (0, false)).await;
    let session = shop.sign_in_with(&a.phone).await;
    shop.cancel_order(session, OrderId(1_001), free()).await.unwrap();
    assert_eq!(shop.on_hand(SCARF_RED).await, 1);
    shop.assert_consistent().await;
    shop.wait(SignedDuration::from_hours(24 * 365));
    shop.clear_cart(session, free()).await.unwrap();
    shop.add_to_cart(session, MUG, 1, free()).await.unwrap();
    shop.checkout(session, checkout(), free()).await.unwrap();
    shop.assert_consistent().await;
}

/// A shop of customers 1 and 2, each with an order (1001 and 1002), a cart, wishes and an address,
/// for a test that damages it and looks what the check says.
pub async fn furnish(store: &dyn Store) {
    store.import_catalogue(catalogue(), Box::new(|_| {})).await.expect("imports");
    for n in 1..=2 {
        store.grant_code(code_request(&phone(n), CODE)).await.expect("a code");
        let session = signed_in(store.sign_in(attempt(&phone(n), CODE)).await).session();
        store.add_to_cart(session, MUG, 3, free()).await.expect("adds");
        store.checkout(session, checkout(), free()).await.expect("orders");
        for sku in [JACKET_M, MUG] {
            store.add_to_cart(session, sku, 1, free()).await.expect("adds");
        }
        for product in [SCARF, LAMP] {
            store.add_wish(session, product, free()).await.expect("wishes");
        }
        store.add_address(session, address("Home"), false, free()).await.expect("adds");
    }
}

/// Every promise is tried by a damage of the test, and its advice is there for who finds it broken.
///
/// # Panics
/// Of one that is not.
pub fn assert_all_are_tried<'a>(report: &CheckReport, damages: impl Iterator<Item = &'a str>) {
    let tried: Vec<&str> = damages.collect();
    for promise in &report.promises {
        assert!(tried.contains(promise), "nothing here breaks the promise that {promise}");
        assert!(advice(promise).is_some(), "nothing says what to do when it breaks: {promise}");
    }
}

//! The store's own check finds nothing to complain of, whatever was done. It is also run after
//! every other case; here it is run between the steps.

use evercart_core::ids::OrderId;
use jiff::SignedDuration;

use crate::Backend;
use crate::shop::{MUG, SCARF_RED, Shop, catalogue, checkout, free};
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
    shop.block_user(a.phone.clone()).await.unwrap();
    shop.sign_user_out(b.phone.clone()).await.unwrap();
    shop.assert_consistent().await;
    shop.reopen();
    shop.assert_consistent().await;
    shop.unblock_user(a.phone.clone()).await.unwrap();
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

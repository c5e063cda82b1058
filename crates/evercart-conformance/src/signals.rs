//! Whoever watches a cart is told of every change of it and of its customer's session.

use std::pin::pin;
use std::time::Duration;

use evercart_core::cart::MergeStrategy;
use evercart_core::ids::{LineId, SkuId};
use evercart_core::signals::CartWatch;

use crate::Backend;
use crate::shop::{JACKET_M, MUG, MUGS, Shop, by, checkout, free};

/// A word takes a second at most; a busy machine gets more. What never comes is waited for in vain.
const PATIENCE: Duration = Duration::from_secs(20);

/// Waits until the watch is told.
async fn told(watch: &mut CartWatch, of: &str) {
    let word = tokio::time::timeout(PATIENCE, watch.changed());
    assert!(word.await.is_ok(), "nobody was told of {of}");
}

/// Waits until nothing more comes of what was done before, and the store has looked at the customer
/// by itself: what it tells of a watch that it has just got to know is no change.
async fn settle(watch: &mut CartWatch) {
    const QUIET: Duration = Duration::from_millis(2_500);
    while tokio::time::timeout(QUIET, watch.changed()).await.is_ok() {}
}

/// Adding, setting, merging, moving, ordering and emptying.
pub async fn every_change_of_a_cart_is_told<B: Backend>(shop: &mut Shop<B>) {
    let customer = shop.customer().await;
    let session = customer.session;
    let mut watch = shop.watch_cart(session.user_id);
    shop.add_to_cart(session, MUG, 2, free()).await.unwrap();
    told(&mut watch, "an add").await;
    shop.set_quantity(session, LineId(1), 1, free()).await.unwrap();
    told(&mut watch, "a new quantity").await;
    let items: Vec<(SkuId, u32)> = vec![(JACKET_M, 1)];
    shop.merge_into_cart(session, items, MergeStrategy::Max, free()).await.unwrap();
    told(&mut watch, "a merge").await;
    shop.add_wish(session, MUGS, free()).await.unwrap();
    shop.move_to_cart(session, MUGS, MUG, 1, free()).await.unwrap();
    told(&mut watch, "a move from the wishlist").await;
    shop.checkout(session, checkout(), free()).await.unwrap();
    told(&mut watch, "a checkout").await;
    shop.add_to_cart(session, MUG, 1, free()).await.unwrap();
    told(&mut watch, "the first add after it").await;
    shop.clear_cart(session, free()).await.unwrap();
    told(&mut watch, "an emptied cart").await;
}

/// By the customer, or by an operator.
pub async fn the_end_of_a_session_is_told<B: Backend>(shop: &mut Shop<B>) {
    let customer = shop.customer().await;
    let mut watch = shop.watch_cart(customer.session.user_id);
    shop.sign_out(customer.session, free()).await.unwrap();
    told(&mut watch, "a sign-out").await;
    shop.sign_in_with(&customer.phone).await;
    settle(&mut watch).await;
    shop.sign_user_out(customer.phone.clone(), by()).await.unwrap();
    told(&mut watch, "a sign-out by an operator").await;
    settle(&mut watch).await;
    shop.block_user(customer.phone.clone(), by()).await.unwrap();
    told(&mut watch, "a block").await;
}

/// Nobody has to keep up with every change.
pub async fn what_came_before_it_is_asked_is_one_word<B: Backend>(shop: &mut Shop<B>) {
    let session = shop.customer().await.session;
    let mut watch = shop.watch_cart(session.user_id);
    for _ in 0..5 {
        shop.add_to_cart(session, MUG, 1, free()).await.unwrap();
    }
    told(&mut watch, "five adds").await;
    settle(&mut watch).await;
    let mut more = pin!(watch.changed());
    let polled = std::future::poll_fn(|context| {
        std::task::Poll::Ready(more.as_mut().poll(context).is_pending())
    });
    assert!(polled.await, "there was a word of nothing");
}

/// Several may watch one customer, and hear of that one only.
pub async fn nobody_hears_of_another_customer<B: Backend>(shop: &mut Shop<B>) {
    let (ann, bob) = (shop.customer().await.session, shop.customer().await.session);
    let mut of_ann = shop.watch_cart(ann.user_id);
    let mut of_bob = shop.watch_cart(bob.user_id);
    let mut of_bob_too = shop.watch_cart(bob.user_id);
    settle(&mut of_ann).await;
    settle(&mut of_bob).await;
    shop.add_to_cart(bob, MUG, 1, free()).await.unwrap();
    told(&mut of_bob, "an add").await;
    told(&mut of_bob_too, "an add").await;
    let heard = tokio::time::timeout(Duration::from_millis(1_500), of_ann.changed()).await;
    assert!(heard.is_err(), "one customer was told of another");
}

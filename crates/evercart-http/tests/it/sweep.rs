//! What is past its term is swept while the shop is served, without anybody asking for anything.

use std::sync::Arc;
use std::time::{Duration, Instant};

use evercart_core::copy::{Copies, Table};
use jiff::SignedDuration;
use serde_json::json;

use crate::shop::{ANN, TestShop};

/// How long the sweep is waited for.
const PATIENCE: Duration = Duration::from_secs(90);

/// How many idempotency keys there are in the default market.
async fn keys(shop: &TestShop) -> usize {
    let mut reader = shop.stores[0].copy_out().await.unwrap();
    reader.open(Table::named("idempotency_keys").unwrap()).await.unwrap();
    reader.next(10).await.unwrap().len()
}

#[tokio::test]
async fn keys_of_customers_who_never_come_back_are_swept() {
    let shop = TestShop::open().await;
    let token = shop.sign_in(ANN).await;
    let wish = json!({"product_id": 15});
    let wished =
        shop.post("/wishlist/items").token(&token).header("idempotency-key", "k").json(&wish);
    wished.send().await;
    assert_eq!(keys(&shop).await, 1);
    shop.clock.advance(SignedDuration::from_hours(24));
    let sweeping = tokio::spawn(evercart_http::sweep(Arc::clone(&shop.shop)));
    let begun = Instant::now();
    while keys(&shop).await > 0 {
        assert!(begun.elapsed() < PATIENCE, "the key is not swept");
        tokio::time::sleep(Duration::from_millis(20)).await; // poll: the sweep tells nobody
    }
    sweeping.abort();
}

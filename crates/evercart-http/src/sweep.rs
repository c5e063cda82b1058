//! Forgets idempotency keys that are past their day, all the time and a few at once: nobody waits
//! for it, and however many there are, each is looked at again and again.

use std::sync::Arc;
use std::time::Duration;

use evercart_core::store::Store;
use futures_util::future::join_all;

use crate::Shop;

/// The pause between two steps. A step takes milliseconds.
const STEP_EVERY: Duration = Duration::from_secs(1);

/// The pause after all keys were looked at, or after a failure.
const ALL_EVERY: Duration = Duration::from_mins(10);

/// Sweeps every market for as long as it is polled. Any number of servers may do so.
pub async fn forget_old_keys(shop: Arc<Shop>) {
    join_all(shop.markets.iter().map(|at| sweep(&*at.store))).await;
}

async fn sweep(store: &dyn Store) {
    let mut place = None;
    loop {
        tokio::time::sleep(STEP_EVERY).await;
        place = match store.forget_old_keys(place).await {
            Ok(next) => next,
            Err(error) => {
                tracing::debug!(%error, "keys past their day were not swept; they are later");
                None
            }
        };
        if place.is_none() {
            tokio::time::sleep(ALL_EVERY).await;
        }
    }
}

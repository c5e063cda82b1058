//! Forgets rows whose term is over, all the time and a few at once: nobody waits for it, and
//! however many there are, each is looked at again and again.

use std::sync::Arc;
use std::time::Duration;

use evercart_core::error::Result;
use evercart_core::store::Store;
use evercart_core::sweep::KeyPlace;
use futures_util::future::join_all;

use crate::Shop;

/// When the first step comes: a start has enough to do.
const FIRST_AFTER: Duration = Duration::from_secs(20);

/// The pause between two steps. A step takes milliseconds.
const STEP_EVERY: Duration = Duration::from_secs(1);

/// The pause after all was looked at, or after a failure.
const ALL_EVERY: Duration = Duration::from_mins(10);

/// Sweeps every market for as long as it is polled. Any number of servers may do so.
pub async fn sweep(shop: Arc<Shop>) {
    join_all(shop.markets.iter().map(|at| sweep_market(&*at.store))).await;
}

async fn sweep_market(store: &dyn Store) {
    let mut place = None;
    tokio::time::sleep(FIRST_AFTER).await;
    loop {
        let is_all = match step(store, &mut place).await {
            Ok(is_all) => is_all,
            Err(error) => {
                tracing::debug!(%error, "what is past its term was not swept; it is later");
                true
            }
        };
        tokio::time::sleep(if is_all { ALL_EVERY } else { STEP_EVERY }).await;
    }
}

/// Goes on from this place. Returns true if all was looked at.
async fn step(store: &dyn Store, place: &mut Option<KeyPlace>) -> Result<bool> {
    let is_more = store.forget_what_is_over().await?;
    // Begun anew after a failure, too.
    *place = store.forget_old_keys(place.take()).await?;
    Ok(!is_more && place.is_none())
}

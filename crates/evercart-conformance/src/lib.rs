//! The contract of the [`Store`] as tests, for every adapter the same. An adapter runs all of them
//! with one [`conformance!`] line; what is particular to one database is tested beside it.
//!
//! Each case gets a [`Shop`] of its own, and after each the store's own check must
//! find nothing wrong. Cases mirror the files of `evercart-core`, and are named as claims.

#![allow(clippy::unwrap_used, reason = "this crate is tests; a failed unwrap is a failed case")]

pub mod account;
pub mod address;
pub mod cart;
mod cases;
pub mod catalogue;
pub mod catalogue_change;
pub mod check;
pub mod concurrency;
pub mod concurrent_phone_change;
pub mod concurrent_sign_in;
pub mod continuity;
pub mod copy;
pub mod crowd;
pub mod durability;
pub mod erasure;
pub mod guard;
pub mod isolation;
pub mod limits;
pub mod model;
pub mod operator;
pub mod order;
pub mod order_items;
pub mod outbox;
pub mod phone_change;
pub mod sequences;
pub mod shop;
pub mod sign_in;
pub mod signals;
pub mod signed_out;
pub mod survival;
pub mod sweep;
pub mod wishlist;

use std::sync::Arc;
use std::time::Duration;

use evercart_core::clock::ManualClock;
use evercart_core::store::Store;

use crate::shop::Shop;

/// How an adapter hands a store to the cases.
pub trait Backend: Send + Sync + 'static {
    /// No case takes a tenth of this; one that does not end is a failure, not a wait.
    const CASE_TIME_MAX: Duration = Duration::from_secs(120);

    /// A new, empty store that tells the time by `clock`.
    fn fresh(clock: Arc<ManualClock>) -> Self;

    /// The store. No clone of it is alive when [`reopen`](Backend::reopen) is called.
    fn store(&self) -> Arc<dyn Store>;

    /// Closes the store and opens it again on the same data, with the same clock.
    fn reopen(self) -> Self;
}

/// Runs one case in a shop of its own, and then looks whether the shop is in order.
///
/// # Panics
/// If the case fails.
pub fn run<B: Backend>(case: impl AsyncFnOnce(&mut Shop<B>)) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .expect("a runtime needs only threads");
    runtime.block_on(async {
        let all = async {
            let mut shop = Shop::<B>::open().await;
            case(&mut shop).await;
            shop.assert_consistent().await;
        };
        tokio::time::timeout(B::CASE_TIME_MAX, all).await.expect("the case ends in time");
    });
}

//! The PostgreSQL adapter as its users see it: the store's contract, and what is PostgreSQL's own.

mod backups;
mod check;
#[cfg(feature = "citus-tests")]
mod cluster;
mod codes;
mod copy;
mod demo;
mod limits;
mod logs;
mod plans;
mod public;
mod replicas;
mod returns;

use std::sync::Arc;

use evercart_conformance::Backend;
use evercart_core::clock::ManualClock;
use evercart_core::limits::CustomerLimits;
use evercart_core::market::MarketName;
use evercart_core::store::Store;
use evercart_postgres::{Options, Postgres};

/// A store in a database of its own.
struct Database {
    store: Arc<Postgres>,
    url: String,
    clock: Arc<ManualClock>,
}

impl Database {
    fn open(url: String, clock: Arc<ManualClock>) -> Self {
        Self::open_with(url, clock, CustomerLimits::NONE)
    }

    fn open_with(url: String, clock: Arc<ManualClock>, limits: CustomerLimits) -> Self {
        let market = MarketName::new("us").expect("a market's name");
        // Many stores are open at once here, on one small server.
        let options = Options { pool: 6, limits, ..Options::new(&url, Arc::clone(&clock) as _) };
        let store = wait_for(Postgres::open(&market, options)).expect("the store opens");
        Self { store: Arc::new(store), url, clock }
    }
}

impl Backend for Database {
    fn fresh(clock: Arc<ManualClock>) -> Self {
        Self::open(evercart_throwaway_postgres::fresh_database(), clock)
    }

    fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store) as _
    }

    fn reopen(self) -> Self {
        wait_for(self.store.close());
        drop(self.store);
        Self::open(self.url, self.clock)
    }
}

/// The suite opens and closes stores between its awaits, in a runtime with threads to spare.
fn wait_for<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Handle::current();
    tokio::task::block_in_place(|| runtime.block_on(future))
}

evercart_conformance::conformance!(postgres, crate::Database);

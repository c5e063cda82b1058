//! The cases of a store whose customers may only do so much.

use std::sync::Arc;

use evercart_conformance::Backend;
use evercart_conformance::limits::LIMITS;
use evercart_core::clock::ManualClock;
use evercart_core::store::Store;

use crate::{Database, wait_for};

/// A store with limits.
struct Limited(Database);

impl Backend for Limited {
    fn fresh(clock: Arc<ManualClock>) -> Self {
        let url = evercart_throwaway_postgres::fresh_database();
        Self(Database::open_with(url, clock, LIMITS))
    }

    fn store(&self) -> Arc<dyn Store> {
        self.0.store()
    }

    fn reopen(self) -> Self {
        wait_for(self.0.store.close());
        Self(Database::open_with(self.0.url, self.0.clock, LIMITS))
    }
}

evercart_conformance::conformance_limits!(limited, Limited);

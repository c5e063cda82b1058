//! The cases of a store whose customers may only do so much.

use std::sync::Arc;

use evercart_conformance::Backend;
use evercart_conformance::limits::LIMITS;
use evercart_core::clock::ManualClock;
use evercart_core::store::Store;

use crate::File;

/// A store with limits.
struct Limited(File);

impl Backend for Limited {
    fn fresh(clock: Arc<ManualClock>) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        Self(File::open_with(directory, clock, LIMITS))
    }

    fn store(&self) -> Arc<dyn Store> {
        self.0.store()
    }

    fn reopen(self) -> Self {
        self.0.store.close();
        Self(File::open_with(self.0.directory, self.0.clock, LIMITS))
    }
}

evercart_conformance::conformance_limits!(limited, Limited);

//! The SQLite adapter as its users see it: the store's contract, and what is SQLite's own.

mod check;
mod copy;
mod files;
mod limits;

use std::sync::Arc;

use evercart_conformance::Backend;
use evercart_core::clock::ManualClock;
use evercart_core::limits::CustomerLimits;
use evercart_core::store::Store;
use evercart_sqlite::{Options, Sqlite};
use tempfile::TempDir;

/// A store in a directory of its own, which goes away with it.
struct File {
    store: Arc<Sqlite>,
    directory: TempDir,
    clock: Arc<ManualClock>,
}

impl File {
    fn open(directory: TempDir, clock: Arc<ManualClock>) -> Self {
        Self::open_with(directory, clock, CustomerLimits::NONE)
    }

    fn open_with(directory: TempDir, clock: Arc<ManualClock>, limits: CustomerLimits) -> Self {
        let path = directory.path().join("us.sqlite3");
        let options = Options { limits, ..Options::new(Arc::clone(&clock) as _) };
        let store = Arc::new(Sqlite::open(&path, options).expect("the store opens"));
        Self { store, directory, clock }
    }
}

impl Backend for File {
    fn fresh(clock: Arc<ManualClock>) -> Self {
        Self::open(tempfile::tempdir().expect("a temporary directory"), clock)
    }

    fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store) as _
    }

    fn reopen(self) -> Self {
        self.store.close();
        drop(self.store);
        Self::open(self.directory, self.clock)
    }
}

evercart_conformance::conformance!(sqlite, crate::File);

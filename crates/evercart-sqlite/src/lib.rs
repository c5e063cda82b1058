//! The embedded store: one SQLite file a market, one writer thread that commits in groups, a few
//! reader threads. SQL lives here; rules live in `evercart-core`.

mod account;
mod actor;
mod address;
mod answers;
mod backup;
mod cart;
mod catalogue;
mod catalogue_import;
mod catalogue_parts;
mod check;
mod check_erased;
mod checkpoint;
mod copy;
mod customer_copy;
mod db;
mod erasing;
mod keeper;
mod life;
mod limits;
mod lock;
mod migrate;
mod open_cart;
mod operator;
mod order;
mod outbox;
mod owner;
mod phone_change;
#[cfg(test)]
mod plans;
mod readers;
mod shown;
mod sign_in;
mod signals;
mod sku_cache;
mod sweep;
mod wishlist;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use evercart_core::awake::Awake;
use evercart_core::clock::Clock;
use evercart_core::error::{Failed, StoreError};
use evercart_core::limits::CustomerLimits;
use evercart_core::mark::Mark;
use evercart_core::store::{NoGauge, WriterGauge};

pub use backup::copy_as_it_is;
pub use check::{check_file, programs_in};
pub use copy::rows_in;
pub use db::{Trouble, trouble};
pub use life::{numbers_in, was_served};
pub use lock::{DirectoryLock, LOCK_FILE, LockError};
pub use migrate::{Migrated, OpenError, SCHEMA_VERSION, migrate};
pub use owner::give_to_owner_of;

use crate::catalogue_import::Settling;
use crate::checkpoint::Checkpointer;
use crate::keeper::Keeper;
use crate::readers::{Of, Readers};
use crate::shown::State;
use crate::signals::Signals;
use crate::writer::Writer;

/// How a store is run.
pub struct Options {
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Told of every commit.
    pub gauge: Arc<dyn WriterGauge>,
    /// Threads that read. Two keep two cores busy; more than the cores only costs switches.
    pub readers: usize,
    /// How long what the public asks for may take, the wait for a reader included. It has half as
    /// many threads of its own.
    pub public_read_max: Duration,
    /// The most operations in one commit. 1 means one fsync for each.
    pub batch_max: usize,
    /// The most operations waiting, for the writer and for the readers each. More are refused.
    pub queue_max: usize,
    /// What one customer may do in an hour and have open at once.
    pub limits: CustomerLimits,
    /// What is remembered of the store outside of it. Without one a return to older data goes
    /// unnoticed.
    pub mark: Option<Arc<dyn Mark>>,
    /// Tokens are given out while this is open: the store notes when that was.
    pub gives_tokens: bool,
    /// An empty file in the place of a shop is meant.
    pub may_be_new: bool,
    /// A shop that had moved away from this file is meant to go on in it.
    pub goes_back: bool,
}

impl Options {
    /// The usual options with this clock.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let cores = thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Self {
            clock,
            gauge: Arc::new(NoGauge),
            readers: cores.max(2),
            public_read_max: Duration::from_secs(1),
            batch_max: 512,
            queue_max: 4096,
            limits: CustomerLimits::NONE,
            mark: None,
            gives_tokens: false,
            may_be_new: false,
            goes_back: false,
        }
    }
}

/// The store of one market in one SQLite file.
pub struct Sqlite {
    path: PathBuf,
    clock: Arc<dyn Clock>,
    writer: Writer,
    readers: Readers,
    /// Reads that anybody may ask for.
    public: Readers,
    checkpointer: Checkpointer,
    signals: Signals,
    awake: Arc<Awake>,
    settling: Option<Settling>,
}

impl Sqlite {
    /// Opens the file, making it if need be, brings its schema up to date and starts the threads.
    ///
    /// # Errors
    /// The file cannot be opened or made, is not a database of ours, was written by a newer
    /// program, is empty though there was a shop in it, or its shop has moved away.
    pub fn open(path: &Path, options: Options) -> Result<Self, OpenError> {
        let (db, mut keeper) = Keeper::open(path, &options)?;
        let unusable = |error: db::DbError| OpenError::Sqlite {
            path: path.to_owned(),
            source: error.into_sql(),
        };
        let state = shown::state(&db).map_err(unusable)?;
        let awake = keeper.awake();
        if options.gives_tokens {
            keeper.wake(&db).map_err(unusable)?;
        }
        let checkpointer = Checkpointer::start(path)?;
        let readers = Readers::start(path, &options, Of::Customers)?;
        let public = Readers::start(path, &options, Of::Public)?;
        let writer = Writer::start(db, keeper, &options, checkpointer.watch())?;
        let clock = options.clock;
        let signals = Signals::new(path, Arc::clone(&clock));
        let settling = (options.gives_tokens && state != State::Settled)
            .then(|| Settling::start(path, Arc::clone(&clock), checkpointer.watch()))
            .transpose()
            .map_err(|source| OpenError::Thread { path: path.to_owned(), source })?;
        let path = path.to_owned();
        Ok(Self { path, clock, writer, readers, public, checkpointer, signals, awake, settling })
    }

    /// Where the data is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Finishes what is queued, moves everything into the main file and stops the threads.
    /// Operations asked for later fail.
    pub fn close(&self) {
        if let Some(settling) = &self.settling {
            settling.close();
        }
        self.signals.close();
        self.readers.close();
        self.public.close();
        self.checkpointer.close();
        self.writer.close();
    }

    /// Notes that the shop has moved to another place: this file is as old as that, and is not
    /// opened again by mistake.
    ///
    /// # Errors
    /// A failure.
    pub async fn retire(&self, to: String) -> Result<(), StoreError> {
        const RETIRE: &str = "INSERT INTO store_facts (name, value) VALUES ('retired', ?1) \
             ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        self.writer.write(move |db| Ok(db.sql(RETIRE)?.execute([to]).map(drop)?)).await
    }

    /// How far the store has come: a count of what it keeps.
    ///
    /// # Errors
    /// It cannot be read.
    pub async fn position(&self) -> Result<i64, StoreError> {
        self.readers.read(|db| Ok(life::progress(db)?.position)).await
    }

    /// Copies the store as of one moment into a new file, while it is being served.
    ///
    /// # Errors
    /// The copy could not be made; the file may then hold part of it.
    pub fn backup_to(
        &self,
        path: &Path,
        progress: &mut (dyn FnMut(u64, u64) + Send),
    ) -> Result<(), Failed> {
        backup::copy(&self.path, path, progress)
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        self.close();
    }
}

//! A few threads that read, each with a connection and prepared statements of its own. Reading in
//! the WAL neither waits for the writer nor makes it wait.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use evercart_core::error::{Failed, StoreError};
use tokio::sync::oneshot;

use crate::Options;
use crate::db::{self, Db, Result};
use crate::migrate::OpenError;

/// A read; `None` tells one thread to stop.
type Job = Option<Box<dyn FnOnce(&Db) + Send>>;

pub(crate) struct Readers {
    queue: Sender<Job>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Readers {
    pub(crate) fn start(path: &Path, options: &Options) -> std::result::Result<Self, OpenError> {
        let (queue, jobs) = bounded(options.queue_max);
        let mut threads = Vec::new();
        for number in 0..options.readers.max(1) {
            let connection = db::open_for_reading(path)
                .map_err(|source| OpenError::Sqlite { path: path.to_owned(), source })?;
            let db = Db::new(connection, Arc::clone(&options.clock));
            let jobs = jobs.clone();
            let thread = thread::Builder::new()
                .name(format!("evercart-read-{number}"))
                .spawn(move || serve(&db, &jobs))
                .map_err(|source| OpenError::Thread { path: path.to_owned(), source })?;
            threads.push(thread);
        }
        Ok(Self { queue, threads: Mutex::new(threads) })
    }

    /// Runs a single statement, or several whose answers need not be of one moment.
    pub(crate) async fn read<T, F>(&self, work: F) -> std::result::Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Db) -> Result<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(move |db: &Db| {
            if !reply.is_closed() {
                // The client may have gone meanwhile; there is nobody to tell.
                let _ = reply.send(work(db).map_err(db::DbError::into_store_error));
            }
        });
        self.queue.try_send(Some(job)).map_err(|error| match error {
            TrySendError::Full(_) => StoreError::from(Failed::Overloaded),
            TrySendError::Disconnected(_) => closed(),
        })?;
        answer.await.unwrap_or_else(|_| Err(closed()))
    }

    /// Runs statements that must all see the same moment.
    pub(crate) async fn read_snapshot<T, F>(&self, work: F) -> std::result::Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Db) -> Result<T> + Send + 'static,
    {
        self.read(|db| {
            let snapshot = db.connection.unchecked_transaction()?;
            let value = work(db)?;
            snapshot.finish()?;
            Ok(value)
        })
        .await
    }

    /// Finishes what is queued and stops.
    pub(crate) fn close(&self) {
        let threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for _ in &threads {
            // Fails only if every thread is gone already.
            let _ = self.queue.send(None);
        }
        for thread in threads {
            let _ = thread.join();
        }
    }
}

fn closed() -> StoreError {
    Failed::Unavailable("the store is closed".into()).into()
}

fn serve(db: &Db, jobs: &Receiver<Job>) {
    while let Ok(Some(job)) = jobs.recv() {
        // Whoever waits for a job that panics is told by the dropped reply; the others go on.
        if catch_unwind(AssertUnwindSafe(|| job(db))).is_err() {
            tracing::error!("a read panicked");
        }
    }
}

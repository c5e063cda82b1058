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

/// Reads done before their answers go out together. Waking whoever waits costs more than reading,
/// and several woken at once cost little more than one; a lone read waits for nobody.
const ANSWERS_TOGETHER: usize = 16;

/// A read on its way through a reader; `None` tells one thread to stop.
type Job = Option<Box<dyn Read>>;

trait Read: Send {
    fn run(&mut self, db: &Db);
    fn answer(self: Box<Self>);
}

struct Task<T, F> {
    work: Option<F>,
    outcome: Option<Result<T>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Read for Task<T, F>
where
    T: Send,
    F: FnOnce(&Db) -> Result<T> + Send,
{
    fn run(&mut self, db: &Db) {
        if !self.reply.is_closed()
            && let Some(work) = self.work.take()
        {
            self.outcome = Some(work(db));
        }
    }

    fn answer(self: Box<Self>) {
        if let Some(outcome) = self.outcome {
            // The client may have gone meanwhile; there is nobody to tell.
            let _ = self.reply.send(outcome.map_err(db::DbError::into_store_error));
        }
    }
}

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
        let job = Box::new(Task { work: Some(work), outcome: None, reply });
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
    let mut done = Vec::with_capacity(ANSWERS_TOGETHER);
    let mut stop = false;
    while !stop && let Ok(Some(first)) = jobs.recv() {
        let mut next = Some(first);
        while let Some(mut job) = next.take() {
            // Whoever waits for a read that panics is told by the dropped reply; the others go on.
            if catch_unwind(AssertUnwindSafe(|| job.run(db))).is_err() {
                tracing::error!("a read panicked");
            }
            done.push(job);
            if done.len() < ANSWERS_TOGETHER {
                match jobs.try_recv() {
                    Ok(Some(job)) => next = Some(job),
                    Ok(None) => stop = true,
                    Err(_) => {}
                }
            }
        }
        for job in done.drain(..) {
            job.answer();
        }
    }
}

//! The one thread that writes: it takes every waiting operation, runs each in one transaction,
//! commits once, and only then answers them all.
//!
//! An operation that may be refused after it has written is run in a savepoint. One that decides
//! before it writes needs none, which spares copies of the pages it changes. Should it fail half
//! way all the same, its batch is rolled back and told so, and from then on savepoints guard all.
//!
//! There is no timer: a batch is what is waiting when the writer becomes free, so a lone client
//! waits for nobody and a crowd shares one fsync.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError, bounded};
use evercart_core::error::{Failed, StoreError};
use evercart_core::store::WriterGauge;
use tokio::sync::oneshot;

use crate::Options;
use crate::answers::{Herald, Waiting};
use crate::checkpoint::Watch;
use crate::db::{self, Db, DbError, Result};
use crate::keeper::Keeper;
use crate::migrate::OpenError;

/// An operation on its way through the writer. Its answer is sent after the commit.
trait Operation: Waiting {
    /// Writes nothing before it is sure not to be refused.
    fn decides_first(&self) -> bool;
    /// Does it. True if its effect is to stay.
    fn run(&mut self, db: &Db) -> bool;
    /// Notes that the commit failed, so that the effect did not stay after all. `after_effects`
    /// says that what it found may have been another's effect, which did not stay either. True if
    /// it had an effect.
    fn fail(&mut self, commit: &Failed, after_effects: bool) -> bool;
}

struct Task<T, F> {
    decides_first: bool,
    work: Option<F>,
    outcome: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Operation for Task<T, F>
where
    T: Send,
    F: FnOnce(&Db) -> Result<T> + Send,
{
    fn decides_first(&self) -> bool {
        self.decides_first
    }

    fn run(&mut self, db: &Db) -> bool {
        let work = self.work.take().expect("an operation is run once");
        let outcome = db.operation(work);
        let stays = outcome.is_ok();
        self.outcome = Some(outcome.map_err(DbError::into_store_error));
        stays
    }

    fn fail(&mut self, commit: &Failed, after_effects: bool) -> bool {
        let had_effect = matches!(self.outcome, Some(Ok(_)));
        // A refusal changed nothing, but it stands only if it was for what is so: one that came
        // after others' effects may have been for these.
        if after_effects || !matches!(self.outcome, Some(Err(_))) {
            self.outcome = Some(Err(unavailable(commit.to_string())));
        }
        had_effect
    }
}

impl<T, F> Waiting for Task<T, F>
where
    T: Send,
    F: Send,
{
    fn answer(self: Box<Self>) {
        // The client may have gone; the effect stays, and its key tells when it asks again.
        let _ = self.reply.send(self.outcome.unwrap_or_else(|| Err(unavailable("not run"))));
    }
}

fn unavailable(why: impl Into<String>) -> StoreError {
    Failed::Unavailable(why.into()).into()
}

enum Message {
    Do(Box<dyn Operation>),
    Stop,
}

pub(crate) struct Writer {
    queue: Sender<Message>,
    herald: Herald,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(crate) fn start(
        db: Db,
        keeper: Keeper,
        options: &Options,
        watch: Watch,
    ) -> std::result::Result<Self, OpenError> {
        let (queue, messages) = bounded(options.queue_max);
        let path = db.connection.path().unwrap_or_default().into();
        let herald = Herald::default();
        let mut worker = Worker {
            db,
            keeper,
            herald: herald.clone(),
            messages,
            gauge: Arc::clone(&options.gauge),
            watch,
            batch_max: options.batch_max.max(1),
            lost: None,
            guards_all: false,
        };
        let thread = thread::Builder::new()
            .name("evercart-writer".into())
            .spawn(move || {
                // A panic here is a mistake of ours with a transaction open. Stopping the process
                // loses nothing that was acknowledged; going on might.
                let run = std::panic::AssertUnwindSafe(|| worker.serve());
                if std::panic::catch_unwind(run).is_err() {
                    tracing::error!("the writer panicked; stopping the process");
                    std::process::abort();
                }
            })
            .map_err(|source| OpenError::Thread { path, source })?;
        Ok(Self { queue, herald, thread: Mutex::new(Some(thread)) })
    }

    /// Has the writer do `work` in its next transaction, and waits until that is on disk.
    pub(crate) async fn write<T, F>(&self, work: F) -> std::result::Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Db) -> Result<T> + Send + 'static,
    {
        self.ask(false, work).await
    }

    /// As [`write`](Self::write), for work that writes nothing before it is sure not to be
    /// refused.
    pub(crate) async fn write_decided<T, F>(&self, work: F) -> std::result::Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Db) -> Result<T> + Send + 'static,
    {
        self.ask(true, work).await
    }

    async fn ask<T, F>(&self, decides_first: bool, work: F) -> std::result::Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Db) -> Result<T> + Send + 'static,
    {
        self.herald.start();
        let (reply, answer) = oneshot::channel();
        let task = Task { decides_first, work: Some(work), outcome: None, reply };
        self.queue.try_send(Message::Do(Box::new(task))).map_err(|error| match error {
            TrySendError::Full(_) => StoreError::from(Failed::Overloaded),
            TrySendError::Disconnected(_) => unavailable("the store is closed"),
        })?;
        answer.await.unwrap_or_else(|_| Err(unavailable("the store is closed")))
    }

    /// Finishes what is queued and stops.
    pub(crate) fn close(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // Fails only if the thread is gone already.
            let _ = self.queue.send(Message::Stop);
            let _ = thread.join();
        }
    }
}

struct Worker {
    db: Db,
    keeper: Keeper,
    herald: Herald,
    messages: Receiver<Message>,
    gauge: Arc<dyn WriterGauge>,
    watch: Watch,
    batch_max: usize,
    /// Set for good when the disk did not keep what it was told to.
    lost: Option<String>,
    /// Set for good when an operation that was to decide first failed after it had written.
    guards_all: bool,
}

impl Worker {
    fn serve(&mut self) {
        self.keeper.begin();
        let mut batch = Vec::with_capacity(self.batch_max);
        loop {
            let first = match self.next() {
                Ok(Message::Do(first)) => Some(first),
                Err(RecvTimeoutError::Timeout) => None,
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => break,
            };
            let stop = self.commit_batch(first, &mut batch);
            self.watch.after_commit(&self.db.connection);
            if stop {
                break;
            }
        }
        self.watch.before_close(&self.db.connection);
    }

    /// The next message; none when nobody asks and it is time to note that the store is awake.
    fn next(&self) -> std::result::Result<Message, RecvTimeoutError> {
        match self.keeper.idles_for() {
            Some(idle) => self.messages.recv_timeout(idle),
            None => self.messages.recv().map_err(|_| RecvTimeoutError::Disconnected),
        }
    }

    /// One transaction: `first`, if there is one, and whatever else is waiting by the time it is
    /// done. Returns true if a stop was among it.
    fn commit_batch(
        &mut self,
        first: Option<Box<dyn Operation>>,
        batch: &mut Vec<Box<dyn Operation>>,
    ) -> bool {
        let mut stop = false;
        let begun = match &self.lost {
            Some(lost) => Err(Failed::Unavailable(lost.clone())),
            None => self.execute("BEGIN IMMEDIATE"),
        };
        let mut broken = begun.err();
        let before = self.db.connection.total_changes();
        let mut next = first;
        while let Some(mut operation) = next.take() {
            if broken.is_none() {
                broken = self.run(operation.as_mut()).err();
            }
            batch.push(operation);
            if batch.len() < self.batch_max {
                match self.messages.try_recv() {
                    Ok(Message::Do(operation)) => next = Some(operation),
                    Ok(Message::Stop) => stop = true,
                    Err(_) => {}
                }
            }
        }
        let failure = match broken {
            None => self.commit(before).err(),
            Some(failure) => {
                self.abandon();
                Some(failure)
            }
        };
        match &failure {
            None if batch.is_empty() => {}
            None => self.gauge.committed(batch.len(), self.messages.len()),
            // Nobody waits for a note; the next one says so if there is none to be had for long.
            Some(failure) if batch.is_empty() => {
                tracing::debug!(%failure, "a note of being awake was not made");
            }
            Some(failure) => {
                tracing::error!(%failure, operations = batch.len(), "commit failed");
                let mut after_effects = false;
                for operation in batch.iter_mut() {
                    after_effects |= operation.fail(failure, after_effects);
                }
            }
        }
        self.herald.tell(batch.drain(..).map(|operation| operation as Box<dyn Waiting>));
        stop
    }

    /// Runs one operation, so that a refusal undoes it and nothing else. Also where nobody waits
    /// for the answer any more: what was handed over is done.
    fn run(&mut self, operation: &mut dyn Operation) -> Result<(), Failed> {
        if operation.decides_first() && !self.guards_all {
            return self.run_decided(operation);
        }
        self.execute("SAVEPOINT operation")?;
        let stays = operation.run(&self.db);
        self.check_transaction()?;
        if !stays {
            self.execute("ROLLBACK TO operation")?;
        }
        self.execute("RELEASE operation")
    }

    fn run_decided(&mut self, operation: &mut dyn Operation) -> Result<(), Failed> {
        let before = self.db.connection.total_changes();
        let stays = operation.run(&self.db);
        self.check_transaction()?;
        if !stays && self.db.connection.total_changes() != before {
            self.guards_all = true;
            return Err(Failed::Inconsistent("an operation failed after it had written".into()));
        }
        Ok(())
    }

    /// A full disk or an I/O error makes SQLite roll back the whole transaction by itself.
    fn check_transaction(&self) -> Result<(), Failed> {
        if self.db.connection.is_autocommit() {
            return Err(Failed::Unavailable("the transaction was rolled back".into()));
        }
        Ok(())
    }

    /// Commits; `before` is how many rows had been changed when the transaction began.
    fn commit(&mut self, before: u64) -> Result<(), Failed> {
        let has_changes = self.db.connection.total_changes() != before;
        let kept = match self.keeper.before_commit(&self.db, has_changes) {
            Ok(kept) => kept,
            Err(error) => {
                self.abandon();
                return Err(as_failure(error));
            }
        };
        let outcome = self.db.sql("COMMIT").and_then(|mut commit| Ok(commit.execute([])?));
        let Err(error) = outcome else {
            if self.keeper.after_commit(&self.db, kept) {
                self.watch.empty_the_log();
            }
            return Ok(());
        };
        if let db::DbError::Sql(error) = &error
            && db::is_fsync_failure(error)
        {
            let lost = format!("the disk failed to keep a commit ({error}): restart evercart");
            tracing::error!("{lost}");
            self.lost = Some(lost);
        }
        self.abandon();
        Err(as_failure(error))
    }

    fn abandon(&self) {
        if !self.db.connection.is_autocommit() {
            // If even this fails, the next BEGIN fails, too, and says so.
            let _ = self.execute("ROLLBACK");
        }
    }

    fn execute(&self, sql: &'static str) -> Result<(), Failed> {
        let outcome = self.db.sql(sql).and_then(|mut statement| Ok(statement.execute([])?));
        outcome.map(|_| ()).map_err(as_failure)
    }
}

fn as_failure(error: db::DbError) -> Failed {
    match error.into_store_error() {
        StoreError::Failed(failed) => failed,
        StoreError::Refused(refused) => Failed::Inconsistent(refused.to_string()),
    }
}

#[cfg(test)]
mod tests;

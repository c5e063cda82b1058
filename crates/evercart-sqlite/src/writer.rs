//! The one thread that writes: it takes every waiting operation, runs each in a savepoint of one
//! transaction, commits once, and only then answers them all.
//!
//! There is no timer: a batch is what is waiting when the writer becomes free, so a lone client
//! waits for nobody and a crowd shares one fsync.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use evercart_core::error::{Failed, StoreError};
use evercart_core::store::WriterGauge;
use rusqlite::Connection;

use crate::Options;
use crate::answers::{Others, Reply, Waiting, answer_all, reply};
use crate::checkpoint::Watch;
use crate::db::{self, Db, DbError, Result};
use crate::migrate::OpenError;

/// An operation on its way through the writer. Its answer is sent after the commit.
trait Operation: Waiting {
    /// Nobody waits for the answer any more.
    fn is_abandoned(&self) -> bool;
    /// Does it. True if its effect is to stay.
    fn run(&mut self, db: &Db) -> bool;
    /// Notes that the commit failed, so that the effect did not stay after all.
    fn fail(&mut self, commit: &Failed);
}

struct Task<T, F> {
    work: Option<F>,
    outcome: Option<Result<T, StoreError>>,
    reply: Reply<T>,
}

impl<T, F> Operation for Task<T, F>
where
    T: Send,
    F: FnOnce(&Db) -> Result<T> + Send,
{
    fn is_abandoned(&self) -> bool {
        self.reply.is_abandoned()
    }

    fn run(&mut self, db: &Db) -> bool {
        let work = self.work.take().expect("an operation is run once");
        let outcome = work(db);
        let stays = outcome.is_ok();
        self.outcome = Some(outcome.map_err(DbError::into_store_error));
        stays
    }

    fn fail(&mut self, commit: &Failed) {
        // A refusal stands whatever became of the others: it changed nothing.
        if !matches!(self.outcome, Some(Err(_))) {
            self.outcome = Some(Err(unavailable(commit.to_string())));
        }
    }
}

impl<T, F> Waiting for Task<T, F>
where
    T: Send,
    F: Send,
{
    fn answer(self: Box<Self>, others: Others) {
        // The client may have gone; the effect stays, and its key tells when it asks again.
        self.reply.send(self.outcome.unwrap_or_else(|| Err(unavailable("not run"))), others);
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
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(crate) fn start(
        connection: Connection,
        options: &Options,
        watch: Watch,
    ) -> std::result::Result<Self, OpenError> {
        let (queue, messages) = bounded(options.queue_max);
        let path = connection.path().unwrap_or_default().into();
        let mut worker = Worker {
            db: Db::new(connection, Arc::clone(&options.clock)),
            messages,
            gauge: Arc::clone(&options.gauge),
            watch,
            batch_max: options.batch_max.max(1),
            lost: None,
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
        Ok(Self { queue, thread: Mutex::new(Some(thread)) })
    }

    /// Has the writer do `work` in its next transaction, and waits until that is on disk.
    pub(crate) async fn write<T, F>(&self, work: F) -> std::result::Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Db) -> Result<T> + Send + 'static,
    {
        let (reply, awaited) = reply();
        let task = Task { work: Some(work), outcome: None, reply };
        self.queue.try_send(Message::Do(Box::new(task))).map_err(|error| match error {
            TrySendError::Full(_) => StoreError::from(Failed::Overloaded),
            TrySendError::Disconnected(_) => unavailable("the store is closed"),
        })?;
        awaited.answer().await.unwrap_or_else(|| Err(unavailable("the store is closed")))
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
    messages: Receiver<Message>,
    gauge: Arc<dyn WriterGauge>,
    watch: Watch,
    batch_max: usize,
    /// Set for good when the disk did not keep what it was told to.
    lost: Option<String>,
}

impl Worker {
    fn serve(&mut self) {
        let mut batch = Vec::with_capacity(self.batch_max);
        while let Ok(Message::Do(first)) = self.messages.recv() {
            let stop = self.commit_batch(first, &mut batch);
            self.watch.after_commit(&self.db.connection);
            if stop {
                break;
            }
        }
        self.watch.before_close(&self.db.connection);
    }

    /// One transaction: `first` and whatever else is waiting by the time it is done. Returns true
    /// if a stop was among it.
    fn commit_batch(
        &mut self,
        first: Box<dyn Operation>,
        batch: &mut Vec<Box<dyn Operation>>,
    ) -> bool {
        let mut stop = false;
        let begun = match &self.lost {
            Some(lost) => Err(Failed::Unavailable(lost.clone())),
            None => self.execute("BEGIN IMMEDIATE"),
        };
        let mut broken = begun.err();
        let mut next = Some(first);
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
            None => self.commit().err(),
            Some(failure) => {
                self.abandon();
                Some(failure)
            }
        };
        match &failure {
            None => self.gauge.committed(batch.len(), self.messages.len()),
            Some(failure) => {
                tracing::error!(%failure, operations = batch.len(), "commit failed");
                batch.iter_mut().for_each(|operation| operation.fail(failure));
            }
        }
        answer_all(batch.drain(..).map(|operation| operation as Box<dyn Waiting>));
        stop
    }

    /// Runs one operation in a savepoint, so that a refusal undoes it and nothing else.
    fn run(&self, operation: &mut dyn Operation) -> Result<(), Failed> {
        if operation.is_abandoned() {
            return Ok(());
        }
        self.execute("SAVEPOINT operation")?;
        let stays = operation.run(&self.db);
        if self.db.connection.is_autocommit() {
            // A full disk or an I/O error makes SQLite roll back the whole transaction by itself.
            return Err(Failed::Unavailable("the transaction was rolled back".into()));
        }
        if !stays {
            self.execute("ROLLBACK TO operation")?;
        }
        self.execute("RELEASE operation")
    }

    fn commit(&mut self) -> Result<(), Failed> {
        let outcome = self.db.sql("COMMIT").and_then(|mut commit| Ok(commit.execute([])?));
        let Err(error) = outcome else { return Ok(()) };
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
mod tests {
    use std::sync::mpsc;

    use evercart_core::clock::ManualClock;
    use evercart_core::error::Refused;
    use jiff::Timestamp;

    use super::*;
    use crate::Sqlite;

    #[derive(Default)]
    struct Commits(Mutex<Vec<usize>>);

    impl WriterGauge for Commits {
        fn committed(&self, operations: usize, _waiting: usize) {
            self.0.lock().expect("no panic").push(operations);
        }
    }

    struct Shop {
        store: Arc<Sqlite>,
        commits: Arc<Commits>,
        _directory: tempfile::TempDir,
    }

    fn shop(change: impl FnOnce(&mut Options)) -> Shop {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let commits = Arc::new(Commits::default());
        let mut options = Options::new(Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH)));
        options.gauge = Arc::clone(&commits) as Arc<dyn WriterGauge>;
        change(&mut options);
        let store = Sqlite::open(&directory.path().join("us.sqlite3"), options).expect("opens");
        Shop { store: Arc::new(store), commits, _directory: directory }
    }

    const NOTE: &str = "INSERT INTO store_facts (name, value) VALUES (?1, 'x')";
    const NOTES: &str = "SELECT count(*) FROM store_facts";

    async fn notes(store: &Sqlite) -> i64 {
        let count = |db: &Db| Ok(db.sql(NOTES)?.query_row([], |row| row.get(0))?);
        store.readers.read(count).await.expect("reads")
    }

    /// Holds the writer in one operation until as many others are queued.
    async fn queue_behind(store: &Arc<Sqlite>, others: usize) -> Vec<Result<(), StoreError>> {
        let (release, wait) = mpsc::channel::<()>();
        let (entered, is_in) = mpsc::channel();
        let holder = Arc::clone(store);
        let first = tokio::spawn(async move {
            let held = move |_: &Db| {
                entered.send(()).expect("the test waits");
                wait.recv().expect("the test releases");
                Ok(())
            };
            holder.writer.write(held).await
        });
        tokio::task::spawn_blocking(move || is_in.recv()).await.expect("joins").expect("is in");
        let mut waiting: Vec<_> = (0..others)
            .map(|number| {
                let store = Arc::clone(store);
                Box::pin(async move {
                    let note = move |db: &Db| {
                        db.sql(NOTE)?.execute([number.to_string()])?;
                        if number % 5 == 4 { Err(Refused::CartEmpty.into()) } else { Ok(()) }
                    };
                    store.writer.write(note).await
                })
            })
            .collect();
        // The first poll queues an operation; then the writer is let go.
        for operation in &mut waiting {
            assert!(poll_once(operation.as_mut()).await.is_none());
        }
        release.send(()).expect("the writer waits");
        first.await.expect("joins").expect("the first succeeds");
        let mut answers = Vec::new();
        for operation in waiting {
            answers.push(operation.await);
        }
        answers
    }

    async fn poll_once<F: Future + Unpin>(mut future: F) -> Option<F::Output> {
        std::future::poll_fn(|context| {
            std::task::Poll::Ready(match std::pin::Pin::new(&mut future).poll(context) {
                std::task::Poll::Ready(output) => Some(output),
                std::task::Poll::Pending => None,
            })
        })
        .await
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn p2_what_waits_together_is_committed_together() {
        let shop = shop(|_| {});
        let answers = queue_behind(&shop.store, 20).await;
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 16);
        assert_eq!(*shop.commits.0.lock().expect("no panic"), [21]);
        assert_eq!(notes(&shop.store).await, 16, "a refusal undoes itself and nothing else");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_batch_of_one_commits_each_operation_by_itself() {
        let shop = shop(|options| options.batch_max = 1);
        queue_behind(&shop.store, 10).await;
        assert_eq!(*shop.commits.0.lock().expect("no panic"), [1; 11]);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn u1_a_full_queue_refuses_at_once() {
        let shop = shop(|options| options.queue_max = 4);
        let (release, wait) = mpsc::channel::<()>();
        let (entered, is_in) = mpsc::channel();
        let store = Arc::clone(&shop.store);
        let first = tokio::spawn(async move {
            let held = move |_: &Db| {
                entered.send(()).expect("the test waits");
                wait.recv().expect("the test releases");
                Ok(())
            };
            store.writer.write(held).await
        });
        tokio::task::spawn_blocking(move || is_in.recv()).await.expect("joins").expect("is in");
        let mut waiting: Vec<_> =
            (0..4).map(|_| Box::pin(shop.store.writer.write(|_| Ok(())))).collect();
        for operation in &mut waiting {
            assert!(poll_once(operation.as_mut()).await.is_none());
        }
        let refused = shop.store.writer.write(|_| Ok(())).await;
        assert!(matches!(refused, Err(StoreError::Failed(Failed::Overloaded))), "{refused:?}");
        release.send(()).expect("the writer waits");
        first.await.expect("joins").expect("the first succeeds");
        for operation in waiting {
            operation.await.expect("what was accepted is done");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn u2_a_full_disk_refuses_writes_keeps_reads_and_heals() {
        let shop = shop(|_| {});
        let limit = |pages: i64| {
            move |db: &Db| Ok(db.connection.pragma_update(None, "max_page_count", pages)?)
        };
        let fill = |db: &Db| {
            db.sql("INSERT INTO store_facts (name, value) VALUES ('big', hex(zeroblob(500000)))")?
                .execute([])?;
            Ok(())
        };
        let store = &shop.store;
        // SQLite takes a limit below the file's size as the file's size.
        store.writer.write(limit(1)).await.expect("limits");
        let full = store.writer.write(fill).await;
        assert!(matches!(full, Err(StoreError::Failed(Failed::Unavailable(_)))), "{full:?}");
        assert_eq!(notes(store).await, 0);
        store.writer.write(limit(1_000_000)).await.expect("lifts the limit");
        store.writer.write(fill).await.expect("writes again");
        assert_eq!(notes(store).await, 1);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_closed_store_says_so() {
        let shop = shop(|_| {});
        shop.store.close();
        let answer = shop.store.writer.write(|_| Ok(())).await;
        assert!(matches!(answer, Err(StoreError::Failed(Failed::Unavailable(_)))), "{answer:?}");
    }
}

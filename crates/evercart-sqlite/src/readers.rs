//! A few threads that read, each with a connection and prepared statements of its own. Reading in
//! the WAL neither waits for the writer nor makes it wait.
//!
//! Reads that wait at the same moment share one snapshot and are answered together. It begins after
//! the last of them was asked for, so each sees whatever was acknowledged before.
//!
//! What the public asks for has readers of its own, and a time limit: anybody may ask for much, and
//! nobody's cart waits for it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use evercart_core::clock::Clock;
use evercart_core::error::{Failed, StoreError};
use tokio::sync::oneshot;

use crate::Options;
use crate::answers::{Herald, Waiting};
use crate::db::{self, Db, DbError, Result};
use crate::migrate::OpenError;
use crate::shown;

/// The most reads of one snapshot. Beginning and ending one (locks on the file, a look at the log)
/// costs nearly as much as a read, and so does waking whoever waits for it: several together cost
/// little more than one. A lone read waits for nobody.
const TOGETHER_MAX: usize = 16;

/// How many steps of SQLite's machine a read of the public takes between two looks at the clock:
/// far less than a millisecond.
const STEPS: i32 = 1_000;

/// The most reads of the public that wait. Those who wait keep their place among the requests at
/// work, of which the public may not have all.
const PUBLIC_QUEUE_MAX: usize = 32;

/// Whose reads they are.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Of {
    /// Customers', and the operator's.
    Customers,
    /// Anybody's.
    Public,
}

/// When the read that runs is to be over. SQLite asks in between whether that is now.
#[derive(Debug, Clone, Default)]
struct Deadline(Arc<Mutex<Option<Instant>>>);

impl Deadline {
    fn set(&self, at: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }

    fn is_over(&self) -> bool {
        let at = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        at.is_some_and(|at| Instant::now() >= at)
    }
}

/// A read on its way through a reader; `None` tells one thread to stop.
type Job = Option<Box<dyn Read>>;

trait Read: Waiting {
    /// Has several statements that must see the same moment.
    fn needs_snapshot(&self) -> bool;
    /// When its time is over, counted from when it was asked for.
    fn until(&self) -> Option<Instant>;
    /// Does it.
    fn run(&mut self, db: &Db);
    /// Notes that it cannot be done.
    fn fail(&mut self, error: StoreError);
}

struct Task<T, F> {
    needs_snapshot: bool,
    until: Option<Instant>,
    work: Option<F>,
    outcome: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Read for Task<T, F>
where
    T: Send,
    F: FnOnce(&Db) -> Result<T> + Send,
{
    fn needs_snapshot(&self) -> bool {
        self.needs_snapshot
    }

    fn until(&self) -> Option<Instant> {
        self.until
    }

    fn run(&mut self, db: &Db) {
        if !self.reply.is_closed()
            && let Some(work) = self.work.take()
        {
            self.outcome = Some(db.operation(work).map_err(DbError::into_store_error));
        }
    }

    fn fail(&mut self, error: StoreError) {
        self.outcome = Some(Err(error));
    }
}

impl<T, F> Waiting for Task<T, F>
where
    T: Send,
    F: Send,
{
    fn answer(self: Box<Self>) {
        // Without an outcome nobody waits, or the read panicked: the dropped reply says so.
        if let Some(outcome) = self.outcome {
            // The client may have gone meanwhile; there is nobody to tell.
            let _ = self.reply.send(outcome);
        }
    }
}

pub(crate) struct Readers {
    queue: Sender<Job>,
    time_limit: Option<Duration>,
    herald: Herald,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Readers {
    pub(crate) fn start(
        path: &Path,
        options: &Options,
        of: Of,
    ) -> std::result::Result<Self, OpenError> {
        let (name, count, queue_max, time_limit) = match of {
            Of::Customers => ("read", options.readers, options.queue_max, None),
            // However much the public asks for, half of the processors are left.
            Of::Public => {
                ("public", options.readers / 2, PUBLIC_QUEUE_MAX, Some(options.public_read_max))
            }
        };
        let (queue, jobs) = bounded(queue_max);
        let herald = Herald::default();
        let mut threads = Vec::new();
        for number in 0..count.max(1) {
            let mut reader = Reader {
                path: path.to_owned(),
                clock: Arc::clone(&options.clock),
                deadline: time_limit.map(|_| Deadline::default()),
                db: None,
            };
            let jobs = jobs.clone();
            let herald = herald.clone();
            let thread = thread::Builder::new()
                .name(format!("evercart-{name}-{number}"))
                .spawn(move || serve(&mut reader, &jobs, &herald))
                .map_err(|source| OpenError::Thread { path: path.to_owned(), source })?;
            threads.push(thread);
        }
        Ok(Self { queue, time_limit, herald, threads: Mutex::new(threads) })
    }

    /// Runs a single statement, or several whose answers need not be of one moment.
    pub(crate) async fn read<T, F>(&self, work: F) -> std::result::Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Db) -> Result<T> + Send + 'static,
    {
        self.ask(false, work).await
    }

    /// Runs statements that must all see the same moment.
    pub(crate) async fn read_snapshot<T, F>(&self, work: F) -> std::result::Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Db) -> Result<T> + Send + 'static,
    {
        self.ask(true, work).await
    }

    async fn ask<T, F>(&self, needs_snapshot: bool, work: F) -> std::result::Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Db) -> Result<T> + Send + 'static,
    {
        self.herald.start();
        let (reply, answer) = oneshot::channel();
        let until = self.time_limit.map(|limit| Instant::now() + limit);
        let job = Box::new(Task { needs_snapshot, until, work: Some(work), outcome: None, reply });
        self.queue.try_send(Some(job)).map_err(|error| match error {
            TrySendError::Full(_) if until.is_some() => Failed::CatalogueBusy.into(),
            TrySendError::Full(_) => StoreError::from(Failed::Overloaded),
            TrySendError::Disconnected(_) => closed(),
        })?;
        answer.await.unwrap_or_else(|_| Err(closed()))
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

/// A thread's connection.
struct Reader {
    path: PathBuf,
    clock: Arc<dyn Clock>,
    deadline: Option<Deadline>,
    /// Opened for the first read, with its views: a start does not wait for what nobody has asked
    /// for, and after a failure the next read tries again.
    db: Option<Db>,
}

impl Reader {
    fn ready(&mut self) -> rusqlite::Result<&Db> {
        let db = match self.db.take() {
            Some(db) => db,
            None => {
                let mut connection = db::open_for_reading(&self.path)?;
                shown::make_views(&connection)?;
                if let Some(deadline) = self.deadline.clone() {
                    let is_over = move || deadline.is_over();
                    connection.progress_handler(STEPS, Some(is_over))?;
                }
                Db::new(connection, Arc::clone(&self.clock))
            }
        };
        Ok(self.db.insert(db))
    }

    fn answer(&mut self, batch: &mut [Box<dyn Read>]) {
        let deadline = self.deadline.clone();
        match self.ready() {
            Ok(db) => read_all(db, deadline.as_ref(), batch),
            Err(error) => {
                for job in batch {
                    job.fail(Failed::Unavailable(error.to_string()).into());
                }
            }
        }
    }
}

fn serve(reader: &mut Reader, jobs: &Receiver<Job>, herald: &Herald) {
    let mut batch = Vec::with_capacity(TOGETHER_MAX);
    let mut stop = false;
    while !stop && let Ok(Some(first)) = jobs.recv() {
        batch.push(first);
        while batch.len() < TOGETHER_MAX && !stop {
            match jobs.try_recv() {
                Ok(Some(job)) => batch.push(job),
                Ok(None) => stop = true,
                Err(_) => break,
            }
        }
        reader.answer(&mut batch);
        herald.tell(batch.drain(..).map(|job| job as Box<dyn Waiting>));
    }
}

fn read_all(db: &Db, deadline: Option<&Deadline>, batch: &mut [Box<dyn Read>]) {
    if let [only] = batch
        && !only.needs_snapshot()
    {
        return run(db, deadline, only.as_mut());
    }
    let mut broken = execute(db, "BEGIN").err();
    for job in batch {
        if broken.is_none() && db.connection.is_autocommit() {
            // After an I/O error SQLite ends the transaction by itself.
            broken = Some("the snapshot was lost".to_owned());
        }
        match &broken {
            None => run(db, deadline, job.as_mut()),
            Some(why) => job.fail(Failed::Unavailable(why.clone()).into()),
        }
    }
    if !db.connection.is_autocommit()
        && let Err(error) = execute(db, "COMMIT")
    {
        // If the snapshot could not even be let go, the next BEGIN fails, too, and says so.
        tracing::error!(error, "a snapshot could not be ended");
    }
}

fn run(db: &Db, deadline: Option<&Deadline>, job: &mut dyn Read) {
    let until = job.until();
    if until.is_some_and(|until| Instant::now() >= until) {
        return job.fail(Failed::CatalogueBusy.into());
    }
    let limit = |until| {
        if let Some(deadline) = deadline {
            deadline.set(until);
        }
    };
    limit(until);
    // Whoever waits for a read that panics is told by the dropped reply; the others go on.
    if catch_unwind(AssertUnwindSafe(|| job.run(db))).is_err() {
        tracing::error!("a read panicked");
    }
    limit(None);
}

fn execute(db: &Db, sql: &'static str) -> std::result::Result<(), String> {
    let outcome = db.sql(sql).and_then(|mut statement| Ok(statement.execute([])?));
    outcome.map(|_| ()).map_err(|error| error.into_store_error().to_string())
}

#[cfg(test)]
mod tests {
    use std::pin::{Pin, pin};
    use std::sync::mpsc;
    use std::task::Poll;

    use evercart_core::clock::ManualClock;
    use evercart_core::error::Refused;
    use jiff::Timestamp;

    use super::*;
    use crate::Sqlite;

    const NOTES: &str = "SELECT count(*) FROM store_facts";
    const NOTE: &str = "INSERT INTO store_facts (name, value) \
         SELECT count(*), 'x' FROM store_facts";

    fn notes(db: &Db) -> Result<i64> {
        Ok(db.sql(NOTES)?.query_row([], |row| row.get(0))?)
    }

    /// Has a read begun, or at least queued.
    async fn begin(read: Pin<&mut impl Future>) {
        let mut read = Some(read);
        std::future::poll_fn(|context| {
            let read = read.take().expect("polled once");
            assert!(read.poll(context).is_pending(), "nobody can have answered");
            Poll::Ready(())
        })
        .await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn reads_that_wait_share_a_snapshot_and_no_fate() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut options = Options::new(Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH)));
        options.readers = 1;
        let store = Sqlite::open(&directory.path().join("us.sqlite3"), options).expect("opens");
        let readers = &store.readers;
        let (release, wait) = mpsc::channel::<()>();
        let (entered, is_in) = mpsc::channel();
        let mut held = pin!(readers.read(move |_| {
            entered.send(()).expect("the test waits");
            wait.recv().expect("the test releases");
            Ok(())
        }));
        begin(held.as_mut()).await;
        tokio::task::spawn_blocking(move || is_in.recv()).await.expect("joins").expect("is in");
        let note = |db: &Db| Ok(db.sql(NOTE)?.execute([])?);
        store.writer.write(note).await.expect("writes while a read goes on");

        let (go_on, go) = mpsc::channel::<()>();
        let (counted, has_counted) = mpsc::channel();
        let mut first = pin!(readers.read_snapshot(move |db| {
            let before = notes(db)?;
            counted.send(()).expect("the test waits");
            go.recv().expect("the test goes on");
            Ok((before, notes(db)?))
        }));
        let mut refused =
            pin!(readers.read(|_| Err::<(), _>(Refused::NotFound { what: "thing" }.into())));
        let mut panicked = pin!(readers.read(|_| -> Result<()> { panic!("on purpose") }));
        let mut last = pin!(readers.read(notes));
        begin(first.as_mut()).await;
        begin(refused.as_mut()).await;
        begin(panicked.as_mut()).await;
        begin(last.as_mut()).await;
        release.send(()).expect("the reader waits");
        held.await.expect("is released");
        tokio::task::spawn_blocking(move || has_counted.recv()).await.expect("joins").expect("has");
        store.writer.write(note).await.expect("writes while a snapshot is open");
        go_on.send(()).expect("the reader waits");

        let seen = first.await.expect("reads");
        assert_eq!(seen, (1, 1), "what was written before it was asked, and nothing later");
        let refused = refused.await;
        assert!(
            matches!(refused, Err(StoreError::Refused(Refused::NotFound { what: "thing" }))),
            "{refused:?}"
        );
        assert!(panicked.await.is_err());
        assert_eq!(last.await.expect("reads"), 1);

        assert_eq!(readers.read(notes).await.expect("reads"), 2, "the snapshot was let go");
    }

    /// A statement that would go on for ever, inside of a single read.
    const ENDLESS: &str = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) \
         SELECT count(*) FROM n";

    fn endless(db: &Db) -> Result<i64> {
        Ok(db.connection.query_row(ENDLESS, [], |row| row.get(0))?)
    }

    fn is_busy<T>(outcome: &std::result::Result<T, StoreError>) -> bool {
        matches!(outcome, Err(StoreError::Failed(Failed::CatalogueBusy)))
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_the_public_asks_for_ends() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut options = Options::new(Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH)));
        options.public_read_max = Duration::from_millis(200);
        let store = Sqlite::open(&directory.path().join("us.sqlite3"), options).expect("opens");
        let alone = store.public.read(endless);
        let of_one_moment = store.public.read_snapshot(endless);
        let waiting = store.public.read_snapshot(endless);
        let (alone, of_one_moment, waiting) = tokio::join!(alone, of_one_moment, waiting);
        assert!(is_busy(&alone) && is_busy(&of_one_moment) && is_busy(&waiting));
        assert_eq!(store.public.read(notes).await.expect("reads again"), 0);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn few_of_the_public_wait_and_customers_not_at_all() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut options = Options::new(Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH)));
        options.readers = 1;
        let store = Sqlite::open(&directory.path().join("us.sqlite3"), options).expect("opens");
        let (release, wait) = mpsc::channel::<()>();
        let (entered, is_in) = mpsc::channel();
        let mut held = pin!(store.public.read(move |_| {
            entered.send(()).expect("the test waits");
            wait.recv().expect("the test releases");
            Ok(())
        }));
        begin(held.as_mut()).await;
        tokio::task::spawn_blocking(move || is_in.recv()).await.expect("joins").expect("is in");
        let mut waiting: Vec<_> =
            (0..PUBLIC_QUEUE_MAX).map(|_| Box::pin(store.public.read(notes))).collect();
        for read in &mut waiting {
            begin(read.as_mut()).await;
        }
        assert!(is_busy(&store.public.read(notes).await));
        assert_eq!(store.readers.read(notes).await.expect("reads"), 0);
        release.send(()).expect("the reader waits");
        held.await.expect("is released");
    }
}

//! The writer's batches, refusals and failures.

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

/// Holds the writer in one operation until told to go on.
async fn hold(
    store: &Arc<Sqlite>,
) -> (mpsc::Sender<()>, tokio::task::JoinHandle<Result<(), StoreError>>) {
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
    (release, first)
}

/// Holds the writer in one operation until as many others are queued.
async fn queue_behind(store: &Arc<Sqlite>, others: usize) -> Vec<Result<(), StoreError>> {
    let (release, first) = hold(store).await;
    let mut waiting: Vec<_> = (0..others)
        .map(|number| {
            let store = Arc::clone(store);
            Box::pin(async move {
                let note = move |db: &Db| {
                    db.sql(NOTE)?.execute([number.to_string()])?;
                    if number % 5 == 4 {
                        Err(Refused::NotFound { what: "thing" }.into())
                    } else {
                        Ok(())
                    }
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
async fn an_operation_that_fails_half_way_leaves_nothing_and_harms_once() {
    let shop = shop(|_| {});
    let half_way = |name: &'static str| {
        move |db: &Db| -> Result<()> {
            db.sql(NOTE)?.execute([name])?;
            Err(Refused::NotFound { what: "thing" }.into())
        }
    };
    let refused = shop.store.writer.write_decided(half_way("a")).await;
    assert!(
        matches!(refused, Err(StoreError::Refused(Refused::NotFound { what: "thing" }))),
        "{refused:?}"
    );
    assert_eq!(notes(&shop.store).await, 0, "its transaction was rolled back");

    let note = |db: &Db| Ok(db.sql(NOTE)?.execute(["b"])?);
    let (refused, written) = tokio::join!(
        shop.store.writer.write_decided(half_way("c")),
        shop.store.writer.write_decided(note),
    );
    assert!(
        matches!(refused, Err(StoreError::Refused(Refused::NotFound { what: "thing" }))),
        "{refused:?}"
    );
    assert_eq!(written.expect("a savepoint guards it now"), 1);
    assert_eq!(notes(&shop.store).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn u2_nobody_is_refused_for_what_was_rolled_back() {
    let shop = shop(|_| {});
    let store = &shop.store;
    let note = |db: &Db| db.sql(NOTE)?.execute(["a"]).map(drop).map_err(DbError::from);
    let unless_noted = |db: &Db| match db.sql(NOTES)?.query_row([], |row| row.get::<_, i64>(0))? {
        0 => Ok(()),
        _ => Err(Refused::NotFound { what: "thing" }.into()),
    };
    let half_way = |db: &Db| -> Result<()> {
        db.sql(NOTE)?.execute(["b"])?;
        Err(Refused::NotFound { what: "thing" }.into())
    };
    let (release, first) = hold(store).await;
    let mut noted = Box::pin(store.writer.write(note));
    let mut refused = Box::pin(store.writer.write(unless_noted));
    let mut breaking = Box::pin(store.writer.write_decided(half_way));
    for operation in [&mut noted as &mut (dyn Future<Output = _> + Unpin + Send), &mut refused] {
        assert!(poll_once(operation).await.is_none());
    }
    assert!(poll_once(breaking.as_mut()).await.is_none());
    release.send(()).expect("the writer waits");
    for answer in [first.await.expect("joins"), noted.await, refused.await, breaking.await] {
        assert!(matches!(answer, Err(StoreError::Failed(Failed::Unavailable(_)))), "{answer:?}");
    }
    assert_eq!(notes(store).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn u1_a_full_queue_refuses_at_once() {
    let shop = shop(|options| options.queue_max = 4);
    let (release, first) = hold(&shop.store).await;
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

/// G11: who asked for it has no say in whether it is done.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_handed_over_is_done_though_nobody_waits_for_it() {
    let shop = shop(|_| {});
    let (release, first) = hold(&shop.store).await;
    let note = |db: &Db| db.sql(NOTE)?.execute(["a"]).map(drop).map_err(DbError::from);
    let mut left = Box::pin(shop.store.writer.write(note));
    assert!(poll_once(left.as_mut()).await.is_none());
    drop(left);
    release.send(()).expect("the writer waits");
    first.await.expect("joins").expect("the first succeeds");
    shop.store.writer.write(|_| Ok(())).await.expect("comes after it");
    assert_eq!(notes(&shop.store).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_store_says_so() {
    let shop = shop(|_| {});
    shop.store.close();
    let answer = shop.store.writer.write(|_| Ok(())).await;
    assert!(matches!(answer, Err(StoreError::Failed(Failed::Unavailable(_)))), "{answer:?}");
}

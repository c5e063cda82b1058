//! Files and directories: whose they are, how old they are, who has them.

use std::sync::Arc;

use evercart_conformance::shop::{MUG, Shop, checkout, free};
use evercart_core::clock::ManualClock;
use evercart_core::operator::Operator;
use evercart_sqlite::{
    DirectoryLock, LockError, OpenError, Options, SCHEMA_VERSION, Sqlite, migrate,
};
use jiff::Timestamp;
use rusqlite::Connection;

use crate::File;

fn options() -> Options {
    Options::new(Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH)))
}

#[test]
fn u5_a_new_file_is_migrated_once() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("us.sqlite3");
    let first = migrate(&path).expect("migrates");
    assert_eq!((first.from, first.to), (0, SCHEMA_VERSION));
    let second = migrate(&path).expect("finds it done");
    assert_eq!((second.from, second.to), (SCHEMA_VERSION, SCHEMA_VERSION));
}

/// S7: also where the directory is open to others, customers' data is not.
#[cfg(unix)]
#[test]
fn the_files_are_for_their_owner_only() {
    use std::os::unix::fs::MetadataExt;
    let directory = tempfile::tempdir().expect("a temporary directory");
    let store = Sqlite::open(&directory.path().join("us.sqlite3"), options()).expect("opens");
    let copy = directory.path().join("copy.sqlite3");
    store.backup_to(&copy, &mut |_, _| {}).expect("is copied");
    for name in ["us.sqlite3", "us.sqlite3-wal", "us.sqlite3-shm", "copy.sqlite3"] {
        let file = std::fs::metadata(directory.path().join(name)).expect("is there");
        assert_eq!(file.mode() & 0o777, 0o600, "{name}");
    }
}

#[test]
fn u5_many_openers_at_once_migrate_once() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("us.sqlite3");
    let from: Vec<u32> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..10).map(|_| scope.spawn(|| migrate(&path).expect("migrates").from)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    assert_eq!(from.iter().filter(|from| **from == 0).count(), 1, "{from:?}");
}

#[test]
fn u5_a_newer_schema_is_refused_with_a_sentence() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("us.sqlite3");
    migrate(&path).expect("migrates");
    let connection = Connection::open(&path).expect("opens");
    connection.pragma_update(None, "user_version", SCHEMA_VERSION + 1).expect("is changed");
    drop(connection);
    let refused = Sqlite::open(&path, options()).err().expect("is refused");
    assert!(matches!(refused, OpenError::TooNew { .. }), "{refused}");
    assert!(refused.to_string().contains("start the newer evercart"), "{refused}");
}

#[test]
fn anothers_database_is_left_alone() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("theirs.sqlite3");
    let connection = Connection::open(&path).expect("opens");
    connection.execute_batch("CREATE TABLE theirs (x)").expect("is made");
    drop(connection);
    let refused = Sqlite::open(&path, options()).err().expect("is refused");
    assert!(matches!(refused, OpenError::NotOurs { .. }), "{refused}");
    let text = directory.path().join("text.sqlite3");
    std::fs::write(&text, "not a database at all, but long enough to be read as one".repeat(99))
        .expect("is written");
    assert!(Sqlite::open(&text, options()).is_err());
}

#[test]
fn a_directory_has_one_server() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let lock = DirectoryLock::acquire(directory.path()).expect("is free");
    let refused = DirectoryLock::acquire(directory.path()).expect_err("is taken");
    assert!(matches!(refused, LockError::Held { .. }), "{refused}");
    assert!(refused.to_string().contains(&std::process::id().to_string()), "{refused}");
    drop(lock);
    DirectoryLock::acquire(directory.path()).expect("is free again");
}

#[tokio::test]
async fn g6_a_backup_made_while_writing_passes_the_check() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("us.sqlite3");
    let store = Sqlite::open(&path, options()).expect("opens");
    assert!(store.become_demo().await.expect("writes"));
    let copy = directory.path().join("copy.sqlite3");
    let mut seen = (0, 0);
    store.backup_to(&copy, &mut |done, total| seen = (done, total)).expect("copies");
    assert!(seen.1 > 0 && seen.0 == seen.1, "{seen:?}");
    assert!(!directory.path().join("copy.sqlite3-wal").exists());
    let restored = Sqlite::open(&copy, options()).expect("opens");
    assert!(restored.is_demo().await.expect("reads"));
    assert_eq!(restored.check().await.expect("checks").findings, []);
}

#[tokio::test]
async fn a_cart_that_names_anothers_order_does_not_pass_the_check() {
    let mut shop = Shop::<File>::open().await;
    let [ann, bob] = [shop.customer().await.session, shop.customer().await.session];
    for customer in [ann, bob] {
        shop.add_to_cart(customer, MUG, 1, free()).await.expect("adds");
        shop.checkout(customer, checkout(), free()).await.expect("orders");
    }
    let database = shop.backend().directory.path().join("us.sqlite3");
    let database = Connection::open(database).expect("opens");
    for (damage, found) in [
        ("emptied_by = 1001, emptied_version = 2", Some("order 1001")),
        ("emptied_by = 1002, emptied_version = 3", Some("order 1002")),
        ("emptied_by = 9999, emptied_version = 2", Some("order 9999")),
        ("emptied_by = 1002, emptied_version = 2", None),
    ] {
        let damage = format!("UPDATE carts SET {damage} WHERE user_id = ?1");
        database.execute(&damage, [bob.user_id.0]).expect("damages");
        let findings = shop.backend().store.check().await.expect("checks").findings;
        let told: Vec<_> = findings.iter().map(|finding| finding.found.as_str()).collect();
        let user = bob.user_id;
        assert_eq!(told, Vec::from_iter(found.map(|order| format!("user {user}, {order}"))));
    }
}

//! Several connections of one process, on one file. Everything here is in the memory of this test.

use std::path::Path;

use rusqlite::Connection;

fn open(path: &Path, synchronous: &str) -> Connection {
    evercart_lossy_sqlite::install();
    let connection = Connection::open(path).expect("opens");
    connection.pragma_update(None, "synchronous", synchronous).expect("takes it");
    connection.pragma_update(None, "journal_mode", "WAL").expect("takes the mode");
    connection.pragma_update(None, "mmap_size", 1 << 30).expect("takes it");
    connection
}

fn count(connection: &Connection) -> i64 {
    let count = "SELECT count(*) FROM entries";
    connection.query_row(count, [], |row| row.get(0)).expect("counts")
}

#[test]
fn connections_see_each_others_writes_before_any_sync() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("database");
    let first = open(&path, "OFF");
    first.execute_batch("CREATE TABLE entries (id INTEGER PRIMARY KEY)").expect("creates");
    let second = open(&path, "OFF");
    for round in 0..20 {
        first.execute_batch("INSERT INTO entries DEFAULT VALUES").expect("inserts");
        second.execute_batch("INSERT INTO entries DEFAULT VALUES").expect("inserts");
        assert_eq!((count(&first), count(&second)), (2 * round + 2, 2 * round + 2));
    }
    second.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").expect("checkpoints");
    assert_eq!((count(&first), count(&second)), (40, 40), "read from the main file");
    let size = std::fs::metadata(&path).expect("is there").len();
    assert_eq!(size, 0, "nothing was synced, so nothing is on the disk");

    drop((first, second));
    assert_eq!(count(&open(&path, "OFF")), 40, "who opens it again finds it");
}

#[test]
fn no_file_is_mapped_into_memory_past_the_image() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let connection = open(&directory.path().join("database"), "FULL");
    let mapped = connection.query_row("PRAGMA mmap_size", [], |row| row.get::<_, i64>(0));
    assert!(matches!(mapped, Err(_) | Ok(0)), "{mapped:?}");
}

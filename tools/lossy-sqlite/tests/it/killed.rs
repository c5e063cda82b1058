//! What a killed process leaves behind.

use std::path::Path;

use crate::process::{Process, left};

const COUNT: &str = "SELECT count(*) FROM entries";
const INSERT: &str = "INSERT INTO entries (text) VALUES (hex(randomblob(600)))";

/// A process with an empty table that is on the disk, before it is told how to sync.
fn with_table(database: &Path, journal: &str, synchronous: &str) -> Process {
    let mut process = Process::start(database);
    assert_eq!(process.run(&format!("PRAGMA journal_mode={journal}")), journal);
    process.run("PRAGMA synchronous=FULL");
    process.run("CREATE TABLE IF NOT EXISTS entries (id INTEGER PRIMARY KEY, text TEXT)");
    process.run("PRAGMA wal_autocheckpoint=0");
    process.run(&format!("PRAGMA synchronous={synchronous}"));
    process
}

fn left_after_ten(journal: &str, synchronous: &str) -> i64 {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let database = directory.path().join("database");
    let mut process = with_table(&database, journal, synchronous);
    for _ in 0..10 {
        process.run(INSERT);
    }
    assert_eq!(process.run(COUNT), "10", "whoever wrote them sees them");
    process.kill();
    left(&database, COUNT).expect("the table was synced")
}

#[test]
fn what_was_synced_survives_a_kill() {
    assert_eq!(left_after_ten("wal", "FULL"), 10);
    assert_eq!(left_after_ten("delete", "FULL"), 10);
}

#[test]
fn what_was_not_synced_is_lost_by_a_kill() {
    assert_eq!(left_after_ten("wal", "OFF"), 0);
    assert_eq!(left_after_ten("delete", "OFF"), 0);
    // In the log, NORMAL leaves it to the next checkpoint to sync.
    assert_eq!(left_after_ten("wal", "NORMAL"), 0);
}

#[test]
fn a_later_sync_keeps_what_was_written_before_it() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let database = directory.path().join("database");
    let mut process = with_table(&database, "wal", "OFF");
    process.run(INSERT);
    process.run("PRAGMA synchronous=FULL");
    process.run(INSERT);
    process.run("PRAGMA synchronous=OFF");
    process.run(INSERT);
    process.kill();
    assert_eq!(left(&database, COUNT), Ok(2));
}

#[test]
fn a_checkpoint_moves_what_was_synced_into_the_main_file() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let database = directory.path().join("database");
    let mut process = with_table(&database, "wal", "FULL");
    for _ in 0..10 {
        process.run(INSERT);
    }
    assert_eq!(process.run("PRAGMA wal_checkpoint(TRUNCATE)"), "0", "was not busy");
    process.run("PRAGMA synchronous=OFF");
    process.run(INSERT);
    assert_eq!(process.run(COUNT), "11");
    process.kill();
    assert_eq!(left(&database, COUNT), Ok(10));
    std::fs::remove_file(directory.path().join("database-wal")).expect("is there");
    assert_eq!(left(&database, COUNT), Ok(10), "of the main file alone");
}

#[test]
fn many_kills_lose_nothing_that_was_answered_and_break_nothing() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    for journal in ["wal", "delete"] {
        let database = directory.path().join(journal);
        let mut answered = 0;
        for round in 0..15 {
            let mut process = with_table(&database, journal, "FULL");
            let before: i64 = process.run(COUNT).parse().expect("a number");
            assert!(before >= answered, "{before} are left of {answered} that were answered");
            assert_eq!(process.run("PRAGMA integrity_check"), "ok");
            // A few are answered, then it is killed amid the others.
            for _ in 0..40 {
                process.send(INSERT);
            }
            for _ in 0..round {
                assert_eq!(process.answer().as_deref(), Some("ok"));
            }
            let later = i64::try_from(process.kill()).expect("a few");
            answered = before + round + later;
        }
        assert!(left(&database, COUNT).expect("opens") >= answered);
    }
}

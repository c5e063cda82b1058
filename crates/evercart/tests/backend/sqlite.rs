//! Shops in SQLite files: one server has a data directory to itself.
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use crate::harness::Shop;

/// How many servers a shop has.
pub const SERVERS: usize = 1;

/// While somebody else writes, or the disk is full, reading goes on.
pub const READS_GO_ON_WITHOUT_DATABASE: bool = true;

/// A backup is restored over a shop that is there, if that is asked for.
pub const RESTORES_IN_PLACE: bool = true;

/// Where a shop keeps its data: nothing has to be said.
pub struct Place;

impl Place {
    /// The shop's own data directory.
    pub fn fresh() -> Self {
        Self
    }

    /// What the program is told in its environment.
    pub fn variables(&self) -> Vec<(String, String)> {
        Vec::new()
    }
}

/// The database of a market, taken away from the shop until this is dropped.
pub struct Outage(rusqlite::Connection);

impl Outage {
    /// Holds the database's only write lock.
    pub fn begin(shop: &Shop, market: &str) -> Self {
        let path = shop.data().join(format!("{market}.sqlite3"));
        assert!(path.exists(), "{} is not there", path.display());
        let held = rusqlite::Connection::open(path).expect("the database");
        held.busy_timeout(Duration::from_secs(10)).expect("a timeout");
        held.execute_batch("BEGIN IMMEDIATE").expect("the write lock");
        Self(held)
    }
}

impl Drop for Outage {
    fn drop(&mut self) {
        self.0.execute_batch("ROLLBACK").expect("the lock is let go");
    }
}

/// A stopped shop's databases as they were at a moment, to be put back to it. What is remembered
/// outside of them stays as it is.
pub struct Kept(Vec<(PathBuf, Vec<u8>)>);

impl Kept {
    /// Copies them.
    pub fn of(shop: &Shop) -> Self {
        let read = |path: PathBuf| (path.clone(), fs::read(path).expect("a file of ours"));
        Self(databases(shop).map(read).collect())
    }

    /// Puts them in place of those that are there.
    pub fn put_back(&self, shop: &Shop) {
        databases(shop).for_each(|path| fs::remove_file(path).expect("a file of ours"));
        for (path, bytes) in &self.0 {
            fs::write(path, bytes).expect("a file of ours");
        }
    }
}

/// Takes all markets of a stopped shop away for good, as if their place had been emptied.
pub fn lose(shop: &Shop) {
    databases(shop).for_each(|path| fs::remove_file(path).expect("a file of ours"));
}

/// Takes one of them away.
pub fn lose_market(shop: &Shop, market: &str) {
    let of_market = |path: &PathBuf| path.to_string_lossy().contains(&format!("/{market}.sqlite3"));
    let found = databases(shop).filter(of_market);
    found.for_each(|path| fs::remove_file(path).expect("a file of ours"));
}

/// The databases with their logs.
fn databases(shop: &Shop) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(shop.data()).expect("the data directory");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.filter(|path| path.to_string_lossy().contains(".sqlite3"))
}

/// Everything that is stored, byte for byte, with the name of its place.
pub fn stored(shop: &Shop) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(shop.data()).expect("the data directory") {
        let path = entry.expect("an entry").path();
        found.push((path.display().to_string(), std::fs::read(&path).expect("a file of ours")));
    }
    assert!(found.len() >= 3, "two databases and the keys");
    found
}

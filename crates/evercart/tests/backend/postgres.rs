//! Shops in PostgreSQL: each in a database of its own, with two servers that share the keys.
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::sync::atomic::{AtomicU32, Ordering};

use crate::harness::Shop;

/// How many servers a shop has. Requests go to one after the other, so that whatever a test claims
/// of the shop is claimed of all of them together (U4).
pub const SERVERS: usize = 2;

/// Without the database there is nothing to read from.
pub const READS_GO_ON_WITHOUT_DATABASE: bool = false;

/// A backup is restored over a shop that is there, if that is asked for.
pub const RESTORES_IN_PLACE: bool = true;

/// A database.
pub struct Place {
    url: String,
    /// It is in the shared server, and goes away with this.
    is_shared: bool,
}

impl Place {
    /// An empty database.
    pub fn fresh() -> Self {
        Self { url: evercart_throwaway_postgres::fresh_database(), is_shared: true }
    }

    /// A database of a server that a test has to itself, or the way to one.
    pub fn at(url: String) -> Self {
        Self { url, is_shared: false }
    }

    /// What the program is told in its environment.
    pub fn variables(&self) -> Vec<(String, String)> {
        vec![("EVERCART_STORAGE__DATABASE_URL".to_owned(), self.url.clone())]
    }

    /// Its name.
    pub fn database(&self) -> &str {
        let name = self.url.rsplit('/').next().expect("a URL has a slash");
        name.split('?').next().unwrap_or(name)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.is_shared {
            return;
        }
        // Hundreds of databases take room. Where this fails, they go with their server.
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.database());
        let _ = evercart_throwaway_postgres::shared().query("postgres", &drop);
    }
}

/// The shop's database, which lets nobody in until this is dropped.
pub struct Outage(String);

impl Outage {
    /// Throws everybody out.
    pub fn begin(shop: &Shop, _market: &str) -> Self {
        let database = shop.place().database().to_owned();
        let server = evercart_throwaway_postgres::shared();
        let close = format!("ALTER DATABASE {database} WITH ALLOW_CONNECTIONS false");
        server.query("postgres", &close).expect("a statement of ours");
        let throw_out = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'"
        );
        server.query("postgres", &throw_out).expect("a statement of ours");
        Self(database)
    }
}

impl Drop for Outage {
    fn drop(&mut self) {
        let open = format!("ALTER DATABASE {} WITH ALLOW_CONNECTIONS true", self.0);
        let server = evercart_throwaway_postgres::shared();
        server.query("postgres", &open).expect("a statement of ours");
    }
}

/// A stopped shop's database as it was at a moment, to be put back to it. What is remembered
/// outside of it stays as it is.
pub struct Kept {
    database: String,
    copy: String,
}

impl Kept {
    /// Copies it.
    pub fn of(shop: &Shop) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let database = shop.place().database().to_owned();
        let copy = format!("{database}_kept_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        tell_server(&format!("CREATE DATABASE {copy} TEMPLATE {database}"));
        Self { database, copy }
    }

    /// Puts it in place of the one that is there.
    pub fn put_back(&self, _shop: &Shop) {
        let Self { database, copy } = self;
        tell_server(&format!("DROP DATABASE {database} WITH (FORCE)"));
        tell_server(&format!("CREATE DATABASE {database} TEMPLATE {copy}"));
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        // Where this fails, it goes with its server.
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.copy);
        let _ = evercart_throwaway_postgres::shared().query("postgres", &drop);
    }
}

/// Takes all markets of a stopped shop away for good, as if their place had been emptied.
pub fn lose(shop: &Shop) {
    let database = shop.place().database();
    tell_server(&format!("DROP DATABASE {database} WITH (FORCE)"));
    tell_server(&format!("CREATE DATABASE {database}"));
}

/// Takes one of them away.
pub fn lose_market(shop: &Shop, market: &str) {
    let drop = format!("DROP SCHEMA evercart_{market} CASCADE");
    let server = evercart_throwaway_postgres::shared();
    server.query(shop.place().database(), &drop).expect("a statement of ours");
}

fn tell_server(sql: &str) {
    evercart_throwaway_postgres::shared().query("postgres", sql).expect("a statement of ours");
}

/// Everything that is stored, with the name of its place.
pub fn stored(shop: &Shop) -> Vec<(String, Vec<u8>)> {
    shop.run_ok(&["backup", "stored.tar", "--force"]);
    let keys = shop.data().join("keys.json");
    [shop.home().join("stored.tar"), keys]
        .map(|path| (path.display().to_string(), std::fs::read(&path).expect("a file of ours")))
        .to_vec()
}

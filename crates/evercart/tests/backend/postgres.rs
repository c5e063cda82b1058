//! Shops in PostgreSQL: each in a database of its own, with two servers that share the keys.
#![allow(dead_code, reason = "each test binary uses its own part")]

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

    fn database(&self) -> &str {
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

/// Everything that is stored, with the name of its place.
pub fn stored(shop: &Shop) -> Vec<(String, Vec<u8>)> {
    shop.run_ok(&["backup", "stored.tar", "--force"]);
    let keys = shop.data().join("keys.json");
    [shop.home().join("stored.tar"), keys]
        .map(|path| (path.display().to_string(), std::fs::read(&path).expect("a file of ours")))
        .to_vec()
}

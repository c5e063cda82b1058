//! Shops spread over a Citus cluster: each in databases of its own on all nodes, with two servers
//! that share the keys.
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::sync::Arc;

use evercart_throwaway_postgres::{ClusterDatabase, citus_url};

use crate::harness::Shop;

/// How many servers a shop has. Requests go to one after the other, so that whatever a test claims
/// of the shop is claimed of all of them together (U4).
pub const SERVERS: usize = 2;

/// Without the database there is nothing to read from.
pub const READS_GO_ON_WITHOUT_DATABASE: bool = false;

/// A shop that is spread is not replaced in one step: a backup is restored where none is.
pub const RESTORES_IN_PLACE: bool = false;

/// A database on every node.
pub struct Place(Arc<ClusterDatabase>);

impl Place {
    /// Empty databases.
    pub fn fresh() -> Self {
        match ClusterDatabase::fresh(&citus_url()) {
            Ok(database) => Self(Arc::new(database)),
            Err(error) => panic!("{error}"),
        }
    }

    /// What the program is told in its environment.
    pub fn variables(&self) -> Vec<(String, String)> {
        [
            ("EVERCART_STORAGE__DATABASE_URL", self.0.url()),
            ("EVERCART_STORAGE__DISTRIBUTED", "true"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }
}

/// The coordinator's database, which lets nobody in until this is dropped.
pub struct Outage(Arc<ClusterDatabase>);

impl Outage {
    /// Throws everybody out.
    pub fn begin(shop: &Shop, _market: &str) -> Self {
        let outage = Self(Arc::clone(&shop.place().0));
        outage.let_in(false);
        let throw_out = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'",
            outage.0.name()
        );
        outage.0.query("postgres", &throw_out).expect("a statement of ours");
        outage
    }

    fn let_in(&self, anybody: bool) {
        let sql = format!("ALTER DATABASE {} WITH ALLOW_CONNECTIONS {anybody}", self.0.name());
        self.0.query("postgres", &sql).expect("a statement of ours");
    }
}

impl Drop for Outage {
    fn drop(&mut self) {
        self.let_in(true);
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

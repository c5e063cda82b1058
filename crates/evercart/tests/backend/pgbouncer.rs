//! Shops in PostgreSQL behind a real PgBouncer that lends its connections by session: each in a
//! database of its own, with two servers that share the keys. What a test does to the database
//! itself, it does past the pooler.
#![allow(dead_code, reason = "each test binary uses its own part")]

#[path = "postgres.rs"]
mod direct;

use evercart_throwaway_postgres::shared_pooler;

pub use direct::{Kept, RESTORES_IN_PLACE, SERVERS, lose, lose_market};

/// A database.
pub struct Place(direct::Place);

impl Place {
    /// An empty database.
    pub fn fresh() -> Self {
        Self(direct::Place::fresh())
    }

    /// What the program is told in its environment.
    pub fn variables(&self) -> Vec<(String, String)> {
        let url = shared_pooler().url(self.database());
        vec![("EVERCART_STORAGE__DATABASE_URL".to_owned(), url)]
    }

    fn database(&self) -> &str {
        self.0.database()
    }
}

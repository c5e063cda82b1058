//! What tests on PostgreSQL share: databases of their own, and looks into them.

use crate::harness::Shop;

pub use evercart_throwaway_postgres::{fresh_database, shared};

/// A shop that keeps its data in this database.
pub fn shop_in(url: &str) -> Shop {
    Shop::prepared().argument("--demo").variable("EVERCART_STORAGE__DATABASE_URL", url)
}

/// The name of a URL's database.
pub fn name(url: &str) -> &str {
    let name = url.rsplit('/').next().expect("a URL has a slash");
    name.split('?').next().unwrap_or(name)
}

/// The first column of a query's rows, in a URL's database.
pub fn query(url: &str, sql: &str) -> Vec<String> {
    let rows = shared().query(name(url), sql).expect("a query of ours");
    rows.into_iter().map(|row| row[0].clone().unwrap_or_default()).collect()
}

/// How many customers the market `us` has there; none if it has no schema.
pub fn customers(url: &str) -> usize {
    match query(url, "SELECT to_regclass('evercart_us.users') IS NOT NULL")[0].as_str() {
        "t" => query(url, "SELECT id FROM evercart_us.users").len(),
        _ => 0,
    }
}

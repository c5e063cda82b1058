//! Copies of the whole store, that nothing of it is forgotten in them, and that they are one
//! transaction with all that goes with them.

use std::collections::BTreeMap;
use std::sync::Arc;

use evercart_conformance::copy::CopyBackend;
use evercart_core::clock::ManualClock;
use evercart_core::copy::{Copies, CopyError, Kind, TABLES};
use evercart_core::market::MarketName;
use evercart_core::operator::Operator;
use evercart_postgres::{Options, Postgres};
use jiff::Timestamp;

use crate::Database;

impl CopyBackend for Database {
    fn copies(&self) -> Arc<dyn Copies> {
        Arc::clone(&self.store) as _
    }
}

evercart_conformance::conformance_copies!(postgres, crate::Database);

/// Made anew from what is copied, or a database's own book-keeping: the words of products, which
/// search looks through, and what was migrated.
const DERIVED: [(&str, &str); 8] = [
    ("products", "words"),
    ("schema_version", "version"),
    ("schema_version", "applied_at"),
    ("progress", "only_row"),
    ("progress", "position"),
    ("progress", "system"),
    ("progress", "timeline"),
    ("progress", "is_synchronous"),
];

/// What stands for the table `counters`.
const SEQUENCES: [&str; 4] = ["order_numbers", "product_numbers", "sku_numbers", "user_numbers"];

fn options(url: &str) -> Options {
    let clock = Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH));
    Options { pool: 2, ..Options::new(url, clock) }
}

fn us() -> MarketName {
    MarketName::new("us").expect("a market's name")
}

fn query(url: &str, sql: &str) -> Vec<Vec<String>> {
    let database = url.rsplit('/').next().expect("a URL has a slash");
    let database = database.split('?').next().unwrap_or(database);
    let rows = evercart_throwaway_postgres::shared().query(database, sql).expect("a query of ours");
    let text = |value: Option<String>| value.unwrap_or_default();
    rows.into_iter().map(|row| row.into_iter().map(text).collect()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_table_column_and_sequence_is_copied() {
    let url = evercart_throwaway_postgres::fresh_database();
    Postgres::migrate(&us(), &options(&url)).await.expect("migrates");
    let columns = "SELECT c.table_name, c.column_name, c.data_type, c.is_nullable, \
         coalesce(k.ordinal_position, 0) FROM information_schema.columns c \
         LEFT JOIN information_schema.table_constraints p ON p.table_schema = c.table_schema \
         AND p.table_name = c.table_name AND p.constraint_type = 'PRIMARY KEY' \
         LEFT JOIN information_schema.key_column_usage k ON k.table_schema = c.table_schema \
         AND k.constraint_name = p.constraint_name AND k.table_name = c.table_name \
         AND k.column_name = c.column_name \
         WHERE c.table_schema = 'evercart_us' AND c.table_name IN (SELECT table_name \
         FROM information_schema.tables WHERE table_type = 'BASE TABLE') \
         ORDER BY c.table_name, c.ordinal_position";
    let mut there: BTreeMap<String, Vec<Vec<String>>> = BTreeMap::new();
    for mut column in query(&url, columns) {
        if DERIVED.contains(&(&*column[0], &*column[1])) {
            continue;
        }
        // How large a number may become is each column's own affair.
        if column[2] == "integer" {
            column[2] = "bigint".into();
        }
        there.entry(column[0].clone()).or_default().push(column);
    }
    let mut expected: BTreeMap<String, Vec<Vec<String>>> = BTreeMap::new();
    for table in TABLES.iter().filter(|table| table.name != "counters") {
        let columns = (1..).zip(table.columns).map(|(place, column)| {
            let kind = match column.kind {
                Kind::Integer => "bigint",
                Kind::Flag => "boolean",
                Kind::Text => "text",
                Kind::Blob => "bytea",
            };
            let optional = if column.is_optional { "YES" } else { "NO" };
            let key = if place <= table.key { place } else { 0 }.to_string();
            [table.name, column.name, kind, optional, &key].map(str::to_owned).to_vec()
        });
        expected.insert(table.name.to_owned(), columns.collect());
    }
    assert_eq!(there, expected);
    let sequences = query(
        &url,
        "SELECT sequencename FROM pg_sequences WHERE schemaname = 'evercart_us' ORDER BY 1",
    );
    assert_eq!(sequences.concat(), SEQUENCES);
}

/// What is replaced is given another name in the transaction that fills the new schema.
#[tokio::test(flavor = "multi_thread")]
async fn a_shop_is_replaced_whole_or_not_at_all() {
    let (url, other) = (
        evercart_throwaway_postgres::fresh_database(),
        evercart_throwaway_postgres::fresh_database(),
    );
    let store = Postgres::open(&us(), options(&url)).await.expect("opens");
    assert!(store.become_demo().await.expect("writes"));
    let source = Postgres::open(&us(), options(&other)).await.expect("opens");
    let schemas = || {
        query(&url, "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'evercart%' ORDER BY 1")
            .concat()
    };
    let mut rows = source.copy_out().await.expect("reads");
    // The name is taken: the statement after the copy would fail, had it been made.
    query(&url, "CREATE SCHEMA evercart_us_before");
    let failed = store.copy_in_instead("before", &mut *rows, &mut |_| {}).await;
    assert!(matches!(failed, Err(CopyError::Store(_))), "{failed:?}");
    assert_eq!(schemas(), ["evercart_us", "evercart_us_before"]);
    assert!(store.is_demo().await.expect("reads"), "it is as it was");

    store.copy_in_instead("kept", &mut *rows, &mut |_| {}).await.expect("is replaced");
    assert_eq!(schemas(), ["evercart_us", "evercart_us_before", "evercart_us_kept"]);
    assert_eq!(store.schema_aside("kept"), "evercart_us_kept");
    let facts = |schema: &str| query(&url, &format!("SELECT name FROM {schema}.store_facts"));
    assert_eq!(facts("evercart_us"), [[""; 0]; 0]);
    assert_eq!(facts("evercart_us_kept").concat(), ["demo"]);
    let reopened = Postgres::open(&us(), options(&url)).await.expect("opens");
    assert!(!reopened.is_demo().await.expect("reads"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_connected_is_seen_and_nothing_is_made_by_looking() {
    let url = evercart_throwaway_postgres::fresh_database();
    let look = async || Postgres::presence(&us(), &options(&url)).await.expect("looks");
    let before = look().await;
    assert!(!before.is_there && before.connections == 0, "{before:?}");
    assert!(!look().await.is_there);
    let store = Postgres::open(&us(), options(&url)).await.expect("opens");
    assert!(store.become_demo().await.expect("writes"));
    let while_open = look().await;
    assert!(while_open.is_there && while_open.connections > 0, "{while_open:?}");
    let kg = MarketName::new("kg").expect("a market's name");
    let other = Postgres::presence(&kg, &options(&url)).await.expect("looks");
    assert!(!other.is_there && other.connections == 0, "another market: {other:?}");
}

//! Copies of the whole store, and that nothing of it is forgotten in them.

use std::collections::BTreeMap;
use std::sync::Arc;

use evercart_conformance::copy::CopyBackend;
use evercart_core::copy::{Copies, Kind, TABLES};
use evercart_sqlite::migrate;
use rusqlite::Connection;

use crate::File;

impl CopyBackend for File {
    fn copies(&self) -> Arc<dyn Copies> {
        Arc::clone(&self.store) as _
    }
}

evercart_conformance::conformance_copies!(sqlite, crate::File);

/// Made anew from what is copied, the words of products, which search looks through; how far this
/// file has come, which is its own; and what an import is about to do, which is not done yet.
const NOT_COPIED: [&str; 3] = ["product_words", "progress", "import_"];

/// Table, column, type, optional, place in the key (from 1, 0 if it is not in it).
type Column = (String, String, String, bool, i64);

#[test]
fn every_table_and_column_is_copied() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("us.sqlite3");
    migrate(&path).expect("migrates");
    let database = Connection::open(&path).expect("opens");
    let columns = "SELECT t.name, c.name, c.type, c.\"notnull\" = 0, c.pk FROM sqlite_schema t \
         JOIN pragma_table_info(t.name) c WHERE t.type = 'table' ORDER BY t.name, c.cid";
    let mut statement = database.prepare(columns).expect("is SQL");
    let found = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)));
    let mut there: BTreeMap<String, Vec<Column>> = BTreeMap::new();
    for column in found.expect("reads") {
        let column: Column = column.expect("a row");
        if !NOT_COPIED.iter().any(|name| column.0.starts_with(name)) {
            there.entry(column.0.clone()).or_default().push(column);
        }
    }
    let mut expected: BTreeMap<String, Vec<Column>> = BTreeMap::new();
    for table in TABLES {
        let columns = (1..).zip(table.columns).map(|(place, column)| {
            let kind = match column.kind {
                Kind::Integer | Kind::Flag => "INTEGER",
                Kind::Text => "TEXT",
                Kind::Blob => "BLOB",
            };
            let key = if place <= table.key as i64 { place } else { 0 };
            let names = (table.name.to_owned(), column.name.to_owned());
            (names.0, names.1, kind.to_owned(), column.is_optional, key)
        });
        expected.insert(table.name.to_owned(), columns.collect());
    }
    assert_eq!(there, expected);
}

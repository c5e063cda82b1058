//! The check finds each promise that somebody, or a disk, breaks behind the store's back.

use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use evercart_conformance::check::{assert_all_are_tried, furnish};
use evercart_core::clock::ManualClock;
use evercart_core::operator::Finding;
use evercart_sqlite::{OpenError, Options, Sqlite, check_file};
use jiff::Timestamp;
use rusqlite::Connection;
use tempfile::TempDir;

const INTACT: &str = "the file is intact";
const SCHEMA: &str = "tables, columns, indexes and triggers are as evercart made them";
const ROWS: &str = "every row keeps the rules of its table";
const UNIQUE: &str = "what may be there once is there once";
const REFERENCES: &str = "whatever is referred to is there";

/// A promise, what breaks it in a shop of user 1 and 2 and order 1001 and 1002, and what is found.
/// Each `;;` is a new connection, which reads an edited schema anew.
const DAMAGES: &[(&str, &str, &str)] = &[
    (
        INTACT,
        "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema \
         WHERE name = 'skus') WHERE name = 'skus_by_product'",
        "skus",
    ),
    (SCHEMA, "DROP TABLE carts", "table carts is missing"),
    (SCHEMA, "DROP INDEX skus_by_product", "index skus_by_product of table skus is missing"),
    (SCHEMA, "DROP TABLE product_words", "table product_words is missing"),
    (
        SCHEMA,
        "CREATE TRIGGER t AFTER UPDATE ON carts BEGIN DELETE FROM orders; END",
        "trigger t of table carts is not evercart's: it runs at every write",
    ),
    (SCHEMA, "CREATE VIEW v AS SELECT phone FROM users", "view v is not evercart's"),
    (SCHEMA, "CREATE TABLE more (id INTEGER)", "table more is not evercart's"),
    (SCHEMA, "CREATE INDEX i ON users (email)", "index i of table users is not evercart's"),
    (SCHEMA, "ALTER TABLE users ADD COLUMN shoe_size TEXT", "table users is not as evercart made"),
    (
        SCHEMA,
        "UPDATE sqlite_schema SET sql = replace(sql, 'CHECK (on_hand >= 0)', '') \
         WHERE name = 'stock'",
        "table stock is not as evercart made it; CHECK (on_hand >= 0) is missing",
    ),
    (ROWS, "UPDATE orders SET total_amount = 1 WHERE id = 1001", "user 1, order 1001: CHECK"),
    (ROWS, "UPDATE orders SET total_amount = 1 WHERE id = 1001", "total_amount is 1"),
    (ROWS, "UPDATE stock SET on_hand = -5 WHERE sku_id = 70", "SKU 70 (SKU-70): CHECK (on_hand"),
    (ROWS, "UPDATE stock SET on_hand = -5 WHERE sku_id = 70", "on_hand is -5"),
    (ROWS, "UPDATE cart_items SET quantity = 0 WHERE user_id = 2", "user 2, SKU 42 (SKU-42)"),
    (ROWS, "UPDATE order_items SET quantity = 0", "user 1, order 1001, line 1"),
    (ROWS, "UPDATE orders SET status = 'lost' WHERE id = 1002", "status is lost"),
    (ROWS, "INSERT INTO send_budget VALUES ('x', zeroblob(32), 0, 1)", "count is 0"),
    (
        ROWS,
        "UPDATE sqlite_schema SET sql = replace(sql, 'currency         TEXT    NOT NULL', \
         'currency TEXT') WHERE name = 'orders';; \
         UPDATE orders SET currency = NULL WHERE id = 1001",
        "user 1, order 1001: currency is NULL",
    ),
    (
        ROWS,
        "UPDATE sqlite_schema SET sql = replace(sql, ') STRICT', ')') WHERE name = 'stock';; \
         UPDATE stock SET on_hand = 'many' WHERE sku_id = 70",
        "SKU 70 (SKU-70): on_hand: INTEGER expected, text",
    ),
    (
        UNIQUE,
        "DROP INDEX one_default_address; INSERT INTO addresses (user_id, id, title, full_address, \
         is_default) VALUES (2, 9, 'x', 'x', 1)",
        "addresses, user 2: is there 2 times",
    ),
    (
        UNIQUE,
        "UPDATE sqlite_schema SET sql = replace(sql, 'TEXT    NOT NULL UNIQUE', 'TEXT NOT NULL') \
         WHERE name = 'skus'; DELETE FROM sqlite_schema WHERE name = 'sqlite_autoindex_skus_1';; \
         UPDATE skus SET sku_code = 'SKU-70'",
        "sku_code SKU-70: is there",
    ),
    (
        REFERENCES,
        "DELETE FROM carts WHERE user_id = 2",
        "cart_items, user 2, SKU 42 (SKU-42): refers to a missing row of carts",
    ),
    (
        REFERENCES,
        "DELETE FROM orders WHERE user_id = 2",
        "order_items, user 2, order 1002, line 1: refers to a missing row of orders",
    ),
    (
        "a user has exactly one phone, and a phone one user",
        "DELETE FROM phone_numbers WHERE user_id = 2",
        "user 2 has the phone of user 0",
    ),
    (
        "of a user who was erased nothing of their own is left",
        "DELETE FROM phone_numbers WHERE user_id = 2; \
         UPDATE users SET phone = '', is_active = 0 WHERE id = 2",
        "user 2: the row of carts row (2)",
    ),
    (
        "who has no phone is noted as erased, and nobody else is",
        "INSERT INTO erasures VALUES (2, 1, 0, NULL)",
        "user 2",
    ),
    ("a user signed in is not blocked", "UPDATE users SET blocked_at = 1 WHERE id = 2", "user 2"),
    (
        "a frozen account is signed out, and its former phone is kept",
        "UPDATE users SET frozen_at = 1, frozen_phone = '+13128059851' WHERE id = 2",
        "user 2",
    ),
    (
        "a user's number is below the counter",
        "UPDATE counters SET next = 2 WHERE name = 'user'",
        "user 2",
    ),
    (
        "the rows that every shop has are there",
        "DELETE FROM counters WHERE name = 'sku'",
        "counters has 3 rows instead of 4",
    ),
    ("the rows that every shop has are there", "DELETE FROM incarnation", "incarnation has 0"),
    (
        "a cart's lines are numbered once each, below its counter",
        "UPDATE carts SET next_line = 3 WHERE user_id = 2",
        "user 2, line 3",
    ),
    (
        "a cart has at most 100 lines",
        "INSERT INTO cart_items WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n \
         WHERE n < 99) SELECT 1, 1000 + n, 1000 + n, 1, 1, 1 FROM n",
        "user 1 has 101",
    ),
    (
        "a cart that an order emptied names one of its customer's",
        "UPDATE carts SET emptied_by = 9999, emptied_version = 1 WHERE user_id = 1",
        "user 1, order 9999",
    ),
    (
        "a wishlist's entries are numbered once each, below its counter",
        "UPDATE wishlists SET next_wish = 2 WHERE user_id = 1",
        "user 1, entry 2",
    ),
    (
        "an order number is given once, below the counter",
        "UPDATE counters SET next = 1002 WHERE name = 'order'",
        "order 1002",
    ),
    (
        "an order's subtotal is the sum of its lines",
        "UPDATE order_items SET quantity = quantity + 1 WHERE order_id = 1002",
        "order 1002: 30, lines 40",
    ),
    (
        "an order's tax is part of its total",
        "UPDATE orders SET tax_amount = total_amount + 1 WHERE id = 1001",
        "order 1001 of user 1: tax",
    ),
    (
        "an order is in its market's currency",
        "UPDATE orders SET currency = 'KGS' WHERE id = 1002",
        "order 1002 of user 2 is in KGS, the market in USD",
    ),
    (
        "an order's status is the last of its history",
        "DELETE FROM order_history WHERE order_id = 1002",
        "order 1002 is pending",
    ),
    (
        "stock taken is what uncancelled orders hold",
        "UPDATE stock SET taken = taken - 1 WHERE sku_id = 70",
        "SKU 70 (SKU-70): 5 taken, 6 in orders",
    ),
    ("every SKU has a stock", "DELETE FROM stock WHERE sku_id = 43", "SKU 43 (SKU-43)"),
    (
        "a product is for sale exactly if one of its SKUs is",
        "UPDATE products SET for_sale = 0 WHERE id = 16",
        "product 16",
    ),
    (
        "a customer with addresses has exactly one default",
        "UPDATE addresses SET is_default = 0 WHERE user_id = 2",
        "user 2 has 0",
    ),
];

/// A shop of two customers in a file that nobody has open.
async fn shop() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("us.sqlite3");
    let clock = ManualClock::at(Timestamp::from_second(1_790_000_000).expect("in range"));
    let store = Sqlite::open(&path, Options::new(Arc::new(clock))).expect("opens");
    furnish(&store).await;
    store.close();
    (directory, path)
}

/// Does what nothing of SQLite holds anybody back from who asks it not to.
fn damage(path: &Path, sql: &str) {
    for sql in sql.split(";;") {
        let connection = Connection::open(path).expect("opens");
        for setting in ["ignore_check_constraints", "writable_schema"] {
            connection.pragma_update(None, setting, true).expect(setting);
        }
        connection.pragma_update(None, "foreign_keys", false).expect("set");
        connection.execute_batch(sql).expect(sql);
    }
}

fn findings(path: &Path) -> Vec<Finding> {
    check_file(path).expect("it is looked at").findings
}

fn assert_found(findings: &[Finding], promise: &str, part: &str) {
    let is_found = |finding: &Finding| finding.promise == promise && finding.found.contains(part);
    assert!(findings.iter().any(is_found), "{promise}: {part} is not in {findings:#?}");
}

#[tokio::test]
async fn u7_each_broken_promise_is_found() {
    let (directory, path) = shop().await;
    let report = check_file(&path).expect("it is looked at");
    assert_eq!(report.findings, []);
    assert_all_are_tried(&report, DAMAGES.iter().map(|(promise, ..)| *promise));
    for (promise, sql, expected) in DAMAGES {
        let copy = directory.path().join("copy.sqlite3");
        std::fs::copy(&path, &copy).expect("copied");
        damage(&copy, sql);
        assert_found(&findings(&copy), promise, expected);
    }
}

/// Whatever page is damaged: the check says so, names the table where it can, and looks on.
#[tokio::test]
async fn u7_a_damaged_page_is_named_by_its_table() {
    let (directory, path) = shop().await;
    let connection = Connection::open(&path).expect("opens");
    const ROOT: &str = "SELECT rootpage FROM sqlite_schema WHERE name = 'orders'";
    let size = connection.pragma_query_value(None, "page_size", |row| row.get::<_, u32>(0));
    let size = u64::from(size.expect("it has one"));
    let root = connection.query_row(ROOT, [], |row| row.get::<_, u32>(0));
    let root = u64::from(root.expect("it is there"));
    drop(connection);
    let scratch = |name: &str, page: u64| {
        let copy = directory.path().join(name);
        std::fs::copy(&path, &copy).expect("copied");
        let mut file = std::fs::OpenOptions::new().write(true).open(&copy).expect("opens");
        file.seek(SeekFrom::Start((page - 1) * size)).expect("is that long");
        file.write_all(&vec![0xee; usize::try_from(size).expect("small")]).expect("written");
        copy
    };
    let findings = findings(&scratch("orders.sqlite3", root));
    assert_found(&findings, INTACT, "table orders");
    assert_found(&findings, ROWS, "table orders cannot be read to its end");
    let pages = std::fs::metadata(&path).expect("there").len() / size;
    for page in 2..=pages {
        let found = self::findings(&scratch("any.sqlite3", page));
        assert!(found.iter().any(|found| found.promise == INTACT), "page {page}: {found:?}");
    }
}

#[test]
fn what_is_no_database_is_called_by_its_name() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("us.sqlite3");
    for (content, expected) in [
        (&b"{\"shop\": true}"[..], "it is text"),
        (&[0; 4096], "it begins with zeros"),
        (b"PK\x03\x04\x14\x00", "zip"),
        (b"\xff\xfe\xfd", "its first bytes are not a database's"),
    ] {
        std::fs::write(&path, content).expect("written");
        let error = check_file(&path).expect_err("no database");
        assert!(matches!(error, OpenError::Garbage { .. }), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
}

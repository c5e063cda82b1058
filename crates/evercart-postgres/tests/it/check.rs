//! The check finds each promise that somebody breaks behind the store's back.

use std::sync::Arc;

use evercart_conformance::Backend;
use evercart_conformance::check::{assert_all_are_tried, furnish};
use evercart_core::clock::ManualClock;
use evercart_core::market::MarketName;
use evercart_core::operator::Operator;
use evercart_postgres::{Options, Postgres};
use jiff::Timestamp;

use crate::Database;

const SCHEMA: &str = "tables, columns, indexes and triggers are as evercart made them";
const ROWS: &str = "every row keeps the rules of its table";
const UNIQUE: &str = "what may be there once is there once";

/// A promise, what breaks it in a shop of user 1 and 2 and order 1001 and 1002, and what is found.
const DAMAGES: &[(&str, &str, &str)] = &[
    (
        "the database's indexes and constraints are valid",
        "ALTER TABLE stock DROP CONSTRAINT stock_on_hand_check; \
         ALTER TABLE stock ADD CONSTRAINT stock_on_hand_check CHECK (on_hand >= 0) NOT VALID",
        "constraint stock_on_hand_check of stock",
    ),
    (
        "the database's indexes and constraints are valid",
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'skus_by_product'::REGCLASS",
        "index skus_by_product",
    ),
    (
        "the database's indexes and constraints are valid",
        "ALTER TABLE wishlists DISABLE TRIGGER ALL",
        "is switched off",
    ),
    (
        "a user has exactly one phone, and a phone one user",
        "DELETE FROM phone_numbers WHERE user_id = 2",
        "user 2 has the phone of user ?",
    ),
    (
        "a user has exactly one phone, and a phone one user",
        "UPDATE users SET phone = (SELECT phone FROM phone_numbers WHERE user_id = 2) WHERE id = 1",
        "user 1 has the phone of user 2",
    ),
    (
        "a user has exactly one phone, and a phone one user",
        "ALTER TABLE phone_numbers DROP CONSTRAINT phone_numbers_user_id_key; \
         INSERT INTO phone_numbers VALUES ('+1', 1)",
        "user 1 has 2 phones",
    ),
    (
        "of a user who was erased nothing of their own is left",
        "DELETE FROM phone_numbers WHERE user_id = 2; \
         UPDATE users SET phone = '', is_active = false WHERE id = 2",
        "user 2: the row of carts row (2)",
    ),
    (
        "who has no phone is noted as erased, and nobody else is",
        "INSERT INTO erasures VALUES (2, 1, false)",
        "user 2",
    ),
    (
        "a former phone is a customer's who was not erased",
        "INSERT INTO former_phones VALUES (sha256('a'), 7, '+1312•••9851', 1, 1)",
        "user 7",
    ),
    (
        "a frozen account is signed out, and its former phone is kept",
        "UPDATE users SET frozen_at = 1, frozen_phone = '+13128059851' WHERE id = 2",
        "user 2",
    ),
    (
        "a frozen account is signed out, and its former phone is kept",
        "UPDATE users SET frozen_at = 1, frozen_phone = '+13128059851', is_active = false \
         WHERE id = 1",
        "user 1",
    ),
    ("a user signed in is not blocked", "UPDATE users SET blocked_at = 1 WHERE id = 2", "user 2"),
    ("a user's number is below the sequence", "SELECT setval('user_numbers', 2, false)", "user 2"),
    (
        "a cart's lines are numbered once each, below its counter",
        "UPDATE cart_items SET id = (SELECT min(id) FROM cart_items WHERE user_id = 1) \
         WHERE user_id = 1",
        "user 1, line 2",
    ),
    (
        "a cart's lines are numbered once each, below its counter",
        "UPDATE carts SET next_line = 3 WHERE user_id = 2",
        "user 2, line 3",
    ),
    (
        "a cart has at most 100 lines",
        "INSERT INTO cart_items SELECT 1, 1000 + n, 1000 + n, 1, 1, 1 \
         FROM generate_series(1, 99) AS n",
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
        "an order number is given once, below the sequence",
        "SELECT setval('order_numbers', 1001)",
        "order 1002",
    ),
    (
        "an order number is given once, below the sequence",
        "UPDATE orders SET id = 1001",
        "order 1001",
    ),
    (
        "an order's subtotal is the sum of its lines",
        "UPDATE order_items SET quantity = quantity + 1 WHERE order_id = 1002",
        "order 1002: 30, lines 40",
    ),
    (
        "an order's subtotal is the sum of its lines",
        "DELETE FROM order_items WHERE order_id = 1001",
        "order 1001: 30, lines 0",
    ),
    (
        "an order's status is the last of its history",
        "UPDATE orders SET status = 'shipped' WHERE id = 1001",
        "order 1001 is shipped",
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
        "UPDATE products SET for_sale = false WHERE id = 16",
        "product 16",
    ),
    (
        "a customer with addresses has exactly one default",
        "UPDATE addresses SET is_default = false WHERE user_id = 2",
        "user 2 has 0",
    ),
    (
        "whatever is referred to is there",
        "DELETE FROM carts WHERE user_id = 2",
        "cart_items, user 2, SKU 42 (SKU-42): refers to a missing row of carts",
    ),
    (
        "whatever is referred to is there",
        "DELETE FROM orders WHERE user_id = 2",
        "order_items, user 2, order 1002, line 1: refers to a missing row of orders",
    ),
    (SCHEMA, "DROP TABLE carts CASCADE", "table carts is missing"),
    (SCHEMA, "DROP INDEX skus_by_product", "index skus_by_product of table skus is missing"),
    (SCHEMA, "DROP SEQUENCE sku_numbers", "sequence sku_numbers is missing"),
    (
        SCHEMA,
        "CREATE FUNCTION t() RETURNS TRIGGER LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; \
         CREATE TRIGGER t AFTER UPDATE ON carts FOR EACH ROW EXECUTE FUNCTION t()",
        "trigger t of table carts is not evercart's: it runs at every write",
    ),
    (SCHEMA, "CREATE RULE r AS ON DELETE TO carts DO NOTHING", "rule r of table carts is not"),
    (SCHEMA, "CREATE VIEW v AS SELECT phone FROM users", "view v is not evercart's"),
    (SCHEMA, "CREATE TABLE more (id INTEGER)", "table more is not evercart's"),
    (SCHEMA, "CREATE INDEX i ON users (email)", "index i of table users is not evercart's"),
    (SCHEMA, "ALTER TABLE users ADD COLUMN shoe_size TEXT", "column shoe_size of table users"),
    (SCHEMA, "ALTER TABLE users DROP COLUMN email", "column email of table users is missing"),
    (
        SCHEMA,
        "ALTER TABLE stock DROP CONSTRAINT stock_on_hand_check",
        "stock_on_hand_check of table stock is missing: CHECK ((on_hand >= 0))",
    ),
    (
        SCHEMA,
        "CREATE OR REPLACE FUNCTION on_hand_of(p_sku BIGINT) RETURNS BIGINT LANGUAGE sql STABLE \
         AS 'SELECT 7::BIGINT'",
        "function on_hand_of(bigint) is not as evercart made it",
    ),
    (
        ROWS,
        "ALTER TABLE orders DROP CONSTRAINT orders_check; \
         UPDATE orders SET total_amount = 1 WHERE id = 1001",
        "orders, user 1, order 1001: CHECK ((total_amount = (subtotal + shipping_cost))) does not",
    ),
    (
        ROWS,
        "ALTER TABLE stock DROP CONSTRAINT stock_on_hand_check; \
         UPDATE stock SET on_hand = -5 WHERE sku_id = 70",
        "stock, SKU 70 (SKU-70): CHECK ((on_hand >= 0)) does not hold; on_hand is -5",
    ),
    (
        ROWS,
        "ALTER TABLE cart_items DROP CONSTRAINT cart_items_quantity_check; \
         UPDATE cart_items SET quantity = 0 WHERE user_id = 2",
        "cart_items, user 2, SKU 42 (SKU-42): CHECK",
    ),
    (
        ROWS,
        "ALTER TABLE orders ALTER currency DROP NOT NULL; \
         UPDATE orders SET currency = NULL WHERE id = 1001",
        "orders, user 1, order 1001: currency is NULL",
    ),
    (
        ROWS,
        "UPDATE pg_class SET relfilenode = 999999 WHERE oid = 'wishlists'::REGCLASS",
        "table wishlists cannot be read to its end: could not open file",
    ),
    (
        UNIQUE,
        "DROP INDEX one_default_address; INSERT INTO addresses (user_id, id, title, full_address, \
         is_default) VALUES (2, 9, 'x', 'x', true)",
        "addresses, user 2: is there 2 times",
    ),
    (
        UNIQUE,
        "ALTER TABLE skus DROP CONSTRAINT skus_sku_code_key; UPDATE skus SET sku_code = 'SKU-70'",
        "skus, sku_code SKU-70: is there",
    ),
    (
        "the rows that every shop has are there",
        "DELETE FROM incarnation",
        "incarnation has 0 rows instead of 1",
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
];

/// A way into the database that is not the store's.
pub async fn connect(url: &str) -> tokio_postgres::Client {
    let connected = tokio_postgres::connect(url, tokio_postgres::NoTls).await;
    let (client, connection) = connected.expect("the server of the tests runs");
    tokio::spawn(connection);
    client
}

async fn shop() -> Database {
    let clock = ManualClock::at(Timestamp::from_second(1_790_000_000).expect("in range"));
    let database = Database::fresh(Arc::new(clock));
    furnish(&*database.store).await;
    database
}

#[tokio::test(flavor = "multi_thread")]
async fn each_broken_promise_is_found() {
    let shop = shop().await;
    let report = shop.store.check().await.expect("checks");
    assert_eq!(report.findings, []);
    assert_all_are_tried(&report, DAMAGES.iter().map(|(damaged, ..)| *damaged));
    for (promise, damage, expected) in DAMAGES {
        let shop = self::shop().await;
        let client = connect(&shop.url).await;
        // Nothing of the schema holds anybody back who switches it off.
        let settings = "SET session_replication_role = replica; SET search_path = evercart_us; \
             SET allow_system_table_mods = on";
        client.batch_execute(settings).await.expect("is a superuser");
        client.batch_execute(damage).await.expect(damage);
        let market = MarketName::new("us").expect("us");
        let clock = Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH));
        let report = Postgres::check_schema(&market, &Options::new(&shop.url, clock)).await;
        let findings = report.expect("checks").findings;
        let is_found = |finding: &evercart_core::operator::Finding| {
            finding.promise == *promise && finding.found.contains(expected)
        };
        assert!(findings.iter().any(is_found), "{damage}: {findings:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_wrongs_are_told_by_twenty() {
    let shop = shop().await;
    let client = connect(&shop.url).await;
    client
        .batch_execute(
            "SET search_path = evercart_us; INSERT INTO users (id, phone, is_active, created_at) \
             SELECT 1000 + n, 'nobody', false, 1 FROM generate_series(1, 1000) AS n; \
             SELECT setval('user_numbers', 5000)",
        )
        .await
        .expect("writes");
    let findings = shop.store.check().await.expect("checks").findings;
    assert_eq!(findings.len(), 20, "{findings:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_of_another_evercart_is_not_ready() {
    let shop = shop().await;
    shop.store.ready().await.expect("is ready");
    let client = connect(&shop.url).await;
    let migrate = "INSERT INTO evercart_us.schema_version (version) VALUES (99)";
    client.batch_execute(migrate).await.expect("writes");
    let error = shop.store.ready().await.expect_err("another version");
    assert!(error.to_string().contains("the schema has version 99"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_takes_no_writes_is_not_ready() {
    let shop = shop().await;
    let client = connect(&shop.url).await;
    let set = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only \
         = on', current_database()); END $$";
    client.batch_execute(set).await.expect("sets");
    // Connections that exist keep what they began with.
    let hang_up = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE datname = current_database() AND pid <> pg_backend_pid()";
    client.query(hang_up, &[]).await.expect("hangs up");
    shop.store.ready().await.expect_err("no writes");
}

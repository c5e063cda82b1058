//! Looks for anything that breaks a promise: what the schema enforces, in case the file was damaged
//! or edited, and what only the operations keep.

mod file;
mod rules;
mod schema;

use evercart_core::check::{FINDINGS_MAX, Findings, REFERENCES, ROWS, SCHEMA, UNIQUE};
use evercart_core::operator::{CheckReport, Counts};
use rusqlite::{Connection, ErrorCode};

use crate::check_erased;
use crate::db::Result;
use crate::migrate;

pub(crate) use file::refuse_garbage;
pub use file::{check_file, programs_in};
use schema::Schema;

/// The promise of the file as a whole.
const INTACT: &str = "the file is intact";

/// Each promise that only the operations keep, and the statement that returns one text for each
/// place where it is broken.
const PROMISES: &[(&str, &str)] = &[
    (
        "a user has exactly one phone, and a phone one user",
        "SELECT printf('user %d has the phone of \
      user %d', u.id, n.user_id) FROM users u LEFT JOIN phone_numbers n ON n.phone = u.phone \
      WHERE n.user_id IS NOT u.id AND u.phone <> ''",
    ),
    (
        "a user signed in is not blocked",
        "SELECT printf('user %d', id) FROM users \
      WHERE is_active = 1 AND blocked_at IS NOT NULL",
    ),
    (
        "a frozen account is signed out, and its former phone is kept",
        "SELECT printf('user %d', u.id) FROM users u WHERE u.frozen_at IS NOT NULL \
      AND (u.is_active = 1 OR NOT EXISTS (SELECT 1 FROM former_phones f WHERE f.user_id = u.id \
      AND f.kept_until = 9223372036854775807))",
    ),
    (
        "a user's number is below the counter",
        "SELECT printf('user %d', id) FROM users \
      WHERE id >= (SELECT next FROM counters WHERE name = 'user')",
    ),
    (
        "the rows that every shop has are there",
        "SELECT printf('%s has %d rows instead of %d', name, found, needed) FROM ( \
      SELECT 'incarnation' AS name, count(*) AS found, 1 AS needed FROM incarnation \
      UNION ALL SELECT 'progress', count(*), 1 FROM progress \
      UNION ALL SELECT 'import_state', count(*), 1 FROM import_state \
      UNION ALL SELECT 'catalogue_version', count(*), 1 FROM catalogue_version \
      UNION ALL SELECT 'counters', count(*), 4 FROM counters \
      WHERE name IN ('order', 'product', 'sku', 'user')) WHERE found <> needed",
    ),
    (
        "a cart's lines are numbered once each, below its counter",
        "SELECT printf('user %d, line %d', \
      i.user_id, i.id) FROM cart_items i JOIN carts c ON c.user_id = i.user_id \
      GROUP BY i.user_id, i.id HAVING count(*) > 1 OR i.id >= min(c.next_line)",
    ),
    (
        "a cart has at most 100 lines",
        "SELECT printf('user %d has %d', user_id, count(*)) \
      FROM cart_items GROUP BY user_id HAVING count(*) > 100",
    ),
    (
        "a cart that an order emptied names one of its customer's",
        "SELECT printf('user %d, \
      order %d', c.user_id, c.emptied_by) FROM carts c LEFT JOIN orders o \
      ON o.user_id = c.user_id AND o.id = c.emptied_by WHERE c.emptied_by IS NOT NULL \
      AND (o.id IS NULL OR c.emptied_version > c.version)",
    ),
    (
        "a wishlist's entries are numbered once each, below its counter",
        "SELECT printf('user %d, entry \
      %d', i.user_id, i.id) FROM wishlist_items i JOIN wishlists w ON w.user_id = i.user_id \
      GROUP BY i.user_id, i.id HAVING count(*) > 1 OR i.id >= min(w.next_wish)",
    ),
    (
        "an order number is given once, below the counter",
        "SELECT printf('order %d', id) FROM orders \
      GROUP BY id HAVING count(*) > 1 \
      OR id >= (SELECT next FROM counters WHERE name = 'order')",
    ),
    (
        "an order's subtotal is the sum of its lines",
        "SELECT printf('order %d: %d, lines %d', o.id, \
      o.subtotal, coalesce(sum(i.unit_price * i.quantity), 0)) FROM orders o \
      LEFT JOIN order_items i ON i.user_id = o.user_id AND i.order_id = o.id \
      GROUP BY o.user_id, o.id HAVING o.subtotal <> coalesce(sum(i.unit_price * i.quantity), 0) \
      OR count(i.id) = 0",
    ),
    (
        "an order's tax is part of its total",
        "SELECT printf('order %d of user %d: tax %d, total %d', \
      id, user_id, tax_amount, total_amount) FROM orders \
      WHERE tax_amount NOT BETWEEN 0 AND total_amount",
    ),
    (
        "an order is in its market's currency",
        "SELECT printf('order %d of user %d is in %s, the \
      market in %s', o.id, o.user_id, o.currency, m.currency) FROM orders o CROSS JOIN \
      (SELECT coalesce((SELECT value FROM store_facts WHERE name = 'currency'), \
      (SELECT currency FROM orders GROUP BY currency ORDER BY count(*) DESC, min(id) LIMIT 1)) \
      AS currency) m WHERE o.currency <> m.currency",
    ),
    (
        "an order's status is the last of its history",
        "SELECT printf('order %d is %s', o.id, o.status) \
      FROM orders o WHERE o.status IS NOT (SELECT h.status FROM order_history h \
      WHERE h.user_id = o.user_id AND h.order_id = o.id ORDER BY h.id DESC LIMIT 1)",
    ),
    (
        "stock taken is what uncancelled orders hold",
        "SELECT printf('SKU %d (%s): %d taken, %d in orders', \
      s.sku_id, (SELECT k.sku_code FROM skus k WHERE k.id = s.sku_id), s.taken, \
      coalesce(h.pieces, 0)) FROM stock s LEFT JOIN (SELECT i.sku_id, \
      sum(i.quantity) AS pieces FROM order_items i JOIN orders o ON o.user_id = i.user_id \
      AND o.id = i.order_id WHERE o.status NOT IN ('cancelled', 'returned') GROUP BY i.sku_id) h \
      ON h.sku_id = s.sku_id WHERE s.taken <> coalesce(h.pieces, 0)",
    ),
    (
        "every SKU has a stock",
        "SELECT printf('SKU %d (%s)', id, sku_code) FROM skus \
      WHERE id NOT IN (SELECT sku_id FROM stock)",
    ),
    (
        "a product is for sale exactly if one of its SKUs is",
        "SELECT printf('product %d', id) \
      FROM products WHERE for_sale <> EXISTS (SELECT 1 FROM skus WHERE product_id = products.id \
      AND active = 1) AND (SELECT state FROM import_state) = 0",
    ),
    (
        "a customer with addresses has exactly one default",
        "SELECT printf('user %d has %d', user_id, \
      sum(is_default)) FROM addresses GROUP BY user_id HAVING sum(is_default) <> 1",
    ),
];

/// Looks at everything, as far as it can be read: damage is a finding, and no reason to stop.
pub(crate) fn check(connection: &Connection) -> Result<CheckReport> {
    let reference = migrate::reference(migrate::SCHEMA_VERSION)?;
    let expected = Schema::read(&reference)?;
    let mut all = Findings::default();
    all.add(INTACT, file::damages(connection)?);
    // Even if the list of tables cannot be read, what follows says of each that it is not so.
    let found = readable(Schema::read(connection))?;
    let differences = match &found {
        Ok(found) => expected.differences(found),
        Err(why) => vec![format!("the list of tables cannot be read: {why}")],
    };
    all.add(SCHEMA, differences);
    for promise in [ROWS, UNIQUE, REFERENCES] {
        all.add(promise, []);
    }
    let is_there = |table: &&str| found.as_ref().is_ok_and(|found| found.has_table(table));
    for table in expected.tables().filter(is_there) {
        for rule in rules::of(&reference, &expected, table)? {
            match readable(rule.broken(connection))? {
                Ok(broken) => all.add(rule.promise, broken),
                Err(why) => all.add(rule.promise, [rule.unreadable(&why)]),
            }
        }
    }
    let promises = PROMISES.iter().map(|(promise, sql)| (*promise, (*sql).to_owned()));
    for (promise, sql) in promises.chain(check_erased::promises()) {
        match readable(broken(connection, &sql))? {
            Ok(broken) => all.add(promise, broken),
            Err(why) => all.add(promise, [format!("it cannot be looked at: {why}")]),
        }
    }
    Ok(all.into_report(counts(connection)))
}

/// The first places where a promise is broken.
fn broken(connection: &Connection, sql: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(sql)?;
    let found = statement.query_map([], |row| row.get(0))?;
    found.take(FINDINGS_MAX).collect()
}

/// What was read, or why it cannot be: because of what the file holds. Anything else, such as a
/// file that is locked, is no finding.
fn readable<T>(outcome: rusqlite::Result<T>) -> Result<Result<T, String>> {
    match outcome {
        Ok(read) => Ok(Ok(read)),
        Err(error) if is_damage(&error) => Ok(Err(error.to_string())),
        Err(error) => Err(error.into()),
    }
}

/// True if what the file holds, or does not hold, made a statement fail.
fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DatabaseCorrupt
            | ErrorCode::NotADatabase
            | ErrorCode::SystemIoFailure
            | ErrorCode::TypeMismatch
            // A table or a column that is not there.
            | ErrorCode::Unknown,
        ) | None
    )
}

/// How much there is, as far as it can be read.
fn counts(connection: &Connection) -> Counts {
    let count = |sql: &str| {
        let count = connection.query_row(sql, [], |row| row.get::<_, i64>(0));
        count.map_or(0, i64::unsigned_abs)
    };
    Counts {
        users: count("SELECT count(*) FROM users"),
        cart_lines: count("SELECT count(*) FROM cart_items"),
        wishes: count("SELECT count(*) FROM wishlist_items"),
        orders: count("SELECT count(*) FROM orders"),
        products: count("SELECT count(*) FROM products"),
        skus: count("SELECT count(*) FROM skus"),
    }
}

//! Looks for anything that breaks a promise: what the schema enforces, in case the database was
//! damaged or edited, and what only the operations keep.

mod rules;
mod schema;

use evercart_core::check::{FINDINGS_MAX, Findings, REFERENCES, ROWS, SCHEMA, UNIQUE};
use evercart_core::error::{Failed, Result as StoreResult};
use evercart_core::operator::{CheckReport, Counts};
use tokio_postgres::{IsolationLevel, Transaction};

use crate::check_erased;
use crate::connect::{Target, explain};
use crate::db::failed;
use schema::Schema;

type Result<T, E = tokio_postgres::Error> = std::result::Result<T, E>;

/// Each promise that no rule of the schema says, and the statement that returns one text for each
/// place where it is broken. What a cluster cannot join where it lies is read first, as a common
/// table.
const PROMISES: &[(&str, &str)] = &[
    (
        "the database's indexes and constraints are valid",
        "SELECT format('index %s', c.relname) FROM pg_index i \
         JOIN pg_class c ON c.oid = i.indexrelid \
         WHERE c.relnamespace = current_schema()::REGNAMESPACE \
         AND NOT (i.indisvalid AND i.indisready) \
         UNION ALL SELECT format('constraint %s of %s', conname, conrelid::REGCLASS) \
         FROM pg_constraint WHERE connamespace = current_schema()::REGNAMESPACE \
         AND NOT convalidated \
         UNION ALL SELECT format('trigger %s of %s is switched off', t.tgname, c.relname) \
         FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid \
         WHERE c.relnamespace = current_schema()::REGNAMESPACE AND t.tgenabled NOT IN ('O', 'A')",
    ),
    (
        "a user has exactly one phone, and a phone one user",
        "WITH u AS MATERIALIZED (SELECT id, phone FROM users), \
         n AS MATERIALIZED (SELECT phone, user_id FROM phone_numbers) \
         SELECT format('user %s has the phone of user %s', coalesce(u.id::TEXT, '?'), \
         coalesce(n.user_id::TEXT, '?')) FROM u FULL JOIN n ON n.phone = u.phone \
         WHERE n.user_id IS DISTINCT FROM u.id AND u.phone IS DISTINCT FROM '' \
         UNION ALL SELECT format('user %s has %s phones', user_id, count(*)) FROM phone_numbers \
         GROUP BY user_id HAVING count(*) > 1",
    ),
    (
        "a former phone is a customer's who was not erased",
        "WITH u AS MATERIALIZED (SELECT id FROM users WHERE phone <> ''), \
         f AS MATERIALIZED (SELECT user_id FROM former_phones) \
         SELECT format('user %s', f.user_id) FROM f \
         WHERE NOT EXISTS (SELECT 1 FROM u WHERE u.id = f.user_id)",
    ),
    (
        "a frozen account is signed out, and its former phone is kept",
        "WITH f AS MATERIALIZED (SELECT user_id FROM former_phones \
         WHERE kept_until = 9223372036854775807) \
         SELECT format('user %s', u.id) FROM users u WHERE u.frozen_at IS NOT NULL \
         AND (u.is_active OR NOT EXISTS (SELECT 1 FROM f WHERE f.user_id = u.id))",
    ),
    (
        "a user signed in is not blocked",
        "SELECT format('user %s', id) FROM users WHERE is_active AND blocked_at IS NOT NULL",
    ),
    (
        "a user's number is below the sequence",
        "WITH n AS MATERIALIZED (SELECT last_value, is_called FROM user_numbers) \
         SELECT format('user %s', u.id) FROM users u CROSS JOIN n \
         WHERE u.id > n.last_value OR (u.id = n.last_value AND NOT n.is_called)",
    ),
    (
        "the rows that every shop has are there",
        "SELECT format('%s has %s rows instead of 1', name, found) FROM ( \
         SELECT 'incarnation' AS name, count(*) AS found FROM incarnation \
         UNION ALL SELECT 'progress', count(*) FROM progress \
         UNION ALL SELECT 'catalogue_version', count(*) FROM catalogue_version) AS seen \
         WHERE found <> 1",
    ),
    (
        "a cart's lines are numbered once each, below its counter",
        "SELECT format('user %s, line %s', i.user_id, i.id) \
         FROM cart_items i JOIN carts c ON c.user_id = i.user_id \
         GROUP BY i.user_id, i.id HAVING count(*) > 1 OR i.id >= min(c.next_line)",
    ),
    (
        "a cart has at most 100 lines",
        "SELECT format('user %s has %s', user_id, count(*)) FROM cart_items \
         GROUP BY user_id HAVING count(*) > 100",
    ),
    (
        "a cart that an order emptied names one of its customer's",
        "SELECT format('user %s, order %s', c.user_id, c.emptied_by) FROM carts c \
         LEFT JOIN orders o ON o.user_id = c.user_id AND o.id = c.emptied_by \
         WHERE c.emptied_by IS NOT NULL AND (o.id IS NULL OR c.emptied_version > c.version)",
    ),
    (
        "a wishlist's entries are numbered once each, below its counter",
        "SELECT format('user %s, entry %s', i.user_id, i.id) \
         FROM wishlist_items i JOIN wishlists w ON w.user_id = i.user_id \
         GROUP BY i.user_id, i.id HAVING count(*) > 1 OR i.id >= min(w.next_wish)",
    ),
    (
        "an order number is given once, below the sequence",
        "WITH n AS MATERIALIZED (SELECT last_value, is_called FROM order_numbers) \
         SELECT format('order %s', o.id) FROM orders o CROSS JOIN n \
         GROUP BY o.id HAVING count(*) > 1 \
         OR bool_or(o.id > n.last_value OR (o.id = n.last_value AND NOT n.is_called))",
    ),
    (
        "an order's subtotal is the sum of its lines",
        "SELECT format('order %s: %s, lines %s', o.id, o.subtotal, \
         coalesce(sum(i.unit_price * i.quantity), 0)) FROM orders o \
         LEFT JOIN order_items i ON i.user_id = o.user_id AND i.order_id = o.id \
         GROUP BY o.user_id, o.id HAVING count(i.id) = 0 \
         OR o.subtotal <> coalesce(sum(i.unit_price * i.quantity), 0)",
    ),
    (
        "an order's tax is part of its total",
        "SELECT format('order %s of user %s: tax %s, total %s', id, user_id, tax_amount, \
         total_amount) FROM orders WHERE tax_amount NOT BETWEEN 0 AND total_amount",
    ),
    (
        "an order is in its market's currency",
        "WITH f AS MATERIALIZED (SELECT value FROM store_facts WHERE name = 'currency'), \
         c AS MATERIALIZED (SELECT currency, count(*) AS n, min(id) AS first FROM orders \
         GROUP BY currency), m AS MATERIALIZED (SELECT coalesce((SELECT value FROM f), \
         (SELECT currency FROM c ORDER BY n DESC, first LIMIT 1)) AS currency) \
         SELECT format('order %s of user %s is in %s, the market in %s', o.id, o.user_id, \
         o.currency, m.currency) FROM orders o CROSS JOIN m WHERE o.currency <> m.currency",
    ),
    (
        "an order's status is the last of its history",
        "SELECT format('order %s is %s', o.id, o.status) FROM orders o \
         WHERE o.status IS DISTINCT FROM (SELECT h.status FROM order_history h \
         WHERE h.user_id = o.user_id AND h.order_id = o.id ORDER BY h.id DESC LIMIT 1)",
    ),
    (
        "stock taken is what uncancelled orders hold",
        "WITH k AS MATERIALIZED (SELECT id, sku_code FROM skus) \
         SELECT format('SKU %s (%s): %s taken, %s in orders', s.sku_id, k.sku_code, s.taken, \
         coalesce(h.pieces, 0)) FROM stock s LEFT JOIN k ON k.id = s.sku_id \
         LEFT JOIN (SELECT i.sku_id, \
         sum(i.quantity) AS pieces FROM order_items i JOIN orders o ON o.user_id = i.user_id \
         AND o.id = i.order_id WHERE o.status NOT IN ('cancelled', 'returned') \
         GROUP BY i.sku_id) h ON h.sku_id = s.sku_id WHERE s.taken <> coalesce(h.pieces, 0)",
    ),
    (
        "every SKU has a stock",
        "WITH t AS MATERIALIZED (SELECT sku_id FROM stock) \
         SELECT format('SKU %s (%s)', id, sku_code) FROM skus \
         WHERE NOT EXISTS (SELECT 1 FROM t WHERE t.sku_id = skus.id)",
    ),
    (
        "a product is for sale exactly if one of its SKUs is",
        "SELECT format('product %s', id) FROM products WHERE for_sale <> \
         EXISTS (SELECT 1 FROM skus WHERE product_id = products.id AND active)",
    ),
    (
        "a customer with addresses has exactly one default",
        "SELECT format('user %s has %s', user_id, count(*) FILTER (WHERE is_default)) \
         FROM addresses GROUP BY user_id HAVING count(*) FILTER (WHERE is_default) <> 1",
    ),
];

/// Looks as of one moment, however long it takes, while the shop goes on.
pub(crate) async fn check(target: &Target) -> StoreResult<CheckReport> {
    let mut client = target.connect_patiently().await.map_err(|error| {
        Failed::Unavailable(format!("cannot connect to PostgreSQL at {}: {error}", target.place))
    })?;
    let looked = async {
        let transaction = client
            .build_transaction()
            .isolation_level(IsolationLevel::RepeatableRead)
            .read_only(true)
            .start()
            .await?;
        let report = look(&transaction, target.distributed).await?;
        transaction.commit().await?;
        Ok(report)
    };
    looked.await.map_err(|error: tokio_postgres::Error| failed(&error).into())
}

/// Looks at everything, as far as it can be read: damage is a finding, and no reason to stop.
/// Nothing is changed in the transaction, its settings included.
pub(crate) async fn look(transaction: &Transaction<'_>, is_spread: bool) -> Result<CheckReport> {
    let expected = Schema::expected();
    let mut all = Findings::default();
    let differences = expected.differences(transaction, is_spread).await;
    let (found, differences) = differences?;
    all.add(SCHEMA, differences);
    for promise in [ROWS, UNIQUE, REFERENCES] {
        all.add(promise, []);
    }
    for table in expected.tables().filter(|table| found.has_table(table)) {
        for rule in rules::of(&expected, table, is_spread) {
            match kept_apart(transaction, rule.broken(transaction)).await? {
                Ok(broken) => all.add(rule.promise, broken),
                Err(why) => all.add(rule.promise, [rule.unreadable(&why)]),
            }
        }
    }
    let promises = PROMISES.iter().map(|(promise, sql)| (*promise, (*sql).to_owned()));
    for (promise, sql) in promises.chain(check_erased::promises()) {
        match kept_apart(transaction, broken(transaction, &sql)).await? {
            Ok(broken) => all.add(promise, broken),
            Err(why) => all.add(promise, [format!("it cannot be looked at: {why}")]),
        }
    }
    Ok(all.into_report(counts(transaction).await?))
}

/// Reads something in the transaction, which goes on if it cannot be read. Says why, if that is
/// because of what the database holds; anything else, such as a lost connection, is no finding.
async fn kept_apart<T>(
    transaction: &Transaction<'_>,
    read: impl Future<Output = Result<T>>,
) -> Result<Result<T, String>> {
    transaction.batch_execute("SAVEPOINT looking").await?;
    let outcome = read.await;
    match outcome {
        Err(error) if !is_damage(&error) => return Err(error),
        _ => transaction.batch_execute("ROLLBACK TO SAVEPOINT looking").await?,
    }
    Ok(outcome.map_err(|error| explain(&error)))
}

/// True if what the database holds, or does not hold, made a statement fail: damaged pages (XX),
/// the disk (58), a table or column that is not there or is another one (42).
fn is_damage(error: &tokio_postgres::Error) -> bool {
    let code = error.code().map(tokio_postgres::error::SqlState::code);
    code.is_some_and(|code| ["XX", "58", "42"].iter().any(|class| code.starts_with(class)))
}

/// The first places where a promise is broken.
async fn broken(transaction: &Transaction<'_>, sql: &str) -> Result<Vec<String>> {
    let portal = transaction.bind(sql, &[]).await?;
    let most = i32::try_from(FINDINGS_MAX).unwrap_or(i32::MAX);
    let rows = transaction.query_portal(&portal, most).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// How much there is, as far as it can be read.
async fn counts(transaction: &Transaction<'_>) -> Result<Counts> {
    const COUNTS: [&str; 6] = [
        "SELECT count(*) FROM users",
        "SELECT count(*) FROM cart_items",
        "SELECT count(*) FROM wishlist_items",
        "SELECT count(*) FROM orders",
        "SELECT count(*) FROM products",
        "SELECT count(*) FROM skus",
    ];
    let mut counted = [0_u64; COUNTS.len()];
    for (sql, count) in COUNTS.iter().zip(&mut counted) {
        if let Ok(row) = kept_apart(transaction, transaction.query_one(*sql, &[])).await? {
            *count = row.get::<_, i64>(0).unsigned_abs();
        }
    }
    let [users, cart_lines, wishes, orders, products, skus] = counted;
    Ok(Counts { users, cart_lines, wishes, orders, products, skus })
}

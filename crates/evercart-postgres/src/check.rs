//! Looks for anything that breaks a promise: what the schema enforces, in case the database was
//! damaged or edited, and what only the operations keep.

use evercart_core::error::{Failed, Result as StoreResult};
use evercart_core::operator::{CheckReport, Counts, Finding};
use tokio_postgres::{IsolationLevel, Transaction};

use crate::connect::Target;
use crate::db::{failed, unsigned};

/// The most findings told of one promise; the first few say what there is to know.
const FINDINGS_MAX: usize = 20;

/// Each promise but [`REFERENCES`], and the statement that returns one text for each place where it
/// is broken. What a cluster cannot join where it lies is read first, as a common table.
const PROMISES: [(&str, &str); 18] = [
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
        "of a user who was erased nothing of their own is left",
        "SELECT format('user %s', id) FROM users WHERE phone = '' AND (is_active \
         OR full_name IS NOT NULL OR email IS NOT NULL OR profile_image_url IS NOT NULL) \
         UNION ALL SELECT format('user %s: frozen', id) FROM users WHERE phone = '' \
         AND frozen_phone IS NOT NULL \
         UNION ALL SELECT format('user %s: cart', u.id) FROM users u \
         JOIN carts c ON c.user_id = u.id WHERE u.phone = '' \
         UNION ALL SELECT format('user %s: wishlist', u.id) FROM users u \
         JOIN wishlists w ON w.user_id = u.id WHERE u.phone = '' \
         UNION ALL SELECT format('user %s: address', u.id) FROM users u \
         JOIN addresses a ON a.user_id = u.id WHERE u.phone = '' \
         UNION ALL SELECT format('user %s: message', u.id) FROM users u \
         JOIN outbox x ON x.user_id = u.id WHERE u.phone = '' \
         UNION ALL SELECT format('user %s: order %s', u.id, o.id) FROM users u \
         JOIN orders o ON o.user_id = u.id WHERE u.phone = '' AND (o.customer_name <> '' \
         OR o.customer_phone <> '' OR o.customer_email IS NOT NULL OR o.delivery_address <> '' \
         OR o.delivery_city IS NOT NULL OR o.delivery_notes IS NOT NULL)",
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
        "an order's status is the last of its history",
        "SELECT format('order %s is %s', o.id, o.status) FROM orders o \
         WHERE o.status IS DISTINCT FROM (SELECT h.status FROM order_history h \
         WHERE h.user_id = o.user_id AND h.order_id = o.id ORDER BY h.id DESC LIMIT 1)",
    ),
    (
        "stock taken is what uncancelled orders hold",
        "SELECT format('SKU %s: %s taken, %s in orders', s.sku_id, s.taken, \
         coalesce(h.pieces, 0)) FROM stock s LEFT JOIN (SELECT i.sku_id, \
         sum(i.quantity) AS pieces FROM order_items i JOIN orders o ON o.user_id = i.user_id \
         AND o.id = i.order_id WHERE o.status NOT IN ('cancelled', 'returned') \
         GROUP BY i.sku_id) h ON h.sku_id = s.sku_id WHERE s.taken <> coalesce(h.pieces, 0)",
    ),
    (
        "every SKU has a stock",
        "WITH t AS MATERIALIZED (SELECT sku_id FROM stock) SELECT format('SKU %s', id) FROM skus \
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

/// The promise of all foreign keys together. The schema knows them; a statement for each is made of
/// what it says.
const REFERENCES: &str = "whatever is referred to is there";

/// One statement a foreign key: what refers to a row that is not there. Nothing refers with a null.
const FOREIGN_KEYS: &str = "SELECT format('SELECT %1$L || (%2$s)::TEXT || %3$L FROM %4$s t \
     WHERE (%2$s) IS NOT NULL AND NOT EXISTS (SELECT 1 FROM %5$s r WHERE (%6$s) = (%2$s))', \
     c.conrelid::REGCLASS || ' ', k.own, ' refers to a missing row of ' || c.confrelid::REGCLASS, \
     c.conrelid::REGCLASS, c.confrelid::REGCLASS, k.others) \
     FROM pg_constraint c CROSS JOIN LATERAL (SELECT \
     format('ROW(%s)', string_agg(format('t.%I', a.attname), ', ' ORDER BY k.n)) AS own, \
     format('ROW(%s)', string_agg(format('r.%I', f.attname), ', ' ORDER BY k.n)) AS others \
     FROM unnest(c.conkey, c.confkey) WITH ORDINALITY AS k (own, other, n) \
     JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.own \
     JOIN pg_attribute f ON f.attrelid = c.confrelid AND f.attnum = k.other) k \
     WHERE c.contype = 'f' AND c.connamespace = current_schema()::REGNAMESPACE ORDER BY c.conname";

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
        let report = look(&transaction).await?;
        transaction.commit().await?;
        Ok(report)
    };
    looked.await.map_err(|error: tokio_postgres::Error| failed(&error).into())
}

pub(crate) async fn look(
    transaction: &Transaction<'_>,
) -> Result<CheckReport, tokio_postgres::Error> {
    let mut findings = Vec::new();
    for (promise, sql) in PROMISES {
        for found in broken(transaction, sql).await? {
            findings.push(Finding { promise, found });
        }
    }
    let mut missing = Vec::new();
    for row in transaction.query(FOREIGN_KEYS, &[]).await? {
        missing.extend(broken(transaction, row.get(0)).await?);
    }
    missing.truncate(FINDINGS_MAX);
    findings.extend(missing.into_iter().map(|found| Finding { promise: REFERENCES, found }));
    let promises = PROMISES.iter().map(|(promise, _)| *promise).chain([REFERENCES]).collect();
    Ok(CheckReport { promises, findings, counts: counts(transaction).await? })
}

/// The first places where a promise is broken.
async fn broken(
    transaction: &Transaction<'_>,
    sql: &str,
) -> Result<Vec<String>, tokio_postgres::Error> {
    let portal = transaction.bind(sql, &[]).await?;
    let most = i32::try_from(FINDINGS_MAX).unwrap_or(i32::MAX);
    let rows = transaction.query_portal(&portal, most).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

async fn counts(transaction: &Transaction<'_>) -> Result<Counts, tokio_postgres::Error> {
    const COUNTS: &str = "SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM cart_items), \
         (SELECT count(*) FROM wishlist_items), (SELECT count(*) FROM orders), \
         (SELECT count(*) FROM products), (SELECT count(*) FROM skus)";
    let row = transaction.query_one(COUNTS, &[]).await?;
    Ok(Counts {
        users: unsigned(row.get(0)),
        cart_lines: unsigned(row.get(1)),
        wishes: unsigned(row.get(2)),
        orders: unsigned(row.get(3)),
        products: unsigned(row.get(4)),
        skus: unsigned(row.get(5)),
    })
}

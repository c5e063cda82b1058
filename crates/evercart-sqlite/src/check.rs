//! Looks for anything that breaks a promise: what the schema enforces, in case the file was damaged
//! or edited, and what only the operations keep.

use evercart_core::operator::{CheckReport, Counts, Finding};

use crate::db::{Db, Result, unsigned};

/// The most findings told of one promise; the first few say what there is to know.
const FINDINGS_MAX: usize = 20;

/// Each promise, and the statement that returns one text for each place where it is broken.
const PROMISES: [(&str, &str); 17] = [
    (
        "the file is intact",
        "SELECT integrity_check FROM pragma_integrity_check \
      WHERE integrity_check <> 'ok'",
    ),
    (
        "whatever is referred to is there",
        "SELECT printf('%s row %d refers to a missing row of %s', \
      \"table\", coalesce(rowid, 0), parent) FROM pragma_foreign_key_check",
    ),
    (
        "a user has exactly one phone, and a phone one user",
        "SELECT printf('user %d has the phone of \
      user %d', u.id, n.user_id) FROM users u LEFT JOIN phone_numbers n ON n.phone = u.phone \
      WHERE n.user_id IS NOT u.id AND u.phone <> ''",
    ),
    (
        "of a user who was erased nothing of their own is left",
        "SELECT printf('user %d', u.id) FROM users u WHERE u.phone = '' AND (u.is_active = 1 \
      OR u.full_name IS NOT NULL OR u.email IS NOT NULL OR u.profile_image_url IS NOT NULL \
      OR EXISTS (SELECT 1 FROM phone_numbers n WHERE n.user_id = u.id) \
      OR EXISTS (SELECT 1 FROM former_phones f WHERE f.user_id = u.id) \
      OR u.frozen_phone IS NOT NULL \
      OR EXISTS (SELECT 1 FROM carts c WHERE c.user_id = u.id) \
      OR EXISTS (SELECT 1 FROM wishlists w WHERE w.user_id = u.id) \
      OR EXISTS (SELECT 1 FROM addresses a WHERE a.user_id = u.id) \
      OR EXISTS (SELECT 1 FROM outbox x WHERE x.user_id = u.id) \
      OR EXISTS (SELECT 1 FROM orders o WHERE o.user_id = u.id AND (o.customer_name <> '' \
      OR o.customer_phone <> '' OR o.delivery_address <> '')))",
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
        "an order's status is the last of its history",
        "SELECT printf('order %d is %s', o.id, o.status) \
      FROM orders o WHERE o.status IS NOT (SELECT h.status FROM order_history h \
      WHERE h.user_id = o.user_id AND h.order_id = o.id ORDER BY h.id DESC LIMIT 1)",
    ),
    (
        "stock taken is what uncancelled orders hold",
        "SELECT printf('SKU %d: %d taken, %d in orders', \
      s.sku_id, s.taken, coalesce(h.pieces, 0)) FROM stock s LEFT JOIN (SELECT i.sku_id, \
      sum(i.quantity) AS pieces FROM order_items i JOIN orders o ON o.user_id = i.user_id \
      AND o.id = i.order_id WHERE o.status NOT IN ('cancelled', 'returned') GROUP BY i.sku_id) h \
      ON h.sku_id = s.sku_id WHERE s.taken <> coalesce(h.pieces, 0)",
    ),
    (
        "every SKU has a stock",
        "SELECT printf('SKU %d', id) FROM skus \
      WHERE id NOT IN (SELECT sku_id FROM stock)",
    ),
    (
        "a product is for sale exactly if one of its SKUs is",
        "SELECT printf('product %d', id) \
      FROM products WHERE for_sale <> EXISTS (SELECT 1 FROM skus WHERE product_id = products.id \
      AND active = 1)",
    ),
    (
        "a customer with addresses has exactly one default",
        "SELECT printf('user %d has %d', user_id, \
      sum(is_default)) FROM addresses GROUP BY user_id HAVING sum(is_default) <> 1",
    ),
];

pub(crate) fn check(db: &Db) -> Result<CheckReport> {
    let mut findings = Vec::new();
    for (promise, sql) in PROMISES {
        let mut statement = db.sql(sql)?;
        let found = statement.query_map([], |row| row.get::<_, String>(0))?;
        for found in found.take(FINDINGS_MAX) {
            findings.push(Finding { promise, found: found? });
        }
    }
    let promises = PROMISES.iter().map(|(promise, _)| *promise).collect();
    Ok(CheckReport { promises, findings, counts: counts(db)? })
}

fn counts(db: &Db) -> Result<Counts> {
    const COUNTS: &str = "SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM cart_items), \
         (SELECT count(*) FROM wishlist_items), (SELECT count(*) FROM orders), \
         (SELECT count(*) FROM products), (SELECT count(*) FROM skus)";
    Ok(db.sql(COUNTS)?.query_row([], |row| {
        Ok(Counts {
            users: unsigned(row.get(0)?),
            cart_lines: unsigned(row.get(1)?),
            wishes: unsigned(row.get(2)?),
            orders: unsigned(row.get(3)?),
            products: unsigned(row.get(4)?),
            skus: unsigned(row.get(5)?),
        })
    })?)
}

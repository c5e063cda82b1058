//! The erasure's SQL, made of the tags of the columns: what of a customer goes, and the note that
//! they were erased.

use std::fmt::Write;
use std::sync::LazyLock;

use evercart_core::account::OpenOrders;
use evercart_core::copy::{Column, Erasure, Table, Tag, erased_tables, open_statuses};
use evercart_core::error::{OPEN_ORDERS_TOLD, Refused};
use evercart_core::guard::{Guard, IDEMPOTENCY_LIFETIME};
use evercart_core::ids::{OrderId, UserId};
use evercart_core::operator::BOOKS_FORGOTTEN_AT_ONCE;
use evercart_core::user::Session;
use rusqlite::{OptionalExtension, Row};

use crate::db::{Db, Result};
use crate::sign_in::{end_sessions, millis};

/// What erases a customer's rows, which is the first parameter.
static STATEMENTS: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    // Made once, kept for ever: as if they were written here.
    erased_tables().filter_map(statement).map(|sql| &*sql.leak()).collect()
});

/// What takes from orders what their delivery needs, from open ones only if the second parameter
/// is 0.
static DELIVERY: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let open = open();
    let statement = |table: &Table| {
        let set = emptying(&table.emptied(Tag::Delivery))?;
        let owner = table.owner()?.name;
        let sql = format!(
            "UPDATE {table} SET {set} WHERE {owner} = ?1 AND (?2 = 0 OR status NOT IN ({open}))"
        );
        Some(&*sql.leak())
    };
    erased_tables().filter_map(statement).collect()
});

/// Ends an order: customer, number, status, moment. What the delivery needed goes along if the
/// customer was erased.
pub(crate) static END_ORDER: LazyLock<&'static str> = LazyLock::new(|| {
    let table = Table::named("orders").expect("it is in the list");
    let mut goes = String::new();
    for column in table.emptied(Tag::Delivery) {
        let (name, empty) = (column.name, if column.is_optional { "NULL" } else { "''" });
        // Writing to a String cannot fail.
        let _ = write!(
            goes,
            ", {name} = CASE WHEN (SELECT u.phone FROM users u WHERE u.id = ?1) = '' \
             THEN {empty} ELSE {name} END"
        );
    }
    let sql = format!(
        "UPDATE orders SET status = ?3, \
         delivery_date = CASE WHEN ?3 = 'delivered' THEN ?4 ELSE delivery_date END{goes} \
         WHERE user_id = ?1 AND id = ?2"
    );
    sql.leak()
});

/// The customer's open orders, the oldest first.
static OPEN_ORDERS: LazyLock<&'static str> = LazyLock::new(|| {
    let open = open();
    let sql = format!(
        "SELECT id FROM orders WHERE user_id = ?1 AND status IN ({open}) ORDER BY id LIMIT ?2"
    );
    sql.leak()
});

/// The statuses of open orders, as SQL lists them.
fn open() -> String {
    open_statuses().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(", ")
}

fn statement(table: &'static Table) -> Option<String> {
    let owner = table.owner()?.name;
    if table.goes_with_its_customer() {
        return Some(format!("DELETE FROM {table} WHERE {owner} = ?1"));
    }
    let set = emptying(&table.emptied(Tag::Personal))?;
    Some(format!("UPDATE {table} SET {set} WHERE {owner} = ?1"))
}

/// What empties these columns; `None` if there are none.
fn emptying(columns: &[&Column]) -> Option<String> {
    let mut set = String::new();
    for column in columns {
        let comma = if set.is_empty() { "" } else { ", " };
        let empty = if column.is_optional { "NULL" } else { "''" };
        // Writing to a String cannot fail.
        let _ = write!(set, "{comma}{} = {empty}", column.name);
    }
    (!set.is_empty()).then_some(set)
}

/// Erases a customer: what is theirs goes, every token is dead, and it is noted. A user without a
/// phone is one who was erased.
pub(crate) fn erase(
    db: &Db,
    id: UserId,
    open_orders: OpenOrders,
    request: Option<[u8; 32]>,
) -> Result<()> {
    let orders = open_orders_of(db, id)?;
    let are_open = !orders.is_empty();
    if are_open && open_orders == OpenOrders::Refuse {
        return Err(Refused::OpenOrders { orders }.into());
    }
    erase_rows(db, id, are_open, db.now(), request)
}

fn erase_rows(
    db: &Db,
    id: UserId,
    keeps_open: bool,
    at: i64,
    request: Option<[u8; 32]>,
) -> Result<()> {
    const NOTE: &str = "INSERT INTO erasures (user_id, erased_at, open_orders, request) \
         VALUES (?1, ?2, ?3, ?4)";
    end_sessions(db, id)?;
    for sql in STATEMENTS.iter() {
        db.sql(sql)?.execute([id.0])?;
    }
    for sql in DELIVERY.iter() {
        db.sql(sql)?.execute((id.0, keeps_open))?;
    }
    db.change_one(NOTE, (id.0, at, keeps_open, request))?;
    db.erased(id);
    Ok(())
}

/// Erases again whom the list names and older data has brought back. Returns how many.
pub(crate) fn repeat(db: &Db, listed: &[Erasure]) -> Result<usize> {
    const IS_BACK: &str = "SELECT 1 FROM users WHERE id = ?1 AND created_at = ?2 AND phone <> ''";
    let mut count = 0;
    for one in listed {
        let is_back = db.sql(IS_BACK)?.exists((one.user_id.0, one.created_at))?;
        if is_back {
            erase_rows(db, one.user_id, one.open_orders, one.erased_at, None)?;
            count += 1;
        }
    }
    Ok(count)
}

/// Everybody who was erased.
pub(crate) fn all(db: &Db) -> Result<Vec<Erasure>> {
    const ALL: &str = "SELECT e.user_id, u.created_at, e.erased_at, e.open_orders \
         FROM erasures e JOIN users u ON u.id = e.user_id ORDER BY e.user_id";
    let mut statement = db.sql(ALL)?;
    let all = statement.query_map([], erasure)?;
    Ok(all.collect::<rusqlite::Result<_>>()?)
}

/// One who was erased, if that was kept.
pub(crate) fn of(db: &Db, id: UserId) -> Result<Option<Erasure>> {
    const OF: &str = "SELECT e.user_id, u.created_at, e.erased_at, e.open_orders \
         FROM erasures e JOIN users u ON u.id = e.user_id WHERE e.user_id = ?1";
    Ok(db.sql(OF)?.query_row([id.0], erasure).optional()?)
}

fn erasure(row: &Row<'_>) -> rusqlite::Result<Erasure> {
    Ok(Erasure {
        user_id: UserId(row.get(0)?),
        created_at: row.get(1)?,
        erased_at: row.get(2)?,
        open_orders: row.get(3)?,
    })
}

fn open_orders_of(db: &Db, id: UserId) -> Result<Vec<OrderId>> {
    let mut statement = db.sql(&OPEN_ORDERS)?;
    let orders = statement.query_map((id.0, OPEN_ORDERS_TOLD), |row| row.get(0).map(OrderId))?;
    Ok(orders.collect::<rusqlite::Result<_>>()?)
}

/// Deletes orders that the books need no longer.
pub(crate) fn forget_books(db: &Db, before: i64) -> Result<u32> {
    const OLD: &str = "SELECT o.user_id, o.id, o.status = 'delivered' FROM erasures e \
         JOIN orders o ON o.user_id = e.user_id WHERE o.order_date < ?1 \
         AND o.status IN ('delivered', 'cancelled', 'returned') LIMIT ?2";
    const HELD: &str =
        "SELECT sku_id, quantity FROM order_items WHERE user_id = ?1 AND order_id = ?2";
    const FORGET_PIECES: &str = "UPDATE stock SET taken = taken - ?2 WHERE sku_id = ?1";
    const FORGET: [&str; 3] = [
        "DELETE FROM order_items WHERE user_id = ?1 AND order_id = ?2",
        "DELETE FROM order_history WHERE user_id = ?1 AND order_id = ?2",
        "DELETE FROM orders WHERE user_id = ?1 AND id = ?2",
    ];
    let mut statement = db.sql(OLD)?;
    let old = statement.query_map((before, BOOKS_FORGOTTEN_AT_ONCE), |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?))
    })?;
    let old = old.collect::<rusqlite::Result<Vec<(i64, i64, bool)>>>()?;
    for (user, order, holds) in &old {
        if *holds {
            let mut lines = db.sql(HELD)?;
            let mut lines = lines.query((user, order))?;
            while let Some(line) = lines.next()? {
                db.change_one(FORGET_PIECES, (line.get::<_, i64>(0)?, line.get::<_, i64>(1)?))?;
            }
        }
        for forget in FORGET {
            db.sql(forget)?.execute((user, order))?;
        }
    }
    Ok(u32::try_from(old.len()).unwrap_or(u32::MAX))
}

/// True if this very request erased the customer of this session.
pub(crate) fn was_erased_by(db: &Db, session: Session, guard: &Guard) -> Result<bool> {
    const ERASED: &str = "SELECT 1 FROM erasures WHERE user_id = ?1 AND request = ?2 \
         AND erased_at > ?3";
    let Some(key) = &guard.idempotency else { return Ok(false) };
    let since = db.now() - millis(IDEMPOTENCY_LIFETIME);
    let row = (session.user_id.0, key.request_of(session), since);
    Ok(db.sql(ERASED)?.query_row(row, |_| Ok(())).optional()?.is_some())
}

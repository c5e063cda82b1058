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
use evercart_core::phone::Phone;
use evercart_core::user::Session;
use tokio_postgres::GenericClient;

use crate::db::{Db, Params, Result};
use crate::phone_change::forget_former;
use crate::sign_in::{end_sessions, millis};

/// Tables that a cluster spreads by phone: their rows are deleted one by one, each where it lies.
const BY_PHONE: [&str; 2] = ["phone_numbers", "former_phones"];

/// What erases a customer's rows, which is the first parameter.
static STATEMENTS: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let tables = erased_tables().filter(|table| !BY_PHONE.contains(&table.name));
    // Made once, kept for ever: as if they were written here.
    tables.filter_map(statement).map(|sql| &*sql.leak()).collect()
});

/// What takes from orders what their delivery needs, from open ones only if the second parameter is
/// false.
static DELIVERY: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let open = open();
    let statement = |table: &Table| {
        let set = emptying(&table.emptied(Tag::Delivery))?;
        let owner = table.owner()?.name;
        let sql = format!(
            "UPDATE {table} SET {set} WHERE {owner} = $1 AND (NOT $2 OR status NOT IN ({open}))"
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
            ", {name} = CASE WHEN (SELECT u.phone FROM users u WHERE u.id = $1) = '' \
             THEN {empty} ELSE {name} END"
        );
    }
    let sql = format!(
        "UPDATE orders SET status = $3, \
         delivery_date = CASE WHEN $3 = 'delivered' THEN $4 ELSE delivery_date END{goes} \
         WHERE user_id = $1 AND id = $2"
    );
    sql.leak()
});

/// The customer's open orders, the oldest first.
static OPEN_ORDERS: LazyLock<&'static str> = LazyLock::new(|| {
    let open = open();
    let sql = format!(
        "SELECT id FROM orders WHERE user_id = $1 AND status IN ({open}) ORDER BY id LIMIT $2"
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
        return Some(format!("DELETE FROM {table} WHERE {owner} = $1"));
    }
    let set = emptying(&table.emptied(Tag::Personal))?;
    Some(format!("UPDATE {table} SET {set} WHERE {owner} = $1"))
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

const NOTE: &str = "INSERT INTO erasures (user_id, erased_at, open_orders, request) \
     VALUES ($1, $2, $3, $4)";
const LET_GO: &str = "DELETE FROM phone_numbers WHERE phone = $1 AND user_id = $2";

/// Erases a customer, whose row is locked and who has this phone: what is theirs goes, every token
/// is dead, and it is noted. A user without a phone is one who was erased. What is returned is to
/// be listed outside, once it is committed.
pub(crate) async fn erase(
    db: &Db<'_>,
    id: UserId,
    phone: &Phone,
    open_orders: OpenOrders,
    request: Option<[u8; 32]>,
) -> Result<Erasure> {
    const CREATED: &str = "SELECT created_at FROM users WHERE id = $1";
    let orders = open_orders_of(db, id).await?;
    let are_open = !orders.is_empty();
    if are_open && open_orders == OpenOrders::Refuse {
        return Err(Refused::OpenOrders { orders }.into());
    }
    end_sessions(db, id).await?;
    db.change_one(LET_GO, &[&phone.as_str(), &id.0]).await?;
    forget_former(db, id).await?;
    for sql in STATEMENTS.iter() {
        db.execute(sql, &[&id.0]).await?;
    }
    for sql in DELIVERY.iter() {
        db.execute(sql, &[&id.0, &are_open]).await?;
    }
    let (request, erased_at) = (request.as_ref().map(<[u8; 32]>::as_slice), db.now());
    db.change_one(NOTE, &[&id.0, &erased_at, &are_open, &request]).await?;
    let created_at = db.query_one(CREATED, &[&id.0]).await?.get(0);
    Ok(Erasure { user_id: id, created_at, erased_at, open_orders: are_open })
}

/// Erases again whom the list names and older data has brought back, in the caller's transaction.
/// Returns how many.
pub(crate) async fn repeat(
    client: &(impl GenericClient + Sync),
    listed: &[Erasure],
) -> Result<usize, tokio_postgres::Error> {
    const ARE_BACK: &str = "SELECT id, created_at, phone FROM users \
         WHERE id = ANY ($1) AND phone <> '' ORDER BY id FOR UPDATE";
    const END: &str = "UPDATE users SET is_active = false, session_epoch = session_epoch + 1 \
         WHERE id = $1";
    const FORMER: &str = "SELECT phone FROM former_phones WHERE user_id = $1";
    const FORGET: &str = "DELETE FROM former_phones WHERE phone = $1 AND user_id = $2";
    const NO_REQUEST: Option<&[u8]> = None;
    if listed.is_empty() {
        return Ok(0);
    }
    let ids: Vec<i64> = listed.iter().map(|one| one.user_id.0).collect();
    let mut count = 0;
    for row in client.query(ARE_BACK, &[&ids]).await? {
        let (id, created_at): (i64, i64) = (row.get(0), row.get(1));
        let is_this = |one: &&Erasure| (one.user_id.0, one.created_at) == (id, created_at);
        let Some(one) = listed.iter().find(is_this) else { continue };
        client.execute(END, &[&id]).await?;
        client.execute(LET_GO, &[&row.get::<_, &str>(2), &id]).await?;
        for former in client.query(FORMER, &[&id]).await? {
            client.execute(FORGET, &[&former.get::<_, &[u8]>(0), &id]).await?;
        }
        for sql in STATEMENTS.iter() {
            client.execute(*sql, &[&id]).await?;
        }
        for sql in DELIVERY.iter() {
            client.execute(*sql, &[&id, &one.open_orders]).await?;
        }
        client.execute(NOTE, &[&id, &one.erased_at, &one.open_orders, &NO_REQUEST]).await?;
        count += 1;
    }
    Ok(count)
}

async fn open_orders_of(db: &Db<'_>, id: UserId) -> Result<Vec<OrderId>> {
    let orders = db.query(&OPEN_ORDERS, &[&id.0, &i64::from(OPEN_ORDERS_TOLD)]).await?;
    Ok(orders.iter().map(|row| OrderId(row.get(0))).collect())
}

/// Deletes orders that the books need no longer.
pub(crate) async fn forget_books(db: &Db<'_>, before: i64) -> Result<u32> {
    const OLD: &str = "SELECT o.user_id, o.id, o.status = 'delivered' FROM erasures e \
         JOIN orders o ON o.user_id = e.user_id WHERE o.order_date < $1 \
         AND o.status IN ('delivered', 'cancelled', 'returned') ORDER BY o.user_id, o.id LIMIT $2";
    const LOCK: &str = "SELECT 1 FROM orders WHERE user_id = $1 AND id = $2 FOR UPDATE";
    const HELD: &str = "SELECT sku_id, quantity FROM order_items \
         WHERE user_id = $1 AND order_id = $2 ORDER BY sku_id";
    const FORGET_PIECES: &str = "UPDATE stock SET taken = taken - $2 WHERE sku_id = $1";
    const FORGET: [&str; 3] = [
        "DELETE FROM order_items WHERE user_id = $1 AND order_id = $2",
        "DELETE FROM order_history WHERE user_id = $1 AND order_id = $2",
        "DELETE FROM orders WHERE user_id = $1 AND id = $2",
    ];
    let mut count = 0;
    for row in db.query(OLD, &[&before, &i64::from(BOOKS_FORGOTTEN_AT_ONCE)]).await? {
        let (user, order): (i64, i64) = (row.get(0), row.get(1));
        let key: Params<'_> = &[&user, &order];
        // Another server may have been quicker.
        if db.query_opt(LOCK, key).await?.is_none() {
            continue;
        }
        if row.get(2) {
            for line in db.query(HELD, key).await? {
                let (sku, pieces): (i64, i32) = (line.get(0), line.get(1));
                db.change_one(FORGET_PIECES, &[&sku, &i64::from(pieces)]).await?;
            }
        }
        for forget in FORGET {
            db.execute(forget, key).await?;
        }
        count += 1;
    }
    Ok(count)
}

/// True if this very request erased the customer of this session.
pub(crate) async fn was_erased_by(db: &Db<'_>, session: Session, guard: &Guard) -> Result<bool> {
    const ERASED: &str = "SELECT 1 FROM erasures WHERE user_id = $1 AND request = $2 \
         AND erased_at > $3";
    let Some(key) = &guard.idempotency else { return Ok(false) };
    let (request, since) = (key.request_of(session), db.now() - millis(IDEMPOTENCY_LIFETIME));
    let params: Params<'_> = &[&session.user_id.0, &request.as_slice(), &since];
    Ok(db.query_opt(ERASED, params).await?.is_some())
}

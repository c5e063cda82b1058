//! One customer's rows, out and in.

use evercart_core::copy::{CopyError, CustomerRows, Row, Table, customer_tables};
use evercart_core::error::{Refused, Result as StoreResult};
use evercart_core::ids::UserId;
use evercart_core::operator::By;
use evercart_core::phone::Phone;
use rusqlite::params_from_iter;

use crate::Sqlite;
use crate::actor::audit;
use crate::copy::{Bound, insert, names, read};
use crate::db::{Db, Result};
use crate::sign_in::user_id_of;

pub(crate) async fn out(store: &Sqlite, phone: Phone, by: By) -> StoreResult<CustomerRows> {
    let noted = store.writer.write(move |db| {
        let id = user_id_of(db, &phone)?.ok_or(Refused::NotFound { what: "customer" })?;
        audit(db, id, "export", &by)?;
        Ok(id)
    });
    let id = noted.await?;
    store
        .readers
        .read_snapshot(move |db| {
            let mut tables = Vec::new();
            for table in customer_tables() {
                tables.push((table, rows_of(db, table, id)?));
            }
            Ok(CustomerRows::new(tables))
        })
        .await
}

fn rows_of(db: &Db, table: &'static Table, id: UserId) -> Result<Vec<Row>> {
    let owner = table.owner().map_or("user_id", |column| column.name);
    let (columns, key) = (names(table.columns), names(table.key_columns()));
    let sql = format!("SELECT {columns} FROM {table} WHERE {owner} = ?1 ORDER BY {key}");
    let mut statement = db.connection.prepare(&sql)?;
    let mut found = statement.query([id.0])?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        let columns = table.columns.iter().enumerate();
        let values = columns.map(|(index, column)| read(table, column, row.get_ref(index)?));
        rows.push(values.collect::<Result<Row>>()?);
    }
    Ok(rows)
}

pub(crate) async fn put(store: &Sqlite, rows: CustomerRows, by: By) -> Result<(), CopyError> {
    let added = store.writer.write(move |db| add(db, &rows, &by)).await?;
    match added {
        None => Ok(()),
        Some(what) => Err(CopyError::Taken { what }),
    }
}

/// Adds a customer; says what is there already, and has changed nothing then.
fn add(db: &Db, rows: &CustomerRows, by: &By) -> Result<Option<String>> {
    const HOLD: &str = "UPDATE stock SET taken = taken + ?2 WHERE sku_id = ?1";
    const PASS: &str = "UPDATE counters SET next = max(next, ?2 + 1) WHERE name = ?1";
    if let Some(what) = taken(db, rows)? {
        return Ok(Some(what));
    }
    for (table, rows) in rows.tables() {
        let mut statement = db.connection.prepare(&insert(table))?;
        for row in rows {
            statement.execute(params_from_iter(row.iter().map(Bound)))?;
        }
    }
    for (sku, pieces) in rows.pieces_held() {
        db.change_one(HOLD, (sku, pieces))?;
    }
    let id = rows.user_id();
    let last_order = rows.orders().max().unwrap_or(0);
    for (counter, last) in [("user", id.0), ("order", last_order)] {
        db.change_one(PASS, (counter, last))?;
        db.reserve(counter, last + 1)?;
    }
    audit(db, id, "import", by)?;
    Ok(None)
}

fn taken(db: &Db, rows: &CustomerRows) -> Result<Option<String>> {
    const USER: &str = "SELECT 1 FROM users WHERE id = ?1";
    const ORDER: &str = "SELECT 1 FROM orders WHERE id = ?1";
    let id = rows.user_id();
    if db.sql(USER)?.exists([id.0])? {
        return Ok(Some(format!("a customer with the number {id}")));
    }
    if user_id_of(db, &rows.phone())?.is_some() {
        return Ok(Some("a customer with this phone".to_owned()));
    }
    for order in rows.orders() {
        if db.sql(ORDER)?.exists([order])? {
            return Ok(Some(format!("an order with the number {order}")));
        }
    }
    Ok(None)
}

//! One customer's rows, out and in.

use evercart_core::copy::{CopyError, CustomerRows, Row, Table, customer_tables};
use evercart_core::error::{Refused, Result as StoreResult};
use evercart_core::ids::UserId;
use evercart_core::operator::By;
use evercart_core::phone::Phone;
use tokio_postgres::types::ToSql;

use crate::Postgres;
use crate::actor::audit;
use crate::copy_rows::{self, Bound};
use crate::db::{Db, DbError, Result, snapshot, transact};
use crate::sign_in::{pass_over_user, user_id_of};

pub(crate) async fn out(store: &Postgres, phone: &Phone, by: &By) -> StoreResult<CustomerRows> {
    let id = transact!(store, |db| note(&db, phone, by))?;
    snapshot!(store, |db| rows_of(&db, id))
}

async fn note(db: &Db<'_>, phone: &Phone, by: &By) -> Result<UserId> {
    const LOCK: &str = "SELECT 1 FROM users WHERE id = $1 FOR UPDATE";
    let id = user_id_of(db, phone).await?.ok_or(Refused::NotFound { what: "customer" })?;
    db.query_one(LOCK, &[&id.0]).await?;
    audit(db, id, "export", by).await?;
    Ok(id)
}

async fn rows_of(db: &Db<'_>, id: UserId) -> Result<CustomerRows> {
    let mut tables = Vec::new();
    for table in customer_tables() {
        let mut rows = Vec::new();
        for row in db.query_made(&copy_rows::select_of_customer(table), &[&id.0]).await? {
            rows.push(copy_rows::read(table, &row).map_err(DbError::Store)?);
        }
        tables.push((table, rows));
    }
    Ok(CustomerRows::new(tables))
}

pub(crate) async fn put(
    store: &Postgres,
    rows: &CustomerRows,
    by: &By,
) -> std::result::Result<(), CopyError> {
    match transact!(store, |db| add(&db, rows, by))? {
        None => Ok(()),
        Some(what) => Err(CopyError::Taken { what }),
    }
}

/// Adds a customer; says what is there already, and has changed nothing then.
async fn add(db: &Db<'_>, rows: &CustomerRows, by: &By) -> Result<Option<String>> {
    const HOLD: &str = "UPDATE stock SET taken = taken + $2 WHERE sku_id = $1";
    const PASS_ORDERS: &str = "SELECT setval('order_numbers', greatest($1, last_value)) \
         FROM order_numbers WHERE last_value < $1 OR NOT is_called";
    if let Some(what) = taken(db, rows).await? {
        return Ok(Some(what));
    }
    for (table, rows) in rows.tables() {
        insert(db, table, rows).await?;
    }
    let mut held = rows.pieces_held();
    // By SKU, as orders take them.
    held.sort_unstable();
    for (sku, pieces) in held {
        db.change_one(HOLD, &[&sku, &pieces]).await?;
    }
    let id = rows.user_id();
    pass_over_user(db, id).await?;
    if let Some(last) = rows.orders().max() {
        db.query_opt(PASS_ORDERS, &[&last]).await?;
        db.reserve("order", last + 1).await?;
    }
    audit(db, id, "import", by).await?;
    Ok(None)
}

async fn insert(db: &Db<'_>, table: &'static Table, rows: &[Row]) -> Result<()> {
    for row in rows {
        copy_rows::refuse_nul(table, row).map_err(DbError::Store)?;
        let values: Vec<Bound<'_>> = row.iter().map(Bound).collect();
        let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as _).collect();
        db.execute_made(&copy_rows::insert(table), &values).await?;
    }
    Ok(())
}

async fn taken(db: &Db<'_>, rows: &CustomerRows) -> Result<Option<String>> {
    const USER: &str = "SELECT 1 FROM users WHERE id = $1";
    const ORDERS: &str = "SELECT min(id) FROM orders WHERE id = ANY ($1)";
    let id = rows.user_id();
    if db.query_opt(USER, &[&id.0]).await?.is_some() {
        return Ok(Some(format!("a customer with the number {id}")));
    }
    if user_id_of(db, &rows.phone()).await?.is_some() {
        return Ok(Some("a customer with this phone".to_owned()));
    }
    let orders: Vec<i64> = rows.orders().collect();
    let first: Option<i64> = db.query_one(ORDERS, &[&orders]).await?.get(0);
    Ok(first.map(|order| format!("an order with the number {order}")))
}

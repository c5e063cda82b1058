//! The rows of a copy as PostgreSQL reads and writes them: its statements, made from the list of
//! tables, and its values.

use std::error::Error;
use std::fmt::Write;

use bytes::BytesMut;
use evercart_core::copy::{Column, Kind, Row, TABLES, Table, Value};
use evercart_core::error::{Failed, Result as StoreResult};
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{GenericClient, Transaction};

use crate::db::failed;
use crate::words;

/// The table that sequences stand for.
pub(crate) const COUNTERS: &str = "counters";

type Result<T> = std::result::Result<T, tokio_postgres::Error>;

/// The next number of each sequence, by the name that copies have for it.
pub(crate) async fn counters(client: &(impl GenericClient + Sync)) -> Result<Vec<Row>> {
    const NEXT: &str = "SELECT 'order', last_value + is_called::integer FROM order_numbers \
         UNION ALL SELECT 'product', last_value + is_called::integer FROM product_numbers \
         UNION ALL SELECT 'sku', last_value + is_called::integer FROM sku_numbers \
         UNION ALL SELECT 'user', last_value + is_called::integer FROM user_numbers";
    let mut rows: Vec<(String, i64)> = Vec::new();
    for row in client.query(NEXT, &[]).await? {
        rows.push((row.get(0), row.get(1)));
    }
    rows.sort();
    Ok(rows.into_iter().map(|(name, next)| vec![Value::Text(name), Value::Integer(next)]).collect())
}

/// Sets the sequences. Unlike `setval` this is undone when the transaction is.
pub(crate) async fn set_counters(transaction: &Transaction<'_>, rows: &[Row]) -> Result<()> {
    for row in rows {
        if let [Value::Text(name), Value::Integer(next)] = row.as_slice() {
            let sequence = match name.as_str() {
                "order" => "order_numbers",
                "product" => "product_numbers",
                "sku" => "sku_numbers",
                // A name of another is found when the rows are read back.
                _ => "user_numbers",
            };
            let restart = format!("ALTER SEQUENCE {sequence} RESTART WITH {next}");
            transaction.batch_execute(&restart).await?;
        }
    }
    Ok(())
}

/// Adds products with what search looks through.
pub(crate) async fn insert_products(transaction: &Transaction<'_>, rows: &[Row]) -> Result<()> {
    const INSERT: &str = "INSERT INTO products (id, handle, name, brand, category, description, \
         for_sale, words) SELECT n.id, n.handle, n.name, n.brand, n.category, n.description, \
         n.for_sale, array_to_tsvector(string_to_array(n.words, ' ')) FROM unnest($1::bigint[], \
         $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::boolean[], $8::text[]) \
         AS n (id, handle, name, brand, category, description, for_sale, words)";
    let numbers: Vec<_> = rows.iter().map(|row| integer(&row[0])).collect();
    let texts = |index: usize| rows.iter().map(|row| text(&row[index])).collect::<Vec<_>>();
    let for_sale: Vec<_> = rows.iter().map(|row| row[6] == Value::Flag(true)).collect();
    let words: Vec<_> =
        rows.iter().map(|row| words::of_texts(row[2..6].iter().filter_map(text))).collect();
    transaction
        .execute(
            INSERT,
            &[&numbers, &texts(1), &texts(2), &texts(3), &texts(4), &texts(5), &for_sale, &words],
        )
        .await?;
    Ok(())
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Integer(number) => Some(*number),
        _ => None,
    }
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

pub(crate) async fn remove_seeds(transaction: &Transaction<'_>) -> Result<()> {
    const SEEDS: &str = "DELETE FROM catalogue_version; DELETE FROM incarnation; \
         DELETE FROM awake";
    transaction.batch_execute(SEEDS).await
}

/// How many rows there are in all tables.
pub(crate) async fn count(client: &(impl GenericClient + Sync)) -> StoreResult<u64> {
    let mut total = counters(client).await.map_err(|error| failed(&error))?.len() as u64;
    for table in TABLES.iter().filter(|table| table.name != COUNTERS) {
        let sql = format!("SELECT count(*) FROM {table}");
        let row = client.query_one(&sql, &[]).await.map_err(|error| failed(&error))?;
        total += row.get::<_, i64>(0).unsigned_abs();
    }
    Ok(total)
}

/// Reads a table in the order of its key, whatever order the database has for texts.
pub(crate) fn select(table: &Table) -> String {
    let mut order = String::new();
    for (index, column) in table.key_columns().iter().enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        let collation = if column.kind == Kind::Text { " COLLATE \"C\"" } else { "" };
        // Writing to a String cannot fail.
        let _ = write!(order, "{comma}{}{collation}", column.name);
    }
    format!("SELECT {} FROM {table} ORDER BY {order}", names(table.columns))
}

/// The same of one customer, who is the first parameter.
pub(crate) fn select_of_customer(table: &Table) -> String {
    let owner = table.owner().map_or("user_id", |column| column.name);
    select(table).replacen(" ORDER BY ", &format!(" WHERE {owner} = $1 ORDER BY "), 1)
}

pub(crate) fn insert(table: &Table) -> String {
    let values: Vec<String> = (1..=table.columns.len()).map(|n| format!("${n}")).collect();
    let (columns, values) = (names(table.columns), values.join(", "));
    format!("INSERT INTO {table} ({columns}) VALUES ({values})")
}

pub(crate) fn copy_in(table: &Table) -> String {
    format!("COPY {table} ({}) FROM STDIN (FORMAT binary)", names(table.columns))
}

pub(crate) fn analyze(table: &Table) -> String {
    match table.name {
        COUNTERS => String::new(),
        name => format!("ANALYZE {name}"),
    }
}

/// Keeps everybody else from writing. Reading goes on.
pub(crate) fn lock_all() -> String {
    let names = TABLES.iter().map(|table| table.name).filter(|name| *name != COUNTERS);
    format!("LOCK TABLE {} IN EXCLUSIVE MODE", names.collect::<Vec<_>>().join(", "))
}

fn names(columns: &[Column]) -> String {
    columns.iter().map(|column| column.name).collect::<Vec<_>>().join(", ")
}

/// The types of a table's columns: some numbers are shorter than others.
pub(crate) async fn types(transaction: &Transaction<'_>, table: &Table) -> Result<Vec<Type>> {
    let statement = transaction.prepare(&select(table)).await?;
    Ok(statement.columns().iter().map(|column| column.type_().clone()).collect())
}

/// A row as it was read.
pub(crate) fn read(table: &Table, row: &tokio_postgres::Row) -> StoreResult<Row> {
    let columns = table.columns.iter().enumerate();
    let values = columns.map(|(index, column)| {
        let value = match (column.kind, row.columns()[index].type_()) {
            (Kind::Integer, &Type::INT4) => {
                row.try_get(index).map(|n: Option<i32>| n.map(|n| Value::Integer(n.into())))
            }
            (Kind::Integer, _) => row.try_get(index).map(|n: Option<_>| n.map(Value::Integer)),
            (Kind::Flag, _) => row.try_get(index).map(|yes: Option<_>| yes.map(Value::Flag)),
            (Kind::Text, _) => row.try_get(index).map(|text: Option<_>| text.map(Value::Text)),
            (Kind::Blob, _) => row.try_get(index).map(|bytes: Option<_>| bytes.map(Value::Blob)),
        };
        value.map(|value| value.unwrap_or(Value::Null)).map_err(|error| {
            let text = format!("{table} has another {}: {error}", column.name);
            Failed::Inconsistent(text).into()
        })
    });
    values.collect()
}

/// PostgreSQL keeps every text but one with a NUL in it: says whose it is.
pub(crate) fn refuse_nul(table: &Table, row: &Row) -> StoreResult<()> {
    let mut columns = table.columns.iter().zip(row);
    match columns.find(|(_, value)| text(value).is_some_and(|text| text.contains('\0'))) {
        None => Ok(()),
        Some((column, _)) => Err(Failed::Inconsistent(format!(
            "row {} of {table} has a NUL character in its {}, which PostgreSQL cannot keep",
            table.key_of(row),
            column.name
        ))
        .into()),
    }
}

/// A value as PostgreSQL takes it.
#[derive(Debug)]
pub(crate) struct Bound<'a>(pub(crate) &'a Value);

impl ToSql for Bound<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> std::result::Result<IsNull, Box<dyn Error + Sync + Send>> {
        match (self.0, ty) {
            (Value::Null, _) => Ok(IsNull::Yes),
            (Value::Integer(number), &Type::INT4) => i32::try_from(*number)?.to_sql(ty, out),
            (Value::Integer(number), _) => number.to_sql(ty, out),
            (Value::Flag(yes), _) => yes.to_sql(ty, out),
            (Value::Text(text), _) => text.to_sql(ty, out),
            (Value::Blob(bytes), _) => bytes.to_sql(ty, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

//! Copies of the whole store, out and in, as rows that every adapter understands. Works on
//! connections of its own, and on the thread that asks: it is for commands, not for requests.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use evercart_core::clock::Clock;
use evercart_core::copy::{
    self, Column, Copies, CopyError, CustomerRows, Kind, Progress, Reader, Row, TABLES, Table,
    Value, Writer,
};
use evercart_core::error::{Failed, Result as StoreResult};
use evercart_core::operator::{By, CheckReport};
use evercart_core::phone::Phone;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql, params_from_iter};

use crate::db::{Db, DbError, Result, open_for_reading, open_for_writing};
use crate::{Sqlite, check, customer_copy, shown};

#[async_trait]
impl Copies for Sqlite {
    async fn copy_out(&self) -> StoreResult<Box<dyn Reader>> {
        rows_in(&self.path, self.clock.clone())
    }

    async fn copy_in(
        &self,
        source: &mut dyn Reader,
        progress: Progress<'_>,
    ) -> Result<CheckReport, CopyError> {
        let connection = open_for_writing(&self.path).map_err(store_error)?;
        // Dropped on any way out but the last: SQLite then takes everything back.
        let mut store = Rows::begin(connection, "BEGIN IMMEDIATE", self.clock.clone())
            .map_err(DbError::into_store_error)?;
        copy::refuse_unless_empty(&mut store).await?;
        store.remove_seeds().map_err(DbError::into_store_error)?;
        copy::fill(&mut store, source, progress).await?;
        let report = check::check(&store.db.connection).map_err(DbError::into_store_error)?;
        if !report.findings.is_empty() {
            return Err(CopyError::Unsound(report));
        }
        store.db.connection.execute_batch("COMMIT").map_err(store_error)?;
        Ok(report)
    }

    async fn customer_out(&self, phone: Phone, by: By) -> StoreResult<CustomerRows> {
        customer_copy::out(self, phone, by).await
    }

    async fn customer_in(&self, rows: CustomerRows, by: By) -> Result<(), CopyError> {
        customer_copy::put(self, rows, by).await
    }
}

/// The rows of a store that is not open. Looks and changes nothing: the file may be of an earlier
/// schema, or damaged, which its reading then says.
///
/// # Errors
/// It is no store, or cannot be read.
pub fn rows_in(path: &Path, clock: Arc<dyn Clock>) -> StoreResult<Box<dyn Reader>> {
    let connection = open_for_reading(path).map_err(store_error)?;
    Ok(Box::new(Rows::begin(connection, "BEGIN", clock).map_err(DbError::into_store_error)?))
}

fn store_error(error: rusqlite::Error) -> evercart_core::error::StoreError {
    DbError::Sql(error).into_store_error()
}

/// A store's rows in an open transaction, and how far they have been read.
struct Rows {
    db: Db,
    table: &'static Table,
    /// The key of the last row that was read.
    after: Option<Row>,
    /// The file is of a schema in which not all of the catalogue need be shown.
    has_imports: bool,
}

#[async_trait]
impl Reader for Rows {
    async fn count(&mut self) -> StoreResult<u64> {
        let mut total = 0;
        for table in TABLES {
            total += self.count_in(table).map_err(DbError::into_store_error)?;
        }
        Ok(total)
    }

    async fn open(&mut self, table: &'static Table) -> StoreResult<()> {
        (self.table, self.after) = (table, None);
        Ok(())
    }

    async fn next(&mut self, limit: usize) -> StoreResult<Vec<Row>> {
        let rows = self.page(limit).map_err(DbError::into_store_error)?;
        if let Some(last) = rows.last() {
            self.after = Some(last[..self.table.key].to_vec());
        }
        Ok(rows)
    }
}

#[async_trait]
impl Writer for Rows {
    async fn write(&mut self, table: &'static Table, rows: Vec<Row>) -> StoreResult<()> {
        self.insert(table, &rows).map_err(DbError::into_store_error)
    }

    async fn finish(&mut self, table: &'static Table) -> StoreResult<()> {
        const WORDS: &str = "INSERT INTO product_words (rowid, name, brand, category, description) \
             SELECT id, name, brand, category, description FROM products";
        if table.name == "products" {
            self.db.connection.execute(WORDS, []).map_err(store_error)?;
        }
        Ok(())
    }
}

impl Rows {
    fn begin(connection: Connection, begin: &str, clock: Arc<dyn Clock>) -> Result<Self> {
        const FIRST_READ: &str = "SELECT version FROM catalogue_version";
        const HAS_IMPORTS: &str =
            "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'import_state')";
        shown::make_views(&connection)?;
        connection.execute_batch(begin)?;
        // A transaction's moment is that of its first read.
        connection.query_row(FIRST_READ, [], |_| Ok(()))?;
        let has_imports = connection.query_row(HAS_IMPORTS, [], |row| row.get(0))?;
        let db = Db::new(connection, clock);
        Ok(Self { db, table: &TABLES[0], after: None, has_imports })
    }

    /// Where a table's rows are read: a copy has what is shown.
    fn place_of(&self, table: &Table) -> String {
        match self.has_imports && ["products", "skus", "stock"].contains(&table.name) {
            true => format!("shown_{table}"),
            false => table.to_string(),
        }
    }

    fn remove_seeds(&self) -> Result<()> {
        const SEEDS: &str = "DELETE FROM counters; DELETE FROM catalogue_version; \
             DELETE FROM incarnation; DELETE FROM awake";
        Ok(self.db.connection.execute_batch(SEEDS)?)
    }

    fn count_in(&self, table: &Table) -> Result<u64> {
        let sql = format!("SELECT count(*) FROM {}", self.place_of(table));
        let count: i64 = self.db.connection.query_row(&sql, [], |row| row.get(0))?;
        Ok(count.unsigned_abs())
    }

    fn page(&self, limit: usize) -> Result<Vec<Row>> {
        let table = self.table;
        let mut statement =
            self.db.connection.prepare_cached(&self.select(self.after.is_some()))?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let after = self.after.iter().flatten().cloned();
        let values: Vec<Value> = after.chain([Value::Integer(limit)]).collect();
        let mut found = statement.query(params_from_iter(values.iter().map(Bound)))?;
        let mut rows = Vec::new();
        while let Some(row) = found.next()? {
            let columns = table.columns.iter().enumerate();
            let values = columns.map(|(index, column)| read(table, column, row.get_ref(index)?));
            rows.push(values.collect::<Result<Row>>()?);
        }
        Ok(rows)
    }

    /// Reads rows after a key (if there is one), at most as many as the last parameter says.
    fn select(&self, is_after: bool) -> String {
        let table = self.table;
        let (columns, key) = (names(table.columns), names(table.key_columns()));
        let after = match is_after {
            true => format!(" WHERE ({key}) > ({})", parameters(table.key)),
            false => String::new(),
        };
        format!("SELECT {columns} FROM {}{after} ORDER BY {key} LIMIT ?", self.place_of(table))
    }

    fn insert(&self, table: &Table, rows: &[Row]) -> Result<()> {
        let mut statement = self.db.connection.prepare_cached(&insert(table))?;
        for row in rows {
            statement.execute(params_from_iter(row.iter().map(Bound)))?;
        }
        Ok(())
    }
}

pub(crate) fn insert(table: &Table) -> String {
    let columns = names(table.columns);
    format!("INSERT INTO {table} ({columns}) VALUES ({})", parameters(table.columns.len()))
}

pub(crate) fn names(columns: &[Column]) -> String {
    let mut list = String::new();
    for (index, column) in columns.iter().enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        // `key` and others are words of SQL, too. Writing to a String cannot fail.
        let _ = write!(list, "{comma}\"{}\"", column.name);
    }
    list
}

fn parameters(count: usize) -> String {
    vec!["?"; count].join(", ")
}

pub(crate) fn read(table: &Table, column: &Column, found: ValueRef<'_>) -> Result<Value> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).map(Value::Text).ok();
    let value = match (column.kind, found) {
        (_, ValueRef::Null) => Some(Value::Null),
        (Kind::Integer, ValueRef::Integer(number)) => Some(Value::Integer(number)),
        (Kind::Flag, ValueRef::Integer(0)) => Some(Value::Flag(false)),
        (Kind::Flag, ValueRef::Integer(1)) => Some(Value::Flag(true)),
        (Kind::Text, ValueRef::Text(bytes)) => text(bytes),
        (Kind::Blob, ValueRef::Blob(bytes)) => Some(Value::Blob(bytes.to_vec())),
        _ => None,
    };
    value.filter(|value| value.fits(column)).ok_or_else(|| {
        let what = found.data_type();
        Failed::Inconsistent(format!("{table} has a {} of type {what}", column.name)).into()
    })
}

/// A value as SQLite takes it.
pub(crate) struct Bound<'a>(pub(crate) &'a Value);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            Value::Integer(number) => ValueRef::Integer(*number),
            Value::Flag(yes) => ValueRef::Integer(i64::from(*yes)),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

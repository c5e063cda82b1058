//! A whole store as rows that every adapter understands: what a move from one database to another,
//! a backup and its restoration have in common.

mod customer;
mod decided;
mod erasure;
mod tables;

use std::fmt;

use async_trait::async_trait;
use thiserror::Error;

use crate::error::{Failed, Result, StoreError};
use crate::operator::{By, CheckReport};
use crate::phone::Phone;

pub use customer::{CustomerRows, OfCustomer, customer_tables};
pub use decided::{Decided, Decision, What, WithDecided};
pub use erasure::{Erasure, erased_tables, open_statuses};
pub use tables::{Column, Kind, TABLES, Table, Tag};

/// Rows that are in memory at a time. The largest, an order, has at most a few kilobytes.
pub const ROWS_MAX: usize = 1000;

/// What a column of a row holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// Nothing.
    Null,
    /// See [`Kind::Integer`].
    Integer(i64),
    /// See [`Kind::Flag`].
    Flag(bool),
    /// See [`Kind::Text`].
    Text(String),
    /// See [`Kind::Blob`].
    Blob(Vec<u8>),
}

impl Value {
    /// True if a column may hold it.
    pub fn fits(&self, column: &Column) -> bool {
        match self {
            Value::Null => column.is_optional,
            Value::Integer(_) => column.kind == Kind::Integer,
            Value::Flag(_) => column.kind == Kind::Flag,
            Value::Text(_) => column.kind == Kind::Text,
            Value::Blob(_) => column.kind == Kind::Blob,
        }
    }
}

/// A row: a value for each of its table's columns, in their order.
pub type Row = Vec<Value>;

/// Told how many rows more were done. A copy does each row twice: it is written, and read back.
pub type Progress<'a> = &'a mut (dyn FnMut(u64) + Send);

/// Copies of a whole store, out and in.
#[async_trait]
pub trait Copies: Send + Sync {
    /// All rows as of one moment, which is now. The store may go on being served.
    ///
    /// # Errors
    /// A failure.
    async fn copy_out(&self) -> Result<Box<dyn Reader>>;

    /// Fills the store, which must be empty, with all rows of `source`: in one transaction in which
    /// every row is read back and compared, and every promise checked, before it is kept.
    ///
    /// # Errors
    /// See [`CopyError`]. Nothing was changed then.
    async fn copy_in(
        &self,
        source: &mut dyn Reader,
        progress: Progress<'_>,
    ) -> Result<CheckReport, CopyError>;

    /// All rows of the customer with this phone, as of one moment, which leaves a line in the audit
    /// log.
    ///
    /// # Errors
    /// `NotFound`.
    async fn customer_out(&self, phone: Phone, by: By) -> Result<CustomerRows>;

    /// Adds a customer with their numbers, in one transaction, and leaves a line in the audit log.
    /// The pieces of their orders are gone from the stock already. Numbers go on after theirs.
    ///
    /// # Errors
    /// `Taken`; a failure if they have what the catalogue does not. Nothing was changed then.
    async fn customer_in(&self, rows: CustomerRows, by: By) -> Result<(), CopyError>;
}

/// Reads a store's rows, as of one moment.
#[async_trait]
pub trait Reader: Send {
    /// How many rows there are in all tables.
    ///
    /// # Errors
    /// A failure.
    async fn count(&mut self) -> Result<u64>;

    /// Goes to a table's first row. The tables are opened in their order, and then perhaps again
    /// from the first on.
    ///
    /// # Errors
    /// A failure.
    async fn open(&mut self, table: &'static Table) -> Result<()>;

    /// The next rows of the open table, at most `limit`, in the order of its key. None at its end.
    ///
    /// # Errors
    /// A failure.
    async fn next(&mut self, limit: usize) -> Result<Vec<Row>>;
}

/// Writes a store's rows, inside one transaction that sees what it wrote.
#[async_trait]
pub trait Writer: Reader {
    /// Adds rows to a table, after those before.
    ///
    /// # Errors
    /// A failure.
    async fn write(&mut self, table: &'static Table, rows: Vec<Row>) -> Result<()>;

    /// All rows of the table are written: makes what follows from them.
    ///
    /// # Errors
    /// A failure.
    async fn finish(&mut self, table: &'static Table) -> Result<()>;
}

/// Why a copy was not made. Nothing was changed, but perhaps after [`CopyError::Unknown`].
#[derive(Debug, Error)]
pub enum CopyError {
    /// There is data in the target.
    #[error("there is data already, in {table}")]
    NotEmpty {
        /// Where.
        table: &'static str,
    },
    /// The number or phone of a customer, or the number of an order.
    #[error("{what} is there already")]
    Taken {
        /// What, for people.
        what: String,
    },
    /// What was read back is not what was written.
    #[error("{0}")]
    Differs(Difference),
    /// What was copied breaks promises.
    #[error("what was copied breaks promises")]
    Unsound(CheckReport),
    /// The target went away when all was done and only its word was missing: it has everything, or
    /// nothing.
    #[error("whether the copy was kept is not known: {0}")]
    Unknown(String),
    /// A store could not do it.
    #[error("{0}")]
    Store(#[from] StoreError),
}

impl From<Failed> for CopyError {
    fn from(failed: Failed) -> Self {
        CopyError::Store(failed.into())
    }
}

/// The first row in which two stores differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    table: &'static str,
    key: String,
    how: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, key, how } = self;
        write!(f, "the copy is not the same: row {key} of {table} {how}")
    }
}

/// Refuses a store that has any rows but those that every new one has.
///
/// # Errors
/// `NotEmpty`, or a failure.
pub async fn refuse_unless_empty(store: &mut dyn Reader) -> Result<(), CopyError> {
    for table in TABLES.iter().filter(|table| !table.is_seeded) {
        store.open(table).await?;
        if !store.next(1).await?.is_empty() {
            return Err(CopyError::NotEmpty { table: table.name });
        }
    }
    Ok(())
}

/// Writes every row of `source` into `target`, then reads both again and compares them.
///
/// # Errors
/// `Differs`, or a failure.
pub async fn fill(
    target: &mut dyn Writer,
    source: &mut dyn Reader,
    progress: Progress<'_>,
) -> Result<(), CopyError> {
    for table in TABLES {
        source.open(table).await?;
        loop {
            let rows = source.next(ROWS_MAX).await?;
            if rows.is_empty() {
                break;
            }
            let count = rows.len() as u64;
            target.write(table, rows).await?;
            progress(count);
        }
        target.finish(table).await?;
    }
    compare(target, source, progress).await
}

async fn compare(
    target: &mut dyn Writer,
    source: &mut dyn Reader,
    progress: Progress<'_>,
) -> Result<(), CopyError> {
    for table in TABLES {
        source.open(table).await?;
        target.open(table).await?;
        loop {
            let expected = source.next(ROWS_MAX).await?;
            let found = target.next(expected.len().max(1)).await?;
            if let Some(difference) = first_difference(table, &expected, &found) {
                return Err(CopyError::Differs(difference));
            }
            if expected.is_empty() {
                break;
            }
            progress(expected.len() as u64);
        }
    }
    Ok(())
}

/// The first of two lists' rows that are not the same.
fn first_difference(table: &'static Table, expected: &[Row], found: &[Row]) -> Option<Difference> {
    let differs = |row: &Row, how: String| {
        Some(Difference { table: table.name, key: table.key_of(row), how })
    };
    for (index, row) in expected.iter().enumerate() {
        let Some(other) = found.get(index) else { return differs(row, "is missing".into()) };
        if row == other {
            continue;
        }
        if row[..table.key] != other[..table.key] {
            return differs(row, format!("is not where {} is", table.key_of(other)));
        }
        let mut columns = table.columns.iter().zip(row.iter().zip(other));
        let column = columns.find(|(_, (a, b))| a != b).map(|(column, _)| column.name);
        // Values may be a customer's: the column's name is enough to find them.
        return differs(row, format!("has another {}", column.unwrap_or("length")));
    }
    let surplus = found.get(expected.len())?;
    differs(surplus, "was not there before".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wishes(rows: &[(i64, i64, i64)]) -> Vec<Row> {
        let row = |&(user, product, id): &(i64, i64, i64)| {
            [user, product, id, 0].map(Value::Integer).to_vec()
        };
        rows.iter().map(row).collect()
    }

    fn difference(expected: &[(i64, i64, i64)], found: &[(i64, i64, i64)]) -> Option<String> {
        let table = Table::named("wishlist_items").expect("it is in the list");
        let difference = first_difference(table, &wishes(expected), &wishes(found));
        difference.map(|difference| difference.to_string())
    }

    #[test]
    fn the_first_difference_is_named() {
        let rows = [(1, 15, 1), (1, 16, 2), (2, 15, 1)];
        assert_eq!(difference(&rows, &rows), None);
        let text = |found| difference(&rows, found).expect("they differ");
        assert!(text(&rows[..2]).ends_with("row (2, 15) of wishlist_items is missing"));
        assert!(text(&[(1, 15, 1), (1, 16, 9), (2, 15, 1)]).ends_with("has another id"));
        assert!(text(&[(1, 15, 1), (2, 15, 1)]).contains("row (1, 16)"));
        let longer = [(1, 15, 1), (1, 16, 2), (2, 15, 1), (3, 15, 1)];
        assert!(text(&longer).contains("row (3, 15) of wishlist_items was not there before"));
    }

    #[test]
    fn tables_come_after_those_they_refer_to_and_keys_are_never_null() {
        for (index, table) in TABLES.iter().enumerate() {
            assert_eq!(table.index(), index);
            assert!((1..=table.columns.len()).contains(&table.key), "{table}");
            assert!(table.key_columns().iter().all(|column| !column.is_optional), "{table}");
        }
        let place = |name: &str| Table::named(name).expect("it is in the list").index();
        for (later, earlier) in [
            ("skus", "products"),
            ("phone_numbers", "users"),
            ("cart_items", "carts"),
            ("order_items", "orders"),
            ("wishlist_items", "products"),
        ] {
            assert!(place(later) > place(earlier), "{later} refers to {earlier}");
        }
    }

    #[test]
    fn a_phone_in_a_key_is_masked() {
        let table = Table::named("phone_numbers").expect("it is in the list");
        let row = vec![Value::Text("+13128059851".into()), Value::Integer(19)];
        assert!(!table.key_of(&row).contains("8059851"));
    }
}

//! One customer's rows, out of a store and into another: for whoever asks for all that is held of
//! them in a form that a shop can read again.

use std::vec;

use async_trait::async_trait;

use super::tables::USERS;
use super::{ROWS_MAX, Reader, Row, TABLES, Table, Value};
use crate::error::Result;
use crate::ids::UserId;
use crate::order::OrderStatus;
use crate::phone::Phone;

/// The rows of one customer, table by table in the order of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerRows {
    tables: Vec<(&'static Table, Vec<Row>)>,
}

/// The tables that a customer's rows are taken from: their own, but for the note that they were
/// erased.
pub fn customer_tables() -> impl Iterator<Item = &'static Table> {
    TABLES.iter().filter(|table| table.owner().is_some() && table.name != "erasures")
}

fn field<'a>(table: &Table, row: &'a Row, name: &str) -> &'a Value {
    &row[table.column(name)]
}

fn integer(value: &Value) -> i64 {
    match value {
        Value::Integer(number) => *number,
        _ => 0,
    }
}

impl CustomerRows {
    /// Takes a customer's rows as they were read.
    pub fn new(tables: Vec<(&'static Table, Vec<Row>)>) -> Self {
        Self { tables }
    }

    /// Reads a copy that holds one customer.
    ///
    /// # Errors
    /// It cannot be read; the inner error is a sentence about what is wrong with it.
    pub async fn of(source: &mut dyn Reader) -> Result<std::result::Result<Self, String>> {
        let mut tables = Vec::new();
        for table in TABLES {
            source.open(table).await?;
            let mut rows = Vec::new();
            loop {
                let some = source.next(ROWS_MAX).await?;
                if some.is_empty() {
                    break;
                }
                rows.extend(some);
            }
            let is_customers = customer_tables().any(|one| one.name == table.name);
            if is_customers {
                tables.push((table, rows));
            } else if table.before.is_none() && !rows.is_empty() {
                return Ok(Err(format!(
                    "it has rows of {table}: it is no customer's, but a shop's"
                )));
            }
        }
        let rows = Self { tables };
        Ok(rows.check().map(|()| rows))
    }

    /// The rows of each table.
    pub fn tables(&self) -> impl Iterator<Item = (&'static Table, &[Row])> {
        self.tables.iter().map(|(table, rows)| (*table, rows.as_slice()))
    }

    fn rows(&self, name: &str) -> &[Row] {
        let found = self.tables.iter().find(|(table, _)| table.name == name);
        found.map_or(&[], |(_, rows)| rows)
    }

    fn user(&self) -> Option<&Row> {
        self.rows("users").first()
    }

    /// Whose they are.
    pub fn user_id(&self) -> UserId {
        UserId(self.user().map_or(0, |row| integer(&row[0])))
    }

    /// When the account was made, in milliseconds since 1970.
    pub fn created_at(&self) -> i64 {
        self.user().map_or(0, |row| integer(field(&USERS, row, "created_at")))
    }

    /// The customer's phone.
    pub fn phone(&self) -> Phone {
        let phone = self.user().map(|row| field(&USERS, row, "phone"));
        match phone {
            Some(Value::Text(phone)) => Phone::from_stored(phone.clone()),
            _ => Phone::from_stored(String::new()),
        }
    }

    /// The numbers of their orders.
    pub fn orders(&self) -> impl Iterator<Item = i64> {
        self.rows("orders").iter().map(|row| integer(&row[1]))
    }

    /// The pieces that their orders hold, by SKU.
    pub fn pieces_held(&self) -> Vec<(i64, i64)> {
        let Some((orders, items)) = Table::named("orders").zip(Table::named("order_items")) else {
            return Vec::new();
        };
        let holds = |row: &&Row| match field(orders, row, "status") {
            Value::Text(word) => OrderStatus::from_word(word).is_some_and(OrderStatus::holds_stock),
            _ => false,
        };
        let holding: Vec<&Value> =
            self.rows("orders").iter().filter(holds).map(|row| &row[1]).collect();
        let lines = self.rows("order_items").iter();
        let held = lines.filter(|row| holding.contains(&field(items, row, "order_id")));
        let piece = |row: &Row| {
            (integer(field(items, row, "sku_id")), integer(field(items, row, "quantity")))
        };
        held.map(piece).collect()
    }

    /// Says what no schema would refuse.
    fn check(&self) -> std::result::Result<(), String> {
        let [user] = self.rows("users") else {
            return Err(format!("it has {} customers, not one", self.rows("users").len()));
        };
        for (table, rows) in self.tables() {
            let owner = table.owner().map_or(0, |column| table.column(column.name));
            if rows.iter().any(|row| row[owner] != user[0]) {
                return Err(format!("it has rows of {table} that are another customer's"));
            }
        }
        let phones = self.rows("phone_numbers");
        let is_their_phone = |row: &Row| row[0] == *field(&USERS, user, "phone");
        match phones {
            [only] if is_their_phone(only) => Ok(()),
            _ => Err("its phone is not the customer's".to_owned()),
        }
    }
}

/// A customer's rows as a copy has them: the other tables are empty.
pub struct OfCustomer {
    rows: CustomerRows,
    open: vec::IntoIter<Row>,
}

impl OfCustomer {
    /// Reads these.
    pub fn new(rows: CustomerRows) -> Self {
        Self { rows, open: Vec::new().into_iter() }
    }
}

#[async_trait]
impl Reader for OfCustomer {
    async fn count(&mut self) -> Result<u64> {
        Ok(self.rows.tables().map(|(_, rows)| rows.len() as u64).sum())
    }

    async fn open(&mut self, table: &'static Table) -> Result<()> {
        self.open = self.rows.rows(table.name).to_vec().into_iter();
        Ok(())
    }

    async fn next(&mut self, limit: usize) -> Result<Vec<Row>> {
        Ok(self.open.by_ref().take(limit).collect())
    }
}

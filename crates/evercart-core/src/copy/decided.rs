//! What customers and operators have decided since a copy was made about who gets in: blocks, moves
//! to other phones, erasures. Who goes back to the copy keeps those (G10); what the customers did
//! otherwise is as old as the copy.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use async_trait::async_trait;

use super::tables::USERS;
use super::{ROWS_MAX, Reader, Row, TABLES, Table, Value};
use crate::error::Result;
use crate::ids::UserId;
use crate::phone::Phone;

/// What an erasure deletes of a customer.
const DELETED: [&str; 9] = [
    "cart_items",
    "carts",
    "wishlist_items",
    "wishlists",
    "addresses",
    "idempotency_keys",
    "outbox",
    "phone_numbers",
    "former_phones",
];

/// The columns that an erasure empties.
const EMPTIED: [(&str, &[&str]); 2] = [
    (
        "users",
        &[
            "phone",
            "full_name",
            "email",
            "profile_image_url",
            "language",
            "last_login",
            "phone_held_until",
        ],
    ),
    (
        "orders",
        &[
            "customer_name",
            "customer_phone",
            "customer_email",
            "delivery_address",
            "delivery_city",
            "delivery_notes",
        ],
    ),
];

/// What says of a user who gets in.
const ACCESS: [&str; 5] = ["phone", "blocked_at", "phone_held_until", "frozen_at", "frozen_phone"];

/// Something that was decided about a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Whose account.
    pub user_id: UserId,
    /// The phone the account has in the copy.
    pub phone: Phone,
    /// What.
    pub what: What,
    /// False if it cannot be told whether it still holds: a person has to see to it.
    pub is_applied: bool,
}

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// An operator blocked the customer.
    Blocked,
    /// An operator lifted a block.
    Unblocked,
    /// The account has another phone.
    Moved {
        /// Which.
        to: Phone,
    },
    /// A change of phone was stopped, or an operator has decided about it.
    ChangeOfPhone,
    /// The customer was erased.
    Erased,
}

/// What was decided since a copy, as far as the data that came after it tells.
#[derive(Debug, Default)]
pub struct Decided {
    /// One for each thing, by customer.
    pub decisions: Vec<Decision>,
    erased: BTreeSet<i64>,
    moved: BTreeSet<i64>,
    /// By table and key: rows that take the place of the copy's, or are put between them.
    rows: BTreeMap<&'static str, BTreeMap<Row, Row>>,
}

impl Decided {
    /// Compares a copy with data that may have come after it. If that is in another life, it has
    /// been somewhere else since: blocks and erasures hold, and what else differs is only told.
    ///
    /// # Errors
    /// One of them cannot be read.
    pub async fn between(copy: &mut dyn Reader, later: &mut dyn Reader) -> Result<Self> {
        let mut decided = Self::default();
        let follows = match (Moment::of(copy).await?, Moment::of(later).await?) {
            (copy, later) if copy.life != later.life => false,
            // The copy is the newer of the two.
            (copy, later) if copy.awake > later.awake => return Ok(decided),
            _ => true,
        };
        decided.compare_users(copy, later, follows).await?;
        if follows {
            let touched: BTreeSet<i64> =
                decided.decisions.iter().map(|decision| decision.user_id.0).collect();
            for name in ["former_phones", "audit_log"] {
                decided.take_rows(later, name, &touched).await?;
            }
        }
        Ok(decided)
    }

    /// True if the copy is as it should be.
    pub fn changes_nothing(&self) -> bool {
        self.rows.is_empty()
    }

    async fn compare_users(
        &mut self,
        copy: &mut dyn Reader,
        later: &mut dyn Reader,
        follows: bool,
    ) -> Result<()> {
        let mut laters = Rows::of(later, &USERS).await?;
        let mut next = laters.next().await?;
        let mut copies = Rows::of(copy, &USERS).await?;
        while let Some(row) = copies.next().await? {
            while next.as_ref().is_some_and(|later| later[0] < row[0]) {
                next = laters.next().await?;
            }
            // In another life the same number may be another customer's.
            let same = next.as_ref().filter(|later| {
                later[0] == row[0]
                    && field(&USERS, later, "created_at") == field(&USERS, &row, "created_at")
            });
            if let Some(later) = same {
                self.compare_user(&row, later, follows);
            }
        }
        Ok(())
    }

    fn compare_user(&mut self, copy: &Row, later: &Row, follows: bool) {
        let value = |row, name| field(&USERS, row, name);
        let Value::Integer(id) = copy[0] else { return };
        let (phone, to) = (phone_of(copy), phone_of(later));
        if phone.is_empty() {
            return;
        }
        let mut row = copy.clone();
        let mut decide = |what, is_applied| {
            let phone = Phone::from_stored(phone.clone());
            self.decisions.push(Decision { user_id: UserId(id), phone, what, is_applied });
        };
        if to.is_empty() {
            decide(What::Erased, true);
            empty(&USERS, &mut row);
            self.erased.insert(id);
        } else {
            match (value(copy, "blocked_at"), value(later, "blocked_at")) {
                (Value::Null, Value::Null) => {}
                (Value::Null, at) => {
                    decide(What::Blocked, true);
                    *field_mut(&USERS, &mut row, "blocked_at") = at.clone();
                }
                (_, Value::Null) => decide(What::Unblocked, follows),
                _ => {}
            }
            let differs = |name| value(copy, name) != value(later, name);
            if phone != to {
                decide(What::Moved { to: Phone::from_stored(to.clone()) }, follows);
            } else if differs("frozen_at") || differs("phone_held_until") {
                decide(What::ChangeOfPhone, follows);
            }
            if follows && ACCESS.iter().any(|name| differs(name)) {
                for name in ACCESS {
                    *field_mut(&USERS, &mut row, name) = value(later, name).clone();
                }
                if phone != to {
                    self.moved.insert(id);
                    let key = vec![Value::Text(to.clone())];
                    let claim = [key.clone(), vec![Value::Integer(id)]].concat();
                    self.rows.entry("phone_numbers").or_default().insert(key, claim);
                }
            }
        }
        if row != *copy {
            // As after each of these decisions: nobody is signed in.
            *field_mut(&USERS, &mut row, "is_active") = Value::Flag(false);
            self.rows.entry("users").or_default().insert(vec![Value::Integer(id)], row);
        }
    }

    /// Takes the later data's rows of these customers.
    async fn take_rows(
        &mut self,
        later: &mut dyn Reader,
        name: &'static str,
        touched: &BTreeSet<i64>,
    ) -> Result<()> {
        let Some(table) = Table::named(name) else { return Ok(()) };
        let mut rows = Rows::of(later, table).await?;
        while let Some(row) = rows.next().await? {
            if user_of(table, &row).is_some_and(|id| touched.contains(&id)) {
                self.rows.entry(name).or_default().insert(row[..table.key].to_vec(), row);
            }
        }
        Ok(())
    }

    /// A row of the copy as it is put in place; `None` if it is not.
    fn row(&self, table: &'static Table, mut row: Row) -> Option<Row> {
        let Some(id) = user_of(table, &row) else { return Some(row) };
        if self.erased.contains(&id) {
            if DELETED.contains(&table.name) {
                return None;
            }
            empty(table, &mut row);
        }
        let left = table.name == "phone_numbers" && self.moved.contains(&id);
        (!left).then_some(row)
    }
}

/// Empties what an erasure empties.
fn empty(table: &Table, row: &mut Row) {
    let emptied = EMPTIED.iter().find(|(name, _)| *name == table.name);
    for name in emptied.into_iter().flat_map(|(_, columns)| columns.iter()) {
        let index = table.column(name);
        row[index] = match table.columns[index].is_optional {
            true => Value::Null,
            false => Value::Text(String::new()),
        };
    }
}

fn field<'a>(table: &Table, row: &'a Row, name: &str) -> &'a Value {
    &row[table.column(name)]
}

fn field_mut<'a>(table: &Table, row: &'a mut Row, name: &str) -> &'a mut Value {
    &mut row[table.column(name)]
}

fn phone_of(user: &Row) -> String {
    match field(&USERS, user, "phone") {
        Value::Text(phone) => phone.clone(),
        _ => String::new(),
    }
}

/// Whose a row is.
fn user_of(table: &Table, row: &Row) -> Option<i64> {
    let name = if table.name == "users" { "id" } else { "user_id" };
    let index = table.columns.iter().position(|column| column.name == name)?;
    match row[index] {
        Value::Integer(id) => Some(id),
        _ => None,
    }
}

/// How far a store had come.
struct Moment {
    life: Option<Value>,
    /// When it was last awake.
    awake: Option<Value>,
}

impl Moment {
    async fn of(store: &mut dyn Reader) -> Result<Self> {
        let life = column(store, "incarnation", "value").await?.pop();
        let awake = column(store, "awake", "until").await?.into_iter().max();
        Ok(Self { life, awake })
    }
}

async fn column(store: &mut dyn Reader, table: &str, name: &str) -> Result<Vec<Value>> {
    let Some(table) = Table::named(table) else { return Ok(Vec::new()) };
    let mut rows = Rows::of(store, table).await?;
    let mut values = Vec::new();
    while let Some(mut row) = rows.next().await? {
        values.push(row.swap_remove(table.column(name)));
    }
    Ok(values)
}

/// A table's rows, one after the other.
struct Rows<'a> {
    reader: &'a mut dyn Reader,
    some: VecDeque<Row>,
}

impl<'a> Rows<'a> {
    async fn of(reader: &'a mut dyn Reader, table: &'static Table) -> Result<Self> {
        reader.open(table).await?;
        Ok(Self { reader, some: VecDeque::new() })
    }

    async fn next(&mut self) -> Result<Option<Row>> {
        if self.some.is_empty() {
            self.some = self.reader.next(ROWS_MAX).await?.into();
        }
        Ok(self.some.pop_front())
    }
}

/// A copy's rows, with what was decided since.
pub struct WithDecided {
    copy: Box<dyn Reader>,
    decided: Arc<Decided>,
    table: &'static Table,
    /// Rows that are read and not told yet.
    ready: VecDeque<Row>,
    /// Rows of the open table that are still to be put in.
    waiting: BTreeMap<Row, Row>,
    is_over: bool,
}

impl WithDecided {
    /// Reads the copy so.
    pub fn new(copy: Box<dyn Reader>, decided: Arc<Decided>) -> Self {
        let (ready, waiting) = (VecDeque::new(), BTreeMap::new());
        Self { copy, decided, table: &TABLES[0], ready, waiting, is_over: true }
    }

    async fn read_on(&mut self, limit: usize) -> Result<()> {
        let rows = self.copy.next(limit).await?;
        if rows.is_empty() {
            self.is_over = true;
            self.ready.extend(std::mem::take(&mut self.waiting).into_values());
        }
        for row in rows {
            let key = row[..self.table.key].to_vec();
            let later = self.waiting.split_off(&key);
            self.ready.extend(std::mem::replace(&mut self.waiting, later).into_values());
            let row = self.waiting.remove(&key).or_else(|| self.decided.row(self.table, row));
            self.ready.extend(row);
        }
        Ok(())
    }
}

#[async_trait]
impl Reader for WithDecided {
    async fn count(&mut self) -> Result<u64> {
        self.copy.count().await
    }

    async fn open(&mut self, table: &'static Table) -> Result<()> {
        self.table = table;
        self.ready.clear();
        self.waiting = self.decided.rows.get(table.name).cloned().unwrap_or_default();
        self.is_over = false;
        self.copy.open(table).await
    }

    async fn next(&mut self, limit: usize) -> Result<Vec<Row>> {
        while self.ready.len() < limit && !self.is_over {
            self.read_on(limit).await?;
        }
        let count = limit.min(self.ready.len());
        Ok(self.ready.drain(..count).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_and_column_named_is_there() {
        for name in DELETED {
            let table = Table::named(name).expect("it is in the list");
            assert!(table.columns.iter().any(|column| column.name == "user_id"), "{name}");
        }
        let columns = EMPTIED.into_iter().chain([
            ("users", &ACCESS[..]),
            ("users", &["created_at", "is_active"]),
            ("incarnation", &["value"]),
            ("awake", &["until"]),
        ]);
        for (name, columns) in columns {
            let table = Table::named(name).expect("it is in the list");
            for name in columns {
                assert!(table.columns.iter().any(|column| column.name == *name), "{table} {name}");
            }
        }
    }
}

//! What customers and operators have decided since a copy was made about who gets in: blocks, moves
//! to other phones, erasures. Who goes back to the copy keeps those (G10); what the customers did
//! otherwise is as old as the copy. Erasures are remembered outside of the stores, too, and kept
//! even where nothing is left of what came after the copy (S10).

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use async_trait::async_trait;

use super::erasure::{Erasure, erased};
use super::tables::USERS;
use super::{ROWS_MAX, Reader, Row, TABLES, Table, Value};
use crate::error::Result;
use crate::ids::UserId;
use crate::phone::Phone;

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
    /// Whose rows are treated as an erasure treats them; the flag says if open orders keep what
    /// their delivery needs.
    erased: BTreeMap<i64, bool>,
    moved: BTreeSet<i64>,
    /// By table and key: rows that take the place of the copy's, or are put between them.
    rows: BTreeMap<&'static str, BTreeMap<Row, Row>>,
}

impl Decided {
    /// Compares a copy with the list of erasures, and with data that may have come after it if
    /// there is any. If that is in another life, it has been somewhere else since: blocks and
    /// erasures hold, and what else differs is only told.
    ///
    /// # Errors
    /// One of them cannot be read.
    pub async fn since(
        copy: &mut dyn Reader,
        later: Option<&mut dyn Reader>,
        listed: &[Erasure],
    ) -> Result<Self> {
        let mut decided = Self::default();
        decided.compare_with_list(copy, listed).await?;
        let Some(later) = later else { return Ok(decided) };
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

    /// Erases whom the list names, and notes of those whom the copy knows as erased what an earlier
    /// program did not.
    async fn compare_with_list(&mut self, copy: &mut dyn Reader, listed: &[Erasure]) -> Result<()> {
        let listed: BTreeMap<_, _> = listed.iter().map(|one| (one.user_id.0, *one)).collect();
        let noted = column(copy, "erasures", "user_id").await?;
        let noted: BTreeSet<Value> = noted.into_iter().collect();
        let mut copies = Rows::of(copy, &USERS).await?;
        while let Some(row) = copies.next().await? {
            let (Value::Integer(id), Value::Integer(created_at)) =
                (&row[0], field(&USERS, &row, "created_at"))
            else {
                continue;
            };
            let (user_id, created_at) = (UserId(*id), *created_at);
            let one = listed.get(id).filter(|one| one.created_at == created_at).copied();
            if !phone_of(&row).is_empty() {
                if let Some(one) = one {
                    self.erase(&row, one);
                }
            } else if !noted.contains(&row[0]) {
                let unknown = Erasure { user_id, created_at, erased_at: 0, open_orders: false };
                self.note(one.unwrap_or(unknown));
                self.erased.insert(user_id.0, false);
            }
        }
        Ok(())
    }

    /// Erases a customer of the copy.
    fn erase(&mut self, user: &Row, one: Erasure) {
        let phone = Phone::from_stored(phone_of(user));
        let decision =
            Decision { user_id: one.user_id, phone, what: What::Erased, is_applied: true };
        self.decisions.push(decision);
        self.erased.insert(one.user_id.0, one.open_orders);
        if let Some(row) = erased(&USERS, user.clone(), false) {
            self.put(&USERS, signed_out(row));
        }
        self.note(one);
    }

    /// Writes down, as the store would, that a customer was erased.
    fn note(&mut self, one: Erasure) {
        let Some(table) = Table::named("erasures") else { return };
        let Erasure { user_id, erased_at, open_orders, .. } = one;
        let (user, at) = (Value::Integer(user_id.0), Value::Integer(erased_at));
        self.put(table, vec![user, at, Value::Flag(open_orders), Value::Null]);
    }

    /// Has a row take its place in the copy.
    fn put(&mut self, table: &'static Table, row: Row) {
        self.rows.entry(table.name).or_default().insert(row[..table.key].to_vec(), row);
    }

    async fn compare_users(
        &mut self,
        copy: &mut dyn Reader,
        later: &mut dyn Reader,
        follows: bool,
    ) -> Result<()> {
        let noted = erasures_in(later).await?;
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
                self.compare_user(&row, later, &noted, follows);
            }
        }
        Ok(())
    }

    fn compare_user(
        &mut self,
        copy: &Row,
        later: &Row,
        noted: &BTreeMap<i64, Erasure>,
        follows: bool,
    ) {
        let value = |row, name| field(&USERS, row, name);
        let Value::Integer(id) = copy[0] else { return };
        let (phone, to) = (phone_of(copy), phone_of(later));
        if phone.is_empty() || self.erased.contains_key(&id) {
            return;
        }
        if to.is_empty() {
            let unknown =
                Erasure { user_id: UserId(id), created_at: 0, erased_at: 0, open_orders: false };
            return self.erase(copy, noted.get(&id).copied().unwrap_or(unknown));
        }
        let mut row = copy.clone();
        let mut decide = |what, is_applied| {
            let phone = Phone::from_stored(phone.clone());
            self.decisions.push(Decision { user_id: UserId(id), phone, what, is_applied });
        };
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
        if row != *copy {
            self.put(&USERS, signed_out(row));
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
    fn row(&self, table: &'static Table, row: Row) -> Option<Row> {
        let Some(id) = user_of(table, &row) else { return Some(row) };
        if let Some(keeps_open_orders) = self.erased.get(&id) {
            return erased(table, row, *keeps_open_orders);
        }
        let left = table.name == "phone_numbers" && self.moved.contains(&id);
        (!left).then_some(row)
    }
}

/// A user of whom something was decided: nobody is signed in.
fn signed_out(mut row: Row) -> Row {
    *field_mut(&USERS, &mut row, "is_active") = Value::Flag(false);
    row
}

/// Whom a store has noted as erased.
async fn erasures_in(store: &mut dyn Reader) -> Result<BTreeMap<i64, Erasure>> {
    let Some(table) = Table::named("erasures") else { return Ok(BTreeMap::new()) };
    let mut rows = Rows::of(store, table).await?;
    let mut noted = BTreeMap::new();
    while let Some(row) = rows.next().await? {
        if let [Value::Integer(id), Value::Integer(erased_at), Value::Flag(open_orders), _] =
            row[..]
        {
            let user_id = UserId(id);
            noted.insert(id, Erasure { user_id, created_at: 0, erased_at, open_orders });
        }
    }
    Ok(noted)
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
    let index = table.column(table.owner()?.name);
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
        let columns = [
            ("users", &ACCESS[..]),
            ("users", &["created_at", "is_active"]),
            ("incarnation", &["value"]),
            ("awake", &["until"]),
            ("erasures", &["user_id", "erased_at", "open_orders", "request"]),
        ];
        for (name, columns) in columns {
            let table = Table::named(name).expect("it is in the list");
            for name in columns {
                assert!(table.columns.iter().any(|column| column.name == *name), "{table} {name}");
            }
        }
    }
}

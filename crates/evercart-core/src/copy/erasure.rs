//! What an erasure does to a store, table by table, as the columns' tags say. The adapters make
//! their statements of it, and whoever goes back to a copy does the same to rows.

use super::tables::Tag;
use super::{Column, Row, TABLES, Table, Value};
use crate::ids::UserId;
use crate::order::OrderStatus;

/// A customer who was erased, as it is remembered outside of the store: nothing of it is personal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erasure {
    /// Whose account.
    pub user_id: UserId,
    /// When the account was made, in milliseconds since 1970: a number alone may have been given
    /// to somebody else.
    pub created_at: i64,
    /// When it was erased, in milliseconds since 1970; 0 if nobody noted that then.
    pub erased_at: i64,
    /// Orders were open, and keep what their delivery needs until they end.
    pub open_orders: bool,
}

/// The statuses of orders that are still to be delivered.
pub fn open_statuses() -> impl Iterator<Item = &'static str> {
    OrderStatus::ALL.into_iter().filter(|status| status.is_open()).map(OrderStatus::as_str)
}

impl Table {
    /// The column that says whose a row is. `None` if rows are not a customer's, or nobody can tell
    /// whose they are: those that know a phone's keyed hash only go when their time is over.
    pub fn owner(&self) -> Option<&'static Column> {
        let name = if self.name == "users" { "id" } else { "user_id" };
        self.columns.iter().find(|column| column.name == name)
    }

    /// True if a customer's rows are deleted with them: the books need nothing of these.
    pub fn goes_with_its_customer(&self) -> bool {
        self.owner().is_some() && !self.columns.iter().any(|column| column.tag == Tag::Books)
    }

    /// The columns with this tag that are emptied in rows that stay.
    pub fn emptied(&self, tag: Tag) -> Vec<&'static Column> {
        let stays = self.owner().is_some() && !self.goes_with_its_customer();
        self.columns.iter().filter(|column| stays && column.tag == tag).collect()
    }
}

impl Column {
    /// What is in it once it is emptied.
    pub fn empty(&self) -> Value {
        match self.is_optional {
            true => Value::Null,
            false => Value::Text(String::new()),
        }
    }
}

/// Does to a row of a customer who was erased what the erasure does. `None` if it goes.
pub(super) fn erased(table: &Table, mut row: Row, keeps_open_orders: bool) -> Option<Row> {
    if table.goes_with_its_customer() {
        return None;
    }
    let is_open = keeps_open_orders
        && table.columns.iter().zip(&row).any(|(column, value)| {
            let is = |word| *value == Value::Text(word);
            column.name == "status" && open_statuses().map(str::to_owned).any(is)
        });
    for (column, value) in table.columns.iter().zip(&mut row) {
        match column.tag {
            Tag::Personal => *value = column.empty(),
            Tag::Delivery if !is_open => *value = column.empty(),
            Tag::Delivery | Tag::Books | Tag::Technical => {}
        }
    }
    Some(row)
}

/// The tables that an erasure changes, those first whose rows refer to others.
pub fn erased_tables() -> impl Iterator<Item = &'static Table> {
    TABLES.iter().rev().filter(|table| table.owner().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::copy::Kind;

    #[test]
    fn what_is_emptied_can_be_empty_and_is_no_key() {
        for table in TABLES {
            for tag in [Tag::Personal, Tag::Delivery] {
                for column in table.emptied(tag) {
                    let can_be = column.is_optional || column.kind == Kind::Text;
                    assert!(can_be, "{table} {}", column.name);
                    assert!(!table.key_columns().contains(column), "{table} {}", column.name);
                }
            }
            let delivers = table.columns.iter().any(|column| column.tag == Tag::Delivery);
            assert_eq!(delivers, table.name == "orders", "{table}: only orders have an end");
        }
    }

    #[test]
    fn what_nobody_can_be_found_by_is_known_by_a_hash_and_has_an_end() {
        let personal = |table: &&Table| {
            table.owner().is_none() && table.columns.iter().any(|one| one.tag == Tag::Personal)
        };
        for table in TABLES.iter().filter(personal) {
            assert!(table.key_columns().iter().any(|one| one.kind == Kind::Blob), "{table}");
            let ends = |column: &Column| ["expires_at", "ends_at"].contains(&column.name);
            assert!(table.columns.iter().any(ends), "{table}");
        }
    }

    #[test]
    fn the_books_stay_and_everything_else_goes() {
        let stay: Vec<_> = erased_tables()
            .filter(|one| !one.goes_with_its_customer())
            .map(|one| one.name)
            .collect();
        assert_eq!(
            stay,
            ["erasures", "audit_log", "order_history", "order_items", "orders", "users"]
        );
        let emptied: Vec<_> =
            Table::named("orders").into_iter().flat_map(|one| one.emptied(Tag::Delivery)).collect();
        assert!(emptied.iter().any(|column| column.name == "payment_method"));
    }
}

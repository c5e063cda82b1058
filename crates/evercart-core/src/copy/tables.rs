//! What a whole store consists of, table by table. An adapter may keep more beside it, as long as
//! that can be made anew from these rows: words for search, the schema's version.

use std::fmt;

use super::Value;
use crate::phone::Phone;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A whole number: ids, money in minor units, milliseconds since 1970.
    Integer,
    /// Yes or no.
    Flag,
    /// Text.
    Text,
    /// Bytes.
    Blob,
}

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// True if it may hold nothing.
    pub is_optional: bool,
}

/// A table. Its first columns are its key, and its rows are copied in the key's order: numbers by
/// size, text and bytes byte by byte.
#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its columns, those of the key first.
    pub columns: &'static [Column],
    /// How many columns the key has.
    pub key: usize,
    /// A new store has rows of its own in it, which a copy replaces.
    pub is_seeded: bool,
    /// The rows that a copy has from before there was such a table. `None` if there always was.
    pub before: Option<&'static [&'static [Value]]>,
}

impl Table {
    /// The columns of the key.
    pub fn key_columns(&self) -> &'static [Column] {
        &self.columns[..self.key]
    }

    /// The table's place in [`TABLES`].
    pub fn index(&self) -> usize {
        let place = TABLES.iter().position(|table| table.name == self.name);
        place.expect("tables are only made in this list")
    }

    /// A row's key for people. What is hashed is shown in part; a phone is masked.
    pub fn key_of(&self, row: &[Value]) -> String {
        let shown = self.key_columns().iter().zip(row).map(|(column, value)| match value {
            Value::Null => "nothing".to_owned(),
            Value::Integer(number) => number.to_string(),
            Value::Flag(yes) => yes.to_string(),
            Value::Text(text) if column.name == "phone" => {
                Phone::from_stored(text.clone()).masked()
            }
            Value::Text(text) => format!("{text:?}"),
            Value::Blob(bytes) => {
                let start = bytes.iter().take(4).map(|byte| format!("{byte:02x}"));
                format!("{}…", start.collect::<String>())
            }
        });
        format!("({})", shown.collect::<Vec<_>>().join(", "))
    }

    /// Where a column is that the table has.
    pub(super) fn column(&self, name: &str) -> usize {
        let place = self.columns.iter().position(|column| column.name == name);
        place.expect("only columns of the list are asked for")
    }

    /// The table with this name.
    pub fn named(name: &str) -> Option<&'static Table> {
        TABLES.iter().find(|table| table.name == name)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

const fn column(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, is_optional: false }
}

const fn optional(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, is_optional: true }
}

const fn integer(name: &'static str) -> Column {
    column(name, Kind::Integer)
}

const fn flag(name: &'static str) -> Column {
    column(name, Kind::Flag)
}

const fn text(name: &'static str) -> Column {
    column(name, Kind::Text)
}

const fn blob(name: &'static str) -> Column {
    column(name, Kind::Blob)
}

const fn optional_integer(name: &'static str) -> Column {
    optional(name, Kind::Integer)
}

const fn optional_text(name: &'static str) -> Column {
    optional(name, Kind::Text)
}

const fn table(name: &'static str, key: usize, columns: &'static [Column]) -> Table {
    Table { name, columns, key, is_seeded: false, before: None }
}

const fn seeded(name: &'static str, key: usize, columns: &'static [Column]) -> Table {
    Table { name, columns, key, is_seeded: true, before: None }
}

/// A table that the first schema did not have.
const fn later(table: Table, before: &'static [&'static [Value]]) -> Table {
    Table { before: Some(before), ..table }
}

/// The customers.
pub(super) const USERS: Table = table(
    "users",
    1,
    &[
        integer("id"),
        text("phone"),
        optional_text("full_name"),
        optional_text("email"),
        optional_text("profile_image_url"),
        optional_text("language"),
        flag("is_active"),
        optional_integer("blocked_at"),
        integer("session_epoch"),
        optional_integer("last_login"),
        integer("created_at"),
        integer("next_address"),
        optional_integer("phone_held_until"),
        optional_integer("frozen_at"),
        optional_text("frozen_phone"),
    ],
);

/// Every table, each after those that its rows refer to.
pub const TABLES: &[Table] = &[
    table("store_facts", 1, &[text("name"), text("value")]),
    // The next number of `order`, `product`, `sku` and `user`. Where an adapter has sequences,
    // these are what they would give next.
    seeded("counters", 1, &[text("name"), integer("next")]),
    // The store's life goes with its data, and so does what it remembers of when it was awake: the
    // tokens it has issued stay good.
    later(
        seeded(
            "incarnation",
            1,
            &[integer("only_row"), integer("number"), integer("value"), optional_integer("since")],
        ),
        // The first life, which ends with the restore.
        &[&[Value::Integer(1), Value::Integer(1), Value::Integer(0), Value::Null]],
    ),
    later(seeded("awake", 1, &[integer("run"), integer("since"), integer("until")]), &[]),
    seeded("catalogue_version", 1, &[integer("only_row"), integer("version")]),
    table(
        "products",
        1,
        &[
            integer("id"),
            optional_text("handle"),
            text("name"),
            optional_text("brand"),
            optional_text("category"),
            optional_text("description"),
            flag("for_sale"),
        ],
    ),
    table(
        "skus",
        1,
        &[
            integer("id"),
            integer("product_id"),
            text("sku_code"),
            optional_text("size"),
            optional_text("color"),
            optional_text("image"),
            integer("price"),
            optional_integer("original_price"),
            flag("active"),
        ],
    ),
    table("stock", 1, &[integer("sku_id"), integer("on_hand"), integer("taken")]),
    USERS,
    table("phone_numbers", 1, &[text("phone"), integer("user_id")]),
    later(
        table(
            "former_phones",
            2,
            &[
                blob("phone"),
                integer("user_id"),
                text("masked"),
                integer("left_at"),
                integer("kept_until"),
            ],
        ),
        &[],
    ),
    table(
        "carts",
        1,
        &[
            integer("user_id"),
            integer("version"),
            integer("next_line"),
            integer("updated_at"),
            optional_integer("emptied_by"),
            optional_integer("emptied_version"),
        ],
    ),
    table(
        "cart_items",
        2,
        &[
            integer("user_id"),
            integer("sku_id"),
            integer("id"),
            integer("quantity"),
            integer("price_when_added"),
            integer("added_at"),
        ],
    ),
    table("wishlists", 1, &[integer("user_id"), integer("next_wish")]),
    table(
        "wishlist_items",
        2,
        &[integer("user_id"), integer("product_id"), integer("id"), integer("added_at")],
    ),
    table(
        "orders",
        2,
        &[
            integer("user_id"),
            integer("id"),
            text("status"),
            integer("subtotal"),
            integer("shipping_cost"),
            integer("tax_amount"),
            integer("total_amount"),
            text("currency"),
            text("customer_name"),
            text("customer_phone"),
            optional_text("customer_email"),
            text("delivery_address"),
            optional_text("delivery_city"),
            optional_text("delivery_notes"),
            text("payment_method"),
            integer("order_date"),
            optional_integer("delivery_date"),
        ],
    ),
    table(
        "order_items",
        3,
        &[
            integer("user_id"),
            integer("order_id"),
            integer("id"),
            integer("sku_id"),
            integer("product_id"),
            text("product_name"),
            text("sku_code"),
            optional_text("size"),
            optional_text("color"),
            optional_text("image"),
            integer("unit_price"),
            integer("quantity"),
        ],
    ),
    table(
        "order_history",
        3,
        &[integer("user_id"), integer("order_id"), integer("id"), text("status"), integer("at")],
    ),
    table(
        "addresses",
        2,
        &[
            integer("user_id"),
            integer("id"),
            text("title"),
            text("full_address"),
            optional_text("street"),
            optional_text("building"),
            optional_text("apartment"),
            optional_text("city"),
            optional_text("postal_code"),
            optional_text("country"),
            flag("is_default"),
        ],
    ),
    table(
        "idempotency_keys",
        2,
        &[
            integer("user_id"),
            text("key"),
            blob("fingerprint"),
            integer("resource"),
            integer("created_at"),
        ],
    ),
    table(
        "sign_in_keys",
        2,
        &[
            blob("phone"),
            text("key"),
            blob("fingerprint"),
            optional_integer("epoch"),
            flag("is_new"),
            integer("expires_at"),
        ],
    ),
    table(
        "verification_codes",
        2,
        &[
            blob("phone"),
            text("purpose"),
            blob("code"),
            integer("sent_at"),
            integer("expires_at"),
            optional_text("key"),
            optional("first_try_from", Kind::Blob),
        ],
    ),
    table(
        "send_budget",
        2,
        &[text("scope"), blob("subject"), integer("count"), integer("ends_at")],
    ),
    table("audit_log", 2, &[integer("user_id"), integer("id"), integer("at"), text("action")]),
    later(
        table(
            "outbox",
            2,
            &[
                integer("user_id"),
                integer("id"),
                text("kind"),
                text("recipient"),
                text("body"),
                integer("written_at"),
                integer("due_at"),
                integer("attempts"),
            ],
        ),
        &[],
    ),
];

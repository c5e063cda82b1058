//! What a whole store consists of, table by table. An adapter may keep more beside it, as long as
//! that can be made anew from these rows, or is not to be kept: words for search, the schema's
//! version, an import that is not shown yet.

use std::fmt;

use Tag::{Books, Delivery, Personal, Technical};

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

/// Whom a column is about, and so what becomes of it when its customer is erased. What erases,
/// exports and checks follows this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tag {
    /// Says something of a customer: gone once they are erased.
    Personal,
    /// The same, but what the delivery of an order needs: of one that is still open it stays until
    /// the order has ended.
    Delivery,
    /// What the shop's books need, without saying who: stays.
    Books,
    /// What the shop works with. Of a customer it says nothing by itself, and goes with its row.
    Technical,
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
    /// Whom it is about.
    pub tag: Tag,
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

const fn column(name: &'static str, kind: Kind, tag: Tag) -> Column {
    Column { name, kind, is_optional: false, tag }
}

const fn optional(name: &'static str, kind: Kind, tag: Tag) -> Column {
    Column { name, kind, is_optional: true, tag }
}

const fn integer(name: &'static str, tag: Tag) -> Column {
    column(name, Kind::Integer, tag)
}

const fn flag(name: &'static str, tag: Tag) -> Column {
    column(name, Kind::Flag, tag)
}

const fn text(name: &'static str, tag: Tag) -> Column {
    column(name, Kind::Text, tag)
}

const fn blob(name: &'static str, tag: Tag) -> Column {
    column(name, Kind::Blob, tag)
}

const fn optional_integer(name: &'static str, tag: Tag) -> Column {
    optional(name, Kind::Integer, tag)
}

const fn optional_text(name: &'static str, tag: Tag) -> Column {
    optional(name, Kind::Text, tag)
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
        integer("id", Books),
        text("phone", Personal),
        optional_text("full_name", Personal),
        optional_text("email", Personal),
        optional_text("profile_image_url", Personal),
        optional_text("language", Personal),
        flag("is_active", Technical),
        optional_integer("blocked_at", Personal),
        integer("session_epoch", Technical),
        optional_integer("last_login", Personal),
        integer("created_at", Technical),
        integer("next_address", Technical),
        optional_integer("phone_held_until", Personal),
        optional_integer("frozen_at", Personal),
        optional_text("frozen_phone", Personal),
        // Missing where no change was counted yet.
        optional_integer("hour_began", Personal),
        optional_integer("hour_changes", Personal),
    ],
);

/// Every table, each after those that its rows refer to.
pub const TABLES: &[Table] = &[
    table("store_facts", 1, &[text("name", Technical), text("value", Technical)]),
    // The next number of `order`, `product`, `sku` and `user`. Where an adapter has sequences,
    // these are what they would give next.
    seeded("counters", 1, &[text("name", Technical), integer("next", Technical)]),
    // The store's life goes with its data, and so does what it remembers of when it was awake: the
    // tokens it has issued stay good.
    later(
        seeded(
            "incarnation",
            1,
            &[
                integer("only_row", Technical),
                integer("number", Technical),
                integer("value", Technical),
                optional_integer("since", Technical),
            ],
        ),
        // The first life, which ends with the restore.
        &[&[Value::Integer(1), Value::Integer(1), Value::Integer(0), Value::Null]],
    ),
    later(
        seeded(
            "awake",
            1,
            &[
                integer("run", Technical),
                integer("since", Technical),
                integer("until", Technical),
                optional_text("keys", Technical),
            ],
        ),
        &[],
    ),
    seeded(
        "catalogue_version",
        1,
        &[integer("only_row", Technical), integer("version", Technical)],
    ),
    table(
        "products",
        1,
        &[
            integer("id", Technical),
            optional_text("handle", Technical),
            text("name", Technical),
            optional_text("brand", Technical),
            optional_text("category", Technical),
            optional_text("description", Technical),
            flag("for_sale", Technical),
        ],
    ),
    table(
        "skus",
        1,
        &[
            integer("id", Technical),
            integer("product_id", Technical),
            text("sku_code", Technical),
            optional_text("size", Technical),
            optional_text("color", Technical),
            optional_text("image", Technical),
            integer("price", Technical),
            optional_integer("original_price", Technical),
            flag("active", Technical),
        ],
    ),
    table(
        "stock",
        1,
        &[integer("sku_id", Technical), integer("on_hand", Technical), integer("taken", Technical)],
    ),
    USERS,
    table("phone_numbers", 1, &[text("phone", Personal), integer("user_id", Technical)]),
    later(
        table(
            "former_phones",
            2,
            &[
                blob("phone", Personal),
                integer("user_id", Technical),
                text("masked", Personal),
                integer("left_at", Personal),
                integer("kept_until", Technical),
            ],
        ),
        &[],
    ),
    table(
        "carts",
        1,
        &[
            integer("user_id", Technical),
            integer("version", Technical),
            integer("next_line", Technical),
            integer("updated_at", Personal),
            optional_integer("emptied_by", Technical),
            optional_integer("emptied_version", Technical),
            optional_integer("hour_began", Personal),
            optional_integer("hour_version", Technical),
        ],
    ),
    table(
        "cart_items",
        2,
        &[
            integer("user_id", Technical),
            integer("sku_id", Personal),
            integer("id", Technical),
            integer("quantity", Personal),
            integer("price_when_added", Personal),
            integer("added_at", Personal),
        ],
    ),
    table("wishlists", 1, &[integer("user_id", Technical), integer("next_wish", Technical)]),
    table(
        "wishlist_items",
        2,
        &[
            integer("user_id", Technical),
            integer("product_id", Personal),
            integer("id", Technical),
            integer("added_at", Personal),
        ],
    ),
    table(
        "orders",
        2,
        &[
            integer("user_id", Books),
            integer("id", Books),
            text("status", Books),
            integer("subtotal", Books),
            integer("shipping_cost", Books),
            integer("tax_amount", Books),
            integer("total_amount", Books),
            text("currency", Books),
            text("customer_name", Delivery),
            text("customer_phone", Delivery),
            optional_text("customer_email", Personal),
            text("delivery_address", Delivery),
            optional_text("delivery_city", Delivery),
            optional_text("delivery_notes", Delivery),
            text("payment_method", Delivery),
            integer("order_date", Books),
            optional_integer("delivery_date", Books),
        ],
    ),
    table(
        "order_items",
        3,
        &[
            integer("user_id", Books),
            integer("order_id", Books),
            integer("id", Books),
            integer("sku_id", Books),
            integer("product_id", Books),
            text("product_name", Books),
            text("sku_code", Books),
            optional_text("size", Books),
            optional_text("color", Books),
            optional_text("image", Books),
            integer("unit_price", Books),
            integer("quantity", Books),
        ],
    ),
    table(
        "order_history",
        3,
        &[
            integer("user_id", Books),
            integer("order_id", Books),
            integer("id", Books),
            text("status", Books),
            integer("at", Books),
        ],
    ),
    table(
        "addresses",
        2,
        &[
            integer("user_id", Technical),
            integer("id", Technical),
            text("title", Personal),
            text("full_address", Personal),
            optional_text("street", Personal),
            optional_text("building", Personal),
            optional_text("apartment", Personal),
            optional_text("city", Personal),
            optional_text("postal_code", Personal),
            optional_text("country", Personal),
            flag("is_default", Personal),
        ],
    ),
    table(
        "idempotency_keys",
        2,
        &[
            integer("user_id", Technical),
            text("key", Personal),
            blob("fingerprint", Technical),
            integer("resource", Technical),
            integer("created_at", Personal),
        ],
    ),
    table(
        "sign_in_keys",
        2,
        &[
            blob("phone", Personal),
            text("key", Personal),
            blob("fingerprint", Technical),
            optional_integer("epoch", Technical),
            flag("is_new", Technical),
            integer("expires_at", Technical),
        ],
    ),
    table(
        "verification_codes",
        2,
        &[
            blob("phone", Personal),
            text("purpose", Technical),
            blob("code", Technical),
            integer("sent_at", Technical),
            integer("expires_at", Technical),
            optional_text("key", Personal),
            optional("first_try_from", Kind::Blob, Personal),
        ],
    ),
    table(
        "send_budget",
        2,
        &[
            text("scope", Technical),
            blob("subject", Personal),
            integer("count", Technical),
            integer("ends_at", Technical),
        ],
    ),
    table(
        "audit_log",
        2,
        &[
            integer("user_id", Books),
            integer("id", Books),
            integer("at", Books),
            text("action", Books),
            // Missing in lines of before they were noted.
            optional_text("who", Books),
            optional_text("reason", Books),
        ],
    ),
    // Who was erased. A list outside the databases repeats it, so that nobody is brought back.
    later(
        table(
            "erasures",
            1,
            &[
                integer("user_id", Books),
                integer("erased_at", Books),
                // Orders were open, and keep what their delivery needs until they end.
                flag("open_orders", Books),
                // A hash of the request that asked for it: a repeat is told that it was done.
                optional("request", Kind::Blob, Technical),
            ],
        ),
        &[],
    ),
    later(
        table(
            "outbox",
            2,
            &[
                integer("user_id", Technical),
                integer("id", Technical),
                text("kind", Technical),
                text("recipient", Personal),
                text("body", Personal),
                integer("written_at", Personal),
                integer("due_at", Technical),
                integer("attempts", Technical),
            ],
        ),
        &[],
    ),
];

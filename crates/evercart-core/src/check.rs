//! What a check says of what it finds: how a row is named to people, what a broken promise means,
//! and how to mend it. What is looked at, and how, is the adapters' business.

use crate::operator::{CheckReport, Counts, Finding};
use crate::phone::Phone;

/// The promise of the schema itself.
pub const SCHEMA: &str = "tables, columns, indexes and triggers are as evercart made them";
/// The promise of all rules that the schema has for one row: types, NOT NULL, CHECK.
pub const ROWS: &str = "every row keeps the rules of its table";
/// The promise of all unique keys.
pub const UNIQUE: &str = "what may be there once is there once";
/// The promise of all foreign keys.
pub const REFERENCES: &str = "whatever is referred to is there";

/// The promise that an erasure took everything personal.
pub const ERASED: &str = "of a user who was erased nothing of their own is left";
/// The promise that the store knows whom it has erased.
pub const NOTED: &str = "who has no phone is noted as erased, and nobody else is";

/// The most findings told of one promise, or of one table where the promise is of all tables; the
/// first few say what there is to know.
pub const FINDINGS_MAX: usize = 20;

/// What a check has looked at, and found, so far.
#[derive(Debug, Default)]
pub struct Findings {
    promises: Vec<&'static str>,
    findings: Vec<Finding>,
}

impl Findings {
    /// Notes that a promise was looked at, and where it is broken: [`FINDINGS_MAX`] places at most.
    pub fn add(&mut self, promise: &'static str, found: impl IntoIterator<Item = String>) {
        if !self.promises.contains(&promise) {
            self.promises.push(promise);
        }
        let found = found.into_iter().take(FINDINGS_MAX);
        self.findings.extend(found.map(|found| Finding { promise, found }));
    }

    /// What a check reports.
    pub fn into_report(self, counts: Counts) -> CheckReport {
        CheckReport { promises: self.promises, findings: self.findings, counts }
    }
}

/// What a broken promise means, and what to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Advice {
    /// What it means for the shop and its customers.
    pub means: &'static str,
    /// How to mend it.
    pub mend: &'static str,
}

/// Names a row by the values of its key, as a person looks it up: `order 1001 of user 19`. A phone
/// is masked. `sku_code` is the code of the SKU that is in the key.
pub fn row_name(table: &str, key: &[(&str, String)], sku_code: Option<&str>) -> String {
    let is_order = |column: &str| column == "order_id" || (table == "orders" && column == "id");
    let mut words: Vec<String> = Vec::new();
    for (column, value) in key {
        let word = match (*column, table) {
            ("only_row", _) => continue,
            ("user_id", _) | ("id", "users") => "user",
            ("product_id", _) | ("id", "products") => "product",
            ("sku_id", _) | ("id", "skus") => "SKU",
            (column, _) if is_order(column) => "order",
            ("id", "cart_items" | "order_items" | "audit_log") => "line",
            ("id", "wishlist_items") => "entry",
            ("id", "order_history") => "step",
            ("id", "addresses") => "address",
            ("id", "outbox") => "message",
            (column, _) => column,
        };
        let shown = match *column {
            "phone" if value.starts_with('+') => Phone::from_stored(value.clone()).masked(),
            _ => value.clone(),
        };
        match sku_code.filter(|_| word == "SKU") {
            Some(code) => words.push(format!("SKU {shown} ({code})")),
            None => words.push(format!("{word} {shown}")),
        }
    }
    words.join(", ")
}

/// What a promise that is broken means. Every promise of either adapter has its advice.
pub fn advice(promise: &str) -> Option<Advice> {
    let found = ADVICE.iter().find(|(promises, ..)| promises.contains(&promise));
    found.map(|(_, means, mend)| Advice { means, mend })
}

/// Promises, what it means if they are broken, and how to mend it.
const ADVICE: &[(&[&str], &str, &str)] = &[
    (
        &["the file is intact", "the database's indexes and constraints are valid"],
        "the disk, or something that wrote to the database behind evercart's back, damaged it; \
         what is read from the named table may be wrong or missing",
        "stop the server, copy the files as they are, look at the disk, and restore the last \
         backup. Where only an index is named, `REINDEX` in sqlite3 or psql makes it anew",
    ),
    (
        &[SCHEMA],
        "a rule that is missing no longer keeps wrong data out; a trigger or view that is not \
         evercart's may change or read what customers do",
        "drop what is not evercart's. What is missing or changed: `evercart backup --unchecked \
         FILE`, mend the rows named here, and restore the file: a restore makes the schema anew",
    ),
    (
        &[ROWS],
        "a row holds what the shop never writes: it was changed by hand, by another program, or \
         by a damaged disk; customers see it and orders are made of it",
        "correct the row in sqlite3 or psql while the server is stopped: a stock by counting, an \
         order by what its customer paid; or restore the last backup",
    ),
    (
        &[UNIQUE],
        "one thing is there twice: which of the two a customer sees is chance",
        "remove the row that is wrong in sqlite3 or psql while the server is stopped, then \
         `REINDEX`",
    ),
    (
        &[REFERENCES],
        "rows were removed, or lost, from under others; carts, orders and lists that name them \
         fail or look empty",
        "put the missing row back from the last backup, or restore it as a whole",
    ),
    (
        &["a user has exactly one phone, and a phone one user"],
        "a customer cannot sign in, or signs in as somebody else",
        "find out whose phone it is, and make `phone_numbers` and `users.phone` say the same",
    ),
    (
        &[ERASED],
        "what the shop said was erased is not",
        "remove what is named: the law gives you a month",
    ),
    (
        &[NOTED],
        "a return to older data may bring an erased customer back, or take one who is there for \
         one who is not",
        "who has no phone needs a row in `erasures`; whoever has one must have none",
    ),
    (
        &["a former phone is a customer's who was not erased"],
        "a trace of an erased customer, though only a keyed hash, is left",
        "remove the user's rows from `former_phones`",
    ),
    (
        &["a user signed in is not blocked"],
        "somebody you blocked is let in again once the block is lifted, without a new sign-in",
        "`evercart user block` with the customer's phone, once more",
    ),
    (
        &["a frozen account is signed out, and its former phone is kept"],
        "an account whose change of phone was stopped is open to whoever has its tokens, or cannot \
         be given back",
        "decide it now: `evercart user show`, then `move-back` or `confirm-move`",
    ),
    (
        &["a user's number is below the sequence", "a user's number is below the counter"],
        "the next customer gets a number that is taken, and cannot sign up",
        "`evercart rewound --market MARKET` passes numbers over; everybody signs in again",
    ),
    (
        &[
            "a cart's lines are numbered once each, below its counter",
            "a wishlist's entries are numbered once each, below its counter",
        ],
        "a change of one line changes another one, or the next add fails",
        "set `next_line` or `next_wish` above the largest id, and give doubles new ids",
    ),
    (
        &["a cart has at most 100 lines"],
        "the cart's customer can add nothing more, and reading it is slow",
        "nothing is lost: the customer, or you, take lines out",
    ),
    (
        &["a cart that an order emptied names one of its customer's"],
        "a customer who orders twice is shown an order that is not theirs, or none",
        "set `emptied_by` and `emptied_version` of the cart to NULL",
    ),
    (
        &[
            "an order number is given once, below the counter",
            "an order number is given once, below the sequence",
        ],
        "two orders have, or will have, one number",
        "`evercart rewound --market MARKET` passes numbers over; orders that share one already \
         are told apart by their user",
    ),
    (
        &["an order's subtotal is the sum of its lines"],
        "the order's customer paid another sum than their lines say, or a line is lost",
        "compare with what was paid and with the last backup, and correct the wrong one",
    ),
    (
        &["an order's tax is part of its total"],
        "the order's books are wrong",
        "compare with what was paid, and correct `tax_amount`",
    ),
    (
        &["an order is in its market's currency"],
        "the order's sums are read in the wrong currency",
        "find out what was paid, and correct `currency`, or the order's sums",
    ),
    (
        &["an order's status is the last of its history"],
        "customer and shop see another status than what happened",
        "look the order up, and add the missing step to `order_history`, or correct `status`",
    ),
    (
        &["stock taken is what uncancelled orders hold"],
        "an order that is cancelled gives back too much or too little",
        "set `stock.taken` to the pieces in orders, then count the shelf and import the stock",
    ),
    (
        &["every SKU has a stock"],
        "the SKU cannot be put into a cart, and its product may fail to show",
        "import the SKU once more, with its stock",
    ),
    (
        &["a product is for sale exactly if one of its SKUs is"],
        "a product is listed that nobody can buy, or hidden though it can be bought",
        "import one of its SKUs once more",
    ),
    (
        &["a customer with addresses has exactly one default"],
        "the customer's checkout has no address, or the wrong one, filled in",
        "set `is_default` of the address they last chose, and of no other",
    ),
    (
        &["the rows that every shop has are there"],
        "the shop cannot start, or gives numbers out again",
        "restore the last backup",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn name(table: &str, key: &[(&str, &str)], code: Option<&str>) -> String {
        let key: Vec<_> = key.iter().map(|(column, value)| (*column, (*value).into())).collect();
        row_name(table, &key, code)
    }

    #[test]
    fn rows_are_named_as_people_look_them_up() {
        let order = [("user_id", "19"), ("id", "1001")];
        assert_eq!(name("orders", &order, None), "user 19, order 1001");
        let line = [("user_id", "19"), ("order_id", "1001"), ("id", "2")];
        assert_eq!(name("order_items", &line, None), "user 19, order 1001, line 2");
        assert_eq!(name("stock", &[("sku_id", "70")], Some("MUG")), "SKU 70 (MUG)");
        assert_eq!(name("skus", &[("id", "70")], Some("MUG")), "SKU 70 (MUG)");
        let phone = name("phone_numbers", &[("phone", "+13128059851")], None);
        assert!(!phone.contains("312805"), "{phone}");
    }
}

//! S1 and G8 on every SQL statement of the product: none touches customers' rows without their
//! user_id, none deletes a customer's things by time, none is glued together from strings.

use super::Breach;
use super::schema::Schema;
use super::source::{Kind, Source};
use super::sql::{self, Piece};

/// Where SQL belongs.
const ADAPTERS: &[&str] = &["crates/evercart-sqlite/", "crates/evercart-postgres/"];

/// Nothing in these goes away but by its customer's own doing.
const NEVER_DELETED_BY_TIME: &[&str] = &[
    "carts",
    "cart_items",
    "wishlists",
    "wishlist_items",
    "orders",
    "order_items",
    "order_history",
    "addresses",
];

/// Words of a format string that is SQL, as SQL is written here.
const SQL_WORDS: &[&str] = &[
    "ALTER", "ATTACH", "CREATE", "DELETE", "DROP", "FROM", "INSERT", "JOIN", "LIMIT", "PRAGMA",
    "SELECT", "SET", "UPDATE", "VALUES", "WHERE",
];

const FORMATTERS: &[&str] = &["format", "format_args", "write", "writeln"];

/// Checks the statements in a Rust file's string literals.
pub fn check_source(source: &Source, schema: &Schema, breaches: &mut Vec<Breach>) {
    let is_adapter = ADAPTERS.iter().any(|adapter| source.path.starts_with(adapter));
    for (index, literal) in literals(source) {
        if source.is_test(index) {
            continue;
        }
        let line = source.code[index].line;
        for statement in sql::statements(&literal) {
            if !sql::is_statement(&statement) {
                continue;
            }
            let place = Place { subject: source.subject(index), line: line + statement[0].line };
            if !is_adapter && source.path.starts_with("crates/") {
                breaches.push(place.breach("sql-place", "SQL belongs into the adapters".into()));
            }
            check_statement(&statement, schema, &place, breaches);
        }
    }
    if is_adapter {
        check_formats(source, breaches);
    }
}

/// Checks the statements of an SQL file.
pub fn check_sql(path: &str, text: &str, schema: &Schema, breaches: &mut Vec<Breach>) {
    for statement in sql::statements(text) {
        let place = Place { subject: path.to_owned(), line: statement[0].line + 1 };
        check_statement(&statement, schema, &place, breaches);
    }
}

struct Place {
    subject: String,
    line: usize,
}

impl Place {
    fn breach(&self, rule: &'static str, what: String) -> Breach {
        Breach { rule, subject: self.subject.clone(), line: self.line, what }
    }
}

/// The file's string literals with their places; those of one `concat!` as one.
fn literals(source: &Source) -> Vec<(usize, String)> {
    let mut literals = Vec::new();
    let mut index = 0;
    while index < source.code.len() {
        if source.reads(index, &["concat", "!"]) {
            let end = source.closing(index + 2);
            let texts = source.code[index..end].iter().filter(|token| token.kind == Kind::Text);
            literals.push((index, texts.map(|token| token.text.as_str()).collect()));
            index = end;
        } else if source.code[index].kind == Kind::Text {
            literals.push((index, source.code[index].text.clone()));
        }
        index += 1;
    }
    literals
}

fn check_statement(
    statement: &[Piece],
    schema: &Schema,
    place: &Place,
    breaches: &mut Vec<Breach>,
) {
    if ["create", "alter"].contains(&statement[0].text.as_str()) {
        return;
    }
    let touched = statement.iter().find(|piece| schema.is_customer_table(&piece.text));
    if let Some(table) = touched
        && !names_user(statement)
    {
        let what = format!("S1: `{}` is touched without user_id in the predicate", table.text);
        breaches.push(place.breach("sql-user", what));
    }
    let removed = removed_table(statement).filter(|table| NEVER_DELETED_BY_TIME.contains(table));
    if let Some(table) = removed {
        let predicate = predicate(statement);
        let time = predicate.iter().find(|piece| is_time(&piece.text));
        if !predicate.iter().any(|piece| piece.text == "user_id") {
            let what = format!("G8: a delete from `{table}` names its user_id");
            breaches.push(place.breach("sql-delete", what));
        } else if let Some(time) = time {
            let what = format!("G8: nothing is deleted from `{table}` by `{}`", time.text);
            breaches.push(place.breach("sql-delete", what));
        }
    }
}

/// An insert names user_id among its columns; everything else in a condition.
fn names_user(statement: &[Piece]) -> bool {
    let is_insert = ["insert", "replace"].contains(&statement[0].text.as_str());
    let searched = if is_insert { statement } else { predicate(statement) };
    searched.iter().any(|piece| piece.text == "user_id")
}

/// From the first condition on.
fn predicate(statement: &[Piece]) -> &[Piece] {
    let first = statement.iter().position(|piece| ["where", "on", "using"].contains(&&*piece.text));
    &statement[first.unwrap_or(statement.len())..]
}

/// The table that a statement takes rows from, whatever stands before the verb.
fn removed_table(statement: &[Piece]) -> Option<&str> {
    let text = |index: usize| statement.get(index).map(|piece| piece.text.as_str());
    (0..statement.len()).find_map(|index| match (text(index)?, text(index + 1)) {
        ("delete", Some("from")) | ("drop", Some("table")) | ("truncate", Some("table")) => {
            text(index + 2)
        }
        ("truncate", table) => table,
        _ => None,
    })
}

fn is_time(word: &str) -> bool {
    word.ends_with("_at")
        || word.ends_with("_date")
        || word.ends_with("_login")
        || ["at", "date", "time", "datetime", "now", "unixepoch", "strftime", "julianday"]
            .contains(&word)
        || word.starts_with("current_")
        || ["age", "interval"].contains(&word)
}

fn check_formats(source: &Source, breaches: &mut Vec<Breach>) {
    for index in 0..source.code.len() {
        let is_formatter = FORMATTERS.iter().any(|name| source.reads(index, &[name, "!"]));
        if !is_formatter || source.is_test(index) {
            continue;
        }
        let end = source.closing(index + 2);
        let mut texts = source.code[index..end].iter().filter(|token| token.kind == Kind::Text);
        if texts.next().is_some_and(|text| looks_like_sql(&text.text)) {
            let what = "SQL is one literal with `?1` for what varies".to_owned();
            let (subject, line) = (source.subject(index), source.code[index].line);
            breaches.push(Breach { rule: "sql-format", subject, line, what });
        }
    }
}

fn looks_like_sql(text: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| SQL_WORDS.contains(&word))
        || sql::statements(text).iter().any(|statement| sql::is_statement(statement))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLES: &str = "CREATE TABLE users (id INTEGER PRIMARY KEY);
        CREATE TABLE carts (user_id INTEGER PRIMARY KEY REFERENCES users (id), updated_at INTEGER);
        CREATE TABLE idempotency_keys (user_id INTEGER, key TEXT, PRIMARY KEY (user_id, key));
        CREATE TABLE skus (id INTEGER PRIMARY KEY);";

    fn broken(sql: &str) -> Vec<&'static str> {
        let source = format!("//! x\nconst S: &str = \"{sql}\";");
        in_source("crates/evercart-sqlite/src/cart.rs", &source)
    }

    fn in_source(path: &str, text: &str) -> Vec<&'static str> {
        let schema = Schema::parse([("0001.sql", TABLES)].into_iter());
        let mut breaches = Vec::new();
        check_source(&Source::parse(path, text), &schema, &mut breaches);
        breaches.into_iter().map(|breach| breach.rule).collect()
    }

    #[test]
    fn statements_name_the_user() {
        assert!(broken("SELECT version FROM carts WHERE user_id = ?1").is_empty());
        assert!(broken("SELECT 1 FROM users u LEFT JOIN carts c ON c.user_id = u.id").is_empty());
        assert!(broken("INSERT INTO carts (user_id, version) VALUES (?1, 1)").is_empty());
        assert!(broken("SELECT price FROM skus WHERE id = ?1").is_empty());
        assert_eq!(broken("SELECT user_id FROM carts"), ["sql-user"]);
        assert_eq!(broken("UPDATE carts SET user_id = ?1 WHERE id = ?2"), ["sql-user"]);
        assert_eq!(broken("SELECT 1 FROM skus WHERE id IN (SELECT id FROM carts)"), ["sql-user"]);
        assert_eq!(broken("INSERT INTO carts VALUES (?1, 1)"), ["sql-user"]);
    }

    #[test]
    fn nothing_of_a_customers_is_deleted_by_time() {
        assert!(broken("DELETE FROM carts WHERE user_id = ?1 AND id = ?2").is_empty());
        let keys = "DELETE FROM idempotency_keys WHERE user_id = ?1 AND created_at < ?2";
        assert!(broken(keys).is_empty());
        assert_eq!(
            broken("DELETE FROM carts WHERE user_id = ?1 AND updated_at < ?2"),
            ["sql-delete"]
        );
        assert_eq!(broken("DELETE FROM carts"), ["sql-user", "sql-delete"]);
        let with = "WITH old AS (SELECT 1 FROM skus) DELETE FROM carts WHERE updated_at < ?1";
        assert_eq!(broken(with), ["sql-user", "sql-delete"]);
        let mut breaches = Vec::new();
        let schema = Schema::parse([("0001.sql", TABLES)].into_iter());
        check_sql("m/0002.sql", "\nDROP TABLE carts;", &schema, &mut breaches);
        assert_eq!(
            breaches.iter().map(|b| (b.rule, b.line)).collect::<Vec<_>>(),
            [("sql-user", 2), ("sql-delete", 2)]
        );
    }

    #[test]
    fn literals_that_are_joined_are_read_as_one() {
        let joined =
            "//! x\nconst S: &str = concat!(\"DELETE FROM carts\", \" WHERE user_id = ?1\");";
        assert!(in_source("crates/evercart-sqlite/src/cart.rs", joined).is_empty());
    }

    #[test]
    fn tests_may_look_at_everything() {
        let test = "//! x\n#[test]\nfn a() { sql(\"DELETE FROM carts\"); }";
        assert!(in_source("crates/evercart-sqlite/src/cart.rs", test).is_empty());
    }

    #[test]
    fn sql_is_in_the_adapters_and_in_one_piece() {
        let select = "//! x\nconst S: &str = \"SELECT id FROM skus\";";
        assert_eq!(in_source("crates/evercart-http/src/cart.rs", select), ["sql-place"]);
        let glued = "//! x\nfn a() { let s = format!(\"DELETE {x} WHERE id = {y}\"); }";
        assert_eq!(in_source("crates/evercart-sqlite/src/cart.rs", glued), ["sql-format"]);
        let message = "//! x\nfn a() { let s = format!(\"cannot delete {x} from {y}\"); }";
        assert!(in_source("crates/evercart-sqlite/src/cart.rs", message).is_empty());
    }
}

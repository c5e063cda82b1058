//! P3 on the migrations: every customer table is keyed by user_id first, so that the schema can be
//! distributed by it, and every foreign key restricts.

use super::Breach;
use super::sql::{self, Piece};

/// Have a user_id, but are how a user is found by phone.
const KEYED_BY_PHONE: [&str; 2] = ["phone_numbers", "former_phones"];

/// The tables that all migrations together make.
#[derive(Default)]
pub struct Schema {
    tables: Vec<Table>,
}

#[derive(Default)]
struct Table {
    name: String,
    path: String,
    line: usize,
    columns: Vec<String>,
    keys: Vec<Key>,
}

struct Key {
    /// `primary key`, `unique`, `foreign key`.
    kind: &'static str,
    columns: Vec<String>,
    /// The table a foreign key points at.
    references: Option<String>,
    /// What happens to this row when that one goes, if not to refuse.
    on_delete: Option<String>,
    line: usize,
}

impl Schema {
    /// Reads migrations, given as path and text in their order.
    pub fn parse<'a>(migrations: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let mut schema = Self::default();
        for (path, text) in migrations {
            for statement in sql::statements(text) {
                schema.take(path, &statement);
            }
        }
        schema
    }

    /// True for a table that holds rows of one user each.
    pub fn is_customer_table(&self, name: &str) -> bool {
        self.table(name).is_some_and(Table::is_customers)
    }

    /// Reports every key that breaks the rule.
    pub fn check(&self, breaches: &mut Vec<Breach>) {
        for table in &self.tables {
            for key in &table.keys {
                let mut push = |rule, what| {
                    let subject = format!("{}::{}", table.path, table.name);
                    breaches.push(Breach { rule, subject, line: key.line, what });
                };
                if let Some(action) = &key.on_delete {
                    let what = format!("G8: a foreign key of `{}` says `{action}`", table.name);
                    push("schema-cascade", what + "; customers' things go by themselves only");
                }
                if table.is_customers() && !self.begins_with_user(key) {
                    let what = format!(
                        "P3: the {} ({}) of `{}` does not begin with user_id",
                        key.kind,
                        key.columns.join(", "),
                        table.name
                    );
                    push("schema-key", what);
                }
            }
            let has_primary = table.keys.iter().any(|key| key.kind == "primary key");
            if table.is_customers() && !has_primary {
                let subject = format!("{}::{}", table.path, table.name);
                let what = format!("P3: `{}` has no primary key", table.name);
                breaches.push(Breach { rule: "schema-key", subject, line: table.line, what });
            }
        }
    }

    /// A key that points into the catalogue is exempt: that is on every shard.
    fn begins_with_user(&self, key: &Key) -> bool {
        let points_elsewhere = key
            .references
            .as_ref()
            .is_some_and(|table| table != "users" && !self.is_customer_table(table));
        points_elsewhere || key.columns.first().is_some_and(|column| column == "user_id")
    }

    fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.name == name)
    }

    fn take(&mut self, path: &str, statement: &[Piece]) {
        let at = |index: usize| statement.get(index).map_or("", |piece| piece.text.as_str());
        let find = |word: &str| statement.iter().position(|piece| piece.text == word);
        let line = statement[0].line + 1;
        match (at(0), at(1)) {
            ("create", "table") => {
                let Some(open) = find("(") else { return };
                let name = at(open - 1).to_owned();
                let mut table = Table { name, path: path.to_owned(), line, ..Table::default() };
                for definition in definitions(&statement[open..]) {
                    table.define(definition);
                }
                self.tables.push(table);
            }
            ("create", "unique") => {
                let Some(on) = find("on") else { return };
                let columns = names(&statement[on + 2..]);
                let name = at(on + 1).to_owned();
                if let Some(table) = self.tables.iter_mut().find(|table| table.name == name) {
                    table.keys.push(Key::new("unique", columns, line));
                }
            }
            ("alter", "table") => {
                let name = at(2).to_owned();
                let Some(add) = find("add") else { return };
                let skip = if at(add + 1) == "column" { 2 } else { 1 };
                if let Some(table) = self.tables.iter_mut().find(|table| table.name == name) {
                    table.define(&statement[add + skip..]);
                }
            }
            _ => {}
        }
    }
}

impl Table {
    fn is_customers(&self) -> bool {
        !KEYED_BY_PHONE.contains(&self.name.as_str())
            && self.columns.iter().any(|column| column == "user_id")
    }

    /// Takes in a column or a constraint.
    fn define(&mut self, definition: &[Piece]) {
        let Some(first) = definition.first() else { return };
        let line = first.line + 1;
        let definition = match first.text.as_str() {
            "constraint" => definition.get(2..).unwrap_or_default(),
            _ => definition,
        };
        let word = |index: usize| definition.get(index).map_or("", |piece| piece.text.as_str());
        let kind = match word(0) {
            "primary" => "primary key",
            "unique" => "unique",
            "foreign" => "foreign key",
            "check" => return,
            _ => return self.define_column(definition, line),
        };
        let mut key = Key::new(kind, names(definition), line);
        key.point(definition);
        self.keys.push(key);
    }

    fn define_column(&mut self, definition: &[Piece], line: usize) {
        let column = definition[0].text.clone();
        self.columns.push(column.clone());
        let outside = outside_brackets(definition);
        let says = |word: &str| outside.iter().any(|piece| piece.text == word);
        for (word, kind) in
            [("primary", "primary key"), ("unique", "unique"), ("references", "foreign key")]
        {
            if says(word) {
                let mut key = Key::new(kind, vec![column.clone()], line);
                if word == "references" {
                    key.point(definition);
                }
                self.keys.push(key);
            }
        }
    }
}

impl Key {
    fn new(kind: &'static str, columns: Vec<String>, line: usize) -> Self {
        Self { kind, columns, references: None, on_delete: None, line }
    }

    fn point(&mut self, definition: &[Piece]) {
        let text = |index: usize| definition.get(index).map_or("", |piece| piece.text.as_str());
        for index in 0..definition.len() {
            match (text(index), text(index + 1)) {
                ("references", table) => self.references = Some(table.to_owned()),
                ("on", "delete") if !matches!(text(index + 2), "restrict" | "no") => {
                    self.on_delete = Some(format!("on delete {}", text(index + 2)));
                }
                _ => {}
            }
        }
    }
}

/// The parts between the commas of the bracket that opens here.
fn definitions(pieces: &[Piece]) -> Vec<&[Piece]> {
    let (mut depth, mut begin) = (0_usize, 1);
    let mut parts = Vec::new();
    for (index, piece) in pieces.iter().enumerate() {
        match piece.text.as_str() {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 1 && piece.text == "," || depth == 0 {
            parts.push(&pieces[begin.min(index)..index]);
            begin = index + 1;
        }
        if depth == 0 {
            break;
        }
    }
    parts
}

/// The names in the first bracket.
fn names(pieces: &[Piece]) -> Vec<String> {
    let inside = pieces.iter().skip_while(|piece| piece.text != "(").skip(1);
    inside
        .take_while(|piece| piece.text != ")")
        .filter(|piece| piece.text != ",")
        .map(|piece| piece.text.clone())
        .collect()
}

fn outside_brackets(pieces: &[Piece]) -> Vec<&Piece> {
    let mut depth = 0_i32;
    let is_outside = |piece: &&Piece| {
        depth += i32::from(piece.text == "(") - i32::from(piece.text == ")");
        depth == 0
    };
    pieces.iter().filter(is_outside).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(sql: &str) -> Vec<String> {
        let users = "CREATE TABLE users (id INTEGER PRIMARY KEY);
            CREATE TABLE skus (id INTEGER PRIMARY KEY, sku_code TEXT UNIQUE);
            CREATE TABLE phone_numbers (phone TEXT PRIMARY KEY, user_id INTEGER UNIQUE);
            CREATE TABLE former_phones (phone BLOB, user_id INTEGER,
            PRIMARY KEY (phone, user_id));";
        let mut breaches = Vec::new();
        Schema::parse([("1.sql", users), ("2.sql", sql)].into_iter()).check(&mut breaches);
        breaches.into_iter().map(|breach| breach.what).collect()
    }

    #[test]
    fn a_customer_table_is_keyed_by_user_first() {
        let good = "CREATE TABLE cart_items (
            user_id INTEGER NOT NULL REFERENCES users (id),
            sku_id INTEGER NOT NULL CHECK (sku_id BETWEEN 1 AND 9) REFERENCES skus (id),
            id INTEGER NOT NULL, -- not the primary key
            PRIMARY KEY (user_id, sku_id), UNIQUE (user_id, id)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX by_sku ON cart_items (sku_id);
        CREATE UNIQUE INDEX one ON cart_items (user_id) WHERE id = 1;";
        assert_eq!(broken(good), [""; 0]);
    }

    #[test]
    fn a_key_that_begins_otherwise_is_found() {
        let bad = "CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL)";
        assert_eq!(
            broken(bad),
            ["P3: the primary key (id) of `orders` does not begin with user_id"]
        );
        let bad = "CREATE TABLE orders (id INTEGER, user_id INTEGER, PRIMARY KEY (user_id, id),
                   CONSTRAINT numbers UNIQUE (id))";
        assert_eq!(broken(bad), ["P3: the unique (id) of `orders` does not begin with user_id"]);
        let bad = "CREATE TABLE orders (user_id INTEGER, id INTEGER, PRIMARY KEY (user_id, id));
                   CREATE UNIQUE INDEX numbers ON orders (id);
                   ALTER TABLE orders ADD COLUMN code TEXT UNIQUE;";
        assert_eq!(broken(bad).len(), 2);
        let bad = "CREATE TABLE orders (user_id INTEGER PRIMARY KEY, id INTEGER);
                   CREATE TABLE order_items (user_id INTEGER, order_id INTEGER,
                   PRIMARY KEY (user_id, order_id), FOREIGN KEY (order_id) REFERENCES orders (id))";
        assert_eq!(
            broken(bad),
            ["P3: the foreign key (order_id) of `order_items` does not begin with user_id"]
        );
        assert_eq!(
            broken("CREATE TABLE notes (user_id INTEGER)"),
            ["P3: `notes` has no primary key"]
        );
    }

    #[test]
    fn foreign_keys_restrict() {
        let bad = "CREATE TABLE carts (user_id INTEGER PRIMARY KEY REFERENCES users (id) \
                   ON DELETE CASCADE)";
        assert!(broken(bad)[0].contains("`on delete cascade`"));
        let good = "CREATE TABLE carts (user_id INTEGER PRIMARY KEY REFERENCES users (id) \
                    ON DELETE RESTRICT ON UPDATE NO ACTION)";
        assert_eq!(broken(good), [""; 0]);
    }
}

//! What a file's schema should be, and what it is.

use std::collections::BTreeMap;

use rusqlite::Connection;

/// Everything that a schema has, by kind and name.
pub(crate) struct Schema(BTreeMap<(String, String), Object>);

/// A table, index, trigger or view.
struct Object {
    /// The table it is on.
    table: String,
    /// What made it, its blanks made even.
    sql: String,
}

impl Schema {
    /// Reads a database's. What SQLite makes by itself is left out.
    pub(crate) fn read(connection: &Connection) -> rusqlite::Result<Self> {
        const OBJECTS: &str = "SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_schema \
             WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
        let mut statement = connection.prepare(OBJECTS)?;
        let rows = statement.query_map([], |row| {
            let sql = even(&row.get::<_, String>(3)?);
            Ok(((row.get(0)?, row.get(1)?), Object { table: row.get(2)?, sql }))
        })?;
        Ok(Self(rows.collect::<rusqlite::Result<_>>()?))
    }

    /// The tables that hold rows of their own: not those behind a virtual one.
    pub(crate) fn tables(&self) -> impl Iterator<Item = &str> {
        let tables = self.0.iter().filter(|((kind, _), object)| {
            kind == "table" && !object.sql.starts_with("CREATE VIRTUAL")
        });
        tables.map(|((_, name), _)| name.as_str()).filter(|name| !self.is_shadow(name))
    }

    pub(crate) fn has_table(&self, name: &str) -> bool {
        self.0.contains_key(&("table".to_owned(), name.to_owned()))
    }

    /// What made a table or an index.
    pub(crate) fn sql(&self, name: &str) -> &str {
        let found = self.0.iter().find(|((_, its), _)| its == name);
        found.map_or("", |(_, object)| object.sql.as_str())
    }

    /// What runs code: each with the table it is on.
    pub(crate) fn programs(&self) -> Vec<String> {
        let found = self.0.iter().filter(|((kind, _), _)| kind == "trigger" || kind == "view");
        found.map(|((kind, name), object)| format!("{kind} {name} of {}", object.table)).collect()
    }

    /// In which ways `found` is not this schema.
    pub(crate) fn differences(&self, found: &Self) -> Vec<String> {
        let mut told = Vec::new();
        for (key, object) in &self.0 {
            let (kind, name) = key;
            match found.0.get(key) {
                None if kind == "table" => told.push(format!("table {name} is missing")),
                None if found.has_table(&object.table) => {
                    told.push(format!("{kind} {name} of table {} is missing", object.table));
                }
                Some(other) if other.sql != object.sql && !self.is_shadow(name) => {
                    let lost = checks(&object.sql).into_iter().filter(|c| !other.sql.contains(c));
                    let lost: String = lost.map(|check| format!("; {check} is missing")).collect();
                    told.push(format!("{kind} {name} is not as evercart made it{lost}"));
                }
                _ => {}
            }
        }
        for ((kind, name), object) in &found.0 {
            if self.0.contains_key(&(kind.clone(), name.clone())) {
                continue;
            }
            told.push(match kind.as_str() {
                "trigger" => format!(
                    "trigger {name} of table {} is not evercart's: it runs at every write",
                    object.table
                ),
                "index" => format!("index {name} of table {} is not evercart's", object.table),
                kind => format!("{kind} {name} is not evercart's"),
            });
        }
        told
    }

    /// True of a table in which a virtual one keeps its rows. How these are made is SQLite's own
    /// business, and another version's may look otherwise.
    fn is_shadow(&self, name: &str) -> bool {
        self.0.iter().any(|((_, other), object)| {
            object.sql.starts_with("CREATE VIRTUAL")
                && name.strip_prefix(other.as_str()).is_some_and(|rest| rest.starts_with('_'))
        })
    }
}

/// The `CHECK (…)` in what made a table.
pub(crate) fn checks(sql: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for (begin, word) in sql.match_indices("CHECK (") {
        let mut depth = 0;
        let end = sql[begin..].char_indices().find(|(_, c)| {
            depth += i32::from(*c == '(') - i32::from(*c == ')');
            depth == 0 && *c == ')'
        });
        found.extend(
            end.filter(|(end, _)| *end > word.len()).map(|(end, _)| &sql[begin..=begin + end]),
        );
    }
    found
}

fn even(sql: &str) -> String {
    let text = sql.lines().map(|line| line.split("--").next().unwrap_or_default());
    let text: Vec<&str> = text.flat_map(str::split_whitespace).collect();
    text.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_are_found_with_what_is_in_brackets() {
        let sql = "CREATE TABLE a (b INT CHECK (b IN (1, 2)), c INT, CHECK ((b = 1) = (c = 1)))";
        assert_eq!(checks(sql), ["CHECK (b IN (1, 2))", "CHECK ((b = 1) = (c = 1))"]);
        assert_eq!(checks("CREATE TABLE a (b INT) -- CHECK ("), Vec::<&str>::new());
    }
}

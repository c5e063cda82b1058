//! What the schema says of its rows, as statements that find the rows of which it is not so. SQLite
//! itself keeps these rules only for what is written through it, by a program that wants it to.

use evercart_core::check::{FINDINGS_MAX, REFERENCES, ROWS, UNIQUE, row_name};
use rusqlite::Connection;

use super::schema::{Schema, checks};

/// A statement that finds rows for which a promise does not hold.
pub(crate) struct Rule {
    pub(crate) promise: &'static str,
    table: String,
    /// The columns that name the row.
    key: Vec<String>,
    sql: String,
}

/// A column of a table.
struct Column {
    name: String,
    kind: String,
    is_needed: bool,
    /// Its place in the primary key, from 1; 0 if it is not in it.
    place: i64,
}

/// All rules of a table of `reference`, whose schema is `expected`.
pub(crate) fn of(
    reference: &Connection,
    expected: &Schema,
    table: &str,
) -> rusqlite::Result<Vec<Rule>> {
    let columns = columns(reference, table)?;
    let mut key: Vec<&Column> = columns.iter().filter(|column| column.place > 0).collect();
    key.sort_by_key(|column| column.place);
    let key: Vec<String> = key.into_iter().map(|column| column.name.clone()).collect();
    let mut rules = vec![of_rows(expected, table, &columns, &key)];
    rules.extend(unique(reference, expected, table)?);
    rules.extend(references(reference, table, &key)?);
    Ok(rules)
}

fn columns(reference: &Connection, table: &str) -> rusqlite::Result<Vec<Column>> {
    const COLUMNS: &str = "SELECT name, type, \"notnull\", pk FROM pragma_table_info(?1)";
    let mut statement = reference.prepare(COLUMNS)?;
    let columns = statement.query_map([table], |row| {
        let (name, kind) = (row.get(0)?, row.get(1)?);
        Ok(Column { name, kind, is_needed: row.get(2)?, place: row.get(3)? })
    })?;
    columns.collect()
}

/// NOT NULL, the columns' types and CHECK: one look at each row.
fn of_rows(expected: &Schema, table: &str, columns: &[Column], key: &[String]) -> Rule {
    // What is wrong, and how it is said, both as SQL.
    let mut wrongs: Vec<(String, String)> = Vec::new();
    for Column { name, kind, is_needed, .. } in columns {
        if *is_needed {
            wrongs.push((format!("t.\"{name}\" IS NULL"), text(&format!("{name} is NULL"))));
        }
        let is_other = format!("typeof(t.\"{name}\") NOT IN ('null', '{}')", kind.to_lowercase());
        let said =
            format!("{} || typeof(t.\"{name}\")", text(&format!("{name}: {kind} expected, ")));
        wrongs.push((is_other, said));
    }
    for check in checks(expected.sql(table)) {
        let condition = check.strip_prefix("CHECK ").unwrap_or(check);
        let mut said = text(&format!("{check} does not hold"));
        let words = condition.split(|c: char| !c.is_alphanumeric() && c != '_');
        let words: Vec<&str> = words.collect();
        let shown = columns.iter().filter(|column| {
            // Numbers and states are nobody's name.
            let is_shown = column.kind == "INTEGER" || column.name == "status";
            is_shown && words.contains(&column.name.as_str())
        });
        for Column { name, .. } in shown {
            let value = format!("coalesce(CAST(t.\"{name}\" AS TEXT), 'NULL')");
            said = format!("{said} || {} || {value}", text(&format!("; {name} is ")));
        }
        wrongs.push((format!("{condition} IS FALSE"), said));
    }
    let any: Vec<_> = wrongs.iter().map(|(wrong, _)| format!("({wrong})")).collect();
    let said: String =
        wrongs.iter().map(|(wrong, said)| format!(" WHEN {wrong} THEN {said}")).collect();
    let sql = format!(
        "SELECT {}, CASE{said} END FROM \"{table}\" AS t WHERE {} LIMIT {FINDINGS_MAX}",
        key_of(table, key),
        any.join(" OR ")
    );
    Rule { promise: ROWS, table: table.to_owned(), key: key.to_vec(), sql }
}

fn unique(reference: &Connection, expected: &Schema, table: &str) -> rusqlite::Result<Vec<Rule>> {
    const KEYS: &str = "SELECT l.name, group_concat(i.name) FROM pragma_index_list(?1) l, \
         pragma_index_info(l.name) i WHERE l.\"unique\" = 1 GROUP BY l.name";
    let mut statement = reference.prepare(KEYS)?;
    let keys = statement
        .query_map([table], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    let mut rules = Vec::new();
    for found in keys {
        let (index, columns) = found?;
        let key: Vec<String> = columns.split(',').map(str::to_owned).collect();
        let names: Vec<_> = key.iter().map(|name| format!("t.\"{name}\"")).collect();
        let mut conditions: Vec<_> =
            names.iter().map(|name| format!("{name} IS NOT NULL")).collect();
        let partial = expected.sql(&index).split_once(" WHERE ");
        conditions.extend(partial.map(|(_, condition)| format!("({condition})")));
        // An index that is damaged, or missing, does not answer for itself.
        let sql = format!(
            "SELECT {}, 'is there ' || count(*) || ' times' FROM \"{table}\" AS t NOT INDEXED \
             WHERE {} GROUP BY {} HAVING count(*) > 1 LIMIT {FINDINGS_MAX}",
            key_of(table, &key),
            conditions.join(" AND "),
            names.join(", ")
        );
        rules.push(Rule { promise: UNIQUE, table: table.to_owned(), key, sql });
    }
    Ok(rules)
}

fn references(reference: &Connection, table: &str, key: &[String]) -> rusqlite::Result<Vec<Rule>> {
    const KEYS: &str = "SELECT \"table\", group_concat('r.\"' || \"to\" || '\" = t.\"' || \"from\" \
         || '\"', ' AND '), group_concat('t.\"' || \"from\" || '\" IS NOT NULL', ' AND ') \
         FROM pragma_foreign_key_list(?1) GROUP BY id";
    let mut statement = reference.prepare(KEYS)?;
    let found = statement.query_map([table], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
    })?;
    let rule = |(other, is_same, is_set): (String, String, String)| {
        let sql = format!(
            "SELECT {}, 'refers to a missing row of {other}' FROM \"{table}\" AS t WHERE {is_set} \
             AND NOT EXISTS (SELECT 1 FROM \"{other}\" AS r WHERE {is_same}) LIMIT {FINDINGS_MAX}",
            key_of(table, key)
        );
        Rule { promise: REFERENCES, table: table.to_owned(), key: key.to_vec(), sql }
    };
    found.map(|found| found.map(rule)).collect()
}

/// The columns of a key as texts, and the code of the SKU in it if there is one.
fn key_of(table: &str, key: &[String]) -> String {
    let mut columns: Vec<String> = Vec::new();
    let mut code = "NULL".to_owned();
    for name in key {
        columns.push(format!(
            "CASE typeof(t.\"{name}\") WHEN 'blob' THEN hex(substr(t.\"{name}\", 1, 4)) || '…' \
             ELSE coalesce(CAST(t.\"{name}\" AS TEXT), 'NULL') END"
        ));
        if name == "sku_id" || (table == "skus" && name == "id") {
            code = format!("(SELECT s.sku_code FROM skus s WHERE s.id = t.\"{name}\")");
        }
    }
    columns.push(code);
    columns.join(", ")
}

/// A text of SQL.
fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

impl Rule {
    /// The rows for which it does not hold, each as a text.
    pub(crate) fn broken(&self, connection: &Connection) -> rusqlite::Result<Vec<String>> {
        let mut statement = connection.prepare(&self.sql)?;
        let count = self.key.len();
        let rows = statement.query_map([], |row| {
            let key: Vec<(&str, String)> = (self.key.iter().enumerate())
                .map(|(index, name)| Ok((name.as_str(), row.get(index)?)))
                .collect::<rusqlite::Result<_>>()?;
            let code: Option<String> = row.get(count)?;
            let said: String = row.get(count + 1)?;
            let name = row_name(&self.table, &key, code.as_deref());
            Ok(format!("{}, {name}: {said}", self.table))
        })?;
        rows.collect()
    }

    /// What is said if the table cannot be read.
    pub(crate) fn unreadable(&self, why: &str) -> String {
        format!("table {} cannot be read to its end: {why}", self.table)
    }
}

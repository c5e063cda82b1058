//! What the schema says of its rows, as statements that find the rows of which it is not so: in
//! case a constraint was dropped, never validated, or passed by, or the disk was damaged.

use evercart_core::check::{FINDINGS_MAX, REFERENCES, ROWS, UNIQUE, row_name};
use tokio_postgres::{Row, Transaction};

use super::schema::Schema;

/// An index that is damaged does not answer for itself.
const WITHOUT_INDEXES: &str = "SET LOCAL enable_indexscan = off; \
     SET LOCAL enable_indexonlyscan = off; SET LOCAL enable_bitmapscan = off";

/// A statement that finds rows for which a promise does not hold.
pub(super) struct Rule {
    pub(super) promise: &'static str,
    table: String,
    /// The columns that name the row.
    key: Vec<String>,
    sql: String,
}

/// All rules of a table.
pub(super) fn of(schema: &Schema, table: &str, is_spread: bool) -> Vec<Rule> {
    let columns_of = |prefix: &str| {
        let mut found = schema
            .constraints(table)
            .filter_map(|constraint| Some(list(constraint.definition.strip_prefix(prefix)?)));
        found.next().unwrap_or_default()
    };
    let key = columns_of("PRIMARY KEY ");
    let mut rules = vec![of_rows(schema, table, &key)];
    for constraint in schema.constraints(table) {
        let definition = constraint.definition;
        let unique = definition.strip_prefix("UNIQUE ");
        if let Some(columns) = unique.or_else(|| definition.strip_prefix("PRIMARY KEY ")) {
            rules.push(unique_in(table, &list(columns), None));
        }
        let is_across = is_spread && table == "phone_numbers";
        if let Some(reference) = definition.strip_prefix("FOREIGN KEY ").filter(|_| !is_across) {
            rules.extend(reference_from(table, &key, reference));
        }
    }
    for index in schema.indexes(table) {
        let is_unique = index.definition.starts_with("CREATE UNIQUE INDEX");
        if let (true, Some((columns, condition))) =
            (is_unique, index.definition.split_once(" WHERE "))
        {
            let columns = columns.split_once(" USING btree ").map_or("", |(_, columns)| columns);
            rules.push(unique_in(table, &list(columns), Some(condition)));
        }
    }
    rules
}

/// NOT NULL and CHECK: one look at each row.
fn of_rows(schema: &Schema, table: &str, key: &[String]) -> Rule {
    // What is wrong, and how it is said, both as SQL.
    let mut wrongs: Vec<(String, String)> = Vec::new();
    for (name, kind) in schema.columns(table) {
        if kind.contains(" NOT NULL") {
            wrongs.push((format!("t.{name} IS NULL"), text(&format!("{name} is NULL"))));
        }
    }
    let checks = schema.constraints(table).map(|constraint| constraint.definition);
    for check in checks.filter(|definition| definition.starts_with("CHECK ")) {
        let condition = check.strip_prefix("CHECK ").unwrap_or(check);
        let mut said = text(&format!("{check} does not hold"));
        let words = condition.split(|c: char| !c.is_alphanumeric() && c != '_');
        let words: Vec<&str> = words.collect();
        let shown = schema.columns(table).filter(|(name, kind)| {
            // Numbers and states are nobody's name.
            let is_shown =
                kind.starts_with("bigint") || kind.starts_with("integer") || *name == "status";
            is_shown && words.contains(name)
        });
        for (name, _) in shown {
            let value = format!("coalesce(t.{name}::TEXT, 'NULL')");
            said = format!("{said} || {} || {value}", text(&format!("; {name} is ")));
        }
        wrongs.push((format!("{condition} IS FALSE"), said));
    }
    let any: Vec<_> = wrongs.iter().map(|(wrong, _)| format!("({wrong})")).collect();
    let said: String =
        wrongs.iter().map(|(wrong, said)| format!(" WHEN {wrong} THEN {said}")).collect();
    let (columns, join) = named(table, key);
    let condition = if any.is_empty() { "false".to_owned() } else { any.join(" OR ") };
    let said = if said.is_empty() { "NULL".to_owned() } else { format!("CASE{said} END") };
    // Before the SKU is joined, whose columns have some of the same names.
    let sql = format!(
        "SELECT {columns}, t.said FROM (SELECT t.*, {said} AS said FROM {table} t \
         WHERE {condition} LIMIT {FINDINGS_MAX}) t{join}"
    );
    Rule { promise: ROWS, table: table.to_owned(), key: key.to_vec(), sql }
}

fn unique_in(table: &str, columns: &[String], condition: Option<&str>) -> Rule {
    let mut conditions: Vec<_> =
        columns.iter().map(|name| format!("t.{name} IS NOT NULL")).collect();
    conditions.extend(condition.map(str::to_owned));
    let names: Vec<_> = columns.iter().map(|name| format!("t.{name}")).collect();
    let shown: Vec<_> = columns.iter().map(|name| shown(name)).collect();
    let sql = format!(
        "SELECT {}, NULL, 'is there ' || count(*) || ' times' FROM {table} t WHERE {} \
         GROUP BY {} HAVING count(*) > 1 LIMIT {FINDINGS_MAX}",
        shown.join(", "),
        conditions.join(" AND "),
        names.join(", ")
    );
    Rule { promise: UNIQUE, table: table.to_owned(), key: columns.to_vec(), sql }
}

/// `(user_id, order_id) REFERENCES orders(user_id, id)`.
fn reference_from(table: &str, key: &[String], reference: &str) -> Option<Rule> {
    let (own, other) = reference.split_once(" REFERENCES ")?;
    let (other, others) = other.split_once('(')?;
    let (own, others) = (list(own), list(others));
    let is_set: Vec<_> = own.iter().map(|name| format!("t.{name} IS NOT NULL")).collect();
    let is_same: Vec<_> =
        own.iter().zip(&others).map(|(own, other)| format!("r.{other} = t.{own}")).collect();
    let (columns, join) = named(table, key);
    let sql = format!(
        "SELECT {columns}, 'refers to a missing row of {other}' FROM {table} t{join} WHERE {} AND \
         NOT EXISTS (SELECT 1 FROM {other} r WHERE {}) LIMIT {FINDINGS_MAX}",
        is_set.join(" AND "),
        is_same.join(" AND ")
    );
    Some(Rule { promise: REFERENCES, table: table.to_owned(), key: key.to_vec(), sql })
}

/// The names in `(a, b)`.
fn list(text: &str) -> Vec<String> {
    let text = text.trim().trim_start_matches('(');
    let end = text.find(')').unwrap_or(text.len());
    text[..end].split(", ").map(str::to_owned).collect()
}

/// The columns of a key as texts, and the code of the SKU in it if there is one, with what brings
/// that along.
fn named(table: &str, key: &[String]) -> (String, String) {
    let mut columns: Vec<String> = key.iter().map(|name| shown(name)).collect();
    let sku = key.iter().find(|name| *name == "sku_id" || (table == "skus" && *name == "id"));
    columns.push(if sku.is_some() { "s.sku_code" } else { "NULL" }.to_owned());
    let join = sku.map(|name| format!(" LEFT JOIN skus s ON s.id = t.{name}"));
    (columns.join(", "), join.unwrap_or_default())
}

/// A column as a text; of a hash, its beginning.
fn shown(name: &str) -> String {
    format!(
        "CASE WHEN t.{name}::TEXT LIKE '\\x%' THEN left(t.{name}::TEXT, 10) || '…' \
             ELSE coalesce(t.{name}::TEXT, 'NULL') END"
    )
}

/// A text of SQL.
fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

impl Rule {
    /// The rows for which it does not hold, each as a text.
    pub(super) async fn broken(
        &self,
        transaction: &Transaction<'_>,
    ) -> Result<Vec<String>, tokio_postgres::Error> {
        if self.promise == UNIQUE {
            transaction.batch_execute(WITHOUT_INDEXES).await?;
        }
        let rows = transaction.query(&self.sql, &[]).await?;
        rows.iter().map(|row| self.said(row)).collect()
    }

    fn said(&self, row: &Row) -> Result<String, tokio_postgres::Error> {
        let mut key = Vec::new();
        for (index, name) in self.key.iter().enumerate() {
            key.push((name.as_str(), row.try_get(index)?));
        }
        let code: Option<&str> = row.try_get(self.key.len())?;
        let said: &str = row.try_get(self.key.len() + 1)?;
        Ok(format!("{}, {}: {said}", self.table, row_name(&self.table, &key, code)))
    }

    /// What is said if the table cannot be read.
    pub(super) fn unreadable(&self, why: &str) -> String {
        format!("table {} cannot be read to its end: {why}", self.table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_out_of_brackets() {
        assert_eq!(list("(user_id, order_id)"), ["user_id", "order_id"]);
        assert_eq!(list("user_id, id)"), ["user_id", "id"]);
    }
}

//! What a schema should be, and what it is. What it should be stands in `schema.txt`: a test writes
//! it from a new database, so that a check needs nothing but to read.

use std::collections::BTreeMap;

use tokio_postgres::GenericClient;

/// A line for each thing of the schema: kind, table, name and definition.
const EXPECTED: &str = include_str!("schema.txt");

/// The functions as they are made. What stands between their marks is what the database keeps.
const FUNCTIONS: &str = include_str!("../../migrations/functions.sql");

/// What is between the parts of a line.
const BAR: &str = " | ";

/// On a cluster no constraint can keep these across shards, and functions and triggers are others.
const NOT_ON_A_CLUSTER: [&str; 3] =
    ["phone_numbers_user_id_fkey", "phone_numbers_user_id_key", "phone_numbers_by_user"];

/// Everything that a schema has, by kind, table and name: its definitions.
pub(super) struct Schema(BTreeMap<(String, String, String), String>);

/// A constraint, or a unique index.
pub(super) struct Constraint<'a> {
    pub(super) name: &'a str,
    pub(super) definition: &'a str,
}

impl Schema {
    pub(super) fn expected() -> Self {
        Self::parse(EXPECTED.lines())
    }

    fn parse<'a>(lines: impl Iterator<Item = &'a str>) -> Self {
        let parts = lines.filter_map(|line| {
            let mut parts = line.splitn(4, BAR).map(str::to_owned);
            Some(((parts.next()?, parts.next()?, parts.next()?), parts.next()?))
        });
        Self(parts.collect())
    }

    /// Reads the lines of the schema that the client is in, sorted.
    pub(super) async fn lines(
        client: &(impl GenericClient + Sync),
    ) -> Result<Vec<String>, tokio_postgres::Error> {
        const LINES: &str = "WITH c AS (SELECT oid, relname, relkind FROM pg_class \
             WHERE relnamespace = current_schema()::REGNAMESPACE) \
             SELECT concat_ws(' | ', kind, coalesce(relation, ''), name, coalesce(definition, '')) \
             FROM ( \
             SELECT CASE relkind WHEN 'S' THEN 'sequence' WHEN 'r' THEN 'table' \
                 WHEN 'p' THEN 'table' WHEN 'f' THEN 'foreign table' ELSE 'view' END AS kind, \
                 '' AS relation, relname::TEXT AS name, '' AS definition \
             FROM c WHERE relkind NOT IN ('i', 'I', 'c', 't') \
             UNION ALL SELECT 'column', c.relname, a.attname, \
                 format_type(a.atttypid, a.atttypmod) \
                 || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END \
                 || coalesce(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), '') \
             FROM c JOIN pg_attribute a ON a.attrelid = c.oid \
             LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum \
             WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped \
             UNION ALL SELECT 'constraint', c.relname, k.conname, pg_get_constraintdef(k.oid) \
             FROM c JOIN pg_constraint k ON k.conrelid = c.oid WHERE k.contype IN \
                 ('c', 'f', 'p', 'u', 'x') \
             UNION ALL SELECT 'index', c.relname, i.relname, replace(pg_get_indexdef(i.oid), \
                 quote_ident(current_schema()) || '.', '') \
             FROM c JOIN pg_index x ON x.indrelid = c.oid JOIN c i ON i.oid = x.indexrelid \
             WHERE c.relkind IN ('r', 'p') \
             UNION ALL SELECT 'trigger', c.relname, t.tgname, '' \
             FROM c JOIN pg_trigger t ON t.tgrelid = c.oid WHERE NOT t.tgisinternal \
             UNION ALL SELECT 'rule', c.relname, r.rulename, '' \
             FROM c JOIN pg_rewrite r ON r.ev_class = c.oid WHERE c.relkind <> 'v' \
             UNION ALL SELECT 'function', '', p.oid::REGPROCEDURE::TEXT, '' FROM pg_proc p \
             WHERE p.pronamespace = current_schema()::REGNAMESPACE) AS found";
        let mut lines: Vec<String> =
            client.query(LINES, &[]).await?.iter().map(|row| row.get(0)).collect();
        lines.sort();
        Ok(lines)
    }

    pub(super) fn tables(&self) -> impl Iterator<Item = &str> {
        self.0.keys().filter(|(kind, ..)| kind == "table").map(|(_, _, name)| name.as_str())
    }

    pub(super) fn has_table(&self, name: &str) -> bool {
        self.0.contains_key(&("table".into(), String::new(), name.into()))
    }

    /// The columns of a table, each with what it may hold.
    pub(super) fn columns(&self, table: &str) -> impl Iterator<Item = (&str, &str)> {
        self.of(table, "column").map(|constraint| (constraint.name, constraint.definition))
    }

    pub(super) fn constraints(&self, table: &str) -> impl Iterator<Item = Constraint<'_>> {
        self.of(table, "constraint")
    }

    pub(super) fn indexes(&self, table: &str) -> impl Iterator<Item = Constraint<'_>> {
        self.of(table, "index")
    }

    fn of(&self, table: &str, kind: &str) -> impl Iterator<Item = Constraint<'_>> {
        let found = self.0.iter().filter(move |((its, on, _), _)| its == kind && on == table);
        found.map(|((_, _, name), definition)| Constraint { name, definition })
    }

    /// In which ways what the client is in is not this schema.
    pub(super) async fn differences(
        &self,
        client: &(impl GenericClient + Sync),
        is_spread: bool,
    ) -> Result<(Self, Vec<String>), tokio_postgres::Error> {
        const BODIES: &str = "SELECT p.oid::REGPROCEDURE::TEXT, p.prosrc FROM pg_proc p \
             WHERE p.pronamespace = current_schema()::REGNAMESPACE";
        let lines = Self::lines(client).await?;
        let found = Self::parse(lines.iter().map(String::as_str));
        let mut told = self.compared_with(&found, is_spread);
        if !is_spread {
            for row in client.query(BODIES, &[]).await? {
                let (name, body): (&str, &str) = (row.get(0), row.get(1));
                let is_ours = self.0.contains_key(&("function".into(), String::new(), name.into()));
                if is_ours && !FUNCTIONS.contains(body) {
                    told.push(format!("function {name} is not as evercart made it"));
                }
            }
        }
        Ok((found, told))
    }

    fn compared_with(&self, found: &Self, is_spread: bool) -> Vec<String> {
        let mut told = Vec::new();
        let is_other = |kind: &str, name: &str| {
            is_spread
                && (NOT_ON_A_CLUSTER.contains(&name) || ["function", "trigger"].contains(&kind))
        };
        for (key, definition) in &self.0 {
            let (kind, table, name) = key;
            if is_other(kind, name) {
                continue;
            }
            match found.0.get(key) {
                None if table.is_empty() => told.push(format!("{kind} {name} is missing")),
                None if found.has_table(table) => {
                    let what = if definition.is_empty() { "" } else { ": " };
                    told.push(format!(
                        "{kind} {name} of table {table} is missing{what}{definition}"
                    ));
                }
                Some(other) if even(other) != even(definition) => told.push(format!(
                    "{kind} {name} of table {table} is {other}, and should be {definition}"
                )),
                _ => {}
            }
        }
        for key in found.0.keys().filter(|key| !self.0.contains_key(key)) {
            let (kind, table, name) = key;
            if is_other(kind, name) || (!table.is_empty() && !self.has_table(table)) {
                continue;
            }
            told.push(match (kind.as_str(), table.as_str()) {
                ("trigger" | "rule", table) => format!(
                    "{kind} {name} of table {table} is not evercart's: it runs at every write"
                ),
                (kind, "") => format!("{kind} {name} is not evercart's"),
                (kind, table) => format!("{kind} {name} of table {table} is not evercart's"),
            });
        }
        told
    }
}

/// A definition without what versions of PostgreSQL write in other ways: brackets and blanks.
fn even(definition: &str) -> String {
    definition.chars().filter(|c| !c.is_whitespace() && !['(', ')'].contains(c)).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use evercart_core::clock::ManualClock;
    use evercart_core::market::MarketName;
    use jiff::Timestamp;

    use super::*;
    use crate::{Options, Postgres};

    /// `schema.txt` is what the migrations make.
    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_expected_is_what_the_migrations_make() {
        let url = evercart_throwaway_postgres::fresh_database();
        let market = MarketName::new("us").expect("us");
        let clock = Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH));
        let store = Postgres::open(&market, Options::new(&url, clock)).await.expect("opens");
        let client = store.target.connect_patiently().await.expect("connects");
        let lines = Schema::lines(&client).await.expect("reads");
        let mut text = lines.join("\n");
        text.push('\n');
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/src/check/schema.txt");
        #[expect(clippy::disallowed_methods, reason = "how a test is told to write its snapshot")]
        let update = std::env::var_os("UPDATE_SNAPSHOTS").is_some();
        if update {
            std::fs::write(file, &text).expect("the snapshot can be written");
        }
        let checked_in = std::fs::read_to_string(file).unwrap_or_default();
        assert!(
            checked_in == text,
            "the migrations make another schema than src/check/schema.txt says; if that is meant, \
             run this test again with UPDATE_SNAPSHOTS=1 and look at the difference"
        );
    }
}

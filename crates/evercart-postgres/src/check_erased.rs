//! The part of the check that is about customers who were erased: in no row of theirs is anything
//! left that is personal, whatever table and column.

use evercart_core::check::{ERASED, NOTED};
use evercart_core::copy::{Column, Table, Tag, erased_tables, open_statuses};

/// Each promise, and a statement that returns one text for each place where it is broken.
pub(crate) fn promises() -> impl Iterator<Item = (&'static str, String)> {
    const NOT_NOTED: &str = "SELECT format('user %s', u.id) FROM users u \
         LEFT JOIN erasures e ON e.user_id = u.id WHERE (u.phone = '') <> (e.user_id IS NOT NULL)";
    let left = erased_tables().flat_map(traces).map(|sql| (ERASED, sql));
    left.chain([(NOTED, NOT_NOTED.to_owned())])
}

/// What finds a table's rows that are left, or in which something is left. What a cluster cannot
/// join where it lies is read first.
fn traces(table: &'static Table) -> Vec<String> {
    let owner = table.owner().map_or("user_id", |column| column.name);
    let key = |column: &Column| format!("t.\"{}\"", column.name);
    let select = |what: &str, of: &str| {
        format!(
            "WITH e AS MATERIALIZED (SELECT id FROM users WHERE phone = '') \
             SELECT format('user %s: {what} of {table} row (%s)', t.{owner}, \
             concat_ws(', ', {of})) FROM {table} t JOIN e ON e.id = t.{owner} WHERE true"
        )
    };
    // A key that is personal is not told again.
    let shown = table.key_columns().iter().filter(|column| column.tag != Tag::Personal);
    let shown = shown.map(key).collect::<Vec<_>>().join(", ");
    let shown = if shown.is_empty() { format!("t.{owner}") } else { shown };
    if table.goes_with_its_customer() {
        return vec![select("the row", &shown)];
    }
    let open = open_statuses().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(", ");
    let trace = |column: &&Column| {
        let is_left = if column.is_optional { "IS NOT NULL" } else { "<> ''" };
        let ended = match column.tag {
            Tag::Delivery => format!(" AND t.status NOT IN ({open})"),
            _ => String::new(),
        };
        let select = select(column.name, &shown);
        format!("{select} AND t.{} {is_left}{ended}", column.name)
    };
    let mut columns = table.emptied(Tag::Personal);
    columns.extend(table.emptied(Tag::Delivery));
    columns.iter().map(trace).collect()
}

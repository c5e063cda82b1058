//! The page about personal data says of every column what the tags say.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use evercart_core::copy::{TABLES, Table, Tag};

const BEGIN: &str = "<!-- columns -->\n";
const END: &str = "<!-- columns end -->\n";

/// A table's columns with a tag, as the page lists them.
fn columns(table: &Table, tag: Tag) -> String {
    let tagged = table.columns.iter().filter(|column| column.tag == tag);
    tagged.map(|column| format!("`{}`", column.name)).collect::<Vec<_>>().join(", ")
}

fn rows(tables: &[&Table]) -> String {
    let mut text = String::from(
        "| table | when its customer is erased | personal | delivery | books |\n\
         |---|---|---|---|---|\n",
    );
    for table in tables {
        let fate = match (table.owner().is_some(), table.goes_with_its_customer()) {
            (false, _) => "stays until its time is over",
            (true, true) => "rows go",
            (true, false) => "rows stay",
        };
        let [personal, delivery, books] =
            [Tag::Personal, Tag::Delivery, Tag::Books].map(|tag| columns(table, tag));
        writeln!(text, "| `{table}` | {fate} | {personal} | {delivery} | {books} |")
            .expect("writing to a string");
    }
    text
}

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/personal-data.md")
}

#[test]
fn the_page_about_personal_data_says_when_each_technical_row_goes() {
    let text = std::fs::read_to_string(page()).expect("the page");
    let (_, rest) = text.split_once("<!-- terms -->\n").expect("where the terms begin");
    let (terms, _) = rest.split_once("<!-- terms end -->\n").expect("where the terms end");
    let is_swept = |table: &&Table| {
        let is_personal = table.columns.iter().any(|column| column.tag == Tag::Personal);
        is_personal && (table.owner().is_none() || table.name == "idempotency_keys")
    };
    for table in TABLES.iter().filter(is_swept) {
        assert!(terms.contains(&format!("\n| `{table}` |")), "{table} has no term");
    }
}

#[test]
fn the_page_about_personal_data_lists_every_column() {
    let page = page();
    let text = std::fs::read_to_string(&page).expect("the page");
    let of_customers: Vec<_> = TABLES.iter().filter(|table| table.owner().is_some()).collect();
    let is_personal = |table: &&Table| {
        table.owner().is_none() && table.columns.iter().any(|one| one.tag == Tag::Personal)
    };
    let by_hash: Vec<_> = TABLES.iter().filter(is_personal).collect();
    let expected = format!("{}\n{}", rows(&of_customers), rows(&by_hash));
    let (before, rest) = text.split_once(BEGIN).expect("where the list begins");
    let (list, after) = rest.split_once(END).expect("where the list ends");
    #[expect(clippy::disallowed_methods, reason = "how a test is told to write its snapshot")]
    let update = std::env::var_os("UPDATE_SNAPSHOTS").is_some();
    if update {
        let new = format!("{before}{BEGIN}{expected}{END}{after}");
        std::fs::write(&page, new).expect("the page can be written");
        return;
    }
    assert!(
        list == expected,
        "docs/personal-data.md differs from the tags in evercart-core/src/copy/tables.rs; run this \
         test with UPDATE_SNAPSHOTS=1 and look at the difference"
    );
}

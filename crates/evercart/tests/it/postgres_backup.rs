//! Backups of a shop in PostgreSQL, restored there and into files.

use std::io::Read;

use serde_json::{Value, json};

use crate::database::{customers, fresh_database, query, shop_in};
use crate::harness::Shop;

/// What is in a backup, file by file, but for the store's life: a restore begins a new one.
fn data(shop: &Shop, file: &str) -> Vec<(String, Vec<String>)> {
    let archive = std::fs::File::open(shop.home().join(file)).expect("a backup");
    let mut archive = tar::Archive::new(archive);
    let mut files = Vec::new();
    for entry in archive.entries().expect("an archive") {
        let mut entry = entry.expect("an entry");
        let name = entry.path().expect("a name").display().to_string();
        if !name.ends_with(".ndjson") {
            continue;
        }
        let mut text = String::new();
        entry.read_to_string(&mut text).expect("rows");
        let mut table = String::new();
        let mut rows = Vec::new();
        for line in text.lines() {
            let value: Value = serde_json::from_str(line).expect("JSON");
            if let Some(name) = value["table"].as_str() {
                name.clone_into(&mut table);
            }
            if !["incarnation", "awake"].contains(&table.as_str()) {
                rows.push(line.to_owned());
            }
        }
        assert!(rows.len() > 100, "{name} has {} rows", rows.len());
        files.push((name, rows));
    }
    files
}

/// Says the first row that is not the same.
fn assert_same(now: &[(String, Vec<String>)], then: &[(String, Vec<String>)]) {
    for ((name, now), (same_name, then)) in now.iter().zip(then) {
        assert_eq!(name, same_name);
        let other = now.iter().zip(then).find(|(now, then)| now != then);
        assert_eq!(other, None, "in {name}");
        assert_eq!(now.len(), then.len(), "rows of {name}");
    }
    assert_eq!(now.len(), then.len());
}

/// A demo in a database of its own, with customers and what they have.
fn furnished(url: &str) -> Shop {
    let mut shop = shop_in(url);
    shop.start();
    shop.run_ok(&["demo", "fill", "--users", "40", "--market", "us"]);
    let token = shop.sign_in("+13128059851");
    let add = json!({ "sku_id": 42, "quantity": 2 });
    assert_eq!(shop.post("/cart/items").token(&token).json(&add).send().status, 200);
    shop
}

fn path(shop: &Shop, file: &str) -> String {
    shop.home().join(file).to_str().expect("text").to_owned()
}

/// G6: the same data in, byte for byte out; also through the other kind of database.
#[test]
fn g6_a_restored_backup_is_backed_up_to_the_same_bytes() {
    let shop = furnished(&fresh_database());
    shop.run_ok(&["backup", "first.tar"]);
    let first = data(&shop, "first.tar");
    assert_eq!(first.len(), 2);
    let archive = path(&shop, "first.tar");

    let again = shop_in(&fresh_database());
    let said = again.run_ok(&["restore", &archive]);
    assert!(said.contains("Restored kg, us as of ") && !said.contains("before is in"), "{said}");
    again.run_ok(&["backup", "again.tar"]);
    assert_same(&data(&again, "again.tar"), &first);

    let files = Shop::prepared().argument("--demo");
    files.run_ok(&["restore", &archive]);
    let check: Value = serde_json::from_str(&files.run_ok(&["check", "--json"])).expect("JSON");
    assert_eq!(check["ok"], true, "{check}");
    let url = fresh_database();
    files.run_ok(&["transfer", "--to", &url]);
    files.run_ok(&["--database-url", &url, "backup", "moved.tar"]);
    assert_same(&data(&files, "moved.tar"), &first);
}

/// A backup of files goes into a database as well.
#[test]
fn g6_a_backup_of_files_is_restored_into_postgresql() {
    let mut files = Shop::demo();
    files.run_ok(&["demo", "fill", "--users", "40", "--market", "us"]);
    files.run_ok(&["backup", "files.tar"]);
    let archive = path(&files, "files.tar");
    files.terminate();
    let url = fresh_database();
    let mut shop = shop_in(&url);
    shop.run_ok(&["restore", &archive]);
    assert_eq!(customers(&url), 41);
    shop.start();
    shop.see("/cart", &shop.sign_in("+13128059851"));
}

#[test]
fn a_restore_replaces_a_database_only_when_told_and_keeps_what_was_there() {
    let url = fresh_database();
    let mut shop = furnished(&url);
    shop.run_ok(&["backup", "shop.tar"]);
    let refused = |shop: &Shop, arguments: &[&str], part: &str| {
        let output = shop.run(arguments);
        assert_eq!(output.code, Some(1), "{}", output.stdout);
        assert!(output.stderr.contains(part), "{}", output.stderr);
    };
    refused(&shop, &["restore", "shop.tar", "--force"], "an evercart is connected to");
    shop.run_ok(&["demo", "fill", "--users", "50", "--seed", "2", "--market", "us"]);
    shop.terminate();
    refused(&shop, &["restore", "shop.tar"], "schema evercart_kg already");
    assert_eq!(customers(&url), 91);
    let said = shop.run_ok(&["restore", "shop.tar", "--force"]);
    assert_eq!(customers(&url), 41);
    let aside = said.lines().filter_map(|line| line.strip_prefix("What was there before is in "));
    let aside: Vec<_> = aside.map(|name| name.trim_end_matches('.').to_owned()).collect();
    assert_eq!(aside.len(), 2, "{said}");
    let us = aside.iter().find(|name| name.starts_with("evercart_us_before")).expect("said");
    assert_eq!(query(&url, &format!("SELECT id FROM {us}.users")).len(), 91);
    shop.start();
    let warned = shop.stderr();
    for schema in &aside {
        let names = |line: &&str| line.contains(&format!("the schema {schema} of market"));
        let line = warned.lines().find(names).unwrap_or_else(|| panic!("{warned}"));
        assert!(line.contains(" WARN ") && line.contains("delete it by 2"), "{line}");
    }
    assert_eq!(shop.see("/cart", &shop.sign_in("+13128059851"))["total_items"], 2);
}

#[test]
fn a_damaged_backup_of_rows_changes_nothing() {
    let url = fresh_database();
    let mut shop = furnished(&url);
    shop.run_ok(&["backup", "shop.tar"]);
    shop.terminate();
    let whole = std::fs::read(shop.home().join("shop.tar")).expect("there");
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    for (name, content) in
        [("flipped.tar", flipped.as_slice()), ("short.tar", &whole[..whole.len() / 2])]
    {
        shop.write(name, content);
        let output = shop.run(&["restore", name, "--force"]);
        assert_eq!(output.code, Some(1), "{name}: {}", output.stdout);
        assert!(output.stderr.contains("cannot be restored"), "{name}: {}", output.stderr);
    }
    let schemas = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'evercart%' ORDER BY 1";
    assert_eq!(query(&url, schemas), ["evercart_kg", "evercart_us"]);
    assert_eq!(customers(&url), 41);
}

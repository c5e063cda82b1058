//! Backups that an earlier program wrote as rows, with what its schema had.

use std::io::Read;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::database::{customers, fresh_database, shop_in};
use crate::harness::Shop;

/// What came after the first schema.
const LATER_TABLES: [&str; 4] = ["incarnation", "awake", "former_phones", "outbox"];
const LATER_COLUMNS: [&str; 6] = [
    "phone_held_until",
    "frozen_at",
    "frozen_phone",
    "first_try_from",
    "emptied_by",
    "emptied_version",
];

/// The rows of a backup as the first program would have written them.
fn of_the_first_schema(rows: &str) -> String {
    let mut old = String::new();
    let mut kept: Option<Vec<usize>> = None;
    for line in rows.lines() {
        let mut value: Value = serde_json::from_str(line).expect("JSON");
        if let Some(table) = value["table"].as_str() {
            let columns = value["columns"].as_array().expect("a list");
            let stays = |&at: &usize| {
                let name = columns[at].as_str().expect("a name");
                !LATER_COLUMNS.contains(&name)
            };
            let places = (0..columns.len()).filter(stays).collect();
            kept = (!LATER_TABLES.contains(&table)).then_some(places);
        }
        let Some(kept) = &kept else { continue };
        let row = match value.get_mut("columns") {
            Some(columns) => columns,
            None => &mut value,
        };
        let whole = row.as_array().expect("a list").clone();
        *row = kept.iter().map(|place| whole[*place].clone()).collect();
        old.push_str(&format!("{value}\n"));
    }
    old
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The backup that the first program would have made.
fn aged(backup: &[u8]) -> Vec<u8> {
    let mut archive = tar::Archive::new(backup);
    let mut files = Vec::new();
    for entry in archive.entries().expect("an archive") {
        let mut entry = entry.expect("an entry");
        let mut text = String::new();
        entry.read_to_string(&mut text).expect("text");
        files.push((entry.path().expect("a name").display().to_string(), text));
    }
    let (name, manifest) = files.remove(0);
    let mut manifest: Value = serde_json::from_str(&manifest).expect("JSON");
    let databases = manifest["databases"].as_array_mut().expect("a list");
    for (database, (_, text)) in databases.iter_mut().zip(&mut files) {
        *text = of_the_first_schema(text);
        database["schema"] = json!(1);
        database["bytes"] = json!(text.len());
        database["sha256"] = json!(hexadecimal(&Sha256::digest(text.as_bytes())));
    }
    let mut out = tar::Builder::new(Vec::new());
    for (name, text) in [(name, manifest.to_string())].into_iter().chain(files) {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o600);
        out.append_data(&mut header, name, text.as_bytes()).expect("it is packed");
    }
    out.into_inner().expect("it is packed")
}

/// G6: a backup is good for as long as there is a program to restore it.
#[test]
fn g6_a_backup_of_the_first_schema_is_restored() {
    let url = fresh_database();
    let mut shop = shop_in(&url);
    shop.start();
    shop.run_ok(&["demo", "fill", "--users", "20", "--market", "us"]);
    let token = shop.sign_in("+13128059851");
    let add = json!({ "sku_id": 42, "quantity": 2 });
    assert_eq!(shop.post("/cart/items").token(&token).json(&add).send().status, 200);
    shop.run_ok(&["backup", "shop.tar"]);
    shop.terminate();
    let old = aged(&std::fs::read(shop.home().join("shop.tar")).expect("there"));
    shop.write("old.tar", &old);

    shop.run_ok(&["restore", "old.tar", "--force"]);
    assert_eq!(customers(&url), 21);
    let mut files = Shop::prepared().argument("--demo");
    files.write("old.tar", &old);
    files.run_ok(&["restore", "old.tar"]);
    for shop in [&mut shop, &mut files] {
        shop.start();
        assert_eq!(shop.get("/cart").token(&token).send().status, 401, "G10");
        let cart = shop.see("/cart", &shop.sign_in("+13128059851"));
        assert_eq!(cart["total_items"], 2);
        shop.run_ok(&["check"]);
    }
}

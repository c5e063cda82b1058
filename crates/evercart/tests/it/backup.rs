//! Backups taken while serving, restored, and checked.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::harness::Shop;

fn check(shop: &Shop) -> Value {
    serde_json::from_str(&shop.run_ok(&["check", "--json"])).expect("JSON")
}

#[cfg(unix)]
fn mode(shop: &Shop, file: &str) -> u32 {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(shop.data().join(file)).expect("is there").mode() & 0o777
}

/// G6: backups can be taken while serving, and a restored one passes `check`.
#[test]
fn a_backup_taken_while_writing_restores_to_a_moment_of_the_shop() {
    let shop = Shop::demo();
    let token = shop.sign_in("+13128059851");
    let stop = AtomicBool::new(false);
    let (before, after) = std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut acknowledged = 0;
            while !stop.load(Ordering::Relaxed) && acknowledged < 900 {
                let body = json!({ "sku_id": 42, "quantity": 1 });
                let answer = shop.post("/cart/items").token(&token).json(&body).send();
                assert_eq!(answer.status, 200, "{answer}");
                acknowledged += 1;
            }
            acknowledged
        });
        let quantity = || shop.see("/cart", &token)["total_items"].as_i64().expect("a number");
        crate::harness::wait_until("some adds", || quantity() > 3);
        let before = quantity();
        shop.run_ok(&["backup", "shop.tar"]);
        let after = quantity();
        stop.store(true, Ordering::Relaxed);
        assert!(writer.join().expect("it writes") >= after);
        (before, after)
    });
    assert!(before > 3 && after >= before);

    let archive = shop.home().join("shop.tar");
    let archive = archive.to_str().expect("text");
    let mut other = Shop::prepared().argument("--demo");
    let said = other.run_ok(&["restore", archive]);
    assert!(said.contains("Restored kg, us as of "), "{said}");
    assert!(said.contains("There are no keys here"), "{said}");
    assert_eq!(check(&other)["ok"], true);
    #[cfg(unix)]
    assert_eq!(mode(&other, "us.sqlite3"), 0o600, "S7: customers' data is for the owner only");
    other.start();
    assert_eq!(other.get("/cart").token(&token).send().status, 401, "keys are not in a backup");
    let cart = other.see("/cart", &other.sign_in("+13128059851"));
    let restored = cart["total_items"].as_i64().expect("a number");
    assert!((before..=after).contains(&restored), "{before} <= {restored} <= {after}");
}

#[test]
fn a_restore_never_replaces_a_shop_by_accident() {
    let mut shop = Shop::demo();
    let token = shop.sign_in("+13128059851");
    let add = json!({ "sku_id": 42, "quantity": 2 });
    shop.run_ok(&["backup", "shop.tar"]);
    assert_eq!(shop.post("/cart/items").token(&token).json(&add).send().status, 200);

    let output = shop.run(&["restore", "shop.tar", "--force"]);
    assert_eq!(output.code, Some(1), "the server runs");
    assert!(output.stderr.contains("another evercart (process"), "{}", output.stderr);
    let output = shop.run(&["backup", "shop.tar"]);
    assert!(output.stderr.contains("shop.tar is there already"), "{}", output.stderr);
    shop.terminate();
    let output = shop.run(&["restore", "shop.tar"]);
    assert_eq!(output.code, Some(1));
    assert!(
        output.stderr.contains("there is a shop in evercart-data already"),
        "{}",
        output.stderr
    );
    assert!(output.stderr.contains("--force"), "{}", output.stderr);

    let said = shop.run_ok(&["restore", "shop.tar", "--force"]);
    let aside = said.lines().find_map(|line| line.strip_prefix("What was there before is in "));
    let aside = shop.home().join(aside.expect("said").trim_end_matches('.'));
    assert!(aside.join("us.sqlite3").exists() && aside.join("kg.sqlite3").exists());
    assert!(said.contains("It is a whole copy: delete evercart-data/before-restore-"), "{said}");
    shop.start();
    let warned = shop.stderr();
    let names = |line: &&str| line.contains(" WARN ") && line.contains("/before-restore-");
    let line = warned.lines().find(names).unwrap_or_else(|| panic!("{warned}"));
    assert!(line.contains("left behind by a restore") && line.contains("delete it by 2"), "{line}");
    // G10: the keys stayed, but no token of before is good; the cart is the backup's.
    assert_eq!(shop.get("/cart").token(&token).send().status, 401);
    let token = shop.sign_in("+13128059851");
    assert_eq!(shop.see("/cart", &token)["total_items"], 0);
}

#[test]
fn a_damaged_backup_changes_nothing() {
    let mut shop = Shop::demo();
    shop.run_ok(&["backup", "shop.tar"]);
    shop.terminate();
    let whole = std::fs::read(shop.home().join("shop.tar")).expect("there");
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    let before = check(&shop);
    for (name, content) in [
        ("flipped.tar", flipped.as_slice()),
        ("short.tar", &whole[..whole.len() / 2]),
        ("empty.tar", &[]),
        ("other.tar", b"something else entirely"),
    ] {
        shop.write(name, content);
        let output = shop.run(&["restore", name, "--force"]);
        assert_eq!(output.code, Some(1), "{name}: {}", output.stdout);
        assert!(output.stderr.contains("cannot be restored"), "{name}: {}", output.stderr);
        assert_eq!(check(&shop), before, "{name}");
    }
    let left = std::fs::read_dir(shop.data()).expect("there").any(|entry| {
        let name = entry.expect("an entry").file_name();
        name.to_string_lossy().starts_with(".evercart-")
            || name.to_string_lossy().starts_with("before")
    });
    assert!(!left, "a failed restore leaves nothing behind");
}

#[test]
fn migrate_says_what_it_did() {
    let shop = Shop::demo();
    let text = shop.run_ok(&["migrate"]);
    assert!(text.contains("us: schema ") && text.contains(" is current"), "{text}");
}

#[test]
fn check_lists_every_promise() {
    let shop = Shop::demo();
    let report = check(&shop);
    assert_eq!(report["ok"], true);
    let promises = report["markets"][0]["promises"].as_array().expect("a list");
    let text = shop.run_ok(&["check"]);
    for promise in promises {
        let line = format!("  ok     {}", promise.as_str().expect("text"));
        assert!(text.contains(&line), "{line} is missing in {text}");
    }
}

/// What is gone is not passed over as if it had never been.
#[test]
fn a_lost_market_is_neither_checked_nor_backed_up_around() {
    let mut shop = Shop::demo();
    shop.run_ok(&["check"]);
    shop.terminate();
    for file in ["us.sqlite3", "us.sqlite3-wal", "us.sqlite3-shm"] {
        std::fs::remove_file(shop.data().join(file)).unwrap_or_default();
    }
    for arguments in [&["check"][..], &["backup", "shop.tar"], &["migrate"]] {
        let output = shop.run(arguments);
        assert_eq!(output.code, Some(1), "{arguments:?}: {}", output.stdout);
        let said = "there is no database for market us at evercart-data/us.sqlite3";
        assert!(output.stderr.contains(said), "{arguments:?}: {}", output.stderr);
    }
    assert!(!shop.home().join("shop.tar").exists());
}

#[test]
fn restores_follow_each_other_as_quickly_as_they_come() {
    let mut shop = Shop::demo();
    shop.run_ok(&["backup", "shop.tar"]);
    shop.terminate();
    for _ in 0..4 {
        shop.run_ok(&["restore", "shop.tar", "--force"]);
    }
}

//! Restoring over a shop that went on: what was decided meanwhile about who gets in is kept.

use serde_json::{Value, json};

use crate::database::{fresh_database, shop_in};
use crate::harness::{Answer, Shop};

const BLOCKED: &str = "+13128050001";
const MOVED: &str = "+13128050002";
const ERASED: &str = "+13128050003";
const LATE: &str = "+13128050004";
const NEW: &str = "+13128050005";

fn id(shop: &Shop, token: &str) -> Value {
    shop.see("/auth/profile", token)["id"].clone()
}

fn verified(shop: &Shop, phone: &str) -> Answer {
    let sent = shop.post("/auth/send-code").json(&json!({ "phone": phone })).send();
    shop.verify(phone, sent.json()["demo_code"].as_str().expect("a demo code"))
}

fn customer(shop: &Shop, phone: &str) -> String {
    let token = shop.sign_in(phone);
    let add = json!({ "sku_id": 42, "quantity": 2 });
    assert_eq!(shop.post("/cart/items").token(&token).json(&add).send().status, 200);
    token
}

fn decide(shop: &Shop, moved: &str, erased: &str) {
    shop.run_ok(&["user", "block", BLOCKED, "--market", "us"]);
    let to = json!({ "new_phone": NEW });
    let sent = shop.post("/auth/phone").token(moved).json(&to).send();
    let code = sent.json()["demo_code"].clone();
    let to = json!({ "new_phone": NEW, "verification_code": code });
    assert_eq!(shop.post("/auth/phone/confirm").token(moved).json(&to).send().status, 200);
    let sent = shop.post("/auth/send-code").json(&json!({ "phone": ERASED })).send();
    let code = json!({ "verification_code": sent.json()["demo_code"] });
    let erase = shop.request("DELETE", "/auth/account").token(erased).json(&code).send();
    assert_eq!(erase.status, 200, "{erase}");
}

fn restoring_keeps_what_was_decided(mut shop: Shop) {
    shop.start();
    customer(&shop, BLOCKED);
    let moved = customer(&shop, MOVED);
    let erased = customer(&shop, ERASED);
    let moved_id = id(&shop, &moved);
    let erased_id = id(&shop, &erased);
    shop.run_ok(&["backup", "shop.tar"]);
    decide(&shop, &moved, &erased);
    let late = id(&shop, &customer(&shop, LATE));
    shop.terminate();

    let said = shop.run_ok(&["restore", "shop.tar", "--force"]);
    let kept = said.split("us: kept of what was decided since the backup:\n").nth(1);
    let kept = kept.unwrap_or_else(|| panic!("{said}"));
    for (phone, what) in [
        ("+1312•••0001", "was blocked"),
        ("+1312•••0002", "moved to +1312•••0005"),
        ("+1312•••0003", "was erased"),
    ] {
        assert!(kept.contains(&format!("({phone}): {what}\n")), "{said}");
    }
    assert!(!said.contains("kg: "), "nothing was decided there: {said}");
    shop.start();
    assert_eq!(verified(&shop, BLOCKED).code(), "user_blocked");
    assert_eq!(verified(&shop, MOVED).code(), "phone_moved");
    let again = shop.sign_in(NEW);
    assert_eq!(id(&shop, &again), moved_id);
    assert_eq!(shop.see("/cart", &again)["total_items"], 2);
    let token = shop.sign_in(ERASED);
    assert_ne!(id(&shop, &token), erased_id);
    assert_eq!(shop.see("/cart", &token)["total_items"], 0);
    assert_ne!(id(&shop, &token), late, "G10: a number is given once");
    shop.run_ok(&["check"]);
    let history = shop.run_ok(&["user", "show", NEW, "--market", "us"]);
    assert!(history.contains("+1312•••0002"), "{history}");
}

/// G10
#[test]
fn restoring_files_keeps_what_was_decided_since() {
    restoring_keeps_what_was_decided(Shop::prepared().argument("--demo"));
}

/// G10
#[test]
fn restoring_a_database_keeps_what_was_decided_since() {
    restoring_keeps_what_was_decided(shop_in(&fresh_database()));
}

/// G10: nothing is said to be kept of what cannot be read.
#[test]
fn what_cannot_be_read_is_told() {
    let mut shop = Shop::demo();
    customer(&shop, BLOCKED);
    shop.run_ok(&["backup", "shop.tar"]);
    shop.run_ok(&["user", "block", BLOCKED, "--market", "us"]);
    shop.terminate();
    std::fs::write(shop.data().join("us.sqlite3"), vec![7; 8192]).expect("it is overwritten");
    let said = shop.run_ok(&["restore", "shop.tar", "--force"]);
    let told = said.lines().find(|line| line.starts_with("us: what was there cannot be read ("));
    let told = told.unwrap_or_else(|| panic!("{said}"));
    for lost in ["Blocks", "moves to other phones", "make them again"] {
        assert!(told.contains(lost), "{told}");
    }
    shop.start();
    assert_eq!(verified(&shop, BLOCKED).status, 200);
}

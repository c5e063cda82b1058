//! The key file: made once, for its owner only, rotated without signing anybody out.

use serde_json::Value;

use crate::harness::{Shop, wait_until};

fn list(shop: &Shop) -> Vec<Value> {
    let text = shop.run_ok(&["keys", "list", "--json"]);
    serde_json::from_str::<Vec<Value>>(&text).expect("a JSON list")
}

/// The `kid` of a token.
fn key_of(token: &str) -> String {
    use base64::Engine;
    let header = token.split('.').next().expect("a header");
    let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(header).expect("base64");
    let header: Value = serde_json::from_slice(&header).expect("JSON");
    header["kid"].as_str().expect("a kid").to_owned()
}

#[cfg(unix)]
#[test]
fn the_key_file_is_for_its_owner_only() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let mut shop = Shop::demo();
    let path = shop.data().join("keys.json");
    assert_eq!(std::fs::metadata(&path).expect("there").mode() & 0o777, 0o600);
    assert_eq!(std::fs::metadata(shop.data()).expect("there").mode() & 0o777, 0o700);
    shop.terminate();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("ours");
    let failed = shop.try_start().expect_err("refused");
    assert!(failed.0.stderr.contains("can be read by others (mode 0644)"), "{failed}");
    assert!(failed.0.stderr.contains("hint: run `chmod 600 evercart-data/keys.json`"), "{failed}");
}

#[test]
fn a_damaged_key_file_is_refused_and_a_lost_one_costs_only_sign_ins() {
    let mut shop = Shop::demo();
    let token = shop.sign_in("+13128059851");
    shop.terminate();
    let path = shop.data().join("keys.json");
    let content = std::fs::read(&path).expect("there");
    std::fs::write(&path, &content[..content.len() / 2]).expect("ours");
    let failed = shop.try_start().expect_err("refused");
    assert!(failed.0.stderr.contains("is damaged"), "{failed}");
    std::fs::remove_file(&path).expect("ours");
    shop.start();
    assert_eq!(shop.get("/cart").token(&token).send().status, 401);
    shop.see("/cart", &shop.sign_in("+13128059851"));
}

/// S3: rotation with overlap and without sign-outs, picked up by the running server.
#[test]
fn a_rotation_reaches_the_running_server_and_signs_nobody_out() {
    let shop = Shop::demo();
    let before = shop.sign_in("+13128059851");
    assert_eq!(list(&shop).len(), 1);
    let said = shop.run_ok(&["keys", "rotate"]);
    let keys = list(&shop);
    assert_eq!(keys.len(), 2);
    assert_eq!(keys[0]["signs"], true);
    let newest = keys[0]["id"].as_str().expect("an id");
    assert!(said.contains(newest) && newest != key_of(&before), "{said}");
    let verify = || shop.verify("+13128059851", "123456").json()["access_token"].clone();
    wait_until("the server signs with the new key", || {
        key_of(verify().as_str().expect("a token")) == newest
    });
    shop.see("/cart", &before);
}

#[test]
fn a_listing_shows_no_secret() {
    let shop = Shop::demo();
    let file: Value =
        serde_json::from_str(&shop.read("evercart-data/keys.json")).expect("a JSON file");
    let secret = file["token_keys"][0]["secret"].as_str().expect("a secret");
    for arguments in [&["keys", "list"][..], &["keys", "list", "--json"], &["config"]] {
        let text = shop.run_ok(arguments);
        assert!(!text.contains(secret), "{text}");
    }
    assert!(!shop.running().stderr().contains(secret));
}

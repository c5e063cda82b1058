//! S2, S3: tokens that were good once or are good elsewhere: signed out, of another shop, of a key
//! that is no longer in force.

use serde_json::{Value, json};

use crate::backend::SERVERS;
use crate::crowd::{at_once, count};
use crate::customer::{Customer, SEED_PHONE, expect, pieces, problem};
use crate::forge::{Target, claims, decode, key_file, keys, refused, signed};
use crate::harness::{Shop, wait_until};

#[test]
fn s2_a_dead_token_stays_dead_through_kills_restarts_and_sign_ins() {
    let mut shop = Shop::demo();
    let owner = Customer::with_code(&shop, SEED_PHONE, "123456");
    expect(200, &owner.add(&shop, 42, 2));
    expect(200, &owner.request(&shop, "POST", "/auth/logout").send());
    let mut now = owner.clone();
    for round in 0..4 {
        match round % 2 {
            0 => {
                shop.kill();
                shop.start();
            }
            _ => shop.restart(),
        }
        if round > 1 {
            now = Customer::with_code(&shop, SEED_PHONE, "654321");
        }
        let answers = at_once(16, |index| match index % 2 {
            0 => owner.get(&shop, "/cart"),
            _ => owner.add(&shop, 42, 1),
        });
        assert_eq!(count(&answers, |answer| answer.code() == "signed_out"), 16);
    }
    assert_eq!(pieces(&now.cart(&shop), 42), 2);
}

/// With the key in hand, even: which epoch is over only the database says.
#[test]
fn s2_no_epoch_but_the_last_is_let_in() {
    let at = Target::new();
    for _ in 0..3 {
        let again = Customer::with_code(&at.shop, SEED_PHONE, "654321");
        expect(200, &again.request(&at.shop, "POST", "/auth/logout").send());
    }
    let owner = Customer::with_code(&at.shop, SEED_PHONE, "654321");
    let last = claims(&owner.token)["epoch"].as_i64().expect("a number");
    assert!(last >= 3, "{last}");
    for epoch in 0..last + 3 {
        let token = at.token_with("epoch", json!(epoch));
        if epoch == last {
            assert_eq!(at.shop.get("/cart").token(&token).send().status, 200);
        } else {
            at.refuses(&token, "signed_out");
        }
    }
    assert_eq!(pieces(&owner.cart(&at.shop), 42), 2);
}

#[test]
fn s3_a_token_of_another_shop_is_none_here() {
    let at = Target::new();
    let other = Shop::demo();
    let stranger = Customer::with_code(&other, SEED_PHONE, "123456");
    assert_eq!(stranger.id, at.owner.id, "both shops count their customers from the same start");
    at.refuses(&stranger.token, "token_invalid");
    refused("token_invalid", "x", &other.get("/cart").token(&at.owner.token).send());
    // Its header with our signature, and ours with its key.
    let [(_, others)] = keys(&other).try_into().expect("one key at first");
    let payload = decode(&at.owner.token, 1);
    at.refuses(&signed(&decode(&stranger.token, 0), &payload, &at.secret), "token_invalid");
    at.refuses(&signed(&at.header, &payload, &others), "token_invalid");
    at.is_unharmed();
}

/// A shop for trying things, made with a copy of the real one's keys.
#[test]
fn s3_a_shop_of_another_issuer_gives_no_tokens_although_it_has_the_same_keys() {
    let at = Target::new();
    let mut other =
        Shop::prepared().argument("--demo").variable("EVERCART_AUTH__ISSUER", "evercart-staging");
    // With keys in the directory an empty database is taken for a lost one.
    for argument in ["--create", "us", "--create", "kg"] {
        other = other.argument(argument);
    }
    std::fs::create_dir_all(other.data()).expect("a directory of ours");
    let copy = other.data().join("keys.json");
    std::fs::copy(at.shop.data().join("keys.json"), copy).expect("a file of ours");
    other.start();
    let stranger = Customer::with_code(&other, SEED_PHONE, "123456");
    assert_eq!(keys(&other), keys(&at.shop));
    assert_eq!(decode(&stranger.token, 0), at.header, "the same key signed it");
    at.refuses(&stranger.token, "token_invalid");
    refused("token_invalid", "x", &other.get("/cart").token(&at.owner.token).send());
    at.is_unharmed();
}

/// Waits until every server has answered so.
fn wait_for_all(shop: &Shop, what: &str, token: &str, status: u16) {
    let ask = || shop.get("/cart").token(token).send().status;
    wait_until(what, || (0..SERVERS).all(|_| ask() == status));
}

#[test]
fn s3_a_rotated_key_is_good_and_a_removed_one_is_not() {
    let at = Target::new();
    at.shop.run_ok(&["keys", "rotate"]);
    let both = keys(&at.shop);
    let [(new, new_secret), (old, _)] = &both[..] else { panic!("two keys: {}", both.len()) };
    assert_eq!(*old, at.kid);
    let payload = decode(&at.owner.token, 1);
    let new_header = at.header.replace(&at.kid, new);
    let by_new = signed(&new_header, &payload, new_secret);
    wait_for_all(&at.shop, "the new key to verify", &by_new, 200);
    wait_for_all(&at.shop, "the old key to verify still", &at.owner.token, 200);
    // Each key's name with the other key.
    at.refuses(&signed(&new_header, &payload, &at.secret), "token_invalid");
    at.refuses(&signed(&at.header, &payload, new_secret), "token_invalid");

    let mut file = key_file(&at.shop);
    let list = file["token_keys"].as_array_mut().expect("keys");
    list.retain(|key| key["id"] != json!(old));
    // As the last rotation's wait is over, the key signs.
    list[0].as_object_mut().expect("a key").remove("signs_from");
    replace_keys(&at.shop, &file);
    wait_for_all(&at.shop, "the old key to be gone", &at.owner.token, 401);
    at.refuses(&at.owner.token, "token_invalid");
    let owner = Customer::with_code(&at.shop, SEED_PHONE, "654321");
    assert_eq!(owner.id, at.owner.id);
    assert_eq!(pieces(&owner.cart(&at.shop), 42), 2, "the cart follows the customer");
    expect(200, &owner.request(&at.shop, "POST", "/auth/logout").send());
    problem(401, "signed_out", &at.shop.get("/cart").token(&by_new).send());
}

/// Writes the key file anew as the program does: whole, and for its owner only.
fn replace_keys(shop: &Shop, file: &Value) {
    let mut written = tempfile::NamedTempFile::new_in(shop.data()).expect("a file");
    serde_json::to_writer_pretty(&mut written, file).expect("written");
    written.persist(shop.data().join("keys.json")).expect("renamed");
    shop.signal("HUP");
}

//! The guide's first scenario: a customer logs out and logs back in, and everything is still there.

use serde_json::json;

use crate::customer::{Customer, SEED_PHONE, expect, pieces, problem};
use crate::harness::Shop;

#[test]
fn cart_wishlist_and_orders_survive_logout() {
    let shop = Shop::demo();
    let before = Customer::with_code(&shop, SEED_PHONE, "123456");
    expect(200, &before.add(&shop, 41, 1));
    expect(201, &before.checkout(&shop));
    for (sku, quantity) in [(42, 2), (1, 1), (4, 3)] {
        expect(200, &before.add(&shop, sku, quantity));
    }
    expect(200, &before.wish(&shop, 15));
    let address = json!({ "full_address": "233 S Wacker Dr, Chicago" });
    expect(201, &before.post(&shop, "/profile/addresses", &address));
    let had = before.everything(&shop);

    expect(200, &before.request(&shop, "POST", "/auth/logout").send());
    let refused = problem(401, "signed_out", &before.get(&shop, "/cart"));
    assert_eq!(refused["detail"], "User account is inactive");

    let after = Customer::with_code(&shop, SEED_PHONE, "123456");
    assert_eq!(after.id, before.id, "still the same user id");
    assert_ne!(after.token, before.token, "a new token");
    assert_eq!(after.everything(&shop), had);
    let cart = after.cart(&shop);
    assert_eq!((pieces(&cart, 42), pieces(&cart, 1), pieces(&cart, 4)), (2, 1, 3), "{cart}");
}

#[test]
fn login_and_logout_are_seen_in_the_profile() {
    let shop = Shop::demo();
    let signed_in = expect(200, &shop.verify(SEED_PHONE, "123456"));
    assert_eq!(signed_in["token_type"], "bearer");
    assert_eq!(signed_in["expires_in"], 1800);
    assert_eq!(signed_in["user"]["is_active"], true, "{signed_in}");
    let jo = Customer::with_code(&shop, SEED_PHONE, "654321");
    let profile = shop.see("/auth/profile", &jo.token);
    assert_eq!(profile["is_active"], true, "{profile}");
    assert!(profile["last_login"].as_str().is_some_and(|at| at.ends_with('Z')), "{profile}");
    expect(200, &jo.request(&shop, "POST", "/auth/logout").send());
    let shown = shop.run_ok(&["user", "show", SEED_PHONE, "--market", "us", "--json"]);
    let shown: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
    assert_eq!(shown["is_active"], false, "{shown}");
}

#[test]
fn a_cart_survives_a_hundred_logouts() {
    let shop = Shop::demo();
    let mut jo = Customer::with_code(&shop, SEED_PHONE, "123456");
    for round in 1..=100 {
        let cart = expect(200, &jo.add(&shop, 42, 1));
        assert_eq!(pieces(&cart, 42), round, "{cart}");
        expect(200, &jo.request(&shop, "POST", "/auth/logout").send());
        jo = Customer::with_code(&shop, SEED_PHONE, "654321");
        assert_eq!(pieces(&jo.cart(&shop), 42), round);
    }
}

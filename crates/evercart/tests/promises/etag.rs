//! A client that has the cart is told so; one that changes a cart it has not seen is refused, if it
//! asked to be.

use serde_json::json;

use crate::crowd::{at_once, count};
use crate::customer::{Customer, checkout_body, expect, pieces, problem, us_phone};
use crate::harness::{Answer, Shop};

fn tag(answer: &Answer) -> String {
    let tag = answer.header("etag").unwrap_or_else(|| panic!("no ETag: {answer}"));
    tag.to_owned()
}

fn shop_and_customer() -> (Shop, Customer) {
    let shop = Shop::demo();
    let jo = Customer::of_demo(&shop, &us_phone(1));
    (shop, jo)
}

#[test]
fn a_cart_that_has_not_changed_is_not_sent_again() {
    let (shop, jo) = shop_and_customer();
    for empty in [true, false] {
        if !empty {
            expect(200, &jo.add(&shop, 42, 2));
        }
        let cart = jo.get(&shop, "/cart");
        let known = tag(&cart);
        let version = cart.json()["version"].to_string();
        assert!(known.starts_with(&format!("\"{version}-")), "{known}");
        for listed in [&known, &format!("\"x\", {known}"), &format!("W/{known}")] {
            let again = jo.request(&shop, "GET", "/cart").header("If-None-Match", listed).send();
            assert_eq!((again.status, again.text().as_str()), (304, ""));
            assert_eq!(tag(&again), known);
        }
        expect(200, &jo.add(&shop, 42, 1));
        let after = jo.request(&shop, "GET", "/cart").header("If-None-Match", &known).send();
        assert_eq!(after.status, 200, "it has changed");
        assert_ne!(tag(&after), known);
    }
}

#[test]
fn a_tag_is_worthless_without_the_customers_token() {
    let (shop, jo) = shop_and_customer();
    let known = tag(&jo.get(&shop, "/cart"));
    let without = shop.get("/cart").header("If-None-Match", &known).send();
    problem(401, "not_authenticated", &without);
    expect(200, &jo.request(&shop, "POST", "/auth/logout").send());
    let dead = jo.request(&shop, "GET", "/cart").header("If-None-Match", &known).send();
    problem(401, "signed_out", &dead);
}

#[test]
fn a_change_of_a_cart_that_moved_on_is_refused() {
    let (shop, jo) = shop_and_customer();
    expect(200, &jo.add(&shop, 42, 1));
    let old = tag(&jo.get(&shop, "/cart"));
    let current = tag(&jo.add(&shop, 41, 1));
    expect(200, &jo.wish(&shop, 15));
    let had = jo.everything(&shop);
    let add = || Some(json!({ "sku_id": 42, "quantity": 1 }));
    let changes = [
        ("POST", "/cart/items", add()),
        ("POST", "/cart/merge", Some(json!({ "items": [{ "sku_id": 42, "quantity": 9 }] }))),
        ("PUT", "/cart/items/1", Some(json!({ "quantity": 5 }))),
        ("DELETE", "/cart/items/1", None),
        ("DELETE", "/cart", None),
        ("POST", "/wishlist/items/15/move-to-cart", add()),
        ("POST", "/orders", Some(checkout_body())),
    ];
    for (method, path, body) in &changes {
        for tag in [old.as_str(), "\"0-0\"", "\"99-ab\"", "garbage", "W/\"2-0\""] {
            let request = jo.request(&shop, method, path).header("If-Match", tag);
            let answer = match body {
                Some(body) => request.json(body).send(),
                None => request.send(),
            };
            problem(412, "version_conflict", &answer);
        }
    }
    assert_eq!(jo.everything(&shop), had, "nothing has changed");
    let request = jo.request(&shop, "POST", "/cart/items").header("If-Match", &current);
    let cart = expect(200, &request.json(&json!({ "sku_id": 42, "quantity": 1 })).send());
    assert_eq!(pieces(&cart, 42), 2);
}

#[test]
fn of_sixteen_changes_to_one_version_one_succeeds() {
    let (shop, jo) = shop_and_customer();
    expect(200, &jo.add(&shop, 42, 1));
    let known = tag(&jo.get(&shop, "/cart"));
    let answers = at_once(16, |_| {
        let request = jo.request(&shop, "POST", "/cart/items").header("If-Match", &known);
        request.json(&json!({ "sku_id": 42, "quantity": 1 })).send()
    });
    assert_eq!(count(&answers, |answer| answer.status == 200), 1);
    assert_eq!(count(&answers, |answer| answer.code() == "version_conflict"), 15);
    assert_eq!(pieces(&jo.cart(&shop), 42), 2);
}

#[test]
fn an_add_needs_no_tag_and_any_cart_fits_a_star() {
    let (shop, jo) = shop_and_customer();
    for request in [None, Some("*")] {
        let mut add = jo.request(&shop, "POST", "/cart/items");
        if let Some(value) = request {
            add = add.header("If-Match", value);
        }
        expect(200, &add.json(&json!({ "sku_id": 42, "quantity": 1 })).send());
    }
    assert_eq!(pieces(&jo.cart(&shop), 42), 2);
}

/// G9: reading never writes.
#[test]
fn g9_reading_a_cart_does_not_change_it() {
    let (shop, jo) = shop_and_customer();
    let first = jo.get(&shop, "/cart");
    assert_eq!(first.json()["version"], 0, "{first}");
    for _ in 0..20 {
        let again = jo.get(&shop, "/cart");
        assert_eq!((tag(&again), again.text()), (tag(&first), first.text()));
    }
}

#[test]
fn the_catalogue_has_tags_too() {
    let shop = Shop::demo();
    for path in ["/products", "/products/15", "/categories"] {
        let first = shop.get(path).market("us").send();
        let again = shop.get(path).market("us").header("If-None-Match", &tag(&first)).send();
        assert_eq!(again.status, 304, "{path}");
        let kg = shop.get(path).market("kg").header("If-None-Match", &tag(&first)).send();
        assert_eq!(kg.status, 200, "{path} is another in another market");
    }
}

//! S1: nobody gets at what is somebody else's. Another's thing and no thing at all look the same.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::customer::{Customer, expect, pieces, problem, us_phone};
use crate::endpoints;
use crate::harness::{Answer, Shop};

const NOBODYS: i64 = 8_888_888;

/// What of an answer is not the request's own.
fn told(answer: &Answer) -> (u16, Value) {
    let mut body = answer.json();
    body["request_id"] = Value::Null;
    (answer.status, body)
}

/// Ada has one of everything; Bea has more, so that Bea's ids are not among Ada's.
fn ada_and_bea(shop: &Shop) -> (Customer, Customer) {
    let ada = Customer::of_demo(shop, &us_phone(1));
    let bea = Customer::of_demo(shop, &us_phone(2));
    for (customer, count) in [(&ada, 1), (&bea, 3)] {
        for sku in [1, 2, 3].into_iter().take(count) {
            expect(200, &customer.add(shop, 42, 1));
            expect(201, &customer.checkout(shop));
            let address = json!({ "full_address": format!("{sku} Main St") });
            expect(201, &customer.post(shop, "/profile/addresses", &address));
        }
        for sku in [1, 2, 3].into_iter().take(count) {
            expect(200, &customer.add(shop, sku, 1));
            expect(200, &customer.wish(shop, sku));
        }
    }
    (ada, bea)
}

/// The id of something that Bea has and Ada has not.
fn beas_id(everything: &[Value; 2], path: &str) -> i64 {
    let ids = |everything: &Value| -> Vec<i64> {
        let list = match path {
            _ if path.contains("/cart/items") => &everything[0]["items"],
            _ if path.contains("/wishlist") => &everything[1]["items"],
            _ if path.contains("/orders") => &everything[2]["orders"],
            _ => &everything[3]["addresses"],
        };
        let key = if path.contains("/wishlist") { "product_id" } else { "id" };
        let list = list.as_array().unwrap_or_else(|| panic!("{path}: {everything}"));
        list.iter().map(|thing| thing[key].as_i64().expect("an id")).collect()
    };
    let [adas, beas] = [ids(&everything[0]), ids(&everything[1])];
    let others = beas.into_iter().find(|id| !adas.contains(id));
    others.unwrap_or_else(|| panic!("Ada has all of Bea's ids at {path}"))
}

#[test]
fn s1_anothers_thing_and_no_thing_are_answered_alike_by_every_route_with_an_id() {
    let shop = Shop::demo();
    let (ada, bea) = ada_and_bea(&shop);
    let had = [ada.everything(&shop), bea.everything(&shop)];
    let mut tried = BTreeSet::new();
    for endpoint in endpoints::of_customers().into_iter().filter(|e| e.path.contains('{')) {
        // A product is everybody's; that it is on a wishlist is not.
        let bea_owns = beas_id(&had, endpoint.path);
        let hers = endpoint.request(&shop, bea_owns).token(&ada.token).send();
        let nobodys = endpoint.request(&shop, NOBODYS).token(&ada.token).send();
        problem(404, "not_found", &hers);
        assert_eq!(told(&hers), told(&nobodys), "{} {}", endpoint.method, endpoint.path);
        tried.insert(endpoint.path);
    }
    assert_eq!(tried.len(), 8, "{tried:?}");
    assert_eq!([ada.everything(&shop), bea.everything(&shop)], had, "nothing has changed");
}

#[test]
fn s1_a_user_id_in_the_request_is_not_looked_at() {
    let shop = Shop::demo();
    let (ada, bea) = ada_and_bea(&shop);
    let beas = bea.everything(&shop);
    let body = json!({ "sku_id": 42, "quantity": 2, "user_id": bea.id, "id": bea.id,
        "cart_id": bea.id });
    let cart = expect(200, &ada.post(&shop, "/cart/items", &body));
    assert_eq!((&cart["user_id"], pieces(&cart, 42)), (&json!(ada.id), 2), "{cart}");
    let path = format!("/cart/items?user_id={}", bea.id);
    assert_eq!(expect(200, &ada.post(&shop, &path, &body))["user_id"], ada.id);
    for path in ["/cart", "/wishlist", "/profile/orders", "/auth/profile"] {
        let as_bea = shop
            .get(&format!("{path}?user_id={}", bea.id))
            .token(&ada.token)
            .header("X-User-Id", &bea.id.to_string())
            .send();
        assert_eq!(expect(200, &as_bea), shop.see(path, &ada.token), "{path}");
    }
    let without = shop.post("/cart/items").json(&body).send();
    assert_eq!(problem(401, "not_authenticated", &without)["detail"], "Not authenticated");
    assert_eq!(bea.everything(&shop), beas);
}

#[test]
fn s1_no_operation_is_done_without_a_token() {
    let shop = Shop::demo();
    let jo = Customer::of_demo(&shop, &us_phone(1));
    for endpoint in endpoints::of_customers() {
        let answer = endpoint.request(&shop, 1).send();
        assert_eq!(problem(401, "not_authenticated", &answer)["detail"], "Not authenticated");
        let under_api = format!("/api/v1{}", endpoint.path_of(1));
        let answer = shop.request(endpoint.method, &under_api).send();
        problem(401, "not_authenticated", &answer);
        for header in ["", "Bearer", "Bearer ", "Basic am86am8=", "Digest x", &jo.token] {
            let answer = endpoint.request(&shop, 1).header("Authorization", header).send();
            problem(401, "not_authenticated", &answer);
        }
        problem(401, "token_invalid", &endpoint.request(&shop, 1).token("garbage").send());
        let in_query = format!("{}?access_token={}", endpoint.path_of(1), jo.token);
        problem(401, "not_authenticated", &shop.request(endpoint.method, &in_query).send());
    }
}

#[test]
fn a_customers_data_is_kept_by_nobody_on_the_way() {
    let shop = Shop::demo();
    let jo = Customer::of_demo(&shop, &us_phone(1));
    for path in ["/cart", "/wishlist", "/profile/orders", "/profile/addresses", "/auth/profile"] {
        let answer = jo.get(&shop, path);
        assert_eq!(answer.header("cache-control"), Some("private, no-cache"), "{path}");
    }
    let signed_in = shop.verify("+13128059851", "123456");
    assert_eq!(signed_in.header("cache-control"), Some("no-store"), "it holds a token");
}

//! Every operation that needs a token, with a request that is right but for the token. Compared
//! with the server's own description, so that none is forgotten.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::customer::checkout_body;
use crate::harness::{Request, Shop};

/// An operation.
pub struct Endpoint {
    pub method: &'static str,
    /// With the parameters' names, as in `/openapi.json`.
    pub path: &'static str,
    pub body: Option<Value>,
}

impl Endpoint {
    /// The path with `id` for its parameter.
    pub fn path_of(&self, id: i64) -> String {
        let id = id.to_string();
        self.path.replace("{id}", &id).replace("{product_id}", &id)
    }

    /// The request, about the thing with this id, without a token.
    pub fn request(&self, shop: &Shop, id: i64) -> Request {
        let request = shop.request(self.method, &self.path_of(id));
        match &self.body {
            Some(body) => request.json(body),
            None => request,
        }
    }

    pub fn changes_something(&self) -> bool {
        self.method != "GET"
    }
}

/// All of them.
pub fn of_customers() -> Vec<Endpoint> {
    let item = || Some(json!({ "sku_id": 42, "quantity": 1 }));
    let order = || Some(checkout_body());
    let moved = || Some(json!({ "new_phone": "+13128059852", "verification_code": "000000" }));
    [
        ("POST", "/auth/logout", None),
        ("GET", "/auth/verify-token", None),
        ("GET", "/auth/profile", None),
        ("PUT", "/auth/profile", Some(json!({ "full_name": "Somebody Else" }))),
        ("PATCH", "/auth/profile", Some(json!({ "full_name": "Somebody Else" }))),
        ("POST", "/auth/phone", Some(json!({ "new_phone": "+13128059852" }))),
        ("POST", "/auth/phone/confirm", moved()),
        ("GET", "/auth/export", None),
        ("DELETE", "/auth/account", Some(json!({ "verification_code": "000000" }))),
        ("GET", "/cart", None),
        ("DELETE", "/cart", None),
        ("GET", "/cart/events", None),
        ("POST", "/cart/items", item()),
        ("POST", "/cart/merge", Some(json!({ "items": [{ "sku_id": 42, "quantity": 9 }] }))),
        ("PUT", "/cart/items/{id}", Some(json!({ "quantity": 7 }))),
        ("PATCH", "/cart/items/{id}", Some(json!({ "quantity": 7 }))),
        ("DELETE", "/cart/items/{id}", None),
        ("GET", "/wishlist", None),
        ("DELETE", "/wishlist", None),
        ("POST", "/wishlist/items", Some(json!({ "product_id": 3 }))),
        ("DELETE", "/wishlist/items/{product_id}", None),
        ("POST", "/wishlist/items/{product_id}/move-to-cart", item()),
        ("POST", "/orders", order()),
        ("POST", "/orders/create", order()),
        ("GET", "/orders", None),
        ("GET", "/orders/{id}", None),
        ("POST", "/orders/{id}/cancel", None),
        ("GET", "/profile/orders", None),
        ("GET", "/profile/orders/{id}", None),
        ("POST", "/profile/orders/{id}/cancel", None),
        ("GET", "/profile/addresses", None),
        ("POST", "/profile/addresses", Some(json!({ "full_address": "1 Main St" }))),
        ("PUT", "/profile/addresses/{id}", Some(json!({ "title": "Work" }))),
        ("PATCH", "/profile/addresses/{id}", Some(json!({ "title": "Work" }))),
        ("DELETE", "/profile/addresses/{id}", None),
    ]
    .into_iter()
    .map(|(method, path, body)| Endpoint { method, path, body })
    .collect()
}

/// Method and path of every operation that the server says needs a token.
pub fn described(shop: &Shop) -> BTreeSet<(String, String)> {
    let document = shop.get("/openapi.json").send().json();
    let mut found = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            let security = operation["security"].as_array();
            if security.is_some_and(|schemes| !schemes.is_empty()) {
                found.insert((method.to_uppercase(), path.clone()));
            }
        }
    }
    found
}

#[test]
fn every_operation_that_needs_a_token_is_tried_without_a_good_one() {
    let shop = Shop::demo();
    let tried: BTreeSet<_> = of_customers()
        .into_iter()
        .map(|endpoint| (endpoint.method.to_owned(), endpoint.path.to_owned()))
        .collect();
    assert_eq!(tried, described(&shop));
}

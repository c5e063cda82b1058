//! The document's examples: they fit their schemas, and what follows from other members does.

use std::collections::HashMap;

use serde_json::Value;

use crate::schema::{conforms, document, operations};
use crate::shop::TestShop;

/// What the documentation shows, by the box's name: requests and answers of each operation.
async fn shown() -> HashMap<String, String> {
    let shop = TestShop::open().await;
    let page = shop.get("/docs").send().await.text;
    let boxes = page.split("<pre tabindex=\"0\" role=\"region\" aria-label=\"").skip(1);
    let read = |text: &str| {
        let text = text.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">");
        text.replace("&#39;", "'").replace("&amp;", "&")
    };
    boxes
        .map(|part| {
            let (name, rest) = part.split_once("\">").unwrap();
            (read(name), read(rest.split("</pre>").next().unwrap()))
        })
        .collect()
}

/// Minor units of an amount: two decimals, as dollars have.
fn cents(amount: &Value) -> i64 {
    let text = format!("{:.2}", amount.as_f64().unwrap_or_else(|| panic!("{amount}")));
    text.replace('.', "").parse().unwrap()
}

fn sum(items: &[Value], of: impl Fn(&Value) -> i64) -> i64 {
    items.iter().map(of).sum()
}

/// What delivery costs, as the document shows it.
fn shipping_cost(goods: i64) -> i64 {
    let shipping = &document()["components"]["schemas"]["Shipping"]["example"];
    if goods < cents(&shipping["free_from"]) { cents(&shipping["flat"]) } else { 0 }
}

/// Fails where something in `value` does not follow from the rest of it. Returns how much did.
fn adds_up(value: &Value, at: &str) -> usize {
    let mut looked_at = 0;
    let mut equal = |left: i64, right: i64, what: &str| {
        assert_eq!(left, right, "{what} of {at}: {value}");
        looked_at += 1;
    };
    let quantity = |line: &Value| line["quantity"].as_i64().unwrap();
    let list = |name: &str| value[name].as_array().map(Vec::as_slice);
    if value["line_total"].is_number() {
        equal(cents(&value["line_total"]), quantity(value) * cents(&value["price"]), "line_total");
    }
    if value["unit_price"].is_number() {
        let total = cents(&value["total_price"]);
        equal(total, quantity(value) * cents(&value["unit_price"]), "total_price");
    }
    if let (Some(items), true) = (list("items"), value["total_items"].is_number()) {
        let total = value["total_items"].as_i64().unwrap();
        if value["total_price"].is_number() {
            equal(total, sum(items, quantity), "total_items");
            let lines = sum(items, |line| cents(&line["line_total"]));
            equal(cents(&value["total_price"]), lines, "total_price");
        } else {
            equal(total, i64::try_from(items.len()).unwrap(), "total_items");
        }
    }
    if value["subtotal"].is_number() {
        let items = list("items").unwrap();
        let goods = cents(&value["subtotal"]);
        equal(goods, sum(items, |item| cents(&item["total_price"])), "subtotal");
        equal(cents(&value["shipping_cost"]), shipping_cost(goods), "shipping_cost");
        let total = cents(&value["total_amount"]);
        equal(total, goods + cents(&value["shipping_cost"]), "total_amount");
        let count = value["items_count"].as_i64().unwrap();
        equal(count, i64::try_from(items.len()).unwrap(), "items_count");
        let number = format!("#{}", value["id"]);
        equal(i64::from(value["order_number"] == number), 1, "order_number");
        let last = list("history").unwrap().last().unwrap();
        equal(i64::from(value["status"] == last["status"]), 1, "status");
    }
    if let Some(total) = value["total"].as_i64() {
        let parts = ["orders", "addresses", "products"].into_iter().find_map(list).unwrap();
        let here = i64::try_from(parts.len()).unwrap();
        match value["has_more"].as_bool() {
            Some(has_more) => equal(i64::from(has_more), i64::from(here < total), "has_more"),
            None => equal(total, here, "total"),
        }
    }
    if let (Some(skus), true) = (list("skus"), value["price"].is_number()) {
        let least = skus.iter().map(|sku| cents(&sku["price"])).min().unwrap();
        equal(cents(&value["price"]), least, "price");
    }
    if let (Some(lines), Some(items)) = (list("cart_lines"), value["cart"]["items"].as_array()) {
        equal(sum(lines, quantity), sum(items, quantity), "cart_lines");
    }
    for (name, member) in value.as_object().into_iter().flatten() {
        looked_at += adds_up(member, &format!("{at}.{name}"));
    }
    for member in value.as_array().into_iter().flatten() {
        looked_at += adds_up(member, at);
    }
    looked_at
}

/// Calls `found` for every example that the document has, however deep.
fn for_each_example(value: &Value, at: &str, found: &mut impl FnMut(&Value, &str)) {
    for (name, member) in value.as_object().into_iter().flatten() {
        let at = format!("{at}/{name}");
        match (name.as_str(), member) {
            // A property may be called so, too.
            ("example", _) if !at.ends_with("/properties/example") => found(member, &at),
            ("examples", Value::Array(all)) => all.iter().for_each(|one| found(one, &at)),
            _ => for_each_example(member, &at, found),
        }
    }
    for member in value.as_array().into_iter().flatten() {
        for_each_example(member, at, found);
    }
}

#[tokio::test]
async fn every_example_adds_up() {
    let mut looked_at = 0;
    for_each_example(document(), "", &mut |example, at| looked_at += adds_up(example, at));
    let in_document = looked_at;
    for (name, text) in shown().await {
        if name.starts_with("Answer ") {
            let example = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{name}: {text}"));
            looked_at += adds_up(&example, &name);
        }
    }
    assert!(in_document >= 40 && looked_at >= 100, "{in_document}, {looked_at}");
}

#[tokio::test]
async fn every_answer_shown_is_as_described() {
    let shown = shown().await;
    for operation in operations() {
        for (status, answer) in operation.says["responses"].as_object().unwrap() {
            let schema = &answer["content"]["application/json"]["schema"];
            let method = operation.method.to_uppercase();
            let name = format!("Answer {status}, {method} {}", operation.path);
            let Some(text) = shown.get(&name) else {
                assert!(schema.as_object().is_none_or(serde_json::Map::is_empty), "{name}");
                continue;
            };
            conforms(schema, &serde_json::from_str(text).unwrap(), &name);
            assert!(!text.contains("\"…\""), "{name} has a text that says nothing: {text}");
        }
    }
    let problem = &document()["components"]["schemas"]["Problem"];
    conforms(problem, &problem["example"], "Problem");
}

/// What is sent is found again in what comes back, from one operation to the next.
#[tokio::test]
async fn the_examples_tell_one_story() {
    let shown = shown().await;
    let answer = |name: &str| -> Value {
        serde_json::from_str(shown.get(name).unwrap_or_else(|| panic!("{name}"))).unwrap()
    };
    let request = |name: &str| -> Value {
        let body = shown[name].split("-d '").nth(1).unwrap();
        serde_json::from_str(body.trim_end_matches('\'')).unwrap()
    };
    for (method, path) in [
        ("POST", "/cart/items"),
        ("PUT", "/cart/items/{id}"),
        ("PATCH", "/cart/items/{id}"),
        ("POST", "/wishlist/items/{product_id}/move-to-cart"),
    ] {
        let asked = request(&format!("Request, {method} {path}"));
        let line = answer(&format!("Answer 200, {method} {path}"))["items"][0].clone();
        assert_eq!(line["quantity"], asked["quantity"], "{method} {path}");
    }
    for path in ["/cart", "/cart/items/{id}", "/wishlist", "/wishlist/items/{product_id}"] {
        let left = answer(&format!("Answer 200, DELETE {path}"));
        assert_eq!(left["items"], Value::Array(Vec::new()), "{path}");
    }
    let cart = answer("Answer 200, GET /cart");
    for path in ["/orders", "/orders/create"] {
        let asked = request(&format!("Request, POST {path}"));
        let order = answer(&format!("Answer 201, POST {path}"));
        assert_eq!(order["total_amount"], asked["expected_total"], "{path}");
        assert_eq!(order["subtotal"], cart["total_price"], "{path}");
        for name in ["customer_name", "customer_phone", "delivery_address", "payment_method"] {
            assert_eq!(order[name], asked[name], "{path} {name}");
        }
    }
    for path in ["/orders/{id}/cancel", "/profile/orders/{id}/cancel"] {
        assert_eq!(answer(&format!("Answer 200, POST {path}"))["status"], "cancelled");
    }
    for (asked, back, names) in [
        ("Request, PUT /auth/profile", "Answer 200, PUT /auth/profile", ["full_name", "email"]),
        (
            "Request, PUT /profile/addresses/{id}",
            "Answer 200, PUT /profile/addresses/{id}",
            ["full_address", "city"],
        ),
    ] {
        for name in names {
            assert_eq!(request(asked)[name], answer(back)[name], "{asked} {name}");
        }
    }
    let phone = &request("Request, POST /auth/phone")["new_phone"];
    assert_eq!(&answer("Answer 200, POST /auth/phone")["phone_number"], phone);
    assert_eq!(&answer("Answer 200, POST /auth/phone/confirm")["user"]["phone"], phone);
}

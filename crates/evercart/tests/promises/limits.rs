//! U6: what one customer may do in an hour and have open at once.

use serde_json::json;

use crate::crowd::{at_once, count};
use crate::customer::{Customer, checkout_body, expect, pieces, problem, retry_after, us_phone};
use crate::harness::{Answer, Shop};

const MUG: i64 = 41;

/// Refused for a customer's limit, and told to wait for at most so many seconds.
fn too_many(answer: &Answer, limit: u32, seconds: i64) -> String {
    let body = problem(429, "rate_limited", answer);
    assert_eq!(body["limit"], limit, "{answer}");
    assert!(retry_after(answer) <= seconds, "{answer}");
    body["of"].as_str().expect("of what").to_owned()
}

#[test]
fn u6_what_a_customer_did_counts_on_after_a_kill_and_against_nobody_else() {
    let mut shop = Shop::demo_with(&[
        ("EVERCART_LIMITS__CART_CHANGES_PER_HOUR", "5"),
        ("EVERCART_LIMITS__CHANGES_PER_HOUR", "5"),
    ]);
    let [jo, ann] = [1, 2].map(|n| Customer::of_demo(&shop, &us_phone(n)));
    let added = at_once(12, |_| jo.add(&shop, MUG, 1));
    assert_eq!(count(&added, |answer| answer.status == 200), 5);
    let wished = at_once(12, |_| jo.wish(&shop, 15));
    assert_eq!(count(&wished, |answer| answer.status < 300), 5);
    for answer in added.iter().chain(&wished).filter(|answer| answer.status >= 300) {
        too_many(answer, 5, 3600);
    }
    shop.kill();
    shop.start();
    assert_eq!(too_many(&jo.add(&shop, MUG, 1), 5, 3600), "changes of a cart in an hour");
    assert_eq!(too_many(&jo.wish(&shop, 16), 5, 3600), "changes in an hour");
    assert_eq!(pieces(&jo.cart(&shop), MUG), 5);
    expect(200, &ann.add(&shop, MUG, 1));
    assert!(ann.wish(&shop, 15).status < 300);
    // Whoever did too much may still buy what they have, and leave.
    expect(201, &jo.checkout(&shop));
    expect(200, &jo.post(&shop, "/auth/logout", &json!({})));
}

#[test]
fn u6_one_customer_cannot_hold_back_the_stock() {
    let shop = Shop::demo_with(&[
        ("EVERCART_LIMITS__ORDERS_PER_HOUR", "4"),
        ("EVERCART_LIMITS__OPEN_ORDERS", "3"),
        ("EVERCART_LIMITS__OPEN_PIECES", "10"),
    ]);
    let [jo, ann] = [1, 2].map(|n| Customer::of_demo(&shop, &us_phone(n)));
    let buy = |customer: &Customer, quantity: i64| {
        let mut body = checkout_body();
        body["use_cart"] = json!(false);
        body["items"] = json!([{ "sku_id": MUG, "quantity": quantity }]);
        customer.post(&shop, "/orders", &body)
    };
    let day = 24 * 3600;
    let pending = "in orders that the shop has not confirmed yet";
    assert_eq!(too_many(&buy(&jo, 11), 10, day), format!("pieces {pending}"));
    let bought = at_once(8, |_| buy(&jo, 1));
    assert_eq!(count(&bought, |answer| answer.status == 201), 3);
    too_many(&buy(&jo, 1), 3, day);
    let first = bought.iter().find(|answer| answer.status == 201).expect("three were placed");
    let order = first.json()["id"].as_i64().expect("an order's id");
    expect(200, &jo.post(&shop, &format!("/orders/{order}/cancel"), &json!({})));
    expect(201, &buy(&jo, 1));
    assert_eq!(too_many(&buy(&jo, 1), 4, 3600), "orders in an hour");
    expect(201, &buy(&ann, 10));
}

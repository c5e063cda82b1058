//! Money is exact: what comes out is what a till would print, with exactly the currency's decimals,
//! never a binary float on the way.

use serde_json::Value;

use crate::catalogue_rows::{Row, import};
use crate::customer::{Customer, checkout_body, expect, kg_phone, problem, us_phone};
use crate::harness::{Answer, Shop};

const KEYS: [&str; 15] = [
    "price",
    "original_price",
    "line_total",
    "total_price",
    "subtotal",
    "shipping_cost",
    "tax_amount",
    "total_amount",
    "unit_price",
    "was",
    "now",
    "expected",
    "actual",
    "flat",
    "free_from",
];

fn shop() -> Shop {
    let shop = Shop::demo();
    let prices = ["0.10", "0.20", "19.99", "0.07", "5999.99", "9999999999.99", "0.01", "100.00"];
    let rows: Vec<_> =
        (5001..).zip(prices).map(|(id, price)| Row::new(id, price, 100_000)).collect();
    import(&shop, "us", &rows);
    import(&shop, "kg", &rows);
    shop
}

/// Every amount of an answer as it is written there: key and digits.
fn amounts(answer: &Answer) -> Vec<(String, String)> {
    let text = answer.text();
    let mut found = Vec::new();
    for key in KEYS {
        let name = format!("\"{key}\":");
        for (at, _) in text.match_indices(&name) {
            let rest = &text[at + name.len()..];
            let end = rest.find([',', '}', ']']).expect("JSON goes on after a number");
            found.push((key.to_owned(), rest[..end].trim().to_owned()));
        }
    }
    found
}

fn has_two_decimals(digits: &str) -> bool {
    digits.split_once('.').is_some_and(|(whole, decimals)| {
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        is_number(whole) && decimals.len() == 2 && is_number(decimals)
    })
}

fn amount(answer: &Answer, key: &str) -> String {
    for (key, digits) in amounts(answer) {
        let may_be_absent = key == "original_price" && digits == "null";
        assert!(has_two_decimals(&digits) || may_be_absent, "{key}: {digits} in {answer}");
    }
    let amount = amounts(answer).into_iter().find(|(found, _)| found == key);
    amount.unwrap_or_else(|| panic!("no {key} in {answer}")).1
}

/// What a cart with these lines costs.
fn total(shop: &Shop, customer: &Customer, lines: &[(i64, i64)]) -> String {
    expect(200, &customer.request(shop, "DELETE", "/cart").send());
    for (sku, quantity) in lines {
        expect(200, &customer.add(shop, *sku, *quantity));
    }
    amount(&customer.get(shop, "/cart"), "total_price")
}

#[test]
fn a_cart_costs_what_its_lines_cost_to_the_cent() {
    let shop = shop();
    let jo = Customer::of_demo(&shop, &us_phone(1));
    for (lines, expected) in [
        (&[][..], "0.00"),
        (&[(5001, 1), (5002, 1)], "0.30"),
        (&[(5003, 5)], "99.95"),
        (&[(5004, 100)], "7.00"),
        (&[(5005, 1)], "5999.99"),
        (&[(5001, 3), (5002, 3), (5003, 3), (5004, 3)], "61.08"),
        (&[(5007, 999)], "9.99"),
        (&[(5006, 999)], "9989999999990.01"),
        (&[(5006, 999), (5007, 1)], "9989999999990.02"),
    ] {
        assert_eq!(total(&shop, &jo, lines), expected, "{lines:?}");
    }
}

#[test]
fn an_order_adds_up_to_the_cent_and_is_written_with_two_decimals() {
    let shop = shop();
    let jo = Customer::of_demo(&shop, &us_phone(1));
    for (lines, subtotal, shipping, sum) in [
        (&[(5001, 1), (5002, 1)][..], "0.30", "9.99", "10.29"),
        (&[(5003, 5)], "99.95", "0.00", "99.95"),
        (&[(5004, 100)], "7.00", "9.99", "16.99"),
        (&[(5005, 1)], "5999.99", "0.00", "5999.99"),
        (&[(5006, 999)], "9989999999990.01", "0.00", "9989999999990.01"),
    ] {
        assert_eq!(total(&shop, &jo, lines), subtotal);
        let order = jo.checkout(&shop);
        let path = format!("/profile/orders/{}", expect(201, &order)["id"]);
        for answer in [&order, &jo.get(&shop, &path)] {
            let told = ["subtotal", "shipping_cost", "total_amount"].map(|key| amount(answer, key));
            assert_eq!(told, [subtotal, shipping, sum], "{answer}");
        }
    }
    amount(&jo.get(&shop, "/profile/orders"), "total_amount");
}

fn cents(amount: &Value) -> i64 {
    let digits = format!("{:.2}", amount.as_f64().expect("an amount"));
    digits.replace('.', "").parse().expect("digits")
}

/// What a client works out from `/auth/markets` and the cart is what the order costs, so that a
/// customer sees the whole price before ordering and the first order goes through.
#[test]
fn what_delivery_will_cost_is_told_before_ordering() {
    let shop = shop();
    let customers = [us_phone(2), kg_phone(2)].map(|phone| Customer::of_demo(&shop, &phone));
    let told = expect(200, &shop.get("/auth/markets").send());
    import(&shop, "us", &[Row::new(5009, "74.99", 9), Row::new(5010, "75.00", 9)]);
    import(&shop, "kg", &[Row::new(5009, "4999.99", 9), Row::new(5010, "5000.00", 9)]);
    for (customer, market) in customers.iter().zip(told["markets"].as_array().expect("markets")) {
        let shipping = &market["shipping"];
        let (flat, free_from) = (cents(&shipping["flat"]), cents(&shipping["free_from"]));
        for (sku, is_free) in [(5009, false), (5010, true)] {
            expect(200, &customer.add(&shop, sku, 1));
            let subtotal = cents(&customer.cart(&shop)["total_price"]);
            assert_eq!(subtotal >= free_from, is_free, "{market}");
            let due = subtotal + if is_free { 0 } else { flat };
            let due = format!("{}.{:02}", due / 100, due % 100);
            let order = checkout_for(&shop, customer, &due);
            expect(201, &order);
            assert_eq!(amount(&order, "total_amount"), due, "{market}");
        }
    }
}

#[test]
fn prices_include_the_tax_that_is_told() {
    let shop = shop();
    let aida = Customer::of_demo(&shop, &kg_phone(1));
    assert_eq!(total(&shop, &aida, &[(5008, 1)]), "100.00");
    let order = aida.checkout(&shop);
    let told = ["subtotal", "shipping_cost", "total_amount", "tax_amount"];
    // 250.00 that contain 12 % tax: 250 - 250 / 1.12 = 26.7857…
    assert_eq!(told.map(|key| amount(&order, key)), ["100.00", "150.00", "250.00", "26.79"]);
    assert_eq!(expect(201, &order)["currency"], "KGS");
}

#[test]
fn everything_with_a_price_is_written_with_two_decimals() {
    let shop = shop();
    let jo = Customer::of_demo(&shop, &us_phone(1));
    for product in [1, 2, 13, 15, 5001] {
        expect(200, &jo.wish(&shop, product));
        amount(&shop.get(&format!("/products/{product}")).market("us").send(), "price");
    }
    amount(&jo.get(&shop, "/wishlist"), "price");
    for market in ["us", "kg"] {
        amount(&shop.get("/products?limit=100").market(market).send(), "price");
    }
    amount(&shop.get("/auth/markets").send(), "flat");
    let thirteen = shop.get("/products/13").market("us").send();
    assert_eq!(amount(&thirteen, "price"), "5999.99", "the guide's own amount");
}

fn checkout_for(shop: &Shop, customer: &Customer, expected_total: &str) -> Answer {
    let mut body = checkout_body().to_string();
    body.truncate(body.len() - 1);
    let body = format!("{body},\"expected_total\":{expected_total}}}");
    customer.request(shop, "POST", "/orders").body("application/json", body.as_bytes()).send()
}

#[test]
fn an_order_at_another_price_than_was_shown_is_refused() {
    let shop = shop();
    let jo = Customer::of_demo(&shop, &us_phone(1));
    assert_eq!(total(&shop, &jo, &[(5001, 1), (5002, 1)]), "0.30");
    let refused = checkout_for(&shop, &jo, "10.28");
    let body = problem(409, "price_changed", &refused);
    assert_eq!(
        (amount(&refused, "expected"), amount(&refused, "actual")),
        ("10.28".into(), "10.29".into())
    );
    assert_eq!(body["currency"], "USD", "the currency is beside it");
    for wrong in ["10.291", "-10.29", "\"10.29\"", "1e400", "10.290000000000000000001", "[]"] {
        problem(422, "validation_failed", &checkout_for(&shop, &jo, wrong));
    }
    expect(201, &checkout_for(&shop, &jo, "10.29"));
}

#[test]
fn a_customer_is_told_of_a_price_that_changed_under_them() {
    let shop = shop();
    let jo = Customer::of_demo(&shop, &us_phone(1));
    expect(200, &jo.add(&shop, 5003, 2));
    import(&shop, "us", &[Row::new(5003, "21.50", 1)]);
    let answer = jo.get(&shop, "/cart");
    let cart = expect(200, &answer);
    assert_eq!(amount(&answer, "total_price"), "43.00", "a cart costs what it costs now");
    let codes: Vec<&Value> =
        cart["notices"].as_array().expect("notices").iter().map(|n| &n["code"]).collect();
    assert_eq!(codes, ["insufficient_stock", "price_changed"], "{cart}");
    assert_eq!((amount(&answer, "was"), amount(&answer, "now")), ("19.99".into(), "21.50".into()));
    assert_eq!(cart["notices"][0]["available"], 1, "{cart}");
    assert_eq!(cart["items"][0]["available"], false, "{cart}");
}

#[test]
fn an_orders_prices_never_change() {
    let shop = shop();
    let jo = Customer::of_demo(&shop, &us_phone(1));
    expect(200, &jo.add(&shop, 5003, 2));
    let order = expect(201, &jo.checkout(&shop));
    import(&shop, "us", &[Row::new(5003, "99.99", 5)]);
    let path = format!("/profile/orders/{}", order["id"]);
    assert_eq!(shop.see(&path, &jo.token)["order"], order);
}

//! Two markets, two shops: own customers, carts, catalogues, currencies and order numbers. What is
//! done in one is never seen in the other.

use serde_json::{Value, json};

use crate::catalogue_rows::{Row, check, import, stock};
use crate::customer::{Customer, expect, kg_phone, pieces, problem, us_phone};
use crate::endpoints;
use crate::harness::Shop;

const SKU: i64 = 5001;

/// A shop without a demo in both markets, with the same SKU at two prices, and phones that sign in
/// with 111111.
fn shop(phones: u32) -> Shop {
    let phones = (1..=phones).flat_map(|n| [us_phone(n), kg_phone(n)]);
    let entries: Vec<_> = phones.map(|phone| format!("{phone:?} = [\"111111\"]")).collect();
    let toml = format!("[auth.test_phones]\n{}\n", entries.join("\n"));
    let mut shop = Shop::prepared().config(&toml);
    shop.start();
    import(&shop, "us", &[Row::new(SKU, "19.99", 100)]);
    import(&shop, "kg", &[Row::new(SKU, "1700.00", 50)]);
    shop
}

fn signed_in(shop: &Shop, phone: &str) -> Customer {
    Customer::with_code(shop, phone, "111111")
}

#[test]
fn the_same_number_is_two_people_in_two_markets() {
    let shop = shop(1);
    let (us, kg) = (signed_in(&shop, &us_phone(1)), signed_in(&shop, &kg_phone(1)));
    assert_eq!(us.id, kg.id, "each market counts its customers from the same start");
    let profiles = [&us, &kg].map(|customer| shop.see("/auth/profile", &customer.token));
    assert_eq!(profiles[0]["phone_number"], us_phone(1));
    assert_eq!(profiles[1]["phone_number"], kg_phone(1));

    expect(200, &us.add(&shop, SKU, 3));
    expect(200, &us.wish(&shop, SKU));
    expect(201, &us.post(&shop, "/profile/addresses", &json!({ "full_address": "1 Main St" })));
    let nothing = kg.everything(&shop);
    assert_eq!(pieces(&nothing[0], SKU), 0, "a us cart never lands in kg: {nothing}");
    assert_eq!(nothing[0]["version"], 0, "{nothing}");
    assert_eq!(nothing[1]["total_items"], 0, "{nothing}");
    assert_eq!(nothing[3]["total"], 0, "{nothing}");

    expect(200, &kg.request(&shop, "POST", "/auth/logout").send());
    assert_eq!(pieces(&us.cart(&shop), SKU), 3, "a logout in kg signs nobody in us out");
}

#[test]
fn each_market_has_its_own_catalogue_currency_and_order_numbers() {
    let shop = shop(1);
    let (us, kg) = (signed_in(&shop, &us_phone(1)), signed_in(&shop, &kg_phone(1)));
    let mut orders = Vec::new();
    for (customer, quantity) in [(&us, 5), (&us, 1), (&kg, 3)] {
        expect(200, &customer.add(&shop, SKU, quantity));
        orders.push(expect(201, &customer.checkout(&shop)));
    }
    let numbers: Vec<_> = orders.iter().map(|order| order["order_number"].clone()).collect();
    assert_eq!(numbers, ["#1001", "#1002", "#1001"]);
    let facts = |order: &Value| (order["currency"].clone(), order["subtotal"].to_string());
    assert_eq!(facts(&orders[0]), (json!("USD"), "99.95".to_owned()));
    assert_eq!(facts(&orders[2]), (json!("KGS"), "5100.0".to_owned()));
    assert_eq!((stock(&shop, "us", SKU), stock(&shop, "kg", SKU)), (94, 47));
    assert_eq!(shop.see("/profile/orders", &us.token)["total"], 2);
    assert_eq!(shop.see("/profile/orders", &kg.token)["total"], 1);

    let price = |market: &str| {
        let path = format!("/products/{SKU}");
        let product = expect(200, &shop.get(&path).market(market).send());
        (product["currency"].clone(), product["price"].to_string())
    };
    assert_eq!(price("us"), (json!("USD"), "19.99".to_owned()));
    assert_eq!(price("kg"), (json!("KGS"), "1700.0".to_owned()));
    check(&shop);
}

#[test]
fn a_token_is_good_in_its_own_market_only() {
    let shop = shop(1);
    let us = signed_in(&shop, &us_phone(1));
    signed_in(&shop, &kg_phone(1));
    expect(200, &us.add(&shop, SKU, 3));
    let had = us.everything(&shop);
    for endpoint in endpoints::of_customers() {
        let answer = endpoint.request(&shop, 1).token(&us.token).market("kg").send();
        problem(400, "market_mismatch", &answer);
    }
    assert_eq!(us.everything(&shop), had);
    let answer = us.request(&shop, "GET", "/cart").market("US").send();
    assert_eq!(answer.status, 200, "its own market may be named: {answer}");
    let answer = shop.get("/products").token(&us.token).send();
    assert_eq!(answer.json()["products"][0]["currency"], "USD", "{answer}");
    problem(400, "market_mismatch", &shop.get("/products").token(&us.token).market("kg").send());
}

#[test]
fn an_unknown_or_missing_market_is_said_so() {
    let shop = shop(1);
    let us = signed_in(&shop, &us_phone(1));
    for name in ["de", "us,kg", "../us", "us;kg", &"u".repeat(300)] {
        problem(400, "market_unknown", &shop.get("/products").market(name).send());
        problem(400, "market_unknown", &us.request(&shop, "GET", "/cart").market(name).send());
    }
    for path in ["/products", "/categories", "/products/5001"] {
        problem(400, "market_required", &shop.get(path).send());
    }
}

#[test]
fn the_phone_tells_the_market_of_a_sign_in() {
    let shop = shop(2);
    for (phone, market, currency) in [(us_phone(2), "us", "USD"), (kg_phone(2), "kg", "KGS")] {
        let sent = shop.post("/auth/send-code").json(&json!({ "phone": phone })).send();
        assert_eq!(expect(200, &sent)["market"], market);
        let signed_in = expect(200, &shop.verify(&phone, "111111"));
        assert_eq!(signed_in["market"], market, "{signed_in}");
        assert_eq!(signed_in["user"]["market"], market, "{signed_in}");
        let token = signed_in["access_token"].as_str().expect("a token");
        assert_eq!(shop.see("/auth/profile", token)["currency"], currency);
    }
    for (phone, market) in [(us_phone(2), "kg"), (kg_phone(2), "us")] {
        let body = json!({ "phone": phone, "verification_code": "111111" });
        for path in ["/auth/send-code", "/auth/verify-code"] {
            let answer = shop.post(path).market(market).json(&body).send();
            problem(422, "validation_failed", &answer);
        }
    }
    let local = json!({ "phone": "0700 000 002", "verification_code": "111111" });
    let answer = shop.post("/auth/verify-code").market("kg").json(&local).send();
    assert_eq!(expect(200, &answer)["user"]["phone"], kg_phone(2), "as people write it in kg");
}

#[test]
fn the_markets_are_told() {
    let shop = Shop::demo();
    let markets = expect(200, &shop.get("/auth/markets").send());
    let markets = markets["markets"].as_array().expect("markets").clone();
    let told: Vec<_> = markets
        .iter()
        .map(|m| ["market", "currency", "phone_prefix"].map(|key| m[key].as_str().unwrap_or("")))
        .collect();
    assert_eq!(told, [["us", "USD", "+1"], ["kg", "KGS", "+996"]]);
    for market in &markets {
        for key in ["country", "currency_code", "language"] {
            assert!(market[key].is_string(), "{key}: {market}");
        }
    }
}

//! G2, G3, G4: many at once. No line twice, no piece lost, no order twice, nothing sold that is not
//! there.

use std::collections::BTreeSet;

use serde_json::json;

use crate::catalogue_rows::{Row, check, import, stock};
use crate::crowd::{at_once, count};
use crate::customer::{Customer, SEED_PHONE, checkout_body, expect, pieces, problem, us_phone};
use crate::harness::Shop;

/// SKUs of the tests, out of the demo's way.
const SKU: i64 = 5001;

fn crowd(shop: &Shop, size: u32) -> Vec<Customer> {
    (1..=size).map(|n| Customer::of_demo(shop, &us_phone(n))).collect()
}

#[test]
fn g2_sixty_four_parallel_first_adds_make_one_cart_with_sixty_four_lines() {
    let shop = Shop::demo();
    let rows: Vec<_> = (0..64).map(|n| Row::new(SKU + n, "1.00", 10)).collect();
    import(&shop, "us", &rows);
    let jo = Customer::of_demo(&shop, &us_phone(1));
    let answers = at_once(64, |index| jo.add(&shop, rows[index].id, 1));
    assert_eq!(count(&answers, |answer| answer.status == 200), 64);
    let cart = jo.cart(&shop);
    let lines = cart["items"].as_array().expect("lines");
    let mut ids: Vec<_> = lines.iter().map(|line| line["id"].as_i64().expect("an id")).collect();
    ids.sort_unstable();
    assert_eq!(ids, (1..=64).collect::<Vec<_>>(), "line ids are given once each");
    assert!(rows.iter().all(|row| pieces(&cart, row.id) == 1), "{cart}");
    assert_eq!((&cart["total_items"], &cart["version"]), (&json!(64), &json!(64)), "{cart}");
    check(&shop);
}

#[test]
fn g2_sixty_four_parallel_first_wishes_make_one_wishlist_with_one_entry() {
    let shop = Shop::demo();
    let jo = Customer::of_demo(&shop, &us_phone(1));
    let answers = at_once(64, |_| jo.wish(&shop, 15));
    assert_eq!(count(&answers, |answer| answer.status == 200), 64);
    assert_eq!(shop.see("/wishlist", &jo.token)["total_items"], 1);
}

#[test]
fn g2_parallel_first_sign_ins_make_one_user() {
    let shop = Shop::prepared().config("[auth.test_phones]\n\"+13128050001\" = [\"111111\"]\n");
    let mut shop = shop;
    shop.start();
    let answers = at_once(32, |_| shop.verify(&us_phone(1), "111111"));
    let bodies: Vec<_> = answers.iter().map(|answer| expect(200, answer)).collect();
    assert_eq!(count(&bodies, |body| body["user"]["id"] == bodies[0]["user"]["id"]), 32);
    assert_eq!(count(&bodies, |body| body["is_new_user"] == true), 1);
}

#[test]
fn g3_sixty_four_parallel_adds_of_one_sku_give_quantity_sixty_four() {
    let shop = Shop::demo();
    let jo = Customer::with_code(&shop, SEED_PHONE, "123456");
    let answers = at_once(64, |_| jo.add(&shop, 42, 1));
    assert_eq!(count(&answers, |answer| answer.status == 200), 64);
    let cart = jo.cart(&shop);
    assert_eq!(cart["items"].as_array().map(Vec::len), Some(1), "{cart}");
    assert_eq!(pieces(&cart, 42), 64, "{cart}");
    let mut seen: Vec<_> = answers.iter().map(|answer| pieces(&answer.json(), 42)).collect();
    seen.sort_unstable();
    assert_eq!(seen, (1..=64).collect::<Vec<_>>(), "each answer is the cart after its own add");
}

#[test]
fn g3_parallel_adds_beyond_999_pieces_stop_at_999() {
    let shop = Shop::demo();
    let jo = Customer::of_demo(&shop, &us_phone(1));
    expect(200, &jo.add(&shop, 42, 990));
    let answers = at_once(32, |_| jo.add(&shop, 42, 1));
    assert_eq!(count(&answers, |answer| answer.status == 200), 9);
    assert_eq!(count(&answers, |answer| answer.code() == "quantity_limit"), 23);
    assert_eq!(pieces(&jo.cart(&shop), 42), 999);
}

#[test]
fn g4_an_add_during_a_checkout_is_in_the_order_or_in_the_cart() {
    const ROUNDS: u32 = 60;
    const ADDS: usize = 4;
    let shop = Shop::demo();
    import(&shop, "us", &[Row::new(SKU, "1.00", 100_000)]);
    let jo = Customer::of_demo(&shop, &us_phone(1));
    let (mut in_orders, mut in_carts) = (0, 0);
    for round in 0..ROUNDS {
        expect(200, &jo.add(&shop, 42, 1));
        let answers = at_once(ADDS + 1, |index| match index {
            0 => jo.checkout(&shop),
            _ => jo.add(&shop, SKU, 1),
        });
        let order = expect(201, &answers[0]);
        for answer in &answers[1..] {
            expect(200, answer);
        }
        let cart = jo.cart(&shop);
        let (ordered, left) = (pieces(&order, SKU), pieces(&cart, SKU));
        assert_eq!(ordered + left, 4, "round {round}: {order} {cart}");
        assert_eq!((pieces(&order, 42), pieces(&cart, 42)), (1, 0), "round {round}");
        in_orders += ordered;
        in_carts += left;
        expect(200, &jo.request(&shop, "DELETE", "/cart").send());
    }
    assert!(in_orders > 0 && in_carts > 0, "in orders {in_orders}, in carts {in_carts}");
    check(&shop);
}

#[test]
fn g4_parallel_checkouts_of_one_cart_make_one_order() {
    let shop = Shop::demo();
    for customer in crowd(&shop, 8) {
        expect(200, &customer.add(&shop, 42, 2));
        let answers = at_once(16, |_| customer.checkout(&shop));
        assert_eq!(count(&answers, |answer| answer.status == 201), 1);
        let order = answers.iter().find(|answer| answer.status == 201).expect("one").json();
        for refused in answers.iter().filter(|answer| answer.status != 201) {
            let body = problem(409, "cart_empty", refused);
            let named = (&body["order_id"], &body["order_number"]);
            assert_eq!(named, (&order["id"], &order["order_number"]), "{body}");
        }
        assert_eq!(shop.see("/profile/orders", &customer.token)["total"], 1);
        assert_eq!(customer.cart(&shop)["total_items"], 0);
    }
    assert_eq!(stock(&shop, "us", 42), 5000 - 8 * 2);
    check(&shop);
}

#[test]
fn g4_the_last_piece_is_sold_once_to_thirty_two_customers() {
    let shop = Shop::demo();
    import(&shop, "us", &[Row::new(SKU, "1.00", 1)]);
    let customers = crowd(&shop, 32);
    for customer in &customers {
        expect(200, &customer.add(&shop, SKU, 1));
    }
    let answers = at_once(32, |index| customers[index].checkout(&shop));
    assert_eq!(count(&answers, |answer| answer.status == 201), 1);
    for refused in answers.iter().filter(|answer| answer.status != 201) {
        let body = problem(409, "insufficient_stock", refused);
        assert_eq!((&body["available"], &body["sku_id"]), (&json!(0), &json!(SKU)), "{body}");
    }
    assert_eq!(stock(&shop, "us", SKU), 0);
    let product = expect(200, &shop.get(&format!("/products/{SKU}")).market("us").send());
    assert_eq!(product["skus"][0]["stock_status"], "out_of_stock", "{product}");
    let kept = customers.iter().filter(|customer| pieces(&customer.cart(&shop), SKU) == 1);
    assert_eq!(kept.count(), 31, "who got none keeps the cart");
    check(&shop);
}

#[test]
fn g4_items_ordered_past_the_cart_are_never_oversold() {
    let shop = Shop::demo();
    import(&shop, "us", &[Row::new(SKU, "1.00", 20), Row::new(SKU + 1, "1.00", 1000)]);
    let customers = crowd(&shop, 16);
    for customer in &customers {
        expect(200, &customer.add(&shop, 42, 1));
    }
    // Two clicks each, under one key: one order a customer, as long as there are pieces.
    let answers = at_once(32, |index| {
        let mut body = checkout_body();
        let items = json!([{ "sku_id": SKU + 1 }, { "sku_id": SKU, "quantity": 2 }]);
        (body["items"], body["use_cart"]) = (items, json!(false));
        let request = customers[index % 16].request(&shop, "POST", "/orders/create");
        request.json(&body).idempotency_key("one tap").send()
    });
    let ordered = answers.iter().filter(|answer| answer.status == 201);
    let ordered: BTreeSet<_> = ordered.map(|order| order.json()["id"].as_i64()).collect();
    assert_eq!(ordered.len(), 10, "twenty pieces are ten orders");
    for refused in answers.iter().filter(|answer| answer.status != 201) {
        problem(409, "insufficient_stock", refused);
    }
    assert_eq!((stock(&shop, "us", SKU), stock(&shop, "us", SKU + 1)), (0, 990));
    for customer in &customers {
        assert_eq!(pieces(&customer.cart(&shop), 42), 1, "the cart is left alone");
        let orders = shop.see("/profile/orders", &customer.token);
        assert!(orders["total"].as_i64().is_some_and(|total| total <= 1), "{orders}");
    }
    check(&shop);
}

#[test]
fn g4_twenty_pieces_are_never_sold_to_more_than_twenty() {
    let shop = Shop::demo();
    import(&shop, "us", &[Row::new(SKU, "1.00", 20), Row::new(SKU + 1, "1.00", 1000)]);
    let customers = crowd(&shop, 32);
    for (index, customer) in customers.iter().enumerate() {
        expect(200, &customer.add(&shop, SKU, 1 + (index % 3) as i64));
        expect(200, &customer.add(&shop, SKU + 1, 1));
    }
    let answers = at_once(32, |index| customers[index].checkout(&shop));
    let orders: Vec<_> = answers.iter().filter(|answer| answer.status == 201).collect();
    let sold: i64 = orders.iter().map(|order| pieces(&order.json(), SKU)).sum();
    assert_eq!(stock(&shop, "us", SKU), 20 - sold);
    assert!((18..=20).contains(&sold), "{sold} of 20 sold, though every smaller wish fits");
    let others = i64::try_from(orders.len()).expect("32 at most");
    assert_eq!(stock(&shop, "us", SKU + 1), 1000 - others, "a refused order takes nothing");
    check(&shop);
}

#[test]
fn g4_a_cancelled_order_puts_its_stock_back_once() {
    let shop = Shop::demo();
    import(&shop, "us", &[Row::new(SKU, "1.00", 10)]);
    let jo = Customer::of_demo(&shop, &us_phone(1));
    expect(200, &jo.add(&shop, SKU, 7));
    let order = expect(201, &jo.checkout(&shop));
    assert_eq!(stock(&shop, "us", SKU), 3);
    let path = format!("/profile/orders/{}/cancel", order["id"]);
    let answers = at_once(16, |_| jo.request(&shop, "POST", &path).send());
    assert_eq!(count(&answers, |answer| answer.status == 200), 1);
    for refused in answers.iter().filter(|answer| answer.status != 200) {
        problem(409, "order_not_cancellable", refused);
    }
    assert_eq!(stock(&shop, "us", SKU), 10);
    let order = &shop.see(&path.replace("/cancel", ""), &jo.token)["order"];
    let history: Vec<_> = order["history"]
        .as_array()
        .expect("a history")
        .iter()
        .map(|reached| reached["status"].clone())
        .collect();
    assert_eq!(
        (&order["status"], history),
        (&json!("cancelled"), vec![json!("pending"), json!("cancelled")])
    );
    check(&shop);
}

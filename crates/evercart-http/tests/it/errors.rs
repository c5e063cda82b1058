//! Every code of the error table, each provoked once.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use evercart_core::phone::Phone;
use serde_json::json;

use crate::schema::document;
use crate::shop::{ANN, Answered, BOB, DEE, TestShop};

#[tokio::test]
async fn every_code_of_the_table_is_real() {
    let shop = TestShop::open().await;
    let mut seen = BTreeSet::new();
    let mut is = |answer: Answered, status: u16, code: &str| {
        answer.is(status, code);
        assert_eq!(answer.body["type"], format!("urn:evercart:problem:{code}"));
        seen.insert(code.to_owned());
    };
    let ann = shop.prepare().await;
    let token = ann.token.as_str();
    let add = |body: &str| {
        let add = shop.post("/cart/items").token(token);
        add.header("content-type", "application/json").raw(body.to_owned())
    };

    is(add("{").send().await, 400, "malformed_json");
    is(add("{}").header("x-market", "fr").send().await, 400, "market_unknown");
    is(add("{}").header("x-market", "kg").send().await, 400, "market_mismatch");
    let no_default = TestShop::with(|shop| shop.default_market = None).await;
    is(no_default.get("/products").send().await, 400, "market_required");

    is(shop.get("/cart").send().await, 401, "not_authenticated");
    is(shop.get("/cart").token("x").send().await, 401, "token_invalid");
    let body = json!({"phone": ANN, "code": "000000"});
    is(shop.post("/auth/verify-code").json(&body).send().await, 401, "code_invalid");

    is(shop.get("/nowhere").send().await, 404, "not_found");
    is(shop.put("/cart").send().await, 405, "method_not_allowed");

    let short = add(r#"{"sku_id": 43, "quantity": 3}"#).send().await;
    assert_eq!((&short.body["sku_id"], &short.body["available"]), (&json!(43), &json!(3)));
    is(short, 409, "insufficient_stock");
    let inactive = add(r#"{"sku_id": 46}"#).send().await;
    assert_eq!(inactive.body["sku_id"], 46);
    is(inactive, 409, "sku_unavailable");
    let body = format!("{{\"expected_total\":1,{}", &crate::shop::order_body().to_string()[1..]);
    let order = shop.post("/orders").token(token).header("content-type", "application/json");
    is(order.raw(body).send().await, 409, "price_changed");
    let cancel = || shop.post("/orders/1001/cancel").token(token);
    cancel().send().await;
    is(cancel().send().await, 409, "order_not_cancellable");

    is(add("{\"sku_id\":42}").header("if-match", "\"0-0\"").send().await, 412, "version_conflict");
    is(add(&"x".repeat(70_000)).send().await, 413, "body_too_large");
    is(shop.post("/cart/items").token(token).raw("{}").send().await, 415, "unsupported_media_type");
    is(add("{}").send().await, 422, "validation_failed");
    assert_eq!(add(r#"{"sku_id": 42, "quantity": 999}"#).send().await.status, 200);
    let over = add(r#"{"sku_id": 42}"#).send().await;
    assert_eq!(over.body["limit"], 999);
    is(over, 422, "quantity_limit");
    assert_eq!(add(r#"{"sku_id": 45}"#).key("k").send().await.status, 200);
    is(add(r#"{"sku_id": 42}"#).key("k").send().await, 422, "idempotency_key_reused");
    shop.delete("/cart").token(token).send().await;
    is(shop.order(token).await, 409, "cart_empty");

    let send = || shop.post("/auth/send-code").json(&json!({"phone": DEE}));
    send().send().await;
    is(send().send().await, 429, "rate_limited");
    for _ in 0..5 {
        let body = json!({"phone": BOB, "code": "000000"});
        shop.post("/auth/verify-code").json(&body).send().await;
    }
    let body = json!({"phone": BOB, "code": "123456"});
    is(shop.post("/auth/verify-code").json(&body).send().await, 429, "too_many_attempts");

    shop.sms.broken.store(true, SeqCst);
    let body = json!({"phone": "+13128059856"});
    is(shop.post("/auth/send-code").json(&body).send().await, 503, "sms_unavailable");

    shop.post("/auth/logout").token(token).send().await;
    is(shop.get("/cart").token(token).send().await, 401, "signed_out");
    let phone = Phone::parse(ANN, None).unwrap();
    shop.shop.markets[0].store.block_user(phone).await.unwrap();
    is(shop.get("/cart").token(token).send().await, 401, "user_blocked");
    shop.clock.advance(jiff::SignedDuration::from_mins(31));
    is(shop.get("/cart").token(token).send().await, 401, "token_expired");

    shop.stores[0].close();
    is(shop.get("/products").send().await, 503, "store_unavailable");
    is(stuck().await, 503, "overloaded");
    is(panicking().await, 500, "internal_error");

    let codes = document()["components"]["schemas"]["ProblemCode"]["enum"].as_array().unwrap();
    let codes: BTreeSet<_> = codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect();
    assert_eq!(seen, codes);
}

/// A request that waits for something that never comes.
async fn stuck() -> Answered {
    let shop = TestShop::with(|shop| shop.request_timeout = Duration::from_millis(500)).await;
    shop.sms.stuck.store(true, SeqCst);
    shop.post("/auth/send-code").json(&json!({"phone": DEE})).send().await
}

/// A request whose handler panics.
async fn panicking() -> Answered {
    let shop = TestShop::with(|shop| {
        shop.demo = true;
        shop.pictures = |_| panic!("a picture that cannot be drawn");
    });
    let answer = shop.await.get("/demo/images/15.svg").send().await;
    assert!(!answer.text.contains("cannot be drawn"), "{}", answer.text);
    answer
}

#[tokio::test]
async fn a_hundred_lines_are_the_most() {
    let shop = TestShop::open().await;
    let mut rows = shop.shop.markets[0].store.export_catalogue().await.unwrap();
    let pattern = rows[0].clone();
    for sku in 0..101 {
        let mut row = pattern.clone();
        row.sku_id = Some(evercart_core::ids::SkuId(1000 + sku));
        row.sku_code = format!("MANY-{sku}");
        rows.push(row);
    }
    shop.shop.markets[0].store.import_catalogue(rows, Box::new(|_| ())).await.unwrap();
    let ann = shop.sign_in(ANN).await;
    for sku in 0..100 {
        shop.add(&ann, 1000 + sku, 1).await;
    }
    let over = shop.post("/cart/items").token(&ann).json(&json!({"sku_id": 1100})).send().await;
    over.is(422, "quantity_limit");
    assert_eq!(over.body["limit"], 100);
    assert_eq!(shop.get("/cart").token(&ann).send().await.body["total_items"], 100);
}

//! Another phone, an export, an end: what a code is needed for, and when.

use futures_util::StreamExt;
use jiff::SignedDuration;
use serde_json::json;

use crate::shop::{ANN, BOB, DEE, TestShop, order_body, order_of};

/// Ann with a token that is older than five minutes.
async fn ann_a_while_ago(shop: &TestShop) -> String {
    let token = shop.sign_in(ANN).await;
    shop.clock.advance(SignedDuration::from_secs(5 * 60 + 1));
    token
}

#[tokio::test]
async fn asking_for_another_phone_needs_a_fresh_sign_in_or_a_code_to_the_present_one() {
    let shop = TestShop::open().await;
    let token = ann_a_while_ago(&shop).await;
    let ask = |body: serde_json::Value| shop.post("/auth/phone").token(&token).json(&body);
    let without = ask(json!({"new_phone": DEE})).send().await;
    without.is(422, "validation_failed");
    assert_eq!(without.fields(), ["verification_code"]);
    ask(json!({"new_phone": DEE, "verification_code": "999999"}))
        .send()
        .await
        .is(400, "code_invalid");
    assert_eq!(shop.sms.count(), 0, "nothing is sent on a stolen token's word");
    let code = shop.new_code(ANN).await;
    let with = ask(json!({"new_phone": DEE, "verification_code": code})).key("move");
    let sent = with.send().await;
    assert_eq!(sent.status, 200, "{}", sent.text);
    let again = ask(json!({"new_phone": DEE, "verification_code": code})).key("move");
    let again = again.send().await;
    assert_eq!(again.header("idempotent-replayed"), "true", "{}", again.text);
    assert_eq!(shop.sms.count(), 1);
    let reused = ask(json!({"new_phone": "+13128059860"})).key("move").send().await;
    reused.is(422, "validation_failed");

    let fresh = shop.sign_in(ANN).await;
    shop.clock.advance(SignedDuration::from_mins(1));
    let other = json!({"new_phone": "+13128059860"});
    let asked = shop.post("/auth/phone").token(&fresh).json(&other).send().await;
    assert_eq!(asked.status, 200, "{}", asked.text);
    assert_eq!(shop.sms.count(), 2);
}

#[tokio::test]
async fn the_new_phone_confirms_and_the_old_one_is_told() {
    let shop = TestShop::open().await;
    let token = shop.sign_in(ANN).await;
    let own = shop.post("/auth/phone").token(&token).json(&json!({"new_phone": ANN})).send().await;
    own.is(422, "validation_failed");
    shop.post("/auth/phone").token(&token).json(&json!({"new_phone": DEE})).send().await;
    let code = shop.sms.last_code();
    let body = json!({"new_phone": DEE, "verification_code": code});
    let moved = shop.post("/auth/phone/confirm").token(&token).json(&body).send().await;
    assert_eq!(moved.status, 200, "{}", moved.text);
    assert_eq!(
        (&moved.body["user"]["phone"], &moved.body["is_new_user"]),
        (&json!(DEE), &json!(false))
    );
    shop.send_messages().await;
    let sent = shop.sms.sent.lock().unwrap().clone();
    let told: Vec<_> = sent.iter().map(|sms| (sms.to.as_str(), sms.kind)).collect();
    assert_eq!(told, [(DEE, "phone_change_code"), (ANN, "phone_changed")]);
    assert!(sent[1].text.contains("ends in 54"), "{}", sent[1].text);
    shop.get("/cart").token(&token).send().await.is(401, "signed_out");
}

#[tokio::test]
async fn an_account_is_not_erased_on_a_tokens_word() {
    let shop = TestShop::open().await;
    let ann = shop.prepare().await;
    let before = shop.everything(&ann.token).await;
    let erase = |code: &str| {
        let body = json!({"verification_code": code});
        shop.delete("/auth/account").token(&ann.token).json(&body)
    };
    erase("000000").send().await.is(400, "code_invalid");
    for none in ["12345", "what"] {
        erase(none).send().await.is(422, "validation_failed");
    }
    shop.delete("/auth/account")
        .token(&ann.token)
        .json(&json!({}))
        .send()
        .await
        .is(422, "validation_failed");
    assert_eq!(shop.everything(&ann.token).await, before);
    let code = shop.new_code(ANN).await;
    let body = json!({"verification_code": code, "even_open_orders": true});
    erase(code).send().await.is(409, "open_orders");
    let erased = shop.delete("/auth/account").token(&ann.token).json(&body).send().await;
    assert_eq!(erased.status, 200, "{}", erased.text);
    erase(code).send().await.is(401, "signed_out");
    shop.get("/auth/export").token(&ann.token).send().await.is(401, "signed_out");
}

/// A customer with more orders than one page of an export has, and a name that looks like one.
async fn with_many_orders(shop: &TestShop) -> String {
    let token = shop.sign_in(ANN).await;
    let name = json!({"full_name": "\"orders\":[ \"idempotency_keys\":["});
    shop.put("/auth/profile").token(&token).json(&name).send().await;
    for number in 0..12 {
        let body = order_of(json!([{"sku_id": 42, "quantity": 1}]));
        let order = shop.post("/orders").token(&token).key(&format!("order {number:02}"));
        assert_eq!(order.json(&body).send().await.status, 201);
    }
    token
}

#[tokio::test]
async fn an_export_has_all_orders_and_keys_however_many() {
    let shop = TestShop::open().await;
    let token = with_many_orders(&shop).await;
    let export = shop.get("/auth/export").token(&token).send().await;
    let orders = shop.get("/profile/orders?limit=100").token(&token).send().await;
    assert_eq!(orders.body["orders"].as_array().unwrap().len(), 12);
    assert_eq!(export.body["orders"], orders.body["orders"]);
    let keys = export.body["idempotency_keys"].as_array().unwrap().iter();
    let keys: Vec<_> = keys.map(|used| used["key"].as_str().unwrap()).collect();
    assert_eq!(keys, (0..12).map(|number| format!("order {number:02}")).collect::<Vec<_>>());
    let profile = shop.get("/auth/profile").token(&token).send().await;
    assert_eq!(export.body["profile"], profile.body);
}

#[tokio::test]
async fn a_customer_reads_one_export_at_a_time() {
    let shop = TestShop::open().await;
    let token = with_many_orders(&shop).await;
    let unread = shop.get("/auth/export").token(&token).begin().await;
    let mut pieces = unread.into_body().into_data_stream();
    pieces.next().await.unwrap().unwrap();
    shop.get("/auth/export").token(&token).send().await.is(429, "rate_limited");
    let bob = shop.sign_in(BOB).await;
    assert_eq!(shop.get("/auth/export").token(&bob).send().await.status, 200);

    // Whoever hangs up may begin again.
    drop(pieces);
    assert_eq!(shop.get("/auth/export").token(&token).send().await.status, 200);
    assert_eq!(shop.get("/auth/export").token(&token).send().await.status, 200);
}

/// G4: what is bought meanwhile would be in the cart and among the orders.
#[tokio::test]
async fn g4_the_cart_and_the_newest_orders_of_an_export_are_of_one_moment() {
    let shop = TestShop::open().await;
    let token = shop.sign_in(ANN).await;
    let line = json!({"sku_id": 42, "quantity": 1});
    assert_eq!(shop.post("/cart/items").token(&token).json(&line).send().await.status, 200);
    let export = shop.get("/auth/export").token(&token).begin().await;
    assert_eq!(shop.post("/orders").token(&token).json(&order_body()).send().await.status, 201);
    let export = axum::body::to_bytes(export.into_body(), usize::MAX).await.unwrap();
    let export: serde_json::Value = serde_json::from_slice(&export).unwrap();
    assert_eq!(export["cart"]["items"].as_array().unwrap().len(), 1);
    assert_eq!(export["orders"], json!([]));
}

#[tokio::test]
async fn an_export_ends_where_its_customer_signs_out() {
    let shop = TestShop::open().await;
    let token = with_many_orders(&shop).await;
    let unread = shop.get("/auth/export").token(&token).begin().await;
    let mut pieces = unread.into_body().into_data_stream();
    pieces.next().await.unwrap().unwrap();
    assert_eq!(shop.post("/auth/logout").token(&token).send().await.status, 200);
    assert!(pieces.next().await.unwrap().is_err());
    assert!(pieces.next().await.is_none());
}

/// Two tokens of one customer: the one that was signed out, and the one of now.
async fn signed_out_and_in_again(shop: &TestShop) -> [String; 2] {
    let stolen = shop.sign_in(ANN).await;
    assert_eq!(shop.post("/auth/logout").token(&stolen).send().await.status, 200);
    [stolen, shop.sign_in(ANN).await]
}

#[tokio::test]
async fn s2_a_dead_token_takes_neither_the_export_nor_the_streams_of_its_owner() {
    let shop = TestShop::open().await;
    let [stolen, token] = signed_out_and_in_again(&shop).await;

    let unread = shop.get("/auth/export").token(&token).begin().await;
    shop.get("/auth/export").token(&stolen).send().await.is(401, "signed_out");
    drop(unread);

    let mut streams = Vec::new();
    for _ in 0..64 {
        let stream = shop.get("/cart/events").token(&token).begin().await;
        assert_eq!(stream.status(), 200);
        streams.push(stream);
    }
    shop.get("/cart/events").token(&token).send().await.is(503, "overloaded");
    shop.get("/cart/events").token(&stolen).send().await.is(401, "signed_out");
}

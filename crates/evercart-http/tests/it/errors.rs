//! Every code of the error table, each provoked once.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use evercart_core::code::Purpose;
use evercart_core::operator::Operator as _;
use evercart_core::phone::Phone;
use evercart_sqlite::{Options, Sqlite};
use serde_json::json;

use crate::schema::document;
use crate::shop::{ANN, Answered, Asked, BOB, DEE, EVE, TestShop, order_body};

/// The codes provoked so far.
#[derive(Default)]
struct Seen(BTreeSet<String>);

impl Seen {
    #[track_caller]
    fn is(&mut self, answer: &Answered, status: u16, code: &str) {
        answer.is(status, code);
        assert_eq!(answer.body["type"], format!("urn:evercart:problem:{code}"));
        self.0.insert(code.to_owned());
    }
}

#[tokio::test]
async fn every_code_of_the_table_is_real() {
    let mut seen = Seen::default();
    wrong_requests(&mut seen).await;
    states_that_say_no(&mut seen).await;
    nobody_we_know(&mut seen).await;
    our_own_fault(&mut seen).await;
    let codes = document()["components"]["schemas"]["KnownProblemCode"]["enum"].as_array().unwrap();
    let codes: BTreeSet<_> = codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect();
    assert_eq!(seen.0, codes);
}

fn add<'a>(shop: &'a TestShop, token: &str, body: &str) -> Asked<'a> {
    let add = shop.post("/cart/items").token(token);
    add.header("content-type", "application/json").raw(body.to_owned())
}

async fn wrong_requests(seen: &mut Seen) {
    let shop = TestShop::open().await;
    let token = shop.sign_in(ANN).await;
    let add = |body: &str| add(&shop, &token, body);
    seen.is(&add("{").send().await, 400, "malformed_json");
    // Any request of HTTP/1.1, so no operation's own description has it.
    let two_hosts = shop.ask_plainly("/cart").header("host", "a.example");
    let two_hosts = two_hosts.header("host", "b.example").send().await;
    seen.is(&two_hosts, 400, "host_required");
    seen.is(&add("{}").header("x-market", "fr").send().await, 400, "market_unknown");
    seen.is(&add("{}").header("x-market", "kg").send().await, 400, "market_mismatch");
    let no_default = TestShop::with(|shop| shop.default_market = None).await;
    seen.is(&no_default.get("/products").send().await, 400, "market_required");
    seen.is(&shop.get("/nowhere").send().await, 404, "not_found");
    seen.is(&shop.put("/cart").send().await, 405, "method_not_allowed");
    seen.is(&add(&"x".repeat(70_000)).send().await, 413, "body_too_large");
    let untyped = shop.post("/cart/items").token(&token).raw("{}").send().await;
    seen.is(&untyped, 415, "unsupported_media_type");
    seen.is(&add("{}").send().await, 422, "validation_failed");
}

async fn states_that_say_no(seen: &mut Seen) {
    let shop = TestShop::open().await;
    let token = shop.prepare().await.token;
    let add = |body: &str| add(&shop, &token, body);
    let short = add(r#"{"sku_id": 43, "quantity": 3}"#).send().await;
    assert_eq!((&short.body["sku_id"], &short.body["available"]), (&json!(43), &json!(3)));
    seen.is(&short, 409, "insufficient_stock");
    let inactive = add(r#"{"sku_id": 46}"#).send().await;
    assert_eq!(inactive.body["sku_id"], 46);
    seen.is(&inactive, 409, "sku_unavailable");
    let body = format!("{{\"expected_total\":1,{}", &order_body().to_string()[1..]);
    let order = shop.post("/orders").token(&token).header("content-type", "application/json");
    seen.is(&order.raw(body).send().await, 409, "price_changed");
    let cancel = || shop.post("/orders/1001/cancel").token(&token);
    cancel().send().await;
    seen.is(&cancel().send().await, 409, "order_not_cancellable");
    shop.sign_in(BOB).await;
    let ann = shop.stores[0].find_user(Phone::parse(ANN, None).unwrap()).await.unwrap().user;
    shop.grant(BOB, Purpose::ChangePhone(ann.id), "123456").await;
    let body = json!({"new_phone": BOB, "verification_code": "123456"});
    let taken = shop.post("/auth/phone/confirm").token(&token).json(&body).send().await;
    seen.is(&taken, 409, "phone_taken");
    let code = shop.new_code(ANN).await;
    assert_eq!(add(r#"{"sku_id": 45}"#).send().await.status, 200);
    assert_eq!(shop.post("/orders").token(&token).json(&order_body()).send().await.status, 201);
    let body = json!({"verification_code": code});
    let erase = shop.delete("/auth/account").token(&token).json(&body).send().await;
    assert_eq!(erase.body["orders"], json!([1002]));
    seen.is(&erase, 409, "open_orders");
    let moved = shop.take_over().await;
    let ask = shop.post("/auth/phone").token(&moved).json(&json!({"new_phone": EVE}));
    seen.is(&ask.send().await, 409, "phone_on_hold");
    let body = json!({"phone": DEE, "code": shop.code_to(DEE, "sign_in").await});
    let back = shop.post("/auth/verify-code").json(&body).send().await;
    assert_eq!(back.body["until"], "2026-09-22T14:13:20Z");
    seen.is(&back, 409, "phone_moved");
    let stale = add(r#"{"sku_id": 42}"#).header("if-match", "\"0-0\"").send().await;
    seen.is(&stale, 412, "version_conflict");
    assert_eq!(add(r#"{"sku_id": 42, "quantity": 999}"#).send().await.status, 200);
    let over = add(r#"{"sku_id": 42}"#).send().await;
    assert_eq!(over.body["limit"], 999);
    seen.is(&over, 422, "quantity_limit");
    assert_eq!(add(r#"{"sku_id": 45}"#).key("k").send().await.status, 200);
    let reused = add(r#"{"sku_id": 42}"#).key("k").send().await;
    seen.is(&reused, 422, "idempotency_key_reused");
    shop.clock.advance(jiff::SignedDuration::from_mins(6));
    let export = shop.get("/auth/export").token(&token).send().await;
    seen.is(&export, 403, "sign_in_not_fresh");
    shop.delete("/cart").token(&token).send().await;
    seen.is(&shop.order(&token).await, 409, "cart_empty");
}

async fn nobody_we_know(seen: &mut Seen) {
    let shop = TestShop::open().await;
    let token = shop.sign_in(ANN).await;
    seen.is(&shop.get("/cart").send().await, 401, "not_authenticated");
    seen.is(&shop.get("/cart").token("x").send().await, 401, "token_invalid");
    let send = || shop.post("/auth/send-code").json(&json!({"phone": DEE}));
    send().send().await;
    seen.is(&send().send().await, 429, "rate_limited");
    let guess = || shop.post("/auth/verify-code").json(&json!({"phone": BOB, "code": "000000"}));
    for _ in 0..5 {
        seen.is(&guess().send().await, 400, "code_invalid");
    }
    seen.is(&guess().send().await, 429, "too_many_attempts");
    let cart = || shop.get("/cart").token(&token);
    shop.post("/auth/logout").token(&token).send().await;
    seen.is(&cart().send().await, 401, "signed_out");
    let phone = Phone::parse(ANN, None).unwrap();
    shop.shop.markets[0]
        .store
        .block_user(phone, evercart_core::operator::By::operator("tests", None))
        .await
        .unwrap();
    seen.is(&cart().send().await, 401, "user_blocked");
    shop.clock.advance(jiff::SignedDuration::from_mins(31));
    seen.is(&cart().send().await, 401, "token_expired");
}

async fn our_own_fault(seen: &mut Seen) {
    let shop = TestShop::open().await;
    shop.sms.broken.store(true, SeqCst);
    let send = shop.post("/auth/send-code").json(&json!({"phone": DEE})).send().await;
    seen.is(&send, 503, "sms_unavailable");
    shop.stores[0].close();
    seen.is(&shop.get("/products").send().await, 503, "store_unavailable");
    seen.is(&crowded_catalogue().await, 503, "catalogue_busy");
    seen.is(&stuck().await, 503, "overloaded");
    seen.is(&panicking().await, 500, "internal_error");
}

/// A look at a catalogue that has no time for it.
async fn crowded_catalogue() -> Answered {
    let directory = tempfile::tempdir().unwrap();
    let shop = TestShop::with(|shop| {
        let options =
            Options { public_read_max: Duration::ZERO, ..Options::new(Arc::clone(&shop.clock)) };
        let store = Sqlite::open(&directory.path().join("us.sqlite3"), options).unwrap();
        shop.markets[0].store = Arc::new(store);
    });
    shop.await.get("/products?search=shirt").send().await
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

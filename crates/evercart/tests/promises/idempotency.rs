//! G5: a retry with the same `Idempotency-Key` has exactly one effect and gets the same answer,
//! also after a power cut.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::catalogue_rows::{Row, check, import, stock};
use crate::crowd::{at_once, count};
use crate::customer::{Customer, SEED_PHONE, checkout_body, expect, pieces, problem, us_phone};
use crate::endpoints::{self, Endpoint};
use crate::harness::{Answer, Shop};
use crate::sms_receiver::SmsReceiver;

const KEY: &str = "8e03978e-40d5-43dd-bc93-6894a57f9324";

/// A customer to whom every operation can be done: a pending order, a line, a wish, an address,
/// and what each path's id stands for.
fn prepared(shop: &Shop, n: u32, endpoint: &Endpoint) -> (Customer, i64) {
    let jo = Customer::of_demo(shop, &us_phone(n));
    expect(200, &jo.add(shop, 1, 1));
    let order = expect(201, &jo.checkout(shop));
    let cart = expect(200, &jo.add(shop, 42, 2));
    expect(200, &jo.wish(shop, 15));
    let address = json!({ "full_address": "233 S Wacker Dr" });
    let address = expect(201, &jo.post(shop, "/profile/addresses", &address));
    let id = match endpoint.path {
        path if path.starts_with("/cart") => &cart["items"][0]["id"],
        path if path.starts_with("/wishlist") => &json!(15),
        path if path.contains("/orders") => &order["id"],
        _ => &address["id"],
    };
    let id = id.as_i64().expect("an id");
    (jo, id)
}

fn send(shop: &Shop, endpoint: &Endpoint, customer: &Customer, id: i64) -> Answer {
    endpoint.request(shop, id).token(&customer.token).idempotency_key(KEY).send()
}

fn is_replay(answer: &Answer) -> bool {
    answer.header("idempotent-replayed") == Some("true")
}

/// An operation that was done once under [`KEY`], and what became of it.
struct Done {
    endpoint: Endpoint,
    customer: Customer,
    id: i64,
    first: Answer,
    left: Option<Value>,
}

impl Done {
    fn once(shop: &Shop, n: u32, endpoint: Endpoint) -> Self {
        let (customer, id) = prepared(shop, n, &endpoint);
        let first = send(shop, &endpoint, &customer, id);
        assert!((200..300).contains(&first.status), "{}: {first}", endpoint.path);
        assert!(!is_replay(&first), "{}: the first is no replay", endpoint.path);
        // After a logout there is nobody who could look.
        let left = (endpoint.path != "/auth/logout").then(|| customer.everything(shop));
        Self { endpoint, customer, id, first, left }
    }

    fn again(&self, shop: &Shop) {
        let (method, path) = (self.endpoint.method, self.endpoint.path);
        let again = send(shop, &self.endpoint, &self.customer, self.id);
        assert_eq!(again.status, self.first.status, "{method} {path}: {again}");
        assert!(is_replay(&again), "{method} {path}: {:?}", again.headers);
        let mut first = self.first.json();
        // A demo says a code once: it is not sent again.
        first.as_object_mut().expect("an object").remove("demo_code");
        assert_eq!(again.json(), first, "{method} {path}");
        assert_eq!(again.header("location"), self.first.header("location"), "{method} {path}");
        if let Some(left) = &self.left {
            assert_eq!(self.customer.everything(shop), *left, "{method} {path}: one effect");
        }
    }

    /// The same key for anything else is refused and changes nothing.
    fn other_request_is_refused(&self, shop: &Shop) {
        let Some(left) = &self.left else { return };
        let other_body = json!({ "sku_id": 2, "quantity": 9, "full_address": "2", "title": "x",
            "product_id": 2, "full_name": "x", "customer_name": "x", "delivery_address": "x",
            "payment_method": "x", "items": [], "use_cart": true, "new_phone": "+13128059853" });
        let path = self.endpoint.path_of(self.id);
        let request = self.customer.request(shop, self.endpoint.method, &path);
        let answer = request.json(&other_body).idempotency_key(KEY).send();
        problem(422, "idempotency_key_reused", &answer);
        let other_path =
            if path.starts_with("/cart/items") { "/wishlist/items" } else { "/cart/items" };
        let request = self.customer.request(shop, "POST", other_path);
        let answer = request.json(&other_body).idempotency_key(KEY).send();
        problem(422, "idempotency_key_reused", &answer);
        assert_eq!(self.customer.everything(shop), *left);
    }
}

#[test]
fn g5_every_mutation_has_one_effect_however_often_it_is_sent_also_after_a_power_cut() {
    let mut shop = Shop::demo();
    // What a code is needed for has its tests in `account`.
    let needs_code =
        |endpoint: &Endpoint| ["/auth/phone/confirm", "/auth/account"].contains(&endpoint.path);
    let endpoints = endpoints::of_customers()
        .into_iter()
        .filter(|endpoint| endpoint.changes_something() && !needs_code(endpoint));
    let done: Vec<_> =
        (1..).zip(endpoints).map(|(n, endpoint)| Done::once(&shop, n, endpoint)).collect();
    let paths: BTreeSet<_> = done.iter().map(|done| done.endpoint.path).collect();
    assert!(paths.len() >= 14, "{paths:?}");
    for done in &done {
        done.again(&shop);
        done.other_request_is_refused(&shop);
    }
    shop.kill();
    shop.start();
    for done in &done {
        done.again(&shop);
        done.other_request_is_refused(&shop);
    }
    check(&shop);
}

#[test]
fn g5_a_repeated_logout_does_not_end_the_next_session() {
    let shop = Shop::demo();
    let before = Customer::with_code(&shop, SEED_PHONE, "123456");
    let logout = || before.request(&shop, "POST", "/auth/logout").idempotency_key(KEY).send();
    expect(200, &logout());
    let after = Customer::with_code(&shop, SEED_PHONE, "654321");
    let again = logout();
    assert!(again.status == 200 && is_replay(&again), "{again}");
    assert_eq!(after.get(&shop, "/cart").status, 200);
    problem(401, "signed_out", &before.request(&shop, "POST", "/auth/logout").send());
}

#[test]
fn g5_both_paths_of_an_operation_are_one_request() {
    let shop = Shop::demo();
    let jo = Customer::of_demo(&shop, &us_phone(1));
    let add = |path: &str| {
        let request = jo.request(&shop, "POST", path).idempotency_key(KEY);
        request.json(&json!({ "sku_id": 42 })).send()
    };
    assert!(!is_replay(&add("/cart/items")));
    let again = add("/api/v1/cart/items");
    assert!(again.status == 200 && is_replay(&again), "{again}");
    assert_eq!(pieces(&jo.cart(&shop), 42), 1);
}

#[test]
fn g5_a_replay_shows_the_resource_as_it_is_now() {
    let shop = Shop::demo();
    let jo = Customer::of_demo(&shop, &us_phone(1));
    expect(200, &jo.add(&shop, 42, 2));
    let order = || {
        let request = jo.request(&shop, "POST", "/orders").idempotency_key(KEY);
        request.json(&checkout_body()).send()
    };
    let first = expect(201, &order());
    assert_eq!(first["status"], "pending");
    let path = format!("/orders/{}/cancel", first["id"]);
    expect(200, &jo.request(&shop, "POST", &path).send());
    let again = order();
    let body = expect(201, &again);
    assert!(is_replay(&again));
    assert_eq!((&body["id"], &body["status"]), (&first["id"], &json!("cancelled")));
}

#[test]
fn g5_keys_belong_to_the_user() {
    let shop = Shop::demo();
    let customers = [1, 2].map(|n| Customer::of_demo(&shop, &us_phone(n)));
    for (customer, quantity) in customers.iter().zip([1, 2]) {
        let request = customer.request(&shop, "POST", "/cart/items").idempotency_key(KEY);
        let answer = request.json(&json!({ "sku_id": 42, "quantity": quantity })).send();
        assert!(answer.status == 200 && !is_replay(&answer), "{answer}");
        assert_eq!(pieces(&customer.cart(&shop), 42), quantity);
    }
}

#[test]
fn g5_errors_are_not_remembered() {
    let shop = Shop::demo();
    let jo = Customer::of_demo(&shop, &us_phone(1));
    let send = |path: &str, key: &str, body: &Value| {
        jo.request(&shop, "POST", path).idempotency_key(key).json(body).send()
    };
    let add = json!({ "sku_id": 5001, "quantity": 3 });
    problem(404, "not_found", &send("/cart/items", "a", &add));
    problem(422, "validation_failed", &send("/cart/items", "b", &json!({ "sku_id": "x" })));
    problem(409, "cart_empty", &send("/orders", "c", &checkout_body()));
    import(&shop, "us", &[Row::new(5001, "1.00", 2)]);
    problem(409, "insufficient_stock", &send("/cart/items", "a", &add));
    import(&shop, "us", &[Row::new(5001, "1.00", 10)]);
    for (path, key, status) in [("/cart/items", "a", 200), ("/orders", "c", 201)] {
        let body = if key == "a" { &add } else { &checkout_body() };
        let answer = send(path, key, body);
        assert!(answer.status == status && !is_replay(&answer), "{path}: {answer}");
    }
    let answer = send("/cart/items", "b", &json!({ "sku_id": 42 }));
    assert!(answer.status == 200 && !is_replay(&answer), "{answer}");
    expect(200, &jo.request(&shop, "POST", "/auth/logout").send());
    let with_dead_token = send("/cart/items", "d", &json!({ "sku_id": 42 }));
    problem(401, "signed_out", &with_dead_token);
    let again = Customer::of_demo(&shop, &us_phone(1));
    let request = again.request(&shop, "POST", "/cart/items").idempotency_key("d");
    let answer = request.json(&json!({ "sku_id": 42 })).send();
    assert!(answer.status == 200 && !is_replay(&answer), "{answer}");
}

#[test]
fn g5_thirty_two_parallel_checkouts_with_one_key_make_one_order() {
    let shop = Shop::demo();
    for n in 1..=4 {
        let jo = Customer::of_demo(&shop, &us_phone(n));
        expect(200, &jo.add(&shop, 42, 2));
        let answers = at_once(32, |_| {
            let request = jo.request(&shop, "POST", "/orders").idempotency_key(KEY);
            request.json(&checkout_body()).send()
        });
        let orders: Vec<_> = answers.iter().filter(|answer| answer.status == 201).collect();
        for other in answers.iter().filter(|answer| answer.status != 201) {
            problem(409, "idempotency_key_in_use", other);
        }
        let id = orders.first().expect("one order at least").json()["id"].clone();
        assert!(orders.iter().all(|order| order.json()["id"] == id));
        assert_eq!(count(&orders, |order| !is_replay(order)), 1);
        assert_eq!(shop.see("/profile/orders", &jo.token)["total"], 1);
    }
    assert_eq!(stock(&shop, "us", 42), 5000 - 4 * 2);
    check(&shop);
}

#[test]
fn g5_a_repeated_send_code_sends_one_message_and_a_repeated_sign_in_is_one() {
    let sms = SmsReceiver::start();
    let mut shop = Shop::prepared();
    for (name, value) in sms.variables() {
        shop = shop.variable(&name, &value);
    }
    shop.start();
    let phone = us_phone(1);
    let send_code = || {
        shop.post("/auth/send-code").idempotency_key(KEY).json(&json!({ "phone": phone })).send()
    };
    let first = send_code();
    expect(200, &first);
    let again = send_code();
    assert!(again.status == 200 && is_replay(&again), "{again}");
    assert_eq!(again.json(), first.json());
    assert_eq!(sms.messages().len(), 1);

    let body = json!({ "phone": phone, "verification_code": sms.code(&phone) });
    let verify = || shop.post("/auth/verify-code").idempotency_key("k").json(&body).send();
    let first = expect(200, &verify());
    let again = verify();
    assert!(is_replay(&again), "{again}");
    let again = expect(200, &again);
    assert_eq!(again["user"], first["user"]);
    assert_eq!(again["is_new_user"], true, "as the first time");
    let other = json!({ "phone": phone, "verification_code": "000000" });
    let answer = shop.post("/auth/verify-code").idempotency_key("k").json(&other).send();
    problem(422, "idempotency_key_reused", &answer);

    let token = again["access_token"].as_str().expect("a token");
    expect(200, &shop.post("/auth/logout").token(token).send());
    problem(400, "code_invalid", &verify());
}

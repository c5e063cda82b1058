//! G11: a client that hangs up does not decide how much of a change happens. Every operation that
//! changes something is asked for by clients that leave at any moment; then the change is there as
//! a whole or not at all, and what follows from it has happened.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use crate::codes::SmsShop;
use crate::customer::{Customer, checkout_body, expect, us_phone};
use crate::durability::seeded;
use crate::endpoints::of_customers;
use crate::harness::{Answer, Heard, Shop, wait_until};

/// How often each operation is left.
const ROUNDS: u32 = 4;

/// A change that somebody asks for.
struct Change {
    method: &'static str,
    path: String,
    token: Option<String>,
    body: Option<Value>,
}

impl Change {
    fn of(customer: &Customer, method: &'static str, path: &str, body: Option<Value>) -> Self {
        Self { method, path: path.to_owned(), token: Some(customer.token.clone()), body }
    }

    /// The customer's name for it: one for each operation.
    fn key(&self) -> String {
        format!("left in the middle of {}", self.path)
    }

    /// Asks, and hangs up at some moment of the time that an answer usually takes.
    fn ask_and_hang_up(&self, shop: &Shop, usual: Duration, rng: &mut StdRng) {
        let url = shop.url("");
        let address = url.strip_prefix("http://").expect("a plain URL");
        let body = self.body.as_ref().map(Value::to_string).unwrap_or_default();
        let authorization =
            self.token.as_ref().map(|token| format!("Authorization: Bearer {token}\r\n"));
        let head = format!(
            "{} {} HTTP/1.1\r\nHost: {address}\r\nIdempotency-Key: {}\r\n{}\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            self.method,
            self.path,
            self.key(),
            authorization.unwrap_or_default(),
            body.len()
        );
        let mut connection = TcpStream::connect(address).expect("the server listens");
        connection.set_nodelay(true).expect("a socket");
        connection.write_all((head + &body).as_bytes()).expect("the server reads");
        // At any moment of that time, or very soon: as likely in the first microseconds as in any
        // later doubling of them.
        let patience = match rng.random() {
            true => usual.mul_f64(rng.random_range(0.01..1.2)),
            false => Duration::from_micros(1 << rng.random_range(0..13)),
        };
        connection.set_read_timeout(Some(patience)).expect("a timeout");
        // Whether anything came is for what follows to find out.
        let _ = connection.read(&mut [0; 1]);
    }

    /// Asks for the same change again, and waits.
    fn repeat(&self, shop: &Shop) -> Answer {
        let mut request = shop.request(self.method, &self.path).idempotency_key(&self.key());
        if let Some(token) = &self.token {
            request = request.token(token);
        }
        match &self.body {
            Some(body) => request.json(body).send(),
            None => request.send(),
        }
    }
}

/// What comes of it, and how long that took.
fn timed(ask: impl FnOnce() -> Answer) -> (Answer, Duration) {
    let started = Instant::now();
    let answer = ask();
    (answer, started.elapsed())
}

/// A customer with something of everything.
fn settled(shop: &Shop, phone: &str) -> Customer {
    let jo = Customer::of_demo(shop, phone);
    expect(200, &jo.add(shop, 1, 2));
    expect(201, &jo.checkout(shop));
    expect(200, &jo.add(shop, 42, 3));
    expect(200, &jo.wish(shop, 15));
    expect(201, &jo.post(shop, "/profile/addresses", &json!({ "full_address": "1 Main St" })));
    jo
}

/// What of a customer's an operation can change, without what differs from customer to customer. A
/// string where their token is good for nothing any more. A copy of everything is not of one
/// moment, and breaks off where the session ends meanwhile: what two in turn agree on is so.
fn seen(shop: &Shop, customer: &Customer) -> Value {
    let mut before = None;
    loop {
        let found = copied(shop, customer);
        match found {
            Some(found) if before.as_ref() == Some(&found) => return found,
            found => before = found,
        }
    }
}

/// What a copy of everything says; nothing if it broke off, or one before is still being sent.
fn copied(shop: &Shop, customer: &Customer) -> Option<Value> {
    let answer = customer.request(shop, "GET", "/auth/export").try_send().ok()?;
    match answer.status {
        401 => return Some(json!(answer.code())),
        429 => return None,
        _ => {}
    }
    let export = expect(200, &answer);
    let list = |list: &Value, fields: &[&str]| -> Value {
        let chosen =
            |entry: &Value| -> Value { fields.iter().map(|field| entry[*field].clone()).collect() };
        list.as_array().expect("a list").iter().map(chosen).collect()
    };
    Some(json!({
        "version": export["cart"]["version"],
        "cart": list(&export["cart"]["items"], &["sku_id", "quantity"]),
        "wishlist": list(&export["wishlist"]["items"], &["product_id"]),
        "orders": list(&export["orders"], &["status", "total_amount"]),
        "addresses": list(&export["addresses"], &["id", "title", "full_address"]),
        "name": export["profile"]["full_name"],
    }))
}

/// The code that a demo sends for this.
fn code_for(answer: &Answer) -> String {
    expect(200, answer)["demo_code"].as_str().expect("a demo says its codes").to_owned()
}

/// An operation on what a settled customer has, with a body that is right. `new_phone` is nobody's.
fn change(
    shop: &Shop,
    jo: &Customer,
    method: &'static str,
    path: &str,
    body: Option<Value>,
    new_phone: &str,
) -> Change {
    let new = json!({ "new_phone": new_phone });
    let body = match path {
        "/auth/phone" => Some(new),
        "/auth/phone/confirm" => {
            let code = code_for(&jo.post(shop, "/auth/phone", &new));
            Some(json!({ "new_phone": new_phone, "verification_code": code }))
        }
        "/auth/account" => {
            let phone = json!({ "phone": jo.phone });
            let code = code_for(&shop.post("/auth/send-code").json(&phone).send());
            Some(json!({ "verification_code": code, "even_open_orders": true }))
        }
        "/orders" | "/orders/create" => Some(checkout_body()),
        _ => body,
    };
    let id = match path {
        _ if path.starts_with("/wishlist") => 15,
        _ if path.contains("/orders/{id}") => {
            let orders = expect(200, &jo.get(shop, "/orders"));
            orders["orders"][0]["id"].as_i64().expect("an order")
        }
        // Lines are counted for each customer; the first was ordered.
        _ if path.starts_with("/cart") => 2,
        _ => 1,
    };
    let path = path.replace("{id}", &id.to_string()).replace("{product_id}", &id.to_string());
    Change::of(jo, method, &path, body)
}

#[test]
fn g11_whoever_hangs_up_leaves_every_change_whole_or_absent() {
    let shop = Shop::demo();
    let mut rng = seeded("hang-ups");
    let mut phones = 1..;
    let mut next_phone = || us_phone(phones.next().expect("many"));
    let (mut made, mut left) = (0, 0);
    for endpoint in of_customers().into_iter().filter(|endpoint| endpoint.changes_something()) {
        let (method, path) = (endpoint.method, endpoint.path);
        // What the change looks like when nobody hangs up.
        let twin = settled(&shop, &next_phone());
        let twins = change(&shop, &twin, method, path, endpoint.body.clone(), &next_phone());
        let before = seen(&shop, &twin);
        let (answer, usual) = timed(|| twins.repeat(&shop));
        assert!((200..300).contains(&answer.status), "{method} {path}: {answer}");
        let after = seen(&shop, &twin);
        for round in 0..ROUNDS {
            let what = format!("{method} {path}, round {round}");
            let jo = settled(&shop, &next_phone());
            let asked = change(&shop, &jo, method, path, endpoint.body.clone(), &next_phone());
            assert_eq!(seen(&shop, &jo), before, "{what}");
            let stream = shop.events(&jo.token);
            let version = stream.cart()["version"].clone();
            asked.ask_and_hang_up(&shop, usual, &mut rng);
            let found = seen(&shop, &jo);
            assert!(found == before || found == after, "{what}: half of it: {found}");
            if found == after && after != before {
                made += 1;
                hears_of_it(&stream, &version, &after, &what);
            } else {
                left += 1;
            }
            // Whatever it came to, the repeat is the same change: it is made once.
            let repeated = asked.repeat(&shop);
            assert!((200..300).contains(&repeated.status), "{what}: {repeated}");
            assert_eq!(seen(&shop, &jo), after, "{what}");
        }
    }
    eprintln!("{made} changes were seen to be made, {left} came later or changed nothing to see");
    assert!(made > 0, "everybody left too early");
    crate::catalogue_rows::check(&shop);
}

/// The stream of a customer's other device tells what changed of their cart or session.
fn hears_of_it(stream: &crate::harness::Events, version: &Value, after: &Value, what: &str) {
    let is_signed_out = after.is_string();
    if !is_signed_out && after["version"] == *version {
        return;
    }
    loop {
        match stream.heard() {
            Heard::Event(event) if is_signed_out && event.name == "signed_out" => return,
            Heard::Event(event) if event.data["version"] == after["version"] => return,
            Heard::End => panic!("{what}: the stream ended without a word"),
            _ => {}
        }
    }
}

/// The operations above and below are all that change anything.
#[test]
fn every_operation_that_changes_something_is_left_in_the_middle() {
    let shop = Shop::demo();
    let document = shop.get("/openapi.json").send().json();
    let mut described = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for method in operations.as_object().expect("operations").keys() {
            if !["get", "parameters"].contains(&method.as_str()) {
                described.insert(format!("{} {path}", method.to_uppercase()));
            }
        }
    }
    let of_customers = of_customers().into_iter().filter(|endpoint| endpoint.changes_something());
    let mut left: BTreeSet<_> =
        of_customers.map(|endpoint| format!("{} {}", endpoint.method, endpoint.path)).collect();
    left.extend(SIGNING_IN.map(|path| format!("POST {path}")));
    left.insert(format!("POST {STOPPING}"));
    assert_eq!(left, described);
}

/// What is left in the middle by the tests below.
const STOPPING: &str = "/auth/phone/stop";
const SIGNING_IN: [&str; 3] = ["/auth/send-code", "/auth/send-verification", "/auth/verify-code"];

#[test]
fn g11_a_code_that_is_counted_is_sent_whoever_hangs_up() {
    let at = SmsShop::with_limits(&[("sends_per_ip_hour", "1000")]);
    let mut rng = seeded("codes");
    let (sent, usual_sending) = timed(|| at.send_code(&us_phone(0)));
    expect(200, &sent);
    let code = at.sms.code(&us_phone(0));
    let (entered, usual_entering) = timed(|| at.verify(&us_phone(0), &code));
    expect(200, &entered);
    for n in 1..=60 {
        let phone = us_phone(n);
        let path = SIGNING_IN[n as usize % 2].to_owned();
        let body = Some(json!({ "phone": phone }));
        let asked = Change { method: "POST", path, token: None, body };
        asked.ask_and_hang_up(&at.shop, usual_sending, &mut rng);
        let repeated = asked.repeat(&at.shop);
        expect(200, &repeated);
        let whose = repeated.header("idempotent-replayed").map_or("the repeat", |_| "the one left");
        wait_until(&format!("{whose} to send a code to {phone}"), || {
            !at.sms.texts(&phone).is_empty()
        });
        let code = at.sms.code(&phone);
        let body = Some(json!({ "phone": phone, "verification_code": code }));
        let path = SIGNING_IN[2].to_owned();
        let entering = Change { method: "POST", path, token: None, body };
        entering.ask_and_hang_up(&at.shop, usual_entering, &mut rng);
        let entered = expect(200, &entering.repeat(&at.shop));
        assert_eq!(entered["is_new_user"], true, "once: {entered}");
        assert_eq!(at.sms.texts(&phone).len(), 1, "{phone}");
    }
}

#[test]
fn g11_the_old_phone_is_told_whoever_hangs_up() {
    let at = SmsShop::with_limits(&[("sends_per_ip_hour", "1000")]);
    let mut rng = seeded("moves");
    let mut usual = None;
    for n in 0..=60 {
        let (old, new) = (us_phone(n), us_phone(1_000 + n));
        let code = at.new_code(&old);
        let jo = Customer::with_code(&at.shop, &old, &code);
        expect(200, &jo.post(&at.shop, "/auth/phone", &json!({ "new_phone": new })));
        let body = json!({ "new_phone": new, "verification_code": at.sms.code(&new) });
        let asked = Change::of(&jo, "POST", "/auth/phone/confirm", Some(body));
        if let Some(usual) = usual {
            asked.ask_and_hang_up(&at.shop, usual, &mut rng);
        }
        let (repeated, took) = timed(|| asked.repeat(&at.shop));
        // The first is left by nobody.
        usual = usual.or(Some(took));
        assert_eq!(expect(200, &repeated)["user"]["phone"], new);
        let whose = repeated.header("idempotent-replayed").map_or("the repeat", |_| "the one left");
        wait_until(&format!("{old} to be told of {whose}'s move"), || {
            at.sms.texts(&old).len() == 2
        });
        let told = at.sms.texts(&old).pop().expect("two messages");
        assert!(told.contains(&format!("ends in {}", &new[new.len() - 2..])), "{told}");

        let body = json!({ "phone": old, "purpose": "stop_phone_change" });
        expect(200, &at.shop.post("/auth/send-code").json(&body).send());
        let body = Some(json!({ "phone": old, "verification_code": at.sms.code(&old) }));
        let stop = Change { method: "POST", path: STOPPING.to_owned(), token: None, body };
        if let Some(usual) = usual {
            stop.ask_and_hang_up(&at.shop, usual, &mut rng);
        }
        expect(200, &stop.repeat(&at.shop));
    }
}

//! S10: who was erased is so everywhere: in every file, in the log, in backups made afterwards, and
//! after every return to older data.

use serde_json::{Value, json};

use crate::backend::{self, Kept, RESTORES_IN_PLACE};
use crate::catalogue_rows::check;
use crate::customer::{Customer, checkout_body, expect, problem, us_phone};
use crate::harness::{Answer, Shop, wait_until};

/// What stands in everything that the customer writes.
const WORD: &str = "Quartermaine";

/// The phone without its country, as it may stand anywhere.
const DIGITS: &str = "312805";

fn put(shop: &Shop, customer: &Customer, path: &str, body: &Value) {
    expect(200, &customer.request(shop, "PUT", path).json(body).send());
}

/// A customer who leaves a word of their own wherever one can, a number of times, so that rows move
/// about in the database.
fn talkative(shop: &Shop, phone: &str, word: &str) -> Customer {
    let jo = Customer::of_demo(shop, phone);
    for turn in 0..6 {
        let long = format!("{word} {}", "x".repeat(turn * 12));
        let email = format!("{word}@shop.example");
        put(shop, &jo, "/auth/profile", &json!({ "full_name": long, "email": email }));
        let address = json!({ "full_address": long, "city": word, "title": word });
        let made = expect(201, &jo.post(shop, "/profile/addresses", &address));
        let path = format!("/profile/addresses/{}", made["id"]);
        put(shop, &jo, &path, &json!({ "street": format!("{word} Street") }));
        if turn % 2 == 0 {
            expect(200, &jo.request(shop, "DELETE", &path).send());
        }
        let key = format!("{word}-{turn}");
        let add = jo.request(shop, "POST", "/cart/items").idempotency_key(&key);
        expect(200, &add.json(&json!({ "sku_id": 42, "quantity": 1 })).send());
        let mut order = checkout_body();
        for field in ["customer_name", "delivery_address", "delivery_city", "delivery_notes"] {
            order[field] = json!(long);
        }
        order["customer_email"] = json!(email);
        order["payment_method"] = json!(format!("{word} 4111 1111"));
        expect(201, &jo.post(shop, "/orders", &order));
    }
    jo
}

fn orders(shop: &Shop, customer: &Customer) -> Vec<Value> {
    let listed = expect(200, &customer.get(shop, "/profile/orders?limit=100"));
    listed["orders"].as_array().expect("a list").iter().map(|order| order["id"].clone()).collect()
}

fn cancel_all(shop: &Shop, customer: &Customer) {
    for order in orders(shop, customer) {
        let path = format!("/profile/orders/{order}/cancel");
        expect(200, &customer.post(shop, &path, &json!({})));
    }
}

fn code_to(shop: &Shop, phone: &str) -> Value {
    let sent = expect(200, &shop.post("/auth/send-code").json(&json!({ "phone": phone })).send());
    sent["demo_code"].clone()
}

fn erase(shop: &Shop, customer: &Customer, more: &[(&str, Value)]) -> Answer {
    let mut body = json!({ "verification_code": code_to(shop, &customer.phone) });
    for (name, value) in more {
        body[*name] = value.clone();
    }
    customer.request(shop, "DELETE", "/auth/account").json(&body).send()
}

/// Where a word stands, in any case, of these places.
fn places_of(word: &str, places: &[(String, Vec<u8>)]) -> Vec<String> {
    let is_in = |bytes: &[u8]| {
        bytes.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes()))
    };
    places.iter().filter(|(_, bytes)| is_in(bytes)).map(|(place, _)| place.clone()).collect()
}

#[test]
fn s10_what_was_erased_is_in_no_file_no_log_and_no_later_backup() {
    let mut shop = Shop::demo();
    let others: Vec<_> =
        (2..12).map(|n| talkative(&shop, &us_phone(n), &format!("Somebody{n}"))).collect();
    let jo = talkative(&shop, &us_phone(1), WORD);
    let words = [WORD, &jo.phone[2..]];
    assert!(words[1].starts_with(DIGITS), "{}", words[1]);
    assert_ne!(places_of(WORD, &backend::stored(&shop)), [""; 0], "it is looked for rightly");
    cancel_all(&shop, &jo);
    let had = others[0].everything(&shop);
    expect(200, &erase(&shop, &jo, &[]));
    wait_until("it to be gone while the shop runs", || {
        words.iter().all(|word| places_of(word, &backend::stored(&shop)).is_empty())
    });
    shop.run_ok(&["backup", "later.tar"]);
    let backup = std::fs::read(shop.home().join("later.tar")).expect("a backup");
    let output = shop.terminate();
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let mut places = backend::stored(&shop);
    places.push(("the backup".into(), backup));
    places.push(("the log".into(), output.stderr.into_bytes()));
    for word in words {
        assert_eq!(places_of(word, &places), [""; 0], "{word}");
    }
    shop.start();
    let other = Customer::of_demo(&shop, &others[0].phone);
    assert_eq!(other.everything(&shop), had);
    check(&shop);
}

#[test]
fn s10_an_order_on_its_way_is_not_erased_unasked() {
    let shop = Shop::demo();
    let jo = talkative(&shop, &us_phone(1), WORD);
    let before = jo.everything(&shop);
    let told = problem(409, "open_orders", &erase(&shop, &jo, &[]));
    let mut open = orders(&shop, &jo);
    open.reverse();
    assert_eq!(told["orders"], json!(open), "{told}");
    assert_eq!(jo.everything(&shop), before);
    problem(409, "open_orders", &erase(&shop, &jo, &[("even_open_orders", json!(false))]));
    expect(200, &erase(&shop, &jo, &[("even_open_orders", json!(true))]));
    problem(401, "signed_out", &jo.get(&shop, "/cart"));
    check(&shop);
}

#[test]
fn o1_what_operators_do_to_a_customer_is_told_to_the_customer() {
    let shop = Shop::demo();
    let jo = Customer::of_demo(&shop, &us_phone(1));
    let user = |arguments: &[&str]| {
        let all = [&["user"], arguments, &[&*jo.phone, "--market", "us"]].concat();
        shop.run_ok(&all)
    };
    user(&["show", "--reason", "case 1"]);
    user(&["sign-out", "--reason", "case 2", "--by", "Anna"]);
    let jo = Customer::of_demo(&shop, &jo.phone);
    let export = expect(200, &jo.get(&shop, "/auth/export"));
    let actions = export["operator_actions"].as_array().expect("a list");
    let told: Vec<_> = actions.iter().map(|one| (&one["action"], &one["reason"])).collect();
    assert_eq!(
        told,
        [(&json!("show"), &json!("case 1")), (&json!("sign-out"), &json!("case 2"))],
        "{export}"
    );
}

#[test]
fn s10_an_operator_erases_for_a_letter() {
    let mut shop = Shop::demo();
    let jo = talkative(&shop, &us_phone(1), WORD);
    let user = |action: &str, more: &[&str]| {
        let all = [&["user", action, &*jo.phone, "--market", "us"], more].concat();
        shop.run(&all)
    };
    let unexplained = user("erase", &[]);
    assert_eq!(unexplained.code, Some(2), "{}", unexplained.stderr);
    let refused = user("erase", &["--reason", "case 17"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("#1001"), "{}", refused.stderr);
    cancel_all(&shop, &jo);
    assert_eq!(user("block", &["--reason", "case 17"]).code, Some(0));
    let erased = user("erase", &["--reason", "case 17", "--by", "Anna"]);
    assert_eq!(erased.code, Some(0), "{}", erased.stderr);
    assert_erased(&shop, &jo);
    shop.terminate();
    assert_eq!(places_of(WORD, &backend::stored(&shop)), [""; 0]);
}

/// What `user export` writes, without what was done to the account: that grows.
fn exported(shop: &Shop, phone: &str, file: &str) -> String {
    let reason = ["--market", "us", "--out", file, "--reason", "case 17"];
    shop.run_ok(&[&["user", "export", phone], &reason[..]].concat());
    let text = std::fs::read_to_string(shop.home().join(file)).expect("an export");
    let (before, rest) = text.split_once("{\"table\":\"audit_log\"").expect("a table");
    let (_, after) = rest.split_once("\n{").expect("another table");
    format!("{before}{after}")
}

#[test]
fn g6_a_customer_who_is_exported_and_imported_is_the_same() {
    let shop = Shop::demo();
    talkative(&shop, &us_phone(2), "Somebody");
    let jo = talkative(&shop, &us_phone(1), WORD);
    let had = jo.everything(&shop);
    let export = exported(&shop, &jo.phone, "jo.ndjson");
    assert!(export.contains(WORD) && !export.contains("Somebody"), "it is nobody else's");
    let again = shop.run(&["user", "export", &jo.phone, "--market", "us", "--out", "jo.ndjson"]);
    assert_ne!(again.code, Some(0), "the file is there, and no reason is given");

    let other = Shop::demo();
    std::fs::copy(shop.home().join("jo.ndjson"), other.home().join("jo.ndjson")).expect("copied");
    let import = ["user", "import", "jo.ndjson", "--market", "us"];
    other.run_ok(&import);
    check(&other);
    assert_eq!(exported(&other, &jo.phone, "again.ndjson"), export);
    let there = Customer::of_demo(&other, &jo.phone);
    assert_eq!(there.id, jo.id);
    assert_eq!(there.everything(&other), had);
    let twice = other.run(&import);
    assert!(twice.stderr.contains("is there already"), "{}", twice.stderr);

    cancel_all(&shop, &jo);
    expect(200, &erase(&shop, &jo, &[]));
    let refused = shop.run(&import);
    assert!(refused.stderr.contains("was erased, and is not brought back"), "{}", refused.stderr);
}

/// Erased, and the phone given to somebody else.
fn erased_and_followed(shop: &Shop) -> (Customer, Customer) {
    let jo = Customer::of_demo(shop, &us_phone(1));
    cancel_all(shop, &jo);
    expect(200, &erase(shop, &jo, &[]));
    let next = Customer::of_demo(shop, &jo.phone);
    assert_ne!(next.id, jo.id);
    (jo, next)
}

/// The phone's next owner is let into nothing of the erased customer's.
fn assert_erased(shop: &Shop, jo: &Customer) {
    let owner = Customer::of_demo(shop, &jo.phone);
    assert_ne!(owner.id, jo.id, "the erased customer is back, with the phone's next owner in");
    let everything = owner.everything(shop);
    assert!(!everything.to_string().contains(WORD), "{everything}");
    check(shop);
}

#[test]
fn s10_no_return_to_older_data_brings_anybody_back() {
    let mut shop = Shop::demo();
    talkative(&shop, &us_phone(1), WORD);
    shop.terminate();
    let kept = Kept::of(&shop);
    shop.start();
    let (jo, _) = erased_and_followed(&shop);
    shop.terminate();
    kept.put_back(&shop);
    shop.start();
    assert_erased(&shop, &jo);
    let output = shop.terminate();
    assert!(output.stderr.contains("who were erased were in older data"), "{}", output.stderr);
    assert_eq!(places_of(WORD, &backend::stored(&shop)), [""; 0]);
}

#[test]
fn s10_a_restore_brings_nobody_back_though_nothing_newer_is_left() {
    if !RESTORES_IN_PLACE {
        return;
    }
    let mut shop = Shop::demo();
    talkative(&shop, &us_phone(1), WORD);
    shop.run_ok(&["backup", "before.tar"]);
    let (jo, _) = erased_and_followed(&shop);
    shop.terminate();
    backend::lose(&shop);
    let said = shop.run_ok(&["restore", "before.tar", "--force"]);
    assert!(said.contains("+1312•••0001): was erased"), "{said}");
    shop.start();
    assert_erased(&shop, &jo);
    shop.terminate();
    assert_eq!(places_of(WORD, &backend::stored(&shop)), [""; 0]);
}

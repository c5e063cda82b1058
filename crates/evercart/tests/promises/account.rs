//! The account as a whole: it can move to another phone and loses nothing (G7), nobody learns or
//! takes what is another's on the way (S4), its owner can have a copy of it, and an end to it.

use serde_json::{Value, json};

use crate::backend;
use crate::catalogue_rows::check;
use crate::codes::SmsShop;
use crate::crowd::{at_once, count};
use crate::customer::{Customer, checkout_body, expect, pieces, problem, us_phone};
use crate::harness::{Answer, Shop, wait_until};

const KEY: &str = "3c0e9d2f-7f4b-4a7e-9a51-0a3f0f3b6a11";

/// Where everybody moves to.
const NEW: &str = "+13128059852";

fn ask_for(shop: &Shop, customer: &Customer, new_phone: &str) -> Answer {
    customer.post(shop, "/auth/phone", &json!({ "new_phone": new_phone }))
}

/// The code that a demo sends to the new phone.
fn code_for(shop: &Shop, customer: &Customer, new_phone: &str) -> String {
    let sent = expect(200, &ask_for(shop, customer, new_phone));
    sent["demo_code"].as_str().expect("a demo says its codes").to_owned()
}

fn move_to(shop: &Shop, customer: &Customer, new_phone: &str, code: &str) -> Answer {
    let body = json!({ "new_phone": new_phone, "verification_code": code });
    customer.post(shop, "/auth/phone/confirm", &body)
}

/// A customer with something of everything.
fn settled(shop: &Shop, n: u32) -> Customer {
    let jo = Customer::of_demo(shop, &us_phone(n));
    expect(200, &jo.add(shop, 1, 2));
    expect(201, &jo.checkout(shop));
    expect(200, &jo.add(shop, 42, 3));
    expect(200, &jo.wish(shop, 15));
    expect(201, &jo.post(shop, "/profile/addresses", &json!({ "full_address": "1 Main St" })));
    jo
}

fn with_token(customer: &Customer, phone: &str, answer: &Value) -> Customer {
    let token = answer["access_token"].as_str().expect("a token").to_owned();
    Customer { id: customer.id, phone: phone.to_owned(), token }
}

#[test]
fn g7_an_account_moves_to_another_phone_with_all_that_is_in_it() {
    let shop = Shop::demo_with(&[("EVERCART_AUTH__PHONE_CHANGE_HOLD", "0s")]);
    let jo = settled(&shop, 1);
    let tablet = Customer::of_demo(&shop, &us_phone(1));
    let had = jo.everything(&shop);
    let stream = shop.events(&tablet.token);
    stream.cart();
    let code = code_for(&shop, &jo, NEW);
    let signed_in = expect(200, &move_to(&shop, &jo, NEW, &code));
    let user = &signed_in["user"];
    assert_eq!((&user["id"], &user["phone"]), (&json!(jo.id), &json!(NEW)), "{signed_in}");
    assert_eq!(signed_in["is_new_user"], false);
    for dead in [&jo, &tablet] {
        problem(401, "signed_out", &dead.get(&shop, "/cart"));
    }
    assert_eq!(stream.signed_out()["code"], "signed_out");
    let moved = with_token(&jo, NEW, &signed_in);
    assert_eq!(moved.everything(&shop), had);
    assert_eq!(expect(200, &moved.get(&shop, "/auth/profile"))["phone_number"], NEW);
    assert_eq!(Customer::of_demo(&shop, NEW).id, jo.id);
    let newcomer = Customer::of_demo(&shop, &jo.phone);
    assert_ne!(newcomer.id, jo.id, "without a hold the old phone is free");
    assert_eq!(newcomer.cart(&shop)["items"], json!([]));
    problem(400, "code_invalid", &move_to(&shop, &newcomer, &us_phone(77), &code));
    check(&shop);
}

#[test]
fn g5_a_move_whose_answer_was_lost_is_answered_again() {
    let shop = Shop::demo();
    let jo = settled(&shop, 1);
    let code = code_for(&shop, &jo, NEW);
    let body = json!({ "new_phone": NEW, "verification_code": code });
    let again = |key: &str| {
        let request = jo.request(&shop, "POST", "/auth/phone/confirm");
        request.json(&body).idempotency_key(key).send()
    };
    let first = again(KEY);
    assert_eq!((first.status, first.header("idempotent-replayed")), (200, None), "{first}");
    let second = again(KEY);
    assert_eq!((second.status, second.header("idempotent-replayed")), (200, Some("true")));
    assert_eq!(first.json()["user"], second.json()["user"]);
    problem(401, "signed_out", &again("another"));
    for answer in [&first, &second] {
        let moved = with_token(&jo, NEW, &answer.json());
        assert_eq!(pieces(&moved.cart(&shop), 42), 3);
    }
    let moved = with_token(&jo, NEW, &first.json());
    expect(200, &moved.request(&shop, "POST", "/auth/logout").send());
    problem(401, "signed_out", &again(KEY));
}

#[test]
fn s4_nobody_learns_whether_a_phone_has_an_account_by_asking_for_it() {
    let shop = Shop::demo();
    let (jo, other) = (settled(&shop, 1), settled(&shop, 2));
    let others = other.everything(&shop);
    let told = |new_phone: &str| {
        let mut sent = expect(200, &ask_for(&shop, &jo, new_phone));
        let code = sent["demo_code"].as_str().expect("a code").to_owned();
        for own in ["demo_code", "phone_number"] {
            sent.as_object_mut().expect("an object").remove(own);
        }
        (sent, code)
    };
    let ((taken, code), (free, _)) = (told(&other.phone), told(NEW));
    assert_eq!(taken, free);
    let wrong = if code == "111111" { "222222" } else { "111111" };
    for phone in [&*other.phone, NEW] {
        problem(400, "code_invalid", &move_to(&shop, &jo, phone, wrong));
    }
    // Only who has the phone in hand is told, and gets nothing.
    problem(409, "phone_taken", &move_to(&shop, &jo, &other.phone, &code));
    assert_eq!(other.everything(&shop), others);
    assert_eq!(pieces(&jo.cart(&shop), 42), 3, "the session goes on");
    check(&shop);
}

#[test]
fn s4_a_code_for_a_phone_is_one_customers() {
    let shop = Shop::demo();
    let (jo, thief) = (settled(&shop, 1), settled(&shop, 2));
    let code = code_for(&shop, &jo, NEW);
    problem(400, "code_invalid", &move_to(&shop, &thief, NEW, &code));
    problem(400, "code_invalid", &shop.verify(NEW, &code));
    let to_sign_in =
        expect(200, &shop.post("/auth/send-code").json(&json!({ "phone": NEW })).send());
    let code_to_sign_in = to_sign_in["demo_code"].as_str().expect("a code");
    problem(400, "code_invalid", &move_to(&shop, &jo, NEW, code_to_sign_in));
    expect(200, &move_to(&shop, &jo, NEW, &code));
}

#[test]
fn one_phone_that_many_want_at_once_goes_to_one() {
    let shop = Shop::demo();
    let customers: Vec<_> = (1..=4).map(|n| settled(&shop, n)).collect();
    // The phone has one code at a time, the last one's.
    let codes: Vec<_> = customers.iter().map(|jo| code_for(&shop, jo, NEW)).collect();
    let answers = at_once(4, |n| move_to(&shop, &customers[n], NEW, &codes[n]));
    assert_eq!(count(&answers, |answer| answer.status == 200), 1, "{answers:?}");
    assert_eq!(count(&answers, |answer| answer.code() == "code_invalid"), 3, "{answers:?}");
    for (customer, answer) in customers.iter().zip(&answers) {
        match answer.status {
            200 => problem(401, "signed_out", &customer.get(&shop, "/cart")),
            _ => customer.cart(&shop),
        };
    }
    check(&shop);
}

#[test]
fn the_old_phone_is_told_and_the_new_one_asked() {
    let at = SmsShop::with_limits(&[]);
    let old = us_phone(1);
    let code = at.new_code(&old);
    let jo = Customer::with_code(&at.shop, &old, &code);
    expect(200, &ask_for(&at.shop, &jo, NEW));
    assert!(at.sms.texts(NEW)[0].contains("to use this number"), "{:?}", at.sms.texts(NEW));
    problem(429, "rate_limited", &ask_for(&at.shop, &jo, NEW));
    expect(200, &move_to(&at.shop, &jo, NEW, &at.sms.code(NEW)));
    wait_until("the old phone to be told", || at.sms.texts(&old).len() == 2);
    let told = at.sms.texts(&old).pop().expect("two messages");
    assert!(told.contains("ends in 52") && !told.contains(NEW), "{told}");
}

#[test]
fn a_phone_that_cannot_be_the_accounts_is_said_so() {
    let shop = Shop::demo();
    let jo = Customer::of_demo(&shop, &us_phone(1));
    for wrong in ["", "nobody", "+996700000001", &*jo.phone] {
        for path in ["/auth/phone", "/auth/phone/confirm"] {
            let body = json!({ "new_phone": wrong, "verification_code": "123456" });
            let told = problem(422, "validation_failed", &jo.post(&shop, path, &body));
            assert_eq!(told["errors"][0]["field"], "new_phone", "{path}: {told}");
        }
    }
}

#[test]
fn a_code_that_cannot_be_sent_can_be_asked_for_again_at_once() {
    let at = SmsShop::with_limits(&[]);
    let code = at.new_code(&us_phone(1));
    let jo = Customer::with_code(&at.shop, &us_phone(1), &code);
    let ask = || {
        let request = jo.request(&at.shop, "POST", "/auth/phone");
        request.json(&json!({ "new_phone": NEW })).idempotency_key(KEY).send()
    };
    at.sms.answer_with(500);
    problem(503, "sms_unavailable", &ask());
    at.sms.answer_with(204);
    expect(200, &ask());
    expect(200, &move_to(&at.shop, &jo, NEW, &at.sms.code(NEW)));
}

#[test]
fn an_export_is_everything_the_shop_holds_of_its_customer() {
    let shop = Shop::demo();
    let (jo, other) = (settled(&shop, 1), settled(&shop, 2));
    expect(
        200,
        &jo.request(&shop, "PUT", "/auth/profile").json(&json!({"full_name": "Jo"})).send(),
    );
    let answer = jo.get(&shop, "/auth/export");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let attachment = Some("attachment; filename=\"evercart-export.json\"");
    assert_eq!(answer.header("content-disposition"), attachment);
    let export = expect(200, &answer);
    assert_eq!(export["profile"], jo.get(&shop, "/auth/profile").json());
    assert_eq!(export["cart"], jo.cart(&shop));
    assert_eq!((&export["format"], &export["blocked_at"]), (&json!(1), &json!(null)));
    let line = &export["cart_lines"][0];
    let shown = &export["cart"]["items"][0];
    for name in ["sku_id", "quantity"] {
        assert_eq!(line[name], shown[name], "{export}");
    }
    assert_eq!(line["price_when_added"], shown["price"]);
    assert!(line["added_at"].is_string(), "{export}");
    assert_eq!(export["wishlist"], jo.get(&shop, "/wishlist").json());
    let orders = jo.get(&shop, "/profile/orders?limit=100").json();
    assert_eq!(export["orders"], orders["orders"]);
    let addresses = jo.get(&shop, "/profile/addresses").json();
    assert_eq!(export["addresses"], addresses["addresses"]);
    assert!(!answer.text().contains(&other.phone), "it holds another customer's");
}

#[test]
fn erasing_leaves_the_books_and_nothing_of_the_customers() {
    let mut shop = Shop::demo();
    let (jo, other) = (settled(&shop, 1), settled(&shop, 2));
    let others = other.everything(&shop);
    const NAME: &str = "Zebulon Quartermaine";
    const ADDRESS: &str = "77 Xylophone Crescent";
    let profile = json!({ "full_name": NAME, "email": "zebulon@quartermaine.example" });
    expect(200, &jo.request(&shop, "PUT", "/auth/profile").json(&profile).send());
    expect(201, &jo.post(&shop, "/profile/addresses", &json!({ "full_address": ADDRESS })));
    let mut order = checkout_body();
    for (field, value) in [
        ("customer_name", NAME),
        ("customer_email", "zebulon@quartermaine.example"),
        ("delivery_address", ADDRESS),
        ("delivery_notes", "Ring at Quartermaine"),
    ] {
        order[field] = json!(value);
    }
    expect(201, &jo.post(&shop, "/orders", &order));
    expect(200, &jo.add(&shop, 42, 1));
    let orders = expect(200, &jo.get(&shop, "/profile/orders"));
    for order in orders["orders"].as_array().expect("a list") {
        let path = format!("/profile/orders/{}/cancel", order["id"]);
        expect(200, &jo.post(&shop, &path, &json!({})));
    }
    let stream = shop.events(&jo.token);
    stream.cart();

    let erase = |code: &str, key: &str| {
        let request = jo.request(&shop, "DELETE", "/auth/account").idempotency_key(key);
        request.json(&json!({ "verification_code": code })).send()
    };
    problem(400, "code_invalid", &erase("000000", KEY));
    let sent = shop.post("/auth/send-code").json(&json!({ "phone": jo.phone })).send();
    let code = sent.json()["demo_code"].as_str().expect("a demo code").to_owned();
    let first = erase(&code, KEY);
    expect(200, &first);
    assert_eq!(first.header("idempotent-replayed"), None);
    assert_eq!(stream.signed_out()["code"], "signed_out");
    problem(401, "signed_out", &jo.get(&shop, "/cart"));
    problem(401, "signed_out", &erase(&code, "another"));
    let again = erase(&code, KEY);
    assert_eq!((again.status, again.header("idempotent-replayed")), (200, Some("true")), "{again}");
    assert_eq!(other.everything(&shop), others);
    check(&shop);

    let newcomer = Customer::of_demo(&shop, &jo.phone);
    assert_ne!(newcomer.id, jo.id);
    let everything = newcomer.everything(&shop).to_string();
    assert!(!everything.contains("Quartermaine"), "{everything}");
    assert_eq!(newcomer.cart(&shop)["version"], 0);
    let newest = expect(200, &newcomer.add(&shop, 42, 1));
    assert_eq!(pieces(&newest, 42), 1);
    let number = expect(201, &newcomer.checkout(&shop))["id"].as_i64().expect("a number");
    assert!(number > 1003, "the erased customer's orders keep their numbers: {number}");

    let output = shop.terminate();
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    for (place, bytes) in backend::stored(&shop) {
        for word in ["Quartermaine", "quartermaine", "Xylophone"] {
            let is_there = bytes.windows(word.len()).any(|part| part == word.as_bytes());
            assert!(!is_there, "{word} is still in {place}");
        }
    }
}

//! An account that somebody took over comes back to its owner: the phone it was moved away from can
//! stop the change, and an operator decides.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::catalogue_rows::check;
use crate::codes::SmsShop;
use crate::crowd::{at_once, count};
use crate::customer::{Customer, expect, pieces, problem, us_phone};
use crate::harness::{Answer, Shop, wait_until};

const KEY: &str = "5b1d0c3a-19f2-4b63-8f6e-2d1f7a9c4e10";

/// Whoever took the account over has this phone.
const THIEFS: &str = "+13128059852";

const STOP: &str = "stop_phone_change";

/// The code that a demo sends to a phone, for a purpose.
fn code_to(shop: &Shop, phone: &str, purpose: &str) -> String {
    let body = json!({ "phone": phone, "purpose": purpose });
    let sent = expect(200, &shop.post("/auth/send-code").json(&body).send());
    sent["demo_code"].as_str().expect("a demo says its codes").to_owned()
}

fn enter(shop: &Shop, phone: &str) -> Answer {
    shop.verify(phone, &code_to(shop, phone, "sign_in"))
}

fn stop(shop: &Shop, phone: &str, code: &str) -> Answer {
    let body = json!({ "phone": phone, "verification_code": code });
    shop.post("/auth/phone/stop").json(&body).idempotency_key(KEY).send()
}

fn ask_to_move(shop: &Shop, customer: &Customer, to: &str) -> Answer {
    customer.post(shop, "/auth/phone", &json!({ "new_phone": to }))
}

/// Moves an account with a token, as its owner would.
fn move_to(shop: &Shop, customer: &Customer, to: &str) -> Customer {
    let sent = expect(200, &ask_to_move(shop, customer, to));
    let body = json!({ "new_phone": to, "verification_code": sent["demo_code"] });
    let moved = expect(200, &customer.post(shop, "/auth/phone/confirm", &body));
    let token = moved["access_token"].as_str().expect("a token").to_owned();
    Customer { id: customer.id, phone: to.to_owned(), token }
}

/// A customer with a cart and an order.
fn owner(shop: &Shop) -> Customer {
    let jo = Customer::of_demo(shop, &us_phone(1));
    expect(200, &jo.add(shop, 1, 2));
    expect(201, &jo.checkout(shop));
    expect(200, &jo.add(shop, 42, 3));
    jo
}

fn user(shop: &Shop, verb: &str, phone: &str) -> Value {
    let output = shop.run_ok(&["user", verb, phone, "--market", "us", "--json"]);
    serde_json::from_str(&output).expect("JSON")
}

#[test]
fn g7_an_account_taken_over_comes_back_with_cart_and_orders() {
    let shop = Shop::demo();
    let jo = owner(&shop);
    let had = jo.everything(&shop);
    let thief = move_to(&shop, &jo, THIEFS);
    let stream = shop.events(&thief.token);
    stream.cart();
    // The thief can neither hide the way nor destroy what was taken.
    problem(409, "phone_on_hold", &ask_to_move(&shop, &thief, &us_phone(77)));
    let code = code_to(&shop, THIEFS, "sign_in");
    let erase = thief.request(&shop, "DELETE", "/auth/account");
    problem(409, "phone_on_hold", &erase.json(&json!({ "verification_code": code })).send());

    let moved = problem(409, "phone_moved", &enter(&shop, &jo.phone));
    assert!(moved["until"].is_string(), "{moved}");
    let shown = user(&shop, "show", &jo.phone);
    assert_eq!((&shown["id"], &shown["phone"]), (&json!(jo.id), &json!("+1312•••9852")));
    assert_eq!(shown["left_phone_at"], shown["former_phones"][0]["left_at"], "{shown}");
    let moment = |at: &Value| at.as_str().expect("a moment").parse::<Timestamp>().expect("UTC");
    // The customer is told whole seconds.
    let told = moment(&moved["until"]).duration_since(moment(&shown["phone_held_until"]));
    let rounded_up = SignedDuration::ZERO..SignedDuration::from_secs(1);
    assert!(rounded_up.contains(&told), "{moved} {shown}");

    let code = code_to(&shop, &jo.phone, STOP);
    problem(400, "code_invalid", &shop.verify(&jo.phone, &code));
    expect(200, &stop(&shop, &jo.phone, &code));
    let again = stop(&shop, &jo.phone, &code);
    assert_eq!((again.status, again.header("idempotent-replayed")), (200, Some("true")), "{again}");
    assert_eq!(stream.signed_out()["code"], "signed_out");
    problem(401, "signed_out", &thief.get(&shop, "/cart"));
    problem(409, "phone_on_hold", &enter(&shop, THIEFS));
    problem(409, "phone_moved", &enter(&shop, &jo.phone));
    let sheet = shop.run_ok(&["user", "show", THIEFS, "--market", "us"]);
    assert!(sheet.contains("frozen since") && sheet.contains("+1312•••"), "{sheet}");
    check(&shop);

    let back = user(&shop, "move-back", THIEFS);
    assert_eq!((&back["id"], &back["phone"]), (&json!(jo.id), &json!(jo.phone)), "{back}");
    let jo_again = Customer::of_demo(&shop, &jo.phone);
    assert_eq!(jo_again.id, jo.id);
    assert_eq!(jo_again.everything(&shop), had);
    let newcomer = Customer::of_demo(&shop, THIEFS);
    assert_ne!(newcomer.id, jo.id, "the thief has a phone of their own and nothing else");
    assert_eq!(newcomer.cart(&shop)["items"], json!([]));
    let actions = jo_again.get(&shop, "/auth/export").json()["operator_actions"].clone();
    let actions: Vec<_> =
        actions.as_array().expect("a list").iter().map(|one| &one["action"]).collect();
    // Each look of an operator is among them.
    let (looks, acts): (Vec<&Value>, Vec<&Value>) =
        actions.into_iter().partition(|action| **action == "show");
    assert_eq!(acts, ["change-phone", "stop-phone-change", "move-back"]);
    assert!(looks.len() >= 2, "{looks:?}");
    let late = stop(&shop, &jo.phone, &code);
    problem(400, "code_invalid", &late);
    check(&shop);
}

#[test]
fn an_operator_decides_by_either_phone_and_only_once() {
    let shop = Shop::demo();
    let jo = owner(&shop);
    let run = |verb: &str, phone: &str| shop.run(&["user", verb, phone, "--market", "us"]);
    for verb in ["move-back", "confirm-move"] {
        let nothing = run(verb, &jo.phone);
        assert_eq!(nothing.code, Some(1));
        assert!(nothing.stderr.contains("there is nothing to decide"), "{}", nothing.stderr);
        let nobody = run(verb, &us_phone(88));
        assert!(nobody.stderr.contains("there is no customer"), "{}", nobody.stderr);
    }
    move_to(&shop, &jo, THIEFS);
    // Nobody has stopped it: the shop does not know the phone before, but by its hash.
    let unnamed = run("move-back", THIEFS);
    assert!(unnamed.stderr.contains("keeps only a hash"), "{}", unnamed.stderr);
    assert!(unnamed.stderr.contains("\nhint: name the phone"), "{}", unnamed.stderr);
    let back = user(&shop, "move-back", &jo.phone);
    assert_eq!(back["phone"], json!(jo.phone));
    assert!(run("move-back", &jo.phone).stderr.contains("there is nothing to decide"));

    let jo = Customer::of_demo(&shop, &jo.phone);
    move_to(&shop, &jo, THIEFS);
    let code = code_to(&shop, &jo.phone, STOP);
    expect(200, &stop(&shop, &jo.phone, &code));
    let confirmed = user(&shop, "confirm-move", &jo.phone);
    assert_eq!(
        confirmed["phone"], "+1312•••9852",
        "the former phone does not tell the present one"
    );
    assert_eq!((&confirmed["id"], &confirmed["frozen_at"]), (&json!(jo.id), &Value::Null));
    assert_eq!(Customer::of_demo(&shop, THIEFS).id, jo.id);
    assert_ne!(Customer::of_demo(&shop, &jo.phone).id, jo.id, "the former phone is free");
    let shown = user(&shop, "show", &jo.phone);
    assert_eq!(shown["earlier_customers"][0]["id"], json!(jo.id), "{shown}");
    check(&shop);
}

#[test]
fn a_stop_and_a_sign_in_at_once_leave_nobody_in() {
    let shop = Shop::demo();
    let jo = owner(&shop);
    move_to(&shop, &jo, THIEFS);
    let (stop_code, enter_code) =
        (code_to(&shop, &jo.phone, STOP), code_to(&shop, THIEFS, "sign_in"));
    let answers = at_once(6, |n| match n % 2 {
        0 => stop(&shop, &jo.phone, &stop_code),
        _ => shop.verify(THIEFS, &enter_code),
    });
    assert_eq!(
        count(&answers[..], |answer| answer.json()["success"] == true
            && answer.json()["access_token"].is_null()),
        3,
        "{answers:?}"
    );
    for answer in answers.iter().filter(|answer| answer.json()["access_token"].is_string()) {
        let token = answer.json()["access_token"].as_str().expect("a token").to_owned();
        let thief = Customer { id: jo.id, phone: THIEFS.to_owned(), token };
        problem(401, "signed_out", &thief.get(&shop, "/cart"));
    }
    problem(409, "phone_on_hold", &enter(&shop, THIEFS));
    user(&shop, "move-back", &jo.phone);
    assert_eq!(pieces(&Customer::of_demo(&shop, &jo.phone).cart(&shop), 42), 3);
    check(&shop);
}

#[test]
fn after_the_hold_the_old_phone_begins_anew() {
    let shop = Shop::demo_with(&[("EVERCART_AUTH__PHONE_CHANGE_HOLD", "2s")]);
    let jo = owner(&shop);
    let moved = move_to(&shop, &jo, THIEFS);
    problem(409, "phone_moved", &enter(&shop, &jo.phone));
    wait_until("the hold to be over", || enter(&shop, &jo.phone).status == 200);
    assert_ne!(Customer::of_demo(&shop, &jo.phone).id, jo.id);
    let code = code_to(&shop, &jo.phone, STOP);
    problem(404, "not_found", &stop(&shop, &jo.phone, &code));
    assert_eq!(pieces(&moved.cart(&shop), 42), 3);
    expect(200, &ask_to_move(&shop, &moved, &us_phone(77)));
}

#[test]
fn s7_a_change_of_phone_is_logged_without_the_numbers() {
    let at = SmsShop::with_limits(&[("resend_after", "1ms")]);
    let old = us_phone(1);
    let code = at.new_code(&old);
    let jo = Customer::with_code(&at.shop, &old, &code);
    expect(200, &ask_to_move(&at.shop, &jo, THIEFS));
    let body = json!({ "new_phone": THIEFS, "verification_code": at.sms.code(THIEFS) });
    expect(200, &jo.post(&at.shop, "/auth/phone/confirm", &body));
    wait_until("the old phone to be told", || at.sms.texts(&old).len() == 2);
    let told = at.sms.texts(&old).pop().expect("two messages");
    assert!(told.contains("stop it at once"), "{told}");
    wait_until("the log to say it", || at.shop.stderr().contains("phone was changed"));
    let log = at.shop.stderr();
    assert!(log.contains("+1312•••9852") && !log.contains(THIEFS), "{log}");
}

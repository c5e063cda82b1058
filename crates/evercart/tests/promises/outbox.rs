//! G11: what follows from a commit happens, whatever becomes of the server that made it, and once
//! in the normal case. And whoever was to get a code and did not can ask for another (S4, S5).

use serde_json::json;

use crate::codes::SmsShop;
use crate::customer::{Customer, expect, problem, retry_after, us_phone};
use crate::harness::wait_until;

/// Where everybody moves to.
const NEW: &str = "+13128059852";

const SENT: &str = "evercart_messages_sent_total{market=\"us\",kind=\"phone_changed\"}";
const FAILED: &str = "evercart_messages_failed_total{market=\"us\",kind=\"phone_changed\"}";
const WAITING: &str = "evercart_messages_waiting{market=\"us\"}";

/// Signs a customer in and asks for the move to `new`; returns the code that was sent there.
fn about_to_move(at: &SmsShop, old: &str, new: &str) -> (Customer, String) {
    let code = at.new_code(old);
    let jo = Customer::with_code(&at.shop, old, &code);
    expect(200, &jo.post(&at.shop, "/auth/phone", &json!({ "new_phone": new })));
    let code = at.sms.code(new);
    (jo, code)
}

fn move_to(at: &SmsShop, customer: &Customer, new: &str, code: &str) {
    let body = json!({ "new_phone": new, "verification_code": code });
    expect(200, &customer.post(&at.shop, "/auth/phone/confirm", &body));
}

/// How often the provider took the news of the move to `NEW` for this phone.
fn news(at: &SmsShop, phone: &str) -> usize {
    let texts = at.sms.taken_texts(phone);
    texts.iter().filter(|text| text.contains("ends in 52")).count()
}

#[test]
fn g11_the_old_phone_is_told_though_the_server_is_killed_and_the_provider_away() {
    let mut at = SmsShop::with_limits(&[]);
    let old = us_phone(1);
    let (jo, code) = about_to_move(&at, &old, NEW);
    at.sms.answer_with(500);
    move_to(&at, &jo, NEW, &code);
    at.shop.kill();
    at.shop.start();
    wait_until("an attempt after the restart", || at.shop.counted(FAILED) > 0);
    assert_eq!((news(&at, &old), at.shop.counted(SENT)), (0, 0), "it cannot have been told");
    at.shop.kill();
    at.sms.answer_with(204);
    at.shop.start();
    wait_until("the old phone to be told", || news(&at, &old) > 0);
    wait_until("nothing more to wait", || {
        at.shop.counted(SENT) == 1 && at.shop.counted(WAITING) == 0
    });
    assert_eq!(news(&at, &old), 1);
    let stderr = at.shop.stderr();
    assert!(stderr.contains("a message was sent") && stderr.contains("+1312•••0001"), "{stderr}");
    assert!(!stderr.contains(&old) && !stderr.contains("ends in 52"), "{stderr}");
}

#[test]
fn g11_a_stop_sends_what_it_can_and_leaves_the_rest() {
    let mut at = SmsShop::with_limits(&[]);
    let old = us_phone(1);
    let (jo, code) = about_to_move(&at, &old, NEW);
    at.sms.answer_with(500);
    move_to(&at, &jo, NEW, &code);
    let output = at.shop.terminate();
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    at.sms.answer_with(204);
    at.shop.start();
    wait_until("the old phone to be told", || news(&at, &old) > 0);
    wait_until("nothing more to wait", || at.shop.counted(WAITING) == 0);
    at.shop.restart();
    assert_eq!(news(&at, &old), 1);
}

/// U4: with several servers, each looks into the outbox.
#[test]
fn g11_each_move_is_told_once_however_many_servers_there_are() {
    const MOVES: u64 = 12;
    let at = SmsShop::with_limits(&[("sends_per_ip_hour", "100")]);
    let moving: Vec<_> = (1..=12)
        .map(|n| {
            let new = us_phone(100 + n);
            let (jo, code) = about_to_move(&at, &us_phone(n), &new);
            (jo, code, new)
        })
        .collect();
    // All wait, and come due for all servers alike.
    at.sms.answer_with(500);
    for (jo, code, new) in &moving {
        move_to(&at, jo, new, code);
    }
    wait_until("an attempt for each", || at.shop.counted(FAILED) >= MOVES);
    at.sms.answer_with(204);
    wait_until("all to be told", || at.shop.counted(SENT) >= MOVES);
    wait_until("nothing more to wait", || at.shop.counted(WAITING) == 0);
    assert_eq!(at.shop.counted(SENT), MOVES);
    for (jo, _, _) in &moving {
        let told = at.sms.taken_texts(&jo.phone);
        let told = told.iter().filter(|text| text.contains("ends in")).count();
        assert_eq!(told, 1, "{}", jo.phone);
    }
}

/// The server dies after a code was counted and before it was sent.
#[test]
fn g11_who_got_no_code_because_of_a_crash_can_ask_again() {
    let mut at = SmsShop::with_limits(&[("resend_after", "2s")]);
    let phone = us_phone(1);
    let ask = || at.shop.post("/auth/send-code").json(&json!({ "phone": phone })).try_send();
    let held = at.sms.hold();
    std::thread::scope(|scope| {
        let asked = scope.spawn(ask);
        wait_until("the provider to be asked", || at.sms.is_holding());
        at.shop.signal("KILL");
        assert!(asked.join().expect("no panic").is_err(), "the server is dead");
    });
    drop(held);
    at.shop.kill();
    at.shop.start();
    wait_until("the cooldown to be over", || {
        let answer = at.send_code(&phone);
        if answer.status == 429 {
            assert!(retry_after(&answer) <= 2, "{answer}");
        }
        answer.status == 200
    });
    let code = at.sms.code(&phone);
    expect(200, &at.verify(&phone, &code));
}

/// A code that the provider did not take is not counted.
#[test]
fn g11_s5_what_was_not_sent_takes_nothing_from_the_budgets() {
    let at = SmsShop::with_limits(&[("sends_per_ip_hour", "4"), ("sends_per_market_hour", "6")]);
    at.sms.answer_with(500);
    for _ in 0..6 {
        problem(503, "sms_unavailable", &at.send_code(&us_phone(1)));
    }
    at.sms.answer_with(204);
    for n in 1..=4 {
        expect(200, &at.send_code(&us_phone(n)));
    }
    problem(429, "rate_limited", &at.send_code(&us_phone(5)));
}

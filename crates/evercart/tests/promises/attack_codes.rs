//! S4, S5: codes guessed in parallel, from many addresses and through every door; phones asked for
//! whether they have an account; messages pumped. The plain cases are in `codes`.

use serde_json::json;

use crate::codes::{SmsShop, wrong};
use crate::crowd::{at_once, count};
use crate::customer::{Customer, expect, kg_phone, problem, us_phone};
use crate::harness::{Answer, Shop};

fn set(name: &str, value: &str) -> (String, String) {
    (format!("EVERCART_{name}"), value.to_owned())
}

fn guess(n: usize) -> u32 {
    u32::try_from(n).expect("a small number")
}

#[test]
fn s4_guesses_from_sixty_four_addresses_share_five_comparisons() {
    let at = SmsShop::with_variables(&[set("SERVER__TRUSTED_PROXIES", "127.0.0.0/8")]);
    let phone = us_phone(1);
    let code = at.new_code(&phone);
    let answers = at_once(64, |index| {
        let body = json!({ "phone": phone, "verification_code": wrong(&code, guess(index)) });
        let request = at.shop.post("/auth/verify-code").json(&body);
        request.header("X-Forwarded-For", &format!("203.0.113.{index}")).send()
    });
    assert_eq!(count(&answers, |answer| answer.code() == "code_invalid"), 5);
    assert_eq!(count(&answers, |answer| answer.code() == "too_many_attempts"), 59);
    problem(429, "too_many_attempts", &at.verify(&phone, &code));
}

/// A thief with a token guesses at the code that erases the account, too.
#[test]
fn s4_guesses_through_all_doors_share_five_comparisons() {
    let at = SmsShop::with_limits(&[("resend_after", "1ms")]);
    let phone = us_phone(1);
    let jo = Customer::with_code(&at.shop, &phone, &at.new_code(&phone));
    let had = jo.everything(&at.shop);
    let code = at.new_code(&phone);
    let answers = at_once(64, |index| {
        let code = wrong(&code, guess(index));
        match index % 2 {
            0 => at.verify(&phone, &code),
            _ => {
                let body = json!({ "verification_code": code });
                jo.request(&at.shop, "DELETE", "/auth/account").json(&body).send()
            }
        }
    });
    assert_eq!(count(&answers, |answer| answer.code() == "code_invalid"), 5);
    assert_eq!(count(&answers, |answer| answer.code() == "too_many_attempts"), 59);
    let body = json!({ "verification_code": code });
    let right = jo.request(&at.shop, "DELETE", "/auth/account").json(&body).send();
    problem(429, "too_many_attempts", &right);
    assert_eq!(jo.everything(&at.shop), had);
}

#[test]
fn s4_the_right_code_among_parallel_guesses_lets_in_one_or_nobody() {
    let at = SmsShop::with_limits(&[("failures_per_ip_hour", "1000")]);
    for n in 1..=4 {
        let phone = us_phone(n);
        let code = at.new_code(&phone);
        let answers = at_once(32, |index| match index % 8 {
            0 => at.verify(&phone, &code),
            _ => at.verify(&phone, &wrong(&code, guess(index))),
        });
        let let_in = count(&answers, |answer| answer.status == 200);
        let compared = count(&answers, |answer| answer.code() == "code_invalid");
        match let_in {
            // Locked first: the right code came too late.
            0 => assert_eq!(compared, 5),
            // Once it is used there is nothing left to guess at.
            1 => assert!(compared <= 31),
            _ => panic!("{let_in} were let in with one code"),
        }
        let late = at.verify(&phone, &code);
        assert!(matches!(late.status, 400 | 429), "{late}");
    }
}

#[test]
fn s4_parallel_guesses_at_many_phones_share_their_addresses_budget() {
    let at = SmsShop::with_variables(&[
        set("AUTH__LIMITS__FAILURES_PER_IP_HOUR", "6"),
        set("AUTH__LIMITS__SENDS_PER_IP_HOUR", "100"),
        set("SERVER__TRUSTED_PROXIES", "127.0.0.0/8"),
    ]);
    let ask = |n: usize| {
        let request = at.shop.post("/auth/send-code").header("X-Forwarded-For", "198.51.100.1");
        expect(200, &request.json(&json!({ "phone": us_phone(guess(n)) })).send());
        at.sms.code(&us_phone(guess(n)))
    };
    let codes: Vec<_> = (0..32).map(ask).collect();
    let answers = at_once(32, |n| at.verify(&us_phone(guess(n)), &wrong(&codes[n], guess(n))));
    assert_eq!(count(&answers, |answer| answer.code() == "code_invalid"), 6);
    assert_eq!(count(&answers, |answer| answer.code() == "too_many_attempts"), 26);
}

/// Somebody else has used up what their address may get wrong; each gets in with the first try of
/// the code they asked for, and nobody by a second one.
#[test]
fn s4_behind_an_address_that_guessed_customers_get_in() {
    let at = SmsShop::with_limits(&[
        ("failures_per_ip_hour", "6"),
        ("failures_per_market_hour", "12"),
        ("sends_per_ip_hour", "100"),
    ]);
    let guesses = at_once(32, |n| at.verify(&us_phone(1000 + guess(n)), "000000"));
    assert_eq!(count(&guesses, |answer| answer.code() == "code_invalid"), 6);
    let codes: Vec<_> = (0..16).map(|n| at.new_code(&us_phone(n))).collect();
    let answers = at_once(16, |n| match n % 2 {
        0 => at.verify(&us_phone(guess(n)), &codes[n]),
        _ => at.verify(&us_phone(guess(n)), &wrong(&codes[n], 0)),
    });
    assert_eq!(count(&answers, |answer| answer.status == 200), 8);
    assert_eq!(count(&answers, |answer| answer.code() == "code_invalid"), 8);
    for n in (1..16).step_by(2) {
        problem(429, "too_many_attempts", &at.verify(&us_phone(guess(n)), &codes[n]));
        problem(429, "too_many_attempts", &at.verify(&us_phone(guess(n)), &wrong(&codes[n], 1)));
    }
}

/// Guesses from many addresses at many phones share what the market may get wrong. How many are
/// compared at one moment may come on top.
#[test]
fn s4_guesses_from_many_addresses_at_many_phones_share_the_markets_budget() {
    let at = SmsShop::with_variables(&[
        set("AUTH__LIMITS__FAILURES_PER_MARKET_HOUR", "4"),
        set("SERVER__TRUSTED_PROXIES", "127.0.0.0/8"),
    ]);
    let guess_from = |n: usize| {
        let body = json!({ "phone": us_phone(guess(n)), "verification_code": "000000" });
        let request = at.shop.post("/auth/verify-code").json(&body);
        request.header("X-Forwarded-For", &format!("203.0.113.{n}")).send()
    };
    let first: Vec<_> = (0..3).map(guess_from).collect();
    assert_eq!(count(&first, |answer| answer.code() == "code_invalid"), 3);
    let rest = at_once(32, |n| guess_from(10 + n));
    assert!(count(&rest, |answer| answer.code() == "code_invalid") >= 1);
    let late: Vec<_> = (50..60).map(guess_from).collect();
    assert_eq!(count(&late, |answer| answer.code() == "too_many_attempts"), 10);
    let body = json!({ "phone": us_phone(99) });
    let from_home = |path: &str| at.shop.post(path).header("X-Forwarded-For", "198.51.100.7");
    expect(200, &from_home("/auth/send-code").json(&body).send());
    let body = json!({ "phone": us_phone(99), "verification_code": at.sms.code(&us_phone(99)) });
    expect(200, &from_home("/auth/verify-code").json(&body).send());
}

/// All of an answer that is not the request's own: its id, the time, and for how long to wait.
fn told(answer: &Answer, phone: &str) -> (u16, Vec<(String, String)>, String) {
    let own = ["x-request-id", "date"];
    let is_wait = |name: &str| name == "retry-after";
    let told = answer.headers.iter().filter(|(name, _)| !own.contains(&&**name));
    let told = told.map(|(name, value)| match is_wait(name) {
        true => (name.clone(), String::new()),
        false => (name.clone(), value.clone()),
    });
    let id = answer.header("x-request-id").expect("an id");
    let body = answer.text().replace(phone, "PHONE").replace(id, "ID");
    let body = if answer.status == 429 {
        body.chars().filter(|c| !c.is_ascii_digit()).collect()
    } else {
        body
    };
    (answer.status, told.collect(), body)
}

/// Body, status and every header, in every state that signing in has.
#[test]
fn s4_no_answer_tells_an_account_from_none() {
    let at = SmsShop::with_variables(&[
        set("AUTH__TEST_PHONES", r#"{ "+996700000001" = ["111111"] }"#),
        set("AUTH__LIMITS__SENDS_PER_IP_HOUR", "1000"),
    ]);
    let (known, unknown) = (us_phone(1), us_phone(2));
    let jo = Customer::with_code(&at.shop, &known, &at.new_code(&known));
    let name = json!({ "full_name": "Jo", "email": "jo@example.com" });
    expect(200, &jo.request(&at.shop, "PUT", "/auth/profile").json(&name).send());
    let alike = |what: &str, ask: &dyn Fn(&str) -> Answer| {
        let [known, unknown] = [&known, &unknown].map(|phone| told(&ask(phone), phone));
        assert_eq!(known, unknown, "{what}");
        known.0
    };
    assert_eq!(alike("no code was sent", &|phone| at.verify(phone, "000000")), 400);
    assert_eq!(alike("no code at all", &|phone| at.verify(phone, "x")), 422);
    assert_eq!(alike("a code is sent", &|phone| at.send_code(phone)), 200);
    assert_eq!(alike("again too soon", &|phone| at.send_code(phone)), 429);
    let guess = |phone: &str| at.verify(phone, &wrong(&at.sms.code(phone), 0));
    for _ in 0..5 {
        assert_eq!(alike("a wrong code", &guess), 400);
    }
    assert_eq!(alike("too many of them", &guess), 429);
    assert_eq!(alike("the right one then", &|phone| at.verify(phone, &at.sms.code(phone))), 429);
    assert_eq!(alike("a new one then", &|phone| at.send_code(phone)), 429);
}

/// Neither does the language that a customer has chosen, nor that they were blocked.
#[test]
fn s4_no_choice_of_a_customers_is_told_to_who_only_has_their_phone() {
    let at = SmsShop::with_limits(&[]);
    let (known, unknown) = (kg_phone(1), kg_phone(2));
    let jo = Customer::with_code(&at.shop, &known, &at.new_code(&known));
    let russian = json!({ "language": "ru" });
    expect(200, &jo.request(&at.shop, "PUT", "/auth/profile").json(&russian).send());
    at.shop.run_ok(&["user", "block", &known, "--market", "kg"]);
    let sent = [&known, &unknown].map(|phone| told(&at.send_code(phone), phone));
    assert_eq!(sent[0], sent[1]);
    let guess = |phone: &String| at.verify(phone, &wrong(&at.sms.code(phone), 0));
    let wrong = [&known, &unknown].map(|phone| told(&guess(phone), phone));
    assert_eq!(wrong[0], wrong[1]);
    problem(401, "user_blocked", &at.verify(&known, &at.sms.code(&known)));
}

/// A budget of five, 32 who want something of it at once, and a power cut.
#[test]
fn s5_parallel_requests_do_not_overdraw_the_budget_of_an_address_country_or_market() {
    for limit in ["sends_per_ip_hour", "sends_per_prefix_hour", "sends_per_market_hour"] {
        // A quarter of what many share is kept for customers.
        let most = if limit == "sends_per_ip_hour" { 5 } else { 4 };
        let mut limits = vec![("sends_per_ip_hour", "1000"), (limit, "5")];
        limits.retain(|(name, value)| *name != limit || *value == "5");
        let mut at = SmsShop::with_limits(&limits);
        let answers = at_once(32, |n| at.send_code(&us_phone(guess(n))));
        assert_eq!(count(&answers, |answer| answer.status == 200), most, "{limit}");
        let refused = count(&answers, |answer| answer.code() == "rate_limited");
        assert_eq!(refused, 32 - most, "{limit}");
        at.shop.kill();
        at.shop.start();
        problem(429, "rate_limited", &at.send_code(&us_phone(40)));
        assert_eq!(at.sms.messages().len(), most, "{limit}");
    }
}

#[test]
fn s5_however_a_phone_is_written_and_through_whichever_door_it_has_one_budget() {
    let at = SmsShop::with_variables(&[
        set("AUTH__TEST_PHONES", r#"{ "+13128050002" = ["111111"] }"#),
        set("AUTH__LIMITS__RESEND_AFTER", "1ms"),
        set("AUTH__LIMITS__SENDS_PER_IP_HOUR", "1000"),
    ]);
    let thief = Customer::with_code(&at.shop, &us_phone(2), "111111");
    let writings = [
        "+13128050001",
        "+1 312 805 0001",
        "+1 (312) 805-0001",
        "+1.312.805.0001",
        " +1-312-805-0001 ",
        "3128050001",
        "(312) 805 0001",
        "1 312 805 0001",
    ];
    let ask = |index: usize| {
        let phone = writings[index % writings.len()];
        match index % 3 {
            0 => thief.post(&at.shop, "/auth/phone", &json!({ "new_phone": phone })),
            1 => {
                let request = at.shop.post("/auth/send-verification").market("us");
                request.json(&json!({ "phone_number": phone })).send()
            }
            _ => {
                let request = at.shop.post("/api/v1/auth/send-code").market("us");
                request.json(&json!({ "phone": phone })).send()
            }
        }
    };
    let mut answers = at_once(48, ask);
    answers.extend((0..24).map(ask));
    let sent = count(&answers, |answer| answer.status == 200);
    assert_eq!(count(&answers, |answer| answer.code() == "rate_limited"), 72 - sent);
    assert_eq!((sent, at.sms.texts(&us_phone(1)).len()), (3, 3));
}

#[test]
fn s5_a_signed_in_thief_pumps_no_more_messages_than_anybody() {
    let at = SmsShop::with_variables(&[
        set("AUTH__TEST_PHONES", r#"{ "+13128050001" = ["111111"] }"#),
        set("AUTH__LIMITS__SENDS_PER_IP_HOUR", "3"),
    ]);
    let thief = Customer::with_code(&at.shop, &us_phone(1), "111111");
    let answers = at_once(24, |n| {
        let phone = us_phone(100 + guess(n));
        thief.post(&at.shop, "/auth/phone", &json!({ "new_phone": phone }))
    });
    assert_eq!(count(&answers, |answer| answer.status == 200), 3);
    assert_eq!(count(&answers, |answer| answer.code() == "rate_limited"), 21);
    problem(429, "rate_limited", &at.send_code(&us_phone(200)));
    assert_eq!(at.sms.messages().len(), 3);
}

/// The same of a demo, which has no limits to sending: attempts it has.
#[test]
fn s4_a_demo_compares_five_codes_too() {
    let shop = Shop::demo();
    let phone = us_phone(1);
    let sent = expect(200, &shop.post("/auth/send-code").json(&json!({ "phone": phone })).send());
    let code = sent["demo_code"].as_str().expect("a code");
    let answers = at_once(32, |n| shop.verify(&phone, &wrong(code, guess(n))));
    assert_eq!(count(&answers, |answer| answer.code() == "code_invalid"), 5);
    problem(429, "too_many_attempts", &shop.verify(&phone, code));
}

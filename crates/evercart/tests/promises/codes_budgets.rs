//! S5: messages cost money, so how many are sent is bounded: per phone, per address, per country
//! and per market, across restarts.

use serde_json::json;

use crate::codes::{SmsShop, wrong};
use crate::crowd::{at_once, count};
use crate::customer::{Customer, expect, kg_phone, problem, retry_after, us_phone};

#[test]
fn s5_a_second_code_has_to_wait_for_a_minute() {
    let mut at = SmsShop::with_limits(&[]);
    let phone = us_phone(1);
    expect(200, &at.send_code(&phone));
    for restarted in [false, true] {
        let refused = at.send_code(&phone);
        problem(429, "rate_limited", &refused);
        assert!((30..=60).contains(&retry_after(&refused)), "{refused}");
        if !restarted {
            at.shop.kill();
            at.shop.start();
        }
    }
    assert_eq!(at.sms.messages().len(), 1);
    let code = at.sms.code(&phone);
    expect(200, &at.verify(&phone, &code));
    expect(200, &at.send_code(&phone));
}

#[test]
fn s5_a_phone_gets_three_codes_in_a_quarter_of_an_hour() {
    let mut at = SmsShop::with_limits(&[("resend_after", "1ms")]);
    let phone = us_phone(1);
    for _ in 0..2 {
        expect(200, &at.send_code(&phone));
    }
    at.shop.kill();
    at.shop.start();
    let code = at.new_code(&phone);
    for _ in 0..2 {
        let refused = at.send_code(&phone);
        problem(429, "rate_limited", &refused);
        assert!((600..=900).contains(&retry_after(&refused)), "{refused}");
        at.shop.restart();
    }
    assert_eq!(at.sms.messages().len(), 3);
    expect(200, &at.verify(&phone, &code));
    problem(429, "rate_limited", &at.send_code(&phone));
    expect(200, &at.send_code(&us_phone(2)));
}

#[test]
fn s5_sixty_four_parallel_requests_send_one_code() {
    let at = SmsShop::with_limits(&[("sends_per_ip_hour", "1000")]);
    let phone = us_phone(1);
    let answers = at_once(64, |_| at.send_code(&phone));
    assert_eq!(count(&answers, |answer| answer.status == 200), 1);
    assert_eq!(count(&answers, |answer| answer.code() == "rate_limited"), 63);
    assert_eq!(at.sms.messages().len(), 1);
}

#[test]
fn s5_an_address_cannot_pump_messages_whatever_it_says_its_address_is() {
    let at = SmsShop::with_limits(&[("sends_per_ip_hour", "3")]);
    let send = |n: u32| {
        let request = at.shop.post("/auth/send-code");
        let request = request.header("X-Forwarded-For", &format!("203.0.113.{n}"));
        request.json(&json!({ "phone": us_phone(n) })).send()
    };
    for n in 1..=3 {
        expect(200, &send(n));
    }
    for n in 4..=6 {
        problem(429, "rate_limited", &send(n));
    }
    assert_eq!(at.sms.messages().len(), 3);
}

#[test]
fn s5_behind_a_trusted_proxy_each_client_has_its_own_budget() {
    let at = SmsShop::with_variables(&[
        ("EVERCART_AUTH__LIMITS__SENDS_PER_IP_HOUR".to_owned(), "1".to_owned()),
        ("EVERCART_SERVER__TRUSTED_PROXIES".to_owned(), "127.0.0.0/8".to_owned()),
    ]);
    let send = |phone: u32, forwarded: &str| {
        let request = at.shop.post("/auth/send-code").header("X-Forwarded-For", forwarded);
        request.json(&json!({ "phone": us_phone(phone) })).send()
    };
    expect(200, &send(1, "203.0.113.1"));
    expect(200, &send(2, "203.0.113.2"));
    problem(429, "rate_limited", &send(3, "203.0.113.1"));
    problem(429, "rate_limited", &send(4, "198.51.100.9, 203.0.113.1"));
}

#[test]
fn s5_a_country_and_a_market_have_budgets_of_their_own() {
    for limit in ["sends_per_market_hour", "sends_per_prefix_hour"] {
        let at = SmsShop::with_limits(&[(limit, "2")]);
        for n in 1..=2 {
            expect(200, &at.send_code(&us_phone(n)));
        }
        problem(429, "rate_limited", &at.send_code(&us_phone(3)));
        expect(200, &at.send_code(&kg_phone(1)));
        for (series, count) in [
            ("evercart_codes_sent_total{market=\"us\"}", 2),
            ("evercart_codes_sent_total{market=\"kg\"}", 1),
            ("evercart_codes_refused_total{market=\"us\",reason=\"rate_limited\"}", 1),
        ] {
            assert_eq!(at.shop.counted(series), count, "{series}\n{}", at.shop.metrics());
        }
    }
}

#[test]
fn s4_an_address_cannot_guess_at_many_phones() {
    let at = SmsShop::with_limits(&[("failures_per_ip_hour", "6"), ("sends_per_ip_hour", "100")]);
    for n in 1..=6 {
        let code = at.new_code(&us_phone(n));
        problem(400, "code_invalid", &at.verify(&us_phone(n), &wrong(&code, n)));
    }
    // Only the first try of a code that was asked for from there is still compared.
    let code = at.new_code(&us_phone(7));
    problem(400, "code_invalid", &at.verify(&us_phone(7), &wrong(&code, 1)));
    let refused = at.verify(&us_phone(7), &code);
    problem(429, "too_many_attempts", &refused);
    assert!((1..=3600).contains(&retry_after(&refused)), "{refused}");
}

#[test]
fn s5_strangers_leave_a_quarter_of_a_market_to_customers() {
    let mut at = SmsShop::with_limits(&[
        ("sends_per_market_hour", "4"),
        ("resend_after", "1ms"),
        ("sends_per_phone", "100"),
    ]);
    let phone = us_phone(1);
    let jo = Customer::with_code(&at.shop, &phone, &at.new_code(&phone));
    expect(200, &jo.request(&at.shop, "POST", "/auth/logout").send());
    for n in 2..=3 {
        expect(200, &at.send_code(&us_phone(n)));
    }
    let warning = "half of the market's hour of codes is used";
    assert_eq!(at.shop.stderr().matches(warning).count(), 1, "{}", at.shop.stderr());
    at.shop.restart();
    problem(429, "rate_limited", &at.send_code(&us_phone(4)));
    problem(429, "rate_limited", &at.send_code(&phone));
    let with_token = |phone: &str| jo.post(&at.shop, "/auth/send-code", &json!({"phone": phone}));
    problem(429, "rate_limited", &with_token(&us_phone(4)));
    expect(200, &with_token(&phone));
    expect(200, &at.verify(&phone, &at.sms.code(&phone)));
    problem(429, "rate_limited", &with_token(&phone));
}

/// S9: with a stolen token and a reviewer's phone nothing moves and nothing ends.
#[test]
fn s9_fixed_codes_sign_in_and_do_nothing_else() {
    let at = SmsShop::with_variables(&[(
        "EVERCART_AUTH__TEST_PHONES".to_owned(),
        r#"{ "+13128050001" = { codes = ["111111"], until = "9999-12-31" },
             "+13128050002" = ["111111"],
             "+13128050003" = { codes = ["111111"], until = "2020-01-31" } }"#
            .replace('\n', " "),
    )]);
    let reviewer = Customer::with_code(&at.shop, &us_phone(1), "111111");
    let stolen = Customer::with_code(&at.shop, &us_phone(4), &at.new_code(&us_phone(4)));
    let owned = stolen.everything(&at.shop);
    let code = "111111";
    expect(200, &stolen.post(&at.shop, "/auth/phone", &json!({ "new_phone": us_phone(2) })));
    let body = json!({ "new_phone": us_phone(2), "verification_code": code });
    problem(400, "code_invalid", &stolen.post(&at.shop, "/auth/phone/confirm", &body));
    assert_eq!(stolen.everything(&at.shop), owned);
    let body = json!({ "verification_code": code });
    let erase = reviewer.request(&at.shop, "DELETE", "/auth/account").json(&body).send();
    problem(400, "code_invalid", &erase);
    reviewer.everything(&at.shop);
    // Its last day is over: an ordinary phone.
    problem(400, "code_invalid", &at.verify(&us_phone(3), code));
    at.new_code(&us_phone(3));
    assert_eq!(at.sms.texts(&us_phone(1)).len() + at.sms.texts(&us_phone(2)).len(), 0);
    let log = at.shop.stderr();
    for (words, phone) in [
        ("a test phone signs in with a fixed code", "+1312•••0001"),
        ("a test phone signs in with a fixed code for ever", "+1312•••0002"),
        ("the last day of a test phone is over", "+1312•••0003"),
    ] {
        let said = log.lines().any(|line| line.contains(words) && line.contains(phone));
        assert!(said, "{words}: {log}");
    }
    assert!(!log.contains(code) && !log.contains(&us_phone(2)), "{log}");
}

#[test]
fn a_message_that_could_not_be_sent_is_said_so_and_may_be_asked_for_again_at_once() {
    let at = SmsShop::with_limits(&[]);
    at.sms.answer_with(500);
    let refused = at.send_code(&us_phone(1));
    problem(503, "sms_unavailable", &refused);
    let unsent = at.sms.code(&us_phone(1));
    problem(400, "code_invalid", &at.verify(&us_phone(1), &unsent));
    at.sms.answer_with(204);
    let code = at.new_code(&us_phone(1));
    expect(200, &at.verify(&us_phone(1), &code));
}

#[test]
fn s4_fixed_codes_of_test_phones_have_attempts_too() {
    let mut at = SmsShop::with_variables(&[(
        "EVERCART_AUTH__TEST_PHONES".to_owned(),
        "{ \"+13128050001\" = [\"111111\"] }".to_owned(),
    )]);
    let phone = us_phone(1);
    expect(200, &at.verify(&phone, "111111"));
    expect(200, &at.send_code(&phone));
    assert!(at.sms.messages().is_empty(), "nothing is sent to a test phone");
    for n in 0..5 {
        problem(400, "code_invalid", &at.verify(&phone, &wrong("111111", n)));
    }
    problem(429, "too_many_attempts", &at.verify(&phone, "111111"));
    at.shop.restart();
    problem(429, "too_many_attempts", &at.verify(&phone, "111111"));
    problem(400, "code_invalid", &at.verify(&us_phone(2), "111111"));
}

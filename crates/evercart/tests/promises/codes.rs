//! S4: sign-in codes cannot be guessed, replayed, raced, moved or used to find out who has an
//! account. On a shop that is no demo, with a provider that the test can read.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::crowd::{at_once, count};
use crate::customer::{expect, kg_phone, problem, retry_after, us_phone};
use crate::harness::{Answer, Shop, wait_until};
use crate::sms_receiver::{SECRET, SmsReceiver};

/// A shop that sends real messages to a receiver of ours.
pub struct SmsShop {
    pub shop: Shop,
    pub sms: SmsReceiver,
}

impl SmsShop {
    /// With these settings of `[auth.limits]` beside the defaults.
    pub fn with_limits(limits: &[(&str, &str)]) -> Self {
        let mut variables = Vec::new();
        for (name, value) in limits {
            let name = format!("EVERCART_AUTH__LIMITS__{}", name.to_uppercase());
            variables.push((name, (*value).to_owned()));
        }
        Self::with_variables(&variables)
    }

    pub fn with_variables(variables: &[(String, String)]) -> Self {
        let sms = SmsReceiver::start();
        let mut shop = Shop::prepared();
        for (name, value) in sms.variables().iter().chain(variables) {
            shop = shop.variable(name, value);
        }
        shop.start();
        Self { shop, sms }
    }

    pub fn send_code(&self, phone: &str) -> Answer {
        self.shop.post("/auth/send-code").json(&json!({ "phone": phone })).send()
    }

    /// Sends a code and returns it as the customer reads it.
    pub fn new_code(&self, phone: &str) -> String {
        expect(200, &self.send_code(phone));
        self.sms.code(phone)
    }

    pub fn verify(&self, phone: &str, code: &str) -> Answer {
        self.shop.verify(phone, code)
    }
}

/// A code that is not this one; another for each `n`.
pub fn wrong(code: &str, n: u32) -> String {
    let code: u32 = code.parse().expect("six digits");
    format!("{:06}", (code + 1 + n) % 1_000_000)
}

#[test]
fn s4_sixty_four_parallel_guesses_share_five_comparisons_and_kill_the_code() {
    let at = SmsShop::with_limits(&[]);
    let phone = us_phone(1);
    let code = at.new_code(&phone);
    let guesses = at_once(64, |index| {
        at.verify(&phone, &wrong(&code, u32::try_from(index).expect("64 at most")))
    });
    assert_eq!(count(&guesses, |answer| answer.code() == "code_invalid"), 5);
    assert_eq!(count(&guesses, |answer| answer.code() == "too_many_attempts"), 59);
    let refused = at.verify(&phone, &code);
    problem(429, "too_many_attempts", &refused);
    assert!((1..=900).contains(&retry_after(&refused)), "{refused}");
    problem(429, "too_many_attempts", &at.send_code(&phone));
}

#[test]
fn s4_the_fifth_attempt_may_still_be_right() {
    let at = SmsShop::with_limits(&[]);
    let phone = us_phone(1);
    let code = at.new_code(&phone);
    for n in 0..4 {
        let answer = at.verify(&phone, &wrong(&code, n));
        assert_eq!(problem(400, "code_invalid", &answer)["errors"], Value::Null);
    }
    expect(200, &at.verify(&phone, &code));
}

#[test]
fn s4_a_new_code_ends_the_old_one() {
    let at = SmsShop::with_limits(&[("resend_after", "1ms")]);
    let phone = us_phone(1);
    let old = at.new_code(&phone);
    let mut new = at.new_code(&phone);
    if new == old {
        // Once in a million runs.
        new = at.new_code(&phone);
    }
    problem(400, "code_invalid", &at.verify(&phone, &old));
    expect(200, &at.verify(&phone, &new));
}

#[test]
fn s4_a_resend_does_not_give_new_attempts() {
    let at = SmsShop::with_limits(&[("resend_after", "1ms"), ("sends_per_phone", "100")]);
    let phone = us_phone(1);
    let mut code = at.new_code(&phone);
    for n in 0..5 {
        problem(400, "code_invalid", &at.verify(&phone, &wrong(&code, n)));
        if n < 4 {
            code = at.new_code(&phone);
        }
    }
    problem(429, "too_many_attempts", &at.verify(&phone, &code));
}

#[test]
fn s4_a_lock_survives_a_power_cut() {
    let mut at = SmsShop::with_limits(&[]);
    let phone = us_phone(1);
    let code = at.new_code(&phone);
    for n in 0..3 {
        problem(400, "code_invalid", &at.verify(&phone, &wrong(&code, n)));
    }
    at.shop.kill();
    at.shop.start();
    for n in 3..5 {
        problem(400, "code_invalid", &at.verify(&phone, &wrong(&code, n)));
    }
    problem(429, "too_many_attempts", &at.verify(&phone, &code));
    at.shop.kill();
    at.shop.start();
    problem(429, "too_many_attempts", &at.verify(&phone, &code));
}

#[test]
fn s4_a_code_is_good_once_for_thirty_two_who_have_it() {
    let at = SmsShop::with_limits(&[]);
    for n in 1..=3 {
        let phone = us_phone(n);
        let code = at.new_code(&phone);
        let answers = at_once(32, |_| at.verify(&phone, &code));
        assert_eq!(count(&answers, |answer| answer.status == 200), 1);
        for refused in answers.iter().filter(|answer| answer.status != 200) {
            problem(400, "code_invalid", refused);
        }
    }
}

#[test]
fn s4_a_code_expires() {
    let at = SmsShop::with_limits(&[("code_lifetime", "1s"), ("sends_per_phone", "1000")]);
    let (phone, clock) = (us_phone(1), us_phone(2));
    let code = at.new_code(&phone);
    expect(200, &at.send_code(&clock));
    // While a code is outstanding there is no second one: the second phone tells when the later of
    // the two codes is over.
    wait_until("the codes to expire", || at.send_code(&clock).status == 200);
    problem(400, "code_invalid", &at.verify(&phone, &code));
}

#[test]
fn s4_a_code_is_bound_to_its_market_and_phone() {
    let market =
        |name: &str, value: &str| (format!("EVERCART_MARKETS__CA__{name}"), value.to_owned());
    let at = SmsShop::with_variables(&[
        market("COUNTRY", "Canada"),
        market("REGION", "CA"),
        market("CURRENCY", "CAD"),
        market("PHONE_PREFIX", "+1"),
        market("REGIONS", "CA,US"),
    ]);
    let phone = us_phone(1);
    let code = at.new_code(&phone);
    let body = json!({ "phone": phone, "verification_code": code });
    let in_market = |market| at.shop.post("/auth/verify-code").market(market).json(&body).send();
    problem(400, "code_invalid", &in_market("ca"));
    problem(422, "validation_failed", &in_market("kg"));
    problem(400, "code_invalid", &at.verify(&us_phone(2), &code));
    expect(200, &in_market("us"));
}

/// What of an answer does not differ from request to request.
fn told(answer: &Answer, phone: &str) -> (u16, Vec<String>, String) {
    let body = answer.text().replace(phone, "PHONE");
    let id = answer.header("x-request-id").unwrap_or_default();
    let names = answer.headers.iter().map(|(name, _)| name.clone()).collect();
    (answer.status, names, body.replace(id, "ID"))
}

#[test]
fn s4_the_answers_do_not_tell_whether_a_phone_has_an_account() {
    let at = SmsShop::with_limits(&[("resend_after", "1ms")]);
    let (known, unknown) = (us_phone(1), us_phone(2));
    let code = at.new_code(&known);
    expect(200, &at.verify(&known, &code));
    let without_code = [&known, &unknown].map(|phone| told(&at.verify(phone, "000000"), phone));
    assert_eq!(without_code[0], without_code[1]);
    let sent = [&known, &unknown].map(|phone| told(&at.send_code(phone), phone));
    assert_eq!(sent[0], sent[1]);
    let wrong = [&known, &unknown].map(|phone| {
        let code = wrong(&at.sms.code(phone), 0);
        told(&at.verify(phone, &code), phone)
    });
    assert_eq!(wrong[0], wrong[1]);
    assert_eq!(wrong[0].2, without_code[0].2, "wrong or never sent: one answer");
}

#[test]
fn what_is_no_phone_of_the_shop_is_refused() {
    let at = SmsShop::with_limits(&[]);
    let bad = [
        json!("+442079460018"),
        json!("+79161234567"),
        json!("+1312805985"),
        json!("+1 312 805 98511111"),
        json!(""),
        json!(" "),
        json!("+"),
        json!("12"),
        json!("nobody"),
        json!("+1312805abcd"),
        json!("'; DROP TABLE users; --"),
        json!("\u{0}"),
        json!("+1312805\u{0}0001"),
        json!("+1312805000²"),
        json!("+18765550123"),
        json!("+14165550123"),
        json!("+19002345678"),
        json!("+18002345678"),
        json!(null),
        json!(true),
        json!([]),
        json!({}),
        json!(13_128_050_001_i64),
        json!("1".repeat(5000)),
        json!("+0000000000"),
    ];
    for phone in &bad {
        for path in ["/auth/send-code", "/auth/send-verification", "/auth/verify-code"] {
            let body = json!({ "phone": phone, "verification_code": "123456" });
            let answer = at.shop.post(path).market("us").json(&body).send();
            let body = problem(422, "validation_failed", &answer);
            assert_eq!(body["errors"][0]["field"], "phone", "{body}");
        }
    }
    assert!(at.sms.messages().is_empty());
    for body in [json!({}), json!({ "phone": us_phone(1) }), json!({ "verification_code": "1" })] {
        let answer = at.shop.post("/auth/verify-code").json(&body).send();
        problem(422, "validation_failed", &answer);
    }
    for code in ["12345", "1234567", "abcdef", "12345x", "-12345", "12 345"] {
        let body = problem(422, "validation_failed", &at.verify(&us_phone(1), code));
        assert_eq!(body["errors"][0]["field"], "verification_code", "{body}");
    }
}

#[test]
fn a_phone_may_be_written_as_people_write_it() {
    let at = SmsShop::with_limits(&[("resend_after", "1ms"), ("sends_per_phone", "100")]);
    let writings = ["+1 (312) 805-0001", "+1-312-805-0001", " +13128050001 ", "+1.312.805.0001"];
    for writing in writings {
        let answer = expect(200, &at.send_code(writing));
        assert_eq!(answer["phone_number"], us_phone(1), "{writing}");
    }
    let local = at.shop.post("/auth/send-code").market("us").json(&json!({
        "phone_number": "(312) 805-0001"
    }));
    assert_eq!(expect(200, &local.send())["phone_number"], us_phone(1));
    let code = at.sms.code(&us_phone(1));
    let body = json!({ "phone_number": "+1 312 805 0001", "code": code });
    let answer = at.shop.post("/auth/verify-code").json(&body).send();
    assert_eq!(expect(200, &answer)["user"]["phone"], us_phone(1), "the other field names, too");
}

#[test]
fn a_message_is_signed_as_standard_webhooks_asks_for_and_in_the_customers_language() {
    let at = SmsShop::with_limits(&[]);
    let answer = expect(200, &at.send_code(&us_phone(1)));
    assert_eq!(answer["expires_in_minutes"], 10, "{answer}");
    assert_eq!(answer["resend_after_seconds"], 60, "{answer}");
    assert_eq!(answer["demo_code"], Value::Null, "only a demo tells its codes");
    let message = at.sms.messages().pop().expect("a message");
    let (id, time) = (message.header("webhook-id"), message.header("webhook-timestamp"));
    let key = STANDARD.decode(SECRET.trim_start_matches("whsec_")).expect("base64");
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("any length");
    mac.update(format!("{id}.{time}.").as_bytes());
    mac.update(&message.body);
    let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    assert_eq!(message.header("webhook-signature"), expected);
    #[expect(clippy::disallowed_methods, reason = "compared with another process's clock")]
    let now = std::time::SystemTime::now();
    let now = now.duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs();
    let sent_at: u64 = time.parse().expect("seconds");
    assert!(now.abs_diff(sent_at) < 300, "{sent_at} is not now");
    let body = message.json();
    assert_eq!((&body["market"], &body["to"]), (&json!("us"), &json!(us_phone(1))), "{body}");

    let request = at.shop.post("/auth/send-code").header("Accept-Language", "ru-RU,ru;q=0.9");
    let answer = expect(200, &request.json(&json!({ "phone": kg_phone(1) })).send());
    assert_eq!((&answer["language"], &answer["market"]), (&json!("ru"), &json!("kg")));
    let text = at.sms.texts(&kg_phone(1)).pop().expect("a message");
    assert!(text.contains("код"), "{text}");
}

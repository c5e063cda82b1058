//! `/auth`

use std::sync::atomic::Ordering::SeqCst;

use evercart_core::market::Shipping;
use evercart_core::money::Money;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::shop::{ANN, BOB, CEM, DEE, TestShop, limits};

async fn send_code(shop: &TestShop, phone: &str) -> crate::shop::Answered {
    shop.post("/auth/send-code").json(&json!({"phone": phone})).send().await
}

async fn verify(shop: &TestShop, phone: &str, code: &str) -> crate::shop::Answered {
    let body = json!({"phone": phone, "verification_code": code});
    shop.post("/auth/verify-code").json(&body).send().await
}

/// A code that is not this one.
fn another(code: &str) -> String {
    format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000)
}

/// Not only in: a token that lets in is one that can be ended.
#[tokio::test]
async fn a_token_may_be_called_so() {
    let shop = TestShop::open().await;
    let ann = shop.sign_in(ANN).await;
    for asked in [shop.get("/cart"), shop.post("/auth/logout")] {
        let named = asked.header("authorization", &format!("Token {ann}"));
        assert_eq!(named.send().await.status, 200);
    }
    shop.get("/cart").token(&ann).send().await.is(401, "signed_out");
}

#[tokio::test]
async fn a_code_is_sent_and_signs_in_once() {
    let shop = TestShop::open().await;
    let sent = send_code(&shop, " +1 (312) 805-9854 ").await;
    assert_eq!(
        (sent.status.as_u16(), &sent.body),
        (
            200,
            &json!({
                "success": true, "message": "We sent you a code. Type it in to sign in.",
                "phone_number": DEE, "market": "us", "language": "en",
                "expires_in_minutes": 10, "resend_after_seconds": 60,
            })
        )
    );
    assert_eq!(sent.header("cache-control"), "no-store");
    let message = shop.sms.sent.lock().unwrap().last().cloned().unwrap();
    let code = shop.sms.last_code();
    assert_eq!(
        (message.to.as_str(), message.market.as_str(), message.kind),
        (DEE, "us", "sign_in_code")
    );
    assert_eq!(
        message.text,
        format!("{code} is your sign-in code. It is good for 10 minutes. Share it with nobody.")
    );
    let first = verify(&shop, DEE, &code).await;
    assert_eq!(first.status, 200, "{}", first.text);
    let id = first.body["user"]["id"].clone();
    assert!(id.is_i64());
    let mut body = first.body.clone();
    assert_eq!(body["access_token"].take().as_str().unwrap().split('.').count(), 3);
    assert_eq!(
        body,
        json!({
            "success": true, "message": "Welcome!", "access_token": null, "token_type": "bearer",
            "expires_in": 1800,
            "user": {
                "id": id, "phone": DEE, "name": "", "full_name": null, "email": null,
                "is_active": true, "is_verified": true, "market": "us",
            },
            "market": "us", "is_new_user": true,
        })
    );
    verify(&shop, DEE, &code).await.is(400, "code_invalid");
    shop.clock.advance(SignedDuration::from_secs(61));
    send_code(&shop, DEE).await;
    let again = verify(&shop, DEE, &shop.sms.last_code()).await;
    assert_eq!((&again.body["user"]["id"], &again.body["is_new_user"]), (&id, &json!(false)));
}

#[tokio::test]
async fn both_spellings_of_paths_and_fields_work() {
    let shop = TestShop::open().await;
    let body = json!({"phone_number": "312-805-9854"});
    let sent = shop.post("/api/v1/auth/send-verification").json(&body).send().await;
    assert_eq!((sent.status.as_u16(), &sent.body["phone_number"]), (200, &json!(DEE)));
    let body = json!({"phone_number": DEE, "code": shop.sms.last_code()});
    assert_eq!(shop.post("/api/v1/auth/verify-code").json(&body).send().await.status, 200);
}

#[tokio::test]
async fn the_market_is_the_headers_else_the_prefix_else_the_default() {
    let shop = TestShop::open().await;
    let market = |answer: crate::shop::Answered| answer.body["market"].clone();
    assert_eq!(market(send_code(&shop, "+996700123457").await), "kg");
    let in_kg = |phone: &str| {
        shop.post("/auth/send-code").header("x-market", "KG").json(&json!({"phone": phone}))
    };
    assert_eq!(market(in_kg("0700 123 458").send().await), "kg");
    assert_eq!(market(send_code(&shop, "312 805 9854").await), "us");
    let other = in_kg(DEE).send().await;
    other.is(422, "validation_failed");
    assert_eq!(other.fields(), ["phone"]);
    assert!(other.text.contains("starts with +996"), "{}", other.text);
    let nowhere = send_code(&shop, "+4930901820").await;
    nowhere.is(422, "validation_failed");
    assert_eq!(nowhere.fields(), ["phone"]);
    let unknown =
        shop.post("/auth/send-code").header("x-market", "fr").json(&json!({"phone": DEE}));
    unknown.send().await.is(400, "market_unknown");
    let ann = shop.sign_in(ANN).await;
    let mismatch = in_kg(DEE).token(&ann).send().await;
    mismatch.is(400, "market_mismatch");
    let no_default = TestShop::with(|shop| shop.default_market = None).await;
    let prefixless = send_code(&no_default, "312 805 9854").await;
    prefixless.is(400, "market_required");
    assert!(prefixless.text.contains("Write the phone with +"), "{}", prefixless.text);
    verify(&no_default, "312 805 9854", "123456").await.is(400, "market_required");
    assert_eq!(market(send_code(&no_default, DEE).await), "us");
}

#[tokio::test]
async fn the_message_speaks_a_language_of_the_market() {
    let shop = TestShop::open().await;
    let phone = "+996700123457";
    for (wanted, language, words) in [
        ("", "ky", "кирүү кодуңуз"),
        ("ru-RU,ru;q=0.9", "ru", "ваш код для входа"),
        ("en,ru;q=0.5,ky;q=0.1", "ru", "ваш код для входа"),
        ("ru; q=0.9", "ru", "ваш код для входа"),
        ("ky; q=0.1, ru ; q=0.9", "ru", "ваш код для входа"),
        ("de", "ky", "кирүү кодуңуз"),
    ] {
        shop.clock.advance(SignedDuration::from_mins(20));
        let body = json!({"phone": phone});
        let ask = shop.post("/auth/send-code").header("accept-language", wanted).json(&body);
        assert_eq!(ask.send().await.body["language"], language, "{wanted}");
        assert!(shop.sms.last().contains(words), "{}", shop.sms.last());
    }
}

/// S4
#[tokio::test]
async fn the_answer_does_not_tell_whether_a_phone_has_an_account() {
    let shop = TestShop::open().await;
    let new = send_code(&shop, DEE).await;
    assert_eq!(verify(&shop, DEE, &shop.sms.last_code()).await.status, 200);
    shop.clock.advance(SignedDuration::from_secs(61));
    let known = send_code(&shop, DEE).await;
    assert_eq!((new.status, new.text), (known.status, known.text));
    let wrong = |answer: crate::shop::Answered| {
        (answer.status, answer.code().to_owned(), answer.body["detail"].clone())
    };
    let known = wrong(verify(&shop, DEE, &another(&shop.sms.last_code())).await);
    let unknown = wrong(verify(&shop, "+13128059855", "000000").await);
    assert_eq!(known, unknown);
}

/// S4
#[tokio::test]
async fn five_wrong_codes_make_a_phone_wait() {
    let shop = TestShop::open().await;
    send_code(&shop, DEE).await;
    let code = shop.sms.last_code();
    for _ in 0..5 {
        verify(&shop, DEE, &another(&code)).await.is(400, "code_invalid");
    }
    let locked = verify(&shop, DEE, &code).await;
    locked.is(429, "too_many_attempts");
    assert_eq!(locked.header("retry-after"), "900");
    send_code(&shop, DEE).await.is(429, "too_many_attempts");
    // What is no code at all costs no attempt.
    for text in ["", "\u{200e}", "12345", "abcdef", "12345x", "1234567890"] {
        let answer = verify(&shop, ANN, text).await;
        answer.is(422, "validation_failed");
        assert_eq!(answer.fields(), ["verification_code"]);
    }
    shop.sign_in(ANN).await;
}

#[tokio::test]
async fn an_outdated_code_and_an_earlier_one_are_wrong() {
    let shop = TestShop::open().await;
    send_code(&shop, DEE).await;
    let first = shop.sms.last_code();
    shop.clock.advance(SignedDuration::from_secs(61));
    send_code(&shop, DEE).await;
    let second = shop.sms.last_code();
    if first != second {
        verify(&shop, DEE, &first).await.is(400, "code_invalid");
    }
    shop.clock.advance(SignedDuration::from_mins(10));
    verify(&shop, DEE, &second).await.is(400, "code_invalid");
}

/// S5
#[tokio::test]
async fn sending_is_limited_by_phone_address_prefix_and_market() {
    let shop = TestShop::open().await;
    assert_eq!(send_code(&shop, DEE).await.status, 200);
    let soon = send_code(&shop, DEE).await;
    soon.is(429, "rate_limited");
    assert_eq!(soon.header("retry-after"), "60");
    for _ in 0..2 {
        shop.clock.advance(SignedDuration::from_secs(60));
        assert_eq!(send_code(&shop, DEE).await.status, 200);
    }
    shop.clock.advance(SignedDuration::from_secs(60));
    send_code(&shop, DEE).await.is(429, "rate_limited");
    assert_eq!(shop.sms.count(), 3);

    let number = |n: u32| format!("+131280598{n:02}");
    let by_ip = TestShop::with(|shop| {
        shop.limits.sends_per_ip_hour = 2;
        shop.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
    });
    let shop = by_ip.await;
    let from = |peer: &str, forwarded: &str, n: u32| {
        let ask = shop.post("/auth/send-code").peer(peer).json(&json!({"phone": number(n)}));
        if forwarded.is_empty() { ask } else { ask.header("x-forwarded-for", forwarded) }
    };
    for n in 0..2 {
        assert_eq!(from("203.0.113.9:1", "", n).send().await.status, 200);
    }
    from("203.0.113.9:2", "", 2).send().await.is(429, "rate_limited");
    // A client that is no proxy does not get away with another address.
    from("203.0.113.9:3", "198.51.100.1", 3).send().await.is(429, "rate_limited");
    assert_eq!(from("10.0.0.1:1", "198.51.100.1", 4).send().await.status, 200);
    from("10.0.0.1:1", "198.51.100.1, 203.0.113.9", 5).send().await.is(429, "rate_limited");

    for limit in ["prefix", "market"] {
        let shop = TestShop::with(|shop| match limit {
            "prefix" => shop.limits.sends_per_prefix_hour = 1,
            _ => shop.limits.sends_per_market_hour = 1,
        });
        let shop = shop.await;
        assert_eq!(send_code(&shop, &number(0)).await.status, 200);
        send_code(&shop, &number(1)).await.is(429, "rate_limited");
        assert_eq!(send_code(&shop, "+996700123457").await.status, 200, "another {limit}");
    }
}

#[tokio::test]
async fn wrong_codes_are_limited_by_address() {
    let shop = TestShop::with(|shop| shop.limits.failures_per_ip_hour = 2).await;
    for phone in [ANN, BOB] {
        verify(&shop, phone, "000000").await.is(400, "code_invalid");
    }
    verify(&shop, CEM, "000000").await.is(400, "code_invalid");
    verify(&shop, DEE, "000000").await.is(429, "too_many_attempts");
}

#[tokio::test]
async fn a_message_that_is_not_taken_can_be_asked_for_again_at_once() {
    let shop = TestShop::open().await;
    shop.sms.broken.store(true, SeqCst);
    let failed = send_code(&shop, DEE).await;
    failed.is(503, "sms_unavailable");
    assert!(!failed.text.contains("the line is dead"), "{}", failed.text);
    shop.sms.broken.store(false, SeqCst);
    assert_eq!(send_code(&shop, DEE).await.status, 200);
    assert_eq!(verify(&shop, DEE, &shop.sms.last_code()).await.status, 200);
}

#[tokio::test]
async fn a_retry_sends_no_second_message() {
    let shop = TestShop::open().await;
    let ask = || shop.post("/auth/send-code").key("k").json(&json!({"phone": DEE}));
    let first = ask().send().await;
    let second = ask().send().await;
    assert_eq!((first.status, &first.text), (second.status, &second.text));
    assert_eq!(second.header("idempotent-replayed"), "true");
    assert_eq!(shop.sms.count(), 1);
    let code = shop.sms.last_code();
    let body = json!({"phone": DEE, "verification_code": code});
    let verify = || shop.post("/auth/verify-code").key("v").json(&body);
    let first = verify().send().await;
    let second = verify().send().await;
    assert_eq!((first.status.as_u16(), second.status.as_u16()), (200, 200), "{}", second.text);
    assert_eq!(second.header("idempotent-replayed"), "true");
    assert_eq!(first.body["user"]["id"], second.body["user"]["id"]);
}

#[tokio::test]
async fn a_test_phone_has_codes_of_its_own_and_gets_no_message() {
    let shop = TestShop::open().await;
    assert_eq!(send_code(&shop, ANN).await.status, 200);
    assert_eq!(shop.sms.count(), 0);
    for code in ["123456", "654321"] {
        assert_eq!(verify(&shop, ANN, code).await.status, 200);
    }
    for _ in 0..5 {
        verify(&shop, ANN, "111111").await.is(400, "code_invalid");
    }
    verify(&shop, ANN, "123456").await.is(429, "too_many_attempts");
    verify(&shop, DEE, "123456").await.is(400, "code_invalid");
}

#[tokio::test]
async fn a_demo_says_its_codes_and_limits_no_sending() {
    let shop = TestShop::with(|shop| shop.demo = true).await;
    for _ in 0..5 {
        let sent = send_code(&shop, DEE).await;
        assert_eq!((sent.status.as_u16(), &sent.body["resend_after_seconds"]), (200, &json!(0)));
        let code = sent.body["demo_code"].as_str().unwrap().to_owned();
        assert_eq!(code, shop.sms.last_code());
        assert_eq!(verify(&shop, DEE, &code).await.status, 200);
    }
    send_code(&shop, DEE).await;
    let wrong = another(&shop.sms.last_code());
    for _ in 0..5 {
        verify(&shop, DEE, &wrong).await.is(400, "code_invalid");
    }
    verify(&shop, DEE, &wrong).await.is(429, "too_many_attempts");
}

/// S2
#[tokio::test]
async fn a_logout_ends_every_token_for_ever_and_loses_nothing() {
    let shop = TestShop::open().await;
    let (phone, tablet) = (shop.sign_in(ANN).await, shop.sign_in(ANN).await);
    assert_ne!(phone, tablet);
    let cart = shop.add(&phone, 42, 3).await;
    assert_eq!(shop.get("/cart").token(&tablet).send().await.text, cart.text);
    let out = shop.post("/auth/logout").token(&phone).send().await;
    assert_eq!(
        out.body,
        json!({
            "success": true,
            "message": "Logged out successfully. User is now inactive. \
                        Cart, wishlist and orders are kept.",
        })
    );
    let again = shop.sign_in(ANN).await;
    for dead in [&phone, &tablet] {
        let answer = shop.get("/cart").token(dead).send().await;
        answer.is(401, "signed_out");
        assert_eq!(answer.body["detail"], "User account is inactive");
    }
    assert_eq!(shop.get("/cart").token(&again).send().await.text, cart.text);
}

#[tokio::test]
async fn a_token_expires() {
    let shop = TestShop::open().await;
    let ann = shop.sign_in(ANN).await;
    shop.clock.advance(SignedDuration::from_mins(30));
    let answer = shop.get("/auth/verify-token").token(&ann).send().await;
    answer.is(401, "token_expired");
    assert_eq!(answer.body["detail"], "Token expired");
}

#[tokio::test]
async fn a_token_is_told_what_it_is_good_for() {
    let shop = TestShop::open().await;
    let ann = shop.sign_in(ANN).await;
    let answer = shop.get("/auth/verify-token").token(&ann).send().await;
    let id = answer.body["user_id"].clone();
    assert_eq!(
        answer.body,
        json!({
            "valid": true, "user_id": id, "phone_number": ANN, "formatted_phone": "+1 312-805-9851",
            "market": "us", "currency": "USD", "expires_at": "2026-09-21T14:43:20Z",
        })
    );
}

#[tokio::test]
async fn the_profile_is_read_and_changed() {
    let shop = TestShop::open().await;
    let cem = shop.sign_in(CEM).await;
    let fresh = shop.get("/auth/profile").token(&cem).send().await.body;
    assert_eq!(
        fresh,
        json!({
            "id": fresh["id"], "phone_number": CEM, "formatted_phone": "+996 700 123 456",
            "name": "", "full_name": null, "email": null, "profile_image_url": null,
            "is_active": true, "is_verified": true, "market": "kg", "language": "ky",
            "country": "Kyrgyzstan", "currency": "KGS", "currency_code": "KGS",
            "last_login": "2026-09-21T14:13:20Z", "created_at": "2026-09-21T14:13:20Z",
        })
    );
    let put = |body: Value| shop.put("/auth/profile").token(&cem).json(&body);
    let all = json!({
        "full_name": " Cem Example ", "email": "cem@example.com",
        "profile_image_url": "https://example.com/cem.png", "language": "RU", "id": 7,
    });
    let changed = put(all).send().await.body;
    assert_eq!(changed["full_name"], "Cem Example");
    assert_eq!(changed["name"], "Cem Example");
    assert_eq!(changed["email"], "cem@example.com");
    assert_eq!(changed["profile_image_url"], "https://example.com/cem.png");
    assert_eq!(changed["language"], "ru");
    assert_eq!(changed["id"], fresh["id"]);
    let one = put(json!({"email": null})).send().await.body;
    assert_eq!((&one["email"], &one["full_name"]), (&Value::Null, &json!("Cem Example")));
    let wrong = put(json!({
        "full_name": 1, "email": "nobody", "profile_image_url": "javascript:alert(1)",
        "language": "de",
    }));
    let wrong = wrong.send().await;
    wrong.is(422, "validation_failed");
    assert_eq!(wrong.fields(), ["full_name", "email", "profile_image_url", "language"]);
    assert_eq!(shop.get("/auth/profile").token(&cem).send().await.body, one);
}

#[tokio::test]
async fn the_markets_are_listed() {
    let shop = TestShop::open().await;
    let answer = shop.get("/auth/markets").send().await;
    assert_eq!(
        answer.body["markets"][1],
        json!({
            "market": "kg", "country": "Kyrgyzstan", "currency": "KGS", "currency_code": "KGS",
            "currency_symbol": answer.body["markets"][1]["currency_symbol"],
            "phone_prefix": "+996", "language": "ky", "languages": ["ky", "ru"],
            "shipping": {"flat": 9.99, "free_from": 100.0},
        })
    );
    assert_eq!(answer.body["default_market"], "us");
    assert!(answer.text.contains(r#""shipping":{"flat":9.99,"free_from":100.00}"#));
}

#[tokio::test]
async fn delivery_that_is_never_free_is_told_as_such() {
    let always = Shipping { flat: Money(500), free_from: None };
    let shop = TestShop::with(|shop| shop.markets[0].market.shipping = always).await;
    let answer = shop.get("/auth/markets").send().await;
    assert!(
        answer.text.contains(r#""shipping":{"flat":5.00,"free_from":null}"#),
        "{}",
        answer.text
    );
}

#[tokio::test]
async fn a_short_lived_code_is_said_to_last_a_minute() {
    let lifetime = SignedDuration::from_secs(2);
    let short = evercart_http::Limits { code_lifetime: lifetime, ..limits() };
    let shop = TestShop::with(|shop| shop.limits = short).await;
    assert_eq!(send_code(&shop, DEE).await.body["expires_in_minutes"], 1);
}

/// Two who look at the same request must not see two different tokens.
#[tokio::test]
async fn two_authorization_headers_are_refused_even_if_both_are_good() {
    let shop = TestShop::open().await;
    let token = shop.sign_in(ANN).await;
    let good = format!("Bearer {token}");
    assert_eq!(shop.get("/cart").header("authorization", &good).send().await.status, 200);
    for other in [good.as_str(), "Bearer x.y.z", "Basic am86am8=", ""] {
        for [first, second] in [[&*good, other], [other, &*good]] {
            let request = shop.get("/cart").header("authorization", first);
            request.header("authorization", second).send().await.is(401, "token_invalid");
        }
    }
}

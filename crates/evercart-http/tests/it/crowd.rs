//! What a pumper, a guesser, a reviewer's phone and a pasted number can do.

use evercart_core::market::MarketName;
use evercart_http::{Shop, TestPhone};
use jiff::SignedDuration;
use serde_json::json;

use crate::logs;
use crate::shop::{ANN, Answered, BOB, CEM, DEE, TestShop, limits};

async fn send_code(shop: &TestShop, phone: &str) -> Answered {
    shop.post("/auth/send-code").json(&json!({"phone": phone})).send().await
}

async fn send_code_from(shop: &TestShop, peer: &str, phone: &str) -> Answered {
    shop.post("/auth/send-code").peer(peer).json(&json!({"phone": phone})).send().await
}

async fn verify_from(shop: &TestShop, peer: &str, phone: &str, code: &str) -> Answered {
    let body = json!({"phone": phone, "verification_code": code});
    shop.post("/auth/verify-code").peer(peer).json(&body).send().await
}

/// Gives the first market a name that no other test's log has.
fn rename(shop: &mut Shop, name: &str) {
    let name = MarketName::new(name).unwrap();
    shop.default_market = Some(name.clone());
    shop.markets[0].market.name = name;
}

/// How often the log says this of a market.
fn warnings(market: &str, words: &str) -> usize {
    let log = logs::kept();
    log.lines().filter(|line| line.contains(market) && line.contains(words)).count()
}

fn phone(n: u32) -> String {
    format!("+1312806{n:04}")
}

/// S9: a stolen token and a reviewer's fixed code move and erase nothing.
#[tokio::test]
async fn a_fixed_code_signs_in_and_does_nothing_else() {
    let shop = TestShop::open().await;
    let ann = shop.prepare().await;
    let before = shop.everything(&ann.token).await;
    let ask = |path: &str, body: serde_json::Value| {
        let method = if path == "/auth/account" { "DELETE" } else { "POST" };
        shop.ask(method.parse().unwrap(), path).token(&ann.token).json(&body)
    };
    let code = "123456";
    let erase = ask("/auth/account", json!({"verification_code": code})).send().await;
    erase.is(400, "code_invalid");
    let asked = ask("/auth/phone", json!({"new_phone": BOB})).send().await;
    assert_eq!((asked.status.as_u16(), shop.sms.count()), (200, 0), "{}", asked.text);
    let body = json!({"new_phone": BOB, "verification_code": code});
    ask("/auth/phone/confirm", body).send().await.is(400, "code_invalid");
    shop.clock.advance(SignedDuration::from_mins(6));
    let body = json!({"new_phone": DEE, "verification_code": code});
    ask("/auth/phone", body).send().await.is(400, "code_invalid");
    assert_eq!(shop.sms.count(), 0);
    assert_eq!(shop.everything(&ann.token).await, before);
    shop.sign_in(ANN).await;
}

#[tokio::test]
async fn a_test_phone_is_an_ordinary_phone_after_its_last_day() {
    let shop = TestShop::with(|shop| {
        let today = jiff::tz::TimeZone::UTC.to_datetime(shop.clock.now()).date();
        let ann = shop.test_phones[0].clone();
        shop.test_phones = vec![TestPhone { until: Some(today), ..ann }];
    })
    .await;
    shop.sign_in(ANN).await;
    shop.clock.advance(SignedDuration::from_hours(24));
    let body = json!({"phone": ANN, "verification_code": "123456"});
    shop.post("/auth/verify-code").json(&body).send().await.is(400, "code_invalid");
    assert_eq!(send_code(&shop, ANN).await.status, 200);
    let code = shop.sms.last_code();
    assert_eq!(verify_from(&shop, "203.0.113.9:40000", ANN, &code).await.status, 200);
}

/// S5
#[tokio::test]
async fn a_phone_abroad_or_of_another_kind_is_refused_and_costs_nothing() {
    let shop = TestShop::with(|shop| shop.limits.sends_per_ip_hour = 1).await;
    for (phone, says) in [
        ("+18765550123", "is a number of JM; this shop accepts numbers of US"),
        ("+18095550123", "is a number of DO; this shop accepts numbers of US"),
        ("+12423570123", "is a number of BS; this shop accepts numbers of US"),
        ("+14165550123", "is a number of CA; this shop accepts numbers of US"),
        ("+19002345678", "is a special-rate, toll-free or service number"),
        ("+18002345678", "is a special-rate, toll-free or service number"),
        ("+15002345678", "is a special-rate, toll-free or service number"),
    ] {
        let token = shop.sign_in(ANN).await;
        let sent = send_code(&shop, phone).await;
        let body = json!({"phone": phone, "verification_code": "123456"});
        let verified = shop.post("/auth/verify-code").json(&body).send().await;
        let body = json!({"new_phone": phone});
        let asked = shop.post("/auth/phone").token(&token).json(&body).send().await;
        let body = json!({"new_phone": phone, "verification_code": "123456"});
        let moved = shop.post("/auth/phone/confirm").token(&token).json(&body).send().await;
        for (answer, field) in
            [(sent, "phone"), (verified, "phone"), (asked, "new_phone"), (moved, "new_phone")]
        {
            answer.is(422, "validation_failed");
            assert_eq!(answer.fields(), [field]);
            assert!(answer.text.contains(says), "{}", answer.text);
        }
    }
    assert_eq!(shop.sms.count(), 0);
    // The one message that the address may ask for is still to be had.
    assert_eq!(send_code(&shop, DEE).await.status, 200);
}

/// S5: one household's or provider's network uses up no more than a few addresses' share.
#[tokio::test]
async fn a_network_full_of_ipv6_addresses_has_a_budget_too() {
    let shop = TestShop::with(|shop| shop.limits.sends_per_ip_hour = 2).await;
    let mut n = 0;
    let mut sent_from = async |network: &dyn Fn(u32) -> String| {
        let mut sent = 0;
        for subnet in 0..20 {
            n += 1;
            let answer = send_code_from(&shop, &network(subnet), &phone(n)).await;
            sent += u32::from(answer.status == 200);
        }
        sent
    };
    let narrow = |_: u32| "[2001:db8:1:ff00::1]:443".to_owned();
    assert_eq!(sent_from(&narrow).await, 2);
    // In the same /56, of which two are used.
    let wide = |subnet: u32| format!("[2001:db8:1:ff{subnet:02x}::1]:443");
    assert_eq!(sent_from(&wide).await, 2);
    // In the same /48, of which four are used.
    let widest = |subnet: u32| format!("[2001:db8:1:{subnet:02x}00::1]:443");
    assert_eq!(sent_from(&widest).await, 4);
    let elsewhere = |_: u32| "[2001:db8:2::1]:443".to_owned();
    assert_eq!(sent_from(&elsewhere).await, 2);
}

/// S5: who was here before still gets a code when a pumper has used up what strangers get.
#[tokio::test]
async fn a_share_of_the_markets_codes_is_kept_for_customers_with_a_token() {
    let market = "warned-sends";
    let shop = TestShop::with(|shop| {
        shop.limits.sends_per_market_hour = 8;
        rename(shop, market);
    })
    .await;
    send_code(&shop, DEE).await;
    let body = json!({"phone": DEE, "verification_code": shop.sms.last_code()});
    let signed_in = shop.post("/auth/verify-code").json(&body).send().await;
    let token = signed_in.body["access_token"].as_str().unwrap().to_owned();
    shop.post("/auth/logout").token(&token).send().await;
    for n in 1..=5 {
        assert_eq!(send_code(&shop, &phone(n)).await.status, 200);
    }
    assert_eq!(warnings(market, "half of the market's hour of codes is used"), 1);
    send_code(&shop, &phone(6)).await.is(429, "rate_limited");
    send_code(&shop, DEE).await.is(429, "rate_limited");
    // Signed out, and past its end: it still tells whose it was.
    shop.clock.advance(SignedDuration::from_mins(31));
    let with_token = |phone: &str, token: &str| {
        shop.post("/auth/send-code").token(token).json(&json!({"phone": phone}))
    };
    with_token(&phone(6), &token).send().await.is(429, "rate_limited");
    with_token(DEE, &format!("{token}x")).send().await.is(429, "rate_limited");
    let sent = with_token(DEE, &token).send().await;
    assert_eq!(sent.status, 200, "{}", sent.text);
    shop.get("/cart").token(&token).send().await.is(401, "token_expired");
}

/// S4: an address that others have guessed from lets in whoever asked for a code from there.
#[tokio::test]
async fn behind_a_guessers_address_the_right_code_gets_in_at_the_first_try() {
    let shop = TestShop::with(|shop| shop.limits.failures_per_ip_hour = 3).await;
    let (here, elsewhere) = ("203.0.113.9:1", "203.0.113.10:1");
    for n in 1..=3 {
        verify_from(&shop, here, &phone(n), "000000").await.is(400, "code_invalid");
    }
    send_code_from(&shop, here, DEE).await;
    let code = shop.sms.last_code();
    assert_eq!(verify_from(&shop, here, DEE, &code).await.status, 200);
    // The second try is not compared, be it right or wrong, nor is a code asked for elsewhere.
    send_code_from(&shop, here, &phone(4)).await;
    let code = shop.sms.last_code();
    let wrong = format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000);
    verify_from(&shop, here, &phone(4), &wrong).await.is(400, "code_invalid");
    let [right, other] = [
        verify_from(&shop, here, &phone(4), &code).await,
        verify_from(&shop, here, &phone(4), &wrong).await,
    ];
    right.is(429, "too_many_attempts");
    other.is(429, "too_many_attempts");
    send_code_from(&shop, elsewhere, &phone(5)).await;
    let code = shop.sms.last_code();
    verify_from(&shop, here, &phone(5), &code).await.is(429, "too_many_attempts");
    assert_eq!(verify_from(&shop, elsewhere, &phone(5), &code).await.status, 200);
}

/// S4: guessing over many phones and addresses takes longer and longer.
#[tokio::test]
async fn the_second_half_of_a_markets_wrong_codes_is_answered_later_and_later() {
    let market = "warned-guesses";
    let shop = TestShop::with(|shop| {
        shop.limits.failures_per_market_hour = 40;
        rename(shop, market);
    })
    .await;
    let guess = async |n: u32| {
        let begun = std::time::Instant::now();
        let answer = verify_from(&shop, &format!("203.0.113.{n}:1"), &phone(n), "000000").await;
        answer.is(400, "code_invalid");
        begun.elapsed().as_millis()
    };
    for n in 1..=20 {
        guess(n).await;
    }
    // A twentieth of five seconds more for each.
    assert!(guess(21).await >= 250);
    assert!(guess(22).await >= 500);
    assert_eq!(warnings(market, "half of the hour's wrong codes are used"), 1);
}

/// S4: who uses up a market's wrong codes keeps nobody out who asks for a code and types it in.
#[tokio::test]
async fn a_market_full_of_guesses_lets_customers_in() {
    let shop = TestShop::with(|shop| shop.limits.failures_per_market_hour = 1).await;
    verify_from(&shop, "203.0.113.1:1", &phone(1), "000000").await.is(400, "code_invalid");
    let (here, elsewhere) = ("203.0.113.2:1", "203.0.113.3:1");
    verify_from(&shop, here, &phone(2), "000000").await.is(429, "too_many_attempts");
    send_code_from(&shop, here, DEE).await;
    let code = shop.sms.last_code();
    // Nor does a stranger with luck get in, or use up the first try.
    verify_from(&shop, elsewhere, DEE, &code).await.is(429, "too_many_attempts");
    verify_from(&shop, elsewhere, DEE, "000000").await.is(429, "too_many_attempts");
    let signed_in = verify_from(&shop, here, DEE, &code).await;
    assert_eq!(signed_in.status, 200, "{}", signed_in.text);
    // With a token, the code may be typed in elsewhere.
    let token = signed_in.body["access_token"].as_str().unwrap();
    let ask = shop.post("/auth/send-code").token(token).peer(here);
    assert_eq!(ask.json(&json!({"phone": DEE})).send().await.status, 200);
    let code = shop.sms.last_code();
    assert_eq!(verify_from(&shop, elsewhere, DEE, &code).await.status, 200);
}

/// S6, S7
#[tokio::test]
async fn pasted_phones_and_codes_are_what_they_look_like() {
    let shop = TestShop::with(|shop| shop.limits = limits()).await;
    for (market, typed, phone) in [
        ("us", "\u{202a}+1 312 805 0101\u{202c}", "+13128050101"),
        ("us", "\u{2066}+13128050102\u{2069}", "+13128050102"),
        ("us", "\u{200e}+13128050103", "+13128050103"),
        ("us", "+1 312\u{2011}805\u{2011}0104", "+13128050104"),
        ("us", "+1 312\u{2013}805\u{2013}0105", "+13128050105"),
        ("us", "+1\u{fe0e}-312-805-0106", "+13128050106"),
        ("us", "tel:+1-312-805-0107", "+13128050107"),
        ("kg", "0555/010/108", "+996555010108"),
        ("us", "+1\u{202f}312\u{202f}805\u{202f}0109", "+13128050109"),
        ("kg", "٠٥٥٥٠١٠١١٠", "+996555010110"),
        ("kg", "＋９９６５５５０１０１１１", "+996555010111"),
        // Longer than a phone may be, but for what cannot be seen.
        ("us", &format!("+13128050112{}", "\u{200e}".repeat(60)), "+13128050112"),
    ] {
        let ask = |path: &str| shop.post(path).header("x-market", market);
        let sent = ask("/auth/send-code").json(&json!({"phone": typed})).send().await;
        assert_eq!(sent.body["phone_number"], phone, "{typed:?}: {}", sent.text);
        let code = shop.sms.last_code();
        let digit = |c: char| char::from_u32(0x660 + c.to_digit(10).unwrap()).unwrap();
        let code: String = code.chars().map(digit).collect();
        let typed_code = format!("\u{2068}{} {}\u{2069}", &code[..6], &code[6..]);
        let body = json!({"phone": typed, "verification_code": typed_code});
        let signed_in = ask("/auth/verify-code").json(&body).send().await;
        assert_eq!(signed_in.body["user"]["phone"], phone, "{typed:?}: {}", signed_in.text);
    }
    let lines = logs::kept();
    assert!(!lines.contains("8050101") && !lines.contains("٠٥٥٥٠١٠١١٠"), "it is masked");
}

#[tokio::test]
async fn a_wrong_phone_is_answered_with_an_example_of_the_market() {
    let shop = TestShop::open().await;
    for (market, prefix) in [("us", "+1"), ("kg", "+996")] {
        for body in [json!({"phone": "12"}), json!({"phone": "+1x"})] {
            let answer = shop.post("/auth/send-code").header("x-market", market).json(&body);
            let answer = answer.send().await;
            answer.is(422, "validation_failed");
            assert!(answer.text.contains(&format!("write it like {prefix}")), "{}", answer.text);
        }
    }
    let token = shop.sign_in(CEM).await;
    let body = json!({"new_phone": "12"});
    let answer = shop.post("/auth/phone").token(&token).json(&body).send().await;
    assert!(answer.text.contains("write it like +996"), "{}", answer.text);
}

//! What a server says of its surroundings, once: keys, a proxy, languages that it was not told of;
//! and which characters it keeps out of names.

use serde_json::json;

use crate::backend::SERVERS;
use crate::codes::SmsShop;
use crate::customer::{Customer, expect, us_phone};
use crate::harness::Shop;

fn told(shop: &Shop, what: &str) -> usize {
    shop.stderr().matches(what).count()
}

#[test]
fn an_unknown_key_is_named_once_however_many_tokens_come() {
    const TOLD: &str = "a key that is not in this server's key file";
    let (one, other) = (Shop::demo(), Shop::demo());
    let token = one.sign_in(&us_phone(1));
    for _ in 0..20 {
        assert_eq!(other.get("/cart").token(&token).send().status, 401);
    }
    assert_eq!(told(&other, TOLD), SERVERS, "{}", other.stderr());
    let listed = one.run_ok(&["keys", "list"]);
    let id = listed.lines().nth(1).and_then(|line| line.split(' ').next()).expect("a key");
    assert!(other.stderr().contains(id), "{id} is not named: {}", other.stderr());
    for forged in ["x.y.z", "", &format!("{token}x"), "a.b"] {
        let _ = one.get("/cart").token(forged).send();
    }
    assert_eq!(told(&one, TOLD), 0, "what nobody signed is not told: {}", one.stderr());
}

#[test]
fn a_proxy_that_nobody_trusts_is_told_of_once() {
    const TOLD: &str = "sends X-Forwarded-For and is not in server.trusted_proxies";
    let shop = Shop::demo();
    let trusting = Shop::demo_with(&[("EVERCART_SERVER__TRUSTED_PROXIES", "127.0.0.1")]);
    for n in 0..10 {
        for shop in [&shop, &trusting] {
            let request = shop.post("/auth/send-code").header("X-Forwarded-For", "192.0.2.7");
            expect(200, &request.json(&json!({ "phone": us_phone(n) })).send());
        }
    }
    assert_eq!(told(&shop, TOLD), SERVERS, "{}", shop.stderr());
    assert_eq!(told(&trusting, TOLD), 0, "{}", trusting.stderr());
}

#[test]
fn languages_without_texts_are_said_at_the_start() {
    let shop = Shop::demo_with(&[("EVERCART_MARKETS__US__LANGUAGES", "en,kk,ru,de")]);
    let said = shop.stderr();
    assert_eq!(said.matches("in which there are no messages (kk, de)").count(), SERVERS, "{said}");
    assert_eq!(told(&Shop::demo(), "in which there are no messages"), 0);
}

#[test]
fn without_a_pause_a_code_may_be_asked_for_again_at_once() {
    let at = SmsShop::with_limits(&[("resend_after", "0s")]);
    let phone = us_phone(1);
    for _ in 0..3 {
        let sent = at.send_code(&phone);
        assert_eq!(expect(200, &sent)["resend_after_seconds"], json!(0), "{sent}");
    }
}

#[test]
fn characters_that_deceive_are_kept_out_of_names_and_named() {
    let shop = Shop::demo();
    let jo = Customer::of_demo(&shop, &us_phone(1));
    for (name, character) in [
        ("Anna\u{202e}gpj", "U+202E"),
        ("An\u{200b}na", "U+200B"),
        ("Anna\u{2028}x", "U+2028"),
        ("An\u{200d}na", "U+200D"),
    ] {
        let address = json!({ "full_address": "1 Main St", "title": name });
        let answer = jo.post(&shop, "/profile/addresses", &address);
        assert_eq!(answer.status, 422, "{answer}");
        let wrong = &answer.json()["errors"][0];
        assert_eq!(wrong["field"], "title", "{answer}");
        assert!(wrong["detail"].as_str().is_some_and(|text| text.contains(character)), "{answer}");
    }
    for name in ["\u{645}\u{6cc}\u{200c}\u{62e}\u{648}\u{627}\u{647}\u{645}", "👩\u{200d}🌾"] {
        let address = json!({ "full_address": "1 Main St", "title": name });
        let answer = jo.post(&shop, "/profile/addresses", &address);
        assert_eq!(expect(201, &answer)["title"], *name, "{answer}");
    }
    let exported = shop.run_ok(&["catalog", "export", "--market", "us"]);
    let file = shop.write("deceiving.csv", exported.replace("Linen Shirt", "Linen\u{202e}Shirt"));
    let refused = shop.run(&["catalog", "import", file.to_str().expect("text"), "--market", "us"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("U+202E"), "{refused:?}");
}

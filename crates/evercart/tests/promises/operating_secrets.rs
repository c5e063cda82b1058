//! S7: phones, codes, tokens and keys are in no log, and in the data only where they have to be.

use serde_json::json;

use crate::backend;
use crate::codes::{SmsShop, wrong};
use crate::customer::{Customer, checkout_body, expect, problem, us_phone};
use crate::harness::Shop;
use crate::sms_receiver::SECRET;

fn holds(content: &[u8], text: &str) -> bool {
    content.windows(text.len()).any(|window| window == text.as_bytes())
}

/// A whole run: sign-ins that fail and succeed, a provider that fails, shopping, bad requests.
fn whole_run(at: &SmsShop) -> (Vec<String>, Vec<String>) {
    let (known, unknown, unlucky) = (us_phone(1111), us_phone(2222), us_phone(3333));
    let shop = &at.shop;
    let code = at.new_code(&known);
    let guess = wrong(&code, 7);
    problem(400, "code_invalid", &at.verify(&known, &guess));
    let jo = Customer::with_code(shop, &known, &code);
    problem(429, "rate_limited", &{
        expect(200, &at.send_code(&unknown));
        at.send_code(&unknown)
    });
    let sent_only = at.sms.code(&unknown);
    at.sms.answer_with(500);
    problem(503, "sms_unavailable", &at.send_code(&unlucky));
    problem(404, "not_found", &jo.add(shop, 42, 1));
    problem(422, "validation_failed", &jo.add(shop, 42, -1));
    problem(409, "cart_empty", &jo.post(shop, "/orders", &checkout_body()));
    let in_query = format!("/cart?access_token={}&phone={known}", jo.token);
    problem(401, "not_authenticated", &shop.get(&in_query).send());
    problem(404, "not_found", &shop.get(&format!("/{known}/{}", jo.token)).send());
    let tampered = format!("{}x", jo.token);
    problem(401, "token_invalid", &shop.get("/cart").token(&tampered).send());
    let body = format!("{{\"phone\":\"{known}\",\"verification_code\":\"{code}\"");
    let broken = shop.post("/auth/verify-code").body("application/json", body.as_bytes()).send();
    problem(400, "malformed_json", &broken);
    expect(200, &jo.request(shop, "POST", "/auth/logout").send());
    problem(401, "signed_out", &jo.get(shop, "/cart"));
    let phones = [known, unknown, unlucky].map(|phone| phone.trim_start_matches("+1").to_owned());
    let signature = jo.token.rsplit('.').next().expect("a signature").to_owned();
    let payload = jo.token.split('.').nth(1).expect("a payload").to_owned();
    let secrets = vec![signature, payload, code, sent_only, guess, SECRET.to_owned()];
    (phones.to_vec(), secrets)
}

#[test]
fn s7_nothing_secret_is_in_the_log_whatever_its_level() {
    for (format, level) in [("human", "info"), ("json", "trace")] {
        let mut at = SmsShop::with_variables(&[
            ("EVERCART_LOG__FORMAT".to_owned(), format.to_owned()),
            ("EVERCART_LOG__LEVEL".to_owned(), level.to_owned()),
        ]);
        let (phones, secrets) = whole_run(&at);
        let output = at.shop.terminate();
        let log = format!("{}{}", output.stdout, output.stderr);
        for secret in phones.iter().chain(&secrets) {
            let line = log.lines().find(|line| line.contains(secret.as_str()));
            assert_eq!(line, None, "{secret} is in the log ({format}, {level})");
        }
        assert!(log.contains("+1312•••3333"), "a phone is masked, not left out:\n{log}");
        if format == "json" {
            for line in output.stderr.lines() {
                let parsed = serde_json::from_str::<serde_json::Value>(line);
                assert!(parsed.is_ok(), "no JSON: {line}");
            }
        }
    }
}

#[test]
fn s7_no_token_or_code_is_in_the_data_and_no_phone_of_who_never_signed_in() {
    let mut at = SmsShop::with_limits(&[]);
    let (phones, secrets) = whole_run(&at);
    for stopped in [false, true] {
        if stopped {
            at.shop.terminate();
        }
        let files = backend::stored(&at.shop);
        for (name, content) in &files {
            for secret in secrets.iter().chain(&phones[1..]) {
                assert!(!holds(content, secret), "{secret} is in {name}");
            }
            assert!(!holds(content, "127.0.0.1"), "an address of the network is in {name}");
        }
        assert!(files.iter().any(|(_, content)| holds(content, &phones[0])), "a customer's is");
    }
}

#[cfg(unix)]
#[test]
fn s3_the_keys_are_readable_by_their_owner_only_or_the_shop_does_not_start() {
    use std::os::unix::fs::PermissionsExt;
    let mut shop = Shop::demo();
    let keys = shop.data().join("keys.json");
    let mode = std::fs::metadata(&keys).expect("the keys").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let listed = shop.run_ok(&["keys", "list", "--json"]);
    let text = std::fs::read_to_string(&keys).expect("ours");
    let stored: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let secrets: Vec<_> =
        text.split('"').filter(|part| part.len() == 44 && part.ends_with('=')).collect();
    assert!(secrets.len() >= 2, "a signing and a code key: {}", stored["version"]);
    for secret in secrets {
        assert!(!listed.contains(secret), "a secret is listed");
    }
    shop.terminate();
    let open = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(&keys, open).expect("ours");
    let refused = shop.try_start().expect_err("keys that anybody can read");
    assert!(refused.0.stderr.contains("chmod 600"), "it says what to do: {refused}");
}

#[test]
fn s7_secrets_are_masked_in_the_configuration() {
    let shop = Shop::prepared()
        .variable("EVERCART_SMS__PROVIDER", "webhook")
        .variable("EVERCART_SMS__URL", "https://sms.example/send")
        .variable("EVERCART_SMS__SECRET", SECRET)
        .variable("EVERCART_AUTH__TEST_PHONES", "{ \"+13128050001\" = [\"918273\"] }");
    let shown = shop.run_ok(&["config"]);
    assert!(shown.contains("https://sms.example/send"), "{shown}");
    for secret in [SECRET, "918273"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn answers_name_the_request_and_do_not_repeat_it() {
    let shop = Shop::demo();
    let phone = us_phone(1);
    let body = json!({ "phone": phone, "verification_code": "123456x" });
    let answer = shop.post("/auth/verify-code").header("X-Request-Id", "r-1").json(&body).send();
    let refused = problem(422, "validation_failed", &answer);
    assert_eq!(refused["request_id"], "r-1");
    assert!(!answer.text().contains(&phone) && !answer.text().contains("123456"), "{answer}");
}

//! S2: a token that was signed out is dead at once, everywhere and for ever; S3: nobody else makes
//! one.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::crowd::{at_once, count};
use crate::customer::{Customer, SEED_PHONE, expect, pieces, problem, us_phone};
use crate::endpoints;
use crate::forge::claims;
use crate::harness::{Shop, wait_until};

fn sign_out(shop: &Shop, customer: &Customer) {
    expect(200, &customer.request(shop, "POST", "/auth/logout").send());
}

/// Every operation refuses this token in the guide's words, and nothing has changed.
fn assert_dead_everywhere(shop: &Shop, token: &str) {
    for endpoint in endpoints::of_customers() {
        let answer = endpoint.request(shop, 1).token(token).send();
        let body = problem(401, "signed_out", &answer);
        assert_eq!(body["detail"], "User account is inactive", "{}", endpoint.path);
    }
}

#[test]
fn s2_a_stolen_token_is_dead_for_every_operation_as_soon_as_its_owner_logs_out() {
    let shop = Shop::demo();
    let owner = Customer::with_code(&shop, SEED_PHONE, "123456");
    expect(200, &owner.add(&shop, 42, 2));
    let had = owner.everything(&shop);
    sign_out(&shop, &owner);
    assert_dead_everywhere(&shop, &owner.token);

    let again = Customer::with_code(&shop, SEED_PHONE, "654321");
    assert_eq!(again.id, owner.id);
    assert_dead_everywhere(&shop, &owner.token);
    assert_eq!(again.everything(&shop), had, "the thief changed nothing");
}

#[test]
fn s2_sixty_four_parallel_requests_with_a_dead_token_are_all_refused() {
    let shop = Shop::demo();
    let owner = Customer::with_code(&shop, SEED_PHONE, "123456");
    sign_out(&shop, &owner);
    let endpoints = endpoints::of_customers();
    let answers = at_once(64, |index| {
        endpoints[index % endpoints.len()].request(&shop, 1).token(&owner.token).send()
    });
    assert_eq!(count(&answers, |answer| answer.code() == "signed_out"), 64);
}

#[test]
fn s2_a_token_stays_dead_when_its_owner_signs_in_again_within_the_same_second() {
    let shop = Shop::demo();
    let mut met = false;
    for _ in 0..20 {
        let stolen = Customer::with_code(&shop, SEED_PHONE, "123456");
        sign_out(&shop, &stolen);
        let owner = Customer::with_code(&shop, SEED_PHONE, "654321");
        met |= claims(&stolen.token)["iat"] == claims(&owner.token)["iat"];
        problem(401, "signed_out", &stolen.get(&shop, "/cart"));
        problem(401, "signed_out", &stolen.add(&shop, 42, 1));
        assert_eq!(pieces(&owner.cart(&shop), 42), 0);
    }
    assert!(met, "not one of 20 sign-ins fell into the second of the one before");
}

#[test]
fn s2_no_request_begun_after_the_logout_was_acknowledged_is_let_in() {
    let shop = Shop::demo();
    let owner = Customer::with_code(&shop, SEED_PHONE, "123456");
    let seen = Mutex::new(Vec::new());
    let over = AtomicBool::new(false);
    let acknowledged = std::thread::scope(|scope| {
        for index in 0..8 {
            let (shop, owner, seen, over) = (&shop, &owner, &seen, &over);
            scope.spawn(move || {
                while !over.load(Ordering::SeqCst) {
                    let begun = Instant::now();
                    let answer = match index % 2 {
                        0 => owner.add(shop, 42, 1),
                        _ => owner.get(shop, "/cart"),
                    };
                    seen.lock().expect("whole").push((begun, index % 2 == 0, answer.status));
                }
            });
        }
        let let_in =
            || count(&seen.lock().expect("whole"), |(_, adds, status)| *adds && *status == 200);
        wait_until("some adds", || let_in() >= 20);
        sign_out(&shop, &owner);
        let acknowledged = Instant::now();
        let refused = || count(&seen.lock().expect("whole"), |(_, _, status)| *status == 401);
        wait_until("the thief to be refused", || refused() >= 64);
        over.store(true, Ordering::SeqCst);
        acknowledged
    });
    let seen = seen.into_inner().expect("whole");
    for (begun, _, status) in &seen {
        assert!(*begun < acknowledged || *status == 401, "let in with {status} after the logout");
    }
    let added = count(&seen, |(_, adds, status)| *adds && *status == 200);
    let again = Customer::with_code(&shop, SEED_PHONE, "654321");
    let kept = usize::try_from(pieces(&again.cart(&shop), 42)).expect("not negative");
    assert_eq!(kept, added, "what was let in is there, what was refused is not");
}

#[test]
fn a_second_device_does_not_disturb_the_first() {
    let shop = Shop::demo();
    let phone = Customer::with_code(&shop, SEED_PHONE, "123456");
    let tablet = Customer::with_code(&shop, SEED_PHONE, "654321");
    expect(200, &phone.add(&shop, 42, 1));
    expect(200, &tablet.add(&shop, 42, 1));
    assert_eq!(pieces(&phone.cart(&shop), 42), 2, "both see one cart");
    sign_out(&shop, &phone);
    problem(401, "signed_out", &tablet.get(&shop, "/cart"));
}

#[test]
fn two_sign_ins_in_one_second_give_two_tokens() {
    let shop = Shop::demo();
    let mut met = false;
    for _ in 0..20 {
        let first = Customer::with_code(&shop, SEED_PHONE, "123456").token;
        let second = Customer::with_code(&shop, SEED_PHONE, "123456").token;
        assert_ne!(first, second);
        assert_ne!(claims(&first)["jti"], claims(&second)["jti"]);
        met |= claims(&first)["iat"] == claims(&second)["iat"];
    }
    assert!(met, "not one of 20 pairs fell into one second");
}

/// S3: `none`, another key, another header, another claim.
#[test]
fn s3_a_forged_token_is_refused() {
    let shop = Shop::demo();
    let owner = Customer::with_code(&shop, SEED_PHONE, "123456");
    let mine = Customer::of_demo(&shop, &us_phone(1)).token;
    let parts: Vec<&str> = mine.split('.').collect();
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let mut stolen = claims(&mine);
    stolen["user_id"] = json!(owner.id);
    let (payload, none) = (encode(&stolen), encode(&json!({ "alg": "none", "typ": "at+jwt" })));
    let header: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[0]).expect("base64url"))
            .expect("JSON");
    assert_eq!((&header["alg"], &header["typ"]), (&json!("HS256"), &json!("at+jwt")), "{header}");
    let mut traversing = header.clone();
    traversing["kid"] = json!("../../../../dev/null");
    let forged = [
        format!("{}.{payload}.{}", parts[0], parts[2]),
        format!("{none}.{payload}."),
        format!("{none}.{payload}.{}", parts[2]),
        format!("{}.{payload}.{}", encode(&traversing), parts[2]),
        format!("{}.{payload}", parts[0]),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{mine}.{mine}"),
        "x".repeat(4000),
        "..".to_owned(),
        "null".to_owned(),
    ];
    for token in forged {
        let body = problem(401, "token_invalid", &shop.get("/cart").token(&token).send());
        assert!(!body.to_string().contains(&token), "the token is repeated: {body}");
    }
}

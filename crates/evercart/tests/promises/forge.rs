//! Tokens as an attacker would write them. The shop's keys are read from its data directory, so
//! that a forged token is refused for what it says and not only for its signature.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::{Sha256, Sha384, Sha512};

use crate::customer::{Customer, SEED_PHONE, expect, pieces, problem};
use crate::harness::{Answer, Shop};

/// A token's part, as it is meant to be written.
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What is written in one of a token's parts.
pub fn decode(token: &str, part: usize) -> String {
    let part = token.split('.').nth(part).expect("three parts");
    String::from_utf8(URL_SAFE_NO_PAD.decode(part).expect("base64url")).expect("UTF-8")
}

/// A token's claims.
pub fn claims(token: &str) -> Value {
    serde_json::from_str(&decode(token, 1)).expect("JSON")
}

/// HMAC-SHA-256.
pub fn hs256(secret: &[u8], signed: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("any length");
    mac.update(signed.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// HMAC-SHA-384.
pub fn hs384(secret: &[u8], signed: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha384>::new_from_slice(secret).expect("any length");
    mac.update(signed.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// HMAC-SHA-512.
pub fn hs512(secret: &[u8], signed: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha512>::new_from_slice(secret).expect("any length");
    mac.update(signed.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// A token of any header and payload, signed with any secret.
pub fn signed(header: &str, payload: &str, secret: &[u8]) -> String {
    let signed = format!("{}.{}", encode(header), encode(payload));
    let signature = encode(hs256(secret, &signed));
    format!("{signed}.{signature}")
}

/// A demo with a customer whose account is attacked, and all that a forger could know.
pub struct Target {
    pub shop: Shop,
    pub owner: Customer,
    had: Value,
    /// The header of the shop's own tokens, as text.
    pub header: String,
    /// The name of the key that signs.
    pub kid: String,
    /// The key that signs.
    pub secret: Vec<u8>,
}

impl Target {
    /// The guide's customer with two pieces of SKU 42.
    pub fn new() -> Self {
        let shop = Shop::demo();
        let owner = Customer::with_code(&shop, SEED_PHONE, "123456");
        expect(200, &owner.add(&shop, 42, 2));
        let had = owner.everything(&shop);
        let header = decode(&owner.token, 0);
        let [(kid, secret)] = keys(&shop).try_into().expect("one key at first");
        let target = Self { shop, owner, had, header, kid, secret };
        // Otherwise nothing below would be refused for the reason it is refused for.
        let copy = target.token(&claims(&target.owner.token));
        expect(200, &target.shop.get("/cart").token(&copy).send());
        target
    }

    /// A token with these claims that the shop itself could have signed.
    pub fn token(&self, claims: &Value) -> String {
        signed(&self.header, &claims.to_string(), &self.secret)
    }

    /// The same with one claim changed.
    pub fn token_with(&self, claim: &str, value: Value) -> String {
        let mut changed = claims(&self.owner.token);
        changed[claim] = value;
        self.token(&changed)
    }

    /// Asserts that a token neither sees nor changes anything nor signs its customer out, and that
    /// it is not repeated in the answer.
    pub fn refuses(&self, token: &str, code: &str) {
        for (method, path) in [("GET", "/cart"), ("POST", "/cart/items"), ("POST", "/auth/logout")]
        {
            let request = self.shop.request(method, path).token(token);
            let answer = match path {
                "/cart/items" => request.json(&json!({ "sku_id": 42, "quantity": 1 })).send(),
                _ => request.send(),
            };
            refused(code, token, &answer);
        }
    }

    /// Asserts that the owner is still signed in and has what they had.
    pub fn is_unharmed(&self) {
        assert_eq!(self.owner.everything(&self.shop), self.had);
        assert_eq!(pieces(&self.owner.cart(&self.shop), 42), 2);
    }
}

/// Asserts that an answer is this 401, and does not repeat the token.
pub fn refused(code: &str, token: &str, answer: &Answer) {
    let shown: String = token.chars().take(200).collect();
    assert_eq!((answer.status, answer.code().as_str()), (401, code), "{shown}: {answer}");
    problem(401, code, answer);
    let repeated = token.len() > 20 && answer.text().contains(token);
    assert!(!repeated, "the token is repeated: {answer}");
}

/// Names and secrets of the keys that sign and verify tokens, the newest first.
pub fn keys(shop: &Shop) -> Vec<(String, Vec<u8>)> {
    let file = key_file(shop);
    let keys = file["token_keys"].as_array().expect("keys").iter();
    keys.map(|key| {
        let secret = STANDARD.decode(key["secret"].as_str().expect("a secret")).expect("base64");
        (key["id"].as_str().expect("a name").to_owned(), secret)
    })
    .collect()
}

/// The key file, which only its owner can read: here that is the test.
pub fn key_file(shop: &Shop) -> Value {
    let text = std::fs::read(shop.data().join("keys.json")).expect("the keys");
    serde_json::from_slice(&text).expect("JSON")
}

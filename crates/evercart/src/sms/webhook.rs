//! Posts messages to somebody's endpoint, signed as Standard Webhooks 1.0.0 asks for, so that the
//! endpoint can tell that they are ours and not a replay.

use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use evercart_core::clock::Clock;
use evercart_core::sms::{Sms, SmsError, SmsSender};
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use rand::RngExt;
use serde::Serialize;
use sha2::Sha256;

use super::{not_taken, unreachable};

/// An endpoint.
pub struct Webhook {
    client: reqwest::Client,
    url: String,
    secret: Vec<u8>,
    clock: Arc<dyn Clock>,
}

#[derive(Serialize)]
struct Body<'a> {
    to: &'a str,
    text: &'a str,
    market: &'a str,
    kind: &'a str,
}

impl Webhook {
    /// An endpoint at `url` that knows `secret`.
    pub fn new(client: reqwest::Client, url: &str, secret: &[u8], clock: Arc<dyn Clock>) -> Self {
        Self { client, url: url.to_owned(), secret: secret.to_owned(), clock }
    }
}

#[async_trait]
impl SmsSender for Webhook {
    async fn send(&self, sms: &Sms) -> Result<(), SmsError> {
        let body = Body {
            to: sms.to.as_str(),
            text: &sms.text,
            market: sms.market.as_str(),
            kind: sms.kind,
        };
        let body = serde_json::to_vec(&body).expect("four strings are always JSON");
        let id = format!("msg_{}", URL_SAFE_NO_PAD.encode(rand::rng().random::<[u8; 16]>()));
        let now = self.clock.now();
        let answer = self
            .client
            .post(&self.url)
            .header("content-type", "application/json")
            .header("webhook-id", &id)
            .header("webhook-timestamp", now.as_second())
            .header("webhook-signature", sign(&self.secret, &id, now, &body))
            .body(body)
            .send()
            .await
            .map_err(unreachable)?;
        if answer.status().is_success() {
            return Ok(());
        }
        Err(not_taken("the webhook", answer, sms, |_| None).await)
    }
}

fn sign(secret: &[u8], id: &str, at: Timestamp, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret)
        .expect("HMAC takes a key of any length (RFC 2104 section 2)");
    mac.update(format!("{id}.{}.", at.as_second()).as_bytes());
    mac.update(body);
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

/// Decodes `whsec_` and base64; the specification asks for 24 to 64 bytes.
pub fn decode_secret(text: &str) -> Option<Vec<u8>> {
    let secret = STANDARD.decode(text.strip_prefix("whsec_")?).ok()?;
    (24..=64).contains(&secret.len()).then_some(secret)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sms::twilio::stub;
    use evercart_core::clock::ManualClock;
    use evercart_core::market::MarketName;
    use evercart_core::phone::Phone;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn sms() -> Sms {
        Sms {
            to: Phone::from_stored("+13128059851".into()),
            text: "123456 is your sign-in code".into(),
            market: MarketName::new("us").expect("us"),
            kind: "sign_in_code",
        }
    }

    fn webhook(url: &str) -> Webhook {
        let now = Timestamp::from_second(1_614_265_330).expect("in range");
        let secret = decode_secret(SECRET).expect("a secret");
        let client = super::super::client().expect("a client");
        Webhook::new(client, url, &secret, Arc::new(ManualClock::at(now)))
    }

    #[test]
    fn signs_the_specifications_own_example() {
        let secret = decode_secret(SECRET).expect("a secret");
        let at = Timestamp::from_second(1_614_265_330).expect("in range");
        let signature =
            sign(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, br#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn only_a_strong_secret_is_taken() {
        assert!(decode_secret("whsec_c2hvcnQ=").is_none());
        assert!(decode_secret("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").is_none());
        assert!(decode_secret("whsec_???").is_none());
    }

    #[tokio::test]
    async fn what_arrives_can_be_verified() {
        let stub = stub::Stub::answering(204, "").await;
        webhook(&stub.url).send(&sms()).await.expect("taken");
        let seen = stub.seen().await;
        let body: serde_json::Value = serde_json::from_slice(&seen.body).expect("JSON");
        assert_eq!(
            body,
            serde_json::json!({
                "to": "+13128059851", "text": "123456 is your sign-in code",
                "market": "us", "kind": "sign_in_code"
            })
        );
        let header = |name: &str| seen.headers[name].to_str().expect("text").to_owned();
        assert_eq!(header("webhook-timestamp"), "1614265330");
        let secret = decode_secret(SECRET).expect("a secret");
        let at = Timestamp::from_second(1_614_265_330).expect("in range");
        let expected = sign(&secret, &header("webhook-id"), at, &seen.body);
        assert_eq!(header("webhook-signature"), expected);
    }

    #[tokio::test]
    async fn a_failure_says_nothing_of_the_message() {
        let stub = stub::Stub::answering(500, "no route to 123456 +13128059851").await;
        let error = webhook(&stub.url).send(&sms()).await.expect_err("refused").to_string();
        let expected = "the webhook answered 500 Internal Server Error: no route to •••";
        assert!(error.ends_with(expected) && !error.contains("123456"), "{error}");
        let nobody = "http://127.0.0.1:1/secret-path";
        let error = webhook(nobody).send(&sms()).await.expect_err("nobody there").to_string();
        assert!(error.contains("cannot be reached") && !error.contains("secret-path"), "{error}");
    }
}

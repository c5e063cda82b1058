//! S6: whatever is read from outside, nothing panics and nothing is let in that is not right: any
//! text, and right texts with something broken in them. `PROPTEST_CASES=1000000` tries longer. What
//! was interesting once is in `corpus/` and tried every time.

use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use evercart_core::code::Code;
use evercart_core::ids::UserId;
use evercart_core::incarnation::Incarnation;
use evercart_core::market::MarketName;
use evercart_core::money::{Currency, Money};
use evercart_core::phone::Phone;
use evercart_core::token::{TokenError, TokenKey, TokenKeys};
use evercart_core::user::Session;
use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::Value;
use sha2::Sha256;

const SECRET: [u8; 32] = [7; 32];
const HEADER: &str = r#"{"alg":"HS256","typ":"at+jwt","kid":"k1"}"#;
const PAYLOAD: &str = concat!(
    r#"{"user_id":19,"market":"us","exp":1790001800,"iat":1790000000,"jti":"x","#,
    r#""iss":"evercart","aud":"evercart-api","epoch":3,"inc":"0000000000000007"}"#
);

/// What texts are broken with.
const PIECES: [&str; 24] = [
    "",
    ".",
    "..",
    "-",
    "+",
    "_",
    "=",
    "e",
    "E9",
    "0",
    "00000000000000000000",
    "1e999",
    "\u{0}",
    "\n",
    "\u{feff}",
    "\u{202e}",
    "é",
    "١",
    "\"",
    "{",
    "}",
    ",",
    "null",
    "\\u0000",
];

fn now() -> Timestamp {
    Timestamp::from_second(1_790_000_000).expect("in range")
}

fn keys() -> TokenKeys {
    TokenKeys::new(TokenKey::new("k1", &SECRET), vec![], "evercart")
}

fn signed(header: &str, payload: &[u8]) -> String {
    let head = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let mut mac = Hmac::<Sha256>::new_from_slice(&SECRET).expect("any length");
    mac.update(head.as_bytes());
    format!("{head}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

/// One of `texts` with one to six things broken in it: a range replaced, dropped or doubled.
fn broken(texts: Vec<String>) -> impl Strategy<Value = String> {
    let breaks = (any::<Index>(), 0_usize..6, 0_u8..3, select(PIECES.to_vec()));
    (select(texts), proptest::collection::vec(breaks, 1..7)).prop_map(|(text, breaks)| {
        let mut letters: Vec<char> = text.chars().collect();
        for (place, length, kind, piece) in breaks {
            let from = place.index(letters.len() + 1);
            let to = (from + length).min(letters.len());
            let range: Vec<char> = letters[from..to].to_vec();
            let new: Vec<char> = match kind {
                0 => piece.chars().collect(),
                1 => range.iter().chain(&range).copied().chain(piece.chars()).collect(),
                _ => Vec::new(),
            };
            letters.splice(from..to, new);
        }
        letters.into_iter().collect()
    })
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

fn usd() -> Currency {
    "USD".parse().expect("USD")
}

proptest! {
    #[test]
    fn s3_any_text_is_no_token(text in any::<String>()) {
        prop_assert_eq!(keys().verify(&text, now()), Err(TokenError::Invalid));
    }

    #[test]
    fn s3_a_broken_token_is_no_token(text in broken(vec![signed(HEADER, PAYLOAD.as_bytes())])) {
        prop_assume!(text != signed(HEADER, PAYLOAD.as_bytes()));
        prop_assert_eq!(keys().verify(&text, now()), Err(TokenError::Invalid));
    }

    /// With the right signature: what is let in is a whole set of claims, and the last word on the
    /// time.
    #[test]
    fn s3_a_signed_payload_is_read_or_refused(text in broken(vec![PAYLOAD.to_owned()])) {
        if let Ok(verified) = keys().verify(&signed(HEADER, text.as_bytes()), now()) {
            let claims: Value = serde_json::from_str(&text).expect("JSON");
            prop_assert_eq!(&claims["user_id"], verified.session.user_id.0);
            prop_assert_eq!(&claims["epoch"], verified.session.epoch);
            prop_assert_eq!(&claims["market"], verified.market.as_str());
            prop_assert!(claims["iss"] == "evercart" && claims["aud"] == "evercart-api");
            prop_assert!(verified.expires_at > now());
        }
    }

    #[test]
    fn s3_signed_bytes_are_refused(payload in proptest::collection::vec(any::<u8>(), 0..300)) {
        let refused = keys().verify(&signed(HEADER, &payload), now());
        prop_assert_eq!(refused, Err(TokenError::Invalid));
    }

    #[test]
    fn s3_a_changed_header_is_refused(header in broken(vec![HEADER.to_owned()])) {
        prop_assume!(header != HEADER);
        let refused = keys().verify(&signed(&header, PAYLOAD.as_bytes()), now());
        prop_assert_eq!(refused, Err(TokenError::Invalid));
    }

    #[test]
    fn s3_what_is_issued_is_read(
        id in 1_i64..1 << 53,
        epoch in 0_i64..i64::MAX,
        incarnation in 0_i64..i64::MAX,
        name in "[a-z][a-z0-9-]{0,15}",
    ) {
        let session =
            Session { user_id: UserId(id), epoch, incarnation: Incarnation(incarnation) };
        let market = MarketName::new(&name).expect("a name");
        let lifetime = SignedDuration::from_mins(30);
        let issued = keys().issue(session, &market, now(), lifetime, &mut rand::rng());
        let verified = keys().verify(&issued.token, now()).expect("genuine");
        prop_assert_eq!((verified.session, verified.market), (session, market));
        prop_assert_eq!(verified.expires_at, issued.expires_at);
    }

    #[test]
    fn s6_any_text_is_a_phone_or_refused(text in any::<String>(), region in "[A-Z]{2}|\\PC{0,3}") {
        for region in [None, Some("US"), Some("KG"), Some(&*region)] {
            if let Ok(phone) = Phone::parse(&text, region) {
                assert_is_e164(&phone);
            }
        }
    }

    #[test]
    fn s6_a_broken_phone_is_a_phone_or_refused(text in broken(owned(&[
        "+13128059851", "+1 (312) 805-9851", "0700 123 456", "+996700123456", "+1-312-805-9851",
    ]))) {
        for region in [None, Some("US"), Some("KG")] {
            if let Ok(phone) = Phone::parse(&text, region) {
                assert_is_e164(&phone);
            }
        }
    }

    #[test]
    fn s6_any_text_is_money_or_refused(text in any::<String>()) {
        let _ = Money::parse(&text, usd());
    }

    /// Compared with another reader of decimals, where that one can hold the number.
    #[test]
    fn s6_broken_money_is_exact_or_refused(text in broken(owned(&[
        "0", "59.99", "-1.50", "5.99999e3", "12e-1", "92233720368547758.07", "0.01", "1000000000",
    ]))) {
        use rust_decimal::Decimal;
        for code in ["USD", "JPY", "KWD"] {
            let currency: Currency = code.parse().expect("a currency");
            let Ok(money) = Money::parse(&text, currency) else { continue };
            if !text.contains(['e', 'E']) && let Ok(other) = Decimal::from_str_exact(&text) {
                prop_assert_eq!(other, money.to_decimal(currency), "{}", text);
            }
            let printed = money.to_decimal(currency).to_string();
            prop_assert_eq!(Money::parse(&printed, currency), Ok(money), "{}", text);
        }
    }

    #[test]
    fn s6_any_amount_is_read_back(minor: i64, code in select(vec!["USD", "JPY", "KWD"])) {
        let currency: Currency = code.parse().expect("a currency");
        let printed = Money(minor).to_decimal(currency).to_string();
        prop_assert_eq!(Money::parse(&printed, currency), Ok(Money(minor)));
    }

    #[test]
    fn s6_any_text_is_a_name_or_refused(text in any::<String>()) {
        if let Ok(name) = MarketName::new(&text) {
            prop_assert_eq!(name.as_str(), &text);
        }
        if let Ok(currency) = Currency::from_str(&text) {
            prop_assert_eq!(currency.code(), &text);
        }
        if let Some(code) = Code::parse(&text) {
            let digits = code.as_str().bytes().filter(u8::is_ascii_digit).count();
            prop_assert_eq!((digits, code.as_str().len()), (6, 6));
        }
    }
}

fn assert_is_e164(phone: &Phone) {
    let digits = phone.as_str().strip_prefix('+').expect("a plus");
    assert!(digits.bytes().all(|b| b.is_ascii_digit()) && (7..=15).contains(&digits.len()));
    assert_eq!(Phone::parse(phone.as_str(), None).as_ref(), Ok(phone), "a fixed point");
    let shown = phone.masked().chars().filter(char::is_ascii_digit).count();
    assert!(shown <= 8 && shown < digits.len(), "it is masked");
    assert!(!phone.formatted().is_empty());
}

/// The lines of a file of the corpus: JSON lists of what is read and what must come of it.
fn corpus(file: &str) -> Vec<Vec<Value>> {
    let lines = file.lines().filter(|line| !line.is_empty());
    let lines: Vec<_> = lines.map(|line| serde_json::from_str(line).expect(line)).collect();
    assert!(!lines.is_empty());
    lines
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

#[test]
fn s3_the_corpus_of_tokens_is_read_as_it_should_be() {
    for line in corpus(include_str!("corpus/tokens.ndjson")) {
        let [header, payload, expected] = &line[..] else { panic!("{line:?}") };
        let token = signed(text(header), text(payload).as_bytes());
        let outcome = match keys().verify(&token, now()) {
            Ok(_) => "accepted".to_owned(),
            Err(error) => error.to_string(),
        };
        assert_eq!(outcome, text(expected), "{header} {payload}");
    }
}

#[test]
fn s6_the_corpus_of_phones_is_read_as_it_should_be() {
    for line in corpus(include_str!("corpus/phones.ndjson")) {
        let [input, region, expected] = &line[..] else { panic!("{line:?}") };
        let phone = Phone::parse(text(input), region.as_str());
        assert_eq!(phone.as_ref().ok().map(Phone::as_str), expected.as_str(), "{input}");
    }
}

#[test]
fn s6_the_corpus_of_money_is_read_as_it_should_be() {
    for line in corpus(include_str!("corpus/money.ndjson")) {
        let [input, currency, expected] = &line[..] else { panic!("{line:?}") };
        let currency = text(currency).parse().expect("a currency");
        let read = match Money::parse(text(input), currency) {
            Ok(money) => Value::from(money.0),
            Err(error) => Value::from(error.to_string()),
        };
        assert_eq!(&read, expected, "{input}");
    }
}

//! Sign-in codes: six digits from a CSPRNG, stored only as a keyed hash bound to market, phone and
//! purpose, so that neither a stolen database nor a code for something else signs anybody in.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use rand::CryptoRng;
use rand::RngExt;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::ids::UserId;
use crate::market::MarketName;
use crate::pasted;
use crate::phone::Phone;

/// Digits of a code. NIST SP 800-63B-4 section 3.1.3 asks for at least six.
const DIGITS: usize = 6;

/// A code as it is sent. `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Code(String);

impl Code {
    /// Draws a code; every one of the million is equally likely, those with leading zeros too.
    pub fn draw(rng: &mut impl CryptoRng) -> Self {
        Self(format!("{:06}", rng.random_range(0..1_000_000_u32)))
    }

    /// Reads what a person typed or pasted: `123456`, `123 456`, `۱۲۳-۴۵۶` (see [`pasted`]).
    pub fn parse(input: &str) -> Option<Self> {
        let plain = pasted::plain(input);
        let digits = plain.len() == DIGITS && plain.bytes().all(|b| b.is_ascii_digit());
        digits.then_some(Self(plain))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Compares in constant time.
    pub fn matches(&self, other: &str) -> bool {
        self.0.as_bytes().ct_eq(other.as_bytes()).into()
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("••••••")
    }
}

/// What a code is good for. A code sent for one purpose is worthless for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Signing in, and showing that the phone is still one's own.
    SignIn,
    /// Moving this customer's account to the phone. The code of one customer is worthless for
    /// another.
    ChangePhone(UserId),
    /// Stopping the change that moved an account away from the phone.
    StopPhoneChange,
}

impl Purpose {
    /// The word for it in hashes and tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Purpose::SignIn => "sign_in",
            Purpose::ChangePhone(_) => "change_phone",
            Purpose::StopPhoneChange => "stop_phone_change",
        }
    }

    /// Whose code it is, if only that customer may use it.
    fn user(self) -> Option<UserId> {
        match self {
            Purpose::SignIn | Purpose::StopPhoneChange => None,
            Purpose::ChangePhone(user) => Some(user),
        }
    }
}

/// A keyed hash: of a code, or of a phone or address that is only ever looked up.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyedHash(pub [u8; 32]);

impl KeyedHash {
    /// Compares in constant time.
    pub fn matches(&self, other: &[u8]) -> bool {
        self.0.ct_eq(other).into()
    }
}

impl fmt::Debug for KeyedHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyedHash(…)")
    }
}

/// Makes keyed hashes (HMAC-SHA-256) with the server's key, which is never in the database.
#[derive(Clone)]
pub struct Hasher {
    keyed: Hmac<Sha256>,
}

impl Hasher {
    /// A hasher with a 256-bit key.
    pub fn new(key: &[u8; 32]) -> Self {
        let keyed =
            Hmac::new_from_slice(key).expect("HMAC takes a key of any length (RFC 2104 section 2)");
        Self { keyed }
    }

    /// The hash under which a code is stored.
    pub fn code(
        &self,
        market: &MarketName,
        phone: &Phone,
        purpose: Purpose,
        code: &Code,
    ) -> KeyedHash {
        let (market, phone, word) = (market.as_str(), phone.as_str(), purpose.as_str());
        match purpose.user() {
            None => self.hash(&["code", market, phone, word, code.as_str()]),
            Some(user) => {
                self.hash(&["code", market, phone, word, &user.to_string(), code.as_str()])
            }
        }
    }

    /// The hash under which something of `kind` (`phone`, `ip`) is counted.
    pub fn subject(&self, kind: &str, value: &str) -> KeyedHash {
        self.hash(&["subject", kind, value])
    }

    /// The hash under which a phone is looked up and counted.
    pub fn phone(&self, phone: &Phone) -> KeyedHash {
        self.subject("phone", phone.as_str())
    }

    fn hash(&self, parts: &[&str]) -> KeyedHash {
        let mut mac = self.keyed.clone();
        for part in parts {
            // Each part is preceded by its length, so that no two lists of parts look the same.
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        KeyedHash(mac.finalize().into_bytes().into())
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hasher(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn codes_are_uniform_and_keep_leading_zeros() {
        let mut rng = rand::rng();
        let mut first_digits = [0_u32; 10];
        let draws = 100_000_u32;
        for _ in 0..draws {
            let code = Code::draw(&mut rng);
            assert_eq!(code.as_str().len(), 6);
            first_digits[usize::from(code.as_str().as_bytes()[0] - b'0')] += 1;
        }
        let expected = f64::from(draws) / 10.0;
        let chi_square: f64 =
            first_digits.iter().map(|n| (f64::from(*n) - expected).powi(2) / expected).sum();
        // 9 degrees of freedom: 45 is exceeded once in a million runs by a fair source.
        assert!(chi_square < 45.0, "{first_digits:?}");
    }

    #[test]
    fn a_code_is_bound_to_market_phone_and_purpose() {
        let hasher = Hasher::new(&[7; 32]);
        let (us, kg) = (MarketName::new("us").expect("us"), MarketName::new("kg").expect("kg"));
        let a = Phone::from_stored("+13128059851".into());
        let b = Phone::from_stored("+13128059852".into());
        let code = Code::parse("012345").expect("a code");
        let here = hasher.code(&us, &a, Purpose::SignIn, &code);
        assert!(here.matches(&hasher.code(&us, &a, Purpose::SignIn, &code).0));
        assert!(!here.matches(&hasher.code(&kg, &a, Purpose::SignIn, &code).0));
        assert!(!here.matches(&hasher.code(&us, &b, Purpose::SignIn, &code).0));
        let change = |user| hasher.code(&us, &a, Purpose::ChangePhone(UserId(user)), &code);
        assert!(!here.matches(&change(1).0) && !change(1).matches(&change(2).0));
        assert!(change(1).matches(&change(1).0));
        let stop = hasher.code(&us, &a, Purpose::StopPhoneChange, &code);
        assert!(!here.matches(&stop.0) && !change(1).matches(&stop.0));
        assert!(!here.matches(&Hasher::new(&[8; 32]).code(&us, &a, Purpose::SignIn, &code).0));
        assert_eq!(format!("{code:?} {here:?} {hasher:?}"), "•••••• KeyedHash(…) Hasher(…)");
    }

    #[test]
    fn a_pasted_code_is_the_code_that_is_seen() {
        for text in
            ["012345", " 012 345 ", "012-345", "\u{200e}012345\u{202c}", "٠١٢٣٤٥", "０１２３４５"]
        {
            let code = Code::parse(text);
            assert_eq!(code.as_ref().map(Code::as_str), Some("012345"), "{text:?}");
        }
        for other in ["", "12345", "0123456", "01234x", "+12345", "code 012345", "01234²"] {
            assert!(Code::parse(other).is_none(), "{other:?}");
        }
    }

    #[test]
    fn a_code_matches_itself_only() {
        let code = Code::parse("012345").expect("a code");
        assert!(code.matches("012345"));
        assert!(!code.matches("012346"));
    }

    #[test]
    fn the_words_of_purposes_stay_what_stored_hashes_were_made_with() {
        assert_eq!(Purpose::SignIn.as_str(), "sign_in");
        assert_eq!(Purpose::ChangePhone(UserId(1)).as_str(), "change_phone");
        assert_eq!(Purpose::StopPhoneChange.as_str(), "stop_phone_change");
    }

    proptest! {
        #[test]
        fn only_six_digits_are_a_code(text in "\\PC{0,12}|[0-9 ٠-٩\u{200e}x-]{5,9}") {
            let digits: String = text.chars().filter(|c| c.is_ascii_digit()).collect();
            if let Some(code) = Code::parse(&text) {
                prop_assert!(code.as_str().len() == 6 && !text.chars().any(char::is_alphabetic));
            } else {
                prop_assert!(digits.len() != 6 || digits != text);
            }
        }
    }
}

//! Phone numbers, kept in E.164 (ITU-T E.164), read and written by the `phonenumber` library.

use std::fmt;

use phonenumber::Mode;
use thiserror::Error;

/// The longest text looked at: E.164 has 15 digits, the rest is room for spaces and brackets.
const INPUT_BYTES_MAX: usize = 40;

/// A valid phone number in E.164, `+13128059851`.
///
/// `Debug` shows it masked, so that no log line can carry a whole number by accident.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Phone(String);

impl Phone {
    /// Reads what a person typed; a number without `+` is read as one of `region` (`US`).
    ///
    /// Spaces, dashes, dots and brackets are fine; letters are not.
    ///
    /// # Errors
    /// A text that is not a valid phone number of the world's numbering plans.
    pub fn parse(input: &str, region: Option<&str>) -> Result<Self, BadPhone> {
        let input = input.trim();
        let plain = |c: char| c.is_ascii_digit() || " -().\u{a0}".contains(c);
        let after_plus = input.strip_prefix('+').unwrap_or(input);
        if input.len() > INPUT_BYTES_MAX || !after_plus.chars().all(plain) {
            return Err(BadPhone);
        }
        let region = match region {
            Some(code) => Some(code.parse().map_err(|_| BadPhone)?),
            None => None,
        };
        let number = phonenumber::parse(region, input).map_err(|_| BadPhone)?;
        if !phonenumber::is_valid(&number) {
            return Err(BadPhone);
        }
        Ok(Self(number.format().mode(Mode::E164).to_string()))
    }

    /// Takes a number that this type printed before, such as one read back from the store.
    pub fn from_stored(e164: String) -> Self {
        Self(e164)
    }

    /// The number in E.164.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As its own country writes it for the world: `+1 312-805-9851`.
    pub fn formatted(&self) -> String {
        match phonenumber::parse(None, &self.0) {
            Ok(number) => number.format().mode(Mode::International).to_string(),
            Err(_) => self.0.clone(),
        }
    }

    /// For logs: `+1312•••9851`.
    pub fn masked(&self) -> String {
        let digits = self.0.len();
        match (self.0.get(..5), self.0.get(digits.saturating_sub(4)..)) {
            (Some(head), Some(tail)) if digits >= 11 => format!("{head}•••{tail}"),
            _ => "•••".to_owned(),
        }
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

/// Not a phone number.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("is not a valid phone number; write it like +13128059851")]
pub struct BadPhone;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_way_of_writing_it_is_the_same_number() {
        for text in [
            "+13128059851",
            " +1 (312) 805-9851",
            "312 805 9851",
            "1-312-805-9851",
            "(312) 805.9851",
        ] {
            let phone = Phone::parse(text, Some("US")).expect(text);
            assert_eq!(phone.as_str(), "+13128059851", "{text}");
        }
        let kg = Phone::parse("0700 123 456", Some("KG")).expect("a Kyrgyz mobile");
        assert_eq!(kg.as_str(), "+996700123456");
    }

    #[test]
    fn refuses_what_is_not_a_number() {
        for text in [
            "",
            "+",
            "+1312555abcd",
            "12",
            "+1 312 805 98511111",
            "+٣١٢٨٠٥٩٨٥١",
            "+1312805985１",
            "++13128059851",
            "+13128059851;ext=5",
        ] {
            assert_eq!(Phone::parse(text, Some("US")), Err(BadPhone), "{text}");
        }
        assert_eq!(Phone::parse("3128059851", None), Err(BadPhone));
    }

    #[test]
    fn room_for_spaces_has_an_end() {
        let spaced = |bytes: usize| format!("+1{}3128059851", " ".repeat(bytes - 12));
        let longest = Phone::parse(&spaced(INPUT_BYTES_MAX), None).expect("a number");
        assert_eq!(longest.as_str(), "+13128059851");
        assert_eq!(Phone::parse(&spaced(INPUT_BYTES_MAX + 1), None), Err(BadPhone));
    }

    #[test]
    fn a_log_shows_neither_the_middle_nor_a_short_number() {
        let phone = Phone::parse("+13128059851", None).expect("a number");
        assert_eq!(format!("{phone:?}"), "+1312•••9851");
        assert_eq!(phone.formatted(), "+1 312-805-9851");
        assert_eq!(Phone::from_stored("+29012345".into()).masked(), "•••");
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in "\\PC{0,60}") {
            let _ = Phone::parse(&text, Some("US"));
        }

        #[test]
        fn what_parses_is_a_fixed_point(national in "[2-9][0-9]{9}") {
            if let Ok(phone) = Phone::parse(&national, Some("US")) {
                prop_assert_eq!(Phone::parse(phone.as_str(), None), Ok(phone));
            }
        }
    }
}

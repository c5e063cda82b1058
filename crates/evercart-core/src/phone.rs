//! Phone numbers, kept in E.164 (ITU-T E.164), read and written by the `phonenumber` library.

use std::fmt;

use phonenumber::{Mode, Type};
use thiserror::Error;

use crate::pasted;

/// The longest text looked at, after what separates and what cannot be seen was dropped: E.164 has
/// a plus and 15 digits, and a national prefix may come before those.
const PLAIN_MAX: usize = 24;

/// The longest text looked at before that, in bytes. Room for three invisible characters around
/// each digit.
const INPUT_BYTES_MAX: usize = 256;

/// A valid phone number in E.164, `+13128059851`.
///
/// `Debug` shows it masked, so that no log line can carry a whole number by accident.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Phone(String);

/// What a call or a message to a number costs, as far as its digits tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhoneKind {
    /// A person's: mobile, fixed line, either, or internet telephony.
    Personal,
    /// A premium-rate, toll-free, shared-cost, pager, company, follow-me or voicemail number, or of
    /// no known kind: a message there costs extra or reaches nobody.
    Special,
}

impl Phone {
    /// Reads what a person typed or pasted; a number without `+` is read as one of `region` (`US`).
    ///
    /// Separators, invisible characters and `tel:` are fine, and so are the digits of every script
    /// (see [`pasted`]); letters are not.
    ///
    /// # Errors
    /// A text that is not a valid phone number of the world's numbering plans.
    pub fn parse(input: &str, region: Option<&str>) -> Result<Self, BadPhone> {
        let bad = || BadPhone { example: region.and_then(example) };
        if input.len() > INPUT_BYTES_MAX {
            return Err(bad());
        }
        let plain = pasted::plain(input);
        let number = number_of(&plain);
        let after_plus = number.strip_prefix('+').unwrap_or(number);
        if number.len() > PLAIN_MAX || !after_plus.bytes().all(|b| b.is_ascii_digit()) {
            return Err(bad());
        }
        let country = match region {
            Some(code) => Some(code.parse().map_err(|_| bad())?),
            None => None,
        };
        let number = phonenumber::parse(country, number).map_err(|_| bad())?;
        if !phonenumber::is_valid(&number) {
            return Err(bad());
        }
        Ok(Self(number.format().mode(Mode::E164).to_string()))
    }

    /// The region that the numbering plans give this number to (`US`, `JM`), if to one.
    pub fn region(&self) -> Option<String> {
        let number = phonenumber::parse(None, &self.0).ok()?;
        number.country().id().map(|id| id.as_ref().to_owned())
    }

    /// What kind of number it is. Fixed lines count as a person's: the plans of many countries do
    /// not tell them from mobiles, and a number keeps its digits when it moves to a mobile network.
    pub fn kind(&self) -> PhoneKind {
        let number = phonenumber::parse(None, &self.0);
        match number.map(|number| number.number_type(&phonenumber::metadata::DATABASE)) {
            Ok(Type::Mobile | Type::FixedLineOrMobile | Type::FixedLine | Type::Voip) => {
                PhoneKind::Personal
            }
            _ => PhoneKind::Special,
        }
    }

    /// True if what a person typed or pasted says its country itself, by a `+`.
    pub fn is_international(input: &str) -> bool {
        number_of(&pasted::plain(input)).starts_with('+')
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

/// The number without the scheme of a link (RFC 3966).
fn number_of(plain: &str) -> &str {
    match plain.split_at_checked(4) {
        Some((scheme, number)) if scheme.eq_ignore_ascii_case("tel:") => number,
        _ => plain,
    }
}

/// Not a phone number.
#[derive(Debug, Error, PartialEq, Eq)]
pub struct BadPhone {
    /// A number of the region that was asked for, in E.164.
    example: Option<String>,
}

impl fmt::Display for BadPhone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("is not a valid phone number; write it ")?;
        match &self.example {
            Some(example) => write!(f, "like {example}"),
            None => f.write_str("with + and its country's code"),
        }
    }
}

/// A mobile number that the region's numbering plan gives as an example.
fn example(region: &str) -> Option<String> {
    let plan = phonenumber::metadata::DATABASE.by_id(region)?;
    let plans = plan.descriptors();
    let national = plans.mobile().and_then(|mobile| mobile.example());
    let national = national.or_else(|| plans.fixed_line()?.example())?;
    Some(format!("+{}{national}", plan.country_code()))
}

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
    fn a_pasted_number_is_the_number_that_is_seen() {
        for (text, region, number) in [
            ("\u{202a}+1 312 805 0101\u{202c}", "US", "+13128050101"),
            ("\u{2066}+13128050102\u{2069}", "US", "+13128050102"),
            ("\u{200e}+13128050103", "US", "+13128050103"),
            ("+1 312\u{2011}805\u{2011}0104", "US", "+13128050104"),
            ("+1 312\u{2013}805\u{2013}0105", "US", "+13128050105"),
            ("+1\u{fe0e}-312-805-0106", "US", "+13128050106"),
            ("tel:+1-312-805-0107", "US", "+13128050107"),
            ("\u{200e}TEL: +1-312-805-0107", "US", "+13128050107"),
            ("0555/010/108", "KG", "+996555010108"),
            ("+1\u{202f}312\u{202f}805\u{202f}0109", "US", "+13128050109"),
            ("٠٥٥٥٠١٠١١٠", "KG", "+996555010110"),
            ("＋９９６５５５０１０１１１", "KG", "+996555010111"),
            ("（３１２）　８０５－９８５１", "US", "+13128059851"),
            ("+1312805985１", "US", "+13128059851"),
        ] {
            let phone = Phone::parse(text, Some(region));
            assert_eq!(phone.as_ref().map(Phone::as_str), Ok(number), "{text:?}");
        }
    }

    #[test]
    fn refuses_what_is_not_a_number() {
        for text in [
            "",
            "+",
            "+1312555abcd",
            "12",
            "+1 312 805 98511111",
            "+1312805985a",
            "+1312805985о",
            "++13128059851",
            "1+3128059851",
            "+13128059851;ext=5",
            "tel:tel:+13128059851",
            "sms:+13128059851",
            "+1312805985²",
            "+1312805985\u{0}1",
        ] {
            assert!(Phone::parse(text, Some("US")).is_err(), "{text}");
        }
        assert!(Phone::parse("3128059851", None).is_err());
    }

    #[test]
    fn a_refusal_shows_a_number_of_the_region_that_was_asked_for() {
        let said = |region| Phone::parse("12", region).expect_err("no number").to_string();
        for (region, head) in [("US", "like +1"), ("KG", "like +996"), ("DE", "like +49")] {
            let said = said(Some(region));
            let example = said.rsplit(' ').next().expect("a word");
            assert!(said.contains(head) && Phone::parse(example, None).is_ok(), "{said}");
        }
        assert!(said(None).ends_with("write it with + and its country's code"), "{}", said(None));
    }

    #[test]
    fn a_number_tells_its_region_and_whether_it_is_a_persons() {
        use PhoneKind::{Personal, Special};
        for (number, region, kind) in [
            ("+13128059851", Some("US"), Personal),
            ("+14165550123", Some("CA"), Personal),
            ("+18765550123", Some("JM"), Personal),
            ("+18095550123", Some("DO"), Personal),
            ("+12423570123", Some("BS"), Personal),
            ("+19002345678", Some("US"), Special),
            ("+18002345678", Some("US"), Special),
            ("+15002345678", Some("US"), Special),
            ("+996700123456", Some("KG"), Personal),
            ("+996312123456", Some("KG"), Personal),
        ] {
            let phone = Phone::parse(number, None).expect(number);
            assert_eq!((phone.region().as_deref(), phone.kind()), (region, kind), "{number}");
        }
    }

    #[test]
    fn what_cannot_be_seen_takes_no_room_and_has_an_end() {
        let spaced = |bytes: usize| format!("+1{}3128059851", " ".repeat(bytes - 12));
        let longest = Phone::parse(&spaced(INPUT_BYTES_MAX), None).expect("a number");
        assert_eq!(longest.as_str(), "+13128059851");
        assert!(Phone::parse(&spaced(INPUT_BYTES_MAX + 1), None).is_err());
        assert!(Phone::parse(&"1".repeat(PLAIN_MAX + 1), Some("US")).is_err());
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

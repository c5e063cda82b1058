//! Digits as people paste them: out of contacts, PDFs, word processors and messengers, and from
//! keyboards that are not Latin. What only separates or cannot be seen is dropped.

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// What is left of a pasted number: ASCII digits, a `+`, and whatever has no place in a number, for
/// the caller to refuse.
///
/// Dropped are spaces, dashes, dots, slashes and brackets of every script; format characters, such
/// as the direction marks and isolates that contacts and messengers put around a number; and
/// variation selectors. Decimal digits of every script become ASCII.
pub fn plain(text: &str) -> String {
    text.chars().filter(|c| !separates(*c)).map(ascii).collect()
}

fn separates(c: char) -> bool {
    let marks = "./()\u{b7}\u{2044}\u{2212}\u{2215}\u{ff08}\u{ff09}\u{ff0e}\u{ff0f}";
    // Variation selectors count as marks, not as format characters.
    let selects_variant = matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}');
    let kind = c.general_category();
    let kinds = [
        GeneralCategory::Format,
        GeneralCategory::SpaceSeparator,
        GeneralCategory::DashPunctuation,
    ];
    c.is_whitespace() || marks.contains(c) || selects_variant || kinds.contains(&kind)
}

fn ascii(c: char) -> char {
    match c {
        '\u{ff0b}' | '\u{fe62}' => '+',
        c => decimal(c).and_then(|value| char::from_digit(value, 10)).unwrap_or(c),
    }
}

/// The value of a decimal digit of any script. The digits of a script follow each other from 0 to
/// 9, and where several sets touch, they begin with a 0 (Unicode Standard section 4.6): so the
/// digits before one in its row tell its value.
fn decimal(c: char) -> Option<u32> {
    let is_digit = |c: char| c.general_category() == GeneralCategory::DecimalNumber;
    if !is_digit(c) {
        return None;
    }
    let before = (0..u32::from(c)).rev().map(char::from_u32);
    let before = before.take_while(|before| before.is_some_and(is_digit)).count();
    u32::try_from(before % 10).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_of_every_script_are_digits() {
        for zero in ['0', '\u{660}', '\u{6f0}', '\u{966}', '\u{ff10}', '\u{1d7ce}', '\u{1d7f6}'] {
            let digits: String = (0..10).filter_map(|n| char::from_u32(zero as u32 + n)).collect();
            assert_eq!(plain(&digits), "0123456789", "{zero:?}");
        }
        // Numbers that are no decimal digits: a superscript, a half, a Roman and a Chinese one.
        for other in ["\u{b2}", "\u{bd}", "\u{2167}", "\u{4e00}"] {
            assert_eq!(plain(other), other);
        }
    }

    #[test]
    fn what_only_separates_or_cannot_be_seen_is_dropped() {
        for nothing in [
            " -().\u{a0}",
            "\u{200e}\u{200f}\u{202a}\u{202c}\u{2066}\u{2069}\u{feff}\u{ad}\u{200b}",
            "\u{2010}\u{2011}\u{2012}\u{2013}\u{2014}\u{2015}\u{2212}\u{ff0d}",
            "\u{2009}\u{202f}\u{3000}\t\n",
            "/\u{2044}\u{2215}\u{ff0f}",
            "\u{fe0e}\u{fe0f}\u{e0100}",
        ] {
            assert_eq!(plain(nothing), "", "{nothing:?}");
        }
        assert_eq!(plain("\u{ff0b}1\u{2011}2"), "+12");
    }

    #[test]
    fn what_has_no_place_in_a_number_stays_to_be_refused() {
        for other in ["x", "\u{430}", "\u{0}", ";", ",", "#", "*", "\u{301}", "[", "o"] {
            assert_eq!(plain(other), other);
        }
    }
}

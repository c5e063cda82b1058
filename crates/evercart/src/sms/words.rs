//! A provider's own words in the log: enough to look the reason up, and nothing of the message.

use evercart_core::sms::Sms;

/// More than any provider's sentence; a page of HTML is cut.
const CHARACTERS_MAX: usize = 300;

/// Bytes of an answer that are read: the sentence is near its beginning.
pub const BYTES_MAX: usize = 8 * 1024;

/// So many digits in a row may be a code, or part of a phone, which may have marks between them.
const DIGITS_MIN: usize = 4;

/// What a provider said of a message, without the message: its text is left out, and longer numbers
/// are masked.
pub fn masked(said: &str, sms: &Sms) -> String {
    let mut said = said.replace(&sms.text, "(the text)");
    said = said.split(|c: char| c.is_whitespace() || c.is_control()).collect::<Vec<_>>().join(" ");
    let mut out = String::new();
    let mut number = String::new();
    for c in said.chars().chain(['\n']) {
        let is_mark = matches!(c, '-' | '.' | '(' | ')' | ' ' | '%') && !number.is_empty();
        if c.is_numeric() || c == '+' || is_mark {
            number.push(c);
            continue;
        }
        let digits = number.chars().filter(|c| c.is_numeric()).count();
        if digits < DIGITS_MIN {
            out.push_str(&number);
        } else {
            out.push_str("•••");
            out.push_str(&number[number.trim_end().len()..]);
        }
        number.clear();
        if c != '\n' {
            out.push(c);
        }
    }
    match out.char_indices().nth(CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", &out[..end]),
        None => out,
    }
}

#[cfg(test)]
mod tests {
    use evercart_core::market::MarketName;
    use evercart_core::phone::Phone;

    use super::*;

    #[test]
    fn the_words_stay_and_the_customer_goes() {
        let sms = Sms {
            to: Phone::from_stored("+13128059851".into()),
            text: "482913 is your sign-in code".into(),
            market: MarketName::new("us").expect("us"),
            kind: "sign_in_code",
        };
        for (said, expected) in [
            ("The 'To' number +13128059851 is not valid", "The 'To' number ••• is not valid"),
            ("bad: 482913 is your sign-in code", "bad: (the text)"),
            ("code 482913, (312) 805-98 51.", "code •••, (•••"),
            ("at most 160 signs, 3.5 of 10", "at most 160 signs, 3.5 of 10"),
            ("a\r\nb\u{7}c\td", "a  b c d"),
            ("٤٨٢٩١٣", "•••"),
        ] {
            assert_eq!(masked(said, &sms), expected);
        }
        assert_eq!(masked(&"é".repeat(999), &sms).chars().count(), CHARACTERS_MAX + 1);
    }
}

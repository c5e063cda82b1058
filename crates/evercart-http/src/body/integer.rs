//! Integers as clients write them. A JSON number has no type: `2`, `2.0` and `20e-1` are the same
//! one, and clients whose language knows only floats send the second. Others send what a form gave
//! them: `"2"`. Read exactly, with no float in between.

use std::borrow::Cow;

/// More digits than any integer in range has.
const DIGITS_MAX: usize = 18;

/// The integer that a JSON value is: a number without a fraction, however it is written, or a text
/// of nothing but digits.
pub(super) fn read(raw: &str) -> Option<i64> {
    if !raw.starts_with('"') {
        return of_number(raw);
    }
    of_text(&serde_json::from_str::<Cow<'_, str>>(raw).ok()?)
}

/// The integer that a text of nothing but digits is.
pub(crate) fn of_text(text: &str) -> Option<i64> {
    let is_plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    is_plain.then(|| of_number(text)).flatten()
}

/// The integer that a JSON number is.
fn of_number(raw: &str) -> Option<i64> {
    let (is_negative, number) = match raw.strip_prefix('-') {
        Some(number) => (true, number),
        None => (false, raw),
    };
    let (number, exponent) = match number.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, exponent.parse::<i64>().ok()?),
        None => (number, 0),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    if !digits().all(|b| b.is_ascii_digit()) || whole.is_empty() {
        return None;
    }
    // The number is these digits without the zeros at both ends, followed by `zeros` zeros.
    let leading = digits().take_while(|b| *b == b'0').count();
    let length = whole.len() + fraction.len();
    if leading == length {
        return Some(0);
    }
    let trailing =
        fraction.bytes().rev().chain(whole.bytes().rev()).take_while(|b| *b == b'0').count();
    let zeros = exponent.checked_sub(fraction.len() as i64)?.checked_add(trailing as i64)?;
    let kept = length - leading - trailing;
    let zeros = u32::try_from(zeros).ok()?;
    if kept.checked_add(zeros as usize)? > DIGITS_MAX {
        return None;
    }
    let value = digits().skip(leading).take(kept);
    let value = value.fold(0_i64, |value, digit| value * 10 + i64::from(digit - b'0'));
    let value = value.checked_mul(10_i64.checked_pow(zeros)?)?;
    Some(if is_negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_integer_is_a_number_without_a_fraction_or_its_digits_as_text() {
        for (raw, value) in [
            ("2", 2),
            ("2.0", 2),
            ("2.000", 2),
            ("\"2\"", 2),
            ("\"002\"", 2),
            ("\"\\u0032\"", 2),
            ("1e2", 100),
            ("1E+2", 100),
            ("20e-1", 2),
            ("2.50e1", 25),
            ("0.002e3", 2),
            ("-0", 0),
            ("0e999", 0),
            ("-2.0", -2),
            ("9007199254740991", 9_007_199_254_740_991),
            ("9007199254740991.0", 9_007_199_254_740_991),
            // One more than a float can tell from its neighbour.
            ("9007199254740993.0", 9_007_199_254_740_993),
        ] {
            assert_eq!(read(raw), Some(value), "{raw}");
        }
        for raw in [
            "2.5",
            "1e-1",
            "20e-2",
            "1e400",
            "1e18",
            "1e99999999999999999999",
            "1e-400",
            "true",
            "null",
            "[]",
            "{}",
            "[2]",
            "\"\"",
            "\" 2\"",
            "\"2.0\"",
            "\"2.5\"",
            "\"+2\"",
            "\"-2\"",
            "\"1e2\"",
            "\"x\"",
            "\"２\"",
            "\"\\ud800\"",
            "99999999999999999999999999999999",
        ] {
            assert_eq!(read(raw), None, "{raw}");
        }
    }

    proptest! {
        #[test]
        fn every_way_to_write_an_integer_reads_the_same(
            value in -999_999_999_999_999_i64..=999_999_999_999_999,
            zeros in 0_usize..40,
        ) {
            let noughts = "0".repeat(zeros);
            prop_assert_eq!(read(&value.to_string()), Some(value));
            prop_assert_eq!(read(&format!("{value}.0{noughts}")), Some(value));
            prop_assert_eq!(read(&format!("{value}0{noughts}e-{}", zeros + 1)), Some(value));
            prop_assert_eq!(read(&format!("{value}.{noughts}1")), None);
        }

        #[test]
        fn what_a_float_calls_an_integer_is_one(
            value in prop_oneof![any::<f64>(), -1e6..1e6, (-1e6..1e6).prop_map(f64::trunc)],
        ) {
            let raw = serde_json::to_string(&value).expect("a float is JSON");
            // Beyond this, what is written of a float is not all of its digits.
            if value.is_finite() && value.fract() == 0.0 && value.abs() < 9e15 {
                prop_assert_eq!(read(&raw), Some(value as i64));
            } else {
                prop_assert_eq!(read(&raw).filter(|read| read.abs() < 9_000_000_000_000_000), None);
            }
        }
    }
}

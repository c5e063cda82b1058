//! Which life of a store something belongs to. A store that was put back to an earlier moment
//! starts a new one, so that nothing given out in the lost time opens anything (G10).

use std::fmt;

/// A store's life: a random number, drawn anew whenever the store was put back to an earlier
/// moment. Tokens carry it, and the statement that compares the session epoch compares it, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Incarnation(pub i64);

/// Hexadecimal digits of an incarnation as text.
const DIGITS: usize = 16;

impl Incarnation {
    /// Reads what [`Display`](fmt::Display) writes, and no other spelling of it.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if text.len() != DIGITS || !text.bytes().all(plain) {
            return None;
        }
        let value = u64::from_str_radix(text, 16).ok()?;
        i64::try_from(value).ok().map(Self)
    }
}

/// As tokens carry it: a JavaScript number could not hold every one.
impl fmt::Display for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_incarnation_has_one_spelling() {
        for value in [0, 1, 0x0123_4567_89ab_cdef, i64::MAX] {
            let text = Incarnation(value).to_string();
            assert_eq!(Incarnation::parse(&text), Some(Incarnation(value)), "{text}");
        }
        for other in [
            "",
            "0",
            "00000000000000001",
            "000000000000000A",
            "+000000000000001",
            "8000000000000000",
            "ffffffffffffffff",
            "000000000000000g",
        ] {
            assert_eq!(Incarnation::parse(other), None, "{other}");
        }
    }
}

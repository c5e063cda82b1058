//! Valid phone numbers for made-up customers: all of a market's numbering plan in a fixed order,
//! so that millions are distinct and the same every time.

use evercart_core::market::Market;
use evercart_core::phone::Phone;

/// Digits that vary below an area or operator code.
const TAIL_DIGITS: u32 = 7;
const TAILS: u64 = 10_u64.pow(TAIL_DIGITS);

/// How far apart the beginnings of two seeds are: more than an area code, so that their first
/// customers differ even where the start of an area code is not given out.
const SEED_STRIDE: u64 = 12_500_000;

/// A market's numbers from some point on. It ends when all were given out.
pub struct DemoPhones {
    /// What comes before the tail: calling code and area code.
    heads: Vec<String>,
    next: u64,
    left: u64,
}

impl DemoPhones {
    /// The numbers of `market`, beginning at a point that `seed` decides.
    pub fn new(market: &Market, seed: u64) -> Self {
        let heads = heads(market);
        let total = heads.len() as u64 * TAILS;
        let next = seed.wrapping_mul(SEED_STRIDE) % total.max(1);
        Self { heads, next, left: total }
    }
}

impl Iterator for DemoPhones {
    type Item = Phone;

    fn next(&mut self) -> Option<Phone> {
        let total = self.heads.len() as u64 * TAILS;
        while self.left > 0 {
            let index = self.next;
            self.next = (self.next + 1) % total;
            self.left -= 1;
            let head = usize::try_from(index / TAILS).ok().and_then(|at| self.heads.get(at))?;
            let number = format!("{head}{:07}", index % TAILS);
            // The kinds and regions of numbers are told apart by their heads, as looked at there.
            if let Ok(phone) = Phone::parse(&number, None) {
                return Some(phone);
            }
        }
        None
    }
}

/// Beginnings below which there are numbers that the market accepts, so that these customers can
/// sign in: found by trying, so that it works for every country.
fn heads(market: &Market) -> Vec<String> {
    let prefix = &market.phone_prefix;
    let is_accepted =
        |number: &str| Phone::parse(number, None).is_ok_and(|phone| market.accepts(&phone).is_ok());
    // From plans with short codes to those with long ones.
    for digits in 1..=4_u32 {
        let heads: Vec<String> = (0..10_u32.pow(digits))
            .map(|code| format!("{prefix}{code:0width$}", width = digits as usize))
            .filter(|head| {
                let tails = ["2345678", "5012345", "7123456"];
                tails.iter().all(|tail| is_accepted(&format!("{head}{tail}")))
            })
            .take(50)
            .collect();
        if !heads.is_empty() {
            return heads;
        }
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn market(name: &str) -> Market {
        let layers = crate::config::Layers::built_in();
        let settings = crate::config::resolve(&layers).expect("the built-in settings");
        let mut markets = settings.markets.into_iter();
        markets.find(|market| market.name.as_str() == name).expect("built in")
    }

    #[test]
    fn numbers_are_valid_distinct_and_the_same_every_time() {
        for name in ["us", "kg"] {
            let market = market(name);
            let phones: Vec<Phone> = DemoPhones::new(&market, 1).take(2000).collect();
            assert_eq!(phones.len(), 2000, "{name}");
            let distinct: HashSet<&str> = phones.iter().map(Phone::as_str).collect();
            assert_eq!(distinct.len(), 2000, "{name}");
            for phone in &phones {
                assert_eq!(market.accepts(phone), Ok(()), "{phone:?}");
            }
            for head in heads(&market) {
                let phone = Phone::parse(&format!("{head}2345678"), None).expect("a number");
                assert_eq!(market.accepts(&phone), Ok(()), "{head}");
            }
            let again: Vec<Phone> = DemoPhones::new(&market, 1).take(2000).collect();
            assert_eq!(phones, again);
            assert_ne!(DemoPhones::new(&market, 2).next(), phones.first().cloned());
        }
    }

    #[test]
    fn there_are_millions_of_them() {
        for name in ["us", "kg"] {
            let phones = DemoPhones::new(&market(name), 1);
            assert!(phones.left >= 10_000_000, "{name}: {}", phones.left);
        }
    }
}

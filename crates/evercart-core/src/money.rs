//! Exact money: an integer of minor units, and the currency that says what a unit is.
//!
//! No binary float is ever on the way. The bounds below make overflow impossible: the dearest
//! possible cart is 100 lines of 999 pieces at [`PRICE_MAX`], 10^17 minor units, and an `i64` holds
//! 9·10^18.

use std::fmt;
use std::num::IntErrorKind;
use std::str::FromStr;

use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};
use thiserror::Error;

/// The highest price of one piece, in minor units (ten thousand million dollars).
pub const PRICE_MAX: Money = Money(1_000_000_000_000);

/// An amount in minor units (cents, tyiyn) of a currency that stands beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Money(pub i64);

impl Money {
    /// Nothing.
    pub const ZERO: Money = Money(0);

    /// The price of `quantity` pieces.
    pub fn times(self, quantity: u32) -> Money {
        Money(self.0.saturating_mul(i64::from(quantity)))
    }

    /// The sum of two amounts.
    pub fn plus(self, other: Money) -> Money {
        Money(self.0.saturating_add(other.0))
    }

    /// The amount in major units with exactly the currency's decimals: `59.99`, `20.00`.
    pub fn to_decimal(self, currency: Currency) -> Decimal {
        Decimal::new(self.0, currency.decimals())
    }

    /// Reads an amount in major units (`5999.99`).
    ///
    /// # Errors
    /// More decimals than the currency has, an amount out of range, or not a decimal number.
    pub fn parse(text: &str, currency: Currency) -> Result<Money, MoneyError> {
        let decimals = currency.decimals();
        let too_fine = MoneyError::TooManyDecimals { decimals };
        // The library would round what has an exponent, so that is applied here, to integers.
        let (number, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let exponent = read_exponent(exponent).ok_or(MoneyError::NotANumber)?;
        let number = match Decimal::from_str_exact(without_last_zeros(number)) {
            Ok(number) => number,
            Err(rust_decimal::Error::Underflow) => return Err(too_fine),
            Err(_) if is_number(number) => return Err(MoneyError::OutOfRange),
            Err(_) => return Err(MoneyError::NotANumber),
        };
        let mut minor = number.mantissa();
        if minor == 0 {
            return Ok(Money::ZERO);
        }
        let shift = i64::from(decimals) - i64::from(number.scale());
        let mut zeros = exponent.saturating_add(shift);
        while zeros < 0 && minor % 10 == 0 {
            (minor, zeros) = (minor / 10, zeros + 1);
        }
        if zeros < 0 {
            return Err(too_fine);
        }
        let minor = u32::try_from(zeros)
            .ok()
            .and_then(|zeros| 10_i128.checked_pow(zeros))
            .and_then(|power| minor.checked_mul(power))
            .and_then(|minor| i64::try_from(minor).ok());
        minor.map(Money).ok_or(MoneyError::OutOfRange)
    }

    /// The tax contained in this gross amount at `rate` (0.12 is 12 %), rounded half to even.
    pub fn tax_included(self, rate: Decimal) -> Money {
        let gross = Decimal::from(self.0);
        let net = gross / (Decimal::ONE + rate);
        let tax = (gross - net).round_dp_with_strategy(0, RoundingStrategy::MidpointNearestEven);
        Money(tax.to_i64().unwrap_or(0))
    }
}

/// Zeros behind the last decimal say nothing, and there may be more than the library holds.
fn without_last_zeros(number: &str) -> &str {
    match number.split_once('.') {
        Some((whole, _)) if whole.ends_with(|c: char| c.is_ascii_digit()) => {
            number.trim_end_matches('0')
        }
        _ => number,
    }
}

/// True also for what is too long for the library, which does not tell that from what is no number.
/// Floats have the same grammar and no limit; nothing is done with the float.
fn is_number(number: &str) -> bool {
    number.parse::<f64>().is_ok() && number.contains(|c: char| c.is_ascii_digit())
}

/// An exponent; one that is too long to count with is as good as the longest.
fn read_exponent(text: &str) -> Option<i64> {
    match text.parse::<i64>() {
        Ok(exponent) => Some(exponent),
        Err(error) => match error.kind() {
            IntErrorKind::PosOverflow => Some(i64::MAX),
            IntErrorKind::NegOverflow => Some(i64::MIN),
            _ => None,
        },
    }
}

impl std::iter::Sum for Money {
    fn sum<I: Iterator<Item = Money>>(iter: I) -> Money {
        iter.fold(Money::ZERO, Money::plus)
    }
}

/// Why a text is not an amount of money.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum MoneyError {
    /// Not a decimal number at all.
    #[error("is not a decimal number")]
    NotANumber,
    /// Finer than the currency's smallest unit.
    #[error("has more than {decimals} decimals")]
    TooManyDecimals {
        /// How many the currency has.
        decimals: u32,
    },
    /// Does not fit.
    #[error("is out of range")]
    OutOfRange,
}

/// An ISO 4217 currency.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// The three letters, `USD`.
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// How people write it, `$`.
    pub fn symbol(self) -> String {
        self.0.symbol().to_string()
    }

    /// Digits after the decimal point of a major unit (ISO 4217 minor unit).
    pub fn decimals(self) -> u32 {
        self.0.exponent().map_or(0, u32::from)
    }
}

impl FromStr for Currency {
    type Err = UnknownCurrency;

    fn from_str(code: &str) -> Result<Self, Self::Err> {
        iso_currency::Currency::from_code(code).map(Currency).ok_or(UnknownCurrency)
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// Not a currency of ISO 4217.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("is not an ISO 4217 currency code such as USD")]
pub struct UnknownCurrency;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn usd() -> Currency {
        "USD".parse().expect("USD is a currency")
    }

    #[test]
    fn a_tenth_and_two_tenths_are_three_tenths() {
        let a = Money::parse("0.1", usd()).expect("a price");
        let b = Money::parse("0.2", usd()).expect("a price");
        assert_eq!(a.plus(b).to_decimal(usd()).to_string(), "0.30");
        assert_eq!(Money(1999).times(5).to_decimal(usd()).to_string(), "99.95");
    }

    #[test]
    fn refuses_what_is_not_an_amount() {
        assert_eq!(Money::parse("1.999", usd()), Err(MoneyError::TooManyDecimals { decimals: 2 }));
        for text in ["", "NaN", "inf", "12,50", "0x10", "1 000"] {
            assert_eq!(Money::parse(text, usd()), Err(MoneyError::NotANumber), "{text}");
        }
        assert_eq!(Money::parse("99999999999999999999", usd()), Err(MoneyError::OutOfRange));
        assert_eq!(
            Money::parse("5.999999e3", usd()),
            Err(MoneyError::TooManyDecimals { decimals: 2 })
        );
        assert_eq!(Money::parse("5.99999e3", usd()), Ok(Money(599_999)));
        for text in ["5.69e+265", "1e400", "9e28", "-1e30", &"9".repeat(40), &"1".repeat(400)] {
            assert_eq!(Money::parse(text, usd()), Err(MoneyError::OutOfRange), "{text}");
        }
        assert_eq!(Money::parse("9223372036854775807e-2", usd()), Ok(Money(i64::MAX)));
        assert_eq!(Money::parse("92233720368547758.08", usd()), Err(MoneyError::OutOfRange));
        assert_eq!(Money::parse("-92233720368547758.08", usd()), Ok(Money(i64::MIN)));
        for text in ["0", "-0.00", "0e999999999999999999999", "0e-5", "+.0", "00.000"] {
            assert_eq!(Money::parse(text, usd()), Ok(Money::ZERO), "{text}");
        }
        for text in ["7.5", "+7.50", "07.5000", "75e-1", "0.0075E+3", "7_.5_0"] {
            assert_eq!(Money::parse(text, usd()), Ok(Money(750)), "{text}");
        }
        let fine = Err(MoneyError::TooManyDecimals { decimals: 2 });
        for text in [
            "2.2e-309",
            "1e-400",
            "1e-29",
            &format!("0.{}1", "0".repeat(40)),
            "1e-99999999999999999999",
            &format!("59.99{}1e0", "0".repeat(30)),
        ] {
            assert_eq!(Money::parse(text, usd()), fine, "{text}");
        }
        for text in
            ["1e", "e5", "1e5e5", "1e+", "--1", "1.2.3", "+", "-", ".", "_1", "１", "-e1", "1e 1"]
        {
            assert_eq!(Money::parse(text, usd()), Err(MoneyError::NotANumber), "{text}");
        }
    }

    #[test]
    fn a_currency_is_written_as_its_code_and_symbol() {
        assert_eq!((usd().code(), &*usd().symbol()), ("USD", "$"));
        assert_eq!(format!("{:?}", usd()), "USD");
    }

    #[test]
    fn tax_is_the_part_contained_in_the_price() {
        let rate = Decimal::new(12, 2);
        assert_eq!(Money(11_200).tax_included(rate), Money(1_200));
        assert_eq!(Money(0).tax_included(rate), Money(0));
        assert_eq!(Money(10_000).tax_included(Decimal::ZERO), Money(0));
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(minor in -1_000_000_000_000_i64..1_000_000_000_000_000) {
            let text = Money(minor).to_decimal(usd()).to_string();
            prop_assert_eq!(Money::parse(&text, usd()), Ok(Money(minor)));
            prop_assert_eq!(text.split('.').nth(1).map(str::len), Some(2));
        }

        #[test]
        fn parsing_never_panics(text in "\\PC{0,40}") {
            let _ = Money::parse(&text, usd());
        }

        #[test]
        fn tax_never_exceeds_the_price(minor in 0_i64..1_000_000_000_000, percent in 0_i64..100) {
            let tax = Money(minor).tax_included(Decimal::new(percent, 2));
            prop_assert!(tax >= Money::ZERO && tax <= Money(minor));
        }
    }
}

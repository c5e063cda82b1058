//! A market: one country's shop, with its own users, catalogue, currency, prices and orders.

use std::fmt;
use std::sync::Arc;

use rust_decimal::Decimal;
use thiserror::Error;

use crate::money::{Currency, Money};
use crate::phone::{Phone, PhoneKind};

/// The short name of a market (`us`, `kg`): what stands in a token's `market` and in `X-Market`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MarketName(Arc<str>);

impl MarketName {
    /// Accepts 1 to 16 lower-case ASCII letters, digits or `-`, since it becomes part of file
    /// names.
    ///
    /// # Errors
    /// Anything else.
    pub fn new(name: &str) -> Result<Self, BadMarketName> {
        let fits = (1..=16).contains(&name.len());
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if fits && name.bytes().all(plain) && !name.starts_with('-') {
            Ok(Self(name.into()))
        } else {
            Err(BadMarketName)
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MarketName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for MarketName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

/// Not usable as a market's name.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("must be 1 to 16 lower-case letters, digits or dashes, such as us")]
pub struct BadMarketName;

/// What the shop needs to know of a market.
#[derive(Debug, Clone)]
pub struct Market {
    /// Its short name.
    pub name: MarketName,
    /// The country's name for people, `United States`.
    pub country: String,
    /// ISO 3166-1 alpha-2 code, `US`: how phones without a prefix are read.
    pub region: String,
    /// What prices are in.
    pub currency: Currency,
    /// Calling code with its plus, `+996`. Only such phones may sign in.
    pub phone_prefix: String,
    /// The regions, by ISO 3166-1 code, whose phones may sign in: a calling code may be shared, as
    /// `+1` is by 25 of them.
    pub regions: Vec<String>,
    /// BCP 47 languages, the default first.
    pub languages: Vec<String>,
    /// What delivery costs.
    pub shipping: Shipping,
    /// The tax contained in prices: 0.12 is 12 %.
    pub tax_rate: Decimal,
}

impl Market {
    /// The language of a customer who has not chosen one.
    pub fn language(&self) -> &str {
        self.languages.first().map_or("en", String::as_str)
    }

    /// Whether this phone may sign in here and get messages. It must begin with the calling code,
    /// belong to one of the regions, and be a person's: a message to any other may cost a hundred
    /// times as much, which is what those earn from who make shops send them.
    ///
    /// # Errors
    /// Why not.
    pub fn accepts(&self, phone: &Phone) -> Result<(), Unaccepted> {
        if !phone.as_str().starts_with(&self.phone_prefix) {
            return Err(Unaccepted::Prefix(self.phone_prefix.clone()));
        }
        if phone.kind() != PhoneKind::Personal {
            return Err(Unaccepted::Kind);
        }
        match phone.region() {
            Some(region) if self.regions.contains(&region) => Ok(()),
            found => Err(Unaccepted::Region { found, accepted: self.regions.join(", ") }),
        }
    }
}

/// Why a phone may not sign in to a market.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum Unaccepted {
    /// It is of another calling code.
    #[error("must be a number that starts with {0}")]
    Prefix(String),
    /// It is a premium-rate, toll-free, pager or similar number.
    #[error(
        "is a special-rate, toll-free or service number; use the number of a mobile phone or a \
         fixed line"
    )]
    Kind,
    /// It shares the calling code, and is of another region.
    #[error(
        "is a number of {}; this shop accepts numbers of {accepted}",
        found.as_deref().unwrap_or("no region")
    )]
    Region {
        /// Whose it is.
        found: Option<String>,
        /// Whose would do.
        accepted: String,
    },
}

/// A flat fee that falls away from a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shipping {
    /// The fee.
    pub flat: Money,
    /// Free when the goods cost at least this much.
    pub free_from: Option<Money>,
}

impl Shipping {
    /// What delivery of goods worth `subtotal` costs.
    pub fn cost(self, subtotal: Money) -> Money {
        match self.free_from {
            Some(threshold) if subtotal >= threshold => Money::ZERO,
            _ => self.flat,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe_in_a_file_name() {
        assert!(MarketName::new("us").is_ok());
        for bad in ["", "US", "../kg", "a b", "-x", "aaaaaaaaaaaaaaaaa", "кг"] {
            assert_eq!(MarketName::new(bad), Err(BadMarketName), "{bad}");
        }
    }

    #[test]
    fn a_name_is_shown_as_it_is() {
        let name = MarketName::new("us").expect("a name");
        assert_eq!(format!("{name} {name:?}"), "us \"us\"");
    }

    fn market(region: &str, phone_prefix: &str) -> Market {
        Market {
            name: MarketName::new("kg").expect("a name"),
            country: "Kyrgyzstan".into(),
            region: region.into(),
            currency: "KGS".parse().expect("a currency"),
            phone_prefix: phone_prefix.into(),
            regions: vec![region.into()],
            languages: vec!["ky".into(), "ru".into()],
            shipping: Shipping { flat: Money::ZERO, free_from: None },
            tax_rate: Decimal::ZERO,
        }
    }

    #[test]
    fn only_a_persons_phone_of_the_markets_regions_is_accepted() {
        let phone = |text: &str| Phone::parse(text, None).expect(text);
        let mut us = market("US", "+1");
        assert_eq!(us.accepts(&phone("+13128059851")), Ok(()));
        let prefix = Unaccepted::Prefix("+1".into());
        assert_eq!(us.accepts(&phone("+996700123456")), Err(prefix));
        for special in ["+19002345678", "+18002345678", "+15002345678"] {
            assert_eq!(us.accepts(&phone(special)), Err(Unaccepted::Kind), "{special}");
        }
        for abroad in ["+18765550123", "+18095550123", "+12423570123", "+14165550123"] {
            let refusal = us.accepts(&phone(abroad)).expect_err(abroad).to_string();
            assert!(refusal.ends_with("this shop accepts numbers of US"), "{refusal}");
        }
        us.regions.push("CA".into());
        assert_eq!(us.accepts(&phone("+14165550123")), Ok(()));
        assert_eq!(market("KG", "+996").accepts(&phone("+996700123456")), Ok(()));
    }

    #[test]
    fn the_first_language_is_that_of_who_has_chosen_none() {
        let mut market = market("KG", "+996");
        assert_eq!(market.language(), "ky");
        market.languages.clear();
        assert_eq!(market.language(), "en");
    }

    #[test]
    fn shipping_is_free_from_the_threshold_on() {
        let shipping = Shipping { flat: Money(15_000), free_from: Some(Money(500_000)) };
        assert_eq!(shipping.cost(Money(499_999)), Money(15_000));
        assert_eq!(shipping.cost(Money(500_000)), Money::ZERO);
        let always = Shipping { flat: Money(100), free_from: None };
        assert_eq!(always.cost(Money(i64::MAX)), Money(100));
    }
}

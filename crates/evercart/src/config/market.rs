//! Reads `[markets.NAME]` into markets.

use evercart_core::market::{Market, MarketName, Shipping};
use evercart_core::money::{Currency, Money, PRICE_MAX};
use evercart_core::phone::Phone;
use rust_decimal::Decimal;

use crate::failure::Failure;

use super::read::Reader;

/// A number every numbering plan library knows: parsing it fails only if the region is unknown.
const KNOWN_NUMBER: &str = "+13128059851";

/// The enabled markets.
pub fn all(read: &Reader<'_>) -> Result<Vec<Market>, Failure> {
    let mut markets = Vec::new();
    for name in read.layers().markets() {
        if read.boolean(&format!("markets.{name}.enabled"))? {
            markets.push(one(read, &name)?);
        }
    }
    if markets.is_empty() {
        return Err(Failure::used_wrongly(
            "every market is disabled, so there is nothing to serve",
        )
        .hint("remove an `enabled = false`, or add a [markets.NAME] section"));
    }
    Ok(markets)
}

/// The configured default market.
pub fn default(read: &Reader<'_>, markets: &[Market]) -> Result<Option<MarketName>, Failure> {
    let names = markets.iter().map(|market| market.name.as_str()).collect::<Vec<_>>().join(" or ");
    read.optional_checked("default_market", &names, |text| {
        let market = markets.iter().find(|market| market.name.as_str() == text)?;
        Some(market.name.clone())
    })
}

fn one(read: &Reader<'_>, name: &str) -> Result<Market, Failure> {
    let key = |last: &str| format!("markets.{name}.{last}");
    let market_name = MarketName::new(name).map_err(|rule| {
        Failure::used_wrongly(format!("[markets.{name}]: a market's name {rule}"))
    })?;
    let currency: Currency =
        read.checked(&key("currency"), "an ISO 4217 code such as USD", |text| text.parse().ok())?;
    let money = |last: &str| {
        let expected = format!("an amount of {} such as {}", currency.code(), example(currency));
        read.amount(&key(last), &expected, |text| price(text, currency))
    };
    let free_from = key("shipping.free_from");
    let never = read.layers().get(&free_from).is_none_or(
        |found| matches!(&found.value, super::layers::Value::Text(text) if text == "never"),
    );
    Ok(Market {
        country: read.text(&key("country"))?,
        region: read.checked(&key("region"), "an ISO 3166-1 code such as US", |text| {
            // The numbering plans of the world take 70 ms and 10 MB to load, which the first start
            // of a shop that configures nothing need not wait for.
            let is_known =
                !read.given(&key("region")) || Phone::parse(KNOWN_NUMBER, Some(text)).is_ok();
            is_known.then(|| text.to_owned())
        })?,
        phone_prefix: read.checked(&key("phone_prefix"), "a calling code such as +1", |text| {
            let digits = text.strip_prefix('+')?;
            let is_code = (1..=7).contains(&digits.len())
                && !digits.starts_with('0')
                && digits.bytes().all(|b| b.is_ascii_digit());
            is_code.then(|| text.to_owned())
        })?,
        regions: regions(read, &key("regions"), &key("region"))?,
        languages: languages(read, &key("languages"))?,
        shipping: Shipping {
            flat: money("shipping.flat")?,
            free_from: match never {
                true => None,
                false => Some(money("shipping.free_from")?),
            },
        },
        tax_rate: read.amount(&key("tax_rate"), "a part of 1, such as 0.12", |text| {
            let rate = Decimal::from_str_exact(text).ok()?;
            (rate >= Decimal::ZERO && rate < Decimal::ONE).then_some(rate)
        })?,
        currency,
        name: market_name,
    })
}

fn price(text: &str, currency: Currency) -> Option<Money> {
    let money = Money::parse(text, currency).ok()?;
    (Money::ZERO..=PRICE_MAX).contains(&money).then_some(money)
}

fn example(currency: Currency) -> String {
    Money(999).to_decimal(currency).to_string()
}

/// The regions whose phones may sign in: the market's own unless others are named.
fn regions(read: &Reader<'_>, key: &str, own: &str) -> Result<Vec<String>, Failure> {
    if !read.given(key) {
        return Ok(vec![read.text(own)?]);
    }
    let expected = "ISO 3166-1 codes such as US";
    let known = |text: &str| Phone::parse(KNOWN_NUMBER, Some(text)).is_ok();
    let regions = read.list(key, expected, |text| known(text).then(|| text.to_owned()))?;
    match regions.is_empty() {
        true => Err(read.wrong(key, &format!("at least one of {expected}"))),
        false => Ok(regions),
    }
}

fn languages(read: &Reader<'_>, key: &str) -> Result<Vec<String>, Failure> {
    let expected = "BCP 47 languages such as en";
    let languages = read.list(key, expected, |text| {
        let is_tag = (2..=35).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        is_tag.then(|| text.to_owned())
    })?;
    match languages.is_empty() {
        true => Err(read.wrong(key, &format!("at least one of {expected}"))),
        false => Ok(languages),
    }
}

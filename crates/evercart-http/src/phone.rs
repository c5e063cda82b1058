//! Which phone a request is about, and whose market it is.

use axum::http::HeaderMap;
use evercart_core::code::{Code, KeyedHash};
use evercart_core::phone::Phone;

use crate::body::Fields;
use crate::extract;
use crate::problem::{Code as ProblemCode, Problem};
use crate::{Shop, ShopMarket};

/// The most characters of a phone as a person types it.
pub(crate) const PHONE_MAX: usize = 40;

/// A phone in the market it belongs to.
pub(crate) struct PhoneOf<'a> {
    pub(crate) phone: Phone,
    pub(crate) at: &'a ShopMarket,
}

impl PhoneOf<'_> {
    /// The hash under which the phone is looked up and counted.
    pub(crate) fn hash(&self, shop: &Shop) -> KeyedHash {
        shop.hasher.phone(&self.phone)
    }

    /// The codes that the configuration accepts for it.
    pub(crate) fn test_codes<'s>(&self, shop: &'s Shop) -> Option<&'s [Code]> {
        let entry = shop.test_phones.iter().find(|(phone, _)| *phone == self.phone);
        entry.map(|(_, codes)| codes.as_slice())
    }
}

/// Reads `phone` and finds its market: the token's or the one in `X-Market`, else that of the
/// phone's prefix, else the default.
pub(crate) fn read_phone<'a>(
    fields: &mut Fields<'_>,
    headers: &HeaderMap,
    shop: &'a Shop,
) -> Result<Option<PhoneOf<'a>>, Problem> {
    let chosen = extract::chosen_market(headers, shop)?;
    let field = fields.spelling(&["phone", "phone_number"]);
    let text = fields.text(field, PHONE_MAX);
    if text.is_empty() {
        return Ok(None);
    }
    let phone = if text.starts_with('+') {
        Phone::parse(&text, None)
    } else {
        let market = chosen
            .or_else(|| extract::default_market(shop))
            .ok_or_else(|| market_required(shop))?;
        Phone::parse(&text, Some(&shop.markets[market].market.region))
    };
    let phone = match phone {
        Ok(phone) => phone,
        Err(error) => {
            fields.wrong(field, error.to_string());
            return Ok(None);
        }
    };
    let belongs = |at: &ShopMarket| phone.as_str().starts_with(&at.market.phone_prefix);
    let market = match chosen {
        Some(market) => Some(market).filter(|market| belongs(&shop.markets[*market])),
        None => extract::default_market(shop)
            .filter(|market| belongs(&shop.markets[*market]))
            .or_else(|| shop.markets.iter().position(belongs)),
    };
    if let Some(market) = market {
        return Ok(Some(PhoneOf { phone, at: &shop.markets[market] }));
    }
    let prefixes: Vec<_> = match chosen {
        Some(market) => vec![shop.markets[market].market.phone_prefix.as_str()],
        None => shop.markets.iter().map(|at| at.market.phone_prefix.as_str()).collect(),
    };
    fields.wrong(field, format!("must be a number that starts with {}", prefixes.join(" or ")));
    Ok(None)
}

/// Reads a phone as people write it in this market, whether or not it is one of its own.
pub(crate) fn read_phone_of<'a>(
    fields: &mut Fields<'_>,
    field: &'static str,
    at: &'a ShopMarket,
) -> Option<PhoneOf<'a>> {
    let text = fields.text(field, PHONE_MAX);
    if text.is_empty() {
        return None;
    }
    match Phone::parse(&text, Some(&at.market.region)) {
        Ok(phone) => Some(PhoneOf { phone, at }),
        Err(error) => {
            fields.wrong(field, error.to_string());
            None
        }
    }
}

/// Neither the phone nor anything else tells a market.
fn market_required(shop: &Shop) -> Problem {
    let names = extract::names(shop);
    Problem::new(
        ProblemCode::MarketRequired,
        format!(
            "Write the phone with + and its country's code, or name a market in X-Market: {names}."
        ),
    )
}

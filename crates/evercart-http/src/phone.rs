//! Which phone a request is about, and whose market it is.

use axum::http::HeaderMap;
use evercart_core::code::{Code, KeyedHash};
use evercart_core::market::Unaccepted;
use evercart_core::phone::Phone;

use crate::body::Fields;
use crate::extract;
use crate::problem::{Code as ProblemCode, Problem};
use crate::{Shop, ShopMarket};

/// The most characters of a phone as a person types it, without what separates.
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

    /// The codes that the configuration accepts for it. They sign in, and nothing else.
    pub(crate) fn test_codes<'s>(&self, shop: &'s Shop) -> Option<&'s [Code]> {
        let now = shop.clock.now();
        let entry = shop.test_phones.iter().find(|test| test.phone == self.phone);
        entry.filter(|test| test.is_in_use(now)).map(|test| test.codes.as_slice())
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
    let text = fields.pasted(field, PHONE_MAX);
    if text.is_empty() {
        return Ok(None);
    }
    let default = extract::default_market(shop);
    let home = chosen.or(default);
    if home.is_none() && !Phone::is_international(&text) {
        return Err(market_required(shop));
    }
    let phone = match Phone::parse(&text, home.map(|home| &*shop.markets[home].market.region)) {
        Ok(phone) => phone,
        Err(error) => {
            fields.wrong(field, error.to_string());
            return Ok(None);
        }
    };
    let accepts = |market: &usize| shop.markets[*market].market.accepts(&phone);
    let markets = match chosen {
        Some(market) => vec![market],
        // The default market first: a calling code may be that of several.
        None => default.into_iter().chain(0..shop.markets.len()).collect(),
    };
    if let Some(market) = markets.iter().find(|market| accepts(market).is_ok()) {
        return Ok(Some(PhoneOf { phone, at: &shop.markets[*market] }));
    }
    // What is wrong with a number of the market's country says more than that it is none.
    let mut why = markets.iter().filter_map(|market| accepts(market).err());
    let nearer = why.find(|why| !matches!(why, Unaccepted::Prefix(_)));
    let detail = nearer.map_or_else(
        || {
            let asked = shop.markets.iter().enumerate();
            let asked = asked.filter(|(market, _)| chosen.is_none_or(|chosen| chosen == *market));
            let prefixes: Vec<_> = asked.map(|(_, at)| &*at.market.phone_prefix).collect();
            format!("must be a number that starts with {}", prefixes.join(" or "))
        },
        |why| why.to_string(),
    );
    fields.wrong(field, detail);
    Ok(None)
}

/// Reads a phone as people write it in this market, whether or not it is one of its own.
pub(crate) fn read_phone_of<'a>(
    fields: &mut Fields<'_>,
    field: &'static str,
    at: &'a ShopMarket,
) -> Option<PhoneOf<'a>> {
    let text = fields.pasted(field, PHONE_MAX);
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

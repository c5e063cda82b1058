//! `/auth/markets`: the shop's markets, and which of a market's languages a client speaks.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use evercart_core::market::Market;
use serde::Serialize;
use utoipa::ToSchema;

use crate::Shop;
use crate::header_list;
use crate::json::{Amount, Audience, answer};
use crate::openapi::{Default5xx, examples};

/// The markets of this shop.
#[derive(Serialize, ToSchema)]
struct Markets<'a> {
    markets: Vec<MarketJson<'a>>,
    /// The market of requests that name none, if there is one.
    #[schema(required = true)]
    default_market: Option<&'a str>,
}

/// A market: one country's shop with its own customers, catalogue and prices.
#[derive(Serialize, ToSchema)]
#[schema(as = Market)]
struct MarketJson<'a> {
    /// Its short name, for `X-Market`.
    #[schema(example = "us")]
    market: &'a str,
    #[schema(example = "United States")]
    country: &'a str,
    #[schema(example = "USD")]
    currency: &'static str,
    #[schema(example = "USD")]
    currency_code: &'static str,
    #[schema(example = "$")]
    currency_symbol: String,
    /// Only such phones may sign in.
    #[schema(example = "+1")]
    phone_prefix: &'a str,
    /// The default language.
    #[schema(example = "en")]
    language: &'a str,
    #[schema(example = json!(["en"]))]
    languages: &'a [String],
    shipping: ShippingJson,
}

/// What delivery costs, so that a customer sees the whole price before ordering.
#[derive(Serialize, ToSchema)]
#[schema(as = Shipping, example = examples::shipping)]
struct ShippingJson {
    /// What delivery of an order costs, in the market's currency.
    flat: Amount,
    /// From goods of this price on delivery is free; null if it never is.
    #[schema(required = true)]
    free_from: Option<Amount>,
}

impl ShippingJson {
    fn of(market: &Market) -> Self {
        let amount = |money| Amount(money, market.currency);
        Self {
            flat: amount(market.shipping.flat),
            free_from: market.shipping.free_from.map(amount),
        }
    }
}

/// The shop's markets
#[utoipa::path(get, path = "/auth/markets", tag = "Signing in",
    responses((status = 200, description = "The markets", body = Markets),
              Default5xx))]
pub(crate) async fn list_markets(State(shop): State<Arc<Shop>>) -> Response {
    let markets = shop.markets.iter().map(|at| {
        let market = &at.market;
        MarketJson {
            market: market.name.as_str(),
            country: &market.country,
            currency: market.currency.code(),
            currency_code: market.currency.code(),
            currency_symbol: market.currency.symbol(),
            phone_prefix: &market.phone_prefix,
            language: market.language(),
            languages: &market.languages,
            shipping: ShippingJson::of(market),
        }
    });
    let default_market = shop.default_market.as_ref().map(|name| name.as_str());
    let json = Markets { markets: markets.collect(), default_market };
    answer(StatusCode::OK, Audience::Public, &json)
}

/// The language of `Accept-Language` that the market has and the client likes best, else the
/// market's own.
pub(crate) fn language<'a>(headers: &HeaderMap, market: &'a Market) -> &'a str {
    let primary = |tag: &'a str| tag.split('-').next().unwrap_or(tag);
    let wanted = header_list::weighted(headers, &header::ACCEPT_LANGUAGE);
    wanted
        .iter()
        .find_map(|tag| {
            let tag = tag.split('-').next().unwrap_or(tag);
            market.languages.iter().find(|has| primary(has).eq_ignore_ascii_case(tag))
        })
        .map_or(market.language(), String::as_str)
}

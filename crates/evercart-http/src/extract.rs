//! What a request is allowed to be about: the customer its token speaks for, or at least a market.
//! Reads headers and paths; whether the customer is still signed in, the store says.

use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use evercart_core::error::Refused;
use evercart_core::ids::{ID_MAX, UserId};
use evercart_core::market::{Market, MarketName};
use evercart_core::money::Currency;
use evercart_core::store::Store;
use evercart_core::token::{TokenError, VerifiedToken};
use evercart_core::user::Session;
use jiff::{SignedDuration, Timestamp};

use crate::account::{NoTurn, Turn};
use crate::problem::{Code, Problem};
use crate::streams::{Entry, NoRoom, Unread};
use crate::{Shop, ShopMarket};

/// A customer, as a genuine and unexpired token claims. A handler that takes one cannot be reached
/// without such a token, and this extractor is the only way to make one.
#[derive(Clone)]
pub(crate) struct Customer {
    shop: Arc<Shop>,
    market: usize,
    session: Session,
    issued_at: Timestamp,
    expires_at: Timestamp,
}

impl Customer {
    /// The claim; each operation of the store checks it first.
    pub(crate) fn session(&self) -> Session {
        self.session
    }

    /// Where this customer's data is.
    pub(crate) fn store(&self) -> &dyn Store {
        &*self.shop.markets[self.market].store
    }

    /// The same, for work that outlives the request.
    pub(crate) fn owned_store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.shop.markets[self.market].store)
    }

    /// Makes room for a stream of events to this customer.
    pub(crate) fn enter_stream(&self, unread: Unread) -> Result<Entry, NoRoom> {
        self.shop.streams.enter(self.market, self.session.user_id, unread)
    }

    /// Begins an export for this customer.
    pub(crate) fn begin_export(&self) -> Result<Turn, NoTurn> {
        self.shop.exports.begin(self.market, self.session.user_id)
    }

    /// What time it is.
    pub(crate) fn now(&self) -> Timestamp {
        self.shop.clock.now()
    }

    /// The market the customer is of.
    pub(crate) fn market(&self) -> &Market {
        &self.shop.markets[self.market].market
    }

    /// What the market's prices are in.
    pub(crate) fn currency(&self) -> Currency {
        self.market().currency
    }

    /// How long ago the customer signed in.
    pub(crate) fn signed_in_for(&self) -> SignedDuration {
        self.now().duration_since(self.issued_at)
    }

    /// What the shop is made of.
    pub(crate) fn shop(&self) -> &Arc<Shop> {
        &self.shop
    }

    /// The market, with its store.
    pub(crate) fn at(&self) -> &ShopMarket {
        &self.shop.markets[self.market]
    }

    /// The end of the token.
    pub(crate) fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

impl FromRequestParts<Arc<Shop>> for Customer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shop: &Arc<Shop>) -> Result<Self, Problem> {
        let token = verified(&parts.headers, shop)?;
        let market = shop.market(token.market.as_str()).ok_or_else(|| unknown_market(shop))?;
        if named_market(&parts.headers, shop)?.is_some_and(|named| named != market) {
            return Err(mismatch(shop, market));
        }
        let VerifiedToken { session, issued_at, expires_at, .. } = token;
        // Of a time that the store does not remember: from a future that was lost.
        if !shop.markets[market].store.awake().remembers(issued_at) {
            return Err(Refused::Returned.into());
        }
        Ok(Self { shop: Arc::clone(shop), market, session, issued_at, expires_at })
    }
}

/// Verifies the request's token.
pub(crate) fn verified(headers: &HeaderMap, shop: &Shop) -> Result<VerifiedToken, Problem> {
    verified_token(token(headers)?, shop)
}

/// Verifies a token, at the beginning of a request or again later.
pub(crate) fn verified_token(token: &str, shop: &Shop) -> Result<VerifiedToken, Problem> {
    let (keys, now) = (shop.keys.current(), shop.clock.now());
    let verified = keys.verify(token, now).inspect_err(|error| {
        if *error == TokenError::Invalid {
            shop.noticed.refused(token, &keys, now);
        }
    });
    Ok(verified?.within(shop.token_lifetime)?)
}

/// The request's token.
pub(crate) fn token(headers: &HeaderMap) -> Result<&str, Problem> {
    let missing = || Problem::new(Code::NotAuthenticated, "Not authenticated");
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().ok_or_else(missing)?;
    if values.next().is_some() {
        // Who is on the way may have looked at the other one.
        return Err(TokenError::Invalid.into());
    }
    value.to_str().ok().and_then(bearer).ok_or_else(missing)
}

/// Whose genuine token came along, expired and signed-out ones included. Nothing is opened by it;
/// see [`evercart_core::sign_in::CodeRequest::claimed_by`].
pub(crate) fn claimed_by(headers: &HeaderMap, shop: &Shop, market: &MarketName) -> Option<UserId> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let token = values.next()?.to_str().ok().and_then(bearer)?;
    let (user, at) = shop.keys.current().recognize(token, shop.clock.now())?;
    (values.next().is_none() && at == *market).then_some(user)
}

/// The credentials of a `Bearer` header (RFC 9110 section 11.1: schemes have no case). Clients of
/// some other services call the same `Token`.
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    let is_known = ["bearer", "token"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    (is_known && !token.is_empty()).then_some(token)
}

/// The market that `X-Market` names, if there is such a header.
fn named_market(headers: &HeaderMap, shop: &Shop) -> Result<Option<usize>, Problem> {
    let Some(value) = headers.get("x-market") else { return Ok(None) };
    match value.to_str().map(str::trim) {
        Ok("") => Ok(None),
        Ok(name) => shop.market(name).map(Some).ok_or_else(|| unknown_market(shop)),
        Err(_) => Err(unknown_market(shop)),
    }
}

fn unknown_market(shop: &Shop) -> Problem {
    let names = names(shop);
    Problem::new(Code::MarketUnknown, format!("There is no such market here, only {names}."))
}

fn mismatch(shop: &Shop, market: usize) -> Problem {
    let name = &shop.markets[market].market.name;
    Problem::new(
        Code::MarketMismatch,
        format!("The token is for market {name}, X-Market names another. Leave X-Market out."),
    )
}

/// No market can be told.
pub(crate) fn market_required(shop: &Shop) -> Problem {
    let names = names(shop);
    Problem::new(Code::MarketRequired, format!("Name a market in X-Market: {names}."))
}

/// The markets there are, for a person to choose from.
pub(crate) fn names(shop: &Shop) -> String {
    let names: Vec<_> = shop.markets.iter().map(|at| at.market.name.as_str()).collect();
    names.join(", ")
}

/// The market a request without need for a token chooses: its token's if that is good, else the
/// one in `X-Market`. A bad token is no obstacle here: it is what a client has that must sign in.
pub(crate) fn chosen_market(headers: &HeaderMap, shop: &Shop) -> Result<Option<usize>, Problem> {
    let named = named_market(headers, shop)?;
    let token = verified(headers, shop).ok();
    match token.and_then(|token| shop.market(token.market.as_str())) {
        Some(market) if named.is_some_and(|named| named != market) => Err(mismatch(shop, market)),
        Some(market) => Ok(Some(market)),
        None => Ok(named),
    }
}

/// The market that requests without one are about.
pub(crate) fn default_market(shop: &Shop) -> Option<usize> {
    shop.default_market.as_ref().and_then(|name| shop.market(name.as_str()))
}

/// A visitor of one market's public pages.
pub(crate) struct Visitor {
    shop: Arc<Shop>,
    market: usize,
}

impl Visitor {
    /// Where the market's catalogue is.
    pub(crate) fn store(&self) -> &dyn Store {
        &*self.shop.markets[self.market].store
    }

    /// What the market's prices are in.
    pub(crate) fn currency(&self) -> Currency {
        self.shop.markets[self.market].market.currency
    }
}

impl FromRequestParts<Arc<Shop>> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shop: &Arc<Shop>) -> Result<Self, Problem> {
        let market = chosen_market(&parts.headers, shop)?
            .or_else(|| default_market(shop))
            .ok_or_else(|| market_required(shop))?;
        Ok(Self { shop: Arc::clone(shop), market })
    }
}

/// The id in a path. What is not one names nothing, so it is answered with 404.
pub(crate) struct PathId(pub(crate) i64);

impl<S: Send + Sync> FromRequestParts<S> for PathId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let parameters = RawPathParams::from_request_parts(parts, state).await;
        let parameters = parameters.map_err(|_| Problem::not_found("resource"))?;
        let id = parameters.iter().next().and_then(|(_, text)| path_id(text));
        id.map(Self).ok_or_else(|| Problem::not_found("resource"))
    }
}

fn path_id(text: &str) -> Option<i64> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|id| digits && (1..=ID_MAX).contains(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bearer_credentials_are_a_token() {
        assert_eq!(bearer("Bearer a.b.c"), Some("a.b.c"));
        assert_eq!(bearer("bearer  a.b.c "), Some("a.b.c"));
        assert_eq!(bearer("Token a.b.c"), Some("a.b.c"));
        for other in [
            "",
            "Bearer",
            "Bearer ",
            "Basic dXNlcjpwdw==",
            "a.b.c",
            "Bearera.b.c",
            "Token",
            "Tokens a.b.c",
        ] {
            assert_eq!(bearer(other), None, "{other}");
        }
    }

    #[test]
    fn only_plain_positive_integers_are_ids() {
        assert_eq!(path_id("1"), Some(1));
        assert_eq!(path_id("9007199254740991"), Some(ID_MAX));
        for other in ["", "0", "-1", "+1", "1.0", "abc", "1e3", "9007199254740992", "１", " 1"] {
            assert_eq!(path_id(other), None, "{other}");
        }
    }
}

//! `/auth`: codes sent, codes tried, signing out, and what a token is good for.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use evercart_core::code::{Code, KeyedHash, Purpose};
use evercart_core::market::Market;
use evercart_core::phone::Phone;
use evercart_core::sign_in::{Budget, CodeRequest, Proof, SignInAttempt, SignInOutcome};
use evercart_core::sms::Sms;
use evercart_core::user::User;
use jiff::SignedDuration;
use serde::Serialize;
use utoipa::ToSchema;

use crate::address::Confirmation;
use crate::body::{Fields, Lines};
use crate::cart::replayed;
use crate::client_ip::ClientIp;
use crate::extract::{self, Customer};
use crate::guard::Mutation;
use crate::json::{Audience, Utc, answer};
use crate::openapi::{
    Change, ChangeHeaders, Problem as ProblemSchema, PublicChange, PublicChangeHeaders, Read,
    ReadHeaders,
};
use crate::order::PHONE_MAX;
use crate::problem::{Answer, Code as ProblemCode, Problem};
use crate::{Shop, ShopMarket};

/// The longest text looked at as a code.
const CODE_MAX: usize = 20;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// A phone to send a code to.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes a body that is read field by field")]
struct SendCode {
    /// E.164, or as people write it in the market. `phone_number` is read, too.
    #[schema(example = "+13128059851", max_length = 40)]
    phone: String,
}

/// That a code is on its way. It is the same whether or not the phone has an account.
#[derive(Serialize, ToSchema)]
struct CodeSent<'a> {
    /// Always true.
    success: bool,
    /// For a person.
    message: &'static str,
    /// The phone in E.164.
    #[schema(example = "+13128059851")]
    phone_number: &'a str,
    #[schema(example = "us")]
    market: &'a str,
    /// The message's language.
    #[schema(example = "en")]
    language: &'a str,
    /// How long the code is good for.
    #[schema(example = 10)]
    expires_in_minutes: i64,
    /// How long to wait before asking for another.
    #[schema(example = 60)]
    resend_after_seconds: i64,
    /// The code itself; only a demo says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "123456")]
    demo_code: Option<&'a str>,
}

/// A phone and the code that was sent to it.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes a body that is read field by field")]
struct VerifyCode {
    /// As in `send-code`. `phone_number` is read, too.
    #[schema(example = "+13128059851", max_length = 40)]
    phone: String,
    /// Six digits. `code` is read, too.
    #[schema(example = "123456", max_length = 20)]
    verification_code: String,
}

/// A customer who has signed in, with their token.
#[derive(Serialize, ToSchema)]
struct SignedIn<'a> {
    /// Always true.
    success: bool,
    /// For a person.
    message: &'static str,
    /// For `Authorization: Bearer …`. It is nowhere in the database: keep it.
    access_token: &'a str,
    /// `bearer`.
    #[schema(example = "bearer")]
    token_type: &'static str,
    /// Seconds the token is good for.
    #[schema(example = 1800)]
    expires_in: i64,
    user: SignedInUser<'a>,
    #[schema(example = "us")]
    market: &'a str,
    /// True the first time.
    is_new_user: bool,
}

/// Who has signed in.
#[derive(Serialize, ToSchema)]
struct SignedInUser<'a> {
    /// Never changes; cart, wishlist and orders hang on it.
    #[schema(example = 19)]
    id: i64,
    #[schema(example = "+13128059851")]
    phone: &'a str,
    /// The full name, empty if there is none.
    name: &'a str,
    #[schema(required = true)]
    full_name: Option<&'a str>,
    #[schema(required = true)]
    email: Option<&'a str>,
    is_active: bool,
    /// True: whoever signed in has shown that the phone is theirs.
    is_verified: bool,
    #[schema(example = "us")]
    market: &'a str,
}

/// That a token is good.
#[derive(Serialize, ToSchema)]
struct TokenVerified<'a> {
    /// Always true.
    valid: bool,
    #[schema(example = 19)]
    user_id: i64,
    #[schema(example = "+13128059851")]
    phone_number: &'a str,
    #[schema(example = "+1 312-805-9851")]
    formatted_phone: String,
    #[schema(example = "us")]
    market: &'a str,
    #[schema(example = "USD")]
    currency: &'static str,
    /// The token's end.
    expires_at: Utc,
}

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
    languages: &'a [String],
}

/// A phone in the market it belongs to.
struct PhoneOf<'a> {
    phone: Phone,
    at: &'a ShopMarket,
}

impl PhoneOf<'_> {
    fn hash(&self, shop: &Shop) -> KeyedHash {
        shop.hasher.subject("phone", self.phone.as_str())
    }

    fn test_codes<'s>(&self, shop: &'s Shop) -> Option<&'s [Code]> {
        let entry = shop.test_phones.iter().find(|(phone, _)| *phone == self.phone);
        entry.map(|(_, codes)| codes.as_slice())
    }
}

/// Reads `phone` and finds its market: the token's or the one in `X-Market`, else that of the
/// phone's prefix, else the default.
fn read_phone<'a>(
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
            .ok_or_else(|| extract::market_required(shop))?;
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

/// Send a sign-in code
///
/// By SMS, in the market's language or the one in `Accept-Language`. A new code ends the old one.
/// The answer does not tell whether the phone has an account.
#[utoipa::path(post, path = "/auth/send-code", tag = "Signing in",
    params(PublicChangeHeaders), request_body = SendCode,
    responses((status = 200, description = "The code is on its way", body = CodeSent),
              (status = 429, description = "`rate_limited`, `too_many_attempts`; see `Retry-After`",
               body = ProblemSchema, content_type = "application/problem+json"),
              PublicChange))]
pub(crate) async fn send_code(
    State(shop): State<Arc<Shop>>,
    ip: ClientIp,
    request: Mutation,
) -> Answer {
    let to = request.json(|fields| read_phone(fields, request.headers(), &shop))??;
    let to = to.expect("a phone that cannot be read is a wrong field, which was returned");
    let code = Code::draw(&mut rand::rng());
    let market = &to.at.market;
    let language = language(request.headers(), market);
    let granted = to.at.store.grant_code(code_request(&shop, &to, &code, ip, &request)).await;
    let granted = granted.map_err(|error| {
        let problem = Problem::from(error);
        shop.metrics.code_refused(&market.name, problem.code().as_str());
        problem
    })?;
    if !granted.replayed {
        deliver(&shop, &to, &code, language).await?;
    }
    let json = CodeSent {
        success: true,
        message: "We sent you a code. Type it in to sign in.",
        phone_number: to.phone.as_str(),
        market: market.name.as_str(),
        language,
        expires_in_minutes: minutes(shop.limits.code_lifetime),
        resend_after_seconds: if shop.demo { 0 } else { shop.limits.resend_after.as_secs() },
        demo_code: (shop.demo && !granted.replayed).then_some(code.as_str()),
    };
    Ok(replayed(granted.replayed, answer(StatusCode::OK, Audience::Nobody, &json)))
}

/// Send a sign-in code (as `POST /auth/send-code`)
#[utoipa::path(post, path = "/auth/send-verification", tag = "Signing in",
    params(PublicChangeHeaders), request_body = SendCode,
    responses((status = 200, description = "The code is on its way", body = CodeSent),
              (status = 429, description = "`rate_limited`, `too_many_attempts`; see `Retry-After`",
               body = ProblemSchema, content_type = "application/problem+json"),
              PublicChange))]
pub(crate) async fn send_verification(
    shop: State<Arc<Shop>>,
    ip: ClientIp,
    request: Mutation,
) -> Answer {
    send_code(shop, ip, request).await
}

/// How long a code is good for, for people: in minutes begun.
fn minutes(lifetime: SignedDuration) -> i64 {
    lifetime.as_secs().div_euclid(60) + i64::from(lifetime.as_secs() % 60 > 0)
}

fn code_request(
    shop: &Shop,
    to: &PhoneOf<'_>,
    code: &Code,
    ip: ClientIp,
    request: &Mutation,
) -> CodeRequest {
    let (limits, market, hasher) = (&shop.limits, &to.at.market, &shop.hasher);
    let phone = to.hash(shop);
    let hourly = |scope, kind, value: &str, limit| Budget {
        scope,
        subject: hasher.subject(kind, value),
        limit,
        window: HOUR,
    };
    let budgets = if shop.demo {
        Vec::new()
    } else {
        vec![
            Budget {
                scope: "send_phone",
                subject: phone,
                limit: limits.sends_per_phone,
                window: limits.phone_window,
            },
            hourly("send_ip", "ip", &ip.0, limits.sends_per_ip_hour),
            // A phone of the market has the market's calling code, so that is its prefix.
            hourly("send_prefix", "prefix", &market.phone_prefix, limits.sends_per_prefix_hour),
            hourly("send_market", "market", market.name.as_str(), limits.sends_per_market_hour),
        ]
    };
    CodeRequest {
        phone,
        purpose: Purpose::SignIn,
        code: hasher.code(&market.name, &to.phone, Purpose::SignIn, code),
        lifetime: limits.code_lifetime,
        resend_after: (!shop.demo).then_some(limits.resend_after),
        budgets,
        idempotency: request.idempotency(),
    }
}

/// Sends the code. Should that fail, the code is withdrawn, so that the customer can ask again at
/// once. Both happen to the end even if the client hangs up in the middle.
async fn deliver(
    shop: &Arc<Shop>,
    to: &PhoneOf<'_>,
    code: &Code,
    language: &str,
) -> Result<(), Problem> {
    if to.test_codes(shop).is_some() {
        return Ok(());
    }
    let market = &to.at.market;
    let name = market.name.clone();
    let lifetime = minutes(shop.limits.code_lifetime);
    let sms = Sms::sign_in_code(&to.phone, code, &name, language, lifetime);
    let phone = to.hash(shop);
    let code = shop.hasher.code(&name, &to.phone, Purpose::SignIn, code);
    let (shop, store) = (Arc::clone(shop), Arc::clone(&to.at.store));
    let sending = tokio::spawn(async move {
        let Err(error) = shop.sms.send(&sms).await else {
            shop.metrics.code_sent(&name);
            return Ok(());
        };
        tracing::error!(market = name.as_str(), phone = sms.to.masked(), %error, "no code was sent");
        let problem = Problem::new(
            ProblemCode::SmsUnavailable,
            "The message could not be sent. Try again in a moment.",
        );
        shop.metrics.code_refused(&name, problem.code().as_str());
        if let Err(error) = store.withdraw_code(phone, Purpose::SignIn, code).await {
            tracing::error!(market = name.as_str(), %error, "an unsent code was not withdrawn");
        }
        Err(problem)
    });
    sending.await.unwrap_or_else(|_| Err(Problem::internal()))
}

/// The first language in `Accept-Language` that the market has, else the market's own.
fn language<'a>(headers: &HeaderMap, market: &'a Market) -> &'a str {
    let wanted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let mut ranges: Vec<(&str, f32)> = wanted
        .unwrap_or_default()
        .split(',')
        .take(16)
        .map(|range| {
            let (tag, weight) = range.split_once(";q=").unwrap_or((range, "1"));
            (tag.trim(), weight.trim().parse().unwrap_or(0.0))
        })
        .filter(|(_, weight)| *weight > 0.0)
        .collect();
    ranges.sort_by(|a, b| b.1.total_cmp(&a.1));
    let primary = |tag: &'a str| tag.split('-').next().unwrap_or(tag);
    ranges
        .iter()
        .find_map(|(tag, _)| {
            let tag = tag.split('-').next().unwrap_or(tag);
            market.languages.iter().find(|has| primary(has).eq_ignore_ascii_case(tag))
        })
        .map_or(market.language(), String::as_str)
}

/// Sign in
///
/// The first time makes the customer. A code is good once; what is wrong with one is not told.
#[utoipa::path(post, path = "/auth/verify-code", tag = "Signing in",
    params(PublicChangeHeaders), request_body = VerifyCode,
    responses((status = 200, description = "Signed in", body = SignedIn),
              (status = 401, description = "`code_invalid`: wrong, used or outdated; `user_blocked`",
               body = ProblemSchema, content_type = "application/problem+json"),
              (status = 429, description = "`too_many_attempts`; see `Retry-After`",
               body = ProblemSchema, content_type = "application/problem+json"),
              PublicChange))]
pub(crate) async fn verify_code(
    State(shop): State<Arc<Shop>>,
    ip: ClientIp,
    request: Mutation,
) -> Answer {
    let (to, code) = request.json(|fields| {
        let to = read_phone(fields, request.headers(), &shop);
        let field = fields.spelling(&["verification_code", "code"]);
        let code = fields.optional_text(field, CODE_MAX, Lines::One);
        if code.is_none() && !fields.is_wrong(field) {
            fields.wrong(field, "is missing: the six digits of the code");
        }
        to.map(|to| (to, code.unwrap_or_default()))
    })??;
    let to = to.expect("a phone that cannot be read is a wrong field, which was returned");
    let invalid = || {
        shop.metrics.sign_in(&to.at.market.name, ProblemCode::CodeInvalid.as_str());
        Problem::new(ProblemCode::CodeInvalid, "Invalid or expired verification code")
    };
    // What is no code at all is no guess, and does not count as one.
    let code = Code::parse(&code).ok_or_else(invalid)?;
    let outcome = to.at.store.sign_in(attempt(&shop, &to, &code, ip, &request)).await;
    let outcome = outcome.map_err(|error| {
        let problem = Problem::from(error);
        shop.metrics.sign_in(&to.at.market.name, problem.code().as_str());
        problem
    })?;
    match outcome {
        SignInOutcome::CodeInvalid => Err(invalid()),
        SignInOutcome::SignedIn { user, is_new, replayed: again } => {
            shop.metrics.sign_in(&to.at.market.name, "signed_in");
            Ok(replayed(again, signed_in(&shop, &to.at.market, &user, is_new)))
        }
    }
}

fn attempt(
    shop: &Shop,
    to: &PhoneOf<'_>,
    code: &Code,
    ip: ClientIp,
    request: &Mutation,
) -> SignInAttempt {
    let limits = &shop.limits;
    let test_codes = to.test_codes(shop);
    // All are compared, so that the time taken does not tell which one it was.
    let is_test_code = test_codes
        .unwrap_or_default()
        .iter()
        .fold(false, |found, test| test.matches(code.as_str()) | found);
    let proof = if is_test_code {
        Proof::TestCode
    } else {
        Proof::Code(shop.hasher.code(&to.at.market.name, &to.phone, Purpose::SignIn, code))
    };
    SignInAttempt {
        phone: to.phone.clone(),
        phone_hash: to.hash(shop),
        purpose: Purpose::SignIn,
        proof,
        is_test_phone: test_codes.is_some(),
        attempts_max: limits.attempts_per_code,
        // A phone waits at least until every code that was guessed at is dead.
        attempts_window: limits.phone_window.max(limits.code_lifetime),
        failures: Budget {
            scope: "fail_ip",
            subject: shop.hasher.subject("ip", &ip.0),
            limit: limits.failures_per_ip_hour,
            window: HOUR,
        },
        idempotency: request.idempotency(),
    }
}

fn signed_in(shop: &Shop, market: &Market, user: &User, is_new: bool) -> Response {
    let issued = shop.keys.current().issue(
        user.session(),
        &market.name,
        shop.clock.now(),
        shop.token_lifetime,
        &mut rand::rng(),
    );
    let json = SignedIn {
        success: true,
        message: if is_new { "Welcome!" } else { "Welcome back!" },
        access_token: &issued.token,
        token_type: "bearer",
        expires_in: shop.token_lifetime.as_secs(),
        user: SignedInUser {
            id: user.id.0,
            phone: user.phone.as_str(),
            name: user.full_name.as_deref().unwrap_or_default(),
            full_name: user.full_name.as_deref(),
            email: user.email.as_deref(),
            is_active: user.is_active,
            is_verified: true,
            market: market.name.as_str(),
        },
        market: market.name.as_str(),
        is_new_user: is_new,
    };
    answer(StatusCode::OK, Audience::Nobody, &json)
}

/// Sign out
///
/// Every token issued so far, on any device, is dead from then on. Nothing else changes.
#[utoipa::path(post, path = "/auth/logout", tag = "Signing in", security(("bearer" = [])),
    params(ChangeHeaders),
    responses((status = 200, description = "Signed out", body = Confirmation), Change))]
pub(crate) async fn logout(customer: Customer, request: Mutation) -> Answer {
    let done = customer.store().sign_out(customer.session(), request.guard()).await?;
    let json = Confirmation {
        success: true,
        message: "Logged out successfully. User is now inactive. \
                  Cart, wishlist and orders are kept.",
    };
    Ok(replayed(done.replayed, answer(StatusCode::OK, Audience::Customer, &json)))
}

/// Ask whether a token is good
#[utoipa::path(get, path = "/auth/verify-token", tag = "Signing in", security(("bearer" = [])),
    params(ReadHeaders),
    responses((status = 200, description = "It is good", body = TokenVerified), Read))]
pub(crate) async fn verify_token(customer: Customer) -> Answer {
    let user = customer.store().user(customer.session()).await?;
    let json = TokenVerified {
        valid: true,
        user_id: user.id.0,
        phone_number: user.phone.as_str(),
        formatted_phone: user.phone.formatted(),
        market: customer.market().name.as_str(),
        currency: customer.currency().code(),
        expires_at: Utc(customer.expires_at()),
    };
    Ok(answer(StatusCode::OK, Audience::Customer, &json))
}

/// The shop's markets
#[utoipa::path(get, path = "/auth/markets", tag = "Signing in",
    responses((status = 200, description = "The markets", body = Markets),
              crate::openapi::Default5xx))]
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
        }
    });
    let default_market = shop.default_market.as_ref().map(|name| name.as_str());
    let json = Markets { markets: markets.collect(), default_market };
    answer(StatusCode::OK, Audience::Public, &json)
}

//! `/auth/send-code`: a code drawn, granted by the store, and sent.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use evercart_core::code::{Code, Purpose};
use evercart_core::market::Market;
use evercart_core::sign_in::{Budget, CodeRequest, UnsentCode};
use evercart_core::sms::{Sms, SmsError};
use jiff::SignedDuration;
use serde::Serialize;
use utoipa::ToSchema;

use crate::Shop;
use crate::body::{Fields, Lines};
use crate::cart::replayed;
use crate::client_ip::{ClientIp, Counted};
use crate::extract;
use crate::guard::Mutation;
use crate::json::{Audience, answer};
use crate::market::language;
use crate::openapi::{Problem as ProblemSchema, PublicChange, PublicChangeHeaders, examples};
use crate::phone::{PhoneOf, read_phone};
use crate::problem::{Answer, Code as ProblemCode, Problem};

/// The window of most budgets.
pub(crate) const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// One part in so many of what a country and a market send in an hour is kept for customers whose
/// request carries a token of theirs, be it expired. A bot that pumps messages gets the rest at
/// most, and customers who were here before still sign in.
const CUSTOMERS_SHARE: u32 = 4;

const PREFIX: &str = "send_prefix";
const MARKET: &str = "send_market";

/// A phone to send a code to.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes a body that is read field by field")]
struct SendCode {
    /// E.164, or as people write it in the market. `phone_number` is read, too.
    #[schema(example = "+13128059851", max_length = 40)]
    phone: String,
    /// What the code is for: `sign_in`, or `stop_phone_change` for `/auth/phone/stop`. A code for
    /// one is worthless for the other.
    #[schema(example = "sign_in", pattern = "^(sign_in|stop_phone_change)?$", max_length = 40)]
    purpose: Option<String>,
}

/// The longest text looked at as a purpose.
const PURPOSE_MAX: usize = 40;

/// Reads what a code is for; signing in, unless something else is said.
fn read_purpose(fields: &mut Fields<'_>) -> Purpose {
    let text = fields.optional_text("purpose", PURPOSE_MAX, Lines::One);
    match text.as_deref() {
        None | Some("sign_in") => Purpose::SignIn,
        Some("stop_phone_change") => Purpose::StopPhoneChange,
        Some(other) => {
            let expected = "must be sign_in or stop_phone_change";
            fields.wrong("purpose", format!("{expected}, found {other:?}"));
            Purpose::SignIn
        }
    }
}

/// That a code is on its way. It is the same whether or not the phone has an account.
#[derive(Serialize, ToSchema)]
#[schema(example = examples::code_to_sign_in)]
pub(crate) struct CodeSent<'a> {
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
    #[schema(required = false, nullable = false, example = "123456")]
    demo_code: Option<&'a str>,
}

/// Send a sign-in code
///
/// By SMS, in the market's language or the one in `Accept-Language`. A new code ends the old one.
/// The answer does not tell whether the phone has an account, nor whether there is a change to
/// stop.
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
    let (to, purpose) = request.json(|fields| {
        let to = read_phone(fields, request.headers(), &shop);
        let purpose = read_purpose(fields);
        to.map(|to| (to, purpose))
    })??;
    let to = to.expect("a phone that cannot be read is a wrong field, which was returned");
    send(&shop, &to, purpose, ip, &request).await
}

/// Draws a code, has it granted, and sends it.
pub(crate) async fn send(
    shop: &Arc<Shop>,
    to: &PhoneOf<'_>,
    purpose: Purpose,
    ip: ClientIp,
    request: &Mutation,
) -> Answer {
    let code = Code::draw(&mut rand::rng());
    let market = &to.at.market;
    let language = language(request.headers(), market);
    let wish = code_request(shop, to, purpose, &code, ip, request);
    let unsent =
        UnsentCode { phone: wish.phone, purpose, code: wish.code, give_back: wish.budgets.clone() };
    let granted = to.at.store.grant_code(wish).await;
    let granted = granted.map_err(|error| {
        let problem = Problem::from(error);
        shop.metrics.code_refused(&market.name, problem.code().as_str());
        problem
    })?;
    for scope in granted.value.half_used {
        warn_of_half_used(shop, market, scope);
    }
    if !granted.replayed {
        deliver(shop, to, &code, language, unsent).await?;
        if let Some(key) = request.idempotency()
            && let Err(error) = to.at.store.confirm_code(to.hash(shop), key).await
        {
            // It was sent. Only a late repeat may be told to wait instead.
            tracing::warn!(market = market.name.as_str(), %error, "a key is not remembered");
        }
    }
    let json = CodeSent {
        success: true,
        message: match purpose {
            Purpose::SignIn => "We sent you a code. Type it in to sign in.",
            Purpose::StopPhoneChange => "We sent you a code. Type it in to stop the change.",
            Purpose::ChangePhone(_) => "We sent a code to the new number. Type it in to use it.",
        },
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
    purpose: Purpose,
    code: &Code,
    ip: ClientIp,
    request: &Mutation,
) -> CodeRequest {
    let (limits, market, hasher) = (&shop.limits, &to.at.market, &shop.hasher);
    let phone = to.hash(shop);
    let shared = |scope, kind, value: &str, limit: u32| Budget {
        scope,
        subject: hasher.subject(kind, value),
        limit,
        reserved: limit / CUSTOMERS_SHARE,
        window: HOUR,
    };
    let budgets = if shop.demo {
        Vec::new()
    } else {
        let mut budgets = ip.budgets(hasher, Counted::Sends, limits.sends_per_ip_hour);
        budgets.extend([
            Budget {
                scope: "send_phone",
                subject: phone,
                limit: limits.sends_per_phone,
                reserved: 0,
                window: limits.phone_window,
            },
            // A phone of the market has the market's calling code, so that is its prefix.
            shared(PREFIX, "prefix", &market.phone_prefix, limits.sends_per_prefix_hour),
            shared(MARKET, "market", market.name.as_str(), limits.sends_per_market_hour),
        ]);
        budgets
    };
    CodeRequest {
        phone,
        number: to.phone.clone(),
        claimed_by: extract::claimed_by(request.headers(), shop, &market.name),
        asked_from: ip.hash(hasher),
        purpose,
        code: hasher.code(&market.name, &to.phone, purpose, code),
        lifetime: limits.code_lifetime,
        resend_after: Some(limits.resend_after).filter(|after| !shop.demo && after.is_positive()),
        budgets,
        idempotency: request.idempotency(),
    }
}

/// Somebody may be pumping messages; there is time yet to look into it.
fn warn_of_half_used(shop: &Shop, market: &Market, scope: &str) {
    let (name, limits) = (market.name.as_str(), &shop.limits);
    match scope {
        MARKET => {
            let limit = limits.sends_per_market_hour;
            tracing::warn!(market = name, limit, "half of the market's hour of codes is used");
        }
        PREFIX => {
            let (prefix, limit) = (&*market.phone_prefix, limits.sends_per_prefix_hour);
            tracing::warn!(
                market = name,
                prefix,
                limit,
                "half of a country's hour of codes is used"
            );
        }
        _ => {}
    }
}

/// Sends the code. Should that fail, the code is withdrawn, so that the customer can ask again at
/// once, and is counted only if it may be on its way all the same: a provider that sends and does
/// not answer must not be a way around the budgets.
async fn deliver(
    shop: &Shop,
    to: &PhoneOf<'_>,
    code: &Code,
    language: &str,
    mut unsent: UnsentCode,
) -> Result<(), Problem> {
    if to.test_codes(shop).is_some() {
        return Ok(());
    }
    let name = &to.at.market.name;
    let lifetime = minutes(shop.limits.code_lifetime);
    let sms = Sms::code(unsent.purpose, &to.phone, code, name, language, lifetime);
    let Err(error) = shop.sms.send(&sms).await else {
        shop.metrics.code_sent(name);
        return Ok(());
    };
    let (market, phone_masked) = (name.as_str(), sms.to.masked());
    tracing::error!(market, phone = phone_masked, %error, "no code was sent");
    let problem = Problem::new(
        ProblemCode::SmsUnavailable,
        "The message could not be sent. Try again in a moment.",
    );
    shop.metrics.code_refused(name, problem.code().as_str());
    if let SmsError::Unanswered(_) = error {
        unsent.give_back.clear();
    }
    if let Err(error) = to.at.store.withdraw_code(unsent).await {
        tracing::error!(market, %error, "an unsent code was not withdrawn");
    }
    Err(problem)
}

//! `/auth/verify-code` and `/auth/logout`: a code becomes a token, and tokens end.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use evercart_core::code::{Code, Purpose};
use evercart_core::sign_in::{Proof, SignInAttempt, SignInOutcome};
use evercart_core::user::User;
use serde::Serialize;
use utoipa::ToSchema;

use crate::address::Confirmation;
use crate::body::{Fields, Lines};
use crate::cart::replayed;
use crate::client_ip::{ClientIp, Counted};
use crate::extract::Customer;
use crate::guard::Mutation;
use crate::guesses::{code_invalid, market_failures};
use crate::json::{Audience, Utc, answer};
use crate::openapi::{
    Change, ChangeHeaders, Problem as ProblemSchema, PublicChange, PublicChangeHeaders, Read,
    ReadHeaders, examples,
};
use crate::phone::{PhoneOf, read_phone};
use crate::problem::{Answer, Code as ProblemCode, Problem};
use crate::{Shop, ShopMarket};

/// The most characters of a code, without what separates.
const CODE_MAX: usize = 20;

/// How clients spell a code.
const CODE_FIELDS: [&str; 2] = ["verification_code", "code"];

/// What a customer is told who has signed out.
const SIGNED_OUT: &str = "Logged out successfully. User is now inactive. Cart, wishlist and \
    orders are kept.";

/// A phone and the code that was sent to it.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes a body that is read field by field")]
struct VerifyCode {
    /// As in `send-code`. `phone_number` is read, too.
    #[schema(example = "+13128059851", max_length = 40)]
    phone: String,
    /// Six digits. `code` is read, too.
    #[schema(example = "123456", min_length = 1, max_length = 20)]
    verification_code: String,
}

/// A customer who has signed in, with their token.
#[derive(Serialize, ToSchema)]
#[schema(example = examples::signed_in)]
pub(crate) struct SignedIn<'a> {
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

/// Sign in
///
/// The first time makes the customer. A code is good once; what is wrong with one is not told. A
/// phone that an account was moved away from makes no new customer while that change is on hold.
#[utoipa::path(post, path = "/auth/verify-code", tag = "Signing in",
    params(PublicChangeHeaders), request_body = VerifyCode,
    responses((status = 200, description = "Signed in", body = SignedIn),
              PublicChange,
              (status = 400, description = "`code_invalid` (wrong, used, outdated), \
               `malformed_json`, `market_required`, `market_unknown`, `market_mismatch`",
               body = ProblemSchema, content_type = "application/problem+json"),
              (status = 401, description = "`user_blocked`",
               body = ProblemSchema, content_type = "application/problem+json"),
              (status = 409, description = "`phone_moved`: an account was moved away from this \
               phone, `until` says how long the change is on hold; `phone_on_hold`: the change to \
               this phone was stopped, and the shop has to decide",
               body = ProblemSchema, content_type = "application/problem+json"),
              (status = 429, description = "`too_many_attempts`; see `Retry-After`",
               body = ProblemSchema, content_type = "application/problem+json")))]
pub(crate) async fn verify_code(
    State(shop): State<Arc<Shop>>,
    ip: ClientIp,
    request: Mutation,
) -> Answer {
    let (to, code) = read_phone_and_code(&request, &shop)?;
    let attempt =
        SignInAttempt { idempotency: request.idempotency(), ..test_attempt(&shop, &to, &code, ip) };
    let outcome = to.at.store.sign_in(attempt).await;
    let outcome = outcome.map_err(|error| {
        let problem = Problem::from(error);
        shop.metrics.sign_in(&to.at.market.name, problem.code().as_str());
        problem
    })?;
    match outcome {
        SignInOutcome::CodeInvalid => {
            shop.metrics.sign_in(&to.at.market.name, ProblemCode::CodeInvalid.as_str());
            Err(code_invalid(&shop, to.at).await)
        }
        SignInOutcome::PhoneMoved { until } => {
            let problem = Problem::phone_moved(until);
            shop.metrics.sign_in(&to.at.market.name, problem.code().as_str());
            Err(problem)
        }
        SignInOutcome::SignedIn { user, is_new, replayed: again } => {
            shop.metrics.sign_in(&to.at.market.name, "signed_in");
            let message = if is_new { "Welcome!" } else { "Welcome back!" };
            Ok(replayed(again, signed_in(&shop, to.at, &user, is_new, message)))
        }
    }
}

/// Reads a body with a phone and the code that was sent to it.
pub(crate) fn read_phone_and_code<'a>(
    request: &Mutation,
    shop: &'a Shop,
) -> Result<(PhoneOf<'a>, Code), Problem> {
    let (to, code) = request.json(|fields| {
        let to = read_phone(fields, request.headers(), shop);
        let code = read_code(fields);
        to.map(|to| (to, code))
    })??;
    let to = to.expect("a phone that cannot be read is a wrong field, which was returned");
    let code = code.expect("a code that cannot be read is a wrong field, which was returned");
    Ok((to, code))
}

/// Reads a code, if there is one. What is no code at all is a wrong field: it is no guess, and does
/// not count as one.
pub(crate) fn read_optional_code(fields: &mut Fields<'_>) -> Option<Code> {
    let field = fields.spelling(&CODE_FIELDS);
    if !fields.has_text(field) {
        fields.optional_text(field, CODE_MAX, Lines::One);
        return None;
    }
    let text = fields.pasted(field, CODE_MAX);
    let code = Code::parse(&text);
    if code.is_none() && !fields.is_wrong(field) {
        fields.wrong(field, "must be the six digits of the code");
    }
    code
}

/// Reads a code that must be there.
pub(crate) fn read_code(fields: &mut Fields<'_>) -> Option<Code> {
    let field = fields.spelling(&CODE_FIELDS);
    let code = read_optional_code(fields);
    if code.is_none() && !fields.is_wrong(field) {
        fields.wrong(field, "is missing: the six digits of the code");
    }
    code
}

/// An attempt to sign in, which a test phone's fixed codes are good for, too.
fn test_attempt(shop: &Shop, to: &PhoneOf<'_>, code: &Code, ip: ClientIp) -> SignInAttempt {
    let sent = attempt(shop, to, Purpose::SignIn, code, ip);
    let test_codes = to.test_codes(shop);
    // All are compared, so that the time taken does not tell which one it was.
    let is_test_code = test_codes
        .unwrap_or_default()
        .iter()
        .fold(false, |found, test| test.matches(code.as_str()) | found);
    let proof = if is_test_code { Proof::TestCode } else { sent.proof.clone() };
    SignInAttempt { proof, is_test_phone: test_codes.is_some(), ..sent }
}

/// An attempt to show that a phone is one's own, by a code that was sent there. A code of the
/// configuration never does: it would let a stolen token move an account to a test phone, or erase
/// one.
pub(crate) fn attempt(
    shop: &Shop,
    to: &PhoneOf<'_>,
    purpose: Purpose,
    code: &Code,
    ip: ClientIp,
) -> SignInAttempt {
    let limits = &shop.limits;
    let mut failures = ip.budgets(&shop.hasher, Counted::Failures, limits.failures_per_ip_hour);
    failures.push(market_failures(shop, to.at));
    SignInAttempt {
        phone: to.phone.clone(),
        phone_hash: to.hash(shop),
        purpose,
        proof: Proof::Code(shop.hasher.code(&to.at.market.name, &to.phone, purpose, code)),
        is_test_phone: false,
        attempts_max: limits.attempts_per_code,
        // A phone waits at least until every code that was guessed at is dead.
        attempts_window: limits.phone_window.max(limits.code_lifetime),
        failures,
        from: ip.hash(&shop.hasher),
        idempotency: None,
    }
}

/// A customer with a new token.
pub(crate) fn signed_in(
    shop: &Shop,
    at: &ShopMarket,
    user: &User,
    is_new: bool,
    message: &'static str,
) -> Response {
    let market = &at.market;
    let issued = shop.keys.current().issue(
        user.session(),
        &market.name,
        at.store.awake().stamp(shop.clock.now()),
        shop.token_lifetime,
        &mut rand::rng(),
    );
    let json = SignedIn {
        success: true,
        message,
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
    responses((status = 200, description = "Signed out", body = Confirmation,
               example = json!({"success": true, "message": SIGNED_OUT})), Change))]
pub(crate) async fn logout(customer: Customer, request: Mutation) -> Answer {
    let done = customer.store().sign_out(customer.session(), request.guard()).await?;
    let json = Confirmation { success: true, message: SIGNED_OUT };
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

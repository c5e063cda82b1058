//! Problems (RFC 9457): the one place where a refusal or failure gets its status, code and words.
//! Who noticed it returns a [`Problem`]; the edge writes it out, with the request's id.

mod refused;

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use evercart_core::error::{Failed, StoreError};
use evercart_core::money::{Currency, Money};
use evercart_core::token::TokenError;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde::ser::SerializeMap;

use crate::json::Amount;

/// How much later it is answered that the catalogue is busy, so that a crowd that asks again at
/// once costs little.
const CATALOGUE_HELD_BACK: Duration = Duration::from_millis(250);

/// What a handler returns.
pub(crate) type Answer = Result<Response, Problem>;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident $code:literal $status:ident $title:literal,)*) => {
        /// What went wrong, for programs. Never renamed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[expect(clippy::enum_variant_names, reason = "a code_invalid is about another code")]
        pub(crate) enum Code { $($(#[$doc])* $variant,)* }

        impl Code {
            /// Every code there is.
            pub(crate) const ALL: &[Code] = &[$(Code::$variant,)*];

            /// The word for it in answers.
            pub(crate) fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $code,)* }
            }

            /// The status it is answered with.
            pub(crate) fn status(self) -> StatusCode {
                match self { $(Code::$variant => StatusCode::$status,)* }
            }

            /// A short summary that is the same for every occurrence.
            pub(crate) fn title(self) -> &'static str {
                match self { $(Code::$variant => $title,)* }
            }
        }
    };
}

codes! {
    MalformedJson "malformed_json" BAD_REQUEST "The body is not JSON",
    HostRequired "host_required" BAD_REQUEST "The request names no host",
    MarketRequired "market_required" BAD_REQUEST "The request names no market",
    MarketUnknown "market_unknown" BAD_REQUEST "There is no such market",
    MarketMismatch "market_mismatch" BAD_REQUEST "The token is for another market",
    NotAuthenticated "not_authenticated" UNAUTHORIZED "A token is needed",
    TokenInvalid "token_invalid" UNAUTHORIZED "The token is not valid",
    TokenExpired "token_expired" UNAUTHORIZED "The token has expired",
    SignedOut "signed_out" UNAUTHORIZED "The customer has signed out",
    UserBlocked "user_blocked" UNAUTHORIZED "The customer is blocked",
    SignInNotFresh "sign_in_not_fresh" FORBIDDEN "The sign-in is too long ago",
    CodeInvalid "code_invalid" BAD_REQUEST "The code is not valid",
    NotFound "not_found" NOT_FOUND "Not found",
    MethodNotAllowed "method_not_allowed" METHOD_NOT_ALLOWED "The path has no such method",
    InsufficientStock "insufficient_stock" CONFLICT "Not enough pieces are left",
    SkuUnavailable "sku_unavailable" CONFLICT "The SKU is not for sale",
    CartEmpty "cart_empty" CONFLICT "The cart is empty",
    PriceChanged "price_changed" CONFLICT "The total has changed",
    PhoneTaken "phone_taken" CONFLICT "The phone is another customer's",
    PhoneMoved "phone_moved" CONFLICT "An account was moved away from the phone",
    PhoneOnHold "phone_on_hold" CONFLICT "The account is on hold",
    OpenOrders "open_orders" CONFLICT "Orders are still to be delivered",
    OrderNotCancellable "order_not_cancellable" CONFLICT "It is too late to cancel",
    VersionConflict "version_conflict" PRECONDITION_FAILED "The cart has changed",
    BodyTooLarge "body_too_large" PAYLOAD_TOO_LARGE "The body is too large",
    UnsupportedMediaType "unsupported_media_type" UNSUPPORTED_MEDIA_TYPE "The body must be JSON",
    ValidationFailed "validation_failed" UNPROCESSABLE_ENTITY "Fields are wrong or missing",
    QuantityLimit "quantity_limit" UNPROCESSABLE_ENTITY "More than the shop takes",
    IdempotencyKeyReused "idempotency_key_reused" UNPROCESSABLE_ENTITY "The key is taken",
    RateLimited "rate_limited" TOO_MANY_REQUESTS "Too many in too short a time",
    TooManyAttempts "too_many_attempts" TOO_MANY_REQUESTS "Too many wrong codes",
    InternalError "internal_error" INTERNAL_SERVER_ERROR "Something is wrong on our side",
    Overloaded "overloaded" SERVICE_UNAVAILABLE "The shop is busy",
    CatalogueBusy "catalogue_busy" SERVICE_UNAVAILABLE "The catalogue is busy",
    StoreUnavailable "store_unavailable" SERVICE_UNAVAILABLE "The shop's data cannot be reached",
    SmsUnavailable "sms_unavailable" SERVICE_UNAVAILABLE "Messages cannot be sent",
}

/// One wrong field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct FieldError {
    /// Its name as the client writes it.
    pub(crate) field: Cow<'static, str>,
    /// What was expected and what was found.
    pub(crate) detail: String,
}

/// A fact a program may act on, as a member of its own.
#[derive(Debug, Clone)]
enum Fact {
    Number(i64),
    Numbers(Vec<i64>),
    Text(Cow<'static, str>),
    /// In the currency of the request's market, see [`Problem::priced_in`].
    Money(Money),
}

/// What a problem is called when it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `application/problem+json`.
    Problem,
    /// `application/json`, the sentence also as `message`, for clients that know no other type.
    Plain,
}

impl Form {
    /// What a request asks for: plain JSON if its `Accept` names that and nothing else.
    pub(crate) fn asked_for(headers: &HeaderMap) -> Self {
        let is_json = |range: &str| {
            let essence = range.split(';').next().unwrap_or_default();
            essence.trim().eq_ignore_ascii_case("application/json")
        };
        let mut named = headers.get_all(header::ACCEPT).iter().peekable();
        let is_plain = named.peek().is_some()
            && named.all(|value| value.to_str().is_ok_and(|value| value.split(',').all(is_json)));
        if is_plain { Form::Plain } else { Form::Problem }
    }
}

/// Why a request was not done. Boxed inside, since every handler returns one.
#[derive(Debug, Clone)]
pub(crate) struct Problem(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    code: Code,
    detail: Cow<'static, str>,
    errors: Vec<FieldError>,
    facts: Vec<(&'static str, Fact)>,
    currency: Option<Currency>,
    retry_after_s: Option<i64>,
    held_back: Duration,
}

impl Problem {
    /// The same, answered so much later.
    pub(crate) fn hold_back(mut self, by: Duration) -> Self {
        self.0.held_back = by;
        self
    }

    /// How much later it is answered.
    pub(crate) fn held_back(&self) -> Duration {
        self.0.held_back
    }

    /// A problem with a sentence for the person who reads it.
    pub(crate) fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            facts: Vec::new(),
            currency: None,
            // Every 503 may be retried; a second is the time a full queue takes to drain.
            retry_after_s: (code.status() == StatusCode::SERVICE_UNAVAILABLE).then_some(1),
            held_back: Duration::ZERO,
        }))
    }

    /// Wrong or missing fields.
    pub(crate) fn fields(errors: Vec<FieldError>) -> Self {
        let detail = match errors.as_slice() {
            [only] => format!("{} {}", only.field, only.detail),
            _ => format!("{} fields are wrong; see errors", errors.len()),
        };
        let mut problem = Self::new(Code::ValidationFailed, detail);
        problem.0.errors = errors;
        problem
    }

    /// One wrong or missing field.
    pub(crate) fn field(field: &'static str, detail: impl Into<String>) -> Self {
        Self::fields(vec![FieldError { field: field.into(), detail: detail.into() }])
    }

    /// There is no such thing, or it is somebody else's.
    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(Code::NotFound, format!("There is no such {what}."))
    }

    /// What went wrong, for programs.
    pub(crate) fn code(&self) -> Code {
        self.0.code
    }

    /// The sentence for the person who reads it.
    pub(crate) fn detail(&self) -> &str {
        &self.0.detail
    }

    /// Says in which currency the facts' amounts are, so that they can be written.
    pub(crate) fn priced_in(mut self, currency: Currency) -> Self {
        self.0.currency = Some(currency);
        self
    }

    fn fact(mut self, name: &'static str, fact: Fact) -> Self {
        self.0.facts.push((name, fact));
        self
    }

    /// When it is over.
    fn until(self, until: Timestamp) -> Self {
        self.fact("until", Fact::Text(second(until).into()))
    }

    pub(crate) fn retry_after(mut self, wait: SignedDuration) -> Self {
        // Rounded up: a client that waits as told is not refused again.
        let seconds = wait.as_secs() + i64::from(wait.subsec_nanos() > 0);
        self.0.retry_after_s = Some(seconds.max(1));
        self
    }

    /// Writes it out as the whole answer. `head` carries headers set so far, such as `Allow`.
    pub(crate) fn write(&self, request_id: &str, form: Form, head: Response) -> Response {
        let (mut parts, _) = head.into_parts();
        let body = serde_json::to_vec(&Written { problem: &self.0, request_id, form })
            .expect("strings and numbers are always JSON");
        parts.status = self.0.code.status();
        let headers = &mut parts.headers;
        headers.remove(header::CONTENT_LENGTH);
        let content_type = match form {
            Form::Problem => "application/problem+json",
            Form::Plain => "application/json",
        };
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.0.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if parts.status == StatusCode::UNAUTHORIZED {
            // RFC 6750 section 3. The details of a 401 are constants without quotes.
            let challenge =
                format!("Bearer error=\"invalid_token\", error_description=\"{}\"", self.0.detail);
            if let Ok(challenge) = HeaderValue::from_str(&challenge) {
                headers.insert(header::WWW_AUTHENTICATE, challenge);
            }
        }
        Response::from_parts(parts, body.into())
    }
}

/// A moment to the second, as answers have it. Rounded up: at that second it is over.
fn second(at: Timestamp) -> String {
    let begun = SignedDuration::from_nanos(999_999_999);
    let whole = Timestamp::from_second((at + begun).as_second()).unwrap_or(at);
    whole.to_string()
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code.as_str(), self.0.detail)
    }
}

/// An empty answer that carries the problem to the edge, which writes it out.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.0.code.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<TokenError> for Problem {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Invalid => Problem::new(Code::TokenInvalid, "Invalid token"),
            TokenError::Expired => Problem::new(Code::TokenExpired, "Token expired"),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Refused(refused) => refused.into(),
            StoreError::Failed(failed) => failed.into(),
        }
    }
}

/// The client learns that it may retry; why, only the log says.
impl From<Failed> for Problem {
    fn from(failed: Failed) -> Self {
        match &failed {
            Failed::Overloaded => {
                Problem::new(Code::Overloaded, "The shop is busy. Try again in a moment.")
            }
            Failed::CatalogueBusy => Problem::new(
                Code::CatalogueBusy,
                "Too much is asked of the catalogue. Try again in a moment, a search with longer \
                 words.",
            )
            .hold_back(CATALOGUE_HELD_BACK),
            Failed::Unavailable(_) | Failed::ReadOnly(_) => {
                tracing::error!(error = %failed, "the store is unavailable");
                let so = if matches!(failed, Failed::ReadOnly(_)) { "changed" } else { "reached" };
                let why =
                    format!("The shop's data cannot be {so} right now. Try again in a moment.");
                Problem::new(Code::StoreUnavailable, why)
            }
            Failed::Inconsistent(_) => {
                tracing::error!(error = %failed, "the store is inconsistent");
                Problem::internal()
            }
        }
    }
}

impl Problem {
    /// A mistake of ours.
    pub(crate) fn internal() -> Self {
        Self::new(
            Code::InternalError,
            "Something went wrong on our side. Tell us the request_id if it happens again.",
        )
    }
}

struct Written<'a> {
    problem: &'a Inner,
    request_id: &'a str,
    form: Form,
}

impl Serialize for Written<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Inner { code, detail, errors, facts, currency, .. } = self.problem;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", &format_args!("urn:evercart:problem:{}", code.as_str()))?;
        map.serialize_entry("title", code.title())?;
        map.serialize_entry("status", &code.status().as_u16())?;
        map.serialize_entry("detail", detail)?;
        if self.form == Form::Plain {
            map.serialize_entry("message", detail)?;
        }
        map.serialize_entry("code", code.as_str())?;
        map.serialize_entry("request_id", self.request_id)?;
        if !errors.is_empty() {
            map.serialize_entry("errors", errors)?;
        }
        for (name, fact) in facts {
            match (fact, currency) {
                (Fact::Numbers(numbers), _) => map.serialize_entry(name, numbers)?,
                (Fact::Number(number), _) => map.serialize_entry(name, number)?,
                (Fact::Text(text), _) => map.serialize_entry(name, text)?,
                (Fact::Money(amount), Some(currency)) => {
                    map.serialize_entry(name, &Amount(*amount, *currency))?;
                }
                (Fact::Money(_), None) => {}
            }
        }
        if let Some(currency) = currency
            && facts.iter().any(|(_, fact)| matches!(fact, Fact::Money(_)))
        {
            map.serialize_entry("currency", currency.code())?;
        }
        map.end()
    }
}

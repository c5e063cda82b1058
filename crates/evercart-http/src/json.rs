//! How values that JSON has no type for are written: exact money, times, and whole answers with
//! their validators.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use evercart_core::money::{Currency, Money};
use jiff::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use utoipa::openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};
use xxhash_rust::xxh3::xxh3_64;

/// Digits, sign and point of the longest amount.
const AMOUNT_BYTES: usize = 32;

/// Headers of an answer, those of the edge and the server included. A map that has to grow moves
/// and hashes again what it holds.
const HEADERS: usize = 9;

/// An amount in major units, written as a JSON number with exactly the currency's decimals.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Amount(pub(crate) Money, pub(crate) Currency);

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut buffer = [0; AMOUNT_BYTES];
        let text = digits(self.0.0, self.1.decimals() as usize, &mut buffer);
        // RawValue is serde_json's way to write a number it has no type for.
        let raw: &RawValue = serde_json::from_str(text).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

/// Writes `minor` units with `decimals` decimals into the end of `buffer`. The amount is on a hot
/// path (three for each line of a cart), so it costs no allocation.
fn digits(minor: i64, decimals: usize, buffer: &mut [u8; AMOUNT_BYTES]) -> &str {
    let mut rest = minor.unsigned_abs();
    let mut at = buffer.len();
    let mut written = 0;
    while written <= decimals || rest > 0 {
        if decimals > 0 && written == decimals {
            at -= 1;
            buffer[at] = b'.';
        }
        at -= 1;
        buffer[at] = b'0' + u8::try_from(rest % 10).expect("a digit fits a byte");
        rest /= 10;
        written += 1;
    }
    if minor < 0 {
        at -= 1;
        buffer[at] = b'-';
    }
    std::str::from_utf8(&buffer[at..]).expect("digits are ASCII")
}

/// Writes an amount as [`Amount`] does.
pub(crate) fn push_amount(out: &mut Vec<u8>, amount: Money, currency: Currency) {
    let mut buffer = [0; AMOUNT_BYTES];
    out.extend_from_slice(digits(amount.0, currency.decimals() as usize, &mut buffer).as_bytes());
}

/// Writes an integer.
pub(crate) fn push_integer(out: &mut Vec<u8>, integer: i64) {
    let mut buffer = [0; AMOUNT_BYTES];
    out.extend_from_slice(digits(integer, 0, &mut buffer).as_bytes());
}

impl ToSchema for Amount {
    fn name() -> std::borrow::Cow<'static, str> {
        "Amount".into()
    }
}

impl PartialSchema for Amount {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Number)
            .format(Some(SchemaFormat::Custom("decimal".into())))
            .description(Some(
                "An amount in major units with exactly the currency's decimals. Read it as a \
                 decimal, not as a binary float; the description at the top says how in \
                 each language.",
            ))
            .examples([serde_json::json!(59.99)])
            .into()
    }
}

/// A moment, written as RFC 3339 in UTC to the second.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Utc(pub(crate) Timestamp);

impl Serialize for Utc {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let whole = Timestamp::from_second(self.0.as_second()).unwrap_or(self.0);
        serializer.collect_str(&whole)
    }
}

impl ToSchema for Utc {
    fn name() -> std::borrow::Cow<'static, str> {
        "Time".into()
    }
}

impl PartialSchema for Utc {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .description(Some("A moment, RFC 3339 in UTC."))
            .examples([serde_json::json!("2026-11-23T20:08:24Z")])
            .into()
    }
}

/// Who may keep an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    /// One customer.
    Customer,
    /// Anybody in the market.
    Public,
    /// Nobody: it holds a token or a code.
    Nobody,
}

impl Audience {
    fn write(self, headers: &mut HeaderMap) {
        let (cache, vary) = match self {
            Audience::Customer => ("private, no-cache", Some("Authorization")),
            Audience::Public => ("public, no-cache", Some("Authorization, X-Market")),
            Audience::Nobody => ("no-store", None),
        };
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
        if let Some(vary) = vary {
            headers.insert(header::VARY, HeaderValue::from_static(vary));
        }
    }
}

/// An answer with JSON in it.
pub(crate) fn answer(status: StatusCode, audience: Audience, value: &impl Serialize) -> Response {
    let mut body = Vec::with_capacity(1024);
    serde_json::to_writer(&mut body, value).expect("our own types are always JSON");
    written(status, audience, body.into())
}

/// An answer with JSON that is written already, or will be.
pub(crate) fn written(status: StatusCode, audience: Audience, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    *headers = HeaderMap::with_capacity(HEADERS);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    audience.write(headers);
    response
}

/// An answer with an `ETag`; see [`tagged_body`].
pub(crate) fn tagged(
    audience: Audience,
    version: Option<i64>,
    value: &impl Serialize,
    read: Option<&HeaderMap>,
) -> Response {
    let mut body = Vec::with_capacity(2048);
    serde_json::to_writer(&mut body, value).expect("our own types are always JSON");
    tagged_body(audience, version, body, read)
}

/// An answer with an `ETag`: `"<version>-<digest>"`, or `"<digest>"` for what has no version. If
/// a read says in `If-None-Match` that the client has it already, only that is said (304).
pub(crate) fn tagged_body(
    audience: Audience,
    version: Option<i64>,
    body: Vec<u8>,
    read: Option<&HeaderMap>,
) -> Response {
    let digest = xxh3_64(&body);
    let tag = match version {
        Some(version) => format!("\"{version}-{digest:016x}\""),
        None => format!("\"{digest:016x}\""),
    };
    let mut response = if read.is_some_and(|headers| has(headers, &tag)) {
        let mut response = StatusCode::NOT_MODIFIED.into_response();
        audience.write(response.headers_mut());
        response
    } else {
        written(StatusCode::OK, audience, body.into())
    };
    let tag = HeaderValue::try_from(tag).expect("digits, letters and quotes are a header value");
    response.headers_mut().insert(header::ETAG, tag);
    response
}

/// True if `If-None-Match` names `tag` (weak comparison, RFC 9110 section 13.1.2).
fn has(request: &HeaderMap, tag: &str) -> bool {
    request.get_all(header::IF_NONE_MATCH).iter().any(|value| {
        value.to_str().is_ok_and(|list| {
            list.split(',')
                .map(str::trim)
                .any(|listed| listed == "*" || listed.strip_prefix("W/").unwrap_or(listed) == tag)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(minor: i64, currency: &str) -> String {
        let currency = currency.parse().expect("a currency");
        serde_json::to_string(&Amount(Money(minor), currency)).expect("JSON")
    }

    #[test]
    fn amounts_have_exactly_the_currencys_decimals() {
        assert_eq!(text(599_999, "USD"), "5999.99");
        assert_eq!(text(2000, "USD"), "20.00");
        assert_eq!(text(5, "USD"), "0.05");
        assert_eq!(text(0, "USD"), "0.00");
        assert_eq!(text(-1, "KGS"), "-0.01");
        assert_eq!(text(0, "JPY"), "0");
        assert_eq!(text(1200, "JPY"), "1200");
        assert_eq!(text(1234, "KWD"), "1.234");
        for minor in [i64::MAX, i64::MIN] {
            let exact = Money(minor).to_decimal("USD".parse().expect("a currency")).to_string();
            assert_eq!(text(minor, "USD"), exact);
        }
    }

    #[test]
    fn times_are_written_to_the_second() {
        let at = Timestamp::from_millisecond(1_790_000_000_123).expect("in range");
        assert_eq!(serde_json::to_string(&Utc(at)).expect("JSON"), "\"2026-09-21T14:13:20Z\"");
    }

    #[test]
    fn a_client_that_has_it_is_told_so() {
        let request = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_NONE_MATCH, value.parse().expect("a header"));
            headers
        };
        for value in ["\"1-a\"", "W/\"1-a\"", "*", "\"x\", \"1-a\"", "\"x\",W/\"1-a\" "] {
            assert!(has(&request(value), "\"1-a\""), "{value}");
        }
        for value in ["\"1-b\"", "1-a", "\"1-a", "\"x\", \"y\"", ""] {
            assert!(!has(&request(value), "\"1-a\""), "{value}");
        }
    }
}

//! What makes a repeated or outdated request harmless, read from its headers: `Idempotency-Key` and
//! `If-Match`. A handler that changes anything takes a [`Mutation`].

use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderName, Uri, header};
use bytes::Bytes;
use evercart_core::guard::{Guard, IdempotencyKey};
use sha2::{Digest, Sha256};

use crate::body::{self, Fields};
use crate::edge::without_slash;
use crate::extract::Customer;
use crate::problem::{Code, Problem};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The most versions looked at in one `If-Match`.
const VERSIONS_MAX: usize = 16;

/// A request that changes something, read whole.
pub(crate) struct Mutation {
    headers: HeaderMap,
    uri: Uri,
    body: Bytes,
    idempotency: Option<IdempotencyKey>,
}

impl<S: Send + Sync> FromRequest<S> for Mutation {
    type Rejection = Problem;

    async fn from_request(mut request: Request, _: &S) -> Result<Self, Problem> {
        let headers = std::mem::take(request.headers_mut());
        let uri = request.uri().clone();
        let method = request.method().clone();
        if let Some(length) = headers.get(header::CONTENT_LENGTH) {
            request.headers_mut().insert(header::CONTENT_LENGTH, length.clone());
        }
        let body = body::read(request).await?;
        let idempotency = idempotency_key(&headers)?.map(|key| IdempotencyKey {
            key,
            fingerprint: fingerprint(method.as_str(), &uri, &body),
        });
        Ok(Self { headers, uri, body, idempotency })
    }
}

impl Mutation {
    /// The request's headers.
    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The request's path and query.
    pub(crate) fn uri(&self) -> &Uri {
        &self.uri
    }

    /// Reads the body as a JSON object, see [`body::parse`].
    pub(crate) fn json<T>(&self, take: impl FnOnce(&mut Fields<'_>) -> T) -> Result<T, Problem> {
        body::require_json(&self.headers)?;
        body::parse(&self.body, take)
    }

    /// As [`json`](Self::json), where a body may be left out: what then is missing is a field. One
    /// that is announced and empty is no JSON.
    pub(crate) fn json_or_nothing<T>(
        &self,
        take: impl FnOnce(&mut Fields<'_>) -> T,
    ) -> Result<T, Problem> {
        if self.body.is_empty() && !self.headers.contains_key(header::CONTENT_TYPE) {
            return body::parse(b"{}", take);
        }
        self.json(take)
    }

    /// The client's name for this request.
    pub(crate) fn idempotency(&self) -> Option<IdempotencyKey> {
        self.idempotency.clone()
    }

    /// The conditions of a change to anything but the cart.
    pub(crate) fn guard(&self) -> Guard {
        Guard { idempotency: self.idempotency(), expected_version: None }
    }

    /// The conditions of a change to the cart.
    pub(crate) async fn cart_guard(&self, customer: &Customer) -> Result<Guard, Problem> {
        let expected_version = match versions(&self.headers)? {
            Expected::Any => None,
            Expected::OneOf(versions) => match versions.as_slice() {
                [only] => Some(*only),
                // The store compares with one version. Of several, only the present one can fit;
                // should the cart move on until then, the answer is a conflict as it should be.
                several => {
                    let present = customer.store().cart(customer.session()).await?.version;
                    several.iter().find(|version| **version == present).or(several.first()).copied()
                }
            },
        };
        Ok(Guard { idempotency: self.idempotency(), expected_version })
    }
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all(&IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let printable = |b: &u8| (b' '..=b'~').contains(b);
    let bytes = value.as_bytes();
    let fits = (1..=255).contains(&bytes.len()) && bytes.iter().all(printable);
    match value.to_str() {
        Ok(key) if fits && values.next().is_none() => Ok(Some(key.to_owned())),
        _ => Err(Problem::field(
            "Idempotency-Key",
            "must be one header of 1 to 255 printable ASCII characters",
        )),
    }
}

/// Tells whether two requests are the same one. The path comes without `/api/v1` and counts without
/// a slash at its end, since all these ways lead to the same place.
fn fingerprint(method: &str, uri: &Uri, body: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    let path = without_slash(uri.path());
    for part in
        [method.as_bytes(), path.as_bytes(), uri.query().unwrap_or_default().as_bytes(), body]
    {
        // Each part is preceded by its length, so that no two lists of parts look the same.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

#[derive(Debug, PartialEq, Eq)]
enum Expected {
    Any,
    OneOf(Vec<i64>),
}

/// The cart's versions that `If-Match` names. The digest in a tag is for caches: two carts of one
/// version differ only by what the catalogue says, which is no conflict.
fn versions(headers: &HeaderMap) -> Result<Expected, Problem> {
    let mut versions = Vec::new();
    let mut values = headers.get_all(header::IF_MATCH).iter().peekable();
    if values.peek().is_none() {
        return Ok(Expected::Any);
    }
    for value in values {
        for tag in value.to_str().unwrap_or_default().split(',').map(str::trim) {
            if tag == "*" {
                return Ok(Expected::Any);
            }
            versions.extend(version(tag));
        }
    }
    if versions.is_empty() || versions.len() > VERSIONS_MAX {
        return Err(Problem::new(
            Code::VersionConflict,
            "If-Match names no version of a cart. Send the ETag of the cart as you got it.",
        ));
    }
    Ok(Expected::OneOf(versions))
}

/// The version in a tag as we write it. A weak one never matches here (RFC 9110 section 13.1.1).
fn version(tag: &str) -> Option<i64> {
    let (version, digest) = tag.strip_prefix('"')?.strip_suffix('"')?.split_once('-')?;
    let plain = !version.is_empty() && version.bytes().all(|b| b.is_ascii_digit());
    let hex = !digest.is_empty() && digest.bytes().all(|b| b.is_ascii_hexdigit());
    if plain && hex { version.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, values: &[&[u8]]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(&name, axum::http::HeaderValue::from_bytes(value).expect("a value"));
        }
        headers
    }

    #[test]
    fn a_key_is_printable_ascii() {
        let key = |values: &[&[u8]]| idempotency_key(&headers(IDEMPOTENCY_KEY, values)).ok();
        assert_eq!(key(&[]), Some(None));
        assert_eq!(key(&[b"8e03978e-40d5"]), Some(Some("8e03978e-40d5".to_owned())));
        assert_eq!(key(&[&[b'~'; 255]]), Some(Some("~".repeat(255))));
        for bad in [&[b'x'; 256][..], b"", "ключ".as_bytes(), b"a\tb"] {
            assert_eq!(key(&[bad]), None, "{bad:?}");
        }
        assert_eq!(key(&[b"a", b"b"]), None);
    }

    #[test]
    fn a_tag_as_we_write_it_names_a_version() {
        let named = |value: &str| versions(&headers(header::IF_MATCH, &[value.as_bytes()])).ok();
        assert_eq!(named("\"3-00ff\""), Some(Expected::OneOf(vec![3])));
        assert_eq!(named("\"3-0a\", \"4-0b\" ,\"x\""), Some(Expected::OneOf(vec![3, 4])));
        assert_eq!(named("*"), Some(Expected::Any));
        for bad in [
            "",
            "3",
            "\"3\"",
            "3-0a",
            "W/\"3-0a\"",
            "\"-3-0a\"",
            "\"3-\"",
            "\"99999999999999999999-0a\"",
            "\"3-0a",
            "\"+3-0a\"",
            "\"3-xyz\"",
        ] {
            assert_eq!(named(bad), None, "{bad}");
        }
    }

    #[test]
    fn two_requests_that_differ_in_anything_have_two_fingerprints() {
        let uri = |text: &str| text.parse::<Uri>().expect("a URI");
        let prints = [
            fingerprint("POST", &uri("/cart/items"), b"{}"),
            fingerprint("PUT", &uri("/cart/items"), b"{}"),
            fingerprint("POST", &uri("/cart/item"), b"s{}"),
            fingerprint("POST", &uri("/cart/items?a"), b"{}"),
            fingerprint("POST", &uri("/cart/items"), b"{ }"),
        ];
        assert_eq!(fingerprint("POST", &uri("/cart/items/"), b"{}"), prints[0]);
        for (at, print) in prints.iter().enumerate() {
            assert!(!prints[..at].contains(print), "{at}");
        }
    }
}

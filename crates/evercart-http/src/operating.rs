//! What operators and developers ask: is it alive, is it ready, what does it count, what can it do.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Serialize;
use utoipa::ToSchema;

use crate::Shop;
use crate::docs::{self, Packed};
use crate::exposition::Exposition;
use crate::gzip;
use crate::json::{Audience, answer};
use crate::openapi::{self, Default5xx};
use crate::origin;
use crate::problem::{Answer, Code, Problem};

/// That the server is there.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    /// `ok`.
    #[schema(example = "ok")]
    status: &'static str,
}

/// Alive
///
/// Answers as long as the server runs, whatever its database does.
#[utoipa::path(get, path = "/healthz", tag = "Operating",
    responses((status = 200, description = "Alive", body = Health), Default5xx))]
pub(crate) async fn healthz() -> Response {
    answer(StatusCode::OK, Audience::Nobody, &Health { status: "ok" })
}

/// Ready
///
/// Answers 200 when the store of every market can be read and has this version's schema.
#[utoipa::path(get, path = "/readyz", tag = "Operating",
    responses((status = 200, description = "Ready", body = Health),
              (status = 503, description = "`store_unavailable`, `overloaded`",
               body = openapi::Problem, content_type = "application/problem+json"),
              Default5xx))]
pub(crate) async fn readyz(State(shop): State<Arc<Shop>>) -> Answer {
    let mut away = Vec::new();
    for at in &shop.markets {
        if let Err(error) = at.store.ready().await {
            tracing::error!(market = at.market.name.as_str(), %error, "a store is not ready");
            away.push(at.market.name.as_str());
        }
    }
    if away.is_empty() {
        Ok(answer(StatusCode::OK, Audience::Nobody, &Health { status: "ok" }))
    } else {
        let detail = format!("Not ready: the store of market {}.", away.join(", "));
        Err(Problem::new(Code::StoreUnavailable, detail))
    }
}

/// Counters, in the form that is asked for.
pub(crate) async fn metrics(State(shop): State<Arc<Shop>>, headers: HeaderMap) -> Answer {
    shop.metrics.streams_open(shop.streams.count());
    shop.metrics.connections_open(shop.connections.count());
    let exposition = Exposition::asked_for(&headers);
    let text = shop.metrics.text(exposition).map_err(|_| Problem::internal())?;
    Ok(([(header::CONTENT_TYPE, exposition.content_type())], text).into_response())
}

/// This API's description
///
/// The OpenAPI 3.1 document that this page and clients are made from.
#[utoipa::path(get, path = "/openapi.json", tag = "Operating",
    responses((status = 200, description = "An OpenAPI document", body = serde_json::Value),
              Default5xx))]
pub(crate) async fn openapi_document() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], openapi::document()).into_response()
}

/// This API's documentation
///
/// A page for people. It needs no network but this server.
#[utoipa::path(get, path = "/docs", tag = "Operating",
    responses((status = 200, description = "A page", body = String, content_type = "text/html"),
              Default5xx))]
pub(crate) async fn docs_page(State(shop): State<Arc<Shop>>, request: Request) -> Response {
    let is_below = request.uri().path().ends_with('/');
    let page = docs::page(origin::named(&request, &shop).as_deref(), is_below);
    page_response(page, "text/html; charset=utf-8", request.headers())
}

/// How the documentation looks.
pub(crate) async fn docs_style(headers: HeaderMap) -> Response {
    page_response(docs::STYLE.clone(), "text/css; charset=utf-8", &headers)
}

/// What the documentation does by itself.
pub(crate) async fn docs_script(headers: HeaderMap) -> Response {
    page_response(docs::SCRIPT.clone(), "text/javascript; charset=utf-8", &headers)
}

/// Scripts, styles and calls only from this server, nothing inline, no frames. The page itself
/// calls nothing; what looks at pages reads this server's `robots.txt` from within them.
const DOCS_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'";

/// What the documentation is made of, compressed for who takes that.
fn page_response(packed: Packed, content_type: &'static str, asked: &HeaderMap) -> Response {
    let is_packed = gzip::is_taken(asked);
    let body = if is_packed { packed.gzip } else { packed.plain };
    let mut response = body.into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, "public, max-age=300"),
        (header::VARY, "accept-encoding"),
        (header::CONTENT_SECURITY_POLICY, DOCS_POLICY),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if is_packed {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

/// A picture of the demo catalogue.
pub(crate) async fn demo_picture(
    State(shop): State<Arc<Shop>>,
    name: Result<Path<String>, axum::extract::rejection::PathRejection>,
    headers: HeaderMap,
) -> Answer {
    let missing = || Problem::not_found("picture");
    let Path(name) = name.map_err(|_| missing())?;
    let picture = (shop.pictures)(&name).ok_or_else(missing)?;
    let picture = gzip::answer(Bytes::from_static(picture), &headers);
    let headers = [
        (header::CONTENT_TYPE, "image/svg+xml"),
        (header::CACHE_CONTROL, "public, max-age=86400"),
        (header::VARY, "accept-encoding"),
        // An SVG opened on its own is a document; it gets to do nothing.
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; sandbox"),
    ];
    Ok((headers, picture).into_response())
}

/// There is nothing at this path.
pub(crate) async fn no_route() -> Problem {
    Problem::not_found("path")
}

/// There is something, but not for this method.
pub(crate) async fn no_method() -> Problem {
    Problem::new(Code::MethodNotAllowed, "This path has other methods; see the Allow header.")
}

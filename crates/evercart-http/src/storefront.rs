//! The demo shop's pages at `/shop`. What is in them is made from `storefront/`; here it is only
//! handed out, with rules for browsers that let no foreign script run, and for crawlers with what a
//! page shows.

mod page;
mod sitemap;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use evercart_core::error::{Refused, StoreError};
use evercart_core::ids::ProductId;

pub(crate) use sitemap::{robots, sitemap};

use crate::Shop;
use crate::gzip;
use crate::origin;
use crate::problem::{Answer, Problem};

/// The page that all of the shop's addresses show.
const PAGE: &str = "index.html";

/// The folder of files whose names change with their content.
const LASTING: &str = "assets/";

/// Scripts, styles and calls only from this server, nothing inline, no frames. Pictures may come
/// from elsewhere: an imported catalogue names its own.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' https:; connect-src 'self'; manifest-src 'self'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

/// A file of the shop, or its page for every address: where there is nothing to see, the page says
/// so, and the status with it.
pub(crate) async fn storefront(State(shop): State<Arc<Shop>>, request: Request) -> Answer {
    let path = request.uri().path();
    let path = path.strip_prefix("/shop").unwrap_or(path).trim_matches('/');
    if let Some(response) = file(&shop, path, request.headers()) {
        return Ok(response);
    }
    if path.rsplit('/').next().is_some_and(|name| name.contains('.')) {
        return Err(Problem::not_found("file"));
    }
    let built = (shop.storefront)(PAGE).ok_or_else(|| Problem::not_found("page"))?;
    let built = std::str::from_utf8(built).map_err(|_| Problem::internal())?;
    let pairs = request.uri().query().unwrap_or_default();
    let query: Vec<_> = form_urlencoded::parse(pairs.as_bytes()).into_owned().collect();
    let wanted = page::Wanted {
        origin: &origin::of(&request, &shop),
        path,
        query: &query,
        headers: request.headers(),
    };
    let page = page::filled(built, &shop, &wanted).await;
    let mut response = gzip::answer(page.html.into(), request.headers());
    page_headers(response.headers_mut(), content_type(PAGE), "public, no-cache");
    let vary = HeaderValue::from_static("accept-encoding, accept-language");
    response.headers_mut().insert(header::VARY, vary);
    if !page.shows_product && !is_there(&shop, path, wanted.named_market(&shop)).await {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    Ok(response)
}

/// Whether the page shows something at `path`, a path below `/shop` without slashes around it.
async fn is_there(shop: &Shop, path: &str, market: Option<usize>) -> bool {
    let (name, id) = path.split_once('/').map_or((path, None), |(name, id)| (name, Some(id)));
    match (name, id.map(|id| id.parse())) {
        ("" | "account" | "cart" | "checkout" | "orders" | "sign-in" | "wishlist", None)
        | ("contact" | "delivery" | "privacy" | "terms", None) => true,
        // Whose order it is, is asked when the page does.
        ("orders", Some(Ok(1_i64..))) => true,
        ("product", Some(Ok(id @ 1..))) => is_for_sale(shop, ProductId(id), market).await,
        _ => false,
    }
}

/// Whether the market has the product, or any market if none is named: which one the visitor is in,
/// only the page knows.
async fn is_for_sale(shop: &Shop, id: ProductId, market: Option<usize>) -> bool {
    let markets = market.map_or(&*shop.markets, |at| std::slice::from_ref(&shop.markets[at]));
    for at in markets {
        // A store that cannot say is no reason to send anybody away.
        if !matches!(at.store.product(id).await, Err(StoreError::Refused(Refused::NotFound { .. })))
        {
            return true;
        }
    }
    false
}

fn file(shop: &Shop, path: &str, asked: &HeaderMap) -> Option<Response> {
    let content = (shop.storefront)(path)?;
    let kept = if path.starts_with(LASTING) {
        "public, max-age=31536000, immutable"
    } else {
        "public, no-cache"
    };
    let packed = gzip::is_taken(asked).then(|| (shop.storefront)(&format!("{path}.gz"))).flatten();
    let mut response = packed.unwrap_or(content).into_response();
    let headers = response.headers_mut();
    page_headers(headers, content_type(path), kept);
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if packed.is_some() {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Some(response)
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("webmanifest") => "application/manifest+json",
        _ => "application/octet-stream",
    }
}

fn page_headers(headers: &mut HeaderMap, content_type: &'static str, kept: &'static str) {
    for (name, value) in [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, kept),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

//! What search engines are told: where the shop's products are, and which pages are nobody's but a
//! customer's (<https://www.sitemaps.org/protocol.html>, RFC 9309).

use std::fmt::Write;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use evercart_core::catalogue::ProductQuery;
use evercart_core::order::Page;

use super::page::with_market;
use crate::html::escaped;
use crate::problem::{Answer, Problem};
use crate::{Shop, ShopMarket, origin, query};

/// Products in one part of the map. A map may list 50,000, but an anonymous reader gets no more out
/// of the store at once than this.
const PART: u32 = 1_000;

/// The most parts an index may list (the protocol's limit).
const PARTS_MAX: i64 = 50_000;

const NAMESPACE: &str = "http://www.sitemaps.org/schemas/sitemap/0.9";

/// The pages that show a customer's own things.
const OWN: [&str; 3] = ["account", "orders", "wishlist"];

/// `/robots.txt`
pub(crate) async fn robots(State(shop): State<Arc<Shop>>, request: Request) -> Answer {
    (shop.storefront)(super::PAGE).ok_or_else(|| Problem::not_found("path"))?;
    let mut text = String::from("User-agent: *\n");
    for page in OWN {
        writeln!(text, "Disallow: /shop/{page}").expect("a string takes everything");
    }
    let origin = origin::of(&request, &shop);
    write!(text, "\nSitemap: {origin}/shop/sitemap.xml\n").expect("a string takes everything");
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}

/// `/shop/sitemap.xml`: an index of parts, or with `market` and `part` one of those.
pub(crate) async fn sitemap(State(shop): State<Arc<Shop>>, request: Request) -> Answer {
    (shop.storefront)(super::PAGE).ok_or_else(|| Problem::not_found("file"))?;
    let origin = origin::of(&request, &shop);
    let (market, part) = query::parse(request.uri(), |query| {
        (query.text("market", 64), query.integer("part", 0, PARTS_MAX))
    })?;
    let Some(part) = part else { return index(&shop, &origin).await };
    let at = match market {
        Some(name) => shop.market(&name).map(|index| &shop.markets[index]),
        None => shop.markets.first(),
    };
    let at = at.ok_or_else(|| Problem::not_found("market"))?;
    let page = Page { limit: PART, offset: u64::from(PART) * part.unsigned_abs() };
    let listed = at.store.products(ProductQuery::default(), page).await?;
    let mut addresses = Vec::new();
    if part == 0 {
        addresses.push(with_market(&format!("{origin}/shop/"), &shop, at));
    }
    addresses.extend(
        listed.items.iter().map(|product| {
            with_market(&format!("{origin}/shop/product/{}", product.id.0), &shop, at)
        }),
    );
    Ok(xml("urlset", "url", &addresses))
}

async fn index(shop: &Shop, origin: &str) -> Answer {
    let mut addresses = Vec::new();
    for at in &shop.markets {
        let parts = total(at).await?.div_ceil(u64::from(PART)).max(1);
        addresses.extend(
            (0..parts).map(|part| {
                with_market(&format!("{origin}/shop/sitemap.xml?part={part}"), shop, at)
            }),
        );
    }
    Ok(xml("sitemapindex", "sitemap", &addresses))
}

async fn total(at: &ShopMarket) -> Result<u64, Problem> {
    let one = Page { limit: 1, offset: 0 };
    Ok(at.store.products(ProductQuery::default(), one).await?.total)
}

fn xml(root: &str, entry: &str, addresses: &[String]) -> Response {
    let mut text =
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root} xmlns=\"{NAMESPACE}\">\n");
    for address in addresses {
        writeln!(text, "<{entry}><loc>{}</loc></{entry}>", escaped(address))
            .expect("a string takes everything");
    }
    text.push_str(&format!("</{root}>\n"));
    ([(header::CONTENT_TYPE, "application/xml")], text).into_response()
}

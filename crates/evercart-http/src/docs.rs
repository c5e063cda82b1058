//! The documentation page, made from the OpenAPI document. Plain HTML, one style sheet and one
//! small script, without which the page is whole: no framework, nothing from another server.

mod example;
mod page;

use std::sync::{LazyLock, Mutex, PoisonError};

use bytes::Bytes;
use serde_json::Value;

use crate::gzip::{self, Effort};
use crate::html::escaped;
use crate::openapi;

/// How the page looks.
pub(crate) static STYLE: LazyLock<Packed> =
    LazyLock::new(|| Packed::new(include_str!("docs.css").into()));

/// The page's search and copy buttons.
pub(crate) static SCRIPT: LazyLock<Packed> =
    LazyLock::new(|| Packed::new(include_str!("docs.js").into()));

/// Where the examples send their requests if nobody knows better: a shop as `evercart serve` starts
/// it.
const SHOP: &str = "http://127.0.0.1:8080";

/// The most pages kept ready. A server has an address or two; more are made-up hosts.
const PAGES_MAX: usize = 8;

/// A text as it is sent.
#[derive(Clone)]
pub(crate) struct Packed {
    pub(crate) plain: Bytes,
    pub(crate) gzip: Bytes,
}

impl Packed {
    fn new(plain: Bytes) -> Self {
        Self { gzip: gzip::packed(&plain, Effort::Kept), plain }
    }
}

/// The page for readers who reached this server at `origin`. `is_below`: at an address with a slash
/// at its end, to which what it links to is one step up.
pub(crate) fn page(origin: Option<&str>, is_below: bool) -> Packed {
    static READY: Mutex<Vec<(String, bool, Packed)>> = Mutex::new(Vec::new());
    let origin = origin.unwrap_or(SHOP);
    let ready = || READY.lock().unwrap_or_else(PoisonError::into_inner);
    let mut pages = ready();
    let found = pages.iter().position(|(of, below, _)| of == origin && *below == is_below);
    if let Some(place) = found {
        // The one that was not asked for the longest is the first to go.
        pages[place..].rotate_left(1);
        return pages.last().expect("the one that was found").2.clone();
    }
    drop(pages);
    let made = Packed::new(write(origin, is_below).into());
    let mut pages = ready();
    if pages.len() >= PAGES_MAX {
        pages.remove(0);
    }
    pages.push((origin.to_owned(), is_below, made.clone()));
    made
}

fn write(origin: &str, is_below: bool) -> String {
    static PAGE: LazyLock<String> = LazyLock::new(|| {
        let document: Value =
            serde_json::from_str(openapi::document()).expect("our own document is JSON");
        page::write(&document)
    });
    let page = PAGE.replace(SHOP, &escaped(origin));
    if !is_below {
        return page;
    }
    [r#"href="docs.css""#, r#"href="openapi.json""#, r#"src="docs.js""#]
        .into_iter()
        .fold(page, |page, link| page.replace(link, &link.replace("=\"", "=\"../")))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_made_once_an_address_and_made_up_hosts_take_no_memory() {
        let first = page(Some("https://shop.example"), false);
        let plain = std::str::from_utf8(&first.plain).expect("UTF-8");
        assert!(plain.contains("curl https://shop.example/cart") && !plain.contains(SHOP));
        let again = page(Some("https://shop.example"), false);
        assert_eq!(again.gzip.as_ptr(), first.gzip.as_ptr());
        for n in 0..PAGES_MAX {
            page(Some(&format!("https://{n}.example")), false);
        }
        assert_ne!(page(Some("https://shop.example"), false).gzip.as_ptr(), first.gzip.as_ptr());
    }
}

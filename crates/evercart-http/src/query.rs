//! Reads query strings. Every wrong parameter is reported, each once; unknown ones are ignored.

use axum::extract::Query;
use axum::http::Uri;
use evercart_core::ids::ID_MAX;
use evercart_core::order::Page;

use crate::body;
use crate::problem::{FieldError, Problem};

/// Entries of a page if the client does not say.
const LIMIT_DEFAULT: i64 = 20;
/// The most entries of a page.
const LIMIT_MAX: i64 = 100;

/// Reads the query string with `take`, which asks for each parameter it wants. If any of them is
/// wrong, what `take` made is dropped and all the problems are returned.
pub(crate) fn parse<T>(uri: &Uri, take: impl FnOnce(&mut Parameters) -> T) -> Result<T, Problem> {
    let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri)
        .map_err(|error| Problem::field("query", format!("cannot be read: {error}")))?;
    let mut parameters = Parameters { pairs, errors: Vec::new() };
    let value = take(&mut parameters);
    if parameters.errors.is_empty() { Ok(value) } else { Err(Problem::fields(parameters.errors)) }
}

/// The parameters of a query string. A method that finds its parameter wrong notes that and
/// returns a placeholder, which [`parse`] sees to it nobody uses.
pub(crate) struct Parameters {
    pairs: Vec<(String, String)>,
    errors: Vec<FieldError>,
}

impl Parameters {
    fn wrong(&mut self, field: &'static str, detail: impl Into<String>) {
        self.errors.push(FieldError { field: field.into(), detail: detail.into() });
    }

    fn one(&mut self, field: &'static str) -> Option<String> {
        let mut values = self.pairs.iter().filter(|(name, _)| name == field);
        let value = values.next().map(|(_, value)| value.clone());
        if values.next().is_some() {
            self.wrong(field, "must be given once, found it more often");
            return None;
        }
        value
    }

    /// An integer from `least` to `most`; `None` if it is absent.
    pub(crate) fn integer(&mut self, field: &'static str, least: i64, most: i64) -> Option<i64> {
        let value = self.one(field)?;
        // A float that is one is written so by some clients.
        let digits = value.split_once('.').map_or(value.as_str(), |(digits, fraction)| {
            let is_whole = !fraction.is_empty() && fraction.bytes().all(|b| b == b'0');
            if is_whole { digits } else { "" }
        });
        match body::integer_of_text(digits) {
            Some(number) if (least..=most).contains(&number) => Some(number),
            _ => {
                self.wrong(field, format!("must be an integer from {least} to {most}"));
                Some(least)
            }
        }
    }

    /// A trimmed text; `None` if it is absent or empty.
    pub(crate) fn text(&mut self, field: &'static str, characters_max: usize) -> Option<String> {
        let value = self.one(field)?;
        let text = value.trim();
        if text.chars().count() > characters_max {
            self.wrong(field, format!("must have at most {characters_max} characters"));
        } else if text.chars().any(|c| c.is_control() || c == char::REPLACEMENT_CHARACTER) {
            // Decoding puts the replacement character where there was no UTF-8.
            self.wrong(field, "must be UTF-8 without control characters");
        } else if !text.is_empty() {
            return Some(text.to_owned());
        }
        None
    }

    /// One of a set of words, read by `read`; `None` if it is absent or empty.
    pub(crate) fn word<T>(
        &mut self,
        field: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
        words: &[&str],
    ) -> Option<T> {
        let value = self.one(field).filter(|value| !value.is_empty())?;
        let found = read(&value);
        if found.is_none() {
            self.wrong(field, format!("must be one of {}", words.join(", ")));
        }
        found
    }

    /// `limit` and `offset`.
    pub(crate) fn page(&mut self) -> Page {
        let limit = self.integer("limit", 1, LIMIT_MAX).unwrap_or(LIMIT_DEFAULT);
        let offset = self.integer("offset", 0, ID_MAX).unwrap_or(0);
        Page {
            limit: u32::try_from(limit).expect("checked to be at most 100"),
            offset: u64::try_from(offset).expect("checked not to be negative"),
        }
    }
}

/// True if there is more of a list of `total` after this part of it.
pub(crate) fn has_more(page: Page, shown: usize, total: u64) -> bool {
    page.offset.saturating_add(shown as u64) < total && shown > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(query: &str) -> Result<Page, String> {
        let uri = format!("/products?{query}").parse().expect("a URI");
        parse(&uri, Parameters::page).map_err(|problem| problem.to_string())
    }

    #[test]
    fn pages_have_bounds() {
        assert_eq!(page(""), Ok(Page { limit: 20, offset: 0 }));
        assert_eq!(
            page("limit=100&offset=9007199254740991&x=%zz"),
            Ok(Page { limit: 100, offset: 9_007_199_254_740_991 })
        );
        assert_eq!(page("limit=2.0&offset=03"), Ok(Page { limit: 2, offset: 3 }));
        for wrong in [
            "limit=0",
            "limit=101",
            "limit=-1",
            "limit=",
            "limit=ten",
            "limit=1.5",
            "limit=1.",
            "limit=.0",
            "limit=1e1",
            "limit=+1",
            "limit=99999999999999999999",
            "offset=-1",
            "offset=x",
            "limit=1&limit=2",
            "offset=9007199254740992",
            "limit=%FF",
        ] {
            assert!(page(wrong).is_err(), "{wrong}");
        }
        let both = page("limit=0&offset=x").expect_err("both wrong");
        assert_eq!(both, "validation_failed: 2 fields are wrong; see errors");
    }

    #[test]
    fn there_is_more_until_the_end() {
        let page = Page { limit: 2, offset: 2 };
        assert!(has_more(page, 2, 5));
        assert!(!has_more(page, 2, 4));
        assert!(!has_more(Page { limit: 2, offset: 9 }, 0, 4));
    }
}

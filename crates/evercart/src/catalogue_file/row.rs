//! One row of our own columns, however it was written, as a catalogue row.

use std::borrow::Cow;

use evercart_core::catalogue::{ProductKey, RowChange, STOCK_MAX, StockChange};
use evercart_core::ids::{ID_MAX, ProductId, SkuId};
use evercart_core::money::{Currency, Money, PRICE_MAX};
use evercart_core::text;

use super::{Problem, Reading};

/// The longest texts, in characters. They bound what a page and a search index have to carry.
const DESCRIPTION_MAX: usize = 20_000;
const TEXT_MAX: usize = 500;

impl Reading<'_> {
    /// Reads a row whose cells `cell` gives by column name, and keeps it or what is wrong with it.
    pub(super) fn row<'c>(
        &mut self,
        line: u64,
        cell: impl Fn(&'static str) -> Option<Cow<'c, str>>,
    ) {
        let mut cells = Cells { line, currency: self.currency, problems: Vec::new(), cell };
        let row = cells.row();
        match (row, cells.problems) {
            (Some(row), problems) if problems.is_empty() => {
                self.rows.push(row);
                self.lines.push(u32::try_from(line).unwrap_or(u32::MAX));
            }
            (_, problems) => self.problems.extend(problems),
        }
    }

    /// Notes what is wrong with a whole line.
    pub(super) fn problem(&mut self, line: u64, what: impl Into<String>) {
        self.problems.push(Problem { line, column: None, what: what.into() });
    }
}

struct Cells<F> {
    line: u64,
    currency: Currency,
    problems: Vec<Problem>,
    cell: F,
}

impl<'c, F: Fn(&'static str) -> Option<Cow<'c, str>>> Cells<F> {
    /// Reads every column before giving up, so that all problems of a line are told at once. A
    /// column that is not there changes nothing.
    fn row(&mut self) -> Option<RowChange> {
        let sku_id = self.id("sku_id").map(SkuId);
        let product = self.product();
        let name = self.needed("name", TEXT_MAX);
        let brand = self.optional("brand", TEXT_MAX);
        let category = self.optional("category", TEXT_MAX);
        let description = self.optional("description", DESCRIPTION_MAX);
        let image = self.image();
        let sku_code = self.needed("sku_code", TEXT_MAX);
        if self.raw("sku_id").is_none() && !self.has("sku_code") {
            self.wrong("sku_id", "is empty, and so is sku_code: every row needs one of them");
        }
        let size = self.optional("size", TEXT_MAX);
        let color = self.optional("color", TEXT_MAX);
        let price = self.price("price");
        if self.has("price") && self.raw("price").is_none() {
            self.wrong("price", "is empty, expected a price");
        }
        let original_price = self.price("original_price");
        let original_price = self.has("original_price").then_some(original_price);
        let stock = self.stock();
        let active = self.active();
        Some(RowChange {
            product,
            sku_id,
            sku_code,
            name,
            brand,
            category,
            description,
            image,
            size,
            color,
            price,
            original_price,
            stock,
            active,
        })
    }

    /// The row has this column, if only an empty one.
    fn has(&self, column: &'static str) -> bool {
        (self.cell)(column).is_some()
    }

    fn raw(&self, column: &'static str) -> Option<String> {
        let text = (self.cell)(column)?;
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    fn wrong(&mut self, column: &'static str, what: impl Into<String>) {
        let problem = Problem { line: self.line, column: Some(column), what: what.into() };
        self.problems.push(problem);
    }

    fn text(&mut self, column: &'static str, max: usize) -> Option<String> {
        let text = self.raw(column)?;
        let length = text.chars().count();
        if length > max {
            self.wrong(column, format!("has {length} characters, at most {max} are taken"));
        }
        if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            self.wrong(column, "has a control character");
        } else if let Some(character) = text::refused(&text) {
            self.wrong(column, format!("has {}", text::named(character)));
        }
        Some(text)
    }

    fn optional(&mut self, column: &'static str, max: usize) -> Option<Option<String>> {
        let text = self.text(column, max);
        self.has(column).then_some(text)
    }

    fn needed(&mut self, column: &'static str, max: usize) -> Option<String> {
        let text = self.text(column, max);
        if self.has(column) && text.is_none() {
            self.wrong(column, "is empty, but every row needs one");
        }
        text
    }

    fn product(&mut self) -> Option<ProductKey> {
        let handle = self.text("handle", TEXT_MAX);
        if self.raw("product_id").is_some() {
            return Some(ProductKey::Id(ProductId(self.id("product_id")?), handle));
        }
        if handle.is_none() && (self.has("product_id") || self.has("handle")) {
            self.wrong("product_id", "is empty, expected an id (or a handle in that column)");
        }
        handle.map(ProductKey::Handle)
    }

    fn id(&mut self, column: &'static str) -> Option<i64> {
        let text = self.raw(column)?;
        let id = text.parse().ok().filter(|id| (1..=ID_MAX).contains(id));
        if id.is_none() {
            self.wrong(column, format!("{text:?} is not an id, a whole number from 1 on"));
        }
        id
    }

    fn price(&mut self, column: &'static str) -> Option<Money> {
        let text = self.raw(column)?;
        match price(&text, self.currency) {
            Ok(price) => Some(price),
            Err(problem) => {
                self.wrong(column, problem);
                None
            }
        }
    }

    fn stock(&mut self) -> Option<StockChange> {
        let seen = self.raw("stock_seen");
        let seen = seen.map(|text| (pieces(&text).filter(|pieces| *pieces >= 0), text));
        if let Some((None, text)) = &seen {
            self.wrong("stock_seen", format!("{text:?} is not the stock that an export wrote"));
        }
        let text = (self.cell)("stock")?.trim().to_owned();
        let is_change = text.starts_with(['+', '-', '\u{2212}']);
        let Some(pieces) = pieces(&text) else {
            let what = format!(
                "{text:?} is not a number of pieces, 0 to {STOCK_MAX}, nor a change such as +5 or \
                 -2"
            );
            self.wrong("stock", what);
            return None;
        };
        Some(match seen.and_then(|(seen, _)| seen) {
            _ if is_change => StockChange::By(pieces),
            Some(seen) => StockChange::ToIfStill { pieces, seen },
            None => StockChange::To(pieces),
        })
    }

    fn active(&mut self) -> Option<bool> {
        if !self.has("active") {
            return None;
        }
        let text = self.raw("active").unwrap_or_else(|| "true".to_owned());
        match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => Some(true),
            "false" | "no" | "0" => Some(false),
            _ => {
                self.wrong("active", format!("{text:?} is neither true nor false"));
                None
            }
        }
    }

    fn image(&mut self) -> Option<Option<String>> {
        let image = self.optional("image", 2000)?;
        if let Some(image) = image.as_ref().filter(|image| !is_picture_address(image)) {
            let what = format!("{image:?} is neither a http(s) URL nor a path that begins with /");
            self.wrong("image", what);
        }
        Some(image)
    }
}

/// A number of pieces, with or without a sign, which may also be the one that typesetters use.
fn pieces(text: &str) -> Option<i64> {
    let text = text.replacen('\u{2212}', "-", 1);
    text.parse().ok().filter(|pieces| (-STOCK_MAX..=STOCK_MAX).contains(pieces))
}

/// True for what a page may load as a picture. `javascript:` and the like are not among it.
pub(super) fn is_picture_address(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    lower.starts_with("https://") || lower.starts_with("http://") || text.starts_with('/')
}

/// A price of the catalogue, or a sentence about what is wrong with it.
pub(super) fn price(text: &str, currency: Currency) -> Result<Money, String> {
    let code = currency.code();
    match Money::parse(text, currency) {
        Ok(price) if (Money::ZERO..=PRICE_MAX).contains(&price) => Ok(price),
        Ok(price) => Err(format!(
            "{} {code} is not a price, 0 to {} {code}",
            price.to_decimal(currency),
            PRICE_MAX.to_decimal(currency)
        )),
        Err(error) => Err(format!("{text:?} {error}, expected a price in {code}")),
    }
}

//! One row of our own columns, however it was written, as a catalogue row.

use std::borrow::Cow;

use evercart_core::catalogue::{CatalogueRow, ProductKey};
use evercart_core::ids::{ID_MAX, ProductId, SkuId};
use evercart_core::money::{Currency, Money, PRICE_MAX};
use evercart_core::text;

use super::{Problem, Reading};

/// The longest texts, in characters. They bound what a page and a search index have to carry.
const DESCRIPTION_MAX: usize = 20_000;
const TEXT_MAX: usize = 500;

/// More pieces than any shop has of one thing.
const STOCK_MAX: i64 = 1_000_000_000;

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
                self.lines.push(line);
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
    /// Reads every column before giving up, so that all problems of a line are told at once.
    fn row(&mut self) -> Option<CatalogueRow> {
        let product = self.product();
        let name = self.needed("name", TEXT_MAX);
        let brand = self.text("brand", TEXT_MAX);
        let category = self.text("category", TEXT_MAX);
        let description = self.text("description", DESCRIPTION_MAX);
        let image = self.image();
        let sku_id = self.id("sku_id").map(SkuId);
        let sku_code = self.needed("sku_code", TEXT_MAX);
        let size = self.text("size", TEXT_MAX);
        let color = self.text("color", TEXT_MAX);
        let price = self.price("price");
        if price.is_none() && self.raw("price").is_none() {
            self.wrong("price", "is empty, expected a price");
        }
        let original_price = self.price("original_price");
        let stock = self.stock();
        let active = self.active();
        Some(CatalogueRow {
            product: product?,
            name: name?,
            brand,
            category,
            description,
            image,
            sku_id,
            sku_code: sku_code?,
            size,
            color,
            price: price?,
            original_price,
            stock: stock?,
            active: active?,
        })
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

    fn needed(&mut self, column: &'static str, max: usize) -> Option<String> {
        let text = self.text(column, max);
        if text.is_none() {
            self.wrong(column, "is empty, but every row needs one");
        }
        text
    }

    fn product(&mut self) -> Option<ProductKey> {
        let handle = self.text("handle", TEXT_MAX);
        if self.raw("product_id").is_some() {
            return Some(ProductKey::Id(ProductId(self.id("product_id")?), handle));
        }
        if handle.is_none() {
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

    fn stock(&mut self) -> Option<i64> {
        let text = self.raw("stock").unwrap_or_default();
        let stock = text.parse().ok().filter(|pieces| (0..=STOCK_MAX).contains(pieces));
        if stock.is_none() {
            let what = format!("{text:?} is not a number of pieces, 0 to {STOCK_MAX}");
            self.wrong("stock", what);
        }
        stock
    }

    fn active(&mut self) -> Option<bool> {
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

    fn image(&mut self) -> Option<String> {
        let image = self.text("image", 2000)?;
        if !is_picture_address(&image) {
            let what = format!("{image:?} is neither a http(s) URL nor a path that begins with /");
            self.wrong("image", what);
        }
        Some(image)
    }
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

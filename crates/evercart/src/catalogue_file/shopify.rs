//! Reads a Shopify product export: one row a variant, the product's own facts only in its first.
//!
//! A product is known by its `Handle`, so that a second import changes the same products. What the
//! columns mean: Shopify's "Using CSV files to import and export products". Columns have the names
//! of the export here; those of the template that Shopify offers since 2024 mean the same.

use std::collections::{HashMap, HashSet};

use csv::StringRecord;
use evercart_core::catalogue::{ProductKey, RowChange, STOCK_MAX, StockChange};
use evercart_core::money::Money;

use super::plain_text::plain_text;
use super::row::{is_picture_address, price};
use super::table::Header;
use super::{Problem, Reading};

/// What the template of 2024 calls the columns.
const TEMPLATE_NAMES: [(&str, &str); 18] = [
    ("Handle", "URL handle"),
    ("Body (HTML)", "Description"),
    ("Published", "Published on online store"),
    ("Option1 Name", "Option1 name"),
    ("Option1 Value", "Option1 value"),
    ("Option2 Name", "Option2 name"),
    ("Option2 Value", "Option2 value"),
    ("Option3 Name", "Option3 name"),
    ("Option3 Value", "Option3 value"),
    ("Variant SKU", "SKU"),
    ("Variant Price", "Price"),
    ("Variant Compare At Price", "Compare-at price"),
    ("Variant Inventory Tracker", "Inventory tracker"),
    ("Variant Inventory Qty", "Inventory quantity"),
    ("Variant Inventory Policy", "Continue selling when out of stock"),
    ("Variant Image", "Variant image URL"),
    ("Image Src", "Product image URL"),
    ("Image Position", "Image position"),
];

/// The stock of what Shopify sells without counting it.
const UNCOUNTED: i64 = 1_000_000;

/// True if the header is that of a product export.
pub(super) fn is_export(header: &Header) -> bool {
    ["Handle", "Title", "Variant Price"].iter().all(|column| position(header, column).is_some())
}

fn position(header: &Header, column: &str) -> Option<usize> {
    let in_template = || {
        let (_, name) = TEMPLATE_NAMES.iter().find(|(export, _)| *export == column)?;
        header.position(name)
    };
    header.position(column).or_else(in_template)
}

/// The products met so far.
#[derive(Default)]
pub(super) struct Products {
    by_handle: HashMap<String, Product>,
    /// Rows that show their product's picture, which a later row may name.
    without_picture: Vec<(usize, String)>,
    codes: HashSet<String>,
    repeated: usize,
    uncounted: usize,
}

/// What a product's first row says of all its variants.
#[derive(Clone)]
struct Product {
    name: String,
    brand: Option<Option<String>>,
    category: Option<Option<String>>,
    description: Option<Option<String>>,
    active: Option<bool>,
    options: [Option<String>; 3],
    /// The picture that comes first, and its place.
    picture: Option<(u32, String)>,
}

/// One row.
struct Cells<'r> {
    header: &'r Header,
    record: &'r StringRecord,
}

impl Cells<'_> {
    fn has(&self, column: &str) -> bool {
        position(self.header, column).is_some()
    }

    fn get(&self, column: &str) -> Option<&str> {
        let text = self.record.get(position(self.header, column)?)?.trim();
        (!text.is_empty()).then_some(text)
    }

    /// A column that may be empty; `None` if the file does not have it.
    fn optional(&self, column: &str) -> Option<Option<String>> {
        self.has(column).then(|| self.get(column).map(str::to_owned))
    }

    fn picture(&self, column: &str) -> Option<&str> {
        self.get(column).filter(|image| is_picture_address(image))
    }
}

impl Products {
    /// Reads a row: a variant, or one more picture.
    pub(super) fn row(
        &mut self,
        header: &Header,
        record: &StringRecord,
        line: u64,
        reading: &mut Reading<'_>,
    ) {
        let cells = Cells { header, record };
        let mut wrong = |column, what: String| {
            reading.problems.push(Problem { line, column: Some(column), what });
        };
        let Some(handle) = cells.get("Handle") else {
            return wrong("Handle", "is empty, but every row needs one".into());
        };
        let known = self.by_handle.get(handle);
        let mut product = match (known, cells.get("Title")) {
            (Some(product), None) => product.clone(),
            (None, None) => {
                return wrong("Title", format!("is empty in the first row of {handle:?}"));
            }
            (known, Some(title)) => {
                let picture = known.and_then(|product| product.picture.clone());
                Product { picture, ..Product::read(&cells, title) }
            }
        };
        product.see_picture(&cells);
        self.by_handle.insert(handle.to_owned(), product.clone());
        if cells.get("Variant Price").is_none() && cells.get("Option1 Value").is_none() {
            return;
        }
        let values = [1, 2, 3].map(|n| cells.get(&format!("Option{n} Value")));
        let mut amount = |column| {
            let text = cells.get(column)?;
            price(text, reading.currency).map_err(|what| wrong(column, what)).ok()
        };
        let (own_price, before) = (amount("Variant Price"), amount("Variant Compare At Price"));
        let Some(own_price) = own_price else {
            if cells.get("Variant Price").is_none() {
                wrong("Variant Price", "is empty, expected a price".into());
            }
            return;
        };
        let stock = match self.stock(&cells) {
            Ok(stock) => stock,
            Err(what) => return wrong("Variant Inventory Qty", what),
        };
        let own_picture = cells.picture("Variant Image").map(str::to_owned);
        let has_pictures = cells.has("Variant Image") || cells.has("Image Src");
        if own_picture.is_none() && has_pictures {
            self.without_picture.push((reading.rows.len(), handle.to_owned()));
        }
        let sku_code = self.sku_code(handle, cells.get("Variant SKU"), values);
        let has_options = cells.has("Option1 Value");
        let (size, color) = size_and_color(&product.options, values);
        let before = before.filter(|before: &Money| *before > own_price);
        reading.rows.push(RowChange {
            product: Some(ProductKey::Handle(handle.to_owned())),
            name: Some(product.name),
            brand: product.brand,
            category: product.category,
            description: product.description,
            image: has_pictures.then_some(own_picture),
            sku_id: None,
            sku_code: Some(sku_code),
            size: has_options.then_some(size),
            color: has_options.then_some(color),
            price: Some(own_price),
            original_price: cells.has("Variant Compare At Price").then_some(before),
            stock,
            active: product.active,
        });
        reading.lines.push(u32::try_from(line).unwrap_or(u32::MAX));
    }

    /// Shows each product's picture where a variant has none of its own, and says what was done
    /// otherwise than the file has it.
    pub(super) fn finish(self, reading: &mut Reading<'_>) {
        for (row, handle) in self.without_picture {
            let picture = self.by_handle.get(&handle).and_then(|product| product.picture.as_ref());
            reading.rows[row].image = Some(picture.map(|(_, address)| address.clone()));
        }
        if self.repeated > 0 {
            reading.notes.push(format!(
                "{} variants repeat another one's SKU, so their codes are made of handle and \
                 options",
                self.repeated
            ));
        }
        if self.uncounted > 0 {
            reading.notes.push(format!(
                "Shopify does not count the stock of {} variants, or sells them beyond it; they \
                 came in with {UNCOUNTED} pieces each",
                self.uncounted
            ));
        }
    }

    fn stock(&mut self, cells: &Cells<'_>) -> Result<Option<StockChange>, String> {
        let counts = !cells.has("Variant Inventory Tracker")
            || cells.get("Variant Inventory Tracker").is_some();
        let policy = cells.get("Variant Inventory Policy").unwrap_or_default();
        let sells_on = ["continue", "true"].iter().any(|yes| policy.eq_ignore_ascii_case(yes));
        let pieces = cells.get("Variant Inventory Qty").map(|text| match text.parse::<i64>() {
            // Shopify counts below zero what was sold on backorder; there is none of it.
            Ok(pieces) => Ok(pieces.clamp(0, STOCK_MAX)),
            Err(_) => Err(format!("{text:?} is not a whole number")),
        });
        let pieces = pieces.transpose()?;
        if counts && !sells_on {
            return Ok(pieces.map(StockChange::To));
        }
        self.uncounted += 1;
        Ok(Some(StockChange::To(UNCOUNTED)))
    }

    /// The shop's own code, or one made of handle and options that stays the same at every import.
    /// Shopify lets variants share a code; the first of them keeps it.
    fn sku_code(&mut self, handle: &str, own: Option<&str>, values: [Option<&str>; 3]) -> String {
        // A spreadsheet keeps a code from being read as a number by an apostrophe in front.
        let own = own.map(|code| code.trim_start_matches('\'')).filter(|code| !code.is_empty());
        if let Some(code) = own {
            if self.codes.insert(code.to_owned()) {
                return code.to_owned();
            }
            self.repeated += 1;
        }
        let mut code = made_code(handle, values);
        // Options that differ in case only, or a handle that ends as an option begins.
        while !self.codes.insert(code.clone()) {
            code.push('*');
        }
        code
    }
}

impl Product {
    fn read(cells: &Cells<'_>, title: &str) -> Self {
        let first_tag = cells.get("Tags").and_then(|tags| tags.split(',').next()).map(str::trim);
        let category = cells.get("Type").or(first_tag).filter(|text| !text.is_empty());
        let has_category = cells.has("Type") || cells.has("Tags");
        let is_yes = |text: &str| text.eq_ignore_ascii_case("true");
        let published = cells.get("Published").is_none_or(is_yes);
        let status = cells.get("Status").is_none_or(|text| text.eq_ignore_ascii_case("active"));
        let says_active = cells.has("Published") || cells.has("Status");
        let description = cells
            .optional("Body (HTML)")
            .map(|html| html.map(|html| plain_text(&html)).filter(|text| !text.is_empty()));
        Self {
            name: title.to_owned(),
            brand: cells.optional("Vendor"),
            category: has_category.then(|| category.map(str::to_owned)),
            description,
            active: says_active.then_some(published && status),
            options: [1, 2, 3].map(|n| cells.get(&format!("Option{n} Name")).map(str::to_owned)),
            picture: None,
        }
    }

    /// Keeps the picture that comes first: by its place, or by its row where it has none.
    fn see_picture(&mut self, cells: &Cells<'_>) {
        let Some(address) = cells.picture("Image Src") else { return };
        let place = cells.get("Image Position").and_then(|place| place.parse().ok());
        let place = place.unwrap_or(u32::MAX);
        if self.picture.as_ref().is_none_or(|(first, _)| place < *first) {
            self.picture = Some((place, address.to_owned()));
        }
    }
}

/// Shopify gives a product without options the option `Title` with the value `Default Title`.
fn is_no_option(value: &str) -> bool {
    value == "Default Title"
}

/// Puts up to three options into the two columns the catalogue has: by their names, the others
/// where there is room, and a third one behind the size, so that no two variants look the same.
fn size_and_color(
    names: &[Option<String>; 3],
    values: [Option<&str>; 3],
) -> (Option<String>, Option<String>) {
    let mut size: Option<String> = None;
    let mut color: Option<String> = None;
    let mut others = Vec::new();
    for (name, value) in names.iter().zip(values) {
        let Some(value) = value.filter(|value| !is_no_option(value)) else { continue };
        match name.as_deref().map(str::to_lowercase).as_deref() {
            Some("size") if size.is_none() => size = Some(value.to_owned()),
            Some("color" | "colour") if color.is_none() => color = Some(value.to_owned()),
            _ => others.push(value),
        }
    }
    for value in others {
        match (&mut size, &mut color) {
            (size @ None, _) => *size = Some(value.to_owned()),
            (_, color @ None) => *color = Some(value.to_owned()),
            (Some(size), _) => size.push_str(&format!(" / {value}")),
        }
    }
    (size, color)
}

/// A code of handle and options: other options, another code.
fn made_code(handle: &str, values: [Option<&str>; 3]) -> String {
    let values = values.into_iter().flatten().filter(|value| !is_no_option(value));
    std::iter::once(handle.to_owned()).chain(values.map(slug)).collect::<Vec<_>>().join("-")
}

/// An option's value in lower case, with a hyphen for the space or hyphen between two words. Any
/// other character is written as its number, so that 1/2 and 1.2, or two emoji, do not become the
/// same.
fn slug(text: &str) -> String {
    let mut words = vec![String::new()];
    let mut characters = text.chars().peekable();
    let mut after_word = false;
    while let Some(c) = characters.next() {
        let before_word = characters.peek().is_some_and(|next| next.is_alphanumeric());
        match c {
            c if c.is_alphanumeric() => match words.last_mut() {
                Some(word) => word.extend(c.to_lowercase()),
                None => words.push(c.to_lowercase().collect()),
            },
            ' ' | '-' if after_word && before_word => words.push(String::new()),
            c => words.extend([format!("u{:x}", u32::from(c)), String::new()]),
        }
        after_word = c.is_alphanumeric();
    }
    words.retain(|word| !word.is_empty());
    words.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(pairs: [(&str, &str); 3]) -> (Option<String>, Option<String>) {
        let names = pairs.map(|(name, _)| (!name.is_empty()).then(|| name.to_owned()));
        let values = pairs.map(|(_, value)| (!value.is_empty()).then_some(value));
        size_and_color(&names, values)
    }

    fn some(size: &str, color: &str) -> (Option<String>, Option<String>) {
        let option = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        (option(size), option(color))
    }

    #[test]
    fn options_find_their_columns() {
        let none = ("", "");
        assert_eq!(options([("Title", "Default Title"), none, none]), some("", ""));
        assert_eq!(options([("Colour", "Red"), ("SIZE", "M"), none]), some("M", "Red"));
        assert_eq!(options([("Material", "Oak"), none, none]), some("Oak", ""));
        assert_eq!(options([("Size", "M"), ("Material", "Oak"), none]), some("M", "Oak"));
        assert_eq!(
            options([("Size", "M"), ("Color", "Red"), ("Fit", "Slim")]),
            some("M / Slim", "Red")
        );
    }

    #[test]
    fn a_code_is_the_shops_or_made_of_handle_and_options() {
        let code = |own, values| Products::default().sku_code("shirt", own, values);
        assert_eq!(code(Some("'0042"), [None, None, None]), "0042");
        assert_eq!(code(None, [Some("Default Title"), None, None]), "shirt");
        assert_eq!(code(Some("'"), [Some("X Large"), Some("Été"), None]), "shirt-x-large-été");
    }

    #[test]
    fn other_options_have_other_codes_whatever_came_before() {
        let values = ["1/2", "1-2", "1.2", "+1.5", "-1.5", "1.5", "😀", "😎", "★", "S/M", "S"];
        let code = |value| Products::default().sku_code("bolt", None, [Some(value), None, None]);
        let codes: Vec<_> = values.iter().map(|value| code(*value)).collect();
        let distinct: HashSet<_> = codes.iter().collect();
        assert_eq!(distinct.len(), values.len(), "{codes:?}");
        assert_eq!(codes[..3], ["bolt-1-u2f-2", "bolt-1-2", "bolt-1-u2e-2"]);
    }
}

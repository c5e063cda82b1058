//! Reads a Shopify product export: one row a variant, the product's own facts only in its first.
//!
//! A product is known by its `Handle`, so that a second import changes the same products. What the
//! columns mean: Shopify's "Using CSV files to import and export products".

use std::collections::HashMap;

use csv::StringRecord;
use evercart_core::catalogue::{CatalogueRow, ProductKey};
use evercart_core::money::Money;

use super::plain_text::plain_text;
use super::row::{is_picture_address, price};
use super::table::Header;
use super::{Problem, Reading};

/// True if the header is that of a product export.
pub(super) fn is_export(header: &Header) -> bool {
    ["Handle", "Title", "Variant Price"].iter().all(|column| header.position(column).is_some())
}

/// The products met so far.
#[derive(Default)]
pub(super) struct Products(HashMap<String, Product>);

/// What a product's first row says of all its variants.
#[derive(Clone)]
struct Product {
    name: String,
    brand: Option<String>,
    category: Option<String>,
    description: Option<String>,
    image: Option<String>,
    active: bool,
    options: [Option<String>; 3],
}

/// One row.
struct Cells<'r> {
    header: &'r Header,
    record: &'r StringRecord,
}

impl Cells<'_> {
    fn get(&self, column: &str) -> Option<&str> {
        let text = self.header.cell(self.record, column)?.trim();
        (!text.is_empty()).then_some(text)
    }

    fn owned(&self, column: &str) -> Option<String> {
        self.get(column).map(str::to_owned)
    }
}

impl Products {
    /// Reads a row: a variant, or one more picture, which the catalogue has no place for.
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
        let product = match (self.0.get(handle), cells.get("Title")) {
            (Some(product), None) => product.clone(),
            (None, None) => {
                return wrong("Title", format!("is empty in the first row of {handle:?}"));
            }
            (_, Some(title)) => {
                let product = Product::read(&cells, title);
                self.0.insert(handle.to_owned(), product.clone());
                product
            }
        };
        if cells.get("Variant Price").is_none() && cells.get("Option1 Value").is_none() {
            return;
        }
        let values = [1, 2, 3].map(|n| cells.get(&format!("Option{n} Value")));
        let (size, color) = size_and_color(&product.options, values);
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
        let stock = match cells.get("Variant Inventory Qty").unwrap_or("0").parse::<i64>() {
            // Shopify counts below zero what was sold on backorder; there is none of it.
            Ok(pieces) => pieces.clamp(0, 1_000_000_000),
            Err(_) => {
                let text = cells.get("Variant Inventory Qty").unwrap_or_default();
                return wrong("Variant Inventory Qty", format!("{text:?} is not a whole number"));
            }
        };
        let picture = cells.get("Variant Image").filter(|image| is_picture_address(image));
        reading.rows.push(CatalogueRow {
            product: ProductKey::Handle(handle.to_owned()),
            name: product.name,
            brand: product.brand,
            category: product.category,
            description: product.description,
            image: picture.map(str::to_owned).or(product.image),
            sku_id: None,
            sku_code: sku_code(handle, cells.get("Variant SKU"), values),
            size,
            color,
            price: own_price,
            original_price: before.filter(|before: &Money| *before > own_price),
            stock,
            active: product.active,
        });
        reading.lines.push(line);
    }
}

impl Product {
    fn read(cells: &Cells<'_>, title: &str) -> Self {
        let first_tag = cells.get("Tags").and_then(|tags| tags.split(',').next()).map(str::trim);
        let category = cells.get("Type").or(first_tag).filter(|text| !text.is_empty());
        let is_yes = |text: &str| text.eq_ignore_ascii_case("true");
        let published = cells.get("Published").is_none_or(is_yes);
        let status = cells.get("Status").is_none_or(|text| text.eq_ignore_ascii_case("active"));
        let image = cells.get("Image Src").filter(|image| is_picture_address(image));
        Self {
            name: title.to_owned(),
            brand: cells.owned("Vendor"),
            category: category.map(str::to_owned),
            description: cells.get("Body (HTML)").map(plain_text).filter(|text| !text.is_empty()),
            image: image.map(str::to_owned),
            active: published && status,
            options: [1, 2, 3].map(|n| cells.owned(&format!("Option{n} Name"))),
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

/// The shop's own code, or one made of handle and options that stays the same at every import.
fn sku_code(handle: &str, own: Option<&str>, values: [Option<&str>; 3]) -> String {
    // A spreadsheet keeps a code from being read as a number by an apostrophe in front.
    let own = own.map(|code| code.trim_start_matches('\'')).filter(|code| !code.is_empty());
    if let Some(code) = own {
        return code.to_owned();
    }
    let values = values.into_iter().flatten().filter(|value| !is_no_option(value));
    std::iter::once(handle.to_owned()).chain(values.map(slug)).collect::<Vec<_>>().join("-")
}

fn slug(text: &str) -> String {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join("-")
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
        let none = [None, None, None];
        assert_eq!(sku_code("shirt", Some("'0042"), none), "0042");
        assert_eq!(sku_code("shirt", None, [Some("Default Title"), None, None]), "shirt");
        assert_eq!(
            sku_code("shirt", Some("'"), [Some("X Large"), Some("Été/Été"), None]),
            "shirt-x-large-été-été"
        );
    }
}

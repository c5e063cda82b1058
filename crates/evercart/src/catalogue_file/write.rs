//! Writes catalogue rows so that importing them gives the same catalogue, and exporting that the
//! same bytes.

use std::io::{self, Write};

use evercart_core::catalogue::{CatalogueRow, ProductKey};
use evercart_core::ids::ProductId;
use evercart_core::money::{Currency, Money};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::cli::RowFormat;

use super::COLUMNS;

/// Writes all rows.
///
/// # Errors
/// Whatever `out` says.
pub fn write(
    rows: &[CatalogueRow],
    format: RowFormat,
    currency: Currency,
    out: impl Write,
) -> io::Result<()> {
    match format {
        RowFormat::Csv => write_csv(rows, currency, out),
        RowFormat::Ndjson => write_ndjson(rows, currency, out),
    }
}

fn write_csv(rows: &[CatalogueRow], currency: Currency, out: impl Write) -> io::Result<()> {
    let with_handle = rows.iter().any(|row| key_of(row).1.is_some());
    let columns = if with_handle { COLUMNS.len() } else { COLUMNS.len() - 1 };
    // RFC 4180 ends lines with CRLF.
    let mut out = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
    out.write_record(&COLUMNS[..columns])?;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    for row in rows {
        let (id, handle) = key_of(row);
        let price = |price: Money| price.to_decimal(currency).to_string();
        let cells = [
            id.map(|id| id.to_string()).unwrap_or_default(),
            row.name.clone(),
            text(&row.brand),
            text(&row.category),
            text(&row.description),
            text(&row.image),
            row.sku_id.map(|id| id.to_string()).unwrap_or_default(),
            row.sku_code.clone(),
            text(&row.size),
            text(&row.color),
            price(row.price),
            row.original_price.map(price).unwrap_or_default(),
            row.stock.to_string(),
            row.stock.to_string(),
            row.active.to_string(),
            handle.unwrap_or_default().to_owned(),
        ];
        out.write_record(&cells[..columns])?;
    }
    out.flush()
}

fn write_ndjson(rows: &[CatalogueRow], currency: Currency, mut out: impl Write) -> io::Result<()> {
    /// The fields in the order of [`COLUMNS`].
    #[derive(Serialize)]
    struct Row<'a> {
        product_id: Option<i64>,
        name: &'a str,
        brand: Option<&'a str>,
        category: Option<&'a str>,
        description: Option<&'a str>,
        image: Option<&'a str>,
        sku_id: Option<i64>,
        sku_code: &'a str,
        size: Option<&'a str>,
        color: Option<&'a str>,
        price: Box<RawValue>,
        original_price: Option<Box<RawValue>>,
        stock: i64,
        stock_seen: i64,
        active: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        handle: Option<&'a str>,
    }
    let number = |price: Money| RawValue::from_string(price.to_decimal(currency).to_string());
    for row in rows {
        let (id, handle) = key_of(row);
        let object = Row {
            product_id: id.map(|id| id.0),
            name: &row.name,
            brand: row.brand.as_deref(),
            category: row.category.as_deref(),
            description: row.description.as_deref(),
            image: row.image.as_deref(),
            sku_id: row.sku_id.map(|id| id.0),
            sku_code: &row.sku_code,
            size: row.size.as_deref(),
            color: row.color.as_deref(),
            price: number(row.price)?,
            original_price: row.original_price.map(number).transpose()?,
            stock: row.stock,
            stock_seen: row.stock,
            active: row.active,
            handle,
        };
        serde_json::to_writer(&mut out, &object)?;
        out.write_all(b"\n")?;
    }
    out.flush()
}

fn key_of(row: &CatalogueRow) -> (Option<ProductId>, Option<&str>) {
    match &row.product {
        ProductKey::Id(id, handle) => (Some(*id), handle.as_deref()),
        ProductKey::Handle(handle) => (None, Some(handle)),
    }
}

//! Catalogue files: what is in them, and where they are wrong. What their rows do to a shop is the
//! store's business.

mod ndjson;
mod other_format;
mod plain_text;
mod row;
mod seen;
mod shopify;
mod table;
mod write;

use std::fmt;
use std::path::Path;

use evercart_core::catalogue::RowChange;
use evercart_core::money::Currency;

use crate::cli::RowFormat;
use crate::failure::Failure;

pub use write::write;

use seen::Seen;

/// How many problems are told one by one; more would only scroll the first ones away.
const SHOWN_MAX: usize = 50;

/// The columns of a file in the order in which they are written; `handle` is written only if a
/// product has one. `stock_seen` is the stock once more: when the file is imported, it says whether
/// `stock` was changed, and whether the shop's stock has moved meanwhile.
pub const COLUMNS: [&str; 16] = [
    "product_id",
    "name",
    "brand",
    "category",
    "description",
    "image",
    "sku_id",
    "sku_code",
    "size",
    "color",
    "price",
    "original_price",
    "stock",
    "stock_seen",
    "active",
    "handle",
];

/// What kind of file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Our own columns.
    Csv,
    /// Our own columns, as JSON objects.
    Ndjson,
    /// A Shopify product export.
    Shopify,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Csv => "CSV",
            Kind::Ndjson => "NDJSON",
            Kind::Shopify => "Shopify export",
        })
    }
}

/// Where a file is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The line, from 1.
    pub line: u64,
    /// The column's name, if one is to blame.
    pub column: Option<&'static str>,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.column {
            Some(column) => write!(f, "line {}, {column}: {}", self.line, self.what),
            None => write!(f, "line {}: {}", self.line, self.what),
        }
    }
}

/// What was read: rows, each with its line.
#[derive(Debug)]
pub struct Rows {
    /// The file's kind, for the person who imported it.
    pub kind: Kind,
    /// The rows.
    pub rows: Vec<RowChange>,
    /// The line of each row.
    pub lines: Vec<u64>,
    /// What the person who imports it should know.
    pub notes: Vec<String>,
}

/// Collects rows and problems while a file is read.
struct Reading<'a> {
    currency: Currency,
    rows: Vec<RowChange>,
    lines: Vec<u64>,
    notes: Vec<String>,
    problems: Vec<Problem>,
    /// Told the number of bytes read so far.
    progress: &'a mut dyn FnMut(u64),
}

/// Reads a whole file; `name` only helps to tell what kind it is.
///
/// # Errors
/// The file is of no known kind, or lines are wrong: all of them are named.
pub fn read(
    content: &[u8],
    name: &Path,
    currency: Currency,
    progress: &mut dyn FnMut(u64),
) -> Result<Rows, Failure> {
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    other_format::refuse(content, name)?;
    let mut reading = Reading {
        currency,
        rows: Vec::new(),
        lines: Vec::new(),
        notes: Vec::new(),
        problems: Vec::new(),
        progress,
    };
    let kind = match looks_like_ndjson(content, name) {
        true => {
            ndjson::read(content, &mut reading);
            Kind::Ndjson
        }
        false => table::read(content, &mut reading)?,
    };
    let Reading { rows, lines, notes, mut problems, .. } = reading;
    let mut seen = Seen::default();
    for (row, line) in rows.iter().zip(&lines) {
        seen.row(row, *line, &mut problems);
    }
    if !problems.is_empty() {
        return Err(rejected(&mut problems));
    }
    if rows.is_empty() {
        return Err(Failure::new("the file has no rows, so there is nothing to import"));
    }
    Ok(Rows { kind, rows, lines, notes })
}

/// The failure that names every problem, in the order of the lines.
pub fn rejected(problems: &mut [Problem]) -> Failure {
    problems.sort_by_key(|problem| problem.line);
    let mut text = match problems.len() {
        1 => "1 line is wrong, so nothing was imported:".to_owned(),
        n => format!("{n} problems were found, so nothing was imported:"),
    };
    for problem in problems.iter().take(SHOWN_MAX) {
        text.push_str(&format!("\n  {problem}"));
    }
    if problems.len() > SHOWN_MAX {
        text.push_str(&format!("\n  … and {} more", problems.len() - SHOWN_MAX));
    }
    Failure::new(text)
}

fn looks_like_ndjson(content: &[u8], name: &Path) -> bool {
    let extension = name.extension().map(|end| end.to_string_lossy().to_ascii_lowercase());
    match extension.as_deref() {
        Some("ndjson" | "jsonl") => true,
        Some("csv") => false,
        _ => content.trim_ascii_start().starts_with(b"{"),
    }
}

/// The format a file name asks for.
pub fn format_of(name: &Path) -> RowFormat {
    match looks_like_ndjson(b"", name) {
        true => RowFormat::Ndjson,
        false => RowFormat::Csv,
    }
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;

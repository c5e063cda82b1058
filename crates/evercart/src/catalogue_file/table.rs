//! Reads CSV (RFC 4180): our own columns, or a Shopify product export, told apart by the header.

use std::borrow::Cow;

use csv::{ByteRecord, ReaderBuilder, StringRecord, Trim};

use crate::failure::Failure;

use super::other_format::open_quote;
use super::{COLUMNS, Kind, Reading, shopify};

/// A table's header: where each column is.
pub(super) struct Header(Vec<String>);

impl Header {
    /// The position of a column.
    pub(super) fn position(&self, column: &str) -> Option<usize> {
        self.0.iter().position(|name| name == column)
    }

    /// The cell of a record in a column.
    pub(super) fn cell<'r>(&self, record: &'r StringRecord, column: &str) -> Option<&'r str> {
        record.get(self.position(column)?)
    }
}

pub(super) fn read(content: &[u8], reading: &mut Reading<'_>) -> Result<Kind, Failure> {
    if let Some(line) = open_quote(content) {
        return Err(Failure::new(format!(
            "line {line}: a cell begins with a quote that is never closed, so the rest of the file \
             would be that cell"
        ))
        .hint("close it, or leave it out; a quote inside a quoted cell is written twice"));
    }
    let mut reader = ReaderBuilder::new().flexible(true).trim(Trim::None).from_reader(content);
    let header = reader
        .headers()
        .map_err(|error| Failure::new(format!("the header cannot be read: {error}")))?;
    let header = Header(header.iter().map(|name| name.trim().to_owned()).collect());
    let kind = kind(&header)?;
    let mut products = shopify::Products::default();
    let mut record = ByteRecord::new();
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                reading.problem(line, format!("cannot be read: {error}"));
                break;
            }
        }
        let line = record.position().map_or(0, csv::Position::line);
        (reading.progress)(reader.position().byte());
        // Spreadsheets leave such rows behind the last one.
        if record.iter().all(|cell| cell.trim_ascii().is_empty()) {
            continue;
        }
        let Ok(record) = StringRecord::from_byte_record(record.clone()) else {
            reading.problem(line, "is not UTF-8; save the file as UTF-8");
            continue;
        };
        if record.len() != header.0.len() {
            let (found, expected) = (record.len(), header.0.len());
            reading.problem(line, format!("has {found} columns, the header has {expected}"));
            continue;
        }
        match kind {
            Kind::Shopify => products.row(&header, &record, line, reading),
            _ => reading.row(line, |column| header.cell(&record, column).map(Cow::Borrowed)),
        }
    }
    products.finish(reading);
    Ok(kind)
}

fn kind(header: &Header) -> Result<Kind, Failure> {
    if shopify::is_export(header) {
        return Ok(Kind::Shopify);
    }
    let columns = COLUMNS.join(", ");
    let hint = format!("the columns are {columns}; those left out change nothing");
    if let Some(unknown) = header.0.iter().find(|name| !COLUMNS.contains(&name.as_str())) {
        let several = unknown.contains(';') || unknown.contains('\t');
        return Err(match several {
            true => Failure::new("the columns are not separated by commas")
                .hint("save the file as CSV with commas"),
            false => Failure::new(format!("line 1: there is no column {unknown:?}")).hint(hint),
        });
    }
    let twice = header.0.iter().enumerate().find(|(index, name)| header.0[..*index].contains(name));
    if let Some((_, name)) = twice {
        return Err(Failure::new(format!("line 1: the column {name} is there twice")));
    }
    match header.position("sku_id").or(header.position("sku_code")) {
        Some(_) => Ok(Kind::Csv),
        None => {
            let what = "line 1: the column sku_code is missing, or sku_id: one says which SKU";
            Err(Failure::new(what).hint(hint))
        }
    }
}

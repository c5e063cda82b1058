//! Reads CSV (RFC 4180): our own columns, or a Shopify product export, told apart by the header.

use std::borrow::Cow;

use csv::{ByteRecord, ReaderBuilder, StringRecord, Trim};

use crate::failure::Failure;

use super::{COLUMNS, Kind, Reading, Source, shopify};

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

/// The lines of a table, one after the other.
pub(super) struct Lines {
    reader: csv::Reader<Source>,
    header: Header,
    /// The products of a Shopify export.
    products: Option<shopify::Products>,
    record: ByteRecord,
}

impl Lines {
    /// Reads the header.
    pub(super) fn begin(input: Source) -> Result<(Kind, Self), Failure> {
        let mut reader = ReaderBuilder::new().flexible(true).trim(Trim::None).from_reader(input);
        let header = reader
            .headers()
            .map_err(|error| Failure::new(format!("the header cannot be read: {error}")))?;
        let header = Header(header.iter().map(|name| name.trim().to_owned()).collect());
        let kind = kind(&header)?;
        let products = (kind == Kind::Shopify).then(shopify::Products::default);
        Ok((kind, Self { reader, header, products, record: ByteRecord::new() }))
    }

    /// Reads a line. False after the last one.
    pub(super) fn next(&mut self, reading: &mut Reading<'_>) -> bool {
        match self.reader.read_byte_record(&mut self.record) {
            Ok(true) => {}
            Ok(false) => return false,
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                reading.problem(line, format!("cannot be read: {error}"));
                return false;
            }
        }
        let line = self.record.position().map_or(0, csv::Position::line);
        (reading.progress)(self.reader.position().byte());
        // Spreadsheets leave such rows behind the last one.
        if self.record.iter().all(|cell| cell.trim_ascii().is_empty()) {
            return true;
        }
        let Ok(record) = StringRecord::from_byte_record(self.record.clone()) else {
            reading.problem(line, "is not UTF-8; save the file as UTF-8");
            return true;
        };
        let header = &self.header;
        if record.len() != header.0.len() {
            let (found, expected) = (record.len(), header.0.len());
            reading.problem(line, format!("has {found} columns, the header has {expected}"));
            return true;
        }
        match &mut self.products {
            Some(products) => products.row(header, &record, line, reading),
            None => reading.row(line, |column| header.cell(&record, column).map(Cow::Borrowed)),
        }
        true
    }

    /// Adds what is known only after the last line.
    pub(super) fn finish(self, reading: &mut Reading<'_>) {
        if let Some(products) = self.products {
            products.finish(reading);
        }
    }
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

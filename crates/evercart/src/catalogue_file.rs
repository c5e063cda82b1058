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
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use evercart_core::catalogue::{RowChange, RowChanges, RowsInMemory};
use evercart_core::error::{Failed, Result as StoreResult};
use evercart_core::money::Currency;

use crate::cli::RowFormat;
use crate::failure::Failure;

pub use write::write;

use seen::Seen;

/// What some programs begin a UTF-8 file with.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Problems after which a file is not read on.
const PROBLEMS_MAX: usize = 100_000;

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

/// A file's bytes from the first one on.
pub type Source = BufReader<Box<dyn Read + Send>>;

/// Opens a file at its first byte, each time anew.
pub type OpenSource = Box<dyn Fn() -> io::Result<Box<dyn Read + Send>> + Send>;

/// A file that was read once and found right.
pub struct CatalogueFile {
    /// The file's kind, for the person who imports it.
    pub kind: Kind,
    /// The line of each row.
    pub lines: Vec<u32>,
    /// What the person who imports it should know.
    pub notes: Vec<String>,
    /// The rows, some at a time.
    pub rows: Rows,
}

/// Where a file's rows come from.
pub struct Rows(From);

enum From {
    /// A file of our own columns is read again.
    File(Box<Again>),
    /// What a row of a Shopify export means is known only after the last one.
    Memory(RowsInMemory),
}

struct Again {
    open: OpenSource,
    name: PathBuf,
    currency: Currency,
    lines: Option<Lines>,
}

/// Collects rows and problems while a file is read.
struct Reading<'a> {
    currency: Currency,
    rows: Vec<RowChange>,
    lines: Vec<u32>,
    notes: Vec<String>,
    problems: Vec<Problem>,
    /// Told the number of bytes read so far.
    progress: &'a mut dyn FnMut(u64),
}

impl<'a> Reading<'a> {
    fn new(currency: Currency, progress: &'a mut dyn FnMut(u64)) -> Self {
        Self {
            currency,
            rows: Vec::new(),
            lines: Vec::new(),
            notes: Vec::new(),
            problems: Vec::new(),
            progress,
        }
    }
}

/// A file's lines, whatever kind it is.
enum Lines {
    Table(Box<table::Lines>),
    Ndjson(ndjson::Lines),
}

impl Lines {
    /// Finds out what kind it is; `name` only helps.
    fn begin(mut input: Source, name: &Path) -> Result<(Kind, Self), Failure> {
        let begin = input.fill_buf().map_err(|error| unreadable(name, &error))?;
        let begin = begin.strip_prefix(BYTE_ORDER_MARK).unwrap_or(begin);
        other_format::refuse(begin, name)?;
        match looks_like_ndjson(begin, name) {
            true => Ok((Kind::Ndjson, Self::Ndjson(ndjson::Lines::begin(input)))),
            false => {
                let (kind, lines) = table::Lines::begin(input)?;
                Ok((kind, Self::Table(Box::new(lines))))
            }
        }
    }

    fn next(&mut self, reading: &mut Reading<'_>) -> bool {
        match self {
            Self::Table(lines) => lines.next(reading),
            Self::Ndjson(lines) => lines.next(reading),
        }
    }

    fn finish(self, reading: &mut Reading<'_>) {
        if let Self::Table(lines) = self {
            lines.finish(reading);
        }
    }
}

fn unreadable(name: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("cannot read {}: {error}", name.display()))
}

/// Reads all lines and compares them with each other. Only a Shopify export's rows are kept.
fn check(input: Source, name: &Path, reading: &mut Reading<'_>) -> Result<Kind, Failure> {
    let (kind, mut lines) = Lines::begin(input, name)?;
    let mut seen = Seen::default();
    let (mut new, mut more) = (0, true);
    while more && reading.problems.len() < PROBLEMS_MAX {
        more = lines.next(reading);
        let first = reading.rows.len() - (reading.lines.len() - new);
        for (row, line) in reading.rows[first..].iter().zip(&reading.lines[new..]) {
            seen.row(row, u64::from(*line), &mut reading.problems);
        }
        new = reading.lines.len();
        if kind != Kind::Shopify {
            reading.rows.clear();
        }
    }
    lines.finish(reading);
    if !reading.problems.is_empty() {
        return Err(rejected(&mut reading.problems));
    }
    if reading.lines.is_empty() {
        return Err(Failure::new("the file has no rows, so there is nothing to import"));
    }
    Ok(kind)
}

impl CatalogueFile {
    /// Reads a file once; `name` only helps to tell what kind it is. `progress` is told the number
    /// of bytes read so far.
    ///
    /// # Errors
    /// The file is of no known kind, or lines are wrong: all of them are named.
    pub fn read(
        open: OpenSource,
        name: &Path,
        currency: Currency,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Self, Failure> {
        let again = Again { open, name: name.to_owned(), currency, lines: None };
        let source = || again.source().map_err(|error| unreadable(name, &error));
        other_format::refuse_open_quote(source()?, name)?;
        let mut reading = Reading::new(currency, progress);
        let kind = check(source()?, name, &mut reading)?;
        let Reading { rows, lines, notes, .. } = reading;
        let rows = match kind {
            Kind::Shopify => From::Memory(RowsInMemory::new(rows)),
            Kind::Csv | Kind::Ndjson => From::File(Box::new(again)),
        };
        Ok(Self { kind, lines, notes, rows: Rows(rows) })
    }

    /// The same of a file that is in memory.
    ///
    /// # Errors
    /// As above.
    pub fn of(content: &[u8], name: &Path, currency: Currency) -> Result<Self, Failure> {
        let content = content.to_vec();
        let open: OpenSource = Box::new(move || Ok(Box::new(io::Cursor::new(content.clone()))));
        Self::read(open, name, currency, &mut |_| {})
    }
}

impl RowChanges for Rows {
    fn rewind(&mut self) -> StoreResult<()> {
        match &mut self.0 {
            From::Memory(rows) => rows.rewind(),
            From::File(again) => again.rewind().map_err(|what| Failed::Unavailable(what).into()),
        }
    }

    fn next(&mut self, max: usize) -> StoreResult<Vec<RowChange>> {
        match &mut self.0 {
            From::Memory(rows) => rows.next(max),
            From::File(again) => again.next(max).map_err(|what| Failed::Unavailable(what).into()),
        }
    }
}

impl Again {
    fn source(&self) -> io::Result<Source> {
        Ok(BufReader::with_capacity(1 << 16, (self.open)()?))
    }

    fn rewind(&mut self) -> Result<(), String> {
        let source = self.source().map_err(|error| error.to_string())?;
        let (_, lines) = Lines::begin(source, &self.name).map_err(|error| error.to_string())?;
        self.lines = Some(lines);
        Ok(())
    }

    fn next(&mut self, max: usize) -> Result<Vec<RowChange>, String> {
        let mut progress = |_| {};
        let mut reading = Reading::new(self.currency, &mut progress);
        while let Some(lines) = &mut self.lines
            && reading.rows.len() < max
        {
            if !lines.next(&mut reading) {
                self.lines = None;
            }
        }
        match reading.problems.first() {
            None => Ok(reading.rows),
            Some(problem) => Err(format!("the file was changed while it was read: {problem}")),
        }
    }
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

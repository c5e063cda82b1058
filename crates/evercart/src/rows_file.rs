//! A whole store as one file that any database can be filled from: for each table a line that names
//! it and its columns, then a line for each row, a JSON array. Bytes are written in base64.
//!
//! The same store gives the same file, byte for byte.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use evercart_core::copy::{Column, Kind, ROWS_MAX, Reader, Row, TABLES, Table, Value};
use evercart_core::error::{Failed, Result as StoreResult};
use serde::{Deserialize, Serialize};

use crate::stores::failed;

/// How the name of such a file ends.
pub const ENDING: &str = "ndjson";

/// The line before a table's rows.
#[derive(Serialize, Deserialize)]
struct Header {
    table: String,
    columns: Vec<String>,
}

/// Writes a store's rows into a new file and tells how many more are done.
///
/// # Errors
/// The store cannot be read, or the file not written.
pub async fn write(
    rows: &mut dyn Reader,
    path: &Path,
    progress: &mut (dyn FnMut(u64) + Send),
) -> anyhow::Result<()> {
    let cannot = || format!("cannot write {}", path.display());
    let mut out = BufWriter::new(File::create_new(path).with_context(cannot)?);
    for table in TABLES {
        let columns = table.columns.iter().map(|column| column.name.to_owned()).collect();
        let header = Header { table: table.name.to_owned(), columns };
        let mut line = serde_json::to_vec(&header).context("a list of names is JSON")?;
        line.push(b'\n');
        out.write_all(&line).with_context(cannot)?;
        rows.open(table).await.map_err(failed)?;
        loop {
            let some = rows.next(ROWS_MAX).await.map_err(failed)?;
            if some.is_empty() {
                break;
            }
            for row in &some {
                let values: Vec<serde_json::Value> = row.iter().map(to_json).collect();
                line.clear();
                serde_json::to_writer(&mut line, &values).context("values are JSON")?;
                line.push(b'\n');
                out.write_all(&line).with_context(cannot)?;
            }
            progress(some.len() as u64);
        }
    }
    let file = out.into_inner().map_err(std::io::IntoInnerError::into_error);
    file.and_then(|file| file.sync_all()).with_context(cannot)
}

fn to_json(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Integer(number) => (*number).into(),
        Value::Flag(yes) => (*yes).into(),
        Value::Text(text) => text.as_str().into(),
        Value::Blob(bytes) => STANDARD.encode(bytes).into(),
    }
}

fn from_json(column: &Column, value: serde_json::Value) -> Option<Value> {
    use serde_json::Value as Json;
    let value = match (column.kind, value) {
        (_, Json::Null) => Value::Null,
        (Kind::Integer, Json::Number(number)) => Value::Integer(number.as_i64()?),
        (Kind::Flag, Json::Bool(yes)) => Value::Flag(yes),
        (Kind::Text, Json::String(text)) => Value::Text(text),
        (Kind::Blob, Json::String(text)) => Value::Blob(STANDARD.decode(text).ok()?),
        _ => return None,
    };
    value.fits(column).then_some(value)
}

/// Reads such a file.
pub struct RowsFile {
    path: PathBuf,
    lines: BufReader<File>,
    /// Where each table's rows begin, in the order of the tables.
    begins: Vec<u64>,
    rows: u64,
    table: &'static Table,
}

impl RowsFile {
    /// Looks through a file and finds its tables.
    ///
    /// # Errors
    /// It cannot be read, or does not have the tables of this program.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let cannot = || format!("cannot read {}", path.display());
        let mut lines = BufReader::new(File::open(path).with_context(cannot)?);
        let mut found: Vec<Header> = Vec::new();
        let (mut begins, mut offset, mut rows) = (Vec::new(), 0, 0);
        let mut line = Vec::new();
        loop {
            line.clear();
            let length = lines.read_until(b'\n', &mut line).with_context(cannot)?;
            offset += length as u64;
            match line.first() {
                None => break,
                Some(b'{') => {
                    let header = serde_json::from_slice(&line);
                    found.push(header.with_context(cannot)?);
                    begins.push(offset);
                }
                Some(_) => rows += 1,
            }
        }
        let is_known = |(header, table): (&Header, &Table)| {
            header.table == table.name
                && header.columns.iter().eq(table.columns.iter().map(|column| column.name))
        };
        anyhow::ensure!(
            found.len() == TABLES.len() && found.iter().zip(TABLES).all(is_known),
            "its tables are not those of this evercart: restore it with the one that wrote it"
        );
        Ok(Self { path: path.to_owned(), lines, begins, rows, table: &TABLES[0] })
    }

    fn next_row(&mut self) -> StoreResult<Option<Row>> {
        let first = self.lines.fill_buf().map(|begin| begin.first().copied());
        // The next table's header, or the end.
        if matches!(first.map_err(|error| self.unreadable(&error))?, None | Some(b'{')) {
            return Ok(None);
        }
        let mut line = String::new();
        self.lines.read_line(&mut line).map_err(|error| self.unreadable(&error))?;
        let values: Option<Vec<serde_json::Value>> = serde_json::from_str(&line).ok();
        let row = values.filter(|values| values.len() == self.table.columns.len());
        let row = row.and_then(|values| {
            let columns = self.table.columns.iter().zip(values);
            columns.map(|(column, value)| from_json(column, value)).collect()
        });
        match row {
            Some(row) => Ok(Some(row)),
            // The line is a customer's and not shown.
            None => Err(Failed::Inconsistent(format!(
                "{} has a line among {} that is no row of it",
                self.path.display(),
                self.table
            ))
            .into()),
        }
    }

    fn unreadable(&self, error: &std::io::Error) -> Failed {
        Failed::Unavailable(format!("cannot read {}: {error}", self.path.display()))
    }
}

#[async_trait]
impl Reader for RowsFile {
    async fn count(&mut self) -> StoreResult<u64> {
        Ok(self.rows)
    }

    async fn open(&mut self, table: &'static Table) -> StoreResult<()> {
        self.table = table;
        let begin = SeekFrom::Start(self.begins[table.index()]);
        self.lines.seek(begin).map(drop).map_err(|error| self.unreadable(&error).into())
    }

    async fn next(&mut self, limit: usize) -> StoreResult<Vec<Row>> {
        let mut rows = Vec::new();
        while rows.len() < limit
            && let Some(row) = self.next_row()?
        {
            rows.push(row);
        }
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_comes_back_as_it_was() {
        let column = |kind| Column { name: "x", kind, is_optional: true };
        for (kind, value) in [
            (Kind::Integer, Value::Integer(i64::MAX)),
            (Kind::Integer, Value::Integer(i64::MIN)),
            (Kind::Flag, Value::Flag(true)),
            (Kind::Text, Value::Text("\u{0}\n\"Ж 🛒 \u{2028}".into())),
            (Kind::Blob, Value::Blob((0..=255).collect())),
            (Kind::Text, Value::Null),
        ] {
            assert_eq!(from_json(&column(kind), to_json(&value)), Some(value.clone()));
            let line = serde_json::to_string(&[to_json(&value)]).expect("it is JSON");
            assert!(!line.contains('\n'), "{line}");
        }
        assert_eq!(from_json(&column(Kind::Integer), 1.5.into()), None);
        assert_eq!(from_json(&column(Kind::Text), 1.into()), None);
    }
}

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

/// Writes a store's rows into a new file, which only its owner can read from the first byte on, and
/// tells how many more are done.
///
/// # Errors
/// The store cannot be read, or the file not written.
pub async fn write(
    rows: &mut dyn Reader,
    path: &Path,
    progress: &mut (dyn FnMut(u64) + Send),
) -> anyhow::Result<()> {
    let cannot = || format!("cannot write {}", path.display());
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut out = BufWriter::new(options.open(path).with_context(cannot)?);
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
    /// In the order of the tables. None of a table that came after the file was written.
    parts: Vec<Option<Part>>,
    rows: u64,
    table: &'static Table,
    is_over: bool,
}

/// A table's part of a file.
struct Part {
    /// Where its rows begin.
    begin: u64,
    /// How many values a row has.
    width: usize,
    /// Where in a row each of the table's columns is. None of a column that came afterwards, and
    /// may be empty.
    places: Vec<Option<usize>>,
}

impl Part {
    /// None if the table of a header has something that this program does not know, or does not
    /// have something that it must.
    fn of(header: &Header, table: &Table, begin: u64) -> Option<Self> {
        let place_of = |name: &str| header.columns.iter().position(|column| column == name);
        let places: Vec<_> = table.columns.iter().map(|column| place_of(column.name)).collect();
        let is_whole =
            table.columns.iter().zip(&places).all(|(at, place)| at.is_optional || place.is_some());
        let known = places.iter().flatten().count();
        let width = header.columns.len();
        (is_whole && known == width).then_some(Self { begin, width, places })
    }
}

impl RowsFile {
    /// Looks through a file and finds its tables.
    ///
    /// # Errors
    /// It cannot be read, has a table twice or one that this program does not know so, or lacks one
    /// that there always was.
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
        let mut parts: Vec<Option<Part>> = TABLES.iter().map(|_| None).collect();
        for (header, begin) in found.iter().zip(begins) {
            let part = Table::named(&header.table)
                .and_then(|table| Some((table.index(), Part::of(header, table, begin)?)));
            let Some((index, part)) = part else {
                anyhow::bail!(
                    "its table {:?} is not one of this evercart: restore it with the one that \
                     wrote it",
                    header.table
                );
            };
            let is_second = parts[index].replace(part).is_some();
            anyhow::ensure!(!is_second, "it has the table {:?} twice", header.table);
        }
        let missing =
            |(table, part): &(&Table, &Option<Part>)| part.is_none() && table.before.is_none();
        if let Some((table, _)) = TABLES.iter().zip(&parts).find(missing) {
            anyhow::bail!("it has no table {:?}, which every evercart writes", table.name);
        }
        Ok(Self { path: path.to_owned(), lines, parts, rows, table: &TABLES[0], is_over: true })
    }

    fn next_row(&mut self) -> StoreResult<Option<Row>> {
        let first = self.lines.fill_buf().map(|begin| begin.first().copied());
        // The next table's header, or the end.
        if matches!(first.map_err(|error| self.unreadable(&error))?, None | Some(b'{')) {
            return Ok(None);
        }
        let mut line = String::new();
        self.lines.read_line(&mut line).map_err(|error| self.unreadable(&error))?;
        let part = self.parts[self.table.index()].as_ref();
        let values: Option<Vec<serde_json::Value>> = serde_json::from_str(&line).ok();
        let row = part.zip(values).filter(|(part, values)| values.len() == part.width);
        let row = row.and_then(|(part, mut values)| {
            let columns = self.table.columns.iter().zip(&part.places);
            let value = |(column, place): (&Column, &Option<usize>)| match place {
                Some(place) => from_json(column, values[*place].take()),
                None => Some(Value::Null),
            };
            columns.map(value).collect()
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
        (self.table, self.is_over) = (table, false);
        let Some(part) = &self.parts[table.index()] else { return Ok(()) };
        let begin = SeekFrom::Start(part.begin);
        self.lines.seek(begin).map(drop).map_err(|error| self.unreadable(&error).into())
    }

    async fn next(&mut self, limit: usize) -> StoreResult<Vec<Row>> {
        if self.parts[self.table.index()].is_none() {
            let is_first = !std::mem::replace(&mut self.is_over, true);
            let before = self.table.before.filter(|_| is_first).unwrap_or_default();
            return Ok(before.iter().map(|row| row.to_vec()).collect());
        }
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
    use evercart_core::copy::Tag;

    use super::*;

    /// A file of these tables, without rows.
    fn file_of(names: &[&str]) -> anyhow::Result<RowsFile> {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("us.ndjson");
        let mut text = String::new();
        for name in names {
            let table = Table::named(name).expect("it is in the list");
            let columns = table.columns.iter().map(|column| column.name.to_owned()).collect();
            let header = Header { table: (*name).to_owned(), columns };
            text.push_str(&serde_json::to_string(&header).expect("JSON"));
            text.push('\n');
        }
        std::fs::write(&path, text).expect("written");
        RowsFile::open(&path)
    }

    /// A reader that has no rows, and sees that nobody else can read what is written meanwhile.
    struct Looking<'a>(&'a Path);

    #[async_trait]
    impl Reader for Looking<'_> {
        async fn count(&mut self) -> StoreResult<u64> {
            Ok(0)
        }

        async fn open(&mut self, _table: &'static Table) -> StoreResult<()> {
            use std::os::unix::fs::MetadataExt;
            let mode = std::fs::metadata(self.0).expect("it is being written").mode();
            assert_eq!(mode & 0o077, 0, "S7: customers' data is for the owner only");
            Ok(())
        }

        async fn next(&mut self, _limit: usize) -> StoreResult<Vec<Row>> {
            Ok(Vec::new())
        }
    }

    #[tokio::test]
    async fn s7_nobody_else_reads_a_file_while_it_is_written() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("us.ndjson");
        write(&mut Looking(&path), &path, &mut |_| {}).await.expect("writes");
    }

    #[test]
    fn what_came_later_may_be_missing_and_nothing_else() {
        let all: Vec<&str> = TABLES.iter().map(|table| table.name).collect();
        file_of(&all).expect("whole");
        for table in TABLES {
            let rest: Vec<&str> = all.iter().copied().filter(|name| *name != table.name).collect();
            assert_eq!(file_of(&rest).is_ok(), table.before.is_some(), "{table}");
            assert!(file_of(&[&all[..], &[table.name]].concat()).is_err(), "{table} twice");
        }
        assert!(file_of(&[]).is_err());
    }

    #[test]
    fn a_value_comes_back_as_it_was() {
        let column = |kind| Column { name: "x", kind, is_optional: true, tag: Tag::Technical };
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

//! A file as a whole: whether it is a database, whether it is one of ours, and which of its pages
//! are damaged.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use evercart_core::operator::CheckReport;
use rusqlite::{Connection, OpenFlags};

use super::schema::Schema;
use crate::migrate::{OpenError, SCHEMA_VERSION, version};

/// How long to wait for who holds the file.
const BUSY_MAX: Duration = Duration::from_secs(5);

/// How every SQLite database begins.
const BEGINS: &[u8; 16] = b"SQLite format 3\0";

/// Looks through a store's file, without opening it as a store: nothing is written or migrated, and
/// a damaged file is looked at as far as it can be read.
///
/// # Errors
/// It cannot be opened, is no database of ours, or has another schema than this program's.
pub fn check_file(path: &Path) -> Result<CheckReport, OpenError> {
    let failed = |source| OpenError::Sqlite { path: path.to_owned(), source };
    let connection = open_as_it_is(path)?;
    connection.busy_timeout(BUSY_MAX).map_err(failed)?;
    match version(&connection, path) {
        Ok(SCHEMA_VERSION) => {}
        // What is damaged is looked at all the same.
        Err(OpenError::Sqlite { source, .. }) if super::is_damage(&source) => {}
        Err(error) => return Err(error),
        Ok(found) => {
            return Err(OpenError::TooOld { path: path.to_owned(), found, known: SCHEMA_VERSION });
        }
    }
    let moment = connection.unchecked_transaction().map_err(failed)?;
    super::check(&moment).map_err(|error| failed(error.into_sql()))
}

/// What is in a file that runs code when it is written to or read: triggers and views, of which
/// evercart has none. Looks without opening it as a store.
///
/// # Errors
/// It cannot be opened, or is no database.
pub fn programs_in(path: &Path) -> Result<Vec<String>, OpenError> {
    let schema = Schema::read(&open_as_it_is(path)?);
    let failed = |source| OpenError::Sqlite { path: path.to_owned(), source };
    Ok(schema.map_err(failed)?.programs())
}

/// Opens a file to be read, damaged or not. Without what other readers set: that needs a list of
/// tables that can be read. Nor is the file mapped: where the disk cannot read a page, an error is
/// wanted and no signal.
fn open_as_it_is(path: &Path) -> Result<Connection, OpenError> {
    refuse_garbage(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags)
        .map_err(|source| OpenError::Sqlite { path: path.to_owned(), source })
}

/// Refuses what SQLite would call "not a database" or "malformed", and says what it is instead.
pub(crate) fn refuse_garbage(path: &Path) -> Result<(), OpenError> {
    let mut begin = Vec::new();
    // What cannot be read is said by SQLite.
    let Ok(file) = std::fs::File::open(path) else { return Ok(()) };
    if file.take(512).read_to_end(&mut begin).is_err()
        || begin.is_empty()
        || begin.starts_with(BEGINS)
    {
        return Ok(());
    }
    Err(OpenError::Garbage { path: path.to_owned(), looks_like: looks_like(&begin) })
}

/// What a file is that begins like this.
fn looks_like(begin: &[u8]) -> &'static str {
    match begin {
        _ if begin.iter().all(|byte| *byte == 0) => "it begins with zeros, as after a power cut",
        [b'P', b'K', 3, 4, ..] => "it is a zip archive, or a document of an office program",
        [0x1f, 0x8b, ..] => "it is compressed with gzip",
        _ if begin.get(257..262) == Some(b"ustar") => "it is a tar archive, perhaps a backup",
        _ if std::str::from_utf8(begin).is_ok() => "it is text",
        _ => "its first bytes are not a database's",
    }
}

/// What SQLite finds damaged, each with the table or index it belongs to.
pub(crate) fn damages(connection: &Connection) -> super::Result<Vec<String>> {
    const INTEGRITY: &str = "SELECT integrity_check FROM pragma_integrity_check \
         WHERE integrity_check <> 'ok'";
    const ROOTS: &str = "SELECT rootpage, CASE type WHEN 'table' THEN 'table ' || name \
         ELSE type || ' ' || name || ' of table ' || tbl_name END FROM sqlite_schema \
         WHERE rootpage > 0";
    let roots = || -> rusqlite::Result<HashMap<i64, String>> {
        let mut statement = connection.prepare(ROOTS)?;
        let roots = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        roots.collect()
    };
    let roots = super::readable(roots())?.unwrap_or_default();
    let mut found: Vec<String> = Vec::new();
    let mut look = || -> rusqlite::Result<()> {
        let mut statement = connection.prepare(INTEGRITY)?;
        for line in statement.query_map([], |row| row.get(0))? {
            found.push(line?);
        }
        Ok(())
    };
    // After what it finds of a page, SQLite may stumble over the same page itself.
    let outcome = super::readable(look())?;
    if let (Err(why), true) = (outcome, found.is_empty()) {
        found.push(why);
    }
    let lines = found.iter().flat_map(|found| found.lines());
    // Of rows' values the rules say more.
    let lines = lines.filter(|line| !line.starts_with("***") && !line.contains(" value in "));
    Ok(lines.map(|line| of_table(line, &roots)).collect())
}

/// A line of SQLite's, with the table whose pages it names by their root.
fn of_table(line: &str, roots: &HashMap<i64, String>) -> String {
    let root = line.strip_prefix("Tree ").and_then(|rest| rest.split(' ').next()?.parse().ok());
    match root.and_then(|root: i64| roots.get(&root)) {
        Some(owner) => format!("{owner}: {line}"),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_page_is_named_by_its_table() {
        let roots = HashMap::from([(7, "table orders".to_owned())]);
        let line = "Tree 7 page 12: btreeInitPage() returns error code 11";
        assert_eq!(of_table(line, &roots), format!("table orders: {line}"));
        assert_eq!(of_table("Page 9: never used", &roots), "Page 9: never used");
    }
}

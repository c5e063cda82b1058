//! Runs SQL from its standard input, a statement a line, on a disk that keeps nothing but what was
//! synced, and says how each went: for the disk's own tests, which kill it, and to try it by hand.
#![cfg(unix)]

use std::io::{BufRead, Write};

use anyhow::{Context, Result};
use rusqlite::Connection;
use rusqlite::types::Value;

fn main() -> Result<()> {
    evercart_lossy_sqlite::install();
    let path = std::env::args_os().nth(1).context("say which database: a path")?;
    let connection = Connection::open(path)?;
    let mut answers = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        match run(&connection, &line?) {
            Ok(rows) => writeln!(answers, "ok {}", rows.join(" "))?,
            Err(error) => writeln!(answers, "error {error}")?,
        }
        answers.flush()?;
    }
    Ok(())
}

/// The first column of each row.
fn run(connection: &Connection, sql: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| {
        Ok(match row.get(0)? {
            Value::Integer(number) => number.to_string(),
            Value::Text(text) => text,
            other => format!("{other:?}"),
        })
    })?;
    rows.collect()
}

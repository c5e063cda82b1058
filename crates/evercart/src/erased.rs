//! The list of erasures: a file beside the mark, outside the databases, that says who was erased,
//! by number and moments only. Whoever goes back to older data reads it first (S10).
//!
//! A line of JSON an erasure, of all markets. A server and the commands beside it share it.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use evercart_core::copy::Erasure;
use evercart_core::ids::UserId;
use evercart_core::mark::MarkError;
use evercart_core::market::MarketName;
use serde::{Deserialize, Serialize};

use crate::private_file::directory_of;

/// The file's name, in the directory of the mark.
pub const FILE: &str = "evercart.erased";

#[derive(Serialize, Deserialize)]
struct Line<'a> {
    market: &'a str,
    user_id: i64,
    created_at: i64,
    erased_at: i64,
    open_orders: bool,
}

/// Where the list is, by where the mark is.
pub fn path(mark: &Path) -> PathBuf {
    mark.with_file_name(FILE)
}

/// A market's erasures, each once.
///
/// # Errors
/// The list is there and cannot be read.
pub fn read(mark: &Path, market: &MarketName) -> Result<Vec<Erasure>, MarkError> {
    let path = path(mark);
    let content = match std::fs::read(&path) {
        Ok(content) => content,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unusable(&path, &error)),
    };
    let (erasures, damaged) = erasures(&content, market);
    if damaged > 0 {
        tracing::warn!(
            "{}: {damaged} lines cannot be read; whom they name is not kept erased after a return \
             to older data",
            path.display()
        );
    }
    Ok(erasures)
}

/// What is in a list, and how many lines say nothing. The last may have been cut off by a crash:
/// nobody was answered then.
fn erasures(content: &[u8], market: &MarketName) -> (Vec<Erasure>, usize) {
    let mut found = BTreeMap::new();
    let mut damaged = 0;
    for line in content.split_inclusive(|byte| *byte == b'\n') {
        match serde_json::from_slice::<Line<'_>>(line) {
            Ok(line) if line.market == market.as_str() => {
                let Line { user_id, created_at, erased_at, open_orders, .. } = line;
                let user_id = UserId(user_id);
                let erasure = Erasure { user_id, created_at, erased_at, open_orders };
                found.insert((user_id, created_at), erasure);
            }
            Ok(_) => {}
            Err(_) if line.trim_ascii().is_empty() || !line.ends_with(b"\n") => {}
            Err(_) => damaged += 1,
        }
    }
    (found.into_values().collect(), damaged)
}

/// Adds those that are not in it. On disk when it returns.
///
/// # Errors
/// It cannot be written.
pub fn add(mark: &Path, market: &MarketName, new: &[Erasure]) -> Result<(), MarkError> {
    // A file is made, and a directory written to, only for somebody who is to be listed.
    let known = read(mark, market)?;
    if new.iter().all(|one| is_among(&known, one)) {
        return Ok(());
    }
    let path = path(mark);
    try_add(&path, market, new).map_err(|error| unusable(&path, &error))
}

fn try_add(path: &Path, market: &MarketName, new: &[Erasure]) -> io::Result<()> {
    let is_new = !path.exists();
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    if is_new {
        // Also when root erases somebody: the server must be able to read it.
        evercart_sqlite::give_to_owner_of(directory_of(path), path)?;
    }
    // Kept until the file is closed; another process may have listed the same meanwhile.
    file.lock()?;
    let mut content = Vec::new();
    file.read_to_end(&mut content)?;
    let (known, _) = erasures(&content, market);
    let mut lines = Vec::new();
    let whole = content.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    if whole < content.len() {
        file.set_len(whole as u64)?;
    }
    for erasure in new.iter().filter(|one| !is_among(&known, one)) {
        let line = Line {
            market: market.as_str(),
            user_id: erasure.user_id.0,
            created_at: erasure.created_at,
            erased_at: erasure.erased_at,
            open_orders: erasure.open_orders,
        };
        serde_json::to_writer(&mut lines, &line)?;
        lines.push(b'\n');
    }
    file.write_all(&lines)?;
    file.sync_all()?;
    if is_new { File::open(directory_of(path))?.sync_all() } else { Ok(()) }
}

fn is_among(known: &[Erasure], one: &Erasure) -> bool {
    let same = |known: &Erasure| (known.user_id, known.created_at) == (one.user_id, one.created_at);
    known.iter().any(same)
}

fn unusable(path: &Path, error: &io::Error) -> MarkError {
    MarkError::Unusable { place: path.display().to_string(), why: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn erasure(id: i64) -> Erasure {
        Erasure { user_id: UserId(id), created_at: 7, erased_at: 9, open_orders: false }
    }

    #[test]
    fn each_market_has_its_erasures_once() {
        let directory = tempfile::tempdir().expect("a directory");
        let mark = directory.path().join("evercart.mark");
        let (us, kg) = (name("us"), name("kg"));
        assert_eq!(read(&mark, &us).expect("is empty"), []);
        add(&mark, &us, &[]).expect("there is nothing to write");
        assert!(!path(&mark).exists());
        add(&mark, &us, &[erasure(2), erasure(1)]).expect("writes");
        add(&mark, &kg, &[erasure(3)]).expect("writes");
        add(&mark, &us, &[erasure(1), erasure(4)]).expect("writes");
        assert_eq!(read(&mark, &us).expect("reads"), [1, 2, 4].map(erasure));
        assert_eq!(read(&mark, &kg).expect("reads"), [erasure(3)]);
        let lines = std::fs::read_to_string(path(&mark)).expect("reads");
        assert_eq!(lines.lines().count(), 4);
    }

    #[test]
    fn a_line_that_was_cut_off_hides_no_other() {
        let directory = tempfile::tempdir().expect("a directory");
        let mark = directory.path().join("evercart.mark");
        add(&mark, &name("us"), &[erasure(1)]).expect("writes");
        let whole = std::fs::read(path(&mark)).expect("reads");
        for length in 0..whole.len() {
            std::fs::write(path(&mark), [&whole[..], &whole[..length]].concat()).expect("writes");
            add(&mark, &name("us"), &[erasure(2)]).expect("writes");
            let content = std::fs::read(path(&mark)).expect("reads");
            assert_eq!(erasures(&content, &name("us")), ([1, 2].map(erasure).to_vec(), 0));
        }
    }

    fn name(name: &str) -> MarketName {
        MarketName::new(name).expect("a name")
    }
}

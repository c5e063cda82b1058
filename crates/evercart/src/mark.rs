//! The mark: a small file outside the databases that says how far each market's data had come, so
//! that a return to an earlier moment is noticed. A server and the commands beside it share it.
//!
//! Each market has a block of 512 bytes, two lines of JSON: the position, which is written over
//! after each commit, and what changes rarely, which is written under a lock. A disk writes 512
//! bytes as a whole or not at all.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use evercart_core::copy::Erasure;
use evercart_core::incarnation::Incarnation;
use evercart_core::mark::{
    Life, Lineage, Mark, MarkError, Marked, NUMBERS, Numbers, Progress as Kept,
};
use evercart_core::market::MarketName;
use serde::{Deserialize, Serialize};

use crate::erased;
use crate::failure::Failure;
use crate::private_file::directory_of;
use crate::unusable::Use;

/// The file's name in the data directory.
pub const FILE: &str = "evercart.mark";

/// Bytes of a market's block, of its first and of its second line.
const BLOCK: usize = 512;
const POSITION: usize = 128;
const FACTS: usize = BLOCK - POSITION;

/// How a market's position line begins.
const BEGINS: &[u8] = b"{\"market\":\"";

/// In place of the facts of a market that may have been in a block that is damaged.
const LOST: &[u8] = b"lost";

/// The line that is written over after each commit.
#[derive(Serialize, Deserialize)]
struct PositionLine<'a> {
    market: &'a str,
    life: i64,
    position: i64,
}

/// The line that changes rarely.
#[derive(Serialize, Deserialize)]
struct FactsLine {
    life: i64,
    incarnation: String,
    position: i64,
    /// The first of each kind that was certainly not given out.
    numbers: [i64; 4],
    #[serde(default, skip_serializing_if = "Option::is_none")]
    system: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timeline: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    log: Option<i64>,
}

impl FactsLine {
    fn of(progress: &Kept, numbers: Numbers) -> Self {
        let lineage = progress.lineage.as_ref();
        Self {
            life: progress.life.number,
            incarnation: progress.life.incarnation.to_string(),
            position: progress.position,
            numbers: numbers.0,
            system: lineage.map(|lineage| lineage.system.clone()),
            timeline: lineage.map(|lineage| lineage.timeline),
            log: lineage.map(|lineage| lineage.log),
        }
    }

    fn marked(self) -> Option<Marked> {
        let incarnation = Incarnation::parse(&self.incarnation)?;
        let lineage = match (self.system, self.timeline, self.log) {
            (Some(system), Some(timeline), Some(log)) => Some(Lineage { system, timeline, log }),
            _ => None,
        };
        let life = Life { number: self.life, incarnation };
        let progress = Kept { life, position: self.position, lineage };
        Some(Marked { progress, numbers: Numbers(self.numbers) })
    }
}

/// The file.
pub struct MarkFile {
    file: File,
    path: PathBuf,
    /// Held while what changes rarely is changed: the file's own lock keeps other processes out,
    /// and lets in every thread that has the same open file.
    changing: Mutex<()>,
}

impl MarkFile {
    /// Opens it, making it if need be.
    ///
    /// # Errors
    /// It cannot be opened for writing.
    pub fn open(path: &Path) -> anyhow::Result<Arc<Self>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(|error| unusable(path, "written", &error))?;
        let given = evercart_sqlite::give_to_owner_of(directory_of(path), path);
        given.map_err(|error| unusable(path, "given to its directory's owner", &error))?;
        Ok(Arc::new(Self { file, path: path.to_owned(), changing: Mutex::default() }))
    }

    /// True if it remembers a market. Looks without making the file.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub fn remembers(path: &Path, market: &MarketName) -> anyhow::Result<bool> {
        let mut content = Vec::new();
        match File::open(path) {
            Ok(mut file) => file.read_to_end(&mut content).map(drop),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => Err(error),
        }
        .map_err(|error| unusable(path, "read", &error))?;
        // A block without facts is of a store that was never opened.
        let has_facts = |block: &[u8]| {
            block.get(POSITION..).is_some_and(|facts| !facts.trim_ascii().is_empty())
        };
        let mut blocks = content.chunks(BLOCK);
        Ok(blocks.any(|block| is_damaged(block) || is_of(block, market) && has_facts(block)))
    }

    /// The mark of one market.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub fn of(self: &Arc<Self>, market: &MarketName) -> anyhow::Result<Arc<dyn Mark>> {
        let failed = |error| unusable(&self.path, "written", &error);
        self.file.lock().map_err(failed)?;
        let at = self.place_of(market);
        self.file.unlock().map_err(failed)?;
        let at = at.map_err(failed)?;
        Ok(Arc::new(OfMarket { file: Arc::clone(self), market: market.clone(), at }))
    }

    /// Where a market's block is; at the end, with nothing in it yet, if it has none. In a damaged
    /// file the market's may have been what cannot be read, and it is written that it is lost.
    fn place_of(&self, market: &MarketName) -> io::Result<u64> {
        let mut content = Vec::new();
        let mut file = &self.file;
        file.seek(SeekFrom::Start(0))?;
        file.read_to_end(&mut content)?;
        let known = content.chunks(BLOCK).position(|block| is_of(block, market));
        let at = known.unwrap_or_else(|| content.len().div_ceil(BLOCK)) * BLOCK;
        let is_cut_off = content.len() < at + BLOCK;
        if is_cut_off {
            let line = PositionLine { market: market.as_str(), life: 0, position: 0 };
            let mut block = vec![b' '; BLOCK];
            block[..POSITION].copy_from_slice(&padded::<POSITION>(&line)?);
            if content.chunks(BLOCK).any(is_damaged) {
                block[POSITION..POSITION + LOST.len()].copy_from_slice(LOST);
            }
            block[BLOCK - 1] = b'\n';
            file.write_all_at(&block, at as u64)?;
        }
        Ok(at as u64)
    }
}

/// True if a block, or what is left of one, is a market's.
fn is_of(block: &[u8], market: &MarketName) -> bool {
    name(block) == Some(market.as_str().as_bytes())
}

/// True if nobody can tell whose block it is, or it is cut off.
fn is_damaged(block: &[u8]) -> bool {
    block.len() != BLOCK || name(block).is_none()
}

/// Whose block it is.
fn name(block: &[u8]) -> Option<&[u8]> {
    let name = block.strip_prefix(BEGINS)?;
    let end = name.iter().position(|byte| *byte == b'"')?;
    Some(&name[..end])
}

fn unusable(path: &Path, to_be: &str, error: &io::Error) -> Failure {
    let known = crate::unusable::unusable(path, Use::Write, error);
    // In a directory that is only read, such as one with mounted keys, it need not be.
    let may_be_elsewhere = error.kind() == io::ErrorKind::PermissionDenied
        && !path.exists()
        && std::fs::read_dir(directory_of(path)).is_ok();
    if known.has_hint() && !may_be_elsewhere {
        return known;
    }
    Failure::new(format!(
        "{} cannot be {to_be}: {error}. It says how far the data had come, so that a return to \
         older data is noticed",
        path.display()
    ))
    .hint("let storage.mark_file name a file that evercart may write, outside the data")
}

/// A line of a fixed length.
fn padded<const LENGTH: usize>(value: &impl Serialize) -> io::Result<[u8; LENGTH]> {
    let mut line = [b' '; LENGTH];
    let mut rest = &mut line[..LENGTH - 1];
    serde_json::to_writer(&mut rest, value).map_err(io::Error::other)?;
    line[LENGTH - 1] = b'\n';
    Ok(line)
}

/// A market's part of the file.
struct OfMarket {
    file: Arc<MarkFile>,
    market: MarketName,
    at: u64,
}

impl OfMarket {
    fn unusable(&self, error: &io::Error) -> MarkError {
        MarkError::Unusable { place: self.file.path.display().to_string(), why: error.to_string() }
    }

    fn damaged(&self) -> MarkError {
        MarkError::Damaged { place: self.file.path.display().to_string() }
    }

    /// Changes what changes rarely, and perhaps the position, while nobody else does.
    fn change(
        &self,
        moves: bool,
        change: impl FnOnce(Option<Marked>) -> FactsLine,
    ) -> Result<(), MarkError> {
        let file = &self.file.file;
        let change = || {
            // What cannot be read is replaced.
            let facts = change(self.facts()?.flatten());
            file.write_all_at(&padded::<FACTS>(&facts)?, self.at + POSITION as u64)?;
            if moves {
                self.write_position(facts.life, facts.position)?;
            }
            file.sync_data()
        };
        let _alone = self.file.changing.lock().unwrap_or_else(PoisonError::into_inner);
        file.lock().map_err(|error| self.unusable(&error))?;
        let changed = change();
        file.unlock().map_err(|error| self.unusable(&error))?;
        changed.map_err(|error| self.unusable(&error))
    }

    /// What changes rarely: nothing if it was never written, the inner nothing if it is damaged.
    fn facts(&self) -> io::Result<Option<Option<Marked>>> {
        let mut line = [0; FACTS];
        self.file.file.read_exact_at(&mut line, self.at + POSITION as u64)?;
        if line.trim_ascii().is_empty() {
            return Ok(None);
        }
        let facts = serde_json::from_slice::<FactsLine>(&line).ok();
        Ok(Some(facts.and_then(FactsLine::marked)))
    }

    fn position(&self) -> io::Result<Option<(i64, i64)>> {
        let mut line = [0; POSITION];
        self.file.file.read_exact_at(&mut line, self.at)?;
        let read = serde_json::from_slice::<PositionLine<'_>>(&line).ok();
        let read = read.filter(|line| line.market == self.market.as_str());
        Ok(read.map(|line| (line.life, line.position)))
    }

    fn write_position(&self, life: i64, position: i64) -> io::Result<()> {
        let line = PositionLine { market: self.market.as_str(), life, position };
        self.file.file.write_all_at(&padded::<POSITION>(&line)?, self.at)
    }
}

impl Mark for OfMarket {
    fn read(&self) -> Result<Option<Marked>, MarkError> {
        let read = || Ok::<_, io::Error>((self.facts()?, self.position()?));
        let (facts, position) = read().map_err(|error| self.unusable(&error))?;
        let Some(facts) = facts else { return Ok(None) };
        let (Some(mut marked), Some((life, position))) = (facts, position) else {
            return Err(self.damaged());
        };
        // A position of a life that is over says nothing of this one.
        if life == marked.progress.life.number {
            marked.progress.position = marked.progress.position.max(position);
        }
        Ok(Some(marked))
    }

    fn advance(&self, life: Life, position: i64) -> Result<(), MarkError> {
        self.write_position(life.number, position).map_err(|error| self.unusable(&error))
    }

    fn write(&self, progress: &Kept, numbers: Numbers) -> Result<(), MarkError> {
        let known = self.facts().map_err(|error| self.unusable(&error))?.flatten();
        let is_written = known.is_some_and(|Marked { progress: known, numbers: reserved }| {
            known.life == progress.life
                && known.lineage == progress.lineage
                && reserved.max(numbers) == reserved
        });
        if is_written {
            return self.advance(progress.life, progress.position);
        }
        self.change(true, |before| {
            let known = before.map(|before| before.numbers).unwrap_or_default();
            FactsLine::of(progress, known.max(numbers))
        })
    }

    fn reserve(&self, numbers: Numbers) -> Result<(), MarkError> {
        self.change(false, |before| match before {
            Some(before) => FactsLine::of(&before.progress, before.numbers.max(numbers)),
            None => FactsLine::of(&NO_LIFE, numbers),
        })
    }

    fn sync(&self) -> Result<(), MarkError> {
        self.file.file.sync_data().map_err(|error| self.unusable(&error))
    }

    fn erasures(&self) -> Result<Vec<Erasure>, MarkError> {
        erased::read(&self.file.path, &self.market)
    }

    fn list(&self, erasures: &[Erasure]) -> Result<(), MarkError> {
        erased::add(&self.file.path, &self.market, erasures)
    }
}

/// Before anything is known of a store: a life that every other follows.
const NO_LIFE: Kept =
    Kept { life: Life { number: 0, incarnation: Incarnation(0) }, position: 0, lineage: None };

const _: () = assert!(NUMBERS.len() == 4);

#[cfg(test)]
mod tests {
    use super::*;

    fn us() -> MarketName {
        MarketName::new("us").expect("a name")
    }

    fn kept(number: i64, position: i64) -> Kept {
        let life = Life { number, incarnation: Incarnation(7) };
        Kept { life, position, lineage: None }
    }

    #[test]
    fn what_was_marked_is_read_by_the_next_process() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join(FILE);
        assert!(!MarkFile::remembers(&path, &us()).expect("readable"));
        let kg = MarketName::new("kg").expect("a name");
        let file = MarkFile::open(&path).expect("opens");
        let mark = file.of(&us()).expect("usable");
        assert_eq!(mark.read().expect("readable"), None);
        mark.write(&kept(1, 5), Numbers([2, 1001, 1, 1])).expect("written");
        let of_kg = file.of(&kg).expect("usable");
        assert!(!MarkFile::remembers(&path, &kg).expect("readable"), "it was never opened");
        of_kg.write(&kept(9, 9), Numbers::default()).expect("written");
        mark.advance(kept(1, 0).life, 7).expect("written");
        mark.reserve(Numbers([66, 1000, 1, 1])).expect("written");

        let again = MarkFile::open(&path).expect("opens").of(&us()).expect("usable");
        let marked = again.read().expect("readable").expect("there");
        assert_eq!(marked.progress, kept(1, 7));
        assert_eq!(marked.numbers, Numbers([66, 1001, 1, 1]));
        assert!(MarkFile::remembers(&path, &kg).expect("readable"));
        assert!(!MarkFile::remembers(&path, &MarketName::new("k").expect("a name")).expect("ok"));
    }

    #[test]
    fn what_is_written_already_moves_on_by_its_position() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = MarkFile::open(&directory.path().join(FILE)).expect("opens");
        let mark = file.of(&us()).expect("usable");
        let numbers = Numbers([66, 1001, 1, 1]);
        mark.write(&kept(1, 5), numbers).expect("written");
        // A start after it, which has come less far in numbers, and one in another life.
        mark.write(&kept(1, 9), Numbers([2, 1001, 1, 1])).expect("written");
        let read = || mark.read().expect("readable").expect("there");
        assert_eq!(read(), Marked { progress: kept(1, 9), numbers });
        mark.write(&kept(2, 3), Numbers([2, 1065, 1, 1])).expect("written");
        let numbers = Numbers([66, 1065, 1, 1]);
        assert_eq!(read(), Marked { progress: kept(2, 3), numbers });
    }

    #[test]
    fn a_position_of_an_earlier_life_does_not_count() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = MarkFile::open(&directory.path().join(FILE)).expect("opens");
        let mark = file.of(&us()).expect("usable");
        mark.write(&kept(2, 5), Numbers::default()).expect("written");
        // A server that has not noticed yet.
        mark.advance(kept(1, 0).life, 900).expect("written");
        assert_eq!(mark.read().expect("readable").expect("there").progress, kept(2, 5));
    }

    #[test]
    fn numbers_that_threads_reserve_at_once_are_all_kept() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = MarkFile::open(&directory.path().join(FILE)).expect("opens");
        let mark = file.of(&us()).expect("usable");
        mark.write(&kept(1, 5), Numbers::default()).expect("written");
        for round in 1..=50 {
            std::thread::scope(|scope| {
                for kind in NUMBERS {
                    let mut numbers = Numbers::default();
                    numbers.set(kind, round);
                    let mark = Arc::clone(&mark);
                    scope.spawn(move || mark.reserve(numbers).expect("written"));
                }
            });
            let marked = mark.read().expect("readable").expect("there");
            assert_eq!(marked.numbers, Numbers([round; 4]));
        }
    }

    #[test]
    fn everything_fits_at_its_longest() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = MarkFile::open(&directory.path().join(FILE)).expect("opens");
        let market = MarketName::new("abcdefghijklmnop").expect("a name");
        let mark = file.of(&market).expect("usable");
        let lineage = Lineage { system: i64::MAX.to_string(), timeline: i64::MAX, log: i64::MAX };
        let life = Life { number: i64::MAX, incarnation: Incarnation(i64::MAX) };
        let progress = Kept { life, position: i64::MAX, lineage: Some(lineage) };
        let all = Marked { progress: progress.clone(), numbers: Numbers([i64::MAX; 4]) };
        mark.write(&progress, all.numbers).expect("written");
        assert_eq!(mark.read().expect("readable"), Some(all));
    }

    #[test]
    fn a_market_that_may_have_been_in_a_damaged_block_is_not_taken_for_new() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join(FILE);
        let kg = MarketName::new("kg").expect("a name");
        let whole = {
            let file = MarkFile::open(&path).expect("opens");
            for market in [us(), kg.clone()] {
                let mark = file.of(&market).expect("usable");
                mark.write(&kept(1, 5), Numbers::default()).expect("written");
            }
            std::fs::read(&path).expect("written")
        };
        let mut zeros = whole.clone();
        zeros[..BLOCK].fill(0);
        for damaged in [zeros, whole[..300].to_vec(), whole[..20].to_vec(), b"no mark".to_vec()] {
            std::fs::write(&path, &damaged).expect("written");
            assert!(MarkFile::remembers(&path, &us()).expect("readable"));
            let file = MarkFile::open(&path).expect("opens");
            let mark = file.of(&us()).expect("usable");
            assert!(matches!(mark.read(), Err(MarkError::Damaged { .. })));
            mark.write(&kept(2, 6), Numbers::default()).expect("written");
            let again = MarkFile::open(&path).expect("opens").of(&us()).expect("usable");
            assert_eq!(again.read().expect("readable").expect("there").progress, kept(2, 6));
            if damaged.len() > BLOCK {
                let of_kg = file.of(&kg).expect("usable").read().expect("whole");
                assert_eq!(of_kg.expect("there").progress, kept(1, 5));
            }
        }
    }

    #[test]
    fn damage_is_noticed_and_mended_by_the_next_writing() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join(FILE);
        let file = MarkFile::open(&path).expect("opens");
        let mark = file.of(&us()).expect("usable");
        mark.write(&kept(1, 5), Numbers::default()).expect("written");
        file.file.write_all_at(b"xx", POSITION as u64).expect("written");
        assert!(matches!(mark.read(), Err(MarkError::Damaged { .. })));
        mark.write(&kept(2, 6), Numbers::default()).expect("written");
        assert_eq!(mark.read().expect("readable").expect("there").progress, kept(2, 6));
    }
}

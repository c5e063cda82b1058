//! Which backup was the last one: noted in the data directory by who made it, or in the directory
//! of those that servers make by themselves. For whoever finds the data damaged.

use std::path::{Path, PathBuf};

use anyhow::Context;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::config::Settings;
use crate::private_file;

const FILE: &str = "last-backup.json";

/// How the names of servers' backups begin, end, and say the moment: in UTC, so that they sort by
/// it.
const BEGINS: &str = "evercart-";
const ENDS: &str = ".tar";
const MOMENT: &str = "%Y%m%dT%H%M%SZ";

/// A backup that was made and checked.
#[derive(Debug, Serialize, Deserialize)]
pub struct LastBackup {
    /// Where it was put.
    pub file: String,
    /// As of when.
    pub created_at: Timestamp,
}

impl LastBackup {
    /// The newest that is known. What cannot be read is not known.
    pub fn newest(settings: &Settings) -> Option<Self> {
        let noted = std::fs::read(path(&settings.storage.data)).ok();
        let noted = noted.and_then(|text| serde_json::from_slice(&text).ok());
        let directory = settings.backup.as_ref().map(|backup| &backup.directory);
        let by_servers = directory.and_then(|directory| by_servers(directory).ok());
        let newest = by_servers.and_then(|made| made.into_iter().next());
        let newest = newest.map(|(created_at, file)| Self {
            file: std::path::absolute(&file).unwrap_or(file).display().to_string(),
            created_at,
        });
        let of_both = [noted, newest].into_iter().flatten();
        of_both.max_by_key(|last: &Self| last.created_at)
    }

    /// True if it is still where it was put.
    pub fn is_there(&self) -> bool {
        Path::new(&self.file).exists()
    }

    /// Notes one. The backup is as good without: a directory that may not be written, such as one
    /// with mounted keys, has no note.
    pub fn note(data: &Path, file: &Path, created_at: Timestamp) {
        if !data.is_dir() {
            return;
        }
        let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
        let note = Self { file: file.display().to_string(), created_at };
        let written = serde_json::to_vec(&note)
            .map_err(std::io::Error::from)
            .and_then(|text| private_file::write(&path(data), &text));
        if let Err(error) = written {
            tracing::debug!("the backup is not noted in {}: {error}", data.display());
        }
    }
}

fn path(data: &Path) -> PathBuf {
    data.join(FILE)
}

/// The backups that servers made in a directory with their moments, the newest first.
///
/// # Errors
/// The directory cannot be read.
pub fn by_servers(directory: &Path) -> anyhow::Result<Vec<(Timestamp, PathBuf)>> {
    let failed = || format!("backup.directory {} cannot be read", directory.display());
    let mut made = Vec::new();
    for entry in std::fs::read_dir(directory).with_context(failed)? {
        let path = entry.with_context(failed)?.path();
        made.extend(moment_of(&path).map(|moment| (moment, path)));
    }
    made.sort();
    made.reverse();
    Ok(made)
}

/// What a server calls the backup of a moment.
pub fn name_at(moment: Timestamp) -> String {
    format!("{BEGINS}{}{ENDS}", moment.strftime(MOMENT))
}

/// When a server made a backup, by its name; `None` of a file that is another's.
fn moment_of(path: &Path) -> Option<Timestamp> {
    let name = path.file_name()?.to_str()?;
    let moment = name.strip_prefix(BEGINS)?.strip_suffix(ENDS)?;
    TimeZone::UTC.to_timestamp(DateTime::strptime(MOMENT, moment).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_their_own_names_are_backups_of_servers() {
        let moment = |name: &str| moment_of(Path::new(name));
        let expected: Timestamp = "2026-11-30T12:05:09Z".parse().expect("a moment");
        assert_eq!(name_at(expected), "evercart-20261130T120509Z.tar");
        assert_eq!(moment("/b/evercart-20261130T120509Z.tar"), Some(expected));
        let others =
            ["shop.tar", "evercart-.tar", "evercart-20261130T120509Z.tar.gz", "evercart-1.tar"];
        for other in others {
            assert_eq!(moment(other), None, "{other}");
        }
    }
}

//! Which backup was the last one made from here: noted in the data directory, for whoever finds the
//! data damaged.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::private_file;

const FILE: &str = "last-backup.json";

/// A backup that was made and checked.
#[derive(Debug, Serialize, Deserialize)]
pub struct LastBackup {
    /// Where it was put.
    pub file: String,
    /// As of when.
    pub created_at: Timestamp,
}

impl LastBackup {
    /// What is noted in a data directory. A note that cannot be read is none.
    pub fn read(data: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(path(data)).ok()?).ok()
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

//! Keeps a second server off a data directory.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::owner::give_to_owner_of;

/// The file in a data directory that says which process serves it.
pub const LOCK_FILE: &str = "evercart.lock";

/// Held while a server runs on a directory. The kernel lets go of it when the process ends, however
/// it ends.
#[derive(Debug)]
pub struct DirectoryLock {
    _file: File,
}

/// Why a directory could not be taken.
#[derive(Debug, Error)]
pub enum LockError {
    /// Somebody has it.
    #[error("another evercart (process {holder}) serves {}", directory.display())]
    Held {
        /// The directory.
        directory: PathBuf,
        /// The process that has it, as it wrote itself down.
        holder: String,
    },
    /// The lock file cannot be used.
    #[error("cannot lock {}: {source}", directory.display())]
    Io {
        /// The directory.
        directory: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl DirectoryLock {
    /// Takes the directory for this process.
    ///
    /// # Errors
    /// Another process has it, or the lock file cannot be written.
    pub fn acquire(directory: &Path) -> Result<Self, LockError> {
        let io = |source| LockError::Io { directory: directory.to_owned(), source };
        let path = directory.join(LOCK_FILE);
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(io)?;
        give_to_owner_of(directory, &path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder).map_err(io)?;
                let holder = holder.trim().to_owned();
                return Err(LockError::Held { directory: directory.to_owned(), holder });
            }
            Err(TryLockError::Error(error)) => return Err(io(error)),
        }
        file.set_len(0).map_err(io)?;
        file.rewind().map_err(io)?;
        writeln!(file, "{}", std::process::id()).map_err(io)?;
        Ok(Self { _file: file })
    }
}

//! A server's files, kept as they are at a moment and put back later: what a copy of a disk does,
//! and a recovery to a point in time.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::server::run;
use crate::{Error, Server};

/// The files of a server that was stopped. They go away with the server.
#[derive(Debug)]
pub struct Files(PathBuf);

impl Server {
    /// Copies the files. The server must be stopped, in whatever way.
    ///
    /// # Errors
    /// If they cannot be copied.
    ///
    /// # Panics
    /// If the server runs.
    pub fn keep_files(&self) -> Result<Files, Error> {
        self.assert_stopped();
        let (from, to) = (self.data(), self.data().with_extension("kept"));
        copy(&from, &to)?;
        Ok(Files(to))
    }

    /// Puts files in place of those that are there. The server must be stopped, in whatever way.
    ///
    /// # Errors
    /// If they cannot be copied.
    ///
    /// # Panics
    /// If the server runs.
    pub fn put_files_back(&self, Files(from): &Files) -> Result<(), Error> {
        self.assert_stopped();
        copy(from, &self.data())
    }
}

/// With owners and modes, in place of what is there.
fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    if to.exists() {
        fs::remove_dir_all(to).map_err(Error::at("remove", to))?;
    }
    let mut copy = Command::new("cp");
    copy.arg("-a").arg(from).arg(to);
    run(copy)
}

//! A disk that can be filled: a small file system in memory, in a mount namespace that a process of
//! ours holds and the program is started in.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};

/// Room for a long run's log and a checkpoint.
const SIZE: &str = "size=512m";

/// Mounts, says so, and holds the namespace until standard input ends, as it does when the process
/// that started this ends, in whatever way.
const HOLD: &str = "mount -t tmpfs -o \"$1\" tmpfs \"$2\" && echo mounted && exec cat";

/// The disk. It vanishes when this is dropped.
pub struct SmallDisk {
    holder: Child,
    path: PathBuf,
}

impl SmallDisk {
    /// Whether one can be had here, and if not, why.
    pub fn is_possible() -> Result<(), String> {
        let tried = Command::new("unshare")
            .args(["--mount", "sh", "-c", "mount -t tmpfs tmpfs /tmp"])
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("no `unshare`: {error}"))?;
        if tried.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&tried.stderr).trim().to_owned();
        Err(format!("no file system can be mounted here ({said}); root can"))
    }

    /// Mounts it.
    ///
    /// # Errors
    /// If that is not possible.
    pub fn mount(path: &Path) -> Result<Self> {
        let mut holder = Command::new("unshare")
            .args(["--mount", "sh", "-c", HOLD, "sh", SIZE])
            .arg(path)
            // Where whatever enters the namespace finds itself.
            .current_dir(path.parent().unwrap_or(path))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot run unshare")?;
        let mut said = String::new();
        let stdout = holder.stdout.take().expect("stdout was piped above");
        BufReader::new(stdout).read_line(&mut said)?;
        ensure!(said.trim() == "mounted", "a small disk cannot be mounted");
        Ok(Self { holder, path: path.to_owned() })
    }

    /// What starts a program where the disk is.
    pub fn wrapper(&self) -> Vec<String> {
        let target = format!("--target={}", self.holder.id());
        ["nsenter", &target, "--mount", "--wd"].map(str::to_owned).to_vec()
    }

    /// The directory as seen from here.
    pub fn seen(&self) -> PathBuf {
        let path = self.path.strip_prefix("/").unwrap_or(&self.path);
        PathBuf::from(format!("/proc/{}/root", self.holder.id())).join(path)
    }

    /// Leaves no room.
    ///
    /// # Errors
    /// If the disk is not there.
    pub fn fill(&self) -> Result<()> {
        let mut ballast = File::create(self.seen().join("ballast"))?;
        while ballast.write_all(&[0; 64 * 1024]).is_ok() {}
        while ballast.write_all(&[0]).is_ok() {}
        Ok(())
    }

    /// Makes room again.
    ///
    /// # Errors
    /// If the disk is not there.
    pub fn make_room(&self) -> Result<()> {
        Ok(fs::remove_file(self.seen().join("ballast"))?)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // If it has ended, the disk has gone already.
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

//! Counts a server's fsync and fdatasync calls with strace, where it is installed and allowed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::server::signal;

const ATTACH_MAX: Duration = Duration::from_secs(10);

/// A strace that is counting.
pub struct Trace {
    strace: Child,
    summary: PathBuf,
}

impl Trace {
    /// Begins to count the calls of `pid` and its threads.
    ///
    /// # Errors
    /// If there is no strace, or the system does not let it look.
    pub fn attach(pid: u32, directory: &Path) -> Result<Self> {
        let summary = directory.join("strace.txt");
        let mut strace = Command::new("strace")
            .args(["-f", "-c", "-e", "trace=fsync,fdatasync", "-p", &pid.to_string(), "-o"])
            .arg(&summary)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot run strace; leave out --strace or install it")?;
        let begun = Instant::now();
        while !is_traced(pid) {
            if strace.try_wait()?.is_some() || begun.elapsed() > ATTACH_MAX {
                bail!("strace cannot attach to the server: is ptrace allowed here?");
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(Self { strace, summary })
    }

    /// Stops counting.
    ///
    /// # Errors
    /// If there is no count.
    pub fn finish(mut self) -> Result<u64> {
        signal("-INT", self.strace.id())?;
        self.strace.wait()?;
        let summary = fs::read_to_string(&self.summary).context("strace left no summary")?;
        Ok(calls(&summary))
    }
}

/// All of the process's threads have a tracer.
fn is_traced(pid: u32) -> bool {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return false };
    threads.flatten().all(|thread| {
        let status = fs::read_to_string(thread.path().join("status")).unwrap_or_default();
        let tracer = status.lines().find_map(|line| line.strip_prefix("TracerPid:"));
        tracer.is_some_and(|tracer| tracer.trim() != "0")
    })
}

/// The calls in a summary: `% time, seconds, usecs/call, calls, [errors,] syscall`.
fn calls(summary: &str) -> u64 {
    summary
        .lines()
        .filter(|line| line.ends_with(" fsync") || line.ends_with(" fdatasync"))
        .filter_map(|line| line.split_whitespace().nth(3)?.parse::<u64>().ok())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_read_from_the_summary() {
        let summary = "% time     seconds  usecs/call     calls    errors syscall\n\
            ------ ----------- ----------- --------- --------- ----------------\n\
            \x2099.10    0.001234          12       100           fdatasync\n\
            \x20 0.90    0.000011          11         3         1 fsync\n\
            ------ ----------- ----------- --------- --------- ----------------\n\
            100.00    0.001245          12       103         1 total\n";
        assert_eq!(calls(summary), 103);
    }
}

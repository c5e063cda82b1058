//! The program under torture: its server processes and its commands, on one data directory.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};

/// A server that recovers from a crash on a machine that has much else to do.
const START_MAX: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(20);

/// Where a server says that it listens.
const LISTENS: &str = "evercart listening on http://";

/// Nobody has to wait for a code.
const SETTINGS: &[(&str, &str)] = &[
    ("EVERCART_AUTH__LIMITS__ATTEMPTS_PER_CODE", "1000"),
    ("EVERCART_AUTH__LIMITS__FAILURES_PER_IP_HOUR", "1000000"),
    ("EVERCART_AUTH__LIMITS__FAILURES_PER_MARKET_HOUR", "1000000"),
    // Customers move on from phone to phone.
    ("EVERCART_AUTH__PHONE_CHANGE_HOLD", "0s"),
    ("EVERCART_SERVER__INTERNAL_LISTEN", "127.0.0.1:0"),
];

/// The program and where it runs.
#[derive(Debug, Clone)]
pub struct Program {
    path: PathBuf,
    /// Its working directory: data, logs, files to import.
    directory: PathBuf,
    /// What it is started by, if not directly.
    wrapper: Vec<String>,
}

impl Program {
    /// The program, on the data in `directory`.
    pub fn new(path: PathBuf, directory: &Path, wrapper: Vec<String>) -> Self {
        Self { path, directory: directory.to_owned(), wrapper }
    }

    /// Its working directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    fn command(&self, database: Option<&str>) -> Command {
        let mut command = match self.wrapper.split_first() {
            None => Command::new(&self.path),
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(&self.path);
                command
            }
        };
        command.current_dir(&self.directory).envs(SETTINGS.iter().copied());
        if let Some(url) = database {
            command.env("EVERCART_STORAGE__DATABASE_URL", url);
        }
        command.stdin(Stdio::null());
        command
    }

    /// Starts a server; `place` is where it listens, port 0 being any, and its tokens are good for
    /// so many seconds.
    ///
    /// # Errors
    /// If it does not say in time that it listens; with the end of what it said.
    pub fn serve(
        &self,
        name: &str,
        database: Option<&str>,
        place: SocketAddr,
        token_seconds: u64,
    ) -> Result<Server> {
        let log = self.directory.join(format!("{name}.log"));
        let file = OpenOptions::new().create(true).append(true).open(&log)?;
        let mut command = self.command(database);
        command.args(["serve", "--demo", "--listen", &place.to_string()]);
        command.env("EVERCART_AUTH__TOKEN_LIFETIME", format!("{token_seconds}s"));
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(file)
            .spawn()
            .with_context(|| format!("cannot run {}", self.path.display()))?;
        let stdout = child.stdout.take().expect("stdout was piped above");
        match announced(stdout) {
            Some(address) => Ok(Server { child, address }),
            None => {
                // It may have ended by itself.
                let _ = child.kill();
                let status = child.wait()?;
                bail!("{name} did not start ({status}): {}", tail(&log))
            }
        }
    }

    /// Runs one of the program's commands to its end.
    ///
    /// # Errors
    /// If it cannot be run.
    pub fn run(&self, database: Option<&str>, arguments: &[&str]) -> Result<Output> {
        let mut command = self.command(database);
        command.args(arguments).output().with_context(|| format!("cannot run {arguments:?}"))
    }

    /// Runs a command that must succeed and returns what it printed.
    ///
    /// # Errors
    /// If it fails.
    pub fn run_ok(&self, database: Option<&str>, arguments: &[&str]) -> Result<String> {
        let output = self.run(database, arguments)?;
        let said = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "evercart {arguments:?} failed: {said}{errors}");
        Ok(said.into_owned())
    }
}

/// A server process. It ends when this is dropped.
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Server {
    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let pid = pid.expect("the number of a process is positive");
        // It fails if the process has ended, which whoever asks it next will see.
        let _ = kill_process(pid, signal);
    }

    /// Ends it with SIGKILL.
    pub fn kill(mut self) {
        self.end();
    }

    /// Whether it has ended by itself, and how.
    pub fn has_ended(&mut self) -> Option<String> {
        let ended = self.child.try_wait().ok().flatten();
        ended.map(|status| status.to_string())
    }

    /// Asks it to end, and waits.
    ///
    /// # Errors
    /// If it does not end in time, or not with success.
    pub fn stop(mut self) -> Result<()> {
        self.signal(Signal::TERM);
        let begun = Instant::now();
        while begun.elapsed() < START_MAX {
            if let Some(status) = self.child.try_wait()? {
                ensure!(status.success(), "U3 broken: after SIGTERM it ended with {status}");
                return Ok(());
            }
            thread::sleep(POLL);
        }
        bail!("U3 broken: it did not end within {} s after SIGTERM", START_MAX.as_secs())
    }

    fn end(&mut self) {
        // What has ended already cannot be killed, and need not be.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

/// Where a server says that it listens. Goes on draining what it prints.
fn announced(stdout: impl Read + Send + 'static) -> Option<SocketAddr> {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let address = line.strip_prefix(LISTENS).and_then(|rest| rest.trim().parse().ok());
            if let Some(address) = address {
                // Nobody waits any more only if the start took too long.
                let _ = tell.send(address);
            }
        }
    });
    told.recv_timeout(START_MAX).ok()
}

/// The end of a log.
pub fn tail(log: &Path) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    let lines: Vec<_> = text.trim().lines().collect();
    lines[lines.len().saturating_sub(8)..].join("\n")
}

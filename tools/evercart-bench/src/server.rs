//! The real program as a child process: built, started on a directory of its own, asked, stopped.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::answer;

/// Customers' tokens outlive any run: for who writes them, and for who takes them.
pub const TOKENS_LIVE: (&str, &str) = ("EVERCART_AUTH__TOKEN_LIFETIME", "12h");

const START_MAX: Duration = Duration::from_secs(60);
const STOP_MAX: Duration = Duration::from_secs(60);
const ANSWER_MAX: Duration = Duration::from_secs(30);
/// Where a child says that it listens.
const LISTENS: &str = " listening on http://";
const METRICS: &str = "evercart metrics on http://";

/// Builds the program as it is shipped, and returns its path.
///
/// # Errors
/// If it does not build.
pub fn build() -> Result<PathBuf> {
    let output = Command::new("cargo")
        .args(["build", "--release", "-p", "evercart"])
        .args(["--message-format", "json-render-diagnostics"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run cargo; name a built program with --server")?;
    ensure!(output.status.success(), "evercart does not build");
    output
        .stdout
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice::<Value>(line).ok())
        .filter_map(|message| Some(PathBuf::from(message.get("executable")?.as_str()?)))
        .next_back()
        .context("cargo named no program")
}

/// A child that answers HTTP.
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    /// Where it tells its metrics, if it does.
    pub metrics: Option<SocketAddr>,
    /// From the start of the process to its announcement.
    pub started: Instant,
    /// The first process of the database it uses, if that is one of its own.
    pub database: Option<u32>,
    errors: PathBuf,
}

impl Server {
    /// Starts the demo shop in `data` with these settings, and waits until it says that it listens.
    ///
    /// # Errors
    /// If it does not start; with what it said.
    pub fn start(program: &Path, data: &Path, settings: &[(&str, &str)]) -> Result<Self> {
        let mut command = Command::new(program);
        command
            .args(["serve", "--demo", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .env("EVERCART_SERVER__INTERNAL_LISTEN", "127.0.0.1:0")
            .env(TOKENS_LIVE.0, TOKENS_LIVE.1)
            .envs(settings.iter().copied())
            .current_dir(data);
        Self::spawn(command, &data.join("bench-stderr.log"))
    }

    /// Starts this very program as the server to compare with.
    ///
    /// # Errors
    /// If it does not start.
    pub fn start_hello(directory: &Path) -> Result<Self> {
        let own = std::env::current_exe().context("cannot tell where this program is")?;
        let mut command = Command::new(own);
        command.args(["hello", "--listen", "127.0.0.1:0"]);
        Self::spawn(command, &directory.join("hello-stderr.log"))
    }

    fn spawn(mut command: Command, errors: &Path) -> Result<Self> {
        let file = File::create(errors).context("cannot write the server's log")?;
        let started = Instant::now();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(file)
            .spawn()
            .with_context(|| format!("cannot run {}", command.get_program().display()))?;
        let stdout = child.stdout.take().expect("stdout was piped above");
        let errors = errors.to_owned();
        match announced(stdout) {
            Some((address, metrics)) => {
                Ok(Self { child, address, metrics, started, database: None, errors })
            }
            None => {
                // It may have ended by itself.
                let _ = child.kill();
                child.wait()?;
                bail!("the server did not start: {}", said(&errors))
            }
        }
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Stops it as a supervisor does.
    ///
    /// # Errors
    /// If it does not end, or not with success.
    pub fn stop(mut self) -> Result<()> {
        signal("-TERM", self.pid())?;
        let begun = Instant::now();
        while begun.elapsed() < STOP_MAX {
            if let Some(status) = self.child.try_wait()? {
                ensure!(status.success(), "it ended with {status}: {}", said(&self.errors));
                return Ok(());
            }
            thread::sleep(Duration::from_millis(2));
        }
        bail!("the server did not stop within {} s", STOP_MAX.as_secs())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // After an error nobody else ends it; after `stop` there is nothing left to end.
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Sends a signal to a process.
///
/// # Errors
/// If the system has no `kill`.
pub fn signal(signal: &str, pid: u32) -> Result<()> {
    Command::new("kill").args([signal, &pid.to_string()]).status().context("cannot run kill")?;
    Ok(())
}

fn said(errors: &Path) -> String {
    let text = fs::read_to_string(errors).unwrap_or_default();
    let lines: Vec<_> = text.trim().lines().collect();
    lines[lines.len().saturating_sub(10)..].join("\n")
}

/// Where a server says that it listens and tells its metrics. Goes on draining what it prints.
fn announced(stdout: impl Read + Send + 'static) -> Option<(SocketAddr, Option<SocketAddr>)> {
    let (sender, announcements) = mpsc::channel();
    thread::spawn(move || {
        let mut metrics = None;
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if let Some(address) = line.strip_prefix(METRICS) {
                metrics = address.trim().parse().ok();
            } else if let Some((_, address)) = line.split_once(LISTENS)
                && let Ok(address) = address.trim().parse()
            {
                // Nobody waits any more only if the start took too long.
                let _ = sender.send((address, metrics));
            }
        }
    });
    announcements.recv_timeout(START_MAX).ok()
}

/// A connection for single questions.
pub struct Client {
    stream: TcpStream,
    address: SocketAddr,
    answer: Vec<u8>,
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// If nobody listens.
    pub fn connect(address: SocketAddr) -> Result<Self> {
        let stream =
            TcpStream::connect(address).with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_MAX))?;
        Ok(Self { stream, address, answer: Vec::new() })
    }

    /// Asks for a path, as the owner of `token` if there is one, and returns the body of a 200.
    ///
    /// # Errors
    /// If the answer is anything else.
    pub fn get(&mut self, path: &str, token: Option<&str>) -> Result<&[u8]> {
        let (status, body) = self.ask("GET", path, token, None)?;
        let text = || String::from_utf8_lossy(body);
        ensure!(status == 200, "GET {path} answered {status}: {}", text());
        Ok(body)
    }

    /// Asks for anything, with a JSON body if there is one; returns the answer's status and body.
    ///
    /// # Errors
    /// If there is no answer.
    pub fn ask(
        &mut self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<&str>,
    ) -> Result<(u16, &[u8])> {
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n", self.address);
        match token {
            Some(token) => request.push_str(&format!("Authorization: Bearer {token}\r\n")),
            None => request.push_str("X-Market: us\r\n"),
        }
        if let Some(body) = body {
            request.push_str("Content-Type: application/json\r\n");
            request.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        request.push_str("\r\n");
        request.push_str(body.unwrap_or_default());
        self.stream.write_all(request.as_bytes())?;
        self.answer.clear();
        let answer = loop {
            let mut part = [0; 16 * 1024];
            let bytes = self.stream.read(&mut part).with_context(|| format!("{method} {path}"))?;
            ensure!(bytes > 0, "{method} {path}: the server closed the connection");
            self.answer.extend_from_slice(&part[..bytes]);
            if let Some(answer) = answer::parse(&self.answer)? {
                break answer;
            }
        };
        Ok((answer.status, &self.answer[answer.body..answer.end]))
    }

    /// As [`get`](Client::get), the body being JSON.
    ///
    /// # Errors
    /// As [`get`](Client::get), or if it is not JSON.
    pub fn get_json(&mut self, path: &str, token: Option<&str>) -> Result<Value> {
        let body = self.get(path, token)?;
        serde_json::from_slice(body).with_context(|| format!("GET {path} is not JSON"))
    }
}

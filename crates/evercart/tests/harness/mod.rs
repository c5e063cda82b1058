//! Runs the real `evercart` binary in a directory of its own and talks HTTP to it. What a promise
//! means, and whether it was kept, is for the tests that use this.
//!
//! ```ignore
//! mod harness;
//! use harness::Shop;
//!
//! let mut shop = Shop::demo();
//! let token = shop.sign_in("+13128059851");
//! let answer = shop.post("/cart/items").token(&token).json(&json!({"sku_id": 42})).send();
//! assert_eq!(answer.status, 200);
//! shop.kill();
//! shop.start();
//! ```
#![allow(dead_code, reason = "each test binary uses its own part of the harness")]

mod client;
mod events;
mod process;

pub use client::{Answer, Request};
#[allow(unused_imports, reason = "each test binary uses its own part of the harness")]
pub use events::{Events, Heard};
pub use process::{Output, Running, StartFailed, run_in};

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::backend::{Place, SERVERS};

/// How long anything is waited for before a test fails. Long, because CI machines are slow; nothing
/// ever sleeps this long.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A shop under test: a working directory, where its data is, how to start its servers, and those
/// servers. How many there are is the backend's business: requests go to one after the other.
pub struct Shop {
    home: tempfile::TempDir,
    place: Place,
    /// A program with arguments that becomes the server, such as `nice`.
    wrapper: Vec<String>,
    arguments: Vec<OsString>,
    variables: Vec<(String, String)>,
    default_metrics_port: bool,
    running: Vec<Running>,
    /// Counts requests, to give each server its share.
    turn: AtomicUsize,
    agent: ureq::Agent,
}

impl Shop {
    /// A demo shop, running: `serve --demo` on a free port.
    pub fn demo() -> Self {
        let mut shop = Self::prepared().argument("--demo");
        shop.start();
        shop
    }

    /// A demo shop, running, with these variables of the environment, such as
    /// `("EVERCART_AUTH__TOKEN_LIFETIME", "2s")`.
    pub fn demo_with(variables: &[(&str, &str)]) -> Self {
        let mut shop = Self::prepared().argument("--demo");
        for (name, value) in variables {
            shop = shop.variable(name, value);
        }
        shop.start();
        shop
    }

    /// A shop that is not running yet and has no demo: an empty directory.
    pub fn prepared() -> Self {
        Self::prepared_at(Place::fresh())
    }

    /// Like `prepared`, with its data in a place that the test has made.
    pub fn prepared_at(place: Place) -> Self {
        let home = tempfile::tempdir().expect("a temporary directory");
        Self {
            wrapper: Vec::new(),
            home,
            arguments: Vec::new(),
            variables: place.variables(),
            place,
            default_metrics_port: false,
            running: Vec::new(),
            turn: AtomicUsize::new(0),
            agent: client::agent(),
        }
    }

    /// Adds an argument of `serve`.
    #[must_use]
    pub fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Adds a variable to the server's (and [`Shop::run`]'s) environment.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Has the servers started by another program, which gets the command as its last arguments and
    /// becomes it.
    #[must_use]
    pub fn started_by(mut self, wrapper: &[&str]) -> Self {
        self.wrapper = wrapper.iter().map(|&word| word.to_owned()).collect();
        self
    }

    /// Writes `evercart.toml`, which the program finds in its working directory.
    #[must_use]
    pub fn config(self, toml: &str) -> Self {
        self.write("evercart.toml", toml);
        self
    }

    /// Leaves the internal listener to its default instead of a free port.
    #[must_use]
    pub fn without_metrics_port(mut self) -> Self {
        self.default_metrics_port = true;
        self
    }

    /// Starts the servers, all at once, and waits until they answer.
    pub fn start(&mut self) {
        if let Err(failed) = self.try_start() {
            panic!("evercart serve did not start: {failed}");
        }
    }

    /// Starts the servers; says how one ended if it does not come to answer.
    pub fn try_start(&mut self) -> Result<(), StartFailed> {
        assert!(self.running.is_empty(), "the server is running already");
        let mut arguments = vec!["serve".into()];
        arguments.extend(self.arguments.iter().cloned());
        let shop = &*self;
        let started: Vec<_> = std::thread::scope(|scope| {
            let start = || scope.spawn(|| shop.try_serve(&arguments));
            let threads: Vec<_> = (0..SERVERS).map(|_| start()).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        });
        self.running = started.into_iter().collect::<Result<_, _>>()?;
        Ok(())
    }

    /// Starts a server beside those of the shop, if any, with other arguments.
    pub fn try_serve(&self, arguments: &[OsString]) -> Result<Running, StartFailed> {
        let free_port = |name: &str| (name.to_owned(), "127.0.0.1:0".to_owned());
        let mut variables = vec![free_port("EVERCART_SERVER__LISTEN")];
        if !self.default_metrics_port {
            variables.push(free_port("EVERCART_SERVER__INTERNAL_LISTEN"));
        }
        variables.extend(self.variables.iter().cloned());
        let mut command = process::command_by(&self.wrapper, self.home.path(), &variables);
        command.args(arguments);
        Running::start(command)
    }

    /// Kills the servers with SIGKILL, as a power cut would.
    pub fn kill(&mut self) {
        for running in self.take_running() {
            running.kill();
        }
    }

    /// Ends the servers with SIGTERM and waits for them; returns exit code and messages.
    pub fn terminate(&mut self) -> Output {
        self.signal("TERM");
        self.wait()
    }

    /// Waits until the servers end by themselves, such as after a signal.
    pub fn wait(&mut self) -> Output {
        Output::of_all(self.take_running().into_iter().map(Running::wait))
    }

    /// Sends every server a signal by name: `TERM`, `HUP`, `INT`.
    pub fn signal(&self, name: &str) {
        for running in &self.running {
            running.signal(name);
        }
    }

    fn take_running(&mut self) -> Vec<Running> {
        assert!(!self.running.is_empty(), "no server is running");
        std::mem::take(&mut self.running)
    }

    /// SIGTERM, then start again on the same data.
    pub fn restart(&mut self) {
        let output = self.terminate();
        assert_eq!(output.code, Some(0), "SIGTERM should end it well: {}", output.stderr);
        self.start();
    }

    /// The running server; the first if there are several.
    pub fn running(&self) -> &Running {
        self.running.first().expect("a running server")
    }

    /// What the servers wrote to standard error so far.
    pub fn stderr(&self) -> String {
        self.running.iter().map(Running::stderr).collect()
    }

    /// Where its data is.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The working directory.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// The data directory.
    pub fn data(&self) -> PathBuf {
        self.home.path().join("evercart-data")
    }

    /// Writes a file into the working directory and returns its path.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.home.path().join(name);
        std::fs::write(&path, content).expect("a file in the temporary directory");
        path
    }

    /// Reads a file of the working directory.
    pub fn read(&self, name: &str) -> String {
        let path = self.home.path().join(name);
        std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{} cannot be read: {error}", path.display()))
    }

    /// Runs another command of the program in the shop's directory, whether or not the server runs.
    pub fn run(&self, arguments: &[&str]) -> Output {
        run_in(self.home.path(), arguments, &self.variables)
    }

    /// The program in the shop's directory, for a test that starts it itself.
    pub fn command(&self) -> Command {
        process::command(self.home.path(), &self.variables)
    }

    /// Runs a command that must succeed, and returns its standard output.
    pub fn run_ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.code, Some(0), "evercart {arguments:?}: {}", output.stderr);
        output.stdout
    }

    /// `http://127.0.0.1:PORT` of the server whose turn it is.
    pub fn url(&self, path: &str) -> String {
        assert!(!self.running.is_empty(), "no server is running");
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % self.running.len();
        format!("{}{path}", self.running[turn].base_url)
    }

    /// A request to the public listener.
    pub fn request(&self, method: &str, path: &str) -> Request {
        Request::new(&self.agent, method, &self.url(path))
    }

    /// The answers of every server's internal listener, to such as `/readyz`.
    pub fn internal(&self, path: &str) -> Vec<Answer> {
        let ask = |running: &Running| {
            let base = running.internal_url.as_deref().expect("an internal listener");
            Request::new(&self.agent, "GET", &format!("{base}{path}")).send()
        };
        self.running.iter().map(ask).collect()
    }

    /// The metrics of all servers, one after the other.
    pub fn metrics(&self) -> String {
        self.internal("/metrics").iter().map(Answer::text).collect()
    }

    /// What all servers together counted in a series, such as `evercart_x_total{market="us"}`.
    pub fn counted(&self, series: &str) -> u64 {
        let metrics = self.metrics();
        let counts =
            metrics.lines().filter_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        counts.map(|count| count.parse::<u64>().expect("a count")).sum()
    }

    /// The changes of a token's customer's cart, from the server whose turn it is.
    pub fn events(&self, token: &str) -> Events {
        Events::open(&self.url(""), token, None)
    }

    /// The same for a client that has seen this event.
    pub fn events_since(&self, token: &str, last_event_id: &str) -> Events {
        Events::open(&self.url(""), token, Some(last_event_id))
    }

    /// A GET.
    pub fn get(&self, path: &str) -> Request {
        self.request("GET", path)
    }

    /// A POST.
    pub fn post(&self, path: &str) -> Request {
        self.request("POST", path)
    }

    /// A PUT.
    pub fn put(&self, path: &str) -> Request {
        self.request("PUT", path)
    }

    /// A DELETE.
    pub fn delete(&self, path: &str) -> Request {
        self.request("DELETE", path)
    }

    /// Signs `phone` in on a demo server by asking for a code, and returns the access token.
    pub fn sign_in(&self, phone: &str) -> String {
        let sent = self.post("/auth/send-code").json(&json!({ "phone": phone })).send();
        assert_eq!(sent.status, 200, "send-code: {sent}");
        let code = sent.json()["demo_code"].as_str().expect("a demo code").to_owned();
        let answer = self.verify(phone, &code);
        assert_eq!(answer.status, 200, "verify-code: {answer}");
        answer.json()["access_token"].as_str().expect("a token").to_owned()
    }

    /// `POST /auth/verify-code`, whatever comes of it.
    pub fn verify(&self, phone: &str, code: &str) -> Answer {
        self.post("/auth/verify-code")
            .json(&json!({ "phone": phone, "verification_code": code }))
            .send()
    }

    /// The body of `GET path` with a token, which must be a 200.
    pub fn see(&self, path: &str, token: &str) -> Value {
        let answer = self.get(path).token(token).send();
        assert_eq!(answer.status, 200, "GET {path}: {answer}");
        answer.json()
    }
}

/// Polls `condition` until it is true.
///
/// # Panics
/// When [`PATIENCE`] is over, saying what was waited for.
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < PATIENCE, "waited {PATIENCE:?} in vain for {what}");
        std::thread::sleep(Duration::from_millis(5)); // poll: bounded above
    }
}

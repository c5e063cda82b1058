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
mod process;

pub use client::{Answer, Request};
pub use process::{Output, Running, StartFailed, run_in};

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How long anything is waited for before a test fails. Long, because CI machines are slow; nothing
/// ever sleeps this long.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A shop under test: a working directory, how to start the server in it, and the server itself.
/// runs.
pub struct Shop {
    home: tempfile::TempDir,
    arguments: Vec<OsString>,
    variables: Vec<(String, String)>,
    default_metrics_port: bool,
    running: Option<Running>,
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
        let home = tempfile::tempdir().expect("a temporary directory");
        let agent = client::agent();
        Self {
            home,
            arguments: Vec::new(),
            variables: Vec::new(),
            default_metrics_port: false,
            running: None,
            agent,
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

    /// Starts the server and waits until it answers.
    pub fn start(&mut self) {
        if let Err(failed) = self.try_start() {
            panic!("evercart serve did not start: {failed}");
        }
    }

    /// Starts the server; says how it ended if it does not come to answer.
    pub fn try_start(&mut self) -> Result<(), StartFailed> {
        assert!(self.running.is_none(), "the server is running already");
        let mut arguments: Vec<OsString> = vec!["serve".into()];
        let free_port = |name: &str| (name.to_owned(), "127.0.0.1:0".to_owned());
        let mut variables = vec![free_port("EVERCART_SERVER__LISTEN")];
        if !self.default_metrics_port {
            variables.push(free_port("EVERCART_SERVER__INTERNAL_LISTEN"));
        }
        arguments.extend(self.arguments.iter().cloned());
        variables.extend(self.variables.iter().cloned());
        self.running = Some(Running::start(self.home.path(), &arguments, &variables)?);
        Ok(())
    }

    /// Kills the server with SIGKILL, as a power cut would.
    pub fn kill(&mut self) {
        self.running.take().expect("a running server").kill();
    }

    /// Ends the server with SIGTERM and waits for it; returns its exit code and messages.
    pub fn terminate(&mut self) -> Output {
        self.running.take().expect("a running server").terminate()
    }

    /// Waits until the server ends by itself, such as after a signal.
    pub fn wait(&mut self) -> Output {
        self.running.take().expect("a running server").wait()
    }

    /// SIGTERM, then start again on the same data.
    pub fn restart(&mut self) {
        let output = self.terminate();
        assert_eq!(output.code, Some(0), "SIGTERM should end it well: {}", output.stderr);
        self.start();
    }

    /// The running server.
    pub fn running(&self) -> &Running {
        self.running.as_ref().expect("a running server")
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

    /// Runs a command that must succeed, and returns its standard output.
    pub fn run_ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.code, Some(0), "evercart {arguments:?}: {}", output.stderr);
        output.stdout
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.running().base_url)
    }

    /// A request to the public listener.
    pub fn request(&self, method: &str, path: &str) -> Request {
        Request::new(&self.agent, method, &self.url(path))
    }

    /// A request to the internal listener, such as `/metrics`.
    pub fn internal(&self, path: &str) -> Request {
        let base = self.running().internal_url.as_deref().expect("an internal listener");
        Request::new(&self.agent, "GET", &format!("{base}{path}"))
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

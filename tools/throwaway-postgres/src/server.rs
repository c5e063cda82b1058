//! A server: its directory, its process, and the statements that make databases in it.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rand::RngExt;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::account::Account;
use crate::binaries::Binaries;
use crate::client::{Rows, Session, apart};
use crate::guardian::{self, Guardian};
use crate::place::{PORTS_TRIED_MAX, free_port, temporary_directory};
use crate::settings::Settings;
use crate::{Error, npm};

/// Whom statements run as. Its password is drawn anew for each server.
pub const SUPERUSER: &str = "postgres";

/// The database that every server has.
pub(crate) const MAINTENANCE: &str = "postgres";

/// For starting and stopping, on a machine that has much else to do.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
pub(crate) const POLL: Duration = Duration::from_millis(5);

const LOG_BYTES_SHOWN: usize = 2_000;

/// How a server is told to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// No new connections; it ends when the last one has gone.
    Smart,
    /// Transactions are rolled back and connections are closed.
    Fast,
    /// As in a crash: what was committed is recovered at the next start.
    Immediate,
}

/// A PostgreSQL server of its own. It ends, and its directory vanishes, when this is dropped or
/// when the process ends, in whatever way.
#[derive(Debug)]
pub struct Server {
    settings: Settings,
    binaries: Binaries,
    account: Account,
    port: u16,
    password: String,
    running: Mutex<Option<Child>>,
    databases: AtomicU32,
    // Dropped in this order: the guardian removes the directory, and this if that was killed.
    _guardian: Guardian,
    directory: TempDir,
}

impl Server {
    /// Sets a server up in a temporary directory and starts it.
    ///
    /// # Errors
    /// If there is no PostgreSQL to be had, or it does not start.
    pub fn start(settings: Settings) -> Result<Self, Error> {
        let mut password = String::new();
        let mut rng = rand::rng();
        while password.len() < 24 {
            password.push(char::from(rng.sample(rand::distr::Alphanumeric)));
        }
        let mut server = Self::prepare(Binaries::find()?, settings, password)?;
        server.init()?;
        server.launch_on_a_free_port()?;
        Ok(server)
    }

    /// A directory with a guardian, and nothing in it yet.
    pub(crate) fn prepare(
        binaries: Binaries,
        settings: Settings,
        password: String,
    ) -> Result<Self, Error> {
        let account = Account::choose()?;
        let directory = temporary_directory(&account)?;
        let guardian = Guardian::watch(directory.path(), &account)?;
        let binaries = match binaries.tree() {
            Some(tree) if account.check_reach(tree, "").is_err() => {
                let copy = directory.path().join("postgres");
                npm::copy_tree(tree, &copy)?;
                binaries.moved_to(&copy)
            }
            _ => binaries,
        };
        account.check_reach(
            binaries.directory(),
            "name programs that every user may run in THROWAWAY_POSTGRES_BIN",
        )?;
        Ok(Self {
            port: settings.port.unwrap_or_default(),
            settings,
            binaries,
            account,
            password,
            running: Mutex::new(None),
            databases: AtomicU32::new(0),
            _guardian: guardian,
            directory,
        })
    }

    /// Makes the database cluster.
    fn init(&self) -> Result<(), Error> {
        let password = self.path("password");
        fs::write(&password, &self.password).map_err(Error::at("write", &password))?;
        self.account.own(&password)?;
        let mut initdb = self.command(&self.binaries.initdb());
        initdb
            .args(["--username", SUPERUSER, "--encoding=UTF8", "--locale=C"])
            .args(if self.settings.fsync { None } else { Some("--no-sync") })
            .args(["--auth-local=trust", "--auth-host=scram-sha-256", "--no-instructions"])
            .arg("--pwfile")
            .arg(&password)
            .arg("--pgdata")
            .arg(self.data());
        run(initdb)?;
        fs::remove_file(&password).map_err(Error::at("remove", &password))?;
        let conf = self.data().join("postgresql.conf");
        let file = OpenOptions::new().append(true).open(&conf);
        file.and_then(|mut file| file.write_all(self.settings.lines().as_bytes()))
            .map_err(Error::at("write", &conf))
    }

    /// Another process may take a port between our finding it free and the server's using it.
    pub(crate) fn launch_on_a_free_port(&mut self) -> Result<(), Error> {
        for _ in 0..PORTS_TRIED_MAX {
            self.port = match self.settings.port {
                Some(port) => port,
                None => free_port()?,
            };
            match self.launch() {
                Err(Error::Server { log, .. })
                    if self.settings.port.is_none() && log.contains("could not bind") => {}
                outcome => return outcome,
            }
        }
        Err(Error::Missing(format!("{PORTS_TRIED_MAX} ports in a row were taken by others")))
    }

    /// Starts the process and waits until it answers.
    fn launch(&self) -> Result<(), Error> {
        let mut running = self.lock();
        assert!(running.is_none(), "the server runs already");
        let path = self.path("log");
        let log = OpenOptions::new().create(true).append(true).open(&path);
        let log = log.map_err(Error::at("open", &path))?;
        let said_before = log.metadata().map_or(0, |metadata| metadata.len());
        let mut command =
            guardian::launch(self.directory.path(), &self.account, &self.binaries.postgres());
        command
            .arg("-D")
            .arg(self.data())
            .args(["-p", &self.port.to_string(), "-c", "listen_addresses=127.0.0.1", "-k"])
            .arg(self.socket_dir())
            .stdout(log.try_clone().map_err(Error::at("open", &path))?)
            .stderr(log);
        let child = running.insert(command.spawn().map_err(Error::system("run sh"))?);
        let begun = Instant::now();
        let outcome = loop {
            if let Some(status) = child.try_wait().map_err(Error::system("wait"))? {
                break Err(self.complaint(format!("ended with {status}"), said_before));
            }
            if self.accepts_connections(child.id()) {
                break Ok(());
            }
            if begun.elapsed() > PATIENCE {
                let what = format!("did not start within {} s", PATIENCE.as_secs());
                break Err(self.complaint(what, said_before));
            }
            thread::sleep(POLL);
        };
        if outcome.is_err() {
            end(child, Signal::QUIT);
            *running = None;
            guardian::forget(self.directory.path());
        }
        outcome
    }

    /// Reads what `pg_ctl` reads: the file's first line is the process, the eighth how far it is.
    fn accepts_connections(&self, process: u32) -> bool {
        let file = fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
        let mut lines = file.lines().map(str::trim);
        let is_its_own = lines.next().is_some_and(|line| line == process.to_string());
        is_its_own && matches!(lines.nth(6), Some("ready" | "standby"))
    }

    /// The URL of a database, with the password, over TCP.
    pub fn url(&self, database: &str) -> String {
        self.url_with_password(database, &self.password)
    }

    /// Like `url`, with a password that may be wrong.
    pub fn url_with_password(&self, database: &str, password: &str) -> String {
        let (password, database) = (encoded(password.as_bytes()), encoded(database.as_bytes()));
        format!("postgres://{SUPERUSER}:{password}@{}/{database}", self.address())
    }

    /// The URL of a database over the socket, which asks for no password.
    pub fn url_over_socket(&self, database: &str) -> String {
        let socket_dir = encoded(self.socket_dir().as_os_str().as_bytes());
        let database = encoded(database.as_bytes());
        format!("postgres://{SUPERUSER}@{socket_dir}:{}/{database}", self.port)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// The port on 127.0.0.1. It stays the same when the server is started again.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The directory of the Unix socket.
    pub fn socket_dir(&self) -> &Path {
        self.directory.path()
    }

    /// The superuser's password.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// The programs it runs with, `pgbench` and `psql` among them.
    pub fn binaries(&self) -> &Binaries {
        &self.binaries
    }

    /// What the server has written to its log.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn log(&self) -> Result<String, Error> {
        let path = self.path("log");
        let log = fs::read(&path).map_err(Error::at("read", &path))?;
        Ok(String::from_utf8_lossy(&log).into_owned())
    }

    /// Makes an empty database.
    ///
    /// # Errors
    /// If there is one of this name, or the server does not run.
    pub fn create_database(&self, name: &str) -> Result<(), Error> {
        // Nobody is ever connected to template0, so that it may be copied at any time.
        let name = name.replace('"', "\"\"");
        self.query(MAINTENANCE, &format!("CREATE DATABASE \"{name}\" TEMPLATE template0")).map(drop)
    }

    /// Makes an empty database with a name of its own and returns its URL.
    ///
    /// # Errors
    /// If the server does not run.
    pub fn fresh_database(&self) -> Result<String, Error> {
        let name = format!("fresh_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.create_database(&name)?;
        Ok(self.url(&name))
    }

    /// Runs statements over the socket and returns the rows of all of them, as texts. It may be
    /// called from async code, which it blocks.
    ///
    /// # Errors
    /// If the server does not run or refuses.
    pub fn query(&self, database: &str, sql: &str) -> Result<Rows, Error> {
        apart(|| Session::over_socket(self.socket_dir(), self.port, database)?.query(sql))
    }

    /// Ends the server; its files stay until `start_again`.
    ///
    /// # Errors
    /// If it has not ended after a minute. In the smart mode that is so while anybody is connected.
    pub fn stop(&self, mode: Mode) -> Result<(), Error> {
        let signal = match mode {
            Mode::Smart => Signal::TERM,
            Mode::Fast => Signal::INT,
            Mode::Immediate => Signal::QUIT,
        };
        let mut running = self.lock();
        let Some(child) = running.as_mut() else { return Ok(()) };
        if !signalled_to_end(child, signal) {
            let what = format!("did not end within {} s", PATIENCE.as_secs());
            return Err(self.complaint(what, 0));
        }
        *running = None;
        guardian::forget(self.directory.path());
        Ok(())
    }

    /// Ends the server's first process with SIGKILL, and waits until its port is free. Those that
    /// serve connections notice by themselves.
    ///
    /// # Errors
    /// If the port is not free after a minute.
    pub fn kill(&self) -> Result<(), Error> {
        if let Some(mut child) = self.lock().take() {
            child.kill().and_then(|()| child.wait()).map_err(Error::system("kill the server"))?;
            guardian::forget(self.directory.path());
        }
        let begun = Instant::now();
        while let Err(error) = TcpListener::bind(self.address()) {
            if begun.elapsed() > PATIENCE {
                return Err(Error::system(format!("use port {} again", self.port))(error));
            }
            thread::sleep(POLL);
        }
        Ok(())
    }

    /// Starts the server after `stop` or `kill`: with the same files, on the same port.
    ///
    /// # Errors
    /// If it does not start.
    ///
    /// # Panics
    /// If it runs.
    pub fn start_again(&self) -> Result<(), Error> {
        let begun = Instant::now();
        loop {
            match self.launch() {
                // After `kill`, until the last process that served a connection has noticed.
                Err(Error::Server { log, .. })
                    if log.contains("is still in use") && begun.elapsed() < PATIENCE =>
                {
                    thread::sleep(POLL);
                }
                outcome => return outcome,
            }
        }
    }

    pub(crate) fn assert_stopped(&self) {
        assert!(self.lock().is_none(), "the server runs");
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) fn account(&self) -> &Account {
        &self.account
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path("data")
    }

    /// One of PostgreSQL's programs, run as the server is.
    pub(crate) fn command(&self, program: &Path) -> Command {
        self.account.command(program, self.directory.path())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Child>> {
        // A panic elsewhere leaves the process as it was.
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What went wrong, with the end of what the log says after its first `from` bytes.
    fn complaint(&self, what: String, from: u64) -> Error {
        let log = fs::read(self.path("log")).unwrap_or_default();
        let from =
            usize::try_from(from).unwrap_or(0).max(log.len().saturating_sub(LOG_BYTES_SHOWN));
        Error::Server { what, log: String::from_utf8_lossy(&log[from..]).into_owned() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.lock().take() {
            end(&mut child, Signal::QUIT);
            guardian::forget(self.directory.path());
        }
    }
}

/// Runs one of PostgreSQL's programs to its end.
pub(crate) fn run(mut command: Command) -> Result<(), Error> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(Error::system(format!("run {program}")))?;
    if output.status.success() {
        return Ok(());
    }
    let output_text = [output.stdout, output.stderr].concat();
    let output_text = String::from_utf8_lossy(&output_text).trim().to_owned();
    Err(Error::Program { program, status: output.status, output: output_text })
}

/// True if the process ended in time.
fn signalled_to_end(child: &mut Child, signal: Signal) -> bool {
    // It was not waited for yet, so that the number is still its own.
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let pid = pid.expect("the number of a process is positive");
    // It fails if the process has just ended, which is what is wanted.
    let _ = kill_process(pid, signal);
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        match child.try_wait() {
            Ok(None) => thread::sleep(POLL),
            Ok(Some(_)) | Err(_) => return true,
        }
    }
    false
}

/// Ends the process, by SIGKILL if it does not hear.
fn end(child: &mut Child, signal: Signal) {
    if !signalled_to_end(child, signal) {
        // It can only fail if the process has ended after all.
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// Percent-encodes all but what is never special in a URL.
fn encoded(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, &byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            text + &char::from(byte).to_string()
        }
        _ => format!("{text}%{byte:02X}"),
    })
}

//! PgBouncer between a server and its clients, for what only a pooler does to them.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::process::Child;
use std::thread;
use std::time::Instant;

use tempfile::TempDir;

use crate::Error;
use crate::account::Account;
use crate::guardian::{self, Guardian};
use crate::pgbouncer;
use crate::place::{free_port, temporary_directory};
use crate::server::{PATIENCE, POLL, SUPERUSER, Server};

/// How long a connection of the pooler's is its client's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lends {
    /// As long as the client is connected.
    BySession,
    /// For a transaction.
    ByTransaction,
    /// For a statement.
    ByStatement,
}

impl Lends {
    fn name(self) -> &'static str {
        match self {
            Lends::BySession => "session",
            Lends::ByTransaction => "transaction",
            Lends::ByStatement => "statement",
        }
    }
}

/// A PgBouncer before a server, for all of its databases. It ends when this is dropped or when the
/// process ends, in whatever way.
#[derive(Debug)]
pub struct Pooler {
    port: u16,
    process: Child,
    // Dropped in this order: the guardian removes the directory, and this if that was killed.
    _guardian: Guardian,
    directory: TempDir,
}

impl Pooler {
    /// Starts one. `more` are settings of PgBouncer's, name and value.
    ///
    /// # Errors
    /// If there is no PgBouncer to be had, or it does not start.
    pub fn start(server: &Server, lends: Lends, more: &[(&str, &str)]) -> Result<Self, Error> {
        let program = pgbouncer::find_or_unpack()?;
        let account = Account::choose()?;
        account.check_reach(&program.path, "install the package `pgbouncer`")?;
        let directory = temporary_directory(&account)?;
        let guardian = Guardian::watch(directory.path(), &account)?;
        let port = free_port()?;
        let file = directory.path().join("pgbouncer.ini");
        let log = directory.path().join("log");
        fs::write(&file, settings(server, lends, port, more)).map_err(Error::at("write", &file))?;
        // There is a password in it.
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600))
            .map_err(Error::at("close to others", &file))?;
        account.own(&file)?;
        let said = fs::File::create(&log).map_err(Error::at("create", &log))?;
        let mut command = guardian::launch(directory.path(), &account, &program.path);
        if let Some(libraries) = &program.libraries {
            command.env("LD_LIBRARY_PATH", libraries);
        }
        let copy = said.try_clone().map_err(Error::at("open", &log))?;
        let process = command
            .arg(&file)
            .stdout(copy)
            .stderr(said)
            .spawn()
            .map_err(Error::system("run sh"))?;
        let mut pooler = Self { port, process, _guardian: guardian, directory };
        pooler.wait_until_it_listens()?;
        Ok(pooler)
    }

    fn wait_until_it_listens(&mut self) -> Result<(), Error> {
        let begun = Instant::now();
        while TcpStream::connect(self.address()).is_err() {
            let ended = self.process.try_wait().map_err(Error::system("wait"))?;
            let what = match ended {
                Some(status) => format!("ended with {status}"),
                None if begun.elapsed() > PATIENCE => "does not listen".to_owned(),
                None => {
                    thread::sleep(POLL);
                    continue;
                }
            };
            let log = fs::read_to_string(self.directory.path().join("log")).unwrap_or_default();
            return Err(Error::Pooler { what, log });
        }
        Ok(())
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// The URL of a database of the server's, through the pooler.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{SUPERUSER}@{}/{database}", self.address())
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        // It can only fail if the process has ended after all.
        let _ = self.process.kill();
        let _ = self.process.wait();
        guardian::forget(self.directory.path());
    }
}

fn settings(server: &Server, lends: Lends, port: u16, more: &[(&str, &str)]) -> String {
    let (host, mode) = (server.address().ip(), lends.name());
    let more: String = more.iter().map(|(name, value)| format!("{name} = {value}\n")).collect();
    // Clients are let in without a password: this is about what is lent, not to whom. Connections
    // that nobody uses are given up soon, so that many databases find room in one server.
    format!(
        "[databases]\n\
         * = host={host} port={} user={SUPERUSER} password={}\n\
         [pgbouncer]\n\
         listen_addr = 127.0.0.1\n\
         listen_port = {port}\n\
         unix_socket_dir =\n\
         auth_type = any\n\
         pool_mode = {mode}\n\
         default_pool_size = 100\n\
         max_client_conn = 2000\n\
         server_idle_timeout = 2\n\
         server_login_retry = 0.2\n\
         {more}",
        server.port(),
        server.password(),
    )
}

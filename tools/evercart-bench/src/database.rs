//! The PostgreSQL server of a run: a throw-away one that syncs what it commits, with the filled
//! databases and the copies that cells change.

use std::cell::Cell;
use std::process::Command;
use std::rc::Rc;

use anyhow::{Context, Result};
use evercart_throwaway_postgres::{SUPERUSER, Server, Settings};

use crate::machine;

/// As many as any cell has, beside what a server itself needs.
const CONNECTIONS_MAX: u16 = 400;

/// The schema of the demo's market.
pub const SCHEMA: &str = "evercart_us";

/// A PostgreSQL server with a number for the next database.
pub struct Database {
    server: Server,
    next: Cell<u32>,
    process: Option<u32>,
}

impl Database {
    /// Sets a server up and starts it. Where no time is measured, it need not sync.
    ///
    /// # Errors
    /// If there is no PostgreSQL to be had.
    pub fn start(is_measured: bool) -> Result<Rc<Self>> {
        let usual = if is_measured { Settings::for_benchmarks() } else { Settings::for_tests() };
        let settings = Settings { max_connections: CONNECTIONS_MAX, ..usual };
        let server = Server::start(settings)?;
        let process = first_process(&server)?;
        Ok(Rc::new(Self { server, next: Cell::new(0), process }))
    }

    /// The URL of a database, over TCP.
    pub fn url(&self, name: &str) -> String {
        self.server.url(name)
    }

    /// The process that all the others of the server come from, where the system tells.
    pub fn process(&self) -> Option<u32> {
        self.process
    }

    /// Makes an empty database and returns its name.
    ///
    /// # Errors
    /// If the server says no.
    pub fn create(&self) -> Result<String> {
        let name = self.fresh_name();
        self.server.create_database(&name)?;
        Ok(name)
    }

    /// Lets a filled database come to rest, as one that has been there for a while: what planners
    /// know is up to date, and nothing is left to be written.
    ///
    /// # Errors
    /// If the server says no.
    pub fn settle(&self, name: &str) -> Result<()> {
        self.server.query(name, "VACUUM (ANALYZE)")?;
        self.server.query(name, "CHECKPOINT")?;
        Ok(())
    }

    /// The only number that a statement finds in the demo's schema.
    ///
    /// # Errors
    /// If the server says no, or it finds something else.
    pub fn number(&self, name: &str, sql: &str) -> Result<u64> {
        let rows = self.server.query(name, &format!("SET search_path = {SCHEMA}; {sql}"))?;
        let only = rows.into_iter().flatten().flatten().next();
        let only = only.with_context(|| format!("nothing was found by: {sql}"))?;
        only.parse().with_context(|| format!("{only} was found by: {sql}"))
    }

    /// A `pgbench` that talks to this server as the program's connections do.
    ///
    /// # Errors
    /// If it is not installed.
    pub fn pgbench(&self) -> Result<Command> {
        let mut pgbench = Command::new(self.server.binaries().pgbench()?);
        pgbench
            .args(["-h", "127.0.0.1", "-U", SUPERUSER, "-p", &self.server.port().to_string()])
            .env("PGPASSWORD", self.server.password())
            .env("PGOPTIONS", format!("-c search_path={SCHEMA} -c jit=off"));
        Ok(pgbench)
    }

    fn fresh_name(&self) -> String {
        self.next.set(self.next.get() + 1);
        format!("bench_{}", self.next.get())
    }
}

/// The process that started the checkpointer is the one that all come from.
fn first_process(server: &Server) -> Result<Option<u32>> {
    const CHECKPOINTER: &str =
        "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'";
    let rows = server.query("postgres", CHECKPOINTER)?;
    let pid = rows.into_iter().flatten().flatten().next();
    Ok(pid.and_then(|pid| pid.parse().ok()).and_then(machine::parent))
}

/// A copy of a database, which goes away with this.
pub struct Copied {
    database: Rc<Database>,
    name: String,
}

impl Copied {
    /// Copies a database to which nobody is connected.
    ///
    /// # Errors
    /// If the server says no.
    pub fn of(database: &Rc<Database>, filled: &str) -> Result<Self> {
        let name = database.fresh_name();
        let copy = format!("CREATE DATABASE {name} TEMPLATE {filled}");
        database.server.query("postgres", &copy)?;
        // What the copy left to be written is not the next cell's to write.
        database.server.query("postgres", "CHECKPOINT")?;
        Ok(Self { database: Rc::clone(database), name })
    }

    /// The server with the copy's name.
    pub fn place(&self) -> (Rc<Database>, String) {
        (Rc::clone(&self.database), self.name.clone())
    }
}

impl Drop for Copied {
    fn drop(&mut self) {
        // Where this fails, the copy goes with its server.
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let _ = self.database.server.query("postgres", &drop);
    }
}

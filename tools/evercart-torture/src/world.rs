//! What is tortured: the servers, the database, and the ways between clients, servers and database.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use evercart_throwaway_postgres::{Server as Postgres, Settings};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::{Mutex, RwLock};
use tokio::task::spawn_blocking;

use crate::disk::SmallDisk;
use crate::history::{Fault, Return};
use crate::model::PRICE;
use crate::proxy::Proxy;
use crate::server::{Program, Server, tail};

/// SKUs of which there is plenty. Each is of a product with the same number.
pub const PLENTIFUL: std::ops::Range<u64> = 9001..9009;
/// SKUs that run out.
pub const SCARCE: std::ops::Range<u64> = 9021..9024;
/// Nobody buys these; they are imported again and again.
pub const IMPORTED: std::ops::Range<u64> = 9501..9601;

/// Where the program keeps its data, in its working directory.
const DATA: &str = "evercart-data";
/// The database's name.
const DATABASE: &str = "shop";

const PLENTY: u64 = 9_000_000;
const HEADER: &str = "product_id,name,brand,category,description,image,sku_id,sku_code,size,color,\
    price,original_price,stock,active\r\n";

/// How long a token lives that does not end by itself while its customer shops.
pub const LONG_TOKEN: Duration = Duration::from_secs(12 * 60 * 60);

/// How long a server may need to start again while the database comes and goes.
const RESTART_MAX: Duration = Duration::from_secs(90);
const RESTART_EVERY: Duration = Duration::from_millis(300);

/// A promise that is broken before anybody can play.
#[derive(Debug)]
pub struct Broken(String);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Broken {}

/// Where the shop's data is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Store {
    /// In files, with one server.
    Sqlite,
    /// In a database, with two servers.
    Postgres,
}

impl Store {
    /// Its word on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Store::Sqlite => "sqlite",
            Store::Postgres => "postgres",
        }
    }
}

/// The database, and a breakable way to it for each server.
pub struct Database {
    /// The server. Held while it is stopped, started or copied.
    pub server: Mutex<Arc<Postgres>>,
    /// Its database, reached directly.
    url: std::sync::Mutex<String>,
    /// One for each server of the shop.
    pub proxies: Vec<Proxy>,
}

impl Database {
    fn url(&self) -> String {
        self.url.lock().expect("nobody panics with it").clone()
    }

    fn url_through(&self, proxy: &Proxy) -> String {
        let url = self.url();
        let (before, after) = url.split_once('@').expect("a URL with a password");
        let (_, name) = after.split_once('/').expect("a URL with a database");
        format!("{before}@{}/{name}", proxy.address)
    }

    /// Another server takes the place of this one, which is not there any more. Everybody is led
    /// to it.
    pub fn replace(&self, server: &mut Arc<Postgres>, other: Postgres) {
        *self.url.lock().expect("nobody panics with it") = other.url(DATABASE);
        for proxy in &self.proxies {
            proxy.lead_to(other.address());
        }
        *server = Arc::new(other);
    }
}

/// One server's place.
pub struct Place {
    /// Where it listens, also after it was started again.
    pub address: SocketAddr,
    /// A breakable way to it.
    pub proxy: Proxy,
    /// The process; None while it is down.
    pub process: Mutex<Option<Server>>,
}

/// Everything.
pub struct World {
    /// The program.
    pub program: Program,
    /// If the data is there.
    pub database: Option<Database>,
    /// The servers.
    pub places: Vec<Place>,
    /// If the data is on a disk that can be filled.
    pub disk: Option<SmallDisk>,
    /// The beginning of all times.
    pub begun: Instant,
    /// True when clients are to come to an end.
    pub is_over: AtomicBool,
    /// Requests answered.
    pub answered: AtomicU64,
    /// Servers killed.
    pub kills: AtomicU64,
    /// How long tokens live while customers play: the same everywhere, since a server refuses
    /// tokens that claim to live longer than its own.
    token_life: Duration,
    /// What has happened.
    pub faults: std::sync::Mutex<Vec<Fault>>,
    /// Returns to older data.
    pub returns: std::sync::Mutex<Vec<Return>>,
    /// How many there were; see [`World::life`].
    pub lives: AtomicU64,
    /// Held by commands, which must not have files open that are copied or put back.
    pub commands: RwLock<()>,
    /// What is wrong beyond any customer's history.
    pub complaints: std::sync::Mutex<Vec<String>>,
    // Last, so that it goes when all else has gone.
    _directory: TempDir,
}

impl World {
    /// Builds the world and starts the servers.
    ///
    /// # Errors
    /// If any part of it does not start.
    pub async fn build(
        program: &Path,
        store: Store,
        small_disk: bool,
        token_life: Duration,
    ) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("evercart-torture-").tempdir()?;
        let path = directory.path().to_owned();
        fs::create_dir(path.join(DATA))?;
        let disk = match small_disk {
            true => Some(SmallDisk::mount(&path.join(DATA))?),
            false => None,
        };
        let wrapper = disk.as_ref().map(SmallDisk::wrapper).unwrap_or_default();
        let program = Program::new(program.to_owned(), &path, wrapper);
        let database = match store {
            Store::Sqlite => None,
            Store::Postgres => Some(database().await?),
        };
        let mut world = Self {
            program,
            database,
            places: Vec::new(),
            disk,
            begun: Instant::now(),
            is_over: AtomicBool::new(false),
            answered: AtomicU64::new(0),
            kills: AtomicU64::new(0),
            token_life,
            faults: std::sync::Mutex::default(),
            returns: std::sync::Mutex::default(),
            lives: AtomicU64::new(0),
            commands: RwLock::default(),
            complaints: std::sync::Mutex::default(),
            _directory: directory,
        };
        let servers = if store == Store::Postgres { 2 } else { 1 };
        for number in 0..servers {
            let server = world.launch(number, (Ipv4Addr::LOCALHOST, 0).into()).await?;
            let (address, proxy) = (server.address, Proxy::start(server.address).await?);
            world.places.push(Place { address, proxy, process: Mutex::new(Some(server)) });
        }
        world.import("stock.csv", &stock_rows()).await.map_err(|error| {
            let what = "a catalogue cannot be imported beside a server that has just started";
            Broken(format!("G1 broken: {what}: {error:#}"))
        })?;
        Ok(world)
    }

    /// Microseconds since the beginning.
    pub fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_micros()).expect("a run is shorter than an age")
    }

    /// Whether clients are to come to an end.
    pub fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    /// The life of the shop's data, which changes with each return to older data, before anybody is
    /// answered from that.
    pub fn life(&self) -> u64 {
        self.lives.load(Ordering::SeqCst)
    }

    /// Waits, but not longer than the run goes on.
    pub async fn rest(&self, time: Duration) {
        let until = Instant::now() + time;
        while !self.is_over() && Instant::now() < until {
            // poll: a run may end at any moment
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Something is wrong beyond any customer's history.
    pub fn complain(&self, what: String) {
        self.complaints.lock().expect("nobody panics with it").push(what);
    }

    fn url(&self, server: usize) -> Option<String> {
        self.database.as_ref().map(|database| database.url_through(&database.proxies[server]))
    }

    async fn launch(&self, server: usize, place: SocketAddr) -> Result<Server> {
        let (program, url) = (self.program.clone(), self.url(server));
        let name = format!("server-{server}");
        // Whoever looks at everything in the end takes longer.
        let life = if self.is_over() { LONG_TOKEN } else { self.token_life }.as_secs();
        spawn_blocking(move || program.serve(&name, url.as_deref(), place, life)).await?
    }

    /// Ends a server with SIGKILL, if it runs.
    pub async fn kill(&self, server: usize) {
        let process = self.places[server].process.lock().await.take();
        self.end(server, process);
    }

    /// Ends a server's process with SIGKILL, if there is one.
    pub fn end(&self, server: usize, process: Option<Server>) {
        let Some(mut process) = process else { return };
        if let Some(how) = process.has_ended() {
            let log = tail(&self.program.directory().join(format!("server-{server}.log")));
            self.complain(format!("U2 broken: server {server} ended by itself, {how}: {log}"));
        }
        process.kill();
        self.kills.fetch_add(1, Ordering::Relaxed);
    }

    /// Starts a server again where it was, if it does not run. The database may be coming and
    /// going meanwhile.
    pub async fn start_again(&self, server: usize) {
        let place = &self.places[server];
        let mut process = place.process.lock().await;
        let begun = Instant::now();
        while process.is_none() {
            match self.launch(server, place.address).await {
                Ok(started) => *process = Some(started),
                Err(error) if begun.elapsed() > RESTART_MAX => {
                    self.complain(format!("G1 broken: server {server} does not start: {error:#}"));
                    return;
                }
                Err(_) => tokio::time::sleep(RESTART_EVERY).await,
            }
        }
    }

    /// Runs a command of the program beside the servers.
    ///
    /// # Errors
    /// If it fails.
    pub async fn run(&self, arguments: &[&str]) -> Result<String> {
        let program = self.program.clone();
        let _beside = self.commands.read().await;
        let url = self.database.as_ref().map(Database::url);
        let arguments: Vec<String> = arguments.iter().map(|&one| one.to_owned()).collect();
        spawn_blocking(move || {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            program.run_ok(url.as_deref(), &arguments)
        })
        .await?
    }

    /// Where the shop's data is, as seen from here.
    pub fn data(&self) -> PathBuf {
        match &self.disk {
            Some(disk) => disk.seen(),
            None => self.program.directory().join(DATA),
        }
    }

    /// Imports rows of a catalogue.
    ///
    /// # Errors
    /// If it fails.
    pub async fn import(&self, file: &str, rows: &str) -> Result<()> {
        self.import_rows(file, HEADER, rows).await
    }

    /// Imports rows of a catalogue with these columns.
    ///
    /// # Errors
    /// If it fails.
    pub async fn import_rows(&self, file: &str, header: &str, rows: &str) -> Result<()> {
        fs::write(self.program.directory().join(file), format!("{header}{rows}"))?;
        self.run(&["catalog", "import", file, "--market", "us"]).await.map(drop)
    }

    /// The rows of the catalogue, a SKU each.
    ///
    /// # Errors
    /// If the export fails.
    pub async fn catalogue(&self) -> Result<Vec<Value>> {
        let export = ["catalog", "export", "--market", "us", "--format", "ndjson"];
        let text = self.run(&export).await?;
        let row = |line| serde_json::from_str(line).context("an export is JSON");
        text.lines().map(row).collect()
    }

    /// How many pieces of each SKU the shop has.
    ///
    /// # Errors
    /// If the export fails.
    pub async fn stock(&self) -> Result<BTreeMap<u64, i64>> {
        let row = |row: &Value| {
            let sku = row["sku_id"].as_u64().context("a row has a SKU")?;
            Ok((sku, row["stock"].as_i64().context("a row has a stock")?))
        };
        let rows: BTreeMap<_, _> =
            self.catalogue().await?.iter().map(row).collect::<Result<_>>()?;
        let is_ours = |sku: &u64| PLENTIFUL.contains(sku) || SCARCE.contains(sku);
        let rows: BTreeMap<_, _> = rows.into_iter().filter(|(sku, _)| is_ours(sku)).collect();
        ensure!(rows.len() == stock().len(), "G1 broken: SKUs are gone from the catalogue");
        Ok(rows)
    }

    /// Where a client finds the server: directly, or through the proxy.
    pub fn address(&self, server: usize, through_proxy: bool) -> SocketAddr {
        let place = &self.places[server];
        if through_proxy { place.proxy.address } else { place.address }
    }
}

async fn database() -> Result<Database> {
    let server = spawn_blocking(|| -> Result<_> {
        let settings = Settings { max_connections: 200, ..Settings::for_tests() };
        let server = Postgres::start(settings)?;
        server.create_database(DATABASE)?;
        Ok(server)
    })
    .await??;
    let mut proxies = Vec::new();
    for _ in 0..2 {
        proxies.push(Proxy::start(server.address()).await?);
    }
    let url = std::sync::Mutex::new(server.url(DATABASE));
    Ok(Database { server: Mutex::new(Arc::new(server)), url, proxies })
}

/// Pieces of each SKU at the beginning.
pub fn stock() -> BTreeMap<u64, u64> {
    let plenty = PLENTIFUL.map(|sku| (sku, PLENTY));
    plenty.chain(SCARCE.map(|sku| (sku, 40 * (sku - SCARCE.start + 1)))).collect()
}

fn stock_rows() -> String {
    stock().iter().map(|(sku, pieces)| row(*sku, PRICE, *pieces)).collect()
}

/// A row of a catalogue: a SKU of a product of its own that has the same number.
pub fn row(sku: u64, cents: u64, pieces: u64) -> String {
    let (whole, rest) = (cents / 100, cents % 100);
    format!(
        "{sku},Thing {sku},Brand,Things,,,{sku},CODE-{sku},,,{whole}.{rest:02},,{pieces},true\r\n"
    )
}

/// Finds the program: the one named, or the one built beside this.
///
/// # Errors
/// If there is none.
pub fn find_program(named: Option<PathBuf>) -> Result<PathBuf> {
    let beside = std::env::current_exe()?.with_file_name("evercart");
    let program = named.unwrap_or(beside);
    ensure!(
        program.is_file(),
        "{} is not there: run `cargo build -p evercart`, or name it with --program",
        program.display()
    );
    Ok(program.canonicalize()?)
}

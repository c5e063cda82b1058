//! Where the markets' data is, and how it is opened: SQLite files in the data directory, or schemas
//! in PostgreSQL. Which of the two is decided here; nothing else needs to know.

mod currency;
mod directory;
mod hints;
pub mod lost;
mod opened;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use evercart_core::limits::CustomerLimits;
use evercart_core::mark::Mark;
use evercart_core::market::{Market, MarketName};
use evercart_core::operator::CheckReport;
use evercart_core::store::WriterGauge;
use evercart_postgres::Postgres;
use evercart_sqlite::Sqlite;

use crate::clock;
use crate::config::{Settings, Storage};
use crate::failure::Failure;
use crate::mark::MarkFile;

pub use currency::hold_to_currency;
pub use directory::{file, lock, markets_with_files, prepare_directory, prepare_if_needed};
pub use hints::{cannot_open_database, cannot_open_file, failed, no_data, not_copied, unsound};
pub use opened::{Opened, SQLITE_ENDING};

/// Where a market's data is.
pub enum Place {
    /// In a SQLite file.
    File(PathBuf),
    /// In a schema of a PostgreSQL database. Holds its URL, which is not for showing.
    Database(String),
}

/// From which schema to which a store was brought.
pub struct Migrated {
    /// The version found, 0 if there was none.
    pub from: u32,
    /// The version now.
    pub to: u32,
}

/// Where a market's data is by the configuration.
pub fn place(storage: &Storage, market: &MarketName) -> Place {
    match storage.databases.url(market) {
        Some(url) => Place::Database(url.to_owned()),
        None => Place::File(file(&storage.data, market)),
    }
}

/// True if a market is served from a file of the data directory, which one server may do.
pub fn is_in_file(storage: &Storage, market: &MarketName) -> bool {
    matches!(place(storage, market), Place::File(_))
}

/// True if any market is served from a file of the data directory.
pub fn has_files(settings: &Settings) -> bool {
    settings.markets.iter().any(|market| is_in_file(&settings.storage, &market.name))
}

/// Opens a market's store for serving, making it if need be.
///
/// # Errors
/// It cannot be opened or made.
pub async fn open_to_serve(
    storage: &Storage,
    market: &MarketName,
    limits: CustomerLimits,
    gauge: Arc<dyn WriterGauge>,
    may_be_new: bool,
) -> anyhow::Result<Arc<dyn Opened>> {
    let mark = Some(mark_of(storage, market)?);
    let gives_tokens = true;
    match place(storage, market) {
        Place::File(path) => {
            let defaults = evercart_sqlite::Options::new(clock::system());
            let options = evercart_sqlite::Options {
                gauge,
                limits,
                readers: storage.readers.unwrap_or(defaults.readers),
                batch_max: storage.batch_max.unwrap_or(defaults.batch_max),
                queue_max: storage.queue_max,
                mark,
                gives_tokens,
                may_be_new,
                ..defaults
            };
            // On a thread that may wait for the disk, so that markets are opened side by side.
            let opening = tokio::task::spawn_blocking(move || Sqlite::open(&path, options));
            let store = opening.await.context("opening a database panicked")?;
            Ok(Arc::new(store.map_err(cannot_open_file)?))
        }
        Place::Database(url) => {
            let defaults = database_options(storage, &url);
            let options = evercart_postgres::Options {
                gauge,
                limits,
                readers: storage.readers.unwrap_or(defaults.readers),
                writers: storage.writers,
                pool: storage.pool,
                batch_max: storage.batch_max.unwrap_or(defaults.batch_max),
                queue_max: storage.queue_max,
                mark,
                gives_tokens,
                may_be_new,
                ..defaults
            };
            let store = Postgres::open(market, options).await.map_err(cannot_open_database)?;
            Ok(Arc::new(store))
        }
    }
}

/// Opens a market's store for a command, beside the servers if any run, making it if need be.
///
/// # Errors
/// It cannot be opened or made.
pub async fn open_or_create(
    storage: &Storage,
    market: &MarketName,
) -> anyhow::Result<Arc<dyn Opened>> {
    if !is_there(storage, market).await? {
        lost::refuse(storage, market, &[]).await?;
    }
    open_beside(storage, market, Access::default()).await
}

/// Opens a market's store for a command, with its mark; one that gives out tokens notes that it
/// does.
async fn open_beside(
    storage: &Storage,
    market: &MarketName,
    Access { gives_tokens, goes_back }: Access,
) -> anyhow::Result<Arc<dyn Opened>> {
    // A machine from which a database is only operated has no directory, and remembers nothing.
    let has_directory = mark_path(storage).parent().is_none_or(Path::exists);
    let mark = if has_directory { Some(mark_of(storage, market)?) } else { None };
    match place(storage, market) {
        Place::File(path) => {
            let defaults = evercart_sqlite::Options::new(clock::system());
            let options =
                evercart_sqlite::Options { readers: 1, mark, gives_tokens, goes_back, ..defaults };
            Ok(Arc::new(Sqlite::open(&path, options).map_err(cannot_open_file)?))
        }
        Place::Database(url) => {
            let options =
                evercart_postgres::Options { mark, gives_tokens, ..command_options(storage, &url) };
            let store = Postgres::open(market, options).await.map_err(cannot_open_database)?;
            Ok(Arc::new(store))
        }
    }
}

/// Does something with a market's store, which must be there.
///
/// # Errors
/// There is no such store yet, it cannot be opened, or what was done failed.
pub async fn with<T>(
    storage: &Storage,
    market: &MarketName,
    work: impl AsyncFnOnce(&dyn Opened) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    use_store(storage, market, Access::default(), work).await
}

/// As [`with`], for work that gives out tokens.
///
/// # Errors
/// As [`with`].
pub async fn with_tokens<T>(
    storage: &Storage,
    market: &MarketName,
    work: impl AsyncFnOnce(&dyn Opened) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let access = Access { gives_tokens: true, ..Access::default() };
    use_store(storage, market, access, work).await
}

/// As [`with`], for who goes back to a store that the shop had moved away from.
///
/// # Errors
/// As [`with`].
pub async fn with_rewound<T>(
    storage: &Storage,
    market: &MarketName,
    work: impl AsyncFnOnce(&dyn Opened) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let access = Access { goes_back: true, ..Access::default() };
    use_store(storage, market, access, work).await
}

/// What a command wants of a store.
#[derive(Clone, Copy, Default)]
struct Access {
    /// It gives out tokens.
    gives_tokens: bool,
    /// It goes back to a store that the shop had moved away from.
    goes_back: bool,
}

async fn use_store<T>(
    storage: &Storage,
    market: &MarketName,
    access: Access,
    work: impl AsyncFnOnce(&dyn Opened) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    if !is_there(storage, market).await? {
        return Err(no_data(&shown(storage, market)?).into());
    }
    let store = open_beside(storage, market, access).await?;
    let worked = work(&*store).await;
    store.close().await;
    worked
}

/// What is remembered of a market's store outside of it.
///
/// # Errors
/// It cannot be read or written.
pub fn mark_of(storage: &Storage, market: &MarketName) -> anyhow::Result<Arc<dyn Mark>> {
    MarkFile::open(&mark_path(storage))?.of(market)
}

/// Where the mark is.
pub fn mark_path(storage: &Storage) -> PathBuf {
    storage.mark_file.clone().unwrap_or_else(|| storage.data.join(crate::mark::FILE))
}

/// Opens the store in a SQLite file that is not a market's own, such as one out of a backup, making
/// it if need be.
///
/// # Errors
/// It cannot be opened or made.
pub fn open_file(path: &Path) -> anyhow::Result<Sqlite> {
    let defaults = evercart_sqlite::Options::new(clock::system());
    let options = evercart_sqlite::Options { readers: 1, ..defaults };
    Sqlite::open(path, options).map_err(cannot_open_file)
}

/// Opens the store in a PostgreSQL database for a command, making its schema if need be.
///
/// # Errors
/// It cannot be opened or made.
pub async fn open_database(
    storage: &Storage,
    market: &MarketName,
    url: &str,
) -> anyhow::Result<Postgres> {
    let opened = Postgres::open(market, command_options(storage, url)).await;
    opened.map_err(cannot_open_database)
}

fn command_options(storage: &Storage, url: &str) -> evercart_postgres::Options {
    let defaults = database_options(storage, url);
    evercart_postgres::Options { readers: 1, writers: 1, pool: 2, ..defaults }
}

/// How a database is connected to, the rest as the store has it by default.
pub fn database_options(storage: &Storage, url: &str) -> evercart_postgres::Options {
    let (ca, distributed) = (storage.database_ca.clone(), storage.distributed);
    evercart_postgres::Options {
        ca,
        distributed,
        ..evercart_postgres::Options::new(url, clock::system())
    }
}

/// Brings a market's store to this program's schema.
///
/// # Errors
/// It cannot be opened or migrated.
pub async fn migrate(storage: &Storage, market: &MarketName) -> anyhow::Result<Migrated> {
    let (from, to) = match place(storage, market) {
        Place::File(path) => {
            let done = evercart_sqlite::migrate(&path).map_err(cannot_open_file)?;
            (done.from, done.to)
        }
        Place::Database(url) => {
            let options = database_options(storage, &url);
            let done = Postgres::migrate(market, &options).await.map_err(cannot_open_database)?;
            (done.from, done.to)
        }
    };
    Ok(Migrated { from, to })
}

/// Looks through a market's data for anything that breaks a promise. Nothing is written or
/// migrated, and damaged data is looked at as far as it can be read.
///
/// # Errors
/// It cannot be looked at at all.
pub async fn check(storage: &Storage, market: &MarketName) -> anyhow::Result<CheckReport> {
    match place(storage, market) {
        Place::File(path) => evercart_sqlite::check_file(&path).map_err(cannot_open_file),
        Place::Database(url) => {
            let options = database_options(storage, &url);
            Postgres::check_schema(market, &options).await.map_err(cannot_open_database)
        }
    }
}

/// True if a market's store was made.
///
/// # Errors
/// Nobody can tell.
pub async fn is_there(storage: &Storage, market: &MarketName) -> anyhow::Result<bool> {
    match place(storage, market) {
        Place::File(path) => match path.metadata() {
            // SQLite makes an empty file before there is anything in it.
            Ok(metadata) => Ok(metadata.len() > 0),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error).with_context(|| format!("cannot look at {}", path.display())),
        },
        Place::Database(url) => {
            let found = Postgres::presence(market, &database_options(storage, &url)).await;
            Ok(found.map_err(cannot_open_database)?.is_there)
        }
    }
}

/// The markets that have a store, enabled or not, by name.
///
/// # Errors
/// Nobody can tell.
pub async fn present(storage: &Storage) -> anyhow::Result<Vec<MarketName>> {
    let mut markets = markets_with_files(&storage.data)?;
    // A file that was left behind by a move to a database is not the market's any more.
    markets.retain(|market| is_in_file(storage, market));
    for market in storage.databases.markets() {
        if is_there(storage, market).await? {
            markets.push(market.clone());
        }
    }
    markets.sort();
    Ok(markets)
}

/// As [`present`]. Fails where there is none, and where a market's database is gone.
///
/// # Errors
/// There is no data, a market's is gone, or nobody can tell.
pub async fn present_or_fail(settings: &Settings) -> anyhow::Result<Vec<MarketName>> {
    let storage = &settings.storage;
    lost::refuse_to_pass_over(settings).await?;
    let markets = present(storage).await?;
    if !markets.is_empty() {
        return Ok(markets);
    }
    let place = match storage.databases.markets().next() {
        Some(market) => shown(storage, market)?,
        None => storage.data.display().to_string(),
    };
    Err(no_data(&place).into())
}

/// A market's place for people.
fn shown(storage: &Storage, market: &MarketName) -> anyhow::Result<String> {
    match place(storage, market) {
        Place::File(path) => Ok(path.display().to_string()),
        Place::Database(url) => {
            let options = database_options(storage, &url);
            Postgres::place_of(market, &options).map_err(cannot_open_database)
        }
    }
}

/// The market a command is about: the one named, the configured default, or the only one.
///
/// # Errors
/// No such market, or none can be told.
pub fn market<'a>(settings: &'a Settings, named: Option<&str>) -> anyhow::Result<&'a Market> {
    let markets = &settings.markets;
    let default = settings.default_market.as_ref().map(MarketName::as_str);
    let names = markets.iter().map(|market| market.name.as_str()).collect::<Vec<_>>().join(", ");
    let Some(name) = named.or(default) else {
        return match markets.as_slice() {
            [only] => Ok(only),
            _ => Err(Failure::used_wrongly("which market is not said")
                .hint(format!("add --market with one of: {names}"))
                .into()),
        };
    };
    let found = markets.iter().find(|market| market.name.as_str() == name);
    found.ok_or_else(|| {
        Failure::used_wrongly(format!("there is no market {name:?}"))
            .hint(format!("the markets are: {names}"))
            .into()
    })
}

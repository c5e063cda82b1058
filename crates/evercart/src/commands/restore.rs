//! `evercart restore`: puts a backup's databases in place, after having looked at every byte.

use std::path::Path;

use anyhow::Context;
use evercart_core::continuity::Continuity;
use evercart_core::copy::{self, Copies, CopyError, Erasure};
use evercart_core::mark::Numbers;
use evercart_core::market::MarketName;
use evercart_postgres::Postgres;

use crate::cli::Restore;
use crate::config::{Settings, Storage};
use crate::failure::Failure;
use crate::staging::Staging;
use crate::stores::Place;
use crate::{clock, left_behind, output, stores};

use super::restore_decided::{self, Since};
use super::restore_files;
use super::unpack::{self, Unpacked};

/// Restores.
///
/// # Errors
/// The server runs, there is data and no `--force`, or the backup is damaged or too new. Then
/// nothing was changed. Of several markets in PostgreSQL those before the one that failed are in.
pub async fn run(settings: &Settings, arguments: &Restore) -> anyhow::Result<()> {
    let storage = &settings.storage;
    let data = &storage.data;
    stores::prepare_directory(data)?;
    let _lock = stores::lock(data, STOP_FIRST)?;
    let mut old_files = stores::markets_with_files(data)?;
    old_files.retain(|market| stores::is_in_file(storage, market));
    if !old_files.is_empty() && !arguments.force {
        return Err(already_there(&described(data, &old_files), &kept_aside(data)));
    }
    // Inside the data directory: moving a file into place must not cross file systems.
    let staging = Staging::begin(data, "restore");
    let staging = staging.with_context(|| format!("cannot write to {}", data.display()))?;
    staging.remove_on_signal().context("cannot listen for signals")?;
    let (manifest, databases) = unpack::unpack(&arguments.file, staging.path())?;
    let mut files = Vec::new();
    let mut schemas = Vec::new();
    let mut decided = String::new();
    for database in databases {
        match stores::place(storage, &database.market) {
            Place::File(path) => {
                let market = database.market.clone();
                let floor = Floor::of_file(storage, &market, &path)?;
                let there = (&floor, restore_decided::rows_in(&path));
                let (staged, since) = restore_files::stage(database, staging.path(), there).await?;
                files.push(staged);
                decided.push_str(&since.told(&market));
            }
            Place::Database(url) => schemas.push(Schema::look(storage, database, url).await?),
        }
    }
    for schema in &schemas {
        schema.refuse_if_in_use(arguments.force).await?;
    }
    // What can fail comes first: renaming files is the last step.
    let now = clock::system().now();
    let ending = format!("{}{}", left_behind::SCHEMA, now.as_second());
    let mut aside = Vec::new();
    for schema in schemas {
        let market = schema.database.market.clone();
        let (renamed, since) = schema.fill(arguments.force.then_some(&*ending)).await?;
        aside.extend(renamed);
        decided.push_str(&since.told(&market));
    }
    aside.extend(restore_files::put_in_place(data, &old_files, &files)?);
    let names: Vec<&str> = manifest.databases.iter().map(|at| at.market.as_str()).collect();
    let mut text = format!(
        "Restored {} as of {}. Everybody signs in again; what was changed since is gone.\n",
        names.join(", "),
        manifest.created_at
    );
    text.push_str(&decided);
    for aside in aside {
        let told = left_behind::told(&aside, now);
        text.push_str(&format!("What was there before is in {aside}.\n{told}\n"));
    }
    if !settings.storage.keys.exists() {
        text.push_str(
            "There are no keys here: the next start makes new ones, and customers sign in again.\n",
        );
    }
    output::print(&text)
}

const STOP_FIRST: &str = "stop the server, restore, and start it again";

fn already_there(place: &str, kept: &str) -> anyhow::Error {
    Failure::new(format!("there is a shop in {place}"))
        .hint(format!(
            "nothing was changed. Is it the shop you mean to replace? Then add --force; {kept}. \
             To look at the backup beside it: `evercart restore FILE --data OTHER-DIRECTORY`"
        ))
        .into()
}

/// A data directory with what is in it: who restores must see what they would replace.
fn described(data: &Path, markets: &[MarketName]) -> String {
    let file = |market: &MarketName| {
        let path = stores::file(data, market);
        let seen = path.metadata();
        let bytes = seen.as_ref().map_or(0, std::fs::Metadata::len);
        let changed = seen.and_then(|seen| seen.modified()).ok();
        let changed = changed.and_then(|at| jiff::Timestamp::try_from(at).ok());
        let changed = changed.map(|at| at.strftime("%Y-%m-%d %H:%M UTC").to_string());
        format!("{market}: {bytes} bytes, changed {}", changed.as_deref().unwrap_or("never"))
    };
    let files: Vec<_> = markets.iter().map(file).collect();
    format!("{} already ({})", data.display(), files.join("; "))
}

fn kept_aside(data: &Path) -> String {
    format!("its files are then kept in {}/before-restore-…", data.display())
}

/// What was there may have been given out: a restored store begins after it.
#[derive(Debug, Clone, Default)]
pub struct Floor {
    /// The number of its life.
    number: i64,
    /// The first of each kind that was certainly not given out.
    numbers: Numbers,
    /// Who was erased.
    erasures: Vec<Erasure>,
}

impl Floor {
    /// What the mark remembers of a market.
    fn of_mark(storage: &Storage, market: &MarketName) -> anyhow::Result<Self> {
        let mark = stores::mark_of(storage, market)?;
        let erasures = mark.erasures()?;
        // A damaged mark says nothing, and is mended by the next start.
        let marked = mark.read().ok().flatten();
        let (number, numbers) = marked
            .map_or_else(Default::default, |marked| (marked.progress.life.number, marked.numbers));
        Ok(Self { number, numbers, erasures })
    }

    fn of_file(storage: &Storage, market: &MarketName, path: &Path) -> anyhow::Result<Self> {
        let marked = Self::of_mark(storage, market)?;
        let numbers = evercart_sqlite::numbers_in(path).unwrap_or_default();
        Ok(Self { numbers: marked.numbers.max(numbers), ..marked })
    }

    /// Who was erased, as it is remembered outside of the store.
    pub fn erasures(&self) -> &[Erasure] {
        &self.erasures
    }

    /// Starts a new life in a store, after everything that was there.
    ///
    /// # Errors
    /// The store failed.
    pub async fn start_over(&self, store: &dyn Continuity) -> anyhow::Result<()> {
        store.start_over(self.number, self.numbers).await.map_err(stores::failed)?;
        Ok(())
    }
}

/// A market's place in PostgreSQL, and what is to be put there.
struct Schema {
    floor: Floor,
    store: Postgres,
    was_there: bool,
    database: Unpacked,
}

impl Schema {
    async fn look(storage: &Storage, database: Unpacked, url: String) -> anyhow::Result<Self> {
        let market = &database.market;
        let options = stores::database_options(storage, &url);
        let was_there = super::transfer::nobody_serves(market, &options, STOP_FIRST).await?;
        let store = stores::open_database(storage, market, &url).await?;
        let marked = Floor::of_mark(storage, market)?;
        let there = store.standing().await.map_err(stores::failed)?;
        let floor = Floor {
            number: marked.number.max(there.life.number),
            numbers: marked.numbers.max(there.numbers),
            ..marked
        };
        Ok(Self { floor, store, was_there, database })
    }

    async fn refuse_if_in_use(&self, is_forced: bool) -> anyhow::Result<()> {
        if is_forced || !self.was_there {
            return Ok(());
        }
        let mut rows = self.store.copy_out().await.map_err(stores::failed)?;
        let refused = copy::refuse_unless_empty(&mut *rows).await;
        refused.map_err(|error| explain(error, &self.store, &self.database.market))
    }

    /// Fills it. Returns what the schema that was there is called now, and what of it was kept.
    async fn fill(self, ending: Option<&str>) -> anyhow::Result<(Option<String>, Since)> {
        let Self { floor, store, was_there, database } = self;
        let (_file, mut rows) = database.rows().await?;
        let there = restore_decided::rows_of(&store, was_there).await;
        let since = Since::look(&mut *rows, there, floor.erasures()).await;
        let since = since.map_err(stores::failed)?;
        let mut rows = since.in_rows(rows);
        let count = rows.count().await.map_err(stores::failed)?;
        // Each row is written, and then read back.
        let bar = output::bar("restoring", 2 * count);
        let mut progress = |done| bar.inc(done);
        let ending = ending.filter(|_| was_there);
        let filled = match ending {
            Some(ending) => store.copy_in_instead(ending, &mut *rows, &mut progress).await,
            None => store.copy_in(&mut *rows, &mut progress).await,
        };
        bar.finish_and_clear();
        filled.map_err(|error| explain(error, &store, &database.market))?;
        floor.start_over(&store).await?;
        store.close().await;
        Ok((ending.map(|ending| store.schema_aside(ending)), since))
    }
}

fn explain(error: CopyError, store: &Postgres, market: &MarketName) -> anyhow::Error {
    match error {
        CopyError::NotEmpty { .. } => already_there(
            &format!("{} already", store.place()),
            "its schema is then kept under another name, which is printed",
        ),
        error => stores::not_copied(error, market, "the backup"),
    }
}

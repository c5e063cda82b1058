//! `evercart restore`: puts a backup's databases in place, after having looked at every byte.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Context;
use evercart_core::market::MarketName;
use evercart_core::operator::Operator;
use evercart_sqlite::{DirectoryLock, SCHEMA_VERSION};

use crate::cli::Restore;
use crate::config::Settings;
use crate::failure::Failure;
use crate::{clock, output, stores};

use super::backup::{Database, FORMAT, MANIFEST, Manifest, digest};

/// More than any list of markets needs; a damaged file must not fill the memory.
const MANIFEST_MAX: u64 = 1 << 20;

/// Restores.
///
/// # Errors
/// The server runs, there is data and no `--force`, or the backup is damaged or too new. Then
/// nothing was changed.
pub fn run(settings: &Settings, arguments: &Restore) -> anyhow::Result<()> {
    let data = &settings.storage.data;
    stores::prepare_directory(data)?;
    let _lock = DirectoryLock::acquire(data).map_err(|error| {
        Failure::new(error.to_string()).hint("stop the server, restore, and start it again")
    })?;
    let old = stores::present(data)?;
    if !old.is_empty() && !arguments.force {
        let place = data.display();
        return Err(Failure::new(format!("there is a shop in {place} already"))
            .hint("add --force to replace it; its files are then kept aside")
            .into());
    }
    let failed = || format!("cannot write to {}", data.display());
    // Inside the data directory: moving a file into place must not cross file systems.
    let staging = tempfile::Builder::new().prefix(".restore-").tempdir_in(data);
    let staging = staging.with_context(failed)?;
    let manifest = unpack(&arguments.file, staging.path())?;
    for database in &manifest.databases {
        verify(database, staging.path())?;
    }
    let aside = move_aside(data, &old)?;
    for database in &manifest.databases {
        let from = staging.path().join(&database.file);
        std::fs::rename(from, data.join(&database.file)).with_context(failed)?;
    }
    File::open(data).and_then(|directory| directory.sync_all()).with_context(failed)?;
    let names: Vec<&str> = manifest.databases.iter().map(|at| at.market.as_str()).collect();
    let mut text = format!("Restored {} as of {}.\n", names.join(", "), manifest.created_at);
    if let Some(aside) = aside {
        text.push_str(&format!("What was there before is in {}.\n", aside.display()));
    }
    if !crate::keys::path(data).exists() {
        text.push_str(
            "There are no keys here: the next start makes new ones, and customers sign in again.\n",
        );
    }
    output::print(&text)
}

fn damaged(file: &Path, why: &str) -> Failure {
    Failure::new(format!("{} cannot be restored: {why}", file.display()))
        .hint("nothing was changed; try an earlier backup")
}

/// Unpacks what the manifest lists, and nothing else, into `staging`.
fn unpack(file: &Path, staging: &Path) -> anyhow::Result<Manifest> {
    let opened = File::open(file).with_context(|| format!("cannot open {}", file.display()))?;
    let mut archive = tar::Archive::new(std::io::BufReader::new(opened));
    let unreadable = |_| damaged(file, "it is not a backup of evercart, or it is cut short");
    let mut entries = archive.entries().map_err(unreadable)?;
    let mut next = || -> Result<_, Failure> {
        let entry = entries.next().transpose().map_err(unreadable)?;
        let entry = entry.ok_or_else(|| damaged(file, "it is cut short"))?;
        let name = entry.path().map_err(unreadable)?.to_string_lossy().into_owned();
        Ok((name, entry))
    };
    let (name, first) = next()?;
    let mut text = Vec::new();
    if name == MANIFEST {
        first.take(MANIFEST_MAX).read_to_end(&mut text).map_err(unreadable)?;
    }
    let manifest: Manifest = serde_json::from_slice(&text).map_err(|_| {
        damaged(file, "it does not begin with a manifest, as backups of evercart do")
    })?;
    if manifest.format != FORMAT {
        let why = format!("its format is {}, this evercart reads {FORMAT}", manifest.format);
        return Err(damaged(file, &why).into());
    }
    let bytes = manifest.databases.iter().map(|database| database.bytes).sum();
    let bar = output::bar("unpacking", bytes);
    for database in &manifest.databases {
        refuse_if_unusable(file, database)?;
        let (name, entry) = next()?;
        if name != database.file {
            return Err(
                damaged(file, &format!("it has {name} where {} should be", database.file)).into()
            );
        }
        let path = staging.join(&database.file);
        let failed = || format!("cannot write {}", path.display());
        let mut out = File::create(&path).with_context(failed)?;
        let mut entry = bar.wrap_read(entry.take(database.bytes + 1));
        std::io::copy(&mut entry, &mut out).with_context(failed)?;
        out.sync_all().with_context(failed)?;
        if digest(&path)? != (database.bytes, database.sha256.clone()) {
            bar.finish_and_clear();
            let why = format!("{} is not what was backed up (SHA-256 differs)", database.file);
            return Err(damaged(file, &why).into());
        }
    }
    bar.finish_and_clear();
    Ok(manifest)
}

/// The manifest is data from outside: its names become file names only if they are ours.
fn refuse_if_unusable(file: &Path, database: &Database) -> Result<(), Failure> {
    let is_ours = MarketName::new(&database.market).is_ok()
        && database.file == format!("{}.sqlite3", database.market);
    if !is_ours {
        return Err(damaged(file, &format!("{:?} is not a database's name", database.file)));
    }
    if database.schema > SCHEMA_VERSION {
        let (found, known) = (database.schema, SCHEMA_VERSION);
        return Err(Failure::new(format!(
            "the backup has schema version {found}, and this evercart knows versions up to {known}"
        ))
        .hint("restore it with the newer evercart that wrote it"));
    }
    Ok(())
}

/// Opens a staged database as the server would, migrates it and checks every promise.
fn verify(database: &Database, staging: &Path) -> anyhow::Result<()> {
    let path = staging.join(&database.file);
    let store = stores::open_or_create(&path, stores::options())?;
    let report = super::runtime()?.block_on(store.check()).map_err(stores::failed)?;
    store.close();
    drop(store);
    if !report.findings.is_empty() {
        return Err(Failure::new(format!(
            "the backup breaks promises, so nothing was changed:\n{}",
            super::check::as_text(&database.market, &report)
        ))
        .into());
    }
    // A closed store has everything in its main file.
    for extra in log_files(&path) {
        match std::fs::remove_file(&extra) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot remove {}", extra.display()));
            }
            _ => {}
        }
    }
    File::open(&path)
        .and_then(|file| file.sync_all())
        .with_context(|| format!("cannot sync {}", path.display()))
}

/// SQLite's files beside a database.
fn log_files(database: &Path) -> [PathBuf; 2] {
    ["-wal", "-shm"].map(|end| {
        let mut name = database.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    })
}

/// Moves the present databases, with their logs, into a directory of their own.
fn move_aside(data: &Path, old: &[MarketName]) -> anyhow::Result<Option<PathBuf>> {
    if old.is_empty() {
        return Ok(None);
    }
    let seconds = clock::system().now().as_second();
    let aside = data.join(format!("before-restore-{seconds}"));
    let failed = || format!("cannot move the old data to {}", aside.display());
    std::fs::create_dir(&aside).with_context(failed)?;
    for market in old {
        let database = stores::path(data, market);
        // The logs first: a database without its log is whole, a log without its database is not.
        for path in log_files(&database).into_iter().chain([database]) {
            let name = path.file_name().context("a database has a name")?;
            match std::fs::rename(&path, aside.join(name)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error).with_context(failed);
                }
                _ => {}
            }
        }
    }
    Ok(Some(aside))
}

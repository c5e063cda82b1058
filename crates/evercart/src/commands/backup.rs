//! `evercart backup`: every market's database, each as of one moment, in one tar file.
//!
//! The file's first entry is `manifest.json`, which says what must be in the others. The keys are
//! not among them: a copy of the data must not be enough to sign customers in.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use evercart_core::market::MarketName;
use indicatif::ProgressBar;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::cli::{self, Backup};
use crate::config::{Settings, Storage};
use crate::failure::Failure;
use crate::last_backup::LastBackup;
use crate::private_file::directory_of;
use crate::staging::Staging;
use crate::stores::Opened;
use crate::{clock, output, stores};

use super::unpack::Unpacked;
use super::verify;

/// The name of the first entry.
pub const MANIFEST: &str = "manifest.json";

/// The format's version.
pub const FORMAT: u32 = 1;

/// What is in a backup.
#[derive(Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of this format.
    pub format: u32,
    /// The evercart that wrote it.
    pub evercart: String,
    /// When.
    pub created_at: Timestamp,
    /// The databases, in the order of the entries.
    pub databases: Vec<Database>,
}

impl Manifest {
    /// The list of what was copied now.
    pub fn of(databases: Vec<Database>) -> Self {
        let (evercart, created_at) = (crate::VERSION.to_owned(), clock::system().now());
        Self { format: FORMAT, evercart, created_at, databases }
    }
}

/// One market's database.
#[derive(Debug, Serialize, Deserialize)]
pub struct Database {
    /// Its market.
    pub market: String,
    /// Its entry in the tar file.
    pub file: String,
    /// Its schema's version.
    pub schema: u32,
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
}

/// Where a backup goes.
enum Target<'a> {
    File(&'a Path),
    /// Standard output.
    Stream,
}

/// Writes a backup, or verifies one.
///
/// # Errors
/// There is no data, what there is breaks promises, the file is there already, or something cannot
/// be read or written. Then nothing is left.
pub async fn run(settings: &Settings, arguments: &Backup) -> anyhow::Result<()> {
    if let Some(cli::BackupAction::Verify(verify)) = &arguments.action {
        return super::verify::run(verify).await;
    }
    let target = target(arguments)?;
    let directory = match target {
        Target::File(file) => {
            refuse_to_overwrite(file, arguments.force)?;
            directory_of(file).to_owned()
        }
        Target::Stream => std::env::temp_dir(),
    };
    let storage = &settings.storage;
    let markets = stores::present_or_fail(settings).await?;
    let staging = begin(&directory)?;
    staging.remove_on_signal().context("cannot listen for signals")?;
    let mut databases = Vec::new();
    for market in &markets {
        // What cannot be opened may be what is to be kept.
        let copied = match arguments.unchecked && stores::is_in_file(storage, market) {
            true => copy_as_it_is(storage, market, staging.path())?,
            false => {
                let bar = output::bar("copying  ", 0);
                let copy = async |store: &dyn Opened| match arguments.unchecked {
                    true => copy(store, market, staging.path(), &bar).await,
                    false => copy_and_check(store, market, &staging, &bar).await,
                };
                stores::with(storage, market, copy).await?
            }
        };
        databases.push(copied);
    }
    let manifest = Manifest::of(databases);
    let bytes: u64 = manifest.databases.iter().map(|database| database.bytes).sum();
    let names = markets.iter().map(MarketName::as_str).collect::<Vec<_>>().join(", ");
    let said = |place: &str| {
        let checked = if arguments.unchecked { " It was not checked." } else { "" };
        format!("Backed up {names} ({bytes} bytes) to {place}. Keys are not in it.{checked}\n")
    };
    match target {
        Target::Stream => {
            let written = pack(&manifest, staging.path(), io::stdout().lock());
            written.map_err(|error| unwritten("standard output", &error))?;
            // The backup has standard output to itself. Whether this can be said is no matter.
            let _ = io::stderr().write_all(said("standard output").as_bytes());
            Ok(())
        }
        Target::File(file) => {
            put_in_place(&manifest, &staging, file, arguments.force)?;
            if !arguments.unchecked {
                LastBackup::note(&storage.data, file, manifest.created_at);
            }
            output::print(&said(&file.display().to_string()))
        }
    }
}

fn target(arguments: &Backup) -> anyhow::Result<Target<'_>> {
    let Some(place) = arguments.file.as_deref().or(arguments.to.as_deref()) else {
        return Err(Failure::used_wrongly("where to put the backup is not said")
            .hint("name a file, or write `--to -` for standard output")
            .into());
    };
    if place != Path::new("-") {
        return Ok(Target::File(place));
    }
    if io::stdout().is_terminal() {
        return Err(Failure::used_wrongly("a backup is no text for a terminal")
            .hint("send it on, as in `evercart backup --to - | ssh backups 'cat > shop.tar'`")
            .into());
    }
    Ok(Target::Stream)
}

/// Begins a backup in a directory.
///
/// # Errors
/// Nothing can be written there.
pub fn begin(directory: &Path) -> anyhow::Result<Staging> {
    let failed = || format!("cannot write to {}", directory.display());
    Staging::begin(directory, "backup").with_context(failed)
}

/// Copies a market's database, and looks at what it copied.
///
/// # Errors
/// It cannot be copied, or the copy breaks promises.
pub async fn copy_and_check(
    store: &dyn Opened,
    market: &MarketName,
    staging: &Staging,
    bar: &ProgressBar,
) -> anyhow::Result<Database> {
    let copied = copy(store, market, staging.path(), bar).await?;
    let unpacked = Unpacked {
        market: market.clone(),
        path: staging.path().join(&copied.file),
        is_sqlite: store.backup_ending() == stores::SQLITE_ENDING,
    };
    refuse_programs(&unpacked)?;
    let looked = verify::refuse_unsound(&unpacked, staging.path()).await;
    match looked {
        Err(error) if is_full(&error) => Err(if_full(staging.path(), error)),
        Err(error) => Err(not_backed_up(market, &error).into()),
        Ok(_) => Ok(copied),
    }
}

/// True if there was no room left on a disk, whoever says it.
fn is_full(error: &anyhow::Error) -> bool {
    let full = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded];
    error.chain().any(|cause| {
        let kind = cause.downcast_ref::<io::Error>().map(io::Error::kind);
        kind.is_some_and(|kind| full.contains(&kind))
            || cause.to_string().contains("database or disk is full")
    })
}

/// Says it in one way.
fn if_full(staging: &Path, error: anyhow::Error) -> anyhow::Error {
    if !is_full(&error) {
        return error;
    }
    let directory = directory_of(staging).display().to_string();
    unwritten(&directory, &io::ErrorKind::StorageFull.into()).into()
}

fn refuse_programs(database: &Unpacked) -> anyhow::Result<()> {
    let Some(programs) = database.programs()? else { return Ok(()) };
    let market = &database.market;
    Err(Failure::new(format!(
        "market {market} has {programs}: not evercart's, and code that would run in every shop \
         that is restored from the backup"
    ))
    .hint("`evercart check` lists what is not evercart's; drop it and take the backup again")
    .into())
}

fn not_backed_up(market: &MarketName, error: &anyhow::Error) -> Failure {
    Failure::new(format!(
        "no backup was made: what was copied of market {market} is not sound: {error:#}"
    ))
    .hint(
        "`evercart check` says what it means and how to mend it; keep the backups you have. \
             To keep the data as it is, before you mend it: `evercart backup --unchecked FILE`",
    )
}

/// Copies a file that may be damaged, byte for byte, with the log beside it moved in.
fn copy_as_it_is(
    storage: &Storage,
    market: &MarketName,
    staging: &Path,
) -> anyhow::Result<Database> {
    let file = format!("{market}.{}", stores::SQLITE_ENDING);
    let (from, to) = (stores::file(&storage.data, market), staging.join(&file));
    let schema = evercart_sqlite::copy_as_it_is(&from, &to)
        .map_err(|error| if_full(staging, error.into()))
        .with_context(|| format!("cannot copy {}", from.display()))?;
    let (bytes, sha256) = digest(&to)?;
    Ok(Database { market: market.to_string(), file, schema, bytes, sha256 })
}

/// Packs a backup and gives it its name.
///
/// # Errors
/// It cannot be written, or something has appeared in its place.
pub fn put_in_place(
    manifest: &Manifest,
    staging: &Staging,
    target: &Path,
    force: bool,
) -> anyhow::Result<()> {
    let place = target.display().to_string();
    let failed = |error: io::Error| unwritten(&place, &error);
    let directory = directory_of(target);
    let file = tempfile::NamedTempFile::new_in(staging.path()).map_err(failed)?;
    pack(manifest, staging.path(), file.as_file()).map_err(failed)?;
    evercart_sqlite::give_to_owner_of(directory, file.path()).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    // The file may have appeared meanwhile; without --force it is left alone.
    let persisted = match force {
        true => file.persist(target),
        false => file.persist_noclobber(target),
    };
    persisted
        .map_err(|error| error.error)
        .with_context(|| format!("cannot put the backup in place at {place}"))?;
    let synced = File::open(directory).and_then(|directory| directory.sync_all());
    synced.with_context(|| format!("cannot write to {}", directory.display()))
}

/// Says what a full disk means here.
fn unwritten(place: &str, error: &io::Error) -> Failure {
    let failure = Failure::new(format!("the backup cannot be written to {place}: {error}"));
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => failure.hint(
            "nothing was left there, and the shop is as it was. A backup needs twice the size of \
             the data while it is made: make room, or write it to another disk",
        ),
        _ => failure,
    }
}

fn refuse_to_overwrite(target: &Path, force: bool) -> anyhow::Result<()> {
    let there = target.try_exists();
    let there = there.with_context(|| format!("cannot look at {}", target.display()))?;
    if there && !force {
        return Err(Failure::new(format!("{} is there already", target.display()))
            .hint("choose another name, or add --force to replace it")
            .into());
    }
    Ok(())
}

async fn copy(
    store: &dyn Opened,
    market: &MarketName,
    staging: &Path,
    bar: &ProgressBar,
) -> anyhow::Result<Database> {
    let file = format!("{market}.{}", store.backup_ending());
    let path = staging.join(&file);
    let copied = store.back_up(&path, bar).await;
    bar.finish_and_clear();
    copied
        .map_err(|error| if_full(staging, error))
        .with_context(|| format!("cannot copy the database of market {market}"))?;
    let (bytes, sha256) = digest(&path)?;
    Ok(Database { market: market.to_string(), file, schema: store.schema(), bytes, sha256 })
}

/// A file's length and SHA-256.
///
/// # Errors
/// It cannot be read.
pub fn digest(path: &Path) -> anyhow::Result<(u64, String)> {
    let failed = || format!("cannot read {}", path.display());
    let mut file = File::open(path).with_context(failed)?;
    let mut sum = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    let mut bytes = 0;
    loop {
        match file.read(&mut buffer).with_context(failed)? {
            0 => break,
            read => {
                sum.update(&buffer[..read]);
                bytes += read as u64;
            }
        }
    }
    let sum = sum.finalize();
    Ok((bytes, sum.iter().map(|byte| format!("{byte:02x}")).collect()))
}

fn pack(manifest: &Manifest, staging: &Path, to: impl Write) -> io::Result<()> {
    let seconds = u64::try_from(manifest.created_at.as_second()).unwrap_or(0);
    let mut out = tar::Builder::new(BufWriter::new(to));
    let text = serde_json::to_vec_pretty(manifest)?;
    append(&mut out, MANIFEST, text.len() as u64, seconds, text.as_slice())?;
    for database in &manifest.databases {
        let path: PathBuf = staging.join(&database.file);
        let content = File::open(path)?;
        append(&mut out, &database.file, database.bytes, seconds, content)?;
    }
    out.into_inner()?.flush()
}

fn append<W: Write>(
    out: &mut tar::Builder<W>,
    name: &str,
    bytes: u64,
    modified: u64,
    content: impl Read,
) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes);
    header.set_mode(0o600);
    header.set_mtime(modified);
    out.append_data(&mut header, name, content)
}

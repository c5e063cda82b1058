//! `evercart backup`: every market's database, each as of one moment, in one tar file.
//!
//! The file's first entry is `manifest.json`, which says what must be in the others. The keys are
//! not among them: a copy of the data must not be enough to sign customers in.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use evercart_core::market::MarketName;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::cli::Backup;
use crate::config::Settings;
use crate::failure::Failure;
use crate::last_backup::LastBackup;
use crate::stores::Opened;
use crate::{clock, output, stores};

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

/// Writes a backup.
///
/// # Errors
/// There is no data, the file is there already, or something cannot be read or written.
pub async fn run(settings: &Settings, arguments: &Backup) -> anyhow::Result<()> {
    let target = &arguments.file;
    refuse_to_overwrite(target, arguments.force)?;
    let storage = &settings.storage;
    let markets = stores::present_or_fail(settings).await?;
    let directory = parent(target);
    let failed = || format!("cannot write to {}", directory.display());
    // Beside the target, where there has to be room for it anyway.
    let staging = tempfile::tempdir_in(directory).with_context(failed)?;
    let mut databases = Vec::new();
    for market in &markets {
        let copy = async |store: &dyn Opened| copy(store, market, staging.path()).await;
        databases.push(stores::with(storage, market, copy).await?);
    }
    let manifest = Manifest {
        format: FORMAT,
        evercart: crate::VERSION.to_owned(),
        created_at: clock::system().now(),
        databases,
    };
    let file = tempfile::NamedTempFile::new_in(directory).with_context(failed)?;
    pack(&manifest, staging.path(), file.as_file())
        .with_context(|| format!("cannot write {}", target.display()))?;
    // The file may have appeared meanwhile; without --force it is left alone.
    let persisted = match arguments.force {
        true => file.persist(target),
        false => file.persist_noclobber(target),
    };
    persisted
        .map_err(|error| error.error)
        .with_context(|| format!("cannot put the backup in place at {}", target.display()))?;
    File::open(directory).and_then(|directory| directory.sync_all()).with_context(failed)?;
    LastBackup::note(&storage.data, target, manifest.created_at);
    let bytes: u64 = manifest.databases.iter().map(|database| database.bytes).sum();
    let names = markets.iter().map(MarketName::as_str).collect::<Vec<_>>().join(", ");
    let place = target.display();
    output::print(&format!("Backed up {names} ({bytes} bytes) to {place}. Keys are not in it.\n"))
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

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

async fn copy(store: &dyn Opened, market: &MarketName, staging: &Path) -> anyhow::Result<Database> {
    let file = format!("{market}.{}", store.backup_ending());
    let path = staging.join(&file);
    let bar = output::bar("copying  ", 0);
    let copied = store.back_up(&path, &bar).await;
    bar.finish_and_clear();
    copied.with_context(|| format!("cannot copy the database of market {market}"))?;
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

fn pack(manifest: &Manifest, staging: &Path, file: &File) -> io::Result<()> {
    let seconds = u64::try_from(manifest.created_at.as_second()).unwrap_or(0);
    let mut out = tar::Builder::new(BufWriter::new(file));
    let text = serde_json::to_vec_pretty(manifest)?;
    append(&mut out, MANIFEST, text.len() as u64, seconds, text.as_slice())?;
    for database in &manifest.databases {
        let path: PathBuf = staging.join(&database.file);
        let content = File::open(path)?;
        append(&mut out, &database.file, database.bytes, seconds, content)?;
    }
    out.into_inner()?.flush()?;
    file.sync_all()
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

//! Takes a backup apart: what it holds, each file with its sum verified.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use anyhow::Context;
use evercart_core::copy::{Copies, Reader};
use evercart_core::market::MarketName;
use evercart_sqlite::{SCHEMA_VERSION, Sqlite};

use crate::failure::Failure;
use crate::rows_file::{self, RowsFile};
use crate::unusable::{Use, unusable};
use crate::{output, stores};

use super::backup::{Database, FORMAT, MANIFEST, Manifest, digest};

/// More than any list of markets needs; a damaged file must not fill the memory.
const MANIFEST_MAX: u64 = 1 << 20;

/// A market's data, unpacked.
pub struct Unpacked {
    /// Whose it is.
    pub market: MarketName,
    /// The file.
    pub path: PathBuf,
    /// A SQLite database; else a file of rows.
    pub is_sqlite: bool,
}

impl Unpacked {
    /// The rows in it, and the store they come from if there is one, to be kept as long.
    ///
    /// # Errors
    /// It cannot be read.
    pub async fn rows(&self) -> anyhow::Result<(Option<Sqlite>, Box<dyn Reader>)> {
        if !self.is_sqlite {
            return Ok((None, Box::new(RowsFile::open(&self.path)?)));
        }
        let store = stores::open_file(&self.path)?;
        let rows = store.copy_out().await.map_err(stores::failed)?;
        Ok((Some(store), rows))
    }

    /// What in it runs code, which evercart never makes: a trigger does at every write, a view at
    /// every read of it. Looked for before the database is opened to be written.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn programs(&self) -> anyhow::Result<Option<String>> {
        let programs = match self.is_sqlite {
            true => evercart_sqlite::programs_in(&self.path).map_err(stores::cannot_open_file)?,
            false => Vec::new(),
        };
        Ok((!programs.is_empty()).then(|| programs.join(", ")))
    }
}

/// Unpacks what the manifest lists, and nothing else, into `staging`.
///
/// # Errors
/// The file is no backup, is damaged, or is too new.
pub fn unpack(file: &Path, staging: &Path) -> anyhow::Result<(Manifest, Vec<Unpacked>)> {
    let opened = File::open(file).map_err(|error| unusable(file, Use::Read, &error))?;
    let mut archive = tar::Archive::new(std::io::BufReader::new(opened));
    let unreadable = |_| damaged(file, &not_an_archive(file));
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
    let mut all: Vec<Unpacked> = Vec::new();
    for database in &manifest.databases {
        let unpacked = usable(file, database, staging)?;
        if all.iter().any(|other| other.market == unpacked.market) {
            return Err(damaged(file, &format!("it has {} twice", unpacked.market)).into());
        }
        let (name, entry) = next()?;
        if name != database.file {
            let why = format!("it has {name} where {} should be", database.file);
            return Err(damaged(file, &why).into());
        }
        let failed = || format!("cannot write {}", unpacked.path.display());
        let mut out = create_for_owner_only(&unpacked.path).with_context(failed)?;
        evercart_sqlite::give_to_owner_of(staging, &unpacked.path).with_context(failed)?;
        let mut entry = bar.wrap_read(entry.take(database.bytes + 1));
        let copied = std::io::copy(&mut entry, &mut out);
        let come = out.metadata().map_or(0, |metadata| metadata.len());
        // How a tar says that it ends before its end.
        let is_short = copied.as_ref().is_err_and(|error| error.kind() != ErrorKind::StorageFull)
            || copied.as_ref().is_ok_and(|_| come < database.bytes);
        if is_short {
            bar.finish_and_clear();
            return Err(cut_short(file, database, come).into());
        }
        copied.map_err(|error| unusable(&unpacked.path, Use::Write, &error))?;
        out.sync_all().map_err(|error| unusable(&unpacked.path, Use::Write, &error))?;
        if digest(&unpacked.path)? != (database.bytes, database.sha256.clone()) {
            bar.finish_and_clear();
            let why = format!("{} is not what was backed up (SHA-256 differs)", database.file);
            return Err(damaged(file, &why).into());
        }
        if let Some(programs) = unpacked.programs()? {
            let why = format!(
                "{} has {programs}, which evercart never makes: it would run code in the shop",
                database.file
            );
            return Err(damaged(file, &why).into());
        }
        all.push(unpacked);
    }
    bar.finish_and_clear();
    Ok((manifest, all))
}

/// The manifest is data from outside: its names become file names only if they are ours.
fn usable(file: &Path, database: &Database, staging: &Path) -> Result<Unpacked, Failure> {
    let market = MarketName::new(&database.market).ok();
    let ending = database.file.strip_prefix(&format!("{}.", database.market));
    let is_sqlite = ending == Some(stores::SQLITE_ENDING);
    let (Some(market), true) = (market, is_sqlite || ending == Some(rows_file::ENDING)) else {
        return Err(damaged(file, &format!("{:?} is not a database's name", database.file)));
    };
    // The numbers of schemas mean the same in both databases.
    if database.schema > SCHEMA_VERSION {
        let (found, known) = (database.schema, SCHEMA_VERSION);
        return Err(Failure::new(format!(
            "the backup has schema version {found}, and this evercart knows versions up to {known}"
        ))
        .hint("restore it with the newer evercart that wrote it"));
    }
    Ok(Unpacked { market, path: staging.join(&database.file), is_sqlite })
}

/// Makes a file that only its owner can read: it is moved to where the shop's data is.
fn create_for_owner_only(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// What a file is that is no tar archive, or not to its end.
fn not_an_archive(file: &Path) -> String {
    let mut begin = [0; 6];
    let read = File::open(file).and_then(|mut file| file.read_exact(&mut begin));
    match (read, begin) {
        (Err(_), _) => "it is empty, or shorter than any backup".to_owned(),
        (_, [0x1f, 0x8b, ..]) => {
            "it is compressed with gzip: `gzip -dc FILE > shop.tar` unpacks it".to_owned()
        }
        (_, [0x28, 0xb5, 0x2f, 0xfd, ..]) => "it is compressed with zstd: unpack it".to_owned(),
        (_, begin) if &begin == b"SQLite" => {
            "it is a SQLite database and not a backup of evercart; as a shop of its own it can be \
             put into a data directory, and `evercart check` looks at it"
                .to_owned()
        }
        _ => "it is not a backup of evercart, or it is cut short".to_owned(),
    }
}

fn cut_short(file: &Path, database: &Database, come: u64) -> Failure {
    let (whole, name) = (database.bytes, &database.file);
    Failure::new(format!(
        "{} cannot be restored: it is cut short: of {name} it has {come} of {whole} bytes",
        file.display()
    ))
    .hint(
        "nothing was changed. If it is a copy, copy it again from where it was made, and compare \
         the sizes; else try an earlier backup",
    )
}

fn damaged(file: &Path, why: &str) -> Failure {
    Failure::new(format!("{} cannot be restored: {why}", file.display()))
        .hint("nothing was changed; try an earlier backup")
}

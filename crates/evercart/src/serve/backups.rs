//! The backups that the server takes by itself, as `[backup]` says. What goes wrong with them is
//! logged and counted; the shop goes on.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use evercart_core::clock::Clock;
use evercart_core::market::MarketName;
use evercart_http::Metrics;
use indicatif::ProgressBar;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::commands::backup;
use crate::config::{self, Settings};
use crate::last_backup::LastBackup;
use crate::stores::Opened;
use crate::{clock, stores};

/// How the names of the backups begin, end, and say the moment: in UTC, so that they sort by it.
const BEGINS: &str = "evercart-";
const ENDS: &str = ".tar";
const MOMENT: &str = "%Y%m%dT%H%M%SZ";

/// How long until one that failed is tried again, and until it is looked whether another server
/// took the one that was due.
const AGAIN: Duration = Duration::from_mins(5);

/// The longest sleep: a machine that was suspended, or whose clock was set, is noticed by then.
const SLEEP_MAX: Duration = Duration::from_secs(30);

struct Backups {
    settings: config::Backup,
    data: PathBuf,
    markets: Vec<(MarketName, Arc<dyn Opened>)>,
    /// The store that servers which share it settle in who takes a backup, if any is shared.
    shared: Option<Arc<dyn Opened>>,
    metrics: Arc<Metrics>,
    clock: Arc<dyn Clock>,
}

/// Takes backups until it is aborted; does nothing if none are asked for.
pub fn start(
    settings: &Settings,
    opened: &[Arc<dyn Opened>],
    metrics: &Arc<Metrics>,
) -> Option<JoinHandle<()>> {
    let names = settings.markets.iter().map(|market| market.name.clone());
    let markets: Vec<_> = names.zip(opened.iter().cloned()).collect();
    let is_shared = |(market, _): &&(MarketName, _)| !stores::is_in_file(&settings.storage, market);
    let backups = Arc::new(Backups {
        settings: settings.backup.clone()?,
        data: settings.storage.data.clone(),
        shared: markets.iter().find(is_shared).map(|(_, store)| Arc::clone(store)),
        markets,
        metrics: Arc::clone(metrics),
        clock: clock::system(),
    });
    Some(tokio::spawn(backups.run()))
}

impl Backups {
    async fn run(self: Arc<Self>) {
        let mut due = self.clock.now();
        // What a server left that was stopped meanwhile goes at once, not with the next backup.
        drop(backup::begin(&self.settings.directory));
        match self.taken() {
            Ok(taken) => {
                if let Some((newest, _)) = taken.first() {
                    self.metrics.backup_known(*newest);
                    due = self.after(*newest);
                }
                self.metrics.backups_kept(taken.len());
            }
            Err(error) => tracing::error!("{error:#}: no backup can be made there"),
        }
        loop {
            self.wait_until(due).await;
            due = match self.attempt().await {
                Ok(Some(made)) => self.after(made),
                // Another server's. If it fails, this one is asked again.
                Ok(None) => self.clock.now() + AGAIN.min(self.settings.every),
                Err(error) => {
                    self.metrics.backup_failed();
                    tracing::error!("no backup was made, it is tried again: {error:#}");
                    self.clock.now() + AGAIN.min(self.settings.every)
                }
            };
        }
    }

    /// When the one after that is due.
    fn after(&self, moment: Timestamp) -> Timestamp {
        moment.checked_add(self.settings.every).unwrap_or(Timestamp::MAX)
    }

    async fn wait_until(&self, due: Timestamp) {
        loop {
            let left = self.clock.now().duration_until(due);
            if left <= SignedDuration::ZERO {
                return;
            }
            tokio::time::sleep(left.unsigned_abs().min(SLEEP_MAX)).await;
        }
    }

    /// Takes one, unless another server does. Returns its moment.
    async fn attempt(self: &Arc<Self>) -> anyhow::Result<Option<Timestamp>> {
        let now = self.clock.now();
        if let Some(store) = &self.shared {
            let every =
                SignedDuration::try_from(self.settings.every).unwrap_or(SignedDuration::MAX);
            if !store.claim_backup(now, every).await.map_err(stores::failed)? {
                return Ok(None);
            }
        }
        let this = Arc::clone(self);
        let runtime = Handle::current();
        // Copying reads files: not on a thread that answers requests.
        let made = tokio::task::spawn_blocking(move || runtime.block_on(this.make()));
        let made = made.await.context("making a backup panicked").flatten();
        if let (Err(_), Some(store)) = (&made, &self.shared)
            && let Err(error) = store.give_backup_back(now).await
        {
            tracing::debug!("no other server is told that a backup failed: {error}");
        }
        let made = made?;
        self.metrics.backup_made(made);
        if let Err(error) = self.remove_old() {
            tracing::error!("old backups stay where they are: {error:#}");
        }
        Ok(Some(made))
    }

    async fn make(&self) -> anyhow::Result<Timestamp> {
        let directory = &self.settings.directory;
        let staging = backup::begin(directory)?;
        let mut databases = Vec::new();
        for (market, store) in &self.markets {
            let copied =
                backup::copy_and_check(&**store, market, &staging, &ProgressBar::hidden()).await;
            databases.push(copied?);
        }
        let manifest = backup::Manifest::of(databases);
        let made = manifest.created_at;
        let name = made.strftime(MOMENT).to_string();
        let file = directory.join(format!("{BEGINS}{name}{ENDS}"));
        backup::put_in_place(&manifest, &staging, &file, false)?;
        LastBackup::note(&self.data, &file, made);
        tracing::info!("backed up to {}", file.display());
        Ok(made)
    }

    /// The backups in the directory with their moments, the newest first.
    fn taken(&self) -> anyhow::Result<Vec<(Timestamp, PathBuf)>> {
        let directory = &self.settings.directory;
        let failed = || format!("backup.directory {} cannot be read", directory.display());
        let mut taken = Vec::new();
        for entry in std::fs::read_dir(directory).with_context(failed)? {
            let path = entry.with_context(failed)?.path();
            taken.extend(moment_of(&path).map(|moment| (moment, path)));
        }
        taken.sort();
        taken.reverse();
        Ok(taken)
    }

    fn remove_old(&self) -> anyhow::Result<()> {
        let taken = self.taken()?;
        let moments: Vec<i64> = taken.iter().map(|(moment, _)| moment.as_second()).collect();
        let kept = self.settings.keep.kept(&moments);
        for ((_, path), _) in taken.iter().zip(&kept).filter(|(_, kept)| !**kept) {
            match std::fs::remove_file(path) {
                // Another server was quicker.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                removed => removed.with_context(|| format!("cannot remove {}", path.display()))?,
            }
        }
        self.metrics.backups_kept(kept.iter().filter(|kept| **kept).count());
        Ok(())
    }
}

/// When a backup was made, by its name; `None` of a file that is another's.
fn moment_of(path: &Path) -> Option<Timestamp> {
    let name = path.file_name()?.to_str()?;
    let moment = name.strip_prefix(BEGINS)?.strip_suffix(ENDS)?;
    let civil = jiff::civil::DateTime::strptime(MOMENT, moment).ok()?;
    TimeZone::UTC.to_timestamp(civil).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_own_names_are_backups_of_the_server() {
        let moment = |name: &str| moment_of(Path::new(name));
        let expected: Timestamp = "2026-11-30T12:05:09Z".parse().expect("a moment");
        assert_eq!(moment("/b/evercart-20261130T120509Z.tar"), Some(expected));
        for other in
            ["shop.tar", "evercart-.tar", "evercart-20261130T120509Z.tar.gz", "evercart-1.tar"]
        {
            assert_eq!(moment(other), None, "{other}");
        }
    }
}

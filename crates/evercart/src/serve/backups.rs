//! The backups that the server takes by itself, as `[backup]` says. What goes wrong with them is
//! logged and counted; the shop goes on.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use evercart_core::clock::Clock;
use evercart_core::market::MarketName;
use evercart_http::Metrics;
use indicatif::ProgressBar;
use jiff::{SignedDuration, Timestamp};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::commands::backup;
use crate::config::{self, Settings};
use crate::last_backup::{LastBackup, by_servers, name_at};
use crate::stores::Opened;
use crate::{clock, stores};

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
        match by_servers(&self.settings.directory) {
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
        let file = directory.join(name_at(made));
        backup::put_in_place(&manifest, &staging, &file, false)?;
        LastBackup::note(&self.data, &file, made);
        tracing::info!("backed up to {}", file.display());
        Ok(made)
    }

    fn remove_old(&self) -> anyhow::Result<()> {
        let taken = by_servers(&self.settings.directory)?;
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

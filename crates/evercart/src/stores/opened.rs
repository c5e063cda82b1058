//! An opened store with what the program needs of it beside the shop's operations, for each of the
//! two.

use std::path::Path;

use anyhow::Context;
use async_trait::async_trait;
use evercart_core::copy::Copies;
use evercart_core::error::Result as StoreResult;
use evercart_core::ids::UserId;
use evercart_core::phone::Phone;
use evercart_core::store::Store;
use evercart_postgres::Postgres;
use evercart_sqlite::Sqlite;
use indicatif::ProgressBar;
use jiff::{SignedDuration, Timestamp};

use crate::rows_file;

use super::failed;

/// A market's store.
#[async_trait]
pub trait Opened: Store + Copies {
    /// Where it is, for people.
    fn place(&self) -> String;

    /// Its schema's version.
    fn schema(&self) -> u32;

    /// Finishes what is queued and lets go. Operations asked for later fail.
    async fn close(&self);

    /// Makes the customer of the guide's walk-through.
    async fn create_demo_user(&self, id: UserId, phone: Phone) -> StoreResult<()>;

    /// How the name of a backup's file ends.
    fn backup_ending(&self) -> &'static str;

    /// Copies everything as of one moment into a file.
    async fn back_up(&self, file: &Path, bar: &ProgressBar) -> anyhow::Result<()>;

    /// Settles that this server takes the backup that is due, and no other within `every`; false if
    /// another has. A store in a file has one server.
    async fn claim_backup(&self, _now: Timestamp, _every: SignedDuration) -> StoreResult<bool> {
        Ok(true)
    }

    /// Leaves the backup claimed at that moment to whoever asks next.
    async fn give_backup_back(&self, _claimed: Timestamp) -> StoreResult<()> {
        Ok(())
    }
}

/// How the name of a SQLite database ends.
pub const SQLITE_ENDING: &str = "sqlite3";

#[async_trait]
impl Opened for Sqlite {
    fn place(&self) -> String {
        self.path().display().to_string()
    }

    fn schema(&self) -> u32 {
        evercart_sqlite::SCHEMA_VERSION
    }

    async fn close(&self) {
        Sqlite::close(self);
    }

    async fn create_demo_user(&self, id: UserId, phone: Phone) -> StoreResult<()> {
        Sqlite::create_demo_user(self, id, phone).await
    }

    fn backup_ending(&self) -> &'static str {
        SQLITE_ENDING
    }

    async fn back_up(&self, file: &Path, bar: &ProgressBar) -> anyhow::Result<()> {
        let copied = self.backup_to(file, &mut |done, total| {
            bar.set_length(total);
            bar.set_position(done);
        });
        copied.context("SQLite could not copy it")
    }
}

#[async_trait]
impl Opened for Postgres {
    fn place(&self) -> String {
        Postgres::place(self)
    }

    fn schema(&self) -> u32 {
        evercart_postgres::SCHEMA_VERSION
    }

    async fn close(&self) {
        Postgres::close(self).await;
    }

    async fn create_demo_user(&self, id: UserId, phone: Phone) -> StoreResult<()> {
        Postgres::create_demo_user(self, id, phone).await
    }

    fn backup_ending(&self) -> &'static str {
        rows_file::ENDING
    }

    async fn back_up(&self, file: &Path, bar: &ProgressBar) -> anyhow::Result<()> {
        let mut rows = self.copy_out().await.map_err(failed)?;
        bar.set_length(rows.count().await.map_err(failed)?);
        rows_file::write(&mut *rows, file, &mut |done| bar.inc(done)).await
    }

    async fn claim_backup(&self, now: Timestamp, every: SignedDuration) -> StoreResult<bool> {
        Postgres::claim_backup(self, now, every).await
    }

    async fn give_backup_back(&self, claimed: Timestamp) -> StoreResult<()> {
        Postgres::give_backup_back(self, claimed).await
    }
}

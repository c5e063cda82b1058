//! `evercart backup verify`, and what every backup goes through before it is put in place: its
//! sums, that nothing in it runs code, and every promise.

use std::path::Path;

use anyhow::Context;
use evercart_core::check::SCHEMA;
use evercart_core::copy::Copies;
use evercart_core::operator::CheckReport;
use evercart_sqlite::OpenError;
use serde::Serialize;

use crate::cli::BackupVerify;
use crate::private_file::directory_of;
use crate::rows_file::RowsFile;
use crate::staging::Staging;
use crate::{output, stores};

use super::unpack::{Unpacked, unpack};

#[derive(Serialize)]
struct Verified {
    created_at: String,
    evercart: String,
    markets: Vec<VerifiedMarket>,
}

#[derive(Serialize)]
struct VerifiedMarket {
    market: String,
    schema: u32,
    bytes: u64,
    users: u64,
    orders: u64,
    skus: u64,
}

/// Verifies a backup.
///
/// # Errors
/// It is not whole, is not evercart's, or breaks promises.
pub async fn run(arguments: &BackupVerify) -> anyhow::Result<()> {
    let file = &arguments.file;
    // Beside the backup there is room for its like; where nobody may write, there may be elsewhere.
    let staging = Staging::begin(directory_of(file), "verify")
        .or_else(|_| Staging::begin(&std::env::temp_dir(), "verify"))
        .context("there is no place to unpack the backup to")?;
    staging.remove_on_signal().context("cannot listen for signals")?;
    let (manifest, databases) = unpack(file, staging.path())?;
    let mut markets = Vec::new();
    for (database, listed) in databases.iter().zip(&manifest.databases) {
        let counts = refuse_unsound(database, staging.path()).await?.counts;
        markets.push(VerifiedMarket {
            market: database.market.to_string(),
            schema: listed.schema,
            bytes: listed.bytes,
            users: counts.users,
            orders: counts.orders,
            skus: counts.skus,
        });
    }
    let (created_at, evercart) = (manifest.created_at.to_string(), manifest.evercart);
    if arguments.json {
        return output::print_json(&Verified { created_at, evercart, markets });
    }
    let mut text =
        format!("{} is whole: made by evercart {evercart}, as of {created_at}\n", file.display());
    for VerifiedMarket { market, schema, users, orders, skus, .. } in markets {
        text.push_str(&format!(
            "{market}: {users} customers, {orders} orders, {skus} SKUs, schema {schema}; every \
             promise is kept\n"
        ));
    }
    output::print(&text)
}

/// Looks through an unpacked database for anything that breaks a promise.
///
/// # Errors
/// There is something, or it cannot be read.
pub async fn refuse_unsound(database: &Unpacked, staging: &Path) -> anyhow::Result<CheckReport> {
    let market = &database.market;
    let report = match database.is_sqlite {
        true => look_at_file(database, staging)?,
        false => look_at_rows(database, staging).await?,
    };
    // A restore makes the schema anew. What runs code was refused before.
    let (schema, rows): (Vec<_>, Vec<_>) =
        report.findings.iter().partition(|finding| finding.promise == SCHEMA);
    if !rows.is_empty() {
        return Err(stores::unsound(market, "the backup", &report).into());
    }
    for finding in schema {
        tracing::warn!("market {market}: {}; a restore makes it anew", finding.found);
    }
    Ok(report)
}

fn look_at_file(database: &Unpacked, staging: &Path) -> anyhow::Result<CheckReport> {
    match evercart_sqlite::check_file(&database.path) {
        Err(OpenError::TooOld { .. }) => {
            let migrated = staging.join(format!("{}.migrated", database.market));
            std::fs::copy(&database.path, &migrated)
                .with_context(|| format!("cannot write {}", migrated.display()))?;
            evercart_sqlite::migrate(&migrated).map_err(stores::cannot_open_file)?;
            evercart_sqlite::check_file(&migrated)
        }
        looked => looked,
    }
    .map_err(stores::cannot_open_file)
}

async fn look_at_rows(database: &Unpacked, staging: &Path) -> anyhow::Result<CheckReport> {
    let path = staging.join(format!("{}.verified", database.market));
    let store = stores::open_file(&path)?;
    let mut rows = RowsFile::open(&database.path)?;
    let filled = store.copy_in(&mut rows, &mut |_| {}).await;
    store.close();
    filled.map_err(|error| stores::not_copied(error, &database.market, "the backup"))
}

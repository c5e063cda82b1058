//! A database that is not there where there was one is never taken for a new shop.

use std::time::Duration;

use evercart_core::market::{Market, MarketName};

use crate::config::{Settings, Storage};
use crate::failure::Failure;
use crate::mark::MarkFile;

use super::{Place, database_options, is_there, mark_path, place, shown};

/// How often, and after what time, a database is looked for before it is said to be lost.
const LOOKS: u32 = 20;
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// Refuses to start where the database of a market is gone, though something says that there was
/// one. `meant` are the markets that may be made new.
///
/// # Errors
/// One is gone, or nobody can tell.
pub async fn refuse_any(settings: &Settings, meant: &[String]) -> anyhow::Result<()> {
    // All are looked at before the first is made, which would speak against the next.
    let others: Vec<_> = settings.markets.iter().map(|market| market.name.clone()).collect();
    for market in &others {
        let is_meant = meant.iter().any(|name| name == market.as_str());
        if !is_meant {
            refuse(&settings.storage, market, &others).await?;
        }
    }
    Ok(())
}

/// Refuses to make a market's database if something says that there was one.
///
/// # Errors
/// There was one, or nobody can tell.
pub async fn refuse(
    storage: &Storage,
    market: &MarketName,
    others: &[MarketName],
) -> anyhow::Result<()> {
    // Asked first: another server may be making the database right now, and makes what speaks of
    // it afterwards.
    let says = who_says(storage, market, others).await?;
    let Some(says) = says else { return Ok(()) };
    for _ in 0..LOOKS {
        if is_there(storage, market).await? {
            return Ok(());
        }
        // A server that is just making the markets of a new shop has made another one first.
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
    Err(lost(storage, market, &says)?.into())
}

/// Refuses to pass over a market whose database is gone: to check or back up the others only would
/// look as if all were well.
///
/// # Errors
/// One is gone, or nobody can tell.
pub async fn refuse_to_pass_over(settings: &Settings) -> anyhow::Result<()> {
    let mark = mark_path(&settings.storage);
    for Market { name, .. } in &settings.markets {
        if MarkFile::remembers(&mark, name)? && !is_there(&settings.storage, name).await? {
            let says = format!("{} says", mark.display());
            return Err(lost(&settings.storage, name, &says)?.into());
        }
    }
    Ok(())
}

fn lost(storage: &Storage, market: &MarketName, says: &str) -> anyhow::Result<Failure> {
    let place = shown(storage, market)?;
    Ok(Failure::new(format!(
        "there is no database for market {market} at {place}, and {says} that there was one"
    ))
    .hint(format!(
        "put it back, restore a backup, or name the right place; if a new, empty shop is meant, \
         start it once with `evercart serve --create {market}`"
    )))
}

async fn who_says(
    storage: &Storage,
    market: &MarketName,
    others: &[MarketName],
) -> anyhow::Result<Option<String>> {
    let mark = mark_path(storage);
    if MarkFile::remembers(&mark, market)? {
        return Ok(Some(format!("{} says", mark.display())));
    }
    let keys = &storage.keys;
    // Keys that somebody brings here are there before the first shop is.
    if !storage.keys_are_brought && keys.exists() {
        return Ok(Some(format!("{} says", keys.display())));
    }
    for other in others.iter().filter(|other| *other != market) {
        if was_served(storage, other).await? {
            return Ok(Some(format!("market {other}, which was served, says")));
        }
    }
    Ok(None)
}

/// True if a market's store was ever served.
async fn was_served(storage: &Storage, market: &MarketName) -> anyhow::Result<bool> {
    if !is_there(storage, market).await? {
        return Ok(false);
    }
    match place(storage, market) {
        Place::File(path) => Ok(evercart_sqlite::was_served(&path)),
        Place::Database(url) => {
            let options = database_options(storage, &url);
            let found = evercart_postgres::Postgres::presence(market, &options).await;
            Ok(found.map_err(super::cannot_open_database)?.was_served)
        }
    }
}

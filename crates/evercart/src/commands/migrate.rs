//! `evercart migrate`: brings every database to this version's schema.

use serde::Serialize;

use crate::cli::Migrate;
use crate::config::Settings;
use crate::{output, stores};

#[derive(Serialize)]
struct MigratedMarket {
    market: String,
    from: u32,
    to: u32,
}

/// Migrates and says from which version to which.
///
/// # Errors
/// There is no data, or a database cannot be migrated; those before it have been.
pub async fn run(settings: &Settings, arguments: &Migrate) -> anyhow::Result<()> {
    let storage = &settings.storage;
    let mut all = Vec::new();
    for market in stores::present_or_fail(settings).await? {
        let migrated = stores::migrate(storage, &market).await?;
        if !arguments.json {
            let text = match migrated.from == migrated.to {
                true => format!("{market}: schema {} is current\n", migrated.to),
                false => format!("{market}: schema {} → {}\n", migrated.from, migrated.to),
            };
            output::print(&text)?;
        }
        let (from, to) = (migrated.from, migrated.to);
        all.push(MigratedMarket { market: market.to_string(), from, to });
    }
    match arguments.json {
        true => output::print_json(&all),
        false => Ok(()),
    }
}

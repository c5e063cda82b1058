//! Whole copies of a shop that a restore or a transfer left behind. Whoever is erased afterwards is
//! still in them, so each has a day by which it should be gone, and every start names it.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use evercart_core::market::MarketName;
use evercart_postgres::Postgres;
use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan};

use crate::config::{Settings, Storage};
use crate::stores::{self, Place};

/// How many days a copy is kept before it should be deleted.
const DAYS: i64 = 30;

/// How the names of directories and schemas begin or end that a restore has set aside, before the
/// second in which it did.
pub const DIRECTORY: &str = "before-restore-";
pub const SCHEMA: &str = "before_restore_";

/// A copy.
pub struct LeftBehind {
    /// Where it is, for people.
    place: String,
    /// What left it behind.
    by: &'static str,
    made: Timestamp,
}

/// The day by which a copy should be deleted that was made then.
pub fn delete_by(made: Timestamp) -> Date {
    let day = Offset::UTC.to_datetime(made).date();
    day.checked_add(DAYS.days()).unwrap_or(day)
}

/// What is printed of a copy that was just left behind.
pub fn told(place: &str, made: Timestamp) -> String {
    format!("It is a whole copy: delete {place} by {}.", delete_by(made))
}

/// Warns of each copy there is. What cannot be looked at is passed over: the shop itself says so.
pub async fn warn(settings: &Settings) {
    for LeftBehind { place, by, made } in find(settings).await {
        tracing::warn!(
            "{place} is a whole copy of a shop, left behind by {by}; customers who were erased \
             since are in it: delete it by {}",
            delete_by(made)
        );
    }
}

async fn find(settings: &Settings) -> Vec<LeftBehind> {
    let storage = &settings.storage;
    let mut found = in_directory(&storage.data);
    for market in stores::markets_with_files(&storage.data).unwrap_or_default() {
        if !stores::is_in_file(storage, &market) {
            let path = stores::file(&storage.data, &market);
            let made = changed_at(&path);
            found.push(LeftBehind { place: path.display().to_string(), by: "a transfer", made });
        }
    }
    for market in &settings.markets {
        found.extend(in_database(storage, &market.name).await);
    }
    found
}

fn in_directory(data: &Path) -> Vec<LeftBehind> {
    let entries = std::fs::read_dir(data).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    let left = paths.iter().filter_map(|path| {
        let name = path.file_name()?.to_str()?.strip_prefix(DIRECTORY)?;
        let made = second(name).unwrap_or_else(|| changed_at(path));
        Some(LeftBehind { place: path.display().to_string(), by: "a restore", made })
    });
    left.collect()
}

async fn in_database(storage: &Storage, market: &MarketName) -> Vec<LeftBehind> {
    let Place::Database(url) = stores::place(storage, market) else { return Vec::new() };
    let options = stores::database_options(storage, &url);
    let schemas = Postgres::schemas_beside(market, &options).await.unwrap_or_default();
    let left = schemas.iter().filter_map(|schema| {
        let (_, ending) = schema.split_once(&format!("_{SCHEMA}"))?;
        let place = format!("the schema {schema} of market {market}'s database");
        let made = second(ending).unwrap_or(Timestamp::UNIX_EPOCH);
        Some(LeftBehind { place, by: "a restore", made })
    });
    left.collect()
}

/// The second that a name ends with, or that stands before the number of one of several.
fn second(ending: &str) -> Option<Timestamp> {
    let seconds = ending.split('-').next()?.parse().ok()?;
    Timestamp::from_second(seconds).ok()
}

fn changed_at(path: &Path) -> Timestamp {
    let changed = path.metadata().and_then(|metadata| metadata.modified());
    let changed: SystemTime = changed.unwrap_or(SystemTime::UNIX_EPOCH);
    Timestamp::try_from(changed).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_to_be_deleted_within_thirty_days() {
        let made = second("1790000000-2").expect("a second");
        assert_eq!(made, Timestamp::from_second(1_790_000_000).expect("in range"));
        assert_eq!(Offset::UTC.to_datetime(made).date().to_string(), "2026-09-21");
        assert_eq!(delete_by(made).to_string(), "2026-10-21");
        assert_eq!(second("of-something"), None);
    }
}

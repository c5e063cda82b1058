//! What went wrong with a store, as a sentence for an operator, and what to do about it.

use evercart_core::copy::CopyError;
use evercart_core::error::StoreError;
use evercart_core::market::MarketName;
use evercart_core::operator::CheckReport;

use crate::failure::Failure;
use crate::unusable::{denied_database, disk_full};

/// What went wrong in a store.
pub fn failed(error: StoreError) -> anyhow::Error {
    Failure::new(error.to_string()).into()
}

/// What to do about an empty database in the place of a shop.
const EMPTIED: &str = "put the data back, or restore a backup; if a new, empty shop is meant, \
     start it once with `evercart serve --create MARKET`";
/// What to do about a mark that cannot be used.
const MARK: &str = "let storage.mark_file name a file that evercart may write";

/// What to do about a database of an earlier version.
const MIGRATE: &str = "`evercart migrate`, or a start of the server, brings it up to date; then \
     check again";

/// A SQLite file cannot be opened.
pub fn cannot_open_file(error: evercart_sqlite::OpenError) -> anyhow::Error {
    use evercart_sqlite::{OpenError, Trouble};
    let failure = Failure::new(error.to_string());
    match error {
        OpenError::Sqlite { path, source } => match evercart_sqlite::trouble(&source) {
            Trouble::Full => disk_full(&path),
            Trouble::Denied => denied_database(&path).unwrap_or(failure),
            Trouble::Disk => failure.hint(
                "the disk did not do what it was asked: look at `dmesg`; `evercart check` says \
                 what of the data can be read",
            ),
            Trouble::Other => failure.hint(
                "`evercart check` says what is wrong with a database; a backup can be restored",
            ),
        },
        OpenError::Garbage { .. } => failure.hint(
            "look whether it was put there by mistake; to begin again from a backup: `evercart \
             restore --force`, which keeps it aside",
        ),
        OpenError::TooOld { .. } => failure.hint(MIGRATE),
        OpenError::Retired { .. } => failure.hint(
            "start it where it went; to go back to what is here, say so with `evercart rewound`",
        ),
        OpenError::Emptied { .. } => failure.hint(EMPTIED),
        OpenError::Mark { .. } => failure.hint(MARK),
        _ => failure,
    }
    .into()
}

/// A PostgreSQL database cannot be opened.
pub fn cannot_open_database(error: evercart_postgres::OpenError) -> anyhow::Error {
    use evercart_postgres::OpenError;
    let failure = Failure::new(error.to_string());
    let hint = match &error {
        OpenError::Url { .. } => Some(
            "write it like postgres://shop:PASSWORD@db.example:5432/shop, in storage.database_url, \
             EVERCART_STORAGE__DATABASE_URL or --database-url",
        ),
        OpenError::NoAuthorities => {
            Some("set storage.database_ca to the certificate of the authority, as a PEM file")
        }
        OpenError::Ca { .. } => Some("storage.database_ca names a file with certificates in PEM"),
        OpenError::Unreachable { why, .. } | OpenError::Sql { why, .. } => hint_for(why),
        OpenError::Distributed { .. } => Some("set storage.distributed = true"),
        OpenError::NoCluster { .. } => Some(
            "run CREATE EXTENSION citus and citus_add_node there (docs/scaling.md has them), or \
             leave storage.distributed out",
        ),
        OpenError::Shared { .. } => Some(
            "set pool_mode = session for this database in the pooler (pgbouncer), or name \
             PostgreSQL itself in storage.database_url",
        ),
        OpenError::TooNew { .. } => None,
        OpenError::TooOld { .. } => Some(MIGRATE),
        OpenError::Emptied { .. } => Some(EMPTIED),
        OpenError::Mark { .. } => Some(MARK),
    };
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
    .into()
}

/// What helps, by what the server, or the way there, said. The codes are PostgreSQL's own.
fn hint_for(why: &str) -> Option<&'static str> {
    let says = |words: &[&str]| words.iter().any(|word| why.contains(word));
    if says(&["28P01", "28000"]) {
        Some("the user and password in the database URL, and pg_hba.conf on the server, decide")
    } else if says(&["3D000"]) {
        Some("make the database first: `createdb` with the name in the URL")
    } else if says(&["42501"]) {
        Some("the database's user must be allowed to make a schema: GRANT CREATE ON DATABASE")
    } else if says(&["53300"]) {
        Some(
            "each server needs storage.pool + readers + writers + 2 connections a market: lower \
             them, or raise the database's max_connections",
        )
    } else if says(&["read-only", "25006", "not allow writes", "not writable"]) {
        Some(
            "this is a standby: name the primary, or all of them (postgres://a,b/shop), of which \
             the one that takes writes is used",
        )
    } else if says(&["certificate", "TLS", "tls", "SSL"]) {
        Some(
            "set storage.database_ca to the authority that signed the database's certificate; \
             `?sslmode=disable` is for networks that nobody else can read",
        )
    } else if says(&["unsupported startup parameter"]) {
        Some(
            "a pooler (pgbouncer) is between: leave `options` out of the database URL; Evercart \
             sets what it needs itself",
        )
    } else if says(&["no answer"]) {
        Some(
            "see that PostgreSQL runs, that no firewall is between, and that a pooler's pool \
             (default_pool_size) holds all connections of its servers",
        )
    } else if says(&["refused", "timed out", "resolve", "lookup", "unreachable"]) {
        Some("see that PostgreSQL runs, that it listens there, and that no firewall is between")
    } else {
        None
    }
}

/// There is nothing to work on.
pub fn no_data(place: &str) -> Failure {
    Failure::new(format!("there is no shop data at {place}")).hint(
        "`evercart serve` makes it at its first start; --data and --database-url name other places",
    )
}

/// A copy was not made; `what` was to be copied.
pub fn not_copied(error: CopyError, market: &MarketName, what: &str) -> anyhow::Error {
    match error {
        CopyError::Unsound(report) => unsound(market, what, &report),
        CopyError::Unknown(_) => Failure::new(format!("market {market}: {error}"))
            .hint("it has everything or nothing: `evercart check` shows which, then do the rest"),
        error => Failure::new(format!("market {market} was not copied: {error}"))
            .hint("nothing was changed there"),
    }
    .into()
}

/// What was to be taken over breaks promises.
pub fn unsound(market: &MarketName, what: &str, report: &CheckReport) -> Failure {
    Failure::new(format!(
        "{what} breaks promises of market {market}, so nothing was changed:\n{}",
        crate::commands::broken_as_text(report).trim_end()
    ))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use rusqlite::ffi;

    use super::*;

    fn said_of(code: i32) -> String {
        let source = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
        let path = PathBuf::from("data/us.sqlite3");
        crate::failure::report(&cannot_open_file(evercart_sqlite::OpenError::Sqlite {
            path,
            source,
        }))
        .0
    }

    #[test]
    fn what_keeps_a_file_from_opening_is_told_apart() {
        let full = said_of(ffi::SQLITE_FULL);
        assert!(full.contains("the disk it is on is full\nhint: nothing is damaged"), "{full}");
        assert!(!full.contains("restored"), "{full}");
        let failed = said_of(ffi::SQLITE_IOERR);
        assert!(failed.contains("`dmesg`"), "{failed}");
        let damaged = said_of(ffi::SQLITE_CORRUPT);
        assert!(damaged.contains("hint: `evercart check`"), "{damaged}");
    }

    #[test]
    fn what_a_server_says_has_its_hint() {
        for (why, word) in [
            ("password authentication failed for user \"x\" (28P01)", "password"),
            ("database \"x\" does not exist (3D000)", "createdb"),
            ("error connecting to server: Connection refused (os error 111)", "firewall"),
            ("no answer within 5 s", "firewall"),
            ("error performing TLS handshake: invalid peer certificate", "database_ca"),
            ("sorry, too many clients already (53300)", "max_connections"),
            ("permission denied for database shop (42501)", "GRANT"),
            ("error connecting to server: database does not allow writes", "standby"),
        ] {
            assert!(hint_for(why).is_some_and(|hint| hint.contains(word)), "{why}");
        }
        assert_eq!(hint_for("something else"), None);
    }
}

//! Whether a market is in a database, and who is connected for it. Changes nothing there.

use evercart_core::market::MarketName;
use evercart_core::operator::CheckReport;

use crate::migrate::known_version;
use crate::{OpenError, Options, Postgres, SCHEMA_VERSION, check, distribute};

/// What was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presence {
    /// Where that is, for people.
    pub place: String,
    /// There is a schema of ours.
    pub is_there: bool,
    /// A server was ever started on it.
    pub was_served: bool,
    /// Connections of this market's servers and of commands that run.
    pub connections: i64,
}

impl Postgres {
    /// Looks whether the market has a schema, and who is connected for it.
    ///
    /// # Errors
    /// The server cannot be reached or says no.
    pub async fn presence(market: &MarketName, options: &Options) -> Result<Presence, OpenError> {
        const PRESENCE: &str = "SELECT to_regclass($1) IS NOT NULL, (SELECT count(*) \
             FROM pg_stat_activity WHERE datname = current_database() \
             AND application_name = current_setting('application_name') \
             AND pid <> pg_backend_pid())";
        let target = options.target(market)?;
        let client = target.connect_plainly().await.map_err(|error| target.unreachable(&error))?;
        const SERVED: &str = "SELECT EXISTS (SELECT 1 FROM {schema}.awake)";
        let version = format!("{}.schema_version", target.schema);
        let seen = client.query_one(PRESENCE, &[&version]).await;
        let seen = seen.map_err(|error| target.sql_failed(&error))?;
        let is_there = seen.get(0);
        let served = SERVED.replace("{schema}", &target.schema);
        // A schema of an older program has no such table.
        let was_served = match client.query_one(&served, &[]).await {
            Ok(row) => is_there && row.get(0),
            Err(_) => false,
        };
        let connections = seen.get(1);
        Ok(Presence { place: target.place(), is_there, was_served, connections })
    }

    /// Looks through a market's data without opening it as a store: nothing is written or migrated,
    /// and what is damaged is looked at as far as it can be read.
    ///
    /// # Errors
    /// The server cannot be reached or says no, or the schema is not this program's.
    pub async fn check_schema(
        market: &MarketName,
        options: &Options,
    ) -> Result<CheckReport, OpenError> {
        let target = options.target(market)?;
        let client =
            target.connect_patiently().await.map_err(|error| target.unreachable(&error))?;
        let found = known_version(&client, &target).await?;
        if found < SCHEMA_VERSION {
            let (place, schema) = (target.place.clone(), target.schema.clone());
            return Err(OpenError::TooOld { place, schema, found, known: SCHEMA_VERSION });
        }
        distribute::look(&client, &target).await?;
        drop(client);
        check::check(&target).await.map_err(|error| OpenError::Sql {
            place: target.place.clone(),
            schema: target.schema.clone(),
            why: error.to_string(),
        })
    }
}

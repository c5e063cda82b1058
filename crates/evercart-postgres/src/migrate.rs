//! Brings a market's schema up to this program's, forward only, in one transaction under a lock: of
//! ten servers that start at once one migrates and the others find it done.

use std::path::PathBuf;

use evercart_core::error::Failed;
use thiserror::Error;
use tokio_postgres::{Client, Transaction};

use crate::connect::{ConnectError, Target, explain};
use crate::distribute;
use crate::life::Refusal;

/// Each migration once, in order; never edited after a release. A number means the same in every
/// store.
const MIGRATIONS: [&str; 12] = [
    include_str!("../migrations/0001_shop.sql"),
    include_str!("../migrations/0002_incarnation.sql"),
    include_str!("../migrations/0003_outbox.sql"),
    include_str!("../migrations/0004_phone_history.sql"),
    include_str!("../migrations/0005_first_tries.sql"),
    include_str!("../migrations/0006_cart_order.sql"),
    include_str!("../migrations/0007_erasures.sql"),
    include_str!("../migrations/0008_audit.sql"),
    include_str!("../migrations/0009_server_keys.sql"),
    include_str!("../migrations/0010_hours.sql"),
    include_str!("../migrations/0011_erasing_requests.sql"),
    include_str!("../migrations/0012_catalogue_import.sql"),
];

/// The functions, which are made anew after the last migration.
const FUNCTIONS: &str = include_str!("../migrations/functions.sql");

/// Removes the functions that were there, and the types that only they use.
const FORGET_FUNCTIONS: &str = "DO $$ DECLARE o RECORD; BEGIN \
     FOR o IN SELECT p.oid::REGPROCEDURE AS name FROM pg_proc p \
         WHERE p.pronamespace = current_schema()::REGNAMESPACE LOOP \
         EXECUTE format('DROP FUNCTION IF EXISTS %s', o.name); \
     END LOOP; \
     FOR o IN SELECT c.oid::REGCLASS AS name FROM pg_class c \
         WHERE c.relnamespace = current_schema()::REGNAMESPACE AND c.relkind = 'c' LOOP \
         EXECUTE format('DROP TYPE IF EXISTS %s', o.name); \
     END LOOP; END $$";

/// The schema this program works with.
pub const SCHEMA_VERSION: u32 = MIGRATIONS.len() as u32;

/// "Ever" in ASCII, the first half of the advisory lock's key; the second is a hash of the schema's
/// name.
const LOCK_CLASS: i32 = 0x4576_6572;

/// What a migration did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migrated {
    /// The version found; 0 for a new schema.
    pub from: u32,
    /// The version now.
    pub to: u32,
}

/// Why a database cannot be used.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The URL cannot be read.
    #[error("the database URL cannot be used: {why}")]
    Url {
        /// What is wrong with it. Never repeats the password.
        why: String,
    },
    /// The file of authorities cannot be used.
    #[error("the authorities in {} cannot be used: {why}", path.display())]
    Ca {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// This system trusts nobody, so no certificate can be verified.
    #[error("the server's certificate cannot be verified: this system has no list of authorities")]
    NoAuthorities,
    /// No connection.
    #[error("cannot connect to PostgreSQL at {place}: {why}")]
    Unreachable {
        /// Which server and database.
        place: String,
        /// What it, or the way there, said.
        why: String,
    },
    /// Connections are not what they must be: each one the server's own.
    #[error("the connections to {place} are no use: {why}")]
    Shared {
        /// Which server and database, or which pooler.
        place: String,
        /// How that shows.
        why: String,
    },
    /// Written by a newer program.
    #[error(
        "schema {schema} at {place} has version {found}, and this evercart knows versions up to \
             {known}: start the \
         newer evercart that wrote it, or restore a backup made before the upgrade"
    )]
    TooNew {
        /// Which server and database.
        place: String,
        /// Which schema.
        schema: String,
        /// Its version.
        found: u32,
        /// The newest version known here.
        known: u32,
    },
    /// Of an earlier program, where it is only to be looked at.
    #[error("schema {schema} at {place} has version {found}, and this evercart works with {known}")]
    TooOld {
        /// Which server and database.
        place: String,
        /// Which schema.
        schema: String,
        /// Its version.
        found: u32,
        /// The version of this program.
        known: u32,
    },
    /// It is spread over a cluster, and whoever opened it does not know.
    #[error("schema {schema} at {place} is spread over a Citus cluster")]
    Distributed {
        /// Which server and database.
        place: String,
        /// Which schema.
        schema: String,
    },
    /// There is no cluster to spread it over.
    #[error("{place} is not the coordinator of a Citus cluster with workers")]
    NoCluster {
        /// Which server and database.
        place: String,
    },
    /// There was a shop, and now there is an empty one.
    #[error("schema {schema} at {place} is empty, though there was a shop in it")]
    Emptied {
        /// Which server and database.
        place: String,
        /// Which schema.
        schema: String,
    },
    /// How far the shop had come cannot be remembered outside of it.
    #[error("it cannot be remembered how far schema {schema} at {place} has come: {why}")]
    Mark {
        /// Which server and database.
        place: String,
        /// Which schema.
        schema: String,
        /// Why.
        why: String,
    },
    /// PostgreSQL could not do it.
    #[error("cannot prepare schema {schema} at {place}: {why}")]
    Sql {
        /// Which server and database.
        place: String,
        /// Which schema.
        schema: String,
        /// What PostgreSQL said.
        why: String,
    },
}

impl Target {
    pub(crate) fn unreachable(&self, error: &ConnectError) -> OpenError {
        let (place, why) = (self.place.clone(), error.to_string());
        match error {
            ConnectError::Shared(_) => OpenError::Shared { place, why },
            _ => OpenError::Unreachable { place, why },
        }
    }

    pub(crate) fn refused(&self, refusal: &Refusal) -> OpenError {
        let (place, schema) = (self.place.clone(), self.schema.clone());
        match refusal {
            Refusal::Sql(error) => self.sql_failed(error),
            Refusal::Emptied => OpenError::Emptied { place, schema },
            Refusal::Mark(why) => OpenError::Mark { place, schema, why: why.clone() },
        }
    }

    pub(crate) fn sql_failed(&self, error: &tokio_postgres::Error) -> OpenError {
        OpenError::Sql {
            place: self.place.clone(),
            schema: self.schema.clone(),
            why: explain(error),
        }
    }
}

/// Brings the schema up to date.
pub(crate) async fn run(target: &Target) -> Result<Migrated, OpenError> {
    let mut client = target.connect_first().await.map_err(|error| target.unreachable(&error))?;
    let from = known_version(&client, target).await?;
    let failed = |error: tokio_postgres::Error| target.sql_failed(&error);
    let is_spread = distribute::look(&client, target).await?;
    if from == SCHEMA_VERSION && is_spread == target.distributed {
        return Ok(Migrated { from, to: from });
    }
    let transaction = client.transaction().await.map_err(failed)?;
    transaction
        .execute("SELECT pg_advisory_xact_lock($1, hashtext($2))", &[&LOCK_CLASS, &target.schema])
        .await
        .map_err(failed)?;
    prepare(&transaction, target).await.map_err(failed)?;
    // Another server may have migrated while this one waited for the lock.
    let found = known_version(transaction.client(), target).await?;
    if target.distributed {
        distribute::prepare_to_migrate(&transaction).await.map_err(failed)?;
    }
    apply(&transaction, found).await.map_err(failed)?;
    if target.distributed {
        distribute::spread(&transaction, target).await?;
    }
    transaction.commit().await.map_err(failed)?;
    Ok(Migrated { from: found, to: SCHEMA_VERSION })
}

/// Makes the schema and the list of what was done to it, unless they are there.
async fn prepare(
    transaction: &Transaction<'_>,
    target: &Target,
) -> Result<(), tokio_postgres::Error> {
    // Whatever the connection is set to, all that is made lies in the market's schema.
    const PREPARE: &str = "CREATE SCHEMA IF NOT EXISTS {schema}; \
         SET LOCAL search_path = {schema}; \
         CREATE TABLE IF NOT EXISTS {schema}.schema_version (version INTEGER NOT NULL PRIMARY KEY, \
         applied_at TIMESTAMPTZ NOT NULL DEFAULT now())";
    transaction.batch_execute(&PREPARE.replace("{schema}", &target.schema)).await
}

/// Migrates from a version on.
async fn apply(transaction: &Transaction<'_>, from: u32) -> Result<(), tokio_postgres::Error> {
    for (number, migration) in (1_i32..).zip(MIGRATIONS).skip(from as usize) {
        transaction.batch_execute(migration).await?;
        transaction.execute("INSERT INTO schema_version (version) VALUES ($1)", &[&number]).await?;
    }
    if from < SCHEMA_VERSION {
        transaction.batch_execute(FORGET_FUNCTIONS).await?;
        transaction.batch_execute(FUNCTIONS).await?;
    }
    Ok(())
}

/// Gives the schema another name and makes a new one in its place.
pub(crate) async fn begin_anew(
    transaction: &Transaction<'_>,
    target: &Target,
    aside: &str,
) -> Result<(), tokio_postgres::Error> {
    const RENAME: &str = "ALTER SCHEMA {schema} RENAME TO {aside}";
    let rename = RENAME.replace("{schema}", &target.schema).replace("{aside}", aside);
    transaction.batch_execute(&rename).await?;
    prepare(transaction, target).await?;
    apply(transaction, 0).await
}

/// The schema's version, 0 if there is none; a newer one than this program's is refused.
pub(crate) async fn known_version(client: &Client, target: &Target) -> Result<u32, OpenError> {
    let failed = |error: tokio_postgres::Error| target.sql_failed(&error);
    // Its own schema is named, so that a table of that name elsewhere is not mistaken for ours.
    let name = format!("{}.schema_version", target.schema);
    let is_there =
        client.query_one("SELECT to_regclass($1) IS NOT NULL", &[&name]).await.map_err(failed)?;
    if !is_there.get::<_, bool>(0) {
        return Ok(0);
    }
    let row = client
        .query_one("SELECT coalesce(max(version), 0) FROM schema_version", &[])
        .await
        .map_err(failed)?;
    let found = u32::try_from(row.get::<_, i32>(0)).unwrap_or(u32::MAX);
    if found > SCHEMA_VERSION {
        return Err(OpenError::TooNew {
            place: target.place.clone(),
            schema: target.schema.clone(),
            found,
            known: SCHEMA_VERSION,
        });
    }
    Ok(found)
}

/// A failure that ends a server's readiness: the schema is not this program's any more.
pub(crate) fn other_version(found: i32) -> Failed {
    Failed::Unavailable(format!(
        "the schema has version {found}, and this evercart works with {SCHEMA_VERSION}: it was \
             migrated by another \
         evercart"
    ))
}

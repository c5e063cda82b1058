//! U4 and U5 at the adapter: several stores on one database behave as one.

use std::sync::Arc;
use std::time::Duration;

use evercart_conformance::shop::{
    CODE, MUG, attempt, catalogue, code_request, free, phone, signed_in,
};
use evercart_core::cart::Carts;
use evercart_core::catalogue::Catalogue;
use evercart_core::clock::ManualClock;
use evercart_core::market::MarketName;
use evercart_core::sign_in::SignIn;
use evercart_core::signals::CartSignals;
use evercart_core::user::Session;
use evercart_postgres::{Migrated, Options, Postgres, SCHEMA_VERSION};
use jiff::Timestamp;

/// Far longer than any signal takes.
const PATIENCE: Duration = Duration::from_secs(20);

fn options(url: &str) -> Options {
    let clock = ManualClock::at(Timestamp::from_second(1_790_000_000).expect("in range"));
    Options { pool: 4, ..Options::new(url, Arc::new(clock)) }
}

fn us() -> MarketName {
    MarketName::new("us").expect("a market's name")
}

async fn replica(url: &str) -> Postgres {
    Postgres::open(&us(), options(url)).await.expect("the store opens")
}

async fn customer(store: &Postgres) -> Session {
    let phone = phone(1);
    store.grant_code(code_request(&phone, CODE)).await.expect("a code");
    signed_in(store.sign_in(attempt(&phone, CODE)).await).session()
}

#[tokio::test(flavor = "multi_thread")]
async fn u5_ten_stores_that_start_at_once_migrate_once() {
    let url = evercart_throwaway_postgres::fresh_database();
    let tasks: Vec<_> = (0..10)
        .map(|_| {
            let url = url.clone();
            tokio::spawn(async move { Postgres::migrate(&us(), &options(&url)).await })
        })
        .collect();
    let mut migrated = 0;
    for task in tasks {
        let Migrated { from, to } = task.await.expect("joins").expect("migrates");
        assert_eq!(to, SCHEMA_VERSION);
        migrated += u32::from(from == 0);
    }
    assert_eq!(migrated, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn u4_a_change_on_one_replica_is_heard_on_the_other() {
    let url = evercart_throwaway_postgres::fresh_database();
    let (here, there) = (replica(&url).await, replica(&url).await);
    here.import_catalogue(catalogue(), Box::new(|_| {})).await.expect("imports");
    let session = customer(&here).await;
    let mut watch = there.watch_cart(session.user_id);
    here.add_to_cart(session, MUG, 1, free()).await.expect("adds");
    tokio::time::timeout(PATIENCE, watch.changed()).await.expect("in time");
    here.sign_out(session, free()).await.expect("signs out");
    tokio::time::timeout(PATIENCE, watch.changed()).await.expect("in time");
    here.close().await;
    there.close().await;
}

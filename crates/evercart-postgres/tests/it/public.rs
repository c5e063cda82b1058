//! U6 at the adapter: what anybody may ask for stops no customer.

use std::sync::Arc;

use evercart_conformance::shop::{CODE, SCARF, attempt, catalogue, code_request, phone, signed_in};
use evercart_core::catalogue::{Catalogue, ProductQuery};
use evercart_core::clock::ManualClock;
use evercart_core::error::{Failed, StoreError};
use evercart_core::market::MarketName;
use evercart_core::order::{Orders, Page};
use evercart_core::sign_in::SignIn;
use evercart_postgres::{Options, Postgres};
use futures_util::FutureExt;
use futures_util::future::join_all;
use jiff::Timestamp;

use crate::check::connect;

/// More than may wait.
const CROWD: usize = 50;

#[tokio::test(flavor = "multi_thread")]
async fn u6_reads_of_the_public_end_and_leave_customers_their_connections() {
    let url = evercart_throwaway_postgres::fresh_database();
    let clock = ManualClock::at(Timestamp::from_second(1_790_000_000).expect("in range"));
    let options = Options { pool: 2, ..Options::new(&url, Arc::new(clock)) };
    let market = MarketName::new("us").expect("a market's name");
    let store = Postgres::open(&market, options).await.expect("the store opens");
    store.import_catalogue(catalogue(), Box::new(|_| {})).await.expect("imports");
    let phone = phone(1);
    store.grant_code(code_request(&phone, CODE)).await.expect("a code");
    let me = signed_in(store.sign_in(attempt(&phone, CODE)).await).session();

    // Nobody can read products for as long as this goes on.
    let locker = connect(&url).await;
    let lock = "BEGIN; LOCK TABLE evercart_us.products IN ACCESS EXCLUSIVE MODE";
    locker.batch_execute(lock).await.expect("locks");
    let search = || ProductQuery { search: Some("mug".into()), category: None };
    let page = Page { limit: 10, offset: 0 };
    let crowd = join_all((0..CROWD).map(|_| store.products(search(), page)));
    let mut crowd = Box::pin(crowd);
    assert!((&mut crowd).now_or_never().is_none(), "the first waits for the lock");
    assert!(store.addresses(me).await.expect("a customer's connection is free").is_empty());
    for outcome in crowd.await {
        assert!(matches!(outcome, Err(StoreError::Failed(Failed::CatalogueBusy))), "{outcome:?}");
    }
    locker.batch_execute("ROLLBACK").await.expect("lets go");
    store.product(SCARF).await.expect("the public's connection is free again");
    store.close().await;
}

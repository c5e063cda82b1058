//! The store's contract on a Citus cluster. `EVERCART_TEST_CITUS_URL` names its coordinator; each
//! case has a market of its own there, which is dropped after it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use evercart_conformance::Backend;
use evercart_conformance::shop::{
    CODE, MUG, attempt, catalogue, code_request, free, phone, signed_in,
};
use evercart_core::cart::Carts;
use evercart_core::catalogue::Catalogue;
use evercart_core::clock::ManualClock;
use evercart_core::copy::Copies;
use evercart_core::market::MarketName;
use evercart_core::operator::Operator;
use evercart_core::sign_in::SignIn;
use evercart_core::store::Store;
use evercart_postgres::{Options, Postgres};
use jiff::Timestamp;

use crate::check::connect;
use crate::wait_for;

/// Citus changes schemas one at a time, and is quicker if they do not wait for each other in it.
static SCHEMAS: Mutex<()> = Mutex::new(());

/// A store in a schema of its own.
pub struct Cluster {
    store: Option<Arc<Postgres>>,
    market: MarketName,
    url: String,
    clock: Arc<ManualClock>,
}

impl Cluster {
    /// A market's name of its own, with nothing there yet.
    fn unspread(clock: Arc<ManualClock>) -> Self {
        let url = evercart_throwaway_postgres::citus_url();
        let market = MarketName::new(&random_letters()).expect("a market's name");
        Self { store: None, market, url, clock }
    }

    fn open(url: &str, market: &MarketName, clock: &Arc<ManualClock>) -> Arc<Postgres> {
        let clock = Arc::clone(clock) as _;
        let options = Options { distributed: true, pool: 6, ..Options::new(url, clock) };
        let _one_at_a_time = SCHEMAS.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::new(wait_for(Postgres::open(market, options)).expect("the store opens"))
    }
}

impl Backend for Cluster {
    /// Two cases make dozens of shops, and each takes seconds to be spread.
    const CASE_TIME_MAX: Duration = Duration::from_mins(20);

    fn fresh(clock: Arc<ManualClock>) -> Self {
        let mut cluster = Self::unspread(clock);
        cluster.store = Some(Self::open(&cluster.url, &cluster.market, &cluster.clock));
        cluster
    }

    fn store(&self) -> Arc<dyn Store> {
        Arc::clone(self.store.as_ref().expect("is open")) as _
    }

    fn reopen(mut self) -> Self {
        let store = self.store.take().expect("is open");
        wait_for(store.close());
        drop(store);
        self.store = Some(Self::open(&self.url, &self.market, &self.clock));
        self
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let store = self.store.take();
        let drop = format!("DROP SCHEMA IF EXISTS evercart_{} CASCADE", self.market.as_str());
        let _one_at_a_time = SCHEMAS.lock().unwrap_or_else(PoisonError::into_inner);
        wait_for(async {
            if let Some(store) = store {
                store.close().await;
            }
            let quiet = "SET client_min_messages = warning";
            let client = connect(&self.url).await;
            client.batch_execute(quiet).await.expect("is set");
            // What fails here has failed in the case, and is only left lying about.
            let _ = client.batch_execute(&drop).await;
        });
    }
}

fn random_letters() -> String {
    use std::hash::{BuildHasher, RandomState};
    let mut number = RandomState::new().hash_one(std::process::id());
    let letter = |_| {
        let letter = b'a' + u8::try_from(number % 26).expect("less than 26");
        number /= 26;
        char::from(letter)
    };
    (0..10).map(letter).collect()
}

evercart_conformance::conformance!(citus, crate::cluster::Cluster);

fn options(cluster: &Cluster, distributed: bool) -> Options {
    Options { distributed, pool: 4, ..Options::new(&cluster.url, Arc::clone(&cluster.clock) as _) }
}

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(Timestamp::from_second(1_790_000_000).expect("in range")))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_that_is_there_is_spread_with_its_rows() {
    let cluster = Cluster::unspread(clock());
    let store = Postgres::open(&cluster.market, options(&cluster, false)).await.expect("opens");
    store.import_catalogue(catalogue(), Box::new(|_| {})).await.expect("imports");
    store.grant_code(code_request(&phone(1), CODE)).await.expect("a code");
    let session = signed_in(store.sign_in(attempt(&phone(1), CODE)).await).session();
    let cart = store.add_to_cart(session, MUG, 3, free()).await.expect("adds").value;
    store.close().await;
    drop(store);

    let (market, url) = (cluster.market.clone(), cluster.url.clone());
    let mut spread = cluster;
    spread.store = Some(Cluster::open(&url, &market, &spread.clock));
    let store = spread.store.as_ref().expect("is open");
    assert_eq!(format!("{:?}", store.cart(session).await.expect("reads")), format!("{cart:?}"));
    assert_eq!(store.check().await.expect("checks").findings, []);
    let unaware = Postgres::migrate(&market, &options(&spread, false)).await;
    let error = unaware.expect_err("does not know that it is spread");
    assert!(error.to_string().ends_with("is spread over a Citus cluster"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spread_shop_is_copied_out_and_in() {
    let (from, to) = (Cluster::fresh(clock()), Cluster::fresh(clock()));
    let store = from.store.as_ref().expect("is open");
    store.import_catalogue(catalogue(), Box::new(|_| {})).await.expect("imports");
    store.grant_code(code_request(&phone(1), CODE)).await.expect("a code");
    let session = signed_in(store.sign_in(attempt(&phone(1), CODE)).await).session();
    let cart = store.add_to_cart(session, MUG, 3, free()).await.expect("adds").value;
    let copy = to.store.as_ref().expect("is open");
    let mut reader = store.copy_out().await.expect("reads");
    copy.copy_in(&mut *reader, &mut |_| {}).await.expect("writes");
    assert_eq!(format!("{:?}", copy.cart(session).await.expect("reads")), format!("{cart:?}"));

    let mut reader = store.copy_out().await.expect("reads");
    let error = copy.copy_in_instead("aside", &mut *reader, &mut |_| {}).await;
    let error = error.expect_err("is not done in one step").to_string();
    assert!(error.contains("give the schema evercart_"), "{error}");
}

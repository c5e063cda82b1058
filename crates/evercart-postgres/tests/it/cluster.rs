//! The store's contract on a Citus cluster. `EVERCART_TEST_CITUS_URL` names its coordinator; each
//! case has a market of its own there, which is dropped after it.

use std::sync::{Arc, Mutex, PoisonError};

use evercart_conformance::Backend;
use evercart_core::clock::ManualClock;
use evercart_core::market::MarketName;
use evercart_core::store::Store;
use evercart_postgres::{Options, Postgres};

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
    fn open(url: &str, market: &MarketName, clock: &Arc<ManualClock>) -> Arc<Postgres> {
        let clock = Arc::clone(clock) as _;
        let options = Options { distributed: true, pool: 6, ..Options::new(url, clock) };
        let _one_at_a_time = SCHEMAS.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::new(wait_for(Postgres::open(market, options)).expect("the store opens"))
    }
}

impl Backend for Cluster {
    #[expect(clippy::disallowed_methods, reason = "whoever runs these tests says where")]
    fn fresh(clock: Arc<ManualClock>) -> Self {
        let url = std::env::var("EVERCART_TEST_CITUS_URL").expect(
            "EVERCART_TEST_CITUS_URL names a Citus coordinator for the feature citus-tests",
        );
        let market = MarketName::new(&random_letters()).expect("a market's name");
        let store = Some(Self::open(&url, &market, &clock));
        Self { store, market, url, clock }
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
        let Some(store) = self.store.take() else { return };
        let drop = format!("DROP SCHEMA evercart_{} CASCADE", self.market.as_str());
        let _one_at_a_time = SCHEMAS.lock().unwrap_or_else(PoisonError::into_inner);
        wait_for(async {
            store.close().await;
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

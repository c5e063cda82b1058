//! The production store: one schema a market in a PostgreSQL database, few connections. Operations
//! on carts that wait at the same moment share one call and one commit. SQL lives here; rules live
//! in `evercart-core`.

mod account;
mod actor;
mod address;
mod aside;
mod backups;
mod batch;
mod cart;
mod cart_changes;
mod cart_merge;
mod cart_reads;
mod catalogue;
mod catalogue_import;
mod catalogue_stock;
mod catalogue_write;
mod check;
mod check_erased;
mod connect;
mod copy;
mod copy_rows;
mod customer_copy;
mod db;
mod distribute;
mod erasing;
mod heartbeat;
mod life;
mod limits;
mod listed;
mod migrate;
mod operator;
mod order;
mod outage;
mod outbox;
mod phone_change;
mod pool;
mod presence;
mod public;
mod session;
mod sign_in;
mod signals;
mod sku_cache;
mod sweep;
mod wire;
mod wishlist;
mod words;

use std::path::PathBuf;
use std::sync::Arc;

use evercart_core::awake::Awake;
use evercart_core::clock::Clock;
use evercart_core::copy::Erasure;
use evercart_core::ids::UserId;
use evercart_core::limits::CustomerLimits;
use evercart_core::mark::Mark;
use evercart_core::market::MarketName;
use evercart_core::store::{NoGauge, WriterGauge};

pub use migrate::{Migrated, OpenError, SCHEMA_VERSION};
pub use presence::Presence;

use crate::batch::{LaneSettings, Lanes};
use crate::cart_changes::ChangeCarts;
use crate::cart_reads::CartRead;
use crate::connect::Target;
use crate::distribute::Shards;
use crate::heartbeat::{Heartbeat, Wakeful};
use crate::life::Keeper;
use crate::pool::Pool;
use crate::public::Public;
use crate::signals::Signals;
use crate::sku_cache::SkuCache;

/// How a store is run.
pub struct Options {
    /// Which server and database, such as `postgres://shop@db.example/shop`.
    pub url: String,
    /// Authorities (PEM) to trust instead of the system's when the server shows its certificate.
    pub ca: Option<PathBuf>,
    /// The server is the coordinator of a Citus cluster, over which the market is spread.
    pub distributed: bool,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Told of every commit of changes to carts.
    pub gauge: Arc<dyn WriterGauge>,
    /// Connections that read carts. Two keep two cores busy.
    pub readers: usize,
    /// Connections that change carts. Each commit of one is waited for, so a second one works
    /// meanwhile.
    pub writers: usize,
    /// Connections for everything else, at most. They are made when they are needed. What the
    /// public asks for uses a quarter of them.
    pub pool: usize,
    /// The most operations in one call.
    pub batch_max: usize,
    /// The most operations waiting, to read and to change carts each. More are refused.
    pub queue_max: usize,
    /// What one customer may do in an hour and have open at once.
    pub limits: CustomerLimits,
    /// What is remembered of the store outside of it. Without one only a promotion, a recovery and
    /// a move to another server are noticed.
    pub mark: Option<Arc<dyn Mark>>,
    /// Tokens are given out while this is open: the store notes when that was.
    pub gives_tokens: bool,
    /// An empty schema in the place of a shop is meant.
    pub may_be_new: bool,
}

impl Options {
    /// The usual options with this server and clock.
    pub fn new(url: &str, clock: Arc<dyn Clock>) -> Self {
        Self {
            url: url.to_owned(),
            ca: None,
            distributed: false,
            clock,
            gauge: Arc::new(NoGauge),
            readers: 2,
            writers: 2,
            pool: 16,
            batch_max: 128,
            queue_max: 4096,
            limits: CustomerLimits::NONE,
            mark: None,
            gives_tokens: false,
            may_be_new: false,
        }
    }

    fn target(&self, market: &MarketName) -> Result<Target, OpenError> {
        let mut target = Target::new(&self.url, market, self.ca.as_deref())?;
        target.distributed = self.distributed;
        Ok(target)
    }
}

/// The store of one market in one schema of a PostgreSQL database.
pub struct Postgres {
    target: Target,
    clock: Arc<dyn Clock>,
    limits: CustomerLimits,
    pool: Pool,
    public: Public,
    cart_reads: Lanes<CartRead>,
    cart_changes: Lanes<ChangeCarts>,
    skus: Arc<SkuCache>,
    /// Where customers lie, if the market is spread over a cluster.
    shards: Option<Shards>,
    signals: Signals,
    keeper: Arc<Keeper>,
    awake: Arc<Awake>,
    heartbeat: Option<Heartbeat>,
}

impl Postgres {
    /// Connects, brings the schema up to date and starts what answers for carts. To be called in a
    /// runtime.
    ///
    /// # Errors
    /// The server cannot be reached or says no, the schema was written by a newer program, or it is
    /// empty though there was a shop in it.
    pub async fn open(market: &MarketName, options: Options) -> Result<Self, OpenError> {
        let mut target = options.target(market)?;
        // Reads the mark before the database is looked at: what is found must not be older.
        let keeper = Keeper::new(target.place(), options.mark, options.may_be_new);
        let keeper = Arc::new(keeper.map_err(|error| target.refused(&error.into()))?);
        migrate::run(&target).await?;
        let awake = Arc::new(Awake::always());
        let client =
            target.connect_patiently().await.map_err(|error| target.unreachable(&error))?;
        let admitted = keeper.admit(&client).await;
        admitted.map_err(|refusal| target.refused(&refusal))?;
        let remembered = keeper.remember(&client).await;
        remembered.map_err(|refusal| target.refused(&refusal))?;
        target.keeper = Some(Arc::clone(&keeper));
        let heartbeat = if options.gives_tokens {
            let clock = Arc::clone(&options.clock);
            let begun = Wakeful::begin(Arc::clone(&awake), clock, &client).await;
            keeper.keep_awake(begun.map_err(|error| target.sql_failed(&error))?);
            Some(Heartbeat::start(target.clone(), Arc::clone(&keeper), client))
        } else {
            None
        };
        let pool = Pool::new(&target, options.pool);
        let skus = Arc::new(SkuCache::new(pool.clone()));
        let lanes = |lanes, gauge| LaneSettings {
            lanes,
            gauge,
            batch_max: options.batch_max,
            queue_max: options.queue_max,
        };
        let cart_reads = Lanes::start(&target, &lanes(options.readers, Arc::new(NoGauge)));
        let cart_changes = Lanes::start(&target, &lanes(options.writers, options.gauge));
        let signals = Signals::start(&target);
        let shards = options.distributed.then(|| Shards::new(pool.clone()));
        let clock = options.clock;
        Ok(Self {
            target,
            clock,
            limits: options.limits,
            pool,
            public: Public::new(options.pool),
            cart_reads,
            cart_changes,
            skus,
            shards,
            signals,
            keeper,
            awake,
            heartbeat,
        })
    }

    /// Brings the schema up to date and does nothing else.
    ///
    /// # Errors
    /// As [`Postgres::open`].
    pub async fn migrate(market: &MarketName, options: &Options) -> Result<Migrated, OpenError> {
        migrate::run(&options.target(market)?).await
    }

    /// Finishes what is queued and closes the connections. Operations asked for later fail.
    pub async fn close(&self) {
        self.cart_changes.close().await;
        self.cart_reads.close().await;
        if let Some(heartbeat) = &self.heartbeat {
            heartbeat.stop();
        }
        self.pool.close();
    }

    /// Where the data is, for people: server, database and schema.
    pub fn place(&self) -> String {
        self.target.place()
    }

    /// Where a market's data would be, for people; asks nobody.
    ///
    /// # Errors
    /// The URL or the file of authorities cannot be used.
    pub fn place_of(market: &MarketName, options: &Options) -> Result<String, OpenError> {
        Ok(options.target(market)?.place())
    }

    /// Tells every server that this customer's cart or session was changed. After the commit.
    fn tell_of_change(&self, user: UserId) {
        self.signals.changed(user);
    }

    /// Lists who was erased outside of the store, before anybody is answered. Where that fails, the
    /// heartbeat tries again.
    async fn list_erased(&self, erasure: Erasure) {
        if let Err(refusal) = self.keeper.listed().add(&[erasure]).await {
            tracing::error!("{refusal}: an erasure is not listed outside of the store yet");
        }
    }

    fn now(&self) -> i64 {
        self.clock.now().as_millisecond()
    }
}

//! Connections that are lent for one transaction each. While the server is known to be away, nobody
//! waits for one: one of those who ask finds out whether it is back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use deadpool_postgres::{
    Connect, Hook, HookError, Manager, ManagerConfig, Object, PoolError, RecyclingMethod, Runtime,
    TimeoutType, Timeouts,
};
use evercart_core::error::{Failed, Result as StoreResult};
use futures_util::future::BoxFuture;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Config, Error};

use crate::connect::{CONNECT_MAX, Target, explain};
use crate::outage::Outage;

/// How long an operation waits for one of the pool's connections before it is refused: many are
/// waiting, and more would only wait longer.
const LEND_MAX: Duration = Duration::from_secs(2);

/// The same on a cluster, where a transaction takes several times as long: each of its statements
/// goes to a second server.
const LEND_MAX_DISTRIBUTED: Duration = Duration::from_secs(5);

/// The connections, which are made when they are needed.
#[derive(Clone)]
pub(crate) struct Pool {
    connections: deadpool_postgres::Pool,
    outage: Arc<Outage>,
}

/// Connects for the pool.
struct Connecting(Target);

impl Connect for Connecting {
    fn connect(&self, _: &Config) -> BoxFuture<'_, Result<(Client, JoinHandle<()>), Error>> {
        Box::pin(async {
            let (client, connection) = self.0.connect().await?;
            let driver = async move {
                if let Err(error) = connection.await {
                    tracing::warn!(
                        error = explain(&error),
                        "a connection to the database was lost"
                    );
                }
            };
            Ok((client, tokio::spawn(driver)))
        })
    }
}

impl Pool {
    /// Of `most` connections to a server.
    pub(crate) fn new(target: &Target, most: usize) -> Self {
        let recycling_method = RecyclingMethod::Fast;
        let by = Connecting(target.clone());
        let manager =
            Manager::from_connect(target.config(), by, ManagerConfig { recycling_method });
        let (keeper, settings) = (target.keeper.clone(), Arc::new(target.settings()));
        let connections = deadpool_postgres::Pool::builder(manager)
            .post_create(Hook::async_fn(move |connection, _| {
                let (keeper, settings) = (keeper.clone(), Arc::clone(&settings));
                Box::pin(async move {
                    let set = settings.make(connection).await;
                    set.map_err(|error| HookError::message(error.to_string()))?;
                    let Some(keeper) = keeper else { return Ok(()) };
                    let admitted = keeper.admit(connection).await;
                    admitted.map_err(|refusal| HookError::message(refusal.to_string()))
                })
            }))
            .max_size(most.max(1))
            .runtime(Runtime::Tokio1)
            .timeouts(Timeouts {
                wait: Some(if target.distributed { LEND_MAX_DISTRIBUTED } else { LEND_MAX }),
                create: Some(CONNECT_MAX),
                recycle: Some(CONNECT_MAX),
            })
            .build()
            .expect("a pool with a runtime and timeouts can be built");
        Self { connections, outage: target.outage() }
    }

    /// A connection for one transaction.
    pub(crate) async fn lend(&self) -> StoreResult<Object> {
        // One that nobody uses says nothing of whether another could be made.
        let is_idle = self.connections.status().available > 0;
        if !is_idle {
            self.outage.take_turn(Instant::now()).map_err(Failed::Unavailable)?;
        }
        match self.connections.get().await {
            Ok(connection) => {
                if !is_idle {
                    self.outage.is_over(Instant::now());
                }
                Ok(connection)
            }
            Err(error) => Err(self.note(error).into()),
        }
    }

    /// Remembers that no connection could be made, if that is what is wrong. Whatever the server
    /// said to it, nothing can be asked of it.
    fn note(&self, error: PoolError) -> Failed {
        let why = match &error {
            PoolError::Timeout(TimeoutType::Wait) => match self.outage.why() {
                Some(why) => why,
                None => return Failed::Overloaded,
            },
            PoolError::Backend(error) => explain(error),
            PoolError::PostCreateHook(HookError::Message(why)) => why.to_string(),
            PoolError::Timeout(_) => format!("no answer within {} s", CONNECT_MAX.as_secs()),
            other => return Failed::Unavailable(other.to_string()),
        };
        self.outage.goes_on(&why, Instant::now());
        Failed::Unavailable(why)
    }

    /// Lends none any more.
    pub(crate) fn close(&self) {
        self.connections.close();
    }
}

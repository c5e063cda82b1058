//! Reads that anybody may ask for. They hold a few of the pool's connections at most, and none for
//! longer than a second: however much the public asks for, customers have the rest.

use std::sync::Arc;
use std::time::Duration;

use evercart_core::error::{Failed, Result as StoreResult};
use futures_util::future::try_join;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_postgres::error::SqlState;

use crate::db::{Db, DbError, Result};

/// The public's share of the pool's connections: one in so many.
const SHARE: usize = 4;

/// The most reads that wait. Those who wait keep their place among the requests at work, of which
/// the public may not have all.
const QUEUE_MAX: usize = 32;

/// How long a read waits for its turn. Each statement has as long again, which PostgreSQL sees to.
const WAIT_MAX: Duration = Duration::from_secs(1);

/// The public's places among those who use the pool.
#[derive(Debug, Clone)]
pub(crate) struct Public {
    /// For those who read or wait.
    queue: Arc<Semaphore>,
    /// For those who read.
    places: Arc<Semaphore>,
}

/// A place to read from, until it is dropped.
pub(crate) struct Place<'a> {
    _in_queue: SemaphorePermit<'a>,
    _reading: SemaphorePermit<'a>,
}

impl Public {
    /// The public's part of a pool of `most` connections.
    pub(crate) fn new(most: usize) -> Self {
        let places = (most / SHARE).max(1);
        Self {
            queue: Arc::new(Semaphore::new(QUEUE_MAX + places)),
            places: Arc::new(Semaphore::new(places)),
        }
    }

    /// Waits for a place.
    pub(crate) async fn enter(&self) -> StoreResult<Place<'_>> {
        let in_queue = self.queue.try_acquire().map_err(|_| Failed::CatalogueBusy)?;
        let place = tokio::time::timeout(WAIT_MAX, self.places.acquire()).await;
        let reading = place.map_err(|_| Failed::CatalogueBusy)?;
        let reading = reading.expect("nobody closes it");
        Ok(Place { _in_queue: in_queue, _reading: reading })
    }
}

/// Does a read of the public in the time that each of its statements has.
pub(crate) async fn in_time<T>(db: &Db<'_>, work: impl Future<Output = Result<T>>) -> Result<T> {
    // On its way before the work's first statement, which does not wait for its answer.
    const LIMIT: &str = "SET LOCAL statement_timeout = 1000";
    let limit = async { Ok(db.transaction().batch_execute(LIMIT).await?) };
    match try_join(limit, work).await {
        Ok(((), value)) => Ok(value),
        Err(error) if error.violates(&SqlState::QUERY_CANCELED) => {
            Err(DbError::from(Failed::CatalogueBusy))
        }
        Err(error) => Err(error),
    }
}

/// Reads several things as of one moment for anybody who asks, in the form of
/// [`transact!`](crate::db::transact).
macro_rules! public {
    ($store:expr, |$db:ident| $work:expr) => {{
        let _place = $store.public.enter().await?;
        $crate::db::snapshot!($store, |$db| $crate::public::in_time(&$db, $work))
    }};
}

pub(crate) use public;

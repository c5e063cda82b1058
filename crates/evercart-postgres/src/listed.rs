//! The list of erasures outside of the store: who is on it is erased again wherever older data has
//! brought them back, and who was erased here, by any server, comes on it.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use evercart_core::copy::Erasure;
use evercart_core::ids::UserId;
use evercart_core::mark::{Mark, MarkError};
use tokio_postgres::{Client, Error, Row};

use crate::erasing;
use crate::life::Refusal;

/// The list, and what this server knows of it.
pub(crate) struct Listed {
    mark: Option<Arc<dyn Mark>>,
    /// Numbers of customers, and when their accounts were made.
    known: Mutex<BTreeSet<(i64, i64)>>,
    /// The store has none of them since it was opened.
    is_repeated: AtomicBool,
}

impl Listed {
    /// Reads the list.
    pub(crate) fn of(mark: Option<Arc<dyn Mark>>) -> Result<Self, MarkError> {
        let listed = mark.as_deref().map(Mark::erasures).transpose()?.unwrap_or_default();
        let known: BTreeSet<_> = listed.iter().map(key).collect();
        let is_repeated = AtomicBool::new(known.is_empty());
        Ok(Self { mark, known: Mutex::new(known), is_repeated })
    }

    /// True if the store was compared with the list since it was opened.
    pub(crate) fn is_repeated(&self) -> bool {
        self.is_repeated.load(Ordering::Relaxed)
    }

    /// Erases whom the list names and older data has brought back, in the caller's transaction.
    pub(crate) async fn repeat(&self, client: &Client, place: &str) -> Result<(), Refusal> {
        let Some(mark) = &self.mark else { return Ok(()) };
        let count = erasing::repeat(client, &mark.erasures()?).await?;
        if count > 0 {
            tracing::warn!(
                "{place}: {count} customers who were erased were in older data, and are erased \
                 again"
            );
        }
        Ok(())
    }

    /// Lists everybody who was erased in this store and is not on the list yet.
    pub(crate) async fn take_over(&self, client: &Client) -> Result<(), Refusal> {
        self.is_repeated.store(true, Ordering::Relaxed);
        if self.mark.is_none() {
            return Ok(());
        }
        self.add(&all(client).await?).await
    }

    /// Lists these. On disk when it returns.
    pub(crate) async fn add(&self, erased: &[Erasure]) -> Result<(), Refusal> {
        let Some(mark) = self.mark.clone() else { return Ok(()) };
        let lock = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let new: Vec<_> =
            erased.iter().filter(|one| !lock().contains(&key(one))).copied().collect();
        if new.is_empty() {
            return Ok(());
        }
        let keys: Vec<_> = new.iter().map(key).collect();
        let adding = tokio::task::spawn_blocking(move || mark.list(&new));
        adding.await.map_err(|error| Refusal::Mark(error.to_string()))??;
        // Only now: what could not be written is tried again.
        lock().extend(keys);
        Ok(())
    }
}

fn key(erasure: &Erasure) -> (i64, i64) {
    (erasure.user_id.0, erasure.created_at)
}

async fn all(client: &Client) -> Result<Vec<Erasure>, Error> {
    const ALL: &str = "SELECT e.user_id, u.created_at, e.erased_at, e.open_orders \
         FROM erasures e JOIN users u ON u.id = e.user_id";
    Ok(client.query(ALL, &[]).await?.iter().map(erasure).collect())
}

fn erasure(row: &Row) -> Erasure {
    Erasure {
        user_id: UserId(row.get(0)),
        created_at: row.get(1),
        erased_at: row.get(2),
        open_orders: row.get(3),
    }
}

//! What the catalogue says of SKUs, in memory: a cart then joins nothing but the stock.
//!
//! Entries are good for one catalogue version, which every cart brings along in its own statement,
//! of the store's life that its session is of: after a return versions are given again. They are
//! read after that version was, so they are never older than it.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use evercart_core::catalogue::{Rendition, SkuFacts};
use evercart_core::error::Failed;
use evercart_core::ids::{ProductId, SkuId};
use evercart_core::incarnation::Incarnation;
use evercart_core::money::Money;
use tokio_postgres::Row;

use crate::db::{DbError, Result};
use crate::pool::Pool;

/// SKUs kept, some 300 bytes each.
const SKUS_MAX: usize = 50_000;

/// What an entry is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Edition {
    /// The store's life.
    pub(crate) incarnation: Incarnation,
    /// The catalogue's version in it.
    pub(crate) version: i64,
}

impl Edition {
    /// True if `self` takes the place of `other`, which is over or of another life.
    fn replaces(self, other: Self) -> bool {
        self.incarnation != other.incarnation || self.version > other.version
    }
}

#[derive(Default)]
struct Known {
    edition: Option<Edition>,
    skus: HashMap<SkuId, Arc<SkuFacts>>,
}

pub(crate) struct SkuCache {
    pool: Pool,
    known: RwLock<Known>,
}

/// The columns that [`sku_facts`] reads, in its order.
const SKUS: &str = "SELECT s.id, s.product_id, s.sku_code, p.name, s.size, s.color, s.image, \
     s.price, \
     s.original_price, s.active FROM skus s JOIN products p ON p.id = s.product_id \
     WHERE s.id = ANY ($1)";

impl SkuCache {
    pub(crate) fn new(pool: Pool) -> Self {
        Self { pool, known: RwLock::default() }
    }

    /// What the catalogue of this edition or a newer one says of each of `ids`, in their order.
    pub(crate) async fn all(&self, edition: Edition, ids: &[i64]) -> Result<Vec<Arc<SkuFacts>>> {
        if let Some(facts) = self.remembered(edition, ids) {
            return Ok(facts);
        }
        let found = self.look_up(ids).await?;
        let facts = ids.iter().map(|id| {
            found.get(&SkuId(*id)).cloned().ok_or_else(|| {
                DbError::from(Failed::Inconsistent(format!("cart line of unknown SKU {id}")))
            })
        });
        let facts = facts.collect::<Result<Vec<_>>>()?;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let is_newer = known.edition.is_none_or(|known| edition.replaces(known));
        if is_newer || known.skus.len() + found.len() > SKUS_MAX {
            known.skus.clear();
            known.edition = Some(edition);
        }
        // What was read for an older edition than is known by now may be older than that one.
        if known.edition == Some(edition) {
            known.skus.extend(found);
        }
        Ok(facts)
    }

    fn remembered(&self, edition: Edition, ids: &[i64]) -> Option<Vec<Arc<SkuFacts>>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if known.edition != Some(edition) {
            return None;
        }
        ids.iter().map(|id| known.skus.get(&SkuId(*id)).cloned()).collect()
    }

    async fn look_up(&self, ids: &[i64]) -> Result<HashMap<SkuId, Arc<SkuFacts>>> {
        let connection = self.pool.lend().await.map_err(DbError::Store)?;
        let statement = connection.prepare_cached(SKUS).await?;
        let rows = connection.query(&statement, &[&ids]).await?;
        Ok(rows.iter().map(|row| (SkuId(row.get(0)), Arc::new(sku_facts(row)))).collect())
    }
}

/// The first ten columns of a statement that begins with a SKU's facts.
pub(crate) fn sku_facts(row: &Row) -> SkuFacts {
    SkuFacts {
        sku_id: SkuId(row.get(0)),
        product_id: ProductId(row.get(1)),
        sku_code: row.get(2),
        name: row.get(3),
        size: row.get(4),
        color: row.get(5),
        image: row.get(6),
        price: Money(row.get(7)),
        original_price: row.get::<_, Option<i64>>(8).map(Money),
        active: row.get(9),
        rendition: Rendition::default(),
    }
}

//! What the catalogue says of SKUs, in memory: a cart then joins nothing but the stock. Each
//! connection has its own, so that there is nothing to lock.
//!
//! Entries are good for one catalogue version, which every user's row check brings along in its own
//! statement. They are read after that version was, so they are never older than it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use evercart_core::catalogue::SkuFacts;
use evercart_core::ids::SkuId;
use rusqlite::OptionalExtension;

use crate::catalogue::sku_facts;
use crate::db::{Db, Result};

/// SKUs kept on a connection, some 600 bytes each with their JSON.
const SKUS_MAX: usize = 10_000;

#[derive(Default)]
pub(crate) struct SkuCache {
    version: i64,
    skus: HashMap<SkuId, Arc<SkuFacts>>,
}

const SKU: &str = "SELECT s.id, s.product_id, s.sku_code, p.name, s.size, s.color, s.image, \
     s.price, s.original_price, s.active FROM shown_skus s, shown_products p \
     WHERE p.id = s.product_id AND s.id = ?1";

impl Db {
    /// What the catalogue of this version or a newer one says of a SKU.
    pub(crate) fn sku(&self, version: i64, id: SkuId) -> Result<Option<Arc<SkuFacts>>> {
        let mut cache = self.skus.borrow_mut();
        if cache.version != version || cache.skus.len() >= SKUS_MAX {
            cache.skus.clear();
            cache.version = version;
        }
        match cache.skus.entry(id) {
            Entry::Occupied(known) => Ok(Some(Arc::clone(known.get()))),
            Entry::Vacant(unknown) => {
                let facts = self.sql(SKU)?.query_row([id.0], sku_facts).optional()?;
                Ok(facts.map(|facts| Arc::clone(unknown.insert(Arc::new(facts)))))
            }
        }
    }
}

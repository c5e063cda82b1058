//! The catalogue's SQL: lists and search for everybody.

use std::collections::HashSet;

use async_trait::async_trait;
use evercart_core::catalogue::{
    Catalogue, CatalogueRow, Category, ImportOutcome, Product, ProductKey, ProductQuery, Progress,
    RowChanges, Sku,
};
use evercart_core::error::{Failed, Refused, Result as StoreResult};
use evercart_core::ids::{ProductId, SkuId};
use evercart_core::money::Money;
use evercart_core::order::{Listed, Page};
use futures_util::TryStreamExt;
use futures_util::future::try_join3;
use tokio_postgres::Row;

use crate::Postgres;
use crate::catalogue_import::import;
use crate::db::{Db, Params, Result, Turns, unsigned};
use crate::public::public;
use crate::sku_cache::sku_facts;
use crate::words;

#[async_trait]
impl Catalogue for Postgres {
    async fn products(&self, query: ProductQuery, page: Page) -> StoreResult<Listed<Product>> {
        public!(self, |db| products(&db, &query, page))
    }

    async fn product(&self, id: ProductId) -> StoreResult<(Product, Vec<Sku>)> {
        public!(self, |db| product(&db, id))
    }

    async fn categories(&self) -> StoreResult<Vec<Category>> {
        public!(self, |db| categories(&db))
    }

    async fn has_products(&self) -> StoreResult<bool> {
        const ANY: &str = "SELECT 1 FROM products LIMIT 1";
        Ok(self.look(ANY, &[]).await?.is_some())
    }

    async fn change_catalogue(
        &self,
        mut rows: Box<dyn RowChanges>,
        mut progress: Progress,
    ) -> StoreResult<ImportOutcome> {
        let mut turns = Turns::default();
        // Another turn begins from the first row; what was told stays told.
        let mut told = 0;
        let mut tell = |done| {
            if done > told {
                told = done;
                progress(done);
            }
        };
        loop {
            let outcome = import(&self.target, rows.as_mut(), &mut tell).await;
            if let Some(outcome) = turns.over(outcome).await {
                return outcome;
            }
        }
    }

    async fn export_catalogue(&self) -> StoreResult<Vec<CatalogueRow>> {
        let mut turns = Turns::default();
        loop {
            let outcome = export(self).await;
            if let Some(outcome) = turns.over(outcome).await {
                return outcome;
            }
        }
    }
}

async fn products(db: &Db<'_>, query: &ProductQuery, page: Page) -> Result<Listed<Product>> {
    const ALL: &str = "SELECT (SELECT count(*) FROM products WHERE for_sale), \
         ARRAY(SELECT id FROM products WHERE for_sale ORDER BY id LIMIT $1 OFFSET $2)";
    const CATEGORY: &str = "SELECT (SELECT count(*) FROM products WHERE for_sale AND category = \
         $3), \
         ARRAY(SELECT id FROM products WHERE for_sale AND category = $3 ORDER BY id LIMIT $1 \
         OFFSET $2)";
    const FOUND: &str = "WITH found AS MATERIALIZED (SELECT id FROM products \
         WHERE words @@ $3::text::tsquery AND for_sale AND ($4::text IS NULL OR category = $4)) \
         SELECT (SELECT count(*) FROM found), ARRAY(SELECT id FROM found ORDER BY id LIMIT $1 \
         OFFSET $2)";
    let limit = i64::from(page.limit);
    let offset = i64::try_from(page.offset).unwrap_or(i64::MAX);
    let category = query.category.as_deref();
    if category.is_some_and(|name| name.contains('\0')) {
        // PostgreSQL has no text with a NUL in it, and takes none as a parameter.
        return Ok(Listed { items: Vec::new(), total: 0 });
    }
    let searched = query.search.as_deref().and_then(words::query);
    let (sql, params): (_, Params<'_>) = match (&searched, &category) {
        (Some(words), category) => (FOUND, &[&limit, &offset, words, category]),
        (None, Some(category)) => (CATEGORY, &[&limit, &offset, category]),
        (None, None) => (ALL, &[&limit, &offset]),
    };
    let row = db.query_one(sql, params).await?;
    let (total, ids): (i64, Vec<i64>) = (row.get(0), row.get(1));
    Ok(Listed { items: any_products(db, &ids).await?, total: unsigned(total) })
}

async fn product(db: &Db<'_>, id: ProductId) -> Result<(Product, Vec<Sku>)> {
    let ids = [id.0];
    let (is_for_sale, product, skus) =
        try_join3(is_for_sale(db, id), shown(db, &ids), skus(db, id)).await?;
    if !is_for_sale {
        return Err(Refused::NotFound { what: "product" }.into());
    }
    let product = product.into_iter().next().ok_or_else(|| without_sku(id))?;
    Ok((product, skus))
}

async fn categories(db: &Db<'_>) -> Result<Vec<Category>> {
    // In the order of their characters, whatever the database's own idea of order is.
    const CATEGORIES: &str = "SELECT category, count(*) FROM products WHERE for_sale AND category \
         IS NOT NULL \
         GROUP BY category ORDER BY category COLLATE \"C\"";
    let rows = db.query(CATEGORIES, &[]).await?;
    let category = |row: &Row| Category { name: row.get(0), products: unsigned(row.get(1)) };
    Ok(rows.iter().map(category).collect())
}

/// Products in the order of their ids here, whether or not they are for sale: a wishlist shows them
/// either way.
pub(crate) async fn any_products(db: &Db<'_>, ids: &[i64]) -> Result<Vec<Product>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let products = shown(db, ids).await?;
    if products.len() == ids.len() {
        return Ok(products);
    }
    let is_missing = |id: &&i64| products.iter().all(|product| product.id.0 != **id);
    let missing = ids.iter().copied().find(|id| is_missing(&id));
    Err(without_sku(ProductId(missing.unwrap_or_default())).into())
}

fn without_sku(id: ProductId) -> Failed {
    Failed::Inconsistent(format!("product {id} has no SKU"))
}

/// What lists show of products; the literal says whether one is available.
macro_rules! shown {
    ($available:literal) => {
        concat!(
            "SELECT p.id, p.name, p.brand, p.category, p.description, i.image, s.price, \
             s.original_price, ",
            $available,
            " FROM unnest($1::bigint[]) WITH ORDINALITY AS asked (id, place) \
             JOIN products p ON p.id = asked.id \
             CROSS JOIN LATERAL (SELECT f.image FROM skus f WHERE f.product_id = p.id \
             ORDER BY f.active DESC, f.id LIMIT 1) i \
             CROSS JOIN LATERAL (SELECT c.price, c.original_price FROM skus c \
             WHERE c.product_id = p.id ORDER BY c.active DESC, c.price, c.id LIMIT 1) s \
             ORDER BY asked.place"
        )
    };
}

const SHOWN: &str = shown!(
    "EXISTS (SELECT 1 FROM skus a JOIN stock t ON t.sku_id = a.id \
     WHERE a.product_id = p.id AND a.active AND t.on_hand > 0)"
);

// On a cluster the catalogue is on each server and the stock is spread: it is asked by itself.
const SHOWN_WITHOUT_STOCK: &str = shown!("false");
const IN_STOCK: &str = "SELECT DISTINCT a.product_id FROM skus a JOIN stock t ON t.sku_id = a.id \
     WHERE a.product_id = ANY ($1) AND a.active AND t.on_hand > 0";

/// What lists show of these products, as far as they are there, in this order.
async fn shown(db: &Db<'_>, ids: &[i64]) -> Result<Vec<Product>> {
    let product = |row: &Row| Product {
        id: ProductId(row.get(0)),
        name: row.get(1),
        brand: row.get(2),
        category: row.get(3),
        description: row.get(4),
        image: row.get(5),
        price: Money(row.get(6)),
        original_price: row.get::<_, Option<i64>>(7).map(Money),
        available: row.get(8),
    };
    if !db.is_distributed() {
        return Ok(db.query(SHOWN, &[&ids]).await?.iter().map(product).collect());
    }
    let rows = db.query(SHOWN_WITHOUT_STOCK, &[&ids]).await?;
    let in_stock = db.query(IN_STOCK, &[&ids]).await?;
    let in_stock: HashSet<i64> = in_stock.iter().map(|row| row.get(0)).collect();
    let products = rows.iter().map(product);
    Ok(products.map(|p| Product { available: in_stock.contains(&p.id.0), ..p }).collect())
}

pub(crate) async fn is_for_sale(db: &Db<'_>, id: ProductId) -> Result<bool> {
    const FOR_SALE: &str = "SELECT for_sale FROM products WHERE id = $1";
    Ok(db.query_opt(FOR_SALE, &[&id.0]).await?.is_some_and(|row| row.get(0)))
}

async fn skus(db: &Db<'_>, product: ProductId) -> Result<Vec<Sku>> {
    const SKUS: &str = "SELECT s.id, s.product_id, s.sku_code, p.name, s.size, s.color, s.image, \
         s.price, \
         s.original_price, s.active, t.on_hand FROM skus s JOIN products p ON p.id = s.product_id \
         JOIN stock t ON t.sku_id = s.id WHERE s.product_id = $1 AND s.active ORDER BY s.id";
    let rows = db.query(SKUS, &[&product.0]).await?;
    Ok(rows.iter().map(|row| Sku { facts: sku_facts(row), on_hand: row.get(10) }).collect())
}

/// One statement, and so one moment, on a connection without a time limit: it takes as long as the
/// catalogue is large.
async fn export(store: &Postgres) -> Result<Vec<CatalogueRow>> {
    const ROWS: &str = "SELECT p.id, p.handle, p.name, p.brand, p.category, p.description, \
         s.image, s.id, \
         s.sku_code, s.size, s.color, s.price, s.original_price, t.on_hand, s.active \
         FROM products p JOIN skus s ON s.product_id = p.id JOIN stock t ON t.sku_id = s.id \
         ORDER BY p.id, s.id";
    let client = store.target.connect_patiently().await;
    let client = client.map_err(|error| {
        Failed::Unavailable(format!("the catalogue cannot be exported: {error}"))
    })?;
    let rows = client.query_raw(ROWS, std::iter::empty::<i64>()).await?;
    Ok(rows.map_ok(|row| catalogue_row(&row)).try_collect().await?)
}

pub(crate) fn catalogue_row(row: &Row) -> CatalogueRow {
    CatalogueRow {
        product: ProductKey::Id(ProductId(row.get(0)), row.get(1)),
        name: row.get(2),
        brand: row.get(3),
        category: row.get(4),
        description: row.get(5),
        image: row.get(6),
        sku_id: Some(SkuId(row.get(7))),
        sku_code: row.get(8),
        size: row.get(9),
        color: row.get(10),
        price: Money(row.get(11)),
        original_price: row.get::<_, Option<i64>>(12).map(Money),
        stock: row.get(13),
        active: row.get(14),
    }
}

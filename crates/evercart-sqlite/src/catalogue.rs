//! The catalogue's SQL: lists and search for everybody.

use async_trait::async_trait;
use evercart_core::catalogue::{
    Catalogue, CatalogueRow, Category, ImportOutcome, Product, ProductKey, ProductQuery, Progress,
    Rendition, RowChanges, Sku, SkuFacts,
};
use evercart_core::error::{Failed, Refused, Result as StoreResult};
use evercart_core::ids::{ProductId, SkuId};
use evercart_core::money::Money;
use evercart_core::order::{Listed, Page};
use evercart_core::search::searched_words;
use rusqlite::{OptionalExtension, Row};

use crate::Sqlite;
use crate::db::{Db, Result, unsigned};
use crate::shown::{self, State};

#[async_trait]
impl Catalogue for Sqlite {
    async fn products(&self, query: ProductQuery, page: Page) -> StoreResult<Listed<Product>> {
        self.public.read_snapshot(move |db| products(db, &query, page)).await
    }

    async fn product(&self, id: ProductId) -> StoreResult<(Product, Vec<Sku>)> {
        self.public
            .read_snapshot(move |db| {
                if !is_for_sale(db, id)? {
                    return Err(Refused::NotFound { what: "product" }.into());
                }
                Ok((any_product(db, id, shown::state(db)?)?, skus(db, id)?))
            })
            .await
    }

    async fn categories(&self) -> StoreResult<Vec<Category>> {
        const CATEGORIES: &str = "SELECT category, count(*) FROM products \
             WHERE for_sale = 1 AND category IS NOT NULL GROUP BY category ORDER BY category";
        const MOVING: &str = "SELECT category, count(*) FROM (SELECT p.category FROM products p \
             WHERE p.for_sale = 1 AND p.category IS NOT NULL \
             AND NOT EXISTS (SELECT 1 FROM import_products n WHERE n.id = p.id) \
             UNION ALL SELECT category FROM import_products \
             WHERE for_sale = 1 AND category IS NOT NULL) GROUP BY category ORDER BY category";
        self.public
            .read_snapshot(|db| {
                let is_moving = shown::state(db)? == State::Moving;
                let mut statement = db.sql(if is_moving { MOVING } else { CATEGORIES })?;
                let categories = statement.query_map([], |row| {
                    Ok(Category { name: row.get(0)?, products: unsigned(row.get(1)?) })
                })?;
                Ok(categories.collect::<rusqlite::Result<_>>()?)
            })
            .await
    }

    async fn has_products(&self) -> StoreResult<bool> {
        const HAS_PRODUCTS: &str = "SELECT EXISTS (SELECT 1 FROM shown_products)";
        self.readers.read(|db| Ok(db.sql(HAS_PRODUCTS)?.query_row([], |row| row.get(0))?)).await
    }

    async fn change_catalogue(
        &self,
        rows: Box<dyn RowChanges>,
        progress: Progress,
    ) -> StoreResult<ImportOutcome> {
        self.import(rows, progress).await
    }

    async fn export_catalogue(&self) -> StoreResult<Vec<CatalogueRow>> {
        self.readers.read_snapshot(export).await
    }
}

fn products(db: &Db, query: &ProductQuery, page: Page) -> Result<Listed<Product>> {
    let state = shown::state(db)?;
    let lists = if state == State::Moving { &MOVING } else { &SETTLED };
    let category = query.category.as_deref();
    let offset = i64::try_from(page.offset).unwrap_or(i64::MAX);
    let words = query.search.as_deref().and_then(match_expression);
    let (total, ids) = match (&words, category) {
        (Some(words), _) => found(db, lists.found, (words, category), page)?,
        (None, Some(category)) => (
            count(db, lists.count_category, [category])?,
            ids(db, lists.category, (page.limit, offset, category))?,
        ),
        (None, None) => (count(db, lists.count, [])?, ids(db, lists.all, (page.limit, offset))?),
    };
    let items = ids.into_iter().map(|id| any_product(db, id, state)).collect::<Result<_>>()?;
    Ok(Listed { items, total })
}

/// What lists products.
struct Lists {
    count: &'static str,
    all: &'static str,
    count_category: &'static str,
    category: &'static str,
    found: &'static str,
}

const SETTLED: Lists = Lists {
    count: "SELECT count(*) FROM products WHERE for_sale = 1",
    all: "SELECT id FROM products WHERE for_sale = 1 ORDER BY id LIMIT ?1 OFFSET ?2",
    count_category: "SELECT count(*) FROM products WHERE for_sale = 1 AND category = ?1",
    category: "SELECT id FROM products WHERE for_sale = 1 AND category = ?3 \
         ORDER BY id LIMIT ?1 OFFSET ?2",
    found: "SELECT p.id FROM product_words w JOIN products p ON p.id = w.rowid \
         WHERE product_words MATCH ?1 AND p.for_sale = 1 AND (?2 IS NULL OR p.category = ?2) \
         ORDER BY w.rowid",
};

/// The same while an import is being moved: of each product what stands beside comes first, and so
/// do its new words.
const MOVING: Lists = Lists {
    count: "SELECT (SELECT count(*) FROM products p WHERE p.for_sale = 1 \
         AND NOT EXISTS (SELECT 1 FROM import_products n WHERE n.id = p.id)) \
         + (SELECT count(*) FROM import_products WHERE for_sale = 1)",
    all: "SELECT p.id FROM products p WHERE p.for_sale = 1 \
         AND NOT EXISTS (SELECT 1 FROM import_products n WHERE n.id = p.id) \
         UNION ALL SELECT id FROM import_products WHERE for_sale = 1 \
         ORDER BY 1 LIMIT ?1 OFFSET ?2",
    count_category: "SELECT (SELECT count(*) FROM products p WHERE p.for_sale = 1 \
         AND p.category = ?1 AND NOT EXISTS (SELECT 1 FROM import_products n WHERE n.id = p.id)) \
         + (SELECT count(*) FROM import_products WHERE for_sale = 1 AND category = ?1)",
    category: "SELECT p.id FROM products p WHERE p.for_sale = 1 AND p.category = ?3 \
         AND NOT EXISTS (SELECT 1 FROM import_products n WHERE n.id = p.id) \
         UNION ALL SELECT id FROM import_products WHERE for_sale = 1 AND category = ?3 \
         ORDER BY 1 LIMIT ?1 OFFSET ?2",
    found: "SELECT p.id FROM product_words w JOIN products p \
         ON p.id = w.rowid & 9007199254740991 LEFT JOIN import_products n ON n.id = p.id \
         WHERE product_words MATCH ?1 AND (w.rowid > 9007199254740991) = (n.has_new_words IS 1) \
         AND iif(n.id IS NULL, p.for_sale, n.for_sale) = 1 \
         AND (?2 IS NULL OR iif(n.id IS NULL, p.category, n.category) = ?2) ORDER BY p.id",
};

/// How many match, and those of a page. Finding out which match is what a search costs: that is
/// done once.
fn found(
    db: &Db,
    sql: &'static str,
    searched: (&str, Option<&str>),
    page: Page,
) -> Result<(u64, Vec<ProductId>)> {
    let mut statement = db.sql(sql)?;
    let mut matching = statement.query(searched)?;
    let (mut total, mut ids) = (0, Vec::new());
    while let Some(row) = matching.next()? {
        if total >= page.offset && ids.len() < page.limit as usize {
            ids.push(ProductId(row.get(0)?));
        }
        total += 1;
    }
    Ok((total, ids))
}

fn count(db: &Db, sql: &'static str, params: impl rusqlite::Params) -> Result<u64> {
    Ok(unsigned(db.sql(sql)?.query_row(params, |row| row.get(0))?))
}

fn ids(db: &Db, sql: &'static str, params: impl rusqlite::Params) -> Result<Vec<ProductId>> {
    let mut statement = db.sql(sql)?;
    let ids = statement.query_map(params, |row| row.get(0).map(ProductId))?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}

/// The FTS5 expression for "each of these words begins a word". Words are quoted, so nothing a
/// customer types is an operator. `None` if there is none.
fn match_expression(search: &str) -> Option<String> {
    let words = searched_words(search);
    let words: Vec<_> = words.into_iter().map(|word| format!("\"{word}\"*")).collect();
    (!words.is_empty()).then(|| words.join(" AND "))
}

/// A product whether or not it is for sale: a wishlist shows it either way.
pub(crate) fn any_product(db: &Db, id: ProductId, state: State) -> Result<Product> {
    const PRODUCT: &str = "SELECT p.id, p.name, p.brand, p.category, p.description, \
         (SELECT i.image FROM skus i WHERE i.product_id = p.id ORDER BY i.active DESC, i.id \
         LIMIT 1), \
         s.price, s.original_price, \
         EXISTS (SELECT 1 FROM skus a JOIN stock t ON t.sku_id = a.id \
         WHERE a.product_id = p.id AND a.active = 1 AND t.on_hand > 0) \
         FROM products p JOIN skus s ON s.id = (SELECT c.id FROM skus c WHERE c.product_id = p.id \
         ORDER BY c.active DESC, c.price, c.id LIMIT 1) WHERE p.id = ?1";
    // The views are not joined by ON: SQLite would make a table of each.
    const SHOWN: &str = "SELECT p.id, p.name, p.brand, p.category, p.description, \
         (SELECT i.image FROM shown_skus i WHERE i.product_id = p.id ORDER BY i.active DESC, i.id \
         LIMIT 1), \
         s.price, s.original_price, \
         EXISTS (SELECT 1 FROM shown_skus a, stock t WHERE t.sku_id = a.id \
         AND a.product_id = p.id AND a.active = 1 AND t.on_hand > 0) \
         FROM shown_products p, shown_skus s WHERE s.id = (SELECT c.id FROM shown_skus c \
         WHERE c.product_id = p.id ORDER BY c.active DESC, c.price, c.id LIMIT 1) AND p.id = ?1";
    let product = db
        .sql(if state == State::Settled { PRODUCT } else { SHOWN })?
        .query_row([id.0], |row| {
            Ok(Product {
                id: ProductId(row.get(0)?),
                name: row.get(1)?,
                brand: row.get(2)?,
                category: row.get(3)?,
                description: row.get(4)?,
                image: row.get(5)?,
                price: Money(row.get(6)?),
                original_price: row.get::<_, Option<i64>>(7)?.map(Money),
                available: row.get(8)?,
            })
        })
        .optional()?;
    product.ok_or_else(|| Failed::Inconsistent(format!("product {id} has no SKU")).into())
}

pub(crate) fn is_for_sale(db: &Db, id: ProductId) -> Result<bool> {
    const FOR_SALE: &str = "SELECT for_sale FROM shown_products WHERE id = ?1";
    Ok(db.sql(FOR_SALE)?.query_row([id.0], |row| row.get(0)).optional()?.unwrap_or(false))
}

fn skus(db: &Db, product: ProductId) -> Result<Vec<Sku>> {
    const SKUS: &str = "SELECT s.id, s.product_id, s.sku_code, p.name, s.size, s.color, s.image, \
         s.price, s.original_price, s.active, t.on_hand \
         FROM shown_skus s, shown_products p, stock t WHERE p.id = s.product_id \
         AND t.sku_id = s.id AND s.product_id = ?1 AND s.active = 1 ORDER BY s.id";
    let mut statement = db.sql(SKUS)?;
    let skus = statement
        .query_map([product.0], |row| Ok(Sku { facts: sku_facts(row)?, on_hand: row.get(10)? }))?;
    Ok(skus.collect::<rusqlite::Result<_>>()?)
}

/// The first ten columns of a statement that begins with a SKU's facts.
pub(crate) fn sku_facts(row: &Row<'_>) -> rusqlite::Result<SkuFacts> {
    Ok(SkuFacts {
        sku_id: SkuId(row.get(0)?),
        product_id: ProductId(row.get(1)?),
        sku_code: row.get(2)?,
        name: row.get(3)?,
        size: row.get(4)?,
        color: row.get(5)?,
        image: row.get(6)?,
        price: Money(row.get(7)?),
        original_price: row.get::<_, Option<i64>>(8)?.map(Money),
        active: row.get(9)?,
        rendition: Rendition::default(),
    })
}

fn export(db: &Db) -> Result<Vec<CatalogueRow>> {
    const ROWS: &str = "SELECT p.id, p.handle, p.name, p.brand, p.category, p.description, \
         s.image, \
         s.id, s.sku_code, s.size, s.color, s.price, s.original_price, t.on_hand, s.active \
         FROM shown_products p, shown_skus s, stock t WHERE s.product_id = p.id \
         AND t.sku_id = s.id ORDER BY p.id, s.id";
    let mut statement = db.sql(ROWS)?;
    let rows = statement.query_map([], catalogue_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The columns of a statement that reads a SKU as a whole catalogue file has it.
pub(crate) fn catalogue_row(row: &Row<'_>) -> rusqlite::Result<CatalogueRow> {
    Ok(CatalogueRow {
        product: ProductKey::Id(ProductId(row.get(0)?), row.get(1)?),
        name: row.get(2)?,
        brand: row.get(3)?,
        category: row.get(4)?,
        description: row.get(5)?,
        image: row.get(6)?,
        sku_id: Some(SkuId(row.get(7)?)),
        sku_code: row.get(8)?,
        size: row.get(9)?,
        color: row.get(10)?,
        price: Money(row.get(11)?),
        original_price: row.get::<_, Option<i64>>(12)?.map(Money),
        stock: row.get(13)?,
        active: row.get(14)?,
    })
}

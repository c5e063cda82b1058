//! Puts a catalogue file's rows in, inside one transaction: what contradicts the store or the other
//! rows is collected, so that its owner sees all of it at once.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use evercart_core::catalogue::{CatalogueRow, ImportSummary, ProductKey, RowProblem};
use evercart_core::error::Failed;
use evercart_core::ids::{ProductId, SkuId};
use rusqlite::{ErrorCode, OptionalExtension};

use crate::actor::take_number;
use crate::db::{Db, DbError, Result};

pub(crate) struct Import<'a> {
    db: &'a Db,
    rows: &'a [CatalogueRow],
    summary: ImportSummary,
    /// The first row of each product and SKU.
    products: HashMap<ProductId, usize>,
    skus: HashMap<SkuId, usize>,
    pub(crate) problems: Vec<RowProblem>,
}

impl<'a> Import<'a> {
    pub(crate) fn new(db: &'a Db, rows: &'a [CatalogueRow]) -> Self {
        Self {
            db,
            rows,
            summary: ImportSummary::default(),
            products: HashMap::new(),
            skus: HashMap::new(),
            problems: Vec::new(),
        }
    }

    pub(crate) fn row(&mut self, number: usize) -> Result<()> {
        let row = &self.rows[number];
        let outcome = match self.product(number, row)? {
            Ok(product) => self.sku(number, row, product)?,
            Err(problem) => Err(problem),
        };
        if let Err(problem) = outcome {
            self.problems.push(RowProblem { row: number, problem });
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<ImportSummary> {
        const FOR_SALE: &str = "UPDATE products SET for_sale = EXISTS \
             (SELECT 1 FROM skus WHERE product_id = products.id AND active = 1) WHERE id = ?1";
        const NEW_VERSION: &str = "UPDATE catalogue_version SET version = version + 1";
        for product in self.products.keys() {
            self.db.change_one(FOR_SALE, [product.0])?;
        }
        self.db.change_one(NEW_VERSION, [])?;
        Ok(self.summary)
    }

    fn product(&mut self, number: usize, row: &CatalogueRow) -> Result<Result<ProductId, String>> {
        let (id, handle) = match &row.product {
            ProductKey::Id(id, handle) => (*id, handle.as_deref()),
            ProductKey::Handle(handle) => (self.product_with_handle(handle)?, Some(&**handle)),
        };
        match self.products.entry(id) {
            Entry::Occupied(first) => {
                let first = *first.get();
                let same = same_product(&self.rows[first], row);
                Ok(if same { Ok(id) } else { Err(differs(id, first)) })
            }
            Entry::Vacant(new) => {
                new.insert(number);
                let added = write_product(self.db, id, handle, row)?;
                if let Ok(added) = added {
                    self.summary.products_added += u64::from(added);
                }
                Ok(added.map(|_| id))
            }
        }
    }

    fn product_with_handle(&self, handle: &str) -> Result<ProductId> {
        const FIND: &str = "SELECT id FROM products WHERE handle = ?1";
        let found = self.db.sql(FIND)?.query_row([handle], |row| row.get(0)).optional()?;
        match found {
            Some(id) => Ok(ProductId(id)),
            None => Ok(ProductId(take_number(self.db, "product")?)),
        }
    }

    fn sku(
        &mut self,
        number: usize,
        row: &CatalogueRow,
        product: ProductId,
    ) -> Result<Result<(), String>> {
        const BY_CODE: &str = "SELECT id FROM skus WHERE sku_code = ?1";
        const PRODUCT_OF: &str = "SELECT product_id FROM skus WHERE id = ?1";
        let with_code: Option<i64> =
            self.db.sql(BY_CODE)?.query_row([&row.sku_code], |row| row.get(0)).optional()?;
        let id = match (row.sku_id, with_code) {
            (Some(id), Some(other)) if id.0 != other => {
                return Ok(Err(format!("sku_code {:?} is SKU {other}'s", row.sku_code)));
            }
            (Some(id), _) => id,
            (None, Some(id)) => SkuId(id),
            (None, None) => SkuId(take_number(self.db, "sku")?),
        };
        if let Some(first) = self.skus.insert(id, number) {
            return Ok(Err(format!("SKU {id} ({}) is in row {} already", row.sku_code, first + 1)));
        }
        let known: Option<i64> =
            self.db.sql(PRODUCT_OF)?.query_row([id.0], |row| row.get(0)).optional()?;
        match known {
            Some(other) if other != product.0 => {
                return Ok(Err(format!("SKU {id} belongs to product {other}, not {product}")));
            }
            Some(_) => self.summary.skus_updated += 1,
            None => self.summary.skus_added += 1,
        }
        write_sku(self.db, id, product, row)?;
        Ok(Ok(()))
    }
}

fn same_product(a: &CatalogueRow, b: &CatalogueRow) -> bool {
    (&a.name, &a.brand, &a.category, &a.description)
        == (&b.name, &b.brand, &b.category, &b.description)
}

fn differs(id: ProductId, first: usize) -> String {
    format!(
        "product {id} has another name, brand, category or description than in row {}: \
         they must be the same in all rows of a product",
        first + 1
    )
}

/// Writes a product and its words. `Ok(true)` if it is new.
fn write_product(
    db: &Db,
    id: ProductId,
    handle: Option<&str>,
    row: &CatalogueRow,
) -> Result<Result<bool, String>> {
    const FIND: &str = "SELECT 1 FROM products WHERE id = ?1";
    const WRITE: &str = "INSERT INTO products (id, handle, name, brand, category, description, \
         for_sale) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0) ON CONFLICT (id) DO UPDATE SET \
         handle = coalesce(excluded.handle, handle), name = excluded.name, brand = excluded.brand, \
         category = excluded.category, description = excluded.description";
    const FORGET_WORDS: &str = "DELETE FROM product_words WHERE rowid = ?1";
    const WORDS: &str = "INSERT INTO product_words (rowid, name, brand, category, description) \
         VALUES (?1, ?2, ?3, ?4, ?5)";
    let is_new = db.sql(FIND)?.query_row([id.0], |_| Ok(())).optional()?.is_none();
    let texts = (&row.name, &row.brand, &row.category, &row.description);
    let written = db.sql(WRITE)?.execute((id.0, handle, texts.0, texts.1, texts.2, texts.3));
    match written {
        Ok(_) => {}
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
            return Ok(Err(format!(
                "product {id} cannot have the handle {:?}: another product has it",
                handle.unwrap_or_default()
            )));
        }
        Err(error) => return Err(DbError::Sql(error)),
    }
    number_is_taken(db, "product", id.0)?;
    db.sql(FORGET_WORDS)?.execute([id.0])?;
    db.sql(WORDS)?.execute((id.0, texts.0, texts.1, texts.2, texts.3))?;
    Ok(Ok(is_new))
}

fn write_sku(db: &Db, id: SkuId, product: ProductId, row: &CatalogueRow) -> Result<()> {
    const WRITE: &str = "INSERT INTO skus (id, product_id, sku_code, size, color, image, price, \
         original_price, active) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) \
         ON CONFLICT (id) DO UPDATE SET sku_code = excluded.sku_code, size = excluded.size, \
         color = excluded.color, image = excluded.image, price = excluded.price, \
         original_price = excluded.original_price, active = excluded.active";
    const STOCK: &str = "INSERT INTO stock (sku_id, on_hand) VALUES (?1, ?2) \
         ON CONFLICT (sku_id) DO UPDATE SET on_hand = excluded.on_hand";
    db.sql(WRITE)?.execute((
        id.0,
        product.0,
        &row.sku_code,
        &row.size,
        &row.color,
        &row.image,
        row.price.0,
        row.original_price.map(|price| price.0),
        row.active,
    ))?;
    number_is_taken(db, "sku", id.0)?;
    db.sql(STOCK)?.execute((id.0, row.stock))?;
    Ok(())
}

/// Keeps a counter ahead of the numbers that files bring along.
fn number_is_taken(db: &Db, counter: &'static str, number: i64) -> Result<()> {
    const KEEP_AHEAD: &str =
        "UPDATE counters SET next = max(next, min(?2, 9007199254740990) + 1) WHERE name = ?1";
    match db.sql(KEEP_AHEAD)?.execute((counter, number))? {
        1 => db.reserve(counter, number + 1),
        _ => Err(Failed::Inconsistent(format!("the counter {counter} is missing")).into()),
    }
}

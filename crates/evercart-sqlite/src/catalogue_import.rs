//! Puts a catalogue file's rows in, inside one transaction: what contradicts the store or the other
//! rows is collected, so that its owner sees all of it at once.

use evercart_core::catalogue::plan::{Planned, Planner, ProductChange, SkuChange, stock_problem};
use evercart_core::catalogue::{
    CatalogueRow, ImportSummary, Known, ProductFacts, ProductKey, RowChange, RowChanges, STOCK_MAX,
    StockChange,
};
use evercart_core::error::Failed;
use evercart_core::ids::{ProductId, SkuId};
use rusqlite::OptionalExtension;

use crate::catalogue::catalogue_row;
use crate::db::{Db, DbError, Result};

/// Rows that are read and planned together.
const SLICE: usize = 1_000;

pub(crate) struct Import<'a> {
    db: &'a Db,
    pub(crate) planner: Planner,
    /// Handles and codes of products and SKUs that get them when all rows are in.
    handles: Vec<(i64, String)>,
    codes: Vec<(i64, String)>,
}

impl<'a> Import<'a> {
    /// Begins with the first of these rows.
    pub(crate) fn begin(db: &'a Db, rows: &mut dyn RowChanges) -> Result<Self> {
        let mut planner = Planner::new(next_number(db, "product")?, next_number(db, "sku")?);
        rows.rewind().map_err(DbError::Store)?;
        loop {
            let slice = rows.next(SLICE).map_err(DbError::Store)?;
            if slice.is_empty() {
                break;
            }
            planner.expect(&slice);
        }
        rows.rewind().map_err(DbError::Store)?;
        Ok(Self { db, planner, handles: Vec::new(), codes: Vec::new() })
    }

    /// Puts the next rows in. False after the last one.
    pub(crate) fn slice(&mut self, rows: &mut dyn RowChanges) -> Result<bool> {
        let slice = rows.next(SLICE).map_err(DbError::Store)?;
        if slice.is_empty() {
            return Ok(false);
        }
        let known = known(self.db, &slice)?;
        for planned in self.planner.plan(slice, &known) {
            if self.planner.problems().is_empty() {
                self.write(planned)?;
            }
        }
        Ok(true)
    }

    pub(crate) fn finish(self) -> Result<ImportSummary> {
        const FOR_SALE: &str = "UPDATE products SET for_sale = EXISTS \
             (SELECT 1 FROM skus WHERE product_id = products.id AND active = 1) WHERE id = ?1";
        const HANDLE: &str = "UPDATE products SET handle = ?2 WHERE id = ?1";
        const CODE: &str = "UPDATE skus SET sku_code = ?2 WHERE id = ?1";
        const NEW_VERSION: &str = "UPDATE catalogue_version SET version = version + 1";
        for (id, handle) in &self.handles {
            self.db.change_one(HANDLE, (id, handle))?;
        }
        for (id, code) in &self.codes {
            self.db.change_one(CODE, (id, code))?;
        }
        for product in self.planner.products() {
            self.db.change_one(FOR_SALE, [product])?;
        }
        numbers_are_taken(self.db, "product", self.planner.highest_product())?;
        numbers_are_taken(self.db, "sku", self.planner.highest_sku())?;
        self.db.change_one(NEW_VERSION, [])?;
        Ok(self.planner.finish().0)
    }

    fn write(&mut self, planned: Planned) -> Result<()> {
        let Planned { number, product_id, product, sku_id, sku, row, stock } = planned;
        match product {
            ProductChange::New(facts) => self.write_product(facts, true)?,
            ProductChange::Changed { facts, new_handle } => {
                self.write_product(facts, new_handle)?
            }
            ProductChange::Nothing => {}
        }
        match sku {
            SkuChange::New => self.write_sku(sku_id, product_id, row, true)?,
            SkuChange::Changed { new_code } => self.write_sku(sku_id, product_id, row, new_code)?,
            SkuChange::Nothing => {}
        }
        match stock {
            Some(change) => self.change_stock(number, sku_id, change),
            None => Ok(()),
        }
    }

    /// Writes a product and its words. A handle that it gets comes later: it may be another's yet.
    fn write_product(&mut self, facts: ProductFacts, new_handle: bool) -> Result<()> {
        const WRITE: &str = "INSERT INTO products (id, name, brand, category, description, \
             for_sale) \
             VALUES (?1, ?2, ?3, ?4, ?5, 0) ON CONFLICT (id) DO UPDATE SET \
             handle = iif(?6, NULL, handle), name = excluded.name, brand = excluded.brand, \
             category = excluded.category, description = excluded.description";
        const FORGET_WORDS: &str = "DELETE FROM product_words WHERE rowid = ?1";
        const WORDS: &str = "INSERT INTO product_words (rowid, name, brand, category, \
             description) \
             VALUES (?1, ?2, ?3, ?4, ?5)";
        let ProductFacts { id: ProductId(id), handle, name, brand, category, description } = facts;
        self.db.sql(WRITE)?.execute((id, &name, &brand, &category, &description, new_handle))?;
        self.db.sql(FORGET_WORDS)?.execute([id])?;
        self.db.sql(WORDS)?.execute((id, &name, &brand, &category, &description))?;
        self.handles.extend(handle.filter(|_| new_handle).map(|handle| (id, handle)));
        Ok(())
    }

    /// Writes a SKU, but for the stock of one that was there. A code that may be another's yet
    /// comes later; no file can bring along the control character that stands for it.
    fn write_sku(
        &mut self,
        id: SkuId,
        product: ProductId,
        row: CatalogueRow,
        new_code: bool,
    ) -> Result<()> {
        const WRITE: &str = "INSERT INTO skus (id, product_id, sku_code, size, color, image, \
             price, \
             original_price, active) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) \
             ON CONFLICT (id) DO UPDATE SET sku_code = excluded.sku_code, size = excluded.size, \
             color = excluded.color, image = excluded.image, price = excluded.price, \
             original_price = excluded.original_price, active = excluded.active";
        const STOCK: &str =
            "INSERT INTO stock (sku_id, on_hand) VALUES (?1, ?2) ON CONFLICT (sku_id) DO NOTHING";
        let later = new_code && self.planner.is_freed_code(&row.sku_code);
        let stand_in = format!("\u{1}{id}");
        let code = if later { &stand_in } else { &row.sku_code };
        self.db.sql(WRITE)?.execute((
            id.0,
            product.0,
            code,
            &row.size,
            &row.color,
            &row.image,
            row.price.0,
            row.original_price.map(|price| price.0),
            row.active,
        ))?;
        self.db.sql(STOCK)?.execute((id.0, row.stock))?;
        if later {
            self.codes.push((id.0, row.sku_code));
        }
        Ok(())
    }

    /// Compares and changes in one statement. A stock that has moved contradicts the store.
    fn change_stock(&mut self, number: usize, sku: SkuId, change: StockChange) -> Result<()> {
        const TO: &str = "UPDATE stock SET on_hand = ?2 WHERE sku_id = ?1";
        const IF_STILL: &str = "UPDATE stock SET on_hand = ?2 WHERE sku_id = ?1 AND on_hand = ?3";
        const BY: &str = "UPDATE stock SET on_hand = on_hand + ?2 \
             WHERE sku_id = ?1 AND on_hand + ?2 BETWEEN 0 AND ?3";
        const ON_HAND: &str = "SELECT on_hand FROM stock WHERE sku_id = ?1";
        let changed = match change {
            StockChange::To(pieces) => self.db.sql(TO)?.execute((sku.0, pieces))?,
            StockChange::ToIfStill { pieces, seen } => {
                self.db.sql(IF_STILL)?.execute((sku.0, pieces, seen))?
            }
            StockChange::By(pieces) => self.db.sql(BY)?.execute((sku.0, pieces, STOCK_MAX))?,
        };
        if changed == 1 {
            return Ok(());
        }
        let on_hand = self.db.sql(ON_HAND)?.query_row([sku.0], |row| row.get(0))?;
        let missed = || Failed::Inconsistent(format!("the stock of SKU {sku} cannot be changed"));
        let problem = stock_problem(sku, change, on_hand).ok_or_else(missed)?;
        self.planner.contradicts(number, problem);
        Ok(())
    }
}

/// What the store knows of the products and SKUs that rows name.
fn known(db: &Db, rows: &[RowChange]) -> Result<Known> {
    let mut known = Known::default();
    for row in rows {
        match &row.product {
            Some(ProductKey::Id(id, handle)) => {
                product_by_id(db, &mut known, id.0)?;
                if let Some(handle) = handle {
                    product_by_handle(db, &mut known, handle)?;
                }
            }
            Some(ProductKey::Handle(handle)) => product_by_handle(db, &mut known, handle)?,
            None => {}
        }
        if let Some(id) = row.sku_id {
            sku_by_id(db, &mut known, id)?;
        }
        if let Some(code) = &row.sku_code {
            sku_by_code(db, &mut known, code)?;
        }
    }
    Ok(known)
}

fn product_by_id(db: &Db, known: &mut Known, id: i64) -> Result<()> {
    const BY_ID: &str =
        "SELECT id, handle, name, brand, category, description FROM products WHERE id = ?1";
    let found = db.sql(BY_ID)?.query_row([id], product_facts).optional()?;
    found.into_iter().for_each(|facts| known.product(facts));
    Ok(())
}

fn product_by_handle(db: &Db, known: &mut Known, handle: &str) -> Result<()> {
    const BY_HANDLE: &str =
        "SELECT id, handle, name, brand, category, description FROM products WHERE handle = ?1";
    let found = db.sql(BY_HANDLE)?.query_row([handle], product_facts).optional()?;
    found.into_iter().for_each(|facts| known.product(facts));
    Ok(())
}

fn product_facts(row: &rusqlite::Row<'_>) -> rusqlite::Result<ProductFacts> {
    Ok(ProductFacts {
        id: ProductId(row.get(0)?),
        handle: row.get(1)?,
        name: row.get(2)?,
        brand: row.get(3)?,
        category: row.get(4)?,
        description: row.get(5)?,
    })
}

fn sku_by_id(db: &Db, known: &mut Known, id: SkuId) -> Result<()> {
    const BY_ID: &str = "SELECT p.id, p.handle, p.name, p.brand, p.category, p.description, \
         s.image, s.id, s.sku_code, s.size, s.color, s.price, s.original_price, t.on_hand, \
         s.active FROM skus s JOIN products p ON p.id = s.product_id \
         JOIN stock t ON t.sku_id = s.id WHERE s.id = ?1";
    let found = db.sql(BY_ID)?.query_row([id.0], catalogue_row).optional()?;
    found.into_iter().for_each(|row| known.sku(row));
    Ok(())
}

fn sku_by_code(db: &Db, known: &mut Known, code: &str) -> Result<()> {
    const BY_CODE: &str = "SELECT p.id, p.handle, p.name, p.brand, p.category, p.description, \
         s.image, s.id, s.sku_code, s.size, s.color, s.price, s.original_price, t.on_hand, \
         s.active FROM skus s JOIN products p ON p.id = s.product_id \
         JOIN stock t ON t.sku_id = s.id WHERE s.sku_code = ?1";
    let found = db.sql(BY_CODE)?.query_row([code], catalogue_row).optional()?;
    found.into_iter().for_each(|row| known.sku(row));
    Ok(())
}

fn next_number(db: &Db, counter: &'static str) -> Result<i64> {
    const NEXT: &str = "SELECT next FROM counters WHERE name = ?1";
    let next = db.sql(NEXT)?.query_row([counter], |row| row.get(0)).optional()?;
    next.ok_or_else(|| Failed::Inconsistent(format!("the counter {counter} is missing")).into())
}

/// Keeps a counter ahead of the numbers that were given out, and that files bring along.
fn numbers_are_taken(db: &Db, counter: &'static str, highest: Option<i64>) -> Result<()> {
    const KEEP_AHEAD: &str =
        "UPDATE counters SET next = max(next, min(?2, 9007199254740990) + 1) WHERE name = ?1";
    let Some(highest) = highest else { return Ok(()) };
    db.change_one(KEEP_AHEAD, (counter, highest))?;
    db.reserve(counter, highest + 1)
}

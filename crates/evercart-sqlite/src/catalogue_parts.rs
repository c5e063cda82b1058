//! The parts in which an import is written, shown and moved: each is a short transaction.
//! `0012_catalogue_import.sql` says what stands where.

use evercart_core::catalogue::plan::{Planned, Planner, ProductChange, SkuChange, stock_problem};
use evercart_core::catalogue::{CatalogueRow, ProductFacts, RowProblem, STOCK_MAX, StockChange};
use evercart_core::error::Failed;
use evercart_core::ids::{ProductId, SkuId};
use rusqlite::OptionalExtension;

use crate::db::{Db, Result, unsigned};

/// Rows written in one transaction: some milliseconds, so that others wait no longer.
pub(crate) const PART: usize = 500;

/// Where the new words of a product stand while its old ones are shown: behind every id, so that
/// all are added in order, as the index likes it.
const NEW_WORDS: i64 = 1 << 53;

const WORDS: &str = "INSERT INTO product_words (rowid, name, brand, category, description) \
     VALUES (?1, ?2, ?3, ?4, ?5)";

/// From now on what is new is hidden.
pub(crate) fn begin(db: &Db) -> Result<()> {
    const BEGIN: &str = "UPDATE import_state SET state = 1 WHERE state = 0";
    db.sql(BEGIN)?.execute([])?;
    Ok(())
}

/// Writes some rows. Nobody sees them yet.
pub(crate) fn write(db: &Db, planner: &Planner, planned: &[Planned]) -> Result<()> {
    let mut words = Vec::new();
    for Planned { number, product_id, product, sku_id, sku, row, stock } in planned {
        match product {
            ProductChange::New(facts) => {
                let later = facts.handle.as_deref().is_some_and(|it| planner.is_freed_handle(it));
                new_product(db, facts, later)?;
                words.push((facts.id.0, facts));
            }
            ProductChange::Changed { facts, .. } => {
                change_product(db, facts, false)?;
                words.push((facts.id.0 + NEW_WORDS, facts));
            }
            ProductChange::Nothing => {}
        }
        match sku {
            SkuChange::New => {
                let later = planner.is_freed_code(&row.sku_code);
                new_sku(db, *sku_id, *product_id, row, later)?;
            }
            SkuChange::Changed { .. } => change_sku(db, *sku_id, row)?,
            SkuChange::Nothing => {}
        }
        if let Some(change) = stock {
            change_stock(db, *number, *sku_id, *change)?;
        }
    }
    words.sort_unstable_by_key(|(rowid, _)| *rowid);
    for (rowid, facts) in words {
        let ProductFacts { name, brand, category, description, .. } = facts;
        db.sql(WORDS)?.execute((rowid, name, brand, category, description))?;
    }
    Ok(())
}

/// `later`: its handle is another's until all is shown.
fn new_product(db: &Db, facts: &ProductFacts, later: bool) -> Result<()> {
    const INSERT: &str = "INSERT INTO products (id, handle, name, brand, category, description, \
         for_sale) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0)";
    let ProductFacts { id: ProductId(id), handle, name, brand, category, description } = facts;
    let handle = handle.as_ref().filter(|_| !later);
    db.sql(INSERT)?.execute((id, handle, name, brand, category, description))?;
    change_product(db, facts, true)
}

fn change_product(db: &Db, facts: &ProductFacts, is_new: bool) -> Result<()> {
    const INSERT: &str = "INSERT INTO import_products (id, handle, name, brand, category, \
         description, for_sale, is_new, has_new_words) \
         SELECT id, ?2, ?3, ?4, ?5, ?6, for_sale, ?7, NOT ?7 FROM products WHERE id = ?1";
    let ProductFacts { id: ProductId(id), handle, name, brand, category, description } = facts;
    db.change_one(INSERT, (id, handle, name, brand, category, description, is_new))
}

/// `later`: its code is another's until all is shown. What stands for it has a control character,
/// which no file can bring along.
fn new_sku(db: &Db, id: SkuId, product: ProductId, row: &CatalogueRow, later: bool) -> Result<()> {
    const INSERT: &str = "INSERT INTO skus (id, product_id, sku_code, size, color, image, price, \
         original_price, active) VALUES (?1, ?2, iif(?3, char(1) || ?1, ?4), ?5, ?6, ?7, ?8, ?9, \
         ?10)";
    const STOCK: &str = "INSERT INTO stock (sku_id, on_hand) VALUES (?1, ?2)";
    const NEW: &str = "INSERT INTO import_new_skus (id) VALUES (?1)";
    let original = row.original_price.map(|price| price.0);
    let (code, size, color, image) = (&row.sku_code, &row.size, &row.color, &row.image);
    let (price, active) = (row.price.0, row.active);
    db.sql(INSERT)?
        .execute((id.0, product.0, later, code, size, color, image, price, original, active))?;
    db.sql(STOCK)?.execute((id.0, row.stock))?;
    db.sql(NEW)?.execute([id.0])?;
    if later { change_sku(db, id, row) } else { Ok(()) }
}

fn change_sku(db: &Db, id: SkuId, row: &CatalogueRow) -> Result<()> {
    const INSERT: &str = "INSERT INTO import_skus (id, sku_code, size, color, image, price, \
         original_price, active) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let original = row.original_price.map(|price| price.0);
    let (code, size, color, image) = (&row.sku_code, &row.size, &row.color, &row.image);
    db.sql(INSERT)?.execute((id.0, code, size, color, image, row.price.0, original, row.active))?;
    Ok(())
}

fn change_stock(db: &Db, number: usize, sku: SkuId, change: StockChange) -> Result<()> {
    const INSERT: &str =
        "INSERT INTO import_stock (sku_id, line, pieces, seen, moved) VALUES (?1, ?2, ?3, ?4, ?5)";
    let (pieces, seen, moved) = match change {
        StockChange::To(pieces) => (Some(pieces), None, None),
        StockChange::ToIfStill { pieces, seen } => (Some(pieces), Some(seen), None),
        StockChange::By(moved) => (None, None, Some(moved)),
    };
    let number = i64::try_from(number).unwrap_or(i64::MAX);
    db.sql(INSERT)?.execute((sku.0, number, pieces, seen, moved))?;
    Ok(())
}

/// Finds out which of these products will be for sale. When all rows are written.
pub(crate) fn write_for_sale(db: &Db, products: &[i64]) -> Result<()> {
    const CHANGED: &str = "UPDATE import_products SET for_sale = EXISTS \
         (SELECT 1 FROM skus s LEFT JOIN import_skus n ON n.id = s.id \
         WHERE s.product_id = import_products.id AND coalesce(n.active, s.active) = 1) \
         WHERE id = ?1";
    const UNCHANGED: &str = "INSERT INTO import_products (id, handle, name, brand, category, \
         description, for_sale, is_new, has_new_words) \
         SELECT id, handle, name, brand, category, description, NOT for_sale, 0, 0 \
         FROM products WHERE id = ?1 AND for_sale <> EXISTS \
         (SELECT 1 FROM skus s LEFT JOIN import_skus n ON n.id = s.id \
         WHERE s.product_id = products.id AND coalesce(n.active, s.active) = 1)";
    for product in products {
        if db.sql(CHANGED)?.execute([product])? == 0 {
            db.sql(UNCHANGED)?.execute([product])?;
        }
    }
    Ok(())
}

/// The rows whose stock has moved: with any of them nothing is shown.
fn stock_problems(db: &Db) -> Result<Vec<RowProblem>> {
    const MOVED: &str = "SELECT n.sku_id, n.line, n.pieces, n.seen, n.moved, t.on_hand \
         FROM import_stock n JOIN stock t ON t.sku_id = n.sku_id \
         WHERE (n.seen IS NOT NULL AND n.seen <> t.on_hand) \
         OR (n.moved IS NOT NULL AND t.on_hand + n.moved NOT BETWEEN 0 AND ?1) LIMIT 10000";
    let mut statement = db.sql(MOVED)?;
    let mut found = statement.query([STOCK_MAX])?;
    let mut problems = Vec::new();
    while let Some(row) = found.next()? {
        let sku = SkuId(row.get(0)?);
        let change = match row.get(4)? {
            Some(moved) => StockChange::By(moved),
            None => StockChange::ToIfStill { pieces: row.get(2)?, seen: row.get(3)? },
        };
        if let Some(problem) = stock_problem(sku, change, row.get(5)?) {
            problems.push(RowProblem { row: unsigned(row.get(1)?), problem });
        }
    }
    Ok(problems)
}

/// Shows everything that was written: with all of the stock, so many rows, or not at all. Tells of
/// which rows the stock has moved.
pub(crate) fn show(db: &Db, planner: &Planner, stock: usize) -> Result<Vec<RowProblem>> {
    // Compared and changed in one statement. A million rows take half a second.
    const STOCK: &str = "UPDATE stock SET on_hand = coalesce(n.pieces, on_hand + n.moved) \
         FROM import_stock n WHERE n.sku_id = stock.sku_id \
         AND stock.sku_id IN (SELECT sku_id FROM import_stock) \
         AND (n.seen IS NULL OR n.seen = on_hand) \
         AND (n.moved IS NULL OR on_hand + n.moved BETWEEN 0 AND ?1)";
    const SHOW: &str = "UPDATE import_state SET state = 2 WHERE state = 1";
    const NEW_VERSION: &str = "UPDATE catalogue_version SET version = version + 1";
    db.sql("SAVEPOINT stock")?.execute([])?;
    if stock > 0 && db.sql(STOCK)?.execute([STOCK_MAX])? != stock {
        db.sql("ROLLBACK TO stock")?.execute([])?;
        let problems = stock_problems(db)?;
        let missed = || Failed::Inconsistent("the stock of a SKU is missing".into());
        return if problems.is_empty() { Err(missed().into()) } else { Ok(problems) };
    }
    db.sql("RELEASE stock")?.execute([])?;
    numbers_are_taken(db, "product", planner.highest_product())?;
    numbers_are_taken(db, "sku", planner.highest_sku())?;
    db.change_one(SHOW, [])?;
    db.change_one(NEW_VERSION, [])?;
    Ok(Vec::new())
}

/// Writes, shows and moves so few rows in one transaction, or nothing of them. Tells of which rows
/// the stock has moved.
pub(crate) fn write_at_once(
    db: &Db,
    planner: &Planner,
    planned: &[Planned],
    stock: usize,
) -> Result<Vec<RowProblem>> {
    db.sql("SAVEPOINT import")?.execute([])?;
    begin(db)?;
    write(db, planner, planned)?;
    write_for_sale(db, &planner.products())?;
    let problems = show(db, planner, stock)?;
    if problems.is_empty() {
        while move_some(db)? {}
    } else {
        db.sql("ROLLBACK TO import")?.execute([])?;
    }
    db.sql("RELEASE import")?.execute([])?;
    Ok(problems)
}

/// Part of the rows of one table: the first of them, by their keys up to the one that `last` finds,
/// go through these steps.
struct Sweep {
    last: &'static str,
    steps: &'static [&'static str],
}

const LAST_PRODUCT: &str =
    "SELECT max(id) FROM (SELECT id FROM import_products ORDER BY id LIMIT ?1)";
const LAST_SKU: &str = "SELECT max(id) FROM (SELECT id FROM import_skus ORDER BY id LIMIT ?1)";

const NEW_SKUS: Sweep = Sweep {
    last: "SELECT max(id) FROM (SELECT id FROM import_new_skus ORDER BY id LIMIT 10 * ?1)",
    steps: &["DELETE FROM import_new_skus WHERE id <= ?1"],
};

const STOCK: Sweep = Sweep {
    last: "SELECT max(sku_id) FROM (SELECT sku_id FROM import_stock ORDER BY sku_id LIMIT 10 * ?1)",
    steps: &["DELETE FROM import_stock WHERE sku_id <= ?1"],
};

/// What is shown goes into its place. Its keys are looked for by IN: else SQLite reads, for each
/// part, every row up to the last one. A handle or a code that is in the way there is one that its
/// owner gives up, which is read from beside until its turn comes.
const MOVE: [Sweep; 4] = [
    Sweep {
        last: LAST_PRODUCT,
        steps: &[
            "UPDATE products SET handle = NULL WHERE id IN (SELECT p.id FROM import_products n \
             JOIN products p ON p.handle = n.handle WHERE n.id <= ?1 AND p.id <> n.id)",
            "UPDATE products SET handle = n.handle, name = n.name, brand = n.brand, \
             category = n.category, description = n.description, for_sale = n.for_sale \
             FROM import_products n WHERE n.id = products.id \
             AND products.id IN (SELECT id FROM import_products WHERE id <= ?1)",
            "DELETE FROM product_words WHERE rowid IN (SELECT id FROM import_products \
             WHERE id <= ?1 AND has_new_words = 1)",
            "INSERT INTO product_words (rowid, name, brand, category, description) \
             SELECT id, name, brand, category, description FROM import_products \
             WHERE id <= ?1 AND has_new_words = 1 ORDER BY id",
            "DELETE FROM product_words WHERE rowid IN (SELECT id + 9007199254740992 \
             FROM import_products WHERE id <= ?1 AND has_new_words = 1)",
            "DELETE FROM import_products WHERE id <= ?1",
        ],
    },
    Sweep {
        last: LAST_SKU,
        steps: &[
            "UPDATE skus SET sku_code = char(1) || id WHERE id IN (SELECT s.id FROM import_skus n \
             JOIN skus s ON s.sku_code = n.sku_code WHERE n.id <= ?1 AND s.id <> n.id)",
            "UPDATE skus SET sku_code = n.sku_code, size = n.size, color = n.color, \
             image = n.image, price = n.price, original_price = n.original_price, \
             active = n.active FROM import_skus n WHERE n.id = skus.id \
             AND skus.id IN (SELECT id FROM import_skus WHERE id <= ?1)",
            "DELETE FROM import_skus WHERE id <= ?1",
        ],
    },
    NEW_SKUS,
    STOCK,
];

/// What is hidden goes away.
const DISCARD: [Sweep; 4] = [
    Sweep {
        last: "SELECT max(id) FROM (SELECT id FROM import_new_skus ORDER BY id LIMIT ?1)",
        steps: &[
            "DELETE FROM stock WHERE sku_id IN (SELECT id FROM import_new_skus WHERE id <= ?1)",
            "DELETE FROM skus WHERE id IN (SELECT id FROM import_new_skus WHERE id <= ?1)",
            "DELETE FROM import_new_skus WHERE id <= ?1",
        ],
    },
    Sweep {
        last: LAST_PRODUCT,
        steps: &[
            "DELETE FROM product_words WHERE rowid IN (SELECT id FROM import_products \
             WHERE id <= ?1 AND is_new = 1)",
            "DELETE FROM product_words WHERE rowid IN (SELECT id + 9007199254740992 \
             FROM import_products WHERE id <= ?1 AND has_new_words = 1)",
            "DELETE FROM products WHERE id IN (SELECT id FROM import_products \
             WHERE id <= ?1 AND is_new = 1)",
            "DELETE FROM import_products WHERE id <= ?1",
        ],
    },
    Sweep { last: LAST_SKU, steps: &["DELETE FROM import_skus WHERE id <= ?1"] },
    STOCK,
];

/// Moves some of what is shown into its place: whoever reads sees the same before and after. False
/// after the last of it.
pub(crate) fn move_some(db: &Db) -> Result<bool> {
    sweep(db, &MOVE)
}

/// Takes back some of what is hidden. False after the last of it.
pub(crate) fn discard_some(db: &Db) -> Result<bool> {
    sweep(db, &DISCARD)
}

/// One part of the first tables that have rows: of a small import, all there is.
fn sweep(db: &Db, sweeps: &[Sweep]) -> Result<bool> {
    const SETTLED: &str = "UPDATE import_state SET state = 0";
    let part = PART as i64;
    let mut changed = 0;
    for Sweep { last, steps } in sweeps {
        while let Some(last) =
            db.sql(last)?.query_row([part], |row| row.get::<_, Option<i64>>(0))?
        {
            if changed >= PART {
                return Ok(true);
            }
            for step in *steps {
                changed += db.sql(step)?.execute([last])?;
            }
        }
    }
    db.change_one(SETTLED, [])?;
    Ok(false)
}

/// The next number of a product or SKU.
pub(crate) fn next_number(db: &Db, counter: &'static str) -> Result<i64> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migrate;

    #[test]
    fn a_part_reads_no_rows_of_the_catalogue_but_its_own() {
        let schema = migrate::reference(migrate::SCHEMA_VERSION).expect("is made");
        let sweeps = MOVE.iter().chain(&DISCARD);
        for step in sweeps.flat_map(|sweep| sweep.steps) {
            let mut plan = schema.prepare(&format!("EXPLAIN QUERY PLAN {step}")).expect(step);
            let mut lines = plan.raw_query();
            while let Some(line) = lines.next().expect(step) {
                let line: String = line.get(3).expect("a text");
                let of_catalogue = ["products", "skus", "stock"]
                    .iter()
                    .any(|table| line.contains(&format!(" {table} ")));
                assert!(!of_catalogue || line.contains("=?"), "{line} in: {step}");
            }
        }
    }
}

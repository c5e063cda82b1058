//! Puts a catalogue file's rows in, inside one transaction: what contradicts the store or the other
//! rows is collected, so that its owner sees all of it at once. Rows are read, planned and written
//! some at a time; what others could wait for comes last.

use evercart_core::catalogue::plan::Planner;
use evercart_core::catalogue::{Asked, ImportOutcome, Known, ProductFacts, RowChanges};
use evercart_core::error::Failed;
use evercart_core::ids::ProductId;
use tokio_postgres::Transaction;

use crate::catalogue::catalogue_row;
use crate::catalogue_write::{self, Later};
use crate::connect::Target;
use crate::db::{DbError, Result, is_loss};

/// Called with the number of rows done so far.
pub(crate) type Tell<'a> = &'a mut (dyn FnMut(u64) + Send);

/// Rows a turn: few round trips, and no statement larger than some megabytes.
const SLICE: usize = 1_000;

/// Imports on a connection without time limits: a large file takes long. Carts go on meanwhile.
pub(crate) async fn import(
    target: &Target,
    rows: &mut dyn RowChanges,
    tell: Tell<'_>,
) -> Result<ImportOutcome> {
    // Of two imports at once one waits here for the other, whatever the two name.
    const LOCK: &str = "SELECT version FROM catalogue_version FOR NO KEY UPDATE";
    let mut client = target.connect_patiently().await.map_err(|error| {
        Failed::Unavailable(format!("the catalogue cannot be imported: {error}"))
    })?;
    let transaction = client.transaction().await?;
    transaction.query_one(LOCK, &[]).await?;
    let mut planner = planner(&transaction, rows).await?;
    let mut later = Later::default();
    loop {
        let slice = rows.next(SLICE).map_err(DbError::Store)?;
        if slice.is_empty() {
            break;
        }
        let known = known(&transaction, &Asked::of(&slice)).await?;
        let planned = planner.plan(slice, &known);
        if planner.problems().is_empty() {
            catalogue_write::write(&transaction, &planner, planned, &mut later).await?;
        }
        tell(planner.rows());
    }
    if planner.problems().is_empty() {
        catalogue_write::finish(&transaction, target, &mut planner, later).await?;
    }
    let (summary, problems) = planner.finish();
    if !problems.is_empty() {
        transaction.rollback().await?;
        return Ok(ImportOutcome::Rejected(problems));
    }
    match transaction.commit().await {
        Ok(()) => Ok(ImportOutcome::Imported(summary)),
        Err(error) if error.as_db_error().is_some() && !is_loss(&error) => Err(error.into()),
        Err(error) => Err(DbError::CommitUnknown(error)),
    }
}

/// A planner that knows the numbers to give out, at the first of the rows.
async fn planner(transaction: &Transaction<'_>, rows: &mut dyn RowChanges) -> Result<Planner> {
    const NUMBERS: &str = "SELECT p.last_value + p.is_called::int, s.last_value + s.is_called::int \
         FROM product_numbers p, sku_numbers s";
    let numbers = transaction.query_one(NUMBERS, &[]).await?;
    Planner::of(numbers.get(0), numbers.get(1), rows).map_err(DbError::Store)
}

async fn known(transaction: &Transaction<'_>, asked: &Asked<'_>) -> Result<Known> {
    const PRODUCTS: &str = "SELECT id, handle, name, brand, category, description FROM products \
         WHERE id = ANY ($1) OR handle = ANY ($2)";
    const SKUS: &str = "SELECT p.id, p.handle, p.name, p.brand, p.category, p.description, \
         s.image, s.id, s.sku_code, s.size, s.color, s.price, s.original_price, t.on_hand, \
         s.active FROM skus s JOIN products p ON p.id = s.product_id \
         JOIN stock t ON t.sku_id = s.id WHERE s.id = ANY ($1) OR s.sku_code = ANY ($2)";
    let products = transaction.query(PRODUCTS, &[&asked.products, &asked.handles]).await?;
    let skus = transaction.query(SKUS, &[&asked.skus, &asked.codes]).await?;
    let mut known = Known::default();
    for row in products {
        known.product(ProductFacts {
            id: ProductId(row.get(0)),
            handle: row.get(1),
            name: row.get(2),
            brand: row.get(3),
            category: row.get(4),
            description: row.get(5),
        });
    }
    skus.iter().for_each(|row| known.sku(catalogue_row(row)));
    Ok(known)
}

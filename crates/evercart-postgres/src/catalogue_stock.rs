//! What an import does to the stock of SKUs that were there. Last, because orders wait for it, and
//! in the order in which orders lock it.

use evercart_core::catalogue::StockChange;
use evercart_core::catalogue::plan::{Planner, stock_problem};
use evercart_core::ids::SkuId;
use tokio_postgres::Transaction;

use crate::connect::Target;
use crate::db::Result;

/// SKUs a statement.
const BATCH: usize = 1_000;

/// A row that changes a stock.
pub(crate) struct StockRow {
    pub(crate) sku: SkuId,
    pub(crate) change: StockChange,
    /// Which row of the file.
    pub(crate) row: usize,
}

/// Changes the stock. A row whose stock has moved contradicts the store.
pub(crate) async fn write(
    transaction: &Transaction<'_>,
    target: &Target,
    planner: &mut Planner,
    mut rows: Vec<StockRow>,
) -> Result<()> {
    rows.sort_unstable_by_key(|row| row.sku);
    for batch in rows.chunks(BATCH) {
        match target.distributed {
            true => spread(transaction, planner, batch).await?,
            false => write_locked(transaction, planner, batch).await?,
        }
    }
    Ok(())
}

/// What is compared is locked by the statement that reads it, and stays so until it is written.
async fn write_locked(
    transaction: &Transaction<'_>,
    planner: &mut Planner,
    rows: &[StockRow],
) -> Result<()> {
    const LOCK: &str = "SELECT t.sku_id, t.on_hand FROM unnest($1::bigint[], $2::bigint[]) AS n \
         (sku_id, on_hand) JOIN stock t ON t.sku_id = n.sku_id \
         WHERE n.on_hand IS NULL OR t.on_hand <> n.on_hand \
         ORDER BY t.sku_id FOR NO KEY UPDATE OF t";
    const UPDATE: &str = "UPDATE stock t SET on_hand = n.on_hand FROM unnest($1::bigint[], \
         $2::bigint[]) \
         AS n (sku_id, on_hand) WHERE t.sku_id = n.sku_id";
    let ids: Vec<_> = rows.iter().map(|row| row.sku.0).collect();
    let to = |row: &StockRow| match row.change {
        StockChange::To(pieces) => Some(pieces),
        StockChange::ToIfStill { .. } | StockChange::By(_) => None,
    };
    let on_hand: Vec<_> = rows.iter().map(to).collect();
    let locked = transaction.query(LOCK, &[&ids, &on_hand]).await?;
    let (mut ids, mut on_hand) = (Vec::new(), Vec::new());
    let mut rows = rows.iter();
    for found in &locked {
        let (id, now): (i64, i64) = (found.get(0), found.get(1));
        // Both are in the order of the SKUs.
        let Some(row) = rows.by_ref().find(|row| row.sku.0 == id) else { continue };
        if let Some(problem) = stock_problem(row.sku, row.change, now) {
            planner.contradicts(row.row, problem);
            continue;
        }
        ids.push(id);
        on_hand.push(match row.change {
            StockChange::To(pieces) | StockChange::ToIfStill { pieces, .. } => pieces,
            StockChange::By(pieces) => now + pieces,
        });
    }
    if !ids.is_empty() {
        transaction.execute(UPDATE, &[&ids, &on_hand]).await?;
    }
    Ok(())
}

/// On a cluster the shards take what is theirs. They are not asked in the order of the SKUs, so
/// this may meet an order, and has another turn then.
async fn spread(
    transaction: &Transaction<'_>,
    planner: &mut Planner,
    rows: &[StockRow],
) -> Result<()> {
    const SPREAD: &str = "INSERT INTO stock AS t (sku_id, on_hand) \
         SELECT n.sku_id, n.on_hand FROM unnest($1::bigint[], $2::bigint[]) AS n (sku_id, on_hand) \
         ON CONFLICT (sku_id) DO UPDATE SET on_hand = excluded.on_hand \
         WHERE t.on_hand <> excluded.on_hand";
    const IF_STILL: &str = "UPDATE stock SET on_hand = $2 WHERE sku_id = $1 AND on_hand = $3";
    const BY: &str = "UPDATE stock SET on_hand = on_hand + $2 \
         WHERE sku_id = $1 AND on_hand + $2 BETWEEN 0 AND $3";
    const ON_HAND: &str = "SELECT on_hand FROM stock WHERE sku_id = $1";
    let (mut ids, mut on_hand) = (Vec::new(), Vec::new());
    for row in rows {
        let id = row.sku.0;
        let changed = match row.change {
            StockChange::To(pieces) => {
                ids.push(id);
                on_hand.push(pieces);
                continue;
            }
            StockChange::ToIfStill { pieces, seen } => {
                transaction.execute(IF_STILL, &[&id, &pieces, &seen]).await?
            }
            StockChange::By(pieces) => {
                let max = evercart_core::catalogue::STOCK_MAX;
                transaction.execute(BY, &[&id, &pieces, &max]).await?
            }
        };
        if changed == 0 {
            let now: i64 = transaction.query_one(ON_HAND, &[&id]).await?.get(0);
            let moved = || format!("the stock of SKU {} moved meanwhile", row.sku);
            let problem = stock_problem(row.sku, row.change, now).unwrap_or_else(moved);
            planner.contradicts(row.row, problem);
        }
    }
    if !ids.is_empty() {
        transaction.execute(SPREAD, &[&ids, &on_hand]).await?;
    }
    Ok(())
}

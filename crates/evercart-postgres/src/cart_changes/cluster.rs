//! Changes of carts on one server of a cluster. The stock lies elsewhere: what they need of it is
//! read before them, and what their carts show of it after them.

use evercart_core::error::{Failed, Result as StoreResult};
use futures_util::future::try_join_all;
use tokio_postgres::{Client, Statement};

use super::{Answer, CartChange, Columns};
use crate::cart::Change;
use crate::db::{DbError, Result};
use crate::distribute;

/// Makes the changes in one call, which is one transaction on one server.
pub(super) async fn change(
    client: &Client,
    [statement, sku_of_line, on_hand]: [&Statement; 3],
    changes: &[&CartChange],
) -> Result<Vec<StoreResult<Answer>>> {
    let skus = try_join_all(changes.iter().map(|change| sku(client, sku_of_line, change))).await?;
    let stock =
        distribute::on_hand(client, on_hand, skus.iter().copied().flatten().collect()).await?;
    let mut columns = Columns::of(changes);
    let pieces = |sku: &Option<i64>| sku.map(|sku| stock.get(&sku).copied().unwrap_or_default());
    columns.on_hand = skus.iter().map(pieces).collect();
    let first = changes.first().map(|change| &change.session.user_id.0);
    let mut answers = super::change(client, statement, &columns, first).await?;
    // The changes are made. If this fails it must not look as if they could be made again.
    let lines = answers.iter().flat_map(|answer| &answer.content.lines);
    let skus = lines.map(|line| line.sku_id).collect();
    match distribute::on_hand(client, on_hand, skus).await {
        Ok(stock) => {
            answers.iter_mut().for_each(|answer| answer.content.put_stock(&stock));
            Ok(answers.into_iter().map(Ok).collect())
        }
        Err(error) => {
            let text = format!("the stock cannot be read: {}", error.into_store_error());
            Ok(answers.iter().map(|_| Err(Failed::Unavailable(text.clone()).into())).collect())
        }
    }
}

/// Which SKU's pieces a change has to know of.
async fn sku(client: &Client, sku_of_line: &Statement, change: &CartChange) -> Result<Option<i64>> {
    match change.change {
        Change::Add { sku_id, .. } | Change::Move { sku_id, .. } => Ok(Some(sku_id.0)),
        Change::Clear => Ok(None),
        Change::Set { line, .. } => {
            let row = client.query_opt(sku_of_line, &[&change.session.user_id.0, &line.0]).await?;
            Ok::<_, DbError>(row.map(|row| row.get(0)))
        }
    }
}

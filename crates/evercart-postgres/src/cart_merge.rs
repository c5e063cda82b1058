//! Merging what a visitor collected into the customer's cart: one short transaction, since it comes
//! once a sign-in.

use std::collections::HashMap;

use evercart_core::cart::{LINES_MAX, MergeStrategy, SkipReason, Skipped};
use evercart_core::error::Failed;
use evercart_core::guard::{Done, Guard};
use evercart_core::ids::SkuId;
use evercart_core::user::Session;
use futures_util::future::{try_join, try_join3};

use crate::actor::{Begun, begin_as, remember};
use crate::cart::CartContent;
use crate::cart_changes::answer;
use crate::db::{Db, Result, unsigned};
use crate::distribute::ON_HAND;
use crate::limits::allow_cart_change;
use crate::order::check_version;

/// What is known of what is offered, and of the cart it joins.
struct Shelf {
    active: HashMap<i64, bool>,
    on_hand: HashMap<i64, i64>,
    had: HashMap<i64, u32>,
    /// How many lines have joined.
    joined: i64,
}

/// Takes over as much as can be had, and returns the cart as it then is.
pub(crate) async fn merge(
    db: &Db<'_>,
    session: Session,
    items: &[(SkuId, u32)],
    strategy: MergeStrategy,
    guard: &Guard,
) -> Result<Done<(CartContent, Vec<Skipped>)>> {
    // Each line that joins is a version of the cart; together they are to be one.
    const TAKE_BACK: &str = "UPDATE carts SET version = version - $2 WHERE user_id = $1";
    if let Begun::Replay { .. } = begin_as(db, session, guard).await? {
        return Ok(Done::before((content(db, session).await?, Vec::new())));
    }
    check_version(db, session.user_id, guard).await?;
    let allowed = allow_cart_change(db, session.user_id);
    let ((), mut shelf) = try_join(allowed, look(db, session, items)).await?;
    let mut skipped = Vec::new();
    for (sku_id, offered) in items {
        if let Some(reason) =
            merge_one(db, session, &mut shelf, *sku_id, *offered, strategy).await?
        {
            skipped.push(Skipped { sku_id: *sku_id, reason });
        }
    }
    if shelf.joined > 1 {
        db.change_one(TAKE_BACK, &[&session.user_id.0, &(shelf.joined - 1)]).await?;
    }
    remember(db, session.user_id, guard, session.user_id.0).await?;
    Ok(Done::now((content(db, session).await?, skipped)))
}

async fn look(db: &Db<'_>, session: Session, items: &[(SkuId, u32)]) -> Result<Shelf> {
    const ACTIVE: &str = "SELECT id, active FROM skus WHERE id = ANY ($1)";
    const HAD: &str = "SELECT sku_id, quantity FROM cart_items WHERE user_id = $1";
    let ids: Vec<i64> = items.iter().map(|(sku_id, _)| sku_id.0).collect();
    let (active, on_hand, had) = try_join3(
        db.query(ACTIVE, &[&ids]),
        db.query(ON_HAND, &[&ids]),
        db.query(HAD, &[&session.user_id.0]),
    )
    .await?;
    Ok(Shelf {
        active: active.iter().map(|row| (row.get(0), row.get(1))).collect(),
        on_hand: on_hand.iter().map(|row| (row.get(0), row.get(1))).collect(),
        joined: 0,
        had: had.iter().map(|row| (row.get(0), unsigned(row.get::<_, i32>(1).into()))).collect(),
    })
}

/// Adds as much of what is offered as can be had. Says why, if that is not all.
async fn merge_one(
    db: &Db<'_>,
    session: Session,
    shelf: &mut Shelf,
    sku_id: SkuId,
    offered: u32,
    strategy: MergeStrategy,
) -> Result<Option<SkipReason>> {
    const PUT: &str = "SELECT refusal FROM put_into_cart($1, $2, $3, $4, NULL, $5)";
    match shelf.active.get(&sku_id.0) {
        None => return Ok(Some(SkipReason::NotFound)),
        Some(false) => return Ok(Some(SkipReason::SkuUnavailable)),
        Some(true) => {}
    }
    let had = shelf.had.get(&sku_id.0).copied();
    if had.is_none() && shelf.had.len() >= LINES_MAX as usize {
        return Ok(Some(SkipReason::QuantityLimit));
    }
    let on_hand = shelf.on_hand.get(&sku_id.0).copied().unwrap_or(0);
    let (joining, reason) = strategy.joining(had.unwrap_or(0), offered, on_hand);
    if joining == 0 {
        return Ok(reason);
    }
    let pieces = i32::try_from(joining).unwrap_or(i32::MAX);
    let row =
        db.query_one(PUT, &[&session.user_id.0, &db.now(), &sku_id.0, &pieces, &on_hand]).await?;
    match row.get::<_, Option<&str>>(0) {
        None => {
            *shelf.had.entry(sku_id.0).or_default() += joining;
            shelf.joined += 1;
            Ok(reason)
        }
        // The catalogue changed between the look and the write.
        Some("sku_unavailable") => Ok(Some(SkipReason::SkuUnavailable)),
        Some(word) => {
            Err(Failed::Inconsistent(format!("what may join a cart was refused: {word}")).into())
        }
    }
}

/// The cart of a customer whose row is locked, or in a snapshot.
pub(crate) async fn content(db: &Db<'_>, session: Session) -> Result<CartContent> {
    const CART: &str = "SELECT outcome, detail, catalogue_version, version, updated_at, line_ids, \
         sku_ids, quantities, prices, on_hand FROM cart_as($1, 'done')";
    let mut content = answer(&db.query_one(CART, &[&session.user_id.0]).await?).content;
    // On a cluster the stock lies elsewhere, and the function leaves it out.
    let ids: Vec<i64> = content.lines.iter().map(|line| line.sku_id).collect();
    let stock = db.query(ON_HAND, &[&ids]).await?;
    content.put_stock(&stock.iter().map(|row| (row.get(0), row.get(1))).collect());
    Ok(content)
}

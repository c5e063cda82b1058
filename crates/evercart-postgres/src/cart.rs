//! The cart: reading it is one statement that also checks the user, changing it is one call of one
//! SQL function. Both share their round trip with whoever waits at the same moment.

use std::collections::HashMap;

use async_trait::async_trait;
use evercart_core::cart::{Cart, Carts, LINES_MAX, Line, MergeStrategy, Merged, QUANTITY_MAX};
use evercart_core::error::{Refused, Result as StoreResult, StoreError};
use evercart_core::guard::{Done, Guard};
use evercart_core::ids::{LineId, SkuId, UserId};
use evercart_core::limits::too_many_cart_changes;
use evercart_core::money::Money;
use evercart_core::user::Session;

use crate::Postgres;
use crate::actor::refusal_at_the_door;
use crate::cart_changes::{Answer, CartChange};
use crate::cart_merge::merge;
use crate::cart_reads::CartQuestion;
use crate::db::{DbError, time, transact, unsigned};
use crate::sku_cache::Edition;

#[async_trait]
impl Carts for Postgres {
    async fn cart(&self, session: Session) -> StoreResult<Cart> {
        let server = self.server_of(session.user_id).await?;
        let content = self.cart_reads.ask(CartQuestion { session, server }).await?;
        self.cart_of(session, content).await
    }

    async fn add_to_cart(
        &self,
        session: Session,
        sku_id: SkuId,
        quantity: u32,
        guard: Guard,
    ) -> StoreResult<Done<Cart>> {
        self.change_cart(session, Change::Add { sku_id, quantity }, guard).await
    }

    async fn set_quantity(
        &self,
        session: Session,
        line: LineId,
        quantity: u32,
        guard: Guard,
    ) -> StoreResult<Done<Cart>> {
        self.change_cart(session, Change::Set { line, quantity }, guard).await
    }

    async fn merge_into_cart(
        &self,
        session: Session,
        items: Vec<(SkuId, u32)>,
        strategy: MergeStrategy,
        guard: Guard,
    ) -> StoreResult<Done<Merged>> {
        let done = transact!(self, |db| merge(&db, session, &items, strategy, &guard))?;
        self.tell_of_change(session.user_id);
        let (content, skipped) = done.value;
        let cart = self.cart_of(session, content).await?;
        Ok(Done { value: Merged { cart, skipped }, replayed: done.replayed })
    }

    async fn clear_cart(&self, session: Session, guard: Guard) -> StoreResult<Done<Cart>> {
        self.change_cart(session, Change::Clear, guard).await
    }
}

/// What is to become of a cart.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Change {
    Add { sku_id: SkuId, quantity: u32 },
    Set { line: LineId, quantity: u32 },
    Clear,
    Move { product: evercart_core::ids::ProductId, sku_id: SkuId, quantity: u32 },
}

/// A cart as the database holds it, without what the catalogue says.
#[derive(Debug, Clone, Default)]
pub(crate) struct CartContent {
    pub(crate) catalogue_version: i64,
    pub(crate) version: i64,
    pub(crate) updated_at: Option<i64>,
    pub(crate) lines: Vec<LineContent>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct LineContent {
    pub(crate) id: i64,
    pub(crate) sku_id: i64,
    pub(crate) quantity: i32,
    pub(crate) price_when_added: i64,
    pub(crate) on_hand: i64,
}

impl CartContent {
    /// Puts in the pieces on hand of each line's SKU.
    pub(crate) fn put_stock(&mut self, stock: &HashMap<i64, i64>) {
        for line in &mut self.lines {
            line.on_hand = stock.get(&line.sku_id).copied().unwrap_or_default();
        }
    }
}

impl Postgres {
    /// Where a customer lies, on a cluster.
    async fn server_of(&self, user: UserId) -> StoreResult<Option<i64>> {
        match &self.shards {
            None => Ok(None),
            Some(shards) => Ok(Some(
                shards.server_of(user, self.now()).await.map_err(DbError::into_store_error)?,
            )),
        }
    }

    /// Changes a cart, together with whoever changes one at the same moment.
    pub(crate) async fn change_cart(
        &self,
        session: Session,
        change: Change,
        guard: Guard,
    ) -> StoreResult<Done<Cart>> {
        let expected = guard.expected_version;
        let server = self.server_of(session.user_id).await?;
        let (now, limit) = (self.now(), self.limits.cart_changes_per_hour);
        let asked = CartChange { session, change, guard, now, limit, server };
        let Answer { outcome, detail, sku, content } = self.cart_changes.ask(asked).await?;
        let replayed = match &*outcome {
            "done" => {
                self.tell_of_change(session.user_id);
                false
            }
            "replayed" => true,
            "too_many_changes" => {
                return Err(too_many_cart_changes(limit, detail.unwrap_or(now), now).into());
            }
            word => return Err(refusal(word, detail, sku, expected)),
        };
        let value = self.cart_of(session, content).await?;
        Ok(Done { value, replayed })
    }

    /// The cart with what the catalogue says of its lines.
    pub(crate) async fn cart_of(
        &self,
        session: Session,
        mut content: CartContent,
    ) -> StoreResult<Cart> {
        content.lines.sort_unstable_by_key(|line| line.id);
        let ids: Vec<_> = content.lines.iter().map(|line| line.sku_id).collect();
        let (incarnation, version) = (session.incarnation, content.catalogue_version);
        let skus = self.skus.all(Edition { incarnation, version }, &ids).await;
        let skus = skus.map_err(DbError::into_store_error)?;
        let lines = content.lines.iter().zip(skus).map(|(line, sku)| Line {
            id: LineId(line.id),
            sku,
            quantity: unsigned(line.quantity.into()),
            price_when_added: Money(line.price_when_added),
            on_hand: line.on_hand,
        });
        Ok(Cart {
            user_id: session.user_id,
            version: content.version,
            lines: lines.collect(),
            updated_at: content.updated_at.map(time),
        })
    }
}

/// What a word of the cart's functions stands for.
fn refusal(word: &str, detail: Option<i64>, sku: Option<i64>, expected: Option<i64>) -> StoreError {
    let sku_id = SkuId(sku.unwrap_or_default());
    let not_found = |what| Refused::NotFound { what };
    let refused = match word {
        "no_sku" => not_found("SKU"),
        "no_sku_of_product" => not_found("SKU of this product"),
        "no_line" => not_found("line in this cart"),
        "no_wish" => not_found("product on this wishlist"),
        "sku_unavailable" => Refused::SkuUnavailable { sku_id },
        "quantity_limit" => over_quantity(),
        "lines_limit" => Refused::QuantityLimit { what: "lines", limit: LINES_MAX },
        "insufficient_stock" => {
            Refused::InsufficientStock { sku_id, available: detail.unwrap_or_default() }
        }
        "version_conflict" => Refused::VersionConflict {
            expected: expected.unwrap_or_default(),
            actual: detail.unwrap_or_default(),
        },
        word => match refusal_at_the_door(word) {
            Ok(refused) => refused,
            Err(failed) => return failed.into(),
        },
    };
    refused.into()
}

fn over_quantity() -> Refused {
    Refused::QuantityLimit { what: "pieces of one SKU", limit: QUANTITY_MAX }
}

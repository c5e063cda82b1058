//! The model's carts.

use std::sync::Arc;

use async_trait::async_trait;
use evercart_core::account::AddedLine;
use evercart_core::cart::{
    Cart, Carts, LINES_MAX, Line, MergeStrategy, Merged, QUANTITY_MAX, SkipReason, Skipped,
};
use evercart_core::catalogue::{CatalogueRow, Rendition, SkuFacts};
use evercart_core::error::{Refused, Result};
use evercart_core::guard::{Done, Guard};
use evercart_core::ids::{LineId, SkuId, UserId};
use evercart_core::user::Session;
use jiff::Timestamp;

use super::{CartLine, Customer, Model, State};

#[async_trait]
impl Carts for Model {
    async fn cart(&self, session: Session) -> Result<Cart> {
        self.read(session, |state, customer| Ok(state.show_cart(customer)))
    }

    async fn add_to_cart(
        &self,
        session: Session,
        sku_id: SkuId,
        quantity: u32,
        guard: Guard,
    ) -> Result<Done<Cart>> {
        self.mutate(
            session,
            guard,
            |state, user, now| state.add_line(user, sku_id, quantity, now),
            |state, customer, _| Ok(state.show_cart(customer)),
        )
    }

    async fn set_quantity(
        &self,
        session: Session,
        line: LineId,
        quantity: u32,
        guard: Guard,
    ) -> Result<Done<Cart>> {
        self.mutate(
            session,
            guard,
            |state, user, now| state.set_line(user, line, quantity, now),
            |state, customer, _| Ok(state.show_cart(customer)),
        )
    }

    async fn merge_into_cart(
        &self,
        session: Session,
        items: Vec<(SkuId, u32)>,
        strategy: MergeStrategy,
        guard: Guard,
    ) -> Result<Done<Merged>> {
        let mut skipped = Vec::new();
        let done = self.mutate(
            session,
            guard,
            |state, user, now| {
                let before = state.of(user).cart_version;
                for (sku_id, offered) in &items {
                    if let Some(reason) = state.merge_line(user, *sku_id, *offered, strategy, now) {
                        skipped.push(Skipped { sku_id: *sku_id, reason });
                    }
                }
                let customer = state.of(user);
                customer.cart_version = customer.cart_version.min(before + 1);
                Ok(0)
            },
            |state, customer, _| Ok(state.show_cart(customer)),
        )?;
        let skipped = if done.replayed { Vec::new() } else { skipped };
        Ok(Done { value: Merged { cart: done.value, skipped }, replayed: done.replayed })
    }

    async fn clear_cart(&self, session: Session, guard: Guard) -> Result<Done<Cart>> {
        self.mutate(
            session,
            guard,
            |state, user, now| {
                let customer = state.of(user);
                if !customer.lines.is_empty() {
                    customer.lines.clear();
                    customer.touch_cart(now);
                }
                Ok(0)
            },
            |state, customer, _| Ok(state.show_cart(customer)),
        )
    }
}

impl State {
    pub(super) fn show_cart(&self, customer: &Customer) -> Cart {
        let line = |line: &CartLine| {
            let row = &self.skus[&line.sku_id];
            Line {
                id: line.id,
                sku: Arc::new(facts(line.sku_id, row)),
                quantity: line.quantity,
                price_when_added: line.price_when_added,
                on_hand: row.stock,
            }
        };
        Cart {
            user_id: customer.user.id,
            version: customer.cart_version,
            lines: customer.lines.iter().map(line).collect(),
            updated_at: customer.cart_updated_at,
        }
    }

    /// Adds to the line of a SKU, or makes it.
    pub(super) fn add_line(
        &mut self,
        user: UserId,
        sku_id: SkuId,
        quantity: u32,
        now: Timestamp,
    ) -> Result<i64, Refused> {
        let row = self.skus.get(&sku_id).ok_or(Refused::NotFound { what: "SKU" })?.clone();
        let customer = self.of(user);
        let place = customer.lines.iter().position(|line| line.sku_id == sku_id);
        let had = place.map_or(0, |place| customer.lines[place].quantity);
        let wanted = had.saturating_add(quantity);
        may_hold(sku_id, &row, wanted)?;
        match place {
            Some(place) => {
                customer.lines[place].quantity = wanted;
                customer.lines[place].price_when_added = row.price;
            }
            None if customer.lines.len() >= LINES_MAX as usize => {
                return Err(Refused::QuantityLimit { what: "lines", limit: LINES_MAX });
            }
            None => {
                customer.lines_ever += 1;
                customer.lines.push(CartLine {
                    id: LineId(customer.lines_ever),
                    sku_id,
                    quantity,
                    price_when_added: row.price,
                    added_at: now,
                });
            }
        }
        customer.touch_cart(now);
        Ok(0)
    }

    fn merge_line(
        &mut self,
        user: UserId,
        sku_id: SkuId,
        offered: u32,
        strategy: MergeStrategy,
        now: Timestamp,
    ) -> Option<SkipReason> {
        let Some(row) = self.skus.get(&sku_id).cloned() else {
            return Some(SkipReason::NotFound);
        };
        if !row.active {
            return Some(SkipReason::SkuUnavailable);
        }
        let lines = &self.of(user).lines;
        let had = lines.iter().find(|line| line.sku_id == sku_id).map(|line| line.quantity);
        if had.is_none() && lines.len() >= LINES_MAX as usize {
            return Some(SkipReason::QuantityLimit);
        }
        let (joining, reason) = strategy.joining(had.unwrap_or(0), offered, row.stock);
        if joining > 0 {
            self.add_line(user, sku_id, joining, now).expect("no more joins than may be held");
        }
        reason
    }

    fn set_line(
        &mut self,
        user: UserId,
        id: LineId,
        quantity: u32,
        now: Timestamp,
    ) -> Result<i64, Refused> {
        let lines = &self.of(user).lines;
        let place = lines
            .iter()
            .position(|line| line.id == id)
            .ok_or(Refused::NotFound { what: "cart line" })?;
        let sku_id = lines[place].sku_id;
        let grows = quantity > lines[place].quantity;
        let row = self.skus[&sku_id].clone();
        if grows {
            may_hold(sku_id, &row, quantity)?;
        }
        let customer = self.of(user);
        if quantity == 0 {
            customer.lines.remove(place);
        } else {
            customer.lines[place].quantity = quantity;
            customer.lines[place].price_when_added = row.price;
        }
        customer.touch_cart(now);
        Ok(0)
    }
}

impl Customer {
    pub(super) fn added(&self) -> Vec<AddedLine> {
        let mut added: Vec<_> = self
            .lines
            .iter()
            .map(|line| AddedLine {
                sku_id: line.sku_id,
                quantity: line.quantity,
                price_when_added: line.price_when_added,
                added_at: line.added_at,
            })
            .collect();
        added.sort_by_key(|line| line.sku_id);
        added
    }

    pub(super) fn touch_cart(&mut self, now: Timestamp) {
        self.cart_version += 1;
        self.cart_updated_at = Some(now);
    }
}

/// Whether a line may grow to `wanted` pieces.
fn may_hold(sku_id: SkuId, row: &CatalogueRow, wanted: u32) -> Result<(), Refused> {
    if !row.active {
        return Err(Refused::SkuUnavailable { sku_id });
    }
    if wanted > QUANTITY_MAX {
        return Err(Refused::QuantityLimit { what: "pieces of one SKU", limit: QUANTITY_MAX });
    }
    if i64::from(wanted) > row.stock {
        return Err(Refused::InsufficientStock { sku_id, available: row.stock });
    }
    Ok(())
}

pub(super) fn facts(sku_id: SkuId, row: &CatalogueRow) -> SkuFacts {
    SkuFacts {
        sku_id,
        product_id: super::catalogue::product_id(row),
        sku_code: row.sku_code.clone(),
        name: row.name.clone(),
        size: row.size.clone(),
        color: row.color.clone(),
        image: row.image.clone(),
        price: row.price,
        original_price: row.original_price,
        active: row.active,
        rendition: Rendition::default(),
    }
}

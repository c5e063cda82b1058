//! The cart: one for each customer, one line for each SKU in it.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::catalogue::SkuFacts;
use crate::error::Result;
use crate::guard::{Done, Guard};
use crate::ids::{LineId, SkuId, UserId};
use crate::money::Money;
use crate::user::Session;

/// The most pieces of one SKU in a cart.
pub const QUANTITY_MAX: u32 = 999;
/// The most lines in a cart. Bounds what one request can cost.
pub const LINES_MAX: u32 = 100;

/// A customer's cart as of one moment. A customer who never added anything has an empty one at
/// version 0; emptying it is a change like any other, not its end.
#[derive(Debug, Clone, PartialEq)]
pub struct Cart {
    /// Whose it is. There is one for each user, so this identifies the cart, too.
    pub user_id: UserId,
    /// Counts the changes made to it.
    pub version: i64,
    /// In the order in which they were added.
    pub lines: Vec<Line>,
    /// The last change.
    pub updated_at: Option<Timestamp>,
}

/// One SKU in a cart.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Counted per cart.
    pub id: LineId,
    /// What the catalogue says of the SKU now.
    pub sku: Arc<SkuFacts>,
    /// Pieces, 1 to [`QUANTITY_MAX`].
    pub quantity: u32,
    /// What one piece cost when the customer last touched this line.
    pub price_when_added: Money,
    /// Pieces the shop has now.
    pub on_hand: i64,
}

/// What changed under the customer since a line was last touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// The price is another.
    PriceChanged {
        /// Then.
        was: Money,
        /// Now.
        now: Money,
    },
    /// Fewer are left than the line wants.
    InsufficientStock {
        /// Pieces left.
        available: i64,
    },
    /// No longer for sale.
    Unavailable,
}

impl Line {
    /// What this line costs now.
    pub fn total(&self) -> Money {
        self.sku.price.times(self.quantity)
    }

    /// True if the line could be ordered as it is.
    pub fn is_available(&self) -> bool {
        self.sku.active && self.on_hand >= i64::from(self.quantity)
    }

    /// What the customer should be told about this line.
    pub fn notices(&self) -> impl Iterator<Item = Notice> {
        let unavailable = (!self.sku.active).then_some(Notice::Unavailable);
        let short = (self.sku.active && self.on_hand < i64::from(self.quantity))
            .then_some(Notice::InsufficientStock { available: self.on_hand });
        let repriced = (self.sku.active && self.sku.price != self.price_when_added)
            .then_some(Notice::PriceChanged { was: self.price_when_added, now: self.sku.price });
        [unavailable, short, repriced].into_iter().flatten()
    }
}

impl Cart {
    /// What the lines cost together now.
    pub fn total(&self) -> Money {
        self.lines.iter().map(Line::total).sum()
    }

    /// Pieces in the cart.
    pub fn pieces(&self) -> u64 {
        self.lines.iter().map(|line| u64::from(line.quantity)).sum()
    }
}

/// What the store does with carts.
#[async_trait]
pub trait Carts: Send + Sync {
    /// The customer's cart. Writes nothing, whatever it finds.
    ///
    /// # Errors
    /// The session's refusals ([`Store`](crate::store::Store)), or a failure.
    async fn cart(&self, session: Session) -> Result<Cart>;

    /// Adds `quantity` pieces (1 to [`QUANTITY_MAX`]) to the line of `sku_id`, making it if need
    /// be. Concurrent adds all count: the sum is made by the database.
    ///
    /// # Errors
    /// `NotFound` for an unknown SKU, `SkuUnavailable`, `InsufficientStock` if the line would hold
    /// more than there is, `QuantityLimit`, `VersionConflict`, `IdempotencyKeyReused`.
    async fn add_to_cart(
        &self,
        session: Session,
        sku_id: SkuId,
        quantity: u32,
        guard: Guard,
    ) -> Result<Done<Cart>>;

    /// Sets a line to `quantity` pieces (0 to [`QUANTITY_MAX`]); 0 removes it.
    ///
    /// # Errors
    /// `NotFound` for a line that is not in this cart, and as
    /// [`add_to_cart`](Carts::add_to_cart). Making a line smaller is always allowed.
    async fn set_quantity(
        &self,
        session: Session,
        line: LineId,
        quantity: u32,
        guard: Guard,
    ) -> Result<Done<Cart>>;

    /// Removes every line. An empty cart stays as it is.
    ///
    /// # Errors
    /// `VersionConflict`, `IdempotencyKeyReused`.
    async fn clear_cart(&self, session: Session, guard: Guard) -> Result<Done<Cart>>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Rendition;
    use crate::ids::ProductId;
    use proptest::prelude::*;

    fn line(price: i64, then: i64, quantity: u32, on_hand: i64, active: bool) -> Line {
        Line {
            id: LineId(1),
            sku: Arc::new(SkuFacts {
                sku_id: SkuId(1),
                product_id: ProductId(1),
                sku_code: "A".into(),
                name: "A".into(),
                size: None,
                color: None,
                image: None,
                price: Money(price),
                original_price: None,
                active,
                rendition: Rendition::default(),
            }),
            quantity,
            price_when_added: Money(then),
            on_hand,
        }
    }

    #[test]
    fn notices_name_what_changed() {
        let notices = |line: Line| line.notices().collect::<Vec<_>>();
        assert!(notices(line(100, 100, 2, 2, true)).is_empty());
        assert_eq!(
            notices(line(120, 100, 3, 2, true)),
            [
                Notice::InsufficientStock { available: 2 },
                Notice::PriceChanged { was: Money(100), now: Money(120) }
            ]
        );
        assert_eq!(notices(line(120, 100, 3, 0, false)), [Notice::Unavailable]);
    }

    proptest! {
        #[test]
        fn the_largest_cart_does_not_overflow(
            prices in proptest::collection::vec(0_i64..=crate::money::PRICE_MAX.0, 0..=100),
            quantity in 1_u32..=QUANTITY_MAX,
        ) {
            let lines: Vec<_> = prices.iter().map(|p| line(*p, *p, quantity, 999, true)).collect();
            let expected: i128 = prices.iter().map(|p| i128::from(*p) * i128::from(quantity)).sum();
            let cart = Cart { user_id: UserId(1), version: 1, lines, updated_at: None };
            prop_assert_eq!(i128::from(cart.total().0), expected);
        }
    }
}

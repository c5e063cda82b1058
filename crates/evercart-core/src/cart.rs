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

/// How what a visitor collected before signing in joins what the customer's cart holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MergeStrategy {
    /// The larger of the two quantities. Merging the same again changes nothing.
    Max,
    /// Both together.
    Sum,
}

/// Why not all pieces of a SKU were taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SkipReason {
    /// The catalogue does not have it.
    NotFound,
    /// It is not for sale.
    SkuUnavailable,
    /// There are fewer; those there are were taken over.
    InsufficientStock,
    /// A line or a cart takes no more; what fits was taken over.
    QuantityLimit,
}

/// A SKU of which not all was taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Skipped {
    /// Which.
    pub sku_id: SkuId,
    /// Why.
    pub reason: SkipReason,
}

/// A cart after something was merged into it.
#[derive(Debug, Clone, PartialEq)]
pub struct Merged {
    /// The cart.
    pub cart: Cart,
    /// What was not taken over, or not wholly, in the order in which it was offered. A replay of
    /// the request names nothing.
    pub skipped: Vec<Skipped>,
}

impl MergeStrategy {
    /// How many pieces join a line of `had` (0 if there is none) when `offered` are to be merged
    /// into it and the shop has `on_hand`; and why it is not all that was wanted. A line never
    /// shrinks.
    pub fn joining(self, had: u32, offered: u32, on_hand: i64) -> (u32, Option<SkipReason>) {
        let wanted = match self {
            MergeStrategy::Max => had.max(offered),
            MergeStrategy::Sum => had.saturating_add(offered),
        };
        let there = u32::try_from(on_hand.max(0)).unwrap_or(u32::MAX);
        let most = there.min(QUANTITY_MAX);
        let reason = match wanted > had && wanted > most {
            false => None,
            true if there < QUANTITY_MAX => Some(SkipReason::InsufficientStock),
            true => Some(SkipReason::QuantityLimit),
        };
        (wanted.min(most).saturating_sub(had), reason)
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

    /// Takes over what a visitor collected before signing in, as much of each SKU as can be had.
    /// What cannot is named, and is no reason to refuse the rest. Each pair is a SKU and 1 to
    /// [`QUANTITY_MAX`] pieces; there are at most [`LINES_MAX`] of them.
    ///
    /// # Errors
    /// `VersionConflict`, `IdempotencyKeyReused`.
    async fn merge_into_cart(
        &self,
        session: Session,
        items: Vec<(SkuId, u32)>,
        strategy: MergeStrategy,
        guard: Guard,
    ) -> Result<Done<Merged>>;

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

    #[test]
    fn merging_never_doubles_unless_told_to() {
        use MergeStrategy::{Max, Sum};
        use SkipReason::{InsufficientStock, QuantityLimit};
        assert_eq!(Max.joining(2, 3, 10), (1, None));
        assert_eq!(Max.joining(3, 3, 10), (0, None));
        assert_eq!(Max.joining(5, 3, 10), (0, None));
        assert_eq!(Sum.joining(2, 3, 10), (3, None));
        assert_eq!(Sum.joining(2, 3, 4), (2, Some(InsufficientStock)));
        assert_eq!(Max.joining(0, 3, 0), (0, Some(InsufficientStock)));
        // A line that holds more than there is left is not made smaller.
        assert_eq!(Sum.joining(5, 1, 3), (0, Some(InsufficientStock)));
        assert_eq!(Sum.joining(990, 20, 5000), (9, Some(QuantityLimit)));
        assert_eq!(Sum.joining(990, 20, 999), (9, Some(QuantityLimit)));
        // The last piece may join, and who asks for no more than there is in the cart is told of
        // nothing that is short.
        assert_eq!(Max.joining(2, 3, 3), (1, None));
        assert_eq!(Max.joining(5, 3, 3), (0, None));
    }

    #[test]
    fn a_line_can_be_bought_while_it_is_for_sale_and_there_is_enough() {
        assert!(line(100, 100, 2, 2, true).is_available());
        assert!(!line(100, 100, 3, 2, true).is_available());
        assert!(!line(100, 100, 2, 2, false).is_available());
    }

    #[test]
    fn pieces_of_all_lines_are_counted() {
        let lines = vec![line(100, 100, 2, 9, true), line(100, 100, 3, 9, true)];
        assert_eq!(Cart { user_id: UserId(1), version: 1, lines, updated_at: None }.pieces(), 5);
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

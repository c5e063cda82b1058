//! The wishlist: one for each customer, a product at most once in it.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::cart::Cart;
use crate::catalogue::Product;
use crate::error::Result;
use crate::guard::{Done, Guard};
use crate::ids::{ProductId, SkuId, UserId, WishId};
use crate::user::Session;

/// The most products on a wishlist. Bounds what one request can cost.
pub const WISHES_MAX: u32 = 250;

/// A customer's wishlist. There is one for each user, so the user's id identifies it, too.
#[derive(Debug, Clone, PartialEq)]
pub struct Wishlist {
    /// Whose it is.
    pub user_id: UserId,
    /// The newest first.
    pub wishes: Vec<Wish>,
}

/// One product on a wishlist.
#[derive(Debug, Clone, PartialEq)]
pub struct Wish {
    /// Counted per customer.
    pub id: WishId,
    /// What the catalogue says of it now.
    pub product: Product,
    /// When it was put there.
    pub added_at: Timestamp,
}

/// What the store does with wishlists.
#[async_trait]
pub trait Wishlists: Send + Sync {
    /// The customer's wishlist. Writes nothing.
    ///
    /// # Errors
    /// The session's refusals, or a failure.
    async fn wishlist(&self, session: Session) -> Result<Wishlist>;

    /// Puts a product on the list; one that is there stays where it is.
    ///
    /// # Errors
    /// `NotFound` for an unknown product, `QuantityLimit`, `IdempotencyKeyReused`.
    async fn add_wish(
        &self,
        session: Session,
        product: ProductId,
        guard: Guard,
    ) -> Result<Done<Wishlist>>;

    /// Takes a product off the list.
    ///
    /// # Errors
    /// `NotFound` if it is not on it.
    async fn remove_wish(
        &self,
        session: Session,
        product: ProductId,
        guard: Guard,
    ) -> Result<Done<Wishlist>>;

    /// Takes everything off the list.
    ///
    /// # Errors
    /// `IdempotencyKeyReused`.
    async fn clear_wishlist(&self, session: Session, guard: Guard) -> Result<Done<Wishlist>>;

    /// Takes `product` off the list and adds `quantity` of `sku_id`, one of its SKUs, to the cart:
    /// both or neither.
    ///
    /// # Errors
    /// `NotFound` if the product is not on the list or the SKU is not one of its own, and as
    /// [`add_to_cart`](crate::cart::Carts::add_to_cart).
    async fn move_to_cart(
        &self,
        session: Session,
        product: ProductId,
        sku_id: SkuId,
        quantity: u32,
        guard: Guard,
    ) -> Result<Done<Cart>>;
}

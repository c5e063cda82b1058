//! The model's wishlists.

use async_trait::async_trait;
use evercart_core::cart::Cart;
use evercart_core::error::{Refused, Result};
use evercart_core::guard::{Done, Guard};
use evercart_core::ids::{ProductId, SkuId, UserId, WishId};
use evercart_core::user::Session;
use evercart_core::wishlist::{WISHES_MAX, Wish, Wishlist, Wishlists};
use jiff::Timestamp;

use super::{Customer, Model, State, catalogue};

#[async_trait]
impl Wishlists for Model {
    async fn wishlist(&self, session: Session) -> Result<Wishlist> {
        self.read(session, |state, customer| Ok(state.show_wishlist(customer)))
    }

    async fn add_wish(
        &self,
        session: Session,
        product: ProductId,
        guard: Guard,
    ) -> Result<Done<Wishlist>> {
        self.mutate(
            session,
            Guard { expected_version: None, ..guard },
            |state, user, now| state.add_wish(user, product, now),
            |state, customer, _| Ok(state.show_wishlist(customer)),
        )
    }

    async fn remove_wish(
        &self,
        session: Session,
        product: ProductId,
        guard: Guard,
    ) -> Result<Done<Wishlist>> {
        self.mutate(
            session,
            Guard { expected_version: None, ..guard },
            |state, user, _| state.of(user).remove_wish(product),
            |state, customer, _| Ok(state.show_wishlist(customer)),
        )
    }

    async fn clear_wishlist(&self, session: Session, guard: Guard) -> Result<Done<Wishlist>> {
        self.mutate(
            session,
            Guard { expected_version: None, ..guard },
            |state, user, _| {
                state.of(user).wishes.clear();
                Ok(0)
            },
            |state, customer, _| Ok(state.show_wishlist(customer)),
        )
    }

    async fn move_to_cart(
        &self,
        session: Session,
        product: ProductId,
        sku_id: SkuId,
        quantity: u32,
        guard: Guard,
    ) -> Result<Done<Cart>> {
        self.mutate(
            session,
            guard,
            |state, user, now| {
                state.of(user).remove_wish(product)?;
                let row = state.skus.get(&sku_id).ok_or(Refused::NotFound { what: "SKU" })?;
                if catalogue::product_id(row) != product {
                    return Err(Refused::NotFound { what: "SKU of this product" });
                }
                state.add_line(user, sku_id, quantity, now)
            },
            |state, customer, _| Ok(state.show_cart(customer)),
        )
    }
}

impl State {
    pub(super) fn show_wishlist(&self, customer: &Customer) -> Wishlist {
        let wish = |(id, product, added_at): &(WishId, ProductId, Timestamp)| Wish {
            id: *id,
            product: self.show_product(*product).expect("products are never removed"),
            added_at: *added_at,
        };
        let wishes = customer.wishes.iter().rev().map(wish).collect();
        Wishlist { user_id: customer.user.id, wishes }
    }

    pub(super) fn add_wish(
        &mut self,
        user: UserId,
        product: ProductId,
        now: Timestamp,
    ) -> Result<i64, Refused> {
        if self.show_product(product).is_none() {
            return Err(Refused::NotFound { what: "product" });
        }
        let customer = self.of(user);
        if customer.wishes.iter().all(|wish| wish.1 != product) {
            if customer.wishes.len() >= WISHES_MAX as usize {
                return Err(Refused::QuantityLimit { what: "products", limit: WISHES_MAX });
            }
            customer.wishes_ever += 1;
            customer.wishes.push((WishId(customer.wishes_ever), product, now));
        }
        Ok(0)
    }
}

impl Customer {
    fn remove_wish(&mut self, product: ProductId) -> Result<i64, Refused> {
        let before = self.wishes.len();
        self.wishes.retain(|wish| wish.1 != product);
        if self.wishes.len() == before {
            return Err(Refused::NotFound { what: "product on the wishlist" });
        }
        Ok(0)
    }
}

//! The wishlist's SQL.

use async_trait::async_trait;
use evercart_core::cart::Cart;
use evercart_core::error::{Refused, Result as StoreResult};
use evercart_core::guard::{Done, Guard};
use evercart_core::ids::{ProductId, SkuId, UserId, WishId};
use evercart_core::user::Session;
use evercart_core::wishlist::{WISHES_MAX, Wish, Wishlist, Wishlists};
use rusqlite::OptionalExtension;

use crate::actor::{Actor, Begun, admit, remember};
use crate::db::{Db, Result, time};
use crate::limits::begin_change;
use crate::open_cart::{Opened, open};
use crate::{Sqlite, catalogue, shown};

#[async_trait]
impl Wishlists for Sqlite {
    async fn wishlist(&self, session: Session) -> StoreResult<Wishlist> {
        self.readers
            .read_snapshot(move |db| {
                let actor = admit(db, session)?;
                read(db, actor.user_id)
            })
            .await
    }

    async fn add_wish(
        &self,
        session: Session,
        product: ProductId,
        guard: Guard,
    ) -> StoreResult<Done<Wishlist>> {
        self.change(session, guard, product.0, move |db, actor| add(db, actor, product)).await
    }

    async fn remove_wish(
        &self,
        session: Session,
        product: ProductId,
        guard: Guard,
    ) -> StoreResult<Done<Wishlist>> {
        self.change(session, guard, product.0, move |db, actor| remove(db, actor, product)).await
    }

    async fn clear_wishlist(&self, session: Session, guard: Guard) -> StoreResult<Done<Wishlist>> {
        const CLEAR: &str = "DELETE FROM wishlist_items WHERE user_id = ?1";
        self.change(session, guard, session.user_id.0, |db, actor| {
            db.sql(CLEAR)?.execute([actor.user_id.0])?;
            Ok(())
        })
        .await
    }

    async fn move_to_cart(
        &self,
        session: Session,
        product: ProductId,
        sku_id: SkuId,
        quantity: u32,
        guard: Guard,
    ) -> StoreResult<Done<Cart>> {
        let done = self
            .writer
            .write(move |db| {
                let mut open = match open(db, session, &guard)? {
                    Opened::Replay { cart, .. } => return Ok(Done::before(cart)),
                    Opened::Fresh(open) => open,
                };
                remove(db, open.actor, product)?;
                let sku = db.sku(open.actor.catalogue_version, sku_id)?;
                if sku.is_none_or(|sku| sku.product_id != product) {
                    return Err(Refused::NotFound { what: "SKU of this product" }.into());
                }
                let line = open.add(db, sku_id, quantity)?;
                remember(db, session.user_id, &guard, line.0)?;
                Ok(Done::now(open.cart))
            })
            .await;
        self.signals.changed(session.user_id);
        done
    }
}

impl Sqlite {
    /// Runs `change` once under the guard and returns the list as it then is.
    async fn change<F>(
        &self,
        session: Session,
        guard: Guard,
        resource: i64,
        change: F,
    ) -> StoreResult<Done<Wishlist>>
    where
        F: FnOnce(&Db, Actor) -> Result<()> + Send + 'static,
    {
        self.writer
            .write(move |db| {
                let replayed = match begin_change(db, session, &guard)? {
                    Begun::Replay { .. } => true,
                    Begun::Fresh(actor) => {
                        change(db, actor)?;
                        remember(db, actor.user_id, &guard, resource)?;
                        false
                    }
                };
                Ok(Done { value: read(db, session.user_id)?, replayed })
            })
            .await
    }
}

pub(crate) fn read(db: &Db, user: UserId) -> Result<Wishlist> {
    const WISHES: &str = "SELECT id, product_id, added_at FROM wishlist_items WHERE user_id = ?1";
    let mut statement = db.sql(WISHES)?;
    let mut rows = statement.query([user.0])?;
    let (mut wishes, state) = (Vec::new(), shown::state(db)?);
    while let Some(row) = rows.next()? {
        let product = catalogue::any_product(db, ProductId(row.get(1)?), state)?;
        wishes.push(Wish { id: WishId(row.get(0)?), product, added_at: time(row.get(2)?) });
    }
    wishes.sort_unstable_by_key(|wish| std::cmp::Reverse(wish.id));
    Ok(Wishlist { user_id: user, wishes })
}

pub(crate) fn add(db: &Db, actor: Actor, product: ProductId) -> Result<()> {
    const MAKE_LIST: &str = "INSERT INTO wishlists (user_id, next_wish) VALUES (?1, 1) \
         ON CONFLICT (user_id) DO NOTHING";
    const ADD: &str = "INSERT INTO wishlist_items (user_id, product_id, id, added_at) \
         SELECT ?1, ?2, next_wish, ?3 FROM wishlists WHERE user_id = ?1 \
         ON CONFLICT (user_id, product_id) DO NOTHING";
    const COUNT_ON: &str = "UPDATE wishlists SET next_wish = next_wish + 1 WHERE user_id = ?1";
    const COUNT: &str = "SELECT count(*) FROM wishlist_items WHERE user_id = ?1";
    if !catalogue::is_for_sale(db, product)? {
        return Err(Refused::NotFound { what: "product" }.into());
    }
    let user = actor.user_id.0;
    db.sql(MAKE_LIST)?.execute([user])?;
    if db.sql(ADD)?.execute((user, product.0, db.now()))? == 0 {
        return Ok(());
    }
    db.change_one(COUNT_ON, [user])?;
    let count: i64 = db.sql(COUNT)?.query_row([user], |row| row.get(0))?;
    if count > i64::from(WISHES_MAX) {
        let limit = WISHES_MAX;
        return Err(Refused::QuantityLimit { what: "products on a wishlist", limit }.into());
    }
    Ok(())
}

fn remove(db: &Db, actor: Actor, product: ProductId) -> Result<()> {
    const REMOVE: &str =
        "DELETE FROM wishlist_items WHERE user_id = ?1 AND product_id = ?2 RETURNING id";
    let removed: Option<i64> =
        db.sql(REMOVE)?.query_row((actor.user_id.0, product.0), |row| row.get(0)).optional()?;
    match removed {
        Some(_) => Ok(()),
        None => Err(Refused::NotFound { what: "product on this wishlist" }.into()),
    }
}

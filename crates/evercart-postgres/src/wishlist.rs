//! The wishlist's SQL. A wish that moves to the cart is the cart's business.

use std::future::Future;

use async_trait::async_trait;
use evercart_core::cart::Cart;
use evercart_core::error::{Refused, Result as StoreResult};
use evercart_core::guard::{Done, Guard};
use evercart_core::ids::{ProductId, SkuId, UserId, WishId};
use evercart_core::user::Session;
use evercart_core::wishlist::{WISHES_MAX, Wish, Wishlist, Wishlists};
use futures_util::future::try_join;

use crate::Postgres;
use crate::actor::{Begun, admit, remember};
use crate::cart::Change;
use crate::catalogue;
use crate::db::{Db, Result, snapshot, time, transact};
use crate::limits::begin_change;

#[async_trait]
impl Wishlists for Postgres {
    async fn wishlist(&self, session: Session) -> StoreResult<Wishlist> {
        snapshot!(self, |db| admitted(&db, session))
    }

    async fn add_wish(
        &self,
        session: Session,
        product: ProductId,
        guard: Guard,
    ) -> StoreResult<Done<Wishlist>> {
        let user = session.user_id;
        transact!(self, |db| change(&db, session, &guard, product.0, add(&db, user, product)))
    }

    async fn remove_wish(
        &self,
        session: Session,
        product: ProductId,
        guard: Guard,
    ) -> StoreResult<Done<Wishlist>> {
        let user = session.user_id;
        transact!(self, |db| change(&db, session, &guard, product.0, remove(&db, user, product)))
    }

    async fn clear_wishlist(&self, session: Session, guard: Guard) -> StoreResult<Done<Wishlist>> {
        let user = session.user_id;
        transact!(self, |db| change(&db, session, &guard, user.0, clear(&db, user)))
    }

    async fn move_to_cart(
        &self,
        session: Session,
        product: ProductId,
        sku_id: SkuId,
        quantity: u32,
        guard: Guard,
    ) -> StoreResult<Done<Cart>> {
        self.change_cart(session, Change::Move { product, sku_id, quantity }, guard).await
    }
}

/// Runs `change`, which does nothing before it is awaited, once under the guard and returns the
/// list as it then is.
async fn change(
    db: &Db<'_>,
    session: Session,
    guard: &Guard,
    resource: i64,
    change: impl Future<Output = Result<()>>,
) -> Result<Done<Wishlist>> {
    let replayed = match begin_change(db, session, guard).await? {
        Begun::Replay { .. } => true,
        Begun::Fresh => {
            change.await?;
            remember(db, session.user_id, guard, resource).await?;
            false
        }
    };
    let wishes = wishes(db, session.user_id).await?;
    Ok(Done { value: with_products(db, session.user_id, wishes).await?, replayed })
}

pub(crate) async fn admitted(db: &Db<'_>, session: Session) -> Result<Wishlist> {
    let user = session.user_id;
    let ((), wishes) = try_join(admit(db, session), wishes(db, user)).await?;
    with_products(db, user, wishes).await
}

/// A wish as the database holds it, without what the catalogue says.
struct WishRow {
    id: i64,
    product_id: i64,
    added_at: i64,
}

async fn wishes(db: &Db<'_>, user: UserId) -> Result<Vec<WishRow>> {
    const WISHES: &str = "SELECT id, product_id, added_at FROM wishlist_items WHERE user_id = $1 \
         ORDER BY id DESC";
    let rows = db.query(WISHES, &[&user.0]).await?;
    let wish = |row: &tokio_postgres::Row| WishRow {
        id: row.get(0),
        product_id: row.get(1),
        added_at: row.get(2),
    };
    Ok(rows.iter().map(wish).collect())
}

async fn with_products(db: &Db<'_>, user: UserId, wishes: Vec<WishRow>) -> Result<Wishlist> {
    let ids: Vec<_> = wishes.iter().map(|wish| wish.product_id).collect();
    let products = catalogue::any_products(db, &ids).await?;
    let wishes = wishes.iter().zip(products).map(|(wish, product)| Wish {
        id: WishId(wish.id),
        product,
        added_at: time(wish.added_at),
    });
    Ok(Wishlist { user_id: user, wishes: wishes.collect() })
}

/// Puts a product on the list of a user whose row is locked.
pub(crate) async fn add(db: &Db<'_>, user: UserId, product: ProductId) -> Result<()> {
    const STANDING: &str = "SELECT count(*), coalesce(bool_or(product_id = $2), false) FROM \
         wishlist_items \
         WHERE user_id = $1";
    const TAKE_ID: &str = "INSERT INTO wishlists (user_id, next_wish) VALUES ($1, 2) \
         ON CONFLICT (user_id) DO UPDATE SET next_wish = wishlists.next_wish + 1 RETURNING \
         next_wish - 1";
    const ADD: &str =
        "INSERT INTO wishlist_items (user_id, product_id, id, added_at) VALUES ($1, $2, $3, $4)";
    let (is_for_sale, standing) = try_join(
        catalogue::is_for_sale(db, product),
        db.query_one(STANDING, &[&user.0, &product.0]),
    )
    .await?;
    let (count, is_on_it): (i64, bool) = (standing.get(0), standing.get(1));
    if !is_for_sale {
        return Err(Refused::NotFound { what: "product" }.into());
    } else if is_on_it {
        return Ok(());
    } else if count >= i64::from(WISHES_MAX) {
        let limit = WISHES_MAX;
        return Err(Refused::QuantityLimit { what: "products on a wishlist", limit }.into());
    }
    let id: i64 = db.query_one(TAKE_ID, &[&user.0]).await?.get(0);
    db.change_one(ADD, &[&user.0, &product.0, &id, &db.now()]).await
}

async fn remove(db: &Db<'_>, user: UserId, product: ProductId) -> Result<()> {
    const REMOVE: &str = "DELETE FROM wishlist_items WHERE user_id = $1 AND product_id = $2";
    match db.execute(REMOVE, &[&user.0, &product.0]).await? {
        0 => Err(Refused::NotFound { what: "product on this wishlist" }.into()),
        _ => Ok(()),
    }
}

async fn clear(db: &Db<'_>, user: UserId) -> Result<()> {
    const CLEAR: &str = "DELETE FROM wishlist_items WHERE user_id = $1";
    db.execute(CLEAR, &[&user.0]).await?;
    Ok(())
}

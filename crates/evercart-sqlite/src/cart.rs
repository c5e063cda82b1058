//! The cart's calls, and the one statement that reads a cart and checks its user.

use async_trait::async_trait;
use evercart_core::cart::{Cart, Carts, Line, MergeStrategy, Merged, Skipped};
use evercart_core::error::{Failed, Refused, Result as StoreResult};
use evercart_core::guard::{Done, Guard};
use evercart_core::ids::{LineId, SkuId};
use evercart_core::limits::CartHour;
use evercart_core::money::Money;
use evercart_core::user::Session;
use rusqlite::Row;

use crate::Sqlite;
use crate::actor::{self, remember};
use crate::db::{Db, Result, time, unsigned};
use crate::open_cart::{OpenCart, Opened, open};

#[async_trait]
impl Carts for Sqlite {
    async fn cart(&self, session: Session) -> StoreResult<Cart> {
        self.readers.read(move |db| read(db, session)).await
    }

    async fn add_to_cart(
        &self,
        session: Session,
        sku_id: SkuId,
        quantity: u32,
        guard: Guard,
    ) -> StoreResult<Done<Cart>> {
        self.change_cart(session, guard, move |db, open| Ok(open.add(db, sku_id, quantity)?.0))
            .await
    }

    async fn set_quantity(
        &self,
        session: Session,
        line: LineId,
        quantity: u32,
        guard: Guard,
    ) -> StoreResult<Done<Cart>> {
        self.change_cart(session, guard, move |db, open| {
            open.set(db, line, quantity)?;
            Ok(line.0)
        })
        .await
    }

    async fn merge_into_cart(
        &self,
        session: Session,
        items: Vec<(SkuId, u32)>,
        strategy: MergeStrategy,
        guard: Guard,
    ) -> StoreResult<Done<Merged>> {
        let done = self
            .writer
            .write(move |db| {
                let mut open = match open(db, session, &guard)? {
                    Opened::Replay { cart, .. } => {
                        return Ok(Done::before(Merged { cart, skipped: Vec::new() }));
                    }
                    Opened::Fresh(open) => open,
                };
                open.count(db)?;
                let (before, mut skipped) = (open.cart.version, Vec::new());
                for (sku_id, offered) in items {
                    if let Some(reason) = open.merge(db, (sku_id, offered), strategy)? {
                        skipped.push(Skipped { sku_id, reason });
                    }
                }
                open.count_as_one_change(db, before)?;
                remember(db, session.user_id, &guard, session.user_id.0)?;
                Ok(Done::now(Merged { cart: open.cart, skipped }))
            })
            .await;
        self.signals.changed(session.user_id);
        done
    }

    async fn clear_cart(&self, session: Session, guard: Guard) -> StoreResult<Done<Cart>> {
        self.change_cart(session, guard, move |db, open| {
            open.clear(db)?;
            Ok(session.user_id.0)
        })
        .await
    }
}

impl Sqlite {
    /// Runs `change`, which returns the id of what it changed, once under the guard.
    async fn change_cart<F>(
        &self,
        session: Session,
        guard: Guard,
        change: F,
    ) -> StoreResult<Done<Cart>>
    where
        F: FnOnce(&Db, &mut OpenCart) -> Result<i64> + Send + 'static,
    {
        let done = self
            .writer
            .write_decided(move |db| {
                let mut open = match open(db, session, &guard)? {
                    Opened::Replay { cart, .. } => return Ok(Done::before(cart)),
                    Opened::Fresh(open) => open,
                };
                let resource = change(db, &mut open)?;
                remember(db, session.user_id, &guard, resource)?;
                Ok(Done::now(open.cart))
            })
            .await;
        self.signals.changed(session.user_id);
        done
    }
}

/// Checks one user and reads their cart. Each column costs every line of every cart that is looked
/// at, so what only a change needs is another statement's.
macro_rules! cart {
    ($more:literal) => {
        concat!(
            "SELECT u.is_active, u.blocked_at, u.session_epoch, n.value, v.version, c.version, \
             c.updated_at, i.id, i.sku_id, i.quantity, i.price_when_added, s.on_hand",
            $more,
            " FROM users u CROSS JOIN incarnation n CROSS JOIN catalogue_version v \
             LEFT JOIN carts c ON c.user_id = u.id \
             LEFT JOIN cart_items i ON i.user_id = u.id \
             LEFT JOIN stock s ON s.sku_id = i.sku_id WHERE u.id = ?1"
        )
    };
}

pub(crate) const CART: &str = cart!("");
const CART_TO_CHANGE: &str = cart!(", c.next_line, c.hour_began, c.hour_version");

/// What the one statement brings of a user's cart.
pub(crate) struct Found {
    pub(crate) cart: Cart,
    /// The id of the next new line.
    pub(crate) next_line: i64,
    /// In which changes are counted.
    pub(crate) hour: Option<CartHour>,
    pub(crate) catalogue_version: i64,
}

/// Checks the user and reads the cart in one statement.
pub(crate) fn read(db: &Db, session: Session) -> Result<Cart> {
    Ok(look(db, CART, session, |_| Ok(()))?.0)
}

/// Checks the user and reads the cart, and what a change of it needs, in one statement.
pub(crate) fn find(db: &Db, session: Session) -> Result<Found> {
    let (mut next_line, mut hour) = (1, None);
    let (cart, catalogue_version) = look(db, CART_TO_CHANGE, session, |row| {
        next_line = row.get::<_, Option<i64>>(12)?.unwrap_or(1);
        let (began, version): (Option<i64>, Option<i64>) = (row.get(13)?, row.get(14)?);
        hour = began.zip(version).map(|(began, version)| CartHour { began, version });
        Ok(())
    })?;
    Ok(Found { cart, next_line, hour, catalogue_version })
}

/// The cart and the catalogue's version. `more` takes what else the first row has.
fn look(
    db: &Db,
    sql: &'static str,
    session: Session,
    more: impl FnOnce(&Row<'_>) -> rusqlite::Result<()>,
) -> Result<(Cart, i64)> {
    let mut statement = db.sql(sql)?;
    let mut rows = statement.query([session.user_id.0])?;
    let mut cart = Cart { user_id: session.user_id, version: 0, lines: vec![], updated_at: None };
    let mut catalogue_version = 0;
    let mut more = Some(more);
    while let Some(row) = rows.next()? {
        if let Some(more) = more.take() {
            actor::compare(session, row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)?;
            catalogue_version = row.get(4)?;
            cart.version = row.get::<_, Option<i64>>(5)?.unwrap_or(0);
            cart.updated_at = row.get::<_, Option<i64>>(6)?.map(time);
            more(row)?;
        }
        let Some(id) = row.get(7)? else { break };
        let sku_id = SkuId(row.get(8)?);
        let sku = db
            .sku(catalogue_version, sku_id)?
            .ok_or_else(|| Failed::Inconsistent(format!("cart line of unknown SKU {sku_id}")))?;
        cart.lines.push(Line {
            id: LineId(id),
            sku,
            quantity: unsigned(row.get(9)?),
            price_when_added: Money(row.get(10)?),
            on_hand: row.get(11)?,
        });
    }
    if more.is_some() {
        return Err(Refused::UnknownUser.into());
    }
    cart.lines.sort_unstable_by_key(|line| line.id);
    Ok((cart, catalogue_version))
}

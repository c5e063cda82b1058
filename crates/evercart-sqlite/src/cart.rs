//! The cart's SQL. Reading is one statement that also checks the user; adding is an upsert whose
//! sum the database makes.

use async_trait::async_trait;
use evercart_core::cart::{
    Cart, Carts, LINES_MAX, Line, MergeStrategy, Merged, QUANTITY_MAX, SkipReason, Skipped,
};
use evercart_core::error::{Failed, Refused, Result as StoreResult};
use evercart_core::guard::{Done, Guard};
use evercart_core::ids::{LineId, SkuId};
use evercart_core::money::Money;
use evercart_core::user::Session;
use rusqlite::OptionalExtension;

use crate::Sqlite;
use crate::actor::{self, Actor, Begun, begin_as, remember};
use crate::db::{Db, Result, time, unsigned};

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
        self.writer
            .write(move |db| {
                let actor = match begin_as(db, session, &guard)? {
                    Begun::Replay { .. } => return Ok(Done::before(read(db, session)?)),
                    Begun::Fresh(actor) => actor,
                };
                add(db, actor, sku_id, quantity, &guard)?;
                let cart = read(db, session)?;
                let line = check_growth(&cart, sku_id)?;
                remember(db, actor.user_id, &guard, line.0)?;
                Ok(Done::now(cart))
            })
            .await
    }

    async fn set_quantity(
        &self,
        session: Session,
        line: LineId,
        quantity: u32,
        guard: Guard,
    ) -> StoreResult<Done<Cart>> {
        self.writer
            .write(move |db| {
                let actor = match begin_as(db, session, &guard)? {
                    Begun::Replay { .. } => return Ok(Done::before(read(db, session)?)),
                    Begun::Fresh(actor) => actor,
                };
                check_version(db, actor, &guard)?;
                let changed = set(db, actor, line, quantity)?;
                let cart = read(db, session)?;
                if let Some(sku_id) = changed {
                    check_growth(&cart, sku_id)?;
                }
                remember(db, actor.user_id, &guard, line.0)?;
                Ok(Done::now(cart))
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
        self.writer
            .write(move |db| {
                let actor = match begin_as(db, session, &guard)? {
                    Begun::Replay { .. } => {
                        let cart = read(db, session)?;
                        return Ok(Done::before(Merged { cart, skipped: Vec::new() }));
                    }
                    Begun::Fresh(actor) => actor,
                };
                check_version(db, actor, &guard)?;
                let mut skipped = Vec::new();
                for (sku_id, offered) in items {
                    if let Some(reason) = merge_one(db, actor, sku_id, offered, strategy)? {
                        skipped.push(Skipped { sku_id, reason });
                    }
                }
                remember(db, actor.user_id, &guard, actor.user_id.0)?;
                Ok(Done::now(Merged { cart: read(db, session)?, skipped }))
            })
            .await
    }

    async fn clear_cart(&self, session: Session, guard: Guard) -> StoreResult<Done<Cart>> {
        self.writer
            .write(move |db| {
                let actor = match begin_as(db, session, &guard)? {
                    Begun::Replay { .. } => return Ok(Done::before(read(db, session)?)),
                    Begun::Fresh(actor) => actor,
                };
                check_version(db, actor, &guard)?;
                empty(db, actor)?;
                remember(db, actor.user_id, &guard, actor.user_id.0)?;
                Ok(Done::now(read(db, session)?))
            })
            .await
    }
}

pub(crate) const CART: &str = "SELECT u.is_active, u.blocked_at, u.session_epoch, v.version, \
     c.version, c.updated_at, i.id, i.sku_id, i.quantity, i.price_when_added, s.on_hand \
     FROM users u CROSS JOIN catalogue_version v \
     LEFT JOIN carts c ON c.user_id = u.id \
     LEFT JOIN cart_items i ON i.user_id = u.id \
     LEFT JOIN stock s ON s.sku_id = i.sku_id WHERE u.id = ?1";

/// Checks the user and reads the cart in one statement.
pub(crate) fn read(db: &Db, session: Session) -> Result<Cart> {
    let mut statement = db.sql(CART)?;
    let mut rows = statement.query([session.user_id.0])?;
    let mut cart = Cart { user_id: session.user_id, version: 0, lines: vec![], updated_at: None };
    let mut is_first = true;
    while let Some(row) = rows.next()? {
        if is_first {
            actor::compare(session, row.get(0)?, row.get(1)?, row.get(2)?)?;
            cart.version = row.get::<_, Option<i64>>(4)?.unwrap_or(0);
            cart.updated_at = row.get::<_, Option<i64>>(5)?.map(time);
            is_first = false;
        }
        let Some(id) = row.get(6)? else { break };
        let sku_id = SkuId(row.get(7)?);
        let sku = db
            .sku(row.get(3)?, sku_id)?
            .ok_or_else(|| Failed::Inconsistent(format!("cart line of unknown SKU {sku_id}")))?;
        cart.lines.push(Line {
            id: LineId(id),
            sku,
            quantity: unsigned(row.get(8)?),
            price_when_added: Money(row.get(9)?),
            on_hand: row.get(10)?,
        });
    }
    if is_first {
        return Err(Refused::UnknownUser.into());
    }
    cart.lines.sort_unstable_by_key(|line| line.id);
    Ok(cart)
}

// A line id is used up only by an add that makes a line.
const TOUCH_FOR_ADD: &str = "INSERT INTO carts (user_id, version, next_line, updated_at) \
     VALUES (?1, 1, 2, ?2) ON CONFLICT (user_id) DO UPDATE SET version = version + 1, \
     updated_at = ?2, next_line = next_line + NOT EXISTS \
     (SELECT 1 FROM cart_items i WHERE i.user_id = ?1 AND i.sku_id = ?3) RETURNING next_line - 1";

const ADD: &str = "INSERT INTO cart_items (user_id, sku_id, id, quantity, price_when_added, \
     added_at) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (user_id, sku_id) DO UPDATE SET \
     quantity = quantity + excluded.quantity, price_when_added = excluded.price_when_added";

/// Adds pieces of a SKU that is for sale. Whether there are enough is for `check_growth` to say.
pub(crate) fn add(
    db: &Db,
    actor: Actor,
    sku_id: SkuId,
    quantity: u32,
    guard: &Guard,
) -> Result<()> {
    check_version(db, actor, guard)?;
    let sku = db.sku(actor.catalogue_version, sku_id)?.ok_or(Refused::NotFound { what: "SKU" })?;
    if !sku.active {
        return Err(Refused::SkuUnavailable { sku_id }.into());
    }
    let (user, now) = (actor.user_id.0, db.now());
    let line: i64 = db.sql(TOUCH_FOR_ADD)?.query_row((user, now, sku_id.0), |row| row.get(0))?;
    let row = (user, sku_id.0, line, quantity, sku.price.0, now);
    match db.sql(ADD)?.execute(row).map_err(Into::into) {
        Ok(_) => Ok(()),
        // The schema holds a line to QUANTITY_MAX.
        Err(error) if crate::db::DbError::is_check_violation(&error) => Err(over_quantity().into()),
        Err(error) => Err(error),
    }
}

/// Adds as much of what is offered as can be had. Says why, if that is not all.
fn merge_one(
    db: &Db,
    actor: Actor,
    sku_id: SkuId,
    offered: u32,
    strategy: MergeStrategy,
) -> Result<Option<SkipReason>> {
    const HAD: &str = "SELECT \
         (SELECT quantity FROM cart_items WHERE user_id = ?1 AND sku_id = ?2), \
         (SELECT count(*) FROM cart_items WHERE user_id = ?1), \
         (SELECT on_hand FROM stock WHERE sku_id = ?2)";
    match db.sku(actor.catalogue_version, sku_id)? {
        None => return Ok(Some(SkipReason::NotFound)),
        Some(sku) if !sku.active => return Ok(Some(SkipReason::SkuUnavailable)),
        Some(_) => {}
    }
    let (had, lines, on_hand) = db.sql(HAD)?.query_row((actor.user_id.0, sku_id.0), |row| {
        let had: Option<i64> = row.get(0)?;
        Ok((had, row.get::<_, i64>(1)?, row.get::<_, Option<i64>>(2)?.unwrap_or(0)))
    })?;
    if had.is_none() && lines >= i64::from(LINES_MAX) {
        return Ok(Some(SkipReason::QuantityLimit));
    }
    let (joining, reason) = strategy.joining(unsigned(had.unwrap_or(0)), offered, on_hand);
    if joining > 0 {
        add(db, actor, sku_id, joining, &Guard::default())?;
    }
    Ok(reason)
}

fn over_quantity() -> Refused {
    Refused::QuantityLimit { what: "pieces of one SKU", limit: QUANTITY_MAX }
}

/// Refuses a cart that has grown beyond the stock or the limits; the savepoint then undoes it.
/// Returns the line of the SKU.
pub(crate) fn check_growth(cart: &Cart, sku_id: SkuId) -> Result<LineId> {
    if cart.lines.len() > LINES_MAX as usize {
        return Err(Refused::QuantityLimit { what: "lines", limit: LINES_MAX }.into());
    }
    let line = cart
        .lines
        .iter()
        .find(|line| line.sku.sku_id == sku_id)
        .ok_or_else(|| Failed::Inconsistent(format!("the line of SKU {sku_id} is missing")))?;
    if i64::from(line.quantity) > line.on_hand {
        return Err(Refused::InsufficientStock { sku_id, available: line.on_hand }.into());
    }
    Ok(line.id)
}

const VERSION: &str = "SELECT version FROM carts WHERE user_id = ?1";

pub(crate) fn check_version(db: &Db, actor: Actor, guard: &Guard) -> Result<()> {
    let Some(expected) = guard.expected_version else { return Ok(()) };
    let actual =
        db.sql(VERSION)?.query_row([actor.user_id.0], |row| row.get(0)).optional()?.unwrap_or(0);
    if actual == expected {
        Ok(())
    } else {
        Err(Refused::VersionConflict { expected, actual }.into())
    }
}

const LINE: &str = "SELECT sku_id, quantity FROM cart_items WHERE user_id = ?1 AND id = ?2";
const SET: &str = "UPDATE cart_items SET quantity = ?3, price_when_added = ?4 \
     WHERE user_id = ?1 AND sku_id = ?2";
const REMOVE: &str = "DELETE FROM cart_items WHERE user_id = ?1 AND sku_id = ?2";

/// Sets a line's quantity. Returns its SKU if the line grew, which the stock must then allow.
fn set(db: &Db, actor: Actor, line: LineId, quantity: u32) -> Result<Option<SkuId>> {
    let user = actor.user_id.0;
    let found = db
        .sql(LINE)?
        .query_row((user, line.0), |row| Ok((row.get(0)?, row.get::<_, i64>(1)?)))
        .optional()?;
    let (sku, before) = found.ok_or(Refused::NotFound { what: "line in this cart" })?;
    touch(db, actor)?;
    if quantity == 0 {
        db.change_one(REMOVE, (user, sku))?;
        return Ok(None);
    }
    let sku_id = SkuId(sku);
    let facts = db
        .sku(actor.catalogue_version, sku_id)?
        .ok_or_else(|| Failed::Inconsistent(format!("cart line of unknown SKU {sku_id}")))?;
    let grew = i64::from(quantity) > before;
    if grew && !facts.active {
        return Err(Refused::SkuUnavailable { sku_id }.into());
    }
    if quantity > QUANTITY_MAX {
        return Err(over_quantity().into());
    }
    db.change_one(SET, (user, sku, quantity, facts.price.0))?;
    Ok(grew.then_some(sku_id))
}

const TOUCH: &str = "UPDATE carts SET version = version + 1, updated_at = ?2 WHERE user_id = ?1";

fn touch(db: &Db, actor: Actor) -> Result<()> {
    db.change_one(TOUCH, (actor.user_id.0, db.now()))
}

const EMPTY: &str = "DELETE FROM cart_items WHERE user_id = ?1";

/// Removes every line; the cart itself stays, one version on. An empty cart is left alone.
pub(crate) fn empty(db: &Db, actor: Actor) -> Result<()> {
    if db.sql(EMPTY)?.execute([actor.user_id.0])? > 0 {
        touch(db, actor)?;
    }
    Ok(())
}

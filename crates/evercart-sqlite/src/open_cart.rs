//! A cart open for changes in the writer's transaction. It is read once, together with the check of
//! its user; every rule is then decided on what was read, each change is one statement a table, and
//! the answer is what was read with the change made to it.
//!
//! Nothing can come between the read and the change: the writer is alone in its transaction, which
//! shuts out other processes, too. The schema's checks stand behind the rules all the same.

use evercart_core::cart::{Cart, LINES_MAX, Line, MergeStrategy, QUANTITY_MAX, SkipReason};
use evercart_core::error::Refused;
use evercart_core::guard::Guard;
use evercart_core::ids::{LineId, OrderId, SkuId};
use evercart_core::limits::CartHour;
use evercart_core::user::Session;
use rusqlite::OptionalExtension;

use crate::actor::{Actor, resource_of};
use crate::cart::{self, Found};
use crate::db::{Db, Result, time};

pub(crate) struct OpenCart {
    pub(crate) cart: Cart,
    pub(crate) actor: Actor,
    /// The id of the next new line. One is used up only by a line that is made.
    next_line: i64,
    /// In which changes are counted.
    hour: Option<CartHour>,
}

/// What a guarded change of a cart finds when it begins.
pub(crate) enum Opened {
    /// It is to be done.
    Fresh(OpenCart),
    /// It was done under this key; `resource` is the id of what it made or changed.
    Replay { cart: Cart, resource: i64 },
}

/// Checks the user, reads their cart, and looks whether this very request was carried out before
/// and whether the client means this version of the cart.
pub(crate) fn open(db: &Db, session: Session, guard: &Guard) -> Result<Opened> {
    let open = OpenCart::of(db, session)?;
    if let Some(key) = &guard.idempotency
        && let Some(resource) = resource_of(db, session.user_id, key)?
    {
        return Ok(Opened::Replay { cart: open.cart, resource });
    }
    match guard.expected_version {
        Some(expected) if expected != open.cart.version => {
            Err(Refused::VersionConflict { expected, actual: open.cart.version }.into())
        }
        _ => Ok(Opened::Fresh(open)),
    }
}

const STOCK: &str = "SELECT on_hand FROM stock WHERE sku_id = ?1";

const MAKE: &str = "INSERT INTO carts (user_id, version, next_line, updated_at, hour_began, \
     hour_version) VALUES (?1, 1, ?2, ?3, ?4, ?5)";
const TOUCH: &str = "UPDATE carts SET version = version + 1, next_line = ?2, updated_at = ?3, \
     hour_began = ?4, hour_version = ?5 WHERE user_id = ?1";

const TAKE_BACK: &str = "UPDATE carts SET version = version - ?2 WHERE user_id = ?1";

const EMPTIED_BY: &str =
    "SELECT emptied_by FROM carts WHERE user_id = ?1 AND emptied_version = version";
const NOTE_ORDER: &str = "UPDATE carts SET emptied_by = ?2, emptied_version = version \
     WHERE user_id = ?1";

const MAKE_LINE: &str = "INSERT INTO cart_items (user_id, sku_id, id, quantity, price_when_added, \
     added_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
const SET_LINE: &str = "UPDATE cart_items SET quantity = ?3, price_when_added = ?4 \
     WHERE user_id = ?1 AND sku_id = ?2";
const REMOVE_LINE: &str = "DELETE FROM cart_items WHERE user_id = ?1 AND sku_id = ?2";
const REMOVE_LINES: &str = "DELETE FROM cart_items WHERE user_id = ?1";

impl OpenCart {
    /// Checks the user and reads their cart.
    pub(crate) fn of(db: &Db, session: Session) -> Result<Self> {
        let Found { cart, next_line, hour, catalogue_version } = cart::find(db, session)?;
        let actor = Actor { user_id: session.user_id, catalogue_version };
        Ok(Self { cart, actor, next_line, hour })
    }

    /// Refuses a change that is one too many in its hour. Before anything is written.
    pub(crate) fn count(&mut self, db: &Db) -> Result<()> {
        let limit = db.limits.cart_changes_per_hour;
        self.hour = Some(CartHour::of_change(self.hour, self.cart.version, db.now(), limit)?);
        Ok(())
    }

    /// Adds pieces of a SKU to its line, or makes the line. Returns the line.
    pub(crate) fn add(&mut self, db: &Db, sku_id: SkuId, quantity: u32) -> Result<LineId> {
        self.count(db)?;
        self.put(db, sku_id, quantity)
    }

    fn put(&mut self, db: &Db, sku_id: SkuId, quantity: u32) -> Result<LineId> {
        let sku = db
            .sku(self.actor.catalogue_version, sku_id)?
            .ok_or(Refused::NotFound { what: "SKU" })?;
        if !sku.active {
            return Err(Refused::SkuUnavailable { sku_id }.into());
        }
        if let Some(place) = self.place_of(sku_id) {
            let wanted = self.cart.lines[place].quantity.saturating_add(quantity);
            return self.grow(db, place, wanted);
        }
        if self.cart.lines.len() >= LINES_MAX as usize {
            return Err(Refused::QuantityLimit { what: "lines", limit: LINES_MAX }.into());
        }
        let on_hand = on_hand(db, sku_id)?;
        check_quantity(sku_id, quantity, on_hand)?;
        let id = LineId(self.next_line);
        self.next_line += 1;
        let now = self.touch(db)?;
        let row = (self.actor.user_id.0, sku_id.0, id.0, quantity, sku.price.0, now);
        db.change_one(MAKE_LINE, row)?;
        let price_when_added = sku.price;
        self.cart.lines.push(Line { id, sku, quantity, price_when_added, on_hand });
        Ok(id)
    }

    /// Sets a line's quantity; 0 removes it. Only growing asks whether there is enough.
    pub(crate) fn set(&mut self, db: &Db, line: LineId, quantity: u32) -> Result<()> {
        self.count(db)?;
        let place = self.cart.lines.iter().position(|held| held.id == line);
        let place = place.ok_or(Refused::NotFound { what: "line in this cart" })?;
        let Line { sku, quantity: held, .. } = &self.cart.lines[place];
        if quantity == 0 {
            let sku_id = sku.sku_id;
            self.touch(db)?;
            db.change_one(REMOVE_LINE, (self.actor.user_id.0, sku_id.0))?;
            self.cart.lines.remove(place);
        } else if quantity <= *held {
            self.set_line(db, place, quantity)?;
        } else if sku.active {
            self.grow(db, place, quantity)?;
        } else {
            return Err(Refused::SkuUnavailable { sku_id: sku.sku_id }.into());
        }
        Ok(())
    }

    /// Adds as much of what is offered as can be had, as part of a change that is counted. Says
    /// why, if that is not all.
    pub(crate) fn merge(
        &mut self,
        db: &Db,
        (sku_id, offered): (SkuId, u32),
        strategy: MergeStrategy,
    ) -> Result<Option<SkipReason>> {
        match db.sku(self.actor.catalogue_version, sku_id)? {
            None => return Ok(Some(SkipReason::NotFound)),
            Some(sku) if !sku.active => return Ok(Some(SkipReason::SkuUnavailable)),
            Some(_) => {}
        }
        let (had, on_hand) = match self.place_of(sku_id) {
            Some(place) => (self.cart.lines[place].quantity, self.cart.lines[place].on_hand),
            None if self.cart.lines.len() >= LINES_MAX as usize => {
                return Ok(Some(SkipReason::QuantityLimit));
            }
            None => (0, on_hand(db, sku_id)?),
        };
        let (joining, reason) = strategy.joining(had, offered, on_hand);
        if joining > 0 {
            self.put(db, sku_id, joining)?;
        }
        Ok(reason)
    }

    /// Makes one version of all that was changed since the version `before`.
    pub(crate) fn count_as_one_change(&mut self, db: &Db, before: i64) -> Result<()> {
        let too_many = self.cart.version - before - 1;
        if too_many > 0 {
            db.change_one(TAKE_BACK, (self.actor.user_id.0, too_many))?;
            self.cart.version -= too_many;
        }
        Ok(())
    }

    /// Removes every line; the cart itself stays, one version on. An empty cart is left alone.
    pub(crate) fn clear(&mut self, db: &Db) -> Result<()> {
        self.count(db)?;
        self.empty(db)
    }

    fn empty(&mut self, db: &Db) -> Result<()> {
        if !self.cart.lines.is_empty() {
            self.touch(db)?;
            db.sql(REMOVE_LINES)?.execute([self.actor.user_id.0])?;
            self.cart.lines.clear();
        }
        Ok(())
    }

    /// Removes the lines that `order` was made of, and notes that it was this order.
    pub(crate) fn clear_for(&mut self, db: &Db, order: OrderId) -> Result<()> {
        self.empty(db)?;
        db.change_one(NOTE_ORDER, (self.actor.user_id.0, order.0))
    }

    /// The order that made the cart what it is now.
    pub(crate) fn emptied_by(&self, db: &Db) -> Result<Option<OrderId>> {
        let user = self.actor.user_id.0;
        let found = db.sql(EMPTIED_BY)?.query_row([user], |row| row.get(0)).optional()?;
        Ok(found.map(OrderId))
    }

    fn place_of(&self, sku_id: SkuId) -> Option<usize> {
        self.cart.lines.iter().position(|line| line.sku.sku_id == sku_id)
    }

    fn grow(&mut self, db: &Db, place: usize, wanted: u32) -> Result<LineId> {
        let Line { id, sku, on_hand, .. } = &self.cart.lines[place];
        let id = *id;
        check_quantity(sku.sku_id, wanted, *on_hand)?;
        self.set_line(db, place, wanted)?;
        Ok(id)
    }

    fn set_line(&mut self, db: &Db, place: usize, quantity: u32) -> Result<()> {
        self.touch(db)?;
        let line = &mut self.cart.lines[place];
        let row = (self.actor.user_id.0, line.sku.sku_id.0, quantity, line.sku.price.0);
        db.change_one(SET_LINE, row)?;
        line.quantity = quantity;
        line.price_when_added = line.sku.price;
        Ok(())
    }

    /// Moves the cart's version on. Returns the time of the change.
    fn touch(&mut self, db: &Db) -> Result<i64> {
        let now = db.now();
        let statement = if self.cart.version == 0 { MAKE } else { TOUCH };
        let (began, version) = self.hour.map(|hour| (hour.began, hour.version)).unzip();
        let row = (self.actor.user_id.0, self.next_line, now, began, version);
        db.change_one(statement, row)?;
        self.cart.version += 1;
        self.cart.updated_at = Some(time(now));
        Ok(now)
    }
}

/// Pieces of a SKU that the shop has.
pub(crate) fn on_hand(db: &Db, sku_id: SkuId) -> Result<i64> {
    let found = db.sql(STOCK)?.query_row([sku_id.0], |row| row.get(0)).optional()?;
    Ok(found.unwrap_or(0))
}

fn check_quantity(sku_id: SkuId, wanted: u32, on_hand: i64) -> Result<(), Refused> {
    if wanted > QUANTITY_MAX {
        Err(Refused::QuantityLimit { what: "pieces of one SKU", limit: QUANTITY_MAX })
    } else if i64::from(wanted) > on_hand {
        Err(Refused::InsufficientStock { sku_id, available: on_hand })
    } else {
        Ok(())
    }
}

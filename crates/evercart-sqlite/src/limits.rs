//! What one customer may do in an hour and have open at once, counted in the transaction of the
//! change. The writer is alone in it.

use evercart_core::guard::Guard;
use evercart_core::ids::UserId;
use evercart_core::limits::{ChangesHour, NO_LIMIT, OPEN_FOR_MS, ORDERS_LOOKED_AT, OrdersBefore};
use evercart_core::user::Session;
use rusqlite::OptionalExtension;

use crate::actor::{Begun, begin_as};
use crate::db::{Db, Result, unsigned};

/// Lets a session in for a change that counts: of anything but the cart.
pub(crate) fn begin_change(db: &Db, session: Session, guard: &Guard) -> Result<Begun> {
    const HOUR: &str = "SELECT hour_began, hour_changes FROM users WHERE id = ?1";
    const COUNT: &str = "UPDATE users SET hour_began = ?2, hour_changes = ?3 WHERE id = ?1";
    let begun = begin_as(db, session, guard)?;
    let limit = db.limits.changes_per_hour;
    if let Begun::Fresh(actor) = &begun
        && limit != NO_LIMIT
    {
        let user = actor.user_id.0;
        let hour = db.sql(HOUR)?.query_row([user], |row| {
            let (began, changes): (Option<i64>, Option<i64>) = (row.get(0)?, row.get(1)?);
            Ok(began.zip(changes).map(|(began, changes)| ChangesHour { began, changes }))
        })?;
        let ChangesHour { began, changes } = ChangesHour::with_change(hour, db.now(), limit)?;
        db.change_one(COUNT, (user, began, changes))?;
    }
    Ok(begun)
}

/// Refuses an order of so many pieces that would be one too many.
pub(crate) fn allow_order(db: &Db, user: UserId, pieces: u64) -> Result<()> {
    if db.limits.limit_orders() {
        let before = orders_before(db, user)?;
        db.limits.allow_order(pieces, &before, db.now())?;
    }
    Ok(())
}

fn orders_before(db: &Db, user: UserId) -> Result<OrdersBefore> {
    const AT_LIMIT: &str =
        "SELECT order_date FROM orders WHERE user_id = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2";
    const OPEN: &str = "SELECT count(*), coalesce(sum(pieces), 0), min(order_date) FROM \
         (SELECT n.order_date, (SELECT sum(i.quantity) FROM order_items i \
         WHERE i.user_id = ?1 AND i.order_id = n.id) AS pieces \
         FROM (SELECT id, status, order_date FROM orders WHERE user_id = ?1 \
         ORDER BY id DESC LIMIT ?3) n WHERE n.status = 'pending' AND n.order_date > ?2)";
    let at_limit = match db.limits.orders_per_hour {
        NO_LIMIT => None,
        limit => {
            let row = (user.0, limit.saturating_sub(1));
            db.sql(AT_LIMIT)?.query_row(row, |row| row.get(0)).optional()?
        }
    };
    let row = (user.0, db.now() - OPEN_FOR_MS, ORDERS_LOOKED_AT);
    let before = db.sql(OPEN)?.query_row(row, |row| {
        Ok(OrdersBefore {
            at_limit,
            open_orders: unsigned(row.get(0)?),
            open_pieces: unsigned(row.get(1)?),
            oldest_open: row.get(2)?,
        })
    })?;
    Ok(before)
}

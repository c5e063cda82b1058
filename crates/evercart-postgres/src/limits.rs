//! What one customer may do in an hour and have open at once, counted in the transaction of the
//! change. The customer's row is locked, so nothing else that they change runs beside it.

use evercart_core::guard::Guard;
use evercart_core::ids::UserId;
use evercart_core::limits::{
    NO_LIMIT, OPEN_FOR_MS, ORDERS_LOOKED_AT, OrdersBefore, too_many_cart_changes, too_many_changes,
};
use evercart_core::user::Session;
use futures_util::future::try_join;

use crate::actor::{Begun, begin_as};
use crate::db::{Db, Params, Result, unsigned};

/// Lets a session in for a change that counts: of anything but the cart.
pub(crate) async fn begin_change(db: &Db<'_>, session: Session, guard: &Guard) -> Result<Begun> {
    const COUNT: &str = "UPDATE users SET hour_changes = \
         CASE WHEN $2 BETWEEN hour_began - 3600000 AND hour_began + 3599999 \
         THEN hour_changes + 1 ELSE 1 END, hour_began = \
         CASE WHEN $2 BETWEEN hour_began - 3600000 AND hour_began + 3599999 \
         THEN hour_began ELSE $2 END \
         WHERE id = $1 RETURNING hour_began, hour_changes";
    let begun = begin_as(db, session, guard).await?;
    let limit = db.limits().changes_per_hour;
    if matches!(begun, Begun::Fresh) && limit != NO_LIMIT {
        let row = db.query_one(COUNT, &[&session.user_id.0, &db.now()]).await?;
        let (began, changes): (i64, i64) = (row.get(0), row.get(1));
        if changes > i64::from(limit) {
            return Err(too_many_changes(limit, began, db.now()).into());
        }
    }
    Ok(begun)
}

/// Refuses a change of a cart, whose user is locked, that is one too many in its hour.
pub(crate) async fn allow_cart_change(db: &Db<'_>, user: UserId) -> Result<()> {
    const FULL: &str = "SELECT full_hour($1, $2, $3)";
    let limit = db.limits().cart_changes_per_hour;
    let row = db.query_one(FULL, &[&user.0, &db.now(), &i64::from(limit)]).await?;
    match row.get(0) {
        None => Ok(()),
        Some(began) => Err(too_many_cart_changes(limit, began, db.now()).into()),
    }
}

/// Refuses an order of so many pieces that would be one too many.
pub(crate) async fn allow_order(db: &Db<'_>, user: UserId, pieces: u64) -> Result<()> {
    if db.limits().limit_orders() {
        let before = orders_before(db, user).await?;
        db.limits().allow_order(pieces, &before, db.now())?;
    }
    Ok(())
}

async fn orders_before(db: &Db<'_>, user: UserId) -> Result<OrdersBefore> {
    const AT_LIMIT: &str =
        "SELECT order_date FROM orders WHERE user_id = $1 ORDER BY id DESC LIMIT 1 OFFSET $2";
    const OPEN: &str = "SELECT count(*), coalesce(sum(pieces), 0)::BIGINT, min(order_date) FROM \
         (SELECT n.order_date, (SELECT sum(i.quantity) FROM order_items i \
         WHERE i.user_id = $1 AND i.order_id = n.id) AS pieces \
         FROM (SELECT id, status, order_date FROM orders WHERE user_id = $1 \
         ORDER BY id DESC LIMIT $3) n WHERE n.status = 'pending' AND n.order_date > $2) o";
    let limit = db.limits().orders_per_hour;
    let before_it = i64::from(limit.saturating_sub(1));
    let (since, most) = (db.now() - OPEN_FOR_MS, i64::from(ORDERS_LOOKED_AT));
    let at_limit = async {
        match limit {
            NO_LIMIT => Ok(None),
            _ => db.query_opt(AT_LIMIT, &[&user.0, &before_it]).await,
        }
    };
    let open: Params<'_> = &[&user.0, &since, &most];
    let (at_limit, open) = try_join(at_limit, db.query_one(OPEN, open)).await?;
    Ok(OrdersBefore {
        at_limit: at_limit.map(|row| row.get(0)),
        open_orders: unsigned(open.get(0)),
        open_pieces: unsigned(open.get(1)),
        oldest_open: open.get(2),
    })
}

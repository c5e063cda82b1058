//! How an order is placed, of a cart or of items past it: in one transaction, with what belongs
//! together sent at once.

use evercart_core::error::Refused;
use evercart_core::guard::{Done, Guard};
use evercart_core::ids::{OrderId, SkuId, UserId};
use evercart_core::money::Money;
use evercart_core::order::{Checkout, Items, Order, OrderStatus};
use evercart_core::user::Session;
use futures_util::future::{try_join, try_join_all};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::{check_version, get, write_status};
use crate::actor::{Begun, begin_as, remember};
use crate::db::{Db, Result, unsigned};

/// A SKU with what it becomes in an order.
struct Bought {
    sku_id: i64,
    quantity: i32,
    product_id: i64,
    name: String,
    sku_code: String,
    size: Option<String>,
    color: Option<String>,
    image: Option<String>,
    price: Money,
    active: bool,
}

pub(super) async fn check_out(
    db: &Db<'_>,
    session: Session,
    checkout: &Checkout,
    guard: &Guard,
) -> Result<Done<Order>> {
    let user = session.user_id;
    if let Begun::Replay { resource } = begin_as(db, session, guard).await? {
        return Ok(Done::before(get(db, user, OrderId(resource)).await?));
    }
    check_version(db, user, guard).await?;
    let lines = cart(db, user).await?;
    if lines.is_empty() {
        return Err(Refused::CartEmpty { emptied_by: emptied_by(db, user).await? }.into());
    }
    let id = begin_order(db, user, checkout, &lines).await?;
    try_join(finish_order(db, user, id, &lines), empty_cart(db, user, id)).await?;
    remember(db, user, guard, id.0).await?;
    Ok(Done::now(get(db, user, id).await?))
}

/// Orders items past the cart.
pub(super) async fn buy(
    db: &Db<'_>,
    session: Session,
    items: &Items,
    checkout: &Checkout,
    guard: &Guard,
) -> Result<Done<Order>> {
    let user = session.user_id;
    if let Begun::Replay { resource } = begin_as(db, session, guard).await? {
        return Ok(Done::before(get(db, user, OrderId(resource)).await?));
    }
    check_version(db, user, guard).await?;
    let lines = lines_of(db, items).await?;
    let id = begin_order(db, user, checkout, &lines).await?;
    finish_order(db, user, id, &lines).await?;
    remember(db, user, guard, id.0).await?;
    Ok(Done::now(get(db, user, id).await?))
}

/// Takes the stock, prices the lines and writes the order without them.
async fn begin_order(
    db: &Db<'_>,
    user: UserId,
    checkout: &Checkout,
    lines: &[Bought],
) -> Result<OrderId> {
    let all = lines.iter().map(|line| unsigned::<u64>(line.quantity.into())).sum();
    crate::limits::allow_order(db, user, all).await?;
    if let Some(line) = lines.iter().find(|line| !line.active) {
        return Err(Refused::SkuUnavailable { sku_id: SkuId(line.sku_id) }.into());
    }
    take_stock(db, lines).await?;
    let pieces = |line: &Bought| line.price.times(unsigned(line.quantity.into()));
    let subtotal: Money = lines.iter().map(pieces).sum();
    let shipping_cost = checkout.shipping.cost(subtotal);
    let total = subtotal.plus(shipping_cost);
    if let Some(expected) = checkout.expected_total
        && expected != total
    {
        return Err(Refused::PriceChanged { expected, actual: total }.into());
    }
    let id = take_number(db).await?;
    write_order(db, user, id, checkout, subtotal, shipping_cost).await?;
    Ok(id)
}

/// Writes what belongs to an order that was begun.
async fn finish_order(db: &Db<'_>, user: UserId, id: OrderId, lines: &[Bought]) -> Result<()> {
    let lines = write_lines(db, user, id, lines);
    try_join(lines, write_status(db, user, id, OrderStatus::Pending)).await?;
    Ok(())
}

/// The order that made the customer's cart what it is now.
async fn emptied_by(db: &Db<'_>, user: UserId) -> Result<Option<OrderId>> {
    const EMPTIED_BY: &str =
        "SELECT emptied_by FROM carts WHERE user_id = $1 AND emptied_version = version";
    let row = db.query_opt(EMPTIED_BY, &[&user.0]).await?;
    Ok(row.map(|row| OrderId(row.get(0))))
}

/// The cart of a customer whose row is locked, as the catalogue prices it at this moment.
async fn cart(db: &Db<'_>, user: UserId) -> Result<Vec<Bought>> {
    const CART: &str = "SELECT i.sku_id, i.quantity, s.product_id, p.name, s.sku_code, s.size, \
         s.color, s.image, \
         s.price, s.active FROM cart_items i JOIN skus s ON s.id = i.sku_id \
         JOIN products p ON p.id = s.product_id WHERE i.user_id = $1 ORDER BY i.id";
    let rows = db.query(CART, &[&user.0]).await?;
    Ok(rows.iter().map(|row| bought(row, row.get(1))).collect())
}

/// Items as the catalogue prices them at this moment, in their order.
async fn lines_of(db: &Db<'_>, items: &Items) -> Result<Vec<Bought>> {
    const SKUS: &str = "SELECT s.id, 0, s.product_id, p.name, s.sku_code, s.size, s.color, \
         s.image, s.price, s.active FROM skus s JOIN products p ON p.id = s.product_id \
         WHERE s.id = ANY ($1)";
    let ids: Vec<i64> = items.pairs().iter().map(|(sku_id, _)| sku_id.0).collect();
    let rows = db.query(SKUS, &[&ids]).await?;
    let line = |(sku_id, quantity): &(SkuId, u32)| {
        let row = rows.iter().find(|row| row.get::<_, i64>(0) == sku_id.0);
        let row = row.ok_or(Refused::NotFound { what: "SKU" })?;
        Ok(bought(row, unsigned((*quantity).into())))
    };
    items.pairs().iter().map(line).collect()
}

fn bought(row: &Row, quantity: i32) -> Bought {
    Bought {
        sku_id: row.get(0),
        quantity,
        product_id: row.get(2),
        name: row.get(3),
        sku_code: row.get(4),
        size: row.get(5),
        color: row.get(6),
        image: row.get(7),
        price: Money(row.get(8)),
        active: row.get(9),
    }
}

/// Takes each line's pieces where there are enough. By SKU, so that two checkouts never wait for
/// each other in a circle; sent at once, so that it costs one round trip.
async fn take_stock(db: &Db<'_>, lines: &[Bought]) -> Result<()> {
    const TAKE: &str = "UPDATE stock SET on_hand = on_hand - $2, taken = taken + $2 \
         WHERE sku_id = $1 AND on_hand >= $2";
    const LEFT: &str = "SELECT on_hand FROM stock WHERE sku_id = $1";
    let mut order: Vec<_> = lines.iter().collect();
    order.sort_unstable_by_key(|line| line.sku_id);
    let taken =
        try_join_all(order.iter().map(|line| async {
            db.execute(TAKE, &[&line.sku_id, &i64::from(line.quantity)]).await
        }))
        .await?;
    // In the order of the cart, so that the customer hears of the first line that is short.
    let short = lines.iter().find(|line| {
        let place = order.iter().position(|other| other.sku_id == line.sku_id);
        place.is_none_or(|place| taken[place] != 1)
    });
    match short {
        None => Ok(()),
        Some(line) => {
            let left = db.query_opt(LEFT, &[&line.sku_id]).await?;
            let available = left.map_or(0, |row| row.get(0));
            Err(Refused::InsufficientStock { sku_id: SkuId(line.sku_id), available }.into())
        }
    }
}

/// The next order's number. A number that is taken by a checkout that then fails is not given out
/// again.
async fn take_number(db: &Db<'_>) -> Result<OrderId> {
    const NEXT: &str = "SELECT nextval('order_numbers')";
    let id: i64 = db.query_one(NEXT, &[]).await?.get(0);
    db.reserve("order", id + 1).await?;
    Ok(OrderId(id))
}

async fn write_order(
    db: &Db<'_>,
    user: UserId,
    id: OrderId,
    checkout: &Checkout,
    subtotal: Money,
    shipping_cost: Money,
) -> Result<()> {
    const PHONE: &str = "SELECT phone FROM users WHERE id = $1";
    const INSERT: &str = "INSERT INTO orders (user_id, id, status, subtotal, shipping_cost, \
         tax_amount, \
         total_amount, currency, customer_name, customer_phone, customer_email, delivery_address, \
         delivery_city, delivery_notes, payment_method, order_date) \
         VALUES ($1, $2, 'pending', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
    let phone: String = match &checkout.customer_phone {
        Some(phone) => phone.clone(),
        None => db.query_one(PHONE, &[&user.0]).await?.get(0),
    };
    let total = subtotal.plus(shipping_cost);
    let tax = total.tax_included(checkout.tax_rate);
    db.change_one(
        INSERT,
        &[
            &user.0,
            &id.0,
            &subtotal.0,
            &shipping_cost.0,
            &tax.0,
            &total.0,
            &checkout.currency.code(),
            &checkout.customer_name,
            &phone,
            &checkout.customer_email,
            &checkout.delivery_address,
            &checkout.delivery_city,
            &checkout.delivery_notes,
            &checkout.payment_method,
            &db.now(),
        ],
    )
    .await
}

async fn write_lines(db: &Db<'_>, user: UserId, order: OrderId, lines: &[Bought]) -> Result<()> {
    const INSERT: &str = "INSERT INTO order_items (user_id, order_id, id, sku_id, product_id, \
         product_name, \
         sku_code, size, color, image, unit_price, quantity) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    try_join_all((1_i64..).zip(lines).map(|(id, line)| async move {
        let params: [&(dyn ToSql + Sync); 12] = [
            &user.0,
            &order.0,
            &id,
            &line.sku_id,
            &line.product_id,
            &line.name,
            &line.sku_code,
            &line.size,
            &line.color,
            &line.image,
            &line.price.0,
            &line.quantity,
        ];
        db.change_one(INSERT, &params).await
    }))
    .await?;
    Ok(())
}

/// Removes the lines that `order` was made of, and notes that it was this order.
async fn empty_cart(db: &Db<'_>, user: UserId, order: OrderId) -> Result<()> {
    const REMOVE: &str = "DELETE FROM cart_items WHERE user_id = $1";
    const MOVE_ON: &str = "UPDATE carts SET version = version + 1, updated_at = $2, \
         emptied_by = $3, emptied_version = version + 1 WHERE user_id = $1";
    let (user, now, order) = (user.0, db.now(), order.0);
    let (removed, moved): ([&(dyn ToSql + Sync); 1], [&(dyn ToSql + Sync); 3]) =
        ([&user], [&user, &now, &order]);
    try_join(db.execute(REMOVE, &removed), db.change_one(MOVE_ON, &moved)).await?;
    Ok(())
}

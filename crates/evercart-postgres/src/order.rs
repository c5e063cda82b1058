//! Orders' SQL: the checkout in one transaction, history, cancelling. Addresses' operations are
//! wired up here, too, since core counts them among the orders.

use async_trait::async_trait;
use evercart_core::address::{Address, AddressChange, AddressFields};
use evercart_core::error::{Failed, Refused, Result as StoreResult};
use evercart_core::guard::{Done, Guard};
use evercart_core::ids::{AddressId, OrderId, ProductId, SkuId, UserId};
use evercart_core::money::Money;
use evercart_core::order::{Checkout, Items, Listed, Order, OrderLine, OrderStatus, Orders, Page};
use evercart_core::user::Session;
use futures_util::future::{try_join, try_join_all, try_join3};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::actor::{Begun, admit, begin_as, remember};
use crate::db::{Db, Result, snapshot, time, transact, unsigned};
use crate::{Postgres, address};

#[async_trait]
impl Orders for Postgres {
    async fn checkout(
        &self,
        session: Session,
        checkout: Checkout,
        guard: Guard,
    ) -> StoreResult<Done<Order>> {
        let done = transact!(self, |db| check_out(&db, session, &checkout, &guard))?;
        self.tell_of_change(session.user_id);
        Ok(done)
    }

    async fn order_items(
        &self,
        session: Session,
        items: Items,
        checkout: Checkout,
        guard: Guard,
    ) -> StoreResult<Done<Order>> {
        transact!(self, |db| buy(&db, session, &items, &checkout, &guard))
    }

    async fn orders(
        &self,
        session: Session,
        status: Option<OrderStatus>,
        page: Page,
    ) -> StoreResult<Listed<Order>> {
        snapshot!(self, |db| list(&db, session, status, page))
    }

    async fn order(&self, session: Session, id: OrderId) -> StoreResult<Order> {
        snapshot!(self, |db| async {
            admit(&db, session).await?;
            get(&db, session.user_id, id).await
        })
    }

    async fn cancel_order(
        &self,
        session: Session,
        id: OrderId,
        guard: Guard,
    ) -> StoreResult<Done<Order>> {
        transact!(self, |db| async {
            let replayed = match begin_as(&db, session, &guard).await? {
                Begun::Replay { .. } => true,
                Begun::Fresh => {
                    cancel(&db, session.user_id, id).await?;
                    remember(&db, session.user_id, &guard, id.0).await?;
                    false
                }
            };
            Ok(Done { value: get(&db, session.user_id, id).await?, replayed })
        })
    }

    async fn addresses(&self, session: Session) -> StoreResult<Vec<Address>> {
        snapshot!(self, |db| async {
            admit(&db, session).await?;
            address::list(&db, session.user_id).await
        })
    }

    async fn add_address(
        &self,
        session: Session,
        fields: AddressFields,
        is_default: bool,
        guard: Guard,
    ) -> StoreResult<Done<Address>> {
        transact!(self, |db| async {
            let user = session.user_id;
            let (id, replayed) = match begin_as(&db, session, &guard).await? {
                Begun::Replay { resource } => (AddressId(resource), true),
                Begun::Fresh => {
                    let id = address::add(&db, user, &fields, is_default).await?;
                    remember(&db, user, &guard, id.0).await?;
                    (id, false)
                }
            };
            Ok(Done { value: address::get(&db, user, id).await?, replayed })
        })
    }

    async fn change_address(
        &self,
        session: Session,
        id: AddressId,
        change: AddressChange,
        guard: Guard,
    ) -> StoreResult<Done<Address>> {
        transact!(self, |db| async {
            let user = session.user_id;
            let replayed = match begin_as(&db, session, &guard).await? {
                Begun::Replay { .. } => true,
                Begun::Fresh => {
                    address::change(&db, user, id, &change).await?;
                    remember(&db, user, &guard, id.0).await?;
                    false
                }
            };
            Ok(Done { value: address::get(&db, user, id).await?, replayed })
        })
    }

    async fn remove_address(
        &self,
        session: Session,
        id: AddressId,
        guard: Guard,
    ) -> StoreResult<Done<()>> {
        transact!(self, |db| async {
            match begin_as(&db, session, &guard).await? {
                Begun::Replay { .. } => Ok(Done::before(())),
                Begun::Fresh => {
                    address::remove(&db, session.user_id, id).await?;
                    remember(&db, session.user_id, &guard, id.0).await?;
                    Ok(Done::now(()))
                }
            }
        })
    }
}

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

async fn check_out(
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
async fn buy(
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

pub(crate) async fn check_version(db: &Db<'_>, user: UserId, guard: &Guard) -> Result<()> {
    const OTHER: &str = "SELECT other_version($1, $2)";
    let Some(expected) = guard.expected_version else { return Ok(()) };
    match db.query_one(OTHER, &[&user.0, &expected]).await?.get(0) {
        None => Ok(()),
        Some(actual) => Err(Refused::VersionConflict { expected, actual }.into()),
    }
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
    db.reserve("order", id + 1)?;
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

async fn write_status(
    db: &Db<'_>,
    user: UserId,
    order: OrderId,
    status: OrderStatus,
) -> Result<()> {
    const INSERT: &str = "INSERT INTO order_history (user_id, order_id, id, status, at) \
         SELECT $1::BIGINT, $2::BIGINT, coalesce(max(id), 0) + 1, $3::TEXT, $4::BIGINT \
         FROM order_history WHERE user_id = $1 AND order_id = $2";
    db.change_one(INSERT, &[&user.0, &order.0, &status.as_str(), &db.now()]).await
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

async fn cancel(db: &Db<'_>, user: UserId, id: OrderId) -> Result<()> {
    const STATUS: &str = "SELECT status FROM orders WHERE user_id = $1 AND id = $2";
    const CANCEL: &str = "UPDATE orders SET status = 'cancelled' WHERE user_id = $1 AND id = $2";
    const LINES: &str = "SELECT sku_id, quantity FROM order_items WHERE user_id = $1 AND order_id \
         = $2 \
         ORDER BY sku_id";
    const PUT_BACK: &str =
        "UPDATE stock SET on_hand = on_hand + $2, taken = taken - $2 WHERE sku_id = $1";
    let key: [&(dyn ToSql + Sync); 2] = [&user.0, &id.0];
    let (found, lines) = try_join(db.query_opt(STATUS, &key), db.query(LINES, &key)).await?;
    let row = found.ok_or(Refused::NotFound { what: "order" })?;
    let status = status(row.get(0))?;
    if !status.is_cancellable() {
        return Err(Refused::OrderNotCancellable { status }.into());
    }
    db.change_one(CANCEL, &key).await?;
    // By SKU, as they were taken.
    try_join_all(lines.iter().map(|line| async {
        let (sku, pieces): (i64, i32) = (line.get(0), line.get(1));
        db.change_one(PUT_BACK, &[&sku, &i64::from(pieces)]).await
    }))
    .await?;
    write_status(db, user, id, OrderStatus::Cancelled).await
}

fn status(word: &str) -> Result<OrderStatus> {
    OrderStatus::from_word(word)
        .ok_or_else(|| Failed::Inconsistent(format!("order status {word:?}")).into())
}

async fn get(db: &Db<'_>, user: UserId, id: OrderId) -> Result<Order> {
    let mut found = several(db, user, &[id.0]).await?;
    Ok(found.pop().ok_or(Refused::NotFound { what: "order" })?)
}

/// These orders of a customer, the newest first: three statements however many they are.
async fn several(db: &Db<'_>, user: UserId, ids: &[i64]) -> Result<Vec<Order>> {
    const ORDERS: &str = "SELECT id, status, subtotal, shipping_cost, tax_amount, total_amount, \
         currency, \
         customer_name, customer_phone, customer_email, delivery_address, delivery_city, \
         delivery_notes, \
         payment_method, order_date, delivery_date FROM orders WHERE user_id = $1 AND id = ANY \
         ($2) \
         ORDER BY id DESC";
    const LINES: &str = "SELECT order_id, id, sku_id, product_id, product_name, sku_code, size, \
         color, image, \
         unit_price, quantity FROM order_items WHERE user_id = $1 AND order_id = ANY ($2) \
         ORDER BY order_id, id";
    const HISTORY: &str = "SELECT order_id, status, at FROM order_history \
         WHERE user_id = $1 AND order_id = ANY ($2) ORDER BY order_id, id";
    let params: [&(dyn ToSql + Sync); 2] = [&user.0, &ids];
    let (orders, lines, history) =
        try_join3(db.query(ORDERS, &params), db.query(LINES, &params), db.query(HISTORY, &params))
            .await?;
    let mut found = orders.iter().map(order_row).collect::<Result<Vec<_>>>()?;
    for order in &mut found {
        let own = |row: &&Row| row.get::<_, i64>(0) == order.id.0;
        order.lines = lines.iter().filter(own).map(line_row).collect();
        let reached =
            history.iter().filter(own).map(|row| Ok((status(row.get(1))?, time(row.get(2)))));
        order.history = reached.collect::<Result<_>>()?;
    }
    Ok(found)
}

fn order_row(row: &Row) -> Result<Order> {
    Ok(Order {
        id: OrderId(row.get(0)),
        status: status(row.get(1))?,
        subtotal: Money(row.get(2)),
        shipping_cost: Money(row.get(3)),
        tax_amount: Money(row.get(4)),
        total_amount: Money(row.get(5)),
        currency: row.get(6),
        customer_name: row.get(7),
        customer_phone: row.get(8),
        customer_email: row.get(9),
        delivery_address: row.get(10),
        delivery_city: row.get(11),
        delivery_notes: row.get(12),
        payment_method: row.get(13),
        order_date: time(row.get(14)),
        delivery_date: row.get::<_, Option<i64>>(15).map(time),
        lines: vec![],
        history: vec![],
    })
}

fn line_row(row: &Row) -> OrderLine {
    OrderLine {
        id: row.get(1),
        sku_id: SkuId(row.get(2)),
        product_id: ProductId(row.get(3)),
        product_name: row.get(4),
        sku_code: row.get(5),
        size: row.get(6),
        color: row.get(7),
        image: row.get(8),
        unit_price: Money(row.get(9)),
        quantity: unsigned(row.get::<_, i32>(10).into()),
    }
}

pub(crate) async fn list(
    db: &Db<'_>,
    session: Session,
    status: Option<OrderStatus>,
    page: Page,
) -> Result<Listed<Order>> {
    const COUNT: &str =
        "SELECT count(*) FROM orders WHERE user_id = $1 AND ($2::TEXT IS NULL OR status = $2)";
    const IDS: &str = "SELECT id FROM orders WHERE user_id = $1 AND ($2::TEXT IS NULL OR status = \
         $2) \
         ORDER BY id DESC LIMIT $3 OFFSET $4";
    let user = session.user_id;
    let word = status.map(OrderStatus::as_str);
    let limit = i64::from(page.limit);
    let offset = i64::try_from(page.offset).unwrap_or(i64::MAX);
    let (counted, all): ([&(dyn ToSql + Sync); 2], [&(dyn ToSql + Sync); 4]) =
        ([&user.0, &word], [&user.0, &word, &limit, &offset]);
    let ((), total, ids) =
        try_join3(admit(db, session), db.query_one(COUNT, &counted), db.query(IDS, &all)).await?;
    let ids: Vec<i64> = ids.iter().map(|row| row.get(0)).collect();
    let items = match ids.is_empty() {
        true => Vec::new(),
        false => several(db, user, &ids).await?,
    };
    Ok(Listed { items, total: unsigned(total.get(0)) })
}

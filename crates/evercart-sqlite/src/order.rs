//! Orders' SQL: the checkout in one transaction, history, cancelling. Addresses' operations are
//! wired up here, too, since core counts them among the orders.

use async_trait::async_trait;
use evercart_core::account::EXPORTED_ORDERS;
use evercart_core::address::{Address, AddressChange, AddressFields};
use evercart_core::cart::Line;
use evercart_core::error::{Failed, Refused, Result as StoreResult};
use evercart_core::guard::{Done, Guard};
use evercart_core::ids::{AddressId, LineId, OrderId, ProductId, SkuId, UserId};
use evercart_core::money::Money;
use evercart_core::order::{Checkout, Items, Listed, Order, OrderLine, OrderStatus, Orders, Page};
use evercart_core::user::Session;
use rusqlite::{OptionalExtension, Row};

use crate::actor::{Actor, Begun, admit, remember, take_number};
use crate::db::{Db, Result, time, unsigned};
use crate::erasing::END_ORDER;
use crate::limits::{allow_order, begin_change};
use crate::open_cart::{OpenCart, Opened, on_hand, open};
use crate::{Sqlite, address};

#[async_trait]
impl Orders for Sqlite {
    async fn checkout(
        &self,
        session: Session,
        checkout: Checkout,
        guard: Guard,
    ) -> StoreResult<Done<Order>> {
        let done = self
            .writer
            .write(move |db| {
                let user = session.user_id;
                let mut open = match open(db, session, &guard)? {
                    Opened::Replay { resource, .. } => {
                        return Ok(Done::before(get(db, user, OrderId(resource))?));
                    }
                    Opened::Fresh(open) => open,
                };
                let order = order_cart(db, &mut open, &checkout)?;
                remember(db, user, &guard, order.0)?;
                Ok(Done::now(get(db, user, order)?))
            })
            .await;
        self.signals.changed(session.user_id);
        done
    }

    async fn order_items(
        &self,
        session: Session,
        items: Items,
        checkout: Checkout,
        guard: Guard,
    ) -> StoreResult<Done<Order>> {
        self.writer
            .write(move |db| {
                let user = session.user_id;
                let actor = match open(db, session, &guard)? {
                    Opened::Replay { resource, .. } => {
                        return Ok(Done::before(get(db, user, OrderId(resource))?));
                    }
                    Opened::Fresh(open) => open.actor,
                };
                let lines = lines_of(db, actor, &items)?;
                let order = place(db, user, &lines, &checkout)?;
                remember(db, user, &guard, order.0)?;
                Ok(Done::now(get(db, user, order)?))
            })
            .await
    }

    async fn orders(
        &self,
        session: Session,
        status: Option<OrderStatus>,
        page: Page,
    ) -> StoreResult<Listed<Order>> {
        self.readers
            .read_snapshot(move |db| {
                let actor = admit(db, session)?;
                list(db, actor.user_id, status, page)
            })
            .await
    }

    async fn order(&self, session: Session, id: OrderId) -> StoreResult<Order> {
        self.readers
            .read_snapshot(move |db| {
                let actor = admit(db, session)?;
                get(db, actor.user_id, id)
            })
            .await
    }

    async fn cancel_order(
        &self,
        session: Session,
        id: OrderId,
        guard: Guard,
    ) -> StoreResult<Done<Order>> {
        self.writer
            .write(move |db| {
                let replayed = match begin_change(db, session, &guard)? {
                    Begun::Replay { .. } => true,
                    Begun::Fresh(actor) => {
                        cancel(db, actor.user_id, id)?;
                        remember(db, actor.user_id, &guard, id.0)?;
                        false
                    }
                };
                Ok(Done { value: get(db, session.user_id, id)?, replayed })
            })
            .await
    }

    async fn addresses(&self, session: Session) -> StoreResult<Vec<Address>> {
        self.readers
            .read_snapshot(move |db| {
                let actor = admit(db, session)?;
                address::list(db, actor.user_id)
            })
            .await
    }

    async fn add_address(
        &self,
        session: Session,
        fields: AddressFields,
        is_default: bool,
        guard: Guard,
    ) -> StoreResult<Done<Address>> {
        self.writer
            .write(move |db| {
                let (id, replayed) = match begin_change(db, session, &guard)? {
                    Begun::Replay { resource, .. } => (AddressId(resource), true),
                    Begun::Fresh(actor) => {
                        let id = address::add(db, actor.user_id, &fields, is_default)?;
                        remember(db, actor.user_id, &guard, id.0)?;
                        (id, false)
                    }
                };
                Ok(Done { value: address::get(db, session.user_id, id)?, replayed })
            })
            .await
    }

    async fn change_address(
        &self,
        session: Session,
        id: AddressId,
        change: AddressChange,
        guard: Guard,
    ) -> StoreResult<Done<Address>> {
        self.writer
            .write(move |db| {
                let replayed = match begin_change(db, session, &guard)? {
                    Begun::Replay { .. } => true,
                    Begun::Fresh(actor) => {
                        address::change(db, actor.user_id, id, &change)?;
                        remember(db, actor.user_id, &guard, id.0)?;
                        false
                    }
                };
                Ok(Done { value: address::get(db, session.user_id, id)?, replayed })
            })
            .await
    }

    async fn remove_address(
        &self,
        session: Session,
        id: AddressId,
        guard: Guard,
    ) -> StoreResult<Done<()>> {
        self.writer
            .write(move |db| match begin_change(db, session, &guard)? {
                Begun::Replay { .. } => Ok(Done::before(())),
                Begun::Fresh(actor) => {
                    address::remove(db, actor.user_id, id)?;
                    remember(db, actor.user_id, &guard, id.0)?;
                    Ok(Done::now(()))
                }
            })
            .await
    }
}

/// Makes an order of the cart and empties it.
pub(crate) fn order_cart(db: &Db, open: &mut OpenCart, checkout: &Checkout) -> Result<OrderId> {
    if open.cart.lines.is_empty() {
        return Err(Refused::CartEmpty { emptied_by: open.emptied_by(db)? }.into());
    }
    let order = place(db, open.actor.user_id, &open.cart.lines, checkout)?;
    open.clear_for(db, order)?;
    Ok(order)
}

/// Items as the lines that a cart would have of them.
fn lines_of(db: &Db, actor: Actor, items: &Items) -> Result<Vec<Line>> {
    let line = |((sku_id, quantity), id): (&(SkuId, u32), i64)| {
        let sku = db.sku(actor.catalogue_version, *sku_id)?;
        let sku = sku.ok_or(Refused::NotFound { what: "SKU" })?;
        let (price_when_added, on_hand) = (sku.price, on_hand(db, *sku_id)?);
        Ok(Line { id: LineId(id), sku, quantity: *quantity, price_when_added, on_hand })
    };
    items.pairs().iter().zip(1..).map(line).collect()
}

/// Prices the lines, takes their stock and writes the order.
fn place(db: &Db, user: UserId, lines: &[Line], checkout: &Checkout) -> Result<OrderId> {
    allow_order(db, user, lines.iter().map(|line| u64::from(line.quantity)).sum())?;
    if let Some(line) = lines.iter().find(|line| !line.sku.active) {
        return Err(Refused::SkuUnavailable { sku_id: line.sku.sku_id }.into());
    }
    for line in lines {
        take_stock(db, line.sku.sku_id, line.quantity, line.on_hand)?;
    }
    let subtotal: Money = lines.iter().map(Line::total).sum();
    let shipping_cost = checkout.shipping.cost(subtotal);
    let total = subtotal.plus(shipping_cost);
    if let Some(expected) = checkout.expected_total
        && expected != total
    {
        return Err(Refused::PriceChanged { expected, actual: total }.into());
    }
    let id = OrderId(take_number(db, "order")?);
    write_order(db, user, id, checkout, subtotal, shipping_cost)?;
    write_lines(db, user, id, lines)?;
    write_status(db, user, id, OrderStatus::Pending)?;
    Ok(id)
}

fn take_stock(db: &Db, sku_id: SkuId, quantity: u32, on_hand: i64) -> Result<()> {
    const TAKE: &str = "UPDATE stock SET on_hand = on_hand - ?2, taken = taken + ?2 \
         WHERE sku_id = ?1 AND on_hand >= ?2";
    match db.sql(TAKE)?.execute((sku_id.0, quantity))? {
        1 => Ok(()),
        _ => Err(Refused::InsufficientStock { sku_id, available: on_hand }.into()),
    }
}

fn write_order(
    db: &Db,
    user: UserId,
    id: OrderId,
    checkout: &Checkout,
    subtotal: Money,
    shipping_cost: Money,
) -> Result<()> {
    const INSERT: &str = "INSERT INTO orders (user_id, id, status, subtotal, shipping_cost, \
         tax_amount, \
         total_amount, currency, customer_name, customer_phone, customer_email, delivery_address, \
         delivery_city, delivery_notes, payment_method, order_date) \
         SELECT ?1, ?2, 'pending', ?3, ?4, ?5, ?6, ?7, ?8, coalesce(?9, phone), ?10, ?11, ?12, \
         ?13, \
         ?14, ?15 FROM users WHERE id = ?1";
    let total = subtotal.plus(shipping_cost);
    db.change_one(
        INSERT,
        (
            user.0,
            id.0,
            subtotal.0,
            shipping_cost.0,
            total.tax_included(checkout.tax_rate).0,
            total.0,
            checkout.currency.code(),
            &checkout.customer_name,
            &checkout.customer_phone,
            &checkout.customer_email,
            &checkout.delivery_address,
            &checkout.delivery_city,
            &checkout.delivery_notes,
            &checkout.payment_method,
            db.now(),
        ),
    )
}

fn write_lines(db: &Db, user: UserId, order: OrderId, lines: &[Line]) -> Result<()> {
    const INSERT: &str = "INSERT INTO order_items (user_id, order_id, id, sku_id, product_id, \
         product_name, sku_code, size, color, image, unit_price, quantity) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    let mut statement = db.sql(INSERT)?;
    for (line, id) in lines.iter().zip(1_i64..) {
        let sku = &line.sku;
        statement.execute((
            user.0,
            order.0,
            id,
            sku.sku_id.0,
            sku.product_id.0,
            &sku.name,
            &sku.sku_code,
            &sku.size,
            &sku.color,
            &sku.image,
            sku.price.0,
            line.quantity,
        ))?;
    }
    Ok(())
}

fn write_status(db: &Db, user: UserId, order: OrderId, status: OrderStatus) -> Result<()> {
    const INSERT: &str = "INSERT INTO order_history (user_id, order_id, id, status, at) VALUES \
         (?1, ?2, \
         (SELECT coalesce(max(id), 0) + 1 FROM order_history WHERE user_id = ?1 AND order_id = \
         ?2), \
         ?3, ?4)";
    db.sql(INSERT)?.execute((user.0, order.0, status.as_str(), db.now()))?;
    Ok(())
}

fn cancel(db: &Db, user: UserId, id: OrderId) -> Result<()> {
    end(db, user, id, OrderStatus::Cancelled, OrderStatus::is_cancellable)
}

/// Ends an order of a customer's, if it may end from where it is.
pub(crate) fn end(
    db: &Db,
    user: UserId,
    id: OrderId,
    to: OrderStatus,
    may: impl FnOnce(OrderStatus) -> bool,
) -> Result<()> {
    const STATUS: &str = "SELECT status FROM orders WHERE user_id = ?1 AND id = ?2";
    const LINES: &str =
        "SELECT sku_id, quantity FROM order_items WHERE user_id = ?1 AND order_id = ?2";
    const PUT_BACK: &str =
        "UPDATE stock SET on_hand = on_hand + ?2, taken = taken - ?2 WHERE sku_id = ?1";
    let word: Option<String> =
        db.sql(STATUS)?.query_row((user.0, id.0), |row| row.get(0)).optional()?;
    let status = status(&word.ok_or(Refused::NotFound { what: "order" })?)?;
    if !may(status) {
        return Err(Refused::OrderNotCancellable { status }.into());
    }
    db.change_one(&END_ORDER, (user.0, id.0, to.as_str(), db.now()))?;
    if !to.holds_stock() {
        let mut statement = db.sql(LINES)?;
        let mut lines = statement.query((user.0, id.0))?;
        while let Some(line) = lines.next()? {
            db.change_one(PUT_BACK, (line.get::<_, i64>(0)?, line.get::<_, i64>(1)?))?;
        }
    }
    write_status(db, user, id, to)
}

fn status(word: &str) -> Result<OrderStatus> {
    OrderStatus::from_word(word)
        .ok_or_else(|| Failed::Inconsistent(format!("order status {word:?}")).into())
}

const GET: &str = "SELECT id, status, subtotal, shipping_cost, tax_amount, total_amount, currency, \
     customer_name, customer_phone, customer_email, delivery_address, delivery_city, \
     delivery_notes, \
     payment_method, order_date, delivery_date FROM orders WHERE user_id = ?1 AND id = ?2";

fn get(db: &Db, user: UserId, id: OrderId) -> Result<Order> {
    let row = db
        .sql(GET)?
        .query_row((user.0, id.0), |row| Ok((order_row(row)?, row.get::<_, String>(1)?)))
        .optional()?;
    let (mut order, word) = row.ok_or(Refused::NotFound { what: "order" })?;
    order.status = status(&word)?;
    order.lines = lines(db, user, id)?;
    order.history = history(db, user, id)?;
    Ok(order)
}

fn order_row(row: &Row<'_>) -> rusqlite::Result<Order> {
    Ok(Order {
        id: OrderId(row.get(0)?),
        status: OrderStatus::Pending,
        subtotal: Money(row.get(2)?),
        shipping_cost: Money(row.get(3)?),
        tax_amount: Money(row.get(4)?),
        total_amount: Money(row.get(5)?),
        currency: row.get(6)?,
        customer_name: row.get(7)?,
        customer_phone: row.get(8)?,
        customer_email: row.get(9)?,
        delivery_address: row.get(10)?,
        delivery_city: row.get(11)?,
        delivery_notes: row.get(12)?,
        payment_method: row.get(13)?,
        order_date: time(row.get(14)?),
        delivery_date: row.get::<_, Option<i64>>(15)?.map(time),
        lines: vec![],
        history: vec![],
    })
}

fn lines(db: &Db, user: UserId, order: OrderId) -> Result<Vec<OrderLine>> {
    const LINES: &str = "SELECT id, sku_id, product_id, product_name, sku_code, size, color, \
         image, \
         unit_price, quantity FROM order_items WHERE user_id = ?1 AND order_id = ?2 ORDER BY id";
    let mut statement = db.sql(LINES)?;
    let lines = statement.query_map((user.0, order.0), |row| {
        Ok(OrderLine {
            id: row.get(0)?,
            sku_id: SkuId(row.get(1)?),
            product_id: ProductId(row.get(2)?),
            product_name: row.get(3)?,
            sku_code: row.get(4)?,
            size: row.get(5)?,
            color: row.get(6)?,
            image: row.get(7)?,
            unit_price: Money(row.get(8)?),
            quantity: unsigned(row.get(9)?),
        })
    })?;
    Ok(lines.collect::<rusqlite::Result<_>>()?)
}

fn history(db: &Db, user: UserId, order: OrderId) -> Result<Vec<(OrderStatus, jiff::Timestamp)>> {
    const HISTORY: &str = "SELECT status, at FROM order_history \
         WHERE user_id = ?1 AND order_id = ?2 ORDER BY id";
    let mut statement = db.sql(HISTORY)?;
    let mut rows = statement.query((user.0, order.0))?;
    let mut history = Vec::new();
    while let Some(row) = rows.next()? {
        history.push((status(&row.get::<_, String>(0)?)?, time(row.get(1)?)));
    }
    Ok(history)
}

pub(crate) fn list(
    db: &Db,
    user: UserId,
    status: Option<OrderStatus>,
    page: Page,
) -> Result<Listed<Order>> {
    const COUNT: &str =
        "SELECT count(*) FROM orders WHERE user_id = ?1 AND (?2 IS NULL OR status = ?2)";
    const IDS: &str = "SELECT id FROM orders WHERE user_id = ?1 AND (?2 IS NULL OR status = ?2) \
         ORDER BY id DESC LIMIT ?3 OFFSET ?4";
    let word = status.map(OrderStatus::as_str);
    let total: i64 = db.sql(COUNT)?.query_row((user.0, word), |row| row.get(0))?;
    let offset = i64::try_from(page.offset).unwrap_or(i64::MAX);
    let mut statement = db.sql(IDS)?;
    let mut ids = statement.query((user.0, word, page.limit, offset))?;
    let mut items = Vec::new();
    while let Some(row) = ids.next()? {
        items.push(get(db, user, OrderId(row.get(0)?))?);
    }
    Ok(Listed { items, total: unsigned(total) })
}

/// A page of an export: orders before this one, the newest first.
pub(crate) fn before(db: &Db, user: UserId, order: Option<OrderId>) -> Result<Vec<Order>> {
    const IDS: &str =
        "SELECT id FROM orders WHERE user_id = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3";
    let mut statement = db.sql(IDS)?;
    let before = order.map_or(i64::MAX, |order| order.0);
    let mut ids = statement.query((user.0, before, EXPORTED_ORDERS))?;
    let mut orders = Vec::new();
    while let Some(row) = ids.next()? {
        orders.push(get(db, user, OrderId(row.get(0)?))?);
    }
    Ok(orders)
}

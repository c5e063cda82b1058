//! Orders' SQL: history, cancelling, and [`placing`] them. Addresses' operations are wired up here,
//! too, since core counts them among the orders.

mod placing;

use async_trait::async_trait;
use evercart_core::account::EXPORTED_ORDERS;
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

use crate::actor::{Begun, admit, remember};
use crate::db::{Db, Result, snapshot, time, transact, unsigned};
use crate::erasing::END_ORDER;
use crate::limits::begin_change;
use crate::{Postgres, address};
use placing::{buy, check_out};

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
            let replayed = match begin_change(&db, session, &guard).await? {
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
            let (id, replayed) = match begin_change(&db, session, &guard).await? {
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
            let replayed = match begin_change(&db, session, &guard).await? {
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
            match begin_change(&db, session, &guard).await? {
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

pub(crate) async fn check_version(db: &Db<'_>, user: UserId, guard: &Guard) -> Result<()> {
    const OTHER: &str = "SELECT other_version($1, $2)";
    let Some(expected) = guard.expected_version else { return Ok(()) };
    match db.query_one(OTHER, &[&user.0, &expected]).await?.get(0) {
        None => Ok(()),
        Some(actual) => Err(Refused::VersionConflict { expected, actual }.into()),
    }
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

async fn cancel(db: &Db<'_>, user: UserId, id: OrderId) -> Result<()> {
    end(db, user, id, OrderStatus::Cancelled, OrderStatus::is_cancellable).await
}

/// Ends an order of a customer's, whose row is locked, if it may end from where it is.
pub(crate) async fn end(
    db: &Db<'_>,
    user: UserId,
    id: OrderId,
    to: OrderStatus,
    may: impl FnOnce(OrderStatus) -> bool,
) -> Result<()> {
    const STATUS: &str = "SELECT status FROM orders WHERE user_id = $1 AND id = $2";
    const LINES: &str = "SELECT sku_id, quantity FROM order_items WHERE user_id = $1 AND order_id \
         = $2 \
         ORDER BY sku_id";
    const PUT_BACK: &str =
        "UPDATE stock SET on_hand = on_hand + $2, taken = taken - $2 WHERE sku_id = $1";
    let key: [&(dyn ToSql + Sync); 2] = [&user.0, &id.0];
    let (found, lines) = try_join(db.query_opt(STATUS, &key), db.query(LINES, &key)).await?;
    let row = found.ok_or(Refused::NotFound { what: "order" })?;
    let status = status(row.get(0))?;
    if !may(status) {
        return Err(Refused::OrderNotCancellable { status }.into());
    }
    db.change_one(&END_ORDER, &[&user.0, &id.0, &to.as_str(), &db.now()]).await?;
    if !to.holds_stock() {
        // By SKU, as they were taken.
        try_join_all(lines.iter().map(|line| async {
            let (sku, pieces): (i64, i32) = (line.get(0), line.get(1));
            db.change_one(PUT_BACK, &[&sku, &i64::from(pieces)]).await
        }))
        .await?;
    }
    write_status(db, user, id, to).await
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

/// A page of an export: orders before this one, the newest first.
pub(crate) async fn before(
    db: &Db<'_>,
    session: Session,
    order: Option<OrderId>,
) -> Result<Vec<Order>> {
    const IDS: &str =
        "SELECT id FROM orders WHERE user_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3";
    let user = session.user_id;
    let (before, limit) = (order.map_or(i64::MAX, |order| order.0), i64::from(EXPORTED_ORDERS));
    let page: [&(dyn ToSql + Sync); 3] = [&user.0, &before, &limit];
    let ((), ids) = try_join(admit(db, session), db.query(IDS, &page)).await?;
    let ids: Vec<i64> = ids.iter().map(|row| row.get(0)).collect();
    match ids.is_empty() {
        true => Ok(Vec::new()),
        false => several(db, user, &ids).await,
    }
}

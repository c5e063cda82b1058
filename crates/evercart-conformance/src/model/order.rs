//! The model's orders and addresses.

use async_trait::async_trait;
use evercart_core::address::{ADDRESSES_MAX, Address, AddressChange, AddressFields};
use evercart_core::error::{Refused, Result};
use evercart_core::guard::{Done, Guard};
use evercart_core::ids::{AddressId, OrderId, SkuId, UserId};
use evercart_core::money::Money;
use evercart_core::order::{Checkout, Items, Listed, Order, OrderLine, OrderStatus, Orders, Page};
use evercart_core::user::Session;
use jiff::Timestamp;

use super::{Customer, Model, State, cart};

#[async_trait]
impl Orders for Model {
    async fn checkout(
        &self,
        session: Session,
        checkout: Checkout,
        guard: Guard,
    ) -> Result<Done<Order>> {
        self.mutate(
            session,
            guard,
            |state, user, now| state.order_cart(user, checkout, now),
            |_, customer, id| customer.order(OrderId(id)),
        )
    }

    async fn order_items(
        &self,
        session: Session,
        items: Items,
        checkout: Checkout,
        guard: Guard,
    ) -> Result<Done<Order>> {
        self.mutate(
            session,
            guard,
            |state, user, now| state.place_order(user, checkout, items.pairs(), now),
            |_, customer, id| customer.order(OrderId(id)),
        )
    }

    async fn orders(
        &self,
        session: Session,
        status: Option<OrderStatus>,
        page: Page,
    ) -> Result<Listed<Order>> {
        self.read(session, |_, customer| {
            let fits = |order: &&Order| status.is_none_or(|status| order.status == status);
            let all: Vec<_> = customer.orders.iter().rev().filter(fits).cloned().collect();
            Ok(some_of(all, page))
        })
    }

    async fn order(&self, session: Session, id: OrderId) -> Result<Order> {
        self.read(session, |_, customer| customer.order(id))
    }

    async fn cancel_order(
        &self,
        session: Session,
        id: OrderId,
        guard: Guard,
    ) -> Result<Done<Order>> {
        self.mutate(
            session,
            Guard { expected_version: None, ..guard },
            |state, user, now| {
                let to = OrderStatus::Cancelled;
                state.end_order(user, id, to, OrderStatus::is_cancellable, now)?;
                Ok(0)
            },
            |_, customer, _| customer.order(id),
        )
    }

    async fn addresses(&self, session: Session) -> Result<Vec<Address>> {
        self.read(session, |_, customer| Ok(customer.shown_addresses()))
    }

    async fn add_address(
        &self,
        session: Session,
        fields: AddressFields,
        is_default: bool,
        guard: Guard,
    ) -> Result<Done<Address>> {
        self.mutate(
            session,
            Guard { expected_version: None, ..guard },
            |state, user, _| {
                let customer = state.of(user);
                if customer.addresses.len() >= ADDRESSES_MAX as usize {
                    let limit = ADDRESSES_MAX;
                    return Err(Refused::QuantityLimit { what: "addresses", limit });
                }
                customer.addresses_ever += 1;
                let id = AddressId(customer.addresses_ever);
                customer.addresses.push(Address { id, fields, is_default: false });
                if is_default || customer.addresses.len() == 1 {
                    customer.make_default(Some(id));
                }
                Ok(id.0)
            },
            |_, customer, id| customer.address(AddressId(id)),
        )
    }

    async fn change_address(
        &self,
        session: Session,
        id: AddressId,
        change: AddressChange,
        guard: Guard,
    ) -> Result<Done<Address>> {
        self.mutate(
            session,
            Guard { expected_version: None, ..guard },
            |state, user, _| {
                let customer = state.of(user);
                let was_default = customer.address(id)?.is_default;
                let address = customer.addresses.iter_mut().find(|address| address.id == id);
                let address = address.expect("it was found above");
                address.fields = change.apply(address.fields.clone());
                match change.is_default {
                    Some(true) => customer.make_default(Some(id)),
                    Some(false) if was_default => {
                        let other = customer.addresses.iter().map(|a| a.id).find(|a| *a != id);
                        customer.make_default(other.or(Some(id)));
                    }
                    _ => {}
                }
                Ok(0)
            },
            |_, customer, _| customer.address(id),
        )
    }

    async fn remove_address(
        &self,
        session: Session,
        id: AddressId,
        guard: Guard,
    ) -> Result<Done<()>> {
        self.mutate(
            session,
            Guard { expected_version: None, ..guard },
            |state, user, _| {
                let customer = state.of(user);
                let was_default = customer.address(id)?.is_default;
                customer.addresses.retain(|address| address.id != id);
                if was_default {
                    customer.make_default(customer.addresses.first().map(|address| address.id));
                }
                Ok(0)
            },
            |_, _, _| Ok(()),
        )
    }
}

impl State {
    /// Ends an order, if it may end from where it is.
    pub(super) fn end_order(
        &mut self,
        user: UserId,
        id: OrderId,
        to: OrderStatus,
        may: impl FnOnce(OrderStatus) -> bool,
        now: Timestamp,
    ) -> Result<(), Refused> {
        let status = self.of(user).order(id)?.status;
        if !may(status) {
            return Err(Refused::OrderNotCancellable { status });
        }
        let order = self.of(user).orders.iter_mut().find(|order| order.id == id);
        let order = order.expect("it was found above");
        order.status = to;
        order.history.push((to, now));
        if to == OrderStatus::Delivered {
            order.delivery_date = Some(now);
        }
        if !to.holds_stock() {
            for line in order.lines.clone() {
                self.row(line.sku_id).stock += i64::from(line.quantity);
            }
        }
        Ok(())
    }

    fn order_cart(
        &mut self,
        user: UserId,
        checkout: Checkout,
        now: Timestamp,
    ) -> Result<i64, Refused> {
        let customer = self.of(user);
        let lines = std::mem::take(&mut customer.lines);
        if lines.is_empty() {
            let now = customer.cart_version;
            let emptied = customer.emptied.filter(|(_, version)| *version == now);
            return Err(Refused::CartEmpty { emptied_by: emptied.map(|(order, _)| order) });
        }
        let pieces: Vec<_> = lines.iter().map(|line| (line.sku_id, line.quantity)).collect();
        customer.touch_cart(now);
        let order = self.place_order(user, checkout, &pieces, now)?;
        let customer = self.of(user);
        customer.emptied = Some((OrderId(order), customer.cart_version));
        Ok(order)
    }

    /// Takes the stock and writes the order.
    pub(super) fn place_order(
        &mut self,
        user: UserId,
        checkout: Checkout,
        pieces: &[(SkuId, u32)],
        now: Timestamp,
    ) -> Result<i64, Refused> {
        let mut lines = Vec::new();
        for (sku_id, quantity) in pieces.iter().copied() {
            let row = self.skus.get_mut(&sku_id).ok_or(Refused::NotFound { what: "SKU" })?;
            if !row.active {
                return Err(Refused::SkuUnavailable { sku_id });
            }
            if row.stock < i64::from(quantity) {
                return Err(Refused::InsufficientStock { sku_id, available: row.stock });
            }
            row.stock -= i64::from(quantity);
            let facts = cart::facts(sku_id, row);
            lines.push(OrderLine {
                id: lines.len() as i64 + 1,
                sku_id,
                product_id: facts.product_id,
                product_name: facts.name,
                sku_code: facts.sku_code,
                size: facts.size,
                color: facts.color,
                image: facts.image,
                unit_price: facts.price,
                quantity,
            });
        }
        let subtotal: Money = lines.iter().map(|line| line.unit_price.times(line.quantity)).sum();
        let shipping_cost = checkout.shipping.cost(subtotal);
        let total_amount = subtotal.plus(shipping_cost);
        if let Some(expected) = checkout.expected_total.filter(|total| *total != total_amount) {
            return Err(Refused::PriceChanged { expected, actual: total_amount });
        }
        let id = OrderId(self.next_order());
        self.last_order = id.0;
        let customer = self.of(user);
        let phone = customer.user.phone.as_str().to_owned();
        customer.orders.push(Order {
            id,
            status: OrderStatus::Pending,
            subtotal,
            shipping_cost,
            tax_amount: total_amount.tax_included(checkout.tax_rate),
            total_amount,
            currency: checkout.currency.code().to_owned(),
            customer_name: checkout.customer_name,
            customer_phone: checkout.customer_phone.unwrap_or(phone),
            customer_email: checkout.customer_email,
            delivery_address: checkout.delivery_address,
            delivery_city: checkout.delivery_city,
            delivery_notes: checkout.delivery_notes,
            payment_method: checkout.payment_method,
            order_date: now,
            delivery_date: None,
            lines,
            history: vec![(OrderStatus::Pending, now)],
        });
        Ok(id.0)
    }
}

impl Customer {
    fn order(&self, id: OrderId) -> Result<Order, Refused> {
        let order = self.orders.iter().find(|order| order.id == id);
        order.cloned().ok_or(Refused::NotFound { what: "order" })
    }

    fn address(&self, id: AddressId) -> Result<Address, Refused> {
        let address = self.addresses.iter().find(|address| address.id == id);
        address.cloned().ok_or(Refused::NotFound { what: "address" })
    }

    fn make_default(&mut self, id: Option<AddressId>) {
        for address in &mut self.addresses {
            address.is_default = Some(address.id) == id;
        }
    }
}

pub(super) fn some_of<T>(all: Vec<T>, page: Page) -> Listed<T> {
    let total = all.len() as u64;
    let offset = usize::try_from(page.offset).unwrap_or(usize::MAX);
    let items = all.into_iter().skip(offset).take(page.limit as usize).collect();
    Listed { items, total }
}

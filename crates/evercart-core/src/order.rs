//! Orders: what a cart becomes, once.

use async_trait::async_trait;
use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::address::{Address, AddressChange, AddressFields};
use crate::cart::{LINES_MAX, QUANTITY_MAX};
use crate::error::{Refused, Result};
use crate::guard::{Done, Guard};
use crate::ids::{AddressId, OrderId, ProductId, SkuId};
use crate::market::Shipping;
use crate::money::{Currency, Money};
use crate::user::Session;

/// The first order of a market.
pub const FIRST_ORDER: i64 = 1001;

/// How far an order is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OrderStatus {
    /// Placed.
    Pending,
    /// Accepted by the shop.
    Confirmed,
    /// Being packed.
    Processing,
    /// On its way.
    Shipped,
    /// With the customer.
    Delivered,
    /// Called off; its stock is back.
    Cancelled,
    /// Sent back by the customer; its stock is back.
    Returned,
}

impl OrderStatus {
    /// Every status there is.
    pub const ALL: [OrderStatus; 7] = [
        OrderStatus::Pending,
        OrderStatus::Confirmed,
        OrderStatus::Processing,
        OrderStatus::Shipped,
        OrderStatus::Delivered,
        OrderStatus::Cancelled,
        OrderStatus::Returned,
    ];

    /// The word for it in the API and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            OrderStatus::Pending => "pending",
            OrderStatus::Confirmed => "confirmed",
            OrderStatus::Processing => "processing",
            OrderStatus::Shipped => "shipped",
            OrderStatus::Delivered => "delivered",
            OrderStatus::Cancelled => "cancelled",
            OrderStatus::Returned => "returned",
        }
    }

    /// The status a word stands for.
    pub fn from_word(word: &str) -> Option<OrderStatus> {
        OrderStatus::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// True while the customer may still call the order off.
    pub fn is_cancellable(self) -> bool {
        matches!(self, OrderStatus::Pending | OrderStatus::Confirmed)
    }

    /// True while the order is still to be delivered.
    pub fn is_open(self) -> bool {
        !matches!(self, OrderStatus::Delivered | OrderStatus::Cancelled | OrderStatus::Returned)
    }

    /// True while the order's pieces are out of the stock.
    pub fn holds_stock(self) -> bool {
        !matches!(self, OrderStatus::Cancelled | OrderStatus::Returned)
    }
}

/// How an order ends, as an operator says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OrderEnd {
    /// It arrived.
    Delivered,
    /// It is called off.
    Cancelled,
}

impl OrderEnd {
    /// The status it has then.
    pub fn status(self) -> OrderStatus {
        match self {
            OrderEnd::Delivered => OrderStatus::Delivered,
            OrderEnd::Cancelled => OrderStatus::Cancelled,
        }
    }

    /// True if an order that is so far can end so.
    pub fn is_open_to(self, status: OrderStatus) -> bool {
        match self {
            OrderEnd::Delivered => status.is_open(),
            OrderEnd::Cancelled => status.is_open() && status != OrderStatus::Shipped,
        }
    }
}

/// What a customer says when ordering.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkout {
    /// Who receives it.
    pub customer_name: String,
    /// Whom to call, E.164; the user's own phone if `None`.
    pub customer_phone: Option<String>,
    /// Where to write.
    pub customer_email: Option<String>,
    /// Where it goes.
    pub delivery_address: String,
    /// City.
    pub delivery_city: Option<String>,
    /// Anything else.
    pub delivery_notes: Option<String>,
    /// The client's word for how it is paid.
    pub payment_method: String,
    /// Refuse with `PriceChanged` unless the total is this.
    pub expected_total: Option<Money>,
    /// The market's price of delivery.
    pub shipping: Shipping,
    /// The market's tax rate, contained in prices.
    pub tax_rate: Decimal,
    /// The market's currency.
    pub currency: Currency,
}

/// What is ordered without going through the cart: each SKU once, within a cart's limits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Items(Vec<(SkuId, u32)>);

impl Items {
    /// Takes pairs of a SKU and pieces of it. A SKU that is named again adds to its pieces, as in
    /// a cart. `None` if no SKU is named.
    ///
    /// # Errors
    /// `QuantityLimit` beyond [`LINES_MAX`] SKUs or [`QUANTITY_MAX`] pieces of one.
    pub fn new(named: &[(SkuId, u32)]) -> Result<Option<Self>, Refused> {
        let mut items: Vec<(SkuId, u32)> = Vec::with_capacity(named.len());
        for (sku_id, quantity) in named.iter().copied() {
            let pieces = match items.iter().position(|(known, _)| *known == sku_id) {
                Some(place) => {
                    items[place].1 = items[place].1.saturating_add(quantity);
                    items[place].1
                }
                None if items.len() >= LINES_MAX as usize => {
                    return Err(Refused::QuantityLimit { what: "lines", limit: LINES_MAX });
                }
                None => {
                    items.push((sku_id, quantity));
                    quantity
                }
            };
            if pieces > QUANTITY_MAX {
                let limit = QUANTITY_MAX;
                return Err(Refused::QuantityLimit { what: "pieces of one SKU", limit });
            }
        }
        Ok((!items.is_empty()).then_some(Self(items)))
    }

    /// SKUs and their pieces, in the order in which they were first named.
    pub fn pairs(&self) -> &[(SkuId, u32)] {
        &self.0
    }
}

/// An order. Names and prices are copies made at checkout and never change after.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// Also its number.
    pub id: OrderId,
    /// How far it is.
    pub status: OrderStatus,
    /// The goods.
    pub subtotal: Money,
    /// Delivery.
    pub shipping_cost: Money,
    /// The tax contained in the total.
    pub tax_amount: Money,
    /// What the customer pays.
    pub total_amount: Money,
    /// ISO 4217 code.
    pub currency: String,
    /// Who receives it.
    pub customer_name: String,
    /// Whom to call.
    pub customer_phone: String,
    /// Where to write.
    pub customer_email: Option<String>,
    /// Where it goes.
    pub delivery_address: String,
    /// City.
    pub delivery_city: Option<String>,
    /// Anything else.
    pub delivery_notes: Option<String>,
    /// How it is paid.
    pub payment_method: String,
    /// When it was placed.
    pub order_date: Timestamp,
    /// When it arrived.
    pub delivery_date: Option<Timestamp>,
    /// What is in it.
    pub lines: Vec<OrderLine>,
    /// Each status with its moment, the first first.
    pub history: Vec<(OrderStatus, Timestamp)>,
}

/// One SKU of an order.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderLine {
    /// Counted per order from 1.
    pub id: i64,
    /// Which SKU.
    pub sku_id: SkuId,
    /// Of which product.
    pub product_id: ProductId,
    /// The product's name at checkout.
    pub product_name: String,
    /// The SKU's code at checkout.
    pub sku_code: String,
    /// Size.
    pub size: Option<String>,
    /// Colour.
    pub color: Option<String>,
    /// Picture.
    pub image: Option<String>,
    /// What one piece cost.
    pub unit_price: Money,
    /// Pieces.
    pub quantity: u32,
}

/// Some of a longer list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// At most so many.
    pub limit: u32,
    /// After so many.
    pub offset: u64,
}

/// Part of a list, and how long the whole is.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed<T> {
    /// The part.
    pub items: Vec<T>,
    /// The whole.
    pub total: u64,
}

/// What the store does with orders and the addresses they go to.
#[async_trait]
pub trait Orders: Send + Sync {
    /// Turns the cart into an order: prices it, takes the stock, copies names and prices, empties
    /// the cart. All or nothing, and one cart becomes one order however often this is called.
    ///
    /// # Errors
    /// `CartEmpty`, which names the order that emptied the cart if an order did;
    /// `SkuUnavailable`, `InsufficientStock`, `PriceChanged`, `VersionConflict`,
    /// `IdempotencyKeyReused`.
    async fn checkout(
        &self,
        session: Session,
        checkout: Checkout,
        guard: Guard,
    ) -> Result<Done<Order>>;

    /// Orders these items as [`checkout`](Orders::checkout) orders the cart, which stays as it is.
    ///
    /// # Errors
    /// `NotFound` for an unknown SKU, `SkuUnavailable`, `InsufficientStock`, `PriceChanged`,
    /// `VersionConflict`, `IdempotencyKeyReused`.
    async fn order_items(
        &self,
        session: Session,
        items: Items,
        checkout: Checkout,
        guard: Guard,
    ) -> Result<Done<Order>>;

    /// The customer's orders, the newest first.
    ///
    /// # Errors
    /// The session's refusals, or a failure.
    async fn orders(
        &self,
        session: Session,
        status: Option<OrderStatus>,
        page: Page,
    ) -> Result<Listed<Order>>;

    /// One of the customer's orders.
    ///
    /// # Errors
    /// `NotFound`, also for somebody else's.
    async fn order(&self, session: Session, id: OrderId) -> Result<Order>;

    /// Calls an order off and puts its pieces back into stock.
    ///
    /// # Errors
    /// `NotFound`, `OrderNotCancellable`.
    async fn cancel_order(
        &self,
        session: Session,
        id: OrderId,
        guard: Guard,
    ) -> Result<Done<Order>>;

    /// The customer's addresses, the default first, then in the order of their ids.
    ///
    /// # Errors
    /// The session's refusals, or a failure.
    async fn addresses(&self, session: Session) -> Result<Vec<Address>>;

    /// Adds an address; the first one is the default whatever `is_default` says.
    ///
    /// # Errors
    /// `QuantityLimit` beyond [`ADDRESSES_MAX`](crate::address::ADDRESSES_MAX).
    async fn add_address(
        &self,
        session: Session,
        fields: AddressFields,
        is_default: bool,
        guard: Guard,
    ) -> Result<Done<Address>>;

    /// Changes an address.
    ///
    /// # Errors
    /// `NotFound`.
    async fn change_address(
        &self,
        session: Session,
        id: AddressId,
        change: AddressChange,
        guard: Guard,
    ) -> Result<Done<Address>>;

    /// Removes an address; if it was the default, the oldest other becomes it.
    ///
    /// # Errors
    /// `NotFound`.
    async fn remove_address(
        &self,
        session: Session,
        id: AddressId,
        guard: Guard,
    ) -> Result<Done<()>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_its_word() {
        for status in OrderStatus::ALL {
            assert_eq!(OrderStatus::from_word(status.as_str()), Some(status));
        }
        assert_eq!(OrderStatus::from_word("Pending"), None);
    }

    #[test]
    fn items_keep_to_a_carts_limits() {
        let items = |pairs: &[(i64, u32)]| {
            let pairs: Vec<_> = pairs.iter().map(|(id, n)| (SkuId(*id), *n)).collect();
            Items::new(&pairs).map(|items| items.map_or(vec![], |items| items.0))
        };
        assert_eq!(items(&[]), Ok(vec![]));
        let summed = items(&[(2, 1), (1, 5), (2, 998)]);
        assert_eq!(summed, Ok(vec![(SkuId(2), 999), (SkuId(1), 5)]));
        let pieces = Refused::QuantityLimit { what: "pieces of one SKU", limit: 999 };
        assert_eq!(items(&[(2, 999), (2, 1)]), Err(pieces.clone()));
        assert_eq!(items(&[(2, u32::MAX), (2, u32::MAX)]), Err(pieces));
        let many: Vec<_> = (1..=101).map(|id| (id, 1)).collect();
        assert_eq!(items(&many[..100]).map(|items| items.len()), Ok(100));
        assert_eq!(items(&many), Err(Refused::QuantityLimit { what: "lines", limit: 100 }));
    }

    #[test]
    fn only_what_is_not_yet_packed_can_be_cancelled() {
        let cancellable: Vec<_> =
            OrderStatus::ALL.into_iter().filter(|status| status.is_cancellable()).collect();
        assert_eq!(cancellable, [OrderStatus::Pending, OrderStatus::Confirmed]);
    }

    #[test]
    fn only_what_came_back_or_was_called_off_holds_no_stock() {
        let free: Vec<_> =
            OrderStatus::ALL.into_iter().filter(|status| !status.holds_stock()).collect();
        assert_eq!(free, [OrderStatus::Cancelled, OrderStatus::Returned]);
    }
}

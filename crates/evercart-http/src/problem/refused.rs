//! What each refusal of the store is called, and what the customer is told.

use evercart_core::error::Refused;
use evercart_core::ids::OrderId;
use jiff::{SignedDuration, Timestamp};

use super::{Code, Fact, Problem, second};

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            // The customer signs in again, as after a sign-out.
            Refused::SignedOut | Refused::Returned => {
                Problem::new(Code::SignedOut, "User account is inactive")
            }
            Refused::UserBlocked => Problem::new(Code::UserBlocked, "User account is blocked"),
            Refused::UnknownUser => Problem::new(Code::TokenInvalid, "Invalid token"),
            Refused::NotFound { what } => Problem::not_found(what),
            Refused::InsufficientStock { sku_id, available } => {
                let detail = match available {
                    ..=0 => format!("SKU {sku_id} is sold out."),
                    1 => format!("Only one piece of SKU {sku_id} is left."),
                    _ => format!("Only {available} pieces of SKU {sku_id} are left."),
                };
                Problem::new(Code::InsufficientStock, detail)
                    .fact("sku_id", Fact::Number(sku_id.0))
                    .fact("available", Fact::Number(available.max(0)))
            }
            Refused::SkuUnavailable { sku_id } => {
                Problem::new(Code::SkuUnavailable, format!("SKU {sku_id} is not for sale."))
                    .fact("sku_id", Fact::Number(sku_id.0))
            }
            Refused::QuantityLimit { what, limit } => {
                Problem::new(Code::QuantityLimit, format!("At most {limit} {what} are possible."))
                    .fact("limit", Fact::Number(i64::from(limit)))
                    .fact("of", Fact::Text(what.into()))
            }
            Refused::CartEmpty { emptied_by } => Self::cart_empty(emptied_by),
            Refused::PriceChanged { expected, actual } => Problem::new(
                Code::PriceChanged,
                "The total is not what you were shown. Look at the cart and order again.",
            )
            .fact("expected", Fact::Money(expected))
            .fact("actual", Fact::Money(actual)),
            Refused::OrderNotCancellable { status } => Problem::new(
                Code::OrderNotCancellable,
                format!("Cannot cancel order with status: {}", status.as_str()),
            )
            .fact("order_status", Fact::Text(status.as_str().into())),
            Refused::OpenOrders { orders } => Self::open_orders(&orders),
            Refused::VersionConflict { expected, actual } => Problem::new(
                Code::VersionConflict,
                format!("The cart is at version {actual}, If-Match names {expected}."),
            )
            .fact("expected", Fact::Number(expected))
            .fact("actual", Fact::Number(actual)),
            Refused::PhoneTaken => {
                Problem::new(Code::PhoneTaken, "This phone belongs to another account.")
            }
            Refused::PhoneMoved { until } => Self::phone_moved(until),
            Refused::PhoneOnHold { until: None } => Problem::new(
                Code::PhoneOnHold,
                "The change to this phone was stopped. Nobody can sign in until the shop has \
                 decided. Contact the shop.",
            ),
            Refused::PhoneOnHold { until: Some(until) } => Problem::new(
                Code::PhoneOnHold,
                format!(
                    "The phone of this account was changed. It cannot be changed again, and the \
                     account cannot be erased, until {}.",
                    second(until)
                ),
            )
            .until(until),
            Refused::IdempotencyKeyReused => Problem::new(
                Code::IdempotencyKeyReused,
                "This Idempotency-Key was used for a different request. Take a new one.",
            ),
            Refused::RateLimited { retry_after } => {
                Problem::new(Code::RateLimited, "Too many codes were asked for. Try again later.")
                    .retry_after(retry_after)
            }
            Refused::TooMany { what, limit, retry_after: r } => Self::too_many(what, limit, r),
            Refused::TooManyAttempts { retry_after } => {
                Problem::new(Code::TooManyAttempts, "Too many wrong codes. Try again later.")
                    .retry_after(retry_after)
            }
        }
    }
}

impl Problem {
    fn cart_empty(emptied_by: Option<OrderId>) -> Self {
        let Some(order) = emptied_by else {
            return Self::new(Code::CartEmpty, "Your cart is empty");
        };
        let detail = format!("Your cart is empty: it became order #{order}");
        Self::new(Code::CartEmpty, detail)
            .fact("order_id", Fact::Number(order.0))
            .fact("order_number", Fact::Text(format!("#{order}").into()))
    }

    /// An account was moved away from a phone, which is told to nobody else.
    pub(crate) fn phone_moved(until: Option<Timestamp>) -> Self {
        match until {
            Some(until) => Self::new(
                Code::PhoneMoved,
                format!(
                    "Your account was moved from this number to another one. If this was you, use \
                     the other one. If not, stop the change with a code to this number by {}.",
                    second(until)
                ),
            )
            .until(until),
            None => Self::new(
                Code::PhoneMoved,
                "The change of this account's number is stopped. Nobody can sign in until the shop \
                 has decided. Contact the shop.",
            ),
        }
    }

    fn open_orders(orders: &[OrderId]) -> Self {
        Self::new(
            Code::OpenOrders,
            "Orders of yours are still to be delivered. Cancel them, wait, or erase the account \
             all the same with even_open_orders: they keep what delivery needs until they end.",
        )
        .fact("orders", Fact::Numbers(orders.iter().map(|order| order.0).collect()))
    }

    /// More than one customer may do or have.
    fn too_many(what: &'static str, limit: u32, retry_after: SignedDuration) -> Self {
        let detail = format!("At most {limit} {what} are possible for one customer. Try later.");
        Self::new(Code::RateLimited, detail)
            .fact("limit", Fact::Number(i64::from(limit)))
            .fact("of", Fact::Text(what.into()))
            .retry_after(retry_after)
    }
}

//! The two ways an operation can end badly: *refused* (a rule said no, the customer is told why)
//! and *failed* (it could not be done, the operator is told why). Neither knows of HTTP.

use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

use crate::ids::{OrderId, SkuId};
use crate::money::Money;
use crate::order::OrderStatus;

/// The most orders that `OpenOrders` names.
pub const OPEN_ORDERS_TOLD: u32 = 20;

/// What every operation of the store returns.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// Why an operation did not happen. In either case nothing was changed, or (after [`Failed`]) a
/// retry with the same idempotency key finds out.
#[derive(Debug, Error)]
pub enum StoreError {
    /// A rule said no.
    #[error("{0}")]
    Refused(#[from] Refused),
    /// It could not be done.
    #[error("{0}")]
    Failed(#[from] Failed),
}

/// A rule of the shop said no. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refused {
    /// The token's user has logged out since the token was issued.
    #[error("the user has signed out since this token was issued")]
    SignedOut,
    /// The store was put back to an earlier moment since the token was issued.
    #[error("the shop was put back to an earlier moment since this token was issued")]
    Returned,
    /// An operator blocked the user.
    #[error("the user is blocked")]
    UserBlocked,
    /// The token is genuine but its user is not in this store.
    #[error("the token's user is not known here")]
    UnknownUser,
    /// There is no such thing, or it is somebody else's.
    #[error("there is no such {what}")]
    NotFound {
        /// What was looked for, for a person: `cart line`.
        what: &'static str,
    },
    /// Fewer pieces are left than asked for.
    #[error("only {available} left of SKU {sku_id}")]
    InsufficientStock {
        /// Which.
        sku_id: SkuId,
        /// Pieces left.
        available: i64,
    },
    /// The SKU is in the catalogue but not for sale.
    #[error("SKU {sku_id} is not for sale")]
    SkuUnavailable {
        /// Which.
        sku_id: SkuId,
    },
    /// More of one SKU, or more lines, than a cart takes.
    #[error("a cart takes at most {limit} {what}")]
    QuantityLimit {
        /// Of what: `pieces of one SKU` or `lines`.
        what: &'static str,
        /// The most.
        limit: u32,
    },
    /// Nothing to order.
    #[error("the cart is empty")]
    CartEmpty {
        /// The order that emptied the cart, unless the customer emptied it or has never filled it.
        emptied_by: Option<OrderId>,
    },
    /// The total is not what the customer was shown.
    #[error("the total has changed")]
    PriceChanged {
        /// What the client said.
        expected: Money,
        /// What it costs now.
        actual: Money,
    },
    /// The order is too far on its way.
    #[error("an order that is {} cannot be cancelled", status.as_str())]
    OrderNotCancellable {
        /// How far.
        status: OrderStatus,
    },
    /// Orders of the customer's are still to be delivered.
    #[error("{} orders are still to be delivered", orders.len())]
    OpenOrders {
        /// Which, the oldest first; at most [`OPEN_ORDERS_TOLD`].
        orders: Vec<OrderId>,
    },
    /// The cart moved on from the version the client named.
    #[error("the cart is at version {actual}, not {expected}")]
    VersionConflict {
        /// What the client named.
        expected: i64,
        /// What the cart has.
        actual: i64,
    },
    /// The phone is another customer's. Told only to who has shown that it is theirs.
    #[error("the phone is another customer's")]
    PhoneTaken,
    /// An account was moved away from the phone, and until the hold on that change is over the
    /// phone is nobody else's. Told only to somebody who has shown that the phone is theirs.
    #[error("an account was moved away from this phone")]
    PhoneMoved {
        /// When the phone is free; `None` while the shop has to decide whose the account is.
        until: Option<Timestamp>,
    },
    /// The account's phone was changed, and the former phone may still stop the change.
    #[error("the account is on hold after a change of its phone")]
    PhoneOnHold {
        /// When the hold is over; `None` while the shop has to decide whose the account is.
        until: Option<Timestamp>,
    },
    /// The idempotency key was used for another request.
    #[error("the idempotency key was used for a different request")]
    IdempotencyKeyReused,
    /// A budget of messages is used up.
    #[error("too many codes were asked for")]
    RateLimited {
        /// When to try again.
        retry_after: SignedDuration,
    },
    /// More than one customer may do or have; see [`limits`](crate::limits).
    #[error("at most {limit} {what} are possible for one customer")]
    TooMany {
        /// Of what, for a person: `orders in an hour`.
        what: &'static str,
        /// The most.
        limit: u32,
        /// When to try again.
        retry_after: SignedDuration,
    },
    /// Too many wrong codes.
    #[error("too many wrong codes")]
    TooManyAttempts {
        /// When to try again.
        retry_after: SignedDuration,
    },
}

/// The store could not do it. The operator is told; the customer may retry.
#[derive(Debug, Error)]
pub enum Failed {
    /// More operations are waiting than will be done soon; nothing was tried.
    #[error("the store has more waiting operations than it accepts")]
    Overloaded,
    /// More is asked of the catalogue than is answered soon, or this question takes too long.
    /// Nothing of a customer waits for it.
    #[error("the catalogue is asked for more than is answered soon")]
    CatalogueBusy,
    /// The database is away, full or locked.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// The database can be read, and takes no changes.
    #[error("the store takes no changes: {0}")]
    ReadOnly(String),
    /// The database holds what it must not hold, or does not hold what it must.
    #[error("the store is inconsistent: {0}")]
    Inconsistent(String),
}

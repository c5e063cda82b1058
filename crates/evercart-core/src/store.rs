//! The store of one market: where carts, wishlists and orders are kept.

use crate::account::Accounts;
use crate::cart::Carts;
use crate::catalogue::Catalogue;
use crate::continuity::Continuity;
use crate::operator::Operator;
use crate::order::Orders;
use crate::outbox::Outbox;
use crate::sign_in::SignIn;
use crate::signals::CartSignals;
use crate::sweep::Sweep;
use crate::wishlist::Wishlists;

/// Everything the shop asks of a database, one trait a topic.
///
/// The contract, for every operation:
/// - It is one transaction: all of it happens, or nothing.
/// - When a mutation returns `Ok`, it is on disk and every later read sees it.
/// - An operation that takes a [`Session`](crate::user::Session) compares it with the user's row
///   first, in that same transaction. Where it does not fit it is refused: `SignedOut` if the user
///   has signed out since, `Returned` if the store was put back to an earlier moment since,
///   `UserBlocked`, `UnknownUser`.
/// - An operation that takes a [`Guard`](crate::guard::Guard) looks the idempotency key up before
///   doing anything, and remembers it together with its effect. Refusals are not remembered.
/// - What belongs to one user is never seen or touched by a session of another.
pub trait Store:
    SignIn
    + Accounts
    + Carts
    + CartSignals
    + Wishlists
    + Orders
    + Outbox
    + Catalogue
    + Operator
    + Continuity
    + Sweep
{
}

impl<T> Store for T where
    T: SignIn
        + Accounts
        + Carts
        + CartSignals
        + Wishlists
        + Orders
        + Outbox
        + Catalogue
        + Operator
        + Continuity
        + Sweep
{
}

/// Told by a store how its writer is doing, for metrics. Called on the writer's thread: be quick.
pub trait WriterGauge: Send + Sync {
    /// A transaction with `operations` operations was committed; `waiting` more were in the queue.
    fn committed(&self, operations: usize, waiting: usize);
}

/// A gauge nobody reads.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoGauge;

impl WriterGauge for NoGauge {
    fn committed(&self, _operations: usize, _waiting: usize) {}
}

//! Rows that the shop works with for a while and then needs no longer: they are swept once their
//! term is over, a step at a time, so that nobody waits for it. Nothing of a customer's own is ever
//! swept.

use async_trait::async_trait;

use crate::error::Result;
use crate::ids::UserId;

/// The most keys that one step of a sweep looks at: few enough that nobody waits for it.
pub const SWEPT_AT_ONCE: u32 = 500;

/// A key's place among all that are remembered: by customer, then by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPlace {
    /// Whose it is.
    pub user_id: UserId,
    /// As the client sent it.
    pub key: String,
}

/// Forgets what is past its term, whosever it was. Any number of servers may do so.
#[async_trait]
pub trait Sweep: Send + Sync {
    /// Looks at the [`SWEPT_AT_ONCE`] idempotency keys after this place, or at the first, and
    /// forgets those that are past their day. Returns where to go on; `None` if there are no more.
    ///
    /// # Errors
    /// A failure.
    async fn forget_old_keys(&self, after: Option<KeyPlace>) -> Result<Option<KeyPlace>>;

    /// Forgets codes, keys of requests before a sign-in, counts of budgets, and hashes of the
    /// requests that erased somebody, once they count no longer: a few of each. Returns true if
    /// there may be more.
    ///
    /// # Errors
    /// A failure.
    async fn forget_what_is_over(&self) -> Result<bool>;
}

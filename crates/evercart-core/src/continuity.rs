//! What a store does so that a return to older data lets nobody in (G10): it knows which life it is
//! in, remembers when it was awake, and can start a new life.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use crate::awake::Awake;
use crate::error::Result;
use crate::mark::{Life, Numbers};

/// How long after a return everybody signs in again, and the market's budgets of codes are raised.
pub const RETURN_LASTS: SignedDuration = SignedDuration::from_hours(1);

/// How many times as many codes a market and a country may have sent in that time.
pub const RETURN_RAISES: u32 = 10;

/// The budgets that all customers of a market share, which are raised.
const SHARED: [&str; 2] = ["send_market", "send_prefix"];

/// The most events of a budget's scope in a window, `since` being when the store's life began.
pub fn limit_after_return(scope: &str, limit: u32, since: Option<i64>, now: i64) -> u32 {
    let lasts = RETURN_LASTS.as_secs() * 1000;
    let is_recent = since.is_some_and(|since| now < since.saturating_add(lasts));
    if is_recent && SHARED.contains(&scope) { limit.saturating_mul(RETURN_RAISES) } else { limit }
}

/// Where a store stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Its life.
    pub life: Life,
    /// When that began; `None` for the first one.
    pub since: Option<Timestamp>,
    /// The next number of each kind.
    pub numbers: Numbers,
}

/// A store's life.
#[async_trait]
pub trait Continuity: Send + Sync {
    /// When this store was awake.
    fn awake(&self) -> &Awake;

    /// Tells the servers that share the store which keys this one verifies tokens with, by their
    /// names; the first one signs. A store that one server has to itself has nobody to tell.
    fn publish_keys(&self, _names: Vec<String>) {}

    /// Where it stands.
    ///
    /// # Errors
    /// A failure.
    async fn standing(&self) -> Result<Standing>;

    /// Starts a new life, with a number above `number`, because the store was put back to an
    /// earlier moment: every token issued so far is dead; codes, their keys and unsent messages are
    /// void; no number below `numbers` is given out any more.
    ///
    /// # Errors
    /// A failure. Nothing was changed then.
    async fn start_over(&self, number: i64, numbers: Numbers) -> Result<Standing>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_everybody_shares_is_raised_for_an_hour() {
        let hour = 3_600_000;
        assert_eq!(limit_after_return("send_market", 1000, None, 5), 1000);
        assert_eq!(limit_after_return("send_market", 1000, Some(5), 5), 10_000);
        assert_eq!(limit_after_return("send_prefix", 1000, Some(5), hour + 4), 10_000);
        assert_eq!(limit_after_return("send_market", 1000, Some(5), hour + 5), 1000);
        assert_eq!(limit_after_return("send_ip", 30, Some(5), 5), 30);
        assert_eq!(limit_after_return("send_market", u32::MAX, Some(5), 5), u32::MAX);
    }
}

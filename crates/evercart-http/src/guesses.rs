//! What guessing at codes costs: past half of what a market allows, each wrong code is answered
//! later, and the log says so once in a window.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use evercart_core::market::MarketName;
use evercart_core::sign_in::{Budget, MARKET_FAILURES};
use jiff::{SignedDuration, Timestamp};

use crate::code::HOUR;
use crate::problem::{Code, Problem};
use crate::{Shop, ShopMarket};

/// How much later the last wrong code is answered that a market's budget has room for. A person who
/// mistypes waits that long once; a program that guesses one code after the other needs ten minutes
/// for the second half of the default budget.
const HELD_BACK_MAX: Duration = Duration::from_secs(5);

/// Until when the log has said of each market that half of its budget is used.
#[derive(Debug, Default)]
pub struct Guesses(Mutex<BTreeMap<MarketName, Timestamp>>);

impl Guesses {
    /// True the first time in each window.
    fn is_news(&self, market: &MarketName, now: Timestamp, rest: SignedDuration) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = told.get(market).is_none_or(|until| *until <= now);
        if is_news {
            told.insert(market.clone(), now + rest);
        }
        is_news
    }
}

/// The wrong codes that a market has in an hour.
pub(crate) fn market_failures(shop: &Shop, at: &ShopMarket) -> Budget {
    Budget {
        scope: MARKET_FAILURES,
        subject: shop.hasher.subject("market", at.market.name.as_str()),
        limit: shop.limits.failures_per_market_hour,
        reserved: 0,
        window: HOUR,
    }
}

/// One answer for a code that is wrong, used or outdated; the later, the more of them there were.
pub(crate) async fn code_invalid(shop: &Shop, at: &ShopMarket) -> Problem {
    let problem = Problem::new(Code::CodeInvalid, "Invalid or expired verification code");
    let (market, budget) = (&at.market.name, market_failures(shop, at));
    let limit = budget.limit;
    // Counted already: a store that cannot be asked now only leaves the answer quick.
    let Ok(used) = at.store.used(budget).await else { return problem };
    if used.count >= limit.div_ceil(2) && shop.guesses.is_news(market, shop.clock.now(), used.rest)
    {
        let market = market.as_str();
        tracing::warn!(market, used = used.count, limit, "half of the hour's wrong codes are used");
    }
    problem.hold_back(time_held_back(used.count, limit))
}

/// Nothing up to half of the limit, then more and more.
fn time_held_back(count: u32, limit: u32) -> Duration {
    let half = limit.div_ceil(2);
    let share = f64::from(count.saturating_sub(half)) / f64::from((limit - half).max(1));
    HELD_BACK_MAX.mul_f64(share.min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_half_of_a_budget_is_answered_later_and_later() {
        assert_eq!(time_held_back(1, 500), Duration::ZERO);
        assert_eq!(time_held_back(250, 500), Duration::ZERO);
        for count in 251..=500 {
            assert!(time_held_back(count, 500) > time_held_back(count - 1, 500), "{count}");
        }
        assert_eq!(time_held_back(500, 500), HELD_BACK_MAX);
        assert_eq!(time_held_back(u32::MAX, 500), HELD_BACK_MAX);
        assert_eq!(time_held_back(1, 1), Duration::ZERO);
    }

    #[test]
    fn a_market_is_news_once_in_a_window() {
        let (guesses, now) = (Guesses::default(), Timestamp::UNIX_EPOCH);
        let [us, kg] = ["us", "kg"].map(|name| MarketName::new(name).expect("a name"));
        let rest = SignedDuration::from_mins(10);
        assert!(guesses.is_news(&us, now, rest));
        assert!(!guesses.is_news(&us, now + SignedDuration::from_mins(9), rest));
        assert!(guesses.is_news(&kg, now, rest));
        assert!(guesses.is_news(&us, now + rest, rest));
    }
}

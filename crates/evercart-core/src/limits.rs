//! What one customer may do in an hour and have open at once. Far more than anybody shops with, and
//! far less than fills a disk or empties a shelf. Each limit is counted in the transaction of the
//! change, which no other change by the customer runs beside.

use jiff::SignedDuration;

use crate::error::Refused;

/// What stands in for a limit where there is none.
pub const NO_LIMIT: u32 = u32::MAX;

/// An hour in milliseconds.
pub const HOUR_MS: i64 = 3_600_000;

/// How long an order counts as open while the shop has not confirmed it, in milliseconds. A shop
/// that confirms none does not lock its customers out for more than a day.
pub const OPEN_FOR_MS: i64 = 24 * HOUR_MS;

/// The newest orders of a customer that are looked at for those that are open.
pub const ORDERS_LOOKED_AT: u32 = 1_000;

/// The most of each that one customer may do or have; [`NO_LIMIT`] for no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CustomerLimits {
    /// Versions of their cart in an hour.
    pub cart_changes_per_hour: u32,
    /// Changes of wishlist, addresses, profile and orders in an hour.
    pub changes_per_hour: u32,
    /// Orders placed in an hour.
    pub orders_per_hour: u32,
    /// Orders of the last day that the shop has not confirmed yet.
    pub open_orders: u32,
    /// Pieces in those.
    pub open_pieces: u32,
}

impl CustomerLimits {
    /// No limits at all.
    pub const NONE: Self = Self {
        cart_changes_per_hour: NO_LIMIT,
        changes_per_hour: NO_LIMIT,
        orders_per_hour: NO_LIMIT,
        open_orders: NO_LIMIT,
        open_pieces: NO_LIMIT,
    };

    /// True if orders are limited in any way.
    pub fn limit_orders(&self) -> bool {
        [self.orders_per_hour, self.open_orders, self.open_pieces] != [NO_LIMIT; 3]
    }

    /// Decides on an order of so many pieces at `now`, in milliseconds since 1970.
    ///
    /// # Errors
    /// `TooMany`.
    pub fn allow_order(&self, pieces: u64, before: &OrdersBefore, now: i64) -> Result<(), Refused> {
        let refuse = |what, limit, until: i64| {
            let retry_after = SignedDuration::from_millis(until - now);
            Err(Refused::TooMany { what, limit, retry_after })
        };
        if let Some(at) = before.at_limit
            && at > now - HOUR_MS
        {
            return refuse("orders in an hour", self.orders_per_hour, at + HOUR_MS);
        }
        let until = before.oldest_open.unwrap_or(now) + OPEN_FOR_MS;
        if before.open_orders >= u64::from(self.open_orders) {
            let what = "orders that the shop has not confirmed yet";
            return refuse(what, self.open_orders, until);
        }
        if before.open_pieces + pieces > u64::from(self.open_pieces) {
            let what = "pieces in orders that the shop has not confirmed yet";
            return refuse(what, self.open_pieces, until);
        }
        Ok(())
    }
}

/// What a customer has ordered before. Times are in milliseconds since 1970.
#[derive(Debug, Clone, Copy, Default)]
pub struct OrdersBefore {
    /// When the order was placed with which the hour's limit was reached: the `orders_per_hour`-th
    /// of the newest.
    pub at_limit: Option<i64>,
    /// Open orders.
    pub open_orders: u64,
    /// Pieces in them.
    pub open_pieces: u64,
    /// When the oldest of them was placed.
    pub oldest_open: Option<i64>,
}

/// The hour in which the changes of a cart are counted: when it began, and at which version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CartHour {
    /// In milliseconds since 1970.
    pub began: i64,
    /// The cart's version then.
    pub version: i64,
}

impl CartHour {
    /// The hour of a change at `now` of a cart at `version`: this one, or another that begins.
    ///
    /// # Errors
    /// `TooMany`.
    pub fn of_change(
        hour: Option<Self>,
        version: i64,
        now: i64,
        limit: u32,
    ) -> Result<Self, Refused> {
        match hour.filter(|hour| is_within(hour.began, now)) {
            None => Ok(Self { began: now, version }),
            Some(hour) if version - hour.version < i64::from(limit) => Ok(hour),
            Some(hour) => Err(too_many_cart_changes(limit, hour.began, now)),
        }
    }
}

/// The hour in which a customer's other changes are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangesHour {
    /// When it began, in milliseconds since 1970.
    pub began: i64,
    /// How many there were.
    pub changes: i64,
}

impl ChangesHour {
    /// The hour with one change more, at `now`: this one, or another that begins.
    ///
    /// # Errors
    /// `TooMany`.
    pub fn with_change(hour: Option<Self>, now: i64, limit: u32) -> Result<Self, Refused> {
        match hour.filter(|hour| is_within(hour.began, now)) {
            None => Ok(Self { began: now, changes: 1 }),
            Some(hour) if hour.changes < i64::from(limit) => {
                Ok(Self { changes: hour.changes + 1, ..hour })
            }
            Some(hour) => Err(too_many_changes(limit, hour.began, now)),
        }
    }
}

/// True if a change now counts in the hour that began then. Servers' clocks differ a little, so it
/// may begin later than now; one that begins more than an hour later was counted by a clock that
/// was wrong, and nobody is to wait for that.
fn is_within(began: i64, now: i64) -> bool {
    (began - HOUR_MS..began + HOUR_MS).contains(&now)
}

/// A cart was changed at `now` as often as it may be in the hour that began then.
pub fn too_many_cart_changes(limit: u32, began: i64, now: i64) -> Refused {
    too_many("changes of a cart in an hour", limit, began, now)
}

/// A customer's changes past the cart are at `now` as many as there may be in the hour that began
/// then.
pub fn too_many_changes(limit: u32, began: i64, now: i64) -> Refused {
    too_many("changes in an hour", limit, began, now)
}

fn too_many(what: &'static str, limit: u32, began: i64, now: i64) -> Refused {
    let rest_ms = (began + HOUR_MS - now).min(HOUR_MS);
    Refused::TooMany { what, limit, retry_after: SignedDuration::from_millis(rest_ms) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 43_200_000;

    #[test]
    fn a_clock_that_is_put_back_begins_another_hour() {
        let cart = Some(CartHour { began: NOON, version: 1 });
        let other = Some(ChangesHour { began: NOON, changes: 2 });
        // A server whose clock is a little behind.
        for now in [NOON - 1, NOON, NOON + HOUR_MS - 1] {
            for refused in [
                CartHour::of_change(cart, 3, now, 2).expect_err("one too many"),
                ChangesHour::with_change(other, now, 2).expect_err("one too many"),
            ] {
                let Refused::TooMany { limit: 2, retry_after, .. } = refused else {
                    panic!("{refused}");
                };
                assert!(retry_after <= SignedDuration::from_millis(HOUR_MS), "{retry_after}");
            }
        }
        for began in [NOON - HOUR_MS - 1, NOON + HOUR_MS] {
            let anew = CartHour { began, version: 3 };
            assert_eq!(CartHour::of_change(cart, 3, began, 2).ok(), Some(anew));
            let anew = ChangesHour { began, changes: 1 };
            assert_eq!(ChangesHour::with_change(other, began, 2).ok(), Some(anew));
        }
    }
}

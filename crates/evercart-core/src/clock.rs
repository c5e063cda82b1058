//! Time as a parameter. The program passes the system's clock, tests pass a [`ManualClock`].

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};

/// Tells the time in UTC.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

/// A clock that stands still until a test moves it.
#[derive(Debug)]
pub struct ManualClock {
    millis: AtomicI64,
    ticks: AtomicBool,
}

impl ManualClock {
    /// A clock that shows `at`, to the millisecond.
    pub fn at(at: Timestamp) -> Self {
        Self { millis: AtomicI64::new(at.as_millisecond()), ticks: AtomicBool::new(false) }
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: SignedDuration) {
        let millis = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.millis.fetch_add(millis, Ordering::SeqCst);
    }

    /// Lets a millisecond pass with each look from now on, as may happen to a real clock.
    pub fn tick(&self) {
        self.ticks.store(true, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        let passed = i64::from(self.ticks.load(Ordering::SeqCst));
        let millis = self.millis.fetch_add(passed, Ordering::SeqCst);
        Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX)
    }
}

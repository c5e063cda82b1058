//! The system's clock, the only place that asks the machine what time it is.

use std::sync::Arc;

use evercart_core::clock::Clock;
use jiff::Timestamp;

struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that everything else is given"
    )]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// The system's clock.
pub fn system() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

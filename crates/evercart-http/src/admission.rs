//! How many requests are at work at once. What is more than that is refused, so that those let in
//! stay quick.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rand::RngExt;

use crate::problem::{Code, Problem};

/// How long a refusal is held back, at least and less than. To read a request and to refuse it
/// costs a third to a half of what an answer costs, most of it in the kernel; clients who are
/// refused at once and ask again would leave no processor for those let in. One who waits costs
/// nothing, and is told to wait for longer than this anyway. Not all for as long, or they would
/// come back as one crowd.
const HELD_BACK_MS: Range<u64> = 50..150;

/// How often the log says that requests are refused. A line for each would cost more than most of
/// those let in do, and just when there is nothing to spare; the metrics count each.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// Routes that are never refused: whoever watches over the server must get through just when it is
/// busy, and a request that waits for an SMS provider does no work here meanwhile; budgets bound
/// those.
const ALWAYS: [&str; 6] = [
    "/healthz",
    "/readyz",
    "/metrics",
    "/auth/send-code",
    "/auth/send-verification",
    "/auth/phone",
];

/// True if requests of this route count.
pub(crate) fn counts(route: &str) -> bool {
    !ALWAYS.contains(&route)
}

/// Lets in as many as there is room for.
#[derive(Debug)]
pub struct Admission {
    room: usize,
    at_work: AtomicUsize,
    /// Refused since the log last said so.
    refused: AtomicUsize,
    made: Instant,
    /// When the log may say so again, in milliseconds since this was made.
    tell_from: AtomicU64,
}

impl Admission {
    /// Room for `room` requests at once.
    pub fn new(room: usize) -> Arc<Self> {
        Arc::new(Self {
            room,
            at_work: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
            made: Instant::now(),
            tell_from: AtomicU64::new(0),
        })
    }

    /// Lets a request in, until the permit is dropped; nothing if there is no room.
    pub(crate) fn enter(self: &Arc<Self>) -> Option<Permit> {
        // The permit takes the count back also where there is no room.
        let before = self.at_work.fetch_add(1, Ordering::Relaxed);
        let permit = Permit(Arc::clone(self));
        (before < self.room).then_some(permit)
    }

    /// What a request is told that finds no room, a little later.
    pub(crate) async fn refuse(&self) -> Problem {
        let held_back = rand::rng().random_range(HELD_BACK_MS);
        tokio::time::sleep(Duration::from_millis(held_back)).await;
        self.refused.fetch_add(1, Ordering::Relaxed);
        let now = u64::try_from(self.made.elapsed().as_millis()).unwrap_or(u64::MAX);
        let from = self.tell_from.load(Ordering::Relaxed);
        let next = now.saturating_add(TELL_EVERY.as_millis() as u64);
        let (set, read) = (Ordering::Relaxed, Ordering::Relaxed);
        // Of those who find that it is time, one tells.
        if now >= from && self.tell_from.compare_exchange(from, next, set, read).is_ok() {
            let refused = self.refused.swap(0, Ordering::Relaxed);
            tracing::warn!(refused, room = self.room, "more requests than there is room for");
        }
        Problem::new(Code::Overloaded, "The shop is busy. Try again in a moment.")
    }
}

/// A request at work.
#[derive(Debug)]
pub(crate) struct Permit(Arc<Admission>);

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.at_work.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_so_many_and_again_when_one_leaves() {
        let admission = Admission::new(2);
        let first = admission.enter().expect("room");
        let _second = admission.enter().expect("room");
        assert!(admission.enter().is_none());
        assert!(admission.enter().is_none());
        drop(first);
        let _third = admission.enter().expect("room again");
        assert!(admission.enter().is_none());
    }
}

//! How many requests are at work at once. What is more than that is refused at once, which costs
//! next to nothing, so that those let in stay as quick as they are when the shop is only busy.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

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
}

impl Admission {
    /// Room for `room` requests at once.
    pub fn new(room: usize) -> Arc<Self> {
        Arc::new(Self { room, at_work: AtomicUsize::new(0) })
    }

    /// Lets a request in, until the permit is dropped; nothing if there is no room.
    pub(crate) fn enter(self: &Arc<Self>) -> Option<Permit> {
        // The permit takes the count back also where there is no room.
        let before = self.at_work.fetch_add(1, Ordering::Relaxed);
        let permit = Permit(Arc::clone(self));
        (before < self.room).then_some(permit)
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

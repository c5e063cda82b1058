//! How many requests are at work at once. What is more than that is refused, so that those let in
//! stay quick.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rand::RngExt;

use crate::problem::{Code, Problem};

/// The share of the room that there is while requests are refused. A crowd that comes once may fill
/// all of it. One that goes on would keep it full, and everyone who is let in would wait for all
/// before them; a quarter keeps the stores as busy.
const CROWDED_SHARE: usize = 4;

/// How long it lasts that there is only a share. Where the stores are far away, requests wait
/// without being in anybody's way, and may need all the room for good: one moment's crowd must not
/// keep them from it. And where they do not, to fill the room so rarely makes hardly any wait.
const CROWDED_FOR: Duration = Duration::from_secs(10);

/// How long a refusal is held back, on average, if no other is. To read a request and to refuse it
/// costs as much as a third of an answer or more, most of it in the kernel: clients who were
/// refused at once and asked again would leave no processor for those let in. One who waits costs
/// nothing.
const HELD_BACK_MIN: Duration = Duration::from_millis(100);

/// How much longer for each that is held back already. Clients who ask again and again get four
/// refusals in a millisecond then, a fifth of a processor, as long as they are no more than a few
/// thousand.
const HELD_BACK_EACH: Duration = Duration::from_micros(250);

/// The longest, on average: the second after which a refusal says to come again.
const HELD_BACK_MAX: Duration = Duration::from_secs(1);

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
    /// Refusals that are held back.
    held_back: AtomicUsize,
    /// Until when there is only a share of the room, in milliseconds since this was made.
    crowded_until: AtomicU64,
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
            held_back: AtomicUsize::new(0),
            crowded_until: AtomicU64::new(0),
            refused: AtomicUsize::new(0),
            made: Instant::now(),
            tell_from: AtomicU64::new(0),
        })
    }

    /// Lets a request in, until the permit is dropped; nothing if there is no room.
    pub(crate) fn enter(self: &Arc<Self>) -> Option<Permit> {
        self.enter_at(|| self.now())
    }

    fn enter_at(self: &Arc<Self>, now: impl Fn() -> u64) -> Option<Permit> {
        // The permit takes the count back also where there is no room.
        let before = self.at_work.fetch_add(1, Ordering::Relaxed);
        let permit = Permit(Arc::clone(self));
        // Most find so few at work that nothing else matters.
        let has_room = if before < self.room.div_ceil(CROWDED_SHARE) {
            true
        } else if before < self.room {
            !self.is_crowded(now())
        } else {
            self.share_room(now());
            false
        };
        has_room.then_some(permit)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.made.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// While nobody is held back there is no crowd any more.
    fn is_crowded(&self, now: u64) -> bool {
        self.held_back.load(Ordering::Relaxed) > 0
            && now < self.crowded_until.load(Ordering::Relaxed)
    }

    /// Begins when all of the room is full, and is not prolonged by what finds no share.
    fn share_room(&self, now: u64) {
        if now >= self.crowded_until.load(Ordering::Relaxed) {
            let until = now.saturating_add(CROWDED_FOR.as_millis() as u64);
            self.crowded_until.store(until, Ordering::Relaxed);
        }
    }

    /// What a request is told that finds no room, a little later.
    pub(crate) async fn refuse(&self) -> Problem {
        self.hold_back().await;
        self.refused.fetch_add(1, Ordering::Relaxed);
        let now = self.now();
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

    async fn hold_back(&self) {
        let others = self.held_back.fetch_add(1, Ordering::Relaxed);
        let _held_back = HeldBack(&self.held_back);
        // Not all for as long, or they would come back as one crowd.
        let share = rand::rng().random_range(0.5..1.5);
        tokio::time::sleep(time_held_back(others).mul_f64(share)).await;
    }
}

/// How long a refusal is held back on average, if so many are already.
fn time_held_back(others: usize) -> Duration {
    let others = u32::try_from(others).unwrap_or(u32::MAX);
    HELD_BACK_MAX.min(HELD_BACK_MIN.saturating_add(HELD_BACK_EACH.saturating_mul(others)))
}

/// One refusal that is held back, until this is dropped: its client may hang up before.
struct HeldBack<'a>(&'a AtomicUsize);

impl Drop for HeldBack<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
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
    use futures_util::FutureExt;

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

    #[tokio::test]
    async fn while_a_refusal_is_held_back_there_is_a_quarter_of_the_room_for_ten_seconds() {
        let admission = Admission::new(8);
        let enter = |now: u64| admission.enter_at(|| now);
        let mut at_work: Vec<_> = (0..8).map(|_| enter(0).expect("room")).collect();
        assert!(enter(0).is_none());
        let mut refusal = Box::pin(admission.refuse());
        assert!((&mut refusal).now_or_never().is_none(), "it is held back");
        at_work.truncate(2);
        assert!(enter(5_000).is_none());
        at_work.truncate(1);
        at_work.push(enter(5_000).expect("room for the second"));
        assert!(enter(9_999).is_none());

        // Others may need all of it for good: it is tried again.
        at_work.extend((2..8).map(|_| enter(10_000).expect("all the room")));
        assert!(enter(10_000).is_none());
        at_work.truncate(2);
        assert!(enter(19_999).is_none());

        // The one that was refused hangs up.
        drop(refusal);
        at_work.extend((2..8).map(|_| enter(19_999).expect("all the room")));
        assert!(enter(19_999).is_none());
    }

    #[test]
    fn the_more_refusals_are_held_back_the_longer_but_not_for_ever() {
        assert_eq!(time_held_back(0), HELD_BACK_MIN);
        assert_eq!(time_held_back(usize::MAX), HELD_BACK_MAX);
        for others in 1..3_600 {
            assert!(time_held_back(others) >= time_held_back(others - 1));
            // As they come back, so they are refused: so many in so much time.
            let in_a_millisecond = others as f64 / (time_held_back(others).as_secs_f64() * 1e3);
            assert!(in_a_millisecond < 4.0, "{others} others");
        }
    }
}

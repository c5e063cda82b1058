//! What happens too often for a line of the log each: counted, and said once a second.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long is counted before it is said.
const EVERY: Duration = Duration::from_secs(1);

/// A count that is said once a second, while there is anything to say.
#[derive(Debug, Default)]
pub(crate) struct Tally(AtomicU64);

impl Tally {
    /// Counts one. `say` gets the number of a second, also if it was the last for a long time. To
    /// be called in a runtime.
    pub(crate) fn add(self: &Arc<Self>, say: fn(u64)) {
        if self.0.fetch_add(1, Ordering::SeqCst) > 0 {
            return;
        }
        let tally = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(EVERY).await;
            say(tally.0.swap(0, Ordering::SeqCst));
        });
    }
}

/// Lets so many lines a second into the log, and says how many it left out.
#[derive(Debug)]
pub(crate) struct LineLimit {
    most: u32,
    second: Mutex<Option<Second>>,
    left_out: Arc<Tally>,
}

#[derive(Debug)]
struct Second {
    begun: Instant,
    lines: u32,
}

impl LineLimit {
    /// A limit of `most` lines a second.
    pub(crate) fn new(most: u32) -> Self {
        Self { most, second: Mutex::default(), left_out: Arc::default() }
    }

    /// True if there is room for a line. If there is none, it is counted, and `say` gets the number
    /// of lines left out in a second. To be called in a runtime.
    pub(crate) fn admits(&self, say: fn(u64)) -> bool {
        let admits = self.admits_at(Instant::now());
        if !admits {
            self.left_out.add(say);
        }
        admits
    }

    fn admits_at(&self, now: Instant) -> bool {
        let mut second = self.second.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = |second: &Second| now.duration_since(second.begun) >= EVERY;
        if second.as_ref().is_none_or(is_over) {
            *second = Some(Second { begun: now, lines: 0 });
        }
        let second = second.as_mut().expect("set above");
        second.lines = second.lines.saturating_add(1);
        second.lines <= self.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_lines_a_second_and_no_more() {
        let limit = LineLimit::new(3);
        let now = Instant::now();
        let lines = |at: Instant| (0..10).filter(|_| limit.admits_at(at)).count();
        assert_eq!(lines(now), 3);
        assert_eq!(lines(now + EVERY - Duration::from_millis(1)), 0);
        assert_eq!(lines(now + EVERY), 3);
        assert_eq!(lines(now + EVERY * 60), 3);
    }

    #[tokio::test]
    async fn what_is_counted_is_said_even_if_nothing_follows() {
        static SAID: Mutex<Vec<u64>> = Mutex::new(Vec::new());
        let said = || SAID.lock().expect("nobody panics").clone();
        let tally = Arc::<Tally>::default();
        let say = |count| SAID.lock().expect("nobody panics").push(count);
        for expected in [vec![5], vec![5, 1]] {
            (0..*expected.last().expect("one")).for_each(|_| tally.add(say));
            for _ in 0..400 {
                tokio::time::sleep(Duration::from_millis(25)).await; // poll: a second of its own
                if said().len() == expected.len() {
                    break;
                }
            }
            assert_eq!(said(), expected);
        }
    }
}

//! Remembers for a moment that the server could not be reached, so that not everybody who asks
//! waits to find it out again.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::connect::CONNECT_MAX;

/// How long nobody tries after an attempt that failed. Recovery is noticed this much later, at
/// most.
const PAUSE: Duration = Duration::from_millis(250);

/// What is known of the server's being away; nothing while it is there.
#[derive(Debug, Default)]
pub(crate) struct Outage(Mutex<Option<Known>>);

#[derive(Debug)]
struct Known {
    why: String,
    next_attempt: Instant,
}

impl Outage {
    /// Makes an attempt to connect, unless one has just failed: then it fails for the same reason,
    /// at once. While the server is away, one of those who ask tries, and the others do not wait
    /// for it.
    pub(crate) async fn attempt<T>(
        &self,
        connect: impl Future<Output = Result<T, String>>,
    ) -> Result<T, String> {
        self.take_turn(Instant::now())?;
        let outcome = connect.await;
        *self.lock() = outcome
            .as_ref()
            .err()
            .map(|why| Known { why: why.clone(), next_attempt: Instant::now() + PAUSE });
        outcome
    }

    /// The reason to fail, if it is not the caller's turn to try. An attempt that never comes to
    /// an end holds its turn no longer than one may take.
    fn take_turn(&self, now: Instant) -> Result<(), String> {
        match self.lock().as_mut() {
            Some(known) if now < known.next_attempt => Err(known.why.clone()),
            Some(known) => {
                known.next_attempt = now + CONNECT_MAX + PAUSE;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Known>> {
        // Each change is complete in itself.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn failing() -> Result<(), String> {
        Err("refused".to_owned())
    }

    #[tokio::test]
    async fn only_one_tries_while_the_server_is_away() {
        let outage = Outage::default();
        assert_eq!(outage.attempt(failing()).await, Err("refused".to_owned()));
        let at_once = outage.attempt(async { panic!("it is too early for an attempt") }).await;
        assert_eq!(at_once, Err::<(), _>("refused".to_owned()));
        let later = Instant::now() + PAUSE;
        assert_eq!(outage.take_turn(later), Ok(()));
        assert!(outage.take_turn(later).is_err(), "somebody tries already");
        assert_eq!(outage.take_turn(later + CONNECT_MAX + PAUSE), Ok(()), "that one was lost");
    }

    #[tokio::test]
    async fn everybody_may_try_while_nothing_is_known() {
        let outage = Outage::default();
        let nested = outage.attempt(async { outage.attempt(async { Ok(1) }).await });
        assert_eq!(nested.await, Ok(1));
    }
}

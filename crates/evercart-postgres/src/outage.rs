//! Remembers for a moment that the server could not be reached, so that not everybody who asks
//! waits to find it out again.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::connect::CONNECT_MAX;

/// How long nobody tries after an attempt that failed. Recovery is noticed this much later, at
/// most.
const PAUSE: Duration = Duration::from_millis(250);

/// What is known of a server's being away; nothing while it is there. Its beginning and its end are
/// logged, and nothing between them.
#[derive(Debug)]
pub(crate) struct Outage {
    /// The server and database, for people.
    place: String,
    known: Mutex<Option<Known>>,
}

#[derive(Debug)]
struct Known {
    why: String,
    since: Instant,
    next_attempt: Instant,
}

impl Outage {
    /// Of a server and database of which nothing is known.
    pub(crate) fn of(place: &str) -> Self {
        Self { place: place.to_owned(), known: Mutex::default() }
    }

    /// Makes an attempt to connect, unless one has just failed: then it fails for the same reason,
    /// at once. While the server is away, one of those who ask tries, and the others do not wait
    /// for it.
    pub(crate) async fn attempt<T>(
        &self,
        connect: impl Future<Output = Result<T, String>>,
    ) -> Result<T, String> {
        self.take_turn(Instant::now())?;
        let outcome = connect.await;
        match &outcome {
            Ok(_) => self.is_over(Instant::now()),
            Err(why) => self.goes_on(why, Instant::now()),
        }
        outcome
    }

    /// The reason to fail, if it is not the caller's turn to try. An attempt that never comes to
    /// an end holds its turn no longer than one may take.
    pub(crate) fn take_turn(&self, now: Instant) -> Result<(), String> {
        match self.lock().as_mut() {
            Some(known) if now < known.next_attempt => Err(known.why.clone()),
            Some(known) => {
                known.next_attempt = now + CONNECT_MAX + PAUSE;
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Why the server is away, if it is known to be.
    pub(crate) fn why(&self) -> Option<String> {
        self.lock().as_ref().map(|known| known.why.clone())
    }

    /// An attempt has failed.
    pub(crate) fn goes_on(&self, why: &str, now: Instant) {
        let mut known = self.lock();
        let since = known.as_ref().map(|known| known.since);
        if since.is_none() {
            tracing::error!("the database {} is away: {why}", self.place);
        }
        let since = since.unwrap_or(now);
        *known = Some(Known { why: why.to_owned(), since, next_attempt: now + PAUSE });
    }

    /// An attempt has succeeded.
    pub(crate) fn is_over(&self, now: Instant) {
        if let Some(known) = self.lock().take() {
            let away = now.saturating_duration_since(known.since);
            tracing::info!("the database {} is back after {:.1} s", self.place, away.as_secs_f64());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Known>> {
        // Each change is complete in itself.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
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
        let outage = Outage::of("db.example/shop");
        assert_eq!(outage.attempt(failing()).await, Err("refused".to_owned()));
        let at_once = outage.attempt(async { panic!("it is too early for an attempt") }).await;
        assert_eq!(at_once, Err::<(), _>("refused".to_owned()));
        let later = Instant::now() + PAUSE;
        assert_eq!(outage.take_turn(later), Ok(()));
        assert!(outage.take_turn(later).is_err(), "somebody tries already");
        assert_eq!(outage.take_turn(later + CONNECT_MAX + PAUSE), Ok(()), "that one was lost");
        outage.is_over(later);
        assert_eq!((outage.why(), outage.take_turn(later)), (None, Ok(())));
    }

    #[tokio::test]
    async fn everybody_may_try_while_nothing_is_known() {
        let outage = Outage::of("db.example/shop");
        let nested = outage.attempt(async { outage.attempt(async { Ok(1) }).await });
        assert_eq!(nested.await, Ok(1));
    }
}

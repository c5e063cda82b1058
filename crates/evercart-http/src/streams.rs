//! How many streams of events are open, and when each is to be looked at again: to send a sign of
//! life, because its token ends, or because the server does. One task does it for all of them, so
//! that a stream that waits costs a few hundred bytes and no timer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};

use evercart_core::ids::UserId;

/// How often the streams are looked through for those that are due. So much later than it should a
/// stream may send a sign of life, or learn that its token has ended.
const TICK: Duration = Duration::from_millis(500);

/// The most streams of one customer: many tabs on many devices, and no reason for a thief of one
/// token to keep all others out.
const OF_CUSTOMER_MAX: u32 = 64;

/// The open streams of a server.
#[derive(Debug)]
pub struct Streams {
    most: usize,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    places: HashMap<u64, Place>,
    next: u64,
    /// Streams by customer.
    customers: HashMap<(usize, UserId), u32>,
    /// A task looks through them.
    is_looked_through: bool,
    is_closing: bool,
}

/// What is known of a stream that waits.
#[derive(Debug)]
struct Place {
    due: Instant,
    waker: Option<Waker>,
}

/// Why no stream is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoRoom {
    /// Too many are open.
    Full,
    /// The customer has too many.
    CustomerFull,
    /// The server stops.
    Closing,
}

impl Streams {
    /// Room for `most` streams at once.
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, open: Mutex::default() })
    }

    /// Has every stream end, and lets none begin any more.
    pub fn close(&self) {
        let mut open = self.lock();
        open.is_closing = true;
        let wakers: Vec<_> =
            open.places.values_mut().filter_map(|place| place.waker.take()).collect();
        drop(open);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// How many are open.
    pub(crate) fn count(&self) -> usize {
        self.lock().places.len()
    }

    /// Makes room for a stream of a customer of a market. To be called in a runtime.
    pub(crate) fn enter(self: &Arc<Self>, market: usize, user: UserId) -> Result<Entry, NoRoom> {
        let mut open = self.lock();
        if open.is_closing {
            return Err(NoRoom::Closing);
        }
        if open.places.len() >= self.most {
            return Err(NoRoom::Full);
        }
        let customer = (market, user);
        let of_customer = open.customers.entry(customer).or_default();
        if *of_customer >= OF_CUSTOMER_MAX {
            return Err(NoRoom::CustomerFull);
        }
        *of_customer += 1;
        let id = open.next;
        open.next += 1;
        open.places.insert(id, Place { due: Instant::now() + TICK, waker: None });
        if !std::mem::replace(&mut open.is_looked_through, true) {
            tokio::spawn(Arc::clone(self).look_through());
        }
        Ok(Entry { streams: Arc::clone(self), id, customer })
    }

    /// Wakes whoever is due, until there is nobody left to wake.
    async fn look_through(self: Arc<Self>) {
        loop {
            tokio::time::sleep(TICK).await;
            let now = Instant::now();
            let mut open = self.lock();
            if open.places.is_empty() {
                open.is_looked_through = false;
                return;
            }
            let due = open.places.values_mut().filter(|place| place.due <= now);
            let wakers: Vec<_> = due.filter_map(|place| place.waker.take()).collect();
            drop(open);
            wakers.into_iter().for_each(Waker::wake);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stream's place among the open ones.
#[derive(Debug)]
pub(crate) struct Entry {
    streams: Arc<Streams>,
    id: u64,
    customer: (usize, UserId),
}

impl Entry {
    /// Has the task woken at `due`, or when the server stops. False if it stops already.
    pub(crate) fn wait(&self, due: Instant, waker: &Waker) -> bool {
        let mut open = self.streams.lock();
        if open.is_closing {
            return false;
        }
        if let Some(place) = open.places.get_mut(&self.id) {
            place.due = due;
            match &mut place.waker {
                Some(known) => known.clone_from(waker),
                none => *none = Some(waker.clone()),
            }
        }
        true
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut open = self.streams.lock();
        open.places.remove(&self.id);
        if let Some(count) = open.customers.get_mut(&self.customer) {
            *count -= 1;
            if *count == 0 {
                open.customers.remove(&self.customer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicBool);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::SeqCst);
        }
    }

    #[tokio::test]
    async fn there_is_room_for_so_many_and_again_when_one_ends() {
        let streams = Streams::new(2);
        let first = streams.enter(0, UserId(1)).expect("room");
        let _second = streams.enter(0, UserId(2)).expect("room");
        assert_eq!(streams.enter(0, UserId(3)).err(), Some(NoRoom::Full));
        drop(first);
        let _third = streams.enter(0, UserId(3)).expect("room again");
        assert_eq!(streams.count(), 2);
    }

    #[tokio::test]
    async fn one_customer_does_not_take_all_the_room() {
        let streams = Streams::new(1000);
        let all: Vec<_> =
            (0..OF_CUSTOMER_MAX).map(|_| streams.enter(0, UserId(1)).expect("room")).collect();
        assert_eq!(streams.enter(0, UserId(1)).err(), Some(NoRoom::CustomerFull));
        let _of_another_market = streams.enter(1, UserId(1)).expect("room");
        drop(all);
        let _again = streams.enter(0, UserId(1)).expect("room again");
    }

    #[tokio::test]
    async fn who_waits_is_woken_when_it_is_due_and_when_the_server_stops() {
        let streams = Streams::new(2);
        let (soon, late) = (
            streams.enter(0, UserId(1)).expect("room"),
            streams.enter(0, UserId(2)).expect("room"),
        );
        let woken = [Arc::<Woken>::default(), Arc::<Woken>::default()];
        let is_woken = || woken.each_ref().map(|woken| woken.0.load(Ordering::SeqCst));
        let wakers = woken.each_ref().map(|woken| Waker::from(Arc::clone(woken)));
        assert!(soon.wait(Instant::now(), &wakers[0]));
        assert!(late.wait(Instant::now() + Duration::from_secs(3600), &wakers[1]));
        for _ in 0..200 {
            if is_woken()[0] {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await; // poll: the ticker is a thread
        }
        assert_eq!(is_woken(), [true, false]);
        streams.close();
        assert_eq!(is_woken(), [true, true]);
        assert!(!late.wait(Instant::now(), &wakers[1]), "nobody waits any more");
        assert_eq!(streams.enter(0, UserId(3)).err(), Some(NoRoom::Closing));
    }
}

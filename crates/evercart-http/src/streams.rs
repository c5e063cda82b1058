//! How many streams of events are open, and when each is to be looked at again: to send a sign of
//! life, because its token ends, or because the server does. One task does it for all of them, so
//! that a stream that waits costs a few hundred bytes and no timer.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

use evercart_core::ids::UserId;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::task::AtomicWaker;

use crate::connection::Connection;

/// How often the streams are looked through for those that are due. So much later than it should a
/// stream may send a sign of life, or learn that its token has ended.
const TICK: Duration = Duration::from_millis(500);

/// When a stream is due again that was woken and has not come: it says so itself.
const NEVER: Duration = Duration::from_secs(86_400);

/// The most streams of one customer: many tabs on many devices, and no reason for a thief of one
/// token to keep all others out.
const OF_CUSTOMER_MAX: u32 = 64;

/// How many sessions of streams that nobody reads are looked at side by side.
const LOOKS_AT_ONCE: usize = 4;

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

impl Open {
    /// Gives a stream's place back.
    fn remove(&mut self, id: u64) -> Option<Place> {
        let place = self.places.remove(&id)?;
        if let Some(count) = self.customers.get_mut(&place.customer) {
            *count -= 1;
            if *count == 0 {
                self.customers.remove(&place.customer);
            }
        }
        Some(place)
    }
}

/// What is known of a stream.
#[derive(Debug)]
struct Place {
    due: Instant,
    customer: (usize, UserId),
    bell: Arc<Bell>,
    unread: Arc<Unread>,
}

/// What can be done about a stream whose client takes nothing, so that it is not asked for more and
/// does not hear that its session has ended.
pub(crate) struct Unread {
    /// True while the session may go on.
    pub(crate) may_go_on: Box<dyn Fn() -> BoxFuture<'static, bool> + Send + Sync>,
    /// What ends with the session; nothing in a test without a socket.
    pub(crate) connection: Option<Arc<Connection>>,
}

impl fmt::Debug for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unread").finish_non_exhaustive()
    }
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
        self.lock().is_closing = true;
        self.wake_all();
    }

    /// Has every stream look whether it may go on.
    pub(crate) fn wake_all(&self) {
        let bells: Vec<_> =
            self.lock().places.values().map(|place| Arc::clone(&place.bell)).collect();
        bells.iter().for_each(Wake::wake_by_ref);
    }

    /// How many are open.
    pub(crate) fn count(&self) -> usize {
        self.lock().places.len()
    }

    /// Makes room for a stream of a customer of a market. To be called in a runtime.
    pub(crate) fn enter(
        self: &Arc<Self>,
        market: usize,
        user: UserId,
        unread: Unread,
    ) -> Result<Entry, NoRoom> {
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
        let (bell, unread) = (Arc::<Bell>::default(), Arc::new(unread));
        let due = Instant::now() + TICK;
        open.places.insert(id, Place { due, customer, bell: Arc::clone(&bell), unread });
        if !std::mem::replace(&mut open.is_looked_through, true) {
            tokio::spawn(Arc::clone(self).look_through());
        }
        Ok(Entry { streams: Arc::clone(self), id, bell })
    }

    /// Wakes whoever is due, and looks after those that do not come though they were woken, until
    /// there is nobody left.
    async fn look_through(self: Arc<Self>) {
        loop {
            tokio::time::sleep(TICK).await;
            let now = Instant::now();
            let mut open = self.lock();
            if open.places.is_empty() {
                open.is_looked_through = false;
                return;
            }
            let (mut due, mut unread) = (Vec::new(), Vec::new());
            for (id, place) in &mut open.places {
                if place.bell.is_unheard() {
                    unread.push((*id, Arc::clone(&place.unread)));
                }
                if place.due <= now {
                    // Once: it says anew when it comes.
                    place.due = now + NEVER;
                    due.push(Arc::clone(&place.bell));
                }
            }
            drop(open);
            due.iter().for_each(Wake::wake_by_ref);
            if !unread.is_empty() {
                tokio::spawn(Arc::clone(&self).end_those_signed_out(unread));
            }
        }
    }

    /// Ends the streams whose sessions have ended.
    async fn end_those_signed_out(self: Arc<Self>, unread: Vec<(u64, Arc<Unread>)>) {
        let looking = futures_util::stream::iter(unread);
        looking
            .for_each_concurrent(LOOKS_AT_ONCE, |(id, unread)| {
                let streams = Arc::clone(&self);
                async move {
                    if (unread.may_go_on)().await || streams.lock().remove(id).is_none() {
                        return;
                    }
                    if let Some(connection) = &unread.connection {
                        connection.cut();
                    }
                }
            })
            .await;
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes a stream's task, and knows whether the stream has come since: while its client takes
/// nothing, the task does not ask it for more.
#[derive(Debug, Default)]
struct Bell {
    task: AtomicWaker,
    state: AtomicU8,
}

/// The stream has come since it was woken.
const HEARD: u8 = 0;
/// It was woken.
const RUNG: u8 = 1;
/// It was woken, and a tick later it had not come.
const UNHEARD: u8 = 2;
/// Its session was looked at since.
const LOOKED_AT: u8 = 3;

impl Bell {
    /// The stream comes; its task is woken from now on.
    fn heard(&self, task: &Waker) {
        self.task.register(task);
        self.state.store(HEARD, Ordering::SeqCst);
    }

    /// To be asked once a tick. True if the stream has not come for a whole one though it was
    /// woken, and its session was not looked at since.
    fn is_unheard(&self) -> bool {
        let becomes = |from, to| {
            let (set, read) = (Ordering::SeqCst, Ordering::SeqCst);
            self.state.compare_exchange(from, to, set, read).is_ok()
        };
        let is_unheard = becomes(UNHEARD, LOOKED_AT);
        // Not before the next tick: it may be about to come.
        becomes(RUNG, UNHEARD);
        is_unheard
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        for from in [HEARD, LOOKED_AT] {
            let (set, read) = (Ordering::SeqCst, Ordering::SeqCst);
            // Whoever else changes it meanwhile has rung, too, or is the stream, which looks.
            let _ = self.state.compare_exchange(from, RUNG, set, read);
        }
        self.task.wake();
    }
}

/// A stream's place among the open ones.
#[derive(Debug)]
pub(crate) struct Entry {
    streams: Arc<Streams>,
    id: u64,
    bell: Arc<Bell>,
}

impl Entry {
    /// What wakes the stream from now on, in place of its task's own waker.
    pub(crate) fn waker(&self, task: &Waker) -> Waker {
        self.bell.heard(task);
        Waker::from(Arc::clone(&self.bell))
    }

    /// Has the task woken at `due`, or when the server stops. False if the stream is to end
    /// already.
    pub(crate) fn wait(&self, due: Instant) -> bool {
        let mut open = self.streams.lock();
        if open.is_closing {
            return false;
        }
        let place = open.places.get_mut(&self.id);
        place.map(|place| place.due = due).is_some()
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.streams.lock().remove(self.id);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::task::Context;

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicBool);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::SeqCst);
        }
    }

    fn goes_on() -> Unread {
        Unread { may_go_on: Box::new(|| Box::pin(async { true })), connection: None }
    }

    fn enter(streams: &Arc<Streams>, user: i64) -> Result<Entry, NoRoom> {
        streams.enter(0, UserId(user), goes_on())
    }

    async fn wait_until(what: &str, condition: impl Fn() -> bool) {
        for _ in 0..400 {
            if condition() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await; // poll: bounded above
        }
        panic!("waited in vain for {what}");
    }

    #[tokio::test]
    async fn there_is_room_for_so_many_and_again_when_one_ends() {
        let streams = Streams::new(2);
        let first = enter(&streams, 1).expect("room");
        let _second = enter(&streams, 2).expect("room");
        assert_eq!(enter(&streams, 3).err(), Some(NoRoom::Full));
        drop(first);
        let _third = enter(&streams, 3).expect("room again");
        assert_eq!(streams.count(), 2);
    }

    #[tokio::test]
    async fn one_customer_does_not_take_all_the_room() {
        let streams = Streams::new(1000);
        let all: Vec<_> = (0..OF_CUSTOMER_MAX).map(|_| enter(&streams, 1).expect("room")).collect();
        assert_eq!(enter(&streams, 1).err(), Some(NoRoom::CustomerFull));
        let _of_another_market = streams.enter(1, UserId(1), goes_on()).expect("room");
        drop(all);
        let _again = enter(&streams, 1).expect("room again");
    }

    #[tokio::test]
    async fn who_waits_is_woken_when_it_is_due_and_when_the_server_stops() {
        let streams = Streams::new(2);
        let entries = [1, 2].map(|user| enter(&streams, user).expect("room"));
        let woken = [Arc::<Woken>::default(), Arc::<Woken>::default()];
        let is_woken = || woken.each_ref().map(|woken| woken.0.load(Ordering::SeqCst));
        for (entry, woken) in entries.iter().zip(&woken) {
            entry.waker(&Waker::from(Arc::clone(woken)));
        }
        let [soon, late] = &entries;
        assert!(soon.wait(Instant::now()));
        assert!(late.wait(Instant::now() + Duration::from_secs(3600)));
        wait_until("the one that is due", || is_woken()[0]).await;
        assert_eq!(is_woken(), [true, false]);
        streams.close();
        assert_eq!(is_woken(), [true, true]);
        assert!(!late.wait(Instant::now()), "nobody waits any more");
        assert_eq!(enter(&streams, 3).err(), Some(NoRoom::Closing));
    }

    /// A stream whose session has ended.
    fn signed_out(streams: &Arc<Streams>) -> (Entry, Arc<Connection>) {
        let connection = Arc::<Connection>::default();
        let unread = Unread {
            may_go_on: Box::new(|| Box::pin(async { false })),
            connection: Some(Arc::clone(&connection)),
        };
        (streams.enter(0, UserId(7), unread).expect("room"), connection)
    }

    #[tokio::test]
    async fn a_stream_that_nobody_reads_gives_its_place_back_when_its_session_ends() {
        let streams = Streams::new(10);
        let (entry, connection) = signed_out(&streams);
        let other = enter(&streams, 1).expect("room");
        for entry in [&entry, &other] {
            // The word that something has changed; and nobody comes.
            entry.waker(Waker::noop()).wake();
        }
        wait_until("its place", || streams.count() == 1).await;
        assert!(!entry.wait(Instant::now()), "it is over");
        let cut = || connection.poll_cut(&Context::from_waker(Waker::noop()));
        wait_until("the end of its connection", cut).await;
        drop(entry);
        assert_eq!(streams.lock().customers.len(), 1, "a place is given back once");
        assert!(other.wait(Instant::now()), "a session that goes on keeps its stream");
    }

    #[tokio::test]
    async fn a_stream_that_comes_when_it_is_woken_says_itself_that_it_is_over() {
        let streams = Streams::new(10);
        let (entry, connection) = signed_out(&streams);
        for _ in 0..4 {
            entry.waker(Waker::noop()).wake();
            entry.waker(Waker::noop());
            tokio::time::sleep(TICK).await; // poll: a tick passes, nothing is to happen
        }
        assert_eq!(streams.count(), 1);
        assert!(!connection.poll_cut(&Context::from_waker(Waker::noop())));
    }
}

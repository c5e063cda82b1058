//! Word of changed carts: whoever watches a customer's cart is told that it, or the customer's
//! session, may have changed. A word carries nothing: who hears it looks.

use std::collections::HashMap;
use std::fmt;
use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::ids::UserId;

/// Parts that the watched customers are kept in, each under a lock of its own.
const SHARDS: usize = 32;

/// How a store tells of changes.
pub trait CartSignals: Send + Sync {
    /// Watches a customer's cart and session. The watch is told within a second of every change
    /// that was committed after this returned, by whatever process; now and then it is told of one
    /// that was none.
    fn watch_cart(&self, user: UserId) -> CartWatch;
}

/// Everybody who watches, by customer. An entry goes away with its watch.
#[derive(Default)]
pub struct CartWatchers {
    count: AtomicUsize,
    shards: [Shard; SHARDS],
}

type Shard = Mutex<HashMap<UserId, Vec<Arc<Watcher>>>>;

/// One who watches.
#[derive(Default)]
struct Watcher(Mutex<Heard>);

#[derive(Default)]
struct Heard {
    changed: bool,
    waker: Option<Waker>,
}

impl Watcher {
    fn tell(&self) {
        let waker = {
            let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            heard.changed = true;
            heard.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl CartWatchers {
    /// Watches a customer.
    pub fn watch(self: &Arc<Self>, user: UserId) -> CartWatch {
        let watcher = Arc::<Watcher>::default();
        // Counted before whoever watches reads the cart: who changes it later finds the count.
        self.count.fetch_add(1, Ordering::SeqCst);
        self.shard(user).entry(user).or_default().push(Arc::clone(&watcher));
        CartWatch { user, watcher, all: Arc::clone(self) }
    }

    /// Tells whoever watches this customer. While nobody watches anybody, it is a glance at a
    /// number.
    pub fn tell(&self, user: UserId) {
        if self.is_empty() {
            return;
        }
        if let Some(watchers) = self.shard(user).get(&user) {
            watchers.iter().for_each(|watcher| watcher.tell());
        }
    }

    /// Tells everybody.
    pub fn tell_all(&self) {
        for shard in &self.shards {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.values().flatten().for_each(|watcher| watcher.tell());
        }
    }

    /// True if nobody watches.
    pub fn is_empty(&self) -> bool {
        self.count.load(Ordering::SeqCst) == 0
    }

    /// Who is watched, in no order.
    pub fn users(&self) -> Vec<UserId> {
        let shards = self.shards.iter();
        let users = shards.flat_map(|shard| {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.keys().copied().collect::<Vec<_>>()
        });
        users.collect()
    }

    fn shard(&self, user: UserId) -> MutexGuard<'_, HashMap<UserId, Vec<Arc<Watcher>>>> {
        let place = usize::try_from(user.0.unsigned_abs() % SHARDS as u64).unwrap_or_default();
        self.shards[place].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for CartWatchers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CartWatchers").field("count", &self.count).finish_non_exhaustive()
    }
}

/// Hears of one customer. Words that come before anybody asks count as one.
pub struct CartWatch {
    user: UserId,
    watcher: Arc<Watcher>,
    all: Arc<CartWatchers>,
}

impl CartWatch {
    /// Ready if there was a word since it last was; otherwise the task is woken by the next one.
    pub fn poll_changed(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let mut heard = self.watcher.0.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::take(&mut heard.changed) {
            return Poll::Ready(());
        }
        match &mut heard.waker {
            Some(waker) => waker.clone_from(context.waker()),
            none => *none = Some(context.waker().clone()),
        }
        Poll::Pending
    }

    /// Waits for the next word.
    pub async fn changed(&mut self) {
        poll_fn(|context| self.poll_changed(context)).await;
    }
}

impl Drop for CartWatch {
    fn drop(&mut self) {
        let mut shard = self.all.shard(self.user);
        if let Some(watchers) = shard.get_mut(&self.user) {
            watchers.retain(|watcher| !Arc::ptr_eq(watcher, &self.watcher));
            if watchers.is_empty() {
                shard.remove(&self.user);
            }
        }
        drop(shard);
        self.all.count.fetch_sub(1, Ordering::SeqCst);
    }
}

impl fmt::Debug for CartWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CartWatch").field("user", &self.user).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicBool);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::SeqCst);
        }
    }

    fn poll(watch: &mut CartWatch) -> (bool, Arc<Woken>) {
        let woken = Arc::<Woken>::default();
        let waker = Waker::from(Arc::clone(&woken));
        let ready = watch.poll_changed(&mut Context::from_waker(&waker)).is_ready();
        (ready, woken)
    }

    #[test]
    fn a_word_wakes_every_watch_on_its_customer_and_no_other() {
        let all = Arc::<CartWatchers>::default();
        let mut watches = [all.watch(UserId(1)), all.watch(UserId(1)), all.watch(UserId(65))];
        let woken = watches.each_mut().map(|watch| poll(watch).1);
        all.tell(UserId(1));
        all.tell(UserId(1));
        let heard = woken.map(|woken| woken.0.load(Ordering::SeqCst));
        assert_eq!(heard, [true, true, false]);
        assert_eq!(watches.each_mut().map(|watch| poll(watch).0), [true, true, false]);
        assert_eq!(watches.each_mut().map(|watch| poll(watch).0), [false; 3], "two words are one");
        all.tell_all();
        assert_eq!(watches.each_mut().map(|watch| poll(watch).0), [true; 3]);
    }

    #[test]
    fn a_watch_that_is_dropped_is_forgotten() {
        let all = Arc::<CartWatchers>::default();
        assert!(all.is_empty());
        let first = all.watch(UserId(1));
        drop(all.watch(UserId(1)));
        drop(all.watch(UserId(2)));
        assert_eq!(all.users(), [UserId(1)]);
        drop(first);
        assert!(all.is_empty() && all.users().is_empty());
    }
}

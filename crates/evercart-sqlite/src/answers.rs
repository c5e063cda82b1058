//! Answers that are ready at the same moment travel together: the thread that made them wakes one
//! of those who wait, and that one hands the others theirs.
//!
//! Waking somebody from outside the runtime costs a system call and often the thread's turn on its
//! processor, which a writer with the next batch waiting has better use for. From inside it is a
//! push to a queue.

use evercart_core::error::StoreError;
use tokio::sync::oneshot;

/// Something whose outcome is settled and whose asker waits.
pub(crate) trait Waiting: Send {
    /// Tells the asker, who in turn tells the others.
    fn answer(self: Box<Self>, others: Others);
}

/// The others of a batch. They are told when this is dropped, so none is ever forgotten: not if
/// the one who carries this has gone, nor if it panics.
#[derive(Default)]
pub(crate) struct Others(Vec<Box<dyn Waiting>>);

impl Drop for Others {
    fn drop(&mut self) {
        for other in self.0.drain(..) {
            other.answer(Self::default());
        }
    }
}

/// Tells everybody of a batch.
pub(crate) fn answer_all(batch: impl IntoIterator<Item = Box<dyn Waiting>>) {
    let mut batch = batch.into_iter();
    if let Some(first) = batch.next() {
        first.answer(Others(batch.collect()));
    }
}

/// An answer and whom to tell next.
type Parcel<T> = (Result<T, StoreError>, Others);

/// The asker's side that gives the answer.
pub(crate) struct Reply<T>(oneshot::Sender<Parcel<T>>);

/// The asker's side that waits for it.
pub(crate) struct Awaited<T>(oneshot::Receiver<Parcel<T>>);

/// A way for one answer.
pub(crate) fn reply<T>() -> (Reply<T>, Awaited<T>) {
    let (sender, receiver) = oneshot::channel();
    (Reply(sender), Awaited(receiver))
}

impl<T> Reply<T> {
    /// True if nobody waits any more.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.0.is_closed()
    }

    pub(crate) fn send(self, answer: Result<T, StoreError>, others: Others) {
        // If the asker has gone, the parcel comes back and its drop tells the others.
        let _ = self.0.send((answer, others));
    }
}

impl<T> Awaited<T> {
    /// The answer; `None` if whoever was to give it has gone.
    pub(crate) async fn answer(self) -> Option<Result<T, StoreError>> {
        let (answer, others) = self.0.await.ok()?;
        drop(others);
        Some(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Settled(Reply<u32>, u32);

    impl Waiting for Settled {
        fn answer(self: Box<Self>, others: Others) {
            self.0.send(Ok(self.1), others);
        }
    }

    fn batch(size: u32) -> (Vec<Box<dyn Waiting>>, Vec<Awaited<u32>>) {
        (0..size)
            .map(|number| {
                let (reply, awaited) = reply();
                (Box::new(Settled(reply, number)) as Box<dyn Waiting>, awaited)
            })
            .unzip()
    }

    async fn number(awaited: Awaited<u32>) -> u32 {
        awaited.answer().await.expect("is answered").expect("is a number")
    }

    #[tokio::test]
    async fn everybody_gets_their_own_answer() {
        let (waiting, awaited) = batch(5);
        answer_all(waiting);
        for (asker, expected) in awaited.into_iter().zip(0..) {
            assert_eq!(number(asker).await, expected);
        }
    }

    #[tokio::test]
    async fn whoever_goes_away_takes_nobodys_answer_along() {
        for gone_before in [true, false] {
            let (waiting, mut awaited) = batch(3);
            let first = awaited.remove(0);
            if gone_before {
                drop(first);
                answer_all(waiting);
            } else {
                answer_all(waiting);
                drop(first);
            }
            for (asker, expected) in awaited.into_iter().zip(1..) {
                assert_eq!(number(asker).await, expected);
            }
        }
    }
}

//! Answers that are ready at the same moment travel together: the thread that made them wakes one
//! task, the herald, which tells each asker.
//!
//! Waking somebody from outside the runtime costs a system call and often the thread's turn on its
//! processor, which a writer with the next batch waiting has better use for. From inside it is a
//! push to a queue. The herald has no other work, so nobody's answer waits for somebody else: an
//! asker who was woken may be slow to look (a client that does not read its events, say).

use std::sync::{Arc, OnceLock};

use tokio::runtime::Handle;
use tokio::sync::mpsc::{self, UnboundedSender};

/// Something whose outcome is settled and whose asker waits.
pub(crate) trait Waiting: Send {
    /// Tells the asker.
    fn answer(self: Box<Self>);
}

/// Answers on their way. They are told when this is dropped, so none is ever forgotten: not if the
/// runtime ends with the herald in it.
struct Batch(Vec<Box<dyn Waiting>>);

impl Drop for Batch {
    fn drop(&mut self) {
        for waiting in self.0.drain(..) {
            waiting.answer();
        }
    }
}

/// The way to the task that tells the askers.
#[derive(Clone, Default)]
pub(crate) struct Herald(Arc<OnceLock<UnboundedSender<Batch>>>);

impl Herald {
    /// Starts the task if there is none yet and the caller runs in a runtime. Called by each asker,
    /// since a store may be opened where there is none.
    pub(crate) fn start(&self) {
        if self.0.get().is_none()
            && let Ok(runtime) = Handle::try_current()
        {
            self.0.get_or_init(|| {
                let (sender, mut batches) = mpsc::unbounded_channel();
                runtime.spawn(async move {
                    while let Some(batch) = batches.recv().await {
                        drop::<Batch>(batch);
                    }
                });
                sender
            });
        }
    }

    /// Has everybody told. Called from outside the runtime.
    pub(crate) fn tell(&self, batch: impl IntoIterator<Item = Box<dyn Waiting>>) {
        let batch = Batch(batch.into_iter().collect());
        // One alone is woken as cheaply as the herald.
        if batch.0.len() > 1
            && let Some(herald) = self.0.get()
        {
            // With the herald's runtime gone the batch comes back, and its drop tells them here.
            let _ = herald.send(batch);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    struct Settled(oneshot::Sender<u32>, u32);

    impl Waiting for Settled {
        fn answer(self: Box<Self>) {
            let _ = self.0.send(self.1);
        }
    }

    fn batch(size: u32) -> (Vec<Box<dyn Waiting>>, Vec<oneshot::Receiver<u32>>) {
        (0..size)
            .map(|number| {
                let (reply, awaited) = oneshot::channel();
                (Box::new(Settled(reply, number)) as Box<dyn Waiting>, awaited)
            })
            .unzip()
    }

    #[tokio::test]
    async fn everybody_gets_their_own_answer_whoever_else_looks_or_has_gone() {
        let herald = Herald::default();
        herald.start();
        for size in 1..5 {
            let (waiting, mut askers) = batch(size);
            drop(askers.remove(0));
            herald.tell(waiting);
            // The last looks first, and does not wait for those before.
            for (asker, expected) in askers.into_iter().zip(1..size).rev() {
                assert_eq!(asker.await.expect("is told"), expected);
            }
        }
    }

    #[test]
    fn without_a_runtime_the_thread_tells_them_itself() {
        let herald = Herald::default();
        herald.start();
        let (waiting, askers) = batch(3);
        herald.tell(waiting);
        let told: Vec<_> = askers.into_iter().map(|asker| asker.blocking_recv()).collect();
        assert_eq!(told, [Ok(0), Ok(1), Ok(2)]);

        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async { herald.start() });
        drop(runtime);
        let (waiting, askers) = batch(3);
        herald.tell(waiting);
        let told: Vec<_> = askers.into_iter().map(|asker| asker.blocking_recv()).collect();
        assert_eq!(told, [Ok(0), Ok(1), Ok(2)], "its runtime has gone");
    }
}

//! Changes whose client does not wait any more. A client that hangs up must not decide how much of
//! a change happens, so its request runs on as a task of its own, to its end.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::runtime::Handle;
use tokio::sync::Notify;

/// The changes that run on without a client.
#[derive(Debug, Default)]
pub struct Abandoned {
    running: AtomicUsize,
    ended: Notify,
}

impl Abandoned {
    /// Waits until none is running.
    pub async fn finished(&self) {
        loop {
            let ended = self.ended.notified();
            if self.running.load(Ordering::SeqCst) == 0 {
                return;
            }
            ended.await;
        }
    }
}

/// One that is running.
struct Running(Arc<Abandoned>);

impl Running {
    fn begin(all: &Arc<Abandoned>) -> Self {
        all.running.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(all))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
        self.0.ended.notify_waiters();
    }
}

/// A change that runs to its end though its client leaves: dropped half way, it goes on as a task.
/// While its client waits it costs no task: nearly all wait, on the hottest path.
pub(crate) struct Completed<T: Send + 'static> {
    /// `None` once it has ended, by its result or by a panic.
    work: Option<BoxFuture<'static, T>>,
    abandoned: Arc<Abandoned>,
}

impl<T: Send + 'static> Completed<T> {
    pub(crate) fn new(work: BoxFuture<'static, T>, abandoned: &Arc<Abandoned>) -> Self {
        Self { work: Some(work), abandoned: Arc::clone(abandoned) }
    }
}

impl<T: Send + 'static> Future for Completed<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        // Out of its place meanwhile: what has panicked must not be polled again.
        let mut work = self.work.take().expect("not polled after its end");
        let polled = work.as_mut().poll(context);
        if polled.is_pending() {
            self.work = Some(work);
        }
        polled
    }
}

impl<T: Send + 'static> Drop for Completed<T> {
    fn drop(&mut self) {
        let Some(work) = self.work.take() else { return };
        // Without a runtime the process is at its end, and the change with it.
        let Ok(runtime) = Handle::try_current() else { return };
        let running = Running::begin(&self.abandoned);
        runtime.spawn(async move {
            if let Err(panic) = AssertUnwindSafe(work).catch_unwind().await {
                log_panic(&*panic);
            }
            drop(running);
        });
    }
}

/// Says in the log that a handler panicked, and with which words.
pub(crate) fn log_panic(panic: &(dyn std::any::Any + Send)) {
    let said = panic.downcast_ref::<&str>().copied();
    let said = said.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(panic = said.unwrap_or("of an unknown kind"), "a handler panicked");
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    fn dropped_half_way(
        work: impl Future<Output = ()> + Send + 'static,
        abandoned: &Arc<Abandoned>,
    ) {
        let mut completed = Completed::new(Box::pin(work), abandoned);
        assert!((&mut completed).now_or_never().is_none(), "it waits");
    }

    #[tokio::test]
    async fn what_is_dropped_half_way_goes_on_to_its_end() {
        let abandoned = Arc::<Abandoned>::default();
        let (go, wait) = oneshot::channel::<()>();
        let (tell, told) = oneshot::channel();
        let work = async move {
            wait.await.expect("the test says go");
            tell.send("done").expect("the test waits");
        };
        dropped_half_way(work, &abandoned);
        assert!(abandoned.finished().now_or_never().is_none(), "it still runs");
        go.send(()).expect("it still waits");
        assert_eq!(told.await, Ok("done"));
        abandoned.finished().await;
    }

    #[tokio::test]
    async fn what_panics_after_its_client_left_harms_nobody() {
        let abandoned = Arc::<Abandoned>::default();
        let (go, wait) = oneshot::channel::<()>();
        let work = async move {
            wait.await.expect("the test says go");
            panic!("a planted one");
        };
        dropped_half_way(work, &abandoned);
        go.send(()).expect("it still waits");
        abandoned.finished().await;
    }

    #[tokio::test]
    async fn what_panicked_before_its_client_left_is_not_run_again() {
        let abandoned = Arc::<Abandoned>::default();
        let mut completed: Completed<()> =
            Completed::new(Box::pin(async { panic!("a planted one") }), &abandoned);
        let panicked = AssertUnwindSafe(&mut completed).catch_unwind().await;
        assert!(panicked.is_err());
        drop(completed);
        assert!(abandoned.finished().now_or_never().is_some(), "nothing runs");
    }

    #[test]
    fn without_a_runtime_it_is_given_up() {
        let abandoned = Arc::<Abandoned>::default();
        dropped_half_way(std::future::pending(), &abandoned);
        assert!(abandoned.finished().now_or_never().is_some());
    }
}

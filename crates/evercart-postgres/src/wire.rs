//! A connection whose bytes are moved by the task that uses it. A task of its own for that would be
//! woken twice for every call, which costs a lone client as much as the call itself.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;

use crate::connect::{Connection, explain};

/// The connection's end of the wire; nothing once it is lost.
pub(crate) struct Wire(Option<Pin<Box<Connection>>>);

impl Wire {
    pub(crate) fn new(connection: Connection) -> Self {
        Self(Some(Box::pin(connection)))
    }

    /// Goes on with `work`, and moves the bytes that it sends and waits for. If the connection is
    /// lost meanwhile, whoever uses its client is told so.
    pub(crate) async fn beside<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        poll_fn(|context| {
            if let Poll::Ready(value) = work.as_mut().poll(context) {
                return Poll::Ready(value);
            }
            let Some(connection) = &mut self.0 else { return Poll::Pending };
            if let Poll::Ready(end) = connection.as_mut().poll(context) {
                if let Err(error) = end {
                    let error = explain(&error);
                    tracing::warn!(error, "a connection to the database was lost");
                }
                // Dropped, so that the client hears of it.
                self.0 = None;
            }
            // What was just read may be what the work waits for.
            work.as_mut().poll(context)
        })
        .await
    }
}

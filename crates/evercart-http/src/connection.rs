//! A client's connection as its answers see it: which of them wait for the client to take more, and
//! a way to end it from outside. The socket itself is the program's, which asks here.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::Version;
use axum::response::Response;
use bytes::Bytes;
use futures_util::task::AtomicWaker;
use http_body::{Frame, SizeHint};

/// The most of an answer that is handed to an HTTP/2 connection at once, in bytes: the client takes
/// each piece in time, or the connection ends. As large as HTTP/2's usual frame.
const PIECE_BYTES_MAX: usize = 16 * 1024;

/// How many times the limit one answer may be left where it is while the client takes others. A
/// slow client that asks for a hundred at once needs that long for the last.
const LEFT_FOR_OTHERS: u32 = 10;

/// One connection. Requests carry it among their extensions.
#[derive(Debug, Default)]
pub struct Connection {
    is_cut: AtomicBool,
    task: AtomicWaker,
    /// How many are in `untaken`: most connections have none, and do not lock.
    count: AtomicUsize,
    untaken: Mutex<Untaken>,
}

#[derive(Debug, Default)]
struct Untaken {
    next: u64,
    /// Since when each waits; the oldest comes first.
    since: BTreeMap<u64, Instant>,
    /// When the client took something.
    progress: Option<Instant>,
}

impl Connection {
    /// Ends it: whoever serves it is woken, and drops what it holds.
    pub fn cut(&self) {
        self.is_cut.store(true, Ordering::SeqCst);
        self.task.wake();
    }

    /// True if it is to end. Otherwise the task is woken when it is.
    pub fn poll_cut(&self, context: &Context<'_>) -> bool {
        self.task.register(context.waker());
        self.is_cut.load(Ordering::SeqCst)
    }

    /// When the client has left its answers for too long, if it takes nothing until then; `None`
    /// while nothing waits for it. `limit` is how long it may take nothing at all.
    pub fn overdue_at(&self, limit: Duration) -> Option<Instant> {
        if self.count.load(Ordering::SeqCst) == 0 {
            return None;
        }
        let untaken = self.lock();
        let (_, oldest) = untaken.since.first_key_value()?;
        let progress = untaken.progress.unwrap_or(*oldest).max(*oldest);
        Some((progress + limit).min(*oldest + limit * LEFT_FOR_OTHERS))
    }

    /// From now on until the result is dropped, the client is waited for.
    fn wait(self: &Arc<Self>) -> Waits {
        let mut untaken = self.lock();
        let id = untaken.next;
        untaken.next += 1;
        untaken.since.insert(id, Instant::now());
        self.count.store(untaken.since.len(), Ordering::SeqCst);
        drop(untaken);
        Waits { connection: Arc::clone(self), id }
    }

    fn lock(&self) -> MutexGuard<'_, Untaken> {
        self.untaken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Something waits for the client.
#[derive(Debug)]
struct Waits {
    connection: Arc<Connection>,
    id: u64,
}

impl Drop for Waits {
    fn drop(&mut self) {
        let mut untaken = self.connection.lock();
        untaken.since.remove(&self.id);
        untaken.progress = Some(Instant::now());
        self.connection.count.store(untaken.since.len(), Ordering::SeqCst);
    }
}

/// The connection of a request whose answer is to be paced: on HTTP/1 a client that takes nothing
/// blocks the socket, on HTTP/2 it can leave one answer where it is and take others.
pub(crate) fn to_pace(request: &Request) -> Option<Arc<Connection>> {
    let is_shared = request.version() == Version::HTTP_2;
    is_shared.then(|| of(request)).flatten()
}

/// The connection a request came on; none in a test without a socket.
pub(crate) fn of(request: &Request) -> Option<Arc<Connection>> {
    request.extensions().get().cloned()
}

/// Has it noted what of an answer the client has taken.
pub(crate) fn pace(response: Response, connection: &Arc<Connection>) -> Response {
    if response.body().is_end_stream() {
        return response;
    }
    let connection = Arc::clone(connection);
    response.map(|inner| {
        let turn = Some(connection.wait());
        Body::new(Paced { inner, left: Bytes::new(), turn, connection })
    })
}

/// A body of which every piece is waited for.
struct Paced {
    inner: Body,
    /// What is left of the inner body's last frame.
    left: Bytes,
    connection: Arc<Connection>,
    /// While the client is to take what came before; nothing while the inner body has no more yet.
    turn: Option<Waits>,
}

impl Paced {
    fn piece(&mut self) -> Frame<Bytes> {
        let bytes = self.left.split_to(self.left.len().min(PIECE_BYTES_MAX));
        let piece = Piece { bytes, _waits: self.connection.wait() };
        self.turn = Some(self.connection.wait());
        Frame::data(Bytes::from_owner(piece))
    }
}

impl HttpBody for Paced {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        while self.left.is_empty() {
            self.turn = None;
            match ready!(Pin::new(&mut self.inner).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.left = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                other => return Poll::Ready(other),
            }
        }
        Poll::Ready(Some(Ok(self.piece())))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (left, inner) = (self.left.len() as u64, self.inner.size_hint());
        let mut hint = SizeHint::new();
        hint.set_lower(inner.lower() + left);
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper + left);
        }
        hint
    }
}

/// Bytes that were handed to the connection. They are dropped once they are on their way.
struct Piece {
    bytes: Bytes,
    _waits: Waits,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::task::Waker;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(30);

    fn polled(body: &mut Body) -> Option<Bytes> {
        match Pin::new(body).poll_frame(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Some(frame)) => frame.expect("no error").into_data().ok(),
            _ => None,
        }
    }

    fn paced(body: Body, connection: &Arc<Connection>) -> Body {
        pace(Response::new(body), connection).into_body()
    }

    #[test]
    fn every_piece_of_an_answer_is_waited_for_until_it_is_on_its_way() {
        let connection = Arc::<Connection>::default();
        let whole: Vec<u8> = (0..PIECE_BYTES_MAX * 2 + 5).map(|n| n as u8).collect();
        let mut body = paced(Body::from(whole.clone()), &connection);
        assert_eq!(body.size_hint().exact(), Some(whole.len() as u64));
        assert!(connection.overdue_at(LIMIT).is_some(), "it waits to be asked for");
        let pieces: Vec<_> = std::iter::from_fn(|| polled(&mut body)).collect();
        assert_eq!(pieces.concat(), whole);
        assert_eq!(pieces.iter().map(Bytes::len).max(), Some(PIECE_BYTES_MAX));
        assert!(body.is_end_stream());
        drop(body);
        assert!(connection.overdue_at(LIMIT).is_some(), "the pieces are still here");
        drop(pieces);
        assert_eq!(connection.overdue_at(LIMIT), None);
    }

    #[test]
    fn a_client_is_not_waited_for_while_there_is_nothing_to_take() {
        let connection = Arc::<Connection>::default();
        let quiet = futures_util::stream::pending::<Result<Bytes, Infallible>>();
        let mut body = paced(Body::from_stream(quiet), &connection);
        assert_eq!(polled(&mut body), None);
        assert_eq!(connection.overdue_at(LIMIT), None);
    }

    #[test]
    fn who_takes_others_has_longer_for_one_but_not_for_ever() {
        let connection = Arc::<Connection>::default();
        let begun = Instant::now();
        let _left = connection.wait();
        let first = connection.overdue_at(LIMIT).expect("one waits");
        assert!(first >= begun + LIMIT);
        drop(connection.wait());
        let after_progress = connection.overdue_at(LIMIT).expect("one waits");
        assert!(after_progress >= first);
        connection.lock().progress = Some(begun + LIMIT * 1_000);
        let last = connection.overdue_at(LIMIT).expect("one waits");
        assert_eq!(last.duration_since(first), LIMIT * (LEFT_FOR_OTHERS - 1));
    }
}

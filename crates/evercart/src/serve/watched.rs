//! A client's socket, watched: it is let in if there is room for it, and ends when its client takes
//! nothing of what is sent for too long, or when the server says so.

use std::future::{Ready, ready};
use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::Extension;
use axum::middleware::AddExtension;
use axum_server::accept::Accept;
use evercart_http::{Connection, Connections, OpenConnection};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;
use tower::Layer;

/// Watches every connection of a listener.
#[derive(Clone)]
pub struct Watch {
    /// Where to look for room; `None` has room for all.
    pub connections: Option<Arc<Connections>>,
    /// How long a client may take nothing of what is sent.
    pub send_timeout: Duration,
}

impl Watch {
    fn begin(&self, socket: TcpStream) -> io::Result<Watched> {
        // Answers are small and written once: waiting for more to send only adds latency.
        socket.set_nodelay(true)?;
        let peer = socket.peer_addr()?.ip();
        let place = self.connections.as_ref().map(|connections| connections.enter(peer));
        let place = place.transpose().map_err(|_| io::Error::other("there is no room for it"))?;
        let connection = Arc::<Connection>::default();
        let (blocked_since, alarm, send_timeout) = (None, None, self.send_timeout);
        Ok(Watched { socket, connection, send_timeout, blocked_since, alarm, _place: place })
    }
}

impl<S> Accept<TcpStream, S> for Watch {
    type Stream = Watched;
    type Service = AddExtension<S, Arc<Connection>>;
    type Future = Ready<io::Result<(Watched, Self::Service)>>;

    fn accept(&self, socket: TcpStream, service: S) -> Self::Future {
        ready(self.begin(socket).map(|watched| {
            let service = Extension(Arc::clone(&watched.connection)).layer(service);
            (watched, service)
        }))
    }
}

/// A socket with its place among the open connections.
pub struct Watched {
    socket: TcpStream,
    connection: Arc<Connection>,
    /// How long the client may take nothing.
    send_timeout: Duration,
    /// Since when the socket has taken nothing of what was to be sent.
    blocked_since: Option<Instant>,
    /// Wakes the task when the client is overdue, or before. None while it never was late.
    alarm: Option<Pin<Box<Sleep>>>,
    _place: Option<OpenConnection>,
}

impl Watched {
    /// Has the task woken when the connection is to end; an error if it is already.
    fn poll_end(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        if self.connection.poll_cut(context) {
            return Err(io::Error::new(ErrorKind::ConnectionAborted, "ended by the server"));
        }
        let blocked = self.blocked_since.map(|since| since + self.send_timeout);
        let untaken = self.connection.overdue_at(self.send_timeout);
        let Some(overdue_at) = [blocked, untaken].into_iter().flatten().min() else {
            return Ok(());
        };
        loop {
            if Instant::now() >= overdue_at {
                return Err(io::Error::new(ErrorKind::TimedOut, "the client takes nothing"));
            }
            let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep_until(overdue_at)));
            // One that is set for earlier stays: setting it anew for every answer costs more.
            if alarm.deadline() > overdue_at.into() {
                alarm.as_mut().reset(overdue_at.into());
            }
            if alarm.as_mut().poll(context).is_pending() {
                return Ok(());
            }
            alarm.as_mut().reset(overdue_at.into());
        }
    }

    fn after_write(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.blocked_since = None;
        } else {
            self.blocked_since.get_or_insert_with(Instant::now);
            self.poll_end(context)?;
        }
        written
    }
}

fn sleep_until(at: Instant) -> Sleep {
    tokio::time::sleep_until(at.into())
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.socket).poll_read(context, buffer);
        if read.is_pending() {
            self.poll_end(context)?;
        }
        read
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write(context, bytes);
        self.after_write(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write_vectored(context, bytes);
        self.after_write(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}

//! A listening socket, plain or TLS, and how connections on it are treated.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum_server::Handle;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use rustix::net::sockopt::set_socket_send_buffer_size;
use tokio::task::JoinHandle;

use crate::config::Server;
use crate::failure::Failure;

use super::tls;
use super::watched::Watch;

/// How long a client may take to send a request's head, and how long an idle connection is kept.
/// Slow clients on bad networks need some; a connection held open on purpose gets no more.
const HEADER_READ_TIMEOUT: Duration = Duration::from_secs(30);

/// How often a quiet HTTP/2 connection is asked whether anybody is there.
const HTTP2_PING_INTERVAL: Duration = Duration::from_secs(30);

/// Requests one HTTP/2 connection may have open; the usual number (RFC 9113 section 6.5.2).
const HTTP2_STREAMS_MAX: u32 = 100;

/// The most of a request's head, in bytes; more gets a 431. A browser sends one or two kilobytes, a
/// client with a token and long queries not ten. It is also what an HTTP/1 connection reads and
/// writes at once.
const HEAD_BYTES_MAX: usize = 32 * 1024;

/// What an HTTP/2 connection takes of bodies that nobody has read yet, in bytes: one whole, and
/// four.
const HTTP2_STREAM_WINDOW: u32 = 64 * 1024;
const HTTP2_CONNECTION_WINDOW: u32 = 4 * HTTP2_STREAM_WINDOW;

/// What the system keeps of answers for a client that is slower than the server, in bytes. Left to
/// itself it would be up to 4 MiB a connection, and a client that takes some of that steadily would
/// look like one that takes nothing.
const SEND_BUFFER_BYTES: usize = 64 * 1024;

/// A socket that is bound but not served yet: connections wait.
pub struct Listener {
    socket: TcpListener,
    /// Where it listens; the port is the real one.
    pub address: SocketAddr,
    /// How it encrypts, if it does.
    pub tls: Option<RustlsConfig>,
}

impl Listener {
    /// The public listener.
    ///
    /// # Errors
    /// The address cannot be bound, or certificate and key cannot be used.
    pub fn public(server: &Server) -> anyhow::Result<Self> {
        let tls = server.tls.as_ref().map(tls::load).transpose()?.map(RustlsConfig::from_config);
        Ok(Self { tls, ..Self::bind(server.listen, "--listen 127.0.0.1:0 picks a free port")? })
    }

    /// The internal listener; `None` if it is off.
    ///
    /// # Errors
    /// The address cannot be bound, unless it is only the default.
    pub fn internal(server: &Server) -> anyhow::Result<Option<Self>> {
        let Some(address) = server.internal_listen else { return Ok(None) };
        let hint = "set server.internal_listen to another address, or to off";
        match Self::bind(address, hint) {
            Ok(listener) => Ok(Some(listener)),
            // Nobody asked for this port: a second shop on one machine must start all the same.
            Err(error) if !server.internal_listen_is_wanted => {
                tracing::warn!("no metrics: {error}; {hint}");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn bind(address: SocketAddr, hint: &str) -> anyhow::Result<Self> {
        let refused = |error: std::io::Error| match error.kind() {
            ErrorKind::AddrInUse => {
                Failure::new(format!("{address} is in use by another program")).hint(hint)
            }
            ErrorKind::PermissionDenied => {
                Failure::new(format!("{address} cannot be used: {error}"))
                    .hint("ports below 1024 need a privilege; use a higher one behind a proxy")
            }
            ErrorKind::AddrNotAvailable => {
                Failure::new(format!("{address} is not an address of this machine"))
                    .hint("0.0.0.0 listens on all of its addresses, 127.0.0.1 on loopback only")
            }
            _ => Failure::new(format!("cannot listen on {address}: {error}")),
        };
        let socket = TcpListener::bind(address).map_err(refused)?;
        // Each connection begins with it.
        set_socket_send_buffer_size(&socket, SEND_BUFFER_BYTES)
            .context("cannot bound the socket's buffer")?;
        let address = socket.local_addr().context("cannot tell the port that was picked")?;
        Ok(Self { socket, address, tls: None })
    }

    /// True if it speaks HTTPS.
    pub fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// Where clients find it.
    pub fn url(&self) -> String {
        let scheme = if self.is_tls() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Serves until `handle` says otherwise.
    ///
    /// # Errors
    /// The socket cannot be used.
    pub fn serve(
        self,
        router: Router,
        watch: Watch,
        handle: Handle<SocketAddr>,
    ) -> anyhow::Result<JoinHandle<std::io::Result<()>>> {
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let server = axum_server::from_tcp(self.socket).context("cannot use the socket")?;
        let mut server = server
            .handle(handle)
            .first_request_timeout(HEADER_READ_TIMEOUT)
            .accept_error_handler(|peer, error| tracing::debug!(?peer, %error, "not accepted"));
        let http = server.http_builder();
        http.http1().header_read_timeout(HEADER_READ_TIMEOUT).max_buf_size(HEAD_BYTES_MAX);
        http.http2()
            .keep_alive_interval(HTTP2_PING_INTERVAL)
            .max_header_list_size(HEAD_BYTES_MAX as u32)
            .max_send_buf_size(HEAD_BYTES_MAX)
            .initial_stream_window_size(HTTP2_STREAM_WINDOW)
            .initial_connection_window_size(HTTP2_CONNECTION_WINDOW)
            .max_concurrent_streams(HTTP2_STREAMS_MAX);
        Ok(match self.tls {
            Some(tls) => {
                let acceptor = RustlsAcceptor::new(tls).acceptor(watch);
                tokio::spawn(server.acceptor(acceptor).serve(service))
            }
            None => tokio::spawn(server.acceptor(watch).serve(service)),
        })
    }
}

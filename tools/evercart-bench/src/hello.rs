//! The reference: the program's HTTP stack with its settings, answering the same 300 bytes of JSON
//! to everybody. What it reaches is the ceiling of every handler on this machine.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use axum_server::accept::{TcpConfigAcceptor, TcpSocketConfig};

/// As in the program.
const HEADER_READ_TIMEOUT: Duration = Duration::from_secs(30);
const BODY_BYTES: usize = 300;

/// Serves until it is killed.
///
/// # Errors
/// If it cannot listen.
pub fn serve(listen: SocketAddr) -> Result<()> {
    let socket = TcpListener::bind(listen).with_context(|| format!("cannot listen on {listen}"))?;
    socket.set_nonblocking(true)?;
    let address = socket.local_addr()?;
    let body: &'static str = Box::leak(body().into_boxed_str());
    let answer = move || async move { ([(CONTENT_TYPE, "application/json")], body) };
    let router = Router::new().route("/", get(answer));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let tcp = TcpConfigAcceptor::new(TcpSocketConfig::new().nodelay(true));
        let mut server = axum_server::from_tcp(socket)?.acceptor(tcp);
        server.http_builder().http1().header_read_timeout(HEADER_READ_TIMEOUT);
        println!("hello listening on http://{address}");
        server.serve(router.into_make_service()).await
    })?;
    Ok(())
}

fn body() -> String {
    let frame = r#"{"text":""}"#.len();
    format!(r#"{{"text":"{}"}}"#, "x".repeat(BODY_BYTES - frame))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_answers_300_bytes_of_json() {
        assert_eq!(body().len(), 300);
        assert!(serde_json::from_str::<serde_json::Value>(&body()).is_ok());
    }
}

//! The origin that a client reached us by, for addresses that have to be whole. They are put into
//! pages and pasted into shells, so only what is plain is repeated.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderMap, header};

use crate::Shop;
use crate::client_ip::is_proxy;

/// The longest host with a port (RFC 1035 section 2.3.4 and five digits).
const HOST_MAX: usize = 255 + 6;

/// Scheme and host of the address that the client used, such as `https://shop.example`; of a
/// request that names no host, those of this machine.
pub(crate) fn of(request: &Request, shop: &Shop) -> String {
    named(request, shop).unwrap_or_else(|| format!("{}://localhost", scheme(request, shop)))
}

/// The same, or `None` if the request names no host, or one that holds anything but a name or an
/// address with a port.
pub(crate) fn named(request: &Request, shop: &Shop) -> Option<String> {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    // HTTP/2 has the host in the request's own address.
    let host = host.or_else(|| Some(request.uri().authority()?.as_str()))?;
    is_host(host).then(|| format!("{}://{host}", scheme(request, shop)))
}

/// What a trusted proxy says that it was reached by, or what we are.
fn scheme(request: &Request, shop: &Shop) -> &'static str {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let forwarded = peer.filter(|peer| is_proxy(*peer, shop));
    let forwarded = forwarded.and_then(|_| forwarded_scheme(request.headers()));
    forwarded.unwrap_or(if shop.strict_transport.is_some() { "https" } else { "http" })
}

/// What the proxies say the client came by. Of several, the first was the nearest to the client.
fn forwarded_scheme(headers: &HeaderMap) -> Option<&'static str> {
    let value = headers.get("x-forwarded-proto")?.to_str().ok()?;
    let first = value.split(',').next()?.trim();
    ["https", "http"].into_iter().find(|scheme| first.eq_ignore_ascii_case(scheme))
}

/// True for a name, an IPv4 address or an IPv6 address in brackets, with a port or without one.
/// None of its characters means anything to HTML or to a shell.
fn is_host(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, rest)) => {
            let is_address = address.bytes().all(|b| b.is_ascii_hexdigit() || b".:".contains(&b));
            (is_address.then_some(address), rest)
        }
        None => {
            let (name, port) = text.split_at(text.find(':').unwrap_or(text.len()));
            let is_name = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
            (is_name.then_some(name), port)
        }
    };
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    text.len() <= HOST_MAX
        && host.is_some_and(|host| host.bytes().any(|b| b.is_ascii_alphanumeric() || b == b':'))
        && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_letters_digits_and_a_port() {
        for host in
            ["shop.example", "localhost:8080", "127.0.0.1", "[::1]:8080", "[2001:db8::7]", "a_b-c"]
        {
            assert!(is_host(host), "{host}");
        }
        let long = "a".repeat(HOST_MAX + 1);
        for other in [
            "",
            ":80",
            ".",
            "shop.example:",
            "shop.example:80:80",
            "shop.example:8o",
            "user@shop.example",
            "shop.example/path",
            "\"><script>",
            "$(reboot)",
            "a;b",
            "a b",
            "a'b",
            "a`b",
            "[::1",
            "[]",
            "[::1]x",
            "[::1]:",
            "[$IFS]",
            "мир.example",
            &long,
        ] {
            assert!(!is_host(other), "{other}");
        }
    }
}

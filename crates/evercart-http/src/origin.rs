//! The origin that a client reached us by, for addresses that have to be whole.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Request};
use axum::http::header;

use crate::Shop;

/// Scheme and host of the address that the client used, such as `https://shop.example`. A trusted
/// proxy says in `X-Forwarded-Proto` whether it was reached by HTTPS. A host that holds anything
/// but a name or an address with a port is not repeated.
pub(crate) fn of(request: &Request, shop: &Shop) -> String {
    let is_secure = shop.strict_transport.is_some()
        || comes_from_proxy(request, shop)
            && request.headers().get("x-forwarded-proto").is_some_and(|proto| proto == "https");
    let scheme = if is_secure { "https" } else { "http" };
    let named = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    // HTTP/2 has the host in the request's own address.
    let host = named.or_else(|| request.uri().authority().map(|authority| authority.as_str()));
    let host = host.filter(|host| is_plain(host)).unwrap_or("localhost");
    format!("{scheme}://{host}")
}

fn comes_from_proxy(request: &Request, shop: &Shop) -> bool {
    request.extensions().get::<ConnectInfo<SocketAddr>>().is_some_and(|ConnectInfo(peer)| {
        let peer = peer.ip().to_canonical();
        shop.trusted_proxies.iter().any(|net| net.contains(&peer))
    })
}

/// Letters, digits and the marks of names, ports and IPv6 addresses (RFC 3986 section 3.2.2):
/// nothing that could end a string, a tag or the host itself.
fn is_plain(host: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    !host.is_empty() && host.len() <= 255 && host.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::is_plain;

    #[test]
    fn only_names_addresses_and_ports_are_repeated() {
        for host in ["shop.example", "127.0.0.1:8080", "[::1]:8080", "my_shop"] {
            assert!(is_plain(host), "{host}");
        }
        for host in ["", "a\"b", "a<b", "a b", "user@host", "host/path", "a'b", "é.example"] {
            assert!(!is_plain(host), "{host}");
        }
    }
}

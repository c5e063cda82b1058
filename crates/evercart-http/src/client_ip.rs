//! Whose address a request is counted under: the rightmost hop that is not a trusted proxy.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use evercart_core::code::{Hasher, KeyedHash};
use evercart_core::sign_in::Budget;
use ipnet::IpNet;

use crate::Shop;
use crate::code::HOUR;

/// How many times an address's limit the /56 around an IPv6 address has: what a household usually
/// gets from its provider, with 256 networks that each count as an address.
const WIDE_TIMES: u32 = 2;

/// The same for the /48: what anybody can have for the asking, with 65,536 such networks. Four
/// times the default of an address is an eighth of what a market sends.
const WIDEST_TIMES: u32 = 4;

/// What a request's address is counted under, as text.
#[derive(Clone)]
pub(crate) struct ClientIp {
    /// The address, or its network, as [`counted`] says.
    pub(crate) address: String,
    /// The networks around it, from the narrow to the wide.
    wider: Vec<Wider>,
}

#[derive(Clone)]
struct Wider {
    network: String,
    /// What codes asked for and wrong codes from it are counted as.
    scopes: [&'static str; 2],
    times: u32,
}

/// What is counted of an address.
#[derive(Clone, Copy)]
pub(crate) enum Counted {
    /// Codes asked for.
    Sends,
    /// Wrong codes.
    Failures,
}

impl ClientIp {
    fn of(ip: IpAddr) -> Self {
        let wider = match ip {
            IpAddr::V4(_) => Vec::new(),
            IpAddr::V6(_) => vec![
                Wider {
                    network: network(ip, 56).to_string(),
                    scopes: ["send_ip_56", "fail_ip_56"],
                    times: WIDE_TIMES,
                },
                Wider {
                    network: network(ip, 48).to_string(),
                    scopes: ["send_ip_48", "fail_ip_48"],
                    times: WIDEST_TIMES,
                },
            ],
        };
        Self { address: counted(ip), wider }
    }

    /// The address as the store knows it.
    pub(crate) fn hash(&self, hasher: &Hasher) -> KeyedHash {
        hasher.subject("ip", &self.address)
    }

    /// The budgets of an hour, of the address and the networks around it, if an address has
    /// `limit`.
    pub(crate) fn budgets(&self, hasher: &Hasher, what: Counted, limit: u32) -> Vec<Budget> {
        let (of_address, which) = match what {
            Counted::Sends => ("send_ip", 0),
            Counted::Failures => ("fail_ip", 1),
        };
        let hourly = |scope, network: &str, limit| Budget {
            scope,
            subject: hasher.subject("ip", network),
            limit,
            reserved: 0,
            window: HOUR,
        };
        let mut budgets = vec![hourly(of_address, &self.address, limit)];
        budgets.extend(self.wider.iter().map(|wider| {
            hourly(wider.scopes[which], &wider.network, limit.saturating_mul(wider.times))
        }));
        budgets
    }
}

impl FromRequestParts<Arc<Shop>> for ClientIp {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, shop: &Arc<Shop>) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        // A peer without an address (a Unix socket) shares one budget with its like.
        let peer = peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        warn_of_unknown_proxy(peer, &parts.headers, shop);
        Ok(Self::of(client_ip(peer, &parts.headers, &shop.trusted_proxies)))
    }
}

/// A proxy that nobody has told us of makes all customers share the limits of one address. Anybody
/// can send the header, so it is said once, and says no more than what to look at.
fn warn_of_unknown_proxy(peer: IpAddr, headers: &HeaderMap, shop: &Shop) {
    if is_proxy(peer, shop) || !headers.contains_key("x-forwarded-for") {
        return;
    }
    shop.noticed.unknown_proxy(peer.to_canonical());
}

/// True for a peer whose word about its own clients is believed.
pub(crate) fn is_proxy(peer: IpAddr, shop: &Shop) -> bool {
    let peer = peer.to_canonical();
    shop.trusted_proxies.iter().any(|net| net.contains(&peer))
}

/// The client's address, as far as it can be trusted. `X-Forwarded-For` is looked at only if the
/// peer is a trusted proxy, and only from the right up to the first hop that is not: what is left
/// of that, the client may have made up.
fn client_ip(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |ip: &IpAddr| trusted.iter().any(|net| net.contains(ip));
    let mut nearest = peer.to_canonical();
    let hops = headers.get_all("x-forwarded-for");
    // A header may be repeated; the later one was added nearer to us.
    let values: Vec<_> = hops.iter().filter_map(|value| value.to_str().ok()).collect();
    for hop in values.iter().rev().flat_map(|value| value.rsplit(',')) {
        if !is_trusted(&nearest) {
            break;
        }
        match parse_hop(hop) {
            Some(ip) => nearest = ip,
            None => break,
        }
    }
    nearest
}

fn parse_hop(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim();
    let bracketed = hop.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let ip = bracketed.unwrap_or(hop).parse::<IpAddr>();
    let ip = ip.or_else(|_| hop.parse::<SocketAddr>().map(|address| address.ip()));
    ip.ok().map(|ip| ip.to_canonical())
}

/// What is counted: an IPv4 address, or the /64 that an IPv6 customer usually has to themselves.
fn counted(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(_) => network(ip, 64).to_string(),
    }
}

/// What an address's connections are counted under, each with how many times an address's limit it
/// has: the IPv4 address, or the IPv6 /64 and the networks around it.
pub(crate) fn networks(ip: IpAddr) -> Vec<(IpNet, u32)> {
    match ip {
        IpAddr::V4(_) => vec![(network(ip, 32), 1)],
        IpAddr::V6(_) => vec![
            (network(ip, 64), 1),
            (network(ip, 56), WIDE_TIMES),
            (network(ip, 48), WIDEST_TIMES),
        ],
    }
}

/// The network of this many bits that an address is in.
fn network(ip: IpAddr, bits: u8) -> IpNet {
    IpNet::new(ip, bits).expect("a constant no longer than its kind of address").trunc()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, forwarded: &[&str]) -> String {
        let trusted = ["10.0.0.0/8".parse().expect("a net"), "fd00::/8".parse().expect("a net")];
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().expect("a value"));
        }
        counted(client_ip(peer.parse().expect("an address"), &headers, &trusted))
    }

    #[test]
    fn a_client_cannot_choose_its_address() {
        assert_eq!(seen("203.0.113.9", &["198.51.100.1"]), "203.0.113.9");
        assert_eq!(seen("10.0.0.1", &["1.2.3.4, 198.51.100.1"]), "198.51.100.1");
        assert_eq!(seen("10.0.0.1", &["1.2.3.4", "198.51.100.1, 10.0.0.2"]), "198.51.100.1");
    }

    #[test]
    fn odd_forwarding_ends_at_the_last_hop_that_is_known() {
        assert_eq!(seen("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(seen("10.0.0.1", &["1.2.3.4, unknown"]), "10.0.0.1");
        assert_eq!(seen("10.0.0.1", &["unknown, 10.0.0.2"]), "10.0.0.2");
        assert_eq!(seen("10.0.0.1", &["10.0.0.3, 10.0.0.2"]), "10.0.0.3");
    }

    #[test]
    fn ports_brackets_and_mapped_addresses_are_the_address() {
        assert_eq!(seen("::ffff:10.0.0.1", &["198.51.100.1:4711"]), "198.51.100.1");
        assert_eq!(seen("fd00::1", &["[2001:db8::7]:443"]), "2001:db8::/64");
        assert_eq!(seen("fd00::1", &["[2001:db8::7]"]), "2001:db8::/64");
    }

    #[test]
    fn the_networks_around_an_ipv6_customer_are_counted_too() {
        let hasher = Hasher::new(&[7; 32]);
        let budgets = |ip: &str| {
            let ip = ClientIp::of(ip.parse().expect("an address"));
            ip.budgets(&hasher, Counted::Sends, 30)
        };
        let here = budgets("2001:db8:1:203::1");
        let limits: Vec<_> = here.iter().map(|budget| (budget.scope, budget.limit)).collect();
        assert_eq!(limits, [("send_ip", 30), ("send_ip_56", 60), ("send_ip_48", 120)]);
        for (other, shared) in [
            ("2001:db8:1:203::2", [true, true, true]),
            ("2001:db8:1:204::1", [false, true, true]),
            ("2001:db8:1:303::1", [false, false, true]),
            ("2001:db8:2:203::1", [false, false, false]),
        ] {
            let both = here.iter().zip(budgets(other));
            let same: Vec<_> = both.map(|(a, b)| a.subject == b.subject).collect();
            assert_eq!(same, shared, "{other}");
        }
        assert_eq!(budgets("192.0.2.1").len(), 1);
    }

    #[test]
    fn an_ipv6_customer_is_counted_by_network() {
        assert_eq!(seen("2001:db8:1:2:3:4:5:6", &[]), seen("2001:db8:1:2::9", &[]));
        assert_ne!(seen("2001:db8:1:2::1", &[]), seen("2001:db8:1:3::1", &[]));
    }
}

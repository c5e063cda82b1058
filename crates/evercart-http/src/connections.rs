//! How many connections are open, in all and from one address. What is more than that is not
//! served, so that nobody takes the places of all others.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ipnet::IpNet;

use crate::client_ip;
use crate::metrics::Metrics;
use crate::tally::Tally;

/// The open connections of a server's public listener.
#[derive(Debug)]
pub struct Connections {
    most: usize,
    most_of_address: usize,
    /// Peers that many customers come through.
    trusted_proxies: Vec<IpNet>,
    metrics: Arc<Metrics>,
    refused: Arc<Tally>,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    all: usize,
    /// By the address, or by the networks around an IPv6 one.
    of_network: HashMap<IpNet, usize>,
}

/// There is no room for a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionRefused {
    /// Too many are open.
    All,
    /// Too many are open from its address.
    Address,
}

impl ConnectionRefused {
    fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Address => "address",
        }
    }
}

impl Connections {
    /// Room for `most` at once, and for `most_of_address` from one address: an IPv4 address or an
    /// IPv6 /64; the /56 and /48 around it have twice and four times as many. Loopback and
    /// `trusted_proxies` are not counted by address.
    pub fn new(
        most: usize,
        most_of_address: usize,
        trusted_proxies: Vec<IpNet>,
        metrics: Arc<Metrics>,
    ) -> Arc<Self> {
        let (refused, open) = (Arc::default(), Mutex::default());
        Arc::new(Self { most, most_of_address, trusted_proxies, metrics, refused, open })
    }

    /// Makes room for a connection from `peer`, until the result is dropped. To be called in a
    /// runtime.
    ///
    /// # Errors
    /// There is none.
    pub fn enter(self: &Arc<Self>, peer: IpAddr) -> Result<OpenConnection, ConnectionRefused> {
        self.admit(peer).inspect_err(|why| {
            self.metrics.connection_refused(why.as_str());
            self.refused.add(|refused| {
                tracing::warn!(
                    refused,
                    "connections were refused: see server.connections_max, \
                     server.connections_per_address_max and \
                     evercart_connections_refused_total"
                );
            });
        })
    }

    fn admit(self: &Arc<Self>, peer: IpAddr) -> Result<OpenConnection, ConnectionRefused> {
        let peer = peer.to_canonical();
        let counted = match self.is_exempt(peer) {
            true => Vec::new(),
            false => client_ip::networks(peer),
        };
        let mut open = self.lock();
        if open.all >= self.most {
            return Err(ConnectionRefused::All);
        }
        let is_full = |&(network, times): &(IpNet, u32)| {
            let of_network = open.of_network.get(&network).copied().unwrap_or_default();
            of_network >= self.most_of_address.saturating_mul(times as usize)
        };
        if counted.iter().any(is_full) {
            return Err(ConnectionRefused::Address);
        }
        open.all += 1;
        let counted: Vec<_> = counted.into_iter().map(|(network, _)| network).collect();
        for network in &counted {
            *open.of_network.entry(*network).or_default() += 1;
        }
        drop(open);
        Ok(OpenConnection { connections: Arc::clone(self), counted })
    }

    fn is_exempt(&self, peer: IpAddr) -> bool {
        peer.is_loopback() || self.trusted_proxies.iter().any(|net| net.contains(&peer))
    }

    /// How many are open.
    pub(crate) fn count(&self) -> usize {
        self.lock().all
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection's place among the open ones.
#[derive(Debug)]
pub struct OpenConnection {
    connections: Arc<Connections>,
    counted: Vec<IpNet>,
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        let mut open = self.connections.lock();
        open.all -= 1;
        for network in &self.counted {
            if let Some(count) = open.of_network.get_mut(network) {
                *count -= 1;
                if *count == 0 {
                    open.of_network.remove(network);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exposition::Exposition;

    fn connections(most: usize, most_of_address: usize) -> Arc<Connections> {
        let proxies = vec!["10.0.0.0/8".parse().expect("a net")];
        Connections::new(most, most_of_address, proxies, Arc::default())
    }

    fn enter(
        connections: &Arc<Connections>,
        peer: &str,
    ) -> Result<OpenConnection, ConnectionRefused> {
        connections.enter(peer.parse().expect("an address"))
    }

    #[tokio::test]
    async fn one_address_does_not_take_the_places_of_others() {
        let connections = connections(100, 2);
        let first = enter(&connections, "203.0.113.9").expect("room");
        let _second = enter(&connections, "::ffff:203.0.113.9").expect("room");
        let refused = enter(&connections, "203.0.113.9");
        assert_eq!(refused.err(), Some(ConnectionRefused::Address));
        let _other = enter(&connections, "203.0.113.10").expect("room for others");
        drop(first);
        let _again = enter(&connections, "203.0.113.9").expect("room again");
        assert_eq!(connections.count(), 3);
        let text = connections.metrics.text(Exposition::Text).expect("text");
        let line = "evercart_connections_refused_total{reason=\"address\"} 1";
        assert!(text.lines().any(|found| found == line), "{text}");
    }

    #[tokio::test]
    async fn the_networks_around_an_ipv6_address_have_a_limit_too() {
        let connections = connections(100, 2);
        let mut open: Vec<_> = ["2001:db8:1:203::1", "2001:db8:1:203::2", "2001:db8:1:204::1"]
            .map(|peer| enter(&connections, peer).expect("room"))
            .into();
        let refused = enter(&connections, "2001:db8:1:203::3");
        assert_eq!(refused.err(), Some(ConnectionRefused::Address), "a /64");
        open.push(enter(&connections, "2001:db8:1:205::1").expect("room"));
        let refused = enter(&connections, "2001:db8:1:206::1");
        assert_eq!(refused.err(), Some(ConnectionRefused::Address), "a /56");
        for net in 3..7 {
            let peer = format!("2001:db8:1:{net}00::1");
            open.push(enter(&connections, &peer).expect("room"));
        }
        let refused = enter(&connections, "2001:db8:1:900::1");
        assert_eq!(refused.err(), Some(ConnectionRefused::Address), "a /48");
        let _elsewhere = enter(&connections, "2001:db8:2::1").expect("room for others");
        drop(open);
        assert_eq!(connections.lock().of_network.len(), 3, "nothing is kept of who has gone");
    }

    #[tokio::test]
    async fn loopback_and_trusted_proxies_are_counted_in_all_only() {
        let connections = connections(6, 1);
        let peers = ["127.0.0.1", "127.0.0.1", "::1", "::1", "10.1.2.3", "10.1.2.3"];
        let open = peers.map(|peer| enter(&connections, peer).expect("room"));
        for peer in ["127.0.0.1", "10.1.2.3", "203.0.113.9"] {
            assert_eq!(enter(&connections, peer).err(), Some(ConnectionRefused::All), "{peer}");
        }
        drop(open);
        assert!(enter(&connections, "203.0.113.9").is_ok());
    }
}

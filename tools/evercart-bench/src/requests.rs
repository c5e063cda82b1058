//! The requests of each kind of cell, written ahead as far as they can be.

use std::net::SocketAddr;

use crate::load::Requests;
use crate::random::Random;
use crate::shop::Shop;

/// `GET /` of the reference.
pub struct Hello(Vec<u8>);

impl Hello {
    /// For a server at `address`.
    pub fn new(address: SocketAddr) -> Self {
        Self(format!("GET / HTTP/1.1\r\nHost: {address}\r\n\r\n").into_bytes())
    }
}

impl Requests for Hello {
    fn next(&mut self, request: &mut Vec<u8>) -> bool {
        request.extend_from_slice(&self.0);
        true
    }
}

/// `GET /cart` of customers in no order.
pub struct CartReads {
    requests: Vec<Vec<u8>>,
    random: Random,
}

impl CartReads {
    /// For a server at `address`.
    pub fn new(shop: &Shop, address: SocketAddr) -> Self {
        let request = |token: &str| {
            let head = format!("GET /cart HTTP/1.1\r\nHost: {address}\r\n");
            format!("{head}Authorization: Bearer {token}\r\n\r\n").into_bytes()
        };
        let requests = shop.customers.iter().map(|customer| request(&customer.token)).collect();
        Self { requests, random: Random::new(1) }
    }
}

impl Requests for CartReads {
    fn next(&mut self, request: &mut Vec<u8>) -> bool {
        let index = self.random.below(self.requests.len());
        request.extend_from_slice(&self.requests[index]);
        true
    }
}

/// `POST /cart/items`, one piece each, no customer and SKU twice: every add makes a line, but for
/// the few SKUs that the filled carts have.
pub struct Adds {
    heads: Vec<Vec<u8>>,
    tails: Vec<Vec<u8>>,
    /// Coprime to the number of customers, so that they come in no order of rows.
    stride: usize,
    sent: usize,
    /// Where it ends.
    until: usize,
    /// How many were sent for each customer.
    pub added: Vec<u64>,
}

impl Adds {
    /// For a server at `address`.
    pub fn new(shop: &Shop, address: SocketAddr) -> Self {
        let head = |token: &str| {
            let head = format!("POST /cart/items HTTP/1.1\r\nHost: {address}\r\n");
            format!("{head}Authorization: Bearer {token}\r\n").into_bytes()
        };
        let tail = |sku: &u64| {
            let body = format!(r#"{{"sku_id":{sku},"quantity":1}}"#);
            let length = body.len();
            format!("Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}")
                .into_bytes()
        };
        let users = shop.customers.len();
        Self {
            heads: shop.customers.iter().map(|customer| head(&customer.token)).collect(),
            tails: shop.skus.iter().map(tail).collect(),
            stride: coprime_stride(users),
            sent: 0,
            until: users * shop.skus.len(),
            added: vec![0; users],
        }
    }

    /// Leaves out the first `sent`, and ends after `count` more: customers come one after the
    /// other, so that nobody is met twice before everyone was met once.
    #[must_use]
    pub fn part(mut self, sent: usize, count: usize) -> Self {
        self.until = self.until.min(sent + count);
        self.sent = sent;
        self
    }

    /// Starts over when every customer and SKU were together, and so makes lines longer.
    #[must_use]
    pub fn without_end(mut self) -> Self {
        self.until = usize::MAX;
        self
    }

    /// The places of the customers who are met first.
    pub fn met_first(&self, count: usize) -> Vec<usize> {
        let users = self.heads.len();
        (self.sent..self.sent + count.min(users)).map(|sent| self.customer(sent)).collect()
    }

    fn customer(&self, sent: usize) -> usize {
        sent % self.heads.len() * self.stride % self.heads.len()
    }
}

impl Requests for Adds {
    fn next(&mut self, request: &mut Vec<u8>) -> bool {
        if self.sent == self.until {
            return false;
        }
        let round = self.sent / self.heads.len();
        let customer = self.customer(self.sent);
        let sku = (round + customer) % self.tails.len();
        request.extend_from_slice(&self.heads[customer]);
        request.extend_from_slice(&self.tails[sku]);
        self.added[customer] += 1;
        self.sent += 1;
        true
    }
}

/// A step that visits everyone before it visits anybody twice.
pub fn coprime_stride(users: usize) -> usize {
    let divisor = |mut a: usize, mut b: usize| {
        while b > 0 {
            (a, b) = (b, a % b);
        }
        a
    };
    // A large prime first; 1 always fits.
    [7919, 7907, 7901, 1].into_iter().find(|stride| divisor(*stride, users) == 1).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_customer_and_sku_come_twice() {
        let mut adds = Adds {
            heads: (0..10).map(|user: u8| vec![user]).collect(),
            tails: (0..7).map(|sku: u8| vec![sku]).collect(),
            stride: coprime_stride(10),
            sent: 0,
            until: 70,
            added: vec![0; 10],
        };
        let mut seen = HashSet::new();
        let mut request = Vec::new();
        while adds.next(&mut request) {
            assert!(seen.insert(std::mem::take(&mut request)), "one came twice");
        }
        assert_eq!(seen.len(), 70);
        assert_eq!(adds.added, [7; 10]);
        let mut adds = adds.without_end();
        assert!(adds.next(&mut request), "it starts over");
        assert!(seen.contains(&request));
    }

    #[test]
    fn a_stride_visits_everyone() {
        for users in [1, 40, 7919, 7919 * 2, 10_000] {
            let stride = coprime_stride(users);
            let visited: HashSet<_> = (0..users).map(|place| place * stride % users).collect();
            assert_eq!(visited.len(), users);
        }
    }
}

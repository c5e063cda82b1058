//! Devices that watch a cart: what comes on the stream is written down, and at the end a stream
//! must tell of every change within a bound that is far beyond what it may take.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use rand::RngExt;
use rand::rngs::StdRng;
use tokio::time::timeout;

use super::{Customer, Device, Shared, Token};
use crate::client::{self, Letter};
use crate::history::{CartSeen, Event};
use crate::wire;

/// How long a listener waits for a stream to begin.
const PATIENCE: Duration = Duration::from_secs(8);
/// A change that is not told for so long on a stream that stays open is lost.
const TOLD_WITHIN: Duration = Duration::from_secs(30);
/// Changes that a stream must tell of at the end.
const CHANGES: usize = 3;

/// An open stream.
struct Stream<'a> {
    shared: &'a Shared,
    customer: &'a Customer,
    token: Token,
    number: u32,
    server: usize,
    opened: u64,
    body: Incoming,
    text: String,
    _connection: Box<dyn Send>,
}

impl<'a> Stream<'a> {
    async fn open(
        shared: &'a Shared,
        customer: &'a Customer,
        token: Token,
        server: usize,
    ) -> Option<Self> {
        let opened = shared.world.now();
        let letter = Letter::new("GET", "/cart/events", None).token(&token.text);
        let address = shared.world.address(server, false);
        let (response, connection) = client::stream(address, &letter, PATIENCE).await.ok()?;
        if response.status() != 200 {
            return None;
        }
        let number = shared.streams.fetch_add(1, Ordering::Relaxed);
        let body = response.into_body();
        let (text, _connection) = (String::new(), connection);
        Some(Self { shared, customer, token, number, server, opened, body, text, _connection })
    }

    /// The next cart that is told. None when the stream has ended.
    async fn next(&mut self) -> Option<CartSeen> {
        loop {
            if let Some(end) = self.text.find("\n\n") {
                let event: String = self.text.drain(..end + 2).collect();
                if let Some(cart) = self.cart(&event) {
                    return Some(cart);
                }
                continue;
            }
            let data: Bytes = self.body.frame().await?.ok()?.into_data().ok()?;
            self.text.push_str(&String::from_utf8_lossy(&data));
        }
    }

    fn cart(&self, event: &str) -> Option<CartSeen> {
        let is_cart = event.lines().any(|line| line.trim_end() == "event: cart");
        let data = event.lines().find_map(|line| line.strip_prefix("data:"))?;
        if !is_cart {
            return None;
        }
        let mut flaws = Vec::new();
        let json = serde_json::from_str(data).ok()?;
        let reader = self.customer.reader(Some(&self.token));
        let cart = wire::cart(reader, &json, &mut flaws)?;
        let event = Event {
            customer: self.customer.number,
            stream: self.number,
            server: u8::try_from(self.server).expect("there are few servers"),
            token: self.token.id,
            opened: self.opened,
            heard: self.shared.world.now(),
            cart: cart.clone(),
            flaws,
        };
        self.shared.events.lock().expect("nobody panics with it").push(event);
        Some(cart)
    }
}

/// Watches carts until the run is over.
pub async fn listen(shared: Arc<Shared>, customers: Vec<Arc<Customer>>, mut rng: StdRng) {
    while !shared.world.is_over() {
        let customer = &customers[rng.random_range(0..customers.len())];
        let server = rng.random_range(0..shared.world.places.len());
        let time = Duration::from_millis(rng.random_range(500..6_000));
        if let Some(token) = customer.newest_token()
            && let Some(mut stream) = Stream::open(&shared, customer, token, server).await
        {
            // It ends when there has been enough of it.
            let _ = timeout(time, async { while stream.next().await.is_some() {} }).await;
        }
        // poll: most customers have no token for a while
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A stream, asked for again while it is refused.
async fn open_in_time<'a>(
    device: &mut Device,
    shared: &'a Shared,
    customer: &'a Customer,
    server: usize,
) -> Option<Stream<'a>> {
    let begun = Instant::now();
    while begun.elapsed() < TOLD_WITHIN {
        let token = device.sign_in().await?;
        if let Some(stream) = Stream::open(shared, customer, token, server).await {
            return Some(stream);
        }
        device.rest().await;
    }
    None
}

/// When all is quiet: changes on one server must be told on a stream of another. Returns how long
/// that took, and complains if it did not happen.
pub async fn hears_of_changes(shared: &Arc<Shared>, customer: &Arc<Customer>) -> Vec<Duration> {
    let mut device = Device::that_looks(shared, customer, Instant::now() + 3 * TOLD_WITHIN);
    let mut took = Vec::new();
    for server in 0..shared.world.places.len() {
        let Some(mut stream) = open_in_time(&mut device, shared, customer, server).await else {
            let (who, bound) = (customer.number, TOLD_WITHIN.as_secs());
            shared.world.complain(format!(
                "U4 broken: customer {who} got no stream of events for {bound} s, though nothing \
                 was disturbed"
            ));
            return took;
        };
        for _ in 0..CHANGES {
            let Some(version) = device.add_one().await else { continue };
            let changed = Instant::now();
            let told = async {
                while let Some(cart) = stream.next().await {
                    if cart.version >= version {
                        return true;
                    }
                }
                false
            };
            match timeout(TOLD_WITHIN, told).await {
                Ok(true) => took.push(changed.elapsed()),
                // It may end, when there are too many; then nothing is promised.
                Ok(false) => break,
                Err(_) => {
                    let (who, bound) = (customer.number, TOLD_WITHIN.as_secs());
                    shared.world.complain(format!(
                        "U4 broken: a stream of server {server} did not tell customer {who} of \
                         version {version} of the cart within {bound} s, and did not end"
                    ));
                    return took;
                }
            }
        }
    }
    took
}

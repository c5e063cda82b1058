//! The floods themselves: each thread of one does the same again and again until it is over, and
//! counts what it is answered with. Nothing that a flood meets is an error.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{Read, Write};
use std::iter::Sum;
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::server::Client;

/// Whom a flood is let loose on, and what its customers have.
pub struct Target<'a> {
    /// Where the server listens.
    pub address: SocketAddr,
    /// Of the customers who flood.
    pub tokens: Vec<&'a str>,
    /// Something there is plenty of.
    pub sku: u64,
    /// True when it is to end.
    pub is_over: &'a AtomicBool,
}

impl Target<'_> {
    fn goes_on(&self) -> bool {
        !self.is_over.load(Ordering::Relaxed)
    }

    fn token(&self, thread: usize) -> &str {
        self.tokens[thread % self.tokens.len()]
    }
}

/// Statuses, and how often; 0 where there was no answer.
#[derive(Default)]
pub struct Counts(BTreeMap<u16, u64>);

impl Counts {
    fn count(&mut self, status: u16) {
        *self.0.entry(status).or_default() += 1;
    }
}

impl Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        let mut sum = Self::default();
        for (status, count) in all.flat_map(|counts| counts.0) {
            *sum.0.entry(status).or_default() += count;
        }
        sum
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |(status, count): (&u16, &u64)| match status {
            0 => format!("{count} × no answer"),
            status => format!("{count} × {status}"),
        };
        f.write_str(&self.0.iter().map(text).collect::<Vec<_>>().join(", "))
    }
}

/// One of the ways to be a burden.
pub struct Flood {
    /// For the table.
    pub name: &'static str,
    /// How many do it at once.
    pub threads: usize,
    /// What each of them does until it is over.
    pub run: fn(&Target<'_>, usize) -> Counts,
}

/// All of them.
pub const FLOODS: [Flood; 9] = [
    Flood { name: "search", threads: 8, run: search },
    Flood { name: "exports that are read", threads: 8, run: read_exports },
    Flood { name: "exports that are not read", threads: 8, run: leave_exports },
    Flood { name: "idempotency keys", threads: 4, run: keys },
    Flood { name: "orders", threads: 4, run: orders },
    Flood { name: "hoarding", threads: 4, run: hoard },
    Flood { name: "streams that are not read", threads: 4, run: streams },
    Flood { name: "unfinished heads", threads: 4, run: heads },
    Flood { name: "anonymous refusals", threads: 8, run: anonymous },
];

/// The body of an order of these items.
pub fn order(items: &str) -> String {
    format!(
        "{{\"items\":[{items}],\"use_cart\":false,\"customer_name\":\"Jo\",\
         \"delivery_address\":\"1 Main Street\",\"payment_method\":\"cash\"}}"
    )
}

/// Asks on one connection, and on another where that one ends.
fn ask_again_and_again(
    target: &Target<'_>,
    mut next: impl FnMut(u64) -> (&'static str, String, Option<String>),
    token: Option<&str>,
) -> Counts {
    let (mut counts, mut client, mut number) = (Counts::default(), None, 0);
    while target.goes_on() {
        if client.is_none() {
            client = Client::connect(target.address).ok();
        }
        let Some(open) = &mut client else {
            counts.count(0);
            thread::sleep(Duration::from_millis(10));
            continue;
        };
        let (method, path, body) = next(number);
        number += 1;
        match open.ask(method, &path, token, body.as_deref()) {
            Ok((status, _)) => counts.count(status),
            Err(_) => {
                counts.count(0);
                client = None;
            }
        }
    }
    counts
}

/// Many short words: once the same, once different ones.
fn search(target: &Target<'_>, _: usize) -> Counts {
    let same = ["p"; 49].join("+");
    let different: Vec<_> = ('a'..='z').map(String::from).collect();
    let different = different.join("+");
    let next = |number| {
        let words = match number % 2 {
            0 => &same,
            _ => &different,
        };
        ("GET", format!("/products?search={words}&limit=100"), None)
    };
    ask_again_and_again(target, next, None)
}

fn anonymous(target: &Target<'_>, _: usize) -> Counts {
    ask_again_and_again(target, |_| ("GET", "/cart".to_owned(), None), None)
}

fn keys(target: &Target<'_>, thread: usize) -> Counts {
    let (path, body) = match thread % 2 {
        0 => ("/cart/items", format!("{{\"sku_id\":{},\"quantity\":1}}", target.sku)),
        _ => ("/wishlist/items", "{\"product_id\":15}".to_owned()),
    };
    let token = target.token(0);
    let mut counts = Counts::default();
    let mut number = 0_u64;
    while target.goes_on() {
        let Ok(mut stream) = connect(target) else {
            counts.count(0);
            continue;
        };
        while target.goes_on() {
            number += 1;
            let request = format!(
                "POST {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\n\
                 Idempotency-Key: {thread}-{number}-{}\r\nContent-Type: application/json\r\n\
                 Content-Length: {}\r\n\r\n{body}",
                target.address,
                "k".repeat(200),
                body.len()
            );
            match exchange(&mut stream, &request) {
                Some(status) => counts.count(status),
                None => break,
            }
        }
    }
    counts
}

fn orders(target: &Target<'_>, _: usize) -> Counts {
    let body = order(&format!("{{\"sku_id\":{},\"quantity\":1}}", target.sku));
    let next = |_| ("POST", "/orders".to_owned(), Some(body.clone()));
    ask_again_and_again(target, next, Some(target.token(0)))
}

fn hoard(target: &Target<'_>, _: usize) -> Counts {
    let body = order(&format!("{{\"sku_id\":{},\"quantity\":999}}", target.sku));
    let next = |_| ("POST", "/orders".to_owned(), Some(body.clone()));
    ask_again_and_again(target, next, Some(target.token(0)))
}

fn read_exports(target: &Target<'_>, thread: usize) -> Counts {
    let mut counts = Counts::default();
    while target.goes_on() {
        let Ok(mut stream) = ask_for(target, "/auth/export", thread) else {
            counts.count(0);
            continue;
        };
        let (mut head, mut part) = (Vec::new(), [0; 16 * 1024]);
        while let Ok(bytes) = stream.read(&mut part)
            && bytes > 0
        {
            if head.len() < 16 {
                head.extend_from_slice(&part[..bytes.min(16)]);
            }
        }
        counts.count(status(&head));
    }
    counts
}

/// Asks and never reads, on more and more connections.
fn leave_exports(target: &Target<'_>, thread: usize) -> Counts {
    leave(target, "/auth/export", thread, 40)
}

fn streams(target: &Target<'_>, thread: usize) -> Counts {
    leave(target, "/cart/events", thread, 60)
}

/// Opens so many connections, and new ones where the server has closed one.
fn leave(target: &Target<'_>, path: &str, thread: usize, most: usize) -> Counts {
    let (mut counts, mut open) = (Counts::default(), Vec::new());
    while target.goes_on() {
        if open.len() < most {
            match ask_for(target, path, thread) {
                Ok(stream) => open.push(stream),
                Err(_) => counts.count(0),
            }
        } else {
            thread::sleep(Duration::from_millis(50));
        }
    }
    for mut stream in open {
        let mut head = [0; 16];
        let read = stream.read(&mut head).unwrap_or(0);
        counts.count(status(&head[..read]));
    }
    counts
}

/// Beginnings of requests that go on for as long as the server listens to them.
fn heads(target: &Target<'_>, _: usize) -> Counts {
    let (mut counts, mut open) = (Counts::default(), Vec::new());
    let line = format!("X-Filler: {}\r\n", "f".repeat(1_000));
    while target.goes_on() {
        if open.len() < 125
            && let Ok(mut stream) = connect(target)
            && write!(stream, "GET /cart HTTP/1.1\r\nHost: {}\r\n", target.address).is_ok()
        {
            open.push(stream);
        }
        let before = open.len();
        open.retain_mut(|stream| stream.write_all(line.as_bytes()).is_ok());
        for _ in open.len()..before {
            counts.count(0);
        }
    }
    counts
}

fn connect(target: &Target<'_>) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(target.address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.set_write_timeout(Some(Duration::from_millis(20)))?;
    Ok(stream)
}

/// Sends a question of a customer's whose answer is the connection's last.
fn ask_for(target: &Target<'_>, path: &str, thread: usize) -> std::io::Result<TcpStream> {
    let mut stream = connect(target)?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\r\n",
        target.address,
        target.token(thread)
    )?;
    Ok(stream)
}

/// Asks and reads one answer that fits into a few kilobytes; its status.
fn exchange(stream: &mut TcpStream, request: &str) -> Option<u16> {
    stream.write_all(request.as_bytes()).ok()?;
    let (mut answer, mut part) = (Vec::new(), [0; 16 * 1024]);
    loop {
        let bytes = stream.read(&mut part).ok().filter(|bytes| *bytes > 0)?;
        answer.extend_from_slice(&part[..bytes]);
        if let Some(answer) = crate::answer::parse(&answer).ok()? {
            return Some(answer.status);
        }
    }
}

fn status(head: &[u8]) -> u16 {
    let digits = head.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok());
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

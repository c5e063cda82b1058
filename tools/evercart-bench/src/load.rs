//! The load generator: one thread, one event loop, one request under way on each connection. It
//! shares the machine with the server, so it does as little as possible for each request.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use mio::event::Event;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::answer::{self, Answer};

/// How long to wait for the last answers after the end of a run.
const DRAIN_MAX: Duration = Duration::from_secs(30);

/// Where the requests of a run come from.
pub trait Requests {
    /// Appends the next request; false if there is none left.
    fn next(&mut self, request: &mut Vec<u8>) -> bool;
}

/// How hard and how long.
#[derive(Clone, Copy)]
pub struct Load {
    /// Whom to ask.
    pub address: SocketAddr,
    /// Keep-alive connections, each with one request under way.
    pub connections: usize,
    /// Not counted.
    pub warm_up: Duration,
    /// Counted.
    pub measure: Duration,
}

/// What a run gave.
pub struct Outcome {
    /// Answers within the counted time.
    pub answered: usize,
    /// The counted time.
    pub counted: Duration,
    /// Half of the counted answers came within this.
    pub p50: Duration,
    /// All but a hundredth of them.
    pub p99: Duration,
}

impl Outcome {
    /// Counted answers in a second.
    pub fn per_second(&self) -> f64 {
        self.answered as f64 / self.counted.as_secs_f64()
    }
}

/// Runs a load. `on_count` is called once when counting begins and once when it ends.
///
/// # Errors
/// If a connection fails, or any answer is not 2xx: then nothing else is worth counting.
pub fn run(load: Load, requests: &mut dyn Requests, mut on_count: impl FnMut()) -> Result<Outcome> {
    let mut generator = Generator::connect(load, requests)?;
    let begun = Instant::now();
    let count_from = begun + load.warm_up;
    while Instant::now() < count_from && generator.is_busy() {
        generator.turn(count_from)?;
    }
    generator.latencies_us.clear();
    on_count();
    let counted_from = Instant::now();
    let count_until = counted_from + load.measure;
    while Instant::now() < count_until && generator.is_busy() {
        generator.turn(count_until)?;
    }
    let counted = counted_from.elapsed();
    on_count();
    let mut latencies = std::mem::take(&mut generator.latencies_us);
    generator.is_over = true;
    let drain_until = Instant::now() + DRAIN_MAX;
    while generator.is_busy() {
        if Instant::now() > drain_until {
            bail!("no answer within {} s", DRAIN_MAX.as_secs());
        }
        generator.turn(drain_until)?;
    }
    let [p50, p99] = ranks(&mut latencies);
    Ok(Outcome { answered: latencies.len(), counted, p50, p99 })
}

/// Half of these came within the first, all but a hundredth within the second.
pub fn ranks(latencies_us: &mut [u32]) -> [Duration; 2] {
    latencies_us.sort_unstable();
    [0.5, 0.99].map(|share| {
        let index = (latencies_us.len() as f64 * share) as usize;
        let us = latencies_us.get(index.min(latencies_us.len().saturating_sub(1)));
        Duration::from_micros(us.copied().unwrap_or(0).into())
    })
}

struct Generator<'a> {
    poll: Poll,
    events: Events,
    connections: Vec<Connection>,
    requests: &'a mut dyn Requests,
    latencies_us: Vec<u32>,
    busy: usize,
    /// No more requests are sent.
    is_over: bool,
}

/// A connection with one request under way.
pub struct Connection {
    stream: TcpStream,
    /// What is sent, once it is written here.
    pub request: Vec<u8>,
    written: usize,
    answer: Vec<u8>,
    read: usize,
    /// When sending it began.
    pub sent_at: Instant,
}

impl<'a> Generator<'a> {
    fn connect(load: Load, requests: &'a mut dyn Requests) -> Result<Self> {
        let mut generator = Self {
            poll: Poll::new().context("cannot watch connections")?,
            events: Events::with_capacity(1024),
            connections: Vec::new(),
            requests,
            latencies_us: Vec::with_capacity(1 << 20),
            busy: 0,
            is_over: false,
        };
        for index in 0..load.connections {
            let mut connection = Connection::open(load.address, &generator.poll, index)?;
            if generator.requests.next(&mut connection.request) {
                connection.flush()?;
                generator.busy += 1;
            }
            generator.connections.push(connection);
        }
        Ok(generator)
    }

    fn is_busy(&self) -> bool {
        self.busy > 0
    }

    /// Waits for events, until `deadline` at most, and serves them.
    fn turn(&mut self, deadline: Instant) -> Result<()> {
        let wait = deadline.saturating_duration_since(Instant::now());
        match self.poll.poll(&mut self.events, Some(wait)) {
            Err(error) if error.kind() != ErrorKind::Interrupted => {
                return Err(error).context("cannot watch connections");
            }
            _ => {}
        }
        // The events are taken out while connections change.
        let events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        let outcome = events.iter().try_for_each(|event| self.serve(event));
        self.events = events;
        outcome
    }

    fn serve(&mut self, event: &Event) -> Result<()> {
        let connection = &mut self.connections[event.token().0];
        if event.is_writable() {
            connection.flush()?;
        }
        if !event.is_readable() {
            return Ok(());
        }
        let Some(answer) = connection.receive()? else { return Ok(()) };
        if !answer.is_success() {
            bail!("an answer was {} where 2xx is right: {}", answer.status, connection.said());
        }
        let waited = connection.sent_at.elapsed();
        self.latencies_us.push(u32::try_from(waited.as_micros()).unwrap_or(u32::MAX));
        connection.begin();
        if !self.is_over && self.requests.next(&mut connection.request) {
            connection.flush()
        } else {
            self.busy -= 1;
            Ok(())
        }
    }
}

impl Connection {
    /// Connects, with the number that the poll's events are to bear.
    ///
    /// # Errors
    /// If nobody listens, or there are too many connections.
    pub fn open(address: SocketAddr, poll: &Poll, number: usize) -> Result<Self> {
        let stream = std::net::TcpStream::connect(address)
            .with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        let interest = Interest::READABLE | Interest::WRITABLE;
        poll.registry().register(&mut stream, Token(number), interest)?;
        Ok(Self {
            stream,
            request: Vec::with_capacity(2048),
            written: 0,
            answer: vec![0; 16 * 1024],
            read: 0,
            sent_at: Instant::now(),
        })
    }

    /// Makes room for another request.
    pub fn begin(&mut self) {
        self.request.clear();
        self.written = 0;
    }

    /// Sends what is left of the request, as far as the socket takes it.
    ///
    /// # Errors
    /// If the server closed the connection.
    pub fn flush(&mut self) -> Result<()> {
        if self.written == 0 {
            self.sent_at = Instant::now();
        }
        while self.written < self.request.len() {
            match self.stream.write(&self.request[self.written..]) {
                Ok(bytes) => self.written += bytes,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error).context("the server closed the connection"),
            }
        }
        Ok(())
    }

    /// Reads on; the answer once it is there. Its bytes are there until the next one is read.
    ///
    /// # Errors
    /// If the connection ends, or the answer is not HTTP or not the only one.
    pub fn receive(&mut self) -> Result<Option<Answer>> {
        loop {
            if self.read == self.answer.len() {
                self.answer.resize(self.read * 2, 0);
            }
            match self.stream.read(&mut self.answer[self.read..]) {
                Ok(0) => bail!("the server closed the connection"),
                Ok(bytes) => self.read += bytes,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) => return Err(error).context("the connection broke"),
            }
            let Some(answer) = answer::parse(&self.answer[..self.read])? else { continue };
            if self.read > answer.end {
                bail!("the server sent {} bytes that were not asked for", self.read - answer.end);
            }
            self.read = 0;
            return Ok(Some(answer));
        }
    }

    /// The answer that was read last, for people.
    pub fn said(&self) -> String {
        let end = answer::parse(&self.answer).ok().flatten().map_or(0, |answer| answer.end);
        String::from_utf8_lossy(&self.answer[..end]).into_owned()
    }

    /// True if the answer that was read last has this line in its head, written in lower case.
    pub fn has_header(&self, answer: Answer, name: &str) -> bool {
        let head = &self.answer[..answer.body];
        head.split(|byte| *byte == b'\n').any(|line| {
            line.get(..name.len()).is_some_and(|have| have.eq_ignore_ascii_case(name.as_bytes()))
        })
    }
}

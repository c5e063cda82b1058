//! An open load: requests come at a rate that does not ask whether the server keeps up, as those of
//! many customers do who know nothing of each other. Some are refused, and that is counted.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use mio::{Events, Poll};

use crate::load::{Connection, Requests, ranks};

/// The longest that the generator waits for answers before it looks what is to be sent: requests
/// come in small crowds, once in this time.
const TICK: Duration = Duration::from_millis(1);

/// How long to wait for the last answers after the end of a run.
const DRAIN_MAX: Duration = Duration::from_secs(30);

/// How many requests, for how long.
#[derive(Clone, Copy)]
pub struct Rush {
    /// Whom to ask.
    pub address: SocketAddr,
    /// Requests in a second.
    pub per_second: f64,
    /// The most that are under way at once; what would be more is not sent, but counted.
    pub connections: usize,
    /// Not counted.
    pub warm_up: Duration,
    /// Counted.
    pub measure: Duration,
}

/// What came of it within the counted time.
pub struct Outcome {
    /// The counted time.
    pub counted: Duration,
    /// Requests that were sent.
    pub sent: usize,
    /// Requests for which there was no connection.
    pub unsent: usize,
    /// How long each 2xx took, in microseconds.
    pub accepted_us: Vec<u32>,
    /// How long each refusal took: a 503 that says when to come again.
    pub refused_us: Vec<u32>,
    /// All that were accepted, also while nothing was counted.
    pub accepted_in_all: u64,
}

impl Outcome {
    /// A count as a rate.
    pub fn rate(&self, count: usize) -> f64 {
        count as f64 / self.counted.as_secs_f64()
    }

    /// Half of those accepted came within the first, all but a hundredth within the second.
    pub fn accepted(&mut self) -> [Duration; 2] {
        ranks(&mut self.accepted_us)
    }

    /// The same of those refused.
    pub fn refused(&mut self) -> [Duration; 2] {
        ranks(&mut self.refused_us)
    }
}

/// Runs it.
///
/// # Errors
/// If a connection fails, an answer does not come, or one is neither a 2xx nor a refusal as it
/// should be.
pub fn run(rush: Rush, requests: &mut dyn Requests) -> Result<Outcome> {
    let mut generator = Generator::connect(rush, requests)?;
    let begun = Instant::now();
    generator.offer(begun, begun + rush.warm_up)?;
    generator.outcome.sent = 0;
    generator.outcome.unsent = 0;
    generator.outcome.accepted_us.clear();
    generator.outcome.refused_us.clear();
    let counted_from = Instant::now();
    generator.offer(counted_from, counted_from + rush.measure)?;
    let counted = counted_from.elapsed();
    let (accepted, refused) =
        (generator.outcome.accepted_us.len(), generator.outcome.refused_us.len());
    let drain_until = Instant::now() + DRAIN_MAX;
    while generator.idle.len() < generator.connections.len() {
        if Instant::now() > drain_until {
            bail!("no answer within {} s", DRAIN_MAX.as_secs());
        }
        generator.turn(TICK)?;
    }
    let mut outcome = generator.outcome;
    outcome.counted = counted;
    outcome.accepted_us.truncate(accepted);
    outcome.refused_us.truncate(refused);
    Ok(outcome)
}

struct Generator<'a> {
    poll: Poll,
    events: Events,
    connections: Vec<Connection>,
    /// Those with nothing under way.
    idle: Vec<usize>,
    requests: &'a mut dyn Requests,
    per_second: f64,
    outcome: Outcome,
}

impl<'a> Generator<'a> {
    fn connect(rush: Rush, requests: &'a mut dyn Requests) -> Result<Self> {
        let poll = Poll::new().context("cannot watch connections")?;
        let connections = (0..rush.connections)
            .map(|number| Connection::open(rush.address, &poll, number))
            .collect::<Result<Vec<_>>>()?;
        Ok(Self {
            poll,
            events: Events::with_capacity(1024),
            idle: (0..connections.len()).collect(),
            connections,
            requests,
            per_second: rush.per_second,
            outcome: Outcome {
                counted: Duration::ZERO,
                sent: 0,
                unsent: 0,
                accepted_us: Vec::with_capacity(1 << 20),
                refused_us: Vec::with_capacity(1 << 20),
                accepted_in_all: 0,
            },
        })
    }

    /// Sends what is due from `begun` on, until it is over.
    fn offer(&mut self, begun: Instant, until: Instant) -> Result<()> {
        let mut offered = 0;
        loop {
            let now = Instant::now();
            if now >= until {
                return Ok(());
            }
            let due = ((now - begun).as_secs_f64() * self.per_second) as usize;
            for _ in offered..due {
                self.send()?;
            }
            offered = due.max(offered);
            self.turn(TICK)?;
        }
    }

    fn send(&mut self) -> Result<()> {
        let Some(number) = self.idle.pop() else {
            self.outcome.unsent += 1;
            return Ok(());
        };
        let connection = &mut self.connections[number];
        connection.begin();
        if !self.requests.next(&mut connection.request) {
            bail!("there are no more requests: measure for a shorter time, or with more --users");
        }
        self.outcome.sent += 1;
        connection.flush()
    }

    /// Takes the answers that are there, and waits for some if there are none.
    fn turn(&mut self, wait: Duration) -> Result<()> {
        match self.poll.poll(&mut self.events, Some(wait)) {
            Err(error) if error.kind() != std::io::ErrorKind::Interrupted => {
                return Err(error).context("cannot watch connections");
            }
            _ => {}
        }
        for event in &self.events {
            let number = event.token().0;
            let connection = &mut self.connections[number];
            if event.is_writable() {
                connection.flush()?;
            }
            if !event.is_readable() {
                continue;
            }
            let Some(answer) = connection.receive()? else { continue };
            let took = u32::try_from(connection.sent_at.elapsed().as_micros()).unwrap_or(u32::MAX);
            if answer.is_success() {
                self.outcome.accepted_us.push(took);
                self.outcome.accepted_in_all += 1;
            } else if answer.status == 503 && connection.has_header(answer, "retry-after:") {
                self.outcome.refused_us.push(took);
            } else {
                let said = connection.said();
                bail!("an answer was neither a 2xx nor a 503 with Retry-After: {said}");
            }
            self.idle.push(number);
        }
        Ok(())
    }
}

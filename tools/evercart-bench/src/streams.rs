//! Streams of cart events that wait: what each costs the server in memory, and whether a change of
//! a cart is seen by its listener within a second.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::Value;

use crate::machine::{self, Memory};
use crate::report::{Bounds, Row, Spread, Unit};
use crate::server::{Client, Server};
use crate::shop::{Customer, Shop};

/// A change must be seen within this.
const SEEN_MAX: Duration = Duration::from_secs(1);

/// How long anything is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// Customers who change their carts at the same moment.
const CHANGERS: usize = 4;

/// Files of this process besides the streams.
const OTHER_FILES: u64 = 128;

/// Opens a stream for each of `count` customers, measures, and then changes every cart.
///
/// # Errors
/// If the system gives too few files, an answer is wrong, or a listener does not see its change in
/// time.
pub fn rows(program: &Path, count: usize) -> Result<Vec<Row>> {
    make_room_for(count)?;
    let shop = Shop::fill(program, count, None)?;
    let stand = shop.copy()?;
    let server = stand.serve(&[])?;
    warm_up(&shop, &server)?;
    let before = memory(&server)?;
    let mut streams = Vec::with_capacity(count);
    for customer in &shop.customers {
        streams.push(Listener::open(server.address, customer)?);
    }
    let open = memory(&server)?;
    // What was needed to open them, and for the first look at every cart, is given back or not.
    thread::sleep(Duration::from_secs(3));
    let idle = memory(&server)?;
    eprintln!("{count} streams are open");
    let each = |bytes: fn(&Memory) -> u64, after: &Memory| {
        bytes(after).saturating_sub(bytes(&before)) as f64 / count as f64 / 1000.0
    };
    let resident = each(|memory| memory.resident_bytes, &idle);
    let anonymous = each(|memory| memory.anonymous_bytes, &idle);
    let at_once = each(|memory| memory.resident_bytes, &open);
    let detail = format!(
        "{anonymous:.1} kB of it anonymous; {at_once:.1} kB when the last was opened; the server \
         has {:.1} MB with all of them, {:.1} MB without; the sockets' buffers are the kernel's",
        idle.resident_bytes as f64 / 1e6,
        before.resident_bytes as f64 / 1e6,
    );
    let load = format!("{count} streams");
    let value = Spread::of([resident]).context("one value")?;
    let (measure, bounds) = ("resident memory of a stream that waits".to_owned(), None);
    let memory_row = Row { measure, load: load.clone(), value, unit: Unit::Kb, bounds, detail };

    let mut seen = change_all(&shop, &server, &mut streams)?;
    seen.sort_unstable();
    let (middle, last) = (seen[seen.len() / 2], seen[seen.len() - 1]);
    let late = seen.iter().filter(|one| **one > SEEN_MAX).count();
    ensure!(late == 0, "{late} of {count} changes were seen later than {SEEN_MAX:?}: {last:?}");
    let milliseconds = seen.iter().map(|one| one.as_secs_f64() * 1000.0);
    let value = Spread::of(milliseconds).context("there are listeners")?;
    let detail = format!(
        "from sending the add to reading the event, {CHANGERS} at once; half within {middle:.1?}, \
         all within {last:.1?}"
    );
    let (measure, bound) = ("add → event".to_owned(), SEEN_MAX.as_secs_f64() * 1000.0);
    let bounds = Some(Bounds { floor: bound, target: bound / 10.0 });
    let seen_row = Row { measure, load, value, unit: Unit::Ms, bounds, detail };
    drop(streams);
    server.stop()?;
    Ok(vec![memory_row, seen_row])
}

/// Every stream is an open file of the server and one of this process.
fn make_room_for(streams: usize) -> Result<()> {
    let wanted = streams as u64 + OTHER_FILES;
    let found = getrlimit(Resource::Nofile);
    if found.current.is_none_or(|current| current >= wanted) {
        return Ok(());
    }
    let raised = Rlimit { current: found.maximum, maximum: found.maximum };
    let enough = found.maximum.is_none_or(|maximum| maximum >= wanted);
    if !enough || setrlimit(Resource::Nofile, raised).is_err() {
        bail!(
            "{streams} streams need {wanted} open files: raise the limit with ulimit -n {wanted}"
        );
    }
    Ok(())
}

/// Has the server look at every cart once, so that what it keeps of the catalogue and of answers is
/// not taken for the streams'.
fn warm_up(shop: &Shop, server: &Server) -> Result<()> {
    let places: Vec<usize> = (0..shop.customers.len()).collect();
    shop.pieces(server.address, &places)?;
    thread::sleep(Duration::from_secs(1));
    Ok(())
}

fn memory(server: &Server) -> Result<Memory> {
    machine::memory(server.pid()).context("this system does not tell a process's memory")
}

/// Adds to every listener's cart; how long it took until each saw it.
fn change_all(shop: &Shop, server: &Server, streams: &mut [Listener]) -> Result<Vec<Duration>> {
    let sku = *shop.skus.last().context("the shop sells something")?;
    let body = format!("{{\"sku_id\":{sku},\"quantity\":1}}");
    let share = streams.len().div_ceil(CHANGERS);
    let change = |customers: &[Customer], streams: &mut [Listener]| {
        let mut client = Client::connect(server.address)?;
        let mut times = Vec::with_capacity(streams.len());
        for (customer, stream) in customers.iter().zip(streams) {
            let begun = Instant::now();
            let token = Some(customer.token.as_str());
            let (status, answer) = client.ask("POST", "/cart/items", token, Some(&body))?;
            ensure!(status == 200, "an add was answered with {status}");
            let version = serde_json::from_slice::<Value>(answer)?["version"].clone();
            let cart = stream.cart()?;
            times.push(begun.elapsed());
            ensure!(cart["version"] == version, "the event is of another version: {cart}");
            ensure!(cart["user_id"] == customer.user_id, "the event is another customer's: {cart}");
        }
        anyhow::Ok(times)
    };
    let seen: Result<Vec<_>> = thread::scope(|scope| {
        let parts = shop.customers.chunks(share).zip(streams.chunks_mut(share));
        let threads: Vec<_> = parts
            .map(|(customers, streams)| scope.spawn(move || change(customers, streams)))
            .collect();
        let join = |thread: thread::ScopedJoinHandle<'_, _>| {
            thread.join().expect("changing returns its errors")
        };
        threads.into_iter().map(join).collect()
    });
    Ok(seen?.concat())
}

/// A client's end of a stream.
struct Listener(BufReader<TcpStream>);

impl Listener {
    /// Opens a stream and reads the cart it begins with.
    fn open(address: SocketAddr, customer: &Customer) -> Result<Self> {
        let mut connection = TcpStream::connect(address)?;
        connection.set_read_timeout(Some(PATIENCE))?;
        write!(
            connection,
            "GET /cart/events HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\n\r\n",
            customer.token
        )?;
        let mut listener = Self(BufReader::with_capacity(2048, connection));
        let status = listener.line()?;
        ensure!(status.starts_with("HTTP/1.1 200 "), "GET /cart/events answered {status}");
        listener.cart()?;
        Ok(listener)
    }

    /// The next cart.
    fn cart(&mut self) -> Result<Value> {
        loop {
            // Sizes of chunks stand between the lines of events, and nothing else looks like data.
            let line = self.line()?;
            if let Some(data) = line.strip_prefix("data: ") {
                return serde_json::from_str(data).context("an event that is not JSON");
            }
            ensure!(!line.contains("signed_out"), "the stream ended: {line}");
        }
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        let bytes = self.0.read_line(&mut line).context("no event came")?;
        ensure!(bytes > 0, "the server ended the stream");
        Ok(line.trim_end().to_owned())
    }
}

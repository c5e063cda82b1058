//! What is measured: each measure runs its cells, ours and the reference's in turn, and makes its
//! rows of the table.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::cell::{self, Cell};
use crate::load::Load;
use crate::machine::{self, Memory};
use crate::pgbench::Length;
use crate::report::{Bounds, Row, Spread, Unit};
use crate::requests::{Adds, CartReads, Hello};
use crate::server::{Client, Server};
use crate::shop::Shop;
use crate::strace;

/// How much of everything.
pub struct Plan {
    /// Counted time of a cell.
    pub measure: Duration,
    /// Time before it that is not counted.
    pub warm_up: Duration,
    /// Loads for reads.
    pub read_connections: Vec<usize>,
    /// Loads for adds.
    pub add_connections: Vec<usize>,
    /// How often each cell is run.
    pub repeats: usize,
    /// How often the server is started to time it.
    pub starts: usize,
    /// Count the system calls of one more cell.
    pub strace: bool,
    /// Loads for reads and adds on PostgreSQL.
    pub postgres_connections: Vec<usize>,
    /// How long the reference on PostgreSQL is measured each time.
    pub pgbench: Length,
    /// How many customers there are in the end where growth is measured; none if it is not.
    pub growth_users: Option<usize>,
    /// The most requests under way where more come than can be answered: several times what is let
    /// in. None if that is not measured.
    pub overload_connections: Option<usize>,
    /// How many there are at the beginning.
    pub users: usize,
}

impl Plan {
    /// How many cells there are, for progress.
    pub fn cells(&self) -> usize {
        let pairs = self.read_connections.len() + self.add_connections.len();
        let postgres = self.postgres_connections.len() * crate::postgres::CELLS;
        let growth = self.growth_users.map_or(0, |_| crate::growth::CELLS);
        let overload = self.overload_connections.map_or(0, |_| crate::overload::CELLS);
        self.repeats * (2 * pairs + postgres + growth + overload)
    }

    /// The load of one cell.
    pub fn load(&self, server: &Server, connections: usize) -> Load {
        let (warm_up, measure) = (self.warm_up, self.measure);
        Load { address: server.address, connections, warm_up, measure }
    }
}

/// Tells a person on stderr how far the run is.
pub struct Progress {
    done: usize,
    all: usize,
}

impl Progress {
    /// Of `all` cells.
    pub fn new(all: usize) -> Self {
        Self { done: 0, all }
    }

    /// After a cell of ours.
    pub fn cell(&mut self, what: &str, connections: usize, cell: &Cell) {
        let (p50, p99) = (ms(cell.p50), ms(cell.p99));
        let figures = format!("{:.0}/s, p50 {p50:.2} ms, p99 {p99:.2} ms", cell.per_second);
        self.step(what, connections, &figures);
    }

    /// After any cell.
    pub fn step(&mut self, what: &str, connections: usize, figures: &str) {
        self.done += 1;
        let (done, all) = (self.done, self.all);
        eprintln!("[{done:>3}/{all}] {what}, {connections} connections: {figures}");
    }
}

/// `GET /cart` against the reference.
///
/// # Errors
/// If anything failed to run, or an answer was wrong.
pub fn reads(
    shop: &Shop,
    plan: &Plan,
    progress: &mut Progress,
) -> Result<(Vec<Row>, Option<Memory>)> {
    const BOUNDS: Bounds = Bounds { floor: 0.45, target: 0.60 };
    let data = shop.copy()?;
    let ours = data.serve(&[])?;
    let hello = Server::start_hello(data.path())?;
    let mut rows = Vec::new();
    for &connections in &plan.read_connections {
        let mut pairs = Vec::new();
        for _ in 0..plan.repeats {
            let mut requests = Hello::new(hello.address);
            let reference = cell::run(&hello, plan.load(&hello, connections), &mut requests)?;
            progress.cell("hello", connections, &reference);
            let mut requests = CartReads::new(shop, ours.address);
            let read = cell::run(&ours, plan.load(&ours, connections), &mut requests)?;
            progress.cell("GET /cart", connections, &read);
            pairs.push((read, reference));
        }
        rows.push(ratio_row("GET /cart ÷ hello", connections, &pairs, Some(BOUNDS))?);
    }
    let memory = machine::memory(ours.pid());
    ours.stop()?;
    Ok((rows, memory))
}

/// `POST /cart/items` against the same server with one operation a commit.
///
/// # Errors
/// If anything failed to run, an answer was wrong, or an acknowledged add is not there.
pub fn adds(shop: &Shop, plan: &Plan, progress: &mut Progress) -> Result<Vec<Row>> {
    const ONE_A_COMMIT: [(&str, &str); 1] = [("EVERCART_STORAGE__BATCH_MAX", "1")];
    let bounds = |connections| match connections {
        16 => Some(Bounds { floor: 4.0, target: 5.0 }),
        64 => Some(Bounds { floor: 8.0, target: 11.0 }),
        _ => None,
    };
    let mut rows = Vec::new();
    for &connections in &plan.add_connections {
        let mut pairs = Vec::new();
        for _ in 0..plan.repeats {
            let one = add_cell(shop, plan, connections, &ONE_A_COMMIT)?;
            progress.cell("add, one a commit", connections, &one);
            let group = add_cell(shop, plan, connections, &[])?;
            progress.cell("add", connections, &group);
            pairs.push((group, one));
        }
        let name = "durable add ÷ one a commit";
        rows.push(ratio_row(name, connections, &pairs, bounds(connections))?);
        rows.extend(fsync_row(connections, &pairs));
    }
    if plan.strace {
        rows.push(traced_row(shop, plan)?);
    }
    Ok(rows)
}

/// A cell on a fresh copy of the shop, so that no cart has grown before.
fn add_cell(
    shop: &Shop,
    plan: &Plan,
    connections: usize,
    settings: &[(&str, &str)],
) -> Result<Cell> {
    let data = shop.copy()?;
    let server = data.serve(settings)?;
    let mut requests = Adds::new(shop, server.address);
    let cell = cell::run(&server, plan.load(&server, connections), &mut requests)?;
    cell::check_carts(shop, &server, &requests)?;
    server.stop()?;
    Ok(cell)
}

/// With `synchronous=FULL` each commit syncs the write-ahead log once, so commits count the syncs
/// that adds wait for. Checkpoints sync besides; the disks' own count, and `--strace`, show them.
fn fsync_row(connections: usize, pairs: &[(Cell, Cell)]) -> Option<Row> {
    let value = Spread::of(pairs.iter().filter_map(|(group, _)| group.commits_per_operation))?;
    let mean = |pick: fn(&(Cell, Cell)) -> Option<f64>| {
        Spread::of(pairs.iter().filter_map(pick)).map(|spread| format!("{:.3}", spread.median))
    };
    let flushes = mean(|(group, _)| group.flushes_per_answer);
    let alone = mean(|(_, one)| one.flushes_per_answer);
    let detail = flushes.zip(alone).map_or_else(String::new, |(flushes, alone)| {
        format!("the machine's disks flushed {flushes} times an add; {alone} with one a commit")
    });
    Some(Row {
        measure: "commits (WAL fsyncs) an add".to_owned(),
        load: load_name(connections),
        value,
        unit: Unit::PerAdd,
        bounds: (connections == 64).then_some(Bounds { floor: 0.06, target: 0.035 }),
        detail,
    })
}

/// System calls counted by strace, checkpoints included. It slows the server down, so the rate of
/// this cell says nothing.
fn traced_row(shop: &Shop, plan: &Plan) -> Result<Row> {
    const CONNECTIONS: usize = 64;
    let data = shop.copy()?;
    let server = data.serve(&[])?;
    let trace = strace::Trace::attach(server.pid(), data.path())?;
    let mut requests = Adds::new(shop, server.address);
    cell::run(&server, plan.load(&server, CONNECTIONS), &mut requests)?;
    let syncs = trace.finish()?;
    server.stop()?;
    let adds: u64 = requests.added.iter().sum();
    let value = Spread::of([syncs as f64 / adds as f64]).context("one value has a median")?;
    Ok(Row {
        measure: "fsync and fdatasync calls an add (strace)".to_owned(),
        load: load_name(CONNECTIONS),
        value,
        unit: Unit::PerAdd,
        bounds: Some(Bounds { floor: 0.06, target: 0.035 }),
        detail: format!("{syncs} calls for {adds} adds, checkpoints included"),
    })
}

/// How long a start takes and what it needs.
///
/// # Errors
/// If the server does not start, answer and stop.
pub fn starts(shop: &Shop, plan: &Plan, loaded: Option<Memory>) -> Result<Vec<Row>> {
    const START: Bounds = Bounds { floor: 50.0, target: 15.0 };
    const MEMORY: Bounds = Bounds { floor: 24.0, target: 12.0 };
    let data = shop.copy_without_customers()?;
    let (mut health, mut products, mut memories) = (Vec::new(), Vec::new(), Vec::new());
    for turn in 0..plan.starts {
        let server = data.serve(&[])?;
        let mut client = Client::connect(server.address)?;
        client.get("/healthz", None)?;
        health.push(ms(server.started.elapsed()));
        client.get("/products", None)?;
        products.push(ms(server.started.elapsed()));
        memories.extend(machine::memory(server.pid()));
        server.stop()?;
        eprintln!("[{:>3}/{}] start: {:.1} ms", turn + 1, plan.starts, health[turn]);
    }
    let fresh = tempfile::tempdir_in(data.path())?;
    let begun = Instant::now();
    let server = Server::start(&shop.program, fresh.path(), &[])?;
    Client::connect(server.address)?.get("/products", None)?;
    let first_ever = ms(begun.elapsed());
    server.stop()?;

    let row = |measure: &str, values: Vec<f64>, unit, bounds, detail| {
        let value = Spread::of(values).context("nothing was measured")?;
        let (measure, load) = (measure.to_owned(), String::new());
        anyhow::Ok(Row { measure, load, value, unit, bounds: Some(bounds), detail })
    };
    let first_ever = format!("{first_ever:.0} ms where the demo shop has to be made first");
    let mut rows = vec![
        row("start → GET /healthz", health, Unit::Ms, START, String::new())?,
        row("start → GET /products", products, Unit::Ms, START, first_ever)?,
    ];
    if let Some(last) = memories.last() {
        let mut detail = format!("{:.1} MB of it anonymous", mb(last.anonymous_bytes));
        if let Some(Memory { resident_bytes, anonymous_bytes }) = loaded {
            let (resident, anonymous) = (mb(resident_bytes), mb(anonymous_bytes));
            detail += &format!("; after the reads {resident:.1} MB, {anonymous:.1} MB anonymous");
        }
        let resident = memories.iter().map(|memory| mb(memory.resident_bytes)).collect();
        rows.push(row(
            "resident, idle with the demo catalogue",
            resident,
            Unit::Mb,
            MEMORY,
            detail,
        )?);
    }
    Ok(rows)
}

fn ratio_row(
    measure: &str,
    connections: usize,
    pairs: &[(Cell, Cell)],
    bounds: Option<Bounds>,
) -> Result<Row> {
    let value = Spread::of(pairs.iter().map(|(ours, reference)| ratio(ours, reference)));
    let middle = |pick: fn(&Cell) -> f64, of: fn(&(Cell, Cell)) -> &Cell| {
        Spread::of(pairs.iter().map(|pair| pick(of(pair)))).map_or(0.0, |spread| spread.median)
    };
    let show = |of: fn(&(Cell, Cell)) -> &Cell| {
        format!(
            "{:.0}/s (p50 {:.2} ms, p99 {:.2} ms, {:.1} µs of the server each)",
            middle(|cell| cell.per_second, of),
            middle(|cell| ms(cell.p50), of),
            middle(|cell| ms(cell.p99), of),
            middle(|cell| cell.server_per_answer.map_or(0.0, |time| time.as_secs_f64() * 1e6), of),
        )
    };
    let busy = others_name(pairs.iter().flat_map(|(ours, reference)| [ours, reference]));
    Ok(Row {
        measure: measure.to_owned(),
        load: load_name(connections),
        value: value.context("nothing was measured")?,
        unit: Unit::Ratio,
        bounds,
        detail: format!("{} against {}{busy}", show(|pair| &pair.0), show(|pair| &pair.1)),
    })
}

/// What others took of the processors while these cells ran, if it was much.
pub fn others_name<'a>(cells: impl IntoIterator<Item = &'a Cell>) -> String {
    let shares = cells.into_iter().filter_map(|cell| cell.others_share);
    let others = shares.fold(0.0, f64::max);
    if others <= 0.1 {
        return String::new();
    }
    format!("; others used up to {:.0} % of the busy time", others * 100.0)
}

fn ratio(ours: &Cell, reference: &Cell) -> f64 {
    ours.per_second / reference.per_second.max(1e-9)
}

/// A load for the table.
pub fn load_name(connections: usize) -> String {
    let plural = if connections == 1 { "" } else { "s" };
    format!("{connections} connection{plural}")
}

/// For people.
pub fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn mb(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

//! What becomes of requests when three times as many come as can be answered (U1): those that are
//! accepted, against the same server at its capacity, on both stores.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::cell::{self, Cell};
use crate::database::Database;
use crate::load::Requests;
use crate::measures::{Plan, Progress, load_name, ms, others_name};
use crate::processors::Halves;
use crate::report::{Bounds, Row, Spread, Unit};
use crate::requests::{Adds, CartReads};
use crate::rush::{self, Outcome, Rush};
use crate::server::Server;
use crate::shop::Shop;

/// Cells of one round: at capacity and beyond, reads and adds, on two stores.
pub const CELLS: usize = 8;

/// Connections at which more of them bring little.
const SATURATING: usize = 64;

/// How much more comes than can be answered.
const TIMES: f64 = 3.0;

const BOUNDS: Bounds = Bounds { floor: 3.0, target: 2.0 };

/// At capacity, and beyond it.
type Pair = (Cell, Outcome);

/// Both stores, one after the other.
///
/// # Errors
/// If anything failed to run, an answer was wrong, or an acknowledged add is not there.
pub fn rows(
    program: &Path,
    is_measured: bool,
    plan: &Plan,
    progress: &mut Progress,
) -> Result<Vec<Row>> {
    let connections = plan.overload_connections.context("overload has connections")?;
    let halves = Halves::split()?;
    // Its own, so that it has the servers' processors too.
    let database = Database::start(is_measured)?;
    let mut rows = Vec::new();
    for (store, place) in [("SQLite", None), ("PostgreSQL", Some(&database))] {
        let shop = Shop::fill(program, plan.users, place)?;
        let (mut reads, mut adds) = (Vec::new(), Vec::new());
        for _ in 0..plan.repeats {
            reads.push(read_round(&shop, plan, &halves)?);
            tell(progress, &format!("GET /cart, {store}"), connections, &mut reads);
            adds.push(add_round(&shop, plan, &halves)?);
            tell(progress, &format!("add, {store}"), connections, &mut adds);
        }
        rows.extend(table(&format!("{store}: GET /cart"), connections, &mut reads)?);
        rows.extend(table(&format!("{store}: durable add"), connections, &mut adds)?);
    }
    Ok(rows)
}

fn read_round(shop: &Shop, plan: &Plan, halves: &Halves) -> Result<Pair> {
    let stand = shop.copy()?;
    let server = stand.serve(&[])?;
    let mut requests = CartReads::new(shop, server.address);
    let pair = halves.generate(|| {
        let capacity = cell::run(&server, plan.load(&server, SATURATING), &mut requests)?;
        Ok((capacity, rush(&server, plan, &capacity, &mut requests)?))
    })?;
    server.stop()?;
    Ok(pair)
}

/// Each on a copy of its own, so that carts are as long in both.
fn add_round(shop: &Shop, plan: &Plan, halves: &Halves) -> Result<Pair> {
    let stand = shop.copy()?;
    let server = stand.serve(&[])?;
    let mut requests = Adds::new(shop, server.address);
    let load = plan.load(&server, SATURATING);
    let capacity = halves.generate(|| cell::run(&server, load, &mut requests))?;
    cell::check_carts(shop, &server, &requests)?;
    server.stop()?;
    drop(stand);
    let stand = shop.copy()?;
    let server = stand.serve(&[])?;
    // How many will be sent is not known before: three times what a machine can do.
    let mut requests = Adds::new(shop, server.address).without_end();
    let outcome = halves.generate(|| rush(&server, plan, &capacity, &mut requests))?;
    check_sum(shop, &server, outcome.accepted_in_all)?;
    server.stop()?;
    Ok((capacity, outcome))
}

fn rush(
    server: &Server,
    plan: &Plan,
    capacity: &Cell,
    requests: &mut dyn Requests,
) -> Result<Outcome> {
    let rush = Rush {
        address: server.address,
        per_second: capacity.per_second * TIMES,
        connections: plan.overload_connections.context("overload has connections")?,
        // The first crowd comes all at once and fills what room there is. What lasts is counted.
        warm_up: plan.warm_up * 4,
        measure: plan.measure,
    };
    rush::run(rush, requests)
}

/// What was refused is in no cart and what was accepted is in one: which, is not looked at.
fn check_sum(shop: &Shop, server: &Server, accepted: u64) -> Result<()> {
    let everyone: Vec<_> = (0..shop.customers.len()).collect();
    let before: Option<u64> = shop.customers.iter().map(|one| one.pieces).sum();
    let expected = before.context("the carts were counted")? + accepted;
    let found: u64 = shop.pieces(server.address, &everyone)?.iter().map(|(_, pieces)| pieces).sum();
    ensure!(found == expected, "{found} pieces are in all carts where {expected} should be");
    Ok(())
}

fn tell(progress: &mut Progress, what: &str, connections: usize, pairs: &mut [Pair]) {
    let Some((capacity, outcome)) = pairs.last_mut() else { return };
    progress.cell(what, SATURATING, capacity);
    let [p50, p99] = outcome.accepted().map(ms);
    let figures = format!(
        "{:.0}/s sent, {:.0}/s accepted, p50 {p50:.2} ms, p99 {p99:.2} ms, {:.0}/s refused, \
         {:.0}/s not sent",
        outcome.rate(outcome.sent),
        outcome.rate(outcome.accepted_us.len()),
        outcome.rate(outcome.refused_us.len()),
        outcome.rate(outcome.unsent),
    );
    progress.step(&format!("{what}, beyond it"), connections, &figures);
}

fn table(what: &str, connections: usize, pairs: &mut [Pair]) -> Result<[Row; 2]> {
    let busy = others_name(pairs.iter().map(|(capacity, _)| capacity));
    let mut middle = |pick: &dyn Fn(&mut Pair) -> f64| {
        Spread::of(pairs.iter_mut().map(pick)).context("nothing was measured")
    };
    let slower =
        middle(&|(capacity, outcome)| ms(outcome.accepted()[1]) / ms(capacity.p99).max(1e-9))?;
    let kept = middle(&|(capacity, outcome)| {
        outcome.rate(outcome.accepted_us.len()) / capacity.per_second.max(1e-9)
    })?;
    let p99 = middle(&|(capacity, _)| ms(capacity.p99))?.median;
    let accepted_p50 = middle(&|(_, outcome)| ms(outcome.accepted()[0]))?.median;
    let accepted_p99 = middle(&|(_, outcome)| ms(outcome.accepted()[1]))?.median;
    let refused_p99 = middle(&|(_, outcome)| ms(outcome.refused()[1]))?.median;
    let capacity = middle(&|(capacity, _)| capacity.per_second)?.median;
    let sent = middle(&|(_, outcome)| outcome.rate(outcome.sent))?.median;
    let refused = middle(&|(_, outcome)| outcome.rate(outcome.refused_us.len()))?.median;
    let row = |name: &str, value, unit, bounds, detail| Row {
        measure: format!("{what}, {name}"),
        load: load_name(connections),
        value,
        unit,
        bounds,
        detail,
    };
    let detail = format!(
        "p99 {p99:.2} ms at capacity with {SATURATING} connections → p50 {accepted_p50:.2} ms, p99 \
         {accepted_p99:.2} ms of what is accepted{busy}"
    );
    let rates = format!(
        "{capacity:.0}/s at capacity; {sent:.0}/s sent, {refused:.0}/s refused within \
         {refused_p99:.2} ms (p99)"
    );
    let bounds = Bounds { floor: 0.5, target: 0.7 };
    Ok([
        row("p99 of accepted, beyond ÷ at capacity", slower, Unit::Growth, Some(BOUNDS), detail),
        row("accepted beyond ÷ at capacity", kept, Unit::Ratio, Some(bounds), rates),
    ])
}

//! What a request costs with many customers against what it costs with few: the same cells on a
//! small and a large shop, in turn, on both stores.

use std::path::Path;
use std::rc::Rc;

use anyhow::{Context, Result};

use crate::cell::{self, Cell};
use crate::database::Database;
use crate::measures::{Plan, Progress, load_name, others_name};
use crate::report::{Bounds, Row, Spread, Unit};
use crate::requests::{Adds, CartReads};
use crate::server::Server;
use crate::shop::Shop;

/// Cells of one round: reads and adds, small and large, on two stores.
pub const CELLS: usize = 8;

const CONNECTIONS: usize = 64;

/// How often the small shop's customers are met in a cell of adds. More would measure longer carts
/// there, not fewer customers.
const SMALL_ROUNDS: usize = 2;

/// Customers of the large shop whose carts are compared after a cell.
const COMPARED: usize = 5_000;

/// A cell on the small and one on the large shop.
type Pair = (Cell, Cell);

/// Both stores, one after the other.
///
/// # Errors
/// If anything failed to run, an answer was wrong, or an acknowledged add is not there.
pub fn rows(
    program: &Path,
    database: &Rc<Database>,
    plan: &Plan,
    progress: &mut Progress,
) -> Result<Vec<Row>> {
    let many = plan.growth_users.context("growth has an end")?;
    let bounds = |floor, target| Bounds { floor, target };
    let sqlite = Store { name: "SQLite", read: bounds(1.35, 1.15), add: bounds(2.0, 1.3) };
    let postgres = Store { name: "PostgreSQL", read: bounds(1.5, 1.2), add: bounds(1.5, 1.2) };
    let mut rows = Vec::new();
    for (store, place) in [(sqlite, None), (postgres, Some(database))] {
        let small = Shop::fill(program, plan.users, place)?;
        let mut large = Shop::fill(program, many, place)?;
        rows.extend(store.rows(&small, &mut large, plan, progress)?);
    }
    Ok(rows)
}

struct Store {
    name: &'static str,
    read: Bounds,
    add: Bounds,
}

impl Store {
    fn rows(
        &self,
        small: &Shop,
        large: &mut Shop,
        plan: &Plan,
        progress: &mut Progress,
    ) -> Result<Vec<Row>> {
        let (mut reads, mut adds): (Vec<Pair>, Vec<Pair>) = (Vec::new(), Vec::new());
        let (small_stand, large_stand) = (small.copy()?, large.original());
        let small_server = small_stand.serve(&[])?;
        let large_server = large_stand.serve(&[])?;
        let name = |what, shop: &Shop| {
            format!("{what}, {}, {} customers", self.name, shop.customers.len())
        };
        let mut met = 0;
        for _ in 0..plan.repeats {
            let mut read = |shop: &Shop, server: &Server| {
                let mut requests = CartReads::new(shop, server.address);
                let cell = cell::run(server, plan.load(server, CONNECTIONS), &mut requests)?;
                progress.cell(&name("GET /cart", shop), CONNECTIONS, &cell);
                anyhow::Ok(cell)
            };
            reads.push((read(small, &small_server)?, read(large, &large_server)?));
            let few = add_to_small(small, plan)?;
            progress.cell(&name("add", small), CONNECTIONS, &few);
            let many = add_to_large(large, &large_server, plan, &mut met)?;
            progress.cell(&name("add", large), CONNECTIONS, &many);
            adds.push((few, many));
        }
        small_server.stop()?;
        large_server.stop()?;
        let sizes = (small.customers.len(), large.customers.len());
        let reads = self.ratios("GET /cart", sizes, &reads, self.read)?;
        let adds = self.ratios("add", sizes, &adds, self.add)?;
        Ok(reads.into_iter().chain(adds).collect())
    }

    /// What it costs by the clock, and of processors.
    fn ratios(
        &self,
        what: &str,
        (few, many): (usize, usize),
        pairs: &[Pair],
        bounds: Bounds,
    ) -> Result<[Row; 2]> {
        let rate = |cell: &Cell| cell.per_second;
        let spent_us = |cell: &Cell| {
            let database = cell.database_per_answer.unwrap_or_default();
            cell.server_per_answer.map_or(0.0, |server| (server + database).as_secs_f64() * 1e6)
        };
        let middle = |pick: &dyn Fn(&Pair) -> f64| {
            Spread::of(pairs.iter().map(pick)).map_or(0.0, |spread| spread.median)
        };
        let busy = others_name(pairs.iter().flat_map(|(few, many)| [few, many]));
        let row = |by: &str, cost: &dyn Fn(&Pair) -> f64, detail: String| {
            let value = Spread::of(pairs.iter().map(cost)).context("nothing was measured")?;
            anyhow::Ok(Row {
                measure: format!("{}: {what}, {few} → {many} customers, {by}", self.name),
                load: load_name(CONNECTIONS),
                value,
                unit: Unit::Growth,
                bounds: Some(bounds),
                detail: detail + &busy,
            })
        };
        Ok([
            row(
                "time",
                &|(few, many)| rate(few) / rate(many).max(1e-9),
                format!(
                    "{:.0}/s → {:.0}/s, p99 {:.2} ms → {:.2} ms",
                    middle(&|(few, _)| rate(few)),
                    middle(&|(_, many)| rate(many)),
                    middle(&|(few, _)| few.p99.as_secs_f64() * 1e3),
                    middle(&|(_, many)| many.p99.as_secs_f64() * 1e3),
                ),
            )?,
            row(
                "processor",
                &|(few, many)| spent_us(many) / spent_us(few).max(1e-9),
                format!(
                    "{:.1} µs → {:.1} µs of server and database",
                    middle(&|(few, _)| spent_us(few)),
                    middle(&|(_, many)| spent_us(many)),
                ),
            )?,
        ])
    }
}

/// On a copy, which is small.
fn add_to_small(shop: &Shop, plan: &Plan) -> Result<Cell> {
    let stand = shop.copy()?;
    let server = stand.serve(&[])?;
    let mut requests = Adds::new(shop, server.address).part(0, SMALL_ROUNDS * shop.customers.len());
    let cell = cell::run(&server, plan.load(&server, CONNECTIONS), &mut requests)?;
    cell::check_carts(shop, &server, &requests)?;
    server.stop()?;
    Ok(cell)
}

/// On the shop itself, which would take long to copy: on customers whom no cell has met before.
fn add_to_large(shop: &mut Shop, server: &Server, plan: &Plan, met: &mut usize) -> Result<Cell> {
    let mut requests = Adds::new(shop, server.address).part(*met, usize::MAX >> 1);
    let compared = requests.met_first(COMPARED);
    for customer in &mut shop.customers {
        customer.pieces = None;
    }
    for (place, pieces) in shop.pieces(server.address, &compared)? {
        shop.customers[place].pieces = Some(pieces);
    }
    let cell = cell::run(server, plan.load(server, CONNECTIONS), &mut requests)?;
    cell::check_carts(shop, server, &requests)?;
    let sent: u64 = requests.added.iter().sum();
    *met += sent as usize;
    Ok(cell)
}

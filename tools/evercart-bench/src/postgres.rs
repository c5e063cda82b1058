//! The server on PostgreSQL against `pgbench` on the same database: reads and adds, over HTTP and
//! without.

use std::rc::Rc;

use anyhow::{Context, Result, ensure};

use crate::cell::{self, Cell};
use crate::database::Database;
use crate::measures::{Plan, Progress, load_name, ms, others_name};
use crate::pgbench::{self, Run, Statement, Subjects};
use crate::report::{Bounds, Row, Spread, Unit};
use crate::requests::{Adds, CartReads, coprime_stride};
use crate::shop::Shop;

/// Cells of one number of connections: ours and two references, for reads and for adds.
pub const CELLS: usize = 6;

const READS: [Statement; 2] = [Statement::ReadAll, Statement::Read];
const ADDS: [Statement; 2] = [Statement::Add, Statement::AddLean];

/// Our cell, and the two of the reference after it.
type Turn = (Cell, [Run; 2]);

/// Reads, then adds.
///
/// # Errors
/// If anything failed to run, an answer was wrong, or an acknowledged add is not there.
pub fn rows(
    program: &std::path::Path,
    database: &Rc<Database>,
    plan: &Plan,
    progress: &mut Progress,
) -> Result<Vec<Row>> {
    let mut shop = Shop::fill(program, plan.users, Some(database))?;
    let subjects = subjects(&mut shop)?;
    let mut rows = Vec::new();
    rows.extend(reads(&shop, &subjects, plan, progress)?);
    rows.extend(adds(&shop, &subjects, plan, progress)?);
    Ok(rows)
}

/// `pgbench` can only count, so both sides keep to SKUs whose numbers follow each other.
fn subjects(shop: &mut Shop) -> Result<Subjects> {
    let first_user = shop.customers.first().context("nobody is in the shop")?.user_id;
    let follow = (first_user..).zip(&shop.customers).all(|(id, one)| id == one.user_id);
    ensure!(follow, "the customers' numbers do not follow each other");
    shop.skus.sort_unstable();
    let runs = shop.skus.chunk_by(|one, next| one + 1 == *next);
    let run = runs.max_by_key(|run| run.len()).context("there are SKUs")?.to_vec();
    let users = shop.customers.len();
    let subjects = Subjects {
        first_user,
        users,
        first_sku: run[0],
        skus: run.len(),
        stride: coprime_stride(users),
    };
    shop.skus = run;
    Ok(subjects)
}

fn reads(
    shop: &Shop,
    subjects: &Subjects,
    plan: &Plan,
    progress: &mut Progress,
) -> Result<Vec<Row>> {
    let bounds = |connections| match connections {
        1 => Some(Bounds { floor: 0.6, target: 0.6 }),
        64 => Some(Bounds { floor: 1.5, target: 2.2 }),
        _ => None,
    };
    let stand = shop.copy()?;
    let place = stand.database().context("the shop is in a database")?;
    let server = stand.serve(&[])?;
    let mut rows = Vec::new();
    for &connections in &plan.postgres_connections {
        let mut turns: Vec<Turn> = Vec::new();
        for _ in 0..plan.repeats {
            let mut requests = CartReads::new(shop, server.address);
            let ours = cell::run(&server, plan.load(&server, connections), &mut requests)?;
            progress.cell("GET /cart, PostgreSQL", connections, &ours);
            let mut reference = |statement| {
                let run = pgbench::run(place, statement, subjects, connections, plan.pgbench)?;
                tell(progress, statement, connections, &run);
                anyhow::Ok(run)
            };
            turns.push((ours, [reference(READS[0])?, reference(READS[1])?]));
        }
        rows.extend(ratios("GET /cart", connections, &turns, READS, bounds(connections))?);
    }
    server.stop()?;
    Ok(rows)
}

/// Each cell on a fresh copy of the database, so that no cart has grown before.
fn adds(
    shop: &Shop,
    subjects: &Subjects,
    plan: &Plan,
    progress: &mut Progress,
) -> Result<Vec<Row>> {
    let bounds = |connections| match connections {
        1 => Some(Bounds { floor: 0.6, target: 0.6 }),
        64 => Some(Bounds { floor: 1.8, target: 2.5 }),
        _ => None,
    };
    let mut rows = Vec::new();
    for &connections in &plan.postgres_connections {
        let mut turns: Vec<Turn> = Vec::new();
        for _ in 0..plan.repeats {
            let stand = shop.copy()?;
            let server = stand.serve(&[])?;
            let mut requests = Adds::new(shop, server.address);
            let ours = cell::run(&server, plan.load(&server, connections), &mut requests)?;
            cell::check_carts(shop, &server, &requests)?;
            server.stop()?;
            drop(stand);
            progress.cell("add, PostgreSQL", connections, &ours);
            let mut reference = |statement| {
                let stand = shop.copy()?;
                let place = stand.database().context("the shop is in a database")?;
                let run = pgbench::run(place, statement, subjects, connections, plan.pgbench)?;
                tell(progress, statement, connections, &run);
                anyhow::Ok(run)
            };
            turns.push((ours, [reference(ADDS[0])?, reference(ADDS[1])?]));
        }
        rows.extend(ratios("durable add", connections, &turns, ADDS, bounds(connections))?);
    }
    Ok(rows)
}

fn tell(progress: &mut Progress, statement: Statement, connections: usize, run: &Run) {
    let figures = format!("{:.0}/s, on average {:.2} ms", run.per_second, ms(run.average));
    progress.step(statement.name(), connections, &figures);
}

/// Two rows for each reference; what is asked is asked of the first. By processor time a busy
/// machine distorts less: there 64 processes of the reference get more of it than our few.
fn ratios(
    what: &str,
    connections: usize,
    turns: &[Turn],
    statements: [Statement; 2],
    bounds: Option<Bounds>,
) -> Result<Vec<Row>> {
    let middle = |pick: &dyn Fn(&Turn) -> Option<f64>| {
        Spread::of(turns.iter().filter_map(pick)).map_or(0.0, |spread| spread.median)
    };
    let us = |time: std::time::Duration| time.as_secs_f64() * 1e6;
    let ours = format!(
        "{:.0}/s (p50 {:.2} ms, p99 {:.2} ms, {:.1} µs of the server and {:.1} µs of the database \
         each)",
        middle(&|(ours, _)| Some(ours.per_second)),
        middle(&|(ours, _)| Some(ms(ours.p50))),
        middle(&|(ours, _)| Some(ms(ours.p99))),
        middle(&|(ours, _)| ours.server_per_answer.map(us)),
        middle(&|(ours, _)| ours.database_per_answer.map(us)),
    );
    let busy = others_name(turns.iter().map(|(ours, _)| ours));
    let mut rows = Vec::new();
    for (index, statement) in statements.into_iter().enumerate() {
        let ratio = |(ours, runs): &Turn| ours.per_second / runs[index].per_second.max(1e-9);
        let value = Spread::of(turns.iter().map(ratio)).context("nothing was measured")?;
        let reference = format!(
            "{:.0}/s (average {:.2} ms, {:.1} µs of the database each)",
            middle(&|(_, runs)| Some(runs[index].per_second)),
            middle(&|(_, runs)| Some(ms(runs[index].average))),
            middle(&|(_, runs)| runs[index].database_each.map(us)),
        );
        let row = |name: &str, value, bounds, detail| Row {
            measure: format!("PostgreSQL: {what} ÷ {}{name}", statement.name()),
            load: load_name(connections),
            value,
            unit: Unit::Ratio,
            bounds,
            detail,
        };
        let detail = format!("{ours} against {reference}{busy}");
        rows.push(row("", value, bounds.filter(|_| index == 0), detail));
        let by_processor = Spread::of(turns.iter().filter_map(|(ours, runs)| {
            let spent = us(ours.server_per_answer?) + us(ours.database_per_answer?);
            Some(us(runs[index].database_each?) / spent.max(1e-9))
        }));
        let detail = "server and database against the reference's database alone".to_owned();
        rows.extend(by_processor.map(|value| row(", by processor time", value, None, detail)));
    }
    Ok(rows)
}

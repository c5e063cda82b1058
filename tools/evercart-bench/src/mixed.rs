//! Two servers over one PostgreSQL database under everything that customers do, at once, and a
//! checker that is told only what was acknowledged. What a customer does is `shopper`'s business,
//! what must be true of the answers is `household`'s.

mod household;
mod shopper;

use std::net::SocketAddr;
use std::path::Path;
use std::rc::Rc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::database::Database;
use crate::report::{Bounds, Row, Spread, Unit};
use crate::server::Client;
use crate::shop::Shop;
use household::{Household, SLOTS};
use shopper::Shopper;

/// Violations that are shown; all are counted.
const SHOWN_MAX: usize = 20;

/// How much.
#[derive(Clone, Copy)]
pub struct Mix {
    /// Requests at least.
    pub operations: u64,
    /// Customers, each with several devices at once.
    pub customers: usize,
    /// Groups of devices that share customers.
    pub groups: usize,
    /// Decides who does what.
    pub seed: u64,
}

/// What all shoppers share.
pub struct Shared {
    servers: [SocketAddr; 2],
    households: Vec<Household>,
    operations_max: u64,
    done: AtomicU64,
    tally: Tally,
    violations: Mutex<Vec<String>>,
}

/// What happened how often.
#[derive(Default)]
pub struct Tally {
    adds: AtomicU64,
    changes: AtomicU64,
    reads: AtomicU64,
    wishes: AtomicU64,
    orders: AtomicU64,
    cancelled: AtomicU64,
    logouts: AtomicU64,
    sign_ins: AtomicU64,
    /// Requests with tokens that had ended before they were sent.
    ended_tokens: AtomicU64,
    /// Requests that a logout under way refused.
    cut_off: AtomicU64,
    out_of_stock: AtomicU64,
}

impl Shared {
    /// One more request was answered. Every twentieth part is told.
    fn answered(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        if done.is_multiple_of((self.operations_max / 20).max(1)) {
            eprintln!("[{done}/{}] mixed load", self.operations_max);
        }
    }

    /// One more of a kind.
    fn count(&self, kind: &AtomicU64) {
        kind.fetch_add(1, Ordering::Relaxed);
    }

    fn is_over(&self) -> bool {
        self.done.load(Ordering::Relaxed) >= self.operations_max
    }

    /// Something promised is not so.
    fn violated(&self, what: String) {
        eprintln!("VIOLATION: {what}");
        self.violations.lock().expect("nobody panics with it").push(what);
    }
}

/// Runs the mix on a shop of its own.
///
/// # Errors
/// If it cannot run, or anything promised is not so.
pub fn rows(program: &Path, database: &Rc<Database>, mix: Mix) -> Result<Vec<Row>> {
    let shop = Shop::without_customers(program.to_owned(), Some(database))?;
    let stand = shop.original();
    let servers = [stand.serve(&[])?, stand.serve(&[])?];
    let products = products(servers[0].address)?;
    let household = |n| Household::new(n, &shop.skus, &products);
    let shared = Shared {
        servers: [servers[0].address, servers[1].address],
        households: (0..mix.customers).map(household).collect(),
        operations_max: mix.operations,
        done: AtomicU64::new(0),
        tally: Tally::default(),
        violations: Mutex::default(),
    };
    eprintln!(
        "mixed load: {} requests, {} customers, {} connections to each of two servers, seed {}",
        mix.operations,
        mix.customers,
        mix.groups * SLOTS,
        mix.seed
    );
    sign_everyone_in(&shared)?;
    shared.done.store(0, Ordering::Relaxed);
    let begun = Instant::now();
    shop_on(&shared, mix)?;
    let took = begun.elapsed();
    let done = shared.done.load(Ordering::Relaxed);
    compare(&shared)?;
    for server in servers {
        server.stop()?;
    }
    stand.run(&["check"]).context("evercart check found something wrong")?;
    let violations = shared.violations.into_inner().expect("nobody panicked with it");
    if !violations.is_empty() {
        let shown = violations.iter().take(SHOWN_MAX).cloned().collect::<Vec<_>>().join("\n  ");
        bail!("{} violations (seed {}):\n  {shown}", violations.len(), mix.seed);
    }
    table(&shared.tally, mix, done, done as f64 / took.as_secs_f64())
}

/// Every device of every group at once.
fn shop_on(shared: &Shared, mix: Mix) -> Result<()> {
    thread::scope(|scope| {
        let shoppers: Vec<_> = (0..mix.groups * SLOTS)
            .map(|device| {
                let (group, slot) = (device / SLOTS, device % SLOTS);
                let theirs: Vec<_> =
                    shared.households.iter().skip(group).step_by(mix.groups).collect();
                let seed = mix.seed.wrapping_mul(10_007) + device as u64;
                scope.spawn(move || Shopper::new(shared, theirs, slot, seed)?.shop())
            })
            .collect();
        for shopper in shoppers {
            shopper.join().expect("a shopper returns its errors")?;
        }
        Ok(())
    })
}

fn sign_everyone_in(shared: &Shared) -> Result<()> {
    let everyone: Vec<_> = shared.households.iter().collect();
    let mut shopper = Shopper::new(shared, everyone, 0, 0)?;
    shared.households.iter().try_for_each(|household| shopper.sign_in_again(household))
}

/// When all is quiet, everything acknowledged must be there and nothing else.
fn compare(shared: &Shared) -> Result<()> {
    let everyone: Vec<_> = shared.households.iter().collect();
    let mut shopper = Shopper::new(shared, everyone, 0, 0)?;
    shared.households.iter().try_for_each(|household| shopper.compare_all(household))
}

fn products(address: SocketAddr) -> Result<Vec<u64>> {
    let list = Client::connect(address)?.get_json("/products?limit=100", None)?;
    let products = list["products"].as_array().context("GET /products has products")?;
    Ok(products.iter().filter_map(|product| product["id"].as_u64()).collect())
}

fn table(tally: &Tally, mix: Mix, done: u64, per_second: f64) -> Result<Vec<Row>> {
    let count = |kind: &AtomicU64| kind.load(Ordering::Relaxed);
    let detail = format!(
        "{done} requests: {} adds, {} quantities set and lines removed, {} reads, {} changes of \
         wishlists, {} orders ({} cancelled), {} logouts, {} sign-ins, {} requests with tokens \
         that had ended (all refused), {} cut off by a logout under way, {} out of stock; \
         evercart check is clean",
        count(&tally.adds),
        count(&tally.changes),
        count(&tally.reads),
        count(&tally.wishes),
        count(&tally.orders),
        count(&tally.cancelled),
        count(&tally.logouts),
        count(&tally.sign_ins),
        count(&tally.ended_tokens),
        count(&tally.cut_off),
        count(&tally.out_of_stock),
    );
    let load = format!("{} connections to each of two servers", mix.groups * SLOTS);
    let row = |measure: &str, value, unit, bounds, detail| {
        let value = Spread::of([value]).context("one value has a median")?;
        let (measure, load) = (measure.to_owned(), load.clone());
        anyhow::Ok(Row { measure, load, value, unit, bounds, detail })
    };
    let none = Some(Bounds { floor: 0.0, target: 0.0 });
    Ok(vec![
        row("PostgreSQL: mixed load, violations", 0.0, Unit::Count, none, detail)?,
        row(
            "PostgreSQL: mixed load, requests",
            per_second,
            Unit::PerSecond,
            None,
            "each answer checked by blocking clients on the same machine".to_owned(),
        )?,
    ])
}

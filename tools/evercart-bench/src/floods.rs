//! What one customer, or a crowd of nobodies, does to the others (U6): while each of the floods
//! goes on, another customer looks at their cart, as they did just before in the same server.

mod flood;

use std::fs;
use std::path::Path;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::database::Database;
use crate::load::ranks;
use crate::machine;
use crate::processors::Halves;
use crate::report::{Bounds, Row, Spread, Unit};
use crate::server::{Client, Server};
use crate::shop::{Shop, Stand};
use flood::{Counts, FLOODS, Flood, Target};

/// Customers who flood; the last of the shop's customers is the one who looks.
const FLOODERS: usize = 8;

/// Orders that each of them has, for their exports: five lines each.
const ORDERS: usize = 400;

/// The first product and SKU beside the demo's: there is plenty of each.
const FIRST_SKU: u64 = 1_000_000;

/// Products to search in beside the demo's.
const PRODUCTS: usize = 100_000;

/// How often the other customer looks at their cart.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Under a flood a cart may take so many times as long as usual.
const TIMES: Bounds = Bounds { floor: 10.0, target: 3.0 };

/// What the server's memory stays under.
const MEMORY: Bounds = Bounds { floor: 400.0, target: 200.0 };

/// A real shop's limits, which a demo does not have by itself.
const SETTINGS: [(&str, &str); 5] = [
    ("EVERCART_LIMITS__CART_CHANGES_PER_HOUR", "2000"),
    ("EVERCART_LIMITS__CHANGES_PER_HOUR", "500"),
    ("EVERCART_LIMITS__ORDERS_PER_HOUR", "30"),
    ("EVERCART_LIMITS__OPEN_ORDERS", "50"),
    ("EVERCART_LIMITS__OPEN_PIECES", "5000"),
];

/// How large all of it is.
#[derive(Clone, Copy)]
struct Size {
    measure: Duration,
    products: usize,
    orders: usize,
}

/// All floods on both stores.
///
/// # Errors
/// If anything failed to run, or the other customer got an answer that is wrong.
pub fn rows(program: &Path, is_measured: bool, measure: Duration) -> Result<Vec<Row>> {
    let size = match is_measured {
        true => Size { measure, products: PRODUCTS, orders: ORDERS },
        false => Size { measure, products: 50, orders: 12 },
    };
    // Whoever floods is elsewhere, and takes no processor from the server but by what is asked.
    let halves = Halves::split()?;
    let database = Database::start(is_measured)?;
    let mut rows = Vec::new();
    for (store, place) in [("SQLite", None), ("PostgreSQL", Some(&database))] {
        rows.extend(on_store(program, store, place, size, &halves)?);
    }
    Ok(rows)
}

fn on_store(
    program: &Path,
    store: &str,
    place: Option<&Rc<Database>>,
    size: Size,
    halves: &Halves,
) -> Result<Vec<Row>> {
    let shop = Shop::fill(program, FLOODERS + 1, place)?;
    prepare(&shop, size)?;
    let mut rows = Vec::new();
    for flood in &FLOODS {
        // What one flood wrote, the next does not find.
        let stand = shop.copy()?;
        let seen = under(&shop, &stand, flood, size.measure, halves)?;
        eprintln!("{store}, {}: {}", flood.name, seen.detail());
        rows.extend(seen.rows(store, flood)?);
    }
    Ok(rows)
}

/// Gives the shop its products, and the flooders orders of them.
fn prepare(shop: &Shop, size: Size) -> Result<()> {
    let stand = shop.original();
    let file = stand.path().join("products.csv");
    let mut rows = "product_id,name,category,description,sku_id,sku_code,price,stock\n".to_owned();
    for id in (FIRST_SKU..).take(size.products) {
        // A few words that all products have, as the products of a real shop do.
        rows.push_str(&format!(
            "{id},Plain pants {id},Pants,Pressed pleated pocket pants of a pale print \
             p{id} a b c d e f g h i j,{id},P-{id},19.99,1000000\n"
        ));
    }
    fs::write(&file, rows)?;
    let name = file.to_string_lossy();
    stand.run(&["catalog", "import", &name, "--market", "us"])?;
    fs::remove_file(&file).context("the products' file is ours")?;

    let server = stand.serve(&[])?;
    let items: Vec<_> = (FIRST_SKU..FIRST_SKU + 5)
        .map(|sku| format!("{{\"sku_id\":{sku},\"quantity\":1}}"))
        .collect();
    let body = flood::order(&items.join(","));
    let mut client = Client::connect(server.address)?;
    for customer in &shop.customers[..FLOODERS] {
        for _ in 0..size.orders {
            let (status, answer) =
                client.ask("POST", "/orders", Some(&customer.token), Some(&body))?;
            let said = String::from_utf8_lossy(answer);
            ensure!(status == 201, "an order was answered with {status}: {said}");
        }
    }
    server.stop()
}

/// What was seen of a customer who is not part of it.
struct Seen {
    usual: [Duration; 2],
    during: [Duration; 2],
    /// Answers to them that were no cart.
    refused: usize,
    resident_bytes: u64,
    log_bytes: u64,
    flood: Counts,
}

/// Lets a flood loose on a server of its own, and looks at a cart before and meanwhile.
fn under(
    shop: &Shop,
    stand: &Stand,
    flood: &Flood,
    measure: Duration,
    halves: &Halves,
) -> Result<Seen> {
    let server = stand.serve(&SETTINGS)?;
    let seen = halves.generate(|| look_before_and_during(shop, stand, &server, flood, measure))?;
    server.stop()?;
    Ok(seen)
}

fn look_before_and_during(
    shop: &Shop,
    stand: &Stand,
    server: &Server,
    flood: &Flood,
    measure: Duration,
) -> Result<Seen> {
    let token = &shop.customers.last().context("the shop has customers")?.token;
    let (mut usual, refused) = look(server, token, measure)?;
    ensure!(refused == 0, "{refused} looks at a cart were refused while nothing else went on");
    let log = stand.path().join("bench-stderr.log");
    let log_before = fs::metadata(&log)?.len();
    let is_over = AtomicBool::new(false);
    let target = Target {
        address: server.address,
        tokens: shop.customers[..FLOODERS].iter().map(|one| one.token.as_str()).collect(),
        sku: FIRST_SKU,
        is_over: &is_over,
    };
    let (looked, resident_bytes, counts) = thread::scope(|scope| {
        let flooding: Vec<_> = (0..flood.threads)
            .map(|number| {
                scope.spawn({
                    let target = &target;
                    move || (flood.run)(target, number)
                })
            })
            .collect();
        let memory = scope.spawn(|| most_memory(server, &is_over));
        // The flood is under way, not just beginning.
        thread::sleep(measure / 4);
        let looked = look(server, token, measure);
        is_over.store(true, Ordering::Relaxed);
        let counts: Counts =
            flooding.into_iter().map(|one| one.join().expect("a flood counts its errors")).sum();
        (looked, memory.join().expect("memory is only looked at"), counts)
    });
    let (mut during, refused) = looked?;
    let log_bytes = fs::metadata(&log)?.len() - log_before;
    let (usual, during) = (ranks(&mut usual), ranks(&mut during));
    Ok(Seen { usual, during, refused, resident_bytes, log_bytes, flood: counts })
}

/// Looks at a cart again and again; how long each look took, and how many were refused.
fn look(server: &Server, token: &str, measure: Duration) -> Result<(Vec<u32>, usize)> {
    let (mut client, mut latencies_us, mut refused) = (None, Vec::new(), 0);
    let until = Instant::now() + measure;
    while Instant::now() < until {
        let begun = Instant::now();
        let status = ask_for_cart(&mut client, server, token);
        latencies_us.push(u32::try_from(begun.elapsed().as_micros()).unwrap_or(u32::MAX));
        match status {
            Ok(200) => {}
            // No answer is as bad as one that refuses.
            Ok(503) | Err(_) => refused += 1,
            Ok(other) => anyhow::bail!("a look at a cart was answered with {other}"),
        }
        thread::sleep(LOOK_EVERY);
    }
    Ok((latencies_us, refused))
}

/// Asks on the connection there is, or on a new one; the status.
fn ask_for_cart(open: &mut Option<Client>, server: &Server, token: &str) -> Result<u16> {
    let mut client = match open.take() {
        Some(client) => client,
        None => Client::connect(server.address)?,
    };
    let (status, _) = client.ask("GET", "/cart", Some(token), None)?;
    *open = Some(client);
    Ok(status)
}

fn most_memory(server: &Server, is_over: &AtomicBool) -> u64 {
    let mut most = 0;
    while !is_over.load(Ordering::Relaxed) {
        let now = machine::memory(server.pid()).map_or(0, |memory| memory.resident_bytes);
        most = most.max(now);
        thread::sleep(Duration::from_millis(50));
    }
    most
}

impl Seen {
    fn detail(&self) -> String {
        let ms = |one: Duration| one.as_secs_f64() * 1000.0;
        let ([usual, usual_p99], [during, during_p99]) = (self.usual, self.during);
        format!(
            "median {:.2} → {:.2} ms, p99 {:.2} → {:.2} ms; {} of the others' looks refused; \
             server {:.0} MB, log {:.1} MB; the flood: {}",
            ms(usual),
            ms(during),
            ms(usual_p99),
            ms(during_p99),
            self.refused,
            self.resident_bytes as f64 / 1e6,
            self.log_bytes as f64 / 1e6,
            self.flood,
        )
    }

    fn rows(&self, store: &str, flood: &Flood) -> Result<[Row; 3]> {
        let row = |measure: &str, value: f64, unit, bounds, detail| {
            let value = Spread::of([value]).context("one value")?;
            let measure = format!("{store}: {measure}");
            anyhow::Ok(Row {
                measure,
                load: flood.name.to_owned(),
                value,
                unit,
                bounds: Some(bounds),
                detail,
            })
        };
        let times = self.during[0].as_secs_f64() / self.usual[0].as_secs_f64().max(1e-6);
        let (none, quiet) = (Bounds { floor: 0.0, target: 0.0 }, String::new);
        Ok([
            row("another's GET /cart", times, Unit::Growth, TIMES, self.detail())?,
            row("refused to others", self.refused as f64, Unit::Count, none, quiet())?,
            row("memory", self.resident_bytes as f64 / 1e6, Unit::Mb, MEMORY, quiet())?,
        ])
    }
}

//! G1: what was acknowledged is there after a power cut, and what was not is there whole or not at
//! all. A first, small version of the torture test: the server is killed at random moments.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rand::{RngExt, SeedableRng};

use crate::catalogue_rows::{Row, check, csv, import, stock};
use crate::customer::{Customer, SEED_PHONE, expect, us_phone};
use crate::durability_ledger::{Ledger, SKUS};
use crate::harness::{Shop, wait_until};

/// A seed that is printed, so that a failure can be repeated as far as chance allows.
pub fn seeded(test: &str) -> rand::rngs::StdRng {
    let seed: u64 = rand::rng().random();
    eprintln!("{test}: seed {seed}");
    rand::rngs::StdRng::seed_from_u64(seed)
}

#[test]
fn g1_every_acknowledged_write_survives_a_dozen_power_cuts_under_load() {
    const KILLS: usize = 12;
    const CUSTOMERS: u32 = 6;
    const STOCK: i64 = 100_000;
    let mut rng = seeded("power cuts");
    let mut shop = Shop::demo();
    import(&shop, "us", &SKUS.map(|sku| Row::new(sku, "1.00", STOCK)));
    let mut ledgers: Vec<_> =
        (1..=CUSTOMERS).map(|n| Ledger::new(Customer::of_demo(&shop, &us_phone(n)))).collect();
    for kill in 0..KILLS {
        let after: usize = rng.random_range(20..150);
        let pause = Duration::from_micros(rng.random_range(0..3000));
        let done = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for ledger in &mut ledgers {
                let mut choices = rand::rngs::StdRng::seed_from_u64(rng.random());
                let (shop, done) = (&shop, &done);
                scope.spawn(move || {
                    while ledger.step(shop, choices.random()) {
                        done.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
            wait_until("some load", || done.load(Ordering::SeqCst) >= after);
            spin(pause);
            shop.signal("KILL");
        });
        shop.kill();
        shop.start();
        for ledger in &mut ledgers {
            ledger.compare(&shop);
        }
        if kill % 4 == 3 {
            check(&shop);
        }
    }
    let acknowledged: usize = ledgers.iter().map(|ledger| ledger.acknowledged).sum();
    assert!(acknowledged >= KILLS * 20, "only {acknowledged} writes were acknowledged");
    check(&shop);
}

/// Lets a moment pass that is too short for the scheduler.
fn spin(pause: Duration) {
    let begun = Instant::now();
    while begun.elapsed() < pause {
        std::hint::spin_loop();
    }
}

/// Starts a command of the program beside the server and kills it after a while, if it is not
/// over by then. True if it was.
fn killed_while(shop: &Shop, arguments: &[&str], after: Duration) -> bool {
    let mut child = shop
        .command()
        .args(arguments)
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("the program starts");
    let begun = Instant::now();
    while begun.elapsed() < after {
        if child.try_wait().expect("our own child").is_some() {
            return false;
        }
        std::thread::yield_now();
    }
    child.kill().expect("our own child");
    child.wait().expect("our own child").code().is_none()
}

#[test]
fn g1_a_catalogue_import_that_is_killed_is_in_whole_or_not_at_all() {
    const ROWS: i64 = 4000;
    let mut rng = seeded("killed imports");
    let mut shop = Shop::demo();
    let jo = Customer::with_code(&shop, SEED_PHONE, "123456");
    let row = |id, price: &str| Row::new(id, price, 7);
    import(&shop, "us", &(10_001..=10_000 + ROWS).map(|id| row(id, "1.00")).collect::<Vec<_>>());
    let mut price = 1;
    let mut killed = 0;
    let whole = {
        let begun = Instant::now();
        import(
            &shop,
            "us",
            &(10_001..=10_000 + ROWS).map(|id| row(id, "2.00")).collect::<Vec<_>>(),
        );
        price += 1;
        begun.elapsed()
    };
    for _ in 0..8 {
        let next = format!("{}.00", price + 1);
        let rows: Vec<_> = (10_001..=10_000 + ROWS).map(|id| row(id, &next)).collect();
        let file = shop.write("again.csv", csv(&rows));
        let file = file.to_str().expect("a path in UTF-8");
        let after = whole.mul_f64(rng.random_range(0.1..1.0));
        let arguments = ["catalog", "import", file, "--market", "us"];
        killed += usize::from(killed_while(&shop, &arguments, after));
        let prices = prices_above(&shop, 10_000);
        assert_eq!(prices.len(), ROWS as usize);
        let first = prices[0];
        assert!(prices.iter().all(|price| *price == first), "half of an import is in");
        if first == next.trim_end_matches(".00").parse::<f64>().expect("a number") {
            price += 1;
        } else {
            assert_eq!(first, f64::from(price));
        }
        expect(200, &jo.add(&shop, 42, 1));
    }
    assert!(killed > 0, "no import was killed before its end");
    shop.kill();
    shop.start();
    assert_eq!(prices_above(&shop, 10_000).len(), ROWS as usize);
    assert_eq!(stock(&shop, "us", 10_001), 7);
    check(&shop);
}

/// The prices of all SKUs with larger ids.
fn prices_above(shop: &Shop, id: i64) -> Vec<f64> {
    let text = shop.run_ok(&["catalog", "export", "--market", "us", "--format", "ndjson"]);
    let rows = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("each line is JSON"));
    rows.filter(|row| row["sku_id"].as_i64() > Some(id))
        .map(|row| match &row["price"] {
            serde_json::Value::String(text) => text.parse().expect("a price"),
            number => number.as_f64().expect("a price"),
        })
        .collect()
}

#[test]
fn g1_a_rotation_of_keys_that_is_killed_signs_nobody_out() {
    let mut rng = seeded("killed rotations");
    let mut shop = Shop::demo();
    let jo = Customer::with_code(&shop, SEED_PHONE, "123456");
    expect(200, &jo.add(&shop, 42, 2));
    for _ in 0..20 {
        let after = Duration::from_micros(rng.random_range(0..20_000));
        killed_while(&shop, &["keys", "rotate"], after);
    }
    assert_eq!(jo.get(&shop, "/cart").status, 200, "while serving");
    shop.kill();
    shop.start();
    assert_eq!(jo.get(&shop, "/cart").status, 200, "after a restart");
    let again = Customer::with_code(&shop, SEED_PHONE, "123456");
    assert_eq!(again.get(&shop, "/cart").status, 200);
    let left: Vec<_> = std::fs::read_dir(shop.data())
        .expect("the data directory")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with("keys"))
        .collect();
    assert_eq!(left, ["keys.json"]);
}

#[test]
fn g1_a_start_that_is_killed_leaves_a_directory_that_starts() {
    let mut rng = seeded("killed starts");
    for _ in 0..6 {
        let mut shop = Shop::prepared().argument("--demo");
        let after = Duration::from_micros(rng.random_range(0..150_000));
        killed_while(&shop, &["serve", "--demo", "--listen", "127.0.0.1:0"], after);
        shop.start();
        let jo = Customer::with_code(&shop, SEED_PHONE, "123456");
        assert_eq!(jo.id, 19);
        expect(200, &jo.add(&shop, 42, 2));
        check(&shop);
    }
}

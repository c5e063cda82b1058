//! U2: the database goes away and comes back. Each test has a PostgreSQL server of its own, since
//! it is stopped, killed, or told to take no writes.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use evercart_throwaway_postgres::{Mode, Server, Settings};
use rand::{RngExt, SeedableRng};

use crate::backend::Place;
use crate::catalogue_rows::{Row, check, import};
use crate::customer::{Customer, expect, pieces, problem, us_phone};
use crate::durability_ledger::{Ledger, SHOWN, SKUS};
use crate::harness::{Shop, wait_until};

/// A server with an empty database, and the database's URL.
pub fn server() -> (Server, String) {
    let server = Server::start(Settings::for_tests()).unwrap_or_else(|error| panic!("{error}"));
    let url = server.fresh_database().expect("a database");
    (server, url)
}

/// True if every server of the shop says that it is ready, or every one that it is not.
pub fn all_ready(shop: &Shop, ready: bool) -> bool {
    let status = if ready { 200 } else { 503 };
    shop.internal("/readyz").iter().all(|answer| answer.status == status)
}

/// Asserts that this is a 503 by which a client knows what to do.
fn assert_away(answer: &crate::harness::Answer) {
    problem(503, "store_unavailable", answer);
}

/// Buys until it is over, and keeps a record. What is answered with a 503 is in doubt until the
/// database can be asked again.
fn buy(shop: &Shop, ledger: &mut Ledger, bought: &AtomicUsize, over: &AtomicBool, seed: u64) {
    let mut choices = rand::rngs::StdRng::seed_from_u64(seed);
    while !over.load(Ordering::SeqCst) {
        if ledger.step(shop, choices.random()) {
            bought.fetch_add(1, Ordering::SeqCst);
            continue;
        }
        // One server may be there again before the other.
        let [cart, orders] = SHOWN.map(|path| {
            let mut body = None;
            wait_until("an answer after the outage", || {
                let answer = ledger.customer.get(shop, path);
                match answer.status {
                    200 => body = Some(answer.json()),
                    _ => assert_away(&answer),
                }
                body.is_some()
            });
            body.expect("waited for")
        });
        ledger.compare_with(&cart, &orders);
    }
}

#[test]
fn u2_a_database_that_is_stopped_or_killed_under_load_is_used_again_when_it_is_back() {
    const CUSTOMERS: u32 = 4;
    type Way = (&'static str, fn(&Server));
    let ways: [Way; 3] = [
        ("stopped", |server| server.stop(Mode::Fast).expect("it stops")),
        ("crashed", |server| server.stop(Mode::Immediate).expect("it stops")),
        ("killed", |server| server.kill().expect("it is killed")),
    ];
    let seed: u64 = rand::rng().random();
    eprintln!("seed {seed}");
    let (server, url) = server();
    let mut shop = Shop::prepared_at(Place::at(url)).argument("--demo");
    shop.start();
    import(&shop, "us", &SKUS.map(|sku| Row::new(sku, "1.00", 1_000_000)));
    let jo = Customer::of_demo(&shop, &us_phone(100));
    let mut ledgers: Vec<_> =
        (1..=CUSTOMERS).map(|n| Ledger::new(Customer::of_demo(&shop, &us_phone(n)))).collect();
    for (way, end) in ways {
        let over = AtomicBool::new(false);
        let bought: Vec<_> = ledgers.iter().map(|_| AtomicUsize::new(0)).collect();
        let wait_for_more = |more: usize| {
            let before: Vec<_> = bought.iter().map(|n| n.load(Ordering::SeqCst)).collect();
            wait_until("every customer to buy more", || {
                let now = bought.iter().map(|n| n.load(Ordering::SeqCst));
                now.zip(&before).all(|(now, before)| now >= before + more)
            });
        };
        std::thread::scope(|scope| {
            let _over = StopAtEnd(&over);
            for ((ledger, bought), number) in ledgers.iter_mut().zip(&bought).zip(0_u64..) {
                let (shop, over) = (&shop, &over);
                let seed = seed.wrapping_add(number);
                scope.spawn(move || buy(shop, ledger, bought, over, seed));
            }
            wait_for_more(5);
            end(&server);
            wait_until("every server to say that it is not ready", || all_ready(&shop, false));
            for _ in 0..4 {
                assert_away(&jo.add(&shop, SKUS[0], 1));
                assert_away(&jo.get(&shop, "/cart"));
                assert_away(&jo.get(&shop, "/products"));
                assert_away(&jo.checkout(&shop));
                assert_eq!(shop.get("/healthz").send().status, 200, "{way}: it lives");
            }
            server.start_again().expect("it starts again");
            wait_until("every server to be ready again", || all_ready(&shop, true));
            wait_for_more(5);
        });
        for ledger in &mut ledgers {
            ledger.compare(&shop);
        }
        check(&shop);
        Customer::of_demo(&shop, &us_phone(200));
    }
    assert_eq!(pieces(&jo.cart(&shop), SKUS[0]), 0, "what was refused was not done");
    // Two servers with two markets each tell of the beginning and the end of three outages.
    let told = |what: &str| shop.stderr().matches(what).count();
    let (begun, ended) = (told(" is away: "), told(" is back after "));
    assert!((6..=12).contains(&begun) && ended >= 6, "{begun} told, {ended} ended");
    assert_eq!(shop.terminate().code, Some(0));
}

/// Ends the load also when the test has failed, so that the failure is seen.
struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn u2_a_database_that_takes_no_writes_for_a_while_refuses_them_and_takes_them_again() {
    let (server, url) = server();
    let mut shop = Shop::prepared_at(Place::at(url)).argument("--demo");
    shop.start();
    let jo = Customer::of_demo(&shop, &us_phone(1));
    for _ in 0..4 {
        expect(200, &jo.add(&shop, 42, 1));
        jo.cart(&shop);
    }
    read_only(&server, true);
    wait_until("every server to say that it is not ready", || all_ready(&shop, false));
    // New connections are read from as well, and so are those of a server that starts now.
    let throw_out = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE application_name LIKE 'evercart%'";
    server.query("postgres", throw_out).expect("a statement of ours");
    wait_until("reads on both servers", || (0..2).all(|_| jo.get(&shop, "/cart").status == 200));
    for _ in 0..4 {
        for refused in [jo.add(&shop, 42, 1), jo.checkout(&shop), jo.wish(&shop, 15)] {
            assert_away(&refused);
            assert!(refused.text().contains("cannot be changed"), "{refused}");
        }
        assert_eq!(pieces(&jo.cart(&shop), 42), 4);
        expect(200, &jo.get(&shop, "/products"));
    }
    let late = shop.try_serve(&["serve".into(), "--demo".into()]);
    let late = late.unwrap_or_else(|failed| panic!("it must start: {failed}"));
    assert!(all_ready(&shop, false));
    read_only(&server, false);
    wait_until("every server to be ready again", || all_ready(&shop, true));
    wait_until("writes on both servers", || {
        (0..2).all(|_| jo.request(&shop, "DELETE", "/cart").send().status == 200)
    });
    expect(200, &jo.add(&shop, 42, 1));
    expect(201, &jo.checkout(&shop));
    expect(200, &jo.wish(&shop, 15));
    late.signal("TERM");
    assert_eq!(late.wait().code, Some(0));
    check(&shop);
}

/// As after a failover that leaves a server behind, or when its disk has become full.
fn read_only(server: &Server, is_read_only: bool) {
    let set = format!("ALTER SYSTEM SET default_transaction_read_only = {is_read_only}");
    for sql in [&set, "SELECT pg_reload_conf()"] {
        server.query("postgres", sql).expect("a statement of ours");
    }
}

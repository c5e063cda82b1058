//! What lies between: poolers that lend connections by transaction or statement are refused by
//! name, before anything is made, and one by session is taken, whatever it does with `options`.

use evercart_throwaway_postgres::{Lends, Pooler, fresh_database, shared};

use crate::customer::{Customer, expect, us_phone};
use crate::harness::{Output, Shop, StartFailed};

fn database(url: &str) -> String {
    let name = url.rsplit('/').next().expect("a URL has a slash");
    name.split('?').next().unwrap_or(name).to_owned()
}

fn shop_at(url: &str) -> Shop {
    Shop::prepared().argument("--demo").variable("EVERCART_STORAGE__DATABASE_URL", url)
}

fn refusal(url: &str) -> Output {
    let StartFailed(output) = shop_at(url).try_start().expect_err("it must not start");
    assert_eq!(output.code, Some(1), "{}{}", output.stdout, output.stderr);
    output
}

/// The schemas in which there are tables.
fn schemas(database: &str) -> Vec<String> {
    const SCHEMAS: &str = "SELECT DISTINCT schemaname FROM pg_tables WHERE schemaname NOT IN \
         ('pg_catalog', 'information_schema') ORDER BY 1";
    let rows = shared().query(database, SCHEMAS).expect("a query of ours");
    rows.into_iter().filter_map(|row| row[0].clone()).collect()
}

fn pooler(lends: Lends, more: &[(&str, &str)]) -> Pooler {
    Pooler::start(shared(), lends, more).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_pooler_that_lends_by_transaction_is_refused_and_nothing_is_made() {
    for lends in [Lends::ByTransaction, Lends::ByStatement] {
        for more in [&[][..], &[("ignore_startup_parameters", "options")]] {
            for round_robin in ["0", "1"] {
                let more = [more, &[("server_round_robin", round_robin)]].concat();
                let pooler = pooler(lends, &more);
                let database = database(&fresh_database());
                let said = refusal(&pooler.url(&database)).stderr;
                for words in [&*pooler.address().to_string(), "by transaction", "pool_mode"] {
                    assert!(said.contains(words), "{words:?} is missing in:\n{said}");
                }
                assert_eq!(schemas(&database), Vec::<String>::new(), "{lends:?} {more:?}");
            }
        }
    }
}

#[test]
fn a_pooler_that_lends_by_session_keeps_every_market_in_its_schema() {
    for more in [&[][..], &[("ignore_startup_parameters", "options")]] {
        let pooler = pooler(Lends::BySession, more);
        let database = database(&fresh_database());
        let mut shop = shop_at(&pooler.url(&database));
        for _ in 0..2 {
            shop.start();
            let jo = Customer::of_demo(&shop, &us_phone(1));
            expect(200, &jo.add(&shop, 42, 1));
            assert_eq!(schemas(&database), ["evercart_kg", "evercart_us"]);
            assert_eq!(shop.terminate().code, Some(0));
        }
        assert!(shop.run_ok(&["check"]).contains("us"), "commands go the same way");
    }
}

#[test]
fn options_in_the_url_that_the_pooler_refuses_are_named() {
    let url = evercart_throwaway_postgres::shared_pooler().url(&database(&fresh_database()));
    let said = refusal(&format!("{url}?options=-c%20geqo%3Doff")).stderr;
    for words in ["unsupported startup parameter: options", "leave `options` out"] {
        assert!(said.contains(words), "{words:?} is missing in:\n{said}");
    }
}

#[test]
fn time_limits_hold_behind_a_pooler() {
    let pooler = pooler(Lends::BySession, &[]);
    let database = database(&fresh_database());
    let mut shop = shop_at(&pooler.url(&database));
    shop.start();
    let jo = Customer::of_demo(&shop, &us_phone(1));
    expect(200, &jo.add(&shop, 42, 1));
    // A lock that nobody gives back: the database gives up before the server does, and says so.
    let blocker = std::thread::scope(|scope| {
        let hold = "BEGIN; LOCK TABLE evercart_us.users IN ACCESS EXCLUSIVE MODE; \
             SELECT pg_sleep(7); COMMIT";
        let holder = scope.spawn(|| shared().query(&database, hold).map(drop));
        crate::harness::wait_until("the lock", || {
            let held = "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' \
                 AND granted AND database = (SELECT oid FROM pg_database \
                 WHERE datname = current_database())";
            shared().query(&database, held).expect("a query of ours")[0][0].as_deref() != Some("0")
        });
        let answer = jo.wish(&shop, 15);
        assert_eq!(answer.status, 503, "{answer}");
        holder.join().expect("no panic")
    });
    blocker.expect("a statement of ours");
    assert!(shop.stderr().contains("55P03"), "lock_timeout: {}", shop.stderr());
    expect(200, &jo.wish(&shop, 15));
}

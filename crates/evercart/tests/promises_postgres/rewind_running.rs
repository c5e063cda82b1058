//! G10, U4: the database goes back to an earlier moment, is lost, or fails over, while the servers
//! run. They notice when they connect again, each by itself, and agree on what follows.

use evercart_throwaway_postgres::{Mode, Server};
use serde_json::json;

use crate::backend::{Place, SERVERS, lose};
use crate::catalogue_rows::{Row, check, import};
use crate::customer::{Customer, expect, us_phone};
use crate::faults::{all_ready, server};
use crate::harness::{Shop, wait_until};
use crate::rewind::{
    Given, Lost, assert_closed, assert_nobody_is_let_in, assert_nothing_is_given_again,
    let_seconds_pass, shop_with_kept_data, warnings,
};

/// A SKU that is only in the lost time.
const THING: i64 = 77_001;

fn demo_at(url: &str) -> Shop {
    let mut shop = Shop::prepared_at(Place::at(url.to_owned())).argument("--demo");
    shop.start();
    shop
}

/// Another machine with servers of the same shop: the same database and keys, a mark of its own.
fn beside(shop: &Shop) -> Shop {
    let url = shop.place().variables().remove(0).1;
    let other = Shop::prepared_at(Place::at(url)).argument("--demo");
    std::fs::create_dir(other.data()).expect("a directory of ours");
    std::fs::copy(shop.data().join("keys.json"), other.data().join("keys.json")).expect("the keys");
    other
}

/// Waits until every server answers from the database again.
fn wait_for_answers(shop: &Shop, customer: &Customer) {
    wait_until("every server to be ready again", || all_ready(shop, true));
    wait_until("answers of every server", || {
        (0..2 * SERVERS).all(|_| {
            let answers = [customer.get(shop, "/cart"), customer.add(shop, 0, 1)];
            answers.iter().all(|answer| answer.status != 503)
        })
    });
}

/// What each server says the thing costs, to a customer who has one.
fn prices(shop: &Shop, customer: &Customer) -> Vec<String> {
    let price = |_| {
        let cart = customer.cart(shop);
        cart["items"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|line| line["price"].to_string())
            .collect()
    };
    (0..SERVERS).map(price).collect()
}

#[test]
fn g10_a_server_whose_files_are_put_back_is_noticed_by_those_that_run() {
    let (server, url) = server();
    let shop = demo_at(&url);
    let given = Given::by(&shop);
    server.stop(Mode::Immediate).expect("it stops");
    let files = server.keep_files().expect("they are copied");
    server.start_again().expect("it starts again");
    wait_for_answers(&shop, &given.jo);
    assert_eq!(warnings(&shop.stderr()), 0, "a crash is no return");
    let lost = Lost::by(&shop, &given);
    import(&shop, "us", &[Row::new(THING, "1.00", 10)]);
    expect(200, &lost.kim.add(&shop, THING, 1));
    assert_eq!(prices(&shop, &lost.kim), ["1.0"; SERVERS]);
    let stream = shop.events(&given.jo.token);
    stream.cart();

    server.stop(Mode::Immediate).expect("it stops");
    server.put_files_back(&files).expect("they are copied");
    server.start_again().expect("it starts again");
    wait_for_answers(&shop, &given.jo);
    assert_nobody_is_let_in(&shop, &given, &lost);
    assert_eq!(stream.signed_out()["code"], "signed_out");
    let new = assert_nothing_is_given_again(&shop, &given, &lost);
    // Prices have a version, too, and it was given before.
    import(&shop, "us", &[Row::new(THING, "2.00", 10)]);
    expect(200, &new.add(&shop, THING, 1));
    assert_eq!(prices(&shop, &new), ["2.0"; SERVERS], "not a price of the lost time");
    assert_eq!(warnings(&shop.stderr()), 1, "{}", shop.stderr());
}

/// Machines that run, that hang, and that are off: one of them sees the return, and the others
/// learn of it from the data.
#[test]
fn g10_a_return_that_one_server_sees_is_known_to_all() {
    let (shop, given, kept) = shop_with_kept_data();
    let [mut hangs, mut is_off] = [beside(&shop), beside(&shop)];
    hangs.start();
    is_off.start();
    let lost = Lost::by(&is_off, &given);
    is_off.terminate();
    let last = Customer::of_demo(&hangs, &us_phone(12));
    hangs.signal("STOP");
    kept.put_back(&shop);
    wait_for_answers(&shop, &given.jo);
    let jo = Customer::of_demo(&shop, &given.jo.phone);
    hangs.signal("CONT");
    is_off.start();
    wait_for_answers(&hangs, &jo);
    for shop in [&shop, &hangs, &is_off] {
        assert_nobody_is_let_in(shop, &given, &lost);
        assert_closed(shop, &last);
        assert_eq!(jo.get(shop, "/cart").status, 200, "a token of the new life");
    }
    let new = assert_nothing_is_given_again(&hangs, &given, &lost);
    assert!(new.id > last.id, "customer {} was given again as {}", last.id, new.id);
    let log = shop.stderr() + &hangs.stderr() + &is_off.stderr();
    assert_eq!(warnings(&log), 1, "{log}");
}

#[test]
fn g10_u7_a_database_that_is_lost_under_servers_that_run_is_not_made_anew() {
    let (shop, given, kept) = shop_with_kept_data();
    let lost = Lost::by(&shop, &given);
    lose(&shop);
    wait_until("every server to say that it is not ready", || all_ready(&shop, false));
    for _ in 0..2 * SERVERS {
        assert_eq!(given.jo.get(&shop, "/cart").status, 503);
        assert_eq!(
            shop.post("/auth/send-code").json(&json!({ "phone": us_phone(9) })).send().status,
            503
        );
    }
    kept.put_back(&shop);
    wait_for_answers(&shop, &given.jo);
    assert_nobody_is_let_in(&shop, &given, &lost);
    assert_nothing_is_given_again(&shop, &given, &lost);
}

/// A primary and a standby of it; and a shop that finds whichever of them takes writes.
fn with_standby(prepare: impl FnOnce(&Server, &Server)) -> (Server, Server, Shop) {
    let (primary, url) = server();
    let standby = primary.standby().expect("a standby");
    prepare(&primary, &standby);
    let both = format!("{},{}", primary.address(), standby.address());
    let shop = demo_at(&url.replace(&primary.address().to_string(), &both));
    (primary, standby, shop)
}

#[test]
fn g10_a_standby_that_lacks_the_last_commits_begins_a_new_life() {
    let (primary, standby, shop) = with_standby(|_, _| {});
    let given = Given::by(&shop);
    standby.catch_up_with(&primary).expect("it follows");
    standby.cut_off().expect("it hears nothing more");
    let lost = Lost::by(&shop, &given);
    primary.kill().expect("it is killed");
    standby.promote().expect("it takes over");
    wait_for_answers(&shop, &given.jo);
    assert_nobody_is_let_in(&shop, &given, &lost);
    assert_nothing_is_given_again(&shop, &given, &lost);
    assert_eq!(warnings(&shop.stderr()), 1, "{}", shop.stderr());
    assert!(shop.stderr().contains("from timeline 1 to 2"), "{}", shop.stderr());
}

#[test]
fn g10_a_synchronous_standby_takes_over_and_nobody_is_signed_out() {
    let (primary, standby, shop) = with_standby(|primary, _| {
        for sql in ["ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()"] {
            primary.query("postgres", sql).expect("a statement of ours");
        }
    });
    let given = Given::by(&shop);
    let database = shop.place().variables().remove(0).1;
    let database = database.rsplit('/').next().expect("a URL has a slash").to_owned();
    wait_until("the store to know of the standby", || {
        let known = "SELECT is_synchronous FROM evercart_us.progress";
        primary.query(&database, known).expect("a statement of ours") == [[Some("t".to_owned())]]
    });
    let had = given.jo.everything(&shop);
    primary.kill().expect("it is killed");
    standby.promote().expect("it takes over");
    wait_for_answers(&shop, &given.jo);
    assert_eq!(given.jo.everything(&shop), had, "with the token from before");
    assert_eq!(warnings(&shop.stderr()), 0, "{}", shop.stderr());
    check(&shop);
}

/// A machine that slept, or could not reach the database for a while, remembers what the others
/// gave out meanwhile.
#[test]
fn g10_u4_what_one_server_gave_out_while_another_slept_is_good_on_both() {
    let shop = Shop::demo();
    let mut other = beside(&shop);
    other.start();
    let_seconds_pass(&other, 1);
    other.signal("STOP");
    let_seconds_pass(&shop, 5);
    let jo = Customer::of_demo(&shop, &us_phone(1));
    let_seconds_pass(&shop, 3);
    other.signal("CONT");
    let_seconds_pass(&other, 3);
    for _ in 0..SERVERS {
        assert_eq!(jo.get(&other, "/cart").status, 200, "it was given out by another server");
    }
}

//! U2, G5: the way to the database breaks, or leads nowhere. A proxy breaks it at the moment that
//! matters, and nobody else uses it meanwhile.

use std::time::{Duration, Instant};

use evercart_throwaway_postgres::{Moment, Proxy, Server};
use serde_json::json;

use crate::backend::Place;
use crate::catalogue_rows::check;
use crate::customer::{Customer, checkout_body, expect, pieces, problem, retry_after, us_phone};
use crate::faults::{all_ready, server};
use crate::harness::{Answer, Request, Shop, wait_until};

/// A running demo whose servers reach their database by the proxy, and a customer who has been
/// served by each of them.
fn behind_a_proxy(variables: &[(&str, &str)]) -> (Server, Proxy, Shop, Customer) {
    let (server, url) = server();
    let proxy = Proxy::start(server.address()).expect("a proxy");
    let mut shop = Shop::prepared_at(Place::at(proxy.url(&url))).argument("--demo");
    for (name, value) in variables {
        shop = shop.variable(name, value);
    }
    shop.start();
    let jo = Customer::of_demo(&shop, &us_phone(1));
    for _ in 0..4 {
        expect(200, &jo.add(&shop, 41, 1));
        jo.cart(&shop);
    }
    (server, proxy, shop, jo)
}

fn add(shop: &Shop, jo: &Customer, key: &str) -> Request {
    let body = json!({ "sku_id": 42, "quantity": 1 });
    jo.request(shop, "POST", "/cart/items").idempotency_key(key).json(&body)
}

fn checkout(shop: &Shop, jo: &Customer, key: &str) -> Request {
    jo.request(shop, "POST", "/orders").idempotency_key(key).json(&checkout_body())
}

fn is_replayed(answer: &Answer) -> bool {
    answer.header("idempotent-replayed") == Some("true")
}

/// The moments, with whether the change was made by then.
const MOMENTS: [(Moment, bool); 2] =
    [(Moment::BeforeForwarding, false), (Moment::BeforeTheAnswer, true)];

#[test]
fn u2_g5_an_add_that_is_cut_off_is_done_once_when_it_is_repeated() {
    let (_server, proxy, shop, jo) = behind_a_proxy(&[]);
    // Several turns, so that each server is cut off at each moment.
    for turn in 0..4 {
        for (moment, happened) in MOMENTS {
            let before = pieces(&jo.cart(&shop), 42);
            let key = format!("add-{turn}-{happened}");
            proxy.cut_when_client_sends(&key, moment);
            problem(503, "store_unavailable", &add(&shop, &jo, &key).send());
            proxy.wait_until_cut().expect("it was cut");
            assert_eq!(pieces(&jo.cart(&shop), 42), before + i64::from(happened), "{moment:?}");
            let again = add(&shop, &jo, &key).send();
            assert_eq!(pieces(&expect(200, &again), 42), before + 1, "{moment:?}");
            assert_eq!(is_replayed(&again), happened, "{moment:?}");
        }
    }
    assert_eq!(pieces(&jo.cart(&shop), 42), 8);
    check(&shop);
}

#[test]
fn u2_g5_g4_a_checkout_whose_commit_is_not_answered_is_one_order_when_it_is_repeated() {
    let (_server, proxy, shop, jo) = behind_a_proxy(&[]);
    for turn in 0..2 {
        for (moment, happened) in MOMENTS {
            expect(200, &jo.add(&shop, 42, 2));
            let orders = || shop.see("/profile/orders?limit=100", &jo.token)["orders"].clone();
            let count = || orders().as_array().expect("a list").len();
            let before = count();
            let key = format!("checkout-{turn}-{happened}");
            proxy.cut_when_client_sends("COMMIT", moment);
            problem(503, "store_unavailable", &checkout(&shop, &jo, &key).send());
            proxy.wait_until_cut().expect("it was cut");
            assert_eq!(count(), before + usize::from(happened), "{moment:?}");
            let again = checkout(&shop, &jo, &key).send();
            let order = expect(201, &again);
            assert_eq!(is_replayed(&again), happened, "{moment:?}");
            assert_eq!(orders()[0]["id"], order["id"]);
            assert_eq!(count(), before + 1, "{moment:?}");
            assert_eq!(jo.cart(&shop)["items"], json!([]));
        }
    }
    check(&shop);
}

#[test]
fn u2_a_checkout_that_is_cut_off_before_its_commit_and_a_read_are_asked_again_by_the_shop() {
    let (_server, proxy, shop, jo) = behind_a_proxy(&[]);
    for turn in 0..2 {
        expect(200, &jo.add(&shop, 42, 1));
        let key = format!("begun-{turn}");
        proxy.cut_when_client_sends(&key, Moment::BeforeForwarding);
        let answer = checkout(&shop, &jo, &key).send();
        proxy.wait_until_cut().expect("it was cut");
        expect(201, &answer);
        assert!(!is_replayed(&answer), "{answer}");
        proxy.cut_when_client_sends(as_a_parameter(jo.id), Moment::BeforeForwarding);
        jo.cart(&shop);
        proxy.wait_until_cut().expect("it was cut");
    }
    let orders = shop.see("/profile/orders?limit=100", &jo.token);
    assert_eq!(orders["orders"].as_array().map(Vec::len), Some(2));
    check(&shop);
}

/// A number as it is on the wire: its length, and itself.
fn as_a_parameter(number: i64) -> Vec<u8> {
    [&8_i32.to_be_bytes()[..], &number.to_be_bytes()].concat()
}

/// A 503 of whichever kind: the database does not answer, or a request took too long.
fn assert_busy_or_away(answer: &Answer) {
    assert!(answer.status == 503 && retry_after(answer) >= 1, "{answer}");
    let code = answer.code();
    assert!(["store_unavailable", "overloaded"].contains(&&*code), "{answer}");
}

#[test]
fn u2_a_database_that_does_not_answer_holds_no_request_longer_than_its_limit() {
    const LIMIT: Duration = Duration::from_secs(1);
    let (_server, proxy, shop, jo) = behind_a_proxy(&[("EVERCART_SERVER__REQUEST_TIMEOUT", "1s")]);
    let before = pieces(&jo.cart(&shop), 42);
    proxy.stall();
    let ask: [&dyn Fn() -> Request; 5] = [
        &|| add(&shop, &jo, "stalled"),
        &|| jo.request(&shop, "GET", "/cart"),
        &|| checkout(&shop, &jo, "stalled-checkout"),
        &|| jo.request(&shop, "GET", "/products"),
        &|| shop.get("/readyz"),
    ];
    for request in ask {
        let begun = Instant::now();
        assert_busy_or_away(&request().send());
        let took = begun.elapsed();
        // What is beyond the limit is this machine's being busy.
        assert!(took < LIMIT * 3, "an answer took {took:?}");
    }
    // Connections made anew hear nothing either. After the first one of them was given up, nobody
    // waits any more.
    proxy.cut();
    wait_until("an add to fail at once", || {
        let answer = add(&shop, &jo, "stalled").send();
        assert_busy_or_away(&answer);
        answer.code() == "store_unavailable"
    });
    wait_until("a checkout to fail at once, without a wait for a connection", || {
        let answer = checkout(&shop, &jo, "stalled-checkout").send();
        assert_busy_or_away(&answer);
        answer.code() == "store_unavailable"
    });
    proxy.pass().expect("it passes");
    wait_until("every server to be ready again", || all_ready(&shop, true));
    let mut added = None;
    wait_until("an add", || {
        let answer = add(&shop, &jo, "stalled").send();
        let is_done = answer.status == 200;
        added = is_done.then_some(answer);
        is_done
    });
    let added = expect(200, &added.expect("waited for"));
    assert_eq!(pieces(&added, 42), before + 1, "however often it was asked for");
    wait_until("reads on both servers", || (0..2).all(|_| jo.get(&shop, "/cart").status == 200));
    check(&shop);
}

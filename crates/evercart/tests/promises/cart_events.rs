//! Carts that are watched: every device sees every change, whichever server made it (U4); a session
//! that is over sees nothing more (S2); and a server that stops does not wait for who watches (U3).

use std::time::{Duration, Instant};

use serde_json::json;

use crate::backend::SERVERS;
use crate::customer::{Customer, SEED_PHONE, expect, pieces, problem, us_phone};
use crate::harness::{Events, Heard, Shop, wait_until};

/// A stream from each server.
fn watch_everywhere(shop: &Shop, token: &str) -> Vec<Events> {
    (0..SERVERS).map(|_| watch(shop, token)).collect()
}

fn watch(shop: &Shop, token: &str) -> Events {
    let events = shop.events(token);
    assert_eq!(events.status, 200, "{}", events.head);
    events
}

fn open_streams(shop: &Shop) -> u64 {
    shop.counted("evercart_event_streams_open")
}

#[test]
fn u4_every_change_of_a_cart_is_seen_by_every_device_on_every_server() {
    let shop = Shop::demo();
    let jo = Customer::of_demo(&shop, &us_phone(1));
    let tablet = Customer::of_demo(&shop, &us_phone(1));
    let mut streams = watch_everywhere(&shop, &jo.token);
    streams.extend(watch_everywhere(&shop, &tablet.token));
    for stream in &streams {
        let head = stream.head.to_ascii_lowercase();
        assert!(head.contains("content-type: text/event-stream\r\n"), "{head}");
        assert!(head.contains("cache-control: private, no-cache\r\n"), "{head}");
        let cart = stream.cart();
        assert_eq!((&cart["version"], &cart["items"]), (&json!(0), &json!([])), "one at once");
    }
    let seen_by_all = |what: &str, now: &serde_json::Value| {
        for stream in &streams {
            assert_eq!(&stream.cart(), now, "{what}");
        }
    };
    let cart = expect(200, &jo.add(&shop, 42, 2));
    seen_by_all("an add", &cart);
    let line = cart["items"][0]["id"].as_i64().expect("an id");
    let path = format!("/cart/items/{line}?quantity=5");
    let cart = expect(200, &tablet.request(&shop, "PUT", &path).send());
    seen_by_all("a new quantity", &cart);
    let visitors = json!({ "items": [{ "sku_id": 1, "quantity": 1 }] });
    let mut cart = expect(200, &jo.post(&shop, "/cart/merge", &visitors));
    cart.as_object_mut().expect("a cart").remove("skipped");
    seen_by_all("a merge", &cart);
    expect(200, &jo.wish(&shop, 15));
    let moved = json!({ "sku_id": 42, "quantity": 1 });
    let cart = expect(200, &tablet.post(&shop, "/wishlist/items/15/move-to-cart", &moved));
    assert_eq!(pieces(&cart, 42), 6);
    seen_by_all("a move from the wishlist", &cart);
    expect(201, &jo.checkout(&shop));
    seen_by_all("a checkout", &jo.cart(&shop));
    expect(200, &jo.add(&shop, 42, 1));
    seen_by_all("an add", &jo.cart(&shop));
    let cart = expect(200, &jo.request(&shop, "DELETE", "/cart").send());
    seen_by_all("an emptied cart", &cart);
}

#[test]
fn u4_what_happens_while_nobody_watches_is_told_at_the_next_beginning() {
    let shop = Shop::demo();
    let jo = Customer::of_demo(&shop, &us_phone(1));
    let first = expect(200, &jo.add(&shop, 42, 1));
    let version = first["version"].to_string();
    for stream in watch_everywhere(&shop, &jo.token) {
        assert_eq!(stream.cart(), first);
    }
    for _ in 0..SERVERS {
        let again = shop.events_since(&jo.token, &version);
        assert_eq!(again.heard(), Heard::Comment, "nothing has changed since");
        drop(again);
    }
    let second = expect(200, &jo.add(&shop, 42, 1));
    for _ in 0..SERVERS {
        assert_eq!(shop.events_since(&jo.token, &version).cart(), second);
        assert_eq!(shop.events_since(&jo.token, "not-ours").cart(), second);
    }
}

#[test]
fn s1_nobody_watches_another_ones_cart() {
    let shop = Shop::demo();
    let ada = Customer::of_demo(&shop, &us_phone(1));
    let bea = Customer::of_demo(&shop, &us_phone(2));
    let streams = watch_everywhere(&shop, &ada.token);
    for stream in &streams {
        assert_eq!(stream.cart()["user_id"], ada.id);
    }
    expect(200, &bea.add(&shop, 42, 1));
    for stream in &streams {
        assert!(stream.is_quiet_for(Duration::from_millis(1_500)), "Ada hears of Bea");
    }
    for token in ["", "garbage"] {
        assert_eq!(shop.events(token).status, 401);
    }
}

#[test]
fn s2_a_stream_ends_when_its_customer_logs_out_anywhere() {
    let shop = Shop::demo();
    let phone = Customer::with_code(&shop, SEED_PHONE, "123456");
    let tablet = Customer::with_code(&shop, SEED_PHONE, "654321");
    let mut streams = watch_everywhere(&shop, &phone.token);
    streams.extend(watch_everywhere(&shop, &tablet.token));
    streams.iter().for_each(|stream| drop(stream.cart()));
    expect(200, &phone.request(&shop, "POST", "/auth/logout").send());
    for stream in &streams {
        let why = stream.signed_out();
        assert_eq!(why, json!({ "code": "signed_out", "detail": "User account is inactive" }));
    }
    problem(401, "signed_out", &phone.get(&shop, "/cart/events"));
    wait_until("the streams to be forgotten", || open_streams(&shop) == 0);
}

#[test]
fn s2_a_stream_never_shows_what_was_changed_after_its_customer_logged_out() {
    let shop = Shop::demo();
    for _ in 0..10 {
        let stolen = Customer::with_code(&shop, SEED_PHONE, "123456");
        let streams = watch_everywhere(&shop, &stolen.token);
        let version = |cart: serde_json::Value| cart["version"].as_i64().expect("a version");
        let before = version(expect(200, &stolen.add(&shop, 42, 1)));
        expect(200, &stolen.request(&shop, "POST", "/auth/logout").send());
        let owner = Customer::with_code(&shop, SEED_PHONE, "654321");
        expect(200, &owner.add(&shop, 42, 1));
        expect(200, &owner.request(&shop, "DELETE", "/cart").send());
        for stream in &streams {
            loop {
                let event = stream.next();
                if event.name == "signed_out" {
                    break;
                }
                assert!(version(event.data) <= before, "a dead session saw a change");
            }
            assert_eq!(stream.heard(), Heard::End);
        }
    }
}

#[test]
fn s2_a_stream_ends_when_an_operator_blocks_its_customer() {
    let shop = Shop::demo();
    let jo = Customer::of_demo(&shop, &us_phone(1));
    let streams = watch_everywhere(&shop, &jo.token);
    streams.iter().for_each(|stream| drop(stream.cart()));
    shop.run_ok(&["user", "block", &jo.phone, "--market", "us"]);
    for stream in &streams {
        let why = stream.signed_out();
        assert_eq!(why, json!({ "code": "user_blocked", "detail": "User account is blocked" }));
    }
}

#[test]
fn s2_a_stream_ends_with_its_token() {
    let shop = Shop::demo_with(&[("EVERCART_AUTH__TOKEN_LIFETIME", "3s")]);
    let jo = Customer::of_demo(&shop, &us_phone(1));
    let stream = watch(&shop, &jo.token);
    stream.cart();
    let why = stream.signed_out();
    assert_eq!(why, json!({ "code": "token_expired", "detail": "Token expired" }));
}

#[test]
fn u1_streams_have_room_of_their_own_and_leave_it_to_others() {
    let shop = Shop::demo_with(&[
        ("EVERCART_SERVER__STREAMS_MAX", "2"),
        ("EVERCART_SERVER__REQUESTS_MAX", "1"),
    ]);
    let jo = Customer::of_demo(&shop, &us_phone(1));
    let mut streams = watch_everywhere(&shop, &jo.token);
    streams.extend(watch_everywhere(&shop, &jo.token));
    streams.iter().for_each(|stream| drop(stream.cart()));
    assert_eq!(open_streams(&shop), 2 * SERVERS as u64);
    for _ in 0..SERVERS {
        problem(503, "overloaded", &jo.get(&shop, "/cart/events"));
        // A stream is not a request at work.
        expect(200, &jo.get(&shop, "/cart"));
        expect(200, &jo.add(&shop, 42, 1));
    }
    drop(streams);
    wait_until("room again", || open_streams(&shop) == 0);
    for stream in watch_everywhere(&shop, &jo.token) {
        assert_eq!(pieces(&stream.cart(), 42), SERVERS as i64);
    }
}

#[test]
fn a_stream_shows_that_it_is_alive() {
    let shop = Shop::demo();
    let jo = Customer::of_demo(&shop, &us_phone(1));
    let begun = Instant::now();
    let stream = watch(&shop, &jo.token);
    stream.cart();
    assert_eq!(stream.heard(), Heard::Comment);
    let waited = begun.elapsed();
    assert!((15..=28).contains(&waited.as_secs()), "a sign of life after {waited:?}");
}

#[test]
fn u3_a_server_that_stops_tells_who_watches_to_come_back() {
    let mut shop = Shop::demo();
    let jo = Customer::of_demo(&shop, &us_phone(1));
    let streams = watch_everywhere(&shop, &jo.token);
    streams.iter().for_each(|stream| drop(stream.cart()));
    let begun = Instant::now();
    let output = shop.terminate();
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(8), "streams held the stop up for {took:?}");
    for stream in &streams {
        assert_eq!(stream.heard(), Heard::Comment);
        assert_eq!(stream.heard(), Heard::Retry(1000));
        assert_eq!(stream.heard(), Heard::End);
    }
    shop.start();
    assert_eq!(watch(&shop, &jo.token).cart()["version"], 0);
}

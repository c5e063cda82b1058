//! U6: one customer, or a crowd of nobodies, does not stop the others. Each flood is one that once
//! did; while it is on, another customer's cart is answered, every time. How quickly is for the
//! bench to say.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::backend::SERVERS;
use crate::customer::{Customer, expect, problem, us_phone};
use crate::harness::{PATIENCE, Shop, wait_until};

/// How often the neighbour asks for the cart once a flood is on.
const ASKED_MIN: usize = 20;

/// What the flood may cost a server's memory, in bytes: a fifth of what the first one did cost.
const MEMORY_MAX: usize = 40 << 20;

/// Lets another customer ask for a cart again and again, before a flood begins, and while it is
/// on: until what it opened is dropped.
fn while_flooded<T>(shop: &Shop, flood: impl FnOnce() -> T) {
    let neighbour = Customer::of_demo(shop, &us_phone(9_000));
    expect(200, &neighbour.add(shop, 42, 3));
    let (asked, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let neighbour = scope.spawn(|| {
            while !is_over.load(Ordering::SeqCst) {
                let cart = expect(200, &neighbour.get(shop, "/cart"));
                assert_eq!(cart["total_items"], 3);
                asked.fetch_add(1, Ordering::SeqCst);
            }
        });
        let over = OverAtEnd(&is_over);
        let held = flood();
        let before = asked.load(Ordering::SeqCst);
        wait_until("the neighbour to be served", || {
            neighbour.is_finished() || asked.load(Ordering::SeqCst) >= before + ASKED_MIN
        });
        drop(held);
        drop(over);
    });
}

/// Ends the asking also when the flood's own assertions fail, so that the failure is seen.
struct OverAtEnd<'a>(&'a AtomicBool);

impl Drop for OverAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// A connection to the server whose turn it is.
fn connect(shop: &Shop) -> TcpStream {
    let address = shop.url("").replace("http://", "");
    let connection = TcpStream::connect(address).expect("the server listens");
    connection.set_read_timeout(Some(PATIENCE)).expect("a socket");
    connection
}

/// True if the server closed it, whatever it sent before.
fn is_closed(connection: &mut TcpStream) -> bool {
    let mut chunk = [0; 16 * 1024];
    loop {
        match connection.read(&mut chunk) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return error.kind() == ErrorKind::ConnectionReset,
        }
    }
}

/// Memory of the first server, in bytes.
fn resident(shop: &Shop) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", shop.running().id()));
    let status = status.expect("the server runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
    let kilobytes = line.trim().trim_end_matches(" kB").parse::<usize>().expect("a number");
    kilobytes * 1024
}

fn connections(shop: &Shop) -> u64 {
    shop.counted("evercart_connections_open")
}

fn streams(shop: &Shop) -> u64 {
    shop.counted("evercart_event_streams_open")
}

#[test]
fn u6_heads_that_never_end_cost_little_and_nobody_else() {
    let shop = Shop::demo();
    while_flooded(&shop, || {
        let before = resident(&shop);
        let head = format!("GET /cart HTTP/1.1\r\nHost: x\r\nX-Long: {}", "x".repeat(31_000));
        let mut held: Vec<_> = (0..500).map(|_| connect(&shop)).collect();
        for connection in &mut held {
            connection.write_all(head.as_bytes()).expect("the server reads");
        }
        wait_until("all to be let in", || connections(&shop) >= 500);
        let grown = resident(&shop).saturating_sub(before);
        assert!(grown < MEMORY_MAX, "{} MB for 500 unfinished heads", grown >> 20);
        held
    });
    let mut connection = connect(&shop);
    let head = format!("GET /cart HTTP/1.1\r\nHost: x\r\nX-Long: {}", "x".repeat(33_000));
    connection.write_all(head.as_bytes()).expect("the server reads");
    let mut status = [0; 12];
    connection.read_exact(&mut status).expect("an answer though the head has no end");
    assert_eq!(&status, b"HTTP/1.1 431");
}

#[test]
fn u6_connections_beyond_the_room_are_closed_and_those_within_it_served() {
    let shop = Shop::demo_with(&[("EVERCART_SERVER__CONNECTIONS_MAX", "40")]);
    // The servers are asked in turn, and both keep the neighbour's connection.
    let begun: Vec<_> = (0..SERVERS).map(|_| expect(200, &shop.get("/healthz").send())).collect();
    while_flooded(&shop, || {
        let mut held: Vec<_> = (0..60 * SERVERS).map(|_| connect(&shop)).collect();
        wait_until("some to be refused", || {
            shop.counted("evercart_connections_refused_total{reason=\"all\"}") > 0
        });
        assert!(connections(&shop) <= 40 * SERVERS as u64);
        assert!(is_closed(held.last_mut().expect("one")), "the last found no room");
        wait_until("a word of it in the log", || {
            shop.stderr().contains("connections were refused")
        });
        (held, begun.len())
    });
    wait_until("room again", || shop.get("/healthz").try_send().is_ok_and(|a| a.status == 200));
}

/// The flood's requests, one behind the other on a connection; answers of a megabyte and more.
fn many_requests() -> String {
    let request = "GET /products?limit=100 HTTP/1.1\r\nHost: x\r\nX-Market: us\r\n";
    format!("{}{request}Connection: close\r\n\r\n", format!("{request}\r\n").repeat(99))
}

#[test]
fn u6_a_client_that_does_not_take_its_answer_is_cut_off() {
    let shop = Shop::demo_with(&[("EVERCART_SERVER__SEND_TIMEOUT", "2s")]);
    while_flooded(&shop, || {
        let mut held: Vec<_> = (0..60).map(|_| connect(&shop)).collect();
        for connection in &mut held {
            connection.write_all(many_requests().as_bytes()).expect("the server reads");
        }
        wait_until("all to be let in", || connections(&shop) >= 60);
        // The connections of others end by themselves when nothing is asked on them.
        wait_until("all to be cut off", || connections(&shop) < 30);
        held
    });
}

#[test]
fn u6_a_slow_client_that_goes_on_taking_its_answer_gets_all_of_it() {
    let shop = Shop::demo_with(&[("EVERCART_SERVER__SEND_TIMEOUT", "2s")]);
    let mut connection = connect(&shop);
    connection.write_all(many_requests().as_bytes()).expect("the server reads");
    let (mut chunk, mut taken, begun) = (vec![0; 64 * 1024], Vec::new(), Instant::now());
    loop {
        match connection.read(&mut chunk).expect("the answers go on") {
            0 => break,
            bytes => taken.extend_from_slice(&chunk[..bytes]),
        }
        // Much longer in all than a client may take nothing.
        std::thread::sleep(Duration::from_millis(300)); // poll: a slow client, not a wait
    }
    assert!(begun.elapsed() > Duration::from_secs(4), "it took too much at once to show anything");
    let answers = String::from_utf8(taken).expect("UTF-8").matches("HTTP/1.1 200 OK").count();
    assert_eq!(answers, 100);
}

#[test]
fn u6_an_answer_left_where_it_is_on_http2_ends_its_connection() {
    let shop = Shop::demo_with(&[("EVERCART_SERVER__SEND_TIMEOUT", "2s")]);
    let jo = Customer::of_demo(&shop, &us_phone(1));
    for path in ["/products?limit=100", "/cart/events"] {
        let mut connection = connect(&shop);
        connection.write_all(&http2_without_window(path, &jo.token)).expect("the server reads");
        assert!(is_closed(&mut connection), "{path}");
    }
    wait_until("the stream to be forgotten", || streams(&shop) == 0);
}

/// An HTTP/2 client that asks for something and never allows a byte of an answer to be sent:
/// RFC 9113 sections 3.4, 4.1, 6.2, 6.5.2; the head as RFC 7541 section 6.2.1 writes literals.
fn http2_without_window(path: &str, token: &str) -> Vec<u8> {
    const INITIAL_WINDOW_SIZE: u8 = 4;
    let frame = |kind: u8, flags: u8, stream: u8, payload: &[u8]| {
        let length = u32::try_from(payload.len()).expect("a short frame").to_be_bytes();
        let head = [length[1], length[2], length[3], kind, flags, 0, 0, 0, stream];
        [&head, payload].concat()
    };
    // `GET` and `http` are in the static table; names are there at 1, 4 and 23.
    let mut head = vec![0x82, 0x86];
    for (name, value) in [(1, "shop"), (4, path), (23, &format!("Bearer {token}"))] {
        head.push(0x40 | name);
        let mut length = value.len();
        if length < 127 {
            head.push(length as u8);
        } else {
            head.push(127);
            length -= 127;
            while length >= 128 {
                head.push((length % 128) as u8 | 128);
                length /= 128;
            }
            head.push(length as u8);
        }
        head.extend_from_slice(value.as_bytes());
    }
    let settings = frame(4, 0, 0, &[0, INITIAL_WINDOW_SIZE, 0, 0, 0, 0]);
    [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".as_slice(), &settings, &frame(1, 5, 1, &head)].concat()
}

/// A customer with a cart of many lines, and streams of its changes that nobody reads.
fn with_unread_streams(shop: &Shop, count: usize) -> (Customer, Vec<TcpStream>) {
    let jo = Customer::of_demo(shop, &us_phone(1));
    let lines: Vec<_> = (1..=60).map(|sku| json!({ "sku_id": sku, "quantity": 1 })).collect();
    expect(200, &jo.post(shop, "/cart/merge", &json!({ "items": lines })));
    let request = format!(
        "GET /cart/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\r\n",
        jo.token
    );
    let mut held: Vec<_> = (0..count).map(|_| connect(shop)).collect();
    for connection in &mut held {
        connection.write_all(request.as_bytes()).expect("the server reads");
    }
    wait_until("the streams to be open", || streams(shop) == count as u64);
    // So much that nobody on the way keeps it for the client: the next event has to wait.
    for quantity in 1..=100 {
        expect(200, &jo.add(shop, 42, 1));
        assert!(quantity <= 999);
    }
    (jo, held)
}

#[test]
fn u6_streams_that_nobody_reads_do_not_outlive_their_session() {
    let shop = Shop::demo_with(&[("EVERCART_SERVER__SEND_TIMEOUT", "1h")]);
    while_flooded(&shop, || {
        let (jo, mut held) = with_unread_streams(&shop, 60);
        assert_eq!(streams(&shop), 60, "a session that goes on keeps them");
        expect(200, &jo.request(&shop, "POST", "/auth/logout").send());
        wait_until("the streams' places", || streams(&shop) == 0);
        assert!(held.iter_mut().all(is_closed), "their connections end, too");
        let again = Customer::of_demo(&shop, &us_phone(1));
        problem(401, "signed_out", &jo.get(&shop, "/cart/events"));
        expect(200, &again.get(&shop, "/cart"));
        held
    });
}

#[test]
fn s2_no_stream_goes_on_when_the_key_of_its_token_is_removed() {
    let shop = Shop::demo_with(&[("EVERCART_SERVER__SEND_TIMEOUT", "1h")]);
    let (jo, unread) = with_unread_streams(&shop, 4);
    let read: Vec<_> = (0..SERVERS).map(|_| shop.events(&jo.token)).collect();
    read.iter().for_each(|stream| drop(stream.cart()));
    shop.run_ok(&["keys", "rotate"]);
    wait_until("the new key to sign", || {
        let key_of = |token: &str| token.split('.').next().expect("a header").to_owned();
        key_of(&shop.sign_in(&us_phone(2))) != key_of(&jo.token)
    });
    assert!(read[0].is_quiet_for(Duration::from_millis(1_500)), "the earlier key still verifies");
    let path = shop.data().join("keys.json");
    let text = std::fs::read_to_string(&path).expect("the keys");
    let mut keys: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    keys["token_keys"].as_array_mut().expect("keys").truncate(1);
    std::fs::write(&path, keys.to_string()).expect("our own file");
    for stream in &read {
        assert_eq!(stream.signed_out()["code"], "token_invalid");
    }
    wait_until("all places", || streams(&shop) == 0);
    drop(unread);
}

#[test]
fn u6_refusals_do_not_fill_the_log() {
    const REFUSALS: u64 = 3_000;
    let shop = Shop::demo();
    let jo = Customer::of_demo(&shop, &us_phone(1));
    let flooder = Customer::of_demo(&shop, &us_phone(2));
    while_flooded(&shop, || {
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..REFUSALS / 4 {
                        problem(401, "not_authenticated", &shop.get("/wishlist").send());
                        problem(404, "not_found", &flooder.get(&shop, "/orders/1"));
                    }
                });
            }
        });
    });
    for _ in 0..100 {
        problem(404, "not_found", &jo.get(&shop, "/profile/orders/1"));
    }
    let counted = |route: &str, status: u16| {
        let labels = format!("method=\"GET\",route=\"{route}\",status=\"{status}\"");
        shop.counted(&format!("evercart_requests_total{{{labels}}}"))
    };
    assert_eq!(counted("/wishlist", 401), REFUSALS, "the counter knows each");
    assert_eq!(counted("/orders/{id}", 404), REFUSALS);
    assert_eq!(counted("/profile/orders/{id}", 404), 100);
    let left_out = shop.counted("evercart_log_lines_left_out_total");
    let said_left_out = || -> u64 {
        let stderr = shop.stderr();
        let said = stderr.lines().filter(|line| line.contains("than the log has lines for"));
        let number = |line: &str| {
            let digits = line.rsplit_once("lines=").expect("a number").1;
            digits.split(|c: char| !c.is_ascii_digit()).next()?.parse::<u64>().ok()
        };
        said.filter_map(number).sum()
    };
    wait_until("the log to say how many it left out", || said_left_out() == left_out);
    let stderr = shop.stderr();
    let lines = |what: &str| stderr.lines().filter(|line| line.contains(what)).count() as u64;
    let (of_nobody, of_flooder) = (lines("not_authenticated"), lines("\"/orders/{id}\""));
    assert_eq!(of_nobody + of_flooder + left_out, 2 * REFUSALS);
    assert!(of_nobody < REFUSALS / 2, "{of_nobody} lines about requests without a token");
    assert!(of_flooder < REFUSALS, "{of_flooder} lines about one customer's");
    assert_eq!(lines("/profile/orders/{id}"), 100, "a customer's own refusals have their lines");
}

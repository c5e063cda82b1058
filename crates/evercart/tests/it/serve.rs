//! Starting, refusing to start, and stopping.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use crate::harness::{Shop, wait_until};

/// What the server says when it does not start.
fn refusal(shop: &mut Shop) -> String {
    match shop.try_start() {
        Ok(()) => panic!("it must not start"),
        Err(failed) => {
            assert_ne!(failed.0.code, Some(0));
            failed.0.stderr
        }
    }
}

#[test]
fn a_port_in_use_is_named_with_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("bound").to_string();
    let mut shop = Shop::prepared().argument("--listen").argument(&address);
    let text = refusal(&mut shop);
    assert!(text.contains(&format!("error: {address} is in use by another program")), "{text}");
    assert!(text.contains("hint: --listen 127.0.0.1:0 picks a free port"), "{text}");
    assert!(!shop.data().exists(), "nothing may be written by a server that does not start");
}

#[test]
fn a_data_directory_that_cannot_be_written_is_named() {
    let shop = Shop::prepared();
    shop.write("evercart-data", "a file where a directory should be");
    let mut shop = shop;
    let text = refusal(&mut shop);
    assert!(text.contains("the data directory evercart-data cannot be written"), "{text}");
}

#[test]
fn a_second_server_on_the_same_data_is_refused() {
    let shop = Shop::demo();
    let output = shop.run(&["serve", "--demo", "--listen", "127.0.0.1:0"]);
    assert_eq!(output.code, Some(1));
    let holder = format!("another evercart (process {}) serves", shop.running().id());
    assert!(output.stderr.contains(&holder), "{}", output.stderr);
}

#[test]
fn a_bad_certificate_is_named_before_anything_is_served() {
    let shop = Shop::prepared();
    shop.write("cert.pem", "not a certificate");
    shop.write("key.pem", "not a key");
    let mut shop = shop.config("[server]\ntls_cert = \"cert.pem\"\ntls_key = \"key.pem\"\n");
    let text = refusal(&mut shop);
    assert!(text.contains("server.tls_cert: there is no certificate in cert.pem"), "{text}");
}

#[test]
fn sigterm_and_sigint_end_the_server_well() {
    let mut shop = Shop::demo();
    let output = shop.terminate();
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    shop.start();
    shop.running().signal("INT");
    let output = shop.wait();
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert!(output.stderr.contains("everything is on disk"), "{}", output.stderr);
    let left: Vec<_> = std::fs::read_dir(shop.data())
        .expect("the data directory")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("text"))
        .filter(|name| name.ends_with("-wal"))
        .filter(|name| std::fs::metadata(shop.data().join(name)).expect("there").len() > 0)
        .collect();
    assert!(left.is_empty(), "a stopped server leaves nothing in a log: {left:?}");
}

/// The beginning of a request whose end the server waits for.
fn half_a_request(shop: &Shop) -> TcpStream {
    let address = shop.running().base_url.replace("http://", "");
    let mut connection = TcpStream::connect(address).expect("it listens");
    let head = "POST /auth/send-code HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
        Content-Length: 25\r\n\r\n{\"phone\": ";
    connection.write_all(head.as_bytes()).expect("sent");
    // A request that is answered on another connection: by then the half one has arrived.
    assert_eq!(shop.get("/healthz").send().status, 200);
    connection
}

fn tell_to_stop(shop: &Shop) {
    shop.running().signal("TERM");
    wait_until("it stops accepting", || shop.get("/healthz").try_send().is_err());
}

/// U3: stop accepting, finish what runs, exit 0.
#[test]
fn a_stop_waits_for_a_request_that_runs() {
    let mut shop = Shop::demo();
    let mut connection = half_a_request(&shop);
    tell_to_stop(&shop);
    connection.write_all(b"\"+13128059851\"}").expect("still connected");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let output = shop.wait();
    assert_eq!(output.code, Some(0), "{}", output.stderr);
}

/// U3: within the grace time.
#[test]
fn a_stop_waits_no_longer_than_the_grace_time() {
    let mut shop = Shop::demo_with(&[("EVERCART_SERVER__GRACE", "200ms")]);
    let _connection = half_a_request(&shop);
    shop.running().signal("TERM");
    let output = shop.wait();
    assert_eq!(output.code, Some(0), "{}", output.stderr);
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let mut shop = Shop::demo_with(&[("EVERCART_SERVER__GRACE", "1h")]);
    let _connection = half_a_request(&shop);
    tell_to_stop(&shop);
    shop.running().signal("TERM");
    let output = shop.wait();
    assert_eq!(output.code, Some(1), "{}", output.stderr);
    assert!(output.stderr.contains("stopped without waiting"), "{}", output.stderr);
}

#[test]
fn a_real_shop_warns_that_codes_are_only_logged() {
    let mut shop = Shop::prepared();
    shop.start();
    let output = shop.terminate();
    assert!(output.stderr.contains("sms.provider is log"), "{}", output.stderr);
    assert!(!output.stderr.contains("plain HTTP"), "{}", output.stderr);
}

#[test]
fn plain_http_beyond_loopback_is_warned_of() {
    let mut shop = Shop::prepared().argument("--listen").argument("0.0.0.0:0");
    shop.start();
    let output = shop.terminate();
    assert!(output.stderr.contains("answers plain HTTP to other machines"), "{}", output.stderr);
}

#[test]
fn log_lines_can_be_json() {
    let mut shop = Shop::prepared().config("[log]\nformat = \"json\"\n");
    shop.start();
    let output = shop.terminate();
    let mut lines = output.stderr.lines().peekable();
    assert!(lines.peek().is_some());
    for line in lines {
        let line: serde_json::Value = serde_json::from_str(line).expect("a JSON object a line");
        assert!(line["level"].is_string() && line["timestamp"].is_string(), "{line}");
    }
}

#[test]
fn a_taken_default_metrics_port_is_no_reason_not_to_start() {
    // Two shops that configure nothing: whichever port is free, both start.
    let start = || {
        let mut shop = Shop::prepared().without_metrics_port();
        shop.start();
        shop
    };
    let (first, second) = (start(), start());
    assert_eq!(first.get("/healthz").send().status, 200);
    assert_eq!(second.get("/healthz").send().status, 200);
    assert!(second.running().internal_url.is_none() || first.running().internal_url.is_none());
}

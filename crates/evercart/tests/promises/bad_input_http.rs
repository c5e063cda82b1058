//! S6: what is not even proper HTTP does no harm, and whoever is refused hears why.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use crate::customer::{Customer, expect, us_phone};
use crate::harness::{PATIENCE, Shop};

/// A customer with two pieces of SKU 42.
fn shop_and_customer() -> (Shop, Customer) {
    let shop = Shop::demo();
    let jo = Customer::of_demo(&shop, &us_phone(1));
    expect(200, &jo.add(&shop, 42, 2));
    (shop, jo)
}

fn connect(shop: &Shop) -> TcpStream {
    let stream = TcpStream::connect(shop.url("").replace("http://", ""));
    stream.expect("the server listens")
}

/// Sends bytes and hangs up, and returns what comes back, which may be nothing.
fn raw(shop: &Shop, bytes: &[u8]) -> String {
    let mut stream = connect(shop);
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
    // A server that has heard enough may hang up in the middle.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn s6_broken_http_does_no_harm() {
    let (shop, jo) = shop_and_customer();
    let had = jo.everything(&shop);
    let auth = format!("Authorization: Bearer {}\r\n", jo.token);
    let huge = "x".repeat(1 << 20);
    let many: String = (0..500).map(|n| format!("X-Header-{n}: x\r\n")).collect();
    let post =
        format!("POST /cart/items HTTP/1.1\r\nHost: x\r\n{auth}Content-Type: application/json\r\n");
    let requests: Vec<Vec<u8>> = vec![
        b"garbage\r\n\r\n".to_vec(),
        b"GET\r\n\r\n".to_vec(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        vec![0; 4096],
        format!("GET /cart HTTP/1.1\r\nHost: x\r\nX-Huge: {huge}\r\n\r\n").into_bytes(),
        format!("GET /cart?{huge} HTTP/1.1\r\nHost: x\r\n\r\n").into_bytes(),
        format!("GET /cart HTTP/1.1\r\nHost: x\r\n{many}\r\n").into_bytes(),
        format!("{post}Content-Length: 100\r\n\r\n{{\"sku_id\":42").into_bytes(),
        format!("{post}Content-Length: -5\r\n\r\n{{\"sku_id\":42}}").into_bytes(),
        format!("{post}Content-Length: 13\r\nContent-Length: 5\r\n\r\n{{\"sku_id\":42}}")
            .into_bytes(),
        format!("{post}Transfer-Encoding: chunked\r\n\r\nZZ\r\n{{\"sku_id\":42}}\r\n0\r\n\r\n")
            .into_bytes(),
        format!("{post}Transfer-Encoding: chunked\r\n\r\nD\r\n{{\"sku_id\":42}}\r\n").into_bytes(),
    ];
    for request in &requests {
        let answer = raw(&shop, request);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    let mut stream = connect(&shop);
    let market = b"GET /products HTTP/1.1\r\nHost: x\r\nX-Market: \xff\xfe\r\n\r\n";
    stream.write_all(market).expect("sent");
    assert!(read_answer(&mut stream).contains("market_unknown"));
    assert_eq!(jo.everything(&shop), had, "nothing has changed");
    expect(200, &shop.get("/healthz").send());
}

/// RFC 9112 section 3.2.
#[test]
fn s6_an_http_1_1_request_names_one_host() {
    let (shop, _) = shop_and_customer();
    let ask = |request: &str| {
        let mut stream = connect(&shop);
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        stream.write_all(request.as_bytes()).expect("sent");
        read_answer(&mut stream)
    };
    for hosts in ["", "Host: a.example\r\nHost: b.example\r\n"] {
        for path in ["/healthz", "/cart", "/nothing"] {
            let answer = ask(&format!("GET {path} HTTP/1.1\r\n{hosts}\r\n"));
            assert!(answer.starts_with("http/1.1 400 "), "{answer}");
            assert!(answer.contains("\"code\":\"host_required\""), "{answer}");
            let sentence = "An HTTP/1.1 request has one Host header, such as Host: shop.example.";
            assert!(answer.contains(sentence), "{answer}");
        }
    }
    // HTTP/1.0 knows no such header.
    let answer = ask("GET /healthz HTTP/1.0\r\n\r\n");
    assert!(answer.starts_with("http/1.0 200 "), "{answer}");
}

/// Reads one answer to its end, as its `Content-Length` says; what came of it if there is no more.
fn read_answer(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let mut byte = [0];
    while !answer.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
        answer.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&answer).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.and_then(|text| text.parse().ok()).unwrap_or(0)];
    let _ = stream.read_exact(&mut body);
    head + &String::from_utf8_lossy(&body)
}

/// Many clients send a body after the head, in a packet of its own. One who is refused on account
/// of the head must still hear so, and must not find the connection closed behind its back.
#[test]
fn s6_a_refusal_is_heard_although_the_body_comes_after_it() {
    let (shop, jo) = shop_and_customer();
    let body = "{\"sku_id\":42,\"quantity\":2}";
    let expired = format!("Authorization: Bearer {}x\r\n", jo.token);
    let good = format!("Authorization: Bearer {}\r\n", jo.token);
    for (path, header, status) in [
        ("/cart/items", "", 401),
        ("/cart/items", expired.as_str(), 401),
        ("/cart/items", "X-Market: nowhere\r\n", 401),
        ("/orders", &format!("{good}X-Market: kg\r\n"), 400),
        ("/nothing", "", 404),
        ("/healthz", "", 405),
    ] {
        let mut stream = connect(&shop);
        stream.set_nodelay(true).expect("a socket");
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\n{header}Content-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).expect("sent");
        // Gives the server the time to answer the head alone, if it wants to.
        stream.set_read_timeout(Some(Duration::from_millis(200))).expect("a socket");
        let early = stream.peek(&mut [0]);
        let waits =
            early.is_err_and(|e| matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut));
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        let sent = stream.write_all(body.as_bytes());
        let refusal = read_answer(&mut stream);
        assert!(refusal.starts_with(&format!("http/1.1 {status} ")), "{path}: {sent:?} {refusal}");
        if refusal.contains("\r\nconnection: close\r\n") {
            continue;
        }
        let next = stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
        let answer = read_answer(&mut stream);
        assert!(
            answer.starts_with("http/1.1 200"),
            "{path} {header}: the connection was closed without a word (it waited for the body: \
             {waits}; {next:?}): {answer:?}"
        );
    }
}

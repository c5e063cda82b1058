//! The ways in which the proxy breaks the connection, each seen from both of its ends.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use evercart_throwaway_postgres::{Moment, Proxy, fresh_database, shared};
use tokio_postgres::Client;

use crate::connect;

/// Longer than any answer takes, and shorter than a test may.
const A_WHILE: Duration = Duration::from_millis(300);
const PATIENCE: Duration = Duration::from_secs(30);

/// A proxy before the shared server, and the URL of a fresh database through it and directly.
fn proxy() -> (Proxy, String, String) {
    let direct = fresh_database();
    let proxy = Proxy::start(shared().address()).expect("a port is free");
    let through = proxy.url(&direct);
    (proxy, through, direct)
}

async fn number(client: &Client, sql: &str) -> Result<i64, tokio_postgres::Error> {
    client.query_one(sql, &[]).await.map(|row| row.get(0))
}

const ONE: &str = "SELECT 1::bigint";

#[test]
fn a_url_is_changed_in_its_authority_only() {
    let proxy = Proxy::start(([127, 0, 0, 1], 1).into()).unwrap();
    let address = proxy.address();
    let changed = proxy.url("postgres://a:b@127.0.0.1:5/c?application_name=d@e");
    assert_eq!(changed, format!("postgres://a:b@{address}/c?application_name=d@e"));
}

#[tokio::test]
async fn a_cut_ends_what_is_open_and_nothing_else() {
    let (proxy, through, direct) = proxy();
    let (one, other) = (connect(&through).await.unwrap(), connect(&direct).await.unwrap());
    assert_eq!(number(&one, ONE).await.unwrap(), 1);
    assert_eq!(proxy.connections(), 1);
    proxy.cut();
    assert_eq!(proxy.connections(), 0);
    assert!(number(&one, ONE).await.unwrap_err().is_closed());
    assert_eq!(number(&other, ONE).await.unwrap(), 1);
    assert_eq!(number(&connect(&through).await.unwrap(), ONE).await.unwrap(), 1);
}

#[tokio::test]
async fn refusing_keeps_new_ones_out_and_old_ones_in() {
    let (proxy, through, _) = proxy();
    let old = connect(&through).await.unwrap();
    for _ in 0..3 {
        proxy.refuse().unwrap();
        let refused = TcpStream::connect(proxy.address()).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        assert_eq!(number(&old, ONE).await.unwrap(), 1);
        proxy.pass().unwrap();
        assert_eq!(number(&connect(&through).await.unwrap(), ONE).await.unwrap(), 1);
    }
    proxy.refuse().unwrap();
}

#[tokio::test]
async fn what_is_stalled_arrives_later() {
    let (proxy, through, _) = proxy();
    let old = connect(&through).await.unwrap();
    proxy.stall();
    {
        let mut waiting = std::pin::pin!(number(&old, ONE));
        assert!(tokio::time::timeout(A_WHILE, &mut waiting).await.is_err());
        assert!(tokio::time::timeout(A_WHILE, connect(&through)).await.is_err());
        // It is accepted all the same.
        TcpStream::connect(proxy.address()).unwrap();
        proxy.pass().unwrap();
        assert_eq!(waiting.await.unwrap(), 1);
    }
    proxy.stall();
    let mut waiting = std::pin::pin!(number(&old, ONE));
    assert!(tokio::time::timeout(A_WHILE, &mut waiting).await.is_err());
    proxy.cut();
    assert!(waiting.await.is_err(), "a cut ends what is stalled");
}

#[tokio::test]
async fn a_delay_counts_in_both_directions() {
    let (proxy, through, _) = proxy();
    let client = connect(&through).await.unwrap();
    proxy.delay(A_WHILE);
    let begun = Instant::now();
    client.batch_execute("SELECT").await.unwrap();
    assert!(begun.elapsed() >= 2 * A_WHILE, "{:?}", begun.elapsed());
}

#[test]
fn exactly_so_many_bytes_reach_the_server() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let proxy = Proxy::start(listener.local_addr().unwrap()).unwrap();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut received = Vec::new();
        stream.read_to_end(&mut received).map(|_| received)
    });
    let mut client = TcpStream::connect(proxy.address()).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    proxy.cut_after_bytes_to_server(100_001);
    let sent: Vec<_> = (0..150_000_u32).map(|count| count as u8).collect();
    // The system takes what it has room for, or reports the cut.
    let _ = client.write_all(&sent);
    proxy.wait_until_cut().unwrap();
    assert!(server.join().unwrap().unwrap() == sent[..100_001]);
    // The end, or a reset where unread bytes were thrown away.
    assert!(!matches!(client.read(&mut [0]), Ok(1)));
}

/// Inserts in a transaction whose COMMIT is cut, and returns what is there afterwards.
async fn count_after_cut_commit(moment: Moment) -> i64 {
    let (proxy, through, direct) = proxy();
    let other = connect(&direct).await.expect("the server runs");
    other.batch_execute("CREATE TABLE orders (id int)").await.expect("it is a fresh database");
    let client = connect(&through).await.expect("the proxy passes");
    client.batch_execute("BEGIN; INSERT INTO orders VALUES (1)").await.expect("it passes");
    proxy.cut_when_client_sends("COMMIT", moment);
    let bystander = connect(&through).await.expect("the trap is not for it");
    let error = client.batch_execute("COMMIT").await.expect_err("the answer never comes");
    assert!(error.is_closed() || error.code().is_none(), "{error}");
    proxy.wait_until_cut().expect("COMMIT was sent");
    assert_eq!(number(&bystander, ONE).await.expect("only the one is cut"), 1);
    let again = connect(&through).await.expect("the proxy passes again");
    again.batch_execute("BEGIN; COMMIT").await.expect("the trap has sprung");
    number(&other, "SELECT count(*) FROM orders").await.expect("the server runs")
}

#[tokio::test]
async fn a_commit_that_is_cut_before_the_server_gets_it_is_none() {
    assert_eq!(count_after_cut_commit(Moment::BeforeForwarding).await, 0);
}

#[tokio::test]
async fn a_commit_that_is_cut_before_its_answer_is_done() {
    assert_eq!(count_after_cut_commit(Moment::BeforeTheAnswer).await, 1);
}

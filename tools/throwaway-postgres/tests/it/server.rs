//! A server's life: it answers, stops, is killed, comes back with its data, and leaves nothing.

use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use evercart_throwaway_postgres::{Mode, Server, Settings, fresh_database, shared};

use crate::connect;

const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until `condition` holds.
fn wait_for(what: &str, condition: impl Fn() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < PATIENCE, "waited {PATIENCE:?} in vain: {what}");
        thread::sleep(Duration::from_millis(10)); // poll: what another process does
    }
}

fn one(server: &Server, sql: &str) -> String {
    let rows = server.query("postgres", sql).expect("it is answered");
    rows[0][0].clone().expect("it is not null")
}

#[tokio::test]
async fn each_fresh_database_is_empty_and_another() {
    let urls: Vec<_> = (0..4).map(|_| thread::spawn(fresh_database)).collect();
    let urls: HashSet<_> = urls.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert_eq!(urls.len(), 4);
    for url in urls {
        let client = connect(&url).await.unwrap();
        // It would fail if the table were there already.
        client.batch_execute("CREATE TABLE carts (id int)").await.unwrap();
    }
}

#[tokio::test]
async fn the_password_is_asked_over_tcp_and_not_over_the_socket() {
    let server = shared();
    connect(&server.url("postgres")).await.unwrap();
    connect(&server.url_over_socket("postgres")).await.unwrap();
    let error = connect(&server.url_with_password("postgres", "wr@ng:/")).await.err().unwrap();
    assert_eq!(error.code().map(|code| code.code()), Some("28P01"), "{error}");
}

#[test]
fn settings_reach_the_server() {
    let settings = Settings::for_tests().with("work_mem", "5MB").with("search_path", "'a''b'");
    let server = Server::start(settings).unwrap();
    let show = |name: &str| one(&server, &format!("SHOW {name}"));
    let names = ["fsync", "jit", "max_connections", "work_mem", "timezone", "search_path"];
    assert_eq!(names.map(show), ["off", "off", "200", "5MB", "UTC", "'a''b'"]);
    let directory = server.socket_dir().to_owned();
    assert!(directory.is_dir());
    drop(server);
    assert!(!directory.exists(), "{} is still there", directory.display());
}

#[test]
fn what_was_committed_is_there_after_any_end() {
    let server = Server::start(Settings::for_tests()).unwrap();
    server.query("postgres", "CREATE TABLE orders (id serial)").unwrap();
    let ends: [&dyn Fn(); 4] = [
        &|| server.stop(Mode::Smart).unwrap(),
        &|| server.stop(Mode::Fast).unwrap(),
        &|| server.stop(Mode::Immediate).unwrap(),
        &|| server.kill().unwrap(),
    ];
    for (count, end) in ends.into_iter().enumerate() {
        server.query("postgres", "INSERT INTO orders DEFAULT VALUES").unwrap();
        let port = server.port();
        end();
        let error = server.query("postgres", "SELECT 1").unwrap_err().to_string();
        assert!(error.contains("error connecting to server"), "{error}");
        server.start_again().unwrap();
        assert_eq!(server.port(), port);
        assert_eq!(one(&server, "SELECT count(*) FROM orders"), (count + 1).to_string());
    }
    assert!(server.log().unwrap().contains("automatic recovery in progress"));
}

#[test]
fn a_port_that_is_taken_is_an_error_that_says_so() {
    let settings = Settings { port: Some(shared().port()), ..Settings::for_tests() };
    let error = Server::start(settings).unwrap_err().to_string();
    assert!(error.contains("Address already in use"), "{error}");
}

#[test]
fn a_refusal_says_what_the_server_said() {
    let error = shared().query("postgres", "SELECT nonsense").unwrap_err().to_string();
    assert!(error.contains("column \"nonsense\" does not exist"), "{error}");
    let error = shared().create_database("postgres").unwrap_err().to_string();
    assert!(error.contains("already exists"), "{error}");
}

/// Set in the process that is to be killed, which then is only a server.
const VICTIM: &str = "EVERCART_THROWAWAY_POSTGRES_VICTIM";

/// This test again, in a process of its own that has started the shared server.
#[test]
#[expect(clippy::disallowed_methods, reason = "how a process knows its part in a test")]
fn the_server_dies_with_its_process() {
    if std::env::var_os(VICTIM).is_some() {
        println!("\nvictim {} {}", shared().port(), shared().socket_dir().display());
        // Until it is killed, or whoever would have killed it is gone.
        let _ = std::io::stdin().read_line(&mut String::new());
        return;
    }
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "server::the_server_dies_with_its_process", "--nocapture"])
        .env(VICTIM, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(victim.stdout.take().unwrap()).lines();
    let line = lines.map_while(Result::ok).find(|line| line.starts_with("victim "));
    let line = line.expect("the victim says where its server is");
    let (port, directory) = line["victim ".len()..].split_once(' ').unwrap();
    let directory = PathBuf::from(directory);
    let is_listening =
        || std::net::TcpStream::connect(("127.0.0.1", port.parse().unwrap())).is_ok();
    assert!(is_listening() && is_running(&directory));
    victim.kill().unwrap();
    victim.wait().unwrap();
    wait_for("the port is closed", || !is_listening());
    wait_for("the directory vanishes", || !directory.exists());
}

fn is_running(directory: &Path) -> bool {
    directory.join("data/postmaster.pid").exists()
}

#[tokio::test]
async fn a_server_goes_back_to_files_that_were_kept() {
    let server = Server::start(Settings::for_tests()).unwrap();
    server.query("postgres", "CREATE TABLE carts AS SELECT 7 AS id").unwrap();
    server.stop(Mode::Immediate).unwrap();
    let files = server.keep_files().unwrap();
    server.start_again().unwrap();
    server.query("postgres", "INSERT INTO carts VALUES (8)").unwrap();
    server.stop(Mode::Immediate).unwrap();
    server.put_files_back(&files).unwrap();
    server.start_again().unwrap();
    assert_eq!(one(&server, "SELECT count(*) FROM carts"), "1");
}

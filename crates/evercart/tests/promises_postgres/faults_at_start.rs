//! U2, U5: what a server says when it cannot start, and what many do that start at once.

use evercart_throwaway_postgres::shared;

use crate::backend::Place;
use crate::catalogue_rows::check;
use crate::customer::{Customer, expect, us_phone};
use crate::faults::server;
use crate::harness::{Shop, StartFailed};

/// What a server says that does not start with this database.
fn refusal(url: String) -> String {
    let mut shop = Shop::prepared_at(Place::at(url)).argument("--demo");
    let StartFailed(output) = shop.try_start().expect_err("it must not start");
    assert_eq!(output.code, Some(1), "{}{}", output.stdout, output.stderr);
    assert!(output.stdout.is_empty(), "{}", output.stdout);
    output.stderr
}

/// Asserts that all of it is said, and no password.
fn assert_says(said: &str, words: &[&str], passwords: &[&str]) {
    for word in words {
        assert!(said.contains(word), "{word:?} is missing in:\n{said}");
    }
    for password in passwords {
        assert!(!said.contains(password), "a password is in:\n{said}");
    }
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn u2_s7_a_server_that_cannot_start_says_why_and_no_password() {
    let server = shared();
    let password = server.password();
    let place = server.address().to_string();

    let wrong = refusal(server.url_with_password("postgres", "sesame-open"));
    let words = [&*place, "password authentication failed", "pg_hba.conf"];
    assert_says(&wrong, &words, &["sesame-open", password]);

    let unknown = refusal(server.url("nowhere_at_all"));
    assert_says(&unknown, &[&place, "nowhere_at_all", "does not exist", "createdb"], &[password]);

    let nobody = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = nobody.local_addr().expect("it is bound");
    drop(nobody);
    let silent = refusal(format!("postgres://shop:sesame-open@{address}/shop"));
    let words = [&*address.to_string(), "refused", "see that PostgreSQL runs"];
    assert_says(&silent, &words, &["sesame-open"]);

    let nonsense = refusal("postgres://shop:sesame-open@db.example:port/shop".to_owned());
    assert_says(&nonsense, &["database URL"], &["sesame-open"]);
}

#[test]
fn u5_an_older_server_refuses_a_newer_schema() {
    let url = evercart_throwaway_postgres::fresh_database();
    let database = url.rsplit('/').next().expect("a URL has a slash").to_owned();
    let mut shop = Shop::prepared_at(Place::at(url.clone())).argument("--demo");
    shop.start();
    assert_eq!(shop.terminate().code, Some(0));
    let newer = "INSERT INTO evercart_us.schema_version (version) VALUES (4711)";
    shared().query(&database, newer).expect("a statement of ours");
    let said = refusal(url);
    assert_says(&said, &["evercart_us", "4711", "newer evercart"], &[shared().password()]);
}

#[test]
fn u2_a_standby_is_no_database_to_serve_from_until_it_is_promoted() {
    let (server, url) = server();
    let mut shop = Shop::prepared_at(Place::at(url.clone())).argument("--demo");
    shop.start();
    let jo = Customer::of_demo(&shop, &us_phone(1));
    expect(200, &jo.add(&shop, 42, 2));
    let standby = server.standby().expect("a standby");
    standby.catch_up_with(&server).expect("it follows");

    let database = url.rsplit('/').next().expect("a URL has a slash");
    let said = refusal(standby.url(database));
    let place = standby.address().to_string();
    assert_says(&said, &[&place, "does not allow writes", "standby"], &[standby.password()]);

    standby.promote().expect("it takes over");
    shop.run_ok(&["check"]);
    let elsewhere = Shop::prepared_at(Place::at(standby.url(database)));
    check(&elsewhere);
}

#[test]
fn u5_servers_that_start_at_once_on_an_empty_database_migrate_it_once() {
    const SERVERS: usize = 4;
    let url = evercart_throwaway_postgres::fresh_database();
    let database = url.rsplit('/').next().expect("a URL has a slash").to_owned();
    let shop = Shop::prepared_at(Place::at(url));
    let arguments = ["serve".into(), "--demo".into()];
    let started: Vec<_> = std::thread::scope(|scope| {
        let start = || scope.spawn(|| shop.try_serve(&arguments));
        let threads: Vec<_> = (0..SERVERS).map(|_| start()).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    for running in started {
        let running = running.unwrap_or_else(|failed| panic!("one did not start: {failed}"));
        running.signal("TERM");
        assert_eq!(running.wait().code, Some(0));
    }
    for market in ["us", "kg"] {
        let applied = format!(
            "SELECT version, count(*) FROM evercart_{market}.schema_version \
             GROUP BY version HAVING count(*) <> 1"
        );
        let twice = shared().query(&database, &applied).expect("a statement of ours");
        assert!(twice.is_empty(), "{twice:?}");
    }
    check(&shop);
}

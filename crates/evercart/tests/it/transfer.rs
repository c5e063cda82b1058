//! A shop moves from SQLite files into PostgreSQL: its customers notice nothing, whatever goes
//! wrong on the way.

use std::process::Stdio;
use std::time::{Duration, Instant};

use evercart_throwaway_postgres::{Moment, Proxy};
use rand::RngExt;
use serde_json::{Value, json};

use crate::database::{customers, fresh_database, query, shared};
use crate::harness::{Shop, wait_until};

/// A demo with customers, stopped; and the token of the guide's customer, who has two pieces in the
/// cart, one wish and an order.
fn furnished() -> (Shop, String) {
    let mut shop = Shop::demo();
    shop.run_ok(&["demo", "fill", "--users", "40", "--market", "us"]);
    let token = shop.sign_in("+13128059851");
    let add = |sku: i64| {
        let body = json!({ "sku_id": sku, "quantity": 2 });
        shop.post("/cart/items").token(&token).json(&body).send()
    };
    assert_eq!(add(41).status, 200);
    let form = json!({
        "customer_name": "Zoë \"Ж\" 🛒", "delivery_address": "1 Main St", "payment_method": "cash"
    });
    assert_eq!(shop.post("/orders").token(&token).json(&form).send().status, 201);
    assert_eq!(add(42).status, 200);
    let wish = json!({ "product_id": 15 });
    assert_eq!(shop.post("/wishlist/items").token(&token).json(&wish).send().status, 200);
    shop.terminate();
    (shop, token)
}

fn seen(shop: &Shop, token: &str) -> [Value; 4] {
    ["/cart", "/wishlist", "/orders", "/auth/profile"].map(|path| shop.see(path, token))
}

/// The SQLite files, byte for byte.
fn files(shop: &Shop) -> Vec<Vec<u8>> {
    let path = |market| shop.data().join(format!("{market}.sqlite3"));
    ["us", "kg"].map(|market| std::fs::read(path(market)).expect("a database")).to_vec()
}

fn without_place(check: &str) -> String {
    check.lines().filter(|line| !line.starts_with("  ok")).collect::<Vec<_>>().join("\n")
}

/// G7: the cart follows the user through a move to another database; so does the session.
#[test]
fn g7_a_shop_moves_to_postgresql_and_its_customers_notice_nothing() {
    let (mut shop, token) = furnished();
    shop.start();
    let before = seen(&shop, &token);
    shop.terminate();
    let checked = without_place(&shop.run_ok(&["check"]));
    let (bytes, url) = (files(&shop), fresh_database());

    let said = shop.run_ok(&["transfer", "--to", &url]);
    assert!(said.contains("us is in ") && said.contains("each read back and compared"), "{said}");
    assert!(said.contains("us.sqlite3 by 2"), "{said}");
    assert!(said.contains("database_url") && said.contains("keys.json"), "{said}");
    assert!(!said.contains(shared().password()), "{said}");
    assert_eq!(files(&shop), bytes, "the files are as they were");

    let mut shop = shop.variable("EVERCART_STORAGE__DATABASE_URL", &url);
    assert_eq!(without_place(&shop.run_ok(&["check"])), checked);
    shop.start();
    assert_eq!(seen(&shop, &token), before, "with the token from before");
    let stderr = shop.stderr();
    let left = "us.sqlite3 is a whole copy of a shop, left behind by a transfer";
    assert!(stderr.contains(left) && stderr.contains("delete it by 2"), "{stderr}");
    let next = shop.post("/orders").token(&token).json(&json!({
        "customer_name": "Zoë", "delivery_address": "1 Main St", "payment_method": "cash"
    }));
    let next = next.send();
    assert_eq!(next.status, 201, "{next}");
    let newest = before[2]["orders"][0]["id"].as_i64().expect("an id");
    assert!(next.json()["id"].as_i64() > Some(newest), "{next}");
    let product = shop.get("/products?search=jacket").market("us").send().json();
    assert!(product["total"].as_i64() > Some(0), "search finds what was copied: {product}");
}

#[test]
fn a_summary_can_be_read_by_a_program() {
    let (shop, _) = furnished();
    let url = fresh_database();
    let said = shop.run_ok(&["transfer", "--to", &url, "--market", "us", "--json"]);
    let all: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!(all.as_array().map(Vec::len), Some(1), "{all}");
    assert_eq!((&all[0]["market"], &all[0]["users"]), (&json!("us"), &json!(41)), "{all}");
    assert!(all[0]["rows"].as_u64() > Some(400), "{all}");
    assert_eq!(
        query(&url, "SELECT nspname FROM pg_namespace WHERE nspname = 'evercart_kg'").len(),
        0
    );
}

#[test]
fn what_is_there_is_never_mixed_with_what_comes() {
    let (mut shop, _) = furnished();
    let url = fresh_database();
    let refused = |shop: &Shop, arguments: &[&str], part: &str| {
        let output = shop.run(arguments);
        assert_ne!(output.code, Some(0), "{}", output.stdout);
        assert!(output.stderr.contains(part), "{}", output.stderr);
        assert!(output.stderr.contains("\nhint: "), "{}", output.stderr);
    };
    refused(&shop, &["transfer", "--to", &url, "--market", "fr"], "has no market \"fr\"");
    shop.start();
    refused(&shop, &["transfer", "--to", &url], "another evercart (process");
    shop.terminate();
    shop.run_ok(&["transfer", "--to", &url, "--market", "us"]);
    refused(&shop, &["transfer", "--to", &url], "schema evercart_us already");
    assert_eq!(
        query(&url, "SELECT nspname FROM pg_namespace WHERE nspname = 'evercart_kg'").len(),
        1
    );
    assert_eq!(query(&url, "SELECT id FROM evercart_kg.products").len(), 0, "nothing was begun");
    shop.run_ok(&["transfer", "--to", &url, "--market", "kg"]);

    let other = fresh_database();
    let mut serving = crate::database::shop_in(&other);
    serving.start();
    refused(&shop, &["transfer", "--to", &other], "an evercart is connected to");
}

/// The program is killed at any moment: nothing is there, or everything.
#[test]
fn g7_a_transfer_that_is_killed_leaves_nothing() {
    let url = fresh_database();
    // A slow way to the database leaves moments to be killed at.
    let proxy = Proxy::start(shared().address()).expect("a proxy");
    proxy.delay(Duration::from_micros(300));
    let (measured, _) = furnished();
    let begun = Instant::now();
    measured.run_ok(&["transfer", "--to", &proxy.url(&fresh_database()), "--market", "us"]);
    let whole = begun.elapsed();
    let (mut shop, _) = furnished();
    let mut killed = 0;
    for _ in 0..5 {
        let after = whole.mul_f64(rand::rng().random_range(0.1..0.9));
        let mut child = shop.command();
        let mut child = child
            .args(["transfer", "--to", &proxy.url(&url), "--market", "us"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let begun = Instant::now();
        while begun.elapsed() < after && child.try_wait().expect("our own child").is_none() {
            std::thread::sleep(Duration::from_micros(200)); // poll: bounded by `after`
        }
        child.kill().expect("our own child");
        killed += usize::from(child.wait().expect("our own child").code().is_none());
        let connected = "SELECT pid FROM pg_stat_activity WHERE application_name = 'evercart us' \
             AND datname = current_database()";
        wait_until("the database to notice", || query(&url, connected).is_empty());
        match customers(&url) {
            0 => {}
            41 => {
                query(&url, "DROP SCHEMA evercart_us CASCADE");
                // Its files may be retired by now, and are not transferred a second time.
                shop = furnished().0;
            }
            some => panic!("{some} of 41 customers are there"),
        }
    }
    assert!(killed > 0, "no transfer was killed before its end");
    shop.run_ok(&["transfer", "--to", &url, "--market", "us"]);
    assert_eq!(customers(&url), 41);
}

/// The way to the database breaks while rows are sent, when the commit is sent, and when its answer
/// is awaited.
#[test]
fn g7_a_transfer_whose_database_goes_away_says_what_is_known() {
    let (shop, _) = furnished();
    let cuts = [
        ("ANALYZE orders", Moment::BeforeForwarding, "nothing was changed there", 0),
        ("COMMIT", Moment::BeforeForwarding, "whether the copy was kept is not known", 0),
        ("COMMIT", Moment::BeforeTheAnswer, "whether the copy was kept is not known", 41),
    ];
    for (pattern, moment, said, there) in cuts {
        let url = fresh_database();
        // A migration commits, too: an empty shop has it behind it.
        let mut empty = Shop::prepared().variable("EVERCART_STORAGE__DATABASE_URL", &url);
        empty.start();
        empty.terminate();
        let proxy = Proxy::start(shared().address()).expect("a proxy");
        proxy.cut_when_client_sends(pattern, moment);
        let output = shop.run(&["transfer", "--to", &proxy.url(&url), "--market", "us"]);
        assert_eq!(output.code, Some(1), "{pattern}: {}", output.stdout);
        assert!(output.stderr.contains(said), "{pattern}: {}", output.stderr);
        wait_until("the database to be done", || customers(&url) == there);
    }
}

//! What somebody sees who runs `evercart check` at three in the morning.

use std::path::PathBuf;

use rusqlite::Connection;
use serde_json::Value;

use crate::harness::{Output, Shop};

/// A demo shop with an order, stopped.
fn stopped() -> (Shop, PathBuf) {
    let mut shop = Shop::demo();
    shop.run_ok(&["demo", "fill", "--users", "20", "--market", "us"]);
    shop.terminate();
    let path = shop.data().join("us.sqlite3");
    (shop, path)
}

fn damage(path: &PathBuf, sql: &str) {
    let database = Connection::open(path).expect("opens");
    database.pragma_update(None, "ignore_check_constraints", true).expect("set");
    database.execute_batch(sql).expect(sql);
}

fn check(shop: &Shop) -> Output {
    let output = shop.run(&["check"]);
    assert_eq!(output.code, Some(1), "{}", output.stdout);
    output
}

/// U7: which rows, what it means, how to mend it, a verdict, and where the last backup is.
#[test]
fn u7_a_broken_promise_is_told_with_what_to_do() {
    let (shop, path) = stopped();
    let sound = shop.run_ok(&["check"]);
    assert!(sound.ends_with("verdict: sound: kg, us keep every promise\n"), "{sound}");
    shop.run_ok(&["backup", "shop.tar"]);
    damage(&path, "UPDATE orders SET total_amount = 1; UPDATE stock SET on_hand = -5");
    let said = check(&shop).stdout;
    for part in [
        "  WRONG  every row keeps the rules of its table\n",
        ", order 1001: CHECK (total_amount = subtotal + shipping_cost) does not hold; subtotal is",
        "): CHECK (on_hand >= 0) does not hold; on_hand is -5\n",
        "\n         means: a row holds what the shop never writes",
        "\n         mend:  correct the row",
        "\nverdict: NOT SOUND: us breaks ",
        "; kg keeps every promise\nThe last backup known here is ",
        "shop.tar, of ",
    ] {
        assert!(said.contains(part), "{part} is not in\n{said}");
    }
    let report: Value = serde_json::from_str(&shop.run(&["check", "--json"]).stdout).expect("JSON");
    assert_eq!(report["ok"], false);
    assert_eq!(report["markets"][0]["ok"], true, "kg: {report}");
    let finding = &report["markets"][1]["findings"][0];
    assert!(finding["mend"].as_str().is_some_and(|mend| !mend.is_empty()), "{finding}");
    assert!(report["last_backup"]["file"].as_str().is_some_and(|f| f.ends_with("shop.tar")));
}

/// A market that cannot be looked at is no reason not to look at the others.
#[test]
fn u7_what_is_no_database_is_told_beside_the_markets_that_are() {
    let (shop, path) = stopped();
    std::fs::write(&path, "a note to myself").expect("written");
    let said = check(&shop).stdout;
    for part in [
        "us: not checked\nerror: evercart-data/us.sqlite3 is not a database: it is text\nhint: ",
        "verdict: NOT SOUND: us cannot be checked; kg keeps every promise\n",
        "No backup is known here.",
    ] {
        assert!(said.contains(part), "{part} is not in\n{said}");
    }
    let output = shop.run(&["serve", "--demo"]);
    assert_eq!(output.code, Some(1));
    assert!(output.stderr.contains("is not a database: it is text"), "{}", output.stderr);
}

/// An earlier evercart's data is not changed by who only looks.
#[test]
fn a_check_migrates_nothing() {
    let (shop, path) = stopped();
    damage(&path, "PRAGMA user_version = 5");
    let said = check(&shop).stdout;
    assert!(
        said.contains("us.sqlite3 has schema version 5, and this evercart works with"),
        "{said}"
    );
    assert!(said.contains("hint: `evercart migrate`"), "{said}");
}

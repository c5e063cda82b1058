//! G10: a shop that moved from its files to PostgreSQL takes its sessions along, and does not come
//! back to what it left unnoticed; nor does it go to a copy that it had not gone to.

use evercart_throwaway_postgres::fresh_database;

use crate::backend::Kept;
use crate::harness::Shop;
use crate::rewind::{
    Given, Lost, assert_nobody_is_let_in, assert_nothing_is_given_again, warnings,
};

/// Starts a shop with its American data in a database, or in its files.
fn start_in(shop: &mut Shop, url: Option<&str>) {
    tell_place(shop, url);
    shop.start();
}

fn tell_place(shop: &Shop, url: Option<&str>) {
    let line = url.map(|url| format!("database_url = \"{url}\"\n")).unwrap_or_default();
    shop.write("evercart.toml", format!("[markets.us]\n{line}"));
}

/// A demo that was stopped.
fn stopped() -> (Shop, Given) {
    let mut shop = Shop::demo();
    let given = Given::by(&shop);
    shop.terminate();
    (shop, given)
}

#[test]
fn g10_a_shop_that_moved_does_not_come_back_to_its_files_unless_that_is_said() {
    let (mut shop, given) = stopped();
    let url = fresh_database();
    shop.run_ok(&["transfer", "--to", &url, "--market", "us"]);
    start_in(&mut shop, Some(&url));
    assert_eq!(warnings(&shop.stderr()), 0, "{}", shop.stderr());
    let lost = Lost::by(&shop, &given);
    shop.terminate();

    tell_place(&shop, None);
    let refused = shop.try_start().expect_err("it has moved").0.stderr;
    assert!(refused.contains("evercart_us") && refused.contains("evercart rewound"), "{refused}");
    shop.run_ok(&["rewound", "--market", "us"]);
    shop.start();
    assert_nobody_is_let_in(&shop, &given, &lost);
    assert_nothing_is_given_again(&shop, &given, &lost);
}

#[test]
fn g10_files_of_before_a_move_that_are_put_back_let_nobody_in() {
    let (mut shop, given) = stopped();
    let kept = Kept::of(&shop);
    let url = fresh_database();
    shop.run_ok(&["transfer", "--to", &url, "--market", "us"]);
    start_in(&mut shop, Some(&url));
    let lost = Lost::by(&shop, &given);
    shop.terminate();
    kept.put_back(&shop);
    start_in(&mut shop, None);
    assert_eq!(warnings(&shop.stderr()), 1, "{}", shop.stderr());
    assert_nobody_is_let_in(&shop, &given, &lost);
    assert_nothing_is_given_again(&shop, &given, &lost);
}

/// A transfer that died at its end, or that was given up: the files went on, and what is in the
/// database is older.
#[test]
fn g10_a_copy_that_the_shop_went_on_without_is_no_place_to_go_unnoticed() {
    let (mut shop, given) = stopped();
    let kept = Kept::of(&shop);
    let url = fresh_database();
    shop.run_ok(&["transfer", "--to", &url, "--market", "us"]);
    kept.put_back(&shop);
    shop.start();
    assert_eq!(given.jo.get(&shop, "/cart").status, 200, "nothing was lost");
    let lost = Lost::by(&shop, &given);
    shop.terminate();
    start_in(&mut shop, Some(&url));
    assert_eq!(warnings(&shop.stderr()), 1, "{}", shop.stderr());
    assert_nobody_is_let_in(&shop, &given, &lost);
    assert_nothing_is_given_again(&shop, &given, &lost);
}

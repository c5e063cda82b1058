//! The guide's third scenario: a customer comes back after a week, to a server that was restarted
//! (or died) in between, with a token that is dead.

use serde_json::{Value, json};

use crate::customer::{Customer, SEED_PHONE, expect, problem};
use crate::harness::{Shop, wait_until};

fn shop() -> Shop {
    Shop::demo_with(&[("EVERCART_AUTH__TOKEN_LIFETIME", "5s")])
}

fn fill(shop: &Shop) -> (Customer, Value) {
    let before = Customer::with_code(shop, SEED_PHONE, "123456");
    expect(200, &before.add(shop, 41, 1));
    expect(201, &before.checkout(shop));
    expect(200, &before.add(shop, 42, 2));
    expect(200, &before.add(shop, 1, 1));
    expect(200, &before.wish(shop, 15));
    expect(200, &before.wish(shop, 3));
    let address = json!({ "full_address": "233 S Wacker Dr, Chicago", "city": "Chicago" });
    expect(201, &before.post(shop, "/profile/addresses", &address));
    let had = before.everything(shop);
    (before, had)
}

fn come_back(shop: &Shop, before: &Customer, had: &Value) {
    wait_until("the old token to be dead", || before.get(shop, "/cart").status == 401);
    problem(401, "token_expired", &before.get(shop, "/cart"));
    let after = Customer::with_code(shop, SEED_PHONE, "654321");
    assert_eq!(after.id, before.id);
    assert_eq!(after.everything(shop), *had);
}

#[test]
fn everything_is_there_after_a_week_and_a_restart() {
    let mut shop = shop();
    let (before, had) = fill(&shop);
    shop.restart();
    come_back(&shop, &before, &had);
}

#[test]
fn everything_is_there_after_a_week_and_a_power_cut() {
    let mut shop = shop();
    let (before, had) = fill(&shop);
    shop.kill();
    shop.start();
    come_back(&shop, &before, &had);
}

/// G7: the cart follows the user id, also through a change of the signing keys and their loss.
#[test]
fn everything_is_there_after_the_signing_keys_were_lost() {
    let mut shop = Shop::demo();
    let (before, had) = fill(&shop);
    shop.terminate();
    let keys = std::fs::read_dir(shop.data()).expect("the data directory");
    let mut removed = 0;
    for entry in keys {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "json") {
            std::fs::remove_file(&path).expect("a file of ours");
            removed += 1;
        }
    }
    assert_eq!(removed, 1, "there is one key file");
    shop.start();
    problem(401, "token_invalid", &before.get(&shop, "/cart"));
    let after = Customer::with_code(&shop, SEED_PHONE, "123456");
    assert_eq!(after.id, before.id);
    assert_eq!(after.everything(&shop), had);
}

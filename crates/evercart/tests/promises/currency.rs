//! What was agreed is what is shown: the prices of a shop stay in their currency, whatever the
//! configuration says later.

use serde_json::json;

use crate::backend::RESTORES_IN_PLACE;
use crate::customer::{Customer, expect, us_phone};
use crate::harness::Shop;

const EUROS: &str = "[markets.us]\ncurrency = \"EUR\"\n";

#[test]
fn a_shop_with_prices_refuses_another_currency_and_no_command_relabels_them() {
    let mut shop = Shop::demo();
    let jo = Customer::of_demo(&shop, &us_phone(1));
    expect(200, &jo.add(&shop, 42, 1));
    let order = jo.checkout(&shop);
    expect(201, &order);
    assert_eq!(order.json()["currency"], json!("USD"), "{order}");
    let prices = shop.run_ok(&["catalog", "export", "--market", "us"]);
    assert_eq!(shop.terminate().code, Some(0));

    shop.write("evercart.toml", EUROS);
    let failed = shop.try_start().expect_err("it must not start");
    assert_eq!(failed.0.code, Some(1), "{failed}");
    let prices = shop.write("prices.csv", prices);
    let import = ["catalog", "import", prices.to_str().expect("text"), "--market", "us"];
    let export = ["catalog", "export", "--market", "us"];
    let refused = [shop.run(&import), shop.run(&export), failed.0];
    for refused in refused {
        assert_eq!(refused.code, Some(1), "{refused:?}");
        for words in ["market us are in USD", "says EUR", "markets.us.currency to USD"] {
            assert!(refused.stderr.contains(words), "{words:?} is missing in: {refused:?}");
        }
    }

    // A backup says it as well, wherever it is put.
    shop.run_ok(&["backup", "shop.tar"]);
    if RESTORES_IN_PLACE {
        shop.run_ok(&["restore", "shop.tar", "--force"]);
        let failed = shop.try_start().expect_err("it must not start");
        assert!(failed.0.stderr.contains("are in USD"), "{failed}");
    }
    shop.write("evercart.toml", "");
    shop.start();
    let again = Customer::of_demo(&shop, &us_phone(1));
    let orders = again.get(&shop, "/profile/orders");
    assert!(orders.text().contains(r#""currency":"USD""#), "{orders}");
}

#[test]
fn a_shop_without_prices_takes_any_currency() {
    let mut shop = Shop::prepared();
    shop.start();
    assert_eq!(shop.terminate().code, Some(0));
    shop.write("evercart.toml", EUROS);
    shop.start();
}

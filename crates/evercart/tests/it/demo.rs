//! Demo shops: what they are filled with, and that they never mix with real ones. And what an
//! operator does about one customer.

use serde_json::Value;

use crate::harness::Shop;

#[test]
fn a_demo_is_refused_without_the_flag_and_a_real_shop_with_it() {
    let mut shop = Shop::demo();
    shop.terminate();
    let output = shop.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(output.code, Some(1));
    assert!(output.stderr.contains("is a demo shop"), "{}", output.stderr);
    assert!(output.stderr.contains("hint: add --demo"), "{}", output.stderr);

    let mut shop = Shop::prepared();
    shop.write("p.csv", "product_id,name,sku_code,price,stock\n1,A,A-1,1.00,1\n");
    shop.run_ok(&["catalog", "import", "p.csv", "--market", "us"]);
    shop.start();
    shop.terminate();
    let output = shop.run(&["serve", "--demo", "--listen", "127.0.0.1:0"]);
    assert_eq!(output.code, Some(1));
    assert!(output.stderr.contains("holds a real shop (market us)"), "{}", output.stderr);
}

#[test]
fn the_guides_customer_and_product_are_there() {
    let mut shop = Shop::demo();
    for code in ["123456", "654321"] {
        let answer = shop.verify("+13128059851", code).json();
        assert_eq!(answer["user"]["id"], 19, "{answer}");
    }
    let product = shop.get("/products/15").market("us").send();
    assert_eq!(product.status, 200, "{product}");
    shop.restart();
    assert_eq!(shop.verify("+13128059851", "123456").json()["user"]["id"], 19);
    let welcome = shop.running().stderr();
    assert!(welcome.contains("/docs") && welcome.contains("curl -X POST"), "{welcome}");
}

#[test]
fn pictures_of_the_catalogue_are_served() {
    let shop = Shop::demo();
    let list = shop.get("/products?limit=1").market("us").send().json();
    let image = list["products"][0]["image"].as_str().expect("a picture").to_owned();
    let answer = shop.get(&image).send();
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("image/svg+xml")));
}

#[test]
fn filling_is_repeatable_and_its_tokens_are_good() {
    let shop = Shop::demo();
    let fill = |users: &str| -> Value {
        let arguments =
            ["demo", "fill", "--users", users, "--market", "us", "--tokens", "t.ndjson", "--json"];
        serde_json::from_str(&shop.run_ok(&arguments)).expect("JSON")
    };
    assert_eq!(fill("30")["customers"], 30);
    let lines: Vec<Value> = shop
        .read("t.ndjson")
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(lines.len(), 30);
    for line in &lines {
        let token = line["access_token"].as_str().expect("a token");
        let cart = shop.see("/cart", token);
        assert_eq!(cart["user_id"], line["user_id"]);
        assert_eq!(cart["items"].as_array().map(Vec::len), Some(5), "{cart}");
    }
    let tenth = lines[9]["access_token"].as_str().expect("a token");
    assert_eq!(shop.see("/profile/orders", tenth)["total"], 1);
    assert_eq!(shop.see("/wishlist", tenth)["total_items"], 3);
    // The same seed makes the same customers: those that are there stay as they are.
    let again = fill("40");
    assert_eq!((&again["customers"], &again["known_before"]), (&10.into(), &30.into()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let file = std::fs::metadata(shop.home().join("t.ndjson")).expect("there");
        assert_eq!(file.mode() & 0o777, 0o600);
    }
    assert!(shop.run_ok(&["check"]).contains("us: 41 customers"));
}

#[test]
fn only_a_demo_is_filled() {
    let mut shop = Shop::prepared();
    shop.start();
    let output = shop.run(&["demo", "fill", "--users", "1", "--market", "us"]);
    assert_eq!(output.code, Some(1));
    assert!(output.stderr.contains("is a real shop"), "{}", output.stderr);
}

#[test]
fn an_operator_shows_blocks_unblocks_and_signs_out() {
    let shop = Shop::demo();
    let token = shop.sign_in("+13128059851");
    let run = |verb: &str| shop.run_ok(&["user", verb, "+1 312 805 9851", "--market", "us"]);
    let shown = run("show");
    assert!(shown.contains("Customer 19 (+13128059851)") && shown.contains("signed in"), "{shown}");

    run("block");
    let answer = shop.get("/cart").token(&token).send();
    assert_eq!((answer.status, answer.code().as_str()), (401, "user_blocked"));
    assert!(run("show").contains("blocked since"));
    run("unblock");
    let token = shop.sign_in("+13128059851");
    run("sign-out");
    let answer = shop.get("/cart").token(&token).send();
    assert_eq!((answer.status, answer.code().as_str()), (401, "signed_out"));

    let json = shop.run_ok(&["user", "show", "+13128059851", "--market", "us", "--json"]);
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((&json["id"], &json["is_active"]), (&19.into(), &false.into()));
    let output = shop.run(&["user", "show", "+13125550123", "--market", "us"]);
    assert_eq!(output.code, Some(1));
    assert!(output.stderr.contains("there is no customer with the phone"), "{}", output.stderr);
}

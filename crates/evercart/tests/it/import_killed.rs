//! Imports that are killed while a server runs.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Stdio;

use rusqlite::{Connection, OpenFlags};

use crate::harness::Shop;

/// Enough that an import is found at each of its stages.
const SKUS: i64 = 6_000;

/// A file in which all SKUs have this price, three of them a product.
fn file(price: &str) -> String {
    let mut rows = String::from("product_id,name,category,sku_id,sku_code,price,stock\n");
    for sku in 10_000..10_000 + SKUS {
        let product = 10_000 + sku / 3;
        writeln!(rows, "{product},Thing for {price},Many,{sku},C-{sku},{price},5")
            .expect("writing to a string");
    }
    rows
}

/// How far an import has come: 0 if there is none, 1 while it is hidden, 2 while it is moved.
fn state(database: &Path) -> i64 {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let connection = Connection::open_with_flags(database, flags).expect("opens");
    connection
        .query_row("SELECT state FROM import_state", [], |row| row.get(0))
        .expect("there is a state")
}

/// Price, and number of products, in the list that customers see.
fn listed(shop: &Shop) -> (String, u64) {
    let list = shop.get("/products?category=Many&limit=1").market("us").send().json();
    (list["products"][0]["price"].to_string(), list["total"].as_u64().expect("a number"))
}

fn export(shop: &Shop) -> String {
    shop.run_ok(&["catalog", "export", "--market", "us"])
}

#[test]
fn an_import_killed_at_any_moment_leaves_the_old_catalogue_or_the_new_one() {
    let shop = Shop::demo();
    let database = shop.data().join("us.sqlite3");
    let arguments = ["catalog", "import", "many.csv", "--market", "us"];
    shop.write("many.csv", file("77.01"));
    shop.run_ok(&arguments);
    let (mut price, mut exported) = ("77.01".to_owned(), export(&shop));
    let products = listed(&shop);
    assert_eq!(products.0, price);
    let mut killed_in = [false; 3];
    for turn in 0..20 {
        let new_price = format!("{turn}.25");
        shop.write("many.csv", file(&new_price));
        let import = shop.command().args(arguments).stdout(Stdio::null()).spawn();
        let mut import = import.expect("starts");
        // An import that has been over meanwhile is as good.
        let wanted = if killed_in[1] { 2 } else { 1 };
        while state(&database) != wanted && import.try_wait().expect("is asked").is_none() {}
        import.kill().expect("is killed");
        import.wait().expect("ends");
        let left_in = state(&database);
        let found = export(&shop);
        if left_in == 1 {
            assert_eq!((listed(&shop), &found), ((price.clone(), products.1), &exported));
        } else {
            let replaced = exported.replace(&format!("for {price},"), &format!("for {new_price},"));
            let replaced = replaced.replace(&format!(",{price},"), &format!(",{new_price},"));
            assert!(found == replaced, "what is shown is neither the old nor the new catalogue");
            (price, exported) = (new_price, found);
            assert_eq!(listed(&shop), (price.clone(), products.1));
        }
        killed_in[usize::try_from(left_in).expect("0 to 2")] = true;
        if killed_in[1] && killed_in[2] {
            break;
        }
    }
    assert!(killed_in[1] && killed_in[2], "no import was caught where it should be");
    // The next one tidies up, and so would a start.
    shop.write("many.csv", file("7.77"));
    shop.run_ok(&arguments);
    assert_eq!((state(&database), listed(&shop)), (0, ("7.77".to_owned(), products.1)));
    assert!(shop.run_ok(&["check"]).contains("us"));
}

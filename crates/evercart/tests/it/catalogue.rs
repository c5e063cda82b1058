//! Catalogue files through the command line: in, out, and in again.

use serde_json::{Value, json};

use crate::harness::Shop;

const SHOPIFY: &str = include_str!("../data/shopify-apparel.csv");

fn import(shop: &Shop, file: &str) -> Value {
    let text = shop.run_ok(&["catalog", "import", file, "--market", "us", "--json"]);
    serde_json::from_str(&text).expect("JSON")
}

fn export(shop: &Shop) -> String {
    shop.run_ok(&["catalog", "export", "--market", "us"])
}

/// G6: the same data in, byte for byte out.
#[test]
fn an_export_imported_into_an_empty_shop_exports_the_same_bytes() {
    let demo = Shop::demo();
    let exported = export(&demo);
    let empty = Shop::prepared();
    empty.write("products.csv", &exported);
    let summary = import(&empty, "products.csv");
    assert_eq!(summary["skus_updated"], 0);
    assert_eq!(export(&empty), exported);

    let out = empty.home().join("products.ndjson");
    let out = out.to_str().expect("text");
    empty.run_ok(&["catalog", "export", "--market", "us", "--out", out]);
    let third = Shop::prepared();
    third.write("products.ndjson", empty.read("products.ndjson"));
    import(&third, "products.ndjson");
    assert_eq!(export(&third), exported);
}

#[test]
fn an_import_while_serving_is_seen_at_once() {
    let shop = Shop::demo();
    let exported = export(&shop);
    let line =
        exported.lines().find(|line| line.contains(",42,LINEN-SHIRT-SAND-M,")).expect("SKU 42");
    let header = exported.lines().next().expect("a header");
    shop.write("change.csv", format!("{header}\n{}\n", line.replace(",59.99,", ",49.99,")));
    let summary = import(&shop, "change.csv");
    assert_eq!(
        summary,
        json!({
            "market": "us", "rows": 1, "products_added": 0, "skus_added": 0, "skus_updated": 1
        })
    );
    let product = shop.get("/products/15").market("us").send().json();
    let skus = product["skus"].as_array().expect("skus");
    let sku = skus.iter().find(|sku| sku["id"] == 42).expect("SKU 42");
    assert_eq!(sku["price"].to_string(), "49.99");
}

#[test]
fn a_file_with_bad_lines_changes_nothing_and_names_them() {
    let shop = Shop::prepared();
    let header = "product_id,name,sku_code,price,stock";
    shop.write("bad.csv", format!("{header}\n1,A,A-1,1.00,1\n1,A,A-2,free,1\n2,B,A-1,2,x\n"));
    let output = shop.run(&["catalog", "import", "bad.csv", "--market", "us"]);
    assert_eq!(output.code, Some(1));
    assert_eq!(
        output.stderr,
        "error: 2 problems were found, so nothing was imported:\n  \
         line 3, price: \"free\" is not a decimal number, expected a price in USD\n  \
         line 4, stock: \"x\" is not a number of pieces, 0 to 1000000000, nor a change such as +5 \
         or -2\n"
    );
    assert!(!shop.data().exists(), "a bad file makes no shop");
    shop.write("good.csv", format!("{header}\n1,A,A-1,1.00,1\n2,B,B-1,1.00,1\n"));
    import(&shop, "good.csv");
    let before = export(&shop);
    // Contradicts the shop, not itself: SKU 2 is product 2's.
    let header = "product_id,name,sku_id,sku_code,price,stock";
    shop.write("steals.csv", format!("{header}\n3,C,,C-1,1,1\n1,A,2,B-1,1.00,1\n"));
    let output = shop.run(&["catalog", "import", "steals.csv", "--market", "us"]);
    assert_eq!(output.code, Some(1));
    assert!(output.stderr.contains("\n  line 3: SKU 2 belongs to product 2"), "{}", output.stderr);
    assert_eq!(export(&shop), before);
}

#[test]
fn a_dry_run_only_looks() {
    let shop = Shop::prepared();
    shop.write("products.csv", SHOPIFY);
    let text = shop.run_ok(&["catalog", "import", "products.csv", "--market", "us", "--dry-run"]);
    assert!(text.contains("The file is fine (Shopify export, "), "{text}");
    assert!(!shop.data().exists());
}

#[test]
fn a_shopify_export_keeps_its_ids_at_the_second_import() {
    let shop = Shop::prepared();
    shop.write("products.csv", SHOPIFY);
    let first = import(&shop, "products.csv");
    assert_eq!(first["skus_updated"], 0);
    let exported = export(&shop);
    assert!(exported.contains("classic-varsity-top-medium"), "{exported}");
    assert!(exported.lines().next().expect("a header").contains(",handle"), "{exported}");

    let second = import(&shop, "products.csv");
    assert_eq!(second["products_added"], 0);
    assert_eq!(second["skus_added"], 0);
    assert_eq!(second["skus_updated"], first["skus_added"]);
    assert!(second["notes"][0].as_str().is_some_and(|note| note.contains("does not count")));
    assert_eq!(export(&shop), exported);

    // What came from Shopify survives our own round trip, handles and ids included.
    let other = Shop::prepared();
    other.write("ours.csv", &exported);
    import(&other, "ours.csv");
    assert_eq!(export(&other), exported);
    other.write("products.csv", SHOPIFY);
    assert_eq!(import(&other, "products.csv")["skus_added"], 0);
    assert_eq!(export(&other), exported);
}

#[test]
fn what_was_imported_is_served() {
    let shop = Shop::prepared();
    shop.write("products.csv", SHOPIFY);
    import(&shop, "products.csv");
    let mut shop = shop;
    shop.start();
    let list = shop.get("/products?search=varsity").market("us").send().json();
    assert_eq!(list["total"], 1, "{list}");
}

/// Sells pieces of SKU 42.
fn sell(shop: &Shop, quantity: i64) {
    let token = shop.sign_in("+13128059851");
    let order = json!({
        "customer_name": "A", "delivery_address": "x", "payment_method": "cash",
        "items": [{"sku_id": 42, "quantity": quantity}], "use_cart": false
    });
    let answer = shop.post("/orders").token(&token).market("us").json(&order).send();
    assert_eq!(answer.status, 201, "{}", answer.text());
}

/// What the export has of SKU 42 in a column.
fn of_42(exported: &str, column: &str) -> String {
    let mut lines = csv::Reader::from_reader(exported.as_bytes());
    let header = lines.headers().expect("a header").clone();
    let at = |name: &str| header.iter().position(|found| found == name).expect("the column");
    let rows: Vec<_> = lines.records().map(|row| row.expect("a row")).collect();
    let row = rows.iter().find(|row| &row[at("sku_id")] == "42").expect("SKU 42");
    row[at(column)].to_owned()
}

#[test]
fn a_price_import_leaves_what_was_sold_sold() {
    let shop = Shop::demo();
    let exported = export(&shop);
    let before: i64 = of_42(&exported, "stock").parse().expect("a number");
    sell(&shop, 2);
    // Prices alone, and then the whole export with other prices.
    shop.write("prices.csv", "sku_id,price\n42,49.99\n");
    import(&shop, "prices.csv");
    assert_eq!(of_42(&export(&shop), "stock"), (before - 2).to_string());
    shop.write("products.csv", exported.replace(",59.99,", ",39.99,"));
    import(&shop, "products.csv");
    let now = export(&shop);
    assert_eq!(
        (of_42(&now, "price"), of_42(&now, "stock")),
        ("39.99".into(), (before - 2).to_string())
    );

    // A stock that was written over the old one is refused by its line, with all of the file.
    shop.write("stock.csv", format!("sku_id,price,stock,stock_seen\n42,1,99,{before}\n"));
    let output = shop.run(&["catalog", "import", "stock.csv", "--market", "us"]);
    assert_eq!(output.code, Some(1));
    let told = format!(
        "line 2: the stock of SKU 42 was {before} when the file was written and is {} now",
        before - 2
    );
    assert!(output.stderr.contains(&told), "{}", output.stderr);
    assert_eq!(export(&shop), now);
    shop.write("came.csv", "sku_id,stock\n42,+5\n");
    import(&shop, "came.csv");
    assert_eq!(of_42(&export(&shop), "stock"), (before + 3).to_string());
}

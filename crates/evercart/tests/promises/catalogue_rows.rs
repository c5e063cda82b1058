//! Catalogue files for tests: rows with nothing in them but what a test is about.

use crate::harness::Shop;

const HEADER: &str = "product_id,name,brand,category,description,image,sku_id,sku_code,size,color,\
    price,original_price,stock,active";

/// A SKU of a product of its own that has the same id.
#[derive(Debug, Clone)]
pub struct Row {
    pub id: i64,
    pub price: String,
    pub stock: i64,
    pub active: bool,
}

impl Row {
    pub fn new(id: i64, price: &str, stock: i64) -> Self {
        Self { id, price: price.to_owned(), stock, active: true }
    }
}

/// `rows` as a CSV file.
pub fn csv(rows: &[Row]) -> String {
    let mut text = format!("{HEADER}\r\n");
    for Row { id, price, stock, active } in rows {
        text.push_str(&format!(
            "{id},Thing {id},Brand,Things,,,{id},CODE-{id},,,{price},,{stock},{active}\r\n"
        ));
    }
    text
}

/// Imports `rows` into `market`; the server may be running.
pub fn import(shop: &Shop, market: &str, rows: &[Row]) {
    let file = shop.write(&format!("rows-{market}.csv"), csv(rows));
    let file = file.to_str().expect("a path in UTF-8");
    shop.run_ok(&["catalog", "import", file, "--market", market]);
}

/// How many pieces of a SKU the shop has, as its export says.
pub fn stock(shop: &Shop, market: &str, sku: i64) -> i64 {
    let text = shop.run_ok(&["catalog", "export", "--market", market, "--format", "ndjson"]);
    let rows = text.lines().map(|line| {
        serde_json::from_str::<serde_json::Value>(line).expect("each line of an export is JSON")
    });
    let row = rows.into_iter().find(|row| row["sku_id"] == sku);
    let row = row.unwrap_or_else(|| panic!("SKU {sku} is not in the export:\n{text}"));
    row["stock"].as_i64().unwrap_or_else(|| panic!("no stock in {row}"))
}

/// Runs `evercart check`, which must find nothing wrong. [G4]
pub fn check(shop: &Shop) {
    let output = shop.run(&["check"]);
    assert_eq!(output.code, Some(0), "evercart check: {}{}", output.stdout, output.stderr);
}

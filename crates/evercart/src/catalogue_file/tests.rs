//! Claims about catalogue files: what is read, what is refused and how, what is written.

use std::path::Path;

use evercart_core::catalogue::ProductKey;
use evercart_core::ids::{ProductId, SkuId};
use evercart_core::money::Money;
use proptest::prelude::*;

use super::*;

const HEADER: &str = "product_id,name,brand,category,description,image,sku_id,sku_code,size,color,\
    price,original_price,stock,active";

fn usd() -> Currency {
    "USD".parse().expect("USD")
}

fn read_as(name: &str, content: &str) -> Result<Rows, String> {
    read(content.as_bytes(), Path::new(name), usd(), &mut |_| {}).map_err(|e| e.to_string())
}

fn csv(lines: &str) -> Result<Rows, String> {
    read_as("x.csv", &format!("{HEADER}\n{lines}"))
}

fn written(rows: &Rows, format: RowFormat) -> String {
    let mut out = Vec::new();
    write(&rows.rows, format, usd(), &mut out).expect("a vector takes it");
    String::from_utf8(out).expect("text")
}

#[test]
fn a_row_is_read_as_it_stands() {
    let rows =
        csv("15,Shirt,Brand,,\"Two\nlines\",/a.svg,42,S-1,M,,59.99,79.5,3,true\n").expect("ok");
    let row = &rows.rows[0];
    assert_eq!(row.product, ProductKey::Id(ProductId(15), None));
    assert_eq!((row.sku_id, row.price), (Some(SkuId(42)), Money(5999)));
    assert_eq!(row.original_price, Some(Money(7950)));
    assert_eq!((row.category.as_deref(), row.description.as_deref()), (None, Some("Two\nlines")));
    assert_eq!((row.stock, row.active, rows.lines[0]), (3, true, 2));
}

#[test]
fn ndjson_says_the_same_as_csv() {
    let line = r#"{"product_id":15,"name":"Shirt","sku_id":42,"sku_code":"S-1","#.to_owned()
        + r#""price":59.99,"stock":3,"active":true}"#;
    let json = read_as("x.ndjson", &line).expect("ok");
    let text = csv("15,Shirt,,,,,42,S-1,,,59.99,,3,true\n").expect("ok");
    assert_eq!(json.rows, text.rows);
    let string_price = line.replace("59.99", "\"59.99\"");
    assert_eq!(read_as("no-extension", &string_price).expect("ok").rows, text.rows);
    assert_eq!(json.kind, Kind::Ndjson);
}

#[test]
fn every_wrong_cell_is_named_with_its_line() {
    let error = csv("0,,,,,javascript:x,x,,,,1.999,-1,many,perhaps\n1,A,,,,,1,B,,,1,,1,1\n")
        .expect_err("wrong");
    for part in [
        "line 2, product_id: \"0\" is not an id",
        "line 2, name: is empty",
        "line 2, image: \"javascript:x\" is neither",
        "line 2, sku_id: \"x\" is not an id",
        "line 2, sku_code: is empty",
        "line 2, price: \"1.999\" has more than 2 decimals, expected a price in USD",
        "line 2, original_price: -1.00 USD is not a price",
        "line 2, stock: \"many\" is not a number of pieces",
        "line 2, active: \"perhaps\" is neither true nor false",
    ] {
        assert!(error.contains(part), "{part} is missing in: {error}");
    }
    assert!(!error.contains("line 3"), "{error}");
}

#[test]
fn problems_beyond_fifty_are_counted() {
    let lines = "x,A,,,,,,,,,1,,1,1\n".repeat(60);
    let error = csv(&lines).expect_err("wrong");
    assert_eq!(error.lines().count(), 1 + 50 + 1, "{error}");
    assert!(error.ends_with("… and 70 more"), "{error}");
}

#[test]
fn lines_that_contradict_each_other_are_named() {
    let error = csv("1,A,,,,,1,X,,,1,,1,1\n1,B,,,,,1,X,,,1,,1,1\n").expect_err("wrong");
    assert!(error.contains("line 3, sku_id: 1 is in line 2 already"), "{error}");
    assert!(error.contains("line 3, sku_code: \"X\" is in line 2 already"), "{error}");
    assert!(error.contains("line 3, name: differs from line 2"), "{error}");
}

#[test]
fn a_wrong_header_says_what_the_columns_are() {
    for (header, part) in [
        ("product_id,name,sku_code,price,stock,colour", "no column \"colour\""),
        ("product_id,name,sku_code,stock", "column price is missing"),
        ("name,sku_code,price,stock", "column product_id is missing"),
        ("product_id;name;sku_code;price;stock", "not separated by commas"),
        ("product_id,name,sku_code,price,stock,name", "name is there twice"),
        ("", "x.csv is empty"),
    ] {
        let error = read_as("x.csv", &format!("{header}\n")).expect_err("wrong");
        assert!(error.contains(part), "{header}: {error}");
    }
    assert!(csv("").expect_err("empty").contains("no rows"));
}

#[test]
fn broken_lines_are_named_not_dropped() {
    let error = csv("1,A,,,,,1,X,,,1,,1\n").expect_err("short");
    assert!(error.contains("line 2: has 13 columns, the header has 14"), "{error}");
    let bytes = [HEADER.as_bytes(), b"\n1,\xff,,,,,1,X,,,1,,1,1\n"].concat();
    let error = read(&bytes, Path::new("x.csv"), usd(), &mut |_| {}).expect_err("not UTF-8");
    assert!(error.to_string().contains("line 2: is not UTF-8"), "{error}");
    let error = read_as("x.ndjson", "{\"name\":[]}\n{\"nom\":1}\n{\n").expect_err("wrong");
    assert!(error.contains("line 1: name: expected a text"), "{error}");
    assert!(error.contains("line 2: there is no field \"nom\""), "{error}");
    assert!(error.contains("line 3: is not a JSON object"), "{error}");
    let twice = "{\"name\":\"A\",\"product_id\":1,\"product_id\":2}\n";
    let error = read_as("x.ndjson", twice).expect_err("wrong");
    assert!(error.contains("line 1: the field \"product_id\" is there twice"), "{error}");
}

#[test]
fn the_shopify_export_is_read_as_it_is() {
    let content = include_str!("../../tests/data/shopify-apparel.csv");
    let rows = read_as("products.csv", content).expect("a real export");
    assert_eq!(rows.kind, Kind::Shopify);
    let varsity: Vec<_> = rows
        .rows
        .iter()
        .filter(|row| row.product == ProductKey::Handle("classic-varsity-top".into()))
        .collect();
    let sizes: Vec<_> = varsity.iter().map(|row| row.size.as_deref()).collect();
    assert_eq!(sizes, [Some("Small"), Some("Medium"), Some("Large")]);
    assert_eq!(varsity[2].sku_code, "classic-varsity-top-large");
    assert_eq!(varsity[2].name, "Classic Varsity Top");
    assert_eq!(varsity[2].category.as_deref(), Some("women"));
    assert_eq!(varsity[2].price, Money(6000));
    assert!(varsity[2].image.as_deref().is_some_and(|url| url.starts_with("https://")));
    let shirt = &rows.rows[0];
    assert_eq!((shirt.sku_code.as_str(), &shirt.size), ("ocean-blue-shirt", &None));
    assert_eq!(shirt.brand.as_deref(), Some("partners-demo"));
    assert!(shirt.active);
}

#[test]
fn a_shopify_row_with_only_a_picture_is_no_variant() {
    let header = "Handle,Title,Body (HTML),Published,Option1 Name,Option1 Value,\
        Variant Inventory Qty,Variant Price,Variant Compare At Price,Image Src,Status";
    let content = format!(
        "{header}\n\
         a,A,<p>Hi<script>x</script></p>,true,Color,Red,-4,10,12,https://x/1.jpg,draft\n\
         a,,,,,,,,,https://x/2.jpg,\n\
         a,,,,,Blue,7,10,9,,\n\
         ,,,,,Blue,7,10,9,,\n"
    );
    let error = read_as("x.csv", &content).expect_err("no handle");
    assert!(error.contains("line 5, Handle"), "{error}");
    let content = content.lines().take(4).collect::<Vec<_>>().join("\n");
    let rows = read_as("x.csv", &content).expect("ok").rows;
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0].description.as_deref(), Some("Hi"));
    assert_eq!((rows[0].stock, rows[0].original_price), (0, Some(Money(1200))));
    assert_eq!((rows[1].color.as_deref(), rows[1].original_price), (Some("Blue"), None));
    assert_eq!(rows[1].image.as_deref(), Some("https://x/1.jpg"));
    assert!(!rows[0].active && !rows[1].active);
}

#[test]
fn a_file_that_is_exactly_ours_is_written_back_byte_for_byte() {
    let line = "15,\"Shirt, blue\",,,\"Say \"\"hi\"\"\",/a.svg,42,S-1,M,,59.99,79.50,3,true";
    let content = format!("{HEADER}\r\n{line}\r\n");
    let rows = read_as("x.csv", &content).expect("ok");
    assert_eq!(written(&rows, RowFormat::Csv), content);
    let json = written(&rows, RowFormat::Ndjson);
    assert_eq!(written(&read_as("x.ndjson", &json).expect("ok"), RowFormat::Csv), content);
}

proptest! {
    #[test]
    fn reading_never_panics(content in "\\PC{0,200}", ndjson: bool) {
        let name = if ndjson { "x.ndjson" } else { "x.csv" };
        let _ = read_as(name, &content);
        let _ = csv(&content);
    }

    #[test]
    fn what_is_written_is_read_back(
        name in "[\\PC&&[^\u{fffe}\u{ffff}]]{1,20}",
        text in "[a-z\",;\n\u{e9}]{0,20}",
        minor in 0_i64..10_000_000
    ) {
        let price = Money(minor).to_decimal(usd());
        let mut rows = csv(&format!("1,A,,,,,2,C,,,{price},,5,false\n")).expect("ok");
        prop_assume!(!name.trim().is_empty());
        rows.rows[0].name = name.trim().to_owned();
        rows.rows[0].description = (!text.trim().is_empty()).then(|| text.trim().to_owned());
        for (format, file) in [(RowFormat::Csv, "x.csv"), (RowFormat::Ndjson, "x.ndjson")] {
            let back = read_as(file, &written(&rows, format)).expect("readable");
            prop_assert_eq!(&back.rows, &rows.rows);
        }
    }
}

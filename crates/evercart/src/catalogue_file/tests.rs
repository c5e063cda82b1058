//! Claims about catalogue files: what is read, what is refused and how, what is written.

use std::path::Path;

use evercart_core::catalogue::{CatalogueRow, ProductKey, StockChange};
use evercart_core::ids::{ProductId, SkuId};
use evercart_core::money::Money;
use proptest::prelude::*;

use super::*;

const HEADER: &str = "product_id,name,brand,category,description,image,sku_id,sku_code,size,color,\
    price,original_price,stock,active";

fn usd() -> Currency {
    "USD".parse().expect("USD")
}

/// All that is in a file.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) kind: Kind,
    pub(super) rows: Vec<RowChange>,
    pub(super) lines: Vec<u32>,
    notes: Vec<String>,
}

/// Reads a file, and its rows a few at a time.
pub(super) fn read(content: &[u8], name: &str) -> Result<Whole, Failure> {
    let CatalogueFile { kind, lines, notes, rows: mut file } =
        CatalogueFile::of(content, Path::new(name), usd())?;
    let mut rows = Vec::new();
    file.rewind().expect("it is in memory");
    loop {
        let some = file.next(3).expect("it was read before");
        if some.is_empty() {
            break;
        }
        rows.extend(some);
    }
    Ok(Whole { kind, rows, lines, notes })
}

fn read_as(name: &str, content: &str) -> Result<Whole, String> {
    read(content.as_bytes(), name).map_err(|e| e.to_string())
}

fn csv(lines: &str) -> Result<Whole, String> {
    read_as("x.csv", &format!("{HEADER}\n{lines}"))
}

/// A row as an export would have it; `None` if it leaves something out that an export has.
pub(super) fn whole(row: &RowChange) -> Option<CatalogueRow> {
    let row = row.clone();
    let (StockChange::To(stock) | StockChange::ToIfStill { pieces: stock, .. }) = row.stock? else {
        return None;
    };
    Some(CatalogueRow {
        product: row.product?,
        name: row.name?,
        brand: row.brand.flatten(),
        category: row.category.flatten(),
        description: row.description.flatten(),
        image: row.image.flatten(),
        sku_id: row.sku_id,
        sku_code: row.sku_code?,
        size: row.size.flatten(),
        color: row.color.flatten(),
        price: row.price?,
        original_price: row.original_price.flatten(),
        stock,
        active: row.active.unwrap_or(true),
    })
}

fn all_whole(rows: &Whole) -> Vec<CatalogueRow> {
    rows.rows.iter().map(|row| whole(row).expect("nothing is left out")).collect()
}

fn written(rows: &[CatalogueRow], format: RowFormat) -> String {
    let mut out = Vec::new();
    write(rows, format, usd(), &mut out).expect("a vector takes it");
    String::from_utf8(out).expect("text")
}

#[test]
fn a_row_is_read_as_it_stands() {
    let rows =
        csv("15,Shirt,Brand,,\"Two\nlines\",/a.svg,42,S-1,M,,59.99,79.5,3,true\n").expect("ok");
    let row = &all_whole(&rows)[0];
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
    assert_eq!(all_whole(&json), all_whole(&text));
    let string_price = line.replace("59.99", "\"59.99\"");
    assert_eq!(all_whole(&read_as("no-extension", &string_price).expect("ok")), all_whole(&text));
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
        ("product_id,name,price,stock", "column sku_code is missing, or sku_id"),
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
    let error = read(&bytes, "x.csv").expect_err("not UTF-8");
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
    let rows = all_whole(&rows);
    let varsity: Vec<_> = rows
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
    let shirt = &rows[0];
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
    let rows = all_whole(&read_as("x.csv", &content).expect("ok"));
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0].description.as_deref(), Some("Hi"));
    assert_eq!((rows[0].stock, rows[0].original_price), (0, Some(Money(1200))));
    assert_eq!((rows[1].color.as_deref(), rows[1].original_price), (Some("Blue"), None));
    assert_eq!(rows[1].image.as_deref(), Some("https://x/1.jpg"));
    assert!(!rows[0].active && !rows[1].active);
}

#[test]
fn a_column_that_is_not_there_changes_nothing() {
    let rows = read_as("x.csv", "sku_id,price\n42,49.99\n").expect("two columns are enough");
    let expected =
        RowChange { sku_id: Some(SkuId(42)), price: Some(Money(4999)), ..RowChange::default() };
    assert_eq!(rows.rows[0], expected);
    let json = read_as("x.ndjson", r#"{"sku_id":42,"price":"49.99"}"#).expect("ok");
    assert_eq!(json.rows, [expected]);
    // An empty cell is something else: there is no brand any more.
    let rows = read_as("x.csv", "sku_code,brand\nS-1,\n").expect("ok");
    assert_eq!((rows.rows[0].brand.clone(), rows.rows[0].category.clone()), (Some(None), None));
    let error = read_as("x.ndjson", r#"{"price":1}"#).expect_err("which SKU");
    assert!(error.contains("line 1, sku_id: is empty, and so is sku_code"), "{error}");
}

#[test]
fn a_stock_is_a_number_or_a_change() {
    let stock = |cells: &str| {
        let rows = read_as("x.csv", &format!("sku_code,stock,stock_seen\nS-1,{cells}\n"));
        rows.map(|rows| rows.rows[0].stock.expect("a stock"))
    };
    assert_eq!(stock("5,"), Ok(StockChange::To(5)));
    assert_eq!(stock("+5,"), Ok(StockChange::By(5)));
    assert_eq!(stock("-2,27"), Ok(StockChange::By(-2)));
    assert_eq!(stock("\u{2212}2,"), Ok(StockChange::By(-2)));
    assert_eq!(stock("30,27"), Ok(StockChange::ToIfStill { pieces: 30, seen: 27 }));
    for (cells, part) in [
        ("5x,", "line 2, stock: \"5x\" is not a number of pieces, 0 to 1000000000, nor a change"),
        (",27", "line 2, stock: \"\" is not a number"),
        ("1000000001,", "line 2, stock: \"1000000001\" is not"),
        ("5,-1", "line 2, stock_seen: \"-1\" is not the stock"),
    ] {
        let error = stock(cells).expect_err("wrong");
        assert!(error.contains(part), "{cells}: {error}");
    }
}

#[test]
fn rows_without_content_are_passed_over() {
    let rows = csv("1,A,,,,,1,X,,,1,,1,1\n,,,,,,,,,,,,,\n  \n,,\n").expect("ok");
    assert_eq!(rows.rows.len(), 1);
}

const EXPORT: &str = "Handle,Title,Option1 Name,Option1 Value,Variant SKU,\
    Variant Inventory Tracker,Variant Inventory Qty,Variant Inventory Policy,Variant Price,\
    Image Src,Image Position";

fn shopify(lines: &str) -> Whole {
    read_as("x.csv", &format!("{EXPORT}\n{lines}")).expect("ok")
}

#[test]
fn the_template_of_2024_is_a_shopify_file_too() {
    let content = "Title,URL handle,Description,Status,SKU,Option1 name,Option1 value,Price,\
        Compare-at price,Inventory tracker,Inventory quantity,Continue selling when out of stock,\
        Product image URL,Image position\n\
        Cap,cap,<p>Wool</p>,Active,CAP-S,Size,S,19.00,25.00,shopify,4,DENY,https://x/1.jpg,1\n\
        ,cap,,,CAP-M,,M,19.00,25.00,shopify,6,DENY,,\n";
    let rows = read_as("x.csv", content).expect("ok");
    assert_eq!(rows.kind, Kind::Shopify);
    let [small, medium] = &*all_whole(&rows) else { panic!("{rows:?}") };
    assert_eq!((small.stock, small.original_price), (4, Some(Money(2500))));
    assert_eq!(small.product, ProductKey::Handle("cap".into()));
    assert_eq!((medium.size.as_deref(), medium.name.as_str()), (Some("M"), "Cap"));
    assert_eq!(small.description.as_deref(), Some("Wool"));
}

#[test]
fn variants_that_share_a_shopify_code_both_come_in() {
    let lines = "red,Mug,Title,Default Title,MUG,shopify,5,deny,9,,\n\
        blue,Mug,Title,Default Title,MUG,shopify,7,deny,9,,\n";
    let rows = shopify(lines);
    let codes: Vec<_> = rows.rows.iter().flat_map(|row| row.sku_code.as_deref()).collect();
    assert_eq!(codes, ["MUG", "blue"]);
    assert_eq!(rows.notes.len(), 1, "{:?}", rows.notes);
    assert!(rows.notes[0].starts_with("1 variants repeat another one's SKU"), "{:?}", rows.notes);
}

#[test]
fn what_shopify_does_not_count_is_for_sale() {
    let lines = "a,A,Title,Default Title,A,,,deny,5,,\n\
        b,B,Title,Default Title,B,,0,deny,5,,\n\
        c,C,Title,Default Title,C,shopify,0,continue,5,,\n\
        d,D,Title,Default Title,D,shopify,0,deny,5,,\n\
        e,E,Title,Default Title,E,shopify,,deny,5,,\n";
    let rows = shopify(lines);
    let stock: Vec<_> = rows.rows.iter().map(|row| row.stock).collect();
    let plenty = Some(StockChange::To(1_000_000));
    assert_eq!(stock, [plenty, plenty, plenty, Some(StockChange::To(0)), None]);
    assert!(rows.notes[0].contains("the stock of 3 variants"), "{:?}", rows.notes);
    // A file of prices says nothing of the stock.
    let prices = "Handle,Title,Variant SKU,Variant Inventory Tracker,Variant Price\n\
        a,A,A,shopify,5\n";
    let row = &read_as("x.csv", prices).expect("ok").rows[0];
    assert_eq!((row.stock, row.active, &row.image), (None, None, &None));
}

#[test]
fn a_products_picture_is_its_first_wherever_it_stands() {
    let lines = "a,A,Size,S,A-S,shopify,1,deny,5,,\n\
        a,,,M,A-M,shopify,1,deny,5,https://x/2.jpg,2\n\
        a,,,,,,,,,https://x/1.jpg,1\n";
    let images: Vec<_> = shopify(lines).rows.iter().map(|row| row.image.clone()).collect();
    let first = Some(Some("https://x/1.jpg".to_owned()));
    assert_eq!(images, [first.clone(), first]);
}

#[test]
fn a_file_that_is_exactly_ours_is_written_back_byte_for_byte() {
    let line =
        "15,\"=Shirt, blue\",,,\"Say \"\"hi\"\"\",/a.svg,42,S-1,+1.5,-1.5,59.99,79.50,3,3,true";
    let header = HEADER.replace("stock", "stock,stock_seen");
    let content = format!("{header}\r\n{line}\r\n");
    let rows = all_whole(&read_as("x.csv", &content).expect("ok"));
    assert_eq!(written(&rows, RowFormat::Csv), content);
    let json = written(&rows, RowFormat::Ndjson);
    let rows = all_whole(&read_as("x.ndjson", &json).expect("ok"));
    assert_eq!(written(&rows, RowFormat::Csv), content);
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
        let rows = csv(&format!("1,A,,,,,2,C,,,{price},,5,false\n")).expect("ok");
        let mut rows = all_whole(&rows);
        prop_assume!(!name.trim().is_empty());
        rows[0].name = name.trim().to_owned();
        rows[0].description = (!text.trim().is_empty()).then(|| text.trim().to_owned());
        for (format, file) in [(RowFormat::Csv, "x.csv"), (RowFormat::Ndjson, "x.ndjson")] {
            let back = read_as(file, &written(&rows, format)).expect("readable");
            prop_assert_eq!(&all_whole(&back), &rows);
        }
    }
}

//! S6: whatever bytes a catalogue file has, reading it gives rows or says what is wrong, and what
//! it gives is written back. `PROPTEST_CASES=100000` tries longer; what was interesting once is in
//! `tests/corpus/catalogue`.

use std::path::Path;

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::tests::{Whole, read, whole};
use super::*;

const CSV: &str = "product_id,name,brand,category,description,image,sku_id,sku_code,size,color,\
    price,original_price,stock,active\r\n\
    15,\"Shirt, blue\",,,\"Say \"\"hi\"\"\",/a.svg,42,S-1,M,,59.99,79.50,3,true\r\n\
    15,\"Shirt, blue\",,,\"Say \"\"hi\"\"\",/a.svg,43,S-2,L,,59.99,,0,false\r\n";
const NDJSON: &str = "{\"product_id\":15,\"name\":\"Shirt\",\"sku_id\":42,\"sku_code\":\"S-1\",\
    \"price\":59.99,\"stock\":3,\"active\":true}\n\
    {\"product_id\":16,\"name\":\"Hat\",\"sku_code\":\"H-1\",\"price\":\"5\",\"stock\":0}\n";
const SHOPIFY: &str = "Handle,Title,Body (HTML),Published,Option1 Name,Option1 Value,\
    Variant SKU,Variant Inventory Qty,Variant Price,Variant Compare At Price,Image Src,Status\n\
    a,A,<p>Hi<script>x</script></p>,true,Color,Red,A-R,4,10,12,https://x/1.jpg,active\n\
    a,,,,,Blue,A-B,7,10,9,https://x/2.jpg,\n";

/// What files are broken with.
const PIECES: [&[u8]; 26] = [
    b"",
    b",",
    b"\"",
    b"\"\"",
    b"\n",
    b"\r",
    b"\r\n",
    b"\n\n",
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\xc3",
    b"-1",
    b"1e400",
    b"0.001",
    b"99999999999999999999",
    b"{",
    b"}",
    b"[[[[",
    b"null",
    b"<script>",
    b"&#0;&#x110000;",
    b"\\ud800",
    b"\xe2\x80\xae",
    b"NaN",
    b";",
];

fn usd() -> Currency {
    "USD".parse().expect("USD")
}

/// Reads a file under a name, and looks at what comes of it.
fn try_to_read(name: &str, content: &[u8]) -> bool {
    match read(content, name) {
        Err(refused) => {
            assert!(!refused.to_string().is_empty());
            false
        }
        Ok(rows) => {
            assert!(!rows.rows.is_empty(), "nothing is no catalogue");
            assert_eq!(rows.rows.len(), rows.lines.len(), "each row has its line");
            is_written_back(&rows);
            true
        }
    }
}

/// Rows with ids come back from both formats as they were; those of a Shopify export get their ids
/// from the store first.
fn is_written_back(rows: &Whole) {
    if rows.kind == Kind::Shopify {
        return;
    }
    let Some(rows) = rows.rows.iter().map(whole).collect::<Option<Vec<_>>>() else { return };
    for (format, name) in [(RowFormat::Csv, "x.csv"), (RowFormat::Ndjson, "x.ndjson")] {
        let mut written = Vec::new();
        write(&rows, format, usd(), &mut written).expect("a vector takes it");
        let back = read(&written, name);
        let back = back.unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&written)));
        let back: Vec<_> = back.rows.iter().filter_map(whole).collect();
        assert_eq!(back, rows, "{}", String::from_utf8_lossy(&written));
    }
}

/// One of the right files with one to eight things broken in it.
fn broken() -> impl Strategy<Value = Vec<u8>> {
    let breaks = (any::<Index>(), 0_usize..12, 0_u8..3, select(PIECES.to_vec()));
    let files = select(vec![CSV, NDJSON, SHOPIFY]);
    (files, proptest::collection::vec(breaks, 1..9)).prop_map(|(file, breaks)| {
        let mut bytes = file.as_bytes().to_vec();
        for (place, length, kind, piece) in breaks {
            let from = place.index(bytes.len() + 1);
            let to = (from + length).min(bytes.len());
            let new = match kind {
                0 => piece.to_vec(),
                1 => [&bytes[from..to], &bytes[from..to], piece].concat(),
                _ => Vec::new(),
            };
            bytes.splice(from..to, new);
        }
        bytes
    })
}

proptest! {
    #[test]
    fn s6_any_bytes_are_rows_or_refused(content in proptest::collection::vec(any::<u8>(), 0..300)) {
        for name in ["x.csv", "x.ndjson", "x"] {
            try_to_read(name, &content);
        }
        let with_header = [CSV.lines().next().expect("a header").as_bytes(), b"\n", &content];
        try_to_read("x.csv", &with_header.concat());
    }

    #[test]
    fn s6_a_broken_file_is_rows_or_refused(content in broken()) {
        for name in ["x.csv", "x.ndjson", "x"] {
            try_to_read(name, &content);
        }
    }
}

#[test]
fn the_files_that_are_broken_above_are_whole() {
    for (name, file) in [("x.csv", CSV), ("x.ndjson", NDJSON), ("x.csv", SHOPIFY)] {
        assert!(try_to_read(name, file.as_bytes()), "{file}");
    }
}

#[test]
fn s6_the_corpus_of_catalogues_is_read_as_its_names_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/catalogue");
    let mut tried = 0;
    for entry in std::fs::read_dir(&folder).expect("the corpus") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
        let content = std::fs::read(&path).expect("a file of ours");
        assert_eq!(try_to_read(name, &content), name.starts_with("good-"), "{name}");
        tried += 1;
    }
    assert!(tried >= 10, "{tried} files");
}

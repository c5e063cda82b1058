//! Bad input of every kind, to every operation that takes any: a 4xx that says what is wrong, and
//! nothing changed.

use axum::http::Method;
use serde_json::{Value, json};

use crate::schema::operations;
use crate::shop::{ANN, TestShop};

fn wrong_values(kind: &str) -> Vec<Value> {
    let raw = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    match kind {
        "integer" => [
            "-1",
            "1.5",
            "\"2.5\"",
            "\"x\"",
            "\"\"",
            "\"9007199254740992\"",
            "true",
            "null",
            "[]",
            "{}",
            "[1]",
            "1000000000000000000000",
            "9007199254740992",
            "-9223372036854775809",
            "1e16",
        ]
        .map(raw)
        .to_vec(),
        "number" => vec![json!("1"), json!(true), json!([]), json!({}), json!(-1), json!(0.001)],
        "array" => vec![json!(1), json!(true), json!("x"), json!({}), json!(null)],
        "boolean" => vec![json!(1), json!("true"), json!([]), json!({})],
        "string" => vec![
            json!(1),
            json!(true),
            json!([]),
            json!({}),
            json!(["x"]),
            json!("\u{0}"),
            json!("a\u{7}b"),
            json!("x".repeat(3000)),
            json!("\u{202e}".repeat(3000)),
        ],
        other => panic!("no wrong values for {other}"),
    }
}

fn kind(property: &Value) -> &str {
    let kinds = &property["type"];
    kinds.as_str().or_else(|| kinds[0].as_str()).unwrap_or("number")
}

/// S6
#[tokio::test]
async fn every_wrong_field_is_named_and_nothing_changes() {
    let shop = TestShop::open().await;
    let ann = shop.prepare().await;
    let before = shop.everything(&ann.token).await;
    let mut tried = 0;
    for operation in operations() {
        let Some(schema) = operation.body() else { continue };
        let example = operation.example().unwrap();
        for (field, property) in schema["properties"].as_object().unwrap() {
            let takes_null =
                property["type"].as_array().is_some_and(|kinds| kinds.contains(&json!("null")));
            for value in wrong_values(kind(property)) {
                if takes_null && value.is_null() {
                    continue;
                }
                let mut body = example.clone();
                body[field] = value.clone();
                let request = shop.example(&operation, &ann).token(&ann.token);
                let answer = request.raw(body.to_string()).send().await;
                let what = format!("{} {} {field} = {value:.60}", operation.method, operation.path);
                assert_eq!(answer.status, 422, "{what}: {}", answer.text);
                assert_eq!(answer.code(), "validation_failed", "{what}");
                assert_eq!(answer.fields(), [field], "{what}: {}", answer.text);
                tried += 1;
            }
        }
        for field in schema["required"].as_array().into_iter().flatten() {
            let mut body = example.clone();
            body.as_object_mut().unwrap().remove(field.as_str().unwrap());
            let request = shop.example(&operation, &ann).token(&ann.token);
            let answer = request.raw(body.to_string()).send().await;
            assert_eq!(
                (answer.status.as_u16(), answer.fields()),
                (422, vec![field.as_str().unwrap()])
            );
        }
    }
    assert!(tried > 200, "only {tried} bodies were tried");
    assert_eq!(shop.everything(&ann.token).await, before);
}

/// S6
#[tokio::test]
async fn what_is_no_json_object_is_refused_everywhere() {
    let shop = TestShop::open().await;
    let ann = shop.prepare().await;
    let before = shop.everything(&ann.token).await;
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(20_000), "]".repeat(20_000));
    let malformed: [&[u8]; 14] = [
        b"",
        b" ",
        b"{",
        b"}",
        b"{\"quantity\":NaN}",
        b"{\"quantity\":Infinity}",
        b"{\"quantity\":0x1}",
        b"{'quantity':1}",
        b"{\"quantity\":1,}",
        b"\xff\xfe{}",
        b"{\"a\":\"\xc3\x28\"}",
        b"quantity=1",
        b"<xml/>",
        deep.as_bytes(),
    ];
    for operation in operations().into_iter().filter(|operation| operation.body().is_some()) {
        let what = format!("{} {}", operation.method, operation.path);
        let ask = || {
            let ask = shop.ask(operation.method(), &ann.fill(operation.path)).token(&ann.token);
            ask.header("content-type", "application/json; charset=utf-8")
        };
        for body in malformed {
            let answer = ask().raw(body.to_vec()).send().await;
            let shown = String::from_utf8_lossy(body);
            assert_eq!(
                (answer.status.as_u16(), answer.code()),
                (400, "malformed_json"),
                "{what}: {shown:.40}"
            );
        }
        for body in ["[]", "[{}]", "\"x\"", "1", "null", "true"] {
            let answer = ask().raw(body).send().await;
            assert_eq!(
                (answer.status.as_u16(), answer.fields()),
                (422, vec!["body"]),
                "{what}: {body}"
            );
        }
        ask().raw("x".repeat(64 * 1024 + 1)).send().await.is(413, "body_too_large");
        for kind in
            ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1"]
        {
            let ask = shop.ask(operation.method(), &ann.fill(operation.path)).token(&ann.token);
            let answer = ask.header("content-type", kind).raw("{}").send().await;
            assert_eq!(
                (answer.status.as_u16(), answer.code()),
                (415, "unsupported_media_type"),
                "{what}: {kind}"
            );
        }
        let answer = ask().header("content-encoding", "gzip").raw("{}").send().await;
        answer.is(415, "unsupported_media_type");
        assert!(answer.text.contains("without Content-Encoding"), "{what}: {}", answer.text);
    }
    assert_eq!(shop.everything(&ann.token).await, before);
}

/// S6
#[tokio::test]
async fn a_body_in_chunks_is_bounded_too() {
    let shop = TestShop::open().await;
    let ann = shop.prepare().await;
    let chunks = || {
        let chunk = || Ok::<_, std::io::Error>(vec![b' '; 8 * 1024]);
        axum::body::Body::from_stream(futures_util::stream::iter((0..9).map(move |_| chunk())))
    };
    let add = shop.post("/cart/items").token(&ann.token).header("content-type", "application/json");
    add.raw(chunks()).send().await.is(413, "body_too_large");
    // Also where the body does not matter.
    shop.delete("/cart").token(&ann.token).raw(chunks()).send().await.is(413, "body_too_large");
    let ignored = shop.delete("/cart").token(&ann.token).raw("not JSON").send().await;
    assert_eq!(ignored.status, 200);
}

/// As the clients of the service before this one write them.
#[tokio::test]
async fn an_integer_may_be_written_as_a_float_or_as_text() {
    let shop = TestShop::open().await;
    let ann = shop.sign_in(ANN).await;
    let send = |method, path: &str, body: &str| {
        let asked = shop.ask(method, path).token(&ann);
        asked.header("content-type", "application/json").raw(body.to_owned()).send()
    };
    let mut expected = 0;
    for (id, quantity, pieces) in [
        ("42", "2", 2),
        ("42.0", "2.0", 2),
        ("\"42\"", "\"2\"", 2),
        ("4.2e1", "1e1", 10),
        ("\"042\"", "20E-1", 2),
    ] {
        let body = format!("{{\"sku_id\": {id}, \"quantity\": {quantity}}}");
        let answer = send(Method::POST, "/cart/items", &body).await;
        expected += pieces;
        assert_eq!((answer.status.as_u16(), &answer.body["total_items"]), (200, &json!(expected)));
    }
    for (path, body, pieces) in [
        ("/cart/items/1", "{\"quantity\": \"7\"}", 7),
        ("/cart/items/1", "{\"quantity\": 6.0}", 6),
        ("/cart/items/1?quantity=5.0", "", 5),
        ("/cart/items/1?quantity=4", "", 4),
    ] {
        let answer = send(Method::PUT, path, body).await;
        assert_eq!((answer.status.as_u16(), &answer.body["total_items"]), (200, &json!(pieces)));
    }
    let wish = send(Method::POST, "/wishlist/items", "{\"product_id\": \"15\"}").await;
    assert_eq!(wish.body["items"][0]["product_id"], 15);
    let merge = "{\"items\": [{\"sku_id\": \"42\", \"quantity\": 9.0}]}";
    assert_eq!(send(Method::POST, "/cart/merge", merge).await.body["total_items"], 9);
}

/// S6
#[tokio::test]
async fn odd_numbers_never_get_into_a_cart() {
    let shop = TestShop::open().await;
    let ann = shop.prepare().await;
    let before = shop.everything(&ann.token).await;
    for quantity in [
        "0",
        "-1",
        "-3",
        "1000",
        "1.5",
        "\"2.5\"",
        "\"2.0\"",
        "\" 2\"",
        "\"1e1\"",
        "\"x\"",
        "\"\"",
        "\"1000\"",
        "1000.0",
        "true",
        "null",
        "1000000000000",
        "2147483648",
        "9223372036854775808",
        "1e400",
        "1E3",
    ] {
        let body = format!("{{\"sku_id\": 42, \"quantity\": {quantity}}}");
        let add = shop.post("/cart/items").token(&ann.token);
        let answer = add.header("content-type", "application/json").raw(body).send().await;
        assert_eq!(
            (answer.status.as_u16(), answer.fields()),
            (422, vec!["quantity"]),
            "{quantity}"
        );
        if quantity == "0" {
            continue;
        }
        let body = format!("{{\"quantity\": {quantity}}}");
        let set = shop.put(&format!("/cart/items/{}", ann.line)).token(&ann.token);
        let answer = set.header("content-type", "application/json").raw(body).send().await;
        assert_eq!(
            (answer.status.as_u16(), answer.fields()),
            (422, vec!["quantity"]),
            "{quantity}"
        );
    }
    for query in ["-1", "1000", "1.5", "two", "", "1&quantity=2", "%32%00", "1e2", "+1"] {
        let path = format!("/cart/items/{}?quantity={query}", ann.line);
        let answer = shop.put(&path).token(&ann.token).send().await;
        assert_eq!((answer.status.as_u16(), answer.fields()), (422, vec!["quantity"]), "{query}");
    }
    for sku in [
        "0",
        "-1",
        "9223372036854775807",
        "99999999999999999999",
        "\"4.2\"",
        "1.5",
        "9007199254740992.0",
    ] {
        let body = format!("{{\"sku_id\": {sku}}}");
        let add = shop.post("/cart/items").token(&ann.token);
        let answer = add.header("content-type", "application/json").raw(body).send().await;
        assert_eq!((answer.status.as_u16(), answer.fields()), (422, vec!["sku_id"]), "{sku}");
    }
    assert_eq!(shop.everything(&ann.token).await, before);
}

#[tokio::test]
async fn a_path_or_query_that_means_nothing_is_refused() {
    let shop = TestShop::open().await;
    let ann = shop.prepare().await;
    for operation in operations().into_iter().filter(|operation| operation.path.contains('{')) {
        for id in [
            "0",
            "-1",
            "abc",
            "1.0",
            "%FF",
            "%00",
            "%",
            "%zz",
            "1%20",
            "9223372036854775808",
            "%2e%2e",
            "1;DROP",
            "é",
        ] {
            let id = id.replace('é', "%C3%A9");
            let path = operation.path.replace("{id}", &id).replace("{product_id}", &id);
            let answer = shop.example(&operation, &ann).at(&path).token(&ann.token).send().await;
            assert_eq!((answer.status.as_u16(), answer.code()), (404, "not_found"), "{path}");
        }
    }
    for query in [
        "limit=0",
        "limit=101",
        "limit=x",
        "offset=-1",
        "offset=9007199254740992",
        "limit=1&limit=1",
        "limit=%FF",
    ] {
        for path in ["/products", "/orders", "/profile/orders"] {
            let answer = shop.get(&format!("{path}?{query}")).token(&ann.token).send().await;
            assert_eq!(answer.status, 422, "{path}?{query}");
        }
    }
    for query in ["search=%FF", "search=%00", "category=%07"] {
        shop.get(&format!("/products?{query}")).send().await.is(422, "validation_failed");
    }
    let long = shop.get(&format!("/products?search={}", "x".repeat(101))).send().await;
    assert_eq!(long.fields(), ["search"]);
    shop.get("/orders?status_filter=PENDING")
        .token(&ann.token)
        .send()
        .await
        .is(422, "validation_failed");
    for key in ["", &"x".repeat(256), "\u{fc}"] {
        let request = shop.delete("/cart").token(&ann.token).key(key);
        let answer = request.send().await;
        assert_eq!(
            (answer.status.as_u16(), answer.fields()),
            (422, vec!["Idempotency-Key"]),
            "{key}"
        );
    }
}

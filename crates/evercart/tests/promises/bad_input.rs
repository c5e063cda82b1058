//! S6: whatever a client sends, it gets a 4xx that says what is wrong, nothing of the inside, and
//! nothing has changed.

use serde_json::{Value, json};

use crate::catalogue_rows::{Row, check, import};
use crate::customer::{Customer, expect, no_leak, pieces, problem, us_phone};
use crate::endpoints;
use crate::harness::{Answer, Shop};

const INACTIVE: i64 = 5002;
const SCARCE: i64 = 5003;

/// A customer with two pieces of SKU 42 on line 1, an address and a wish.
fn shop_and_customer() -> (Shop, Customer) {
    let shop = Shop::demo();
    let inactive = Row { active: false, ..Row::new(INACTIVE, "1.00", 5) };
    import(&shop, "us", &[inactive, Row::new(SCARCE, "1.00", 3)]);
    let jo = Customer::of_demo(&shop, &us_phone(1));
    expect(200, &jo.add(&shop, 42, 2));
    expect(200, &jo.wish(&shop, 15));
    let address = json!({ "full_address": "233 S Wacker Dr" });
    expect(201, &jo.post(&shop, "/profile/addresses", &address));
    (shop, jo)
}

fn send_text(shop: &Shop, jo: &Customer, method: &str, path: &str, body: &[u8]) -> Answer {
    jo.request(shop, method, path).body("application/json", body).send()
}

/// What is no quantity, as JSON text.
const QUANTITIES: [&str; 30] = [
    "-1",
    "-3",
    "1.5",
    "\"2.5\"",
    "\"1000\"",
    "\"\"",
    "\"two\"",
    "true",
    "false",
    "null",
    "[]",
    "[1]",
    "{}",
    "1000",
    "1000000000000",
    "2147483648",
    "4294967297",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775809",
    "18446744073709551617",
    "1e400",
    "1e3",
    "-0.1",
    "0.1",
    "99999999999999999999999999999999999999",
    "1E+3",
    "\"1; DROP TABLE carts\"",
    "\"\\u0000\"",
    "0.30000000000000004",
];

#[test]
fn s6_only_1_to_999_is_a_quantity() {
    let (shop, jo) = shop_and_customer();
    let had = jo.everything(&shop);
    for quantity in QUANTITIES.into_iter().chain(["0"]) {
        for path in ["/cart/items", "/wishlist/items/15/move-to-cart"] {
            let body = format!("{{\"sku_id\":42,\"quantity\":{quantity}}}");
            let answer = send_text(&shop, &jo, "POST", path, body.as_bytes());
            let body = problem(422, "validation_failed", &answer);
            assert_eq!(body["errors"][0]["field"], "quantity", "{quantity}: {body}");
        }
    }
    // Here, 0 removes the line, and -0 is 0.
    for quantity in QUANTITIES.into_iter().filter(|quantity| *quantity != "-0") {
        let body = format!("{{\"quantity\":{quantity}}}");
        let answer = send_text(&shop, &jo, "PUT", "/cart/items/1", body.as_bytes());
        problem(422, "validation_failed", &answer);
    }
    for quantity in
        ["-1", "1.5", "", "x", "1000", "99999999999999999999", "0x1", "%00", "1&quantity=2"]
    {
        let path = format!("/cart/items/1?quantity={quantity}");
        problem(422, "validation_failed", &jo.request(&shop, "PUT", &path).send());
    }
    for not_json in ["NaN", "Infinity", "01", "+1", ".5", "1.", "0x10", "undefined", "1_000", ""] {
        let body = format!("{{\"sku_id\":42,\"quantity\":{not_json}}}");
        let answer = send_text(&shop, &jo, "POST", "/cart/items", body.as_bytes());
        problem(400, "malformed_json", &answer);
    }
    assert_eq!(jo.everything(&shop), had, "nothing has changed");
}

/// The service this replaces turned a quantity of -3 into an order of -59.97 and raised the stock.
#[test]
fn s6_no_order_is_ever_negative() {
    let (shop, jo) = shop_and_customer();
    for quantity in [-3, -1, -999, i64::MIN] {
        problem(422, "validation_failed", &jo.add(&shop, 42, quantity));
        let request = jo.request(&shop, "PUT", "/cart/items/1");
        problem(422, "validation_failed", &request.json(&json!({ "quantity": quantity })).send());
        let path = format!("/cart/items/1?quantity={quantity}");
        problem(422, "validation_failed", &jo.request(&shop, "PUT", &path).send());
    }
    let order = expect(201, &jo.checkout(&shop));
    assert_eq!(pieces(&order, 42), 2);
    assert_eq!(order["subtotal"].as_f64(), Some(119.98), "{order}");
    check(&shop);
}

#[test]
fn s6_only_a_known_sku_and_product_can_be_added() {
    let (shop, jo) = shop_and_customer();
    let had = jo.everything(&shop);
    for (id, status, code) in [
        ("999999", 404, "not_found"),
        ("9007199254740991", 404, "not_found"),
        ("0", 422, "validation_failed"),
        ("-1", 422, "validation_failed"),
        ("9007199254740992", 422, "validation_failed"),
        ("9223372036854775808", 422, "validation_failed"),
        ("1e3", 404, "not_found"),
        ("\"999999\"", 404, "not_found"),
        ("\"4.2\"", 422, "validation_failed"),
        ("null", 422, "validation_failed"),
        ("[42]", 422, "validation_failed"),
        ("42.5", 422, "validation_failed"),
    ] {
        let body = format!("{{\"sku_id\":{id},\"product_id\":{id},\"quantity\":1}}");
        for path in ["/cart/items", "/wishlist/items", "/wishlist/items/15/move-to-cart"] {
            let answer = send_text(&shop, &jo, "POST", path, body.as_bytes());
            problem(status, code, &answer);
        }
    }
    problem(422, "validation_failed", &jo.post(&shop, "/cart/items", &json!({ "quantity": 1 })));
    problem(409, "sku_unavailable", &jo.add(&shop, INACTIVE, 1));
    let short = problem(409, "insufficient_stock", &jo.add(&shop, SCARCE, 4));
    assert_eq!((&short["available"], &short["sku_id"]), (&json!(3), &json!(SCARCE)), "{short}");
    assert_eq!(jo.everything(&shop), had, "nothing has changed");
}

#[test]
fn s6_a_cart_holds_at_most_999_of_a_sku_and_100_lines() {
    let (shop, jo) = shop_and_customer();
    let rows: Vec<_> = (6000..6100).map(|id| Row::new(id, "1.00", 10)).collect();
    import(&shop, "us", &rows);
    problem(422, "quantity_limit", &jo.add(&shop, 42, 998));
    assert_eq!(pieces(&jo.cart(&shop), 42), 2);
    for row in &rows[..99] {
        expect(200, &jo.add(&shop, row.id, 1));
    }
    let had = jo.everything(&shop);
    problem(422, "quantity_limit", &jo.add(&shop, rows[99].id, 1));
    assert_eq!(jo.everything(&shop), had);
    expect(200, &jo.add(&shop, rows[0].id, 1));
}

/// What is no JSON object, with the code it is answered with.
fn broken_bodies() -> Vec<(Vec<u8>, u16, &'static str)> {
    let deep = |open: &str, close: &str| {
        format!("{{\"sku_id\":{}1{}}}", open.repeat(10_000), close.repeat(10_000)).into_bytes()
    };
    let mut bodies: Vec<(Vec<u8>, u16, &'static str)> = [
        &b""[..],
        b" ",
        b"{",
        b"}",
        b"{\"sku_id\":",
        b"{\"sku_id\":42,}",
        b"{'sku_id':42}",
        b"nope",
        b"{\"sku_id\":42}}",
        b"{\"a\":\"\xff\xfe\"}",
        b"\xef\xbb\xbf{}",
        b"\x00",
        b"{\"\\ud800\":1}",
        b"<cart/>",
        b"sku_id=42&quantity=1",
        b"{\"sku_id\":42}{\"sku_id\":43}",
    ]
    .into_iter()
    .map(|body| (body.to_vec(), 400, "malformed_json"))
    .collect();
    bodies.push((deep("[", "]"), 400, "malformed_json"));
    bodies.push((deep("{\"a\":", "}"), 400, "malformed_json"));
    bodies.push((vec![b'['; 60_000], 400, "malformed_json"));
    for body in ["[]", "1", "\"x\"", "null", "true", "[{\"sku_id\":42}]"] {
        bodies.push((body.into(), 422, "validation_failed"));
    }
    bodies.push((vec![b' '; 64 * 1024 + 1], 413, "body_too_large"));
    bodies.push((vec![b'x'; 8 << 20], 413, "body_too_large"));
    bodies
}

#[test]
fn s6_what_is_no_json_object_is_refused_by_every_operation_that_takes_one() {
    let (shop, jo) = shop_and_customer();
    let had = jo.everything(&shop);
    let bodies = broken_bodies();
    for endpoint in endpoints::of_customers().into_iter().filter(|e| e.body.is_some()) {
        let path = endpoint.path_of(1).replace("items/1/move", "items/15/move");
        for (body, status, code) in &bodies {
            let answer = match jo
                .request(&shop, endpoint.method, &path)
                .body("application/json", body)
                .try_send()
            {
                Ok(answer) => answer,
                // The server need not read on to say that 8 MB are too much.
                Err(_) if body.len() > 1 << 20 => continue,
                Err(error) => panic!("{path}: {error}"),
            };
            problem(*status, code, &answer);
        }
        for kind in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/jsonx",
            "x",
            "application/json; charset=latin1",
            "multipart/form-data; boundary=x",
        ] {
            let body = endpoint.body.as_ref().expect("filtered").to_string();
            let request = jo.request(&shop, endpoint.method, &path);
            let answer = request.body(kind, body.as_bytes()).send();
            problem(415, "unsupported_media_type", &answer);
        }
    }
    assert_eq!(jo.everything(&shop), had, "nothing has changed");
}

#[test]
fn s6_every_wrong_field_of_an_order_is_told_at_once() {
    let (shop, jo) = shop_and_customer();
    let had = jo.everything(&shop);
    let long = "x".repeat(5000);
    let body = json!({ "customer_name": "", "customer_phone": "nobody", "customer_email": "x@",
        "delivery_address": 7, "delivery_notes": long, "payment_method": null,
        "expected_total": "much" });
    let refused = problem(422, "validation_failed", &jo.post(&shop, "/orders", &body));
    let errors = refused["errors"].as_array().expect("errors");
    let fields: Vec<_> = errors.iter().map(|e| e["field"].as_str().unwrap_or_default()).collect();
    for field in body.as_object().expect("an object").keys() {
        let told = fields.iter().filter(|told| *told == field).count();
        assert_eq!(told, 1, "{field} in {refused}");
    }
    assert!(errors.iter().all(|e| e["detail"].as_str().is_some_and(|d| !d.is_empty())));
    let profile = json!({ "email": "x", "profile_image_url": "javascript:alert(1)",
        "language": "xx", "full_name": [] });
    let request = jo.request(&shop, "PUT", "/auth/profile").json(&profile);
    let refused = problem(422, "validation_failed", &request.send());
    assert_eq!(refused["errors"].as_array().map(Vec::len), Some(4), "{refused}");
    assert_eq!(jo.everything(&shop), had);
}

#[test]
fn s6_unknown_paths_and_methods_are_said_so() {
    let (shop, jo) = shop_and_customer();
    let had = jo.everything(&shop);
    let long = format!("/cart/{}", "x".repeat(4000));
    for path in [
        "/nothing",
        "/cart//",
        "/cart//items",
        "/cart/items//",
        "/cart/items/1/2",
        "/api/v2/cart",
        "/api/v1",
        "/api/v1/nothing",
        "//cart",
        "/CART",
        "/cart%2Fitems",
        "/%FF%FE",
        "/cart/items/abc/x",
        "/.env",
        "/admin.php",
        "/products/%00",
        "/products/abc",
        "/products/-1",
        "/products/9007199254740992",
        "/products/1e3",
        "/products/%31%",
        "/..%2f..%2fetc%2fpasswd",
        long.as_str(),
    ] {
        problem(404, "not_found", &jo.request(&shop, "GET", path).market("us").send());
    }
    for id in ["0", "-1", "abc", "1.0", "9223372036854775808", "%00", "%F0", "1%20OR%201=1", "٣"] {
        let id = id.replace('٣', "%D9%A3");
        for (method, path) in [
            ("PUT", "/cart/items/"),
            ("DELETE", "/profile/addresses/"),
            ("DELETE", "/wishlist/items/"),
        ] {
            let request = jo.request(&shop, method, &format!("{path}{id}"));
            problem(404, "not_found", &request.json(&json!({ "quantity": 1 })).send());
        }
    }
    let all = endpoints::of_customers();
    for endpoint in &all {
        for method in ["PATCH", "TRACE", "PROPFIND", "BREW"] {
            if all.iter().any(|other| (other.method, other.path) == (method, endpoint.path)) {
                continue;
            }
            let answer = jo.request(&shop, method, &endpoint.path_of(1)).send();
            problem(405, "method_not_allowed", &answer);
        }
    }
    problem(405, "method_not_allowed", &jo.request(&shop, "GET", "/auth/logout").send());
    problem(405, "method_not_allowed", &jo.request(&shop, "GET", "/auth/verify-code").send());
    assert_eq!(jo.everything(&shop), had);
}

#[test]
fn s6_bad_queries_and_headers_are_said_so() {
    let (shop, jo) = shop_and_customer();
    let had = jo.everything(&shop);
    for query in [
        "limit=0",
        "limit=101",
        "limit=-1",
        "limit=x",
        "limit=",
        "limit=1e1",
        "offset=-1",
        "offset=99999999999999999999",
        "limit=1&limit=2",
        "limit=%FF",
        "offset=%00",
    ] {
        for path in ["/products", "/profile/orders", "/orders"] {
            let answer = jo.request(&shop, "GET", &format!("{path}?{query}")).send();
            problem(422, "validation_failed", &answer);
        }
    }
    for query in ["status_filter=nope", "status_filter=pending&status_filter=shipped"] {
        let answer = jo.get(&shop, &format!("/profile/orders?{query}"));
        problem(422, "validation_failed", &answer);
    }
    for query in
        [format!("search={}", "x".repeat(5000)), "search=%FF%FE".into(), "search=%00".into()]
    {
        problem(422, "validation_failed", &jo.get(&shop, &format!("/products?{query}")));
    }
    for search in ["\"", "*", "a*", "NEAR(", "a AND", "-", "^", "name:x", "%27;--", "(", "{x}", "+"]
    {
        let answer = jo.get(
            &shop,
            &format!(
                "/products?search={}",
                search
                    .replace(' ', "%20")
                    .replace('"', "%22")
                    .replace('{', "%7B")
                    .replace('}', "%7D")
                    .replace('^', "%5E")
            ),
        );
        expect(200, &answer);
    }
    for key in ["", &"x".repeat(256), &"x".repeat(4000), "a\tb"] {
        let request = jo.request(&shop, "POST", "/cart/items").idempotency_key(key);
        let answer = request.json(&json!({ "sku_id": 42 })).send();
        let body = problem(422, "validation_failed", &answer);
        assert_eq!(body["errors"][0]["field"], "Idempotency-Key", "{body}");
    }
    let longest = "~".repeat(255);
    assert_eq!(jo.everything(&shop), had);
    let request = jo.request(&shop, "POST", "/cart/items").idempotency_key(&longest);
    expect(200, &request.json(&json!({ "sku_id": 42 })).send());
}

#[test]
fn s6_a_client_cannot_write_into_the_log_or_the_answer() {
    let (shop, jo) = shop_and_customer();
    let evil = "<script>alert(1)</script>";
    let address = json!({ "full_address": evil, "title": "</title>evil" });
    let answer = jo.post(&shop, "/profile/addresses", &address);
    assert_eq!(expect(201, &answer)["full_address"], evil, "kept as it is, as data");
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    for id in ["mine-1.A_b", &"x".repeat(128)] {
        let answer = shop.get("/healthz").header("X-Request-Id", id).send();
        assert_eq!(answer.header("x-request-id"), Some(id));
    }
    for id in ["a b", "\"", &"x".repeat(129), "${jndi:ldap://x}"] {
        let answer = shop.get("/nothing").header("X-Request-Id", id).send();
        assert_ne!(answer.header("x-request-id"), Some(id));
        assert_ne!(answer.json()["request_id"], id, "{answer}");
        no_leak(&answer);
    }
    let _: Value = jo.cart(&shop);
}

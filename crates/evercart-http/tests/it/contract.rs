//! The OpenAPI document: fresh, complete, and true.

use std::path::Path;

use evercart_core::code::Purpose;
use evercart_core::operator::Operator as _;
use evercart_core::phone::Phone;
use serde_json::json;

use crate::schema::{Operation, document, operations};
use crate::shop::{ANN, Asked, BOB, DEE, EVE, Prepared, TestShop, order_of};
use crate::takeover;

/// What the API promises to have.
const CONTRACT: &str = "
    POST /auth/send-code
    POST /auth/send-verification
    POST /auth/verify-code
    POST /auth/logout
    GET /auth/verify-token
    GET /auth/profile
    PUT /auth/profile
    PATCH /auth/profile
    GET /auth/markets
    POST /auth/phone
    POST /auth/phone/confirm
    POST /auth/phone/stop
    GET /auth/export
    DELETE /auth/account
    GET /cart
    DELETE /cart
    POST /cart/items
    POST /cart/merge
    GET /cart/events
    PUT /cart/items/{id}
    PATCH /cart/items/{id}
    DELETE /cart/items/{id}
    GET /wishlist
    DELETE /wishlist
    POST /wishlist/items
    DELETE /wishlist/items/{product_id}
    POST /wishlist/items/{product_id}/move-to-cart
    GET /orders
    POST /orders
    POST /orders/create
    GET /orders/{id}
    POST /orders/{id}/cancel
    GET /profile/orders
    GET /profile/orders/{id}
    POST /profile/orders/{id}/cancel
    GET /profile/addresses
    POST /profile/addresses
    PUT /profile/addresses/{id}
    PATCH /profile/addresses/{id}
    DELETE /profile/addresses/{id}
    GET /products
    GET /products/{id}
    GET /categories
    GET /healthz
    GET /readyz
    GET /openapi.json
    GET /docs
";

#[test]
fn the_document_has_the_contracts_paths_and_no_others() {
    let mut promised: Vec<_> = CONTRACT
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect();
    let mut described: Vec<_> = operations()
        .iter()
        .map(|operation| format!("{} {}", operation.method.to_uppercase(), operation.path))
        .collect();
    promised.sort();
    described.sort();
    assert_eq!(described, promised);
    assert!(document()["openapi"].as_str().unwrap().starts_with("3.1"));
}

#[test]
fn the_checked_in_document_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let checked_in = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        checked_in == evercart_http::openapi_json(),
        "openapi.json is not what the code says; run `cargo xtask openapi` and commit the result"
    );
}

#[test]
fn every_operation_is_told_of_in_full() {
    for operation in operations() {
        let what = format!("{} {}", operation.method, operation.path);
        let says = operation.says;
        assert!(!says["summary"].as_str().unwrap_or_default().is_empty(), "{what}");
        assert_eq!(says["tags"].as_array().map(Vec::len), Some(1), "{what}");
        let names: Vec<_> = says["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        assert_eq!(operation.changes(), names.contains(&"Idempotency-Key"), "{what}");
        if operation.needs_token() {
            assert!(names.contains(&"X-Market"), "{what}");
            assert!(operation.statuses().contains(&"401"), "{what}");
        }
    }
}

/// Provokes every status that is declared. That no other one is answered, each test sees to.
#[tokio::test]
async fn every_declared_status_is_real() {
    // What changes nothing happens in one shop, and what needs a store that is away in another.
    let steady = TestShop::open().await;
    let steady_ann = steady.prepare().await;
    let away = TestShop::open().await;
    let away_ann = away.prepare().await;
    away.stores.iter().for_each(|store| store.close());
    for operation in operations() {
        for status in operation.statuses() {
            let answer = match status {
                "200" | "201" | "403" | "409" | "429" => {
                    let shop = match status == "429" && is_limited(operation.path) {
                        true => TestShop::limited().await,
                        false => TestShop::open().await,
                    };
                    let ann = shop.prepare().await;
                    provoke(&shop, &ann, &operation, status).await.send().await
                }
                "503" => provoke(&away, &away_ann, &operation, status).await.send().await,
                _ => provoke(&steady, &steady_ann, &operation, status).await.send().await,
            };
            let what = format!("{} {}", operation.method, operation.path);
            assert_eq!(answer.status.as_str(), status, "{what}: {}", answer.text);
        }
    }
}

/// Where one customer can only do so much.
fn is_limited(path: &str) -> bool {
    let limited = ["/cart", "/wishlist", "/orders", "/profile", "/auth/profile"];
    limited.iter().any(|begin| path.starts_with(begin))
}

/// A request that gets this status.
pub async fn provoke<'a>(
    shop: &'a TestShop,
    ann: &Prepared,
    operation: &Operation,
    status: &str,
) -> Asked<'a> {
    let without = || shop.example(operation, ann);
    let ask = || if operation.needs_token() { without().token(&ann.token) } else { without() };
    let path = operation.path;
    let about = |body: serde_json::Value| {
        shop.ask(operation.method(), &ann.fill(path)).token(&ann.token).json(&body)
    };
    if let Some(request) = takeover::provoke(shop, ann, operation, status).await {
        return request;
    }
    if ["200", "409", "429"].contains(&status) {
        grant_codes(shop, path).await;
    }
    match status {
        "200" if path == "/auth/account" => {
            about(json!({"verification_code": "123456", "even_open_orders": true}))
        }
        "200" | "201" | "503" => ask(),
        "403" => {
            shop.clock.advance(jiff::SignedDuration::from_mins(6));
            ask()
        }
        "304" => ask().header("if-none-match", "*"),
        "400" if operation.has_no_market() => ask().header("host", "one").header("host", "two"),
        "400" => ask().header("x-market", "fr"),
        "401" if path == "/auth/verify-code" => {
            shop.sign_in(EVE).await;
            shop.stores[0]
                .block_user(
                    Phone::parse(EVE, None).unwrap(),
                    evercart_core::operator::By::operator("tests", None),
                )
                .await
                .unwrap();
            without().json(&json!({"phone": EVE, "code": "123456"}))
        }
        "401" => without(),
        "404" if path == "/cart/items" => about(json!({"sku_id": 999})),
        "404" if path == "/wishlist/items" => about(json!({"product_id": 999})),
        "404" if path.starts_with("/orders") && operation.changes() && !path.contains('{') => {
            about(order_of(json!([{"sku_id": 999}])))
        }
        "404" => ask().at(&path.replace("{id}", "999").replace("{product_id}", "999")),
        "409" if path == "/auth/phone/confirm" => {
            shop.sign_in(BOB).await;
            ask()
        }
        "409" if path.ends_with("/cancel") => {
            ask().send().await;
            ask()
        }
        "409" if path.starts_with("/orders") => {
            shop.delete("/cart").token(&ann.token).send().await;
            ask()
        }
        "409" => about(json!({"sku_id": 43, "quantity": 900})),
        "412" => ask().header("if-match", "\"0-00\""),
        "413" => ask().raw("x".repeat(70_000)),
        "415" => {
            let asked = shop.ask(operation.method(), &ann.fill(path)).token(&ann.token);
            asked.header("content-type", "text/plain").raw("{}")
        }
        "422" if operation.changes() => ask().key(&"x".repeat(300)),
        "422" => ask().at(&format!("{path}?limit=0")),
        "429" => too_many(shop, ann, operation).await,
        other => panic!("nobody knows how to get {other} from {path}"),
    }
}

/// A request that is one too many.
async fn too_many<'a>(shop: &'a TestShop, ann: &Prepared, operation: &Operation) -> Asked<'a> {
    let without = || shop.example(operation, ann);
    let ask = || without().token(&ann.token);
    match operation.path {
        "/auth/verify-code" => {
            for _ in 0..5 {
                without().json(&json!({"phone": ANN, "code": "000000"})).send().await;
            }
            without()
        }
        "/auth/export" => {
            // Nobody ever reads it, or hangs up.
            std::mem::forget(ask().begin().await);
            ask()
        }
        "/auth/phone" => {
            ask().send().await;
            ask()
        }
        path if is_limited(path) => ask(),
        _ if operation.needs_token() => {
            for _ in 0..5 {
                let body = json!({"new_phone": BOB, "verification_code": "000000"});
                ask().json(&body).send().await;
            }
            ask()
        }
        _ => {
            let ask = || without().json(&json!({"phone": DEE}));
            ask().send().await;
            ask()
        }
    }
}

/// Phones with codes of their own show by other codes that they are somebody's.
async fn grant_codes(shop: &TestShop, path: &str) {
    let phone = Phone::parse(ANN, None).unwrap();
    let user = shop.stores[0].find_user(phone).await.unwrap().user.id;
    match path {
        "/auth/phone/confirm" => shop.grant(BOB, Purpose::ChangePhone(user), "123456").await,
        "/auth/account" => shop.grant(ANN, Purpose::SignIn, "123456").await,
        _ => {}
    }
}

//! `/cart`

use serde_json::json;

use crate::shop::{ANN, BOB, TestShop};

#[tokio::test]
async fn an_empty_cart_is_a_cart_and_reading_it_writes_nothing() {
    let shop = TestShop::open().await;
    let ann = shop.sign_in(ANN).await;
    let first = shop.get("/cart").token(&ann).send().await;
    assert_eq!(first.status, 200);
    let id = first.body["user_id"].clone();
    assert_eq!(
        first.body,
        json!({
            "id": id, "user_id": id, "version": 0, "currency": "USD", "items": [],
            "total_items": 0, "total_price": 0.00, "notices": [], "updated_at": null,
        })
    );
    assert!(first.text.contains("\"total_price\":0.00,"), "{}", first.text);
    let second = shop.get("/api/v1/cart").token(&ann).send().await;
    assert_eq!(second.text, first.text);
    assert_eq!(second.header("etag"), first.header("etag"));
}

#[tokio::test]
async fn adding_makes_a_line_and_adding_again_adds_to_it() {
    let shop = TestShop::open().await;
    let ann = shop.sign_in(ANN).await;
    let answer = shop.add(&ann, 42, 2).await;
    let id = answer.body["user_id"].clone();
    assert_eq!(
        answer.body,
        json!({
            "id": id, "user_id": id, "version": 1, "currency": "USD",
            "items": [{
                "id": 1, "sku_id": 42, "product_id": 15, "sku_code": "SHIRT-42",
                "name": "Shirt 15", "size": "M", "color": null, "image": "/demo/images/15.svg",
                "quantity": 2, "price": 19.99, "line_total": 39.98, "original_price": 29.99,
                "available": true,
            }],
            "total_items": 2, "total_price": 39.98, "notices": [],
            "updated_at": "2026-09-21T14:13:20Z",
        })
    );
    assert_eq!(answer.header("cache-control"), "private, no-cache");
    assert_eq!(answer.header("vary"), "Authorization");
    let body = json!({"sku_id": 42});
    let again = shop.post("/cart/items").token(&ann).json(&body).send().await;
    assert_eq!(again.body["items"].as_array().unwrap().len(), 1);
    assert_eq!(again.body["total_items"], 3);
    assert!(again.text.contains("\"total_price\":59.97,"), "{}", again.text);
    let read = shop.get("/cart").token(&ann).send().await;
    assert_eq!(read.text, again.text);
    assert_eq!(read.header("etag"), again.header("etag"));
    assert!(read.header("etag").starts_with("\"2-"), "{}", read.header("etag"));
}

#[tokio::test]
async fn a_line_is_set_by_body_or_by_query_and_zero_removes_it() {
    let shop = TestShop::open().await;
    let ann = shop.sign_in(ANN).await;
    shop.add(&ann, 42, 2).await;
    let by_body = shop.put("/cart/items/1").token(&ann).json(&json!({"quantity": 7})).send().await;
    assert_eq!(by_body.body["total_items"], 7);
    let by_query = shop.put("/cart/items/1?quantity=5").token(&ann).send().await;
    assert_eq!(by_query.body["total_items"], 5);
    let neither = shop.put("/cart/items/1").token(&ann).send().await;
    neither.is(422, "validation_failed");
    assert_eq!(neither.fields(), ["quantity"], "it is missing: {}", neither.text);
    let gone = shop.put("/cart/items/1?quantity=0").token(&ann).send().await;
    assert_eq!(gone.body["items"], json!([]));
    shop.put("/cart/items/1?quantity=1").token(&ann).send().await.is(404, "not_found");
    let next = shop.add(&ann, 42, 1).await;
    assert_eq!(next.body["items"][0]["id"], 2, "an id is not given out again");
}

#[tokio::test]
async fn a_line_and_a_whole_cart_are_removed() {
    let shop = TestShop::open().await;
    let ann = shop.sign_in(ANN).await;
    shop.add(&ann, 42, 2).await;
    shop.add(&ann, 43, 1).await;
    let one = shop.delete("/cart/items/1").token(&ann).send().await;
    assert_eq!(one.body["total_items"], 1);
    shop.delete("/cart/items/1").token(&ann).send().await.is(404, "not_found");
    let empty = shop.delete("/cart").token(&ann).send().await;
    assert_eq!((empty.status.as_u16(), &empty.body["items"]), (200, &json!([])));
    assert!(empty.body["version"].as_i64().unwrap() > one.body["version"].as_i64().unwrap());
}

#[tokio::test]
async fn a_cart_that_did_not_change_is_not_sent_again() {
    let shop = TestShop::open().await;
    let ann = shop.sign_in(ANN).await;
    let cart = shop.add(&ann, 42, 2).await;
    let tag = cart.header("etag").to_owned();
    for wanted in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".into()] {
        let answer = shop.get("/cart").token(&ann).header("if-none-match", &wanted).send().await;
        assert_eq!(answer.status, 304, "{wanted}");
        assert_eq!(answer.header("etag"), tag);
        assert_eq!(answer.header("cache-control"), "private, no-cache");
        assert_eq!(answer.text, "");
    }
    shop.add(&ann, 42, 1).await;
    let answer = shop.get("/cart").token(&ann).header("if-none-match", &tag).send().await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_change_of_an_older_cart_is_refused() {
    let shop = TestShop::open().await;
    let ann = shop.sign_in(ANN).await;
    let old = shop.add(&ann, 42, 1).await.header("etag").to_owned();
    let new = shop.add(&ann, 42, 1).await.header("etag").to_owned();
    let add = |tag: &str| {
        shop.post("/cart/items").token(&ann).header("if-match", tag).json(&json!({"sku_id": 42}))
    };
    let stale = add(&old).send().await;
    stale.is(412, "version_conflict");
    assert_eq!((&stale.body["expected"], &stale.body["actual"]), (&json!(1), &json!(2)));
    for garbage in ["yesterday", "\"\"", "2", "\"x-y\"", &format!("W/{new}")] {
        add(garbage).send().await.is(412, "version_conflict");
    }
    for request in [
        shop.put("/cart/items/1?quantity=9").token(&ann).header("if-match", &old),
        shop.delete("/cart/items/1").token(&ann).header("if-match", &old),
        shop.delete("/cart").token(&ann).header("if-match", &old),
        shop.post("/orders").token(&ann).header("if-match", &old).json(&crate::shop::order_body()),
    ] {
        request.send().await.is(412, "version_conflict");
    }
    assert_eq!(shop.get("/cart").token(&ann).send().await.body["total_items"], 2);
    assert_eq!(add(&new).send().await.body["total_items"], 3);
    assert_eq!(add("*").send().await.body["total_items"], 4);
    let now = shop.get("/cart").token(&ann).send().await.header("etag").to_owned();
    assert_eq!(add(&format!("{old}, {now}")).send().await.body["total_items"], 5);
    add(&format!("{old}, {now}")).send().await.is(412, "version_conflict");
}

/// G5
#[tokio::test]
async fn a_retry_with_the_same_key_has_one_effect() {
    let shop = TestShop::open().await;
    let ann = shop.sign_in(ANN).await;
    let bob = shop.sign_in(BOB).await;
    let add = |token: &str, path: &str, quantity: i64| {
        let body = json!({"sku_id": 42, "quantity": quantity});
        shop.post(path).token(token).key("tap-1").json(&body)
    };
    let first = add(&ann, "/cart/items", 2).send().await;
    assert_eq!((first.status.as_u16(), first.header("idempotent-replayed")), (200, ""));
    shop.add(&ann, 43, 1).await;
    // The other way to the same place is the same request.
    for path in ["/cart/items", "/api/v1/cart/items"] {
        let again = add(&ann, path, 2).send().await;
        assert_eq!((again.status.as_u16(), again.header("idempotent-replayed")), (200, "true"));
        assert_eq!(again.body["total_items"], 3, "the cart as it is now");
    }
    add(&ann, "/cart/items", 3).send().await.is(422, "idempotency_key_reused");
    let other = shop.delete("/cart/items/1").token(&ann).key("tap-1").send().await;
    other.is(422, "idempotency_key_reused");
    let bobs = add(&bob, "/cart/items", 1).send().await;
    assert_eq!(bobs.body["total_items"], 1, "keys belong to the user");
    assert_eq!(shop.get("/cart").token(&ann).send().await.body["total_items"], 3);
}

/// G3
#[tokio::test(flavor = "multi_thread")]
async fn adds_at_the_same_moment_all_count() {
    let shop = TestShop::open().await;
    let ann = shop.sign_in(ANN).await;
    let body = json!({"sku_id": 42});
    let adds = (0..64).map(|_| shop.post("/cart/items").token(&ann).json(&body).send());
    for answer in futures_util::future::join_all(adds).await {
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    let cart = shop.get("/cart").token(&ann).send().await;
    assert_eq!(cart.body["total_items"], 64);
    assert_eq!(cart.body["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn notices_say_what_changed_under_the_customer() {
    let shop = TestShop::open().await;
    let ann = shop.sign_in(ANN).await;
    let bob = shop.sign_in(BOB).await;
    shop.add(&ann, 43, 2).await;
    shop.add(&ann, 45, 1).await;
    shop.add(&bob, 43, 2).await;
    assert_eq!(shop.order(&bob).await.status, 201);
    let mut rows = shop.shop.markets[0].store.export_catalogue().await.unwrap();
    for row in &mut rows {
        match row.sku_id.unwrap().0 {
            43 => row.price = evercart_core::money::Money(2600),
            45 => row.active = false,
            _ => {}
        }
    }
    shop.shop.markets[0].store.import_catalogue(rows, Box::new(|_| ())).await.unwrap();
    let cart = shop.get("/cart").token(&ann).send().await;
    assert_eq!(
        cart.body["notices"],
        json!([
            {"code": "insufficient_stock", "item_id": 1, "sku_id": 43, "available": 1},
            {"code": "price_changed", "item_id": 1, "sku_id": 43, "was": 24.99, "now": 26.00},
            {"code": "unavailable", "item_id": 2, "sku_id": 45},
        ])
    );
    assert_eq!(cart.body["items"][0]["available"], false);
    assert!(cart.text.contains("\"now\":26.00}"), "{}", cart.text);
}

#[tokio::test]
async fn what_a_visitor_collected_is_taken_over() {
    let shop = TestShop::open().await;
    let ann = shop.sign_in(ANN).await;
    shop.add(&ann, 42, 2).await;
    let merge = |body: serde_json::Value| shop.post("/cart/merge").token(&ann).json(&body).send();
    let body = json!({"items": [{"sku_id": 42, "quantity": 3}, {"sku_id": 404}]});
    for _ in 0..2 {
        let answer = merge(body.clone()).await;
        assert_eq!(answer.status, 200);
        assert_eq!((&answer.body["total_items"], &answer.body["version"]), (&3.into(), &2.into()));
        assert_eq!(answer.body["skipped"], json!([{"sku_id": 404, "reason": "not_found"}]));
    }
    let sum = merge(json!({"items": [{"sku_id": 42}], "strategy": "sum"})).await;
    assert_eq!((&sum.body["total_items"], &sum.body["skipped"]), (&4.into(), &json!([])));
    let cart = shop.get("/cart").token(&ann).send().await;
    assert_eq!((&cart.body["total_items"], cart.body.get("skipped")), (&4.into(), None));
    let many: Vec<_> = (0..101).map(|n| json!({"sku_id": n + 1})).collect();
    for (wrong, field) in [
        (json!({}), "items"),
        (json!({"items": [{"sku_id": 42, "quantity": 0}]}), "items[0].quantity"),
        (json!({"items": [{"sku_id": 42}, {"quantity": 1}]}), "items[1].sku_id"),
        (json!({"items": many}), "items"),
        (json!({"items": [], "strategy": "min"}), "strategy"),
    ] {
        let answer = merge(wrong).await;
        answer.is(422, "validation_failed");
        assert_eq!(answer.body["errors"][0]["field"], field, "{}", answer.text);
    }
}

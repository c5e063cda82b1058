//! `/wishlist`

use serde_json::json;

use crate::shop::{ANN, TestShop};

#[tokio::test]
async fn a_product_is_on_the_list_once() {
    let shop = TestShop::open().await;
    let ann = shop.sign_in(ANN).await;
    let add = |id: i64| shop.post("/wishlist/items").token(&ann).json(&json!({"product_id": id}));
    let first = add(15).send().await;
    let id = first.body["user_id"].clone();
    assert_eq!(
        first.body,
        json!({
            "id": id, "user_id": id, "total_items": 1,
            "items": [{
                "id": 1, "product_id": 15, "added_at": "2026-09-21T14:13:20Z",
                "product": {
                    "id": 15, "name": "Shirt 15", "brand": "Northloom",
                    "image": "/demo/images/15.svg", "price": 19.99, "original_price": 29.99,
                    "available": true,
                },
            }],
        })
    );
    assert_eq!(add(15).send().await.body["total_items"], 1);
    assert_eq!(add(16).send().await.body["total_items"], 2);
    add(99).send().await.is(404, "not_found");
    let list = shop.get("/wishlist").token(&ann).send().await;
    assert_eq!(list.body["items"][0]["product_id"], 16, "the newest first");
    assert_eq!(list.body["items"][0]["product"]["available"], false);
    assert_eq!(list.header("cache-control"), "private, no-cache");
    let one = shop.delete("/wishlist/items/16").token(&ann).send().await;
    assert_eq!(one.body["total_items"], 1);
    shop.delete("/wishlist/items/16").token(&ann).send().await.is(404, "not_found");
    let none = shop.delete("/wishlist").token(&ann).send().await;
    assert_eq!(none.body["items"], json!([]));
}

#[tokio::test]
async fn a_wish_moves_to_the_cart_whole_or_not_at_all() {
    let shop = TestShop::open().await;
    let ann = shop.sign_in(ANN).await;
    let wish = json!({"product_id": 15});
    shop.post("/wishlist/items").token(&ann).json(&wish).send().await;
    let path = "/wishlist/items/15/move-to-cart";
    let refused = |body: serde_json::Value| shop.post(path).token(&ann).json(&body);
    refused(json!({"sku_id": 45})).send().await.is(404, "not_found");
    refused(json!({"sku_id": 43, "quantity": 4})).send().await.is(409, "insufficient_stock");
    assert_eq!(shop.get("/wishlist").token(&ann).send().await.body["total_items"], 1);
    assert_eq!(shop.get("/cart").token(&ann).send().await.body["total_items"], 0);
    let move_it = || refused(json!({"sku_id": 43, "quantity": 2})).key("m");
    let cart = move_it().send().await;
    assert_eq!(
        (&cart.body["items"][0]["sku_id"], &cart.body["total_items"]),
        (&json!(43), &json!(2))
    );
    assert!(cart.header("etag").starts_with("\"1-"));
    assert_eq!(shop.get("/wishlist").token(&ann).send().await.body["total_items"], 0);
    let again = move_it().send().await;
    assert_eq!((again.header("idempotent-replayed"), &again.text), ("true", &cart.text));
    refused(json!({"sku_id": 43})).send().await.is(404, "not_found");
}

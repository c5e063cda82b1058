//! `/products` and `/categories`

use serde_json::{Value, json};

use crate::shop::{CEM, TestShop};

#[tokio::test]
async fn a_product_shows_what_can_be_bought_of_it() {
    let shop = TestShop::open().await;
    let answer = shop.get("/products/15").send().await;
    let sku = |id: i64, price: f64, original: Value, stock: &str| {
        json!({
            "id": id, "sku_code": format!("SHIRT-{id}"), "size": "M", "color": null, "price": price,
            "original_price": original, "stock_status": stock, "image": "/demo/images/15.svg",
        })
    };
    assert_eq!(
        answer.body,
        json!({
            "id": 15, "name": "Shirt 15", "brand": "Northloom", "category": "Shirts",
            "description": "Of linen.", "image": "/demo/images/15.svg", "price": 19.99,
            "original_price": 29.99, "currency": "USD", "available": true,
            "skus": [
                sku(42, 19.99, json!(29.99), "in_stock"),
                sku(43, 24.99, Value::Null, "low_stock"),
            ],
        })
    );
    assert_eq!(answer.header("cache-control"), "public, no-cache");
    assert_eq!(answer.header("vary"), "Authorization, X-Market");
    let coats = shop.get("/products/17").send().await.body;
    assert_eq!(coats["skus"].as_array().unwrap().len(), 1, "what is not for sale is not shown");
    shop.get("/products/99").send().await.is(404, "not_found");
    let tag = answer.header("etag");
    let again = shop.get("/products/15").header("if-none-match", tag).send().await;
    assert_eq!((again.status.as_u16(), again.header("etag")), (304, tag));
}

#[tokio::test]
async fn products_are_searched_and_come_in_pages() {
    let shop = TestShop::open().await;
    let list = |query: &str| shop.get(&format!("/products{query}"));
    let ids = |body: &Value| -> Vec<i64> {
        let products = body["products"].as_array().unwrap().iter();
        products.map(|product| product["id"].as_i64().unwrap()).collect()
    };
    let all = list("").send().await.body;
    assert_eq!(
        (ids(&all), &all["total"], &all["has_more"]),
        (vec![15, 16, 17], &json!(3), &json!(false))
    );
    let page = list("?limit=1&offset=1").send().await.body;
    assert_eq!((ids(&page), &page["has_more"]), (vec![16], &json!(true)));
    assert_eq!(ids(&list("?search=coa").send().await.body), [17]);
    assert_eq!(ids(&list("?category=Shirts").send().await.body), [15, 16]);
    assert_eq!(
        ids(&list("?search=%D0%BF%D0%B0%D0%BB%D1%8C%D1%82%D0%BE").send().await.body),
        Vec::<i64>::new()
    );
    for odd in [
        "?search=%22",
        "?search=*",
        "?search=a%20OR%20b",
        "?search=NEAR(",
        "?search=%27--",
        "?search=-",
        "?search=a%2A",
    ] {
        assert_eq!(list(odd).send().await.status, 200, "{odd}");
    }
    let categories = shop.get("/categories").send().await;
    assert_eq!(
        categories.body["categories"],
        json!([{"name": "Coats", "products": 1}, {"name": "Shirts", "products": 2}])
    );
    for path in ["/products", "/categories"] {
        let first = shop.get(path).send().await;
        let again = shop.get(path).header("if-none-match", first.header("etag")).send().await;
        assert_eq!(again.status, 304, "{path}");
    }
}

#[tokio::test]
async fn the_market_is_the_tokens_else_the_headers_else_the_default() {
    let shop = TestShop::open().await;
    let currency = |answer: crate::shop::Answered| answer.body["currency"].clone();
    let get = || shop.get("/products/15");
    assert_eq!(currency(get().send().await), "USD");
    assert_eq!(currency(get().header("x-market", "kg").send().await), "KGS");
    let cem = shop.sign_in(CEM).await;
    assert_eq!(currency(get().token(&cem).send().await), "KGS");
    get().token(&cem).header("x-market", "us").send().await.is(400, "market_mismatch");
    get().header("x-market", "fr").send().await.is(400, "market_unknown");
    // Browsing goes on with a token that is no longer good.
    assert_eq!(currency(get().token("x.y.z").header("x-market", "kg").send().await), "KGS");
    let no_default = TestShop::with(|shop| shop.default_market = None).await;
    no_default.get("/products/15").send().await.is(400, "market_required");
}

//! `/orders` and `/profile/orders`

use serde_json::{Value, json};

use crate::shop::{ANN, BOB, CEM, TestShop, order_body, order_of};

#[tokio::test]
async fn a_cart_becomes_an_order() {
    let shop = TestShop::open().await;
    let ann = shop.sign_in(ANN).await;
    shop.add(&ann, 42, 2).await;
    let body = json!({
        "customer_name": " Ann Example ", "customer_phone": "312 805 9853",
        "customer_email": "ann@example.com", "delivery_address": "233 S Wacker Dr",
        "delivery_city": "Chicago", "delivery_notes": "Ring twice.\nThen wait.",
        "payment_method": "card", "expected_total": 49.97,
    });
    let answer = shop.post("/orders").token(&ann).json(&body).send().await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    assert_eq!(answer.header("location"), "/orders/1001");
    assert_eq!(
        answer.body,
        json!({
            "id": 1001, "order_number": "#1001", "status": "pending", "subtotal": 39.98,
            "shipping_cost": 9.99, "tax_amount": answer.body["tax_amount"], "total_amount": 49.97,
            "currency": "USD", "customer_name": "Ann Example", "customer_phone": "+13128059853",
            "customer_email": "ann@example.com", "delivery_address": "233 S Wacker Dr",
            "delivery_city": "Chicago", "delivery_notes": "Ring twice.\nThen wait.",
            "payment_method": "card", "order_date": "2026-09-21T14:13:20Z", "delivery_date": null,
            "items_count": 1,
            "items": [{
                "id": 1, "sku_id": 42, "product_id": 15, "product_name": "Shirt 15",
                "sku_code": "SHIRT-42", "size": "M", "color": null,
                "image": "/demo/images/15.svg", "unit_price": 19.99, "quantity": 2,
                "total_price": 39.98,
            }],
            "history": [{"status": "pending", "at": "2026-09-21T14:13:20Z"}],
        })
    );
    assert_eq!(shop.get("/cart").token(&ann).send().await.body["total_items"], 0);
    let one = json!({"success": true, "order": answer.body});
    for path in ["/orders/1001", "/profile/orders/1001", "/api/v1/profile/orders/1001"] {
        assert_eq!(shop.get(path).token(&ann).send().await.body, one, "{path}");
    }
}

#[tokio::test]
async fn the_customers_own_phone_is_called_unless_another_is_said() {
    let shop = TestShop::open().await;
    let cem = shop.sign_in(CEM).await;
    shop.add(&cem, 42, 1).await;
    let order = shop.order(&cem).await;
    assert_eq!(order.body["customer_phone"], CEM);
    assert_eq!((&order.body["currency"], &order.body["id"]), (&json!("KGS"), &json!(1001)));
}

/// G5
#[tokio::test]
async fn an_order_is_made_once_however_often_it_is_sent() {
    let shop = TestShop::open().await;
    let ann = shop.sign_in(ANN).await;
    shop.add(&ann, 42, 2).await;
    let send = |path: &str| shop.post(path).token(&ann).key("buy").json(&order_body());
    let first = send("/orders/create").send().await;
    let second = send("/orders/create").send().await;
    assert_eq!((first.status.as_u16(), second.status.as_u16()), (201, 201));
    assert_eq!((&first.text, second.header("idempotent-replayed")), (&second.text, "true"));
    assert_eq!(second.header("location"), "/orders/1001");
    send("/orders").send().await.is(422, "idempotency_key_reused");
    shop.order(&ann).await.is(409, "cart_empty");
    assert_eq!(shop.get("/orders").token(&ann).send().await.body["total"], 1);
}

/// Two clicks with two keys: the second is told which order there is.
#[tokio::test]
async fn an_empty_cart_names_the_order_it_became() {
    let shop = TestShop::open().await;
    let ann = shop.sign_in(ANN).await;
    let refused = || async {
        let answer = shop.post("/orders").token(&ann).json(&order_body()).send().await;
        answer.is(409, "cart_empty");
        answer.body
    };
    let never = refused().await;
    assert_eq!((&never["order_id"], &never["order_number"]), (&Value::Null, &Value::Null));
    assert_eq!(never["detail"], "Your cart is empty");
    shop.add(&ann, 42, 2).await;
    assert_eq!(shop.order(&ann).await.status, 201);
    let late = refused().await;
    assert_eq!((&late["order_id"], &late["order_number"]), (&json!(1001), &json!("#1001")));
    assert_eq!(late["detail"], "Your cart is empty: it became order #1001");
    shop.add(&ann, 42, 2).await;
    shop.delete("/cart").token(&ann).send().await;
    assert_eq!(refused().await["order_id"], Value::Null);
}

#[tokio::test]
async fn items_are_ordered_past_the_cart() {
    let shop = TestShop::open().await;
    let ann = shop.sign_in(ANN).await;
    shop.add(&ann, 42, 2).await;
    let cart = shop.get("/cart").token(&ann).send().await.body;
    for (path, number) in [("/orders/create", 1001), ("/orders", 1002)] {
        let body = order_of(json!([{"sku_id": 43}, {"sku_id": 45, "quantity": 2}]));
        let buy = || shop.post(path).token(&ann).key(path).json(&body);
        let order = buy().send().await;
        assert_eq!((order.status.as_u16(), &order.body["id"]), (201, &json!(number)));
        let items = order.body["items"].as_array().unwrap();
        let lines: Vec<_> = items.iter().map(|item| (&item["sku_id"], &item["quantity"])).collect();
        assert_eq!(lines, [(&json!(43), &json!(1)), (&json!(45), &json!(2))]);
        let again = buy().send().await;
        assert_eq!((again.header("idempotent-replayed"), &again.text), ("true", &order.text));
        assert_eq!(shop.get("/cart").token(&ann).send().await.body, cart);
    }
    let short =
        shop.post("/orders").token(&ann).json(&order_of(json!([{"sku_id": 43, "quantity": 2}])));
    short.send().await.is(409, "insufficient_stock");
    let many = order_of(json!([{"sku_id": 42, "quantity": 999}, {"sku_id": 42}]));
    shop.post("/orders").token(&ann).json(&many).send().await.is(422, "quantity_limit");
    assert_eq!(shop.get("/orders").token(&ann).send().await.body["total"], 2);
}

/// What could mean the cart or the items orders neither.
#[tokio::test]
async fn an_order_that_could_mean_two_things_is_refused() {
    let shop = TestShop::open().await;
    let ann = shop.sign_in(ANN).await;
    shop.add(&ann, 42, 2).await;
    let some = || json!([{"sku_id": 43, "quantity": 1}]);
    let with = |items: Option<Value>, use_cart: Option<Value>| {
        let mut body = order_body();
        for (name, value) in [("items", items), ("use_cart", use_cart)] {
            if let Some(value) = value {
                body[name] = value;
            }
        }
        shop.post("/orders").token(&ann).json(&body).send()
    };
    for (items, use_cart, field) in [
        (Some(some()), None, "use_cart"),
        (Some(some()), Some(Value::Null), "use_cart"),
        (Some(json!([])), None, "use_cart"),
        (Some(some()), Some(json!(true)), "items"),
        (None, Some(json!(false)), "items"),
        (Some(Value::Null), Some(json!(false)), "items"),
        (Some(json!([])), Some(json!(false)), "items"),
        (Some(json!([{"sku_id": "x"}])), Some(json!(false)), "items[0].sku_id"),
        (Some(json!({})), Some(json!(true)), "items"),
        (Some(some()), Some(json!("no")), "use_cart"),
        (None, Some(json!(0)), "use_cart"),
    ] {
        let answer = with(items, use_cart).await;
        answer.is(422, "validation_failed");
        assert_eq!(answer.fields(), [field], "{}", answer.text);
    }
    assert_eq!(shop.get("/cart").token(&ann).send().await.body["total_items"], 2);
    assert_eq!(shop.get("/orders").token(&ann).send().await.body["total"], 0);
    // What can only mean the cart orders it.
    for (items, use_cart) in [
        (None, Some(json!(true))),
        (Some(json!([])), Some(json!(true))),
        (Some(Value::Null), None),
        (None, Some(Value::Null)),
    ] {
        let answer = with(items, use_cart).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.body["items"][0]["quantity"]),
            (201, &json!(2))
        );
        shop.add(&ann, 42, 2).await;
    }
}

#[tokio::test]
async fn a_changed_price_is_not_charged_unseen() {
    let shop = TestShop::open().await;
    let ann = shop.sign_in(ANN).await;
    shop.add(&ann, 42, 2).await;
    let order = |total: &str| {
        let body = format!(
            "{},\"expected_total\":{total}}}",
            order_body().to_string().trim_end_matches('}')
        );
        shop.post("/orders").token(&ann).header("content-type", "application/json").raw(body)
    };
    let refused = order("49.96").send().await;
    refused.is(409, "price_changed");
    assert!(
        refused.text.contains("\"expected\":49.96,\"actual\":49.97,\"currency\":\"USD\""),
        "{}",
        refused.text
    );
    for wrong in ["49.971", "\"49.97\"", "-1", "1e300", "true", "99999999999999999999999999999999"]
    {
        let answer = order(wrong).send().await;
        answer.is(422, "validation_failed");
        assert_eq!(answer.fields(), ["expected_total"], "{wrong}");
    }
    assert_eq!(order("4.997e1").send().await.status, 201);
}

#[tokio::test]
async fn orders_come_in_pages_the_newest_first() {
    let shop = TestShop::open().await;
    let (ann, bob) = (shop.sign_in(ANN).await, shop.sign_in(BOB).await);
    for token in [&ann, &bob, &ann, &ann] {
        shop.add(token, 42, 1).await;
        assert_eq!(shop.order(token).await.status, 201);
    }
    shop.post("/orders/1003/cancel").token(&ann).send().await;
    let list = |query: &str| shop.get(&format!("/profile/orders{query}")).token(&ann);
    let ids = |body: &Value| -> Vec<i64> {
        body["orders"]
            .as_array()
            .unwrap()
            .iter()
            .map(|order| order["id"].as_i64().unwrap())
            .collect()
    };
    let all = list("").send().await.body;
    assert_eq!(
        (ids(&all), &all["total"], &all["has_more"]),
        (vec![1004, 1003, 1001], &json!(3), &json!(false))
    );
    let page = list("?limit=2").send().await.body;
    assert_eq!(
        (ids(&page), &page["total"], &page["has_more"]),
        (vec![1004, 1003], &json!(3), &json!(true))
    );
    let rest = list("?limit=2&offset=2").send().await.body;
    assert_eq!((ids(&rest), &rest["has_more"]), (vec![1001], &json!(false)));
    assert_eq!(ids(&list("?offset=50").send().await.body), Vec::<i64>::new());
    assert_eq!(ids(&list("?status_filter=cancelled").send().await.body), [1003]);
    let same = shop.get("/orders?status_filter=cancelled").token(&ann).send().await.body;
    assert_eq!(ids(&same), [1003]);
    let wrong = list("?status_filter=lost&limit=0").send().await;
    assert_eq!((wrong.status.as_u16(), wrong.fields()), (422, vec!["status_filter", "limit"]));
}

/// G4
#[tokio::test]
async fn a_cancelled_order_gives_its_stock_back_once() {
    let shop = TestShop::open().await;
    let ann = shop.sign_in(ANN).await;
    let stock =
        || async { shop.get("/products/15").send().await.body["skus"][1]["stock_status"].clone() };
    shop.add(&ann, 43, 3).await;
    assert_eq!(shop.order(&ann).await.status, 201);
    assert_eq!(stock().await, "out_of_stock");
    let cancel = |path: &str| shop.post(path).token(&ann).key("no");
    let first = cancel("/profile/orders/1001/cancel").send().await;
    assert_eq!(
        first.body,
        json!({
            "success": true, "message": "Order #1001 is cancelled.", "order_id": 1001,
            "status": "cancelled",
        })
    );
    assert_eq!(stock().await, "low_stock");
    let again = cancel("/profile/orders/1001/cancel").send().await;
    assert_eq!((again.status.as_u16(), again.header("idempotent-replayed")), (200, "true"));
    let late = shop.post("/orders/1001/cancel").token(&ann).send().await;
    late.is(409, "order_not_cancellable");
    assert_eq!(late.body["order_status"], "cancelled");
    assert_eq!(stock().await, "low_stock");
    let order = shop.get("/orders/1001").token(&ann).send().await.body;
    assert_eq!(order["order"]["history"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn every_wrong_field_of_an_order_is_named() {
    let shop = TestShop::open().await;
    let ann = shop.sign_in(ANN).await;
    shop.add(&ann, 42, 1).await;
    let body = json!({
        "customer_name": "", "customer_phone": "12", "customer_email": "a@@b",
        "delivery_city": "a\nb", "delivery_notes": "a\u{0}b", "payment_method": "x".repeat(41),
        "expected_total": "1",
    });
    let answer = shop.post("/orders").token(&ann).json(&body).send().await;
    answer.is(422, "validation_failed");
    let mut fields = answer.fields();
    fields.sort_unstable();
    assert_eq!(
        fields,
        [
            "customer_email",
            "customer_name",
            "customer_phone",
            "delivery_address",
            "delivery_city",
            "delivery_notes",
            "expected_total",
            "payment_method",
        ]
    );
    assert_eq!(shop.get("/cart").token(&ann).send().await.body["total_items"], 1);
}

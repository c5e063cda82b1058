//! `/profile/addresses`

use serde_json::{Value, json};

use crate::shop::{ANN, TestShop};

#[tokio::test]
async fn exactly_one_address_is_the_default() {
    let shop = TestShop::open().await;
    let ann = shop.sign_in(ANN).await;
    let none = shop.get("/profile/addresses").token(&ann).send().await;
    assert_eq!(none.body, json!({"addresses": [], "total": 0}));
    let add = |body: Value| shop.post("/profile/addresses").token(&ann).json(&body);
    let home =
        add(json!({"title": "Home", "full_address": " 233 S Wacker Dr ", "city": "Chicago"}));
    let home = home.send().await;
    assert_eq!((home.status.as_u16(), home.header("location")), (201, "/profile/addresses/1"));
    assert_eq!(
        home.body,
        json!({
            "id": 1, "title": "Home", "full_address": "233 S Wacker Dr", "street": null,
            "building": null, "apartment": null, "city": "Chicago", "postal_code": null,
            "country": null, "is_default": true,
        })
    );
    let office = add(json!({"full_address": "1 Main St", "is_default": true})).key("a");
    assert_eq!(office.send().await.body["is_default"], true);
    let again = add(json!({"full_address": "1 Main St", "is_default": true})).key("a").send().await;
    assert_eq!((again.status.as_u16(), again.header("idempotent-replayed")), (201, "true"));
    let list = shop.get("/profile/addresses").token(&ann).send().await.body;
    let shown = |list: &Value| -> Vec<(i64, bool)> {
        let addresses = list["addresses"].as_array().unwrap().iter();
        addresses.map(|a| (a["id"].as_i64().unwrap(), a["is_default"].as_bool().unwrap())).collect()
    };
    assert_eq!(shown(&list), [(2, true), (1, false)]);
    let put = |body: Value| shop.put("/profile/addresses/1").token(&ann).json(&body);
    let changed =
        put(json!({"city": null, "street": "Wacker Dr", "is_default": true})).send().await;
    assert_eq!((&changed.body["city"], &changed.body["title"]), (&Value::Null, &json!("Home")));
    assert_eq!(changed.body["is_default"], true);
    let wrong = put(json!({"full_address": null, "is_default": "yes"})).send().await;
    assert_eq!((wrong.status.as_u16(), wrong.fields()), (422, vec!["full_address", "is_default"]));
    let gone = shop.delete("/profile/addresses/1").token(&ann).send().await;
    assert_eq!(gone.body["success"], true);
    shop.delete("/profile/addresses/1").token(&ann).send().await.is(404, "not_found");
    let list = shop.get("/profile/addresses").token(&ann).send().await.body;
    assert_eq!(shown(&list), [(2, true)]);
}

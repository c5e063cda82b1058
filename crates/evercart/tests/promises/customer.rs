//! A customer of a shop under test, what they ask of it, and how its answers are looked at.

use serde_json::{Value, json};

use crate::harness::{Answer, Request, Shop};

/// The guide's customer, whom every demo knows.
pub const SEED_PHONE: &str = "+13128059851";

/// What must never be in an answer: pieces of SQL, of the source and of the machine.
const LEAKS: [&str; 10] = [
    "SELECT",
    "INSERT",
    "sqlite",
    "SQLITE",
    "rusqlite",
    "panicked",
    "/tmp/",
    "evercart-data",
    "src/",
    ".rs:",
];

/// A customer who has signed in.
#[derive(Debug, Clone)]
pub struct Customer {
    pub id: i64,
    pub phone: String,
    pub token: String,
}

impl Customer {
    /// Signs in on a demo.
    pub fn of_demo(shop: &Shop, phone: &str) -> Self {
        Self::with_token(shop, phone, shop.sign_in(phone))
    }

    /// Signs in with a code.
    pub fn with_code(shop: &Shop, phone: &str, code: &str) -> Self {
        let body = expect(200, &shop.verify(phone, code));
        let token = body["access_token"].as_str().expect("a token").to_owned();
        Self::with_token(shop, phone, token)
    }

    fn with_token(shop: &Shop, phone: &str, token: String) -> Self {
        let id = shop.see("/auth/verify-token", &token)["user_id"].as_i64().expect("an id");
        Self { id, phone: phone.to_owned(), token }
    }

    pub fn request(&self, shop: &Shop, method: &str, path: &str) -> Request {
        shop.request(method, path).token(&self.token)
    }

    pub fn get(&self, shop: &Shop, path: &str) -> Answer {
        self.request(shop, "GET", path).send()
    }

    pub fn post(&self, shop: &Shop, path: &str, body: &Value) -> Answer {
        self.request(shop, "POST", path).json(body).send()
    }

    pub fn add(&self, shop: &Shop, sku_id: i64, quantity: i64) -> Answer {
        self.post(shop, "/cart/items", &json!({ "sku_id": sku_id, "quantity": quantity }))
    }

    pub fn cart(&self, shop: &Shop) -> Value {
        shop.see("/cart", &self.token)
    }

    pub fn wish(&self, shop: &Shop, product_id: i64) -> Answer {
        self.post(shop, "/wishlist/items", &json!({ "product_id": product_id }))
    }

    pub fn checkout(&self, shop: &Shop) -> Answer {
        self.post(shop, "/orders", &checkout_body())
    }

    /// Everything the shop keeps for this customer that they can see. Two looks at it are equal
    /// exactly if nothing changed in between.
    pub fn everything(&self, shop: &Shop) -> Value {
        let paths = ["/cart", "/wishlist", "/profile/orders?limit=100", "/profile/addresses"];
        paths.iter().map(|path| shop.see(path, &self.token)).collect()
    }
}

/// The `n`th of ten thousand American phones.
pub fn us_phone(n: u32) -> String {
    assert!(n < 9851, "only numbers below the guide's own");
    format!("+1312805{n:04}")
}

/// The `n`th of a million Kyrgyz phones.
pub fn kg_phone(n: u32) -> String {
    format!("+996700{n:06}")
}

/// What an order needs.
pub fn checkout_body() -> Value {
    json!({
        "customer_name": "Jo Miller",
        "delivery_address": "233 S Wacker Dr, Chicago",
        "payment_method": "card",
    })
}

/// The pieces of a SKU in a cart's or an order's lines.
pub fn pieces(cart_or_order: &Value, sku_id: i64) -> i64 {
    let lines = cart_or_order["items"].as_array().expect("lines");
    let of_sku = lines.iter().filter(|line| line["sku_id"] == sku_id);
    of_sku.map(|line| line["quantity"].as_i64().expect("a quantity")).sum()
}

/// The JSON of an answer that must have this status.
pub fn expect(status: u16, answer: &Answer) -> Value {
    assert_eq!(answer.status, status, "{answer}");
    answer.json()
}

/// Asserts that an answer is this problem, in the form the contract gives problems.
pub fn problem(status: u16, code: &str, answer: &Answer) -> Value {
    assert_eq!((answer.status, answer.code().as_str()), (status, code), "{answer}");
    let body = answer.json();
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{answer}");
    assert_eq!(body["status"], status, "{answer}");
    for text in ["type", "title", "detail"] {
        assert!(body[text].as_str().is_some_and(|text| !text.is_empty()), "{text}: {answer}");
    }
    assert_eq!(body["request_id"].as_str(), answer.header("x-request-id"), "{answer}");
    if status != 401 {
        // Clients end the session where they are challenged.
        assert_eq!(answer.header("www-authenticate"), None, "{answer}");
    }
    match status {
        401 => {
            let challenge = answer.header("www-authenticate").unwrap_or_default();
            let detail = body["detail"].as_str().unwrap_or_default();
            let expected =
                format!("Bearer error=\"invalid_token\", error_description=\"{detail}\"");
            assert_eq!(challenge, expected, "{answer}");
        }
        405 => assert!(answer.header("allow").is_some(), "{answer}"),
        429 | 503 => assert!(retry_after(answer) >= 1, "{answer}"),
        _ => {}
    }
    no_leak(answer);
    body
}

/// Seconds in `Retry-After`.
pub fn retry_after(answer: &Answer) -> i64 {
    let value = answer.header("retry-after").unwrap_or_else(|| panic!("no Retry-After: {answer}"));
    value.parse().unwrap_or_else(|_| panic!("Retry-After: {value}"))
}

/// Asserts that nothing of the inside is in an answer. [S6]
pub fn no_leak(answer: &Answer) {
    let text = answer.text();
    for leak in LEAKS {
        assert!(!text.contains(leak), "{leak} is in {answer}");
    }
}

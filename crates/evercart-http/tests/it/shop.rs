//! A shop to test with: two markets on SQLite, a clock that stands still, messages that are kept.
//! Every answer is compared with what the OpenAPI document says of it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use axum::response::Response;
use evercart_core::catalogue::{CatalogueRow, ImportOutcome, ProductKey};
use evercart_core::clock::{Clock, ManualClock};
use evercart_core::code::{Code, Hasher};
use evercart_core::ids::{ProductId, SkuId};
use evercart_core::limits::CustomerLimits;
use evercart_core::market::{Market, MarketName, Shipping};
use evercart_core::money::Money;
use evercart_core::phone::Phone;
use evercart_core::sms::{Sms, SmsError, SmsSender};
use evercart_core::store::Store;
use evercart_core::token::{TokenKey, TokenKeys};
use evercart_http::{
    Abandoned, Admission, Connections, Guesses, KeyRing, Limits, Metrics, Noticed, OutboxSender,
    Shop, ShopMarket, Streams, TestPhone, internal_router, router,
};
use evercart_sqlite::{Options, Sqlite};
use futures_util::StreamExt;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;

pub use crate::answered::Answered;
use crate::logs;
use crate::schema::{self, Operation};

/// Four customers with codes of their own, and one without.
pub const ANN: &str = "+13128059851";
pub const BOB: &str = "+13128059852";
pub const CEM: &str = "+996700123456";
pub const EVE: &str = "+13128059853";
pub const DEE: &str = "+13128059854";

/// What a stream of events is sent as.
pub const EVENTS: &str = "text/event-stream";

/// What only the data of a prepared customer has in it.
pub const MARK: &str = "Unmistakable";

pub struct TestShop {
    pub shop: Arc<Shop>,
    pub clock: Arc<ManualClock>,
    pub sms: Arc<KeptMessages>,
    pub stores: Vec<Arc<Sqlite>>,
    public: Router,
    internal: Router,
    directory: TempDir,
}

/// Keeps messages instead of sending them, or refuses them.
#[derive(Default)]
pub struct KeptMessages {
    pub sent: Mutex<Vec<Sms>>,
    pub broken: std::sync::atomic::AtomicBool,
    pub stuck: std::sync::atomic::AtomicBool,
}

#[async_trait]
impl SmsSender for KeptMessages {
    async fn send(&self, sms: &Sms) -> Result<(), SmsError> {
        use std::sync::atomic::Ordering::SeqCst;
        if self.stuck.load(SeqCst) {
            std::future::pending::<()>().await;
        }
        if self.broken.load(SeqCst) {
            return Err(SmsError::NotTaken("the line is dead".into()));
        }
        self.sent.lock().unwrap().push(sms.clone());
        Ok(())
    }
}

impl KeptMessages {
    /// The text of the last message.
    pub fn last(&self) -> String {
        self.sent.lock().unwrap().last().expect("a message was sent").text.clone()
    }

    /// The code in the last message.
    pub fn last_code(&self) -> String {
        self.last().split(' ').next().expect("the code comes first").to_owned()
    }

    pub fn count(&self) -> usize {
        self.sent.lock().unwrap().len()
    }
}

fn market(name: &str) -> Market {
    let us = name == "us";
    Market {
        name: MarketName::new(name).unwrap(),
        country: if us { "United States" } else { "Kyrgyzstan" }.into(),
        region: if us { "US" } else { "KG" }.into(),
        currency: if us { "USD" } else { "KGS" }.parse().unwrap(),
        phone_prefix: if us { "+1" } else { "+996" }.into(),
        regions: vec![if us { "US" } else { "KG" }.into()],
        languages: if us { vec!["en".into()] } else { vec!["ky".into(), "ru".into()] },
        shipping: Shipping { flat: Money(999), free_from: Some(Money(10_000)) },
        tax_rate: "0.12".parse().unwrap(),
    }
}

pub fn row(product: i64, sku: i64, price: i64, stock: i64, active: bool) -> CatalogueRow {
    CatalogueRow {
        product: ProductKey::Id(ProductId(product), None),
        name: format!("Shirt {product}"),
        brand: Some("Northloom".into()),
        category: Some(if product == 17 { "Coats" } else { "Shirts" }.into()),
        description: Some("Of linen.".into()),
        image: Some(format!("/demo/images/{product}.svg")),
        sku_id: Some(SkuId(sku)),
        sku_code: format!("SHIRT-{sku}"),
        size: Some("M".into()),
        color: None,
        price: Money(price),
        original_price: (sku == 42).then_some(Money(price + 1000)),
        stock,
        active,
    }
}

/// SKUs of product 15: 42 (plenty), 43 (three left); of 16: 44 (sold out); of 17: 45 (for sale), 46
/// (not for sale).
fn rows() -> Vec<CatalogueRow> {
    vec![
        row(15, 42, 1999, 5000, true),
        row(15, 43, 2499, 3, true),
        row(16, 44, 500, 0, true),
        row(17, 45, 12_000, 50, true),
        row(17, 46, 12_000, 50, false),
    ]
}

impl TestShop {
    pub async fn open() -> Self {
        Self::with(|_| ()).await
    }

    /// A shop with some of it changed.
    pub async fn with(change: impl FnOnce(&mut Shop)) -> Self {
        Self::made_with(CustomerLimits::NONE, change).await
    }

    /// A shop in which a customer may do as much as [`prepare`](Self::prepare) does.
    pub async fn limited() -> Self {
        let limits = CustomerLimits {
            cart_changes_per_hour: 3,
            changes_per_hour: 4,
            orders_per_hour: 1,
            ..CustomerLimits::NONE
        };
        Self::made_with(limits, |_| ()).await
    }

    async fn made_with(of_customers: CustomerLimits, change: impl FnOnce(&mut Shop)) -> Self {
        logs::kept();
        let directory = TempDir::new().unwrap();
        let clock = Arc::new(ManualClock::at(Timestamp::from_second(1_790_000_000).unwrap()));
        let metrics = Arc::new(Metrics::new());
        let mut stores = Vec::new();
        let mut markets = Vec::new();
        for name in ["us", "kg"] {
            let market = market(name);
            let options = Options {
                gauge: metrics.writer_gauge(&market.name),
                limits: of_customers,
                ..Options::new(Arc::clone(&clock) as Arc<dyn Clock>)
            };
            let path = directory.path().join(format!("{name}.db"));
            let store = Arc::new(Sqlite::open(&path, options).unwrap());
            stores.push(Arc::clone(&store));
            let store: Arc<dyn Store> = store;
            let outcome = store.import_catalogue(rows(), Box::new(|_| ())).await.unwrap();
            assert!(matches!(outcome, ImportOutcome::Imported(_)), "{outcome:?}");
            markets.push(ShopMarket { market, store });
        }
        let sms = Arc::new(KeptMessages::default());
        let codes = || ["123456", "654321"].map(|code| Code::parse(code).unwrap()).to_vec();
        let phone = |text| Phone::parse(text, None).unwrap();
        let mut shop = Shop {
            markets,
            default_market: Some(MarketName::new("us").unwrap()),
            keys: KeyRing::new(TokenKeys::new(TokenKey::new("k1", &[1; 32]), vec![], "evercart")),
            hasher: Hasher::new(&[2; 32]),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            sms: Arc::clone(&sms) as Arc<dyn SmsSender>,
            metrics,
            limits: limits(),
            token_lifetime: SignedDuration::from_mins(30),
            noticed: Noticed::default(),
            guesses: Guesses::default(),
            phone_change_hold: SignedDuration::from_hours(24),
            test_phones: [ANN, BOB, CEM, EVE]
                .map(|text| TestPhone { phone: phone(text), codes: codes(), until: None })
                .to_vec(),
            demo: false,
            trusted_proxies: Vec::new(),
            cors_origins: Vec::new(),
            admission: Admission::new(1000),
            abandoned: Arc::<Abandoned>::default(),
            outbox: OutboxSender::default(),
            connections: Connections::new(100, 100, Vec::new(), Arc::default()),
            streams: Streams::new(100),
            exports: Arc::default(),
            strict_transport: None,
            request_timeout: Duration::from_secs(30),
            pictures: |name| (name == "15.svg").then_some(b"<svg/>"),
            storefront: |_| None,
        };
        change(&mut shop);
        let shop = Arc::new(shop);
        Self {
            public: router(Arc::clone(&shop)),
            internal: internal_router(Arc::clone(&shop)),
            shop,
            clock,
            sms,
            stores,
            directory,
        }
    }

    /// Where a market's data is.
    pub fn file(&self, market: &str) -> PathBuf {
        self.directory.path().join(format!("{market}.db"))
    }

    pub fn get(&self, path: &str) -> Asked<'_> {
        self.ask(Method::GET, path)
    }

    pub fn post(&self, path: &str) -> Asked<'_> {
        self.ask(Method::POST, path)
    }

    pub fn put(&self, path: &str) -> Asked<'_> {
        self.ask(Method::PUT, path)
    }

    pub fn delete(&self, path: &str) -> Asked<'_> {
        self.ask(Method::DELETE, path)
    }

    pub fn ask(&self, method: Method, path: &str) -> Asked<'_> {
        Asked {
            router: self.public.clone(),
            method,
            path: path.to_owned(),
            headers: HeaderMap::new(),
            body: Body::empty(),
            peer: "203.0.113.9:40000".parse().unwrap(),
            described: true,
            shop: self,
        }
    }

    /// Sends what is due in the outboxes, as a server does when it stops.
    pub async fn send_messages(&self) {
        self.shop.outbox.stop();
        evercart_http::send_messages(Arc::clone(&self.shop)).await;
    }

    /// A request whose answer is of a type that the document does not have.
    pub fn ask_plainly(&self, path: &str) -> Asked<'_> {
        Asked { described: false, ..self.get(path) }
    }

    /// A request to the operators' listener.
    pub fn ask_inside(&self, path: &str) -> Asked<'_> {
        Asked { router: self.internal.clone(), described: false, ..self.get(path) }
    }

    /// Signs a customer in with one of their own codes, and returns the token.
    pub async fn sign_in(&self, phone: &str) -> String {
        let body = json!({"phone": phone, "verification_code": "123456"});
        let answer = self.post("/auth/verify-code").json(&body).send().await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.body["access_token"].as_str().unwrap().to_owned()
    }

    /// Puts pieces of a SKU into the cart of a token's customer.
    pub async fn add(&self, token: &str, sku: i64, quantity: i64) -> Answered {
        let body = json!({"sku_id": sku, "quantity": quantity});
        let answer = self.post("/cart/items").token(token).json(&body).send().await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer
    }

    /// Signs Ann in with something of everything: an order, a cart, a wish, two addresses.
    pub async fn prepare(&self) -> Prepared {
        let token = self.sign_in(ANN).await;
        let name = json!({"full_name": MARK});
        self.put("/auth/profile").token(&token).json(&name).send().await;
        self.add(&token, 42, 2).await;
        let mut body = order_body();
        body["customer_name"] = MARK.into();
        let order = self.post("/orders").token(&token).json(&body).send().await;
        let order = order.body["id"].as_i64().unwrap();
        let line = self.add(&token, 43, 1).await.body["items"][0]["id"].as_i64().unwrap();
        let wish = json!({"product_id": 15});
        self.post("/wishlist/items").token(&token).json(&wish).send().await;
        let mut address = 0;
        for text in ["233 S Wacker Dr", "1 Main St"] {
            let body = json!({"full_address": text, "title": MARK});
            let answer = self.post("/profile/addresses").token(&token).json(&body).send().await;
            address = answer.body["id"].as_i64().unwrap();
        }
        Prepared { token, line, order, address }
    }

    /// A request as the OpenAPI document's examples have it, about what `ann` has. Without a token.
    pub fn example(&self, operation: &Operation, ann: &Prepared) -> Asked<'_> {
        let ask = self.ask(operation.method(), &ann.fill(operation.path));
        match operation.example() {
            Some(body) => ask.json(&body),
            None => ask,
        }
    }

    /// Orders the cart of a token's customer.
    pub async fn order(&self, token: &str) -> Answered {
        self.post("/orders").token(token).json(&order_body()).send().await
    }

    /// Everything of a customer's, to see whether anything changed.
    pub async fn everything(&self, token: &str) -> Vec<Value> {
        let mut all = Vec::new();
        for path in
            ["/cart", "/wishlist", "/orders", "/profile/addresses", "/auth/profile", "/products/15"]
        {
            let answer = self.get(path).token(token).send().await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.text);
            all.push(answer.body);
        }
        all
    }
}

/// A customer who has something of everything, and its ids.
pub struct Prepared {
    pub token: String,
    pub line: i64,
    pub order: i64,
    pub address: i64,
}

impl Prepared {
    /// The path with the customer's own ids.
    pub fn fill(&self, path: &str) -> String {
        let id = match path {
            _ if path.starts_with("/cart/items/") => self.line,
            _ if path.starts_with("/wishlist/items/") || path.starts_with("/products/") => 15,
            _ if path.contains("/orders/") => self.order,
            _ => self.address,
        };
        path.replace("{id}", &id.to_string()).replace("{product_id}", &id.to_string())
    }
}

pub fn order_body() -> Value {
    json!({
        "customer_name": "Ann Example",
        "delivery_address": "233 S Wacker Dr",
        "payment_method": "card",
    })
}

/// An order of these items in place of the cart.
pub fn order_of(items: Value) -> Value {
    let mut body = order_body();
    (body["items"], body["use_cart"]) = (items, json!(false));
    body
}

pub fn limits() -> Limits {
    Limits {
        code_lifetime: SignedDuration::from_mins(10),
        attempts_per_code: 5,
        resend_after: SignedDuration::from_secs(60),
        sends_per_phone: 3,
        phone_window: SignedDuration::from_mins(15),
        sends_per_ip_hour: 30,
        sends_per_prefix_hour: 500,
        sends_per_market_hour: 1000,
        failures_per_ip_hour: 100,
        failures_per_market_hour: 500,
    }
}

/// A request being made up.
pub struct Asked<'a> {
    router: Router,
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Body,
    peer: SocketAddr,
    described: bool,
    shop: &'a TestShop,
}

impl Asked<'_> {
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name: HeaderName = name.parse().unwrap();
        self.headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        self
    }

    pub fn token(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    pub fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").raw(body.to_string())
    }

    /// Another path for the same request.
    pub fn at(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    pub fn raw(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self
    }

    pub fn peer(mut self, address: &str) -> Self {
        self.peer = address.parse().unwrap();
        self
    }

    /// Sends it, and leaves the answer unread.
    pub async fn begin(self) -> Response {
        let mut request = Request::new(self.body);
        *request.method_mut() = self.method;
        *request.uri_mut() = self.path.parse().expect("a path");
        *request.headers_mut() = self.headers;
        request.headers_mut().entry("host").or_insert(HeaderValue::from_static("shop.example"));
        request.extensions_mut().insert(ConnectInfo(self.peer));
        self.router.oneshot(request).await.unwrap()
    }

    pub async fn send(self) -> Answered {
        // The shop keeps the stores open until the answer is here.
        let (described, shop) = (self.described, self.shop);
        let (method, path) = (self.method.clone(), self.path.clone());
        let (parts, body) = self.begin().await.into_parts();
        let is_stream = parts.headers.get("content-type").is_some_and(|kind| kind == EVENTS);
        let bytes = match is_stream {
            // What a stream begins with: it has no end to wait for.
            true => body.into_data_stream().next().await.unwrap().unwrap(),
            false => axum::body::to_bytes(body, usize::MAX).await.unwrap(),
        };
        let text = String::from_utf8(bytes.to_vec()).expect("UTF-8");
        let answered = Answered {
            status: parts.status,
            headers: parts.headers,
            body: serde_json::from_str(&text).unwrap_or(Value::Null),
            text,
        };
        answered.check_what_every_answer_has();
        if described && method != Method::HEAD {
            schema::check(&method, &path, &answered);
        }
        let _ = shop;
        answered
    }
}

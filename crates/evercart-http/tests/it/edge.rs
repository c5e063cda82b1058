//! What every request gets, whatever it is about.

use std::future::poll_fn;
use std::sync::atomic::Ordering::SeqCst;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::http::Method;
use evercart_http::Admission;
use jiff::SignedDuration;
use serde_json::json;

use crate::contract::provoke;
use crate::schema::operations;
use crate::shop::{ANN, Asked, DEE, TestShop};

#[tokio::test]
async fn a_sane_request_id_is_kept_and_others_are_replaced() {
    let shop = TestShop::open().await;
    let kept = shop.get("/nowhere").header("x-request-id", "tap.1_a-B").send().await;
    assert_eq!(
        (kept.header("x-request-id"), &kept.body["request_id"]),
        ("tap.1_a-B", &"tap.1_a-B".into())
    );
    let made = shop.get("/healthz").header("x-request-id", "a b").send().await;
    assert_eq!(made.header("x-request-id").len(), 36);
    assert_ne!(
        made.header("x-request-id"),
        shop.get("/healthz").send().await.header("x-request-id")
    );
}

#[tokio::test]
async fn paths_and_methods_that_do_not_exist_are_problems() {
    let shop = TestShop::open().await;
    for path in [
        "/",
        "/nowhere",
        "/api/v1",
        "/api/v1/nowhere",
        "/api/v2/cart",
        "/cart//",
        "//cart",
        "//",
        "/cart//items",
        "/profile/orders//",
        "/orders//cancel",
        "/shop//",
        "/cart/items//",
        "/api/v1/cart//",
        "/api/v1/",
        "/cart/items/1/2",
        "/metrics/",
        "/%zz",
        "/cart%2Fitems",
        "/metrics",
        "/demo/images/15.svg",
        "/cart/happenings",
        "/auth",
        "/admin",
    ] {
        let answer = shop.get(path).send().await;
        assert_eq!((answer.status.as_u16(), answer.code()), (404, "not_found"), "{path}");
    }
    for (method, path, allow) in [
        (Method::PATCH, "/cart", "GET,HEAD,DELETE"),
        (Method::GET, "/cart/items", "POST"),
        (Method::GET, "/api/v1/auth/logout", "POST"),
        (Method::POST, "/healthz", "GET,HEAD"),
        (Method::from_bytes(b"BREW").unwrap(), "/cart", "GET,HEAD,DELETE"),
    ] {
        let answer = shop.ask(method.clone(), path).send().await;
        assert_eq!((answer.status.as_u16(), answer.code()), (405, "method_not_allowed"), "{path}");
        assert_eq!(answer.header("allow"), allow, "{method} {path}");
    }
    let head = shop.ask(Method::HEAD, "/healthz").send().await;
    assert_eq!((head.status.as_u16(), head.text.as_str()), (200, ""));
}

/// One slash behind a path changes nothing, whatever the operation and its answer; it is answered
/// where it came.
#[tokio::test]
async fn a_slash_behind_a_path_is_the_same_route() {
    for under in ["", "/api/v1"] {
        for operation in operations() {
            let statuses = operation.statuses();
            let success = statuses.iter().find(|status| status.starts_with('2')).unwrap();
            let mut answers = Vec::new();
            for slash in ["", "/"] {
                let shop = TestShop::open().await;
                let ann = shop.prepare().await;
                let path = format!("{under}{}{slash}", ann.fill(operation.path));
                let ask = provoke(&shop, &ann, &operation, success).await;
                let answer = ask.at(&path).send().await;
                assert!(answer.status.is_success(), "{path}: {}", answer.text);
                answers.push((answer.status, answer.header("content-type").to_owned()));
            }
            assert_eq!(answers[0], answers[1], "{under}{}", operation.path);
        }
    }
    let shop = TestShop::open().await;
    let ann = shop.sign_in(ANN).await;
    let add =
        |path: &str| shop.post(path).token(&ann).key("one tap").json(&json!({"sku_id": 42})).send();
    for path in ["/cart/items", "/cart/items/", "/api/v1/cart/items/"] {
        assert_eq!(add(path).await.body["total_items"], 1, "{path}");
    }
    let method = shop.get("/cart/items/").send().await;
    method.is(405, "method_not_allowed");
    assert_eq!(method.header("allow"), "POST");
    let head = shop.ask(Method::HEAD, "/cart/").token(&ann).send().await;
    assert_eq!((head.status.as_u16(), head.text.as_str()), (200, ""));
    let seen = async |path: &str| shop.get(path).send().await.text;
    assert_eq!(seen("/products/?limit=1").await, seen("/products?limit=1").await);
    assert_ne!(seen("/products/?limit=1").await, seen("/products/").await);
    // What a page links to is found from where the page was.
    let docs = shop.get("/docs/").send().await.text;
    assert!(docs.contains("href=\"../docs.css\"") && docs.contains("href=\"../openapi.json\""));
    assert_eq!(shop.get("/docs.css/").send().await.status, 200);
    for path in ["/metrics/", "/healthz/", "/readyz/"] {
        assert_eq!(shop.ask_inside(path).send().await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn patch_is_put() {
    let shop = TestShop::open().await;
    let ann = shop.prepare().await;
    let line = format!("/cart/items/{}", ann.line);
    let address = format!("/profile/addresses/{}", ann.address);
    for (path, put, patch, seen) in [
        (line.as_str(), json!({"quantity": 3}), json!({"quantity": 2}), "/total_items"),
        ("/auth/profile", json!({"full_name": "A"}), json!({"full_name": "B"}), "/full_name"),
        (address.as_str(), json!({"title": "A"}), json!({"title": "B"}), "/title"),
    ] {
        let mut answers = Vec::new();
        for (method, body) in [(Method::PUT, &put), (Method::PATCH, &patch)] {
            let answer = shop.ask(method, path).token(&ann.token).json(body).send().await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            answers.push(answer.body);
        }
        let [put, patch] = [&mut answers[0].clone(), &mut answers[1].clone()];
        assert_ne!(put.pointer(seen), patch.pointer(seen), "{path}");
        assert!(put.as_object().unwrap().keys().eq(patch.as_object().unwrap().keys()), "{path}");
    }
    let by_query = shop.ask(Method::PATCH, &format!("{line}?quantity=0")).token(&ann.token);
    assert_eq!(by_query.send().await.body["items"], json!([]));
}

/// Clients that do not know problems read `message` of what calls itself JSON.
#[tokio::test]
async fn who_takes_only_json_gets_errors_as_json() {
    let shop = TestShop::open().await;
    let ask = |accept: &[&str]| {
        let asked = shop.ask_plainly("/cart");
        accept.iter().fold(asked, |asked, value| asked.header("accept", value))
    };
    for only in [
        &["application/json"][..],
        &["Application/JSON; charset=utf-8"],
        &["application/json", "application/json;q=0.5"],
        &["application/json,application/json"],
    ] {
        let answer = ask(only).send().await;
        assert_eq!(answer.status, 401);
        assert_eq!(answer.header("content-type"), "application/json", "{only:?}");
        assert_eq!(answer.body["message"], answer.body["detail"]);
        assert_eq!(answer.body["code"], "not_authenticated");
    }
    for more in [
        &[][..],
        &[""],
        &["*/*"],
        &["application/json, */*"],
        &["application/json", "text/html"],
        &["application/problem+json, application/json"],
        &["application/*"],
    ] {
        let answer = ask(more).send().await;
        assert_eq!(answer.header("content-type"), "application/problem+json", "{more:?}");
        assert!(answer.body.get("message").is_none(), "{more:?}");
    }
    // What is written at the edge itself is no exception, and no success is one.
    let nowhere = shop.ask_plainly("/nowhere").header("accept", "application/json").send().await;
    assert_eq!(nowhere.body["message"], "There is no such path.");
    let alive = shop.ask_plainly("/healthz").header("accept", "application/json").send().await;
    assert_eq!((alive.status.as_u16(), &alive.body["message"]), (200, &json!(null)));
}

#[tokio::test]
async fn only_configured_origins_may_call_from_a_browser() {
    let closed = TestShop::open().await;
    let answer = closed.get("/healthz").header("origin", "https://shop.example").send().await;
    assert_eq!(answer.header("access-control-allow-origin"), "");

    let one = TestShop::with(|shop| shop.cors_origins = vec!["https://shop.example".into()]).await;
    let ask = |origin: &str| one.get("/cart").header("origin", origin);
    let ours = ask("https://shop.example").send().await;
    ours.is(401, "not_authenticated");
    assert_eq!(ours.header("access-control-allow-origin"), "https://shop.example");
    let exposed = ours.header("access-control-expose-headers").to_lowercase();
    for name in ["etag", "retry-after", "idempotent-replayed", "x-request-id"] {
        assert!(exposed.contains(name), "{name} in {exposed}");
    }
    assert_eq!(ours.header("access-control-allow-credentials"), "");
    let other = ask("https://evil.example").send().await;
    assert_eq!(other.header("access-control-allow-origin"), "");
    for path in ["/api/v1/cart/items/1", "/cart/items/1/"] {
        let preflight = one.ask(Method::OPTIONS, path);
        let preflight = preflight
            .header("origin", "https://shop.example")
            .header("access-control-request-method", "PUT")
            .header("access-control-request-headers", "authorization,if-match");
        let preflight = preflight.send().await;
        assert_eq!(preflight.status, 200, "{path}");
        let allowed = preflight.header("access-control-allow-headers").to_lowercase();
        for name in [
            "authorization",
            "content-type",
            "idempotency-key",
            "if-match",
            "if-none-match",
            "x-market",
            "x-request-id",
        ] {
            assert!(allowed.contains(name), "{name} in {allowed}");
        }
    }

    let any = TestShop::with(|shop| shop.cors_origins = vec!["*".into()]).await;
    let answer = any.get("/healthz").header("origin", "https://anybody.example").send().await;
    assert_eq!(answer.header("access-control-allow-origin"), "*");
}

#[tokio::test]
async fn a_demo_lets_pages_of_this_machine_call_and_no_others() {
    let local = [
        "http://localhost:5173",
        "https://127.0.0.1:3000",
        "http://[::1]:8081",
        "http://localhost",
    ];
    let others = [
        "http://localhost.evil.example",
        "http://localhost:5173.evil.example",
        "http://localhost:80@evil.example",
        "http://127.0.0.1.nip.example:80",
        "http://127.0.0.11",
        "http://evil.example/localhost",
        "https://shop.example",
        "null",
        "localhost",
    ];
    let demo = TestShop::with(|shop| shop.demo = true).await;
    let allowed = async |shop: &TestShop, origin: &str| {
        let preflight = shop.ask(Method::OPTIONS, "/cart/items");
        let preflight = preflight
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,content-type")
            .send()
            .await;
        let answer = shop.get("/cart").header("origin", origin).send().await;
        let both =
            [preflight, answer].map(|of| of.header("access-control-allow-origin").to_owned());
        assert_eq!(both[0], both[1], "{origin}");
        both[0] == origin
    };
    for origin in local {
        assert!(allowed(&demo, origin).await, "{origin}");
    }
    for origin in others {
        assert!(!allowed(&demo, origin).await, "{origin}");
    }
    let shop = TestShop::open().await;
    for origin in local {
        assert!(!allowed(&shop, origin).await, "{origin}");
    }
}

#[tokio::test]
async fn requests_are_counted_by_route_and_status() {
    let shop = TestShop::open().await;
    let ann = shop.sign_in(ANN).await;
    for path in ["/cart", "/api/v1/cart", "/cart/", "/api/v1/cart/"] {
        shop.get(path).token(&ann).send().await;
    }
    shop.get("/cart").send().await;
    shop.put("/cart/items/7?quantity=1").token(&ann).send().await;
    shop.get("/nowhere/+13128059851").send().await;
    let metrics = shop.ask_inside("/metrics").send().await;
    assert_eq!(metrics.status, 200);
    for line in [
        r#"evercart_requests_total{method="GET",route="/cart",status="200"} 4"#,
        r#"evercart_requests_total{method="GET",route="/cart",status="401"} 1"#,
        r#"evercart_requests_total{method="PUT",route="/cart/items/{id}",status="404"} 1"#,
        r#"evercart_requests_total{method="GET",route="unmatched",status="404"} 1"#,
        r#"evercart_sign_ins_total{market="us",outcome="signed_in"} 1"#,
    ] {
        assert!(metrics.text.contains(line), "{line} is not in\n{}", metrics.text);
    }
    assert!(metrics.text.contains("evercart_commit_batch_size_count{market=\"us\"}"));
    assert!(!metrics.text.contains("8059851"));
}

/// U1: what finds no room is told so, and whoever watches over the server always gets in.
#[tokio::test]
async fn what_finds_no_room_is_refused() {
    let shop = TestShop::with(|shop| shop.admission = Admission::new(1)).await;
    let ann = shop.sign_in(ANN).await;
    // At work until it is looked at again, since nobody else drives it. On a busy machine the store
    // may have answered before the first look.
    let at_work = loop {
        let mut asked = Box::pin(shop.get("/cart").token(&ann).send());
        if std::future::poll_fn(|context| Poll::Ready(asked.as_mut().poll(context).is_pending()))
            .await
        {
            break asked;
        }
    };
    let add = || shop.post("/cart/items").token(&ann).json(&json!({"sku_id": 42}));
    for refused in [shop.get("/cart").token(&ann).send().await, add().send().await] {
        refused.is(503, "overloaded");
        assert!(!refused.header("retry-after").is_empty());
    }
    assert_eq!(shop.get("/healthz").send().await.status, 200);
    assert_eq!(shop.get("/readyz").send().await.status, 200);
    assert_eq!(at_work.await.status, 200);
    assert_eq!(add().send().await.body["total_items"], 1, "the refused add changed nothing");
    assert_eq!(shop.get("/cart").token(&ann).send().await.status, 200);
}

/// The store's writer, held by another process that writes, until it is let go.
struct HeldWriter(rusqlite::Connection);

impl HeldWriter {
    fn hold(shop: &TestShop) -> Self {
        let other = rusqlite::Connection::open(shop.file("us")).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        Self(other)
    }

    fn let_go(self) {
        self.0.execute_batch("ROLLBACK").unwrap();
    }
}

/// Asks while the writer is held, and hangs up before anything can have been done.
async fn ask_and_hang_up(shop: &TestShop, asked: Asked<'_>) {
    let held = HeldWriter::hold(shop);
    let mut asked = Box::pin(asked.send());
    let mut is_pending = |context: &mut Context<'_>| asked.as_mut().poll(context).is_pending();
    assert!(poll_fn(|context| Poll::Ready(is_pending(context))).await, "it waits for the writer");
    drop(asked);
    held.let_go();
    shop.shop.abandoned.finished().await;
}

/// G11: a change runs to its end though its client hangs up, and so does what follows from it.
#[tokio::test]
async fn g11_a_code_that_is_counted_is_sent_though_its_client_hangs_up() {
    let shop = TestShop::open().await;
    let body = json!({"phone": DEE});
    ask_and_hang_up(&shop, shop.post("/auth/send-code").json(&body)).await;
    assert_eq!(shop.sms.count(), 1);

    shop.clock.advance(SignedDuration::from_mins(2));
    shop.sms.broken.store(true, SeqCst);
    ask_and_hang_up(&shop, shop.post("/auth/send-code").json(&body)).await;
    shop.sms.broken.store(false, SeqCst);
    let again = shop.post("/auth/send-code").json(&body).send().await;
    assert_eq!(again.status, 200, "what was not sent is withdrawn: {}", again.text);
}

/// G11, U1: a change takes up its room until its end, not until its client is answered.
#[tokio::test]
async fn g11_a_change_outlives_its_time_limit_and_takes_up_its_room() {
    let shop = TestShop::with(|shop| {
        shop.admission = Admission::new(1);
        shop.request_timeout = Duration::from_millis(50);
    })
    .await;
    let ann = shop.sign_in(ANN).await;
    let held = HeldWriter::hold(&shop);
    let add = shop.post("/cart/items").token(&ann).json(&json!({"sku_id": 42}));
    add.send().await.is(503, "overloaded");
    shop.get("/cart").token(&ann).send().await.is(503, "overloaded");
    held.let_go();
    shop.shop.abandoned.finished().await;
    let cart = shop.get("/cart").token(&ann).send().await;
    assert_eq!((cart.status.as_u16(), &cart.body["total_items"]), (200, &json!(1)));
}

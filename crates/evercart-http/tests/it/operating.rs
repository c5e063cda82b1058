//! `/healthz`, `/readyz`, `/openapi.json`, `/docs`, `/demo/images`

use crate::schema::operations;
use crate::shop::TestShop;

/// U2
#[tokio::test]
async fn a_server_without_its_store_is_alive_but_not_ready() {
    let shop = TestShop::open().await;
    for path in ["/healthz", "/readyz"] {
        assert_eq!(shop.get(path).send().await.status, 200);
        assert_eq!(shop.ask_inside(path).send().await.status, 200);
    }
    shop.stores[1].close();
    for answer in [shop.get("/readyz").send().await, shop.ask_inside("/readyz").send().await] {
        answer.is(503, "store_unavailable");
        assert_eq!(answer.body["detail"], "Not ready: the store of market kg.");
    }
    assert_eq!(shop.get("/healthz").send().await.status, 200);
    shop.ask_inside("/cart").send().await.is(404, "not_found");
}

#[tokio::test]
async fn the_documentation_needs_nothing_from_elsewhere() {
    let shop = TestShop::open().await;
    for root in ["", "/api/v1"] {
        let page = shop.get(&format!("{root}/docs")).send().await;
        assert_eq!(
            (page.status.as_u16(), page.header("content-type")),
            (200, "text/html; charset=utf-8")
        );
        let policy = page.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; style-src 'self';"), "{policy}");
        assert_eq!(page.header("x-frame-options"), "DENY");
        assert_eq!(page.header("referrer-policy"), "no-referrer");
        for foreign in ["<script", "<img", "src=", "href=\"http", "style=\"", "<style"] {
            assert!(!page.text.contains(foreign), "{foreign} in the page");
        }
        for operation in operations() {
            let shown = format!(
                "<b class=\"{0}\">{0}</b> <code>{1}</code>",
                operation.method, operation.path
            );
            assert!(page.text.contains(&shown), "{shown}");
        }
        assert!(page.text.contains("<code>idempotency_key_reused</code>"));
        let style = shop.get(&format!("{root}/docs.css")).send().await;
        assert_eq!(style.header("content-type"), "text/css; charset=utf-8");
        assert!(style.text.contains("prefers-color-scheme: dark"));
        let document = shop.get(&format!("{root}/openapi.json")).send().await;
        assert_eq!(document.text, evercart_http::openapi_json());
    }
}

#[tokio::test]
async fn a_demo_has_pictures() {
    let shop = TestShop::with(|shop| shop.demo = true).await;
    let picture = shop.get("/demo/images/15.svg").send().await;
    assert_eq!(
        (picture.header("content-type"), picture.text.as_str()),
        ("image/svg+xml", "<svg/>")
    );
    for path in ["/demo/images/16.svg", "/demo/images/%FF", "/demo/images/..%2F15.svg"] {
        shop.get(path).send().await.is(404, "not_found");
    }
}

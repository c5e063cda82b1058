//! `/healthz`, `/readyz`, `/demo/images`

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
async fn a_demo_has_pictures() {
    let shop = TestShop::with(|shop| shop.demo = true).await;
    let picture = shop.get("/demo/images/15.svg").send().await;
    assert_eq!(
        (picture.header("content-type"), picture.text.as_str()),
        ("image/svg+xml", "<svg/>")
    );
    let asked = shop.get("/demo/images/15.svg").header("accept-encoding", "gzip");
    let packed = asked.begin().await;
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    assert_eq!(packed.headers()["vary"], "accept-encoding");
    for path in ["/demo/images/16.svg", "/demo/images/%FF", "/demo/images/..%2F15.svg"] {
        shop.get(path).send().await.is(404, "not_found");
    }
}

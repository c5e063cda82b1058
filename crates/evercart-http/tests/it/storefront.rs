//! `/shop`, `/shop/sitemap.xml`, `/robots.txt`: files of the shop, and its page as crawlers see it.

use evercart_core::catalogue::{Catalogue, CatalogueRow};
use serde_json::{Value, json};

use crate::shop::{Answered, TestShop, row};

/// A built page, as far as the server looks at it.
const BUILT: &[u8] = b"<head><!--head--><title>Evercart</title><!--/head--></head>\
    <body><div id=\"root\"><main><!--content--></main></div></body>";

async fn shop_with_pages() -> TestShop {
    TestShop::with(|shop| {
        shop.storefront = |path| match path {
            "index.html" => Some(BUILT),
            "assets/shop-1.js" => Some(b"1"),
            "assets/shop-1.js.gz" => Some(b"packed"),
            _ => None,
        };
    })
    .await
}

/// What stands between `start` and the next `end`.
fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(start).unwrap_or_else(|| panic!("no {start} in {text}"));
    rest.split_once(end).unwrap_or_else(|| panic!("no {end} after {start}")).0
}

/// What the page tells its scripts.
fn first(page: &Answered) -> Value {
    let block = between(&page.text, "<script type=\"application/json\" id=\"first\">", "</script>");
    serde_json::from_str(block).expect("JSON")
}

#[tokio::test]
async fn the_shop_is_one_page_at_many_addresses() {
    let shop = shop_with_pages().await;
    for path in ["/shop", "/shop/", "/shop/product/15", "/shop?q=a.b"] {
        let page = shop.get(path).send().await;
        assert_eq!(
            (page.status.as_u16(), page.header("content-type")),
            (200, "text/html; charset=utf-8"),
            "{path}"
        );
        assert!(page.text.contains("<div id=\"root\">"), "{path}");
        let policy = page.header("content-security-policy");
        assert!(policy.contains("script-src 'self';") && !policy.contains("unsafe"), "{policy}");
    }
    for path in ["/shop/nothing", "/shop/product/9999", "/shop/product/x", "/shop/orders/0"] {
        let page = shop.get(path).send().await;
        assert_eq!(page.status, 404, "{path}");
        assert!(page.text.contains("<div id=\"root\">"), "{path}");
    }
    let script = shop.get("/shop/assets/shop-1.js").send().await;
    assert_eq!(
        (script.header("content-type"), &*script.text),
        ("text/javascript; charset=utf-8", "1")
    );
    assert!(script.header("cache-control").contains("immutable"));
    let packed = shop.get("/shop/assets/shop-1.js").header("accept-encoding", "gzip").send().await;
    assert_eq!((packed.header("content-encoding"), &*packed.text), ("gzip", "packed"));
    assert_eq!(packed.header("content-type"), script.header("content-type"));
    shop.get("/shop/assets/shop-0.js").send().await.is(404, "not_found");
    shop.get("/api/v1/shop").send().await.is(404, "not_found");
}

#[tokio::test]
async fn a_products_page_says_what_is_sold_and_for_how_much() {
    let shop = shop_with_pages().await;
    let page = shop.get("/shop/product/15?market=kg").header("host", "shop.example").send().await;
    let address = "http://shop.example/shop/product/15?market=kg";
    assert_eq!(between(&page.text, "<title>", "</title>"), "Shirt 15 · Evercart");
    for tag in [
        "<meta name=\"description\" content=\"Of linen.\">".to_owned(),
        format!("<link rel=\"canonical\" href=\"{address}\">"),
        format!("<meta property=\"og:url\" content=\"{address}\">"),
        "<meta property=\"og:title\" content=\"Shirt 15\">".to_owned(),
        "<meta property=\"og:image\" content=\"http://shop.example/demo/images/15.svg\">"
            .to_owned(),
        "<h1>Shirt 15</h1>".to_owned(),
    ] {
        assert_eq!(page.text.matches(&tag).count(), 1, "{tag} in {}", page.text);
    }
    let mut data = page.text.split("<script type=\"application/ld+json\">").skip(1).map(|part| {
        let json = part.split("</script>").next().unwrap();
        serde_json::from_str::<Value>(json).expect("JSON")
    });
    let product = data.next().unwrap();
    assert_eq!(product["name"], "Shirt 15");
    assert_eq!(product["image"], json!(["http://shop.example/demo/images/15.svg"]));
    assert_eq!(
        product["offers"][0],
        json!({"@type": "Offer", "sku": "SHIRT-42", "price": "19.99", "priceCurrency": "KGS",
               "availability": "https://schema.org/InStock", "url": address})
    );
    let trail = data.next().unwrap();
    let category = "http://shop.example/shop/?category=Shirts&market=kg";
    assert_eq!(trail["itemListElement"][1]["item"], category);
    // The scripts begin with what the API answers.
    let api = shop.get("/products/15").header("x-market", "kg").send().await;
    assert_eq!(first(&page), json!({"market": "kg", "answers": {"/products/15": api.body}}));
}

#[tokio::test]
async fn the_start_and_a_category_list_their_first_products() {
    let shop = shop_with_pages().await;
    let page = shop.get("/shop/").header("accept-language", "en-US,en;q=0.9").send().await;
    for part in
        ["<h1>Things worth keeping.</h1>", "href=\"/shop/product/15?market=us\"", "Shirt 17"]
    {
        assert!(page.text.contains(part), "{part} in {}", page.text);
    }
    let all = shop.get("/products?limit=24").send().await;
    assert_eq!(first(&page)["answers"]["/products"], all.body);
    let categories = shop.get("/categories").send().await;
    assert_eq!(first(&page)["answers"]["/categories"], categories.body);
    let page = shop.get("/shop/?category=Coats").send().await;
    assert_eq!(between(&page.text, "<title>", "</title>"), "Coats · Evercart");
    assert!(page.text.contains("Shirt 17") && !page.text.contains("Shirt 15"));
    let coats = shop.get("/products?limit=24&category=Coats").send().await;
    assert_eq!(first(&page)["answers"]["/products?category=Coats"], coats.body);
}

#[tokio::test]
async fn the_page_is_of_the_market_that_the_visitor_seems_to_be_in() {
    let shop = shop_with_pages().await;
    for (path, languages, market) in [
        ("/shop/", "en-GB", "us"),
        ("/shop/", "ky", "kg"),
        ("/shop/", "ru-KG, en;q=0.5", "kg"),
        ("/shop/", "ru-RU", "us"),
        ("/shop/", "", "us"),
        ("/shop/?market=KG", "en-US", "kg"),
        ("/shop/?market=mars", "en-US", "us"),
    ] {
        let page = shop.get(path).header("accept-language", languages).send().await;
        assert_eq!(first(&page)["market"], market, "{path} {languages}");
        assert!(page.header("vary").contains("accept-language"));
    }
}

#[tokio::test]
async fn names_and_hosts_cannot_write_into_the_page() {
    let shop = shop_with_pages().await;
    let hostile = "</script><script>alert(1)</script>\"'><b>&";
    let product = CatalogueRow {
        name: hostile.into(),
        description: Some(hostile.into()),
        category: Some(hostile.into()),
        ..row(18, 47, 100, 1, true)
    };
    shop.stores[0].import_catalogue(vec![product], Box::new(|_| ())).await.unwrap();
    let plain = shop.get("/shop/product/15").send().await.text;
    for path in
        ["/shop/product/18", "/shop/", "/shop/?category=%3Cscript%3E", "/shop/?q=%3Cscript%3E"]
    {
        let page = shop.get(path).header("host", "a\"><script>alert(1)</script>").send().await;
        assert!(!page.text.contains("<script>") && !page.text.contains("<b>"), "{}", page.text);
        let scripts = page.text.matches("</script>").count();
        assert!(scripts <= plain.matches("</script>").count(), "{}", page.text);
    }
    let page = shop.get("/shop/product/18").header("host", "x y").send().await;
    assert!(page.text.contains("href=\"http://localhost/shop/product/18?market=us\""));
    assert_eq!(first(&page)["answers"]["/products/18"]["name"], hostile);
}

#[tokio::test]
async fn only_a_trusted_proxy_says_that_it_was_reached_by_https() {
    let canonical =
        |page: &Answered| between(&page.text, "rel=\"canonical\" href=\"", "/shop/").to_owned();
    let ask = async |shop: &TestShop| {
        let asked = shop.get("/shop/product/15").header("host", "shop.example");
        canonical(&asked.header("x-forwarded-proto", "https").send().await)
    };
    assert_eq!(ask(&shop_with_pages().await).await, "http://shop.example");
    let behind = TestShop::with(|shop| {
        shop.storefront = |path| (path == "index.html").then_some(BUILT);
        shop.trusted_proxies = vec!["203.0.113.0/24".parse().unwrap()];
    });
    assert_eq!(ask(&behind.await).await, "https://shop.example");
}

#[tokio::test]
async fn what_is_a_customers_own_is_not_to_be_found() {
    let shop = shop_with_pages().await;
    let robots = shop.ask_plainly("/robots.txt").header("host", "shop.example").send().await;
    assert!(robots.text.contains("\nSitemap: http://shop.example/shop/sitemap.xml\n"));
    for page in ["account", "orders", "wishlist"] {
        let shown = shop.get(&format!("/shop/{page}")).send().await;
        assert!(shown.text.contains("<meta name=\"robots\" content=\"noindex\">"), "{page}");
        assert!(robots.text.contains(&format!("\nDisallow: /shop/{page}\n")), "{page}");
    }
    for page in ["cart", "checkout"] {
        let shown = shop.get(&format!("/shop/{page}")).send().await;
        assert!(!shown.text.contains("noindex") && shown.text.contains("name=\"description\""));
    }
    let found = shop.get("/shop/?q=shirt").send().await;
    assert!(found.text.contains("<meta name=\"robots\" content=\"noindex\">"));
}

#[tokio::test]
async fn the_site_map_leads_to_each_product_of_each_market() {
    let shop = shop_with_pages().await;
    let index = shop.ask_plainly("/shop/sitemap.xml").header("host", "shop.example").send().await;
    assert_eq!((index.status.as_u16(), index.header("content-type")), (200, "application/xml"));
    let locations = |text: &str| -> Vec<String> {
        let parts = text.split("<loc>").skip(1);
        parts.map(|part| part.split("</loc>").next().unwrap().replace("&amp;", "&")).collect()
    };
    let parts = locations(&index.text);
    let part = |market| format!("http://shop.example/shop/sitemap.xml?part=0&market={market}");
    assert_eq!(parts, [part("us"), part("kg")]);
    for (address, market) in parts.iter().zip(["us", "kg"]) {
        let path = address.strip_prefix("http://shop.example").unwrap();
        let map = shop.ask_plainly(path).header("host", "shop.example").send().await;
        let of = |path: &str| format!("http://shop.example/shop/{path}?market={market}");
        let products = [15, 16, 17].map(|id| of(&format!("product/{id}")));
        assert_eq!(locations(&map.text)[0], of(""));
        assert_eq!(locations(&map.text)[1..], products);
        for address in locations(&map.text) {
            let page = shop.get(address.strip_prefix("http://shop.example").unwrap()).send().await;
            assert_eq!(page.status, 200, "{address}");
        }
    }
    let beyond = shop.ask_plainly("/shop/sitemap.xml?market=us&part=7").send().await;
    assert_eq!((beyond.status.as_u16(), locations(&beyond.text).len()), (200, 0));
    shop.ask_plainly("/shop/sitemap.xml?part=x").send().await.is(422, "validation_failed");
    shop.ask_plainly("/shop/sitemap.xml?part=0&market=mars").send().await.is(404, "not_found");
}

#[tokio::test]
async fn a_server_without_a_shop_has_nothing_to_find() {
    let shop = TestShop::open().await;
    for path in ["/robots.txt", "/shop/sitemap.xml", "/shop/"] {
        shop.ask_plainly(path).send().await.is(404, "not_found");
    }
}

//! `/docs` with its style and script, and `/openapi.json`.

use std::io::Read;

use flate2::read::GzDecoder;

use crate::schema::operations;
use crate::shop::TestShop;

#[tokio::test]
async fn the_documentation_needs_nothing_from_elsewhere() {
    let shop = TestShop::open().await;
    for root in ["", "/api/v1"] {
        let page = shop.get(&format!("{root}/docs")).send().await;
        let style = shop.get(&format!("{root}/docs.css")).send().await;
        let script = shop.get(&format!("{root}/docs.js")).send().await;
        for (answer, kind) in
            [(&page, "text/html"), (&style, "text/css"), (&script, "text/javascript")]
        {
            assert_eq!(answer.status, 200, "{kind}");
            assert_eq!(answer.header("content-type"), format!("{kind}; charset=utf-8"));
            let policy = answer.header("content-security-policy");
            assert!(
                policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';")
                    && policy.contains("require-trusted-types-for 'script'")
                    && !policy.contains("unsafe"),
                "{policy}"
            );
            assert_eq!(answer.header("x-frame-options"), "DENY");
            assert_eq!(answer.header("referrer-policy"), "no-referrer");
        }
        let loaded = [
            r#"<script src="docs.js" defer></script>"#,
            r#"<link rel="stylesheet" href="docs.css">"#,
        ];
        let rest = loaded.iter().fold(page.text.clone(), |page, known| {
            assert!(page.contains(known), "{known}");
            page.replace(known, "")
        });
        for foreign in ["<script", "<img", "src=", "href=\"http", "style=\"", "<style", " onclick"]
        {
            assert!(!rest.contains(foreign), "{foreign} in the page");
        }
        for operation in operations() {
            let shown = format!(
                "<b class=\"{0}\">{0}</b> <code>{1}</code>",
                operation.method, operation.path
            );
            assert!(page.text.contains(&shown), "{shown}");
        }
        assert!(page.text.contains("<code>idempotency_key_reused</code>"));
        assert!(style.text.contains("prefers-color-scheme: dark"));
        let document = shop.get(&format!("{root}/openapi.json")).send().await;
        assert_eq!(document.text, evercart_http::openapi_json());
    }
}

/// What search engines, readers aloud and the keyboard go by.
#[tokio::test]
async fn the_documentation_is_in_order_for_who_does_not_see_it() {
    let shop = TestShop::open().await;
    let page = shop.get("/docs").send().await.text;
    assert!(page.contains("<html lang=\"en\">") && page.contains("<meta name=\"description\""));
    assert!(page.contains("<a class=\"skip\" href=\"#main\">") && page.contains("id=\"main\""));
    let parts: Vec<_> = page.split("<h").skip(1).collect();
    let levels = parts.iter().filter_map(|part| part.chars().next()?.to_digit(10));
    let levels: Vec<_> = levels.collect();
    assert_eq!((levels[0], levels.iter().filter(|level| **level == 1).count()), (1, 1));
    assert!(levels.windows(2).all(|two| two[1] <= two[0] + 1), "{levels:?}");
    let boxes = page.matches("<pre").count() + page.matches("<table").count();
    assert_eq!(page.matches("tabindex=\"0\" role=\"region\" aria-label=\"").count(), boxes);
    let mut names: Vec<_> = page.split("role=\"region\" aria-label=\"").skip(1).collect();
    names.iter_mut().for_each(|name| *name = name.split('"').next().unwrap());
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), boxes, "each box has a name of its own");
    for operation in operations() {
        let anchor = operation.path.replace(['{', '}'], "").replace('/', "-");
        let anchor = format!("{}{anchor}", operation.method);
        // Inside what is folded: a link to it then unfolds it without a script.
        let about = format!("</summary>\n<div class=\"about\" id=\"{anchor}\">");
        assert!(page.contains(&about) && page.contains(&format!("<a href=\"#{anchor}\">")));
    }
}

/// Where a reader asks, the examples ask, too.
#[tokio::test]
async fn the_examples_ask_where_the_reader_did() {
    let shop = TestShop::with(|shop| {
        shop.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
    })
    .await;
    let seen = async |path: &str, peer: &str, host: &str, proto: &str| {
        let mut ask = shop.get(path).peer(peer).header("host", host);
        if !proto.is_empty() {
            ask = ask.header("x-forwarded-proto", proto);
        }
        let page = ask.send().await.text;
        let origins: Vec<_> =
            page.split("<pre").skip(1).map(|pre| origin_of(pre).to_owned()).collect();
        let asks: Vec<_> = origins.into_iter().filter(|origin| !origin.is_empty()).collect();
        assert!(asks.len() > operations().len() && asks.iter().all(|one| *one == asks[0]));
        asks[0].clone()
    };
    for (peer, host, proto, wanted) in [
        ("203.0.113.9:1", "shop.example", "", "http://shop.example"),
        ("203.0.113.9:1", "[::1]:8080", "", "http://[::1]:8080"),
        ("203.0.113.9:1", "shop.example", "https", "http://shop.example"),
        ("10.0.0.1:1", "shop.example", "https", "https://shop.example"),
        ("[::ffff:10.0.0.1]:1", "shop.example:8443", "HTTPS", "https://shop.example:8443"),
        ("10.0.0.1:1", "shop.example", "https, http", "https://shop.example"),
        ("10.0.0.1:1", "shop.example", "javascript", "http://shop.example"),
        ("10.0.0.1:1", "shop.example", "\"><script>", "http://shop.example"),
    ] {
        for path in ["/docs", "/docs/", "/api/v1/docs"] {
            assert_eq!(seen(path, peer, host, proto).await, wanted, "{path} {host} {proto}");
        }
    }
    // What is no host is neither shown nor copied into anybody's shell.
    for host in
        ["", "\"><script>alert(1)</script>", "a$(reboot)", "a;reboot", "a`id`", "u:p@shop.example"]
    {
        let shown = seen("/docs", "203.0.113.9:1", host, "").await;
        assert_eq!(shown, "http://127.0.0.1:8080", "{host}");
    }
    let secure = TestShop::with(|shop| {
        shop.strict_transport = Some(std::time::Duration::from_secs(1));
    });
    let page = secure.await.get("/docs").send().await.text;
    assert_eq!(origin_of(page.split("<pre").nth(1).unwrap()), "https://shop.example");
}

/// The scheme and host of the request that an example makes; empty if it makes none.
fn origin_of(pre: &str) -> &str {
    let (_, example) = pre.split_once('>').unwrap();
    let Some(request) = example.split("</pre>").next().unwrap().strip_prefix("curl ") else {
        return "";
    };
    let url = &request[request.find("http").unwrap()..];
    let host = url.find("://").unwrap() + 3;
    &url[..host + url[host..].find('/').unwrap()]
}

#[tokio::test]
async fn the_documentation_is_sent_compressed_to_who_takes_it() {
    let shop = TestShop::open().await;
    for path in ["/docs", "/docs/", "/docs.css", "/docs.js"] {
        let plain = shop.get(path).send().await;
        assert_eq!(plain.header("content-encoding"), "");
        assert!(plain.header("vary").contains("accept-encoding"));
        let packed = shop.get(path).header("accept-encoding", "gzip, br").begin().await;
        assert_eq!(packed.headers()["content-encoding"], "gzip");
        assert_eq!(packed.headers()["content-type"], plain.header("content-type"));
        let packed = axum::body::to_bytes(packed.into_body(), usize::MAX).await.unwrap();
        assert!(packed.len() < plain.text.len() / 2);
        let mut unpacked = String::new();
        GzDecoder::new(&*packed).read_to_string(&mut unpacked).unwrap();
        assert!(unpacked == plain.text, "{path}");
    }
}

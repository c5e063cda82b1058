//! x
#![allow(missing_docs, clippy::unwrap_used, dead_code)]
#[path = "../tests/it/logs.rs"] mod logs;
#[path = "../tests/it/shop.rs"] mod shop;
#[path = "../tests/it/schema.rs"] mod schema;
use axum::body::Body; use axum::http::Request; use tower::ServiceExt; use std::time::Instant;
#[tokio::main(flavor="current_thread")]
async fn main(){
  let s = shop::TestShop::open().await;
  let t = s.sign_in(shop::ANN).await;
  s.add(&t,42,2).await; s.add(&t,43,1).await; s.add(&t,45,1).await;
  let r = evercart_http::router(s.shop.clone());
  let hello: axum::Router = axum::Router::new().route("/healthz", axum::routing::get(|| async { "{}" }));
  for round in 0..3 { let _=round;
  for (name, r, path, n) in [("hello", &hello, "/healthz", 300_000), ("healthz", &r, "/healthz", 300_000), ("401", &r, "/cart?x", 100_000), ("cart", &r, "/cart", 60_000)] {
    let started = Instant::now();
    for _ in 0..n {
      let mut q = Request::builder().uri(path.trim_end_matches("?x"));
      if name=="cart" { q = q.header("authorization", format!("Bearer {t}")); }
      let a = r.clone().oneshot(q.body(Body::empty()).unwrap()).await.unwrap();
      std::hint::black_box(a);
    }
    println!("{name} {:.2} us", started.elapsed().as_secs_f64()*1e6/f64::from(n));
  }}
}

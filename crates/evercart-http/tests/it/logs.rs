//! What the log says of requests, and what it never says.

use std::io;
use std::sync::{Arc, LazyLock, Mutex};

use serde_json::{Value, json};
use tracing_subscriber::fmt::MakeWriter;

use crate::shop::{ANN, DEE, TestShop};

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Kept {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Keeps what all the tests log. (Whether a place in the code logs at all is remembered for the
/// whole process, so a log of one test's own would miss what another's thread came upon first.)
pub fn kept() -> String {
    static KEPT: LazyLock<Kept> = LazyLock::new(|| {
        let kept = Kept::default();
        let subscriber = tracing_subscriber::fmt()
            .json()
            .without_time()
            .with_max_level(tracing::Level::DEBUG)
            .with_writer(kept.clone())
            .finish();
        tracing::subscriber::set_global_default(subscriber).expect("this is the only one");
        kept
    });
    String::from_utf8(KEPT.0.lock().unwrap().clone()).unwrap()
}

/// S7
#[tokio::test]
async fn one_line_a_request_and_nothing_secret_in_it() {
    let shop = TestShop::open().await;
    let ann = shop.sign_in(ANN).await;
    shop.add(&ann, 42, 1).await;
    shop.get("/cart").token(&ann).header("x-request-id", "log-one").send().await;
    let wrong = json!({"sku_id": "secret-note"});
    shop.post("/cart/items")
        .token(&ann)
        .json(&wrong)
        .header("x-request-id", "log-two")
        .send()
        .await;
    shop.post("/auth/send-code").json(&json!({"phone": DEE})).send().await;
    let code = shop.sms.last_code();
    let body = json!({"phone": DEE, "verification_code": code});
    shop.post("/auth/verify-code").json(&body).send().await;
    shop.sms.broken.store(true, std::sync::atomic::Ordering::SeqCst);
    let body = json!({"phone": "+13128059856"});
    shop.post("/auth/send-code").json(&body).header("x-request-id", "log-three").send().await;

    let log = kept();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let line = |id: &str| -> &Value {
        let ours: Vec<_> = lines.iter().filter(|l| l["fields"]["request_id"] == id).collect();
        assert_eq!(ours.len(), 1, "lines about {id}");
        ours[0]
    };
    let one = line("log-one");
    assert_eq!(one["level"], "DEBUG");
    assert_eq!(
        (&one["fields"]["method"], &one["fields"]["route"], &one["fields"]["status"]),
        (&json!("GET"), &json!("/cart"), &json!(200))
    );
    assert!(one["fields"]["user_id"].is_i64() && one["fields"]["duration_ms"].is_f64(), "{one}");
    let two = line("log-two");
    assert_eq!(
        (&two["level"], &two["fields"]["code"]),
        (&json!("INFO"), &json!("validation_failed"))
    );
    assert_eq!(line("log-three")["level"], "ERROR");
    assert!(log.contains("+1312•••9856"), "{log}");
    for mut line in lines {
        // Their digits are as random as a code's.
        line["fields"]["duration_ms"].take();
        line["fields"]["request_id"].take();
        let line = line.to_string();
        for secret in ["805985", &code, "secret-note", &ann, "\"123456\"", "654321"] {
            assert!(!line.contains(secret), "{secret} in {line}");
        }
    }
}

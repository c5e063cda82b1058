//! G11: what follows from a commit is sent, later if it must be, and not for ever.

use std::sync::atomic::Ordering::SeqCst;

use jiff::SignedDuration;
use serde_json::json;

use crate::logs;
use crate::shop::{ANN, DEE, TestShop};

/// A shop where Ann has moved to Dee's phone and nobody sends messages. Asking takes a message, so
/// the number of those sent begins at one.
async fn moved() -> TestShop {
    let shop = TestShop::open().await;
    let token = shop.sign_in(ANN).await;
    shop.post("/auth/phone").token(&token).json(&json!({"new_phone": DEE})).send().await;
    let body = json!({"new_phone": DEE, "verification_code": shop.sms.last_code()});
    let moved = shop.post("/auth/phone/confirm").token(&token).json(&body).send().await;
    assert_eq!(moved.status, 200, "{}", moved.text);
    assert_eq!(shop.sms.count(), 1);
    shop
}

async fn counts(shop: &TestShop) -> [u64; 4] {
    let metrics = shop.ask_inside("/metrics").send().await.text;
    let kind = r#"{market="us",kind="phone_changed"}"#;
    let value = |series: String| {
        let line = metrics.lines().find_map(|line| line.strip_prefix(&series)?.strip_prefix(' '));
        line.map_or(0, |value| value.parse().unwrap())
    };
    [
        value(format!("evercart_messages_sent_total{kind}")),
        value(format!("evercart_messages_failed_total{kind}")),
        value(format!("evercart_messages_given_up_total{kind}")),
        value(r#"evercart_messages_waiting{market="us"}"#.to_owned()),
    ]
}

#[tokio::test]
async fn a_message_that_is_not_taken_is_sent_later_and_once() {
    let shop = moved().await;
    shop.sms.broken.store(true, SeqCst);
    shop.send_messages().await;
    assert_eq!((shop.sms.count(), counts(&shop).await), (1, [0, 1, 0, 1]));
    shop.sms.broken.store(false, SeqCst);
    shop.send_messages().await;
    assert_eq!(shop.sms.count(), 1, "not before its pause is over");
    shop.clock.advance(SignedDuration::from_secs(1));
    shop.send_messages().await;
    shop.send_messages().await;
    assert_eq!((shop.sms.count(), counts(&shop).await), (2, [1, 1, 0, 0]));
    let message = shop.sms.sent.lock().unwrap()[1].clone();
    assert_eq!((message.to.as_str(), message.kind), (ANN, "phone_changed"));
    assert_eq!(message.market.as_str(), "us");
}

#[tokio::test]
async fn a_message_is_given_up_after_a_day() {
    let shop = moved().await;
    shop.sms.broken.store(true, SeqCst);
    let mut attempts = 0;
    for _ in 0..200 {
        shop.send_messages().await;
        let [_, failed, given_up, _] = counts(&shop).await;
        if given_up > 0 {
            break;
        }
        attempts = failed;
        shop.clock.advance(SignedDuration::from_mins(15));
    }
    assert_eq!(counts(&shop).await, [0, attempts, 1, 0]);
    assert_eq!(attempts, 24 * 4, "once in a quarter of an hour, for a day");
    shop.sms.broken.store(false, SeqCst);
    shop.clock.advance(SignedDuration::from_hours(1));
    shop.send_messages().await;
    assert_eq!(shop.sms.count(), 1);
    let log = logs::kept();
    assert!(log.contains("a message is given up") && log.contains("+1312•••9851"), "{log}");
    assert!(!log.contains("ends in 54"), "the text is nobody's business");
}

/// In the language the customer has chosen, else in the market's or the request's.
#[tokio::test]
async fn the_old_phone_is_told_in_the_language_known_at_the_time() {
    let shop = TestShop::open().await;
    let token = shop.sign_in(crate::shop::CEM).await;
    let chosen = json!({"language": "ru"});
    shop.put("/auth/profile").token(&token).json(&chosen).send().await;
    let new = "+996700123457";
    shop.post("/auth/phone").token(&token).json(&json!({"new_phone": new})).send().await;
    let body = json!({"new_phone": new, "verification_code": shop.sms.last_code()});
    let moved = shop.post("/auth/phone/confirm").token(&token).json(&body).send().await;
    assert_eq!(moved.status, 200, "{}", moved.text);
    shop.send_messages().await;
    assert!(shop.sms.last().contains("заканчивается на 57"), "{}", shop.sms.last());
}

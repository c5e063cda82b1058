//! An account that somebody took over: what its owner is told, and how it is stopped.

use jiff::SignedDuration;
use serde_json::json;

use crate::schema::Operation;
use crate::shop::{Asked, DEE, Prepared, TestShop};

/// Where accounts are moved to, by their owners or by others.
const FAY: &str = "+13128059860";

impl TestShop {
    /// Has a code sent, for a purpose, and returns it.
    pub async fn code_to(&self, phone: &str, purpose: &str) -> String {
        let body = json!({"phone": phone, "purpose": purpose});
        let answer = self.post("/auth/send-code").json(&body).send().await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        self.sms.last_code()
    }

    /// Moves a token's account to Fay's phone, and returns the new token.
    pub async fn move_to_fay(&self, token: &str) -> String {
        let ask = self.post("/auth/phone").token(token).json(&json!({"new_phone": FAY}));
        assert_eq!(ask.send().await.status, 200);
        let body = json!({"new_phone": FAY, "verification_code": self.sms.last_code()});
        let moved = self.post("/auth/phone/confirm").token(token).json(&body).send().await;
        assert_eq!(moved.status, 200, "{}", moved.text);
        moved.body["access_token"].as_str().unwrap().to_owned()
    }

    /// Somebody takes Dee's account over and moves it to Fay's phone. Returns their token.
    pub async fn take_over(&self) -> String {
        let body = json!({"phone": DEE, "code": self.code_to(DEE, "sign_in").await});
        let dee = self.post("/auth/verify-code").json(&body).send().await;
        let token = self.move_to_fay(dee.body["access_token"].as_str().unwrap()).await;
        self.send_messages().await;
        token
    }
}

/// A request that gets this status, where that takes a change of phone.
pub async fn provoke<'a>(
    shop: &'a TestShop,
    ann: &Prepared,
    operation: &Operation,
    status: &str,
) -> Option<Asked<'a>> {
    let stop = |code: String| {
        let body = json!({"phone": DEE, "verification_code": code});
        shop.post("/auth/phone/stop").json(&body)
    };
    let path = operation.path;
    Some(match (status, path) {
        ("200", "/auth/phone/stop") => {
            shop.take_over().await;
            stop(shop.code_to(DEE, "stop_phone_change").await)
        }
        ("404", "/auth/phone/stop") => stop(shop.code_to(DEE, "stop_phone_change").await),
        ("409", "/auth/verify-code") => {
            shop.take_over().await;
            let code = shop.code_to(DEE, "sign_in").await;
            shop.post(path).json(&json!({"phone": DEE, "code": code}))
        }
        ("409", "/auth/phone" | "/auth/account") => {
            let token = shop.move_to_fay(&ann.token).await;
            shop.example(operation, ann).token(&token)
        }
        ("429", "/auth/phone/stop") => {
            shop.code_to(DEE, "stop_phone_change").await;
            for _ in 0..5 {
                stop("000000".into()).send().await;
            }
            stop("000000".into())
        }
        _ => return None,
    })
}

#[tokio::test]
async fn the_old_phone_can_stop_a_change_and_nobody_is_let_in_then() {
    let shop = TestShop::open().await;
    let thief = shop.take_over().await;
    let told = shop.sms.last();
    assert!(told.contains("stop it at once"), "{told}");
    let code = shop.code_to(DEE, "stop_phone_change").await;
    assert!(shop.sms.last().contains("to stop your account from moving"), "{}", shop.sms.last());
    let enter = |phone: &str, code: &str| {
        shop.post("/auth/verify-code").json(&json!({"phone": phone, "code": code}))
    };
    enter(DEE, &code).send().await.is(400, "code_invalid");
    let stop = |code: &str| {
        let body = json!({"phone": DEE, "verification_code": code});
        shop.post("/auth/phone/stop").json(&body).key("stop")
    };
    stop("000000").send().await.is(400, "code_invalid");
    stop("what").send().await.is(422, "validation_failed");
    assert_eq!(shop.get("/cart").token(&thief).send().await.status, 200);
    let stopped = stop(&code).send().await;
    assert_eq!((stopped.status.as_u16(), &stopped.body["success"]), (200, &json!(true)));
    let again = stop(&code).send().await;
    assert_eq!((again.status.as_u16(), again.header("idempotent-replayed")), (200, "true"));
    shop.get("/cart").token(&thief).send().await.is(401, "signed_out");

    shop.clock.advance(SignedDuration::from_hours(48));
    let code = shop.code_to(FAY, "sign_in").await;
    let refused = enter(FAY, &code).send().await;
    refused.is(409, "phone_on_hold");
    assert_eq!(refused.body["until"], json!(null), "the shop decides when");
    let code = shop.code_to(DEE, "sign_in").await;
    let refused = enter(DEE, &code).send().await;
    refused.is(409, "phone_moved");
    assert!(refused.body["detail"].as_str().unwrap().contains("Contact the shop"));
}

#[tokio::test]
async fn what_a_code_to_stop_is_asked_for_tells_nothing() {
    let shop = TestShop::open().await;
    shop.take_over().await;
    shop.clock.advance(SignedDuration::from_mins(15));
    let ask = |phone: &str, purpose: &str| {
        shop.post("/auth/send-code").json(&json!({"phone": phone, "purpose": purpose}))
    };
    let mut answers = Vec::new();
    for phone in [DEE, FAY, "+13128059861"] {
        let mut sent = ask(phone, "stop_phone_change").send().await;
        assert_eq!(sent.status, 200, "{}", sent.text);
        sent.body.as_object_mut().unwrap().remove("phone_number");
        answers.push(sent.body);
        ask(phone, "stop_phone_change").send().await.is(429, "rate_limited");
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    let wrong = ask(DEE, "change_phone").send().await;
    wrong.is(422, "validation_failed");
    assert_eq!(wrong.fields(), ["purpose"]);
}

#[tokio::test]
async fn an_export_names_former_phones_masked() {
    let shop = TestShop::open().await;
    let token = shop.take_over().await;
    let export = shop.get("/auth/export").token(&token).send().await;
    let former = json!([{"phone": "+1312•••9854", "left_at": "2026-09-21T14:13:20Z"}]);
    assert_eq!(export.body["former_phones"], former);
    assert!(!export.text.contains(DEE), "{}", export.text);
    assert_eq!(export.body["operator_actions"][0]["action"], "change-phone");
}

//! Sends messages through Twilio's REST API (2010-04-01, `Messages`).

use async_trait::async_trait;
use evercart_core::sms::{Sms, SmsError, SmsSender};
use serde::{Deserialize, Serialize};

use super::{not_taken, unreachable};

/// An account at Twilio.
pub struct Twilio {
    client: reqwest::Client,
    url: String,
    account_sid: String,
    auth_token: String,
    from: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Form<'a> {
    to: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    messaging_service_sid: Option<&'a str>,
    body: &'a str,
}

/// Twilio's error answer.
#[derive(Deserialize)]
struct Problem {
    code: u32,
    #[serde(default)]
    message: String,
}

impl Problem {
    fn read(answer: &str) -> Option<(u32, String)> {
        serde_json::from_str(answer).ok().map(|Self { code, message }| (code, message))
    }
}

impl Twilio {
    /// An account; `base` is `https://api.twilio.com` outside tests.
    pub fn new(
        client: reqwest::Client,
        base: &str,
        account_sid: &str,
        auth_token: &str,
        from: &str,
    ) -> Self {
        Self {
            client,
            url: format!("{base}/2010-04-01/Accounts/{account_sid}/Messages.json"),
            account_sid: account_sid.to_owned(),
            auth_token: auth_token.to_owned(),
            from: from.to_owned(),
        }
    }
}

#[async_trait]
impl SmsSender for Twilio {
    async fn send(&self, sms: &Sms) -> Result<(), SmsError> {
        let is_service = self.from.starts_with("MG");
        let form = Form {
            to: sms.to.as_str(),
            from: (!is_service).then_some(self.from.as_str()),
            messaging_service_sid: is_service.then_some(self.from.as_str()),
            body: &sms.text,
        };
        let answer = self
            .client
            .post(&self.url)
            .basic_auth(&self.account_sid, Some(&self.auth_token))
            .form(&form)
            .send()
            .await
            .map_err(unreachable)?;
        if answer.status().is_success() {
            return Ok(());
        }
        Err(not_taken("Twilio", answer, sms, Problem::read).await)
    }
}

#[cfg(test)]
pub mod stub {
    //! A server on loopback that notes the request it gets and gives a fixed answer.

    use axum::Router;
    use axum::body::Bytes;
    use axum::http::{HeaderMap, Method, StatusCode, Uri};
    use tokio::sync::mpsc;

    /// A request as it came.
    pub struct Seen {
        pub method: Method,
        pub uri: Uri,
        pub headers: HeaderMap,
        pub body: Bytes,
    }

    /// The server; it ends with the test's runtime.
    pub struct Stub {
        pub url: String,
        requests: tokio::sync::Mutex<mpsc::UnboundedReceiver<Seen>>,
    }

    impl Stub {
        /// A server that answers everything alike.
        pub async fn answering(status: u16, body: &'static str) -> Self {
            let (note, requests) = mpsc::unbounded_channel();
            let status = StatusCode::from_u16(status).expect("a status");
            let handler = move |method, uri, headers, content| async move {
                note.send(Seen { method, uri, headers, body: content }).expect("the test listens");
                (status, body)
            };
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let url = format!("http://{}", listener.local_addr().expect("bound"));
            let router = Router::new().fallback(handler);
            tokio::spawn(async move {
                axum_server::from_tcp(listener.into_std().expect("a socket"))
                    .expect("a listener")
                    .serve(router.into_make_service())
                    .await
                    .expect("it serves");
            });
            Self { url, requests: tokio::sync::Mutex::new(requests) }
        }

        /// The next request.
        pub async fn seen(&self) -> Seen {
            self.requests.lock().await.recv().await.expect("a request")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use evercart_core::market::MarketName;
    use evercart_core::phone::Phone;

    fn sms() -> Sms {
        Sms {
            to: Phone::from_stored("+996700123456".into()),
            text: "123456 — ваш код".into(),
            market: MarketName::new("kg").expect("kg"),
            kind: "sign_in_code",
        }
    }

    fn twilio(base: &str, from: &str) -> Twilio {
        Twilio::new(super::super::client().expect("a client"), base, "AC123", "token", from)
    }

    #[tokio::test]
    async fn posts_the_form_that_twilio_documents() {
        let stub = stub::Stub::answering(201, r#"{"sid":"SM1","status":"queued"}"#).await;
        twilio(&stub.url, "+13125550100").send(&sms()).await.expect("taken");
        let seen = stub.seen().await;
        assert_eq!(seen.method, "POST");
        assert_eq!(seen.uri.path(), "/2010-04-01/Accounts/AC123/Messages.json");
        assert_eq!(seen.headers["authorization"], "Basic QUMxMjM6dG9rZW4=");
        assert_eq!(seen.headers["content-type"], "application/x-www-form-urlencoded");
        let body = String::from_utf8(seen.body.to_vec()).expect("text");
        let code = "123456+%E2%80%94+%D0%B2%D0%B0%D1%88+%D0%BA%D0%BE%D0%B4";
        assert_eq!(body, format!("To=%2B996700123456&From=%2B13125550100&Body={code}"));
    }

    #[tokio::test]
    async fn a_messaging_service_is_named_as_such() {
        let stub = stub::Stub::answering(201, "{}").await;
        twilio(&stub.url, "MG99").send(&sms()).await.expect("taken");
        let body = String::from_utf8(stub.seen().await.body.to_vec()).expect("text");
        assert!(body.contains("MessagingServiceSid=MG99") && !body.contains("From="), "{body}");
    }

    #[tokio::test]
    async fn an_error_carries_twilios_code_and_words_but_not_the_customers() {
        let answer = r#"{"code":21211,"message":"The 'To' number +996700123456 is not valid"}"#;
        let stub = stub::Stub::answering(400, answer).await;
        let error = twilio(&stub.url, "+1").send(&sms()).await.expect_err("refused").to_string();
        let expected =
            "Twilio answered 400 Bad Request, error 21211: The 'To' number ••• is not valid";
        assert!(error.ends_with(expected), "{error}");
        assert!(!error.contains("700123456") && !error.contains("123456 —"), "{error}");
    }
}

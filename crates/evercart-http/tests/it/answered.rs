//! An answer, and what every one of them has.

use axum::http::{HeaderMap, StatusCode};
use serde_json::Value;

/// An answer, read whole.
pub struct Answered {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// Null if it is not JSON.
    pub body: Value,
    pub text: String,
}

impl Answered {
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The names of the wrong fields.
    pub fn fields(&self) -> Vec<&str> {
        let errors = self.body["errors"].as_array().into_iter().flatten();
        errors.map(|error| error["field"].as_str().unwrap()).collect()
    }

    #[track_caller]
    pub fn is(&self, status: u16, code: &str) {
        assert_eq!((self.status.as_u16(), self.code()), (status, code), "{}", self.text);
    }

    pub fn check_what_every_answer_has(&self) {
        assert!(!self.header("x-request-id").is_empty());
        assert_eq!(self.header("x-content-type-options"), "nosniff");
        // The shop's page says to a person that there is nothing to see.
        let is_page = self.status == 404 && self.header("content-type").starts_with("text/html");
        if !is_page && (self.status.is_client_error() || self.status.is_server_error()) {
            match self.header("content-type") {
                "application/json" => assert_eq!(self.body["message"], self.body["detail"]),
                other => assert_eq!(other, "application/problem+json", "{}", self.text),
            }
            assert_eq!(self.body["status"], self.status.as_u16());
            assert_eq!(self.body["request_id"], self.header("x-request-id"));
            for member in ["type", "title", "detail", "code"] {
                assert!(self.body[member].is_string(), "{member} in {}", self.text);
            }
        }
        if self.status == 401 {
            let detail = self.body["detail"].as_str().unwrap();
            assert_eq!(
                self.header("www-authenticate"),
                format!("Bearer error=\"invalid_token\", error_description=\"{detail}\"")
            );
        } else {
            assert!(!self.headers.contains_key("www-authenticate"), "{}", self.text);
        }
        if self.status == 429 || self.status == 503 {
            assert!(self.header("retry-after").parse::<u64>().unwrap() >= 1);
        }
    }
}

//! A small blocking HTTP client: one request, one answer, no opinion about its status.

use std::time::Duration;

use serde_json::Value;

/// A client that keeps connections alive and never turns a status into an error.
pub fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .allow_non_standard_methods(true)
        .timeout_global(Some(Duration::from_secs(30)))
        .build()
        .into()
}

/// A request in the making.
#[must_use = "a request does nothing until it is sent"]
pub struct Request {
    agent: ureq::Agent,
    builder: ureq::http::request::Builder,
    body: Vec<u8>,
    line: String,
}

impl Request {
    pub(super) fn new(agent: &ureq::Agent, method: &str, url: &str) -> Self {
        let builder = ureq::http::Request::builder().method(method).uri(url);
        let line = format!("{method} {url}");
        Self { agent: agent.clone(), builder, body: Vec::new(), line }
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.builder = self.builder.header(name, value);
        self
    }

    /// `Authorization: Bearer TOKEN`.
    pub fn token(self, token: &str) -> Self {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    /// `X-Market`.
    pub fn market(self, market: &str) -> Self {
        self.header("X-Market", market)
    }

    /// `Idempotency-Key`.
    pub fn idempotency_key(self, key: &str) -> Self {
        self.header("Idempotency-Key", key)
    }

    /// A JSON body.
    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string().as_bytes())
    }

    /// Any body.
    pub fn body(self, content_type: &str, body: &[u8]) -> Self {
        let mut request = self.header("Content-Type", content_type);
        request.body = body.to_vec();
        request
    }

    /// Sends it.
    ///
    /// # Panics
    /// When no answer comes; see [`Request::try_send`].
    pub fn send(self) -> Answer {
        let line = self.line.clone();
        self.try_send().unwrap_or_else(|error| panic!("{line}: {error}"))
    }

    /// Sends it; an error if there is no answer, such as when the server is killed meanwhile.
    pub fn try_send(self) -> Result<Answer, ureq::Error> {
        // With non-standard methods allowed, a body goes with any method: what the server makes of
        // a GET with a body is for tests to find out.
        let mut response = match self.body.is_empty() {
            true => self.agent.run(self.builder.body(())?)?,
            false => self.agent.run(self.builder.body(self.body)?)?,
        };
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| {
                (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
            })
            .collect();
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(64 << 20).read_to_vec()?;
        Ok(Answer { status, headers, body })
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Names in lower case, in order.
    pub headers: Vec<(String, String)>,
    /// As it came.
    pub body: Vec<u8>,
}

impl Answer {
    /// The first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let same = |(have, _): &&(String, String)| have.eq_ignore_ascii_case(name);
        self.headers.iter().find(same).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("not JSON ({error}): {self}"))
    }

    /// The problem's `code`.
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.status, self.text())
    }
}

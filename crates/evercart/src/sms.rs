//! Who delivers messages: the log, a webhook, or Twilio, as the configuration says.

pub mod log;
pub mod twilio;
pub mod webhook;
mod words;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use evercart_core::clock::Clock;
use evercart_core::sms::{Sms, SmsError, SmsSender};

use crate::config;

/// A customer waits for the answer, so a provider gets a few seconds and no second try.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The sender the configuration asks for.
///
/// # Errors
/// The HTTP client cannot be made.
pub fn sender(
    settings: &config::Sms,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Arc<dyn SmsSender>> {
    Ok(match settings {
        config::Sms::Log => Arc::new(log::Log),
        config::Sms::Webhook { url, secret } => {
            Arc::new(webhook::Webhook::new(client()?, url, secret, Arc::clone(clock)))
        }
        config::Sms::Twilio { url, account_sid, auth_token, from } => {
            Arc::new(twilio::Twilio::new(client()?, url, account_sid, auth_token, from))
        }
    })
}

fn client() -> anyhow::Result<reqwest::Client> {
    crate::serve::tls::use_ring();
    reqwest::Client::builder()
        .timeout(TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("evercart/", env!("CARGO_PKG_VERSION")))
        .build()
        .context("cannot set up the HTTP client for sending messages")
}

/// What a provider answered that did not take a message, in its own words as far as they are
/// nobody's phone or code. `read` finds its error's code and its sentence in the answer.
async fn not_taken(
    provider: &str,
    mut answer: reqwest::Response,
    sms: &Sms,
    read: impl FnOnce(&str) -> Option<(u32, String)>,
) -> SmsError {
    let status = answer.status();
    let mut body = Vec::new();
    // What does not come, or not as text, is left out: the status is told in any case.
    while body.len() < words::BYTES_MAX
        && let Ok(Some(part)) = answer.chunk().await
    {
        body.extend_from_slice(&part);
    }
    body.truncate(words::BYTES_MAX);
    let body = String::from_utf8_lossy(&body);
    let (code, said) = match read(&body) {
        Some((code, said)) => (format!(", error {code}"), said),
        None => (String::new(), body.trim().to_owned()),
    };
    let said = words::masked(&said, sms);
    let colon = if said.is_empty() { "" } else { ": " };
    SmsError::NotTaken(format!("{provider} answered {status}{code}{colon}{said}"))
}

/// What went wrong, without the address: it may carry a secret.
fn unreachable(error: reqwest::Error) -> SmsError {
    match (error.is_connect(), error.is_timeout()) {
        (true, _) => SmsError::NotTaken("it cannot be reached".to_owned()),
        (_, true) => SmsError::Unanswered(format!("no answer within {} s", TIMEOUT.as_secs())),
        _ => SmsError::Unanswered(error.without_url().to_string()),
    }
}

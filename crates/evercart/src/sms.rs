//! Who delivers messages: the log, a webhook, or Twilio, as the configuration says.

pub mod log;
pub mod twilio;
pub mod webhook;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use evercart_core::clock::Clock;
use evercart_core::sms::{SmsError, SmsSender};

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

/// What went wrong, without the address: it may carry a secret.
fn unreachable(error: reqwest::Error) -> SmsError {
    match (error.is_connect(), error.is_timeout()) {
        (true, _) => SmsError::NotTaken("it cannot be reached".to_owned()),
        (_, true) => SmsError::Unanswered(format!("no answer within {} s", TIMEOUT.as_secs())),
        _ => SmsError::Unanswered(error.without_url().to_string()),
    }
}

//! Sending a short message, and what it says.

use async_trait::async_trait;
use thiserror::Error;

use crate::code::Code;
use crate::market::MarketName;
use crate::phone::Phone;

/// A message to one phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sms {
    /// Whom to.
    pub to: Phone,
    /// What it says.
    pub text: String,
    /// On whose behalf.
    pub market: MarketName,
    /// Why, for the provider's own rules: `sign_in_code`.
    pub kind: &'static str,
}

impl Sms {
    /// The message that carries a sign-in code.
    pub fn sign_in_code(
        to: &Phone,
        code: &Code,
        market: &MarketName,
        language: &str,
        minutes: i64,
    ) -> Self {
        let code = code.as_str();
        let text = match language {
            "ru" => format!(
                "{code} — ваш код для входа. Действует {minutes} мин. Никому его не сообщайте."
            ),
            "ky" => {
                format!("{code} — кирүү кодуңуз. {minutes} мүнөт жарактуу. Аны эч кимге айтпаңыз.")
            }
            _ => format!(
                "{code} is your sign-in code. It is good for {minutes} minutes. Share it with \
                nobody."
            ),
        };
        Self { to: to.clone(), text, market: market.clone(), kind: "sign_in_code" }
    }
}

/// Hands messages to somebody who delivers them.
#[async_trait]
pub trait SmsSender: Send + Sync {
    /// Hands over one message.
    ///
    /// # Errors
    /// The provider could not be reached or refused it. Never carries the message's text.
    async fn send(&self, sms: &Sms) -> Result<(), SmsError>;
}

/// A message was not taken.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("the SMS provider did not take the message: {0}")]
pub struct SmsError(pub String);

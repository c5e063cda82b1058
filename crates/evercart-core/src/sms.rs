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
    /// Why, for the provider's own rules: `sign_in_code`, `phone_change_code`,
    /// `phone_stop_code`, `phone_changed`.
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

    /// The message that carries a code to a phone that an account is to be moved to.
    pub fn phone_change_code(
        to: &Phone,
        code: &Code,
        market: &MarketName,
        language: &str,
        minutes: i64,
    ) -> Self {
        let code = code.as_str();
        let text = match language {
            "ru" => format!(
                "{code} — код, чтобы привязать этот номер к вашему аккаунту. Действует {minutes} \
                 мин. Никому его не сообщайте."
            ),
            "ky" => format!(
                "{code} — бул номерди аккаунтуңузга байлоо коду. {minutes} мүнөт жарактуу. Аны эч \
                 кимге айтпаңыз."
            ),
            _ => format!(
                "{code} is your code to use this number for your account. It is good for {minutes} \
                 minutes. Share it with nobody."
            ),
        };
        Self { to: to.clone(), text, market: market.clone(), kind: "phone_change_code" }
    }

    /// The message that carries a code to stop the change that moved an account away from a phone.
    pub fn phone_stop_code(
        to: &Phone,
        code: &Code,
        market: &MarketName,
        language: &str,
        minutes: i64,
    ) -> Self {
        let code = code.as_str();
        let text = match language {
            "ru" => format!(
                "{code} — код, чтобы остановить перенос вашего аккаунта на другой номер. \
                 Действует {minutes} мин. Никому его не сообщайте."
            ),
            "ky" => format!(
                "{code} — аккаунтуңуздун башка номерге көчүрүлүшүн токтотуу коду. {minutes} мүнөт \
                 жарактуу. Аны эч кимге айтпаңыз."
            ),
            _ => format!(
                "{code} is your code to stop your account from moving to another number. It is \
                 good for {minutes} minutes. Share it with nobody."
            ),
        };
        Self { to: to.clone(), text, market: market.clone(), kind: "phone_stop_code" }
    }

    /// The message that tells a phone that an account was moved away from it, to a phone of which
    /// it says no more than the last digits.
    pub fn phone_changed(to: &Phone, new: &Phone, market: &MarketName, language: &str) -> Self {
        let new = new.as_str();
        let last = new.get(new.len().saturating_sub(2)..).unwrap_or_default();
        let text = match language {
            "ru" => format!(
                "Теперь вход в ваш аккаунт — по номеру, который заканчивается на {last}. Если это \
                 были не вы, сразу остановите это: войдите в магазин с этого номера."
            ),
            "ky" => format!(
                "Эми аккаунтуңузга {last} менен бүткөн номер аркылуу кирилет. Эгер муну сиз \
                 кылбасаңыз, дароо токтотуңуз: дүкөнгө ушул номер менен кириңиз."
            ),
            _ => format!(
                "Your account now signs in with a number that ends in {last}. If this was not you, \
                 stop it at once: sign in to the shop with this number."
            ),
        };
        Self { to: to.clone(), text, market: market.clone(), kind: "phone_changed" }
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

/// A message was not sent, or nobody knows.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum SmsError {
    /// The provider said no, or could not be reached: nothing was sent.
    #[error("the SMS provider did not take the message: {0}")]
    NotTaken(String),
    /// The provider got the message and did not answer: it may be on its way.
    #[error("the SMS provider did not say whether it took the message: {0}")]
    Unanswered(String),
}

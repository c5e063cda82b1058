//! Sending a short message, and what it says.

use async_trait::async_trait;
use thiserror::Error;

use crate::code::{Code, Purpose};
use crate::market::MarketName;
use crate::phone::Phone;

/// The languages in which there are texts. In any other one, they are English.
pub const LANGUAGES: [&str; 3] = ["en", "ru", "ky"];

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
    /// The message that carries a code, and says what it is for.
    pub fn code(
        purpose: Purpose,
        to: &Phone,
        code: &Code,
        market: &MarketName,
        language: &str,
        minutes: i64,
    ) -> Self {
        let code = code.as_str();
        let (kind, text) = match purpose {
            Purpose::SignIn => ("sign_in_code", sign_in(code, language, minutes)),
            Purpose::ChangePhone(_) => ("phone_change_code", change_phone(code, language, minutes)),
            Purpose::StopPhoneChange => ("phone_stop_code", stop_change(code, language, minutes)),
        };
        Self { to: to.clone(), text, market: market.clone(), kind }
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

fn sign_in(code: &str, language: &str, minutes: i64) -> String {
    match language {
        "ru" => {
            format!("{code} — ваш код для входа. Действует {minutes} мин. Никому его не сообщайте.")
        }
        "ky" => {
            format!("{code} — кирүү кодуңуз. {minutes} мүнөт жарактуу. Аны эч кимге айтпаңыз.")
        }
        _ => format!(
            "{code} is your sign-in code. It is good for {minutes} minutes. Share it with nobody."
        ),
    }
}

fn change_phone(code: &str, language: &str, minutes: i64) -> String {
    match language {
        "ru" => format!(
            "{code} — код, чтобы привязать этот номер к вашему аккаунту. Действует {minutes} мин. \
             Никому его не сообщайте."
        ),
        "ky" => format!(
            "{code} — бул номерди аккаунтуңузга байлоо коду. {minutes} мүнөт жарактуу. Аны эч \
             кимге айтпаңыз."
        ),
        _ => format!(
            "{code} is your code to use this number for your account. It is good for {minutes} \
             minutes. Share it with nobody."
        ),
    }
}

fn stop_change(code: &str, language: &str, minutes: i64) -> String {
    match language {
        "ru" => format!(
            "{code} — код, чтобы остановить перенос вашего аккаунта на другой номер. Действует \
             {minutes} мин. Никому его не сообщайте."
        ),
        "ky" => format!(
            "{code} — аккаунтуңуздун башка номерге көчүрүлүшүн токтотуу коду. {minutes} мүнөт \
             жарактуу. Аны эч кимге айтпаңыз."
        ),
        _ => format!(
            "{code} is your code to stop your account from moving to another number. It is good \
             for {minutes} minutes. Share it with nobody."
        ),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::UserId;

    #[test]
    fn every_text_is_one_line_of_words_with_its_code() {
        let us = MarketName::new("us").expect("a name");
        let phone = Phone::from_stored("+13128050001".into());
        let code = Code::parse("123456").expect("a code");
        let purposes = [Purpose::SignIn, Purpose::ChangePhone(UserId(1)), Purpose::StopPhoneChange];
        let mut texts = std::collections::BTreeSet::new();
        for (purpose, language) in purposes.iter().flat_map(|p| LANGUAGES.map(|l| (*p, l))) {
            let text = Sms::code(purpose, &phone, &code, &us, language, 10).text;
            assert!(text.contains("123456") && text.contains("10"), "{text}");
            assert!(!text.contains("  ") && !text.contains('\n'), "{text:?}");
            texts.insert(text);
        }
        assert_eq!(texts.len(), 9, "no two purposes or languages say the same");
    }
}

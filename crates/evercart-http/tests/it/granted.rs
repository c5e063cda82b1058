//! Codes granted without a message, for phones that get none.

use evercart_core::code::{Code, Purpose};
use evercart_core::phone::Phone;
use evercart_core::sign_in::CodeRequest;

use crate::shop::TestShop;

impl TestShop {
    /// Grants a code as `send-code` does, but without a message: phones with codes of their own get
    /// none.
    pub async fn grant(&self, phone: &str, purpose: Purpose, code: &str) {
        let (at, hasher) = (&self.shop.markets[0], &self.shop.hasher);
        let phone = Phone::parse(phone, None).unwrap();
        let code = Code::parse(code).unwrap();
        let request = CodeRequest {
            phone: hasher.subject("phone", phone.as_str()),
            number: phone.clone(),
            claimed_by: None,
            asked_from: hasher.subject("ip", "192.0.2.1"),
            purpose,
            code: hasher.code(&at.market.name, &phone, purpose, &code),
            lifetime: self.shop.limits.code_lifetime,
            resend_after: None,
            budgets: Vec::new(),
            idempotency: None,
        };
        at.store.grant_code(request).await.unwrap();
    }

    /// A code with which a customer shows that a phone of the US is theirs.
    pub async fn new_code(&self, phone: &str) -> &'static str {
        self.grant(phone, Purpose::SignIn, "271828").await;
        "271828"
    }
}

//! Writes messages to the log instead of sending them. It exists for development: whoever reads the
//! log can sign in as anybody, so `serve` warns when it is used outside a demo.

use async_trait::async_trait;
use evercart_core::sms::{Sms, SmsError, SmsSender};

/// The log.
pub struct Log;

#[async_trait]
impl SmsSender for Log {
    async fn send(&self, sms: &Sms) -> Result<(), SmsError> {
        // The number stays masked, as everywhere in the log; the developer knows which it was.
        tracing::info!(
            to = %sms.to.masked(), market = %sms.market, kind = sms.kind, text = %sms.text,
            "message not sent, only logged (sms.provider is log)"
        );
        Ok(())
    }
}

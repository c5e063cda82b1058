//! `/auth/phone/stop`: the former phone stops the change that moved its account away. The shop's
//! operators decide what becomes of the account then.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use evercart_core::account::Proven;
use evercart_core::code::Purpose;
use evercart_core::sign_in::SignInAttempt;
use utoipa::ToSchema;

use crate::Shop;
use crate::address::Confirmation;
use crate::cart::replayed;
use crate::client_ip::ClientIp;
use crate::guard::Mutation;
use crate::guesses::code_invalid;
use crate::json::{Audience, answer};
use crate::openapi::{Problem as ProblemSchema, PublicChange, PublicChangeHeaders};
use crate::problem::Answer;
use crate::sign_in::{attempt, read_phone_and_code};

/// What is told when a change of phone was stopped.
const STOPPED: &str = "The change is stopped. Nobody can sign in to the account until the shop \
    has decided. Contact the shop.";

/// The phone an account was moved away from, and the code that was sent there to stop it.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes a body that is read field by field")]
struct StopPhoneChange {
    /// The former phone. `phone_number` is read, too.
    #[schema(example = "+13128059854", max_length = 40)]
    phone: String,
    /// The six digits that `send-code` sent with the purpose `stop_phone_change`. `code` is read,
    /// too.
    #[schema(example = "123456", min_length = 1, max_length = 20)]
    verification_code: String,
}

/// Stop a change of phone
///
/// Freezes the account that was moved away from this phone: every token is dead, and nobody signs
/// in with either phone until the shop has decided whose the account is. Possible while the change
/// is on hold.
#[utoipa::path(post, path = "/auth/phone/stop", tag = "Signing in",
    params(PublicChangeHeaders), request_body = StopPhoneChange,
    responses((status = 200, description = "The account is frozen", body = Confirmation,
               example = json!({"success": true, "message": STOPPED})),
              PublicChange,
              (status = 400, description = "`code_invalid` (wrong, used, outdated), \
               `malformed_json`, `market_required`, `market_unknown`, `market_mismatch`",
               body = ProblemSchema, content_type = "application/problem+json"),
              (status = 404, description = "`not_found`: no change that could be stopped",
               body = ProblemSchema, content_type = "application/problem+json"),
              (status = 429, description = "`too_many_attempts`; see `Retry-After`",
               body = ProblemSchema, content_type = "application/problem+json")))]
pub(crate) async fn stop_phone_change(
    State(shop): State<Arc<Shop>>,
    ip: ClientIp,
    request: Mutation,
) -> Answer {
    let (to, code) = read_phone_and_code(&request, &shop)?;
    let attempt = SignInAttempt {
        idempotency: request.idempotency(),
        ..attempt(&shop, &to, Purpose::StopPhoneChange, &code, ip)
    };
    let outcome = to.at.store.stop_phone_change(attempt).await?;
    let Proven::Done(done) = outcome else { return Err(code_invalid(&shop, to.at).await) };
    if !done.replayed {
        let (market, user, phone) = (to.at.market.name.as_str(), done.value.0, to.phone.masked());
        tracing::warn!(
            market,
            user,
            phone,
            "a former phone stopped a change: the account is frozen"
        );
    }
    let json = Confirmation { success: true, message: STOPPED };
    Ok(replayed(done.replayed, answer(StatusCode::OK, Audience::Nobody, &json)))
}

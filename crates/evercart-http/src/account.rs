//! `/auth/phone`, `/auth/export`, `/auth/account`: another phone for the account, a copy of
//! everything, its end.

mod export;
mod exports;

use axum::http::StatusCode;
use evercart_core::account::{OpenOrders, PhoneChange, Proven, SIGN_IN_IS_FRESH};
use evercart_core::code::Purpose;
use evercart_core::error::{Refused, StoreError};
use evercart_core::outbox::Message;
use evercart_core::phone::Phone;
use utoipa::ToSchema;

use crate::address::Confirmation;
use crate::body::Fields;
use crate::cart::replayed;
use crate::client_ip::ClientIp;
use crate::code::{self, CodeSent};
use crate::extract::Customer;
use crate::guard::Mutation;
use crate::guesses::code_invalid;
use crate::json::{Audience, answer};
use crate::market::language;
use crate::openapi::{ChangeHeaders, ChangeWithBody, Problem as ProblemSchema, examples};
use crate::phone::{PhoneOf, read_phone_of};
use crate::problem::{Answer, Problem};
use crate::sign_in::{SignedIn, attempt, read_code, read_optional_code, signed_in};

pub(crate) use export::{__path_export, export};
pub use exports::Exports;
pub(crate) use exports::{NoTurn, Turn};

/// The phone to sign in with from now on.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes a body that is read field by field")]
struct NewPhone {
    /// A phone of the account's market.
    #[schema(example = "+13128059852", max_length = 40)]
    new_phone: String,
    /// A code that `send-code` sent to the present phone. Not needed within five minutes after
    /// signing in.
    #[schema(max_length = 20)]
    verification_code: Option<String>,
}

/// The phone to sign in with from now on, and the code that was sent to it.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes a body that is read field by field")]
struct ConfirmPhone {
    /// As in `/auth/phone`.
    #[schema(example = "+13128059852", max_length = 40)]
    new_phone: String,
    /// Six digits. `code` is read, too.
    #[schema(example = "123456", min_length = 1, max_length = 20)]
    verification_code: String,
}

/// What a customer is told whose account is gone.
const ERASED: &str = "Your account is erased. Orders are kept without your name, phone and \
    address.";

/// The proof that it is the customer who ends the account.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes a body that is read field by field")]
struct EraseAccount {
    /// The six digits that `send-code` sent to the account's phone. `code` is read, too.
    #[schema(example = "123456", min_length = 1, max_length = 20)]
    verification_code: String,
    /// Erases although orders are still to be delivered: these keep what the delivery needs until
    /// they end.
    even_open_orders: Option<bool>,
}

/// Why a code that must be there is there.
const CODE_WAS_READ: &str = "a code that cannot be read is a wrong field, which was returned";

fn read_new_phone<'a>(fields: &mut Fields<'_>, customer: &'a Customer) -> Option<PhoneOf<'a>> {
    read_phone_of(fields, "new_phone", customer.at())
}

/// Refuses a phone that cannot be the account's next one.
fn check_new_phone(own: &PhoneOf<'_>, new: &PhoneOf<'_>) -> Result<(), Problem> {
    if let Err(why) = new.at.market.accepts(&new.phone) {
        return Err(Problem::field("new_phone", why.to_string()));
    }
    if own.phone == new.phone {
        return Err(Problem::field("new_phone", "is the phone you sign in with already"));
    }
    Ok(())
}

/// Ask for another phone
///
/// Sends a code to the new number, for `/auth/phone/confirm`. It needs a sign-in of the last five
/// minutes, or a code to the present phone. The answer does not tell whether the number has an
/// account.
#[utoipa::path(post, path = "/auth/phone", tag = "Profile", security(("bearer" = [])),
    params(ChangeHeaders), request_body = NewPhone,
    responses(ChangeWithBody,
              (status = 200, description = "The code is on its way", body = CodeSent,
               example = json!(examples::code_to_new_phone())),
              (status = 400, description = "`code_invalid` (wrong, used, outdated), \
               `malformed_json`, `market_mismatch`, `market_unknown`",
               body = ProblemSchema, content_type = "application/problem+json"),
              (status = 409, description = "`phone_on_hold`: the phone was changed a short while \
               ago; `until` says how long it stays",
               body = ProblemSchema, content_type = "application/problem+json"),
              (status = 429, description = "`rate_limited`, `too_many_attempts`; see `Retry-After`",
               body = ProblemSchema, content_type = "application/problem+json"),
              (status = 503, description = "`overloaded`, `store_unavailable`, `sms_unavailable`; \
               see `Retry-After`",
               body = ProblemSchema, content_type = "application/problem+json")))]
pub(crate) async fn ask_for_phone(customer: Customer, ip: ClientIp, request: Mutation) -> Answer {
    const NEEDED: &str = "is missing: you signed in more than five minutes ago; ask for a code to \
         your present phone, or sign in again";
    let (to, code) =
        request.json(|fields| (read_new_phone(fields, &customer), read_optional_code(fields)))?;
    let to = to.expect("a phone that cannot be read is a wrong field, which was returned");
    let (store, session) = (customer.store(), customer.session());
    let own = PhoneOf { phone: store.user(session).await?.phone, at: customer.at() };
    check_new_phone(&own, &to)?;
    let proof = if customer.signed_in_for() > SIGN_IN_IS_FRESH {
        let code = code.ok_or_else(|| Problem::field("verification_code", NEEDED))?;
        Some(attempt(customer.shop(), &own, Purpose::SignIn, &code, ip.clone()))
    } else {
        None
    };
    if store.prove_phone(session, proof, request.guard()).await? == Proven::CodeInvalid {
        return Err(code_invalid(customer.shop(), customer.at()).await);
    }
    let purpose = Purpose::ChangePhone(session.user_id);
    code::send(customer.shop(), &to, purpose, ip, &request).await
}

/// Use another phone
///
/// The account, with all that is in it, is signed in with the new number from then on; every token
/// of before is dead. The old number is told by SMS, and can stop the change while it is on hold.
#[utoipa::path(post, path = "/auth/phone/confirm", tag = "Profile", security(("bearer" = [])),
    params(ChangeHeaders), request_body = ConfirmPhone,
    responses(ChangeWithBody,
              (status = 200, description = "Signed in with the new phone", body = SignedIn,
               example = json!(examples::signed_in_anew())),
              (status = 400, description = "`code_invalid` (wrong, used, outdated), \
               `malformed_json`, `market_mismatch`, `market_unknown`",
               body = ProblemSchema, content_type = "application/problem+json"),
              (status = 409, description = "`phone_taken`: it is another account's; `phone_moved`: \
               another account was moved away from it a short while ago; `phone_on_hold`: this \
               account's phone was changed a short while ago",
               body = ProblemSchema, content_type = "application/problem+json"),
              (status = 429, description = "`too_many_attempts`; see `Retry-After`",
               body = ProblemSchema, content_type = "application/problem+json")))]
pub(crate) async fn confirm_phone(customer: Customer, ip: ClientIp, request: Mutation) -> Answer {
    let (to, code) =
        request.json(|fields| (read_new_phone(fields, &customer), read_code(fields)))?;
    let to = to.expect("a phone that cannot be read is a wrong field, which was returned");
    let code = code.expect(CODE_WAS_READ);
    let (shop, session) = (customer.shop(), customer.session());
    let (own, chosen) = own_phone(&customer, &request).await?;
    check_new_phone(&own, &to)?;
    let purpose = Purpose::ChangePhone(session.user_id);
    let market = customer.market();
    let language = chosen.as_deref().unwrap_or_else(|| language(request.headers(), market));
    let change = PhoneChange {
        notice: Message::phone_changed(&own.phone, &to.phone, &market.name, language),
        old_phone: own.phone.clone(),
        old_phone_hash: own.hash(shop),
        attempt: attempt(shop, &to, purpose, &code, ip),
        repeat_opens_for: shop.limits.code_lifetime,
        hold: shop.phone_change_hold,
    };
    let outcome = customer.store().change_phone(session, change, request.guard()).await?;
    let Proven::Done(done) = outcome else {
        return Err(code_invalid(shop, customer.at()).await);
    };
    if !done.replayed {
        let (market, user) = (customer.market().name.as_str(), done.value.id.0);
        let (from, to) = (own.phone.masked(), done.value.phone.masked());
        tracing::info!(market, user, from, to, "a customer's phone was changed");
        shop.outbox.wake();
    }
    let message = "Your account has a new phone number.";
    let response = signed_in(shop, customer.at(), &done.value, false, message);
    Ok(replayed(done.replayed, response))
}

/// The phone the customer has, and the language they chose. Where the session is over, the request
/// may be the repeat of the one that ended it: then neither is known, nor needed.
async fn own_phone<'a>(
    customer: &'a Customer,
    request: &Mutation,
) -> Result<(PhoneOf<'a>, Option<String>), Problem> {
    let (phone, language) = match customer.store().user(customer.session()).await {
        Ok(user) => (user.phone, user.language),
        Err(StoreError::Refused(Refused::SignedOut)) if request.idempotency().is_some() => {
            (Phone::from_stored(String::new()), None)
        }
        Err(error) => return Err(error.into()),
    };
    Ok((PhoneOf { phone, at: customer.at() }, language))
}

/// End the account
///
/// Erases profile, cart, wishlist and addresses, and of orders who ordered, where it went and how
/// it was paid. The orders stay for the shop's books, and the phone can sign up anew. Orders that
/// are still to be delivered need `even_open_orders`, and keep what the delivery needs until they
/// end.
#[utoipa::path(delete, path = "/auth/account", tag = "Profile", security(("bearer" = [])),
    params(ChangeHeaders), request_body = EraseAccount,
    responses(ChangeWithBody,
              (status = 200, description = "It is erased", body = Confirmation,
               example = json!({"success": true, "message": ERASED})),
              (status = 400, description = "`code_invalid` (wrong, used, outdated), \
               `malformed_json`, `market_mismatch`, `market_unknown`",
               body = ProblemSchema, content_type = "application/problem+json"),
              (status = 409, description = "`open_orders`: `orders` are still to be delivered; \
               with `even_open_orders` it is done all the same, and the code is still good. \
               `phone_on_hold`: the phone was changed a short while ago; `until` says how long it \
               stays",
               body = ProblemSchema, content_type = "application/problem+json"),
              (status = 429, description = "`too_many_attempts`; see `Retry-After`",
               body = ProblemSchema, content_type = "application/problem+json")))]
pub(crate) async fn erase(customer: Customer, ip: ClientIp, request: Mutation) -> Answer {
    let (code, even_open) =
        request.json(|fields| (read_code(fields), fields.flag("even_open_orders")))?;
    let code = code.expect(CODE_WAS_READ);
    let open_orders = match even_open {
        Some(true) => OpenOrders::Keep,
        Some(false) | None => OpenOrders::Refuse,
    };
    let (own, _) = own_phone(&customer, &request).await?;
    let attempt = attempt(customer.shop(), &own, Purpose::SignIn, &code, ip);
    let (store, session) = (customer.store(), customer.session());
    let outcome = store.erase(session, attempt, open_orders, request.guard()).await?;
    let Proven::Done(done) = outcome else {
        return Err(code_invalid(customer.shop(), customer.at()).await);
    };
    let json = Confirmation { success: true, message: ERASED };
    Ok(replayed(done.replayed, answer(StatusCode::OK, Audience::Customer, &json)))
}

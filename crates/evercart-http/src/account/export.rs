//! `/auth/export`: all that the shop holds of a customer, as one document.

use axum::http::{HeaderValue, StatusCode, header};
use evercart_core::account::{FormerPhone, KeyUsed, OperatorAction};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::address::AddressJson;
use crate::cart::{self, CartJson};
use crate::extract::Customer;
use crate::json::{Audience, Utc, answer};
use crate::openapi::{Read, ReadHeaders};
use crate::order::OrderJson;
use crate::problem::Answer;
use crate::user::Profile;
use crate::wishlist::WishlistJson;

/// Everything the shop holds of a customer, as of one moment.
#[derive(Serialize, ToSchema)]
struct Export<'a> {
    /// When it was taken.
    exported_at: Utc,
    profile: Profile<'a>,
    #[schema(value_type = CartJson)]
    cart: Box<RawValue>,
    wishlist: WishlistJson<'a>,
    /// All of them, the newest first.
    orders: Vec<OrderJson<'a>>,
    addresses: Vec<AddressJson<'a>>,
    /// The phones the account had before, masked, the oldest first.
    former_phones: Vec<FormerPhoneJson<'a>>,
    /// What operators of the shop did to the account, and how its phone changed, the oldest first.
    operator_actions: Vec<OperatorActionJson<'a>>,
    /// The `Idempotency-Key`s that are still remembered.
    idempotency_keys: Vec<KeyUsedJson<'a>>,
}

/// A phone that the account had before.
#[derive(Serialize, ToSchema)]
#[schema(as = FormerPhone)]
struct FormerPhoneJson<'a> {
    /// The shop keeps no more of it than this and a keyed hash.
    #[schema(example = "+1312•••9851")]
    phone: &'a str,
    /// When the account left it.
    left_at: Utc,
}

impl<'a> FormerPhoneJson<'a> {
    fn of(former: &'a FormerPhone) -> Self {
        Self { phone: &former.masked, left_at: Utc(former.left_at) }
    }
}

/// Something that was done to an account.
#[derive(Serialize, ToSchema)]
#[schema(as = OperatorAction)]
struct OperatorActionJson<'a> {
    /// `block`, `unblock`, `sign-out`, `change-phone`, `stop-phone-change`, `move-back`,
    /// `confirm-move`.
    #[schema(example = "sign-out")]
    action: &'a str,
    at: Utc,
}

impl<'a> OperatorActionJson<'a> {
    fn of(action: &'a OperatorAction) -> Self {
        Self { action: &action.action, at: Utc(action.at) }
    }
}

/// A key that was sent with a change.
#[derive(Serialize, ToSchema)]
#[schema(as = KeyUsed)]
struct KeyUsedJson<'a> {
    #[schema(example = "8e03978e-40d5-43e8-bc93-6894a57f9324")]
    key: &'a str,
    at: Utc,
}

impl<'a> KeyUsedJson<'a> {
    fn of(used: &'a KeyUsed) -> Self {
        Self { key: &used.key, at: Utc(used.at) }
    }
}

/// A copy of everything
///
/// One document with all that the shop holds of the customer. Outstanding codes, and counts of
/// codes, are not in it: they are kept by a phone's keyed hash only.
#[utoipa::path(get, path = "/auth/export", tag = "Profile", security(("bearer" = [])),
    params(ReadHeaders),
    responses((status = 200, description = "All there is", body = Export), Read))]
pub(crate) async fn export(customer: Customer) -> Answer {
    const FILE: HeaderValue =
        HeaderValue::from_static("attachment; filename=\"evercart-export.json\"");
    let export = customer.store().export(customer.session()).await?;
    let currency = customer.currency();
    let json = Export {
        exported_at: Utc(customer.now()),
        profile: Profile::of(&export.user, customer.market()),
        cart: cart::as_part(&export.cart, currency),
        wishlist: WishlistJson::of(&export.wishlist, currency),
        orders: export.orders.iter().map(|order| OrderJson::of(order, currency)).collect(),
        addresses: export.addresses.iter().map(AddressJson::of).collect(),
        former_phones: export.former_phones.iter().map(FormerPhoneJson::of).collect(),
        operator_actions: export.operator_actions.iter().map(OperatorActionJson::of).collect(),
        idempotency_keys: export.idempotency_keys.iter().map(KeyUsedJson::of).collect(),
    };
    let mut response = answer(StatusCode::OK, Audience::Customer, &json);
    response.headers_mut().insert(header::CONTENT_DISPOSITION, FILE);
    Ok(response)
}

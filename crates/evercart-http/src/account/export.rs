//! `/auth/export`: all that the shop holds of a customer, as one document. It may be large, and its
//! client may read slowly or not at all: orders and keys are read a page at a time, when the one
//! before is on its way.

use std::io;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use evercart_core::account::{
    AddedLine, FormerPhone, KeyUsed, OperatorAction, SIGN_IN_IS_FRESH, WaitingMessage,
};
use evercart_core::error::StoreError;
use evercart_core::ids::OrderId;
use evercart_core::order::Order;
use futures_util::stream;
use jiff::SignedDuration;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::{NoTurn, Turn};
use crate::address::AddressJson;
use crate::cart::{self, CartJson};
use crate::extract::Customer;
use crate::json::{Amount, Audience, Utc, written};
use crate::openapi::{Problem as ProblemSchema, Read, ReadHeaders, examples};
use crate::order::OrderJson;
use crate::problem::{Answer, Code, Problem};
use crate::user::Profile;
use crate::wishlist::WishlistJson;

/// The form of the document.
const FORMAT: u32 = 1;

/// When a customer who is reading an export may ask for another. Most are read within a second.
const ANOTHER_AFTER: SignedDuration = SignedDuration::from_secs(5);

/// Everything the shop holds of a customer.
#[derive(Serialize, ToSchema)]
#[schema(example = examples::export)]
struct Export<'a> {
    /// The form of this document: moves when a member changes its meaning or goes.
    #[schema(example = 1)]
    format: u32,
    /// When it was taken.
    exported_at: Utc,
    profile: Profile<'a>,
    #[schema(value_type = CartJson)]
    cart: Box<RawValue>,
    /// When the cart's lines were added, and what they cost then, by SKU.
    cart_lines: Vec<AddedLineJson>,
    wishlist: WishlistJson<'a>,
    /// Since when the shop lets the customer in no more.
    #[schema(required = true)]
    blocked_at: Option<Utc>,
    /// Until when the phone before can stop the last change of the phone.
    #[schema(required = true)]
    phone_held_until: Option<Utc>,
    /// Since when the account is frozen, because the phone before has stopped the change.
    #[schema(required = true)]
    frozen_at: Option<Utc>,
    /// Messages to the customer that are not sent yet.
    messages: Vec<MessageJson<'a>>,
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

/// A line of the cart as it was added.
#[derive(Serialize, ToSchema)]
#[schema(as = AddedLine)]
struct AddedLineJson {
    #[schema(example = 42)]
    sku_id: i64,
    #[schema(example = 2)]
    quantity: u32,
    /// What a piece cost when the line was added, or changed last.
    price_when_added: Amount,
    added_at: Utc,
}

/// A message that is not sent yet.
#[derive(Serialize, ToSchema)]
#[schema(as = WaitingMessage)]
struct MessageJson<'a> {
    /// Where to, masked: it may be a phone of before.
    #[schema(example = "+1312•••9851")]
    to: &'a str,
    text: &'a str,
    written_at: Utc,
}

impl<'a> MessageJson<'a> {
    fn of(message: &'a WaitingMessage) -> Self {
        Self { to: &message.to, text: &message.text, written_at: Utc(message.written_at) }
    }
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
    /// `show`, `export`, `block`, `unblock`, `sign-out`, `change-phone`, `stop-phone-change`,
    /// `move-back`, `confirm-move`, `end-order`.
    #[schema(example = "sign-out")]
    action: &'a str,
    at: Utc,
    /// Why, if that was said.
    reason: Option<&'a str>,
}

impl<'a> OperatorActionJson<'a> {
    fn of(action: &'a OperatorAction) -> Self {
        Self { action: &action.action, at: Utc(action.at), reason: action.reason.as_deref() }
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
/// codes, are not in it: they are kept by a phone's keyed hash only. It is sent as it is read, so
/// it is whole only if its end came; a customer reads one at a time. It needs a sign-in of the last
/// five minutes: a token that was stolen later takes no copy of everything.
#[utoipa::path(get, path = "/auth/export", tag = "Profile", security(("bearer" = [])),
    params(ReadHeaders),
    responses((status = 200, description = "All there is", body = Export),
              (status = 403, description = "`sign_in_not_fresh`: the sign-in is more than five \
               minutes old",
               body = ProblemSchema, content_type = "application/problem+json"),
              (status = 429, description = "`rate_limited`: one is being read; see `Retry-After`",
               body = ProblemSchema, content_type = "application/problem+json"),
              Read))]
pub(crate) async fn export(customer: Customer) -> Answer {
    const FILE: HeaderValue =
        HeaderValue::from_static("attachment; filename=\"evercart-export.json\"");
    if customer.signed_in_for() > SIGN_IN_IS_FRESH {
        let detail = "You signed in more than five minutes ago. Sign in again for a copy of \
             everything.";
        return Err(Problem::new(Code::SignInNotFresh, detail));
    }
    // Read first: a token that was signed out is refused before it can take its owner's turn.
    let export = customer.store().export(customer.session()).await?;
    let turn = customer.begin_export().map_err(no_turn)?;
    let currency = customer.currency();
    let added = |line: &AddedLine| AddedLineJson {
        sku_id: line.sku_id.0,
        quantity: line.quantity,
        price_when_added: Amount(line.price_when_added, currency),
        added_at: Utc(line.added_at),
    };
    let json = Export {
        format: FORMAT,
        exported_at: Utc(customer.now()),
        profile: Profile::of(&export.user, customer.market()),
        cart: cart::as_part(&export.cart, currency),
        cart_lines: export.added.iter().map(added).collect(),
        wishlist: WishlistJson::of(&export.wishlist, currency),
        blocked_at: export.user.blocked_at.map(Utc),
        phone_held_until: export.phone_change.held_until.map(Utc),
        frozen_at: export.phone_change.frozen.as_ref().map(|frozen| Utc(frozen.at)),
        messages: export.messages.iter().map(MessageJson::of).collect(),
        orders: Vec::new(),
        addresses: export.addresses.iter().map(AddressJson::of).collect(),
        former_phones: export.former_phones.iter().map(FormerPhoneJson::of).collect(),
        operator_actions: export.operator_actions.iter().map(OperatorActionJson::of).collect(),
        idempotency_keys: Vec::new(),
    };
    let text = serde_json::to_string(&json).expect("our own types are always JSON");
    let mut response = in_pieces(&text, &export.orders, customer, turn);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_DISPOSITION, FILE);
    // Nothing between the shop and the customer keeps a copy of everything.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

fn no_turn(why: NoTurn) -> Problem {
    match why {
        NoTurn::OneIsRead => {
            let detail = "You are reading an export. Wait for its end, or close it, and try again.";
            Problem::new(Code::RateLimited, detail).retry_after(ANOTHER_AFTER)
        }
        NoTurn::Full => {
            let detail = "The shop sends as many exports as it can. Try again in a moment.";
            Problem::new(Code::Overloaded, detail)
        }
    }
}

/// The document, which is still without orders and keys, with them.
fn in_pieces(text: &str, newest: &[Order], customer: Customer, turn: Turn) -> Response {
    // Nothing a customer wrote looks like this: in a text the quotation marks are escaped.
    const ORDERS: &str = "\"orders\":[";
    const KEYS: &str = "\"idempotency_keys\":[";
    let (before, rest) = text.split_once(ORDERS).expect("orders are in an export");
    let (between, after) = rest.split_once(KEYS).expect("keys are in an export");
    let mut begin = format!("{before}{ORDERS}").into_bytes();
    begin.extend(listed_orders(newest, &customer, true));
    let pieces = Pieces {
        customer,
        _turn: turn,
        between: format!("{between}{KEYS}").into(),
        after: after.to_owned().into(),
        next: Next::Begin(begin.into(), newest.last().map(|order| order.id)),
    };
    let pieces = stream::try_unfold(pieces, Pieces::next);
    written(StatusCode::OK, Audience::Customer, Body::from_stream(pieces))
}

/// An export that is on its way.
struct Pieces {
    customer: Customer,
    _turn: Turn,
    /// What stands between orders and keys.
    between: Bytes,
    /// What stands at the end.
    after: Bytes,
    next: Next,
}

/// What is sent next.
enum Next {
    /// The beginning, up to this order if there is any.
    Begin(Bytes, Option<OrderId>),
    /// The orders before this one; what was ordered since the beginning is not in this copy.
    Orders(Option<OrderId>),
    /// The keys after this one.
    Keys(Option<String>),
    Over,
}

impl Pieces {
    /// A failure, or the end of the session, ends the answer before its end: that cannot be told in
    /// it any more.
    async fn next(mut self) -> io::Result<Option<(Bytes, Self)>> {
        let piece = match std::mem::replace(&mut self.next, Next::Over) {
            Next::Begin(text, last) => {
                self.next = Next::Orders(last);
                text
            }
            Next::Orders(last) => self.orders(last).await.map_err(ends)?,
            Next::Keys(after) => self.keys(after).await.map_err(ends)?,
            Next::Over => return Ok(None),
        };
        Ok(Some((piece, self)))
    }

    async fn orders(&mut self, last: Option<OrderId>) -> Result<Bytes, StoreError> {
        let session = self.customer.session();
        let orders = match last {
            None => Vec::new(),
            before => self.customer.store().export_orders(session, before).await?,
        };
        let Some(last) = orders.last() else {
            self.next = Next::Keys(None);
            return Ok(std::mem::take(&mut self.between));
        };
        self.next = Next::Orders(Some(last.id));
        Ok(listed_orders(&orders, &self.customer, false))
    }

    async fn keys(&mut self, after: Option<String>) -> Result<Bytes, StoreError> {
        let (session, is_first) = (self.customer.session(), after.is_none());
        let keys = self.customer.store().export_keys(session, after).await?;
        let Some(last) = keys.last() else {
            return Ok(std::mem::take(&mut self.after));
        };
        self.next = Next::Keys(Some(last.key.clone()));
        Ok(listed(keys.iter().map(KeyUsedJson::of), is_first))
    }
}

fn listed_orders(orders: &[Order], customer: &Customer, is_first: bool) -> Bytes {
    listed(orders.iter().map(|order| OrderJson::of(order, customer.currency())), is_first)
}

/// Some items of a list, with a comma before each but the list's first.
fn listed(items: impl Iterator<Item = impl Serialize>, mut is_first: bool) -> Bytes {
    let mut out = Vec::new();
    for item in items {
        if !std::mem::take(&mut is_first) {
            out.push(b',');
        }
        serde_json::to_writer(&mut out, &item).expect("our own types are always JSON");
    }
    out.into()
}

fn ends(error: StoreError) -> io::Error {
    if let StoreError::Failed(failed) = &error {
        tracing::error!(%failed, "an export could not be sent to its end");
    }
    io::Error::other(error)
}

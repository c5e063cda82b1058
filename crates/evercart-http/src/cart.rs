//! `/cart`: the customer's cart as JSON, and the requests that change it.

mod events;
mod json;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::Response;
use evercart_core::cart::{Cart, LINES_MAX, MergeStrategy, QUANTITY_MAX};
use evercart_core::guard::Done;
use evercart_core::ids::{LineId, SkuId};
use evercart_core::money::Currency;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::body::Fields;
use crate::extract::{Customer, PathId};
use crate::guard::Mutation;
use crate::json::{Audience, tagged_body};
use crate::openapi::{
    CartChangeHeaders, Change, ChangeWithBody, Missing, Problem as ProblemSchema, Read,
    ReadHeaders, Stale, TooMany, examples,
};
use crate::problem::{Answer, Problem};
use crate::query;

pub(crate) use events::{__path_cart_events, LAST_EVENT_ID, cart_events};
pub(crate) use json::CartJson;

const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The answer to a change of the cart.
pub(crate) fn changed(done: &Done<Cart>, currency: Currency) -> Response {
    replayed(done.replayed, written(&done.value, currency, None))
}

/// A cart as it stands in a larger document.
pub(crate) fn as_part(cart: &Cart, currency: Currency) -> Box<RawValue> {
    let text = String::from_utf8(json::write(cart, currency)).expect("JSON is UTF-8");
    RawValue::from_string(text).expect("a cart is written as JSON")
}

fn written(cart: &Cart, currency: Currency, read: Option<&HeaderMap>) -> Response {
    tagged_body(Audience::Customer, Some(cart.version), json::write(cart, currency), read)
}

/// Says in the answer that the request had been done before.
pub(crate) fn replayed(replayed: bool, mut response: Response) -> Response {
    if replayed {
        response.headers_mut().insert(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

/// What is to be put into the cart.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes a body that is read field by field")]
pub(crate) struct AddItem {
    /// What to add.
    #[schema(example = 42, minimum = 1, maximum = 9007199254740991_i64)]
    sku_id: i64,
    /// How many pieces, on top of those there are.
    #[schema(nullable = false, example = 2, minimum = 1, maximum = 999, default = 1)]
    quantity: Option<u32>,
}

/// Reads `sku_id` and `quantity`, which is 1 if it is not said.
pub(crate) fn read_item(fields: &mut Fields<'_>) -> (SkuId, u32) {
    let sku_id = SkuId(fields.id("sku_id"));
    let quantity = fields.integer("quantity", 1, i64::from(QUANTITY_MAX), Some(1));
    (sku_id, pieces(quantity))
}

fn pieces(quantity: i64) -> u32 {
    u32::try_from(quantity).expect("checked to be from 0 to 999")
}

/// The new number of pieces of a line.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes a body that is read field by field")]
struct SetQuantity {
    /// Pieces; 0 removes the line.
    #[schema(example = 3, minimum = 0, maximum = 999)]
    quantity: u32,
}

/// The cart
///
/// An empty one if nothing was ever added. Reading it writes nothing.
#[utoipa::path(get, path = "/cart", tag = "Cart", security(("bearer" = [])),
    params(ReadHeaders, ("If-None-Match" = Option<String>, Header,
        description = "An `ETag`: answered with 304 if the cart still has it.")),
    responses((status = 200, description = "The cart", body = CartJson,
               headers(("ETag" = String, description = "`\"<version>-<digest>\"`"))),
              (status = 304, description = "The cart is as the client has it"), Read))]
pub(crate) async fn get_cart(customer: Customer, request: Request) -> Answer {
    let cart = customer.store().cart(customer.session()).await?;
    Ok(written(&cart, customer.currency(), Some(request.headers())))
}

/// Put something into the cart
///
/// Adding a SKU that is in the cart adds to its line. Adds at the same moment all count.
#[utoipa::path(post, path = "/cart/items", tag = "Cart", security(("bearer" = [])),
    params(CartChangeHeaders), request_body = AddItem,
    responses((status = 200, description = "The cart after it", body = CartJson,
               headers(("ETag" = String, description = "`\"<version>-<digest>\"`"))),
              (status = 409, description = "`insufficient_stock`, `sku_unavailable`",
               body = ProblemSchema, content_type = "application/problem+json"),
              ChangeWithBody, TooMany, Missing, Stale))]
pub(crate) async fn add_item(customer: Customer, request: Mutation) -> Answer {
    let (sku_id, quantity) = request.json(read_item)?;
    let guard = request.cart_guard(&customer).await?;
    let store = customer.store();
    let done = store.add_to_cart(customer.session(), sku_id, quantity, guard).await?;
    Ok(changed(&done, customer.currency()))
}

/// Set a line's quantity
///
/// In the body or as `?quantity=`, where the latter goes first. 0 removes the line.
#[utoipa::path(put, path = "/cart/items/{id}", tag = "Cart", security(("bearer" = [])),
    params(CartChangeHeaders, ("id" = i64, Path, description = "A line's id", example = 1),
        ("quantity" = Option<u32>, Query, description = "Instead of a body", maximum = 999)),
    request_body = SetQuantity,
    responses((status = 200, description = "The cart after it", body = CartJson,
               headers(("ETag" = String, description = "`\"<version>-<digest>\"`")),
               example = json!(examples::cart_set())),
              (status = 409, description = "`insufficient_stock`, `sku_unavailable`",
               body = ProblemSchema, content_type = "application/problem+json"),
              ChangeWithBody, TooMany, Missing, Stale))]
pub(crate) async fn set_item(
    customer: Customer,
    PathId(line): PathId,
    request: Mutation,
) -> Answer {
    let most = i64::from(QUANTITY_MAX);
    let in_query = query::parse(request.uri(), |query| query.integer("quantity", 0, most))?;
    let quantity = match in_query {
        Some(quantity) => quantity,
        None => request.json_or_nothing(|fields| fields.integer("quantity", 0, most, None))?,
    };
    set(&customer, line, pieces(quantity), &request).await
}

/// Set a line's quantity (as `PUT /cart/items/{id}`)
#[utoipa::path(patch, path = "/cart/items/{id}", tag = "Cart", security(("bearer" = [])),
    params(CartChangeHeaders, ("id" = i64, Path, description = "A line's id", example = 1),
        ("quantity" = Option<u32>, Query, description = "Instead of a body", maximum = 999)),
    request_body = SetQuantity,
    responses((status = 200, description = "The cart after it", body = CartJson,
               headers(("ETag" = String, description = "`\"<version>-<digest>\"`")),
               example = json!(examples::cart_set())),
              (status = 409, description = "`insufficient_stock`, `sku_unavailable`",
               body = ProblemSchema, content_type = "application/problem+json"),
              ChangeWithBody, TooMany, Missing, Stale))]
pub(crate) async fn patch_item(customer: Customer, line: PathId, request: Mutation) -> Answer {
    set_item(customer, line, request).await
}

/// Remove a line
#[utoipa::path(delete, path = "/cart/items/{id}", tag = "Cart", security(("bearer" = [])),
    params(CartChangeHeaders, ("id" = i64, Path, description = "A line's id", example = 1)),
    responses((status = 200, description = "The cart after it", body = CartJson,
               headers(("ETag" = String, description = "`\"<version>-<digest>\"`")),
               example = json!(examples::cart_emptied())),
              Change, TooMany, Missing, Stale))]
pub(crate) async fn remove_item(
    customer: Customer,
    PathId(line): PathId,
    request: Mutation,
) -> Answer {
    set(&customer, line, 0, &request).await
}

async fn set(
    customer: &Customer,
    line: i64,
    quantity: u32,
    request: &Mutation,
) -> Result<Response, Problem> {
    let guard = request.cart_guard(customer).await?;
    let store = customer.store();
    let done = store.set_quantity(customer.session(), LineId(line), quantity, guard).await?;
    Ok(changed(&done, customer.currency()))
}

/// What a visitor collected before signing in.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes a body that is read field by field")]
struct MergeCart {
    /// What was collected, at most 100 lines.
    #[schema(max_items = 100, example = json!([{"sku_id": 42, "quantity": 2}]))]
    items: Vec<AddItem>,
    /// `max` (the default): of a SKU that both have, the larger quantity, so that nothing is ever
    /// doubled. `sum`: both together.
    #[schema(example = "max", default = "max", pattern = "^(max|sum)?$")]
    strategy: Option<String>,
}

fn read_strategy(fields: &mut Fields<'_>) -> MergeStrategy {
    let read = |word: &str| match word {
        "max" => Ok(MergeStrategy::Max),
        "sum" => Ok(MergeStrategy::Sum),
        _ => Err("must be max or sum"),
    };
    fields.optional("strategy", 10, read).unwrap_or(MergeStrategy::Max)
}

/// Take over what was collected before signing in
///
/// As much of each SKU as can be had. `skipped` names what could not, which keeps nothing else out.
#[utoipa::path(post, path = "/cart/merge", tag = "Cart", security(("bearer" = [])),
    params(CartChangeHeaders), request_body = MergeCart,
    responses((status = 200, description = "The cart after it, with `skipped`", body = CartJson,
               headers(("ETag" = String, description = "`\"<version>-<digest>\"`")),
               example = json!(examples::cart_merged())),
              ChangeWithBody, TooMany, Stale))]
pub(crate) async fn merge_cart(customer: Customer, request: Mutation) -> Answer {
    let (items, strategy) = request.json(|fields| {
        (fields.list("items", LINES_MAX as usize, read_item), read_strategy(fields))
    })?;
    let guard = request.cart_guard(&customer).await?;
    let store = customer.store();
    let done = store.merge_into_cart(customer.session(), items, strategy, guard).await?;
    let body = json::write_merged(&done.value, customer.currency());
    let version = Some(done.value.cart.version);
    Ok(replayed(done.replayed, tagged_body(Audience::Customer, version, body, None)))
}

/// Empty the cart
#[utoipa::path(delete, path = "/cart", tag = "Cart", security(("bearer" = [])),
    params(CartChangeHeaders),
    responses((status = 200, description = "The empty cart", body = CartJson,
               headers(("ETag" = String, description = "`\"<version>-<digest>\"`")),
               example = json!(examples::cart_emptied())),
              Change, TooMany, Stale))]
pub(crate) async fn clear_cart(customer: Customer, request: Mutation) -> Answer {
    let guard = request.cart_guard(&customer).await?;
    let done = customer.store().clear_cart(customer.session(), guard).await?;
    Ok(changed(&done, customer.currency()))
}

//! `/cart`: the customer's cart as JSON, and the requests that change it.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::Response;
use evercart_core::cart::{Cart, Line, Notice, QUANTITY_MAX};
use evercart_core::guard::Done;
use evercart_core::ids::{LineId, SkuId};
use evercart_core::money::Currency;
use serde::Serialize;
use utoipa::ToSchema;

use crate::body::Fields;
use crate::extract::{Customer, PathId};
use crate::guard::Mutation;
use crate::json::{Amount, Audience, Utc, tagged};
use crate::openapi::{
    CartChangeHeaders, Change, ChangeWithBody, Missing, Problem as ProblemSchema, Read,
    ReadHeaders, Stale,
};
use crate::problem::{Answer, Problem};
use crate::query;

const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// A customer's cart. There is one for each customer; it is empty until something is added.
#[derive(Serialize, ToSchema)]
#[schema(as = Cart)]
pub(crate) struct CartJson<'a> {
    /// The customer's id again: one cart each.
    #[schema(example = 19)]
    id: i64,
    /// Whose cart it is.
    #[schema(example = 19)]
    user_id: i64,
    /// Counts the changes made to it. It is also the first half of the `ETag`.
    #[schema(example = 1)]
    version: i64,
    /// What all amounts are in, ISO 4217.
    #[schema(example = "USD")]
    currency: &'static str,
    /// In the order in which they were added.
    items: Vec<CartItem<'a>>,
    /// Pieces in the cart: the sum of all quantities.
    #[schema(example = 2)]
    total_items: u64,
    /// What all lines cost together now, without delivery.
    total_price: Amount,
    /// What changed under the customer since the lines were last touched.
    notices: Vec<NoticeJson>,
    /// The last change, null for a cart that never had anything in it.
    #[schema(required = true)]
    updated_at: Option<Utc>,
}

/// One SKU in a cart.
#[derive(Serialize, ToSchema)]
pub(crate) struct CartItem<'a> {
    /// The line's id, for `/cart/items/{id}`.
    #[schema(example = 1)]
    id: i64,
    #[schema(example = 42)]
    sku_id: i64,
    #[schema(example = 15)]
    product_id: i64,
    /// The shop's own code.
    sku_code: &'a str,
    /// The product's name.
    name: &'a str,
    #[schema(required = true)]
    size: Option<&'a str>,
    #[schema(required = true)]
    color: Option<&'a str>,
    /// A picture, by URL or path on this server.
    #[schema(required = true)]
    image: Option<&'a str>,
    /// Pieces, 1 to 999.
    #[schema(example = 2)]
    quantity: u32,
    /// What one piece costs now.
    price: Amount,
    /// What the line costs now.
    line_total: Amount,
    /// What one piece cost before a reduction.
    #[schema(required = true)]
    original_price: Option<Amount>,
    /// True if the line could be ordered as it is.
    available: bool,
}

/// What changed about a line. `price_changed` carries `was` and `now`, `insufficient_stock` carries
/// `available`, `unavailable` nothing more.
#[derive(Serialize, ToSchema)]
#[schema(as = Notice)]
pub(crate) struct NoticeJson {
    /// `price_changed`, `insufficient_stock` or `unavailable`.
    #[schema(example = "price_changed")]
    code: &'static str,
    /// Which line.
    item_id: i64,
    /// Its SKU.
    sku_id: i64,
    /// The price when the customer last touched the line.
    #[serde(skip_serializing_if = "Option::is_none")]
    was: Option<Amount>,
    /// The price now.
    #[serde(skip_serializing_if = "Option::is_none")]
    now: Option<Amount>,
    /// Pieces left.
    #[serde(skip_serializing_if = "Option::is_none")]
    available: Option<i64>,
}

impl<'a> CartJson<'a> {
    fn of(cart: &'a Cart, currency: Currency) -> Self {
        Self {
            id: cart.user_id.0,
            user_id: cart.user_id.0,
            version: cart.version,
            currency: currency.code(),
            items: cart.lines.iter().map(|line| CartItem::of(line, currency)).collect(),
            total_items: cart.pieces(),
            total_price: Amount(cart.total(), currency),
            notices: cart
                .lines
                .iter()
                .flat_map(|line| {
                    line.notices().map(|notice| NoticeJson::of(line, notice, currency))
                })
                .collect(),
            updated_at: cart.updated_at.map(Utc),
        }
    }
}

impl<'a> CartItem<'a> {
    fn of(line: &'a Line, currency: Currency) -> Self {
        let sku = &line.sku;
        Self {
            id: line.id.0,
            sku_id: sku.sku_id.0,
            product_id: sku.product_id.0,
            sku_code: &sku.sku_code,
            name: &sku.name,
            size: sku.size.as_deref(),
            color: sku.color.as_deref(),
            image: sku.image.as_deref(),
            quantity: line.quantity,
            price: Amount(sku.price, currency),
            line_total: Amount(line.total(), currency),
            original_price: sku.original_price.map(|price| Amount(price, currency)),
            available: line.is_available(),
        }
    }
}

impl NoticeJson {
    fn of(line: &Line, notice: Notice, currency: Currency) -> Self {
        let mut json = Self {
            code: "unavailable",
            item_id: line.id.0,
            sku_id: line.sku.sku_id.0,
            was: None,
            now: None,
            available: None,
        };
        match notice {
            Notice::PriceChanged { was, now } => {
                json.code = "price_changed";
                json.was = Some(Amount(was, currency));
                json.now = Some(Amount(now, currency));
            }
            Notice::InsufficientStock { available } => {
                json.code = "insufficient_stock";
                json.available = Some(available.max(0));
            }
            Notice::Unavailable => {}
        }
        json
    }
}

/// The answer to a change of the cart.
pub(crate) fn changed(done: &Done<Cart>, currency: Currency) -> Response {
    replayed(done.replayed, written(&done.value, currency, None))
}

fn written(cart: &Cart, currency: Currency, read: Option<&HeaderMap>) -> Response {
    tagged(Audience::Customer, Some(cart.version), &CartJson::of(cart, currency), read)
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
    #[schema(example = 42, minimum = 1)]
    sku_id: i64,
    /// How many pieces, on top of those there are.
    #[schema(example = 2, minimum = 1, maximum = 999, default = 1)]
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
              ChangeWithBody, Missing, Stale))]
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
    request_body = Option<SetQuantity>,
    responses((status = 200, description = "The cart after it", body = CartJson,
               headers(("ETag" = String, description = "`\"<version>-<digest>\"`"))),
              (status = 409, description = "`insufficient_stock`, `sku_unavailable`",
               body = ProblemSchema, content_type = "application/problem+json"),
              ChangeWithBody, Missing, Stale))]
pub(crate) async fn set_item(
    customer: Customer,
    PathId(line): PathId,
    request: Mutation,
) -> Answer {
    let most = i64::from(QUANTITY_MAX);
    let in_query = query::parse(request.uri(), |query| query.integer("quantity", 0, most))?;
    let quantity = match in_query {
        Some(quantity) => quantity,
        None => request.json(|fields| fields.integer("quantity", 0, most, None))?,
    };
    set(&customer, line, pieces(quantity), &request).await
}

/// Remove a line
#[utoipa::path(delete, path = "/cart/items/{id}", tag = "Cart", security(("bearer" = [])),
    params(CartChangeHeaders, ("id" = i64, Path, description = "A line's id", example = 1)),
    responses((status = 200, description = "The cart after it", body = CartJson,
               headers(("ETag" = String, description = "`\"<version>-<digest>\"`"))),
              Change, Missing, Stale))]
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

/// Empty the cart
#[utoipa::path(delete, path = "/cart", tag = "Cart", security(("bearer" = [])),
    params(CartChangeHeaders),
    responses((status = 200, description = "The empty cart", body = CartJson,
               headers(("ETag" = String, description = "`\"<version>-<digest>\"`"))),
              Change, Stale))]
pub(crate) async fn clear_cart(customer: Customer, request: Mutation) -> Answer {
    let guard = request.cart_guard(&customer).await?;
    let done = customer.store().clear_cart(customer.session(), guard).await?;
    Ok(changed(&done, customer.currency()))
}

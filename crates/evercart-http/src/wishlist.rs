//! `/wishlist`: the customer's wishlist as JSON, and the requests that change it.

use axum::http::StatusCode;
use axum::response::Response;
use evercart_core::catalogue::Product;
use evercart_core::guard::Done;
use evercart_core::ids::ProductId;
use evercart_core::money::Currency;
use evercart_core::wishlist::{Wish, Wishlist};
use serde::Serialize;
use utoipa::ToSchema;

use crate::cart::{self, AddItem};
use crate::extract::{Customer, PathId};
use crate::guard::Mutation;
use crate::json::{Amount, Audience, Utc, answer};
use crate::openapi::{
    CartChangeHeaders, Change, ChangeHeaders, ChangeWithBody, Missing, Problem as ProblemSchema,
    Read, ReadHeaders, Stale, TooMany, examples,
};
use crate::problem::Answer;

/// A customer's wishlist. There is one for each customer.
#[derive(Serialize, ToSchema)]
#[schema(as = Wishlist)]
pub(crate) struct WishlistJson<'a> {
    /// The customer's id again: one wishlist each.
    #[schema(example = 19)]
    id: i64,
    /// Whose it is.
    #[schema(example = 19)]
    user_id: i64,
    /// The newest first.
    items: Vec<WishlistItem<'a>>,
    /// How many products are on it.
    #[schema(example = 1)]
    total_items: usize,
}

/// One product on a wishlist.
#[derive(Serialize, ToSchema)]
struct WishlistItem<'a> {
    id: i64,
    #[schema(example = 15)]
    product_id: i64,
    product: WishedProduct<'a>,
    /// When it was put there.
    added_at: Utc,
}

/// What a wishlist shows of a product.
#[derive(Serialize, ToSchema)]
#[schema(example = examples::wished_product)]
struct WishedProduct<'a> {
    #[schema(example = 15)]
    id: i64,
    name: &'a str,
    #[schema(required = true)]
    brand: Option<&'a str>,
    #[schema(required = true)]
    image: Option<&'a str>,
    /// The lowest price among its SKUs for sale.
    price: Amount,
    /// That SKU's price before a reduction.
    #[schema(required = true)]
    original_price: Option<Amount>,
    /// At least one of its SKUs is for sale and in stock.
    available: bool,
}

impl<'a> WishlistItem<'a> {
    fn of(wish: &'a Wish, currency: Currency) -> Self {
        let Product { id, name, brand, image, price, original_price, available, .. } =
            &wish.product;
        Self {
            id: wish.id.0,
            product_id: id.0,
            product: WishedProduct {
                id: id.0,
                name,
                brand: brand.as_deref(),
                image: image.as_deref(),
                price: Amount(*price, currency),
                original_price: original_price.map(|price| Amount(price, currency)),
                available: *available,
            },
            added_at: Utc(wish.added_at),
        }
    }
}

impl<'a> WishlistJson<'a> {
    pub(crate) fn of(list: &'a Wishlist, currency: Currency) -> Self {
        Self {
            id: list.user_id.0,
            user_id: list.user_id.0,
            items: list.wishes.iter().map(|wish| WishlistItem::of(wish, currency)).collect(),
            total_items: list.wishes.len(),
        }
    }
}

fn written(list: &Wishlist, currency: Currency) -> Response {
    answer(StatusCode::OK, Audience::Customer, &WishlistJson::of(list, currency))
}

fn changed(done: &Done<Wishlist>, currency: Currency) -> Response {
    cart::replayed(done.replayed, written(&done.value, currency))
}

/// What is to be put on the wishlist.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes a body that is read field by field")]
struct AddWish {
    #[schema(example = 15, minimum = 1, maximum = 9007199254740991_i64)]
    product_id: i64,
}

/// The wishlist
#[utoipa::path(get, path = "/wishlist", tag = "Wishlist", security(("bearer" = [])),
    params(ReadHeaders),
    responses((status = 200, description = "The wishlist", body = WishlistJson), Read))]
pub(crate) async fn get_wishlist(customer: Customer) -> Answer {
    let list = customer.store().wishlist(customer.session()).await?;
    Ok(written(&list, customer.currency()))
}

/// Put a product on the wishlist
///
/// One that is on it already stays where it is; there is never a second line.
#[utoipa::path(post, path = "/wishlist/items", tag = "Wishlist", security(("bearer" = [])),
    params(ChangeHeaders), request_body = AddWish,
    responses((status = 200, description = "The wishlist after it", body = WishlistJson),
              ChangeWithBody, TooMany, Missing))]
pub(crate) async fn add_wish(customer: Customer, request: Mutation) -> Answer {
    let product = request.json(|fields| ProductId(fields.id("product_id")))?;
    let store = customer.store();
    let done = store.add_wish(customer.session(), product, request.guard()).await?;
    Ok(changed(&done, customer.currency()))
}

/// Take a product off the wishlist
#[utoipa::path(delete, path = "/wishlist/items/{product_id}", tag = "Wishlist",
    security(("bearer" = [])),
    params(ChangeHeaders, ("product_id" = i64, Path, description = "A product's id", example = 15)),
    responses((status = 200, description = "The wishlist after it", body = WishlistJson,
               example = json!(examples::wishlist_emptied())),
              Change, TooMany, Missing))]
pub(crate) async fn remove_wish(
    customer: Customer,
    PathId(product): PathId,
    request: Mutation,
) -> Answer {
    let store = customer.store();
    let done = store.remove_wish(customer.session(), ProductId(product), request.guard()).await?;
    Ok(changed(&done, customer.currency()))
}

/// Empty the wishlist
#[utoipa::path(delete, path = "/wishlist", tag = "Wishlist", security(("bearer" = [])),
    params(ChangeHeaders),
    responses((status = 200, description = "The empty wishlist", body = WishlistJson,
               example = json!(examples::wishlist_emptied())),
              Change, TooMany))]
pub(crate) async fn clear_wishlist(customer: Customer, request: Mutation) -> Answer {
    let done = customer.store().clear_wishlist(customer.session(), request.guard()).await?;
    Ok(changed(&done, customer.currency()))
}

/// Move a product from the wishlist to the cart
///
/// The product leaves the wishlist and one of its SKUs enters the cart: both or neither.
#[utoipa::path(post, path = "/wishlist/items/{product_id}/move-to-cart", tag = "Wishlist",
    security(("bearer" = [])),
    params(CartChangeHeaders,
        ("product_id" = i64, Path, description = "A product's id", example = 15)),
    request_body = AddItem,
    responses((status = 200, description = "The cart after it", body = cart::CartJson,
               headers(("ETag" = String, description = "`\"<version>-<digest>\"`"))),
              (status = 409, description = "`insufficient_stock`, `sku_unavailable`",
               body = ProblemSchema, content_type = "application/problem+json"),
              ChangeWithBody, TooMany, Missing, Stale))]
pub(crate) async fn move_to_cart(
    customer: Customer,
    PathId(product): PathId,
    request: Mutation,
) -> Answer {
    let (sku_id, quantity) = request.json(cart::read_item)?;
    let guard = request.cart_guard(&customer).await?;
    let (store, product) = (customer.store(), ProductId(product));
    let done = store.move_to_cart(customer.session(), product, sku_id, quantity, guard).await?;
    Ok(cart::changed(&done, customer.currency()))
}

//! `/orders` and `/profile/orders`: what carts became, and how one becomes an order.

mod status;

use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use email_address::EmailAddress;
use evercart_core::cart::LINES_MAX;
use evercart_core::ids::{OrderId, SkuId};
use evercart_core::money::{Currency, Money};
use evercart_core::order::{Checkout, Items, Listed, Order, OrderLine, OrderStatus, Page};
use evercart_core::phone::Phone;
use serde::Serialize;
use utoipa::ToSchema;

use crate::body::{Fields, Lines};
use crate::cart::{AddItem, read_item, replayed};
use crate::extract::{Customer, PathId};
use crate::guard::Mutation;
use crate::json::{Amount, Audience, Utc, answer};
use crate::openapi::{
    CartChangeHeaders, Change, ChangeHeaders, ChangeWithBody, Missing, Paging,
    Problem as ProblemSchema, Read, ReadHeaders, Stale, TooMany, WrongQuery, examples,
};
use crate::phone::PHONE_MAX;
use crate::problem::{Answer, Problem};
use crate::query;

pub(crate) use self::status::OrderStatusJson;

/// The most characters of a customer's or a city's name.
const NAME_MAX: usize = 120;
/// The most characters of an address.
const ADDRESS_MAX: usize = 500;
/// The most characters of an email address (RFC 5321 section 4.5.3.1.3).
pub(crate) const EMAIL_MAX: usize = 254;
/// The most characters of notes.
const NOTES_MAX: usize = 2000;
/// The most characters of the word for how an order is paid.
const PAYMENT_METHOD_MAX: usize = 40;

/// An order. Names and prices are copies made at checkout and never change after.
#[derive(Serialize, ToSchema)]
#[schema(as = Order, example = examples::order)]
pub(crate) struct OrderJson<'a> {
    #[schema(example = 1001)]
    id: i64,
    /// What people say: the id, counted from 1001 in each market.
    #[schema(example = "#1001")]
    order_number: String,
    /// How far it is.
    status: OrderStatusJson,
    /// What the goods cost.
    subtotal: Amount,
    /// What delivery costs.
    shipping_cost: Amount,
    /// The tax contained in the total.
    tax_amount: Amount,
    /// What the customer pays.
    total_amount: Amount,
    /// What all amounts are in, ISO 4217.
    #[schema(example = "USD")]
    currency: &'a str,
    customer_name: &'a str,
    customer_phone: &'a str,
    #[schema(required = true)]
    customer_email: Option<&'a str>,
    delivery_address: &'a str,
    #[schema(required = true)]
    delivery_city: Option<&'a str>,
    #[schema(required = true)]
    delivery_notes: Option<&'a str>,
    payment_method: &'a str,
    /// When it was placed.
    order_date: Utc,
    /// When it arrived.
    #[schema(required = true)]
    delivery_date: Option<Utc>,
    /// How many entries `items` has.
    #[schema(example = 1)]
    items_count: usize,
    items: Vec<OrderItem<'a>>,
    /// Each status with its moment, the first first.
    history: Vec<Reached>,
}

/// One SKU of an order.
#[derive(Serialize, ToSchema)]
#[schema(example = examples::order_item)]
struct OrderItem<'a> {
    /// Counted per order from 1.
    id: i64,
    #[schema(example = 42)]
    sku_id: i64,
    #[schema(example = 15)]
    product_id: i64,
    product_name: &'a str,
    sku_code: &'a str,
    #[schema(required = true)]
    size: Option<&'a str>,
    #[schema(required = true)]
    color: Option<&'a str>,
    #[schema(required = true)]
    image: Option<&'a str>,
    /// What one piece cost.
    unit_price: Amount,
    #[schema(example = 2)]
    quantity: u32,
    /// What the pieces cost together.
    total_price: Amount,
}

/// A status and when the order got it.
#[derive(Serialize, ToSchema)]
struct Reached {
    status: OrderStatusJson,
    at: Utc,
}

/// Some of a customer's orders, the newest first.
#[derive(Serialize, ToSchema)]
#[schema(example = examples::orders)]
struct Orders<'a> {
    /// Always true.
    success: bool,
    orders: Vec<OrderJson<'a>>,
    /// How many there are in all.
    #[schema(example = 1)]
    total: u64,
    /// True if there are more after these.
    has_more: bool,
}

/// One order.
#[derive(Serialize, ToSchema)]
struct OneOrder<'a> {
    /// Always true.
    success: bool,
    order: OrderJson<'a>,
}

/// That an order was called off.
#[derive(Serialize, ToSchema)]
#[schema(example = examples::cancelled)]
struct Cancelled {
    /// Always true.
    success: bool,
    /// For a person.
    message: String,
    #[schema(example = 1001)]
    order_id: i64,
    /// `cancelled`.
    #[schema(example = "cancelled")]
    status: OrderStatusJson,
}

impl<'a> OrderJson<'a> {
    pub(crate) fn of(order: &'a Order, market: Currency) -> Self {
        // An order keeps its own currency, even should the market's change.
        let currency = order.currency.parse().unwrap_or(market);
        Self {
            id: order.id.0,
            order_number: format!("#{}", order.id),
            status: OrderStatusJson(order.status),
            subtotal: Amount(order.subtotal, currency),
            shipping_cost: Amount(order.shipping_cost, currency),
            tax_amount: Amount(order.tax_amount, currency),
            total_amount: Amount(order.total_amount, currency),
            currency: &order.currency,
            customer_name: &order.customer_name,
            customer_phone: &order.customer_phone,
            customer_email: order.customer_email.as_deref(),
            delivery_address: &order.delivery_address,
            delivery_city: order.delivery_city.as_deref(),
            delivery_notes: order.delivery_notes.as_deref(),
            payment_method: &order.payment_method,
            order_date: Utc(order.order_date),
            delivery_date: order.delivery_date.map(Utc),
            items_count: order.lines.len(),
            items: order.lines.iter().map(|line| OrderItem::of(line, currency)).collect(),
            history: order
                .history
                .iter()
                .map(|(status, at)| Reached { status: OrderStatusJson(*status), at: Utc(*at) })
                .collect(),
        }
    }
}

impl<'a> OrderItem<'a> {
    fn of(line: &'a OrderLine, currency: Currency) -> Self {
        Self {
            id: line.id,
            sku_id: line.sku_id.0,
            product_id: line.product_id.0,
            product_name: &line.product_name,
            sku_code: &line.sku_code,
            size: line.size.as_deref(),
            color: line.color.as_deref(),
            image: line.image.as_deref(),
            unit_price: Amount(line.unit_price, currency),
            quantity: line.quantity,
            total_price: Amount(line.unit_price.times(line.quantity), currency),
        }
    }
}

/// What a customer says when ordering.
#[derive(ToSchema)]
#[schema(as = Checkout, example = examples::checkout)]
#[allow(dead_code, reason = "describes a body that is read field by field")]
struct CheckoutBody {
    /// Who receives it.
    #[schema(example = "Jo Miller", min_length = 1, max_length = 120)]
    customer_name: String,
    /// Whom to call; the customer's own phone if left out.
    #[schema(example = "+13128059851", max_length = 40)]
    customer_phone: Option<String>,
    #[schema(example = "jo@example.com", max_length = 254, format = Email)]
    customer_email: Option<String>,
    #[schema(example = "233 S Wacker Dr", min_length = 1, max_length = 500)]
    delivery_address: String,
    #[schema(example = "Chicago", max_length = 120)]
    delivery_city: Option<String>,
    #[schema(max_length = 2000)]
    delivery_notes: Option<String>,
    /// The client's word for how it is paid.
    #[schema(example = "card", min_length = 1, max_length = 40)]
    payment_method: String,
    /// What the customer was shown, with delivery. If it costs something else, nothing is ordered.
    expected_total: Option<Amount>,
    /// With `use_cart: false`, what is ordered in place of the cart. A SKU that is named again adds
    /// to its pieces.
    #[schema(max_items = 100)]
    items: Option<Vec<AddItem>>,
    /// True to order the cart, as if left out; false to order `items` and leave the cart alone.
    /// `items` need it to be false.
    use_cart: Option<bool>,
}

/// Reads an email address.
pub(crate) fn read_email(text: &str) -> Result<String, &'static str> {
    if EmailAddress::is_valid(text) {
        Ok(text.to_owned())
    } else {
        Err("must be an email address such as jo@example.com")
    }
}

fn read_checkout(fields: &mut Fields<'_>, customer: &Customer) -> Checkout {
    let market = customer.market();
    let currency = market.currency;
    let customer_phone = read_customer_phone(fields, &market.region);
    Checkout {
        customer_name: fields.text("customer_name", NAME_MAX),
        customer_phone,
        customer_email: fields.optional("customer_email", EMAIL_MAX, read_email),
        delivery_address: fields.text("delivery_address", ADDRESS_MAX),
        delivery_city: fields.optional_text("delivery_city", NAME_MAX, Lines::One),
        delivery_notes: fields.optional_text("delivery_notes", NOTES_MAX, Lines::Many),
        payment_method: fields.text("payment_method", PAYMENT_METHOD_MAX),
        expected_total: read_total(fields, currency),
        shipping: market.shipping,
        tax_rate: market.tax_rate,
        currency,
    }
}

/// A number for the courier. Nothing is sent there, so it may be of any country and kind.
fn read_customer_phone(fields: &mut Fields<'_>, region: &str) -> Option<String> {
    const FIELD: &str = "customer_phone";
    if !fields.has_text(FIELD) {
        return fields.optional_text(FIELD, PHONE_MAX, Lines::One);
    }
    let text = fields.pasted(FIELD, PHONE_MAX);
    if fields.is_wrong(FIELD) {
        return None;
    }
    let phone = Phone::parse(&text, Some(region));
    let phone = phone.map_err(|error| fields.wrong(FIELD, error.to_string())).ok()?;
    Some(phone.as_str().to_owned())
}

/// What is to be ordered: these items, or the cart if there are none. What could mean either is
/// wrong, since half of those who sent it would get what they did not want.
fn read_items(fields: &mut Fields<'_>) -> Option<Vec<(SkuId, u32)>> {
    const ITEMS: &str = "items";
    let use_cart = fields.flag("use_cart");
    if use_cart != Some(false) && !fields.is_given(ITEMS) {
        return None;
    }
    let items = fields.list(ITEMS, LINES_MAX as usize, read_item);
    match use_cart {
        Some(false) if items.is_empty() && !fields.is_wrong(ITEMS) => {
            fields.wrong(ITEMS, "must have at least 1 entry where use_cart is false");
        }
        Some(true) if !items.is_empty() => fields.wrong(
            ITEMS,
            "must be left out where use_cart is true, which orders the cart; send use_cart: false \
             to order the items",
        ),
        None if !fields.is_wrong("use_cart") && !fields.is_wrong(ITEMS) => fields.wrong(
            "use_cart",
            "is missing: false to order the items and leave the cart alone; to order the cart, \
             leave items out",
        ),
        _ => {}
    }
    (use_cart == Some(false)).then_some(items)
}

fn read_total(fields: &mut Fields<'_>, currency: Currency) -> Option<Money> {
    let text = fields.number("expected_total")?;
    match Money::parse(text, currency) {
        Ok(total) if total >= Money::ZERO => Some(total),
        Ok(_) => {
            fields.wrong("expected_total", "must not be negative");
            None
        }
        Err(error) => {
            fields.wrong("expected_total", error.to_string());
            None
        }
    }
}

/// Order the cart
///
/// One transaction: the cart is priced, the stock taken, the order written and the cart emptied.
/// All of it happens or nothing, and a cart becomes one order however often this is sent. With
/// `items` and `use_cart: false`, those items are ordered in the same way, and the cart stays as it
/// is.
#[utoipa::path(post, path = "/orders", tag = "Orders", security(("bearer" = [])),
    params(CartChangeHeaders), request_body = CheckoutBody,
    responses((status = 201, description = "The order", body = OrderJson,
               headers(("Location" = String, description = "Where it is"))),
              (status = 409, description = "`cart_empty` with `order_id` and `order_number` if an \
               order emptied the cart, `insufficient_stock`, `sku_unavailable`, `price_changed` \
               with `expected` and `actual`",
               body = ProblemSchema, content_type = "application/problem+json"),
              ChangeWithBody, TooMany, Missing, Stale))]
pub(crate) async fn checkout(customer: Customer, request: Mutation) -> Answer {
    let (items, checkout) =
        request.json(|fields| (read_items(fields), read_checkout(fields, &customer)))?;
    let items = match items {
        Some(named) => Some(Items::new(&named)?.expect("no items are a wrong field")),
        None => None,
    };
    let guard = request.cart_guard(&customer).await?;
    let (store, session, currency) = (customer.store(), customer.session(), customer.currency());
    let ordered = match items {
        Some(items) => store.order_items(session, items, checkout, guard).await,
        None => store.checkout(session, checkout, guard).await,
    };
    let done = ordered.map_err(|error| Problem::from(error).priced_in(currency))?;
    let json = OrderJson::of(&done.value, currency);
    let mut response = answer(StatusCode::CREATED, Audience::Customer, &json);
    let location = format!("/orders/{}", done.value.id);
    let location = HeaderValue::try_from(location).expect("a path with a number is a header value");
    response.headers_mut().insert(header::LOCATION, location);
    Ok(replayed(done.replayed, response))
}

/// Order the cart (as `POST /orders`)
#[utoipa::path(post, path = "/orders/create", tag = "Orders", security(("bearer" = [])),
    params(CartChangeHeaders), request_body = CheckoutBody,
    responses((status = 201, description = "The order", body = OrderJson,
               headers(("Location" = String, description = "Where it is"))),
              (status = 409, description = "`cart_empty` with `order_id` and `order_number` if an \
               order emptied the cart, `insufficient_stock`, `sku_unavailable`, `price_changed` \
               with `expected` and `actual`",
               body = ProblemSchema, content_type = "application/problem+json"),
              ChangeWithBody, TooMany, Missing, Stale))]
pub(crate) async fn create_order(customer: Customer, request: Mutation) -> Answer {
    checkout(customer, request).await
}

/// The orders
#[utoipa::path(get, path = "/profile/orders", tag = "Orders", security(("bearer" = [])),
    params(ReadHeaders, Paging,
        ("status_filter" = Option<String>, Query, description = "Only orders of this status",
         pattern = "^(pending|confirmed|processing|shipped|delivered|cancelled|returned)?$")),
    responses((status = 200, description = "A page of orders", body = Orders), Read, WrongQuery))]
pub(crate) async fn list_profile_orders(customer: Customer, request: Request) -> Answer {
    let (status, page) = query::parse(request.uri(), |query| {
        let words = OrderStatus::ALL.map(OrderStatus::as_str);
        (query.word("status_filter", OrderStatus::from_word, &words), query.page())
    })?;
    let listed = customer.store().orders(customer.session(), status, page).await?;
    Ok(list(&listed, page, customer.currency()))
}

fn list(listed: &Listed<Order>, page: Page, currency: Currency) -> Response {
    let json = Orders {
        success: true,
        orders: listed.items.iter().map(|order| OrderJson::of(order, currency)).collect(),
        total: listed.total,
        has_more: query::has_more(page, listed.items.len(), listed.total),
    };
    answer(StatusCode::OK, Audience::Customer, &json)
}

/// The orders (as `GET /profile/orders`)
#[utoipa::path(get, path = "/orders", tag = "Orders", security(("bearer" = [])),
    params(ReadHeaders, Paging,
        ("status_filter" = Option<String>, Query, description = "Only orders of this status",
         pattern = "^(pending|confirmed|processing|shipped|delivered|cancelled|returned)?$")),
    responses((status = 200, description = "A page of orders", body = Orders), Read, WrongQuery))]
pub(crate) async fn list_orders(customer: Customer, request: Request) -> Answer {
    list_profile_orders(customer, request).await
}

/// One order
#[utoipa::path(get, path = "/profile/orders/{id}", tag = "Orders", security(("bearer" = [])),
    params(ReadHeaders, ("id" = i64, Path, description = "An order's id", example = 1001)),
    responses((status = 200, description = "The order", body = OneOrder), Read, Missing))]
pub(crate) async fn get_profile_order(customer: Customer, PathId(id): PathId) -> Answer {
    let order = customer.store().order(customer.session(), OrderId(id)).await?;
    let json = OneOrder { success: true, order: OrderJson::of(&order, customer.currency()) };
    Ok(answer(StatusCode::OK, Audience::Customer, &json))
}

/// One order (as `GET /profile/orders/{id}`)
#[utoipa::path(get, path = "/orders/{id}", tag = "Orders", security(("bearer" = [])),
    params(ReadHeaders, ("id" = i64, Path, description = "An order's id", example = 1001)),
    responses((status = 200, description = "The order", body = OneOrder), Read, Missing))]
pub(crate) async fn get_order(customer: Customer, id: PathId) -> Answer {
    get_profile_order(customer, id).await
}

/// Cancel an order
///
/// Possible while it is `pending` or `confirmed`. Its pieces go back into stock.
#[utoipa::path(post, path = "/profile/orders/{id}/cancel", tag = "Orders",
    security(("bearer" = [])),
    params(ChangeHeaders, ("id" = i64, Path, description = "An order's id", example = 1001)),
    responses((status = 200, description = "It is cancelled", body = Cancelled),
              (status = 409, description = "`order_not_cancellable`",
               body = ProblemSchema, content_type = "application/problem+json"),
              Change, TooMany, Missing))]
pub(crate) async fn cancel_profile_order(
    customer: Customer,
    PathId(id): PathId,
    request: Mutation,
) -> Answer {
    let store = customer.store();
    let done = store.cancel_order(customer.session(), OrderId(id), request.guard()).await?;
    let json = Cancelled {
        success: true,
        message: format!("Order #{id} is cancelled."),
        order_id: id,
        status: OrderStatusJson(done.value.status),
    };
    Ok(replayed(done.replayed, answer(StatusCode::OK, Audience::Customer, &json)))
}

/// Cancel an order (as `POST /profile/orders/{id}/cancel`)
#[utoipa::path(post, path = "/orders/{id}/cancel", tag = "Orders", security(("bearer" = [])),
    params(ChangeHeaders, ("id" = i64, Path, description = "An order's id", example = 1001)),
    responses((status = 200, description = "It is cancelled", body = Cancelled),
              (status = 409, description = "`order_not_cancellable`",
               body = ProblemSchema, content_type = "application/problem+json"),
              Change, TooMany, Missing))]
pub(crate) async fn cancel_order(customer: Customer, id: PathId, request: Mutation) -> Answer {
    cancel_profile_order(customer, id, request).await
}

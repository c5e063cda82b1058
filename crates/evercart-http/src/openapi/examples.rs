//! What the document shows where one member follows from another: a story that can be copied into a
//! shell. Two shirts of the demo's catalogue go into a cart, become three, and are ordered. All
//! that is money is reckoned here, so that it adds up.

use serde_json::{Value, json};

use crate::problem::Code;

/// Cents of the shirt.
const PRICE: i64 = 59_99;

/// Cents that delivery costs below [`FREE_FROM`].
const SHIPPING: i64 = 9_99;

/// Cents of goods from which delivery is free.
const FREE_FROM: i64 = 75_00;

/// Pieces in the cart at first.
const QUANTITY: i64 = 2;

/// The picture of the shirt.
const IMAGE: &str = "/demo/images/linen-shirt-sand.svg";

const AT: &str = "2026-11-23T20:08:24Z";

/// An amount in major units. Below 2^53 a cent is told from its neighbours.
#[expect(clippy::cast_precision_loss, reason = "these amounts are small")]
fn amount(cents: i64) -> f64 {
    cents as f64 / 100.0
}

/// What delivery of these goods costs.
fn shipping_cost(goods: i64) -> i64 {
    if goods < FREE_FROM { SHIPPING } else { 0 }
}

/// What delivery costs in the market.
pub(crate) fn shipping() -> Value {
    json!({"flat": amount(SHIPPING), "free_from": amount(FREE_FROM)})
}

/// A line of the cart.
pub(crate) fn cart_item() -> Value {
    cart_item_of(QUANTITY)
}

fn cart_item_of(quantity: i64) -> Value {
    json!({
        "id": 1,
        "sku_id": 42,
        "product_id": 15,
        "sku_code": "LINEN-SHIRT-SAND-M",
        "name": "Relaxed Linen Shirt",
        "size": "M",
        "color": "Sand",
        "image": IMAGE,
        "quantity": quantity,
        "price": amount(PRICE),
        "line_total": amount(quantity * PRICE),
        "original_price": null,
        "available": true,
    })
}

/// The cart with two shirts.
pub(crate) fn cart() -> Value {
    cart_of(QUANTITY, 1)
}

/// The cart after its line was set to as many pieces as a body of `SetQuantity` shows.
pub(crate) fn cart_set() -> Value {
    cart_of(3, 2)
}

/// The cart with nothing in it any more.
pub(crate) fn cart_emptied() -> Value {
    cart_of(0, 3)
}

/// The cart after a merge.
pub(crate) fn cart_merged() -> Value {
    let mut cart = cart();
    cart["skipped"] = json!([]);
    cart
}

fn cart_of(quantity: i64, version: i64) -> Value {
    let items = if quantity == 0 { vec![] } else { vec![cart_item_of(quantity)] };
    json!({
        "id": 19,
        "user_id": 19,
        "version": version,
        "currency": "USD",
        "items": items,
        "total_items": quantity,
        "total_price": amount(quantity * PRICE),
        "notices": [],
        "updated_at": AT,
    })
}

/// What a customer says to order the cart.
pub(crate) fn checkout() -> Value {
    let goods = QUANTITY * PRICE;
    json!({
        "customer_name": "Jo Miller",
        "customer_phone": "+13128059851",
        "customer_email": "jo@example.com",
        "delivery_address": "233 S Wacker Dr",
        "delivery_city": "Chicago",
        "payment_method": "card",
        "expected_total": amount(goods + shipping_cost(goods)),
    })
}

/// What an order has of a line.
pub(crate) fn order_item() -> Value {
    json!({
        "id": 1,
        "sku_id": 42,
        "product_id": 15,
        "product_name": "Relaxed Linen Shirt",
        "sku_code": "LINEN-SHIRT-SAND-M",
        "size": "M",
        "color": "Sand",
        "image": IMAGE,
        "unit_price": amount(PRICE),
        "quantity": QUANTITY,
        "total_price": amount(QUANTITY * PRICE),
    })
}

/// The order of the cart.
pub(crate) fn order() -> Value {
    let goods = QUANTITY * PRICE;
    let shipping = shipping_cost(goods);
    json!({
        "id": 1001,
        "order_number": "#1001",
        "status": "pending",
        "subtotal": amount(goods),
        "shipping_cost": amount(shipping),
        "tax_amount": amount(0),
        "total_amount": amount(goods + shipping),
        "currency": "USD",
        "customer_name": "Jo Miller",
        "customer_phone": "+13128059851",
        "customer_email": "jo@example.com",
        "delivery_address": "233 S Wacker Dr",
        "delivery_city": "Chicago",
        "delivery_notes": null,
        "payment_method": "card",
        "order_date": AT,
        "delivery_date": null,
        "items_count": 1,
        "items": [order_item()],
        "history": [{"status": "pending", "at": AT}],
    })
}

/// The orders, of which there is one.
pub(crate) fn orders() -> Value {
    json!({"success": true, "orders": [order()], "total": 1, "has_more": false})
}

/// That the order is called off.
pub(crate) fn cancelled() -> Value {
    json!({
        "success": true,
        "message": "Order #1001 is cancelled.",
        "order_id": 1001,
        "status": "cancelled",
    })
}

/// The shirt as a wishlist shows it.
pub(crate) fn wished_product() -> Value {
    json!({
        "id": 15,
        "name": "Relaxed Linen Shirt",
        "brand": "Fennhollow",
        "image": IMAGE,
        "price": amount(PRICE),
        "original_price": null,
        "available": true,
    })
}

/// The wishlist after the last product was taken from it.
pub(crate) fn wishlist_emptied() -> Value {
    json!({"id": 19, "user_id": 19, "items": [], "total_items": 0})
}

/// The shirt as a list shows it.
pub(crate) fn product() -> Value {
    json!({
        "id": 15,
        "name": "Relaxed Linen Shirt",
        "brand": "Fennhollow",
        "category": "Clothing",
        "description": "European flax, garment-washed so it is soft from the first wear.",
        "image": IMAGE,
        "price": amount(PRICE),
        "original_price": null,
        "currency": "USD",
        "available": true,
    })
}

/// What can be bought of the shirt.
pub(crate) fn sku() -> Value {
    json!({
        "id": 42,
        "sku_code": "LINEN-SHIRT-SAND-M",
        "size": "M",
        "color": "Sand",
        "price": amount(PRICE),
        "original_price": null,
        "stock_status": "in_stock",
        "image": IMAGE,
    })
}

/// The customer.
pub(crate) fn profile() -> Value {
    json!({
        "id": 19,
        "phone_number": "+13128059851",
        "formatted_phone": "+1 312-805-9851",
        "name": "Jo Miller",
        "full_name": "Jo Miller",
        "email": "jo@example.com",
        "profile_image_url": null,
        "is_active": true,
        "is_verified": true,
        "market": "us",
        "language": "en",
        "country": "United States",
        "currency": "USD",
        "currency_code": "USD",
        "last_login": AT,
        "created_at": AT,
    })
}

/// The customer's address.
pub(crate) fn address() -> Value {
    json!({
        "id": 1,
        "title": "Home",
        "full_address": "233 S Wacker Dr, Chicago, IL 60606",
        "street": null,
        "building": null,
        "apartment": null,
        "city": "Chicago",
        "postal_code": null,
        "country": null,
        "is_default": true,
    })
}

/// That a code is on its way to `phone`, in a demo.
fn code_sent(phone: &str, message: &str) -> Value {
    json!({
        "success": true,
        "message": message,
        "phone_number": phone,
        "market": "us",
        "language": "en",
        "expires_in_minutes": 10,
        "resend_after_seconds": 60,
        "demo_code": "123456",
    })
}

/// That a code to sign in with is on its way.
pub(crate) fn code_to_sign_in() -> Value {
    code_sent("+13128059851", "We sent you a code. Type it in to sign in.")
}

/// That a code is on its way to the phone that an account is to move to.
pub(crate) fn code_to_new_phone() -> Value {
    code_sent("+13128059852", "We sent a code to the new number. Type it in to use it.")
}

/// The token of a new customer.
pub(crate) fn signed_in() -> Value {
    signed_in_with("+13128059851", true, "Welcome!")
}

/// The token after the account has moved to another phone.
pub(crate) fn signed_in_anew() -> Value {
    signed_in_with("+13128059852", false, "Your account has a new phone number.")
}

fn signed_in_with(phone: &str, is_new: bool, message: &str) -> Value {
    let name = if is_new { Value::Null } else { "Jo Miller".into() };
    let email = if is_new { Value::Null } else { "jo@example.com".into() };
    json!({
        "success": true,
        "message": message,
        "access_token": "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9.…",
        "token_type": "bearer",
        "expires_in": 1800,
        "user": {
            "id": 19,
            "phone": phone,
            "name": name.as_str().unwrap_or_default(),
            "full_name": name,
            "email": email,
            "is_active": true,
            "is_verified": true,
            "market": "us",
        },
        "market": "us",
        "is_new_user": is_new,
    })
}

/// All that is held of the customer, who has ordered once and has put two shirts into the cart
/// again.
pub(crate) fn export() -> Value {
    json!({
        "format": 1,
        "exported_at": AT,
        "profile": profile(),
        "cart": cart(),
        "cart_lines": [{
            "sku_id": 42,
            "quantity": QUANTITY,
            "price_when_added": amount(PRICE),
            "added_at": AT,
        }],
        "wishlist": {
            "id": 19,
            "user_id": 19,
            "items": [{"id": 1, "product_id": 15, "product": wished_product(), "added_at": AT}],
            "total_items": 1,
        },
        "blocked_at": null,
        "phone_held_until": null,
        "frozen_at": null,
        "messages": [],
        "orders": [order()],
        "addresses": [address()],
        "former_phones": [],
        "operator_actions": [{"action": "show", "at": AT, "reason": null}],
        "idempotency_keys": [{"key": "8e03978e-40d5-43e8-bc93-6894a57f9324", "at": AT}],
    })
}

/// That there are too few shirts left.
pub(crate) fn problem() -> Value {
    let code = Code::InsufficientStock;
    json!({
        "type": format!("urn:evercart:problem:{}", code.as_str()),
        "title": code.title(),
        "status": code.status().as_u16(),
        "detail": "Only 2 pieces of SKU 42 are left.",
        "code": code.as_str(),
        "request_id": "6c1a4f0e-5f0e-4e0b-8d9b-3d1f1f0b7a55",
        "sku_id": 42,
        "available": 2,
    })
}

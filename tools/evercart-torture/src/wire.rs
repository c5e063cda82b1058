//! Between what a client means and HTTP: a request for each intent, and what an answer says. What
//! in an answer breaks a promise by itself is noticed here.

use serde_json::{Value, json};

use crate::client::{Answer, Letter};
use crate::history::{AddressSeen, CartSeen, Intent, OrderSeen, Told};

/// How many orders are looked at; nobody has more.
const ORDERS_SHOWN: usize = 100;

/// The customer's name on an order, from which it can be told from every other.
fn recipient(customer: u32, tag: u32) -> String {
    format!("Customer {customer} order {tag}")
}

fn address_of(customer: u32, tag: u32) -> String {
    format!("{tag} Street of {customer}")
}

/// What a customer calls an address, from which it can be told from every other.
fn title(customer: u32, tag: u32) -> String {
    format!("Address of {customer} no {tag}")
}

fn full_address(customer: u32, tag: u32, revision: u32) -> String {
    format!("{revision} Road {tag} of {customer}")
}

/// Whose answers are read.
#[derive(Debug, Clone, Copy)]
pub struct Reader {
    /// The customer's number in the run.
    pub customer: u32,
    /// Their number in the shop, once it is known.
    pub user: Option<u64>,
}

/// What an answer says.
#[derive(Debug, Default)]
pub struct Read {
    /// None if it leaves open what was done.
    pub told: Option<Told>,
    /// Whether it had been done before.
    pub replayed: bool,
    /// For people.
    pub end: String,
    /// What breaks a promise.
    pub flaws: Vec<String>,
}

/// The request for an intent; without token, key and version.
pub fn letter(customer: u32, intent: &Intent) -> Letter {
    let post = |path: &str, body: Value| Letter::new("POST", path, Some(body));
    match intent {
        Intent::Add { sku, quantity } => {
            post("/cart/items", json!({"sku_id": sku, "quantity": quantity}))
        }
        Intent::Set { line, quantity, .. } => {
            let body = json!({"quantity": quantity});
            Letter::new("PUT", format!("/cart/items/{line}"), Some(body))
        }
        Intent::Remove { line, .. } => Letter::new("DELETE", format!("/cart/items/{line}"), None),
        Intent::Clear => Letter::new("DELETE", "/cart", None),
        Intent::Merge { items, sum } => {
            let item = |(sku, quantity): &(u64, u32)| json!({"sku_id": sku, "quantity": quantity});
            let items: Vec<_> = items.iter().map(item).collect();
            let strategy = if *sum { "sum" } else { "max" };
            post("/cart/merge", json!({"items": items, "strategy": strategy}))
        }
        Intent::Wish { product } => post("/wishlist/items", json!({"product_id": product})),
        Intent::Unwish { product } => {
            Letter::new("DELETE", format!("/wishlist/items/{product}"), None)
        }
        Intent::ClearWishes => Letter::new("DELETE", "/wishlist", None),
        Intent::Move { product, sku, quantity } => post(
            &format!("/wishlist/items/{product}/move-to-cart"),
            json!({"sku_id": sku, "quantity": quantity}),
        ),
        Intent::Checkout { tag, expected } => {
            let mut body = json!({
                "customer_name": recipient(customer, *tag),
                "delivery_address": address_of(customer, *tag),
                "payment_method": "card",
            });
            if let Some(cents) = expected {
                body["expected_total"] = json!(*cents as f64 / 100.0);
            }
            post("/orders", body)
        }
        Intent::AddAddress { tag } => {
            let title = title(customer, *tag);
            let full = full_address(customer, *tag, 0);
            post("/profile/addresses", json!({"title": title, "full_address": full}))
        }
        Intent::ChangeAddress { address, tag, revision } => {
            let full = full_address(customer, *tag, *revision);
            // Every other one becomes the default by it.
            let body = json!({"full_address": full, "is_default": revision % 2 == 0});
            Letter::new("PUT", format!("/profile/addresses/{address}"), Some(body))
        }
        Intent::RemoveAddress { address, .. } => {
            Letter::new("DELETE", format!("/profile/addresses/{address}"), None)
        }
        Intent::ReadAddresses => Letter::new("GET", "/profile/addresses", None),
        Intent::Cancel { order, .. } => {
            Letter::new("POST", format!("/profile/orders/{order}/cancel"), None)
        }
        Intent::ReadCart => Letter::new("GET", "/cart", None),
        Intent::ReadWishes => Letter::new("GET", "/wishlist", None),
        Intent::ReadOrders => {
            Letter::new("GET", format!("/profile/orders?limit={ORDERS_SHOWN}"), None)
        }
        Intent::Export => Letter::new("GET", "/auth/export", None),
        Intent::WhoAmI => Letter::new("GET", "/auth/verify-token", None),
        Intent::Logout => Letter::new("POST", "/auth/logout", None),
        // What these carry is not known beforehand.
        Intent::SignIn { .. } => Letter::new("POST", "/auth/verify-code", None),
        Intent::ChangePhone { .. } => Letter::new("POST", "/auth/phone/confirm", None),
        Intent::Copied | Intent::Returned => unreachable!("nobody asks for it"),
    }
}

/// Reads an answer.
pub fn read(reader: Reader, intent: &Intent, answer: &Answer) -> Read {
    let status = answer.status.as_u16();
    let body = answer.json();
    let code = body["code"].as_str().unwrap_or_default().to_owned();
    let mut read = Read { end: format!("{status} {code}").trim().to_owned(), ..Read::default() };
    read.replayed = answer.headers.contains_key("idempotent-replayed");
    match status {
        200 | 201 => {
            read.told = told(reader, intent, &body, &mut read.flaws);
            if read.told.is_none() {
                let text = body.to_string();
                read.flaws.push(format!("S6 broken: {intent:?} was answered {status} {text}"));
            }
            let makes = matches!(intent, Intent::Checkout { .. } | Intent::AddAddress { .. });
            let promised = if makes { 201 } else { 200 };
            if status != promised {
                let flaw = format!("G5 broken: {intent:?} was answered {status}, not {promised}");
                read.flaws.push(flaw);
            }
        }
        304 => read.told = Some(Told::NotModified),
        // It says itself that only a repeat can find out.
        408 | 503 => {}
        500.. => {
            let flaw = format!("U2 broken: {intent:?} was answered {status} {code}, not 503");
            read.flaws.push(flaw);
        }
        _ => read.told = Some(Told::Refused { status, code }),
    }
    read
}

fn told(reader: Reader, intent: &Intent, body: &Value, flaws: &mut Vec<String>) -> Option<Told> {
    let told = match intent {
        Intent::Wish { .. } | Intent::Unwish { .. } | Intent::ClearWishes | Intent::ReadWishes => {
            Told::Wishes(wishes(reader, body, flaws)?)
        }
        Intent::Checkout { .. } => Told::Order(order(reader, body, flaws)?),
        Intent::Cancel { .. } => Told::Cancelled(body["order_id"].as_u64()?),
        Intent::ReadOrders => {
            Told::Orders(body["total"].as_u64()?, orders(reader, &body["orders"], flaws)?)
        }
        Intent::Export => {
            whose(reader, &body["profile"]["id"], "an export", flaws);
            Told::Everything(
                cart(reader, &body["cart"], flaws)?,
                wishes(reader, &body["wishlist"], flaws)?,
                orders(reader, &body["orders"], flaws)?,
            )
        }
        Intent::WhoAmI => {
            whose(reader, &body["user_id"], "a token's owner", flaws);
            Told::Who { user: body["user_id"].as_u64()? }
        }
        Intent::SignIn { .. } | Intent::ChangePhone { .. } => {
            let expires_in = body["expires_in"].as_u64()?;
            Told::SignedIn { user: body["user"]["id"].as_u64()?, expires_in }
        }
        Intent::AddAddress { .. } | Intent::ChangeAddress { .. } => {
            Told::Address(address(reader, body, flaws)?)
        }
        Intent::ReadAddresses => Told::Addresses(addresses(reader, body, flaws)?),
        Intent::RemoveAddress { .. } => Told::Removed,
        Intent::Logout => Told::SignedOut,
        // All others read or change the cart.
        _ => {
            let skipped = body["skipped"].as_array().is_some_and(|skipped| !skipped.is_empty());
            if skipped {
                flaws.push(format!("G3 broken: a merge skipped what there is plenty of: {body}"));
            }
            Told::Cart(cart(reader, body, flaws)?)
        }
    };
    Some(told)
}

fn whose(reader: Reader, found: &Value, what: &str, flaws: &mut Vec<String>) {
    if let Some(user) = reader.user
        && found.as_u64() != Some(user)
    {
        flaws.push(format!("S1 broken: user {user} was shown {what} of user {found}"));
    }
}

/// Reads a cart.
pub fn cart(reader: Reader, body: &Value, flaws: &mut Vec<String>) -> Option<CartSeen> {
    whose(reader, &body["user_id"], "the cart", flaws);
    let (mut lines, mut pieces, mut total) = (Vec::new(), 0, 0);
    for item in body["items"].as_array()? {
        let quantity = u32::try_from(item["quantity"].as_u64()?).ok()?;
        let cost = cents(&item["price"])? * u64::from(quantity);
        if cents(&item["line_total"])? != cost {
            flaws.push(format!("G1 broken: a line does not add up: {item}"));
        }
        lines.push((item["id"].as_u64()?, item["sku_id"].as_u64()?, quantity));
        (pieces, total) = (pieces + u64::from(quantity), total + cost);
    }
    if body["total_items"].as_u64() != Some(pieces) || cents(&body["total_price"]) != Some(total) {
        flaws.push(format!("G1 broken: a cart does not add up: {body}"));
    }
    lines.sort_unstable_by_key(|(_, sku, _)| *sku);
    if lines.windows(2).any(|two| two[0].1 == two[1].1) {
        flaws.push(format!("G2 broken: a cart has two lines of one SKU: {body}"));
    }
    let (user, version) = (body["user_id"].as_u64()?, body["version"].as_u64()?);
    Some(CartSeen { user, version, lines })
}

fn wishes(reader: Reader, body: &Value, flaws: &mut Vec<String>) -> Option<Vec<u64>> {
    whose(reader, &body["user_id"], "the wishlist", flaws);
    let items = body["items"].as_array()?.iter();
    let mut products: Vec<_> =
        items.map(|item| item["product_id"].as_u64()).collect::<Option<_>>()?;
    products.sort_unstable();
    if products.windows(2).any(|two| two[0] == two[1]) {
        flaws.push(format!("G2 broken: a product is on a wishlist twice: {products:?}"));
    }
    Some(products)
}

fn addresses(reader: Reader, body: &Value, flaws: &mut Vec<String>) -> Option<Vec<AddressSeen>> {
    let list = body["addresses"].as_array()?;
    let defaults = list.iter().filter(|one| one["is_default"] == json!(true)).count();
    if defaults != usize::from(!list.is_empty()) {
        flaws.push(format!("G2 broken: {defaults} of the addresses are the default: {body}"));
    }
    list.iter().map(|one| address(reader, one, flaws)).collect()
}

fn address(reader: Reader, body: &Value, flaws: &mut Vec<String>) -> Option<AddressSeen> {
    let (called, full) = (body["title"].as_str()?, body["full_address"].as_str()?);
    let (customer, tag) = called.strip_prefix("Address of ")?.split_once(" no ")?;
    let (customer, tag): (u32, u32) = (customer.parse().ok()?, tag.parse().ok()?);
    let revision = full.split_once(' ')?.0.parse().ok()?;
    if customer != reader.customer || full != full_address(customer, tag, revision) {
        let own = reader.customer;
        flaws.push(format!("S1 broken: customer {own} was shown the address {body}"));
    }
    Some(AddressSeen { id: body["id"].as_u64()?, tag, revision })
}

fn orders(reader: Reader, list: &Value, flaws: &mut Vec<String>) -> Option<Vec<OrderSeen>> {
    let orders: Vec<_> =
        list.as_array()?.iter().map(|one| order(reader, one, flaws)).collect::<Option<_>>()?;
    let mut tags: Vec<_> = orders.iter().map(|order| order.tag).collect();
    tags.sort_unstable();
    if tags.windows(2).any(|two| two[0] == two[1]) {
        flaws.push(format!("G4 broken: a checkout has become two orders: {list}"));
    }
    Some(orders)
}

fn order(reader: Reader, body: &Value, flaws: &mut Vec<String>) -> Option<OrderSeen> {
    let name = body["customer_name"].as_str()?;
    let (customer, tag) = name.strip_prefix("Customer ")?.split_once(" order ")?;
    let (customer, tag): (u32, u32) = (customer.parse().ok()?, tag.parse().ok()?);
    if customer != reader.customer {
        let own = reader.customer;
        flaws.push(format!("S1 broken: customer {own} was shown an order of customer {customer}"));
    }
    if body["delivery_address"].as_str() != Some(&address_of(customer, tag)) {
        flaws.push(format!("S1 broken: an order of {name} goes to {}", body["delivery_address"]));
    }
    let (mut lines, mut total) = (Vec::new(), 0);
    for item in body["items"].as_array()? {
        let quantity = u32::try_from(item["quantity"].as_u64()?).ok()?;
        total += cents(&item["unit_price"])? * u64::from(quantity);
        lines.push((item["sku_id"].as_u64()?, quantity));
    }
    lines.sort_unstable();
    let shipping = cents(&body["shipping_cost"])?;
    let adds_up = cents(&body["subtotal"]) == Some(total)
        && cents(&body["total_amount"]) == Some(total + shipping);
    if !adds_up {
        flaws.push(format!("G4 broken: an order does not add up: {body}"));
    }
    let is_cancelled = match body["status"].as_str()? {
        "cancelled" => true,
        "pending" => false,
        other => {
            flaws.push(format!("G4 broken: an order nobody touched is {other}"));
            false
        }
    };
    Some(OrderSeen { id: body["id"].as_u64()?, customer, tag, is_cancelled, lines })
}

/// An amount of money with two decimals, far below what f64 holds exactly.
fn cents(amount: &Value) -> Option<u64> {
    let cents = amount.as_f64()? * 100.0;
    ((cents - cents.round()).abs() < 1e-3).then(|| cents.round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const READER: Reader = Reader { customer: 3, user: Some(7) };

    fn seen(items: &[(u64, u64, u64)], user: u64, total: f64) -> Value {
        let item = |(id, sku, quantity): &(u64, u64, u64)| {
            json!({"id": id, "sku_id": sku, "quantity": quantity, "price": 1.5,
                "line_total": 1.5 * *quantity as f64})
        };
        let pieces: u64 = items.iter().map(|(_, _, quantity)| quantity).sum();
        let items: Vec<_> = items.iter().map(item).collect();
        json!({"user_id": user, "version": 1, "items": items, "total_items": pieces,
            "total_price": total})
    }

    fn flaws(body: &Value) -> String {
        let mut flaws = Vec::new();
        cart(READER, body, &mut flaws).expect("a cart");
        flaws.join("; ")
    }

    #[test]
    fn a_cart_that_is_wrong_in_itself_is_noticed() {
        assert_eq!(flaws(&seen(&[(1, 5, 2), (2, 6, 1)], 7, 4.5)), "");
        assert!(flaws(&seen(&[(1, 5, 2)], 7, 4.5)).starts_with("G1 broken"));
        assert!(flaws(&seen(&[(1, 5, 2), (2, 5, 1)], 7, 4.5)).starts_with("G2 broken"));
        assert!(flaws(&seen(&[(1, 5, 2)], 8, 3.0)).starts_with("S1 broken"));
    }

    #[test]
    fn anothers_order_is_noticed() {
        let body = |customer: u32, address: &str| {
            json!({"id": 1001, "customer_name": recipient(customer, 2), "status": "pending",
                "delivery_address": address, "items": [], "subtotal": 0, "shipping_cost": 9.99,
                "total_amount": 9.99})
        };
        let flaws = |body: &Value| {
            let mut flaws = Vec::new();
            order(READER, body, &mut flaws).expect("an order");
            flaws.join("; ")
        };
        assert_eq!(flaws(&body(3, &address_of(3, 2))), "");
        assert!(flaws(&body(4, &address_of(4, 2))).starts_with("S1 broken"));
        assert!(flaws(&body(3, &address_of(4, 2))).starts_with("S1 broken"));
    }
}

//! A cart as JSON: its shape, and how it is written. What the catalogue says of a SKU is the same
//! in every cart, so it is written once and kept beside the SKU's facts; a line adds its own.

use evercart_core::cart::{Cart, Line, Merged, Notice, SkipReason, Skipped};
use evercart_core::catalogue::SkuFacts;
use evercart_core::money::{Currency, Money};
use serde::Serialize;
use utoipa::ToSchema;

use crate::json::{Amount, Utc, push_amount, push_integer};
use crate::openapi::{NoticeCode, SkipReason as SkipReasonWord, examples};

/// What a line takes in JSON, roughly, with a name and a picture of usual length.
const LINE_BYTES: usize = 320;
/// What a cart takes besides its lines.
const CART_BYTES: usize = 256;

/// A customer's cart. There is one for each customer; it is empty until something is added.
#[derive(ToSchema)]
#[cfg_attr(test, derive(Serialize))]
#[cfg_attr(not(test), expect(dead_code, reason = "describes what `write` writes"))]
#[schema(as = Cart, example = examples::cart)]
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
    /// Only in the answer to a merge: what was not taken over, or not wholly.
    #[cfg_attr(test, serde(skip_serializing_if = "Option::is_none"))]
    #[schema(required = false, nullable = false)]
    skipped: Option<Vec<SkippedJson>>,
}

/// A SKU of which a merge did not take over all that was offered.
#[derive(Serialize, ToSchema)]
#[schema(as = Skipped)]
pub(crate) struct SkippedJson {
    /// Which.
    #[schema(example = 42)]
    sku_id: i64,
    /// Why.
    #[schema(value_type = SkipReasonWord)]
    reason: &'static str,
}

/// One SKU in a cart.
#[derive(ToSchema)]
#[cfg_attr(test, derive(Serialize))]
#[cfg_attr(not(test), expect(dead_code, reason = "describes what `write` writes"))]
#[schema(example = examples::cart_item)]
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
    /// What changed.
    #[schema(value_type = NoticeCode)]
    code: &'static str,
    /// Which line.
    item_id: i64,
    /// Its SKU.
    sku_id: i64,
    /// The price when the customer last touched the line.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false, value_type = Amount)]
    was: Option<Amount>,
    /// The price now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false, value_type = Amount)]
    now: Option<Amount>,
    /// Pieces left.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    available: Option<i64>,
}

/// Writes a cart with what a merge did not take over.
pub(super) fn write_merged(merged: &Merged, currency: Currency) -> Vec<u8> {
    let mut out = write(&merged.cart, currency);
    out.pop();
    out.extend_from_slice(b",\"skipped\":");
    push(&mut out, &merged.skipped.iter().map(SkippedJson::of).collect::<Vec<_>>());
    out.push(b'}');
    out
}

impl SkippedJson {
    fn of(skipped: &Skipped) -> Self {
        let reason = match skipped.reason {
            SkipReason::NotFound => "not_found",
            SkipReason::SkuUnavailable => "sku_unavailable",
            SkipReason::InsufficientStock => "insufficient_stock",
            SkipReason::QuantityLimit => "quantity_limit",
        };
        Self { sku_id: skipped.sku_id.0, reason }
    }
}

/// Writes a cart, in the shape of [`CartJson`].
pub(super) fn write(cart: &Cart, currency: Currency) -> Vec<u8> {
    let mut out = Vec::with_capacity(CART_BYTES + LINE_BYTES * cart.lines.len());
    out.extend_from_slice(b"{\"id\":");
    push_integer(&mut out, cart.user_id.0);
    out.extend_from_slice(b",\"user_id\":");
    push_integer(&mut out, cart.user_id.0);
    out.extend_from_slice(b",\"version\":");
    push_integer(&mut out, cart.version);
    out.extend_from_slice(b",\"currency\":\"");
    out.extend_from_slice(currency.code().as_bytes());
    out.extend_from_slice(b"\",\"items\":[");
    for (index, line) in cart.lines.iter().enumerate() {
        out.extend_from_slice(if index == 0 { b"{\"id\":" } else { b",{\"id\":" });
        write_line(&mut out, line, currency);
    }
    out.extend_from_slice(b"],\"total_items\":");
    push_integer(&mut out, i64::try_from(cart.pieces()).unwrap_or(i64::MAX));
    out.extend_from_slice(b",\"total_price\":");
    push_amount(&mut out, cart.total(), currency);
    out.extend_from_slice(b",\"notices\":[");
    let all = cart.lines.iter().flat_map(|line| line.notices().map(move |notice| (line, notice)));
    for (index, (line, notice)) in all.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        push(&mut out, &NoticeJson::of(line, notice, currency));
    }
    out.extend_from_slice(b"],\"updated_at\":");
    push(&mut out, &cart.updated_at.map(Utc));
    out.push(b'}');
    out
}

/// Writes a line from its id on.
fn write_line(out: &mut Vec<u8>, line: &Line, currency: Currency) {
    push_integer(out, line.id.0);
    let written = line.sku.rendition.get_or_make(|| facts(&line.sku, currency));
    let mut parts = written.split(PART_END).map(str::as_bytes);
    let mut next = || parts.next().expect("`facts` writes three parts");
    out.extend_from_slice(next());
    push_integer(out, i64::from(line.quantity));
    out.extend_from_slice(next());
    push_amount(out, line.total(), currency);
    out.extend_from_slice(next());
    out.extend_from_slice(if line.is_available() { b"true}" } else { b"false}" });
}

/// Stands between the parts of what is kept of a SKU. JSON escapes it inside strings.
const PART_END: char = '\n';

/// What all lines of a SKU have in common: the part before the quantity, the one before the line's
/// total, and the one before its availability.
fn facts(sku: &SkuFacts, currency: Currency) -> String {
    let mut out = Vec::with_capacity(LINE_BYTES);
    let mut member = |name: &str, value: Member<'_>| {
        out.extend_from_slice(name.as_bytes());
        match value {
            Member::Integer(value) => push_integer(&mut out, value),
            Member::Text(value) => push(&mut out, &value),
            Member::Amount(value) => push(&mut out, &value.map(|value| Amount(value, currency))),
            Member::OfTheLine => out.push(PART_END as u8),
        }
    };
    member(",\"sku_id\":", Member::Integer(sku.sku_id.0));
    member(",\"product_id\":", Member::Integer(sku.product_id.0));
    member(",\"sku_code\":", Member::Text(Some(&sku.sku_code)));
    member(",\"name\":", Member::Text(Some(&sku.name)));
    member(",\"size\":", Member::Text(sku.size.as_deref()));
    member(",\"color\":", Member::Text(sku.color.as_deref()));
    member(",\"image\":", Member::Text(sku.image.as_deref()));
    member(",\"quantity\":", Member::OfTheLine);
    member(",\"price\":", Member::Amount(Some(sku.price)));
    member(",\"line_total\":", Member::OfTheLine);
    member(",\"original_price\":", Member::Amount(sku.original_price));
    member(",\"available\":", Member::OfTheLine);
    String::from_utf8(out).expect("JSON is UTF-8")
}

enum Member<'a> {
    Integer(i64),
    Text(Option<&'a str>),
    Amount(Option<Money>),
    OfTheLine,
}

fn push(out: &mut Vec<u8>, value: &impl Serialize) {
    serde_json::to_writer(out, value).expect("our own types are always JSON");
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use evercart_core::ids::{LineId, ProductId, SkuId, UserId};
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;

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
                skipped: None,
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

    fn a_line() -> impl Strategy<Value = Line> {
        let texts = ("\\PC{0,8}", ".{0,8}", proptest::option::of("[\n\"\\\\\u{0}é]{0,4}"));
        let prices = (0..10_000_000_i64, proptest::option::of(0..10_000_000_i64), 0..2_i64);
        (1..100_i64, texts, prices, (1..=999_u32, 0..999_i64), any::<bool>()).prop_map(
            |(
                id,
                (sku_code, name, other),
                (price, original, rise),
                (quantity, on_hand),
                active,
            )| {
                let sku = SkuFacts {
                    sku_id: SkuId(id * 7),
                    product_id: ProductId(id * 3),
                    sku_code,
                    name,
                    size: other.clone(),
                    color: None,
                    image: other,
                    price: Money(price),
                    original_price: original.map(Money),
                    active,
                    rendition: Default::default(),
                };
                let price_when_added = Money(price + rise);
                Line { id: LineId(id), sku: Arc::new(sku), quantity, price_when_added, on_hand }
            },
        )
    }

    proptest! {
        #[test]
        fn a_cart_is_written_as_its_shape_says(
            lines in proptest::collection::vec(a_line(), 0..4),
            version in 0..1_000_i64,
            updated_s in proptest::option::of(0..4_000_000_000_i64),
            currency in proptest::sample::select(vec!["USD", "JPY", "KWD"]),
        ) {
            let updated_at = updated_s.map(|s| Timestamp::from_second(s).expect("in range"));
            let currency = currency.parse().expect("a currency");
            let cart = Cart { user_id: UserId(19), version, lines, updated_at };
            let shape = serde_json::to_string(&CartJson::of(&cart, currency)).expect("JSON");
            // The second time from what the first one kept.
            for _ in 0..2 {
                let written = String::from_utf8(write(&cart, currency)).expect("UTF-8");
                prop_assert_eq!(&written, &shape);
            }
        }
    }
}

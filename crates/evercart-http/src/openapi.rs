//! The OpenAPI document: what the routes share in it, and the document as a whole. What an
//! operation takes and answers stands beside its handler.

pub(crate) mod examples;
mod words;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoParams, IntoResponses, Modify, OpenApi as _, ToSchema};

use crate::json::{Amount, Utc};
use crate::order::OrderStatusJson;
use crate::routes;

pub(crate) use self::words::{NoticeCode, ProblemCode, SkipReason};

/// The document as JSON, pretty and the same for the same code.
pub fn openapi_json() -> String {
    let mut text = serde_json::to_string_pretty(&routes::described())
        .expect("the document is maps and strings");
    text.push('\n');
    text
}

/// The document as it is served.
pub(crate) fn document() -> &'static str {
    static DOCUMENT: LazyLock<String> = LazyLock::new(openapi_json);
    &DOCUMENT
}

/// What stands above the operations.
pub(crate) fn head() -> OpenApi {
    Head::openapi()
}

/// That a body may be left out is said by an `Option`, which would let `null` stand for one, too.
/// Likewise an operation without a token has an empty list of them, so that it is no oversight.
pub(crate) fn say_what_macros_cannot(document: &mut OpenApi) {
    for item in document.paths.paths.values_mut() {
        let operations =
            [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            operation.security.get_or_insert_default();
        }
    }
    let Some(line) = document.paths.paths.get_mut("/cart/items/{id}") else {
        unreachable!("a cart has lines")
    };
    for setting in [&mut line.put, &mut line.patch] {
        let body = setting.as_mut().and_then(|setting| setting.request_body.as_mut());
        let Some(RefOr::T(body)) = body else { unreachable!("a quantity is set with a body") };
        body.required = None;
    }
}

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Evercart",
        description = "A shop backend: a customer never loses their cart, wishlist or orders, and \
                       nobody else ever gets at them.\n\nEvery path is also served under \
                       `/api/v1`, and with one slash at its end. Bodies are JSON in UTF-8, at \
                       most 64 KiB. An integer in a body is read from any number without a \
                       fraction (`2`, `2.0`, `2e0`) and from a text of digits (`\"2\"`), which \
                       some clients send. Every answer has an `X-Request-Id`, the client's own \
                       if it sent one. Errors are `application/problem+json`; a client whose \
                       `Accept` names only `application/json` gets them as that, with `message` \
                       beside `detail`.\n\n\
                       Amounts are JSON numbers with exactly the currency's decimals (`59.99`), \
                       to be read as decimals. JavaScript and TypeScript: a number holds any \
                       amount below 10^12; add in minor units (`Math.round(amount * 100)`). \
                       Python: `json.loads(text, parse_float=Decimal)`, and openapi-generator's \
                       `mapNumberTo=Decimal`. Java and Kotlin: `BigDecimal`. C#: `decimal`. Go: \
                       `json.Number`. Ruby: `JSON.parse(text, decimal_class: BigDecimal)`. Rust: \
                       serde_json's `arbitrary_precision`. Swift: `Decimal`. PHP and Dart: a \
                       float, rounded to the currency's decimals before it is shown or added.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    servers((url = "/", description = "This server"),
            (url = "/api/v1", description = "The same under another path")),
    tags(
        (name = "Signing in", description = "A phone, a code, a token; and back out."),
        (name = "Profile", description = "What the shop knows of a customer."),
        (name = "Cart", description = "One for each customer, kept for ever."),
        (name = "Wishlist", description = "One for each customer, a product at most once in it."),
        (name = "Orders", description = "What carts become, once."),
        (name = "Addresses", description = "Where orders go."),
        (name = "Catalogue", description = "What a market sells. No token needed."),
        (name = "Operating", description = "Is it alive, is it ready, what can it do."),
    ),
    components(schemas(Problem, FieldError)),
    modifiers(&Bearer)
)]
struct Head;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some("The `access_token` from `POST /auth/verify-code`."))
            .build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

/// Why a request was not done (RFC 9457). Some problems carry facts in members of their own; which
/// of them, the `code` says.
#[derive(ToSchema)]
#[schema(example = examples::problem)]
#[allow(dead_code, reason = "describes what the problem module writes")]
pub(crate) struct Problem {
    /// A name for the kind of problem.
    #[schema(example = "urn:evercart:problem:insufficient_stock")]
    r#type: String,
    /// A summary that is the same every time.
    #[schema(example = "Not enough pieces are left")]
    title: String,
    #[schema(example = 409)]
    status: u16,
    /// A sentence for a person.
    #[schema(example = "Only 2 pieces of SKU 42 are left.")]
    detail: String,
    code: ProblemCode,
    /// To be told to whoever runs the shop.
    #[schema(example = "6c1a4f0e-5f0e-4e0b-8d9b-3d1f1f0b7a55")]
    request_id: String,
    /// With `validation_failed`: what is wrong with which field.
    #[schema(required = false, nullable = false)]
    errors: Option<Vec<FieldError>>,
    /// `detail` again, for a client whose `Accept` names only `application/json`.
    #[schema(required = false, nullable = false)]
    message: Option<String>,
    /// With `insufficient_stock` and `sku_unavailable`: which SKU.
    #[schema(required = false, nullable = false, example = 42)]
    sku_id: Option<i64>,
    /// With `insufficient_stock`: pieces left.
    #[schema(required = false, nullable = false, minimum = 0, example = 2)]
    available: Option<i64>,
    /// With `quantity_limit` and some `rate_limited`: how many are possible.
    #[schema(required = false, nullable = false, example = 999)]
    limit: Option<i64>,
    /// With `limit`: of what.
    #[schema(required = false, nullable = false, example = "pieces of one SKU")]
    of: Option<String>,
    /// With `price_changed`: the total the client expected, in `currency`. With `version_conflict`:
    /// the cart's version in `If-Match`.
    #[schema(required = false, nullable = false, value_type = Amount)]
    expected: Option<Amount>,
    /// With `price_changed`: what the total is now. With `version_conflict`: the cart's version.
    #[schema(required = false, nullable = false, value_type = Amount)]
    actual: Option<Amount>,
    /// With `price_changed`: what the amounts are in, ISO 4217.
    #[schema(required = false, nullable = false, example = "USD")]
    currency: Option<String>,
    /// With `cart_empty`, if an order emptied the cart: which.
    #[schema(required = false, nullable = false, example = 1001)]
    order_id: Option<i64>,
    /// With `order_id`: what people call it.
    #[schema(required = false, nullable = false, example = "#1001")]
    order_number: Option<String>,
    /// With `order_not_cancellable`: how far the order is.
    #[schema(required = false, nullable = false, value_type = OrderStatusJson)]
    order_status: Option<OrderStatusJson>,
    /// With `open_orders`: the ids of orders still to be delivered, the oldest first.
    #[schema(required = false, nullable = false)]
    orders: Option<Vec<i64>>,
    /// With `phone_moved` and `phone_on_hold`: when the hold is over. It is left out while the shop
    /// has to decide.
    #[schema(required = false, nullable = false, value_type = Utc)]
    until: Option<Utc>,
}

/// One wrong field.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes what the problem module writes")]
pub(crate) struct FieldError {
    #[schema(example = "quantity")]
    field: String,
    /// What was expected and what was found.
    #[schema(example = "must be an integer from 1 to 999, found 1000")]
    detail: String,
}

/// The market of a request with a token.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[allow(dead_code, reason = "describes headers")]
pub(crate) struct ReadHeaders {
    /// May be left out: the token says it. Another one than the token's is refused.
    #[param(nullable = false, rename = "X-Market", example = "us")]
    market: Option<String>,
}

/// The market of a request without a token.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[allow(dead_code, reason = "describes headers")]
pub(crate) struct PublicHeaders {
    /// The market, if the token or the shop's default does not say it.
    #[param(nullable = false, rename = "X-Market", example = "us")]
    market: Option<String>,
    /// An `ETag`: answered with 304 if the answer still has it.
    #[param(nullable = false, rename = "If-None-Match")]
    if_none_match: Option<String>,
}

/// What a change without a token takes.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[allow(dead_code, reason = "describes headers")]
pub(crate) struct PublicChangeHeaders {
    /// May be left out: the phone says it.
    #[param(nullable = false, rename = "X-Market", example = "us")]
    market: Option<String>,
    /// Do it once, however often it is sent within 24 hours.
    #[param(
        nullable = false,
        rename = "Idempotency-Key",
        min_length = 1,
        max_length = 255,
        pattern = "^[!-~]([ -~]*[!-~])?$"
    )]
    idempotency_key: Option<String>,
}

/// What a change takes.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[allow(dead_code, reason = "describes headers")]
pub(crate) struct ChangeHeaders {
    /// May be left out: the token says it. Another one than the token's is refused.
    #[param(nullable = false, rename = "X-Market", example = "us")]
    market: Option<String>,
    /// Do it once, however often it is sent within 24 hours. A repeat is answered as the first
    /// time, with `Idempotent-Replayed: true`.
    #[param(
        nullable = false,
        rename = "Idempotency-Key",
        min_length = 1,
        max_length = 255,
        pattern = "^[!-~]([ -~]*[!-~])?$"
    )]
    idempotency_key: Option<String>,
}

/// What a change of the cart takes.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[allow(dead_code, reason = "describes headers")]
pub(crate) struct CartChangeHeaders {
    /// May be left out: the token says it. Another one than the token's is refused.
    #[param(nullable = false, rename = "X-Market", example = "us")]
    market: Option<String>,
    /// Do it once, however often it is sent within 24 hours. A repeat is answered as the first
    /// time, with `Idempotent-Replayed: true`.
    #[param(
        nullable = false,
        rename = "Idempotency-Key",
        min_length = 1,
        max_length = 255,
        pattern = "^[!-~]([ -~]*[!-~])?$"
    )]
    idempotency_key: Option<String>,
    /// The cart's `ETag`: do it only if the cart is still at that version.
    #[param(nullable = false, rename = "If-Match")]
    if_match: Option<String>,
}

/// Which part of a list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "describes parameters")]
pub(crate) struct Paging {
    /// At most so many.
    #[param(nullable = false, minimum = 1, maximum = 100, default = 20)]
    limit: Option<u32>,
    /// After so many.
    #[param(nullable = false, minimum = 0, maximum = 9007199254740991_i64, default = 0)]
    offset: Option<u64>,
}

fn problem(description: &str) -> RefOr<Response> {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    ResponseBuilder::new()
        .description(description)
        .content("application/problem+json", content)
        .build()
        .into()
}

macro_rules! responses {
    ($($(#[$doc:meta])* $name:ident { $($status:literal $description:literal,)* })*) => {$(
        $(#[$doc])*
        pub(crate) struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                [$(($status, $description),)*]
                    .into_iter()
                    .map(|(status, description)| (status.to_owned(), problem(description)))
                    .collect()
            }
        }
    )*};
}

responses! {
    /// What any operation may answer.
    Default5xx {
        "400" "`host_required`",
        "default" "`internal_error`: something is wrong on our side",
    }
    /// How a read of a customer's data can end.
    Read {
        "400" "`market_mismatch`, `market_unknown`",
        "401" "`not_authenticated`, `token_invalid`, `token_expired`, `signed_out`, `user_blocked`",
        "503" "`overloaded`, `store_unavailable`; see `Retry-After`",
        "default" "`internal_error`: something is wrong on our side",
    }
    /// How a read of the catalogue can end.
    PublicRead {
        "400" "`market_required`, `market_unknown`, `market_mismatch`",
        "503" "`catalogue_busy`, `overloaded`, `store_unavailable`; see `Retry-After`",
        "default" "`internal_error`: something is wrong on our side",
    }
    /// How a change without a body can end.
    Change {
        "400" "`market_mismatch`, `market_unknown`",
        "401" "`not_authenticated`, `token_invalid`, `token_expired`, `signed_out`, `user_blocked`",
        "413" "`body_too_large`",
        "422" "`validation_failed` (of `Idempotency-Key`), `idempotency_key_reused`",
        "503" "`overloaded`, `store_unavailable`; see `Retry-After`, retry with the same key",
        "default" "`internal_error`: something is wrong on our side",
    }
    /// How a change with a body can end.
    ChangeWithBody {
        "400" "`malformed_json`, `market_mismatch`, `market_unknown`",
        "401" "`not_authenticated`, `token_invalid`, `token_expired`, `signed_out`, `user_blocked`",
        "413" "`body_too_large`",
        "415" "`unsupported_media_type`",
        "422" "`validation_failed`, `quantity_limit`, `idempotency_key_reused`",
        "503" "`overloaded`, `store_unavailable`; see `Retry-After`, retry with the same key",
        "default" "`internal_error`: something is wrong on our side",
    }
    /// How a change without a token can end.
    PublicChange {
        "400" "`malformed_json`, `market_required`, `market_unknown`, `market_mismatch`",
        "413" "`body_too_large`",
        "415" "`unsupported_media_type`",
        "422" "`validation_failed`, `idempotency_key_reused`",
        "503" "`overloaded`, `store_unavailable`, `sms_unavailable`; see `Retry-After`",
        "default" "`internal_error`: something is wrong on our side",
    }
    /// A customer changes more than one customer may.
    TooMany {
        "429" "`rate_limited`: more than one customer may do; see `limit`, `of` and `Retry-After`",
    }
    /// What was named is not there.
    Missing {
        "404" "`not_found`: there is no such thing, or it is somebody else's",
    }
    /// The cart moved on.
    Stale {
        "412" "`version_conflict`: `If-Match` names an older cart",
    }
    /// A query that cannot be read.
    WrongQuery {
        "422" "`validation_failed`",
    }
}

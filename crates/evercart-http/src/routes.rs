//! The whole API on one screen.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::routing::{MethodRouter, get};
use tower_http::cors::{AllowOrigin, CorsLayer};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};
use utoipa_axum::routes;

use crate::edge::{self, EdgeLayer};
use crate::{
    Shop, account, address, cart, catalogue, code, market, openapi, operating, order, phone_change,
    sign_in, storefront, user, wishlist,
};

/// An operation with its description, which is made when it is asked for: all of them at once are
/// megabytes.
type Operation = fn() -> UtoipaMethodRouter<Arc<Shop>>;

const OPERATIONS: &[Operation] = &[
    || routes!(code::send_code),
    || routes!(code::send_verification),
    || routes!(sign_in::verify_code),
    || routes!(sign_in::logout),
    || routes!(sign_in::verify_token),
    || routes!(market::list_markets),
    || routes!(account::ask_for_phone),
    || routes!(account::confirm_phone),
    || routes!(phone_change::stop_phone_change),
    || routes!(account::export),
    || routes!(account::erase),
    || routes!(user::get_profile, user::change_profile, user::patch_profile),
    || routes!(cart::get_cart, cart::clear_cart),
    || routes!(cart::add_item),
    || routes!(cart::merge_cart),
    || routes!(cart::cart_events),
    || routes!(cart::set_item, cart::patch_item, cart::remove_item),
    || routes!(wishlist::get_wishlist, wishlist::clear_wishlist),
    || routes!(wishlist::add_wish),
    || routes!(wishlist::remove_wish),
    || routes!(wishlist::move_to_cart),
    || routes!(order::checkout, order::list_orders),
    || routes!(order::create_order),
    || routes!(order::get_order),
    || routes!(order::cancel_order),
    || routes!(order::list_profile_orders),
    || routes!(order::get_profile_order),
    || routes!(order::cancel_profile_order),
    || routes!(address::list_addresses, address::add_address),
    || routes!(address::change_address, address::patch_address, address::remove_address),
    || routes!(catalogue::list_products),
    || routes!(catalogue::get_product),
    || routes!(catalogue::list_categories),
    || routes!(operating::healthz),
    || routes!(operating::readyz),
    || routes!(operating::openapi_document),
    || routes!(operating::docs_page),
];

/// Each path's own route, and again with a slash behind it: no request is rewritten, and none is
/// sent elsewhere, on which way clients lose bodies and tokens.
fn api() -> Router<Arc<Shop>> {
    OPERATIONS.iter().fold(Router::new(), |api, operation| {
        let (_, paths, methods) = operation();
        paths.paths.keys().fold(api, |api, path| beside(api, path, methods.clone()))
    })
}

/// Serves a path with and without a slash behind it.
fn beside(
    router: Router<Arc<Shop>>,
    path: &str,
    methods: MethodRouter<Arc<Shop>>,
) -> Router<Arc<Shop>> {
    router.route(&format!("{path}/"), methods.clone()).route(path, methods)
}

/// What the API's description says.
pub(crate) fn described() -> OpenApi {
    let described = OpenApiRouter::with_openapi(openapi::head());
    let described =
        OPERATIONS.iter().fold(described, |described, operation| described.routes(operation()));
    let mut document = described.into_openapi();
    openapi::say_what_macros_cannot(&mut document);
    document
}

/// The public listener. Serve it with `ConnectInfo<SocketAddr>`, which limits by address need.
pub fn router(shop: Arc<Shop>) -> Router {
    let mut api = beside(api(), "/docs.css", get(operating::docs_style));
    api = beside(api, "/docs.js", get(operating::docs_script));
    if shop.demo {
        api = beside(api, "/demo/images/{name}", get(operating::demo_picture));
    }
    let mut both = Router::new().nest("/api/v1", api.clone()).merge(api);
    both = both
        .route("/robots.txt", get(storefront::robots))
        .route("/shop/sitemap.xml", get(storefront::sitemap));
    for path in ["/shop", "/shop/", "/shop/{*path}"] {
        both = both.route(path, get(storefront::storefront));
    }
    let strict_transport = shop.strict_transport;
    finish(both, shop, strict_transport)
}

/// The operators' listener.
pub fn internal_router(shop: Arc<Shop>) -> Router {
    let routes = [
        ("/metrics", get(operating::metrics)),
        ("/healthz", get(operating::healthz)),
        ("/readyz", get(operating::readyz)),
    ];
    let router = routes
        .into_iter()
        .fold(Router::new(), |router, (path, methods)| beside(router, path, methods));
    finish(router, shop, None)
}

fn finish(
    router: Router<Arc<Shop>>,
    shop: Arc<Shop>,
    strict_transport: Option<Duration>,
) -> Router {
    let cors = cors(&shop.cors_origins, shop.demo);
    let mut router = router
        .fallback(operating::no_route)
        .method_not_allowed_fallback(operating::no_method)
        .with_state(Arc::clone(&shop));
    if let Some(cors) = cors {
        router = router.layer(cors);
    }
    router.layer(EdgeLayer::new(shop, strict_transport))
}

/// Lets the pages of `origins` call this API, and those of a demo's developer: what a front end's
/// own server shows from this machine. There are no cookies, so there are no credentials.
fn cors(origins: &[String], demo: bool) -> Option<CorsLayer> {
    let origin = if origins.iter().any(|origin| origin == "*") {
        AllowOrigin::any()
    } else {
        let origins: Vec<_> =
            origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()).collect();
        if origins.is_empty() && !demo {
            return None;
        }
        AllowOrigin::predicate(move |origin, _| {
            origins.contains(origin) || demo && is_loopback(origin)
        })
    };
    const X_MARKET: HeaderName = HeaderName::from_static("x-market");
    const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
    const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
    let layer = CorsLayer::new()
        .allow_origin(origin)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            IDEMPOTENCY_KEY,
            header::IF_MATCH,
            header::IF_NONE_MATCH,
            cart::LAST_EVENT_ID,
            X_MARKET,
            edge::REQUEST_ID,
        ])
        .expose_headers([header::ETAG, header::RETRY_AFTER, IDEMPOTENT_REPLAYED, edge::REQUEST_ID])
        .max_age(Duration::from_secs(3600));
    Some(layer)
}

/// True for the origin of a page that this machine serves to itself, on any port.
fn is_loopback(origin: &HeaderValue) -> bool {
    let Ok(origin) = origin.to_str() else { return false };
    let Some((_, address)) = origin.split_once("://") else { return false };
    ["localhost", "127.0.0.1", "[::1]"].into_iter().any(|host| {
        address.strip_prefix(host).is_some_and(|rest| {
            let port = rest.strip_prefix(':');
            rest.is_empty() || port.is_some_and(|port| port.bytes().all(|b| b.is_ascii_digit()))
        })
    })
}

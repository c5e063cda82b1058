//! The whole API on one screen.

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::routing::get;
use tower_http::cors::{AllowOrigin, CorsLayer};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::edge::{self, EdgeLayer};
use crate::{
    Shop, account, address, cart, catalogue, code, market, openapi, operating, order, phone_change,
    sign_in, storefront, user, wishlist,
};

fn api() -> OpenApiRouter<Arc<Shop>> {
    OpenApiRouter::with_openapi(openapi::head())
        .routes(routes!(code::send_code))
        .routes(routes!(code::send_verification))
        .routes(routes!(sign_in::verify_code))
        .routes(routes!(sign_in::logout))
        .routes(routes!(sign_in::verify_token))
        .routes(routes!(market::list_markets))
        .routes(routes!(account::ask_for_phone))
        .routes(routes!(account::confirm_phone))
        .routes(routes!(phone_change::stop_phone_change))
        .routes(routes!(account::export))
        .routes(routes!(account::erase))
        .routes(routes!(user::get_profile, user::change_profile))
        .routes(routes!(cart::get_cart, cart::clear_cart))
        .routes(routes!(cart::add_item))
        .routes(routes!(cart::merge_cart))
        .routes(routes!(cart::cart_events))
        .routes(routes!(cart::set_item, cart::remove_item))
        .routes(routes!(wishlist::get_wishlist, wishlist::clear_wishlist))
        .routes(routes!(wishlist::add_wish))
        .routes(routes!(wishlist::remove_wish))
        .routes(routes!(wishlist::move_to_cart))
        .routes(routes!(order::checkout, order::list_orders))
        .routes(routes!(order::create_order))
        .routes(routes!(order::get_order))
        .routes(routes!(order::cancel_order))
        .routes(routes!(order::list_profile_orders))
        .routes(routes!(order::get_profile_order))
        .routes(routes!(order::cancel_profile_order))
        .routes(routes!(address::list_addresses, address::add_address))
        .routes(routes!(address::change_address, address::remove_address))
        .routes(routes!(catalogue::list_products))
        .routes(routes!(catalogue::get_product))
        .routes(routes!(catalogue::list_categories))
        .routes(routes!(operating::healthz))
        .routes(routes!(operating::readyz))
        .routes(routes!(operating::openapi_document))
        .routes(routes!(operating::docs_page))
}

/// What the API's description says.
pub(crate) fn described() -> OpenApi {
    let mut document = api().into_openapi();
    openapi::say_what_macros_cannot(&mut document);
    document
}

/// The public listener. Serve it with `ConnectInfo<SocketAddr>`, which limits by address need.
pub fn router(shop: Arc<Shop>) -> Router {
    let mut api: Router<Arc<Shop>> = api().into();
    api = api.route("/docs.css", get(operating::docs_style));
    if shop.demo {
        api = api.route("/demo/images/{name}", get(operating::demo_picture));
    }
    let mut both = Router::new().nest("/api/v1", api.clone()).merge(api);
    for path in ["/shop", "/shop/", "/shop/{*path}"] {
        both = both.route(path, get(storefront::storefront));
    }
    finish(both, shop)
}

/// The operators' listener.
pub fn internal_router(shop: Arc<Shop>) -> Router {
    let router = Router::new()
        .route("/metrics", get(operating::metrics))
        .route("/healthz", get(operating::healthz))
        .route("/readyz", get(operating::readyz));
    finish(router, shop)
}

fn finish(router: Router<Arc<Shop>>, shop: Arc<Shop>) -> Router {
    let cors = cors(&shop.cors_origins);
    let mut router = router
        .fallback(operating::no_route)
        .method_not_allowed_fallback(operating::no_method)
        .with_state(Arc::clone(&shop));
    if let Some(cors) = cors {
        router = router.layer(cors);
    }
    router.layer(EdgeLayer::new(shop))
}

/// Lets the pages of `origins` call this API. There are no cookies, so there are no credentials.
fn cors(origins: &[String]) -> Option<CorsLayer> {
    let origin = if origins.iter().any(|origin| origin == "*") {
        AllowOrigin::any()
    } else {
        let origins: Vec<_> =
            origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()).collect();
        if origins.is_empty() {
            return None;
        }
        AllowOrigin::list(origins)
    };
    const X_MARKET: HeaderName = HeaderName::from_static("x-market");
    const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
    const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
    let layer = CorsLayer::new()
        .allow_origin(origin)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
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
        .max_age(std::time::Duration::from_secs(3600));
    Some(layer)
}

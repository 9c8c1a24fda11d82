//! `/api/checkout/`: the server functions.

use std::sync::Arc;

use app::api::Backend;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{ACCEPT, CACHE_CONTROL, REFERER};
use axum::http::{HeaderValue, Method};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use domain::Problem;
use leptos::prelude::provide_context;
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::widget;
use crate::backend::ShopBackend;
use crate::config::ConfigError;
use crate::render;
use crate::state::AppState;

pub(super) fn router() -> Router<AppState> {
    [app::api::QUOTE, app::api::START, app::api::STATUS]
        .into_iter()
        .fold(Router::new(), |router, address| router.route(address, any(call)))
        .route(app::api::WIDGET, get(widget::table))
        .route("/api/{*nothing}", any(|| async { render::problem(&Problem::NotFound) }))
}

/// Storefronts on the list may read the answers, whatever they are; nobody else may.
pub(super) fn cors(state: &AppState) -> Result<CorsLayer, ConfigError> {
    let origins = state
        .shop
        .storefront_origins
        .iter()
        .map(|origin| HeaderValue::from_str(origin))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| ConfigError::Setting { setting: "storefront_origins", what: error.to_string() })?;
    Ok(CorsLayer::new().allow_origin(AllowOrigin::list(origins)).allow_methods([Method::GET, Method::POST]))
}

async fn call(State(state): State<AppState>, mut request: Request) -> Response {
    // For a client without scripts leptos would answer with a redirect to wherever the Referer points.
    // This API is for scripts; forms have addresses of their own.
    request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
    request.headers_mut().remove(REFERER);
    let backend: Arc<dyn Backend> = Arc::new(ShopBackend(Arc::clone(&state.checkout)));
    let context = move || provide_context(Arc::clone(&backend));
    let mut response = leptos_axum::handle_server_fns_with_context(context, request).await.into_response();
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

//! What an operator's tools ask, on a listener of its own.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use checkout::checkout::Checkout;

/// `/healthz` (the process answers) and `/readyz` (the database does too).
pub fn router(checkout: Arc<Checkout>) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .with_state(checkout)
}

async fn ready(State(checkout): State<Arc<Checkout>>) -> (StatusCode, &'static str) {
    match checkout.store().ready().await {
        Ok(()) => (StatusCode::OK, "ready\n"),
        Err(error) => {
            tracing::error!(%error, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n")
        }
    }
}

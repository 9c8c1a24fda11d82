//! The addresses that the gateway and its visitors come to.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use checkout::callbacks::{NotifyAnswer, Return};
use mypos::Door;

use super::MAX_BODY_BYTES;
use crate::backend::unavailable;
use crate::render;
use crate::state::AppState;

/// How long a body may take to arrive. What happens with it afterwards has no time-out.
const BODY_PATIENCE: Duration = Duration::from_secs(10);

/// Where the gateway itself comes.
pub(super) fn notifications() -> Router<AppState> {
    Router::new().route("/mypos/notify", post(notify))
}

/// Where it sends shoppers.
pub(super) fn returns() -> Router<AppState> {
    Router::new()
        .route("/mypos/ok", post(|state, body| returned(state, body, Door::Ok)))
        .route("/mypos/cancel", post(|state, body| returned(state, body, Door::Cancel)))
}

async fn read(body: Body) -> Option<axum::body::Bytes> {
    tokio::time::timeout(BODY_PATIENCE, to_bytes(body, MAX_BODY_BYTES)).await.ok()?.ok()
}

/// `POST /mypos/notify`: exactly `OK` once it is on disk, and nothing like it otherwise.
async fn notify(State(state): State<AppState>, body: Body) -> Response {
    let Some(body) = read(body).await else {
        return (StatusCode::BAD_REQUEST, "unreadable").into_response();
    };
    // Its own task: the gateway hanging up must not leave the work half done.
    let checkout = state.checkout.clone();
    let taken = tokio::spawn(async move { checkout.notified(&body).await }).await;
    match taken {
        Ok(Ok(NotifyAnswer::Ok)) => (StatusCode::OK, "OK").into_response(),
        Ok(Ok(NotifyAnswer::NotTaken)) => (StatusCode::CONFLICT, "not taken").into_response(),
        Ok(Ok(NotifyAnswer::Malformed)) => (StatusCode::BAD_REQUEST, "malformed").into_response(),
        Ok(Ok(NotifyAnswer::NotSigned)) => (StatusCode::FORBIDDEN, "not signed").into_response(),
        Ok(Err(error)) => {
            unavailable(&error);
            (StatusCode::SERVICE_UNAVAILABLE, "try again").into_response()
        }
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, "try again").into_response(),
    }
}

/// `POST /mypos/ok` and `/mypos/cancel`: a browser brings what the gateway signed.
async fn returned(State(state): State<AppState>, body: Body, door: Door) -> Response {
    let page = match door {
        Door::Cancel => "cancelled",
        Door::Ok | Door::Notify => "result",
    };
    let Some(body) = read(body).await else {
        return render::see_other("/checkout/unknown");
    };
    match state.checkout.returned(&body, door).await {
        Ok(Return::ToOrder(token)) => render::see_other(&format!("/checkout/{page}/{}", token.secret())),
        Ok(Return::Unknown) => render::see_other("/checkout/unknown"),
        Err(error) => {
            unavailable(&error);
            render::see_other("/checkout/unknown")
        }
    }
}

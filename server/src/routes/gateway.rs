//! The addresses that the gateway and its visitors come to.

use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use checkout::callbacks::{NotifyAnswer, Return};
use checkout::figures::{LAST_NOTIFICATION, NOTIFICATIONS, NOTIFY_SECONDS};
use metrics::{counter, gauge, histogram};
use mypos::Door;
use tracing::Instrument as _;

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
        counter!(NOTIFICATIONS, "answer" => "malformed").increment(1);
        return (StatusCode::BAD_REQUEST, "unreadable").into_response();
    };
    let began = Instant::now();
    // Its own task: the gateway hanging up must not leave the work half done.
    let checkout = state.checkout.clone();
    let taken = tokio::spawn(async move { checkout.notified(&body).await }.in_current_span()).await;
    let (answer, status, words) = match taken {
        Ok(Ok(NotifyAnswer::Ok)) => ("ok", StatusCode::OK, "OK"),
        Ok(Ok(NotifyAnswer::NotTaken)) => ("not_taken", StatusCode::CONFLICT, "not taken"),
        Ok(Ok(NotifyAnswer::Malformed)) => ("malformed", StatusCode::BAD_REQUEST, "malformed"),
        Ok(Ok(NotifyAnswer::NotSigned)) => ("not_signed", StatusCode::FORBIDDEN, "not signed"),
        Ok(Err(error)) => {
            unavailable(&error);
            ("failed", StatusCode::SERVICE_UNAVAILABLE, "try again")
        }
        Err(_) => ("failed", StatusCode::INTERNAL_SERVER_ERROR, "try again"),
    };
    histogram!(NOTIFY_SECONDS).record(began.elapsed());
    counter!(NOTIFICATIONS, "answer" => answer).increment(1);
    if matches!(answer, "ok" | "not_taken") {
        // A double holds seconds since 1970 exactly for long enough.
        let now = u32::try_from(state.checkout.now_ms() / 1000).unwrap_or(u32::MAX);
        gauge!(LAST_NOTIFICATION).set(now);
    }
    (status, words).into_response()
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

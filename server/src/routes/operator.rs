//! What an operator's tools ask, on a listener of its own.

use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use checkout::checkout::Checkout;
use checkout::figures;
use checkout::store::StoreError;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// Where the figures of this process are gathered; `None` where somebody else gathers them.
static GATHERED: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// The edges of the buckets that times are counted in, in seconds: fine around what a notification may take.
const SECONDS: [f64; 14] =
    [0.000_5, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

/// How often what was measured is folded into buckets.
const FOLD_EVERY: Duration = Duration::from_secs(5);

/// Whoever asks has an answer by then, also where the database hangs: Prometheus waits for ten seconds, and takes a server
/// that says nothing for one that is gone.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// `/healthz` (the process answers), `/readyz` (the database does too) and `/metrics`. From now on the figures of this
/// process are gathered.
pub fn router(checkout: Arc<Checkout>) -> Router {
    GATHERED.get_or_init(gather);
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(figures))
        .with_state(checkout)
}

fn gather() -> Option<PrometheusHandle> {
    let seconds = Matcher::Suffix("_seconds".to_owned());
    let gathered = PrometheusBuilder::new()
        .set_buckets_for_metric(seconds, &SECONDS)
        .and_then(PrometheusBuilder::install_recorder);
    match gathered {
        Ok(handle) => {
            figures::describe();
            let ours = handle.clone();
            // What is measured piles up until somebody folds it, and not every shop has a Prometheus that asks.
            let folding = thread::Builder::new().name("figures".to_owned()).spawn(move || {
                loop {
                    thread::sleep(FOLD_EVERY);
                    ours.run_upkeep();
                }
            });
            if let Err(error) = folding {
                tracing::error!(%error, "the figures are folded only when somebody asks for them");
            }
            Some(handle)
        }
        Err(error) => {
            tracing::error!(%error, "there are no figures");
            None
        }
    }
}

async fn in_time<T>(work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    let silent = || StoreError::Failed(format!("no answer within {} seconds", ANSWER_WITHIN.as_secs()));
    tokio::time::timeout(ANSWER_WITHIN, work).await.unwrap_or_else(|_| Err(silent()))
}

async fn ready(State(checkout): State<Arc<Checkout>>) -> (StatusCode, &'static str) {
    match in_time(checkout.store().ready()).await {
        Ok(()) => (StatusCode::OK, "ready\n"),
        Err(error) => {
            tracing::error!(%error, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n")
        }
    }
}

/// The figures in Prometheus' text form. Without a database those that come from it keep their last value, and another
/// one says so.
async fn figures(State(checkout): State<Arc<Checkout>>) -> Response {
    let now_ms = checkout.now_ms();
    let backlog = in_time(checkout.store().backlog(now_ms)).await;
    if let Err(error) = &backlog {
        tracing::error!(%error, "what waits could not be counted");
    }
    figures::waiting(backlog.ok().as_ref(), now_ms);
    match GATHERED.get().and_then(Option::as_ref) {
        Some(handle) => {
            handle.run_upkeep();
            ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], handle.render()).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

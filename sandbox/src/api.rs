//! The HTTP API for tests, under `/sandbox/api/`: JSON in and out.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::deliver::Tampering;
use crate::faults::{Faults, Setting};
use crate::gateway::Gateway;
use crate::rollback;
use crate::settle::{self, ConfirmedBy};
use crate::state::{Delivery, Means, Method, Payment, Stage};

/// How many copies of a message one call may send.
const MAX_TIMES: u64 = 20;

/// The routes of the API.
pub(crate) fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/sandbox/api/faults", get(faults).put(set_faults).patch(set_faults).delete(reset_faults))
        .route("/sandbox/api/payments", get(payments))
        .route("/sandbox/api/payments/{order_id}", get(payment))
        .route("/sandbox/api/payments/{order_id}/faults", get(payment_faults).put(set_payment_faults))
        .route("/sandbox/api/payments/{order_id}/notify", post(notify))
        .route("/sandbox/api/payments/{order_id}/rollback", post(roll_back))
        .route("/sandbox/api/deliveries/run", post(run_deliveries))
        .route("/sandbox/api/clock", post(advance).get(clock))
}

/// A refusal: a status and a sentence.
struct Refused(StatusCode, String);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

type Answer = Result<Json<Value>, Refused>;

/// Reads a body; an empty one counts as `{}`.
fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refused> {
    let body = if body.trim_ascii().is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| Refused(StatusCode::BAD_REQUEST, error.to_string()))
}

fn unknown_order() -> Refused {
    Refused(StatusCode::NOT_FOUND, "there is no payment with this order id".to_owned())
}

fn find(gateway: &Gateway, order_id: &str) -> Result<Payment, Refused> {
    gateway.read(|state| state.by_order_id(order_id).cloned()).ok_or_else(unknown_order)
}

// Faults.

async fn faults(State(gateway): State<Arc<Gateway>>) -> Json<Value> {
    Json(gateway.read(|state| state.faults.to_json()))
}

fn apply(faults: &mut Faults, settings: &BTreeMap<String, Setting>) -> Answer {
    faults.apply(settings).map_err(|error| Refused(StatusCode::BAD_REQUEST, error))?;
    Ok(Json(faults.to_json()))
}

/// Sets the faults that are named; the others stay.
async fn set_faults(State(gateway): State<Arc<Gateway>>, body: Bytes) -> Answer {
    let settings = read(&body)?;
    gateway.change(|state| apply(&mut state.faults, &settings))
}

async fn reset_faults(State(gateway): State<Arc<Gateway>>) -> Json<Value> {
    gateway.change(|state| {
        state.faults = Faults::default();
        Json(state.faults.to_json())
    })
}

async fn payment_faults(State(gateway): State<Arc<Gateway>>, Path(order_id): Path<String>) -> Answer {
    Ok(Json(find(&gateway, &order_id)?.faults.to_json()))
}

async fn set_payment_faults(
    State(gateway): State<Arc<Gateway>>,
    Path(order_id): Path<String>,
    body: Bytes,
) -> Answer {
    let settings = read(&body)?;
    gateway.change(|state| {
        let payment = state.by_order_id_mut(&order_id).ok_or_else(unknown_order)?;
        apply(&mut payment.faults, &settings)
    })
}

// Payments.

/// A payment as tests see it.
fn view(gateway: &Gateway, payment: &Payment) -> Value {
    let (order, status) = (&payment.order, payment.status(gateway.now()));
    json!({
        "order_id": order.id,
        "status": status.name(),
        "payment_status": status.code(),
        "is_settling": payment.stage == Stage::Settling,
        "amount": order.amount,
        "minor": order.minor,
        "currency": order.currency,
        "trnref": payment.transaction.as_ref().map(|transaction| &transaction.trnref),
        "refunded_minor": payment.refunded(),
        "pay_url": format!("{}/vmp/checkout/pay/{}", gateway.public_url, payment.session),
        "created_ms": payment.created_ms,
        "expires_ms": payment.expires_ms(),
        "declined": payment.declined.len(),
        "rollback_due_ms": payment.rollback.as_ref().map(|rollback| rollback.due_ms),
        "warnings": order.warnings,
    })
}

async fn payments(State(gateway): State<Arc<Gateway>>) -> Json<Value> {
    let payments: Vec<Value> =
        gateway.read(|state| state.payments().rev().map(|payment| view(&gateway, payment)).collect());
    Json(json!({ "payments": payments }))
}

/// One payment with its history.
async fn payment(State(gateway): State<Arc<Gateway>>, Path(order_id): Path<String>) -> Answer {
    let payment = find(&gateway, &order_id)?;
    let mut value = view(&gateway, &payment);
    if let Value::Object(members) = &mut value {
        members.insert("deliveries".to_owned(), json!(payment.deliveries));
        members.insert("log".to_owned(), json!(payment.log));
        members.insert("refunds".to_owned(), json!(payment.refunds));
        members.insert("declined_payments".to_owned(), json!(payment.declined));
    }
    Ok(Json(value))
}

fn sent(gateway: &Gateway, order_id: &str, deliveries: &[Delivery]) -> Answer {
    let payment = find(gateway, order_id)?;
    Ok(Json(json!({ "deliveries": deliveries, "payment": view(gateway, &payment) })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NotifyRequest {
    #[serde(default = "once")]
    times: u64,
    #[serde(default)]
    concurrent: bool,
}

const fn once() -> u64 {
    1
}

/// Sends the Notify of a confirmed payment again, whatever the payment's state, and changes nothing; or
/// confirms a payment that is not confirmed yet, as if the shopper had, even after a cancellation.
async fn notify(State(gateway): State<Arc<Gateway>>, Path(order_id): Path<String>, body: Bytes) -> Answer {
    let request: NotifyRequest = read(&body)?;
    if !(1..=MAX_TIMES).contains(&request.times) {
        return Err(Refused(StatusCode::BAD_REQUEST, format!("times is 1 to {MAX_TIMES}")));
    }
    let payment = find(&gateway, &order_id)?;
    let mut deliveries = Vec::new();
    let mut left = request.times;
    if matches!(payment.stage, Stage::Open | Stage::Cancelled) {
        let means = Means { method: Method::Card, last4: Some("0007".to_owned()) };
        let copies = if request.concurrent { left } else { 1 };
        deliveries.extend(settle::confirm(&gateway, &order_id, means, ConfirmedBy::Bank, copies).await);
        left -= copies;
    }
    let payment = find(&gateway, &order_id)?;
    while left > 0 {
        let copies = if request.concurrent { left } else { 1 };
        let tampering = gateway.change(|state| Tampering::roll(state, &order_id));
        deliveries.extend(settle::send_copies(&gateway, &payment, tampering, copies).await);
        left -= copies;
    }
    sent(&gateway, &order_id, &deliveries)
}

/// Reverses a paid payment and sends the Rollback, or sends the Rollback of a reversed one again.
async fn roll_back(State(gateway): State<Arc<Gateway>>, Path(order_id): Path<String>) -> Answer {
    find(&gateway, &order_id)?;
    match rollback::reverse_now(&gateway, &order_id).await {
        Some(delivery) => sent(&gateway, &order_id, &[delivery]),
        None => Err(Refused(StatusCode::CONFLICT, "the payment was never paid".to_owned())),
    }
}

/// Sends every Rollback that is due by the clock.
async fn run_deliveries(State(gateway): State<Arc<Gateway>>) -> Json<Value> {
    let deliveries = rollback::send_due(&gateway).await;
    Json(json!({ "deliveries": deliveries }))
}

// The clock.

async fn clock(State(gateway): State<Arc<Gateway>>) -> Json<Value> {
    Json(json!({ "now_ms": gateway.now() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_s: u64,
}

async fn advance(State(gateway): State<Arc<Gateway>>, body: Bytes) -> Answer {
    let Advance { advance_s } = read(&body)?;
    if !gateway.clock.advance_ms(advance_s.saturating_mul(1000)) {
        return Err(Refused(StatusCode::CONFLICT, "this clock cannot be moved that far".to_owned()));
    }
    gateway.wake.notify_one();
    Ok(clock(State(gateway)).await)
}

//! The control page for people: routes and forms. The HTTP API for tests is in `api`.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::post;
use mypos::{Fields, Unverified};

use crate::control_page;
use crate::deliver::Tampering;
use crate::faults::{Fault, Faults, Switch};
use crate::gateway::Gateway;
use crate::pages;
use crate::rollback;
use crate::settle;
use crate::state::Payment;
use crate::web::{Permissions, page, see_other};

/// The forms of the control page, which only the sandbox's own pages may post.
pub(crate) fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/sandbox/control/faults", post(set_faults))
        .route("/sandbox/control/clock", post(advance))
        .route("/sandbox/control/payments/{session}/faults", post(set_payment_faults))
        .route("/sandbox/control/payments/{session}/notify", post(notify))
        .route("/sandbox/control/payments/{session}/rollback", post(roll_back))
}

/// `/`: every payment, every switch.
pub(crate) async fn overview(State(gateway): State<Arc<Gateway>>) -> Response {
    let markup = gateway.read(|state| control_page::overview(&gateway, state));
    page(StatusCode::OK, markup, &Permissions::default())
}

fn by_session(gateway: &Gateway, session: &str) -> Option<Payment> {
    gateway.read(|state| state.by_session(session).cloned())
}

fn not_found() -> Response {
    let markup = pages::message("No such payment", "The sandbox does not know this payment, or no longer.");
    page(StatusCode::NOT_FOUND, markup, &Permissions::default())
}

/// What went on with one payment.
pub(crate) async fn payment(State(gateway): State<Arc<Gateway>>, Path(session): Path<String>) -> Response {
    let Some(payment) = by_session(&gateway, &session) else { return not_found() };
    page(StatusCode::OK, control_page::payment(&payment, gateway.now()), &Permissions::default())
}

/// A number in a form; anything else counts as not given.
fn number(form: &Fields, name: &str) -> Option<u64> {
    form.text(name)?.trim().parse().ok()
}

/// The value that a form gives a fault, kept inside its bounds.
fn value(form: &Fields, fault: Fault) -> u64 {
    fault.number().map_or(0, |bounds| {
        number(form, &format!("{}.value", fault.name())).unwrap_or(bounds.default).min(bounds.max)
    })
}

/// The switches for all payments: each is off, on for some times, or on for ever.
async fn set_faults(State(gateway): State<Arc<Gateway>>, body: Bytes) -> Response {
    let Ok(form) = Unverified::from_form(&body) else { return see_other("/") };
    let form = form.claimed();
    gateway.change(|state| {
        for fault in Fault::ALL.iter().copied() {
            let count = match form.text(fault.name()) {
                Some("always") => None,
                Some(count) => Some(count.parse().unwrap_or(0)),
                None => continue,
            };
            let percent = number(form, &format!("{}.percent", fault.name())).unwrap_or(100).clamp(1, 100);
            let percent = u8::try_from(percent).unwrap_or(100);
            state.faults.set(fault, Some(Switch { count, percent, value: value(form, fault) }));
        }
    });
    see_other("/#switches")
}

/// The switches of one payment: each is on for as long as the payment lasts, or off.
async fn set_payment_faults(
    State(gateway): State<Arc<Gateway>>,
    Path(session): Path<String>,
    body: Bytes,
) -> Response {
    let back = format!("/vmp/checkout/pay/{session}");
    let Ok(form) = Unverified::from_form(&body) else { return see_other(&back) };
    let form = form.claimed();
    let mut faults = Faults::default();
    for fault in Fault::ALL.iter().copied().filter(|fault| form.text(fault.name()).is_some()) {
        faults.set(fault, Some(Switch { value: value(form, fault), ..Switch::always(fault) }));
    }
    gateway.change(|state| {
        if let Some(payment) = state.by_session_mut(&session) {
            payment.faults = faults;
        }
    });
    see_other(&back)
}

/// Moves the clock forward by minutes.
async fn advance(State(gateway): State<Arc<Gateway>>, body: Bytes) -> Response {
    let minutes = Unverified::from_form(&body).ok().and_then(|form| number(form.claimed(), "minutes"));
    if let Some(minutes) = minutes {
        gateway.clock.advance_ms(minutes.min(60 * 24 * 366).saturating_mul(60_000));
        rollback::send_due(&gateway).await;
    }
    see_other("/")
}

/// Sends the Notify of a confirmed payment again.
async fn notify(State(gateway): State<Arc<Gateway>>, Path(session): Path<String>) -> Response {
    let Some(payment) = by_session(&gateway, &session) else { return not_found() };
    if payment.transaction.is_some() {
        let tampering = gateway.change(|state| Tampering::roll(state, &payment.order.id));
        settle::send_copies(&gateway, &payment, tampering, 1).await;
    }
    see_other(&format!("/sandbox/payments/{session}"))
}

/// Reverses a paid payment and sends the Rollback.
async fn roll_back(State(gateway): State<Arc<Gateway>>, Path(session): Path<String>) -> Response {
    let Some(payment) = by_session(&gateway, &session) else { return not_found() };
    rollback::reverse_now(&gateway, &payment.order.id).await;
    see_other(&format!("/sandbox/payments/{session}"))
}

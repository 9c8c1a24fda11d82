//! The merchant's pages.

mod account;
mod act;
mod audit;
mod door;
mod export;
mod list;
mod order;

use app::pages::MessageKind;
use app::pages::merchant::path;
use axum::Router;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use checkout::checkout::CheckoutError;
use leptos::IntoView;

use crate::backend::unavailable;
use crate::render::{self, Protection, Referrer};
use crate::state::AppState;
use crate::visitor::Visitor;

pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/merchant", get(async || render::see_other(path::TRANSACTIONS)))
        .route(path::SIGN_IN, get(door::show).post(door::sign_in))
        .route(path::CODE, get(door::show_code).post(door::enter_code))
        .route(path::SIGN_OUT, post(door::sign_out))
        .route(path::TRANSACTIONS, get(list::show))
        .route(path::EXPORT, get(export::download))
        .route("/merchant/transactions/{reference}", get(order::show))
        .route("/merchant/transactions/{reference}/{act}", post(act::act))
        .route(path::SEEN, post(list::seen))
        .route(path::ACCOUNT, get(account::show))
        .route(path::PASSWORD, post(account::change_password))
        .route(path::FACTOR, post(account::change_factor))
        .route(path::AUDIT, get(audit::show))
}

/// A page of the merchant's: nothing of its address goes to other sites.
async fn page<V: IntoView + 'static>(
    status: StatusCode,
    view: impl Fn() -> V + Clone + Send + Sync + 'static,
) -> Response {
    render::page(status, Protection { referrer: Referrer::SameOrigin, ..Protection::default() }, view).await
}

/// What is answered where our side failed.
async fn failed(state: &AppState, visitor: &Visitor, error: &CheckoutError) -> Response {
    unavailable(error);
    render::message(state, visitor, MessageKind::Unavailable).await
}

/// The first value of a form's field, trimmed; empty where there is none.
fn value(body: &[u8], wanted: &str) -> String {
    form_urlencoded::parse(body)
        .find(|(name, _)| name == wanted)
        .map(|(_, value)| value.trim().to_owned())
        .unwrap_or_default()
}

//! Who did what.

use app::pages::MessageKind;
use app::pages::merchant::{AuditPage, path};
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use checkout::people::Role;
use leptos::prelude::*;
use serde::Deserialize;

use super::{failed, page};
use crate::merchant_view::Words;
use crate::render;
use crate::staff::Staff;
use crate::state::AppState;
use crate::visitor::Visitor;

/// How many entries a page shows.
const PAGE: u32 = 100;

#[derive(Deserialize)]
pub(super) struct Place {
    /// The number of the entry after the ones that are shown. What is no number begins with the newest.
    #[serde(default)]
    before: String,
}

/// `GET /merchant/audit`
pub(super) async fn show(
    State(state): State<AppState>,
    visitor: Visitor,
    staff: Staff,
    Query(Place { before }): Query<Place>,
) -> Response {
    if !staff.may(Role::Administer) {
        return render::message(&state, &visitor, MessageKind::NotAllowed).await;
    }
    // One more than is shown tells whether there are more.
    let mut entries = match state.checkout.store().audit_log(before.parse().ok(), PAGE + 1).await {
        Ok(entries) => entries,
        Err(error) => return failed(&state, &visitor, &error.into()).await,
    };
    let has_older = entries.len() > PAGE as usize;
    entries.truncate(PAGE as usize);
    let older =
        entries.last().filter(|_| has_older).map(|entry| format!("{}?before={}", path::AUDIT, entry.id));
    let words = Words { checkout: &state.checkout, language: visitor.language };
    let lines: Vec<_> = entries.iter().map(|entry| words.audit(entry)).collect();
    let desk = staff.desk(&state, &visitor, path::AUDIT);
    page(StatusCode::OK, move || {
        view! { <AuditPage desk=desk.clone() lines=lines.clone() older=older.clone() /> }
    })
    .await
}

//! The hand-over page: the one way to the gateway.

use app::pages::{HandoverData, HandoverPage, HandoverSpent, HandoverSpentPage, Home, MessageKind, Site};
use axum::extract::{Path, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use checkout::format;
use checkout::records::HandoverForm;
use checkout::start::Handover;
use checkout::token::Token;
use leptos::prelude::*;

use crate::backend::unavailable;
use crate::render::{self, Protection, Referrer};
use crate::state::AppState;
use crate::visitor::Visitor;

/// Who processes the payment, as myPOS asks shops to say.
const GATEWAY_NAME: &str = "myPOS";

/// `GET /checkout/go/{token}`
pub(super) async fn show(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(token): Path<String>,
) -> Response {
    let Some(token) = Token::parse(&token) else {
        return render::message(&state, &visitor, MessageKind::NotFound).await;
    };
    match state.checkout.handover(&token).await {
        Ok(Some(Handover { form: Some(form), order })) => {
            let total = format::price(order.new.total, visitor.language);
            let home = Home::of(&order.new.storefront.return_url);
            with_form(&state, &visitor, form, total, order.new.reference, home).await
        }
        Ok(Some(Handover { form: None, order })) => {
            spent(&state, &visitor, &token, Home::of(&order.new.storefront.return_url)).await
        }
        Ok(None) => render::message(&state, &visitor, MessageKind::NotFound).await,
        Err(error) => {
            unavailable(&error);
            render::message(&state, &visitor, MessageKind::Unavailable).await
        }
    }
}

/// `HEAD /checkout/go/{token}`: whoever checks links does not use up the form.
pub(super) async fn look() -> impl IntoResponse {
    [(CACHE_CONTROL, "no-store")]
}

async fn with_form(
    state: &AppState,
    visitor: &Visitor,
    form: HandoverForm,
    total: domain::Price,
    reference: String,
    home: Option<Home>,
) -> Response {
    // No links to other languages: the form is shown once, and following them would use it up.
    let site = Site { path: String::new(), ..visitor.site(state) };
    let protection = Protection { form_target: form_target(&form.action), referrer: Referrer::Origin };
    let data = HandoverData {
        gateway_name: GATEWAY_NAME.to_owned(),
        gateway_url: form.action,
        fields: form.fields,
        total,
        reference,
        home,
    };
    render::page(StatusCode::OK, protection, move || {
        view! { <HandoverPage site=site.clone() data=data.clone() /> }
    })
    .await
}

/// The origins that the form may reach. A browser holds redirects to them as well, and the gateway may
/// answer from any of its own hosts.
fn form_target(action: &str) -> Option<String> {
    let uri: Uri = action.parse().ok()?;
    let origin = format!("{}://{}", uri.scheme_str()?, uri.authority()?);
    let own = uri.host().is_some_and(|host| host == "mypos.com" || host.ends_with(".mypos.com"));
    Some(if own { format!("{origin} https://mypos.com https://*.mypos.com") } else { origin })
}

async fn spent(state: &AppState, visitor: &Visitor, token: &Token, home: Option<Home>) -> Response {
    let Ok(key) = Token::random() else {
        return render::message(state, visitor, MessageKind::Unavailable).await;
    };
    let site = visitor.site(state);
    let data = HandoverSpent { handoff: token.secret().to_owned(), key: key.secret().to_owned(), home };
    let protection = Protection { referrer: Referrer::SameOrigin, ..Protection::default() };
    render::page(StatusCode::OK, protection, move || {
        view! { <HandoverSpentPage site=site.clone() data=data.clone() /> }
    })
    .await
}

//! Pages and problems as responses, with the headers that each needs.

use app::pages::{MessageData, MessageKind, MessagePage};
use axum::body::Body;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY, SET_COOKIE,
};
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use axum_extra::extract::cookie::Cookie;
use domain::Problem;
use leptos::IntoView;
use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_axum::ResponseOptions;

use crate::state::AppState;
use crate::visitor::Visitor;

/// How a page is protected beyond what every page has.
#[derive(Clone, Debug, Default)]
pub struct Protection {
    /// The one other origin that a form of the page may be sent to.
    pub form_target: Option<String>,
    /// What is told to the next page's server about this one's address.
    pub referrer: Referrer,
}

/// `Referrer-Policy`.
#[derive(Clone, Copy, Debug, Default)]
pub enum Referrer {
    /// The usual one.
    #[default]
    Usual,
    /// Nothing to other sites: the address of the page is a secret. To our own it is told, for with `no-referrer` a
    /// browser sends `Origin: null` with the page's forms, and one that sends no `Sec-Fetch-Site` is refused.
    SameOrigin,
    /// The origin, because the gateway checks it.
    Origin,
}

/// Renders a page. Pages are for one shopper, so nobody keeps them.
pub async fn page<V: IntoView + 'static>(
    status: StatusCode,
    protection: Protection,
    view: impl Fn() -> V + Clone + Send + Sync + 'static,
) -> Response {
    let target = protection.form_target.clone();
    let context = move || {
        let nonce = use_nonce().map_or_else(String::new, |nonce| format!(" 'nonce-{nonce}'"));
        let target = target.as_deref().map_or_else(String::new, |origin| format!(" {origin}"));
        let policy = format!(
            "default-src 'none'; script-src 'self'{nonce} 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
             connect-src 'self'; form-action 'self'{target}; frame-ancestors 'none'; base-uri 'none'"
        );
        if let Ok(policy) = HeaderValue::from_str(&policy) {
            expect_context::<ResponseOptions>().insert_header(CONTENT_SECURITY_POLICY, policy);
        }
    };
    let render = leptos_axum::render_app_async_with_context(context, view);
    let mut response = render(Request::new(Body::empty())).await;
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let referrer = match protection.referrer {
        Referrer::Usual => "strict-origin-when-cross-origin",
        Referrer::SameOrigin => "same-origin",
        Referrer::Origin => "origin",
    };
    headers.insert(REFERRER_POLICY, HeaderValue::from_static(referrer));
    response
}

/// A page that only says something.
pub async fn message(state: &AppState, visitor: &Visitor, kind: MessageKind) -> Response {
    let site = visitor.site(state);
    let status = StatusCode::from_u16(kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let data = MessageData { kind };
    page(status, Protection::default(), move || view! { <MessagePage site=site.clone() data=data /> }).await
}

/// The same, where only the request's headers are at hand.
pub async fn message_for(state: &AppState, headers: &HeaderMap, kind: MessageKind) -> Response {
    message(state, &Visitor::from_headers(state, headers), kind).await
}

/// A problem as JSON, under its status.
pub fn problem(problem: &Problem) -> Response {
    let status = StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = serde_json::to_string(problem).unwrap_or_default();
    (status, [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")], body).into_response()
}

/// `303 See Other` to an address of our own.
pub fn see_other(location: &str) -> Response {
    let Ok(location) = HeaderValue::from_str(location) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let headers = [
        (LOCATION, location),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    (StatusCode::SEE_OTHER, headers).into_response()
}

/// Adds cookies to a response.
pub fn with_cookies(mut response: Response, cookies: impl IntoIterator<Item = Cookie<'static>>) -> Response {
    for cookie in cookies {
        if let Ok(value) = HeaderValue::from_str(&cookie.encoded().to_string()) {
            response.headers_mut().append(SET_COOKIE, value);
        }
    }
    response
}

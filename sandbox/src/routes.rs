//! The addresses of the sandbox.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE};
use axum::middleware;
use axum::response::Response;
use axum::routing::{get, post};
use mypos::StatusCode as Code;

use crate::checks::Refusal;
use crate::gateway::Gateway;
use crate::request::{self, MAX_BODY};
use crate::{api, browser, control, guard, server_calls};

/// The style of all pages.
const STYLE: &str = include_str!("style.css");

/// Methods that a browser posts and that the sandbox does not have: they get the error page.
const OTHER_BROWSER_METHODS: [&str; 4] =
    ["IPCPurchaseByIcard", "IPCPurchaseByIcardMobile", "IPCPreAuthorization", "IPCTDSProcess"];

/// The whole application.
pub(crate) fn router(gateway: &Arc<Gateway>) -> Router {
    let mut router = Router::new();
    for path in ["/vmp/checkout", "/vmp/checkout/", "/vmp/checkout-test", "/vmp/checkout-test/"] {
        router = router.route(path, post(checkout).get(browser::posts_only));
    }
    let controls = Router::new()
        .merge(api::routes())
        .merge(control::routes())
        .layer(middleware::from_fn(guard::refuse_other_sites));
    router
        .route("/vmp/checkout/pay/{session}", get(browser::show).post(browser::pay))
        .route("/vmp/checkout/pay/{session}/cancel", post(browser::cancel))
        .route("/", get(control::overview))
        .route("/sandbox/payments/{session}", get(control::payment))
        .route("/sandbox/style.css", get(style))
        .merge(controls)
        .fallback(browser::not_found)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(Arc::clone(gateway))
}

/// The one endpoint of the protocol: the method is a field.
async fn checkout(State(gateway): State<Arc<Gateway>>, headers: HeaderMap, request: Request) -> Response {
    let request = match request::read(request).await {
        Ok(request) => request,
        Err(why) => {
            let refusal = Refusal::new(Code::UnsupportedCall, format!("the request cannot be read: {why}"));
            return browser::refuse(&gateway, None, &headers, &refusal);
        }
    };
    let method = request.claimed_method().unwrap_or_default().to_owned();
    if method == "IPCPurchase" {
        return browser::purchase(&gateway, &request, &headers);
    }
    if let Some(call) = server_calls::Call::from_name(&method) {
        return server_calls::answer(&gateway, call, &request).await;
    }
    let refusal = if method.is_empty() {
        Refusal::new(Code::UnsupportedCall, "IPCmethod is missing or empty")
    } else {
        Refusal::new(Code::UnsupportedCall, format!("the sandbox does not have the method {method:?}"))
    };
    let wants_page = OTHER_BROWSER_METHODS.contains(&method.as_str())
        || (method.is_empty() || wants_html(&headers)) && request.claimed().text("OutputFormat").is_none();
    if wants_page {
        browser::refuse(&gateway, Some(&request), &headers, &refusal)
    } else {
        server_calls::refuse(&gateway, &request, &refusal)
    }
}

fn wants_html(headers: &HeaderMap) -> bool {
    headers.get(ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|value| value.contains("text/html"))
}

async fn style() -> ([(axum::http::HeaderName, &'static str); 2], &'static str) {
    ([(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, "no-cache")], STYLE)
}

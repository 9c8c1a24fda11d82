//! The addresses.

mod api;
mod catalogue;
mod checkout_page;
mod gateway;
mod handover;
mod merchant;
mod operator;
mod order;
mod widget;

use std::any::Any;
use std::time::Duration;

use app::pages::MessageKind;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Router, body::Body};
use checkout::figures::{HTTP_REQUESTS, HTTP_SECONDS, TRACES};
use checkout::token::random;
use domain::Problem;
use metrics::{counter, histogram};
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::Predicate;
use tower_http::csrf::CsrfLayer;
use tower_http::timeout::TimeoutLayer;
use tracing::Instrument as _;
use tracing::field::Empty;

pub use operator::router as operator_router;

use crate::config::ConfigError;
use crate::state::AppState;
use crate::visitor::chosen;
use crate::{assets, limits, render};

/// The longest body that any address reads.
pub(crate) const MAX_BODY_BYTES: usize = 64 * 1024;
/// How long a page or a call of the API may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The whole application.
pub fn router(state: AppState) -> Result<Router, ConfigError> {
    app::pages::prepare();
    let trusting = |csrf: CsrfLayer, origin: &str, setting| {
        csrf.add_trusted_origin(origin)
            .map_err(|error| ConfigError::Setting { setting, what: error.to_string() })
    };
    // Of our own origin, whatever `Host` a proxy writes.
    let own = trusting(CsrfLayer::new(), &state.checkout.settings.public_url, "public_url")?;
    let mut listed = own.clone();
    for origin in &state.shop.storefront_origins {
        listed = trusting(listed, origin, "storefront_origins")?;
    }
    let pages = Router::new()
        .route("/", get(catalogue::show))
        .route(app::form::CART_ADD, post(catalogue::add))
        .route(app::form::CART_SET, post(catalogue::set))
        .route("/checkout", get(checkout_page::show))
        .route(app::form::UPDATE, post(checkout_page::update))
        .route(app::form::PAY, post(checkout_page::pay))
        .route("/checkout/go/{token}", get(handover::show).head(handover::look))
        .route("/checkout/result/{token}", get(order::result))
        .route("/checkout/cancelled/{token}", get(order::cancelled))
        .route("/checkout/unknown", get(order::unknown))
        .route("/pkg/{id}/{file}", get(assets::built))
        .route("/img/{file}", get(assets::image))
        .route("/widget/v1/manifest.json", get(assets::widget_manifest))
        .route("/widget/v1/tillgate-checkout.js", get(assets::widget_entry))
        .route("/widget/{id}/{file}", get(assets::widget))
        .route("/favicon.svg", get(assets::icon))
        .route("/favicon.ico", get(assets::icon))
        .fallback(not_found);
    let pages = pages.layer(middleware::from_fn_with_state(state.clone(), keep_language));
    // What every address of the shop's own goes through, outermost last.
    let guarded = |router: Router<AppState>, csrf: CsrfLayer| {
        router
            .layer(csrf)
            .layer(compression())
            .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, PATIENCE))
            .layer(middleware::from_fn_with_state(state.clone(), limits::limit))
            .layer(middleware::from_fn_with_state(state.clone(), say_why))
    };
    let api = guarded(api::router(), listed).layer(api::cors(&state)?);
    // No storefront has any business with the merchant's pages, whatever the list says.
    let merchant = merchant::router().layer(middleware::from_fn_with_state(state.clone(), keep_language));
    let merchant = guarded(merchant, own.clone());
    // A notification passes nothing but this: no limit, no time-out and no page of ours may come between it
    // and its answer. What a browser brings from the gateway is a cross-site POST, but limited as others are.
    let returns = gateway::returns().layer(middleware::from_fn_with_state(state.clone(), limits::limit));
    let application = guarded(pages, own)
        .merge(merchant)
        .merge(api)
        .merge(returns)
        .merge(gateway::notifications())
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn_with_state(state.clone(), safe_headers))
        .layer(middleware::from_fn(log));
    Ok(application.with_state(state))
}

/// A language that an address chooses is kept, whatever page it is.
async fn keep_language(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let language = chosen(request.uri());
    let response = next.run(request).await;
    render::with_cookies(response, language.map(|language| state.shop.cookies.keep_language(language)))
}

/// Puts a page, or a problem, in the place of a refusal that a layer made without words.
async fn say_why(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let is_api = request.uri().path().starts_with("/api/");
    let headers = request.headers().clone();
    let response = next.run(request).await;
    if is_page(response.headers()) {
        return response;
    }
    let kind = match response.status() {
        StatusCode::FORBIDDEN => MessageKind::Forbidden,
        StatusCode::PAYLOAD_TOO_LARGE => MessageKind::TooLarge,
        StatusCode::GATEWAY_TIMEOUT => MessageKind::Unavailable,
        _ => return response,
    };
    if is_api {
        let problem = match kind {
            MessageKind::Unavailable => Problem::Unavailable,
            // Only the layer that looks at origins refuses with it.
            MessageKind::Forbidden => Problem::OriginNotListed,
            _ => Problem::Malformed,
        };
        let mut worded = render::problem(&problem);
        *worded.status_mut() = response.status();
        return worded;
    }
    render::message_for(&state, &headers, kind).await
}

fn is_page(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

/// Pages are compressed as they go out; the built files come compressed already. What a page repeats of an
/// address (`?cart=`) never stands beside a secret, so the size of the answer tells nothing.
fn compression() -> CompressionLayer<impl Predicate> {
    let pages_only = |_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions| is_page(headers);
    CompressionLayer::new().quality(CompressionLevel::Precise(5)).compress_when(pages_only)
}

async fn not_found(State(state): State<AppState>, request: Request) -> Response {
    render::message_for(&state, request.headers(), MessageKind::NotFound).await
}

/// The last resort: nothing of ours panics, and if it does, nobody sees a broken connection.
fn panicked(_cause: Box<dyn Any + Send + 'static>) -> Response<Body> {
    tracing::error!("a handler panicked");
    (StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong on our side. Please try again.\n")
        .into_response()
}

/// Headers of every answer, where the handler has set none of its own.
async fn safe_headers(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let mut headers = vec![
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "strict-origin-when-cross-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ];
    if state.shop.secure {
        headers.push(("strict-transport-security", "max-age=31536000"));
    }
    for (name, value) in headers {
        response
            .headers_mut()
            .entry(HeaderName::from_static(name))
            .or_insert(HeaderValue::from_static(value));
    }
    response
}

/// One line and some figures a request: the route's template, never the address with its tokens. What happens meanwhile
/// is logged with the same number, which the answer carries as `x-request-id`.
async fn log(request: Request, next: Next) -> Response {
    let method = match *request.method() {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::OPTIONS => "OPTIONS",
        // Whatever somebody made up.
        _ => "other",
    };
    let route = request
        .extensions()
        .get::<axum::extract::MatchedPath>()
        .map_or_else(|| "(none)".to_owned(), |path| path.as_str().to_owned());
    let started = std::time::Instant::now();
    let id = request_id();
    let span = tracing::info_span!("request", id);
    let trace = tracing::debug_span!(
        target: TRACES, parent: &span, "http", otel.name = format!("{method} {route}"), otel.kind = "server",
        otel.status_code = Empty, http.request.method = method, http.route = route, request_id = id,
        http.response.status_code = Empty,
    );
    let handled = async {
        let response = next.run(request).await;
        let status = response.status();
        trace.record("http.response.status_code", i64::from(status.as_u16()));
        if status.is_server_error() {
            trace.record("otel.status_code", "ERROR");
        }
        response
    };
    let mut response = handled.instrument(trace.clone()).instrument(span.clone()).await;
    let took = started.elapsed();
    let (status, took_ms) = (response.status().as_u16(), u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
    span.in_scope(|| tracing::info!(target: "tillgate::http", method, route, status, took_ms));
    histogram!(HTTP_SECONDS, "route" => route.clone()).record(took);
    counter!(HTTP_REQUESTS, "route" => route, "method" => method, "status" => status.to_string())
        .increment(1);
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-request-id", id);
    }
    response
}

/// A number for a request. Where there is no randomness it has none; the log goes on.
fn request_id() -> String {
    random::<8>().map_or_else(|_| String::new(), |bytes| format!("{:016x}", u64::from_be_bytes(bytes)))
}

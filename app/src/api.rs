//! The functions of the server that a checkout calls, at addresses that never change.
//!
//! | address | arguments | answer |
//! |---|---|---|
//! | `GET /api/checkout/quote` | `lines` (`sku:2,other:1`), `delivery`, `language`, `signed_quote` | [`Quote`] |
//! | `POST /api/checkout/start` | url-encoded fields of [`domain::StartRequest`], `details[email]` and so on | [`StartReply`] |
//! | `GET /api/checkout/status` | `token` | [`StatusReply`] |
//!
//! Answers are JSON. A refusal is a [`Problem`] as JSON, under the HTTP status of [`Problem::status`].
//! The url-encoded POST is one that a browser sends to another origin without asking first.

#![expect(
    clippy::too_many_arguments,
    reason = "the arguments of a server function are the fields of its form"
)]

use domain::{Cart, Details, Language, PaymentMethod, Problem, Quote, StartReply, StatusReply};
use leptos::server;
use serde::{Deserialize, Serialize};
use server_fn::codec::{GetUrl, JsonEncoding};
use server_fn::error::{FromServerFnError, ServerFnErrorErr};

#[cfg(feature = "ssr")]
pub use self::backend::Backend;
#[cfg(feature = "ssr")]
use self::backend::backend;

/// Where [`quote_cart`] answers.
pub const QUOTE: &str = "/api/checkout/quote";
/// Where [`start_payment`] answers.
pub const START: &str = "/api/checkout/start";
/// Where [`read_status`] answers.
pub const STATUS: &str = "/api/checkout/status";
/// Where the table of an embedded checkout is: [`crate::checkout::CheckoutModel::to_json`] and the texts that
/// only the element around it needs.
pub const WIDGET: &str = "/api/checkout/widget";

#[cfg(feature = "ssr")]
mod backend {
    use std::sync::Arc;

    use domain::{Problem, Quote, QuoteRequest, StartReply, StartRequest, StatusReply};

    use super::ApiError;

    /// What the components need from the shop behind them. The server functions take it as an
    /// `Arc<dyn Backend>` from the context, so that whoever uses the components brings their own.
    #[async_trait::async_trait]
    pub trait Backend: Send + Sync + 'static {
        /// Prices a cart.
        async fn quote(&self, request: QuoteRequest) -> Result<Quote, Problem>;
        /// Starts a payment, or places an order that is paid the merchant's own way.
        async fn start(&self, request: StartRequest) -> Result<StartReply, Problem>;
        /// Where the order with this token stands. Never asks the gateway.
        async fn status(&self, token: String) -> Result<StatusReply, Problem>;
    }

    /// The backend of this request.
    pub(super) fn backend() -> Result<Arc<dyn Backend>, ApiError> {
        leptos::context::use_context().ok_or_else(|| ApiError::new(Problem::Unavailable))
    }
}

/// A refusal on its way to the browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ApiError(pub Problem);

impl ApiError {
    /// Wraps a problem and, on the server, gives the response its HTTP status.
    pub fn new(problem: Problem) -> Self {
        #[cfg(feature = "ssr")]
        if let (Some(response), Ok(status)) = (
            leptos::context::use_context::<leptos_axum::ResponseOptions>(),
            http::StatusCode::from_u16(problem.status()),
        ) {
            response.set_status(status);
        }
        Self(problem)
    }
}

impl From<Problem> for ApiError {
    fn from(problem: Problem) -> Self {
        Self::new(problem)
    }
}

impl FromServerFnError for ApiError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        Self::new(if cfg!(feature = "ssr") {
            match error {
                ServerFnErrorErr::Args(_)
                | ServerFnErrorErr::MissingArg(_)
                | ServerFnErrorErr::Deserialization(_) => Problem::Malformed,
                _ => Problem::Unavailable,
            }
        } else {
            // In the browser: no answer, or one that is not ours.
            Problem::Transport
        })
    }
}

/// Prices a cart: the call behind [`QUOTE`].
#[server(name = QuoteCart, prefix = "/api", endpoint = "checkout/quote", input = GetUrl)]
pub async fn quote_cart(
    /// What is bought; empty beside a signed quote.
    lines: Cart,
    /// The delivery's id; the shop's first one where empty.
    #[server(default)]
    delivery: String,
    /// The language of names and amounts.
    #[server(default)]
    language: Language,
    /// A quote that a storefront's backend signed, in place of lines and delivery.
    #[server(default)]
    signed_quote: String,
) -> Result<Quote, ApiError> {
    let request = domain::QuoteRequest { lines, delivery, language, signed_quote };
    Ok(backend()?.quote(request).await?)
}

/// Starts a payment: the call behind [`START`]. The arguments are those of [`domain::StartRequest`].
#[server(name = StartPayment, prefix = "/api", endpoint = "checkout/start")]
pub async fn start_payment(
    /// Idempotency key.
    key: String,
    /// The cart's own random id.
    cart_id: String,
    /// What is bought; empty beside a signed quote.
    lines: Cart,
    /// The chosen delivery's id.
    #[server(default)]
    delivery: String,
    /// Who buys, and where it goes.
    #[server(default)]
    details: Details,
    /// The chosen method.
    #[server(default)]
    method: Option<PaymentMethod>,
    /// The total that the shopper saw, in minor units.
    shown_total_minor: i64,
    /// The language of the page, and of the payment page.
    #[server(default)]
    language: Language,
    /// A quote that a storefront's backend signed, in place of lines and delivery.
    #[server(default)]
    signed_quote: String,
    /// The storefront's own number for the order.
    #[server(default)]
    reference: String,
    /// Where the shopper goes when all is done.
    #[server(default)]
    return_url: String,
) -> Result<StartReply, ApiError> {
    let storefront = domain::Storefront { signed_quote, reference, return_url };
    let request = domain::StartRequest {
        key,
        cart_id,
        lines,
        delivery,
        details,
        method,
        shown_total_minor,
        language,
        storefront,
    };
    Ok(backend()?.start(request).await?)
}

/// Reads where an order stands: the call behind [`STATUS`].
#[server(name = ReadStatus, prefix = "/api", endpoint = "checkout/status", input = GetUrl)]
pub async fn read_status(
    /// The order's token.
    token: String,
) -> Result<StatusReply, ApiError> {
    Ok(backend()?.status(token).await?)
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use leptos::server_fn::ServerFn;

    use super::*;

    #[test]
    fn addresses_are_fixed() {
        assert_eq!(QuoteCart::PATH, QUOTE);
        assert_eq!(StartPayment::PATH, START);
        assert_eq!(ReadStatus::PATH, STATUS);
    }

    #[test]
    fn a_refusal_is_the_bare_problem() {
        let bytes = ApiError::new(Problem::KeyReused).ser();
        assert_eq!(&bytes[..], b"\"key_reused\"");
    }

    #[test]
    fn unreadable_arguments_are_malformed_and_a_lost_backend_is_unavailable() {
        let of = |error| ApiError::from_server_fn_error(error).0;
        assert_eq!(of(ServerFnErrorErr::Args("x".into())), Problem::Malformed);
        assert_eq!(of(ServerFnErrorErr::MissingArg("x".into())), Problem::Malformed);
        assert_eq!(of(ServerFnErrorErr::ServerError("x".into())), Problem::Unavailable);
    }
}

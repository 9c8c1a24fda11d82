//! The shop behind the server functions.

use std::future::Future;
use std::sync::Arc;

use app::api::Backend;
use async_trait::async_trait;
use checkout::checkout::{Checkout, CheckoutError};
use checkout::start::StartError;
use checkout::token::Token;
use checkout::view::shopper_state;
use domain::{Problem, Quote, QuoteRequest, StartReply, StartRequest, StatusReply};
use tracing::Instrument as _;

/// The checkout as the components call it.
pub struct ShopBackend(pub Arc<Checkout>);

/// A failure of our side: logged with its cause, opaque to the shopper.
pub fn unavailable(error: &CheckoutError) -> Problem {
    tracing::error!(%error, "a request could not be served");
    Problem::Unavailable
}

/// Why nothing was started, as the shopper is told.
pub fn start_problem(error: StartError) -> Problem {
    match error {
        StartError::Problem(problem) => problem,
        StartError::Failed(error) => unavailable(&error),
    }
}

#[async_trait]
impl Backend for ShopBackend {
    async fn quote(&self, request: QuoteRequest) -> Result<Quote, Problem> {
        self.0.quote(&request).map_err(start_problem)
    }

    async fn start(&self, request: StartRequest) -> Result<StartReply, Problem> {
        let checkout = Arc::clone(&self.0);
        to_its_end(async move { checkout.start(request).await }).await.map_err(start_problem)
    }

    async fn status(&self, token: String) -> Result<StatusReply, Problem> {
        let token = Token::parse(&token).ok_or(Problem::NotFound)?;
        let file = self.0.order_of_token(&token).await.map_err(|error| unavailable(&error))?;
        file.map(|file| StatusReply { state: shopper_state(&file) }).ok_or(Problem::NotFound)
    }
}

/// Starts a payment to its end, although whoever asked hangs up. A browser that sends a form twice breaks the first one
/// off: half done, it would keep the idempotency key claimed, and the second one be told to wait.
pub(crate) async fn to_its_end(
    start: impl Future<Output = Result<StartReply, StartError>> + Send + 'static,
) -> Result<StartReply, StartError> {
    tokio::spawn(start.in_current_span()).await.unwrap_or_else(|_| Err(Problem::Unavailable.into()))
}

//! The shop behind the server functions.

use std::sync::Arc;

use app::api::Backend;
use async_trait::async_trait;
use checkout::checkout::{Checkout, CheckoutError};
use checkout::start::StartError;
use checkout::token::Token;
use checkout::view::shopper_state;
use domain::{Problem, Quote, QuoteRequest, StartReply, StartRequest, StatusReply};

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
        self.0.start(request).await.map_err(start_problem)
    }

    async fn status(&self, token: String) -> Result<StatusReply, Problem> {
        let token = Token::parse(&token).ok_or(Problem::NotFound)?;
        let file = self.0.order_of_token(&token).await.map_err(|error| unavailable(&error))?;
        file.map(|file| StatusReply { state: shopper_state(&file) }).ok_or(Problem::NotFound)
    }
}

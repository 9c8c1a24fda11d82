//! One call to the gateway, server to server: sign a request, send it, verify the answer.

use mypos::{Request, Unverified, Verified};
use tracing::Instrument as _;

use crate::checkout::{Checkout, CheckoutError};
use crate::figures::TRACES;
use crate::gateway::GatewayError;
use crate::mypos_store::MyposStore;

/// A request that is signed and ready to be sent, as a form.
#[derive(Clone, Debug)]
pub(crate) struct Signed(pub(crate) String);

/// Why a call had no answer that can be believed. The gateway may have done what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoAnswer {
    /// None came.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// It is not signed, or not of its shape.
    #[error("the gateway's answer is not signed, or not of its shape")]
    Unreadable,
}

/// An answer, and the body it came in.
pub(crate) struct Answer {
    /// The body as it came; empty where none did.
    pub(crate) raw: Option<String>,
    /// What it says, verified.
    pub(crate) verified: Result<Verified, NoAnswer>,
}

impl Checkout {
    /// The configured store of a name that is stored with a payment.
    pub(crate) fn store_of(&self, name: &str) -> Result<&MyposStore, CheckoutError> {
        self.settings
            .store_named(name)
            .ok_or_else(|| CheckoutError::Configuration(format!("store {name:?} is gone")))
    }

    /// Signs a request of a store. The questions ask for JSON.
    pub(crate) async fn signed(
        &self,
        store: &MyposStore,
        request: &impl Request,
    ) -> Result<Signed, CheckoutError> {
        let key = store.signing_key().ok_or_else(|| {
            CheckoutError::Configuration(format!("store {:?} has no key in use", store.name))
        })?;
        let fields = request.fields(&store.identity(key, domain::Language::En));
        Ok(Signed(self.sign(&key.ours, fields).await?.to_form()))
    }

    /// Sends a signed request, once, and verifies the answer.
    pub(crate) async fn send(&self, store: &MyposStore, request: Signed) -> Answer {
        let span = tracing::debug_span!(target: TRACES, "ask the gateway", otel.kind = "client");
        let body = match self.gateway.call(&store.endpoint, request.0).instrument(span).await {
            Ok(body) => body,
            Err(error) => return Answer { raw: None, verified: Err(error.into()) },
        };
        let verified = Unverified::from_json(body.trim_ascii())
            .ok()
            .and_then(|answer| answer.verify_any(store.gateway_keys()).ok())
            .ok_or(NoAnswer::Unreadable);
        Answer { raw: Some(String::from_utf8_lossy(&body).into_owned()), verified }
    }
}

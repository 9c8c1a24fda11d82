//! The checkout: everything that its use-cases need, in one place.

use std::sync::Arc;

use domain::{Problem, Quote, QuoteProblem, QuoteRequest};
use mypos::{Fields, PrivateKey, SignedFields};
use tokio::sync::Semaphore;
#[cfg(not(feature = "simulation"))]
use tracing::Instrument as _;

use crate::catalog::Catalog;
use crate::clock::Clock;
use crate::figures;
use crate::gateway::Gateway;
use crate::pricing;
use crate::settings::Settings;
use crate::start::StartError;
use crate::store::{Store, StoreError};
#[cfg(not(feature = "simulation"))]
use crate::threads::Threads;
use crate::token::NoRandomness;

/// A shop's checkout. Its use-cases stand beside it: [`crate::start`], [`crate::callbacks`],
/// [`crate::reconcile`].
pub struct Checkout {
    /// What is sold.
    pub catalog: Catalog,
    /// What the shop decided.
    pub settings: Settings,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) gateway: Arc<dyn Gateway>,
    pub(crate) clock: Arc<dyn Clock>,
    /// As many signatures are made at a time as there are cores: more would only wait for each other.
    #[cfg(not(feature = "simulation"))]
    signers: Threads,
    /// Passwords are hashed a few at a time: each takes much memory.
    pub(crate) hashers: Arc<Semaphore>,
}

/// How many passwords are hashed at a time.
const HASHERS: usize = 2;

/// Why a use-case could not go on. Nothing of it was done, unless it says so.
#[derive(Debug, thiserror::Error)]
pub enum CheckoutError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no randomness.
    #[error(transparent)]
    Random(#[from] NoRandomness),
    /// The order's sums do not fit.
    #[error(transparent)]
    Money(#[from] domain::MoneyError),
    /// A request could not be signed.
    #[error("signing failed: {0}")]
    Signing(String),
    /// The configuration does not fit what is stored: a store that a payment went to is gone, for one.
    #[error("the configuration does not fit: {0}")]
    Configuration(String),
}

impl Checkout {
    /// Puts a checkout together.
    pub fn new(
        catalog: Catalog,
        settings: Settings,
        store: Arc<dyn Store>,
        gateway: Arc<dyn Gateway>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        #[cfg(not(feature = "simulation"))]
        let signers = {
            let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
            Threads::start("signer", cores)
        };
        Self {
            catalog,
            settings,
            store,
            gateway,
            clock,
            #[cfg(not(feature = "simulation"))]
            signers,
            hashers: Arc::new(Semaphore::new(HASHERS)),
        }
    }

    /// Prices a cart, or puts a signed quote into words.
    pub fn quote(&self, request: &QuoteRequest) -> Result<Quote, StartError> {
        if request.signed_quote.is_empty() {
            return Ok(pricing::quote(&self.catalog, request)?);
        }
        let signed = self.open_quote(&request.signed_quote)?;
        if signed.expires_at_ms <= self.now_ms() {
            return Err(Problem::Quote(QuoteProblem::Expired).into());
        }
        Ok(pricing::fixed_quote(&signed, request.language)?)
    }

    /// The store, for reading what happened.
    pub fn store(&self) -> &dyn Store {
        self.store.as_ref()
    }

    /// The time.
    pub fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// Signs a message off the async threads.
    #[cfg_attr(feature = "simulation", expect(clippy::unused_async, reason = "a simulator signs at once"))]
    pub(crate) async fn sign(&self, key: &PrivateKey, fields: Fields) -> Result<SignedFields, CheckoutError> {
        let failed = |error: String| CheckoutError::Signing(error);
        let began = std::time::Instant::now();
        #[cfg(feature = "simulation")]
        let signed = sign_once(key, fields);
        #[cfg(not(feature = "simulation"))]
        let signed = {
            let key = key.clone();
            let signing = self.signers.run(move || key.sign_fields(fields));
            signing
                .instrument(tracing::debug_span!(target: figures::TRACES, "sign"))
                .await
                .map_err(|error| failed(error.to_string()))?
        };
        figures::signed(began.elapsed());
        signed.map_err(|error| failed(error.to_string()))
    }
}

/// A simulator does one thing at a time, so it signs here; and what it has signed before it does not sign again, for that
/// takes longer than most of what the signature is for. The key is named by the text.
#[cfg(feature = "simulation")]
fn sign_once(key: &PrivateKey, fields: Fields) -> Result<SignedFields, mypos::KeyError> {
    use std::cell::RefCell;
    use std::collections::HashMap;
    const AT_MOST: usize = 100_000;
    thread_local! {
        static KNOWN: RefCell<HashMap<String, SignedFields>> = RefCell::default();
    }
    let text = fields.to_form();
    if let Some(known) = KNOWN.with_borrow(|known| known.get(&text).cloned()) {
        return Ok(known);
    }
    let signed = key.sign_fields(fields)?;
    KNOWN.with_borrow_mut(|known| {
        if known.len() < AT_MOST {
            known.insert(text, signed.clone());
        }
    });
    Ok(signed)
}

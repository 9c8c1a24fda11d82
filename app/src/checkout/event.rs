//! What a host page is told.

use std::fmt;
use std::sync::Arc;

use domain::{FieldError, Problem, Quote};

/// Something that happened in a checkout.
#[derive(Debug)]
pub enum CheckoutEvent<'e> {
    /// Other prices are shown, or the first ones.
    Changed(&'e Quote),
    /// Pay was pressed, and these fields have to be mended, each with the words that the shopper reads.
    Invalid(Vec<(FieldError, String)>),
    /// An order is placed, and the shopper goes on at this address of the server, in the top window. Answer
    /// `true` after opening it, `false` where the shopper stays: then another press starts another payment.
    Leaving(&'e str),
    /// A call failed or was refused, with the words that the shopper reads; they may be empty.
    Refused(&'e Problem, String),
}

/// Takes events. Only the answer to [`CheckoutEvent::Leaving`] matters.
#[derive(Clone)]
pub struct EventHandler(Arc<dyn Fn(CheckoutEvent<'_>) -> bool + Send + Sync>);

impl EventHandler {
    /// A handler. In the browser, what is not `Send` goes into a `SendWrapper`: there is one thread.
    pub fn new(handler: impl Fn(CheckoutEvent<'_>) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(handler))
    }

    pub(super) fn call(&self, event: CheckoutEvent<'_>) -> bool {
        (self.0)(event)
    }
}

impl fmt::Debug for EventHandler {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("EventHandler")
    }
}

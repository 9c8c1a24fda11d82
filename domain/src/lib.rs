//! What the browser and the server of a Tillgate checkout share.
//!
//! Money and cart lines, the shopper's details and their validation, payment methods, the states of
//! orders and payments with their transition functions, and the messages between widget and server.
//! No I/O, no clock, no randomness, no feature flags: everything here is a function of its arguments,
//! and compiles to WebAssembly as it is.

pub mod cart;
pub mod details;
pub mod language;
pub mod messages;
pub mod method;
pub mod money;
pub mod state;

pub use cart::{Cart, CartError, CartLine};
pub use details::{Customer, Details, Field, FieldError, FieldProblem};
pub use language::Language;
pub use messages::{
    Choice, Notice, Price, Problem, Quote, QuoteLine, QuoteProblem, QuoteRequest, ShopperState, StartReply,
    StartRequest, StatusReply, Storefront, VatPart,
};
pub use method::PaymentMethod;
pub use money::{Currency, Money, MoneyError};
pub use state::{Fit, OrderEvent, OrderState, PaymentEvent, PaymentState, RefundEvent, RefundState, Refusal};

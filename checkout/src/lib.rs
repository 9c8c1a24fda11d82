//! The use-cases of a checkout.
//!
//! Pricing a cart, starting a payment, taking the gateway's messages, asking the gateway what became of a
//! payment; the store (SQLite behind one trait) and the gateway client. Nothing here knows of HTTP
//! servers, pages or configuration files.

pub mod callbacks;
pub mod catalog;
pub mod checkout;
pub mod clock;
mod conversation;
pub mod country;
pub mod figures;
pub mod format;
pub mod gateway;
pub mod mypos_store;
pub mod people;
pub mod pricing;
pub mod reconcile;
pub mod records;
pub mod refund;
pub mod rules;
pub mod search;
pub mod settings;
pub mod sign_in;
pub mod signed_quote;
pub mod start;
pub mod store;
pub mod storefront;
pub mod text;
mod threads;
pub mod timing;
pub mod token;
pub mod typed_amount;
pub mod view;
pub mod webhooks;

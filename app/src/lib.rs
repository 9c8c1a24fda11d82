//! What a shopper sees: the components of the checkout, the pages around them, and the signatures of
//! the functions that the server answers.
//!
//! The pages need the feature `ssr`. [`checkout`] and [`status`] are isomorphic: the server renders
//! them, the browser hydrates them as islands, and the custom element mounts the same components.

pub mod api;
pub mod checkout;
pub mod client;
pub mod dom;
pub mod form;
#[cfg(feature = "ssr")]
pub mod pages;
#[cfg(any(feature = "ssr", feature = "hydrate"))]
pub mod status;
pub mod text;
pub mod wire;

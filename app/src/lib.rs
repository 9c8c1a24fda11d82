//! What a shopper sees: the components of the checkout, the pages around them, and the signatures of
//! the functions that the server answers.
//!
//! The pages need the feature `ssr`. [`checkout`] and `status` are isomorphic: the server renders them, the browser
//! hydrates them as islands, and the custom element mounts the same components.
//!
//! # In a storefront of your own
//!
//! A storefront in Leptos uses the component itself, with the feature `csr`, against a Tillgate server that lists
//! its origin in `storefront_origins`. [`client::Client::begin`] asks the server for everything that a checkout begins
//! with; [`checkout::CheckoutForm`] shows it, and takes the shopper to the payment by itself.
//!
//! ```no_run
//! use app::checkout::{CheckoutEvent, CheckoutForm, CheckoutModel, EventHandler};
//! use app::client::Client;
//! use app::domain::{Cart, QuoteRequest};
//! use leptos::prelude::*;
//! use leptos::task::spawn_local;
//!
//! #[component]
//! fn Checkout() -> impl IntoView {
//!     let model = RwSignal::new(None::<CheckoutModel>);
//!     spawn_local(async move {
//!         let lines = Cart::parse("mug:2,sencha:1").unwrap_or_default();
//!         let request = QuoteRequest { lines, ..QuoteRequest::default() };
//!         if let Ok(mut begun) = Client::at("https://pay.example.com").begin(&request, "").await {
//!             begun.storefront.reference = "A-1001".to_owned();
//!             begun.storefront.return_url = "https://shop.example.com/thanks".to_owned();
//!             model.set(Some(begun));
//!         }
//!     });
//!     move || model.get().map(|model| view! { <CheckoutForm model /> })
//! }
//!
//! // Whoever wants to know what happens gives the model a handler. It then opens the address of the payment as well:
//! // in the top window, because no payment page is ever framed.
//! fn watched(model: CheckoutModel) -> CheckoutModel {
//!     let on_event = EventHandler::new(|event| {
//!         if let CheckoutEvent::Leaving(url) = event {
//!             app::dom::leave_for(url);
//!         }
//!         true
//!     });
//!     CheckoutModel { on_event: Some(on_event), ..model }
//! }
//! ```
//!
//! The style sheets are `style/tokens.css` and `style/checkout.css`; put the form into an element with
//! `container: tillgate / inline-size`, by whose width it is laid out. `examples/leptos` is a small shop like that.

pub use domain;

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

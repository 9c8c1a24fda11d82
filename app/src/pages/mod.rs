//! The pages. Each is a whole HTML document and a function of its data: handlers load, pages show.
//!
//! Render them with `leptos_axum::render_app_async_with_context`, after one call of
//! [`prepare`] when the process starts. What a Content-Security-Policy for
//! them needs: `script-src 'self' 'nonce-…' 'wasm-unsafe-eval'`, `style-src 'self'`, `img-src 'self'`,
//! `connect-src 'self'`, `form-action 'self'` (and the gateway on the hand-over page). There is no
//! inline style and no inline handler; inline scripts carry the nonce of `leptos::nonce`.

pub mod catalogue;
pub mod checkout;
mod document;
pub mod handover;
pub mod merchant;
pub mod message;
pub mod order;

use domain::Language;

pub use self::catalogue::{CatalogueItem, CataloguePage};
pub use self::checkout::{CheckoutData, CheckoutPage, Country, country_options};
pub use self::handover::{HandoverData, HandoverPage, HandoverSpent, HandoverSpentPage};
pub use self::message::{MessageData, MessageKind, MessagePage};
pub use self::order::{CancelledPage, Home, OrderView, ResultPage, TransferInstructions};

/// Gives Leptos the tokio runtime to render with. Without a router of its own nothing else does, and
/// rendering would panic. Calling it again changes nothing.
pub fn prepare() {
    // An error says that it was done before.
    let _ = any_spawner::Executor::init_tokio();
}

/// What every page knows about the shop and the request.
#[derive(Clone, Debug, Default)]
pub struct Site {
    /// The shop's name.
    pub shop_name: String,
    /// The shopper's language.
    pub language: Language,
    /// Whether no real money moves: every page says so.
    pub test_mode: bool,
    /// How many pieces the cart holds.
    pub cart_pieces: u32,
    /// The path of this page, for the language chooser's links. Empty where the page answers a POST
    /// and has no address to come back to: there is no chooser then.
    pub path: String,
    /// Where the bundle lies, such as `/pkg/3f9a`: [`SCRIPT`], [`WASM`] and [`STYLES`].
    pub pkg: String,
    /// Links of the demonstration shop.
    pub dev: Option<DevLinks>,
}

/// What a demonstration shop shows besides.
#[derive(Clone, Debug)]
pub struct DevLinks {
    /// Where the sandbox's own pages are.
    pub sandbox_url: String,
}

/// The style sheets of every page, in their order, under [`Site::pkg`].
pub const STYLES: [&str; 3] = ["tokens.css", "checkout.css", "site.css"];
/// The script of pages with an island, under [`Site::pkg`].
pub const SCRIPT: &str = "tillgate-frontend.js";
/// The WebAssembly of pages with an island, under [`Site::pkg`].
pub const WASM: &str = "tillgate-frontend_bg.wasm";

//! The WebAssembly entry of Tillgate's own pages: Trunk builds it, and the pages start it.

// The islands are exports of this crate's dependency: without a mention they would not be linked.
use app as _;
use wasm_bindgen::prelude::wasm_bindgen;

/// Prepares the browser for islands; the page then starts each of its own by name.
#[wasm_bindgen]
pub fn hydrate() {
    leptos::mount::hydrate_islands();
}

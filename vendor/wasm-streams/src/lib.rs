//! Stands in for the crate `wasm-streams` in what we send to browsers.
//!
//! `server_fn` names it for server functions that stream, of which there are none here. The crate exports
//! classes to JavaScript, and an export is never left out of a bundle: every shopper would load 2 kB of them.
//! A stream made here is empty, and says so to whoever reads it.

use futures_util::stream::{self, Stream};
use wasm_bindgen::JsValue;

/// A stream of the browser.
#[derive(Debug)]
pub struct ReadableStream;

impl ReadableStream {
    /// Takes the place of a stream of the browser.
    pub fn from_raw(_stream: web_sys::ReadableStream) -> Self {
        Self
    }

    /// Takes the place of a stream of Rust.
    pub fn from_stream(_stream: impl Stream<Item = Result<JsValue, JsValue>> + 'static) -> Self {
        Self
    }

    /// What was never read.
    pub fn into_stream(self) -> impl Stream<Item = Result<JsValue, JsValue>> {
        stream::iter([Err(JsValue::from_str("this bundle reads no streams"))])
    }

    /// Nothing that the browser could send.
    pub fn into_raw(self) -> JsValue {
        JsValue::NULL
    }
}

//! The browser's side of the calls in [`crate::api`]: `fetch`, url-encoded there, JSON back.
//!
//! It could call the server functions themselves. It does not, because their client brings 16 kB of
//! WebAssembly to every shopper; tests hold both to one wire form.

use std::pin::Pin;

use domain::{Problem, Quote, QuoteRequest, StartReply, StartRequest, StatusReply};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, RequestInit, Response, UrlSearchParams};

use crate::checkout::CheckoutModel;
use crate::{api, form, wire};

/// After this many milliseconds a call counts as not answered.
const PATIENCE: u32 = 30_000;

/// The server, seen from the browser.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    /// Its origin; empty for our own.
    base: &'static str,
}

impl Client {
    /// The server that the page came from.
    pub const OWN: Self = Self { base: "" };

    /// A server at another origin, such as `https://pay.example.com`.
    pub const fn at(base: &'static str) -> Self {
        Self { base }
    }

    /// The address of a path there.
    pub fn url(self, path: &str) -> String {
        [self.base, path].concat()
    }

    /// What a checkout on another origin's page begins with: its texts, what can be chosen, and the prices of
    /// `request`. `cart_id` is the one that the last visit ended with, [`CheckoutModel::cart_id`], or empty: two
    /// tabs that remember the same one pay one order.
    pub async fn begin(self, request: &QuoteRequest, cart_id: &str) -> Result<CheckoutModel, Problem> {
        let mut pairs = quote_pairs(request);
        pairs.push((form::CART_ID, cart_id.to_owned()));
        let table = self.get(api::WIDGET, &pairs, |json| Some(json.clone())).await?;
        // A server of another version answers what cannot be read here.
        let mut model = CheckoutModel::from_table(&table, self).map_err(|_| Problem::Transport)?;
        model.storefront.signed_quote.clone_from(&request.signed_quote);
        Ok(model)
    }

    /// Prices a cart.
    pub async fn quote(self, request: &QuoteRequest) -> Result<Quote, Problem> {
        self.get(api::QUOTE, &quote_pairs(request), wire::quote).await
    }

    /// Starts a payment.
    pub async fn start(self, request: &StartRequest) -> Result<StartReply, Problem> {
        let init = post(&form::start_pairs(request)).ok_or(Problem::Transport)?;
        let reply = call(self.url(api::START), init).await?;
        wire::start_reply(&reply).ok_or(Problem::Transport)
    }

    /// Reads where an order stands.
    pub async fn status(self, token: &str) -> Result<StatusReply, Problem> {
        self.get(api::STATUS, &[("token", token.to_owned())], wire::status_reply).await
    }

    /// Lets the cart's cookie follow. What comes of it changes nothing: the page carries its cart itself.
    pub async fn keep_cart(self, cart_id: &str, lines: &str) {
        let pairs = [(form::CART_ID, cart_id), (form::LINES, lines)];
        if let (Some(window), Some(init)) = (web_sys::window(), post(&pairs)) {
            // Also when the page is left in the same moment.
            let _ = js_sys::Reflect::set(&init, &"keepalive".into(), &JsValue::TRUE);
            let sent = window.fetch_with_str_and_init(&self.url(form::CART_SET), &init);
            let _ = JsFuture::from(sent).await;
        }
    }

    async fn get<T>(self, path: &str, pairs: &[(&str, String)], read: Read<T>) -> Result<T, Problem> {
        let query = encode(pairs).ok_or(Problem::Transport)?;
        let query = String::from(query.to_string());
        let answer = call([self.base, path, "?", &query].concat(), RequestInit::new()).await?;
        read(&answer).ok_or(Problem::Transport)
    }
}

fn quote_pairs(request: &QuoteRequest) -> Vec<(&'static str, String)> {
    vec![
        (form::LINES, request.lines.to_string()),
        ("delivery", request.delivery.clone()),
        ("language", request.language.tag().to_owned()),
        (form::SIGNED_QUOTE, request.signed_quote.clone()),
    ]
}

/// Reads an answer.
type Read<T> = fn(&JsValue) -> Option<T>;

/// A body that makes the browser send `application/x-www-form-urlencoded`.
fn encode(pairs: &[(impl AsRef<str>, impl AsRef<str>)]) -> Option<UrlSearchParams> {
    let encoded = UrlSearchParams::new().ok()?;
    for (name, value) in pairs {
        encoded.append(name.as_ref(), value.as_ref());
    }
    Some(encoded)
}

fn post(pairs: &[(impl AsRef<str>, impl AsRef<str>)]) -> Option<RequestInit> {
    let init = RequestInit::new();
    init.set_method("POST");
    init.set_body(&encode(pairs)?.into());
    Some(init)
}

/// The JSON of an answer. Boxed, and the same for every call: code for each would cost every shopper more.
fn call(url: String, init: RequestInit) -> Pin<Box<dyn Future<Output = Result<JsValue, Problem>>>> {
    Box::pin(async move {
        let (status, body) = fetch(&url, &init).await.ok_or(Problem::Transport)?;
        let json = js_sys::JSON::parse(&body).unwrap_or(JsValue::NULL);
        if (200..300).contains(&status) {
            return Ok(json);
        }
        // What stands in front of the server may refuse in words of its own.
        let unknown = if status == 429 { Problem::RateLimited } else { Problem::Transport };
        Err(wire::problem(&json).unwrap_or(unknown))
    })
}

/// The status and the text of an answer.
async fn fetch(url: &str, init: &RequestInit) -> Option<(u16, String)> {
    init.set_signal(Some(&AbortSignal::timeout_with_u32(PATIENCE)));
    let sent = web_sys::window()?.fetch_with_str_and_init(url, init);
    let response: Response = JsFuture::from(sent).await.ok()?.dyn_into().ok()?;
    let body = JsFuture::from(response.text().ok()?).await.ok()?.as_string()?;
    Some((response.status(), body))
}

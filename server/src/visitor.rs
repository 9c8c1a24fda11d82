//! Who looks at a page: the language, and the cart.

use std::convert::Infallible;

use app::pages::Site;
use axum::extract::FromRequestParts;
use axum::http::header::ACCEPT_LANGUAGE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Uri};
use axum_extra::extract::CookieJar;
use checkout::records::Mode;
use domain::Language;

use crate::cookies::CartCookie;
use crate::state::AppState;

/// What a request says about its shopper.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// By choice (`?lang=`, then the cookie), else by `Accept-Language`.
    pub language: Language,
    /// The cart, if there is one.
    pub cart: Option<CartCookie>,
    /// The path, for links back to the same page.
    path: String,
}

impl FromRequestParts<AppState> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        let mut visitor = Self::from_headers(state, &parts.headers);
        if let Some(language) = chosen(&parts.uri) {
            visitor.language = language;
        }
        if parts.method == Method::GET {
            visitor.path = page_address(&parts.uri);
        }
        Ok(visitor)
    }
}

impl Visitor {
    /// What the headers alone say.
    pub fn from_headers(state: &AppState, headers: &HeaderMap) -> Self {
        let jar = CookieJar::from_headers(headers);
        let names = state.shop.cookies;
        let kept = jar.get(&names.language()).and_then(|cookie| Language::from_tag(cookie.value()));
        let accepted = || {
            let header = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
            header.map_or_else(Language::default, Language::from_accept_language)
        };
        Self {
            language: kept.unwrap_or_else(accepted),
            cart: jar.get(&names.cart()).and_then(|cookie| CartCookie::parse(cookie.value())),
            path: String::new(),
        }
    }

    /// The same shopper with another cart, where there is one.
    #[must_use]
    pub fn with_cart(mut self, cart: Option<CartCookie>) -> Self {
        self.cart = cart.or(self.cart);
        self
    }

    /// The frame of a page for this shopper.
    pub fn site(&self, state: &AppState) -> Site {
        Site {
            shop_name: state.shop.name.clone(),
            language: self.language,
            test_mode: state.checkout.settings.mode_for(state.checkout.catalog.currency) == Mode::Test,
            cart_pieces: self.cart.as_ref().map_or(0, |cart| cart.lines.pieces()),
            path: self.path.clone(),
            pkg: state.assets.base(),
            dev: state.dev.as_deref().cloned(),
        }
    }
}

/// The address of a page without its choice of language, for links back to it: what a storefront handed over
/// stays, and so do a filter and a place in a list. The pages of an order have nothing to keep.
fn page_address(uri: &Uri) -> String {
    if uri.path().starts_with("/checkout/") {
        return uri.path().to_owned();
    }
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(
        form_urlencoded::parse(uri.query().unwrap_or("").as_bytes()).filter(|(name, _)| name != "lang"),
    );
    let query = query.finish();
    if query.is_empty() { uri.path().to_owned() } else { format!("{}?{query}", uri.path()) }
}

/// The language that an address chooses (`?lang=de`).
pub(crate) fn chosen(uri: &Uri) -> Option<Language> {
    let query = uri.query()?;
    form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "lang")
        .and_then(|(_, tag)| Language::from_tag(&tag))
}

//! The cookies of our own pages: the cart, the language, and the merchant's session.

use axum_extra::extract::cookie::{Cookie, SameSite};
use checkout::token::{NoRandomness, Token};
use domain::messages::is_key;
use domain::{Cart, Language};
use time::Duration;

const CART: &str = "tillgate_cart";
const LANGUAGE: &str = "tillgate_language";
const MERCHANT: &str = "tillgate_merchant";
/// How long a cart is remembered.
const CART_DAYS: i64 = 14;
const LANGUAGE_DAYS: i64 = 365;

/// Names of cookies: with `__Host-` where the shop is served over https, so that no other host of the
/// domain can set them.
#[derive(Clone, Copy, Debug)]
pub struct CookieNames {
    secure: bool,
}

impl CookieNames {
    /// The names for a public URL.
    pub fn for_url(public_url: &str) -> Self {
        Self { secure: public_url.starts_with("https://") }
    }

    /// The cart's cookie.
    pub fn cart(self) -> String {
        self.named(CART)
    }

    /// The language's cookie.
    pub fn language(self) -> String {
        self.named(LANGUAGE)
    }

    fn named(self, name: &str) -> String {
        if self.secure { format!("__Host-{name}") } else { name.to_owned() }
    }

    fn cookie(self, name: String, value: String, days: i64) -> Cookie<'static> {
        Cookie::build((name, value))
            .path("/")
            .http_only(true)
            .secure(self.secure)
            .same_site(SameSite::Lax)
            .max_age(Duration::days(days))
            .build()
    }

    /// Keeps a cart.
    pub fn keep_cart(self, cart: &CartCookie) -> Cookie<'static> {
        self.cookie(self.cart(), cart.to_value(), CART_DAYS)
    }

    /// Forgets the cart.
    pub fn forget_cart(self) -> Cookie<'static> {
        self.cookie(self.cart(), String::new(), 0)
    }

    /// The merchant's session.
    pub fn merchant(self) -> String {
        self.named(MERCHANT)
    }

    /// Keeps a session until the browser is closed; the server ends it earlier.
    pub fn keep_session(self, session: &Token) -> Cookie<'static> {
        let mut cookie = self.cookie(self.merchant(), session.secret().to_owned(), 0);
        cookie.unset_expires();
        cookie.set_max_age(None);
        cookie
    }

    /// Forgets the session.
    pub fn forget_session(self) -> Cookie<'static> {
        self.cookie(self.merchant(), String::new(), 0)
    }

    /// Keeps a language.
    pub fn keep_language(self, language: Language) -> Cookie<'static> {
        self.cookie(self.language(), language.tag().to_owned(), LANGUAGE_DAYS)
    }
}

/// A cart as its cookie carries it: `{id}.{lines}`. The id is random, and the same for every page of one
/// browser, so that two tabs with one cart pay one order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CartCookie {
    /// The cart's random id.
    pub id: String,
    /// What is in it.
    pub lines: Cart,
}

impl CartCookie {
    /// A cart with a new id.
    pub fn new(lines: Cart) -> Result<Self, NoRandomness> {
        Ok(Self { id: Token::random()?.secret().to_owned(), lines })
    }

    /// Reads a cookie's value; what cannot be read is no cart.
    pub fn parse(value: &str) -> Option<Self> {
        let (id, lines) = value.split_once('.')?;
        // A comma is not allowed in a cookie's value (RFC 6265, section 4.1.1).
        let lines = Cart::parse(&lines.replace('~', ",")).ok()?;
        is_key(id).then(|| Self { id: id.to_owned(), lines })
    }

    fn to_value(&self) -> String {
        format!("{}.{}", self.id, self.lines.to_string().replace(',', "~"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cart_survives_its_cookie() {
        let cart = CartCookie::new(Cart::parse("mug:2,tea.green:1").unwrap()).unwrap();
        let names = CookieNames::for_url("https://shop.example");
        let cookie = names.keep_cart(&cart);
        assert_eq!(cookie.name(), "__Host-tillgate_cart");
        assert_eq!((cookie.secure(), cookie.http_only(), cookie.path()), (Some(true), Some(true), Some("/")));
        assert_eq!(CartCookie::parse(cookie.value()), Some(cart));
        assert_eq!(CookieNames::for_url("http://127.0.0.1:3000").cart(), "tillgate_cart");
    }

    #[test]
    fn what_is_no_cart_is_none() {
        for bad in ["", "short.mug:1", "0123456789abcdefghijkl", "0123456789abcdefghijkl.mug"] {
            assert_eq!(CartCookie::parse(bad), None, "{bad}");
        }
    }
}

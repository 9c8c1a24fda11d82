//! What storefronts of their own bring: quotes that their backends signed, a number of their own, an address to
//! lead the shopper home to, and the cart of a browser that sends us no cookie.

use domain::messages::is_key;
use domain::{Cart, Problem, ShopperState, Storefront as Said};

use crate::checkout::{Checkout, CheckoutError};
use crate::records::{LineKind, Storefront};
use crate::signed_quote::{MAX_REFERENCE_CHARS, SignedQuote};
use crate::start::cart_hash;
use crate::store::OrderFile;
use crate::text::clean;
use crate::token::{NoRandomness, Token};
use crate::view::shopper_state;

/// The longest address to return to.
const MAX_RETURN_URL_BYTES: usize = 512;
/// A cart that was bought not longer ago than this, and is there again unchanged, is the same purchase: a page
/// that was loaded again, or another tab.
const SAME_PURCHASE_MS: i64 = 24 * 60 * 60 * 1000;
/// Names what a derived token is for.
const QUOTE_CART: &str = "cart of a quote";

impl Checkout {
    /// Verifies and reads a signed quote. Whether its time is over is not looked at.
    pub(crate) fn open_quote(&self, text: &str) -> Result<SignedQuote, Problem> {
        let settings = &self.settings;
        let takes = |currency| currency == self.catalog.currency || settings.store_for(currency).is_some();
        SignedQuote::open(text, &settings.quote_keys, takes).map_err(Problem::Quote)
    }

    /// What a storefront says about an order, in the form in which it is stored. A signed quote has the last
    /// word, and nothing beside it is the order's number.
    pub(crate) fn accept_storefront(
        &self,
        said: &Said,
        signed: Option<&SignedQuote>,
    ) -> Result<Storefront, Problem> {
        let reference = signed.map_or(&said.reference, |signed| &signed.reference);
        let reference = clean(reference, MAX_REFERENCE_CHARS + 1);
        if reference.chars().count() > MAX_REFERENCE_CHARS {
            return Err(Problem::BadReference);
        }
        let return_url =
            signed.map(|signed| &signed.return_url).filter(|url| !url.is_empty()).unwrap_or(&said.return_url);
        if !self.may_return_to(return_url) {
            return Err(Problem::BadReturnUrl);
        }
        Ok(Storefront { quote: signed.map(|signed| signed.id), reference, return_url: return_url.clone() })
    }

    /// Whether an order may lead home to an address.
    pub fn may_return_to(&self, url: &str) -> bool {
        url.is_empty() || is_return_url(url, &self.settings.storefront_origins)
    }

    /// The id of the cart that a storefront shows. `sent` is what the browser remembers of its last visit: it
    /// stays where nothing was ordered, or nothing else is. A signed quote has a cart of its own, the same one
    /// wherever it is shown: all that show it pay one order.
    pub async fn cart_of_storefront(
        &self,
        sent: &str,
        lines: &Cart,
        signed_quote: &str,
    ) -> Result<String, CheckoutError> {
        if !signed_quote.is_empty() {
            return Ok(cart_of_quote(signed_quote));
        }
        if is_key(sent) {
            let stays = match self.store().order_by_cart(cart_hash(sent)).await? {
                Some(file) => self.is_same_purchase(&file, lines),
                None => true,
            };
            if stays {
                return Ok(sent.to_owned());
            }
        }
        Ok(Token::random().map_err(|error: NoRandomness| error)?.secret().to_owned())
    }

    fn is_same_purchase(&self, file: &OrderFile, lines: &Cart) -> bool {
        let order = &file.order;
        if order.new.storefront.quote.is_some() {
            return false;
        }
        match shopper_state(file) {
            ShopperState::NotPaid
            | ShopperState::GivenBack
            | ShopperState::Ended
            | ShopperState::Checking => true,
            ShopperState::Paid | ShopperState::Awaiting | ShopperState::Refunded => {
                let age_ms = self.now_ms().saturating_sub(order.placed_at_ms);
                age_ms < SAME_PURCHASE_MS && bought(file) == *lines
            }
        }
    }
}

/// The id of a signed quote's cart.
pub fn cart_of_quote(signed_quote: &str) -> String {
    Token::derived(QUOTE_CART, signed_quote, &[0; 16]).secret().to_owned()
}

/// The cart that an order was placed with.
pub fn bought(file: &OrderFile) -> Cart {
    let mut cart = Cart::default();
    for line in file.order.new.lines.iter().filter(|line| line.kind == LineKind::Item) {
        // What came out of a cart fits into one.
        let _ = cart.add(&line.sku, line.quantity);
    }
    cart
}

/// Whether an address is one of a listed origin, over https or on this machine. What follows the origin begins
/// with `/`, `?` or `#`, so the host is the whole of what was listed.
fn is_return_url(url: &str, origins: &[String]) -> bool {
    let is_plain = url.len() <= MAX_RETURN_URL_BYTES
        && url
            .bytes()
            .all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`'));
    is_plain
        && origins.iter().any(|origin| {
            (origin.starts_with("https://") || is_loopback(origin))
                && url
                    .strip_prefix(origin.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
        })
}

fn is_loopback(origin: &str) -> bool {
    let host =
        origin.strip_prefix("http://").map(|rest| {
            rest.rsplit_once(':').map_or(rest, |(host, port)| {
                if port.bytes().all(|b| b.is_ascii_digit()) { host } else { rest }
            })
        });
    matches!(host, Some("localhost" | "127.0.0.1" | "[::1]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shoppers_are_led_to_listed_origins_and_nowhere_else() {
        let origins =
            ["https://shop.example", "http://localhost:5173", "http://[::1]:80", "http://plain.example"]
                .map(str::to_owned);
        for good in [
            "https://shop.example",
            "https://shop.example/",
            "https://shop.example?order=1",
            "https://shop.example/thanks/?a=b&c=%20d#top",
            "http://localhost:5173/back",
            "http://[::1]:80/",
        ] {
            assert!(is_return_url(good, &origins), "{good}");
        }
        for bad in [
            "",
            "/",
            "//shop.example/",
            "https://shop.example.evil.example/",
            "https://shop.example@evil.example/",
            "https://shop.example:8443/",
            "https://shop.example\\@evil.example",
            "https://evil.example/https://shop.example/",
            "http://shop.example/",
            "HTTPS://shop.example/",
            "javascript:alert(1)//https://shop.example",
            "https://shop.example/\"><script>",
            "https://shop.example/a b",
            "https://shop.example/\r\nset-cookie:a=b",
            "https://shop.example/ü",
            // Listed, but neither https nor on this machine.
            "http://plain.example/",
            &format!("https://shop.example/{}", "x".repeat(500)),
        ] {
            assert!(!is_return_url(bad, &origins), "{bad}");
        }
    }
}

//! What shoppers, storefronts and merchants type or send: carts, quotes, amounts, searches, catalogues.
#![no_main]

use std::sync::LazyLock;

use checkout::catalog::Catalog;
use checkout::signed_quote::{QuoteKey, SignedQuote};
use checkout::{search, typed_amount};
use domain::{Cart, Currency, Language, Money};
use libfuzzer_sys::fuzz_target;

static KEY: LazyLock<QuoteKey> = LazyLock::new(|| QuoteKey::new("fuzz", &[7; 32]).unwrap());

fuzz_target!(|body: &[u8]| {
    let text = String::from_utf8_lossy(body);
    if let Ok(cart) = Cart::parse(&text) {
        let written: Vec<String> =
            cart.lines().iter().map(|line| format!("{}:{}", line.sku, line.quantity)).collect();
        assert_eq!(Cart::parse(&written.join(",")), Ok(cart));
    }
    let keys = std::slice::from_ref(&*KEY);
    // As it comes, and as a payload that its storefront has signed: nobody guesses a signature.
    for quote in [text.clone().into_owned(), KEY.sign(&text)] {
        if let Ok(quote) = SignedQuote::open(&quote, keys, |_| true) {
            let currency = quote.total.currency;
            let totals = quote.lines.iter().map(|line| line.total().unwrap());
            assert_eq!(Money::sum(currency, totals), Ok(quote.total));
            assert!(quote.total.minor > 0);
        }
    }
    for language in [Language::En, Language::De] {
        if let Ok(money) = typed_amount::parse(&text, Currency::EUR, language) {
            assert!(money.minor > 0);
        }
        drop(search::parse(&text, Currency::EUR, language));
    }
    drop(Catalog::parse(&text));
});

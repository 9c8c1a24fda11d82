//! Quotes that a storefront's own backend signed: its prices, in place of the catalogue's.
//!
//! A quote is one line of text that Node, PHP and Python make with nothing but their standard libraries:
//!
//! ```text
//! v1.<key id>.<payload>.<signature>
//! payload   = base64url without padding of UTF-8 JSON: see `Payload`
//! signature = base64url without padding of HMAC-SHA256(secret, "v1.<key id>.<payload>")
//! ```
//!
//! Nothing of the payload is looked at before the signature fits, and the signature covers it as it was sent,
//! byte for byte, so there is no second way to write the same quote.

use std::fmt;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{Cart, Currency, Money, QuoteProblem};
use serde::Deserialize;

use crate::pricing::MAX_ARTICLE_CHARS;
use crate::records::{LineKind, OrderLine};
use crate::text::clean;
use crate::token::Hash;

/// The longest text of a quote: it travels in addresses as well.
pub const MAX_QUOTE_BYTES: usize = 8192;
/// The most characters of a storefront's own order number.
pub const MAX_REFERENCE_CHARS: usize = 64;
/// The most characters of a line's SKU.
const MAX_SKU_CHARS: usize = 64;
/// A sum in minor units has to be below this.
const TOO_MUCH_MINOR: i64 = 100_000_000_000;
/// What the first version of the format begins with.
const VERSION: &str = "v1";
/// The fewest bytes of a secret.
const MIN_SECRET_BYTES: usize = 32;

/// A secret that a storefront's backend signs with, and its id. Never printed.
#[derive(Clone)]
pub struct QuoteKey {
    id: String,
    key: hmac::Key,
}

/// What is wrong with a key. Says nothing of the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuoteKeyError {
    /// The id.
    #[error("its id has to be 1 to 32 of A-Z a-z 0-9 - _")]
    Id,
    /// The secret.
    #[error("its secret has to be at least {MIN_SECRET_BYTES} bytes long")]
    Secret,
}

impl QuoteKey {
    /// A key of an id and a secret. The secret is used as the bytes that it is.
    pub fn new(id: &str, secret: &[u8]) -> Result<Self, QuoteKeyError> {
        let fits = (1..=32).contains(&id.len())
            && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        if !fits {
            return Err(QuoteKeyError::Id);
        }
        if secret.len() < MIN_SECRET_BYTES {
            return Err(QuoteKeyError::Secret);
        }
        Ok(Self { id: id.to_owned(), key: hmac::Key::new(hmac::HMAC_SHA256, secret) })
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Signs a payload: what a storefront's backend does.
    pub fn sign(&self, payload: &str) -> String {
        let signed = format!("{VERSION}.{}.{}", self.id, URL_SAFE_NO_PAD.encode(payload));
        let signature = hmac::sign(&self.key, signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

impl fmt::Debug for QuoteKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "QuoteKey({}, hidden)", self.id)
    }
}

/// What a quote says, as JSON. Unknown members are refused, so that a misspelt discount is not lost.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload {
    /// Unique for ever: 16 to 64 of `A-Z a-z 0-9 - _ .`.
    id: String,
    /// Until when it can be used, in seconds since 1970.
    expires: i64,
    /// ISO 4217.
    currency: String,
    lines: Vec<Line>,
    #[serde(default)]
    reference: String,
    #[serde(default)]
    return_url: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    #[serde(default = "item")]
    kind: LineKind,
    #[serde(default)]
    sku: String,
    name: String,
    #[serde(default = "one")]
    quantity: u32,
    /// The gross price of one in minor units; negative for a discount, and only there.
    unit: i64,
    /// The VAT rate in basis points.
    vat: u32,
}

const fn item() -> LineKind {
    LineKind::Item
}

const fn one() -> u32 {
    1
}

/// A quote whose signature fits and whose content holds together. Whether its time is over, and whether it was
/// used, is for whoever places the order to ask.
#[derive(Clone, Debug)]
pub struct SignedQuote {
    /// The hash of its key and its id: what makes it one that can be used once.
    pub id: Hash,
    /// Until when it can be used, milliseconds since 1970.
    pub expires_at_ms: i64,
    /// The lines. They sum to `total`.
    pub lines: Vec<OrderLine>,
    /// Their sum, above zero.
    pub total: Money,
    /// The storefront's own number for the order; may be empty. Not looked at yet.
    pub reference: String,
    /// Where the shopper goes when all is done; may be empty. Not looked at yet.
    pub return_url: String,
}

impl SignedQuote {
    /// Verifies and reads a quote. `takes` says which currencies can be paid.
    pub fn open(
        text: &str,
        keys: &[QuoteKey],
        takes: impl Fn(Currency) -> bool,
    ) -> Result<Self, QuoteProblem> {
        if text.len() > MAX_QUOTE_BYTES {
            return Err(QuoteProblem::TooLarge);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(QuoteProblem::Unreadable)?;
        let mut parts = signed.split('.');
        let (Some(VERSION), Some(key_id), Some(payload), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(QuoteProblem::Unreadable);
        };
        let key = keys.iter().find(|key| key.id == key_id).ok_or(QuoteProblem::UnknownKey)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| QuoteProblem::Unreadable)?;
        // In constant time.
        hmac::verify(&key.key, signed.as_bytes(), &signature).map_err(|_| QuoteProblem::Forged)?;
        let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|_| QuoteProblem::Unreadable)?;
        let payload: Payload = serde_json::from_slice(&payload).map_err(|_| QuoteProblem::Unreadable)?;
        payload.accept(key_id, takes)
    }
}

impl Payload {
    fn accept(self, key_id: &str, takes: impl Fn(Currency) -> bool) -> Result<SignedQuote, QuoteProblem> {
        let is_id = (16..=64).contains(&self.id.len())
            && self.id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
        if !is_id {
            return Err(QuoteProblem::Unreadable);
        }
        let currency = Currency::from_code(&self.currency)
            .filter(|currency| takes(*currency))
            .ok_or(QuoteProblem::Currency)?;
        if self.lines.len() > Cart::MAX_LINES {
            return Err(QuoteProblem::TooLarge);
        }
        let lines =
            self.lines.into_iter().map(|line| line.accept(currency)).collect::<Result<Vec<_>, _>>()?;
        let total = lines
            .iter()
            .try_fold(Money::zero(currency), |total, line| total.plus(line.total()?))
            .map_err(|_| QuoteProblem::TooLarge)?;
        if total.minor <= 0 {
            return Err(QuoteProblem::Total);
        }
        if total.minor >= TOO_MUCH_MINOR {
            return Err(QuoteProblem::TooLarge);
        }
        Ok(SignedQuote {
            id: Hash::of(&[b"quote", key_id.as_bytes(), self.id.as_bytes()]),
            expires_at_ms: self.expires.saturating_mul(1000),
            lines,
            total,
            reference: self.reference,
            return_url: self.return_url,
        })
    }
}

impl Line {
    fn accept(self, currency: Currency) -> Result<OrderLine, QuoteProblem> {
        // One more than allowed, so that what is too long is found and not silently cut.
        let name = clean(&self.name, MAX_ARTICLE_CHARS + 1);
        let sku = clean(&self.sku, MAX_SKU_CHARS + 1);
        let sign_fits = (self.unit < 0) == (self.kind == LineKind::Discount);
        if name.is_empty()
            || name.chars().count() > MAX_ARTICLE_CHARS
            || sku.chars().count() > MAX_SKU_CHARS
            || self.quantity == 0
            || self.vat > 10_000
            || !sign_fits
        {
            return Err(QuoteProblem::BadLine);
        }
        // So that neither the line nor the sum of all can overflow, and every partial sum is sensible.
        if self.quantity > Cart::MAX_QUANTITY || self.unit.unsigned_abs() >= TOO_MUCH_MINOR.unsigned_abs() {
            return Err(QuoteProblem::TooLarge);
        }
        Ok(OrderLine {
            kind: self.kind,
            sku,
            name,
            image: String::new(),
            quantity: self.quantity,
            unit: Money::new(self.unit, currency),
            vat_bp: self.vat,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    /// The example of the documentation: key, payload and quote. A backend that makes this text of this payload
    /// signs as it should.
    const SECRET: &str = "this-secret-is-public-and-only-for-tillgate-dev";
    const PAYLOAD: &str = r#"{"id":"example-0000000000000001","expires":4102444800,"currency":"EUR","lines":[{"sku":"mug","name":"Mug","quantity":2,"unit":1890,"vat":1900},{"kind":"delivery","sku":"post","name":"Post","unit":490,"vat":1900},{"kind":"discount","name":"Spring","unit":-500,"vat":1900}],"reference":"A-1001","return_url":"https://shop.example.com/thanks"}"#;
    const EXAMPLE: &str = include_str!("signed_quote_example.txt");

    fn key() -> QuoteKey {
        QuoteKey::new("dev", SECRET.as_bytes()).unwrap()
    }

    fn open(text: &str) -> Result<SignedQuote, QuoteProblem> {
        SignedQuote::open(text, &[key()], |currency| currency == Currency::EUR)
    }

    fn payload() -> Value {
        json!({
            "id": "a-quote-of-its-own-1",
            "expires": 4_102_444_800_i64,
            "currency": "EUR",
            "lines": [{ "name": "Mug", "unit": 1890, "vat": 1900 }],
        })
    }

    /// A quote of the payload with one member changed.
    fn with(member: &str, value: Value) -> Result<SignedQuote, QuoteProblem> {
        let mut payload = payload();
        payload[member] = value;
        open(&key().sign(&payload.to_string()))
    }

    fn with_line(line: Value) -> Result<SignedQuote, QuoteProblem> {
        with("lines", json!([{ "name": "Box", "unit": 5000, "vat": 0 }, line]))
    }

    #[test]
    fn the_example_of_the_documentation_is_read_as_it_was_meant() {
        assert_eq!(key().sign(PAYLOAD), EXAMPLE.trim());
        let quote = open(EXAMPLE.trim()).unwrap();
        assert_eq!(quote.total, Money::new(3770, Currency::EUR));
        let lines: Vec<_> =
            quote.lines.iter().map(|line| (line.kind, line.quantity, line.unit.minor)).collect();
        assert_eq!(
            lines,
            [(LineKind::Item, 2, 1890), (LineKind::Delivery, 1, 490), (LineKind::Discount, 1, -500)]
        );
        assert_eq!((quote.reference.as_str(), quote.expires_at_ms), ("A-1001", 4_102_444_800_000));
        assert_eq!(quote.return_url, "https://shop.example.com/thanks");
    }

    #[test]
    fn openssl_signs_the_example_alike() {
        use std::io::Write as _;
        use std::process::{Command, Stdio};
        let (signed, signature) = EXAMPLE.trim().rsplit_once('.').unwrap();
        let mut openssl = Command::new("openssl")
            .args(["dgst", "-sha256", "-hmac", SECRET, "-binary"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        openssl.stdin.take().unwrap().write_all(signed.as_bytes()).unwrap();
        let output = openssl.wait_with_output().unwrap();
        assert_eq!(URL_SAFE_NO_PAD.encode(output.stdout), signature);
    }

    #[test]
    fn what_is_no_quote_is_unreadable() {
        for bad in
            ["", "v1", "v1.dev", "v1.dev.e30", "v2.dev.e30.e30", "v1.dev.e30.e30.e30", "v1.dev.e30.=", "...."]
        {
            assert_eq!(open(bad).unwrap_err(), QuoteProblem::Unreadable, "{bad}");
        }
        for bad in ["", "[]", "{}", "null", "{\"id\":1}"] {
            assert_eq!(open(&key().sign(bad)).unwrap_err(), QuoteProblem::Unreadable, "{bad}");
        }
        assert_eq!(with("discuont", json!(5)).unwrap_err(), QuoteProblem::Unreadable);
        for id in ["short", &"x".repeat(65), "sixteen characters"] {
            assert_eq!(with("id", json!(id)).unwrap_err(), QuoteProblem::Unreadable, "{id}");
        }
        // No floats, also where they are whole.
        for unit in [json!(18.9), json!(1890.0), json!("1890")] {
            let quote = with_line(json!({ "name": "Mug", "unit": unit, "vat": 0 }));
            assert_eq!(quote.unwrap_err(), QuoteProblem::Unreadable);
        }
        let padded = format!("{}=", EXAMPLE.trim());
        assert_eq!(open(&padded).unwrap_err(), QuoteProblem::Unreadable);
    }

    #[test]
    fn another_key_signs_for_nobody() {
        let stranger = QuoteKey::new("other", &[7; 32]).unwrap();
        assert_eq!(open(&stranger.sign(PAYLOAD)).unwrap_err(), QuoteProblem::UnknownKey);
        let impostor = QuoteKey::new("dev", &[7; 32]).unwrap();
        assert_eq!(open(&impostor.sign(PAYLOAD)).unwrap_err(), QuoteProblem::Forged);
        // The id is under the signature: the same secret under another id does not fit.
        let rotated = [key(), QuoteKey::new("next", SECRET.as_bytes()).unwrap()];
        let renamed = EXAMPLE.trim().replace("v1.dev.", "v1.next.");
        let opened = SignedQuote::open(&renamed, &rotated, |_| true);
        assert_eq!(opened.unwrap_err(), QuoteProblem::Forged);
    }

    #[test]
    fn sums_and_sizes_have_bounds() {
        assert_eq!(with("lines", json!([])).unwrap_err(), QuoteProblem::Total);
        assert_eq!(with("currency", json!("USD")).unwrap_err(), QuoteProblem::Currency);
        assert_eq!(with("currency", json!("euro")).unwrap_err(), QuoteProblem::Currency);
        let discount =
            |unit: i64| with_line(json!({ "kind": "discount", "name": "Off", "unit": unit, "vat": 0 }));
        assert_eq!(discount(-5000).unwrap_err(), QuoteProblem::Total);
        assert_eq!(discount(-5001).unwrap_err(), QuoteProblem::Total);
        assert_eq!(discount(-4999).unwrap().total.minor, 1);
        let line = |quantity: i64, unit: i64| {
            with_line(json!({ "name": "Gold", "quantity": quantity, "unit": unit, "vat": 0 }))
                .map(|q| q.total.minor)
        };
        assert_eq!(line(1, TOO_MUCH_MINOR - 5001), Ok(TOO_MUCH_MINOR - 1));
        for (quantity, unit) in
            [(1, TOO_MUCH_MINOR - 5000), (1000, 1), (999, TOO_MUCH_MINOR - 1), (1, i64::MAX)]
        {
            assert_eq!(line(quantity, unit), Err(QuoteProblem::TooLarge), "{quantity} x {unit}");
        }
        let many = vec![json!({ "name": "x", "unit": 1, "vat": 0 }); Cart::MAX_LINES + 1];
        assert_eq!(with("lines", json!(many)).unwrap_err(), QuoteProblem::TooLarge);
        assert_eq!(open(&"x".repeat(MAX_QUOTE_BYTES + 1)).unwrap_err(), QuoteProblem::TooLarge);
    }

    #[test]
    fn lines_have_names_quantities_rates_and_signs_that_make_sense() {
        for bad in [
            json!({ "name": "", "unit": 1, "vat": 0 }),
            json!({ "name": " \n ", "unit": 1, "vat": 0 }),
            json!({ "name": "ä".repeat(128), "unit": 1, "vat": 0 }),
            json!({ "name": "Mug", "sku": "x".repeat(65), "unit": 1, "vat": 0 }),
            json!({ "name": "Mug", "quantity": 0, "unit": 1, "vat": 0 }),
            json!({ "name": "Mug", "unit": 1, "vat": 10_001 }),
            json!({ "name": "Mug", "unit": -1, "vat": 0 }),
            json!({ "kind": "delivery", "name": "Post", "unit": -1, "vat": 0 }),
            json!({ "kind": "discount", "name": "Off", "unit": 1, "vat": 0 }),
            json!({ "kind": "discount", "name": "Off", "unit": 0, "vat": 0 }),
        ] {
            assert_eq!(with_line(bad.clone()).unwrap_err(), QuoteProblem::BadLine, "{bad}");
        }
        let named =
            with_line(json!({ "name": format!(" A\r\n{} ", "ä".repeat(125)), "unit": 0, "vat": 0 })).unwrap();
        assert_eq!(named.lines[1].name, format!("A {}", "ä".repeat(125)));
    }

    #[test]
    fn keys_are_long_enough_and_hide_themselves() {
        assert_eq!(QuoteKey::new("", &[1; 32]).unwrap_err(), QuoteKeyError::Id);
        assert_eq!(QuoteKey::new("a.b", &[1; 32]).unwrap_err(), QuoteKeyError::Id);
        assert_eq!(QuoteKey::new("a", &[1; 31]).unwrap_err(), QuoteKeyError::Secret);
        assert_eq!(format!("{:?}", key()), "QuoteKey(dev, hidden)");
    }

    proptest! {
        #[test]
        fn any_changed_character_is_refused(at in 0usize..EXAMPLE.trim().len(), to in "[ -~]") {
            let text = EXAMPLE.trim();
            let mut changed = text.to_owned();
            changed.replace_range(at..=at, &to);
            prop_assume!(changed != text);
            prop_assert!(open(&changed).is_err());
        }

        #[test]
        fn a_shortened_quote_is_refused(length in 0usize..EXAMPLE.trim().len()) {
            prop_assert!(open(&EXAMPLE.trim()[..length]).is_err());
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,300}", payload in "\\PC{0,300}") {
            prop_assert!(open(&text).is_err());
            prop_assert!(open(&key().sign(&payload)).is_err());
        }

        #[test]
        fn the_lines_sum_to_the_total(lines in prop::collection::vec((1u32..=999, 0i64..1_000_000), 1..=50)) {
            let sum: i64 = lines.iter().map(|(quantity, unit)| i64::from(*quantity) * unit).sum();
            prop_assume!(sum > 0 && sum < TOO_MUCH_MINOR);
            let lines: Vec<_> = lines
                .iter()
                .map(|(quantity, unit)| json!({ "name": "x", "quantity": quantity, "unit": unit, "vat": 700 }))
                .collect();
            let quote = with("lines", json!(lines));
            prop_assert_eq!(quote.unwrap().total.minor, sum);
        }
    }
}

//! The messages between a checkout (our pages, the widget) and the server.
//!
//! Amounts come as text that is ready to show, made by the server in the shopper's language, beside
//! their minor units: the browser has nothing to format, and what was shown can be compared exactly.

use serde::{Deserialize, Serialize};

use crate::{Cart, Currency, Details, FieldError, Language, Money, PaymentMethod};

/// An amount, and how it reads in the shopper's language: `19.90 EUR` as `€19.90`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Price {
    /// Minor units of the quote's currency.
    pub minor: i64,
    /// Ready to show.
    pub text: String,
}

/// What the cart would cost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct QuoteRequest {
    /// What is bought.
    pub lines: Cart,
    /// The delivery's id; the shop's first one where empty or no longer offered.
    #[serde(default)]
    pub delivery: String,
    /// The language of names and amounts.
    #[serde(default)]
    pub language: Language,
    /// A quote that a storefront's backend signed, in place of lines and delivery; empty for none.
    #[serde(default)]
    pub signed_quote: String,
}

/// What a storefront of its own says about an order. Nothing of it is a price that counts unless it is
/// signed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Storefront {
    /// A quote that its backend signed, in place of lines and delivery; empty for none.
    #[serde(default)]
    pub signed_quote: String,
    /// Its own number for the order; empty for none.
    #[serde(default)]
    pub reference: String,
    /// Where the shopper goes when all is done: an address of a listed origin; empty for none.
    #[serde(default)]
    pub return_url: String,
}

/// The server's prices for a cart.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Quote {
    /// The currency of every amount in it.
    pub currency: Currency,
    /// Whether a storefront's backend made and signed it: quantities and delivery are not the shopper's to
    /// change.
    #[serde(default)]
    pub fixed: bool,
    /// The articles, in the cart's order, and discounts. Empty for an empty cart.
    pub lines: Vec<QuoteLine>,
    /// The deliveries that are offered, with the chosen one marked; none where it is fixed.
    pub deliveries: Vec<Choice>,
    /// The sum of the articles.
    pub subtotal: Price,
    /// What the chosen delivery costs.
    pub delivery: Price,
    /// VAT contained in the total, per rate, highest rate first.
    pub vat: Vec<VatPart>,
    /// What is to be paid: articles and delivery, VAT included.
    pub total: Price,
    /// What the server changed in the cart that was sent.
    pub notices: Vec<Notice>,
}

impl Quote {
    /// The total as money.
    pub fn total(&self) -> Money {
        Money::new(self.total.minor, self.currency)
    }

    /// The cart as the server took it.
    pub fn cart(&self) -> Cart {
        let mut cart = Cart::default();
        for line in &self.lines {
            // What came out of a cart fits into one.
            let _ = cart.add(&line.sku, line.quantity);
        }
        cart
    }

    /// The id of the chosen delivery.
    pub fn chosen_delivery(&self) -> &str {
        self.deliveries.iter().find(|choice| choice.chosen).map_or("", |choice| &choice.id)
    }
}

/// One article of a [`Quote`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct QuoteLine {
    /// The article's number.
    pub sku: String,
    /// Its name in the shopper's language.
    pub name: String,
    /// Path or URL of its picture; may be empty.
    pub image: String,
    /// How many.
    pub quantity: u32,
    /// The price of one, VAT included.
    pub unit: Price,
    /// Quantity times unit.
    pub total: Price,
}

/// A delivery that is offered.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Choice {
    /// Its stable id.
    pub id: String,
    /// Its name in the shopper's language.
    pub name: String,
    /// What it costs.
    pub price: Price,
    /// Whether it is the chosen one.
    pub chosen: bool,
}

/// The VAT contained in the total at one rate.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct VatPart {
    /// The rate, ready to show: `19 %`.
    pub rate: String,
    /// The VAT.
    pub vat: Price,
}

/// Something the server changed in a cart.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// An article is no longer sold and was left out.
    Gone {
        /// The article's number.
        sku: String,
    },
}

/// One press of Pay.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StartRequest {
    /// Idempotency key: 22 or more of `A-Z a-z 0-9 - _`, random, new for every page that can pay.
    pub key: String,
    /// The cart's own random id, as long as the key: two pages with one cart pay one order.
    pub cart_id: String,
    /// What is bought.
    pub lines: Cart,
    /// The chosen delivery's id.
    #[serde(default)]
    pub delivery: String,
    /// Who buys, and where it goes.
    #[serde(default)]
    pub details: Details,
    /// The chosen method; `None` where nothing was chosen.
    #[serde(default)]
    pub method: Option<PaymentMethod>,
    /// The total that the shopper saw, in minor units. Never a price: where the server's own total
    /// differs, nothing starts and the answer is the new quote.
    pub shown_total_minor: i64,
    /// The language of the page, and of the payment page.
    #[serde(default)]
    pub language: Language,
    /// What a storefront says about the order.
    #[serde(default)]
    pub storefront: Storefront,
}

/// Where the shopper goes next: the answer to [`StartRequest`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StartReply {
    /// A path on our own origin, to be opened in the top window: the hand-over page, or the result
    /// page where nothing has to be paid through the gateway.
    pub location: String,
}

/// What a shopper is told about an order. There is no "failed" while the truth is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShopperState {
    /// The money is there.
    Paid,
    /// Ordered; the shopper pays by the merchant's own method.
    Awaiting,
    /// The shopper is back from paying, and the gateway has not told us yet.
    Checking,
    /// Nothing was paid; it can be tried again.
    NotPaid,
    /// It was paid and the money was given back; it can be tried again.
    GivenBack,
    /// The order ended without a payment: cancelled or expired.
    Ended,
    /// It was paid, and the merchant has refunded all of it.
    Refunded,
}

impl ShopperState {
    /// Whether asking again can bring news: a poll stops otherwise.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Checking)
    }

    /// Whether a pay button may be offered.
    pub const fn may_pay(self) -> bool {
        matches!(self, Self::NotPaid | Self::GivenBack)
    }
}

/// The answer to a poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StatusReply {
    /// Where the order stands.
    pub state: ShopperState,
}

/// Why a call did not do what it was asked. A closed list: no free text, nothing of the inside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Problem {
    /// Fields to mend. HTTP 422.
    Invalid(Vec<FieldError>),
    /// There is nothing in the cart, or nothing of it is sold any more. HTTP 422.
    EmptyCart,
    /// The total is not the one that was shown: here is the new quote. HTTP 409.
    PriceChanged(Box<Quote>),
    /// This idempotency key was used for another request: make a new one. HTTP 422.
    KeyReused,
    /// A request with this key is running: wait a moment. HTTP 409.
    Busy,
    /// The text of the request cannot be read: a key or an id has the wrong form. HTTP 400.
    Malformed,
    /// There is no such order. HTTP 404.
    NotFound,
    /// The origin that sent the request is not one of the storefronts that this server lists. HTTP 403.
    OriginNotListed,
    /// The storefront's number for the order is too long. HTTP 422.
    BadReference,
    /// The address to return to is not one of a listed origin. HTTP 422.
    BadReturnUrl,
    /// The signed quote is refused. HTTP 422, or 409 where it was used for another order.
    Quote(QuoteProblem),
    /// Too many requests from this address: wait a moment. HTTP 429.
    RateLimited,
    /// The server cannot answer now; nothing was started. HTTP 503.
    Unavailable,
    /// The server could not be reached, or its answer could not be read. Made by the browser side only.
    Transport,
}

impl Problem {
    /// The stable name, as it is serialised.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid",
            Self::EmptyCart => "empty_cart",
            Self::PriceChanged(_) => "price_changed",
            Self::KeyReused => "key_reused",
            Self::Busy => "busy",
            Self::Malformed => "malformed",
            Self::NotFound => "not_found",
            Self::OriginNotListed => "origin_not_listed",
            Self::BadReference => "bad_reference",
            Self::BadReturnUrl => "bad_return_url",
            Self::Quote(_) => "quote",
            Self::RateLimited => "rate_limited",
            Self::Unavailable => "unavailable",
            Self::Transport => "transport",
        }
    }

    /// The HTTP status that carries it.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::OriginNotListed => 403,
            Self::NotFound => 404,
            Self::Busy | Self::PriceChanged(_) | Self::Quote(QuoteProblem::Used) => 409,
            Self::Invalid(_)
            | Self::EmptyCart
            | Self::KeyReused
            | Self::BadReference
            | Self::BadReturnUrl
            | Self::Quote(_) => 422,
            Self::RateLimited => 429,
            Self::Unavailable | Self::Transport => 503,
        }
    }
}

/// Why a signed quote is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuoteProblem {
    /// It does not have the form of a quote, or its payload is not the JSON of one.
    Unreadable,
    /// The key that it names is not configured.
    UnknownKey,
    /// Its signature does not fit.
    Forged,
    /// Its time is over.
    Expired,
    /// Another order was placed with it.
    Used,
    /// Its currency is one that the shop does not take.
    Currency,
    /// Its sum is not above zero.
    Total,
    /// The text, the number of lines, a quantity or the sum is too large.
    TooLarge,
    /// A line has no name or too long a one, a VAT rate above 100 %, or a price of the wrong sign.
    BadLine,
}

impl QuoteProblem {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Unreadable,
        Self::UnknownKey,
        Self::Forged,
        Self::Expired,
        Self::Used,
        Self::Currency,
        Self::Total,
        Self::TooLarge,
        Self::BadLine,
    ];

    /// The stable name, as it is serialised.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::UnknownKey => "unknown_key",
            Self::Forged => "forged",
            Self::Expired => "expired",
            Self::Used => "used",
            Self::Currency => "currency",
            Self::Total => "total",
            Self::TooLarge => "too_large",
            Self::BadLine => "bad_line",
        }
    }
}

/// Whether `text` can be an idempotency key or a cart id: 22 to 64 of `A-Z a-z 0-9 - _`, which is room
/// for 128 random bits in base64url.
pub fn is_key(text: &str) -> bool {
    (22..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

//! The cart: which article, how many.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One article of the cart. The price is never here: the server knows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CartLine {
    /// The article's number in the catalogue: 1 to 64 of `A-Z a-z 0-9 - _ .`.
    pub sku: String,
    /// How many, 1 to [`Cart::MAX_QUANTITY`].
    pub quantity: u32,
}

/// What is wrong with the text of a cart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CartError {
    /// A part is not `sku:quantity`, or its SKU has characters that no SKU has.
    Malformed,
    /// More than [`Cart::MAX_LINES`] different articles.
    TooManyLines,
}

impl fmt::Display for CartError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => out.write_str("a cart is written as sku:quantity,sku:quantity"),
            Self::TooManyLines => write!(out, "a cart has at most {} different articles", Cart::MAX_LINES),
        }
    }
}

impl std::error::Error for CartError {}

/// The lines of a cart, each SKU once, in the order in which they were added.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cart(Vec<CartLine>);

impl Cart {
    /// How many different articles a cart can hold.
    pub const MAX_LINES: usize = 50;
    /// How many of one article a cart can hold.
    pub const MAX_QUANTITY: u32 = 999;

    /// Reads `mug:2,tea.green:1`. Empty text is an empty cart; a repeated SKU adds up; a quantity of 0
    /// leaves the article out; more than [`Cart::MAX_QUANTITY`] counts as that many.
    pub fn parse(text: &str) -> Result<Self, CartError> {
        let mut cart = Self::default();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (sku, quantity) = part.rsplit_once(':').ok_or(CartError::Malformed)?;
            if quantity.is_empty() || quantity.len() > 9 || !quantity.bytes().all(|b| b.is_ascii_digit()) {
                return Err(CartError::Malformed);
            }
            let quantity = quantity.parse().map_err(|_| CartError::Malformed)?;
            cart.add(sku, quantity)?;
        }
        Ok(cart)
    }

    /// Adds `quantity` of `sku` to what is there, up to [`Cart::MAX_QUANTITY`].
    pub fn add(&mut self, sku: &str, quantity: u32) -> Result<(), CartError> {
        let present = self.quantity(sku);
        self.set(sku, present.saturating_add(quantity))
    }

    /// Sets how many of `sku` are in the cart; 0 removes it.
    pub fn set(&mut self, sku: &str, quantity: u32) -> Result<(), CartError> {
        let quantity = quantity.min(Self::MAX_QUANTITY);
        if !is_sku(sku) {
            return Err(CartError::Malformed);
        }
        if quantity == 0 {
            self.0.retain(|line| line.sku != sku);
        } else if let Some(line) = self.0.iter_mut().find(|line| line.sku == sku) {
            line.quantity = quantity;
        } else if self.0.len() >= Self::MAX_LINES {
            return Err(CartError::TooManyLines);
        } else {
            self.0.push(CartLine { sku: sku.to_owned(), quantity });
        }
        Ok(())
    }

    /// How many of `sku` are in the cart.
    pub fn quantity(&self, sku: &str) -> u32 {
        self.0.iter().find(|line| line.sku == sku).map_or(0, |line| line.quantity)
    }

    /// The lines, in order.
    pub fn lines(&self) -> &[CartLine] {
        &self.0
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many pieces there are in all.
    pub fn pieces(&self) -> u32 {
        self.0.iter().map(|line| line.quantity).sum()
    }
}

/// Whether `text` can be an article number: 1 to 64 of `A-Z a-z 0-9 - _ .`.
pub fn is_sku(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

impl fmt::Display for Cart {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, line) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(out, "{comma}{}:{}", line.sku, line.quantity)?;
        }
        Ok(())
    }
}

impl TryFrom<String> for Cart {
    type Error = CartError;
    fn try_from(text: String) -> Result<Self, CartError> {
        Self::parse(&text)
    }
}

impl From<Cart> for String {
    fn from(cart: Cart) -> Self {
        cart.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn repeated_articles_add_up_and_zero_leaves_out() {
        let cart = Cart::parse("mug:2,tea.green:1,mug:3,hat:0").unwrap();
        assert_eq!(cart.to_string(), "mug:5,tea.green:1");
        assert_eq!(cart.pieces(), 6);
    }

    #[test]
    fn what_is_no_cart_is_refused() {
        for bad in ["mug", "mug:", ":1", "mug:-1", "mug:1.5", "mug:+1", "m g:1", "mug:9999999999", "<b>:1"] {
            assert_eq!(Cart::parse(bad), Err(CartError::Malformed), "{bad}");
        }
        let many: Vec<String> = (0..=Cart::MAX_LINES).map(|n| format!("a{n}:1")).collect();
        assert_eq!(Cart::parse(&many.join(",")), Err(CartError::TooManyLines));
        assert_eq!(Cart::parse("mug:5000").unwrap().quantity("mug"), Cart::MAX_QUANTITY);
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(lines in prop::collection::vec(("[A-Za-z0-9._-]{1,12}", 1u32..=999), 0..20)) {
            let mut cart = Cart::default();
            for (sku, quantity) in lines {
                cart.set(&sku, quantity).unwrap();
            }
            prop_assert_eq!(Cart::parse(&cart.to_string()).unwrap(), cart);
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,200}") {
            let _ = Cart::parse(&text);
        }
    }
}

//! The two identifiers that tie a message to a payment.

use std::fmt;

/// Why a text is not an identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Not 26 characters of `A` to `Z` and `0` to `9`.
    #[error("an order id is 26 characters of A to Z and 0 to 9")]
    OrderId,
    /// Not 1 to 40 letters and digits.
    #[error("a transaction reference is 1 to 40 letters and digits")]
    Trnref,
}

/// The id under which the gateway knows a payment: 26 characters of `[A-Z0-9]`.
///
/// It has no dash, so it cannot be confused with its neighbours in the text that is signed, and its length
/// leaves room for 130 random bits: the gateway refuses an id that it has seen, and the test gateway is
/// shared by everybody. Never use one twice.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OrderId(String);

impl OrderId {
    /// The length of an order id.
    pub const LEN: usize = 26;

    /// Makes an id from random bytes, which must come from a cryptographic source. 130 of their 136 bits
    /// are used.
    pub fn from_random(bytes: [u8; 17]) -> Self {
        const ALPHABET: [char; 32] = [
            'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O', 'P', 'Q', 'R', 'S',
            'T', 'U', 'V', 'W', 'X', 'Y', 'Z', '2', '3', '4', '5', '6', '7',
        ];
        let bit = |index: usize| {
            let byte = bytes.get(index / 8).copied().unwrap_or_default();
            usize::from(byte >> (7 - index % 8) & 1)
        };
        let id = (0..Self::LEN)
            .map(|position| (0..5).fold(0, |digit, offset| digit << 1 | bit(position * 5 + offset)))
            .filter_map(|digit| ALPHABET.get(digit))
            .collect();
        Self(id)
    }

    /// Reads an id: exactly 26 characters of `[A-Z0-9]`.
    ///
    /// # Errors
    /// [`IdError::OrderId`]
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let is_id = text.len() == Self::LEN
            && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        if is_id { Ok(Self(text.to_owned())) } else { Err(IdError::OrderId) }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The gateway's reference of a transaction (`IPC_Trnref`): 1 to 40 letters and digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Trnref(String);

impl Trnref {
    /// Reads a reference.
    ///
    /// # Errors
    /// [`IdError::Trnref`]
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let is_reference =
            (1..=40).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if is_reference { Ok(Self(text.to_owned())) } else { Err(IdError::Trnref) }
    }

    /// The reference as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Trnref {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

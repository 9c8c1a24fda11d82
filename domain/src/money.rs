//! Money: integer minor units together with their currency.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An ISO 4217 alphabetic code: three upper-case ASCII letters.
///
/// Which currencies exist, and how many decimals each has, is the protocol's table in `mypos`; a
/// currency that is not listed there is refused where prices are loaded.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency([u8; 3]);

impl Currency {
    /// Euro.
    pub const EUR: Self = Self(*b"EUR");

    /// Reads a code such as `EUR`; anything but three upper-case ASCII letters is `None`.
    pub fn from_code(code: &str) -> Option<Self> {
        let bytes: [u8; 3] = code.as_bytes().try_into().ok()?;
        bytes.iter().all(u8::is_ascii_uppercase).then_some(Self(bytes))
    }

    /// The code, `EUR`.
    pub fn code(&self) -> &str {
        // Only ASCII letters get in, so this is always text.
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        Self::from_code(&code)
            .ok_or_else(|| de::Error::custom("a currency is three upper-case letters, such as EUR"))
    }
}

/// Why two amounts could not be put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoneyError {
    /// The currencies differ.
    CurrencyMismatch,
    /// The result does not fit into 64 bits.
    Overflow,
}

impl fmt::Display for MoneyError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::CurrencyMismatch => "amounts of different currencies cannot be added",
            Self::Overflow => "the amount is too large",
        })
    }
}

impl std::error::Error for MoneyError {}

/// An amount of money. May be negative: a discount is a negative line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// Minor units: cents for EUR, whole yen for JPY.
    pub minor: i64,
    /// The currency of `minor`.
    pub currency: Currency,
}

impl Money {
    /// `minor` units of `currency`.
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing, in `currency`.
    pub const fn zero(currency: Currency) -> Self {
        Self { minor: 0, currency }
    }

    /// The sum of two amounts of one currency.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch);
        }
        let minor = self.minor.checked_add(other.minor).ok_or(MoneyError::Overflow)?;
        Ok(Self::new(minor, self.currency))
    }

    /// `quantity` times this amount.
    pub fn times(self, quantity: u32) -> Result<Self, MoneyError> {
        let minor = self.minor.checked_mul(i64::from(quantity)).ok_or(MoneyError::Overflow)?;
        Ok(Self::new(minor, self.currency))
    }

    /// The sum of many amounts, all in `currency`.
    pub fn sum(currency: Currency, amounts: impl IntoIterator<Item = Self>) -> Result<Self, MoneyError> {
        amounts.into_iter().try_fold(Self::zero(currency), Self::plus)
    }

    /// The VAT contained in this gross amount at `rate_bp` basis points (1900 is 19 %), rounded half
    /// away from zero to a minor unit.
    #[must_use]
    pub fn vat_contained(self, rate_bp: u32) -> Self {
        let gross = i128::from(self.minor);
        let divisor = 10_000 + i128::from(rate_bp);
        let exact = gross * i128::from(rate_bp);
        let half = if exact >= 0 { divisor / 2 } else { -divisor / 2 };
        // |VAT| is below |gross|, so it always fits; the fallback is never taken.
        let minor = i64::try_from((exact + half) / divisor).unwrap_or(0);
        Self::new(minor, self.currency)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn currencies_are_three_upper_case_letters() {
        assert_eq!(Currency::from_code("EUR"), Some(Currency::EUR));
        for bad in ["eur", "EU", "EURO", "E1R", "", "ÄÖ"] {
            assert_eq!(Currency::from_code(bad), None, "{bad}");
        }
    }

    #[test]
    fn vat_is_taken_out_of_the_gross_and_rounded_half_away_from_zero() {
        for (gross, rate, vat) in [
            (11_900, 1900, 1900),
            (10_000, 1900, 1597),
            (500, 700, 33),
            (-500, 700, -33),
            (3, 10_000, 2), // 1.5
            (-3, 10_000, -2),
            (1, 0, 0),
        ] {
            assert_eq!(Money::new(gross, Currency::EUR).vat_contained(rate).minor, vat);
        }
    }

    #[test]
    fn overflow_and_mixed_currencies_are_refused() {
        let most = Money::new(i64::MAX, Currency::EUR);
        assert_eq!(most.plus(Money::new(1, Currency::EUR)), Err(MoneyError::Overflow));
        assert_eq!(most.times(2), Err(MoneyError::Overflow));
        let yen = Money::new(1, Currency::from_code("JPY").unwrap());
        assert_eq!(most.plus(yen), Err(MoneyError::CurrencyMismatch));
    }

    proptest! {
        #[test]
        fn vat_never_exceeds_the_gross(minor: i64, rate in 0u32..=10_000) {
            let vat = Money::new(minor, Currency::EUR).vat_contained(rate).minor;
            prop_assert!(vat.unsigned_abs() <= minor.unsigned_abs());
            prop_assert!(vat == 0 || (vat < 0) == (minor < 0));
        }
    }
}

//! Amounts as the gateway checks them: decimal numbers of any client, compared exactly.
//!
//! The checks before the currency is known need a number without one, and clients write `50`, `50.0` and
//! `50.00`; so this is not the shop's type, and neither can hide a mistake of the other.

use mypos::{Amount, Currency};

/// Millionths in one.
const SCALE: i128 = 1_000_000;

/// An exact decimal number with at most six decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Decimal(i128);

impl Decimal {
    pub(crate) const ZERO: Self = Self(0);

    /// Reads an optional `-`, up to 12 digits, and optionally a point with up to six more.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (sign, unsigned) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
        let (whole, decimals) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
        let is_number = (1..=12).contains(&whole.len())
            && (1..=6).contains(&decimals.len())
            && whole.bytes().chain(decimals.bytes()).all(|byte| byte.is_ascii_digit());
        if !is_number {
            return None;
        }
        let magnitude: i128 = format!("{whole}{decimals:0<6}").parse().ok()?;
        Some(Self(sign * magnitude))
    }

    /// The sum of two numbers; carts are bounded, so it cannot overflow.
    pub(crate) fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// Whether `self × other = product`, exactly.
    pub(crate) fn times_is(self, other: Self, product: Self) -> bool {
        self.0.checked_mul(other.0) == product.0.checked_mul(SCALE)
    }
}

/// Minor units as people read them: `12.30 EUR`. An unknown currency shows the bare number.
pub(crate) fn shown(minor: i64, currency: &str) -> String {
    match Currency::from_code(currency) {
        Some(known) => format!("{} {currency}", Amount::new(minor, known).to_wire()),
        None => format!("{minor} {currency}"),
    }
}

/// Minor units as they are sent.
pub(crate) fn wire(minor: i64, currency: &str) -> String {
    Currency::from_code(currency)
        .map_or_else(|| minor.to_string(), |known| Amount::new(minor, known).to_wire())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn every_way_to_write_a_number_is_the_same_number() {
        assert_eq!(decimal("50"), decimal("50.00"));
        assert_eq!(decimal("10.5"), decimal("010.500"));
        assert_eq!(decimal("-0"), Decimal::ZERO);
        assert!(decimal("-0.01") < Decimal::ZERO);
    }

    #[test]
    fn what_is_not_a_plain_number_is_refused() {
        for bad in
            ["", "-", ".5", "5.", "+5", "1e3", "1,5", " 1", "--1", "1.0.0", "1234567890123", "0.1234567"]
        {
            assert_eq!(Decimal::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn products_are_exact() {
        assert!(decimal("3").times_is(decimal("3.33"), decimal("9.99")));
        assert!(!decimal("3").times_is(decimal("3.33"), decimal("10.00")));
        assert!(decimal("2").times_is(decimal("-1.5"), decimal("-3")));
    }

    #[test]
    fn money_is_shown_with_the_decimals_of_its_currency() {
        assert_eq!(shown(1230, "EUR"), "12.30 EUR");
        assert_eq!(shown(1230, "JPY"), "1230 JPY");
        assert_eq!(wire(-500, "EUR"), "-5.00");
    }
}

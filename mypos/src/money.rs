//! Money: whole minor units with their currency, and the one way to write and read them.

use std::fmt;

/// A currency that a myPOS store can take.
///
/// The only table of currencies: what is not here is refused. The Bulgarian lev and the Croatian kuna are
/// kept for refunds of old payments; both countries use the euro now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the variants are the ISO 4217 codes")]
pub enum Currency {
    Eur,
    Usd,
    Gbp,
    Chf,
    Jpy,
    Ron,
    Nok,
    Sek,
    Czk,
    Huf,
    Pln,
    Dkk,
    Isk,
    Bgn,
    Hrk,
}

impl Currency {
    /// Every currency.
    pub const ALL: [Self; 15] = [
        Self::Eur,
        Self::Usd,
        Self::Gbp,
        Self::Chf,
        Self::Jpy,
        Self::Ron,
        Self::Nok,
        Self::Sek,
        Self::Czk,
        Self::Huf,
        Self::Pln,
        Self::Dkk,
        Self::Isk,
        Self::Bgn,
        Self::Hrk,
    ];

    const fn row(self) -> (&'static str, u32) {
        match self {
            Self::Eur => ("EUR", 2),
            Self::Usd => ("USD", 2),
            Self::Gbp => ("GBP", 2),
            Self::Chf => ("CHF", 2),
            Self::Jpy => ("JPY", 0),
            Self::Ron => ("RON", 2),
            Self::Nok => ("NOK", 2),
            Self::Sek => ("SEK", 2),
            Self::Czk => ("CZK", 2),
            Self::Huf => ("HUF", 2),
            Self::Pln => ("PLN", 2),
            Self::Dkk => ("DKK", 2),
            Self::Isk => ("ISK", 0),
            Self::Bgn => ("BGN", 2),
            Self::Hrk => ("HRK", 2),
        }
    }

    /// The currency with that ISO 4217 code, in capitals.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|currency| currency.code() == code)
    }

    /// The ISO 4217 code, such as `EUR`.
    pub const fn code(self) -> &'static str {
        self.row().0
    }

    /// How many decimals an amount has: 2 for the euro, 0 for the yen.
    pub const fn exponent(self) -> u32 {
        self.row().1
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// An amount of money: whole minor units (cents) of a currency. Never a float.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Amount {
    /// Minor units: 1230 for 12.30 EUR, and for 1230 JPY.
    pub minor: i64,
    /// The currency.
    pub currency: Currency,
}

/// Why a text is not an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Not digits with at most one point between them.
    #[error("an amount is digits with at most one point between them")]
    Malformed,
    /// More decimals than the currency has, and not all of them zero.
    #[error("the amount has more decimals than its currency")]
    TooPrecise,
    /// More than fits.
    #[error("the amount is too large")]
    TooLarge,
}

impl Amount {
    /// That many minor units of a currency.
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Reads an amount as the gateway writes it, exactly: digits, with at most one point between them, no
    /// sign, no exponent, no blank; decimals that the currency does not have only if they are zero.
    ///
    /// The gateway echoes an amount as it was sent (`50`, `50.0`, `50.00`), so amounts are compared as
    /// numbers and never as texts.
    ///
    /// # Errors
    /// [`AmountError`]
    pub fn parse(text: &str, currency: Currency) -> Result<Self, AmountError> {
        let (whole, decimals) = text.split_once('.').map_or((text, None), |(w, d)| (w, Some(d)));
        if !is_digits(whole) || !decimals.is_none_or(is_digits) {
            return Err(AmountError::Malformed);
        }
        let exponent = currency.exponent() as usize;
        let decimals = decimals.unwrap_or("");
        let (kept, excess) = decimals.split_at_checked(exponent).unwrap_or((decimals, ""));
        if excess.bytes().any(|digit| digit != b'0') {
            return Err(AmountError::TooPrecise);
        }
        let minor = whole
            .bytes()
            .chain(kept.bytes())
            .chain(std::iter::repeat_n(b'0', exponent - kept.len()))
            .try_fold(0_i64, |minor, digit| minor.checked_mul(10)?.checked_add(i64::from(digit - b'0')))
            .ok_or(AmountError::TooLarge)?;
        Ok(Self { minor, currency })
    }

    /// Reads an amount that may have one `-` before it: the price of a cart line, which is negative for a
    /// discount. A minus zero is zero.
    ///
    /// # Errors
    /// [`AmountError`]
    pub fn parse_signed(text: &str, currency: Currency) -> Result<Self, AmountError> {
        match text.strip_prefix('-') {
            None => Self::parse(text, currency),
            // A parsed amount is never negative, so its negation fits.
            Some(unsigned) => {
                Self::parse(unsigned, currency).map(|amount| Self::new(-amount.minor, currency))
            }
        }
    }

    /// The amount as it is sent: all decimals of the currency, `-` before a negative one. `12.30`, `-5.00`,
    /// and for the yen `1230`.
    pub fn to_wire(self) -> String {
        wire(i128::from(self.minor), self.currency)
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The wire form of any number of minor units; wide enough for a product of quantity and price.
pub(crate) fn wire(minor: i128, currency: Currency) -> String {
    let exponent = currency.exponent();
    let sign = if minor < 0 { "-" } else { "" };
    let magnitude = minor.unsigned_abs();
    if exponent == 0 {
        return format!("{sign}{magnitude}");
    }
    let unit = 10_u128.pow(exponent);
    let width = exponent as usize;
    format!("{sign}{}.{:0width$}", magnitude / unit, magnitude % unit)
}

//! Amounts as people type them in their language.

use domain::{Currency, Language, Money};

/// Why what was typed is no amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TypedAmountError {
    /// Nothing was typed.
    #[error("type an amount")]
    Missing,
    /// Not a number, or one that can be read in two ways.
    #[error("that is not an amount")]
    NotAnAmount,
    /// More decimals than the currency has.
    #[error("the amount has more decimals than its currency")]
    TooPrecise,
    /// Zero, or less.
    #[error("the amount must be more than zero")]
    NotPositive,
    /// More than any payment.
    #[error("the amount is too large")]
    TooLarge,
    /// It names another currency.
    #[error("the amount is in another currency")]
    OtherCurrency,
}

/// The longest text that is looked at.
const MAX_CHARS: usize = 40;

/// Reads an amount of a currency: `12.34`, `12,34`, `1.234,50 €`, `EUR 1,234.50`, `1 234,50`.
///
/// The language decides what a single separator before three digits means: `1.234` is one thousand and more
/// in German, and has too many decimals in English. Nothing is rounded.
pub fn parse(typed: &str, currency: Currency, language: Language) -> Result<Money, TypedAmountError> {
    use TypedAmountError as E;
    if typed.trim().is_empty() {
        return Err(E::Missing);
    }
    if typed.chars().count() > MAX_CHARS {
        return Err(E::TooLarge);
    }
    let number = without_currency(typed, currency)?;
    if number.starts_with(['-', '−']) {
        return Err(E::NotPositive);
    }
    let (whole, fraction) = parts(&number, language)?;
    let known = mypos::Currency::from_code(currency.code()).ok_or(E::OtherCurrency)?;
    let exact = if fraction.is_empty() { whole } else { format!("{whole}.{fraction}") };
    let amount = mypos::Amount::parse(&exact, known).map_err(|error| match error {
        mypos::AmountError::Malformed => E::NotAnAmount,
        mypos::AmountError::TooPrecise => E::TooPrecise,
        mypos::AmountError::TooLarge => E::TooLarge,
    })?;
    if amount.minor > 0 { Ok(Money::new(amount.minor, currency)) } else { Err(E::NotPositive) }
}

/// The number without blanks, apostrophes, and the currency's code or symbol in front or behind.
fn without_currency(typed: &str, currency: Currency) -> Result<String, TypedAmountError> {
    let text: String = typed.chars().filter(|c| !c.is_whitespace() && !matches!(c, '\'' | '’')).collect();
    let is_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | '-' | '−');
    let number = text.trim_matches(|c| !is_number(c));
    let (front, behind) = text.split_once(number).ok_or(TypedAmountError::NotAnAmount)?;
    let named = format!("{front}{behind}").to_uppercase();
    let symbol = match currency.code() {
        "EUR" => "€",
        "GBP" => "£",
        "USD" => "$",
        "JPY" => "¥",
        _ => "",
    };
    if named.is_empty() || named == currency.code() || named == symbol {
        return Ok(number.to_owned());
    }
    let is_currency =
        matches!(named.as_str(), "€" | "£" | "$" | "¥") || mypos::Currency::from_code(&named).is_some();
    Err(if is_currency { TypedAmountError::OtherCurrency } else { TypedAmountError::NotAnAmount })
}

/// The digits before and behind the decimal separator.
fn parts(number: &str, language: Language) -> Result<(String, String), TypedAmountError> {
    let decimal = match language {
        Language::En => '.',
        Language::De => ',',
    };
    let points = number.matches('.').count();
    let commas = number.matches(',').count();
    let split_at = match (points, commas) {
        (0, 0) => None,
        // The last of two kinds is the decimal separator, and stands once.
        (1.., 1..) => number.rfind(['.', ',']),
        (1, 0) | (0, 1) => {
            let at = number.find(['.', ',']);
            let is_group = at.is_some_and(|at| {
                let behind = number.len() - at - 1;
                !number.contains(decimal) && behind == 3 && (1..=3).contains(&at) && !number.starts_with('0')
            });
            if is_group { None } else { at }
        }
        // Several of one kind are groups.
        _ => None,
    };
    let (whole, fraction) = match split_at {
        Some(at) => (number.get(..at).unwrap_or(""), number.get(at + 1..).unwrap_or("")),
        None => (number, ""),
    };
    if split_at.is_some() && fraction.is_empty() {
        return Err(TypedAmountError::NotAnAmount);
    }
    let used = split_at.and_then(|at| number.get(at..)).and_then(|rest| rest.chars().next());
    Ok((without_groups(whole, used)?, fraction.to_owned()))
}

/// The digits of a number with groups of three, whose separator is not the decimal one.
fn without_groups(whole: &str, decimal: Option<char>) -> Result<String, TypedAmountError> {
    let Some(separator) = whole.chars().find(|c| matches!(c, '.' | ',')) else {
        // `,50` is fifty cents.
        return Ok(if whole.is_empty() { "0".to_owned() } else { whole.to_owned() });
    };
    let mut groups = whole.split(separator);
    let first = groups.next().unwrap_or("");
    let is_grouped = (1..=3).contains(&first.len())
        && Some(separator) != decimal
        && groups.all(|group| group.len() == 3 && group.bytes().all(|byte| byte.is_ascii_digit()));
    if is_grouped { Ok(whole.replace(separator, "")) } else { Err(TypedAmountError::NotAnAmount) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::format::money_text;

    fn eur(typed: &str, language: Language) -> Result<i64, TypedAmountError> {
        parse(typed, Currency::EUR, language).map(|money| money.minor)
    }

    #[test]
    fn amounts_are_read_as_people_type_them() {
        for (typed, minor) in [
            ("12", 1_200),
            ("12.34", 1_234),
            ("12,34", 1_234),
            ("12.3", 1_230),
            (",50", 50),
            (".50", 50),
            ("0.50", 50),
            ("1 234,50", 123_450),
            ("1'234.50", 123_450),
            ("1,234.50", 123_450),
            ("1.234,50", 123_450),
            ("1.234.567,89", 123_456_789),
            ("1,234,567", 123_456_700),
            ("€12.34", 1_234),
            ("12,34 €", 1_234),
            ("12,34\u{a0}€", 1_234),
            ("EUR 12.34", 1_234),
            ("12.34eur", 1_234),
            ("12.340", 1_234),
            (" 7 ", 700),
        ] {
            let language = if typed == "12.340" { Language::En } else { Language::De };
            assert_eq!(eur(typed, language), Ok(minor), "{typed}");
        }
    }

    #[test]
    fn one_separator_before_three_digits_means_what_it_means_in_the_language() {
        assert_eq!(eur("1.234", Language::De), Ok(123_400));
        assert_eq!(eur("1,234", Language::En), Ok(123_400));
        assert_eq!(eur("1.234", Language::En), Err(TypedAmountError::TooPrecise));
        assert_eq!(eur("1,234", Language::De), Err(TypedAmountError::TooPrecise));
        assert_eq!(eur("0.123", Language::De), Err(TypedAmountError::TooPrecise));
    }

    #[test]
    fn what_is_no_amount_is_said_to_be_none() {
        use TypedAmountError as E;
        for (typed, error) in [
            ("", E::Missing),
            ("  ", E::Missing),
            ("abc", E::NotAnAmount),
            ("12.34.56", E::NotAnAmount),
            ("1.23,4.5", E::NotAnAmount),
            ("12,", E::NotAnAmount),
            ("1,2,3.00", E::NotAnAmount),
            ("1.2345,00", E::NotAnAmount),
            ("12 mugs", E::NotAnAmount),
            ("1e3", E::NotAnAmount),
            ("0", E::NotPositive),
            ("0,00", E::NotPositive),
            ("-5", E::NotPositive),
            ("−5", E::NotPositive),
            ("5.123", E::TooPrecise),
            ("$5", E::OtherCurrency),
            ("5 USD", E::OtherCurrency),
            ("99999999999999999999", E::TooLarge),
            ("1111111111111111111111111111111111111111111", E::TooLarge),
        ] {
            assert_eq!(eur(typed, Language::En), Err(error), "{typed}");
        }
        let yen = Currency::from_code("JPY").unwrap();
        assert_eq!(parse("1,500", yen, Language::En), Ok(Money::new(1_500, yen)));
        assert_eq!(parse("1500.5", yen, Language::En), Err(E::TooPrecise));
    }

    proptest! {
        #[test]
        fn what_we_write_reads_back(minor in 1i64..1_000_000_000_000) {
            for language in Language::ALL {
                let money = Money::new(minor, Currency::EUR);
                prop_assert_eq!(parse(&money_text(money, language), Currency::EUR, language), Ok(money));
            }
        }

        #[test]
        fn nothing_that_is_typed_panics(typed: String) {
            for language in Language::ALL {
                let _ = parse(&typed, Currency::EUR, language);
            }
        }
    }
}

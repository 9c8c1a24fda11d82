//! Amounts are exact.

use mypos::{Amount, AmountError, Currency};
use proptest::prelude::*;

fn eur(text: &str) -> Result<i64, AmountError> {
    Amount::parse(text, Currency::Eur).map(|amount| amount.minor)
}

fn jpy(text: &str) -> Result<i64, AmountError> {
    Amount::parse(text, Currency::Jpy).map(|amount| amount.minor)
}

#[test]
fn amounts_are_read_as_the_gateway_writes_them() {
    for (text, minor) in [
        ("0", 0),
        ("50", 5000),
        ("50.0", 5000),
        ("50.00", 5000),
        ("12.3", 1230),
        ("12.30", 1230),
        ("0.01", 1),
        ("0050.10", 5010),
        ("12.3000000", 1230),
        ("92233720368547758.07", i64::MAX),
        ("00000000000000000000000000000000000001", 100),
    ] {
        assert_eq!(eur(text), Ok(minor), "{text}");
    }
    for (text, minor) in [("1230", 1230), ("1230.00", 1230), ("1230.0", 1230)] {
        assert_eq!(jpy(text), Ok(minor), "{text}");
    }
}

#[test]
fn anything_else_is_refused() {
    for text in [
        "", ".", "1.", ".5", "-1", "+1", "--1", "1e2", "1E2", "1,00", "1.0.0", "1 ", " 1", "1\n", "1_0",
        "0x10", "١", "1．0", "NaN", "inf", "1.-5", "1.5 ",
    ] {
        assert_eq!(eur(text), Err(AmountError::Malformed), "{text:?}");
    }
    for text in ["12.345", "0.001", "1.0000001"] {
        assert_eq!(eur(text), Err(AmountError::TooPrecise), "{text}");
    }
    assert_eq!(jpy("1230.5"), Err(AmountError::TooPrecise));
    for text in ["92233720368547758.08", "92233720368547759", "99999999999999999999999999"] {
        assert_eq!(eur(text), Err(AmountError::TooLarge), "{text}");
    }
    assert_eq!(jpy("9223372036854775808"), Err(AmountError::TooLarge));
}

#[test]
fn only_cart_lines_may_be_negative() {
    let line = |text| Amount::parse_signed(text, Currency::Eur).map(|amount| amount.minor);
    assert_eq!(line("-5.00"), Ok(-500));
    assert_eq!(line("5"), Ok(500));
    assert_eq!(line("-0"), Ok(0));
    assert_eq!(line("-92233720368547758.07"), Ok(-i64::MAX));
    for text in ["", "-", "--5", "+5", "- 5", "5-"] {
        assert_eq!(line(text), Err(AmountError::Malformed), "{text:?}");
    }
}

#[test]
fn amounts_are_written_with_all_their_decimals() {
    for (minor, currency, text) in [
        (1230, Currency::Eur, "12.30"),
        (5, Currency::Eur, "0.05"),
        (0, Currency::Eur, "0.00"),
        (-500, Currency::Eur, "-5.00"),
        (-5, Currency::Eur, "-0.05"),
        (1230, Currency::Jpy, "1230"),
        (-1, Currency::Isk, "-1"),
        (i64::MIN, Currency::Huf, "-92233720368547758.08"),
    ] {
        assert_eq!(Amount::new(minor, currency).to_wire(), text);
    }
}

#[test]
fn the_table_of_currencies_is_complete_and_closed() {
    let codes = "EUR USD GBP CHF JPY RON NOK SEK CZK HUF PLN DKK ISK BGN HRK";
    let table: Vec<_> = Currency::ALL.iter().map(|currency| currency.code()).collect();
    assert_eq!(table.join(" "), codes);
    for currency in Currency::ALL {
        assert_eq!(Currency::from_code(currency.code()), Some(currency));
        assert_eq!(Currency::from_code(&currency.code().to_lowercase()), None);
        let whole = matches!(currency, Currency::Jpy | Currency::Isk);
        assert_eq!(currency.exponent(), if whole { 0 } else { 2 });
    }
    assert_eq!(Currency::from_code("XXX"), None);
    assert_eq!(Currency::from_code(""), None);
}

fn currency() -> impl Strategy<Value = Currency> {
    prop::sample::select(Currency::ALL.to_vec())
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(minor in 0..=i64::MAX, currency in currency()) {
        let amount = Amount::new(minor, currency);
        prop_assert_eq!(Amount::parse(&amount.to_wire(), currency), Ok(amount));
        let negative = Amount::new(-minor, currency);
        prop_assert_eq!(Amount::parse_signed(&negative.to_wire(), currency), Ok(negative));
    }

    /// Another way to the same number: all digits as one integer, scaled.
    #[test]
    fn the_value_is_exact(whole in "[0-9]{1,12}", decimals in "[0-9]{1,8}", currency in currency()) {
        let digits: u128 = format!("{whole}{decimals}").parse().unwrap();
        let scaled = digits * 10_u128.pow(currency.exponent());
        let unit = 10_u128.pow(u32::try_from(decimals.len()).unwrap());
        let expected = if scaled.is_multiple_of(unit) {
            Ok(i64::try_from(scaled / unit).unwrap())
        } else {
            Err(AmountError::TooPrecise)
        };
        let parsed = Amount::parse(&format!("{whole}.{decimals}"), currency);
        prop_assert_eq!(parsed.map(|amount| amount.minor), expected);
    }

    #[test]
    fn what_is_read_looks_like_an_amount(text in "[-+0-9.e, ]{0,8}", currency in currency()) {
        if Amount::parse(&text, currency).is_ok() {
            prop_assert!(text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'));
            prop_assert!(!text.starts_with('.') && !text.ends_with('.'));
        }
    }
}

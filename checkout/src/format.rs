//! Money, dates and country names as people read them, from ICU's data.

use std::str::FromStr;

use domain::{Currency, Language, Money, Price};
use fixed_decimal::Decimal;
use icu_datetime::DateTimeFormatter;
use icu_datetime::fieldsets::YMDT;
use icu_datetime::input::{Date, DateTime, Time};
use icu_datetime::options::TimePrecision;
use icu_decimal::DecimalFormatter;
use icu_decimal::options::DecimalFormatterOptions;
use icu_experimental::dimension::currency::CurrencyType;
use icu_experimental::dimension::currency::formatter::CurrencyFormatter;
use icu_experimental::dimension::currency::options::CurrencyFormatterOptions;
use icu_locale::names::RegionDisplayName;
use icu_locale_core::{Locale, locale, subtags::Region};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The locale whose conventions a language uses. English amounts read as in Ireland: euro first, with
/// the 24-hour clock and day before month.
fn locale_of(language: Language) -> Locale {
    match language {
        Language::En => locale!("en-IE"),
        Language::De => locale!("de-DE"),
    }
}

/// An amount with its text in a language: `€12.50`, `12,50 €`.
pub fn price(money: Money, language: Language) -> Price {
    Price { minor: money.minor, text: money_text(money, language) }
}

/// The text of an amount in a language. Data that ICU lacks falls back to `12.50 EUR`.
pub fn money_text(money: Money, language: Language) -> String {
    let decimal = decimal_of(money);
    let formatted = CurrencyType::try_from_str(money.currency.code()).ok().and_then(|currency| {
        let formatter = CurrencyFormatter::<DecimalFormatter>::try_new_symbol(
            locale_of(language).into(),
            currency,
            CurrencyFormatterOptions::default(),
        )
        .ok()?;
        Some(formatter.format_fixed_decimal(&decimal).to_string())
    });
    formatted.unwrap_or_else(|| plain(money))
}

/// The text of an amount in no language, for records: `12.50 EUR`.
pub fn plain(money: Money) -> String {
    format!("{} {}", decimal_of(money), money.currency)
}

/// Minor units as an exact decimal with all of the currency's places.
fn decimal_of(money: Money) -> Decimal {
    let mut decimal = Decimal::from(money.minor);
    decimal.multiply_pow10(-i16::try_from(exponent(money.currency)).unwrap_or(2));
    decimal
}

/// How many decimals a currency has; the protocol's table knows.
fn exponent(currency: Currency) -> u32 {
    mypos::Currency::from_code(currency.code()).map_or(2, mypos::Currency::exponent)
}

/// A whole number with its groups: `1,234`, `1.234`.
pub fn count(number: i64, language: Language) -> String {
    let decimal = Decimal::from(number);
    DecimalFormatter::try_new(locale_of(language).into(), DecimalFormatterOptions::default())
        .map_or_else(|_| decimal.to_string(), |formatter| formatter.format(&decimal).to_string())
}

/// An amount as somebody would type it in a language: `12.50`, `12,50`.
pub fn typed(money: Money, language: Language) -> String {
    let plain = decimal_of(money).to_string();
    match language {
        Language::En => plain,
        Language::De => plain.replace('.', ","),
    }
}

/// A VAT rate of basis points: `19 %`, `5.5 %`.
pub fn percent(bp: u32, language: Language) -> String {
    let mut decimal = Decimal::from(bp);
    decimal.multiply_pow10(-2);
    decimal.absolute.trim_end();
    let number = DecimalFormatter::try_new(locale_of(language).into(), DecimalFormatterOptions::default())
        .map_or_else(|_| decimal.to_string(), |formatter| formatter.format(&decimal).to_string());
    // A no-break blank, as both languages set it in running text.
    format!("{number}\u{a0}%")
}

/// A point in time as people read it, in a time zone: `22 Nov 2026, 14:05`.
pub fn date_time(at_ms: i64, zone: &TimeZone, language: Language) -> String {
    let Ok(timestamp) = Timestamp::from_millisecond(at_ms) else {
        return String::new();
    };
    let local = zone.to_datetime(timestamp);
    let whole = |value: i8| u8::try_from(value).unwrap_or(0);
    let date = Date::try_new_gregorian(i32::from(local.year()), whole(local.month()), whole(local.day()));
    let time = Time::try_new(whole(local.hour()), whole(local.minute()), 0, 0);
    let formatter = DateTimeFormatter::try_new(
        locale_of(language).into(),
        YMDT::medium().with_time_precision(TimePrecision::Minute),
    );
    match (date, time, formatter) {
        (Ok(date), Ok(time), Ok(formatter)) => formatter.format(&DateTime { date, time }).to_string(),
        _ => local.to_string(),
    }
}

/// A point in time in no language, for machines: `2026-11-28T01:50:34Z`.
pub fn timestamp(at_ms: i64) -> String {
    Timestamp::from_millisecond(at_ms)
        .map_or_else(|_| at_ms.to_string(), |at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// The countries' names in a language, sorted as that language sorts them: code and name.
pub fn countries(codes: &[String], language: Language) -> Vec<(String, String)> {
    let mut named: Vec<(String, String)> = codes
        .iter()
        .map(|code| {
            let name = Region::from_str(code).ok().and_then(|region| {
                RegionDisplayName::try_new_light(locale_of(language).into(), region)
                    .ok()
                    .map(|name| name.to_string())
            });
            (code.clone(), name.unwrap_or_else(|| code.clone()))
        })
        .collect();
    named.sort_by_cached_key(|(_, name)| sort_key(name));
    named
}

/// Umlauts and accents sort with their base letters, as in both languages' dictionaries.
fn sort_key(name: &str) -> String {
    use unicode_normalization::UnicodeNormalization as _;
    name.nfd().filter(|c| c.is_alphanumeric() || *c == ' ').collect::<String>().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_as_the_language_writes_them() {
        let eur = |minor| Money::new(minor, Currency::EUR);
        assert_eq!(money_text(eur(123_450), Language::En), "€1,234.50");
        assert_eq!(money_text(eur(123_450), Language::De), "1.234,50\u{a0}€");
        assert_eq!(money_text(eur(5), Language::En), "€0.05");
        assert_eq!(money_text(eur(-500), Language::En), "-€5.00");
        let yen = Money::new(1500, Currency::from_code("JPY").unwrap());
        assert_eq!(money_text(yen, Language::De), "1.500\u{a0}¥");
    }

    #[test]
    fn rates_dates_and_countries_read_as_the_language_writes_them() {
        assert_eq!(percent(1900, Language::De), "19\u{a0}%");
        assert_eq!(percent(550, Language::De), "5,5\u{a0}%");
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        assert_eq!(date_time(1_795_354_500_000, &zone, Language::En), "22 Nov 2026, 14:35");
        assert_eq!(date_time(1_795_354_500_000, &zone, Language::De), "22.11.2026, 14:35");
        let codes = ["SE", "AT", "DE"].map(String::from);
        let names: Vec<String> = countries(&codes, Language::De).into_iter().map(|(_, name)| name).collect();
        assert_eq!(names, ["Deutschland", "Österreich", "Schweden"]);
    }
}

//! What somebody means who looks for a transaction.

use domain::{Currency, Details, Language};
use unicode_normalization::UnicodeNormalization as _;

use crate::store::merchant::Search;
use crate::typed_amount;

/// The longest text that is looked for, in characters.
const MAX_CHARS: usize = 120;
/// How much of a name has to be typed: less would find half of all orders.
const MIN_NAME_CHARS: usize = 2;

/// Everything that a text can mean: an order's reference, ours or the storefront's, the gateway's, an amount, the
/// beginning of an e-mail address or of a family name. Empty for an empty text.
pub fn parse(text: &str, currency: Currency, language: Language) -> Vec<Search> {
    let text: String = text.trim().chars().take(MAX_CHARS).collect();
    let mut meant = Vec::new();
    if text.is_empty() {
        return meant;
    }
    if let Some(reference) = reference(&text) {
        meant.push(Search::Reference(reference));
        // A storefront may number its orders alike.
        meant.push(Search::Storefront(text));
        return meant;
    }
    meant.push(Search::Storefront(text.clone()));
    if text.chars().all(|c| c.is_ascii_alphanumeric()) && text.len() >= 6 {
        meant.push(Search::Gateway(text.to_uppercase()));
    }
    if let Ok(money) = typed_amount::parse(&text, currency, language) {
        meant.push(Search::Amount(money.minor));
    }
    if text.chars().count() >= MIN_NAME_CHARS && !text.chars().all(|c| c.is_ascii_digit()) {
        meant.push(Search::Person(found_by(&text)));
    }
    meant
}

/// A text as people are looked for by it: small letters of every alphabet, in one form, with single blanks.
pub fn found_by(text: &str) -> String {
    let small: String = text.nfc().collect::<String>().to_lowercase();
    small.split_whitespace().collect::<Vec<_>>().join(" ").nfc().collect()
}

/// What a shopper is looked for by.
pub(crate) struct Found {
    pub(crate) email: String,
    pub(crate) name: String,
    pub(crate) family_name: String,
}

impl Found {
    pub(crate) fn of(details: &Details) -> Self {
        Self {
            email: found_by(&details.email),
            name: found_by(&format!("{} {}", details.first_name, details.family_name)),
            family_name: found_by(&details.family_name),
        }
    }
}

/// An order's reference, however it was typed: `tg 7k3m9qxa`.
fn reference(text: &str) -> Option<String> {
    let letters: String =
        text.chars().filter(|c| !matches!(c, ' ' | '-' | '\u{2013}')).collect::<String>().to_uppercase();
    let code = letters.strip_prefix("TG")?;
    let is_one = code.len() == 8 && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let (front, back) = code.split_at_checked(4)?;
    is_one.then(|| format!("TG-{front}-{back}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant(text: &str) -> Vec<Search> {
        parse(text, Currency::EUR, Language::En)
    }

    #[test]
    fn a_reference_is_found_however_it_is_typed() {
        for text in ["TG-7K3M-9QXA", "tg-7k3m-9qxa", "tg 7k3m 9qxa", " TG7K3M9QXA "] {
            let (ours, theirs) =
                (Search::Reference("TG-7K3M-9QXA".into()), Search::Storefront(text.trim().into()));
            assert_eq!(meant(text), [ours, theirs], "{text}");
        }
    }

    #[test]
    fn a_text_means_what_it_can_mean() {
        let storefront = |text: &str| Search::Storefront(text.into());
        let amount = Search::Amount(1_234);
        assert_eq!(meant("12.34"), [storefront("12.34"), amount, Search::Person("12.34".into())]);
        let gateway = Search::Gateway("813705000006".into());
        let amount = Search::Amount(81_370_500_000_600);
        assert_eq!(meant("813705000006"), [storefront("813705000006"), gateway, amount]);
        for (text, person) in [("Ada@Example.com", "ada@example.com"), ("O'Ne", "o'ne")] {
            assert_eq!(meant(text), [storefront(text), Search::Person(person.into())]);
        }
        // The same letters, typed in another form, and in large.
        assert_eq!(meant("MU\u{308}LLER")[1], Search::Person("m\u{fc}ller".into()));
        assert_eq!(found_by("  Ada   LOVELACE\u{a0}"), "ada lovelace");
        assert_eq!(meant(""), []);
        assert_eq!(meant("a"), [storefront("a")], "too little for a name");
    }
}

//! Who buys, and where it goes: what the shopper types, and what of it is accepted.

use serde::{Deserialize, Serialize};

/// What was typed, unchecked and never lost: a page that comes back with errors shows it again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Details {
    /// E-mail address.
    pub email: String,
    /// First name or names.
    pub first_name: String,
    /// Family name.
    pub family_name: String,
    /// Telephone number; may be empty.
    pub phone: String,
    /// Street and house number.
    pub street: String,
    /// Postal code; some countries have none, but the payment page asks for one.
    pub postcode: String,
    /// Town.
    pub city: String,
    /// Country, ISO 3166-1 alpha-2, as `autocomplete="country"` fills it in: `DE`.
    pub country: String,
}

/// A field of the checkout form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// [`Details::email`].
    Email,
    /// [`Details::first_name`].
    FirstName,
    /// [`Details::family_name`].
    FamilyName,
    /// [`Details::phone`].
    Phone,
    /// [`Details::street`].
    Street,
    /// [`Details::postcode`].
    Postcode,
    /// [`Details::city`].
    City,
    /// [`Details::country`].
    Country,
    /// The choice of a delivery.
    Delivery,
    /// The choice of a payment method.
    Method,
}

impl Field {
    /// The fields of [`Details`], in the order of the form.
    pub const DETAILS: [Self; 8] = [
        Self::Email,
        Self::FirstName,
        Self::FamilyName,
        Self::Street,
        Self::Postcode,
        Self::City,
        Self::Country,
        Self::Phone,
    ];

    /// The name in forms and messages; ids of elements are made from it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::FirstName => "first_name",
            Self::FamilyName => "family_name",
            Self::Phone => "phone",
            Self::Street => "street",
            Self::Postcode => "postcode",
            Self::City => "city",
            Self::Country => "country",
            Self::Delivery => "delivery",
            Self::Method => "method",
        }
    }

    /// The most characters that are accepted.
    pub const fn max_chars(self) -> usize {
        match self {
            Self::Email => 254,
            Self::FirstName | Self::FamilyName | Self::City => 60,
            Self::Street => 120,
            Self::Phone => 32,
            Self::Postcode => 16,
            Self::Country => 2,
            Self::Delivery | Self::Method => 32,
        }
    }
}

/// What is wrong with one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldProblem {
    /// Nothing was typed or chosen.
    Missing,
    /// More than [`Field::max_chars`].
    TooLong,
    /// Not an e-mail address.
    NotAnEmail,
    /// Not a telephone number.
    NotAPhone,
    /// A control or invisible formatting character that no payment page takes.
    BadCharacter,
    /// Not one of the choices that are offered.
    NotOffered,
}

impl FieldProblem {
    /// The stable name, as it is serialised.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::TooLong => "too_long",
            Self::NotAnEmail => "not_an_email",
            Self::NotAPhone => "not_a_phone",
            Self::BadCharacter => "bad_character",
            Self::NotOffered => "not_offered",
        }
    }
}

/// A problem of one field. There is no free text in it: words are made where the language is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FieldError {
    /// Where.
    pub field: Field,
    /// What.
    pub problem: FieldProblem,
}

/// Details that were accepted: trimmed, bounded, complete.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Customer(Details);

impl Customer {
    /// Details that were accepted when they were stored. What is accepted today may be less, and must not
    /// make an old order unreadable.
    pub fn accepted_before(details: Details) -> Self {
        Self(details)
    }

    /// The accepted values.
    pub fn details(&self) -> &Details {
        &self.0
    }

    /// The e-mail address with all but its first letter and its domain hidden, `a•••@example.com`, for
    /// pages that only a link protects.
    pub fn masked_email(&self) -> String {
        let (name, domain) = self.0.email.split_once('@').unwrap_or(("", ""));
        let first: String = name.chars().take(1).collect();
        format!("{first}•••@{domain}")
    }
}

impl Details {
    /// The value of a field; empty for the fields that are choices.
    pub fn get(&self, field: Field) -> &str {
        match field {
            Field::Email => &self.email,
            Field::FirstName => &self.first_name,
            Field::FamilyName => &self.family_name,
            Field::Phone => &self.phone,
            Field::Street => &self.street,
            Field::Postcode => &self.postcode,
            Field::City => &self.city,
            Field::Country => &self.country,
            Field::Delivery | Field::Method => "",
        }
    }

    /// Sets the value of a field; the fields that are choices have none here.
    pub fn set(&mut self, field: Field, value: String) {
        match field {
            Field::Email => self.email = value,
            Field::FirstName => self.first_name = value,
            Field::FamilyName => self.family_name = value,
            Field::Phone => self.phone = value,
            Field::Street => self.street = value,
            Field::Postcode => self.postcode = value,
            Field::City => self.city = value,
            Field::Country => self.country = value,
            Field::Delivery | Field::Method => {}
        }
    }

    /// Accepts the details, or names everything that is wrong with them, in the order of the form.
    ///
    /// `countries` are the alpha-2 codes that the shop delivers to.
    pub fn accept(&self, countries: &[impl AsRef<str>]) -> Result<Customer, Vec<FieldError>> {
        let mut trimmed = Self::default();
        for field in Field::DETAILS {
            trimmed.set(field, self.get(field).trim().to_owned());
        }
        trimmed.country.make_ascii_uppercase();
        let errors: Vec<FieldError> = Field::DETAILS
            .into_iter()
            .filter_map(|field| {
                let problem = problem_of(field, trimmed.get(field), countries)?;
                Some(FieldError { field, problem })
            })
            .collect();
        if errors.is_empty() { Ok(Customer(trimmed)) } else { Err(errors) }
    }
}

/// What is wrong with a trimmed value, if anything.
fn problem_of(field: Field, value: &str, countries: &[impl AsRef<str>]) -> Option<FieldProblem> {
    if value.is_empty() {
        return (field != Field::Phone).then_some(FieldProblem::Missing);
    }
    if value.chars().any(is_refused) {
        return Some(FieldProblem::BadCharacter);
    }
    if field == Field::Country {
        let offered = countries.iter().any(|country| country.as_ref() == value);
        return (!offered).then_some(FieldProblem::NotOffered);
    }
    if value.chars().count() > field.max_chars() {
        return Some(FieldProblem::TooLong);
    }
    match field {
        Field::Email if !is_email(value) => Some(FieldProblem::NotAnEmail),
        Field::Phone if !is_phone(value) => Some(FieldProblem::NotAPhone),
        _ => None,
    }
}

/// Control characters, and the invisible ones that reorder or hide text.
fn is_refused(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

/// Whether mail could be sent there: one `@`, something before it, a domain with a point after it. What
/// really exists only a sent mail can tell.
fn is_email(value: &str) -> bool {
    let Some((name, domain)) = value.split_once('@') else {
        return false;
    };
    let labels_fit = domain.split('.').count() >= 2
        && domain.split('.').all(|label| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| is_letter(c) || c == '-')
        });
    let name_fits = !name.is_empty()
        && name.chars().all(|c| {
            is_letter(c)
                || matches!(
                    c,
                    '!' | '#'
                        | '$'
                        | '%'
                        | '&'
                        | '\''
                        | '*'
                        | '+'
                        | '/'
                        | '='
                        | '?'
                        | '^'
                        | '_'
                        | '`'
                        | '{'
                        | '|'
                        | '}'
                        | '~'
                        | '.'
                        | '-'
                )
        })
        && name.split('.').all(|part| !part.is_empty());
    name_fits && labels_fit
}

/// An ASCII letter or digit, or any character beyond ASCII: the tables that tell letters from symbols there would
/// be 2 kB of WebAssembly.
const fn is_letter(c: char) -> bool {
    c.is_ascii_alphanumeric() || !c.is_ascii()
}

/// Six to fifteen digits, with the punctuation that people put between them.
fn is_phone(value: &str) -> bool {
    let digits = value.chars().filter(char::is_ascii_digit).count();
    (6..=15).contains(&digits)
        && value
            .strip_prefix('+')
            .unwrap_or(value)
            .chars()
            .all(|c| matches!(c, '0'..='9' | ' ' | '-' | '.' | '/' | '(' | ')'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn complete() -> Details {
        Details {
            email: " Ada@example.com ".into(),
            first_name: "Ada".into(),
            family_name: "O'Neill-Łukasz".into(),
            phone: String::new(),
            street: "Hauptstraße 1".into(),
            postcode: "10115".into(),
            city: "Berlin".into(),
            country: "de".into(),
        }
    }

    #[test]
    fn complete_details_are_trimmed_and_accepted() {
        let customer = complete().accept(&["DE", "AT"]).unwrap();
        assert_eq!(customer.details().email, "Ada@example.com");
        assert_eq!(customer.details().country, "DE");
        assert_eq!(customer.masked_email(), "A•••@example.com");
    }

    #[test]
    fn everything_missing_is_named_at_once_and_in_order() {
        let errors = Details::default().accept(&["DE"]).unwrap_err();
        let fields: Vec<&str> = errors.iter().map(|error| error.field.name()).collect();
        assert_eq!(fields, ["email", "first_name", "family_name", "street", "postcode", "city", "country"]);
    }

    #[test]
    fn each_problem_is_found() {
        for (field, value, problem) in [
            (Field::Email, "ada.example.com", FieldProblem::NotAnEmail),
            (Field::Email, "ada@example", FieldProblem::NotAnEmail),
            (Field::Email, "a b@example.com", FieldProblem::NotAnEmail),
            (Field::Email, "a@b@example.com", FieldProblem::NotAnEmail),
            (Field::Phone, "12", FieldProblem::NotAPhone),
            (Field::Phone, "call me 123456", FieldProblem::NotAPhone),
            (Field::City, "Ber\u{7}lin", FieldProblem::BadCharacter),
            (Field::City, "Ber\u{202E}lin", FieldProblem::BadCharacter),
            (Field::Country, "US", FieldProblem::NotOffered),
        ] {
            let mut details = complete();
            details.set(field, value.to_owned());
            assert_eq!(details.accept(&["DE"]).unwrap_err(), [FieldError { field, problem }], "{value}");
        }
        for field in Field::DETAILS.into_iter().filter(|field| *field != Field::Country) {
            let mut details = complete();
            details.set(field, "9".repeat(field.max_chars() + 1));
            assert_eq!(details.accept(&["DE"]).unwrap_err()[0].problem, FieldProblem::TooLong);
        }
    }

    proptest! {
        #[test]
        fn what_was_accepted_is_accepted_again_unchanged(
            email in "[a-z]{1,8}@[a-z]{1,8}\\.[a-z]{2,4}", name in "\\PC{1,40}", street in "\\PC{1,80}",
        ) {
            let mut details = complete();
            details.email = email;
            details.first_name = name;
            details.street = street;
            if let Ok(customer) = details.accept(&["DE"]) {
                prop_assert_eq!(customer.details().accept(&["DE"]).unwrap(), customer);
            }
        }
    }
}

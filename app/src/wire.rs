//! Reading JSON in the browser without a JSON library: the browser has one.
//!
//! `serde_json` and derived readers are 16 kB of WebAssembly; these functions over what `JSON.parse`
//! returns are a few hundred bytes. They read exactly what `serde` writes on the server: the tests
//! here write with the one and read with the other.

use domain::{
    Choice, Currency, Field, FieldError, FieldProblem, Language, Notice, PaymentMethod, Price, Problem,
    Quote, QuoteLine, QuoteProblem, ShopperState, StartReply, StatusReply, Storefront, VatPart,
};
use wasm_bindgen::{JsCast, JsValue};

/// A parsed JSON value.
pub trait Json: Sized {
    /// The member of an object.
    fn member(&self, name: &str) -> Option<Self>;
    /// The items of an array.
    fn items(&self) -> Option<Vec<Self>>;
    /// A text.
    fn text(&self) -> Option<String>;
    /// A whole number of at most 53 bits.
    fn integer(&self) -> Option<i64>;
    /// `true` or `false`.
    fn flag(&self) -> Option<bool>;
}

impl Json for JsValue {
    fn member(&self, name: &str) -> Option<Self> {
        if !self.is_object() {
            return None;
        }
        js_sys::Reflect::get(self, &JsValue::from_str(name)).ok().filter(|value| !value.is_undefined())
    }

    fn items(&self) -> Option<Vec<Self>> {
        self.dyn_ref::<js_sys::Array>().map(js_sys::Array::to_vec)
    }

    fn text(&self) -> Option<String> {
        self.as_string()
    }

    #[expect(clippy::cast_possible_truncation, reason = "amounts stay far below 2^53, and `as` saturates")]
    fn integer(&self) -> Option<i64> {
        self.as_f64().map(|number| number as i64)
    }

    fn flag(&self) -> Option<bool> {
        self.as_bool()
    }
}

/// Each item of an array; `None` if one cannot be read.
pub(crate) fn list<J: Json, T>(json: &J, read: fn(&J) -> Option<T>) -> Option<Vec<T>> {
    json.items()?.iter().map(read).collect()
}

/// A text member.
pub(crate) fn text<J: Json>(json: &J, name: &str) -> Option<String> {
    json.member(name)?.text()
}

/// A text member, empty where it is missing.
fn text_or_empty<J: Json>(json: &J, name: &str) -> String {
    text(json, name).unwrap_or_default()
}

fn integer_or_zero<J: Json>(json: &J, name: &str) -> i64 {
    json.member(name).and_then(|number| number.integer()).unwrap_or_default()
}

fn flag_or_false<J: Json>(json: &J, name: &str) -> bool {
    json.member(name).and_then(|flag| flag.flag()).unwrap_or_default()
}

/// The items of an array member that can be read.
fn items<J: Json, T>(json: &J, name: &str, read: fn(&J) -> Option<T>) -> Vec<T> {
    json.member(name).and_then(|list| list.items()).unwrap_or_default().iter().filter_map(read).collect()
}

fn price<J: Json>(json: &J, name: &str) -> Price {
    json.member(name).map_or_else(
        || Price { minor: 0, text: String::new() },
        |json| Price { minor: integer_or_zero(&json, "minor"), text: text_or_empty(&json, "text") },
    )
}

/// Reads a [`Quote`]. What has a currency is one; from there on nothing is refused, because the code to stop half-way
/// at each of its members would be 2 kB of WebAssembly.
pub fn quote<J: Json>(json: &J) -> Option<Quote> {
    let currency = Currency::from_code(&text(json, "currency")?)?;
    Some(Quote {
        currency,
        fixed: flag_or_false(json, "fixed"),
        lines: items(json, "lines", line),
        deliveries: items(json, "deliveries", choice),
        subtotal: price(json, "subtotal"),
        delivery: price(json, "delivery"),
        vat: items(json, "vat", vat_part),
        total: price(json, "total"),
        notices: items(json, "notices", notice),
    })
}

#[expect(clippy::unnecessary_wraps, reason = "it is a reader of items")]
fn line<J: Json>(json: &J) -> Option<QuoteLine> {
    Some(QuoteLine {
        sku: text_or_empty(json, "sku"),
        name: text_or_empty(json, "name"),
        image: text_or_empty(json, "image"),
        quantity: integer_or_zero(json, "quantity").try_into().unwrap_or_default(),
        unit: price(json, "unit"),
        total: price(json, "total"),
    })
}

#[expect(clippy::unnecessary_wraps, reason = "it is a reader of items")]
fn choice<J: Json>(json: &J) -> Option<Choice> {
    Some(Choice {
        id: text_or_empty(json, "id"),
        name: text_or_empty(json, "name"),
        price: price(json, "price"),
        chosen: flag_or_false(json, "chosen"),
    })
}

#[expect(clippy::unnecessary_wraps, reason = "it is a reader of items")]
fn vat_part<J: Json>(json: &J) -> Option<VatPart> {
    Some(VatPart { rate: text_or_empty(json, "rate"), vat: price(json, "vat") })
}

fn notice<J: Json>(json: &J) -> Option<Notice> {
    Some(Notice::Gone { sku: text(&json.member("gone")?, "sku")? })
}

/// Reads a [`Storefront`].
pub fn storefront<J: Json>(json: &J) -> Option<Storefront> {
    Some(Storefront {
        signed_quote: text(json, "signed_quote")?,
        reference: text(json, "reference")?,
        return_url: text(json, "return_url")?,
    })
}

/// Reads a [`StartReply`].
pub fn start_reply<J: Json>(json: &J) -> Option<StartReply> {
    Some(StartReply { location: text(json, "location")? })
}

/// Reads a [`StatusReply`].
pub fn status_reply<J: Json>(json: &J) -> Option<StatusReply> {
    use ShopperState as S;
    let state = match text(json, "state")?.as_str() {
        "paid" => S::Paid,
        "awaiting" => S::Awaiting,
        "checking" => S::Checking,
        "not_paid" => S::NotPaid,
        "given_back" => S::GivenBack,
        "ended" => S::Ended,
        "refunded" => S::Refunded,
        _ => return None,
    };
    Some(StatusReply { state })
}

/// Reads a [`Problem`].
pub fn problem<J: Json>(json: &J) -> Option<Problem> {
    if let Some(name) = json.text() {
        return Some(match name.as_str() {
            "empty_cart" => Problem::EmptyCart,
            "key_reused" => Problem::KeyReused,
            "busy" => Problem::Busy,
            "malformed" => Problem::Malformed,
            "not_found" => Problem::NotFound,
            "origin_not_listed" => Problem::OriginNotListed,
            "bad_reference" => Problem::BadReference,
            "bad_return_url" => Problem::BadReturnUrl,
            "rate_limited" => Problem::RateLimited,
            "unavailable" => Problem::Unavailable,
            "transport" => Problem::Transport,
            _ => return None,
        });
    }
    if let Some(errors) = json.member("invalid") {
        return Some(Problem::Invalid(list(&errors, field_error)?));
    }
    if let Some(name) = text(json, "quote") {
        return QuoteProblem::ALL.into_iter().find(|problem| problem.name() == name).map(Problem::Quote);
    }
    Some(Problem::PriceChanged(Box::new(quote(&json.member("price_changed")?)?)))
}

/// Reads a [`FieldError`].
pub fn field_error<J: Json>(json: &J) -> Option<FieldError> {
    let name = text(json, "field")?;
    let field = Field::DETAILS
        .into_iter()
        .chain([Field::Delivery, Field::Method])
        .find(|field| field.name() == name)?;
    let problem = match text(json, "problem")?.as_str() {
        "missing" => FieldProblem::Missing,
        "too_long" => FieldProblem::TooLong,
        "not_an_email" => FieldProblem::NotAnEmail,
        "not_a_phone" => FieldProblem::NotAPhone,
        "bad_character" => FieldProblem::BadCharacter,
        "not_offered" => FieldProblem::NotOffered,
        _ => return None,
    };
    Some(FieldError { field, problem })
}

/// Reads a [`PaymentMethod`].
pub fn method<J: Json>(json: &J) -> Option<PaymentMethod> {
    PaymentMethod::from_id(&json.text()?)
}

/// Reads a [`Language`].
pub fn language<J: Json>(json: &J) -> Option<Language> {
    Language::from_tag(&json.text()?)
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::Value;

    use super::*;

    impl Json for Value {
        fn member(&self, name: &str) -> Option<Self> {
            self.get(name).cloned()
        }
        fn items(&self) -> Option<Vec<Self>> {
            self.as_array().cloned()
        }
        fn text(&self) -> Option<String> {
            self.as_str().map(str::to_owned)
        }
        fn integer(&self) -> Option<i64> {
            self.as_i64()
        }
        fn flag(&self) -> Option<bool> {
            self.as_bool()
        }
    }

    fn written(value: &impl serde::Serialize) -> Value {
        serde_json::to_value(value).unwrap()
    }

    fn price(minor: i64) -> Price {
        Price { minor, text: format!("€{minor}") }
    }

    pub(crate) fn a_quote() -> Quote {
        Quote {
            currency: Currency::EUR,
            fixed: true,
            lines: vec![QuoteLine {
                sku: "mug".into(),
                name: "Mug \"Fjord\" <2>".into(),
                image: "/img/mug.svg".into(),
                quantity: 2,
                unit: price(1890),
                total: price(3780),
            }],
            deliveries: vec![
                Choice { id: "post".into(), name: "Post".into(), price: price(490), chosen: true },
                Choice { id: "pick-up".into(), name: "Pick-up".into(), price: price(0), chosen: false },
            ],
            subtotal: price(3780),
            delivery: price(490),
            vat: vec![VatPart { rate: "19 %".into(), vat: price(682) }],
            total: price(4270),
            notices: vec![Notice::Gone { sku: "hat".into() }],
        }
    }

    #[test]
    fn a_quote_reads_back() {
        assert_eq!(quote(&written(&a_quote())), Some(a_quote()));
    }

    #[test]
    fn every_problem_reads_back() {
        let problems = QuoteProblem::ALL.map(Problem::Quote).into_iter().chain([
            Problem::Invalid(vec![FieldError { field: Field::Method, problem: FieldProblem::Missing }]),
            Problem::EmptyCart,
            Problem::PriceChanged(Box::new(a_quote())),
            Problem::KeyReused,
            Problem::Busy,
            Problem::Malformed,
            Problem::NotFound,
            Problem::OriginNotListed,
            Problem::BadReference,
            Problem::BadReturnUrl,
            Problem::RateLimited,
            Problem::Unavailable,
            Problem::Transport,
        ]);
        for one in problems {
            let json = written(&one);
            let name = json.as_object().map_or_else(|| json.text(), |object| object.keys().next().cloned());
            assert_eq!(name.as_deref(), Some(one.name()));
            assert_eq!(problem(&json), Some(one));
        }
        for bad in ["\"other\"", "{}", "null", "[]", "3"] {
            assert_eq!(problem(&serde_json::from_str::<Value>(bad).unwrap()), None);
        }
    }

    #[test]
    fn every_field_error_reads_back() {
        use FieldProblem::*;
        for field in Field::DETAILS.into_iter().chain([Field::Delivery, Field::Method]) {
            for problem in [Missing, TooLong, NotAnEmail, NotAPhone, BadCharacter, NotOffered] {
                let error = FieldError { field, problem };
                assert_eq!(written(&problem), problem.name());
                assert_eq!(field_error(&written(&error)), Some(error));
            }
        }
    }

    #[test]
    fn replies_methods_and_languages_read_back() {
        use ShopperState::*;
        for state in [Paid, Awaiting, Checking, NotPaid, GivenBack, Ended, Refunded] {
            assert_eq!(status_reply(&written(&StatusReply { state })), Some(StatusReply { state }));
        }
        let reply = StartReply { location: "/checkout/go/x".into() };
        assert_eq!(start_reply(&written(&reply)), Some(reply));
        for one in PaymentMethod::ALL {
            assert_eq!(method(&written(&one)), Some(one));
        }
        for one in Language::ALL {
            assert_eq!(language(&written(&one)), Some(one));
        }
    }
}

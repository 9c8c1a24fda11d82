//! The checkout form: cart, contact and address, delivery, payment, summary.
//!
//! One plain HTML form that works as it is; where WebAssembly runs, the same markup comes alive.
//! [`CheckoutForm`] is the component, [`CheckoutIsland`] hydrates it on our own page.

mod cart;
mod fields;
mod options;
mod state;
mod summary;

use domain::{Details, FieldError, Language, PaymentMethod, Problem, Quote};
use leptos::prelude::*;

#[cfg(feature = "ssr")]
pub(crate) use self::options::mark;
use self::state::Checkout;
use crate::client::Client;
use crate::text::CheckoutTexts;
use crate::wire::{self, Json};
use crate::{dom, form};

/// The id of the form element.
pub const FORM_ID: &str = "checkout";

/// What a checkout form begins with.
#[derive(Clone, Debug)]
pub struct CheckoutModel {
    /// The server's prices.
    pub quote: Quote,
    /// The cart's id.
    pub cart_id: String,
    /// The idempotency key of the first press of Pay.
    pub key: String,
    /// The language of names, amounts and of the payment page.
    pub language: Language,
    /// The methods that are offered.
    pub methods: Vec<PaymentMethod>,
    /// The chosen one.
    pub method: Option<PaymentMethod>,
    /// What is wrong with what was typed.
    pub errors: Vec<FieldError>,
    /// Why a payment did not start.
    pub problem: Option<Problem>,
    /// The words.
    pub texts: &'static CheckoutTexts,
    /// What was typed, or is known. Not sent to the island: there it stands in the fields.
    pub details: Details,
    /// The `option` elements of the countries, as escaped HTML. Not sent to the island either.
    pub countries: String,
    /// The server to call.
    pub client: Client,
    /// Whether the cart's cookie follows changes; false where a host page keeps the cart.
    pub keeps_cart: bool,
}

impl CheckoutModel {
    /// Reads what [`CheckoutModel::to_json`] wrote.
    pub fn from_json<J: Json>(json: &J) -> Option<Self> {
        let problem = json.member("problem")?;
        Some(Self {
            quote: wire::quote(&json.member("quote")?)?,
            cart_id: wire::text(json, "cart_id")?,
            key: wire::text(json, "key")?,
            language: wire::language(&json.member("language")?)?,
            methods: wire::list(&json.member("methods")?, wire::method)?,
            method: wire::method(&json.member("method")?),
            errors: wire::list(&json.member("errors")?, wire::field_error)?,
            problem: wire::problem(&problem),
            texts: CheckoutTexts::from_list(wire::list(&json.member("texts")?, J::text)?)?,
            details: Details::default(),
            countries: String::new(),
            client: Client::OWN,
            keeps_cart: true,
        })
    }

    /// The data of the page's island.
    #[cfg(feature = "ssr")]
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "quote": self.quote,
            "cart_id": self.cart_id,
            "key": self.key,
            "language": self.language,
            "methods": self.methods,
            "method": self.method,
            "errors": self.errors,
            "problem": self.problem,
            "texts": self.texts.list(),
        })
    }
}

/// The checkout form as an island. The server puts its [`CheckoutModel`] into the context, and its
/// JSON into the page: props of an island would bring `serde_json` to the browser.
#[island]
pub fn CheckoutIsland() -> impl IntoView {
    let model = use_context::<CheckoutModel>()
        .or_else(|| CheckoutModel::from_json(&dom::page_data()?))
        // The page stays the plain form that it is.
        .unwrap_or_else(|| wasm_bindgen::throw_str("this page has no checkout data"));
    view! { <CheckoutForm model /> }
}

/// The checkout form.
#[component]
pub fn CheckoutForm(
    /// What it begins with.
    model: CheckoutModel,
) -> impl IntoView {
    let (details, countries, methods) =
        (model.details.clone(), model.countries.clone(), model.methods.clone());
    let checkout = Checkout::new(model);
    Effect::new(move |_| checkout.come_alive());

    let texts = checkout.texts;
    let (key, cart_id) = checkout.state.with_untracked(|state| (state.key.clone(), state.cart_id.clone()));
    view! {
        <form
            id=FORM_ID
            class="checkout"
            method="post"
            action=form::PAY
            novalidate
            node_ref=checkout.form
            hidden=checkout.flag(|state| state.quote.lines.is_empty())
            on:submit=move |event| checkout.submit(&event)
            on:input=move |_| checkout.check_again()
        >
            // Enter in a field presses the first button there is: let it be one that pays.
            <button class="sr" type="submit" tabindex="-1" aria-hidden="true"></button>
            <input type="hidden" name=form::KEY value=key autocomplete="off" />
            <input type="hidden" name=form::CART_ID value=cart_id autocomplete="off" />
            <input
                type="hidden"
                name=form::LINES
                value=checkout.text(|state| state.wanted.to_string())
                autocomplete="off"
            />
            <input
                type="hidden"
                name=form::SHOWN_TOTAL
                value=checkout.text(|state| state.quote.total.minor.to_string())
                autocomplete="off"
            />
            <div class="steps">
                {summary::problems(checkout)} {cart::cart(checkout)} {fields::contact(checkout, &details)}
                {fields::address(checkout, &details, countries)} {options::deliveries(checkout)}
                {options::methods(checkout, &methods)}
            </div>
            {summary::summary(checkout)}
        </form>
        <div class="empty" hidden=checkout.flag(|state| !state.quote.lines.is_empty())>
            <h2>{texts.empty_heading}</h2>
            <p>{texts.empty_text}</p>
            <p>
                <a class="button" href="/">
                    {texts.empty_link}
                </a>
            </p>
        </div>
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use crate::text::texts;
    use crate::wire::tests::a_quote;

    #[test]
    fn what_the_page_carries_reads_back() {
        let model = CheckoutModel {
            quote: a_quote(),
            cart_id: "cart".into(),
            key: "key".into(),
            language: Language::De,
            methods: PaymentMethod::ALL.to_vec(),
            method: Some(PaymentMethod::Ideal),
            errors: Details::default().accept(&["DE"]).unwrap_err(),
            problem: Some(Problem::PriceChanged(Box::new(a_quote()))),
            texts: &texts(Language::De).checkout,
            details: Details::default(),
            countries: String::new(),
            client: Client::OWN,
            keeps_cart: true,
        };
        let read = CheckoutModel::from_json(&model.to_json()).unwrap();
        assert_eq!(format!("{read:?}"), format!("{model:?}"));
        let plain = CheckoutModel { method: None, problem: None, errors: Vec::new(), ..model };
        let read = CheckoutModel::from_json(&plain.to_json()).unwrap();
        assert_eq!(format!("{read:?}"), format!("{plain:?}"));
    }
}

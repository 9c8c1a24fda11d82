//! The checkout form: cart, contact and address, delivery, payment, summary.
//!
//! One plain HTML form that works as it is; where WebAssembly runs, the same markup comes alive.
//! [`CheckoutForm`] is the component, [`CheckoutIsland`] hydrates it on our own page.

mod cart;
mod event;
mod fields;
mod options;
mod state;
mod summary;

use domain::{Cart, Details, FieldError, Language, PaymentMethod, Problem, Quote, Storefront};
use leptos::prelude::*;
use send_wrapper::SendWrapper;

pub use self::event::{CheckoutEvent, EventHandler};
#[cfg(feature = "ssr")]
pub(crate) use self::options::mark;
pub use self::state::Checkout;
use crate::client::Client;
#[cfg(any(feature = "ssr", feature = "hydrate"))]
use crate::dom;
use crate::form;
use crate::text::CheckoutTexts;
use crate::wire::{self, Json};

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
    /// What a storefront says about the order.
    pub storefront: Storefront,
    /// Who is told what happens, and takes the shopper to the payment. Without one the checkout does that
    /// itself.
    pub on_event: Option<EventHandler>,
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
            countries: wire::text(json, "countries").unwrap_or_default(),
            client: Client::OWN,
            keeps_cart: true,
            storefront: wire::storefront(&json.member("storefront")?)?,
            on_event: None,
        })
    }

    /// Reads the table that a server answers at [`crate::api::WIDGET`], for a checkout on another origin's page.
    pub fn from_table<J: Json>(table: &J, client: Client) -> Result<Self, TableError> {
        let shape = table.member("shape").and_then(|shape| shape.integer());
        if shape != Some(i64::from(CheckoutTexts::SHAPE)) {
            return Err(if shape.is_some() { TableError::Outdated } else { TableError::Unreadable });
        }
        let mut model = Self::from_json(table).ok_or(TableError::Unreadable)?;
        model.client = client;
        model.keeps_cart = false;
        Ok(model)
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
            "storefront": self.storefront,
        })
    }
}

/// Why no checkout can be made of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableError {
    /// The server is of another version than this code.
    Outdated,
    /// It is no table.
    Unreadable,
}

/// The checkout form as an island. The server puts its [`CheckoutModel`] into the context, and its
/// JSON into the page: props of an island would bring `serde_json` to the browser.
#[cfg(any(feature = "ssr", feature = "hydrate"))]
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
    /// What is bought, where the host changes that while the form is shown; what was typed stays. A host that
    /// adds to it listens to [`CheckoutEvent::Changed`] as well, because the shopper changes it too.
    #[prop(optional, into)]
    lines: Option<Signal<Cart>>,
) -> impl IntoView {
    let checkout = Checkout::new(&model);
    if let Some(lines) = lines {
        Effect::new(move |_| checkout.set_lines(lines.get()));
    }
    Effect::new(move |_| {
        let listening = SendWrapper::new(checkout.come_alive());
        on_cleanup(move || drop(listening));
    });
    checkout_form(checkout, &model)
}

/// The checkout form of a [`Checkout`] that was made of the same model, for hosts that change it from outside while
/// it is shown. It does nothing before [`Checkout::come_alive`].
pub fn checkout_form(checkout: Checkout, model: &CheckoutModel) -> impl IntoView + use<> {
    let (details, countries, methods) = (&model.details, model.countries.clone(), &model.methods);
    // What only a plain form needs: the element is never one.
    let plain = (!cfg!(feature = "csr")).then(|| {
        let Storefront { signed_quote, reference, return_url } = model.storefront.clone();
        let hidden = |name: &'static str, value: String| {
            (!value.is_empty())
                .then(|| view! { <input type="hidden" name=name value=value autocomplete="off" /> })
        };
        view! {
            <input type="hidden" name=form::KEY value=model.key.clone() autocomplete="off" />
            <input type="hidden" name=form::CART_ID value=model.cart_id.clone() autocomplete="off" />
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
            {hidden(form::SIGNED_QUOTE, signed_quote)}
            {hidden(form::REFERENCE, reference)}
            {hidden(form::RETURN_URL, return_url)}
        }
    });
    let texts = checkout.texts;
    // A host page has its own ways to its articles.
    let link =
        (!cfg!(feature = "csr")).then(|| view! { <p><a class="button" href="/">{texts.empty_link}</a></p> });
    view! {
        <form
            id=FORM_ID
            part="checkout"
            class="checkout"
            method="post"
            action=model.client.url(form::PAY)
            novalidate
            node_ref=checkout.form
            hidden=checkout.flag(|state| state.quote.lines.is_empty())
        >
            // Enter in a field presses the first button there is: let it be one that pays.
            <button class="sr" type="submit" tabindex="-1" aria-hidden="true"></button>
            {plain}
            <div class="steps">
                {summary::problems(checkout)} {cart::cart(checkout)} {fields::contact(checkout, details)}
                {fields::address(checkout, details, countries)} {options::deliveries(checkout)}
                {options::methods(checkout, methods)}
            </div>
            {summary::summary(checkout)}
        </form>
        <div
            class="empty"
            class:problems=checkout.flag(|state| !state.problem_words().is_empty())
            part="empty"
            role="status"
            hidden=checkout.flag(|state| !state.quote.lines.is_empty())
        >
            <h2>{checkout.text(|state| state.why_empty().0)}</h2>
            <p>{checkout.text(|state| state.why_empty().1)}</p>
            {link}
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
            storefront: Storefront {
                signed_quote: "v1.a.b.c".into(),
                reference: "A-1".into(),
                return_url: "https://shop.example".into(),
            },
            on_event: None,
        };
        let read = CheckoutModel::from_json(&model.to_json()).unwrap();
        assert_eq!(format!("{read:?}"), format!("{model:?}"));
        let plain = CheckoutModel { method: None, problem: None, errors: Vec::new(), ..model };
        let read = CheckoutModel::from_json(&plain.to_json()).unwrap();
        assert_eq!(format!("{read:?}"), format!("{plain:?}"));
    }
}

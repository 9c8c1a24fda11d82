//! The checkout page.

use std::fmt::Write;

use domain::{Details, FieldError, PaymentMethod, Problem, Quote, Storefront};
use leptos::either::Either;
use leptos::prelude::*;

use super::Site;
use super::document::{Frame, document};
use crate::checkout::{CheckoutIsland, CheckoutModel};
use crate::client::Client;

/// A country that the shop delivers to.
#[derive(Clone, Debug)]
pub struct Country {
    /// ISO 3166-1 alpha-2.
    pub code: String,
    /// Its name in the shopper's language.
    pub name: String,
}

/// What the checkout page shows.
#[derive(Clone, Debug)]
pub struct CheckoutData {
    /// The server's prices; without lines the page says that the cart is empty.
    pub quote: Quote,
    /// The cart's id.
    pub cart_id: String,
    /// A new idempotency key.
    pub key: String,
    /// What was typed, as it was typed.
    pub details: Details,
    /// The chosen method.
    pub method: Option<PaymentMethod>,
    /// The methods that are offered.
    pub methods: Vec<PaymentMethod>,
    /// The countries, in the order in which they are shown.
    pub countries: Vec<Country>,
    /// What is wrong with what was typed.
    pub errors: Vec<FieldError>,
    /// Why no payment was started, where it is not a field's fault.
    pub problem: Option<Problem>,
    /// What a storefront said about the order.
    pub storefront: Storefront,
}

/// The checkout.
#[component]
pub fn CheckoutPage(
    /// The shop and the request.
    site: Site,
    /// What it shows.
    data: CheckoutData,
) -> impl IntoView {
    let all = site.texts();
    let texts = &all.checkout_page;
    let is_empty = data.quote.lines.is_empty();
    let is_wrong = !is_empty && (!data.errors.is_empty() || data.problem.is_some());
    let (empty_heading, empty_text) =
        match data.problem.as_ref().and_then(|problem| all.checkout.problem(problem)) {
            Some(words) => (all.checkout.problem_title, words),
            None => (all.checkout.empty_heading, all.checkout.empty_text.to_owned()),
        };
    let model = CheckoutModel {
        countries: country_options(all.checkout.country_prompt, &data.countries, &data.details.country),
        quote: data.quote,
        cart_id: data.cart_id,
        key: data.key,
        language: site.language,
        methods: data.methods,
        method: data.method,
        errors: data.errors,
        problem: data.problem,
        texts: &all.checkout,
        details: data.details,
        client: Client::OWN,
        keeps_cart: true,
        storefront: data.storefront,
        on_event: None,
    };
    let prefix = if is_wrong { all.site.error_prefix } else { "" };
    let frame = Frame {
        title: [prefix, texts.title].concat(),
        description: texts.description.to_owned(),
        island: (!is_empty).then(|| model.to_json()),
        ..Frame::default()
    };
    let checkout = if is_empty {
        Either::Left(view! {
            <div class="empty">
                <h2>{empty_heading}</h2>
                <p>{empty_text}</p>
                <p><a class="button" href="/">{all.checkout.empty_link}</a></p>
            </div>
        })
    } else {
        provide_context(model);
        Either::Right(view! { <CheckoutIsland /> })
    };
    document(
        &site,
        frame,
        view! {
            <div class="title">
                <h1>{texts.heading}</h1>
                {(!is_empty).then(|| view! { <a href="/">{texts.back}</a> })}
            </div>
            {checkout}
        },
    )
}

/// The options of the country field: see [`CheckoutModel::countries`].
pub fn country_options(prompt: &str, countries: &[Country], chosen: &str) -> String {
    let mut html = format!("<option value=\"\">{}</option>", escaped(prompt));
    for Country { code, name } in countries {
        let selected = if chosen.eq_ignore_ascii_case(code) { " selected" } else { "" };
        // Writing to a String cannot fail.
        let _ = write!(html, "<option value=\"{}\"{selected}>{}</option>", escaped(code), escaped(name));
    }
    html
}

/// Text as HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_escaped_and_one_is_selected() {
        let countries = [("DE", "Germany"), ("X\"", "<b>&")]
            .map(|(code, name)| Country { code: code.into(), name: name.into() });
        assert_eq!(
            country_options("Choose", &countries, "de"),
            "<option value=\"\">Choose</option><option value=\"DE\" selected>Germany</option>\
             <option value=\"X&quot;\">&lt;b>&amp;</option>"
        );
    }
}

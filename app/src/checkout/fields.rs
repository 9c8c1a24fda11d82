//! The fields that are typed, each with its label, hint and error.

use domain::{Details, Field};
use leptos::prelude::*;

use super::state::Checkout;

/// Who buys.
pub(super) fn contact(checkout: Checkout, details: &Details) -> impl IntoView + use<> {
    let texts = checkout.texts;
    view! {
        <section class="card" part="card" aria-labelledby="contact-title">
            <h2 id="contact-title" part="heading">{texts.contact_heading}</h2>
            {input(checkout, details, Field::Email, "email", "email", texts.email_hint)}
        </section>
    }
}

/// Where it goes.
pub(super) fn address(checkout: Checkout, details: &Details, countries: String) -> impl IntoView + use<> {
    let texts = checkout.texts;
    let id = Field::Country.name();
    view! {
        <section class="card" part="card" aria-labelledby="address-title">
            <h2 id="address-title" part="heading">{texts.address_heading}</h2>
            <div class="grid">
                {input(checkout, details, Field::FirstName, "text", "given-name", "")}
                {input(checkout, details, Field::FamilyName, "text", "family-name", "")}
                {input(checkout, details, Field::Street, "text", "street-address", "")}
                {input(checkout, details, Field::Postcode, "text", "postal-code", "")}
                {input(checkout, details, Field::City, "text", "address-level2", "")}
                <div class="field country" part="field">
                    <label for=id>{texts.country}</label>
                    {message(checkout, Field::Country)}
                    // The options are written by the server and stay as they are.
                    <select
                        id=id
                        part="input"
                        name=id
                        autocomplete="country"
                        aria-invalid=invalid(checkout, Field::Country)
                        aria-describedby=described_by(Field::Country)
                        inner_html=countries
                    ></select>
                </div>
                {input(checkout, details, Field::Phone, "tel", "tel", texts.phone_hint)}
            </div>
        </section>
    }
}

/// A field of one line.
fn input(
    checkout: Checkout,
    details: &Details,
    field: Field,
    kind: &'static str,
    autocomplete: &'static str,
    hint: &'static str,
) -> impl IntoView + use<> {
    let id = field.name();
    view! {
        <div class=["field ", id].concat() part="field">
            <label for=id>{checkout.texts.label(field)}</label>
            <p class="hint" id=[id, "-hint"].concat() hidden=hint.is_empty()>
                {hint}
            </p>
            {message(checkout, field)}
            <input
                id=id
                part="input"
                name=id
                type=kind
                autocomplete=autocomplete
                // A German postcode has digits only, a British one does not: no numeric keyboard.
                value=details.get(field).to_owned()
                aria-invalid=invalid(checkout, field)
                aria-describedby=described_by(field)
            />
        </div>
    }
}

/// The error of a field, between its label and the field itself; empty where there is none.
pub(super) fn message(checkout: Checkout, field: Field) -> impl IntoView {
    view! {
        <p class="error" id=[field.name(), "-error"].concat()>
            {move || checkout.state.with(|state| state.error(field)).unwrap_or_default()}
        </p>
    }
}

pub(super) fn invalid(checkout: Checkout, field: Field) -> impl Fn() -> Option<&'static str> + Clone {
    move || checkout.state.with(|state| state.error(field)).map(|_| "true")
}

/// The ids of what explains a field.
pub(super) fn described_by(field: Field) -> String {
    [field.name(), "-hint ", field.name(), "-error"].concat()
}

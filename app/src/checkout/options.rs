//! The two choices: how it is delivered, and how it is paid.

use domain::{Choice, Field, PaymentMethod};
use leptos::prelude::*;

use super::fields::{described_by, message};
use super::state::{Checkout, State};
use crate::form;

/// How it is delivered.
pub(super) fn deliveries(checkout: Checkout) -> impl IntoView {
    let texts = checkout.texts;
    view! {
        <fieldset class="card" part="card" hidden=checkout.flag(|state| state.quote.deliveries.is_empty())>
            <legend part="heading">{texts.delivery_heading}</legend>
            {message(checkout, Field::Delivery)}
            <div class="options">
                {move || {
                    checkout
                        .state
                        .with(|state| {
                            let choices = state.quote.deliveries.iter().enumerate();
                            choices.map(|(number, choice)| delivery(state, number, choice)).collect_view()
                        })
                }}
            </div>
            <button class="quiet" type="submit" formaction=form::UPDATE hidden=checkout.flag(|state| state.alive)>
                {texts.update_delivery}
            </button>
        </fieldset>
    }
}

fn delivery(state: &State, number: usize, choice: &Choice) -> impl IntoView + use<> {
    let price = state.texts.price_or_free(&choice.price).to_owned();
    let is_chosen = state.delivery == choice.id;
    option(Field::Delivery, number, &choice.id, choice.name.clone(), is_chosen, price, "", "")
}

/// One of the options, of either kind: a radio button, its name, what it costs, a drawing, a hint.
#[expect(clippy::too_many_arguments, reason = "code for each kind would cost every shopper more")]
fn option(
    field: Field,
    number: usize,
    value: &str,
    name: String,
    is_chosen: bool,
    price: String,
    mark: &'static str,
    hint: &'static str,
) -> impl IntoView + use<> {
    view! {
        <label class="option" part="option">
            <input
                id=option_id(field, number, value)
                type="radio"
                name=field.name()
                value=value.to_owned()
                checked=is_chosen
                prop:checked=is_chosen
            />
            <span class="name">{name}</span>
            <span class="price">{price}</span>
            <span class="mark" inner_html=mark></span>
            <span class="hint">{hint}</span>
        </label>
    }
}

/// How it is paid: every method with the same weight.
pub(super) fn methods(checkout: Checkout, methods: &[PaymentMethod]) -> impl IntoView + use<> {
    let texts = checkout.texts;
    let chosen = checkout.state.with_untracked(|state| state.method);
    let options = methods.iter().enumerate().map(|(number, method)| {
        let (name, hint) = (texts.method_name(*method).to_owned(), texts.method_hint(*method));
        let is_chosen = chosen == Some(*method);
        option(Field::Method, number, method.id(), name, is_chosen, String::new(), mark(*method), hint)
    });
    view! {
        <fieldset class="card" part="card" aria-describedby=described_by(Field::Method)>
            <legend part="heading">{texts.payment_heading}</legend>
            {message(checkout, Field::Method)}
            <div class="options">{options.collect_view()}</div>
        </fieldset>
    }
}

/// The first option has the field's own id, so that an error leads to it.
fn option_id(field: Field, number: usize, id: &str) -> String {
    if number == 0 { field.name().to_owned() } else { [field.name(), "-", id].concat() }
}

/// A drawing for each method, in the colour of the text.
pub(crate) const fn mark(method: PaymentMethod) -> &'static str {
    match method {
        PaymentMethod::Card => {
            "<svg viewBox='0 0 32 20'><rect x='1' y='1' width='30' height='18' rx='3'/><path d='M1 6.5h30M5 14h7'/></svg>"
        }
        PaymentMethod::Ideal => {
            "<svg viewBox='0 0 32 20'><rect x='10' y='1' width='12' height='18' rx='2.500'/><path d='M14.500 16h3M13 8.500l2.200 2.200L19 6.500'/></svg>"
        }
        PaymentMethod::BankTransfer => {
            "<svg viewBox='0 0 32 20'><path d='M6 7.500 16 1.500l10 6zM8.500 8v7.500M13.500 8v7.500M18.500 8v7.500M23.500 8v7.500M5 18.500h22'/></svg>"
        }
        PaymentMethod::OnDelivery => {
            "<svg viewBox='0 0 32 20'><path d='M2 4h16v11H2zM18 8h6l5 4v3H18z'/><circle cx='8' cy='16.500' r='2.500'/><circle cx='23' cy='16.500' r='2.500'/></svg>"
        }
    }
}

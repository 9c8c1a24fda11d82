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
                            choices.map(|(number, choice)| delivery(checkout, state, number, choice)).collect_view()
                        })
                }}
            </div>
            <button class="quiet" type="submit" formaction=form::UPDATE hidden=checkout.flag(|state| state.alive)>
                {texts.update_delivery}
            </button>
        </fieldset>
    }
}

fn delivery(checkout: Checkout, state: &State, number: usize, choice: &Choice) -> impl IntoView + use<> {
    let id = choice.id.clone();
    view! {
        <label class="option" part="option">
            <input
                id=option_id(Field::Delivery, number, &choice.id)
                type="radio"
                name=Field::Delivery.name()
                value=choice.id.clone()
                checked=choice.chosen
                prop:checked=state.delivery == choice.id
                on:change=move |_| checkout.set_delivery(&id)
            />
            <span class="name">{choice.name.clone()}</span>
            <span class="price">{state.texts.price_or_free(&choice.price).to_owned()}</span>
        </label>
    }
}

/// How it is paid: every method with the same weight.
pub(super) fn methods(checkout: Checkout, methods: &[PaymentMethod]) -> impl IntoView + use<> {
    let texts = checkout.texts;
    let chosen = checkout.state.with_untracked(|state| state.method);
    let options = methods.iter().enumerate().map(|(number, method)| {
        let method = *method;
        view! {
            <label class="option" part="option">
                <input
                    id=option_id(Field::Method, number, method.id())
                    type="radio"
                    name=Field::Method.name()
                    value=method.id()
                    checked=chosen == Some(method)
                    on:change=move |_| checkout.state.update(|state| state.method = Some(method))
                />
                <span class="name">{texts.method_name(method)}</span>
                <span class="mark" inner_html=mark(method)></span>
                <span class="hint">{texts.method_hint(method)}</span>
            </label>
        }
    });
    view! {
        <fieldset class="card" part="card" aria-describedby=described_by(checkout, Field::Method, false)>
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

//! The lines of the cart, each with its quantity.

use std::time::Duration;

use domain::QuoteLine;
use leptos::ev::{Event, KeyboardEvent, MouseEvent};
use leptos::prelude::*;

use super::state::{Checkout, Prices, State, quantity};
use crate::form;
use crate::text::fill;

/// The cart.
pub(super) fn cart(checkout: Checkout) -> impl IntoView {
    let texts = checkout.texts;
    view! {
        <section class="card" part="card" aria-labelledby="cart-title">
            <div class="head">
                <h2 id="cart-title" part="heading">
                    {texts.cart_heading}
                </h2>
                <button
                    class="quiet"
                    type="submit"
                    formaction=form::UPDATE
                    hidden=checkout.flag(|state| state.alive || state.quote.fixed)
                >
                    {texts.update_cart}
                </button>
            </div>
            <p class="notice" hidden=checkout.flag(|state| state.quote.notices.is_empty())>
                {texts.article_gone}
            </p>
            <ul class="lines">
                {move || {
                    checkout
                        .state
                        .with(|state| state.quote.lines.iter().map(|line| row(checkout, state, line)).collect_view())
                }}
            </ul>
            <div role="status">
                <p class="notice" hidden=checkout.flag(|state| state.prices != Prices::Failed)>
                    {texts.quote_failed}
                    " "
                    <button class="quiet" type="button" on:click=move |_| checkout.ask_for_prices(Duration::ZERO)>
                        {texts.try_again}
                    </button>
                </p>
            </div>
        </section>
    }
}

/// One article.
fn row(checkout: Checkout, state: &State, line: &QuoteLine) -> impl IntoView + use<> {
    let texts = checkout.texts;
    let picture = (!line.image.is_empty()).then(|| {
        view! { <img src=checkout.picture(&line.image) alt="" width="64" height="64" /> }
    });
    let each = fill(texts.each, &[("price", &line.unit.text)]);
    let (each, controls) = if state.quote.fixed {
        ([&line.quantity.to_string(), " × ", &line.unit.text].concat(), None)
    } else {
        (each, Some(controls(checkout, state, line)))
    };
    view! {
        <li class="line" part="line">
            {picture}
            <div class="what">
                <p class="name">{line.name.clone()}</p>
                <p class="hint">{each}</p>
            </div>
            {controls}
            <p class="sum">{line.total.text.clone()}</p>
        </li>
    }
}

/// What changes the quantity of an article.
fn controls(checkout: Checkout, state: &State, line: &QuoteLine) -> impl IntoView + use<> {
    let texts = checkout.texts;
    let name = [("name", line.name.as_str())];
    let wanted = state.wanted.quantity(&line.sku);
    let sku = StoredValue::new(line.sku.clone());
    let set = move |quantity| sku.with_value(|sku| checkout.set_quantity(sku, quantity));
    let on_input = move |event: Event| {
        match quantity(&event_target_value(&event)) {
            // Half typed: no answer may write into the field meanwhile.
            None | Some(0) => checkout.ignore_answers(),
            Some(quantity) => set(quantity),
        }
    };
    let on_change = move |event: Event| match quantity(&event_target_value(&event)) {
        Some(0) => set(0),
        Some(_) => {}
        // What is no quantity gives way to the one before.
        None => checkout.ask_for_prices(Duration::ZERO),
    };
    let on_key = move |event: KeyboardEvent| {
        if event.key() == "Enter" {
            event.prevent_default();
        }
    };
    // Without scripts a button posts the whole form with the quantity that it stands for.
    let button = move |class: &'static str, label: String, sign: &'static str, quantity: u32| {
        view! {
            <button
                class=class
                type="submit"
                name=form::SET
                value=sku.with_value(|sku| format!("{sku}:{quantity}"))
                formaction=form::UPDATE
                aria-label=label
                on:click=move |event: MouseEvent| {
                    event.prevent_default();
                    set(quantity);
                }
            >
                {sign}
            </button>
        }
    };
    view! {
        <div class="stepper">
            {button("step", fill(texts.fewer, &name), "−", wanted.saturating_sub(1))}
            <input
                type="text"
                inputmode="numeric"
                autocomplete="off"
                name=[form::QUANTITY, &line.sku].concat()
                value=line.quantity.to_string()
                aria-label=fill(texts.quantity, &name)
                prop:value=wanted.to_string()
                on:input=on_input
                on:change=on_change
                on:keydown=on_key
            />
            {button("step", fill(texts.more, &name), "+", wanted + 1)}
        </div>
        {button("quiet", fill(texts.remove_named, &name), texts.remove, 0)}
    }
}

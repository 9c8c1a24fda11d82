//! The lines of the cart, each with its quantity.

use domain::QuoteLine;
use leptos::ev::{Event, KeyboardEvent, MouseEvent};
use leptos::prelude::*;

use super::state::{Checkout, Prices, quantity};
use crate::form;
use crate::text::fill;

/// The cart.
pub(super) fn cart(state: Checkout) -> impl IntoView {
    let texts = state.texts;
    view! {
        <section class="card" aria-labelledby="cart-title">
            <div class="head">
                <h2 id="cart-title">{texts.cart_heading}</h2>
                <button class="quiet" type="submit" formaction=form::UPDATE hidden=move || state.alive.get()>
                    {texts.update_cart}
                </button>
            </div>
            {move || {
                let gone = state.quote.with(|quote| !quote.notices.is_empty());
                gone.then(|| view! { <p class="notice">{texts.article_gone}</p> })
            }}
            <ul class="lines">
                {move || {
                    state.quote.with(|quote| quote.lines.iter().map(|line| row(state, line)).collect_view())
                }}
            </ul>
            <div role="status">
                {move || {
                    (state.prices.get() == Prices::Failed)
                        .then(|| {
                            view! {
                                <p class="notice">
                                    {texts.quote_failed}
                                    " "
                                    <button
                                        class="quiet"
                                        type="button"
                                        on:click=move |_| state.ask_for_prices(std::time::Duration::ZERO)
                                    >
                                        {texts.try_again}
                                    </button>
                                </p>
                            }
                        })
                }}
            </div>
        </section>
    }
}

/// One article.
fn row(state: Checkout, line: &QuoteLine) -> impl IntoView + use<> {
    let texts = state.texts;
    let name = [("name", line.name.as_str())];
    let sku = StoredValue::new(line.sku.clone());
    let wanted = move || state.wanted.with(|cart| sku.with_value(|sku| cart.quantity(sku)));
    let set = move |quantity| sku.with_value(|sku| state.set_quantity(sku, quantity));
    // Without scripts a button posts the whole form with the quantity it stands for.
    let sets = |quantity: u32| format!("{}:{quantity}", line.sku);
    let press = move |event: MouseEvent, quantity| {
        event.prevent_default();
        set(quantity);
    };
    let on_input = move |event: Event| {
        if let Some(quantity) = quantity(&event_target_value(&event)).filter(|quantity| *quantity > 0) {
            set(quantity);
        }
    };
    let on_change = move |event: Event| match quantity(&event_target_value(&event)) {
        Some(0) => set(0),
        Some(_) => {}
        // What is no quantity gives way to the one before.
        None => state.wanted.notify(),
    };
    let on_key = move |event: KeyboardEvent| {
        if event.key() == "Enter" {
            event.prevent_default();
        }
    };
    view! {
        <li class="line">
            <img src=line.image.clone() alt="" width="64" height="64" />
            <div class="what">
                <p class="name">{line.name.clone()}</p>
                <p class="hint">{fill(texts.each, &[("price", &line.unit.text)])}</p>
            </div>
            <div class="stepper">
                <button
                    type="submit"
                    name=form::SET
                    value=sets(line.quantity.saturating_sub(1))
                    formaction=form::UPDATE
                    aria-label=fill(texts.fewer, &name)
                    on:click=move |event| press(event, wanted().saturating_sub(1))
                >
                    "−"
                </button>
                <input
                    type="text"
                    inputmode="numeric"
                    autocomplete="off"
                    name=[form::QUANTITY, &line.sku].concat()
                    value=line.quantity.to_string()
                    aria-label=fill(texts.quantity, &name)
                    prop:value=move || wanted().to_string()
                    on:input=on_input
                    on:change=on_change
                    on:keydown=on_key
                />
                <button
                    type="submit"
                    name=form::SET
                    value=sets(line.quantity + 1)
                    formaction=form::UPDATE
                    aria-label=fill(texts.more, &name)
                    on:click=move |event| press(event, wanted() + 1)
                >
                    "+"
                </button>
            </div>
            <button
                class="quiet"
                type="submit"
                name=form::SET
                value=sets(0)
                formaction=form::UPDATE
                aria-label=fill(texts.remove_named, &name)
                on:click=move |event| press(event, 0)
            >
                {texts.remove}
            </button>
            <p class="sum" class:old=move || state.prices.get() != Prices::Current>
                {line.total.text.clone()}
            </p>
        </li>
    }
}

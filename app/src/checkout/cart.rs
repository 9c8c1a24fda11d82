//! The lines of the cart, each with its quantity.

use domain::QuoteLine;
use leptos::prelude::*;

use super::state::{Checkout, Prices, RETRY, State};
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
                    <button class="quiet" type="submit" name=RETRY>
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
    // A button posts the whole form with the quantity that it stands for; where scripts run, `Checkout::submit`
    // takes it from there.
    let button = |class: &'static str, label: String, sign: &'static str, quantity: u32| {
        view! {
            <button
                class=class
                type="submit"
                name=form::SET
                value=[&line.sku, ":", &quantity.to_string()].concat()
                formaction=form::UPDATE
                aria-label=label
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
            />
            {button("step", fill(texts.more, &name), "+", wanted + 1)}
        </div>
        {button("quiet", fill(texts.remove_named, &name), texts.remove, 0)}
    }
}

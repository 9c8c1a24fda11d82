//! What is wrong, at the top of the form; and what it costs, beside the button that pays.

use domain::PaymentMethod;
use leptos::prelude::*;

use super::state::{Checkout, Prices, State};
use crate::text::fill;

/// Everything that keeps a payment from starting, with links to where it can be mended.
pub(super) fn problems(checkout: Checkout) -> impl IntoView {
    let texts = checkout.texts;
    let is_wrong = |state: &State| !state.summary.is_empty() || !state.problem_words().is_empty();
    let links = move || {
        checkout.state.with(|state| {
            let links = state.summary.iter().map(|error| {
                let href = ["#", error.field.name()].concat();
                view! {
                    <li>
                        <a href=href>{texts.error(*error)}</a>
                    </li>
                }
            });
            links.collect_view()
        })
    };
    view! {
        <div
            id="problems"
            class="problems"
            part="problems"
            role="alert"
            tabindex="-1"
            autofocus=!cfg!(feature = "csr") && checkout.state.with_untracked(is_wrong)
            hidden=checkout.flag(|state| state.summary.is_empty() && state.problem_words().is_empty())
        >
            <h2>{texts.problem_title}</h2>
            <p>{checkout.text(State::problem_words)}</p>
            <ul>{links}</ul>
        </div>
    }
}

/// The order once more, its total, and the button that pays it.
pub(super) fn summary(checkout: Checkout) -> impl IntoView {
    let texts = checkout.texts;
    let is_starting = checkout.flag(|state| state.starting);
    let busy = move || is_starting().then_some("true");
    view! {
        <aside class="summary" part="summary" aria-labelledby="summary-title">
            <h2 id="summary-title" part="heading">{texts.summary_heading}</h2>
            <dl class="ordered">{pairs(checkout, ordered)}</dl>
            <dl class="sums" class:old=checkout.flag(|state| state.prices != Prices::Current)>
                {pairs(checkout, sums)}
            </dl>
            <button class="button pay" part="button" type="submit" aria-busy=busy aria-disabled=busy>
                {checkout.text(pay_label)}
            </button>
            <p class="hint" hidden=checkout.flag(|state| !state.method.is_none_or(PaymentMethod::uses_gateway))>
                {texts.gateway_note}
            </p>
            <p class="sr" role="status">
                {checkout.text(news)}
            </p>
        </aside>
    }
}

/// What stands on a line of the summary: class, words, amount.
type Pair = (&'static str, String, String);

/// Lines of the summary. One function for all of them: code for each would cost every shopper more.
fn pairs(checkout: Checkout, read: fn(&State) -> Vec<Pair>) -> impl IntoView {
    move || {
        let pairs = checkout.state.with(read).into_iter();
        pairs
            .map(|(class, words, amount)| {
                view! {
                    <div class=class>
                        <dt>{words}</dt>
                        <dd>{amount}</dd>
                    </div>
                }
            })
            .collect_view()
    }
}

/// The articles.
fn ordered(state: &State) -> Vec<Pair> {
    let lines = state.quote.lines.iter();
    lines
        .map(|line| ("", [&line.quantity.to_string(), " × ", &line.name].concat(), line.total.text.clone()))
        .collect()
}

/// The sums, and the VAT that they contain.
fn sums(state: &State) -> Vec<Pair> {
    let (texts, quote) = (state.texts, &state.quote);
    let mut pairs = vec![
        ("", texts.subtotal.to_owned(), quote.subtotal.text.clone()),
        ("", texts.delivery.to_owned(), texts.price_or_free(&quote.delivery).to_owned()),
        ("total", texts.total.to_owned(), quote.total.text.clone()),
    ];
    pairs.extend(
        quote
            .vat
            .iter()
            .map(|part| ("vat", fill(texts.vat_contained, &[("rate", &part.rate)]), part.vat.text.clone())),
    );
    pairs
}

fn pay_label(state: &State) -> String {
    if state.starting {
        state.texts.starting.to_owned()
    } else {
        state.texts.pay_label(state.method, &state.quote.total)
    }
}

/// The new total, for who cannot see it. Said when it changed, not when the page is read.
fn news(state: &State) -> String {
    if state.change > 0 && state.prices == Prices::Current {
        fill(state.texts.new_total, &[("total", &state.quote.total.text)])
    } else {
        String::new()
    }
}

//! What is wrong, at the top of the form; and what it costs, beside the button that pays.

use leptos::prelude::*;

use super::state::{Checkout, Prices};
use crate::text::fill;

/// Everything that keeps a payment from starting, with links to where it can be mended.
pub(super) fn problems(state: Checkout) -> impl IntoView {
    let texts = state.texts;
    move || {
        let problem = state.problem.with(|problem| problem.as_ref().and_then(|problem| texts.problem(problem)));
        let errors = state.summary.get();
        (problem.is_some() || !errors.is_empty()).then(|| {
            let links = errors.into_iter().map(|error| {
                let href = ["#", error.field.name()].concat();
                let target = href.clone();
                view! {
                    <li>
                        <a href=href on:click=move |event| {
                            event.prevent_default();
                            state.focus(&target);
                        }>{texts.error(error)}</a>
                    </li>
                }
            });
            view! {
                <div id="problems" class="problems" role="alert" tabindex="-1" autofocus>
                    <h2>{texts.problem_title}</h2>
                    {problem.map(|words| view! { <p>{words}</p> })}
                    <ul>{links.collect_view()}</ul>
                </div>
            }
        })
    }
}

/// The order once more, its total, and the button that pays it.
pub(super) fn summary(state: Checkout) -> impl IntoView {
    let texts = state.texts;
    let label = move || {
        if state.starting.get() {
            texts.starting.to_owned()
        } else {
            state.quote.with(|quote| texts.pay_label(state.method.get(), &quote.total))
        }
    };
    let busy = move || state.starting.get().then_some("true");
    let old = move || state.prices.get() != Prices::Current;
    let total = move || state.quote.with(|quote| quote.total.text.clone());
    view! {
        <aside class="summary" aria-labelledby="summary-title">
            <h2 id="summary-title">{texts.summary_heading}</h2>
            <ul class="ordered">
                {move || {
                    state
                        .quote
                        .with(|quote| {
                            quote
                                .lines
                                .iter()
                                .map(|line| {
                                    view! {
                                        <li>
                                            <span>{format!("{} × {}", line.quantity, line.name)}</span>
                                            <span>{line.total.text.clone()}</span>
                                        </li>
                                    }
                                })
                                .collect_view()
                        })
                }}
            </ul>
            <dl class="sums" class:old=old>
                <div>
                    <dt>{texts.subtotal}</dt>
                    <dd>{move || state.quote.with(|quote| quote.subtotal.text.clone())}</dd>
                </div>
                <div>
                    <dt>{texts.delivery}</dt>
                    <dd>{move || state.quote.with(|quote| texts.price_or_free(&quote.delivery).to_owned())}</dd>
                </div>
                <div class="total">
                    <dt>{texts.total}</dt>
                    <dd>{total}</dd>
                </div>
                {move || {
                    state
                        .quote
                        .with(|quote| {
                            quote
                                .vat
                                .iter()
                                .map(|part| {
                                    view! {
                                        <div class="vat">
                                            <dt>{fill(texts.vat_contained, &[("rate", &part.rate)])}</dt>
                                            <dd>{part.vat.text.clone()}</dd>
                                        </div>
                                    }
                                })
                                .collect_view()
                        })
                }}
            </dl>
            <button class="button pay" type="submit" aria-busy=busy aria-disabled=busy>
                {label}
            </button>
            {move || {
                let leaves = state.method.get().is_none_or(domain::PaymentMethod::uses_gateway);
                leaves.then(|| view! { <p class="hint">{texts.gateway_note}</p> })
            }}
            <p class="sr" role="status">
                {move || {
                    // Said when it changed, not when the page is read.
                    if state.prices.get() == Prices::Current && state.has_changed() { fill(texts.new_total, &[("total", &total())]) } else { String::new() }
                }}
            </p>
        </aside>
    }
}

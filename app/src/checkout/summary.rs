//! What is wrong, at the top of the form; and what it costs, beside the button that pays.

use domain::PaymentMethod;
use leptos::prelude::*;

use super::state::{Checkout, Prices, State};
use crate::text::fill;

/// Everything that keeps a payment from starting, with links to where it can be mended.
pub(super) fn problems(checkout: Checkout) -> impl IntoView {
    let texts = checkout.texts;
    let list = move |state: &State| {
        let problem = state.problem.as_ref().and_then(|problem| texts.problem(problem));
        (problem.is_some() || !state.summary.is_empty()).then(|| {
            let links = state.summary.iter().map(|error| {
                let target = ["#", error.field.name()].concat();
                view! {
                    <li>
                        <a href=target.clone() on:click=move |event| {
                            event.prevent_default();
                            checkout.focus(&target);
                        }>{texts.error(*error)}</a>
                    </li>
                }
            });
            view! {
                <div id="problems" class="problems" part="problems" role="alert" tabindex="-1" autofocus=!cfg!(feature = "csr")>
                    <h2>{texts.problem_title}</h2>
                    {problem.map(|words| view! { <p>{words}</p> })}
                    <ul>{links.collect_view()}</ul>
                </div>
            }
        })
    };
    move || checkout.state.with(list)
}

/// The order once more, its total, and the button that pays it.
pub(super) fn summary(checkout: Checkout) -> impl IntoView {
    let texts = checkout.texts;
    let is_starting = checkout.flag(|state| state.starting);
    let busy = move || is_starting().then_some("true");
    view! {
        <aside class="summary" part="summary" aria-labelledby="summary-title">
            <h2 id="summary-title" part="heading">{texts.summary_heading}</h2>
            <ul class="ordered">
                {move || {
                    checkout
                        .state
                        .with(|state| {
                            let lines = state.quote.lines.iter();
                            lines
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
            <dl class="sums" class:old=checkout.flag(|state| state.prices != Prices::Current)>
                {sum(checkout, None, texts.subtotal, |state| state.quote.subtotal.text.clone())}
                {sum(checkout, None, texts.delivery, |state| {
                    state.texts.price_or_free(&state.quote.delivery).to_owned()
                })}
                {sum(checkout, Some("total"), texts.total, |state| state.quote.total.text.clone())}
                {move || {
                    checkout
                        .state
                        .with(|state| {
                            let parts = state.quote.vat.iter();
                            parts
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

/// One of the sums.
fn sum(
    checkout: Checkout,
    class: Option<&'static str>,
    label: &'static str,
    amount: fn(&State) -> String,
) -> impl IntoView {
    view! {
        <div class=class>
            <dt>{label}</dt>
            <dd>{checkout.text(amount)}</dd>
        </div>
    }
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

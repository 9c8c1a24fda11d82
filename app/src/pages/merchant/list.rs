//! The list of transactions.

use leptos::prelude::*;

use super::{Desk, badge, labelled, page, path, problems};
use crate::text::{MerchantTexts, fill};

/// One of the values of a filter.
#[derive(Clone, Debug)]
pub struct Choice {
    /// Its stable name.
    pub id: &'static str,
    /// Its words.
    pub name: String,
    /// Whether it is chosen.
    pub is_chosen: bool,
}

/// A row of the list.
#[derive(Clone, Debug)]
pub struct TransactionLine {
    /// The reference that people use.
    pub reference: String,
    /// When it was placed.
    pub placed: String,
    /// Who bought.
    pub name: String,
    /// Their e-mail address.
    pub email: String,
    /// How it is paid.
    pub method: String,
    /// Where it stands, in words.
    pub state: String,
    /// How that looks.
    pub tone: &'static str,
    /// What it costs.
    pub total: String,
    /// How much went back; empty for nothing.
    pub refunded: String,
    /// Whether a person has to look at it.
    pub attention: bool,
}

/// The sums of what is filtered, in one currency.
#[derive(Clone, Debug)]
pub struct TotalLine {
    /// How many orders.
    pub orders: String,
    /// What they cost together.
    pub total: String,
    /// How much went back.
    pub refunded: String,
}

/// What the list shows.
#[derive(Clone, Debug, Default)]
pub struct TransactionList {
    /// What is looked for.
    pub search: String,
    /// The states.
    pub states: Vec<Choice>,
    /// The methods.
    pub methods: Vec<Choice>,
    /// The first day, as `2026-11-24`.
    pub from: String,
    /// The last day.
    pub to: String,
    /// Whether only what needs a person is shown.
    pub attention: bool,
    /// How many need a person.
    pub attention_count: usize,
    /// Whether anything is filtered.
    pub is_filtered: bool,
    /// What is wrong with the filter, each with its field.
    pub problems: Vec<(String, String)>,
    /// The rows.
    pub rows: Vec<TransactionLine>,
    /// The sums.
    pub totals: Vec<TotalLine>,
    /// How many are found at most, where there are more.
    pub cut_at: Option<String>,
    /// The address of newer ones.
    pub newer: Option<String>,
    /// The address of older ones.
    pub older: Option<String>,
    /// The address of the same list as a file.
    pub export: String,
    /// Messages about orders that nobody knows.
    pub unknown_messages: Vec<MessageLine>,
    /// Whether whoever looks may say that they were looked at.
    pub may_dismiss: bool,
}

/// A message about an order that nobody knows.
#[derive(Clone, Debug)]
pub struct MessageLine {
    /// Its number.
    pub id: i64,
    /// When it came.
    pub when: String,
    /// As it came.
    pub raw: String,
}

/// Every order, newest first.
#[component]
pub fn TransactionsPage(
    /// The shop and the request.
    desk: Desk,
    /// What the list shows.
    list: TransactionList,
) -> impl IntoView {
    let texts = desk.texts();
    let title = if list.attention { texts.attention } else { texts.transactions };
    let attention = (list.attention_count > 0 && !list.attention).then(|| {
        let count = list.attention_count.to_string();
        view! {
            <a class="badge open" href=format!("{}?attention=1", path::TRANSACTIONS)>
                {texts.attention}
                " "
                <b>{count}</b>
            </a>
        }
    });
    let filters = if list.attention {
        view! { <p><a href=path::TRANSACTIONS>{texts.attention_all}</a></p> }.into_any()
    } else {
        filters(texts, &list).into_any()
    };
    let body =
        if list.rows.is_empty() { empty(texts, &list).into_any() } else { table(texts, &list).into_any() };
    let pages = (list.newer.is_some() || list.older.is_some()).then(|| {
        let link = |address: Option<String>, name: &'static str, rel: &'static str| {
            address.map(|address| view! { <a class="button plain" href=address rel=rel>{name}</a> })
        };
        view! {
            <nav class="pages" aria-label=texts.pages>
                {link(list.newer.clone(), texts.newer, "prev")} {link(list.older.clone(), texts.older, "next")}
            </nav>
        }
    });
    let unknown = (!list.unknown_messages.is_empty()).then(|| {
        let messages = list.unknown_messages.iter().cloned().map(|message| {
            let seen = list.may_dismiss.then(|| {
                view! {
                    <form method="post" action=path::seen(message.id)>
                        <button class="button plain" type="submit">{texts.unknown_message_seen}</button>
                    </form>
                }
            });
            view! {
                <li class="entry">
                    <details>
                        <summary>{message.when}</summary>
                        <pre tabindex="0">{message.raw}</pre>
                    </details>
                    {seen}
                </li>
            }
        });
        view! {
            <section class="card" aria-labelledby="unknown-title">
                <h2 id="unknown-title">{texts.unknown_messages}</h2>
                <p>{texts.unknown_messages_text}</p>
                <ul>{messages.collect_view()}</ul>
            </section>
        }
    });
    page(
        &desk,
        title.to_owned(),
        false,
        view! {
            <div class="title">
                <h1>{title}</h1>
                {attention}
            </div>
            {problems(texts, &list.problems)}
            {filters}
            {list
                .cut_at
                .as_ref()
                .map(|most| view! { <p class="notice">{fill(texts.cut_short, &[("most", most)])}</p> })}
            {body}
            {pages}
            {unknown}
        },
    )
}

fn select(
    id: &'static str,
    label: &'static str,
    any: &'static str,
    choices: &[Choice],
) -> impl IntoView + use<> {
    let options = choices.iter().cloned().map(|choice| {
        view! { <option value=choice.id selected=choice.is_chosen>{choice.name}</option> }
    });
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <select id=id name=id>
                <option value="">{any}</option>
                {options.collect_view()}
            </select>
        </div>
    }
}

fn filters(texts: &'static MerchantTexts, list: &TransactionList) -> impl IntoView + use<> {
    let day = |id: &'static str, label: &'static str, value: &str| {
        let is_wrong = list.problems.iter().any(|(field, _)| field == id);
        view! {
            <div class="field">
                <label for=id>{label}</label>
                <input
                    id=id
                    name=id
                    type="date"
                    value=value.to_owned()
                    aria-invalid=is_wrong.then_some("true")
                />
            </div>
        }
    };
    let clear =
        list.is_filtered.then(|| view! { <a class="quiet" href=path::TRANSACTIONS>{texts.filter_clear}</a> });
    view! {
        <form class="filters" method="get" action=path::TRANSACTIONS role="search">
            <div class="field search">
                <label for="q">{texts.search}</label>
                <p class="hint" id="q-hint">{texts.search_hint}</p>
                <input
                    id="q"
                    name="q"
                    type="search"
                    value=list.search.clone()
                    autocomplete="off"
                    aria-describedby="q-hint"
                />
            </div>
            {select("state", texts.filter_state, texts.any_state, &list.states)}
            {select("method", texts.filter_method, texts.any_method, &list.methods)}
            {day("from", texts.from, &list.from)}
            {day("to", texts.to, &list.to)}
            <div class="ways">
                <button class="button" type="submit">{texts.filter_button}</button>
                {clear}
            </div>
        </form>
    }
}

fn empty(texts: &'static MerchantTexts, list: &TransactionList) -> impl IntoView + use<> {
    let (heading, text) = if list.attention {
        (texts.attention_none, "")
    } else if list.is_filtered {
        (texts.nothing_found, texts.nothing_found_text)
    } else {
        (texts.empty_title, texts.empty_text)
    };
    view! {
        <div class="empty">
            <h2>{heading}</h2>
            <p>{text}</p>
        </div>
    }
}

fn table(texts: &'static MerchantTexts, list: &TransactionList) -> impl IntoView + use<> {
    let rows = list.rows.iter().cloned().map(|row| {
        let address = format!("{}/{}", path::TRANSACTIONS, row.reference);
        let attention = row.attention.then(|| badge(texts.attention, "open"));
        let refunded = labelled(texts.column_refunded, &row.refunded);
        view! {
            <tr>
                <th scope="row">
                    <a href=address>{row.reference}</a>
                </th>
                <td data-label=texts.column_date>{row.placed}</td>
                <td class="who">
                    <span class="name">{row.name}</span>
                    <span class="hint">{row.email}</span>
                </td>
                <td data-label=texts.column_state>
                    {badge(&row.state, row.tone)} " " {attention} <span class="hint">{row.method}</span>
                </td>
                <td class="sum" data-label=texts.column_total>{row.total}</td>
                <td class="sum" data-label=refunded>{row.refunded}</td>
            </tr>
        }
    });
    let totals = list.totals.iter().cloned().map(|total| {
        view! {
            <dl class="totals">
                <div>
                    <dt>{texts.sum_orders}</dt>
                    <dd>{total.orders}</dd>
                </div>
                <div>
                    <dt>{texts.sum_total}</dt>
                    <dd>{total.total}</dd>
                </div>
                <div>
                    <dt>{texts.sum_refunded}</dt>
                    <dd>{total.refunded}</dd>
                </div>
            </dl>
        }
    });
    view! {
        <div class="above">
            {totals.collect_view()} <a class="quiet" href=list.export.clone() download="">{texts.export}</a>
        </div>
        <table class="list">
            <thead>
                <tr>
                    <th scope="col">{texts.column_order}</th>
                    <th scope="col">{texts.column_date}</th>
                    <th scope="col">{texts.column_customer}</th>
                    <th scope="col">{texts.column_state}</th>
                    <th scope="col" class="sum">{texts.column_total}</th>
                    <th scope="col" class="sum">{texts.column_refunded}</th>
                </tr>
            </thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    }
}

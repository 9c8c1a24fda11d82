//! The pages of an order that was placed: how it stands, and where a cancelled payment leads.

use domain::{PaymentMethod, Price, QuoteLine, ShopperState, VatPart};
use leptos::prelude::*;

use super::Site;
use super::document::{Frame, document, fact};
use crate::form;
use crate::status::{StatusIsland, StatusModel};
use crate::text::{OrderTexts, fill};

/// After this many seconds a browser without scripts asks again.
const REFRESH: u32 = 5;

/// An order as its pages show it: to whoever has the link, so nothing in it says who ordered.
#[derive(Clone, Debug)]
pub struct OrderView {
    /// Its token.
    pub token: String,
    /// Its number for people.
    pub reference: String,
    /// Where it stands.
    pub state: ShopperState,
    /// How it is, or was last tried to be, paid.
    pub method: PaymentMethod,
    /// What was bought.
    pub lines: Vec<QuoteLine>,
    /// The name of the delivery.
    pub delivery_name: String,
    /// What the delivery costs.
    pub delivery: Price,
    /// VAT contained in the total.
    pub vat: Vec<VatPart>,
    /// What it costs.
    pub total: Price,
    /// The e-mail address, most of it hidden.
    pub masked_email: String,
    /// When it was placed, ready to show.
    pub placed: String,
    /// Where to transfer the money, for an order that is paid that way.
    pub transfer: Option<TransferInstructions>,
    /// The methods that are offered for paying it again.
    pub methods: Vec<PaymentMethod>,
    /// A new idempotency key for paying it again.
    pub key: String,
    /// Whether the last attempt was declined.
    pub declined: bool,
    /// How much of it went back, where that is not all of it.
    pub given_back: Option<Price>,
    /// The storefront that placed it, to lead home to.
    pub home: Option<Home>,
}

/// A storefront to lead home to.
#[derive(Clone, Debug)]
pub struct Home {
    /// The address that was accepted with the order.
    pub url: String,
    /// Its host, to be read.
    pub host: String,
}

impl Home {
    /// The home of an accepted address; `None` where there is none.
    pub fn of(url: &str) -> Option<Self> {
        let (_, rest) = url.split_once("://")?;
        let host = rest.split(['/', '?', '#']).next().filter(|host| !host.is_empty())?;
        Some(Self { url: url.to_owned(), host: host.to_owned() })
    }

    /// The link to it, or, where there is none, to a page of ours.
    pub(super) fn link_or(
        home: Option<&Self>,
        site: &Site,
        href: &'static str,
        words: &'static str,
    ) -> impl IntoView + use<> {
        let (href, words) = match home {
            Some(Self { url, host }) => {
                (url.clone(), fill(site.texts().order.to_storefront, &[("shop", host)]))
            }
            None => (href.to_owned(), words.to_owned()),
        };
        view! { <a href=href>{words}</a> }
    }
}

/// A bank account to transfer to.
#[derive(Clone, Debug)]
pub struct TransferInstructions {
    /// Who holds it.
    pub account_holder: String,
    /// IBAN, grouped as it is written.
    pub iban: String,
    /// BIC; may be empty.
    pub bic: String,
    /// The bank's name; may be empty.
    pub bank: String,
    /// What the transfer has to say, so that it is found.
    pub reference: String,
}

/// How an order stands.
#[component]
pub fn ResultPage(
    /// The shop and the request.
    site: Site,
    /// The order.
    order: OrderView,
) -> impl IntoView {
    let texts = &site.texts().order;
    let state = order.state;
    let (heading, sentence) = texts.state(state);
    let sentence = match state {
        ShopperState::Awaiting if order.transfer.is_some() => texts.awaiting_transfer,
        ShopperState::NotPaid if order.declined => texts.declined_text,
        _ => sentence,
    };
    let next = (state == ShopperState::Paid)
        .then(|| view! { <p>{fill(texts.paid_next, &[("email", &order.masked_email)])}</p> });
    let given_back = order
        .given_back
        .as_ref()
        .map(|part| view! { <p class="notice">{fill(texts.given_back_part, &[("amount", &part.text)])}</p> });
    let checking = (state == ShopperState::Checking).then(|| {
        provide_context(status_model(&site, &order));
        view! {
            <StatusIsland />
            <p><a class="button" href="">{texts.check_again}</a></p>
        }
    });
    let frame = Frame {
        title: heading.to_owned(),
        island: (!state.is_final()).then(|| status_model(&site, &order).to_json()),
        refresh: (!state.is_final()).then_some(REFRESH),
        narrow: true,
        ..Frame::default()
    };
    let transfer = order.transfer.clone().map(|account| bank_details(texts, account, &order.total));
    let again = state.may_pay().then(|| pay_again(&site, &order));
    let back = Home::link_or(order.home.as_ref(), &site, "/", texts.new_order);
    document(
        &site,
        frame,
        view! {
            <div class=format!("card result {}", tone(state))>
                <h1>{heading}</h1>
                <p>{sentence}</p>
                {next}
                {given_back}
                {checking}
            </div>
            {transfer}
            {again}
            {receipt(&site, &order)}
            <p class="hint after no-print">{texts.print_note}</p>
            <p class="no-print">{back}</p>
        },
    )
}

/// Where a cancelled payment leads: nothing was taken, and one press pays after all.
#[component]
pub fn CancelledPage(
    /// The shop and the request.
    site: Site,
    /// The order.
    order: OrderView,
) -> impl IntoView {
    let texts = &site.texts().order;
    let (heading, sentence) = if order.state == ShopperState::NotPaid {
        (texts.cancelled_title, texts.cancelled_text)
    } else if order.state.may_pay() {
        texts.state(order.state)
    } else {
        (texts.cancelled_settled_title, texts.cancelled_settled_text)
    };
    let onward = if order.state.may_pay() {
        pay_again(&site, &order).into_any()
    } else {
        let (state, _) = texts.state(order.state);
        view! {
            <div class="card">
                <h2>{state}</h2>
                <p><a class="button" href=format!("/checkout/result/{}", order.token)>{texts.to_order}</a></p>
            </div>
        }
        .into_any()
    };
    let back = Home::link_or(order.home.as_ref(), &site, "/checkout", site.texts().handover.back);
    document(
        &site,
        Frame { title: heading.to_owned(), narrow: true, ..Frame::default() },
        view! {
            <div class=format!("card result {}", tone(order.state))>
                <h1>{heading}</h1>
                <p>{sentence}</p>
            </div>
            {onward}
            {receipt(&site, &order)}
            <p class="no-print">{back}</p>
        },
    )
}

fn status_model(site: &Site, order: &OrderView) -> StatusModel {
    StatusModel { token: order.token.clone(), shown: order.state, texts: &site.texts().status }
}

/// The class that colours a state.
const fn tone(state: ShopperState) -> &'static str {
    match state {
        ShopperState::Paid => "good",
        ShopperState::Awaiting | ShopperState::Checking => "open",
        ShopperState::NotPaid | ShopperState::GivenBack => "stopped",
        ShopperState::Ended | ShopperState::Refunded => "ended",
    }
}

/// A form with nothing to type.
fn pay_again(site: &Site, order: &OrderView) -> impl IntoView + use<> {
    let all = site.texts();
    let texts = &all.order;
    // What was tried last is chosen, so that one press is enough.
    let chosen = if order.methods.contains(&order.method) {
        Some(order.method)
    } else {
        order.methods.first().copied()
    };
    let methods = order.methods.iter().map(|method| {
        view! {
            <label class="option">
                <input type="radio" name="method" value=method.id() checked=Some(*method) == chosen required />
                <span class="name">{all.checkout.method_name(*method)}</span>
                <span class="mark" inner_html=crate::checkout::mark(*method)></span>
                <span class="hint">{all.checkout.method_hint(*method)}</span>
            </label>
        }
    });
    view! {
        <form class="card no-print" method="post" action=form::PAY>
            <h2>{texts.pay_again_heading}</h2>
            <p>{texts.pay_again_text}</p>
            <input type="hidden" name=form::ORDER value=order.token.clone() autocomplete="off" />
            <input type="hidden" name=form::KEY value=order.key.clone() autocomplete="off" />
            <fieldset class="plain">
                <legend class="sr">{all.checkout.payment_heading}</legend>
                <div class="options">{methods.collect_view()}</div>
            </fieldset>
            <button class="button pay" type="submit">
                {fill(texts.pay_again_button, &[("total", &order.total.text)])}
            </button>
        </form>
    }
}

fn bank_details(
    texts: &'static OrderTexts,
    account: TransferInstructions,
    total: &Price,
) -> impl IntoView + use<> {
    view! {
        <section class="card" aria-labelledby="bank-title">
            <h2 id="bank-title">{texts.transfer_heading}</h2>
            <dl class="facts">
                {fact(texts.holder, &account.account_holder)}
                {fact(texts.iban, &account.iban)}
                {fact(texts.bic, &account.bic)}
                {fact(texts.bank, &account.bank)}
                {fact(texts.amount, &total.text)}
                {fact(texts.transfer_reference, &account.reference)}
            </dl>
            <p class="hint">{texts.transfer_note}</p>
        </section>
    }
}

/// What was ordered, and what it costs.
fn receipt(site: &Site, order: &OrderView) -> impl IntoView + use<> {
    let all = site.texts();
    let texts = &all.order;
    let lines = order.lines.iter().map(|line| {
        view! {
            <li>
                <span>{format!("{} × {}", line.quantity, line.name)}</span>
                <span>{line.total.text.clone()}</span>
            </li>
        }
    });
    let vat = order.vat.iter().map(|part| {
        view! {
            <div class="vat">
                <dt>{fill(texts.vat_contained, &[("rate", &part.rate)])}</dt>
                <dd>{part.vat.text.clone()}</dd>
            </div>
        }
    });
    view! {
        <section class="card" aria-labelledby="order-title">
            <h2 id="order-title">{texts.details_heading}</h2>
            <dl class="facts">
                {fact(texts.reference, &order.reference)}
                {fact(texts.placed, &order.placed)}
                {fact(texts.payment, all.checkout.method_name(order.method))}
                {fact(texts.email_address, &order.masked_email)}
            </dl>
            <h3>{texts.lines_heading}</h3>
            <ul class="ordered">{lines.collect_view()}</ul>
            <dl class="sums">
                <div>
                    <dt>{format!("{}: {}", texts.delivery, order.delivery_name)}</dt>
                    <dd>{all.checkout.price_or_free(&order.delivery).to_owned()}</dd>
                </div>
                <div class="total">
                    <dt>{texts.total}</dt>
                    <dd>{order.total.text.clone()}</dd>
                </div>
                {vat.collect_view()}
            </dl>
        </section>
    }
}

//! Everything about one order, and what can be done with it.

use leptos::prelude::*;

use super::{Desk, Input, badge, fact, field, page, path, problems};
use crate::text::{MerchantTexts, fill};

/// A payment.
#[derive(Clone, Debug)]
pub struct PaymentLine {
    /// How.
    pub method: String,
    /// How much was asked for.
    pub amount: String,
    /// Where it stands, in words.
    pub state: String,
    /// How that looks.
    pub tone: &'static str,
    /// Since when.
    pub since: String,
    /// The gateway's reference.
    pub gateway_reference: String,
    /// Its `OrderID` at the gateway.
    pub gateway_order: String,
}

/// A refund.
#[derive(Clone, Debug)]
pub struct RefundLine {
    /// Its number.
    pub id: i64,
    /// How much.
    pub amount: String,
    /// Where it stands, in words.
    pub state: String,
    /// How that looks.
    pub tone: &'static str,
    /// How it was made.
    pub kind: String,
    /// When it was asked for.
    pub when: String,
    /// By whom.
    pub by: String,
    /// Why.
    pub reason: String,
    /// What decided it.
    pub answer: String,
    /// Its `OrderID` at the gateway; empty where it has none.
    pub gateway_order: String,
    /// Whether it waits for approval, and whoever looks may give it.
    pub may_approve: bool,
    /// Whether it waits for approval, and whoever looks may turn it down.
    pub may_turn_down: bool,
    /// Whether whoever looks may record what the myPOS account says.
    pub may_record: bool,
}

/// Money that came in by one of the merchant's own methods.
#[derive(Clone, Debug)]
pub struct ReceiptLine {
    /// How much.
    pub amount: String,
    /// When it was recorded.
    pub when: String,
    /// By whom.
    pub by: String,
    /// In the merchant's words.
    pub note: String,
}

/// Something that happened.
#[derive(Clone, Debug)]
pub struct HistoryLine {
    /// When.
    pub when: String,
    /// What, in words.
    pub what: String,
    /// What else is known.
    pub detail: String,
    /// Whether a person has to look.
    pub is_alarm: bool,
    /// The message as it was sent; empty where there was none.
    pub raw: String,
}

/// Something that somebody did.
#[derive(Clone, Debug)]
pub struct Deed {
    /// When.
    pub when: String,
    /// Who, and from where.
    pub who: String,
    /// What, in words.
    pub what: String,
    /// What else is known.
    pub detail: String,
}

/// A message to one of the merchant's own systems.
#[derive(Clone, Debug)]
pub struct WebhookLine {
    /// Its number.
    pub id: i64,
    /// What it tells, by the name that its receiver knows.
    pub kind: &'static str,
    /// To which system.
    pub endpoint: String,
    /// Where it stands, in words.
    pub state: String,
    /// How that looks.
    pub tone: &'static str,
    /// When it happened, and what came of the last try.
    pub when: String,
    /// As it is sent.
    pub body: String,
    /// Whether whoever looks may have it sent again.
    pub may_redeliver: bool,
}

/// The form of a refund.
#[derive(Clone, Debug)]
pub struct RefundForm {
    /// The number of the payment.
    pub payment: i64,
    /// Whether the payment's money was never the order's.
    pub is_refused: bool,
    /// What can still be refunded, ready to show.
    pub left: String,
    /// What stands in the field.
    pub amount: String,
    /// What stands in the field.
    pub reason: String,
}

impl RefundForm {
    /// What tells its fields from those of the page's other refund forms.
    pub fn suffix(&self) -> String {
        if self.is_refused { format!("-{}", self.payment) } else { String::new() }
    }
}

/// Which forms the page shows, and what stands in them.
#[derive(Clone, Debug, Default)]
pub struct ActForms {
    /// Refunds over the gateway, one for each payment that can be given back.
    pub refunds: Vec<RefundForm>,
    /// A refund that was made elsewhere; of which kinds, with their words.
    pub record: Option<Vec<(&'static str, &'static str)>>,
    /// Of which payments that can be, with their words; the one that was chosen first.
    pub record_payments: Vec<(i64, String)>,
    /// The whole payment is undone.
    pub reverse: bool,
    /// What the myPOS account says about a reversal.
    pub reversal_outcome: bool,
    /// Money that came in: what is missing, as it would be typed.
    pub receive: Option<String>,
    /// The order is cancelled, and what that means.
    pub cancel: Option<&'static str>,
    /// It was looked at: how much of it needs a person.
    pub look: Option<usize>,
    /// Which of them was sent and is shown again: the last part of its address.
    pub sent: String,
    /// What was typed into it.
    pub amount: String,
    /// What was typed into it.
    pub reason: String,
    /// What was chosen in it.
    pub kind: String,
}

/// Everything about one order.
#[derive(Clone, Debug, Default)]
pub struct OrderDetails {
    /// The reference that people use.
    pub reference: String,
    /// Where it stands, in words.
    pub state: String,
    /// How that looks.
    pub tone: &'static str,
    /// Facts about the order, with their labels.
    pub facts: Vec<(&'static str, String)>,
    /// Facts about the customer, with their labels.
    pub customer: Vec<(&'static str, String)>,
    /// What was bought: name and sum.
    pub lines: Vec<(String, String)>,
    /// What it costs.
    pub total: String,
    /// Its payments.
    pub payments: Vec<PaymentLine>,
    /// Its refunds.
    pub refunds: Vec<RefundLine>,
    /// The money that came in without the gateway.
    pub receipts: Vec<ReceiptLine>,
    /// What the merchant's own systems are told.
    pub webhooks: Vec<WebhookLine>,
    /// What happened.
    pub history: Vec<HistoryLine>,
    /// Who did what.
    pub deeds: Vec<Deed>,
    /// What can be done.
    pub forms: ActForms,
    /// What was done just now.
    pub news: Option<String>,
    /// What was wrong, each with its field.
    pub problems: Vec<(String, String)>,
    /// Whether a person has to look at it.
    pub attention: bool,
}

/// One order.
#[component]
pub fn OrderPage(
    /// The shop and the request.
    desk: Desk,
    /// The order.
    order: OrderDetails,
) -> impl IntoView {
    let texts = desk.texts();
    let facts = |facts: &[(&'static str, String)]| {
        facts.iter().map(|(label, value)| fact(label, value)).collect_view()
    };
    let lines = order.lines.iter().cloned().map(|(name, sum)| {
        view! {
            <li>
                <span>{name}</span>
                <span>{sum}</span>
            </li>
        }
    });
    let attention = order.attention.then(|| badge(texts.attention, "open"));
    page(
        &desk,
        order.reference.clone(),
        false,
        view! {
            <p class="crumb"><a href=path::TRANSACTIONS>{texts.back_to_list}</a></p>
            <div class="title">
                <h1>{order.reference.clone()}</h1>
                <p>{badge(&order.state, order.tone)} " " {attention}</p>
            </div>
            {order.news.clone().map(|words| view! { <p class="notice" role="status">{words}</p> })}
            {problems(texts, &order.problems)}
            <div class="columns">
                <div class="stack">
                    <section class="card" aria-labelledby="order-title">
                        <h2 id="order-title">{texts.order_heading}</h2>
                        <dl class="facts">{facts(&order.facts)}</dl>
                        <h3>{texts.lines_heading}</h3>
                        <ul class="ordered">{lines.collect_view()}</ul>
                        <dl class="sums">
                            <div class="total">
                                <dt>{texts.total}</dt>
                                <dd>{order.total.clone()}</dd>
                            </div>
                        </dl>
                    </section>
                    <section class="card" aria-labelledby="customer-title">
                        <h2 id="customer-title">{texts.customer_heading}</h2>
                        <dl class="facts">{facts(&order.customer)}</dl>
                    </section>
                    {payments(texts, &order)}
                    {refunds(texts, &order)}
                    {receipts(texts, &order)}
                </div>
                <div class="stack acts">{acts(texts, &order)}</div>
                <div class="stack">
                    {history(texts, &order)}
                    {webhooks(texts, &order)}
                    {deeds(texts, &order)}
                </div>
            </div>
        },
    )
}

fn payments(texts: &'static MerchantTexts, order: &OrderDetails) -> impl IntoView + use<> {
    (!order.payments.is_empty()).then(|| {
        let payments = order.payments.iter().cloned().map(|payment| {
            view! {
                <li class="entry">
                    <p class="head">
                        <span class="name">{payment.method}</span>
                        <span class="sum">{payment.amount}</span>
                    </p>
                    <p>{badge(&payment.state, payment.tone)} " " <span class="hint">{payment.since}</span></p>
                    <dl class="facts small">
                        {fact(texts.gateway_reference, &payment.gateway_reference)}
                        {fact(texts.gateway_order, &payment.gateway_order)}
                    </dl>
                </li>
            }
        });
        view! {
            <section class="card" aria-labelledby="payments-title">
                <h2 id="payments-title">{texts.payments_heading}</h2>
                <ul>{payments.collect_view()}</ul>
            </section>
        }
    })
}

fn refunds(texts: &'static MerchantTexts, order: &OrderDetails) -> impl IntoView + use<> {
    (!order.refunds.is_empty()).then(|| {
        let refunds =
            order.refunds.iter().map(|refund| refund_entry(texts, &order.reference, refund)).collect_view();
        view! {
            <section class="card" aria-labelledby="refunds-title">
                <h2 id="refunds-title">{texts.refunds_heading}</h2>
                <ul>{refunds}</ul>
            </section>
        }
    })
}

fn refund_entry(
    texts: &'static MerchantTexts,
    reference: &str,
    refund: &RefundLine,
) -> impl IntoView + use<> {
    let refund = refund.clone();
    let id = refund.id.to_string();
    let form = |act: &str, buttons: AnyView| {
        view! {
            <form class="ways" method="post" action=act_path(reference, act)>
                <input type="hidden" name=field::REFUND value=id.clone() />
                {buttons}
            </form>
        }
    };
    let approve = refund.may_approve.then(|| {
        form(
            "approve",
            view! { <button class="button" type="submit">{texts.approve_button}</button> }.into_any(),
        )
    });
    let turn_down = refund.may_turn_down.then(|| {
        let own = (!refund.may_approve).then(|| view! { <p class="hint">{texts.own_proposal}</p> });
        let button =
            view! { <button class="button plain" type="submit">{texts.turn_down_button}</button> }.into_any();
        view! { {own} {form("turn-down", button)} }
    });
    let outcome = refund.may_record.then(|| {
        let buttons = outcome_buttons(texts.outcome_done, texts.outcome_not_done).into_any();
        view! { <p>{texts.outcome_question}</p> {form("refund-outcome", buttons)} }
    });
    view! {
        <li class="entry" id=format!("refund-{}", refund.id)>
            <p class="head">
                <span class="name">{refund.amount}</span>
                {badge(&refund.state, refund.tone)}
            </p>
            <p class="hint">{format!("{} · {} · {}", refund.kind, refund.when, refund.by)}</p>
            <dl class="facts small">
                {fact(texts.reason, &refund.reason)} {fact(texts.answer, &refund.answer)}
                {fact(texts.gateway_order, &refund.gateway_order)}
            </dl>
            {approve}
            {turn_down}
            {outcome}
        </li>
    }
}

fn outcome_buttons(done: &'static str, not_done: &'static str) -> impl IntoView {
    view! {
        <button class="button plain" type="submit" name=field::DONE value="yes">{done}</button>
        <button class="button plain" type="submit" name=field::DONE value="no">{not_done}</button>
    }
}

fn receipts(texts: &'static MerchantTexts, order: &OrderDetails) -> impl IntoView + use<> {
    (!order.receipts.is_empty()).then(|| {
        let receipts = order.receipts.iter().cloned().map(|receipt| {
            view! {
                <li class="entry">
                    <p class="name">{receipt.amount}</p>
                    <p class="hint">{format!("{} · {}", receipt.when, receipt.by)}</p>
                    <p>{receipt.note}</p>
                </li>
            }
        });
        view! {
            <section class="card" aria-labelledby="receipts-title">
                <h2 id="receipts-title">{texts.receipts_heading}</h2>
                <ul>{receipts.collect_view()}</ul>
            </section>
        }
    })
}

fn history(texts: &'static MerchantTexts, order: &OrderDetails) -> impl IntoView + use<> {
    let lines = order.history.iter().cloned().map(|line| {
        let raw = (!line.raw.is_empty()).then(|| {
            view! {
                <details>
                    <summary>{texts.raw}</summary>
                    <pre tabindex="0">{line.raw}</pre>
                </details>
            }
        });
        view! {
            <li class="entry" class:alarm=line.is_alarm>
                <p>{line.what}</p>
                <p class="hint">{line.when} {(!line.detail.is_empty()).then(|| format!(" · {}", line.detail))}</p>
                {raw}
            </li>
        }
    });
    view! {
        <section class="card" aria-labelledby="history-title">
            <h2 id="history-title">{texts.history_heading}</h2>
            <ol class="history">{lines.collect_view()}</ol>
        </section>
    }
}

fn webhooks(texts: &'static MerchantTexts, order: &OrderDetails) -> impl IntoView + use<> {
    (!order.webhooks.is_empty()).then(|| {
        let messages = order.webhooks.iter().cloned().map(|message| {
            let again = message.may_redeliver.then(|| {
                let label = fill(texts.webhook_button_of, &[("message", message.kind)]);
                view! {
                    <form class="ways" method="post" action=act_path(&order.reference, "redeliver")>
                        <input type="hidden" name=field::MESSAGE value=message.id.to_string() />
                        <button class="button plain" type="submit" aria-label=label>
                            {texts.webhook_button}
                        </button>
                    </form>
                }
            });
            view! {
                <li class="entry">
                    <p class="head">
                        <span class="name">{format!("{} → {}", message.kind, message.endpoint)}</span>
                        {badge(&message.state, message.tone)}
                    </p>
                    <p class="hint">{message.when}</p>
                    <details>
                        <summary>{texts.webhook_body}</summary>
                        <pre tabindex="0">{message.body}</pre>
                    </details>
                    {again}
                </li>
            }
        });
        view! {
            <section class="card" aria-labelledby="webhooks-title">
                <h2 id="webhooks-title">{texts.webhooks_heading}</h2>
                <ul>{messages.collect_view()}</ul>
            </section>
        }
    })
}

fn deeds(texts: &'static MerchantTexts, order: &OrderDetails) -> impl IntoView + use<> {
    (!order.deeds.is_empty()).then(|| {
        let deeds = order.deeds.iter().cloned().map(|deed| {
            view! {
                <li class="entry">
                    <p>{deed.what} {(!deed.detail.is_empty()).then(|| format!(" · {}", deed.detail))}</p>
                    <p class="hint">{format!("{} · {}", deed.when, deed.who)}</p>
                </li>
            }
        });
        view! {
            <section class="card" aria-labelledby="deeds-title">
                <h2 id="deeds-title">{texts.deeds_heading}</h2>
                <ol class="history">{deeds.collect_view()}</ol>
            </section>
        }
    })
}

/// What is wrong with a field.
fn error_of<'p>(problems: &'p [(String, String)], id: &str) -> Option<&'p str> {
    problems.iter().find(|(field, _)| field == id).map(|(_, words)| words.as_str())
}

/// Where something is done with an order.
fn act_path(reference: &str, act: &str) -> String {
    format!("{}/{reference}/{act}", path::TRANSACTIONS)
}

fn acts(texts: &'static MerchantTexts, order: &OrderDetails) -> impl IntoView + use<> {
    let forms = &order.forms;
    let to = |act: &str| act_path(&order.reference, act);
    let error = |id: &str| error_of(&order.problems, id);
    let typed = |act: &str| {
        if forms.sent == act { (forms.amount.as_str(), forms.reason.as_str()) } else { ("", "") }
    };
    let refunds = forms
        .refunds
        .iter()
        .map(|refund| refund_form(texts, to("refund"), refund, &order.problems))
        .collect_view();
    let simple = |act: &'static str, heading: &'static str, text: &'static str, button: &'static str| {
        let title = format!("{act}-title");
        let labelled_by = title.clone();
        view! {
            <section class="card" aria-labelledby=labelled_by>
                <h2 id=title>{heading}</h2>
                <p>{text}</p>
                <form method="post" action=to(act)>
                    <button class="button plain" type="submit">{button}</button>
                </form>
            </section>
        }
    };
    let look = forms.look.map(|shown| {
        view! {
            <section class="card result open" aria-labelledby="look-title">
                <h2 id="look-title">{texts.attention}</h2>
                <p>{texts.looked_at_text}</p>
                <form method="post" action=to("looked-at")>
                    <input type="hidden" name=field::SHOWN value=shown.to_string() />
                    <button class="button plain" type="submit">{texts.looked_at_button}</button>
                </form>
            </section>
        }
    });
    let reversal = forms.reversal_outcome.then(|| {
        view! {
            <section class="card result open" aria-labelledby="reversal-title">
                <h2 id="reversal-title">{texts.payment_reversing}</h2>
                <p>{texts.reversal_question}</p>
                <form class="ways" method="post" action=to("reversal-outcome")>
                    {outcome_buttons(texts.reversal_done, texts.reversal_not_done)}
                </form>
            </section>
        }
    });
    let receive = forms.receive.as_ref().map(|missing| {
        let (amount, note) = typed("receive");
        let amount_input = Input {
            id: "receive-amount",
            name: field::AMOUNT,
            label: texts.receive_amount,
            value: if amount.is_empty() { missing } else { amount },
            inputmode: Some("decimal"),
            error: error("receive-amount"),
            ..Input::default()
        };
        let note_input = Input {
            id: "receive-note",
            name: field::REASON,
            label: texts.receive_note,
            hint: texts.receive_note_hint,
            value: note,
            ..Input::default()
        };
        view! {
            <section class="card" aria-labelledby="receive-title">
                <h2 id="receive-title">{texts.receive_heading}</h2>
                <p>{texts.receive_text}</p>
                <form class="stack" method="post" action=to("receive") novalidate>
                    {amount_input.view()} {note_input.view()} <label class="check">
                        <input type="checkbox" name=field::SETTLES value="yes" />
                        <span>{texts.receive_settles}</span>
                    </label> <button class="button" type="submit">{texts.review_button}</button>
                </form>
            </section>
        }
    });
    let record = forms.record.as_ref().map(|kinds| {
        let (amount, reason) = typed("record");
        let is_open = forms.sent == "record";
        let chosen = if is_open { forms.kind.as_str() } else { "" };
        let kinds = kinds
            .iter()
            .enumerate()
            .map(|(index, (id, name))| {
                let is_checked = chosen == *id || (chosen.is_empty() && index == 0);
                view! {
                    <label class="check">
                        <input type="radio" name=field::KIND value=*id checked=is_checked />
                        <span>{*name}</span>
                    </label>
                }
            })
            .collect_view();
        let payments = forms.record_payments.first().map(|(first, _)| {
            if forms.record_payments.len() == 1 {
                return view! { <input type="hidden" name=field::PAYMENT value=first.to_string() /> }
                    .into_any();
            }
            let options = forms.record_payments.iter().cloned().map(|(id, name)| {
                view! { <option value=id.to_string()>{name}</option> }
            });
            view! {
                <div class="field">
                    <label for="record-payment">{texts.record_payment}</label>
                    <select id="record-payment" name=field::PAYMENT>
                        {options.collect_view()}
                    </select>
                </div>
            }
            .into_any()
        });
        let amount_input = Input {
            id: "record-amount",
            name: field::AMOUNT,
            label: texts.refund_amount,
            value: amount,
            inputmode: Some("decimal"),
            error: error("record-amount"),
            ..Input::default()
        };
        let reason_input = Input {
            id: "record-reason",
            name: field::REASON,
            label: texts.refund_reason,
            value: reason,
            error: error("record-reason"),
            ..Input::default()
        };
        view! {
            <details class="card" open=is_open>
                <summary>
                    <h2>{texts.record_heading}</h2>
                </summary>
                <p>{texts.record_text}</p>
                <form class="stack" method="post" action=to("record") novalidate>
                    <fieldset>
                        <legend>{texts.record_kind}</legend>
                        {kinds}
                    </fieldset> {payments} {amount_input.view()} {reason_input.view()}
                    <button class="button plain" type="submit">{texts.review_button}</button>
                </form>
            </details>
        }
    });
    view! {
        {look}
        {reversal}
        {receive}
        {refunds}
        {record}
        {forms.reverse.then(|| simple("reverse", texts.reverse_heading, texts.reverse_text, texts.reverse_button))}
        {forms.cancel.map(|meaning| simple("cancel", texts.cancel_heading, meaning, texts.cancel_button))}
    }
}

fn refund_form(
    texts: &'static MerchantTexts,
    action: String,
    refund: &RefundForm,
    problems: &[(String, String)],
) -> impl IntoView + use<> {
    // A page has at most one form for the payment that holds the money; the others are told apart by number.
    let suffix = refund.suffix();
    let (amount_id, reason_id) = (format!("refund-amount{suffix}"), format!("refund-reason{suffix}"));
    let hint = fill(texts.refund_amount_hint, &[("left", &refund.left)]);
    let amount = Input {
        id: &amount_id,
        name: field::AMOUNT,
        label: texts.refund_amount,
        hint: &hint,
        value: &refund.amount,
        inputmode: Some("decimal"),
        error: error_of(problems, &amount_id),
        ..Input::default()
    };
    let reason = Input {
        id: &reason_id,
        name: field::REASON,
        label: texts.refund_reason,
        hint: texts.refund_reason_hint,
        value: &refund.reason,
        error: error_of(problems, &reason_id),
        ..Input::default()
    };
    let heading = if refund.is_refused { texts.refund_refused_heading } else { texts.refund_heading };
    let title = format!("refund-title{suffix}");
    let labelled_by = title.clone();
    view! {
        <section class="card" aria-labelledby=labelled_by>
            <h2 id=title>{heading}</h2>
            <p>{texts.refund_text}</p>
            <form class="stack" method="post" action=action novalidate>
                <input type="hidden" name=field::PAYMENT value=refund.payment.to_string() />
                {amount.view()} {reason.view()}
                <button class="button" type="submit">{texts.review_button}</button>
            </form>
        </section>
    }
}

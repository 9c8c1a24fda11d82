//! The frame of every page, and the pages around the payment page: error, success, cancelled.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use mypos::StatusCode as Code;

use crate::checks::Refusal;
use crate::money;
use crate::state::{Answer, Payment, Refused};
use crate::web::host;

/// Submits the form of the page, but not when the shopper came back to it.
const SUBMIT: &str = "if (performance.getEntriesByType('navigation')[0]?.type !== 'back_forward') \
                      document.forms[0].submit()";

/// A page with a title and its content. `kind` chooses the width.
pub(crate) fn frame(title: &str, kind: &str, content: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                title { (title) " · Sandbox" }
                link rel="icon" href="data:,";
                link rel="stylesheet" href="/sandbox/style.css";
            }
            body class=(kind) {
                aside.banner { strong { "Sandbox" } ", not myPOS: no money moves." }
                main { (content) }
            }
        }
    }
}

/// A form that the shopper's browser posts to the shop: a signed message in hidden fields.
pub(crate) struct ReturnForm {
    pub(crate) action: String,
    pub(crate) pairs: Vec<(String, String)>,
}

fn return_form(form: &ReturnForm) -> Markup {
    html! {
        form method="post" action=(form.action) {
            @for (name, value) in &form.pairs {
                input type="hidden" name=(name) value=(value);
            }
            button.primary type="submit" { "Return to " (host(&form.action)) }
        }
    }
}

/// A short table of what was paid, or would have been.
fn receipt(payment: &Payment) -> Markup {
    let order = &payment.order;
    html! {
        dl.facts {
            dt { "Shop" } dd { (host(&order.url_ok)) }
            dt { "Amount" } dd { (money::shown(order.minor, &order.currency)) }
            dt { "Order" } dd.code { (order.id) }
            @if let Some(transaction) = &payment.transaction {
                dt { "Paid with" }
                dd {
                    (transaction.means.method.name())
                    @if let Some(last4) = &transaction.means.last4 { " ending in " (last4) }
                }
                dt { "Reference" } dd.code { (transaction.trnref) }
            }
        }
    }
}

/// The payment went through.
pub(crate) fn success(payment: &Payment, form: &ReturnForm) -> Markup {
    let is_confirmed = payment.deliveries.iter().any(|delivery| delivery.answer == Answer::Ok);
    frame(
        "Payment successful",
        "narrow",
        html! {
            section.card.outcome.good {
                p.mark aria-hidden="true" { "✓" }
                h1 { "Payment successful" }
                p {
                    (host(&payment.order.url_ok))
                    @if is_confirmed { " has been told and has confirmed it." }
                    @else { " has not confirmed it, but the payment is kept, as a switch of the sandbox says." }
                    " You can go back now."
                }
                (receipt(payment))
                (return_form(form))
            }
        },
    )
}

/// The shop did not confirm, so the money goes back.
pub(crate) fn reversed(payment: &Payment, form: &ReturnForm) -> Markup {
    let answer = payment
        .deliveries
        .iter()
        .rfind(|delivery| delivery.method == "IPCPurchaseNotify")
        .map(|delivery| delivery.answer.says());
    frame(
        "Payment given back",
        "narrow",
        html! {
            section.card.outcome.bad {
                p.mark aria-hidden="true" { "↩" }
                h1 { "The payment was given back" }
                p {
                    "The shop did not confirm the payment, so it was reversed. "
                    "You have paid nothing."
                }
                (receipt(payment))
                (return_form(form))
                @if let Some(answer) = answer {
                    details {
                        summary { "For developers" }
                        p {
                            "URL_Notify must answer the signed Notify with HTTP 200 and a body of exactly "
                            code { "OK" } ". What it did: "
                        }
                        p.code { (answer) }
                        p { "A Rollback follows and is repeated until the shop says OK." }
                    }
                }
            }
        },
    )
}

/// The shopper gave up. `nonce` lets the page go on by itself.
pub(crate) fn cancelled(payment: &Payment, form: &ReturnForm, nonce: Option<&str>) -> Markup {
    frame(
        "Payment cancelled",
        "narrow",
        html! {
            section.card.outcome {
                p.mark aria-hidden="true" { "✕" }
                h1 { "Payment cancelled" }
                p { "You have paid nothing. Go back to the shop if you would like to try again." }
                (receipt(payment))
                (return_form(form))
            }
            @if let Some(nonce) = nonce {
                script nonce=(nonce) { (PreEscaped(SUBMIT)) }
            }
        },
    )
}

/// The session is over.
pub(crate) fn expired(payment: &Payment, form: &ReturnForm) -> Markup {
    frame(
        "Time is up",
        "narrow",
        html! {
            section.card.outcome {
                p.mark aria-hidden="true" { "⌛" }
                h1 { "The time to pay is up" }
                p { "You have paid nothing. Go back to the shop to start again." }
                (receipt(payment))
                (return_form(form))
            }
        },
    )
}

/// The shop is being told. It is sent with a header that has the browser ask again.
pub(crate) fn settling(payment: &Payment) -> Markup {
    frame(
        "Processing",
        "narrow",
        html! {
            section.card.outcome {
                p.mark aria-hidden="true" { "…" }
                h1 { "Your payment is being processed" }
                p role="status" { "This takes a few seconds. Please do not pay again." }
                (receipt(payment))
            }
        },
    )
}

/// The page for a purchase request that is refused.
pub(crate) fn refused(refusal: &Refusal, shop: &str, link_back: Option<&str>) -> Markup {
    let code = refusal.code;
    frame(
        &format!("Error Code {}", code.code()),
        "narrow",
        html! {
            section.card.outcome.bad {
                p.mark aria-hidden="true" { "!" }
                h1 { "Error Code " (code.code()) }
                p { (shop) " has sent a shopping cart with errors in it. You have paid nothing." }
                @if let Some(link) = link_back {
                    a.button.primary href=(link) rel="noreferrer" { "Return to " (host(link)) }
                }
                div.developer {
                    h2 { "For developers" }
                    p.code { (refusal.message()) }
                    p { (code.meaning()) }
                    @if code == Code::SignatureFailed {
                        p {
                            "Sign the raw values (no HTML escaping, no URL encoding) in the order in which they are "
                            "sent, joined by one dash each: RSA-SHA256 over the base64 of that text, with the private key of the "
                            "configuration package."
                        }
                    }
                    p.quiet { "Nothing was posted to the shop. The real gateway shows the code only." }
                }
            }
        },
    )
}

/// A page that says one thing.
pub(crate) fn message(title: &str, text: &str) -> Markup {
    frame(
        title,
        "narrow",
        html! {
            section.card.outcome {
                h1 { (title) }
                p { (text) }
                a.button href="/" { "Open the control page" }
            }
        },
    )
}

/// A refused request in a line, for the overview.
pub(crate) fn refused_line(refused: &Refused) -> Markup {
    html! {
        strong { (refused.code) } " " (Code::from_code(refused.code).name()) ": " (refused.detail)
    }
}

//! Sending one message to the shop, and what counts as its `OK`.

use mypos::{Fields, KeyError};
use reqwest::header::CONTENT_TYPE;

use crate::faults::Fault;
use crate::gateway::Gateway;
use crate::messages;
use crate::money;
use crate::state::{Answer, Delivery, Payment, State};

/// How much of the shop's answer is read.
const MAX_ANSWER: usize = 4096;
/// How much of it is kept.
const MAX_KEPT: usize = 200;

/// Posts a signed form and reads the answer: HTTP 200 and a body of exactly `OK` is a yes, everything else
/// is not (myPOS docs, Purchase notify).
pub(crate) async fn post(gateway: &Gateway, url: &str, form: String) -> Answer {
    let sent = gateway
        .client
        .post(url)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(form)
        .send()
        .await;
    let mut response = match sent {
        Ok(response) => response,
        Err(error) => return Answer::Failed { why: why(&error) },
    };
    let http_status = response.status().as_u16();
    let mut body = Vec::new();
    while body.len() < MAX_ANSWER {
        match response.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(error) => return Answer::Failed { why: why(&error) },
        }
    }
    if http_status == 200 && body == b"OK" {
        return Answer::Ok;
    }
    let body = String::from_utf8_lossy(&body).chars().take(MAX_KEPT).collect();
    Answer::NotOk { http_status, body }
}

/// The innermost reason of an error, which says more than "error sending request".
fn why(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "the shop did not answer in 10 seconds".to_owned();
    }
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

/// Keeps what came of a message, in the deliveries and in the log.
pub(crate) fn record(gateway: &Gateway, order_id: &str, method: &str, answer: &Answer) -> Delivery {
    let now = gateway.now();
    let delivery = Delivery { at_ms: now, method: method.to_owned(), answer: answer.clone() };
    gateway.change(|state| {
        let Some(payment) = state.by_order_id_mut(order_id) else { return };
        payment.note(now, "Sending POST request to Merchant with parameters", method);
        match answer {
            Answer::Lost | Answer::Failed { .. } => {
                payment.note(now, "Connecting with URL_NOTIFY", answer.says());
            }
            Answer::Ok | Answer::NotOk { .. } => {
                payment.note(now, "Connecting with URL_NOTIFY", "OK");
                payment.note(now, "Merchant response", answer.says());
            }
        }
        payment.record(delivery.clone());
    });
    delivery
}

/// What is wrong with a Notify on purpose.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tampering {
    is_lost: bool,
    is_corrupted: bool,
    has_wrong_key: bool,
    extra_minor: Option<u64>,
}

impl Tampering {
    /// What happens to the next Notify of that payment.
    pub(crate) fn roll(state: &mut State, order_id: &str) -> Self {
        Self {
            is_lost: state.fires(order_id, Fault::NotifyLost).is_some(),
            is_corrupted: state.fires(order_id, Fault::NotifyCorrupted).is_some(),
            has_wrong_key: state.fires(order_id, Fault::NotifyWrongKey).is_some(),
            extra_minor: state.fires(order_id, Fault::NotifyOtherAmount),
        }
    }
}

/// Sends the Notify of a payment, and keeps what came of it.
pub(crate) async fn notify(gateway: &Gateway, payment: &Payment, tampering: Tampering) -> Delivery {
    const METHOD: &str = "IPCPurchaseNotify";
    let answer = if tampering.is_lost {
        Answer::Lost
    } else {
        match notify_form(gateway, payment, tampering) {
            Ok(Some(form)) => post(gateway, &payment.order.url_notify, form).await,
            Ok(None) => Answer::Failed { why: "the payment was never confirmed".to_owned() },
            Err(error) => Answer::Failed { why: error.to_string() },
        }
    };
    record(gateway, &payment.order.id, METHOD, &answer)
}

/// The Notify as a form; `None` for a payment without a transaction.
fn notify_form(
    gateway: &Gateway,
    payment: &Payment,
    tampering: Tampering,
) -> Result<Option<String>, KeyError> {
    let order = &payment.order;
    let Some(transaction) = &payment.transaction else { return Ok(None) };
    let amount = match tampering.extra_minor {
        None => order.amount.clone(),
        Some(extra) => {
            let extra = i64::try_from(extra).unwrap_or_default();
            money::wire(order.minor.saturating_add(extra), &order.currency)
        }
    };
    let fields = messages::paid("IPCPurchaseNotify", &gateway.keys.sid, order, transaction, &amount);
    let signed = if tampering.has_wrong_key {
        gateway.keys.stranger()?.sign_fields(fields)?
    } else {
        gateway.sign(fields)?
    };
    if tampering.is_corrupted {
        let corrupted: Fields = signed
            .into_pairs()
            .into_iter()
            .map(|(name, value)| if name == "IPC_Trnref" { (name, value + "0") } else { (name, value) })
            .collect();
        return Ok(Some(corrupted.to_form()));
    }
    Ok(Some(signed.to_form()))
}

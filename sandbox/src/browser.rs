//! What the shopper's browser does: brings a purchase, pays, is declined, cancels, goes back.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header::REFERER;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use mypos::{Fields, KeyError, StatusCode as Code, Unverified};
use reqwest::Url;

use crate::cards::{self, Verdict};
use crate::checks::{self, Refusal, Seen, Trail};
use crate::faults::Fault;
use crate::gateway::Gateway;
use crate::messages;
use crate::pages::{self, ReturnForm};
use crate::pay_page::{self, Typed};
use crate::settle::{self, ConfirmedBy};
use crate::state::{Customer, CustomerData, Declined, Means, Method, Order, Payment, Refused, Stage, Status};
use crate::timestamp;
use crate::web::{self, Permissions, page, random_token, see_other};

/// The longest name or address that the shopper may type.
const MAX_TYPED: usize = 255;

/// `IPCPurchase`: checked, remembered, and sent on to the payment page.
pub(crate) fn purchase(gateway: &Gateway, request: &Unverified, headers: &HeaderMap) -> Response {
    match accept(gateway, request) {
        Ok(session) => see_other(&format!("/vmp/checkout/pay/{session}")),
        Err(refusal) => refuse(gateway, Some(request), headers, &refusal),
    }
}

/// Checks the request and makes a payment of it. Returns its session.
fn accept(gateway: &Gateway, request: &Unverified) -> Result<String, Refusal> {
    let mut trail = Trail::default();
    let verified = checks::identify(request, &gateway.store(), &mut trail)?;
    let fields = verified.fields();
    let order_id = fields.text("OrderID").unwrap_or_default();
    let session =
        random_token().ok_or_else(|| Refusal::new(Code::IpcError, "the machine has no random numbers"))?;
    let now = gateway.now();
    gateway.change(|state| {
        let known = state.by_order_id(order_id).map(|payment| payment.stage);
        let seen = match known {
            Some(Stage::Paid | Stage::Settling) => Seen::Paid,
            Some(Stage::Open | Stage::Cancelled | Stage::Reversed) => Seen::Unpaid,
            None if state.is_refund_order_id(order_id) => Seen::Unpaid,
            None => Seen::Never,
        };
        let may_repeat = || {
            matches!(known, Some(Stage::Open | Stage::Cancelled))
                && state.fires(order_id, Fault::DuplicateOrderIdsAllowed).is_some()
        };
        let order = checks::purchase(fields, seen, may_repeat, &mut trail)?;
        let mut payment = Payment::new(session.clone(), order, now);
        payment.note(now, "Received new POST request", "IPCPurchase");
        for (check, result) in trail.into_lines() {
            payment.note(now, check, result);
        }
        for warning in payment.order.warnings.clone() {
            payment.note(now, "Warning of the sandbox", warning);
        }
        state.insert(payment);
        Ok(session)
    })
}

/// The error page. Nothing is posted to the shop.
pub(crate) fn refuse(
    gateway: &Gateway,
    request: Option<&Unverified>,
    headers: &HeaderMap,
    refusal: &Refusal,
) -> Response {
    let claimed = |name: &str| request.and_then(|request| request.claimed().text(name)).unwrap_or_default();
    let (now, code, detail) = (gateway.now(), refusal.code.code(), refusal.detail.clone());
    tracing::info!(code, "the sandbox refuses a purchase");
    gateway.change(|state| {
        state.refuse(Refused {
            at_ms: now,
            method: bounded(claimed("IPCmethod")),
            order_id: bounded(claimed("OrderID")),
            code,
            detail,
        });
    });
    let referer = headers.get(REFERER).and_then(|value| value.to_str().ok()).unwrap_or_default();
    // URL_Cancel takes signed POSTs only, so the link leads to the shop's start page.
    let link = [claimed("URL_Cancel"), referer].into_iter().find_map(start_page);
    let shop = link.as_deref().map_or_else(|| "The shop".to_owned(), web::host);
    page(StatusCode::OK, pages::refused(refusal, &shop, link.as_deref()), &Permissions::default())
}

/// The start page of the site that an address belongs to.
fn start_page(address: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    matches!(url.scheme(), "http" | "https").then(|| format!("{}/", url.origin().ascii_serialization()))
}

/// A claimed text, cut to what is worth keeping.
fn bounded(text: &str) -> String {
    text.chars().take(100).collect()
}

/// A browser that opens the endpoint itself.
pub(crate) async fn posts_only() -> Response {
    let text = "This address takes signed POSTs from shops (IPCPurchase and the other methods).";
    page(StatusCode::METHOD_NOT_ALLOWED, pages::message("Nothing to see here", text), &Permissions::default())
}

/// Any other address.
pub(crate) async fn not_found() -> Response {
    let text = "The sandbox has no page at this address.";
    page(StatusCode::NOT_FOUND, pages::message("Not found", text), &Permissions::default())
}

fn no_session() -> Response {
    let text = "This payment session is unknown or over. Start again from the shop.";
    page(StatusCode::NOT_FOUND, pages::message("No such payment", text), &Permissions::default())
}

fn by_session(gateway: &Gateway, session: &str) -> Option<Payment> {
    gateway.read(|state| state.by_session(session).cloned())
}

/// The page of a payment, whatever has become of it.
pub(crate) async fn show(State(gateway): State<Arc<Gateway>>, Path(session): Path<String>) -> Response {
    let Some(payment) = by_session(&gateway, &session) else { return no_session() };
    let is_over = payment.status(gateway.now()) != Status::Pending;
    let nothing = Permissions::default();
    match (payment.stage, &payment.transaction) {
        (Stage::Settling, _) => {
            let mut answer = page(StatusCode::OK, pages::settling(&payment), &nothing);
            answer.headers_mut().insert("refresh", HeaderValue::from_static("1"));
            answer
        }
        (Stage::Open, _) if !is_over => {
            page(StatusCode::OK, pay_page::page(&payment, &Typed::default()), &nothing)
        }
        (Stage::Paid, Some(transaction)) => {
            let order = &payment.order;
            let fields =
                messages::paid("IPCPurchaseOK", &gateway.keys.sid, order, transaction, &order.amount);
            leave(&gateway, &payment, &order.url_ok, fields, pages::success)
        }
        (Stage::Open, _) => leave_by_cancel(&gateway, &payment, pages::expired),
        (Stage::Reversed, _) => leave_by_cancel(&gateway, &payment, pages::reversed),
        (Stage::Cancelled | Stage::Paid, _) => {
            leave_by_cancel(&gateway, &payment, |payment, form| pages::cancelled(payment, form, None))
        }
    }
}

fn leave_by_cancel(
    gateway: &Gateway,
    payment: &Payment,
    view: impl FnOnce(&Payment, &ReturnForm) -> maud::Markup,
) -> Response {
    let fields = messages::cancel(&gateway.keys.sid, &payment.order);
    leave(gateway, payment, &payment.order.url_cancel, fields, view)
}

/// A page with the form that goes back to the shop.
fn leave(
    gateway: &Gateway,
    payment: &Payment,
    action: &str,
    fields: Fields,
    view: impl FnOnce(&Payment, &ReturnForm) -> maud::Markup,
) -> Response {
    match form_to(gateway, action, fields) {
        Ok(form) => page(StatusCode::OK, view(payment, &form), &back_to(&payment.order, None)),
        Err(error) => broken(&error),
    }
}

fn form_to(gateway: &Gateway, action: &str, fields: Fields) -> Result<ReturnForm, KeyError> {
    let pairs = gateway.sign(fields)?.into_pairs();
    Ok(ReturnForm { action: action.to_owned(), pairs })
}

/// The form may post to the shop, at both of its addresses: shops redirect from one to the other.
fn back_to(order: &Order, script_nonce: Option<String>) -> Permissions {
    let form_targets = vec![order.url_ok.clone(), order.url_cancel.clone()];
    Permissions { form_targets, script_nonce }
}

fn broken(error: &KeyError) -> Response {
    let markup = pages::message("The sandbox failed", &error.to_string());
    page(StatusCode::INTERNAL_SERVER_ERROR, markup, &Permissions::default())
}

/// "Cancel and return to the shop". The page goes on by itself where scripts run.
pub(crate) async fn cancel(State(gateway): State<Arc<Gateway>>, Path(session): Path<String>) -> Response {
    let now = gateway.now();
    let cancelled = gateway.change(|state| {
        let payment = state.by_session_mut(&session)?;
        if payment.stage == Stage::Open {
            payment.stage = Stage::Cancelled;
            payment.note(now, "Redirection to Merchant Cancel URL", "OK");
            payment.note(now, "Order done with status", "3");
        }
        (payment.stage == Stage::Cancelled).then(|| payment.clone())
    });
    let page_of_payment = format!("/vmp/checkout/pay/{session}");
    let (Some(payment), Some(nonce)) = (cancelled, random_token()) else {
        return see_other(&page_of_payment);
    };
    let fields = messages::cancel(&gateway.keys.sid, &payment.order);
    match form_to(&gateway, &payment.order.url_cancel, fields) {
        Ok(form) => {
            let markup = pages::cancelled(&payment, &form, Some(&nonce));
            page(StatusCode::OK, markup, &back_to(&payment.order, Some(nonce)))
        }
        Err(error) => broken(&error),
    }
}

/// "Pay". Ends on the page of the payment, which says what came of it.
pub(crate) async fn pay(
    State(gateway): State<Arc<Gateway>>,
    Path(session): Path<String>,
    body: Bytes,
) -> Response {
    let Some(payment) = by_session(&gateway, &session) else { return no_session() };
    let back = format!("/vmp/checkout/pay/{session}");
    if payment.stage == Stage::Open && payment.status(gateway.now()) != Status::Pending {
        return see_other(&back);
    }
    let Ok(form) = Unverified::from_form(&body) else { return see_other(&back) };
    let (means, verdict, customer) = match read_choice(&payment.order, form.claimed()) {
        Ok(choice) => choice,
        Err(typed) => {
            let markup = pay_page::page(&payment, &typed);
            return page(StatusCode::UNPROCESSABLE_ENTITY, markup, &Permissions::default());
        }
    };
    if let Some(customer) = customer {
        gateway.change(|state| {
            if let Some(payment) = state.by_session_mut(&session).filter(|known| known.stage == Stage::Open) {
                payment.order.customer = customer;
            }
        });
    }
    match verdict {
        Verdict::Approved => {
            settle::confirm(&gateway, &payment.order.id, means, ConfirmedBy::Shopper, 1).await;
        }
        Verdict::Declined { code, reason } => decline(&gateway, &session, means, code, reason),
    }
    see_other(&back)
}

fn decline(gateway: &Gateway, session: &str, means: Means, code: &str, reason: &str) {
    let now = gateway.now();
    gateway.change(|state| {
        let Some(payment) = state.by_session_mut(session).filter(|known| known.stage == Stage::Open) else {
            return;
        };
        payment.note(now, "Payment status", format!("declined: {code} {reason}"));
        payment.decline(Declined {
            date_time: timestamp::date_time(now),
            means,
            code: code.to_owned(),
            reason: reason.to_owned(),
        });
    });
}

/// What the shopper chose, and what the bank says to it; or the form again with its errors.
fn read_choice(order: &Order, form: &Fields) -> Result<(Means, Verdict, Option<Customer>), Box<Typed>> {
    let text = |name: &str| form.text(name).unwrap_or_default().trim().to_owned();
    let choice = text("choice");
    let mut typed = Typed { choice: Some(choice.clone()), number: Some(text("number")), ..Typed::default() };

    let customer = (order.customer_data == CustomerData::Asked).then(|| Customer {
        email: text("email"),
        first_names: text("first_names"),
        family_name: text("family_name"),
        ..order.customer.clone()
    });
    if let Some(customer) = &customer {
        typed.customer = Some(customer.clone());
        typed.customer_error = customer_error(customer);
    }

    let method = Method::ALL
        .into_iter()
        .filter(|method| order.methods.contains(method))
        .find(|method| choice.split('-').next() == Some(method.code()));
    let outcome = match (method, choice.split_once('-').map(|(_, outcome)| outcome)) {
        (Some(Method::Card), Some("approve")) => Some(card(cards::APPROVED)),
        (Some(Method::Card), Some("decline")) => Some(card(cards::DECLINED)),
        (Some(Method::Card), Some("number")) => Some(card(&text("number"))),
        (Some(method), Some("approve")) => Some(Some((Means { method, last4: None }, Verdict::Approved))),
        (Some(method), Some("decline")) => Some(Some((Means { method, last4: None }, cards::REFUSED))),
        _ => None,
    };
    match outcome {
        None => typed.number_error = Some("Choose how you would like to pay."),
        Some(None) => typed.number_error = Some("A card number has 12 to 19 digits."),
        Some(Some((means, verdict))) if typed.customer_error.is_none() => {
            return Ok((means, verdict, customer));
        }
        Some(Some(_)) => {}
    }
    Err(Box::new(typed))
}

/// A card with the bank's answer; `None` if this is no card number.
fn card(number: &str) -> Option<(Means, Verdict)> {
    let digits = cards::digits(number)?;
    let means = Means { method: Method::Card, last4: Some(cards::last4(&digits)) };
    Some((means, cards::verdict(&digits)))
}

fn customer_error(customer: &Customer) -> Option<&'static str> {
    let texts = [&customer.email, &customer.first_names, &customer.family_name];
    if texts.iter().any(|text| text.is_empty() || text.chars().count() > MAX_TYPED) {
        Some("Fill in your e-mail address, first name and family name.")
    } else if checks::is_email(&customer.email) {
        None
    } else {
        Some("The e-mail address is not complete.")
    }
}

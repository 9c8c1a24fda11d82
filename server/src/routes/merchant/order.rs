//! Everything about one order.

use app::pages::MessageKind;
use app::pages::merchant::{OrderDetails, OrderPage, path};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use checkout::records::RefundId;
use checkout::refund::{MerchantError, MerchantProblem};
use checkout::store::merchant::OrderRecord;
use domain::PaymentState;
use leptos::prelude::*;
use serde::Deserialize;

use super::{failed, page};
use crate::merchant_view::Words;
use crate::render;
use crate::staff::Staff;
use crate::state::AppState;
use crate::visitor::Visitor;

/// What stands in the address besides: what was typed before a session ended, and what was done just now.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Kept {
    /// Which form it was typed into: the last part of its address.
    #[serde(rename = "do")]
    pub(super) act: String,
    pub(super) payment: String,
    pub(super) amount: String,
    pub(super) reason: String,
    pub(super) kind: String,
    /// `refund-12`, or another piece of news.
    pub(super) news: String,
}

/// `GET /merchant/transactions/{reference}`
pub(super) async fn show(
    State(state): State<AppState>,
    visitor: Visitor,
    staff: Staff,
    Path(reference): Path<String>,
    Query(kept): Query<Kept>,
) -> Response {
    let record = match load(&state, &visitor, &reference).await {
        Ok(record) => record,
        Err(answer) => return answer,
    };
    let news = news(&state, &visitor, &record, &kept.news);
    show_order(&state, &visitor, &staff, &record, &kept, news, Vec::new()).await
}

/// The order of an address.
pub(super) async fn load(
    state: &AppState,
    visitor: &Visitor,
    reference: &str,
) -> Result<OrderRecord, Response> {
    match state.checkout.order_record(reference).await {
        Ok(record) => Ok(record),
        Err(MerchantError::Problem(_)) => Err(render::message(state, visitor, MessageKind::NotFound).await),
        Err(MerchantError::Failed(error)) => Err(failed(state, visitor, &error).await),
    }
}

/// What was done, in words: read from what is stored, whatever the address says.
fn news(state: &AppState, visitor: &Visitor, record: &OrderRecord, news: &str) -> Option<String> {
    let words = Words { checkout: &state.checkout, language: visitor.language };
    let texts = words.texts();
    if let Some(id) = news.strip_prefix("refund-").and_then(|id| id.parse().ok()).map(RefundId) {
        return record.refunds.iter().find(|refund| refund.id == id).map(|refund| words.news_of(refund));
    }
    match news {
        "recorded" => Some(texts.news_recorded.to_owned()),
        "redelivered" => Some(texts.news_redelivered.to_owned()),
        "reversal" => {
            // The one that holds the money is the one that was to be reversed; only without one it was.
            let states: Vec<_> = record.file.payments.iter().map(|payment| payment.state).collect();
            let holding = states.iter().copied().find(|state| state.holds_money());
            let reversed = states.iter().copied().find(|state| *state == PaymentState::Reversed);
            let state = holding.or(reversed)?;
            let words = match state {
                PaymentState::Reversed => texts.news_reversed,
                PaymentState::Reversing => texts.news_reversal_unknown,
                _ => texts.news_not_reversed,
            };
            Some(words.to_owned())
        }
        _ => None,
    }
}

/// The page of an order; 422 where something was wrong with a form.
pub(super) async fn show_order(
    state: &AppState,
    visitor: &Visitor,
    staff: &Staff,
    record: &OrderRecord,
    kept: &Kept,
    news: Option<String>,
    problems: Vec<(String, String)>,
) -> Response {
    let events = match state.checkout.store().events(record.file.order.id).await {
        Ok(events) => events,
        Err(error) => return failed(state, visitor, &error.into()).await,
    };
    let words = Words { checkout: &state.checkout, language: visitor.language };
    let mut order = OrderDetails { news, problems, ..words.order(record, &events, staff) };
    keep(&mut order, kept);
    let status = if order.problems.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let desk = staff.desk(state, visitor, path::TRANSACTIONS);
    page(status, move || view! { <OrderPage desk=desk.clone() order=order.clone() /> }).await
}

/// Puts what was typed back into its form.
fn keep(order: &mut OrderDetails, kept: &Kept) {
    let forms = &mut order.forms;
    forms.sent.clone_from(&kept.act);
    forms.amount.clone_from(&kept.amount);
    forms.reason.clone_from(&kept.reason);
    forms.kind.clone_from(&kept.kind);
    if kept.act == "record" {
        // The one that was chosen stands first.
        forms.record_payments.sort_by_key(|(id, _)| id.to_string() != kept.payment);
    }
    if kept.act != "refund" {
        return;
    }
    for refund in &mut forms.refunds {
        if kept.payment.is_empty() || refund.payment.to_string() == kept.payment {
            refund.amount.clone_from(&kept.amount);
            refund.reason.clone_from(&kept.reason);
        }
    }
}

/// A problem in words. `example` is how an amount could look.
pub(super) fn problem_words(words: &Words<'_>, problem: MerchantProblem) -> String {
    use MerchantProblem as P;
    use app::text::fill;
    let texts = words.texts();
    match problem {
        P::NotFound => texts.p_not_found.to_owned(),
        P::NothingToRefund => texts.p_nothing.to_owned(),
        P::NotPositive => texts.p_not_positive.to_owned(),
        P::OtherCurrency(currency) => fill(texts.p_currency, &[("currency", currency.code())]),
        P::TooMuch(left) => fill(texts.p_too_much, &[("left", &words.money(left))]),
        P::NoReason => texts.p_no_reason.to_owned(),
        P::KeyReused => texts.p_key_reused.to_owned(),
        P::OwnProposal => texts.p_own_proposal.to_owned(),
        P::RefundChanged | P::NotPaid | P::OrderChanged => texts.p_changed.to_owned(),
        P::HasRefunds => texts.p_has_refunds.to_owned(),
        P::NeedsApproval => texts.p_needs_approval.to_owned(),
        P::StillAsked => texts.p_still_asked.to_owned(),
        P::NoReference => texts.p_no_reference.to_owned(),
    }
}

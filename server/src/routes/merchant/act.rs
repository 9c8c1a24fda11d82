//! What the merchant does with an order: typed, reviewed, done.
//!
//! Each form posts to `/merchant/transactions/{reference}/{act}`. What needs it is shown once more before it
//! happens, and the second post carries `confirmed`. What gives money back runs in a task of its own, which the process
//! finishes before it ends: a browser that goes away must not leave it half done.

use std::sync::Arc;
use std::time::Duration;

use app::pages::MessageKind;
use app::pages::merchant::{Review, ReviewPage, field, path};
use app::text::fill;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use checkout::checkout::{Checkout, CheckoutError};
use checkout::format;
use checkout::people::{Actor, Role};
use checkout::records::{PaymentId, Refund, RefundId, RefundKind};
use checkout::refund::{
    MerchantError, MerchantProblem, MoneyRequest, RecordRequest, RefundRequest, refund_of_press, refundable,
};
use checkout::sign_in::{DoorError, DoorProblem};
use checkout::store::merchant::OrderRecord;
use checkout::store::outbox::WebhookId;
use checkout::text::clean;
use checkout::token::Token;
use checkout::typed_amount::{self, TypedAmountError};
use domain::messages::is_key;
use domain::{Currency, Money, OrderState, PaymentState, RefundState};
use leptos::prelude::*;
use tracing::Instrument as _;

use super::order::{Kept, load, problem_words, show_order};
use super::{failed, page, value};
use crate::merchant_view::{Words, missing_minor};
use crate::render;
use crate::staff::{Staff, door, door_failed};
use crate::state::AppState;
use crate::visitor::Visitor;

/// How long a second press waits for the gateway's answer to the first: a call may take 20 s.
const ANSWERED_WITHIN: Duration = Duration::from_secs(25);
/// How long it waits before it looks again.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(200);

/// What a form brought, as it was typed.
#[derive(Clone, Debug)]
struct Typed {
    act: String,
    key: String,
    payment: String,
    refund: String,
    message: String,
    shown: String,
    amount: String,
    /// The amount that was reviewed.
    minor: Option<i64>,
    reason: String,
    kind: String,
    done: String,
    settles: bool,
    confirmed: bool,
    code: String,
}

impl Typed {
    fn read(act: &str, body: &[u8]) -> Self {
        // Without a key of its own a press could not be told from another one.
        let key = value(body, field::KEY);
        let is_confirmed = !value(body, field::CONFIRMED).is_empty() && is_key(&key);
        Self {
            act: act.to_owned(),
            key: if is_confirmed { key } else { String::new() },
            payment: value(body, field::PAYMENT),
            refund: value(body, field::REFUND),
            message: value(body, field::MESSAGE),
            shown: value(body, field::SHOWN),
            amount: value(body, field::AMOUNT),
            minor: value(body, field::MINOR).parse().ok().filter(|_| is_confirmed),
            reason: clean(&value(body, field::REASON), checkout::refund::MAX_REASON_CHARS),
            kind: value(body, field::KIND),
            done: value(body, field::DONE),
            settles: !value(body, field::SETTLES).is_empty(),
            confirmed: is_confirmed,
            code: value(body, field::CODE),
        }
    }

    /// What the page of the order shows again.
    fn kept(&self) -> Kept {
        Kept {
            act: self.act.clone(),
            payment: self.payment.clone(),
            amount: self.amount.clone(),
            reason: self.reason.clone(),
            kind: self.kind.clone(),
            news: String::new(),
        }
    }

    /// The address of the order's page with what was typed: for somebody who has to sign in again.
    fn address(&self, reference: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in [
            ("do", &self.act),
            (field::PAYMENT, &self.payment),
            (field::AMOUNT, &self.amount),
            (field::REASON, &self.reason),
            (field::KIND, &self.kind),
        ] {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        let reference: String = form_urlencoded::byte_serialize(reference.as_bytes()).collect();
        format!("{}/{reference}?{}", path::TRANSACTIONS, query.finish())
    }
}

/// What is to be done.
#[derive(Clone, Debug)]
enum Act {
    Refund { payment: PaymentId, money: Money, reason: String },
    Record { kind: RefundKind, payment: Option<PaymentId>, money: Money, reason: String },
    Approve(Refund),
    TurnDown(Refund),
    Outcome { refund: Refund, was_done: bool },
    Reverse(Money),
    ReversalOutcome { money: Money, was_done: bool },
    Receive { money: Money, note: String, settles: bool },
    Cancel,
    LookedAt { shown: u32 },
    Redeliver(WebhookId),
}

/// What is wrong with a form: the field, if it is one field's, and the words.
type Wrong = Vec<(String, String)>;

/// `POST /merchant/transactions/{reference}/{act}`
pub(super) async fn act(
    State(state): State<AppState>,
    visitor: Visitor,
    staff: Result<Staff, Response>,
    Path((reference, act)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    let typed = Typed::read(&act, &body);
    let staff = match staff {
        Ok(staff) => staff,
        Err(answer) if answer.status() == StatusCode::SEE_OTHER => {
            return render::see_other(&door(path::SIGN_IN, &typed.address(&reference), true));
        }
        Err(answer) => return answer,
    };
    let record = match load(&state, &visitor, &reference).await {
        Ok(record) => record,
        Err(answer) => return answer,
    };
    let words = Words { checkout: &state.checkout, language: visitor.language };
    let again = async |wrong: Wrong| {
        // As it stands now: it may have changed while it was tried.
        match load(&state, &visitor, &reference).await {
            Ok(record) => show_order(&state, &visitor, &staff, &record, &typed.kept(), None, wrong).await,
            Err(answer) => answer,
        }
    };
    if !staff.may(Role::Refund) {
        return again(of_form(words.texts().p_not_allowed)).await;
    }
    if let Some(news) = done_before(&typed, &record) {
        return see_news_once_answered(&state, &reference, &news).await;
    }
    let act = match read(&typed, &record, &words) {
        Ok(Some(act)) => act,
        Ok(None) => return render::message(&state, &visitor, MessageKind::NotFound).await,
        Err(wrong) => return again(wrong).await,
    };
    let wants_code = state.shop.second_factor_for_refunds && act.gives_money_back();
    if wants_code && !staff.user.has_second_factor {
        return again(of_form(words.texts().needs_second_factor)).await;
    }
    if act.is_reviewed() && !typed.confirmed {
        return show_review(&state, &visitor, &staff, &record, &typed, &act, None).await;
    }
    if wants_code {
        match state.checkout.check_code(&staff.user, &typed.code, &staff.address).await {
            Ok(()) => {}
            Err(DoorError::Problem(problem)) => {
                let problem = match problem {
                    DoorProblem::TooManyGuesses => words.texts().too_many_guesses,
                    _ => words.texts().wrong_code,
                };
                return show_review(&state, &visitor, &staff, &record, &typed, &act, Some(problem)).await;
            }
            Err(error @ DoorError::Failed(_)) => {
                door_failed(&error);
                return render::message(&state, &visitor, MessageKind::Unavailable).await;
            }
        }
    }
    let work = perform(Arc::clone(&state.checkout), reference.clone(), act, typed.key.clone(), staff.actor());
    match state.begun.spawn(work.in_current_span()).await {
        Ok(Ok(news)) => see_news(&reference, &news),
        Ok(Err(MerchantError::Problem(problem))) => {
            // The same press may have come first, by a moment.
            if let Ok(record) = state.checkout.order_record(&reference).await
                && let Some(news) = done_before(&typed, &record)
            {
                return see_news_once_answered(&state, &reference, &news).await;
            }
            let field = if matches!(problem, MerchantProblem::TooMuch(_)) {
                amount_field(&typed, &record)
            } else {
                String::new()
            };
            again(vec![(field, problem_words(&words, problem))]).await
        }
        Ok(Err(MerchantError::Failed(error))) => {
            crate::backend::unavailable(&error);
            again(of_form(words.texts().p_failed)).await
        }
        Err(error) => {
            let error = CheckoutError::Signing(error.to_string());
            failed(&state, &visitor, &error).await
        }
    }
}

fn see_news(reference: &str, news: &str) -> Response {
    render::see_other(&format!("{}/{reference}?news={news}#{news}", path::TRANSACTIONS))
}

/// Shows what came of a press that was sent before. While the gateway is being asked because of it, this waits with
/// it: whoever pressed twice sees what the first press would have shown.
async fn see_news_once_answered(state: &AppState, reference: &str, news: &str) -> Response {
    let refund = news.strip_prefix("refund-").and_then(|id| id.parse().ok()).map(RefundId);
    let answered = async {
        while state.checkout.is_still_asked(reference, refund).await.unwrap_or(false) {
            tokio::time::sleep(LOOK_AGAIN_AFTER).await;
        }
    };
    // Where that took too long, the page says that it is being asked for.
    let _ = tokio::time::timeout(ANSWERED_WITHIN, answered).await;
    see_news(reference, news)
}

/// What came of the same press, or of the same wish, where it was sent before: a browser sends a form twice when
/// its button is pressed twice, and whoever pressed it sees only the second answer.
fn done_before(typed: &Typed, record: &OrderRecord) -> Option<String> {
    let refund = || record.refunds.iter().find(|refund| refund.id.0.to_string() == typed.refund);
    if typed.act == "turn-down" {
        return refund()
            .filter(|refund| refund.state == RefundState::Refused)
            .map(|refund| news_of(refund.id));
    }
    if !typed.confirmed {
        return None;
    }
    match typed.act.as_str() {
        "refund" => {
            let before = refund_of_press(record, &typed.key)?;
            // With another content it is another press, and is refused further on.
            let same = typed.minor.is_none_or(|minor| minor == before.money.minor);
            same.then(|| news_of(before.id))
        }
        "approve" => {
            let refund = refund()?;
            (refund.state != RefundState::Proposed).then(|| news_of(refund.id))
        }
        "refund-outcome" => {
            let recorded = if typed.done == "yes" { RefundState::Done } else { RefundState::Refused };
            refund().filter(|refund| refund.state == recorded).map(|refund| news_of(refund.id))
        }
        "reverse" => {
            let states: Vec<_> = record.file.payments.iter().map(|payment| payment.state).collect();
            let is_asked =
                states.iter().any(|state| matches!(state, PaymentState::Reversing | PaymentState::Reversed));
            (is_asked && !states.contains(&PaymentState::Paid)).then(|| "reversal".to_owned())
        }
        _ => None,
    }
}

fn of_form(words: &str) -> Wrong {
    vec![(String::new(), words.to_owned())]
}

/// The field that an amount was typed into.
fn amount_field(typed: &Typed, record: &OrderRecord) -> String {
    match typed.act.as_str() {
        "record" => "record-amount".to_owned(),
        "receive" => "receive-amount".to_owned(),
        _ if is_refused(typed, record) => format!("refund-amount-{}", typed.payment),
        _ => "refund-amount".to_owned(),
    }
}

fn reason_field(typed: &Typed, record: &OrderRecord) -> String {
    match typed.act.as_str() {
        "record" => "record-reason".to_owned(),
        _ if is_refused(typed, record) => format!("refund-reason-{}", typed.payment),
        _ => "refund-reason".to_owned(),
    }
}

/// Whether a refund is of a payment whose money was never the order's.
fn is_refused(typed: &Typed, record: &OrderRecord) -> bool {
    record
        .file
        .payments
        .iter()
        .any(|payment| payment.id.0.to_string() == typed.payment && payment.state == PaymentState::Refused)
}

/// What a form asks for; `None` where there is no such form.
fn read(typed: &Typed, record: &OrderRecord, words: &Words<'_>) -> Result<Option<Act>, Wrong> {
    let order = &record.file.order;
    let texts = words.texts();
    let refund = || {
        let refund = record.refunds.iter().find(|refund| refund.id.0.to_string() == typed.refund);
        refund.cloned().ok_or_else(|| of_form(texts.p_changed))
    };
    let of_state = |state: PaymentState| {
        let payment = record.file.payments.iter().find(|payment| payment.state == state);
        payment.map(|payment| payment.money).ok_or_else(|| of_form(texts.p_changed))
    };
    let was_done = match typed.done.as_str() {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    };
    Ok(Some(match typed.act.as_str() {
        "refund" => {
            let named = typed.payment.parse().ok().map(PaymentId);
            let payment = refundable(record, named).ok_or_else(|| of_form(texts.p_nothing))?;
            let (money, reason) = amount_and_reason(typed, record, payment.money.currency, words)?;
            Act::Refund { payment: payment.id, money, reason }
        }
        "record" => {
            let kind = RefundKind::from_name(&typed.kind).filter(|kind| *kind != RefundKind::Gateway);
            let kind = kind.ok_or_else(|| of_form(texts.p_no_kind))?;
            let (money, reason) = amount_and_reason(typed, record, order.new.total.currency, words)?;
            let named = typed.payment.parse().ok().map(PaymentId).filter(|_| kind != RefundKind::Hand);
            Act::Record { kind, payment: named, money, reason }
        }
        "approve" => Act::Approve(refund()?),
        "turn-down" => Act::TurnDown(refund()?),
        "refund-outcome" => {
            let was_done = was_done.ok_or_else(|| of_form(texts.p_changed))?;
            Act::Outcome { refund: refund()?, was_done }
        }
        "reverse" => Act::Reverse(of_state(PaymentState::Paid)?),
        "reversal-outcome" => {
            let was_done = was_done.ok_or_else(|| of_form(texts.p_changed))?;
            Act::ReversalOutcome { money: of_state(PaymentState::Reversing)?, was_done }
        }
        "receive" => {
            let money =
                amount(typed, record, order.new.total.currency, words).map_err(|wrong| vec![wrong])?;
            Act::Receive { money, note: typed.reason.clone(), settles: typed.settles }
        }
        "cancel" => Act::Cancel,
        "looked-at" => Act::LookedAt { shown: typed.shown.parse().unwrap_or(0) },
        "redeliver" => {
            let message = record.webhooks.iter().find(|one| one.id.0.to_string() == typed.message);
            Act::Redeliver(message.ok_or_else(|| of_form(texts.p_changed))?.id)
        }
        _ => return Ok(None),
    }))
}

fn amount(
    typed: &Typed,
    record: &OrderRecord,
    currency: Currency,
    words: &Words<'_>,
) -> Result<Money, (String, String)> {
    if let Some(minor) = typed.minor.filter(|minor| *minor > 0) {
        return Ok(Money::new(minor, currency));
    }
    typed_amount::parse(&typed.amount, currency, words.language).map_err(|error| {
        let texts = words.texts();
        let example = format::typed(Money::new(1_250, currency), words.language);
        let said = match error {
            TypedAmountError::Missing => texts.p_amount_missing.to_owned(),
            TypedAmountError::NotAnAmount => fill(texts.p_not_an_amount, &[("example", &example)]),
            TypedAmountError::TooPrecise => texts.p_too_precise.to_owned(),
            TypedAmountError::NotPositive => texts.p_not_positive.to_owned(),
            TypedAmountError::TooLarge => texts.p_too_large.to_owned(),
            TypedAmountError::OtherCurrency => fill(texts.p_currency, &[("currency", currency.code())]),
        };
        (amount_field(typed, record), said)
    })
}

/// Both, or everything that is wrong with either.
fn amount_and_reason(
    typed: &Typed,
    record: &OrderRecord,
    currency: Currency,
    words: &Words<'_>,
) -> Result<(Money, String), Wrong> {
    let amount = amount(typed, record, currency, words);
    let reason = if typed.reason.is_empty() {
        Err((reason_field(typed, record), words.texts().p_no_reason.to_owned()))
    } else {
        Ok(typed.reason.clone())
    };
    match (amount, reason) {
        (Ok(money), Ok(reason)) => Ok((money, reason)),
        (amount, reason) => Err(amount.err().into_iter().chain(reason.err()).collect()),
    }
}

impl Act {
    /// Whether it is shown once more before it happens.
    fn is_reviewed(&self) -> bool {
        !matches!(self, Self::TurnDown(_) | Self::LookedAt { .. } | Self::Redeliver(_))
    }

    /// The amount that was typed for it.
    fn typed_money(&self) -> Option<Money> {
        match self {
            Self::Refund { money, .. } | Self::Record { money, .. } | Self::Receive { money, .. } => {
                Some(*money)
            }
            _ => None,
        }
    }

    /// Whether money goes back because of it.
    fn gives_money_back(&self) -> bool {
        matches!(self, Self::Refund { .. } | Self::Approve(_) | Self::Reverse(_))
    }
}

/// Does it. What the page says about it afterwards.
async fn perform(
    checkout: Arc<Checkout>,
    reference: String,
    act: Act,
    key: String,
    actor: Actor,
) -> Result<String, MerchantError> {
    let of = |refund: &Refund| news_of(refund.id);
    let recorded = || "recorded".to_owned();
    Ok(match act {
        Act::Refund { payment, money, reason } => {
            let request = RefundRequest { reference, payment: Some(payment), money, reason, key, actor };
            of(&checkout.refund(request).await?)
        }
        Act::Record { kind, payment, money, reason } => {
            let request = RecordRequest { reference, payment, kind, money, reason, key, actor };
            of(&checkout.record_refund(request).await?)
        }
        Act::Approve(refund) => of(&checkout.approve_refund(&reference, refund.id, actor).await?),
        Act::TurnDown(refund) => of(&checkout.turn_down_refund(&reference, refund.id, actor).await?),
        Act::Outcome { refund, was_done } => {
            checkout.record_refund_outcome(&reference, refund.id, was_done, "", actor).await?;
            recorded()
        }
        Act::Reverse(_) => {
            checkout.reverse(&reference, actor).await?;
            "reversal".to_owned()
        }
        Act::ReversalOutcome { was_done, .. } => {
            checkout.record_reversal(&reference, was_done, actor).await?;
            recorded()
        }
        Act::Receive { money, note, settles } => {
            checkout.record_money(MoneyRequest { reference, money, note, settles, key, actor }).await?;
            recorded()
        }
        Act::Cancel => {
            checkout.cancel_order(&reference, actor).await?;
            recorded()
        }
        Act::LookedAt { shown } => {
            checkout.looked_at(&reference, shown, actor).await?;
            recorded()
        }
        Act::Redeliver(message) => {
            checkout.redeliver(&reference, Some(message), actor).await?;
            "redelivered".to_owned()
        }
    })
}

fn news_of(refund: RefundId) -> String {
    format!("refund-{}", refund.0)
}

/// What is about to happen, in words.
async fn show_review(
    state: &AppState,
    visitor: &Visitor,
    staff: &Staff,
    record: &OrderRecord,
    typed: &Typed,
    act: &Act,
    problem: Option<&'static str>,
) -> Response {
    let words = Words { checkout: &state.checkout, language: visitor.language };
    let reference = &record.file.order.new.reference;
    let key = if typed.key.is_empty() {
        match Token::random() {
            Ok(token) => token.secret().to_owned(),
            Err(error) => return failed(state, visitor, &error.into()).await,
        }
    } else {
        typed.key.clone()
    };
    let mut hidden = vec![(field::KEY, key), (field::CONFIRMED, "yes".to_owned())];
    for (name, text) in [
        (field::PAYMENT, &typed.payment),
        (field::REFUND, &typed.refund),
        (field::AMOUNT, &typed.amount),
        (field::REASON, &typed.reason),
        (field::KIND, &typed.kind),
        (field::DONE, &typed.done),
    ] {
        if !text.is_empty() {
            hidden.push((name, text.clone()));
        }
    }
    if let Some(money) = act.typed_money() {
        hidden.push((field::MINOR, money.minor.to_string()));
    }
    if typed.settles {
        hidden.push((field::SETTLES, "yes".to_owned()));
    }
    let review = Review {
        action: format!("{}/{reference}/{}", path::TRANSACTIONS, typed.act),
        hidden,
        wants_code: state.shop.second_factor_for_refunds && act.gives_money_back(),
        problem,
        back: typed.address(reference),
        ..review_of(&words, record, act)
    };
    let status = if problem.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let desk = staff.desk(state, visitor, path::TRANSACTIONS);
    page(status, move || view! { <ReviewPage desk=desk.clone() review=review.clone() /> }).await
}

/// The question, what it means, and the button.
fn review_of(words: &Words<'_>, record: &OrderRecord, act: &Act) -> Review {
    let texts = words.texts();
    let order_fact = (texts.order_heading, record.file.order.new.reference.clone());
    let asked = |heading: &str, money: Money, button: &str| {
        let amount = words.money(money);
        let of_amount = |template: &str| fill(template, &[("amount", &amount)]);
        Review {
            heading: of_amount(heading),
            button: of_amount(button),
            facts: vec![order_fact.clone()],
            ..Review::default()
        }
    };
    let what_is_left = |payment: Option<PaymentId>, money: Money| {
        let left = Money::new(record.left_minor(payment).saturating_sub(money.minor).max(0), money.currency);
        (left, words.money(left))
    };
    match act {
        Act::Refund { payment, money, reason } => {
            let (left, left_text) = what_is_left(Some(*payment), *money);
            let limit = words.checkout.settings.approval_above_minor(money.currency);
            let had =
                record.file.payments.iter().find(|one| one.id == *payment).map_or(0, |one| one.money.minor);
            let sum = had.saturating_sub(record.left_minor(Some(*payment))).saturating_add(money.minor);
            let is_proposal = limit.is_some_and(|limit| sum > limit);
            let button = if is_proposal { texts.review_propose_button } else { texts.review_refund_button };
            let goes = if left.minor == 0 {
                texts.review_refund_all.to_owned()
            } else {
                let holes = [("amount", words.money(*money)), ("left", left_text)];
                fill(texts.review_refund_text, &holes.each_ref().map(|(name, text)| (*name, text.as_str())))
            };
            let mut review = asked(texts.review_refund, *money, button);
            review.sentences = vec![goes];
            if is_proposal {
                review.sentences.push(texts.review_needs_approval.to_owned());
            }
            review.facts.push((texts.reason, reason.clone()));
            review
        }
        Act::Record { kind, payment, money, reason } => {
            let payment = match kind {
                RefundKind::Hand => None,
                _ => refundable(record, *payment).map(|payment| payment.id),
            };
            let (_, left) = what_is_left(payment, *money);
            let mut review = asked(texts.review_record, *money, texts.review_record_button);
            review.sentences = vec![fill(texts.review_record_text, &[("left", &left)])];
            review.facts.push((texts.record_kind, texts.refund_kind(kind.name()).to_owned()));
            review.facts.push((texts.reason, reason.clone()));
            review
        }
        Act::Approve(refund) => {
            let mut review = asked(texts.review_approve, refund.money, texts.review_approve_button);
            review.sentences = vec![fill(texts.review_approve_text, &[("who", &refund.asked_by)])];
            review.facts.push((texts.reason, refund.reason.clone()));
            review
        }
        Act::Outcome { refund, was_done } => {
            let heading = if *was_done { texts.review_outcome_done } else { texts.review_outcome_not };
            let mut review = asked(heading, refund.money, texts.review_outcome_button);
            review.sentences = vec![texts.review_outcome_text.to_owned()];
            review.facts.push((texts.gateway_order, refund.gateway_order_id.clone().unwrap_or_default()));
            review
        }
        Act::Reverse(money) => {
            let mut review = asked(texts.review_reverse, *money, texts.review_reverse_button);
            review.sentences = vec![texts.review_reverse_text.to_owned()];
            review
        }
        Act::ReversalOutcome { money, was_done } => {
            let heading = if *was_done { texts.review_reversal_done } else { texts.review_reversal_not };
            let mut review = asked(heading, *money, texts.review_outcome_button);
            review.sentences = vec![texts.review_outcome_text.to_owned()];
            review
        }
        Act::Receive { money, note, settles } => {
            let waits = record.file.order.state == OrderState::Awaiting;
            let missing = missing_minor(record).saturating_sub(money.minor);
            let amount = words.money(Money::new(missing.saturating_abs(), money.currency));
            let sentence = match missing {
                _ if !waits => texts.review_receive_other.to_owned(),
                0 => texts.review_receive_exact.to_owned(),
                1.. if *settles => fill(texts.review_receive_settled, &[("missing", &amount)]),
                1.. => fill(texts.review_receive_short, &[("missing", &amount)]),
                _ => fill(texts.review_receive_over, &[("over", &amount)]),
            };
            let mut review = asked(texts.review_receive, *money, texts.review_record_button);
            review.sentences = vec![sentence];
            review.facts.push((texts.review_note, note.clone()));
            review
        }
        Act::Cancel => {
            let total = record.file.order.new.total;
            let mut review = asked(texts.review_cancel, total, texts.cancel_button);
            review.sentences = vec![words.cancelling(record).to_owned()];
            review
        }
        Act::TurnDown(_) | Act::LookedAt { .. } | Act::Redeliver(_) => Review::default(),
    }
}

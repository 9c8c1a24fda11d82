//! Money that goes back: refunds over the gateway, their approval, reversals, and what a person records.
//!
//! A refund's amount is set aside in the database before the gateway is asked, and the database itself
//! refuses more than is left. What the gateway says counts only where it decides: a signed yes or a signed,
//! definite no. Anything else leaves the refund unknown: its amount stays set aside, nothing is sent again,
//! and a person records what the myPOS account shows.

use domain::{Money, PaymentState, RefundEvent, RefundState, Refusal};
use metrics::counter;
use mypos::{Outcome, RefundReply, Reversal, ReversalReply, Trnref};

use crate::checkout::{Checkout, CheckoutError};
use crate::conversation::{Answer, Signed};
use crate::figures::REFUNDS;
use crate::people::{Action, Actor};
use crate::records::{Event, EventKind, Payment, PaymentId, Refund, RefundId, RefundKind};
use crate::rules::Cause;
use crate::start::to_gateway;
use crate::store::merchant::{
    Approved, NewReceipt, NewRefund, OrderRecord, RecordedRefund, Reserved, Settlement,
};
use crate::store::{Applied, StoreError};
use crate::text::clean;
use crate::token::{Hash, NoRandomness, random};

/// The longest reason or note, in characters.
pub const MAX_REASON_CHARS: usize = 200;

/// Why nothing was done. The merchant can do something about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MerchantProblem {
    /// There is no such order, payment or refund.
    #[error("there is no such order")]
    NotFound,
    /// No money of the order can be given back.
    #[error("nothing of this order can be refunded")]
    NothingToRefund,
    /// The amount is zero or less.
    #[error("the amount must be more than zero")]
    NotPositive,
    /// The amount is in another currency than the payment.
    #[error("the amount must be in {0}")]
    OtherCurrency(domain::Currency),
    /// More than is left.
    #[error("only {} of it can still be refunded", crate::format::plain(*.0))]
    TooMuch(Money),
    /// It has to say why.
    #[error("say why")]
    NoReason,
    /// The idempotency key was used for something else.
    #[error("this was sent before with another amount")]
    KeyReused,
    /// Whoever asked for a refund does not approve it.
    #[error("somebody else has to approve it")]
    OwnProposal,
    /// The refund is not in a state in which that can happen.
    #[error("the refund has changed meanwhile")]
    RefundChanged,
    /// A payment of which parts were refunded is not reversed.
    #[error("parts of the payment were refunded: refund the rest instead")]
    HasRefunds,
    /// The payment is not paid.
    #[error("the payment is not paid, or has changed meanwhile")]
    NotPaid,
    /// The order is not in a state in which that can happen.
    #[error("the order has changed meanwhile")]
    OrderChanged,
    /// Above the limit for approvals: only a refund can be approved by a second person.
    #[error("a second person has to approve this sum: refund it instead")]
    NeedsApproval,
    /// The gateway may still be answering.
    #[error("the gateway is still being asked: wait for its answer")]
    StillAsked,
    /// The gateway's reference of the payment is not known.
    #[error("the gateway's reference of this payment is not known: refund it in the myPOS account")]
    NoReference,
}

/// Why a use-case of the merchant did not go on.
#[derive(Debug, thiserror::Error)]
pub enum MerchantError {
    /// The merchant can do something about it.
    #[error(transparent)]
    Problem(#[from] MerchantProblem),
    /// Our side failed.
    #[error(transparent)]
    Failed(#[from] CheckoutError),
}

impl From<StoreError> for MerchantError {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<NoRandomness> for MerchantError {
    fn from(error: NoRandomness) -> Self {
        Self::Failed(error.into())
    }
}

/// A press of Refund.
#[derive(Clone, Debug)]
pub struct RefundRequest {
    /// The order's reference.
    pub reference: String,
    /// The payment; the one that holds the order's money where `None`.
    pub payment: Option<PaymentId>,
    /// How much.
    pub money: Money,
    /// Why.
    pub reason: String,
    /// The idempotency key of the press: the same one never refunds twice.
    pub key: String,
    /// Who asks.
    pub actor: Actor,
}

/// A refund that was made elsewhere, as the merchant records it.
#[derive(Clone, Debug)]
pub struct RecordRequest {
    /// The order's reference.
    pub reference: String,
    /// The payment; the one that holds the order's money where `None`. Not for [`RefundKind::Hand`].
    pub payment: Option<PaymentId>,
    /// How it was made; not [`RefundKind::Gateway`].
    pub kind: RefundKind,
    /// How much.
    pub money: Money,
    /// Why.
    pub reason: String,
    /// The idempotency key of the press.
    pub key: String,
    /// Who records it.
    pub actor: Actor,
}

/// Money that came in by one of the merchant's own methods, as he records it.
#[derive(Clone, Debug)]
pub struct MoneyRequest {
    /// The order's reference.
    pub reference: String,
    /// How much.
    pub money: Money,
    /// In the merchant's words; may be empty.
    pub note: String,
    /// Whether the order counts as paid although less came in.
    pub settles: bool,
    /// The idempotency key of the press.
    pub key: String,
    /// Who records it.
    pub actor: Actor,
}

/// What came of a reversal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reversed {
    /// Where the payment stands now: reversed, paid (the gateway refused), or still reversing (nobody knows).
    pub state: PaymentState,
    /// The gateway's code and its name, where it refused.
    pub answer: String,
}

/// What is stored of an idempotency key.
fn key_hash(key: &str) -> Hash {
    Hash::of(&[b"refund", key.as_bytes()])
}

/// The refund of an order that a press made before.
pub fn refund_of_press<'r>(record: &'r OrderRecord, key: &str) -> Option<&'r Refund> {
    let key = Some(key_hash(key));
    record.refunds.iter().find(|refund| refund.key == key)
}

/// What came of a press that was sent before, whatever has become of the payments since. With another content it
/// is another press, and one of the two is wrong.
fn sent_before(
    record: &OrderRecord,
    key: &str,
    kind: RefundKind,
    payment: Option<PaymentId>,
    money: Money,
) -> Option<Result<Refund, MerchantProblem>> {
    let before = refund_of_press(record, key)?;
    let is_same = before.kind == kind
        && before.money == money
        && payment.is_none_or(|named| before.payment == Some(named));
    Some(if is_same { Ok(before.clone()) } else { Err(MerchantProblem::KeyReused) })
}

/// The payment of an order that a refund is made from: the one that was named, or the one that holds the
/// money, or one whose money could not be taken for the order.
pub fn refundable(record: &OrderRecord, named: Option<PaymentId>) -> Option<&Payment> {
    let may = |payment: &&Payment| matches!(payment.state, PaymentState::Paid | PaymentState::Refused);
    let mut payments = record.file.payments.iter().filter(may);
    if let Some(id) = named {
        return payments.find(|payment| payment.id == id);
    }
    let candidates: Vec<&Payment> = payments.collect();
    let holding = candidates.iter().find(|payment| payment.state == PaymentState::Paid);
    holding.or_else(|| candidates.last()).copied()
}

impl Checkout {
    /// Everything about an order, for the merchant. Test and live never mix: an order of the other mode is
    /// not found.
    pub async fn order_record(&self, reference: &str) -> Result<OrderRecord, MerchantError> {
        let record = self.store.order_record(reference).await?;
        let of_this_mode = |record: &OrderRecord| {
            let order = &record.file.order.new;
            order.mode == self.settings.mode_for(order.total.currency)
        };
        record.filter(of_this_mode).ok_or(MerchantProblem::NotFound.into())
    }

    /// Refunds part of a payment, or all of it. `Ok` says where the refund stands: done, refused by the
    /// gateway, unknown, or waiting for a second person; of a press that was sent before, also still asked for.
    pub async fn refund(&self, request: RefundRequest) -> Result<Refund, MerchantError> {
        let record = self.order_record(&request.reference).await?;
        let kind = RefundKind::Gateway;
        if let Some(before) = sent_before(&record, &request.key, kind, request.payment, request.money) {
            return Ok(before?);
        }
        let payment = refundable(&record, request.payment).ok_or(MerchantProblem::NothingToRefund)?;
        let reason = said(&request.reason)?;
        let limit = self.settings.approval_above_minor(payment.money.currency);
        let key = Some(key_hash(&request.key));
        let left = record.left_minor(Some(payment.id));
        if request.money.minor > left {
            // Not worth a signature. What is left in the end, the database says.
            return Err(too_much(Money::new(left, payment.money.currency)).into());
        }
        self.refund_payment(payment, request.money, reason, key, request.actor, limit).await
    }

    /// Sets a refund's amount aside, asks the gateway, and settles it by the answer.
    pub(crate) async fn refund_payment(
        &self,
        payment: &Payment,
        money: Money,
        reason: String,
        key: Option<Hash>,
        actor: Actor,
        approval_above_minor: Option<i64>,
    ) -> Result<Refund, MerchantError> {
        check_amount(money, payment.money)?;
        let gateway_order_id = mypos::OrderId::from_random(random()?);
        let request = self.refund_form(payment, gateway_order_id.clone(), money).await?;
        let refund = NewRefund {
            payment: payment.id,
            gateway_order_id: gateway_order_id.as_str().to_owned(),
            key,
            money,
            reason,
            actor,
            request: request.0.clone(),
            approval_above_minor,
        };
        match self.store.reserve_refund(refund, self.now_ms()).await? {
            Reserved::Yes(reserved) => self.carry_out(*reserved, payment, request).await,
            Reserved::Proposed(id) => self.refund_of(id).await,
            // Another press with this key came first by a moment, after the record was read.
            Reserved::Repeated(id) => match self.refund_of(id).await? {
                refund if refund.state == RefundState::Reserved => Err(MerchantProblem::StillAsked.into()),
                refund => Ok(refund),
            },
            Reserved::KeyReused => Err(MerchantProblem::KeyReused.into()),
            Reserved::No => Err(self.why_not(payment).await?.into()),
        }
    }

    /// Why a refund could not be set aside.
    async fn why_not(&self, payment: &Payment) -> Result<MerchantProblem, MerchantError> {
        let left = match self.store.order_record_of(payment.id).await? {
            Some(record) if refundable(&record, Some(payment.id)).is_some() => {
                record.left_minor(Some(payment.id))
            }
            _ => 0,
        };
        Ok(too_much(Money::new(left, payment.money.currency)))
    }

    async fn refund_of(&self, id: RefundId) -> Result<Refund, MerchantError> {
        self.store.refund(id).await?.ok_or(MerchantProblem::NotFound.into())
    }

    /// The signed request of a refund.
    async fn refund_form(
        &self,
        payment: &Payment,
        order_id: mypos::OrderId,
        money: Money,
    ) -> Result<Signed, MerchantError> {
        let store = self.store_of(&payment.store)?;
        let request = mypos::Refund { order_id, trnref: trnref_of(payment)?, amount: to_gateway(money)? };
        Ok(self.signed(store, &request).await?)
    }

    /// Asks the gateway for a refund that is set aside, once, and settles it by what comes of it. From the
    /// question on there is no error: a refund that could not be settled is still reserved, and becomes
    /// unknown when its lease is over.
    async fn carry_out(
        &self,
        reserved: Refund,
        payment: &Payment,
        request: Signed,
    ) -> Result<Refund, MerchantError> {
        let id = reserved.id;
        let amount = to_gateway(reserved.money)?;
        let store = self.store_of(&payment.store)?;
        let answer = self.send(store, request).await;
        let (outcome, detail) = outcome_of(&answer, |verified| {
            let reply = RefundReply::read(verified).ok()?;
            Some((reply.outcome(amount), reply.status))
        });
        let event = match outcome {
            Outcome::Yes => RefundEvent::AnsweredYes,
            Outcome::No(_) => RefundEvent::AnsweredNo,
            Outcome::Undecided => RefundEvent::Undecided,
        };
        let word = match outcome {
            Outcome::Yes => "done",
            Outcome::No(_) => "refused",
            Outcome::Undecided => "unknown",
        };
        counter!(REFUNDS, "outcome" => word).increment(1);
        tracing::info!(refund = id.0, payment = %payment.gateway_order_id, outcome = word, "the gateway was asked for a refund");
        if outcome == Outcome::Undecided {
            tracing::error!(%detail, "nobody knows what became of a refund: look at the myPOS account");
        }
        let settlement = Settlement { event, detail, raw: answer.raw, actor: None };
        // A refusal means that the refund was settled meanwhile; what contradicts that was raised.
        let settled = self.store.settle_refund(id, settlement, self.now_ms()).await;
        let stands = match settled {
            Ok(_) => self.refund_of(id).await,
            Err(error) => Err(error.into()),
        };
        Ok(stands.unwrap_or_else(|error| {
            tracing::error!(%error, ?outcome, refund = id.0, "the gateway answered, and it could not be written down");
            reserved
        }))
    }

    /// Approves a refund that somebody else proposed, and carries it out.
    pub async fn approve_refund(
        &self,
        reference: &str,
        id: RefundId,
        actor: Actor,
    ) -> Result<Refund, MerchantError> {
        let (record, refund) = self.refund_in(reference, id).await?;
        let payment = refundable(&record, refund.payment).ok_or(MerchantProblem::NotPaid)?;
        let order_id = refund
            .gateway_order_id
            .as_deref()
            .and_then(|text| mypos::OrderId::parse(text).ok())
            .ok_or(MerchantProblem::RefundChanged)?;
        let request = self.refund_form(payment, order_id, refund.money).await?;
        match self.store.approve_refund(id, actor, request.0.clone(), self.now_ms()).await? {
            Approved::Yes(approved) => self.carry_out(*approved, payment, request).await,
            Approved::OwnProposal => Err(MerchantProblem::OwnProposal.into()),
            Approved::NotProposed => Err(MerchantProblem::RefundChanged.into()),
            Approved::DoesNotFit => Err(MerchantProblem::NotPaid.into()),
        }
    }

    /// Turns a proposed refund down; its amount is free again.
    pub async fn turn_down_refund(
        &self,
        reference: &str,
        id: RefundId,
        actor: Actor,
    ) -> Result<Refund, MerchantError> {
        self.settle_by_hand(reference, id, RefundEvent::TurnedDown, String::new(), actor).await
    }

    /// Records what the myPOS account says about a refund of which nobody knew.
    pub async fn record_refund_outcome(
        &self,
        reference: &str,
        id: RefundId,
        was_done: bool,
        note: &str,
        actor: Actor,
    ) -> Result<Refund, MerchantError> {
        let event = if was_done { RefundEvent::RecordedDone } else { RefundEvent::RecordedNotDone };
        let detail = format!("recorded by {}: {}", actor.who, clean(note, MAX_REASON_CHARS));
        self.settle_by_hand(reference, id, event, detail, actor).await
    }

    async fn settle_by_hand(
        &self,
        reference: &str,
        id: RefundId,
        event: RefundEvent,
        detail: String,
        actor: Actor,
    ) -> Result<Refund, MerchantError> {
        self.refund_in(reference, id).await?;
        let settlement = Settlement { event, detail, raw: None, actor: Some(actor) };
        match self.store.settle_refund(id, settlement, self.now_ms()).await? {
            Ok(_) => self.refund_of(id).await,
            Err(_) => Err(MerchantProblem::RefundChanged.into()),
        }
    }

    /// A refund of an order: the number alone opens nothing.
    async fn refund_in(&self, reference: &str, id: RefundId) -> Result<(OrderRecord, Refund), MerchantError> {
        let record = self.order_record(reference).await?;
        let refund = record.refunds.iter().find(|refund| refund.id == id).cloned();
        let refund = refund.ok_or(MerchantProblem::NotFound)?;
        Ok((record, refund))
    }

    /// Records a refund that was made in the myPOS account, by a chargeback, or by hand.
    pub async fn record_refund(&self, request: RecordRequest) -> Result<Refund, MerchantError> {
        let record = self.order_record(&request.reference).await?;
        if let Some(before) = sent_before(&record, &request.key, request.kind, request.payment, request.money)
        {
            return Ok(before?);
        }
        let reason = said(&request.reason)?;
        let (payment, currency) = match request.kind {
            RefundKind::Gateway => return Err(MerchantProblem::NothingToRefund.into()),
            RefundKind::Hand => (None, record.file.order.new.total.currency),
            RefundKind::Account | RefundKind::Chargeback => {
                let payment = refundable(&record, request.payment).ok_or(MerchantProblem::NothingToRefund)?;
                (Some(payment.id), payment.money.currency)
            }
        };
        check_amount(request.money, Money::zero(currency))?;
        let refund = RecordedRefund {
            order: record.file.order.id,
            payment,
            kind: request.kind,
            key: key_hash(&request.key),
            money: request.money,
            reason,
            actor: request.actor,
        };
        match self.store.record_refund(refund, self.now_ms()).await? {
            Reserved::Yes(recorded) => Ok(*recorded),
            Reserved::Proposed(id) | Reserved::Repeated(id) => self.refund_of(id).await,
            Reserved::KeyReused => Err(MerchantProblem::KeyReused.into()),
            Reserved::No => {
                let left = self.order_record(&request.reference).await?.left_minor(payment);
                Err(too_much(Money::new(left, currency)).into())
            }
        }
    }

    /// Asks the gateway to undo a whole payment of which nothing was refunded. From the question on there is no
    /// error: one whose answer could not be written down is still being reversed.
    pub async fn reverse(&self, reference: &str, actor: Actor) -> Result<Reversed, MerchantError> {
        let record = self.order_record(reference).await?;
        let payment = record.file.payments.iter().find(|payment| payment.state == PaymentState::Paid);
        let payment = payment.ok_or(MerchantProblem::NotPaid)?;
        let limit = self.settings.approval_above_minor(payment.money.currency);
        if limit.is_some_and(|limit| payment.money.minor > limit) {
            return Err(MerchantProblem::NeedsApproval.into());
        }
        let store = self.store_of(&payment.store)?;
        let request = self.signed(store, &Reversal { trnref: trnref_of(payment)? }).await?;
        let asked = Some(request.0.clone());
        let by = Some((actor, Action::ReversalAsked));
        self.apply_by(payment.id, Cause::ReversalAsked, asked, by).await?;

        let amount = to_gateway(payment.money)?;
        let answer = self.send(store, request).await;
        let (outcome, detail) = outcome_of(&answer, |verified| {
            let reply = ReversalReply::read(verified).ok()?;
            Some((reply.outcome(amount), reply.status))
        });
        let cause = match outcome {
            Outcome::Yes => Cause::ReversalYes,
            Outcome::No(_) => Cause::ReversalNo,
            Outcome::Undecided => Cause::ReversalUndecided,
        };
        // A rollback may have come meanwhile: then that is where the payment stands.
        let (now_ms, timing) = (self.now_ms(), &self.settings.timing);
        let state = match self.store.apply_by(payment.id, cause, answer.raw, None, now_ms, timing).await {
            Ok(applied) => applied.map_or(PaymentState::Reversing, |applied| applied.decision.payment.state),
            Err(error) => {
                tracing::error!(%error, ?outcome, "the gateway answered, and it could not be written down");
                PaymentState::Reversing
            }
        };
        Ok(Reversed { state, answer: detail })
    }

    /// Records what the myPOS account says about a reversal of which nobody knew.
    pub async fn record_reversal(
        &self,
        reference: &str,
        was_done: bool,
        actor: Actor,
    ) -> Result<(), MerchantError> {
        let record = self.order_record(reference).await?;
        let payment = record.file.payments.iter().find(|payment| payment.state == PaymentState::Reversing);
        let payment = payment.ok_or(MerchantProblem::NotPaid)?;
        let events = self.store.events(record.file.order.id).await?;
        if !self.is_reversal_unknown(payment, &events) {
            return Err(MerchantProblem::StillAsked.into());
        }
        let cause = if was_done { Cause::ReversalYes } else { Cause::ReversalNo };
        let by = Some((actor, Action::ReversalOutcomeRecorded));
        self.apply_by(payment.id, cause, None, by).await.map(drop)
    }

    /// Whether the gateway is being asked for that refund of an order or, without one, for a reversal of it: what
    /// comes of it is not known yet.
    pub async fn is_still_asked(
        &self,
        reference: &str,
        refund: Option<RefundId>,
    ) -> Result<bool, MerchantError> {
        let record = self.order_record(reference).await?;
        if let Some(id) = refund {
            return Ok(record.refunds.iter().any(|one| one.id == id && one.state == RefundState::Reserved));
        }
        let payment = record.file.payments.iter().find(|payment| payment.state == PaymentState::Reversing);
        let Some(payment) = payment else { return Ok(false) };
        let events = self.store.events(record.file.order.id).await?;
        Ok(!self.is_reversal_unknown(payment, &events))
    }

    /// Whether nobody knows what became of a payment's reversal: the gateway's answer decided nothing, or never
    /// came.
    pub fn is_reversal_unknown(&self, payment: &Payment, events: &[Event]) -> bool {
        let asked_at_ms = payment.state_since_ms;
        let is_raised = events.iter().any(|event| {
            event.payment == Some(payment.id)
                && event.what.kind == EventKind::ReversalUnknown
                && event.at_ms >= asked_at_ms
        });
        let is_over = self.now_ms().saturating_sub(asked_at_ms) >= self.settings.timing.refund_lease_ms;
        payment.state == PaymentState::Reversing && (is_raised || is_over)
    }

    async fn apply_by(
        &self,
        payment: PaymentId,
        cause: Cause,
        raw: Option<String>,
        by: Option<(Actor, Action)>,
    ) -> Result<Applied, MerchantError> {
        let (now_ms, timing) = (self.now_ms(), &self.settings.timing);
        let applied = self.store.apply_by(payment, cause, raw, by, now_ms, timing).await?;
        let applied = applied.ok_or(MerchantProblem::NotFound)?;
        match applied.decision.outcome {
            Ok(_) => Ok(applied),
            Err(Refusal::HasRefunds) => Err(MerchantProblem::HasRefunds.into()),
            Err(_) => Err(MerchantProblem::NotPaid.into()),
        }
    }

    /// Records money that came in by one of the merchant's own methods. The order as it stands then.
    pub async fn record_money(&self, request: MoneyRequest) -> Result<OrderRecord, MerchantError> {
        let record = self.order_record(&request.reference).await?;
        let order = &record.file.order;
        check_amount(request.money, order.new.total)?;
        let receipt = NewReceipt {
            order: order.id,
            money: request.money,
            key: key_hash(&request.key),
            note: clean(&request.note, MAX_REASON_CHARS),
            settles: request.settles,
            actor: request.actor,
        };
        match self.store.record_receipt(receipt, self.now_ms()).await? {
            Ok(_) => self.order_record(&request.reference).await,
            Err(_) => Err(MerchantProblem::OrderChanged.into()),
        }
    }

    /// Cancels an order that is not paid.
    pub async fn cancel_order(&self, reference: &str, actor: Actor) -> Result<(), MerchantError> {
        let order = self.order_record(reference).await?.file.order.id;
        match self.store.cancel_order(order, actor, self.now_ms()).await? {
            Ok(()) => Ok(()),
            Err(_) => Err(MerchantProblem::OrderChanged.into()),
        }
    }

    /// Notes that a person has looked at an order that needed one, and was shown so many of its events that
    /// [need a person](EventKind::needs_a_person). What came in since nobody has seen.
    pub async fn looked_at(&self, reference: &str, shown: u32, actor: Actor) -> Result<(), MerchantError> {
        let order = self.order_record(reference).await?.file.order.id;
        if self.store.looked_at(order, shown, actor, self.now_ms()).await? {
            Ok(())
        } else {
            Err(MerchantProblem::OrderChanged.into())
        }
    }
}

/// What is said of an amount that is more than is left.
fn too_much(left: Money) -> MerchantProblem {
    if left.minor > 0 { MerchantProblem::TooMuch(left) } else { MerchantProblem::NothingToRefund }
}

fn check_amount(money: Money, of: Money) -> Result<(), MerchantProblem> {
    if money.currency != of.currency {
        return Err(MerchantProblem::OtherCurrency(of.currency));
    }
    if money.minor > 0 { Ok(()) } else { Err(MerchantProblem::NotPositive) }
}

fn said(reason: &str) -> Result<String, MerchantProblem> {
    let reason = clean(reason, MAX_REASON_CHARS);
    if reason.is_empty() { Err(MerchantProblem::NoReason) } else { Ok(reason) }
}

fn trnref_of(payment: &Payment) -> Result<Trnref, MerchantProblem> {
    let known = payment.trnref.as_deref().and_then(|text| Trnref::parse(text).ok());
    known.ok_or(MerchantProblem::NoReference)
}

/// What an answer decides, and in words what it was.
fn outcome_of(
    answer: &Answer,
    read: impl FnOnce(&mypos::Verified) -> Option<(Outcome, mypos::StatusCode)>,
) -> (Outcome, String) {
    match &answer.verified {
        Ok(verified) => match read(verified) {
            Some((Outcome::Yes, _)) => (Outcome::Yes, String::new()),
            Some((outcome, code)) => (outcome, code.to_string()),
            None => (Outcome::Undecided, "the gateway's answer is not of its shape".to_owned()),
        },
        Err(error) => (Outcome::Undecided, error.to_string()),
    }
}

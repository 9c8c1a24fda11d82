//! Asking the gateway what became of payments that no message settled.

use domain::{Money, PaymentState, RefundState};
use futures_util::FutureExt as _;
use futures_util::future::{Either, select};
use futures_util::stream::{self, StreamExt as _};
use metrics::counter;
use mypos::{
    Callback, GetPaymentStatus, GetTxnStatus, PaymentStatus, PaymentStatusReply, Request, TxnStatusReply,
    Verified,
};

use crate::callbacks::from_gateway;
use crate::checkout::{Checkout, CheckoutError};
use crate::conversation::NoAnswer;
use crate::figures::{self, STATUS_ANSWERS};
use crate::mypos_store::MyposStore;
use crate::people::Actor;
use crate::records::{EventKind, NewEvent, Payment, PaymentId};
use crate::refund::MerchantError;
use crate::rules::Cause;

/// How many payments one round claims: as many as are asked about at a time, so that none waits while its lease runs out.
const ROUND: u32 = 8;
const AT_A_TIME: usize = 8;

/// What a reconciliation found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Report {
    /// How many payments were asked about.
    pub asked: u32,
    /// How many of them changed their state.
    pub changed: u32,
    /// How many questions had no answer that decides.
    pub undecided: u32,
    /// How many could not be looked at, because our own side failed; they are tried again.
    pub failed: u32,
    /// How many orders expired.
    pub expired: u32,
}

/// What one question brought.
pub(crate) struct Asked {
    /// The payment as it stands now.
    pub(crate) payment: Payment,
    /// What the gateway said.
    cause: Cause,
}

impl Checkout {
    /// Asks about the payments that are due, a few of them. Replicas share the work: each payment is claimed first. Once
    /// `stop` is over, no question is asked and none waited for; what has begun to be given back is finished.
    pub async fn reconcile_due(
        &self,
        stop: impl Future<Output = ()> + Send,
    ) -> Result<Report, CheckoutError> {
        let timing = &self.settings.timing;
        let now_ms = self.now_ms();
        let mut report = Report::default();
        let due = self.store.claim_due(now_ms, timing.ask_lease_ms, ROUND).await?;
        let stop = stop.boxed().shared();
        self.reconcile_each(&due, &mut report, stop.clone()).await;
        if stop.peek().is_some() && !due.is_empty() {
            // What has its answer is not claimed any more.
            let ids = due.iter().map(|payment| payment.id).collect();
            self.store.give_back_due(ids, now_ms.saturating_add(timing.ask_lease_ms)).await?;
        }
        self.close(now_ms, &mut report).await?;
        Ok(report)
    }

    /// Asks about every payment that has not ended, due or not.
    pub async fn reconcile_all(&self) -> Result<Report, CheckoutError> {
        let mut report = Report::default();
        let mut after = PaymentId(0);
        loop {
            let payments = self.store.unsettled(after, ROUND).await?;
            let Some(last) = payments.last() else { break };
            after = last.id;
            self.reconcile_each(&payments, &mut report, std::future::pending()).await;
        }
        self.close(self.now_ms(), &mut report).await?;
        Ok(report)
    }

    /// Ends what nobody will finish: orders that were not paid, refunds and reversals whose answer was never
    /// seen.
    async fn close(&self, now_ms: i64, report: &mut Report) -> Result<(), CheckoutError> {
        let timing = &self.settings.timing;
        let asked_before = now_ms.saturating_sub(timing.refund_lease_ms);
        let abandoned = self.store.abandon_refunds(asked_before, now_ms).await?;
        if abandoned > 0 {
            tracing::error!(
                refunds = abandoned,
                "nobody knows what became of refunds: look at the myPOS account"
            );
        }
        let abandoned = self.store.abandon_reversals(asked_before, now_ms, timing).await?;
        if abandoned > 0 {
            tracing::error!(
                reversals = abandoned,
                "nobody knows what became of reversals: look at the myPOS account"
            );
        }
        let placed_before = now_ms.saturating_sub(timing.order_expires_ms);
        let keys_before = now_ms.saturating_sub(timing.key_kept_ms);
        report.expired = self.store.expire(placed_before, keys_before, now_ms).await?;
        Ok(())
    }

    /// Asks about some payments, a few at a time. One that fails does not keep the others waiting.
    async fn reconcile_each(
        &self,
        payments: &[Payment],
        report: &mut Report,
        stop: impl Future<Output = ()> + Send,
    ) {
        let stop = stop.boxed().shared();
        let questions: Vec<_> =
            payments.iter().map(|payment| self.with_its_answer(payment, stop.clone())).collect();
        let answers: Vec<_> =
            stream::iter(questions).take_until(stop).buffer_unordered(AT_A_TIME).collect().await;
        for (before, answer) in answers {
            report.asked += 1;
            match answer {
                Ok(Some(after)) if after.state != before.state => report.changed += 1,
                Ok(Some(after)) if after.unanswered > 0 => report.undecided += 1,
                Ok(_) => {}
                Err(error) => {
                    tracing::error!(
                        %error,
                        payment = %before.gateway_order_id,
                        "a payment could not be looked at; it is tried again"
                    );
                    report.failed += 1;
                }
            }
        }
    }

    async fn with_its_answer<'p>(
        &self,
        payment: &'p Payment,
        stop: impl Future<Output = ()> + Send + Unpin,
    ) -> (&'p Payment, Result<Option<Payment>, CheckoutError>) {
        (payment, self.reconcile_one(payment, stop).await)
    }

    async fn reconcile_one(
        &self,
        payment: &Payment,
        stop: impl Future<Output = ()> + Send + Unpin,
    ) -> Result<Option<Payment>, CheckoutError> {
        let asked = match select(self.ask(payment).boxed(), stop).await {
            Either::Left((asked, _)) => asked?,
            // It is asked again, by whoever comes next.
            Either::Right(_) => return Ok(None),
        };
        let Some(Asked { payment, cause }) = asked else {
            return Ok(None);
        };
        let waited_ms = self.now_ms().saturating_sub(payment.state_since_ms);
        let due = payment.state == PaymentState::Refused
            && waited_ms >= self.settings.timing.refund_refused_after_ms;
        if let (true, Cause::StatusPaid { money, .. }) = (due, cause) {
            self.give_back(&payment, money).await?;
        }
        Ok(Some(payment))
    }

    /// Asks the gateway about one payment and applies its answer.
    pub(crate) async fn ask(&self, payment: &Payment) -> Result<Option<Asked>, CheckoutError> {
        let cause = match self.status_of(payment).await {
            Ok(cause) => cause,
            Err(error) => {
                tracing::warn!(
                    %error,
                    payment = %payment.gateway_order_id,
                    "a status query had no answer that decides"
                );
                counter!(STATUS_ANSWERS, "status" => "none").increment(1);
                Cause::StatusUndecided
            }
        };
        let (now_ms, timing) = (self.now_ms(), &self.settings.timing);
        let applied = self
            .store
            .apply(&payment.store, &payment.gateway_order_id, cause.clone(), None, now_ms, timing)
            .await?;
        if let Some(applied) = &applied {
            figures::happened(&applied.decision.events);
            let after = &applied.decision.payment;
            if after.state != payment.state {
                tracing::info!(
                    order = %applied.order.new.reference,
                    payment = %after.gateway_order_id,
                    state = after.state.name(),
                    "a status reply was applied"
                );
            }
        }
        Ok(applied.map(|applied| Asked { payment: applied.decision.payment, cause }))
    }

    /// What the gateway says about a payment.
    async fn status_of(&self, payment: &Payment) -> Result<Cause, AskError> {
        let store = self.store_of(&payment.store)?;
        let order_id = mypos::OrderId::parse(&payment.gateway_order_id).map_err(|_| AskError::Unreadable)?;
        let verified = self.question(store, &GetPaymentStatus { order_id: order_id.clone() }).await?;
        let reply = PaymentStatusReply::read(&verified).map_err(|_| AskError::Unreadable)?;
        // An answer that names no order could be the answer to another question. Only "unknown order" may.
        let names_it = reply.order_id.as_ref() == Some(&order_id)
            || (reply.order_id.is_none() && reply.payment_status == PaymentStatus::UnknownOrder);
        if !names_it || reply.sid.as_ref().is_some_and(|sid| *sid != store.sid) {
            return Err(AskError::Unreadable);
        }
        self.note_declined(payment, &reply).await?;
        let status = match reply.payment_status {
            PaymentStatus::Paid => "paid",
            PaymentStatus::Unsuccessful => "unsuccessful",
            PaymentStatus::UnknownOrder => "unknown_order",
            PaymentStatus::Reversed => "reversed",
            PaymentStatus::Pending | PaymentStatus::Unknown(_) => "pending",
        };
        counter!(STATUS_ANSWERS, "status" => status).increment(1);
        Ok(match reply.payment_status {
            PaymentStatus::Paid => match (reply.amount, reply.trnref) {
                (Some(amount), trnref) => Cause::StatusPaid {
                    money: from_gateway(amount)?,
                    trnref: trnref.map(|reference| reference.as_str().to_owned()),
                },
                (None, _) => self.paid_by_last_message(store, order_id).await?,
            },
            PaymentStatus::Unsuccessful | PaymentStatus::UnknownOrder => Cause::StatusUnsuccessful,
            PaymentStatus::Reversed => Cause::StatusReversed,
            PaymentStatus::Pending | PaymentStatus::Unknown(_) => Cause::StatusUndecided,
        })
    }

    /// A "paid" without amount and currency is decided by the gateway's last message about the order.
    async fn paid_by_last_message(
        &self,
        store: &MyposStore,
        order_id: mypos::OrderId,
    ) -> Result<Cause, AskError> {
        let verified = self.question(store, &GetTxnStatus { order_id: order_id.clone() }).await?;
        let reply = TxnStatusReply::read(&verified).map_err(|_| AskError::Unreadable)?;
        Ok(match reply.last {
            Some(Callback::Notify(notify)) if notify.order_id == order_id && notify.sid == store.sid => {
                Cause::StatusPaid {
                    money: from_gateway(notify.amount)?,
                    trnref: Some(notify.trnref.as_str().to_owned()),
                }
            }
            Some(Callback::Rollback(rollback))
                if rollback.order_id == order_id && rollback.sid == store.sid =>
            {
                Cause::StatusReversed
            }
            _ => Cause::StatusUndecided,
        })
    }

    async fn note_declined(
        &self,
        payment: &Payment,
        reply: &PaymentStatusReply,
    ) -> Result<(), CheckoutError> {
        if reply.declined.is_empty() {
            return Ok(());
        }
        let attempts = reply.declined.iter().enumerate().map(|(index, attempt)| {
            let text = |part: &Option<String>| crate::text::clean(part.as_deref().unwrap_or(""), 120);
            format!(
                "{}: {} {} {}",
                index + 1,
                text(&attempt.date_time),
                text(&attempt.response_code),
                text(&attempt.description)
            )
        });
        Ok(self.store.record_declined(payment.id, attempts.collect(), self.now_ms()).await?)
    }

    /// Signs a question, sends it, and verifies the answer.
    async fn question(&self, store: &MyposStore, request: &impl Request) -> Result<Verified, AskError> {
        let signed = self.signed(store, request).await?;
        Ok(self.send(store, signed).await.verified?)
    }

    /// Gives back a payment that could not be taken and that the gateway has not reversed: what is left of it.
    /// `paid` is what the gateway says was paid; only what was also asked for is given back without a
    /// person.
    async fn give_back(&self, payment: &Payment, paid: Money) -> Result<(), CheckoutError> {
        if payment.trnref.is_none() || paid != payment.money {
            let event = NewEvent {
                kind: EventKind::Contradiction,
                detail: "money that has to go back cannot be refunded by itself: look at the myPOS account"
                    .to_owned(),
                raw: None,
            };
            tracing::error!(
                payment = %payment.gateway_order_id,
                "a payment has to be given back by hand: look at the myPOS account"
            );
            return Ok(self.store.raise(payment.id, event, self.now_ms()).await?);
        }
        let record = self.store.order_record_of(payment.id).await?;
        let left_minor = record.as_ref().map_or(0, |record| record.left_minor(Some(payment.id)));
        let was_tried = record.is_some_and(|record| {
            let mut ours = record.refunds.into_iter().filter(|refund| refund.payment == Some(payment.id));
            ours.any(|refund| refund.state == RefundState::Refused && refund.asked_by == Actor::OURSELVES)
        });
        if left_minor == 0 || was_tried {
            // It is back, or a person was told that it could not be done. A message that came late has it asked about again,
            // for ever, and its order could not end.
            return Ok(self.store.ask_no_more(payment.id).await?);
        }
        let left = Money::new(left_minor, payment.money.currency);
        let reason = "the payment could not be taken for its order".to_owned();
        match self.refund_payment(payment, left, reason, None, Actor::ourselves(), None).await {
            // Somebody else was quicker: it is given back, or being given back.
            Ok(_) | Err(MerchantError::Problem(_)) => Ok(()),
            Err(MerchantError::Failed(error)) => Err(error),
        }
    }
}

/// Why a question had no answer that decides.
#[derive(Debug, thiserror::Error)]
enum AskError {
    #[error(transparent)]
    NoAnswer(#[from] NoAnswer),
    #[error("the gateway's answer is not of its shape")]
    Unreadable,
    #[error(transparent)]
    Own(#[from] CheckoutError),
}

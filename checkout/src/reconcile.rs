//! Asking the gateway what became of payments that no message settled.

use domain::PaymentState;
use mypos::{
    Callback, GetPaymentStatus, GetTxnStatus, Outcome, PaymentStatus, PaymentStatusReply, RefundReply,
    Request, TxnStatusReply, Unverified, Verified,
};

use crate::callbacks::from_gateway;
use crate::checkout::{Checkout, CheckoutError};
use crate::mypos_store::MyposStore;
use crate::records::{EventKind, NewEvent, Payment, PaymentId, RefundId, RefundState};
use crate::rules::Cause;
use crate::start::to_gateway;
use crate::store::{NewRefund, Reserved};
use crate::token::random;

/// How many payments one round asks about.
const ROUND: u32 = 50;

/// What a reconciliation found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Report {
    /// How many payments were asked about.
    pub asked: u32,
    /// How many of them changed their state.
    pub changed: u32,
    /// How many questions had no answer that decides.
    pub undecided: u32,
    /// How many orders expired.
    pub expired: u32,
}

impl Checkout {
    /// Asks about the payments that are due. Replicas share the work: each payment is claimed first.
    pub async fn reconcile_due(&self) -> Result<Report, CheckoutError> {
        let timing = &self.settings.timing;
        let now_ms = self.now_ms();
        let mut report = Report::default();
        for payment in self.store.claim_due(now_ms, timing.ask_lease_ms, ROUND).await? {
            self.reconcile_one(&payment, &mut report).await?;
        }
        report.expired = self.expire(now_ms).await?;
        Ok(report)
    }

    /// Asks about every payment that has not ended, due or not.
    pub async fn reconcile_all(&self) -> Result<Report, CheckoutError> {
        let mut report = Report::default();
        let mut after = PaymentId(0);
        loop {
            let payments = self.store.unsettled(after, ROUND).await?;
            for payment in &payments {
                self.reconcile_one(payment, &mut report).await?;
                after = payment.id;
            }
            if payments.is_empty() {
                break;
            }
        }
        report.expired = self.expire(self.now_ms()).await?;
        Ok(report)
    }

    async fn expire(&self, now_ms: i64) -> Result<u32, CheckoutError> {
        let timing = &self.settings.timing;
        let placed_before = now_ms.saturating_sub(timing.order_expires_ms);
        let keys_before = now_ms.saturating_sub(timing.key_kept_ms);
        Ok(self.store.expire(placed_before, keys_before, now_ms).await?)
    }

    async fn reconcile_one(&self, payment: &Payment, report: &mut Report) -> Result<(), CheckoutError> {
        let after = self.ask(payment).await?;
        report.asked += 1;
        match after {
            Some(after) if after.state != payment.state => report.changed += 1,
            Some(after) if after.unanswered > 0 => report.undecided += 1,
            _ => {}
        }
        Ok(())
    }

    /// Asks the gateway about one payment and applies its answer. Returns the payment as it stands then.
    pub(crate) async fn ask(&self, payment: &Payment) -> Result<Option<Payment>, CheckoutError> {
        let cause = match self.status_of(payment).await {
            Ok(cause) => cause,
            Err(error) => {
                tracing::warn!(%error, "a status query had no answer that decides");
                Cause::StatusUndecided
            }
        };
        let (now_ms, timing) = (self.now_ms(), &self.settings.timing);
        let applied = self
            .store
            .apply(&payment.store, &payment.gateway_order_id, cause.clone(), None, now_ms, timing)
            .await?;
        let Some(applied) = applied else {
            return Ok(None);
        };
        let after = applied.decision.payment;
        let waited_ms = now_ms.saturating_sub(after.state_since_ms);
        let still_paid = matches!(cause, Cause::StatusPaid { .. });
        if after.state == PaymentState::Refused && still_paid && waited_ms >= timing.refund_refused_after_ms {
            self.give_back(&after).await?;
        }
        Ok(Some(after))
    }

    /// What the gateway says about a payment.
    async fn status_of(&self, payment: &Payment) -> Result<Cause, AskError> {
        let store = self
            .settings
            .store_named(&payment.store)
            .ok_or_else(|| CheckoutError::Configuration(format!("store {:?} is gone", payment.store)))?;
        let order_id = mypos::OrderId::parse(&payment.gateway_order_id).map_err(|_| AskError::Unreadable)?;
        let verified = self.question(store, &GetPaymentStatus { order_id: order_id.clone() }).await?;
        let reply = PaymentStatusReply::read(&verified).map_err(|_| AskError::Unreadable)?;
        let other_order = reply.order_id.as_ref().is_some_and(|about| *about != order_id);
        let other_store = reply.sid.as_ref().is_some_and(|about| *about != store.sid);
        if other_order || other_store {
            return Err(AskError::Unreadable);
        }
        self.note_declined(payment, &reply).await?;
        Ok(match reply.payment_status {
            PaymentStatus::Paid => match (reply.amount, reply.trnref) {
                (Some(amount), trnref) => Cause::StatusPaid {
                    money: from_gateway(amount),
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
                    money: from_gateway(notify.amount),
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

    /// Signs a question, sends it, and verifies the answer. The questions ask for JSON.
    async fn question(&self, store: &MyposStore, request: &impl Request) -> Result<Verified, AskError> {
        let key = store.signing_key().ok_or_else(|| {
            CheckoutError::Configuration(format!("store {:?} has no key in use", store.name))
        })?;
        let signed = self.sign(&key.ours, request.fields(&store.identity(key, domain::Language::En))).await?;
        let body = self.gateway.call(&store.endpoint, signed.to_form()).await?;
        let unverified = Unverified::from_json(body.trim_ascii()).map_err(|_| AskError::Unreadable)?;
        unverified.verify_any(store.gateway_keys()).map_err(|_| AskError::Unreadable)
    }

    /// Gives back a payment that could not be taken and that the gateway has not reversed: in full, once.
    async fn give_back(&self, payment: &Payment) -> Result<(), CheckoutError> {
        let Some(trnref) = payment.trnref.as_deref().and_then(|text| mypos::Trnref::parse(text).ok()) else {
            return Ok(());
        };
        let Some(store) = self.settings.store_named(&payment.store) else {
            return Err(CheckoutError::Configuration(format!("store {:?} is gone", payment.store)));
        };
        let order_id = mypos::OrderId::from_random(random()?);
        let refund = NewRefund {
            payment: payment.id,
            gateway_order_id: order_id.as_str().to_owned(),
            money: payment.money,
            reason: "the payment could not be taken for its order".to_owned(),
        };
        let Reserved::Yes(id) = self.store.reserve_refund(refund, self.now_ms()).await? else {
            return Ok(());
        };
        let amount = to_gateway(payment.money)?;
        let answer = self.question(store, &mypos::Refund { order_id, trnref, amount }).await;
        let outcome = match answer
            .and_then(|verified| RefundReply::read(&verified).map_err(|_| AskError::Unreadable))
        {
            Ok(reply) => reply.outcome(amount),
            Err(_) => Outcome::Undecided,
        };
        self.settle(id, outcome, payment).await
    }

    async fn settle(
        &self,
        refund: RefundId,
        outcome: Outcome,
        payment: &Payment,
    ) -> Result<(), CheckoutError> {
        let (state, detail) = match outcome {
            Outcome::Yes => (RefundState::Done, String::new()),
            Outcome::No(code) => (RefundState::Refused, format!("{} {}", code.code(), code.name())),
            Outcome::Undecided => (RefundState::Unknown, String::new()),
        };
        if state != RefundState::Done {
            let event = NewEvent {
                kind: EventKind::Contradiction,
                detail: "money that has to go back could not be refunded: look at the myPOS account"
                    .to_owned(),
                raw: None,
            };
            self.store.record(Some(payment.id), event, self.now_ms()).await?;
        }
        Ok(self.store.settle_refund(refund, state, detail, self.now_ms()).await?)
    }
}

/// Why a question had no answer that decides.
#[derive(Debug, thiserror::Error)]
enum AskError {
    #[error(transparent)]
    Gateway(#[from] crate::gateway::GatewayError),
    #[error("the gateway's answer is not signed, or not of its shape")]
    Unreadable,
    #[error(transparent)]
    Own(#[from] CheckoutError),
}

//! What the gateway tells us: notifications, and shoppers that it sends back.

use domain::{Currency, Money};
use mypos::{Callback, Door, ShapeError, Unverified, Verified};

use crate::checkout::{Checkout, CheckoutError};
use crate::figures;
use crate::mypos_store::MyposStore;
use crate::records::{EventKind, NewEvent};
use crate::rules::Cause;
use crate::token::{Hash, Token};

/// What a notification is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotifyAnswer {
    /// Exactly `OK`: what the message says is on disk.
    Ok,
    /// It was understood, and the money is not taken: the gateway has to give it back.
    NotTaken,
    /// It cannot be read, or is not of the shape that it must have.
    Malformed,
    /// Its signature is missing or wrong.
    NotSigned,
}

/// Where a shopper goes who came back from the gateway.
#[derive(Clone, Debug)]
pub enum Return {
    /// To the pages of an order: a fresh token opens them.
    ToOrder(Token),
    /// Nobody knows what for: a page that says so.
    Unknown,
}

impl Checkout {
    /// Takes a body that came to `/mypos/notify`. An error means that nothing is on disk, and so the
    /// answer must not be `OK`.
    pub async fn notified(&self, body: &[u8]) -> Result<NotifyAnswer, CheckoutError> {
        let (store, verified) = match self.verified(body) {
            Ok(verified) => verified,
            Err(answer) => return Ok(answer),
        };
        let callback = match read(store, &verified, Door::Notify) {
            Ok(callback) => callback,
            Err(ShapeError::ForeignOrderId { method }) => {
                self.record_unknown(body, &verified).await?;
                let rollback = method == Some(mypos::CallbackMethod::Rollback);
                return Ok(if rollback { NotifyAnswer::Ok } else { NotifyAnswer::NotTaken });
            }
            Err(error) => {
                tracing::warn!(%error, "a signed notification was refused for its shape");
                return Ok(NotifyAnswer::Malformed);
            }
        };
        let (order_id, cause, unknown) = match callback {
            Callback::Notify(notify) => {
                let cause = Cause::Notify {
                    money: from_gateway(notify.amount)?,
                    trnref: notify.trnref.as_str().to_owned(),
                };
                (notify.order_id, cause, NotifyAnswer::NotTaken)
            }
            Callback::Rollback(rollback) => (rollback.order_id, Cause::Rollback, NotifyAnswer::Ok),
            Callback::SignatureVerify => return Ok(NotifyAnswer::Ok),
            Callback::Ok(_) | Callback::Cancel(_) => return Ok(NotifyAnswer::Malformed),
        };
        let is_rollback = cause == Cause::Rollback;
        let raw = Some(text_of(body));
        let applied = self
            .store
            .apply(&store.name, order_id.as_str(), cause, raw, self.now_ms(), &self.settings.timing)
            .await?;
        let Some(applied) = applied else {
            self.record_unknown(body, &verified).await?;
            return Ok(unknown);
        };
        figures::happened(&applied.decision.events);
        tracing::info!(
            order = %applied.order.new.reference,
            payment = %applied.decision.payment.gateway_order_id,
            state = applied.decision.payment.state.name(),
            refusal = ?applied.decision.outcome.err(),
            "a notification was applied"
        );
        Ok(if is_rollback || applied.decision.takes_the_money() {
            NotifyAnswer::Ok
        } else {
            NotifyAnswer::NotTaken
        })
    }

    /// Takes a body that a browser brought to `/mypos/ok` or `/mypos/cancel`.
    pub async fn returned(&self, body: &[u8], door: Door) -> Result<Return, CheckoutError> {
        let Ok((store, verified)) = self.verified(body) else {
            return Ok(Return::Unknown);
        };
        let (order_id, cause) = match read(store, &verified, door) {
            Ok(Callback::Ok(ok)) => (ok.order_id, Cause::Returned),
            Ok(Callback::Cancel(cancel)) => (cancel.order_id, Cause::Cancel),
            Ok(_) => return Ok(Return::Unknown),
            Err(ShapeError::ForeignOrderId { .. }) => {
                self.record_unknown(body, &verified).await?;
                return Ok(Return::Unknown);
            }
            Err(error) => {
                tracing::warn!(%error, "a signed return was refused for its shape");
                return Ok(Return::Unknown);
            }
        };
        let raw = Some(text_of(body));
        let applied = self
            .store
            .apply(&store.name, order_id.as_str(), cause, raw, self.now_ms(), &self.settings.timing)
            .await?;
        let Some(applied) = applied else {
            self.record_unknown(body, &verified).await?;
            return Ok(Return::Unknown);
        };
        figures::happened(&applied.decision.events);
        tracing::info!(
            order = %applied.order.new.reference,
            payment = %applied.decision.payment.gateway_order_id,
            "a shopper came back from the gateway"
        );
        Ok(Return::ToOrder(self.open_order(applied.order.id).await?))
    }

    /// Parses a body and verifies it with the keys of the store that it names.
    fn verified(&self, body: &[u8]) -> Result<(&MyposStore, Verified), NotifyAnswer> {
        let unverified = Unverified::from_form(body).map_err(|error| {
            tracing::warn!(%error, "a message of the gateway cannot be read");
            NotifyAnswer::Malformed
        })?;
        // Which store it names is only a hint for the choice of keys; `read` holds the message to it.
        let named = unverified.claimed().text("SID");
        let candidates = self.settings.stores.iter().filter(|store| named.is_none_or(|sid| sid == store.sid));
        for store in candidates {
            if let Ok(verified) = unverified.verify_any(store.gateway_keys()) {
                return Ok((store, verified));
            }
        }
        tracing::warn!(
            signed = unverified.has_signature(),
            "a message was not signed by a gateway that we know"
        );
        Err(NotifyAnswer::NotSigned)
    }

    /// Keeps a verified message about an order that nobody knows, and raises it: once, for a signature covers neither the
    /// names of fields nor how a body is encoded, and whoever has one message could bring it in any number of shapes.
    async fn record_unknown(&self, body: &[u8], verified: &Verified) -> Result<(), CheckoutError> {
        tracing::error!(
            "a verified message of the gateway is about no order of ours: look at the myPOS account"
        );
        let event = NewEvent {
            kind: EventKind::UnknownMessage,
            detail: Hash::of(&[verified.fields().signed_text().as_bytes()]).to_string(),
            raw: Some(text_of(body)),
        };
        Ok(self.store.record(None, event, self.now_ms()).await?)
    }
}

/// A body as it is kept: of what a text in a database cannot hold there is nothing in a genuine one.
fn text_of(body: &[u8]) -> String {
    String::from_utf8_lossy(body).replace('\0', "\u{fffd}")
}

/// Reads a verified message in its exact shape, as one of this store.
fn read(store: &MyposStore, verified: &Verified, door: Door) -> Result<Callback, ShapeError> {
    let callback = Callback::read(verified, door)?;
    let sid = match &callback {
        Callback::Notify(message) => &message.sid,
        Callback::Ok(message) => &message.sid,
        Callback::Cancel(message) => &message.sid,
        Callback::Rollback(message) => &message.sid,
        Callback::SignatureVerify => return Ok(callback),
    };
    if *sid == store.sid { Ok(callback) } else { Err(ShapeError::Malformed("SID")) }
}

/// Money as the gateway told it.
pub(crate) fn from_gateway(amount: mypos::Amount) -> Result<Money, CheckoutError> {
    let code = amount.currency.code();
    let currency = Currency::from_code(code)
        .ok_or_else(|| CheckoutError::Configuration(format!("{code} is no currency code")))?;
    Ok(Money::new(amount.minor, currency))
}

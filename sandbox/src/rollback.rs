//! Rollbacks: planned when a payment is reversed, and repeated until the shop says `OK`.
//!
//! The intervals of the real gateway are not published. Here the first attempt comes after 5 seconds, and
//! the wait doubles up to an hour.

use std::sync::Arc;
use std::time::Duration;

use crate::deliver;
use crate::faults::Fault;
use crate::gateway::Gateway;
use crate::messages;
use crate::state::{Answer, Delivery, Payment, PendingRollback, Stage, State};

const FIRST_WAIT_MS: i64 = 5_000;
const LONGEST_WAIT_MS: i64 = 3_600_000;
/// How often the task looks for rollbacks that are due.
const TICK: Duration = Duration::from_millis(500);

/// How long to wait before the attempt with that number, from 0.
fn wait_ms(attempt: u32) -> i64 {
    FIRST_WAIT_MS.saturating_mul(1 << attempt.min(12)).min(LONGEST_WAIT_MS)
}

/// Plans the Rollback of a payment that was just reversed.
pub(crate) fn plan(payment: &mut Payment, now_ms: i64) {
    payment.rollback = Some(PendingRollback { due_ms: now_ms.saturating_add(wait_ms(0)), attempts: 0 });
    payment.note(now_ms, "Adding request in TODO table (cron)", "OK");
}

impl State {
    /// Settles what an earlier process left half done: no `OK` was seen, so the payment goes back.
    pub(crate) fn recover(&mut self, now_ms: i64) {
        for payment in self.payments_mut().filter(|payment| payment.stage == Stage::Settling) {
            payment.stage = Stage::Reversed;
            plan(payment, now_ms);
            payment.note(now_ms, "Order done with status", "2");
        }
    }
}

/// Reverses a paid payment, if it is not yet, and sends the Rollback now. `None` unless it was paid.
pub(crate) async fn reverse_now(gateway: &Arc<Gateway>, order_id: &str) -> Option<Delivery> {
    let now = gateway.now();
    gateway.change(|state| {
        let payment = state.by_order_id_mut(order_id)?;
        match payment.stage {
            Stage::Paid | Stage::Reversed => {}
            Stage::Open | Stage::Settling | Stage::Cancelled => return None,
        }
        payment.stage = Stage::Reversed;
        plan(payment, now);
        payment.note(now, "Order done with status", "2");
        Some(())
    })?;
    send_now(gateway, order_id).await
}

/// Sends the planned Rollback of a payment, due or not; `None` if none is planned.
pub(crate) async fn send_now(gateway: &Gateway, order_id: &str) -> Option<Delivery> {
    send_if(gateway, order_id, |_| true).await
}

/// Sends every Rollback that is due, one after the other.
pub(crate) async fn send_due(gateway: &Gateway) -> Vec<Delivery> {
    let now = gateway.now();
    let is_due = |rollback: &PendingRollback| rollback.due_ms <= now;
    let due: Vec<String> = gateway.read(|state| {
        state
            .payments()
            .filter(|payment| payment.rollback.as_ref().is_some_and(is_due))
            .map(|payment| payment.order.id.clone())
            .collect()
    });
    let mut deliveries = Vec::new();
    for order_id in due {
        deliveries.extend(send_if(gateway, &order_id, is_due).await);
    }
    deliveries
}

/// Sends the Rollback of a payment if one is planned that meets the condition.
async fn send_if(
    gateway: &Gateway,
    order_id: &str,
    condition: impl Fn(&PendingRollback) -> bool,
) -> Option<Delivery> {
    const METHOD: &str = "IPCPurchaseRollback";
    let _one_at_a_time = gateway.rolling_back.lock().await;
    let now = gateway.now();
    let (order, is_lost) = gateway.change(|state| {
        let payment = state.by_order_id_mut(order_id)?;
        payment.rollback.as_ref().filter(|rollback| condition(rollback))?;
        payment.note(now, "Trying to send reversal notify (cron)", "OK");
        let order = payment.order.clone();
        Some((order, state.fires(order_id, Fault::RollbackLost).is_some()))
    })?;
    let answer = if is_lost {
        Answer::Lost
    } else {
        match gateway.sign(messages::rollback(&gateway.keys.sid, &order)) {
            Ok(signed) => deliver::post(gateway, &order.url_notify, signed.to_form()).await,
            Err(error) => Answer::Failed { why: error.to_string() },
        }
    };
    let delivery = deliver::record(gateway, order_id, METHOD, &answer);
    let now = gateway.now();
    gateway.change(|state| {
        let Some(payment) = state.by_order_id_mut(order_id) else { return };
        let Some(rollback) = &mut payment.rollback else { return };
        if answer == Answer::Ok {
            payment.rollback = None;
            payment.note(now, "Update cron table (cron)", "done");
        } else {
            rollback.attempts = rollback.attempts.saturating_add(1);
            rollback.due_ms = now.saturating_add(wait_ms(rollback.attempts));
            payment.note(now, "Update cron table (cron)", "to be tried again");
        }
    });
    Some(delivery)
}

/// Sends rollbacks as they fall due, for ever.
pub(crate) async fn run(gateway: Arc<Gateway>) {
    loop {
        send_due(&gateway).await;
        // Either way it looks again; the clock may have been moved.
        let _woken_or_not = tokio::time::timeout(TICK, gateway.wake.notified()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_an_hour() {
        assert_eq!([wait_ms(0), wait_ms(1), wait_ms(5)], [5_000, 10_000, 160_000]);
        assert_eq!(wait_ms(u32::MAX), LONGEST_WAIT_MS);
    }
}

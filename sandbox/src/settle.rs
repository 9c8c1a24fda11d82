//! From the shopper's confirmation to a payment that is kept or given back.
//!
//! The shop is told while the shopper waits. If it says `OK` the payment is kept; otherwise it is reversed,
//! the shopper goes to `URL_Cancel`, and a Rollback follows (myPOS docs, Purchase notify).

use std::sync::Arc;
use std::time::Duration;

use crate::deliver::{self, Tampering};
use crate::faults::Fault;
use crate::gateway::Gateway;
use crate::rollback;
use crate::state::{Answer, Delivery, Means, Payment, Stage, State, Status};

/// How long a second press of Pay waits for the first: the longest delay, and the shop's time to answer.
const MAX_WAIT: Duration = Duration::from_secs(75);

/// How one settlement goes, decided when it begins.
struct Plan {
    delay_ms: Option<u64>,
    copies: u64,
    is_reordered: bool,
    is_ok_lost: bool,
    keeps_without_ok: bool,
    tampering: Tampering,
}

impl Plan {
    fn roll(state: &mut State, order_id: &str, copies: u64) -> Self {
        Self {
            delay_ms: state.fires(order_id, Fault::NotifyDelayedMs),
            copies: state.fires(order_id, Fault::NotifyDoubled).unwrap_or(copies).clamp(1, 20),
            is_reordered: state.fires(order_id, Fault::NotifyReordered).is_some(),
            is_ok_lost: state.fires(order_id, Fault::OkLost).is_some(),
            keeps_without_ok: state.fires(order_id, Fault::KeepWithoutOk).is_some(),
            tampering: Tampering::roll(state, order_id),
        }
    }
}

/// Who says that a payment is confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ConfirmedBy {
    /// The shopper, while the payment page takes payments.
    Shopper,
    /// The bank, which may say yes after everybody has given up.
    Bank,
}

/// Confirms a payment and settles it. Only the first of several presses does; the others get an empty list
/// as soon as it is settled.
///
/// The settling goes on when the caller does not wait for it, as the real one does when the shopper closes
/// the browser.
pub(crate) async fn confirm(
    gateway: &Arc<Gateway>,
    order_id: &str,
    means: Means,
    by: ConfirmedBy,
    copies: u64,
) -> Vec<Delivery> {
    let Some((payment, plan)) = begin(gateway, order_id, means, by, copies) else {
        wait_until_settled(gateway, order_id).await;
        return Vec::new();
    };
    let gateway = Arc::clone(gateway);
    tokio::spawn(async move { settle(&gateway, payment, plan).await }).await.unwrap_or_default()
}

/// Takes the payment in hand, unless somebody else has.
fn begin(
    gateway: &Gateway,
    order_id: &str,
    means: Means,
    by: ConfirmedBy,
    copies: u64,
) -> Option<(Payment, Plan)> {
    let now = gateway.now();
    gateway.change(|state| {
        let payment = state.by_order_id(order_id)?;
        let may_begin = match (payment.stage, by) {
            (Stage::Open, ConfirmedBy::Shopper) => payment.status(now) == Status::Pending,
            (Stage::Open | Stage::Cancelled, ConfirmedBy::Bank) => true,
            _ => false,
        };
        if !may_begin {
            return None;
        }
        let transaction = state.new_transaction(now, means);
        let payment = state.by_order_id_mut(order_id)?;
        payment.stage = Stage::Settling;
        payment.note(now, "Payment status", format!("approved, IPC_Trnref {}", transaction.trnref));
        payment.transaction = Some(transaction);
        let snapshot = payment.clone();
        Some((snapshot, Plan::roll(state, order_id, copies)))
    })
}

async fn settle(gateway: &Arc<Gateway>, payment: Payment, plan: Plan) -> Vec<Delivery> {
    if let Some(delay_ms) = plan.delay_ms {
        tokio::time::sleep(Duration::from_millis(delay_ms)).await;
    }
    let order_id = &payment.order.id;
    let deliveries = if plan.is_reordered {
        finish(gateway, order_id, false);
        rollback::send_now(gateway, order_id).await;
        vec![deliver::notify(gateway, &payment, plan.tampering).await]
    } else {
        let deliveries = send_copies(gateway, &payment, plan.tampering, plan.copies).await;
        let is_ok = deliveries.first().is_some_and(|first| first.answer == Answer::Ok) && !plan.is_ok_lost;
        if plan.is_ok_lost {
            note(gateway, order_id, "Merchant response", "lost on purpose on its way back");
        }
        if !is_ok && plan.keeps_without_ok {
            note(gateway, order_id, "Merchant response", "kept without OK on purpose");
        }
        finish(gateway, order_id, is_ok || plan.keeps_without_ok);
        deliveries
    };
    gateway.settled.send_replace(());
    deliveries
}

/// Sends the Notify several times at the same time. The answers are in the order of sending.
pub(crate) async fn send_copies(
    gateway: &Arc<Gateway>,
    payment: &Payment,
    tampering: Tampering,
    copies: u64,
) -> Vec<Delivery> {
    let tasks: Vec<_> = (0..copies)
        .map(|_| {
            let (gateway, payment) = (Arc::clone(gateway), payment.clone());
            tokio::spawn(async move { deliver::notify(&gateway, &payment, tampering).await })
        })
        .collect();
    let mut deliveries = Vec::new();
    for task in tasks {
        deliveries.extend(task.await);
    }
    deliveries
}

/// Keeps the payment, or gives it back and plans the Rollback.
fn finish(gateway: &Gateway, order_id: &str, is_kept: bool) {
    let now = gateway.now();
    gateway.change(|state| {
        let Some(payment) = state.by_order_id_mut(order_id) else { return };
        if is_kept {
            payment.stage = Stage::Paid;
            payment.note(now, "View \"Thank You - Success\" page", "OK");
            payment.note(now, "Order done with status", "1");
        } else {
            payment.stage = Stage::Reversed;
            rollback::plan(payment, now);
            payment.note(now, "Redirection to Merchant Cancel URL", "OK");
            payment.note(now, "Order done with status", "2");
        }
    });
    gateway.wake.notify_one();
}

fn note(gateway: &Gateway, order_id: &str, action: &str, result: &str) {
    let now = gateway.now();
    gateway.change(|state| {
        if let Some(payment) = state.by_order_id_mut(order_id) {
            payment.note(now, action, result);
        }
    });
}

/// Waits while a payment is being settled.
async fn wait_until_settled(gateway: &Gateway, order_id: &str) {
    let mut ticks = gateway.settled.subscribe();
    let is_settling = || {
        gateway
            .read(|state| state.by_order_id(order_id).is_some_and(|payment| payment.stage == Stage::Settling))
    };
    let settled = async {
        while is_settling() {
            if ticks.changed().await.is_err() {
                break;
            }
        }
    };
    // After that long the page shows whatever there is.
    let _timed_out = tokio::time::timeout(MAX_WAIT, settled).await;
}

//! What must hold at the end of a life, when nothing is on its way any more: design and gateway agree about every cent,
//! and everything has ended.

use checkout::records::{EventKind, LineKind};
use checkout::store::merchant::{OrderRecord, Transaction};
use domain::{OrderState, PaymentState, RefundState};

use crate::gateway::{Sale, SaleState};
use crate::shopper::BOX_MINOR;
use crate::world::World;

/// Holds every order against the gateway.
pub async fn everything(world: &World, start_ms: i64) {
    let rows = world.orders(start_ms).await.unwrap();
    world.state().note(|| format!("{} orders at the end", rows.len()));
    let mut known = Vec::new();
    for row in rows {
        let record = world.truth.order_record(&row.reference).await.unwrap().unwrap();
        let events = world.truth.events(record.file.order.id).await.unwrap();
        let kinds: Vec<EventKind> = events.iter().map(|event| event.what.kind).collect();
        known.extend(record.file.payments.iter().map(|payment| payment.gateway_order_id.clone()));
        let wrong = order(world, &row, &record, &kinds);
        let mut state = world.state();
        state.count(name_of(record.file.order.state));
        if row.attention {
            state.count("an order that a person has to look at");
        }
        if let Err(what) = wrong {
            state.violated(format!("{}: {what}", row.reference));
        }
    }
    let mut state = world.state();
    let unknown = state.sales.by_order_id.keys().find(|order_id| !known.contains(order_id)).cloned();
    if let Some(order_id) = unknown {
        state.violated(format!("the gateway has {order_id}, and the shop does not"));
    }
}

const fn name_of(state: OrderState) -> &'static str {
    match state {
        OrderState::Open => "an order ended open",
        OrderState::Awaiting => "an order ended awaiting",
        OrderState::Paid => "an order ended paid",
        OrderState::Cancelled => "an order ended cancelled",
        OrderState::Expired => "an order ended expired",
        OrderState::Refunded => "an order ended refunded",
    }
}

fn order(world: &World, row: &Transaction, record: &OrderRecord, kinds: &[EventKind]) -> Result<(), String> {
    let mut state = world.state();
    let order = &record.file.order;
    if matches!(order.state, OrderState::Open | OrderState::Awaiting) {
        return Err(format!("I13: it is still {}", order.state.name()));
    }
    if kinds.first() != Some(&EventKind::OrderPlaced) {
        return Err("its history does not begin with its placing".to_owned());
    }
    // The catalogue has one article, and its delivery is free.
    let boxes = order.new.lines.iter().filter(|line| line.kind == LineKind::Item).map(|line| line.quantity);
    if order.new.total.minor != BOX_MINOR * i64::from(boxes.sum::<u32>()) {
        return Err(format!("I9: its total is {}", order.new.total.minor));
    }
    let holding = record.file.payments.iter().filter(|payment| payment.state.holds_money());
    let holding: Vec<_> = holding.collect();
    if holding.len() > 1 {
        return Err("I3: it has two paid payments".to_owned());
    }
    state.heard_all(record)?;
    let received = record.received_minor();
    match order.state {
        OrderState::Paid if holding.is_empty() && received < order.new.total.minor => {
            return Err("I1: it is paid, and nothing paid it".to_owned());
        }
        OrderState::Cancelled | OrderState::Expired if !holding.is_empty() => {
            return Err(format!("it is {}, and has a paid payment", order.state.name()));
        }
        _ => {}
    }
    for payment in &record.file.payments {
        if payment.money != order.new.total {
            return Err(format!("I9: {} asks for {}", payment.gateway_order_id, payment.money.minor));
        }
        if payment.next_ask_at_ms.is_some() && !row.attention {
            return Err(format!("I13: {} is still asked about", payment.gateway_order_id));
        }
        if payment.state == PaymentState::Reversing {
            return Err(format!("I13: {} is still being reversed", payment.gateway_order_id));
        }
        let counted: i64 = record
            .refunds
            .iter()
            .filter(|refund| refund.payment == Some(payment.id) && refund.state.counts())
            .map(|refund| refund.money.minor)
            .sum();
        if counted > payment.money.minor {
            return Err(format!("I6: {counted} of {} was refunded", payment.money.minor));
        }
        let sale = state.sales.by_order_id.get(&payment.gateway_order_id);
        if let Some(sale) = sale.filter(|sale| sale.minor != payment.money.minor) {
            return Err(format!("I9: the gateway was asked for {}", sale.amount));
        }
        let agreed = agrees(payment.state, counted, payment.money.minor, sale);
        match agreed.map_err(|what| format!("{}: {what}", payment.gateway_order_id)) {
            // Money that has to go back, and that the gateway would not give back.
            Err(what) if row.attention && payment.state == PaymentState::Refused => {
                state.count("a person has to give a payment back");
                state.note(|| what);
            }
            agreed => agreed?,
        }
        let was_told = |kind: &EventKind| matches!(kind, EventKind::Notified | EventKind::StatusPaid);
        if payment.state == PaymentState::Paid && !kinds.iter().any(was_told) {
            return Err("I1: no message says that it was paid".to_owned());
        }
    }
    let pending = |state: RefundState| matches!(state, RefundState::Reserved | RefundState::Unknown);
    if record.refunds.iter().any(|refund| pending(refund.state)) {
        return Err("I13: a refund has not ended".to_owned());
    }
    let kept: i64 = state.sales.of_order(&row.reference).map(Sale::kept).sum();
    if kept > order.new.total.minor && !row.attention {
        return Err(format!("I3: the gateway keeps {kept} for {}", order.new.total.minor));
    }
    Ok(())
}

/// Whether the shop and the gateway say the same of a payment.
fn agrees(state: PaymentState, refunded: i64, minor: i64, sale: Option<&Sale>) -> Result<(), String> {
    let Some(sale) = sale else {
        return match state {
            PaymentState::Failed | PaymentState::Cancelled => Ok(()),
            state => Err(format!("it is {}, and the gateway never saw it", state.name())),
        };
    };
    if refunded != sale.refunded() {
        return Err(format!("I6: {refunded} counts as refunded, and {} was", sale.refunded()));
    }
    match (state, sale.state) {
        (PaymentState::Paid, SaleState::Paid) => Ok(()),
        (PaymentState::Refused, SaleState::Paid) if refunded == minor => Ok(()),
        (PaymentState::Reversed, SaleState::Reversed) => Ok(()),
        // What never counted need not be known to be over.
        (PaymentState::Failed | PaymentState::Cancelled, SaleState::Open | SaleState::Reversed) => Ok(()),
        (PaymentState::Refused, SaleState::Reversed) => Ok(()),
        (ours, theirs) => Err(format!("I7: it is {}, and {theirs:?} at the gateway", ours.name())),
    }
}

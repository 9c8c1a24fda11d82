//! What the merchant does with money, as SQL: refunds, reversals, receipts, cancellations.

use domain::{Money, OrderEvent, OrderState, PaymentState, RefundEvent, RefundState, Refusal};

use super::outbox::{News, tell};
use super::people::insert_audit;
use super::rows::{self, PAYMENT, REFUND, WEBHOOK};
use super::work::{
    apply_to, event, expect_one, insert_event, is_being_checked, order_by_id, raise, set_order_state,
    with_payments,
};
use super::{
    Connection, Done, Failure, all, hold_order, hold_order_of, insert, one, unless_refused, value, values,
};
use crate::format::plain;
use crate::people::{Action, Actor};
use crate::records::{EventKind, NewEvent, Order, OrderId, Payment, PaymentId, Refund, RefundId, RefundKind};
use crate::rules::Cause;
use crate::store::Applied;
use crate::store::merchant::{
    Approved, NewReceipt, NewRefund, OrderRecord, RecordedRefund, Reserved, Settlement,
};
use crate::store::outbox::WebhookKind;
use crate::timing::Timing;
use crate::token::Hash;

pub(super) fn order_record(connection: &dyn Connection, reference: &str) -> Done<Option<OrderRecord>> {
    let sql = format!("SELECT {} FROM orders WHERE reference = ?1", rows::ORDER);
    with_the_rest(connection, one(connection, &sql, values![reference], rows::order)?)
}

pub(super) fn order_record_of(connection: &dyn Connection, payment: PaymentId) -> Done<Option<OrderRecord>> {
    let sql = format!(
        "SELECT {} FROM orders WHERE id = (SELECT order_id FROM payments WHERE id = ?1)",
        rows::ORDER
    );
    with_the_rest(connection, one(connection, &sql, values![payment], rows::order)?)
}

fn with_the_rest(connection: &dyn Connection, order: Option<Order>) -> Done<Option<OrderRecord>> {
    let Some(file) = with_payments(connection, order)? else {
        return Ok(None);
    };
    let order = values![file.order.id];
    let refunds = format!("SELECT {REFUND} FROM refunds WHERE order_id = ?1 ORDER BY id");
    let receipts = "SELECT amount_minor, currency, note, recorded_by, recorded_at_ms FROM receipts
         WHERE order_id = ?1 ORDER BY id";
    let audit = format!("SELECT {} FROM audit a WHERE a.order_id = ?1 ORDER BY a.id", rows::AUDIT);
    let webhooks = format!("SELECT {WEBHOOK} WHERE w.order_id = ?1 ORDER BY w.id");
    Ok(Some(OrderRecord {
        refunds: all(connection, &refunds, order, rows::refund)?,
        receipts: all(connection, receipts, order, rows::receipt)?,
        audit: all(connection, &audit, order, rows::audit_entry)?,
        webhooks: all(connection, &webhooks, order, rows::webhook)?,
        file,
    }))
}

pub(super) fn refund(connection: &dyn Connection, id: RefundId) -> Done<Option<Refund>> {
    one(connection, &format!("SELECT {REFUND} FROM refunds WHERE id = ?1"), values![id], rows::refund)
}

/// A refund that this transaction has just written.
fn written(connection: &dyn Connection, id: RefundId) -> Done<Box<Refund>> {
    let damaged = || Failure::Damaged(format!("refund {} is gone", id.0));
    Ok(Box::new(refund(connection, id)?.ok_or_else(damaged)?))
}

/// A refund whose order is held, so that it stays as it is until the transaction ends.
fn held_refund(connection: &dyn Connection, id: RefundId) -> Done<Option<Refund>> {
    match refund(connection, id)? {
        Some(found) => {
            hold_order(connection, found.order)?;
            refund(connection, id)
        }
        None => Ok(None),
    }
}

/// The refund that a press made before.
fn refund_of_key(connection: &dyn Connection, key: Hash) -> Done<Option<Refund>> {
    one(connection, &format!("SELECT {REFUND} FROM refunds WHERE key = ?1"), values![key], rows::refund)
}

fn payment(connection: &dyn Connection, id: PaymentId) -> Done<Option<Payment>> {
    one(connection, &format!("SELECT {PAYMENT} FROM payments WHERE id = ?1"), values![id], rows::payment)
}

/// An order that something else refers to.
fn order_of(connection: &dyn Connection, id: OrderId) -> Done<Order> {
    order_by_id(connection, id)?.ok_or_else(|| Failure::Damaged(format!("order {} is missing", id.0)))
}

/// The rule of the database that a refund breaks whose money is not there.
const FITS: &str = "refund does not fit";

/// What an event says about an amount.
fn words(money: Money, why: &str) -> String {
    if why.is_empty() { plain(money) } else { format!("{}: {why}", plain(money)) }
}

/// What is set aside of a payment, or gone.
pub(super) fn counted_minor(connection: &dyn Connection, payment: PaymentId) -> Done<i64> {
    let sql = "SELECT CAST(coalesce(sum(amount_minor), 0) AS BIGINT) FROM refunds
         WHERE payment_id = ?1 AND state <> 'refused'";
    value(connection, sql, values![payment])
}

/// What of a payment has gone back.
pub(super) fn done_minor(connection: &dyn Connection, payment: PaymentId) -> Done<i64> {
    let sql = "SELECT CAST(coalesce(sum(amount_minor), 0) AS BIGINT) FROM refunds
         WHERE payment_id = ?1 AND state = 'done'";
    value(connection, sql, values![payment])
}

pub(super) fn reserve_refund(connection: &dyn Connection, new: &NewRefund, now_ms: i64) -> Done<Reserved> {
    hold_order_of(connection, new.payment)?;
    if let Some(before) = new.key.map(|key| refund_of_key(connection, key)).transpose()?.flatten() {
        let same = before.payment == Some(new.payment) && before.money == new.money;
        return Ok(if same { Reserved::Repeated(before.id) } else { Reserved::KeyReused });
    }
    let Some(payment) = payment(connection, new.payment)?.filter(|_| new.money.minor > 0) else {
        return Ok(Reserved::No);
    };
    let sum = counted_minor(connection, payment.id)?.saturating_add(new.money.minor);
    let is_proposal = new.approval_above_minor.is_some_and(|limit| sum > limit);
    let state = if is_proposal { RefundState::Proposed } else { RefundState::Reserved };
    let reserved_at_ms = (!is_proposal).then_some(now_ms);
    let row = [
        ("order_id", payment.order.into()),
        ("payment_id", payment.id.into()),
        ("kind", RefundKind::Gateway.name().into()),
        ("gateway_order_id", (&new.gateway_order_id).into()),
        ("key", new.key.into()),
        ("amount_minor", new.money.minor.into()),
        ("currency", new.money.currency.code().into()),
        ("reason", (&new.reason).into()),
        ("state", state.name().into()),
        ("asked_by", (&new.actor.who).into()),
        ("made_at_ms", now_ms.into()),
        ("reserved_at_ms", reserved_at_ms.into()),
    ];
    let Some(id) = unless_refused(connection, FITS, || insert(connection, "refunds", &row))?.map(RefundId)
    else {
        return Ok(Reserved::No);
    };
    let detail = words(new.money, &new.reason);
    let kind = if is_proposal { EventKind::RefundProposed } else { EventKind::RefundReserved };
    // A proposal is signed anew when it is approved.
    let raw = (!is_proposal).then(|| new.request.clone());
    let happened = NewEvent { kind, detail: detail.clone(), raw };
    insert_event(connection, Some(payment.order), Some(payment.id), &happened, now_ms)?;
    insert_audit(connection, &new.actor, Action::RefundAsked, Some(payment.order), &detail, now_ms)?;
    if is_proposal { Ok(Reserved::Proposed(id)) } else { Ok(Reserved::Yes(written(connection, id)?)) }
}

pub(super) fn settle_refund(
    connection: &dyn Connection,
    id: RefundId,
    settlement: &Settlement,
    now_ms: i64,
) -> Done<Result<RefundState, Refusal>> {
    let Some(refund) = held_refund(connection, id)? else {
        return Ok(Err(Refusal::RefundState));
    };
    let next = match refund.state.on(settlement.event) {
        Ok(next) if next == refund.state => return Ok(Ok(next)),
        Ok(next) => next,
        Err(Refusal::Contradiction) => {
            let detail = format!(
                "the gateway's answer contradicts refund {} of {} that counts as {}",
                refund.id.0,
                plain(refund.money),
                refund.state.name()
            );
            let happened = NewEvent { kind: EventKind::Contradiction, detail, raw: settlement.raw.clone() };
            insert_event(connection, Some(refund.order), refund.payment, &happened, now_ms)?;
            return Ok(Err(Refusal::Contradiction));
        }
        Err(refusal) => return Ok(Err(refusal)),
    };
    let changed = connection.execute(
        "UPDATE refunds SET state = ?3, settled_at_ms = ?4, answer = ?5 WHERE id = ?1 AND state = ?2",
        values![id, refund.state.name(), next.name(), now_ms, &settlement.detail],
    )?;
    expect_one(changed, "refund")?;
    let kind = match settlement.event {
        RefundEvent::AnsweredYes | RefundEvent::RecordedDone => EventKind::RefundDone,
        RefundEvent::AnsweredNo | RefundEvent::RecordedNotDone => EventKind::RefundRefused,
        RefundEvent::TurnedDown => EventKind::RefundTurnedDown,
        RefundEvent::Undecided => EventKind::RefundUnknown,
        RefundEvent::Approved => EventKind::RefundReserved,
    };
    let happened = NewEvent { kind, detail: settlement.detail.clone(), raw: settlement.raw.clone() };
    insert_event(connection, Some(refund.order), refund.payment, &happened, now_ms)?;
    if let Some(actor) = &settlement.actor {
        let action = if settlement.event == RefundEvent::TurnedDown {
            Action::RefundTurnedDown
        } else {
            Action::RefundOutcomeRecorded
        };
        let detail = format!("{} {}: {}", plain(refund.money), next.name(), settlement.detail);
        insert_audit(connection, actor, action, Some(refund.order), &detail, now_ms)?;
    }
    after_money_of_nobody(connection, &refund, next, now_ms)?;
    if next == RefundState::Done {
        after_money_went_back(connection, &refund, now_ms)?;
    }
    Ok(Ok(next))
}

/// A payment that was not taken for its order is asked about only to give its money back: until nothing of
/// it is left, or a person has to look, because a refund of it was not done.
fn after_money_of_nobody(
    connection: &dyn Connection,
    refund: &Refund,
    state: RefundState,
    now_ms: i64,
) -> Done<()> {
    let Some(id) = refund.payment else { return Ok(()) };
    let Some(payment) = payment(connection, id)?.filter(|payment| payment.state == PaymentState::Refused)
    else {
        return Ok(());
    };
    match payment.money.minor.saturating_sub(counted_minor(connection, id)?) {
        left if state == RefundState::Done && left > 0 => {
            let sql = "UPDATE payments SET next_ask_at_ms = coalesce(next_ask_at_ms, ?2) WHERE id = ?1";
            connection.execute(sql, values![id, now_ms]).map(drop)
        }
        _ if state == RefundState::Done => {
            let sql = "UPDATE payments SET next_ask_at_ms = NULL WHERE id = ?1";
            connection.execute(sql, values![id]).map(drop)
        }
        _ => {
            let (number, amount, state) = (refund.id.0, plain(refund.money), state.name());
            let look = format!("refund {number} of {amount} is {state}: look at the myPOS account");
            raise(connection, id, &event(EventKind::Contradiction, &look), now_ms)
        }
    }
}

/// The merchant's systems hear of a refund of money that they had heard of, and an order without any left is refunded.
fn after_money_went_back(connection: &dyn Connection, refund: &Refund, now_ms: i64) -> Done<()> {
    let order = order_of(connection, refund.order)?;
    let paid = refund.payment.map(|id| payment(connection, id)).transpose()?.flatten();
    let had_heard = matches!(order.state, OrderState::Paid | OrderState::Refunded)
        && paid.as_ref().is_none_or(|paid| paid.state.holds_money() && paid.was_confirmed());
    if had_heard {
        let news = News {
            kind: WebhookKind::OrderRefunded,
            amount_minor: refund.money.minor,
            method: paid.as_ref().map_or(order.method, |paid| paid.method),
            gateway_reference: paid.as_ref().and_then(|paid| paid.trnref.as_deref()),
        };
        tell(connection, &order, &news, now_ms)?;
    }
    note_all_given_back(connection, refund.order)
}

/// An order whose money went back in full is refunded.
fn note_all_given_back(connection: &dyn Connection, id: OrderId) -> Done<()> {
    let order = order_of(connection, id)?;
    // A payment that was refused, or reversed, is none of the order's money, and neither are its refunds.
    let held_sql = "SELECT CAST((SELECT coalesce(sum(amount_minor), 0) FROM payments
             WHERE order_id = ?1 AND state IN ('paid', 'reversing'))
         + (SELECT coalesce(sum(amount_minor), 0) FROM receipts WHERE order_id = ?1) AS BIGINT)";
    let gone_sql = "SELECT CAST(coalesce(sum(r.amount_minor), 0) AS BIGINT)
         FROM refunds r LEFT JOIN payments p ON p.id = r.payment_id
         WHERE r.order_id = ?1 AND r.state = 'done' AND (p.id IS NULL OR p.state = 'paid')";
    let held: i64 = value(connection, held_sql, values![id])?;
    let gone: i64 = value(connection, gone_sql, values![id])?;
    if gone < held {
        return Ok(());
    }
    let Ok(next) = order.state.on(OrderEvent::AllGivenBack) else { return Ok(()) };
    set_order_state(connection, id, order.state, next)
}

pub(super) fn approve_refund(
    connection: &dyn Connection,
    id: RefundId,
    actor: &Actor,
    request: &str,
    now_ms: i64,
) -> Done<Approved> {
    let Some(refund) = held_refund(connection, id)? else { return Ok(Approved::NotProposed) };
    let Ok(next) = refund.state.on(RefundEvent::Approved) else { return Ok(Approved::NotProposed) };
    if refund.asked_by == actor.who {
        return Ok(Approved::OwnProposal);
    }
    let sql = "UPDATE refunds SET state = ?2, reserved_at_ms = ?3 WHERE id = ?1 AND state = 'proposed'";
    let approve = || connection.execute(sql, values![id, next.name(), now_ms]);
    if unless_refused(connection, FITS, approve)?.is_none() {
        return Ok(Approved::DoesNotFit);
    }
    let detail = words(refund.money, &refund.reason);
    let raw = Some(request.to_owned());
    let happened = NewEvent { kind: EventKind::RefundReserved, detail: detail.clone(), raw };
    insert_event(connection, Some(refund.order), refund.payment, &happened, now_ms)?;
    insert_audit(connection, actor, Action::RefundApproved, Some(refund.order), &detail, now_ms)?;
    Ok(Approved::Yes(Box::new(Refund { state: next, ..refund })))
}

pub(super) fn record_refund(
    connection: &dyn Connection,
    new: &RecordedRefund,
    now_ms: i64,
) -> Done<Reserved> {
    hold_order(connection, new.order)?;
    if let Some(before) = refund_of_key(connection, new.key)? {
        let same = (before.order, before.payment, before.kind, before.money)
            == (new.order, new.payment, new.kind, new.money);
        return Ok(if same { Reserved::Repeated(before.id) } else { Reserved::KeyReused });
    }
    if new.money.minor <= 0 || new.kind == RefundKind::Gateway {
        return Ok(Reserved::No);
    }
    let row = [
        ("order_id", new.order.into()),
        ("payment_id", new.payment.into()),
        ("kind", new.kind.name().into()),
        ("key", new.key.into()),
        ("amount_minor", new.money.minor.into()),
        ("currency", new.money.currency.code().into()),
        ("reason", (&new.reason).into()),
        ("state", RefundState::Done.name().into()),
        ("asked_by", (&new.actor.who).into()),
        ("made_at_ms", now_ms.into()),
        ("settled_at_ms", now_ms.into()),
    ];
    let Some(id) = unless_refused(connection, FITS, || insert(connection, "refunds", &row))?.map(RefundId)
    else {
        return Ok(Reserved::No);
    };
    let detail = format!("{}, {}", new.kind.name(), words(new.money, &new.reason));
    let happened = event(EventKind::RefundRecorded, &detail);
    insert_event(connection, Some(new.order), new.payment, &happened, now_ms)?;
    insert_audit(connection, &new.actor, Action::RefundRecorded, Some(new.order), &detail, now_ms)?;
    let recorded = written(connection, id)?;
    after_money_of_nobody(connection, &recorded, RefundState::Done, now_ms)?;
    after_money_went_back(connection, &recorded, now_ms)?;
    Ok(Reserved::Yes(recorded))
}

pub(super) fn abandon_refunds(
    connection: &dyn Connection,
    reserved_before_ms: i64,
    now_ms: i64,
) -> Done<u32> {
    let abandoned = all(
        connection,
        "SELECT id FROM refunds WHERE state = 'reserved' AND reserved_at_ms < ?1 ORDER BY order_id, id LIMIT 100",
        values![reserved_before_ms],
        |row| row.first().map(RefundId),
    )?;
    let settlement = Settlement {
        event: RefundEvent::Undecided,
        detail: "its answer was never seen".to_owned(),
        raw: None,
        actor: None,
    };
    let mut count: u32 = 0;
    for id in abandoned {
        // It may have been settled while somebody else held it.
        let still = held_refund(connection, id)?.filter(|refund| refund.state == RefundState::Reserved);
        if still.is_some() && settle_refund(connection, id, &settlement, now_ms)?.is_ok() {
            count = count.saturating_add(1);
        }
    }
    Ok(count)
}

pub(super) fn abandon_reversals(
    connection: &dyn Connection,
    asked_before_ms: i64,
    now_ms: i64,
    timing: &Timing,
) -> Done<u32> {
    // One whose outcome is known to be unknown was raised before.
    let abandoned = format!(
        "SELECT {PAYMENT} FROM payments p WHERE state = 'reversing' AND state_since_ms < ?1 AND NOT EXISTS (
             SELECT 1 FROM events e WHERE e.payment_id = p.id AND e.kind = 'reversal_unknown'
                 AND e.at_ms >= p.state_since_ms)"
    );
    let (some, one_of_them) =
        (format!("{abandoned} ORDER BY order_id LIMIT 100"), format!("{abandoned} AND id = ?2"));
    let mut count: u32 = 0;
    for found in all(connection, &some, values![asked_before_ms], rows::payment)? {
        hold_order(connection, found.order)?;
        // It may have been answered, or raised, while somebody else held it.
        let still = one(connection, &one_of_them, values![asked_before_ms, found.id], rows::payment)?;
        if let Some(payment) = still {
            apply_to(connection, payment, &Cause::ReversalUndecided, None, now_ms, timing)?;
            count = count.saturating_add(1);
        }
    }
    Ok(count)
}

pub(super) fn apply_by(
    connection: &dyn Connection,
    id: PaymentId,
    cause: &Cause,
    raw: Option<&str>,
    by: Option<&(Actor, Action)>,
    now_ms: i64,
    timing: &Timing,
) -> Done<Option<Applied>> {
    hold_order_of(connection, id)?;
    let Some(payment) = payment(connection, id)? else { return Ok(None) };
    let applied = apply_to(connection, payment, cause, raw, now_ms, timing)?;
    if let (Some((actor, action)), Ok(state)) = (by, applied.decision.outcome) {
        let detail = format!("{} {}", plain(applied.decision.payment.money), state.name());
        insert_audit(connection, actor, *action, Some(applied.order.id), &detail, now_ms)?;
    }
    Ok(Some(applied))
}

pub(super) fn record_receipt(
    connection: &dyn Connection,
    new: &NewReceipt,
    now_ms: i64,
) -> Done<Result<OrderState, Refusal>> {
    hold_order(connection, new.order)?;
    let order = order_of(connection, new.order)?;
    let sql = "SELECT order_id FROM receipts WHERE key = ?1";
    match one(connection, sql, values![new.key], |row| row.first().map(OrderId))? {
        Some(of) if of == order.id => return Ok(Ok(order.state)),
        // The press was about another order.
        Some(_) => return Ok(Err(Refusal::OrderState)),
        None => {}
    }
    if new.money.currency != order.new.total.currency || new.money.minor <= 0 {
        return Ok(Err(Refusal::OrderState));
    }
    let row = [
        ("order_id", order.id.into()),
        ("key", new.key.into()),
        ("amount_minor", new.money.minor.into()),
        ("currency", new.money.currency.code().into()),
        ("note", (&new.note).into()),
        ("recorded_by", (&new.actor.who).into()),
        ("recorded_at_ms", now_ms.into()),
    ];
    insert(connection, "receipts", &row)?;
    let received = received_minor(connection, order.id)?;
    let detail = words(new.money, &new.note);
    insert_event(connection, Some(order.id), None, &event(EventKind::MoneyReceived, &detail), now_ms)?;
    insert_audit(connection, &new.actor, Action::MoneyReceived, Some(order.id), &detail, now_ms)?;
    let Ok(paid) = order.state.on(OrderEvent::MoneyRecorded) else {
        // The money is there, whatever the order says. What becomes of it, a person decides.
        let why =
            format!("money came in for an order that is {}: it may have to go back", order.state.name());
        insert_event(connection, Some(order.id), None, &event(EventKind::Contradiction, &why), now_ms)?;
        return Ok(Ok(order.state));
    };
    if received < order.new.total.minor && !new.settles {
        return Ok(Ok(order.state));
    }
    set_order_state(connection, order.id, order.state, paid)?;
    let news = News {
        kind: WebhookKind::OrderPaid,
        amount_minor: received,
        method: order.method,
        gateway_reference: None,
    };
    tell(connection, &order, &news, now_ms)?;
    Ok(Ok(paid))
}

/// What came in by the merchant's own methods and did not go back.
pub(super) fn received_minor(connection: &dyn Connection, order: OrderId) -> Done<i64> {
    let sql = "SELECT CAST((SELECT coalesce(sum(amount_minor), 0) FROM receipts WHERE order_id = ?1)
         - (SELECT coalesce(sum(amount_minor), 0) FROM refunds
             WHERE order_id = ?1 AND payment_id IS NULL AND state <> 'refused') AS BIGINT)";
    value(connection, sql, values![order])
}

pub(super) fn cancel_order(
    connection: &dyn Connection,
    id: OrderId,
    actor: &Actor,
    now_ms: i64,
) -> Done<Result<(), Refusal>> {
    hold_order(connection, id)?;
    let order = order_of(connection, id)?;
    let cancelled = match order.state.on(OrderEvent::Cancel) {
        Ok(next) if next == order.state => return Ok(Ok(())),
        // Somebody may just have paid: first the truth.
        Ok(_) if is_being_checked(connection, id)? => return Ok(Err(Refusal::OrderState)),
        Ok(next) => next,
        Err(refusal) => return Ok(Err(refusal)),
    };
    set_order_state(connection, id, order.state, cancelled)?;
    insert_event(connection, Some(id), None, &event(EventKind::CancelledByMerchant, ""), now_ms)?;
    insert_audit(connection, actor, Action::OrderCancelled, Some(id), "", now_ms)?;
    if received_minor(connection, id)? > 0 {
        let why = "cancelled although money had come in for it: it has to go back";
        insert_event(connection, Some(id), None, &event(EventKind::Contradiction, why), now_ms)?;
    }
    Ok(Ok(()))
}

pub(super) fn looked_at(
    connection: &dyn Connection,
    id: OrderId,
    shown: u32,
    actor: &Actor,
    now_ms: i64,
) -> Done<bool> {
    hold_order(connection, id)?;
    let kinds = EventKind::FOR_A_PERSON.map(|kind| format!("'{}'", kind.name())).join(", ");
    let sql = format!("SELECT count(*) FROM events WHERE order_id = ?1 AND kind IN ({kinds})");
    if value::<u32>(connection, &sql, values![id])? > shown {
        return Ok(false);
    }
    let sql = "UPDATE orders SET attention_since_ms = NULL WHERE id = ?1 AND attention_since_ms IS NOT NULL";
    let had = connection.execute(sql, values![id])?;
    if had > 0 {
        insert_event(connection, Some(id), None, &event(EventKind::LookedAt, ""), now_ms)?;
        insert_audit(connection, actor, Action::LookedAt, Some(id), "", now_ms)?;
    }
    Ok(true)
}

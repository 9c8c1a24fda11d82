//! What the merchant does with money, as SQL: refunds, reversals, receipts, cancellations.

use domain::{Money, OrderEvent, OrderState, PaymentState, RefundEvent, RefundState, Refusal};
use rusqlite::{Connection, named_params};

use super::Failure;
use super::people::insert_audit;
use super::rows::{self, PAYMENT, REFUND};
use super::work::{
    Done, all, apply_to, event, execute, expect_one, insert_event, is_being_checked, one, order_by_id, raise,
    violates, with_payments,
};
use crate::format::plain;
use crate::people::{Action, Actor};
use crate::records::{EventKind, NewEvent, Order, OrderId, Payment, PaymentId, Refund, RefundId, RefundKind};
use crate::rules::Cause;
use crate::store::Applied;
use crate::store::merchant::{
    Approved, NewReceipt, NewRefund, OrderRecord, RecordedRefund, Reserved, Settlement,
};
use crate::timing::Timing;
use crate::token::Hash;

pub(super) fn order_record(connection: &Connection, reference: &str) -> Done<Option<OrderRecord>> {
    let sql = format!("SELECT {} FROM orders WHERE reference = ?1", rows::ORDER);
    with_the_rest(connection, one(connection, &sql, [reference], rows::order)?)
}

pub(super) fn order_record_of(connection: &Connection, payment: PaymentId) -> Done<Option<OrderRecord>> {
    let sql = format!(
        "SELECT {} FROM orders WHERE id = (SELECT order_id FROM payments WHERE id = ?1)",
        rows::ORDER
    );
    with_the_rest(connection, one(connection, &sql, [payment.0], rows::order)?)
}

fn with_the_rest(connection: &Connection, order: Option<Order>) -> Done<Option<OrderRecord>> {
    let Some(file) = with_payments(connection, order)? else {
        return Ok(None);
    };
    let order = [file.order.id.0];
    let refunds = format!("SELECT {REFUND} FROM refunds WHERE order_id = ?1 ORDER BY id");
    let receipts = "SELECT amount_minor, currency, note, recorded_by, recorded_at_ms FROM receipts
         WHERE order_id = ?1 ORDER BY id";
    let audit = format!("SELECT {} FROM audit a WHERE a.order_id = ?1 ORDER BY a.id", rows::AUDIT);
    Ok(Some(OrderRecord {
        refunds: all(connection, &refunds, order, rows::refund)?,
        receipts: all(connection, receipts, order, rows::receipt)?,
        audit: all(connection, &audit, order, rows::audit_entry)?,
        file,
    }))
}

pub(super) fn refund(connection: &Connection, id: RefundId) -> Done<Option<Refund>> {
    one(connection, &format!("SELECT {REFUND} FROM refunds WHERE id = ?1"), [id.0], rows::refund)
}

/// The refund that a press made before.
fn refund_of_key(connection: &Connection, key: Hash) -> Done<Option<Refund>> {
    one(connection, &format!("SELECT {REFUND} FROM refunds WHERE key = ?1"), [key.0], rows::refund)
}

fn payment(connection: &Connection, id: PaymentId) -> Done<Option<Payment>> {
    one(connection, &format!("SELECT {PAYMENT} FROM payments WHERE id = ?1"), [id.0], rows::payment)
}

/// An order that something else refers to.
fn order_of(connection: &Connection, id: OrderId) -> Done<Order> {
    order_by_id(connection, id)?.ok_or_else(|| Failure::Damaged(format!("order {} is missing", id.0)))
}

/// Runs an insert that a trigger may refuse because the money is not there. `false` where it did.
fn fits(inserted: Done<usize>) -> Done<bool> {
    match inserted {
        Ok(_) => Ok(true),
        Err(Failure::Sqlite(error)) if violates(&error, "refund does not fit") => Ok(false),
        Err(error) => Err(error),
    }
}

/// What an event says about an amount.
fn words(money: Money, why: &str) -> String {
    if why.is_empty() { plain(money) } else { format!("{}: {why}", plain(money)) }
}

/// What is set aside of a payment, or gone.
pub(super) fn counted_minor(connection: &Connection, payment: PaymentId) -> Done<i64> {
    Ok(connection
        .prepare_cached(
            "SELECT coalesce(sum(amount_minor), 0) FROM refunds WHERE payment_id = ?1 AND state <> 'refused'",
        )?
        .query_row([payment.0], |row| row.get(0))?)
}

pub(super) fn reserve_refund(connection: &Connection, new: &NewRefund, now_ms: i64) -> Done<Reserved> {
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
    let inserted = connection
        .prepare_cached(
            "INSERT INTO refunds (order_id, payment_id, kind, gateway_order_id, key, amount_minor, currency, reason,
                 state, asked_by, made_at_ms, reserved_at_ms)
             VALUES (:order, :payment, 'gateway', :gateway_order_id, :key, :amount, :currency, :reason,
                 :state, :by, :now, :reserved)",
        )?
        .execute(named_params! {
            ":order": payment.order.0,
            ":payment": payment.id.0,
            ":gateway_order_id": new.gateway_order_id,
            ":key": new.key.map(|key| key.0),
            ":amount": new.money.minor,
            ":currency": new.money.currency.code(),
            ":reason": new.reason,
            ":state": state.name(),
            ":by": new.actor.who,
            ":now": now_ms,
            ":reserved": (!is_proposal).then_some(now_ms),
        });
    if !fits(inserted.map_err(Failure::from))? {
        return Ok(Reserved::No);
    }
    let id = RefundId(connection.last_insert_rowid());
    let detail = words(new.money, &new.reason);
    let kind = if is_proposal { EventKind::RefundProposed } else { EventKind::RefundReserved };
    // A proposal is signed anew when it is approved.
    let raw = (!is_proposal).then(|| new.request.clone());
    let happened = NewEvent { kind, detail: detail.clone(), raw };
    insert_event(connection, Some(payment.order), Some(payment.id), &happened, now_ms)?;
    insert_audit(connection, &new.actor, Action::RefundAsked, Some(payment.order), &detail, now_ms)?;
    Ok(if is_proposal { Reserved::Proposed(id) } else { Reserved::Yes(id) })
}

pub(super) fn settle_refund(
    connection: &Connection,
    id: RefundId,
    settlement: &Settlement,
    now_ms: i64,
) -> Done<Result<RefundState, Refusal>> {
    let Some(refund) = refund(connection, id)? else {
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
    let changed = execute(
        connection,
        "UPDATE refunds SET state = ?3, settled_at_ms = ?4, answer = ?5 WHERE id = ?1 AND state = ?2",
        (id.0, refund.state.name(), next.name(), now_ms, &settlement.detail),
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
        note_all_given_back(connection, refund.order)?;
    }
    Ok(Ok(next))
}

/// A payment that was not taken for its order is asked about only to give its money back: until nothing of
/// it is left, or a person has to look, because a refund of it was not done.
fn after_money_of_nobody(
    connection: &Connection,
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
            execute(connection, sql, (id.0, now_ms)).map(drop)
        }
        _ if state == RefundState::Done => {
            execute(connection, "UPDATE payments SET next_ask_at_ms = NULL WHERE id = ?1", [id.0]).map(drop)
        }
        _ => {
            let (number, amount, state) = (refund.id.0, plain(refund.money), state.name());
            let look = format!("refund {number} of {amount} is {state}: look at the myPOS account");
            raise(connection, id, &event(EventKind::Contradiction, &look), now_ms)
        }
    }
}

/// An order whose money went back in full is refunded.
fn note_all_given_back(connection: &Connection, id: OrderId) -> Done<()> {
    let order = order_of(connection, id)?;
    // A payment that was refused, or reversed, is none of the order's money, and neither are its refunds.
    let (held, gone): (i64, i64) = connection
        .prepare_cached(
            "SELECT
                 (SELECT coalesce(sum(amount_minor), 0) FROM payments
                     WHERE order_id = ?1 AND state IN ('paid', 'reversing'))
                 + (SELECT coalesce(sum(amount_minor), 0) FROM receipts WHERE order_id = ?1),
                 (SELECT coalesce(sum(r.amount_minor), 0) FROM refunds r LEFT JOIN payments p ON p.id = r.payment_id
                     WHERE r.order_id = ?1 AND r.state = 'done' AND (p.id IS NULL OR p.state = 'paid'))",
        )?
        .query_row([id.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if gone < held {
        return Ok(());
    }
    let Ok(next) = order.state.on(OrderEvent::AllGivenBack) else { return Ok(()) };
    execute(connection, "UPDATE orders SET state = ?2 WHERE id = ?1", (id.0, next.name())).map(drop)
}

pub(super) fn approve_refund(
    connection: &Connection,
    id: RefundId,
    actor: &Actor,
    request: &str,
    now_ms: i64,
) -> Done<Approved> {
    let Some(refund) = refund(connection, id)? else { return Ok(Approved::NotProposed) };
    let Ok(next) = refund.state.on(RefundEvent::Approved) else { return Ok(Approved::NotProposed) };
    if refund.asked_by == actor.who {
        return Ok(Approved::OwnProposal);
    }
    let approved = execute(
        connection,
        "UPDATE refunds SET state = ?2, reserved_at_ms = ?3 WHERE id = ?1 AND state = 'proposed'",
        (id.0, next.name(), now_ms),
    );
    if !fits(approved)? {
        return Ok(Approved::DoesNotFit);
    }
    let detail = words(refund.money, &refund.reason);
    let raw = Some(request.to_owned());
    let happened = NewEvent { kind: EventKind::RefundReserved, detail: detail.clone(), raw };
    insert_event(connection, Some(refund.order), refund.payment, &happened, now_ms)?;
    insert_audit(connection, actor, Action::RefundApproved, Some(refund.order), &detail, now_ms)?;
    Ok(Approved::Yes(Box::new(Refund { state: next, ..refund })))
}

pub(super) fn record_refund(connection: &Connection, new: &RecordedRefund, now_ms: i64) -> Done<Reserved> {
    if let Some(before) = refund_of_key(connection, new.key)? {
        let same = (before.order, before.payment, before.kind, before.money)
            == (new.order, new.payment, new.kind, new.money);
        return Ok(if same { Reserved::Repeated(before.id) } else { Reserved::KeyReused });
    }
    if new.money.minor <= 0 || new.kind == RefundKind::Gateway {
        return Ok(Reserved::No);
    }
    let inserted = connection
        .prepare_cached(
            "INSERT INTO refunds (order_id, payment_id, kind, key, amount_minor, currency, reason, state, asked_by,
                 made_at_ms, settled_at_ms)
             VALUES (:order, :payment, :kind, :key, :amount, :currency, :reason, 'done', :by, :now, :now)",
        )?
        .execute(named_params! {
            ":order": new.order.0,
            ":payment": new.payment.map(|id| id.0),
            ":kind": new.kind.name(),
            ":key": new.key.0,
            ":amount": new.money.minor,
            ":currency": new.money.currency.code(),
            ":reason": new.reason,
            ":by": new.actor.who,
            ":now": now_ms,
        });
    if !fits(inserted.map_err(Failure::from))? {
        return Ok(Reserved::No);
    }
    let id = RefundId(connection.last_insert_rowid());
    let detail = format!("{}, {}", new.kind.name(), words(new.money, &new.reason));
    let happened = event(EventKind::RefundRecorded, &detail);
    insert_event(connection, Some(new.order), new.payment, &happened, now_ms)?;
    insert_audit(connection, &new.actor, Action::RefundRecorded, Some(new.order), &detail, now_ms)?;
    if let Some(recorded) = refund(connection, id)? {
        after_money_of_nobody(connection, &recorded, RefundState::Done, now_ms)?;
    }
    note_all_given_back(connection, new.order)?;
    Ok(Reserved::Yes(id))
}

pub(super) fn abandon_refunds(connection: &Connection, reserved_before_ms: i64, now_ms: i64) -> Done<u32> {
    let abandoned = all(
        connection,
        "SELECT id FROM refunds WHERE state = 'reserved' AND reserved_at_ms < ?1 LIMIT 500",
        [reserved_before_ms],
        |row| Ok(RefundId(row.get(0)?)),
    )?;
    let settlement = Settlement {
        event: RefundEvent::Undecided,
        detail: "its answer was never seen".to_owned(),
        raw: None,
        actor: None,
    };
    for refund in &abandoned {
        let _ = settle_refund(connection, *refund, &settlement, now_ms)?;
    }
    Ok(u32::try_from(abandoned.len()).unwrap_or(u32::MAX))
}

pub(super) fn abandon_reversals(
    connection: &Connection,
    asked_before_ms: i64,
    now_ms: i64,
    timing: &Timing,
) -> Done<u32> {
    // One whose outcome is known to be unknown was raised before.
    let sql = format!(
        "SELECT {PAYMENT} FROM payments p WHERE state = 'reversing' AND state_since_ms < ?1 AND NOT EXISTS (
             SELECT 1 FROM events e WHERE e.payment_id = p.id AND e.kind = 'reversal_unknown'
                 AND e.at_ms >= p.state_since_ms) LIMIT 500"
    );
    let abandoned = all(connection, &sql, [asked_before_ms], rows::payment)?;
    let count = u32::try_from(abandoned.len()).unwrap_or(u32::MAX);
    for payment in abandoned {
        apply_to(connection, payment, &Cause::ReversalUndecided, None, now_ms, timing)?;
    }
    Ok(count)
}

pub(super) fn apply_by(
    connection: &Connection,
    id: PaymentId,
    cause: &Cause,
    raw: Option<String>,
    by: Option<&(Actor, Action)>,
    now_ms: i64,
    timing: &Timing,
) -> Done<Option<Applied>> {
    let Some(payment) = payment(connection, id)? else { return Ok(None) };
    let applied = apply_to(connection, payment, cause, raw, now_ms, timing)?;
    if let (Some((actor, action)), Ok(state)) = (by, applied.decision.outcome) {
        let detail = format!("{} {}", plain(applied.decision.payment.money), state.name());
        insert_audit(connection, actor, *action, Some(applied.order.id), &detail, now_ms)?;
    }
    Ok(Some(applied))
}

pub(super) fn record_receipt(
    connection: &Connection,
    new: &NewReceipt,
    now_ms: i64,
) -> Done<Result<OrderState, Refusal>> {
    let order = order_of(connection, new.order)?;
    let repeated: bool = connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM receipts WHERE key = ?1 AND order_id = ?2)")?
        .query_row((new.key.0, order.id.0), |row| row.get(0))?;
    if repeated {
        return Ok(Ok(order.state));
    }
    if new.money.currency != order.new.total.currency || new.money.minor <= 0 {
        return Ok(Err(Refusal::OrderState));
    }
    execute(
        connection,
        "INSERT INTO receipts (order_id, key, amount_minor, currency, note, recorded_by, recorded_at_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        (
            order.id.0,
            new.key.0,
            new.money.minor,
            new.money.currency.code(),
            &new.note,
            &new.actor.who,
            now_ms,
        ),
    )?;
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
    execute(connection, "UPDATE orders SET state = ?2 WHERE id = ?1", (order.id.0, paid.name()))?;
    Ok(Ok(paid))
}

/// What came in by the merchant's own methods and did not go back.
pub(super) fn received_minor(connection: &Connection, order: OrderId) -> Done<i64> {
    Ok(connection
        .prepare_cached(
            "SELECT (SELECT coalesce(sum(amount_minor), 0) FROM receipts WHERE order_id = ?1)
                 - (SELECT coalesce(sum(amount_minor), 0) FROM refunds
                     WHERE order_id = ?1 AND payment_id IS NULL AND state <> 'refused')",
        )?
        .query_row([order.0], |row| row.get(0))?)
}

pub(super) fn cancel_order(
    connection: &Connection,
    id: OrderId,
    actor: &Actor,
    now_ms: i64,
) -> Done<Result<(), Refusal>> {
    let order = order_of(connection, id)?;
    let cancelled = match order.state.on(OrderEvent::Cancel) {
        Ok(next) if next == order.state => return Ok(Ok(())),
        // Somebody may just have paid: first the truth.
        Ok(_) if is_being_checked(connection, id)? => return Ok(Err(Refusal::OrderState)),
        Ok(next) => next,
        Err(refusal) => return Ok(Err(refusal)),
    };
    execute(connection, "UPDATE orders SET state = ?2 WHERE id = ?1", (id.0, cancelled.name()))?;
    insert_event(connection, Some(id), None, &event(EventKind::CancelledByMerchant, ""), now_ms)?;
    insert_audit(connection, actor, Action::OrderCancelled, Some(id), "", now_ms)?;
    if received_minor(connection, id)? > 0 {
        let why = "cancelled although money had come in for it: it has to go back";
        insert_event(connection, Some(id), None, &event(EventKind::Contradiction, why), now_ms)?;
    }
    Ok(Ok(()))
}

pub(super) fn looked_at(connection: &Connection, id: OrderId, actor: &Actor, now_ms: i64) -> Done<()> {
    let had = execute(
        connection,
        "UPDATE orders SET attention_since_ms = NULL WHERE id = ?1 AND attention_since_ms IS NOT NULL",
        [id.0],
    )?;
    if had > 0 {
        insert_event(connection, Some(id), None, &event(EventKind::LookedAt, ""), now_ms)?;
        insert_audit(connection, actor, Action::LookedAt, Some(id), "", now_ms)?;
    }
    Ok(())
}

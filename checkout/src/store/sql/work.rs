//! The use-cases as SQL. Each function runs inside one savepoint; an error undoes all of it.

use domain::{OrderEvent, OrderState, PaymentState};

use super::money_back::{counted_minor, done_minor, received_minor};
use super::outbox::{News, tell};
use super::rows::{self, ORDER, PAYMENT};
use super::{
    Connection, Done, Failure, all, claimed, held, hold, hold_order, hold_order_of, insert, one, value,
    values,
};
use crate::records::{
    Event, EventKind, HandoverForm, NewEvent, NewOrder, NewPayment, Order, OrderId, Payment, PaymentId,
};
use crate::rules::{self, Cause, Decision, Situation};
use crate::search::Found;
use crate::store::outbox::WebhookKind;
use crate::store::{
    Applied, Backlog, Handoff, KeyClaim, Lease, OrderFile, OrderToPay, Placed, Placement, TOKENS_PER_ORDER,
};
use crate::timing::Timing;
use crate::token::Hash;

/// Writes something and takes it back. A full disk lets everything pass but what really has to be written.
pub(super) fn leave_no_trace(connection: &dyn Connection) -> Done<()> {
    let key = values![Hash([0; 32])];
    let sql =
        "INSERT INTO idempotency_keys (key, request, claimed_at_ms, leased_until_ms) VALUES (?1, ?1, 0, 0)
         ON CONFLICT (key) DO UPDATE SET claimed_at_ms = 0";
    connection.execute(sql, key)?;
    connection.execute("DELETE FROM idempotency_keys WHERE key = ?1", key).map(drop)
}

pub(super) fn claim_key(
    connection: &dyn Connection,
    key: Hash,
    request: Hash,
    now_ms: i64,
    lease_ms: i64,
) -> Done<KeyClaim> {
    let until = now_ms.saturating_add(lease_ms);
    let fresh = connection.execute(
        "INSERT INTO idempotency_keys AS k (key, request, claimed_at_ms, leased_until_ms) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (key) DO UPDATE SET claimed_at_ms = ?3, leased_until_ms = ?4
         WHERE k.request = ?2 AND k.leased_until_ms BETWEEN 1 AND ?3",
        values![key, request, now_ms, until],
    )?;
    if fresh > 0 {
        return Ok(KeyClaim::Claimed(Lease { key, until_ms: until }));
    }
    let sql = "SELECT request, leased_until_ms, order_id, payment_id FROM idempotency_keys WHERE key = ?1";
    let found = one(connection, sql, values![key], |row| {
        let request: Hash = row.get("request")?;
        let lease: i64 = row.get("leased_until_ms")?;
        let order: Option<i64> = row.get("order_id")?;
        let payment: Option<i64> = row.get("payment_id")?;
        Ok((request, lease, order, payment))
    })?;
    let Some((known, lease, order, payment)) = found else {
        return Err(Failure::Conflict("a key was given back while it was asked for".to_owned()));
    };
    if known != request {
        return Ok(KeyClaim::Mismatch);
    }
    let Some(order) = order.filter(|_| lease == 0).map(OrderId) else {
        return Ok(KeyClaim::Running);
    };
    let payment = match payment {
        Some(id) => {
            let sql = "UPDATE payments SET first_shown_at_ms = NULL WHERE id = ?1";
            connection.execute(sql, values![id])?;
            Some(Box::new(payment_with_salt(connection, PaymentId(id))?))
        }
        None => None,
    };
    Ok(KeyClaim::Done { order, payment })
}

fn payment_with_salt(connection: &dyn Connection, id: PaymentId) -> Done<(Payment, [u8; 16])> {
    one(connection, &format!("SELECT {PAYMENT}, salt FROM payments WHERE id = ?1"), values![id], |row| {
        Ok((rows::payment(row)?, row.get("salt")?))
    })?
    .ok_or_else(|| Failure::Damaged(format!("payment {} of an idempotency key", id.0)))
}

pub(super) fn release_key(connection: &dyn Connection, lease: Lease) -> Done<()> {
    let sql = "DELETE FROM idempotency_keys WHERE key = ?1 AND leased_until_ms = ?2";
    connection.execute(sql, values![lease.key, lease.until_ms]).map(drop)
}

pub(super) fn reclaim_key(
    connection: &dyn Connection,
    key: Hash,
    done: PaymentId,
    now_ms: i64,
    lease_ms: i64,
) -> Done<Option<Lease>> {
    let until_ms = now_ms.saturating_add(lease_ms);
    let taken = connection.execute(
        "UPDATE idempotency_keys SET claimed_at_ms = ?3, leased_until_ms = ?4
         WHERE key = ?1 AND leased_until_ms = 0 AND payment_id = ?2",
        values![key, done, now_ms, until_ms],
    )?;
    Ok((taken > 0).then_some(Lease { key, until_ms }))
}

pub(super) fn place(
    connection: &dyn Connection,
    placement: &Placement,
    now_ms: i64,
    timing: &Timing,
) -> Done<Placed> {
    let lease = placement.lease;
    if !is_held(connection, lease)? {
        return Ok(Placed::LeaseLost);
    }
    let order = match &placement.order {
        OrderToPay::Existing(id) => {
            hold_order(connection, *id)?;
            match order_by_id(connection, *id)? {
                Some(order) => order,
                None => return Ok(Placed::Ended(*id)),
            }
        }
        OrderToPay::Cart(new) => match order_for_cart(connection, new, placement, now_ms)? {
            Ok(order) => order,
            Err(answer) => return Ok(answer),
        },
    };
    if is_being_checked(connection, order.id)? {
        // No second payment until the first is known.
        finish_key(connection, lease.key, order.id, None)?;
        return Ok(Placed::NothingToPay(order.id));
    }
    match order.state {
        OrderState::Open => {}
        OrderState::Awaiting | OrderState::Paid | OrderState::Refunded => {
            finish_key(connection, lease.key, order.id, None)?;
            return Ok(Placed::NothingToPay(order.id));
        }
        OrderState::Cancelled | OrderState::Expired => {
            finish_key(connection, lease.key, order.id, None)?;
            return Ok(Placed::Ended(order.id));
        }
    }
    let payment = match &placement.payment {
        Some(payment) => Some(insert_payment(connection, order.id, payment, now_ms, timing)?),
        None => None,
    };
    let state = match payment {
        Some(_) => order.state,
        None => order.state.on(OrderEvent::OwnMethodChosen).unwrap_or(order.state),
    };
    let sql = "UPDATE orders SET state = ?3, method = ?4 WHERE id = ?1 AND state = ?2";
    let values = values![order.id, order.state.name(), state.name(), placement.method.id()];
    expect_one(connection.execute(sql, values)?, "order")?;
    let kind = if payment.is_some() { EventKind::PaymentStarted } else { EventKind::OwnMethodChosen };
    insert_event(connection, Some(order.id), payment, &event(kind, placement.method.id()), now_ms)?;
    finish_key(connection, lease.key, order.id, payment)?;
    Ok(Placed::Started(order.id))
}

/// Whether nobody took the key over; nobody does until the transaction ends.
fn is_held(connection: &dyn Connection, lease: Lease) -> Done<bool> {
    let sql = "SELECT key FROM idempotency_keys WHERE key = ?1 AND leased_until_ms = ?2";
    let sql = format!("{sql}{}", held(connection));
    Ok(one(connection, &sql, values![lease.key, lease.until_ms], |row| row.first::<Hash>())?.is_some())
}

/// Whether the shopper is back from paying, and nothing was heard since; as [`rules::is_checking`] says.
pub(super) fn is_being_checked(connection: &dyn Connection, order: OrderId) -> Done<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM payments WHERE order_id = ?1 AND returned_at_ms >= state_since_ms
                   AND state IN ('started', 'cancelled', 'failed'))";
    value(connection, sql, values![order])
}

fn reference_is_taken(connection: &dyn Connection, reference: &str) -> Done<bool> {
    value(connection, "SELECT EXISTS (SELECT 1 FROM orders WHERE reference = ?1)", values![reference])
}

/// Whether an order's signed quote was used for another cart, or for an order of this cart that is more than an
/// unpaid one to be replaced.
fn quote_is_used(connection: &dyn Connection, new: &NewOrder) -> Done<bool> {
    let Some(quote) = new.storefront.quote else {
        return Ok(false);
    };
    hold(connection, &quote)?;
    let sql = "SELECT EXISTS (SELECT 1 FROM orders WHERE quote = ?1
                   AND (cart <> ?2 OR state NOT IN ('open', 'cancelled', 'expired')))";
    value(connection, sql, values![quote, new.cart])
}

/// The order that a cart's placement pays: the cart's own open one if its content is the same, else a new
/// one in its place.
fn order_for_cart(
    connection: &dyn Connection,
    new: &NewOrder,
    placement: &Placement,
    now_ms: i64,
) -> Done<Result<Order, Placed>> {
    // Before anything is cancelled for it; the database's own constraints say the same.
    let is_used = quote_is_used(connection, new)?;
    let living = held_living_order(connection, new.cart)?;
    if let Some(order) = living {
        if is_being_checked(connection, order.id)? {
            return Ok(Ok(order));
        }
        let Ok(cancelled) = order.state.on(OrderEvent::Cancel) else {
            return Ok(Ok(order));
        };
        if order.state == OrderState::Open
            && order.new.content == new.content
            && order.new.reference != new.reference
            && placement.payment.is_some()
        {
            return Ok(Err(Placed::PlacedAs(order.new.reference)));
        }
        if order.state != OrderState::Open || order.new.content == new.content {
            return Ok(Ok(order));
        }
        if is_used {
            return Ok(Err(Placed::QuoteUsed));
        }
        if reference_is_taken(connection, &new.reference)? {
            return Ok(Err(Placed::ReferenceTaken));
        }
        set_order_state(connection, order.id, order.state, cancelled)?;
        let superseded = event(EventKind::OrderSuperseded, &format!("by {}", new.reference));
        insert_event(connection, Some(order.id), None, &superseded, now_ms)?;
        if received_minor(connection, order.id)? > 0 {
            let why = event(
                EventKind::Contradiction,
                "another order took its place although money had come in for it",
            );
            insert_event(connection, Some(order.id), None, &why, now_ms)?;
        }
    }
    if is_used {
        return Ok(Err(Placed::QuoteUsed));
    }
    if reference_is_taken(connection, &new.reference)? {
        return Ok(Err(Placed::ReferenceTaken));
    }
    let found = Found::of(new.customer.details());
    let (lines, customer) = (json(&new.lines)?, json(new.customer.details())?);
    let row = [
        ("reference", (&new.reference).into()),
        ("mode", new.mode.name().into()),
        ("state", OrderState::Open.name().into()),
        ("method", placement.method.id().into()),
        ("language", new.language.tag().into()),
        ("currency", new.total.currency.code().into()),
        ("total_minor", new.total.minor.into()),
        ("delivery", (&new.delivery).into()),
        ("lines", lines.into()),
        ("customer", customer.into()),
        ("cart", new.cart.into()),
        ("content", new.content.into()),
        ("placed_at_ms", now_ms.into()),
        ("day", new.day.into()),
        ("quote", new.storefront.quote.into()),
        ("shop_reference", (&new.storefront.reference).into()),
        ("return_url", (&new.storefront.return_url).into()),
        ("found_email", found.email.into()),
        ("found_name", found.name.into()),
        ("found_family_name", found.family_name.into()),
    ];
    let id = OrderId(insert(connection, "orders", &row)?);
    insert_event(connection, Some(id), None, &event(EventKind::OrderPlaced, ""), now_ms)?;
    order_by_id(connection, id)?.map(Ok).ok_or_else(|| Failure::Damaged(format!("order {}", id.0)))
}

/// The order of a cart that can still be paid, or is; held.
fn held_living_order(connection: &dyn Connection, cart: Hash) -> Done<Option<Order>> {
    let sql = format!("SELECT {ORDER} FROM orders WHERE cart = ?1 AND state IN ('open', 'awaiting', 'paid')");
    let mut found = one(connection, &sql, values![cart], rows::order)?;
    while let Some(order) = found {
        hold_order(connection, order.id)?;
        // Meanwhile another one may have taken its place.
        found = one(connection, &sql, values![cart], rows::order)?;
        if found.as_ref().is_some_and(|again| again.id == order.id) {
            break;
        }
    }
    Ok(found)
}

fn insert_payment(
    connection: &dyn Connection,
    order: OrderId,
    new: &NewPayment,
    now_ms: i64,
    timing: &Timing,
) -> Done<PaymentId> {
    let first_question = timing.ask_started_ms.iter().min().copied().unwrap_or(timing.ask_again_ms);
    let form = json(&new.form)?;
    let row = [
        ("order_id", order.into()),
        ("gateway_order_id", (&new.gateway_order_id).into()),
        ("store", (&new.store).into()),
        ("key_index", new.key_index.into()),
        ("method", new.method.id().into()),
        ("amount_minor", new.money.minor.into()),
        ("currency", new.money.currency.code().into()),
        ("state", PaymentState::Started.name().into()),
        ("state_since_ms", now_ms.into()),
        ("started_at_ms", now_ms.into()),
        ("expires_at_ms", new.expires_at_ms.into()),
        ("form", form.into()),
        ("handoff", new.handoff.into()),
        ("salt", new.salt.as_slice().into()),
        ("next_ask_at_ms", now_ms.saturating_add(first_question).into()),
    ];
    insert(connection, "payments", &row).map(PaymentId)
}

fn finish_key(
    connection: &dyn Connection,
    key: Hash,
    order: OrderId,
    payment: Option<PaymentId>,
) -> Done<()> {
    let sql =
        "UPDATE idempotency_keys SET leased_until_ms = 0, order_id = ?2, payment_id = ?3 WHERE key = ?1";
    connection.execute(sql, values![key, order, payment]).map(drop)
}

pub(super) fn open_handoff(connection: &dyn Connection, token: Hash, now_ms: i64) -> Done<Option<Handoff>> {
    let order = "SELECT order_id FROM payments WHERE handoff = ?1";
    if let Some(order) = one(connection, order, values![token], |row| row.first().map(OrderId))? {
        hold_order(connection, order)?;
    }
    let sql = format!("SELECT {PAYMENT}, form, first_shown_at_ms FROM payments WHERE handoff = ?1");
    let found = one(connection, &sql, values![token], |row| {
        let form: String = row.get("form")?;
        let shown: Option<i64> = row.get("first_shown_at_ms")?;
        Ok((rows::payment(row)?, form, shown))
    })?;
    let Some((payment, form, shown)) = found else {
        return Ok(None);
    };
    if shown.is_none() {
        let sql = "UPDATE payments SET first_shown_at_ms = ?2 WHERE id = ?1";
        connection.execute(sql, values![payment.id, now_ms])?;
    }
    let form: HandoverForm = serde_json::from_str(&form)
        .map_err(|_| Failure::Damaged(format!("payment {}, form", payment.id.0)))?;
    let order = order_by_id(connection, payment.order)?
        .ok_or_else(|| Failure::Damaged(format!("payment {} without its order", payment.id.0)))?;
    Ok(Some(Handoff { payment, order, form, first_time: shown.is_none() }))
}

pub(super) fn add_token(connection: &dyn Connection, order: OrderId, token: Hash, now_ms: i64) -> Done<()> {
    hold_order(connection, order)?;
    let row = [("hash", token.into()), ("order_id", order.into()), ("made_at_ms", now_ms.into())];
    insert(connection, "order_tokens", &row)?;
    let sql = "DELETE FROM order_tokens WHERE order_id = ?1 AND id <= (
             SELECT id FROM order_tokens WHERE order_id = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)";
    connection.execute(sql, values![order, TOKENS_PER_ORDER]).map(drop)
}

pub(super) fn order_by_id(connection: &dyn Connection, id: OrderId) -> Done<Option<Order>> {
    one(connection, &format!("SELECT {ORDER} FROM orders WHERE id = ?1"), values![id], rows::order)
}

pub(super) fn order_by_token(connection: &dyn Connection, token: Hash) -> Done<Option<OrderFile>> {
    let sql =
        format!("SELECT {ORDER} FROM orders WHERE id = (SELECT order_id FROM order_tokens WHERE hash = ?1)");
    with_payments(connection, one(connection, &sql, values![token], rows::order)?)
}

pub(super) fn order_by_cart(connection: &dyn Connection, cart: Hash) -> Done<Option<OrderFile>> {
    let sql = format!("SELECT {ORDER} FROM orders WHERE cart = ?1 ORDER BY id DESC LIMIT 1");
    with_payments(connection, one(connection, &sql, values![cart], rows::order)?)
}

pub(super) fn order_by_reference(connection: &dyn Connection, reference: &str) -> Done<Option<OrderFile>> {
    let sql = format!("SELECT {ORDER} FROM orders WHERE reference = ?1");
    with_payments(connection, one(connection, &sql, values![reference], rows::order)?)
}

pub(super) fn with_payments(connection: &dyn Connection, order: Option<Order>) -> Done<Option<OrderFile>> {
    let Some(order) = order else {
        return Ok(None);
    };
    let sql = format!("SELECT {PAYMENT} FROM payments WHERE order_id = ?1 ORDER BY id");
    let payments = all(connection, &sql, values![order.id], rows::payment)?;
    Ok(Some(OrderFile { order, payments }))
}

pub(super) fn apply(
    connection: &dyn Connection,
    (store, gateway_order_id): (&str, &str),
    cause: &Cause,
    raw: Option<&str>,
    now_ms: i64,
    timing: &Timing,
) -> Done<Option<Applied>> {
    let sql = format!("SELECT {PAYMENT} FROM payments WHERE gateway_order_id = ?1 AND store = ?2");
    let values = values![gateway_order_id, store];
    let Some(found) = one(connection, &sql, values, rows::payment)? else {
        return Ok(None);
    };
    hold_order(connection, found.order)?;
    match one(connection, &sql, values, rows::payment)? {
        Some(payment) => apply_to(connection, payment, cause, raw, now_ms, timing).map(Some),
        None => Ok(None),
    }
}

/// Applies what happened to a payment that was just read, while its order is held.
pub(super) fn apply_to(
    connection: &dyn Connection,
    payment: Payment,
    cause: &Cause,
    raw: Option<&str>,
    now_ms: i64,
    timing: &Timing,
) -> Done<Applied> {
    let order = order_by_id(connection, payment.order)?
        .ok_or_else(|| Failure::Damaged(format!("payment {} without its order", payment.id.0)))?;
    let counted = counted_minor(connection, payment.id)?;
    let situation = Situation { order: order.state, payment: &payment, has_refunds: counted > 0 };
    let mut decision = rules::decide(&situation, cause, now_ms, timing);
    if decision.payment.state == PaymentState::Refused && counted >= payment.money.minor {
        decision.payment.next_ask_at_ms = None;
    }
    let received = received_minor(connection, order.id)?;
    if order.state == OrderState::Paid && decision.order == OrderState::Open && received > 0 {
        // What came in by the merchant's own methods is still there.
        if received >= order.new.total.minor {
            decision.order = OrderState::Paid;
        }
        let why = "the payment went back, and money that came in without the gateway is there";
        decision.events.push(event(EventKind::Contradiction, why));
    }

    store_payment(connection, &decision.payment, payment.state)?;
    if decision.order != order.state {
        set_order_state(connection, order.id, order.state, decision.order)?;
    }
    tell_whether_paid(connection, &order, &payment, &decision, received, now_ms)?;
    for (index, event) in decision.events.iter().enumerate() {
        // The raw message belongs to the first event that it caused.
        let event = NewEvent { raw: raw.filter(|_| index == 0).map(str::to_owned), ..event.clone() };
        insert_event(connection, Some(order.id), Some(payment.id), &event, now_ms)?;
    }
    Ok(Applied { order, decision })
}

/// Tells the merchant's systems that an order is paid now, or is not any more, by what happened to one of its payments.
fn tell_whether_paid(
    connection: &dyn Connection,
    order: &Order,
    before: &Payment,
    decision: &Decision,
    received_minor: i64,
    now_ms: i64,
) -> Done<()> {
    let after = &decision.payment;
    let kind = match (is_paid_for_sure(order.state, before), is_paid_for_sure(decision.order, after)) {
        (false, true) => WebhookKind::OrderPaid,
        (true, false) => WebhookKind::OrderReversed,
        _ => return Ok(()),
    };
    if decision.order == OrderState::Refunded {
        // All of it went back before it was beyond doubt: nobody was told, and nobody is to ship anything.
        return Ok(());
    }
    if kind == WebhookKind::OrderPaid && !after.state.holds_money() {
        // What came in by the merchant's own methods pays it in the payment's place.
        let news = News { kind, amount_minor: received_minor, method: order.method, gateway_reference: None };
        return tell(connection, order, &news, now_ms);
    }
    let news = News {
        kind,
        amount_minor: after.money.minor,
        method: after.method,
        gateway_reference: after.trnref.as_deref(),
    };
    tell(connection, order, &news, now_ms)?;
    // What went back meanwhile was not told either.
    let gone_minor = done_minor(connection, after.id)?;
    if kind == WebhookKind::OrderPaid && gone_minor > 0 {
        let news = News { kind: WebhookKind::OrderRefunded, amount_minor: gone_minor, ..news };
        tell(connection, order, &news, now_ms)?;
    }
    Ok(())
}

/// Whether an order counts as paid beyond doubt, as far as one of its payments goes: it holds the money and was confirmed,
/// or the order has its money from elsewhere. The merchant's systems hear of nothing less.
fn is_paid_for_sure(order: OrderState, payment: &Payment) -> bool {
    if payment.state.holds_money() {
        payment.was_confirmed()
    } else {
        matches!(order, OrderState::Paid | OrderState::Refunded)
    }
}

/// Writes what may change of a payment, if nobody else changed its state meanwhile.
fn store_payment(connection: &dyn Connection, payment: &Payment, before: PaymentState) -> Done<()> {
    let changed = connection.execute(
        "UPDATE payments SET state = ?3, state_since_ms = ?4, trnref = ?5, returned_at_ms = ?6,
             status_paid_at_ms = ?7, confirmed = ?8, next_ask_at_ms = ?9, unanswered = ?10, ask_leased_until_ms = 0,
             doubted = ?11
         WHERE id = ?1 AND state = ?2",
        values![
            payment.id,
            before.name(),
            payment.state.name(),
            payment.state_since_ms,
            payment.trnref.as_deref(),
            payment.returned_at_ms,
            payment.status_paid_at_ms,
            payment.confirmed,
            payment.next_ask_at_ms,
            payment.unanswered,
            payment.doubted,
        ],
    )?;
    expect_one(changed, "payment")
}

/// Writes where an order stands, if nobody else changed it meanwhile.
pub(super) fn set_order_state(
    connection: &dyn Connection,
    order: OrderId,
    before: OrderState,
    state: OrderState,
) -> Done<()> {
    let sql = "UPDATE orders SET state = ?3 WHERE id = ?1 AND state = ?2";
    expect_one(connection.execute(sql, values![order, before.name(), state.name()])?, "order")
}

pub(super) fn expect_one(changed: u64, what: &str) -> Done<()> {
    if changed == 1 {
        Ok(())
    } else {
        Err(Failure::Conflict(format!("{what} changed while it was being changed")))
    }
}

pub(super) fn record(
    connection: &dyn Connection,
    payment: Option<PaymentId>,
    event: &NewEvent,
    now_ms: i64,
) -> Done<()> {
    let order = match payment {
        Some(id) => {
            let sql = "SELECT order_id FROM payments WHERE id = ?1";
            one(connection, sql, values![id], |row| row.first().map(OrderId))?
        }
        None => None,
    };
    insert_event(connection, order, payment, event, now_ms)
}

pub(super) fn raise(
    connection: &dyn Connection,
    payment: PaymentId,
    event: &NewEvent,
    now_ms: i64,
) -> Done<()> {
    ask_no_more(connection, payment)?;
    record(connection, Some(payment), event, now_ms)
}

pub(super) fn ask_no_more(connection: &dyn Connection, payment: PaymentId) -> Done<()> {
    hold_order_of(connection, payment)?;
    connection.execute("UPDATE payments SET next_ask_at_ms = NULL WHERE id = ?1", values![payment])?;
    Ok(())
}

pub(super) fn has_event(connection: &dyn Connection, payment: PaymentId, kind: EventKind) -> Done<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM events WHERE payment_id = ?1 AND kind = ?2)";
    value(connection, sql, values![payment, kind.name()])
}

pub(super) fn record_declined(
    connection: &dyn Connection,
    payment: PaymentId,
    attempts: &[String],
    now_ms: i64,
) -> Done<()> {
    for attempt in attempts {
        connection.execute(
            "INSERT INTO events (order_id, payment_id, at_ms, kind, detail)
             SELECT order_id, id, ?2, 'declined', ?3 FROM payments WHERE id = ?1
             ON CONFLICT DO NOTHING",
            values![payment, now_ms, attempt],
        )?;
    }
    Ok(())
}

pub(super) fn events(connection: &dyn Connection, order: OrderId) -> Done<Vec<Event>> {
    let sql = "SELECT at_ms, payment_id, kind, detail, raw FROM events WHERE order_id = ?1 ORDER BY id";
    all(connection, sql, values![order], rows::event)
}

pub(super) fn claim_due(
    connection: &dyn Connection,
    now_ms: i64,
    lease_ms: i64,
    limit: u32,
) -> Done<Vec<Payment>> {
    let sql = format!(
        "WITH due AS MATERIALIZED (
             SELECT id FROM payments WHERE next_ask_at_ms <= ?1 AND ask_leased_until_ms <= ?1
             ORDER BY next_ask_at_ms LIMIT ?3{})
         UPDATE payments SET ask_leased_until_ms = ?2 WHERE id IN (SELECT id FROM due)
         RETURNING {PAYMENT}",
        claimed(connection)
    );
    let until = now_ms.saturating_add(lease_ms);
    let mut due = all(connection, &sql, values![now_ms, until, limit], rows::payment)?;
    // What is returned comes in no order.
    due.sort_by_key(|payment| payment.next_ask_at_ms);
    Ok(due)
}

pub(super) fn give_back_due(
    connection: &dyn Connection,
    payments: &[PaymentId],
    leased_until_ms: i64,
) -> Done<()> {
    for payment in payments {
        let sql = "UPDATE payments SET ask_leased_until_ms = 0 WHERE id = ?1 AND ask_leased_until_ms = ?2";
        connection.execute(sql, values![*payment, leased_until_ms])?;
    }
    Ok(())
}

pub(super) fn backlog(connection: &dyn Connection, now_ms: i64) -> Done<Backlog> {
    let due =
        "SELECT count(*) AS due, min(next_ask_at_ms) AS oldest FROM payments WHERE next_ask_at_ms <= ?1";
    let found = one(connection, due, values![now_ms], |row| {
        let (due, oldest): (i64, Option<i64>) = (row.get("due")?, row.get("oldest")?);
        Ok((due, oldest))
    })?;
    let (due, oldest_due_at_ms) = found.unwrap_or_default();
    let unsettled = "SELECT count(*) AS unsettled, min(state_since_ms) AS oldest FROM payments
         WHERE next_ask_at_ms IS NOT NULL AND state IN ('started', 'refused', 'reversing')";
    let found = one(connection, unsettled, &[], |row| {
        let (unsettled, oldest): (i64, Option<i64>) = (row.get("unsettled")?, row.get("oldest")?);
        Ok((unsettled, oldest))
    })?;
    let (unsettled, oldest_unsettled_since_ms) = found.unwrap_or_default();
    let webhooks =
        "SELECT count(*) AS waiting, min(made_at_ms) AS oldest FROM webhooks WHERE state = 'waiting'
         AND endpoint_id IN (SELECT id FROM webhook_endpoints WHERE is_active = 1)";
    let found = one(connection, webhooks, &[], |row| {
        let (waiting, oldest): (i64, Option<i64>) = (row.get("waiting")?, row.get("oldest")?);
        Ok((waiting, oldest))
    })?;
    let (waiting, oldest_webhook_at_ms) = found.unwrap_or_default();
    // With the condition of the index, or SQLite reads all of them.
    let given_up = "SELECT count(*) FROM webhooks WHERE state <> 'delivered' AND state = 'given_up'
         AND endpoint_id IN (SELECT id FROM webhook_endpoints WHERE is_active = 1)";
    let refunds = "SELECT count(*) FROM refunds WHERE state IN ('proposed', 'unknown') AND state = ?1";
    Ok(Backlog {
        due,
        oldest_due_at_ms,
        unsettled,
        oldest_unsettled_since_ms,
        proposed_refunds: value(connection, refunds, values!["proposed"])?,
        unknown_refunds: value(connection, refunds, values!["unknown"])?,
        orders_for_a_person: value(
            connection,
            "SELECT count(*) FROM orders WHERE attention_since_ms IS NOT NULL",
            &[],
        )?,
        unknown_messages: value(
            connection,
            "SELECT count(*) FROM events WHERE order_id IS NULL AND kind = 'unknown_message'
                 AND NOT EXISTS (SELECT 1 FROM seen_messages s WHERE s.event_id = events.id)",
            &[],
        )?,
        webhooks_waiting: waiting,
        oldest_webhook_at_ms,
        webhooks_given_up: value(connection, given_up, &[])?,
    })
}

pub(super) fn unsettled(connection: &dyn Connection, after: PaymentId, limit: u32) -> Done<Vec<Payment>> {
    let sql = format!(
        "SELECT {PAYMENT} FROM payments WHERE id > ?1 AND next_ask_at_ms IS NOT NULL ORDER BY id LIMIT ?2"
    );
    all(connection, &sql, values![after, limit], rows::payment)
}

/// Expires one order, if there is one to expire. Two in one transaction could each wait for what another transaction
/// holds: an order takes hold of its day's totals.
pub(super) fn expire(connection: &dyn Connection, placed_before_ms: i64, now_ms: i64) -> Done<bool> {
    let due = "state = 'open' AND placed_at_ms < ?1
         AND NOT EXISTS (SELECT 1 FROM payments p WHERE p.order_id = o.id AND p.next_ask_at_ms IS NOT NULL)
         AND NOT EXISTS (SELECT 1 FROM receipts r WHERE r.order_id = o.id)";
    // In the order of the index: without one PostgreSQL takes any order for as likely to be due, and reads all of them.
    let sql =
        format!("SELECT id FROM orders o WHERE {due} ORDER BY placed_at_ms LIMIT 1{}", claimed(connection));
    let found = one(connection, &sql, values![placed_before_ms], |row| row.first().map(OrderId))?;
    let Some(order) = found else { return Ok(false) };
    // A payment may have begun while the order was not held yet.
    let sql = format!("UPDATE orders AS o SET state = 'expired' WHERE id = ?2 AND {due}");
    let is_expired = connection.execute(&sql, values![placed_before_ms, order])? > 0;
    if is_expired {
        insert_event(connection, Some(order), None, &event(EventKind::OrderExpired, ""), now_ms)?;
    }
    Ok(is_expired)
}

pub(super) fn forget_keys(connection: &dyn Connection, keys_before_ms: i64) -> Done<()> {
    connection.execute("DELETE FROM idempotency_keys WHERE claimed_at_ms < ?1", values![keys_before_ms])?;
    Ok(())
}

pub(super) fn event(kind: EventKind, detail: &str) -> NewEvent {
    NewEvent { kind, detail: detail.to_owned(), raw: None }
}

pub(super) fn insert_event(
    connection: &dyn Connection,
    order: Option<OrderId>,
    payment: Option<PaymentId>,
    event: &NewEvent,
    now_ms: i64,
) -> Done<()> {
    // A contradiction that is on record is not recorded again each time the gateway repeats it; nor is a message about no
    // order of ours, which anybody who has it can bring again: its detail is the hash of what is signed.
    let inserted = connection.execute(
        "INSERT INTO events (order_id, payment_id, at_ms, kind, detail, raw)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6
         WHERE (?4 <> 'contradiction' OR NOT EXISTS (
             SELECT 1 FROM events WHERE payment_id = ?2 AND kind = ?4 AND detail = ?5))
         AND (?4 <> 'unknown_message' OR NOT EXISTS (
             SELECT 1 FROM events WHERE order_id IS NULL AND kind = 'unknown_message' AND detail = ?5))",
        values![order, payment, now_ms, event.kind.name(), &event.detail, event.raw.as_deref()],
    )?;
    if let (Some(order), true) = (order, inserted > 0 && event.kind.needs_a_person()) {
        let sql = "UPDATE orders SET attention_since_ms = coalesce(attention_since_ms, ?2) WHERE id = ?1";
        connection.execute(sql, values![order, now_ms])?;
    }
    Ok(())
}

fn json(value: &impl serde::Serialize) -> Done<String> {
    serde_json::to_string(value).map_err(|error| Failure::Damaged(error.to_string()))
}

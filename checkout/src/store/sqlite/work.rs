//! The use-cases as SQL. Each function runs inside one savepoint; an error undoes all of it.

use domain::{Details, OrderEvent, OrderState, PaymentState};
use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, named_params};

use super::Failure;
use super::money_back::{counted_minor, received_minor};
use super::rows::{self, ORDER, PAYMENT};
use crate::records::{
    Event, EventKind, HandoverForm, NewEvent, NewOrder, NewPayment, Order, OrderId, Payment, PaymentId,
};
use crate::rules::{self, Cause, Situation};
use crate::search::Found;
use crate::store::{Applied, Handoff, KeyClaim, OrderFile, OrderToPay, Placed, Placement, TOKENS_PER_ORDER};
use crate::timing::Timing;
use crate::token::Hash;

pub(super) type Done<T> = Result<T, Failure>;

/// The first row of a query, read by one of [`rows`]'s functions.
pub(super) fn one<T>(
    connection: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
    read: fn(&Row<'_>) -> Done<T>,
) -> Done<Option<T>> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut found = statement.query(params)?;
    found.next()?.map(read).transpose()
}

/// All rows of a query.
pub(super) fn all<T>(
    connection: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
    read: fn(&Row<'_>) -> Done<T>,
) -> Done<Vec<T>> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut found = statement.query(params)?;
    let mut read_rows = Vec::new();
    while let Some(row) = found.next()? {
        read_rows.push(read(row)?);
    }
    Ok(read_rows)
}

pub(super) fn execute(connection: &Connection, sql: &str, params: impl rusqlite::Params) -> Done<usize> {
    Ok(connection.prepare_cached(sql)?.execute(params)?)
}

pub(super) fn claim_key(
    connection: &Connection,
    key: Hash,
    request: Hash,
    now_ms: i64,
    lease_ms: i64,
) -> Done<KeyClaim> {
    let until = now_ms.saturating_add(lease_ms);
    let fresh = execute(
        connection,
        "INSERT INTO idempotency_keys (key, request, claimed_at_ms, leased_until_ms) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (key) DO UPDATE SET claimed_at_ms = ?3, leased_until_ms = ?4
         WHERE request = ?2 AND leased_until_ms BETWEEN 1 AND ?3",
        (key.0, request.0, now_ms, until),
    )?;
    if fresh > 0 {
        return Ok(KeyClaim::Claimed);
    }
    let (known, lease, order, payment) = connection
        .prepare_cached(
            "SELECT request, leased_until_ms, order_id, payment_id FROM idempotency_keys WHERE key = ?1",
        )?
        .query_row([key.0], |row| {
            Ok((
                row.get::<_, [u8; 32]>(0)?,
                row.get::<_, i64>(1)?,
                row.get::<_, Option<i64>>(2)?,
                row.get::<_, Option<i64>>(3)?,
            ))
        })?;
    if known != request.0 {
        return Ok(KeyClaim::Mismatch);
    }
    let Some(order) = order.filter(|_| lease == 0).map(OrderId) else {
        return Ok(KeyClaim::Running);
    };
    let payment = match payment {
        Some(id) => {
            execute(connection, "UPDATE payments SET first_shown_at_ms = NULL WHERE id = ?1", [id])?;
            Some(Box::new(payment_with_salt(connection, PaymentId(id))?))
        }
        None => None,
    };
    Ok(KeyClaim::Done { order, payment })
}

fn payment_with_salt(connection: &Connection, id: PaymentId) -> Done<(Payment, [u8; 16])> {
    one(connection, &format!("SELECT {PAYMENT}, salt FROM payments WHERE id = ?1"), [id.0], |row| {
        Ok((rows::payment(row)?, row.get("salt")?))
    })?
    .ok_or_else(|| Failure::Damaged(format!("payment {} of an idempotency key", id.0)))
}

pub(super) fn release_key(connection: &Connection, key: Hash) -> Done<()> {
    execute(connection, "DELETE FROM idempotency_keys WHERE key = ?1 AND leased_until_ms > 0", [key.0])
        .map(drop)
}

pub(super) fn reclaim_key(
    connection: &Connection,
    key: Hash,
    done: PaymentId,
    now_ms: i64,
    lease_ms: i64,
) -> Done<bool> {
    let taken = execute(
        connection,
        "UPDATE idempotency_keys SET claimed_at_ms = ?3, leased_until_ms = ?4
         WHERE key = ?1 AND leased_until_ms = 0 AND payment_id = ?2",
        (key.0, done.0, now_ms, now_ms.saturating_add(lease_ms)),
    )?;
    Ok(taken > 0)
}

pub(super) fn place(
    connection: &Connection,
    placement: &Placement,
    now_ms: i64,
    timing: &Timing,
) -> Done<Placed> {
    let order = match &placement.order {
        OrderToPay::Existing(id) => match order_by_id(connection, *id)? {
            Some(order) => order,
            None => return Ok(Placed::Ended(*id)),
        },
        OrderToPay::Cart(new) => match order_for_cart(connection, new, placement, now_ms)? {
            Ok(order) => order,
            Err(answer) => return Ok(answer),
        },
    };
    if is_being_checked(connection, order.id)? {
        // No second payment until the first is known.
        finish_key(connection, placement.key, order.id, None)?;
        return Ok(Placed::NothingToPay(order.id));
    }
    match order.state {
        OrderState::Open => {}
        OrderState::Awaiting | OrderState::Paid | OrderState::Refunded => {
            finish_key(connection, placement.key, order.id, None)?;
            return Ok(Placed::NothingToPay(order.id));
        }
        OrderState::Cancelled | OrderState::Expired => {
            finish_key(connection, placement.key, order.id, None)?;
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
    execute(
        connection,
        "UPDATE orders SET state = ?2, method = ?3 WHERE id = ?1",
        (order.id.0, state.name(), placement.method.id()),
    )?;
    let kind = if payment.is_some() { EventKind::PaymentStarted } else { EventKind::OwnMethodChosen };
    insert_event(connection, Some(order.id), payment, &event(kind, placement.method.id()), now_ms)?;
    finish_key(connection, placement.key, order.id, payment)?;
    Ok(Placed::Started(order.id))
}

/// Whether the shopper is back from paying, and nothing was heard since; as [`rules::is_checking`] says.
pub(super) fn is_being_checked(connection: &Connection, order: OrderId) -> Done<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM payments WHERE order_id = ?1 AND returned_at_ms >= state_since_ms
                   AND state IN ('started', 'cancelled', 'failed'))";
    Ok(connection.prepare_cached(sql)?.query_row([order.0], |row| row.get(0))?)
}

fn reference_is_taken(connection: &Connection, reference: &str) -> Done<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM orders WHERE reference = ?1)";
    Ok(connection.prepare_cached(sql)?.query_row([reference], |row| row.get(0))?)
}

/// Whether an order's signed quote was used for another cart, or for an order of this cart that is more than an
/// unpaid one to be replaced.
fn quote_is_used(connection: &Connection, new: &NewOrder) -> Done<bool> {
    let Some(quote) = new.storefront.quote else {
        return Ok(false);
    };
    let sql = "SELECT EXISTS (SELECT 1 FROM orders WHERE quote = ?1
                   AND (cart <> ?2 OR state NOT IN ('open', 'cancelled', 'expired')))";
    Ok(connection.prepare_cached(sql)?.query_row((quote.0, new.cart.0), |row| row.get(0))?)
}

/// The order that a cart's placement pays: the cart's own open one if its content is the same, else a new
/// one in its place.
fn order_for_cart(
    connection: &Connection,
    new: &NewOrder,
    placement: &Placement,
    now_ms: i64,
) -> Done<Result<Order, Placed>> {
    let living = one(
        connection,
        &format!("SELECT {ORDER} FROM orders WHERE cart = ?1 AND state IN ('open', 'awaiting', 'paid')"),
        [new.cart.0],
        rows::order,
    )?;
    // Before anything is cancelled for it; the database's own constraints say the same.
    let is_used = quote_is_used(connection, new)?;
    if let Some(order) = living {
        if is_being_checked(connection, order.id)? {
            return Ok(Ok(order));
        }
        let Ok(cancelled) = order.state.on(OrderEvent::Cancel) else {
            return Ok(Ok(order));
        };
        if order.state != OrderState::Open || order.new.content == new.content {
            return Ok(Ok(order));
        }
        if is_used {
            return Ok(Err(Placed::QuoteUsed));
        }
        if reference_is_taken(connection, &new.reference)? {
            return Ok(Err(Placed::ReferenceTaken));
        }
        execute(connection, "UPDATE orders SET state = ?2 WHERE id = ?1", (order.id.0, cancelled.name()))?;
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
    let found = Found::of(new.customer.details());
    let inserted = connection
        .prepare_cached(
            "INSERT INTO orders (reference, mode, state, method, language, currency, total_minor, delivery, lines,
                 customer, cart, content, placed_at_ms, day, quote, shop_reference, return_url, found_email, found_name,
                 found_family_name)
             VALUES (:reference, :mode, 'open', :method, :language, :currency, :total, :delivery, :lines,
                 :customer, :cart, :content, :now, :day, :quote, :shop_reference, :return_url, :found_email, :found_name,
                 :found_family_name)",
        )?
        .execute(named_params! {
            ":reference": new.reference,
            ":mode": new.mode.name(),
            ":method": placement.method.id(),
            ":language": new.language.tag(),
            ":currency": new.total.currency.code(),
            ":total": new.total.minor,
            ":delivery": new.delivery,
            ":lines": json(&new.lines)?,
            ":customer": json(new.customer.details())?,
            ":cart": new.cart.0,
            ":content": new.content.0,
            ":now": now_ms,
            ":day": new.day,
            ":quote": new.storefront.quote.map(|quote| quote.0),
            ":shop_reference": new.storefront.reference,
            ":return_url": new.storefront.return_url,
            ":found_email": found.email,
            ":found_name": found.name,
            ":found_family_name": found.family_name,
        });
    match inserted {
        Ok(_) => {}
        Err(error) if violates(&error, "orders.reference") => return Ok(Err(Placed::ReferenceTaken)),
        Err(error) => return Err(error.into()),
    }
    let id = OrderId(connection.last_insert_rowid());
    insert_event(connection, Some(id), None, &event(EventKind::OrderPlaced, ""), now_ms)?;
    order_by_id(connection, id)?.map(Ok).ok_or_else(|| Failure::Damaged(format!("order {}", id.0)))
}

/// Fills in what the shoppers of orders from before are looked for by.
pub(super) fn fill_found(connection: &Connection) -> Done<()> {
    let mut orders = connection.prepare("SELECT id, customer FROM orders")?;
    let mut orders = orders.query(())?;
    while let Some(row) = orders.next()? {
        let (id, customer): (i64, String) = (row.get(0)?, row.get(1)?);
        let details: Details =
            serde_json::from_str(&customer).map_err(|_| Failure::Damaged(format!("order {id}, customer")))?;
        let found = Found::of(&details);
        execute(
            connection,
            "UPDATE orders SET found_email = ?2, found_name = ?3, found_family_name = ?4 WHERE id = ?1",
            (id, found.email, found.name, found.family_name),
        )?;
    }
    Ok(())
}

fn insert_payment(
    connection: &Connection,
    order: OrderId,
    new: &NewPayment,
    now_ms: i64,
    timing: &Timing,
) -> Done<PaymentId> {
    let first_question = timing.ask_started_ms.iter().min().copied().unwrap_or(timing.ask_again_ms);
    connection
        .prepare_cached(
            "INSERT INTO payments (order_id, gateway_order_id, store, key_index, method, amount_minor, currency, state,
                 state_since_ms, started_at_ms, expires_at_ms, form, handoff, salt, next_ask_at_ms)
             VALUES (:order, :gateway_order_id, :store, :key_index, :method, :amount, :currency, 'started',
                 :now, :now, :expires, :form, :handoff, :salt, :ask)",
        )?
        .execute(named_params! {
            ":order": order.0,
            ":gateway_order_id": new.gateway_order_id,
            ":store": new.store,
            ":key_index": new.key_index,
            ":method": new.method.id(),
            ":amount": new.money.minor,
            ":currency": new.money.currency.code(),
            ":now": now_ms,
            ":expires": new.expires_at_ms,
            ":form": json(&new.form)?,
            ":handoff": new.handoff.0,
            ":salt": new.salt,
            ":ask": now_ms.saturating_add(first_question),
        })?;
    Ok(PaymentId(connection.last_insert_rowid()))
}

fn finish_key(connection: &Connection, key: Hash, order: OrderId, payment: Option<PaymentId>) -> Done<()> {
    execute(
        connection,
        "UPDATE idempotency_keys SET leased_until_ms = 0, order_id = ?2, payment_id = ?3 WHERE key = ?1",
        (key.0, order.0, payment.map(|id| id.0)),
    )
    .map(drop)
}

pub(super) fn open_handoff(connection: &Connection, token: Hash, now_ms: i64) -> Done<Option<Handoff>> {
    let sql = format!("SELECT {PAYMENT}, form, first_shown_at_ms FROM payments WHERE handoff = ?1");
    let found = one(connection, &sql, [token.0], |row| {
        Ok((
            rows::payment(row)?,
            row.get::<_, String>("form")?,
            row.get::<_, Option<i64>>("first_shown_at_ms")?,
        ))
    })?;
    let Some((payment, form, shown)) = found else {
        return Ok(None);
    };
    if shown.is_none() {
        execute(
            connection,
            "UPDATE payments SET first_shown_at_ms = ?2 WHERE id = ?1",
            (payment.id.0, now_ms),
        )?;
    }
    let form: HandoverForm = serde_json::from_str(&form)
        .map_err(|_| Failure::Damaged(format!("payment {}, form", payment.id.0)))?;
    let order = order_by_id(connection, payment.order)?
        .ok_or_else(|| Failure::Damaged(format!("payment {} without its order", payment.id.0)))?;
    Ok(Some(Handoff { payment, order, form, first_time: shown.is_none() }))
}

pub(super) fn add_token(connection: &Connection, order: OrderId, token: Hash, now_ms: i64) -> Done<()> {
    execute(
        connection,
        "INSERT INTO order_tokens (hash, order_id, made_at_ms) VALUES (?1, ?2, ?3)",
        (token.0, order.0, now_ms),
    )?;
    execute(
        connection,
        "DELETE FROM order_tokens WHERE hash IN (
             SELECT hash FROM order_tokens WHERE order_id = ?1 ORDER BY id DESC LIMIT -1 OFFSET ?2)",
        (order.0, TOKENS_PER_ORDER),
    )
    .map(drop)
}

pub(super) fn order_by_id(connection: &Connection, id: OrderId) -> Done<Option<Order>> {
    one(connection, &format!("SELECT {ORDER} FROM orders WHERE id = ?1"), [id.0], rows::order)
}

pub(super) fn order_by_token(connection: &Connection, token: Hash) -> Done<Option<OrderFile>> {
    let sql =
        format!("SELECT {ORDER} FROM orders WHERE id = (SELECT order_id FROM order_tokens WHERE hash = ?1)");
    with_payments(connection, one(connection, &sql, [token.0], rows::order)?)
}

pub(super) fn order_by_cart(connection: &Connection, cart: Hash) -> Done<Option<OrderFile>> {
    let sql = format!("SELECT {ORDER} FROM orders WHERE cart = ?1 ORDER BY id DESC LIMIT 1");
    with_payments(connection, one(connection, &sql, [cart.0], rows::order)?)
}

pub(super) fn order_by_reference(connection: &Connection, reference: &str) -> Done<Option<OrderFile>> {
    let sql = format!("SELECT {ORDER} FROM orders WHERE reference = ?1");
    with_payments(connection, one(connection, &sql, [reference], rows::order)?)
}

pub(super) fn with_payments(connection: &Connection, order: Option<Order>) -> Done<Option<OrderFile>> {
    let Some(order) = order else {
        return Ok(None);
    };
    let sql = format!("SELECT {PAYMENT} FROM payments WHERE order_id = ?1 ORDER BY id");
    let payments = all(connection, &sql, [order.id.0], rows::payment)?;
    Ok(Some(OrderFile { order, payments }))
}

pub(super) fn apply(
    connection: &Connection,
    (store, gateway_order_id): (&str, &str),
    cause: &Cause,
    raw: Option<String>,
    now_ms: i64,
    timing: &Timing,
) -> Done<Option<Applied>> {
    let sql = format!("SELECT {PAYMENT} FROM payments WHERE gateway_order_id = ?1 AND store = ?2");
    match one(connection, &sql, [gateway_order_id, store], rows::payment)? {
        Some(payment) => apply_to(connection, payment, cause, raw, now_ms, timing).map(Some),
        None => Ok(None),
    }
}

/// Applies what happened to a payment that was just read.
pub(super) fn apply_to(
    connection: &Connection,
    payment: Payment,
    cause: &Cause,
    raw: Option<String>,
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
        let changed = execute(
            connection,
            "UPDATE orders SET state = ?3 WHERE id = ?1 AND state = ?2",
            (order.id.0, order.state.name(), decision.order.name()),
        )?;
        expect_one(changed, "order")?;
    }
    for (index, event) in decision.events.iter().enumerate() {
        // The raw message belongs to the first event that it caused.
        let event = NewEvent { raw: raw.clone().filter(|_| index == 0), ..event.clone() };
        insert_event(connection, Some(order.id), Some(payment.id), &event, now_ms)?;
    }
    Ok(Applied { order, decision })
}

/// Writes what may change of a payment, if nobody else changed its state meanwhile.
fn store_payment(connection: &Connection, payment: &Payment, before: PaymentState) -> Done<()> {
    let changed = connection
        .prepare_cached(
            "UPDATE payments SET state = :state, state_since_ms = :since, trnref = :trnref, returned_at_ms = :returned,
                 status_paid_at_ms = :status_paid, confirmed = :confirmed, next_ask_at_ms = :ask,
                 unanswered = :unanswered, ask_leased_until_ms = 0
             WHERE id = :id AND state = :before",
        )?
        .execute(named_params! {
            ":id": payment.id.0,
            ":before": before.name(),
            ":state": payment.state.name(),
            ":since": payment.state_since_ms,
            ":trnref": payment.trnref,
            ":returned": payment.returned_at_ms,
            ":status_paid": payment.status_paid_at_ms,
            ":confirmed": payment.confirmed,
            ":ask": payment.next_ask_at_ms,
            ":unanswered": payment.unanswered,
        })?;
    expect_one(changed, "payment")
}

pub(super) fn expect_one(changed: usize, what: &str) -> Done<()> {
    if changed == 1 {
        Ok(())
    } else {
        Err(Failure::Damaged(format!("{what} changed while it was being changed")))
    }
}

pub(super) fn record(
    connection: &Connection,
    payment: Option<PaymentId>,
    event: &NewEvent,
    now_ms: i64,
) -> Done<()> {
    let order = match payment {
        Some(id) => connection
            .prepare_cached("SELECT order_id FROM payments WHERE id = ?1")?
            .query_row([id.0], |row| row.get(0))
            .optional()?
            .map(OrderId),
        None => None,
    };
    insert_event(connection, order, payment, event, now_ms)
}

pub(super) fn raise(connection: &Connection, payment: PaymentId, event: &NewEvent, now_ms: i64) -> Done<()> {
    execute(connection, "UPDATE payments SET next_ask_at_ms = NULL WHERE id = ?1", [payment.0])?;
    record(connection, Some(payment), event, now_ms)
}

pub(super) fn has_event(connection: &Connection, payment: PaymentId, kind: EventKind) -> Done<bool> {
    Ok(connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM events WHERE payment_id = ?1 AND kind = ?2)")?
        .query_row((payment.0, kind.name()), |row| row.get(0))?)
}

pub(super) fn record_declined(
    connection: &Connection,
    payment: PaymentId,
    attempts: &[String],
    now_ms: i64,
) -> Done<()> {
    for attempt in attempts {
        execute(
            connection,
            "INSERT INTO events (order_id, payment_id, at_ms, kind, detail)
             SELECT order_id, id, ?2, 'declined', ?3 FROM payments WHERE id = ?1
             ON CONFLICT DO NOTHING",
            (payment.0, now_ms, attempt),
        )?;
    }
    Ok(())
}

pub(super) fn events(connection: &Connection, order: OrderId) -> Done<Vec<Event>> {
    let sql = "SELECT at_ms, payment_id, kind, detail, raw FROM events WHERE order_id = ?1 ORDER BY id";
    all(connection, sql, [order.0], rows::event)
}

pub(super) fn claim_due(
    connection: &Connection,
    now_ms: i64,
    lease_ms: i64,
    limit: u32,
) -> Done<Vec<Payment>> {
    let sql = format!(
        "UPDATE payments SET ask_leased_until_ms = ?2 WHERE id IN (
             SELECT id FROM payments WHERE next_ask_at_ms <= ?1 AND ask_leased_until_ms <= ?1
             ORDER BY next_ask_at_ms LIMIT ?3)
         RETURNING {PAYMENT}"
    );
    let mut due = all(connection, &sql, (now_ms, now_ms.saturating_add(lease_ms), limit), rows::payment)?;
    // What is returned comes in no order.
    due.sort_by_key(|payment| payment.next_ask_at_ms);
    Ok(due)
}

pub(super) fn unsettled(connection: &Connection, after: PaymentId, limit: u32) -> Done<Vec<Payment>> {
    let sql = format!(
        "SELECT {PAYMENT} FROM payments WHERE id > ?1 AND next_ask_at_ms IS NOT NULL ORDER BY id LIMIT ?2"
    );
    all(connection, &sql, (after.0, limit), rows::payment)
}

pub(super) fn expire(
    connection: &Connection,
    placed_before_ms: i64,
    keys_before_ms: i64,
    now_ms: i64,
) -> Done<u32> {
    let expired = all(
        connection,
        "UPDATE orders SET state = 'expired' WHERE id IN (
             SELECT o.id FROM orders o WHERE o.state = 'open' AND o.placed_at_ms < ?1 AND NOT EXISTS (
                 SELECT 1 FROM payments WHERE order_id = o.id AND next_ask_at_ms IS NOT NULL)
             AND NOT EXISTS (SELECT 1 FROM receipts WHERE order_id = o.id)
             LIMIT 500)
         RETURNING id",
        [placed_before_ms],
        |row| Ok(OrderId(row.get(0)?)),
    )?;
    for order in &expired {
        insert_event(connection, Some(*order), None, &event(EventKind::OrderExpired, ""), now_ms)?;
    }
    execute(connection, "DELETE FROM idempotency_keys WHERE claimed_at_ms < ?1", [keys_before_ms])?;
    Ok(u32::try_from(expired.len()).unwrap_or(u32::MAX))
}

pub(super) fn event(kind: EventKind, detail: &str) -> NewEvent {
    NewEvent { kind, detail: detail.to_owned(), raw: None }
}

pub(super) fn insert_event(
    connection: &Connection,
    order: Option<OrderId>,
    payment: Option<PaymentId>,
    event: &NewEvent,
    now_ms: i64,
) -> Done<()> {
    // A contradiction that is on record is not recorded again each time the gateway repeats it.
    let inserted = execute(
        connection,
        "INSERT INTO events (order_id, payment_id, at_ms, kind, detail, raw)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE ?4 <> 'contradiction' OR NOT EXISTS (
             SELECT 1 FROM events WHERE payment_id = ?2 AND kind = ?4 AND detail = ?5)",
        (order.map(|id| id.0), payment.map(|id| id.0), now_ms, event.kind.name(), &event.detail, &event.raw),
    )?;
    if let (Some(order), true) = (order, inserted > 0 && event.kind.needs_a_person()) {
        execute(
            connection,
            "UPDATE orders SET attention_since_ms = coalesce(attention_since_ms, ?2) WHERE id = ?1",
            (order.0, now_ms),
        )?;
    }
    Ok(())
}

fn json(value: &impl serde::Serialize) -> Done<String> {
    serde_json::to_string(value).map_err(|error| Failure::Damaged(error.to_string()))
}

/// Whether an error is a broken constraint whose message names `what`.
pub(super) fn violates(error: &rusqlite::Error, what: &str) -> bool {
    matches!(error, rusqlite::Error::SqliteFailure(code, Some(message))
        if code.code == ErrorCode::ConstraintViolation && message.contains(what))
}

//! From rows to records. What cannot be read is damage, and says where.

use domain::{
    Currency, Customer, Details, Language, Money, OrderState, PaymentMethod, PaymentState, RefundState,
};

use super::{Done, Failure, Row};
use crate::people::{Action, Actor, AuditEntry, Role, User, UserId};
use crate::records::{
    Event, EventKind, Mode, NewEvent, NewOrder, Order, OrderId, Payment, PaymentId, Receipt, Refund,
    RefundId, RefundKind, Storefront,
};
use crate::store::merchant::{Cursor, Transaction};
use crate::store::outbox::{Webhook, WebhookId, WebhookKind, WebhookState};

/// The columns of [`order`].
pub(super) const ORDER: &str = "id, reference, mode, state, method, language, currency, total_minor, \
     delivery, lines, customer, cart, content, placed_at_ms, day, refunded_minor, attention_since_ms, \
     quote, shop_reference, return_url";

/// The columns of [`payment`].
pub(super) const PAYMENT: &str = "id, order_id, gateway_order_id, store, method, amount_minor, currency, \
     state, state_since_ms, trnref, started_at_ms, expires_at_ms, returned_at_ms, status_paid_at_ms, \
     confirmed, doubted, next_ask_at_ms, unanswered";

/// Reads the [`ORDER`] columns.
pub(super) fn order(row: &dyn Row) -> Done<Order> {
    let id: i64 = row.get("id")?;
    let damaged = |column: &str| Failure::Damaged(format!("order {id}, {column}"));
    let text = |column: &str| row.get::<String>(column);
    let details: Details = serde_json::from_str(&text("customer")?).map_err(|_| damaged("customer"))?;
    Ok(Order {
        id: OrderId(id),
        state: OrderState::from_name(&text("state")?).ok_or_else(|| damaged("state"))?,
        method: PaymentMethod::from_id(&text("method")?).ok_or_else(|| damaged("method"))?,
        placed_at_ms: row.get("placed_at_ms")?,
        refunded_minor: row.get("refunded_minor")?,
        attention_since_ms: row.get("attention_since_ms")?,
        new: NewOrder {
            reference: text("reference")?,
            mode: Mode::from_name(&text("mode")?).ok_or_else(|| damaged("mode"))?,
            cart: row.get("cart")?,
            content: row.get("content")?,
            lines: serde_json::from_str(&text("lines")?).map_err(|_| damaged("lines"))?,
            delivery: text("delivery")?,
            total: money(row, "total_minor")?.ok_or_else(|| damaged("currency"))?,
            customer: Customer::accepted_before(details),
            language: Language::from_tag(&text("language")?).ok_or_else(|| damaged("language"))?,
            day: row.get("day")?,
            storefront: Storefront {
                quote: row.get("quote")?,
                reference: text("shop_reference")?,
                return_url: text("return_url")?,
            },
        },
    })
}

/// Reads the [`PAYMENT`] columns.
pub(super) fn payment(row: &dyn Row) -> Done<Payment> {
    let id: i64 = row.get("id")?;
    let damaged = |column: &str| Failure::Damaged(format!("payment {id}, {column}"));
    let text = |column: &str| row.get::<String>(column);
    Ok(Payment {
        id: PaymentId(id),
        order: OrderId(row.get("order_id")?),
        gateway_order_id: text("gateway_order_id")?,
        store: text("store")?,
        method: PaymentMethod::from_id(&text("method")?).ok_or_else(|| damaged("method"))?,
        money: money(row, "amount_minor")?.ok_or_else(|| damaged("currency"))?,
        state: PaymentState::from_name(&text("state")?).ok_or_else(|| damaged("state"))?,
        state_since_ms: row.get("state_since_ms")?,
        trnref: row.get("trnref")?,
        started_at_ms: row.get("started_at_ms")?,
        expires_at_ms: row.get("expires_at_ms")?,
        returned_at_ms: row.get("returned_at_ms")?,
        status_paid_at_ms: row.get("status_paid_at_ms")?,
        confirmed: row.get("confirmed")?,
        doubted: row.get("doubted")?,
        next_ask_at_ms: row.get("next_ask_at_ms")?,
        unanswered: row.get("unanswered")?,
    })
}

/// Reads `at_ms, payment_id, kind, detail, raw`.
pub(super) fn event(row: &dyn Row) -> Done<Event> {
    let kind: String = row.get("kind")?;
    Ok(Event {
        at_ms: row.get("at_ms")?,
        payment: row.get::<Option<i64>>("payment_id")?.map(PaymentId),
        what: NewEvent {
            kind: EventKind::from_name(&kind)
                .ok_or_else(|| Failure::Damaged(format!("event kind {kind:?}")))?,
            detail: row.get("detail")?,
            raw: row.get("raw")?,
        },
    })
}

/// The columns of [`refund`].
pub(super) const REFUND: &str = "id, order_id, payment_id, kind, gateway_order_id, key, amount_minor, currency, \
     reason, state, asked_by, made_at_ms, settled_at_ms, answer";

/// Reads the [`REFUND`] columns.
pub(super) fn refund(row: &dyn Row) -> Done<Refund> {
    let id: i64 = row.get("id")?;
    let damaged = |column: &str| Failure::Damaged(format!("refund {id}, {column}"));
    let text = |column: &str| row.get::<String>(column);
    Ok(Refund {
        id: RefundId(id),
        order: OrderId(row.get("order_id")?),
        payment: row.get::<Option<i64>>("payment_id")?.map(PaymentId),
        kind: RefundKind::from_name(&text("kind")?).ok_or_else(|| damaged("kind"))?,
        gateway_order_id: row.get("gateway_order_id")?,
        key: row.get("key")?,
        money: money(row, "amount_minor")?.ok_or_else(|| damaged("currency"))?,
        reason: text("reason")?,
        state: RefundState::from_name(&text("state")?).ok_or_else(|| damaged("state"))?,
        asked_by: text("asked_by")?,
        made_at_ms: row.get("made_at_ms")?,
        settled_at_ms: row.get("settled_at_ms")?,
        answer: text("answer")?,
    })
}

/// Reads `amount_minor, currency, note, recorded_by, recorded_at_ms`.
pub(super) fn receipt(row: &dyn Row) -> Done<Receipt> {
    Ok(Receipt {
        money: money(row, "amount_minor")?
            .ok_or_else(|| Failure::Damaged("a receipt, currency".to_owned()))?,
        note: row.get("note")?,
        recorded_by: row.get("recorded_by")?,
        recorded_at_ms: row.get("recorded_at_ms")?,
    })
}

/// The columns of [`transaction`], of `orders o`.
pub(super) const TRANSACTION: &str = "o.id, o.day, o.reference, o.placed_at_ms, o.state, o.method, \
     o.currency, o.total_minor, o.refunded_minor, o.customer, o.shop_reference, o.return_url, \
     o.attention_since_ms IS NOT NULL OR EXISTS (SELECT 1 FROM refunds r \
         WHERE r.order_id = o.id AND r.state IN ('proposed', 'unknown')) AS attention, \
     (SELECT p.trnref FROM payments p WHERE p.order_id = o.id AND p.trnref IS NOT NULL \
         ORDER BY p.state IN ('paid', 'reversing') DESC, p.id DESC LIMIT 1) AS trnref";

/// Reads the [`TRANSACTION`] columns.
pub(super) fn transaction(row: &dyn Row) -> Done<Transaction> {
    let id: i64 = row.get("id")?;
    let damaged = |column: &str| Failure::Damaged(format!("order {id}, {column}"));
    let text = |column: &str| row.get::<String>(column);
    let details: Details = serde_json::from_str(&text("customer")?).map_err(|_| damaged("customer"))?;
    Ok(Transaction {
        cursor: Cursor { day: row.get("day")?, id: OrderId(id) },
        reference: text("reference")?,
        placed_at_ms: row.get("placed_at_ms")?,
        state: OrderState::from_name(&text("state")?).ok_or_else(|| damaged("state"))?,
        method: PaymentMethod::from_id(&text("method")?).ok_or_else(|| damaged("method"))?,
        total: money(row, "total_minor")?.ok_or_else(|| damaged("currency"))?,
        refunded_minor: row.get("refunded_minor")?,
        name: format!("{} {}", details.first_name, details.family_name),
        email: details.email,
        trnref: row.get::<Option<String>>("trnref")?.unwrap_or_default(),
        shop_reference: text("shop_reference")?,
        return_url: text("return_url")?,
        attention: row.get("attention")?,
    })
}

/// The columns of [`user`].
pub(super) const USER: &str = "u.id, u.email, u.role, u.is_disabled, u.totp_secret IS NOT NULL AS has_totp";

/// Reads the [`USER`] columns.
pub(super) fn user(row: &dyn Row) -> Done<User> {
    let email: String = row.get("email")?;
    let role: String = row.get("role")?;
    Ok(User {
        id: UserId(row.get("id")?),
        role: Role::from_name(&role).ok_or_else(|| Failure::Damaged(format!("role {role:?} of a user")))?,
        email,
        is_disabled: row.get("is_disabled")?,
        has_second_factor: row.get("has_totp")?,
    })
}

/// The columns of [`audit_entry`], of `audit a`.
pub(super) const AUDIT: &str = "a.id, a.at_ms, a.who, a.address, a.action, a.detail, \
     (SELECT o.reference FROM orders o WHERE o.id = a.order_id) AS reference";

/// Reads the [`AUDIT`] columns.
pub(super) fn audit_entry(row: &dyn Row) -> Done<AuditEntry> {
    let action: String = row.get("action")?;
    Ok(AuditEntry {
        id: row.get("id")?,
        at_ms: row.get("at_ms")?,
        actor: Actor { who: row.get("who")?, address: row.get("address")? },
        action: Action::from_name(&action)
            .ok_or_else(|| Failure::Damaged(format!("action {action:?} of the audit log")))?,
        order: row.get("reference")?,
        detail: row.get("detail")?,
    })
}

/// The columns of [`webhook`], and the tables that they are from.
pub(super) const WEBHOOK: &str = "w.id, w.order_id, w.kind, w.body, w.made_at_ms, w.state, w.tries, w.next_try_at_ms, \
     w.answer, w.settled_at_ms, e.name AS endpoint, o.reference \
     FROM webhooks w JOIN webhook_endpoints e ON e.id = w.endpoint_id JOIN orders o ON o.id = w.order_id";

/// Reads the [`WEBHOOK`] columns.
pub(super) fn webhook(row: &dyn Row) -> Done<Webhook> {
    let id: i64 = row.get("id")?;
    let damaged = |column: &str| Failure::Damaged(format!("webhook {id}, {column}"));
    let text = |column: &str| row.get::<String>(column);
    Ok(Webhook {
        id: WebhookId(id),
        endpoint: text("endpoint")?,
        order: OrderId(row.get("order_id")?),
        reference: text("reference")?,
        kind: WebhookKind::from_name(&text("kind")?).ok_or_else(|| damaged("kind"))?,
        body: text("body")?,
        made_at_ms: row.get("made_at_ms")?,
        state: WebhookState::from_name(&text("state")?).ok_or_else(|| damaged("state"))?,
        tries: row.get("tries")?,
        next_try_at_ms: row.get("next_try_at_ms")?,
        answer: text("answer")?,
        settled_at_ms: row.get("settled_at_ms")?,
    })
}

fn money(row: &dyn Row, minor: &str) -> Done<Option<Money>> {
    let code: String = row.get("currency")?;
    let minor: i64 = row.get(minor)?;
    Ok(Currency::from_code(&code).map(|currency| Money::new(minor, currency)))
}

//! From rows to records. What cannot be read is damage, and says where.

use domain::{Currency, Customer, Details, Language, Money, OrderState, PaymentMethod, PaymentState};
use rusqlite::Row;

use super::Failure;
use crate::records::{
    Event, EventKind, Mode, NewEvent, NewOrder, Order, OrderId, Payment, PaymentId, Storefront,
};
use crate::token::Hash;

/// The columns of [`order`].
pub(super) const ORDER: &str = "id, reference, mode, state, method, language, currency, total_minor, \
     delivery, lines, customer, cart, content, placed_at_ms, quote, shop_reference, return_url";

/// The columns of [`payment`].
pub(super) const PAYMENT: &str = "id, order_id, gateway_order_id, store, method, amount_minor, currency, \
     state, state_since_ms, trnref, started_at_ms, expires_at_ms, returned_at_ms, status_paid_at_ms, \
     confirmed, next_ask_at_ms, unanswered";

/// Reads the [`ORDER`] columns.
pub(super) fn order(row: &Row<'_>) -> Result<Order, Failure> {
    let id: i64 = row.get("id")?;
    let damaged = |column: &str| Failure::Damaged(format!("order {id}, {column}"));
    let text = |column: &str| row.get::<_, String>(column);
    let details: Details = serde_json::from_str(&text("customer")?).map_err(|_| damaged("customer"))?;
    Ok(Order {
        id: OrderId(id),
        state: OrderState::from_name(&text("state")?).ok_or_else(|| damaged("state"))?,
        method: PaymentMethod::from_id(&text("method")?).ok_or_else(|| damaged("method"))?,
        placed_at_ms: row.get("placed_at_ms")?,
        new: NewOrder {
            reference: text("reference")?,
            mode: Mode::from_name(&text("mode")?).ok_or_else(|| damaged("mode"))?,
            cart: Hash(row.get("cart")?),
            content: Hash(row.get("content")?),
            lines: serde_json::from_str(&text("lines")?).map_err(|_| damaged("lines"))?,
            delivery: text("delivery")?,
            total: money(row, "total_minor")?.ok_or_else(|| damaged("currency"))?,
            customer: Customer::accepted_before(details),
            language: Language::from_tag(&text("language")?).ok_or_else(|| damaged("language"))?,
            storefront: Storefront {
                quote: row.get::<_, Option<[u8; 32]>>("quote")?.map(Hash),
                reference: text("shop_reference")?,
                return_url: text("return_url")?,
            },
        },
    })
}

/// Reads the [`PAYMENT`] columns.
pub(super) fn payment(row: &Row<'_>) -> Result<Payment, Failure> {
    let id: i64 = row.get("id")?;
    let damaged = |column: &str| Failure::Damaged(format!("payment {id}, {column}"));
    let text = |column: &str| row.get::<_, String>(column);
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
        next_ask_at_ms: row.get("next_ask_at_ms")?,
        unanswered: row.get("unanswered")?,
    })
}

/// Reads `at_ms, payment_id, kind, detail, raw`.
pub(super) fn event(row: &Row<'_>) -> Result<Event, Failure> {
    let kind: String = row.get("kind")?;
    Ok(Event {
        at_ms: row.get("at_ms")?,
        payment: row.get::<_, Option<i64>>("payment_id")?.map(PaymentId),
        what: NewEvent {
            kind: EventKind::from_name(&kind)
                .ok_or_else(|| Failure::Damaged(format!("event kind {kind:?}")))?,
            detail: row.get("detail")?,
            raw: row.get("raw")?,
        },
    })
}

fn money(row: &Row<'_>, minor: &str) -> Result<Option<Money>, Failure> {
    let code: String = row.get("currency")?;
    let minor: i64 = row.get(minor)?;
    Ok(Currency::from_code(&code).map(|currency| Money::new(minor, currency)))
}

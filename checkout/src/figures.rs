//! What is counted and measured, for whoever watches over a shop. The server hands it out at `/metrics`; where nobody
//! takes it, it costs nothing.
//!
//! No label holds anything of a person or an order: only routes, methods, states, and kinds of outcomes.

use domain::PaymentMethod;
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

use crate::records::{EventKind, NewEvent};
use crate::store::Backlog;

/// The target of spans that only traces show, and never the log.
pub const TRACES: &str = "tillgate::traces";

/// Requests, by `route` (its template), `method` and `status`.
pub const HTTP_REQUESTS: &str = "tillgate_http_requests_total";
/// How long requests took, by `route`.
pub const HTTP_SECONDS: &str = "tillgate_http_request_seconds";
/// Notifications of the gateway, by `answer`: `ok`, `not_taken`, `malformed`, `not_signed`, `failed`.
pub const NOTIFICATIONS: &str = "tillgate_notifications_total";
/// How long a notification took, from its last byte to our answer.
pub const NOTIFY_SECONDS: &str = "tillgate_notify_seconds";
/// When the gateway last sent this server a notification that it had signed, seconds since 1970. Not there before the
/// first one since its start.
pub const LAST_NOTIFICATION: &str = "tillgate_last_notification_timestamp_seconds";
/// How long a signature took, its wait for a free core included.
pub const SIGNING_SECONDS: &str = "tillgate_signing_seconds";
/// What happened to payments by the gateway's word, by `kind` (the kinds of an order's history).
pub const EVENTS: &str = "tillgate_events_total";
/// Payments that were started, by `method`.
pub const PAYMENTS_STARTED: &str = "tillgate_payments_started_total";
/// What the gateway answered when it was asked about a payment, by `status`: `paid`, `unsuccessful`, `unknown_order`,
/// `reversed`, `pending`, and `none` where no answer could be believed.
pub const STATUS_ANSWERS: &str = "tillgate_status_answers_total";
/// Refunds that the gateway was asked for, by `outcome`: `done`, `refused`, `unknown`.
pub const REFUNDS: &str = "tillgate_refunds_total";
/// Messages that were sent to the merchant's systems, by `outcome`: `delivered`, `failed` (it is sent again), `given_up`.
pub const WEBHOOKS: &str = "tillgate_webhooks_total";
/// Messages to the merchant's systems that wait to be delivered.
pub const WEBHOOKS_WAITING: &str = "tillgate_webhooks_waiting";
/// For how long the oldest of them has waited.
pub const OLDEST_WEBHOOK_SECONDS: &str = "tillgate_oldest_webhook_seconds";
/// Messages to the merchant's systems that were given up, and that nobody had sent again.
pub const WEBHOOKS_GIVEN_UP: &str = "tillgate_webhooks_given_up";
/// Whether the database told what waits, when it was asked last: 1, or 0.
pub const DATABASE_ANSWERS: &str = "tillgate_database_answers";
/// Payments that are due to be asked about, and were not yet.
pub const PAYMENTS_DUE: &str = "tillgate_payments_due";
/// For how long the longest of them has been due.
pub const OLDEST_DUE_SECONDS: &str = "tillgate_oldest_due_payment_seconds";
/// Payments of which it is not settled whether they are paid, or whose money has to go back and did not yet.
pub const PAYMENTS_UNSETTLED: &str = "tillgate_payments_unsettled";
/// For how long the longest of them has stood so. A payment page may stay open for 45 minutes.
pub const OLDEST_UNSETTLED_SECONDS: &str = "tillgate_oldest_unsettled_payment_seconds";
/// Refunds that wait for a person, by `state`: `proposed`, `unknown`.
pub const REFUNDS_WAITING: &str = "tillgate_refunds_waiting";
/// Orders that a person has to look at.
pub const ORDERS_FOR_A_PERSON: &str = "tillgate_orders_for_a_person";
/// Messages about orders that nobody knows, and that nobody has looked at.
pub const UNKNOWN_MESSAGES: &str = "tillgate_unknown_messages";

/// Says what each figure means, to whoever takes them.
pub fn describe() {
    let seconds = Unit::Seconds;
    describe_counter!(HTTP_REQUESTS, "Requests, by route, method and status.");
    describe_histogram!(HTTP_SECONDS, seconds, "How long requests took, by route.");
    describe_counter!(NOTIFICATIONS, "Notifications of the gateway, by our answer.");
    describe_histogram!(NOTIFY_SECONDS, seconds, "How long a notification took.");
    describe_gauge!(LAST_NOTIFICATION, seconds, "When the gateway last sent a signed notification.");
    describe_histogram!(SIGNING_SECONDS, seconds, "How long a signature took, waiting included.");
    describe_counter!(EVENTS, "What happened to payments by the gateway's word, by kind.");
    describe_counter!(PAYMENTS_STARTED, "Payments that were started, by method.");
    describe_counter!(STATUS_ANSWERS, "What the gateway answered about a payment, by status.");
    describe_counter!(REFUNDS, "Refunds that the gateway was asked for, by outcome.");
    describe_gauge!(DATABASE_ANSWERS, "Whether the database told what waits.");
    describe_gauge!(PAYMENTS_DUE, "Payments that are due to be asked about.");
    describe_gauge!(OLDEST_DUE_SECONDS, seconds, "For how long the longest of them has been due.");
    describe_gauge!(PAYMENTS_UNSETTLED, "Payments whose outcome is not settled.");
    describe_gauge!(OLDEST_UNSETTLED_SECONDS, seconds, "For how long the longest of them has stood so.");
    describe_gauge!(REFUNDS_WAITING, "Refunds that wait for a person, by state.");
    describe_gauge!(ORDERS_FOR_A_PERSON, "Orders that a person has to look at.");
    describe_gauge!(UNKNOWN_MESSAGES, "Messages about orders that nobody knows, not looked at.");
    describe_counter!(WEBHOOKS, "Messages that were sent to the merchant's systems, by outcome.");
    describe_gauge!(WEBHOOKS_WAITING, "Messages to the merchant's systems that wait to be delivered.");
    describe_gauge!(OLDEST_WEBHOOK_SECONDS, seconds, "For how long the oldest of them has waited.");
    describe_gauge!(WEBHOOKS_GIVEN_UP, "Messages to the merchant's systems that were given up.");
    // What never happened is zero, not missing: an alarm can tell the two apart.
    for answer in ["ok", "not_taken", "malformed", "not_signed", "failed"] {
        counter!(NOTIFICATIONS, "answer" => answer).absolute(0);
    }
    for status in ["paid", "unsuccessful", "unknown_order", "reversed", "pending", "none"] {
        counter!(STATUS_ANSWERS, "status" => status).absolute(0);
    }
    for outcome in ["done", "refused", "unknown"] {
        counter!(REFUNDS, "outcome" => outcome).absolute(0);
    }
    for outcome in ["delivered", "failed", "given_up"] {
        counter!(WEBHOOKS, "outcome" => outcome).absolute(0);
    }
    for kind in EventKind::ALL {
        counter!(EVENTS, "kind" => kind.name()).absolute(0);
    }
    for method in PaymentMethod::ALL.into_iter().filter(|method| method.uses_gateway()) {
        counter!(PAYMENTS_STARTED, "method" => method.id()).absolute(0);
    }
}

/// What the gateway's word did to a payment.
pub(crate) fn happened(events: &[NewEvent]) {
    for event in events {
        counter!(EVENTS, "kind" => event.kind.name()).increment(1);
    }
}

/// How long a signature took.
pub(crate) fn signed(took: std::time::Duration) {
    histogram!(SIGNING_SECONDS).record(took);
}

/// What waits, as it stands now; `None` where the database did not tell.
pub fn waiting(backlog: Option<&Backlog>, now_ms: i64) {
    gauge!(DATABASE_ANSWERS).set(u32::from(backlog.is_some()));
    let Some(backlog) = backlog else { return };
    let whole = |number: i64| u32::try_from(number.max(0)).unwrap_or(u32::MAX);
    let age_s =
        |since_ms: Option<i64>| whole(since_ms.map_or(0, |since| now_ms.saturating_sub(since)) / 1000);
    gauge!(PAYMENTS_DUE).set(whole(backlog.due));
    gauge!(OLDEST_DUE_SECONDS).set(age_s(backlog.oldest_due_at_ms));
    gauge!(PAYMENTS_UNSETTLED).set(whole(backlog.unsettled));
    gauge!(OLDEST_UNSETTLED_SECONDS).set(age_s(backlog.oldest_unsettled_since_ms));
    gauge!(REFUNDS_WAITING, "state" => "proposed").set(whole(backlog.proposed_refunds));
    gauge!(REFUNDS_WAITING, "state" => "unknown").set(whole(backlog.unknown_refunds));
    gauge!(ORDERS_FOR_A_PERSON).set(whole(backlog.orders_for_a_person));
    gauge!(UNKNOWN_MESSAGES).set(whole(backlog.unknown_messages));
    gauge!(WEBHOOKS_WAITING).set(whole(backlog.webhooks_waiting));
    gauge!(OLDEST_WEBHOOK_SECONDS).set(age_s(backlog.oldest_webhook_at_ms));
    gauge!(WEBHOOKS_GIVEN_UP).set(whole(backlog.webhooks_given_up));
}

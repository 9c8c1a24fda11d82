//! Every duration of the checkout, named, with its default.

/// Durations in milliseconds, unless the name says otherwise.
#[derive(Clone, Debug)]
pub struct Timing {
    /// For how long the same press of Pay gets the same hand-over.
    pub handover_fresh_ms: i64,
    /// How long a press of Pay may take before another replica takes it over.
    pub key_lease_ms: i64,
    /// How long idempotency keys are kept.
    pub key_kept_ms: i64,
    /// For how long the payment page stays open; always sent to the gateway.
    pub form_expires_s: u32,
    /// How long after that "unsuccessful" and "unknown" are believed.
    pub settle_grace_ms: i64,
    /// When a started payment is asked about, after its start.
    pub ask_started_ms: Vec<i64>,
    /// When it is asked about, after the shopper came back by `/mypos/ok`.
    pub ask_returned_ms: Vec<i64>,
    /// When a paid payment is asked about again, after it became paid: our `OK` may have been lost.
    pub ask_paid_ms: Vec<i64>,
    /// When a payment whose money has to go back is asked about, after it was refused or is being reversed.
    pub ask_refused_ms: Vec<i64>,
    /// When a failed payment is asked about once more: a form that nobody sent may still be sent.
    pub ask_failed_ms: Vec<i64>,
    /// When a second reply must agree with a "paid" that no Notify told.
    pub confirm_after_ms: i64,
    /// The shortest wait between two questions that no plan foresees; it doubles with each one that has no
    /// answer, and grows with the age of what is asked about, up to `ask_longest_ms`.
    pub ask_again_ms: i64,
    /// The longest wait between two questions.
    pub ask_longest_ms: i64,
    /// How long a replica may take over one question.
    pub ask_lease_ms: i64,
    /// When a refused payment that the gateway has not reversed is refunded.
    pub refund_refused_after_ms: i64,
    /// How long a refund may be on its way before it counts as unknown.
    pub refund_lease_ms: i64,
    /// When an order that nobody paid expires.
    pub order_expires_ms: i64,
    /// How long after each failed try a message to the merchant's systems is sent again; after the last it is given up.
    pub webhook_again_ms: Vec<i64>,
    /// How long a replica may take over a round of them.
    pub webhook_lease_ms: i64,
    /// When an endpoint that no server has in its configuration any more is told nothing more.
    pub endpoint_forgotten_ms: i64,
}

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

impl Default for Timing {
    fn default() -> Self {
        Self {
            handover_fresh_ms: MINUTE,
            key_lease_ms: 30 * SECOND,
            key_kept_ms: 24 * HOUR,
            form_expires_s: 1800,
            settle_grace_ms: 15 * MINUTE,
            ask_started_ms: vec![2 * MINUTE, 10 * MINUTE],
            ask_returned_ms: vec![5 * SECOND, 15 * SECOND, MINUTE, 5 * MINUTE],
            ask_paid_ms: vec![2 * MINUTE, HOUR, 24 * HOUR],
            ask_refused_ms: vec![2 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR],
            ask_failed_ms: vec![24 * HOUR],
            confirm_after_ms: 10 * MINUTE,
            ask_again_ms: MINUTE,
            ask_longest_ms: HOUR,
            ask_lease_ms: MINUTE,
            refund_refused_after_ms: HOUR,
            refund_lease_ms: 5 * MINUTE,
            order_expires_ms: 24 * HOUR,
            // As Standard Webhooks proposes: three days in all.
            webhook_again_ms: [5 * SECOND, 5 * MINUTE, 30 * MINUTE]
                .into_iter()
                .chain([2, 5, 10, 14, 20, 24].map(|hours| hours * HOUR))
                .collect(),
            webhook_lease_ms: 3 * MINUTE,
            endpoint_forgotten_ms: 30 * MINUTE,
        }
    }
}

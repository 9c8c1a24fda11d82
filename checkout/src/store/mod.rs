//! Where orders live: one trait whose methods are whole use-cases, each one transaction.
//!
//! No transaction object crosses the trait, so an implementation is free to gather what is queued into
//! one commit. What every implementation must do is held by one suite, `tests/it`.

pub mod merchant;
pub mod moving;
pub mod outbox;
pub mod postgres;
#[cfg(feature = "simulation")]
pub mod simulation;
mod sql;
pub mod sqlite;

use async_trait::async_trait;

pub use self::merchant::{MerchantStore, NewRefund, Reserved};
pub use self::outbox::Outbox;
use crate::records::{
    Event, EventKind, HandoverForm, NewEvent, NewOrder, NewPayment, Order, OrderId, Payment, PaymentId,
};
use crate::rules::{Cause, Decision};
use crate::timing::Timing;
use crate::token::Hash;
use domain::PaymentMethod;

/// Why the store did not do what it was asked. Nothing was changed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// More is queued than can be done in time.
    #[error("the database has too much to do")]
    Overloaded,
    /// The database failed: disk full, file gone, connection lost.
    #[error("the database failed: {0}")]
    Failed(String),
    /// What is stored makes no sense; the text says where.
    #[error("the database holds something unreadable: {0}")]
    Damaged(String),
}

/// The right to work under an idempotency key for a while. Whoever takes the key over, once the time is up, has another
/// one that ends later; with the old one nothing is placed any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The key.
    pub key: Hash,
    /// When it ends, milliseconds since 1970.
    pub until_ms: i64,
}

/// What a press of Pay with an idempotency key may do.
#[derive(Clone, Debug)]
pub enum KeyClaim {
    /// It is new, or its lease ran out: go on, then [`Store::place`] or [`Store::release_key`].
    Claimed(Lease),
    /// Another request with this key is running.
    Running,
    /// The key was used for another request.
    Mismatch,
    /// It was done before, with this result.
    Done {
        /// The order.
        order: OrderId,
        /// The payment that was started, with its salt; `None` for the merchant's own methods.
        payment: Option<Box<(Payment, [u8; 16])>>,
    },
}

/// An order to be placed or paid again, and how.
#[derive(Clone, Debug)]
pub struct Placement {
    /// The lease of the idempotency key that becomes done with it.
    pub lease: Lease,
    /// What is to be paid.
    pub order: OrderToPay,
    /// The chosen method.
    pub method: PaymentMethod,
    /// The payment, where the method uses the gateway.
    pub payment: Option<NewPayment>,
}

/// What a placement pays.
#[derive(Clone, Debug)]
pub enum OrderToPay {
    /// A new order, unless its cart already has one: an open one with the same content is used again, an
    /// open one with other content is cancelled.
    Cart(Box<NewOrder>),
    /// An order that exists.
    Existing(OrderId),
}

/// What became of a placement.
#[derive(Clone, Debug)]
pub enum Placed {
    /// The order is open or awaiting, and the payment, if there is one, is started.
    Started(OrderId),
    /// The order is already paid, or was placed with the merchant's own method: there is nothing to pay.
    NothingToPay(OrderId),
    /// The order was cancelled or has expired.
    Ended(OrderId),
    /// Another order was placed with this signed quote.
    QuoteUsed,
    /// The reference is taken: make another.
    ReferenceTaken,
    /// The cart has the very same order already, under this reference: the form of its payment has to name it.
    PlacedAs(String),
    /// It took too long, and another request works under the key now, or did already.
    LeaseLost,
}

/// A hand-over page that was asked for.
#[derive(Clone, Debug)]
pub struct Handoff {
    /// The payment that it starts.
    pub payment: Payment,
    /// The order.
    pub order: Order,
    /// The signed form.
    pub form: HandoverForm,
    /// Whether it is shown for the first time since Pay was pressed. A double click presses twice; a shopper
    /// who comes back from the payment page presses nothing, and needs a new payment.
    pub first_time: bool,
}

/// An order with its payments, oldest first.
#[derive(Clone, Debug)]
pub struct OrderFile {
    /// The order.
    pub order: Order,
    /// Its payments.
    pub payments: Vec<Payment>,
}

/// What a message changed.
#[derive(Clone, Debug)]
pub struct Applied {
    /// The order, as it was before the message but for its state.
    pub order: Order,
    /// What was decided and written.
    pub decision: Decision,
}

/// What waits: for a question to the gateway, or for a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Payments that are due to be asked about.
    pub due: i64,
    /// Since when the longest of them is due, milliseconds since 1970.
    pub oldest_due_at_ms: Option<i64>,
    /// Payments of which it is not settled whether they are paid, or whose money has to go back and did not yet.
    pub unsettled: i64,
    /// Since when the longest of them stands as it does, milliseconds since 1970.
    pub oldest_unsettled_since_ms: Option<i64>,
    /// Refunds that wait for a second person.
    pub proposed_refunds: i64,
    /// Refunds of which nobody knows whether they were done.
    pub unknown_refunds: i64,
    /// Orders that a person has to look at.
    pub orders_for_a_person: i64,
    /// Messages about orders that nobody knows, and that nobody has looked at.
    pub unknown_messages: i64,
    /// Messages to the merchant's systems that wait to be delivered.
    pub webhooks_waiting: i64,
    /// When the oldest of them happened, milliseconds since 1970.
    pub oldest_webhook_at_ms: Option<i64>,
    /// Messages that were given up.
    pub webhooks_given_up: i64,
}

/// The store: what shoppers and the gateway do to orders. The merchant's half is [`MerchantStore`]; what his systems
/// are told of it is in the [`Outbox`].
#[async_trait]
pub trait Store: MerchantStore + Outbox {
    /// Whether it can be read and written now.
    async fn ready(&self) -> Result<(), StoreError>;

    /// Claims an idempotency key for a request, for `lease_ms` milliseconds. Where it is done, its hand-over
    /// page counts as not shown yet: the same press of Pay came again.
    async fn claim_key(
        &self,
        key: Hash,
        request: Hash,
        now_ms: i64,
        lease_ms: i64,
    ) -> Result<KeyClaim, StoreError>;

    /// Gives back a key whose request came to nothing.
    async fn release_key(&self, lease: Lease) -> Result<(), StoreError>;

    /// Takes over a key that is done, to start a new payment with it. `None` where another request was
    /// quicker.
    async fn reclaim_key(
        &self,
        key: Hash,
        done: PaymentId,
        now_ms: i64,
        lease_ms: i64,
    ) -> Result<Option<Lease>, StoreError>;

    /// Places an order, or pays one again, and marks the key done, if its lease is still held.
    async fn place(&self, placement: Placement, now_ms: i64, timing: &Timing) -> Result<Placed, StoreError>;

    /// The hand-over page of a token; notes that it was shown.
    async fn open_handoff(&self, token: Hash, now_ms: i64) -> Result<Option<Handoff>, StoreError>;

    /// Adds a token that opens an order. Only the newest [`TOKENS_PER_ORDER`] of an order are kept.
    async fn add_token(&self, order: OrderId, token: Hash, now_ms: i64) -> Result<(), StoreError>;

    /// The order that a token opens.
    async fn order_by_token(&self, token: Hash) -> Result<Option<OrderFile>, StoreError>;

    /// The newest order of a cart.
    async fn order_by_cart(&self, cart: Hash) -> Result<Option<OrderFile>, StoreError>;

    /// An order by the reference that people use.
    async fn order_by_reference(&self, reference: &str) -> Result<Option<OrderFile>, StoreError>;

    /// Applies a verified message, or a status reply, of a configured store to its payment of a gateway
    /// `OrderID`, with [`crate::rules::decide`]. `None` where that store has no such payment.
    async fn apply(
        &self,
        store: &str,
        gateway_order_id: &str,
        cause: Cause,
        raw: Option<String>,
        now_ms: i64,
        timing: &Timing,
    ) -> Result<Option<Applied>, StoreError>;

    /// Records an event that changes nothing: of a payment, or of nobody. A message about nobody's order is recorded
    /// once, told apart by its `detail`.
    async fn record(
        &self,
        payment: Option<PaymentId>,
        event: NewEvent,
        now_ms: i64,
    ) -> Result<(), StoreError>;

    /// Records that a person has to look at a payment, and asks no more about it.
    async fn raise(&self, payment: PaymentId, event: NewEvent, now_ms: i64) -> Result<(), StoreError>;

    /// Asks no more about a payment: all was done that can be done without a person.
    async fn ask_no_more(&self, payment: PaymentId) -> Result<(), StoreError>;

    /// Records declined attempts of a payment, each once.
    async fn record_declined(
        &self,
        payment: PaymentId,
        attempts: Vec<String>,
        now_ms: i64,
    ) -> Result<(), StoreError>;

    /// Whether something of a kind happened to a payment.
    async fn has_event(&self, payment: PaymentId, kind: EventKind) -> Result<bool, StoreError>;

    /// The events of an order, oldest first.
    async fn events(&self, order: OrderId) -> Result<Vec<Event>, StoreError>;

    /// Claims payments that are due to be asked about, for `lease_ms`, the longest due first.
    async fn claim_due(&self, now_ms: i64, lease_ms: i64, limit: u32) -> Result<Vec<Payment>, StoreError>;

    /// Gives back what was claimed and not asked about, so that it is due for the next one at once; but not what somebody
    /// else has claimed since.
    async fn give_back_due(&self, payments: Vec<PaymentId>, leased_until_ms: i64) -> Result<(), StoreError>;

    /// What waits now.
    async fn backlog(&self, now_ms: i64) -> Result<Backlog, StoreError>;

    /// The payments that have not ended, due or not, in the order of their numbers, from the one after
    /// `after`: for a reconciliation at once.
    async fn unsettled(&self, after: PaymentId, limit: u32) -> Result<Vec<Payment>, StoreError>;

    /// Expires open orders placed before `placed_before_ms` that no running payment can still pay, and
    /// forgets idempotency keys older than `keys_before_ms`. Returns how many orders expired.
    async fn expire(
        &self,
        placed_before_ms: i64,
        keys_before_ms: i64,
        now_ms: i64,
    ) -> Result<u32, StoreError>;
}

/// How many tokens open an order at the same time; older ones stop working.
pub const TOKENS_PER_ORDER: u32 = 32;

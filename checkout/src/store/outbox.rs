//! What the merchant's own systems are told, from the transaction that made it true until they have it.

use async_trait::async_trait;
use serde::Serialize;

use super::StoreError;
use crate::people::Actor;
use crate::records::OrderId;

/// The number of a message in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WebhookId(pub i64);

/// What a message tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WebhookKind {
    /// The order's money is there, beyond doubt.
    OrderPaid,
    /// The gateway gave the whole payment back: the order is not paid any more.
    OrderReversed,
    /// A part of the order's money went back, or all of it.
    OrderRefunded,
}

impl WebhookKind {
    /// The name in the database and in the message's `type`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OrderPaid => "order.paid",
            Self::OrderReversed => "order.reversed",
            Self::OrderRefunded => "order.refunded",
        }
    }

    /// The kind of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::OrderPaid, Self::OrderReversed, Self::OrderRefunded]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// Where a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookState {
    /// It is sent when its time comes.
    Waiting,
    /// It was received.
    Delivered,
    /// It was tried for days, and is sent again only if somebody asks for it.
    GivenUp,
}

impl WebhookState {
    /// The name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::GivenUp => "given_up",
        }
    }

    /// The state of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Waiting, Self::Delivered, Self::GivenUp].into_iter().find(|state| state.name() == name)
    }
}

/// A message to one of the merchant's systems.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// Its number; they grow in the order in which things happened to an order.
    pub id: WebhookId,
    /// The configured endpoint that it goes to.
    pub endpoint: String,
    /// The order that it is about.
    pub order: OrderId,
    /// That order's reference.
    pub reference: String,
    /// What it tells.
    pub kind: WebhookKind,
    /// Byte for byte what is sent.
    pub body: String,
    /// When it happened, milliseconds since 1970.
    pub made_at_ms: i64,
    /// Where it stands.
    pub state: WebhookState,
    /// How often it was sent since it was last asked for.
    pub tries: u32,
    /// When it is sent next, if it waits.
    pub next_try_at_ms: i64,
    /// What came of the last try; empty before the first.
    pub answer: String,
    /// When it was delivered, or given up.
    pub settled_at_ms: Option<i64>,
}

impl Webhook {
    /// What its receiver knows it by (`webhook-id`): the same at every try. With the moment in it, because a database
    /// that was restored from a backup counts on from there.
    pub fn message_id(&self) -> String {
        format!("{}-{}-{}", self.reference, self.id.0, self.made_at_ms)
    }
}

/// A message that is to be sent now, and until when nobody else sends it.
#[derive(Clone, Debug)]
pub struct ClaimedWebhook {
    /// The message.
    pub webhook: Webhook,
    /// When the claim ends, milliseconds since 1970.
    pub leased_until_ms: i64,
}

/// What came of a try.
#[derive(Clone, Debug)]
pub struct Tried {
    /// Where the message stands now.
    pub state: WebhookState,
    /// When it is sent next, if it waits.
    pub next_try_at_ms: i64,
    /// What its receiver said.
    pub answer: String,
}

/// Which messages are sent once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redelivery {
    /// One of an order.
    One(OrderId, WebhookId),
    /// All of an order.
    Order(OrderId),
    /// All that were not delivered: given up, or waiting for their next try.
    Undelivered,
}

/// The store's part that tells the merchant's systems what happened.
///
/// What is told is written by the methods of the other parts, in their own transactions; here it is taken out again.
#[async_trait]
pub trait Outbox: Send + Sync + 'static {
    /// From now on these endpoints are told, by their names; those that nobody has wanted since `forgotten_before_ms` are
    /// not any more. What waits for one of them goes on waiting, in case it comes back.
    async fn want_endpoints(
        &self,
        names: Vec<String>,
        now_ms: i64,
        forgotten_before_ms: i64,
    ) -> Result<(), StoreError>;

    /// Claims messages to an endpoint that are due, for `lease_ms`; of each order only the oldest that was not
    /// delivered.
    async fn claim_webhooks(
        &self,
        endpoint: &str,
        now_ms: i64,
        lease_ms: i64,
        limit: u32,
    ) -> Result<Vec<ClaimedWebhook>, StoreError>;

    /// Gives back what was claimed and not sent, so that it is due for the next one at once; but not what somebody else has
    /// claimed since.
    async fn give_back_webhooks(
        &self,
        webhooks: Vec<WebhookId>,
        leased_until_ms: i64,
    ) -> Result<(), StoreError>;

    /// Notes what came of a claimed message, unless somebody else has claimed it since.
    async fn webhook_tried(
        &self,
        webhook: WebhookId,
        leased_until_ms: i64,
        tried: Tried,
        now_ms: i64,
    ) -> Result<(), StoreError>;

    /// Messages that were not delivered, oldest first.
    async fn undelivered(&self, limit: u32) -> Result<Vec<Webhook>, StoreError>;

    /// Makes messages due now, with all their tries before them, whoever may be sending them. How many.
    async fn redeliver(&self, which: Redelivery, actor: Actor, now_ms: i64) -> Result<u32, StoreError>;
}

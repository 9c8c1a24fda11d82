//! What the merchant's systems are told, as SQL.

use async_trait::async_trait;
use domain::PaymentMethod;
use serde_json::json;

use super::people::insert_audit;
use super::rows::{self, WEBHOOK};
use super::{Connection, Database, Done, SqlStore, all, claimed, insert, values};
use crate::people::{Action, Actor};
use crate::records::Order;
use crate::store::StoreError;
use crate::store::outbox::{
    ClaimedWebhook, Outbox, Redelivery, Tried, Webhook, WebhookId, WebhookKind, WebhookState,
};

/// What happened to an order.
pub(super) struct News<'n> {
    pub(super) kind: WebhookKind,
    /// How much was paid, reversed or refunded, in the order's currency.
    pub(super) amount_minor: i64,
    /// How the money came.
    pub(super) method: PaymentMethod,
    /// The gateway's reference of the payment, if it has one.
    pub(super) gateway_reference: Option<&'n str>,
}

/// Writes down what every active endpoint is to be told. The order as it stands now.
pub(super) fn tell(connection: &dyn Connection, order: &Order, news: &News<'_>, now_ms: i64) -> Done<()> {
    let active = "SELECT id FROM webhook_endpoints WHERE is_active = 1 ORDER BY id";
    let endpoints = all(connection, active, &[], |row| row.first::<i64>())?;
    if endpoints.is_empty() {
        return Ok(());
    }
    let body = json!({
        "type": news.kind.name(),
        "timestamp": crate::format::timestamp(now_ms),
        "data": {
            "order": order.new.reference,
            "reference": order.new.storefront.reference,
            "mode": order.new.mode.name(),
            "method": news.method.id(),
            "currency": order.new.total.currency.code(),
            "total_minor": order.new.total.minor,
            "amount_minor": news.amount_minor,
            "refunded_minor": order.refunded_minor,
            "gateway_reference": news.gateway_reference,
        },
    })
    .to_string();
    for endpoint in endpoints {
        let row = [
            ("endpoint_id", endpoint.into()),
            ("order_id", order.id.into()),
            ("kind", news.kind.name().into()),
            ("body", body.as_str().into()),
            ("made_at_ms", now_ms.into()),
            ("state", WebhookState::Waiting.name().into()),
            ("next_try_at_ms", now_ms.into()),
        ];
        insert(connection, "webhooks", &row)?;
    }
    Ok(())
}

fn want_endpoints(
    connection: &dyn Connection,
    names: &[String],
    now_ms: i64,
    forgotten_before_ms: i64,
) -> Done<()> {
    let forgotten = "SELECT name FROM webhook_endpoints WHERE is_active = 1 AND wanted_at_ms < ?1";
    let forgotten = all(connection, forgotten, values![forgotten_before_ms], |row| row.first::<String>())?;
    for gone in forgotten.iter().filter(|name| !names.contains(name)) {
        let sql = "UPDATE webhook_endpoints SET is_active = 0 WHERE name = ?1 AND wanted_at_ms < ?2";
        connection.execute(sql, values![gone, forgotten_before_ms])?;
    }
    for name in names {
        let sql = "INSERT INTO webhook_endpoints (name, is_active, wanted_at_ms) VALUES (?1, 1, ?2)
             ON CONFLICT (name) DO UPDATE SET is_active = 1, wanted_at_ms = excluded.wanted_at_ms";
        connection.execute(sql, values![name, now_ms])?;
    }
    Ok(())
}

fn claim(
    connection: &dyn Connection,
    endpoint: &str,
    now_ms: i64,
    lease_ms: i64,
    limit: u32,
) -> Done<Vec<ClaimedWebhook>> {
    let due = format!(
        "WITH due AS MATERIALIZED (
             SELECT w.id FROM webhooks w
             WHERE w.state = 'waiting' AND w.next_try_at_ms <= ?1 AND w.leased_until_ms <= ?1
               AND w.endpoint_id = (SELECT e.id FROM webhook_endpoints e WHERE e.name = ?3)
               AND NOT EXISTS (SELECT 1 FROM webhooks b WHERE b.order_id = w.order_id AND b.id < w.id
                   AND b.endpoint_id = w.endpoint_id AND b.state = 'waiting')
             ORDER BY w.next_try_at_ms LIMIT ?4{})
         UPDATE webhooks SET leased_until_ms = ?2 WHERE id IN (SELECT id FROM due) RETURNING id",
        claimed(connection)
    );
    let leased_until_ms = now_ms.saturating_add(lease_ms);
    let holes = values![now_ms, leased_until_ms, endpoint, limit];
    let mut ids = all(connection, &due, holes, |row| row.first::<i64>())?;
    // What is returned comes in no order.
    ids.sort_unstable();
    let sql = format!("SELECT {WEBHOOK} WHERE w.id = ?1");
    let mut claimed = Vec::new();
    for id in ids {
        let found = super::one(connection, &sql, values![id], rows::webhook)?;
        claimed.extend(found.map(|webhook| ClaimedWebhook { webhook, leased_until_ms }));
    }
    Ok(claimed)
}

fn give_back(connection: &dyn Connection, webhooks: &[WebhookId], leased_until_ms: i64) -> Done<()> {
    for webhook in webhooks {
        let sql = "UPDATE webhooks SET leased_until_ms = 0
             WHERE id = ?1 AND leased_until_ms = ?2 AND state = 'waiting'";
        connection.execute(sql, values![webhook.0, leased_until_ms])?;
    }
    Ok(())
}

fn tried(
    connection: &dyn Connection,
    webhook: WebhookId,
    leased_until_ms: i64,
    tried: &Tried,
    now_ms: i64,
) -> Done<()> {
    let settled_at_ms = (tried.state != WebhookState::Waiting).then_some(now_ms);
    let sql = "UPDATE webhooks SET state = ?3, tries = tries + 1, next_try_at_ms = ?4, leased_until_ms = 0,
             answer = ?5, settled_at_ms = ?6
         WHERE id = ?1 AND leased_until_ms = ?2 AND state = 'waiting'";
    let holes = values![
        webhook.0,
        leased_until_ms,
        tried.state.name(),
        tried.next_try_at_ms,
        &tried.answer,
        settled_at_ms
    ];
    connection.execute(sql, holes).map(drop)
}

fn undelivered(connection: &dyn Connection, limit: u32) -> Done<Vec<Webhook>> {
    let sql = format!("SELECT {WEBHOOK} WHERE w.state <> 'delivered' ORDER BY w.made_at_ms, w.id LIMIT ?1");
    all(connection, &sql, values![limit], rows::webhook)
}

fn redeliver(connection: &dyn Connection, which: Redelivery, actor: &Actor, now_ms: i64) -> Done<u32> {
    // Who is told nothing more is sent nothing again either.
    let again = |condition: &str, values: &[super::Value<'_>]| {
        let sql = format!(
            "UPDATE webhooks SET state = 'waiting', tries = 0, next_try_at_ms = ?1, leased_until_ms = 0,
                 settled_at_ms = NULL
             WHERE {condition} AND endpoint_id IN (SELECT id FROM webhook_endpoints WHERE is_active = 1)"
        );
        connection.execute(&sql, values)
    };
    let (order, changed) = match which {
        // With what its receiver has to hear before it.
        Redelivery::One(order, id) => {
            let condition =
                "order_id = ?3 AND (id = ?2 OR (id < ?2 AND state <> 'delivered' AND endpoint_id =
                 (SELECT w.endpoint_id FROM webhooks w WHERE w.id = ?2 AND w.order_id = ?3)))";
            (Some(order), again(condition, values![now_ms, id.0, order])?)
        }
        Redelivery::Order(order) => (Some(order), again("order_id = ?2", values![now_ms, order])?),
        Redelivery::Undelivered => (None, again("state <> 'delivered'", values![now_ms])?),
    };
    if changed > 0 {
        let detail = changed.to_string();
        insert_audit(connection, actor, Action::WebhooksRedelivered, order, &detail, now_ms)?;
    }
    Ok(u32::try_from(changed).unwrap_or(u32::MAX))
}

#[async_trait]
impl<D: Database> Outbox for SqlStore<D> {
    async fn want_endpoints(
        &self,
        names: Vec<String>,
        now_ms: i64,
        forgotten_before_ms: i64,
    ) -> Result<(), StoreError> {
        self.write(move |connection| want_endpoints(connection, &names, now_ms, forgotten_before_ms)).await
    }

    async fn claim_webhooks(
        &self,
        endpoint: &str,
        now_ms: i64,
        lease_ms: i64,
        limit: u32,
    ) -> Result<Vec<ClaimedWebhook>, StoreError> {
        let endpoint = endpoint.to_owned();
        self.write(move |connection| claim(connection, &endpoint, now_ms, lease_ms, limit)).await
    }

    async fn give_back_webhooks(
        &self,
        webhooks: Vec<WebhookId>,
        leased_until_ms: i64,
    ) -> Result<(), StoreError> {
        self.write(move |connection| give_back(connection, &webhooks, leased_until_ms)).await
    }

    async fn webhook_tried(
        &self,
        webhook: WebhookId,
        leased_until_ms: i64,
        outcome: Tried,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        self.write(move |connection| tried(connection, webhook, leased_until_ms, &outcome, now_ms)).await
    }

    async fn undelivered(&self, limit: u32) -> Result<Vec<Webhook>, StoreError> {
        self.read(move |connection| undelivered(connection, limit)).await
    }

    async fn redeliver(&self, which: Redelivery, actor: Actor, now_ms: i64) -> Result<u32, StoreError> {
        self.write(move |connection| redeliver(connection, which, &actor, now_ms)).await
    }
}

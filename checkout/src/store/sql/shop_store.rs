//! The shoppers' and the gateway's half of the store.

use async_trait::async_trait;

use super::{Connection, Database, SqlStore, work};
use crate::records::{Event, EventKind, NewEvent, OrderId, Payment, PaymentId};
use crate::rules::Cause;
use crate::store::{
    Applied, Backlog, Handoff, KeyClaim, Lease, OrderFile, Placed, Placement, Store, StoreError,
};
use crate::timing::Timing;
use crate::token::Hash;

/// How many orders expire before something else has its turn.
const EXPIRED_AT_ONCE: u32 = 100;

#[async_trait]
impl<D: Database> Store for SqlStore<D> {
    async fn ready(&self) -> Result<(), StoreError> {
        self.write_for_gateway(work::leave_no_trace).await?;
        self.write(|connection| {
            // The locks that writing takes, and nothing more.
            connection.execute("DELETE FROM idempotency_keys WHERE FALSE", &[]).map(drop)
        })
        .await?;
        self.read(|connection| {
            connection.query("SELECT 1", &[], &mut |_| Ok(()))?;
            D::may_serve(connection)
        })
        .await
    }

    async fn claim_key(
        &self,
        key: Hash,
        request: Hash,
        now_ms: i64,
        lease_ms: i64,
    ) -> Result<KeyClaim, StoreError> {
        self.write(move |connection| work::claim_key(connection, key, request, now_ms, lease_ms)).await
    }

    async fn release_key(&self, lease: Lease) -> Result<(), StoreError> {
        self.write(move |connection| work::release_key(connection, lease)).await
    }

    async fn reclaim_key(
        &self,
        key: Hash,
        done: PaymentId,
        now_ms: i64,
        lease_ms: i64,
    ) -> Result<Option<Lease>, StoreError> {
        self.write(move |connection| work::reclaim_key(connection, key, done, now_ms, lease_ms)).await
    }

    async fn place(&self, placement: Placement, now_ms: i64, timing: &Timing) -> Result<Placed, StoreError> {
        let timing = timing.clone();
        self.write(move |connection| work::place(connection, &placement, now_ms, &timing)).await
    }

    async fn open_handoff(&self, token: Hash, now_ms: i64) -> Result<Option<Handoff>, StoreError> {
        self.write(move |connection| work::open_handoff(connection, token, now_ms)).await
    }

    async fn add_token(&self, order: OrderId, token: Hash, now_ms: i64) -> Result<(), StoreError> {
        self.write(move |connection| work::add_token(connection, order, token, now_ms)).await
    }

    async fn order_by_token(&self, token: Hash) -> Result<Option<OrderFile>, StoreError> {
        self.read(move |connection| work::order_by_token(connection, token)).await
    }

    async fn order_by_cart(&self, cart: Hash) -> Result<Option<OrderFile>, StoreError> {
        self.read(move |connection| work::order_by_cart(connection, cart)).await
    }

    async fn order_by_reference(&self, reference: &str) -> Result<Option<OrderFile>, StoreError> {
        let reference = reference.to_owned();
        self.read(move |connection| work::order_by_reference(connection, &reference)).await
    }

    async fn apply(
        &self,
        store: &str,
        gateway_order_id: &str,
        cause: Cause,
        raw: Option<String>,
        now_ms: i64,
        timing: &Timing,
    ) -> Result<Option<Applied>, StoreError> {
        let (store, id, timing) = (store.to_owned(), gateway_order_id.to_owned(), timing.clone());
        let is_message = matches!(cause, Cause::Notify { .. } | Cause::Rollback);
        let apply = move |connection: &dyn Connection| {
            work::apply(connection, (&store, &id), &cause, raw.as_deref(), now_ms, &timing)
        };
        // What a browser brings, and what we ask, can wait longer than what the gateway says.
        if is_message { self.write_for_gateway(apply).await } else { self.write(apply).await }
    }

    async fn record(
        &self,
        payment: Option<PaymentId>,
        event: NewEvent,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        self.write_for_gateway(move |connection| work::record(connection, payment, &event, now_ms)).await
    }

    async fn raise(&self, payment: PaymentId, event: NewEvent, now_ms: i64) -> Result<(), StoreError> {
        self.write(move |connection| work::raise(connection, payment, &event, now_ms)).await
    }

    async fn ask_no_more(&self, payment: PaymentId) -> Result<(), StoreError> {
        self.write(move |connection| work::ask_no_more(connection, payment)).await
    }

    async fn has_event(&self, payment: PaymentId, kind: EventKind) -> Result<bool, StoreError> {
        self.read(move |connection| work::has_event(connection, payment, kind)).await
    }

    async fn record_declined(
        &self,
        payment: PaymentId,
        attempts: Vec<String>,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        self.write(move |connection| work::record_declined(connection, payment, &attempts, now_ms)).await
    }

    async fn events(&self, order: OrderId) -> Result<Vec<Event>, StoreError> {
        self.read(move |connection| work::events(connection, order)).await
    }

    async fn claim_due(&self, now_ms: i64, lease_ms: i64, limit: u32) -> Result<Vec<Payment>, StoreError> {
        self.write(move |connection| work::claim_due(connection, now_ms, lease_ms, limit)).await
    }

    async fn give_back_due(&self, payments: Vec<PaymentId>, leased_until_ms: i64) -> Result<(), StoreError> {
        self.write(move |connection| work::give_back_due(connection, &payments, leased_until_ms)).await
    }

    async fn backlog(&self, now_ms: i64) -> Result<Backlog, StoreError> {
        self.read(move |connection| work::backlog(connection, now_ms)).await
    }

    async fn unsettled(&self, after: PaymentId, limit: u32) -> Result<Vec<Payment>, StoreError> {
        self.read(move |connection| work::unsettled(connection, after, limit)).await
    }

    async fn expire(
        &self,
        placed_before_ms: i64,
        keys_before_ms: i64,
        now_ms: i64,
    ) -> Result<u32, StoreError> {
        self.write(move |connection| work::forget_keys(connection, keys_before_ms)).await?;
        let mut expired = 0;
        while expired < EXPIRED_AT_ONCE
            && self.write(move |connection| work::expire(connection, placed_before_ms, now_ms)).await?
        {
            expired += 1;
        }
        Ok(expired)
    }
}

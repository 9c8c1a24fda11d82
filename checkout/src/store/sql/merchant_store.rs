//! The merchant's half of the store.

use async_trait::async_trait;
use domain::{OrderState, RefundState, Refusal};

use super::{Database, SqlStore, money_back, people, transactions};
use crate::people::{Action, Actor, AuditEntry, User, UserId};
use crate::records::{OrderId, PaymentId, Refund, RefundId};
use crate::rules::Cause;
use crate::store::merchant::{
    Approved, CountedGuess, Credentials, Entrance, Filter, From, MerchantStore, NewReceipt, NewRefund,
    NewUser, OrderRecord, RecordedRefund, Reserved, Session, Settlement, Totals, TransactionPage,
    UnknownMessage, UserChange,
};
use crate::store::{Applied, StoreError};
use crate::timing::Timing;
use crate::token::Hash;

/// The use of a session is noted at most this often: reading a page is no reason to write.
const NOTE_USE_EVERY_MS: i64 = 60_000;

#[async_trait]
impl<D: Database> MerchantStore for SqlStore<D> {
    async fn transactions(
        &self,
        filter: Filter,
        from: From,
        limit: u32,
    ) -> Result<TransactionPage, StoreError> {
        self.read(move |connection| transactions::page(connection, &filter, from, limit)).await
    }

    async fn totals(&self, filter: Filter) -> Result<Totals, StoreError> {
        self.read(move |connection| transactions::totals(connection, &filter)).await
    }

    async fn unknown_messages(&self, limit: u32) -> Result<Vec<UnknownMessage>, StoreError> {
        self.read(move |connection| transactions::unknown_messages(connection, limit)).await
    }

    async fn message_seen(&self, message: i64, actor: Actor, now_ms: i64) -> Result<bool, StoreError> {
        self.write(move |connection| transactions::message_seen(connection, message, &actor, now_ms)).await
    }

    async fn order_record(&self, reference: &str) -> Result<Option<OrderRecord>, StoreError> {
        let reference = reference.to_owned();
        self.read(move |connection| money_back::order_record(connection, &reference)).await
    }

    async fn order_record_of(&self, payment: PaymentId) -> Result<Option<OrderRecord>, StoreError> {
        self.read(move |connection| money_back::order_record_of(connection, payment)).await
    }

    async fn refund(&self, refund: RefundId) -> Result<Option<Refund>, StoreError> {
        self.read(move |connection| money_back::refund(connection, refund)).await
    }

    async fn reserve_refund(&self, refund: NewRefund, now_ms: i64) -> Result<Reserved, StoreError> {
        self.write(move |connection| money_back::reserve_refund(connection, &refund, now_ms)).await
    }

    async fn settle_refund(
        &self,
        refund: RefundId,
        settlement: Settlement,
        now_ms: i64,
    ) -> Result<Result<RefundState, Refusal>, StoreError> {
        self.write_for_gateway(move |connection| {
            money_back::settle_refund(connection, refund, &settlement, now_ms)
        })
        .await
    }

    async fn approve_refund(
        &self,
        refund: RefundId,
        actor: Actor,
        request: String,
        now_ms: i64,
    ) -> Result<Approved, StoreError> {
        self.write(move |connection| money_back::approve_refund(connection, refund, &actor, &request, now_ms))
            .await
    }

    async fn record_refund(&self, refund: RecordedRefund, now_ms: i64) -> Result<Reserved, StoreError> {
        self.write(move |connection| money_back::record_refund(connection, &refund, now_ms)).await
    }

    async fn abandon_refunds(&self, reserved_before_ms: i64, now_ms: i64) -> Result<u32, StoreError> {
        self.write(move |connection| money_back::abandon_refunds(connection, reserved_before_ms, now_ms))
            .await
    }

    async fn abandon_reversals(
        &self,
        asked_before_ms: i64,
        now_ms: i64,
        timing: &Timing,
    ) -> Result<u32, StoreError> {
        let timing = timing.clone();
        self.write(move |connection| {
            money_back::abandon_reversals(connection, asked_before_ms, now_ms, &timing)
        })
        .await
    }

    async fn apply_by(
        &self,
        payment: PaymentId,
        cause: Cause,
        raw: Option<String>,
        by: Option<(Actor, Action)>,
        now_ms: i64,
        timing: &Timing,
    ) -> Result<Option<Applied>, StoreError> {
        let timing = timing.clone();
        self.write(move |connection| {
            money_back::apply_by(connection, payment, &cause, raw.as_deref(), by.as_ref(), now_ms, &timing)
        })
        .await
    }

    async fn record_receipt(
        &self,
        receipt: NewReceipt,
        now_ms: i64,
    ) -> Result<Result<OrderState, Refusal>, StoreError> {
        self.write(move |connection| money_back::record_receipt(connection, &receipt, now_ms)).await
    }

    async fn cancel_order(
        &self,
        order: OrderId,
        actor: Actor,
        now_ms: i64,
    ) -> Result<Result<(), Refusal>, StoreError> {
        self.write(move |connection| money_back::cancel_order(connection, order, &actor, now_ms)).await
    }

    async fn looked_at(
        &self,
        order: OrderId,
        shown: u32,
        actor: Actor,
        now_ms: i64,
    ) -> Result<bool, StoreError> {
        self.write(move |connection| money_back::looked_at(connection, order, shown, &actor, now_ms)).await
    }

    async fn audit(
        &self,
        actor: Actor,
        action: Action,
        detail: String,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        self.write(move |connection| people::insert_audit(connection, &actor, action, None, &detail, now_ms))
            .await
    }

    async fn audit_log(&self, before: Option<i64>, limit: u32) -> Result<Vec<AuditEntry>, StoreError> {
        self.read(move |connection| people::audit_log(connection, before, limit)).await
    }

    async fn add_user(&self, user: NewUser, actor: Actor, now_ms: i64) -> Result<bool, StoreError> {
        self.write(move |connection| people::add_user(connection, &user, &actor, now_ms)).await
    }

    async fn users(&self) -> Result<Vec<User>, StoreError> {
        self.read(people::users).await
    }

    async fn credentials(&self, email: &str) -> Result<Option<Credentials>, StoreError> {
        let email = email.to_owned();
        self.read(move |connection| people::credentials(connection, &email)).await
    }

    async fn change_user(
        &self,
        email: &str,
        change: UserChange,
        actor: Actor,
        now_ms: i64,
    ) -> Result<bool, StoreError> {
        let email = email.to_owned();
        self.write(move |connection| people::change_user(connection, &email, &change, &actor, now_ms)).await
    }

    async fn use_totp_step(&self, user: UserId, step: u64) -> Result<bool, StoreError> {
        self.write(move |connection| people::use_totp_step(connection, user, step)).await
    }

    async fn open_session(
        &self,
        session: Hash,
        user: UserId,
        entrance: Entrance,
        actor: Actor,
        now_ms: i64,
    ) -> Result<Option<bool>, StoreError> {
        self.write(move |connection| {
            people::open_session(connection, session, user, &entrance, &actor, now_ms)
        })
        .await
    }

    async fn session(
        &self,
        session: Hash,
        used_since_ms: i64,
        made_since_ms: i64,
        now_ms: i64,
    ) -> Result<Option<Session>, StoreError> {
        let found = self
            .read(move |connection| people::session(connection, session, used_since_ms, made_since_ms))
            .await?;
        let Some((found, used_at_ms)) = found else { return Ok(None) };
        if now_ms.saturating_sub(used_at_ms) >= NOTE_USE_EVERY_MS {
            self.write(move |connection| people::note_use(connection, session, now_ms)).await?;
        }
        Ok(Some(found))
    }

    async fn end_session(
        &self,
        session: Hash,
        used_before_ms: i64,
        actor: Option<Actor>,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        self.write(move |connection| {
            people::end_session(connection, session, used_before_ms, actor.as_ref(), now_ms)
        })
        .await
    }

    async fn count_guess(
        &self,
        keys: Vec<(Hash, u32)>,
        since_ms: i64,
        now_ms: i64,
    ) -> Result<Option<CountedGuess>, StoreError> {
        self.write(move |connection| people::count_guess(connection, &keys, since_ms, now_ms)).await
    }

    async fn forget_guess(&self, guess: CountedGuess) -> Result<(), StoreError> {
        self.write(move |connection| people::forget_guess(connection, &guess)).await
    }
}

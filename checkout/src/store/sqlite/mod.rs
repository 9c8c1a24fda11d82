//! The store in one SQLite file: the default, for one machine.

mod merchant;
mod money_back;
mod people;
mod rows;
mod transactions;
mod work;
mod writer;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use rusqlite::{Connection, OpenFlags};
use rusqlite_migration::{HookError, M, Migrations};

use self::writer::{Urgency, Writer};
use super::merchant as merchant_api;
use super::{Applied, Handoff, KeyClaim, OrderFile, Placed, Placement, Store, StoreError};
use crate::records::{Event, EventKind, NewEvent, OrderId, Payment, PaymentId};
use crate::rules::Cause;
use crate::timing::Timing;
use crate::token::Hash;

/// The steps from an empty file to today's schema. Only ever added to.
fn migrations() -> Migrations<'static> {
    Migrations::new(vec![
        M::up(include_str!("migrations/0001_orders.sql")),
        M::up_with_hook(include_str!("migrations/0002_merchant.sql"), |transaction| {
            work::fill_found(transaction).map_err(|failure| match failure {
                Failure::Sqlite(error) => HookError::RusqliteError(error),
                Failure::Damaged(what) => HookError::Hook(what),
            })
        }),
        M::up(include_str!("migrations/0003_storefront.sql")),
    ])
}

/// Connections for reading that are kept open.
const IDLE_READERS: usize = 4;

/// A store in one SQLite file, in write-ahead mode with every commit synced to the disk.
pub struct SqliteStore {
    writer: Writer,
    readers: Arc<Readers>,
}

struct Readers {
    path: std::path::PathBuf,
    idle: Mutex<Vec<Connection>>,
}

/// What went wrong inside a piece of work.
#[derive(Debug)]
enum Failure {
    Sqlite(rusqlite::Error),
    Damaged(String),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Sqlite(error) => error.into(),
            Failure::Damaged(what) => Self::Damaged(what),
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

impl SqliteStore {
    /// Opens the file, makes it where it is missing, and brings its schema up to date.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        make_private(path).map_err(|error| StoreError::Failed(error.to_string()))?;
        let mut connection = Connection::open(path)?;
        prepare(&connection)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        migrations().to_latest(&mut connection).map_err(|error| {
            StoreError::Failed(format!("its schema is not one that this version knows: {error}"))
        })?;
        let readers = Arc::new(Readers { path: path.to_owned(), idle: Mutex::new(Vec::new()) });
        Ok(Self { writer: Writer::start(connection)?, readers })
    }

    /// How SQLite reads a page of the merchant's list, a line for each step. For whoever measures.
    pub async fn explain_transactions(
        &self,
        filter: merchant_api::Filter,
        from: merchant_api::From,
        limit: u32,
    ) -> Result<Vec<String>, StoreError> {
        self.read(move |connection| transactions::plan(connection, &filter, from, limit)).await
    }

    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.writer.write(Urgency::Usual, work).await
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let readers = Arc::clone(&self.readers);
        tokio::task::spawn_blocking(move || {
            let connection = readers.take()?;
            let result = work(&connection).map_err(StoreError::from);
            readers.put_back(connection);
            result
        })
        .await
        .map_err(|error| StoreError::Failed(error.to_string()))?
    }
}

impl Readers {
    fn take(&self) -> Result<Connection, StoreError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(connection) = idle {
            return Ok(connection);
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        prepare(&connection)?;
        Ok(connection)
    }

    fn put_back(&self, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_READERS {
            idle.push(connection);
        }
    }
}

/// Makes the file where it is missing, for its owner's eyes only: names and addresses lie in it. SQLite's
/// files beside it take over its permissions.
fn make_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// What every connection needs.
fn prepare(connection: &Connection) -> Result<(), StoreError> {
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

#[async_trait]
impl Store for SqliteStore {
    async fn ready(&self) -> Result<(), StoreError> {
        // The write takes the lock and touches the disk without changing anything.
        self.write(|connection| Ok(connection.execute("DELETE FROM idempotency_keys WHERE FALSE", ())?))
            .await?;
        self.read(|connection| Ok(connection.query_row("SELECT 1", (), |_| Ok(()))?)).await
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

    async fn release_key(&self, key: Hash) -> Result<(), StoreError> {
        self.write(move |connection| work::release_key(connection, key)).await
    }

    async fn reclaim_key(
        &self,
        key: Hash,
        done: PaymentId,
        now_ms: i64,
        lease_ms: i64,
    ) -> Result<bool, StoreError> {
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
        self.writer
            .write(Urgency::Gateway, move |connection| {
                work::apply(connection, (&store, &id), &cause, raw, now_ms, &timing)
            })
            .await
    }

    async fn record(
        &self,
        payment: Option<PaymentId>,
        event: NewEvent,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        self.writer
            .write(Urgency::Gateway, move |connection| work::record(connection, payment, &event, now_ms))
            .await
    }

    async fn raise(&self, payment: PaymentId, event: NewEvent, now_ms: i64) -> Result<(), StoreError> {
        self.write(move |connection| work::raise(connection, payment, &event, now_ms)).await
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

    async fn unsettled(&self, after: PaymentId, limit: u32) -> Result<Vec<Payment>, StoreError> {
        self.read(move |connection| work::unsettled(connection, after, limit)).await
    }

    async fn expire(
        &self,
        placed_before_ms: i64,
        keys_before_ms: i64,
        now_ms: i64,
    ) -> Result<u32, StoreError> {
        self.write(move |connection| work::expire(connection, placed_before_ms, keys_before_ms, now_ms)).await
    }
}

//! A store for a simulator, which decides when each piece of work runs and what happens to it: an error of the database
//! before any statement, the end of the process, or a commit whose answer gets lost. What runs are the use-cases
//! themselves; the lives are in `tests/lives`.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use rusqlite::Connection as File;
use sha2::{Digest as _, Sha256};

use super::StoreError;
use super::sql::{Connection, Database, Done, EachRow, Failure, SqlStore, Urgency, Value};
use super::sqlite::in_memory;
use crate::token::Hash;

/// Where a piece of work is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Before its transaction.
    Begin,
    /// Before a statement.
    Statement,
    /// Before the commit.
    Commit,
    /// When it is over, and nobody was told yet.
    Answer,
}

/// What happens instead of going on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The database fails, in these words. Instead of an answer it means that the answer is lost.
    Failed(&'static str),
    /// The process ends: the work does not go on, and nobody is told anything. Said again at every moment after.
    Killed,
}

/// Decides what happens to work.
#[async_trait]
pub trait Gate: Send + Sync + 'static {
    /// Comes back when it is this work's turn.
    async fn turn(&self);

    /// What happens at a moment.
    fn pass(&self, moment: Moment) -> Result<(), Fault>;
}

/// A database in memory that does one thing at a time, on the thread that asks.
pub struct Memory(Mutex<File>);

/// A store in memory.
pub type MemoryStore = SqlStore<Memory>;

/// A database behind a gate.
pub struct Gated<D> {
    store: Arc<SqlStore<D>>,
    gate: Arc<dyn Gate>,
}

impl<D> SqlStore<D> {
    /// The store as one process has it: behind a gate of its own.
    pub fn behind(self: &Arc<Self>, gate: Arc<dyn Gate>) -> SqlStore<Gated<D>> {
        SqlStore(Gated { store: Arc::clone(self), gate })
    }
}

impl MemoryStore {
    /// An empty one.
    pub fn new() -> Result<Self, StoreError> {
        let file = in_memory()?;
        // Whatever is done is done inside this transaction, so that it can be forgotten.
        file.execute_batch("BEGIN")?;
        Ok(Self(Memory(Mutex::new(file))))
    }

    /// Forgets everything that was ever stored.
    pub fn forget(&self) -> Result<(), StoreError> {
        Ok(self.0.lock().execute_batch("ROLLBACK; BEGIN")?)
    }

    /// The hash of everything that is stored.
    pub fn fingerprint(&self) -> Result<Hash, StoreError> {
        let file = self.0.lock();
        let mut tables = file.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")?;
        let tables: Vec<String> = tables.query_map((), |row| row.get(0))?.collect::<Result<_, _>>()?;
        let mut hash = Sha256::new();
        for table in tables {
            let mut all = file.prepare(&format!("SELECT * FROM {table}"))?;
            let columns = all.column_count();
            let mut rows = all.query(())?;
            while let Some(row) = rows.next()? {
                for column in 0..columns {
                    hash.update(format!("{:?},", row.get_ref(column)?));
                }
                hash.update(&table);
            }
        }
        Ok(Hash(hash.finalize().into()))
    }
}

impl Memory {
    fn lock(&self) -> MutexGuard<'_, File> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Database for Memory {
    async fn write<T: Send + 'static>(
        &self,
        _urgency: Urgency,
        work: impl Fn(&dyn Connection) -> Done<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let file = self.lock();
        file.execute_batch("SAVEPOINT work")?;
        let done = work(&*file);
        let end = if done.is_ok() { "RELEASE work" } else { "ROLLBACK TO work; RELEASE work" };
        file.execute_batch(end)?;
        Ok(done?)
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Connection) -> Done<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        Ok(work(&*self.lock())?)
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Database(match fault {
            Fault::Failed(words) => words.to_owned(),
            Fault::Killed => "the process ended".to_owned(),
        })
    }
}

/// A connection whose statements pass a gate.
struct Passing<'c>(&'c dyn Connection, &'c dyn Gate);

impl Connection for Passing<'_> {
    fn execute(&self, sql: &str, values: &[Value<'_>]) -> Done<u64> {
        self.1.pass(Moment::Statement)?;
        self.0.execute(sql, values)
    }

    fn query(&self, sql: &str, values: &[Value<'_>], each: EachRow<'_>) -> Done<()> {
        self.1.pass(Moment::Statement)?;
        self.0.query(sql, values, each)
    }

    fn is_shared(&self) -> bool {
        self.0.is_shared()
    }
}

impl<D> Gated<D> {
    /// Passes a moment outside the transaction. Of a process that ended nothing more is heard.
    async fn pass(&self, moment: Moment) -> Result<(), StoreError> {
        match self.gate.pass(moment) {
            Ok(()) => Ok(()),
            Err(Fault::Killed) => std::future::pending().await,
            Err(fault) => Err(Failure::from(fault).into()),
        }
    }
}

impl<D: Database> Database for Gated<D> {
    async fn write<T: Send + 'static>(
        &self,
        urgency: Urgency,
        work: impl Fn(&dyn Connection) -> Done<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.gate.turn().await;
        self.pass(Moment::Begin).await?;
        let gate = Arc::clone(&self.gate);
        let through = move |connection: &dyn Connection| {
            let done = work(&Passing(connection, &*gate))?;
            gate.pass(Moment::Commit)?;
            Ok(done)
        };
        let done = self.store.0.write(urgency, through).await;
        self.pass(Moment::Answer).await?;
        done
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Connection) -> Done<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.gate.turn().await;
        self.pass(Moment::Begin).await?;
        let gate = Arc::clone(&self.gate);
        let done = self.store.0.read(move |connection| work(&Passing(connection, &*gate))).await;
        self.pass(Moment::Answer).await?;
        done
    }

    fn may_serve(connection: &dyn Connection) -> Done<()> {
        D::may_serve(connection)
    }
}

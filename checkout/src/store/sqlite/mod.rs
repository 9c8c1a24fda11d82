//! The store in one SQLite file: the default, for one machine.

mod backup;
mod checkpoints;
mod connection;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use domain::Details;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use rusqlite_migration::{HookError, M, Migrations};

pub use self::backup::{Backup, backup};
use self::checkpoints::Checkpoints;
use self::writer::Writer;
use super::StoreError;
use super::merchant::{Filter, From};
use super::sql::{self, Database, Done, Failure, SqlStore, Urgency, transactions};
use crate::search::Found;
use crate::threads::Threads;

/// The steps from an empty file to today's schema. Only ever added to.
fn migrations() -> Migrations<'static> {
    Migrations::new(vec![
        M::up(include_str!("migrations/0001_orders.sql")),
        M::up_with_hook(include_str!("migrations/0002_merchant.sql"), |transaction| {
            fill_found(transaction).map_err(|failure| HookError::Hook(StoreError::from(failure).to_string()))
        }),
        M::up(include_str!("migrations/0003_storefront.sql")),
        M::up(include_str!("migrations/0004_webhooks.sql")),
        M::up(include_str!("migrations/0005_doubts.sql")),
        M::up(include_str!("migrations/0006_totals_of_all_days.sql")),
        M::up(include_str!("migrations/0007_wanted_endpoints.sql")),
    ])
}

/// Fills in what the shoppers of orders from before are looked for by.
fn fill_found(connection: &Connection) -> Done<()> {
    let mut orders = connection.prepare("SELECT id, customer FROM orders")?;
    let mut orders = orders.query(())?;
    while let Some(row) = orders.next()? {
        let (id, customer): (i64, String) = (row.get(0)?, row.get(1)?);
        let details: Details =
            serde_json::from_str(&customer).map_err(|_| Failure::Damaged(format!("order {id}, customer")))?;
        let found = Found::of(&details);
        connection.execute(
            "UPDATE orders SET found_email = ?2, found_name = ?3, found_family_name = ?4 WHERE id = ?1",
            (id, found.email, found.name, found.family_name),
        )?;
    }
    Ok(())
}

/// How many read at a time; whoever else wants to waits. Each has a connection, with pages of the file in memory.
const READERS: usize = 4;

/// A SQLite file, in write-ahead mode with every commit synced to the disk.
pub struct Sqlite {
    writer: Writer,
    reading: Threads,
    readers: Arc<Readers>,
}

/// A store in one SQLite file.
pub type SqliteStore = SqlStore<Sqlite>;

struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl SqliteStore {
    /// Opens the file, makes it where it is missing, and brings its schema up to date.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        make_private(path).map_err(|error| StoreError::Failed(error.to_string()))?;
        let mut connection = Connection::open(path)?;
        prepare(&connection)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        // In KiB. The indexes are by hashes, so each order touches other pages. Twice as many in memory were not measurably
        // quicker: the kernel has them as well.
        connection.pragma_update(None, "cache_size", -8 * 1024)?;
        migrations().to_latest(&mut connection).map_err(|error| {
            StoreError::Failed(format!("its schema is not one that this version knows: {error}"))
        })?;
        refuse_moved(&connection)?;
        // What a piece of work changes is kept as it was until its savepoint ends; more than 64 KiB in a file otherwise,
        // which was written more than twice as much as the log. (A migration may change a whole table.)
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        let readers = Arc::new(Readers { path: path.to_owned(), idle: Mutex::new(Vec::new()) });
        // See `Checkpoints`.
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        let checkpoints = Checkpoints::start(path)?;
        let reading = Threads::start("sqlite-reader", READERS);
        Ok(Self(Sqlite { writer: Writer::start(connection, checkpoints)?, reading, readers }))
    }

    /// How SQLite reads a page of the merchant's list, a line for each step. For whoever measures.
    pub async fn explain_transactions(
        &self,
        filter: Filter,
        from: From,
        limit: u32,
    ) -> Result<Vec<String>, StoreError> {
        self.0.read(move |connection| transactions::plan(connection, &filter, from, limit)).await
    }
}

/// A database in memory, with today's schema.
#[cfg(feature = "simulation")]
pub(super) fn in_memory() -> Result<Connection, StoreError> {
    let mut connection = Connection::open_in_memory()?;
    prepare(&connection)?;
    migrations().to_latest(&mut connection).map_err(|error| StoreError::Failed(error.to_string()))?;
    Ok(connection)
}

impl Database for Sqlite {
    async fn write<T: Send + 'static>(
        &self,
        urgency: Urgency,
        work: impl Fn(&dyn sql::Connection) -> Done<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.writer.write(urgency, move |connection| work(connection)).await
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn sql::Connection) -> Done<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let readers = Arc::clone(&self.readers);
        let reading = self.reading.run(move || {
            let connection = readers.take()?;
            // All of it is of one moment: an order and its payments belong together.
            let result = connection
                .unchecked_transaction()
                .map_err(StoreError::from)
                .and_then(|snapshot| work(&*snapshot).map_err(StoreError::from));
            readers.put_back(connection);
            result
        });
        reading.await.map_err(|error| StoreError::Failed(error.to_string()))?
    }

    fn may_serve(connection: &dyn sql::Connection) -> Done<()> {
        refuse_moved(connection)
    }
}

/// The database that a shop was moved to.
pub(super) fn moved_to(connection: &dyn sql::Connection) -> Done<Option<String>> {
    let moved = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'moved')";
    if !sql::value::<bool>(connection, moved, &[])? {
        return Ok(None);
    }
    sql::value(connection, "SELECT destination FROM moved", &[]).map(Some)
}

/// A shop that was moved to another database is not served from here any more.
fn refuse_moved(connection: &dyn sql::Connection) -> Done<()> {
    let Some(to) = moved_to(connection)? else { return Ok(()) };
    Err(Failure::Database(format!(
        "this shop was moved to the PostgreSQL database {to}: set database_url to it"
    )))
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
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
    }
}

/// Makes the file where it is missing, for its owner's eyes only: names and addresses lie in it. SQLite's
/// files beside it take over its permissions.
///
/// One that is there is not opened here: closing it again would give up the locks that this process holds on it.
fn make_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map(drop),
    }
}

/// What every connection needs.
fn prepare(connection: &Connection) -> Result<(), StoreError> {
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // Without this SQLite plans a statement again whenever a value is bound that a partial index might be for.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(256);
    Ok(())
}

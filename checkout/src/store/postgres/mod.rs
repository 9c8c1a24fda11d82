//! The store in a PostgreSQL database: for a shop of more than one machine.
//!
//! Any number of replicas share it. What must not be done twice at the same time is held by rows that are locked,
//! and refused by the database's own rules.

mod connection;

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::{Migrate as _, Migration, MigrationType, Migrator};
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, PgSslMode, Postgres as Driver};
use sqlx::{Acquire as _, Connection as _, SqlSafeStr as _, Transaction};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use self::connection::{Session, wait};
use super::StoreError;
use super::sql::{self, Database, Done, Failure, SqlStore, Urgency};
use crate::threads::Threads;

/// The steps from an empty database to today's schema. Only ever added to.
///
/// A replica of the version before goes on working while they are applied and after: a step adds, and what is not
/// needed any more is taken away one version later.
fn migrations() -> Migrator {
    let step = |version, description: &'static str, sql: &'static str| {
        Migration::new(version, description.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    let mut migrator = Migrator::with_migrations(vec![
        step(1, "orders, merchant, storefront", include_str!("migrations/0001_everything.sql")),
        step(2, "webhooks", include_str!("migrations/0002_webhooks.sql")),
        step(3, "doubts", include_str!("migrations/0003_doubts.sql")),
        step(4, "totals of all days", include_str!("migrations/0004_totals_of_all_days.sql")),
        step(5, "wanted endpoints, oldest version", include_str!("migrations/0005_wanted_endpoints.sql")),
    ]);
    migrator.dangerous_set_table_name("tillgate_migrations");
    // A newer version may have been here: `PostgresStore::schema` looks at that.
    migrator.set_ignore_missing(true);
    migrator
}

/// How long somebody waits for a free connection.
const WAIT_FOR_CONNECTION: Duration = Duration::from_secs(5);
/// How long a connection that lay idle may take to say that it is still there.
const ALIVE_WITHIN: Duration = Duration::from_secs(1);
/// How many may wait for one. More are refused at once, rather than answered too late.
const QUEUE: usize = 1024;
/// How often a piece of work is tried while others are in its way.
const ATTEMPTS: u32 = 10;
/// How reading begins: what is read is all of one moment. An order and its payments belong together.
const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";
/// What the server is told of each connection: no statement runs for ever, none waits for ever, and each sees what
/// others have committed before it. A transaction waits for nothing but the database, so one that says nothing for long
/// is of a machine that is gone, and what it holds keeps the others waiting.
const LIMITS: [(&str, &str); 4] = [
    ("statement_timeout", "15s"),
    ("lock_timeout", "5s"),
    ("idle_in_transaction_session_timeout", "3s"),
    ("default_transaction_isolation", "read committed"),
];

/// A PostgreSQL database.
pub struct Postgres {
    /// For the gateway's messages alone.
    gateway: Lane,
    usual: Lane,
}

/// A store in a PostgreSQL database.
pub type PostgresStore = SqlStore<Postgres>;

/// Some connections, and how many may wait for them.
struct Lane {
    pool: PgPool,
    /// One for each connection: a use-case keeps both until it has ended.
    threads: Threads,
    places: Arc<Semaphore>,
}

impl Lane {
    fn new(options: &PgConnectOptions, connections: u32) -> Self {
        let connections = connections.max(1);
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .min_connections(0)
            .acquire_timeout(WAIT_FOR_CONNECTION)
            .max_lifetime(Duration::from_mins(30))
            .idle_timeout(Duration::from_mins(10))
            // `living` does.
            .test_before_acquire(false)
            .connect_lazy_with(options.clone());
        let threads = Threads::start("postgres", usize::try_from(connections).unwrap_or(1));
        Self { pool, threads, places: Arc::new(Semaphore::new(QUEUE)) }
    }

    /// A connection whose server answers. Where one says nothing (a router has forgotten it, or its server is gone), the
    /// others that lie idle are as old: nobody waits for each of them in turn.
    async fn living(&self) -> Result<PoolConnection<Driver>, StoreError> {
        let found = async {
            loop {
                let mut connection = Unproven(Some(self.pool.acquire().await?));
                match timeout(ALIVE_WITHIN, connection.ping()).await {
                    Ok(true) => {
                        if let Some(connection) = connection.0.take() {
                            return Ok(connection);
                        }
                    }
                    Ok(false) => {}
                    Err(_) => {
                        while let Some(idle) = self.pool.try_acquire() {
                            drop(idle.detach());
                        }
                    }
                }
            }
        };
        timeout(WAIT_FOR_CONNECTION, found).await.map_err(|_| StoreError::Overloaded)?
    }

    /// Runs work on one of the connections, on a thread that may wait.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Handle, &mut PoolConnection<Driver>) -> Done<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| StoreError::Overloaded)?;
        let mut connection = self.living().await?;
        let runtime = Handle::current();
        let working = self.threads.run(move || {
            let _place = place;
            let done = work(&runtime, &mut connection);
            if matches!(done, Err(Failure::Silent)) {
                drop(connection.detach());
            }
            done
        });
        working.await.map_err(|error| StoreError::Failed(error.to_string()))?.map_err(StoreError::from)
    }
}

/// A connection that has not said that it is still there. Given up, it leaves the pool at once, which would otherwise keep
/// its place until it had answered or been taken leave of.
struct Unproven(Option<PoolConnection<Driver>>);

impl Unproven {
    async fn ping(&mut self) -> bool {
        match &mut self.0 {
            Some(connection) => connection.ping().await.is_ok(),
            None => false,
        }
    }
}

impl Drop for Unproven {
    fn drop(&mut self) {
        drop(self.0.take().map(PoolConnection::detach));
    }
}

/// How to reach a PostgreSQL database. There is a password in it, which is never printed.
#[derive(Clone)]
pub struct PostgresAddress {
    options: Box<PgConnectOptions>,
}

impl fmt::Debug for PostgresAddress {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "PostgresAddress({})", self.for_people())
    }
}

impl PostgresAddress {
    /// Reads a URL such as `postgres://shop:secret@db.example.com/shop?sslrootcert=/etc/ssl/db.pem`.
    ///
    /// Where it names no `sslmode`, a database on this machine is spoken to without TLS where it has none, and one on
    /// another machine with TLS and its certificate verified (`verify-full`).
    pub fn parse(url: &str) -> Result<Self, StoreError> {
        let wrong = |why: String| {
            StoreError::Failed(format!(
                "the address of the PostgreSQL database cannot be read ({why}); \
                 it looks like postgres://user:password@host:5432/database"
            ))
        };
        let mut options: PgConnectOptions = url.parse().map_err(|error: sqlx::Error| match error {
            sqlx::Error::Configuration(why) => wrong(why.to_string()),
            error => wrong(error.to_string()),
        })?;
        let query = url.split_once('?').map_or("", |(_, query)| query);
        let mut names = query.split('&').filter_map(|part| part.split('=').next());
        let names_mode = names.any(|name| matches!(name, "sslmode" | "ssl-mode"));
        if !names_mode && !is_here(&options) {
            options = options.ssl_mode(PgSslMode::VerifyFull);
        }
        let options = options.application_name("tillgate").options(LIMITS);
        Ok(Self { options: Box::new(options) })
    }

    pub(super) fn options(&self) -> &PgConnectOptions {
        &self.options
    }

    /// Host and database, without the password.
    pub fn for_people(&self) -> String {
        let options = &self.options;
        let database = options.get_database().unwrap_or(options.get_username());
        match options.get_socket() {
            Some(socket) => format!("{} at {}", database, socket.display()),
            None => format!("{} at {}:{}", database, options.get_host(), options.get_port()),
        }
    }
}

fn is_here(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    options.get_socket().is_some()
        || host == "localhost"
        || host.starts_with('/')
        || host
            .trim_matches(['[', ']'])
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// How a database's schema compares with the one that this version was written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schema {
    /// It is the same.
    Ours,
    /// It has to be migrated first: so many steps are missing.
    Older(usize),
    /// A newer version has migrated it, in a way that this one can still work with.
    Newer,
    /// A newer version has migrated it, and took away what this one needs.
    TooNew,
}

impl PostgresStore {
    /// Connects to a database whose schema is up to date, with so many connections at most, a quarter of them
    /// for the gateway's messages alone.
    pub async fn connect(address: &PostgresAddress, connections: u32) -> Result<Self, StoreError> {
        let for_gateway = (connections / 4).max(1);
        let usual = connections.saturating_sub(for_gateway);
        let store = Self(Postgres {
            gateway: Lane::new(&address.options, for_gateway),
            usual: Lane::new(&address.options, usual),
        });
        store.check_settings().await?;
        match store.schema().await? {
            Schema::Ours => Ok(store),
            Schema::Newer => {
                tracing::warn!("the database was migrated by a newer version; this one still works with it");
                Ok(store)
            }
            Schema::TooNew => Err(StoreError::Failed(
                "it was migrated by a newer version, and this one cannot work with it any more: \
                 start the newer one"
                    .to_owned(),
            )),
            Schema::Older(missing) => Err(StoreError::Failed(format!(
                "its schema is of an older version, {missing} steps behind: run  tillgate migrate"
            ))),
        }
    }

    /// Whether a shop may be moved into a database. The file from which a move was begun and interrupted.
    pub(super) async fn check_target(address: &PostgresAddress) -> Result<Option<String>, StoreError> {
        match Self::connect(address, 1).await {
            Ok(_) => Ok(None),
            Err(error) => {
                let pool =
                    PgPoolOptions::new().max_connections(1).connect_with(address.options().clone()).await?;
                unfinished_move(&pool).await?.map(Some).ok_or(error)
            }
        }
    }

    /// Brings a database's schema up to date. How many steps were taken. Replicas of the version before go on
    /// working meanwhile.
    pub async fn migrate(address: &PostgresAddress) -> Result<usize, StoreError> {
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(WAIT_FOR_CONNECTION)
            // A step may take longer than a use-case ever may.
            .connect_with(address.options().clone().options([("statement_timeout", "0")]))
            .await?;
        let before = steps_taken(&pool).await?;
        migrations().run(&pool).await.map_err(migration_failed)?;
        Ok(steps_taken(&pool).await?.saturating_sub(before))
    }

    /// How the database's schema compares with ours.
    pub async fn schema(&self) -> Result<Schema, StoreError> {
        let taken = steps_taken(&self.0.usual.pool).await?;
        let ours = migrations().iter().count();
        Ok(match ours.checked_sub(taken) {
            Some(0) => Schema::Ours,
            Some(missing) => Schema::Older(missing),
            None if oldest_version(&self.0.usual.pool).await? > ours => Schema::TooNew,
            None => Schema::Newer,
        })
    }

    /// Refuses a server that answers before a change is on disk (`OK` is said only of what is), that was left behind
    /// by a move, or where a statement may not see what others have committed.
    async fn check_settings(&self) -> Result<(), StoreError> {
        let pool = &self.0.usual.pool;
        let refuse = |why: &str| Err(StoreError::Failed(why.to_owned()));
        if setting(pool, "SHOW synchronous_commit").await? == "off" {
            return refuse(
                "synchronous_commit is off, so it answers before a change is on disk: set it to on",
            );
        }
        if setting(pool, "SHOW fsync").await? == "off" {
            return refuse("fsync is off, so what it answers may be lost: set it to on");
        }
        if setting(pool, "SHOW default_transaction_isolation").await? != "read committed" {
            return refuse("default_transaction_isolation is not \"read committed\": set it for this user");
        }
        match unfinished_move(pool).await? {
            Some(source) => Err(StoreError::Failed(format!(
                "the move from {source} was interrupted: run  tillgate migrate --from {source}  again"
            ))),
            None => Ok(()),
        }
    }
}

async fn setting(pool: &PgPool, show: &'static str) -> Result<String, sqlx::Error> {
    sqlx::query_scalar(show).fetch_one(pool).await
}

fn migration_failed(error: sqlx::migrate::MigrateError) -> StoreError {
    StoreError::Failed(format!("the schema could not be brought up to date: {error}"))
}

/// The file from which a shop is being moved into a database, where the move was not finished.
pub(super) async fn unfinished_move(pool: &PgPool) -> Result<Option<String>, StoreError> {
    let exists: bool =
        sqlx::query_scalar("SELECT to_regclass('unfinished_move') IS NOT NULL").fetch_one(pool).await?;
    if !exists {
        return Ok(None);
    }
    Ok(sqlx::query_scalar("SELECT source FROM unfinished_move").fetch_optional(pool).await?)
}

/// How many steps were taken in a database.
async fn steps_taken(pool: &PgPool) -> Result<usize, StoreError> {
    let mut connection = pool.acquire().await?;
    let exists: bool = sqlx::query_scalar("SELECT to_regclass('tillgate_migrations') IS NOT NULL")
        .fetch_one(&mut *connection)
        .await?;
    if !exists {
        return Ok(0);
    }
    let taken = connection.list_applied_migrations("tillgate_migrations").await.map_err(migration_failed)?;
    Ok(taken.len())
}

/// The oldest version, by the number of its steps, that can work with a database which a newer one has migrated.
async fn oldest_version(pool: &PgPool) -> Result<usize, StoreError> {
    let steps: i64 = sqlx::query_scalar("SELECT steps FROM oldest_version").fetch_one(pool).await?;
    Ok(usize::try_from(steps).unwrap_or(usize::MAX))
}

impl Database for Postgres {
    async fn write<T: Send + 'static>(
        &self,
        urgency: Urgency,
        work: impl Fn(&dyn sql::Connection) -> Done<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let lane = match urgency {
            Urgency::Gateway => &self.gateway,
            Urgency::Usual => &self.usual,
        };
        lane.run(move |runtime, connection| {
            let mut left = ATTEMPTS;
            loop {
                left = left.saturating_sub(1);
                match in_transaction(runtime, connection, &work) {
                    Err(Failure::Conflict(_)) if left > 0 => {}
                    outcome => return outcome,
                }
            }
        })
        .await
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn sql::Connection) -> Done<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let reading = |runtime: &Handle, connection: &mut PoolConnection<Driver>| {
            let transaction = wait(runtime, connection.begin_with(SNAPSHOT))?;
            conclude(runtime, transaction, work)
        };
        self.usual.run(reading).await
    }
}

/// Runs work in a transaction and commits it. Where it fails, nothing of it stays.
fn in_transaction<T>(
    runtime: &Handle,
    connection: &mut PoolConnection<Driver>,
    work: &impl Fn(&dyn sql::Connection) -> Done<T>,
) -> Done<T> {
    let transaction = wait(runtime, connection.begin())?;
    conclude(runtime, transaction, work)
}

/// Work inside a transaction, and its end: a commit, or a rollback where the work failed.
fn conclude<T>(
    runtime: &Handle,
    mut transaction: Transaction<'_, Driver>,
    work: impl FnOnce(&dyn sql::Connection) -> Done<T>,
) -> Done<T> {
    let outcome = work(&Session { runtime, connection: RefCell::new(&mut transaction) });
    match outcome {
        Ok(done) => {
            wait(runtime, transaction.commit())?;
            Ok(done)
        }
        Err(Failure::Silent) => Err(Failure::Silent),
        Err(failure) => {
            // Where even this fails the connection is lost, and the database undoes it by itself.
            match wait(runtime, transaction.rollback()) {
                Err(Failure::Silent) => Err(Failure::Silent),
                _ => Err(failure),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_on_another_machine_has_to_show_its_certificate_unless_somebody_says_otherwise() {
        let mode = |url: &str| PostgresAddress::parse(url).unwrap().options.get_ssl_mode();
        for elsewhere in [
            "postgres://shop:secret@db.example.com/shop",
            "postgres://shop:sslmode=disable@db.example.com/shop",
            "postgres://shop@10.0.0.1/shop?sslrootcert=/etc/sslmode=disable",
        ] {
            assert!(matches!(mode(elsewhere), PgSslMode::VerifyFull), "{elsewhere}");
        }
        assert!(matches!(mode("postgres://shop@db.example.com/shop?sslmode=require"), PgSslMode::Require));
        for here in ["postgres://shop@localhost/shop", "postgres://shop@[::1]/shop"] {
            assert!(matches!(mode(here), PgSslMode::Prefer), "{here}");
        }
    }
}

//! A PostgreSQL database for a test, on the server of `TEST_DATABASE_URL`. The server's tests use this file, too.
#![allow(dead_code, reason = "not every test needs all of it")]

use std::sync::atomic::{AtomicU32, Ordering};

use checkout::store::postgres::{PostgresAddress, PostgresStore};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};
use tokio::sync::OnceCell;

/// The server, as an administrator sees it.
fn server() -> String {
    std::env::var("TEST_DATABASE_URL")
        .expect("TEST_DATABASE_URL is not set: run  scripts/with-postgres.sh cargo test")
}

/// The address of another database on the same server.
fn url_of(database: &str) -> String {
    let server = server();
    let (before, query) = server.split_once('?').unwrap_or((server.as_str(), ""));
    let (host, _) = before.rsplit_once('/').unwrap();
    format!("{host}/{database}?{query}")
}

async fn connect(url: &str) -> PgConnection {
    let options: PgConnectOptions = url.parse().unwrap();
    options.connect().await.unwrap()
}

/// Runs a statement of an administrator's.
pub async fn administer(sql: &str) {
    let mut connection = connect(&server()).await;
    connection.execute(AssertSqlSafe(sql)).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    connection.close().await.unwrap();
}

/// A database that goes with the test.
pub struct Database(String);

impl Database {
    /// An empty one.
    pub async fn empty() -> Self {
        let database = Self(new_name());
        administer(&format!("CREATE DATABASE {}", database.0)).await;
        database
    }

    /// One whose schema is up to date: a copy, which is quicker than the steps to it.
    pub async fn migrated() -> Self {
        static TEMPLATE: OnceCell<String> = OnceCell::const_new();
        let template = TEMPLATE
            .get_or_init(async || {
                let template = new_name();
                administer(&format!("CREATE DATABASE {template}")).await;
                let address = PostgresAddress::parse(&url_of(&template)).unwrap();
                assert!(PostgresStore::migrate(&address).await.unwrap() > 0);
                template
            })
            .await;
        let database = Self(new_name());
        administer(&format!("CREATE DATABASE {} TEMPLATE {template}", database.0)).await;
        database
    }

    pub fn name(&self) -> &str {
        &self.0
    }

    pub fn url(&self) -> String {
        url_of(&self.0)
    }

    pub fn address(&self) -> PostgresAddress {
        PostgresAddress::parse(&self.url()).unwrap()
    }

    /// A connection of somebody who is not the store.
    pub async fn connection(&self) -> PgConnection {
        connect(&self.url()).await
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.0);
        // The test's own runtime is in the middle of something.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(administer(&sql));
        });
        drop(dropped.join());
    }
}

fn new_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    format!("tillgate_test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

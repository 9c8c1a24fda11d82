//! `tillgate migrate`

use std::path::{Path, PathBuf};

use checkout::store::moving::{Moved, move_shop};
use checkout::store::postgres::{PostgresAddress, PostgresStore};
use checkout::store::sqlite::SqliteStore;

use super::{ConfigFile, EXIT_FAILED, EXIT_OK, EXIT_USAGE, block_on, fail};
use crate::config::Database;
use crate::serve::StartupError;

/// Bring the schema of the database up to date
#[derive(clap::Args)]
#[command(
    after_help = "For PostgreSQL, before `serve` of a new version is started; servers of the version before go on working \
                  meanwhile. A SQLite file is brought up to date by whoever opens it."
)]
pub(super) struct Arguments {
    #[command(flatten)]
    file: ConfigFile,
    /// Then move a shop from this SQLite file into the PostgreSQL database, which has to be empty
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
}

impl Arguments {
    pub(super) fn run(self) -> u8 {
        let database = match self.file.load().and_then(|config| config.database()) {
            Ok(database) => database,
            Err(error) => return fail(EXIT_USAGE, &error),
        };
        block_on(async {
            if let (Some(_), Database::Sqlite(_)) = (&self.from, &database) {
                complain!("tillgate: --from moves a shop into PostgreSQL: set database_url to it first");
                return EXIT_USAGE;
            }
            let steps = match &database {
                Database::Sqlite(path) => SqliteStore::open(path).map(|_| None),
                Database::Postgres(address) => PostgresStore::migrate(address).await.map(Some),
            };
            match steps {
                Ok(Some(steps)) if steps > 0 => say!("{database}: {steps} steps taken, up to date now"),
                Ok(_) => say!("{database}: up to date"),
                Err(error) => return fail(EXIT_FAILED, &StartupError::Store(database.to_string(), error)),
            }
            match (&self.from, &database) {
                (Some(from), Database::Postgres(address)) => move_into(address, from).await,
                _ => EXIT_OK,
            }
        })
    }
}

async fn move_into(address: &PostgresAddress, from: &Path) -> u8 {
    match move_shop(from, address).await {
        Ok(moved) => {
            for Moved { table, rows } in moved {
                say!("{rows:>12}  {table}");
            }
            say!(
                "All of it was compared. {} is closed: start the servers on the new database.",
                from.display()
            );
            EXIT_OK
        }
        Err(error) => fail(EXIT_FAILED, &StartupError::Store(address.for_people(), error)),
    }
}

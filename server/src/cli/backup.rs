//! `tillgate backup`

use std::path::PathBuf;

use checkout::store::sqlite::backup;

use super::{ConfigFile, EXIT_FAILED, EXIT_OK, EXIT_USAGE, fail};
use crate::config::Database;
use crate::serve::StartupError;

/// Copy the SQLite database of a running shop into a file
#[derive(clap::Args)]
#[command(
    after_help = "Whatever was committed before is in the copy; it is checked. To restore it, end the server, put it where \
                  database_url says, without the -wal and -shm files of the old one, start, and run `tillgate reconcile`."
)]
pub(super) struct Arguments {
    #[command(flatten)]
    file: ConfigFile,
    /// The copy; there must not be such a file yet
    #[arg(value_name = "FILE")]
    to: PathBuf,
}

impl Arguments {
    pub(super) fn run(self) -> u8 {
        let path = match self.file.load().and_then(|config| config.database()) {
            Ok(Database::Sqlite(path)) => path,
            Ok(Database::Postgres(_)) => {
                complain!("tillgate: the database is PostgreSQL: use pg_dump, or what backs up your server");
                return EXIT_USAGE;
            }
            Err(error) => return fail(EXIT_USAGE, &error),
        };
        match backup(&path, &self.to) {
            Ok(copied) => {
                say!("{}: {} orders, {} bytes", self.to.display(), copied.orders, copied.bytes);
                EXIT_OK
            }
            Err(error) => fail(EXIT_FAILED, &StartupError::Store(path.display().to_string(), error)),
        }
    }
}

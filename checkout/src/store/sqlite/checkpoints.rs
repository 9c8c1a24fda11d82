//! Moves what was committed from the log into the file, on a thread of its own: the thread that writes goes on meanwhile,
//! and nobody waits for it.
//!
//! The log begins anew only when all of it was moved at a moment when nobody wrote, which under load never comes by
//! itself. So once the log is long and nearly all of it moved, the thread that writes is asked to move the rest,
//! between two commits. That is short only because the pages moved before are on the disk by then: SQLite syncs the
//! file only where nothing was committed meanwhile, so it is synced here.

use std::fs::File;
use std::mem::ManuallyDrop;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use rusqlite::Connection;

use super::prepare;
use crate::store::StoreError;

/// How long the log may become, in pages, before it is to begin anew: 64 MiB.
const LONGEST_LOG: i64 = 16_000;
/// How many pages the thread that writes may be asked to move.
const REST: i64 = 100;
/// A log so long begins anew whatever its rest.
const FAR_TOO_LONG: i64 = 4 * LONGEST_LOG;
/// How often at most the rest is made smaller.
const ROUNDS: usize = 4;
/// After how many changed rows it is worth a move.
const WORTH_IT: u64 = 500;

/// The way to the thread, which ends with it.
pub(super) struct Checkpoints {
    wanted: SyncSender<()>,
    rest: Arc<AtomicBool>,
    changes: u64,
}

impl Checkpoints {
    /// Starts the thread on a connection of its own.
    pub(super) fn start(path: &Path) -> Result<Self, StoreError> {
        let connection = Connection::open(path)?;
        prepare(&connection)?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        // Never closed: that would give up the locks that this process holds on the file.
        let file =
            ManuallyDrop::new(File::open(path).map_err(|error| StoreError::Failed(error.to_string()))?);
        let (wanted, received) = sync_channel::<()>(1);
        let rest = Arc::new(AtomicBool::new(false));
        let theirs = Arc::clone(&rest);
        thread::Builder::new()
            .name("sqlite-log".to_owned())
            .spawn(move || {
                while received.recv().is_ok() {
                    match move_most(&connection, &file) {
                        Ok(little_is_left) => theirs.store(little_is_left, Ordering::Release),
                        Err(error) => not_moved(&error),
                    }
                }
            })
            .map_err(|error| StoreError::Failed(error.to_string()))?;
        Ok(Self { wanted, rest, changes: 0 })
    }

    /// After a commit on this connection, with nothing under way on it.
    pub(super) fn committed(&mut self, connection: &Connection) {
        if self.rest.swap(false, Ordering::Acquire)
            && let Err(error) = passive(connection)
        {
            not_moved(&error.into());
        }
        let changes = connection.total_changes();
        if changes.saturating_sub(self.changes) >= WORTH_IT {
            self.changes = changes;
            // Where one waits already, that is enough.
            let _ = self.wanted.try_send(());
        }
    }
}

/// Moves what can be moved, and tells whether the log is long and its rest is for the thread that writes.
fn move_most(connection: &Connection, file: &File) -> Result<bool, StoreError> {
    for _ in 0..ROUNDS {
        let (length, moved) = passive(connection)?;
        file.sync_data().map_err(|error| StoreError::Failed(error.to_string()))?;
        if length < LONGEST_LOG {
            return Ok(false);
        }
        if length - moved <= REST || length >= FAR_TOO_LONG {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Moves what no reader still needs the state before of. How many pages the log has, and how many of them are moved.
fn passive(connection: &Connection) -> rusqlite::Result<(i64, i64)> {
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", (), |row| Ok((row.get(1)?, row.get(2)?)))
}

fn not_moved(error: &StoreError) {
    tracing::warn!(%error, "the database's log was not moved into its file; that is tried again");
}

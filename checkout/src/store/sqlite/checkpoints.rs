//! Moves what was committed from the log into the file, on a thread of its own: the thread that writes goes on meanwhile,
//! and nobody waits for it.

use std::path::Path;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use rusqlite::Connection;

use super::prepare;
use crate::store::StoreError;

/// How long the log may become, in pages, before the thread that writes moves the rest of it by itself, and the log
/// begins anew. Most of it was moved already.
pub(super) const LONGEST_LOG: u32 = 4_000;
/// After how many changed rows it is worth a move.
const WORTH_IT: u64 = 500;

/// The way to the thread, which ends with it.
pub(super) struct Checkpoints {
    wanted: SyncSender<()>,
    changes: u64,
}

impl Checkpoints {
    /// Starts the thread on a connection of its own.
    pub(super) fn start(path: &Path) -> Result<Self, StoreError> {
        let connection = Connection::open(path)?;
        prepare(&connection)?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        let (wanted, received) = sync_channel::<()>(1);
        thread::Builder::new()
            .name("sqlite-log".to_owned())
            .spawn(move || {
                while received.recv().is_ok() {
                    let moved = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", (), |_| Ok(()));
                    if let Err(error) = moved {
                        tracing::warn!(%error, "the database's log was not moved into its file; that is tried again");
                    }
                }
            })
            .map_err(|error| StoreError::Failed(error.to_string()))?;
        Ok(Self { wanted, changes: 0 })
    }

    /// After a commit: how many rows were changed in all.
    pub(super) fn committed(&mut self, changes: u64) {
        if changes.saturating_sub(self.changes) >= WORTH_IT {
            self.changes = changes;
            // Where one waits already, that is enough.
            let _ = self.wanted.try_send(());
        }
    }
}

//! Keeps the state on disk, so that a restart still knows its payments.
//!
//! After each change a thread of its own writes the whole state, replacing the file at once. Changes that
//! come while it writes are written together. What is lost when the process is killed is the last moment;
//! an orderly end loses nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use crate::files;
use crate::keys::OpenError;
use crate::state::State;

/// The file in the sandbox's folder that holds the state.
const STATE_FILE: &str = "state.json";

#[derive(Default)]
struct Progress {
    changes: u64,
    written: u64,
    is_closing: bool,
}

/// The state in memory and its copy on disk.
pub(crate) struct Journal {
    shared: Arc<Shared>,
    writer: Option<JoinHandle<()>>,
}

struct Shared {
    path: PathBuf,
    state: Mutex<State>,
    progress: Mutex<Progress>,
    moved: Condvar,
}

/// A lock that a panic elsewhere does not take away: every change leaves the state whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Journal {
    /// Reads the state in the folder, if there is one, and starts the thread that writes it.
    pub(crate) fn open(dir: &Path) -> Result<Self, OpenError> {
        let path = dir.join(STATE_FILE);
        let state = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_err(|error| OpenError::State { path: path.clone(), error })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => State::default(),
            Err(error) => return Err(OpenError::file(&path, error)),
        };
        let shared = Arc::new(Shared {
            path,
            state: Mutex::new(state),
            progress: Mutex::new(Progress::default()),
            moved: Condvar::new(),
        });
        let writer = thread::Builder::new()
            .name("sandbox-journal".to_owned())
            .spawn({
                let shared = Arc::clone(&shared);
                move || shared.write_changes()
            })
            .map_err(|error| OpenError::Setup(format!("no thread for the journal: {error}")))?;
        Ok(Self { shared, writer: Some(writer) })
    }

    /// Looks at the state.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&lock(&self.shared.state))
    }

    /// Changes the state.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut lock(&self.shared.state));
        lock(&self.shared.progress).changes += 1;
        self.shared.moved.notify_all();
        result
    }

    /// Waits until every change so far is on disk.
    pub(crate) fn flush(&self) {
        let mut progress = lock(&self.shared.progress);
        let target = progress.changes;
        while progress.written < target {
            progress = self.shared.moved.wait(progress).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Shared {
    fn write_changes(&self) {
        loop {
            let mut progress = lock(&self.progress);
            while progress.written == progress.changes {
                if progress.is_closing {
                    return;
                }
                progress = self.moved.wait(progress).unwrap_or_else(PoisonError::into_inner);
            }
            let changes = progress.changes;
            drop(progress);
            self.write();
            lock(&self.progress).written = changes;
            self.moved.notify_all();
        }
    }

    fn write(&self) {
        let bytes = serde_json::to_vec(&*lock(&self.state));
        let written =
            bytes.map_err(std::io::Error::from).and_then(|bytes| files::replace(&self.path, &bytes));
        if let Err(error) = written {
            tracing::error!(path = %self.path.display(), %error, "the sandbox could not keep its state");
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        lock(&self.shared.progress).is_closing = true;
        self.shared.moved.notify_all();
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            tracing::error!("the journal of the sandbox ended early");
        }
    }
}

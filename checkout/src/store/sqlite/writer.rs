//! The one thread that writes.
//!
//! SQLite has one writer at a time, and a commit that is durable costs a sync of the disk. So one thread
//! takes all that is queued, runs each piece of work in a savepoint of its own inside one transaction,
//! commits once, and only then answers everybody: nobody is told of something that is not on disk.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::{Failure, StoreError};

/// How much work may wait. More than that is refused at once, rather than answered too late.
const QUEUE: usize = 1024;
/// How much of it goes into one commit.
const BATCH: usize = 256;

/// Tells whoever asked what became of the work, once the commit is known.
type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;
/// A piece of work; runs inside the transaction, or is told why there is none.
type Work = Box<dyn FnOnce(Result<&Connection, StoreError>) -> Answer + Send>;

/// The way to the writing thread. The thread ends when the last of them is dropped.
#[derive(Clone)]
pub(super) struct Writer {
    queue: SyncSender<Work>,
}

impl Writer {
    /// Starts the thread on a connection of its own.
    pub(super) fn start(connection: Connection) -> Result<Self, StoreError> {
        let (queue, waiting) = sync_channel(QUEUE);
        thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || run(&connection, &waiting))
            .map_err(|error| StoreError::Failed(error.to_string()))?;
        Ok(Self { queue })
    }

    /// Queues work and waits until it is committed. Where it fails, nothing of it stays.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let boxed: Work = Box::new(move |transaction| {
            let result = transaction.and_then(|connection| in_savepoint(connection, work));
            Box::new(move |committed| {
                // Whoever asked may have gone away; the work stays done.
                let _ = answer.send(committed.and(result));
            })
        });
        self.queue.try_send(boxed).map_err(|error| match error {
            TrySendError::Full(_) => StoreError::Overloaded,
            TrySendError::Disconnected(_) => gone(),
        })?;
        answered.await.map_err(|_| gone())?
    }
}

fn gone() -> StoreError {
    StoreError::Failed("the writing thread has ended".to_owned())
}

fn run(connection: &Connection, waiting: &Receiver<Work>) {
    while let Ok(first) = waiting.recv() {
        let batch = std::iter::once(first).chain(waiting.try_iter()).take(BATCH);
        let mut answers = Vec::new();
        let committed = in_transaction(connection, batch, &mut answers);
        for answer in answers {
            answer(committed.clone());
        }
    }
}

/// Runs a batch and commits it. Whatever the error: nothing of the batch is on disk then.
fn in_transaction(
    connection: &Connection,
    batch: impl Iterator<Item = Work>,
    answers: &mut Vec<Answer>,
) -> Result<(), StoreError> {
    let begun = connection.execute_batch("BEGIN IMMEDIATE").map_err(StoreError::from);
    for work in batch {
        answers.push(work(begun.clone().map(|()| connection)));
        // A full disk makes SQLite give up the whole transaction, not only the savepoint.
        if connection.is_autocommit() {
            break;
        }
    }
    begun?;
    if connection.is_autocommit() {
        return Err(StoreError::Failed("the transaction was given up".to_owned()));
    }
    connection.execute_batch("COMMIT").map_err(|error| {
        let _ = connection.execute_batch("ROLLBACK");
        error.into()
    })
}

fn in_savepoint<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, Failure>,
) -> Result<T, StoreError> {
    connection.execute_batch("SAVEPOINT work")?;
    let result = work(connection).map_err(StoreError::from);
    if connection.is_autocommit() {
        return result;
    }
    match &result {
        Ok(_) => connection.execute_batch("RELEASE work")?,
        Err(_) => connection.execute_batch("ROLLBACK TO work; RELEASE work")?,
    }
    result
}

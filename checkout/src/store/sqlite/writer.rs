//! The one thread that writes.
//!
//! SQLite has one writer at a time, and a commit that is durable costs a sync of the disk. So one thread
//! takes all that is queued, runs each piece of work in a savepoint of its own inside one transaction,
//! commits once, and only then answers everybody: nobody is told of something that is not on disk.
//!
//! What the gateway says has a queue of its own, which is emptied first: shoppers, however many, must not
//! keep a notification from being taken.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::checkpoints::Checkpoints;
use crate::store::StoreError;
use crate::store::sql::{Done, Urgency};

/// How much work may wait in each queue. More than that is refused at once, rather than answered too late.
const QUEUE: usize = 1024;
/// How much of it goes into one commit.
const BATCH: usize = 256;

/// Tells whoever asked what became of the work, once the commit is known.
type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;
/// A piece of work; runs inside the transaction, or is told why there is none.
type Work = Box<dyn FnOnce(Result<&Connection, StoreError>) -> Answer + Send>;

/// What waits.
#[derive(Default)]
struct Waiting {
    gateway: VecDeque<Work>,
    usual: VecDeque<Work>,
    /// No more is taken: the way here was dropped, or the thread has ended.
    ended: bool,
}

impl Waiting {
    fn queue(&mut self, urgency: Urgency) -> &mut VecDeque<Work> {
        match urgency {
            Urgency::Gateway => &mut self.gateway,
            Urgency::Usual => &mut self.usual,
        }
    }
}

#[derive(Default)]
struct Queues {
    waiting: Mutex<Waiting>,
    more: Condvar,
}

impl Queues {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the next piece of work; `None` when there will be no more.
    fn wait(&self) -> Option<Work> {
        let mut waiting = self.lock();
        loop {
            if let Some(work) = next_of(&mut waiting) {
                return Some(work);
            }
            if waiting.ended {
                return None;
            }
            waiting = self.more.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

fn next_of(waiting: &mut Waiting) -> Option<Work> {
    waiting.gateway.pop_front().or_else(|| waiting.usual.pop_front())
}

/// The way to the writing thread, which ends with it.
pub(super) struct Writer {
    queues: Arc<Queues>,
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queues.lock().ended = true;
        self.queues.more.notify_all();
    }
}

impl Writer {
    /// Starts the thread on a connection of its own.
    pub(super) fn start(connection: Connection, checkpoints: Checkpoints) -> Result<Self, StoreError> {
        let queues = Arc::new(Queues::default());
        let theirs = Arc::clone(&queues);
        thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || run(&connection, checkpoints, &theirs))
            .map_err(|error| StoreError::Failed(error.to_string()))?;
        Ok(Self { queues })
    }

    /// Queues work and waits until it is committed. Where it fails, nothing of it stays.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        urgency: Urgency,
        work: impl FnOnce(&Connection) -> Done<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let boxed: Work = Box::new(move |transaction| {
            let result = transaction.and_then(|connection| in_savepoint(connection, work));
            Box::new(move |committed| {
                // Whoever asked may have gone away; the work stays done.
                let _ = answer.send(committed.and(result));
            })
        });
        self.push(urgency, boxed)?;
        answered.await.map_err(|_| gone())?
    }

    fn push(&self, urgency: Urgency, work: Work) -> Result<(), StoreError> {
        let mut waiting = self.queues.lock();
        if waiting.ended {
            return Err(gone());
        }
        let queue = waiting.queue(urgency);
        if queue.len() >= QUEUE {
            return Err(StoreError::Overloaded);
        }
        queue.push_back(work);
        drop(waiting);
        self.queues.more.notify_one();
        Ok(())
    }
}

fn gone() -> StoreError {
    StoreError::Failed("the writing thread has ended".to_owned())
}

/// Lets nobody wait for a thread that has ended, whatever ended it.
struct Ends<'a>(&'a Queues);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        *self.0.lock() = Waiting { ended: true, ..Waiting::default() };
    }
}

fn run(connection: &Connection, mut checkpoints: Checkpoints, queues: &Queues) {
    let _ends = Ends(queues);
    while let Some(first) = queues.wait() {
        let more = std::iter::from_fn(|| next_of(&mut queues.lock()));
        let batch = std::iter::once(first).chain(more).take(BATCH);
        let mut answers = Vec::new();
        let committed = in_transaction(connection, batch, &mut answers);
        for answer in answers {
            answer(committed.clone());
        }
        checkpoints.committed(connection);
    }
}

/// Runs a batch and commits it. After an error nothing of the batch is in the database; only where the sync itself
/// failed and the machine dies before the next commit may it be found there afterwards.
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
    connection.execute_batch("COMMIT").inspect_err(|_| give_up(connection)).map_err(StoreError::from)
}

/// Undoes the whole transaction. Where even that fails, the next one cannot begin, and says so.
fn give_up(connection: &Connection) {
    let _ = connection.execute_batch("ROLLBACK");
}

fn in_savepoint<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Done<T>,
) -> Result<T, StoreError> {
    step(connection, "SAVEPOINT work")?;
    let result = work(connection).map_err(StoreError::from);
    if connection.is_autocommit() {
        return result;
    }
    if result.is_err() {
        step(connection, "ROLLBACK TO work").inspect_err(|_| give_up(connection))?;
    }
    step(connection, "RELEASE work").inspect_err(|_| give_up(connection))?;
    result
}

fn step(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute(()).map(drop)
}

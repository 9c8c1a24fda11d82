//! Threads for work that computes, or waits for a disk, and would keep the async threads from everything else.
//!
//! tokio's own pool for this begins another thread whenever none is idle in that moment: dozens under load, and the
//! system's allocator gives each of the first ones a heap of its own, which is twice the memory.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tokio::runtime::Handle;
use tokio::sync::oneshot;

type Work = Box<dyn FnOnce() + Send>;

/// A fixed number of threads, which end when this is dropped and all that was begun is done.
pub(crate) struct Threads(Sender<Work>);

/// The work broke off, or there are no threads to do it.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the work broke off")]
pub(crate) struct BrokeOff;

impl Threads {
    /// Starts so many, with a name of at most 15 bytes. They know the runtime in which they were started: a connection
    /// that work lets go of needs it to find its way back.
    pub(crate) fn start(name: &str, count: usize) -> Self {
        let (sender, receiver) = channel();
        let receiver = Arc::new(Mutex::new(receiver));
        for _ in 0..count {
            let (theirs, runtime) = (Arc::clone(&receiver), Handle::try_current().ok());
            let started = thread::Builder::new().name(name.to_owned()).spawn(move || {
                let _runtime = runtime.as_ref().map(Handle::enter);
                work_off(&theirs);
            });
            if let Err(error) = started {
                tracing::error!(%error, name, "a thread cannot be started: the others have its work to do");
            }
        }
        Self(sender)
    }

    /// Has work done, once all that was given before is begun. Nobody begins it for a caller who went away.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, BrokeOff> {
        let (answer, answered) = oneshot::channel();
        let work = move || {
            if !answer.is_closed() {
                // Whoever asked may go away meanwhile.
                let _ = answer.send(work());
            }
        };
        self.0.send(Box::new(work)).map_err(|_| BrokeOff)?;
        answered.await.map_err(|_| BrokeOff)
    }
}

fn work_off(receiver: &Mutex<Receiver<Work>>) {
    loop {
        let next = receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(work) = next else { return };
        // The panic was written to the log by its hook, and who asked hears that the work broke off.
        drop(catch_unwind(AssertUnwindSafe(work)));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    #[tokio::test]
    async fn all_threads_work_at_the_same_time_and_a_panic_ends_none() {
        let threads = Threads::start("test", 2);
        for _ in 0..3 {
            let broken: Result<(), BrokeOff> = threads.run(|| panic!("on purpose")).await;
            assert!(broken.is_err());
        }
        let barrier = Arc::new(Barrier::new(2));
        let [first, second] = [1, 2].map(|number| {
            let barrier = Arc::clone(&barrier);
            threads.run(move || {
                barrier.wait();
                number
            })
        });
        let (first, second) = tokio::join!(first, second);
        assert_eq!((first.unwrap(), second.unwrap()), (1, 2));
    }

    #[tokio::test]
    async fn nothing_is_begun_for_whoever_went_away() {
        let threads = Threads::start("test", 1);
        let (go_on, wait) = channel::<()>();
        let mut first = Box::pin(threads.run(move || wait.recv().unwrap()));
        let mut second = Box::pin(threads.run(|| panic!("begun for nobody")));
        tokio::select! {
            biased;
            _ = &mut first => unreachable!(),
            _ = &mut second => unreachable!(),
            () = std::future::ready(()) => {}
        }
        drop(second);
        go_on.send(()).unwrap();
        first.await.unwrap();
        assert_eq!(threads.run(|| 3).await.unwrap(), 3);
    }
}

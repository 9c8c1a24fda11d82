//! What everybody in a life shares: the time, the dice, the processes and how things go wrong.
//!
//! One actor runs at a time, up to its next call to the store, to the gateway or over the network; there it parks, and
//! the dice say who is next. Nothing else decides anything, so a seed plays the same life again.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Poll;

use async_trait::async_trait;
use checkout::checkout::Checkout;
use checkout::clock::Clock;
use checkout::store::Store;
use checkout::store::simulation::{Fault, Gate, Moment};
use futures_util::future::BoxFuture;

use crate::dice::Dice;
use crate::gateway::Sales;
use crate::keys::Keys;
use crate::receiver::Heard;

pub const SECOND: i64 = 1_000;
pub const MINUTE: i64 = 60 * SECOND;
pub const HOUR: i64 = 60 * MINUTE;

/// How bad a life is, until its storm ends: chances in 10 000.
#[derive(Clone, Copy, Debug, Default)]
pub struct Weather {
    /// That the process ends, at each statement.
    pub kill: u64,
    /// That the database fails, at each statement.
    pub fail: u64,
    /// That a message between browser, shop and gateway is lost, on each way.
    pub lose: u64,
    /// That one is slow.
    pub slow: u64,
    /// That the database takes its time, before each piece of work.
    pub stall: u64,
    /// That whoever asks does not wait for the answer.
    pub impatient: u64,
    /// That one comes twice, the second time late.
    pub double: u64,
    /// That one is not what was sent.
    pub corrupt: u64,
    /// That the gateway keeps a payment although it got no `OK`.
    pub keep: u64,
}

/// For how long the database does not do what it is asked.
#[derive(Clone, Copy, Debug)]
pub enum Trouble {
    /// Nothing at all.
    Gone,
    /// Nothing that is written.
    Full,
    /// What others hold is not to be had.
    Busy,
}

/// A process of the shop.
pub struct Process {
    /// The shop as it runs; none while it is down.
    pub shop: Option<Arc<Checkout>>,
    /// How often it was started. What was started before is dead.
    pub started: u32,
}

pub type Work = BoxFuture<'static, ()>;

/// Somebody new.
pub struct Actor {
    /// The process that it dies with.
    pub process: Option<usize>,
    pub work: Work,
}

pub struct State {
    pub now_ms: i64,
    pub dice: Dice,
    pub weather: Weather,
    pub storm_ends_ms: i64,
    /// From when to when the database is in trouble, and the gateway is down.
    pub database_trouble: (i64, i64, Trouble),
    pub gateway_down: (i64, i64),
    pub processes: Vec<Process>,
    pub sales: Sales,
    /// When an idempotency key was pressed for the first time, and which hand-over was given out for it.
    pub handovers: BTreeMap<String, (i64, Option<String>)>,
    /// What one of the merchant's systems heard.
    pub heard: Heard,
    /// How many shoppers and merchants still have something in mind.
    pub busy: u32,
    pub figures: BTreeMap<&'static str, u64>,
    pub violation: Option<String>,
    trace: Option<Vec<String>>,
    /// Who runs now, and when it wants to go on.
    pub(super) running: usize,
    pub(super) parked_until: Option<i64>,
    pub(super) woken: Vec<usize>,
    pub(super) newcomers: Vec<Actor>,
}

impl State {
    pub fn is_storm(&self) -> bool {
        self.now_ms < self.storm_ends_ms
    }

    /// Whether something bad happens that has so many chances in 10 000.
    pub fn strikes(&mut self, chances: fn(&Weather) -> u64) -> bool {
        self.is_storm() && chances(&self.weather) > 0 && {
            let chances = chances(&self.weather);
            self.dice.one_in(10_000, chances)
        }
    }

    pub fn count(&mut self, what: &'static str) {
        *self.figures.entry(what).or_default() += 1;
    }

    /// Writes down what happened, where somebody wants to read it.
    pub fn note(&mut self, what: impl FnOnce() -> String) {
        let now_ms = self.now_ms;
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{now_ms} {}", what()));
        }
    }

    /// What must not be, is.
    pub fn violated(&mut self, what: String) {
        self.note(|| format!("VIOLATED: {what}"));
        self.violation.get_or_insert(what);
    }

    fn is_dead(&self, process: usize, started: u32) -> bool {
        let process = &self.processes[process];
        process.started != started || process.shop.is_none()
    }

    fn kill(&mut self, process: usize, moment: Moment) {
        self.processes[process].shop = None;
        self.count("a process was killed");
        self.note(|| format!("process {process} is killed: {moment:?}"));
    }
}

pub struct World {
    state: Mutex<State>,
    pub keys: Arc<Keys>,
    /// The store, past every gate: for whoever checks.
    pub truth: Arc<dyn Store>,
}

impl World {
    pub fn new(
        seed: u64,
        start_ms: i64,
        keys: Arc<Keys>,
        truth: Arc<dyn Store>,
        is_traced: bool,
    ) -> Arc<Self> {
        let mut dice = Dice(seed);
        let storm_ends_ms = start_ms + dice.between(HOUR, 8 * HOUR);
        let chances: &[u64] = &[0, 0, 20, 100, 500];
        let weather = Weather {
            kill: dice.pick(&[0, 0, 2, 20, 60]),
            fail: dice.pick(&[0, 0, 5, 50, 200]),
            lose: dice.pick(chances),
            slow: dice.pick(&[0, 100, 1_000, 3_000]),
            stall: dice.pick(&[0, 0, 20, 300]),
            impatient: dice.pick(&[0, 500, 3_000]),
            double: dice.pick(chances),
            corrupt: dice.pick(chances),
            keep: dice.pick(&[0, 0, 2_000, 10_000]),
        };
        let mut window = |percent, longest| {
            let from = start_ms + dice.between(0, 2 * HOUR);
            if dice.happens(percent) { (from, from + dice.between(SECOND, longest)) } else { (0, 0) }
        };
        let (from, to) = window(25, 20 * MINUTE);
        let gateway_down = window(25, 2 * HOUR);
        let trouble = dice.pick(&[Trouble::Gone, Trouble::Full, Trouble::Busy]);
        let state = State {
            now_ms: start_ms,
            dice,
            weather,
            storm_ends_ms,
            database_trouble: (from, to, trouble),
            gateway_down,
            processes: Vec::new(),
            sales: Sales::default(),
            handovers: BTreeMap::new(),
            heard: Heard::default(),
            busy: 0,
            figures: BTreeMap::new(),
            violation: None,
            trace: is_traced.then(Vec::new),
            running: 0,
            parked_until: None,
            woken: Vec::new(),
            newcomers: Vec::new(),
        };
        Arc::new(Self { state: Mutex::new(state), keys, truth })
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub fn now_ms(&self) -> i64 {
        self.state().now_ms
    }

    pub fn take_trace(&self) -> Vec<String> {
        self.state().trace.take().unwrap_or_default()
    }

    /// Somebody else begins.
    pub fn spawn(&self, process: Option<usize>, work: impl Future<Output = ()> + Send + 'static) {
        self.state().newcomers.push(Actor { process, work: Box::pin(work) });
    }

    /// Lets others go first, maybe.
    pub async fn turn(&self) {
        let mut is_back = false;
        poll_fn(|context| {
            if is_back {
                return Poll::Ready(());
            }
            is_back = true;
            self.park(0);
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    pub async fn sleep_until(&self, until_ms: i64) {
        poll_fn(|context| {
            if self.now_ms() >= until_ms {
                return Poll::Ready(());
            }
            self.park(until_ms);
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    pub async fn sleep(&self, for_ms: i64) {
        let until_ms = self.now_ms() + for_ms;
        self.sleep_until(until_ms).await;
    }

    /// Sleeps for a while that the dice choose.
    pub async fn pause(&self, first_ms: i64, end_ms: i64) {
        let for_ms = self.state().dice.between(first_ms, end_ms);
        self.sleep(for_ms).await;
    }

    fn park(&self, until_ms: i64) {
        let mut state = self.state();
        state.parked_until = Some(state.parked_until.map_or(until_ms, |other| other.min(until_ms)));
    }

    /// Asks the shop for something over the network. `None` where no answer comes: nobody knows whether it was done.
    /// `work` is what the process does; it may be done once more, much later.
    pub async fn ask<T: Send + 'static>(
        self: &Arc<Self>,
        what: &'static str,
        work: impl Fn(Arc<Checkout>) -> BoxFuture<'static, T> + Send + Sync + 'static,
    ) -> Option<T> {
        let work = Arc::new(work);
        if self.is_lost(what, "on the way").await {
            return None;
        }
        let again = {
            let mut state = self.state();
            let comes = state.strikes(|weather| weather.double);
            comes.then(|| state.dice.between(0, 2 * HOUR))
        };
        if let Some(later_ms) = again {
            let (world, work) = (Arc::clone(self), Arc::clone(&work));
            self.spawn(None, async move {
                world.sleep(later_ms).await;
                world.state().count("a message came twice");
                drop(world.served(what, &*work).await);
            });
        }
        let answer = self.served(what, &*work).await?;
        if self.is_lost(what, "on the way back").await {
            return None;
        }
        Some(answer)
    }

    /// What one of the processes answers, if it lives long enough.
    async fn served<T: Send + 'static>(
        self: &Arc<Self>,
        what: &'static str,
        work: &(dyn Fn(Arc<Checkout>) -> BoxFuture<'static, T> + Send + Sync),
    ) -> Option<T> {
        let (process, shop) = {
            let mut state = self.state();
            let count = state.processes.len();
            let process = state.dice.below(count);
            (process, state.processes[process].shop.clone()?)
        };
        let (filling, slot) = slot(Arc::clone(self));
        let working = work(shop);
        self.state().note(|| format!("process {process} is asked: {what}"));
        self.spawn(Some(process), async move { filling.fill(working.await) });
        let gives_up_at_ms = {
            let mut state = self.state();
            let is_impatient = state.strikes(|weather| weather.impatient);
            if is_impatient { state.now_ms + state.dice.between(SECOND, 40 * SECOND) } else { i64::MAX }
        };
        let answer = slot.wait(self, gives_up_at_ms).await;
        if self.now_ms() >= gives_up_at_ms && answer.is_none() {
            self.state().count("somebody did not wait for the answer");
        }
        answer
    }

    pub async fn is_lost(&self, what: &'static str, way: &'static str) -> bool {
        let (lost, slow) = {
            let mut state = self.state();
            (state.strikes(|weather| weather.lose), state.strikes(|weather| weather.slow))
        };
        if lost {
            self.state().count("a message was lost");
            self.state().note(|| format!("lost {way}: {what}"));
            self.pause(0, 30 * SECOND).await;
        } else if slow {
            self.state().count("a message was slow");
            self.pause(0, 50 * SECOND).await;
        } else {
            self.turn().await;
        }
        lost
    }
}

/// Where an answer goes.
struct Filling<T> {
    slot: Arc<Mutex<Slot<T>>>,
    world: Arc<World>,
}

struct Slot<T> {
    answer: Option<T>,
    is_over: bool,
    waits: Option<usize>,
}

struct Waiting<T>(Arc<Mutex<Slot<T>>>);

fn slot<T>(world: Arc<World>) -> (Filling<T>, Waiting<T>) {
    let slot = Arc::new(Mutex::new(Slot { answer: None, is_over: false, waits: None }));
    (Filling { slot: Arc::clone(&slot), world }, Waiting(slot))
}

impl<T> Filling<T> {
    fn fill(self, answer: T) {
        self.slot.lock().unwrap().answer = Some(answer);
    }
}

impl<T> Drop for Filling<T> {
    fn drop(&mut self) {
        let mut slot = self.slot.lock().unwrap();
        slot.is_over = true;
        if let Some(actor) = slot.waits {
            self.world.state().woken.push(actor);
        }
    }
}

impl<T> Waiting<T> {
    /// The answer, if it comes before that.
    async fn wait(self, world: &World, gives_up_at_ms: i64) -> Option<T> {
        poll_fn(|context| {
            let mut slot = self.0.lock().unwrap();
            if slot.is_over {
                return Poll::Ready(slot.answer.take());
            }
            if world.now_ms() >= gives_up_at_ms {
                slot.waits = None;
                return Poll::Ready(None);
            }
            slot.waits = Some(world.state().running);
            world.park(gives_up_at_ms);
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await
    }
}

/// The time as a process reads it: its clock may be a little off.
pub struct LifeClock {
    pub world: Arc<World>,
    pub ahead_ms: i64,
}

impl Clock for LifeClock {
    fn now_ms(&self) -> i64 {
        self.world.now_ms() + self.ahead_ms
    }
}

/// Between a process and the database.
pub struct ProcessGate {
    pub world: Arc<World>,
    pub process: usize,
    pub started: u32,
}

#[async_trait]
impl Gate for ProcessGate {
    async fn turn(&self) {
        let stalls = self.world.state().strikes(|weather| weather.stall);
        if stalls {
            self.world.state().count("the database took its time");
            self.world.pause(0, 50 * SECOND).await;
        } else {
            self.world.turn().await;
        }
    }

    fn pass(&self, moment: Moment) -> Result<(), Fault> {
        let mut state = self.world.state();
        if state.is_dead(self.process, self.started) {
            return Err(Fault::Killed);
        }
        let (from, to, trouble) = state.database_trouble;
        if state.is_storm() && (from..to).contains(&state.now_ms) {
            match (trouble, moment) {
                (Trouble::Gone, _) => {
                    state.count("the database was gone");
                    return Err(Fault::Failed("it is gone"));
                }
                (Trouble::Full, Moment::Commit) => {
                    state.count("the disk was full");
                    return Err(Fault::Failed("the disk is full"));
                }
                (Trouble::Busy, Moment::Begin) if state.dice.happens(50) => {
                    state.count("the database was busy");
                    return Err(Fault::Failed("it is locked"));
                }
                _ => {}
            }
        }
        if state.strikes(|weather| weather.kill) {
            state.kill(self.process, moment);
            return Err(Fault::Killed);
        }
        if state.strikes(|weather| weather.fail) {
            state.count(if moment == Moment::Answer {
                "an answer of the database was lost"
            } else {
                "the database failed"
            });
            state.note(|| format!("the database fails: {moment:?}"));
            return Err(Fault::Failed("it failed"));
        }
        Ok(())
    }
}

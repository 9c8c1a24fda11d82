//! Lives of a shop: the real use-cases, rules and store, on a clock and with dice that a seed owns. Messages get lost,
//! come late, twice and wrong; processes die between any two statements; the database is busy, full or gone; shoppers
//! do what shoppers do. After each life everything that must hold is held against what the gateway really did.
//!
//! `TILLGATE_LIVES` says how many are lived, `TILLGATE_SEED` lives one of them again; both together say how many from
//! which one on.
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod check;
#[path = "../it/database.rs"]
mod database;
#[path = "../it/dice.rs"]
mod dice;
mod gateway;
mod keys;
mod life;
mod merchant;
mod receiver;
mod shopper;
mod world;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::ops::Range;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use checkout::store::Store;
use checkout::store::postgres::PostgresStore;
use checkout::store::simulation::MemoryStore;

use self::keys::Keys;
use self::life::{Stage, live};
use self::world::{HOUR, ProcessGate};

/// How many lives are lived where nothing else is said.
const LIVES: u64 = 20_000;
/// How many of them are lived on PostgreSQL as well, which takes longer.
const ON_POSTGRESQL: u64 = 300;
/// After how many lives the figures are said.
const REPORTED_EACH: u64 = 100_000;
/// Where the seeds begin; any number is as good.
const FIRST_SEED: u64 = 20_261_127;
/// When the first life begins.
const NOW: i64 = 1_800_000_000_000;
/// How long a life may last, where lives follow each other in one database.
const LIFE_MS: i64 = 60 * 24 * HOUR;

struct InMemory(Arc<MemoryStore>);

impl Stage for InMemory {
    fn truth(&self) -> Arc<dyn Store> {
        self.0.clone()
    }

    fn behind(&self, gate: ProcessGate) -> Arc<dyn Store> {
        Arc::new(self.0.behind(Arc::new(gate)))
    }

    fn randomness(&self, _seed: u64) -> u64 {
        FIRST_SEED
    }
}

struct InPostgres {
    /// With connections of its own: what a process left behind may hold the others for a moment.
    truth: Arc<PostgresStore>,
    store: Arc<PostgresStore>,
}

impl Stage for InPostgres {
    fn truth(&self) -> Arc<dyn Store> {
        self.truth.clone()
    }

    fn behind(&self, gate: ProcessGate) -> Arc<dyn Store> {
        Arc::new(self.store.behind(Arc::new(gate)))
    }

    fn randomness(&self, seed: u64) -> u64 {
        seed
    }
}

type Figures = BTreeMap<&'static str, u64>;
/// Lives the lives of some seeds, one after the other, in a database of their own.
type Live = fn(Range<u64>, &Arc<Keys>) -> Result<Figures, String>;

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} must be a number, not {text:?}")))
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// What was wrong in a life, and how it came to that.
fn failure(seed: u64, violation: &str, trace: &[String]) -> String {
    format!("{}\nseed {seed}: {violation}\nAgain: TILLGATE_SEED={seed}", trace.join("\n"))
}

fn live_in_memory(seeds: Range<u64>, keys: &Arc<Keys>) -> Result<Figures, String> {
    let (runtime, store) = (runtime(), Arc::new(MemoryStore::new().unwrap()));
    let stage = InMemory(Arc::clone(&store));
    let mut figures = Figures::new();
    for seed in seeds {
        let lived = runtime.block_on(live(seed, NOW, keys, &stage, false));
        if let Some(violation) = lived.violation {
            store.forget().unwrap();
            let again = runtime.block_on(live(seed, NOW, keys, &stage, true));
            return Err(failure(seed, &violation, &again.trace));
        }
        store.forget().unwrap();
        add(&mut figures, lived.figures);
    }
    Ok(figures)
}

fn live_in_postgres(seeds: Range<u64>, keys: &Arc<Keys>) -> Result<Figures, String> {
    let runtime = runtime();
    runtime.block_on(async {
        let database = database::Database::migrated().await;
        let connect = async || Arc::new(PostgresStore::connect(&database.address(), 16).await.unwrap());
        let stage = InPostgres { truth: connect().await, store: connect().await };
        let mut figures = Figures::new();
        let mut start_ms = NOW;
        for seed in seeds {
            let lived = live(seed, start_ms, keys, &stage, true).await;
            if let Some(violation) = lived.violation {
                return Err(failure(seed, &violation, &lived.trace));
            }
            start_ms += LIFE_MS;
            add(&mut figures, lived.figures);
        }
        Ok(figures)
    })
}

fn add(sum: &mut Figures, more: Figures) {
    for (what, count) in more {
        *sum.entry(what).or_default() += count;
    }
}

/// Lives some lives, on every core.
fn live_some(seeds: Range<u64>, keys: &Arc<Keys>, live: Live) -> Result<Figures, String> {
    let threads = u64::try_from(thread::available_parallelism().map_or(1, std::num::NonZero::get)).unwrap();
    let share = (seeds.end - seeds.start).div_ceil(threads);
    let lived: Result<Vec<Figures>, String> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|worker| {
                let first = seeds.end.min(seeds.start + worker * share);
                let last = seeds.end.min(first + share);
                scope.spawn(move || live(first..last, keys))
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).collect()
    });
    let mut sum = Figures::new();
    for figures in lived? {
        add(&mut sum, figures);
    }
    Ok(sum)
}

/// Lives many lives, and says how far it is: who ends it early, or looks on, has the figures so far.
fn live_all(database: &str, lives: u64, live: Live) {
    let keys = Arc::new(Keys::new());
    let (seed, is_many) = (number("TILLGATE_SEED"), number("TILLGATE_LIVES").is_some());
    if let (Some(seed), false) = (seed, is_many) {
        println!("{:#?}", live(seed..seed + 1, &keys).unwrap_or_else(|failure| panic!("{failure}")));
        return;
    }
    let first_seed = seed.unwrap_or(FIRST_SEED);
    let end = first_seed + lives;
    let began = Instant::now();
    let (mut sum, mut next) = (Figures::new(), first_seed);
    while next < end {
        let seeds = next..end.min(next + REPORTED_EACH);
        next = seeds.end;
        add(&mut sum, live_some(seeds, &keys, live).unwrap_or_else(|failure| panic!("{failure}")));
        // Past the test's capture, so that a log always has the seeds and the figures.
        let (done, took) = (next - first_seed, began.elapsed().as_secs());
        let mut report =
            format!("{done} lives on {database}, seeds {first_seed} to {}, {took} s\n", next - 1);
        for (what, happened) in &sum {
            writeln!(report, "  {what}: {happened}").unwrap();
        }
        std::io::stderr().write_all(report.as_bytes()).unwrap();
    }
    // Lives in which nothing happens would prove nothing.
    for what in HAPPENS {
        assert!(sum.contains_key(what) || lives < 10_000, "this never happened: {what}");
    }
}

/// What has to happen in many lives.
const HAPPENS: [&str; 11] = [
    "a process was killed",
    "the database failed",
    "an answer of the database was lost",
    "the database was gone",
    "the disk was full",
    "the database was busy",
    "a payment was reversed by the gateway",
    "a payment was kept without an OK",
    "a message was about nobody's order",
    "a webhook was heard",
    "a webhook came again",
];

#[test]
fn in_every_life_nothing_is_lost_and_everything_ends() {
    live_all("SQLite", number("TILLGATE_LIVES").unwrap_or(LIVES), live_in_memory);
}

#[test]
fn and_so_it_is_on_postgresql() {
    let lives = number("TILLGATE_LIVES_ON_POSTGRESQL");
    let most = number("TILLGATE_LIVES").unwrap_or(LIVES);
    live_all("PostgreSQL", lives.unwrap_or_else(|| most.min(ON_POSTGRESQL)), live_in_postgres);
}

#[test]
fn a_seed_lives_the_same_life_again() {
    let runtime = runtime();
    // As two processes have them.
    let keys = [(); 2].map(|()| Arc::new(Keys::new()));
    for seed in FIRST_SEED..FIRST_SEED + 50 {
        let [first, second] = keys.each_ref().map(|keys| {
            let store = Arc::new(MemoryStore::new().unwrap());
            let lived = runtime.block_on(live(seed, NOW, keys, &InMemory(Arc::clone(&store)), true));
            (lived.trace, store.fingerprint().unwrap())
        });
        assert_eq!(first, second, "seed {seed}");
    }
}

//! Refunds under every interleaving: the real use-cases on the real store, against a simple model.
//!
//! One payment after another is put through a script that a seed makes: people ask for refunds and reversals,
//! approve them and turn them down, the gateway says yes, no, nothing, or something that cannot be read, its
//! notification of a rollback comes in between, processes die while they wait for an answer, and whoever is
//! left reconciles. After each step what the store says is held against the model, and against what the
//! gateway really did with the money.
//!
//! `TILLGATE_INTERLEAVINGS` says how many scripts are played, `TILLGATE_SEED` plays one of them again.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests, with the helpers of others"
)]

#[path = "../it/database.rs"]
mod database;
#[path = "../it/dice.rs"]
mod dice;
mod gateway;
mod model;
#[path = "../it/world.rs"]
mod world;

use std::io::Write as _;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;
use std::time::Instant;

use checkout::catalog::Catalog;
use checkout::checkout::Checkout;
use checkout::clock::Clock;
use checkout::mypos_store::{KeyPair, MyposStore};
use checkout::records::Mode;
use checkout::settings::Settings;
use checkout::store::postgres::PostgresStore;
use checkout::store::simulation::MemoryStore;
use checkout::store::sqlite::SqliteStore;
use checkout::timing::Timing;
use domain::{Currency, PaymentMethod};
use jiff::tz::TimeZone;
use mypos::PrivateKey;

use self::gateway::{ScriptedGateway, Signer};
use self::model::{Played, play};
use crate::database::Database;
use crate::world::{NOW, Shared};

/// How many scripts are played where nothing else is said.
const INTERLEAVINGS: u64 = 100_000;
/// How many of them are played on a file and on PostgreSQL as well, which takes longer.
const ON_A_FILE: u64 = 1_000;
const ON_POSTGRESQL: u64 = 1_000;
/// How many are played on one store: one in memory must not grow for ever.
const PER_STORE: u64 = 2_000;
/// Where the seeds begin; any number is as good.
const FIRST_SEED: u64 = 20_261_124;

/// Where all refunds of a payment together come to more than this, a second person has to approve.
pub(crate) const APPROVAL_ABOVE: &str = "60.00";

const CATALOG: &str = r#"
currency = "EUR"
countries = ["DE"]
[[item]]
sku = "box"
name = { en = "Box", de = "Kiste" }
price = "100.00"
vat = "19"
[[delivery]]
id = "pick-up"
name = { en = "Collect", de = "Abholung" }
price = "0.00"
vat = "19"
"#;

/// A clock that only the script moves.
#[derive(Clone)]
pub(crate) struct ScriptClock(Arc<AtomicI64>);

impl ScriptClock {
    pub(crate) fn advance(&self, by_ms: i64) {
        self.0.fetch_add(by_ms, Ordering::SeqCst);
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

impl Clock for ScriptClock {
    fn now_ms(&self) -> i64 {
        Self::now_ms(self)
    }
}

/// A shop that the scripts are played on.
pub(crate) struct Stage {
    pub(crate) checkout: Arc<Checkout>,
    /// The same shop, where no limit for approvals is set.
    pub(crate) without_limit: Arc<Checkout>,
    pub(crate) store: Shared,
    pub(crate) clock: ScriptClock,
    pub(crate) calls: tokio::sync::mpsc::UnboundedReceiver<gateway::Call>,
    pub(crate) signer: Arc<Signer>,
}

impl Stage {
    fn new(store: Shared, keys: &Keys) -> Self {
        let (gateway, calls) = ScriptedGateway::new();
        let clock = ScriptClock(Arc::new(AtomicI64::new(NOW)));
        let settings = Settings {
            public_url: "https://pay.example.com".into(),
            stores: vec![keys.store()],
            methods: vec![PaymentMethod::Card],
            zone: TimeZone::UTC,
            refund_approval_above: Some(APPROVAL_ABOVE.into()),
            storefront_origins: Vec::new(),
            quote_keys: Vec::new(),
            webhooks: Vec::new(),
            timing: Timing::default(),
        };
        let gateway = Arc::new(gateway);
        let shop = |settings: Settings| {
            let catalog = Catalog::parse(CATALOG).unwrap();
            let clock = Arc::new(clock.clone());
            Arc::new(Checkout::new(catalog, settings, Arc::clone(&store), gateway.clone(), clock))
        };
        let without_limit = shop(Settings { refund_approval_above: None, ..settings.clone() });
        let checkout = shop(settings);
        Self { checkout, without_limit, store, clock, calls, signer: Arc::clone(&keys.signer) }
    }
}

/// The keys of both sides: made once, for making them takes longer than a thousand scripts.
struct Keys {
    ours: PrivateKey,
    gateways: PrivateKey,
    signer: Arc<Signer>,
}

impl Keys {
    fn new() -> Self {
        let gateways = PrivateKey::generate(2048).unwrap();
        Self { ours: PrivateKey::generate(2048).unwrap(), signer: Signer::new(gateways.clone()), gateways }
    }

    fn store(&self) -> MyposStore {
        MyposStore {
            name: "main".into(),
            mode: Mode::Test,
            endpoint: "https://gateway.example/checkout".into(),
            sid: "000000000054321".into(),
            wallet: "40000054321".into(),
            keys: vec![KeyPair {
                index: 1,
                ours: self.ours.clone(),
                gateways: self.gateways.public_key(),
                retired: false,
            }],
            currencies: vec![Currency::EUR],
            application_id: None,
            partner_id: None,
        }
    }
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} must be a number, not {text:?}")))
}

/// Plays the scripts of some seeds, with a store of their own now and then. `make` gives one, and what it needs.
fn play_all<Needed>(seeds: Range<u64>, keys: &Keys, make: impl AsyncFn() -> (Shared, Needed)) -> Played {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut played = Played::default();
    let mut seeds = seeds.peekable();
    while seeds.peek().is_some() {
        let (store, _needed) = runtime.block_on(make());
        let mut stage = Stage::new(store, keys);
        for seed in seeds.by_ref().take(usize::try_from(PER_STORE).unwrap()) {
            runtime.block_on(play(&mut stage, seed, &mut played));
        }
    }
    played
}

#[test]
fn no_interleaving_gives_back_more_than_was_paid_or_anything_twice() {
    play_on("SQLite in memory", INTERLEAVINGS, async || {
        (Arc::new(MemoryStore::new().unwrap()) as Shared, ())
    });
}

#[test]
fn and_none_does_on_a_file() {
    play_on("SQLite", ON_A_FILE, async || {
        let dir = tempfile::tempdir().unwrap();
        (Arc::new(SqliteStore::open(&dir.path().join("shop.db")).unwrap()) as Shared, dir)
    });
}

#[test]
fn and_none_does_on_postgresql() {
    play_on("PostgreSQL", ON_POSTGRESQL, async || {
        let database = Database::migrated().await;
        (Arc::new(PostgresStore::connect(&database.address(), 16).await.unwrap()) as Shared, database)
    });
}

fn play_on<Needed>(database: &str, most: u64, make: impl AsyncFn() -> (Shared, Needed) + Sync) {
    let (keys, make) = (Keys::new(), &make);
    if let Some(seed) = number("TILLGATE_SEED") {
        println!("{:?}", play_all(seed..seed + 1, &keys, make));
        return;
    }
    let count = number("TILLGATE_INTERLEAVINGS").unwrap_or(INTERLEAVINGS).min(most);
    let began = Instant::now();
    let threads = u64::try_from(thread::available_parallelism().map_or(1, std::num::NonZero::get)).unwrap();
    let played = thread::scope(|scope| {
        let share = count.div_ceil(threads);
        let workers: Vec<_> = (0..threads)
            .map(|worker| {
                let (keys, first) = (&keys, FIRST_SEED + worker * share);
                let last = (first + share).min(FIRST_SEED + count);
                scope.spawn(move || play_all(first..last, keys, make))
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).fold(Played::default(), Played::plus)
    });
    // Past the test's capture, so that a log always has the seeds and the figures.
    let last = FIRST_SEED + count - 1;
    let took = began.elapsed().as_secs();
    let figures = format!("{database}, seeds {FIRST_SEED} to {last}: {played:?}, {took} s\n");
    std::io::stderr().write_all(figures.as_bytes()).unwrap();
    // A script that never gets anywhere would prove nothing.
    assert_eq!(played.scripts, count);
    for (what, happened) in played.kinds() {
        assert!(happened > 0 || count < 1_000, "nothing of this happened: {what}");
    }
}

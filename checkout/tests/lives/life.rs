//! One life: a shop of two processes, its shoppers, its merchant and the gateway, from the first press to the end.

use std::collections::BTreeMap;
use std::future::{pending, poll_fn};
use std::mem::take;
use std::sync::Arc;
use std::task::Poll;

use checkout::catalog::Catalog;
use checkout::checkout::Checkout;
use checkout::records::PaymentId;
use checkout::settings::Settings;
use checkout::store::Store;
use checkout::timing::Timing;
use domain::PaymentMethod;
use jiff::tz::TimeZone;

use crate::check;
use crate::gateway::LifeGateway;
use crate::keys::Keys;
use crate::merchant;
use crate::receiver::{self, LifeCourier};
use crate::shopper::Tab;
use crate::world::{Actor, HOUR, LifeClock, MINUTE, Process, ProcessGate, SECOND, State, Work, World};

const DAY: i64 = 24 * HOUR;
/// How many processes of the shop there are.
const PROCESSES: usize = 2;

const CATALOG: &str = r#"
currency = "EUR"
countries = ["DE"]
[[item]]
sku = "box"
name = { en = "Box", de = "Kiste" }
price = "50.00"
vat = "19"
[[delivery]]
id = "pick-up"
name = { en = "Collect", de = "Abholung" }
price = "0.00"
vat = "19"
"#;

/// Where the lives of a seed are lived.
pub trait Stage {
    /// The store, past every gate.
    fn truth(&self) -> Arc<dyn Store>;
    /// The store as a process has it.
    fn behind(&self, gate: ProcessGate) -> Arc<dyn Store>;
    /// The seed of what is random in a life. Where nothing is left of other lives, all may have the same.
    fn randomness(&self, seed: u64) -> u64;
}

/// What a life came to.
pub struct Lived {
    pub figures: BTreeMap<&'static str, u64>,
    /// What must not be, and was.
    pub violation: Option<String>,
    /// What happened, where it was to be written down.
    pub trace: Vec<String>,
}

struct Life<'s> {
    world: Arc<World>,
    stage: &'s dyn Stage,
    start_ms: i64,
    actors: Vec<Option<Living>>,
    /// When which process begins again.
    restarts: Vec<(i64, usize)>,
}

struct Living {
    process: Option<usize>,
    work: Work,
    wakes_at_ms: i64,
}

/// Lives the life of a seed.
pub async fn live(seed: u64, start_ms: i64, keys: &Arc<Keys>, stage: &dyn Stage, is_traced: bool) -> Lived {
    checkout::token::simulation::seed(Some(stage.randomness(seed)));
    let world = World::new(seed, start_ms, Arc::clone(keys), stage.truth(), is_traced);
    let mut life =
        Life { world: Arc::clone(&world), stage, start_ms, actors: Vec::new(), restarts: Vec::new() };
    life.is_lived().await;
    drop(life);
    checkout::token::simulation::seed(None);
    let trace = world.take_trace();
    let (lived, left) = {
        let State { figures, violation, processes, newcomers, .. } = &mut *world.state();
        let lived = Lived { figures: take(figures), violation: violation.take(), trace };
        (lived, (take(processes), take(newcomers)))
    };
    // Each of them has the world, and the world had them: a million lives would never leave the memory.
    drop(left);
    lived
}

impl Life<'_> {
    async fn is_lived(&mut self) {
        let endpoints = vec![receiver::ENDPOINT.to_owned()];
        self.world.truth.want_endpoints(endpoints, self.start_ms, 0).await.unwrap();
        for process in 0..PROCESSES {
            self.world.state().processes.push(Process { shop: None, started: 0 });
            self.starts(process);
        }
        let carts = 1 + self.world.state().dice.below(2);
        for number in 0..carts {
            let cart = checkout::token::Token::random().unwrap().secret().to_owned();
            self.world.state().count("a cart");
            let tabs = 1 + self.world.state().dice.below(3);
            for _ in 0..tabs {
                self.world.state().busy += 1;
                self.world.state().count("a tab");
                let tab = Tab { world: Arc::clone(&self.world), cart: format!("{cart}-{number}") };
                self.world.spawn(None, tab.lives());
            }
        }
        if self.world.state().dice.happens(60) {
            self.world.state().busy += 1;
            self.world.spawn(None, merchant::gives_back(Arc::clone(&self.world), self.start_ms));
        }

        if self.world.state().dice.happens(15) {
            self.world.state().busy += 1;
            self.world.spawn(None, Arc::clone(&self.world).speaks_of_others());
        }

        // The storm, and until everybody is through; then the gateway is asked for the last time, and people look.
        let storm_ends_ms = self.world.state().storm_ends_ms;
        self.goes_on_until(storm_ends_ms).await;
        while self.is_well() && self.world.state().busy > 0 {
            let next_ms = self.world.now_ms() + HOUR;
            self.goes_on_until(next_ms).await;
        }
        let rest_ms = self.world.now_ms() + 3 * DAY;
        self.goes_on_until(rest_ms).await;
        for _ in 0..2 {
            if !self.is_well() {
                return;
            }
            let shop = self.new_shop(0);
            merchant::looks_at_everything(&self.world, &shop, self.start_ms).await;
            let rest_ms = self.world.now_ms() + 3 * DAY;
            self.goes_on_until(rest_ms).await;
        }
        if self.is_well() {
            check::everything(&self.world, self.start_ms).await;
        }
    }

    fn is_well(&self) -> bool {
        self.world.state().violation.is_none()
    }

    /// A process begins.
    fn starts(&mut self, process: usize) {
        self.world.state().processes[process].started += 1;
        let shop = self.new_shop(process);
        self.world.state().processes[process].shop = Some(Arc::clone(&shop));
        let world = Arc::clone(&self.world);
        self.world.spawn(Some(process), async move { works(&world, &shop, process == 0).await });
    }

    fn new_shop(&self, process: usize) -> Arc<Checkout> {
        let started = self.world.state().processes[process].started;
        let settings = Settings {
            public_url: "https://pay.example.com".into(),
            stores: vec![self.world.keys.store()],
            methods: vec![PaymentMethod::Card, PaymentMethod::BankTransfer],
            zone: TimeZone::UTC,
            refund_approval_above: None,
            storefront_origins: Vec::new(),
            quote_keys: Vec::new(),
            webhooks: vec![receiver::endpoint()],
            timing: Timing::default(),
        };
        let store = self.stage.behind(ProcessGate { world: Arc::clone(&self.world), process, started });
        let ahead_ms = i64::try_from(process).unwrap() * 2 * SECOND;
        let clock = LifeClock { world: Arc::clone(&self.world), ahead_ms };
        let gateway = LifeGateway(Arc::clone(&self.world));
        let catalog = Catalog::parse(CATALOG).unwrap();
        Arc::new(Checkout::new(catalog, settings, store, Arc::new(gateway), Arc::new(clock)))
    }

    /// Lets everybody do what they do until then.
    async fn goes_on_until(&mut self, end_ms: i64) {
        while self.is_well() {
            self.restarts();
            self.greets();
            let now_ms = self.world.now_ms();
            let wakes = |actor: &Option<Living>| actor.as_ref().map(|actor| actor.wakes_at_ms);
            let ready: Vec<usize> = (0..self.actors.len())
                .filter(|index| wakes(&self.actors[*index]).is_some_and(|at| at <= now_ms))
                .collect();
            if ready.is_empty() {
                let restarts = self.restarts.iter().map(|(at_ms, _)| *at_ms);
                let next_ms = self.actors.iter().filter_map(wakes).chain(restarts).min().unwrap_or(i64::MAX);
                self.world.state().now_ms = next_ms.min(end_ms);
                if next_ms >= end_ms {
                    return;
                }
                continue;
            }
            let index = {
                let mut state = self.world.state();
                state.count("a turn");
                ready[state.dice.below(ready.len())]
            };
            self.goes_on(index).await;
            self.buries();
        }
    }

    /// Takes in who is new, and who was woken.
    fn greets(&mut self) {
        let (newcomers, woken) = {
            let mut state = self.world.state();
            (take(&mut state.newcomers), take(&mut state.woken))
        };
        for Actor { process, work } in newcomers {
            let living = Some(Living { process, work, wakes_at_ms: 0 });
            match self.actors.iter().position(Option::is_none) {
                Some(free) => self.actors[free] = living,
                None => self.actors.push(living),
            }
        }
        for index in woken {
            if let Some(actor) = &mut self.actors[index] {
                actor.wakes_at_ms = 0;
            }
        }
    }

    /// One actor's turn: up to where it parks.
    async fn goes_on(&mut self, index: usize) {
        let world = Arc::clone(&self.world);
        let Some(actor) = &mut self.actors[index] else { return };
        let is_over = poll_fn(|context| {
            {
                let mut state = world.state();
                state.running = index;
                state.parked_until = None;
            }
            if actor.work.as_mut().poll(context).is_ready() {
                return Poll::Ready(true);
            }
            let parked_until = world.state().parked_until;
            match parked_until {
                Some(until_ms) => {
                    actor.wakes_at_ms = until_ms;
                    Poll::Ready(false)
                }
                // It waits for the database itself, and nobody else may run meanwhile, unless it is dead.
                None if is_dead(&world, actor.process) => Poll::Ready(true),
                None => Poll::Pending,
            }
        })
        .await;
        if is_over {
            self.actors[index] = None;
        }
    }

    /// Of a process that ended nothing goes on. A new one begins after a while.
    fn buries(&mut self) {
        for process in 0..PROCESSES {
            if !is_dead(&self.world, Some(process)) || self.restarts.iter().any(|(_, of)| *of == process) {
                continue;
            }
            for actor in &mut self.actors {
                if actor.as_ref().is_some_and(|actor| actor.process == Some(process)) {
                    *actor = None;
                }
            }
            let mut state = self.world.state();
            let at_ms = state.now_ms + state.dice.between(SECOND / 5, 3 * MINUTE);
            self.restarts.push((at_ms, process));
        }
    }

    fn restarts(&mut self) {
        let now_ms = self.world.now_ms();
        let (due, later) = self.restarts.iter().partition(|(at_ms, _)| *at_ms <= now_ms);
        self.restarts = later;
        let due: Vec<(i64, usize)> = due;
        for (_, process) in due {
            self.starts(process);
        }
    }
}

fn is_dead(world: &World, process: Option<usize>) -> bool {
    process.is_some_and(|process| world.state().processes[process].shop.is_none())
}

/// What a process does by itself: it asks about what is due, and tells what happened.
async fn works(world: &Arc<World>, shop: &Checkout, is_first: bool) {
    let (endpoint, courier) = (receiver::endpoint(), LifeCourier(Arc::clone(world)));
    loop {
        let due_ms = next_due_ms(world).await;
        let now_ms = world.now_ms();
        if !is_first && !world.state().is_storm() {
            return;
        }
        world.sleep_until(due_ms.max(now_ms + 5 * SECOND)).await;
        match shop.reconcile_due(pending()).await {
            Ok(report) if report.asked > 0 => world.state().note(|| format!("{report:?}")),
            Ok(_) => {}
            Err(error) => world.state().note(|| format!("reconciliation failed: {error}")),
        }
        while shop
            .deliver_webhooks(&endpoint, &courier, pending())
            .await
            .is_ok_and(|report| report.delivered > 0)
        {}
    }
}

/// When there is something to be asked about or to be told, and at the latest in six hours.
async fn next_due_ms(world: &World) -> i64 {
    let latest_ms = world.now_ms() + 6 * HOUR;
    let payments = world.truth.unsettled(PaymentId(0), 100).await.unwrap();
    let webhooks = world.truth.undelivered(100).await.unwrap();
    let tries = webhooks.iter().map(|webhook| webhook.next_try_at_ms);
    payments.iter().filter_map(|payment| payment.next_ask_at_ms).chain(tries).fold(latest_ms, i64::min)
}

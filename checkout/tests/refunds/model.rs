//! The script of a seed, the model, and what must hold after each step.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::Arc;

use checkout::checkout::Checkout;
use checkout::people::Actor;
use checkout::records::{EventKind, Mode, NewEvent, RefundId, RefundKind};
use checkout::refund::{MerchantError, MerchantProblem, RecordRequest, RefundRequest};
use checkout::rules::Cause;
use checkout::store::merchant::{Filter, From, OrderRecord, Search};
use domain::{OrderState, PaymentState, RefundState};
use tokio::task::JoinHandle;

use crate::Stage;
use crate::dice::Dice;
use crate::gateway::{Call, Verdict};
use crate::world::{Started, anna, apply, bob, eur, events, paid, timing};

/// What every payment of the scripts costs.
const PAID: i64 = 10_000;
const MINUTE: i64 = 60_000;

/// How often things happened, over all scripts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Played {
    pub scripts: u64,
    pub steps: u64,
    pub refunds: u64,
    pub done: u64,
    pub refused: u64,
    pub unknown: u64,
    pub proposed: u64,
    pub too_much: u64,
    pub repeated: u64,
    pub killed: u64,
    pub reversals: u64,
    pub reversed: u64,
    pub rolled_back: u64,
    pub elsewhere: u64,
}

impl Played {
    pub fn plus(self, other: Self) -> Self {
        Self {
            scripts: self.scripts + other.scripts,
            steps: self.steps + other.steps,
            refunds: self.refunds + other.refunds,
            done: self.done + other.done,
            refused: self.refused + other.refused,
            unknown: self.unknown + other.unknown,
            proposed: self.proposed + other.proposed,
            too_much: self.too_much + other.too_much,
            repeated: self.repeated + other.repeated,
            killed: self.killed + other.killed,
            reversals: self.reversals + other.reversals,
            reversed: self.reversed + other.reversed,
            rolled_back: self.rolled_back + other.rolled_back,
            elsewhere: self.elsewhere + other.elsewhere,
        }
    }

    pub fn kinds(self) -> [(&'static str, u64); 13] {
        [
            ("steps", self.steps),
            ("refunds", self.refunds),
            ("done", self.done),
            ("refused", self.refused),
            ("unknown", self.unknown),
            ("proposed", self.proposed),
            ("too much", self.too_much),
            ("repeated", self.repeated),
            ("killed", self.killed),
            ("reversals", self.reversals),
            ("reversed", self.reversed),
            ("rolled back", self.rolled_back),
            ("elsewhere", self.elsewhere),
        ]
    }
}

/// Somebody who waits for the gateway.
struct Waiting {
    call: Call,
    work: Work,
}

type Work = JoinHandle<Result<(), MerchantError>>;

/// What the gateway did with the money, and what it was asked.
#[derive(Default)]
struct Truth {
    /// Refunds that it was asked for: how much, and whether the money went back. `None` while it was not decided.
    asked: BTreeMap<String, (i64, Option<bool>)>,
    /// What was given back in the myPOS account.
    elsewhere: i64,
    /// Whether the whole payment was undone.
    undone: bool,
    /// Whether that was the outcome of a reversal that had been recorded as not done before, and whose answer was
    /// lost.
    unheard: bool,
    /// Whether that came on top of refunds.
    undone_on_top: bool,
}

impl Truth {
    fn moved(&self) -> i64 {
        let refunds = self.asked.values().filter(|(_, moved)| *moved == Some(true));
        refunds.map(|(minor, _)| minor).sum::<i64>() + self.elsewhere
    }
}

struct Script<'s> {
    stage: &'s mut Stage,
    /// Half of the scripts are played in a shop without a limit for approvals: where there is one, payments like
    /// theirs are not reversed.
    checkout: Arc<Checkout>,
    has_limit: bool,
    played: &'s mut Played,
    dice: Dice,
    ours: Started,
    /// The order as it stood after the last step.
    record: OrderRecord,
    waiting: Vec<Waiting>,
    presses: Vec<(String, i64)>,
    truth: Truth,
}

/// Plays the script of a seed to its end.
pub async fn play(stage: &mut Stage, seed: u64, played: &mut Played) {
    let ours = paid(&stage.store, PAID, stage.clock.now_ms()).await;
    let mut script = Script {
        dice: Dice(seed),
        checkout: Arc::clone(if seed.is_multiple_of(2) { &stage.checkout } else { &stage.without_limit }),
        has_limit: seed.is_multiple_of(2),
        record: stage.store.order_record(&ours.reference).await.unwrap().unwrap(),
        stage,
        played,
        ours,
        waiting: Vec::new(),
        presses: Vec::new(),
        truth: Truth::default(),
    };
    let steps = 4 + script.dice.below(12);
    for step in 0..steps {
        let did = script.step().await;
        script.check(&format!("seed {seed}, step {step}: {did}")).await;
        script.played.steps += 1;
    }
    script.end(&format!("seed {seed}, at the end")).await;
    script.played.scripts += 1;
}

impl Script<'_> {
    /// One random step; its name.
    async fn step(&mut self) -> &'static str {
        match self.dice.below(100) {
            0..30 => {
                self.ask_for_refund().await;
                "a refund is asked for"
            }
            30..60 => {
                self.answer().await;
                "the gateway answers"
            }
            60..67 => {
                self.kill().await;
                "a process dies"
            }
            67..76 => {
                self.decide_proposal().await;
                "a proposal is decided"
            }
            76..80 => {
                self.record_outcome().await;
                "an outcome is recorded"
            }
            80..82 => {
                self.record_reversal().await;
                "what became of a reversal is recorded"
            }
            82..87 => {
                self.record_elsewhere().await;
                "a refund in the account is recorded"
            }
            87..91 => {
                self.ask_for_reversal().await;
                "a reversal is asked for"
            }
            91..93 => {
                self.roll_back().await;
                "the gateway rolls back"
            }
            _ => {
                self.reconcile().await;
                "time passes"
            }
        }
    }

    /// Runs work until it is done or waits for the gateway. Questions about the status get no answer.
    async fn drive(&mut self, mut work: Work) -> Option<Result<(), MerchantError>> {
        loop {
            tokio::select! {
                biased;
                call = self.stage.calls.recv() => {
                    let call = call.unwrap();
                    if !matches!(call.method.as_str(), "IPCRefund" | "IPCReversal") {
                        let _ = call.answer.send(Err(checkout::gateway::GatewayError::HttpStatus(503)));
                        continue;
                    }
                    if call.method == "IPCRefund" {
                        let before = self.truth.asked.insert(call.order_id.clone(), (call.minor, None));
                        assert!(before.is_none(), "a refund was sent twice");
                    }
                    self.waiting.push(Waiting { call, work });
                    return None;
                }
                done = &mut work => return Some(done.unwrap()),
            }
        }
    }

    fn somebody(&mut self) -> Actor {
        if self.dice.happens(50) { anna() } else { bob() }
    }

    async fn look(&mut self) {
        self.record = self.stage.store.order_record(&self.ours.reference).await.unwrap().unwrap();
    }

    async fn ask_for_refund(&mut self) {
        let left = self.record.left_minor(Some(self.ours.payment));
        let amounts = [1, 100, 2_500, 4_000, 5_000, 6_000, 6_001, left.max(1), left + 1, PAID, PAID + 1];
        let (key, minor) = if !self.presses.is_empty() && self.dice.happens(20) {
            let index = self.dice.below(self.presses.len());
            self.presses[index].clone()
        } else {
            let key = format!("{} press {}", self.ours.reference, self.presses.len());
            (key, self.dice.pick(&amounts))
        };
        let is_repeated = self.presses.iter().any(|(known, _)| *known == key);
        self.presses.push((key.clone(), minor));
        let request = RefundRequest {
            reference: self.ours.reference.clone(),
            payment: None,
            money: eur(minor),
            reason: "it was too green".into(),
            key,
            actor: self.somebody(),
        };
        let checkout = self.checkout.clone();
        let work = tokio::spawn(async move { checkout.refund(request).await.map(drop) });
        let done = self.drive(work).await;
        self.played.repeated += u64::from(is_repeated);
        match done {
            None => self.played.refunds += 1,
            Some(Ok(())) => {}
            Some(Err(MerchantError::Problem(MerchantProblem::StillAsked))) if is_repeated => {}
            Some(Err(MerchantError::Problem(
                MerchantProblem::TooMuch(_) | MerchantProblem::NothingToRefund,
            ))) => self.played.too_much += 1,
            Some(Err(error)) => panic!("{error:?}"),
        }
    }

    /// Decides a call: what the gateway does with the money, and what the shop hears.
    fn decide(&mut self, call: &Call, verdict: Verdict) -> Verdict {
        // The gateway gives nothing back of what it has undone.
        let verdict = match verdict {
            moving if self.truth.undone && moving.moves() => Verdict::No,
            verdict => verdict,
        };
        if call.method == "IPCReversal" {
            // Somebody may have recorded that it was not done, and refunded, while it was still on its way.
            let counted = self.record.refunds.iter().any(|refund| refund.state.counts());
            self.truth.undone_on_top |= counted && !self.truth.undone && verdict.moves();
            self.truth.undone |= verdict.moves();
            // A merchant who recorded "not done" while it was on its way was wrong, and nothing says so here.
            let is_waited_for = self.record.file.payments[0].state == PaymentState::Reversing;
            self.truth.unheard |= verdict.moves() && verdict != Verdict::Yes && !is_waited_for;
        } else {
            self.truth.asked.insert(call.order_id.clone(), (call.minor, Some(verdict.moves())));
        }
        verdict
    }

    async fn answer(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let index = self.dice.below(self.waiting.len());
        let Waiting { call, work } = self.waiting.swap_remove(index);
        let verdict = if self.dice.happens(50) { Verdict::Yes } else { self.dice.pick(&Verdict::ALL) };
        let verdict = self.decide(&call, verdict);
        let reply = self.stage.signer.reply(&call, verdict);
        let is_reversal = call.method == "IPCReversal";
        call.answer.send(reply).unwrap();
        self.drive(work).await.unwrap().unwrap();
        if is_reversal && verdict == Verdict::Yes {
            self.played.reversed += 1;
        }
    }

    /// A process dies while it waits: whether the gateway did it, nobody hears.
    async fn kill(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let index = self.dice.below(self.waiting.len());
        let Waiting { call, work } = self.waiting.swap_remove(index);
        let verdict = if self.dice.happens(50) { Verdict::YesButLost } else { Verdict::NoButLost };
        self.decide(&call, verdict);
        work.abort();
        let _ = work.await;
        self.played.killed += 1;
    }

    fn of_state(&self, state: RefundState) -> Vec<RefundId> {
        let refunds = &self.record.refunds;
        refunds.iter().filter(|refund| refund.state == state).map(|refund| refund.id).collect()
    }

    async fn decide_proposal(&mut self) {
        let proposals = self.of_state(RefundState::Proposed);
        if proposals.is_empty() {
            return;
        }
        let (id, actor) = (self.dice.pick(&proposals), self.somebody());
        let (checkout, reference) = (self.checkout.clone(), self.ours.reference.clone());
        let work = if self.dice.happens(70) {
            tokio::spawn(async move { checkout.approve_refund(&reference, id, actor).await.map(drop) })
        } else {
            tokio::spawn(async move { checkout.turn_down_refund(&reference, id, actor).await.map(drop) })
        };
        match self.drive(work).await {
            None => self.played.refunds += 1,
            Some(
                Ok(()) | Err(MerchantError::Problem(MerchantProblem::OwnProposal | MerchantProblem::NotPaid)),
            ) => {}
            Some(Err(error)) => panic!("{error:?}"),
        }
    }

    /// The merchant looks at the myPOS account, and records what it shows.
    async fn record_outcome(&mut self) {
        // A call takes seconds at most, and the account shows what came of it: not so one that still waits here.
        let is_over = |id: &str| self.truth.asked.get(id).is_some_and(|(_, moved)| moved.is_some());
        let unknown: Vec<_> = self
            .record
            .refunds
            .iter()
            .filter(|refund| refund.state == RefundState::Unknown)
            .filter(|refund| refund.gateway_order_id.as_deref().is_some_and(is_over))
            .map(|refund| refund.id)
            .collect();
        if let Some(id) = (!unknown.is_empty()).then(|| self.dice.pick(&unknown)) {
            self.record_truth(id).await;
        }
    }

    async fn record_truth(&mut self, id: RefundId) {
        let refund = self.stage.store.refund(id).await.unwrap().unwrap();
        let (_, moved) = self.truth.asked[refund.gateway_order_id.as_deref().unwrap()];
        let moved = moved.expect("nobody waits for it any more");
        let reference = self.ours.reference.clone();
        self.checkout
            .record_refund_outcome(&reference, id, moved, "seen in the account", anna())
            .await
            .unwrap();
    }

    async fn record_elsewhere(&mut self) {
        let minor = self.dice.pick(&[1, 1_000, 4_000, PAID]);
        let request = RecordRequest {
            reference: self.ours.reference.clone(),
            payment: None,
            kind: self.dice.pick(&[RefundKind::Account, RefundKind::Chargeback]),
            money: eur(minor),
            reason: "seen in the account".into(),
            key: format!("{} elsewhere {}", self.ours.reference, self.dice.roll()),
            actor: anna(),
        };
        match self.checkout.record_refund(request).await {
            Ok(_) => {
                self.truth.elsewhere += minor;
                self.played.elsewhere += 1;
            }
            Err(MerchantError::Problem(MerchantProblem::TooMuch(_) | MerchantProblem::NothingToRefund)) => {}
            Err(error) => panic!("{error:?}"),
        }
    }

    async fn ask_for_reversal(&mut self) {
        let (checkout, reference) = (self.checkout.clone(), self.ours.reference.clone());
        let actor = self.somebody();
        let work = tokio::spawn(async move { checkout.reverse(&reference, actor).await.map(drop) });
        match self.drive(work).await {
            None => self.played.reversals += 1,
            Some(Err(MerchantError::Problem(MerchantProblem::NeedsApproval))) => assert!(self.has_limit),
            Some(Err(MerchantError::Problem(MerchantProblem::HasRefunds | MerchantProblem::NotPaid))) => {}
            Some(other) => panic!("{other:?}"),
        }
    }

    /// The merchant looks up what became of a reversal, and may look too early.
    async fn record_reversal(&mut self) {
        let before = &self.record.file.payments[0];
        let known = events(&self.stage.store, self.ours.order).await;
        let may = self.checkout.is_reversal_unknown(before, &known);
        let is_reversing = before.state == PaymentState::Reversing;
        let reference = self.ours.reference.clone();
        match self.checkout.record_reversal(&reference, self.truth.undone, anna()).await {
            Ok(()) => assert!(may && is_reversing),
            Err(MerchantError::Problem(MerchantProblem::StillAsked)) => assert!(!may && is_reversing),
            Err(MerchantError::Problem(MerchantProblem::NotPaid)) => assert!(!is_reversing),
            Err(error) => panic!("{error:?}"),
        }
    }

    async fn roll_back(&mut self) {
        let counted = self.record.refunds.iter().any(|refund| refund.state.counts());
        let was_undone = self.truth.undone;
        self.truth.undone = true;
        self.truth.undone_on_top |= counted && !was_undone;
        apply(&self.stage.store, &self.ours, Cause::Rollback, self.stage.clock.now_ms()).await;
        self.played.rolled_back += 1;
    }

    async fn reconcile(&mut self) {
        let minutes = self.dice.pick(&[1, 3, 10]);
        self.stage.clock.advance(minutes * MINUTE);
        let checkout = self.checkout.clone();
        let work = tokio::spawn(async move {
            checkout.reconcile_due(pending()).await.unwrap();
            Ok(())
        });
        self.drive(work).await.unwrap().unwrap();
    }

    /// What must hold after every step.
    async fn check(&mut self, at: &str) {
        self.look().await;
        let record = &self.record;
        let order = &record.file.order;
        let payment = &record.file.payments[0];
        let sum = |is: fn(RefundState) -> bool| -> i64 {
            record.refunds.iter().filter(|refund| is(refund.state)).map(|refund| refund.money.minor).sum()
        };
        let counted = sum(RefundState::counts);
        let done = sum(|state| state == RefundState::Done);
        assert!(counted <= PAID, "{at}: {counted} set aside of {PAID}");
        assert!(record.refunds.iter().all(|refund| refund.money.minor > 0), "{at}");
        assert!(
            self.truth.moved() <= PAID || self.truth.undone_on_top,
            "{at}: {} went back of {PAID}",
            self.truth.moved()
        );
        assert_eq!(order.refunded_minor, done, "{at}");
        // Where the whole payment went back on top, the order has none of its money, and may be paid anew.
        let is_open = self.truth.undone_on_top && order.state == OrderState::Open;
        assert!(
            (order.state == OrderState::Refunded) == (done == PAID) || is_open,
            "{at}: {:?} with {done} given back",
            order.state
        );
        for refund in &record.refunds {
            let Some(id) = refund.gateway_order_id.as_deref() else { continue };
            match (refund.state, self.truth.asked.get(id)) {
                // What moved is never free to be given back again.
                (RefundState::Refused, Some((_, moved))) => assert_ne!(*moved, Some(true), "{at}"),
                (RefundState::Done, asked) => {
                    assert_eq!(asked.map(|(_, moved)| *moved), Some(Some(true)), "{at}: done without money");
                }
                (RefundState::Proposed, asked) => assert!(asked.is_none(), "{at}: sent without approval"),
                (RefundState::Reserved | RefundState::Unknown, asked) => assert!(asked.is_some(), "{at}"),
                (RefundState::Refused, None) => {}
            }
        }
        if payment.state == PaymentState::Reversing {
            assert_eq!(counted, 0, "{at}: reversing beside refunds");
        }
        // What needs a person is in the list of those that do.
        let unknown = record.refunds.iter().any(|refund| refund.state == RefundState::Unknown);
        if unknown || self.truth.undone_on_top {
            let search = vec![Search::Reference(self.ours.reference.clone())];
            let filter = Filter { search, ..Filter::all(Mode::Test) };
            let listed = self.stage.store.transactions(filter, From::Newest, 1).await.unwrap();
            assert!(listed.rows[0].attention, "{at}: nobody is told");
        }
    }

    /// Everybody goes home: every refund ends, or waits for a person who then records the truth.
    async fn end(&mut self, at: &str) {
        while !self.waiting.is_empty() {
            if self.dice.happens(50) {
                self.answer().await;
            } else {
                self.kill().await;
            }
        }
        self.stage.clock.advance(timing().refund_lease_ms + MINUTE);
        self.reconcile().await;
        self.check(at).await;
        assert_eq!(self.of_state(RefundState::Reserved), [], "{at}: a refund is forgotten");
        let unknown = self.of_state(RefundState::Unknown);
        self.played.unknown += u64::try_from(unknown.len()).unwrap();
        let raised = events(&self.stage.store, self.ours.order).await;
        let raised = raised.iter().filter(|event| event.what.kind == EventKind::RefundUnknown).count();
        assert!(raised >= unknown.len(), "{at}");
        for id in unknown {
            self.record_truth(id).await;
        }
        // A reversal whose process died was raised too, and the account shows what came of it.
        if self.record.file.payments[0].state == PaymentState::Reversing {
            let known = events(&self.stage.store, self.ours.order).await;
            assert!(
                known.iter().any(|event| event.what.kind == EventKind::ReversalUnknown),
                "{at}: a reversal is forgotten"
            );
            let reference = self.ours.reference.clone();
            self.checkout.record_reversal(&reference, self.truth.undone, anna()).await.unwrap();
            self.look().await;
        }
        let is_reversed = self.record.file.payments[0].state == PaymentState::Reversed;
        assert!(
            is_reversed == self.truth.undone || self.truth.unheard,
            "{at}: the books say what became of it"
        );
        let proposed = self.of_state(RefundState::Proposed);
        self.played.proposed += u64::try_from(proposed.len()).unwrap();
        for id in proposed {
            let reference = self.ours.reference.clone();
            self.checkout.turn_down_refund(&reference, id, bob()).await.unwrap();
        }
        self.check(at).await;
        let mut given_back = 0;
        for refund in &self.record.refunds {
            match refund.state {
                RefundState::Done => {
                    self.played.done += 1;
                    given_back += refund.money.minor;
                }
                RefundState::Refused => self.played.refused += 1,
                other => panic!("{at}: {other:?} is no end"),
            }
        }
        assert_eq!(given_back, self.truth.moved(), "{at}: the books say what the gateway did");
        // The next script must not have to ask about this one's payment.
        let over = NewEvent { kind: EventKind::LookedAt, detail: String::new(), raw: None };
        self.stage.store.raise(self.ours.payment, over, self.stage.clock.now_ms()).await.unwrap();
    }
}

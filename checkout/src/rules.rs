//! What a message about a payment changes: one pure function, used by every store.
//!
//! The store reads order and payment, asks [`decide`], and writes what it says, all in one transaction.

use domain::{Fit, Money, OrderEvent, OrderState, PaymentEvent, PaymentState, Refusal};

use crate::format::plain;
use crate::records::{EventKind, NewEvent, Payment};
use crate::timing::Timing;

/// What a verified message, or the lack of one, says about a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// `IPCPurchaseNotify`: it was paid.
    Notify {
        /// How much.
        money: Money,
        /// The gateway's reference.
        trnref: String,
    },
    /// `IPCPurchaseOK`: the shopper came back from a payment page that showed success. Proves nothing yet.
    Returned,
    /// `IPCPurchaseCancel`: the shopper came back without success. Proves nothing about money either.
    Cancel,
    /// `IPCPurchaseRollback`: the money went back.
    Rollback,
    /// The status query says paid.
    StatusPaid {
        /// How much.
        money: Money,
        /// The gateway's reference, where the reply carries one.
        trnref: Option<String>,
    },
    /// The status query says unsuccessful, or that the gateway knows no such order.
    StatusUnsuccessful,
    /// The status query says reversed.
    StatusReversed,
    /// The status query had no answer that decides.
    StatusUndecided,
    /// The merchant wants the whole payment undone: the gateway is about to be asked (`IPCReversal`).
    ReversalAsked,
    /// The gateway said yes to that, or the merchant recorded that the myPOS account shows it.
    ReversalYes,
    /// The gateway said a definite no, or the merchant recorded that the account does not show it.
    ReversalNo,
    /// Whatever came of it, it decides nothing.
    ReversalUndecided,
}

/// What is known when a message comes in.
#[derive(Clone, Debug)]
pub struct Situation<'a> {
    /// Where the order stands.
    pub order: OrderState,
    /// The payment that the message is about.
    pub payment: &'a Payment,
    /// Whether any refund of it is reserved, done or unknown.
    pub has_refunds: bool,
}

/// What is to be written, and what the sender is told.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The payment's next state, or why the message changes nothing.
    pub outcome: Result<PaymentState, Refusal>,
    /// The payment as it is to be stored.
    pub payment: Payment,
    /// The order's state as it is to be stored.
    pub order: OrderState,
    /// What is to be recorded.
    pub events: Vec<NewEvent>,
}

impl Decision {
    /// Whether a Notify with this decision is answered `OK`: the payment's money is the order's.
    pub fn takes_the_money(&self) -> bool {
        self.outcome.is_ok_and(PaymentState::holds_money)
    }
}

/// Decides what a message changes. Says the same for the same arguments, and nothing else knows.
pub fn decide(situation: &Situation<'_>, cause: &Cause, now_ms: i64, timing: &Timing) -> Decision {
    let before = situation.payment;
    let early = *cause == Cause::StatusUnsuccessful && now_ms < deadline_ms(before, timing);
    let event = if early { None } else { payment_event(situation, cause) };
    let outcome = event.map_or(Ok(before.state), |event| before.state.on(event));

    let mut after = before.clone();
    if let Ok(next) = outcome
        && next != before.state
    {
        after.state = next;
        after.state_since_ms = now_ms;
        after.unanswered = 0;
    }
    if !early {
        note_what_was_said(&mut after, cause, outcome, now_ms, timing);
    }
    let settled = *cause == Cause::StatusUnsuccessful
        && !early
        && matches!(after.state, PaymentState::Cancelled | PaymentState::Refused);
    after.next_ask_at_ms = if settled {
        None
    } else if doubts_paid(before, cause) {
        Some(now_ms.saturating_add(timing.ask_returned_ms.first().copied().unwrap_or(timing.ask_again_ms)))
    } else {
        next_ask_at_ms(&after, now_ms, timing)
    };

    let order = order_state(situation.order, before.state, after.state);
    let events = record(situation, &after, cause, outcome, early);
    Decision { outcome, payment: after, order, events }
}

/// Until when "unsuccessful" and "unknown" are not believed: the payment page may still be open.
fn deadline_ms(payment: &Payment, timing: &Timing) -> i64 {
    payment.expires_at_ms.saturating_add(timing.settle_grace_ms)
}

/// Whether a message makes a paid payment doubtful: the gateway sends a shopper to the cancel address when
/// our `OK` was lost and the money goes back. Only the status query knows; one doubt at a time.
fn doubts_paid(payment: &Payment, cause: &Cause) -> bool {
    *cause == Cause::Cancel && payment.state == PaymentState::Paid && payment.confirmed
}

/// Whether the shopper is back from a payment page that showed success, and nothing was heard since.
pub fn is_checking(payment: &Payment) -> bool {
    matches!(payment.state, PaymentState::Started | PaymentState::Cancelled | PaymentState::Failed)
        && payment.returned_at_ms.is_some_and(|at| at >= payment.state_since_ms)
}

fn payment_event(situation: &Situation<'_>, cause: &Cause) -> Option<PaymentEvent> {
    Some(match cause {
        Cause::Notify { money, trnref } => PaymentEvent::Notify(fit(situation, *money, Some(trnref))),
        Cause::StatusPaid { money, trnref } => {
            PaymentEvent::StatusPaid(fit(situation, *money, trnref.as_deref()))
        }
        // Two pages of one form: one was paid, the other cancelled. The first is still being checked.
        Cause::Cancel if is_checking(situation.payment) => return None,
        Cause::Cancel => PaymentEvent::Cancel,
        Cause::Rollback => PaymentEvent::Rollback,
        Cause::StatusUnsuccessful => PaymentEvent::StatusUnsuccessful,
        Cause::StatusReversed => PaymentEvent::StatusReversed,
        Cause::ReversalAsked => PaymentEvent::ReversalAsked { refunds: situation.has_refunds },
        Cause::ReversalYes => PaymentEvent::ReversalDone,
        Cause::ReversalNo => PaymentEvent::ReversalDeclined,
        Cause::Returned | Cause::StatusUndecided | Cause::ReversalUndecided => return None,
    })
}

fn fit(situation: &Situation<'_>, money: Money, trnref: Option<&str>) -> Fit {
    let payment = situation.payment;
    let same_reference = match (payment.trnref.as_deref(), trnref) {
        (Some(known), Some(told)) => known == told,
        _ => true,
    };
    if money != payment.money || !same_reference {
        Fit::OtherMoney
    } else if situation.order.takes_payment() || payment.state.holds_money() {
        Fit::Takes
    } else {
        Fit::OrderTaken
    }
}

/// Notes on the payment what the message said beside its effect on the state.
fn note_what_was_said(
    after: &mut Payment,
    cause: &Cause,
    outcome: Result<PaymentState, Refusal>,
    now_ms: i64,
    timing: &Timing,
) {
    let told_paid = outcome.is_ok_and(|state| state.holds_money() || state == PaymentState::Refused);
    match cause {
        Cause::Notify { trnref, .. } if told_paid => {
            after.trnref = Some(trnref.clone());
            after.confirmed = true;
        }
        Cause::StatusPaid { trnref, .. } if told_paid => {
            after.unanswered = 0;
            if after.trnref.is_none() {
                after.trnref.clone_from(trnref);
            }
            match after.status_paid_at_ms {
                None => after.status_paid_at_ms = Some(now_ms),
                Some(first) if now_ms.saturating_sub(first) >= timing.confirm_after_ms => {
                    after.confirmed = true;
                }
                Some(_) => {}
            }
        }
        Cause::Returned => after.returned_at_ms = after.returned_at_ms.or(Some(now_ms)),
        // It counts as being checked until a status reply agrees.
        Cause::Cancel if doubts_paid(after, cause) => {
            after.confirmed = false;
            after.doubted = true;
            after.status_paid_at_ms = None;
        }
        Cause::StatusUndecided => after.unanswered = after.unanswered.saturating_add(1),
        Cause::StatusUnsuccessful => {
            after.unanswered = 0;
            // What the shopper waited for is known now.
            after.returned_at_ms = None;
        }
        Cause::StatusReversed => after.unanswered = 0,
        _ => {}
    }
}

fn order_state(order: OrderState, before: PaymentState, after: PaymentState) -> OrderState {
    let event = match (before.holds_money(), after.holds_money()) {
        (false, true) => OrderEvent::PaymentPaid,
        (true, false) => OrderEvent::PaymentReversed,
        _ => return order,
    };
    // `fit` lets a payment become paid only where the order takes it, and only a paid payment is lost.
    order.on(event).unwrap_or(order)
}

/// When the gateway is asked next about a payment; `None` where nothing is left to be learnt.
pub fn next_ask_at_ms(payment: &Payment, now_ms: i64, timing: &Timing) -> Option<i64> {
    let since = payment.state_since_ms;
    let returned = payment.returned_at_ms.filter(|at| *at >= since);
    let mut planned: Vec<i64> = Vec::new();
    let mut plan =
        |from: i64, delays: &[i64]| planned.extend(delays.iter().map(|delay| from.saturating_add(*delay)));
    let open_end = match payment.state {
        PaymentState::Started => {
            plan(since, &timing.ask_started_ms);
            true
        }
        PaymentState::Cancelled => true,
        PaymentState::Failed => {
            plan(since, &timing.ask_failed_ms);
            returned.is_some()
        }
        PaymentState::Paid => {
            plan(since, &timing.ask_paid_ms);
            if let (Some(first), false) = (payment.status_paid_at_ms, payment.confirmed) {
                plan(first, &[timing.confirm_after_ms]);
            }
            !payment.confirmed
        }
        PaymentState::Refused | PaymentState::Reversing => {
            plan(since, &timing.ask_refused_ms);
            true
        }
        PaymentState::Reversed => return None,
    };
    if matches!(payment.state, PaymentState::Started | PaymentState::Cancelled | PaymentState::Failed) {
        if let Some(at) = returned {
            plan(at, &timing.ask_returned_ms);
        }
        if payment.state != PaymentState::Failed {
            plan(deadline_ms(payment, timing), &[0]);
        }
    }
    let next_planned = planned.into_iter().filter(|at| *at > now_ms).min();
    let again = now_ms.saturating_add(wait_ms(payment, now_ms, timing));
    match next_planned {
        Some(at) if payment.unanswered > 0 => Some(at.min(again)),
        Some(at) => Some(at),
        // A question without an answer is asked again even where the plan has ended.
        None => (open_end || payment.unanswered > 0).then_some(again),
    }
}

/// The wait before a question that no plan foresees: doubled for each one in a row that had no answer, and
/// never shorter than half of the time that the state has lasted.
fn wait_ms(payment: &Payment, now_ms: i64, timing: &Timing) -> i64 {
    let doublings = payment.unanswered.saturating_sub(1).min(20);
    let unanswered = timing.ask_again_ms.saturating_mul(1 << doublings);
    let lasted = now_ms.saturating_sub(payment.state_since_ms) / 2;
    let longest = if payment.unanswered > 0 { unanswered } else { unanswered.max(lasted) };
    longest.min(timing.ask_longest_ms)
}

fn record(
    situation: &Situation<'_>,
    after: &Payment,
    cause: &Cause,
    outcome: Result<PaymentState, Refusal>,
    early: bool,
) -> Vec<NewEvent> {
    let changed = after.state != situation.payment.state;
    let kind = match (cause, outcome) {
        (_, Err(Refusal::Contradiction)) => EventKind::Contradiction,
        (Cause::Notify { .. }, Ok(state)) if state.holds_money() && changed => EventKind::Notified,
        (Cause::Notify { .. }, Ok(state)) if state.holds_money() => EventKind::NotifyRepeated,
        (Cause::Notify { .. }, _) => EventKind::NotifyRefused,
        (Cause::Returned, _) if situation.payment.returned_at_ms.is_none() => EventKind::Returned,
        (Cause::Cancel, _) if changed || doubts_paid(situation.payment, cause) => EventKind::Cancelled,
        (Cause::Rollback, _) if changed => EventKind::RolledBack,
        (Cause::StatusPaid { .. }, Ok(PaymentState::Refused)) if changed => EventKind::StatusRefused,
        (Cause::StatusPaid { .. }, Ok(_)) if changed => EventKind::StatusPaid,
        (Cause::StatusPaid { .. }, Ok(_)) if after.confirmed && !situation.payment.confirmed => {
            EventKind::StatusConfirmed
        }
        (Cause::StatusPaid { .. }, Err(_)) => EventKind::Contradiction,
        (Cause::StatusUnsuccessful, _) if changed && !early => EventKind::StatusUnsuccessful,
        (Cause::StatusReversed, _) if changed => EventKind::StatusReversed,
        (Cause::ReversalAsked, Ok(_)) if changed => EventKind::ReversalAsked,
        (Cause::ReversalYes, Ok(_)) if changed => EventKind::ReversalDone,
        (Cause::ReversalNo, Ok(_)) if changed => EventKind::ReversalDeclined,
        (Cause::ReversalUndecided, _) if after.state == PaymentState::Reversing => EventKind::ReversalUnknown,
        _ => return Vec::new(),
    };
    let mut events = vec![NewEvent { kind, detail: detail(cause), raw: None }];
    if changed && after.state == PaymentState::Reversed && situation.has_refunds {
        events.push(NewEvent {
            kind: EventKind::Contradiction,
            detail: "the whole payment went back although parts of it were refunded".to_owned(),
            raw: None,
        });
    }
    events
}

fn detail(cause: &Cause) -> String {
    match cause {
        Cause::StatusUnsuccessful => "the gateway says that nothing was paid".to_owned(),
        Cause::Notify { money, trnref } => format!("{} by {trnref}", plain(*money)),
        Cause::StatusPaid { money, trnref } => {
            format!("{} by {}", plain(*money), trnref.as_deref().unwrap_or("unknown"))
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use domain::{Currency, PaymentMethod};
    use proptest::prelude::*;

    use super::*;
    use crate::records::{OrderId, PaymentId};

    const STARTED: i64 = 1_000_000;
    const MINUTE: i64 = 60_000;

    fn payment(state: PaymentState) -> Payment {
        Payment {
            id: PaymentId(1),
            order: OrderId(1),
            gateway_order_id: "A".repeat(26),
            store: "demo".into(),
            method: PaymentMethod::Card,
            money: Money::new(4170, Currency::EUR),
            state,
            state_since_ms: STARTED,
            trnref: None,
            started_at_ms: STARTED,
            expires_at_ms: STARTED + 30 * MINUTE,
            returned_at_ms: None,
            status_paid_at_ms: None,
            confirmed: false,
            doubted: false,
            next_ask_at_ms: None,
            unanswered: 0,
        }
    }

    fn apply(order: OrderState, payment: &Payment, cause: &Cause, now_ms: i64) -> Decision {
        decide(&Situation { order, payment, has_refunds: false }, cause, now_ms, &Timing::default())
    }

    fn notify(minor: i64) -> Cause {
        Cause::Notify { money: Money::new(minor, Currency::EUR), trnref: "T1".into() }
    }

    fn kinds(decision: &Decision) -> Vec<EventKind> {
        decision.events.iter().map(|event| event.kind).collect()
    }

    #[test]
    fn a_notify_pays_and_the_same_again_gets_the_same_answer() {
        let first = apply(OrderState::Open, &payment(PaymentState::Started), &notify(4170), STARTED + 5);
        assert!(first.takes_the_money());
        assert_eq!((first.order, first.payment.confirmed), (OrderState::Paid, true));
        assert_eq!(first.payment.trnref.as_deref(), Some("T1"));
        assert_eq!(first.payment.next_ask_at_ms, Some(STARTED + 5 + 2 * MINUTE));

        let again = apply(OrderState::Paid, &first.payment, &notify(4170), STARTED + 6);
        assert!(again.takes_the_money());
        assert_eq!(kinds(&again), [EventKind::NotifyRepeated]);
    }

    #[test]
    fn another_amount_is_refused_before_and_a_contradiction_after() {
        let refused = apply(OrderState::Open, &payment(PaymentState::Started), &notify(4171), STARTED);
        assert!(!refused.takes_the_money());
        assert_eq!((refused.payment.state, refused.order), (PaymentState::Refused, OrderState::Open));

        let paid = apply(OrderState::Open, &payment(PaymentState::Started), &notify(4170), STARTED).payment;
        let odd = apply(OrderState::Paid, &paid, &notify(1), STARTED);
        assert!(!odd.takes_the_money());
        assert_eq!((odd.payment.state, kinds(&odd)), (PaymentState::Paid, vec![EventKind::Contradiction]));
    }

    #[test]
    fn an_order_that_ended_or_is_paid_refuses_a_second_payment() {
        for order in [OrderState::Paid, OrderState::Cancelled, OrderState::Expired, OrderState::Refunded] {
            let decision = apply(order, &payment(PaymentState::Started), &notify(4170), STARTED);
            assert_eq!((decision.payment.state, decision.order), (PaymentState::Refused, order));
            assert!(!decision.takes_the_money());
            assert!(decision.payment.next_ask_at_ms.is_some(), "it is asked about until the money is back");
        }
    }

    #[test]
    fn unsuccessful_is_not_believed_while_the_payment_page_may_be_open() {
        let started = payment(PaymentState::Started);
        let deadline = STARTED + 45 * MINUTE;
        let early = apply(OrderState::Open, &started, &Cause::StatusUnsuccessful, deadline - 1);
        assert_eq!(early.payment.state, PaymentState::Started);
        assert_eq!(early.payment.next_ask_at_ms, Some(deadline));
        assert!(early.events.is_empty());
        let due = apply(OrderState::Open, &started, &Cause::StatusUnsuccessful, deadline);
        let once_more = deadline + 24 * 60 * MINUTE;
        assert_eq!((due.payment.state, due.payment.next_ask_at_ms), (PaymentState::Failed, Some(once_more)));
        let last = apply(OrderState::Open, &due.payment, &Cause::StatusUnsuccessful, once_more);
        assert_eq!((last.payment.state, last.payment.next_ask_at_ms), (PaymentState::Failed, None));
        let cancelled =
            apply(OrderState::Open, &payment(PaymentState::Cancelled), &Cause::StatusUnsuccessful, deadline);
        assert_eq!(
            (cancelled.payment.state, cancelled.payment.next_ask_at_ms),
            (PaymentState::Cancelled, None)
        );
    }

    #[test]
    fn paid_by_status_alone_is_confirmed_by_a_second_reply_ten_minutes_later() {
        let paid = Cause::StatusPaid { money: Money::new(4170, Currency::EUR), trnref: Some("T1".into()) };
        let first = apply(OrderState::Open, &payment(PaymentState::Started), &paid, STARTED);
        assert_eq!((first.order, first.payment.confirmed), (OrderState::Paid, false));
        let soon = apply(OrderState::Paid, &first.payment, &paid, STARTED + 2 * MINUTE);
        assert!(!soon.payment.confirmed);
        assert_eq!(soon.payment.next_ask_at_ms, Some(STARTED + 10 * MINUTE));
        let later = apply(OrderState::Paid, &soon.payment, &paid, STARTED + 10 * MINUTE);
        assert!(later.payment.confirmed);
        assert_eq!(kinds(&later), [EventKind::StatusConfirmed]);
        let told = apply(OrderState::Paid, &first.payment, &notify(4170), STARTED + MINUTE);
        assert!(told.payment.confirmed, "a Notify confirms at once");
    }

    #[test]
    fn a_cancel_after_paid_is_doubted_until_the_gateway_says_paid_again() {
        let paid = apply(OrderState::Open, &payment(PaymentState::Started), &notify(4170), STARTED).payment;
        let doubted = apply(OrderState::Paid, &paid, &Cause::Cancel, STARTED + 10);
        assert_eq!((doubted.payment.state, doubted.payment.confirmed), (PaymentState::Paid, false));
        assert_eq!(doubted.payment.next_ask_at_ms, Some(STARTED + 10 + 5_000));
        assert_eq!(kinds(&doubted), [EventKind::Cancelled]);
        let back = apply(OrderState::Paid, &doubted.payment, &Cause::StatusReversed, STARTED + 6_000);
        assert_eq!((back.payment.state, back.order), (PaymentState::Reversed, OrderState::Open));
    }

    #[test]
    fn checking_ends_with_the_answer_and_not_with_a_second_page_that_was_cancelled() {
        let returned =
            apply(OrderState::Open, &payment(PaymentState::Started), &Cause::Returned, STARTED + 1).payment;
        assert!(is_checking(&returned));
        let cancelled = apply(OrderState::Open, &returned, &Cause::Cancel, STARTED + 2).payment;
        assert!(is_checking(&cancelled));
        let late = payment(PaymentState::Cancelled);
        let late = apply(OrderState::Open, &late, &Cause::Returned, STARTED + 3).payment;
        assert!(is_checking(&late));
        let deadline = STARTED + 45 * MINUTE;
        for before in [cancelled, late] {
            let answered = apply(OrderState::Open, &before, &Cause::StatusUnsuccessful, deadline).payment;
            assert!(!is_checking(&answered));
        }
    }

    #[test]
    fn what_stays_open_is_asked_about_less_and_less_often() {
        let paid = Cause::StatusPaid { money: Money::new(4170, Currency::EUR), trnref: None };
        let mut refused = payment(PaymentState::Refused);
        let mut now = STARTED;
        let mut asked = 0;
        while now < STARTED + 48 * 60 * MINUTE {
            refused = apply(OrderState::Paid, &refused, &paid, now).payment;
            now = refused.next_ask_at_ms.unwrap();
            asked += 1;
        }
        assert!(asked < 60, "{asked} questions in two days");
    }

    #[test]
    fn a_reversal_opens_the_order_again_and_is_final() {
        let paid = apply(OrderState::Open, &payment(PaymentState::Started), &notify(4170), STARTED).payment;
        let back = apply(OrderState::Paid, &paid, &Cause::StatusReversed, STARTED + MINUTE);
        assert_eq!((back.payment.state, back.order), (PaymentState::Reversed, OrderState::Open));
        assert_eq!(back.payment.next_ask_at_ms, None);
        let late = apply(OrderState::Open, &back.payment, &notify(4170), STARTED + 2 * MINUTE);
        assert!(!late.takes_the_money());
        assert_eq!(late.outcome, Err(Refusal::PaymentReversed));
    }

    #[test]
    fn a_rollback_of_a_refunded_payment_is_raised() {
        let paid = apply(OrderState::Open, &payment(PaymentState::Started), &notify(4170), STARTED).payment;
        let situation = Situation { order: OrderState::Paid, payment: &paid, has_refunds: true };
        let decision = decide(&situation, &Cause::Rollback, STARTED, &Timing::default());
        assert_eq!(kinds(&decision), [EventKind::RolledBack, EventKind::Contradiction]);
    }

    #[test]
    fn questions_without_an_answer_are_asked_again_less_and_less_often() {
        let timing = Timing::default();
        let mut unsure = payment(PaymentState::Refused);
        let now = STARTED + 100 * timing.ask_longest_ms;
        let mut waits = Vec::new();
        for _ in 0..8 {
            let decision = apply(OrderState::Paid, &unsure, &Cause::StatusUndecided, now);
            waits.push((decision.payment.next_ask_at_ms.unwrap() - now) / MINUTE);
            unsure = decision.payment;
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
    }

    fn any_cause() -> impl Strategy<Value = Cause> {
        let money =
            prop_oneof![4 => Just(4170i64), 1 => Just(1)].prop_map(|minor| Money::new(minor, Currency::EUR));
        let trnref = prop_oneof![3 => Just("T1".to_owned()), 1 => Just("T2".to_owned())];
        prop_oneof![
            (money.clone(), trnref.clone()).prop_map(|(money, trnref)| Cause::Notify { money, trnref }),
            (money, proptest::option::of(trnref))
                .prop_map(|(money, trnref)| Cause::StatusPaid { money, trnref }),
            Just(Cause::Returned),
            Just(Cause::Cancel),
            Just(Cause::Rollback),
            Just(Cause::StatusUnsuccessful),
            Just(Cause::StatusReversed),
            Just(Cause::StatusUndecided),
        ]
    }

    proptest! {
        /// Whatever comes in whatever order: the order is paid exactly while the payment holds the money,
        /// paid is lost only to a reversal, and what has not ended is asked about.
        #[test]
        fn order_and_payment_agree_after_any_messages(
            causes in prop::collection::vec((any_cause(), 0i64..3_600_000), 1..40)
        ) {
            let mut order = OrderState::Open;
            let mut payment = payment(PaymentState::Started);
            let mut now = STARTED;
            for (cause, later) in causes {
                now += later;
                let decision = apply(order, &payment, &cause, now);
                if payment.state.holds_money() && !decision.payment.state.holds_money() {
                    prop_assert_eq!(decision.payment.state, PaymentState::Reversed);
                    prop_assert!(matches!(cause, Cause::Rollback | Cause::StatusReversed));
                }
                order = decision.order;
                payment = decision.payment;
                prop_assert_eq!(order == OrderState::Paid, payment.state.holds_money());
                if payment.state == PaymentState::Started {
                    prop_assert!(payment.next_ask_at_ms.is_some_and(|at| at > now));
                }
                if let Some(at) = payment.next_ask_at_ms {
                    prop_assert!(at > now);
                }
            }
        }
    }
}

//! The suite for the merchant's half: refunds, receipts, people, and the list of orders.

use std::collections::BTreeMap;
use std::sync::Arc;

use checkout::people::{Action, Actor, Role};
use checkout::records::{EventKind, Mode, NewEvent, OrderId, RefundKind};
use checkout::rules::Cause;
use checkout::store::NewRefund;
use checkout::store::merchant::{
    Approved, Cursor, Entrance, Filter, From, NewReceipt, NewUser, OrderRecord, RecordedRefund, Reserved,
    Search, Settlement, Total, UserChange,
};
use domain::{Currency, Money, OrderState, PaymentMethod, PaymentState, RefundEvent, RefundState, Refusal};

use crate::world::*;

/// Makes a test of each function of the suite, as `conformance!` does.
macro_rules! merchant_conformance {
    ($fresh:path) => {
        each_on! { $fresh, merchant:
            the_same_press_is_one_refund,
            a_hundred_presses_at_once_with_one_key_are_one_refund,
            an_order_is_refunded_when_all_of_its_money_went_back,
            money_that_was_not_taken_is_not_the_orders_to_give_back,
            money_of_nobody_is_asked_about_until_it_is_back_or_a_person_was_told,
            what_came_in_by_hand_stays_when_the_payment_goes_back,
            what_a_password_allowed_is_not_done_once_it_was_replaced,
            above_the_limit_a_second_person_has_to_approve,
            small_refunds_do_not_evade_the_limit,
            whoever_asked_does_not_approve,
            a_proposal_is_approved_once_and_only_while_the_money_is_there,
            a_proposal_that_is_turned_down_frees_its_amount,
            a_refund_made_elsewhere_counts,
            nothing_is_recorded_beyond_what_was_paid,
            money_received_pays_an_order_exactly_short_or_over,
            one_press_is_one_receipt,
            money_for_an_order_that_does_not_wait_for_it_is_recorded_and_raised,
            what_went_back_by_hand_pays_nothing,
            an_order_that_is_cancelled_with_money_is_raised,
            what_is_no_amount_of_the_order_is_not_received,
            what_was_received_by_hand_is_given_back_by_hand,
            a_reversal_undoes_a_payment_of_which_nothing_was_refunded,
            a_reversal_that_was_refused_leaves_the_payment_paid,
            a_reversal_beside_a_refund_is_refused_in_any_order,
            a_reversal_of_which_nobody_knows_waits_for_a_person,
            an_order_that_is_not_paid_is_cancelled,
            attention_stays_until_somebody_looked,
            the_audit_log_says_who_did_what_to_which_order,
            a_user_signs_in_by_an_address_that_is_used_once,
            a_session_ends_by_time_sign_out_and_change_of_password,
            a_user_who_is_shut_out_has_no_session,
            a_code_of_the_second_factor_works_once,
            a_session_opens_only_while_what_let_somebody_in_still_holds,
            guesses_are_counted_by_key_before_they_are_looked_at,
            what_needs_a_person_is_searched_too,
            a_message_that_nobody_knows_waits_until_it_was_looked_at,
            the_list_is_newest_first_and_pages_meet_without_gap_or_overlap,
            each_filter_finds_exactly_its_orders_and_their_totals,
            orders_are_found_by_reference_gateway_person_and_amount,
            totals_follow_every_change,
            test_and_live_are_apart,
        }
    };
}

async fn record(store: &Shared, started: &Started) -> OrderRecord {
    store.order_record(&started.reference).await.unwrap().unwrap()
}

async fn order_state(store: &Shared, started: &Started) -> OrderState {
    file(store, started).await.order.state
}

fn limited(refund: NewRefund) -> NewRefund {
    NewRefund { approval_above_minor: Some(5_000), ..refund }
}

async fn proposed(store: &Shared, started: &Started, minor: i64) -> checkout::records::RefundId {
    match store.reserve_refund(limited(new_refund(started, eur(minor))), NOW).await.unwrap() {
        Reserved::Proposed(refund) => refund,
        other => panic!("{other:?}"),
    }
}

// Refunds.

pub async fn the_same_press_is_one_refund(store: &Shared) {
    let ours = paid(store, 10_000, NOW).await;
    let press = |minor| NewRefund { key: Some(hash("press")), ..new_refund(&ours, eur(minor)) };
    let Reserved::Yes(first) = store.reserve_refund(press(4_000), NOW).await.unwrap() else { panic!() };
    assert_eq!(store.reserve_refund(press(4_000), NOW).await.unwrap(), Reserved::Repeated(first.id));
    assert_eq!(store.reserve_refund(press(5_000), NOW).await.unwrap(), Reserved::KeyReused);
    settle(store, first.id, RefundEvent::AnsweredYes).await.unwrap();
    assert_eq!(store.reserve_refund(press(4_000), NOW).await.unwrap(), Reserved::Repeated(first.id));
    assert_eq!(record(store, &ours).await.left_minor(Some(ours.payment)), 6_000);
}

pub async fn a_hundred_presses_at_once_with_one_key_are_one_refund(store: &Shared) {
    let ours = paid(store, 10_000, NOW).await;
    let answers = at_once(100, |_| {
        let (store, ours) = (Arc::clone(store), ours.clone());
        async move {
            let press = NewRefund { key: Some(hash("press")), ..new_refund(&ours, eur(100)) };
            store.reserve_refund(press, NOW).await.unwrap()
        }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| matches!(answer, Reserved::Yes(_))).count(), 1);
    assert_eq!(answers.iter().filter(|answer| matches!(answer, Reserved::Repeated(_))).count(), 99);
    assert_eq!(record(store, &ours).await.refunds.len(), 1);
}

pub async fn an_order_is_refunded_when_all_of_its_money_went_back(store: &Shared) {
    let ours = paid(store, 10_000, NOW).await;
    let part = reserved(store, &ours, 4_000).await;
    assert_eq!(file(store, &ours).await.order.refunded_minor, 0, "nothing went back yet");
    settle(store, part, RefundEvent::AnsweredYes).await.unwrap();
    let order = file(store, &ours).await.order;
    assert_eq!((order.refunded_minor, order.state), (4_000, OrderState::Paid));
    let rest = reserved(store, &ours, 6_000).await;
    settle(store, rest, RefundEvent::Undecided).await.unwrap();
    assert_eq!(order_state(store, &ours).await, OrderState::Paid);
    settle(store, rest, RefundEvent::RecordedDone).await.unwrap();
    let order = file(store, &ours).await.order;
    assert_eq!((order.refunded_minor, order.state), (10_000, OrderState::Refunded));
}

pub async fn money_that_was_not_taken_is_not_the_orders_to_give_back(store: &Shared) {
    let first = start_in(store, "cart", 100, NOW).await;
    let second = start_in(store, "cart", 100, NOW).await;
    apply(store, &first, notify(&first), NOW).await;
    apply(store, &second, notify(&second), NOW).await;
    assert_eq!(payment(store, &second).await.state, PaymentState::Refused);
    let refund = reserved(store, &second, 100).await;
    settle(store, refund, RefundEvent::AnsweredYes).await.unwrap();
    let order = file(store, &first).await.order;
    assert_eq!((order.refunded_minor, order.state), (0, OrderState::Paid));
}

pub async fn money_of_nobody_is_asked_about_until_it_is_back_or_a_person_was_told(store: &Shared) {
    let first = start_in(store, "cart", 100, NOW).await;
    let ours = start_in(store, "cart", 100, NOW).await;
    apply(store, &first, notify(&first), NOW).await;
    apply(store, &ours, notify(&ours), NOW).await;
    let is_asked = async || payment(store, &ours).await.next_ask_at_ms.is_some();
    let part = reserved(store, &ours, 30).await;
    settle(store, part, RefundEvent::Undecided).await.unwrap();
    assert_eq!((is_asked().await, raised(store, &ours).await.0), (false, true));
    looked_at(store, &ours, anna(), NOW).await;
    settle(store, part, RefundEvent::RecordedDone).await.unwrap();
    assert!(is_asked().await, "the rest is still to go back");
    for _ in 0..2 {
        let rest = reserved(store, &ours, 70).await;
        settle(store, rest, RefundEvent::AnsweredNo).await.unwrap();
        assert_eq!((is_asked().await, raised(store, &ours).await.0), (false, true), "each is told");
        looked_at(store, &ours, anna(), NOW).await;
    }
    let rest = reserved(store, &ours, 70).await;
    settle(store, rest, RefundEvent::AnsweredYes).await.unwrap();
    apply(store, &ours, notify(&ours), NOW).await;
    assert!(!is_asked().await, "whatever comes in, it is back");
}

pub async fn what_came_in_by_hand_stays_when_the_payment_goes_back(store: &Shared) {
    for (minor, state) in [(5_000, OrderState::Paid), (4_000, OrderState::Open)] {
        let ours = paid(store, 5_000, NOW).await;
        store.record_receipt(receipt(&ours, minor, false), NOW).await.unwrap().unwrap();
        looked_at(store, &ours, anna(), NOW).await;
        apply(store, &ours, Cause::Rollback, NOW).await;
        assert_eq!(order_state(store, &ours).await, state);
        assert!(raised(store, &ours).await.0);
        store.expire(NOW + HOUR, NOW, NOW + HOUR).await.unwrap();
        assert_eq!(order_state(store, &ours).await, state, "an order with money does not expire");
    }
}

pub async fn what_a_password_allowed_is_not_done_once_it_was_replaced(store: &Shared) {
    store.add_user(user("anna@shop.example"), bob(), NOW).await.unwrap();
    let checked = store.credentials("anna@shop.example").await.unwrap().unwrap().password;
    let change = async |change| store.change_user("anna@shop.example", change, anna(), NOW).await.unwrap();
    let password = |text: &str| UserChange::Password { password: text.into(), keep: None };
    let allowed = |by: &str, text: &str| UserChange::IfPassword(by.into(), Box::new(password(text)));
    assert!(change(password("$reset$")).await);
    assert!(!change(allowed(&checked, "$theirs$")).await);
    assert!(change(allowed("$reset$", "$next$")).await);
    assert!(change(UserChange::Disabled(true)).await);
    assert!(!change(allowed("$next$", "$late$")).await, "shut out meanwhile");
    assert_eq!(store.credentials("anna@shop.example").await.unwrap().unwrap().password, "$next$");
}

// Approval.

pub async fn above_the_limit_a_second_person_has_to_approve(store: &Shared) {
    let ours = paid(store, 10_000, NOW).await;
    let press = limited(new_refund(&ours, eur(5_000)));
    assert!(matches!(store.reserve_refund(press, NOW).await.unwrap(), Reserved::Yes(_)), "not above it");
    let ours = paid(store, 10_000, NOW).await;
    let refund = proposed(store, &ours, 5_001).await;
    assert!(matches!(reserve(store, &ours, eur(5_000)).await, Ok(Reserved::No)), "its amount is set aside");
    assert_eq!(kinds(store, ours.order).await.last(), Some(&EventKind::RefundProposed));
    let approved = store.approve_refund(refund, bob(), "signed".into(), NOW + 1).await.unwrap();
    let Approved::Yes(refund) = approved else { panic!("{approved:?}") };
    assert_eq!((refund.state, refund.asked_by.as_str()), (RefundState::Reserved, "anna@shop.example"));
    let events = events(store, ours.order).await;
    let last = events.last().unwrap();
    assert_eq!((last.what.kind, last.what.raw.as_deref()), (EventKind::RefundReserved, Some("signed")));
}

pub async fn small_refunds_do_not_evade_the_limit(store: &Shared) {
    let ours = paid(store, 10_000, NOW).await;
    for _ in 0..5 {
        let press = limited(new_refund(&ours, eur(1_000)));
        let Reserved::Yes(refund) = store.reserve_refund(press, NOW).await.unwrap() else { panic!() };
        settle(store, refund.id, RefundEvent::AnsweredYes).await.unwrap();
    }
    proposed(store, &ours, 1).await;
    // At once, too: of 20 presses of 10.00 each exactly five go without approval.
    let ours = paid(store, 100_000, NOW).await;
    let answers = at_once(20, |_| {
        let (store, ours) = (Arc::clone(store), ours.clone());
        async move { store.reserve_refund(limited(new_refund(&ours, eur(1_000))), NOW).await.unwrap() }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| matches!(answer, Reserved::Yes(_))).count(), 5);
    assert_eq!(answers.iter().filter(|answer| matches!(answer, Reserved::Proposed(_))).count(), 15);
}

pub async fn whoever_asked_does_not_approve(store: &Shared) {
    let ours = paid(store, 10_000, NOW).await;
    let refund = proposed(store, &ours, 6_000).await;
    let own = store.approve_refund(refund, anna(), String::new(), NOW).await.unwrap();
    assert!(matches!(own, Approved::OwnProposal), "{own:?}");
    assert_eq!(store.refund(refund).await.unwrap().unwrap().state, RefundState::Proposed);
}

pub async fn a_proposal_is_approved_once_and_only_while_the_money_is_there(store: &Shared) {
    let ours = paid(store, 10_000, NOW).await;
    let refund = proposed(store, &ours, 6_000).await;
    let approvals = at_once(20, |_| {
        let store = Arc::clone(store);
        async move { store.approve_refund(refund, bob(), String::new(), NOW).await.unwrap() }
    })
    .await;
    assert_eq!(approvals.iter().filter(|approved| matches!(approved, Approved::Yes(_))).count(), 1);

    let gone = paid(store, 10_000, NOW).await;
    let refund = proposed(store, &gone, 6_000).await;
    apply(store, &gone, Cause::Rollback, NOW).await;
    let approved = store.approve_refund(refund, bob(), String::new(), NOW).await.unwrap();
    assert!(matches!(approved, Approved::DoesNotFit), "{approved:?}");
}

pub async fn a_proposal_that_is_turned_down_frees_its_amount(store: &Shared) {
    let ours = paid(store, 10_000, NOW).await;
    let refund = proposed(store, &ours, 6_000).await;
    let settlement = Settlement { actor: Some(bob()), ..answered(RefundEvent::TurnedDown) };
    assert_eq!(store.settle_refund(refund, settlement, NOW).await.unwrap(), Ok(RefundState::Refused));
    assert_eq!(kinds(store, ours.order).await.last(), Some(&EventKind::RefundTurnedDown));
    reserved(store, &ours, 10_000).await;
}

// What was made elsewhere.

fn recorded(started: &Started, kind: RefundKind, minor: i64, key: &str) -> RecordedRefund {
    RecordedRefund {
        order: started.order,
        payment: (kind != RefundKind::Hand).then_some(started.payment),
        kind,
        key: hash(key),
        money: eur(minor),
        reason: "seen in the account".into(),
        actor: anna(),
    }
}

pub async fn a_refund_made_elsewhere_counts(store: &Shared) {
    for kind in [RefundKind::Account, RefundKind::Chargeback] {
        let ours = paid(store, 10_000, NOW).await;
        let key = format!("key of {kind:?}");
        let first = store.record_refund(recorded(&ours, kind, 4_000, &key), NOW).await.unwrap();
        let Reserved::Yes(first) = first else { panic!("{first:?}") };
        let again = store.record_refund(recorded(&ours, kind, 4_000, &key), NOW).await.unwrap();
        assert_eq!(again, Reserved::Repeated(first.id), "one press");
        let other = store.record_refund(recorded(&ours, kind, 4_001, &key), NOW).await.unwrap();
        assert_eq!(other, Reserved::KeyReused);
        assert!(matches!(reserve(store, &ours, eur(6_001)).await, Ok(Reserved::No)), "{kind:?}");
        assert_eq!(file(store, &ours).await.order.refunded_minor, 4_000);
        let rest = recorded(&ours, kind, 6_000, &format!("{key}, the rest"));
        assert!(matches!(store.record_refund(rest, NOW).await, Ok(Reserved::Yes(_))));
        assert_eq!(order_state(store, &ours).await, OrderState::Refunded);
        let refunds = record(store, &ours).await.refunds;
        assert!(refunds.iter().all(|refund| refund.kind == kind && refund.state == RefundState::Done));
    }
}

pub async fn nothing_is_recorded_beyond_what_was_paid(store: &Shared) {
    let ours = paid(store, 100, NOW).await;
    reserved(store, &ours, 60).await;
    for (minor, key) in [(41, "a"), (0, "b"), (-5, "c"), (i64::MAX, "d")] {
        let refused =
            store.record_refund(recorded(&ours, RefundKind::Account, minor, key), NOW).await.unwrap();
        assert_eq!(refused, Reserved::No, "{minor}");
    }
    let by_hand = store.record_refund(recorded(&ours, RefundKind::Hand, 10, "e"), NOW).await.unwrap();
    assert_eq!(by_hand, Reserved::No, "nothing was received by hand");
    let fits = store.record_refund(recorded(&ours, RefundKind::Account, 40, "f"), NOW).await.unwrap();
    assert!(matches!(fits, Reserved::Yes(_)));
}

// The merchant's own methods.

/// An order that is paid by bank transfer.
async fn awaiting(store: &Shared, minor: i64, name: &str) -> Started {
    let order = new_order(&format!("cart of {name}"), "content", minor);
    let reference = order.reference.clone();
    let key = format!("key of {name}");
    claim(store, &key, NOW).await;
    let placement = placement(&key, cart(order), None);
    let order = started(place(store, placement, NOW).await);
    Started {
        order,
        reference,
        payment: checkout::records::PaymentId(0),
        gateway_order_id: String::new(),
        minor,
    }
}

fn receipt(started: &Started, minor: i64, settles: bool) -> NewReceipt {
    NewReceipt {
        order: started.order,
        money: eur(minor),
        key: hash(&format!("{} {minor}", started.reference)),
        note: "statement 7".into(),
        settles,
        actor: anna(),
    }
}

pub async fn money_received_pays_an_order_exactly_short_or_over(store: &Shared) {
    for (name, receipts, end) in [
        ("exact", &[(5_000, false)][..], OrderState::Paid),
        ("short", &[(4_999, false)], OrderState::Awaiting),
        ("in two", &[(2_000, false), (3_000, false)], OrderState::Paid),
        ("over", &[(6_000, false)], OrderState::Paid),
        ("short but enough", &[(4_990, true)], OrderState::Paid),
    ] {
        let ours = awaiting(store, 5_000, name).await;
        for (minor, settles) in receipts {
            store.record_receipt(receipt(&ours, *minor, *settles), NOW).await.unwrap().unwrap();
        }
        assert_eq!(order_state(store, &ours).await, end, "{name}");
        let record = record(store, &ours).await;
        assert_eq!(record.received_minor(), receipts.iter().map(|(minor, _)| minor).sum::<i64>(), "{name}");
        assert_eq!(record.receipts[0].recorded_by, "anna@shop.example");
        assert_eq!(kinds(store, ours.order).await.last(), Some(&EventKind::MoneyReceived));
    }
}

pub async fn one_press_is_one_receipt(store: &Shared) {
    let ours = awaiting(store, 5_000, "ours").await;
    let states = at_once(10, |_| {
        let (store, press) = (Arc::clone(store), receipt(&ours, 2_500, false));
        async move { store.record_receipt(press, NOW).await.unwrap().unwrap() }
    })
    .await;
    assert!(states.iter().all(|state| *state == OrderState::Awaiting));
    assert_eq!(record(store, &ours).await.received_minor(), 2_500);
}

/// Whether a person has to look at an order, and what was written down about it last.
async fn raised(store: &Shared, ours: &Started) -> (bool, Option<EventKind>) {
    let order = record(store, ours).await.file.order;
    (order.attention_since_ms.is_some(), kinds(store, ours.order).await.last().copied())
}

pub async fn money_for_an_order_that_does_not_wait_for_it_is_recorded_and_raised(store: &Shared) {
    let card = paid(store, 5_000, NOW).await;
    let cancelled = awaiting(store, 5_000, "cancelled").await;
    store.cancel_order(cancelled.order, anna(), NOW).await.unwrap().unwrap();
    assert_eq!(raised(store, &cancelled).await, (false, Some(EventKind::CancelledByMerchant)));
    for (ours, state) in [(&card, OrderState::Paid), (&cancelled, OrderState::Cancelled)] {
        assert_eq!(store.record_receipt(receipt(ours, 4_000, true), NOW).await.unwrap(), Ok(state));
        assert_eq!(raised(store, ours).await, (true, Some(EventKind::Contradiction)), "{state:?}");
        // It goes back by hand, and what the card paid stays.
        let back = recorded(ours, RefundKind::Hand, 4_000, &format!("back {state:?}"));
        assert!(matches!(store.record_refund(back, NOW).await, Ok(Reserved::Yes(_))));
        assert_eq!(order_state(store, ours).await, state);
        assert_eq!(record(store, ours).await.left_minor(None), 0);
    }
}

pub async fn what_went_back_by_hand_pays_nothing(store: &Shared) {
    let ours = awaiting(store, 5_000, "ours").await;
    store.record_receipt(receipt(&ours, 4_000, false), NOW).await.unwrap().unwrap();
    let back = recorded(&ours, RefundKind::Hand, 3_000, "back");
    assert!(matches!(store.record_refund(back, NOW).await, Ok(Reserved::Yes(_))));
    let state = store.record_receipt(receipt(&ours, 1_000, false), NOW).await.unwrap();
    assert_eq!(state, Ok(OrderState::Awaiting), "2 000 of 5 000");
    let state = store.record_receipt(receipt(&ours, 3_000, false), NOW).await.unwrap();
    assert_eq!(state, Ok(OrderState::Paid));
}

pub async fn an_order_that_is_cancelled_with_money_is_raised(store: &Shared) {
    let ours = awaiting(store, 5_000, "ours").await;
    store.record_receipt(receipt(&ours, 4_000, false), NOW).await.unwrap().unwrap();
    store.cancel_order(ours.order, anna(), NOW).await.unwrap().unwrap();
    assert_eq!(raised(store, &ours).await, (true, Some(EventKind::Contradiction)));
}

pub async fn what_is_no_amount_of_the_order_is_not_received(store: &Shared) {
    let ours = awaiting(store, 5_000, "ours").await;
    for money in [eur(0), eur(-1), Money::new(5_000, Currency::from_code("USD").unwrap())] {
        let odd = NewReceipt { money, ..receipt(&ours, 1, false) };
        assert_eq!(store.record_receipt(odd, NOW).await.unwrap(), Err(Refusal::OrderState), "{money:?}");
    }
    assert_eq!(record(store, &ours).await.receipts.len(), 0);
}

pub async fn what_was_received_by_hand_is_given_back_by_hand(store: &Shared) {
    let ours = awaiting(store, 5_000, "ours").await;
    store.record_receipt(receipt(&ours, 6_000, false), NOW).await.unwrap().unwrap();
    let hand = async |minor, key| {
        let done = store.record_refund(recorded(&ours, RefundKind::Hand, minor, key), NOW).await.unwrap();
        matches!(done, Reserved::Yes(_))
    };
    assert!(!hand(6_001, "a").await);
    assert!(hand(1_000, "b").await, "what was too much");
    assert_eq!(order_state(store, &ours).await, OrderState::Paid);
    assert_eq!(record(store, &ours).await.left_minor(None), 5_000);
    assert!(!hand(5_001, "c").await);
    assert!(hand(5_000, "d").await);
    assert_eq!(order_state(store, &ours).await, OrderState::Refunded);
}

// Reversals.

async fn by(store: &Shared, started: &Started, cause: Cause) -> checkout::store::Applied {
    let by = Some((anna(), Action::ReversalAsked));
    store.apply_by(started.payment, cause, None, by, NOW, &timing()).await.unwrap().unwrap()
}

pub async fn a_reversal_undoes_a_payment_of_which_nothing_was_refunded(store: &Shared) {
    let ours = paid(store, 100, NOW).await;
    by(store, &ours, Cause::ReversalAsked).await;
    assert_eq!(payment(store, &ours).await.state, PaymentState::Reversing);
    assert!(matches!(reserve(store, &ours, eur(1)).await, Ok(Reserved::No)), "it is all going back");
    by(store, &ours, Cause::ReversalYes).await;
    assert_eq!(payment(store, &ours).await.state, PaymentState::Reversed);
    assert_eq!(order_state(store, &ours).await, OrderState::Open);
    let news = kinds(store, ours.order).await;
    assert!(news.ends_with(&[EventKind::ReversalAsked, EventKind::ReversalDone]), "{news:?}");
    assert_eq!(record(store, &ours).await.audit.len(), 2);
}

pub async fn a_reversal_that_was_refused_leaves_the_payment_paid(store: &Shared) {
    let ours = paid(store, 100, NOW).await;
    by(store, &ours, Cause::ReversalAsked).await;
    by(store, &ours, Cause::ReversalNo).await;
    assert_eq!(payment(store, &ours).await.state, PaymentState::Paid);
    reserved(store, &ours, 100).await;
}

pub async fn a_reversal_beside_a_refund_is_refused_in_any_order(store: &Shared) {
    let ours = paid(store, 100, NOW).await;
    reserved(store, &ours, 1).await;
    let applied = by(store, &ours, Cause::ReversalAsked).await;
    assert_eq!(applied.decision.outcome, Err(Refusal::HasRefunds));
    assert_eq!(payment(store, &ours).await.state, PaymentState::Paid);
    for _ in 0..10 {
        let ours = paid(store, 100, NOW).await;
        let answers = at_once(2, |index| {
            let (store, ours) = (Arc::clone(store), ours.clone());
            async move {
                if index == 0 {
                    by(&store, &ours, Cause::ReversalAsked).await.decision.outcome.is_ok()
                } else {
                    matches!(reserve(&store, &ours, eur(1)).await, Ok(Reserved::Yes(_)))
                }
            }
        })
        .await;
        assert_eq!(answers.iter().filter(|went| **went).count(), 1, "one of the two");
    }
}

pub async fn a_reversal_of_which_nobody_knows_waits_for_a_person(store: &Shared) {
    let ours = paid(store, 100, NOW).await;
    by(store, &ours, Cause::ReversalAsked).await;
    by(store, &ours, Cause::ReversalUndecided).await;
    let order = file(store, &ours).await.order;
    assert_eq!((order.state, order.attention_since_ms), (OrderState::Paid, Some(NOW)));
    assert_eq!(payment(store, &ours).await.state, PaymentState::Reversing);
    assert!(payment(store, &ours).await.next_ask_at_ms.is_some(), "the status query may tell");
    assert_eq!(kinds(store, ours.order).await.last(), Some(&EventKind::ReversalUnknown));
}

// Orders, attention, the audit log.

pub async fn an_order_that_is_not_paid_is_cancelled(store: &Shared) {
    let open = start(store, 100, NOW).await;
    let waiting = awaiting(store, 100, "waiting").await;
    for ours in [&open, &waiting] {
        assert_eq!(store.cancel_order(ours.order, anna(), NOW).await.unwrap(), Ok(()));
        assert_eq!(store.cancel_order(ours.order, anna(), NOW).await.unwrap(), Ok(()), "again");
        assert_eq!(order_state(store, ours).await, OrderState::Cancelled);
        let cancelled = kinds(store, ours.order).await;
        let count = cancelled.iter().filter(|kind| **kind == EventKind::CancelledByMerchant).count();
        assert_eq!(count, 1);
    }
    let done = paid(store, 100, NOW).await;
    assert_eq!(store.cancel_order(done.order, anna(), NOW).await.unwrap(), Err(Refusal::OrderState));
    let back = start(store, 100, NOW).await;
    apply(store, &back, Cause::Returned, NOW).await;
    let refusal = store.cancel_order(back.order, anna(), NOW).await.unwrap();
    assert_eq!(refusal, Err(Refusal::OrderState), "the shopper may just have paid");
}

pub async fn attention_stays_until_somebody_looked(store: &Shared) {
    let ours = paid(store, 100, NOW).await;
    let attention = Filter { attention: true, ..Filter::all(Mode::Test) };
    let listed = async || {
        let page = store.transactions(attention.clone(), From::Newest, 10).await.unwrap();
        page.rows.into_iter().map(|row| row.reference).collect::<Vec<_>>()
    };
    assert_eq!(listed().await, Vec::<String>::new());
    let refund = reserved(store, &ours, 60).await;
    settle(store, refund, RefundEvent::Undecided).await.unwrap();
    assert_eq!(listed().await, [ours.reference.as_str()]);
    looked_at(store, &ours, bob(), NOW + 1).await;
    assert_eq!(file(store, &ours).await.order.attention_since_ms, None);
    assert_eq!(listed().await, [ours.reference.as_str()], "an unknown refund waits for more than a look");
    settle(store, refund, RefundEvent::RecordedNotDone).await.unwrap();
    assert_eq!(listed().await, Vec::<String>::new());
    let news = kinds(store, ours.order).await;
    looked_at(store, &ours, bob(), NOW + 2).await;
    assert_eq!(kinds(store, ours.order).await, news, "there was nothing to look at");
    // What happened was raised at the moment in which it happened.
    apply(store, &ours, Cause::StatusUnsuccessful, NOW + 2 * HOUR).await;
    assert_eq!(file(store, &ours).await.order.attention_since_ms, Some(NOW + 2 * HOUR));
    // Whoever was shown the refund alone has not seen what came in since.
    assert!(!store.looked_at(ours.order, 1, bob(), NOW + 2 * HOUR).await.unwrap());
    assert_eq!(file(store, &ours).await.order.attention_since_ms, Some(NOW + 2 * HOUR));
    looked_at(store, &ours, bob(), NOW + 2 * HOUR).await;
    assert_eq!(file(store, &ours).await.order.attention_since_ms, None);
}

/// Somebody who was shown everything has looked at it.
async fn looked_at(store: &Shared, ours: &Started, who: Actor, now_ms: i64) {
    let shown = kinds(store, ours.order).await.into_iter().filter(|kind| kind.needs_a_person()).count();
    let shown = u32::try_from(shown).unwrap();
    assert!(store.looked_at(ours.order, shown, who, now_ms).await.unwrap());
}

pub async fn the_audit_log_says_who_did_what_to_which_order(store: &Shared) {
    let ours = paid(store, 10_000, NOW).await;
    let refund = proposed(store, &ours, 6_000).await;
    store.approve_refund(refund, bob(), String::new(), NOW + 1).await.unwrap();
    store.audit(anna(), Action::Exported, "all of it".into(), NOW + 2).await.unwrap();
    let log = store.audit_log(None, 10).await.unwrap();
    let lines: Vec<_> =
        log.iter().map(|entry| (entry.action, entry.actor.who.as_str(), entry.order.as_deref())).collect();
    let reference = Some(ours.reference.as_str());
    assert_eq!(
        lines,
        [
            (Action::Exported, "anna@shop.example", None),
            (Action::RefundApproved, "bob@shop.example", reference),
            (Action::RefundAsked, "anna@shop.example", reference),
        ]
    );
    assert_eq!((log[1].at_ms, log[1].actor.address.as_str()), (NOW + 1, "192.0.2.2"));
    let older = store.audit_log(Some(log[1].id), 10).await.unwrap();
    assert_eq!(older.len(), 1);
    let of_order = record(store, &ours).await.audit;
    assert_eq!(
        of_order.iter().map(|entry| entry.action).collect::<Vec<_>>(),
        [Action::RefundAsked, Action::RefundApproved]
    );
}

// People.

fn user(email: &str) -> NewUser {
    NewUser { email: email.into(), role: Role::Refund, password: "$argon2id$".into() }
}

pub async fn a_user_signs_in_by_an_address_that_is_used_once(store: &Shared) {
    assert!(store.add_user(user("anna@shop.example"), bob(), NOW).await.unwrap());
    assert!(!store.add_user(user("anna@shop.example"), bob(), NOW).await.unwrap());
    assert!(store.add_user(user("zoe@shop.example"), bob(), NOW).await.unwrap());
    let known = store.credentials("anna@shop.example").await.unwrap().unwrap();
    assert_eq!((known.user.role, known.password.as_str()), (Role::Refund, "$argon2id$"));
    assert!(!known.user.has_second_factor && known.totp_secret.is_none() && !known.user.is_disabled);
    assert!(store.credentials("nobody@shop.example").await.unwrap().is_none());
    let change = UserChange::Role(Role::View);
    assert!(store.change_user("anna@shop.example", change.clone(), bob(), NOW).await.unwrap());
    assert!(!store.change_user("nobody@shop.example", change, bob(), NOW).await.unwrap());
    let users: Vec<_> =
        store.users().await.unwrap().into_iter().map(|user| (user.email, user.role)).collect();
    assert_eq!(
        users,
        [("anna@shop.example".to_owned(), Role::View), ("zoe@shop.example".to_owned(), Role::Refund)]
    );
}

/// Somebody who has three sessions; their hashes.
async fn with_sessions(store: &Shared) -> [checkout::token::Hash; 3] {
    store.add_user(user("anna@shop.example"), bob(), NOW).await.unwrap();
    let id = store.credentials("anna@shop.example").await.unwrap().unwrap().user.id;
    let sessions = ["one", "two", "three"].map(hash);
    for session in sessions {
        assert_eq!(store.open_session(session, id, password(), anna(), NOW).await.unwrap(), Some(true));
    }
    sessions
}

fn password() -> Entrance {
    Entrance::Password(user("anna@shop.example").password)
}

pub async fn a_session_opens_only_while_what_let_somebody_in_still_holds(store: &Shared) {
    let [.., three] = with_sessions(store).await;
    let id = store.credentials("anna@shop.example").await.unwrap().unwrap().user.id;
    let change = async |change| store.change_user("anna@shop.example", change, bob(), NOW).await.unwrap();
    let open =
        async |name: &str, entrance| store.open_session(hash(name), id, entrance, anna(), NOW).await.unwrap();
    assert_eq!(open("a", Entrance::Code(three)).await, None, "it waits for no code");
    change(UserChange::SecondFactor(Some((b"12345678901234567890".to_vec(), 7)))).await;
    assert!(!store.use_totp_step(id, 7).await.unwrap(), "the code that switched it on");
    for name in ["b", "c"] {
        assert_eq!(open(name, password()).await, Some(false), "it waits for a code");
    }
    assert_eq!(open("d", Entrance::Code(hash("b"))).await, Some(true));
    assert_eq!(open("e", Entrance::Code(hash("b"))).await, None, "it was exchanged");
    change(UserChange::Password { password: "$other$".into(), keep: None }).await;
    assert_eq!(open("f", Entrance::Code(hash("c"))).await, None, "the password was changed meanwhile");
    assert_eq!(open("g", password()).await, None, "it was checked before");
    change(UserChange::Disabled(true)).await;
    assert_eq!(open("h", Entrance::Password("$other$".into())).await, None, "shut out meanwhile");
}

async fn is_open(store: &Shared, session: checkout::token::Hash, now_ms: i64) -> bool {
    store.session(session, now_ms - HOUR, now_ms - 12 * HOUR, now_ms).await.unwrap().is_some()
}

pub async fn a_session_ends_by_time_sign_out_and_change_of_password(store: &Shared) {
    let [one, two, three] = with_sessions(store).await;
    // Its use keeps it alive, up to a point.
    let mut now_ms = NOW;
    for _ in 0..11 {
        now_ms += HOUR;
        assert!(is_open(store, one, now_ms).await, "used every hour");
    }
    assert!(!is_open(store, one, now_ms + 2 * HOUR).await, "the longest there is");
    assert!(!is_open(store, two, NOW + HOUR + 1).await, "not used for an hour");
    store.end_session(two, NOW - HOUR, Some(anna()), NOW).await.unwrap();
    assert!(!is_open(store, two, NOW).await);
    assert!(is_open(store, three, NOW).await);
    let change = UserChange::Password { password: "$other$".into(), keep: Some(three) };
    store.change_user("anna@shop.example", change, anna(), NOW).await.unwrap();
    assert!(!is_open(store, one, NOW).await && is_open(store, three, NOW).await);
    let change = UserChange::Password { password: "$third$".into(), keep: None };
    store.change_user("anna@shop.example", change, bob(), NOW).await.unwrap();
    assert!(!is_open(store, three, NOW).await);
    assert!(!is_open(store, hash("nobody's"), NOW).await);
}

pub async fn a_user_who_is_shut_out_has_no_session(store: &Shared) {
    let [one, ..] = with_sessions(store).await;
    store.change_user("anna@shop.example", UserChange::Disabled(true), bob(), NOW).await.unwrap();
    assert!(!is_open(store, one, NOW).await);
    assert!(store.credentials("anna@shop.example").await.unwrap().unwrap().user.is_disabled);
    store.change_user("anna@shop.example", UserChange::Disabled(false), bob(), NOW).await.unwrap();
    assert!(!is_open(store, one, NOW).await, "what ended stays ended");
}

pub async fn a_code_of_the_second_factor_works_once(store: &Shared) {
    with_sessions(store).await;
    let secret = UserChange::SecondFactor(Some((b"12345678901234567890".to_vec(), 0)));
    store.change_user("anna@shop.example", secret, anna(), NOW).await.unwrap();
    let known = store.credentials("anna@shop.example").await.unwrap().unwrap();
    assert_eq!(known.totp_secret.as_deref(), Some(&b"12345678901234567890"[..]));
    let id = known.user.id;
    let uses = at_once(20, |_| {
        let store = Arc::clone(store);
        async move { store.use_totp_step(id, 100).await.unwrap() }
    })
    .await;
    assert_eq!(uses.iter().filter(|used| **used).count(), 1);
    assert!(!store.use_totp_step(id, 99).await.unwrap(), "an older one");
    assert!(store.use_totp_step(id, 101).await.unwrap());
}

pub async fn guesses_are_counted_by_key_before_they_are_looked_at(store: &Shared) {
    let keys = || vec![(hash("pair"), 3), (hash("client"), 4)];
    // However many come at once, no more than the limit are looked at.
    let at_once = at_once(20, |_| {
        let store = Arc::clone(store);
        async move { store.count_guess(keys(), NOW - HOUR, NOW).await.unwrap() }
    })
    .await;
    let mut counted: Vec<_> = at_once.into_iter().flatten().collect();
    assert_eq!(counted.len(), 3);
    store.forget_guess(counted.pop().unwrap()).await.unwrap();
    let guess =
        async |keys, since_ms, now_ms| store.count_guess(keys, since_ms, now_ms).await.unwrap().is_some();
    assert!(guess(keys(), NOW - HOUR, NOW).await, "one of them was right");
    assert!(!guess(keys(), NOW - HOUR, NOW).await);
    assert!(guess(vec![(hash("other"), 1), (hash("client"), 4)], NOW - HOUR, NOW).await, "another account");
    assert!(!guess(vec![(hash("third"), 1), (hash("client"), 4)], NOW - HOUR, NOW).await, "the same client");
    assert!(guess(keys(), NOW + 1, NOW + HOUR).await, "forgotten");
}

// The list.

/// Orders of many kinds, placed on ten days: what each is, by its reference.
async fn many(store: &Shared) -> BTreeMap<String, (i64, OrderState, PaymentMethod)> {
    let mut orders = BTreeMap::new();
    for number in 0..60_i64 {
        let day = 20_000 + number % 10;
        let name = format!("many {number}");
        let mut order = new_order(&format!("cart of {name}"), "content", 1_000 + number);
        order.day = day;
        let reference = order.reference.clone();
        let key = format!("key of {name}");
        claim(store, &key, NOW).await;
        let payment = (number % 3 != 0).then(|| new_payment(1_000 + number, NOW));
        let gateway_order_id = payment.as_ref().map(|payment| payment.gateway_order_id.clone());
        let id = started(place(store, placement(&key, cart(order), payment), NOW).await);
        let (mut state, method) = match gateway_order_id {
            Some(_) => (OrderState::Open, PaymentMethod::Card),
            None => (OrderState::Awaiting, PaymentMethod::BankTransfer),
        };
        if let Some(gateway_order_id) = gateway_order_id.filter(|_| number % 2 == 0) {
            let paid = Cause::Notify { money: eur(1_000 + number), trnref: format!("T{number}") };
            store.apply("main", &gateway_order_id, paid, None, NOW, &timing()).await.unwrap().unwrap();
            state = OrderState::Paid;
        } else if number % 5 == 0 {
            store.cancel_order(id, anna(), NOW).await.unwrap().unwrap();
            state = OrderState::Cancelled;
        }
        orders.insert(reference, (day, state, method));
    }
    orders
}

/// Reads all pages of a list, and checks that going back brings the same ones.
async fn listed(store: &Shared, filter: &Filter, limit: u32) -> Vec<(Cursor, String)> {
    let mut rows = Vec::new();
    let mut from = From::Newest;
    loop {
        let page = store.transactions(filter.clone(), from, limit).await.unwrap();
        assert_eq!(page.has_newer, from != From::Newest);
        assert!(page.rows.len() <= limit as usize);
        if let (Some(first), true) = (page.rows.first(), page.has_newer) {
            let back = From::NewerThan(first.cursor);
            let before = store.transactions(filter.clone(), back, limit).await.unwrap();
            let end = rows.len();
            let expected: &[(Cursor, String)] = &rows[end - (limit as usize).min(end)..];
            let got: Vec<_> = before.rows.iter().map(|row| (row.cursor, row.reference.clone())).collect();
            assert_eq!(got, expected, "back from {from:?}");
            assert!(before.has_older);
            assert_eq!(before.has_newer, end > limit as usize);
        }
        rows.extend(page.rows.iter().map(|row| (row.cursor, row.reference.clone())));
        match (page.has_older, page.rows.last()) {
            (true, Some(last)) => from = From::OlderThan(last.cursor),
            (true, None) => panic!("an empty page with more behind it"),
            (false, _) => return rows,
        }
    }
}

pub async fn the_list_is_newest_first_and_pages_meet_without_gap_or_overlap(store: &Shared) {
    let orders = many(store).await;
    for limit in [1, 7, 59, 60, 61] {
        let rows = listed(store, &Filter::all(Mode::Test), limit).await;
        assert_eq!(rows.len(), orders.len(), "{limit}");
        assert!(rows.windows(2).all(|pair| pair[0].0 > pair[1].0), "newest first");
    }
    let nothing = store
        .transactions(Filter::all(Mode::Test), From::OlderThan(Cursor { day: 0, id: OrderId(0) }), 10)
        .await
        .unwrap();
    assert!(nothing.rows.is_empty() && !nothing.has_older);
}

pub async fn each_filter_finds_exactly_its_orders_and_their_totals(store: &Shared) {
    let orders = many(store).await;
    let states = [vec![], vec![OrderState::Paid], vec![OrderState::Open, OrderState::Awaiting]];
    let methods = [vec![], vec![PaymentMethod::Card], vec![PaymentMethod::Ideal]];
    for states in &states {
        for methods in &methods {
            for (from_day, to_day) in [(None, None), (Some(20_003), None), (Some(20_002), Some(20_005))] {
                let filter = Filter {
                    states: states.clone(),
                    methods: methods.clone(),
                    from_day,
                    to_day,
                    ..Filter::all(Mode::Test)
                };
                let mut expected: Vec<&String> = orders
                    .iter()
                    .filter(|(_, (day, state, method))| {
                        (states.is_empty() || states.contains(state))
                            && (methods.is_empty() || methods.contains(method))
                            && from_day.is_none_or(|from| *day >= from)
                            && to_day.is_none_or(|to| *day <= to)
                    })
                    .map(|(reference, _)| reference)
                    .collect();
                let rows = listed(store, &filter, 9).await;
                let mut found: Vec<&String> = rows.iter().map(|(_, reference)| reference).collect();
                expected.sort();
                found.sort();
                assert_eq!(found, expected, "{filter:?}");
                let totals = store.totals(filter.clone()).await.unwrap();
                let count: i64 = totals.by_currency.iter().map(|total| total.orders).sum();
                assert_eq!(usize::try_from(count).unwrap(), expected.len(), "{filter:?}");
            }
        }
    }
}

pub async fn orders_are_found_by_reference_gateway_person_and_amount(store: &Shared) {
    many(store).await;
    let ours = paid(store, 7_777, NOW).await;
    let refund = reserved(store, &ours, 100).await;
    let refund = store.refund(refund).await.unwrap().unwrap();
    let find = async |search: Vec<Search>| {
        let filter = Filter { search, ..Filter::all(Mode::Test) };
        let rows = listed(store, &filter, 10).await;
        let totals = store.totals(filter).await.unwrap();
        let count: i64 = totals.by_currency.iter().map(|total| total.orders).sum();
        assert_eq!(usize::try_from(count).unwrap(), rows.len());
        rows.into_iter().map(|(_, reference)| reference).collect::<Vec<_>>()
    };
    let only = [ours.reference.clone()];
    assert_eq!(find(vec![Search::Reference(ours.reference.clone())]).await, only);
    assert_eq!(find(vec![Search::Amount(7_777)]).await, only);
    assert_eq!(find(vec![Search::Gateway(ours.gateway_order_id.clone())]).await, only);
    assert_eq!(find(vec![Search::Gateway(refund.gateway_order_id.unwrap())]).await, only);
    assert_eq!(find(vec![Search::Gateway("T1".into())]).await, only);
    assert_eq!(find(vec![Search::Gateway("T2".into()), Search::Amount(7_777)]).await.len(), 2);
    for beginning in ["ada@example.com", "ada@", "o'neill", "ada o'n"] {
        assert_eq!(find(vec![Search::Person(beginning.into())]).await.len(), 61, "{beginning}");
    }
    for nobody in ["bda@", "neill", "ada@example.comx", "%", "_da@"] {
        assert_eq!(find(vec![Search::Person(nobody.into())]).await, Vec::<String>::new(), "{nobody}");
    }
}

pub async fn what_needs_a_person_is_searched_too(store: &Shared) {
    let [ours, other] = [paid(store, 7_777, NOW).await, paid(store, 8_888, NOW).await];
    for one in [&ours, &other] {
        let refund = reserved(store, one, 100).await;
        settle(store, refund, RefundEvent::Undecided).await.unwrap();
    }
    paid(store, 7_777, NOW).await;
    let needs = Filter { attention: true, ..Filter::all(Mode::Test) };
    assert_eq!(listed(store, &needs, 10).await.len(), 2);
    let found = Filter { search: vec![Search::Amount(7_777), Search::Amount(1)], ..needs };
    let found = listed(store, &found, 10).await;
    assert_eq!(found.iter().map(|(_, reference)| reference).collect::<Vec<_>>(), [&ours.reference]);
}

pub async fn a_message_that_nobody_knows_waits_until_it_was_looked_at(store: &Shared) {
    let message =
        NewEvent { kind: EventKind::UnknownMessage, detail: "hash".into(), raw: Some("raw".into()) };
    for raw in ["raw", "raw&", "%72aw"] {
        let message = NewEvent { raw: Some(raw.into()), ..message.clone() };
        store.record(None, message, NOW).await.unwrap();
    }
    let waiting = store.unknown_messages(10).await.unwrap();
    assert_eq!((waiting.len(), waiting[0].at_ms, waiting[0].raw.as_str()), (1, NOW, "raw"));
    assert!(!store.message_seen(waiting[0].id + 1, anna(), NOW).await.unwrap(), "there is none");
    assert!(store.message_seen(waiting[0].id, anna(), NOW).await.unwrap());
    assert!(!store.message_seen(waiting[0].id, anna(), NOW).await.unwrap(), "it was seen");
    assert_eq!(store.unknown_messages(10).await.unwrap().len(), 0);
    let log = store.audit_log(None, 10).await.unwrap();
    assert_eq!(log.iter().filter(|entry| entry.action == Action::MessageSeen).count(), 1);
}

pub async fn totals_follow_every_change(store: &Shared) {
    let check = async || {
        // What is kept must be what adding up gives.
        let mut added = BTreeMap::<Currency, Total>::new();
        let page = store.transactions(Filter::all(Mode::Test), From::Newest, 1_000).await.unwrap();
        for row in page.rows {
            let currency = row.total.currency;
            let none = Total { currency, orders: 0, total_minor: 0, refunded_minor: 0 };
            let total = added.entry(currency).or_insert(none);
            total.orders += 1;
            total.total_minor += row.total.minor;
            total.refunded_minor += row.refunded_minor;
        }
        let added: Vec<_> = added.into_values().collect();
        let by_day = Filter { from_day: Some(0), ..Filter::all(Mode::Test) };
        assert_eq!(store.totals(by_day).await.unwrap().by_currency, added);
        let kept = store.totals(Filter::all(Mode::Test)).await.unwrap().by_currency;
        assert_eq!(kept, added);
        kept
    };
    check().await;
    many(store).await;
    check().await;
    let ours = paid(store, 10_000, NOW).await;
    let before = check().await;
    let part = reserved(store, &ours, 4_000).await;
    settle(store, part, RefundEvent::AnsweredYes).await.unwrap();
    let after = check().await;
    assert_eq!(after[0].refunded_minor, before[0].refunded_minor + 4_000);
    let rest = reserved(store, &ours, 6_000).await;
    settle(store, rest, RefundEvent::AnsweredYes).await.unwrap();
    check().await;
    let refunded = Filter { states: vec![OrderState::Refunded], ..Filter::all(Mode::Test) };
    let totals = store.totals(refunded).await.unwrap().by_currency;
    assert_eq!((totals[0].orders, totals[0].refunded_minor), (1, 10_000));
    apply(store, &paid(store, 1, NOW).await, Cause::Rollback, NOW).await;
    check().await;
}

pub async fn test_and_live_are_apart(store: &Shared) {
    let ours = paid(store, 7_777, NOW).await;
    let live = |filter: Filter| Filter { mode: Mode::Live, ..filter };
    let all = Filter::all(Mode::Test);
    let found = Filter { search: vec![Search::Reference(ours.reference.clone())], ..all.clone() };
    for filter in [all, found] {
        assert_eq!(listed(store, &filter, 10).await.len(), 1);
        assert_eq!(listed(store, &live(filter.clone()), 10).await.len(), 0);
        assert_eq!(store.totals(live(filter)).await.unwrap().by_currency, []);
    }
}

//! The suite. Each test gets a store of its own, empty.

use std::collections::HashSet;
use std::sync::Arc;

use checkout::records::{EventKind, NewEvent, NewOrder, OrderId, PaymentId, RefundId, Storefront};
use checkout::rules::Cause;
use checkout::store::merchant::Settlement;
use checkout::store::{
    Backlog, KeyClaim, Lease, NewRefund, OrderToPay, Placed, Placement, Reserved, TOKENS_PER_ORDER,
};
use checkout::token::Hash;
use domain::{Currency, Money, OrderState, PaymentMethod, PaymentState, RefundEvent, Refusal};

use crate::world::*;

/// Makes a test of each of a module's functions, with a store of its own.
macro_rules! each_on {
    ($fresh:path, $module:ident: $($name:ident,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let fresh = $fresh().await;
                $crate::$module::$name(&fresh).await;
            }
        )*
    };
}

/// Makes a test of each function of the suite. `$fresh` is an async function that gives an empty store,
/// as something that dereferences to a [`Shared`] and keeps what the store needs.
macro_rules! conformance {
    ($fresh:path) => {
        each_on! { $fresh, conformance:
            an_order_and_its_payments_are_read_in_one_moment,
            what_was_claimed_and_not_asked_about_is_given_back,
            a_new_key_is_claimed_by_one_and_runs_for_all_others,
            a_key_of_another_request_is_a_mismatch_whatever_became_of_it,
            a_key_is_taken_over_by_one_once_its_lease_has_ended,
            whoever_lost_a_key_places_nothing_with_it_and_does_not_give_it_back,
            a_released_key_is_free_and_a_done_one_stays_done,
            a_done_key_brings_its_payment_and_salt_back,
            a_done_key_of_the_merchants_own_method_brings_its_order_back,
            a_done_key_is_reclaimed_by_exactly_one,
            a_key_is_reclaimed_only_for_the_payment_that_it_is_done_with,
            old_keys_are_forgotten_and_young_ones_kept,
            a_placed_order_reads_back_by_cart_reference_and_token,
            the_same_cart_with_the_same_content_is_the_same_order,
            a_payment_of_the_same_order_names_its_reference_or_is_not_placed,
            the_same_cart_with_other_content_takes_the_place_of_the_open_order,
            a_paid_cart_has_nothing_to_pay,
            an_awaiting_order_has_nothing_to_pay,
            an_order_whose_payment_is_being_checked_has_nothing_to_pay,
            an_order_that_exists_is_paid_again_while_it_is_open,
            an_order_that_ended_is_not_paid_again,
            a_taken_reference_changes_nothing,
            a_gateway_order_id_is_never_used_twice,
            what_a_storefront_says_is_kept_with_the_order,
            a_quote_is_for_one_cart_and_the_same_again_is_the_same_order,
            a_quote_stays_with_its_cart_when_the_order_is_mended,
            a_quote_whose_order_was_given_back_is_used_up,
            of_two_carts_with_one_quote_at_once_exactly_one_is_placed,
            fifty_placements_of_one_cart_at_once_make_one_order,
            fifty_different_contents_of_one_cart_at_once_leave_one_living_order,
            only_the_newest_tokens_open_an_order,
            the_token_that_was_just_made_works_even_if_many_were_made_in_that_moment,
            a_hand_over_page_is_byte_for_byte_and_its_first_showing_is_remembered,
            a_message_for_no_payment_of_that_store_is_none,
            a_notify_pays_the_order,
            a_notify_for_another_amount_or_currency_is_refused,
            a_cancel_is_noted_and_a_late_notify_still_pays,
            a_cancel_of_a_paid_payment_is_doubted_and_takes_nothing_away,
            a_return_is_noted_once_and_changes_no_state,
            a_rollback_opens_the_order_again_and_is_final,
            a_status_of_paid_pays_and_is_confirmed_ten_minutes_later,
            an_unsuccessful_status_counts_only_after_the_deadline,
            a_reversed_status_undoes_a_payment,
            an_undecided_status_is_counted_and_asked_again,
            fifty_equal_notifies_at_once_have_one_effect_and_one_answer,
            of_two_payments_notified_at_once_exactly_one_is_paid,
            a_second_payment_of_a_paid_order_is_refused,
            a_rollback_of_a_refunded_payment_is_raised,
            events_are_in_order_and_each_raw_message_is_kept_once,
            events_of_a_payment_and_of_nobody_are_recorded,
            a_payment_that_is_raised_is_asked_about_no_more,
            a_contradiction_is_recorded_once,
            it_is_known_whether_something_happened_to_a_payment,
            a_declined_attempt_is_recorded_once,
            nothing_is_due_before_its_time,
            the_longest_due_come_first,
            no_payment_is_claimed_twice,
            a_claim_ends_with_its_lease_or_with_an_answer,
            the_unsettled_are_read_page_by_page_whether_due_or_not,
            of_two_refunds_that_do_not_both_fit_one_is_reserved,
            a_hundred_refunds_at_once_take_exactly_what_was_paid,
            only_a_paid_or_refused_payment_is_refunded_in_its_own_currency,
            a_refund_of_nothing_or_less_is_never_reserved,
            a_refused_refund_frees_its_amount_and_an_unknown_one_does_not,
            a_settled_refund_does_not_change_and_an_unknown_one_may,
            a_refund_that_is_not_done_is_raised_for_a_person,
            a_refund_of_a_paid_payment_does_not_end_the_questions_about_it,
            a_refund_that_nobody_settled_becomes_unknown_and_is_raised,
            an_order_expires_when_no_payment_can_still_pay_it,
            an_order_that_is_not_open_does_not_expire,
            what_waits_is_counted,
            it_is_ready,
        }
    };
}

fn is_claimed(claim: &KeyClaim) -> bool {
    matches!(claim, KeyClaim::Claimed(_))
}

// Idempotency keys.

pub async fn a_new_key_is_claimed_by_one_and_runs_for_all_others(store: &Shared) {
    let claims = at_once(50, |_| {
        let store = Arc::clone(store);
        async move { claim(&store, "key", NOW).await }
    })
    .await;
    assert_eq!(claims.iter().filter(|claim| is_claimed(claim)).count(), 1);
    assert_eq!(claims.iter().filter(|claim| matches!(claim, KeyClaim::Running)).count(), 49);
    assert!(is_claimed(&claim(store, "another key", NOW).await));
}

pub async fn a_key_of_another_request_is_a_mismatch_whatever_became_of_it(store: &Shared) {
    let other =
        async |key: &str, now_ms| store.claim_key(hash(key), hash("other"), now_ms, LEASE).await.unwrap();
    assert!(is_claimed(&claim(store, "key", NOW).await));
    assert!(matches!(other("key", NOW).await, KeyClaim::Mismatch), "while it runs");
    assert!(matches!(other("key", NOW + 2 * LEASE).await, KeyClaim::Mismatch), "after its lease");
    let placed = placement("key", cart(new_order("cart", "content", 100)), Some(new_payment(100, NOW)));
    started(place(store, placed, NOW).await);
    assert!(matches!(other("key", NOW).await, KeyClaim::Mismatch), "once it is done");
}

pub async fn a_key_is_taken_over_by_one_once_its_lease_has_ended(store: &Shared) {
    assert!(is_claimed(&claim(store, "key", NOW).await));
    assert!(matches!(claim(store, "key", NOW + LEASE - 1).await, KeyClaim::Running));
    let claims = at_once(50, |_| {
        let store = Arc::clone(store);
        async move { claim(&store, "key", NOW + LEASE).await }
    })
    .await;
    assert_eq!(claims.iter().filter(|claim| is_claimed(claim)).count(), 1);
    assert!(
        matches!(claim(store, "key", NOW + 2 * LEASE - 1).await, KeyClaim::Running),
        "a lease of its own"
    );
}

/// The lease of a key that was claimed then.
fn lease(key: &str, claimed_at_ms: i64) -> Lease {
    Lease { key: hash(key), until_ms: claimed_at_ms + LEASE }
}

pub async fn whoever_lost_a_key_places_nothing_with_it_and_does_not_give_it_back(store: &Shared) {
    let slow = |minor| {
        let order = cart(new_order("cart", "content", minor));
        let placement = placement("key", order, Some(new_payment(minor, NOW)));
        Placement { lease: lease("key", NOW), ..placement }
    };
    let place_late = async |placement| store.place(placement, NOW + LEASE, &timing()).await.unwrap();
    assert!(is_claimed(&claim(store, "key", NOW).await));
    assert!(is_claimed(&claim(store, "key", NOW + LEASE).await), "taken over");

    assert!(matches!(place_late(slow(100)).await, Placed::LeaseLost), "while the other one works");
    store.release_key(lease("key", NOW)).await.unwrap();
    assert!(matches!(claim(store, "key", NOW + LEASE).await, KeyClaim::Running), "it is the other one's");
    assert!(store.order_by_cart(hash("cart")).await.unwrap().is_none());

    let quick = placement("key", cart(new_order("cart", "content", 100)), Some(new_payment(100, NOW)));
    started(place(store, quick, NOW + LEASE).await);
    assert!(matches!(place_late(slow(100)).await, Placed::LeaseLost), "when the other one is done");
    let file = store.order_by_cart(hash("cart")).await.unwrap().unwrap();
    assert_eq!(file.payments.len(), 1);
}

pub async fn a_released_key_is_free_and_a_done_one_stays_done(store: &Shared) {
    assert!(is_claimed(&claim(store, "key", NOW).await));
    store.release_key(lease("key", NOW)).await.unwrap();
    assert!(is_claimed(&claim(store, "key", NOW).await));
    let placed = placement("key", cart(new_order("cart", "content", 100)), Some(new_payment(100, NOW)));
    started(place(store, placed, NOW).await);
    store.release_key(lease("key", NOW)).await.unwrap();
    assert!(matches!(claim(store, "key", NOW).await, KeyClaim::Done { .. }));
    store.release_key(lease("a key that nobody claimed", NOW)).await.unwrap();
}

pub async fn a_done_key_brings_its_payment_and_salt_back(store: &Shared) {
    assert!(is_claimed(&claim(store, "key", NOW).await));
    let payment = new_payment(4170, NOW);
    let placed = placement("key", cart(new_order("cart", "content", 4170)), Some(payment.clone()));
    let order = started(place(store, placed, NOW).await);
    for later in [0, LEASE, HOUR] {
        match claim(store, "key", NOW + later).await {
            KeyClaim::Done { order: of, payment: Some(result) } => {
                let (done, salt) = *result;
                assert_eq!((of, salt), (order, payment.salt));
                assert_eq!(done.gateway_order_id, payment.gateway_order_id);
                assert_eq!((done.state, done.started_at_ms), (PaymentState::Started, NOW));
            }
            other => panic!("{other:?}"),
        }
    }
}

pub async fn a_done_key_of_the_merchants_own_method_brings_its_order_back(store: &Shared) {
    assert!(is_claimed(&claim(store, "key", NOW).await));
    let order =
        started(place(store, placement("key", cart(new_order("cart", "content", 100)), None), NOW).await);
    match claim(store, "key", NOW).await {
        KeyClaim::Done { order: of, payment: None } => assert_eq!(of, order),
        other => panic!("{other:?}"),
    }
}

async fn done(store: &Shared, key: &str) -> PaymentId {
    match claim(store, key, NOW).await {
        KeyClaim::Done { payment: Some(result), .. } => result.0.id,
        other => panic!("{other:?}"),
    }
}

pub async fn a_done_key_is_reclaimed_by_exactly_one(store: &Shared) {
    assert!(is_claimed(&claim(store, "key", NOW).await));
    let first = placement("key", cart(new_order("cart", "content", 100)), Some(new_payment(100, NOW)));
    started(place(store, first, NOW).await);
    let payment = done(store, "key").await;

    let reclaimed = at_once(50, |_| {
        let store = Arc::clone(store);
        async move { store.reclaim_key(hash("key"), payment, NOW + MINUTE, LEASE).await.unwrap() }
    })
    .await;
    assert_eq!(reclaimed.iter().flatten().count(), 1);
    assert!(matches!(claim(store, "key", NOW + MINUTE).await, KeyClaim::Running));

    let second = placement("key", cart(new_order("cart", "content", 100)), Some(new_payment(100, NOW)));
    started(place(store, second, NOW + MINUTE).await);
    assert_ne!(done(store, "key").await, payment, "it is done with the new payment");
}

pub async fn a_key_is_reclaimed_only_for_the_payment_that_it_is_done_with(store: &Shared) {
    assert!(is_claimed(&claim(store, "key", NOW).await));
    let reclaim = async |key: &str, payment| store.reclaim_key(hash(key), payment, NOW, LEASE).await.unwrap();
    assert!(reclaim("key", PaymentId(1)).await.is_none(), "while it runs");
    let first = placement("key", cart(new_order("cart", "content", 100)), Some(new_payment(100, NOW)));
    started(place(store, first, NOW).await);
    let payment = done(store, "key").await;
    assert!(reclaim("key", PaymentId(payment.0 + 1)).await.is_none());
    assert!(reclaim("another key", payment).await.is_none());
    assert!(reclaim("key", payment).await.is_some());
    // What comes to nothing leaves the key free, not done with the old payment.
    store.release_key(lease("key", NOW)).await.unwrap();
    assert!(is_claimed(&claim(store, "key", NOW).await));
}

pub async fn old_keys_are_forgotten_and_young_ones_kept(store: &Shared) {
    for (key, at) in [("old", NOW), ("young", NOW + HOUR)] {
        assert!(is_claimed(&claim(store, key, at).await));
        let order = cart(new_order(key, "content", 100));
        started(place(store, placement(key, order, Some(new_payment(100, at))), at).await);
    }
    store.expire(NOW - HOUR, NOW + HOUR, NOW + 2 * HOUR).await.unwrap();
    assert!(is_claimed(&claim(store, "old", NOW + 2 * HOUR).await));
    assert!(matches!(claim(store, "young", NOW + 2 * HOUR).await, KeyClaim::Done { .. }));
}

// Placing.

pub async fn a_placed_order_reads_back_by_cart_reference_and_token(store: &Shared) {
    let (order, payment) = (new_order("cart", "content", 4170), new_payment(4170, NOW));
    let placed = placement("key", cart(order.clone()), Some(payment.clone()));
    let id = started(place(store, placed, NOW).await);
    store.add_token(id, hash("token"), NOW).await.unwrap();
    for file in [
        store.order_by_cart(hash("cart")).await,
        store.order_by_reference(&order.reference).await,
        store.order_by_token(hash("token")).await,
    ] {
        let file = file.unwrap().unwrap();
        assert_eq!(
            (file.order.id, file.order.state, file.order.method),
            (id, OrderState::Open, PaymentMethod::Card)
        );
        assert_eq!(file.order.placed_at_ms, NOW);
        assert_eq!(format!("{:?}", file.order.new), format!("{order:?}"), "what was agreed, to the letter");
        let [read] = file.payments.as_slice() else { panic!("{:?}", file.payments) };
        assert_eq!((read.order, read.state, read.money), (id, PaymentState::Started, payment.money));
        assert_eq!((&read.gateway_order_id, &read.store), (&payment.gateway_order_id, &payment.store));
        assert_eq!(
            (read.started_at_ms, read.state_since_ms, read.expires_at_ms),
            (NOW, NOW, payment.expires_at_ms)
        );
        assert_eq!((read.trnref.as_deref(), read.returned_at_ms, read.status_paid_at_ms), (None, None, None));
        assert_eq!((read.confirmed, read.unanswered), (false, 0));
        assert_eq!(read.next_ask_at_ms, Some(NOW + timing().ask_started_ms[0]));
    }
    assert_eq!(kinds(store, id).await, [EventKind::OrderPlaced, EventKind::PaymentStarted]);
    assert!(store.order_by_cart(hash("other")).await.unwrap().is_none());
    assert!(store.order_by_reference("TG-OTHER").await.unwrap().is_none());
    assert!(store.order_by_token(hash("other")).await.unwrap().is_none());
}

pub async fn the_same_cart_with_the_same_content_is_the_same_order(store: &Shared) {
    let first = start_in(store, "cart", 100, NOW).await;
    let second = start_in(store, "cart", 100, NOW + 1).await;
    assert_eq!((first.order, &first.reference), (second.order, &second.reference));
    assert_ne!(first.payment, second.payment);
    let file = file(store, &first).await;
    let payments: Vec<_> = file.payments.iter().map(|payment| payment.id).collect();
    assert_eq!(payments, [first.payment, second.payment], "oldest first");
    assert_eq!(
        kinds(store, first.order).await,
        [EventKind::OrderPlaced, EventKind::PaymentStarted, EventKind::PaymentStarted]
    );
}

pub async fn a_payment_of_the_same_order_names_its_reference_or_is_not_placed(store: &Shared) {
    let first = start_in(store, "cart", 100, NOW).await;
    assert!(is_claimed(&claim(store, "key", NOW).await));
    let other = placement("key", cart(new_order("cart", "content", 100)), Some(new_payment(100, NOW)));
    let other = Placement { lease: lease("key", NOW), ..other };
    let placed = store.place(other, NOW, &timing()).await.unwrap();
    assert!(matches!(placed, Placed::PlacedAs(reference) if reference == first.reference));
    assert_eq!(file(store, &first).await.payments.len(), 1);
    assert!(matches!(claim(store, "key", NOW).await, KeyClaim::Running), "the key is still ours");
}

pub async fn the_same_cart_with_other_content_takes_the_place_of_the_open_order(store: &Shared) {
    let first = start_in(store, "cart", 100, NOW).await;
    let order = new_order("cart", "other content", 200);
    let second = started(place(store, placement("key", cart(order), Some(new_payment(200, NOW))), NOW).await);
    assert_ne!(first.order, second);
    assert_eq!(file(store, &first).await.order.state, OrderState::Cancelled);
    let events = events(store, first.order).await;
    assert_eq!(events.last().unwrap().what.kind, EventKind::OrderSuperseded);
    let newest = store.order_by_cart(hash("cart")).await.unwrap().unwrap().order;
    assert_eq!((newest.id, newest.state, newest.new.total), (second, OrderState::Open, eur(200)));

    // Whoever pays the order that lost its place gets the money back.
    let late = apply(store, &first, notify(&first), NOW).await;
    assert_eq!(late.decision.payment.state, PaymentState::Refused);
    assert_eq!(file(store, &first).await.order.state, OrderState::Cancelled);
}

pub async fn a_paid_cart_has_nothing_to_pay(store: &Shared) {
    let first = start_in(store, "cart", 100, NOW).await;
    apply(store, &first, notify(&first), NOW).await;
    for (key, content) in [("k1", "content"), ("k2", "other content")] {
        assert!(is_claimed(&claim(store, key, NOW).await));
        let again = placement(key, cart(new_order("cart", content, 100)), Some(new_payment(100, NOW)));
        assert!(
            matches!(place(store, again, NOW).await, Placed::NothingToPay(order) if order == first.order)
        );
        assert!(matches!(claim(store, key, NOW).await, KeyClaim::Done { payment: None, .. }));
    }
    let existing = placement("k3", OrderToPay::Existing(first.order), Some(new_payment(100, NOW)));
    assert!(matches!(place(store, existing, NOW).await, Placed::NothingToPay(order) if order == first.order));
    let file = file(store, &first).await;
    assert_eq!((file.order.state, file.payments.len()), (OrderState::Paid, 1));
}

pub async fn an_awaiting_order_has_nothing_to_pay(store: &Shared) {
    let order = new_order("cart", "content", 100);
    let id = started(place(store, placement("k1", cart(order), None), NOW).await);
    let awaiting = store.order_by_cart(hash("cart")).await.unwrap().unwrap();
    assert_eq!(
        (awaiting.order.state, awaiting.order.method),
        (OrderState::Awaiting, PaymentMethod::BankTransfer)
    );
    assert_eq!(kinds(store, id).await, [EventKind::OrderPlaced, EventKind::OwnMethodChosen]);
    for (key, content) in [("k2", "content"), ("k3", "other content")] {
        let again = placement(key, cart(new_order("cart", content, 100)), Some(new_payment(100, NOW)));
        assert!(matches!(place(store, again, NOW).await, Placed::NothingToPay(order) if order == id));
    }
    let after = store.order_by_cart(hash("cart")).await.unwrap().unwrap();
    assert_eq!((after.order.id, after.order.state, after.payments.len()), (id, OrderState::Awaiting, 0));
}

pub async fn an_order_whose_payment_is_being_checked_has_nothing_to_pay(store: &Shared) {
    let ours = start_in(store, "cart", 100, NOW).await;
    apply(store, &ours, Cause::Returned, NOW + 1).await;
    let orders = [cart(new_order("cart", "content", 100)), OrderToPay::Existing(ours.order)];
    for (key, order) in ["by its cart", "as it is"].into_iter().zip(orders) {
        let again = placement(key, order, Some(new_payment(100, NOW)));
        assert!(
            matches!(place(store, again, NOW + 2).await, Placed::NothingToPay(order) if order == ours.order)
        );
    }
    assert_eq!(file(store, &ours).await.payments.len(), 1);
    // What was typed anew does not push aside an order that may just have been paid.
    let other =
        placement("other", cart(new_order("cart", "other content", 200)), Some(new_payment(200, NOW)));
    assert!(matches!(place(store, other, NOW + 2).await, Placed::NothingToPay(order) if order == ours.order));
    assert_eq!(file(store, &ours).await.order.state, OrderState::Open);
    // Once the answer is there, and it is no, it can be paid again.
    apply(store, &ours, Cause::StatusUnsuccessful, NOW + HOUR).await;
    let again = placement("again", OrderToPay::Existing(ours.order), Some(new_payment(100, NOW)));
    started(place(store, again, NOW + HOUR).await);
}

pub async fn an_order_that_exists_is_paid_again_while_it_is_open(store: &Shared) {
    let first = start(store, 100, NOW).await;
    let mut payment = new_payment(100, NOW + MINUTE);
    payment.method = PaymentMethod::Ideal;
    let again = placement("again", OrderToPay::Existing(first.order), Some(payment));
    assert_eq!(started(place(store, again, NOW + MINUTE).await), first.order);
    let both = file(store, &first).await;
    assert_eq!((both.payments.len(), both.order.method), (2, PaymentMethod::Ideal));

    // A bank transfer after all.
    let own = placement("own", OrderToPay::Existing(first.order), None);
    assert_eq!(started(place(store, own, NOW + MINUTE).await), first.order);
    assert_eq!(file(store, &first).await.order.state, OrderState::Awaiting);
    // And the card that was paid in another tab meanwhile: the money is there.
    assert!(apply(store, &first, notify(&first), NOW + MINUTE).await.decision.takes_the_money());
    assert_eq!(file(store, &first).await.order.state, OrderState::Paid);
}

pub async fn an_order_that_ended_is_not_paid_again(store: &Shared) {
    let expired = start(store, 100, NOW).await;
    apply(store, &expired, Cause::StatusUnsuccessful, NOW + HOUR).await;
    apply(store, &expired, Cause::StatusUnsuccessful, NOW + 25 * HOUR).await;
    assert_eq!(store.expire(NOW + HOUR, NOW, NOW + 25 * HOUR).await.unwrap(), 1);
    let cancelled = start_in(store, "cart", 100, NOW).await;
    let other = placement("k", cart(new_order("cart", "other", 200)), Some(new_payment(200, NOW)));
    started(place(store, other, NOW).await);
    for (key, ended) in [("expired", &expired), ("cancelled", &cancelled)] {
        let again = placement(key, OrderToPay::Existing(ended.order), Some(new_payment(100, NOW)));
        assert!(matches!(place(store, again, NOW).await, Placed::Ended(order) if order == ended.order));
        assert_eq!(file(store, ended).await.payments.len(), 1);
    }
    let nobodys = placement("again", OrderToPay::Existing(OrderId(987_654)), Some(new_payment(100, NOW)));
    assert!(matches!(place(store, nobodys, NOW).await, Placed::Ended(_)));
}

pub async fn a_taken_reference_changes_nothing(store: &Shared) {
    let first = start_in(store, "first cart", 100, NOW).await;
    let living = start_in(store, "second cart", 100, NOW).await;
    assert!(is_claimed(&claim(store, "key", NOW).await));
    let mut order = new_order("second cart", "other content", 200);
    order.reference.clone_from(&first.reference);
    let taken = placement("key", cart(order.clone()), Some(new_payment(200, NOW)));
    assert!(matches!(place(store, taken, NOW).await, Placed::ReferenceTaken));
    assert!(matches!(claim(store, "key", NOW).await, KeyClaim::Running), "the key is still ours");
    let untouched = file(store, &living).await;
    assert_eq!(untouched.order.state, OrderState::Open, "nothing has taken its place");
    assert_eq!(kinds(store, living.order).await.len(), 2);

    "TG-ANOTHER".clone_into(&mut order.reference);
    started(place(store, placement("key", cart(order), Some(new_payment(200, NOW))), NOW).await);
    assert_eq!(file(store, &living).await.order.state, OrderState::Cancelled);
}

pub async fn a_gateway_order_id_is_never_used_twice(store: &Shared) {
    let first = start(store, 100, NOW).await;
    let mut payment = new_payment(100, NOW);
    payment.gateway_order_id.clone_from(&first.gateway_order_id);
    assert!(is_claimed(&claim(store, "key", NOW).await));
    let again = placement("key", cart(new_order("another cart", "content", 100)), Some(payment));
    let again = Placement { lease: lease("key", NOW), ..again };
    assert!(store.place(again, NOW, &timing()).await.is_err());
    assert!(store.order_by_cart(hash("another cart")).await.unwrap().is_none(), "nothing of it stays");
}

/// An order that a signed quote priced.
fn quoted(in_cart: &str, content: &str, quote: &str) -> NewOrder {
    let storefront = Storefront {
        quote: Some(hash(quote)),
        reference: "A-1001 ü".into(),
        return_url: "https://shop.example/thanks?a=b".into(),
    };
    NewOrder { storefront, ..new_order(in_cart, content, 100) }
}

async fn place_quoted(store: &Shared, key: &str, order: NewOrder) -> Placed {
    assert!(is_claimed(&claim(store, key, NOW).await));
    place(store, placement(key, cart(order), Some(new_payment(100, NOW))), NOW).await
}

pub async fn what_a_storefront_says_is_kept_with_the_order(store: &Shared) {
    let order = quoted("cart", "content", "quote");
    started(place_quoted(store, "key", order.clone()).await);
    let file = store.order_by_cart(hash("cart")).await.unwrap().unwrap();
    assert_eq!(file.order.new.storefront, order.storefront);
    let plain = start(store, 100, NOW).await;
    assert_eq!(self::file(store, &plain).await.order.new.storefront, Storefront::default());
}

pub async fn a_quote_is_for_one_cart_and_the_same_again_is_the_same_order(store: &Shared) {
    let first = started(place_quoted(store, "first", quoted("cart", "content", "quote")).await);
    let again = started(place_quoted(store, "again", quoted("cart", "content", "quote")).await);
    assert_eq!(first, again);
    let living = start_in(store, "other cart", 100, NOW).await;
    let other = place_quoted(store, "other", quoted("other cart", "quoted content", "quote")).await;
    assert!(matches!(other, Placed::QuoteUsed), "{other:?}");
    assert_eq!(file(store, &living).await.order.state, OrderState::Open, "nothing has taken its place");
    assert!(matches!(claim(store, "other", NOW).await, KeyClaim::Running), "the key is still ours");
    started(place_quoted(store, "another", quoted("other cart", "content", "another quote")).await);
}

pub async fn a_quote_stays_with_its_cart_when_the_order_is_mended(store: &Shared) {
    let first = started(place_quoted(store, "first", quoted("cart", "content", "quote")).await);
    let mended = started(place_quoted(store, "mended", quoted("cart", "another address", "quote")).await);
    assert_ne!(first, mended);
    assert_eq!(kinds(store, first).await.last(), Some(&EventKind::OrderSuperseded));
    // The order that ended does not set it free for others.
    let other = place_quoted(store, "other", quoted("other cart", "content", "quote")).await;
    assert!(matches!(other, Placed::QuoteUsed), "{other:?}");
    let exchanged = started(place_quoted(store, "next", quoted("cart", "next", "next quote")).await);
    assert_ne!(mended, exchanged);
    let other = place_quoted(store, "other again", quoted("other cart", "content", "quote")).await;
    assert!(matches!(other, Placed::QuoteUsed), "{other:?}");
}

pub async fn a_quote_whose_order_was_given_back_is_used_up(store: &Shared) {
    let order = quoted("cart", "content", "quote");
    let reference = order.reference.clone();
    let payment = new_payment(100, NOW);
    let gateway_order_id = payment.gateway_order_id.clone();
    assert!(is_claimed(&claim(store, "key", NOW).await));
    let id = started(place(store, placement("key", cart(order), Some(payment)), NOW).await);
    let file = store.order_by_reference(&reference).await.unwrap().unwrap();
    let paid = Started { order: id, reference, payment: file.payments[0].id, gateway_order_id, minor: 100 };
    assert!(apply(store, &paid, notify(&paid), NOW).await.decision.takes_the_money());
    let again = place_quoted(store, "again", quoted("cart", "content", "quote")).await;
    assert!(matches!(again, Placed::NothingToPay(order) if order == id), "{again:?}");
    let other = place_quoted(store, "other", quoted("other cart", "content", "quote")).await;
    assert!(matches!(other, Placed::QuoteUsed), "{other:?}");
}

pub async fn of_two_carts_with_one_quote_at_once_exactly_one_is_placed(store: &Shared) {
    let placed = at_once(20, |index| {
        let store = Arc::clone(store);
        let order = quoted(&format!("cart {index}"), "content", "quote");
        async move { place_quoted(&store, &format!("key {index}"), order).await }
    })
    .await;
    assert_eq!(placed.iter().filter(|placed| matches!(placed, Placed::Started(_))).count(), 1);
    assert_eq!(placed.iter().filter(|placed| matches!(placed, Placed::QuoteUsed)).count(), 19);
}

pub async fn fifty_placements_of_one_cart_at_once_make_one_order(store: &Shared) {
    let placed = at_once(50, |index| {
        let store = Arc::clone(store);
        let order = cart(new_order("cart", "content", 100));
        let placement = placement(&format!("key {index}"), order, Some(new_payment(100, NOW)));
        async move { started(place(&store, placement, NOW).await) }
    })
    .await;
    assert_eq!(placed.iter().collect::<HashSet<_>>().len(), 1);
    let file = store.order_by_cart(hash("cart")).await.unwrap().unwrap();
    assert_eq!((file.order.id, file.payments.len()), (placed[0], 50));
    let placed_events = kinds(store, placed[0]).await;
    assert_eq!(placed_events.iter().filter(|kind| **kind == EventKind::OrderPlaced).count(), 1);
}

pub async fn fifty_different_contents_of_one_cart_at_once_leave_one_living_order(store: &Shared) {
    let orders: Vec<_> = (0..50).map(|index| new_order("cart", &format!("content {index}"), 100)).collect();
    at_once(50, |index| {
        let store = Arc::clone(store);
        let order = cart(orders[index].clone());
        let placement = placement(&format!("key {index}"), order, Some(new_payment(100, NOW)));
        async move { started(place(&store, placement, NOW).await) }
    })
    .await;
    let mut states = Vec::new();
    for order in &orders {
        states.push(store.order_by_reference(&order.reference).await.unwrap().unwrap().order.state);
    }
    assert_eq!(states.iter().filter(|state| **state == OrderState::Open).count(), 1);
    assert_eq!(states.iter().filter(|state| **state == OrderState::Cancelled).count(), 49);
}

// Tokens and hand-over pages.

pub async fn only_the_newest_tokens_open_an_order(store: &Shared) {
    let [ours, other] = [start(store, 100, NOW).await, start(store, 100, NOW).await];
    store.add_token(other.order, hash("of another order"), NOW).await.unwrap();
    let most = i64::from(TOKENS_PER_ORDER);
    let token = |number: i64| hash(&format!("token {number}"));
    for number in 0..most + 3 {
        store.add_token(ours.order, token(number), NOW + number).await.unwrap();
    }
    for number in 0..most + 3 {
        let opened = store.order_by_token(token(number)).await.unwrap().map(|file| file.order.id);
        assert_eq!(opened, (number >= 3).then_some(ours.order), "token {number}");
    }
    let others = store.order_by_token(hash("of another order")).await.unwrap().unwrap();
    assert_eq!(others.order.id, other.order);
}

pub async fn the_token_that_was_just_made_works_even_if_many_were_made_in_that_moment(store: &Shared) {
    let ours = start(store, 100, NOW).await;
    for number in 0..TOKENS_PER_ORDER * 2 {
        // In falling and in rising order of their hashes: nothing but the order of arrival may count.
        let byte = u8::try_from(if number % 2 == 0 { number } else { 255 - number }).unwrap();
        let token = Hash([byte; 32]);
        store.add_token(ours.order, token, NOW).await.unwrap();
        assert!(store.order_by_token(token).await.unwrap().is_some(), "token {number}");
    }
}

pub async fn a_hand_over_page_is_byte_for_byte_and_its_first_showing_is_remembered(store: &Shared) {
    let payment = new_payment(100, NOW);
    let order = new_order("cart", "content", 100);
    assert!(is_claimed(&claim(store, "key", NOW).await));
    started(place(store, placement("key", cart(order.clone()), Some(payment.clone())), NOW).await);
    assert!(store.open_handoff(hash("unknown"), NOW).await.unwrap().is_none());
    for (later, first_time) in [(5, true), (6, false), (HOUR, false)] {
        let handoff = store.open_handoff(payment.handoff, NOW + later).await.unwrap().unwrap();
        assert_eq!(handoff.form, payment.form);
        assert_eq!(handoff.first_time, first_time);
        assert_eq!(handoff.order.new.reference, order.reference);
        assert_eq!(handoff.payment.gateway_order_id, payment.gateway_order_id);
    }
    // The same press again: a double click opens the page twice.
    let again = claim(store, "key", NOW + 7).await;
    assert!(matches!(again, KeyClaim::Done { .. }), "{again:?}");
    let handoff = store.open_handoff(payment.handoff, NOW + 8).await.unwrap().unwrap();
    assert!(handoff.first_time);
}

// Messages.

pub async fn a_message_for_no_payment_of_that_store_is_none(store: &Shared) {
    let ours = start(store, 100, NOW).await;
    for (of, gateway_order_id) in [("main", "NOBODY"), ("other", ours.gateway_order_id.as_str())] {
        let raw = Some("raw".to_owned());
        let applied = store.apply(of, gateway_order_id, notify(&ours), raw, NOW, &timing()).await.unwrap();
        assert!(applied.is_none(), "{of}");
    }
    assert_eq!(payment(store, &ours).await.state, PaymentState::Started);
    assert_eq!(kinds(store, ours.order).await.len(), 2);
}

pub async fn a_notify_pays_the_order(store: &Shared) {
    let ours = start(store, 4170, NOW).await;
    let applied = apply(store, &ours, notify(&ours), NOW + 5).await;
    assert!(applied.decision.takes_the_money());
    let file = file(store, &ours).await;
    let paid = &file.payments[0];
    assert_eq!((file.order.state, paid.state), (OrderState::Paid, PaymentState::Paid));
    assert_eq!((paid.trnref.as_deref(), paid.confirmed, paid.state_since_ms), (Some("T1"), true, NOW + 5));
    assert_eq!(paid.next_ask_at_ms, Some(NOW + 5 + timing().ask_paid_ms[0]), "our OK may be lost");
    assert_eq!(kinds(store, ours.order).await.last(), Some(&EventKind::Notified));
}

pub async fn a_notify_for_another_amount_or_currency_is_refused(store: &Shared) {
    for money in [eur(4171), eur(4169), Money::new(4170, Currency::from_code("USD").unwrap())] {
        let ours = start(store, 4170, NOW).await;
        let odd = Cause::Notify { money, trnref: "T1".into() };
        assert!(!apply(store, &ours, odd, NOW).await.decision.takes_the_money());
        let file = file(store, &ours).await;
        assert_eq!((file.order.state, file.payments[0].state), (OrderState::Open, PaymentState::Refused));
        assert!(file.payments[0].next_ask_at_ms.is_some(), "asked about until the money is back");
        assert_eq!(kinds(store, ours.order).await.last(), Some(&EventKind::NotifyRefused));
    }
}

pub async fn a_cancel_is_noted_and_a_late_notify_still_pays(store: &Shared) {
    let ours = start(store, 100, NOW).await;
    apply(store, &ours, Cause::Cancel, NOW + 1).await;
    assert_eq!(payment(store, &ours).await.state, PaymentState::Cancelled);
    apply(store, &ours, Cause::Cancel, NOW + 2).await;
    assert!(apply(store, &ours, notify(&ours), NOW + 3).await.decision.takes_the_money());
    let expected =
        [EventKind::OrderPlaced, EventKind::PaymentStarted, EventKind::Cancelled, EventKind::Notified];
    assert_eq!(kinds(store, ours.order).await, expected);
}

pub async fn a_cancel_of_a_paid_payment_is_doubted_and_takes_nothing_away(store: &Shared) {
    let ours = paid(store, 100, NOW).await;
    apply(store, &ours, Cause::Cancel, NOW + 4).await;
    let file = file(store, &ours).await;
    assert_eq!((file.order.state, file.payments[0].state), (OrderState::Paid, PaymentState::Paid));
    assert!(!file.payments[0].confirmed);
    assert_eq!(file.payments[0].next_ask_at_ms, Some(NOW + 4 + timing().ask_returned_ms[0]), "soon");
    assert!(apply(store, &ours, notify(&ours), NOW + 5).await.decision.takes_the_money());
    assert!(payment(store, &ours).await.confirmed);
}

pub async fn a_return_is_noted_once_and_changes_no_state(store: &Shared) {
    let ours = start(store, 100, NOW).await;
    apply(store, &ours, Cause::Returned, NOW + 1).await;
    apply(store, &ours, Cause::Returned, NOW + 2).await;
    let file = file(store, &ours).await;
    assert_eq!((file.order.state, file.payments[0].state), (OrderState::Open, PaymentState::Started));
    assert_eq!(file.payments[0].returned_at_ms, Some(NOW + 1));
    assert_eq!(file.payments[0].next_ask_at_ms, Some(NOW + 1 + timing().ask_returned_ms[0]), "asked soon");
    let events = kinds(store, ours.order).await;
    assert_eq!(events.iter().filter(|kind| **kind == EventKind::Returned).count(), 1);
}

pub async fn a_rollback_opens_the_order_again_and_is_final(store: &Shared) {
    let ours = paid(store, 100, NOW).await;
    apply(store, &ours, Cause::Rollback, NOW + 1).await;
    let reversed = file(store, &ours).await;
    assert_eq!(
        (reversed.order.state, reversed.payments[0].state),
        (OrderState::Open, PaymentState::Reversed)
    );
    assert_eq!(reversed.payments[0].next_ask_at_ms, None);
    for (cause, refusal) in [(notify(&ours), true), (status_paid(&ours), true), (Cause::Rollback, false)] {
        let late = apply(store, &ours, cause.clone(), NOW + 2).await;
        assert_eq!(late.decision.outcome.err(), refusal.then_some(Refusal::PaymentReversed), "{cause:?}");
        assert_eq!(payment(store, &ours).await.state, PaymentState::Reversed);
    }
    assert_eq!(file(store, &ours).await.order.state, OrderState::Open);
}

pub async fn a_status_of_paid_pays_and_is_confirmed_ten_minutes_later(store: &Shared) {
    let ours = start(store, 100, NOW).await;
    apply(store, &ours, status_paid(&ours), NOW).await;
    let first = file(store, &ours).await;
    assert_eq!((first.order.state, first.payments[0].confirmed), (OrderState::Paid, false));
    assert_eq!(first.payments[0].status_paid_at_ms, Some(NOW));
    apply(store, &ours, status_paid(&ours), NOW + 10 * MINUTE - 1).await;
    assert!(!payment(store, &ours).await.confirmed);
    apply(store, &ours, status_paid(&ours), NOW + 10 * MINUTE).await;
    assert!(payment(store, &ours).await.confirmed);
    let events = kinds(store, ours.order).await;
    assert_eq!(events[2..], [EventKind::StatusPaid, EventKind::StatusConfirmed]);
}

pub async fn an_unsuccessful_status_counts_only_after_the_deadline(store: &Shared) {
    let ours = start(store, 100, NOW).await;
    let deadline = NOW + 30 * MINUTE + timing().settle_grace_ms;
    apply(store, &ours, Cause::StatusUnsuccessful, deadline - 1).await;
    assert_eq!(payment(store, &ours).await.state, PaymentState::Started);
    apply(store, &ours, Cause::StatusUnsuccessful, deadline).await;
    let failed = payment(store, &ours).await;
    let once_more = deadline + timing().ask_failed_ms[0];
    assert_eq!((failed.state, failed.next_ask_at_ms), (PaymentState::Failed, Some(once_more)));
    apply(store, &ours, Cause::StatusUnsuccessful, once_more).await;
    assert_eq!(payment(store, &ours).await.next_ask_at_ms, None, "that was the last time");
    assert!(apply(store, &ours, notify(&ours), once_more + HOUR).await.decision.takes_the_money());
}

pub async fn a_reversed_status_undoes_a_payment(store: &Shared) {
    let ours = paid(store, 100, NOW).await;
    apply(store, &ours, Cause::StatusReversed, NOW + 1).await;
    let file = file(store, &ours).await;
    assert_eq!((file.order.state, file.payments[0].state), (OrderState::Open, PaymentState::Reversed));
    assert_eq!(kinds(store, ours.order).await.last(), Some(&EventKind::StatusReversed));
}

pub async fn an_undecided_status_is_counted_and_asked_again(store: &Shared) {
    let ours = start(store, 100, NOW).await;
    let mut now = NOW + HOUR;
    for (count, wait) in [(1, 1), (2, 2), (3, 4), (4, 8)] {
        apply(store, &ours, Cause::StatusUndecided, now).await;
        let asked = payment(store, &ours).await;
        assert_eq!((asked.state, asked.unanswered), (PaymentState::Started, count));
        assert_eq!(asked.next_ask_at_ms, Some(now + wait * MINUTE));
        now += HOUR;
    }
    assert_eq!(kinds(store, ours.order).await.len(), 2, "no event");
}

pub async fn fifty_equal_notifies_at_once_have_one_effect_and_one_answer(store: &Shared) {
    let ours = start(store, 100, NOW).await;
    let answers = at_once(50, |_| {
        let (store, ours) = (Arc::clone(store), ours.clone());
        async move { apply_raw(&store, &ours, notify(&ours), Some("raw"), NOW).await }
    })
    .await;
    assert!(answers.iter().all(|applied| applied.decision.takes_the_money()));
    let events = events(store, ours.order).await;
    let of = |kind| events.iter().filter(|event| event.what.kind == kind).count();
    assert_eq!((of(EventKind::Notified), of(EventKind::NotifyRepeated)), (1, 49));
    assert_eq!(events.iter().filter(|event| event.what.raw.is_some()).count(), 50, "each message is kept");
}

pub async fn of_two_payments_notified_at_once_exactly_one_is_paid(store: &Shared) {
    for round in 0..10 {
        let in_cart = format!("cart {round}");
        let payments = [start_in(store, &in_cart, 100, NOW).await, start_in(store, &in_cart, 100, NOW).await];
        let answers = at_once(2, |index| {
            let (store, one) = (Arc::clone(store), payments[index].clone());
            async move { apply(&store, &one, notify(&one), NOW).await.decision.takes_the_money() }
        })
        .await;
        assert_eq!(answers.iter().filter(|taken| **taken).count(), 1);
        let mut states = Vec::new();
        for one in &payments {
            states.push(payment(store, one).await.state);
        }
        states.sort_by_key(|state| state.name());
        assert_eq!(states, [PaymentState::Paid, PaymentState::Refused]);
        assert_eq!(file(store, &payments[0]).await.order.state, OrderState::Paid);
    }
}

pub async fn a_second_payment_of_a_paid_order_is_refused(store: &Shared) {
    for told in [true, false] {
        let in_cart = format!("cart {told}");
        let first = start_in(store, &in_cart, 100, NOW).await;
        let second = start_in(store, &in_cart, 100, NOW).await;
        apply(store, &first, notify(&first), NOW).await;
        let cause = if told { notify(&second) } else { status_paid(&second) };
        let applied = apply(store, &second, cause.clone(), NOW).await;
        assert!(!applied.decision.takes_the_money());
        assert_eq!(payment(store, &second).await.state, PaymentState::Refused);
        assert_eq!(payment(store, &first).await.state, PaymentState::Paid);
        // It gets the same answer again, at any time.
        assert!(!apply(store, &second, notify(&second), NOW + HOUR).await.decision.takes_the_money());
        assert!(apply(store, &first, notify(&first), NOW + HOUR).await.decision.takes_the_money());
    }
}

pub async fn a_rollback_of_a_refunded_payment_is_raised(store: &Shared) {
    let ours = paid(store, 100, NOW).await;
    assert!(matches!(reserve(store, &ours, eur(10)).await, Ok(Reserved::Yes(_))));
    apply(store, &ours, Cause::Rollback, NOW).await;
    let events = kinds(store, ours.order).await;
    assert!(events.ends_with(&[EventKind::RolledBack, EventKind::Contradiction]), "{events:?}");

    let freed = paid(store, 100, NOW).await;
    let refund = reserved(store, &freed, 10).await;
    settle(store, refund, RefundEvent::AnsweredNo).await.unwrap();
    apply(store, &freed, Cause::Rollback, NOW).await;
    assert_eq!(
        kinds(store, freed.order).await.last(),
        Some(&EventKind::RolledBack),
        "no refund counts any more"
    );
}

// Events.

pub async fn events_are_in_order_and_each_raw_message_is_kept_once(store: &Shared) {
    let ours = start(store, 100, NOW).await;
    apply_raw(store, &ours, Cause::Returned, Some("ok=1"), NOW + 1).await;
    apply_raw(store, &ours, notify(&ours), Some("notify=\u{fc}"), NOW + 2).await;
    apply_raw(store, &ours, notify(&ours), Some("notify=again"), NOW + 3).await;
    assert!(matches!(reserve(store, &ours, eur(10)).await, Ok(Reserved::Yes(_))));
    apply_raw(store, &ours, Cause::Rollback, Some("rollback=1"), NOW + 4).await;
    let read: Vec<_> = events(store, ours.order)
        .await
        .into_iter()
        .map(|event| (event.at_ms - NOW, event.what.kind, event.what.raw, event.payment.is_some()))
        .collect();
    let expected = [
        (0, EventKind::OrderPlaced, None, false),
        (0, EventKind::PaymentStarted, None, true),
        (1, EventKind::Returned, Some("ok=1"), true),
        (2, EventKind::Notified, Some("notify=\u{fc}"), true),
        (3, EventKind::NotifyRepeated, Some("notify=again"), true),
        (0, EventKind::RefundReserved, Some("IPCmethod=IPCRefund"), true),
        (4, EventKind::RolledBack, Some("rollback=1"), true),
        (4, EventKind::Contradiction, None, true),
    ];
    assert_eq!(read, expected.map(|(at, kind, raw, of)| (at, kind, raw.map(str::to_owned), of)));
}

pub async fn events_of_a_payment_and_of_nobody_are_recorded(store: &Shared) {
    let ours = start(store, 100, NOW).await;
    let event = |detail: &str| NewEvent {
        kind: EventKind::Contradiction,
        detail: detail.to_owned(),
        raw: Some("raw".to_owned()),
    };
    store.record(Some(ours.payment), event("ours"), NOW + 7).await.unwrap();
    store.record(None, event("nobody's"), NOW).await.unwrap();
    let last = events(store, ours.order).await.pop().unwrap();
    assert_eq!((last.at_ms, last.payment, last.what.detail.as_str()), (NOW + 7, Some(ours.payment), "ours"));
    assert_eq!(last.what.raw.as_deref(), Some("raw"));
}

pub async fn a_payment_that_is_raised_is_asked_about_no_more(store: &Shared) {
    let [ours, other] = [start(store, 100, NOW).await, start(store, 100, NOW).await];
    let event = NewEvent { kind: EventKind::Contradiction, detail: "look at it".to_owned(), raw: None };
    store.raise(ours.payment, event, NOW + 1).await.unwrap();
    assert_eq!(payment(store, &ours).await.next_ask_at_ms, None);
    assert_eq!(kinds(store, ours.order).await.last(), Some(&EventKind::Contradiction));
    let due: Vec<_> = store.claim_due(NOW + HOUR, MINUTE, 9).await.unwrap().iter().map(|p| p.id).collect();
    assert_eq!(due, [other.payment]);
    assert!(apply(store, &ours, notify(&ours), NOW + 2).await.decision.takes_the_money(), "a message counts");
}

pub async fn a_contradiction_is_recorded_once(store: &Shared) {
    let ours = paid(store, 100, NOW).await;
    for (minor, contradictions) in [(99, 1), (99, 1), (98, 2), (99, 2)] {
        let odd = Cause::Notify { money: eur(minor), trnref: "T1".into() };
        assert!(!apply_raw(store, &ours, odd, Some("odd"), NOW).await.decision.takes_the_money());
        let kinds = kinds(store, ours.order).await;
        let of = |wanted| kinds.iter().filter(|kind| **kind == wanted).count();
        assert_eq!(of(EventKind::Contradiction), contradictions, "{minor}");
    }
    assert_eq!(payment(store, &ours).await.state, PaymentState::Paid);
}

pub async fn it_is_known_whether_something_happened_to_a_payment(store: &Shared) {
    let [ours, other] = [start(store, 100, NOW).await, start(store, 100, NOW).await];
    store.record_declined(ours.payment, vec!["1: 05".to_owned()], NOW).await.unwrap();
    let has = async |payment, kind| store.has_event(payment, kind).await.unwrap();
    assert!(has(ours.payment, EventKind::Declined).await);
    assert!(!has(ours.payment, EventKind::Notified).await);
    assert!(!has(other.payment, EventKind::Declined).await);
}

pub async fn a_declined_attempt_is_recorded_once(store: &Shared) {
    let [ours, other] = [start(store, 100, NOW).await, start(store, 100, NOW).await];
    let attempts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    store.record_declined(ours.payment, attempts(&["1: 05"]), NOW).await.unwrap();
    store.record_declined(ours.payment, attempts(&["1: 05", "2: 51"]), NOW + 1).await.unwrap();
    at_once(20, |_| {
        let (store, attempts) = (Arc::clone(store), attempts(&["1: 05", "2: 51", "3: 05"]));
        let payment = ours.payment;
        async move { store.record_declined(payment, attempts, NOW + 2).await.unwrap() }
    })
    .await;
    store.record_declined(other.payment, attempts(&["1: 05"]), NOW).await.unwrap();
    let declined = |events: Vec<checkout::records::Event>| -> Vec<(i64, String)> {
        let declined = events.into_iter().filter(|event| event.what.kind == EventKind::Declined);
        declined.map(|event| (event.at_ms - NOW, event.what.detail)).collect()
    };
    let expected = [(0, "1: 05"), (1, "2: 51"), (2, "3: 05")].map(|(at, text)| (at, text.to_owned()));
    assert_eq!(declined(events(store, ours.order).await), expected);
    assert_eq!(declined(events(store, other.order).await).len(), 1, "the same attempt of another payment");
}

// What is to be asked about.

pub async fn nothing_is_due_before_its_time(store: &Shared) {
    let ours = start(store, 100, NOW).await;
    let due = NOW + timing().ask_started_ms[0];
    assert!(store.claim_due(due - 1, MINUTE, 50).await.unwrap().is_empty());
    let claimed = store.claim_due(due, MINUTE, 50).await.unwrap();
    assert_eq!(claimed.len(), 1);
    assert_eq!((claimed[0].id, &claimed[0].gateway_order_id), (ours.payment, &ours.gateway_order_id));
}

pub async fn the_longest_due_come_first(store: &Shared) {
    let mut started_at = Vec::new();
    for minutes in [4, 1, 3, 2] {
        started_at.push((minutes, start(store, 100, NOW + minutes * MINUTE).await.payment));
    }
    started_at.sort_by_key(|(minutes, _)| *minutes);
    let expected: Vec<_> = started_at.into_iter().map(|(_, payment)| payment).collect();
    let later = NOW + HOUR;
    let first: Vec<_> = store.claim_due(later, MINUTE, 3).await.unwrap().iter().map(|p| p.id).collect();
    assert_eq!(first, expected[..3]);
    let rest: Vec<_> = store.claim_due(later, MINUTE, 3).await.unwrap().iter().map(|p| p.id).collect();
    assert_eq!(rest, expected[3..]);
}

pub async fn what_was_claimed_and_not_asked_about_is_given_back(store: &Shared) {
    for minutes in 0..3 {
        start(store, 100, NOW + minutes * MINUTE).await;
    }
    let claim = async |now_ms| -> Vec<_> {
        store.claim_due(now_ms, MINUTE, 2).await.unwrap().iter().map(|payment| payment.id).collect()
    };
    let (first, due) = (claim(NOW + HOUR).await, NOW + HOUR);
    store.give_back_due(first.clone(), due + 1).await.unwrap();
    assert_eq!(claim(due).await.len(), 1, "somebody else's claim stays");
    store.give_back_due(first.clone(), due + MINUTE).await.unwrap();
    assert_eq!(claim(due).await, first);
}

pub async fn an_order_and_its_payments_are_read_in_one_moment(store: &Shared) {
    for _ in 0..50 {
        let ours = start(store, 100, NOW).await;
        let looking = {
            let (store, ours) = (Arc::clone(store), ours.clone());
            tokio::spawn(async move {
                loop {
                    let read = file(&store, &ours).await;
                    let is_paid = read.order.state == OrderState::Paid;
                    assert_eq!(is_paid, read.payments[0].state == PaymentState::Paid, "{read:?}");
                    if is_paid {
                        break;
                    }
                }
            })
        };
        apply(store, &ours, notify(&ours), NOW).await;
        looking.await.unwrap();
    }
}

pub async fn no_payment_is_claimed_twice(store: &Shared) {
    for _ in 0..40 {
        start(store, 100, NOW).await;
    }
    let claimed = at_once(20, |_| {
        let store = Arc::clone(store);
        async move { store.claim_due(NOW + HOUR, MINUTE, 3).await.unwrap() }
    })
    .await;
    let ids: Vec<_> = claimed.iter().flatten().map(|payment| payment.id).collect();
    assert_eq!(ids.len(), 40, "each is claimed");
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 40, "by one");
}

pub async fn a_claim_ends_with_its_lease_or_with_an_answer(store: &Shared) {
    let ours = start(store, 100, NOW).await;
    let due = NOW + HOUR;
    let claim = async |now_ms| store.claim_due(now_ms, MINUTE, 50).await.unwrap().len();
    assert_eq!(claim(due).await, 1);
    assert_eq!(claim(due + MINUTE - 1).await, 0);
    assert_eq!(claim(due + MINUTE).await, 1, "whoever claimed it has gone");
    apply(store, &ours, Cause::StatusUndecided, due + MINUTE).await;
    assert_eq!(claim(due + 2 * MINUTE - 1).await, 0);
    assert_eq!(claim(due + 2 * MINUTE).await, 1, "asked again after the back-off, not after the lease");
}

pub async fn the_unsettled_are_read_page_by_page_whether_due_or_not(store: &Shared) {
    let mut open = Vec::new();
    for index in 0..7 {
        let one = start(store, 100, NOW).await;
        if index == 3 {
            apply(store, &one, Cause::StatusReversed, NOW).await;
        } else {
            open.push(one.payment);
        }
    }
    let page = async |after| -> Vec<PaymentId> {
        store.unsettled(after, 4).await.unwrap().into_iter().map(|payment| payment.id).collect()
    };
    assert_eq!(page(PaymentId(0)).await, open[..4]);
    assert_eq!(page(open[3]).await, open[4..]);
    assert!(page(open[5]).await.is_empty());
}

// Refunds.

pub async fn of_two_refunds_that_do_not_both_fit_one_is_reserved(store: &Shared) {
    for _ in 0..5 {
        let ours = paid(store, 10_000, NOW).await;
        let answers = at_once(2, |_| {
            let (store, ours) = (Arc::clone(store), ours.clone());
            async move { reserve(&store, &ours, eur(6_000)).await.unwrap() }
        })
        .await;
        assert_eq!(answers.iter().filter(|answer| **answer == Reserved::No).count(), 1);
        assert!(matches!(reserve(store, &ours, eur(4_001)).await, Ok(Reserved::No)));
        assert!(matches!(reserve(store, &ours, eur(4_000)).await, Ok(Reserved::Yes(_))));
    }
}

pub async fn a_hundred_refunds_at_once_take_exactly_what_was_paid(store: &Shared) {
    let ours = paid(store, 5_000, NOW).await;
    let answers = at_once(100, |_| {
        let (store, ours) = (Arc::clone(store), ours.clone());
        async move { reserve(&store, &ours, eur(100)).await.unwrap() }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| **answer != Reserved::No).count(), 50);
    let reserved = kinds(store, ours.order).await;
    assert_eq!(reserved.iter().filter(|kind| **kind == EventKind::RefundReserved).count(), 50);
}

pub async fn only_a_paid_or_refused_payment_is_refunded_in_its_own_currency(store: &Shared) {
    for (cause, allowed) in [
        (None, false),
        (Some(Cause::Cancel), false),
        (Some(Cause::Rollback), false),
        (Some(Cause::Notify { money: eur(100), trnref: "T1".into() }), true),
        (Some(Cause::Notify { money: eur(101), trnref: "T1".into() }), true),
    ] {
        let ours = start(store, 100, NOW).await;
        if let Some(cause) = cause.clone() {
            apply(store, &ours, cause, NOW).await;
        }
        let dollars = Money::new(100, Currency::from_code("USD").unwrap());
        assert!(matches!(reserve(store, &ours, dollars).await, Ok(Reserved::No)), "{cause:?}");
        assert!(matches!(reserve(store, &ours, eur(101)).await, Ok(Reserved::No)), "{cause:?}");
        let answer = reserve(store, &ours, eur(100)).await.unwrap();
        assert_eq!(answer != Reserved::No, allowed, "{cause:?}");
    }
    let nobodys = Started { payment: PaymentId(987_654), ..start(store, 100, NOW).await };
    assert!(matches!(reserve(store, &nobodys, eur(1)).await, Ok(Reserved::No)));
}

pub async fn a_refund_of_nothing_or_less_is_never_reserved(store: &Shared) {
    let ours = paid(store, 100, NOW).await;
    for minor in [0, -1, -100, i64::MIN] {
        let answer = reserve(store, &ours, eur(minor)).await;
        assert!(!matches!(answer, Ok(Reserved::Yes(_))), "{minor}: {answer:?}");
    }
    assert!(matches!(reserve(store, &ours, eur(100)).await, Ok(Reserved::Yes(_))), "all of it is left");
}

pub async fn a_refused_refund_frees_its_amount_and_an_unknown_one_does_not(store: &Shared) {
    for (event, kind, frees) in [
        (RefundEvent::AnsweredYes, EventKind::RefundDone, false),
        (RefundEvent::Undecided, EventKind::RefundUnknown, false),
        (RefundEvent::AnsweredNo, EventKind::RefundRefused, true),
    ] {
        let ours = paid(store, 100, NOW).await;
        let refund = reserved(store, &ours, 60).await;
        assert!(matches!(reserve(store, &ours, eur(41)).await, Ok(Reserved::No)), "reserved counts");
        let settlement = Settlement {
            detail: "9 E_WRONG_AMOUNT".into(),
            raw: Some("{\"Status\":\"9\"}".into()),
            ..answered(event)
        };
        store.settle_refund(refund, settlement, NOW + 1).await.unwrap().unwrap();
        let again = reserve(store, &ours, eur(41)).await.unwrap();
        assert_eq!(again != Reserved::No, frees, "{event:?}");
        let events = events(store, ours.order).await;
        let settled = events.iter().find(|event| event.what.kind == kind).unwrap();
        assert_eq!((settled.at_ms, settled.what.detail.as_str()), (NOW + 1, "9 E_WRONG_AMOUNT"));
        assert_eq!(settled.what.raw.as_deref(), Some("{\"Status\":\"9\"}"));
        assert_eq!(settled.payment, Some(ours.payment));
    }
}

pub async fn a_settled_refund_does_not_change_and_an_unknown_one_may(store: &Shared) {
    for (end, takes) in [(RefundEvent::AnsweredYes, true), (RefundEvent::AnsweredNo, false)] {
        for other in RefundEvent::ALL {
            let ours = paid(store, 100, NOW).await;
            let refund = reserved(store, &ours, 60).await;
            let state = settle(store, refund, end).await.unwrap();
            let before = kinds(store, ours.order).await;
            let again = settle(store, refund, other).await;
            assert!(again == Ok(state) || again.is_err(), "{end:?} then {other:?}: {again:?}");
            let mut expected = before;
            if again == Err(Refusal::Contradiction) {
                expected.push(EventKind::Contradiction);
            }
            assert_eq!(kinds(store, ours.order).await, expected, "{end:?} then {other:?}");
            let left = reserve(store, &ours, eur(41)).await.unwrap();
            assert_eq!(left == Reserved::No, takes, "{end:?} then {other:?}");
        }
    }
    for (known, takes) in [
        (RefundEvent::AnsweredYes, true),
        (RefundEvent::RecordedDone, true),
        (RefundEvent::AnsweredNo, false),
        (RefundEvent::RecordedNotDone, false),
    ] {
        let ours = paid(store, 100, NOW).await;
        let refund = reserved(store, &ours, 60).await;
        settle(store, refund, RefundEvent::Undecided).await.unwrap();
        settle(store, refund, known).await.unwrap();
        assert_eq!(reserve(store, &ours, eur(41)).await.unwrap() == Reserved::No, takes, "{known:?}");
    }
    assert_eq!(settle(store, RefundId(987_654), RefundEvent::AnsweredYes).await, Err(Refusal::RefundState));
}

pub async fn a_refund_that_is_not_done_is_raised_for_a_person(store: &Shared) {
    for (event, raised) in
        [(RefundEvent::AnsweredYes, false), (RefundEvent::AnsweredNo, true), (RefundEvent::Undecided, true)]
    {
        let ours = refused(store, 100).await;
        let refund = reserved(store, &ours, 100).await;
        settle(store, refund, event).await.unwrap();
        let is_raised = kinds(store, ours.order).await.contains(&EventKind::Contradiction);
        assert_eq!(is_raised, raised, "{event:?}");
        let order = file(store, &ours).await.order;
        assert_eq!(order.attention_since_ms.is_some(), raised, "{event:?}");
        assert_eq!(payment(store, &ours).await.next_ask_at_ms, None, "{event:?}: no question can help");
    }
}

pub async fn a_refund_of_a_paid_payment_does_not_end_the_questions_about_it(store: &Shared) {
    for event in [RefundEvent::AnsweredYes, RefundEvent::AnsweredNo, RefundEvent::Undecided] {
        let ours = paid(store, 100, NOW).await;
        let before = payment(store, &ours).await.next_ask_at_ms;
        assert!(before.is_some(), "our OK may have been lost");
        let refund = reserved(store, &ours, 10).await;
        settle(store, refund, event).await.unwrap();
        assert_eq!(payment(store, &ours).await.next_ask_at_ms, before, "{event:?}");
    }
}

pub async fn a_refund_that_nobody_settled_becomes_unknown_and_is_raised(store: &Shared) {
    let ours = refused(store, 100).await;
    reserved(store, &ours, 60).await;
    let settled = refused(store, 100).await;
    let refund = reserved(store, &settled, 60).await;
    settle(store, refund, RefundEvent::AnsweredYes).await.unwrap();
    assert_eq!(store.abandon_refunds(NOW, NOW + HOUR).await.unwrap(), 0, "it may be on its way");
    let abandoned = at_once(5, |_| {
        let store = Arc::clone(store);
        async move { store.abandon_refunds(NOW + 1, NOW + HOUR).await.unwrap() }
    })
    .await;
    assert_eq!(abandoned.iter().sum::<u32>(), 1, "once");
    let events = kinds(store, ours.order).await;
    assert!(events.ends_with(&[EventKind::RefundUnknown, EventKind::Contradiction]), "{events:?}");
    assert!(matches!(reserve(store, &ours, eur(41)).await, Ok(Reserved::No)), "its amount stays set aside");
    assert_eq!(kinds(store, settled.order).await.last(), Some(&EventKind::RefundDone));
}

/// A payment whose money cannot be taken.
async fn refused(store: &Shared, minor: i64) -> Started {
    let ours = start(store, minor, NOW).await;
    let odd = Cause::Notify { money: eur(minor + 1), trnref: "T1".into() };
    assert_eq!(apply(store, &ours, odd, NOW).await.decision.payment.state, PaymentState::Refused);
    ours
}

// The end of orders.

pub async fn an_order_expires_when_no_payment_can_still_pay_it(store: &Shared) {
    let ours = start(store, 100, NOW).await;
    let later = NOW + 26 * HOUR;
    let expire = async |placed_before| store.expire(placed_before, NOW, later).await.unwrap();
    assert_eq!(expire(later).await, 0, "its payment may still be paid");
    apply(store, &ours, Cause::StatusUnsuccessful, NOW + HOUR).await;
    assert_eq!(expire(later).await, 0, "it is asked about once more");
    apply(store, &ours, Cause::StatusUnsuccessful, NOW + 25 * HOUR).await;
    let second = start_in(store, "cart of a second payment", 100, NOW).await;
    assert_eq!(expire(NOW).await, 0, "it is too young");
    assert_eq!(expire(NOW + 1).await, 1);
    assert_eq!(file(store, &ours).await.order.state, OrderState::Expired);
    assert_eq!(file(store, &second).await.order.state, OrderState::Open);
    let last = events(store, ours.order).await.pop().unwrap();
    assert_eq!((last.what.kind, last.at_ms), (EventKind::OrderExpired, later));
    assert_eq!(expire(NOW + 1).await, 0, "once");
    assert_eq!(apply(store, &ours, notify(&ours), later).await.decision.payment.state, PaymentState::Refused);
    assert_eq!(file(store, &ours).await.order.state, OrderState::Expired);
}

pub async fn an_order_that_is_not_open_does_not_expire(store: &Shared) {
    let paid = paid(store, 100, NOW).await;
    apply(store, &paid, status_paid(&paid), NOW + 100 * HOUR).await;
    assert_eq!(payment(store, &paid).await.next_ask_at_ms, None, "nothing is left to ask");
    let awaiting = placement("key", cart(new_order("cart", "content", 100)), None);
    let awaiting = started(place(store, awaiting, NOW).await);
    assert_eq!(store.expire(NOW + 1000 * HOUR, NOW, NOW + 1000 * HOUR).await.unwrap(), 0);
    assert_eq!(file(store, &paid).await.order.state, OrderState::Paid);
    assert_eq!(kinds(store, awaiting).await.len(), 2);
}

pub async fn what_waits_is_counted(store: &Shared) {
    assert_eq!(store.backlog(NOW).await.unwrap(), Backlog::default());
    let ours = start(store, 100, NOW).await;
    assert_eq!(store.backlog(NOW).await.unwrap().due, 0, "not yet");
    let due = store.backlog(NOW + HOUR).await.unwrap();
    assert_eq!((due.due, due.oldest_due_at_ms), (1, payment(store, &ours).await.next_ask_at_ms));
    // However often the gateway was asked meanwhile.
    assert_eq!((due.unsettled, due.oldest_unsettled_since_ms), (1, Some(NOW)));
    apply(store, &ours, Cause::StatusUndecided, NOW + HOUR).await;
    let asked = store.backlog(NOW + HOUR).await.unwrap();
    assert_eq!((asked.due, asked.unsettled, asked.oldest_unsettled_since_ms), (0, 1, Some(NOW)));

    let ours = paid(store, 100, NOW).await;
    let refund = reserved(store, &ours, 40).await;
    settle(store, refund, RefundEvent::Undecided).await.unwrap();
    let proposal = NewRefund { approval_above_minor: Some(10), ..new_refund(&ours, eur(20)) };
    assert!(matches!(store.reserve_refund(proposal, NOW).await.unwrap(), Reserved::Proposed(_)));
    for detail in ["once", "once", "another", "once"] {
        let event =
            NewEvent { kind: EventKind::UnknownMessage, detail: detail.into(), raw: Some("raw".into()) };
        store.record(None, event, NOW).await.unwrap();
    }
    let backlog = store.backlog(NOW).await.unwrap();
    let (proposed, unknown) = (backlog.proposed_refunds, backlog.unknown_refunds);
    assert_eq!((proposed, unknown, backlog.orders_for_a_person, backlog.unknown_messages), (1, 1, 1, 2));
    assert_eq!(backlog.unsettled, 1, "what is paid is settled");
}

pub async fn it_is_ready(store: &Shared) {
    store.ready().await.unwrap();
}

//! The suite for the outbox: what the merchant's systems are told, and when.

use std::sync::Arc;

use checkout::people::Action;
use checkout::records::RefundKind;
use checkout::rules::Cause;
use checkout::store::merchant::{NewReceipt, RecordedRefund};
use checkout::store::outbox::{ClaimedWebhook, Redelivery, Tried, Webhook, WebhookKind, WebhookState};
use domain::{OrderState, RefundEvent};
use serde_json::Value;

use crate::world::*;

/// Makes a test of each function of the suite, as `conformance!` does.
macro_rules! outbox_conformance {
    ($fresh:path) => {
        each_on! { $fresh, outbox:
            nobody_is_told_where_nobody_listens,
            each_endpoint_is_told_once_that_an_order_was_paid,
            paid_by_status_alone_is_told_once_it_is_confirmed,
            a_doubt_about_a_payment_is_not_told,
            what_went_back_before_it_was_beyond_doubt_is_told_with_it,
            what_went_back_in_full_before_it_was_beyond_doubt_is_not_told,
            a_payment_that_was_not_taken_is_not_told,
            a_reversal_is_told_only_to_those_who_heard_of_the_payment,
            each_refund_is_told_with_the_sum_of_all,
            refunds_of_money_that_was_never_the_orders_are_not_told,
            money_received_by_hand_is_told_and_so_is_its_refund,
            an_order_that_stays_paid_by_hand_is_not_told_as_reversed,
            money_received_by_hand_in_place_of_a_doubtful_payment_is_told_as_what_it_is,
            what_failed_with_its_transaction_is_not_told,
            of_each_order_only_the_oldest_message_is_sent,
            a_message_is_claimed_by_one_and_again_after_its_lease,
            what_was_claimed_and_not_sent_is_given_back,
            what_came_of_a_lost_claim_changes_nothing,
            what_is_given_up_is_sent_again_only_if_somebody_asks,
            what_waits_for_its_next_try_is_sent_at_once_if_somebody_asks,
            what_has_to_be_heard_before_it_is_sent_again_with_it,
            an_endpoint_is_told_for_as_long_as_some_server_wants_it,
            an_endpoint_that_is_gone_is_told_nothing_more,
        }
    };
}

const LEASE: i64 = 3 * MINUTE;

async fn wanted(store: &Shared, names: &[&str], now_ms: i64, forgotten_before_ms: i64) {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    store.want_endpoints(names, now_ms, forgotten_before_ms).await.unwrap();
}

/// These are told, and the others forgotten.
async fn listen(store: &Shared, names: &[&str]) {
    wanted(store, names, NOW, i64::MAX).await;
}

async fn told(store: &Shared, started: &Started) -> Vec<Webhook> {
    store.order_record(&started.reference).await.unwrap().unwrap().webhooks
}

async fn kinds_told(store: &Shared, started: &Started) -> Vec<WebhookKind> {
    told(store, started).await.into_iter().map(|webhook| webhook.kind).collect()
}

async fn claim(store: &Shared, now_ms: i64) -> Vec<ClaimedWebhook> {
    store.claim_webhooks("erp", now_ms, LEASE, 100).await.unwrap()
}

async fn note(store: &Shared, claimed: &ClaimedWebhook, state: WebhookState, next_try_at_ms: i64) {
    let tried = Tried { state, next_try_at_ms, answer: "HTTP status 500".into() };
    store.webhook_tried(claimed.webhook.id, claimed.leased_until_ms, tried, NOW).await.unwrap();
}

fn body(webhook: &Webhook) -> Value {
    serde_json::from_str(&webhook.body).unwrap()
}

async fn awaiting(store: &Shared, minor: i64) -> Started {
    let order = new_order(&format!("cart by hand {minor}"), "content", minor);
    let reference = order.reference.clone();
    let order =
        started(place(store, placement(&format!("key of {reference}"), cart(order), None), NOW).await);
    let none = checkout::records::PaymentId(0);
    Started { order, reference, payment: none, gateway_order_id: String::new(), minor }
}

async fn receive(store: &Shared, started: &Started, minor: i64) {
    let receipt = NewReceipt {
        order: started.order,
        money: eur(minor),
        key: hash(&format!("receipt {}", started.reference)),
        note: String::new(),
        settles: false,
        actor: anna(),
    };
    store.record_receipt(receipt, NOW).await.unwrap().unwrap();
}

pub async fn nobody_is_told_where_nobody_listens(store: &Shared) {
    let ours = paid(store, 100, NOW).await;
    listen(store, &["erp"]).await;
    assert!(told(store, &ours).await.is_empty(), "it happened before");
    assert!(claim(store, NOW).await.is_empty());
}

pub async fn each_endpoint_is_told_once_that_an_order_was_paid(store: &Shared) {
    listen(store, &["erp", "mail"]).await;
    let ours = start(store, 1_250, NOW).await;
    assert!(told(store, &ours).await.is_empty(), "nothing is paid yet");
    let (again, started) = (Arc::clone(store), ours.clone());
    at_once(20, |_| {
        let (store, ours) = (Arc::clone(&again), started.clone());
        async move { apply(&store, &ours, notify(&ours), NOW).await }
    })
    .await;
    let told = told(store, &ours).await;
    let endpoints: Vec<_> = told.iter().map(|webhook| webhook.endpoint.as_str()).collect();
    assert_eq!(endpoints, ["erp", "mail"]);
    let body = body(&told[0]);
    assert_eq!(body["type"], "order.paid");
    assert_eq!(body["timestamp"], "2027-01-15T08:00:00Z");
    let expected = serde_json::json!({
        "order": ours.reference, "reference": "", "mode": "test", "method": "card", "currency": "EUR",
        "total_minor": 1_250, "amount_minor": 1_250, "refunded_minor": 0, "gateway_reference": "T1",
    });
    assert_eq!(body["data"], expected);
    assert_eq!(told[0].message_id(), format!("{}-{}-{NOW}", ours.reference, told[0].id.0));
    assert!(!told[0].body.contains("ada@example.com"));
}

pub async fn paid_by_status_alone_is_told_once_it_is_confirmed(store: &Shared) {
    listen(store, &["erp"]).await;
    let ours = start(store, 100, NOW).await;
    apply(store, &ours, status_paid(&ours), NOW + MINUTE).await;
    assert_eq!(file(store, &ours).await.order.state, OrderState::Paid);
    assert!(told(store, &ours).await.is_empty(), "it is still being checked");
    apply(store, &ours, status_paid(&ours), NOW + 12 * MINUTE).await;
    apply(store, &ours, status_paid(&ours), NOW + 24 * MINUTE).await;
    assert_eq!(kinds_told(store, &ours).await, [WebhookKind::OrderPaid]);
}

pub async fn a_doubt_about_a_payment_is_not_told(store: &Shared) {
    listen(store, &["erp"]).await;
    let ours = paid(store, 100, NOW).await;
    for round in 1..3 {
        apply(store, &ours, Cause::Cancel, NOW + round * HOUR).await;
        assert!(!payment(store, &ours).await.confirmed, "it is asked about again");
        apply(store, &ours, status_paid(&ours), NOW + round * HOUR + MINUTE).await;
        apply(store, &ours, status_paid(&ours), NOW + round * HOUR + 12 * MINUTE).await;
        assert!(payment(store, &ours).await.confirmed);
    }
    assert_eq!(kinds_told(store, &ours).await, [WebhookKind::OrderPaid], "they ship once");
    apply(store, &ours, Cause::Cancel, NOW + 3 * HOUR).await;
    let refund = reserved(store, &ours, 30).await;
    settle(store, refund, RefundEvent::AnsweredYes).await.unwrap();
    apply(store, &ours, Cause::StatusReversed, NOW + 4 * HOUR).await;
    let expected = [WebhookKind::OrderPaid, WebhookKind::OrderRefunded, WebhookKind::OrderReversed];
    assert_eq!(kinds_told(store, &ours).await, expected);
}

/// A payment of 100 that a status reply called paid, of which some went back before another one agreed.
async fn refunded_before_it_was_confirmed(store: &Shared, minor: i64) -> Started {
    listen(store, &["erp"]).await;
    let ours = start(store, 100, NOW).await;
    apply(store, &ours, status_paid(&ours), NOW + MINUTE).await;
    let refund = reserved(store, &ours, minor).await;
    settle(store, refund, RefundEvent::AnsweredYes).await.unwrap();
    assert!(told(store, &ours).await.is_empty());
    apply(store, &ours, status_paid(&ours), NOW + 12 * MINUTE).await;
    assert!(payment(store, &ours).await.confirmed);
    ours
}

pub async fn what_went_back_before_it_was_beyond_doubt_is_told_with_it(store: &Shared) {
    let ours = refunded_before_it_was_confirmed(store, 30).await;
    assert_eq!(kinds_told(store, &ours).await, [WebhookKind::OrderPaid, WebhookKind::OrderRefunded]);
    assert_eq!(body(&told(store, &ours).await[1])["data"]["amount_minor"], 30);
    let rest = reserved(store, &ours, 70).await;
    settle(store, rest, RefundEvent::AnsweredYes).await.unwrap();
    let data = body(&told(store, &ours).await[2])["data"].clone();
    assert_eq!((&data["amount_minor"], &data["refunded_minor"]), (&70.into(), &100.into()));
}

pub async fn what_went_back_in_full_before_it_was_beyond_doubt_is_not_told(store: &Shared) {
    let ours = refunded_before_it_was_confirmed(store, 100).await;
    assert_eq!(file(store, &ours).await.order.state, OrderState::Refunded);
    assert!(told(store, &ours).await.is_empty(), "nobody is to ship it");
}

pub async fn a_payment_that_was_not_taken_is_not_told(store: &Shared) {
    listen(store, &["erp"]).await;
    let ours = start(store, 100, NOW).await;
    let other = Cause::Notify { money: eur(99), trnref: "T1".into() };
    assert!(!apply(store, &ours, other, NOW).await.decision.takes_the_money());
    apply(store, &ours, Cause::Rollback, NOW).await;
    assert!(told(store, &ours).await.is_empty());
}

pub async fn a_reversal_is_told_only_to_those_who_heard_of_the_payment(store: &Shared) {
    listen(store, &["erp"]).await;
    let ours = paid(store, 100, NOW).await;
    for _ in 0..2 {
        apply(store, &ours, Cause::Rollback, NOW).await;
    }
    assert_eq!(kinds_told(store, &ours).await, [WebhookKind::OrderPaid, WebhookKind::OrderReversed]);
    let doubtful = start(store, 100, NOW).await;
    apply(store, &doubtful, status_paid(&doubtful), NOW + MINUTE).await;
    apply(store, &doubtful, Cause::StatusReversed, NOW + 2 * MINUTE).await;
    assert!(told(store, &doubtful).await.is_empty());
}

pub async fn each_refund_is_told_with_the_sum_of_all(store: &Shared) {
    listen(store, &["erp"]).await;
    let ours = paid(store, 100, NOW).await;
    for minor in [30, 70] {
        let refund = reserved(store, &ours, minor).await;
        settle(store, refund, RefundEvent::AnsweredYes).await.unwrap();
        settle(store, refund, RefundEvent::AnsweredYes).await.unwrap();
    }
    let told = told(store, &ours).await;
    let sums: Vec<_> = told
        .iter()
        .map(body)
        .map(|body| {
            (
                body["type"].clone(),
                body["data"]["amount_minor"].clone(),
                body["data"]["refunded_minor"].clone(),
            )
        })
        .collect();
    let expected = [("order.paid", 100, 0), ("order.refunded", 30, 30), ("order.refunded", 70, 100)];
    assert_eq!(sums, expected.map(|(kind, amount, sum)| (kind.into(), amount.into(), sum.into())));
}

pub async fn refunds_of_money_that_was_never_the_orders_are_not_told(store: &Shared) {
    listen(store, &["erp"]).await;
    let ours = start_in(store, "twice", 100, NOW).await;
    let second = start_in(store, "twice", 100, NOW).await;
    for one in [&ours, &second] {
        apply(store, one, notify(one), NOW).await;
    }
    let refund = reserved(store, &second, 100).await;
    settle(store, refund, RefundEvent::AnsweredYes).await.unwrap();
    assert_eq!(kinds_told(store, &ours).await, [WebhookKind::OrderPaid]);
}

pub async fn money_received_by_hand_is_told_and_so_is_its_refund(store: &Shared) {
    listen(store, &["erp"]).await;
    let ours = awaiting(store, 5_000).await;
    receive(store, &ours, 5_000).await;
    receive(store, &ours, 5_000).await;
    let refund = RecordedRefund {
        order: ours.order,
        payment: None,
        kind: RefundKind::Hand,
        key: hash("by hand"),
        money: eur(1_000),
        reason: "too green".into(),
        actor: anna(),
    };
    store.record_refund(refund, NOW).await.unwrap();
    let told = told(store, &ours).await;
    assert_eq!(
        told.iter().map(|one| one.kind).collect::<Vec<_>>(),
        [WebhookKind::OrderPaid, WebhookKind::OrderRefunded]
    );
    assert_eq!(body(&told[0])["data"]["method"], "bank-transfer");
    assert_eq!(body(&told[0])["data"]["gateway_reference"], Value::Null);
    assert_eq!(body(&told[1])["data"]["refunded_minor"], 1_000);
}

pub async fn an_order_that_stays_paid_by_hand_is_not_told_as_reversed(store: &Shared) {
    listen(store, &["erp"]).await;
    let ours = paid(store, 100, NOW).await;
    receive(store, &ours, 100).await;
    apply(store, &ours, Cause::Rollback, NOW).await;
    assert_eq!(file(store, &ours).await.order.state, OrderState::Paid);
    assert_eq!(kinds_told(store, &ours).await, [WebhookKind::OrderPaid]);
}

pub async fn money_received_by_hand_in_place_of_a_doubtful_payment_is_told_as_what_it_is(store: &Shared) {
    listen(store, &["erp"]).await;
    let ours = start(store, 100, NOW).await;
    apply(store, &ours, status_paid(&ours), NOW + MINUTE).await;
    receive(store, &ours, 120).await;
    assert!(told(store, &ours).await.is_empty());
    apply(store, &ours, Cause::StatusReversed, NOW + 2 * MINUTE).await;
    let told = told(store, &ours).await;
    assert_eq!(told.iter().map(|webhook| webhook.kind).collect::<Vec<_>>(), [WebhookKind::OrderPaid]);
    let data = body(&told[0])["data"].clone();
    assert_eq!((&data["amount_minor"], &data["gateway_reference"]), (&120.into(), &Value::Null));
}

pub async fn what_failed_with_its_transaction_is_not_told(store: &Shared) {
    listen(store, &["erp"]).await;
    let ours = paid(store, 100, NOW).await;
    let whole = reserved(store, &ours, 100).await;
    assert!(matches!(reserve(store, &ours, eur(1)).await.unwrap(), checkout::store::Reserved::No));
    settle(store, whole, RefundEvent::AnsweredNo).await.unwrap();
    assert_eq!(kinds_told(store, &ours).await, [WebhookKind::OrderPaid]);
}

pub async fn of_each_order_only_the_oldest_message_is_sent(store: &Shared) {
    listen(store, &["erp"]).await;
    let (ours, other) = (paid(store, 100, NOW).await, paid(store, 100, NOW).await);
    apply(store, &ours, Cause::Rollback, NOW).await;
    let first = claim(store, NOW).await;
    let of: Vec<_> = first.iter().map(|claimed| (claimed.webhook.order, claimed.webhook.kind)).collect();
    assert_eq!(of, [(ours.order, WebhookKind::OrderPaid), (other.order, WebhookKind::OrderPaid)]);
    // It fails: what happened later goes on waiting for it.
    note(store, &first[0], WebhookState::Waiting, NOW + HOUR).await;
    assert!(claim(store, NOW + MINUTE).await.is_empty());
    let again = claim(store, NOW + HOUR).await;
    assert_eq!(again[0].webhook.body, first[0].webhook.body);
    assert_eq!((again[0].webhook.message_id(), again[0].webhook.tries), (first[0].webhook.message_id(), 1));
    note(store, &again[0], WebhookState::Delivered, NOW).await;
    let next = claim(store, NOW + HOUR).await;
    assert_eq!(next[0].webhook.kind, WebhookKind::OrderReversed);
}

pub async fn what_was_claimed_and_not_sent_is_given_back(store: &Shared) {
    listen(store, &["erp"]).await;
    for _ in 0..3 {
        paid(store, 100, NOW).await;
    }
    let claimed = claim(store, NOW).await;
    note(store, &claimed[0], WebhookState::Delivered, NOW).await;
    let ids: Vec<_> = claimed.iter().map(|claimed| claimed.webhook.id).collect();
    store.give_back_webhooks(ids.clone(), NOW).await.unwrap();
    assert!(claim(store, NOW).await.is_empty(), "that is not when the claim ends");
    store.give_back_webhooks(ids.clone(), claimed[0].leased_until_ms).await.unwrap();
    let again: Vec<_> = claim(store, NOW).await.iter().map(|claimed| claimed.webhook.id).collect();
    assert_eq!(again, ids[1..]);
}

pub async fn what_has_to_be_heard_before_it_is_sent_again_with_it(store: &Shared) {
    listen(store, &["erp"]).await;
    let ours = paid(store, 100, NOW).await;
    apply(store, &ours, Cause::Rollback, NOW).await;
    note(store, &claim(store, NOW).await[0], WebhookState::Waiting, NOW + 24 * HOUR).await;
    let reversed = told(store, &ours).await[1].id;
    assert_eq!(store.redeliver(Redelivery::One(ours.order, reversed), anna(), NOW).await.unwrap(), 2);
    note(store, &claim(store, NOW).await[0], WebhookState::GivenUp, NOW).await;
    assert_eq!(store.redeliver(Redelivery::One(ours.order, reversed), anna(), NOW).await.unwrap(), 2);
    for kind in [WebhookKind::OrderPaid, WebhookKind::OrderReversed] {
        let claimed = claim(store, NOW).await;
        assert_eq!((claimed.len(), claimed[0].webhook.kind), (1, kind));
        note(store, &claimed[0], WebhookState::Delivered, NOW).await;
    }
    // What was heard stays heard.
    assert_eq!(store.redeliver(Redelivery::One(ours.order, reversed), anna(), NOW).await.unwrap(), 1);
    assert_eq!(claim(store, NOW).await[0].webhook.id, reversed);
    // A message of another order hurries nothing of this one.
    let other = paid(store, 100, NOW).await;
    let theirs = told(store, &other).await[0].id;
    assert_eq!(store.redeliver(Redelivery::One(ours.order, theirs), anna(), NOW).await.unwrap(), 0);
}

pub async fn a_message_is_claimed_by_one_and_again_after_its_lease(store: &Shared) {
    listen(store, &["erp"]).await;
    paid(store, 100, NOW).await;
    let claims = at_once(20, |_| {
        let store = Arc::clone(store);
        async move { claim(&store, NOW).await.len() }
    })
    .await;
    assert_eq!(claims.iter().sum::<usize>(), 1);
    assert!(claim(store, NOW + LEASE - 1).await.is_empty());
    assert_eq!(claim(store, NOW + LEASE).await.len(), 1);
}

pub async fn what_came_of_a_lost_claim_changes_nothing(store: &Shared) {
    listen(store, &["erp"]).await;
    let ours = paid(store, 100, NOW).await;
    let slow = claim(store, NOW).await.remove(0);
    let quick = claim(store, NOW + LEASE).await.remove(0);
    note(store, &slow, WebhookState::GivenUp, NOW).await;
    assert_eq!(told(store, &ours).await[0].state, WebhookState::Waiting);
    note(store, &quick, WebhookState::Delivered, NOW).await;
    let webhook = told(store, &ours).await.remove(0);
    assert_eq!(
        (webhook.state, webhook.tries, webhook.settled_at_ms),
        (WebhookState::Delivered, 1, Some(NOW))
    );
    note(store, &quick, WebhookState::GivenUp, NOW).await;
    assert_eq!(told(store, &ours).await[0].state, WebhookState::Delivered);
}

pub async fn what_waits_for_its_next_try_is_sent_at_once_if_somebody_asks(store: &Shared) {
    listen(store, &["erp", "mail"]).await;
    let ours = paid(store, 100, NOW).await;
    note(store, &claim(store, NOW).await[0], WebhookState::Waiting, NOW + 24 * HOUR).await;
    assert!(claim(store, NOW + HOUR).await.is_empty());
    listen(store, &["erp"]).await;
    let asked = store.redeliver(Redelivery::Undelivered, anna(), NOW + HOUR).await.unwrap();
    assert_eq!(asked, 1, "nobody is told by \"mail\" any more");
    assert_eq!(claim(store, NOW + HOUR).await[0].webhook.order, ours.order);
    let gone = told(store, &ours).await.into_iter().find(|webhook| webhook.endpoint == "mail").unwrap();
    let again = store.redeliver(Redelivery::One(ours.order, gone.id), anna(), NOW + HOUR).await.unwrap();
    assert_eq!(again, 0);
    listen(store, &["mail"]).await;
    assert_eq!(
        store.backlog(NOW).await.unwrap().webhooks_waiting,
        1,
        "it comes back, and so does what waited"
    );
}

pub async fn what_is_given_up_is_sent_again_only_if_somebody_asks(store: &Shared) {
    listen(store, &["erp"]).await;
    let (ours, other) = (paid(store, 100, NOW).await, paid(store, 100, NOW).await);
    let claimed = claim(store, NOW).await;
    note(store, &claimed[0], WebhookState::GivenUp, NOW).await;
    note(store, &claimed[1], WebhookState::Delivered, NOW).await;
    let backlog = store.backlog(NOW).await.unwrap();
    assert_eq!((backlog.webhooks_waiting, backlog.webhooks_given_up), (0, 1));
    assert_eq!(store.undelivered(10).await.unwrap().len(), 1);
    assert!(claim(store, NOW + 100 * HOUR).await.is_empty());

    let ask = async |which| store.redeliver(which, anna(), NOW + HOUR).await.unwrap();
    let id = claimed[0].webhook.id;
    assert_eq!(ask(Redelivery::One(other.order, id)).await, 0, "it is another order's");
    assert_eq!(ask(Redelivery::Undelivered).await, 1);
    let backlog = store.backlog(NOW + HOUR).await.unwrap();
    assert_eq!((backlog.webhooks_waiting, backlog.webhooks_given_up), (1, 0));
    assert_eq!(backlog.oldest_webhook_at_ms, Some(NOW));
    let again = claim(store, NOW + HOUR).await.remove(0);
    assert_eq!((again.webhook.id, again.webhook.tries), (id, 0));
    note(store, &again, WebhookState::Delivered, NOW).await;
    assert_eq!(ask(Redelivery::Undelivered).await, 0);
    assert_eq!(ask(Redelivery::One(ours.order, id)).await, 1);
    assert_eq!(ask(Redelivery::Order(other.order)).await, 1);
    assert_eq!(claim(store, NOW + HOUR).await.len(), 2);

    let asked = store.audit_log(None, 10).await.unwrap();
    let asked: Vec<_> =
        asked.iter().map(|entry| (entry.action, entry.order.as_deref(), &*entry.detail)).collect();
    let again = Action::WebhooksRedelivered;
    let (ours, other) = (Some(&*ours.reference), Some(&*other.reference));
    assert_eq!(asked, [(again, other, "1"), (again, ours, "1"), (again, None, "1")]);
}

pub async fn an_endpoint_is_told_for_as_long_as_some_server_wants_it(store: &Shared) {
    wanted(store, &["erp", "mail"], NOW, NOW - HOUR).await;
    // By a server that knows of one only, and starts again and again.
    wanted(store, &["erp"], NOW + HOUR, NOW).await;
    let ours = paid(store, 100, NOW + HOUR).await;
    assert_eq!(told(store, &ours).await.len(), 2);
    wanted(store, &["erp"], NOW + HOUR + 1, NOW + 1).await;
    let ours = paid(store, 100, NOW + HOUR + 1).await;
    let told = told(store, &ours).await;
    assert_eq!((told.len(), told[0].endpoint.as_str()), (1, "erp"));
}

pub async fn an_endpoint_that_is_gone_is_told_nothing_more(store: &Shared) {
    listen(store, &["erp", "mail"]).await;
    let ours = paid(store, 100, NOW).await;
    listen(store, &["mail"]).await;
    assert_eq!(store.backlog(NOW).await.unwrap().webhooks_waiting, 1, "only who is told counts");
    apply(store, &ours, Cause::Rollback, NOW).await;
    let of = |name: &'static str| async move {
        told(store, &ours).await.into_iter().filter(|one| one.endpoint == name).count()
    };
    assert_eq!(of("mail").await, 2);
    listen(store, &["erp"]).await;
    let waiting = claim(store, NOW).await;
    assert_eq!(waiting.len(), 1, "it came back, and has not missed what it waited for");
}

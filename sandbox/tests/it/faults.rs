//! Each way in which a notification goes wrong, and what the status says afterwards.

use mypos::{Callback, Door, Unverified};
use serde_json::{Value, json};

use crate::shop::Say;
use crate::world::World;

const ORDER: &str = "ABCDEFGHIJKLMNOPQRSTUVWX23";

/// Pays one order with these faults on. Returns its state in the end.
async fn pay_with(world: &World, faults: Value) -> String {
    world.set_faults(faults).await;
    let page = world.start(&world.purchase(ORDER)).await;
    world.pay(&page, "1-approve").await;
    world.payment(ORDER).await["status"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_lost_notify_is_followed_by_a_rollback() {
    let world = World::new().await;
    assert_eq!(pay_with(&world, json!({ "notify_lost": { "count": 1 } })).await, "reversed");
    assert!(world.shop.received().is_empty());
    world.advance_s(5).await;
    world.run_deliveries().await;
    assert_eq!(world.methods(), ["IPCPurchaseRollback"]);
}

#[tokio::test]
async fn a_late_notify_is_a_notify() {
    let world = World::new().await;
    let before = std::time::Instant::now();
    assert_eq!(pay_with(&world, json!({ "notify_delayed_ms": { "value": 40 } })).await, "paid");
    assert!(before.elapsed().as_millis() >= 40);
}

#[tokio::test]
async fn copies_of_a_notify_are_the_same() {
    let world = World::new().await;
    assert_eq!(pay_with(&world, json!({ "notify_doubled": { "value": 5 } })).await, "paid");
    let received = world.shop.received();
    assert_eq!(received.len(), 5);
    assert!(received.iter().all(|body| *body == received[0]));
}

#[tokio::test]
async fn a_rollback_overtakes_its_notify() {
    let world = World::new().await;
    world.shop.say([Say::Text(200, "OK"), Say::Text(200, "KO")]);
    assert_eq!(pay_with(&world, json!({ "notify_reordered": true })).await, "reversed");
    assert_eq!(world.methods(), ["IPCPurchaseRollback", "IPCPurchaseNotify"]);
    world.advance_s(3600).await;
    assert!(world.run_deliveries().await.is_empty(), "the rollback was answered");
}

#[tokio::test]
async fn corrupted_and_foreign_signatures_do_not_verify() {
    for fault in ["notify_corrupted", "notify_wrong_key"] {
        let world = World::new().await;
        pay_with(&world, json!({ fault: { "count": 1 } })).await;
        let message = Unverified::from_form(&world.shop.received()[0]).unwrap();
        message.verify(&world.gateway_key).unwrap_err();
        assert_eq!(message.claimed().text("OrderID"), Some(ORDER));
    }
}

#[tokio::test]
async fn another_amount_is_validly_signed() {
    let world = World::new().await;
    world.shop.say([Say::Text(200, "KO")]);
    assert_eq!(pay_with(&world, json!({ "notify_other_amount": { "value": 1 } })).await, "reversed");
    let message = world.verified_form(&world.shop.received()[0]);
    let Ok(Callback::Notify(notify)) = Callback::read(&message, Door::Notify) else { panic!() };
    assert_eq!(notify.amount.minor, 1231);
    let reply = world.ask("IPCGetPaymentStatus", &[("OrderID", ORDER)]).await;
    assert_eq!(reply.fields().text("Amount"), Some("12.30"), "the status knows the truth");
}

#[tokio::test]
async fn a_lost_ok_reverses_and_a_lost_rollback_leaves_only_the_status() {
    let world = World::new().await;
    let faults = json!({ "ok_lost": true, "rollback_lost": true });
    assert_eq!(pay_with(&world, faults).await, "reversed");
    for wait in [5, 10, 20] {
        world.advance_s(wait).await;
        assert_eq!(world.run_deliveries().await[0]["outcome"], "lost");
    }
    assert_eq!(world.methods(), ["IPCPurchaseNotify"]);
    assert_eq!(world.payment_status(ORDER).await, "4");
    world.set_faults(json!({ "rollback_lost": false })).await;
    world.advance_s(3600).await;
    assert_eq!(world.run_deliveries().await[0]["outcome"], "ok");
}

#[tokio::test]
async fn a_payment_can_be_kept_without_the_shop_knowing() {
    let world = World::new().await;
    let faults = json!({ "keep_without_ok": true, "notify_lost": true });
    assert_eq!(pay_with(&world, faults).await, "paid");
    assert!(world.shop.received().is_empty());
    assert_eq!(world.payment_status(ORDER).await, "1");
    world.advance_s(3600).await;
    assert!(world.run_deliveries().await.is_empty());
}

#[tokio::test]
async fn faults_of_one_payment_leave_the_others_alone() {
    let world = World::new().await;
    let page = world.start(&world.purchase("o-1")).await;
    let other = world.start(&world.purchase("o-2")).await;
    let (status, faults) = world.api("PUT", "payments/o-1/faults", json!({ "notify_lost": true })).await;
    assert_eq!((status, &faults["notify_lost"]["percent"]), (200, &json!(100)));
    world.pay(&page, "1-approve").await;
    world.pay(&other, "1-approve").await;
    assert_eq!(world.payment("o-1").await["status"], "reversed");
    assert_eq!(world.payment("o-2").await["status"], "paid");
}

#[tokio::test]
async fn chance_repeats_itself() {
    let run = || async {
        let world = World::new().await;
        world.set_faults(json!({ "ok_lost": { "percent": 50 } })).await;
        let mut states = Vec::new();
        for number in 0..12 {
            let order = format!("o-{number}");
            let page = world.start(&world.purchase(&order)).await;
            world.pay(&page, "1-approve").await;
            states.push(world.payment(&order).await["status"].clone());
        }
        states
    };
    let first = run().await;
    assert_eq!(first, run().await);
    assert!(first.contains(&json!("paid")) && first.contains(&json!("reversed")));
}

//! The HTTP API for tests and the control page for people.

use serde_json::{Value, json};

use crate::shop::Say;
use crate::world::World;

#[tokio::test]
async fn faults_are_read_set_and_reset() {
    let world = World::new().await;
    let (_, all) = world.api("GET", "faults", Value::Null).await;
    assert!(all.as_object().unwrap().len() >= 20 && all.as_object().unwrap().values().all(|on| on == false));
    world.set_faults(json!({ "ok_lost": { "count": 3, "percent": 10 }, "status_pending": true })).await;
    let (_, all) = world.api("PATCH", "faults", json!({ "status_pending": null })).await;
    assert_eq!(all["ok_lost"], json!({ "count": 3, "percent": 10, "value": 0 }));
    assert_eq!(all["status_pending"], false);
    for bad in [json!({ "nonsense": true }), json!({ "ok_lost": { "percent": 101 } }), json!([])] {
        let (status, answer) = world.api("PUT", "faults", bad).await;
        assert_eq!(status, 400);
        assert!(answer["error"].is_string());
    }
    let (_, all) = world.api("DELETE", "faults", Value::Null).await;
    assert_eq!(all["ok_lost"], false);
}

#[tokio::test]
async fn a_notify_can_be_sent_again_whatever_happened() {
    let world = World::new().await;
    world.paid("o-1").await;
    let (status, answer) = world.api("POST", "payments/o-1/notify", json!({ "times": 3 })).await;
    assert_eq!((status, answer["deliveries"].as_array().unwrap().len()), (200, 3));
    let (_, answer) =
        world.api("POST", "payments/o-1/notify", json!({ "times": 4, "concurrent": true })).await;
    assert_eq!(answer["payment"]["status"], "paid");
    let received = world.shop.received();
    assert_eq!(received.len(), 8);
    assert!(received.iter().all(|body| *body == received[0]));
    // An answer that is not OK changes nothing any more.
    world.shop.say([Say::Text(500, "")]);
    let (_, answer) = world.api("POST", "payments/o-1/notify", json!({})).await;
    assert_eq!(answer["deliveries"][0]["http_status"], 500);
    assert_eq!(answer["payment"]["status"], "paid");
    assert_eq!(world.api("POST", "payments/o-1/notify", json!({ "times": 21 })).await.0, 400);
    assert_eq!(world.api("POST", "payments/nobody/notify", json!({})).await.0, 404);
}

#[tokio::test]
async fn a_notify_can_come_after_a_cancellation() {
    let world = World::new().await;
    let page = world.start(&world.purchase("o-1")).await;
    world.post(&format!("{page}/cancel"), String::new()).await;
    let (_, answer) = world.api("POST", "payments/o-1/notify", Value::Null).await;
    assert_eq!(answer["payment"]["status"], "paid");
    assert_eq!(world.payment_status("o-1").await, "1");
}

#[tokio::test]
async fn a_payment_can_be_rolled_back_at_once() {
    let world = World::new().await;
    world.start(&world.purchase("o-1")).await;
    assert_eq!(world.api("POST", "payments/o-1/rollback", Value::Null).await.0, 409);
    world.paid("o-2").await;
    for _ in 0..2 {
        let (_, answer) = world.api("POST", "payments/o-2/rollback", Value::Null).await;
        assert_eq!(answer["deliveries"][0]["outcome"], "ok");
        assert_eq!(answer["payment"]["status"], "reversed");
    }
    assert_eq!(world.methods(), ["IPCPurchaseNotify", "IPCPurchaseRollback", "IPCPurchaseRollback"]);
}

#[tokio::test]
async fn payments_are_listed_with_their_pages() {
    let world = World::new().await;
    let page = world.start(&world.purchase("a/b ü")).await;
    let (_, list) = world.api("GET", "payments", Value::Null).await;
    assert_eq!(list["payments"][0]["pay_url"], format!("http://localhost:3001{page}"));
    assert_eq!(world.payment("a%2Fb%20%C3%BC").await["order_id"], "a/b ü");
    assert!(world.payment("a%2Fb%20%C3%BC").await["warnings"][0].as_str().unwrap().contains("URL_Notify"));
}

#[tokio::test]
async fn other_sites_cannot_reach_the_controls() {
    let world = World::new().await;
    let page = world.start(&world.purchase("o-1")).await;
    let session = page.rsplit_once('/').unwrap().1;
    let controls = [
        "/sandbox/api/faults".to_owned(),
        "/sandbox/api/clock".to_owned(),
        "/sandbox/control/faults".to_owned(),
        format!("/sandbox/control/payments/{session}/faults"),
    ];
    for path in controls {
        for (name, value) in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("origin", "https://evil.example"),
        ] {
            let answer = world.client.post(world.url(&path)).header(name, value).send().await.unwrap();
            assert_eq!(answer.status(), 403, "{path} {value}");
        }
    }
    // Shops are other sites, and must get through.
    let form = world.signed(&world.purchase("o-2"));
    let answer = world
        .client
        .post(world.url("/vmp/checkout"))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "cross-site")
        .header("origin", "http://127.0.0.1:3000")
        .body(form)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 303);
}

#[tokio::test]
async fn people_see_payments_and_switch_faults() {
    let world = World::new().await;
    let empty = world.get("/").await.text().await.unwrap();
    assert!(empty.contains("No payment yet"));
    world.paid("o-1").await;
    world.code_of(&world.purchase("o-1")).await;
    let text = world.get("/").await.text().await.unwrap();
    for part in
        ["o-1", "12.30 EUR", "paid", "E_DUPLICATE_TRANSMISSION", "notify_reordered", "000000000012345"]
    {
        assert!(text.contains(part), "{part} is missing");
    }

    let form =
        "notify_lost=always&notify_lost.percent=100&status_late_ms=3&status_late_ms.value=99999&ok_lost=0";
    world.post("/sandbox/control/faults", form.to_owned()).await;
    let (_, all) = world.api("GET", "faults", Value::Null).await;
    assert_eq!(all["notify_lost"]["count"], Value::Null);
    assert_eq!(all["status_late_ms"], json!({ "count": 3, "percent": 100, "value": 60_000 }));
    assert_eq!(all["ok_lost"], false);
    world.api("DELETE", "faults", Value::Null).await;

    // The tools on the payment page are for that payment only.
    let page = world.start(&world.purchase("o-2")).await;
    let session = page.rsplit_once('/').unwrap().1;
    let tools = format!("/sandbox/control/payments/{session}/faults");
    let answer = world.post(&tools, "keep_without_ok=on&notify_lost=on".to_owned()).await;
    assert_eq!(answer.headers()["location"], page.as_str());
    let text = world.pay(&page, "1-approve").await;
    assert!(text.contains("Payment successful"));
    assert_eq!(world.shop.received().len(), 1, "only the first order's");

    let details = world.get(&format!("/sandbox/payments/{session}")).await.text().await.unwrap();
    assert!(details.contains("kept without OK on purpose") && details.contains("lost on purpose"));
    world.post(&format!("/sandbox/control/payments/{session}/notify"), String::new()).await;
    world.post(&tools, String::new()).await;
    world.post(&format!("/sandbox/control/payments/{session}/rollback"), String::new()).await;
    assert_eq!(world.payment("o-2").await["status"], "reversed");
    assert_eq!(world.methods().last().unwrap(), "IPCPurchaseRollback");
}

#[tokio::test]
async fn the_clock_moves_forward_on_the_page_too() {
    let world = World::new().await;
    world.start(&world.purchase("o-1")).await;
    world.post("/sandbox/control/clock", "minutes=30".to_owned()).await;
    assert_eq!(world.payment("o-1").await["status"], "unsuccessful");
}

#[test]
fn the_readme_names_every_fault() {
    let readme = include_str!("../../README.md");
    let source = include_str!("../../src/faults.rs");
    let mut count = 0;
    for line in source
        .lines()
        .filter(|line| line.starts_with("    ") && line.contains(" = \"") && line.contains("\", \""))
    {
        let name = line.split('"').nth(1).unwrap();
        assert!(readme.contains(&format!("| `{name}` |")), "{name} is not in the README");
        count += 1;
    }
    assert_eq!(count, 20);
}

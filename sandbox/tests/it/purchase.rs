//! The road of a payment: paid, declined, cancelled, given back, expired.

use std::process::Command;
use std::sync::Arc;

use mypos::{Amount, Callback, Currency, Door, GetPaymentStatus, OrderId, PaymentStatus, PaymentStatusReply};
use mypos::{Request, StoreIdentity, TxnStatusReply};
use serde_json::json;
use tokio::sync::Semaphore;

use crate::shop::Say;
use crate::world::{World, error_code, return_form, set};

const ORDER: &str = "ABCDEFGHIJKLMNOPQRSTUVWX23";

#[tokio::test]
async fn a_purchase_is_paid_and_everybody_knows() {
    let world = World::new().await;
    let page = world.start(&world.purchase(ORDER)).await;
    let text = world.get(&page).await.text().await.unwrap();
    for part in ["Sandbox", "12.30 EUR", "Coffee &lt;beans&gt;", "jane@example.com", "4006 0900 0000 0007"] {
        assert!(text.contains(part), "{part} is missing");
    }
    assert_eq!(world.payment_status(ORDER).await, "2");

    let thanks = world.pay(&page, "1-approve").await;
    assert!(thanks.contains("Payment successful"));

    let received = world.shop.received();
    assert_eq!(received.len(), 1);
    let notify = world.verified_form(&received[0]);
    let names: Vec<&str> = notify.fields().iter().map(|field| field.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "IPCmethod",
            "SID",
            "Amount",
            "Currency",
            "OrderID",
            "IPC_Trnref",
            "RequestSTAN",
            "RequestDateTime",
            "PaymentMethod",
            "BillingDescriptor",
            "PAN",
            "CustomerEmail",
            "CustomerFirstNames",
            "CustomerFamilyName",
        ]
    );
    assert_eq!(notify.fields().text("CustomerFirstNames"), Some("Jane & \"Jo\""));
    let Callback::Notify(notify) = Callback::read(&notify, Door::Notify).unwrap() else { panic!() };
    assert_eq!(notify.amount, Amount::new(1230, Currency::Eur));
    assert_eq!(notify.order_id, OrderId::parse(ORDER).unwrap());
    assert_eq!(notify.pan_last4.as_deref(), Some("0007"));

    let (action, form) = return_form(&thanks);
    assert_eq!(action, world.shop.url("/ok"));
    let ok = Callback::read(&world.verified_form(form.as_bytes()), Door::Ok).unwrap();
    assert!(matches!(ok, Callback::Ok(ok) if ok.trnref == notify.trnref));

    // The shop asks with its own types.
    let identity = StoreIdentity {
        sid: world.package.sid.clone(),
        wallet: world.package.wallet.clone(),
        key_index: 1,
        language: mypos::Language::En,
        source: "test".to_owned(),
        application_id: None,
        partner_id: None,
    };
    let question = GetPaymentStatus { order_id: OrderId::parse(ORDER).unwrap() }.fields(&identity);
    let form = world.store_key.sign_fields(question).unwrap().to_form();
    let answer = world.post("/vmp/checkout/", form).await.bytes().await.unwrap();
    let reply = PaymentStatusReply::read(&world.verified(&answer)).unwrap();
    assert_eq!(reply.payment_status, PaymentStatus::Paid);
    assert_eq!(reply.amount, Some(Amount::new(1230, Currency::Eur)));
    assert_eq!(reply.trnref, Some(notify.trnref));

    let reply = TxnStatusReply::read(&world.ask("IPCGetTxnStatus", &[("OrderID", ORDER)]).await).unwrap();
    assert!(matches!(reply.last, Some(Callback::Notify(_))));
}

#[tokio::test]
async fn a_notify_is_verified_by_openssl() {
    let world = World::new().await;
    world.paid("o-1").await;
    let body = world.shop.received().remove(0);
    let message = mypos::Unverified::from_form(&body).unwrap();

    // Signed is base64 of the values joined by dashes; everything below is done by OpenSSL.
    let dir = world.dir();
    let file = |name: &str| dir.join(name).display().to_string();
    std::fs::write(file("certificate.pem"), &world.package.public_certificate_pem).unwrap();
    std::fs::write(file("values"), message.claimed().signed_text()).unwrap();
    let form = String::from_utf8(body).unwrap();
    let signature = form.rsplit_once("Signature=").unwrap().1;
    let signature = signature.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
    std::fs::write(file("signature.b64"), signature).unwrap();
    let openssl = |arguments: &[&str]| {
        let output = Command::new("openssl").args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    openssl(&["base64", "-A", "-in", &file("values"), "-out", &file("signed")]);
    openssl(&["base64", "-d", "-A", "-in", &file("signature.b64"), "-out", &file("signature")]);
    let certificate = file("certificate.pem");
    openssl(&["x509", "-in", &certificate, "-pubkey", "-noout", "-out", &file("key.pem")]);
    let verified = openssl(&[
        "dgst",
        "-sha256",
        "-verify",
        &file("key.pem"),
        "-signature",
        &file("signature"),
        &file("signed"),
    ]);
    assert_eq!(verified.trim(), "Verified OK");
    openssl(&["verify", "-CAfile", &certificate, &certificate]);
}

#[tokio::test]
async fn a_declined_card_can_be_followed_by_another() {
    let world = World::new().await;
    let page = world.start(&world.purchase(ORDER)).await;
    let again = world.pay(&page, "1-decline").await;
    assert!(again.contains("The payment was declined."));
    assert!(again.contains("Do not honor"));
    assert!(world.shop.received().is_empty());
    assert_eq!(world.payment_status(ORDER).await, "2");
    let again = world.pay(&page, "1-number&number=4877+0000+0000+0002").await;
    assert!(again.contains("Insufficient funds"));

    assert!(world.pay(&page, "2-approve").await.contains("Payment successful"));
    let reply = world.ask("IPCGetPaymentStatus", &[("OrderID", ORDER), ("get_declined_payments", "1")]).await;
    let reply = PaymentStatusReply::read(&reply).unwrap();
    assert_eq!(reply.payment_status, PaymentStatus::Paid);
    let codes: Vec<_> =
        reply.declined.iter().filter_map(|declined| declined.response_code.as_deref()).collect();
    assert_eq!(codes, ["05", "51"]);
    let notify = world.verified_form(&world.shop.received()[0]);
    assert_eq!(notify.fields().text("PaymentMethod"), Some("2"));
    assert_eq!(notify.fields().text("PAN"), None);
}

#[tokio::test]
async fn no_more_of_a_card_is_kept_than_its_last_four_digits() {
    let world = World::new().await;
    let page = world.start(&world.purchase("o-1")).await;
    world.pay(&page, "1-number&number=5326-1000-0000-0004").await;
    assert_eq!(world.payment("o-1").await["status"], "paid");
    world.sandbox.flush();
    let state = std::fs::read_to_string(world.dir().join("sandbox/state.json")).unwrap();
    assert!(state.contains("\"0004\"") && !state.contains("5326"));
}

#[tokio::test]
async fn what_cannot_be_read_shows_the_page_again() {
    let world = World::new().await;
    let page = world.start(&world.purchase("o-1")).await;
    for choice in ["", "7-approve", "4-approve", "1-number&number=12"] {
        let answer = world.post(&page, format!("choice={choice}")).await;
        assert_eq!(answer.status(), 422, "{choice}");
        assert!(answer.text().await.unwrap().contains("role=\"alert\""));
    }
    assert_eq!(world.payment("o-1").await["status"], "pending");
}

#[tokio::test]
async fn cancelling_goes_back_with_a_signed_form() {
    let world = World::new().await;
    let page = world.start(&world.purchase(ORDER)).await;
    let answer = world.post(&format!("{page}/cancel"), String::new()).await;
    assert_eq!(answer.status(), 200);
    let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
    let origin = world.shop.url("");
    assert!(policy.contains(&format!("form-action 'self' {origin}")), "{policy}");
    let text = answer.text().await.unwrap();
    let nonce = text.split_once("<script nonce=\"").unwrap().1.split_once('"').unwrap().0;
    assert!(policy.contains(&format!("script-src 'nonce-{nonce}'")), "{policy}");

    let (action, form) = return_form(&text);
    assert_eq!(action, world.shop.url("/cancel"));
    let cancel = Callback::read(&world.verified_form(form.as_bytes()), Door::Cancel).unwrap();
    assert!(matches!(cancel, Callback::Cancel(_)));
    assert_eq!(world.payment_status(ORDER).await, "3");
    // The page stays what it is, without going on by itself, and nothing can be paid any more.
    let text = world.pay(&page, "1-approve").await;
    assert!(text.contains("Payment cancelled") && !text.contains("<script"));
    assert!(world.shop.received().is_empty());
}

#[tokio::test]
async fn whatever_is_not_exactly_ok_gives_the_money_back() {
    let world = World::new().await;
    let says = [
        Say::Text(200, "OK\n"),
        Say::Text(200, "ok"),
        Say::Text(200, ""),
        Say::Text(201, "OK"),
        Say::Text(500, "OK"),
        Say::Redirect,
    ];
    for (number, say) in says.into_iter().enumerate() {
        let order = format!("o-{number}");
        world.shop.say([say]);
        let page = world.start(&world.purchase(&order)).await;
        let text = world.pay(&page, "1-approve").await;
        assert!(text.contains("The payment was given back"), "{number}");
        let (action, form) = return_form(&text);
        assert_eq!(action, world.shop.url("/cancel"));
        let cancel = world.verified_form(form.as_bytes());
        assert_eq!(cancel.fields().text("IPCmethod"), Some("IPCPurchaseCancel"));
        assert_eq!(world.payment_status(&order).await, "4");
    }
    assert_eq!(world.shop.received().len(), 6, "a redirect is not followed");
}

#[tokio::test]
async fn a_rollback_is_repeated_until_the_shop_says_ok() {
    let world = World::new().await;
    world.shop.say([Say::Text(200, "KO"), Say::Text(503, ""), Say::Text(200, "OK ")]);
    let page = world.start(&world.purchase(ORDER)).await;
    world.pay(&page, "1-approve").await;
    assert!(world.run_deliveries().await.is_empty(), "not before 5 seconds");

    for (wait_s, outcome) in [(5, "not_ok"), (10, "not_ok"), (20, "ok")] {
        world.advance_s(wait_s - 1).await;
        assert!(world.run_deliveries().await.is_empty());
        world.advance_s(1).await;
        let deliveries = world.run_deliveries().await;
        assert_eq!(deliveries.len(), 1);
        assert_eq!(deliveries[0]["outcome"], outcome);
    }
    world.advance_s(86_400).await;
    assert!(world.run_deliveries().await.is_empty(), "never again");
    let rollback = world.verified_form(world.shop.received().last().unwrap());
    assert!(matches!(Callback::read(&rollback, Door::Notify), Ok(Callback::Rollback(_))));
    let reply = TxnStatusReply::read(&world.ask("IPCGetTxnStatus", &[("OrderID", ORDER)]).await).unwrap();
    assert!(matches!(reply.last, Some(Callback::Rollback(_))));
}

#[tokio::test]
async fn the_task_sends_rollbacks_by_itself() {
    let world = World::new().await;
    let task = world.sandbox.spawn_deliveries();
    world.shop.say([Say::Text(500, "")]);
    let page = world.start(&world.purchase("o-1")).await;
    world.pay(&page, "1-approve").await;
    world.advance_s(5).await;
    world.shop.wait_for(2).await;
    assert_eq!(world.methods(), ["IPCPurchaseNotify", "IPCPurchaseRollback"]);
    task.abort();
}

#[tokio::test]
async fn a_shop_that_is_down_gives_the_money_back() {
    let world = World::new().await;
    let mut purchase = world.purchase("o-1");
    // A port that was free a moment ago.
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    set(&mut purchase, "URL_Notify", &format!("http://{free}/notify"));
    let page = world.start(&purchase).await;
    assert!(world.pay(&page, "1-approve").await.contains("The payment was given back"));
    assert_eq!(world.payment("o-1").await["deliveries"][0]["outcome"], "failed");
}

#[tokio::test]
async fn pressing_pay_twice_tells_the_shop_once() {
    let world = Arc::new(World::new().await);
    let gate = Arc::new(Semaphore::new(0));
    world.shop.say([Say::OkAfter(Arc::clone(&gate))]);
    let page = world.start(&world.purchase("o-1")).await;
    let press = || {
        let (world, page) = (Arc::clone(&world), page.clone());
        tokio::spawn(async move { world.pay(&page, "1-approve").await })
    };
    let first = press();
    world.shop.wait_for(1).await;
    assert_eq!(world.payment_status("o-1").await, "2");
    let waiting = world.get(&page).await;
    assert_eq!(waiting.headers()["refresh"], "1");
    assert!(waiting.text().await.unwrap().contains("being processed"));
    let second = press();
    gate.add_permits(1);
    assert!(first.await.unwrap().contains("Payment successful"));
    assert!(second.await.unwrap().contains("Payment successful"));
    assert_eq!(world.shop.received().len(), 1);
}

#[tokio::test]
async fn settling_goes_on_when_the_shopper_closes_the_browser() {
    let world = Arc::new(World::new().await);
    let gate = Arc::new(Semaphore::new(0));
    world.shop.say([Say::OkAfter(Arc::clone(&gate))]);
    let page = world.start(&world.purchase("o-1")).await;
    let pressing = {
        let world = Arc::clone(&world);
        let page = page.clone();
        tokio::spawn(async move { world.pay(&page, "1-approve").await })
    };
    world.shop.wait_for(1).await;
    pressing.abort();
    pressing.await.unwrap_err();
    gate.add_permits(1);
    // A second press waits for the first to be settled.
    assert!(world.pay(&page, "1-approve").await.contains("Payment successful"));
    assert_eq!(world.shop.received().len(), 1);
}

#[tokio::test]
async fn a_session_ends_when_its_time_is_up() {
    let world = World::new().await;
    let page = world.start(&world.purchase("o-1")).await;
    world.advance_s(1799).await;
    assert_eq!(world.payment_status("o-1").await, "2");
    world.advance_s(1).await;
    assert_eq!(world.payment_status("o-1").await, "3");
    let text = world.pay(&page, "1-approve").await;
    assert!(text.contains("The time to pay is up"));
    assert_eq!(return_form(&text).0, world.shop.url("/cancel"));
    assert!(world.shop.received().is_empty());
}

#[tokio::test]
async fn the_shopper_types_what_the_shop_left_out() {
    let world = World::new().await;
    let mut purchase = world.purchase("o-1");
    set(&mut purchase, "PaymentParametersRequired", "2");
    set(&mut purchase, "customeremail", "");
    let page = world.start(&purchase).await;
    let typed = "1-approve&email=EMAIL&first_names=Jo&family_name=Doe";
    for email in ["", "nobody"] {
        let answer = world.post(&page, format!("choice={}", typed.replace("EMAIL", email))).await;
        assert_eq!(answer.status(), 422);
        assert!(answer.text().await.unwrap().contains("value=\"Doe\""), "what was typed is kept");
    }
    world.pay(&page, &typed.replace("EMAIL", "jo%40example.com")).await;
    let notify = world.verified_form(&world.shop.received()[0]);
    assert_eq!(notify.fields().text("CustomerEmail"), Some("jo@example.com"));
    assert_eq!(notify.fields().text("CustomerFamilyName"), Some("Doe"));

    let mut purchase = world.purchase("o-2");
    set(&mut purchase, "PaymentParametersRequired", "3");
    let page = world.start(&purchase).await;
    world.pay(&page, "1-approve").await;
    let notify = world.verified_form(&world.shop.received()[1]);
    assert_eq!(notify.fields().text("CustomerEmail"), None);
}

#[tokio::test]
async fn amounts_are_echoed_as_they_were_sent() {
    let world = World::new().await;
    let mut purchase = world.purchase("o-1");
    set(&mut purchase, "Amount", "12.3");
    let page = world.start(&purchase).await;
    world.pay(&page, "1-approve").await;
    let notify = world.verified_form(&world.shop.received()[0]);
    assert_eq!(notify.fields().text("Amount"), Some("12.3"));
    let reply = world.ask("IPCGetPaymentStatus", &[("OrderID", "o-1")]).await;
    assert_eq!(reply.fields().text("Amount"), Some("12.3"));
}

#[tokio::test]
async fn an_order_id_is_taken_once() {
    let world = World::new().await;
    let purchase = world.purchase("o-1");
    let page = world.start(&purchase).await;
    assert_eq!(world.code_of(&purchase).await, 5);
    let text = world.post("/vmp/checkout", world.signed(&purchase)).await.text().await.unwrap();
    assert!(text.contains("E_INVALID_PARAMS: order_id: Duplicate value"));

    // As the documentation has it: again until it is paid. The earlier page is over then.
    world.set_faults(json!({ "duplicate_order_ids_allowed": { "count": 1 } })).await;
    let second = world.start(&purchase).await;
    assert_ne!(page, second);
    assert_eq!(world.get(&page).await.status(), 404);
    world.pay(&second, "1-approve").await;
    world.set_faults(json!({ "duplicate_order_ids_allowed": true })).await;
    assert_eq!(world.code_of(&purchase).await, 20);

    let long = "x".repeat(80);
    assert_eq!(world.code_of(&world.purchase(&long)).await, 0);
    assert_eq!(world.code_of(&world.purchase(&format!("{long}x"))).await, 5);
    assert_eq!(world.code_of(&world.purchase("Bestellung 7/ä-1")).await, 0);
}

#[tokio::test]
async fn a_restart_keeps_keys_and_payments() {
    let world = World::new().await;
    let package = world.sandbox.configuration_package().to_owned();
    let trnref = world.paid("o-1").await;
    let open = world.start(&world.purchase("o-2")).await;
    world.shop.say([Say::Text(500, "")]);
    let page = world.start(&world.purchase("o-3")).await;
    world.pay(&page, "1-approve").await;

    let world = world.restart().await;
    assert_eq!(world.sandbox.configuration_package(), package);
    assert_eq!(world.payment("o-1").await["trnref"], trnref.as_str());
    assert_eq!(world.code_of(&world.purchase("o-1")).await, 20);
    assert_eq!(world.payment_status("o-3").await, "4");
    world.advance_s(5).await;
    assert_eq!(world.run_deliveries().await.len(), 1, "the rollback is not forgotten");
    assert!(world.pay(&open, "1-approve").await.contains("Payment successful"));
    let second = world.payment("o-2").await["trnref"].as_str().unwrap().to_owned();
    assert!(second > trnref, "references stay unique");
}

#[tokio::test]
async fn a_payment_in_hand_when_the_process_ends_is_reversed() {
    let world = World::new().await;
    world.shop.say([Say::OkAfter(Arc::new(Semaphore::new(0)))]);
    let page = world.start(&world.purchase("o-1")).await;
    let form = "choice=1-approve".to_owned();
    let pressing = world.client.post(world.url(&page)).body(form).send();
    let pressing = tokio::spawn(pressing);
    world.shop.wait_for(1).await;
    let world = world.restart().await;
    pressing.abort();
    assert_eq!(world.payment("o-1").await["status"], "reversed");
    world.advance_s(5).await;
    assert_eq!(world.run_deliveries().await.len(), 1);
}

#[cfg(unix)]
#[tokio::test]
async fn secrets_are_readable_by_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new().await;
    world.sandbox.flush();
    let dir = world.dir().join("sandbox");
    for file in [sandbox::PACKAGE_FILE, "gateway-private-key.pem", "state.json"] {
        let mode = std::fs::metadata(dir.join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    assert_eq!(world.package.sid, sandbox::SID);
    assert_eq!(world.store_key.bits(), 2048);
    assert_eq!(world.gateway_key.bits(), 2048);
}

#[tokio::test]
async fn unknown_sessions_and_addresses_are_not_found() {
    let world = World::new().await;
    assert_eq!(world.get("/vmp/checkout/pay/nonsense").await.status(), 404);
    assert_eq!(world.get("/elsewhere").await.status(), 404);
    assert_eq!(world.get("/vmp/checkout").await.status(), 405);
    let style = world.get("/sandbox/style.css").await;
    assert_eq!(style.headers()["content-type"], "text/css; charset=utf-8");
    let code = error_code(world.post("/vmp/checkout", "x".repeat(70_000)).await).await;
    assert_eq!(code, 10, "a body that is too long is not read");
}

//! Status queries, refunds and reversals.

use std::time::{Duration, Instant};

use mypos::{Amount, Callback, Currency, Outcome, RefundReply, ReversalReply, StatusCode, Unverified};
use serde_json::json;

use crate::world::World;

const ORDER: &str = "ABCDEFGHIJKLMNOPQRSTUVWX23";

async fn refund(world: &World, trnref: &str, id: &str, amount: &str) -> RefundReply {
    let fields = [("Currency", "EUR"), ("Amount", amount), ("OrderID", id), ("IPC_Trnref", trnref)];
    RefundReply::read(&world.ask("IPCRefund", &fields).await).unwrap()
}

#[tokio::test]
async fn refunds_add_up_to_the_payment_and_no_further() {
    let world = World::new().await;
    let trnref = world.paid(ORDER).await;
    let reply = refund(&world, &trnref, "R1", "5.00").await;
    assert_eq!(reply.outcome(Amount::new(500, Currency::Eur)), Outcome::Yes);

    assert_eq!(refund(&world, &trnref, "R2", "7.31").await.status, StatusCode::WrongAmount);
    let again = refund(&world, &trnref, "R1", "1.00").await;
    assert_eq!(
        (again.status, again.message.as_str()),
        (StatusCode::InvalidParameters, "E_INVALID_PARAMS: order_id: Duplicate value")
    );
    assert_eq!(refund(&world, &trnref, "R3", "7.30").await.status, StatusCode::Success);
    assert_eq!(refund(&world, &trnref, "R4", "0.01").await.status, StatusCode::WrongAmount);
    assert_eq!(world.payment(ORDER).await["refunded_minor"], 1230);

    assert_eq!(refund(&world, &trnref, "R5", "0").await.status, StatusCode::WrongAmount);
    assert_eq!(refund(&world, &trnref, "R5", "1.001").await.status, StatusCode::InvalidParameters);
    assert_eq!(refund(&world, "999", "R5", "1").await.status, StatusCode::InvalidParameters);
    let fields = [("Currency", "USD"), ("Amount", "1"), ("IPC_Trnref", trnref.as_str())];
    let reply = RefundReply::read(&world.ask("IPCRefund", &fields).await).unwrap();
    assert_eq!(reply.status, StatusCode::InvalidParameters);
    // The id of a refund is not free for a purchase, nor that of another purchase for a refund.
    assert_eq!(world.code_of(&world.purchase("R1")).await, 5);
    world.paid("other").await;
    assert_eq!(refund(&world, &trnref, "other", "0.01").await.status, StatusCode::InvalidParameters);
}

#[tokio::test]
async fn queries_keep_silent_about_refunds_unless_told() {
    let world = World::new().await;
    let trnref = world.paid(ORDER).await;
    let question = [("OrderID", ORDER)];
    let ask = || async {
        let status = world.ask("IPCGetPaymentStatus", &question).await;
        let last = world.ask("IPCGetTxnStatus", &question).await;
        (format!("{status:?}"), format!("{last:?}"))
    };
    let before = ask().await;
    refund(&world, &trnref, "R1", "5.00").await;
    assert_eq!(ask().await, before);
    world.set_faults(json!({ "refund_queries_tell": true })).await;
    let reply = world.ask("IPCGetPaymentStatus", &question).await;
    assert_eq!(reply.fields().text("RefundedAmount"), Some("5.00"));
    assert_eq!(reply.fields().text("PaymentStatus"), Some("1"));
}

#[tokio::test]
async fn a_reversal_is_whole_or_not_at_all() {
    let world = World::new().await;
    let trnref = world.paid(ORDER).await;
    let reverse = |trnref: String| {
        let world = &world;
        async move { ReversalReply::read(&world.ask("IPCReversal", &[("IPC_Trnref", &trnref)]).await).unwrap() }
    };
    assert_eq!(reverse(trnref.clone()).await.outcome(Amount::new(1230, Currency::Eur)), Outcome::Yes);
    assert_eq!(world.payment_status(ORDER).await, "4");
    assert_eq!(reverse(trnref.clone()).await.status, StatusCode::NotPermitted);
    assert_eq!(refund(&world, &trnref, "R1", "1.00").await.status, StatusCode::NotPermitted);

    let trnref = world.paid("o-2").await;
    refund(&world, &trnref, "R2", "1.00").await;
    assert_eq!(reverse(trnref).await.status, StatusCode::NotPermitted);
    assert_eq!(reverse("999".to_owned()).await.status, StatusCode::InvalidParameters);
}

#[tokio::test]
async fn refunds_go_wrong_on_request() {
    let world = World::new().await;
    let trnref = world.paid(ORDER).await;
    let one = Amount::new(100, Currency::Eur);

    world.set_faults(json!({ "refund_low_balance": { "count": 1 } })).await;
    let reply = refund(&world, &trnref, "R1", "1.00").await;
    assert_eq!(reply.outcome(one), Outcome::No(StatusCode::InsufficientFunds));
    assert_eq!(refund(&world, &trnref, "R1", "1.00").await.outcome(one), Outcome::Yes);

    for (value, refunded) in [(1, 200), (0, 200)] {
        world.set_faults(json!({ "refund_unknown_answer": { "count": 1, "value": value } })).await;
        let reply = refund(&world, &trnref, &format!("U{value}"), "1.00").await;
        assert_eq!(reply.status, StatusCode::UndefinedError);
        assert_eq!(reply.outcome(one), Outcome::Undecided);
        assert_eq!(world.payment(ORDER).await["refunded_minor"], refunded);
    }

    world.set_faults(json!({ "refund_late_ms": { "count": 1, "value": 40 } })).await;
    let before = Instant::now();
    refund(&world, &trnref, "L1", "1.00").await;
    assert!(before.elapsed() >= Duration::from_millis(40));

    world.set_faults(json!({ "refund_no_answer": { "count": 1 } })).await;
    let fields =
        [("Currency", "EUR"), ("Amount", "1.00"), ("OrderID", "N1"), ("IPC_Trnref", trnref.as_str())];
    assert!(times_out(&world, "IPCRefund", &fields).await);
    assert_eq!(world.payment(ORDER).await["refunded_minor"], 400, "it was carried out all the same");
}

/// Whether a call is still unanswered after a while.
async fn times_out(world: &World, method: &str, fields: &[(&str, &str)]) -> bool {
    let form = world.signed(&world.call(method, fields));
    let call = world
        .client
        .post(world.url("/vmp/checkout"))
        .timeout(Duration::from_millis(300))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form);
    call.send().await.is_err_and(|error| error.is_timeout())
}

#[tokio::test]
async fn status_queries_go_wrong_on_request() {
    let world = World::new().await;
    world.paid(ORDER).await;
    let question = [("OrderID", ORDER)];

    world.set_faults(json!({ "status_pending": { "count": 2 } })).await;
    assert_eq!(world.payment_status(ORDER).await, "2");
    assert!(world.ask("IPCGetTxnStatus", &question).await.fields().nested("OrderStatus").is_none());
    assert_eq!(world.payment_status(ORDER).await, "1");

    world.set_faults(json!({ "status_unsigned": { "count": 1 } })).await;
    let form = world.signed(&world.call("IPCGetPaymentStatus", &question));
    let body = world.post("/vmp/checkout", form).await.bytes().await.unwrap();
    let reply = Unverified::from_json(&body).unwrap();
    assert!(!reply.has_signature());
    assert_eq!(reply.claimed().text("PaymentStatus"), Some("1"));

    world.set_faults(json!({ "status_late_ms": { "count": 1, "value": 40 } })).await;
    let before = Instant::now();
    world.payment_status(ORDER).await;
    assert!(before.elapsed() >= Duration::from_millis(40));

    world.set_faults(json!({ "status_no_answer": { "count": 1 } })).await;
    assert!(times_out(&world, "IPCGetPaymentStatus", &question).await);
    assert_eq!(world.payment_status(ORDER).await, "1");
}

#[tokio::test]
async fn replies_are_xml_unless_json_is_asked_for() {
    let world = World::new().await;
    world.paid(ORDER).await;
    for (format, is_json) in [("xml", false), ("", false), ("JSON", true), ("Json", true)] {
        for method in ["IPCGetPaymentStatus", "IPCGetTxnStatus", "IPCGetTxnLog"] {
            let mut call = world.call(method, &[("OrderID", ORDER)]);
            call.last_mut().unwrap().1 = format.to_owned();
            let answer = world.post("/vmp/checkout", world.signed(&call)).await;
            let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
            assert_eq!(kind.starts_with("application/json"), is_json);
            let body = answer.bytes().await.unwrap();
            let reply = if is_json { Unverified::from_json(&body) } else { Unverified::from_xml(&body) };
            let reply = reply.unwrap().verify(&world.gateway_key).unwrap();
            assert_eq!(reply.fields().text("Status"), Some("0"));
            if method == "IPCGetTxnStatus" {
                // The message inside has a signature of its own.
                let inner = reply.fields().nested("OrderStatus").unwrap();
                let inner = Unverified::from_form(inner.to_form().as_bytes()).unwrap();
                let inner = inner.verify(&world.gateway_key).unwrap();
                assert!(matches!(Callback::read(&inner, mypos::Door::Notify), Ok(Callback::Notify(_))));
            }
        }
    }
}

#[tokio::test]
async fn the_log_tells_the_checks_in_order() {
    let world = World::new().await;
    world.paid("o-1").await;
    let reply = world.ask("IPCGetTxnLog", &[("OrderID", "o-1")]).await;
    let log = reply.fields().nested("log").unwrap();
    let text = |field: &mypos::Field, name: &str| match &field.value {
        mypos::Value::Nested(item) => item.text(name).unwrap().to_owned(),
        mypos::Value::Text(_) => panic!("an item has fields"),
    };
    let actions: Vec<String> = log.iter().map(|item| text(item, "action")).collect();
    let checks = [
        "Received new POST request",
        "Checking method",
        "Checking signature",
        "Check if SID match to wallet number",
        "Checking is amount > 0",
        "Checking for request marked as paid with this order_id",
        "Checking is cart items > 0",
        "Checking the URLs (url_ok, url_cancel, url_notify)",
        "Checking cart",
        "Check post params",
    ];
    assert_eq!(actions[..checks.len()], checks);
    assert_eq!(
        actions[checks.len() + 1..],
        [
            "Payment status",
            "Sending POST request to Merchant with parameters",
            "Connecting with URL_NOTIFY",
            "Merchant response",
            "View \"Thank You - Success\" page",
            "Order done with status",
        ]
    );
    let time = text(log.iter().next().unwrap(), "time");
    assert_eq!(time, "21.09.2026 14:13:20");
    let unknown = world.ask("IPCGetTxnLog", &[("OrderID", "nobody")]).await;
    assert!(unknown.fields().nested("log").is_none());
}

#[tokio::test]
async fn an_order_that_nobody_knows_has_the_status_0() {
    let world = World::new().await;
    assert_eq!(world.payment_status("nobody").await, "0");
    let reply = world.ask("IPCGetTxnStatus", &[("OrderID", "nobody")]).await;
    assert!(reply.fields().nested("OrderStatus").is_none());
}

#[tokio::test]
async fn calls_are_refused_with_a_signed_code() {
    let world = World::new().await;
    let status = |body: Vec<u8>| world.verified(&body).fields().text("Status").unwrap().to_owned();
    let send = |form| async { world.post("/vmp/checkout", form).await.bytes().await.unwrap().to_vec() };

    let call = world.call("IPCGetPaymentStatus", &[("OrderID", "o-1")]);
    let broken = world.signed(&call).replace("o-1", "o-2");
    assert_eq!(status(send(broken).await), "2");
    let call = world.call("IPCGetPaymentStatus", &[]);
    assert_eq!(status(send(world.signed(&call)).await), "1");
    for method in ["IPCSendMoney", "IPCIAPurchase", "IPCPreAuthStatus", "IPCNonsense"] {
        let reply = send(world.signed(&world.call(method, &[]))).await;
        assert_eq!(status(reply.clone()), "10");
        let message = world.verified(&reply).fields().text("StatusMsg").unwrap().to_owned();
        assert!(message.contains("the sandbox does not have the method"), "{message}");
    }
    let mut call = world.call("IPCGetPaymentStatus", &[("OrderID", "o-1")]);
    call.iter_mut().find(|(name, _)| name == "SID").unwrap().1 = "000000000000010".to_owned();
    assert_eq!(status(send(world.signed(&call)).await), "4");
}

#[tokio::test]
async fn the_signature_test_calls_the_shop() {
    let world = World::new().await;
    let url = world.shop.url("/notify");
    let reply = world.ask("IPCSignatureVerify", &[("url_notify", &url)]).await;
    assert_eq!(reply.fields().text("Status"), Some("0"));
    let message = world.verified_form(&world.shop.received()[0]);
    assert_eq!(Callback::read(&message, mypos::Door::Notify), Ok(Callback::SignatureVerify));

    world.shop.say([crate::shop::Say::Text(404, "no")]);
    let reply = world.ask("IPCSignatureVerify", &[("url_notify", &url)]).await;
    assert_eq!(reply.fields().text("Status"), Some("3"));
    let reply = world.ask("IPCSignatureVerify", &[("url_notify", "http://shop.example/")]).await;
    assert_eq!(reply.fields().text("Status"), Some("5"));
}

//! What no message settled is settled by asking the gateway.

use std::future::pending;

use checkout::records::EventKind;
use checkout::view::shopper_state;
use domain::{OrderState, PaymentState, ShopperState};
use mypos::Fields;

use crate::gateway::{Reply, paid, pairs, refund, signed, status, txn_status};
use crate::keys::{FIRST, SID, STRANGER};
use crate::messages::{Message, notify, ok, rollback};
use crate::shop::{HOUR, MINUTE, SECOND, START_MS, Shop, Started, purchase};

/// When a payment that was started at the beginning is over for certain.
const DEADLINE: i64 = 45 * MINUTE;

async fn shown(shop: &Shop, started: &Started) -> ShopperState {
    shopper_state(&shop.file(started).await)
}

fn fields_of(message: &Message) -> Fields {
    message.0.iter().cloned().collect()
}

#[tokio::test]
async fn a_started_payment_is_asked_about_after_two_minutes() {
    let shop = Shop::new().await;
    let ours = shop.started().await;
    assert_eq!(shop.reconcile_after(2 * MINUTE - 1).await, 0);
    assert_eq!(shop.reconcile_after(1).await, 1);
    let calls = shop.gateway.take_calls();
    assert_eq!(calls.len(), 1);
    for (name, expected) in [
        ("IPCmethod", "IPCGetPaymentStatus"),
        ("SID", SID),
        ("OrderID", &ours.id),
        ("OutputFormat", "json"),
        ("get_declined_payments", "1"),
    ] {
        assert_eq!(calls[0].text(name), Some(expected), "{name}");
    }
    assert_eq!(shop.states(&ours).await, (OrderState::Open, PaymentState::Started), "pending");
}

#[tokio::test]
async fn paid_by_status_alone_is_checking_until_a_second_reply_ten_minutes_later() {
    let shop = Shop::new().await;
    let ours = shop.started().await;
    shop.gateway.says_status("1");
    assert_eq!(shop.reconcile_after(2 * MINUTE).await, 1);
    assert_eq!(shop.states(&ours).await, (OrderState::Paid, PaymentState::Paid));
    assert_eq!(shown(&shop, &ours).await, ShopperState::Checking);
    // Asked again after two minutes, which is too soon to believe it.
    assert_eq!(shop.reconcile_after(2 * MINUTE).await, 1);
    assert_eq!(shown(&shop, &ours).await, ShopperState::Checking);
    assert_eq!(shop.reconcile_after(8 * MINUTE - 1).await, 0);
    assert_eq!(shop.reconcile_after(1).await, 1);
    assert_eq!(shown(&shop, &ours).await, ShopperState::Paid);
    assert_eq!(shop.news(&ours).await, [EventKind::StatusPaid, EventKind::StatusConfirmed]);
}

#[tokio::test]
async fn a_notification_confirms_what_a_status_said() {
    let shop = Shop::new().await;
    let ours = shop.started().await;
    shop.gateway.says_status("1");
    shop.reconcile_after(2 * MINUTE).await;
    assert_eq!(shop.notify(notify(&ours.id).signed()).await, (200, "OK".to_owned()));
    assert_eq!(shown(&shop, &ours).await, ShopperState::Paid);
}

#[tokio::test]
async fn a_shopper_who_is_back_is_answered_within_seconds_and_never_by_asking_from_the_page() {
    let shop = Shop::new().await;
    let ours = shop.started().await;
    shop.post("/mypos/ok", ok(&ours.id).signed()).await.location();
    assert_eq!(shop.reconcile_after(5 * SECOND - 1).await, 0);
    assert_eq!(shop.reconcile_after(1).await, 1);
    assert_eq!(shown(&shop, &ours).await, ShopperState::Checking);
    assert_eq!(shop.reconcile_after(10 * SECOND).await, 1, "15 seconds after the return");
}

#[tokio::test]
async fn unsuccessful_and_unknown_count_only_once_the_payment_page_is_closed() {
    for code in ["3", "0"] {
        let shop = Shop::new().await;
        let ours = shop.started().await;
        shop.post("/mypos/ok", ok(&ours.id).signed()).await.location();
        shop.gateway.says_status(code);
        let mut asked = 0;
        while shop.checkout.now_ms() < START_MS + DEADLINE - MINUTE {
            asked += shop.reconcile_after(MINUTE).await;
            assert_eq!(shop.states(&ours).await, (OrderState::Open, PaymentState::Started), "{code}");
            assert_eq!(shown(&shop, &ours).await, ShopperState::Checking, "never failed while it is unknown");
        }
        assert!(asked >= 3, "{code}: asked {asked} times");
        assert!(shop.news(&ours).await.iter().all(|kind| *kind == EventKind::Returned));

        assert_eq!(shop.reconcile_after(MINUTE).await, 1);
        assert_eq!(shop.states(&ours).await, (OrderState::Open, PaymentState::Failed), "{code}");
        assert_eq!(shown(&shop, &ours).await, ShopperState::NotPaid);
        assert_eq!(shop.news(&ours).await.last(), Some(&EventKind::StatusUnsuccessful));
        assert_eq!(shop.reconcile_after(HOUR).await, 0, "that is the end of it");
        // A late Notify pays it all the same.
        assert_eq!(shop.notify(notify(&ours.id).signed()).await, (200, "OK".to_owned()));
    }
}

#[tokio::test]
async fn a_reversal_that_we_learn_of_opens_the_order_again() {
    let shop = Shop::new().await;
    let ours = shop.paid().await;
    shop.gateway.says_status("4");
    assert_eq!(shop.reconcile_after(2 * MINUTE).await, 1, "our OK may have been lost");
    assert_eq!(shop.states(&ours).await, (OrderState::Open, PaymentState::Reversed));
    assert_eq!(shown(&shop, &ours).await, ShopperState::GivenBack);
    assert_eq!(shop.news(&ours).await, [EventKind::Notified, EventKind::StatusReversed]);
    assert_eq!(shop.reconcile_after(48 * HOUR).await, 0);
}

#[tokio::test]
async fn a_paid_payment_is_asked_about_three_times_and_then_settled() {
    let shop = Shop::new().await;
    let ours = shop.paid().await;
    shop.gateway.says_status("1");
    for (wait, asked) in [
        (2 * MINUTE - 1, 0),
        (1, 1),
        (58 * MINUTE - 1, 0),
        (1, 1),
        (23 * HOUR - 1, 0),
        (1, 1),
        (100 * HOUR, 0),
    ] {
        assert_eq!(shop.reconcile_after(wait).await, asked, "{wait} ms later");
    }
    assert_eq!(shop.states(&ours).await, (OrderState::Paid, PaymentState::Paid));
    assert_eq!(shop.news(&ours).await, [EventKind::Notified]);
}

#[tokio::test]
async fn an_unsuccessful_status_of_a_paid_payment_is_a_contradiction_and_takes_nothing_away() {
    let shop = Shop::new().await;
    let ours = shop.paid().await;
    shop.gateway.says_status("3");
    shop.reconcile_after(HOUR).await;
    assert_eq!(shop.states(&ours).await, (OrderState::Paid, PaymentState::Paid));
    assert_eq!(shop.news(&ours).await, [EventKind::Notified, EventKind::Contradiction]);
}

#[tokio::test]
async fn an_answer_that_cannot_be_trusted_decides_nothing_and_is_asked_again() {
    type Answer = fn(&Fields) -> Reply;
    let answers: [(&str, Answer); 17] = [
        ("not signed", |call| Reply::Plain(200, paid(call, "50.00").to_json())),
        ("a stranger's key", |call| Reply::SignedBy(STRANGER.clone(), paid(call, "50.00"))),
        ("our own key", |call| Reply::SignedBy(FIRST.store.clone(), paid(call, "50.00"))),
        ("another order", |call| Reply::Signed(renamed(&paid(call, "50.00"), "OrderID", &"A".repeat(26)))),
        ("a foreign order", |call| Reply::Signed(renamed(&paid(call, "50.00"), "OrderID", "1440146333"))),
        ("another question", |call| Reply::Signed(renamed(&paid(call, "50.00"), "IPCmethod", "IPCRefund"))),
        ("another store", |call| {
            let mut fields = paid(call, "50.00");
            fields.push("SID", "000000000000010");
            Reply::Signed(fields)
        }),
        ("a field twice", |call| {
            let mut fields = paid(call, "50.00");
            fields.push("PaymentStatus", "1");
            Reply::Signed(fields)
        }),
        ("a malformed amount", |call| Reply::Signed(paid(call, "5e1"))),
        ("pending", |call| Reply::Signed(status(call, "2"))),
        ("no status", |call| Reply::Signed(status(call, ""))),
        ("an unknown status", |call| Reply::Signed(status(call, "7"))),
        ("HTTP 500", |call| Reply::Plain(500, signed(&FIRST.gateway, paid(call, "50.00")))),
        ("a redirect", |call| Reply::Plain(302, signed(&FIRST.gateway, paid(call, "50.00")))),
        ("HTML", |_| Reply::Plain(200, "<h1>Error Code 3</h1>".into())),
        ("nothing", |_| Reply::Plain(200, String::new())),
        ("far too much", |call| {
            let mut fields = paid(call, "50.00");
            fields.push("Filler", "x".repeat(300_000));
            Reply::Signed(fields)
        }),
    ];
    let shop = Shop::new().await;
    for (what, answer) in answers {
        let ours = shop.started().await;
        shop.gateway.says(answer);
        assert_eq!(shop.reconcile_after(2 * MINUTE).await, 1, "{what}");
        assert_eq!(shop.states(&ours).await, (OrderState::Open, PaymentState::Started), "{what}");
        let now = shop.checkout.now_ms();
        let payment = shop.payment(&ours).await;
        assert_eq!((payment.unanswered, payment.next_ask_at_ms), (1, Some(now + MINUTE)), "{what}");
        assert!(shop.news(&ours).await.is_empty(), "{what}");
        // The truth, a minute later.
        shop.gateway.says_status("4");
        assert_eq!(shop.reconcile_after(MINUTE).await, 1, "{what}");
        assert_eq!(shop.states(&ours).await, (OrderState::Open, PaymentState::Reversed), "{what}");
    }
}

fn renamed(fields: &Fields, name: &str, value: &str) -> Fields {
    fields
        .iter()
        .map(|field| {
            (field.name.clone(), if field.name == name { value } else { field.text().unwrap() }.to_owned())
        })
        .collect()
}

#[tokio::test]
async fn questions_without_an_answer_are_asked_less_and_less_often_and_never_given_up() {
    let shop = Shop::new().await;
    let ours = shop.started().await;
    shop.clock.advance(100 * HOUR);
    shop.gateway.says(|_| Reply::Plain(503, String::new()));
    assert_eq!(shop.reconcile_after(0).await, 1);
    for minutes in [1, 2, 4, 8, 16, 32, 60, 60] {
        assert_eq!(shop.reconcile_after(minutes * MINUTE - 1).await, 0, "{minutes}");
        assert_eq!(shop.reconcile_after(1).await, 1, "{minutes}");
    }
    assert_eq!(shop.states(&ours).await, (OrderState::Open, PaymentState::Started));
    shop.gateway.says_status("1");
    shop.reconcile_after(HOUR).await;
    assert_eq!(shop.payment(&ours).await.unanswered, 0);
    assert_eq!(shop.states(&ours).await, (OrderState::Paid, PaymentState::Paid));
}

#[tokio::test]
async fn a_status_of_another_amount_is_never_paid() {
    for amount in ["50.01", "49.99", "5000"] {
        let shop = Shop::new().await;
        let ours = shop.started().await;
        shop.gateway.says(move |call| Reply::Signed(paid(call, amount)));
        shop.reconcile_after(2 * MINUTE).await;
        assert_eq!(shop.states(&ours).await, (OrderState::Open, PaymentState::Refused), "{amount}");
        assert_eq!(shop.news(&ours).await, [EventKind::StatusRefused], "{amount}");
    }
    let shop = Shop::new().await;
    let ours = shop.started().await;
    shop.gateway.says(|call| Reply::Signed(renamed(&paid(call, "50.00"), "Currency", "USD")));
    shop.reconcile_after(2 * MINUTE).await;
    assert_eq!(shop.states(&ours).await, (OrderState::Open, PaymentState::Refused));
}

#[tokio::test]
async fn paid_without_an_amount_is_decided_by_the_gateways_last_message() {
    type Inside = fn(&str) -> Option<Fields>;
    let cases: [(&str, Inside, PaymentState); 9] = [
        ("a notification", |id| Some(fields_of(&notify(id))), PaymentState::Paid),
        ("a rollback", |id| Some(fields_of(&rollback(id))), PaymentState::Reversed),
        ("another amount", |id| Some(fields_of(&notify(id).with("Amount", "1.00"))), PaymentState::Refused),
        ("another order", |_| Some(fields_of(&notify(&"A".repeat(26)))), PaymentState::Started),
        ("another store", |id| Some(fields_of(&notify(id).with("SID", "10"))), PaymentState::Started),
        ("an OK", |id| Some(fields_of(&ok(id))), PaymentState::Started),
        ("another shape", |id| Some(fields_of(&notify(id).swapped(2, 3))), PaymentState::Started),
        ("another method", |_| Some(pairs(&[("IPCmethod", "IPCOther")])), PaymentState::Started),
        ("nothing", |_| None, PaymentState::Started),
    ];
    for (what, inside, expected) in cases {
        let shop = Shop::new().await;
        let ours = shop.started().await;
        shop.gateway.says(move |call| {
            Reply::Signed(match call.text("IPCmethod").unwrap() {
                "IPCGetTxnStatus" => match inside(call.text("OrderID").unwrap()) {
                    Some(callback) => txn_status(call, callback),
                    None => renamed(&status(call, ""), "IPCmethod", "IPCGetTxnStatus"),
                },
                _ => status(call, "1"),
            })
        });
        shop.reconcile_after(2 * MINUTE).await;
        assert_eq!(shop.payment(&ours).await.state, expected, "{what}");
        let methods: Vec<_> =
            shop.gateway.take_calls().iter().map(|call| call.text("IPCmethod").unwrap().to_owned()).collect();
        assert_eq!(methods, ["IPCGetPaymentStatus", "IPCGetTxnStatus"], "{what}");
    }
}

#[tokio::test]
async fn declined_attempts_are_learnt_once_and_shown_to_the_shopper() {
    let shop = Shop::new().await;
    let ours = shop.started().await;
    let declined = |count: usize| {
        move |call: &Fields| {
            let mut list = Fields::new();
            for index in 0..count {
                let attempt = pairs(&[
                    ("DateTime", "2026-11-21 10:39:37"),
                    ("responseCode", "05"),
                    ("responseCodeDescription", "Do not honor"),
                ]);
                list.push_nested(index.to_string(), attempt);
            }
            let mut fields = status(call, "2");
            fields.push_nested("DeclinedPayments", list);
            Reply::Signed(fields)
        }
    };
    for (count, wait) in [(2, 2 * MINUTE), (2, HOUR), (3, HOUR), (3, HOUR)] {
        shop.gateway.says(declined(count));
        assert_eq!(shop.reconcile_after(wait).await, 1);
        assert_eq!(shop.news(&ours).await, vec![EventKind::Declined; count]);
    }
    let detail = shop.events(&ours).await.pop().unwrap().what.detail;
    assert!(detail.contains("05") && detail.contains("Do not honor"), "{detail}");
    let page = shop.get(&shop.result_page(&ours).await).await;
    assert!(page.body.contains("The payment was declined."), "{}", page.body);
}

/// An order that is paid, with a second payment that came in for it and is still paid at the gateway.
async fn paid_twice(shop: &Shop) -> (Started, Started) {
    let first = shop.started().await;
    let second = shop.started_again(&first).await;
    assert_eq!(shop.notify(notify(&first.id).signed()).await.0, 200);
    assert_eq!(shop.notify(notify(&second.id).with("IPC_Trnref", "777").signed()).await.0, 409);
    (first, second)
}

fn still_paid(refund_code: &'static str) -> impl FnMut(&Fields) -> Reply + Send {
    move |call| {
        Reply::Signed(match call.text("IPCmethod").unwrap() {
            "IPCRefund" => refund(call, refund_code),
            _ => paid(call, "50.00"),
        })
    }
}

#[tokio::test]
async fn a_refused_payment_that_is_still_paid_after_an_hour_is_refunded_in_full_and_once() {
    let shop = Shop::new().await;
    let (first, second) = paid_twice(&shop).await;
    shop.gateway.says(still_paid("0"));
    let mut elapsed = 0;
    while elapsed < 59 {
        shop.reconcile_after(MINUTE).await;
        elapsed += 1;
    }
    assert_eq!(shop.gateway.count("IPCRefund"), 0, "the gateway gives it back by itself, usually");
    for _ in 0..10 {
        shop.reconcile_after(HOUR).await;
    }
    let calls = shop.gateway.take_calls();
    let refunds: Vec<_> = calls.iter().filter(|call| call.text("IPCmethod") == Some("IPCRefund")).collect();
    assert_eq!(refunds.len(), 1);
    assert_eq!((refunds[0].text("Amount"), refunds[0].text("Currency")), (Some("50.00"), Some("EUR")));
    assert_eq!(refunds[0].text("IPC_Trnref"), Some("777"));
    assert_ne!(refunds[0].text("OrderID"), Some(second.id.as_str()), "an OrderID of its own");
    let news = shop.news(&second).await;
    assert!(news.ends_with(&[EventKind::RefundReserved, EventKind::RefundDone]), "{news:?}");
    assert_eq!(shop.states(&first).await, (OrderState::Paid, PaymentState::Paid));
}

#[tokio::test]
async fn a_refused_payment_that_was_refunded_is_asked_about_no_more() {
    let shop = Shop::new().await;
    let (_, second) = paid_twice(&shop).await;
    shop.gateway.says(still_paid("0"));
    // Past the last question about the paid one, too.
    for _ in 0..30 {
        shop.reconcile_after(HOUR).await;
    }
    assert!(shop.news(&second).await.contains(&EventKind::RefundDone));
    assert_eq!(shop.reconcile_after(100 * HOUR).await, 0, "every payment ends");
}

#[tokio::test]
async fn a_refused_payment_that_the_gateway_reversed_is_not_refunded() {
    let shop = Shop::new().await;
    let (first, second) = paid_twice(&shop).await;
    let other = second.id.clone();
    shop.gateway.says(move |call| {
        let reversed = call.text("OrderID") == Some(&other);
        Reply::Signed(if reversed { status(call, "4") } else { paid(call, "50.00") })
    });
    for _ in 0..30 {
        shop.reconcile_after(HOUR).await;
    }
    assert_eq!(shop.gateway.count("IPCRefund"), 0);
    assert_eq!(shop.states(&second).await, (OrderState::Paid, PaymentState::Reversed));
    assert_eq!(shop.states(&first).await, (OrderState::Paid, PaymentState::Paid));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_payment_is_refunded_once_by_many_that_reconcile_at_the_same_time() {
    let shop = Shop::new().await;
    let (_, second) = paid_twice(&shop).await;
    shop.gateway.says(still_paid("0"));
    shop.clock.advance(HOUR);
    crate::shop::at_once(8, |_| {
        let checkout = std::sync::Arc::clone(&shop.checkout);
        async move { checkout.reconcile_all().await.unwrap() }
    })
    .await;
    assert_eq!(shop.gateway.count("IPCRefund"), 1);
    let news = shop.news(&second).await;
    assert_eq!(news.iter().filter(|kind| **kind == EventKind::RefundDone).count(), 1, "{news:?}");
}

#[tokio::test]
async fn a_refund_whose_outcome_is_unknown_stays_reserved_and_is_raised() {
    for code in ["3", "99", "20"] {
        let shop = Shop::new().await;
        let (_, second) = paid_twice(&shop).await;
        shop.gateway.says(still_paid(code));
        for _ in 0..5 {
            shop.reconcile_after(HOUR).await;
        }
        assert_eq!(shop.gateway.count("IPCRefund"), 1, "never asked for twice");
        let news = shop.news(&second).await;
        assert!(
            news.contains(&EventKind::RefundUnknown) && news.contains(&EventKind::Contradiction),
            "{news:?}"
        );
    }
}

#[tokio::test]
async fn what_could_not_be_given_back_waits_for_a_person_whatever_comes_late() {
    let shop = Shop::new().await;
    let (_, second) = paid_twice(&shop).await;
    shop.gateway.says(still_paid("13"));
    // Past the last question about the paid one, too.
    for _ in 0..30 {
        shop.reconcile_after(HOUR).await;
    }
    assert!(shop.news(&second).await.contains(&EventKind::Contradiction), "somebody was told");
    assert_eq!(shop.notify(notify(&second.id).with("IPC_Trnref", "777").signed()).await.0, 409);
    assert_eq!(shop.reconcile_after(48 * HOUR).await, 1, "the gateway has something to say again");
    assert_eq!(shop.reconcile_after(100 * HOUR).await, 0, "nothing is left to be learnt");
    assert_eq!(shop.gateway.count("IPCRefund"), 1);
}

#[tokio::test]
async fn money_of_another_amount_is_given_back_by_a_person() {
    let shop = Shop::new().await;
    let ours = shop.started().await;
    assert_eq!(shop.notify(notify(&ours.id).with("Amount", "12.34").signed()).await.0, 409);
    shop.gateway.says(|call| Reply::Signed(paid(call, "12.34")));
    for _ in 0..5 {
        shop.reconcile_after(HOUR).await;
    }
    assert_eq!(shop.gateway.count("IPCRefund"), 0, "nobody guesses how much");
    assert_eq!(shop.news(&ours).await, [EventKind::NotifyRefused, EventKind::Contradiction]);
    assert_eq!(shop.reconcile_after(100 * HOUR).await, 0, "it waits for a person");
}

#[tokio::test]
async fn an_order_expires_after_a_day_and_a_late_notification_is_refused() {
    let shop = Shop::new().await;
    let ours = shop.started().await;
    shop.gateway.says_status("3");
    shop.reconcile_after(DEADLINE).await;
    assert_eq!(shop.states(&ours).await, (OrderState::Open, PaymentState::Failed));
    // A form that nobody sent may still be sent: the payment is asked about once more, a day later.
    assert_eq!(shop.reconcile_after(24 * HOUR - 1).await, 0);
    assert_eq!(shop.file(&ours).await.order.state, OrderState::Open);
    shop.clock.advance(1);
    let report = shop.checkout.reconcile_due(pending()).await.unwrap();
    assert_eq!((report.asked, report.expired), (1, 1));
    assert_eq!(shop.file(&ours).await.order.state, OrderState::Expired);
    assert_eq!(shown(&shop, &ours).await, ShopperState::Ended);
    assert_eq!(shop.notify(notify(&ours.id).signed()).await.0, 409);
    assert_eq!(shop.states(&ours).await, (OrderState::Expired, PaymentState::Refused));
}

#[tokio::test]
async fn an_order_with_the_merchants_own_method_does_not_expire() {
    let shop = Shop::new().await;
    let request = domain::StartRequest { method: Some(domain::PaymentMethod::BankTransfer), ..purchase() };
    let ours = shop.start(request).await;
    shop.reconcile_after(1000 * HOUR).await;
    assert_eq!(shop.file(&ours).await.order.state, OrderState::Awaiting);
}

#[tokio::test]
async fn an_order_does_not_expire_while_the_truth_about_its_payment_is_unknown() {
    let shop = Shop::new().await;
    let ours = shop.started().await;
    shop.gateway.says(|_| Reply::Plain(503, String::new()));
    for _ in 0..30 {
        shop.reconcile_after(HOUR).await;
    }
    assert_eq!(shop.file(&ours).await.order.state, OrderState::Open);
    assert_eq!(shop.notify(notify(&ours.id).signed()).await, (200, "OK".to_owned()));
}

#[tokio::test]
async fn everything_that_has_not_ended_is_asked_about_at_once_on_request() {
    let shop = Shop::new().await;
    let mut open = Vec::new();
    for _ in 0..60 {
        open.push(shop.started().await);
    }
    let reversed = shop.started().await;
    assert_eq!(shop.notify(rollback(&reversed.id).signed()).await.0, 200);
    shop.gateway.says_status("1");
    let report = shop.checkout.reconcile_all().await.unwrap();
    assert_eq!((report.asked, report.changed, report.undecided, report.expired), (60, 60, 0, 0));
    for ours in &open {
        assert_eq!(shop.states(ours).await, (OrderState::Paid, PaymentState::Paid));
    }
    assert!(shop.gateway.take_calls().iter().all(|call| call.text("OrderID") != Some(reversed.id.as_str())));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_share_what_is_due() {
    let shop = Shop::new().await;
    for _ in 0..30 {
        shop.started().await;
    }
    shop.clock.advance(2 * MINUTE);
    let reports = crate::shop::at_once(6, |_| {
        let checkout = std::sync::Arc::clone(&shop.checkout);
        async move { checkout.reconcile_due(pending()).await.unwrap().asked }
    })
    .await;
    assert_eq!(reports.iter().sum::<u32>(), 30);
    assert_eq!(shop.gateway.count("IPCGetPaymentStatus"), 30);
}

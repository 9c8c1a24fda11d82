//! Shoppers who come back from the gateway: `/mypos/ok` and `/mypos/cancel`.

use checkout::records::EventKind;
use domain::{OrderState, PaymentState};

use crate::html;
use crate::keys::STRANGER;
use crate::messages::{Message, cancel, notify, ok, rollback};
use crate::shop::{Answer, MINUTE, SECOND, Shop};

/// Comes back as a browser does from the gateway's page: a POST from another site, without cookies.
async fn come_back(shop: &Shop, path: &str, message: &Message) -> Answer {
    let request = shop
        .posting(path, message.signed())
        .header("origin", "https://www.mypos.com")
        .header("referer", "https://www.mypos.com/")
        .header("sec-fetch-site", "cross-site")
        .header("sec-fetch-mode", "navigate");
    Answer::of(request).await
}

/// Whether a page offers to pay.
fn can_pay(page: &str) -> bool {
    html::form(page, "/checkout/pay").is_some()
}

#[tokio::test]
async fn an_ok_leads_to_the_result_page_which_is_checking_and_has_no_way_to_pay() {
    let shop = Shop::new().await;
    let ours = shop.started().await;
    let answer = come_back(&shop, "/mypos/ok", &ok(&ours.id)).await;
    assert!(answer.location().starts_with("/checkout/result/"), "{answer:?}");
    assert_eq!(answer.header("referrer-policy"), "no-referrer");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(shop.states(&ours).await, (OrderState::Open, PaymentState::Started), "an OK proves nothing");
    assert_eq!(shop.news(&ours).await, [EventKind::Returned]);

    let page = shop.get(answer.location()).await;
    assert_eq!(page.status, 200);
    assert_eq!(html::heading(&page.body), "We are checking your payment");
    assert!(!can_pay(&page.body));
    assert!(page.body.contains("http-equiv=\"refresh\""), "a browser without scripts asks again");
    assert!(shop.gateway.take_calls().is_empty(), "a shopper never makes us ask the gateway");

    assert_eq!(shop.notify(notify(&ours.id).signed()).await.0, 200);
    let page = shop.get(answer.location()).await;
    assert_eq!(html::heading(&page.body), "Thank you, your order is paid");
    assert!(!page.body.contains("http-equiv=\"refresh\""));
}

#[tokio::test]
async fn an_ok_after_the_notification_leads_to_a_paid_order() {
    let shop = Shop::new().await;
    let ours = shop.paid().await;
    let answer = come_back(&shop, "/mypos/ok", &ok(&ours.id)).await;
    let page = shop.get(answer.location()).await;
    assert_eq!(html::heading(&page.body), "Thank you, your order is paid");
    assert!(!can_pay(&page.body));
}

#[tokio::test]
async fn each_return_opens_the_order_by_a_token_of_its_own() {
    let shop = Shop::new().await;
    let ours = shop.started().await;
    let first = come_back(&shop, "/mypos/ok", &ok(&ours.id)).await;
    let second = come_back(&shop, "/mypos/ok", &ok(&ours.id)).await;
    assert_ne!(first.location(), second.location());
    for answer in [&first, &second] {
        assert_eq!(shop.get(answer.location()).await.status, 200);
    }
    assert_eq!(shop.news(&ours).await, [EventKind::Returned], "it is on record once");
}

#[tokio::test]
async fn a_cancel_leads_to_the_cancelled_page_where_one_press_pays() {
    let shop = Shop::new().await;
    let ours = shop.started().await;
    let answer = come_back(&shop, "/mypos/cancel", &cancel(&ours.id)).await;
    assert!(answer.location().starts_with("/checkout/cancelled/"), "{answer:?}");
    assert_eq!(shop.states(&ours).await, (OrderState::Open, PaymentState::Cancelled));
    let page = shop.get(answer.location()).await;
    assert_eq!(html::heading(&page.body), "You cancelled the payment");
    let form = html::form(&page.body, "/checkout/pay").expect("a way to pay");
    let again = shop.post("/checkout/pay", html::encode(form)).await;
    assert!(again.location().starts_with("/checkout/go/"), "{again:?}");
    let file = shop.file(&ours).await;
    assert_eq!(file.payments.len(), 2);
}

#[tokio::test]
async fn a_cancel_of_a_paid_order_has_no_way_to_pay_and_is_cleared_up() {
    let shop = Shop::new().await;
    let ours = shop.paid().await;
    let answer = come_back(&shop, "/mypos/cancel", &cancel(&ours.id)).await;
    assert!(answer.location().starts_with("/checkout/cancelled/"), "{answer:?}");
    assert_eq!(shop.states(&ours).await, (OrderState::Paid, PaymentState::Paid));
    let shown = async || {
        let page = shop.get(answer.location()).await;
        assert!(!can_pay(&page.body));
        assert!(!page.body.contains("You cancelled the payment"));
        page.body
    };
    // The gateway sends shoppers there when it gives the money back because our OK was lost.
    assert!(shown().await.contains("We are checking your payment"));
    shop.gateway.says_status("1");
    assert_eq!(shop.reconcile_after(5 * SECOND).await, 1);
    shop.reconcile_after(10 * MINUTE).await;
    assert!(shown().await.contains("Thank you, your order is paid"));
}

#[tokio::test]
async fn a_cancel_of_a_paid_order_that_comes_again_and_again_is_one_event() {
    let shop = Shop::new().await;
    let ours = shop.paid().await;
    for _ in 0..5 {
        come_back(&shop, "/mypos/cancel", &cancel(&ours.id)).await;
        shop.clock.advance(SECOND);
    }
    let cancelled = |news: Vec<EventKind>| news.iter().filter(|kind| **kind == EventKind::Cancelled).count();
    assert_eq!(
        cancelled(shop.news(&ours).await),
        1,
        "a shopper cannot fill the record with one signed message"
    );
}

#[tokio::test]
async fn while_one_payment_is_checked_a_cancel_of_another_offers_no_second_way_to_pay() {
    let shop = Shop::new().await;
    let first = shop.started().await;
    let second = shop.started_again(&first).await;
    come_back(&shop, "/mypos/ok", &ok(&first.id)).await;
    let answer = come_back(&shop, "/mypos/cancel", &cancel(&second.id)).await;
    let page = shop.get(answer.location()).await;
    assert!(page.body.contains("We are checking your payment"));
    assert!(!can_pay(&page.body));
}

#[tokio::test]
async fn a_shopper_who_pays_after_having_cancelled_is_checked_again() {
    let shop = Shop::new().await;
    let ours = shop.started().await;
    for _ in 0..2 {
        come_back(&shop, "/mypos/ok", &ok(&ours.id)).await;
        shop.clock.advance(1_000);
        come_back(&shop, "/mypos/cancel", &cancel(&ours.id)).await;
        shop.clock.advance(1_000);
    }
    let answer = come_back(&shop, "/mypos/ok", &ok(&ours.id)).await;
    let page = shop.get(answer.location()).await;
    assert_eq!(html::heading(&page.body), "We are checking your payment");
    assert!(!can_pay(&page.body));
}

#[tokio::test]
async fn money_that_went_back_is_said_to_have_gone_back() {
    let shop = Shop::new().await;
    let ours = shop.paid().await;
    assert_eq!(shop.notify(rollback(&ours.id).signed()).await.0, 200);
    let page = shop.get(&shop.result_page(&ours).await).await;
    assert_eq!(html::heading(&page.body), "Your payment was given back");
    assert!(can_pay(&page.body), "it can be paid again");
}

#[tokio::test]
async fn what_cannot_be_verified_leads_to_a_neutral_page() {
    let shop = Shop::new().await;
    let ours = shop.started().await;
    let cases = [
        ("/mypos/ok", ok(&ours.id).unsigned(), "not signed"),
        ("/mypos/ok", ok(&ours.id).signed_by(&STRANGER), "a stranger's signature"),
        ("/mypos/ok", cancel(&ours.id).signed(), "a cancel"),
        ("/mypos/ok", notify(&ours.id).signed(), "a notification"),
        ("/mypos/cancel", ok(&ours.id).signed(), "an OK"),
        ("/mypos/cancel", notify(&ours.id).signed(), "a notification"),
        ("/mypos/cancel", rollback(&ours.id).signed(), "a rollback"),
        ("/mypos/cancel", cancel(&ours.id).unsigned(), "not signed"),
        ("/mypos/ok", ok(&ours.id).swapped(2, 3).signed(), "another order of fields"),
        ("/mypos/ok", ok(&ours.id).with("SID", "000000000000010").signed(), "another store"),
        ("/mypos/ok", String::new(), "nothing"),
        ("/mypos/cancel", "x".repeat(70_000), "too much"),
    ];
    for (path, body, what) in cases {
        let answer = shop.post(path, body).await;
        assert_eq!(answer.location(), "/checkout/unknown", "{path}: {what}");
    }
    assert_eq!(shop.states(&ours).await, (OrderState::Open, PaymentState::Started));
    assert!(shop.news(&ours).await.is_empty());
    assert!(shop.unknown_messages().is_empty());

    let page = shop.get("/checkout/unknown").await;
    assert_eq!(html::heading(&page.body), "We could not confirm this answer");
    assert!(!can_pay(&page.body) && !page.body.contains(&ours.id));
    for path in ["/mypos/ok", "/mypos/cancel"] {
        assert_eq!(shop.get(path).await.status, 405);
    }
}

#[tokio::test]
async fn a_verified_return_for_no_known_order_is_kept() {
    let shop = Shop::new().await;
    let mut kept = Vec::new();
    for id in ["B".repeat(26), "1440146333".to_owned()] {
        for (path, message) in [("/mypos/ok", ok(&id)), ("/mypos/cancel", cancel(&id))] {
            let answer = shop.post(path, message.signed()).await;
            assert_eq!(answer.location(), "/checkout/unknown");
            kept.push(message.signed());
        }
    }
    assert_eq!(shop.unknown_messages(), kept);
    // Nor are the same ones in another shape: neither the encoding nor the names of fields are signed.
    for (shape, path) in [("ipcMETHOD=", "/mypos/ok"), ("IPCmethod=", "/mypos/cancel")] {
        for number in 0..3 {
            let body =
                kept.iter().find(|kept| kept.contains(if path.ends_with("ok") { "OK" } else { "Cancel" }));
            let body = body.unwrap().replacen("IPCmethod=", shape, 1) + &"&".repeat(number);
            shop.post(path, body).await.location();
        }
    }
    assert_eq!(shop.unknown_messages(), kept);
}

#[tokio::test]
async fn posts_from_other_sites_are_taken_from_the_gateway_and_nowhere_else() {
    let shop = Shop::new().await;
    let ours = shop.started().await;
    let answer = come_back(&shop, "/mypos/ok", &ok(&ours.id)).await;
    assert!(answer.location().starts_with("/checkout/result/"));
    let headers: [&[(&str, &str)]; 3] = [
        &[("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")],
        &[("origin", "https://evil.example")],
        &[("sec-fetch-site", "same-site")],
    ];
    for path in ["/checkout/pay", "/checkout/update", "/cart/add", "/cart/set", "/api/checkout/start"] {
        for headers in headers {
            let mut request = shop.posting(path, "sku=box&quantity=1&lines=box:1");
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let answer = Answer::of(request).await;
            assert_eq!(answer.status, 403, "{path} {headers:?}");
            assert!(answer.cookies().is_empty(), "{path}");
        }
    }
}

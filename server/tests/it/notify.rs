//! `/mypos/notify`: what is answered, what stands afterwards, and what is on record.

use std::path::Path;

use checkout::records::EventKind;
use domain::{OrderState, PaymentState, StartRequest};
use mypos::Unverified;
use toml::{Table, Value};

use crate::html::encode;
use crate::keys::{FIRST, SECOND, STRANGER};
use crate::messages::{Message, cancel, notify, ok, rollback};
use crate::shop::{HOUR, MINUTE, Shop, Started, at_once, purchase, store_entry};

const OPEN: (OrderState, PaymentState) = (OrderState::Open, PaymentState::Started);
const PAID: (OrderState, PaymentState) = (OrderState::Paid, PaymentState::Paid);
const REFUSED: (OrderState, PaymentState) = (OrderState::Open, PaymentState::Refused);

/// Posts a message that must have no effect on an open order.
async fn is_turned_away(shop: &Shop, started: &Started, body: String, status: u16, what: &str) {
    let answer = shop.notify(body).await;
    assert_eq!(answer.0, status, "{what}: {answer:?}");
    assert!(!answer.1.starts_with("OK"), "{what}: {answer:?}");
    assert_eq!(shop.states(started).await, OPEN, "{what}");
    assert!(shop.news(started).await.is_empty(), "{what}");
}

#[tokio::test]
async fn a_valid_notification_pays_the_order_and_is_answered_exactly_ok() {
    let shop = Shop::new().await;
    let ours = shop.started().await;
    let body = notify(&ours.id).signed();
    let answer = shop.post("/mypos/notify", body.clone()).await;
    assert_eq!((answer.status, answer.body.as_bytes()), (200, b"OK".as_slice()));
    assert_eq!(shop.states(&ours).await, PAID);
    let payment = shop.payment(&ours).await;
    assert_eq!((payment.trnref.as_deref(), payment.confirmed), (Some("813705000006"), true));
    let events = shop.events(&ours).await;
    let last = events.last().unwrap();
    assert_eq!((last.what.kind, last.what.raw.as_deref()), (EventKind::Notified, Some(body.as_str())));
    assert_eq!(last.payment, Some(payment.id));
    assert!(shop.gateway.take_calls().is_empty(), "nobody was asked");
}

#[tokio::test]
async fn each_field_is_covered_by_the_signature() {
    let shop = Shop::new().await;
    let ours = shop.started().await;
    let other = shop.started().await;
    let genuine = notify(&ours.id).signed_pairs(&FIRST.gateway);
    for index in 0..genuine.len() {
        let name = genuine[index].0.clone();
        let others: &[&str] = match name.as_str() {
            "Amount" => &["50", "50.01", "1.00"],
            "OrderID" => &[&other.id],
            "IPCmethod" => &["IPCPurchaseRollback", "IPCPurchaseOK"],
            "Signature" => &["", "AAAA", "not base64"],
            _ => &["1", "000000000000010", "USD"],
        };
        for other_value in others {
            let mut changed = genuine.clone();
            (*other_value).clone_into(&mut changed[index].1);
            is_turned_away(&shop, &ours, encode(changed), 403, &format!("{name} = {other_value}")).await;
        }
        let mut removed = genuine.clone();
        removed.remove(index);
        is_turned_away(&shop, &ours, encode(removed), 403, &format!("without {name}")).await;
    }
    let mut more = genuine.clone();
    more.insert(genuine.len() - 1, ("More".to_owned(), String::new()));
    is_turned_away(&shop, &ours, encode(more), 403, "a field more").await;
    assert_eq!(shop.states(&other).await, OPEN);
    assert!(shop.unknown_messages().is_empty());
    // And the message was genuine before it was touched.
    assert_eq!(shop.notify(encode(genuine)).await, (200, "OK".to_owned()));
}

#[tokio::test]
async fn a_wrong_key_and_no_signature_are_refused() {
    let shop = Shop::new().await;
    let ours = shop.started().await;
    let message = notify(&ours.id);
    is_turned_away(&shop, &ours, message.signed_by(&STRANGER), 403, "a stranger's key").await;
    is_turned_away(&shop, &ours, message.signed_by(&FIRST.store), 403, "our own key").await;
    is_turned_away(&shop, &ours, message.signed_by(&SECOND.gateway), 403, "a key of another package").await;
    is_turned_away(&shop, &ours, message.unsigned(), 403, "no signature").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notification_that_comes_fifty_times_at_once_pays_once_and_is_always_answered_ok() {
    let shop = Shop::new().await;
    let ours = shop.started().await;
    let body = notify(&ours.id).signed();
    let answers = at_once(50, |_| {
        let request = shop.posting("/mypos/notify", body.clone());
        async move { request.send().await.unwrap().text().await.unwrap() }
    })
    .await;
    assert_eq!(answers, vec!["OK"; 50]);
    shop.clock.advance(HOUR);
    assert_eq!(shop.notify(body).await, (200, "OK".to_owned()), "and again later");
    let news = shop.news(&ours).await;
    assert_eq!(news.iter().filter(|kind| **kind == EventKind::Notified).count(), 1);
    assert_eq!(shop.states(&ours).await, PAID);
    let raws = shop.events(&ours).await.into_iter().filter(|event| event.what.raw.is_some()).count();
    assert_eq!(raws, 51, "each message is on record");
}

#[tokio::test]
async fn a_verified_message_for_no_known_order_is_kept_and_raised() {
    let shop = Shop::new().await;
    let ours = shop.started().await;
    let mut kept = Vec::new();
    for id in ["A".repeat(26).as_str(), "1440146333", "order 7-8", "TG_1/2"] {
        let told = notify(id).signed();
        is_turned_away(&shop, &ours, told.clone(), 409, id).await;
        let back = rollback(id).signed();
        assert_eq!(shop.notify(back.clone()).await, (200, "OK".to_owned()), "{id}");
        kept.extend([told, back]);
        assert_eq!(shop.unknown_messages(), kept);
    }
}

#[tokio::test]
async fn amounts_are_compared_as_numbers() {
    let shop = Shop::new().await;
    for right in ["50", "50.0", "50.00", "50.000", "050.00", "50.00000000000000000000000"] {
        let ours = shop.started().await;
        let body = notify(&ours.id).with("Amount", right).signed();
        assert_eq!(shop.notify(body).await, (200, "OK".to_owned()), "{right}");
        assert_eq!(shop.states(&ours).await, PAID, "{right}");
    }
    for wrong in ["50.01", "49.99", "5000", "0", "0.5", "500.00", "92233720368547758.07"] {
        let ours = shop.started().await;
        let body = notify(&ours.id).with("Amount", wrong).signed();
        let answer = shop.notify(body).await;
        assert_eq!((answer.0, answer.1.contains("OK")), (409, false), "{wrong}");
        assert_eq!(shop.states(&ours).await, REFUSED, "{wrong}");
        assert_eq!(shop.news(&ours).await, [EventKind::NotifyRefused], "{wrong}");
    }
    let malformed = [
        "",
        "50,00",
        "5e1",
        "+50.00",
        "-50.00",
        " 50.00",
        "50.",
        ".5",
        "50.001",
        "0x32",
        "99999999999999999999",
        "५०",
    ];
    for amount in malformed {
        let ours = shop.started().await;
        let body = notify(&ours.id).with("Amount", amount).signed();
        is_turned_away(&shop, &ours, body, 400, amount).await;
    }
}

#[tokio::test]
async fn another_currency_is_not_taken() {
    let shop = Shop::new().await;
    for (currency, status, states) in
        [("USD", 409, REFUSED), ("eur", 400, OPEN), ("XXX", 400, OPEN), ("", 400, OPEN)]
    {
        let ours = shop.started().await;
        let answer = shop.notify(notify(&ours.id).with("Currency", currency).signed()).await;
        assert_eq!((answer.0, answer.1.contains("OK")), (status, false), "{currency}");
        assert_eq!(shop.states(&ours).await, states, "{currency}");
    }
}

#[tokio::test]
async fn a_message_for_another_store_is_not_ours_even_with_our_gateways_signature() {
    let shop = Shop::new().await;
    let ours = shop.started().await;
    for sid in ["000000000000010", "54321", "", "0000000000543210"] {
        let answer = shop.notify(notify(&ours.id).with("SID", sid).signed()).await;
        assert!((400..500).contains(&answer.0) && !answer.1.contains("OK"), "{sid}: {answer:?}");
    }
    let answer = shop.notify(notify(&ours.id).without("SID").signed()).await;
    assert!((400..500).contains(&answer.0), "without SID: {answer:?}");
    assert_eq!(shop.states(&ours).await, OPEN);
    assert!(shop.news(&ours).await.is_empty());
}

#[tokio::test]
async fn only_methods_of_this_address_are_taken() {
    let shop = Shop::new().await;
    let ours = shop.started().await;
    for method in [
        "IPCPurchaseNotification",
        "ipcpurchasenotify",
        "",
        "IPCRefund",
        "IPCPurchaseOK",
        "IPCPurchaseCancel",
    ] {
        let body = notify(&ours.id).with("IPCmethod", method).signed();
        is_turned_away(&shop, &ours, body, 400, method).await;
    }
    is_turned_away(&shop, &ours, ok(&ours.id).signed(), 400, "a genuine OK").await;
    is_turned_away(&shop, &ours, cancel(&ours.id).signed(), 400, "a genuine Cancel").await;
    let test = Message(vec![
        ("IPCmethod".to_owned(), "IPCSignatureVerify".to_owned()),
        ("SID".to_owned(), crate::keys::SID.to_owned()),
    ]);
    assert_eq!(shop.notify(test.signed()).await, (200, "OK".to_owned()), "the gateway tests the address");
}

#[tokio::test]
async fn repeated_fields_are_refused() {
    let shop = Shop::new().await;
    let ours = shop.started().await;
    for (name, value) in
        [("Amount", "50.00"), ("amount", "1.00"), ("Order_ID", "X"), ("RequestSTAN", "000006")]
    {
        let body = notify(&ours.id).and(name, value).signed();
        is_turned_away(&shop, &ours, body, 400, name).await;
    }
    let genuine = notify(&ours.id).signed();
    is_turned_away(&shop, &ours, format!("{genuine}&Signature=AAAA"), 400, "two signatures").await;
}

#[tokio::test]
async fn another_order_of_fields_is_refused() {
    let shop = Shop::new().await;
    let ours = shop.started().await;
    for place in 0..6 {
        let body = notify(&ours.id).swapped(place, place + 1).signed();
        is_turned_away(&shop, &ours, body, 400, &format!("{place} and the next exchanged")).await;
    }
    // What comes after the six may come in any order.
    assert_eq!(shop.notify(notify(&ours.id).swapped(6, 7).signed()).await, (200, "OK".to_owned()));
}

#[tokio::test]
async fn a_genuine_ok_that_is_cut_into_a_notification_is_refused() {
    let shop = Shop::new().await;
    let [bought, wanted] = [shop.started().await, shop.started().await];
    // What the shopper typed as his name, and the gateway repeats in the OK that it signs.
    let typed = format!("IPCPurchaseNotify-{}-50.00-EUR-{}-813705000006", crate::keys::SID, wanted.id);
    let genuine = ok(&bought.id).with("CustomerFirstNames", &typed).signed_pairs(&FIRST.gateway);
    let signature = genuine.last().unwrap().1.clone();
    let before = genuine[..6].iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join("-");
    let names = ["IPCmethod", "SID", "Amount", "Currency", "OrderID", "IPC_Trnref"];
    let cut = |first: &str| {
        let mut pairs = vec![(first.to_owned(), before.clone())];
        pairs.extend(
            names.iter().zip(typed.split('-')).map(|(name, value)| ((*name).to_owned(), value.to_owned())),
        );
        pairs.push(("Signature".to_owned(), signature.clone()));
        encode(pairs)
    };
    for first in ["x", "IPCmethod2", "A", "_"] {
        let attack = cut(first);
        let unverified = Unverified::from_form(attack.as_bytes()).unwrap();
        assert!(
            unverified.verify(&FIRST.gateway.public_key()).is_ok(),
            "the signature alone does not see it"
        );
        is_turned_away(&shop, &wanted, attack, 400, first).await;
    }
    // The same names on the genuine text: it begins with IPCPurchaseOK, and so it stays one.
    let renamed: Vec<_> =
        genuine.iter().map(|(name, value)| (name.replace("Customer", "Request"), value.clone())).collect();
    is_turned_away(&shop, &wanted, encode(renamed), 400, "renamed").await;
    assert_eq!(shop.states(&bought).await, OPEN);
}

#[tokio::test]
async fn a_notification_after_a_cancel_still_pays() {
    let shop = Shop::new().await;
    let ours = shop.started().await;
    let location = shop.post("/mypos/cancel", cancel(&ours.id).signed()).await;
    assert!(location.location().starts_with("/checkout/cancelled/"));
    assert_eq!(shop.states(&ours).await, (OrderState::Open, PaymentState::Cancelled));
    shop.clock.advance(HOUR);
    assert_eq!(shop.notify(notify(&ours.id).signed()).await, (200, "OK".to_owned()));
    assert_eq!(shop.states(&ours).await, PAID);
    assert_eq!(shop.news(&ours).await, [EventKind::Cancelled, EventKind::Notified]);
}

#[tokio::test]
async fn a_rollback_is_answered_ok_and_no_notification_pays_after_it() {
    let shop = Shop::new().await;
    for paid_before in [true, false] {
        let ours = if paid_before { shop.paid().await } else { shop.started().await };
        let body = rollback(&ours.id).signed();
        assert_eq!(shop.notify(body.clone()).await, (200, "OK".to_owned()));
        assert_eq!(shop.notify(body).await, (200, "OK".to_owned()), "again");
        let reversed = (OrderState::Open, PaymentState::Reversed);
        assert_eq!(shop.states(&ours).await, reversed);
        let answer = shop.notify(notify(&ours.id).signed()).await;
        assert_eq!((answer.0, answer.1.contains("OK")), (409, false));
        assert_eq!(shop.states(&ours).await, reversed);
        let news = shop.news(&ours).await;
        assert!(news.ends_with(&[EventKind::RolledBack, EventKind::NotifyRefused]), "{news:?}");
    }
}

#[tokio::test]
async fn a_second_payment_of_a_paid_order_is_refused_and_not_answered_ok() {
    let shop = Shop::new().await;
    let first = shop.started().await;
    let second = shop.started_again(&first).await;
    assert_eq!(shop.notify(notify(&first.id).signed()).await, (200, "OK".to_owned()));
    let other = notify(&second.id).with("IPC_Trnref", "813705000007").signed();
    for _ in 0..2 {
        let answer = shop.notify(other.clone()).await;
        assert_eq!((answer.0, answer.1.contains("OK")), (409, false));
    }
    assert_eq!(shop.states(&first).await, PAID);
    assert_eq!(shop.states(&second).await, (OrderState::Paid, PaymentState::Refused));
    let news = shop.news(&first).await;
    assert_eq!(news, [EventKind::Notified, EventKind::NotifyRefused, EventKind::NotifyRefused]);
    assert_eq!(shop.notify(notify(&first.id).signed()).await, (200, "OK".to_owned()), "the first stays paid");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_payments_that_are_notified_at_once_exactly_one_is_taken() {
    let shop = Shop::new().await;
    let first = shop.started().await;
    let second = shop.started_again(&first).await;
    let bodies = [notify(&first.id).signed(), notify(&second.id).with("IPC_Trnref", "8").signed()];
    let answers = at_once(20, |index| {
        let request = shop.posting("/mypos/notify", bodies[index % 2].clone());
        async move { (index % 2, request.send().await.unwrap().text().await.unwrap()) }
    })
    .await;
    let taken = usize::from(shop.payment(&second).await.state == PaymentState::Paid);
    for (of, body) in answers {
        assert_eq!(body == "OK", of == taken, "each payment has one answer: {body}");
    }
    let mut states = [shop.payment(&first).await.state, shop.payment(&second).await.state];
    states.sort_by_key(|state| state.name());
    assert_eq!(states, [PaymentState::Paid, PaymentState::Refused]);
}

#[tokio::test]
async fn the_same_payment_under_another_reference_is_a_contradiction() {
    let shop = Shop::new().await;
    let ours = shop.paid().await;
    for (field, value) in [("IPC_Trnref", "999"), ("Amount", "51.00")] {
        let answer = shop.notify(notify(&ours.id).with(field, value).signed()).await;
        assert_eq!((answer.0, answer.1.contains("OK")), (409, false), "{field}");
        assert_eq!(shop.states(&ours).await, PAID, "{field}");
        assert_eq!(shop.news(&ours).await.last(), Some(&EventKind::Contradiction), "{field}");
    }
}

#[tokio::test]
async fn an_expired_and_a_cancelled_order_refuse_the_money() {
    let shop = Shop::new().await;
    let expired = shop.started().await;
    shop.gateway.says_status("3");
    shop.reconcile_after(46 * MINUTE).await;
    assert_eq!(shop.states(&expired).await, (OrderState::Open, PaymentState::Failed));
    shop.reconcile_after(24 * HOUR).await;
    assert_eq!(shop.file(&expired).await.order.state, OrderState::Expired);

    let cancelled = shop.started().await;
    let other_cart = StartRequest {
        cart_id: cancelled.cart_id.clone(),
        lines: domain::Cart::parse("box:2").unwrap(),
        shown_total_minor: 10_000,
        ..purchase()
    };
    let in_its_place = shop.start(other_cart).await;
    assert_ne!(in_its_place.order, cancelled.order);
    assert_eq!(shop.file(&cancelled).await.order.state, OrderState::Cancelled);

    for (ended, state) in [(expired, OrderState::Expired), (cancelled, OrderState::Cancelled)] {
        let answer = shop.notify(notify(&ended.id).signed()).await;
        assert_eq!((answer.0, answer.1.contains("OK")), (409, false), "{state:?}");
        assert_eq!(shop.states(&ended).await, (state, PaymentState::Refused));
        assert_eq!(shop.news(&ended).await.last(), Some(&EventKind::NotifyRefused));
    }
}

/// Gives the store of a configuration these packages.
fn packages(table: &mut Table, dir: &Path, setting: &str, names: &[&str]) {
    let files = names.iter().map(|name| Value::String(dir.join(name).display().to_string()));
    store_entry(table).insert(setting.to_owned(), Value::Array(files.collect()));
    std::fs::write(dir.join("second.txt"), SECOND.package()).unwrap();
}

#[tokio::test]
async fn every_key_in_use_verifies_and_the_newest_signs() {
    let shop =
        Shop::with(|table, dir| packages(table, dir, "packages", &["package.txt", "second.txt"])).await;
    for key in [&FIRST.gateway, &SECOND.gateway] {
        let ours = shop.started().await;
        assert_eq!(shop.notify(notify(&ours.id).signed_by(key)).await, (200, "OK".to_owned()));
        assert_eq!(shop.states(&ours).await, PAID);
        let token = checkout::token::Token::parse(ours.location.trim_start_matches("/checkout/go/")).unwrap();
        let handoff = shop.checkout.store().open_handoff(token.hash(), 0).await.unwrap().unwrap();
        let form = Unverified::from_pairs(handoff.form.fields).unwrap();
        let verified = form.verify(&SECOND.store.public_key()).expect("signed by the newest key");
        assert_eq!(verified.fields().text("KeyIndex"), Some("2"));
    }
    let ours = shop.started().await;
    is_turned_away(&shop, &ours, notify(&ours.id).signed_by(&STRANGER), 403, "a third key").await;
}

#[tokio::test]
async fn a_retired_key_verifies_nothing() {
    let shop = Shop::with(|table, dir| {
        packages(table, dir, "retired_packages", &["package.txt"]);
        packages(table, dir, "packages", &["second.txt"]);
    })
    .await;
    let ours = shop.started().await;
    is_turned_away(&shop, &ours, notify(&ours.id).signed_by(&FIRST.gateway), 403, "retired").await;
    assert_eq!(shop.notify(notify(&ours.id).signed_by(&SECOND.gateway)).await, (200, "OK".to_owned()));
}

#[tokio::test]
async fn what_is_no_form_post_of_reasonable_size_is_refused() {
    let shop = Shop::new().await;
    let ours = shop.started().await;
    let genuine = notify(&ours.id);
    for method in ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"] {
        let url = format!("{}/mypos/notify", shop.url);
        let answer = shop.client.request(method.parse().unwrap(), url).send().await.unwrap();
        assert_eq!(answer.status(), 405, "{method}");
    }
    let large = genuine.clone().and("Filler", &"x".repeat(70_000)).signed();
    let answer = shop.notify(large).await;
    assert!((400..500).contains(&answer.0) && !answer.1.contains("OK"), "too large: {answer:?}");
    let mut not_utf8 = genuine.signed().into_bytes();
    not_utf8.extend(b"&More=\xff\xfe");
    for (body, what) in [
        (not_utf8, "not UTF-8"),
        (b"%ff=1".to_vec(), "not UTF-8 when decoded"),
        (b"a=%zz".to_vec(), "not percent encoding"),
        (Vec::new(), "nothing"),
        (b"{\"IPCmethod\":\"IPCPurchaseNotify\"}".to_vec(), "JSON"),
        (vec![b'&'; 60_000], "ampersands"),
        (b"a=1&".repeat(600), "too many fields"),
    ] {
        let answer = shop.notify(body).await;
        assert!((400..500).contains(&answer.0) && !answer.1.contains("OK"), "{what}: {answer:?}");
    }
    assert_eq!(shop.states(&ours).await, OPEN);
    assert!(shop.news(&ours).await.is_empty());
}

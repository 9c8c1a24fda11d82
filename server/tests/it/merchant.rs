//! The merchant's pages over real HTTP: the door, the list, and everything that moves money.

use std::pin::pin;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use checkout::people::{Action, Actor, Role};
use checkout::records::{EventKind, Mode, RefundKind};
use checkout::refund::{MerchantError, MerchantProblem, RefundRequest};
use checkout::rules::Cause;
use checkout::store::merchant::{Filter, UserChange};
use domain::{Currency, Money, OrderState, PaymentMethod, PaymentState, RefundState, StartRequest};
use mypos::Unverified;
use tokio::sync::Notify;

use crate::gateway::{Reply, paid, pairs, refund, status};
use crate::html::{self, Pairs, heading, unescape};
use crate::keys::{FIRST, STRANGER};
use crate::messages::{notify, rollback};
use crate::replicas::until_it_works;
use crate::shop::{Answer, Browser, HOUR, MINUTE, Shop, Started, at_once, fresh_key, purchase, set, value};

pub const ANNA: &str = "anna@shop.example";
pub const BOB: &str = "bob@shop.example";
pub const PASSWORD: &str = "correct horse battery";
pub const LIST: &str = "/merchant/transactions";

fn eur(minor: i64) -> Money {
    Money::new(minor, Currency::EUR)
}

fn cli() -> Actor {
    Actor::command_line("tests")
}

async fn user(shop: &Shop, email: &str, role: Role) {
    shop.checkout.add_user(email, role, PASSWORD, cli()).await.unwrap();
}

fn credentials(email: &str, password: &str) -> Pairs {
    [("email", email), ("password", password), ("next", "")]
        .map(|(n, v)| (n.to_owned(), v.to_owned()))
        .to_vec()
}

/// Somebody who is signed in.
pub async fn signed_in(shop: &Shop, email: &str, role: Role) -> Browser {
    user(shop, email, role).await;
    let browser = shop.browser();
    let answer = browser.post("/merchant/sign-in", &credentials(email, PASSWORD)).await;
    assert_eq!(answer.location(), LIST);
    browser
}

pub async fn anna(shop: &Shop) -> Browser {
    signed_in(shop, ANNA, Role::Refund).await
}

async fn bob(shop: &Shop) -> Browser {
    signed_in(shop, BOB, Role::Refund).await
}

async fn reference(shop: &Shop, started: &Started) -> String {
    shop.file(started).await.order.new.reference
}

fn act_path(reference: &str, act: &str) -> String {
    format!("{LIST}/{reference}/{act}")
}

/// Fills in a form of an order's page, and posts it.
pub async fn act(browser: &Browser, reference: &str, act: &str, typed: &[(&str, &str)]) -> Answer {
    let page = browser.get(&format!("{LIST}/{reference}")).await;
    assert_eq!(page.status, 200);
    let path = act_path(reference, act);
    let mut form = html::form(&page.body, &path).unwrap_or_else(|| panic!("no form {act}: {}", page.body));
    for (name, value) in typed {
        if form.iter().any(|(known, _)| known == name) {
            set(&mut form, name, value);
        } else {
            form.push(((*name).to_owned(), (*value).to_owned()));
        }
    }
    browser.post(&path, &form).await
}

/// Confirms what a review page asks.
async fn confirm(browser: &Browser, reference: &str, act: &str, review: &Answer) -> Answer {
    assert_eq!(review.status, 200, "{review:?}");
    let form = html::form(&review.body, &act_path(reference, act)).expect("a form to confirm");
    browser.post(&act_path(reference, act), &form).await
}

/// A refund from the page of the order to the news about it.
async fn refund_by(browser: &Browser, reference: &str, amount: &str) -> Answer {
    let review = act(browser, reference, "refund", &[("amount", amount), ("reason", "too green")]).await;
    let done = confirm(browser, reference, "refund", &review).await;
    browser.get(done.location().split('#').next().unwrap()).await
}

async fn refunds(shop: &Shop, reference: &str) -> Vec<(i64, RefundState)> {
    let record = shop.checkout.order_record(reference).await.unwrap();
    record.refunds.iter().map(|refund| (refund.money.minor, refund.state)).collect()
}

/// The gateway answers refunds with a code, and status queries with "pending".
fn gateway_says(shop: &Shop, code: &'static str) {
    shop.gateway.says(move |call| {
        Reply::Signed(if call.text("IPCmethod") == Some("IPCRefund") {
            refund(call, code)
        } else {
            status(call, "2")
        })
    });
}

/// A shop with a paid order of 50.00, and a gateway that refunds.
async fn with_paid() -> (Shop, Started, String) {
    let shop = Shop::new().await;
    let ours = shop.paid().await;
    let reference = reference(&shop, &ours).await;
    shop.gateway.take_calls();
    gateway_says(&shop, "0");
    (shop, ours, reference)
}

async fn with(change: impl FnOnce(&mut toml::Table)) -> (Shop, Started, String) {
    let shop = Shop::with(|table, _| change(table)).await;
    let ours = shop.paid().await;
    let reference = reference(&shop, &ours).await;
    gateway_says(&shop, "0");
    (shop, ours, reference)
}

// The door.

fn pages(reference: &str) -> Vec<String> {
    let mut pages = vec![
        LIST.to_owned(),
        "/merchant/transactions.csv".to_owned(),
        format!("{LIST}/{reference}"),
        "/merchant/account".to_owned(),
        "/merchant/audit".to_owned(),
    ];
    pages.extend(["?before=20000.1", "?attention=1", "?q=ada"].map(|query| format!("{LIST}{query}")));
    pages
}

fn posts(reference: &str) -> Vec<String> {
    let acts = [
        "refund",
        "record",
        "approve",
        "turn-down",
        "refund-outcome",
        "reverse",
        "reversal-outcome",
        "receive",
        "cancel",
        "looked-at",
    ];
    let mut posts: Vec<String> = acts.iter().map(|act| act_path(reference, act)).collect();
    posts.extend(["/merchant/account/password", "/merchant/account/second-factor"].map(str::to_owned));
    posts
}

#[tokio::test]
async fn nobody_gets_in_without_a_session_with_anothers_or_with_a_stale_one() {
    let (shop, ours, reference) = with_paid().await;
    let stale = signed_in(&shop, BOB, Role::Administer).await;
    shop.clock.advance(HOUR + MINUTE);
    let nobody = shop.browser();
    let strangers = "a".repeat(43);
    for path in pages(&reference) {
        for browser in [&nobody, &stale] {
            let answer = browser.get(&path).await;
            assert!(answer.location().starts_with("/merchant/sign-in?next="), "{path}");
        }
        let request = shop.client.get(format!("{}{path}", shop.url));
        let answer = Answer::of(request.header("cookie", format!("tillgate_merchant={strangers}"))).await;
        assert!(answer.location().starts_with("/merchant/sign-in?next="), "{path}");
    }
    let form = vec![
        ("amount".to_owned(), "50.00".to_owned()),
        ("reason".to_owned(), "mine".to_owned()),
        ("confirmed".to_owned(), "yes".to_owned()),
        ("key".to_owned(), fresh_key("press")),
    ];
    for path in posts(&reference) {
        for browser in [&nobody, &stale] {
            let answer = browser.post(&path, &form).await;
            assert!(answer.location().starts_with("/merchant/sign-in?next="), "{path}");
        }
    }
    assert_eq!(refunds(&shop, &reference).await, []);
    assert_eq!(shop.states(&ours).await, (OrderState::Paid, PaymentState::Paid));
    assert_eq!(shop.gateway.count("IPCRefund") + shop.gateway.count("IPCReversal"), 0);
}

#[tokio::test]
async fn a_post_of_another_site_does_nothing_even_of_a_listed_storefront() {
    let (shop, ours, reference) = {
        let shop = Shop::with(|table, _| {
            let origins = vec![toml::Value::from("https://store.example")];
            table.insert("storefront_origins".into(), toml::Value::Array(origins));
        })
        .await;
        let ours = shop.paid().await;
        let reference = reference(&shop, &ours).await;
        gateway_says(&shop, "0");
        (shop, ours, reference)
    };
    user(&shop, ANNA, Role::Administer).await;
    let session = shop.checkout.sign_in(ANNA, PASSWORD, "192.0.2.1").await.unwrap().session;
    let body = html::encode([
        ("amount", "50.00"),
        ("reason", "theirs"),
        ("confirmed", "yes"),
        ("key", &fresh_key("press")),
        ("email", ANNA),
        ("password", PASSWORD),
    ]);
    let mut paths = posts(&reference);
    paths.extend(["/merchant/sign-in", "/merchant/sign-out"].map(str::to_owned));
    for path in paths {
        for (site, origin) in [
            ("cross-site", "https://evil.example"),
            ("cross-site", "https://store.example"),
            ("same-site", "https://store.example"),
        ] {
            let request = shop
                .posting(&path, body.clone())
                .header("cookie", format!("tillgate_merchant={}", session.secret()))
                .header("sec-fetch-site", site)
                .header("origin", origin);
            assert_eq!(Answer::of(request).await.status, 403, "{path} from {origin}");
        }
    }
    assert_eq!(refunds(&shop, &reference).await, []);
    assert_eq!(shop.states(&ours).await, (OrderState::Paid, PaymentState::Paid));
    assert!(shop.checkout.session(&session).await.unwrap().is_some(), "nor is anybody signed out");
}

#[tokio::test]
async fn a_session_is_a_cookie_that_scripts_and_other_sites_do_not_get() {
    let shop = Shop::with(|table, _| {
        table.insert("public_url".into(), "https://pay.example.com".into());
    })
    .await;
    user(&shop, ANNA, Role::View).await;
    let answer = shop.browser().post("/merchant/sign-in", &credentials(ANNA, PASSWORD)).await;
    let [cookie] = answer.cookies()[..] else { panic!("{answer:?}") };
    assert!(cookie.starts_with("__Host-tillgate_merchant="), "{cookie}");
    for attribute in ["HttpOnly", "Secure", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!cookie.contains("Max-Age") && !cookie.contains("Domain"), "{cookie}");
    let secret = html::between(cookie, "=", ";");
    let files = std::fs::read_dir(shop.dir.path()).unwrap().map(|entry| entry.unwrap().path());
    for path in files.filter(|path| path.is_file()) {
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "stored as a hash");
    }
}

#[tokio::test]
async fn the_door_tells_nobody_what_was_wrong_and_leads_to_where_somebody_wanted_to_go() {
    let (shop, _, reference) = with_paid().await;
    user(&shop, ANNA, Role::View).await;
    user(&shop, BOB, Role::View).await;
    shop.checkout.change_user(BOB, UserChange::Disabled(true), cli()).await.unwrap();
    let mut pages = Vec::new();
    for (email, password) in [(ANNA, "wrong"), ("nobody@shop.example", PASSWORD), (BOB, PASSWORD), (ANNA, "")]
    {
        let answer = shop.browser().post("/merchant/sign-in", &credentials(email, password)).await;
        assert_eq!(answer.status, 422);
        assert!(answer.cookies().is_empty());
        pages.push(answer.body.replace(email, ""));
    }
    assert!(pages.iter().all(|page| page.contains("The email address or the password is wrong")));
    let browser = shop.browser();
    let wanted = format!("{LIST}/{reference}");
    let door = browser.get(&wanted).await;
    let page = browser.get(door.location()).await;
    let mut form = html::form(&page.body, "/merchant/sign-in").unwrap();
    set(&mut form, "email", &format!(" {} ", ANNA.to_uppercase()));
    set(&mut form, "password", PASSWORD);
    assert_eq!(browser.post("/merchant/sign-in", &form).await.location(), wanted);
    assert_eq!(browser.get("/merchant/sign-in").await.location(), LIST, "already in");
}

#[tokio::test]
async fn guesses_are_throttled_for_that_account_from_there_and_not_for_others() {
    let shop = Shop::with(|table, _| {
        table.insert("trusted_proxies".into(), toml::Value::Array(vec!["127.0.0.1".into()]));
    })
    .await;
    user(&shop, ANNA, Role::View).await;
    user(&shop, BOB, Role::View).await;
    let guess = async |email: &str, password: &str, from: &str| {
        let request = shop
            .posting("/merchant/sign-in", html::encode(credentials(email, password)))
            .header("x-forwarded-for", from);
        Answer::of(request).await.status
    };
    for _ in 0..5 {
        assert_eq!(guess(ANNA, "wrong wrong wrong", "198.51.100.1").await, 422);
    }
    assert_eq!(guess(ANNA, PASSWORD, "198.51.100.1").await, 429, "not even with the right one");
    assert_eq!(guess(ANNA, PASSWORD, "198.51.100.2").await, 303, "Anna herself gets in");
    assert_eq!(guess(BOB, PASSWORD, "198.51.100.1").await, 303, "so do others from there");
    shop.clock.advance(15 * MINUTE + 1);
    assert_eq!(guess(ANNA, PASSWORD, "198.51.100.1").await, 303, "a quarter of an hour later");
    // One client at many accounts.
    for number in 0..30 {
        assert_eq!(guess(&format!("user{number}@shop.example"), "wrong", "198.51.100.9").await, 422);
    }
    assert_eq!(guess(BOB, PASSWORD, "198.51.100.9").await, 429);
    // Whoever has one IPv6 address has all of its /64.
    for number in 0..5 {
        assert_eq!(guess(BOB, "wrong", &format!("2001:db8::{number}")).await, 422);
    }
    assert_eq!(guess(BOB, PASSWORD, "2001:db8::7").await, 429);
    assert_eq!(guess(BOB, PASSWORD, "2001:db8:0:1::7").await, 303);
}

#[tokio::test]
async fn signing_out_and_changing_the_password_end_sessions() {
    let shop = Shop::new().await;
    let here = anna(&shop).await;
    let there = shop.browser();
    there.post("/merchant/sign-in", &credentials(ANNA, PASSWORD)).await.location();
    let gone = shop.browser();
    gone.post("/merchant/sign-in", &credentials(ANNA, PASSWORD)).await.location();
    assert_eq!(gone.post("/merchant/sign-out", &Pairs::new()).await.location(), "/merchant/sign-in?out=1");
    assert_eq!(gone.get(LIST).await.status, 303);
    assert_eq!(there.get(LIST).await.status, 200);

    let change = async |old: &str, new: &str| {
        let form = [("password", old), ("new_password", new)].map(|(n, v)| (n.to_owned(), v.to_owned()));
        here.post("/merchant/account/password", &form.to_vec()).await
    };
    assert_eq!(change("wrong", "another long password").await.status, 422);
    assert_eq!(change(PASSWORD, "short").await.status, 422);
    assert_eq!(there.get(LIST).await.status, 200, "nothing has changed");
    assert_eq!(change(PASSWORD, "another long password").await.location(), "/merchant/account?done=password");
    assert_eq!(there.get(LIST).await.status, 303, "the other session has ended");
    assert_eq!(here.get(LIST).await.status, 200, "this one goes on");
    let old = shop.browser().post("/merchant/sign-in", &credentials(ANNA, PASSWORD)).await;
    assert_eq!(old.status, 422);
}

#[tokio::test]
async fn a_role_that_may_look_may_do_nothing_else() {
    let (shop, ours, reference) = with_paid().await;
    let browser = signed_in(&shop, ANNA, Role::View).await;
    let page = browser.get(&format!("{LIST}/{reference}")).await;
    for act in ["refund", "reverse", "record", "cancel", "receive"] {
        assert!(html::form(&page.body, &act_path(&reference, act)).is_none(), "{act}");
    }
    let form = [
        ("amount", "50.00"),
        ("reason", "x"),
        ("confirmed", "yes"),
        ("key", &fresh_key("press")),
        ("kind", "account"),
    ]
    .map(|(n, v)| (n.to_owned(), v.to_owned()))
    .to_vec();
    for path in posts(&reference).iter().filter(|path| path.starts_with(LIST)) {
        let answer = browser.post(path, &form).await;
        assert_eq!(answer.status, 422, "{path}");
        assert!(answer.body.contains("Your role does not allow that"), "{path}");
    }
    assert_eq!(browser.get("/merchant/audit").await.status, 403);
    assert_eq!(refunds(&shop, &reference).await, []);
    assert_eq!(shop.states(&ours).await, (OrderState::Paid, PaymentState::Paid));
    // A role that was taken away counts at once.
    let refunder = bob(&shop).await;
    shop.checkout.change_user(BOB, UserChange::Role(Role::View), cli()).await.unwrap();
    let answer = refunder.post(&act_path(&reference, "refund"), &form).await;
    assert_eq!((answer.status, refunds(&shop, &reference).await.len()), (422, 0));
}

// Refunds.

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_is_finished_before_the_server_ends_although_the_browser_has_gone() {
    let (shop, _, reference) = with_paid().await;
    let answers = Arc::new(Notify::new());
    let once = Arc::clone(&answers);
    shop.gateway.says(move |call| Reply::Once(Arc::clone(&once), Box::new(Reply::Signed(refund(call, "0")))));
    let browser = anna(&shop).await;
    let review = act(&browser, &reference, "refund", &[("amount", "20"), ("reason", "one broke")]).await;
    let form = html::form(&review.body, &act_path(&reference, "refund")).unwrap();
    let path = act_path(&reference, "refund");
    let pressed = tokio::spawn(async move { drop(browser.post(&path, &form).await) });
    until_it_works("the refund is asked for", async || (shop.gateway.count("IPCRefund") == 1).then_some(()))
        .await;
    pressed.abort();
    let Shop { checkout, gateway, running, .. } = shop;
    let mut ended = pin!(running.finish());
    // Connections without a request are given two seconds.
    assert!(
        tokio::time::timeout(Duration::from_secs(5), &mut ended).await.is_err(),
        "it waits for the answer"
    );
    answers.notify_one();
    ended.await;
    let record = checkout.order_record(&reference).await.unwrap();
    assert_eq!(record.refunds[0].state, RefundState::Done);
    drop(gateway);
}

#[tokio::test]
async fn a_part_is_refunded_and_then_the_rest_and_the_shopper_sees_both() {
    let (shop, ours, reference) = with_paid().await;
    let browser = anna(&shop).await;
    let review = act(&browser, &reference, "refund", &[("amount", "20"), ("reason", "one broke")]).await;
    assert_eq!(heading(&review.body), "Refund €20.00?");
    assert!(unescape(&review.body).contains("€30.00 can still be refunded afterwards"));
    assert_eq!(shop.gateway.count("IPCRefund"), 0, "nothing was sent yet");
    let done = confirm(&browser, &reference, "refund", &review).await;
    let page = browser.get(done.location().split('#').next().unwrap()).await;
    assert!(page.body.contains("€20.00 was refunded."));
    assert_eq!(refunds(&shop, &reference).await, [(2_000, RefundState::Done)]);
    assert_eq!(shop.states(&ours).await, (OrderState::Paid, PaymentState::Paid));
    let shopper = shop.get(&shop.result_page(&ours).await).await;
    assert!(shopper.body.contains("€20.00 of it went back to you."));

    assert!(refund_by(&browser, &reference, "30.00").await.body.contains("€30.00 was refunded."));
    assert_eq!(shop.states(&ours).await, (OrderState::Refunded, PaymentState::Paid));
    let shopper = shop.get(&shop.result_page(&ours).await).await;
    assert_eq!(heading(&shopper.body), "Your order was refunded");
    let page = browser.get(&format!("{LIST}/{reference}")).await;
    assert!(html::form(&page.body, &act_path(&reference, "refund")).is_none(), "nothing is left");

    let calls = shop.gateway.take_calls();
    let sent: Vec<_> = calls.iter().filter(|call| call.text("IPCmethod") == Some("IPCRefund")).collect();
    let amounts: Vec<_> = sent.iter().map(|call| call.text("Amount").unwrap()).collect();
    assert_eq!(amounts, ["20.00", "30.00"]);
    assert_ne!(sent[0].text("OrderID"), sent[1].text("OrderID"));
    assert!(sent.iter().all(|call| call.text("IPC_Trnref") == Some("813705000006")));
    assert!(sent.iter().all(|call| call.text("OrderID") != Some(ours.id.as_str())));
}

#[tokio::test]
async fn what_is_typed_is_read_as_people_type_and_refused_with_words() {
    let (shop, _, reference) = with_paid().await;
    let browser = anna(&shop).await;
    for (amount, words) in [
        ("", "Type an amount"),
        ("0", "Type an amount of more than zero"),
        ("-5", "Type an amount of more than zero"),
        ("5.001", "without fractions of the smallest coin"),
        ("$5", "Type an amount in EUR"),
        ("five", "Type an amount such as 12.50"),
    ] {
        let answer =
            act(&browser, &reference, "refund", &[("amount", amount), ("reason", "<b>green</b>")]).await;
        assert_eq!(answer.status, 422, "{amount}");
        assert!(answer.body.contains(words), "{amount}: {words}");
        let form = html::form(&answer.body, &act_path(&reference, "refund")).unwrap();
        assert_eq!((value(&form, "amount"), value(&form, "reason")), (amount, "<b>green</b>"), "kept");
    }
    let answer = act(&browser, &reference, "refund", &[("amount", "5"), ("reason", " ")]).await;
    assert!(answer.status == 422 && answer.body.contains("Say why"));
    let review = act(&browser, &reference, "refund", &[("amount", "50.01"), ("reason", "x")]).await;
    let answer = confirm(&browser, &reference, "refund", &review).await;
    assert!(answer.status == 422 && answer.body.contains("Only €50.00 can still be refunded"));
    // In German, a comma is the decimal sign.
    browser.get(&format!("{LIST}?lang=de")).await;
    let review = act(&browser, &reference, "refund", &[("amount", "1.0,5"), ("reason", "x")]).await;
    assert!(review.status == 422 && review.body.contains("Geben Sie einen Betrag wie 12,50 ein"));
    let review = act(&browser, &reference, "refund", &[("amount", "12,34 €"), ("reason", "x")]).await;
    assert!(unescape(&heading(&review.body)).contains("12,34"));
    assert_eq!(refunds(&shop, &reference).await, []);
}

#[tokio::test]
async fn of_sixty_and_sixty_of_a_hundred_at_once_one_passes() {
    for _ in 0..3 {
        let shop = Shop::new().await;
        let request = StartRequest {
            lines: domain::Cart::parse("box:2").unwrap(),
            shown_total_minor: 10_000,
            ..purchase()
        };
        let ours = shop.start(request).await;
        let body = notify(&ours.id).with("Amount", "100.00").signed();
        assert_eq!(shop.notify(body).await, (200, "OK".to_owned()));
        let reference = reference(&shop, &ours).await;
        gateway_says(&shop, "0");
        let browser = Arc::new(anna(&shop).await);
        let mut reviews = Vec::new();
        for _ in 0..2 {
            let review = act(&browser, &reference, "refund", &[("amount", "60"), ("reason", "x")]).await;
            reviews.push(html::form(&review.body, &act_path(&reference, "refund")).unwrap());
        }
        let answers = at_once(2, |index| {
            let (browser, form, path) =
                (browser.clone(), reviews[index].clone(), act_path(&reference, "refund"));
            async move { browser.post(&path, &form).await.status }
        })
        .await;
        let passed = answers.iter().filter(|status| **status == 303).count();
        assert_eq!(passed, 1, "{answers:?}");
        assert_eq!(refunds(&shop, &reference).await, [(6_000, RefundState::Done)]);
    }
}

#[tokio::test]
async fn a_hundred_refunds_of_one_at_once_on_fifty_are_exactly_fifty() {
    let (shop, ours, reference) = with_paid().await;
    let checkout = shop.checkout.clone();
    let payment = shop.payment(&ours).await.id;
    let answers = at_once(100, |_| {
        let (checkout, reference) = (checkout.clone(), reference.clone());
        async move {
            let request = RefundRequest {
                reference,
                payment: Some(payment),
                money: eur(100),
                reason: "one of many".into(),
                key: fresh_key("press"),
                actor: cli(),
            };
            checkout.refund(request).await.is_ok()
        }
    })
    .await;
    assert_eq!(answers.iter().filter(|done| **done).count(), 50);
    assert_eq!(shop.gateway.count("IPCRefund"), 50);
    assert_eq!(shop.states(&ours).await.0, OrderState::Refunded);
}

#[tokio::test]
async fn a_double_click_refunds_once_and_another_amount_with_the_same_key_is_refused() {
    let (shop, _, reference) = with_paid().await;
    let browser = Arc::new(anna(&shop).await);
    let review = act(&browser, &reference, "refund", &[("amount", "10"), ("reason", "x")]).await;
    let path = act_path(&reference, "refund");
    let form = html::form(&review.body, &path).unwrap();
    let answers = at_once(10, |_| {
        let (browser, form, path) = (browser.clone(), form.clone(), path.clone());
        async move { browser.post(&path, &form).await.location().to_owned() }
    })
    .await;
    assert!(answers.iter().all(|location| *location == answers[0]), "{answers:?}");
    let mut other = form.clone();
    set(&mut other, "minor", "1100");
    assert_eq!(browser.post(&path, &other).await.status, 422);
    // Without a key that is one, a press is only a question.
    set(&mut other, "key", "");
    assert_eq!(browser.post(&path, &other).await.status, 200);
    assert_eq!(refunds(&shop, &reference).await, [(1_000, RefundState::Done)]);
    assert_eq!(shop.gateway.count("IPCRefund"), 1);
}

#[tokio::test]
async fn a_second_press_sees_the_news_of_the_first_also_where_nothing_is_left_to_do() {
    let (shop, _, reference) = with_paid().await;
    let [anna, bob] = [anna(&shop).await, bob(&shop).await];
    let review = act(&anna, &reference, "refund", &[("amount", "50"), ("reason", "x")]).await;
    let first = confirm(&anna, &reference, "refund", &review).await;
    assert_eq!(shop.gateway.count("IPCRefund"), 1);
    let second = confirm(&anna, &reference, "refund", &review).await;
    assert_eq!(first.location(), second.location());
    // So with a reversal, whoever presses second.
    let ours = shop.paid().await;
    let reference = self::reference(&shop, &ours).await;
    shop.gateway.says(reversal("99"));
    let reviews = [act(&anna, &reference, "reverse", &[]).await, act(&bob, &reference, "reverse", &[]).await];
    for (browser, review) in [&anna, &bob].into_iter().zip(&reviews) {
        assert!(confirm(browser, &reference, "reverse", review).await.location().contains("news=reversal"));
    }
    assert_eq!(shop.gateway.count("IPCReversal"), 1);
}

#[tokio::test]
async fn a_second_press_waits_for_the_gateways_answer_to_the_first() {
    let (shop, _, reference) = with_paid().await;
    let browser = Arc::new(anna(&shop).await);
    let moving_money = [
        ("refund", "IPCRefund", "€10.00 was refunded."),
        ("reverse", "IPCReversal", "The payment was reversed."),
    ];
    for (what, method, news) in moving_money {
        let reference = match what {
            "refund" => reference.clone(),
            _ => self::reference(&shop, &shop.paid().await).await,
        };
        let answers = Arc::new(Notify::new());
        let once = Arc::clone(&answers);
        let mut reversed = reversal("0");
        shop.gateway.says(move |call| {
            let answer = match method {
                "IPCRefund" => Reply::Signed(refund(call, "0")),
                _ => reversed(call),
            };
            Reply::Once(Arc::clone(&once), Box::new(answer))
        });
        let review = act(&browser, &reference, what, &[("amount", "10"), ("reason", "x")]).await;
        let path = act_path(&reference, what);
        let form = html::form(&review.body, &path).unwrap();
        let press = || {
            let (browser, path, form) = (browser.clone(), path.clone(), form.clone());
            tokio::spawn(async move { browser.post(&path, &form).await.location().to_owned() })
        };
        let first = press();
        until_it_works("the gateway is asked", async || (shop.gateway.count(method) == 1).then_some(()))
            .await;
        let mut second = press();
        let is_early = tokio::time::timeout(Duration::from_secs(1), &mut second).await.is_ok();
        assert!(!is_early, "{what}: it says what came of it, and nobody knows yet");
        answers.notify_one();
        let location = second.await.unwrap();
        assert_eq!(first.await.unwrap(), location);
        let page = browser.get(location.split('#').next().unwrap()).await;
        assert!(page.body.contains(news), "{what}: {}", page.body);
        assert_eq!(shop.gateway.count(method), 1);
    }
}

#[tokio::test]
async fn presses_at_once_see_what_came_of_the_one_that_was_first() {
    let shop = Shop::new().await;
    let browser = Arc::new(anna(&shop).await);
    for _ in 0..5 {
        let reference = reference(&shop, &shop.paid().await).await;
        shop.gateway.says(reversal("0"));
        let review = act(&browser, &reference, "reverse", &[]).await;
        let path = act_path(&reference, "reverse");
        let form = html::form(&review.body, &path).unwrap();
        let statuses = at_once(5, |_| {
            let (browser, form, path) = (browser.clone(), form.clone(), path.clone());
            async move { browser.post(&path, &form).await.status }
        })
        .await;
        assert_eq!(statuses, [303; 5], "none of them says that it has changed meanwhile");
    }
    assert_eq!(shop.gateway.count("IPCReversal"), 5);
}

#[tokio::test]
async fn what_was_reviewed_in_one_language_is_what_happens_in_another() {
    let (shop, _, reference) = with_paid().await;
    let browser = anna(&shop).await;
    let review = act(&browser, &reference, "refund", &[("amount", "12.50"), ("reason", "x")]).await;
    assert!(review.body.contains("€12.50"));
    browser.get("/checkout?lang=de").await;
    let german = confirm(&browser, &reference, "refund", &review).await;
    let page = browser.get(german.location().split('#').next().unwrap()).await;
    assert!(page.body.contains("lang=\"de\""), "the language was changed meanwhile");
    assert_eq!(refunds(&shop, &reference).await, [(1_250, RefundState::Done)]);
}

#[tokio::test]
async fn an_answer_that_cannot_be_written_down_leaves_the_refund_open_and_not_failed() {
    let (shop, _, reference) = with_paid().await;
    let browser = anna(&shop).await;
    let database = shop.database();
    shop.gateway.says(move |call| {
        // The disk is full, so to speak, when the answer comes.
        database
            .execute_batch(
                "CREATE TRIGGER full_disk BEFORE UPDATE OF state ON refunds BEGIN SELECT RAISE(ABORT, 'full'); END",
            )
            .unwrap();
        Reply::Signed(refund(call, "0"))
    });
    let page = refund_by(&browser, &reference, "10").await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("is being asked for. Load this page again"), "{}", page.body);
    assert_eq!(refunds(&shop, &reference).await, [(1_000, RefundState::Reserved)]);
}

#[tokio::test]
async fn a_definite_no_is_said_in_words_and_the_amount_is_free_again() {
    for (code, words) in [
        ("13", "the balance of the myPOS account is too low"),
        ("14", "myPOS does not permit it"),
        ("15", "a limit of the account would be exceeded"),
        ("9", "less than that is left"),
        ("21", "declined it"),
        ("25", "25 E_STORE_RESTRICTED"),
    ] {
        let (shop, _, reference) = with_paid().await;
        gateway_says(&shop, code);
        let browser = anna(&shop).await;
        let page = refund_by(&browser, &reference, "50").await;
        assert!(page.body.contains(words), "{code}");
        assert_eq!(refunds(&shop, &reference).await, [(5_000, RefundState::Refused)]);
        gateway_says(&shop, "0");
        refund_by(&browser, &reference, "50").await;
        assert_eq!(refunds(&shop, &reference).await.last(), Some(&(5_000, RefundState::Done)));
    }
}

#[tokio::test]
async fn what_decides_nothing_leaves_the_refund_unknown_until_a_person_says_what_the_account_shows() {
    type Says = fn(&mypos::Fields) -> Reply;
    let cases: [(&str, Says); 7] = [
        ("an unclear code", |call| Reply::Signed(refund(call, "99"))),
        ("a backend error", |call| Reply::Signed(refund(call, "3"))),
        ("a duplicate", |call| {
            let mut fields = pairs(&[("IPCmethod", "IPCRefund"), ("Status", "5")]);
            fields.push("StatusMsg", "E_INVALID_PARAMS: order_id: Duplicate value");
            let _ = call;
            Reply::Signed(fields)
        }),
        ("a stranger's signature", |call| Reply::SignedBy(STRANGER.clone(), refund(call, "0"))),
        ("no signature", |call| Reply::Plain(200, refund(call, "0").to_json())),
        ("another HTTP status", |_| Reply::Plain(502, "bad gateway".into())),
        ("another amount", |call| {
            let fields = refund(call, "0");
            let changed = fields.to_json().replace("\"10.00\"", "\"10.01\"");
            let changed = Unverified::from_json(changed.as_bytes()).unwrap().claimed().clone();
            Reply::Signed(changed)
        }),
    ];
    for (what, says) in cases {
        let (shop, _, reference) = with_paid().await;
        shop.gateway.says(move |call| {
            if call.text("IPCmethod") == Some("IPCRefund") {
                says(call)
            } else {
                Reply::Signed(status(call, "1"))
            }
        });
        let browser = anna(&shop).await;
        let page = refund_by(&browser, &reference, "10").await;
        assert!(page.body.contains("Nobody knows yet whether €10.00 was refunded"), "{what}");
        assert_eq!(refunds(&shop, &reference).await, [(1_000, RefundState::Unknown)], "{what}");
        // It is in the list of what needs a person, still set aside, and never sent again.
        let list = browser.get(&format!("{LIST}?attention=1")).await;
        assert!(list.body.contains(&reference), "{what}");
        let left = act(&browser, &reference, "refund", &[("amount", "40.01"), ("reason", "x")]).await;
        let left = confirm(&browser, &reference, "refund", &left).await;
        assert!(left.body.contains("Only €40.00 can still be refunded"), "{what}");
        shop.reconcile_after(2 * HOUR).await;
        assert_eq!(shop.gateway.count("IPCRefund"), 1, "{what}");
        assert_eq!(refunds(&shop, &reference).await, [(1_000, RefundState::Unknown)], "{what}");
        let browser = {
            let again = shop.browser();
            again.post("/merchant/sign-in", &credentials(ANNA, PASSWORD)).await.location();
            again
        };
        for (answer, state) in [("no", RefundState::Refused), ("yes", RefundState::Done)] {
            if answer == "yes" {
                refund_by(&browser, &reference, "10").await;
            }
            let review = act(&browser, &reference, "refund-outcome", &[("done", answer)]).await;
            confirm(&browser, &reference, "refund-outcome", &review).await.location();
            assert_eq!(refunds(&shop, &reference).await.last(), Some(&(1_000, state)), "{what}");
        }
        let audit = shop.checkout.order_record(&reference).await.unwrap().audit;
        assert_eq!(audit.iter().filter(|entry| entry.detail.contains(ANNA)).count(), 2, "{what}");
    }
}

#[tokio::test]
async fn a_refund_whose_process_died_is_found_and_raised() {
    let (shop, ours, reference) = with_paid().await;
    let payment = shop.payment(&ours).await.id;
    shop.gateway.says_status("1");
    let request = checkout::store::NewRefund {
        payment,
        gateway_order_id: "R".repeat(26),
        key: None,
        money: eur(1_000),
        reason: "x".into(),
        actor: cli(),
        request: String::new(),
        approval_above_minor: None,
    };
    shop.checkout.store().reserve_refund(request, shop.checkout.now_ms()).await.unwrap();
    shop.reconcile_after(4 * MINUTE).await;
    assert_eq!(refunds(&shop, &reference).await, [(1_000, RefundState::Reserved)]);
    shop.reconcile_after(2 * MINUTE).await;
    assert_eq!(refunds(&shop, &reference).await, [(1_000, RefundState::Unknown)]);
}

#[tokio::test]
async fn the_messages_of_a_refund_verify_with_openssl_alone() {
    let (shop, ours, reference) = with_paid().await;
    refund_by(&anna(&shop).await, &reference, "12.34").await;
    let events = shop.events(&ours).await;
    let raw = |kind: &str| {
        let event = events.iter().find(|event| event.what.kind.name() == kind).unwrap();
        event.what.raw.clone().unwrap()
    };
    let form: Pairs = form_urlencoded::parse(raw("refund_reserved").as_bytes()).into_owned().collect();
    assert_eq!(value(&form, "IPCmethod"), "IPCRefund");
    assert_eq!(value(&form, "Amount"), "12.34");
    let reply = raw("refund_done");
    let members = reply.trim().trim_start_matches('{').trim_end_matches('}').split("\",\"");
    let reply: Pairs = members
        .map(|member| {
            let (name, value) = member.split_once("\":\"").unwrap();
            (name.trim_matches('"').to_owned(), value.trim_matches('"').replace("\\/", "/"))
        })
        .collect();
    assert_eq!(value(&reply, "Status"), "0");
    for (pairs, key) in [(form, FIRST.store.public_key()), (reply, FIRST.gateway.public_key())] {
        let dir = crate::shop::folder();
        let file = |name: &str| dir.path().join(name).display().to_string();
        std::fs::write(file("key.pem"), key.to_spki_pem()).unwrap();
        let (name, signature) = pairs.last().unwrap();
        assert_eq!(name, "Signature", "it comes last");
        let joined: Vec<_> = pairs[..pairs.len() - 1].iter().map(|(_, value)| value.as_str()).collect();
        std::fs::write(file("text"), joined.join("-")).unwrap();
        std::fs::write(file("signature.b64"), signature).unwrap();
        let verdict = |text: &str| {
            let script = "base64 -w0 \"$1/$2\" > \"$1/signed\" && base64 -d \"$1/signature.b64\" > \"$1/signature\" && \
                openssl dgst -sha256 -verify \"$1/key.pem\" -signature \"$1/signature\" \"$1/signed\"";
            let output = Command::new("sh")
                .args(["-c", script, "sh", &dir.path().display().to_string(), text])
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .output()
                .unwrap();
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        };
        assert_eq!(verdict("text"), "Verified OK");
        std::fs::write(file("other"), joined.join("-").replace("12.34", "12.35")).unwrap();
        assert_eq!(verdict("other"), "Verification failure");
    }
}

// Approval and the second factor.

#[tokio::test]
async fn above_the_limit_somebody_else_approves() {
    let (shop, ours, reference) =
        with(|table| drop(table.insert("refund_approval_above".into(), "30".into()))).await;
    let anna = anna(&shop).await;
    refund_by(&anna, &reference, "30").await;
    let review = act(&anna, &reference, "refund", &[("amount", "0.01"), ("reason", "split")]).await;
    assert!(review.body.contains("a second person has to approve"), "the sum counts, not the part");
    let page = refund_by(&anna, &reference, "20").await;
    assert!(unescape(&page.body).contains("€20.00 waits for a second person's approval."));
    assert!(html::form(&page.body, &act_path(&reference, "approve")).is_none(), "not by herself");
    let own = anna.post(&act_path(&reference, "approve"), &approve_form(&shop, &reference).await).await;
    assert!(own.status == 422 && own.body.contains("Somebody else has to approve it"));
    assert_eq!(shop.gateway.count("IPCRefund"), 1);

    let bob = bob(&shop).await;
    let list = bob.get(&format!("{LIST}?attention=1")).await;
    assert!(list.body.contains(&reference));
    let review = act(&bob, &reference, "approve", &[]).await;
    assert!(unescape(&review.body).contains("anna@shop.example asked for it"));
    confirm(&bob, &reference, "approve", &review).await.location();
    assert_eq!(refunds(&shop, &reference).await, [(3_000, RefundState::Done), (2_000, RefundState::Done)]);
    assert_eq!(shop.states(&ours).await.0, OrderState::Refunded);
    let who: Vec<_> = shop
        .checkout
        .order_record(&reference)
        .await
        .unwrap()
        .audit
        .into_iter()
        .map(|entry| (entry.action.name(), entry.actor.who))
        .collect();
    assert_eq!(
        who,
        [
            ("refund_asked", ANNA.to_owned()),
            ("refund_asked", ANNA.to_owned()),
            ("refund_approved", BOB.to_owned())
        ]
    );
}

/// What an approval's form carries once it is confirmed.
async fn approve_form(shop: &Shop, reference: &str) -> Pairs {
    let record = shop.checkout.order_record(reference).await.unwrap();
    let refund = record.refunds.iter().find(|refund| refund.state == RefundState::Proposed).unwrap();
    [("refund", refund.id.0.to_string()), ("confirmed", "yes".into()), ("key", fresh_key("press"))]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
}

#[tokio::test]
async fn a_proposal_can_be_turned_down_and_a_reversal_does_not_evade_the_limit() {
    let (shop, ours, reference) =
        with(|table| drop(table.insert("refund_approval_above".into(), "30".into()))).await;
    let anna = anna(&shop).await;
    let review = act(&anna, &reference, "reverse", &[]).await;
    let answer = confirm(&anna, &reference, "reverse", &review).await;
    assert!(answer.status == 422 && answer.body.contains("A second person has to approve this sum"));
    refund_by(&anna, &reference, "50").await;
    act(&anna, &reference, "turn-down", &[]).await.location();
    assert_eq!(refunds(&shop, &reference).await, [(5_000, RefundState::Refused)]);
    assert_eq!(shop.states(&ours).await, (OrderState::Paid, PaymentState::Paid));
    assert_eq!(shop.gateway.count("IPCRefund") + shop.gateway.count("IPCReversal"), 0);
}

/// The code that an authenticator app shows at a time.
fn code(secret: &str, now_ms: i64) -> String {
    let secret = totp_rs::Secret::try_from_base32(secret).unwrap();
    let totp = totp_rs::Builder::new().with_secret(secret).build().unwrap();
    totp.generate(u64::try_from(now_ms / 1000).unwrap()).to_string()
}

#[tokio::test]
async fn where_it_is_switched_on_refunds_take_a_code_that_works_once() {
    let (shop, _, reference) =
        with(|table| drop(table.insert("second_factor_for_refunds".into(), true.into()))).await;
    let browser = anna(&shop).await;
    let refused = act(&browser, &reference, "refund", &[("amount", "10"), ("reason", "x")]).await;
    assert!(
        refused.status == 422 && unescape(&refused.body).contains("takes a code of an authenticator app")
    );

    let account = browser.get("/merchant/account").await;
    assert!(account.body.contains("<svg"), "a picture to scan");
    let mut form = html::form(&account.body, "/merchant/account/second-factor").unwrap();
    let secret = value(&form, "secret").to_owned();
    set(&mut form, "password", PASSWORD);
    set(&mut form, "code", "000000");
    let wrong = browser.post("/merchant/account/second-factor", &form).await;
    assert_eq!(wrong.status, 422);
    let mut form = html::form(&wrong.body, "/merchant/account/second-factor").unwrap();
    assert_eq!(value(&form, "secret"), secret, "the app has it already");
    set(&mut form, "password", PASSWORD);
    set(&mut form, "code", &code(&secret, shop.checkout.now_ms()));
    let on = browser.post("/merchant/account/second-factor", &form).await;
    assert_eq!(on.location(), "/merchant/account?done=factor");
    // The second press of a double click, and a form that lay open, with a code that would work.
    for later in [0, MINUTE] {
        shop.clock.advance(later);
        set(&mut form, "code", &code(&secret, shop.checkout.now_ms()));
        let again = browser.post("/merchant/account/second-factor", &form).await;
        assert_eq!(again.location(), "/merchant/account?done=factor");
        assert!(browser.get(again.location()).await.body.contains("The second factor is switched on."));
    }

    // One that lay open with another secret, which would open nothing.
    set(&mut form, "secret", &secret.chars().rev().collect::<String>());
    let other = browser.post("/merchant/account/second-factor", &form).await;
    assert!(other.status == 422 && other.body.contains("It has changed meanwhile"), "{other:?}");

    shop.clock.advance(MINUTE);
    let review = act(&browser, &reference, "refund", &[("amount", "10"), ("reason", "x")]).await;
    let path = act_path(&reference, "refund");
    let mut form = html::form(&review.body, &path).unwrap();
    set(&mut form, "code", "123456");
    assert_eq!(browser.post(&path, &form).await.status, 422);
    set(&mut form, "code", "");
    assert_eq!(browser.post(&path, &form).await.status, 422);
    let now = code(&secret, shop.checkout.now_ms());
    set(&mut form, "code", &format!(" {} {} ", &now[..3], &now[3..]));
    browser.post(&path, &form).await.location();
    assert_eq!(refunds(&shop, &reference).await, [(1_000, RefundState::Done)]);
    let review = act(&browser, &reference, "refund", &[("amount", "5"), ("reason", "x")]).await;
    let mut form = html::form(&review.body, &path).unwrap();
    set(&mut form, "code", &now);
    let again = browser.post(&path, &form).await;
    assert!(again.status == 422 && again.body.contains("was used before"));
    assert_eq!(refunds(&shop, &reference).await.len(), 1);

    // Signing in takes one, too: the password alone opens nothing.
    shop.clock.advance(MINUTE);
    let other = shop.browser();
    let step = other.post("/merchant/sign-in", &credentials(ANNA, PASSWORD)).await;
    assert!(step.location().starts_with("/merchant/sign-in/code?next="));
    assert!(other.get(LIST).await.location().starts_with("/merchant/sign-in/code"));
    let enter = async |code: &str| {
        let form = [("code", code), ("next", LIST)].map(|(n, v)| (n.to_owned(), v.to_owned())).to_vec();
        other.post("/merchant/sign-in/code", &form).await
    };
    assert_eq!(enter("000000").await.status, 422);
    assert_eq!(enter(&code(&secret, shop.checkout.now_ms())).await.location(), LIST);
    assert_eq!(other.get(LIST).await.status, 200);

    shop.clock.advance(MINUTE);
    let form = vec![("code".to_owned(), code(&secret, shop.checkout.now_ms()))];
    for press in ["first", "second"] {
        let off = other.post("/merchant/account/second-factor", &form).await;
        assert_eq!(off.location(), "/merchant/account?done=factor", "{press}");
        assert!(other.get(off.location()).await.body.contains("The second factor is switched off."));
    }
}

#[tokio::test]
async fn a_session_that_ended_keeps_what_was_typed() {
    let (shop, _, reference) = with_paid().await;
    let browser = anna(&shop).await;
    let page = browser.get(&format!("{LIST}/{reference}")).await;
    let path = act_path(&reference, "refund");
    let mut form = html::form(&page.body, &path).unwrap();
    set(&mut form, "amount", "12,34");
    set(&mut form, "reason", "zu grün & \"spät\"");
    shop.clock.advance(2 * HOUR);
    let door = browser.post(&path, &form).await;
    let page = browser.get(door.location()).await;
    assert!(page.body.contains("Your session has ended"));
    let mut sign_in = html::form(&page.body, "/merchant/sign-in").unwrap();
    set(&mut sign_in, "email", ANNA);
    set(&mut sign_in, "password", PASSWORD);
    let back = browser.post("/merchant/sign-in", &sign_in).await;
    let page = browser.get(back.location()).await;
    let form = html::form(&page.body, &path).unwrap();
    assert_eq!((value(&form, "amount"), value(&form, "reason")), ("12,34", "zu grün & \"spät\""));
    assert_eq!(refunds(&shop, &reference).await, [], "nothing was done");
}

// Elsewhere, reversals, rollbacks.

#[tokio::test]
async fn a_refund_made_in_the_account_is_recorded_and_counts() {
    let (shop, ours, reference) = with_paid().await;
    let browser = anna(&shop).await;
    for (kind, amount, expected) in
        [(RefundKind::Account, "20", OrderState::Paid), (RefundKind::Chargeback, "30", OrderState::Refunded)]
    {
        let typed = [("kind", kind.name()), ("amount", amount), ("reason", "seen there")];
        let review = act(&browser, &reference, "record", &typed).await;
        confirm(&browser, &reference, "record", &review).await.location();
        assert_eq!(shop.states(&ours).await.0, expected);
    }
    assert_eq!(shop.gateway.count("IPCRefund"), 0, "it is only written down");
}

/// A gateway that answers reversals with a code.
fn reversal(code: &'static str) -> impl FnMut(&mypos::Fields) -> Reply + Send + 'static {
    move |call| {
        Reply::Signed(if call.text("IPCmethod") == Some("IPCReversal") {
            let trnref = call.text("IPC_Trnref").unwrap().to_owned();
            pairs(&[
                ("IPCmethod", "IPCReversal"),
                ("IPC_Trnref", &trnref),
                ("Status", code),
                ("StatusMsg", "x"),
            ])
        } else {
            status(call, "2")
        })
    }
}

#[tokio::test]
async fn a_reversal_whose_process_died_is_raised_and_not_recorded_before() {
    let (shop, ours, reference) = with_paid().await;
    shop.gateway.says_status("1");
    let (payment, now_ms) = (shop.payment(&ours).await.id, shop.checkout.now_ms());
    let timing = &shop.checkout.settings.timing;
    let asked = Some((cli(), Action::ReversalAsked));
    let store = shop.checkout.store();
    store.apply_by(payment, Cause::ReversalAsked, None, asked, now_ms, timing).await.unwrap();
    let browser = anna(&shop).await;
    let address = format!("{LIST}/{reference}");
    let outcome = act_path(&reference, "reversal-outcome");
    assert!(html::form(&browser.get(&address).await.body, &outcome).is_none(), "it may still be answered");
    let early = shop.checkout.record_reversal(&reference, false, cli()).await;
    assert!(matches!(early, Err(MerchantError::Problem(MerchantProblem::StillAsked))));
    shop.reconcile_after(4 * MINUTE).await;
    assert!(shop.file(&ours).await.order.attention_since_ms.is_none());
    shop.reconcile_after(2 * MINUTE).await;
    shop.reconcile_after(10 * MINUTE).await;
    assert!(shop.file(&ours).await.order.attention_since_ms.is_some());
    let events = store.events(ours.order).await.unwrap();
    let raised = events.iter().filter(|event| event.what.kind == EventKind::ReversalUnknown);
    assert_eq!(raised.count(), 1, "once");
    let review = act(&browser, &reference, "reversal-outcome", &[("done", "yes")]).await;
    confirm(&browser, &reference, "reversal-outcome", &review).await.location();
    assert_eq!(shop.states(&ours).await, (OrderState::Open, PaymentState::Reversed));
}

#[tokio::test]
async fn a_reversal_undoes_the_whole_payment_by_what_the_gateway_says() {
    for (code, states, words) in [
        ("0", (OrderState::Open, PaymentState::Reversed), "The payment was reversed."),
        ("14", (OrderState::Paid, PaymentState::Paid), "The payment was not reversed."),
        (
            "99",
            (OrderState::Paid, PaymentState::Reversing),
            "Nobody knows yet whether the payment was reversed.",
        ),
    ] {
        let (shop, ours, reference) = with_paid().await;
        shop.gateway.says(reversal(code));
        let browser = anna(&shop).await;
        let review = act(&browser, &reference, "reverse", &[]).await;
        let done = confirm(&browser, &reference, "reverse", &review).await;
        let page = browser.get(done.location().split('#').next().unwrap()).await;
        assert!(page.body.contains(words), "{code}");
        assert_eq!(shop.states(&ours).await, states, "{code}");
        if code == "99" {
            assert!(html::form(&page.body, &act_path(&reference, "refund")).is_none());
            let review = act(&browser, &reference, "reversal-outcome", &[("done", "no")]).await;
            confirm(&browser, &reference, "reversal-outcome", &review).await.location();
            assert_eq!(shop.states(&ours).await, (OrderState::Paid, PaymentState::Paid));
        }
    }
}

#[tokio::test]
async fn a_rollback_beside_refunds_is_an_alarm_until_somebody_looked() {
    let (shop, ours, reference) = with_paid().await;
    let browser = anna(&shop).await;
    refund_by(&browser, &reference, "20").await;
    assert_eq!(shop.notify(rollback(&ours.id).signed()).await, (200, "OK".to_owned()));
    let list = browser.get(LIST).await;
    assert!(list.body.contains("Needs attention"));
    let page = browser.get(&format!("{LIST}/{reference}")).await;
    assert!(page.body.contains("the whole payment went back although parts of it were refunded"));
    // Something else came in since the page was shown: it was not looked at.
    let path = act_path(&reference, "looked-at");
    let mut form = html::form(&page.body, &path).unwrap();
    assert_eq!(value(&form, "shown"), "1");
    set(&mut form, "shown", "0");
    let refused = browser.post(&path, &form).await;
    assert!(refused.status == 422 && refused.body.contains("It has changed meanwhile"), "{refused:?}");
    act(&browser, &reference, "looked-at", &[]).await.location();
    let list = browser.get(&format!("{LIST}?attention=1")).await;
    assert!(!list.body.contains(&reference));
}

#[tokio::test]
async fn a_message_about_an_order_that_nobody_knows_is_shown() {
    let shop = Shop::new().await;
    let strange = "B".repeat(26);
    assert_eq!(shop.notify(notify(&strange).signed()).await.0, 409);
    let browser = anna(&shop).await;
    assert!(browser.get(LIST).await.body.contains("Needs attention"));
    let page = browser.get(&format!("{LIST}?attention=1")).await;
    assert!(page.body.contains(&strange));
    // It waits for somebody, however long.
    shop.clock.advance(90 * 24 * HOUR);
    let browser = bob(&shop).await;
    let page = browser.get(&format!("{LIST}?attention=1")).await;
    let path =
        format!("/merchant/messages{}", html::between(&page.body, "action=\"/merchant/messages", "\""));
    browser.post(&path, &Vec::new()).await.location();
    assert!(!browser.get(&format!("{LIST}?attention=1")).await.body.contains(&strange));
    assert!(!browser.get(LIST).await.body.contains("Needs attention"));
    assert_eq!(browser.post("/merchant/messages/x/seen", &Vec::new()).await.status, 400);
}

#[tokio::test]
async fn a_payment_that_was_not_taken_is_given_back_by_hand_where_that_failed() {
    let shop = Shop::new().await;
    let ours = shop.started().await;
    assert_eq!(shop.notify(notify(&ours.id).with("Amount", "50.01").signed()).await.0, 409);
    let reference = reference(&shop, &ours).await;
    gateway_says(&shop, "0");
    let browser = anna(&shop).await;
    let page = refund_by(&browser, &reference, "50").await;
    assert!(page.body.contains("€50.00 was refunded."));
    assert_eq!(shop.states(&ours).await, (OrderState::Open, PaymentState::Refused));
    assert_eq!(shop.file(&ours).await.order.refunded_minor, 0, "it was never the order's");
    let page = browser.get(&format!("{LIST}/{reference}")).await;
    assert!(page.body.contains("Not taken: given back"));
    assert!(html::form(&page.body, &act_path(&reference, "refund")).is_none());
}

#[tokio::test]
async fn what_is_left_of_money_that_nobody_took_goes_back_by_itself() {
    let shop = Shop::new().await;
    let ours = shop.started().await;
    let reference = reference(&shop, &ours).await;
    gateway_says(&shop, "0");
    shop.checkout.cancel_order(&reference, cli()).await.unwrap();
    assert_eq!(shop.notify(notify(&ours.id).signed()).await.0, 409);
    let browser = anna(&shop).await;
    refund_by(&browser, &reference, "20").await;
    assert!(shop.payment(&ours).await.next_ask_at_ms.is_some(), "some of it is left");
    shop.gateway.says(|call| {
        let is_refund = call.text("IPCmethod") == Some("IPCRefund");
        Reply::Signed(if is_refund { refund(call, "0") } else { paid(call, "50.00") })
    });
    shop.reconcile_after(2 * HOUR).await;
    let done = [(2_000, RefundState::Done), (3_000, RefundState::Done)];
    assert_eq!(refunds(&shop, &reference).await, done);
    assert_eq!(shop.payment(&ours).await.next_ask_at_ms, None, "all of it is back");
}

#[tokio::test]
async fn what_was_given_back_elsewhere_is_recorded_of_the_payment_that_it_is_of() {
    let shop = Shop::new().await;
    let ours = shop.started().await;
    let second = shop.started_again(&ours).await;
    let reference = reference(&shop, &ours).await;
    assert_eq!(shop.notify(notify(&ours.id).signed()).await.0, 200);
    assert_eq!(shop.notify(notify(&second.id).with("IPC_Trnref", "T2").signed()).await.0, 409);
    let browser = anna(&shop).await;
    let page = browser.get(&format!("{LIST}/{reference}")).await;
    let refused = html::between(&page.body, "<label for=\"refund-amount-", "\"");
    let typed = [("kind", "account"), ("payment", refused), ("amount", "50"), ("reason", "x")];
    let review = act(&browser, &reference, "record", &typed).await;
    confirm(&browser, &reference, "record", &review).await.location();
    let record = shop.checkout.order_record(&reference).await.unwrap();
    assert_eq!(record.refunds[0].payment.unwrap().0.to_string(), refused);
    assert_eq!(record.file.order.state, OrderState::Paid, "what was taken is still there");
    let [held, other] = &record.file.payments[..] else { panic!("{record:?}") };
    assert_eq!((record.left_minor(Some(held.id)), record.left_minor(Some(other.id))), (5_000, 0));
    assert_eq!(other.next_ask_at_ms, None, "nothing is asked any more");
}

#[tokio::test]
async fn beside_a_payment_of_which_nothing_is_left_the_other_one_is_meant() {
    let shop = Shop::new().await;
    let ours = shop.started().await;
    let second = shop.started_again(&ours).await;
    let reference = reference(&shop, &ours).await;
    assert_eq!(shop.notify(notify(&ours.id).signed()).await.0, 200);
    assert_eq!(shop.notify(notify(&second.id).with("IPC_Trnref", "T2").signed()).await.0, 409);
    gateway_says(&shop, "0");
    let browser = anna(&shop).await;
    refund_by(&browser, &reference, "50").await;
    let typed = [("kind", "account"), ("amount", "50"), ("reason", "x")];
    let review = act(&browser, &reference, "record", &typed).await;
    confirm(&browser, &reference, "record", &review).await.location();
    let record = shop.checkout.order_record(&reference).await.unwrap();
    assert_eq!(record.refunds[1].payment, Some(record.file.payments[1].id));
}

#[tokio::test]
async fn a_press_that_is_sent_again_finds_its_refund_whatever_became_of_the_payment() {
    let shop = Shop::new().await;
    let ours = shop.started().await;
    let second = shop.started_again(&ours).await;
    assert_eq!(shop.notify(notify(&ours.id).signed()).await.0, 200);
    assert_eq!(shop.notify(notify(&second.id).with("IPC_Trnref", "T2").signed()).await.0, 409);
    gateway_says(&shop, "13");
    let press = RefundRequest {
        reference: reference(&shop, &ours).await,
        payment: None,
        money: eur(1_000),
        reason: "arrived broken".into(),
        key: "the key of one press".into(),
        actor: cli(),
    };
    let refused = shop.checkout.refund(press.clone()).await.unwrap();
    assert_eq!(shop.notify(rollback(&ours.id).signed()).await.0, 200);
    let again = shop.checkout.refund(press.clone()).await.unwrap();
    assert_eq!((again.id, again.state), (refused.id, RefundState::Refused), "not of the other payment");
    let other = RefundRequest { money: eur(1_001), ..press };
    let answer = shop.checkout.refund(other).await;
    assert!(matches!(answer, Err(MerchantError::Problem(MerchantProblem::KeyReused))), "{answer:?}");
    assert_eq!(shop.gateway.count("IPCRefund"), 1);
}

#[tokio::test]
async fn the_news_of_a_reversal_is_that_of_the_payment_that_holds_the_money() {
    let shop = Shop::new().await;
    let ours = shop.started().await;
    let second = shop.started_again(&ours).await;
    let reference = reference(&shop, &ours).await;
    assert_eq!(shop.notify(notify(&ours.id).signed()).await.0, 200);
    // Paid twice by mistake: the gateway takes the second one back by itself.
    assert_eq!(shop.notify(notify(&second.id).with("IPC_Trnref", "T2").signed()).await.0, 409);
    assert_eq!(shop.notify(rollback(&second.id).signed()).await.0, 200);
    shop.gateway.says(reversal("14"));
    let browser = anna(&shop).await;
    let review = act(&browser, &reference, "reverse", &[]).await;
    let done = confirm(&browser, &reference, "reverse", &review).await;
    let page = browser.get(done.location().split('#').next().unwrap()).await;
    assert!(page.body.contains("The payment was not reversed."));
}

// The merchant's own methods.

async fn awaiting(shop: &Shop) -> (Started, String) {
    let ours = shop.start(StartRequest { method: Some(PaymentMethod::BankTransfer), ..purchase() }).await;
    let reference = reference(shop, &ours).await;
    (ours, reference)
}

async fn order_state(shop: &Shop, started: &Started) -> OrderState {
    shop.file(started).await.order.state
}

#[tokio::test]
async fn money_that_comes_in_is_recorded_exactly_short_and_over() {
    for (amount, settles, words, end) in [
        ("50.00", false, "The order is paid then.", OrderState::Paid),
        ("49.99", false, "€0.01 is still missing", OrderState::Awaiting),
        ("49.00", true, "€1.00 less than it costs", OrderState::Paid),
        ("51.50", false, "€1.50 more than it costs", OrderState::Paid),
    ] {
        let shop = Shop::new().await;
        let (ours, reference) = awaiting(&shop).await;
        let browser = anna(&shop).await;
        let mut typed = vec![("amount", amount), ("reason", "statement 7")];
        if settles {
            typed.push(("settles", "yes"));
        }
        let review = act(&browser, &reference, "receive", &typed).await;
        assert!(review.body.contains(words), "{amount}");
        assert_eq!(order_state(&shop, &ours).await, OrderState::Awaiting);
        confirm(&browser, &reference, "receive", &review).await.location();
        assert_eq!(order_state(&shop, &ours).await, end, "{amount}");
        // The same press once more records nothing more.
        confirm(&browser, &reference, "receive", &review).await.location();
        let received = shop.checkout.order_record(&reference).await.unwrap().receipts.len();
        assert_eq!(received, 1, "{amount}");
        let shopper = shop.get(&shop.result_page(&ours).await).await;
        let paid = heading(&shopper.body).contains("paid");
        assert_eq!(paid, end == OrderState::Paid, "{amount}");
    }
}

#[tokio::test]
async fn what_came_in_by_hand_goes_back_by_hand() {
    let shop = Shop::new().await;
    let (ours, reference) = awaiting(&shop).await;
    let browser = anna(&shop).await;
    let review = act(&browser, &reference, "receive", &[("amount", "50")]).await;
    confirm(&browser, &reference, "receive", &review).await.location();
    let page = browser.get(&format!("{LIST}/{reference}")).await;
    assert!(html::form(&page.body, &act_path(&reference, "refund")).is_none(), "myPOS never had it");
    for (amount, status) in [("50.01", 422), ("50", 303)] {
        let typed = [("kind", "hand"), ("amount", amount), ("reason", "back to their account")];
        let review = act(&browser, &reference, "record", &typed).await;
        let done = confirm(&browser, &reference, "record", &review).await;
        assert_eq!(done.status, status, "{amount}");
    }
    assert_eq!(order_state(&shop, &ours).await, OrderState::Refunded);
}

#[tokio::test]
async fn an_unpaid_order_is_cancelled_and_money_that_still_comes_is_sent_back() {
    let shop = Shop::new().await;
    let browser = anna(&shop).await;
    let (waiting, reference_of_waiting) = awaiting(&shop).await;
    let open = shop.started().await;
    let reference_of_open = reference(&shop, &open).await;
    for (ours, reference) in [(&waiting, &reference_of_waiting), (&open, &reference_of_open)] {
        let review = act(&browser, reference, "cancel", &[]).await;
        confirm(&browser, reference, "cancel", &review).await.location();
        assert_eq!(order_state(&shop, ours).await, OrderState::Cancelled);
    }
    assert_eq!(shop.notify(notify(&open.id).signed()).await.0, 409, "the gateway gives it back");
    // A transfer that comes too late is written down, and somebody sees it.
    let review = act(&browser, &reference_of_waiting, "receive", &[("amount", "50")]).await;
    assert!(review.body.contains("The order does not wait for money"));
    confirm(&browser, &reference_of_waiting, "receive", &review).await.location();
    assert_eq!(order_state(&shop, &waiting).await, OrderState::Cancelled);
    let needs = browser.get(&format!("{LIST}?attention=1")).await;
    assert!(needs.body.contains(&reference_of_waiting));
    let page = browser.get(&format!("{LIST}/{reference_of_waiting}")).await;
    assert!(page.body.contains("Came in too much"), "it is owed back");
}

// The list and the file.

#[tokio::test]
async fn the_list_searches_filters_pages_and_sums() {
    let shop = Shop::new().await;
    let browser = anna(&shop).await;
    let empty = browser.get(LIST).await;
    assert!(empty.body.contains("No transactions yet"));
    let paid = shop.paid().await;
    let paid_reference = reference(&shop, &paid).await;
    let (_, awaiting_reference) = awaiting(&shop).await;
    for _ in 0..55 {
        shop.started().await;
    }
    let page = browser.get(LIST).await;
    assert!(!page.body.contains(&paid_reference), "the oldest is on the second page");
    assert!(page.body.contains("€2,850.00"), "the sum of all, not of the page");
    let href = page.body.split("href=\"").skip(1).map(|rest| unescape(rest.split('"').next().unwrap()));
    let older = href.into_iter().find(|address| address.contains("before=")).unwrap();
    let second = browser.get(&older).await;
    assert!(second.body.contains(&paid_reference) && second.body.contains("after="));
    for (query, found, missing) in [
        (format!("?q={paid_reference}"), &paid_reference, &awaiting_reference),
        ("?state=paid".to_owned(), &paid_reference, &awaiting_reference),
        ("?method=bank-transfer".to_owned(), &awaiting_reference, &paid_reference),
        ("?q=813705000006".to_owned(), &paid_reference, &awaiting_reference),
    ] {
        let page = browser.get(&format!("{LIST}{query}")).await;
        assert!(page.body.contains(found.as_str()) && !page.body.contains(missing.as_str()), "{query}");
    }
    for (query, count) in
        [("?q=ada%40example.com", "57"), ("?q=50.00", "57"), ("?from=2027-01-15&to=2027-01-15", "57")]
    {
        let page = browser.get(&format!("{LIST}{query}")).await;
        assert!(page.body.contains(&format!("<dd>{count}</dd>")), "{query}");
    }
    for query in ["?q=nobody", "?from=2027-01-16", "?to=2027-01-14", "?q=%27%20OR%201%3D1", "?state=refunded"]
    {
        let page = browser.get(&format!("{LIST}{query}")).await;
        assert!(page.status == 200 && page.body.contains("Nothing matches"), "{query}");
    }
    let wrong = browser.get(&format!("{LIST}?from=yesterday")).await;
    assert!(wrong.status == 422 && wrong.body.contains("Give dates as the calendar does"));
}

#[tokio::test]
async fn the_file_has_every_order_of_the_filter_and_no_formula() {
    let shop = Shop::new().await;
    let mut request = purchase();
    request.details.first_name = "=HYPERLINK(1)".into();
    request.details.email = "+ada@example.com".into();
    let odd = shop.start(request).await;
    for _ in 0..3 {
        shop.paid().await;
    }
    let browser = anna(&shop).await;
    let file = browser.get("/merchant/transactions.csv").await;
    assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
    assert!(file.header("content-disposition").starts_with("attachment"));
    assert_eq!(file.header("cache-control"), "no-store");
    let lines: Vec<_> = file.body.trim_start_matches('\u{feff}').trim_end().split("\r\n").collect();
    assert_eq!(lines.len(), 5);
    assert_eq!(
        lines[0],
        "order,placed,state,method,currency,total,refunded,email,name,gateway_reference,reference,return_url"
    );
    let reference = reference(&shop, &odd).await;
    let line = lines.iter().find(|line| line.starts_with(&reference)).unwrap();
    assert!(line.contains(",EUR,50.00,0.00,'+ada@example.com,'=HYPERLINK(1) O'Neill"), "{line}");
    let wrong = browser.get("/merchant/transactions.csv?state=paid&from=yesterday").await;
    assert_eq!(wrong.location(), "/merchant/transactions?state=paid&from=yesterday", "it says what is wrong");
    let paid = browser.get("/merchant/transactions.csv?state=paid").await;
    assert_eq!(paid.body.trim_end().split("\r\n").count(), 4);
    let log = shop.checkout.store().audit_log(None, 1).await.unwrap();
    assert_eq!(log[0].action.name(), "exported");
}

#[tokio::test]
async fn a_long_file_streams_to_its_end() {
    let shop = Shop::new().await;
    shop.started().await;
    let database = shop.database();
    // Copies of the one order, each with a cart and a reference of its own.
    database
        .execute_batch(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2600)
             INSERT INTO orders (reference, mode, state, method, language, currency, total_minor, delivery, lines,
                 customer, cart, content, placed_at_ms, day)
             SELECT 'TG-' || i, mode, state, method, language, currency, total_minor, delivery, lines, customer,
                 randomblob(32), content, placed_at_ms + i, day FROM orders, n",
        )
        .unwrap();
    let browser = anna(&shop).await;
    let file = browser.get("/merchant/transactions.csv").await;
    assert_eq!(file.body.trim_end().split("\r\n").count(), 2602);
    let totals = shop.checkout.store().totals(Filter::all(Mode::Test)).await.unwrap();
    assert_eq!(totals.by_currency[0].orders, 2601);
    // A search that finds too much is not a file that looks whole.
    shop.database()
        .execute_batch(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 7500)
             INSERT INTO orders (reference, mode, state, method, language, currency, total_minor, delivery, lines,
                 customer, cart, content, placed_at_ms, day)
             SELECT 'TH-' || i, mode, state, method, language, currency, total_minor, delivery, lines, customer,
                 randomblob(32), content, placed_at_ms + i, day FROM (SELECT * FROM orders LIMIT 1), n",
        )
        .unwrap();
    let search = "?q=50.00";
    assert!(browser.get(&format!("{LIST}{search}")).await.body.contains("More than 10,000 orders match"));
    let cut = browser.get(&format!("/merchant/transactions.csv{search}")).await;
    assert_eq!(cut.location(), format!("{LIST}{search}"));
}

#[tokio::test]
async fn every_event_and_deed_has_words_in_every_language() {
    for language in domain::Language::ALL {
        let texts = &app::text::texts(language).merchant;
        for kind in EventKind::ALL {
            assert_ne!(texts.event(kind.name()), kind.name(), "{language:?}");
        }
        for action in Action::ALL {
            assert_ne!(texts.deed(action.name()), action.name(), "{language:?}");
        }
        for state in OrderState::ALL {
            assert_ne!(texts.order_state(state.name()), state.name(), "{language:?}");
        }
        for state in PaymentState::ALL {
            assert_ne!(texts.payment_state(state.name()), state.name(), "{language:?}");
        }
        for state in RefundState::ALL {
            assert_ne!(texts.refund_state(state.name()), state.name(), "{language:?}");
        }
        for kind in RefundKind::ALL {
            assert_ne!(texts.refund_kind(kind.name()), kind.name(), "{language:?}");
        }
        for role in Role::ALL {
            assert_ne!(texts.role_words(role.name()), role.name(), "{language:?}");
        }
    }
}

#[tokio::test]
async fn the_audit_log_is_for_administrators_and_says_who_from_where() {
    let (shop, _, reference) = with_paid().await;
    let anna = anna(&shop).await;
    refund_by(&anna, &reference, "10").await;
    let administrator = signed_in(&shop, BOB, Role::Administer).await;
    let page = administrator.get("/merchant/audit").await;
    for words in ["Asked for a refund", ANNA, "127.0.0.1", "Signed in", "Added a user", &reference] {
        assert!(page.body.contains(words), "{words}");
    }
    let refused = anna.get("/merchant/audit").await;
    assert!(refused.status == 403 && !refused.body.contains("127.0.0.1"));
    assert!(refused.body.contains("Your role does not open this page"));
    assert_eq!(administrator.get("/merchant/audit?before=x").await.status, 200);
}

//! The press of Pay: by the plain form, by the API, and again for an order that exists.

use std::collections::HashSet;

use checkout::records::EventKind;
use checkout::store::OrderFile;
use domain::{OrderState, PaymentMethod, PaymentState, StartRequest};
use mypos::{Amount, Currency, Fields, Unverified};
use serde_json::json;

use crate::html::{self, Pairs};
use crate::keys::{FIRST, SID, WALLET};
use crate::messages::{notify, ok};
use crate::shop::{Answer, HOUR, MINUTE, SECOND, Shop, at_once, details, fresh_key, purchase, set, value};

/// The plain form of a checkout page.
pub fn plain_form(request: &StartRequest) -> Pairs {
    let mut pairs = vec![
        ("key".to_owned(), request.key.clone()),
        ("cart_id".to_owned(), request.cart_id.clone()),
        ("lines".to_owned(), request.lines.to_string()),
        ("shown_total_minor".to_owned(), request.shown_total_minor.to_string()),
        ("delivery".to_owned(), request.delivery.clone()),
    ];
    pairs.extend(crate::shop::detail_pairs(&request.details));
    pairs.extend(request.method.map(|method| ("method".to_owned(), method.id().to_owned())));
    pairs
}

/// The call of the API with the same content.
pub fn api_form(request: &StartRequest) -> Pairs {
    let rename = |name: String| match domain::Field::DETAILS.iter().find(|field| field.name() == name) {
        Some(_) => format!("details[{name}]"),
        None => name,
    };
    let mut pairs: Pairs =
        plain_form(request).into_iter().map(|(name, value)| (rename(name), value)).collect();
    pairs.push(("language".to_owned(), request.language.tag().to_owned()));
    let said = &request.storefront;
    for (name, value) in [
        ("signed_quote", &said.signed_quote),
        ("reference", &said.reference),
        ("return_url", &said.return_url),
    ] {
        if !value.is_empty() {
            pairs.push((name.to_owned(), value.clone()));
        }
    }
    pairs
}

async fn pay(shop: &Shop, pairs: &Pairs) -> Answer {
    shop.post("/checkout/pay", html::encode(pairs.iter().map(|(name, value)| (name, value)))).await
}

async fn call(shop: &Shop, pairs: &Pairs) -> Answer {
    shop.post("/api/checkout/start", html::encode(pairs.iter().map(|(name, value)| (name, value)))).await
}

async fn order_of(shop: &Shop, cart_id: &str) -> Option<OrderFile> {
    shop.checkout.order_of_cart(cart_id).await.unwrap()
}

/// The signed form of a hand-over page, verified.
async fn handed_over(shop: &Shop, location: &str) -> (Answer, Fields) {
    let page = shop.get(location).await;
    assert_eq!(page.status, 200, "{page:?}");
    let form = html::form(&page.body, &shop.gateway.endpoint).expect("a form for the gateway");
    assert_eq!(form.last().unwrap().0, "Signature");
    let verified =
        Unverified::from_pairs(form).unwrap().verify(&FIRST.store.public_key()).expect("our signature");
    let fields = verified.fields().clone();
    (page, fields)
}

fn eur(text: &str) -> i64 {
    Amount::parse_signed(text, Currency::Eur).unwrap().minor
}

// The form for the gateway.

#[tokio::test]
async fn a_press_of_pay_leads_to_a_hand_over_page_with_the_signed_form() {
    let shop = Shop::new().await;
    let browser = shop.browser();
    browser.add("box", 2).await;
    browser.add("tea", 1).await;
    let mut form = browser.checkout_form().await;
    set(&mut form, "delivery", "post");
    set(&mut form, "shown_total_minor", "10989");
    let answer = browser.post("/checkout/pay", &form).await;
    let location = answer.location().to_owned();
    assert!(location.starts_with("/checkout/go/") && location.len() == 13 + 43, "{location}");
    assert_eq!(
        (answer.header("cache-control"), answer.header("referrer-policy")),
        ("no-store", "no-referrer")
    );

    let (_, fields) = handed_over(&shop, &location).await;
    let names: Vec<_> = fields.iter().map(|field| field.name.as_str()).collect();
    let expected = "IPCmethod IPCVersion IPCLanguage SID WalletNumber KeyIndex Source Currency Amount OrderID \
        URL_OK URL_Cancel URL_Notify Note expires_in customeremail customerphone customerfirstnames \
        customerfamilyname customercountry customercity customerzipcode customeraddress CartItems \
        Article_1 Quantity_1 Price_1 Amount_1 Currency_1 Article_2 Quantity_2 Price_2 Amount_2 Currency_2 \
        Article_3 Quantity_3 Price_3 Amount_3 Currency_3 Delivery_3 CardTokenRequest \
        PaymentParametersRequired PaymentMethod";
    assert_eq!(names, expected.split_whitespace().collect::<Vec<_>>());

    let file = order_of(&shop, value(&form, "cart_id")).await.unwrap();
    let payment = &file.payments[0];
    let [url_ok, url_cancel, url_notify] =
        ["ok", "cancel", "notify"].map(|to| format!("{}/mypos/{to}", shop.url));
    for (name, expected) in [
        ("IPCmethod", "IPCPurchase"),
        ("SID", SID),
        ("WalletNumber", WALLET),
        ("KeyIndex", "1"),
        ("IPCLanguage", "EN"),
        ("Currency", "EUR"),
        ("Amount", "109.89"),
        ("OrderID", &payment.gateway_order_id),
        ("URL_OK", &url_ok),
        ("URL_Cancel", &url_cancel),
        ("URL_Notify", &url_notify),
        ("Note", &file.order.new.reference),
        ("expires_in", "1800"),
        ("customeremail", "ada@example.com"),
        ("customerfirstnames", "Ada & <b>\"Jo\"</b>"),
        ("customerfamilyname", "O'Neill-Łukasz"),
        ("customercountry", "DEU"),
        ("customeraddress", "Hauptstraße 1 + 2 % 3"),
        ("CartItems", "3"),
        ("Article_1", "Box \"blue\" & <green>"),
        ("Quantity_1", "2"),
        ("Price_1", "50.00"),
        ("Delivery_3", "1"),
        ("CardTokenRequest", "0"),
        ("PaymentParametersRequired", "1"),
        ("PaymentMethod", "1"),
    ] {
        assert_eq!(fields.text(name), Some(expected), "{name}");
    }
    let amounts = (1..=3).map(|line| eur(fields.text(&format!("Amount_{line}")).unwrap()));
    assert_eq!(amounts.sum::<i64>(), eur("109.89"), "the lines are the amount");
    assert_eq!((payment.state, payment.money.minor), (PaymentState::Started, 10_989));
    let kinds: Vec<_> =
        shop.checkout.store().events(file.order.id).await.unwrap().into_iter().map(|e| e.what.kind).collect();
    assert_eq!(kinds, [EventKind::OrderPlaced, EventKind::PaymentStarted], "before anything left");
}

#[tokio::test]
async fn a_hand_over_page_tells_the_gateway_its_origin_and_nobody_more() {
    let shop = Shop::new().await;
    let ours = shop.started().await;
    let (page, fields) = handed_over(&shop, &ours.location).await;
    assert_eq!(page.header("referrer-policy"), "origin");
    assert_eq!(page.header("cache-control"), "no-store");
    let policy = page.header("content-security-policy");
    let gateway = shop.gateway.endpoint.trim_end_matches("/vmp/checkout");
    assert!(policy.contains(&format!("form-action 'self' {gateway};")), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    let nonce = html::between(policy, "'nonce-", "'");
    assert!(nonce.len() >= 16);
    assert!(page.body.contains(&format!("nonce=\"{nonce}\"")));
    let shown = html::unescape(&page.body);
    assert!(shown.contains(gateway), "it names the gateway's address");
    assert!(shown.contains("myPOS processes the payment for Kisten & Söhne"));
    assert!(shown.contains("href=\"/checkout\""), "and the way back");
    assert!(shown.contains("€50.00") && shown.contains(fields.text("Note").unwrap()));

    let again = shop.get(&shop.started().await.location).await;
    assert_ne!(html::between(again.header("content-security-policy"), "'nonce-", "'"), nonce);
}

#[tokio::test]
async fn a_hand_over_form_is_shown_for_a_double_click_and_not_to_whoever_comes_back() {
    let shop = Shop::new().await;
    let press = purchase();
    let ours = shop.start(press.clone()).await;
    shop.clock.advance(10 * SECOND);
    let (_, first) = handed_over(&shop, &ours.location).await;
    // The second click of a double click presses again.
    assert_eq!(shop.start(press).await.location, ours.location);
    let (_, second) = handed_over(&shop, &ours.location).await;
    assert_eq!(first, second, "byte for byte");
    let spent = shop.get(&ours.location).await;
    assert_eq!(html::form(&spent.body, &shop.gateway.endpoint), None);
    assert_eq!(html::heading(&spent.body), "You have already been to the payment page");
    assert_eq!((spent.header("cache-control"), spent.header("referrer-policy")), ("no-store", "same-origin"));
    assert!(spent.header("content-security-policy").contains("form-action 'self';"));
    assert!(!spent.body.contains("http-equiv=\"refresh\"") && !spent.body.contains(".submit"));

    // Starting again is one press.
    let form = html::form(&spent.body, "/checkout/pay").expect("a way to start again");
    let again = pay(&shop, &form).await.location().to_owned();
    assert_ne!(again, ours.location);
    let (_, third) = handed_over(&shop, &again).await;
    assert_ne!(third.text("OrderID"), first.text("OrderID"));
    assert_eq!(third.text("Amount"), Some("50.00"));
    assert_eq!(shop.file(&ours).await.payments.len(), 2);
}

#[tokio::test]
async fn a_hand_over_form_that_nobody_opened_for_a_minute_is_spent() {
    let shop = Shop::new().await;
    let [young, old] = [shop.started().await, shop.started().await];
    shop.clock.advance(MINUTE - 1);
    handed_over(&shop, &young.location).await;
    shop.clock.advance(1);
    let page = shop.get(&old.location).await;
    assert_eq!(html::form(&page.body, &shop.gateway.endpoint), None);
    assert!(html::form(&page.body, "/checkout/pay").is_some());
}

#[tokio::test]
async fn the_hand_over_page_of_a_payment_that_was_paid_has_no_form_for_the_gateway() {
    let shop = Shop::new().await;
    let ours = shop.paid().await;
    let page = shop.get(&ours.location).await;
    assert_eq!(html::form(&page.body, &shop.gateway.endpoint), None);
    // And its way to start again leads to the paid order.
    let form = html::form(&page.body, "/checkout/pay").unwrap();
    let answer = pay(&shop, &form).await;
    assert!(answer.location().starts_with("/checkout/result/"), "{answer:?}");
    assert_eq!(shop.file(&ours).await.payments.len(), 1);
}

#[tokio::test]
async fn ideal_is_asked_for_as_such() {
    let shop = Shop::new().await;
    let request = StartRequest { method: Some(PaymentMethod::Ideal), ..purchase() };
    let ours = shop.start(request).await;
    assert_eq!(handed_over(&shop, &ours.location).await.1.text("PaymentMethod"), Some("2"));
}

// What goes wrong.

#[tokio::test]
async fn errors_show_the_page_again_with_everything_that_was_typed() {
    let shop = Shop::new().await;
    let browser = shop.browser();
    browser.add("box", 1).await;
    let mut form = browser.checkout_form().await;
    let typed = [
        ("email", "ada at example"),
        ("first_name", "  A\"<script>&amp; "),
        ("family_name", ""),
        ("phone", "call me"),
        ("postcode", "1 & 2"),
        ("delivery", "post"),
        ("method", "ideal"),
        ("shown_total_minor", "5490"),
    ];
    for (name, text) in typed {
        set(&mut form, name, text);
    }
    let page = browser.post("/checkout/pay", &form).await;
    assert_eq!(page.status, 422);
    assert!(html::title(&page.body).starts_with("Error: "), "{}", html::title(&page.body));
    let again = html::form(&page.body, "/checkout/pay").unwrap();
    for (name, typed) in &form {
        if name == "key" {
            assert_ne!(value(&again, "key"), typed, "a page that comes back has a key of its own");
        } else {
            assert_eq!(value(&again, name), typed, "{name}");
        }
    }
    let shown = html::unescape(&page.body);
    for words in [
        "Enter an email address such as name@example.com",
        "Enter your last name",
        "Enter a phone number such as +49 30 123456, or leave it empty",
    ] {
        assert!(shown.contains(words), "{words}");
    }
    assert!(!page.body.contains("A\"<script>"), "what was typed is escaped");
    assert!(order_of(&shop, value(&form, "cart_id")).await.is_none(), "nothing was placed");

    // Mended, it goes through.
    let mut mended = again;
    for (name, text) in [("email", "ada@example.com"), ("family_name", "L"), ("phone", "")] {
        set(&mut mended, name, text);
    }
    assert!(browser.post("/checkout/pay", &mended).await.location().starts_with("/checkout/go/"));
}

#[tokio::test]
async fn each_field_has_its_own_error() {
    let shop = Shop::new().await;
    let long = "x".repeat(300);
    for (name, text) in [
        ("email", ""),
        ("email", "a@b"),
        ("email", long.as_str()),
        ("first_name", " "),
        ("family_name", "\u{202e}evil"),
        ("street", long.as_str()),
        ("postcode", "12345678901234567"),
        ("city", ""),
        ("country", ""),
        ("country", "US"),
        ("country", "Germany"),
        ("phone", "12"),
        ("method", ""),
        ("method", "cash"),
    ] {
        let request = purchase();
        let mut form = plain_form(&request);
        set(&mut form, name, text);
        let page = pay(&shop, &form).await;
        assert_eq!(page.status, 422, "{name} = {text}");
        assert!(html::title(&page.body).starts_with("Error: "), "{name} = {text}");
        assert!(page.body.contains(&format!("id=\"{name}-error\"")), "{name} = {text}: {}", page.body);
        assert!(order_of(&shop, &request.cart_id).await.is_none());
    }
}

#[tokio::test]
async fn another_price_than_the_one_shown_shows_the_page_with_the_new_total() {
    let shop = Shop::new().await;
    for shown in ["4999", "1", "0", "-1", "", "50.00", "99999999999999999999"] {
        let request = purchase();
        let mut form = plain_form(&request);
        set(&mut form, "shown_total_minor", shown);
        let page = pay(&shop, &form).await;
        assert_eq!(page.status, 409, "{shown}");
        assert!(html::title(&page.body).starts_with("Error: "), "{shown}");
        assert!(page.body.contains("The total is now €50.00"), "{shown}");
        assert!(order_of(&shop, &request.cart_id).await.is_none(), "{shown}");
        let again = html::form(&page.body, "/checkout/pay").unwrap();
        assert_eq!(value(&again, "shown_total_minor"), "5000");
        assert_eq!(value(&again, "email"), details().email);
        assert!(pay(&shop, &again).await.location().starts_with("/checkout/go/"));
    }
}

#[tokio::test]
async fn an_article_that_is_no_longer_sold_is_left_out_before_anything_is_paid() {
    let shop = Shop::new().await;
    let mut form = plain_form(&purchase());
    set(&mut form, "lines", "box:1,gone:3");
    let page = pay(&shop, &form).await;
    assert_eq!(page.status, 409);
    assert!(page.body.contains("no longer sold"));
    let again = html::form(&page.body, "/checkout/pay").unwrap();
    assert_eq!(value(&again, "lines"), "box:1");
    assert!(pay(&shop, &again).await.location().starts_with("/checkout/go/"));
}

#[tokio::test]
async fn an_empty_cart_is_not_paid() {
    let shop = Shop::new().await;
    for lines in ["", "box:0", "gone:1"] {
        let request = purchase();
        let mut form = plain_form(&request);
        set(&mut form, "lines", lines);
        let page = pay(&shop, &form).await;
        assert_eq!(page.status, 422, "{lines}");
        assert!(page.body.contains("Your cart is empty"), "{lines}");
        assert!(order_of(&shop, &request.cart_id).await.is_none());
    }
    for lines in ["box", "box:-1", "<b>:1"] {
        let mut form = plain_form(&purchase());
        set(&mut form, "lines", lines);
        assert_eq!(pay(&shop, &form).await.status, 400, "{lines}");
    }
}

#[tokio::test]
async fn a_key_that_is_none_starts_nothing() {
    let shop = Shop::new().await;
    for (name, text) in
        [("key", ""), ("key", "short"), ("key", "has a blank in it, so it is none"), ("cart_id", "")]
    {
        let request = purchase();
        let mut form = plain_form(&request);
        set(&mut form, name, text);
        let page = pay(&shop, &form).await;
        assert_eq!(page.status, 400, "{name} = {text}");
        let again = html::form(&page.body, "/checkout/pay").expect("the checkout again");
        assert!(
            domain::messages::is_key(value(&again, "key"))
                && domain::messages::is_key(value(&again, "cart_id"))
        );
        assert_eq!(value(&again, "email"), details().email, "with everything kept");
    }
}

// The same press, and another one.

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_press_that_comes_twice_at_once_is_one_payment_and_one_answer() {
    let shop = Shop::new().await;
    let request = purchase();
    let body = html::encode(plain_form(&request));
    let locations = at_once(8, |_| {
        let posting = shop.posting("/checkout/pay", body.clone());
        async move { Answer::of(posting).await.location().to_owned() }
    })
    .await;
    assert_eq!(locations.iter().collect::<HashSet<_>>().len(), 1, "{locations:?}");
    assert_eq!(order_of(&shop, &request.cart_id).await.unwrap().payments.len(), 1);
    shop.clock.advance(MINUTE - 1);
    assert_eq!(shop.post("/checkout/pay", body).await.location(), locations[0], "a minute long");
    assert!(shop.gateway.take_calls().is_empty());
}

#[tokio::test]
async fn the_same_key_with_another_request_shows_the_page_again() {
    let shop = Shop::new().await;
    let request = purchase();
    let form = plain_form(&request);
    let location = pay(&shop, &form).await.location().to_owned();
    for (name, text, total) in
        [("lines", "box:2", "10000"), ("email", "eve@example.com", "5000"), ("method", "ideal", "5000")]
    {
        let mut other = form.clone();
        set(&mut other, name, text);
        set(&mut other, "shown_total_minor", total);
        let page = pay(&shop, &other).await;
        assert_eq!(page.status, 422, "{name}");
        assert!(html::title(&page.body).starts_with("Error: "), "{name}");
        let again = html::form(&page.body, "/checkout/pay").unwrap();
        assert_eq!(value(&again, name), text);
        assert_ne!(value(&again, "key"), request.key);
    }
    assert_eq!(pay(&shop, &form).await.location(), location, "the first request is untouched");
    assert_eq!(order_of(&shop, &request.cart_id).await.unwrap().payments.len(), 1);
}

#[tokio::test]
async fn an_old_press_asks_the_gateway_and_starts_a_new_payment_unless_it_was_paid() {
    let shop = Shop::new().await;
    let request = purchase();
    let form = plain_form(&request);
    let first = pay(&shop, &form).await.location().to_owned();
    shop.clock.advance(MINUTE);
    let second = pay(&shop, &form).await.location().to_owned();
    assert!(second.starts_with("/checkout/go/") && second != first, "{second}");
    assert_eq!(shop.gateway.count("IPCGetPaymentStatus"), 1);
    let file = order_of(&shop, &request.cart_id).await.unwrap();
    let [old, new] = file.payments.as_slice() else { panic!("{file:?}") };
    assert_ne!(old.gateway_order_id, new.gateway_order_id);
    let asked = shop.gateway.take_calls();
    assert_eq!(asked[0].text("OrderID"), Some(old.gateway_order_id.as_str()));

    // Once it is paid, the same press leads to the order.
    shop.gateway.says_status("1");
    shop.clock.advance(MINUTE);
    let third = pay(&shop, &form).await.location().to_owned();
    assert!(third.starts_with("/checkout/result/"), "{third}");
    assert_eq!(shop.gateway.take_calls().len(), 1);
    assert_eq!(shop.get(&third).await.status, 200);
    let file = order_of(&shop, &request.cart_id).await.unwrap();
    assert_eq!((file.order.state, file.payments.len()), (OrderState::Paid, 2));
}

#[tokio::test]
async fn an_old_press_starts_a_new_payment_even_if_the_gateway_does_not_answer() {
    let shop = Shop::new().await;
    let form = plain_form(&purchase());
    let first = pay(&shop, &form).await.location().to_owned();
    shop.gateway.says(|_| crate::gateway::Reply::Plain(500, "down".into()));
    shop.clock.advance(MINUTE);
    let second = pay(&shop, &form).await.location().to_owned();
    assert!(second.starts_with("/checkout/go/") && second != first);
}

#[tokio::test]
async fn two_tabs_of_one_cart_are_two_payments_of_one_order() {
    let shop = Shop::new().await;
    let browser = shop.browser();
    browser.add("box", 1).await;
    let [one, two] = [browser.checkout_form().await, browser.checkout_form().await];
    assert_ne!(value(&one, "key"), value(&two, "key"));
    assert_eq!(value(&one, "cart_id"), value(&two, "cart_id"));
    let locations = [browser.post("/checkout/pay", &one).await, browser.post("/checkout/pay", &two).await];
    assert_ne!(locations[0].location(), locations[1].location());
    let file = order_of(&shop, value(&one, "cart_id")).await.unwrap();
    assert_eq!((file.order.state, file.payments.len()), (OrderState::Open, 2));
}

#[tokio::test]
async fn each_payment_of_an_order_names_it_by_the_same_reference() {
    let shop = Shop::new().await;
    let first = shop.started().await;
    let second = shop.started_again(&first).await;
    let reference = shop.file(&first).await.order.new.reference;
    for one in [&first, &second] {
        let (_, fields) = handed_over(&shop, &one.location).await;
        assert_eq!(fields.text("Note"), Some(reference.as_str()), "as the merchant sees it at myPOS");
    }
}

#[tokio::test]
async fn a_changed_cart_takes_the_place_of_the_order_that_was_not_paid() {
    let shop = Shop::new().await;
    let browser = shop.browser();
    browser.add("box", 1).await;
    let form = browser.checkout_form().await;
    browser.post("/checkout/pay", &form).await.location();
    let first = order_of(&shop, value(&form, "cart_id")).await.unwrap();

    browser.add("tea", 1).await;
    let changed = browser.checkout_form().await;
    assert_eq!(
        (value(&changed, "cart_id"), value(&changed, "lines")),
        (value(&form, "cart_id"), "box:1,tea:1")
    );
    browser.post("/checkout/pay", &changed).await.location();
    let second = order_of(&shop, value(&form, "cart_id")).await.unwrap();
    assert_ne!(first.order.id, second.order.id);
    assert_eq!((second.order.state, second.order.new.total.minor), (OrderState::Open, 5_499));
    let first = shop.checkout.store().order_by_reference(&first.order.new.reference).await.unwrap().unwrap();
    assert_eq!(first.order.state, OrderState::Cancelled);
}

#[tokio::test]
async fn a_shopper_who_comes_back_without_paying_finds_everything_that_was_typed() {
    let shop = Shop::new().await;
    let browser = shop.browser();
    browser.add("box", 1).await;
    let mut form = browser.checkout_form().await;
    for (name, text) in [("delivery", "post"), ("method", "ideal"), ("shown_total_minor", "5490")] {
        set(&mut form, name, text);
    }
    browser.post("/checkout/pay", &form).await.location();
    let page = browser.get("/checkout").await;
    let again = html::form(&page.body, "/checkout/pay").unwrap();
    for (name, typed) in &form {
        if name != "key" {
            assert_eq!(value(&again, name), typed, "{name}");
        }
    }
    assert_ne!(value(&again, "key"), value(&form, "key"));
}

#[tokio::test]
async fn a_cart_that_was_bought_is_forgotten_and_never_paid_again() {
    let shop = Shop::new().await;
    let browser = shop.browser();
    browser.add("box", 1).await;
    let form = browser.checkout_form().await;
    let mut left_open = browser.checkout_form().await;
    browser.post("/checkout/pay", &form).await.location();
    let file = order_of(&shop, value(&form, "cart_id")).await.unwrap();
    assert_eq!(shop.notify(notify(&file.payments[0].gateway_order_id).signed()).await.0, 200);

    // Another tab that was left open, with a key of its own.
    let answer = browser.post("/checkout/pay", &left_open).await;
    assert!(answer.location().starts_with("/checkout/result/"), "{answer:?}");
    set(&mut left_open, "key", &fresh_key("key"));
    assert!(browser.post("/checkout/pay", &left_open).await.location().starts_with("/checkout/result/"));
    assert_eq!(order_of(&shop, value(&form, "cart_id")).await.unwrap().payments.len(), 1);

    let checkout = browser.get("/checkout").await;
    assert!(checkout.location().starts_with("/checkout/result/"), "{checkout:?}");
    let result = browser.get(checkout.location()).await;
    let forgotten = result.cookies().into_iter().find(|cookie| cookie.starts_with("tillgate_cart=")).unwrap();
    assert!(forgotten.contains("Max-Age=0"), "{forgotten}");
    assert!(browser.get("/checkout").await.body.contains("Your cart is empty"));
}

#[tokio::test]
async fn what_is_bought_after_a_paid_order_is_another_order() {
    let shop = Shop::new().await;
    let browser = shop.browser();
    browser.add("box", 1).await;
    let form = browser.checkout_form().await;
    browser.post("/checkout/pay", &form).await.location();
    let file = order_of(&shop, value(&form, "cart_id")).await.unwrap();
    assert_eq!(shop.notify(notify(&file.payments[0].gateway_order_id).signed()).await.0, 200);
    browser.add("box", 1).await;
    let next = browser.checkout_form().await;
    assert_ne!(value(&next, "cart_id"), value(&form, "cart_id"));
    assert_eq!(value(&next, "lines"), "box:2");
    assert!(browser.post("/checkout/pay", &next).await.location().starts_with("/checkout/go/"));
}

#[tokio::test]
async fn while_a_payment_is_checked_nothing_is_paid_a_second_time() {
    let shop = Shop::new().await;
    let browser = shop.browser();
    browser.add("box", 1).await;
    let [form, other_tab] = [browser.checkout_form().await, browser.checkout_form().await];
    browser.post("/checkout/pay", &form).await.location();
    let file = order_of(&shop, value(&form, "cart_id")).await.unwrap();
    shop.post("/mypos/ok", ok(&file.payments[0].gateway_order_id).signed()).await.location();

    for _ in 0..2 {
        let answer = browser.post("/checkout/pay", &other_tab).await;
        assert!(answer.location().starts_with("/checkout/result/"), "{answer:?}");
    }
    assert!(browser.get("/checkout").await.location().starts_with("/checkout/result/"));
    assert_eq!(order_of(&shop, value(&form, "cart_id")).await.unwrap().payments.len(), 1);
}

// Paying an order again.

#[tokio::test]
async fn an_order_is_paid_again_by_its_page_with_the_method_chosen_there() {
    let shop = Shop::new().await;
    let ours = shop.started().await;
    let page = shop.get(&shop.result_page(&ours).await).await;
    assert_eq!(html::heading(&page.body), "Your order is not paid yet");
    let mut form = html::form(&page.body, "/checkout/pay").expect("a way to pay");
    assert_eq!(value(&form, "method"), "card", "what was tried last is chosen");
    set(&mut form, "method", "ideal");
    let answer = pay(&shop, &form).await;
    assert_eq!(pay(&shop, &form).await.location(), answer.location(), "the same press again");
    let (_, fields) = handed_over(&shop, answer.location()).await;
    assert_eq!((fields.text("PaymentMethod"), fields.text("Amount")), (Some("2"), Some("50.00")));
    assert_eq!(shop.file(&ours).await.payments.len(), 2);

    // The same key for something else: the order's page, with a new one.
    set(&mut form, "method", "card");
    assert_eq!(pay(&shop, &form).await.location(), format!("/checkout/result/{}", value(&form, "order")));
    assert_eq!(shop.file(&ours).await.payments.len(), 2);
    // A bank transfer after all.
    let page = shop.get(&shop.result_page(&ours).await).await;
    let mut form = html::form(&page.body, "/checkout/pay").unwrap();
    set(&mut form, "method", "bank-transfer");
    let page = shop.get(pay(&shop, &form).await.location()).await;
    assert_eq!(html::heading(&page.body), "Thank you for your order");
    assert_eq!(shop.file(&ours).await.order.state, OrderState::Awaiting);
}

#[tokio::test]
async fn paying_an_order_again_that_is_paid_leads_to_it_each_time() {
    let shop = Shop::new().await;
    let ours = shop.started().await;
    let page = shop.get(&shop.result_page(&ours).await).await;
    let form = html::form(&page.body, "/checkout/pay").unwrap();
    assert_eq!(shop.notify(notify(&ours.id).signed()).await.0, 200);
    for _ in 0..3 {
        let answer = pay(&shop, &form).await;
        assert!(answer.location().starts_with("/checkout/result/"), "{answer:?}");
    }
    assert_eq!(shop.file(&ours).await.payments.len(), 1);
}

#[tokio::test]
async fn paying_an_order_again_that_has_ended_leads_to_its_page_each_time() {
    let shop = Shop::new().await;
    let ours = shop.started().await;
    let page = shop.get(&shop.result_page(&ours).await).await;
    let form = html::form(&page.body, "/checkout/pay").unwrap();
    shop.gateway.says_status("3");
    shop.reconcile_after(HOUR).await;
    shop.reconcile_after(24 * HOUR).await;
    assert_eq!(shop.file(&ours).await.order.state, OrderState::Expired);
    for _ in 0..3 {
        let location = pay(&shop, &form).await.location().to_owned();
        assert_eq!(html::heading(&shop.get(&location).await.body), "This order has ended");
    }
    assert_eq!(shop.file(&ours).await.payments.len(), 1);
}

#[tokio::test]
async fn nobody_pays_an_order_without_its_token() {
    let shop = Shop::new().await;
    let ours = shop.started().await;
    let handoff = ours.location.trim_start_matches("/checkout/go/").to_owned();
    let page = shop.result_page(&ours).await;
    let order = page.trim_start_matches("/checkout/result/").to_owned();
    for (name, token, status) in [
        ("order", "A".repeat(43), 404),
        ("handoff", "A".repeat(43), 404),
        ("order", handoff.clone(), 404),
        ("handoff", order.clone(), 404),
    ] {
        let pairs = vec![(name.to_owned(), token), ("key".to_owned(), fresh_key("key"))];
        assert_eq!(pay(&shop, &pairs).await.status, status, "{name}");
    }
    let pairs = vec![("order".to_owned(), order), ("key".to_owned(), "short".to_owned())];
    assert_eq!(pay(&shop, &pairs).await.location(), page, "a key that is none");
    assert_eq!(shop.file(&ours).await.payments.len(), 1);
}

// The merchant's own methods.

#[tokio::test]
async fn a_bank_transfer_leads_to_the_account_and_the_reference() {
    let shop = Shop::new().await;
    let request = StartRequest { method: Some(PaymentMethod::BankTransfer), ..purchase() };
    let form = plain_form(&request);
    let location = pay(&shop, &form).await.location().to_owned();
    assert!(location.starts_with("/checkout/result/"), "{location}");
    assert!(pay(&shop, &form).await.location().starts_with("/checkout/result/"), "the same press again");
    let page = shop.get(&location).await;
    assert_eq!(html::heading(&page.body), "Thank you for your order");
    let file = order_of(&shop, &request.cart_id).await.unwrap();
    assert_eq!((file.order.state, file.payments.len()), (OrderState::Awaiting, 0));
    let shown = html::unescape(&page.body);
    for words in [
        "DE02 1203 0000 0000 2020 51",
        "BYLADEM1001",
        "Kisten & Söhne GmbH",
        &file.order.new.reference,
        "€50.00",
    ] {
        assert!(shown.contains(words), "{words}");
    }
    assert_eq!(html::form(&page.body, "/checkout/pay"), None);
    assert!(shown.contains("a•••@example.com") && !shown.contains("ada@example.com"), "the e-mail is masked");
    assert!(!shown.contains("O'Neill") && !shown.contains("Hauptstra"), "a token alone shows no address");
}

#[tokio::test]
async fn on_delivery_needs_no_account() {
    let shop = Shop::new().await;
    let request = StartRequest { method: Some(PaymentMethod::OnDelivery), ..purchase() };
    let page = shop.get(pay(&shop, &plain_form(&request)).await.location()).await;
    assert_eq!(html::heading(&page.body), "Thank you for your order");
    assert!(!page.body.contains("IBAN"));
}

#[tokio::test]
async fn only_methods_that_the_shop_offers_are_taken() {
    let shop = Shop::with(|table, _| {
        table.insert("methods".into(), toml::Value::Array(vec!["card".into()]));
    })
    .await;
    for method in [PaymentMethod::Ideal, PaymentMethod::BankTransfer, PaymentMethod::OnDelivery] {
        let request = StartRequest { method: Some(method), ..purchase() };
        assert_eq!(pay(&shop, &plain_form(&request)).await.status, 422, "{method:?}");
        assert!(order_of(&shop, &request.cart_id).await.is_none());
    }
}

// The API.

#[tokio::test]
async fn the_api_starts_the_same_payment_as_the_plain_form() {
    let shop = Shop::new().await;
    let request = purchase();
    let answer = call(&shop, &api_form(&request)).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
    assert_eq!(answer.header("cache-control"), "no-store");
    let location = answer.json()["location"].as_str().unwrap().to_owned();
    assert_eq!(answer.json(), json!({ "location": location }));
    handed_over(&shop, &location).await;
    assert_eq!(
        pay(&shop, &plain_form(&request)).await.location(),
        location,
        "one press, whatever brought it"
    );
}

#[tokio::test]
async fn the_api_refuses_with_a_problem_and_its_status() {
    let shop = Shop::new().await;
    let changed = |name: &str, value: &str| {
        let mut form = api_form(&purchase());
        set(&mut form, name, value);
        form
    };
    for (form, status, problem) in [
        (changed("key", "short"), 400, json!("malformed")),
        (changed("cart_id", ""), 400, json!("malformed")),
        (changed("lines", "box"), 400, json!("malformed")),
        (changed("shown_total_minor", "x"), 400, json!("malformed")),
        (changed("method", "cash"), 400, json!("malformed")),
        (changed("lines", ""), 422, json!("empty_cart")),
        (
            changed("details[email]", "x"),
            422,
            json!({ "invalid": [{ "field": "email", "problem": "not_an_email" }] }),
        ),
        (
            changed("details[country]", "US"),
            422,
            json!({ "invalid": [{ "field": "country", "problem": "not_offered" }] }),
        ),
    ] {
        let answer = call(&shop, &form).await;
        assert_eq!((answer.status, answer.json()), (status, problem), "{form:?}");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(answer.header("content-type").starts_with("application/json"), "{answer:?}");
    }
    let mut without_method = api_form(&purchase());
    without_method.retain(|(name, _)| name != "method");
    let answer = call(&shop, &without_method).await;
    let missing = json!({ "invalid": [{ "field": "method", "problem": "missing" }] });
    assert_eq!((answer.status, answer.json()), (422, missing));
    let mut without_lines = api_form(&purchase());
    without_lines.retain(|(name, _)| name != "lines");
    let answer = call(&shop, &without_lines).await;
    assert_eq!((answer.status, answer.json()), (400, json!("malformed")));

    let answer = call(&shop, &changed("shown_total_minor", "4999")).await;
    assert_eq!(answer.status, 409);
    let quote = &answer.json()["price_changed"];
    assert_eq!((&quote["total"]["minor"], &quote["total"]["text"]), (&json!(5_000), &json!("€50.00")));

    let request = purchase();
    assert_eq!(call(&shop, &api_form(&request)).await.status, 200);
    let other = StartRequest { delivery: "post".into(), shown_total_minor: 5_490, ..request };
    let answer = call(&shop, &api_form(&other)).await;
    assert_eq!((answer.status, answer.json()), (422, json!("key_reused")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_a_press_is_running_the_api_says_busy_and_starts_nothing_else() {
    let shop = Shop::new().await;
    let request = purchase();
    let body = html::encode(api_form(&request));
    let answers = at_once(12, |_| {
        let posting = shop.posting("/api/checkout/start", body.clone());
        async move { Answer::of(posting).await }
    })
    .await;
    let mut locations = HashSet::new();
    for answer in &answers {
        match answer.status {
            200 => drop(locations.insert(answer.json()["location"].to_string())),
            409 => assert_eq!(answer.json(), json!("busy")),
            _ => panic!("{answer:?}"),
        }
    }
    assert_eq!(locations.len(), 1);
    assert_eq!(order_of(&shop, &request.cart_id).await.unwrap().payments.len(), 1);
}

#[tokio::test]
async fn the_api_quotes_and_tells_the_status() {
    let shop = Shop::new().await;
    let quote = shop.get("/api/checkout/quote?lines=box:1,tea:2&delivery=post&language=de").await;
    assert_eq!((quote.status, quote.header("cache-control")), (200, "no-store"));
    let quote = quote.json();
    assert_eq!((&quote["total"]["minor"], &quote["total"]["text"]), (&json!(6_488), &json!("64,88\u{a0}€")));
    assert_eq!(quote["lines"][1]["name"], "Tee");
    let empty = shop.get("/api/checkout/quote?lines=").await;
    assert_eq!((empty.status, &empty.json()["total"]["minor"]), (200, &json!(0)));
    for bad in ["lines=box", "lines=%3Cb%3E:1", ""] {
        let answer = shop.get(&format!("/api/checkout/quote?{bad}")).await;
        assert_eq!((answer.status, answer.json()), (400, json!("malformed")), "{bad}");
    }

    let ours = shop.started().await;
    let page = shop.result_page(&ours).await;
    let token = page.trim_start_matches("/checkout/result/");
    let status = async || shop.get(&format!("/api/checkout/status?token={token}")).await.json();
    assert_eq!(status().await, json!({ "state": "not_paid" }));
    shop.post("/mypos/ok", ok(&ours.id).signed()).await.location();
    assert_eq!(status().await, json!({ "state": "checking" }));
    shop.notify(notify(&ours.id).signed()).await;
    assert_eq!(status().await, json!({ "state": "paid" }));
    for bad in ["A".repeat(43).as_str(), "short", "", ours.location.trim_start_matches("/checkout/go/")] {
        let answer = shop.get(&format!("/api/checkout/status?token={bad}")).await;
        assert_eq!((answer.status, answer.json()), (404, json!("not_found")), "{bad}");
    }
    assert!(shop.gateway.take_calls().is_empty(), "a poll never asks the gateway");
}

#[tokio::test]
async fn the_api_never_redirects_to_where_a_referer_points() {
    let shop = Shop::new().await;
    let mut wrong = api_form(&purchase());
    set(&mut wrong, "key", "short");
    for form in [api_form(&purchase()), wrong] {
        let request = shop
            .posting("/api/checkout/start", html::encode(form))
            .header("accept", "text/html,application/xhtml+xml")
            .header("referer", "https://evil.example/");
        let answer = Answer::of(request).await;
        assert!(answer.status == 200 || answer.status == 400, "{answer:?}");
        assert_eq!(answer.header("location"), "");
        assert!(answer.header("content-type").starts_with("application/json"), "{answer:?}");
    }
}

#[tokio::test]
async fn an_address_of_the_api_that_does_not_exist_is_a_problem_too() {
    let shop = Shop::new().await;
    let answer = shop.get("/api/checkout/nothing").await;
    assert_eq!((answer.status, answer.json()), (404, json!("not_found")));
}

#[tokio::test]
async fn the_api_is_open_to_the_configured_storefronts_and_to_no_stranger() {
    let shop = Shop::with(|table, _| {
        table.insert("storefront_origins".into(), toml::Value::Array(vec!["https://shop.example".into()]));
        table.insert("payments_burst".into(), 2.into());
        table.insert("payments_per_minute".into(), 1.into());
    })
    .await;
    let from = |origin: &'static str, request: reqwest::RequestBuilder| {
        Answer::of(request.header("origin", origin).header("sec-fetch-site", "cross-site"))
    };
    let allowed = |answer: &Answer| answer.header("access-control-allow-origin").to_owned();
    let quote = || shop.client.get(format!("{}/api/checkout/quote?lines=box:1", shop.url));
    let start = || shop.posting("/api/checkout/start", html::encode(api_form(&purchase())));

    let answer = from("https://evil.example", quote()).await;
    assert_eq!(allowed(&answer), "");
    let answer = from("https://evil.example", start()).await;
    assert_eq!((answer.status, allowed(&answer).as_str()), (403, ""));

    let answer = from("https://shop.example", quote()).await;
    assert_eq!((answer.status, allowed(&answer).as_str()), (200, "https://shop.example"));
    assert!(answer.header("vary").to_lowercase().contains("origin"), "{answer:?}");
    let answer = from("https://shop.example", start()).await;
    assert_eq!((answer.status, allowed(&answer).as_str()), (200, "https://shop.example"));
    assert_eq!(answer.header("access-control-allow-credentials"), "", "no cookies are needed");

    // A refusal, too, has to be readable for the storefront: CORS is the outermost layer.
    let mut answer = from("https://shop.example", start()).await;
    while answer.status == 200 {
        answer = from("https://shop.example", start()).await;
    }
    assert_eq!((answer.status, answer.json()), (429, json!("rate_limited")));
    assert_eq!(allowed(&answer), "https://shop.example");
}

//! Quotes that a storefront's backend signed: by the API, on the hosted page, once.

use checkout::signed_quote::QuoteKey;
use checkout::store::OrderFile;
use checkout::storefront::cart_of_quote;
use domain::{OrderState, StartRequest, Storefront};
use serde_json::{Value, json};

use crate::html::{self, Pairs};
use crate::messages::notify;
use crate::pay::api_form;
use crate::shop::{Answer, HOUR, MINUTE, START_MS, Shop, detail_pairs, details, fresh_key, purchase, value};

const SECRET: &str = "a-secret-that-only-the-tests-know-0000";
const ORIGIN: &str = "https://shop.example";

fn key() -> QuoteKey {
    QuoteKey::new("tests", SECRET.as_bytes()).unwrap()
}

async fn shop() -> Shop {
    Shop::with(|table, _| {
        table.insert("storefront_origins".into(), toml::Value::Array(vec![ORIGIN.into()]));
        table.insert("quote_keys".into(), toml::Value::Array(vec![format!("tests:{SECRET}").into()]));
    })
    .await
}

/// A payload of its own: two boxes, the delivery, and a discount, 37.70 in all, for half an hour.
fn payload() -> Value {
    json!({
        "id": fresh_key("quote"),
        "expires": (START_MS + 30 * MINUTE) / 1000,
        "currency": "EUR",
        "lines": [
            { "sku": "own-1", "name": "Box of their own & <more>", "quantity": 2, "unit": 1890, "vat": 1900 },
            { "kind": "delivery", "sku": "courier", "name": "Courier", "unit": 490, "vat": 1900 },
            { "kind": "discount", "name": "Spring", "unit": -500, "vat": 1900 },
        ],
        "reference": "A-1001",
        "return_url": "https://shop.example/thanks",
    })
}

fn signed(payload: &Value) -> String {
    key().sign(&payload.to_string())
}

/// A press of Pay for a quote, with a key and a cart of its own.
fn paying(quote: &str) -> StartRequest {
    StartRequest {
        lines: domain::Cart::default(),
        delivery: String::new(),
        shown_total_minor: 3_770,
        storefront: Storefront { signed_quote: quote.to_owned(), ..Storefront::default() },
        ..purchase()
    }
}

async fn start(shop: &Shop, request: &StartRequest) -> Answer {
    shop.post("/api/checkout/start", html::encode(api_form(request))).await
}

async fn order_of(shop: &Shop, request: &StartRequest) -> OrderFile {
    let cart = cart_of_quote(&request.storefront.signed_quote);
    shop.checkout.order_of_cart(&cart).await.unwrap().unwrap()
}

async fn quote(shop: &Shop, text: &str) -> Answer {
    shop.get(&format!("/api/checkout/quote?lines=&language=en&signed_quote={text}")).await
}

#[tokio::test]
async fn a_signed_quote_is_shown_priced_and_paid_as_it_was_signed() {
    let shop = shop().await;
    let text = signed(&payload());
    let shown = quote(&shop, &text).await;
    assert_eq!(shown.status, 200, "{shown:?}");
    let shown = shown.json();
    assert_eq!(shown["fixed"], true);
    assert_eq!((&shown["total"]["minor"], &shown["subtotal"]["minor"]), (&json!(3770), &json!(3280)));
    assert_eq!(shown["delivery"]["text"], "€4.90");
    assert_eq!(shown["lines"][1]["total"]["text"], "-€5.00");

    let request = paying(&text);
    let answer = start(&shop, &request).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let file = order_of(&shop, &request).await;
    let order = &file.order.new;
    assert_eq!((order.total.minor, order.lines.len(), order.delivery.as_str()), (3770, 3, "courier"));
    assert_eq!(order.lines[0].name, "Box of their own & <more>");
    assert_eq!(order.storefront.reference, "A-1001");
    assert_eq!(order.storefront.return_url, "https://shop.example/thanks");

    let page = shop.get(answer.json()["location"].as_str().unwrap()).await;
    let form = html::form(&page.body, &shop.gateway.endpoint).unwrap();
    assert_eq!((value(&form, "Amount"), value(&form, "CartItems")), ("37.70", "3"));
    assert_eq!((value(&form, "Article_3"), value(&form, "Amount_3")), ("Spring", "-5.00"));
    let paid = shop.notify(notify_of(&file.payments[0].gateway_order_id)).await;
    assert_eq!(paid, (200, "OK".to_owned()));
}

fn notify_of(id: &str) -> String {
    notify(id).with("Amount", "37.70").signed()
}

#[tokio::test]
async fn the_same_quote_again_is_the_same_order_and_for_another_it_is_used() {
    let shop = shop().await;
    let content = payload();
    let text = signed(&content);
    let first = paying(&text);
    let location = start(&shop, &first).await.json();
    assert_eq!(start(&shop, &first).await.json(), location, "a double click");
    // Back, and pay again: another key, the same cart, a payment of its own.
    let again = StartRequest { key: fresh_key("key"), ..first.clone() };
    assert_eq!(start(&shop, &again).await.status, 200);
    let file = order_of(&shop, &first).await;
    assert_eq!((file.payments.len(), file.order.state), (2, OrderState::Open));
    // A mended address is another order with the same quote, in the place of the first.
    let mut mended = StartRequest { key: fresh_key("key"), ..first.clone() };
    mended.details.street = "Nebenstraße 2".into();
    assert_eq!(start(&shop, &mended).await.status, 200);
    let mended_file = order_of(&shop, &first).await;
    assert_ne!(mended_file.order.id, file.order.id);

    let mut other = content.clone();
    other["reference"] = json!("A-1002");
    let elsewhere = paying(&signed(&other));
    let answer = start(&shop, &elsewhere).await;
    assert_eq!((answer.status, answer.json()), (409, json!({ "quote": "used" })));
    // A refusal leaves the key free.
    let other = StartRequest { storefront: paying(&signed(&payload())).storefront, ..elsewhere };
    assert_eq!(start(&shop, &other).await.status, 200);
}

#[tokio::test]
async fn a_quote_is_its_own_cart_whatever_the_browser_remembers() {
    let shop = shop().await;
    let text = signed(&payload());
    let first = paying(&text);
    assert_eq!(start(&shop, &first).await.status, 200);
    // Another tab, with a cart of its own: the same order, and no other.
    let second = paying(&text);
    assert_ne!(first.cart_id, second.cart_id);
    assert_eq!(start(&shop, &second).await.status, 200);
    let orders: i64 = shop.database().query_row("SELECT count(*) FROM orders", (), |row| row.get(0)).unwrap();
    assert_eq!(orders, 1);
}

#[tokio::test]
async fn each_way_to_be_refused_has_its_name_and_starts_nothing() {
    let shop = shop().await;
    let with = |member: &str, value: Value| {
        let mut payload = payload();
        payload[member] = value;
        signed(&payload)
    };
    let good = signed(&payload());
    let (head, signature) = good.rsplit_once('.').unwrap();
    let mut dear = payload();
    dear["lines"][0]["unit"] = json!(1);
    let dear = signed(&dear);
    let (changed, _) = dear.rsplit_once('.').unwrap();
    for (text, name) in [
        ("nonsense".to_owned(), "unreadable"),
        (with("surprise", json!(1)), "unreadable"),
        (good.replace("v1.tests.", "v1.other."), "unknown_key"),
        (format!("{changed}.{signature}"), "forged"),
        (format!("{head}.{}", "A".repeat(signature.len())), "forged"),
        (with("expires", json!(START_MS / 1000)), "expired"),
        (with("currency", json!("USD")), "currency"),
        (with("lines", json!([{ "name": "x", "unit": 0, "vat": 0 }])), "total"),
        (with("lines", json!([{ "name": "x", "unit": 100_000_000_000_i64, "vat": 0 }])), "too_large"),
        (with("lines", json!([{ "name": "x".repeat(128), "unit": 1, "vat": 0 }])), "bad_line"),
    ] {
        let expected = json!({ "quote": name });
        let shown = quote(&shop, &text).await;
        assert_eq!((shown.status, shown.json()), (422, expected.clone()), "{name}");
        let request = paying(&text);
        let answer = start(&shop, &request).await;
        assert_eq!((answer.status, answer.json()), (422, expected), "{name}");
        assert!(shop.checkout.order_of_cart(&request.cart_id).await.unwrap().is_none());
        // The element gets a table with the words for it in any case.
        let table = shop.get(&format!("/api/checkout/widget?language=en&signed_quote={text}")).await;
        assert_eq!((table.status, &table.json()["problem"]), (200, &json!({ "quote": name })));
    }
}

#[tokio::test]
async fn a_price_that_the_page_sends_is_not_read() {
    let shop = shop().await;
    let request = StartRequest { shown_total_minor: 1, ..paying(&signed(&payload())) };
    let mut pairs = api_form(&request);
    pairs.extend([("total".into(), "1".into()), ("unit".into(), "1".into())]);
    let answer = shop.post("/api/checkout/start", html::encode(pairs)).await;
    assert_eq!(answer.status, 409);
    assert_eq!(answer.json()["price_changed"]["total"]["minor"], 3770);
}

#[tokio::test]
async fn the_quote_has_the_last_word_over_what_stands_beside_it() {
    let shop = shop().await;
    let mut request = paying(&signed(&payload()));
    request.storefront.reference = "B-2".into();
    request.storefront.return_url = "https://shop.example/other".into();
    assert_eq!(start(&shop, &request).await.status, 200);
    let storefront = order_of(&shop, &request).await.order.new.storefront;
    assert_eq!(
        (storefront.reference.as_str(), storefront.return_url.as_str()),
        ("A-1001", "https://shop.example/thanks")
    );

    // Without one of its own, the address beside it counts, and the number does not.
    let mut bare = payload();
    bare.as_object_mut().unwrap().retain(|name, _| name != "reference" && name != "return_url");
    let mut request = paying(&signed(&bare));
    request.storefront.reference = "B-2".into();
    request.storefront.return_url = "https://shop.example/other".into();
    assert_eq!(start(&shop, &request).await.status, 200);
    let storefront = order_of(&shop, &request).await.order.new.storefront;
    assert_eq!(
        (storefront.reference.as_str(), storefront.return_url.as_str()),
        ("", "https://shop.example/other")
    );
    let mut evil = payload();
    evil["return_url"] = json!("https://evil.example/");
    let answer = start(&shop, &paying(&signed(&evil))).await;
    assert_eq!((answer.status, answer.json()), (422, json!("bad_return_url")));
}

#[tokio::test]
async fn an_order_that_was_placed_in_time_is_paid_when_the_time_is_over() {
    let shop = shop().await;
    let (text, not_ordered) = (signed(&payload()), signed(&payload()));
    let first = paying(&text);
    assert_eq!(start(&shop, &first).await.status, 200);
    shop.clock.advance(HOUR);
    let again = StartRequest { key: fresh_key("key"), ..first.clone() };
    assert_eq!(start(&shop, &again).await.status, 200);
    let late = start(&shop, &paying(&not_ordered)).await;
    assert_eq!((late.status, late.json()), (422, json!({ "quote": "expired" })));
}

#[tokio::test]
async fn the_hosted_page_takes_a_quote_without_scripts() {
    let shop = shop().await;
    let browser = shop.browser();
    let text = signed(&payload());
    let page = browser.get(&format!("/checkout?quote={text}")).await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("Box of their own &amp; &lt;more&gt;"), "{}", page.body);
    let mut form: Pairs = html::form(&page.body, "/checkout/pay").unwrap();
    assert!(!form.iter().any(|(name, _)| name.starts_with("quantity:")), "nothing to change: {form:?}");
    for (name, value) in detail_pairs(&details()) {
        crate::shop::set(&mut form, &name, &value);
    }
    let answer = browser.post("/checkout/pay", &form).await;
    assert!(answer.location().starts_with("/checkout/go/"), "{answer:?}");
    assert!(answer.cookies().is_empty(), "it is no cart of this shop's");
    // The same address again is the same cart: what is paid with it is the same order.
    let again = browser.get(&format!("/checkout?quote={text}")).await;
    assert_eq!(value(&html::form(&again.body, "/checkout/pay").unwrap(), "cart_id"), value(&form, "cart_id"));

    shop.clock.advance(HOUR);
    let late = browser.get(&format!("/checkout?quote={text}")).await;
    assert!(
        late.body.contains("has expired") && !late.body.contains("action=\"/checkout/pay\""),
        "{}",
        late.body
    );
}

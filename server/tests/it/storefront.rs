//! Storefronts on other origins: what they may load and ask, and the way home to them.

use domain::{PaymentMethod, StartRequest, Storefront};
use serde_json::{Value, json};

use crate::html;
use crate::messages::notify;
use crate::pay::api_form;
use crate::shop::{Answer, Shop, fresh_key, purchase};

const ORIGIN: &str = "https://shop.example";

async fn shop() -> Shop {
    Shop::with(|table, _| {
        table.insert("storefront_origins".into(), toml::Value::Array(vec![ORIGIN.into()]));
    })
    .await
}

async fn from(origin: &str, request: reqwest::RequestBuilder) -> Answer {
    Answer::of(request.header("origin", origin).header("sec-fetch-site", "cross-site")).await
}

async fn table(shop: &Shop, query: &str) -> Value {
    let answer = shop.get(&format!("/api/checkout/widget?{query}")).await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"), "{answer:?}");
    answer.json()
}

fn with_storefront(reference: &str, return_url: &str) -> StartRequest {
    let storefront = Storefront {
        signed_quote: String::new(),
        reference: reference.into(),
        return_url: return_url.into(),
    };
    StartRequest { storefront, ..purchase() }
}

async fn start(shop: &Shop, request: &StartRequest) -> Answer {
    shop.post("/api/checkout/start", html::encode(api_form(request))).await
}

#[tokio::test]
async fn a_stranger_is_told_that_its_origin_is_not_listed() {
    let shop = shop().await;
    let request = || shop.posting("/api/checkout/start", html::encode(api_form(&purchase())));
    for stranger in
        ["https://evil.example", "https://shop.example.evil.example", "http://shop.example", "null"]
    {
        let answer = from(stranger, request()).await;
        assert_eq!((answer.status, answer.json()), (403, json!("origin_not_listed")), "{stranger}");
        assert_eq!(answer.header("access-control-allow-origin"), "", "{stranger}");
        let url = format!("{}/api/checkout/widget?lines=box:1", shop.url);
        let answer = from(stranger, shop.client.get(url)).await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "{stranger}");
    }
}

#[tokio::test]
async fn a_listed_storefront_reads_every_answer_and_needs_no_cookie() {
    let shop = shop().await;
    let url = format!("{}/api/checkout/widget?lines=box:1", shop.url);
    let table = from(ORIGIN, shop.client.get(url)).await;
    let started =
        from(ORIGIN, shop.posting("/api/checkout/start", html::encode(api_form(&purchase())))).await;
    let refused = from(ORIGIN, shop.client.get(format!("{}/api/checkout/quote?lines=!", shop.url))).await;
    for (answer, status) in [(table, 200), (started, 200), (refused, 400)] {
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(answer.header("access-control-allow-origin"), ORIGIN);
        assert_eq!(answer.header("access-control-allow-credentials"), "");
        assert!(answer.header("vary").to_lowercase().contains("origin"), "{answer:?}");
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin", "CORS is enough");
        assert!(answer.cookies().is_empty(), "{answer:?}");
    }
}

#[tokio::test]
async fn everybody_may_load_the_widget_and_nothing_else() {
    let shop = shop().await;
    let manifest = shop.get("/widget/v1/manifest.json").await;
    assert_eq!((manifest.status, manifest.header("cache-control")), (200, "public, max-age=300"));
    let names = manifest.json();
    let base = names["base"].as_str().unwrap().to_owned();
    let integrity = names["files"]["tillgate-checkout.js"]["integrity"].as_str().unwrap();
    assert!(integrity.starts_with("sha384-") && integrity.len() == 7 + 64, "{integrity}");
    assert!(names["files"].get("notes.md").is_none());

    let entry = shop.get("/widget/v1/tillgate-checkout.js").await;
    assert_eq!(entry.body, format!("export * from \"{base}tillgate-checkout.js\";\n"));
    let file = shop.get(&format!("{base}tillgate-checkout.js")).await;
    assert_eq!((file.status, file.body.as_str()), (200, "export const element = 1;"));
    assert_eq!(file.header("cache-control"), "public, max-age=31536000, immutable");
    let missing = shop.get(&format!("{base}missing.js")).await;
    let stale = shop.get("/widget/0000000000000000/tillgate-checkout.js").await;
    assert_eq!((missing.status, stale.status), (404, 404));
    for answer in [manifest, entry, file] {
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        assert_eq!(answer.header("cross-origin-resource-policy"), "cross-origin");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }

    let built = format!("{}/tokens.css", shop_base(&shop).await);
    for path in ["/", "/checkout", "/favicon.svg", &built, "/api/checkout/nothing"] {
        let answer = shop.get(path).await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "{path}");
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin", "{path}");
    }
    let picture = shop.get("/img/box.svg").await;
    assert_eq!(picture.header("cross-origin-resource-policy"), "cross-origin");
}

/// Where our own pages' files are.
async fn shop_base(shop: &Shop) -> String {
    let page = shop.get("/").await.body;
    let from = page.find("/pkg/").unwrap();
    let to = page[from + 5..].find('/').unwrap();
    page[from..from + 5 + to].to_owned()
}

#[tokio::test]
async fn the_table_has_everything_that_a_checkout_begins_with() {
    let shop = shop().await;
    let german = table(&shop, "language=de-AT&lines=box:2,tea:1&delivery=post").await;
    assert_eq!(german["language"], "de");
    assert_eq!(german["quote"]["total"]["text"], "109,89\u{a0}€");
    assert_eq!(german["methods"], json!(["card", "ideal", "bank-transfer", "on-delivery"]));
    assert!(german["countries"].as_str().unwrap().contains("<option value=\"AT\">Österreich</option>"));
    assert!(german["words"]["test"].as_str().unwrap().contains("Testbetrieb"), "{}", german["words"]);
    assert!(german["shape"].as_u64().is_some() && german["texts"].as_array().unwrap().len() > 50);
    assert_eq!(table(&shop, "lines=").await["language"], "en");
    assert_eq!(shop.get("/api/checkout/widget?lines=box").await.json(), json!("malformed"));
}

#[tokio::test]
async fn a_cart_keeps_its_id_until_something_else_is_bought() {
    let shop = shop().await;
    let id = |table: &Value| table["cart_id"].as_str().unwrap().to_owned();
    let sent = fresh_key("cart");
    assert_eq!(id(&table(&shop, &format!("lines=box:1&cart_id={sent}")).await), sent, "nothing was ordered");
    let made = id(&table(&shop, "lines=box:1&cart_id=short").await);
    assert!(domain::messages::is_key(&made) && made != id(&table(&shop, "lines=box:1").await));

    let started = shop.start(StartRequest { cart_id: sent.clone(), ..purchase() }).await;
    let other_lines = format!("lines=tea:1&cart_id={sent}");
    assert_eq!(id(&table(&shop, &other_lines).await), sent, "not paid yet: it takes the order's place");
    shop.notify(notify(&started.id).signed()).await;
    // The same page loaded again, or another tab: a press of Pay leads to what was bought.
    assert_eq!(id(&table(&shop, &format!("lines=box:1&cart_id={sent}")).await), sent);
    assert_ne!(id(&table(&shop, &other_lines).await), sent);
    shop.clock.advance(25 * crate::shop::HOUR);
    assert_ne!(id(&table(&shop, &format!("lines=box:1&cart_id={sent}")).await), sent, "bought again");
}

#[tokio::test]
async fn the_pages_of_an_order_lead_home_to_its_storefront() {
    let shop = shop().await;
    let request = with_storefront("  A-1001\r\nnext ", "https://shop.example/thanks?order=1&a=b");
    let answer = start(&shop, &request).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let file = shop.checkout.order_of_cart(&request.cart_id).await.unwrap().unwrap();
    assert_eq!(file.order.new.storefront.reference, "A-1001 next");
    let link = "<a href=\"https://shop.example/thanks?order=1&amp;a=b\">Back to shop.example</a>";

    let location = answer.json()["location"].as_str().unwrap().to_owned();
    for _ in 0..2 {
        // The form, and then the page of a form that was used.
        assert!(shop.get(&location).await.body.contains(link));
    }
    let token = shop.checkout.open_order(file.order.id).await.unwrap();
    for page in ["result", "cancelled"] {
        let page = shop.get(&format!("/checkout/{page}/{}", token.secret())).await;
        assert!(page.body.contains(link), "{}", page.body);
        // Nothing but the link: the address is no redirect, and a parameter is no address.
        assert_eq!((page.status, page.header("location"), page.header("refresh")), (200, "", ""));
    }
    let other =
        shop.get(&format!("/checkout/result/{}?return_url=https://evil.example", token.secret())).await;
    assert!(!other.body.contains("evil"));

    let plain = shop.started().await;
    let page = shop.get(&shop.result_page(&plain).await).await;
    assert!(page.body.contains("<a href=\"/\">Back to the shop</a>"), "{}", page.body);
}

#[tokio::test]
async fn only_listed_origins_and_short_numbers_are_taken_into_an_order() {
    let shop = shop().await;
    for (request, problem) in [
        (with_storefront("", "https://evil.example/"), "bad_return_url"),
        (with_storefront("", "https://shop.example.evil.example/"), "bad_return_url"),
        (with_storefront("", "javascript:alert(1)"), "bad_return_url"),
        (with_storefront("", "/thanks"), "bad_return_url"),
        (with_storefront(&"x".repeat(65), ""), "bad_reference"),
    ] {
        let answer = start(&shop, &request).await;
        assert_eq!((answer.status, answer.json()), (422, json!(problem)), "{request:?}");
        assert!(shop.checkout.order_of_cart(&request.cart_id).await.unwrap().is_none());
    }
    let longest = with_storefront(&"ü".repeat(64), "https://shop.example");
    assert_eq!(start(&shop, &longest).await.status, 200);
}

#[tokio::test]
async fn another_number_or_way_home_is_another_request_and_another_order() {
    let shop = shop().await;
    let first = with_storefront("A-1", "https://shop.example/1");
    assert_eq!(start(&shop, &first).await.status, 200);
    let changed = StartRequest { storefront: with_storefront("A-2", "").storefront, ..first.clone() };
    assert_eq!(start(&shop, &changed).await.json(), json!("key_reused"));
    let before = shop.checkout.order_of_cart(&first.cart_id).await.unwrap().unwrap();
    let again = StartRequest { key: fresh_key("key"), ..changed };
    assert_eq!(start(&shop, &again).await.status, 200);
    let after = shop.checkout.order_of_cart(&first.cart_id).await.unwrap().unwrap();
    assert_ne!(before.order.id, after.order.id);
    assert_eq!(after.order.new.storefront.reference, "A-2");
}

#[tokio::test]
async fn the_hosted_page_carries_a_storefronts_words_along() {
    let shop = shop().await;
    let browser = shop.browser();
    let page_of = |home: &str| format!("/checkout?cart=box%3A1&reference=A-7&return_url={home}");
    let page = browser.get(&page_of("https%3A%2F%2Fshop.example%2Fthanks")).await;
    let mut form = html::form(&page.body, "/checkout/pay").unwrap();
    for (name, value) in crate::shop::detail_pairs(&crate::shop::details()) {
        crate::shop::set(&mut form, &name, &value);
    }
    crate::shop::set(&mut form, "method", PaymentMethod::BankTransfer.id());
    let updated = browser.post("/checkout/update", &form).await;
    let form = html::form(&updated.body, "/checkout/pay").unwrap();
    let answer = browser.post("/checkout/pay", &form).await;
    let result = browser.get(answer.location()).await;
    assert!(result.body.contains("href=\"https://shop.example/thanks\""), "{}", result.body);
    assert_eq!(browser.get("/checkout?cart=").await.status, 200, "an empty cart is a page");
    // The other language is the same page.
    let german =
        format!("{}&amp;lang=de", page_of("https%3A%2F%2Fshop.example%2Fthanks").replace('&', "&amp;"));
    assert!(page.body.contains(&german), "{}", page.body);
    // Whoever came by the link of a page that is not listed can pay all the same.
    let strange = browser.get(&page_of("https%3A%2F%2Fevil.example%2F")).await;
    assert_eq!(strange.status, 200);
    let form = html::form(&strange.body, "/checkout/pay").unwrap();
    assert!(form.iter().all(|(name, _)| name != "return_url"), "{form:?}");
}

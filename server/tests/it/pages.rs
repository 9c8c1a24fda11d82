//! What holds for every page: headers, cookies, languages, limits, and the static files.

use std::collections::HashSet;

use crate::html;
use crate::messages::notify;
use crate::pay::api_form;
use crate::shop::{Answer, MINUTE, Shop, purchase};

/// The address of a built file, as the pages name it.
async fn built(shop: &Shop, name: &str) -> String {
    let page = shop.get("/").await;
    let base = html::between(&page.body, "href=\"/pkg/", "/");
    format!("/pkg/{base}/{name}")
}

/// Every address that answers to a GET or to a POST of nothing.
async fn every_answer(shop: &Shop) -> Vec<(String, Answer)> {
    let ours = shop.started().await;
    let paid = shop.paid().await;
    let spent = shop.started().await;
    shop.clock.advance(MINUTE);
    let fresh = shop.started().await;
    let result = shop.result_page(&ours).await;
    let cancelled = result.replace("result", "cancelled");
    let mut answers = Vec::new();
    for path in [
        "/".to_owned(),
        "/?lang=de".to_owned(),
        "/checkout".to_owned(),
        "/checkout?cart=box:1".to_owned(),
        "/checkout?cart=box".to_owned(),
        fresh.location.clone(),
        spent.location.clone(),
        "/checkout/go/nonsense".to_owned(),
        result,
        cancelled,
        shop.result_page(&paid).await,
        "/checkout/result/nonsense".to_owned(),
        "/checkout/unknown".to_owned(),
        "/checkout/pay".to_owned(),
        "/api/checkout/quote?lines=box:1".to_owned(),
        "/api/checkout/status?token=x".to_owned(),
        "/api/checkout/nothing".to_owned(),
        built(shop, "site.css").await,
        built(shop, "missing.css").await,
        "/img/box.svg".to_owned(),
        "/img/missing.svg".to_owned(),
        "/favicon.svg".to_owned(),
        "/favicon.ico".to_owned(),
        "/mypos/notify".to_owned(),
        "/mypos/ok".to_owned(),
        "/nothing/here".to_owned(),
        "/healthz".to_owned(),
    ] {
        answers.push((format!("GET {path}"), shop.get(&path).await));
    }
    for path in [
        "/",
        "/cart/add",
        "/cart/set",
        "/checkout/update",
        "/checkout/pay",
        "/api/checkout/start",
        "/mypos/notify",
        "/mypos/ok",
        "/mypos/cancel",
        "/nothing/here",
    ] {
        answers.push((format!("POST {path}"), shop.post(path, "").await));
        let stranger = shop.posting(path, "").header("origin", "https://evil.example");
        answers.push((format!("POST {path} from elsewhere"), Answer::of(stranger).await));
    }
    answers
}

#[tokio::test]
async fn every_answer_carries_the_headers_of_safety() {
    let shop = Shop::new().await;
    for (what, answer) in every_answer(&shop).await {
        // Storefronts show the pictures of the catalogue.
        let readers = if what.starts_with("GET /img/") { "cross-origin" } else { "same-origin" };
        for (name, expected) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", readers),
            ("strict-transport-security", ""),
        ] {
            assert_eq!(answer.header(name), expected, "{what}: {name}");
            assert!(answer.headers.get_all(name).iter().count() <= 1, "{what}: {name}");
        }
        assert!(answer.header("permissions-policy").contains("camera=()"), "{what}");
        let policies: Vec<_> = answer.headers.get_all("content-security-policy").iter().collect();
        assert_eq!(policies.len(), 1, "{what}: {policies:?}");
        let policy = answer.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{what}: {policy}"
        );
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{what}: {policy}");
        assert!(answer.status < 500, "{what}: {}", answer.status);
        if answer.header("content-type").starts_with("text/html") {
            assert_eq!(answer.header("cache-control"), "no-store", "{what}");
            assert!(
                policy.contains("base-uri 'none'") && policy.contains("form-action 'self'"),
                "{what}: {policy}"
            );
            assert!(!answer.body.contains(" style=\"") && !answer.body.contains(" onclick=\""), "{what}");
        }
        let referrer = answer.header("referrer-policy");
        let expected = if what.contains("/checkout/result/A") || what.contains("/checkout/cancelled/A") {
            "same-origin"
        } else {
            referrer
        };
        assert!(!referrer.is_empty() && referrer == expected, "{what}: {referrer}");
    }
}

#[tokio::test]
async fn pages_under_a_token_are_kept_by_nobody_and_told_to_nobody() {
    let shop = Shop::new().await;
    let ours = shop.started().await;
    let result = shop.result_page(&ours).await;
    let go = ours.location.clone();
    for (path, referrer) in [
        (result.clone(), "same-origin"),
        (result.replace("result", "cancelled"), "same-origin"),
        (go.clone(), "origin"),
    ] {
        let page = shop.get(&path).await;
        assert_eq!(page.status, 200, "{path}");
        assert_eq!(
            (page.header("cache-control"), page.header("referrer-policy")),
            ("no-store", referrer),
            "{path}"
        );
        assert!(page.body.contains("name=\"robots\" content=\"noindex\""), "{path}");
        for foreign in ["src=\"http", "href=\"http"] {
            assert!(!page.body.contains(foreign), "{path}: no third party");
        }
    }
    shop.clock.advance(MINUTE);
    assert_eq!(
        shop.get(&go).await.header("referrer-policy"),
        "same-origin",
        "a used one has nothing to tell"
    );
}

#[tokio::test]
async fn a_shop_over_https_says_so_to_browsers() {
    let shop = Shop::with(|table, _| {
        table.insert("public_url".into(), "https://pay.example.com".into());
    })
    .await;
    let answer = shop.get("/?lang=de").await;
    assert_eq!(answer.header("strict-transport-security"), "max-age=31536000");
    let added = shop.post("/cart/add", "sku=box&quantity=1").await;
    for (answer, name) in [(&answer, "__Host-tillgate_language=de"), (&added, "__Host-tillgate_cart=")] {
        let cookies = answer.cookies();
        let [cookie] = cookies.as_slice() else { panic!("{cookies:?}") };
        assert!(cookie.starts_with(name), "{cookie}");
        for attribute in ["; Secure", "; HttpOnly", "; SameSite=Lax", "; Path=/"] {
            assert!(cookie.contains(attribute), "{cookie}");
        }
        assert!(!cookie.contains("Domain"), "{cookie}");
    }
    let ours = shop.started().await;
    let page = shop.get(&ours.location).await;
    let form = html::form(&page.body, &shop.gateway.endpoint).unwrap();
    assert_eq!(crate::shop::value(&form, "URL_Notify"), "https://pay.example.com/mypos/notify");
}

#[tokio::test]
async fn cookies_are_for_this_host_and_no_script() {
    let shop = Shop::new().await;
    let answer = shop.post("/cart/add", "sku=box&quantity=2").await;
    let cookies = answer.cookies();
    let [cookie] = cookies.as_slice() else { panic!("{cookies:?}") };
    assert!(cookie.starts_with("tillgate_cart=") && cookie.contains(".box%3A2"), "{cookie}");
    for attribute in ["; HttpOnly", "; SameSite=Lax", "; Path=/", "; Max-Age=1209600"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!cookie.contains("Secure") && !cookie.contains("Domain"), "{cookie}");
    assert!(shop.get("/").await.cookies().is_empty(), "nothing is set unasked");
    assert!(shop.get("/checkout?cart=box:1").await.cookies().is_empty(), "a GET never makes a cart");
}

#[tokio::test]
async fn a_cookie_that_is_none_of_ours_is_an_empty_cart() {
    let shop = Shop::new().await;
    for value in ["", "nonsense", "short.box:1", "0123456789abcdefghijklmn.<b>:1", "%7f"] {
        let request = shop
            .client
            .get(format!("{}/checkout", shop.url))
            .header("cookie", format!("tillgate_cart={value}"));
        let page = Answer::of(request).await;
        assert_eq!(page.status, 200, "{value}");
        assert!(page.body.contains("Your cart is empty"), "{value}");
    }
}

#[tokio::test]
async fn the_cart_follows_its_page_without_a_script() {
    let shop = Shop::new().await;
    let browser = shop.browser();
    browser.add("box", 1).await;
    let mut form = browser.checkout_form().await;
    crate::shop::set(&mut form, "quantity:box", "3");
    let page = browser.post("/checkout/update", &form).await;
    assert_eq!(page.status, 200);
    let again = html::form(&page.body, "/checkout/pay").unwrap();
    assert_eq!(crate::shop::value(&again, "lines"), "box:3");
    assert_eq!(crate::shop::value(&again, "shown_total_minor"), "15000");
    assert_eq!(crate::shop::value(&again, "email"), "ada@example.com", "what was typed is kept");
    assert!(browser.get("/checkout").await.body.contains("€150.00"), "and so is the cart");
}

#[tokio::test]
async fn a_language_is_chosen_kept_and_otherwise_taken_from_the_browser() {
    let shop = Shop::new().await;
    let language = |page: &Answer| html::between(&page.body, "<html lang=\"", "\"").to_owned();
    let browser = shop.browser();
    assert_eq!(language(&browser.get("/").await), "en");
    let chosen = browser.get("/?lang=de").await;
    assert_eq!(language(&chosen), "de");
    assert!(chosen.cookies()[0].starts_with("tillgate_language=de"), "{:?}", chosen.cookies());
    for path in ["/", "/checkout", "/checkout/unknown", "/nothing/here"] {
        assert_eq!(language(&browser.get(path).await), "de", "{path}");
    }
    assert_eq!(language(&browser.get("/?lang=fr").await), "de", "what we do not speak is not chosen");
    assert_eq!(language(&browser.get("/checkout?lang=en").await), "en");
    assert_eq!(language(&browser.get("/").await), "en");

    for (header, expected) in [
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("en;q=0.8,de;q=0.9", "de"),
        ("fr,de;q=0.5", "de"),
        ("fr", "en"),
        ("de;q=0,fr", "en"),
        ("*", "en"),
    ] {
        let request = shop.client.get(&shop.url).header("accept-language", header);
        assert_eq!(language(&Answer::of(request).await), expected, "{header}");
    }
    let ours = shop.started().await;
    let page = shop.get(&format!("{}?lang=de", shop.result_page(&ours).await)).await;
    assert_eq!(language(&page), "de");
    assert!(page.cookies()[0].starts_with("tillgate_language=de"));
}

#[tokio::test]
async fn a_token_opens_what_it_was_made_for_and_nothing_else() {
    let shop = Shop::new().await;
    let ours = shop.started().await;
    let order = shop.result_page(&ours).await.replace("/checkout/result/", "");
    let handoff = ours.location.replace("/checkout/go/", "");
    for path in [
        format!("/checkout/result/{handoff}"),
        format!("/checkout/cancelled/{handoff}"),
        format!("/checkout/go/{order}"),
        format!("/checkout/result/{}", "A".repeat(43)),
        format!("/checkout/go/{}", "A".repeat(43)),
        "/checkout/result/short".to_owned(),
        format!("/checkout/result/{}%2F", &order[..42]),
        format!("/checkout/result/{order}A"),
    ] {
        let page = shop.get(&path).await;
        assert_eq!((page.status, html::heading(&page.body).as_str()), (404, "Page not found"), "{path}");
    }
}

#[tokio::test]
async fn a_method_that_an_address_does_not_have_is_not_allowed() {
    let shop = Shop::new().await;
    for path in ["/cart/add", "/cart/set", "/checkout/pay", "/checkout/update", "/mypos/ok", "/mypos/cancel"]
    {
        assert_eq!(shop.get(path).await.status, 405, "{path}");
    }
    for path in ["/", "/checkout", "/checkout/unknown", "/favicon.svg"] {
        assert_eq!(shop.post(path, "").await.status, 405, "{path}");
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let shop = Shop::new().await;
    for path in ["/checkout/pay", "/checkout/update", "/cart/add", "/cart/set"] {
        let body = format!("sku=box&lines=box:1&filler={}", "x".repeat(200_000));
        let page = shop.post(path, body).await;
        assert_eq!((page.status, html::heading(&page.body).is_empty()), (413, false), "{path}");
    }
    // Without a length, too.
    assert_eq!(Answer::of(shop.posting("/checkout/pay", endless())).await.status, 413);
}

/// A proxy may write a name of its own into `Host`, and an older browser sends no `Sec-Fetch-Site`.
#[tokio::test]
async fn a_form_of_ours_is_ours_whatever_host_a_proxy_names() {
    let shop = Shop::new().await;
    for (origin, status) in [(shop.url.as_str(), 303), ("https://evil.example", 403), ("null", 403)] {
        let request = shop.posting("/cart/add", "sku=tea&quantity=1").header("host", "backend:3000");
        assert_eq!(Answer::of(request.header("origin", origin)).await.status, status, "{origin}");
    }
}

#[tokio::test]
async fn a_call_that_is_too_large_cannot_be_read() {
    let shop = Shop::with(|table, _| {
        table.insert("storefront_origins".into(), toml::Value::Array(vec!["https://shop.example".into()]));
    })
    .await;
    let call = purchase();
    for (filler, status) in [(200_000, 400), (1_000, 200)] {
        let mut form = api_form(&call);
        form.push(("filler".to_owned(), "x".repeat(filler)));
        let request = shop.posting("/api/checkout/start", html::encode(form));
        let answer = Answer::of(request.header("origin", "https://shop.example")).await;
        assert_eq!(answer.status, status, "{filler}: {answer:?}");
        assert_eq!(
            answer.header("access-control-allow-origin"),
            "https://shop.example",
            "a storefront reads why"
        );
        assert!(status == 200 || answer.body == "\"malformed\"", "{answer:?}");
    }
    assert_eq!(Answer::of(shop.posting("/api/checkout/start", endless())).await.status, 400);
}

/// A body of 200 kB that does not say how long it is.
fn endless() -> reqwest::Body {
    let chunk = vec![b'x'; 10_000];
    let chunks = (0..20).map(move |_| Ok::<_, std::convert::Infallible>(chunk.clone()));
    reqwest::Body::wrap_stream(futures_util::stream::iter(chunks))
}

#[tokio::test]
async fn too_many_requests_are_refused_while_notifications_still_come_through() {
    let shop = Shop::with(|table, _| {
        table.insert("requests_per_second".into(), 1.into());
        table.insert("requests_burst".into(), 3.into());
    })
    .await;
    let ours = shop.started().await;
    let mut refused = None;
    for _ in 0..20 {
        let answer = shop.get("/").await;
        if answer.status == 429 {
            refused = Some(answer);
            break;
        }
        assert_eq!(answer.status, 200);
    }
    let refused = refused.expect("a limit");
    assert_eq!(html::heading(&refused.body), "Too many requests");
    assert!(refused.header("retry-after").parse::<u32>().unwrap() > 0);
    let api = shop.get("/api/checkout/quote?lines=box:1").await;
    assert_eq!((api.status, api.body.as_str()), (429, "\"rate_limited\""));
    for _ in 0..20 {
        assert_eq!(shop.notify(notify(&ours.id).signed()).await, (200, "OK".to_owned()));
    }
}

#[tokio::test]
async fn starting_payments_has_a_limit_of_its_own() {
    let shop = Shop::with(|table, _| {
        table.insert("payments_per_minute".into(), 1.into());
        table.insert("payments_burst".into(), 2.into());
    })
    .await;
    let mut statuses = Vec::new();
    for path in ["/checkout/pay", "/api/checkout/start", "/checkout/pay", "/api/checkout/start"] {
        statuses.push(shop.post(path, "").await.status);
    }
    assert_eq!(statuses[2..], [429, 429], "{statuses:?}");
    assert!(statuses[..2].iter().all(|status| *status != 429), "{statuses:?}");
    assert_eq!(shop.get("/checkout").await.status, 200, "looking is still free");
}

/// How many of six requests are let through if each names another client.
async fn let_through(trusted: &[&str]) -> usize {
    let trusted: Vec<toml::Value> = trusted.iter().map(|network| (*network).into()).collect();
    let shop = Shop::with(|table, _| {
        table.insert("requests_per_second".into(), 1.into());
        table.insert("requests_burst".into(), 1.into());
        table.insert("trusted_proxies".into(), toml::Value::Array(trusted));
    })
    .await;
    let mut passed = 0;
    for client in 0..6 {
        let request = shop
            .client
            .get(format!("{}/favicon.svg", shop.url))
            .header("x-forwarded-for", format!("203.0.113.{client}"))
            .header("forwarded", format!("for=203.0.113.{client}"))
            .header("x-real-ip", format!("203.0.113.{client}"));
        passed += usize::from(Answer::of(request).await.status == 200);
    }
    passed
}

#[tokio::test]
async fn only_a_trusted_proxy_is_believed_about_its_clients() {
    assert_eq!(let_through(&["127.0.0.0/8"]).await, 6, "each client has its own allowance");
    for strangers in [&[][..], &["10.0.0.0/8"]] {
        let passed = let_through(strangers).await;
        // One at once and one a second: a slow machine may pass another.
        assert!(passed < 6, "{strangers:?}: {passed}");
    }
}

#[tokio::test]
async fn built_files_are_named_by_their_content_and_never_change() {
    let shop = Shop::new().await;
    let path = built(&shop, "site.css").await;
    let file = shop.get(&path).await;
    assert_eq!((file.status, file.body.as_str()), (200, "body { margin: 0 } /* as it was written */"));
    assert_eq!(file.header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(file.header("content-type"), "text/css; charset=utf-8");
    for (name, kind) in [
        ("tillgate-frontend.js", "text/javascript; charset=utf-8"),
        ("tillgate-frontend_bg.wasm", "application/wasm"),
    ] {
        assert_eq!(shop.get(&built(&shop, name).await).await.header("content-type"), kind);
    }
    let other =
        Shop::with(|_, dir| std::fs::write(dir.join("site/pkg/site.css"), "p { margin: 1 }").unwrap()).await;
    assert_ne!(built(&other, "site.css").await, path, "another content, another name");
    assert_eq!(other.get(&path).await.status, 404);
    for missing in [
        "/pkg/site.css",
        "/pkg/0000000000000000/site.css",
        "/index.html",
        "/pkg/../shop.db",
        "/img/..%2f..%2fshop.db",
    ] {
        assert_eq!(shop.get(missing).await.status, 404, "{missing}");
    }
    let icon = shop.get("/favicon.svg").await;
    assert_eq!((icon.status, icon.header("content-type")), (200, "image/svg+xml"));
    assert!(!icon.header("cache-control").contains("immutable"));
}

#[tokio::test]
async fn a_built_file_comes_in_the_best_coding_that_is_accepted() {
    let shop = Shop::new().await;
    let path = built(&shop, "site.css").await;
    for (accepted, coding, body) in [
        ("gzip, deflate, br, zstd", "br", "as brotli"),
        ("gzip", "gzip", "as gzip"),
        ("br;q=0, gzip;q=0.5", "gzip", "as gzip"),
        ("identity", "", "body { margin: 0 } /* as it was written */"),
        ("brx", "", "body { margin: 0 } /* as it was written */"),
        ("", "", "body { margin: 0 } /* as it was written */"),
    ] {
        let request = shop.client.get(format!("{}{path}", shop.url)).header("accept-encoding", accepted);
        let file = Answer::of(request).await;
        assert_eq!((file.header("content-encoding"), file.body.as_str()), (coding, body), "{accepted}");
        assert!(file.header("vary").to_lowercase().contains("accept-encoding"), "{accepted}");
    }
    let script = built(&shop, "tillgate-frontend.js").await;
    let request = shop.client.get(format!("{}{script}", shop.url)).header("accept-encoding", "br, gzip");
    assert_eq!(Answer::of(request).await.header("content-encoding"), "", "where there is no smaller form");
}

#[tokio::test]
async fn pages_are_compressed_on_their_way() {
    let shop = Shop::new().await;
    for coding in ["br", "gzip"] {
        let request = shop.client.get(&shop.url).header("accept-encoding", coding);
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["content-encoding"], coding);
        assert!(response.headers()["vary"].to_str().unwrap().contains("accept-encoding"));
        let compressed = response.bytes().await.unwrap().len();
        let plain = shop.get("/").await.body.len();
        assert!(compressed * 2 < plain, "{compressed} of {plain}");
    }
}

#[tokio::test]
async fn a_file_that_the_browser_has_is_not_sent_again() {
    let shop = Shop::new().await;
    for path in [built(&shop, "site.css").await, "/img/box.svg".to_owned(), "/favicon.ico".to_owned()] {
        let tag = shop.get(&path).await.header("etag").to_owned();
        assert!(tag.starts_with('"') && tag.len() > 10, "{path}: {tag}");
        for (known, status) in [
            (tag.clone(), 304),
            (format!("W/{tag}"), 304),
            (format!("\"other\", {tag}"), 304),
            ("\"other\"".to_owned(), 200),
        ] {
            let request = shop.client.get(format!("{}{path}", shop.url)).header("if-none-match", &known);
            let answer = Answer::of(request).await;
            assert_eq!(answer.status, status, "{path} {known}");
            assert_eq!(answer.header("etag"), tag);
            assert_eq!(answer.body.is_empty(), status == 304);
        }
    }
}

#[tokio::test]
async fn every_page_that_can_pay_has_a_key_of_its_own() {
    let shop = Shop::new().await;
    let browser = shop.browser();
    browser.add("box", 1).await;
    let mut keys = HashSet::new();
    for _ in 0..5 {
        assert!(keys.insert(crate::shop::value(&browser.checkout_form().await, "key").to_owned()));
    }
    assert!(keys.iter().all(|key| key.len() == 43));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_of_two_versions_serve_each_others_scripts() {
    let shared = crate::shop::folder();
    let kept = shared.path().join("sites");
    let version = async |style: &'static str, kept: Option<&std::path::Path>| {
        Shop::with(|table, dir| {
            std::fs::write(dir.join("site/pkg/site.css"), style).unwrap();
            std::fs::write(dir.join("site/widget/tillgate-checkout.js"), style).unwrap();
            if let Some(kept) = kept {
                table.insert("kept_sites".into(), kept.display().to_string().into());
            }
        })
        .await
    };
    let old = version("p { margin: 1 }", Some(&kept)).await;
    let new = version("p { margin: 2 }", Some(&kept)).await;
    let again = version("p { margin: 2 }", Some(&kept)).await;
    let alone = version("p { margin: 3 }", None).await;
    let manifest = |answer: Answer| answer.json()["base"].as_str().unwrap().to_owned();
    for (theirs, style) in [(&old, "p { margin: 1 }"), (&new, "p { margin: 2 }")] {
        let widget = manifest(theirs.get("/widget/v1/manifest.json").await);
        let addresses = [built(theirs, "site.css").await, format!("{widget}tillgate-checkout.js")];
        for address in addresses {
            for ours in [&old, &new, &again] {
                let answer = ours.get(&address).await;
                assert_eq!((answer.status, answer.body.as_str()), (200, style), "{address}");
                assert!(answer.header("cache-control").contains("immutable"));
            }
            assert_eq!(alone.get(&address).await.status, 404);
            let elsewhere = address.rsplit_once('/').unwrap().0;
            for bad in ["..%2f..%2ftillgate.toml", ".hidden.js", "none.js", "%2e%2e"] {
                assert_ne!(new.get(&format!("{elsewhere}/{bad}")).await.status, 200, "{bad}");
            }
        }
    }
    // What was kept is whole: nothing half-written lies beside it.
    let names: Vec<_> = std::fs::read_dir(&kept)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(names.len(), 4, "{names:?}");
    assert!(names.iter().all(|name| !name.starts_with('.')), "{names:?}");
}

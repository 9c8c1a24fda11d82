//! Each page in each of its states.

use app::pages::{
    CancelledPage, CatalogueItem, CataloguePage, CheckoutData, CheckoutPage, Country, HandoverData,
    HandoverPage, HandoverSpent, HandoverSpentPage, MessageData, MessageKind, MessagePage, OrderView,
    ResultPage, SCRIPT, Site, TransferInstructions,
};
use app::text::texts;
use domain::{
    Cart, Details, Field, FieldError, FieldProblem, Language, Notice, PaymentMethod, Problem, ShopperState,
};
use leptos::nonce::provide_nonce;
use leptos::prelude::*;

use super::{price, quote};

const STATES: [ShopperState; 7] = [
    ShopperState::Paid,
    ShopperState::Awaiting,
    ShopperState::Checking,
    ShopperState::NotPaid,
    ShopperState::GivenBack,
    ShopperState::Ended,
    ShopperState::Refunded,
];

/// Renders a page, and checks what holds for all of them.
fn html<V: IntoView + 'static>(page: impl FnOnce() -> V) -> String {
    let html = Owner::new().with(|| {
        provide_nonce();
        page().into_view().to_html()
    });
    assert!(html.starts_with("<!DOCTYPE html><html lang="), "{html}");
    assert_eq!(html.matches("<h1").count(), 1, "one heading");
    for forbidden in [" style=", " onclick=", " onsubmit=", "<style", "javascript:"] {
        assert!(!html.contains(forbidden), "the policy forbids {forbidden}");
    }
    for script in html.split("<script").skip(1) {
        let tag = script.split('>').next().unwrap();
        assert!(tag.contains("nonce=") || tag.contains("application/json"), "{tag}");
    }
    assert_eq!(html.contains(SCRIPT), html.contains("<leptos-island"), "a script where there is an island");
    html
}

fn site(language: Language) -> Site {
    Site {
        shop_name: "Kiln & Leaf".into(),
        language,
        test_mode: false,
        cart_pieces: 2,
        path: "/checkout".into(),
        pkg: "/pkg/1f2e".into(),
        dev: None,
    }
}

fn data(cart: &str) -> CheckoutData {
    CheckoutData {
        quote: quote(&Cart::parse(cart).unwrap()),
        cart_id: "cart-id-cart-id-cart-id".into(),
        key: "key-key-key-key-key-key".into(),
        details: Details::default(),
        method: None,
        methods: PaymentMethod::ALL.to_vec(),
        countries: vec![
            Country { code: "DE".into(), name: "Germany".into() },
            Country { code: "FR".into(), name: "France".into() },
        ],
        errors: Vec::new(),
        problem: None,
        storefront: domain::Storefront::default(),
    }
}

fn checkout(language: Language, data: CheckoutData) -> String {
    html(move || view! { <CheckoutPage site=site(language) data /> })
}

fn order(state: ShopperState) -> OrderView {
    let quote = quote(&Cart::parse("mug:2").unwrap());
    OrderView {
        token: "order-token".into(),
        reference: "K4T9-2M7Q".into(),
        state,
        method: PaymentMethod::Ideal,
        lines: quote.lines,
        delivery_name: "By post".into(),
        delivery: quote.delivery,
        vat: quote.vat,
        total: quote.total,
        masked_email: "a•••@example.com".into(),
        placed: "22 November 2026".into(),
        transfer: None,
        methods: vec![PaymentMethod::Card, PaymentMethod::Ideal],
        key: "key-of-the-order-page".into(),
        declined: false,
        given_back: None,
        home: None,
    }
}

fn result(order: OrderView) -> String {
    html(move || view! { <ResultPage site=site(Language::En) order /> })
}

fn contains_all(html: &str, parts: &[&str]) {
    for part in parts {
        assert!(html.contains(part), "no {part} in {html}");
    }
}

/// The start tag of the element with this id.
fn tag<'h>(html: &'h str, id: &str) -> &'h str {
    let at = html.find(&format!("id=\"{id}\"")).unwrap_or_else(|| panic!("no element {id}"));
    let start = html[..at].rfind('<').unwrap();
    let end = html[at..].find('>').unwrap();
    &html[start..=at + end]
}

#[test]
fn the_checkout_is_one_plain_form_with_every_field() {
    let html = checkout(Language::En, data("mug:2,tea:1"));
    contains_all(
        &html,
        &[
            r#"<html lang="en">"#,
            "<title>Checkout · Kiln &amp; Leaf</title>",
            r#"method="post""#,
            r#"action="/checkout/pay""#,
            "novalidate",
            r#"name="key" value="key-key-key-key-key-key" autocomplete="off""#,
            r#"name="cart_id" value="cart-id-cart-id-cart-id" autocomplete="off""#,
            r#"name="lines" value="mug:2,tea:1" autocomplete="off""#,
            r#"name="shown_total_minor" value="6160" autocomplete="off""#,
            r#"name="quantity:mug" value="2""#,
            r#"name="set" value="mug:1" formaction="/checkout/update""#,
            r#"name="set" value="mug:3" formaction="/checkout/update""#,
            r#"name="set" value="mug:0" formaction="/checkout/update""#,
            r#"<option value="FR">France</option>"#,
            "Pay €61.60",
            "Includes 19 % VAT",
        ],
    );
    assert_eq!(html.matches("<form").count(), 1);
    for (id, autocomplete) in [
        ("email", "email"),
        ("first_name", "given-name"),
        ("family_name", "family-name"),
        ("street", "street-address"),
        ("postcode", "postal-code"),
        ("city", "address-level2"),
        ("country", "country"),
        ("phone", "tel"),
    ] {
        let field = tag(&html, id);
        assert!(field.contains(&format!("name=\"{id}\"")), "{field}");
        assert!(field.contains(&format!("autocomplete=\"{autocomplete}\"")), "{field}");
        assert!(!field.contains("aria-invalid"), "{field}");
        assert!(html.contains(&format!("<label for=\"{id}\"")), "{id} has a label");
    }
    for method in PaymentMethod::ALL {
        contains_all(&html, &[&format!("name=\"method\" value=\"{}\"", method.id())]);
    }
    assert!(tag(&html, "delivery").contains("checked"));
}

#[test]
fn enter_in_a_field_presses_a_button_that_pays() {
    let html = checkout(Language::En, data("mug:2"));
    let first = html.split("<button").nth(1).unwrap().split('>').next().unwrap();
    assert!(first.contains(r#"type="submit""#) && !first.contains("formaction"), "{first}");
}

#[test]
fn errors_are_said_at_the_field_and_in_the_summary_in_the_same_words() {
    for language in Language::ALL {
        let mut data = data("mug:2");
        data.details.city = "Berlin \"<b>".into();
        data.errors = data.details.accept(&["DE"]).unwrap_err();
        data.errors.push(FieldError { field: Field::Method, problem: FieldProblem::Missing });
        let errors = data.errors.clone();
        let words = texts(language);
        let html = checkout(language, data);
        assert!(html.contains(&format!("<title>{}", words.site.error_prefix)));
        contains_all(&html, &[r#"id="problems""#, r#"role="alert""#, "Berlin &quot;&lt;b&gt;"]);
        let body = html.split("<body").nth(1).unwrap();
        for error in errors {
            let (id, says) = (error.field.name(), words.checkout.error(error));
            assert_eq!(body.matches(&format!(">{says}<")).count(), 2, "{says}");
            assert!(tag(body, &format!("{id}-error")).contains("class=\"error\""));
            contains_all(body, &[&format!("href=\"#{id}\"")]);
            if error.field != Field::Method {
                let field = tag(body, id);
                assert!(field.contains("aria-invalid=\"true\""), "{field}");
                assert!(field.contains(&format!("{id}-error\"")), "{field}");
            }
        }
        assert!(!tag(body, "city").contains("aria-invalid"));
    }
}

#[test]
fn what_was_typed_and_chosen_comes_back_and_cannot_break_out() {
    let mut data = data("mug:2");
    let nasty = "</script><script>alert(1)</script>\"'&";
    for field in Field::DETAILS {
        data.details.set(field, nasty.into());
    }
    data.details.country = "fr".into();
    data.method = Some(PaymentMethod::BankTransfer);
    data.quote.lines[0].name = nasty.into();
    data.countries.push(Country { code: "XX".into(), name: nasty.into() });
    let html = checkout(Language::En, data);
    assert!(!html.contains("<script>alert"), "{html}");
    assert!(tag(&html, "street").contains("&lt;/script&gt;"));
    contains_all(&html, &[r#"<option value="FR" selected>"#, "Order and pay €42.70 by transfer"]);
    assert!(tag(&html, "method-bank-transfer").contains("checked"));
}

#[test]
fn every_problem_of_the_form_is_said() {
    let problems = [
        Problem::PriceChanged(Box::new(data("mug:1").quote)),
        Problem::KeyReused,
        Problem::Busy,
        Problem::Malformed,
        Problem::NotFound,
        Problem::OriginNotListed,
        Problem::BadReference,
        Problem::BadReturnUrl,
        Problem::RateLimited,
        Problem::Unavailable,
        Problem::Transport,
    ];
    for language in Language::ALL {
        for problem in problems.clone() {
            let says = texts(language).checkout.problem(&problem).unwrap();
            let html = checkout(language, CheckoutData { problem: Some(problem), ..data("mug:1") });
            contains_all(&html, &[r#"id="problems""#, &says]);
        }
    }
}

#[test]
fn an_empty_cart_is_no_form_and_loads_no_script() {
    let html = checkout(Language::De, data(""));
    contains_all(&html, &["Ihr Warenkorb ist leer", r#"<html lang="de">"#]);
    assert!(!html.contains("<form") && !html.contains("<script"));
}

#[test]
fn an_article_that_is_gone_is_mentioned() {
    let mut data = data("mug:1");
    data.quote.notices = vec![Notice::Gone { sku: "hat".into() }];
    contains_all(&checkout(Language::En, data), &["no longer sold"]);
}

#[test]
fn the_catalogue_adds_by_plain_forms() {
    let items = vec![CatalogueItem {
        sku: "mug".into(),
        name: "Mug <3".into(),
        description: "Holds tea.".into(),
        image: "/img/mug.svg".into(),
        price: price(1890),
    }];
    let html = html(
        move || view! { <CataloguePage site=site(Language::En) heading="Tea".to_owned() intro="Good tea.".to_owned() items /> },
    );
    contains_all(
        &html,
        &[
            r#"method="post" action="/cart/add""#,
            r#"name="sku" value="mug""#,
            r#"name="quantity" value="1""#,
            r#"id="item-mug""#,
            "Mug &lt;3",
            "€18.90",
            r#"<meta name="description""#,
        ],
    );
    assert!(!html.contains("<script"));
}

#[test]
fn the_frame_says_test_mode_counts_the_cart_and_offers_languages() {
    let page =
        |site| html(move || view! { <MessagePage site data=MessageData { kind: MessageKind::NotFound } /> });
    let plain = page(site(Language::En));
    contains_all(&plain, &["Cart, 2 items", "/checkout?lang=de", "Skip to the content"]);
    assert!(!plain.contains("Test mode"));
    let test = page(Site { test_mode: true, cart_pieces: 1, path: String::new(), ..site(Language::En) });
    contains_all(&test, &["Test mode", "Cart, 1 item"]);
    assert!(!test.contains("?lang="));
}

#[test]
fn the_handover_carries_the_fields_in_their_order() {
    let data = HandoverData {
        gateway_name: "myPOS".into(),
        gateway_url: "https://mypos.com/vmp/checkout".into(),
        fields: [
            ("IPCmethod", "IPCPurchase"),
            ("SID", "1"),
            ("CustomerStreet", "\"><i>"),
            ("Signature", "a+b/="),
        ]
        .map(|(name, value)| (name.into(), value.into()))
        .to_vec(),
        total: price(4270),
        reference: "K4T9-2M7Q".into(),
        home: None,
    };
    let page = |data| html(move || view! { <HandoverPage site=site(Language::En) data /> });
    let html = page(data);
    contains_all(
        &html,
        &[
            r#"method="post" action="https://mypos.com/vmp/checkout""#,
            "myPOS processes the payment for Kiln &amp; Leaf",
            "<code>https://mypos.com</code>",
            "€42.70",
            r#"href="/checkout""#,
            "Continue to myPOS",
        ],
    );
    let names: Vec<&str> =
        html.split(r#"type="hidden" name=""#).skip(1).map(|part| part.split('"').next().unwrap()).collect();
    assert_eq!(names, ["IPCmethod", "SID", "CustomerStreet", "Signature"]);
    assert!(html.contains(r#"value="a+b/=""#) && !html.contains("<i>"));
    assert_eq!(html.matches("<script").count(), 1);
}

#[test]
fn a_used_handover_starts_again_with_a_new_key() {
    let data = HandoverSpent { handoff: "handoff-token".into(), key: "new-key".into(), home: None };
    let html = html(move || view! { <HandoverSpentPage site=site(Language::De) data /> });
    contains_all(
        &html,
        &[
            r#"action="/checkout/pay""#,
            r#"name="handoff" value="handoff-token""#,
            r#"name="key" value="new-key""#,
            r#"href="/checkout""#,
        ],
    );
}

#[test]
fn each_state_of_an_order_has_its_heading_and_pays_only_where_it_may() {
    for state in STATES {
        let html = result(order(state));
        let (heading, _) = texts(Language::En).order.state(state);
        contains_all(
            &html,
            &[&format!("<h1>{heading}</h1>"), "K4T9-2M7Q", "Article mug", "€42.70", "noindex"],
        );
        assert_eq!(html.contains(r#"action="/checkout/pay""#), state.may_pay(), "{state:?}");
        assert_eq!(html.contains("<leptos-island"), !state.is_final(), "{state:?}");
        assert_eq!(html.contains(r#"http-equiv="refresh""#), !state.is_final(), "{state:?}");
    }
}

#[test]
fn a_browser_without_scripts_asks_again_from_the_head() {
    let html = result(order(ShopperState::Checking));
    let head = html.split("</head>").next().unwrap();
    contains_all(head, &[r#"<noscript><meta http-equiv="refresh" content="5"></noscript>"#]);
    contains_all(&html, &["Check again", "Please do not pay again"]);
}

#[test]
fn paying_again_needs_one_press() {
    let html = result(order(ShopperState::NotPaid));
    contains_all(
        &html,
        &[
            r#"name="order" value="order-token""#,
            r#"name="key" value="key-of-the-order-page""#,
            r#"value="ideal" checked"#,
            "Pay €42.70 now",
        ],
    );
    assert_eq!(html.matches(" checked").count(), 1);
    let other =
        OrderView { method: PaymentMethod::OnDelivery, declined: true, ..order(ShopperState::NotPaid) };
    contains_all(&result(other), &[r#"value="card" checked"#, "was declined"]);
}

#[test]
fn a_transfer_says_where_to() {
    let transfer = TransferInstructions {
        account_holder: "Kiln & Leaf GmbH".into(),
        iban: "DE02 1203 0000 0000 2020 51".into(),
        bic: String::new(),
        bank: String::new(),
        reference: "K4T9".into(),
    };
    let html = result(OrderView { transfer: Some(transfer), ..order(ShopperState::Awaiting) });
    contains_all(&html, &["Please transfer", "DE02 1203 0000 0000 2020 51", "Kiln &amp; Leaf GmbH"]);
    assert!(!html.contains("BIC"));
    contains_all(&result(order(ShopperState::Awaiting)), &["You pay when it is handed over"]);
}

#[test]
fn a_cancelled_payment_can_be_paid_unless_it_is_settled() {
    for state in STATES {
        let html = html(move || view! { <CancelledPage site=site(Language::En) order=order(state) /> });
        assert_eq!(html.contains("No payment has arrived"), state == ShopperState::NotPaid, "{state:?}");
        assert_eq!(html.contains(r#"action="/checkout/pay""#), state.may_pay(), "{state:?}");
        assert_eq!(html.contains("/checkout/result/order-token"), !state.may_pay(), "{state:?}");
        assert!(!html.contains("<script"));
    }
}

#[test]
fn messages_lead_on_but_never_to_a_second_payment() {
    for language in Language::ALL {
        for kind in MessageKind::ALL {
            let html = html(move || view! { <MessagePage site=site(language) data=MessageData { kind } /> });
            let main = html.split("<main").nth(1).unwrap();
            let may_pay = !matches!(kind, MessageKind::ReturnUnverified | MessageKind::NotAllowed);
            assert_eq!(main.contains(r#"href="/checkout""#), may_pay);
            assert!(main.contains("href=\"/"), "{kind:?} is a dead end");
            assert!((400..=503).contains(&kind.status()));
        }
    }
}

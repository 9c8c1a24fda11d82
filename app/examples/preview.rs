//! A gallery of every page in every state, with made-up data and no shop behind it.
//!
//! ```sh
//! trunk build
//! cargo run -p tillgate-app --example preview --features ssr
//! ```
//!
//! Then open <http://127.0.0.1:3999/>. Each page takes `?lang=de`. The checkout calls a small shop in
//! memory, so quantities, deliveries, errors and the press of Pay can be tried, with scripts and
//! without. Some first names make the shop misbehave: `price` changes the price, `busy`, `used`,
//! `limit` and `down` are refused, `slow` takes three seconds.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use app::api::Backend;
use app::form::CheckoutForm;
use app::pages::{
    CancelledPage, CatalogueItem, CataloguePage, CheckoutData, CheckoutPage, Country, DevLinks, HandoverData,
    HandoverPage, HandoverSpent, HandoverSpentPage, MessageData, MessageKind, MessagePage, OrderView,
    ResultPage, Site, TransferInstructions,
};
use axum::Router;
use axum::body::Body;
use axum::extract::{Form, Path, Query, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{any, get, post};
use domain::{
    Cart, Choice, Currency, Details, Field, FieldError, FieldProblem, Language, Notice, PaymentMethod, Price,
    Problem, Quote, QuoteLine, QuoteRequest, ShopperState, StartReply, StartRequest, StatusReply, VatPart,
};
use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_axum::ResponseOptions;

/// SKU, picture, English name, German name, price in cents.
const ARTICLES: [(&str, &str, &str, &str, i64); 8] = [
    ("sencha", "sencha", "Sencha Kagoshima", "Sencha Kagoshima", 1490),
    ("darjeeling", "darjeeling", "Darjeeling First Flush", "Darjeeling First Flush", 1250),
    ("earl-grey", "earl-grey", "Earl Grey with bergamot", "Earl Grey mit Bergamotte", 980),
    ("mountain-herbs", "herbs", "Mountain herbs", "Bergkräuter", 790),
    ("teapot", "teapot", "Stoneware teapot", "Teekanne aus Steinzeug", 6400),
    ("mug", "mug", "Terracotta mug", "Becher Terrakotta", 1890),
    ("matcha-bowl", "bowl", "Matcha bowl with whisk", "Matcha-Schale mit Besen", 3900),
    ("caddy", "caddy", "Tea caddy", "Teedose", 2800),
];

/// Id, English name, German name, price in cents.
const DELIVERIES: [(&str, &str, &str, i64); 3] = [
    ("post", "By post, 2 to 3 working days", "Mit der Post, 2 bis 3 Werktage", 490),
    ("express", "Express, the next working day", "Express, am nächsten Werktag", 1190),
    ("pick-up", "Collect from our workshop", "Abholung in unserer Werkstatt", 0),
];

const COUNTRIES: [(&str, &str, &str); 32] = [
    ("AT", "Austria", "Österreich"),
    ("BE", "Belgium", "Belgien"),
    ("BG", "Bulgaria", "Bulgarien"),
    ("HR", "Croatia", "Kroatien"),
    ("CY", "Cyprus", "Zypern"),
    ("CZ", "Czechia", "Tschechien"),
    ("DK", "Denmark", "Dänemark"),
    ("EE", "Estonia", "Estland"),
    ("FI", "Finland", "Finnland"),
    ("FR", "France", "Frankreich"),
    ("DE", "Germany", "Deutschland"),
    ("GR", "Greece", "Griechenland"),
    ("HU", "Hungary", "Ungarn"),
    ("IS", "Iceland", "Island"),
    ("IE", "Ireland", "Irland"),
    ("IT", "Italy", "Italien"),
    ("LV", "Latvia", "Lettland"),
    ("LI", "Liechtenstein", "Liechtenstein"),
    ("LT", "Lithuania", "Litauen"),
    ("LU", "Luxembourg", "Luxemburg"),
    ("MT", "Malta", "Malta"),
    ("NL", "Netherlands", "Niederlande"),
    ("NO", "Norway", "Norwegen"),
    ("PL", "Poland", "Polen"),
    ("PT", "Portugal", "Portugal"),
    ("RO", "Romania", "Rumänien"),
    ("SK", "Slovakia", "Slowakei"),
    ("SI", "Slovenia", "Slowenien"),
    ("ES", "Spain", "Spanien"),
    ("SE", "Sweden", "Schweden"),
    ("CH", "Switzerland", "Schweiz"),
    ("GB", "United Kingdom", "Vereinigtes Königreich"),
];

const KEY: &str = "gallery-gallery-gallery";

/// A rough amount; a real shop formats with locale data.
fn price(minor: i64, language: Language) -> Price {
    let (whole, cents) = (minor / 100, minor % 100);
    let text = match language {
        Language::En => format!("€{whole}.{cents:02}"),
        Language::De => format!("{whole},{cents:02}\u{a0}€"),
    };
    Price { minor, text }
}

fn pick<'t>(language: Language, en: &'t str, de: &'t str) -> &'t str {
    match language {
        Language::En => en,
        Language::De => de,
    }
}

fn quote(cart: &Cart, delivery: &str, language: Language) -> Quote {
    let mut notices = Vec::new();
    let mut lines = Vec::new();
    for line in cart.lines() {
        // `sencha-17` is the seventeenth Sencha: for long carts.
        let article = ARTICLES.iter().find(|article| line.sku.starts_with(article.0));
        if let Some((_, image, en, de, minor)) = article {
            lines.push(QuoteLine {
                sku: line.sku.clone(),
                name: pick(language, en, de).to_owned(),
                image: format!("/img/{image}.svg"),
                quantity: line.quantity,
                unit: price(*minor, language),
                total: price(minor * i64::from(line.quantity), language),
            });
        } else {
            notices.push(Notice::Gone { sku: line.sku.clone() });
        }
    }
    let chosen = DELIVERIES.iter().position(|one| one.0 == delivery).unwrap_or(0);
    let deliveries: Vec<Choice> = DELIVERIES
        .iter()
        .enumerate()
        .map(|(number, (id, en, de, minor))| Choice {
            id: (*id).to_owned(),
            name: pick(language, en, de).to_owned(),
            price: price(*minor, language),
            chosen: number == chosen,
        })
        .collect();
    let subtotal: i64 = lines.iter().map(|line| line.total.minor).sum();
    let delivery = if lines.is_empty() { 0 } else { DELIVERIES.get(chosen).map_or(0, |one| one.3) };
    let total = subtotal + delivery;
    Quote {
        currency: Currency::EUR,
        fixed: false,
        lines,
        deliveries,
        subtotal: price(subtotal, language),
        delivery: price(delivery, language),
        vat: vec![
            VatPart { rate: "19 %".to_owned(), vat: price(total * 19 / 219, language) },
            VatPart { rate: "7 %".to_owned(), vat: price(total * 7 / 207, language) },
        ],
        total: price(total, language),
        notices,
    }
}

/// The shop behind the gallery's checkout.
struct MadeUpShop;

#[async_trait::async_trait]
impl Backend for MadeUpShop {
    async fn quote(&self, request: QuoteRequest) -> Result<Quote, Problem> {
        tokio::time::sleep(Duration::from_millis(150)).await;
        Ok(quote(&request.lines, &request.delivery, request.language))
    }

    async fn start(&self, request: StartRequest) -> Result<StartReply, Problem> {
        let codes = COUNTRIES.map(|country| country.0);
        let customer = request.details.accept(&codes).map_err(Problem::Invalid)?;
        match customer.details().first_name.as_str() {
            "price" => {
                let mut quote = quote(&request.lines, &request.delivery, request.language);
                quote.total = price(quote.total.minor + 100, request.language);
                if request.shown_total_minor != quote.total.minor {
                    return Err(Problem::PriceChanged(Box::new(quote)));
                }
            }
            "busy" => return Err(Problem::Busy),
            "used" if request.key == KEY => return Err(Problem::KeyReused),
            "limit" => return Err(Problem::RateLimited),
            "down" => return Err(Problem::Unavailable),
            "slow" => tokio::time::sleep(Duration::from_secs(3)).await,
            _ => {}
        }
        Ok(StartReply { location: "/gallery/handover".to_owned() })
    }

    async fn status(&self, _token: String) -> Result<StatusReply, Problem> {
        Ok(StatusReply { state: ShopperState::Checking })
    }
}

fn checkout(language: Language, cart: &str) -> CheckoutData {
    CheckoutData {
        quote: quote(&Cart::parse(cart).unwrap_or_default(), "", language),
        cart_id: KEY.to_owned(),
        key: KEY.to_owned(),
        details: Details::default(),
        method: Some(PaymentMethod::Card),
        methods: PaymentMethod::ALL.to_vec(),
        countries: COUNTRIES
            .map(|(code, en, de)| Country { code: code.to_owned(), name: pick(language, en, de).to_owned() })
            .to_vec(),
        errors: Vec::new(),
        problem: None,
        storefront: domain::Storefront::default(),
    }
}

const CART: &str = "sencha:2,teapot:1,mug:4";

fn order(language: Language, state: ShopperState) -> OrderView {
    let quote = quote(&Cart::parse(CART).unwrap_or_default(), "", language);
    let transfer = (state == ShopperState::Awaiting).then(|| TransferInstructions {
        account_holder: "Kiln & Leaf GmbH".to_owned(),
        iban: "DE02 1203 0000 0000 2020 51".to_owned(),
        bic: "BYLADEM1001".to_owned(),
        bank: "Deutsche Kreditbank Berlin".to_owned(),
        reference: "K4T9-2M7Q".to_owned(),
    });
    OrderView {
        token: "token-of-the-gallery".to_owned(),
        reference: "K4T9-2M7Q".to_owned(),
        state,
        method: if transfer.is_some() { PaymentMethod::BankTransfer } else { PaymentMethod::Card },
        lines: quote.lines,
        delivery_name: pick(language, "By post", "Mit der Post").to_owned(),
        delivery: quote.delivery,
        vat: quote.vat,
        total: quote.total,
        masked_email: "a•••@example.com".to_owned(),
        placed: pick(language, "22 November 2026, 14:05", "22. November 2026, 14:05").to_owned(),
        transfer,
        methods: PaymentMethod::ALL.to_vec(),
        key: KEY.to_owned(),
        declined: false,
        given_back: None,
        home: None,
    }
}

const STATES: [(&str, ShopperState); 7] = [
    ("paid", ShopperState::Paid),
    ("awaiting", ShopperState::Awaiting),
    ("checking", ShopperState::Checking),
    ("not-paid", ShopperState::NotPaid),
    ("given-back", ShopperState::GivenBack),
    ("ended", ShopperState::Ended),
    ("refunded", ShopperState::Refunded),
];

fn site(language: Language, path: String) -> Site {
    Site {
        shop_name: "Kiln & Leaf".to_owned(),
        language,
        test_mode: true,
        cart_pieces: 7,
        path,
        pkg: "/pkg".to_owned(),
        dev: Some(DevLinks { sandbox_url: "http://localhost:3001/".to_owned() }),
    }
}

const ODD_CHECKOUTS: [&str; 7] = ["checkout", "empty", "errors", "problem", "long", "fifty", "gone"];

fn odd_checkout(name: &str, language: Language) -> Option<CheckoutData> {
    let mut data = checkout(language, CART);
    match name {
        "checkout" => {}
        "empty" => data = checkout(language, ""),
        "errors" => {
            data.method = None;
            "ada@example".clone_into(&mut data.details.email);
            "Berlin".clone_into(&mut data.details.city);
            data.errors = data.details.accept(&["DE"]).err().unwrap_or_default();
            data.errors.push(FieldError { field: Field::Method, problem: FieldProblem::Missing });
        }
        "problem" => data.problem = Some(Problem::PriceChanged(Box::new(data.quote.clone()))),
        "long" => {
            data.details = Details {
                email: "wolfeschlegelsteinhausenbergerdorff.the.eldest@example-of-a-long-domain.example"
                    .to_owned(),
                first_name: "Maria Magdalena Theresia Wilhelmine Augusta Victoria".to_owned(),
                family_name: "von und zu Wolfeschlegelsteinhausenbergerdorff".to_owned(),
                phone: "+49 30 901820 901820".to_owned(),
                street: "Rindfleischetikettierungsüberwachungsaufgabenstraße 1234 b, Hinterhaus".to_owned(),
                postcode: "10115".to_owned(),
                city: "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch".to_owned(),
                country: "GB".to_owned(),
            };
            for line in &mut data.quote.lines {
                "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft Sonderauflage"
                    .clone_into(&mut line.name);
            }
        }
        "fifty" => {
            let articles = ARTICLES.iter().cycle().zip(1..=50);
            let cart: Vec<String> = articles.map(|(article, n)| format!("{}-{n}:{n}", article.0)).collect();
            data = checkout(language, &cart.join(","));
        }
        "gone" => data = checkout(language, "hat:1,mug:1"),
        _ => return None,
    }
    Some(data)
}

type Query1 = Query<HashMap<String, String>>;

fn language(query: &Query1) -> Language {
    query.get("lang").and_then(|tag| Language::from_tag(tag)).unwrap_or_default()
}

/// Renders a page with the policy that a server would send.
async fn render<V: IntoView + 'static>(page: impl Fn() -> V + Clone + Send + Sync + 'static) -> Response {
    let policy = || {
        let nonce = use_nonce().map(|nonce| nonce.to_string()).unwrap_or_default();
        let policy = format!(
            "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self'; \
             img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        );
        if let (Some(options), Ok(value)) = (use_context::<ResponseOptions>(), HeaderValue::from_str(&policy))
        {
            options.insert_header(header::CONTENT_SECURITY_POLICY, value);
        }
    };
    leptos_axum::render_app_async_with_context(policy, page)(Request::new(Body::empty()))
        .await
        .into_response()
}

async fn checkout_response(language: Language, data: CheckoutData) -> Response {
    render(move || {
        let site = site(language, "/gallery/checkout".to_owned());
        let data = data.clone();
        view! { <CheckoutPage site data /> }
    })
    .await
}

async fn page(Path(name): Path<String>, query: Query1) -> Response {
    let language = language(&query);
    let site = site(language, format!("/gallery/{name}"));
    if let Some(data) = odd_checkout(&name, language) {
        return checkout_response(language, data).await;
    }
    if let Some(state) = name
        .strip_prefix("cancelled-")
        .or(Some(name.as_str()))
        .and_then(|name| STATES.iter().find(|state| state.0 == name).map(|state| state.1))
    {
        let order = order(language, state);
        return if name.starts_with("cancelled-") {
            render(move || view! { <CancelledPage site=site.clone() order=order.clone() /> }).await
        } else {
            render(move || view! { <ResultPage site=site.clone() order=order.clone() /> }).await
        };
    }
    if let Some(kind) = MessageKind::ALL.into_iter().find(|kind| format!("{kind:?}") == name) {
        return render(move || view! { <MessagePage site=site.clone() data=MessageData { kind } /> }).await;
    }
    match name.as_str() {
        "catalogue" => {
            let about = pick(
                language,
                "First harvest, gently steamed. Fresh, green, a little sweet. 100 g.",
                "Erste Ernte, sanft gedämpft. Frisch, grün, ein wenig süß. 100 g.",
            );
            let items: Vec<CatalogueItem> = ARTICLES
                .map(|(sku, image, en, de, minor)| CatalogueItem {
                    sku: sku.to_owned(),
                    name: pick(language, en, de).to_owned(),
                    description: about.to_owned(),
                    image: format!("/img/{image}.svg"),
                    price: price(minor, language),
                })
                .to_vec();
            render(move || view! { <CataloguePage site=site.clone() heading="Good tea".to_owned() intro="Chosen slowly.".to_owned() items=items.clone() /> }).await
        }
        "handover" => {
            let data = HandoverData {
                gateway_name: "myPOS".to_owned(),
                gateway_url: "http://127.0.0.1:3999/gateway".to_owned(),
                fields: vec![("IPCmethod".to_owned(), "IPCPurchase".to_owned())],
                total: price(16_830, language),
                reference: "K4T9-2M7Q".to_owned(),
                home: None,
            };
            render(move || view! { <HandoverPage site=site.clone() data=data.clone() /> }).await
        }
        "handover-spent" => {
            let data = HandoverSpent { handoff: "handoff".to_owned(), key: KEY.to_owned(), home: None };
            render(move || view! { <HandoverSpentPage site=site.clone() data=data.clone() /> }).await
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn posted(update: bool, pairs: Vec<(String, String)>) -> Response {
    let form = CheckoutForm::read(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let Ok(form) = form else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let language = Language::En;
    let mut data = checkout(language, "");
    data.quote = quote(&form.lines, &form.delivery, language);
    data.details = form.details;
    data.method = form.method;
    if !update {
        let codes = COUNTRIES.map(|country| country.0);
        data.errors = data.details.accept(&codes).err().unwrap_or_default();
        if data.errors.is_empty() {
            return Redirect::to("/gallery/handover").into_response();
        }
    }
    checkout_response(language, data).await
}

async fn index() -> Html<String> {
    let states = STATES.map(|state| state.0.to_owned());
    let cancelled = STATES.map(|state| format!("cancelled-{}", state.0));
    let messages = MessageKind::ALL.map(|kind| format!("{kind:?}"));
    let others = ["catalogue", "handover", "handover-spent"].map(str::to_owned);
    let links: Vec<String> = others
        .into_iter()
        .chain(ODD_CHECKOUTS.map(str::to_owned))
        .chain(states)
        .chain(cancelled)
        .chain(messages)
        .map(|name| {
            format!("<li><a href='/gallery/{name}'>{name}</a> <a href='/gallery/{name}?lang=de'>de</a>")
        })
        .collect();
    let links = links.concat();
    Html(format!("<!DOCTYPE html><title>Gallery</title><h1>Every page in every state</h1><ul>{links}</ul>"))
}

/// The bundle, as Trunk left it.
async fn file(request: Request) -> Response {
    let path = request.uri().path();
    let kind = match path.rsplit('.').next() {
        Some("js") => "text/javascript",
        Some("wasm") => "application/wasm",
        Some("css") => "text/css",
        _ => "image/svg+xml",
    };
    match tokio::fs::read(format!("dist/site{path}")).await {
        Ok(bytes) if !path.contains("..") => ([(header::CONTENT_TYPE, kind)], bytes).into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn api(request: Request) -> impl IntoResponse {
    let context = || provide_context::<Arc<dyn Backend>>(Arc::new(MadeUpShop));
    leptos_axum::handle_server_fns_with_context(context, request).await
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    app::pages::prepare();
    let router = Router::new()
        .route("/", get(index))
        .route("/gallery/{name}", get(page))
        .route("/checkout", get(|| async { Redirect::to("/gallery/checkout") }))
        .route("/checkout/pay", post(|Form(pairs)| posted(false, pairs)))
        .route("/checkout/update", post(|Form(pairs)| posted(true, pairs)))
        .route("/cart/set", post(|| async { StatusCode::NO_CONTENT }))
        .route("/cart/add", post(|| async { Redirect::to("/gallery/catalogue") }))
        .route("/gateway", post(|| async { Html("<title>Gateway</title><h1>The gateway</h1>") }))
        .route("/api/checkout/{*function}", any(api))
        .fallback(file);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3999").await?;
    axum::serve(listener, router).await
}

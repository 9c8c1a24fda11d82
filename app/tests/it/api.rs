//! The server functions over HTTP, as the browser calls them.

use std::sync::{Arc, Mutex};

use app::api::Backend;
use app::form::start_pairs;
use async_trait::async_trait;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use axum::response::IntoResponse;
use domain::{
    Cart, Details, FieldError, Language, PaymentMethod, Problem, Quote, QuoteRequest, ShopperState,
    StartReply, StartRequest, StatusReply,
};
use leptos::context::provide_context;

use super::quote;

/// Remembers what it was asked.
#[derive(Default)]
struct Shop {
    quoted: Mutex<Option<QuoteRequest>>,
    started: Mutex<Option<StartRequest>>,
}

#[async_trait]
impl Backend for Shop {
    async fn quote(&self, request: QuoteRequest) -> Result<Quote, Problem> {
        let quote = quote(&request.lines);
        *self.quoted.lock().unwrap() = Some(request);
        Ok(quote)
    }

    async fn start(&self, request: StartRequest) -> Result<StartReply, Problem> {
        let accepted = request.details.accept(&["DE"]).map_err(Problem::Invalid);
        *self.started.lock().unwrap() = Some(request);
        accepted.map(|_| StartReply { location: "/checkout/go/x".into() })
    }

    async fn status(&self, token: String) -> Result<StatusReply, Problem> {
        match token.as_str() {
            "known" => Ok(StatusReply { state: ShopperState::NotPaid }),
            "often" => Err(Problem::RateLimited),
            _ => Err(Problem::NotFound),
        }
    }
}

async fn call(shop: Option<Arc<Shop>>, request: Request<Body>) -> (StatusCode, String) {
    let context = move || {
        if let Some(shop) = shop.clone() {
            provide_context::<Arc<dyn Backend>>(shop);
        }
    };
    let response = leptos_axum::handle_server_fns_with_context(context, request).await.into_response();
    let status = response.status();
    let body = to_bytes(response.into_body(), 100_000).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

fn get(address: &str) -> Request<Body> {
    Request::get(address).body(Body::empty()).unwrap()
}

/// As `fetch` posts `URLSearchParams`.
fn post(pairs: &[(String, String)]) -> Request<Body> {
    let body: Vec<String> =
        pairs.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
    Request::post("/api/checkout/start")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded;charset=UTF-8")
        .body(Body::from(body.join("&")))
        .unwrap()
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'*' | b'-' | b'.' | b'_' => {
                char::from(byte).to_string()
            }
            b' ' => "+".to_owned(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

fn request() -> StartRequest {
    StartRequest {
        key: "0123456789abcdefghijkl".into(),
        cart_id: "lkjihgfedcba9876543210".into(),
        lines: Cart::parse("mug:2,tea.green:1").unwrap(),
        delivery: "post".into(),
        details: Details {
            email: "a+b@example.com".into(),
            first_name: "Ada & Bo = 100%".into(),
            family_name: "[x] Łukasz".into(),
            phone: String::new(),
            street: "Straße 1".into(),
            postcode: "10115".into(),
            city: "Berlin".into(),
            country: "DE".into(),
        },
        method: Some(PaymentMethod::BankTransfer),
        shown_total_minor: 6160,
        language: Language::De,
        storefront: domain::Storefront {
            signed_quote: "v1.key.payload.signature".into(),
            reference: "A-1001 & more".into(),
            return_url: "https://shop.example.com/thanks?a=b&c=d".into(),
        },
    }
}

#[tokio::test]
async fn a_quote_is_asked_by_get_with_flat_arguments() {
    let shop = Arc::new(Shop::default());
    let address = "/api/checkout/quote?lines=mug%3A2%2Ctea%3A1&delivery=post&language=de";
    let (status, body) = call(Some(shop.clone()), get(address)).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(serde_json::from_str::<Quote>(&body).unwrap(), quote(&Cart::parse("mug:2,tea:1").unwrap()));
    let asked = shop.quoted.lock().unwrap().clone().unwrap();
    assert_eq!((asked.delivery.as_str(), asked.language), ("post", Language::De));

    let (status, _) = call(Some(shop.clone()), get("/api/checkout/quote?lines=")).await;
    assert_eq!(status, StatusCode::OK);
    assert!(shop.quoted.lock().unwrap().clone().unwrap().lines.is_empty());
}

#[tokio::test]
async fn what_the_browser_posts_arrives_unchanged() {
    let shop = Arc::new(Shop::default());
    for method in [None, Some(PaymentMethod::Card)] {
        let request = StartRequest { method, ..request() };
        let (status, body) = call(Some(shop.clone()), post(&start_pairs(&request))).await;
        assert_eq!((status, body.as_str()), (StatusCode::OK, r#"{"location":"/checkout/go/x"}"#));
        assert_eq!(shop.started.lock().unwrap().take(), Some(request));
    }
}

#[tokio::test]
async fn refusals_have_their_status_and_are_bare_json() {
    let shop = || Some(Arc::new(Shop::default()));
    let incomplete = StartRequest { details: Details::default(), ..request() };
    let (status, body) = call(shop(), post(&start_pairs(&incomplete))).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let expected: Vec<FieldError> = Details::default().accept(&["DE"]).unwrap_err();
    assert_eq!(serde_json::from_str::<Problem>(&body).unwrap(), Problem::Invalid(expected));

    let status_of = |token: &str| get(&format!("/api/checkout/status?token={token}"));
    let (status, body) = call(shop(), status_of("known")).await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, r#"{"state":"not_paid"}"#));
    let (status, body) = call(shop(), status_of("other")).await;
    assert_eq!((status, body.as_str()), (StatusCode::NOT_FOUND, r#""not_found""#));
    let (status, body) = call(shop(), status_of("often")).await;
    assert_eq!((status, body.as_str()), (StatusCode::TOO_MANY_REQUESTS, r#""rate_limited""#));
}

#[tokio::test]
async fn what_cannot_be_read_is_malformed() {
    let shop = || Some(Arc::new(Shop::default()));
    let missing: Vec<_> = start_pairs(&request()).into_iter().filter(|(name, _)| name != "key").collect();
    for request in [
        get("/api/checkout/quote"),
        get("/api/checkout/quote?lines=mug"),
        get("/api/checkout/quote?lines=mug:1&language=xx"),
        get("/api/checkout/status"),
        post(&missing),
    ] {
        let address = request.uri().to_string();
        let (status, body) = call(shop(), request).await;
        assert_eq!((status, body.as_str()), (StatusCode::BAD_REQUEST, r#""malformed""#), "{address}");
    }
}

#[tokio::test]
async fn without_a_backend_nothing_is_available() {
    let (status, body) = call(None, get("/api/checkout/status?token=known")).await;
    assert_eq!((status, body.as_str()), (StatusCode::SERVICE_UNAVAILABLE, r#""unavailable""#));
}

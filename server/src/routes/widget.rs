//! What the custom element of another origin's page loads, and the table that it begins with.

use app::checkout::CheckoutModel;
use app::client::Client;
use app::pages::{Country, country_options};
use app::text::{CheckoutTexts, texts};
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use checkout::format;
use checkout::records::Mode;
use checkout::start::StartError;
use checkout::token::Token;
use domain::{Cart, Currency, Details, Language, Price, Problem, Quote, QuoteRequest, Storefront};
use serde::Deserialize;

use crate::backend::start_problem;
use crate::render;
use crate::state::AppState;
use crate::visitor::Visitor;

#[derive(Deserialize)]
pub(super) struct Asked {
    /// BCP 47; by `Accept-Language` where it is missing or unknown.
    #[serde(default)]
    language: String,
    /// `sku:2,other:1`
    #[serde(default)]
    lines: String,
    #[serde(default)]
    delivery: String,
    /// What the browser remembers of the last visit.
    #[serde(default)]
    cart_id: String,
    #[serde(default)]
    signed_quote: String,
}

/// `GET /api/checkout/widget`: everything that a checkout begins with, in one answer.
pub(super) async fn table(
    State(state): State<AppState>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response {
    let Ok(lines) = Cart::parse(&asked.lines) else {
        return render::problem(&Problem::Malformed);
    };
    let language = Language::from_tag(&asked.language)
        .unwrap_or_else(|| Visitor::from_headers(&state, &headers).language);
    match model(&state, asked, lines, language).await {
        Ok(model) => {
            let mut table = model.to_json();
            let texts = texts(language);
            let is_test = state.checkout.settings.mode_for(model.quote.currency) == Mode::Test;
            if let Some(members) = table.as_object_mut() {
                members.insert("shape".into(), CheckoutTexts::SHAPE.into());
                members.insert("countries".into(), model.countries.into());
                members.insert(
                    "words".into(),
                    serde_json::json!({
                        "test": is_test.then_some(texts.site.test_mode),
                        "blocked": texts.widget.blocked,
                        "open": texts.widget.open,
                    }),
                );
            }
            ([(CACHE_CONTROL, "no-store")], axum::Json(table)).into_response()
        }
        Err(error) => render::problem(&start_problem(error)),
    }
}

async fn model(
    state: &AppState,
    asked: Asked,
    lines: Cart,
    language: Language,
) -> Result<CheckoutModel, StartError> {
    let checkout = &state.checkout;
    let all = texts(language);
    let cart_id = checkout.cart_of_storefront(&asked.cart_id, &lines, &asked.signed_quote).await?;
    let request =
        QuoteRequest { lines, delivery: asked.delivery, language, signed_quote: asked.signed_quote };
    let (quote, problem) = match checkout.quote(&request) {
        Ok(quote) => (quote, None),
        // What is wrong with it is said in the shopper's words, in the place of what is bought.
        Err(StartError::Problem(problem)) => (nothing(checkout.catalog.currency, language), Some(problem)),
        Err(other) => return Err(other),
    };
    let methods = checkout.settings.methods_for(quote.currency);
    Ok(CheckoutModel {
        countries: country_options(all.checkout.country_prompt, &countries(state, language), ""),
        cart_id,
        key: Token::random()?.secret().to_owned(),
        language,
        method: methods.first().copied(),
        methods,
        errors: Vec::new(),
        problem,
        texts: &all.checkout,
        details: Details::default(),
        client: Client::OWN,
        keeps_cart: false,
        storefront: Storefront { signed_quote: request.signed_quote, ..Storefront::default() },
        on_event: None,
        quote,
    })
}

/// The countries that are delivered to.
pub(super) fn countries(state: &AppState, language: Language) -> Vec<Country> {
    format::countries(&state.checkout.catalog.countries, language)
        .into_iter()
        .map(|(code, name)| Country { code, name })
        .collect()
}

/// The quote of an empty cart, where there is none to show.
pub(super) fn nothing(currency: Currency, language: Language) -> Quote {
    let zero = || -> Price { format::price(domain::Money::zero(currency), language) };
    Quote {
        currency,
        fixed: true,
        lines: Vec::new(),
        deliveries: Vec::new(),
        subtotal: zero(),
        delivery: zero(),
        vat: Vec::new(),
        total: zero(),
        notices: Vec::new(),
    }
}

//! The checkout: the page, its updates without scripts, and the press of Pay.

use std::sync::Arc;
use std::time::Duration;

use app::form::{self, CheckoutForm};
use app::pages::{CheckoutData, CheckoutPage, MessageKind};
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use checkout::checkout::CheckoutError;
use checkout::start::{OpenedBy, PayAgain, StartError};
use checkout::store::OrderFile;
use checkout::storefront::{bought, cart_of_quote};
use checkout::token::Token;
use checkout::view::shopper_state;
use domain::{
    Cart, Details, FieldError, PaymentMethod, Problem, QuoteRequest, ShopperState, StartReply, StartRequest,
    Storefront,
};
use leptos::prelude::*;
use serde::Deserialize;

use super::widget;
use crate::backend::{start_problem, to_its_end, unavailable};
use crate::cookies::CartCookie;
use crate::render::{self, Protection};
use crate::state::AppState;
use crate::visitor::Visitor;

/// How long a plain form waits for another request with its key, and how often it looks.
const BUSY_TRIES: u32 = 50;
const BUSY_WAIT: Duration = Duration::from_millis(100);

#[derive(Deserialize)]
pub(super) struct HostedCart {
    /// What a storefront hands over, `sku:2,other:1`.
    cart: Option<String>,
    /// In its place: a quote that the storefront's backend signed.
    quote: Option<String>,
    /// The storefront's own number for the order.
    #[serde(default)]
    reference: String,
    /// Where the shopper goes when all is done; left out where it is not allowed.
    #[serde(default)]
    return_url: String,
}

/// What the page shows, before it is priced.
#[derive(Default)]
struct Draft {
    cart_id: String,
    lines: Cart,
    delivery: String,
    details: Details,
    method: Option<PaymentMethod>,
    errors: Vec<FieldError>,
    problem: Option<Problem>,
    storefront: Storefront,
}

/// `GET /checkout`, and `GET /checkout?cart=sku:2` for storefronts without scripts.
pub(super) async fn show(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(hosted): Query<HostedCart>,
) -> Response {
    if hosted.cart.is_some() || hosted.quote.is_some() {
        let Ok(lines) = Cart::parse(hosted.cart.as_deref().unwrap_or("")) else {
            return render::message(&state, &visitor, MessageKind::BadRequest).await;
        };
        let HostedCart { quote, reference, mut return_url, .. } = hosted;
        if !state.checkout.may_return_to(&return_url) {
            // Whoever came by the link of a page that is not listed shall be able to pay all the same.
            tracing::warn!("a storefront's return_url is not of a listed origin, and was left out");
            return_url.clear();
        }
        let storefront = Storefront { signed_quote: quote.unwrap_or_default(), reference, return_url };
        let draft = Draft { lines, storefront, ..Draft::default() };
        return checkout_page(&state, &visitor, draft, StatusCode::OK).await;
    }
    match remembered(&state, &visitor).await {
        Ok(Remembered::Elsewhere(location)) => render::see_other(&location),
        Ok(Remembered::Here(draft, cart)) => {
            let visitor = visitor.with_cart(cart);
            let page = checkout_page(&state, &visitor, *draft, StatusCode::OK).await;
            let cart = visitor.cart.as_ref().map(|cart| state.shop.cookies.keep_cart(cart));
            render::with_cookies(page, cart)
        }
        Err(error) => {
            unavailable(&error);
            render::message(&state, &visitor, MessageKind::Unavailable).await
        }
    }
}

/// What is known of a browser's cart.
enum Remembered {
    /// Its order is paid, or being checked: its page.
    Elsewhere(String),
    /// The checkout, and the cart with a new id where the old one's order is done.
    Here(Box<Draft>, Option<CartCookie>),
}

/// The cart of the cookie, with what was typed for its order: a shopper who comes back finds it again,
/// whether or not the browser kept the form.
async fn remembered(state: &AppState, visitor: &Visitor) -> Result<Remembered, CheckoutError> {
    let Some(cart) = &visitor.cart else {
        return Ok(Remembered::Here(Box::default(), None));
    };
    let mut draft = Draft { cart_id: cart.id.clone(), lines: cart.lines.clone(), ..Draft::default() };
    let Some(file) = state.checkout.order_of_cart(&cart.id).await? else {
        return Ok(Remembered::Here(Box::new(draft), None));
    };
    if file.order.new.storefront.quote.is_some() {
        // Its cart's id is known to whoever knows the quote, so what was typed is not shown again.
        return Ok(Remembered::Here(Box::default(), None));
    }
    match shopper_state(&file) {
        ShopperState::NotPaid | ShopperState::GivenBack => {
            let order = &file.order;
            order.new.customer.details().clone_into(&mut draft.details);
            order.new.delivery.clone_into(&mut draft.delivery);
            draft.method = Some(order.method);
            Ok(Remembered::Here(Box::new(draft), None))
        }
        ShopperState::Ended => Ok(Remembered::Here(Box::new(draft), None)),
        ShopperState::Checking => elsewhere(state, &file).await,
        ShopperState::Paid | ShopperState::Awaiting | ShopperState::Refunded => {
            if bought(&file) == cart.lines {
                return elsewhere(state, &file).await;
            }
            // Something was added after the order was placed: that is another purchase.
            let next = CartCookie::new(cart.lines.clone())?;
            draft.cart_id.clone_from(&next.id);
            Ok(Remembered::Here(Box::new(draft), Some(next)))
        }
    }
}

async fn elsewhere(state: &AppState, file: &OrderFile) -> Result<Remembered, CheckoutError> {
    let token = state.checkout.open_order(file.order.id).await?;
    Ok(Remembered::Elsewhere(format!("/checkout/result/{}", token.secret())))
}

/// `POST /checkout/update`: another cart or delivery, with everything typed kept.
pub(super) async fn update(State(state): State<AppState>, visitor: Visitor, body: Bytes) -> Response {
    let Some(form) = read_form(&body) else {
        return render::message(&state, &visitor, MessageKind::BadRequest).await;
    };
    let kept = cart_to_keep(&visitor, &form.cart_id, &form.lines, &form.storefront);
    let visitor = visitor.with_cart(kept.clone());
    let draft = Draft {
        cart_id: form.cart_id,
        lines: form.lines,
        delivery: form.delivery,
        details: form.details,
        method: form.method,
        storefront: form.storefront,
        ..Draft::default()
    };
    let page = checkout_page(&state, &visitor, draft, StatusCode::OK).await;
    render::with_cookies(page, kept.map(|cart| state.shop.cookies.keep_cart(&cart)))
}

/// The cart of a posted form as a cookie: where it is this browser's, or the browser has none. So a cart that
/// a storefront handed over is there again when the shopper comes back.
fn cart_to_keep(visitor: &Visitor, id: &str, lines: &Cart, storefront: &Storefront) -> Option<CartCookie> {
    // A signed quote is no cart of this shop's.
    let is_own = storefront.signed_quote.is_empty() && visitor.cart.as_ref().is_none_or(|cart| cart.id == id);
    (is_own && domain::messages::is_key(id)).then(|| CartCookie { id: id.to_owned(), lines: lines.clone() })
}

fn read_form(body: &[u8]) -> Option<CheckoutForm> {
    let pairs: Vec<_> = form_urlencoded::parse(body).collect();
    CheckoutForm::read(pairs.iter().map(|(name, value)| (name.as_ref(), value.as_ref()))).ok()
}

/// `POST /checkout/pay`: the plain form of the checkout, of an order's page (`order`), or of a hand-over
/// page that was used (`handoff`).
pub(super) async fn pay(State(state): State<AppState>, visitor: Visitor, body: Bytes) -> Response {
    if let Some(again) = read_pay_again(&body) {
        return match waiting(|| {
            let (checkout, again) = (Arc::clone(&state.checkout), again.clone());
            to_its_end(async move { checkout.pay_again(again).await })
        })
        .await
        {
            Ok(reply) => render::see_other(&reply.location),
            // The page of the order, and the checkout, have a new key and what can be chosen now.
            Err(Problem::KeyReused | Problem::Invalid(_) | Problem::Malformed) => match &again.by {
                OpenedBy::Order(token) => render::see_other(&format!("/checkout/result/{}", token.secret())),
                OpenedBy::Handoff(_) => render::see_other("/checkout"),
            },
            Err(Problem::NotFound) => render::message(&state, &visitor, MessageKind::NotFound).await,
            Err(_) => render::message(&state, &visitor, MessageKind::Unavailable).await,
        };
    }
    let Some(form) = read_form(&body) else {
        return render::message(&state, &visitor, MessageKind::BadRequest).await;
    };
    let request = form.into_request(visitor.language);
    let kept = cart_to_keep(&visitor, &request.cart_id, &request.lines, &request.storefront);
    let answer = match waiting(|| {
        let (checkout, request) = (Arc::clone(&state.checkout), request.clone());
        to_its_end(async move { checkout.start(request).await })
    })
    .await
    {
        Ok(reply) => render::see_other(&reply.location),
        Err(problem) => shown_again(&state, &visitor, request, problem).await,
    };
    render::with_cookies(answer, kept.map(|cart| state.shop.cookies.keep_cart(&cart)))
}

fn read_pay_again(body: &[u8]) -> Option<PayAgain> {
    let value = |wanted: &str| {
        form_urlencoded::parse(body).find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
    };
    let by = match (value(form::ORDER), value(form::HANDOFF)) {
        (Some(order), _) => OpenedBy::Order(Token::parse(&order)?),
        (None, Some(handoff)) => OpenedBy::Handoff(Token::parse(&handoff)?),
        (None, None) => return None,
    };
    let method = value(domain::Field::Method.name()).and_then(|id| PaymentMethod::from_id(&id));
    Some(PayAgain { key: value(form::KEY).unwrap_or_default(), by, method })
}

/// Runs a start; where the same press is running already, waits for its result.
async fn waiting<F>(start: impl Fn() -> F) -> Result<StartReply, Problem>
where
    F: Future<Output = Result<StartReply, StartError>>,
{
    for _ in 0..BUSY_TRIES {
        match start().await {
            Err(StartError::Problem(Problem::Busy)) => tokio::time::sleep(BUSY_WAIT).await,
            other => return other.map_err(start_problem),
        }
    }
    Err(Problem::Busy)
}

/// The checkout again, with what was typed, what is wrong, and a new key.
async fn shown_again(
    state: &AppState,
    visitor: &Visitor,
    request: StartRequest,
    problem: Problem,
) -> Response {
    let status = StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let (errors, problem) = match problem {
        Problem::Invalid(errors) => (errors, None),
        other => (Vec::new(), Some(other)),
    };
    let draft = Draft {
        cart_id: request.cart_id,
        lines: request.lines,
        delivery: request.delivery,
        details: request.details,
        method: request.method,
        errors,
        problem,
        storefront: request.storefront,
    };
    checkout_page(state, visitor, draft, status).await
}

async fn checkout_page(state: &AppState, visitor: &Visitor, draft: Draft, status: StatusCode) -> Response {
    match data_of(state, visitor, draft) {
        Ok(data) => {
            let mut site = visitor.site(state);
            site.cart_pieces = data.quote.cart().pieces();
            render::page(status, Protection::default(), move || {
                view! { <CheckoutPage site=site.clone() data=data.clone() /> }
            })
            .await
        }
        Err(error) => {
            start_problem(error);
            render::message(state, visitor, MessageKind::Unavailable).await
        }
    }
}

fn data_of(state: &AppState, visitor: &Visitor, draft: Draft) -> Result<CheckoutData, StartError> {
    let priced = state.checkout.quote(&QuoteRequest {
        lines: draft.lines,
        delivery: draft.delivery,
        language: visitor.language,
        signed_quote: draft.storefront.signed_quote.clone(),
    });
    let (quote, problem) = match priced {
        Ok(quote) => (quote, draft.problem),
        Err(StartError::Problem(problem)) => {
            (widget::nothing(state.checkout.catalog.currency, visitor.language), Some(problem))
        }
        Err(other) => return Err(other),
    };
    let methods = state.checkout.settings.methods_for(quote.currency);
    let cart_id = if !draft.storefront.signed_quote.is_empty() {
        cart_of_quote(&draft.storefront.signed_quote)
    } else if domain::messages::is_key(&draft.cart_id) {
        draft.cart_id
    } else {
        Token::random()?.secret().to_owned()
    };
    Ok(CheckoutData {
        cart_id,
        key: Token::random()?.secret().to_owned(),
        details: draft.details,
        method: draft.method.filter(|method| methods.contains(method)).or(methods.first().copied()),
        methods,
        countries: widget::countries(state, visitor.language),
        errors: draft.errors,
        problem,
        quote,
        storefront: draft.storefront,
    })
}

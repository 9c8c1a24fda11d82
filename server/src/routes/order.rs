//! The pages of an order: the result, and where a cancelled payment leads.

use app::pages::{CancelledPage, MessageKind, OrderView, ResultPage};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use checkout::start::cart_hash;
use checkout::store::OrderFile;
use checkout::storefront::bought;
use checkout::token::Token;
use domain::ShopperState;
use leptos::prelude::*;

use crate::backend::unavailable;
use crate::order_view::order_view;
use crate::render::{self, Protection, Referrer};
use crate::state::AppState;
use crate::visitor::Visitor;

/// Whoever has the address sees the order, so the address goes nowhere.
fn secret_address() -> Protection {
    Protection { referrer: Referrer::SameOrigin, ..Protection::default() }
}

/// `GET /checkout/result/{token}`
pub(super) async fn result(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(token): Path<String>,
) -> Response {
    let (visitor, order, is_done) = match load(&state, visitor, &token).await {
        Ok(loaded) => loaded,
        Err(answer) => return answer,
    };
    let site = visitor.site(&state);
    let page = render::page(StatusCode::OK, secret_address(), move || {
        view! { <ResultPage site=site.clone() order=order.clone() /> }
    })
    .await;
    finish(&state, page, is_done)
}

/// `GET /checkout/cancelled/{token}`
pub(super) async fn cancelled(
    State(state): State<AppState>,
    visitor: Visitor,
    Path(token): Path<String>,
) -> Response {
    let (visitor, order, is_done) = match load(&state, visitor, &token).await {
        Ok(loaded) => loaded,
        Err(answer) => return answer,
    };
    let site = visitor.site(&state);
    let page = render::page(StatusCode::OK, secret_address(), move || {
        view! { <CancelledPage site=site.clone() order=order.clone() /> }
    })
    .await;
    finish(&state, page, is_done)
}

/// `GET /checkout/unknown`: back from the gateway, and nobody knows from what.
pub(super) async fn unknown(State(state): State<AppState>, visitor: Visitor) -> Response {
    render::message(&state, &visitor, MessageKind::ReturnUnverified).await
}

/// The order of an address, and whether the browser's cart has become it.
async fn load(
    state: &AppState,
    mut visitor: Visitor,
    token: &str,
) -> Result<(Visitor, OrderView, bool), Response> {
    let Some(token) = Token::parse(token) else {
        return Err(render::message(state, &visitor, MessageKind::NotFound).await);
    };
    let loaded = async {
        let Some(file) = state.checkout.order_of_token(&token).await? else {
            return Ok(None);
        };
        let view = order_view(state, &file, &token, visitor.language).await?;
        Ok(Some((file, view)))
    };
    match loaded.await {
        Ok(Some((file, order))) => {
            let is_done = is_done(&file, &order, &visitor);
            if is_done {
                visitor.cart = None;
            }
            Ok((visitor, order, is_done))
        }
        Ok(None) => Err(render::message(state, &visitor, MessageKind::NotFound).await),
        Err(error) => {
            unavailable(&error);
            Err(render::message(state, &visitor, MessageKind::Unavailable).await)
        }
    }
}

/// A cart that was bought is forgotten; one that was filled anew meanwhile is not.
fn is_done(file: &OrderFile, order: &OrderView, visitor: &Visitor) -> bool {
    matches!(order.state, ShopperState::Paid | ShopperState::Awaiting)
        && visitor
            .cart
            .as_ref()
            .is_some_and(|cart| cart_hash(&cart.id) == file.order.new.cart && cart.lines == bought(file))
}

fn finish(state: &AppState, page: Response, is_done: bool) -> Response {
    render::with_cookies(page, is_done.then(|| state.shop.cookies.forget_cart()))
}

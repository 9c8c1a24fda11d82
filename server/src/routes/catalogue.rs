//! The start page, and what it does to the cart.

use app::form;
use app::pages::{CatalogueItem, CataloguePage, MessageKind};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use checkout::format;
use domain::Cart;
use leptos::prelude::*;

use crate::cookies::CartCookie;
use crate::render::{self, Protection};
use crate::state::AppState;
use crate::visitor::Visitor;

/// `GET /`
pub(super) async fn show(State(state): State<AppState>, visitor: Visitor) -> Response {
    let site = visitor.site(&state);
    let items: Vec<CatalogueItem> = state
        .checkout
        .catalog
        .items
        .iter()
        .map(|item| CatalogueItem {
            sku: item.sku.clone(),
            name: item.name.in_language(visitor.language).to_owned(),
            description: item.description.in_language(visitor.language).to_owned(),
            image: item.image.clone(),
            price: format::price(item.price, visitor.language),
        })
        .collect();
    let catalog = &state.checkout.catalog;
    let heading = match catalog.heading.in_language(visitor.language) {
        "" => site.shop_name.clone(),
        heading => heading.to_owned(),
    };
    let intro = catalog.intro.in_language(visitor.language).to_owned();
    render::page(StatusCode::OK, Protection::default(), move || {
        view! {
            <CataloguePage
                site=site.clone()
                heading=heading.clone()
                intro=intro.clone()
                items=items.clone()
            />
        }
    })
    .await
}

/// `POST /cart/add`: `sku` and `quantity`.
pub(super) async fn add(State(state): State<AppState>, visitor: Visitor, body: Bytes) -> Response {
    let value = |wanted: &str| {
        form_urlencoded::parse(&body).find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
    };
    let sku = value(form::SKU).unwrap_or_default();
    let quantity = value("quantity").and_then(|text| text.trim().parse::<u32>().ok()).unwrap_or(1);
    if state.checkout.catalog.item(&sku).is_none() {
        return render::message(&state, &visitor, MessageKind::NotFound).await;
    }
    let cart = match visitor.cart.clone() {
        Some(cart) => Ok(cart),
        None => CartCookie::new(Cart::default()),
    };
    let Ok(mut cart) = cart else {
        return render::message(&state, &visitor, MessageKind::Unavailable).await;
    };
    if cart.lines.add(&sku, quantity).is_err() {
        return render::message(&state, &visitor, MessageKind::BadRequest).await;
    }
    render::with_cookies(render::see_other(&format!("/#item-{sku}")), [state.shop.cookies.keep_cart(&cart)])
}

/// `POST /cart/set`: `cart_id` and `lines`, from the checkout page's script, so that the cookie follows the
/// page.
pub(super) async fn set(State(state): State<AppState>, visitor: Visitor, body: Bytes) -> Response {
    let value =
        |wanted: &str| form_urlencoded::parse(&body).find(|(name, _)| name == wanted).map(|(_, value)| value);
    let Some(Ok(lines)) = value(form::LINES).map(|lines| Cart::parse(&lines)) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let id = value(form::CART_ID).unwrap_or_default();
    // Only the cart that this browser has: a page of another cart (`?cart=`) leaves it as it is.
    let cart = visitor.cart.filter(|cart| cart.id == id).map(|cart| CartCookie { lines, ..cart });
    render::with_cookies(
        StatusCode::NO_CONTENT.into_response(),
        cart.map(|cart| state.shop.cookies.keep_cart(&cart)),
    )
}

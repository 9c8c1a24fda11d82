//! The merchant's door.

use std::convert::Infallible;

use app::pages::MessageKind;
use app::pages::merchant::{Desk, SignIn, SignInPage, field, path};
use app::text::texts;
use axum::body::Bytes;
use axum::extract::{FromRequestParts, Query, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use checkout::sign_in::{DoorError, DoorProblem};
use leptos::prelude::*;
use serde::Deserialize;

use super::{page, value};
use crate::render;
use crate::staff::{Staff, client_of, door, door_failed, session_of};
use crate::state::AppState;
use crate::visitor::Visitor;

/// How the door was come to.
#[derive(Deserialize)]
pub(super) struct Arrival {
    #[serde(default)]
    next: String,
    /// Whether a session has ended.
    ended: Option<String>,
    /// Whether somebody signed out.
    out: Option<String>,
}

/// Where a request comes from.
pub(super) struct From(String);

impl FromRequestParts<AppState> for From {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        Ok(Self(client_of(state, parts)))
    }
}

/// Where to go once signed in: to a page of the merchant's, and nowhere else, whoever wrote the address.
fn inside(next: &str) -> &str {
    let is_ours = next.starts_with("/merchant/")
        && !next.starts_with(path::SIGN_IN)
        && !next.starts_with(path::SIGN_OUT)
        && !next.contains("//")
        && next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_ours { next } else { path::TRANSACTIONS }
}

/// `GET /merchant/sign-in`
pub(super) async fn show(
    State(state): State<AppState>,
    visitor: Visitor,
    staff: Result<Staff, Response>,
    Query(arrival): Query<Arrival>,
) -> Response {
    if staff.is_ok() {
        return render::see_other(inside(&arrival.next));
    }
    let texts = &texts(visitor.language).merchant;
    let notice = if arrival.ended.is_some() {
        Some(texts.session_ended)
    } else {
        arrival.out.map(|_| texts.signed_out)
    };
    let door = SignIn { next: arrival.next, notice, ..SignIn::default() };
    show_door(&state, &visitor, door, StatusCode::OK).await
}

/// `GET /merchant/sign-in/code`
pub(super) async fn show_code(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(arrival): Query<Arrival>,
) -> Response {
    let door = SignIn { next: arrival.next, wants_code: true, ..SignIn::default() };
    show_door(&state, &visitor, door, StatusCode::OK).await
}

async fn show_door(state: &AppState, visitor: &Visitor, door: SignIn, status: StatusCode) -> Response {
    let desk =
        Desk { site: visitor.site(state), user: String::new(), may_administer: false, here: path::SIGN_IN };
    page(status, move || view! { <SignInPage desk=desk.clone() door=door.clone() /> }).await
}

/// `POST /merchant/sign-in`
pub(super) async fn sign_in(
    State(state): State<AppState>,
    visitor: Visitor,
    From(address): From,
    body: Bytes,
) -> Response {
    let (email, next) = (value(&body, field::EMAIL), value(&body, field::NEXT));
    // A password is taken as it is: blanks belong to it.
    let password = form_urlencoded::parse(&body)
        .find(|(name, _)| name == field::PASSWORD)
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default();
    match state.checkout.sign_in(&email, &password, &address).await {
        Ok(signed_in) => {
            let location = if signed_in.needs_code {
                door(path::CODE, inside(&next), false)
            } else {
                inside(&next).to_owned()
            };
            let cookie = state.shop.cookies.keep_session(&signed_in.session);
            render::with_cookies(render::see_other(&location), [cookie])
        }
        Err(error) => {
            let door = SignIn { email, next, ..SignIn::default() };
            refused(&state, &visitor, door, error).await
        }
    }
}

/// `POST /merchant/sign-in/code`
pub(super) async fn enter_code(
    State(state): State<AppState>,
    visitor: Visitor,
    From(address): From,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (code, next) = (value(&body, field::CODE), value(&body, field::NEXT));
    let Some(waiting) = session_of(&state, &headers) else {
        return render::see_other(&door(path::SIGN_IN, inside(&next), false));
    };
    match state.checkout.sign_in_with_code(&waiting, &code, &address).await {
        Ok(session) => {
            let cookie = state.shop.cookies.keep_session(&session);
            render::with_cookies(render::see_other(inside(&next)), [cookie])
        }
        Err(DoorError::Problem(DoorProblem::SessionEnded)) => {
            render::see_other(&door(path::SIGN_IN, inside(&next), true))
        }
        Err(error) => {
            let door = SignIn { next, wants_code: true, ..SignIn::default() };
            refused(&state, &visitor, door, error).await
        }
    }
}

/// The door once more, with what was wrong.
async fn refused(state: &AppState, visitor: &Visitor, door: SignIn, error: DoorError) -> Response {
    let texts = &texts(visitor.language).merchant;
    let (problem, status) = match error {
        DoorError::Problem(DoorProblem::TooManyGuesses) => {
            (texts.too_many_guesses, StatusCode::TOO_MANY_REQUESTS)
        }
        DoorError::Problem(DoorProblem::WrongCode) => (texts.wrong_code, StatusCode::UNPROCESSABLE_ENTITY),
        DoorError::Problem(_) => (texts.wrong_sign_in, StatusCode::UNPROCESSABLE_ENTITY),
        DoorError::Failed(_) => {
            door_failed(&error);
            return render::message(state, visitor, MessageKind::Unavailable).await;
        }
    };
    show_door(state, visitor, SignIn { problem: Some(problem), ..door }, status).await
}

/// `POST /merchant/sign-out`
pub(super) async fn sign_out(State(state): State<AppState>, staff: Result<Staff, Response>) -> Response {
    if let Ok(staff) = staff
        && let Err(error) = state.checkout.sign_out(&staff.session, staff.actor()).await
    {
        door_failed(&error);
    }
    let out = render::see_other(&format!("{}?out=1", path::SIGN_IN));
    render::with_cookies(out, [state.shop.cookies.forget_session()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_out_of_the_merchants_pages() {
        assert_eq!(inside("/merchant/transactions/TG-1?do=refund"), "/merchant/transactions/TG-1?do=refund");
        for outside in [
            "",
            "/",
            "/checkout",
            "//evil.example/merchant/",
            "/merchant//evil.example",
            "/merchant/\\evil.example",
            "https://evil.example/merchant/",
            "/merchant/sign-out",
            "/merchant/x\r\nset-cookie: a=b",
            "/merchant/ü",
        ] {
            assert_eq!(inside(outside), path::TRANSACTIONS, "{outside}");
        }
    }
}

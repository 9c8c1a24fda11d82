//! One's own account.

use app::pages::MessageKind;
use app::pages::merchant::{AccountPage, NewFactor, field, path};
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use checkout::sign_in::{DoorError, DoorProblem, NewSecondFactor};
use leptos::prelude::*;
use qrcode::QrCode;
use qrcode::render::svg;
use serde::Deserialize;

use super::{page, value};
use crate::merchant_view::Words;
use crate::render;
use crate::staff::{Staff, door_failed};
use crate::state::AppState;
use crate::visitor::Visitor;

/// What was done just now.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Done {
    done: String,
}

/// `GET /merchant/account`
pub(super) async fn show(
    State(state): State<AppState>,
    visitor: Visitor,
    staff: Staff,
    Query(Done { done }): Query<Done>,
) -> Response {
    let texts = Words { checkout: &state.checkout, language: visitor.language }.texts();
    let news = match done.as_str() {
        "password" => Some(texts.password_changed),
        "factor" if staff.user.has_second_factor => Some(texts.factor_is_on),
        "factor" => Some(texts.factor_is_off),
        _ => None,
    };
    show_account(&state, &visitor, &staff, None, news, Vec::new()).await
}

/// The page of the account. A second factor whose code was mistyped is offered again.
async fn show_account(
    state: &AppState,
    visitor: &Visitor,
    staff: &Staff,
    offered: Option<NewSecondFactor>,
    news: Option<&'static str>,
    found: Vec<(String, String)>,
) -> Response {
    let words = Words { checkout: &state.checkout, language: visitor.language };
    let factor = if staff.user.has_second_factor {
        None
    } else {
        match offered.map_or_else(|| state.checkout.new_second_factor(&staff.user), Ok) {
            Ok(factor) => Some(NewFactor { picture: picture_of(&factor.address), secret: factor.secret }),
            Err(error) => {
                door_failed(&error);
                return render::message(state, visitor, MessageKind::Unavailable).await;
            }
        }
    };
    let role = words.texts().role_words(staff.user.role.name()).to_owned();
    let status = if found.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let desk = staff.desk(state, visitor, path::ACCOUNT);
    page(status, move || {
        view! {
            <AccountPage
                desk=desk.clone()
                role=role.clone()
                factor=factor.clone()
                news=news
                found=found.clone()
            />
        }
    })
    .await
}

/// An address as a QR code: an `svg` element without a style of its own.
fn picture_of(address: &str) -> String {
    let Ok(code) = QrCode::new(address) else { return String::new() };
    let picture = code
        .render::<svg::Color<'_>>()
        .min_dimensions(200, 200)
        .dark_color(svg::Color("#000"))
        .light_color(svg::Color("#fff"))
        .build();
    // What stands in front of the element is for files of their own.
    picture.find("<svg").and_then(|start| picture.get(start..)).unwrap_or_default().to_owned()
}

/// What is said about a problem, and at which field.
fn words_of(texts: &app::text::MerchantTexts, problem: DoorProblem) -> (&'static str, &'static str) {
    match problem {
        DoorProblem::WrongCode => (field::CODE, texts.wrong_code),
        DoorProblem::TooManyGuesses => ("", texts.too_many_guesses),
        DoorProblem::BadPassword => (field::NEW_PASSWORD, texts.bad_password),
        _ => (field::PASSWORD, texts.wrong_sign_in),
    }
}

/// A password as it was typed: blanks belong to it.
fn password(body: &[u8], name: &str) -> String {
    form_urlencoded::parse(body)
        .find(|(found, _)| found == name)
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

/// `POST /merchant/account/password`
pub(super) async fn change_password(
    State(state): State<AppState>,
    visitor: Visitor,
    staff: Staff,
    body: Bytes,
) -> Response {
    let (old, new) = (password(&body, field::PASSWORD), password(&body, field::NEW_PASSWORD));
    let changed =
        state.checkout.change_own_password(&staff.user, &staff.session, &old, &new, &staff.address).await;
    finished(&state, &visitor, &staff, None, changed, "password").await
}

/// `POST /merchant/account/second-factor`: on with a new secret, off without one. The form says which, so that what
/// was switched on already is not switched off by a second press, or by a page that lay open, and the reverse.
pub(super) async fn change_factor(
    State(state): State<AppState>,
    visitor: Visitor,
    staff: Staff,
    body: Bytes,
) -> Response {
    let (secret, code) = (value(&body, field::SECRET), value(&body, field::CODE));
    let checkout = &state.checkout;
    let is_wanted = !secret.is_empty();
    if is_wanted == staff.user.has_second_factor {
        let is_so = if is_wanted { checkout.is_second_factor(&staff.user, &secret).await } else { Ok(true) };
        return match is_so {
            // Whoever keeps another secret in his app would not come in again.
            Ok(false) => {
                let texts = Words { checkout, language: visitor.language }.texts();
                let found = vec![(String::new(), texts.p_changed.to_owned())];
                show_account(&state, &visitor, &staff, None, None, found).await
            }
            is_so => finished(&state, &visitor, &staff, None, is_so.map(drop), "factor").await,
        };
    }
    if !is_wanted {
        let changed = checkout.switch_off_second_factor(&staff.user, &code, &staff.address).await;
        return finished(&state, &visitor, &staff, None, changed, "factor").await;
    }
    let typed = password(&body, field::PASSWORD);
    let changed = checkout.switch_on_second_factor(&staff.user, &typed, &secret, &code, &staff.address).await;
    let offered = checkout.second_factor_again(&staff.user, &secret);
    finished(&state, &visitor, &staff, offered, changed, "factor").await
}

/// The account once more: with what was done, or what was wrong.
async fn finished(
    state: &AppState,
    visitor: &Visitor,
    staff: &Staff,
    offered: Option<NewSecondFactor>,
    changed: Result<(), DoorError>,
    done: &str,
) -> Response {
    match changed {
        Ok(()) => render::see_other(&format!("{}?done={done}", path::ACCOUNT)),
        Err(DoorError::Problem(problem)) => {
            let texts = Words { checkout: &state.checkout, language: visitor.language }.texts();
            let (mut field, words) = words_of(texts, problem);
            if done == "factor" && field == field::PASSWORD {
                field = "factor-password";
            }
            let found = vec![(field.to_owned(), words.to_owned())];
            show_account(state, visitor, staff, offered, None, found).await
        }
        Err(error @ DoorError::Failed(_)) => {
            door_failed(&error);
            render::message(state, visitor, MessageKind::Unavailable).await
        }
    }
}

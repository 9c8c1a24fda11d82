//! The door.

use leptos::prelude::*;

use super::{Desk, Input, field, page, path, problems};
use crate::text::fill;

/// What the door shows.
#[derive(Clone, Debug, Default)]
pub struct SignIn {
    /// What was typed as the e-mail address.
    pub email: String,
    /// Where to go once signed in.
    pub next: String,
    /// Whether the second factor is asked for, and no longer the password.
    pub wants_code: bool,
    /// What is to be said first: that the session has ended, or that somebody is signed out.
    pub notice: Option<&'static str>,
    /// What was wrong.
    pub problem: Option<&'static str>,
}

/// Who is it?
#[component]
pub fn SignInPage(
    /// The shop and the request.
    desk: Desk,
    /// What the door shows.
    door: SignIn,
) -> impl IntoView {
    let texts = desk.texts();
    let next = view! { <input type="hidden" name=field::NEXT value=door.next.clone() /> };
    let (heading, text, first) = if door.wants_code {
        (texts.code_title, texts.code_text.to_owned(), field::CODE)
    } else {
        let text = fill(texts.sign_in_text, &[("shop", &desk.site.shop_name)]);
        (texts.sign_in_title, text, field::EMAIL)
    };
    let found: Vec<_> = door.problem.map(|words| (first.to_owned(), words.to_owned())).into_iter().collect();
    let form = if door.wants_code {
        let code = Input {
            id: field::CODE,
            label: texts.code,
            autocomplete: "one-time-code",
            inputmode: Some("numeric"),
            error: door.problem,
            ..Input::default()
        };
        view! {
            <form class="stack" method="post" action=path::CODE novalidate>
                {next} {code.view()} <button class="button" type="submit">{texts.code_button}</button>
            </form>
        }
        .into_any()
    } else {
        let email = Input {
            id: field::EMAIL,
            kind: "email",
            label: texts.email,
            value: &door.email,
            autocomplete: "username",
            error: door.problem,
            ..Input::default()
        };
        let password = Input {
            id: field::PASSWORD,
            kind: "password",
            label: texts.password,
            autocomplete: "current-password",
            ..Input::default()
        };
        view! {
            <form class="stack" method="post" action=path::SIGN_IN novalidate>
                {next} {email.view()} {password.view()}
                <button class="button" type="submit">{texts.sign_in_button}</button>
            </form>
        }
        .into_any()
    };
    page(
        &desk,
        heading.to_owned(),
        true,
        view! {
            {door.notice.map(|words| view! { <p class="notice" role="status">{words}</p> })}
            {problems(texts, &found)}
            <div class="card door">
                <h1>{heading}</h1>
                <p>{text}</p>
                {form}
            </div>
        },
    )
}

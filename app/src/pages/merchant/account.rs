//! One's own account: password and second factor.

use leptos::prelude::*;

use super::{Desk, Input, fact, field, page, path, problems};

/// A second factor that is offered.
#[derive(Clone, Debug)]
pub struct NewFactor {
    /// Its secret, to be typed.
    pub secret: String,
    /// The same as a picture: an `svg` element, made by the server.
    pub picture: String,
}

/// The account of whoever is signed in.
#[component]
pub fn AccountPage(
    /// The shop and the request.
    desk: Desk,
    /// What they may do, in words.
    role: String,
    /// The second factor that is offered; `None` where one is switched on.
    factor: Option<NewFactor>,
    /// What was done.
    news: Option<&'static str>,
    /// What was wrong, each with its field.
    found: Vec<(String, String)>,
) -> impl IntoView {
    let texts = desk.texts();
    let error = |id: &str| found.iter().find(|(field, _)| field == id).map(|(_, words)| words.as_str());
    let password = |id: &'static str, label: &'static str, hint: &'static str, autocomplete: &'static str| {
        Input { id, kind: "password", label, hint, autocomplete, error: error(id), ..Input::default() }
    };
    let code = Input {
        id: field::CODE,
        label: texts.code,
        autocomplete: "one-time-code",
        inputmode: Some("numeric"),
        error: error(field::CODE),
        ..Input::default()
    };
    let factor = match factor {
        Some(factor) => {
            let own = Input {
                name: field::PASSWORD,
                ..password("factor-password", texts.old_password, "", "current-password")
            };
            view! {
                <p>{texts.factor_off_text}</p>
                <div class="qr" role="img" aria-label=texts.factor_picture inner_html=factor.picture></div>
                <p class="hint">{texts.factor_key} ": " <code>{factor.secret.clone()}</code></p>
                <form class="stack" method="post" action=path::FACTOR novalidate>
                    <input type="hidden" name=field::SECRET value=factor.secret autocomplete="off" />
                    {code.view()} {own.view()}
                    <button class="button" type="submit">{texts.factor_on_button}</button>
                </form>
            }
            .into_any()
        }
        None => view! {
            <p>{texts.factor_on_text}</p>
            <form class="stack" method="post" action=path::FACTOR novalidate>
                {code.view()} <button class="button plain" type="submit">{texts.factor_off_button}</button>
            </form>
        }
        .into_any(),
    };
    page(
        &desk,
        texts.account.to_owned(),
        true,
        view! {
            {news.map(|words| view! { <p class="notice" role="status">{words}</p> })}
            {problems(texts, &found)}
            <div class="card">
                <h1>{texts.account}</h1>
                <dl class="facts">{fact(texts.email, &desk.user)} {fact(texts.role, &role)}</dl>
            </div>
            <section class="card" aria-labelledby="password-title">
                <h2 id="password-title">{texts.password_heading}</h2>
                <p>{texts.password_text}</p>
                <form class="stack" method="post" action=path::PASSWORD novalidate>
                    // For password managers.
                    <input class="sr" type="text" name=field::EMAIL value=desk.user.clone() autocomplete="username" tabindex="-1" aria-hidden="true" readonly />
                    {password(field::PASSWORD, texts.old_password, "", "current-password").view()}
                    {password(field::NEW_PASSWORD, texts.new_password, texts.new_password_hint, "new-password").view()}
                    <button class="button" type="submit">{texts.password_button}</button>
                </form>
            </section>
            <section class="card" aria-labelledby="factor-title">
                <h2 id="factor-title">{texts.factor_heading}</h2>
                {factor}
            </section>
        },
    )
}

//! What is about to happen, in words, before it does.

use leptos::prelude::*;

use super::{Desk, Input, fact, field, page, problems};
use crate::text::MerchantTexts;

/// What is to be confirmed.
#[derive(Clone, Debug, Default)]
pub struct Review {
    /// The question.
    pub heading: String,
    /// What it means, a sentence each.
    pub sentences: Vec<String>,
    /// What was typed, with its labels.
    pub facts: Vec<(&'static str, String)>,
    /// Where the form goes.
    pub action: String,
    /// What it carries.
    pub hidden: Vec<(&'static str, String)>,
    /// What the button says.
    pub button: String,
    /// Whether it takes a code of the second factor.
    pub wants_code: bool,
    /// What was wrong with the code.
    pub problem: Option<&'static str>,
    /// Where it goes back to.
    pub back: String,
}

/// A question with one button that does it.
#[component]
pub fn ReviewPage(
    /// The shop and the request.
    desk: Desk,
    /// What is to be confirmed.
    review: Review,
) -> impl IntoView {
    let texts: &'static MerchantTexts = desk.texts();
    let found: Vec<_> =
        review.problem.map(|words| (field::CODE.to_owned(), words.to_owned())).into_iter().collect();
    let hidden = review
        .hidden
        .into_iter()
        .map(|(name, value)| view! { <input type="hidden" name=name value=value autocomplete="off" /> });
    let code = review.wants_code.then(|| {
        Input {
            id: field::CODE,
            label: texts.code,
            autocomplete: "one-time-code",
            inputmode: Some("numeric"),
            error: review.problem,
            ..Input::default()
        }
        .view()
    });
    let sentences = review.sentences.into_iter().map(|sentence| view! { <p>{sentence}</p> });
    let facts = review.facts.iter().map(|(label, value)| fact(label, value)).collect_view();
    page(
        &desk,
        review.heading.clone(),
        true,
        view! {
            {problems(texts, &found)}
            <div class="card result open">
                <h1>{review.heading}</h1>
                {sentences.collect_view()}
                <dl class="facts">{facts}</dl>
                <form class="stack" method="post" action=review.action novalidate>
                    {hidden.collect_view()} {code} <div class="ways">
                        <button class="button" type="submit">{review.button}</button>
                        <a href=review.back>{texts.review_back}</a>
                    </div>
                </form>
            </div>
        },
    )
}

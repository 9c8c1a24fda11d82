//! Pages that only say something: what went wrong, and where to go from there.

use leptos::prelude::*;

use super::Site;
use super::document::{Frame, document};
use crate::text::MessageTexts;

/// What there is to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    /// Nothing is at this address.
    NotFound,
    /// The link was valid for a short time only.
    Expired,
    /// Too many requests from this address.
    TooManyRequests,
    /// The request was too large.
    TooLarge,
    /// Something that is needed does not answer.
    Unavailable,
    /// The request came from where it may not come from.
    Forbidden,
    /// Whoever is signed in at the merchant's pages may not open it.
    NotAllowed,
    /// The request could not be read.
    BadRequest,
    /// The shopper came back from the gateway with an answer that could not be verified.
    ReturnUnverified,
}

impl MessageKind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::NotFound,
        Self::Expired,
        Self::TooManyRequests,
        Self::TooLarge,
        Self::Unavailable,
        Self::Forbidden,
        Self::NotAllowed,
        Self::BadRequest,
        Self::ReturnUnverified,
    ];

    /// The HTTP status that goes with it.
    pub const fn status(self) -> u16 {
        match self {
            Self::NotFound => 404,
            Self::Expired => 410,
            Self::TooManyRequests => 429,
            Self::TooLarge => 413,
            Self::Unavailable => 503,
            Self::Forbidden | Self::NotAllowed => 403,
            Self::BadRequest | Self::ReturnUnverified => 400,
        }
    }

    const fn words(self, texts: &MessageTexts) -> (&'static str, &'static str) {
        match self {
            Self::NotFound => (texts.not_found_title, texts.not_found_text),
            Self::Expired => (texts.expired_title, texts.expired_text),
            Self::TooManyRequests => (texts.too_many_title, texts.too_many_text),
            Self::TooLarge => (texts.too_large_title, texts.too_large_text),
            Self::Unavailable => (texts.unavailable_title, texts.unavailable_text),
            Self::Forbidden => (texts.forbidden_title, texts.forbidden_text),
            Self::NotAllowed => (texts.not_allowed_title, texts.not_allowed_text),
            Self::BadRequest => (texts.bad_request_title, texts.bad_request_text),
            Self::ReturnUnverified => (texts.unverified_title, texts.unverified_text),
        }
    }
}

/// What the page says.
#[derive(Clone, Copy, Debug)]
pub struct MessageData {
    /// Which message.
    pub kind: MessageKind,
}

/// A page that only says something.
#[component]
pub fn MessagePage(
    /// The shop and the request.
    site: Site,
    /// What it says.
    data: MessageData,
) -> impl IntoView {
    let texts = &site.texts().message;
    let (title, text) = data.kind.words(texts);
    if data.kind == MessageKind::NotAllowed {
        let back = view! { <a class="button" href="/merchant/transactions">{texts.to_transactions}</a> };
        return message(&site, title, text, back.into_any()).into_any();
    }
    // Who cannot tell whether he paid is not led to where he would pay again.
    let to_checkout = (data.kind != MessageKind::ReturnUnverified)
        .then(|| view! { <a class="button" href="/checkout">{texts.to_checkout}</a> });
    let ways = view! { {to_checkout} <a href="/">{texts.to_shop}</a> };
    message(&site, title, text, ways.into_any()).into_any()
}

fn message(site: &Site, title: &'static str, text: &'static str, ways: AnyView) -> impl IntoView + use<> {
    document(
        site,
        Frame { title: title.to_owned(), narrow: true, ..Frame::default() },
        view! {
            <div class="card">
                <h1>{title}</h1>
                <p>{text}</p>
                <p class="ways">{ways}</p>
            </div>
        },
    )
}

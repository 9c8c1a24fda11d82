//! The frame of every page: head, header, banners, footer.

use leptos::nonce::use_nonce;
use leptos::prelude::*;

use super::merchant::{self, Desk, MERCHANT_STYLE};
use super::{SCRIPT, STYLES, Site, WASM};
use crate::dom::PAGE_DATA;
use crate::text::{Texts, fill, texts};

/// Starts the bundle, with both of its files asked for at once, and hydrates each island: its `data-component` names an export of the bundle.
///
/// The stock `HydrationScripts` does the same, but copies the nonce into attributes that scripts and
/// style sheets can read, and cannot load from an address that the server makes.
const START: &str = "const f=fetch(w);import(j).then(async m=>{await m.default({module_or_path:f});m.hydrate();\
    for(const e of document.querySelectorAll('leptos-island')){const i=m[e.dataset.component];\
    i?i(e):console.warn('no island '+e.dataset.component)}})";

/// What sets one page apart from the others.
#[derive(Default)]
pub(super) struct Frame {
    /// The title, without the shop's name.
    pub(super) title: String,
    /// One sentence for search engines and link previews; empty for pages that are nobody's to find.
    pub(super) description: String,
    /// The data of the page's island. Pages without one load no script at all.
    pub(super) island: Option<serde_json::Value>,
    /// Seconds after which a browser without scripts loads the page again.
    pub(super) refresh: Option<u32>,
    /// Whether the page is one column of text.
    pub(super) narrow: bool,
    /// Set on the merchant's pages: they have a header and a style sheet of their own.
    pub(super) desk: Option<Desk>,
}

impl Site {
    /// The texts in the shopper's language.
    pub(super) fn texts(&self) -> &'static Texts {
        texts(self.language)
    }
}

/// The whole document around `body`.
pub(super) fn document<B: IntoView>(site: &Site, frame: Frame, body: B) -> impl IntoView + use<B> {
    let Frame { title, description, island, refresh, narrow, desk } = frame;
    let is_public = !description.is_empty();
    let page_title = format!("{title} · {}", site.shop_name);
    let styles = STYLES
        .into_iter()
        .chain(desk.is_some().then_some(MERCHANT_STYLE))
        .map(|name| view! { <link rel="stylesheet" href=format!("{}/{name}", site.pkg) /> })
        .collect_view();
    let header = match &desk {
        Some(desk) => merchant::header(desk).into_any(),
        None => header(site).into_any(),
    };
    let texts = &site.texts().site;
    view! {
        <!DOCTYPE html>
        <html lang=site.language.tag()>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <title>{page_title}</title>
                {is_public.then(|| view! { <meta name="description" content=description /> })}
                {(!is_public).then(|| view! { <meta name="robots" content="noindex" /> })}
                <meta name="color-scheme" content="light dark" />
                {styles}
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                {refresh
                    .map(|seconds| {
                        view! {
                            <noscript>
                                <meta http-equiv="refresh" content=seconds.to_string() />
                            </noscript>
                        }
                    })}
                {island.map(|data| scripts(site, &data))}
            </head>
            <body class:narrow=narrow>
                <a class="skip" href="#main">{texts.skip}</a>
                {site.test_mode.then(|| view! { <aside class="test">{texts.test_mode}</aside> })}
                {header}
                <main id="main">{body}</main>
                {footer(site)}
            </body>
        </html>
    }
}

fn scripts(site: &Site, data: &serde_json::Value) -> impl IntoView + use<> {
    let script = format!("{}/{SCRIPT}", site.pkg);
    let wasm = format!("{}/{WASM}", site.pkg);
    let start = format!("const j={},w={};{START}", literal(&script), literal(&wasm));
    view! {
        <link rel="modulepreload" href=script />
        <script type="application/json" id=PAGE_DATA>{script_safe(&data.to_string())}</script>
        <script type="module" nonce=use_nonce()>{start}</script>
    }
}

/// A text as JavaScript source.
pub(super) fn literal(text: &str) -> String {
    script_safe(&serde_json::Value::from(text).to_string())
}

/// JSON that cannot end the script element it stands in.
fn script_safe(json: &str) -> String {
    json.replace('<', "\\u003c")
}

fn header(site: &Site) -> impl IntoView + use<> {
    let texts = &site.texts().site;
    let pieces = match site.cart_pieces {
        0 => texts.cart.to_owned(),
        1 => texts.cart_piece.to_owned(),
        count => fill(texts.cart_pieces, &[("count", &count.to_string())]),
    };
    let count = view! { <b hidden=site.cart_pieces == 0>{site.cart_pieces}</b> };
    view! {
        <header class="site">
            <a class="brand" href="/" aria-label=fill(texts.home, &[("shop", &site.shop_name)])>
                <svg viewBox="0 0 32 32" aria-hidden="true">
                    <path d="M5 13h19v5a9.500 9.500 0 0 1-19 0zM24 14h1.500a3.500 3.500 0 0 1 0 7H24M14.500 9.500c-3-3 2-4 0-7.500" />
                </svg>
                {site.shop_name.clone()}
            </a>
            // The checkout's script counts on: see `dom::count_cart`.
            <a
                class="cart"
                href="/checkout"
                aria-label=pieces
                data-none=texts.cart
                data-one=texts.cart_piece
                data-many=texts.cart_pieces
            >
                <span>{texts.cart}</span>
                {count}
            </a>
        </header>
    }
}

fn footer(site: &Site) -> impl IntoView + use<> {
    let texts = &site.texts().site;
    let languages = (!site.path.is_empty()).then(|| {
        let more = if site.path.contains('?') { '&' } else { '?' };
        let links = domain::Language::ALL.map(|language| {
            let tag = language.tag();
            let current = (language == site.language).then_some("true");
            view! {
                <a href=format!("{}{more}lang={tag}", site.path) lang=tag hreflang=tag aria-current=current>
                    {language.own_name()}
                </a>
            }
        });
        view! { <nav aria-label=texts.languages>{links.into_iter().collect_view()}</nav> }
    });
    let demo = site.dev.clone().map(|dev| {
        view! {
            <p>
                {texts.demo}
                " "
                <a href=dev.sandbox_url>{texts.demo_link}</a>
            </p>
        }
    });
    view! {
        <footer class="site">
            {languages}
            {demo}
        </footer>
    }
}

/// A fact of a list of facts; nothing where there is nothing to say.
pub(super) fn fact(label: &'static str, value: &str) -> impl IntoView + use<> {
    let value = value.to_owned();
    (!value.is_empty()).then(|| {
        view! {
            <div>
                <dt>{label}</dt>
                <dd>{value}</dd>
            </div>
        }
    })
}

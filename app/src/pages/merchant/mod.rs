//! The merchant's pages: plain HTML and forms, without a script of their own.
//!
//! Amounts, dates and the words of states come ready to show; what may be done is decided by the server, and
//! a page shows the forms that it is told to.

pub mod account;
pub mod audit;
pub mod list;
pub mod order;
pub mod review;
pub mod sign_in;

use leptos::prelude::*;

pub use self::account::{AccountPage, NewFactor};
pub use self::audit::{AuditLine, AuditPage};
pub use self::list::{Choice, MessageLine, TotalLine, TransactionLine, TransactionList, TransactionsPage};
pub use self::order::{
    ActForms, Deed, HistoryLine, OrderDetails, OrderPage, PaymentLine, ReceiptLine, RefundForm, RefundLine,
    WebhookLine,
};
pub use self::review::{Review, ReviewPage};
pub use self::sign_in::{SignIn, SignInPage};

use super::Site;
use super::document::{Frame, document, fact};
use crate::text::{MerchantTexts, fill};

/// The style sheet of the merchant's pages, under [`Site::pkg`].
pub const MERCHANT_STYLE: &str = "merchant.css";

/// Where the merchant's pages are.
pub mod path {
    /// The list, and where the pages begin.
    pub const TRANSACTIONS: &str = "/merchant/transactions";
    /// The list as a file.
    pub const EXPORT: &str = "/merchant/transactions.csv";
    /// The door.
    pub const SIGN_IN: &str = "/merchant/sign-in";
    /// The second step of the door.
    pub const CODE: &str = "/merchant/sign-in/code";
    /// The way out.
    pub const SIGN_OUT: &str = "/merchant/sign-out";
    /// One's own account.
    pub const ACCOUNT: &str = "/merchant/account";
    /// Another password.
    pub const PASSWORD: &str = "/merchant/account/password";
    /// A second factor.
    pub const FACTOR: &str = "/merchant/account/second-factor";
    /// Who did what.
    pub const AUDIT: &str = "/merchant/audit";
    /// A message about an order that nobody knows was looked at.
    pub const SEEN: &str = "/merchant/messages/{id}/seen";

    /// [`SEEN`] of one message.
    pub fn seen(message: i64) -> String {
        SEEN.replace("{id}", &message.to_string())
    }
}

/// Names of the fields of the merchant's forms.
pub mod field {
    /// Who signs in.
    pub const EMAIL: &str = "email";
    /// The password.
    pub const PASSWORD: &str = "password";
    /// The new password.
    pub const NEW_PASSWORD: &str = "new_password";
    /// A code of an authenticator app.
    pub const CODE: &str = "code";
    /// The secret of a second factor that is not switched on yet.
    pub const SECRET: &str = "secret";
    /// Where to go once signed in: a path of the merchant's pages.
    pub const NEXT: &str = "next";
    /// Idempotency key.
    pub const KEY: &str = "key";
    /// The number of a payment.
    pub const PAYMENT: &str = "payment";
    /// The number of a refund.
    pub const REFUND: &str = "refund";
    /// The number of a message to one of the merchant's systems.
    pub const MESSAGE: &str = "message";
    /// How many events that need a person the page shows.
    pub const SHOWN: &str = "shown";
    /// An amount as it is typed.
    pub const AMOUNT: &str = "amount";
    /// Why.
    pub const REASON: &str = "reason";
    /// How a refund was made.
    pub const KIND: &str = "kind";
    /// Whether something that nobody knew was done: `yes` or `no`.
    pub const DONE: &str = "done";
    /// Whether an order counts as paid although less came in.
    pub const SETTLES: &str = "settles";
    /// The amount that was reviewed, in minor units: whatever language the page is in.
    pub const MINOR: &str = "minor";
    /// Whether it was reviewed.
    pub const CONFIRMED: &str = "confirmed";
}

/// What every page behind the door knows.
#[derive(Clone, Debug)]
pub struct Desk {
    /// The shop and the request.
    pub site: Site,
    /// Who is signed in; empty at the door.
    pub user: String,
    /// Whether they may see who did what.
    pub may_administer: bool,
    /// The page's own path among [`path`], to mark it in the navigation.
    pub here: &'static str,
}

impl Desk {
    fn texts(&self) -> &'static MerchantTexts {
        &self.site.texts().merchant
    }
}

/// A page around `body`.
fn page<B: IntoView>(desk: &Desk, title: String, is_narrow: bool, body: B) -> impl IntoView + use<B> {
    let frame = Frame { title, narrow: is_narrow, desk: Some(desk.clone()), ..Frame::default() };
    document(&desk.site, frame, body)
}

/// The header of the merchant's pages.
pub(super) fn header(desk: &Desk) -> impl IntoView + use<> {
    let texts = desk.texts();
    let signed_in = (!desk.user.is_empty()).then(|| {
        let link = |path: &'static str, name: &'static str| {
            let current = (desk.here == path).then_some("page");
            view! { <a href=path aria-current=current>{name}</a> }
        };
        view! {
            <nav aria-label=texts.nav>
                {link(path::TRANSACTIONS, texts.transactions)}
                {desk.may_administer.then(|| link(path::AUDIT, texts.audit))} {link(path::ACCOUNT, texts.account)}
            </nav>
            <form method="post" action=path::SIGN_OUT>
                <span class="hint user" title=fill(texts.skip_user, &[("user", &desk.user)])>
                    {desk.user.clone()}
                </span>
                <button class="quiet" type="submit">{texts.sign_out}</button>
            </form>
        }
    });
    view! {
        <header class="site desk">
            <a class="brand" href=path::TRANSACTIONS>
                {desk.site.shop_name.clone()}
                <span class="hint">{texts.area}</span>
            </a>
            {signed_in}
        </header>
    }
}

/// What is wrong with a form, above it, with a link to the field.
fn problems(texts: &MerchantTexts, found: &[(String, String)]) -> impl IntoView + use<> {
    (!found.is_empty()).then(|| {
        let lines = found.iter().map(|(field, words)| {
            let words = words.clone();
            if field.is_empty() {
                view! { <li>{words}</li> }.into_any()
            } else {
                view! { <li><a href=format!("#{field}")>{words}</a></li> }.into_any()
            }
        });
        view! {
            <div class="problems" role="alert">
                <h2>{texts.problem_title}</h2>
                <ul>{lines.collect_view()}</ul>
            </div>
        }
    })
}

/// A field of one line: its label, hint and error, and the input.
struct Input<'a> {
    id: &'a str,
    /// The field's name, where it is not its id.
    name: &'a str,
    kind: &'static str,
    label: &'a str,
    hint: &'a str,
    value: &'a str,
    autocomplete: &'static str,
    inputmode: Option<&'static str>,
    error: Option<&'a str>,
}

impl Default for Input<'_> {
    fn default() -> Self {
        Self {
            id: "",
            name: "",
            kind: "text",
            label: "",
            hint: "",
            value: "",
            autocomplete: "off",
            inputmode: None,
            error: None,
        }
    }
}

impl Input<'_> {
    fn view(self) -> impl IntoView + use<> {
        let Self { id, name, kind, label, hint, value, autocomplete, inputmode, error } = self;
        let name = if name.is_empty() { id } else { name };
        let (hint_id, error_id) = (format!("{id}-hint"), format!("{id}-error"));
        let mut describes = Vec::new();
        if !hint.is_empty() {
            describes.push(hint_id.clone());
        }
        if error.is_some() {
            describes.push(error_id.clone());
        }
        let described_by = (!describes.is_empty()).then(|| describes.join(" "));
        view! {
            <div class="field">
                <label for=id.to_owned()>{label.to_owned()}</label>
                {(!hint.is_empty()).then(|| view! { <p class="hint" id=hint_id>{hint.to_owned()}</p> })}
                {error.map(|words| view! { <p class="error" id=error_id>{words.to_owned()}</p> })}
                <input
                    id=id.to_owned()
                    name=name.to_owned()
                    type=kind
                    value=value.to_owned()
                    autocomplete=autocomplete
                    inputmode=inputmode
                    aria-describedby=described_by
                    aria-invalid=error.is_some().then_some("true")
                />
            </div>
        }
    }
}

/// The label of a cell, for screens on which a table has no columns; an empty cell has none.
fn labelled(label: &'static str, content: &str) -> Option<&'static str> {
    (!content.is_empty()).then_some(label)
}

/// A state as a small label; `tone` is one of `good`, `open`, `stopped`, or empty.
fn badge(words: &str, tone: &'static str) -> impl IntoView + use<> {
    view! { <span class=format!("badge {tone}")>{words.to_owned()}</span> }
}

//! The page that carries the signed form to the gateway, and the page for a form that was used.

use domain::Price;
use leptos::nonce::use_nonce;
use leptos::prelude::*;

use super::Site;
use super::document::{Frame, document};
use super::order::Home;
use crate::form;
use crate::text::fill;

/// What the hand-over page carries.
#[derive(Clone, Debug)]
pub struct HandoverData {
    /// Who processes the payment: `myPOS`.
    pub gateway_name: String,
    /// Where the form goes.
    pub gateway_url: String,
    /// The signed fields, in their order.
    pub fields: Vec<(String, String)>,
    /// What is to be paid.
    pub total: Price,
    /// The order's number for people.
    pub reference: String,
    /// The storefront that placed it, to lead home to.
    pub home: Option<Home>,
}

/// Sends the form on the first visit only. Whoever comes back, or loads the page again, decides for
/// himself: the same form twice would be a second payment, or an error page.
const SUBMIT: &str = "const n=performance.getEntriesByType('navigation')[0];\
    if(!n||n.type==='navigate')HTMLFormElement.prototype.submit.call(document.forms[0])";

/// The last page of ours before the gateway.
#[component]
pub fn HandoverPage(
    /// The shop and the request.
    site: Site,
    /// What it carries.
    data: HandoverData,
) -> impl IntoView {
    let HandoverData { gateway_name, gateway_url, fields, total, reference, home } = data;
    let texts = &site.texts().handover;
    let names = [("gateway", gateway_name.as_str()), ("shop", site.shop_name.as_str())];
    let fields = fields
        .into_iter()
        .map(|(name, value)| view! { <input type="hidden" name=name value=value autocomplete="off" /> })
        .collect_view();
    let script = view! { <script type="module" nonce=use_nonce()>{SUBMIT}</script> };
    let frame = Frame { title: texts.title.to_owned(), narrow: true, ..Frame::default() };
    let address = origin(&gateway_url).to_owned();
    document(
        &site,
        frame,
        view! {
            <div class="card">
                <h1>{texts.heading}</h1>
                <p>{fill(texts.leaving, &names)}</p>
                <dl class="facts">
                    <div>
                        <dt>{texts.total}</dt>
                        <dd class="big">{total.text}</dd>
                    </div>
                    <div>
                        <dt>{texts.reference}</dt>
                        <dd>{reference}</dd>
                    </div>
                    <div>
                        <dt>{texts.address}</dt>
                        <dd><code>{address}</code></dd>
                    </div>
                </dl>
                <form method="post" action=gateway_url>
                    {fields}
                    <button class="button pay" type="submit">{fill(texts.button, &names)}</button>
                </form>
                <p class="hint">{fill(texts.processed_by, &names)} " " {texts.once}</p>
                <p>{Home::link_or(home.as_ref(), &site, "/checkout", texts.back)}</p>
            </div>
            {script}
        },
    )
}

/// Scheme, host and port of an address.
fn origin(url: &str) -> &str {
    let host_from = url.find("://").map_or(0, |colon| colon + 3);
    let host_to =
        url.get(host_from..).and_then(|rest| rest.find('/')).map_or(url.len(), |slash| host_from + slash);
    url.get(..host_to).unwrap_or(url)
}

/// A hand-over form that was used before.
#[derive(Clone, Debug)]
pub struct HandoverSpent {
    /// Its token.
    pub handoff: String,
    /// A new idempotency key.
    pub key: String,
    /// The storefront that placed it, to lead home to.
    pub home: Option<Home>,
}

/// Shown instead of a form that was used: paying again takes a new one.
#[component]
pub fn HandoverSpentPage(
    /// The shop and the request.
    site: Site,
    /// The form that was used.
    data: HandoverSpent,
) -> impl IntoView {
    let texts = &site.texts().handover;
    let frame = Frame { title: texts.spent_title.to_owned(), narrow: true, ..Frame::default() };
    document(
        &site,
        frame,
        view! {
            <div class="card">
                <h1>{texts.spent_heading}</h1>
                <p>{texts.spent_text}</p>
                <form method="post" action=form::PAY>
                    <input type="hidden" name=form::HANDOFF value=data.handoff autocomplete="off" />
                    <input type="hidden" name=form::KEY value=data.key autocomplete="off" />
                    <button class="button pay" type="submit">{texts.spent_button}</button>
                </form>
                <p>{Home::link_or(data.home.as_ref(), &site, "/checkout", texts.spent_back)}</p>
            </div>
        },
    )
}

#[cfg(test)]
mod tests {
    use super::origin;

    #[test]
    fn the_gateway_is_named_by_its_origin() {
        for (url, shown) in [
            ("https://mypos.com/vmp/checkout", "https://mypos.com"),
            ("http://localhost:3001/vmp/checkout-test", "http://localhost:3001"),
            ("https://mypos.com", "https://mypos.com"),
            ("", ""),
        ] {
            assert_eq!(origin(url), shown);
        }
    }
}

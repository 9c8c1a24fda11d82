//! The catalogue: everything there is to buy.

use domain::{Cart, Price};
use leptos::prelude::*;

use super::Site;
use super::document::{Frame, document};
use crate::form;
use crate::text::fill;

/// An article of the catalogue.
#[derive(Clone, Debug)]
pub struct CatalogueItem {
    /// Its number.
    pub sku: String,
    /// Its name in the shopper's language.
    pub name: String,
    /// A sentence or two about it.
    pub description: String,
    /// Path of its picture.
    pub image: String,
    /// Price of one, VAT included.
    pub price: Price,
}

/// The start page. Adding posts `sku` and `quantity` to [`form::CART_ADD`], which answers 303 back to
/// `/#item-<sku>`.
#[component]
pub fn CataloguePage(
    /// The shop and the request.
    site: Site,
    /// What the page says first.
    heading: String,
    /// A sentence or two below it; may be empty.
    intro: String,
    /// What is sold.
    items: Vec<CatalogueItem>,
) -> impl IntoView {
    let texts = &site.texts().catalogue;
    let frame = Frame {
        title: heading.clone(),
        description: if intro.is_empty() { heading.clone() } else { intro.clone() },
        ..Frame::default()
    };
    let items = items
        .into_iter()
        .enumerate()
        .map(|(number, item)| {
            let CatalogueItem { sku, name, description, image, price } = item;
            let quantity = format!("quantity-{sku}");
            let anchor = format!("item-{sku}");
            // The first row is seen at once, the rest when it is scrolled to.
            let loading = (number > 3).then_some("lazy");
            view! {
                <li id=anchor>
                    {(!image.is_empty()).then(|| view! { <img src=image alt="" width="240" height="240" loading=loading /> })}
                    <h3>{name.clone()}</h3>
                    <p class="about">{description}</p>
                    <form method="post" action=form::CART_ADD>
                        <input type="hidden" name=form::SKU value=sku />
                        <p class="price">{price.text}</p>
                        <label class="sr" for=quantity.clone()>{texts.quantity}</label>
                        <input
                            id=quantity
                            type="number"
                            name="quantity"
                            value="1"
                            min="1"
                            max=Cart::MAX_QUANTITY.to_string()
                            autocomplete="off"
                        />
                        <button class="button" type="submit" aria-label=fill(texts.add_named, &[("name", &name)])>
                            {texts.add}
                        </button>
                    </form>
                </li>
            }
        })
        .collect_view();
    let to_checkout = (site.cart_pieces > 0).then(
        || view! { <p class="onward"><a class="button" href="/checkout">{texts.go_to_checkout}</a></p> },
    );
    document(
        &site,
        frame,
        view! {
            <div class="intro">
                <h1>{heading}</h1>
                <p>{intro}</p>
            </div>
            <h2 class="sr">{texts.list_heading}</h2>
            <ul class="items">{items}</ul>
            {to_checkout}
            <p class="hint after">{texts.vat_note}</p>
        },
    )
}

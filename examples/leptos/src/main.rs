//! A small storefront in Leptos. The articles and their prices are the server's; this shop knows their numbers.

use app::checkout::{CheckoutEvent, CheckoutForm, CheckoutModel, EventHandler};
use app::client::Client;
use app::dom::leave_for;
use app::domain::{Cart, QuoteRequest};
use leptos::prelude::*;
use leptos::task::spawn_local;

/// The articles that are on the shelf: number in the server's catalogue, and the words on the button.
const SHELF: [(&str, &str); 3] = [("sencha", "Add Sencha"), ("mug", "Add a mug"), ("teapot", "Add a teapot")];
/// Where the id of the cart is remembered, so that two tabs pay one order.
const CART_ID: &str = "cart-id";

fn main() {
    mount_to_body(Shop);
}

#[component]
fn Shop() -> impl IntoView {
    let cart = RwSignal::new(Cart::parse("sencha:1").unwrap_or_default());
    let buttons = SHELF.map(|(sku, words)| {
        // A full cart stays as it is.
        let add = move |_| cart.update(|cart| drop(cart.add(sku, 1)));
        view! {
            <button class="button" on:click=add>
                {words}
            </button>
        }
    });
    view! {
        <main>
            <h1>"Moss & Steam"</h1>
            <p class="shelf">{buttons.into_iter().collect_view()}</p>
            <Basket cart />
        </main>
    }
}

/// The checkout. It follows the cart, and the cart follows what the shopper changes there.
#[component]
fn Basket(cart: RwSignal<Cart>) -> impl IntoView {
    let on_event = EventHandler::new(move |event| {
        match event {
            CheckoutEvent::Changed(quote) => cart.set(quote.cart()),
            CheckoutEvent::Leaving(url) => leave_for(url),
            CheckoutEvent::Invalid(_) | CheckoutEvent::Refused(..) => {}
        }
        true
    });
    let begun = RwSignal::new(None::<Result<CheckoutModel, ()>>);
    spawn_local(async move {
        let model = begin(cart.get_untracked()).await;
        begun.set(Some(model.map(|model| CheckoutModel { on_event: Some(on_event), ..model })));
    });
    move || match begun.get() {
        None => view! { <p>"One moment…"</p> }.into_any(),
        Some(Ok(model)) => view! { <CheckoutForm model lines=cart /> }.into_any(),
        Some(Err(())) => {
            view! { <p role="alert">"The checkout does not answer. Please come back later."</p> }.into_any()
        }
    }
}

async fn begin(lines: Cart) -> Result<CheckoutModel, ()> {
    let server = server().ok_or(())?;
    let request = QuoteRequest { lines, ..QuoteRequest::default() };
    let mut model = Client::at(server).begin(&request, &remembered()).await.map_err(drop)?;
    remember(&model.cart_id);
    model.storefront.return_url = window().location().href().map_err(drop)?;
    Ok(model)
}

/// The server that the page names.
fn server() -> Option<&'static str> {
    let meta = document().query_selector("meta[name=tillgate]").ok()??;
    Some(String::leak(meta.get_attribute("content")?))
}

/// Storage may be forbidden; then each page has a cart of its own.
fn storage() -> Option<web_sys::Storage> {
    window().local_storage().ok()?
}

fn remembered() -> String {
    storage().and_then(|storage| storage.get_item(CART_ID).ok()?).unwrap_or_default()
}

fn remember(cart_id: &str) {
    if let Some(storage) = storage() {
        let _ = storage.set_item(CART_ID, cart_id);
    }
}

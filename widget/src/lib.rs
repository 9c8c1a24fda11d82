//! The WebAssembly entry of the custom element: Trunk builds it, and the hand-written element loads it.
//!
//! It shows the same components as our own checkout page in an element of the host's, asks the server that the
//! host names, and tells the host what happens. Nothing that a host passes makes it panic: what cannot be read
//! is passed over, and [`mount`] says so where nothing can be shown.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

use app::checkout::{Checkout, CheckoutEvent, CheckoutModel, EventHandler, TableError, checkout_form};
use app::client::Client;
use app::dom::Listening;
use app::wire::Json;
use domain::{Cart, Details, Field, PaymentMethod, Problem, Quote, Storefront};
use js_sys::{Array, Object, Reflect};
use leptos::mount::mount_to;
use leptos::prelude::*;
use send_wrapper::SendWrapper;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::HtmlElement;

#[wasm_bindgen]
extern "C" {
    /// The element around a checkout.
    pub type Host;

    /// Tells the page; false where it cancelled what was about to happen.
    #[wasm_bindgen(method, catch)]
    fn emit(this: &Host, name: &str, detail: &JsValue) -> Result<bool, JsValue>;

    /// Opens an address in the top window; false where that is forbidden.
    #[wasm_bindgen(method, catch)]
    fn leave(this: &Host, url: &str) -> Result<bool, JsValue>;
}

/// A checkout that is shown. Freeing it takes it out of the page.
#[wasm_bindgen]
pub struct Mounted {
    checkout: Checkout,
    /// What the host filled in.
    customer: RefCell<Details>,
    /// Ends when it is dropped.
    _listening: Listening,
    /// Unmounts when it is dropped.
    _shown: Box<dyn Any>,
}

/// Shows a checkout inside of `root`.
///
/// `options` has `api` (the server's origin), `table` (its answer at `/api/checkout/widget`), and what of
/// `customer` (what the host knows), `typed` (what the shopper had typed), `method`, `quote`, `reference` and
/// `return_url` there is.
///
/// Throws `"outdated"` where the server is of another version than this bundle, and `"unreadable"` where `root`
/// or the table is none.
#[wasm_bindgen]
pub fn mount(root: JsValue, host: Host, options: &JsValue) -> Result<Mounted, JsValue> {
    let unreadable = || JsValue::from_str("unreadable");
    let root: HtmlElement = root.dyn_into().map_err(|_| unreadable())?;
    root.set_class_name("tillgate");
    let table = options.member("table").ok_or_else(unreadable)?;
    let api = text(options, "api").ok_or_else(unreadable)?;
    // As long as the page lives, as the texts do: a checkout is not mounted often.
    let client = Client::at(String::leak(api));
    let mut model = CheckoutModel::from_table(&table, client).map_err(|error| match error {
        TableError::Outdated => JsValue::from_str("outdated"),
        TableError::Unreadable => unreadable(),
    })?;
    read_storefront(options, &mut model.storefront);
    if let Some(method) = text(options, "method").and_then(|id| PaymentMethod::from_id(&id)) {
        model.method = Some(method).filter(|method| model.methods.contains(method)).or(model.method);
    }
    let host = SendWrapper::new(host);
    model.on_event = Some(EventHandler::new(move |event| tell(&host, event)));
    let test = table.member("words").and_then(|words| text(&words, "test"));

    let handle = Rc::new(Cell::new(None));
    let made = Rc::clone(&handle);
    let shown = mount_to(root, move || {
        let checkout = Checkout::new(&model);
        made.set(Some(checkout));
        view! {
            {test.map(|words| view! { <p class="test" part="test">{words}</p> })}
            {checkout_form(checkout, &model)}
        }
    });
    let checkout = handle.get().ok_or_else(unreadable)?;
    let mounted = Mounted {
        checkout,
        customer: RefCell::default(),
        _listening: checkout.come_alive(),
        _shown: Box::new(shown),
    };
    if let Some(typed) = options.member("typed") {
        checkout.fill(&Details::default(), &details(&typed));
    }
    mounted.fill(options);
    Ok(mounted)
}

#[wasm_bindgen]
impl Mounted {
    /// Changes what is given: `lines`, `customer`, `quote`, `reference`, `return_url`.
    pub fn update(&self, change: &JsValue) {
        self.fill(change);
        self.checkout.set_storefront(|storefront| read_storefront(change, storefront));
        if let Some(lines) = text(change, "lines").and_then(|lines| Cart::parse(&lines).ok()) {
            self.checkout.set_lines(lines);
        }
    }

    /// What the shopper has before him: `lines`, `customer`, `delivery`, `method`.
    pub fn state(&self) -> JsValue {
        let Some((lines, delivery, method, details)) = self.checkout.now() else {
            return JsValue::NULL;
        };
        let customer = Field::DETAILS.map(|field| (field.name(), details.get(field).into()));
        object(&[
            ("lines", lines.to_string().into()),
            ("customer", object(&customer)),
            ("delivery", delivery.into()),
            ("method", method.map(PaymentMethod::id).into()),
        ])
    }

    fn fill(&self, options: &JsValue) {
        let Some(customer) = options.member("customer") else { return };
        let details = details(&customer);
        let before = self.customer.replace(details.clone());
        self.checkout.fill(&before, &details);
    }
}

fn details(customer: &JsValue) -> Details {
    let mut details = Details::default();
    for field in Field::DETAILS {
        details.set(field, text(customer, field.name()).unwrap_or_default());
    }
    details
}

fn text(object: &JsValue, name: &str) -> Option<String> {
    object.member(name)?.text()
}

/// Takes over what an object says about the order.
fn read_storefront(from: &JsValue, storefront: &mut Storefront) {
    let Storefront { signed_quote, reference, return_url } = storefront;
    for (name, value) in [("quote", signed_quote), ("reference", reference), ("return_url", return_url)] {
        if let Some(given) = text(from, name) {
            *value = given;
        }
    }
}

/// Tells the host.
fn tell(host: &Host, event: CheckoutEvent<'_>) -> bool {
    let emit = |name: &str, detail: JsValue| host.emit(name, &detail).unwrap_or(true);
    match event {
        CheckoutEvent::Changed(quote) => emit("change", change_detail(quote)),
        CheckoutEvent::Invalid(fields) => {
            let fields: Array = fields
                .into_iter()
                .map(|(error, message)| {
                    object(&[
                        ("field", error.field.name().into()),
                        ("problem", error.problem.name().into()),
                        ("message", message.into()),
                    ])
                })
                .collect();
            emit("invalid", object(&[("fields", fields.into())]))
        }
        CheckoutEvent::Leaving(url) => {
            emit("redirect", object(&[("url", url.into())])) && host.leave(url).unwrap_or(false)
        }
        CheckoutEvent::Refused(problem, message) => {
            let code = match problem {
                Problem::Quote(problem) => ["quote_", problem.name()].concat(),
                problem => problem.name().to_owned(),
            };
            emit("error", object(&[("code", code.into()), ("message", message.into())]))
        }
    }
}

fn change_detail(quote: &Quote) -> JsValue {
    // What a quote fixes is nothing that could be set as `lines`: the element says its own.
    let lines: Array = quote
        .lines
        .iter()
        .filter(|_| !quote.fixed)
        .map(|line| object(&[("sku", line.sku.as_str().into()), ("quantity", line.quantity.into())]))
        .collect();
    // A discount is no piece.
    let pieces = quote.lines.iter().filter(|line| line.unit.minor >= 0).map(|line| line.quantity);
    object(&[
        ("lines", lines.into()),
        ("pieces", pieces.sum::<u32>().into()),
        (
            "total",
            object(&[("minor", number(quote.total.minor)), ("text", quote.total.text.as_str().into())]),
        ),
        ("currency", quote.currency.code().into()),
        ("fixed", quote.fixed.into()),
    ])
}

/// An amount as JavaScript's number.
#[expect(clippy::cast_precision_loss, reason = "amounts stay far below 2^53")]
fn number(minor: i64) -> JsValue {
    JsValue::from_f64(minor as f64)
}

fn object(members: &[(&str, JsValue)]) -> JsValue {
    let object = Object::new();
    for (name, value) in members {
        // A new object takes any member.
        let _ = Reflect::set(&object, &JsValue::from_str(name), value);
    }
    object.into()
}

//! The few things that the components ask of the browser. On the server all of them answer `None`.

use domain::{Details, Field};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    Document, Element, Event, EventTarget, FormData, HtmlElement, HtmlFormElement, HtmlInputElement,
    HtmlSelectElement, SubmitEvent,
};

/// Where the server leaves the data of a page's island: JSON in a script element that does not run.
pub const PAGE_DATA: &str = "page-data";

/// The document; `None` on the server.
pub fn document() -> Option<Document> {
    if cfg!(target_arch = "wasm32") { web_sys::window()?.document() } else { None }
}

/// The data that the server left for this page's island.
pub fn page_data() -> Option<JsValue> {
    let text = document()?.get_element_by_id(PAGE_DATA)?.text_content()?;
    js_sys::JSON::parse(&text).ok()
}

/// Lets the header count the pieces in the cart; its texts stand on the link.
pub fn count_cart(pieces: u32) {
    let link = document().and_then(|document| document.query_selector("header .cart").ok().flatten());
    let Some(link) = link else { return };
    let text = match pieces {
        0 => "data-none",
        1 => "data-one",
        _ => "data-many",
    };
    let count = pieces.to_string();
    if let Some(text) = link.get_attribute(text) {
        let _ = link.set_attribute("aria-label", &text.replace("{count}", &count));
    }
    if let Ok(Some(badge)) = link.query_selector("b") {
        badge.set_text_content(Some(&count));
        let _ = badge.toggle_attribute_with_force("hidden", pieces == 0);
    }
}

/// What stands in a form at this moment. The fields themselves hold what was typed, so what was typed
/// before the page came alive, or restored by the browser, is there as well.
#[derive(Debug)]
pub struct Typed(FormData);

impl Typed {
    /// Reads a form.
    pub fn of(form: &HtmlFormElement) -> Option<Self> {
        FormData::new_with_form(form).ok().map(Self)
    }

    /// Reads the form with this id.
    pub fn of_id(id: &str) -> Option<Self> {
        Self::of(document()?.get_element_by_id(id)?.dyn_ref()?)
    }

    /// A field's value.
    pub fn get(&self, name: &str) -> Option<String> {
        self.0.get(name).as_string()
    }

    /// The shopper's details.
    pub fn details(&self) -> Details {
        let mut details = Details::default();
        for field in Field::DETAILS {
            details.set(field, self.get(field.name()).unwrap_or_default());
        }
        details
    }
}

/// Fills the fields of a form: those that are empty, or hold what `before` filled.
pub fn fill(form: &HtmlFormElement, before: &Details, details: &Details) {
    for field in Field::DETAILS {
        let (before, value) = (before.get(field), details.get(field));
        let Ok(Some(found)) = form.query_selector(&["[name=", field.name(), "]"].concat()) else { continue };
        if let Some(input) = found.dyn_ref::<HtmlInputElement>() {
            if input.value().is_empty() || input.value() == before {
                input.set_value(value);
            }
        } else if let Some(select) = found.dyn_ref::<HtmlSelectElement>()
            && (select.value().is_empty() || select.value() == before)
        {
            select.set_value(value);
        }
    }
}

/// Listeners that stay until this is dropped.
pub struct Listening {
    handler: Closure<dyn Fn(Event)>,
    places: Vec<(EventTarget, &'static str)>,
}

impl Listening {
    /// Listens to each kind of event at its place. One handler for all of them: the code of each further one
    /// would cost every shopper more.
    pub fn at(places: Vec<(EventTarget, &'static str)>, handler: impl Fn(Event) + 'static) -> Self {
        let handler: Closure<dyn Fn(Event)> = Closure::new(handler);
        for (target, kind) in &places {
            let _ = target.add_event_listener_with_callback(kind, handler.as_ref().unchecked_ref());
        }
        Self { handler, places }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        for (target, kind) in &self.places {
            let _ = target.remove_event_listener_with_callback(kind, self.handler.as_ref().unchecked_ref());
        }
    }
}

/// Name and value of the field that an event is about.
pub fn field_of(event: &Event) -> Option<(String, String)> {
    let input: HtmlInputElement = event.target()?.dyn_into().ok()?;
    Some((input.name(), input.value()))
}

/// Name and value of the button that submitted a form; empty where there is none.
pub fn button_of(event: &Event) -> (String, String) {
    let button = event.dyn_ref::<SubmitEvent>().and_then(SubmitEvent::submitter);
    let attribute =
        |name: &str| button.as_ref().and_then(|button| button.get_attribute(name)).unwrap_or_default();
    (attribute("name"), attribute("value"))
}

/// The fragment that a click on a link within the page leads to, `#email`.
pub fn fragment_of(event: &Event) -> Option<String> {
    let clicked: Element = event.target()?.dyn_into().ok()?;
    clicked.closest("a[href^=\"#\"]").ok()??.get_attribute("href")
}

/// A new idempotency key: 22 characters of 6 random bits.
pub fn random_key() -> Option<String> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut bytes = [0; 22];
    web_sys::window()?.crypto().ok()?.get_random_values_with_u8_array(&mut bytes).ok()?;
    bytes.iter().map(|byte| ALPHABET.get(usize::from(byte & 63)).map(|letter| char::from(*letter))).collect()
}

/// Moves the focus to what `selector` finds inside of `root`.
pub fn focus(root: &HtmlElement, selector: &str) {
    if let Ok(Some(found)) = root.query_selector(selector)
        && let Some(element) = found.dyn_ref::<HtmlElement>()
    {
        let _ = element.focus();
    }
}

/// Opens `location` in the top window, so that a payment page is never framed.
pub fn leave_for(location: &str) {
    if let Some(window) = web_sys::window() {
        let top = window.top().ok().flatten().unwrap_or(window);
        let _ = top.location().set_href(location);
    }
}

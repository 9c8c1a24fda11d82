//! What a checkout form knows while it is used, and what it does.

use std::time::Duration;

use domain::{Cart, Details, Field, FieldError, FieldProblem, Language, PaymentMethod, Problem};
use domain::{Quote, QuoteRequest, StartRequest, Storefront};
use leptos::html::Form;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsCast;
use web_sys::{Event, EventTarget};

use super::event::{CheckoutEvent, EventHandler};
use super::{CheckoutModel, FORM_ID};
use crate::client::Client;
use crate::dom::{self, Listening, Typed};
use crate::form;
use crate::text::CheckoutTexts;

/// How often a call is repeated by itself before the shopper has to ask for it.
const REPEATS: u64 = 3;
/// How long to wait for more changes of the cart before its price is asked.
const TYPING_PAUSE: Duration = Duration::from_millis(300);

/// The name of the button that asks for the prices again.
pub(super) const RETRY: &str = "retry";

/// Whether the shown prices belong to the shown cart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prices {
    /// They do.
    Current,
    /// New ones were asked for.
    Asked,
    /// New ones were asked for, and did not come.
    Failed,
}

/// Everything that changes.
pub(super) struct State {
    /// The words.
    pub(super) texts: &'static CheckoutTexts,
    /// The prices that are shown.
    pub(super) quote: Quote,
    /// The cart that the shopper wants; ahead of the quote's while prices are asked.
    pub(super) wanted: Cart,
    /// The delivery that the shopper wants.
    pub(super) delivery: String,
    /// The chosen method.
    pub(super) method: Option<PaymentMethod>,
    /// Whether the shown prices are current.
    pub(super) prices: Prices,
    /// What is wrong with which field now.
    pub(super) errors: Vec<FieldError>,
    /// What was wrong at the last press of Pay: the summary stays still while fields are mended.
    pub(super) summary: Vec<FieldError>,
    /// Why a payment did not start.
    pub(super) problem: Option<Problem>,
    /// Whether a payment is being started.
    pub(super) starting: bool,
    /// Whether scripts run: what only plain forms need is hidden then.
    pub(super) alive: bool,
    /// The idempotency key of the next press of Pay.
    pub(super) key: String,
    /// The cart's id.
    pub(super) cart_id: String,
    /// What a storefront says about the order.
    pub(super) storefront: Storefront,
    /// Who is told what happens.
    on_event: Option<EventHandler>,
    /// Counts the changes of cart and delivery, so that a late answer is told from the latest.
    pub(super) change: u64,
}

impl State {
    /// What is wrong with a field, in words.
    pub(super) fn error(&self, field: Field) -> Option<String> {
        let error = self.errors.iter().find(|error| error.field == field)?;
        Some(self.texts.error(*error))
    }

    /// What is said about the problem of the whole form; empty where there is none to be said.
    pub(super) fn problem_words(&self) -> String {
        self.problem.as_ref().and_then(|problem| self.texts.problem(problem)).unwrap_or_default()
    }

    /// Why there is nothing to buy: heading and sentence.
    pub(super) fn why_empty(&self) -> (String, String) {
        let (texts, words) = (self.texts, self.problem_words());
        if words.is_empty() {
            (texts.empty_heading.to_owned(), texts.empty_text.to_owned())
        } else {
            (texts.problem_title.to_owned(), words)
        }
    }

    fn show(&mut self, quote: Quote) {
        self.wanted = quote.cart();
        quote.chosen_delivery().clone_into(&mut self.delivery);
        self.prices = Prices::Current;
        self.quote = quote;
    }

    /// Takes a new idempotency key; false where the browser has no random numbers.
    fn new_key(&mut self) -> bool {
        let key = dom::random_key();
        let is_new = key.is_some();
        if let Some(key) = key {
            self.key = key;
        }
        is_new
    }
}

/// One form. Copies are handles to the same form.
///
/// There is one signal for all of it, and everything that is shown is a function of it: the code for
/// each further signal and closure costs every shopper more than showing a form anew.
///
/// A host that shows a checkout keeps one to change it from outside; once the form is gone, nothing of it does
/// anything.
#[derive(Clone, Copy)]
pub struct Checkout {
    /// Everything that changes.
    pub(super) state: RwSignal<State>,
    /// The words.
    pub(super) texts: &'static CheckoutTexts,
    /// The form element.
    pub(super) form: NodeRef<Form>,
    language: Language,
    client: Client,
    keeps_cart: bool,
}

impl Checkout {
    /// What a form of a model needs. Its signal belongs to the current reactive owner.
    pub fn new(model: &CheckoutModel) -> Self {
        let mut wanted = model.quote.cart();
        let mut delivery = model.quote.chosen_delivery().to_owned();
        let mut method = model.method;
        // Whoever was faster than this script, or comes back to a restored form, is not overruled.
        if let Some(typed) = Typed::of_id(FORM_ID).filter(|_| cfg!(feature = "hydrate")) {
            for line in &model.quote.lines {
                let typed = typed.get(&[form::QUANTITY, &line.sku].concat());
                if let Some(quantity) = typed.as_deref().and_then(quantity) {
                    let _ = wanted.set(&line.sku, quantity);
                }
            }
            delivery = typed.get(Field::Delivery.name()).unwrap_or(delivery);
            method = typed.get(Field::Method.name()).as_deref().and_then(PaymentMethod::from_id).or(method);
        }
        let state = State {
            texts: model.texts,
            quote: model.quote.clone(),
            wanted,
            delivery,
            method,
            prices: Prices::Current,
            errors: model.errors.clone(),
            summary: model.errors.clone(),
            problem: model.problem.clone(),
            starting: false,
            alive: false,
            key: model.key.clone(),
            cart_id: model.cart_id.clone(),
            storefront: model.storefront.clone(),
            on_event: model.on_event.clone(),
            change: 0,
        };
        Self {
            state: RwSignal::new(state),
            texts: model.texts,
            form: NodeRef::new(),
            language: model.language,
            client: model.client,
            keeps_cart: model.keeps_cart,
        }
    }

    /// Where a picture is: the catalogue's lie on the server that prices.
    pub(super) fn picture(self, image: &str) -> String {
        if image.starts_with('/') { self.client.url(image) } else { image.to_owned() }
    }

    /// A text of the state.
    pub(super) fn text(self, read: fn(&State) -> String) -> impl Fn() -> String + Copy {
        move || self.state.with(read)
    }

    /// Whether the state is so.
    pub(super) fn flag(self, read: fn(&State) -> bool) -> impl Fn() -> bool + Copy {
        move || self.state.with(read)
    }

    /// Once, in the browser, after the form is there: from now on it is more than a plain form, until what is
    /// returned is dropped.
    #[must_use]
    pub fn come_alive(self) -> Listening {
        let method = self.typed().and_then(|typed| typed.get(Field::Method.name()));
        let mut is_current = true;
        self.state.update(|state| {
            state.alive = true;
            state.method = method.as_deref().and_then(PaymentMethod::from_id);
            is_current =
                state.quote.cart() == state.wanted && state.quote.chosen_delivery() == state.delivery;
        });
        if is_current {
            if let Some(quote) = self.state.try_with_untracked(|state| state.quote.clone()) {
                self.tell(CheckoutEvent::Changed(&quote));
            }
        } else {
            self.ask_for_prices(Duration::ZERO);
        }
        let mut places: Vec<(EventTarget, &str)> = Vec::new();
        if let Some(form) = self.form.get_untracked() {
            places.extend(["submit", "input", "change", "click"].map(|kind| (form.clone().into(), kind)));
        }
        places.extend(web_sys::window().map(|window| (window.into(), "pageshow")));
        Listening::at(places, move |event| self.hear(&event))
    }

    /// Something happened in the form, or to the page.
    fn hear(self, event: &Event) {
        match event.type_().as_str() {
            "submit" => self.submit(event),
            "input" => self.input(event),
            "change" => self.change(event),
            "click" => self.click(event),
            _ => self.shown_again(event),
        }
    }

    /// The page comes back as it was left: as if a payment were being started.
    fn shown_again(self, event: &Event) {
        let restored = event.dyn_ref::<web_sys::PageTransitionEvent>();
        if restored.is_some_and(web_sys::PageTransitionEvent::persisted) {
            self.state.try_update(|state| {
                state.starting = false;
                state.new_key();
            });
        }
    }

    fn typed(self) -> Option<Typed> {
        Typed::of(&self.form.get_untracked()?)
    }

    /// Tells whoever wants to know, and hands on the answer. `None` where nobody does. The state must not be
    /// borrowed: a host may change it in answer.
    fn tell(self, event: CheckoutEvent<'_>) -> Option<bool> {
        let handler = self.state.try_with_untracked(|state| state.on_event.clone()).flatten()?;
        Some(handler.call(event))
    }

    fn tell_refused(self, problem: &Problem) {
        self.tell(CheckoutEvent::Refused(problem, self.texts.problem(problem).unwrap_or_default()));
    }

    /// Puts another cart in the place of the one that is shown, and asks what it costs. Does nothing while a
    /// signed quote says what is bought.
    pub fn set_lines(self, lines: Cart) {
        let changed = self.state.try_maybe_update(|state| {
            let changes = state.storefront.signed_quote.is_empty() && state.wanted != lines;
            if changes {
                state.wanted = lines;
            }
            (changes, changes)
        });
        if changed == Some(true) {
            self.ask_for_prices(Duration::ZERO);
        }
    }

    /// Changes what the storefront says about the order, and asks for the prices of another signed quote.
    pub fn set_storefront(self, change: impl FnOnce(&mut Storefront)) {
        let changed = self.state.try_maybe_update(|state| {
            let before = state.storefront.signed_quote.clone();
            change(&mut state.storefront);
            (false, before != state.storefront.signed_quote)
        });
        if changed == Some(true) {
            self.ask_for_prices(Duration::ZERO);
        }
    }

    /// Fills the fields with details: those that are empty, or hold what `before` filled. What a shopper typed
    /// stays.
    pub fn fill(self, before: &Details, details: &Details) {
        if let Some(form) = self.form.try_get_untracked().flatten() {
            dom::fill(&form, before, details);
        }
    }

    /// What the shopper wants, and what stands in the fields: cart, delivery, method and details.
    pub fn now(self) -> Option<(Cart, String, Option<PaymentMethod>, Details)> {
        let details = self.form.try_get_untracked().flatten().and_then(|form| Typed::of(&form))?.details();
        self.state
            .try_with_untracked(|state| (state.wanted.clone(), state.delivery.clone(), state.method, details))
    }

    /// Sets how many of an article are wanted, and asks what that costs.
    fn set_quantity(self, sku: &str, quantity: u32) {
        // It came out of a cart, so it fits into one.
        self.state.update(|state| drop(state.wanted.set(sku, quantity)));
        self.ask_for_prices(TYPING_PAUSE);
    }

    /// Asks for the prices of what is wanted, after a pause in which nothing else changed.
    fn ask_for_prices(self, pause: Duration) {
        let mut change = 0;
        self.state.update(|state| {
            state.change += 1;
            state.prices = Prices::Asked;
            change = state.change;
        });
        self.ask_later(change, 0, pause);
    }

    /// Lets no answer in that was asked for before.
    fn ignore_answers(self) {
        self.state.update_untracked(|state| state.change += 1);
    }

    /// Whether nothing was changed since. Also false once the form is gone.
    fn is_latest(self, change: u64) -> bool {
        self.state.try_with_untracked(|state| state.change == change).unwrap_or(false)
    }

    fn ask_later(self, change: u64, repeat: u64, pause: Duration) {
        set_timeout(
            move || {
                if self.is_latest(change) {
                    spawn_local(self.ask(change, repeat));
                }
            },
            pause,
        );
    }

    async fn ask(self, change: u64, repeat: u64) {
        let request = self.state.with_untracked(|state| QuoteRequest {
            lines: state.wanted.clone(),
            delivery: state.delivery.clone(),
            language: self.language,
            signed_quote: state.storefront.signed_quote.clone(),
        });
        let answer = self.client.quote(&request).await;
        if !self.is_latest(change) {
            return;
        }
        let quote = match answer {
            Ok(quote) => quote,
            Err(problem) => {
                self.tell_refused(&problem);
                // Only where nobody answered can asking again bring another answer.
                let again =
                    matches!(problem, Problem::Transport | Problem::Unavailable | Problem::RateLimited);
                self.state.update(|state| {
                    state.prices = Prices::Failed;
                    state.problem = Some(problem).filter(|_| !again).or(state.problem.take());
                });
                if again && repeat < REPEATS {
                    self.ask_later(change, repeat + 1, Duration::from_secs(2 << repeat));
                }
                return;
            }
        };
        let lines = quote.cart().to_string();
        let pieces = quote.cart().pieces();
        self.tell(CheckoutEvent::Changed(&quote));
        // The host may have changed it in answer.
        if !self.is_latest(change) {
            return;
        }
        self.state.update(|state| {
            state.problem = state.problem.take().filter(|problem| !matches!(problem, Problem::Quote(_)));
            state.show(quote);
        });
        if self.keeps_cart && !cfg!(feature = "csr") {
            dom::count_cart(pieces);
            let cart_id = self.state.with_untracked(|state| state.cart_id.clone());
            self.client.keep_cart(&cart_id, &lines).await;
        }
    }

    /// Something was typed.
    fn input(self, event: &Event) {
        if let Some((name, value)) = dom::field_of(event)
            && let Some(sku) = name.strip_prefix(form::QUANTITY)
        {
            match quantity(&value) {
                // Half typed: no answer may write into the field meanwhile.
                None | Some(0) => self.ignore_answers(),
                Some(quantity) => self.set_quantity(sku, quantity),
            }
        }
        self.check_again();
    }

    /// Something was chosen, or typed to its end.
    fn change(self, event: &Event) {
        let Some((name, value)) = dom::field_of(event) else { return };
        if let Some(sku) = name.strip_prefix(form::QUANTITY) {
            match quantity(&value) {
                Some(0) => self.set_quantity(sku, 0),
                Some(_) => {}
                // What is no quantity gives way to the one before.
                None => self.ask_for_prices(Duration::ZERO),
            }
        } else if name == Field::Delivery.name() {
            self.state.update(|state| state.delivery = value);
            self.ask_for_prices(Duration::ZERO);
        } else if name == Field::Method.name() {
            self.state.update(|state| state.method = PaymentMethod::from_id(&value));
        }
    }

    /// A link to a field leads to it also where the page's addresses don't: in a shadow root.
    fn click(self, event: &Event) {
        if let Some(target) = dom::fragment_of(event) {
            event.prevent_default();
            self.focus(&target);
        }
    }

    /// Looks again at the fields that were wrong, while they are being mended.
    fn check_again(self) {
        if self.state.with_untracked(|state| state.errors.is_empty()) {
            return;
        }
        let Some(typed) = self.typed() else { return };
        let (_, _, mut now) = checked(&typed);
        self.state.update(|state| {
            now.retain(|error| state.errors.iter().any(|before| before.field == error.field));
            state.errors = now;
        });
    }

    /// A press of Pay, or of another button of the form.
    fn submit(self, event: &Event) {
        let Some(typed) = self.typed() else { return };
        event.prevent_default();
        let (name, value) = dom::button_of(event);
        if name == form::SET {
            if let Some((sku, quantity)) = value.rsplit_once(':') {
                self.set_quantity(sku, quantity.parse().unwrap_or(0));
            }
            return;
        }
        if name == RETRY {
            self.ask_for_prices(Duration::ZERO);
            return;
        }
        // Enter in the field of a quantity is no press of Pay.
        if self.has_focus(&["[name^=\"", form::QUANTITY, "\"]:focus"].concat()) {
            return;
        }
        if self.state.with_untracked(|state| state.starting) {
            return;
        }
        let (details, method, errors) = checked(&typed);
        if !errors.is_empty() {
            self.refused(Problem::Invalid(errors));
            return;
        }
        let request = self.state.with_untracked(|state| StartRequest {
            key: state.key.clone(),
            cart_id: state.cart_id.clone(),
            lines: state.wanted.clone(),
            delivery: state.delivery.clone(),
            details,
            method,
            shown_total_minor: state.quote.total.minor,
            language: self.language,
            storefront: state.storefront.clone(),
        });
        self.state.update(|state| {
            state.errors.clear();
            state.summary.clear();
            state.problem = None;
            state.starting = true;
        });
        spawn_local(self.start(request));
    }

    async fn start(self, mut request: StartRequest) {
        let mut answer = self.client.start(&request).await;
        // A key that was used before, by a page that came back or by a press that nobody answered.
        if matches!(answer, Err(Problem::KeyReused))
            && self.state.try_maybe_update(|state| (false, state.new_key())) == Some(true)
        {
            request.key = self.state.with_untracked(|state| state.key.clone());
            answer = self.client.start(&request).await;
        }
        match answer {
            // It stays "starting" until the page is left.
            // A storefront's page may be in another language than this browser prefers.
            Ok(reply) => {
                self.leave(self.client.url(&[&reply.location, "?lang=", self.language.tag()].concat()));
            }
            Err(problem) => self.refused(problem),
        }
    }

    fn leave(self, url: String) {
        match self.tell(CheckoutEvent::Leaving(&url)) {
            Some(true) => {}
            // The host does it by itself, or cannot: another press starts another payment.
            Some(false) => {
                self.state.try_update(|state| {
                    state.starting = false;
                    state.new_key();
                });
            }
            // A form that is gone takes nobody anywhere.
            None if cfg!(feature = "csr") && self.state.is_disposed() => {}
            None => dom::leave_for(&url),
        }
    }

    /// Shows why no payment started. Does nothing once the form is gone.
    fn refused(self, problem: Problem) {
        let is_empty = matches!(problem, Problem::EmptyCart);
        if let Problem::Invalid(errors) = &problem {
            let texts = self.texts;
            let said = errors.iter().map(|error| (*error, texts.error(*error))).collect();
            self.tell(CheckoutEvent::Invalid(said));
        } else {
            self.tell_refused(&problem);
        }
        if let Problem::PriceChanged(quote) = &problem {
            self.tell(CheckoutEvent::Changed(quote));
        }
        self.state.try_update(|state| {
            state.starting = false;
            // Only where it is open what became of the press is the next one the same.
            if !matches!(problem, Problem::Transport | Problem::Busy) {
                state.new_key();
            }
            state.errors = if let Problem::Invalid(errors) = &problem { errors.clone() } else { Vec::new() };
            state.summary.clone_from(&state.errors);
            if let Problem::PriceChanged(quote) = &problem {
                state.show(quote.as_ref().clone());
            }
            state.problem = Some(problem);
        });
        if is_empty {
            self.ask_for_prices(Duration::ZERO);
        }
        request_animation_frame(move || self.focus("#problems"));
    }

    fn has_focus(self, selector: &str) -> bool {
        let form = self.form.try_get_untracked().flatten();
        form.is_some_and(|form| matches!(form.query_selector(selector), Ok(Some(_))))
    }

    /// Moves the focus to what `selector` finds in the form.
    fn focus(self, selector: &str) {
        if let Some(form) = self.form.try_get_untracked().flatten() {
            dom::focus(&form, selector);
        }
    }
}

/// A typed quantity, if it is one.
fn quantity(text: &str) -> Option<u32> {
    text.trim().parse().ok().filter(|quantity| *quantity <= Cart::MAX_QUANTITY)
}

/// What was typed and chosen, and what is wrong with it.
fn checked(typed: &Typed) -> (Details, Option<PaymentMethod>, Vec<FieldError>) {
    let details = typed.details();
    let method = typed.get(Field::Method.name()).as_deref().and_then(PaymentMethod::from_id);
    // The list of countries has no others than those that are offered.
    let mut errors = details.accept(&[details.country.as_str()]).err().unwrap_or_default();
    if method.is_none() {
        errors.push(FieldError { field: Field::Method, problem: FieldProblem::Missing });
    }
    (details, method, errors)
}

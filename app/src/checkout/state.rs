//! What a checkout form knows while it is used, and what it does.

use std::time::Duration;

use domain::{Cart, Details, Field, FieldError, FieldProblem, Language, PaymentMethod, Problem};
use domain::{Quote, QuoteRequest, StartRequest};
use leptos::ev::SubmitEvent;
use leptos::html::Form;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsCast;

use super::{CheckoutModel, FORM_ID};
use crate::client::Client;
use crate::dom::{self, Typed};
use crate::form;
use crate::text::CheckoutTexts;

/// How often a call is repeated by itself before the shopper has to ask for it.
const REPEATS: u64 = 3;
/// How long to wait for more changes of the cart before its price is asked.
const TYPING_PAUSE: Duration = Duration::from_millis(300);

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

/// The state of one form. Copies are handles to the same state.
#[derive(Clone, Copy)]
pub(super) struct Checkout {
    /// The words.
    pub(super) texts: &'static CheckoutTexts,
    /// The prices that are shown.
    pub(super) quote: RwSignal<Quote>,
    /// The cart that the shopper wants; ahead of the quote's while prices are asked.
    pub(super) wanted: RwSignal<Cart>,
    /// The delivery that the shopper wants.
    pub(super) delivery: RwSignal<String>,
    /// The chosen method.
    pub(super) method: RwSignal<Option<PaymentMethod>>,
    /// Whether the shown prices are current.
    pub(super) prices: RwSignal<Prices>,
    /// What is wrong with which field now.
    pub(super) errors: RwSignal<Vec<FieldError>>,
    /// What was wrong at the last press of Pay: the summary stays still while fields are mended.
    pub(super) summary: RwSignal<Vec<FieldError>>,
    /// Why a payment did not start.
    pub(super) problem: RwSignal<Option<Problem>>,
    /// Whether a payment is being started.
    pub(super) starting: RwSignal<bool>,
    /// Whether scripts run: what only plain forms need is hidden then.
    pub(super) alive: RwSignal<bool>,
    /// The form element.
    pub(super) form: NodeRef<Form>,
    /// The idempotency key of the next press of Pay.
    pub(super) key: StoredValue<String>,
    /// The cart's id.
    pub(super) cart_id: StoredValue<String>,
    /// Counts the changes of cart and delivery, so that a late answer is told from the latest.
    change: StoredValue<u64>,
    language: Language,
    client: Client,
    keeps_cart: bool,
}

impl Checkout {
    pub(super) fn new(model: CheckoutModel) -> Self {
        let mut wanted = model.quote.cart();
        let mut delivery = model.quote.chosen_delivery().to_owned();
        // Whoever was faster than this script, or comes back to a restored form, is not overruled.
        if let Some(typed) = Typed::of_id(FORM_ID) {
            for line in &model.quote.lines {
                let typed = typed.get(&[form::QUANTITY, &line.sku].concat());
                if let Some(quantity) = typed.as_deref().and_then(quantity) {
                    let _ = wanted.set(&line.sku, quantity);
                }
            }
            delivery = typed.get(Field::Delivery.name()).unwrap_or(delivery);
        }
        Self {
            texts: model.texts,
            quote: RwSignal::new(model.quote),
            wanted: RwSignal::new(wanted),
            delivery: RwSignal::new(delivery),
            method: RwSignal::new(model.method),
            prices: RwSignal::new(Prices::Current),
            errors: RwSignal::new(model.errors.clone()),
            summary: RwSignal::new(model.errors),
            problem: RwSignal::new(model.problem),
            starting: RwSignal::new(false),
            alive: RwSignal::new(false),
            form: NodeRef::new(),
            key: StoredValue::new(model.key),
            cart_id: StoredValue::new(model.cart_id),
            change: StoredValue::new(0),
            language: model.language,
            client: model.client,
            keeps_cart: model.keeps_cart,
        }
    }

    /// Once, in the browser, after the form is there.
    pub(super) fn come_alive(self) {
        self.alive.set(true);
        if let Some(typed) = self.typed() {
            self.method.set(typed.get(Field::Method.name()).as_deref().and_then(PaymentMethod::from_id));
        }
        let is_current = self.quote.with_untracked(|quote| {
            quote.cart() == self.wanted.get_untracked()
                && quote.chosen_delivery() == self.delivery.get_untracked()
        });
        if !is_current {
            self.ask_for_prices(Duration::ZERO);
        }
        // The page comes back as it was left: as if a payment were being started.
        let shown = window_event_listener_untyped("pageshow", move |event| {
            let restored = event.dyn_ref::<web_sys::PageTransitionEvent>();
            if restored.is_some_and(web_sys::PageTransitionEvent::persisted) {
                self.starting.set(false);
                self.new_key();
            }
        });
        on_cleanup(move || shown.remove());
    }

    fn typed(self) -> Option<Typed> {
        Typed::of(&self.form.get_untracked()?)
    }

    /// What is wrong with a field, in words.
    pub(super) fn error(self, field: Field) -> Option<String> {
        self.errors.with(|errors| {
            errors.iter().find(|error| error.field == field).map(|error| self.texts.error(*error))
        })
    }

    /// Sets how many of an article are wanted, and asks what that costs.
    pub(super) fn set_quantity(self, sku: &str, quantity: u32) {
        // It came out of a cart, so it fits into one.
        self.wanted.update(|cart| drop(cart.set(sku, quantity)));
        self.ask_for_prices(TYPING_PAUSE);
    }

    /// Chooses a delivery, and asks what that costs.
    pub(super) fn set_delivery(self, id: String) {
        self.delivery.set(id);
        self.ask_for_prices(Duration::ZERO);
    }

    /// Asks for the prices of what is wanted, after a pause in which nothing else changed.
    pub(super) fn ask_for_prices(self, pause: Duration) {
        self.change.update_value(|change| *change += 1);
        self.prices.set(Prices::Asked);
        self.ask_later(self.change.get_value(), 0, pause);
    }

    /// Whether nothing was changed since. Also false once the form is gone.
    fn is_latest(self, change: u64) -> bool {
        self.change.try_get_value() == Some(change)
    }

    /// Whether cart or delivery were changed here.
    pub(super) fn has_changed(self) -> bool {
        self.change.get_value() > 0
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
        let request = QuoteRequest {
            lines: self.wanted.get_untracked(),
            delivery: self.delivery.get_untracked(),
            language: self.language,
        };
        let answer = self.client.quote(&request).await;
        if !self.is_latest(change) {
            return;
        }
        if let Ok(quote) = answer {
            self.show(quote);
            if self.keeps_cart {
                self.client.keep_cart(&self.wanted.get_untracked().to_string());
            }
        } else {
            self.prices.set(Prices::Failed);
            if repeat < REPEATS {
                self.ask_later(change, repeat + 1, Duration::from_secs(2 << repeat));
            }
        }
    }

    fn show(self, quote: Quote) {
        self.wanted.set(quote.cart());
        self.delivery.set(quote.chosen_delivery().to_owned());
        self.prices.set(Prices::Current);
        self.quote.set(quote);
    }

    /// Looks again at the fields that were wrong, while they are being mended.
    pub(super) fn check_again(self) {
        let Some(typed) = self.typed().filter(|_| self.errors.with_untracked(|errors| !errors.is_empty())) else {
            return;
        };
        let (_, _, now) = checked(&typed);
        self.errors.update(|errors| {
            let fields: Vec<Field> = errors.iter().map(|error| error.field).collect();
            *errors = now.into_iter().filter(|error| fields.contains(&error.field)).collect();
        });
    }

    /// A press of Pay.
    pub(super) fn submit(self, event: &SubmitEvent) {
        let Some(typed) = self.typed() else { return };
        event.prevent_default();
        if self.starting.get_untracked() {
            return;
        }
        let (details, method, errors) = checked(&typed);
        self.problem.set(None);
        if !errors.is_empty() {
            self.show_errors(errors);
            return;
        }
        self.show_errors(Vec::new());
        self.starting.set(true);
        let request = StartRequest {
            key: self.key.get_value(),
            cart_id: self.cart_id.get_value(),
            lines: self.wanted.get_untracked(),
            delivery: self.delivery.get_untracked(),
            details,
            method,
            shown_total_minor: self.quote.with_untracked(|quote| quote.total.minor),
            language: self.language,
        };
        spawn_local(self.start(request));
    }

    async fn start(self, mut request: StartRequest) {
        let mut answer = self.client.start(&request).await;
        // A key that was used before, by a page that came back or by a press that nobody answered.
        if answer == Err(Problem::KeyReused) && self.new_key() {
            request.key = self.key.get_value();
            answer = self.client.start(&request).await;
        }
        if self.starting.try_get_untracked().is_none() {
            return;
        }
        match answer {
            // It stays "starting" until the page is left.
            Ok(reply) => dom::leave_for(&self.client.url(&reply.location)),
            Err(problem) => self.refused(problem),
        }
    }

    fn refused(self, problem: Problem) {
        self.starting.set(false);
        // Only where it is open what became of the press is the next one the same.
        if !matches!(problem, Problem::Transport | Problem::Busy) {
            self.new_key();
        }
        match problem {
            Problem::Invalid(errors) => self.show_errors(errors),
            Problem::EmptyCart => self.ask_for_prices(Duration::ZERO),
            problem => {
                if let Problem::PriceChanged(quote) = &problem {
                    self.show(quote.as_ref().clone());
                }
                self.problem.set(Some(problem));
                self.focus_problems();
            }
        }
    }

    fn show_errors(self, errors: Vec<FieldError>) {
        let is_wrong = !errors.is_empty();
        self.errors.set(errors.clone());
        self.summary.set(errors);
        if is_wrong {
            self.focus_problems();
        }
    }

    fn focus_problems(self) {
        request_animation_frame(move || self.focus("#problems"));
    }

    /// Moves the focus to what `selector` finds in the form.
    pub(super) fn focus(self, selector: &str) {
        if let Some(form) = self.form.get_untracked() {
            dom::focus(&form, selector);
        }
    }

    /// Takes a new idempotency key; false where the browser has no random numbers.
    fn new_key(self) -> bool {
        let key = dom::random_key();
        let is_new = key.is_some();
        if let Some(key) = key {
            self.key.set_value(key);
        }
        is_new
    }
}

/// A typed quantity, if it is one.
pub(super) fn quantity(text: &str) -> Option<u32> {
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
